"""Which paragraphs are the body's: pages of a few paragraphs with one more part each."""

import pytest

from crawler import extract
from crawler.extraction.api import PageRecord

HEADLINE = "Divers Examine the Harbour Wall after the Storm"
TEXT = [
    "The harbour council said on Sunday that two piers would stay closed until divers had come.",
    "Some forty families who live along the mole were brought to a school on the hill.",
    "The piers carry half of the island’s trade, and three freighters wait in the roads.",
]
MORE = "An inquiry is to report within a month, a spokesman for the port said on Monday evening."
PARAGRAPHS = "".join(f"<p>{paragraph}</p>" for paragraph in TEXT)


def read(page: str) -> PageRecord:
    record = extract(page.encode(), url="https://courier.example/news/divers-examine-wall")
    assert isinstance(record, PageRecord)
    return record


@pytest.mark.parametrize(
    "page",
    [
        f'<body style="display:none"><h1>{HEADLINE}</h1>{PARAGRAPHS}</body>',
        f'<html style="visibility:hidden"><h1>{HEADLINE}</h1>{PARAGRAPHS}',
        f'<div id=app style="visibility: hidden"><h1>{HEADLINE}</h1>{PARAGRAPHS}</div>',
        f"<h1>{HEADLINE}</h1><a name=story>{PARAGRAPHS}</a>",
        f"<h1>{HEADLINE}</h1><div class=paywall>{PARAGRAPHS}</div>",
        f"<h1>{HEADLINE}</h1><article class='post type-post tag-popular'>{PARAGRAPHS}</article>",
        f"<style>.x{{display:none}}</style><h1>{HEADLINE}</h1><div id=x>{PARAGRAPHS}</div>",
        f"<style media=print>.x{{display:none}}</style><h1>{HEADLINE}</h1>"
        f"<div class=x>{PARAGRAPHS}</div>",
        f"<style>.x{{display:none}}.x{{display:block}}</style><h1>{HEADLINE}</h1>"
        f"{PARAGRAPHS[:-4]}</p><div class=y>",
        f'<h1>{HEADLINE}</h1><div hidden id="S:0">{PARAGRAPHS}</div>',
    ],
)
def test_the_whole_text_is_found(page: str) -> None:
    assert read(page).body == "\n\n".join(TEXT)


@pytest.mark.parametrize(
    "sentence",
    [
        "Analysts paint a bleak picture: sales fell by 20 per cent in March.",
        "Banks tightened credit: lending fell by a fifth in May.",
        "Sign up for the vaccination opens on Monday, the ministry said.",
        "Copyright law is at the heart of the dispute, the judge said.",
        "News no one expected reached the town on the eve of the feast.",
        "Subscribe to the idea or not, the mayor will build the bridge.",
        "Follow the money on the island, said the judge on Monday.",
        "For the latest victims of the storm, help came too late.",
        "By Monday The Harbour was open again, said the council.",
        "Do you have a boat, the divers asked, and the captain nodded.",
        "Agents earn a commission for each freighter that they bring.",
        "More than 100 people were <a href=/news/1>killed in an attack on the old market</a>.",
    ],
)
def test_a_sentence_that_begins_like_an_offer_stays(sentence: str) -> None:
    record = read(f"<h1>{HEADLINE}</h1>{PARAGRAPHS}<p>{sentence}</p><p>{MORE}</p>")
    assert record.body is not None
    assert len(record.body.split("\n\n")) == len(TEXT) + 2


@pytest.mark.parametrize(
    "part",
    [
        "<style>.x{display: none}</style><div class=x><p>A copy for print readers.</p></div>",
        "<p>Sign up for our weekly long read, delivered every Friday with a cup of tea.</p>",
        "<p>Three freighters wait in the roads off Velmora. (Photo: Reuters)</p>",
        "<p>ALSO READ | Port of Sarn is to get three new cranes in spring</p>",
        "<p>Lesen Sie auch: Hafen von Sarn bekommt drei neue Kräne im Frühling</p>",
        "<p>Copyright 2019 The Sarn Courier. All rights reserved.</p>",
        "<p>We and our 812 partners store and access personal data, like browsing data.</p>",
        f"<p>{TEXT[0]}</p>",
    ],
)
def test_a_part_that_is_not_the_text_is_left_out(part: str) -> None:
    record = read(f"<h1>{HEADLINE}</h1>{PARAGRAPHS}{part}<p>{MORE}</p>")
    assert record.body == "\n\n".join([*TEXT, MORE])


@pytest.mark.parametrize(
    ("heading", "headline"),
    [
        (
            "<span class=kicker>Politics</span> <span>Town votes for a new bridge</span>"
            "<script>var x=1</script>",
            "Town votes for a new bridge",
        ),
        (
            "<span class='title-label'>Mayor of the town resigns</span> over scandal",
            "Mayor of the town resigns over scandal",
        ),
        ("Mayor <small>of the town</small> resigns", "Mayor of the town resigns"),
        ("<div class=overline>Storm</div><div>Mayor of the town resigns</div>", None),
    ],
)
def test_the_parts_of_a_heading(heading: str, headline: str | None) -> None:
    record = read(f"<h1>{heading}</h1>{PARAGRAPHS}")
    assert record.headline == (headline or "Mayor of the town resigns")


def test_a_second_article_on_the_page_is_left_out() -> None:
    texts = f"<p>{MORE}</p><p>{MORE[::-1]}.</p>"
    other = f"<article><h1>Ferry to Sarn Sails Again</h1>{texts}</article>"
    long = PARAGRAPHS + PARAGRAPHS.replace("The ", "These ").replace("Some", "Other")
    record = read(f"<article><h1>{HEADLINE}</h1>{long}</article>{other}")
    assert record.headline == HEADLINE
    assert record.body is not None
    assert MORE not in record.body


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("<p>It was cold.</p>", ["It was cold."]),
        ("<p>with agencies</p>", []),
        ("<p>More on this:</p>", []),
        (
            "<p>Pier 1: open</p><p>Pier 2: shut</p><p>Mole: shut</p>",
            ["Pier 1: open", "Pier 2: shut", "Mole: shut"],
        ),
        ("<p>Pier 1: open</p><p>Pier 2: shut</p>", []),
        ("<p>The roads</p><p><a href=/1>A pier</a></p><p><a href=/2>A mole</a></p>", []),
    ],
)
def test_short_lines_in_boxes_like_those_of_the_text_may_end_it(
    more: str, expected: list[str]
) -> None:
    rows = [f"<div class=row>{part}</div>" for part in (*PARAGRAPHS.split("</p>")[:-1], more)]
    record = read(f"<h1>{HEADLINE}</h1><div class=text>{''.join(rows)}</div>")
    assert record.body == "\n\n".join([*TEXT, *expected])


def test_a_short_sentence_below_a_related_list_stays() -> None:
    first, *others = TEXT
    rest = "".join(f"<p>{paragraph}</p>" for paragraph in others)
    record = read(
        f"<h1>{HEADLINE}</h1><div><p>{first}</p><h3>Related</h3><ul><li><a href=/1>A pier falls</a>"
        f"</li></ul><p>It was cold.</p>{rest}</div>"
    )
    assert record.body == "\n\n".join([first, "It was cold.", *others])


@pytest.mark.parametrize("end", ["<!-- cached -->", "<?cached?>", "<html>", ""])
def test_whatever_follows_the_root_is_not_read(end: str) -> None:
    related = (
        "<div class=related><a href=/news/4711>A pier falls</a><a href=/news/4712>A mole</a></div>"
    )
    record = read(f"<html><body><h1>{HEADLINE}</h1>{PARAGRAPHS}{related}</body></html>{end}")
    assert record.related is not None
    assert len(record.related) == 2


def test_an_address_that_is_none_is_no_error() -> None:
    related = "<h3>Related</h3><a href=/news/4711>A pier falls</a>"
    page = f"<h1>{HEADLINE}</h1>{PARAGRAPHS}{related}".encode()
    assert isinstance(extract(page, url="http://[x/"), PageRecord)

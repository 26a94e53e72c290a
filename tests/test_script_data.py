"""Articles that only the JSON in a page's scripts holds, and data that hold no article."""

import json
import time
from typing import Any

import pytest

from crawler import extract
from crawler.extraction.api import PageRecord, Refusal

HEADLINE = "Divers Examine the Harbour Wall after the Storm"
URL = "https://courier.example/2026/05/01/divers-examine-harbour-wall"
PARAGRAPHS = [
    "The harbour council said on Sunday that two piers would stay closed until divers from the "
    "capital had examined the wall.",
    "Some forty families who live along the mole were brought to a school on the hill, where the "
    "baker’s union handed out bread and soup.",
    "The piers carry half of the island’s trade, and three freighters wait in the roads, among "
    "them one with seed potatoes.",
]
OTHER = [
    "The bakers of the island asked for cheaper flour on Monday, because every third oven has gone "
    "cold since the spring and a loaf costs twice as much as a year ago.",
    "The ministry answered that the mills were full and that it would publish its new prices "
    "within two weeks, but it named no figure.",
] * 3


def html(paragraphs: list[str]) -> str:
    return "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)


def article(**fields: Any) -> dict[str, Any]:
    return {"title": HEADLINE, "body": html(PARAGRAPHS), **fields}


def state(value: Any) -> str:
    """Return a script that assigns a value."""
    text = json.dumps(value).replace("</", "<\\/")
    return f"<script>window.__STATE__ = {text};</script>"


def page(*scripts: str, title: str = HEADLINE, body: str = "<div id=app></div>") -> bytes:
    return (
        f"<!doctype html><html lang=en><head><title>{title}</title></head>"
        f"<body>{body}{''.join(scripts)}</body></html>"
    ).encode()


def read(*scripts: str, url: str = URL, **parts: str) -> PageRecord:
    record = extract(page(*scripts, **parts), url=url)
    assert isinstance(record, PageRecord), record
    return record


def refused(*scripts: str, url: str = URL, **parts: str) -> bool:
    return isinstance(extract(page(*scripts, **parts), url=url), Refusal)


def has_whole_text(record: PageRecord) -> bool:
    return record.body == "\n\n".join(PARAGRAPHS)


def test_the_place_is_named() -> None:
    data = json.dumps(article(id=7)).replace("</", "<\\/")
    record = read(f'<script type="application/json" id="__NEXT_DATA__">{data}</script>')
    assert has_whole_text(record)
    assert record.provenance["body"].where == "JSON in script#__NEXT_DATA__"
    assert record.provenance["body"].doubt is None
    assert read(state(article())).provenance["body"].where == "JSON in window.__STATE__"


@pytest.mark.parametrize(
    "text",
    [
        {"articleBody": " \n".join(PARAGRAPHS)},
        {"paragraphs": PARAGRAPHS},
        {"text": [{"html": html(PARAGRAPHS[:1])}, {"html": html(PARAGRAPHS[1:])}]},
        {"body": html(PARAGRAPHS).replace("<", "&lt;").replace(">", "&gt;")},
        {"content": {"rendered": "<br><br>".join(PARAGRAPHS)}},
        {"sections": [{"heading": None, "text": text} for text in PARAGRAPHS]},
        {"blocks": [{"key": "a", "text": text, "type": "unstyled"} for text in PARAGRAPHS]},
        {"data": json.dumps({"root": {"children": [{"text": text} for text in PARAGRAPHS]}})},
    ],
    ids=lambda text: next(iter(text)),
)
def test_shapes_of_the_text(text: dict[str, Any]) -> None:
    assert has_whole_text(read(state({"story": {"headline": HEADLINE, **text}})))


@pytest.mark.parametrize("kind", ["image", "tweetEmbed", "related_links", "adSlot", "newsletter"])
def test_blocks_that_are_no_text(kind: str) -> None:
    blocks = [{"type": "paragraph", "text": text} for text in PARAGRAPHS]
    blocks.insert(1, {"type": kind, "text": "This is not a sentence of the article’s own text."})
    assert has_whole_text(read(state({"headline": HEADLINE, "blocks": blocks})))


def test_inline_pieces_are_joined() -> None:
    first, rest = PARAGRAPHS[0].split(" on Sunday ")
    pieces = [{"text": first + " "}, {"type": "link", "children": [{"text": "on Sunday"}]}]
    pieces.append({"text": " " + rest, "bold": True})
    children = [{"type": "paragraph", "children": pieces}]
    children += [{"type": "paragraph", "children": [{"text": text}]} for text in PARAGRAPHS[1:]]
    assert has_whole_text(read(state({"title": HEADLINE, "content": children})))


def test_other_articles_are_not_taken() -> None:
    other = {"title": "Bakers Ask for Cheaper Flour", "url": "/bakers", "body": html(OTHER)}
    data = {"related": [other], "article": article(next=other, seeAlso=[other]), "top": other}
    assert has_whole_text(read(state(data)))
    teaser = {"title": HEADLINE, "url": URL, "summary": PARAGRAPHS[0]}
    assert refused(state({"stories": [teaser, other], "first": other}))
    assert refused(state({"top": {"seo": {"title": HEADLINE}, "lead": other, "all": [other]}}))


def test_another_article_without_an_address_is_not_taken() -> None:
    other = {"title": "Bakers Ask for Cheaper Flour", "body": html(OTHER)}
    assert refused(state({"seo": {"title": HEADLINE}, "stories": [other, other]}))


def test_a_part_with_a_title_is_a_section_only_if_it_is_short_or_has_a_heading() -> None:
    other = {"title": "Bakers Ask for Cheaper Flour", "body": html(OTHER)}
    data = [article(), {"title": HEADLINE, "url": URL, "more": [other]}]
    assert has_whole_text(read(state(data)))
    title = "News from the Island and the Coast"
    assert refused(state({"title": title, "items": [article()]}), title=title)
    section = {"heading": "Two Piers Closed", "text": html(PARAGRAPHS)}
    record = read(state({"title": HEADLINE, "sections": [section]}))
    assert record.body == "\n\n".join(["Two Piers Closed", *PARAGRAPHS])


@pytest.mark.parametrize("name", ["author", "topics", "section"])
def test_a_text_about_an_author_or_a_section_is_no_article(name: str) -> None:
    about = {"name": "Jo Lind the Reporter of Islands", "text": html(OTHER)}
    assert refused(state({name: about}), title=about["name"])
    assert refused(state({name: [about]}), title=about["name"])


def test_a_text_beside_the_object_that_has_the_title_is_doubted() -> None:
    record = read(state({"seo": {"title": HEADLINE}, "post": {"text": html(PARAGRAPHS)}}))
    assert has_whole_text(record)
    assert record.provenance["body"].doubt == (
        "JSON in window.__STATE__ has this text beside the article's title, not with it"
    )


def test_a_heading_among_the_blocks_of_the_text_is_its_title() -> None:
    blocks = [{"type": "paragraph", "text": text} for text in PARAGRAPHS]
    record = read(state({"content": [{"type": "headline", "text": HEADLINE}, *blocks]}))
    assert has_whole_text(record)
    assert record.provenance["body"].doubt is None


def test_texts_about_the_author_and_the_publisher_are_not_taken() -> None:
    data = article(author={"name": "Jo Lind", "bio": html(OTHER)}, copyright=html(OTHER))
    assert has_whole_text(read(state({"article": data, "comments": [{"text": html(OTHER)}]})))
    del data["body"]
    assert refused(state({"article": data, "cookieNotice": {"text": html(OTHER)}}))


@pytest.mark.parametrize(
    "fields",
    [
        {"url": URL},
        {"canonicalUrl": "/2026/05/01/divers-examine-harbour-wall?utm_source=feed"},
        {"slug": "divers-examine-harbour-wall"},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_an_article_is_known_by_its_address(fields: dict[str, str]) -> None:
    data = article(title="Two Piers Closed", published_at="2026-05-01T06:00:00Z", **fields)
    record = read(state({"view": data}), title="The Courier")
    assert has_whole_text(record)
    assert record.headline == "Two Piers Closed"
    assert record.published_at == "2026-05-01T06:00:00+00:00"


def test_an_article_is_known_by_its_id() -> None:
    data = article(id=1790011, title="Two Piers Closed")
    record = read(state({"view": data}), url="https://courier.example/a/1790011", title="Courier")
    assert has_whole_text(record)
    assert refused(state({"view": data}), url="https://courier.example/a/1790012", title="Courier")


def test_a_year_in_the_address_is_no_id() -> None:
    assert refused(state(article(id=2026, title="Two Piers Closed")), title="Courier")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"publishedAt": "2026-05-01T08:00:00+02:00"}, "2026-05-01T08:00:00+02:00"),
        ({"published": 1777615200}, "2026-05-01T06:00:00+00:00"),
        ({"firstPublished": 1777615200000, "lastPublished": 1777701600000}, None),
        ({"meta": {"publish_date": "2026-05-01T06:00:00Z"}}, "2026-05-01T06:00:00+00:00"),
        ({"modifiedAt": "2026-05-02T06:00:00Z"}, "2026-05-01"),
        ({"published": True, "createdAt": "2026-04-30T06:00:00Z"}, "2026-05-01"),
    ],
    ids=lambda fields: next(iter(fields)) if isinstance(fields, dict) else None,
)
def test_dates(fields: dict[str, Any], expected: str | None) -> None:
    record = read(state({"article": article(**fields)}))
    assert record.published_at == (expected or "2026-05-01T06:00:00+00:00")


def test_a_declared_date_and_a_shown_headline_are_kept() -> None:
    body = (
        "<h1>Divers Examine the Harbour Wall</h1><time datetime=2026-05-01T07:00:00Z>1 May</time>"
    )
    record = read(state(article(published="2026-05-01T06:00:00Z")), body=body)
    assert has_whole_text(record)
    assert record.headline == "Divers Examine the Harbour Wall"
    assert record.published_at == "2026-05-01T07:00:00+00:00"


def test_the_visible_text_is_preferred() -> None:
    body = f"<main><h1>{HEADLINE}</h1>{html(PARAGRAPHS)}</main>"
    record = read(
        state(article(body=html([*PARAGRAPHS, "One line more for the paper."]))), body=body
    )
    assert has_whole_text(record)
    assert record.provenance["body"].where == "text of p"


def test_a_part_of_the_text_is_completed() -> None:
    body = f"<main><h1>{HEADLINE}</h1>{html(PARAGRAPHS[:1])}</main>"
    record = read(state(article(isAccessibleForFree=False)), body=body)
    assert has_whole_text(record)
    assert record.provenance["body"].doubt is None


def test_a_teaser_in_the_data_changes_nothing() -> None:
    body = f"<main><h1>{HEADLINE}</h1>{html(PARAGRAPHS[:2])}</main>"
    record = read(state(article(body=html(PARAGRAPHS[:1]))), body=body)
    assert record.body == "\n\n".join(PARAGRAPHS[:2])


def test_another_visible_text_is_doubted() -> None:
    notice = "Readers may write to the editor about this story until Friday, by letter only."
    record = read(state(article()), body=f"<main><h1>{HEADLINE}</h1><p>{notice}</p></main>")
    assert has_whole_text(record)
    assert record.provenance["body"].doubt == (
        "the page shows another text than JSON in window.__STATE__ has"
    )


@pytest.mark.parametrize(
    ("title", "url"),
    [
        ("The Courier", "https://courier.example/"),
        ("The Courier of the Island – News from Both Coasts", "https://courier.example/"),
        ("News from the Northern Coast and the Islands", "https://courier.example/north"),
        ("Search Results for Flour in the Courier", "https://courier.example/search?q=flour"),
        ("Page Not Found", URL),
    ],
)
def test_pages_that_are_no_article(title: str, url: str) -> None:
    articles = [article(url=f"/a/{number}", publishedAt="2026-05-01") for number in range(5)]
    site = {"title": title, "description": " ".join(OTHER), "items": articles}
    assert refused(state({"page": site, "items": articles}), title=title, url=url)


@pytest.mark.parametrize(
    "script",
    [
        "",
        "{",
        "[" * 5_000,
        '{"a":' * 5_000,
        '{"a":' * 5_000 + "1" + "}" * 5_000,
        json.dumps(article())[:-40],
        '{"title": "' + HEADLINE + '", "body": function () { return "' + "x" * 500 + '"; }}',
        "9" * 5_000,
        '["ShallowReactive", 1]',
        json.dumps(HEADLINE * 20),
        json.dumps([["Reactive", 1], HEADLINE * 20]),
        '[{"a": 1}, ["Ref", 1], "' + "x" * 400 + '"]',
        '[{"a": 1, "title": 2}, {"a": 0}, "' + HEADLINE + " " * 400 + '"]',
    ],
    ids=range(13),
)
@pytest.mark.parametrize("opening", ["<script>window.a = ", '<script type="application/json">'])
def test_damaged_data_are_left_out(opening: str, script: str) -> None:
    assert refused(f"{opening}{script}</script>")
    assert has_whole_text(read(f"{opening}{script}</script>", state(article())))


def test_a_stream_that_is_damaged_is_left_out() -> None:
    rows = ['1:{"title":', "2:Tfffffff,<p>", "3:T5,", "x:y", '4:"$4"', '5:{"a":"$5"}']
    for row in rows:
        text = f"<script>self.__next_f.push([1,{json.dumps(row)}])</script>"
        assert refused(text, text, f"<script>self.__next_f.push([1,{text}</script>")


def test_data_that_refer_to_themselves_end() -> None:
    flat = [{"title": 1, "body": 2, "self": 0}, HEADLINE, [2, 2, 3, 0], html(PARAGRAPHS)]
    data = json.dumps(flat).replace("</", "<\\/")
    assert has_whole_text(read(f'<script type="application/json">{data}</script>'))
    cache = {"A:1": {"title": HEADLINE, "body": [{"__ref": "A:1"}, {"__ref": "A:1"}]}}
    assert refused(state({**cache, "long": "x" * 400}))


def test_flat_lists_of_nuxt() -> None:
    flat = [["ShallowReactive", 1], {"story": 2, "set": 6}, ["Reactive", 3]]
    flat += [{"title": 4, "body": 5}, HEADLINE, html(PARAGRAPHS), ["Set", "x"]]
    data = json.dumps(flat).replace("</", "<\\/")
    assert has_whole_text(read(f'<script type="application/json">{data}</script>'))


@pytest.mark.parametrize("is_text", [True, False])
def test_streams_of_react(is_text: bool) -> None:
    text = html(PARAGRAPHS) if is_text else json.dumps(PARAGRAPHS)
    rows = json.dumps({"title": HEADLINE, "body": "$1f"})
    rows = f"1:{rows}\n1f:{f'T{len(text.encode()):x},' if is_text else ''}{text}\n2:null\n"
    scripts = [
        f"<script>self.__next_f.push([1, {json.dumps(part)}])</script>".replace("</p", "<\\/p")
        for part in (rows[:150], rows[150:])
    ]
    record = read(*scripts)
    assert has_whole_text(record)
    assert record.provenance["body"].where == "JSON in a React stream"


def test_lists_that_share_entries_take_little_time() -> None:
    many = 2_000
    flat = [{"title": 1, "type": 5, "body": 2}, HEADLINE, [3] * many, {"type": 5, "content": 4}]
    flat += [[6] * many, "block", [7] * many, {"x": 8}, "y" * 400]
    start = time.process_time()
    assert refused(f'<script type="application/json">{json.dumps(flat)}</script>')
    assert time.process_time() - start < 5


def test_characters_that_no_encoding_can_write_are_replaced() -> None:
    fields = {"published": "2026-05-01T06:00:00Z\ud800"}
    text = [PARAGRAPHS[0].replace("two", "\ud800"), *PARAGRAPHS[1:]]
    record = read(state(article(title=HEADLINE + "\udfff", body=html(text), **fields)))
    assert record.body == "\n\n".join(text).replace("\ud800", "\ufffd")


def test_object_literals_of_javascript() -> None:
    body = html(PARAGRAPHS).replace("/", r"\u002F").replace("<", r"\x3C").replace("’", r"\u2019")
    literal = (
        f"{{title: '{HEADLINE}', body: '{body}', a: undefined, b: NaN, c: !1, d: -1.5e3,"
        " e: new Date(1777615200000), // a comment\n f: [1, 2,], g: 'it\\'s \"h\"',}"
    )
    assert has_whole_text(read(f"<script>var x = 1; window.article = {literal};</script>"))


@pytest.mark.parametrize("quotes", ['"', "'"])
def test_strings_that_are_parsed(quotes: str) -> None:
    text = json.dumps(article()).replace("\\", "\\\\").replace(quotes, f"\\{quotes}")
    text = text.replace("</", "<\\/")
    assert has_whole_text(read(f"<script>window.x = JSON.parse({quotes}{text}{quotes});</script>"))


@pytest.mark.slow_after(3)
@pytest.mark.parametrize(
    "script",
    [
        f'window.a = {{"title": "{HEADLINE}", "body": "' + "x " * 10_000_000 + '"}',
        "a={" * 1_000_000 + f'"{HEADLINE}"',
        '={"a":"' * 500_000 + HEADLINE,
        f'x = [{{"title": "{HEADLINE}"}}'
        + f', {{"title": "{HEADLINE}", "a": [[]]}}' * 50_000
        + "]",
        f'x = {{"title": "{HEADLINE}", "a": [' + ", ".join(['{"b": "c."}'] * 200_000) + "]}",
        "'" * 900_000 + HEADLINE,
        "/*" * 400_000 + HEADLINE,
        "new Date(" * 90_000 + HEADLINE,
        "a " * 400_000 + HEADLINE,
        HEADLINE + '="' + 'x=\\"' * 225_000,
        HEADLINE + "={" + "/*a " * 225_000,
        '__next_f.push([1,"\\q' * 150_000,
    ],
    ids=range(12),
)
def test_large_scripts_take_little_time(script: str) -> None:
    body = page(f"<script>{script}</script>")
    start = time.process_time()
    extract(body, url=URL)
    assert time.process_time() - start < 5

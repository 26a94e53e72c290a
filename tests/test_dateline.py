"""Test which of a page's dates is taken for its publication."""

import pytest

from crawler.extraction import page

TEXT = (
    "<p>The port authority of Velmora said that all four cranes on the quay had stopped working "
    "after a fire, and that no ship would be unloaded before the weekend.</p>"
    "<p>Nobody was hurt. The fire began before dawn, when most of the night shift had already left "
    "the hall, and was put out by the harbour's own brigade within two hours.</p>"
)
HEAD = "<title>Fire Stops the Cranes of Velmora</title>"
HEADLINE = "<h1>Fire Stops the Cranes of Velmora</h1>"


def json_ld(text: str) -> str:
    return f'<script type="application/ld+json">{text}</script>'


def published(
    head: str = "", above: str = "", below: str = "", end: str = "", url: str = "", lang: str = "en"
) -> str | None:
    html = (
        f'<html lang="{lang}"><head>{HEAD}{head}</head><body><main>{above}{HEADLINE}{below}'
        f"{TEXT}{end}</main></body></html>"
    )
    parsed = page.parse(html.encode(), url=url or "https://news.example/story")
    moment = parsed.dated.moment if parsed.dated else None
    return moment.isoformat(None) if moment else None


@pytest.mark.parametrize(
    ("below", "expected"),
    [
        ("<p>Lübeck, 31. März 2003</p>", "2003-03-31"),
        ("<p class=postmeta>by Ora Lind | 3 May 2014 at 9.12 am</p>", "2014-05-03T09:12:00"),
        ("<div class=byline>Von Ora Lind · 3. Mai 2014, 09:12 Uhr</div>", "2014-05-03T09:12:00"),
        ("<p>Aktualisiert: 3. Mai 2014</p>", None),
        ("<p>Mis à jour le 4 mai 2014 | Publié le 3 mai 2014</p>", "2014-05-03"),
        ("<p>Regatta: 4 June 2017</p>", None),
        ("<blockquote class=twitter-tweet>Smoke! 3 May 2014</blockquote>", None),
        ("<div>3 May 2014</div><div>09:12</div>", "2014-05-03T09:12:00"),
        ("<div>Updated:</div><div>3 May 2014</div>", None),
        ("<div>Date:</div><div>3 May 2014</div>", "2014-05-03"),
        ('<div data-timestamp="1511806845000">27 Nov. 2017</div>', "2017-11-27T18:20:45+00:00"),
    ],
)
def test_line_below_the_headline(below: str, expected: str | None) -> None:
    assert published(below=below) == expected


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("<p>Published on 3 April 2014, 09:12 GMT</p>", "2014-04-03T09:12:00+00:00"),
        ("<div><a href=/1>Ferry to Sarn runs again</a> Published: 6 May 2014</div>", None),
        ("<div id=comments><p>Posted by Rustam on 6 May 2014</p></div>", None),
    ],
)
def test_line_below_the_text(end: str, expected: str | None) -> None:
    assert published(end=end) == expected


def test_line_after_the_standfirst() -> None:
    head, rest = TEXT.split("</p>", 1)
    html = f"<html><head>{HEAD}</head><body>{HEADLINE}{head}</p><div>3 May 2014</div>{rest}</body>"
    parsed = page.parse(html.encode())
    assert parsed.dated
    assert parsed.dated.moment
    assert parsed.dated.moment.isoformat(None) == "2014-05-03"


def test_a_chronicle_is_text() -> None:
    lines = "".join(
        f"<p>{day} June 1977: The harbour of Velmora gets a crane.</p>" for day in (4, 5, 6)
    )
    html = f"<html><head>{HEAD}</head><body>{HEADLINE}{TEXT}{lines}{TEXT}</body></html>"
    parsed = page.parse(html.encode())
    assert parsed.dated is None
    assert [p for p in parsed.body if "1977" in p] == [
        f"{day} June 1977: The harbour of Velmora gets a crane." for day in (4, 5, 6)
    ]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (
            '<meta property="article:published_time" content="1511806845">',
            "2017-11-27T18:20:45+00:00",
        ),
        ('<meta property="article:published_time" content="1970-01-01T00:00:00Z">', None),
        # A video is not the page, unless nothing else is.
        (
            json_ld('{"@type": "VideoObject", "uploadDate": "2016-02-01"}')
            + json_ld('{"@type": "NewsArticle", "datePublished": "2019-03-12"}'),
            "2019-03-12",
        ),
        (json_ld('{"@type": "VideoObject", "uploadDate": "2016-02-01"}'), "2016-02-01"),
        # Another page's article.
        (
            '<link rel="canonical" href="https://news.example/story">'
            + json_ld(
                '{"@type": "NewsArticle", "headline": "Ferry to Sarn runs again", '
                '"url": "https://news.example/ferry", "datePublished": "2016-02-01"}'
            ),
            None,
        ),
        (json_ld('{"@type": "WebPage", "datePublished": "2016-02-01"}'), "2016-02-01"),
    ],
)
def test_declared(head: str, expected: str | None) -> None:
    assert published(head) == expected


def test_a_doubtful_declaration_yields_to_the_date_line() -> None:
    assert published('<meta name="date" content="2021-07-15">') == "2021-07-15"
    line = "<p>3 May 2014</p>"
    assert published('<meta name="date" content="2021-07-15">', below=line) == "2014-05-03"


def test_a_declared_instant_gives_the_zone_of_a_local_time() -> None:
    head = '<meta name="date" content="2014-05-03T13:12:00Z">'
    line = "<p>3 May 2014, 9:12 am</p>"
    assert published(head, below=line) == "2014-05-03T13:12:00+00:00"
    assert published(head, below="<p>3 May 2014, 9:11 am</p>") == "2014-05-03T09:11:00"


def test_meta_and_reader_outvote_json_ld() -> None:
    head = json_ld('{"@type": "NewsArticle", "datePublished": "2014-05-01"}')
    meta = '<meta property="article:published_time" content="2014-05-03T08:00:00Z">'
    assert published(head + meta) == "2014-05-01"
    assert published(head + meta, below="<p>3 May 2014</p>") == "2014-05-03T08:00:00+00:00"


def test_the_url_is_the_last_resort() -> None:
    url = "https://news.example/2014/05/03/cranes"
    assert published(url=url) == "2014-05-03"
    assert published(below="<p>4 May 2014</p>", url=url) == "2014-05-04"
    assert published(url="https://news.example/2014/13/45/cranes") is None


def test_the_declared_country_gives_a_zone_its_meaning() -> None:
    line = "<p>3 February 2018 07:18 IST</p>"
    assert published(below=line, lang="en-IN") == "2018-02-03T07:18:00+05:30"
    assert published(below=line) == "2018-02-03T07:18:00"

"""Lists of articles, read from feeds, sitemaps and pages: each kind, and what can be wrong."""

import gzip
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.extraction.lists import (
    FEED,
    INDEX,
    MOST_ENTRIES,
    PAGE,
    SITEMAP,
    Entry,
    is_page,
    read_list,
    sitemaps_in_robots,
)

ROOT = "https://www.news.example"
A, B = f"{ROOT}/2026/05/01/a", f"{ROOT}/2026/05/02/b"
XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
RSS = f"""{XML}<rss version="2.0"><channel><title>News</title><link>{ROOT}/</link>
<item><title>Bridge &amp;amp; road</title><link>{A}</link>
<pubDate>Fri, 01 May 2026 12:00:00 +0200</pubDate></item>
<item><title><![CDATA[<b>Market</b> falls]]></title><guid isPermaLink="true">{B}</guid></item>
</channel></rss>"""
ATOM = f"""{XML}<feed xmlns="http://www.w3.org/2005/Atom" xml:base="{ROOT}/2026/">
<entry><title>Bridge</title><link href="05/01/a"/><updated>2026-05-01T10:00:00Z</updated></entry>
<entry><title type="html">&lt;i&gt;Market&lt;/i&gt;</title>
<link rel="alternate" href="{B}"/><published>2026-05-02T10:00:00Z</published></entry></feed>"""
RDF = f"""{XML}<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<item rdf:about="{A}"><title>Bridge</title><link>{A}</link>
<dc:date>2026-05-01T10:00:00Z</dc:date></item></rdf:RDF>"""
JSON_FEED = f"""{{"version": "https://jsonfeed.org/version/1.1", "title": "News", "items": [
{{"id": "1", "url": "{A}", "title": "Bridge", "date_published": "2026-05-01T10:00:00Z"}},
{{"id": "2", "external_url": "{B}", "content_text": "No title"}}, "nonsense"]}}"""
NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
URLSET = f"""{XML}<urlset {NAMESPACE}>
<url><loc>{A}</loc><lastmod>2026-05-01</lastmod></url><url><loc> {B} </loc></url></urlset>"""
NEWS = f"""{XML}<!-- news --><urlset {NAMESPACE}
 xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"><url><loc>{A}</loc><news:news>
<news:publication><news:name>News</news:name></news:publication>
<news:publication_date>2026-05-01T10:00:00+00:00</news:publication_date>
<news:title>Bridge</news:title></news:news><image:image xmlns:image="i">
<image:loc>{ROOT}/x.jpg</image:loc><image:title>A bridge</image:title></image:image></url>
</urlset>"""
SITEMAP_INDEX = f"""{XML}<sitemapindex {NAMESPACE}>
<sitemap><loc>{ROOT}/1.xml.gz</loc><lastmod>2026-05-01T10:00:00+00:00</lastmod></sitemap>
</sitemapindex>"""
HTML = f"""<html><head><base href="{ROOT}/2026/">
<link rel="alternate" type="application/rss+xml" title="News" href="/feed">
<link rel="alternate" type="application/rss+xml" title="Comments" href="/comments/feed">
<link rel="alternate" hreflang="de" href="/de"></head><body>
<a href="05/01/a#comments"><img src="x.jpg"></a><a href="{A}">  Bridge
 opens </a><a href="mailto:a@b.c">Mail</a><a>None</a><a href="http://[">Bad</a></body></html>"""

# The bytes of a list, its kind, and of each entry the address, the title and the time.
LISTS: dict[str, tuple[str | bytes, str, list[tuple[str, str | None, str | None]]]] = {
    "RSS": (
        RSS,
        FEED,
        [(A, "Bridge & road", "2026-05-01T10:00:00+00:00"), (B, "Market falls", None)],
    ),
    "Atom": (
        ATOM,
        FEED,
        [
            (A, "Bridge", "2026-05-01T10:00:00+00:00"),
            (B, "Market", "2026-05-02T10:00:00+00:00"),
        ],
    ),
    "RDF": (RDF, FEED, [(A, "Bridge", "2026-05-01T10:00:00+00:00")]),
    "JSON Feed": (
        JSON_FEED,
        FEED,
        [(A, "Bridge", "2026-05-01T10:00:00+00:00"), (B, None, None)],
    ),
    "sitemap": (URLSET, SITEMAP, [(A, None, "2026-05-01T00:00:00+00:00"), (B, None, None)]),
    "gzip": (
        gzip.compress(URLSET.encode()),
        SITEMAP,
        [(A, None, "2026-05-01T00:00:00+00:00"), (B, None, None)],
    ),
    "news sitemap": (NEWS, SITEMAP, [(A, "Bridge", "2026-05-01T10:00:00+00:00")]),
    "plain sitemap": (f"{A}\n{B}\n", SITEMAP, [(A, None, None), (B, None, None)]),
    "space before": (
        "\ufeff\n " + URLSET.removeprefix(XML),
        SITEMAP,
        [(A, None, "…"), (B, None, None)],
    ),
    "page": (HTML, PAGE, [(A, "Bridge opens", None)]),
    "Latin-1 feed": (
        RSS.replace("UTF-8", "ISO-8859-1").replace("Bridge", "Brücke").encode("latin-1"),
        FEED,
        [(A, "Brücke & road", "…"), (B, "Market falls", None)],
    ),
    "several gzip members": (
        gzip.compress(URLSET[:150].encode()) + gzip.compress(URLSET[150:].encode()),
        SITEMAP,
        [(A, None, "…"), (B, None, None)],
    ),
    "document type with entities": (
        RSS.replace(XML, f'{XML}<!DOCTYPE rss [<!ENTITY x "&y;">]>'),
        FEED,
        [(A, "Bridge & road", "…"), (B, "Market falls", None)],
    ),
    "UTF-16": (
        RSS.replace("UTF-8", "UTF-16").encode("utf-16"),
        FEED,
        [(A, "Bridge & road", "…"), (B, "Market falls", None)],
    ),
    "a base that is no address": (
        f'<base href="http://["><a href="{A}">Bridge</a>',
        PAGE,
        [(A, "Bridge", None)],
    ),
    "empty feed": (f"{XML}<rss version='2.0'><channel/></rss>", FEED, []),
    "nothing": ("", PAGE, []),
}


@pytest.mark.parametrize("case", LISTS)
def test_each_kind(case: str) -> None:
    data, kind, expected = LISTS[case]
    body = data.encode() if isinstance(data, str) else data
    found = read_list(body, f"{ROOT}/list")
    entries = [
        (entry.url, entry.title, entry.at and entry.at.isoformat()) for entry in found.entries
    ]
    if "…" in {at for *_, at in expected}:
        entries = [(url, title, at and "…") for url, title, at in entries]
    assert (found.kind, entries, found.fault) == (kind, expected, None)
    assert is_page(body) == (kind == PAGE)


def test_lists_whose_addresses_are_no_addresses() -> None:
    bad = "<sitemap><loc>http://[</loc></sitemap><sitemap><loc>file:///etc/x</loc></sitemap>"
    found = read_list(SITEMAP_INDEX.replace("<sitemap>", f"{bad}<sitemap>", 1).encode(), ROOT)
    assert ([one.url for one in found.lists], found.without_address) == ([f"{ROOT}/1.xml.gz"], 2)


HOSTILE = (
    *(b"<?xml ?>", b"<!--x-->", b"<!--", b"<!doctype x", b" <?x", b"<a href=x>", b"<title>"),
    *(b'{"items":', b"https://x ", b"<rss", b"&#x26;", b"<url><loc>"),
)


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_bytes_do_not_hang(piece: bytes) -> None:
    """Patterns that backtrack would take years."""
    for body in (piece * 20_000, b"<rss><channel>" + piece * 5_000):
        assert is_page(body) in (True, False)
        assert read_list(body, ROOT).kind in (PAGE, FEED, SITEMAP, INDEX)


def test_lists_of_lists() -> None:
    found = read_list(SITEMAP_INDEX.encode(), f"{ROOT}/sitemap.xml")
    assert (found.kind, [one.url for one in found.lists]) == (INDEX, [f"{ROOT}/1.xml.gz"])
    assert found.lists[0].day == date(2026, 5, 1)
    page = read_list(HTML.encode(), f"{ROOT}/")
    assert [one.url for one in page.lists] == [f"{ROOT}/feed"]


FAULTS: dict[str, tuple[bytes, str, int]] = {
    "cut sitemap": (URLSET[:-30].encode(), "its XML is malformed", 1),
    "cut feed": (RSS[: RSS.index("</channel>")].encode(), "its XML is malformed", 2),
    "a warning of PHP before": (
        f"<br />\n<b>Warning</b>: x<br />{RSS.removeprefix(XML)}".encode(),
        "its XML is malformed",
        2,
    ),
    "undeclared prefix": (
        f"{XML}<urlset><url><loc>{A}</loc><news:news/></url></urlset>".encode(),
        "its XML is malformed",
        1,
    ),
    "JSON without items": (b'{"a": 1}', "it has no items", 0),
    "cut JSON": (JSON_FEED[:-5].encode(), "its JSON is malformed", 0),
    "cut gzip": (gzip.compress(URLSET.encode())[:-20], "its gzip is cut off", 0),
    "damaged gzip": (b"\x1f\x8b\x08\x00" + b"\xff" * 50, "its gzip is damaged", 0),
    "gzip twice": (gzip.compress(gzip.compress(b"x")), "it is gzip, but no feed", 0),
    "a bomb": (gzip.compress(bytes(60_000_000)), "it unpacks to over 52,428,800 bytes", 0),
}


@pytest.mark.parametrize("case", FAULTS)
def test_what_is_wrong_is_said_and_the_rest_is_read(case: str) -> None:
    body, fault, least = FAULTS[case]
    found = read_list(body, f"{ROOT}/list")
    assert fault in (found.fault or "")
    assert len(found.entries) >= least


def test_the_most_entries_of_a_sitemap() -> None:
    urls = "".join(f"<url><loc>{ROOT}/{n}</loc></url>" for n in range(MOST_ENTRIES + 5))
    found = read_list(f"{XML}<urlset {NAMESPACE}>{urls}</urlset>".encode(), ROOT)
    assert (len(found.entries), found.left_out, found.fault) == (MOST_ENTRIES, 5, None)


@pytest.mark.parametrize(
    ("url", "day"),
    [
        ("https://n.example/2026/05/01/a", date(2026, 5, 1)),
        ("https://n.example/news/20120415", None),
        ("https://n.example/a-2026-05-01.html", date(2026, 5, 1)),
        ("https://n.example/2026/02/31/a", None),
        ("https://n.example/12026050112/a", None),
        ("https://n.example/a", None),
    ],
)
def test_the_day_in_an_address(url: str, day: date | None) -> None:
    assert Entry(url).day == day


def test_the_day_of_a_change_is_not_that_of_publication() -> None:
    first, _ = read_list(URLSET.encode(), ROOT).entries
    assert first._replace(url=f"{ROOT}/a").published_on is None
    assert first.day == date(2026, 5, 1)
    assert read_list(NEWS.encode(), ROOT).entries[0].published_on == date(2026, 5, 1)


def test_sitemaps_in_robots() -> None:
    text = f"User-agent: *\nDisallow: /x\nSITEMAP : {ROOT}/1.xml\nSitemap:\nsitemap:{ROOT}/2.xml"
    text += "\nSitemap: http://[\nSitemap: file:///etc/x"
    assert list(sitemaps_in_robots(text, f"{ROOT}/robots.txt")) == [
        f"{ROOT}/1.xml",
        f"{ROOT}/2.xml",
    ]


@given(
    st.binary(max_size=200),
    st.sampled_from([RSS, ATOM, URLSET, JSON_FEED, HTML]),
    st.integers(0, 600),
)
def test_no_bytes_raise_an_error(data: bytes, text: str, cut: int) -> None:
    for body in (data, text.encode()[:cut] + data, data + text.encode(), gzip.compress(data)[:cut]):
        found = read_list(body, f"{ROOT}/list")
        assert all(entry.url.startswith("http") for entry in found.entries)

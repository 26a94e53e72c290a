"""The links of articles and their roles: ``PageRecord.links``."""

import json
import pickle
from pathlib import Path

import pytest

from crawler.extraction.api import PageRecord, extract
from crawler.extraction.normalise import page_record
from crawler.extraction.page import parse
from crawler.extraction.publishers import publisher_at

HOST = "https://www.courier.example"
URL = f"{HOST}/2026/05/01/divers-examine-wall/"
OTHER = "/2026/04/28/pier-falls-after-storm/"
NEXT = "/2026/04/29/ferry-waits-for-the-pilot/"
THIRD = "/2026/04/30/crane-leans-over-the-quay/"
TEXT = (
    "The divers went down twice on Monday and found that the harbour wall has moved again.",
    "The port authority said on Tuesday that the eastern quay stays closed for a fourth week.",
    "Insurers put the damage at nine million crowns, of which the city has to pay a third.",
)


def page(*paragraphs: str, head: str = "", above: str = "", below: str = "") -> str:
    text = "".join(f"<p>{paragraph}</p>" for paragraph in (*TEXT[:2], *paragraphs, TEXT[2]))
    return f"""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
        <title>Divers examine the harbour wall</title>{head}</head><body>
        <nav><ul><li><a href="/world/">World</a></li><li><a href="/sport/">Sport</a></li></ul></nav>
        {above}<article><h1>Divers examine the harbour wall</h1>{text}{below}</article>
        <footer><p><a href="/imprint/">Imprint of the Courier</a></p></footer></body></html>"""


def read(source: str) -> PageRecord:
    record = extract(source.encode(), url=URL)
    assert isinstance(record, PageRecord)
    return record


def seen(source: str) -> list[tuple[str, str | None, str | None, int | None]]:
    """Return the role, the path or URL, the text and the paragraph of each link."""
    return [
        (link.role, (link.url or "").removeprefix(HOST), link.text, link.paragraph)
        for link in read(source).links or ()
    ]


ROLES = [
    pytest.param(
        page(f'As <a href="{OTHER}">the pier did</a> in April, it may fall in another storm.'),
        [("text", OTHER, "the pier did", 3)],
        id="a link in a paragraph",
    ),
    pytest.param(
        page(
            f'The <a href="{OTHER}">pier</a> fell, as <a href="https://wire.example/a?b=1#c">the'
            " wire</a> says, and nobody was hurt when it did."
        ),
        [
            ("text", OTHER, "pier", 3),
            ("text", "https://wire.example/a?b=1#c", "the wire", 3),
        ],
        id="two links, one to another host",
    ),
    pytest.param(
        page(
            f'As <a href="{OTHER}">the pier<br>did</a> in April, it may fall in another storm, the'
            " divers say.<br>Nobody knows when."
        ),
        [("text", OTHER, "the pier did", 3)],
        id="a link of two lines",
    ),
    pytest.param(
        page()
        .replace("<p>", "")
        .replace("</p>", f' <a href="{OTHER}">See</a>.\n')
        .replace("</h1>", "</h1><pre>")
        .replace("</article>", "</pre></article>"),
        [("text", OTHER, "See", number) for number in (1, 2, 3)],
        id="links in lines of preformatted text",
    ),
    pytest.param(
        page(
            f'As <a href="{OTHER}">the pier did</a> in April, it may fall in another storm.',
            head='<base href="javascript:void(0)">',
        ),
        [("text", OTHER, "the pier did", 3)],
        id="a base that is no address",
    ),
    pytest.param(
        page(f'ALSO READ: <a href="{OTHER}">Pier falls after the long storm</a>'),
        [("text", OTHER, "Pier falls after the long storm", None)],
        id="a single announced link",
    ),
    pytest.param(
        page(f'<a href="{OTHER}">Jo Varn: Why the pier had to fall</a>'),
        [("text", OTHER, "Jo Varn: Why the pier had to fall", None)],
        id="a linked line",
    ),
    pytest.param(
        page(
            'Write to <a href="mailto:a@b.example">us</a>, <a href="#top">go up</a>, '
            f'<a href="{URL}#part">read on</a>, <a href="javascript:share()">share</a> or '
            '<a href="tel:1">call</a> the newsroom, which is open until midnight.'
        ),
        [],
        id="links to no other page",
    ),
    pytest.param(
        page(
            'Share it on <a href="https://www.facebook.com/sharer.php?u=x">this network</a>, follow'
            ' us on <a href="https://www.instagram.com/courier/">Instagram</a>, or get the app for'
            ' <a href="https://apps.apple.com/app/id1">iOS</a> and read the Courier everywhere.'
        ),
        [],
        id="buttons within a text",
    ),
    pytest.param(
        page(
            'The minister said on <a href="https://www.instagram.com/p/abc/">Instagram</a> that the'
            " wall would be mended before the summer."
        ),
        [("text", "https://www.instagram.com/p/abc/", "Instagram", 3)],
        id="a post that is cited",
    ),
    pytest.param(
        page(
            below=f'<h2>Related</h2><ul><li><a href="{OTHER}">Pier falls after storm</a></li>'
            f'<li><a href="{NEXT}">Ferry waits for the pilot</a></li></ul>'
        ),
        [
            ("related", OTHER, "Pier falls after storm", None),
            ("related", NEXT, "Ferry waits for the pilot", None),
        ],
        id="a related list",
    ),
    pytest.param(
        page(
            f'As <a href="{OTHER}">the pier did</a> in April, it may fall in another storm.',
            below=f'<h2>Related</h2><ul><li><a href="{OTHER}">Pier falls after storm</a></li></ul>',
        ),
        [
            ("text", OTHER, "the pier did", 3),
            ("related", OTHER, "Pier falls after storm", None),
        ],
        id="an article that is cited and listed",
    ),
    pytest.param(
        page(
            below='<p>Tags: <a href="/tag/harbour/">harbour</a> <a href="/tag/divers/">divers</a>'
        ),
        [("tag", "/tag/harbour/", "harbour", None), ("tag", "/tag/divers/", "divers", None)],
        id="tags",
    ),
    pytest.param(
        page(
            head='<meta name="keywords" content="harbour, wall">',
            below='<ul class="tag-list"><li><a href="/t/harbour/" rel="tag">harbour</a></li></ul>',
        ),
        [("tag", "/t/harbour/", "harbour", None)],
        id="links to tags that the head declares",
    ),
    pytest.param(
        page(
            above='<div class="breadcrumbs"><a href="/">Home</a> <a href="/city/">City</a>'
            ' <a href="/city/port/">Port</a></div>'
        ),
        [("section", "/city/", "City", None), ("section", "/city/port/", "Port", None)],
        id="breadcrumbs without the home page",
    ),
    pytest.param(
        page(
            above='<nav class="path" aria-label="Breadcrumb"><a href="/">Courier</a>'
            ' <a href="/city/">City</a></nav>'
        ),
        [("section", "/city/", "City", None)],
        id="breadcrumbs that only their label names",
    ),
    pytest.param(
        page(
            above='<ol class="path" itemtype="https://schema.org/BreadcrumbList">'
            '<li><a href="/city/">City</a></li></ol>'
        ),
        [("section", "/city/", "City", None)],
        id="breadcrumbs in microdata",
    ),
    pytest.param(
        page(
            head='<meta property="article:section" content="City">',
            above='<p><a href="/city/">CITY</a></p>',
        ),
        [("section", "/city/", "CITY", None)],
        id="a kicker",
    ),
    pytest.param(
        page(
            head='<script type="application/ld+json">{"@type": "BreadcrumbList", "itemListElement":'
            ' [{"name": "Home", "item": "/"}, {"name": "City", "item": {"@id": "/city/"}}, {"name":'
            f' "Divers examine the harbour wall", "item": "{URL}"}}]}}</script>'
        ),
        [("section", "/city/", "City", None)],
        id="breadcrumbs that only JSON-LD has",
    ),
    pytest.param(
        page(head='<meta property="article:section" content="World">'),
        [],
        id="a section that only the menu links to",
    ),
    pytest.param(
        page().replace("</h1>", '</h1><p class="byline">By <a href="/authors/jo/">Jo Varn</a></p>'),
        [("author", "/authors/jo/", "Jo Varn", None)],
        id="an author",
    ),
    pytest.param(
        page(
            head=f'<link rel="alternate" hreflang="en" href="{URL}"><link rel="alternate"'
            f' hreflang="fr" href="/fr{OTHER}"><link rel="alternate" hreflang="x-default"'
            f' href="/fr{OTHER}"><link rel="amphtml" href="{URL}amp/">'
        ),
        [("translation", f"/fr{OTHER}", None, None)],
        id="a translation, once, and neither the page nor its AMP version",
    ),
    pytest.param(
        page(
            "<span>Filed under</span> <a href='/c/port/' rel='category tag'>Port</a> by"
            " <a href='/by/jo/' rel='author'>Jo</a> on a rainy Tuesday in the harbour office."
        ),
        [("section", "/c/port/", "Port", None), ("author", "/by/jo/", "Jo", None)],
        id="links that WordPress marks",
    ),
    pytest.param(
        page(below=f'<div class="promo"><a href="{OTHER}">Subscribe now</a></div>'),
        [],
        id="an offer below the text",
    ),
]


@pytest.mark.parametrize(("source", "expected"), ROLES)
def test_roles(source: str, expected: list[tuple[str, str | None, str | None, int | None]]) -> None:
    assert seen(source) == expected


def test_page_order() -> None:
    source = page(
        f'As <a href="{OTHER}">the pier did</a> in April, it may fall in another storm.',
        head=f'<link rel="alternate" hreflang="fr" href="/fr{OTHER}">',
        above='<nav class="breadcrumb"><a href="/city/">City</a></nav>',
        below=f'<h2>Related</h2><ul><li><a href="{NEXT}">Ferry waits for the pilot</a></li>'
        f'<li><a href="{THIRD}">Crane leans over the quay</a></li></ul>'
        '<p>Tags: <a href="/tag/harbour/">harbour</a></p>',
    )
    roles = ["translation", "section", "text", "related", "related", "tag"]
    assert [role for role, *_ in seen(source)] == roles


def test_link_types_and_ids() -> None:
    """Links have the link types of the page, and the ids by which a crawl knows their targets."""
    source = page(
        f'The <a rel="noopener nofollow ugc" href="{OTHER}?utm_source=x">pier</a> fell, says a'
        ' <a rel="sponsored" href="//m.Wire.example/a/?fbclid=1">wire</a>, and nobody was hurt.'
    )
    own, foreign = read(source).links or ()
    assert own.url == f"{HOST}{OTHER}?utm_source=x"
    assert own.id == "courier.example/2026/04/28/pier-falls-after-storm"
    assert own.internal is True and own.rel == ("nofollow", "ugc")
    assert foreign.url == "https://m.Wire.example/a/?fbclid=1"
    assert foreign.id == "wire.example/a" and foreign.internal is False
    assert foreign.rel == ("sponsored",)


def test_paragraphs_that_json_declares() -> None:
    """The text is that of the page's own JSON; its links are those of the same paragraphs shown."""
    shown = f'As <a href="{OTHER}">the pier did</a> in April, it may fall in another storm.'
    texts = [*TEXT, "As the pier did in April, it may fall in another storm."] * 3
    body = "\n".join(f"{text} ({number})" for number, text in enumerate(texts))
    declared = json.dumps({"@type": "NewsArticle", "articleBody": body})
    source = page(
        *(f"{shown} ({number})" for number in (3, 7, 11)),
        head=f'<script type="application/ld+json">{declared}</script>',
    )
    record = read(source)
    paragraphs = (record.body or "").split("\n\n")
    for link in record.links or ():
        assert link.paragraph is not None and (link.text or "-") in paragraphs[link.paragraph - 1]


def test_a_headline_in_an_element_of_another_program() -> None:
    """Word pastes elements whose names have a prefix."""
    title = "Divers examine the harbour wall"
    source = page(below='<ul class="tags"><li><a href="/t/1" rel="tag">harbour</a></li></ul>')
    record = read(source.replace(f"<h1>{title}</h1>", f"<h1><o:p>{title}</o:p></h1>"))
    assert record.headline == title
    assert [(link.role, link.text) for link in record.links or ()] == [("tag", "harbour")]


def test_leaked_items_are_links() -> None:
    record = extract(Path("tests/site/1752038.html").read_bytes(), url="http://en.alalam.ir/news/1")
    assert isinstance(record, PageRecord) and record.related and record.links
    leaked = [link for link in record.links if link.role == "related"]
    assert [(item.id, item.url, item.headline_raw) for item in record.related] == [
        (link.id, link.url, link.text) for link in leaked
    ]
    assert {link.where for link in leaked} == {"var_dump of a JSON string"}


PAGES = sorted(Path("tests/pages").glob("*.html"))


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.stem)
def test_links_agree_with_the_other_fields(file: Path) -> None:
    """Whatever the page, its links hold the addresses of its other fields."""
    url = f"{HOST}/2026/05/01/some-story/"
    record = page_record(parse(file.read_bytes(), url=url), publisher_at(url))
    links = record.links or ()
    related = [(link.id, link.url, link.text) for link in links if link.role == "related"]
    items = [item for item in record.related or () if item.id is not None]
    assert related == [(item.id, item.url, item.headline_raw) for item in items]
    addresses = {(link.role, link.url) for link in links} | {("translation", url)}
    for author in record.authors or ():
        assert author.url is None or ("author", author.url) in addresses
    for other in record.alternates or ():
        assert other.kind == "amp" or ("translation", other.url) in addresses
    paragraphs = (record.body or "").split("\n\n")
    for link in links:
        assert link.id is not None
        if link.paragraph is not None:
            assert link.role == "text" and link.text is not None
            assert link.text in paragraphs[link.paragraph - 1]


def test_a_text_without_its_page_has_no_links() -> None:
    text = "\n\n".join(("Divers examine the harbour wall", "1 May 2026", *TEXT)).encode()
    parsed = parse(text, url=URL, publisher=publisher_at(URL), is_text=True)
    assert parsed.links == ()
    record = extract(text, url=URL)
    assert isinstance(record, PageRecord)
    assert record.links is None and "links" in record.missing


def test_a_text_with_a_leaked_list_says_nothing_about_other_links() -> None:
    """Otherwise, the links in the text would be gone each time that only the text is read."""
    text = Path("tests/leaks/001_seed_txt_end.txt").read_bytes()
    record = page_record(parse(text, is_text=True), None)
    assert record.related and record.links is None


def test_a_page_of_many_links() -> None:
    """A page that was built to be slow to read has all of its links, in order."""
    names = [f"story number {n}" for n in range(3_000)]
    linked = [f'<a href="/2026/04/{name.replace(" ", "-")}">{name}</a>' for name in names]
    paragraphs = [
        f"The divers also remember {', '.join(linked[n : n + 3])} and the flood of last year."
        for n in range(0, 3_000, 3)
    ]
    links = read(page(*paragraphs)).links or ()
    assert [link.text for link in links] == names
    assert [link.paragraph for link in links] == [3 + n // 3 for n in range(3_000)]


def test_links_pass_between_processes() -> None:
    source = page(f'As <a href="{OTHER}">the pier did</a> in April, it may fall in another storm.')
    parsed = parse(source.encode(), url=URL)
    assert parsed.links and pickle.loads(pickle.dumps(parsed)).links == parsed.links

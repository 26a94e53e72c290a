"""The fields of records that a page declares, such as its description, section and tags."""

import json
from typing import Any

import pytest

from crawler.extraction.api import PageRecord, extract

URL = "https://www.courier.example/2026/05/01/quay-fire/"
TEXT = (
    "The port authority of Velmora said on Tuesday that all four cranes on the eastern quay had"
    " stopped working after a fire in a transformer hall.",
    "Insurers put the damage at about nine million crowns, and the dockers' union asked that its"
    " members be paid for the lost days.",
)


def read(head: str = "", *, before: str = "", after: str = "", lang: str = "en") -> PageRecord:
    text = "".join(f"<p>{paragraph}</p>" for paragraph in TEXT)
    page = f"""<!DOCTYPE html><html lang="{lang}"><head><meta charset="utf-8">
        <title>Fire stops all cranes on the eastern quay | The Sarn Courier</title>
        <meta property="og:site_name" content="The Sarn Courier">{head}</head><body>
        <header><nav><a href="/world">World</a> <a href="/topics">Topics</a></nav></header>
        <main><h1>Fire stops all cranes on the eastern quay</h1>{before}{text}{after}</main>
        <footer><p>© The Sarn Courier</p></footer></body></html>"""
    record = extract(page.encode(), url=URL)
    assert isinstance(record, PageRecord)
    return record


def ld(**values: Any) -> str:
    article = {"@context": "https://schema.org", "@type": "NewsArticle"}
    article |= {"headline": "Fire stops all cranes on the eastern quay"}
    return script(article | values)


def script(value: Any) -> str:
    return f'<script type="application/ld+json">{json.dumps(value)}</script>'


def meta(name: str, *contents: str) -> str:
    return "".join(f'<meta property="{name}" content="{content}">' for content in contents)


def breadcrumbs(*crumbs: tuple[str, str]) -> str:
    entries = [
        {"@type": "ListItem", "position": place, "name": name, "item": address}
        for place, (name, address) in enumerate(crumbs, start=1)
    ]
    return script({"@type": "BreadcrumbList", "itemListElement": entries})


HOME, WORLD, OWN = ("Home", "https://www.courier.example/"), ("World", "/world/"), ("Fire", URL)

SECTIONS = [
    (ld(articleSection="World"), "World", "JSON-LD articleSection"),
    (ld(articleSection=["World", "Ports"]), "World", "JSON-LD articleSection"),
    (ld(articleSection=[{"@type": "Thing", "name": "World"}]), "World", "JSON-LD articleSection"),
    (ld(articleSection="Arts &amp; Books"), "Arts & Books", "JSON-LD articleSection"),
    (meta("article:section", "World"), "World", "meta article:section"),
    (meta("og:section", "- World"), "World", "meta og:section"),
    (meta("article:section", "«World»"), "«World»", "meta article:section"),
    (
        meta("article:section", "") + meta("parsely-section", "World"),
        "World",
        "meta parsely-section",
    ),
    # Names of files, the site and the article are no sections.
    (meta("article:section", "news_news"), None, None),
    (meta("article:section", "The Sarn Courier"), None, None),
    (meta("article:section", "Courier"), None, None),
    (ld(articleSection="Fire stops all cranes on the eastern quay"), None, None),
    (meta("category", "365"), None, None),
    (breadcrumbs(HOME, ("Article", "/articles"), WORLD, OWN), "World", "JSON-LD breadcrumbs"),
    (ld(articleSection=7), None, None),
    (breadcrumbs(HOME, WORLD, OWN), "World", "JSON-LD breadcrumbs"),
    (breadcrumbs(("Startseite", "/start"), WORLD, OWN), "World", "JSON-LD breadcrumbs"),
    (breadcrumbs(HOME, WORLD), "World", "JSON-LD breadcrumbs"),
    (breadcrumbs(HOME, WORLD, ("Fire at the quay", "")), "World", "JSON-LD breadcrumbs"),
    (
        breadcrumbs(HOME, ("Sport", "https://sport.courier.example/"), OWN),
        "Sport",
        "JSON-LD breadcrumbs",
    ),
    (breadcrumbs(WORLD), None, None),
    (breadcrumbs(HOME, OWN), None, None),
    (script({"@type": "BreadcrumbList", "itemListElement": [3, {"item": [1]}, None]}), None, None),
    ("", None, None),
]


@pytest.mark.parametrize(("head", "section", "where"), SECTIONS)
def test_section(head: str, section: str | None, where: str | None) -> None:
    record = read(head)
    assert record.section == section
    assert ("section" in record.missing) == (section is None)
    assert where == (record.provenance["section"].where if section else None)


TAGS = [
    (meta("article:tag", "Ports", "Velmora"), "", ("Ports", "Velmora")),
    (meta("keywords", "Ports, Velmora , velmora,"), "", ("Ports", "Velmora")),
    (meta("keywords", "Ports; Velmora, east"), "", ("Ports; Velmora", "east")),
    (meta("news_keywords", "Velmora;Ports"), "", ("Velmora", "Ports")),
    (meta("keywords", "港口、Velmora"), "", ("港口", "Velmora")),
    (ld(keywords=["Ports", "Velmora, east"]), "", ("Ports", "Velmora, east")),
    (ld(keywords="Ports, Velmora"), "", ("Ports", "Velmora")),
    (ld(keywords=[{"@type": "DefinedTerm", "name": "Ports"}]), "", ("Ports",)),
    (ld(mentions=[{"@type": "Place", "name": "Velmora"}]), "", ("Velmora",)),
    # A slug is less than a name.
    (
        meta("sailthru.tags", "fire-brigades") + ld(keywords=["Fire brigades"]),
        "",
        ("Fire brigades",),
    ),
    # Labels of a machine.
    (
        ld(keywords=["Day: Friday", "Subject: Ports", "Subject: World", "WC: 500"]),
        "",
        ("Ports", "World"),
    ),
    (ld(keywords=["topic/ports", "location/velmora"]), "", ("ports", "velmora")),
    (ld(keywords=["Tag: Ports", "Page Type: Article", "Medium"]), "", ("Ports",)),
    (ld(keywords=["Ports", "Live: the fire"]), "", ("Ports", "Live: the fire")),
    (ld(keywords=["Rivers/Ports", "AC/DC"]), "", ("Rivers/Ports", "AC/DC")),
    (meta("article:tag", "Quays: the sequel"), "", ("Quays: the sequel",)),
    (ld(keywords="حريق، ميناء"), "", ("حريق", "ميناء")),
    (
        ld(
            keywords=["26157981-b4f7-4929-adc1-e860c6f03636", "courier.example", "12", "front_page"]
        ),
        "",
        None,
    ),
    (ld(keywords=["AER", "BLR", "GEN08", "TPT", "ASXPAC"]), "", None),
    (ld(keywords=["NATO", "EU"]), "", ("NATO", "EU")),
    # The same keywords on every page of a site.
    (meta("keywords", "news, sport, business, weather, horoscopes, recipes"), "", None),
    (meta("keywords", "The Sarn Courier, Velmora"), "", ("Velmora",)),
    # Lists on the page.
    ("", '<p>Tags: <a href="/t/1">Ports</a>, <a href="/t/2">Velmora</a></p>', ("Ports", "Velmora")),
    ("", '<h4>Themen</h4><ul><li><a href="/t/1">Ports</a></li></ul>', ("Ports",)),
    ("", '<div><div><b>Теги</b></div><div><a href="/t/1">Ports</a></div></div>', ("Ports",)),
    ("", '<ul class="post-tags"><li><a href="/t/1">#Ports</a></li></ul>', ("Ports",)),
    ("", '<p><a rel="tag nofollow" href="/t/1">Ports</a></p>', ("Ports",)),
    (
        "",
        '<header><ul class="articleTagList"><li><a href="/t/1">Ports</a></ul></header>',
        ("Ports",),
    ),
    ("", '<h3>Ähnliche Themen</h3><p><a href="/t/1">Ports</a></p>', ("Ports",)),
    ("", '<nav><ul class="tags"><li><a href="/t/1">Ports</a></ul></nav>', None),
    ("", '<div class="related"><article><a rel="tag" href="/t/1">Ports</a></article></div>', None),
    ("", '<div class="tagline"><a href="/">News you need</a></div>', None),
    ("", '<ul class="tags"></ul>', None),
    ("", f'<ul class="tags">{"<li><a href=/t>Word</a>" * 50}</ul>', None),
    (
        "",
        '<article><footer><a rel="tag" href="/t/1">Ports</a></footer></article>',
        ("Ports",),
    ),
    # Those of the site.
    ("", '<aside><a rel="tag" href="/t/1">Ports</a></aside>', None),
    ("", '</main><aside><a rel="tag" href="/t/1">Ports</a></aside>', None),
    ("", '</main><aside><h3>Tags</h3><a href="/t/1">Ports</a></aside>', None),
]


@pytest.mark.parametrize(("head", "after", "tags"), TAGS)
def test_tags(head: str, after: str, tags: tuple[str, ...] | None) -> None:
    record = read(head, after=after)
    assert record.tags == tags
    assert ("tags" in record.missing) == (tags is None)
    assert record.body == "\n\n".join(TEXT)


def test_tags_above_the_headline_are_those_of_the_site_unless_in_the_article() -> None:
    tags = '<ul class="topics"><li><a href="/t/1">Ports</a></li></ul>'
    text = "".join(f"<p>{paragraph}</p>" for paragraph in TEXT)
    title = "<h1>Fire stops all cranes</h1>"
    for page, expected in (
        (f"{tags}<article>{title}{text}</article>", None),
        (f"{tags}<div><b>Fire stops all cranes</b></div>{text}", None),
        (f"<article>{tags}{title}{text}</article>", ("Ports",)),
        (f"<div><b>Fire stops all cranes</b></div>{text}{tags}", ("Ports",)),
    ):
        record = extract(page.encode(), url=URL)
        assert isinstance(record, PageRecord)
        assert record.tags == expected


SUMMARY = "Four cranes stand still. Three freighters wait."
DESCRIPTIONS = [
    (ld(description=SUMMARY), SUMMARY),
    (meta("description", "The Sarn Courier"), None),
    (ld(description=f"<p>{SUMMARY}</p>"), SUMMARY),
    (meta("og:description", SUMMARY), SUMMARY),
    ('<meta name="Description" content="Four cranes &amp;amp; a fire.">', "Four cranes & a fire."),
    (meta("og:description", "Four cranes stand…") + meta("description", SUMMARY), SUMMARY),
    (meta("og:description", "Four cranes ...") + meta("description", "Four…"), "Four cranes ..."),
    (ld(description="Fire stops all cranes on the eastern quay"), None),
    # What the site says of itself.
    (script({"@type": "WebSite", "description": SUMMARY}) + meta("description", SUMMARY), None),
    (ld(description="Words. " * 400), None),
    (ld(description={"text": SUMMARY}), None),
    ("", None),
]


@pytest.mark.parametrize(("head", "description"), DESCRIPTIONS)
def test_description(head: str, description: str | None) -> None:
    assert read(head).description == description


FREE = [
    (ld(isAccessibleForFree=True), True),
    (ld(isAccessibleForFree=False), False),
    (ld(isAccessibleForFree="False"), False),
    (ld(isAccessibleForFree="http://schema.org/True"), True),
    (ld(hasPart={"@type": "WebPageElement", "isAccessibleForFree": "False"}), False),
    (ld(hasPart=[{"@type": "WebPageElement", "isAccessibleForFree": True}]), None),
    (ld(hasPart=[{"isAccessibleForFree": True}, {"isAccessibleForFree": False}]), False),
    (ld(isAccessibleForFree=True, hasPart=[{"isAccessibleForFree": False}]), True),
    (ld() + script({"@type": "WebPage", "isAccessibleForFree": False}), False),
    # False of the article's own node, and true of its page.
    (
        script([{"@type": "NewsArticle", "url": URL, "isAccessibleForFree": False}])
        + script([{"@type": "NewsArticle", "url": URL, "isAccessibleForFree": True}]),
        False,
    ),
    (meta("article:content_tier", "locked"), False),
    (meta("article:content_tier", "free"), True),
    (meta("article:content_tier", "metered"), None),
    (ld(isAccessibleForFree="sometimes"), None),
    ("", None),
]


@pytest.mark.parametrize(("head", "free"), FREE)
def test_access(head: str, free: bool | None) -> None:
    record = read(head)
    assert record.accessible_for_free is free
    assert ("accessible_for_free" in record.missing) == (free is None)


def test_canonical_url_and_alternates() -> None:
    record = read(
        """<link rel="canonical" href="/2026/05/01/quay-fire/">
        <link rel="alternate" hreflang="sv" href="https://sv.courier.example/kajbrand/">
        <link rel="alternate" hreflang="x-default" href="/2026/05/01/quay-fire/">
        <link rel="alternate" type="application/rss+xml" hreflang="en" href="/feed">
        <link rel="alternate" media="handheld" href="https://m.courier.example/">
        <link rel="alternate" hreflang="fr" href="javascript:void(0)">
        <link rel="alternate" hreflang="no" href="http://no.courier.example/kai&#10;brann a&#7;">
        <link rel="amphtml" href="amp/"><link rel="amphtml" href="amp/">"""
    )
    assert record.canonical_url == URL
    assert record.alternates is not None
    assert [(a.kind, a.language, a.url) for a in record.alternates] == [
        ("language", "sv", "https://sv.courier.example/kajbrand/"),
        ("language", "x-default", URL),
        ("language", "no", "http://no.courier.example/kaibrann%20a%07"),
        ("amp", None, f"{URL}amp/"),
    ]
    assert read().alternates is None and read().canonical_url is None


MODIFIED = [
    (ld(dateModified="2026-05-02T09:00:00+02:00"), "", "2026-05-02T09:00:00+02:00"),
    (meta("article:modified_time", "2026-05-02T09:00:00Z"), "", "2026-05-02T09:00:00+00:00"),
    (meta("og:updated_time", "1777700000"), "", "2026-05-02T05:33:20+00:00"),
    (
        "",
        '<time class="updated" datetime="2026-05-02T09:00:00Z">2 May</time>',
        "2026-05-02T09:00:00+00:00",
    ),
    ("", "<p>Published 1 May 2026, updated 2 May 2026 at 09:00</p>", "2026-05-02T09:00:00"),
    ("", "<p>Mis à jour le 2 mai 2026 à 09h00</p>", "2026-05-02T09:00:00"),
    (ld(dateModified="yesterday"), "", None),
    ("", "<p>1 May 2026</p>", None),
]


@pytest.mark.parametrize(("head", "before", "modified"), MODIFIED)
def test_modified(head: str, before: str, modified: str | None) -> None:
    record = read(head, before=before)
    assert record.modified_at == modified


def test_a_time_that_is_marked_as_published_and_updated_is_when_it_was_published() -> None:
    record = read(before='<time class="published updated" datetime="2026-05-01T09h30">1 May</time>')
    assert record.published_at == "2026-05-01T09:30:00"
    assert record.modified_at is None


def test_a_change_before_the_publication_is_doubted() -> None:
    record = read(ld(datePublished="2026-05-02T09:00:00Z", dateModified="2026-05-02T08:59:00Z"))
    assert record.modified_at == "2026-05-02T08:59:00+00:00"
    assert record.provenance["modified_at"].doubt == "earlier than published_at"
    record = read(ld(datePublished="2026-05-02T09:00:00Z", dateModified="2026-05-02T09:00:00Z"))
    assert record.provenance["modified_at"].doubt is None

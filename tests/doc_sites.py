"""The hosts that the documentation names, as they are served to its commands (doc_runner.py).

- ``publisher.example`` is a small newspaper with a front page, a feed and a sitemap.
- ``gazette.example`` is another of the same kind.
- ``www.courier.example`` is a third, whose addresses have numbers, and whose times have no zone.
- ``web.archive.org`` has captures of the saved pages of tests/site, and of nothing else.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from random import Random
from urllib.parse import parse_qs, urlsplit

import made_pages
from doc_pages import ROOT
from hosted import Answer, Site
from made_pages import Entry, Story
from made_prose import make_text

_TYPES = {"html": "text/html; charset=utf-8", "xml": "application/xml", "txt": "text/plain"}
_NOT_FOUND = Answer(404, {"Content-Type": _TYPES["html"]}, made_pages.not_found())
_NEWS = "http://en.alalam.ir/news/"
_FIRST_CAPTURE = datetime(2015, 10, 23, 14, 2, 11, tzinfo=UTC)
_REPLAY = re.compile(r"/web/(?P<timestamp>[0-9]{14})id_/(?P<url>.*)")


def sites() -> dict[str, Site]:
    """Return all hosts, for ``hosted``."""
    return {
        "publisher.example": site_of(publisher_pages()),
        "gazette.example": site_of(gazette_pages()),
        "www.courier.example": site_of(courier_pages()),
        "web.archive.org": wayback_site(),
    }


def site_of(pages: Mapping[str, bytes]) -> Site:
    """Return a site that serves pages by their paths, with or without a final slash."""

    def answer(scheme: str, path: str) -> Answer:
        body = pages.get(path) or pages.get(f"{path}/")
        if body is None:
            return _NOT_FOUND
        ending = path.rpartition(".")[2]
        return Answer(200, {"Content-Type": _TYPES.get(ending, _TYPES["html"])}, body)

    return answer


@dataclass(frozen=True)
class _Article:
    path: str
    headline: str
    section: str


_PUBLISHER = "https://publisher.example"
_STORIES = (
    _Article("/2026/05/01/some-story/", "Harbour bridge reopens after two years", "politics"),
    _Article("/2026/04/30/night-buses-return/", "Night buses return to the old town", "world"),
    _Article(
        "/2026/04/29/ferry-race-cancelled/", "Ferry race cancelled, to nobody's surprise", "sport"
    ),
    _Article("/2026/04/28/wind-farm-in-doubt/", "Wind farm in doubt as costs rise", "business"),
    _Article("/2026/04/27/lighthouse-for-sale/", "Lighthouse for sale, keeper included", "culture"),
    _Article(
        "/2026/04/26/school-roof-leaks/", "School roof leaks for the third winter", "politics"
    ),
    _Article("/2026/04/25/reservoir-is-full/", "Reservoir is full again, says council", "science"),
    _Article("/2026/04/24/museum-opens-late/", "Museum opens late on Thursdays", "culture"),
)
_LISTED = 6
_RELATED = 3


def publisher_pages(newest: int = 0) -> dict[str, bytes]:
    """Return the pages of the newspaper by their paths.

    Each story lists the three before it. The front page and the feed list six, from the story with
    the number ``newest`` on.
    """
    random = Random(26)
    pages: dict[str, bytes] = {}
    for number, article in enumerate(_STORIES):
        text = make_text(random)
        earlier = [_STORIES[(number + step) % len(_STORIES)] for step in range(1, _RELATED + 1)]
        story = Story(
            headline=article.headline,
            author=Entry(text.author, "/authors/ada/"),
            paragraphs=text.paragraphs,
            published=_published(article),
            shown_date=_published(article)[:10],
            canonical=_PUBLISHER + article.path,
            section=article.section,
            tags=(Entry("Harbour", "/tag/harbour/"), Entry("Money", "/tag/money/")),
            related=tuple(Entry(other.headline, other.path) for other in earlier),
        )
        pages[article.path] = made_pages.article(story, "The Publisher")
    # The address of the content management system, which the links of feeds often have.
    pages["/?p=51200431"] = pages["/2026/04/29/ferry-race-cancelled/"]
    listed = _STORIES[newest : newest + _LISTED]
    teasers = [(Entry(article.headline, article.path), "Read on.") for article in listed]
    pages["/"] = made_pages.teaser_list("The Publisher", f"{_PUBLISHER}/", teasers).replace(
        b"<head>",
        b'<head><link rel="alternate" type="application/rss+xml" href="/feed.xml">',
    )
    items = "".join(
        f"<item><title>{escape(article.headline)}</title><link>{_PUBLISHER}{article.path}</link>"
        f"<pubDate>{format_datetime(datetime.fromisoformat(_published(article)))}</pubDate></item>"
        for article in listed
    )
    feed = f"<rss version='2.0'><channel><title>The Publisher</title>{items}</channel></rss>"
    urls = "".join(f"<url><loc>{_PUBLISHER}{article.path}</loc></url>" for article in _STORIES)
    return pages | {
        "/feed.xml": feed.encode(),
        "/sitemap.xml": (
            f"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{urls}</urlset>".encode()
        ),
        "/robots.txt": f"User-agent: *\nDisallow:\nSitemap: {_PUBLISHER}/sitemap.xml\n".encode(),
    }


def gazette_pages() -> dict[str, bytes]:
    """Return the pages of a newspaper that publishes under the same paths."""
    return {
        path: body.replace(b"publisher.example", b"gazette.example")
        for path, body in publisher_pages().items()
    }


def _published(article: _Article) -> str:
    year, month, day = article.path.split("/")[1:4]
    return f"{year}-{month}-{day}T18:05:00+02:00"


_COURIER = "https://www.courier.example"
_COURIER_STORIES = {
    "/politics/harbour-bridge-reopens-51200417": "Harbour bridge reopens after two years",
    "/world/night-buses-return-51200423": "Night buses return to the old town",
    "/sport/ferry-race-cancelled-51200431": "Ferry race cancelled, to nobody's surprise",
    "/world/wind-farm-in-doubt-51200446": "Wind farm in doubt as costs rise",
}


def courier_pages() -> dict[str, bytes]:
    random = Random(17)
    pages: dict[str, bytes] = {}
    for number, (path, headline) in enumerate(_COURIER_STORIES.items(), 1):
        text = make_text(random)
        related = [Entry(name, other) for other, name in _COURIER_STORIES.items() if other != path]
        story = Story(
            headline=headline,
            author=Entry(text.author, "/author/somebody"),
            paragraphs=text.paragraphs,
            published=f"2026-05-0{number}T18:05:00",
            shown_date=f"{number} May 2026, 18:05",
            canonical=_COURIER + path,
            section=path.split("/")[1],
            tags=(Entry("Harbour", "/tag/harbour-51200001"), Entry("Money", "/tag/money-51200002")),
            related=(*related, Entry("The Herald", "https://herald.example/2026/05/01/a-comment")),
        )
        pages[path] = made_pages.article(story, "The Courier").replace(
            b"<head>", b'<head><meta property="og:site_name" content="The Courier">'
        )
    return pages


def wayback_site() -> Site:
    """An archive with the interface of the Wayback Machine: one capture of each saved page."""
    pages = {}
    for number, path in enumerate(sorted((ROOT / "tests" / "site").glob("*.html"))):
        at = _FIRST_CAPTURE + timedelta(hours=number)
        pages[f"{_NEWS}{path.stem}"] = (f"{at:%Y%m%d%H%M%S}", at, path.read_bytes())

    def answer(scheme: str, path: str) -> Answer:
        if path.startswith("/cdx/search/cdx?"):
            url = parse_qs(urlsplit(path).query)["url"][0]
            rows = [["timestamp", "original", "mimetype", "statuscode", "digest"]]
            if url in pages:
                rows.append([pages[url][0], url, "text/html", "200", "-"])
            return Answer(200, {"Content-Type": "application/json"}, json.dumps(rows).encode())
        replay = _REPLAY.fullmatch(path)
        if replay is None or replay["url"] not in pages:
            return _NOT_FOUND
        _, at, body = pages[replay["url"]]
        # The page declares its own encoding.
        moment = format_datetime(at, usegmt=True)
        return Answer(200, {"Content-Type": "text/html", "Memento-Datetime": moment}, body)

    return answer

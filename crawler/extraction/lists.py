"""Reads lists of articles: feeds, sitemaps, and front pages or section pages.

Takes the bytes of a response; returns the entries of the list, each with the title and the date
that the list gives, and the addresses of further lists. The content decides which kind of list it
is: RSS, RDF, Atom, JSON Feed 1, a sitemap (sitemaps.org, also with Google's news extension, gzip or
plain text), a sitemap index, or HTML. Pure: no I/O. Nothing makes it raise an error; what is wrong
with a list is its ``fault``.
"""

from __future__ import annotations

import json
import re
import zlib
from calendar import timegm
from datetime import UTC, date, datetime
from html import unescape
from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from crawler.extraction.addresses import absolute_url
from crawler.extraction.article_urls import day_in
from crawler.extraction.page import dates
from crawler.extraction.page.encoding import decode
from crawler.extraction.page.text import all_text, collapse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

PAGE, FEED, SITEMAP, INDEX = "page", "feed", "sitemap", "sitemap index"
MOST_ENTRIES = 50_000
"""The most entries of a sitemap (sitemaps.org). The rest of a longer list is left out."""
MOST_BYTES = 50 * 1024 * 1024
"""The largest sitemap, unpacked (sitemaps.org)."""
_GZIP = b"\x1f\x8b"
_XML_ROOT = re.compile(rb"<(?:\w{1,20}:)?(rss|feed|rdf|urlset|sitemapindex)[\s>/]", re.IGNORECASE)
_HTML = re.compile(rb"<(?:!doctype\s{1,9}html|html|head|body)\b", re.IGNORECASE)
_URL_LINE = re.compile(rb"https?://\S+\s*$")
_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json")
_TAG = re.compile(r"<[^>]{1,1000}>")
_COMMENTS = re.compile(r"comment|kommentar|commentaire|comentario", re.IGNORECASE)
_START_BYTES = 10_000
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
# Pages with more links are not lists for people.
_MOST_LINKS = 10_000
_LONGEST_TITLE = 1000


class Entry(NamedTuple):
    """One article in a list.

    ``at`` is when it was published, or changed if the list says no more (``is_change``).
    """

    url: str
    title: str | None = None
    at: datetime | None = None
    is_change: bool = False

    @property
    def day(self) -> date | None:
        """The day of the article: the one that the list states, else the one in its address."""
        return self.at.date() if self.at is not None else self.published_on

    @property
    def published_on(self) -> date | None:
        """The day when it was published, if the list or its address says so."""
        if self.at is not None and not self.is_change:
            return self.at.date()
        return day_in(self.url)


class ArticleList(NamedTuple):
    """A list of articles.

    ``lists`` are the addresses of the sitemaps in a sitemap index, with the days of their last
    changes, or the feeds that a page declares. ``left_out`` is the number of entries beyond
    ``MOST_ENTRIES``, and ``without_address`` that of entries that lead to no web page.
    """

    kind: str
    entries: tuple[Entry, ...] = ()
    lists: tuple[Entry, ...] = ()
    fault: str | None = None
    left_out: int = 0
    without_address: int = 0


def is_page(body: bytes) -> bool:
    """Return whether a response is neither a feed nor a sitemap, judging by its first bytes."""
    start = _start(body)
    return not (start.startswith((_GZIP, b"{")) or _root(start) or _URL_LINE.match(_line(start)))


def read_list(body: bytes, url: str, charset: str | None = None) -> ArticleList:
    """Read a list that was found at a URL, against which relative addresses are resolved."""
    if body.startswith(_GZIP):
        unpacked, fault = _unpacked(body)
        if is_page(unpacked) or unpacked.startswith(_GZIP):
            return ArticleList(SITEMAP, fault=fault or "it is gzip, but no feed and no sitemap")
        found = read_list(unpacked, url, charset)
        return found._replace(fault=fault or found.fault)
    start = _start(body)
    if start.startswith(b"{"):
        found = _json_feed(body)
    elif name := _root(start):
        is_sitemap = name in ("urlset", "sitemapindex")
        found = _sitemap(body, name) if is_sitemap else _feed(body, url, charset)
    elif _URL_LINE.match(_line(start)):
        lines = decode(body, charset).text.split()
        found = ArticleList(SITEMAP, tuple(Entry(line) for line in lines))
    else:
        found = _page(body, url, charset)
    return _cleaned(found, url)


def _start(body: bytes) -> bytes:
    """Return the beginning of a response, without a byte order mark and white space."""
    start = body[:_START_BYTES]
    if start.startswith(_UTF_16):
        return start.decode("utf-16", "replace").encode("utf-8", "replace").lstrip()
    return start.removeprefix(b"\xef\xbb\xbf").lstrip()


def _root(start: bytes) -> str | None:
    """Return the name of the root of a feed or a sitemap; None for any other document."""
    root = _XML_ROOT.search(start)
    if root is None or _HTML.search(start, 0, root.start()):
        return None
    return root[1].decode().lower()


def _line(text: bytes) -> bytes:
    return text.partition(b"\n")[0]


def _unpacked(body: bytes) -> tuple[bytes, str | None]:
    """Return the readable contents of a gzip file, and its fault if it is not whole."""
    data = b""
    while body.startswith(_GZIP):
        decoder = zlib.decompressobj(16 + zlib.MAX_WBITS)
        try:
            data += decoder.decompress(body, MOST_BYTES - len(data) + 1)
        except zlib.error as error:
            return data, f"its gzip is damaged ({error})"
        if len(data) > MOST_BYTES:
            return data[:MOST_BYTES], f"it unpacks to over {MOST_BYTES:,} bytes"
        if not decoder.eof:
            return data, "its gzip is cut off"
        # A file may have several members (RFC 1952, 2.2).
        body = decoder.unused_data
    return data, None


def _cleaned(found: ArticleList, url: str) -> ArticleList:
    """Return a list with absolute addresses, each once, and at most ``MOST_ENTRIES``."""
    entries: dict[str, Entry] = {}
    without_address = 0
    for entry in found.entries:
        link = entry.url.strip()
        address = (link and absolute_url(link, url)) or ""
        address = address.partition("#")[0]
        if not is_on_web(address):
            without_address += 1
            continue
        known = entries.get(address)
        title = collapse(unescape(_TAG.sub(" ", entry.title))) if entry.title else None
        if known is None:
            entries[address] = entry._replace(url=address, title=title or None)
        elif title and len(title) > len(known.title or ""):
            # A page often links a picture and a headline to the same article.
            entries[address] = known._replace(title=title)
    kept = tuple(entries.values())[:MOST_ENTRIES]
    lists = [
        entry._replace(url=absolute_url(entry.url.strip(), url) or "") for entry in found.lists
    ]
    on_web = tuple(entry for entry in lists if is_on_web(entry.url))
    without_address += len(lists) - len(on_web)
    left_out = found.left_out + len(entries) - len(kept)
    return found._replace(
        entries=kept, lists=on_web, left_out=left_out, without_address=without_address
    )


def _feed(body: bytes, url: str, charset: str | None) -> ArticleList:
    import feedparser

    content_type = f"application/xml; charset={charset}" if charset else "application/xml"
    headers = {"content-location": url, "content-type": content_type}
    feed = feedparser.parse(
        BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
    )
    entries = [
        Entry(
            entry.get("feedburner_origlink") or entry.get("link") or "",
            entry.get("title"),
            _time_of(entry),
            not entry.get("published_parsed"),
        )
        for entry in feed.entries
    ]
    # feedparser also complains of declared encodings, which it corrects, and of entities.
    fault = _malformed(body) if feed.bozo else None
    return ArticleList(FEED, tuple(entries), fault=fault)


def _malformed(body: bytes) -> str | None:
    """Return the fault of an XML document; None if it is well-formed."""
    from lxml import etree

    try:
        etree.fromstring(body, etree.XMLParser(resolve_entities=False))
    except etree.XMLSyntaxError as error:
        return f"its XML is malformed ({_first_line(error)})"
    return None


def _time_of(entry: Any) -> datetime | None:
    parsed = entry.get("published_parsed") or entry.get("updated_parsed")
    try:
        return datetime.fromtimestamp(timegm(parsed), UTC) if parsed else None
    except (ValueError, OverflowError):
        return None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _json_feed(body: bytes) -> ArticleList:
    """Read a JSON Feed (jsonfeed.org, versions 1 and 1.1)."""
    try:
        feed = json.loads(body)
    except (ValueError, RecursionError) as error:
        return ArticleList(FEED, fault=f"its JSON is malformed ({error})")
    items = feed.get("items")
    if not isinstance(items, list):
        return ArticleList(FEED, fault="it is JSON, but no JSON Feed: it has no items")
    entries = []
    for item in items:
        link = item.get("url") or item.get("external_url") if isinstance(item, dict) else None
        if not isinstance(link, str):
            entries.append(Entry(""))
            continue
        at = _moment(item.get("date_published") or item.get("date_modified"))
        title = item.get("title")
        title = title if isinstance(title, str) else None
        entries.append(Entry(link, title, at, not item.get("date_published")))
    return ArticleList(FEED, tuple(entries))


def _sitemap(body: bytes, root: str) -> ArticleList:
    """Read a sitemap or a sitemap index, as far as its XML is well-formed.

    Scrapy's own reader drops the titles and dates of the news extension.
    """
    from lxml import etree

    entries: list[Entry] = []
    fault, left_out = None, 0
    wanted = ("{*}url", "{*}sitemap")
    try:
        for _, element in etree.iterparse(BytesIO(body), tag=wanted, resolve_entities=False):
            # Other extensions have addresses and titles of pictures and videos.
            news = [child for one in element if _local_name(one) == "news" for child in one]
            values = {_local_name(child): (child.text or "").strip() for child in (*news, *element)}
            if address := values.get("loc"):
                when = values.get("publication_date") or values.get("lastmod")
                if len(entries) < MOST_ENTRIES:
                    is_change = "publication_date" not in values
                    title = values.get("title") or None
                    entries.append(Entry(address, title, _moment(when), is_change))
                else:
                    left_out += 1
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    except etree.XMLSyntaxError as error:
        fault = f"its XML is malformed ({_first_line(error)})"
    if root == "sitemapindex":
        return ArticleList(INDEX, lists=tuple(entries), fault=fault, left_out=left_out)
    return ArticleList(SITEMAP, tuple(entries), fault=fault, left_out=left_out)


def _local_name(element: Any) -> str:
    """Return the name of an element without its namespace or an undeclared prefix."""
    return str(element.tag).rpartition("}")[2].rpartition(":")[2]


def _moment(text: object) -> datetime | None:
    """Return a date and time of the W3C profile of ISO 8601, which need not have a time."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        found = dates.find(text)
        if found is None:
            return None
        moment = datetime.fromisoformat(found.isoformat(None))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _page(body: bytes, url: str, charset: str | None) -> ArticleList:
    """Return the links of a page in its order, with their texts, and the feeds that it declares."""
    from parsel import Selector

    text = decode(body, charset).text
    root = Selector(text=text or " ", type="html").root
    href = next((base.get("href") for base in root.iter("base")), None)
    base = (href and absolute_url(href.strip(), url)) or url
    links = [link for link in islice(root.iter("a"), _MOST_LINKS) if link.get("href")]
    entries = [
        Entry(absolute_url(link.get("href").strip(), base) or "", all_text(link, _LONGEST_TITLE))
        for link in links
    ]
    feeds = [
        Entry(absolute_url(link.get("href").strip(), base) or "", link.get("title"))
        for link in root.iter("link")
        if link.get("href")
        and "alternate" in (link.get("rel") or "").lower().split()
        and (link.get("type") or "").lower().strip() in _FEED_TYPES
    ]
    feeds = [one for one in feeds if one.url and not _COMMENTS.search(f"{one.title} {one.url}")]
    return ArticleList(PAGE, tuple(entries), tuple(feeds))


def is_on_web(url: str) -> bool:
    """Return whether an absolute URL is of http or https."""
    return url.startswith(("http://", "https://"))


def sitemaps_in_robots(text: str, url: str) -> Iterator[str]:
    """Yield the URLs of sitemaps in a robots.txt at a URL (sitemaps.org, protocol, "Sitemap:")."""
    for line in text.splitlines():
        name, _, value = line.partition(":")
        sitemap = absolute_url(value.strip(), url) if value.strip() else None
        if name.strip().lower() == "sitemap" and sitemap and is_on_web(sitemap):
            yield sitemap

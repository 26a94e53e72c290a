"""Writes an Atom feed (RFC 4287) of the newest and the changed articles.

Each article has one entry: its latest revision. The id of the entry never changes, and its
``updated`` is the time of the fetch that found the revision, so feed readers show a changed article
again. Its categories of the scheme ``CHANGED`` name the fields that have changed.
"""

from __future__ import annotations

import heapq
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from lxml import etree

from crawler.export.tables import instant_of
from crawler.extraction.page.text import without_controls

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import IO

    from crawler.export.corpus import Copies, Corpus
    from crawler.items import Article

MOST_ENTRIES = 200
"""The articles that a feed has at most, the latest fetched first."""
CHANGED = "urn:x-neighbourhood-crawler:changed"
"""The scheme of the categories whose terms are the fields that have changed."""

_ATOM = "http://www.w3.org/2005/Atom"
_DEFAULT_NAMESPACE: Any = {None: _ATOM}  # lxml-stubs does not allow None
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
# Characters that RFC 3987 excludes from IRIs.
_NOT_IN_IRIS = re.compile(r'[\x00-\x20<>"{}|\\^`\x7f-\x9f]')


def write_atom(corpus: Corpus, file: IO[bytes], copies: Copies | None) -> int:
    """Write the feed; return the number of its entries.

    Near copies of an article are links with ``rel="related"``, if their addresses are known.
    """
    copies = copies or {}
    seed_sites = set()
    urls: dict[str, str | None] = {}

    def noted() -> Iterator[Article]:
        for article in corpus.articles():
            if article.depth == 0:
                seed_sites.add(article.site or "")
            if article.id in copies:
                urls[article.id] = article.url
            yield article

    newest = heapq.nlargest(MOST_ENTRIES, noted(), key=_fetched)
    feed = etree.Element("feed", nsmap=_DEFAULT_NAMESPACE)
    # A job keeps the publishers of its seeds, so its feed keeps its id.
    _add(feed, "id", _urn(f"feed {' '.join(sorted(seed_sites))}"))
    _add(feed, "title", "New and changed articles")
    updated = _fetched(newest[0]) if newest else datetime.now(UTC)
    _add(feed, "updated", updated.isoformat())
    _add(feed, "generator", "neighbourhood-crawler")
    for article in newest:
        same = [url for other in copies.get(article.id, ()) if (url := urls.get(other))]
        _add_entry(feed, article, same)
    etree.ElementTree(feed).write(file, encoding="utf-8", xml_declaration=True, pretty_print=True)
    return len(newest)


def _add_entry(feed: etree._Element, article: Article, same_texts: Iterable[str]) -> None:
    entry = _add(feed, "entry")
    if article.language:
        entry.set(_XML_LANG, article.language)
    _add(entry, "id", _entry_id(article))
    _add(entry, "title", article.headline or article.id)
    _add(entry, "updated", article.fetched_at)
    if instant_of(article.published_at):
        _add(entry, "published", article.published_at)
    if article.url:
        _add(entry, "link", rel="alternate", href=_iri(article.url))
    for url in same_texts:
        _add(entry, "link", rel="related", href=_iri(url), title="The same text")
    for author in article.authors or ():
        person = _add(entry, "author")
        _add(person, "name", author.name)
        if author.url:
            _add(person, "uri", _iri(author.url))
    if not article.authors:
        # An entry must have an author. The publisher answers for the article.
        _add(_add(entry, "author"), "name", article.site or "unknown")
    for term in dict.fromkeys(filter(None, (article.section, *(article.tags or ())))):
        _add(entry, "category", term=term)
    for field in article.changed:
        _add(entry, "category", term=field, scheme=CHANGED, label=f"changed: {field}")
    if summary := _summary(article):
        _add(entry, "summary", summary)
    if not article.url:
        # An entry must have its content if it has no page to link to.
        _add(entry, "content", article.body or "")


def _add(
    parent: etree._Element, tag: str, text: str | None = None, **attributes: str
) -> etree._Element:
    """Add an element without the characters that XML forbids."""
    cleaned = {name: without_controls(value) for name, value in attributes.items()}
    element = etree.SubElement(parent, tag, cleaned)
    element.text = text and without_controls(text)
    return element


def _summary(article: Article) -> str:
    """Return the description or the first paragraph, and the names of changed fields."""
    text = article.description or (article.body or "").partition("\n\n")[0]
    changed = f"Changed: {', '.join(article.changed)}." if article.changed else ""
    return "\n\n".join(filter(None, (text, changed)))


def _entry_id(article: Article) -> str:
    return _urn(f"{article.site} {article.id}")


def _urn(name: str) -> str:
    return uuid5(NAMESPACE_URL, without_controls(name)).urn


def _fetched(article: Article) -> datetime:
    return datetime.fromisoformat(article.fetched_at)


def _iri(url: str) -> str:
    return _NOT_IN_IRIS.sub(lambda match: quote(match[0]), without_controls(url))

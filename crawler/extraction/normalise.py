"""Turns a parsed page into the record of its article. Pure: no I/O, no clock, no Scrapy.

Takes a ``ParsedPage`` and its publisher; returns a ``PageRecord``, or a ``Refusal`` if the page is
not the article. No page makes this code raise an error.

The rules for records are in this module. A field that cannot be read is null and named in
``missing``, never an empty string and never a guess. Whatever had to be assumed is noted in
``provenance``.
"""

import re
from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urljoin, urlsplit

from crawler.extraction import language
from crawler.extraction.addresses import article_address, escaped
from crawler.extraction.credit import credit_of
from crawler.extraction.identity import identify
from crawler.extraction.page import Byline, Declared, PageLink, ParsedPage
from crawler.extraction.page.dates import Moment
from crawler.extraction.publishers import Publisher, publisher_at
from crawler.extraction.refusal import Refusal, refuse
from crawler.extraction.related import LONGEST_HEADLINE, VIDEO_FILE, related_items, target_of
from crawler.items import (
    Alternate,
    AlternateKind,
    Author,
    Link,
    Media,
    MediaKind,
    PageRecord,
    Provenance,
    RelatedItem,
)

# Where a browser that saves a page puts its pictures: "./Some headline_files/picture.jpg".
_SAVED_BESIDE = re.compile(r"(?:\./)?[^/:?#]{1,300}_files/")
_MAY_BE_MISSING = tuple(
    field.name
    for field in fields(PageRecord)
    if field.name not in ("kind", "schema", "missing", "provenance")
)


def normalise(page: ParsedPage, publisher: Publisher | None = None) -> PageRecord | Refusal:
    """Return the record of a page's article, or why it is not the article that was requested.

    The ``publisher`` is by default that of the page's registrable domain. Without a known time zone
    a local time is given without offset. Without an address, ``site`` and ``id`` are null.
    """
    publisher = publisher or publisher_at(page.url)
    return refuse(page, publisher) or page_record(page, publisher)


def page_record(page: ParsedPage, publisher: Publisher | None = None) -> PageRecord:
    """Return the record of a page, whether it is an article or not."""
    return _Normaliser(page, publisher).record()


def missing_of(values: dict[str, Any]) -> tuple[str, ...]:
    """Return the names of the fields of a ``PageRecord`` that are null."""
    return tuple(name for name in _MAY_BE_MISSING if values[name] is None)


class _Normaliser:
    """Reads one field after another and collects their provenance."""

    def __init__(self, page: ParsedPage, publisher: Publisher | None) -> None:
        self._page = page
        self._publisher = publisher
        self._provenance: dict[str, Provenance] = {}
        self._encoding_note = (
            None
            if page.encoding == "utf-8"
            else f"read as {page.encoding}, told by {page.encoding_where}"
        )

    def record(self) -> PageRecord:
        page, publisher = self._page, self._publisher
        headline, headline_raw = self._headline()
        published_at, published_raw = self._published()
        body = self._body()
        related = self._related()
        identity = identify(page, publisher)
        if identity.provenance:
            self._provenance["id"] = identity.provenance
        values: dict[str, Any] = {
            "site": publisher.name if publisher else None,
            "id": identity.id,
            "url": page.url,
            "aliases": identity.aliases,
            "headline": headline,
            "headline_raw": headline_raw,
            "published_at": published_at,
            "published_raw": published_raw,
            "modified_at": self._modified(published_at),
            "authors": self._authors(),
            "description": self._declared("description", page.description),
            "section": self._declared("section", page.section),
            "tags": self._tags(),
            "body": body,
            "language": self._language(body),
            "credit": self._credit(),
            "media": self._media(),
            "related": related,
            "related_complete": page.related.complete if page.related else None,
            "links": self._links(related, identity.id),
            "canonical_url": self._canonical_url(),
            "alternates": self._alternates(),
            "accessible_for_free": self._free(),
            "body_sha256": sha256(body.encode()).hexdigest() if body else None,
        }
        return PageRecord(missing=missing_of(values), provenance=self._provenance, **values)

    def _note_provenance(
        self, field: str, where: str, assumed: str | None = None, doubt: str | None = None
    ) -> None:
        self._provenance[field] = Provenance(where=where, assumed=assumed, doubt=doubt)

    def _headline(self) -> tuple[str | None, str | None]:
        declared = self._page.headline
        if declared is None:
            return None, None
        self._note_provenance("headline", declared.where, self._encoding_note)
        raw = declared.value
        if self._publisher is None or len(raw) > LONGEST_HEADLINE:
            return raw, raw
        return self._publisher.clean_headline(raw)[0], raw

    def _published(self) -> tuple[str | None, str | None]:
        dated = self._page.dated
        if dated is None:
            return None, None
        moment = dated.moment
        if moment is None:
            ambiguous = "nothing: its day and month could be read in two ways"
            self._note_provenance("published_raw", dated.where, ambiguous)
            return None, dated.raw
        published_at, assumed = self._time(moment)
        self._note_provenance("published_at", dated.where, assumed)
        return published_at, dated.raw

    def _time(self, moment: Moment) -> tuple[str, str | None]:
        """Return a time in ISO 8601, and the assumption about its zone, if any."""
        zone = self._publisher.zone if self._publisher else None
        if moment.zone_name:
            assumed = f"no time zone: {moment.zone_name} has several meanings"
        elif zone:
            assumed = f"time zone {zone}: the page states none"
        else:
            assumed = "no zone stated"
        is_stated = moment.clock is None or moment.zone is not None
        return moment.isoformat(zone), None if is_stated else assumed

    def _modified(self, published_at: str | None) -> str | None:
        dated = self._page.modified
        if dated is None or dated.moment is None:
            return None
        modified_at, assumed = self._time(dated.moment)
        doubt = "earlier than published_at" if _is_earlier(modified_at, published_at) else None
        self._note_provenance("modified_at", dated.where, assumed, doubt)
        return modified_at

    def _authors(self) -> tuple[Author, ...] | None:
        found: dict[str, Author] = {}
        for author in self._page.authors:
            url = _web_url(author.url, self._page.base) if author.url else None
            found.setdefault(author.name, Author(name=author.name, url=url))
        if not found:
            return None
        self._note_provenance("authors", _places(self._page.authors))
        return tuple(found.values())

    def _tags(self) -> tuple[str, ...] | None:
        tags = self._page.tags
        if not tags:
            return None
        self._note_provenance("tags", _places(tags))
        return tuple(tag.value for tag in tags)

    def _declared(self, field: str, declared: Declared | None) -> str | None:
        if declared is None:
            return None
        self._note_provenance(field, declared.where, self._encoding_note)
        return declared.value

    def _canonical_url(self) -> str | None:
        declared = self._page.canonical
        url = _web_url(declared.value.strip(), self._page.base) if declared else None
        if declared and url:
            self._note_provenance("canonical_url", declared.where)
        return url

    def _alternates(self) -> tuple[Alternate, ...] | None:
        found: list[Alternate] = []
        for alternate in self._page.alternates:
            if url := _web_url(alternate.url, self._page.base):
                kind: AlternateKind = "language" if alternate.language else "amp"
                found.append(Alternate(kind=kind, url=url, language=alternate.language))
        if not found:
            return None
        self._note_provenance("alternates", "link elements")
        return tuple(dict.fromkeys(found))

    def _free(self) -> bool | None:
        declared = self._page.free
        if declared is None:
            return None
        self._note_provenance("accessible_for_free", declared.where)
        return declared.value == "true"

    def _body(self) -> str | None:
        body = "\n\n".join(self._page.body) or None
        if body:
            page = self._page
            self._note_provenance("body", page.body_where, self._encoding_note, page.body_doubt)
        return body

    def _language(self, body: str | None) -> str | None:
        declared = self._page.language
        if declared is None:
            detection = language.detect(body) if body else None
            conflict = None
        else:
            detection = language.contradiction(body, declared.value) if body else None
            conflict = f"{declared.where} says {declared.value}"
        if detection:
            where = f"detected from the body with {detection.how}, score {detection.score:.2f}"
            self._note_provenance("language", where, conflict)
            return detection.language
        if declared is None:
            return None
        code = language.code_of(declared.value)
        assumed = None
        if code != declared.value:
            assumed = f"{code} for {declared.value}"
        elif body and language.is_denied(body, code):
            assumed = "the words of the text are not those of this language"
        self._note_provenance("language", declared.where, assumed)
        return code

    def _credit(self) -> str | None:
        credit = credit_of(self._page.body[-1]) if self._page.body else None
        if credit:
            self._note_provenance("credit", "last sentence of the body")
        return credit

    def _media(self) -> tuple[Media, ...] | None:
        page_media = self._page.media
        if not page_media:
            return () if page_media is not None else None
        found: dict[str, Media] = {}
        for media in page_media:
            url = _web_url(media.url, self._page.base)
            if url and url not in found:
                kind: MediaKind = "video" if media.video or VIDEO_FILE.search(url) else "image"
                found[url] = Media(kind=kind, url=url, caption=media.caption, credit=media.credit)
        if not found:
            # The page shows pictures, but their original URLs are lost.
            return None
        self._note_provenance("media", "the page's declarations and the pictures beside its text")
        return tuple(found.values())

    def _related(self) -> tuple[RelatedItem, ...] | None:
        related = self._page.related
        items = related_items(self._page, self._publisher)
        if related is None or items is None:
            return None
        notes = [related.note] if related.note else []
        if self._publisher and any(item.uploaded_at for item in items):
            zone = self._publisher.time_zone
            notes.append(
                f"uploaded_at is in time zone {zone}: the pictures' names state none"
                if zone
                else "uploaded_at is local time: the pictures' names state no zone"
            )
        self._note_provenance("related", related.where, "; ".join(notes) or None)
        return items

    def _links(
        self, related: tuple[RelatedItem, ...] | None, own_id: str | None
    ) -> tuple[Link, ...] | None:
        if self._page.is_text:
            return None
        entries = {item.position: item for item in related or ()}
        found = []
        for link in self._page.links:
            if link.entry is not None:
                item = entries[link.entry]
                article_id, url, internal = item.id, item.url, item.internal
            else:
                url = _web_url(link.url, self._page.base) if link.url else None
                article_id, internal = target_of(url, self._publisher) if url else (None, None)
            if article_id is not None and not self._is_own(link, url, article_id, own_id):
                found.append(
                    Link(
                        role=link.role,
                        url=url,
                        id=article_id,
                        internal=internal,
                        text=link.text,
                        paragraph=link.paragraph,
                        rel=link.rel,
                        where=link.where,
                    )
                )
        if found:
            self._note_provenance("links", "links of the page, each with its place")
        return tuple(found)

    def _is_own(self, link: PageLink, url: str | None, article_id: str, own_id: str | None) -> bool:
        """Return whether a link leads to the page itself; its translations may share its id."""
        if link.role == "translation" and url and self._page.url:
            return article_address(url) == article_address(self._page.url)
        return link.role != "related" and article_id == own_id


def _is_earlier(time: str, other: str | None) -> bool:
    """Return whether a time is before another; False if their zones or precisions differ."""
    if other is None or "T" not in time or "T" not in other:
        return False
    first, second = datetime.fromisoformat(time), datetime.fromisoformat(other)
    return (first.tzinfo is None) == (second.tzinfo is None) and first < second


def _places(values: Iterable[Byline | Declared]) -> str:
    """Return the places where the values of a list were read, each once."""
    return ", ".join(dict.fromkeys(value.where for value in values))


def _web_url(url: str, base: str | None) -> str | None:
    """Return the absolute http(s) URL of a reference; None if it has none."""
    if _SAVED_BESIDE.match(url):
        return None
    try:
        url = escaped(urljoin(base or "", url.strip()))
        host = urlsplit(url).hostname
    except ValueError:
        return None
    return url if host and url.startswith(("http://", "https://")) else None

"""The rows of a report's table: each article's record, field by field, and its revisions."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from crawler.items import NOT_COMPARED, PageRecord
from crawler.record_differences import value_differences
from crawler.report.versions import version_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from crawler.export.corpus import Corpus
    from crawler.items import Article, Provenance
    from crawler.record_differences import Passage
    from crawler.report.contents import Entry
    from crawler.report.versions import Version

LABELS = {
    "headline": "Headline",
    "headline_raw": "Headline as printed",
    "authors": "Authors",
    "published_at": "Published",
    "published_raw": "Date as printed",
    "modified_at": "Modified",
    "section": "Section",
    "description": "Description",
    "body": "Text",
    "media": "Pictures and videos",
    "related": "Related items",
    "related_complete": "Related list complete",
    "links": "Other links",
    "tags": "Tags",
    "credit": "Credited outlet",
    "language": "Language",
    "accessible_for_free": "Free to read",
    "alternates": "Other versions",
    "canonical_url": "Canonical URL",
    "url": "Address",
    "id": "Id",
    "aliases": "Other ids",
    "site": "Publisher",
    "source": "Source",
    "fetched_at": "Fetched",
    "status": "HTTP status",
    "depth": "Depth",
    "found_on": "Found on",
    "revision": "Revision",
    "body_sha256": "SHA-256 of the text",
}
"""The fields that a record shows, in this order, and their names for people."""
_COMPARED = [
    field.name
    for field in dataclasses.fields(PageRecord)
    if field.name in LABELS and field.name not in NOT_COMPARED
]
_SAME_AS = {"headline_raw": "headline", "published_raw": "published_at"}


class Field(NamedTuple):
    """A field of a record, and where its value was read; None if it was not read on a page."""

    name: str
    label: str
    value: Any
    provenance: Provenance | None


class Revision(NamedTuple):
    """A later revision of an article, compared with the one before.

    The differences are the passages of each changed field, by the field's label. ``number`` is None
    if the article was fetched again without a ledger, which alone counts revisions.
    """

    number: int | None
    fetched_at: str
    differences: list[tuple[str, list[Passage]]]


class Row(NamedTuple):
    """A row of the table: the article's entry, its record and archived version, its revisions.

    ``damage`` describes an earlier revision that cannot be read; None if all can.
    """

    entry: Entry
    article: Article
    version: Version | None
    fields: list[Field]
    missing: list[str]
    revisions: list[Revision]
    damage: str | None

    @property
    def words(self) -> str:
        """The id, the authors and the tags, which a search finds as it does the headline."""
        authors = (author.name for author in self.article.authors or ())
        return " ".join((self.entry.id, *authors, *(self.article.tags or ())))


def label(name: str) -> str:
    """Return the name of a field for people."""
    return LABELS.get(name, name)


def rows(corpus: Corpus, entries: Iterable[Entry]) -> Iterator[Row]:
    """Yield the rows of articles, reading one record after the other."""
    for entry in entries:
        revisions = list(corpus.revisions(entry.id))
        article = revisions[-1]
        archived = corpus.archived(article.url) if article.url else None
        yield Row(
            entry=entry,
            article=article,
            version=version_of(article, archived),
            fields=_fields(article),
            missing=[label(name) for name in article.missing],
            revisions=list(_compared(revisions)),
            damage=corpus.left_out.get(entry.id),
        )


def _fields(article: Article) -> list[Field]:
    """Return the fields that have a value, without copies of other fields."""
    fields = []
    for name, title in LABELS.items():
        value = getattr(article, name)
        if name == "links" and value is not None:
            value = tuple(link for link in value if link.role != "related")
        if value is None or value == () or value == getattr(article, _SAME_AS.get(name, ""), None):
            continue
        fields.append(Field(name, title, value, article.provenance.get(name)))
    return fields


def _compared(revisions: list[Article]) -> Iterator[Revision]:
    """Yield the revisions after the first one, each compared with the one before."""
    for old, new in pairwise(revisions):
        before: Mapping[str, Any] = msgspec.to_builtins(old)
        after: Mapping[str, Any] = msgspec.to_builtins(new)
        is_numbered = new.revision == old.revision + 1
        names: Iterable[str] = new.changed if is_numbered else _COMPARED
        differences = [
            (label(name), value_differences(before.get(name), after.get(name)))
            for name in names
            if before.get(name) != after.get(name)
        ]
        if differences or new.revision != old.revision:
            number = None if new.revision == old.revision else new.revision
            yield Revision(number, new.fetched_at, differences)

"""The tables of an export, with columns from the record classes of ``crawler.items``.

Rows hold plain values: text, numbers, booleans, None, and lists and dicts of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import inspect

from crawler.items import (
    Article,
    Author,
    Failure,
    Instant,
    Link,
    Media,
    Position,
    Published,
    Teaser,
    Text,
)

if TYPE_CHECKING:
    from crawler.export.corpus import Copies, Corpus

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: its type (msgspec.inspect), and whether a value may be null."""

    name: str
    type: inspect.Type
    nullable: bool
    description: str

    @property
    def is_instant(self) -> bool:
        """Whether the values are times with an offset."""
        return self.type == _INSTANT

    @property
    def is_nested(self) -> bool:
        """Whether the values are lists or objects."""
        return isinstance(self.type, inspect.CollectionType | inspect.DictType)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKey:
    """A column whose values, unless null, are the primary keys of another table."""

    column: str
    table: str
    target: str = "id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table, and the rows that it has for a corpus."""

    name: str
    description: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    foreign_keys: tuple[ForeignKey, ...] = ()
    rows: Callable[[Corpus], Iterator[Row]]


def _unwrapped(found: inspect.Type) -> tuple[inspect.Type, bool, str]:
    """Return a type without None, whether it had None, and its description."""
    description, nullable = "", False
    while isinstance(found, inspect.Metadata | inspect.UnionType):
        if isinstance(found, inspect.Metadata):
            description = description or (found.extra_json_schema or {}).get("description", "")
            found = found.type
        else:
            nullable = True
            [found] = (kind for kind in found.types if not isinstance(kind, inspect.NoneType))
    return found, nullable, description


_INSTANT, _PUBLISHED, _TEXT, _POSITION = (
    _unwrapped(inspect.type_info(kind))[0] for kind in (Instant, Published, Text, Position)
)


def columns_of(record: type) -> tuple[Column, ...]:
    """Return a column for each field of a record class, in the order of the fields."""
    info = inspect.type_info(record)
    assert isinstance(info, inspect.DataclassType)
    types = {field.name: field.type for field in info.fields}
    columns = []
    for field in fields(record):
        kind, nullable, description = _unwrapped(types[field.name])
        if field.name == "schema":
            # A corpus may hold records of older versions, too.
            kind = inspect.IntType(ge=1)
        columns.append(
            Column(name=field.name, type=kind, nullable=nullable, description=description)
        )
    return tuple(columns)


_STATED = [number for number, column in enumerate(columns_of(Article)) if column.type == _PUBLISHED]
"""The places of the columns that may hold a day or a time without an offset."""


def _column(name: str, description: str, kind: inspect.Type, *, nullable: bool = False) -> Column:
    return Column(name=name, type=kind, nullable=nullable, description=description)


_ARTICLE_ID = _column("article_id", "The id of the article.", _TEXT)
_OF_ARTICLE = ForeignKey(column="article_id", table="articles")
_SAME_TEXT_AS = _column(
    "same_text_as",
    "The ids of the articles with nearly the same text, sorted; empty: there are none.",
    inspect.ListType(item_type=_TEXT),
)


def _place_column(description: str) -> Column:
    return _column("position", description, _POSITION)


def articles(
    copies: Copies | None = None, *, every_revision: bool = False, with_instants: bool = False
) -> Table:
    """Return the table of articles, with all fields of the record.

    ``copies`` adds the column ``same_text_as``. ``with_instants`` adds, for each field that may
    hold a day or a time without an offset, a column with the instant in UTC.
    """
    columns: list[Column] = []
    for column in columns_of(Article):
        columns.append(column)
        if with_instants and column.type == _PUBLISHED:
            columns.append(_instant_column(column))
    if copies is not None:
        columns.append(_SAME_TEXT_AS)

    def rows(corpus: Corpus) -> Iterator[Row]:
        for article in corpus.articles(every_revision=every_revision):
            row = row_of(article, with_instants=with_instants)
            yield row if copies is None else (*row, list(copies.get(article.id, ())))

    return Table(
        name="articles",
        description="All revisions of the articles." if every_revision else "The articles.",
        columns=tuple(columns),
        primary_key=("id", "revision", "fetched_at") if every_revision else ("id",),
        rows=rows,
    )


def row_of(record: Article | Teaser | Failure, *, with_instants: bool = False) -> Row:
    """Return a record as a row of its table; see ``articles`` about ``with_instants``."""
    values = list(msgspec.to_builtins(record).values())
    if with_instants:
        for added, number in enumerate(_STATED):
            place = number + added
            values.insert(place + 1, instant_of(values[place]))
    return tuple(values)


def _instant_column(stated: Column) -> Column:
    return _column(
        f"{stated.name}_utc",
        f"The instant of {stated.name}; null: {stated.name} is null, is only a day, or has no "
        "offset, so that the instant is not known.",
        _INSTANT,
        nullable=True,
    )


def instant_of(stated: str | None) -> str | None:
    """Return a time in UTC; None if it is only a day, has no offset, or is in no calendar."""
    try:
        time = datetime.fromisoformat(stated) if stated else None
        return None if time is None or time.tzinfo is None else time.astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        return None


def _media_rows(corpus: Corpus) -> Iterator[Row]:
    for article in corpus.articles():
        for position, media in enumerate(article.media or (), start=1):
            yield (article.id, position, *msgspec.to_builtins(media).values())


MEDIA = Table(
    name="media",
    description="The pictures and videos of the articles.",
    columns=(
        _ARTICLE_ID,
        _place_column("Its place in the article, counted from 1; the main picture is the first."),
        *columns_of(Media),
    ),
    primary_key=("article_id", "position"),
    foreign_keys=(_OF_ARTICLE,),
    rows=_media_rows,
)


def _author_rows(corpus: Corpus) -> Iterator[Row]:
    for article in corpus.articles():
        for position, author in enumerate(article.authors or (), start=1):
            yield (article.id, position, author.name, author.url)


AUTHORS = Table(
    name="authors",
    description="The authors of the articles.",
    columns=(_ARTICLE_ID, _place_column("Its place in the byline."), *columns_of(Author)),
    primary_key=("article_id", "position"),
    foreign_keys=(_OF_ARTICLE,),
    rows=_author_rows,
)


def _tag_rows(corpus: Corpus) -> Iterator[Row]:
    for article in corpus.articles():
        for position, tag in enumerate(article.tags or (), start=1):
            yield article.id, position, tag


TAGS = Table(
    name="tags",
    description="The tags of the articles.",
    columns=(
        _ARTICLE_ID,
        _place_column("Its place among the tags."),
        _column("tag", "The tag.", _TEXT),
    ),
    primary_key=("article_id", "position"),
    foreign_keys=(_OF_ARTICLE,),
    rows=_tag_rows,
)


def same_text_as(copies: Copies) -> Table:
    """Return the table of pairs of near copies, each in both orders."""
    return Table(
        name="same_text_as",
        description="Pairs of articles with nearly the same text, each in both orders.",
        columns=(_ARTICLE_ID, _column("other_id", "The id of the other article.", _TEXT)),
        primary_key=("article_id", "other_id"),
        foreign_keys=(_OF_ARTICLE, ForeignKey(column="other_id", table="articles")),
        rows=lambda _: ((one, other) for one, others in copies.items() for other in others),
    )


TEASERS = Table(
    name="teasers",
    description="Articles known only from related lists, and why they were not fetched.",
    columns=columns_of(Teaser),
    primary_key=("id",),
    rows=lambda corpus: map(row_of, corpus.teasers()),
)
FAILURES = Table(
    name="failures",
    description="Articles that were requested and could not be fetched or read.",
    columns=columns_of(Failure),
    primary_key=("id",),
    rows=lambda corpus: map(row_of, corpus.failures()),
)


def _link_columns() -> tuple[Column, ...]:
    fields_of: Mapping[str, Column] = {column.name: column for column in columns_of(Link)}

    def of_link(name: str) -> Column:
        return replace(fields_of[name], name=name.capitalize())

    def time(name: str, description: str) -> Column:
        return _column(name, description, _INSTANT, nullable=True)

    def evidence(name: str, description: str) -> Column:
        return _column(name, description, _TEXT, nullable=True)

    return (
        _column("Source", "The id of the article that has the link.", _TEXT),
        _column("Target", fields_of["id"].description.partition(";")[0] + ".", _TEXT),
        of_link("role"),
        _column("Position", "Its place among the links of the article, from 1.", _POSITION),
        of_link("url"),
        of_link("text"),
        of_link("internal"),
        time("FirstSeen", "The first fetch or capture that showed the link; null: not known."),
        time("LastSeen", "The last fetch or capture that showed the link; null: not known."),
        time(
            "RemovedAt",
            "The first fetch or capture after LastSeen, without the link; null: there is none.",
        ),
        evidence("FirstRecord", "The WARC-Record-ID of the page at FirstSeen; null: not known."),
        evidence("FirstPlace", "The file, and the offset, of that record; null: not known."),
        evidence("LastRecord", "The WARC-Record-ID of the page at LastSeen; null: not known."),
        evidence("LastPlace", "The file, and the offset, of that record; null: not known."),
    )


LINKS = Table(
    name="links",
    description="The links of the articles: who leads to whom.",
    # Gephi takes a table with Source and Target as edges. The names are the same in all formats.
    columns=_link_columns(),
    # An article may link to a page several times, and a job also keeps links that were removed.
    primary_key=(),
    foreign_keys=(ForeignKey(column="Source", table="articles"),),
    rows=lambda corpus: (edge.values for edge in corpus.edges()),
)

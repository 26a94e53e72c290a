"""A SQLite database with full-text search, and the metadata that Datasette shows with it."""

from __future__ import annotations

import errno
import sqlite3
from dataclasses import replace
from itertools import count, islice
from typing import IO, TYPE_CHECKING, Any

import msgspec
from msgspec import inspect

from crawler.export import tables
from crawler.export.tables import Column, ForeignKey, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.export.corpus import Copies, Corpus

_TARGET_ARTICLE = Column(
    name="TargetArticle",
    type=inspect.StrType(),
    nullable=True,
    description="Target, if that article is in the database; null: it is not.",
)
_COMPUTED = {_TARGET_ARTICLE.name: "(SELECT id FROM articles WHERE id = ?2)"}
"""Columns that the rows of a table lack, with the SQL of their values."""
_SOURCE, _TARGET, *_REST = tables.LINKS.columns
_LINKS = replace(
    tables.LINKS,
    columns=(_SOURCE, _TARGET, _TARGET_ARTICLE, *_REST),
    foreign_keys=(
        *tables.LINKS.foreign_keys,
        ForeignKey(column=_TARGET_ARTICLE.name, table="articles"),
    ),
)

# A table, since Datasette makes links only of the foreign keys of tables, and since sorting and
# counting the large rows of articles takes longer than Datasette waits.
_OVERVIEW = """
CREATE TABLE overview (
    article TEXT NOT NULL UNIQUE REFERENCES articles (id), published_at TEXT, site TEXT,
    section TEXT, language TEXT, links_from INTEGER NOT NULL, links_to INTEGER NOT NULL, url TEXT
);
INSERT INTO overview (
    rowid, article, published_at, site, section, language, links_from, links_to, url
)
SELECT
    rowid, id, published_at, site, section, language,
    (SELECT count(*) FROM links WHERE Source = articles.id AND RemovedAt IS NULL),
    (SELECT count(*) FROM links WHERE TargetArticle = articles.id AND RemovedAt IS NULL),
    url
FROM articles;
"""
# Words of any script, whatever their accents. The texts themselves stay in the table.
_SEARCH = """
CREATE VIRTUAL TABLE articles_fts USING fts5 (
    headline, body, content="articles", tokenize="unicode61 remove_diacritics 2"
);
INSERT INTO articles_fts (articles_fts) VALUES ('rebuild');
"""
_INDEXES = {
    "overview": ("published_at", "site", "section", "language"),
    "articles": ("published_at_utc", "site", "section", "language"),
    "links": ("Source", "Target", "TargetArticle", "Role"),
    "authors": ("name",),
    "tags": ("tag",),
    "same_text_as": ("other_id",),
    "teasers": ("why",),
    "failures": ("reason",),
}
_FIRST_VIEW: dict[str, dict[str, Any]] = {
    "overview": {
        "sort_desc": "published_at",
        "facets": ["site", "section", "language"],
        "fts_table": "articles_fts",
    },
    "articles": {
        "label_column": "headline",
        "sort_desc": "published_at_utc",
        "facets": ["site", "section", "language", {"array": "tags"}],
        "size": 20,
    },
    "links": {"facets": ["Role", "Internal"]},
    "media": {"facets": ["kind"]},
    "authors": {"facets": ["name"]},
    "tags": {"facets": ["tag"]},
    "teasers": {"label_column": "headline", "sort": "depth", "facets": ["why", "site"]},
    "failures": {"label_column": "headline", "sort_desc": "failed_at", "facets": ["reason"]},
}
"""How Datasette shows each table at first."""
_BATCH = 1_000


def database_tables(copies: Copies | None) -> tuple[Table, ...]:
    """Return the tables of the database; those that foreign keys name come first."""
    return (
        tables.articles(with_instants=True),
        _LINKS,
        tables.MEDIA,
        tables.AUTHORS,
        tables.TAGS,
        *(() if copies is None else (tables.same_text_as(copies),)),
        tables.TEASERS,
        tables.FAILURES,
    )


def write_sqlite(corpus: Corpus, file: IO[bytes], copies: Copies | None) -> int:
    """Write a database to an empty file that has a name. Returns the number of articles.

    Raises OSError if the database cannot be written.
    """
    try:
        database = sqlite3.connect(file.name, isolation_level=None)
        try:
            return _fill(database, corpus, copies)
        finally:
            database.close()
    except sqlite3.Error as error:
        raise OSError(errno.EIO, str(error)) from error


def _fill(database: sqlite3.Connection, corpus: Corpus, copies: Copies | None) -> int:
    # The file is only put in its place when it is whole, so a journal would be of no use.
    database.execute("PRAGMA journal_mode = OFF")
    database.execute("PRAGMA synchronous = OFF")
    database.execute("BEGIN")
    for table in database_tables(copies):
        database.execute(_create(table))
        insert = _insert(table)
        rows = table.rows(corpus)
        while batch := list(islice(rows, _BATCH)):
            database.executemany(insert, (tuple(map(_value, row)) for row in batch))
        _add_indexes(database, table.name)
    for statement in f"{_OVERVIEW}{_SEARCH}".split(";\n"):
        database.execute(statement)
    _add_indexes(database, "overview")
    database.execute("COMMIT")
    return int(database.execute("SELECT count(*) FROM articles").fetchone()[0])


def _add_indexes(database: sqlite3.Connection, table: str) -> None:
    for column in _INDEXES.get(table, ()):
        database.execute(f"CREATE INDEX {table}_{column} ON {table} ({column})")


def _create(table: Table) -> str:
    references = {key.column: f"{key.table} ({key.target})" for key in table.foreign_keys}
    parts = []
    for column in table.columns:
        is_number = isinstance(column.type, inspect.IntType | inspect.BoolType)
        part = f"{column.name} {'INTEGER' if is_number else 'TEXT'}"
        part += "" if column.nullable else " NOT NULL"
        if column.name in references:
            part += f" REFERENCES {references[column.name]}"
        parts.append(part)
    if table.primary_key:
        parts.append(f"PRIMARY KEY ({', '.join(table.primary_key)})")
    return f"CREATE TABLE {table.name} ({', '.join(parts)})"


def _insert(table: Table) -> str:
    number = count(1)
    values = [_COMPUTED.get(column.name) or f"?{next(number)}" for column in table.columns]
    return f"INSERT INTO {table.name} VALUES ({', '.join(values)})"


def _value(value: Any) -> Any:
    return msgspec.json.encode(value).decode() if isinstance(value, list | tuple | dict) else value


def metadata(database: str, written: Sequence[Table]) -> bytes:
    """Return the metadata of a database for Datasette, as JSON.

    ``database`` is the name of its file without the ending, ``written`` are its tables.
    """
    described: dict[str, dict[str, Any]] = {
        table.name: {
            "description": table.description,
            "columns": {column.name: column.description for column in table.columns},
            **_FIRST_VIEW.get(table.name, {}),
        }
        for table in written
    }
    of_article = described["articles"]["columns"]
    overview = {
        "description": "The articles at a glance.",
        "columns": {
            "article": "The id of the article.",
            **{name: of_article[name] for name in _OVERVIEW_FIELDS},
            "links_from": "The number of its links, without those that were removed.",
            "links_to": "The number of links to it from articles in the database, without those "
            "that were removed.",
        },
        **_FIRST_VIEW["overview"],
    }
    content = {
        "title": "Articles and their neighbourhood",
        "description": "News articles, and who leads to whom, from a neighbourhood crawl.",
        "databases": {database: {"tables": {"overview": overview, **described}}},
    }
    return msgspec.json.format(msgspec.json.encode(content)) + b"\n"


_OVERVIEW_FIELDS = ("published_at", "site", "section", "language", "url")

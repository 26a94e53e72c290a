"""Writes records, failures and links as Parquet, by publisher and month, on an executor."""

from __future__ import annotations

import pickle
import re
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote
from zlib import crc32

import msgspec
import pyarrow as pa

from crawler.crawl.archived_articles import PageRead
from crawler.crawl.duplicates import Settlement
from crawler.crawl.stored_records import edges_of_article
from crawler.export import tables
from crawler.export.parquet import arrow_schema, arrow_value
from crawler.spark.folders import Folder, column, unique_name
from crawler.spark.id_sets import digest
from crawler.spark.reading import NO_MONTH, OUTCOME_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from crawler.export.tables import Row, Table
    from crawler.items import Article, Failure
    from crawler.spark.folders import ParquetFile
    from crawler.spark.options import Options

# What Hive, and so Spark and pyarrow, read as null; an empty value in a path is an error for Spark.
_NO_PUBLISHER = "__HIVE_DEFAULT_PARTITION__"
# File systems take names of up to 255 bytes, and archives have hosts of any length.
_LONGEST_NAME = 200
_HALF_ESCAPE = re.compile(r"%.?$")
OUTCOMES_FOLDER = "_next/_state/outcomes"
RECORDS = tables.articles(with_instants=True)
_JSON = column("json", pa.string(), "The record as JSON, exactly as a crawl writes it.")
SCHEMAS = {
    "records": arrow_schema(RECORDS).append(_JSON),
    "failures": arrow_schema(tables.FAILURES).append(_JSON),
    "links": arrow_schema(tables.LINKS),
}
"""The tables of the output; a record and a failure come with their JSON."""
ID_COLUMNS = {"records": "id", "failures": "id", "links": "Source"}
OUTCOMES = pa.schema(
    [
        *OUTCOME_FIELDS,
        pa.field("record_id", pa.string()),
        pa.field("refused", pa.string()),
        pa.field("duplicate_of", pa.string()),
    ]
)
"""The outcomes of articles with their settlements: the id of the record, the claims that were
refused (JSON), and the article that it is a duplicate of."""


class Partition(NamedTuple):
    """A part of the output: a publisher, a month, and a number if there are very many articles.

    The publisher is as in the name of the folder.
    """

    publisher: str
    month: str
    part: int = 0

    def folder(self, table: str) -> str:
        name = f"{table}/publisher={self.publisher}"
        return name if table == "failures" else f"{name}/month={self.month}"


class Finished(NamedTuple):
    """An article to write: its outcome with its settlement, and the pickled result."""

    outcome: dict[str, Any]
    result: bytes


class Kept(NamedTuple):
    """A row that an earlier run wrote to a table."""

    table: str
    row: dict[str, Any]


class Output(NamedTuple):
    """The files that a task wrote: of the tables, and of the outcomes."""

    tables: tuple[str, ...]
    outcomes: str | None


def settled(outcome: dict[str, Any], settlement: Settlement | None) -> dict[str, Any]:
    """Return an outcome with its settlement; None stands for its own id."""
    of = settlement or Settlement(outcome["article"])
    has_record = outcome["kind"] in ("article", "failure") and of.duplicate_of is None
    return {
        **outcome,
        "record_id": of.id if has_record else None,
        "refused": msgspec.json.encode(of.refused).decode() if of.refused else None,
        "duplicate_of": of.duplicate_of,
    }


class _Rows:
    """The rows of a partition, in one file for each table."""

    def __init__(self, folder: Folder, partition: Partition) -> None:
        self._files = {
            table: folder.parquet(unique_name(f"_next/{partition.folder(table)}"), schema)
            for table, schema in SCHEMAS.items()
        }

    def __enter__(self) -> _Rows:
        return self

    def __exit__(self, *error: Any) -> None:
        for file in self._files.values():
            file.__exit__(*error)

    @property
    def names(self) -> list[str]:
        return [file.name for file in self._files.values() if file.count]

    def keep(self, kept: Kept) -> None:
        self._files[kept.table].add(kept.row, len(kept.row.get("json") or ""))

    def add(self, finished: Finished) -> None:
        """Add the record of an article, and its links; or its failure."""
        outcome = finished.outcome
        if outcome["record_id"] is None:
            return
        found: PageRead | Failure = pickle.loads(finished.result)
        if not isinstance(found, PageRead):
            self._add("failures", tables.FAILURES, found)
            return
        refused = tuple(msgspec.json.decode(outcome["refused"] or "[]"))
        article = found.article(outcome["record_id"], refused)
        self._add("records", RECORDS, article)
        for edge in edges_of_article(article):
            self._files["links"].add(_columns(tables.LINKS, edge.values))

    def _add(self, name: str, table: Table, record: Article | Failure) -> None:
        encoded = msgspec.json.encode(record).decode()
        values = _columns(table, tables.row_of(record, with_instants=name == "records"))
        self._files[name].add({**values, "json": encoded}, len(encoded))


def _columns(table: Table, row: Row) -> dict[str, Any]:
    return {
        column.name: arrow_value(column, value)
        for column, value in zip(table.columns, row, strict=True)
    }


def partition_key(outcome: dict[str, Any]) -> tuple[str, str]:
    """Return the publisher and the month in whose partition an article is, as in its folder."""
    return _in_folders(outcome["publisher"] or ""), outcome["month"] or NO_MONTH


def _in_folders(publisher: str) -> str:
    """Return the name of a publisher, which may be any text, as names of folders have it."""
    name = quote(publisher, safe="") or _NO_PUBLISHER
    if len(name) <= _LONGEST_NAME:
        return name
    # Half an escape is none.
    return f"{_HALF_ESCAPE.sub('', name[:_LONGEST_NAME])}~{digest(publisher).hex()}"


def partition_key_of_file(name: str) -> tuple[str, str]:
    """Return the publisher and the month of a file of the output, as in its folder."""
    values = dict(part.split("=", 1) for part in name.split("/") if "=" in part)
    return values["publisher"], values.get("month", NO_MONTH)


def partition_of(
    place: tuple[str, str], article_id: str, parts: Mapping[tuple[str, str], int]
) -> Partition:
    """Return the partition of an article; ``parts`` are the numbers of parts if not one."""
    count = parts.get(place, 1)
    part = crc32(article_id.encode("utf-8", "surrogatepass")) % count if count > 1 else 0
    return Partition(*place, part)


def write_outcomes(options: Options, outcomes: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Write outcomes; yield the name of the file, if there are any."""
    with _outcomes_table(options) as table:
        for outcome in outcomes:
            table.add(outcome)
    if table.count:
        yield table.name


def _outcomes_table(options: Options) -> ParquetFile:
    return Folder(options.output).parquet(unique_name(OUTCOMES_FOLDER), OUTCOMES)


def write_articles(
    options: Options, articles: Iterable[tuple[tuple[Partition, str], Finished | Kept]]
) -> Iterator[Output]:
    """Write sorted articles and rows of earlier runs; yield the files."""
    folder = Folder(options.output)
    names: list[str] = []
    with _outcomes_table(options) as outcomes:
        for partition, items in groupby(articles, key=lambda one: one[0][0]):
            with _Rows(folder, partition) as rows:
                for _, item in items:
                    if isinstance(item, Kept):
                        rows.keep(item)
                    else:
                        rows.add(item)
                        outcomes.add(item.outcome)
            names += rows.names
    yield Output(tuple(names), outcomes.name if outcomes.count else None)

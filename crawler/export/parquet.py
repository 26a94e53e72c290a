"""Tables as Parquet with typed columns, written in row groups."""

from __future__ import annotations

from datetime import datetime
from typing import IO, TYPE_CHECKING, Any

from msgspec import inspect

from crawler.errors import CrawlerError
from crawler.export import tables
from crawler.export.tables import columns_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow

    from crawler.export.corpus import Copies, Corpus
    from crawler.export.tables import Column, Row, Table

_GROUP_ROWS = 2_000
# Keeps the memory low if bodies are huge.
_GROUP_CHARACTERS = 10_000_000


def write_parquet(
    corpus: Corpus, file: IO[bytes], copies: Copies | None, *, every_revision: bool = False
) -> int:
    """Write the table of articles. Returns the number of rows."""
    table = tables.articles(copies, every_revision=every_revision, with_instants=True)
    return write_table(table, corpus, file)


def write_table(table: Table, corpus: Corpus, file: IO[bytes]) -> int:
    """Write a table; each column has its description as metadata. Returns the number of rows.

    Raises CrawlerError if pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        from pyarrow.parquet import ParquetWriter
    except ImportError as error:
        raise CrawlerError(
            "parquet: needs pyarrow; run pip install '.[parquet]'", exit_code=1
        ) from error
    schema = arrow_schema(table)
    count = 0
    with ParquetWriter(file, schema, compression="zstd") as writer:
        for rows in _groups(table.rows(corpus)):
            columns = zip(*rows, strict=True)
            arrays = [
                pa.array([arrow_value(column, value) for value in values], field.type)
                for column, values, field in zip(table.columns, columns, schema, strict=True)
            ]
            writer.write_batch(pa.record_batch(arrays, schema=schema), len(rows))
            count += len(rows)
    return count


def _groups(rows: Iterator[Row]) -> Iterator[list[Row]]:
    group: list[Row] = []
    characters = 0
    for row in rows:
        group.append(row)
        characters += _characters(row)
        if len(group) == _GROUP_ROWS or characters >= _GROUP_CHARACTERS:
            yield group
            group, characters = [], 0
    if group:
        yield group


def _characters(value: Any) -> int:
    """Return roughly how many characters a value takes."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_characters, value.values()))
    return sum(map(_characters, value)) if isinstance(value, list | tuple) else 1


def arrow_value(column: Column, value: Any) -> Any:
    """Return a value of a column as pyarrow takes it."""
    if column.is_instant:
        return value and datetime.fromisoformat(value)
    return list(value.items()) if isinstance(column.type, inspect.DictType) else value


def arrow_schema(table: Table) -> pyarrow.Schema:
    """Return the schema of a table; each column has its description as metadata."""
    import pyarrow as pa

    return pa.schema([_arrow_field(column) for column in table.columns])


def _arrow_field(column: Column) -> pyarrow.Field:
    import pyarrow as pa

    kind = pa.timestamp("us", "UTC") if column.is_instant else _arrow_type(column.type)
    metadata = {"description": column.description}
    return pa.field(column.name, kind, nullable=column.nullable, metadata=metadata)


def _arrow_type(kind: inspect.Type) -> pyarrow.DataType:
    import pyarrow as pa

    match kind:
        case inspect.IntType():
            return pa.int64()
        case inspect.BoolType():
            return pa.bool_()
        case inspect.CollectionType():
            return pa.list_(_arrow_type(kind.item_type))
        case inspect.DictType():
            return pa.map_(pa.string(), _arrow_type(kind.value_type))
        case inspect.DataclassType():
            fields = [(column.name, _arrow_type(column.type)) for column in columns_of(kind.cls)]
            return pa.struct(fields)
        case _:
            return pa.string()

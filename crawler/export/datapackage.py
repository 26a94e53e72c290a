"""The descriptor of exported tables: a Tabular Data Package of Frictionless.

https://specs.frictionlessdata.io/tabular-data-package/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import inspect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crawler.export.tables import Column, Table

TableFormat = Literal["csv", "parquet"]
_NOTES = {
    "csv": "Lists and objects are JSON. An apostrophe is put before text that a spreadsheet would "
    "run as a formula.",
    "parquet": "Lists and objects have the type any, because Table Schema has no type for the "
    "nested columns of Parquet; the files have their types.",
}


def describe(files: Mapping[str, Table], table_format: TableFormat) -> bytes:
    """Return the descriptor of tables, by the names of their files, as JSON."""
    names = {table.name for table in files.values()}
    content = {
        "name": "articles",
        "title": "Articles and their neighbourhood",
        "description": "News articles, and who leads to whom, from a neighbourhood crawl. "
        + _NOTES[table_format],
        "resources": [
            {
                "name": table.name,
                "path": name,
                "format": table_format,
                **({"encoding": "utf-8"} if table_format == "csv" else {}),
                "description": table.description,
                "schema": _schema(table, table_format, names),
            }
            for name, table in files.items()
        ],
    }
    return msgspec.json.format(msgspec.json.encode(content)) + b"\n"


def _schema(table: Table, table_format: TableFormat, names: set[str]) -> dict[str, Any]:
    schema: dict[str, Any] = {"fields": [_field(column, table_format) for column in table.columns]}
    if table_format == "csv":
        schema["missingValues"] = [""]
    if table.primary_key:
        schema["primaryKey"] = list(table.primary_key)
    if keys := [key for key in table.foreign_keys if key.table in names]:
        schema["foreignKeys"] = [
            {"fields": [key.column], "reference": {"resource": key.table, "fields": [key.target]}}
            for key in keys
        ]
    return schema


def _field(column: Column, table_format: TableFormat) -> dict[str, Any]:
    is_opaque = column.is_nested and table_format == "parquet"
    constraints = {"required": not column.nullable, **_constraints(column)}
    return {
        "name": column.name,
        "type": "any" if is_opaque else _type(column),
        "description": column.description,
        "constraints": {name: value for name, value in constraints.items() if value},
    }


def _type(column: Column) -> str:
    match column.type:
        case inspect.IntType():
            return "integer"
        case inspect.BoolType():
            return "boolean"
        case inspect.CollectionType():
            return "array"
        case inspect.DictType():
            return "object"
        case _:
            return "datetime" if column.is_instant else "string"


def _constraints(column: Column) -> dict[str, Any]:
    match column.type:
        case inspect.IntType() as number:
            return {"minimum": number.ge, "maximum": number.le}
        case inspect.LiteralType() as literal:
            return {"enum": list(literal.values)}
        case inspect.StrType() as text if not column.is_instant:
            pattern = _whole(text.pattern) if text.pattern else None
            return {"minLength": text.min_length, "pattern": pattern}
        case _:
            return {}


def _whole(pattern: str) -> str:
    """Return a pattern for all of a text, as in Table Schema, from one for a part of it."""
    whole = pattern.removeprefix("^") if pattern.startswith("^") else f".*{pattern}"
    return whole.removesuffix("$") if pattern.endswith("$") else f"{whole}.*"

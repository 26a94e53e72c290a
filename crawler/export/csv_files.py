"""Tables as CSV (RFC 4180) in UTF-8, safe to open in a spreadsheet.

Lists and objects are JSON, booleans true or false, null is an empty cell.
"""

from __future__ import annotations

import csv
import io
from typing import IO, TYPE_CHECKING, Any

import msgspec

from crawler.export import tables
from crawler.feeds.spreadsheet import escaped

if TYPE_CHECKING:
    from crawler.export.corpus import Copies, Corpus
    from crawler.export.tables import Table


def write_csv(
    corpus: Corpus,
    file: IO[bytes],
    copies: Copies | None,
    *,
    every_revision: bool = False,
    escape_formulas: bool = True,
) -> int:
    """Write the table of articles. Returns the number of rows."""
    table = tables.articles(copies, every_revision=every_revision)
    return write_table(table, corpus, file, escape_formulas=escape_formulas)


def write_table(
    table: Table, corpus: Corpus, file: IO[bytes], *, escape_formulas: bool = True
) -> int:
    """Write a table with a row of column names. Returns the number of other rows."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text)
    writer.writerow(column.name for column in table.columns)
    count = 0
    for row in table.rows(corpus):
        cells = map(_cell, row)
        writer.writerow(map(escaped, cells) if escape_formulas else cells)
        count += 1
    text.detach()
    return count


def _cell(value: Any) -> Any:
    needs_json = isinstance(value, bool | list | tuple | dict)
    return msgspec.json.encode(value).decode() if needs_json else value

"""A temporary database for exports that need more than one pass over the records."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from crawler.errors import CrawlerError

if TYPE_CHECKING:
    from collections.abc import Iterator

Connection = sqlite3.Connection
Row = sqlite3.Row

_SETTINGS = """
    PRAGMA journal_mode = OFF;
    PRAGMA cache_size = -65536; -- KiB: enough for the index of a million ids
"""


@contextmanager
def temporary_database(tables: str) -> Iterator[Connection]:
    """Yield a database with tables that SQLite keeps in a file and deletes at the end.

    ``tables`` are the statements that create them. Raises CrawlerError if the disk is full.
    """
    try:
        # A database without a name is a temporary file, which no other process sees.
        with closing(sqlite3.connect("")) as connection:
            connection.row_factory = Row
            connection.executescript(_SETTINGS + tables)
            yield connection
    except sqlite3.OperationalError as error:
        raise CrawlerError(
            f"the temporary database of the export cannot be written ({error}); "
            "set SQLITE_TMPDIR to a folder with more space",
            exit_code=1,
        ) from error

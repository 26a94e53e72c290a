"""The interface of the ledger's database, and the statements that databases spell differently.

There is one module for each database: ``sqlite`` and ``postgresql``. ``places`` chooses one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from itertools import compress
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import String, bindparam, func, select, text

from crawler.crash import point

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection, Table

_Result = TypeVar("_Result")


class Database(ABC):
    """A connection to a ledger, used by one thread. Every method raises LedgerError on failure.

    ``name`` stands for the ledger in messages.
    """

    name: str

    @abstractmethod
    def rows(self, query: Any, values: dict[str, Any] | None = None) -> Sequence[Any]:
        """Return the rows of a single query."""

    @abstractmethod
    def read(self, act: Callable[[Connection], _Result]) -> _Result:
        """Return what ``act`` reads from a consistent snapshot. It may be called several times."""

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[Connection]:
        """Read a consistent snapshot, whatever is written meanwhile. Snapshots may be nested."""

    @abstractmethod
    def store(self, write: Callable[[Connection], _Result], *, durable: bool = False) -> _Result:
        """Commit everything that ``write`` does, or nothing; return its result.

        It may be called several times, after each failure that another try may overcome. A
        ``durable`` commit survives a power cut, and so do all before it.
        """

    def begin_store(self, write: Callable[[Connection], None], *, durable: bool = False) -> None:
        """Store something, as ``store`` does; another thread may commit it after this has returned.

        Whatever is done next with the database waits until it is stored, and raises its error if
        that failed: nothing may be stored that comes after changes that are lost.
        """
        self.store(write, durable=durable)
        point("after a commit")

    def wait(self) -> None:
        """Wait until the changes of the last ``begin_store`` are committed."""
        return

    @abstractmethod
    def create_table(self, connection: Connection, table: Table) -> None:
        """Create a table of the ledger with the indexes that suit the database."""

    @abstractmethod
    def now(self) -> float:
        """Return the current time (POSIX seconds), by the clock that all processes share."""

    def now_text(self) -> str:
        """Return the current time (ISO 8601 in UTC)."""
        return datetime.fromtimestamp(self.now(), UTC).isoformat(timespec="microseconds")

    @abstractmethod
    def damage(self) -> list[str]:
        """Return the errors that the database finds in its files."""

    @abstractmethod
    def size(self) -> int:
        """Return the size of the ledger in bytes."""

    @abstractmethod
    def begin_log(self) -> None:
        """Let readers read while this process writes. Call it once the ledger is known to be one.

        It may change the file for good.
        """

    @abstractmethod
    def close(self) -> None:
        """Close the connection. If it held the job, another process may hold it now."""


@dataclass(frozen=True, slots=True)
class Insert:
    """An INSERT of all columns of a table, which leaves a row with the same key unchanged."""

    table: Table


@dataclass(frozen=True, slots=True)
class Upsert:
    """An INSERT that replaces a row with the same key, except its columns in ``keep``."""

    table: Table
    keep: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Append:
    """An INSERT of all columns of a table whose keys are new."""

    table: Table


def execute_many(
    connection: Connection, statement: Insert | Upsert | Append, rows: Sequence[tuple[Any, ...]]
) -> None:
    """Execute an INSERT for many rows, each with the values of all columns in order.

    Of the rows with the same key, the last one counts for an Upsert, and the first for an Insert.
    """
    database = connection.dialect.name
    if database != "postgresql":
        connection.exec_driver_sql(_sql(statement, database), list(rows))
        return
    if isinstance(statement, Upsert):
        # One statement may not update a row twice.
        key = [column.primary_key for column in statement.table.columns]
        rows = list({tuple(compress(row, key)): row for row in rows}.values())
    connection.exec_driver_sql(_sql(statement, database), tuple(map(list, zip(*rows, strict=True))))


@cache
def _sql(statement: Insert | Upsert | Append, database: str) -> str:
    """Return the SQL of a statement with parameters by position.

    They are the values of a row or, for PostgreSQL, lists of the values of each column, in its
    binary format: a statement for each row takes twice as long. SQLAlchemy's own parameter
    handling, row by row, takes three times as long.
    """
    table = statement.table
    dialects = import_module(f"sqlalchemy.dialects.{database}")
    insert: Any = dialects.insert(table)
    if database == "postgresql":
        types = [dialects.ARRAY(column.type) for column in table.columns]
        lists = [bindparam(None, type_=kind) for kind in types]
        names = [column.name for column in table.columns]
        insert = insert.from_select(
            names, select(func.unnest(*lists).table_valued(*names).render_derived())
        )
    if isinstance(statement, Insert):
        insert = insert.on_conflict_do_nothing()
    elif isinstance(statement, Upsert):
        key = [column.name for column in table.primary_key]
        new = {
            column.name: insert.excluded[column.name]
            for column in table.columns
            if column.name not in (*key, *statement.keep)
        }
        insert = insert.on_conflict_do_update(index_elements=key_of(table, database), set_=new)
    if database == "sqlite":
        return str(insert.compile(dialect=dialects.dialect(paramstyle="qmark")))
    compiled = insert.compile(dialect=dialects.psycopg.dialect(paramstyle="format"))
    return str(compiled).replace("%s", "%b")


def key_of(table: Table, database: str) -> list[Any]:
    """Return the expressions that are unique to each row of a table.

    PostgreSQL's indexes cannot hold long addresses, so a text stands there for its digest.
    """
    return [
        text(f'md5("{column.name}")')
        if database == "postgresql" and isinstance(column.type, String)
        else text(f'"{column.name}"')
        for column in table.primary_key
    ]

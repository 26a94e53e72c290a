"""The only module that depends on the ledger's database: SQLite, in one file, through SQLAlchemy.

Readers and the single writer do not block each other (WAL). A committed transaction survives the
death of the process. One committed as ``durable`` survives a power cut, and so do all before it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from crawler.errors import LedgerError
from crawler.files import sync_folder

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement, Connection, Dialect, Table

_CACHE_KIB = 16_384
# How much of the file is mapped into memory, which makes looking up one of a million articles a
# tenth faster.
_MAPPED_BYTES = 256 * 1024 * 1024
# Checkpoint the log into the file after this many pages of 4 KiB.
_LOG_PAGES = 4_000
_BUSY_SECONDS = 30
_ADVICE = (
    ("No such file", "there is none; give the JOBDIR of a crawl"),
    (
        "No space",
        "free disk space and run the same command again; everything stored so far is safe",
    ),
    ("full", "free disk space and run the same command again; everything stored so far is safe"),
    ("readonly", "make the folder and its files writable"),
    ("Read-only", "use a JOBDIR on a writable file system"),
    ("ermission denied", "make the folder and its files readable and writable"),
    ("no file", "give another JOBDIR"),
    ("unable to open", "make the folder and its files readable and writable"),
    (
        "I/O error",
        "check the disk and its free space; a copy of the folder may still be readable, with "
        "everything stored so far",
    ),
    ("lock", "another program has locked the file; try again when it has ended"),
    (
        "",
        "it is damaged or not a ledger; nothing was written to it; restore it from a backup, "
        "or start again with another JOBDIR",
    ),
)


class Database:
    """A connection to the ledger in ``path``, for one thread.

    ``create`` creates the tables of a new file; without it, the ledger is opened read-only. Raises
    LedgerError if the ledger cannot be opened.
    """

    def __init__(self, path: Path, *, create: Callable[[Connection], None] | None = None) -> None:
        self.path = path
        try:
            self._open(create)
        except OSError as error:
            raise _error(path, error.strerror) from error

    def _open(self, create: Callable[[Connection], None] | None) -> None:
        path = self.path
        with self.errors():
            if create is not None and not path.exists():
                _create(path, create)
            if not path.is_file():
                raise _error(path, "it is no file")
            if path.stat().st_size == 0:
                raise _error(path, "it is empty, although it held a ledger")
            self._engine = _make_engine(path, write=create is not None)
            self.connection: Connection = self._engine.connect()
            driver = self.connection.connection.driver_connection
            assert driver is not None
            self._pragma = driver.execute

    def begin_log(self) -> None:
        """Write to a log (WAL) from now on, so that readers need not wait.

        The file keeps this mode: call it only when the file is known to be a ledger.
        """
        with self.errors():
            self._pragma("PRAGMA journal_mode = WAL")

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Raise database errors as LedgerError."""
        try:
            yield
        except DBAPIError as error:
            raise _error(self.path, error.orig) from error
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise _error(self.path, error) from error

    @contextmanager
    def transaction(self, *, durable: bool = False) -> Iterator[Connection]:
        """Commit everything or nothing; LedgerError if it cannot be stored."""
        with self.errors():
            if durable:
                self._pragma("PRAGMA synchronous = FULL")
            try:
                with self.connection.begin():
                    yield self.connection
            finally:
                if durable:
                    self._pragma("PRAGMA synchronous = NORMAL")

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Read a consistent snapshot, whatever is written meanwhile."""
        with self.errors():
            try:
                yield self.connection
            finally:
                self.connection.rollback()

    def damage(self) -> list[str]:
        """Return the errors the database finds in its file; reads all of it."""
        try:
            with self.snapshot() as connection:
                found = [
                    str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check(10)")
                ]
        except LedgerError as error:
            return [str(error)]
        return [] if found == ["ok"] else [line for text in found for line in text.splitlines()]

    def close(self) -> None:
        with suppress(SQLAlchemyError):
            self.connection.close()
        self._engine.dispose()


def execute_many(
    connection: Connection, statement: ClauseElement, rows: list[tuple[Any, ...]]
) -> None:
    """Execute an INSERT for many rows, each with the values of all columns in order."""
    connection.exec_driver_sql(_sql(statement, connection.dialect), rows)


@cache
def _sql(statement: ClauseElement, dialect: Dialect) -> str:
    # SQLAlchemy's own parameter handling, row by row, takes three times as long.
    return str(statement.compile(dialect=dialect))


def insert(table: Table) -> sqlite.Insert:
    """Return an INSERT that leaves an existing row with the same key unchanged."""
    return sqlite.insert(table).on_conflict_do_nothing()


def upsert(table: Table, keep: tuple[str, ...] = ()) -> sqlite.Insert:
    """Return an INSERT that replaces a row with the same key, except its columns in ``keep``."""
    statement = sqlite.insert(table)
    key = [column.name for column in table.primary_key]
    new = {
        column.name: statement.excluded[column.name]
        for column in table.columns
        if column.name not in (*key, *keep)
    }
    return statement.on_conflict_do_update(index_elements=key, set_=new)


def _error(path: Path, problem: object) -> LedgerError:
    text = str(problem)
    advice = next(advice for part, advice in _ADVICE if part in text)
    return LedgerError(f"the ledger {path}: {text}; {advice}")


def _create(path: Path, create: Callable[[Connection], None]) -> None:
    """Create the file with its tables, whole or not at all: an empty file means lost data."""
    new = path.with_name(path.name + ".new")
    for suffix in ("", "-journal", "-wal", "-shm"):
        new.with_name(new.name + suffix).unlink(missing_ok=True)
    engine = _make_engine(new, write=True)
    with engine.begin() as connection:
        create(connection)
    # Before the rename, because changing the mode writes a journal, which readers could not roll
    # back. After the tables are created, because data that is only in the log is lost without an
    # error if the disk is full when the file is closed.
    engine.raw_connection().execute("PRAGMA journal_mode = WAL")
    engine.dispose()
    descriptor = os.open(new, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    new.rename(path)
    for folder in (path.parent, path.parent.parent):
        sync_folder(folder)


def _make_engine(path: Path, *, write: bool) -> Any:
    mode = "rwc" if write else "ro"
    # The WAL files cannot be created in a read-only folder; after a clean end none are needed.
    is_immutable = (
        not write
        and not os.access(path.parent, os.W_OK)
        and not path.with_name(path.name + "-wal").exists()
    )
    quoted = str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    uri = f"file:{quoted}?mode={mode}{'&immutable=1' if is_immutable else ''}&uri=true"
    engine = create_engine(
        f"sqlite:///{uri}", poolclass=StaticPool, connect_args={"timeout": _BUSY_SECONDS}
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: object) -> None:
        # Python's own transactions would not cover CREATE TABLE statements.
        connection.isolation_level = None
        if write:
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        connection.execute(f"PRAGMA mmap_size = {_MAPPED_BYTES}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine

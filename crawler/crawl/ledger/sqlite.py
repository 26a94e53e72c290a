"""A ledger in SQLite: one file in the folder of the job, which one process at a time may hold.

Readers and the single writer do not block each other (WAL). A committed transaction survives the
death of the process. One committed as ``durable`` survives a power cut, and so do all before it.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from sqlalchemy import create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from crawler.crash import point
from crawler.crawl.ledger.database import Database
from crawler.crawl.ledger.rows import utc_now
from crawler.crawl.ledger.schema import METADATA
from crawler.errors import CrawlerError, LedgerError
from crawler.exit_codes import HELD
from crawler.files import make_folder, sync_folder

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

_Result = TypeVar("_Result")

FILE_NAME = "ledger.sqlite"
_LOCK_TRIES, _LOCK_RETRY_SECONDS = 5, 0.02

_CACHE_KIB = 4_096
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


class SqliteDatabase(Database):
    """A connection to the ledger in ``path``.

    Unless it ``writes``, it is opened read-only. ``lock`` is released with the connection. Raises
    LedgerError if the ledger cannot be opened.
    """

    def __init__(self, path: Path, *, writes: bool = False, lock: IO[str] | None = None) -> None:
        self.path = path
        self.name = str(path)
        self._lock = lock
        # SQLite and the disk take all of the time of a COMMIT, and need no lock of Python's. (The
        # statements before it would take that lock for each row.) The connection is in use by one
        # thread at a time: each use waits for the last COMMIT.
        self._thread = ThreadPoolExecutor(1, "ledger")
        self._committed: Future[None] | None = None
        with _errors_of_files(path):
            if not path.is_file():
                raise _error(path, "it is no file")
            if path.stat().st_size == 0:
                raise _error(path, "it is empty, although it held a ledger")
            self._engine = _make_engine(path, write=writes)
            self.connection: Connection = self._engine.connect()
            driver = self.connection.connection.driver_connection
            assert driver is not None
            self._pragma = driver.execute

    def begin_log(self) -> None:
        # The file keeps this mode.
        with _errors(self.path):
            self._pragma("PRAGMA journal_mode = WAL")

    def rows(self, query: Any, values: dict[str, Any] | None = None) -> Sequence[Any]:
        with self.snapshot() as connection:
            return connection.execute(query, values).all()

    def store(self, write: Callable[[Connection], _Result], *, durable: bool = False) -> _Result:
        self.wait()
        result, transaction = self._write(write, durable)
        self._commit(transaction)
        return result

    def begin_store(self, write: Callable[[Connection], None], *, durable: bool = False) -> None:
        self.wait()
        _, transaction = self._write(write, durable)
        self._committed = self._thread.submit(self._commit_in_thread, transaction)

    def wait(self) -> None:
        if self._committed is not None:
            self._committed.result()

    def _write(
        self, write: Callable[[Connection], _Result], durable: bool
    ) -> tuple[_Result, ExitStack]:
        """Write within a transaction; return the result, and the transaction: close commits it."""
        with _errors(self.path), ExitStack() as transaction:
            if durable:
                self._pragma("PRAGMA synchronous = FULL")
                transaction.callback(self._pragma, "PRAGMA synchronous = NORMAL")
            transaction.enter_context(self.connection.begin())
            return write(self.connection), transaction.pop_all()

    def _commit(self, transaction: ExitStack) -> None:
        with _errors(self.path):
            transaction.close()

    def _commit_in_thread(self, transaction: ExitStack) -> None:
        self._commit(transaction)
        point("after a commit")

    def read(self, act: Callable[[Connection], _Result]) -> _Result:
        with self.snapshot() as connection:
            return act(connection)

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        self.wait()
        with _errors(self.path):
            try:
                yield self.connection
            finally:
                self.connection.rollback()

    def create_table(self, connection: Connection, table: Table) -> None:
        table.create(connection)

    def now(self) -> float:
        return time.time()

    def damage(self) -> list[str]:
        """Return the errors that SQLite finds in its file; reads all of it."""
        try:
            with self.snapshot() as connection:
                found = [
                    str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check(10)")
                ]
        except LedgerError as error:
            return [str(error)]
        return [] if found == ["ok"] else [line for text in found for line in text.splitlines()]

    def size(self) -> int:
        files = self.path.parent.glob(self.path.name + "*")
        return sum(file.stat().st_size for file in files)

    def close(self) -> None:
        self._thread.shutdown()
        with suppress(SQLAlchemyError):
            self.connection.close()
        self._engine.dispose()
        if self._lock is not None:
            self._lock.close()


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    """Raise the errors of the database as LedgerError."""
    try:
        yield
    except DBAPIError as error:
        raise _error(path, error.orig) from error
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise _error(path, error) from error


@contextmanager
def _errors_of_files(path: Path) -> Iterator[None]:
    """Raise the errors of the database, and those of its files, as LedgerError."""
    try:
        with _errors(path):
            yield
    except OSError as error:
        raise _error(path, error.strerror) from error


def _error(path: Path, problem: object) -> LedgerError:
    text = str(problem)
    advice = next(advice for part, advice in _ADVICE if part in text)
    return LedgerError(f"the ledger {path}: {text}; {advice}")


def _create(path: Path, create: Callable[[Connection], None]) -> None:
    """Create the file with its tables, whole or not at all: an empty file means lost data.

    Raises LedgerError if it cannot be written.
    """
    with _errors_of_files(path):
        _create_whole(path, create)


def _create_whole(path: Path, create: Callable[[Connection], None]) -> None:
    new = path.with_name(path.name + ".new")
    for suffix in ("", "-journal", "-wal", "-shm"):
        new.with_name(new.name + suffix).unlink(missing_ok=True)
    engine = _make_engine(new, write=True)
    with engine.begin() as connection:
        METADATA.create_all(connection)
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
        f"sqlite:///{uri}",
        poolclass=StaticPool,
        connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: object) -> None:
        # Python's own transactions would not cover CREATE TABLE statements.
        connection.isolation_level = None
        if write:
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def hold(folder: Path, create: Callable[[Connection], None]) -> Database:
    """Open the ledger in a folder for this process alone; both are created if they do not exist.

    Raises CrawlerError, with exit code 75 if another process holds the job, else 1.
    """
    lock = _lock_folder(folder)
    path = folder / FILE_NAME
    try:
        if not path.exists():
            _create(path, create)
        return SqliteDatabase(path, writes=True, lock=lock)
    except BaseException:
        lock.close()
        raise


def holder(folder: Path) -> str | None:
    """Return a description of the process that holds a job; None if none does."""
    try:
        with (folder / "lock").open(encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return (folder / "lock").read_text(encoding="utf-8").strip()
    except OSError:
        return None
    return None


def _acquire(lock: IO[str]) -> None:
    """Lock a file for this process alone.

    Raises BlockingIOError if another process holds it for longer than ``holder`` does.
    """
    for _ in range(_LOCK_TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            time.sleep(_LOCK_RETRY_SECONDS)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _lock_folder(folder: Path) -> IO[str]:
    """Lock the folder for the lifetime of this process.

    The kernel releases the lock when the process ends, however it ends.
    """
    if folder.exists() and not folder.is_dir():
        raise CrawlerError(f"job: {folder} is a file; takes a folder")
    try:
        make_folder(folder)
        lock = (folder / "lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise CrawlerError(
            f"job: {folder} cannot be written ({error.strerror}); give a writable folder",
            exit_code=1,
        ) from error
    try:
        _acquire(lock)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip() or "another process"
        lock.close()
        raise CrawlerError(
            f"job: {folder} is held by {holder}; run again when it has ended", exit_code=HELD
        ) from None
    except OSError as error:
        lock.close()
        raise CrawlerError(
            f"job: {folder} cannot be locked ({error.strerror}); give a folder on a local disk",
            exit_code=1,
        ) from error
    try:
        lock.seek(0)
        lock.truncate()
        lock.write(f"process {os.getpid()} on {os.uname().nodename} since {utc_now()}\n")
        lock.flush()
    except OSError as error:
        lock.close()
        raise CrawlerError(
            f"job: {folder} cannot be written ({error.strerror}); free disk space", exit_code=1
        ) from error
    return lock

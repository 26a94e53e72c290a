"""A ledger in PostgreSQL: one schema for each job, which one process at a time may write.

Every text is ordered by its bytes (COLLATE "C"), as in SQLite, whatever the locale of the database.

The process that holds the job has an advisory lock, which ends with its connection. When the
connection is lost, the process waits for the database, takes the lock again and repeats what was
not committed, unless another process has held the job meanwhile: ``HOLD`` counts the holders, and
the commits of the last one. The server ends the session of a machine that has stopped answering.

Every commit is durable, as the server may crash while the process that made the commit lives on.
"""

from __future__ import annotations

import logging
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg import sql
from sqlalchemy import BigInteger, Column, MetaData, String, Table, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateTable

from crawler.crawl.ledger.database import Database, key_of
from crawler.crawl.ledger.rows import utc_now
from crawler.crawl.ledger.schema import METADATA
from crawler.errors import CrawlerError, HoldLostError, LedgerError
from crawler.exit_codes import HELD
from crawler.terminal import to_the_second

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from crawler.crawl.ledger.places import ServerPlace

logger = logging.getLogger(__name__)

_Result = TypeVar("_Result")

_PROGRAM = "neighbourhood-crawler"
# The name of the lock of the process that holds a job.
_LOCK_CLASS = 0x6E656967
_CONNECT_SECONDS = 10
# A connection over which nothing arrives for so long is lost, to this process and to the server.
_KEEPALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
_SILENT_MILLISECONDS = 30_000
_FIRST_WAIT, _LONGEST_WAIT = 0.05, 1.0
# The server may need so long to notice that the process that held the job has died.
_LOCK_SECONDS, _LOCK_RETRY_SECONDS = 1.0, 0.05
_DEADLOCK, _SERIALIZATION_FAILURE = "40P01", "40001"
_UNDEFINED_TABLE, _NO_SUCH_SCHEMA = "42P01", "3F000"
# Parts of messages that come before there is a connection, and so have no SQLSTATE.
_REFUSALS = ("authentication failed", "no password supplied", "does not exist", "no pg_hba")
_LONGEST_NAME = 63
# Each schema has locks of its own: the name of the lock is the upper half of its key.
_LOCK = (
    "SELECT {function}(%s::bigint << 32 | oid::bigint) FROM pg_namespace "
    "WHERE nspname = current_schema()"
)
_SCHEMA = "SELECT oid FROM pg_namespace WHERE nspname = current_schema()"
_READ_ONLY = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

_SERVER = MetaData()
HOLD = Table(
    "hold",
    _SERVER,
    # How many processes have held the job so far, one after the other.
    Column("holders", BigInteger, nullable=False),
    # How many commits the last of them made.
    Column("commits", BigInteger, nullable=False),
    # The last one, in words.
    Column("process", String, nullable=False),
)
_HASH_INDEXES = (
    *("pages.id", "aliases.alias", "listings.id", "page_links.page_id", "linking_pages.id"),
    *("fetches.id", "records.id", "archived.url"),
)
"""The columns by which rows are looked up and which may be too long for a B-tree."""
_OTHER_INDEXES = (
    "CREATE INDEX pages_queued ON pages (depth, lister, position) WHERE queued",
    "CREATE INDEX pages_due ON pages (due_at)",
    "CREATE INDEX fetches_run ON fetches (run)",
    "CREATE INDEX records_run ON records (run, record)",
    "CREATE INDEX page_links_changed_at ON page_links (changed_at)",
)


class PostgresDatabase(Database):
    """A connection to the ledger of a job. Raises LedgerError if the database does not answer.

    Unless it is ``patient``, the database is asked once.
    """

    def __init__(self, place: ServerPlace, *, patient: bool = True) -> None:
        self.name = place.name
        self._place = place
        self._patience = place.patience if patient else 0.0
        self._depth = 0
        self._has_lock = False
        self._holders: int | None = None
        self._commits = 0
        self._engine = _make_engine(place)
        self._connection: Connection | None = None
        self._patiently(lambda: None)

    @property
    def connection(self) -> Connection:
        if self._connection is None:
            raise _error(self.name, "the connection is closed")
        return self._connection

    def _connect(self) -> None:
        """Connect, and hold the job again if this process held it."""
        self._disconnect()
        self._connection = self._engine.connect()
        now = self.connection.exec_driver_sql("SELECT extract(epoch FROM clock_timestamp())")
        self._time, self._read_at = float(now.scalar_one()), time.monotonic()
        try:
            if self._has_lock:
                self._hold_again()
        except BaseException:
            self._disconnect()
            raise

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError):
                connection.invalidate()
                connection.close()

    def hold(self, create: Callable[[Connection], None]) -> None:
        """Take the job's lock, and create its tables if there are none.

        Raises CrawlerError with exit code 75 if another process has it.
        """
        self.ensure_schema()
        self._patiently(self._lock)
        self._has_lock = True
        self._holders = self.store(partial(_begin_hold, create, describe_process()))
        self._commits = 0

    def ensure_schema(self) -> None:
        """Create the schema of the job if there is none."""
        query = "SELECT 1 FROM pg_namespace WHERE nspname = %s"
        if not self.run(query, (self._place.job,)):
            # A role that has one schema only may not even ask for it.
            self._patiently(self._create_schema)

    def _create_schema(self) -> None:
        name = _quoted(self._place.job)
        # IF NOT EXISTS does not help if two processes create it at the same time.
        with suppress(IntegrityError):
            self.connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {name}")

    def has_tables(self) -> bool:
        """Return whether there is a ledger."""
        return self._patiently(lambda: _has_table(self.connection, "job"))

    def holder(self) -> str | None:
        """Return the process that holds the job; None if none does."""
        return self._patiently(lambda: _holder(self.connection))

    def end_holder(self) -> bool:
        """End the session that holds the job; return whether there was one."""
        pid = self._patiently(lambda: _locking_session(self.connection))
        return pid is not None and bool(self.run("SELECT pg_terminate_backend(%s, 5000)", (pid,)))

    def lock_transaction(self, name: int) -> None:
        """Let no other transaction of this job that calls this with the same name run now."""
        statement = _LOCK.format(function="pg_advisory_xact_lock")
        self.connection.exec_driver_sql(statement, (name,))

    def _lock(self) -> None:
        if self._holders is not None:
            self._end_own_session()
        statement = _LOCK.format(function="pg_try_advisory_lock")
        deadline = time.monotonic() + _LOCK_SECONDS
        while not self.connection.exec_driver_sql(statement, (_LOCK_CLASS,)).scalar_one():
            if time.monotonic() >= deadline:
                holder = _holder(self.connection) or "another process"
                raise CrawlerError(
                    f"job: {self.name} is held by {holder}; run again when it has ended",
                    exit_code=HELD,
                )
            time.sleep(_LOCK_RETRY_SECONDS)

    def _end_own_session(self) -> None:
        """End the session in which this process held the job, if the server still keeps it."""
        connection = self.connection
        row = connection.exec_driver_sql("SELECT holders, process FROM hold").first()
        if row is None or row.holders != self._holders or row.process != describe_process():
            return
        pid = _locking_session(connection)
        if pid is not None:
            connection.exec_driver_sql("SELECT pg_terminate_backend(%s, 5000)", (pid,))

    def _patiently(self, act: Callable[[], _Result]) -> _Result:
        """Do something, again and again while the database is away or interrupts it."""
        deadline = time.monotonic() + self._patience
        wait = _FIRST_WAIT
        is_waiting = False
        while True:
            try:
                with self._errors():
                    if self._connection is None or self._connection.invalidated:
                        self._connect()
                    result = act()
                break
            except _TryAgainError as error:
                if error.is_lost:
                    self._disconnect()
                    # All queries of a snapshot belong together.
                    if self._depth or time.monotonic() >= deadline:
                        # Whatever is still to do at the end of the run need not wait again.
                        self._patience = 0.0
                        raise _error(self.name, error.problem) from error
                    if not is_waiting:
                        self._log_outage(error.problem)
                    is_waiting = True
                # Two processes that waited for each other should not do so again.
                time.sleep(wait * random.random())
                wait = min(_LONGEST_WAIT, wait * 2)
        if is_waiting:
            logger.info("the ledger %s: the database answers again", self.name)
        return result

    def _log_outage(self, problem: object) -> None:
        logger.warning(
            "the ledger %s: %s; waiting for the database for up to %d s",
            *(self.name, _in_one_line(problem), self._patience),
        )

    def _hold_again(self) -> None:
        try:
            self._lock()
        except CrawlerError as error:
            raise HoldLostError(str(error)) from error
        if self._holders is None:
            return
        row = self.connection.exec_driver_sql("SELECT * FROM hold").one()
        if row.holders != self._holders:
            raise HoldLostError(f"job: {self.name} was taken over by {row.process}")
        if row.commits < self._commits:
            raise _error(self.name, "the database has lost the last commits")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Raise database errors as LedgerError, or as _TryAgainError if another try may help."""
        try:
            yield
        except DBAPIError as error:
            problem = error.orig
            state = getattr(problem, "sqlstate", None)
            if state in (_DEADLOCK, _SERIALIZATION_FAILURE):
                raise _TryAgainError(problem, is_lost=False) from error
            is_connected = self._connection is not None
            if error.connection_invalidated or _is_lost(problem, is_connected=is_connected):
                raise _TryAgainError(problem, is_lost=True) from error
            raise _error(self.name, problem) from error
        except (SQLAlchemyError, psycopg.Error) as error:
            raise _error(self.name, error) from error

    def run(self, statement: str, values: tuple[Any, ...] = ()) -> list[Any]:
        """Execute a single statement, and return its rows, if it returns any."""

        def act() -> list[Any]:
            result = self.connection.exec_driver_sql(statement, values)
            return list(result.all()) if result.returns_rows else []

        return self._patiently(act)

    def rows(self, query: Any, values: dict[str, Any] | None = None) -> Sequence[Any]:
        return self._patiently(lambda: self.connection.execute(query, values).all())

    def read(self, act: Callable[[Connection], _Result]) -> _Result:
        def read() -> _Result:
            with self._reading() as connection:
                return act(connection)

        return self._patiently(read)

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        try:
            with self._reading() as connection:
                yield connection
        except _TryAgainError as error:
            # The rest would belong to another snapshot. The job may be another process's now.
            self._patiently(lambda: None)
            raise _error(self.name, error.problem) from error

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        if not self._depth:
            self._patiently(lambda: self.connection.exec_driver_sql(_READ_ONLY))
        self._depth += 1
        try:
            with self._errors():
                yield self.connection
        finally:
            self._depth -= 1
            if not self._depth:
                # After a ROLLBACK, the driver would prepare all statements again.
                self._end_transaction("COMMIT")

    def _end_transaction(self, statement: str) -> None:
        if self._connection is not None:
            with suppress(SQLAlchemyError):
                self._connection.exec_driver_sql(statement)

    def store(self, write: Callable[[Connection], _Result], *, durable: bool = False) -> _Result:
        before = self._commits
        results: list[_Result] = []

        def commit() -> _Result:
            if self._holders is not None and results and self._was_committed(before + 1):
                return results[-1]
            results.clear()
            connection = self.connection
            connection.exec_driver_sql("BEGIN")
            try:
                result = write(connection)
                if self._holders is not None:
                    self._count_commit(before + 1)
                results.append(result)
                connection.exec_driver_sql("COMMIT")
            except BaseException:
                self._end_transaction("ROLLBACK")
                raise
            return result

        result = self._patiently(commit)
        self._commits = before + 1
        return result

    def _count_commit(self, number: int) -> None:
        """Count a commit; raise HoldLostError if another process has taken the job over."""
        update = "UPDATE hold SET commits = %s WHERE holders = %s"
        done = self.connection.exec_driver_sql(update, (number, self._holders))
        if done.rowcount != 1:
            raise HoldLostError(f"job: {self.name} was taken over by another process")

    def _was_committed(self, number: int) -> bool:
        """Return whether a commit whose connection was lost has taken place."""
        commits = self.connection.exec_driver_sql("SELECT commits FROM hold").scalar_one()
        return bool(commits >= number)

    def create_table(self, connection: Connection, table: Table) -> None:
        _create_table(connection, table)

    def now(self) -> float:
        return self._time + time.monotonic() - self._read_at

    def damage(self) -> list[str]:
        """Return nothing: PostgreSQL checks its files itself, and only its administrator may."""
        return []

    def size(self) -> int:
        query = (
            "SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class "
            f"WHERE relnamespace = ({_SCHEMA}) AND relkind = 'r'"
        )
        return int(self._patiently(lambda: self.connection.exec_driver_sql(query).scalar_one()))

    def begin_log(self) -> None:
        # PostgreSQL always writes a log.
        pass

    def close(self) -> None:
        self._disconnect()
        self._engine.dispose()


class _TryAgainError(Exception):
    """A statement failed for a reason that may pass.

    ``is_lost`` if the connection was lost with it.
    """

    def __init__(self, problem: object, *, is_lost: bool) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.is_lost = is_lost


def hold(place: ServerPlace, create: Callable[[Connection], None]) -> PostgresDatabase:
    """Open a job's ledger for this process alone; see ``Place.hold``."""
    database = PostgresDatabase(place)
    try:
        database.hold(create)
    except BaseException:
        database.close()
        raise
    return database


def read(place: ServerPlace) -> PostgresDatabase:
    """Open a job's ledger for reading. Raises CrawlerError if there is none."""
    database = PostgresDatabase(place, patient=False)
    try:
        if not database.has_tables():
            raise CrawlerError(
                f"job: {place.name} does not exist; takes the name of a job in that database"
            )
    except BaseException:
        database.close()
        raise
    return database


def _begin_hold(create: Callable[[Connection], None], process: str, connection: Connection) -> int:
    """Create the tables if there are none; return the number of this holder."""
    if not _has_table(connection, "job"):
        _create_tables(connection, create)
    update = "UPDATE hold SET holders = holders + 1, commits = 0, process = %s RETURNING holders"
    return int(connection.exec_driver_sql(update, (process,)).scalar_one())


def holder(place: ServerPlace) -> str | None:
    """Return a description of the process that holds a job; None if none does."""
    database = PostgresDatabase(place, patient=False)
    try:
        return database.holder()
    finally:
        database.close()


def shown(url: str) -> str:
    """Return a database's URL without its user, password and options."""
    parts = _parsed(url)
    port = f":{parts.port}" if parts.port else ""
    return f"postgresql://{parts.host or ''}{port}/{parts.database or ''}"


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        # Its message may hold the password.
        raise CrawlerError(
            "LEDGER_URL: got a URL that cannot be read, takes "
            "postgresql+psycopg://HOST:PORT/DATABASE, with USER@ before HOST"
        ) from None


def _make_engine(place: ServerPlace) -> Any:
    is_printable = place.job.isprintable() and len(place.job.encode()) <= _LONGEST_NAME
    if not is_printable or place.job.startswith("pg_") or place.job == "information_schema":
        raise CrawlerError(
            f"job: got {place.job!r}, takes a name of at most {_LONGEST_NAME} bytes, without "
            "control characters, that PostgreSQL does not keep for itself; it names a schema of "
            "the database"
        )
    url = _parsed(place.url)
    arguments = {
        "application_name": _PROGRAM,
        "connect_timeout": _CONNECT_SECONDS,
        "tcp_user_timeout": _SILENT_MILLISECONDS,
        **_KEEPALIVE,
    }
    # Transactions begin and end with statements of their own, so that a single query needs none.
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        poolclass=NullPool,
        connect_args={name: value for name, value in arguments.items() if name not in url.query},
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
    )

    settings = "".join(f"; SET tcp_{name} TO {value}" for name, value in _KEEPALIVE.items())

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: object) -> None:
        connection.execute(f"SET search_path TO {_quoted(place.job)}{settings}")

    return engine


def _create_tables(connection: Connection, create: Callable[[Connection], None]) -> None:
    """Create the tables of a ledger, with the indexes that suit PostgreSQL."""
    for table in METADATA.sorted_tables:
        _create_table(connection, table)
    _SERVER.create_all(connection)
    connection.execute(HOLD.insert().values(holders=0, commits=0, process=""))
    create(connection)


def _create_table(connection: Connection, table: Table) -> None:
    columns = (Column(one.name, _type_of(one), nullable=one.nullable) for one in table.columns)
    connection.execute(CreateTable(Table(table.name, MetaData(), *columns)))
    if key := ", ".join(map(str, key_of(table, "postgresql"))):
        statement = f"CREATE UNIQUE INDEX {table.name}_key ON {table.name} ({key})"
        connection.exec_driver_sql(statement)
    for name in _HASH_INDEXES:
        table_name, _, column_name = name.partition(".")
        if table_name == table.name:
            connection.exec_driver_sql(
                f"CREATE INDEX {table_name}_{column_name} ON {table_name} USING hash "
                f"({column_name})"
            )
    for statement in _OTHER_INDEXES:
        if f" ON {table.name} " in statement:
            connection.exec_driver_sql(statement)


def _type_of(column: Column[Any]) -> Any:
    return String(collation="C") if isinstance(column.type, String) else column.type


def _has_table(connection: Connection, name: str) -> bool:
    query = "SELECT to_regclass(%s) IS NOT NULL"
    return bool(connection.exec_driver_sql(query, (name,)).scalar_one())


@cache
def describe_process() -> str:
    """Return a name of this process that no other has, on any machine."""
    return f"process {os.getpid()} on {os.uname().nodename} since {to_the_second(utc_now())} UTC"


def _locking_session(connection: Connection) -> int | None:
    """Return the process of the server that has the job's lock; None if none has it."""
    query = (
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid::bigint = %s "
        f"AND objid = ({_SCHEMA}) "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return connection.exec_driver_sql(query, (_LOCK_CLASS,)).scalar()


def _holder(connection: Connection) -> str | None:
    if _locking_session(connection) is None:
        return None
    if not _has_table(connection, "hold"):
        return "a process that creates it"
    return str(connection.exec_driver_sql("SELECT process FROM hold").scalar_one())


def _quoted(name: str) -> str:
    return sql.Identifier(name).as_string()


def _is_lost(problem: object, *, is_connected: bool) -> bool:
    """Return whether an error is one of the connection, rather than of a statement."""
    if not isinstance(problem, psycopg.OperationalError):
        return False
    if not is_connected:
        # A wrong password or name will not become right by waiting.
        return not _is_refusal(problem)
    state = problem.sqlstate
    return state is None or state.startswith(("08", "57P"))


def _is_refusal(problem: psycopg.OperationalError) -> bool:
    text = str(problem)
    return any(words in text for words in _REFUSALS)


def _error(name: str, problem: object) -> LedgerError:
    return LedgerError(f"the ledger {name}: {_in_one_line(problem)}; {_advice(problem)}")


def _in_one_line(problem: object) -> str:
    return " ".join(str(problem).split())


def _advice(problem: object) -> str:
    state = getattr(problem, "sqlstate", None) or ""
    if isinstance(problem, psycopg.OperationalError) and _is_refusal(problem):
        return (
            "check the names in LEDGER_URL, and the password in the file that PGPASSFILE names, or "
            "~/.pgpass, which only its owner may read"
        )
    if isinstance(problem, psycopg.OperationalError) and not state.startswith("53"):
        return (
            "check that the database is running and that LEDGER_URL leads to it; everything "
            "stored so far is safe: run the same command again to continue"
        )
    if state.startswith("53"):
        return "free disk space or connections of the database and run the same command again"
    if state.startswith("42501"):
        return (
            "let an administrator of the database run CREATE SCHEMA job AUTHORIZATION role, with "
            "the names of the job and of the role in LEDGER_URL"
        )
    if state in (_UNDEFINED_TABLE, _NO_SUCH_SCHEMA):
        return "check the name of the job, and that the role of LEDGER_URL may use its schema"
    return "everything stored so far is safe; run the same command again to continue"

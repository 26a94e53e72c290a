"""A job: a folder with a ledger, and the successive runs that continue the same crawl in it."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import msgspec
from sqlalchemy import func, or_, select, text, update

from crawler.crash import point
from crawler.crawl.ledger import history
from crawler.crawl.ledger.commits import Commits
from crawler.crawl.ledger.database import Database
from crawler.crawl.ledger.pages import Pages
from crawler.crawl.ledger.queueing import forget_source, queue
from crawler.crawl.ledger.recheck import Intervals
from crawler.crawl.ledger.rows import utc_now, verified_json
from crawler.crawl.ledger.schema import (
    FEEDS,
    JOB,
    METADATA,
    MIGRATIONS,
    PAGES,
    RECORDS,
    RUNS,
    VERSION,
)
from crawler.errors import CrawlerError
from crawler.exit_codes import HELD
from crawler.files import make_folder
from crawler.items import RECORDS as KINDS
from crawler.terminal import to_the_second

if TYPE_CHECKING:
    from sqlalchemy import Connection

logger = logging.getLogger(__name__)

FILE_NAME = "ledger.sqlite"
_IS_ITEM = RECORDS.c.kind == "item"
_MAY_BE_ARTICLE = or_(RECORDS.c.id.is_(None), PAGES.c.state == "article")
_LOCK_TRIES, _LOCK_RETRY_SECONDS = 5, 0.02


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a job: its number and when it began."""

    number: int
    began: datetime
    first_run: int
    """The run that started the crawl that this run continues.

    It is the first run since the last one that left nothing to fetch.
    """


class Job:
    """The ledger of one folder, open for writing by this process alone.

    ``folder`` is created if it does not exist. Raises CrawlerError, with exit code 75 if another
    process holds the job, 2 if it belongs to another publisher, 1 if the ledger cannot be opened.
    """

    def __init__(self, folder: Path, site: str, *, checks_site: bool = True) -> None:
        """Open the ledger, or create one for ``site``; it may be of another site if not checked."""
        self.folder = folder
        self._lock = _lock_folder(folder)
        try:
            self.database = _open(folder, site, checks_site=checks_site)
        except BaseException:
            self._lock.close()
            raise
        self.pages: Pages | None = None
        self.run: Run | None = None
        self.earlier_arguments: Mapping[str, str] = {}
        """Those that decided in the runs before which articles are followed."""
        self.feeds_failed = False
        """Whether a feed could not be written.

        The run is then left open, and the next run starts by writing its feeds.
        """

    def begin(
        self,
        began: datetime,
        arguments: Mapping[str, str],
        recheck: str,
        limit: int,
        intervals: Intervals,
        sync_seconds: float,
        on_failure: Callable[[CrawlerError], None] = lambda error: None,
        asked: Mapping[str, str] | None = None,
    ) -> bool:
        """Begin a run and queue the articles to request again.

        Returns whether its arguments equal those of the previous run. ``arguments`` are those that
        decide which articles are followed and from which source, ``recheck`` is one of
        ``arguments.RECHECKS``, ``limit`` the maximum number of articles to fetch (0: no limit),
        ``sync_seconds`` how long committed data may wait to become durable. ``asked`` are all
        arguments, for people to read later.
        """
        with self.database.transaction(durable=True) as connection:
            last = connection.execute(select(RUNS).order_by(RUNS.c.run.desc()).limit(1)).first()
            self.earlier_arguments = json.loads(last.arguments) if last else arguments
            if any(
                self.earlier_arguments.get(name) != arguments.get(name)
                for name in ("source", "at", "base_url")
            ):
                forget_source(connection)
            queue(connection, recheck, time.time(), intervals.longest, limit)
            finished = (
                connection.execute(select(func.max(RUNS.c.run)).where(RUNS.c.finished)).scalar()
                or 0
            )
            number = last.run + 1 if last else 1
            self._arguments = json.dumps(dict(sorted(arguments.items())), ensure_ascii=False)
            connection.execute(
                RUNS.insert().values(
                    run=number,
                    began=began.isoformat(timespec="microseconds"),
                    process=os.getpid(),
                    # The new arguments are stored when earlier articles are reconsidered.
                    arguments=last.arguments if last else self._arguments,
                    alive_at=utc_now(),
                    finished=False,
                    asked=None if asked is None else json.dumps(dict(asked), ensure_ascii=False),
                )
            )
        self.run = Run(number, began, finished + 1)
        commits = Commits(self.database, number, sync_seconds, on_failure)
        self.pages = Pages(commits, began, intervals)
        point("run begun")
        return last is None or last.arguments == self._arguments

    def note_reconsidered(self) -> None:
        """Record that this run's arguments were applied to all articles of earlier runs."""
        assert self.run is not None and self.pages is not None
        self.pages.commits.flush()
        if self.pages.commits.failed is not None:
            raise self.pages.commits.failed
        with self.database.transaction(durable=True) as connection:
            connection.execute(
                update(RUNS).where(RUNS.c.run == self.run.number).values(arguments=self._arguments)
            )

    def name_feeds(self, feeds: Mapping[str, int]) -> None:
        """Record the feeds that this run will write.

        ``feeds`` maps each URI to the current size of its file in bytes.
        """
        assert self.run is not None
        number = self.run.number
        rows = [
            {"run": number, "uri": uri, "options": "{}", "size": size}
            for uri, size in feeds.items()
        ]
        with self.database.transaction(durable=True) as connection:
            if rows:
                connection.execute(FEEDS.insert(), rows)
        point("feeds named")

    def aborted_runs(self) -> list[Run]:
        """Return the earlier runs that were killed or could not write their feeds."""
        assert self.run is not None
        query = (
            select(RUNS)
            .where(RUNS.c.ended.is_(None), RUNS.c.run < self.run.number)
            .order_by(RUNS.c.run)
        )
        with self.database.snapshot() as connection:
            rows = connection.execute(query).all()
        return [Run(row.run, datetime.fromisoformat(row.began), self.run.first_run) for row in rows]

    def feeds_of(self, run: Run) -> dict[str, int]:
        """Return the feeds that a run was to write.

        The value of each URI is the size of its file in bytes when the run began.
        """
        with self.database.snapshot() as connection:
            rows = connection.execute(select(FEEDS).where(FEEDS.c.run == run.number)).all()
        return {row.uri: row.size or 0 for row in rows}

    def has_article(self, run: Run, first: int) -> bool:
        """Return whether a run, or any since the run ``first``, stored an article."""
        query = (
            select(RECORDS.c.record)
            .outerjoin(PAGES, PAGES.c.id == RECORDS.c.id)
            .where(RECORDS.c.run.between(first, run.number))
            # An item is a record that an item pipeline replaced.
            .where(or_(RECORDS.c.kind == "article", _IS_ITEM & _MAY_BE_ARTICLE))
        )
        with self.database.snapshot() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def records_of(self, run: Run, first: int | None = None) -> Iterator[Any]:
        """Yield the records that a run, or all since the run ``first``, stored, in that order."""
        query = select(RECORDS).where(RECORDS.c.run.between(first or run.number, run.number))
        # Run comes first to use the index; record numbers grow with the runs.
        query = query.order_by(RECORDS.c.run, RECORDS.c.record)
        with self.database.snapshot() as connection:
            for row in connection.execute(query, execution_options={"yield_per": 100}):
                encoded = verified_json(row, self.database.path)
                try:
                    yield msgspec.json.decode(encoded, type=KINDS.get(row.kind, dict))
                except msgspec.ValidationError:
                    # Stored by another version of this program.
                    yield msgspec.json.decode(encoded)

    def end(self, run: Run, reason: str | None, exit_code: int | None = None) -> None:
        """Record that a run has ended and its feeds are written.

        ``reason`` and ``exit_code`` are None if the run was killed.
        """
        with self.database.transaction(durable=True) as connection:
            finished = reason == "finished" and not history.queued(connection)
            update_run = update(RUNS).where(RUNS.c.run == run.number)
            connection.execute(
                update_run.values(
                    ended=utc_now(), reason=reason, finished=finished, exit_code=exit_code
                )
            )
        point("run ended")

    def balance(self) -> history.Balance:
        with self.database.snapshot() as connection:
            return history.balance(connection)

    def next_due(self) -> str | None:
        with self.database.snapshot() as connection:
            due = history.next_due(connection)
        return f"{to_the_second(due)} UTC" if due else None

    def outcomes(self, run: Run) -> Counter[str]:
        with self.database.snapshot() as connection:
            return history.outcomes(connection, run.number)

    def close(self) -> None:
        """Close the ledger and release the lock."""
        self.database.close()
        self._lock.close()


def read(folder: Path) -> Database:
    """Open a job's ledger for reading, even while a run writes to it.

    A ledger with an older schema is migrated first. Raises CrawlerError if there is no ledger or it
    cannot be read.
    """
    path = folder / FILE_NAME
    if folder.exists() and not folder.is_dir():
        raise CrawlerError(f"job: {folder} is a file; takes a folder")
    if not path.exists():
        raise CrawlerError(
            f"job: {folder} holds no ledger ({FILE_NAME}); takes the folder of a job, such as "
            "--job output/jobs/NAME"
        )
    if _version(database := Database(path), path) < VERSION:
        database.close()
        job = Job(folder, "")
        job.close()
        database = Database(path)
    return database


def correct_exit_code(folder: Path, run: Run, exit_code: int) -> None:
    """Record the exit code of a run that changed after it had ended, such as by its report.

    The job may be held by the next run already. Raises LedgerError if it cannot be stored.
    """
    database = _open(folder, "", checks_site=False)
    try:
        with database.transaction(durable=True) as connection:
            of_run = (RUNS.c.run == run.number) & RUNS.c.ended.is_not(None)
            connection.execute(update(RUNS).where(of_run).values(exit_code=exit_code))
    finally:
        database.close()


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


def _open(folder: Path, site: str, *, checks_site: bool) -> Database:
    path = folder / FILE_NAME

    def create(connection: Connection) -> None:
        METADATA.create_all(connection)
        connection.execute(JOB.insert().values(version=VERSION, site=site, places=0))

    database = Database(path, create=create)
    try:
        version = _version(database, path)
        database.begin_log()
        _migrate(database, path, version)
        with database.snapshot() as connection:
            stored_site = connection.execute(select(JOB.c.site)).scalar_one()
        if checks_site and site and stored_site != site:
            raise CrawlerError(
                f"job: {folder} holds a crawl of {stored_site}; takes another folder for {site}"
            )
    except BaseException:
        database.close()
        raise
    return database


def _version(database: Database, path: Path) -> int:
    with database.snapshot() as connection:
        version = connection.execute(select(JOB.c.version)).scalar_one()
    if version > VERSION:
        raise CrawlerError(
            f"the ledger {path} was written by a newer version of this program "
            f"(schema {version}, here {VERSION}); use that version",
            exit_code=1,
        )
    return int(version)


def _migrate(database: Database, path: Path, version: int) -> None:
    if version == VERSION:
        return
    logger.info("%s: migrating from schema %d to %d", path, version, VERSION)
    with database.transaction(durable=True) as connection:
        for old_version in range(version, VERSION):
            for statement in MIGRATIONS[old_version]:
                connection.execute(text(statement) if isinstance(statement, str) else statement)
        connection.execute(update(JOB).values(version=VERSION))


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

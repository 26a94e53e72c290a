"""A job: a folder with a ledger, and the runs that go on from one another in it."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import msgspec
from sqlalchemy import func, select, text, update

from crawler.errors import CrawlerError
from crawler.items import RECORDS as KINDS
from crawler.ledger import history
from crawler.ledger.crash import point
from crawler.ledger.database import Database
from crawler.ledger.pages import Pages, queue, utc_now
from crawler.ledger.recheck import Intervals
from crawler.ledger.schema import FEEDS, JOB, METADATA, MIGRATIONS, RECORDS, RUNS, VERSION

logger = logging.getLogger(__name__)

FILE_NAME = "ledger.sqlite"
HELD = 75
"""Exit code of a run whose job another process holds (EX_TEMPFAIL of sysexits.h: try again later)."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a job: its number and when it began."""

    number: int
    began: datetime
    began_before: int
    """The first run since the last that left nothing to fetch: where the crawl began that this run goes on with."""


class Job:
    """The ledger of one folder, open for writing by this process alone.

    ``folder`` is made if it is not there. CrawlerError, with exit code 75 if another process holds the job, 2 if it is of
    another site, 1 if the ledger cannot be opened.
    """

    def __init__(self, folder: Path, site: str) -> None:
        self.folder = folder
        self._lock = _lock(folder)
        try:
            self.database = _open(folder, site)
        except BaseException:
            self._lock.close()
            raise
        self.pages: Pages | None = None
        self.run: Run | None = None
        self.feeds_failed = False
        """Whether a feed could not be written; the run is then not ended, and the next one begins with its feeds."""

    def begin(self, began: datetime, arguments: Mapping[str, str], recheck: str, intervals: Intervals, sync_seconds: float) -> bool:
        """Begin a run, with what is to be asked for again queued. Return whether its arguments are those of the run before."""
        queue(self.database, recheck, time.time(), intervals.longest)
        with self.database.transaction(durable=True) as connection:
            last = connection.execute(select(RUNS).order_by(RUNS.c.run.desc()).limit(1)).first()
            finished = connection.execute(select(func.max(RUNS.c.run)).where(RUNS.c.finished)).scalar() or 0
            number = last.run + 1 if last else 1
            told = json.dumps(dict(sorted(arguments.items())), ensure_ascii=False)
            connection.execute(
                RUNS.insert().values(
                    run=number,
                    began=began.isoformat(timespec="microseconds"),
                    process=os.getpid(),
                    arguments=told,
                    alive_at=utc_now(),
                    finished=False,
                )
            )
        self.run = Run(number, began, finished + 1)
        self.pages = Pages(self.database, number, intervals, sync_seconds)
        point("run begun")
        return last is None or last.arguments == told

    def name_feeds(self, feeds: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep which feeds this run is to write: URIs, and their options as JSON can hold them."""
        assert self.run is not None
        rows = [{"run": self.run.number, "uri": uri, "options": json.dumps(options)} for uri, options in feeds.items()]
        with self.database.transaction(durable=True) as connection:
            if rows:
                connection.execute(FEEDS.insert(), rows)
        point("feeds named")

    def broken_off(self) -> list[Run]:
        """The runs before this one that were killed, or could not write their feeds."""
        assert self.run is not None
        query = select(RUNS).where(RUNS.c.ended.is_(None), RUNS.c.run < self.run.number).order_by(RUNS.c.run)
        with self.database.snapshot() as connection:
            rows = connection.execute(query).all()
        return [Run(row.run, datetime.fromisoformat(row.began), self.run.began_before) for row in rows]

    def feeds_of(self, run: Run) -> dict[str, dict[str, Any]]:
        """The feeds that a run was to write."""
        with self.database.snapshot() as connection:
            rows = connection.execute(select(FEEDS).where(FEEDS.c.run == run.number)).all()
        return {row.uri: json.loads(row.options) for row in rows}

    def records_of(self, run: Run, first: int | None = None) -> Iterator[Any]:
        """The records that a run stored, or all since the run ``first``, in the order in which they were stored."""
        query = select(RECORDS.c.kind, RECORDS.c.json).where(RECORDS.c.run.between(first or run.number, run.number))
        query = query.order_by(RECORDS.c.record)
        with self.database.snapshot() as connection:
            for row in connection.execute(query, execution_options={"yield_per": 100}):
                try:
                    yield msgspec.json.decode(row.json, type=KINDS.get(row.kind, dict))
                except msgspec.ValidationError:
                    # Stored by another version of this program.
                    yield msgspec.json.decode(row.json)

    def end(self, run: Run, reason: str | None) -> None:
        """Keep that a run has ended and its feeds are written; ``reason`` is None if it was killed."""
        with self.database.transaction(durable=True) as connection:
            finished = reason == "finished" and not history.queued(connection)
            change = update(RUNS).where(RUNS.c.run == run.number)
            connection.execute(change.values(ended=utc_now(), reason=reason, finished=finished))
        point("run ended")

    def balance(self) -> history.Balance:
        with self.database.snapshot() as connection:
            return history.balance(connection)

    def next_due(self) -> str | None:
        with self.database.snapshot() as connection:
            return history.next_due(connection)

    def outcomes(self, run: Run) -> Counter[str]:
        with self.database.snapshot() as connection:
            return history.outcomes(connection, run.number)

    def close(self) -> None:
        """Let go of the ledger; another process may have it."""
        self.database.close()
        self._lock.close()


def read(folder: Path) -> Database:
    """Open a job's ledger for reading, also while a run writes to it. CrawlerError if there is none, or it cannot be read."""
    path = folder / FILE_NAME
    if not path.exists():
        raise CrawlerError(f"JOBDIR: {folder} holds no ledger ({FILE_NAME}); give the JOBDIR of a crawl")
    if _version(database := Database(path), path) < VERSION:
        database.close()
        job = Job(folder, "")
        job.close()
        database = Database(path)
    return database


def holder(folder: Path) -> str | None:
    """Say which process holds a job; None if none does."""
    try:
        with (folder / "lock").open(encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return (folder / "lock").read_text(encoding="utf-8").strip()
    except OSError:
        return None
    return None


def _open(folder: Path, site: str) -> Database:
    path = folder / FILE_NAME
    new = not path.exists()
    database = Database(path, schema=METADATA)
    try:
        if new or _version(database, path) == 0:
            with database.transaction(durable=True) as connection:
                connection.execute(JOB.insert().values(version=VERSION, site=site, places=0))
        _migrate(database, path)
        with database.snapshot() as connection:
            its_site = connection.execute(select(JOB.c.site)).scalar_one()
        if site and its_site != site:
            raise CrawlerError(f"JOBDIR: {folder} holds a crawl of {its_site}; takes another folder for {site}")
    except BaseException:
        database.close()
        raise
    return database


def _version(database: Database, path: Path) -> int:
    """The schema of a ledger; 0 for one that was killed while it was made."""
    with database.snapshot() as connection:
        version = connection.execute(select(JOB.c.version)).scalar() or 0
    if version > VERSION:
        raise CrawlerError(
            f"the ledger {path} is of a newer version of this program (schema {version}, here {VERSION}); use that", exit_code=1
        )
    return int(version)


def _migrate(database: Database, path: Path) -> None:
    version = _version(database, path)
    if version == VERSION:
        return
    logger.info("%s: from schema %d to %d", path, version, VERSION)
    with database.transaction(durable=True) as connection:
        for older in range(version, VERSION):
            for statement in MIGRATIONS[older]:
                connection.execute(text(statement))
        connection.execute(update(JOB).values(version=VERSION))


def _lock(folder: Path) -> IO[str]:
    """Hold the folder for as long as this process lives. The kernel lets go of it when the process ends, however it ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise CrawlerError(f"JOBDIR: {folder} cannot be written ({error.strerror}); give a folder that can be", exit_code=1) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip() or "another process"
        lock.close()
        raise CrawlerError(f"JOBDIR: {folder} is held by {holder}; run again when it has ended", exit_code=HELD) from None
    except OSError as error:
        lock.close()
        raise CrawlerError(f"JOBDIR: {folder} cannot be locked ({error.strerror}); give one on a local disk", exit_code=1) from error
    try:
        lock.seek(0)
        lock.truncate()
        lock.write(f"process {os.getpid()} on {os.uname().nodename} since {utc_now()}\n")
        lock.flush()
    except OSError as error:
        lock.close()
        raise CrawlerError(f"JOBDIR: {folder} cannot be written ({error.strerror}); make room in it", exit_code=1) from error
    return lock

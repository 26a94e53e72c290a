"""A job: a folder with a ledger, and the successive runs that continue the same crawl in it."""

from __future__ import annotations

import json
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec
from sqlalchemy import delete, func, or_, select, update

from crawler.crash import point
from crawler.crawl.ledger import history, migrations
from crawler.crawl.ledger.commits import Commits
from crawler.crawl.ledger.pages import Pages
from crawler.crawl.ledger.queueing import forget_source, queue
from crawler.crawl.ledger.recheck import Intervals
from crawler.crawl.ledger.record_json import verified_json
from crawler.crawl.ledger.schema import (
    FEEDS,
    JOB,
    PAGES,
    RECORDS,
    RUNS,
    VERSION,
)
from crawler.errors import CrawlerError, HoldLostError
from crawler.items import RECORDS as KINDS
from crawler.terminal import to_the_second

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from crawler.crawl.ledger.database import Database
    from crawler.crawl.ledger.places import Place

logger = logging.getLogger(__name__)

_LAST_FINISHED = select(func.max(RUNS.c.run)).where(RUNS.c.finished)
_IS_ITEM = RECORDS.c.kind == "item"
_MAY_BE_ARTICLE = or_(RECORDS.c.id.is_(None), PAGES.c.state == "article")


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a job: its number and when it began."""

    number: int
    began: datetime
    first_run: int
    """The run that started the crawl that this run continues.

    It is the first run since the last one that left nothing to fetch.
    """


class StoredRecord(NamedTuple):
    """A record in the ledger: its type, and its JSON.

    ``is_own`` if this process stored it; another version of this program may have stored others.
    """

    type: type
    json: bytes
    is_own: bool

    def decoded(self) -> Any:
        """Return the record, or a dictionary if another version stored it that has other fields."""
        try:
            return msgspec.json.decode(self.json, type=self.type)
        except msgspec.ValidationError:
            return msgspec.json.decode(self.json)


class Succession(Protocol):
    """Decides which run the next writer of a shared job continues, when it takes the job over."""

    def adopts(self, connection: Connection, run: int, ended: str | None) -> bool:
        """Return whether the last run goes on; ``ended`` is when its feeds were written, if so.

        Raises CrawlerError if this process belongs to that run, and it has ended.
        """
        ...

    def begin(self, connection: Connection, run: int) -> None:
        """Note, in the same transaction, that a new run begins."""
        ...


class Job:
    """The ledger of one job, open for writing by this process alone.

    Raises CrawlerError, with exit code 75 if another process holds the job, 2 if it belongs to
    another publisher, 1 if the ledger cannot be opened.
    """

    def __init__(self, place: Place, site: str, *, checks_site: bool = True) -> None:
        """Open the ledger, or create one for ``site``; it may be of another site if not checked."""
        self.place = place
        self.database = place.hold(partial(_create, site))
        try:
            _prepare(self.database)
            if checks_site and site:
                _check_site(self.database, place, site)
        except BaseException:
            self.database.close()
            raise
        self.pages: Pages | None = None
        self.run: Run | None = None
        self.earlier_arguments: Mapping[str, str] = {}
        """Those that decided in the runs before which articles are followed."""
        self.adopted: Counter[str] = Counter()
        """The outcomes of the fetches of this run by processes before this one."""
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
        succession: Succession | None = None,
    ) -> bool:
        """Begin a run and queue the articles to request again.

        Returns whether its arguments equal those of the previous run. ``arguments`` are those that
        decide which articles are followed and from which source, ``recheck`` is one of
        ``arguments.RECHECKS``, ``limit`` the maximum number of articles to fetch (0: no limit),
        ``sync_seconds`` how long committed data may wait to become durable. ``asked`` are all
        arguments, for people to read later. With a ``succession``, this may be a run that another
        process began, and that this one continues.
        """
        self._arguments = json.dumps(dict(sorted(arguments.items())), ensure_ascii=False)

        def write(connection: Connection) -> tuple[Any, Run, bool]:
            last = connection.execute(select(RUNS).order_by(RUNS.c.run.desc()).limit(1)).first()
            self.earlier_arguments = json.loads(last.arguments) if last else arguments
            finished = connection.execute(_LAST_FINISHED).scalar() or 0
            if last and succession and succession.adopts(connection, last.run, last.ended):
                run = Run(last.run, datetime.fromisoformat(last.began), finished + 1)
                return last, run, True
            if any(
                self.earlier_arguments.get(name) != arguments.get(name)
                for name in ("source", "at", "base_url")
            ):
                forget_source(connection)
            queue(connection, recheck, self.database.now(), intervals.longest, limit)
            number = last.run + 1 if last else 1
            connection.execute(
                RUNS.insert().values(
                    run=number,
                    began=began.isoformat(timespec="microseconds"),
                    process=os.getpid(),
                    # The new arguments are stored when earlier articles are reconsidered.
                    arguments=last.arguments if last else self._arguments,
                    alive_at=self.database.now_text(),
                    finished=False,
                    asked=None if asked is None else json.dumps(dict(asked), ensure_ascii=False),
                )
            )
            if succession:
                succession.begin(connection, number)
            return last, Run(number, began, finished + 1), False

        last, self.run, is_adopted = self.database.store(write, durable=True)
        if is_adopted:
            self.adopted = self.outcomes(self.run)
        commits = Commits(self.database, self.run.number, sync_seconds, on_failure)
        self.pages = Pages(commits, self.run.began, intervals)
        point("run begun")
        return last is None or last.arguments == self._arguments

    @property
    def fetched(self) -> int:
        """The number of articles that other processes fetched in this run."""
        return self.adopted.total() - self.adopted["list"]

    @property
    def seconds(self) -> float:
        """How long the run has lasted, by the clock of the ledger."""
        assert self.run is not None
        return self.database.now() - self.run.began.timestamp()

    def note_reconsidered(self) -> None:
        """Record that this run's arguments were applied to all articles of earlier runs."""
        assert self.run is not None and self.pages is not None
        self.pages.commits.flush()
        if self.pages.commits.failed is not None:
            raise self.pages.commits.failed
        of_run = update(RUNS).where(RUNS.c.run == self.run.number)
        self.database.store(
            lambda connection: connection.execute(of_run.values(arguments=self._arguments)),
            durable=True,
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

        def write(connection: Connection) -> None:
            # Another process may have begun this run, with feeds of its own.
            connection.execute(delete(FEEDS).where(FEEDS.c.run == number))
            if rows:
                connection.execute(FEEDS.insert(), rows)

        self.database.store(write, durable=True)
        point("feeds named")

    def aborted_runs(self) -> list[Run]:
        """Return the earlier runs that were killed or could not write their feeds."""
        assert self.run is not None
        query = (
            select(RUNS)
            .where(RUNS.c.ended.is_(None), RUNS.c.run < self.run.number)
            .order_by(RUNS.c.run)
        )
        rows = self.database.rows(query)
        return [Run(row.run, datetime.fromisoformat(row.began), self.run.first_run) for row in rows]

    def feeds_of(self, run: Run) -> dict[str, int]:
        """Return the feeds that a run was to write.

        The value of each URI is the size of its file in bytes when the run began.
        """
        rows = self.database.rows(select(FEEDS).where(FEEDS.c.run == run.number))
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
        return bool(self.database.rows(query.limit(1)))

    def records_of(self, run: Run, first: int | None = None) -> Iterator[StoredRecord]:
        """Yield the records that a run, or all since the run ``first``, stored, in that order."""
        assert self.pages is not None
        first_own = self.pages.first_own_record
        query = select(RECORDS).where(RECORDS.c.run.between(first or run.number, run.number))
        # Run comes first to use the index; record numbers grow with the runs.
        query = query.order_by(RECORDS.c.run, RECORDS.c.record)
        with self.database.snapshot() as connection:
            for row in history.stream(connection, query):
                encoded = verified_json(row, self.database.name)
                is_own = row.record >= first_own
                yield StoredRecord(KINDS.get(row.kind, dict), encoded, is_own)

    def end(self, run: Run, reason: str | None, exit_code: int | None = None) -> None:
        """Record that a run has ended and its feeds are written.

        ``reason`` and ``exit_code`` are None if the run was killed.
        """

        def write(connection: Connection) -> None:
            finished = reason == "finished" and not history.queued(connection)
            update_run = update(RUNS).where(RUNS.c.run == run.number)
            values = {"reason": reason, "finished": finished, "exit_code": exit_code}
            connection.execute(update_run.values(ended=self.database.now_text(), **values))

        try:
            self.database.store(write, durable=True)
        except HoldLostError:
            # The connection was lost. If that was after the commit, all is done.
            if not self._has_ended(run):
                raise
        point("run ended")

    def _has_ended(self, run: Run) -> bool:
        """Return whether a run has ended, whichever process holds the job now."""
        database = self.place.open()
        try:
            query = select(RUNS.c.ended).where(RUNS.c.run == run.number)
            return any(row.ended is not None for row in database.rows(query))
        finally:
            database.close()

    def balance(self) -> history.Balance:
        return self.database.read(history.balance)

    def next_due(self) -> str | None:
        due = self.database.read(history.next_due)
        return f"{to_the_second(due)} UTC" if due else None

    def outcomes(self, run: Run) -> Counter[str]:
        return self.database.read(partial(history.outcomes, run=run.number))

    def close(self) -> None:
        """Close the ledger, so that another process may hold the job."""
        self.database.close()


def read(place: Place) -> Database:
    """Open a job's ledger for reading, even while a run writes to it.

    A ledger with an older schema is migrated first. Raises CrawlerError if there is no ledger or it
    cannot be read.
    """
    database = place.read()
    try:
        is_current = _version(database) == VERSION
    except BaseException:
        database.close()
        raise
    if is_current:
        return database
    database.close()
    Job(place, "").close()
    return place.read()


def correct_exit_code(place: Place, run: Run, exit_code: int) -> None:
    """Record the exit code of a run that changed after it had ended, such as by its report.

    The job may be held by the next run already. Raises LedgerError if it cannot be stored.
    """
    database = place.open()
    of_run = (RUNS.c.run == run.number) & RUNS.c.ended.is_not(None)
    try:
        database.store(
            lambda connection: connection.execute(
                update(RUNS).where(of_run).values(exit_code=exit_code)
            ),
            durable=True,
        )
    finally:
        database.close()


def _create(site: str, connection: Connection) -> None:
    """Describe a new ledger, whose tables exist."""
    connection.execute(JOB.insert().values(version=VERSION, site=site, places=0))


def _prepare(database: Database) -> None:
    """Migrate a ledger that an older version of this program wrote."""
    version = _version(database)
    database.begin_log()
    if version == VERSION:
        return
    logger.info("%s: migrating from schema %d to %d", database.name, version, VERSION)

    def migrate(connection: Connection) -> None:
        for old_version in range(version, VERSION):
            migrations.migrate(database, connection, old_version)
        connection.execute(update(JOB).values(version=VERSION))

    database.store(migrate, durable=True)


def _check_site(database: Database, place: Place, site: str) -> None:
    [row] = database.rows(select(JOB.c.site))
    if row.site != site:
        raise CrawlerError(
            f"job: {place.name} holds a crawl of {row.site}; takes another job for {site}"
        )


def _version(database: Database) -> int:
    [row] = database.rows(select(JOB.c.version))
    if row.version > VERSION:
        raise CrawlerError(
            f"the ledger {database.name} was written by a newer version of this program "
            f"(schema {row.version}, here {VERSION}); use that version",
            exit_code=1,
        )
    return int(row.version)

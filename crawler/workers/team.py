"""One worker's access to the tables that the workers of a job share."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from sqlalchemy import select

from crawler.crawl.ledger import history
from crawler.crawl.ledger.database import Upsert, execute_many
from crawler.crawl.ledger.postgresql import PostgresDatabase, describe_process
from crawler.crawl.ledger.schema import ARCHIVED, RUNS
from crawler.errors import LedgerError
from crawler.middlewares.robots import CACHE_SECONDS, RobotsFile
from crawler.workers import schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import Connection

    from crawler.crawl.ledger.places import ServerPlace
    from crawler.warc.archived import Archived

_BEATS_A_LEASE = 4
_UPSERT_ARCHIVED = Upsert(ARCHIVED)
_Result = TypeVar("_Result")


class Lease(NamedTuple):
    """A page that this worker has: its number, the request as bytes, and how often it was taken."""

    number: int
    request: bytes
    tries: int


class Peer(NamedTuple):
    """Another worker that is alive: its process, its run, and the arguments of that, as JSON.

    ``run`` is 0 before it has joined one; ``is_leaving`` once it has been told to stop.
    """

    process: str
    run: int
    asked: str
    is_leaving: bool


class JobRun(NamedTuple):
    """A run of the job; ``ended`` once its feeds are written."""

    number: int
    ended: bool
    exit_code: int | None


class Team:
    """The tables as one worker uses them. Every method raises LedgerError on failure.

    A lease lasts ``lease_seconds`` from each heartbeat of its worker.
    """

    def __init__(self, place: ServerPlace, lease_seconds: float) -> None:
        self.place = place
        self.lease_seconds = lease_seconds
        self.worker = 0
        self.held: set[int] = set()
        """The leases that this worker has and has not delivered."""
        self.failed: LedgerError | None = None
        self._database = PostgresDatabase(place)
        self._taking = threading.Lock()
        self._ending = threading.Event()
        self._beats: threading.Thread | None = None
        self._prepare()

    def _prepare(self) -> None:
        self._database.ensure_schema()

        def create(connection: Connection) -> None:
            self._database.lock_transaction(schema.CREATING)
            for statement in schema.CREATE:
                connection.exec_driver_sql(statement)

        self._database.store(create)

    # Membership

    def others(self) -> list[Peer]:
        """Return the other workers that are alive."""
        return [Peer(*row) for row in self._rows(schema.OTHERS, self.worker)]

    def run(self, number: int | None = None) -> JobRun | None:
        """Return a run of the job, by default the last; None if there is none, or no ledger yet."""
        if not self._database.has_tables():
            return None
        query = select(RUNS.c.run, RUNS.c.ended, RUNS.c.exit_code).order_by(RUNS.c.run.desc())
        if number is not None:
            query = query.where(RUNS.c.run == number)
        row = next(iter(self._database.rows(query.limit(1))), None)
        return JobRun(row.run, row.ended is not None, row.exit_code) if row else None

    def holder(self) -> str | None:
        """Return the process that holds the job; None if none does."""
        return self._database.holder() if self._database.has_tables() else None

    def last_holder(self) -> str | None:
        """Return the process that holds the job, or was the last to do so."""
        return next((row.process for row in self._rows(schema.LAST_HOLDER)), None)

    def end_silent_holder(self) -> bool:
        """Cut off the holder of the job if it was a worker that has stopped answering."""
        [(is_silent,)] = self._rows(schema.HOLDER_IS_SILENT)
        return bool(is_silent) and self._database.end_holder()

    def is_worker(self, process: str) -> bool:
        """Return whether a process is, or was, one of the workers of this job."""
        return bool(self._rows(schema.IS_WORKER, process))

    def work_on(self, run: int) -> None:
        """Note the run that this worker has joined."""
        self._rows(schema.WORK_ON, run, self.worker)

    def join(self, run: int, asked: str) -> None:
        """Begin to work on a run, or go on as a new worker after being away for too long."""
        values = (describe_process(), run, asked, self.lease_seconds)
        [(self.worker,)] = self._rows(schema.JOIN, *values)
        self.held.clear()
        if self._beats is None:
            self._beats = threading.Thread(target=self._beat, daemon=True)
            self._beats.start()

    def _beat(self) -> None:
        """Renew the leases, in a thread, so that a busy event loop does not look like a death."""
        database: PostgresDatabase | None = None
        try:
            database = PostgresDatabase(self.place)
            while not self._ending.wait(self.lease_seconds / _BEATS_A_LEASE):
                with self._taking:
                    database.store(partial(self._renew, list(self.held)))
        except LedgerError as error:
            self.failed = error
        finally:
            if database is not None:
                database.close()

    def _renew(self, held: list[int], connection: Connection) -> None:
        connection.exec_driver_sql(schema.RENEW, (self.lease_seconds, self.worker))
        connection.exec_driver_sql(schema.DROP_UNKNOWN, (self.worker, held))

    def begin_to_leave(self) -> None:
        """Let the others know that this worker has been told to stop."""
        self._rows(schema.BEGIN_TO_LEAVE, self.worker)

    def leave(self) -> None:
        """Give all leases back, and stop being a worker."""
        self._ending.set()
        if self._beats is not None:
            self._beats.join()
        if self.worker:
            self._rows(schema.DROP_UNKNOWN, self.worker, [])
            self._rows(schema.LEAVE, self.worker)

    def close(self) -> None:
        self._ending.set()
        self._database.close()

    # Pages

    def take(self, count: int, most_of_host: int) -> list[Lease]:
        """Take up to ``count`` free pages, at most ``most_of_host`` of a host for all workers."""
        values = {"worker": self.worker, "count": count, "most": most_of_host}

        def act(connection: Connection) -> list[Lease]:
            # Two workers that count at the same time would take too many of a host.
            self._database.lock_transaction(schema.TAKING)
            return [Lease(*row) for row in connection.exec_driver_sql(schema.TAKE, values)]

        with self._taking:
            taken = self._store_loosely(act)
            self.held.update(lease.number for lease in taken)
        return taken

    def give_back(self, lease: int) -> None:
        """Let another worker take a page."""
        self._rows(schema.FREE_HOSTS, self.worker, [lease])
        self._rows(schema.RELEASE, self.worker, [lease])
        self.held.discard(lease)

    def deliver(self, results: dict[int, bytes], archived: Iterable[Archived]) -> int:
        """Store the results of pages; return how many were refused.

        A page that another worker has taken over meanwhile is refused.
        """
        rows = sorted(archived)
        values = {
            "worker": self.worker,
            "leases": list(results),
            "contents": list(results.values()),
        }

        def act(connection: Connection) -> int:
            accepted: int = connection.exec_driver_sql(schema.DELIVER, values).scalar_one()
            if rows:
                execute_many(connection, _UPSERT_ARCHIVED, rows)
            return accepted

        accepted = self._store_loosely(act)
        self.held.difference_update(results)
        return len(results) - accepted

    def archived(self, url: str) -> Archived | None:
        """Return where the last response with a page from a URL is archived; None if it is not."""
        return self._database.read(partial(history.archived, url=url))

    # Politeness

    def turn(self, host: str, delay: float, seconds: float) -> float:
        """Take the turn for a request to a host; return 0, or how many seconds to wait for it.

        Until it is reported as sent, nobody else gets a turn, unless that takes longer than
        ``seconds``. After it was sent, the next has to wait for ``delay`` seconds.
        """
        if self._rows(schema.TAKE_TURN, delay, seconds + delay, host):
            return 0.0
        rows = self._rows(schema.TURN_AT, host)
        if not rows:
            self._rows(schema.ADD_HOST, host)
            return self.turn(host, delay, seconds)
        [(remaining, is_sending)] = rows
        return max(float(remaining), 0.01 if is_sending else 0.001)

    def pause_of(self, host: str) -> float:
        """Return for how many more seconds nobody may send a request to a host."""
        return next((float(remaining) for remaining, _ in self._rows(schema.TURN_AT, host)), 0.0)

    def sent(self, host: str, delay: float) -> None:
        """Note that a request to a host was sent, or could not be."""
        self._rows(schema.SENT, delay, host)

    def pause(self, host: str, seconds: float) -> None:
        """Let no worker send a request to a host for some time."""
        self._rows(schema.PAUSE, host, seconds)

    def claim_robots(self, site: str) -> bool:
        """Return whether this worker is the one to request a site's robots.txt."""
        return bool(self._rows(schema.CLAIM_ROBOTS, site, self.worker, CACHE_SECONDS))

    def store_robots(self, site: str, file: RobotsFile) -> None:
        self._rows(schema.STORE_ROBOTS, file.body, file.reason, file.fault, site)

    def robots(self, site: str) -> RobotsFile | None:
        """Return the robots.txt of a site; None if nobody has requested it yet."""
        rows = self._rows(schema.ROBOTS, site)
        if not rows:
            return None
        [(body, reason, fault)] = rows
        return RobotsFile(None if body is None else bytes(body), reason, fault)

    def _store_loosely(self, write: Callable[[Connection], _Result]) -> _Result:
        """Store something that a crash of the database may undo: a page is then fetched again.

        Everything else that the workers agree on must outlive a crash, since they do.
        """

        def act(connection: Connection) -> _Result:
            connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
            return write(connection)

        return self._database.store(act)

    def _rows(self, statement: str, *values: Any) -> list[Any]:
        return self._database.run(statement, values)

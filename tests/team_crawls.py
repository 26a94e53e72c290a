"""Crawls by several workers on one job, each in a folder of its own, as on a machine of its own."""

import re
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kill
from conftest import PATIENCE, read_records, wait_until
from databases import CuttingProxy, Server
from ledger_contents import contents, differences
from psycopg import Connection, OperationalError

from crawler.crawl.ledger.places import FolderPlace, ServerPlace

JOB = "shared"
LEASE = 2.0
"""The WORKER_LEASE of the tests, in seconds."""
JOIN = ("-s", "WORKERS=join", "-s", f"WORKER_LEASE={LEASE}", "-s", f"JOB={JOB}")


@dataclass(frozen=True)
class Truth:
    """What a crawl by one process without a database stored, and what it wrote to its feeds."""

    ledger: dict[str, list[Any]]
    records: dict[str, dict[str, Any]]
    exit_code: int


def truth_of(words: list[str], folder: Path, **variables: str) -> Truth:
    """Crawl in one process, with the ledger in SQLite."""
    folder.mkdir()
    done = kill.run([*words, "-s", "JOBDIR=job"], folder, **{"LEDGER_URL": "", **variables})
    assert done.returncode in (0, 3), done.stdout[-3000:]
    assert "Traceback" not in done.stdout, done.stdout
    ledger = contents(FolderPlace(folder / "job"))
    return Truth(ledger, kill.lasting(feeds_in(folder)), done.returncode)


def feeds_in(*folders: Path) -> list[dict[str, Any]]:
    """Return the records of the default feeds in some folders."""
    files = (feed for folder in folders for feed in sorted((folder / "output").rglob("*.jsonl")))
    return [record for feed in files for record in read_records(feed)]


class Worker:
    """One worker of a team."""

    def __init__(
        self, words: list[str], folder: Path, proxy: CuttingProxy, variables: dict[str, str]
    ) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.proxy = proxy
        """The proxy through which it reaches the database."""
        self.was_killed = False
        self._resuming: list[threading.Timer] = []
        self._process = kill.start(words, folder, **variables)

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    @property
    def log(self) -> str:
        log = self.folder / "log"
        return log.read_text(encoding="utf-8") if log.exists() else ""

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        self.was_killed = True
        self._process.kill()
        self._process.wait()

    def stop_for(self, seconds: float) -> None:
        """Stop the process; it goes on after so many seconds, and this returns at once."""
        self.signal(signal.SIGSTOP)
        timer = threading.Timer(seconds, self._resume)
        self._resuming.append(timer)
        timer.start()

    def _resume(self) -> None:
        if self.is_alive:
            self.signal(signal.SIGCONT)

    def fall_silent_for(self, seconds: float) -> None:
        """Let nothing pass between the worker and the database for so many seconds."""
        self.proxy.speaks.clear()
        timer = threading.Timer(seconds, self.proxy.speaks.set)
        self._resuming.append(timer)
        timer.start()

    def exit_code(self, seconds: float = PATIENCE) -> int:
        """Return its exit code, once it has ended. Raises AssertionError if it does not."""
        return kill.wait_for_end(self._process, self.folder, seconds).returncode

    def close(self) -> None:
        for timer in self._resuming:
            timer.cancel()
        if self.is_alive:
            self.kill()
        self.proxy.__exit__()


class Team:
    """Workers that run the same command, and the job that they share.

    Each reaches the database through a proxy of its own.
    """

    def __init__(
        self, words: list[str], folder: Path, server: Server, database: str, **variables: str
    ) -> None:
        self.server = server
        command, *rest = words
        # What the words set counts more.
        self.words = [command, *JOIN, *rest]
        self.place = ServerPlace(server.url(database), JOB, None, PATIENCE)
        self.workers: list[Worker] = []
        self._left: list[Worker] = []
        self._folder = folder
        self._database = database
        self._variables = variables
        self._connection: Connection[Any] | None = None

    def start(self, *words: object, **variables: str) -> Worker:
        """Start one more worker, with additional words of the command and variables."""
        proxy = CuttingProxy(self.server.port)
        url = self.server.url(self._database, port=proxy.port)
        worker = Worker(
            [*self.words, *map(str, words)],
            self._folder / f"worker {len(self.workers) + len(self._left)}",
            proxy,
            {**self._variables, "LEDGER_URL": url, **variables},
        )
        self.workers.append(worker)
        return worker

    def forget(self, worker: Worker) -> None:
        """Take a worker that has ended out of the team: ``check`` does not expect its success."""
        worker.close()
        self.workers.remove(worker)
        self._left.append(worker)

    @property
    def alive(self) -> list[Worker]:
        return [worker for worker in self.workers if worker.is_alive]

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Execute a statement in the schema of the job.

        It keeps its connection, as one costs a hundred times as much as a statement. Raises
        OperationalError if the server cannot be reached.
        """
        if self._connection is None or not self._answers(self._connection):
            self._connection = self.server.connect(self._database)
            self._connection.execute(f"SET search_path TO {JOB}".encode())
        return self._connection.execute(statement.encode()).fetchall()

    @staticmethod
    def _answers(connection: Connection[Any]) -> bool:
        """Whether a connection has survived, such as a restart of the server."""
        with suppress(OperationalError):
            connection.execute(b"SELECT")
        return not connection.closed

    def wait_until_delivered(self, count: int) -> None:
        """Wait until the workers have delivered so many pages, or the run is over."""

        def delivered() -> bool:
            try:
                [(number,)] = self.rows("SELECT coalesce(sum(delivered), 0) FROM workers")
            except OperationalError:
                return False
            return bool(number >= count)

        wait_until(self._is_there)
        wait_until(lambda: delivered() or self.has_ended, self.logs)

    def _is_there(self) -> bool:
        statement = f"SELECT to_regclass('{JOB}.workers') IS NOT NULL"
        return bool(self.rows(statement)[0][0])

    @property
    def has_ended(self) -> bool:
        """Whether a worker has ended by itself, so that the run is over."""
        return any(not worker.is_alive and not worker.was_killed for worker in self.workers)

    def writer(self) -> Worker:
        """Return the worker whose process writes the ledger, once there is one."""
        found: list[Worker] = []

        def find() -> bool:
            holder = self.place.holder() or ""
            found[:] = [one for one in self.workers if f"process {one.pid} on" in holder]
            return bool(found)

        wait_until(find, self.logs)
        return found[0]

    def others(self) -> list[Worker]:
        """Return the living workers that do not write."""
        writer = self.writer()
        return [worker for worker in self.alive if worker is not writer]

    def logs(self) -> str:
        return "\n".join(f"{one.folder.name}:\n{one.log[-3000:]}" for one in self.workers)

    def records(self) -> list[dict[str, Any]]:
        """Return the records of the default feeds that the workers wrote."""
        return feeds_in(*(worker.folder for worker in self.workers))

    def check(self, truth: Truth, seconds: float = PATIENCE) -> None:
        """Wait for the end, and compare what was stored and written with the truth."""
        codes = Counter(one.exit_code(seconds) for one in self.workers if not one.was_killed)
        assert codes.keys() == {truth.exit_code}, f"exit codes {codes}\n{self.logs()}"
        logs = self.logs()
        assert "Traceback" not in logs, logs
        found = differences(contents(self.place), truth.ledger)
        assert not found, "\n".join(found)
        # If nobody goes on with a run, the next one writes its feeds where its writer was started,
        # which may have left the team.
        records = kill.lasting(feeds_in(*(one.folder for one in (*self.workers, *self._left))))
        assert sorted(records) == sorted(truth.records)
        assert records == truth.records
        self.check_writers()

    def check_writers(self) -> None:
        """Check that the feeds were written by one process, and that every worker names one.

        If nobody was there to go on with a run, the next one writes its feeds, too.
        """
        places = {path.parent for one in self.workers for path in one.folder.rglob("*.jsonl")}
        [(runs,)] = self.rows("SELECT count(*) FROM runs")
        assert 1 <= len(places) <= runs, places
        if runs > 1:
            return
        for worker in self.workers:
            if not worker.was_killed:
                # A process that took the job over, and found that the run had ended, may be named.
                end = r"; (?:this process|process \d+ on)[^;]* ended the run and wrote its feeds; "
                assert re.search(end, worker.log), worker.log[-3000:]

    def close(self) -> None:
        for worker in self.workers:
            worker.close()
        if self._connection is not None:
            self._connection.close()


@contextmanager
def team_of(
    count: int, words: list[str], folder: Path, server: Server, database: str, **variables: str
) -> Iterator[Team]:
    """Start so many workers; kill those that are left at the end."""
    team = Team(words, folder, server, database, **variables)
    try:
        for _ in range(count):
            team.start()
        yield team
    finally:
        team.close()

"""A run's reads from the ledger and its commits to it.

Changes are collected and committed together, in the order in which they were made. After a crash,
the ledger therefore holds everything up to some point in time.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import select, update

from crawler.crash import point
from crawler.crawl.ledger import history
from crawler.crawl.ledger.batch import Batch
from crawler.crawl.ledger.schema import JOB, RUNS
from crawler.errors import CrawlerError, LedgerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Connection

    from crawler.crawl.articles import ArticleState
    from crawler.crawl.ledger.database import Database

_Result = TypeVar("_Result")

CHUNK = 500
"""How many rows are read, or ids looked up, at once."""


class Commits:
    """The access of one run to the ledger; its next commit writes the ``batch``.

    The first read or write error is passed to ``on_failure`` and kept in ``failed``. From then on
    nothing is stored and reads return nothing: the run should end, and the ledger holds what was
    committed before.
    """

    def __init__(
        self,
        database: Database,
        run: int,
        sync_seconds: float,
        on_failure: Callable[[CrawlerError], None] = lambda error: None,
    ) -> None:
        self.database = database
        self.run = run
        self.sync_seconds = sync_seconds
        self.failed: CrawlerError | None = None
        self._on_failure = on_failure
        self.before_commit: list[Callable[[], None]] = []
        """Called before each commit, to make the files that it refers to durable.

        Any commit may survive a power cut, and must not refer to files that do not.
        """
        self.after_commit: list[Callable[[], None]] = []
        """Called after each commit, which SQLite may still be writing."""
        self.on_outcome: Callable[[ArticleState], None] = lambda state: None
        """Called with each article whose outcome the next commit stores."""
        [row] = database.rows(select(JOB.c.places))
        self.batch = Batch(run, row.places)
        self._synced_at = time.monotonic()
        self._has_unsynced = False

    def rows(self, query: Any, values: dict[str, Any] | None = None) -> Sequence[Any]:
        if self.failed is None:
            try:
                return self.database.rows(query, values)
            except LedgerError as error:
                self.fail(error)
        return ()

    def read(self, act: Callable[[Connection], _Result], otherwise: _Result) -> _Result:
        """Return what ``act`` reads from a consistent snapshot, or ``otherwise`` after an error."""
        if self.failed is None:
            try:
                return self.database.read(act)
            except LedgerError as error:
                self.fail(error)
        return otherwise

    def stream(self, query: Any) -> Iterator[Any]:
        if self.failed is None:
            try:
                with self.database.snapshot() as connection:
                    yield from history.stream(connection, query)
            except LedgerError as error:
                self.fail(error)

    def fail(self, error: CrawlerError) -> None:
        """Store nothing from now on, after a read or write error."""
        if self.failed is None:
            self.failed = error
            self._on_failure(error)

    def flush(self, *, durable: bool = False) -> None:
        """Commit the changes since the last flush.

        The commit is durable if the next one may come too late for ``sync_seconds``.
        """
        self.begin_flush(durable=durable)
        self._wait()

    def begin_flush(self, *, durable: bool = False) -> None:
        """Begin to commit the changes since the last flush, as ``flush`` does.

        The next read or flush waits for the commit, and finds its error.
        """
        self._wait()
        durable = durable or time.monotonic() - self._synced_at >= self.sync_seconds / 2
        if self.failed is not None or not (self.batch or (durable and self._has_unsynced)):
            return
        point("before a commit")
        try:
            for make_durable in self.before_commit:
                make_durable()
            began_at = time.monotonic()
            self.database.begin_store(partial(self._write, durable), durable=durable)
            for follow_up in self.after_commit:
                follow_up()
        except CrawlerError as error:
            self.fail(error)
            return
        except Exception as error:
            self.fail(
                LedgerError(
                    f"the ledger {self.database.name}: {type(error).__name__}: {error}; "
                    "this is a bug in this program, please report it"
                )
            )
            return
        self.batch = Batch(self.run, self.batch.places)
        self._has_unsynced = not durable
        if durable:
            self._synced_at = began_at

    def _wait(self) -> None:
        if self.failed is None:
            try:
                self.database.wait()
            except CrawlerError as error:
                self.fail(error)

    def _write(self, durable: bool, connection: Connection) -> None:
        self.batch.write(connection)
        if durable:
            of_run = update(RUNS).where(RUNS.c.run == self.run)
            connection.execute(of_run.values(alive_at=self.database.now_text()))
        point("in a commit")

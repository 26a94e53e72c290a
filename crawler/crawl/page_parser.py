"""Extracts the article of a fetched page, in the process of the crawl or in a worker.

Reading a page in the process of the crawl is cheapest, and most crawls wait for servers. When
reading takes a good part of the time, pages go to worker processes instead: to as many as are kept
busy. This depends on measured times only. The records and their order are the same either way.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from crawler.crawl import time_limit
from crawler.crawl.page_extraction import LARGE_BYTES, TooSlowError, extract_page
from crawler.crawl.parser_messages import ParserError, Setup
from crawler.crawl.parser_pool import NoWorkerError, ParserPool

if TYPE_CHECKING:
    from collections.abc import Callable

    from crawler.crawl.archive_tasks import ArchivedArticle
    from crawler.crawl.archived_articles import ArchiveOptions, PageFound, Refused
    from crawler.crawl.page_extraction import Extracted, Task
    from crawler.extraction.directory import Publishers

# Seconds for which a page may block this process.
_BLOCKING_SECONDS = 1.0
# Loads are measured over at least so many seconds.
_WINDOW_SECONDS = 0.5
# The load of reading from which on workers read pages, and from which on each has enough to do.
_HEAVY_LOAD, _FULL_LOAD = 0.3, 0.85
# The load of this process from which on another worker would only wait for it.
_BUSY_LOAD = 0.7


class Loads:
    """How many processors were busy, in the last half second or so.

    ``reading`` pages kept some busy, in this process or in workers. ``own`` is the load of this
    process, whatever it did.
    """

    def __init__(self) -> None:
        self.reading = self.own = 0.0
        self._restart()

    def _restart(self) -> None:
        self._began, self._cpu_began = time.monotonic(), time.process_time()
        self._seconds = 0.0

    def note(self, seconds: float) -> None:
        """Note that a page has just been read, in so many seconds."""
        self._seconds += seconds
        elapsed = time.monotonic() - self._began
        if elapsed >= _WINDOW_SECONDS:
            self.reading = self._seconds / elapsed
            self.own = (time.process_time() - self._cpu_began) / elapsed
            self._restart()


class PageParser:
    """Extracts pages, spending at most ``timeout`` seconds on each.

    At most so many ``processes`` do it besides this one. If ``all_in_workers``, as in a run that
    spends all its time reading, every page goes to them, and results come back in the order of the
    calls. A page that is large, or that takes longer than a second, goes to a worker in any case.
    ``count`` adds one to a stat of Scrapy's. With an ``archive``, workers can also ``read`` its
    articles, and results come back when they are there.
    """

    def __init__(
        self,
        publishers: Publishers,
        timeout: float,
        processes: int = 0,
        count: Callable[[str], object] = lambda stat: None,
        *,
        all_in_workers: bool = False,
        archive: ArchiveOptions | None = None,
    ) -> None:
        self._publishers = publishers
        self._timeout = timeout
        self._processes = processes
        self._count = count
        self._all_in_workers = all_in_workers and processes > 0
        self._loads = Loads()
        setup = Setup(publishers.choice, timeout, archive)
        in_order = self._all_in_workers and archive is None
        self._pool = ParserPool(max(1, processes), setup, in_order=in_order)

    def extract_here(self, task: Task) -> Extracted | None:
        """Extract a page in this process; None if a worker has to.

        Raises TooSlowError if it takes too long.
        """
        if not _may_be_interrupted(task) or self._workers_are_due():
            return None
        began = time.monotonic()
        try:
            return self._within(min(_BLOCKING_SECONDS, self._timeout), task)
        except TooSlowError:
            if self._timeout <= _BLOCKING_SECONDS:
                raise
            return None
        finally:
            self._loads.note(time.monotonic() - began)

    async def extract(self, task: Task) -> Extracted:
        """Extract a page in a worker, or in this process if none can be started.

        Raises TooSlowError if it takes too long, ParserError if the worker fails.
        """
        try:
            answer = await self._pool.run(task)
        except NoWorkerError:
            if not _may_be_interrupted(task):
                raise ParserError("no worker process could be started to parse it") from None
            return self._within(self._timeout, task)
        self._loads.note(answer.seconds)
        self._count("crawl/read_in_workers")
        extracted: Extracted = answer.result
        return extracted

    async def read(self, article: ArchivedArticle) -> PageFound | Refused | None:
        """Read an article of the archive in a worker; None if it has to be read in this process."""
        if not self._all_in_workers:
            return None
        self._pool.start(self._pool.pending + 1)
        try:
            answer = await self._pool.run(article)
        except (NoWorkerError, ParserError, TooSlowError):
            # Reading it page by page will tell which page is at fault.
            return None
        found: PageFound | Refused | None = answer.result
        if found is not None:
            self._count("crawl/read_in_workers")
        return found

    def _within(self, seconds: float, task: Task) -> Extracted:
        try:
            return time_limit.within(seconds, lambda: extract_page(task, self._publishers))
        except time_limit.TimeLimitReached:
            raise TooSlowError(seconds) from None

    def _workers_are_due(self) -> bool:
        if self._all_in_workers:
            self._pool.start(self._pool.pending + 1)
            return True
        if self._loads.reading < _HEAVY_LOAD or not self._processes:
            return False
        self._pool.start(self._wanted_workers())
        return self._pool.is_ready

    def _wanted_workers(self) -> int:
        size = self._pool.size
        if size == 0:
            # A single worker would be as busy as this process is.
            return 2 if self._loads.reading >= _FULL_LOAD else 1
        is_full = self._loads.reading >= _FULL_LOAD * size
        return size + (is_full and self._loads.own < _BUSY_LOAD)

    def close(self) -> None:
        """End the workers; pages that were sent to them are abandoned."""
        self._pool.close()


def _may_be_interrupted(task: Task) -> bool:
    """Return whether extracting a page can be ended in this process when it takes too long."""
    return len(task.body) <= LARGE_BYTES and time_limit.is_possible()

"""Commits to the ledger of a job during a run, and records there how the run ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from scrapy import signals
from scrapy.exceptions import NotConfigured
from scrapy.utils.asyncio import create_looping_call

from crawler.crawl.run import run_of
from crawler.errors import LedgerError
from crawler.extensions.summarising import Summariser

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.crawl.ledger.job import Job
    from crawler.crawl.run import Run

# Short enough that little is fetched again after a kill, and long enough that a fast crawl stores
# a hundred articles at once: the pages of an index that they share are written only once then.
_COMMIT_SECONDS = 0.5
_LEAST_SECONDS = 0.01


class JobKeeper:
    """Commits to the ledger twice a second. Enabled by JOBDIR."""

    def __init__(self, crawler: Crawler, run: Run, job: Job) -> None:
        self.crawler = crawler
        self._run = run
        self._job = job
        self._finish_reason = ""
        self._commit_loop = create_looping_call(self._flush)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        run = run_of(crawler.spider)
        if run is None or run.job is None:
            raise NotConfigured
        keeper = cls(crawler, run, run.job)
        crawler.signals.connect(keeper.spider_opened, signal=signals.spider_opened)
        crawler.signals.connect(keeper.spider_closed, signal=signals.spider_closed)
        crawler.signals.connect(keeper.engine_stopped, signal=signals.engine_stopped)
        return keeper

    def spider_opened(self) -> None:
        assert self._job.pages is not None
        if self._run.stopped is not None:
            # The ledger failed before there was an engine to stop.
            self._run.close(self._run.stopped.reason)
        # At least twice per sync_seconds: a flush just before half of that time does not sync, so
        # the next one has to come before all of it is over.
        interval = min(_COMMIT_SECONDS, self._job.pages.commits.sync_seconds / 2)
        self._commit_loop.start(max(_LEAST_SECONDS, interval), now=False)

    def spider_closed(self, reason: str) -> None:
        self._finish_reason = reason
        # If a pipeline could not be opened, the spider is closed without having been opened.
        if self._commit_loop.running:
            self._commit_loop.stop()

    def _flush(self) -> None:
        if self._job.pages is not None:
            self._job.pages.commits.begin_flush()

    def engine_stopped(self) -> None:
        """End the run if its feeds are written; otherwise the next run writes them first."""
        job = self._job
        assert job.run is not None and job.pages is not None
        job.pages.commits.flush(durable=True)
        ends = not self._run.hands_over and not job.feeds_failed
        if ends and job.pages.commits.failed is None:
            try:
                job.end(job.run, self._finish_reason, self._exit_code())
            except LedgerError as error:
                job.pages.commits.fail(error)
        job.close()

    def _exit_code(self) -> int | None:
        summariser = self.crawler.get_extension(Summariser)
        return None if summariser is None else summariser.finish()

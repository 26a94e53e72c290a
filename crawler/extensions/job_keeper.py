"""Keeps the ledger of a job while a run goes on: commits what was told, ends the run, and stops it where the ledger cannot be written."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Self

from scrapy import signals
from scrapy.exceptions import NotConfigured
from scrapy.utils.asyncio import create_looping_call

from crawler.errors import CrawlerError, LedgerError

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.crawler import Crawler

    from crawler.crawl.ledger.job import Job

logger = logging.getLogger(__name__)
# Often enough that little is fetched again after a kill, and seldom enough that a fast crawl stores several articles at once.
_COMMIT_SECONDS = 0.2
_LEAST_SECONDS = 0.01


class JobKeeper:
    """Commits to the ledger several times a second. Without JOBDIR there is nothing to do."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._job: Job | None = None
        self._reason = ""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        if not crawler.settings.get("JOBDIR"):
            raise NotConfigured
        keeper = cls(crawler)
        crawler.signals.connect(keeper.spider_opened, signal=signals.spider_opened)
        crawler.signals.connect(keeper.spider_closed, signal=signals.spider_closed)
        crawler.signals.connect(keeper.engine_stopped, signal=signals.engine_stopped)
        return keeper

    def spider_opened(self, spider: Spider) -> None:
        self._job = getattr(spider, "job", None)
        if self._job is None:
            return
        assert self._job.pages is not None
        self._job.pages.on_failure = self._stop
        if self._job.pages.failed is not None:
            self._stop(self._job.pages.failed)
        self._commits = create_looping_call(self._job.pages.flush)
        # Twice within the time after which a commit has to be durable: one flush may come just before it.
        self._commits.start(
            max(_LEAST_SECONDS, min(_COMMIT_SECONDS, self._job.pages.sync_seconds / 2)), now=False
        )

    def spider_closed(self, reason: str) -> None:
        self._reason = reason
        if self._job is not None:
            self._commits.stop()

    def engine_stopped(self) -> None:
        """End the run, if all that it had to write is written; else the next one begins with that."""
        job = self._job
        if job is None or job.run is None or job.pages is None:
            return
        job.pages.flush(durable=True)
        if job.pages.failed is None and not job.feeds_failed:
            try:
                job.end(job.run, self._reason)
            except LedgerError as error:
                job.pages.failed = error
                logger.error("%s", error)
        job.close()

    def _stop(self, error: CrawlerError) -> None:
        logger.error("%s", error)
        engine = self.crawler.engine
        if engine is not None and engine.spider is not None:
            self._stopping: Any = asyncio.ensure_future(
                engine.close_spider_async(
                    reason="ledger_failed" if isinstance(error, LedgerError) else "archive_failed"
                )
            )

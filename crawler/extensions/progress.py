"""Shows the progress of a run: one live line on a terminal, log lines elsewhere."""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from scrapy import signals
from scrapy.exceptions import NotConfigured
from scrapy.utils.asyncio import create_looping_call

from crawler.crawl.pace import Pace
from crawler.crawl.run import run_of
from crawler.crawl.summary import Outcome
from crawler.items import Article
from crawler.live_line import open_live_line
from crawler.terminal import describe_span

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.crawl.run import Run
    from crawler.live_line import LiveLine

logger = logging.getLogger(__name__)

_REFRESH_SECONDS = 0.2
# Slower rates are shown per minute.
_LEAST_PER_SECOND = 0.1


class Progress:
    """Shows the progress. PROGRESS_INTERVAL is the seconds between log lines; 0 means none."""

    def __init__(self, crawler: Crawler, run: Run) -> None:
        self.crawler = crawler
        self._run = run
        self._interval = crawler.settings.getfloat("PROGRESS_INTERVAL")
        self._pace = Pace(monotonic())
        self._headline = ""
        self._loop = create_looping_call(self._show)
        self._line: LiveLine | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        run = run_of(crawler.spider)
        if run is None:
            raise NotConfigured
        progress = cls(crawler, run)
        crawler.signals.connect(progress._opened, signal=signals.spider_opened)
        crawler.signals.connect(progress._closed, signal=signals.spider_closed)
        return progress

    def _opened(self) -> None:
        self._pace = Pace(monotonic())
        self._line = open_live_line()
        if self._line is not None:
            self._interval = _REFRESH_SECONDS
            self.crawler.signals.connect(self._note_headline, signal=signals.item_scraped)
            self._show()
        if self._interval > 0:
            self._loop.start(self._interval, now=False)

    def _note_headline(self, item: Any) -> None:
        if isinstance(item, Article):
            self._headline = item.headline or ""

    def _show(self) -> None:
        facts = self._facts()
        if self._line is None:
            logger.info(", ".join(facts))
        else:
            self._line.show(*facts, detail=self._headline)

    def _facts(self) -> list[str]:
        outcome = Outcome(self.crawler.stats.get_stats())
        frontier, now = self._run.frontier, monotonic()
        known = outcome.fetched + frontier.unread_count + frontier.queued
        facts = [f"fetched {outcome.fetched:,}" + (f" of {known:,}" if known else "")]
        if failed := outcome.failures.total():
            facts.append(f"{failed:,} failed")
        self._pace.note(outcome.fetched, now)
        if rate := self._pace.per_second(now):
            is_slow = rate < _LEAST_PER_SECOND
            facts.append(f"{rate * 60:.1f} pages/min" if is_slow else f"{rate:,.1f} pages/s")
            if rest := frontier.rest:
                bound = "" if rest.is_exact else "at most "
                facts.append(f"{bound}about {describe_span(round(rest.pages / rate), 2)} left")
        return facts

    def _closed(self) -> None:
        if self._loop.running:
            self._loop.stop()
        if self._line is not None:
            self._line.close()
        elif self._interval > 0:
            self._show()

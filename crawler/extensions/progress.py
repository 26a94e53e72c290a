"""Shows the progress of a run: one live line on a terminal, log lines elsewhere."""

from __future__ import annotations

import logging
import sys
from shutil import get_terminal_size
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from scrapy import signals
from scrapy.exceptions import NotConfigured
from scrapy.utils.asyncio import create_looping_call

from crawler.crawl.run import run_of
from crawler.crawl.summary import Outcome

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.crawl.run import Run

logger = logging.getLogger(__name__)

_REFRESH_SECONDS = 0.2
# The minimum number of seconds over which the rate on a terminal is measured.
_RATE_SECONDS = 2


class Progress:
    """Shows the progress. PROGRESS_INTERVAL is the seconds between log lines; 0 means none."""

    def __init__(self, crawler: Crawler, run: Run) -> None:
        self.crawler = crawler
        self._run = run
        self._is_terminal = sys.stderr.isatty()
        self._interval = (
            _REFRESH_SECONDS
            if self._is_terminal
            else crawler.settings.getfloat("PROGRESS_INTERVAL")
        )
        self._shown_pages = 0
        self._shown_at = monotonic()
        self._loop = create_looping_call(self._show)
        self._line: Any = None
        self._handlers: list[logging.StreamHandler[Any]] = []

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
        self._shown_at = monotonic()
        if self._is_terminal:
            self._open_line()
        if self._interval > 0:
            self._loop.start(self._interval, now=False)

    def _open_line(self) -> None:
        # Imported only for a terminal: cron has no use for it.
        from tqdm import tqdm

        self._handlers = [
            handler
            for handler in logging.root.handlers
            if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stderr
        ]
        for handler in self._handlers:
            handler.setStream(_AboveTheLine())
        # A terminal may report a size of zero, in which tqdm would show nothing.
        size = get_terminal_size()
        self._line = tqdm(
            bar_format="{desc}",
            file=sys.stderr,
            leave=False,
            ncols=size.columns,
            nrows=size.lines,
        )

    def _show(self) -> None:
        outcome = Outcome(self.crawler.stats.get_stats())
        now = monotonic()
        rate = (outcome.fetched - self._shown_pages) / max(now - self._shown_at, 0.001)
        if not self._is_terminal or now - self._shown_at > _RATE_SECONDS:
            self._shown_pages, self._shown_at = outcome.fetched, now
        frontier = self._run.frontier
        depth = max(frontier.at_depth, self.crawler.stats.get_value("crawl/depth", 0))
        text = (
            f"fetched {outcome.fetched:,}, queued {frontier.queued:,}, "
            f"failed {outcome.failures.total():,}, {rate:.1f} pages/s, depth {depth}"
        )
        if self._is_terminal:
            self._line.set_description_str(text)
        else:
            logger.info(text)

    def _closed(self) -> None:
        if self._loop.running:
            self._loop.stop()
        if self._line is not None:
            self._line.close()
            for handler in self._handlers:
                handler.setStream(sys.stderr)
        elif self._interval > 0:
            self._show()


class _AboveTheLine:
    """A stream for log lines, which hides the live line while it writes one."""

    def write(self, text: str) -> None:
        from tqdm import tqdm

        with tqdm.external_write_mode(file=sys.stderr):
            sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()

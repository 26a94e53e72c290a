"""What really happened in a run: its balance, its exit code, its progress.

The balance: every article that a run came to know of ends as exactly one record. ``scrapy crawl`` prints it last and
exits 0 only when nothing was left that could have been had.
"""

from __future__ import annotations

import logging
import sys
from collections import Counter
from shutil import get_terminal_size
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from scrapy import signals
from scrapy.extensions.feedexport import FeedExporter
from scrapy.utils.asyncio import create_looping_call
from tqdm import tqdm

from crawler.items import ANSWERS, Article, Failure, Teaser

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.crawler import Crawler

    from crawler.frontier import Frontier

logger = logging.getLogger(__name__)

COMPLETE, COULD_NOT_START, WRONG_ARGUMENTS, INCOMPLETE, NOTHING_STORED, UNBALANCED = range(6)
"""The exit codes of ``scrapy crawl``."""


class Outcome:
    """Counts the records of one run as they are stored, shows its progress, and tells its exit code."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.articles = 0
        self.teasers: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.deepest = 0
        self.dropped = 0
        self.feeds: list[str] = []
        self.feed_errors: list[str] = []
        self.reason = ""
        self._began = monotonic()
        self._frontier: Frontier | None = None
        self._progress: _Progress | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        outcome = cls(crawler)
        for handler, signal in (
            (outcome._opened, signals.spider_opened),
            (outcome._scraped, signals.item_scraped),
            (outcome._lost, signals.item_error),
            (outcome._lost, signals.item_dropped),
            (outcome._closed, signals.spider_closed),
        ):
            crawler.signals.connect(handler, signal=signal)
        return outcome

    @property
    def fetched(self) -> int:
        return self.articles + sum(self.failures.values())

    @property
    def discovered(self) -> int:
        """How many articles the run came to know of."""
        return len(self._frontier.known) if self._frontier else 0

    @property
    def stored_nothing(self) -> bool:
        """Whether the run wanted articles and has none, for a reason that is not the site's own answer."""
        return not self.articles and (self.faults > 0 or self.interrupted)

    @property
    def faults(self) -> int:
        """Failures that another try, or a better reader, could mend."""
        return sum(count for reason, count in self.failures.items() if reason not in ANSWERS)

    @property
    def interrupted(self) -> bool:
        return self.reason not in ("", "finished") or self.teasers["interrupted"] > 0

    @property
    def incomplete(self) -> bool:
        return self.faults > 0 or self.interrupted or self.dropped > 0

    @property
    def closed(self) -> bool:
        """Whether the run came to its end and wrote its feeds, rather than being broken off."""
        return self.reason != ""

    @property
    def stored(self) -> int:
        return self.articles + self.teasers.total() + self.failures.total()

    def _feeds_failed(self) -> bool:
        """Whether Scrapy says that a feed was not stored, or that none was written at all."""
        stats = self.crawler.stats.get_stats()
        failed = any(key.startswith("feedexport/failed_count") for key in stats)
        return failed or bool(self.crawler.settings.getdict("FEEDS") and self.crawler.get_extension(FeedExporter) is None)

    def exit_code(self, discovered: int) -> int:
        if self.feed_errors or self.stored_nothing or not self.closed or self._feeds_failed():
            return NOTHING_STORED
        if discovered != self.stored + self.dropped:
            return UNBALANCED
        return INCOMPLETE if self.incomplete else COMPLETE

    def report(self, discovered: int) -> str:
        """A short table and, last, the balance."""
        seconds = monotonic() - self._began
        rows = [("articles", self.articles, "")]
        rows += [("teasers", self.teasers.total(), _by(self.teasers)), ("failures", self.failures.total(), _by(self.failures))]
        lines = [f"  {name:<9}{count:>7,}  {by}".rstrip() for name, count, by in rows]
        lines.append(
            f"  {self.fetched:,} fetched in {seconds:.1f} s, {self.fetched / max(seconds, 0.001):.1f} pages/s, depth {self.deepest}"
        )
        lines += [f"  written: {feed}" for feed in self.feeds]
        lines += [f"  not stored: {error}" for error in self.feed_errors]
        if not self.articles and discovered:
            lines.append("  no article was stored: none of what was asked for could be had")
        if self.dropped:
            lines.append(f"  {self.dropped} records were dropped by an item pipeline")
        if self._feeds_failed() and not self.feed_errors:
            lines.append("  not stored: a feed could not be written; the log says why")
        if not self.closed:
            lines.append("  the run was broken off before it could write its feeds; what they held is in files that end in .part")
        elif self.interrupted:
            lines.append(f"  the run was stopped before its end ({self.reason}); what it had is stored")
        teasers, failures = self.teasers.total(), self.failures.total()
        balanced = discovered == self.stored
        excused = self.dropped or not self.closed
        lines.append(
            f"discovered {discovered} {'=' if balanced else '!='} articles {self.articles} + teasers {teasers} + failures {failures}"
            + ("" if balanced or excused else " (the sum does not balance: this is a fault of the crawler, please report it)")
        )
        return "\n".join(lines)

    def _opened(self, spider: Spider) -> None:
        self._began = monotonic()
        self._frontier = getattr(spider, "frontier", None)
        if self._frontier is not None:
            self._progress = _Progress(self, self._frontier)

    def _scraped(self, item: Any) -> None:
        if isinstance(item, Article):
            self.articles += 1
            self.deepest = max(self.deepest, item.depth)
        elif isinstance(item, Failure):
            self.failures[item.reason] += 1
        elif isinstance(item, Teaser):
            self.teasers[item.why] += 1

    def _lost(self, item: Any) -> None:
        self.dropped += 1

    def _closed(self, reason: str) -> None:
        self.reason = reason
        if self._progress:
            self._progress.close()


def _by(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.most_common())


class _AboveTheLine:
    """Where log lines go while the live line stands: the line steps aside for each."""

    def write(self, text: str) -> None:
        with tqdm.external_write_mode(file=sys.stderr):
            sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


class _Progress:
    """One live line on a terminal, a log line now and then elsewhere."""

    def __init__(self, outcome: Outcome, frontier: Frontier) -> None:
        self.outcome = outcome
        self.frontier = frontier
        self.terminal = sys.stderr.isatty()
        interval = 0.2 if self.terminal else outcome.crawler.settings.getfloat("PROGRESS_INTERVAL")
        self._said = 0
        self._at = monotonic()
        if self.terminal:
            self._handlers = [h for h in logging.root.handlers if isinstance(h, logging.StreamHandler) and h.stream is sys.stderr]
            for handler in self._handlers:
                handler.setStream(_AboveTheLine())
            # A terminal may say that it has no size at all; tqdm would then show nothing.
            size = get_terminal_size()
            self._line = tqdm(bar_format="{desc}", file=sys.stderr, leave=False, ncols=size.columns, nrows=size.lines)
        self._loop = create_looping_call(self._say)
        if interval > 0:
            self._loop.start(interval, now=False)

    def _say(self) -> None:
        outcome = self.outcome
        now = monotonic()
        rate = (outcome.fetched - self._said) / max(now - self._at, 0.001)
        if not self.terminal or now - self._at > 2:
            self._said, self._at = outcome.fetched, now
        words = (
            f"fetched {outcome.fetched:,}, queued {self.frontier.queued:,}, failed {outcome.failures.total():,}, "
            f"{rate:.1f} pages/s, depth {max(self.frontier.at_depth, outcome.deepest)}"
        )
        if self.terminal:
            self._line.set_description_str(words)
        else:
            logger.info(words)

    def close(self) -> None:
        if self._loop.running:
            self._loop.stop()
        if self.terminal:
            self._line.close()
            for handler in self._handlers:
                handler.setStream(sys.stderr)
        else:
            self._say()

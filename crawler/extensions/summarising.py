"""Gathers the results of a run in its stats, and prints the summary at its end."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from scrapy import signals
from scrapy.exceptions import NotConfigured
from scrapy.extensions.feedexport import FeedExporter

from crawler.crawl import summary
from crawler.crawl.run import run_of
from crawler.crawl.source_kinds import LIVE, WAYBACK
from crawler.errors import CrawlerError, LedgerError
from crawler.items import REASONS
from crawler.sources.folder import SavedPages
from crawler.terminal import output
from crawler.terminal_tables import plain_lines, show

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable

    from scrapy.crawler import Crawler

    from crawler.crawl.ledger.history import Balance
    from crawler.crawl.run import Run

# By the outcomes of the ledger (schema.FETCHES). Those of lists are not counted by their kinds.
_STATS_OF_OUTCOMES = {
    "new": "articles/new",
    "changed": "articles/changed",
    "unchanged": "articles/unchanged",
    "not_modified": "articles/unchanged",
    "duplicate": "articles/duplicates",
    "dropped": "records/dropped",
}

logger = logging.getLogger(__name__)


class Summariser:
    """Prints the summary of a run, in scripts too, and sets ``crawl/exit_code``.

    SUMMARY_ENABLED=0 keeps it from printing. If a feed is written to standard output, the summary
    goes to standard error.
    """

    def __init__(self, crawler: Crawler, run: Run) -> None:
        self.crawler = crawler
        self._run = run
        self._began = monotonic()
        self._balance: Balance | None = None
        self._has_printed = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        run = run_of(crawler.spider)
        if run is None:
            raise NotConfigured
        summariser = cls(crawler, run)
        crawler.signals.connect(summariser._opened, signal=signals.spider_opened)
        crawler.signals.connect(summariser._closed, signal=signals.spider_closed)
        return summariser

    def _opened(self) -> None:
        # Connected last, because other extensions finish the ledger and the archive on this signal.
        self.crawler.signals.connect(self._stopped, signal=signals.engine_stopped)
        self._began = monotonic()
        run = self._run
        if "source" not in run.given and len(run.sources) > 1:
            self._say_what_is_asked()
        faults = [fault for source in run.sources if source for fault in source.faults]
        for fault in faults:
            logger.warning("%s", fault)
        self._set("sources/faults", faults)
        self._set("crawl/everything", run.arguments.everything)
        self._set("crawl/recheck", run.arguments.recheck)
        arguments = run.arguments
        follows = arguments.depth > 0 and not arguments.everything
        self._set("crawl/follows", list(arguments.roles) if follows else [])
        self._set("crawl/hosts", sorted(run.publisher.hosts or (run.publisher.name,)))
        self._set("crawl/sources", len(run.sources))
        if run.job is not None and run.job.run is not None:
            self._set("job/name", run.job.place.name)
            self._set("job/option", run.job.place.option)
            self._set("job/run", run.job.run.number)
            self._set("job/began", f"{run.job.run.began:%Y-%m-%d %H:%M:%S}")
            if run.job.adopted:
                self._recall(run.job.adopted)
                self._began -= run.job.seconds

    def _recall(self, adopted: Counter[str]) -> None:
        """Count what other processes fetched in this run, before this one continued it."""
        for outcome, count in adopted.items():
            name = _STATS_OF_OUTCOMES.get(outcome) or (
                f"failures/{outcome}" if outcome in REASONS else None
            )
            if name is not None:
                self.crawler.stats.inc_value(name, count)

    def _say_what_is_asked(self) -> None:
        """Log where the pages come from, if that is the publisher's default and not only live."""
        run = self._run
        hosts = ", ".join(sorted(run.publisher.hosts))
        places = {LIVE: f"the live site ({hosts})", WAYBACK: self.crawler.settings["WAYBACK_URL"]}
        asked = ", then ".join(places.get(name, name) for name in run.arguments.sources)
        logger.info("asking %s, because no source was given (see default_source)", asked)

    def _closed(self, reason: str) -> None:
        run = self._run
        # The feeds are written next, and depend on whether the run is complete.
        self._set("crawl/finish_reason", reason)
        self._gather()
        job = run.job
        if job is not None and job.pages is not None:
            job.pages.commits.flush()
            if job.pages.commits.failed is None:
                try:
                    self._balance, next_due = job.balance(), job.next_due()
                    self._set("job/next_due", next_due)
                except LedgerError as error:
                    job.pages.commits.fail(error)
            is_interrupted = summary.Outcome(self.crawler.stats.get_stats()).is_interrupted
            if not is_interrupted:
                self._set("crawl/unrecorded", list(run.frontier.unrecorded))

    def _gather(self) -> None:
        run = self._run
        self._set("crawl/discovered", run.frontier.discovered)
        self._set("crawl/taken", run.frontier.taken)
        self._set("crawl/elapsed_seconds", round(monotonic() - self._began, 3))
        self._set("sources/files", list(_files(run)))
        if run.stopped is not None:
            self._set("crawl/stop_reason", run.stopped.reason)
            self._set("crawl/stop_message", run.stopped.message)
        if run.archive is not None:
            self._set("archive/path", str(run.archive.path))
            self._set("archive/exchanges", run.archive.exchanges)
            self._set("archive/revisits", run.archive.revisits)
            if run.archive.failed is not None:
                self._set("archive/failed", str(run.archive.failed))
        if run.job is not None:
            failed = run.job.pages.commits.failed if run.job.pages else None
            if run.job.pages is None or failed is not None:
                self._set("job/failed", str(failed or "the ledger was not opened"))
        self._set("feeds/failed", self._feeds_failed())

    def _feeds_failed(self) -> bool:
        """Return whether a feed of this run was not stored, or none was written at all."""
        if self._run.job is not None:
            return self._run.job.feeds_failed
        stats = self.crawler.stats.get_stats()
        wants_feeds = bool(self.crawler.settings.getdict("FEEDS"))
        return any(name.startswith("feedexport/failed_count") for name in stats) or (
            wants_feeds and self.crawler.get_extension(FeedExporter) is None
        )

    def _set(self, name: str, value: Any) -> None:
        self.crawler.stats.set_value(name, value)

    def _stopped(self) -> None:
        # scrapy parse, shell and check run the spider without crawling.
        if self._run.started and not self._run.hands_over:
            self.print()

    def finish(self) -> int:
        """Bring the stats up to date; return the exit code of the run."""
        self._gather()
        exit_code = summary.exit_code(self.crawler.stats.get_stats(), self._balance)
        self._set("crawl/exit_code", exit_code)
        return exit_code

    def print(self) -> int:
        """Print the summary, once, unless it is disabled; return the exit code of the run."""
        exit_code = self.finish()
        if not self._has_printed and self.crawler.settings.getbool("SUMMARY_ENABLED"):
            self._has_printed = True
            parts = summary.summary(self.crawler.stats.get_stats(), self._balance)
            if self.crawler.settings["LOG_FILE"]:
                # The log is all that users of a service such as Scrapyd see.
                for line in plain_lines(parts):
                    logger.info("%s", line)
            feeds = map(str, self.crawler.settings.getdict("FEEDS"))
            to_stderr = any(uri.startswith("stdout:") for uri in feeds)
            # The run is over, so failing to print its summary changes nothing.
            with suppress(CrawlerError), output():
                show(parts, sys.stderr if to_stderr else sys.stdout)
        return exit_code


def _files(run: Run) -> Iterable[str]:
    """Return a line for each folder of saved pages: the sum of its files, each counted once."""
    folders = [source for source in run.sources if isinstance(source, SavedPages)]
    for folder in folders:
        # If everything is read, a file is unread only if another folder provided its article.
        others = [other for other in folders if other is not folder and run.arguments.everything]
        counts = folder.tally(others)
        place = f" in {folder.root}" if len(folders) > 1 else ""
        parts = [f"{label} {count:,}" for label, count in counts.items() if count]
        yield f"files{place}: {sum(counts.values()):,} = {' + '.join(parts)}"

"""What really happened in a run: its balance, its exit code, its progress.

The balance: every article that a run came to know of ends as exactly one record. ``scrapy crawl`` prints it last and
exits 0 only when nothing was left that could have been had. With a ledger the balance is that of the whole job, asked of the ledger.
"""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Mapping
from shutil import get_terminal_size
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from scrapy import signals
from scrapy.exceptions import DropItem
from scrapy.extensions.feedexport import FeedExporter
from scrapy.utils.asyncio import create_looping_call
from tqdm import tqdm

from crawler.errors import LedgerError
from crawler.items import ANSWERS, REASONS, Article, Failure, Teaser
from crawler.terminal import escaped

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.crawler import Crawler

    from crawler.crawl.frontier import Frontier
    from crawler.crawl.ledger.history import Balance
    from crawler.crawl.ledger.job import Job, Run
    from crawler.warc.writer import WarcWriter

logger = logging.getLogger(__name__)

_NAMED = 10
COMPLETE, COULD_NOT_START, WRONG_ARGUMENTS, INCOMPLETE, NOTHING_STORED, UNBALANCED = range(6)
"""The exit codes of ``scrapy crawl``."""


class NothingNew(DropItem):
    """A crawl with a memory has this record already: it goes into no feed. No fault, and no loss."""

    def __init__(self, article_id: str) -> None:
        super().__init__(f"{article_id}: nothing new", log_level="DEBUG")


class Outcome:
    """Counts the records of one run as they are stored, shows its progress, and tells its exit code."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.articles = 0
        self.changed = 0
        self.unchanged = 0
        self.still_refused = 0
        self.teasers: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.deepest = 0
        self.dropped = 0
        self.feeds: list[str] = []
        self.feed_errors: list[str] = []
        self.feeds_left: list[str] = []
        """Of the files that this run was to replace and did not: which, why, and where its records are."""
        self.articles_kept = 0
        """How many articles went through all item pipelines, whatever these made of them."""
        self.reason = ""
        self.balance: Balance | None = None
        """Of the whole job, where there is one, once the run has closed."""
        self.next_due: str | None = None
        self.unrecorded: tuple[str, ...] = ()
        self._completed: list[str] = []
        self._completed_faults = 0
        self._job: Job | None = None
        self._archive: WarcWriter | None = None
        self._opened_sources: list[Any] = []
        """The sources of the run, but for the live site."""
        self._source_faults: list[str] = []
        self._sources: Counter[str] = Counter()
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
        return self.articles + self.unchanged + self.still_refused + sum(self.failures.values())

    @property
    def discovered(self) -> int:
        """How many articles the run, or the job, came to know of."""
        if self.balance is not None:
            return self.balance.discovered
        return self._frontier.discovered if self._frontier else 0

    @property
    def has_article(self) -> bool:
        """Whether the run stored an article; what other spiders store is not looked at."""
        if self._frontier is None:
            return not self.stored_nothing
        return self.articles_kept > 0

    @property
    def stored_nothing(self) -> bool:
        """Whether the run asked for pages and none of them became an article.

        Where every answer was a definite no (gone, forbidden, never saved), it counts only if the
        job holds no article of an earlier run either.
        """
        if self.articles or self.unchanged:
            return False
        if (_faults(self.failures) or self.interrupted) and not self.still_refused:
            return True
        held = self.balance.articles if self.balance else 0
        return self._asked and not held

    @property
    def _asked(self) -> bool:
        everything = getattr(getattr(self.crawler.spider, "arguments", None), "everything", False)
        return self.fetched + self.teasers["not_saved"] > 0 or (everything and not self.discovered)

    @property
    def faults(self) -> int:
        """Failures that another try, or a better reader, could mend. Those of a killed run count for the one that goes on with it."""
        return _faults(self.failures) + self._completed_faults

    @property
    def interrupted(self) -> bool:
        return self.reason not in ("", "finished") or self.teasers["interrupted"] > 0

    @property
    def ledger_failed(self) -> bool:
        return self._job is not None and (
            self._job.pages is None or self._job.pages.failed is not None
        )

    @property
    def archive_failed(self) -> bool:
        return self._archive is not None and self._archive.failed is not None

    @property
    def _renderer_fault(self) -> str | None:
        return getattr(self.crawler.spider, "renderer_fault", None)

    @property
    def incomplete(self) -> bool:
        return (
            self.faults > 0
            or self.interrupted
            or self.dropped > 0
            or bool(self.unrecorded)
            or bool(self._source_faults)
        )

    @property
    def closed(self) -> bool:
        """Whether the run came to its end and wrote its feeds, rather than being broken off."""
        return self.reason != ""

    @property
    def stored(self) -> int:
        return self.articles + self.teasers.total() + self.failures.total()

    def _feeds_failed(self) -> bool:
        """Whether a feed of this run was not stored, or none was written at all."""
        if self._job is not None:
            return self._job.feeds_failed
        stats = self.crawler.stats.get_stats()
        failed = any(key.startswith("feedexport/failed_count") for key in stats)
        return failed or bool(
            self.crawler.settings.getdict("FEEDS")
            and self.crawler.get_extension(FeedExporter) is None
        )

    def exit_code(self) -> int:
        if self.ledger_failed or self.archive_failed:
            return COULD_NOT_START
        if self._renderer_fault:
            return NOTHING_STORED
        if self.closed and (self.feed_errors or self.stored_nothing or self._feeds_failed()):
            return NOTHING_STORED
        if not self.closed:
            return NOTHING_STORED if self._job is None else INCOMPLETE
        balanced = (
            self.balance.balanced if self.balance else self.discovered == self.stored + self.dropped
        )
        if not balanced:
            return UNBALANCED
        return INCOMPLETE if self.incomplete else COMPLETE

    def report(self) -> str:
        """A short table and, last, the balance."""
        lines = []
        if self._job is not None and self._job.run is not None:
            run = self._job.run
            lines.append(
                f"run {run.number} of {self._job.folder}, {run.began:%Y-%m-%d %H:%M:%S} UTC"
            )
        lines += [
            *self._completed,
            *self._table(),
            *self._files_lines(),
            *self._feeds_lines(),
            *self._troubles(),
            *self._how_it_ended(),
            self._last_line(),
        ]
        return "\n".join(map(escaped, lines))

    def _table(self) -> list[str]:
        """What came of this run's fetches."""
        sources = _by(self._sources) if len(getattr(self.crawler.spider, "sources", ())) > 1 else ""
        articles = ("articles", self.articles, sources)
        others = [
            ("teasers", self.teasers.total(), _by(self.teasers)),
            ("failures", self.failures.total(), _by(self.failures)),
        ]
        if self._job is not None:
            if (
                self.closed
                and self._frontier is not None
                and not self._frontier.taken
                and not self.teasers
            ):
                recheck = getattr(getattr(self.crawler.spider, "arguments", None), "recheck", "due")
                return [
                    "  nothing new: "
                    + (
                        "nothing was due"
                        if recheck == "due"
                        else f"nothing to fetch with recheck={recheck}"
                    )
                ]
            kinds = {
                "new": self.articles - self.changed,
                "changed": self.changed,
                "unchanged": self.unchanged,
            }
            kinds["gone or forbidden as before"] = self.still_refused
            came = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items() if count)
            articles = ("articles", self.articles, "; ".join(filter(None, (came, sources))))
            others = [row for row in others if row[1]]
        seconds = monotonic() - self._began
        return [
            *(f"  {name:<9}{count:>7,}  {by}".rstrip() for name, count, by in (articles, *others)),
            f"  {self.fetched:,} fetched in {seconds:.1f} s, {self.fetched / max(seconds, 0.001):.1f} pages/s, depth {self.deepest}",
            *self._rendering_line(),
        ]

    def _rendering_line(self) -> list[str]:
        """How many pages were read as a browser showed them, and how many as they came."""
        rendered, kept, unfinished, failed, plain = (
            self.crawler.stats.get_value(f"rendering/{name}", 0)
            for name in ("rendered", "kept", "unfinished", "failed", "plain")
        )
        if not rendered + failed + plain:
            return []
        notes = [f"{kept:,} of them read as they came, which said more"] if kept else []
        notes += [f"{unfinished:,} of them not to their end"] if unfinished else []
        notes += [f"{failed:,} could not be, and were read as they came"] if failed else []
        return [
            f"  {'; '.join([f'{rendered:,} rendered', *notes, f'{plain:,} needed no rendering'])}"
        ]

    def _files_lines(self) -> list[str]:
        """For each folder of saved pages the sum of all its files, of which each counts once."""
        folders = [source for source in self._opened_sources if hasattr(source, "tally")]
        lines = []
        everything = getattr(getattr(self.crawler.spider, "arguments", None), "everything", False)
        for folder in folders:
            # Where everything is read, a file is left only if another folder had the article.
            others = [other for other in folders if other is not folder] if everything else []
            counts = folder.tally(others)
            named = f" in {folder.root}" if len(folders) > 1 else ""
            parts = [f"{label} {count:,}" for label, count in counts.items() if count]
            lines.append(f"  files{named}: {sum(counts.values()):,} = {' + '.join(parts)}")
        return lines

    def _feeds_lines(self) -> list[str]:
        lines = []
        if self._archive is not None and self._archive.exchanges:
            revisits = (
                f", {self._archive.revisits:,} of them as before" if self._archive.revisits else ""
            )
            lines.append(
                f"  archived: {self._archive.path} ({self._archive.exchanges:,} exchanges{revisits})"
            )
        lines += [f"  written: {feed}" for feed in self.feeds]
        lines += [f"  {left}" for left in self.feeds_left]
        lines += [f"  not stored: {error}" for error in self.feed_errors]
        if self._feeds_failed() and not self.feed_errors:
            lines.append("  not stored: a feed could not be written; the log says why")
        return lines

    def _troubles(self) -> list[str]:
        """What a reader of the table would miss."""
        lines = []
        had = self.balance.articles if self.balance else self.articles
        if not had and self._asked and self.discovered and (self._job is None or self.balance):
            lines.append("  no article was stored: none of what was asked for could be had")
        lines += [
            f"  not readable, so that pages may be missing: {fault}"
            for fault in self._source_faults
        ]
        if not self.discovered and getattr(
            getattr(self.crawler.spider, "arguments", None), "everything", False
        ):
            hosts = ", ".join(sorted(getattr(self.crawler.spider, "allowed_domains", ())))
            lines.append(
                f"  no article was stored: what was given holds none of {hosts}; an archive of a mirror is read with its base_url"
            )
        if self.dropped:
            lines.append(f"  {self.dropped} records were dropped by an item pipeline")
        if self.unrecorded:
            ids = ", ".join(self.unrecorded[:_NAMED]) + (
                " …" if len(self.unrecorded) > _NAMED else ""
            )
            lines.append(
                f"  nothing came of these, so they will be fetched again; the log may say why: {ids}"
            )
        return lines

    def _how_it_ended(self) -> list[str]:
        job = self._job
        if job is not None and job.pages is not None and job.pages.failed is not None:
            return [f"  stopped: {job.pages.failed}"]
        if self.archive_failed and self._archive is not None:
            return [f"  stopped: {self._archive.failed}"]
        if outage := getattr(self.crawler.spider, "outage", None):
            goes_on = "the same command goes on with it" if job else "it is among the teasers"
            return [f"  stopped: {outage}", f"  {goes_on}"]
        if self._renderer_fault:
            goes_on = (
                "the same command goes on where it was"
                if job is not None
                else "what it had is stored"
            )
            return [f"  stopped: {self._renderer_fault}", f"  {goes_on}"]
        if job is not None and (not self.closed or self.interrupted):
            how = f"stopped before its end ({self.reason})" if self.closed else "broken off"
            return [f"  the run was {how}; nothing is lost: the same command goes on where it was"]
        if not self.closed:
            return [
                "  the run was broken off before it could write its feeds; what they held is in files that end in .part"
            ]
        if self.interrupted:
            return [f"  the run was stopped before its end ({self.reason}); what it had is stored"]
        return [f"  next due: {self.next_due}"] if self.next_due else []

    def _last_line(self) -> str:
        if self.balance is not None:
            return str(self.balance)
        if self._job is not None:
            return (
                f"what it had is stored; scrapy status -s JOBDIR={self._job.folder} tells the sum"
            )
        discovered, teasers, failures = self.discovered, self.teasers.total(), self.failures.total()
        balanced = discovered == self.stored
        excused = self.dropped or not self.closed
        return (
            f"discovered {discovered} {'=' if balanced else '!='} articles {self.articles} + teasers {teasers} + failures {failures}"
            + (
                ""
                if balanced or excused
                else " (the sum does not balance: this is a fault of the crawler, please report it)"
            )
        )

    def completed(self, run: Run, errors: list[str], refused: list[str]) -> None:
        """Note that the feeds of a killed run were written, but for those that failed or that this
        run does not have.

        The latter are said and count as a fault once, in the run after the killed one: a feed that
        has the day in its name may never be asked for again.
        """
        assert self._job is not None and self._job.run is not None
        if refused and run.number < self._job.run.number - 1:
            return
        outcomes = self._job.outcomes(run)
        self._completed_faults += _faults(outcomes) + len(errors) + len(refused)
        words = (
            ", ".join(f"{count:,} {name}" for name, count in outcomes.most_common())
            or "nothing stored"
        )
        self._completed.append(
            f"  went on from run {run.number}, which was broken off; it had {words}"
        )
        self._completed += [
            f"  not stored, and tried again by the next run: {error}" for error in errors
        ]
        for uri in refused:
            words = (
                f"run {run.number} was to write {uri!r}, and this run has no such feed; the "
                f"records are safe in the ledger, and are added to the file by a run with -o {uri!r}"
            )
            logger.warning("%s", words)
            self._completed.append(f"  not written: {words}")

    def _opened(self, spider: Spider) -> None:
        self._began = monotonic()
        self._job = getattr(spider, "job", None)
        self._archive = getattr(spider, "archive", None)
        self._opened_sources = [
            source for source in getattr(spider, "sources", ()) if source is not None
        ]
        self._source_faults = [fault for source in self._opened_sources for fault in source.faults]
        for fault in self._source_faults:
            logger.warning("%s", fault)
        self._frontier = getattr(spider, "frontier", None)
        if self._frontier is not None:
            self._progress = _Progress(self, self._frontier)

    def _scraped(self, item: Any) -> None:
        if isinstance(item, Article):
            self.articles += 1
            self._sources[item.source] += 1
            if item.revision > 1:
                self.changed += 1
            self.deepest = max(self.deepest, item.depth)
        elif isinstance(item, Failure):
            self.failures[item.reason] += 1
        elif isinstance(item, Teaser):
            self.teasers[item.why] += 1

    def _lost(self, item: Any, exception: BaseException | None = None) -> None:
        if not isinstance(exception, NothingNew):
            self.dropped += 1
        elif isinstance(item, Failure):
            self.still_refused += 1
        elif not isinstance(item, Teaser):
            self.unchanged += 1

    def _closed(self, reason: str) -> None:
        self.reason = reason
        if self._progress:
            self._progress.close()
        job = self._job
        if job is None or job.pages is None or self._frontier is None:
            return
        job.pages.flush()
        if job.pages.failed is None:
            try:
                self.balance, self.next_due = job.balance(), job.next_due()
            except LedgerError as error:
                job.pages.fail(error)
        if not self.interrupted:
            self.unrecorded = self._frontier.unrecorded


def _faults(outcomes: Mapping[str, int]) -> int:
    return sum(
        count
        for outcome, count in outcomes.items()
        if outcome in REASONS and outcome not in ANSWERS
    )


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
        self._interval = (
            0.2 if self.terminal else outcome.crawler.settings.getfloat("PROGRESS_INTERVAL")
        )
        self._said = 0
        self._at = monotonic()
        if self.terminal:
            self._handlers = [
                h
                for h in logging.root.handlers
                if isinstance(h, logging.StreamHandler) and h.stream is sys.stderr
            ]
            for handler in self._handlers:
                handler.setStream(_AboveTheLine())
            # A terminal may say that it has no size at all; tqdm would then show nothing.
            size = get_terminal_size()
            self._line = tqdm(
                bar_format="{desc}",
                file=sys.stderr,
                leave=False,
                ncols=size.columns,
                nrows=size.lines,
            )
        self._loop = create_looping_call(self._say)
        if self._interval > 0:
            self._loop.start(self._interval, now=False)

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
        elif self._interval > 0:
            self._say()

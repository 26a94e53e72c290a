"""Which records go into which feed, and when.

Without a memory each record goes into its feeds as it is scraped. The feeds of a crawl with a
memory are written from the ledger when the run closes. Those of a run that was killed are written
by the next one, the same to the byte, before it fetches anything.

A ledger may come from anyone, so it never decides which file is written, or how: of the feeds that
it names for a killed run, those are written that the present run is asked to write too, with the
present run's options.
"""

from __future__ import annotations

import logging
import os
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import msgspec
from scrapy.exporters import JsonLinesItemExporter
from scrapy.extensions.feedexport import FeedExporter, FeedSlot
from scrapy.utils.conf import feed_complete_default_values_from_settings

from crawler.crash import point
from crawler.crawl import report
from crawler.crawl.run import run_of
from crawler.errors import LedgerError
from crawler.feeds.storage import (
    WholeFileStorage,
    append,
    is_file_uri,
    part_of,
    path_of,
    size_of,
)
from crawler.items import Article, Failure, Teaser

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.crawler import Crawler

    from crawler.crawl.ledger.job import Job, Run

logger = logging.getLogger(__name__)
_FLUSH_SECONDS = 1.0
# In the name of a feed that each run has a file of its own for.
_TIME = "%(time)s"


class WatchedFeedExporter(FeedExporter):
    """Scrapy's feed exporter, except that the run's stats name every error.

    With a ledger, the feeds of a run are made of what the ledger holds, when the run has closed.
    """

    _writing: Run | None = None
    _has_article = False
    """Whether any of the records that are being written is that of an article."""
    _broken_off = False
    """Whether the run whose records are being written was killed."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._errors = 0
        self._own: dict[str, dict[str, Any]] = {}
        """The options of this run's own feeds, as they are given."""
        self._sizes: dict[str, int] = {}
        """Of the files that a killed run may have added to: their bytes when it began."""

    async def open_spider(self, spider: Spider) -> None:  # type: ignore[override]
        job = _job_of(spider)
        try:
            if job is None:
                self._open_feeds(spider)
                return
            self._name_feeds(job)
            for run in job.broken_off():
                await self._complete(job, run, spider)
        except LedgerError as error:
            assert job is not None and job.pages is not None
            job.pages.fail(error)
        except Exception as error:
            self._tell(error)
            raise

    def item_scraped(self, item: Any, spider: Spider) -> None:
        if _job_of(spider) is None:
            self._export(item, spider)

    async def close_spider(self, spider: Spider) -> None:
        job = _job_of(spider)
        if job is None:
            await super().close_spider(spider)
            return
        assert job.run is not None and job.pages is not None
        # Records of a feed that the ledger loses in a power cut would be written once more.
        job.pages.flush(durable=True)
        if job.pages.failed is not None:
            return
        try:
            job.feeds_failed = not await self._write(job, job.run, spider)
        except LedgerError as error:
            job.pages.fail(error)
        except Exception as error:
            self._tell(error)
            raise

    def _open_feeds(self, spider: Spider) -> None:
        """Open every feed that can be opened; the stats name the others."""
        feeds = self.feeds
        try:
            for uri, options in feeds.items():
                self.feeds = {uri: options}
                try:
                    super().open_spider(spider)
                except Exception as error:
                    self._tell(error)
        finally:
            self.feeds = feeds

    def _export(self, item: Any, spider: Spider) -> None:
        """Write a record to every feed that can hold it; the stats name the others."""
        opened, after = self.slots, []
        for slot in opened:
            self.slots = [slot]
            try:
                super().item_scraped(item, spider)
            except Exception as error:
                self._tell(error)
            after += self.slots
        self.slots = after

    def _name_feeds(self, job: Job) -> None:
        """Have the ledger keep which feeds this run is to write, should it be killed."""
        assert job.run is not None
        self._own = {
            _absolute(uri): options for uri, options in self.settings.getdict("FEEDS").items()
        }
        self._use({uri: _as_of(job.run, options) for uri, options in self._own.items()})
        job.name_feeds({uri: size_of(uri) for uri in self._own})

    def _use(self, feeds: dict[str, dict[str, Any]]) -> None:
        self.feeds = {
            uri: feed_complete_default_values_from_settings(dict(options), self.settings, uri)
            for uri, options in feeds.items()
        }
        self.filters = {uri: self._load_filter(options) for uri, options in self.feeds.items()}

    async def _complete(self, job: Job, run: Run, spider: Spider) -> None:
        """Write the feeds of a run that was killed; those that this run replaces will hold its
        records, too.

        If one cannot be written, or this run is not asked to write it, a later run tries again.
        """
        stats = self.crawler.stats
        errors = stats.get_value("feeds/errors", [])
        now = self.feeds, self.filters
        feeds, refused = self._asked_again(job.feeds_of(run), _stamp(run.began))
        replaced = {uri for uri in feeds if _replaces(uri, self._own.get(uri, {}))}
        for uri in replaced:
            part_of(uri, _stamp(run.began)).unlink(missing_ok=True)
        self._use(
            {
                uri: _as_of(run, options)
                for uri, (options, _) in feeds.items()
                if uri not in replaced
            }
        )
        self._sizes = {uri: size for uri, (_, size) in feeds.items()}
        try:
            written = await self._write(job, run, spider)
        except OSError as error:
            written = False
            self._tell(error)
        finally:
            self._sizes = {}
            self.feeds, self.filters = now
        failed = stats.get_value("feeds/errors", [])[len(errors) :]
        stats.set_value("feeds/errors", errors)
        self._note_continued(job, run, failed, refused)
        if written and not refused:
            job.end(run, None)

    def _note_continued(self, job: Job, run: Run, errors: list[str], refused: list[str]) -> None:
        """Note in the stats that the feeds of a killed run were written, except those that failed
        or that this run does not have.

        The latter are reported, and count as a fault, once: in the run after the killed one. A feed
        that has the day in its name may never be asked for again.
        """
        assert job.run is not None
        if refused and run.number < job.run.number - 1:
            return
        stats, name = self.crawler.stats, "job/continued"
        outcomes = job.outcomes(run)
        faults = report.faults_in(outcomes) + len(errors) + len(refused)
        stats.inc_value("job/continued_faults", faults)
        had = ", ".join(f"{count:,} {outcome}" for outcome, count in outcomes.most_common())
        append(
            stats,
            name,
            f"  went on from run {run.number}, which was broken off; it had "
            f"{had or 'nothing stored'}",
        )
        for error in errors:
            append(stats, name, f"  not stored, and tried again by the next run: {error}")
        for uri in refused:
            text = (
                f"run {run.number} was to write {uri!r}, and this run has no such feed; the "
                f"records are safe in the ledger, and are added to the file by a run with -o {uri!r}"
            )
            logger.warning("%s", text)
            append(stats, name, f"  not written: {text}")

    def _asked_again(
        self, named: dict[str, int], began: str
    ) -> tuple[dict[str, tuple[dict[str, Any], int]], list[str]]:
        """Divide the feeds that a ledger names into those that this run is asked to write, too, and
        the others.

        The first come with this run's options and with the size that the ledger gives. A feed that
        has a file for each run may lie in another folder, where an earlier run was started.
        """
        own = {_canonical(uri): uri for uri in self._own}
        timed = {
            str(uri): options
            for uri, options in self.settings.getdict("FEEDS").items()
            if _TIME in str(uri)
        }
        asked: dict[str, tuple[dict[str, Any], int]] = {}
        refused = []
        for uri, size in named.items():
            if uri.startswith("stdout:"):
                continue
            if (mine := own.get(_canonical(uri))) is not None:
                asked[mine] = self._own[mine], size
            elif (options := _of_other_folder(uri, timed, began)) is not None:
                asked[uri] = options, size
            else:
                refused.append(uri)
        return asked, refused

    async def _write(self, job: Job, run: Run, spider: Spider) -> bool:
        """Write the feeds of a run from its records; return whether all could be written."""
        failed = self._failures() + self._errors
        crawl = run_of(spider)
        assert crawl is not None
        began, crawl.began = crawl.began, run.began
        try:
            for first, feeds in self._by_first_run(run).items():
                self._writing, self.slots = run, []
                self._has_article = job.has_article(run, first)
                self._broken_off = run is not job.run
                whole, self.feeds = self.feeds, feeds
                try:
                    self._open_feeds(spider)
                    for record in job.records_of(run, first):
                        self._export(record, spider)
                    await super().close_spider(spider)
                finally:
                    self.feeds = whole
        except BaseException:
            job.feeds_failed = run is job.run
            raise
        finally:
            crawl.began = began
        point("feeds written")
        return self._failures() + self._errors == failed

    def _by_first_run(self, run: Run) -> dict[int, dict[str, Any]]:
        """The feeds by the first run that they hold: one that replaces its file holds all of the
        crawl that this run goes on with.
        """
        grouped: dict[int, dict[str, Any]] = {}
        for uri, options in self.feeds.items():
            grouped.setdefault(run.began_before if _replaces(uri, options) else run.number, {})[
                uri
            ] = options
        return grouped

    def _start_new_batch(self, *args: Any, **kwargs: Any) -> FeedSlot:
        slot = super()._start_new_batch(*args, **kwargs)
        if self._writing is not None and isinstance(slot.storage, WholeFileStorage):
            slot.storage.name = _stamp(self._writing.began)
            slot.storage.written_after = self._sizes.get(slot.uri_template)
            slot.storage.has_article = self._has_article
            slot.storage.broken_off = self._broken_off
        return slot

    def _failures(self) -> int:
        stats = self.crawler.stats.get_stats()
        return sum(
            count for name, count in stats.items() if name.startswith("feedexport/failed_count")
        )

    def _tell(self, error: Exception) -> None:
        text = f"a record could not be written to a feed ({type(error).__name__}: {error})"
        self._errors += 1
        if text not in self.crawler.stats.get_value("feeds/errors", []):
            logger.error("%s", text)
            append(self.crawler.stats, "feeds/errors", text)


def _job_of(spider: Spider) -> Job | None:
    run = run_of(spider)
    return run.job if run else None


def _replaces(uri: str, options: dict[str, Any]) -> bool:
    return bool(options.get("overwrite")) or uri.startswith("stdout:")


def _absolute(uri: object) -> str:
    """The URI of a feed, wherever a run is started."""
    path = str(uri)
    local = "://" not in path and not path.startswith("stdout:")
    return str(Path(path).absolute()) if local else path


def _as_of(run: Run, options: dict[str, Any]) -> dict[str, Any]:
    """The options of a feed as it is written for a run, whenever that is.

    A run that has nothing new leaves no empty file, and a file that was there as it was.
    """
    # By default gzip would write the present time.
    return {"store_empty": False, "gzip_mtime": int(run.began.timestamp()), **options}


def _canonical(uri: str) -> str:
    """A URI that is the same for the same file, whatever links and dots lead there."""
    return os.path.realpath(path_of(uri)) if is_file_uri(uri) else uri


def _of_other_folder(
    uri: str, timed: dict[str, dict[str, Any]], began: str
) -> dict[str, Any] | None:
    """The options of a feed that is one of ``timed``, in the folder of a run started elsewhere.

    Its file must be a new one in a folder that exists, and no link, which could lead anywhere.
    """
    path, written = Path(uri), Path(uri.replace(_TIME, began))
    if not path.is_absolute() or not path.parent.is_dir() or written.is_symlink():
        return None
    if ".." in path.parts or "%(" in str(written):
        return None
    for template, options in timed.items():
        parts = Path(template).parts
        if path.parts[-len(parts) :] == parts:
            return options
    return None


def _stamp(began: datetime) -> str:
    return began.isoformat().replace(":", "-")


def uri_params(params: dict[str, Any], spider: Spider) -> dict[str, Any]:
    """The time in the names of a run's feeds: one for all of them, and fine enough that no two runs
    share it.
    """
    run = run_of(spider)
    if run is None:
        return params
    began = run.began
    if run.job is None:
        return {**params, "time": _stamp(began)}
    # Batches are named by the run, too, so that they can be written again.
    return {**params, "time": _stamp(began), "batch_time": f"{_stamp(began)}-{params['batch_id']}"}


class RecordLinesExporter(JsonLinesItemExporter):
    """JSON Lines of the project's own records, many times faster than Scrapy's; of anything else as
    Scrapy writes it.

    What a killed run leaves behind is whole up to the last second.
    """

    _flushed = 0.0

    def export_item(self, item: Any) -> None:
        if (
            isinstance(item, (Article, Teaser, Failure))
            and not self.fields_to_export
            and not self.indent
        ):
            self.file.write(msgspec.json.encode(item) + b"\n")
            if monotonic() - self._flushed > _FLUSH_SECONDS:
                self.file.flush()
                self._flushed = monotonic()
        else:
            super().export_item(item)

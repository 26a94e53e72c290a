"""Feed export: which records go into which feeds, and when.

Without a job, each record is exported as it is scraped. With a job, feeds are written from the
ledger when the run closes. The feeds of a killed run are written by the next run, byte for byte the
same, before it fetches anything.

A ledger is untrusted, so it never decides which files are written, or how. A feed that it names for
a killed run is written only if the current run has that feed too, with the current run's options,
and never through a symbolic link in the place of a file or folder of that run. ``latest``
(run_folder.py) is changed only in the job and where the current run's own feeds have it.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from scrapy.exporters import JsonLinesItemExporter
from scrapy.extensions.feedexport import FeedExporter, FeedSlot, ItemFilter
from scrapy.utils.conf import feed_complete_default_values_from_settings

from crawler.crash import point
from crawler.crawl import summary
from crawler.crawl.run import run_of
from crawler.errors import LedgerError
from crawler.feeds.run_folder import TIME, is_run_folder, link_latest, outermost_named, stamp
from crawler.feeds.storage import (
    WholeFileStorage,
    append,
    display_path,
    is_file_uri,
    part_of,
    path_of,
    size_of,
)
from crawler.files import make_folder
from crawler.items import Article, Failure, Teaser

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.crawler import Crawler

    from crawler.crawl.ledger.job import Job, Run, StoredRecord

logger = logging.getLogger(__name__)
_FLUSH_SECONDS = 1.0


class WatchedFeedExporter(FeedExporter):
    """Scrapy's feed exporter, with every error recorded in the run's stats.

    With a job, feeds are written from the ledger when the run closes.
    """

    _written_run: Run | None = None
    _has_article = False
    """Whether the records being written include an article."""
    _aborted = False
    """Whether the run whose feeds are being written was killed."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._error_count = 0
        self._own_options: dict[str, dict[str, Any]] = {}
        """The options of this run's own feeds, as configured, by URI."""
        self._sizes: dict[str, int] = {}
        """The size in bytes, when a killed run began, of each file it may have appended to."""
        self._in_run_folders: list[tuple[FeedSlot, WholeFileStorage]] = []
        """The feeds, of the run whose feeds are being written, in folders of that run alone."""
        self._incomplete_uris: set[str] = set()
        """The feeds of that run that lack a record, by URI as configured."""

    async def open_spider(self, spider: Spider) -> None:  # type: ignore[override]
        job = _job_of(spider)
        try:
            if job is None:
                self._open_feeds(spider)
                return
            self._name_feeds(job)
            for run in job.aborted_runs():
                await self._complete(job, run, spider)
        except LedgerError as error:
            assert job is not None and job.pages is not None
            job.pages.commits.fail(error)
        except Exception as error:
            self._record_error(error)
            raise

    def item_scraped(self, item: Any, spider: Spider) -> None:
        if _job_of(spider) is None:
            self._export(item, spider)

    async def close_spider(self, spider: Spider) -> None:
        job = _job_of(spider)
        if job is None:
            await super().close_spider(spider)
            self._link_latest(None)
            return
        assert job.run is not None and job.pages is not None
        # If a power cut lost records that are in a feed, they would be fetched and exported again.
        job.pages.commits.flush(durable=True)
        run = run_of(spider)
        if job.pages.commits.failed is not None or (run and run.hands_over):
            return
        try:
            job.feeds_failed = not await self._write(job, job.run, spider)
        except LedgerError as error:
            job.pages.commits.fail(error)
        except Exception as error:
            self._record_error(error)
            raise

    def _open_feeds(self, spider: Spider) -> None:
        """Open every feed that can be opened, and record errors in the stats."""
        feeds = self.feeds
        try:
            for uri, options in feeds.items():
                self.feeds = {uri: options}
                try:
                    super().open_spider(spider)
                except Exception as error:
                    self._record_error(error, uri)
        finally:
            self.feeds = feeds

    def _export(self, item: Any, spider: Spider) -> None:
        """Export a record to every feed that accepts it, and record errors in the stats."""
        slots, remaining = self.slots, []
        for slot in slots:
            self.slots = [slot]
            try:
                super().item_scraped(item, spider)
            except Exception as error:
                self._record_error(error, slot.uri_template)
            remaining += self.slots
        self.slots = remaining

    def _copy(self, record: StoredRecord) -> None:
        """Copy the JSON of a record to every feed that accepts it, as ``_export`` would write it.

        All feeds must be ``_is_copied``.
        """
        for slot in self.slots:
            classes = slot.filter.item_classes
            if classes and not issubclass(record.type, classes):
                continue
            try:
                slot.start_exporting()
                assert isinstance(slot.exporter, RecordLinesExporter)
                slot.exporter.write_line(record.json)
                slot.itemcount += 1
            except Exception as error:
                self._record_error(error, slot.uri_template)

    def _is_copied(self, slot: FeedSlot) -> bool:
        """Return whether a feed takes the project's records as lines of JSON, all of some types."""
        options = slot.feed_options
        return (
            self.exporters[options["format"]] is RecordLinesExporter
            and type(slot.filter) is ItemFilter
            and not (options["fields"] or options["indent"] or options["batch_item_count"])
        )

    def _name_feeds(self, job: Job) -> None:
        """Note this run's feeds in the ledger, in case the run is killed."""
        assert job.run is not None
        self._own_options = {
            _absolute(uri): options for uri, options in self.settings.getdict("FEEDS").items()
        }
        self._use(
            {uri: _options_for(job.run, options) for uri, options in self._own_options.items()}
        )
        job.name_feeds({uri: size_of(uri) for uri in self._own_options})

    def _use(self, feeds: dict[str, dict[str, Any]]) -> None:
        self.feeds = {
            uri: feed_complete_default_values_from_settings(dict(options), self.settings, uri)
            for uri, options in feeds.items()
        }
        self.filters = {uri: self._load_filter(options) for uri, options in self.feeds.items()}

    async def _complete(self, job: Job, run: Run, spider: Spider) -> None:
        """Write the feeds of a killed run, except those that this run replaces.

        The latter will include the records of the killed run. A feed that cannot be written, or
        that this run does not have, is left to a later run.
        """
        stats = self.crawler.stats
        errors = stats.get_value("feeds/errors", [])
        own_feeds = self.feeds, self.filters
        feeds, unknown = self._split_feeds(job.feeds_of(run), stamp(run.began))
        replaced = {uri for uri in feeds if _replaces(uri, self._own_options.get(uri, {}))}
        for uri in replaced:
            part_of(uri, stamp(run.began)).unlink(missing_ok=True)
        self._use(
            {
                uri: _options_for(run, options)
                for uri, (options, _) in feeds.items()
                if uri not in replaced
            }
        )
        self._sizes = {uri: size for uri, (_, size) in feeds.items()}
        self._incomplete_uris = set(unknown)
        try:
            written = await self._write(job, run, spider)
        except OSError as error:
            written = False
            self._record_error(error)
        finally:
            self._sizes, self._incomplete_uris = {}, set()
            self.feeds, self.filters = own_feeds
        failed = stats.get_value("feeds/errors", [])[len(errors) :]
        stats.set_value("feeds/errors", errors)
        self._note_continued(job, run, failed, unknown)
        if written and not unknown:
            job.end(run, None)

    def _note_continued(
        self, job: Job, run: Run, errors: list[str], unknown: dict[str, str]
    ) -> None:
        """Note in the stats that the feeds of a killed run were written, and which were not.

        Feeds that this run does not have are reported, and counted as faults, only in the run right
        after the killed one: a feed with the date in its name may never be configured again.
        """
        assert job.run is not None
        if unknown and run.number < job.run.number - 1:
            return
        stats, name = self.crawler.stats, "job/continued"
        outcomes = job.outcomes(run)
        faults = summary.faults_in(outcomes) + len(errors) + len(unknown)
        stats.inc_value("job/continued_faults", faults)
        outcome_counts = ", ".join(
            f"{count:,} {outcome}" for outcome, count in outcomes.most_common()
        )
        append(
            stats,
            name,
            f"  continued from run {run.number}, which was aborted; it had stored "
            f"{outcome_counts or 'nothing'}",
        )
        for error in errors:
            append(stats, name, f"  not stored; the next run will try again: {error}")
        for uri, reason in unknown.items():
            text = (
                f"run {run.number} should have written {uri!r}, but {reason}; the records are safe "
                f"in the ledger; to add them to the file, run with -o {uri!r}"
            )
            logger.warning("%s", text)
            append(stats, name, f"  not written: {text}")

    def _split_feeds(
        self, sizes: dict[str, int], began: str
    ) -> tuple[dict[str, tuple[dict[str, Any], int]], dict[str, str]]:
        """Split the feeds named by a ledger into those that this run also has and the rest.

        The former are returned with this run's options and the size from the ledger, the latter
        with the reason. A feed with one file per run may be in another folder, from which an
        earlier run was started.
        """
        own_uris = {_canonical(uri): uri for uri in self._own_options}
        timed_feeds = {
            str(uri): options
            for uri, options in self.settings.getdict("FEEDS").items()
            if TIME in str(uri)
        }
        shared: dict[str, tuple[dict[str, Any], int]] = {}
        unknown: dict[str, str] = {}
        for uri, size in sizes.items():
            if uri.startswith("stdout:"):
                continue
            own_uri = own_uris.get(_canonical(uri))
            if own_uri is not None and _has_symlink(own_uri, began):
                unknown[uri] = "a symbolic link has its place"
            elif own_uri is not None:
                shared[own_uri] = self._own_options[own_uri], size
            elif (options := _options_in_other_folder(uri, timed_feeds, began)) is not None:
                shared[uri] = options, size
            else:
                unknown[uri] = "this run has no such feed"
        return shared, unknown

    async def _write(self, job: Job, run: Run, spider: Spider) -> bool:
        """Write the feeds of a run from its records; return whether all were written."""
        failures_before = self._failure_count() + self._error_count
        crawl = run_of(spider)
        assert crawl is not None
        self._in_run_folders = []
        began, crawl.began = crawl.began, run.began
        try:
            for first, feeds in self._by_first_run(run).items():
                self._written_run, self.slots = run, []
                self._has_article = job.has_article(run, first)
                self._aborted = run is not job.run
                all_feeds, self.feeds = self.feeds, feeds
                try:
                    self._open_feeds(spider)
                    are_copied = all(map(self._is_copied, self.slots))
                    for record in job.records_of(run, first):
                        # To decode and encode a record takes longer than all else here.
                        if are_copied and record.is_own and record.type is not dict:
                            self._copy(record)
                        else:
                            self._export(record.decoded(), spider)
                    await super().close_spider(spider)
                finally:
                    self.feeds = all_feeds
        except BaseException:
            job.feeds_failed = run is job.run
            raise
        finally:
            crawl.began = began
        self._link_latest(job)
        point("feeds written")
        return self._failure_count() + self._error_count == failures_before

    def _by_first_run(self, run: Run) -> dict[int, dict[str, Any]]:
        """Return the feeds grouped by the first run whose records they hold.

        A feed that replaces its file holds the records of all runs that this run continues.
        """
        grouped: dict[int, dict[str, Any]] = {}
        for uri, options in self.feeds.items():
            grouped.setdefault(run.first_run if _replaces(uri, options) else run.number, {})[
                uri
            ] = options
        return grouped

    def _start_new_batch(self, *args: Any, **kwargs: Any) -> FeedSlot:
        slot = super()._start_new_batch(*args, **kwargs)
        storage = slot.storage
        if not isinstance(storage, WholeFileStorage):
            return slot
        if self._written_run is not None:
            storage.name = stamp(self._written_run.began)
            storage.append_offset = self._sizes.get(slot.uri_template)
            storage.has_article = self._has_article
            storage.aborted = self._aborted
        if is_run_folder(_folder_of(slot.uri_template)):
            self._in_run_folders.append((slot, storage))
        return slot

    def _link_latest(self, job: Job | None) -> None:
        """Make ``latest`` lead to the folders of the run just written that are complete.

        A job has one ``latest``, which leads to the first of them.
        """
        written = [(slot, storage) for slot, storage in self._in_run_folders if slot.itemcount]
        incomplete_uris = {slot.uri_template for slot, storage in written if not storage.stored}
        incomplete = set(map(_folder_of, incomplete_uris | self._incomplete_uris))
        folders = {
            _folder_of(slot.uri_template): Path(storage.path).parent for slot, storage in written
        }
        complete = {name: folder for name, folder in folders.items() if name not in incomplete}
        own = set(map(_folder_of, self._own_options)) if job else complete.keys()
        links = [
            link_latest(folder.parent, folder) for name, folder in complete.items() if name in own
        ]
        if job is not None and complete and (folder := job.place.folder):
            make_folder(folder)
            links.append(link_latest(folder, next(iter(complete.values()))))
        stats, key = self.crawler.stats, "feeds/latest"
        for link in map(display_path, filter(None, links)):
            # The feeds of a killed run may have changed the same link before.
            if link not in stats.get_value(key, []):
                append(stats, key, link)

    def _failure_count(self) -> int:
        stats = self.crawler.stats.get_stats()
        return sum(
            count for name, count in stats.items() if name.startswith("feedexport/failed_count")
        )

    def _record_error(self, error: Exception, uri: str | None = None) -> None:
        """Record an error in the stats, and the feed that lacks a record because of it."""
        if uri is not None:
            self._incomplete_uris.add(uri)
        text = f"a record could not be written to a feed ({type(error).__name__}: {error})"
        self._error_count += 1
        if text not in self.crawler.stats.get_value("feeds/errors", []):
            logger.error("%s", text)
            append(self.crawler.stats, "feeds/errors", text)


def _job_of(spider: Spider) -> Job | None:
    run = run_of(spider)
    return run.job if run else None


def _replaces(uri: str, options: dict[str, Any]) -> bool:
    return bool(options.get("overwrite")) or uri.startswith("stdout:")


def _absolute(uri: object) -> str:
    """Return a feed URI that does not depend on the working directory."""
    path = str(uri)
    local = "://" not in path and not path.startswith("stdout:")
    return str(Path(path).absolute()) if local else path


def _folder_of(uri: str) -> Path:
    """Return the folder of a feed, as configured."""
    return path_of(uri).parent


def _options_for(run: Run, options: dict[str, Any]) -> dict[str, Any]:
    """Return a feed's options such that a run's file is the same whenever it is written.

    A run without new records creates no empty file and leaves an existing one unchanged.
    """
    # By default, gzip stores the current time.
    return {"store_empty": False, "gzip_mtime": int(run.began.timestamp()), **options}


def _canonical(uri: str) -> str:
    """Return a URI that is the same for all paths to a file, with symlinks and dots resolved."""
    return os.path.realpath(path_of(uri)) if is_file_uri(uri) else uri


def _options_in_other_folder(
    uri: str, timed_feeds: dict[str, dict[str, Any]], began: str
) -> dict[str, Any] | None:
    """Return the options of the timed feed that ``uri`` is, for a run started in another folder.

    None if there is no such feed, if there is no folder to hold the folders and files of the runs,
    or if any of these is a symlink, which could point anywhere.
    """
    path = Path(uri)
    if not path.is_absolute() or ".." in path.parts or "%(" in uri.replace(TIME, ""):
        return None
    if not outermost_named(path).parent.is_dir() or _has_symlink(uri, began):
        return None
    for template, options in timed_feeds.items():
        parts = Path(template).parts
        if path.parts[-len(parts) :] == parts:
            return options
    return None


def _has_symlink(uri: str, began: str) -> bool:
    """Return whether a file or folder of the run that began then is a symlink.

    Those are the file of a feed and its folders, from the outermost with the time in its name.
    """
    path = path_of(uri)
    outermost, file = (Path(str(p).replace(TIME, began)) for p in (outermost_named(path), path))
    own_paths = (p for p in (file, *file.parents) if p.is_relative_to(outermost))
    return TIME in uri and any(p.is_symlink() for p in own_paths)


def uri_params(params: dict[str, Any], spider: Spider) -> dict[str, Any]:
    """Return Scrapy's feed URI parameters, with the run's start as the time.

    All feeds of a run share this time, and it is precise enough to be different for each run.
    """
    run = run_of(spider)
    if run is None:
        return params
    began = run.began
    if run.job is None:
        return {**params, "time": stamp(began)}
    # Batches are also named after the run, so that they can be written again.
    return {**params, "time": stamp(began), "batch_time": f"{stamp(began)}-{params['batch_id']}"}


class RecordLinesExporter(JsonLinesItemExporter):
    """A JSON Lines exporter, many times faster than Scrapy's for the project's own records.

    Other items are exported as Scrapy does. The file is flushed with the first record after a
    second; if the run is killed, it lacks those after the last flush.
    """

    _flushed_at = 0.0
    _latest: ClassVar[tuple[object, bytes]] = (None, b"")
    """The record that any feed took last, and its JSON, which other feeds often take next."""

    def export_item(self, item: Any) -> None:
        if (
            isinstance(item, (Article, Teaser, Failure))
            and not self.fields_to_export
            and not self.indent
        ):
            latest, encoded = self._latest
            if item is not latest:
                encoded = msgspec.json.encode(item)
                RecordLinesExporter._latest = item, encoded
            self.write_line(encoded)
        else:
            super().export_item(item)

    def write_line(self, encoded: bytes) -> None:
        """Write a record of the project's own, as JSON."""
        self.file.write(encoded + b"\n")
        if monotonic() - self._flushed_at > _FLUSH_SECONDS:
            self.file.flush()
            self._flushed_at = monotonic()

"""Which records go into which feed, and when.

Without a memory each record goes into its feeds as it is scraped. The feeds of a crawl with a memory are written from the ledger when
the run closes; those of a run that was killed by the next one, the same to the byte, before it fetches anything.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import msgspec
from scrapy.exporters import JsonLinesItemExporter
from scrapy.extensions.feedexport import FeedExporter, FeedSlot
from scrapy.utils.conf import feed_complete_default_values_from_settings

from crawler.crash import point
from crawler.errors import LedgerError
from crawler.feeds.storage import WholeFileStorage, part_of, size_of
from crawler.items import Article, Failure, Teaser
from crawler.outcome import Outcome

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.crawler import Crawler

    from crawler.ledger.job import Job, Run

_FLUSH_SECONDS = 1.0


class WatchedFeedExporter(FeedExporter):
    """Scrapy's feed exporter, whose errors no longer pass for success: each is told to the run's outcome.

    With a ledger, the feeds of a run are made of what the ledger holds, when the run has closed.
    """

    _writing: Run | None = None

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._sizes: dict[str, int] = {}
        """Of the files that a killed run may have added to: their bytes when it began."""

    async def open_spider(self, spider: Spider) -> None:  # type: ignore[override]
        job: Job | None = getattr(spider, "job", None)
        try:
            if job is None:
                super().open_spider(spider)
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
        if getattr(spider, "job", None) is None:
            self._export(item, spider)

    async def close_spider(self, spider: Spider) -> None:
        job: Job | None = getattr(spider, "job", None)
        if job is None:
            await super().close_spider(spider)
            return
        assert job.run is not None and job.pages is not None
        job.pages.flush()
        if job.pages.failed is not None:
            return
        try:
            job.feeds_failed = not await self._write(job, job.run, spider)
        except LedgerError as error:
            job.pages.fail(error)
        except Exception as error:
            self._tell(error)
            raise

    def _export(self, item: Any, spider: Spider) -> None:
        try:
            super().item_scraped(item, spider)
        except Exception as error:
            self._tell(error)
            raise

    def _name_feeds(self, job: Job) -> None:
        """Have the ledger keep which feeds this run is to write, wherever the next one is started."""
        assert job.run is not None
        named = {}
        for uri, options in self.settings.getdict("FEEDS").items():
            path = str(uri)
            if "://" not in path and not path.startswith("stdout:"):
                path = str(Path(path).absolute())
            # A run that has nothing new leaves no empty file, and a file that was there as it was. gzip would write the present time.
            named[path] = {
                "store_empty": False,
                "gzip_mtime": int(job.run.began.timestamp()),
                **options,
            }
        self._use(named)
        job.name_feeds(
            {
                uri: (json.loads(json.dumps(options, default=_as_text)), size_of(uri))
                for uri, options in named.items()
            }
        )

    def _use(self, feeds: dict[str, dict[str, Any]]) -> None:
        self.feeds = {
            uri: feed_complete_default_values_from_settings(dict(options), self.settings, uri)
            for uri, options in feeds.items()
        }
        self.filters = {uri: self._load_filter(options) for uri, options in self.feeds.items()}

    async def _complete(self, job: Job, run: Run, spider: Spider) -> None:
        """Write the feeds of a run that was killed; those that this run replaces will hold its records, too.

        If one cannot be written, the next run tries again.
        """
        outcome = self.crawler.get_extension(Outcome)
        errors = list(outcome.feed_errors) if outcome else []
        own = {uri for uri, options in self.feeds.items() if _replaces(uri, options)}
        now = self.feeds, self.filters
        feeds = job.feeds_of(run)
        self._use(
            {
                uri: options
                for uri, (options, _) in feeds.items()
                if uri not in own and not uri.startswith("stdout:")
            }
        )
        for uri in own & feeds.keys():
            part_of(uri, _stamp(run.began)).unlink(missing_ok=True)
        self._sizes = {uri: size for uri, (_, size) in feeds.items()}
        try:
            written = await self._write(job, run, spider)
        except OSError as error:
            written = False
            self._tell(error)
        finally:
            self._sizes = {}
            self.feeds, self.filters = now
        if outcome:
            failed, outcome.feed_errors = outcome.feed_errors[len(errors) :], errors
            outcome.completed(run, failed)
        if written:
            job.end(run, None)

    async def _write(self, job: Job, run: Run, spider: Spider) -> bool:
        """Write the feeds of a run from its records; return whether all could be written."""
        failed = self._failures()
        began, spider.began = spider.began, run.began  # type: ignore[attr-defined]
        try:
            for first, feeds in self._by_first_run(run).items():
                self._writing, self.slots = run, []
                whole, self.feeds = self.feeds, feeds
                try:
                    super().open_spider(spider)
                    for record in job.records_of(run, first):
                        self._export(record, spider)
                    await super().close_spider(spider)
                finally:
                    self.feeds = whole
        except BaseException:
            job.feeds_failed = run is job.run
            raise
        finally:
            spider.began = began  # type: ignore[attr-defined]
        point("feeds written")
        return self._failures() == failed

    def _by_first_run(self, run: Run) -> dict[int, dict[str, Any]]:
        """The feeds by the first run that they hold: one that replaces its file holds all of the crawl that this run goes on with."""
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
            slot.storage.goes_on = (
                slot.storage.overwrite and self._writing.began_before < self._writing.number
            )
        return slot

    def _failures(self) -> int:
        stats = self.crawler.stats.get_stats()
        return sum(
            count for name, count in stats.items() if name.startswith("feedexport/failed_count")
        )

    def _tell(self, error: Exception) -> None:
        outcome = self.crawler.get_extension(Outcome)
        words = f"a record could not be written to a feed ({type(error).__name__}: {error})"
        if outcome and words not in outcome.feed_errors:
            outcome.feed_errors.append(words)


def _replaces(uri: str, options: dict[str, Any]) -> bool:
    return bool(options.get("overwrite")) or uri.startswith("stdout:")


def _as_text(value: Any) -> str:
    """What an option of a feed is called in a settings file."""
    return (
        f"{value.__module__}.{value.__qualname__}"
        if isinstance(value, type) or callable(value)
        else str(value)
    )


def _stamp(began: datetime) -> str:
    return began.isoformat().replace(":", "-")


def uri_params(params: dict[str, Any], spider: Spider) -> dict[str, Any]:
    """The time in the names of a run's feeds: one for all of them, and fine enough that no two runs share it."""
    began = getattr(spider, "began", None)
    if not began:
        return params
    if getattr(spider, "job", None) is None:
        return {**params, "time": _stamp(began)}
    # Batches are named by the run, too, so that they can be written again.
    return {**params, "time": _stamp(began), "batch_time": f"{_stamp(began)}-{params['batch_id']}"}


class RecordLinesExporter(JsonLinesItemExporter):
    """JSON Lines of the project's own records, many times faster than Scrapy's; of anything else as Scrapy writes it.

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

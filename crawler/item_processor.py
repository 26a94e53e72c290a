"""Runs the item pipelines, and stores their results.

Scrapy's ``ITEM_PROCESSOR`` sees an item before the first pipeline and after the last, so that a
record can be stored for its article whatever the user's pipelines make of it, and teasers can pass
through the pipelines while these are still open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scrapy.exceptions import DropItem
from scrapy.pipelines import ItemPipelineManager

from crawler.assembly import check_parts
from crawler.crawl import records
from crawler.crawl.run import run_of
from crawler.extraction.page import ParsedPage
from crawler.items import Article, Failure, Teaser

if TYPE_CHECKING:
    from crawler.crawl.run import Run
    from crawler.items import Record


class NothingNew(DropItem):
    """The ledger already has this record, so it goes into no feed.

    This is neither a fault nor a loss.
    """

    def __init__(self, article_id: str) -> None:
        super().__init__(f"{article_id}: nothing new", log_level="DEBUG")


class RecordProcessor(ItemPipelineManager):
    """Scrapy's item pipelines, between the frontier and its memory.

    Items of spiders without a frontier pass through unchanged.
    """

    async def open_spider_async(self) -> None:
        """Open the pipelines. Raises CrawlerError if an add-on has removed a part of the crawl."""
        run = run_of(self._crawler.spider)
        if run and not self._crawler.settings.get("WORKERS"):
            check_parts(self._crawler.settings, run)
        await super().open_spider_async()

    async def process_item_async(self, item: Any) -> Any:
        """Return the result of the pipelines for an item.

        Raises NothingNew if the ledger already has it.
        """
        run = run_of(self._crawler.spider)
        if run is None:
            return await super().process_item_async(item)
        article_id = _article_id(item)
        if isinstance(item, (Article, Failure, Teaser)):
            run.records[item.id] = item
        try:
            processed = await super().process_item_async(item)
            record = run.records.get(article_id) if article_id else None
            return self._store(run, processed, record)
        except NothingNew:
            raise
        except Exception as error:
            self._note_loss(run, article_id, item, error)
            raise
        finally:
            run.item_done(article_id)

    def _store(self, run: Run, item: Any, record: Record | None) -> Any:
        state = run.frontier.find(record.id) if record else None
        stored = run.frontier.memory.store(state, item, record)
        if record is None or state is None:
            return item if stored is None else stored
        self._count(record, stored, state.revision)
        if isinstance(record, Failure) and stored is not None and run.scope.presumed(state, record):
            self._crawler.stats.inc_value("crawl/presumed_articles")
        run.frontier.forget(record.id)
        if stored is None:
            raise NothingNew(record.id)
        return stored

    def _count(self, record: Record, stored: Any, revision: int) -> None:
        stats = self._crawler.stats
        if isinstance(record, Article):
            if stored is None:
                stats.inc_value("articles/unchanged")
                return
            stats.inc_value("articles/changed" if revision > 1 else "articles/new")
            stats.inc_value(f"articles/from/{record.source}")
            stats.max_value("crawl/depth", record.depth)
        elif isinstance(record, Failure):
            unavailable = "articles/still_unavailable"
            stats.inc_value(unavailable if stored is None else f"failures/{record.reason}")
        elif stored is not None:
            stats.inc_value(f"teasers/{record.why}")

    def _note_loss(self, run: Run, article_id: str | None, item: Any, error: Exception) -> None:
        """Count an item that a pipeline dropped or failed on: its article has no record."""
        self._crawler.stats.inc_value("records/dropped")
        state = run.frontier.find(article_id) if article_id else None
        if state is not None and not isinstance(item, Teaser):
            run.frontier.memory.leave(state, "dropped", str(error) or type(error).__name__)

    async def close_spider_async(self) -> None:
        """Send the teasers through the pipelines, then close the pipelines.

        Only now is it known which articles were not fetched, and which pages list them. Pages that
        waited for others when the run was stopped come first.
        """
        run = run_of(self._crawler.spider)
        if run is not None and run.started and not run.hands_over:
            for item, result in run.pages_held():
                await self._crawler.engine.scraper.start_itemproc_async(item, response=result)
            for state, why, listings in run.frontier.unfetched():
                run.frontier.known.setdefault(state.id, state)
                teaser = records.teaser(state, why, listings, run.scope)
                await self._crawler.engine.scraper.start_itemproc_async(teaser, response=None)
        await super().close_spider_async()

    @property
    def _crawler(self) -> Any:
        assert self.crawler is not None
        return self.crawler


def _article_id(item: Any) -> str | None:
    return item.id if isinstance(item, (ParsedPage, Article, Failure, Teaser)) else None

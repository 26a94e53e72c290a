"""Item pipelines: thin shells over normalise and the memory of the crawl."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Self

from scrapy import signals

from crawler.crawl import frontier
from crawler.extensions.outcome import NothingNew, Outcome
from crawler.extraction import normalise
from crawler.items import Article, Failure, Teaser
from crawler.spiders.articles import ArticlesSpider, NotModified, Reading

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


# The record that is on its way through the pipelines, as it was before those of the user's own: one may make of it what it likes.
_READ: ContextVar[Article | Failure | Teaser | None] = ContextVar("read", default=None)


class RecordPipeline:
    """Makes an article of every reading. At the end of a crawl, adds a teaser for each article that was not fetched."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def process_item(self, item: Any) -> Any:
        record = self._record(item)
        _READ.set(record if isinstance(record, (Article, Failure, Teaser)) else None)
        return record

    def _record(self, item: Any) -> Any:
        if not isinstance(item, (Reading, NotModified)):
            return item
        spider = self.crawler.spider
        assert isinstance(spider, ArticlesSpider)
        if isinstance(item, NotModified):
            spider.frontier.memory.unchanged(spider.frontier.known[item.id], "not_modified")
            spider.frontier.recorded(item.id)
            raise NothingNew(item.id)
        try:
            return normalise.article(item.page, item.fetch, item.related, spider.publisher)
        except Exception as error:
            # No id may end without a record, not even by a fault of ours.
            spider.logger.exception(
                "%s: a fault of this program while making its record", item.fetch.id
            )
            return spider.failure(
                item.fetch.id,
                "internal_error",
                f"{type(error).__name__}: {error}",
                item.fetch.status,
                item.fetch.source,
            )

    async def close_spider(self) -> None:
        """Send the teasers through all pipelines. Only now is it known who lists what, also when the run was stopped early."""
        spider = self.crawler.spider
        if not isinstance(spider, ArticlesSpider) or not spider.started:
            return
        for sighting, why, listings in spider.frontier.unfetched():
            spider.frontier.known.setdefault(sighting.id, sighting)
            record = frontier.teaser(sighting, why, listings, spider.publisher)
            await self.crawler.engine.scraper.start_itemproc_async(record, response=None)


class MemoryPipeline:
    """The last pipeline: what has passed all of them is kept, and its article is done; in one step, whatever happens to the process."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        pipeline = cls(crawler)
        crawler.signals.connect(pipeline.item_lost, signal=signals.item_dropped)
        crawler.signals.connect(pipeline.item_lost, signal=signals.item_error)
        return pipeline

    def process_item(self, item: Any) -> Any:
        spider = self.crawler.spider
        if not isinstance(spider, ArticlesSpider):
            return item
        read = _READ.get()
        kept = spider.frontier.memory.store(
            spider.frontier.known.get(read.id) if read else None, item, read
        )
        if read:
            spider.frontier.recorded(read.id)
        outcome = self.crawler.get_extension(Outcome)
        if outcome and kept is not None and isinstance(read, Article):
            outcome.articles_kept += 1
        if kept is None:
            raise NothingNew(read.id if read else "")
        return kept

    def item_lost(self, item: Any, exception: BaseException | None = None) -> None:
        """Another pipeline dropped an item, or failed: its article was fetched, and has no record."""
        spider = self.crawler.spider
        article_id = _id_of(item)
        if (
            isinstance(exception, NothingNew)
            or isinstance(item, Teaser)
            or not isinstance(spider, ArticlesSpider)
        ):
            return
        if article_id not in spider.frontier.known:
            return
        spider.frontier.memory.leave(
            spider.frontier.known[article_id], "dropped", str(exception) if exception else None
        )


def _id_of(item: Any) -> str:
    return item.fetch.id if isinstance(item, Reading) else str(getattr(item, "id", ""))

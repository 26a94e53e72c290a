"""Item pipelines: thin shells over normalise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from crawler import frontier, normalise
from crawler.spiders.articles import ArticlesSpider, Reading

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class RecordPipeline:
    """Makes an article of every reading. At the end of a crawl, adds a teaser for each article that was not fetched."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def process_item(self, item: Any) -> Any:
        if not isinstance(item, Reading):
            return item
        spider = self.crawler.spider
        assert isinstance(spider, ArticlesSpider)
        try:
            return normalise.article(item.page, item.fetch, item.related, spider.site)
        except Exception as error:
            # No id may end without a record, not even by a fault of ours.
            spider.logger.exception("%s: a fault of this program while making its record", item.fetch.id)
            return spider.failure(item.fetch.id, "internal_error", f"{type(error).__name__}: {error}", None, item.fetch.status)

    async def close_spider(self) -> None:
        """Send the teasers through all pipelines. Only now is it known who lists what, also when the run was stopped early."""
        spider = self.crawler.spider
        if not isinstance(spider, ArticlesSpider) or not spider.started:
            return
        for sighting, why in spider.frontier.unfetched():
            await self.crawler.engine.scraper.start_itemproc_async(frontier.teaser(sighting, why, spider.site), response=None)

"""The item pipeline that turns parsed pages into records."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Self

from crawler.crawl import records
from crawler.crawl.run import run_of
from crawler.extraction.normalise import normalise
from crawler.extraction.page import ParsedPage
from crawler.extraction.refusal import Refusal

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.crawl.fetches import Fetch
    from crawler.crawl.run import Run
    from crawler.items import Article, Failure, PageRecord

logger = logging.getLogger(__name__)


class RecordPipeline:
    """Normalises each ``ParsedPage``.

    Pipelines before this one see the raw values of a page and may change them; those after it see
    the ``Article``, or the ``Failure`` of a page that is not an article. A page of a spider without
    a frontier becomes a ``PageRecord``.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def process_item(self, item: Any) -> Any:
        if not isinstance(item, ParsedPage):
            return item
        run = run_of(self.crawler.spider)
        fetch = run.fetches.get(item.id) if run and item.id else None
        if run is None or fetch is None:
            return normalise(item)
        record = self._record(item, fetch, run)
        run.records[record.id] = record
        return record

    def _record(self, page: ParsedPage, fetch: Fetch, run: Run) -> Article | Failure:
        try:
            result = _normalised(page, run)
        except Exception as error:
            # Every article must end up as a record, even if this program has a fault.
            logger.exception("%s: internal error while making its record", fetch.id)
            result = Refusal("internal_error", f"{type(error).__name__}: {error}")
        if isinstance(result, Refusal):
            state = run.frontier.find(fetch.id)
            assert state is not None
            return records.failure(
                state,
                run.frontier.read_listings(state),
                run.scope,
                reason=result.reason,
                detail=result.detail,
                attempts=1,
                status=fetch.status,
                source=fetch.source,
            )
        return records.article(result, fetch)


def _normalised(page: ParsedPage, run: Run) -> PageRecord | Refusal:
    extracted = run.extracted.get(page.id) if page.id else None
    # Only a page that another pipeline has changed needs to be normalised again.
    if extracted is not None and extracted.page is page:
        return extracted.result
    publisher = run.publishers.of(page.url) if page.url else None
    return normalise(page, publisher)

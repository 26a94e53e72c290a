"""Has the pages of a run that reads everything read in other processes, before the spider sees them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self

from scrapy import signals
from scrapy.exceptions import NotConfigured

from crawler.errors import CrawlerError
from crawler.reading import Readers
from crawler.sources import Origin, charset_of, not_html
from crawler.sources.folder import address_of

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy.settings import BaseSettings

_OK = 200
# More could not be fed by the one process that has all else to do.
_MOST = 3


def reader_processes(settings: BaseSettings) -> int:
    """How many processes read pages: READER_PROCESSES, else one for each processor but one, three at most; CrawlerError."""
    processors = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    wanted = settings["READER_PROCESSES"]
    if wanted is None:
        return min(processors - 1, _MOST)
    if not str(wanted).isdecimal():
        raise CrawlerError(
            f"READER_PROCESSES: got {wanted!r}, takes a whole number of processes, 0 for none"
        )
    return int(wanted)


class ReadersMiddleware:
    """The outermost middleware of answers: what it leaves in ``read`` of the request's meta is what the spider would have read itself."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._processes = reader_processes(crawler.settings)
        self._readers: Readers | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        arguments = getattr(crawler.spider, "arguments", None)
        middleware = cls(crawler)
        if arguments is None or not arguments.everything or not middleware._processes:
            raise NotConfigured
        crawler.signals.connect(middleware._closed, signal=signals.spider_closed)
        return middleware

    async def process_response(self, request: Request, response: Response) -> Response:
        article_id = request.meta.get("article")
        if article_id is None or response.status != _OK or not_html(response):
            return response
        site = self.crawler.spider.site  # type: ignore[union-attr]
        if self._readers is None:
            self._readers = Readers(self._processes, site)
        origin: Origin | None = request.meta.get("origin")
        address = address_of(response.url, origin.file if origin else None, article_id, site)
        request.meta["read"] = await self._readers.read(
            response.body, article_id, address, charset_of(response)
        )
        return response

    def _closed(self) -> None:
        if self._readers is not None:
            self._readers.close()

"""Reads the pages of articles before the spider sees them, within a limit of time."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Self

from scrapy import signals
from scrapy.exceptions import NotConfigured

from crawler.crawl.parser_pool import PageReader, TooSlowError
from crawler.errors import CrawlerError
from crawler.sources import (
    WITH_PAGE,
    Origin,
    PageRefused,
    Stopped,
    charset_of,
    led_elsewhere,
    not_html,
    seconds_of,
)
from crawler.sources.folder import address_of

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy.settings import BaseSettings

    from crawler.crawl.parser_pool import Read
    from crawler.extraction.publishers import Publisher

# Seconds: how often it is looked whether the run was stopped while a page is read in a process, and
# how long such a page may go on then.
_STOP_CHECK, _GRACE = 0.25, 0.5
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


class ReadingMiddleware:
    """Has the pages of articles read before the spider sees them, none for longer than READ_TIMEOUT.

    The outermost middleware of answers. It leaves the reading, or the fault that reading met, as
    ``read`` in the request's meta, unless another middleware has done so.
    """

    def __init__(self, crawler: Crawler, processes: int) -> None:
        self._crawler = crawler
        self._publisher: Publisher = crawler.spider.publisher  # type: ignore[union-attr]
        timeout = seconds_of(crawler.settings, "READ_TIMEOUT")
        self._reader = PageReader(self._publisher, timeout, processes)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        arguments = getattr(crawler.spider, "arguments", None)
        if arguments is None:
            raise NotConfigured
        processes = reader_processes(crawler.settings) if arguments.everything else 0
        middleware = cls(crawler, processes)
        crawler.signals.connect(middleware._closed, signal=signals.spider_closed)
        return middleware

    async def process_response(self, request: Request, response: Response) -> Response:
        article_id = request.meta.get("article")
        if article_id is None or "read" in request.meta or not self._may_be_page(request, response):
            return response
        origin: Origin | None = request.meta.get("origin")
        address = address_of(
            response.url, origin.file if origin else None, article_id, self._publisher
        )
        try:
            request.meta["read"] = await self.read(
                response.body, article_id, address, charset_of(response)
            )
        except (PageRefused, Stopped):
            raise
        except Exception as error:
            request.meta["read"] = error
        return response

    def _may_be_page(self, request: Request, response: Response) -> bool:
        """Whether the spider may read an answer: it refuses redirects to other pages unread."""
        if led_elsewhere(request, response.url, request.meta["article"], self._publisher):
            return False
        return response.status in WITH_PAGE and not not_html(response)

    async def read(
        self, body: bytes, article_id: str, address: str | None, charset: str | None
    ) -> Read:
        """Read a page; PageRefused if it takes too long, Stopped if the run is stopped then."""
        reading = asyncio.ensure_future(self._reader.read(body, article_id, address, charset))
        timeout = _STOP_CHECK
        try:
            while not (await asyncio.wait((reading,), timeout=timeout))[0]:
                if timeout == _GRACE:
                    raise Stopped(f"{article_id}: the run was stopped while its page was read")
                timeout = _GRACE if self._is_stopped() else _STOP_CHECK
            return reading.result()
        except TooSlowError as error:
            raise PageRefused("too_slow", str(error)) from None
        finally:
            reading.cancel()

    def _is_stopped(self) -> bool:
        slot = self._crawler.engine._slot if self._crawler.engine else None
        return slot is None or slot.closing is not None

    def _closed(self) -> None:
        self._reader.close()

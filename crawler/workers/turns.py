"""The turns that the workers of a job take with each host, so that they are as polite as one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawler.errors import CrawlerError
from crawler.unavailable import Stopped

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from crawler.workers.courier import Courier

# A worker may have to wait for minutes, after a Retry-After, and another may end that early.
_LONGEST_NAP = 1.0


class Turns:
    """Lets a request go when its host may get the next one from any worker of the job.

    The delay is that of the host's slot in Scrapy's downloader, with the additions of AutoThrottle
    and robots.txt. It counts from when the request is written to its connection, because connecting
    may take long.
    """

    def __init__(self, crawler: Crawler, courier: Courier) -> None:
        self._crawler = crawler
        self._courier = courier
        self._sending: dict[str, float] = {}
        """By host, the delay after the request that is about to be sent."""

    async def within(
        self, request: Request, download: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        """Send a request when it is its turn; raise Stopped if the database fails meanwhile."""
        delay = self._delay(request)
        host = urlsplit(request.url).hostname or ""
        if not delay:
            return await download(request)
        try:
            while True:
                seconds = self._courier.team.turn(host, delay)
                if not seconds:
                    break
                await asyncio.sleep(min(seconds, _LONGEST_NAP))
        except CrawlerError as error:
            self._courier.fail(error)
            raise Stopped("the database does not answer") from error
        self._sending[host] = delay
        try:
            return await download(request)
        finally:
            self.note_sent(host)

    def note_sent(self, host: str) -> None:
        """Note that a request to a host was written to a connection, or failed before."""
        delay = self._sending.pop(host, None)
        if delay is None:
            return
        try:
            self._courier.team.sent(host, delay)
        except CrawlerError as error:
            self._courier.fail(error)

    def _delay(self, request: Request) -> float:
        engine = self._crawler.engine
        assert engine is not None
        downloader = engine.downloader
        slot = downloader.slots.get(downloader.get_slot_key(request))
        return slot.delay if slot is not None else 0.0

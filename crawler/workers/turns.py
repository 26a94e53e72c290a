"""The turns that the workers of a job take with each host, so that they are as polite as one.

A worker takes a turn before it connects to a host, and nobody else gets one until the request is on
its way, because connecting may take long. If it takes longer than a turn lasts, the worker takes
another turn before it sends the request. The delay counts from when the request was written.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple
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
# How long a turn lasts: the time from when a request was allowed until it is written, in seconds.
_TURN_SECONDS = 10.0
# What is written to a connection is encrypted in the next iteration of Twisted's event loop, and
# sent in one after that.
_ITERATIONS_TO_SEND = 4


class _Turn(NamedTuple):
    delay: float
    ends_at: float


class Turns:
    """Lets a request go when its host may get the next one from any worker of the job.

    The delay is that of the host's slot in Scrapy's downloader, with the additions of AutoThrottle,
    or the Crawl-delay of its robots.txt if that is longer.
    """

    def __init__(self, crawler: Crawler, courier: Courier) -> None:
        self._crawler = crawler
        self._courier = courier
        self._crawl_delays: dict[str, float] = {}
        self._delays: dict[str, float] = {}
        """By host, the delay of its last request."""
        self._turns: dict[str, _Turn] = {}
        """By host, the turn of a request that is not on its way yet."""
        self._noting: set[asyncio.Task[None]] = set()

    def keep_crawl_delay(self, host: str, seconds: float) -> None:
        """Obey the Crawl-delay of a host from the next request on."""
        if host not in self._crawl_delays and host in self._delays:
            # This worker has just requested the robots.txt, without a delay.
            self._courier.pause(host, seconds)
        self._crawl_delays[host] = seconds

    async def within(
        self, request: Request, download: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        """Send a request when it is its turn; raise Stopped if the database fails meanwhile."""
        host = urlsplit(request.url).hostname or ""
        self._delays[host] = self._delay(request, host)
        turn = await self._take(host)
        try:
            return await download(request)
        finally:
            self._note_sent(host, turn)

    def is_current(self, host: str) -> bool:
        """Return whether a request to a host may be written to a connection now."""
        if not self._delays.get(host):
            return True
        turn = self._turns.get(host)
        return turn is not None and monotonic() < turn.ends_at

    async def take(self, host: str) -> None:
        """Wait for another turn, for a request that took too long to connect or is sent again."""
        await self._take(host)

    def note_written(self, host: str) -> None:
        """Note that a request to a host was written to a connection."""
        if turn := self._turns.get(host):
            task = asyncio.ensure_future(self._note_when_sent(host, turn))
            self._noting.add(task)
            task.add_done_callback(self._noting.discard)

    async def _note_when_sent(self, host: str, turn: _Turn) -> None:
        for _ in range(_ITERATIONS_TO_SEND):
            await asyncio.sleep(0)
        self._note_sent(host, turn)

    async def _take(self, host: str) -> _Turn | None:
        delay, team = self._delays[host], self._courier.team
        try:
            while True:
                ends_at = monotonic() + _TURN_SECONDS
                seconds = team.turn(host, delay, _TURN_SECONDS) if delay else team.pause_of(host)
                if not seconds:
                    break
                await asyncio.sleep(min(seconds, _LONGEST_NAP))
        except CrawlerError as error:
            self._courier.fail(error)
            raise Stopped("the database does not answer") from error
        if not delay:
            return None
        self._turns[host] = turn = _Turn(delay, ends_at)
        return turn

    def _note_sent(self, host: str, turn: _Turn | None) -> None:
        """End a turn, unless it has ended: another request may have one by now."""
        if turn is None or self._turns.get(host) is not turn:
            return
        del self._turns[host]
        try:
            self._courier.team.sent(host, turn.delay)
        except CrawlerError as error:
            self._courier.fail(error)

    def _delay(self, request: Request, host: str) -> float:
        engine = self._crawler.engine
        assert engine is not None
        downloader = engine.downloader
        slot = downloader.slots.get(downloader.get_slot_key(request))
        return max(slot.delay if slot is not None else 0.0, self._crawl_delays.get(host, 0.0))

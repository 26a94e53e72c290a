"""The Scrapy scheduler over the crawl frontier."""

from __future__ import annotations

from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from scrapy.core.scheduler import BaseScheduler
from scrapy.utils.asyncio import call_later

if TYPE_CHECKING:
    from scrapy import Request, Spider
    from scrapy.crawler import Crawler
    from twisted.internet.defer import Deferred

    from crawler.crawl.frontier import Frontier

TAKEN = "taken"
"""In the meta of a request that the frontier gave, and of what comes of it: it has its turn behind
it.
"""


class FrontierScheduler(BaseScheduler):
    """Hands out the requests of a spider in the order of its ``frontier``.

    A request whose ``article`` in meta waits in the frontier is kept until the frontier gives that
    id; for an id that an earlier run queued the spider makes the request again. Any other request
    (a retry, a redirect, one of a spider that has no frontier) is next in turn. ``pause`` stops
    handing out for a while: how a host that asks for patience gets it, for a run crawls one
    publisher.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._spider: Any = None
        self._frontier: Frontier | None = None
        self._kept: dict[str, Request] = {}
        self._ready: deque[Request] = deque()
        self._paused_until = 0.0
        settings = crawler.settings
        # What waits in the downloader could not be held back any more by a pause.
        self._at_once = max(1, settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN"))

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def open(self, spider: Spider) -> Deferred[None] | None:
        self._spider = spider
        self._frontier = getattr(spider, "frontier", None)
        return None

    def has_pending_requests(self) -> bool:
        return bool(self._ready or (self._frontier and self._frontier.has_more))

    def enqueue_request(self, request: Request) -> bool:
        article_id = request.meta.get("article")
        sighting = self._frontier.known.get(article_id) if self._frontier and article_id else None
        if sighting is None or TAKEN in request.meta or not sighting.queued:
            self._ready.append(request)
        elif not sighting.taken:
            self._kept[sighting.id] = request
        # Else the frontier was faster: its turn has come, and the same request was made for it.
        return True

    def next_request(self) -> Request | None:
        if (
            monotonic() < self._paused_until
            or len(self.crawler.engine.downloader.active) >= self._at_once
        ):
            return None
        if self._ready:
            return self._ready.popleft()
        sighting = self._frontier.take() if self._frontier else None
        if sighting is None:
            return None
        request = self._kept.pop(sighting.id, None) or self._spider.request(sighting)
        request.meta[TAKEN] = True
        return request

    def pause(self, seconds: float) -> None:
        """Hand out nothing for ``seconds`` from now; a longer pause that goes on already stays."""
        self._paused_until = max(self._paused_until, monotonic() + seconds)
        engine = self.crawler.engine

        def resume() -> None:
            # The clock of the event loop may be a little ahead of the one that is asked here.
            if (left := self._paused_until - monotonic()) > 0:
                call_later(left, resume)
            # The engine asks by itself only every five seconds.
            elif engine._slot is not None and engine._slot.closing is None:
                engine._slot.nextcall.schedule()

        call_later(seconds, resume)

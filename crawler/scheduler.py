"""The Scrapy scheduler, which takes its requests from the crawl frontier."""

from __future__ import annotations

from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from scrapy.core.scheduler import BaseScheduler
from scrapy.utils.asyncio import call_later

from crawler.crawl.run import run_of
from crawler.engine import ask_scheduler
from crawler.visits import visit_of

if TYPE_CHECKING:
    from scrapy import Request, Spider
    from scrapy.crawler import Crawler
    from twisted.internet.defer import Deferred

    from crawler.crawl.frontier import ArticleState, Frontier
    from crawler.crawl.run import Run


class FrontierScheduler(BaseScheduler):
    """Hands out requests in the order of the frontier.

    While an article waits in the frontier, its request is kept here until the frontier hands out
    its id. If an earlier run queued the article, the spider makes the request then. Any other
    request (a retry, a redirect, one by a spider without a frontier) comes first. ``pause`` holds
    back everything, because a run crawls only one publisher, whose server asked it to wait.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._spider: Any = None
        self._run: Run | None = None
        self._waiting: dict[str, Request] = {}
        self._ready: deque[Request] = deque()
        self._paused_until = 0.0
        # A pause cannot hold back requests that already wait in the downloader.
        self._most_active = max(1, crawler.settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN"))

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def open(self, spider: Spider) -> Deferred[None] | None:
        self._spider = spider
        self._run = run_of(spider)
        return None

    @property
    def _frontier(self) -> Frontier | None:
        """The frontier, once the spider crawls; None in scrapy parse, shell and check."""
        return self._run.frontier if self._run and self._run.started else None

    def has_pending_requests(self) -> bool:
        return bool(self._ready or (self._frontier and self._frontier.has_more))

    def enqueue_request(self, request: Request) -> bool:
        visit = visit_of(request)
        state = self._frontier.known.get(visit.article_id) if self._frontier and visit else None
        if visit is None or state is None or visit.taken or not state.queued:
            self._ready.append(request)
        elif not state.taken:
            self._waiting[state.id] = request
        # Otherwise this is a duplicate: the frontier has already handed out the id, and the spider
        # made a request for it then.
        return True

    def next_request(self) -> Request | None:
        if (
            monotonic() < self._paused_until
            or len(self.crawler.engine.downloader.active) >= self._most_active
        ):
            return None
        if self._ready:
            return self._ready.popleft()
        state = self._frontier.take() if self._frontier else None
        if state is None:
            return None
        request = self._waiting.pop(state.id) if state.id in self._waiting else self._make(state)
        if visit := visit_of(request):
            visit.taken = True
        return request

    def _make(self, state: ArticleState) -> Request:
        request: Request = self._spider.request(state)
        return request

    def pause(self, seconds: float) -> None:
        """Hand out nothing for ``seconds`` from now, or until a longer current pause ends."""
        self._paused_until = max(self._paused_until, monotonic() + seconds)
        engine = self.crawler.engine

        def resume() -> None:
            # The event loop's clock may be a little ahead of this one.
            if (remaining := self._paused_until - monotonic()) > 0:
                call_later(remaining, resume)
            else:
                ask_scheduler(engine)

        call_later(seconds, resume)

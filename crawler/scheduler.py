"""The Scrapy scheduler, which takes its requests from the crawl frontier."""

from __future__ import annotations

from collections import Counter, deque
from operator import attrgetter
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from scrapy import Request
from scrapy.core.scheduler import BaseScheduler
from scrapy.utils.asyncio import call_later
from scrapy.utils.httpobj import urlparse_cached

from crawler.crawl.run import run_of
from crawler.engine import ask_scheduler
from crawler.visits import visit_in, visit_of

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.crawler import Crawler
    from twisted.internet.defer import Deferred

    from crawler.crawl.articles import ArticleState
    from crawler.crawl.frontier import Frontier
    from crawler.crawl.run import Run
    from crawler.visits import Visit


# Pages that may have been requested and not read yet, because pages before them are still missing.
_MOST_AHEAD = 1000
_values_of = attrgetter(*(name for name in Request.attributes if name not in ("url", "meta")))


class FrontierScheduler(BaseScheduler):
    """Hands out requests in the order of the frontier.

    While an article waits in the frontier, a request for it that a spider middleware has changed is
    kept here until the frontier hands out its id. The spider makes any other request then, since a
    million articles may wait. Requests for no such article (a retry, a redirect, one by a spider
    without a frontier) come first. Each host has its turn independently of the others:
    CONCURRENT_REQUESTS_PER_DOMAIN requests at a time, and none while it is paused.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._spider: Any = None
        self._run: Run | None = None
        self._changed: dict[str, Request] = {}
        """By article id, the waiting requests that the spider would not make again as they are."""
        self._usual_values: tuple[Any, ...] = ()
        self._ready: deque[Request] = deque()
        self._paused_until: dict[str, float] = {}
        # A pause cannot hold back requests that already wait in the downloader.
        self._most_active = max(1, crawler.settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN"))

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def open(self, spider: Spider) -> Deferred[None] | None:
        self._spider = spider
        self._run = run_of(spider)
        if self._run is not None:
            usual = Request("about:blank", spider.parse, errback=self._spider.fail)
            self._usual_values = _values_of(usual.replace(dont_filter=True))
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
        if self._frontier is None or visit is None or visit.state is not None:
            self._ready.append(request)
        elif state is None or state.taken or not state.queued:
            # The frontier has already handed out the id, and the spider made a request for it then,
            # or the article was merged into another one or pruned since.
            pass
        elif not self._is_as_made(request, visit):
            self._changed[state.id] = request
        return True

    def _is_as_made(self, request: Request, visit: Visit) -> bool:
        """Return whether a request is as the spider made it, and would make it again."""
        return (
            type(request) is Request
            and request.url == visit.made_url
            and len(request.meta) == 1
            and not visit.notes
            and _values_of(request) == self._usual_values
        )

    def next_request(self) -> Request | None:
        downloading = self.crawler.engine.downloader.active
        active: Counter[str] = Counter()
        if len(downloading) >= self._most_active:
            active.update(map(self._host_of, downloading))
        now = monotonic()

        def may_request(host: str) -> bool:
            return active[host] < self._most_active and now >= self._paused_until.get(host, 0.0)

        for request in self._ready:
            if may_request(self._host_of(request)):
                self._ready.remove(request)
                return request
        if self._frontier is None or self._frontier.unread_count >= _MOST_AHEAD:
            return None
        if self._run and self._run.reads_directly:
            return None
        state = self._frontier.take(lambda lane: may_request(lane.host))
        if state is None:
            return None
        changed = self._changed.pop(state.id, None)
        # A list before the one that led to the request may have given another address since.
        is_current = changed is not None and visit_in(changed).url == state.url
        request = changed if changed and is_current else self._make(state)
        if visit := visit_of(request):
            visit.state = state
        return request

    def _host_of(self, request: Request) -> str:
        """Return the host whose turn a request takes: of the live page, whatever the source."""
        visit = visit_of(request)
        if visit and visit.state and self._run and not self._run.is_live(visit.turn):
            return visit.state.lane.host
        return urlparse_cached(request).hostname or ""

    def _make(self, state: ArticleState) -> Request:
        request: Request = self._spider.request(state)
        return request

    def pause(self, request: Request, seconds: float) -> None:
        """Request nothing from the host of a request for ``seconds``, or a longer current pause."""
        host = self._host_of(request)
        self._paused_until[host] = max(self._paused_until.get(host, 0.0), monotonic() + seconds)
        engine = self.crawler.engine

        def resume() -> None:
            # The event loop's clock may be a little ahead of this one.
            if (remaining := self._paused_until[host] - monotonic()) > 0:
                call_later(remaining, resume)
            else:
                ask_scheduler(engine)

        call_later(seconds, resume)

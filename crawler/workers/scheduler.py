"""The scheduler of a worker, which takes its requests by lease from the database."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from scrapy import Request

from crawler.downloading.failures import explain
from crawler.engine import ask_scheduler, is_closing
from crawler.errors import CrawlerError
from crawler.scheduler import FrontierScheduler
from crawler.unavailable import Stopped, Unavailable
from crawler.visits import PURPOSE, Errand, visit_in, visit_of
from crawler.workers.messages import PageRequest, PlainRequest, unpacked

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure as TwistedFailure

    from crawler.workers.courier import Courier
    from crawler.workers.team import Lease

# Between two looks for pages: while there are some, and while there are none.
_FIRST_WAIT, _LONGEST_WAIT = 0.02, 0.5

# A page with which so many workers were lost is not given to more.
_MOST_TRIES = 10


class LeaseScheduler(FrontierScheduler):
    """Hands out the pages that the worker takes, and the requests that follow from them."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._most = max(1, crawler.settings.getint("CONCURRENT_REQUESTS"))
        self._has_room = asyncio.Event()
        self._taking: asyncio.Task[None] | None = None

    def open(self, spider: Spider) -> Deferred[None] | None:
        super().open(spider)
        assert self._run is not None
        self._run.started = True
        self._courier.after_delivery = self._has_room.set
        self._taking = asyncio.ensure_future(self._take_pages())
        return None

    def close(self, reason: str) -> None:
        if self._taking is not None:
            self._taking.cancel()
        self._courier.flush()

    @property
    def _courier(self) -> Courier:
        assert self._run is not None and self._run.courier is not None
        return self._run.courier

    @property
    def _frontier(self) -> None:
        """A worker has no frontier."""
        return

    def has_pending_requests(self) -> bool:
        # Others may offer pages until the run ends.
        return True

    def enqueue_request(self, request: Request) -> bool:
        self._ready.append(request)
        return True

    def pause(self, request: Request, seconds: float) -> None:
        super().pause(request, seconds)
        self._courier.pause(self._host_of(request), seconds)

    async def _take_pages(self) -> None:
        team, wait = self._courier.team, _FIRST_WAIT
        while True:
            room = self._most - len(team.held)
            taken: list[Lease] = []
            if room > 0 and not is_closing(self.crawler.engine):
                try:
                    taken = team.take(room, self._most_active)
                    for lease in taken:
                        self._begin(lease)
                except CrawlerError as error:
                    self._courier.fail(error)
                    return
            if taken:
                ask_scheduler(self.crawler.engine)
            wait = _FIRST_WAIT if taken else min(_LONGEST_WAIT, wait * 1.5)
            self._has_room.clear()
            try:
                await asyncio.wait_for(self._has_room.wait(), wait)
                wait = _FIRST_WAIT
            except TimeoutError:
                pass

    def _begin(self, lease: Lease) -> None:
        request = self._request(lease)
        visit = visit_of(request)
        if visit is not None and lease.tries > _MOST_TRIES:
            detail = f"{_MOST_TRIES} workers ended, or stopped answering, while they had this page"
            self._courier.report(visit, Unavailable("internal_error", detail), None)
        else:
            self._ready.append(request)

    def _request(self, lease: Lease) -> Request:
        message = unpacked(lease.request)
        if isinstance(message, PlainRequest):
            return self._plain_request(lease.number, message)
        assert isinstance(message, PageRequest) and self._run is not None
        state = message.article()
        state.lane = self._run.scope.lane_of(state)
        self._run.has_new_arguments = message.has_new_arguments
        request: Request = self._spider.request_page(state, message.turn)
        visit = visit_in(request)
        visit.state, visit.lease = state, lease.number
        return request

    def _plain_request(self, lease: int, message: PlainRequest) -> Request:
        courier = self._courier

        def bring(response: Response, **_: Any) -> None:
            courier.bring_plain(lease, response)

        def report(failure: TwistedFailure) -> None:
            if isinstance(failure.value, Stopped):
                courier.give_back(lease)
                return
            assert failure.value is not None
            courier.bring_plain(lease, Unavailable(*explain(failure.value)))

        return Request(
            message.url,
            method=message.method,
            headers=message.headers,
            body=message.body,
            callback=bring,
            errback=report,
            dont_filter=True,
            meta={**message.meta, PURPOSE: Errand(named_by_user=message.named_by_user)},
        )

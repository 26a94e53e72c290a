"""The writer's side of the tables: orders pages, and collects what the workers deliver."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from crawler.crawl.parser_messages import ParserError
from crawler.crawl.run import run_of
from crawler.crawl.source_kinds import WAYBACK
from crawler.engine import is_closing
from crawler.errors import CrawlerError
from crawler.middlewares.redirects import known_before
from crawler.middlewares.sources import refuse_if_down
from crawler.unavailable import NotSaved, PageRefused, SameArticle, SourceUnavailable, Stopped
from crawler.visits import errand_of, visit_of
from crawler.workers import schema
from crawler.workers.messages import PageRequest, PlainRequest, Refused, packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from sqlalchemy import Connection

    from crawler.crawl.articles import ArticleState
    from crawler.crawl.ledger.commits import Commits
    from crawler.crawl.ledger.postgresql import PostgresDatabase
    from crawler.crawl.run import Run
    from crawler.visits import Visit
    from crawler.workers.messages import Delivery

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.02
_MOST_COLLECTED = 50
# How many orders may be forgotten before their space is used again.
_MOST_FORGOTTEN = 50


class DelegatingHandler:
    """A download handler that lets the workers make all requests of the writer."""

    lazy = True

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> DelegatingHandler:
        run = run_of(crawler.spider)
        assert run is not None
        if run.desk is None:
            run.desk = Desk(crawler, run)
        return cls(run.desk)

    async def download_request(self, request: Request) -> Response:
        return await self._desk.answer(request)

    async def close(self) -> None:
        self._desk.close()


class _Order(NamedTuple):
    """A page that the workers are to provide: a row of the table leases, and who waits for it."""

    page: str
    step: int
    host: str
    request: bytes
    waiting: asyncio.Future[Delivery]
    place: int | None
    """The order of the article in this run; None if the request is for no article."""


class Desk:
    """The orders of a run, from when they are placed until their outcomes are in the ledger."""

    def __init__(self, crawler: Crawler, run: Run) -> None:
        assert run.job is not None and run.job.pages is not None
        self._crawler = crawler
        self._run = run
        self._database: PostgresDatabase = run.job.database  # type: ignore[assignment]
        self._commits: Commits = run.job.pages.commits
        self._commits.on_outcome = self._note_outcome
        self._commits.after_commit.append(self._reuse_space)
        self._steps: Counter[str] = Counter()
        self._new: list[_Order] = []
        self._waiting: dict[int, _Order] = {}
        self._leases: dict[int, dict[int, str]] = {}
        """By the places of their articles, the leases whose outcomes are not stored yet."""
        self._forgotten = 0
        self._working: asyncio.Task[None] | None = None

    async def answer(self, request: Request) -> Response:
        """Return the response to a request that a worker made.

        Raises what the request's own download would raise.
        """
        visit = visit_of(request)
        if visit is not None:
            refuse_if_down(self._run, visit)
        if self._working is not None and self._working.done():
            raise Stopped("the run is ending")
        order = self._order(request, visit)
        self._new.append(order)
        if self._working is None:
            self._working = asyncio.ensure_future(self._work())
        elif self._working.done():
            raise Stopped("the run is ending")
        delivery = await order.waiting
        for name, count in delivery.stats.items():
            self._crawler.stats.inc_value(name, count)
        request.meta.update(delivery.result.meta)
        if visit is not None and delivery.found is not None:
            _fill(visit, delivery)
        if isinstance(delivery.result, Refused):
            raise _error_of(delivery.result)
        if visit is not None and "redirect_urls" in request.meta:
            known = known_before(self._run, visit, delivery.result.url)
            if known is not None:
                raise SameArticle(known)
        return delivery.result.respond(request)

    def _order(self, request: Request, visit: Visit | None) -> _Order:
        waiting: asyncio.Future[Delivery] = asyncio.get_running_loop().create_future()
        if visit is None or visit.state is None:
            page, place, host = request.url, None, urlsplit(request.url).hostname or ""
            errand = errand_of(request)
            message: PageRequest | PlainRequest = PlainRequest(
                request.method,
                request.url,
                {key: list(values) for key, values in request.headers.items()},
                request.body,
                {
                    name: value
                    for name, value in request.meta.items()
                    if isinstance(value, (str, int, float, bool))
                },
                named_by_user=errand is not None and errand.named_by_user,
            )
        else:
            page, place = visit.article_id, visit.state.order
            host = self._host_of(visit, visit.state)
            message = _page_request(visit, visit.state, self._run)
        step = self._steps[page]
        self._steps[page] += 1
        return _Order(page, step, host, packed(message), waiting, place)

    def _host_of(self, visit: Visit, state: ArticleState) -> str:
        """Return the host that is asked for a page; an empty text if none is."""
        source = self._run.source_at(visit.turn)
        if source is None:
            return state.lane.host or urlsplit(self._run.scope.url_of(state) or "").hostname or ""
        if source.name == WAYBACK:
            return urlsplit(self._crawler.settings["WAYBACK_URL"]).hostname or ""
        return ""

    async def _work(self) -> None:
        try:
            while not is_closing(self._crawler.engine):
                self._place_orders()
                self._collect()
                await asyncio.sleep(_POLL_SECONDS)
        except CrawlerError as error:
            self._commits.fail(error)
        finally:
            self.close()

    def _place_orders(self) -> None:
        orders = self._new
        if not orders:
            return
        rows = [order[:4] for order in orders]

        def offer(connection: Connection) -> list[Any]:
            connection.exec_driver_sql(schema.OFFER, rows)
            pages = ([order.page for order in orders],)
            return list(connection.exec_driver_sql(schema.OFFERED, pages))

        by_page = {(order.page, order.step): order for order in orders}
        placed = self._database.store(offer)
        self._new = []
        for lease, page, step in placed:
            if order := by_page.get((page, step)):
                self._waiting[lease] = order
                if order.place is not None:
                    self._leases.setdefault(order.place, {})[lease] = page

    def _collect(self) -> None:
        if not self._waiting:
            return
        waiting = list(self._waiting)
        for lease, content in self._database.run(schema.COLLECT, (waiting, _MOST_COLLECTED)):
            delivery = unpacked(bytes(content))
            order = self._waiting.pop(lease)
            order.waiting.set_result(delivery)
            if order.place not in self._leases:
                self._forget({lease: order.page})

    def _note_outcome(self, state: ArticleState) -> None:
        """Forget the orders of an article in the commit that stores its outcome."""
        leases = self._leases.pop(state.order, {})
        # If the article was merged into another one, its page may still be on its way.
        self._forget({lease: page for lease, page in leases.items() if lease not in self._waiting})

    def _forget(self, leases: Mapping[int, str]) -> None:
        self._commits.batch.also.setdefault(self._forget_leases, []).extend(leases.items())

    def _forget_leases(self, connection: Connection, leases: list[tuple[int, str]]) -> None:
        numbers = [lease for lease, _ in leases]
        for statement in schema.FORGET:
            connection.exec_driver_sql(statement, (numbers,))
        self._forgotten += len(numbers)
        # Before that, an order for the same page and step would have been for the same lease.
        for _, page in leases:
            self._steps.pop(page, None)

    def _reuse_space(self) -> None:
        if self._forgotten >= _MOST_FORGOTTEN:
            self._forgotten = 0
            self._database.run(schema.REUSE_SPACE)

    def close(self) -> None:
        """Let no request wait any longer; its page remains to be crawled."""
        for order in (*self._new, *self._waiting.values()):
            if not order.waiting.done():
                order.waiting.set_exception(Stopped("the run is ending"))
        self._new.clear()
        self._waiting.clear()


def forget_all(connection: Connection) -> None:
    """Forget the orders of an earlier run, and what its workers found out about hosts."""
    for table in ("deliveries", "leases", "robots"):
        connection.exec_driver_sql(f"DELETE FROM {table}")


def _page_request(visit: Visit, state: ArticleState, run: Run) -> PageRequest:
    return PageRequest(
        visit.article_id,
        visit.turn,
        state.state,
        state.priority,
        state.url,
        state.revision,
        state.recheck.validators,
        state.recheck.refusal,
        run.has_new_arguments,
    )


def _fill(visit: Visit, delivery: Delivery) -> None:
    """Complete a visit with what the worker found out."""
    found = delivery.found
    assert found is not None
    visit.origin, visit.rendered, visit.evidence = found.origin, found.rendered, found.evidence
    visit.notes[:] = found.notes
    visit.extracted = ParserError(found.fault) if found.fault else found.extracted
    visit.fetched_at, visit.has_own_capture = found.fetched_at, found.has_own_capture


def _error_of(refused: Refused) -> Exception:
    if refused.reason == "not_saved":
        return NotSaved(refused.detail)
    if refused.of_source:
        return SourceUnavailable(refused.reason, refused.detail, asked=refused.asked)
    return PageRefused(refused.reason, refused.detail, refused.status)

"""The base of spiders that follow an article's related items through the crawl frontier."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from scrapy import Request, Spider
from scrapy_spider_metadata import Args  # type: ignore[attr-defined]
from w3lib.url import file_uri_to_path

from crawler import defaults
from crawler.assembly import check_parts
from crawler.crawl import arguments
from crawler.crawl.fetches import Fetch, Origin
from crawler.crawl.frontier import Frontier
from crawler.crawl.outages import Outages
from crawler.crawl.parser_pool import Extracted, extract_page
from crawler.crawl.run import Run
from crawler.downloading.failures import explain, explain_status
from crawler.extraction.publishers import ARTICLE_ID, same_server
from crawler.extraction.refusal import Refusal
from crawler.middlewares.parsing import page_task
from crawler.rendering import prepare
from crawler.responses import WITH_PAGE, led_elsewhere, not_html
from crawler.setting_values import most_bytes, seconds_of, seconds_setting
from crawler.sources.chain import open_sources
from crawler.spiders.conditions import conditions, validators_of
from crawler.spiders.fallback import Fallback, Unavailable
from crawler.spiders.parameters import Parameters
from crawler.unavailable import NotSaved, Stopped
from crawler.visits import PURPOSE, Attempt, Visit, errand_of, visit_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy.settings import BaseSettings
    from twisted.python.failure import Failure as TwistedFailure

    from crawler.crawl.arguments import Arguments
    from crawler.crawl.frontier import ArticleState, Memory
    from crawler.extraction.page import ParsedPage
    from crawler.items import Failure

_NOT_MODIFIED, _PRECONDITION_FAILED = 304, 412
# The arguments that decide which listed articles are fetched, and from where.
_DECIDING_ARGUMENTS = ("source", "at", "base_url", "depth", "since", "until", "match")


class FrontierSpider(Args[Parameters], Spider):
    """Reads articles, and follows their related items breadth first.

    A subclass gives the frontier its first articles (``start_with``). ``run`` holds everything that
    belongs to the crawl. The spider brings the settings that it needs (crawler/defaults.py), which
    merge with the user's.
    """

    more_arguments: ClassVar[tuple[str, ...]] = ()
    """The names of a subclass's own arguments, besides those in README.md."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Check the arguments. Raises CrawlerError if one is wrong.

        A script may give them as text, like the command line, or as values: ``depth=1``.
        """
        given = {
            name: str(value)
            for name, value in kwargs.items()
            if value is not None and name not in self.more_arguments
        }
        # Checked before scrapy-spider-metadata does, because these messages say what to do.
        parsed = arguments.parse(given)
        super().__init__(*args, **kwargs)
        self.allowed_domains = sorted(parsed.publisher.hosts)
        self._closing_tasks: set[asyncio.Task[None]] = set()
        self.run = Run(
            given=given,
            arguments=parsed,
            frontier=_frontier(parsed),
            outages=Outages(0),
            began=datetime.now(UTC),
            close=self._close,
        )
        self._fallback = Fallback(self.run, self._request_again)

    @classmethod
    def update_settings(cls, settings: BaseSettings) -> None:
        defaults.apply(settings)
        super().update_settings(settings)

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """Make the spider, open its sources and, with JOBDIR, begin a run of that job.

        Raises CrawlerError if a source cannot be read, another process holds the job, or its ledger
        cannot be opened.
        """
        spider = super().from_crawler(crawler, *args, **kwargs)
        run, settings = spider.run, crawler.settings
        seconds_of(settings, "READ_TIMEOUT")
        most_bytes(settings)
        run.sources = open_sources(run.arguments, crawler)
        if run.is_offline:
            defaults.leave_out_network(settings)
        run.outages = Outages(settings.getint("SITE_DOWN_AFTER"))
        if run.arguments.render:
            run.renderer = prepare(run.arguments.render, settings)
        check_parts(settings, run)
        if folder := settings.get("JOBDIR"):
            spider._continue_job(Path(folder), settings)
        return spider

    def _continue_job(self, folder: Path, settings: BaseSettings) -> None:
        """Begin a run of the crawl whose ledger is in ``folder``."""
        # A run without a ledger needs no database, which is slow to import.
        from crawler.crawl.ledger.job import Job
        from crawler.crawl.ledger.recheck import Intervals

        run = self.run
        intervals = Intervals(
            seconds_setting(settings, "RECHECK_MIN"), seconds_setting(settings, "RECHECK_MAX")
        )
        run.job = Job(folder, run.publisher.name)
        same_arguments = run.job.begin(
            run.began,
            {name: run.given[name] for name in _DECIDING_ARGUMENTS if name in run.given},
            run.arguments.recheck,
            run.arguments.limit,
            intervals,
            seconds_setting(settings, "LEDGER_SYNC_INTERVAL"),
            run.fail,
        )
        run.frontier = _frontier(run.arguments, run.job.pages)
        if not same_arguments:
            run.frontier.reconsider()
            run.job.note_reconsidered()

    def _close(self, reason: str) -> None:
        engine = self.crawler.engine
        if engine is not None and engine.spider is not None:
            task = asyncio.ensure_future(engine.close_spider_async(reason=reason))
            self._closing_tasks.add(task)

    def start_with(self, article_ids: Iterable[str]) -> Iterator[Request]:
        """Give articles to the frontier, and yield the requests for those to fetch."""
        self.run.started = True
        for article_id in self.run.frontier.seed(article_ids):
            yield self.request(self.run.frontier.known[article_id])

    def request(self, state: ArticleState) -> Request:
        """Return the request for an article that the frontier hands out."""
        return self._request(state, Visit(article_id=state.id))

    def _request_again(self, article_id: str, turn: int) -> Request:
        state = self.run.frontier.known[article_id]
        return self._request(state, Visit(article_id=article_id, turn=turn, taken=True))

    def _request(self, state: ArticleState, visit: Visit, url: str | None = None) -> Request:
        if url is None and not ARTICLE_ID.fullmatch(state.id):
            # A saved page without an article id, which an earlier run was given by its path.
            visit.has_address = False
        headers = conditions(state, visit.turn, self.run)
        meta: dict[str, Any] = {PURPOSE: visit}
        if headers:
            meta["handle_httpstatus_list"] = [_NOT_MODIFIED, _PRECONDITION_FAILED]
        return Request(
            url or self.run.publisher.url_of(state.id),
            callback=self.parse,
            errback=self.fail,
            headers=headers,
            # The frontier hands out each id only once.
            dont_filter=True,
            meta=meta,
        )

    def parse(self, response: Response, **_: Any) -> Iterator[Any]:
        """Read an article's page: yield requests for its related items, then the parsed page.

        @saved_page tests/site/1752038.html
        @returns requests 1
        @returns items 1 1
        @scrapes id headline related
        """
        visit = visit_of(response.request)
        if visit is None or visit.article_id not in self.run.frontier.known:
            visit = self._adopt(response, visit)
        result: Any = None
        try:
            for result in self._results(response, visit):
                yield result
        except Exception as error:
            self.logger.exception(
                "%s: internal error while reading %s", visit.article_id, response.url
            )
            result = self.failure(visit, error, response.status)
            yield result
        finally:
            # Whatever happened, the next depth must not wait forever for this page. It still waits
            # if the page is now requested from another source.
            if not isinstance(result, Request):
                self.run.frontier.done(visit.article_id)

    def _results(self, response: Response, visit: Visit) -> Iterator[Any]:
        self.run.outages.record_answer(visit.source)
        elsewhere = (
            None
            if visit.is_saved
            else led_elsewhere(response.request, response.url, visit.article_id, self.run.publisher)
        )
        state = self.run.frontier.known[visit.article_id]
        if response.status == _NOT_MODIFIED:
            # A 304 says nothing about the article if the request was redirected to another page.
            if elsewhere:
                yield self._unavailable(response, visit, *elsewhere)
            else:
                self._note_unchanged(state)
            return
        if response.status == _PRECONDITION_FAILED:
            # The server does not understand the condition, so request the page without it.
            state.validators = (None, None)
            yield self._request_again(visit.article_id, visit.turn)
            return
        if response.status not in WITH_PAGE:
            yield self._unavailable(response, visit, *explain_status(response.status)[:2])
            return
        is_live = visit.origin is None and same_server(
            response.url, self.run.publisher.url_of(state.id)
        )
        state.new_validators = validators_of(response) if is_live else (None, None)
        if other := not_html(response):
            yield self._unavailable(response, visit, "not_html", other)
            return
        if elsewhere:
            yield self._unavailable(response, visit, *elsewhere)
            return
        extracted = self._extract(response, visit)
        if isinstance(extracted.result, Refusal):
            refusal = extracted.result
            yield self._unavailable(response, visit, refusal.reason, refusal.detail)
            return
        if not self.run.arguments.everything:
            for article_id in self.run.frontier.add_links(
                visit.article_id, extracted.result.related or ()
            ):
                yield self.request(self.run.frontier.known[article_id])
        yield self._item(response, visit, extracted)

    def _extract(self, response: Response, visit: Visit) -> Extracted:
        extracted, visit.extracted = visit.extracted, None
        if isinstance(extracted, Exception):
            raise extracted
        if extracted is None:
            # The middlewares of this project have not run, as in ``scrapy check``.
            task = page_task(response, visit, self.run.publisher)
            extracted = extract_page(task, self.run.publisher)
        return extracted

    def _item(self, response: Response, visit: Visit, extracted: Extracted) -> ParsedPage:
        """Return the page as an item, and note for the pipelines how it was fetched."""
        self.run.extracted[visit.article_id] = extracted
        self.run.fetches[visit.article_id] = self._fetch(response, visit)
        return extracted.page

    def _fetch(self, response: Response, visit: Visit) -> Fetch:
        state = self.run.frontier.known[visit.article_id]
        origin, rendered = visit.origin, visit.rendered
        url = None
        if ARTICLE_ID.fullmatch(visit.article_id):
            url = self.run.publisher.url_of(visit.article_id) if visit.is_saved else response.url
        return Fetch(
            id=visit.article_id,
            url=url,
            depth=state.depth,
            found_on=state.found_on,
            fetched_at=(origin and origin.captured_at) or datetime.now(UTC),
            source=visit.source,
            status=response.status,
            status_assumed=origin is not None and origin.status_assumed,
            id_where=origin.id_where if origin else "asked for",
            file=origin.file if origin else None,
            capture=origin.where if origin and origin.captured_at else None,
            rendered_by=rendered.renderer if rendered else None,
            unfinished=rendered.unfinished if rendered else None,
            fetched_at_note=origin.date_note if origin else None,
            notes=tuple(visit.notes),
        )

    def _adopt(self, response: Response, visit: Visit | None) -> Visit:
        """Treat a page that was fetched outside a crawl, as by ``scrapy parse``, as a seed."""
        if visit is None:
            article_id = self.run.publisher.id_of(response.url) or Path(response.url).stem
            errand = errand_of(response.request)
            visit = Visit(article_id=article_id or "page", notes=errand.notes if errand else [])
        if visit.origin is None and response.url.startswith("file:"):
            file = file_uri_to_path(response.url)
            visit.origin = Origin(source="folder", where=file, file=file, status_assumed=True)
        self.run.frontier.seed([visit.article_id])
        self.run.frontier.take()
        return visit

    def _note_unchanged(self, state: ArticleState) -> None:
        self.run.frontier.memory.unchanged(state, "not_modified")
        self.run.frontier.forget(state.id)
        self.crawler.stats.inc_value("articles/unchanged")

    def fail(self, failure: TwistedFailure) -> Iterator[Failure | Request]:
        """Yield what ``Fallback`` decides about a page that could not be fetched, if anything."""
        request: Request = failure.request  # type: ignore[attr-defined]
        error = failure.value
        visit = visit_of(request)
        assert visit is not None and error is not None
        result: Failure | Request | None = None
        try:
            if isinstance(error, Stopped):
                # The page was not requested, and remains to be crawled.
                return
            if isinstance(error, NotSaved):
                unavailable = Unavailable("not_saved", str(error))
            else:
                reason, detail, status = explain(error)
                if reason == "internal_error":
                    self.logger.error("%s: internal error", visit.article_id, exc_info=error)
                unavailable = Unavailable(reason, detail, status, error)
            result = self._fallback.follow(visit, unavailable, request)
            if result is not None:
                yield result
        finally:
            if not isinstance(result, Request):
                self.run.frontier.done(visit.article_id)

    def _unavailable(
        self, response: Response, visit: Visit, reason: Any, detail: str
    ) -> Failure | Request | None:
        unavailable = Unavailable(reason, detail, response.status)
        return self._fallback.follow(visit, unavailable, response.request)

    def failure(self, visit: Visit, error: Exception, status: int) -> Failure:
        """Return the failure of a page that could not be read because of an internal error."""
        detail = f"{type(error).__name__}: {error}"
        attempt = Attempt(visit.source, "internal_error", detail, status, 1)
        return self._fallback.failure(visit.article_id, (attempt,), attempt)


def _frontier(parsed: Arguments, memory: Memory | None = None) -> Frontier:
    return Frontier(parsed.depth, parsed.limit, parsed.follows, memory, forgets=parsed.everything)

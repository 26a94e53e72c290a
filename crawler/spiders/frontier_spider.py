"""The base of spiders that follow an article's links to others through the crawl frontier."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar
from urllib.parse import quote

from scrapy import Request, Spider
from scrapy_spider_metadata import Args  # type: ignore[attr-defined]
from w3lib.url import file_uri_to_path

from crawler import defaults
from crawler.assembly import check_parts
from crawler.crawl import arguments, page_facts, records
from crawler.crawl.answers import WITH_PAGE, explain_status
from crawler.crawl.articles import NO_VALIDATORS
from crawler.crawl.duplicates import claimant_of
from crawler.crawl.edges import NO_EVIDENCE, Evidence, as_item, edges_of, edges_of_items
from crawler.crawl.fetches import Fetch, Origin
from crawler.crawl.frontier import Frontier
from crawler.crawl.outages import Outages
from crawler.crawl.page_extraction import Extracted, extract_page
from crawler.crawl.run import Found, Run, unique_time
from crawler.crawl.scope import Scope
from crawler.crawl.source_kinds import LIVE
from crawler.crawl.templates import SEED_DEPTH
from crawler.downloading.failures import explain
from crawler.engine import ask_scheduler, is_closing
from crawler.extraction.lists import INDEX, MOST_BYTES
from crawler.extraction.publishers import same_server
from crawler.extraction.refusal import Refusal
from crawler.job_settings import place_of
from crawler.middlewares.parsing import page_task
from crawler.rendering import prepare
from crawler.responses import led_elsewhere, not_html, requested_url
from crawler.setting_values import most_bytes, seconds_of, seconds_setting, tls_ca_file
from crawler.sources.chain import open_sources
from crawler.spiders.conditions import conditions, validators_of
from crawler.spiders.fallback import Fallback
from crawler.spiders.lists import choose
from crawler.spiders.parameters import Parameters
from crawler.unavailable import NotSaved, SameArticle, Stopped, Unavailable
from crawler.user_parts import may_see_link_requests
from crawler.visits import PURPOSE, Attempt, Visit, errand_of, visit_in, visit_of
from crawler.workers.roles import original_settings, role_of, take_role

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy.settings import BaseSettings
    from twisted.python.failure import Failure as TwistedFailure

    from crawler.crawl.arguments import Arguments
    from crawler.crawl.articles import ArticleState
    from crawler.crawl.edges import Edge
    from crawler.crawl.identities import Claim
    from crawler.crawl.ledger.places import Place
    from crawler.crawl.memory import Memory
    from crawler.extraction.page import ParsedPage
    from crawler.items import Article, ArticleRole, Failure, Link, PageRecord, RelatedItem
    from crawler.spiders.lists import Chosen

_Linking = TypeVar("_Linking", "RelatedItem", "Link")
_NOT_MODIFIED, _PRECONDITION_FAILED = 304, 412
# The arguments that decide which listed articles are fetched, and from where.
_DECIDING_ARGUMENTS = ("source", "at", "base_url", "hosts", *arguments.FOLLOWING_ARGUMENTS)


class FrontierSpider(Args[Parameters], Spider):
    """Reads articles, and follows their related items, or other links, breadth first.

    A subclass gives the frontier its first articles (``start_with``). ``run`` holds everything that
    belongs to the crawl. The spider brings the settings that it needs (crawler/defaults.py), which
    merge with the user's.
    """

    more_arguments: ClassVar[tuple[str, ...]] = ()
    """The names of a subclass's own arguments, besides those of the reference."""

    def __init__(self, *args: Any, _publishers: str | None = None, **kwargs: Any) -> None:
        """Check the arguments. Raises CrawlerError if one is wrong.

        A script may give them as text, like the command line, or as values: ``depth=1``.
        """
        given = arguments.in_full(
            {
                name: str(value)
                for name, value in kwargs.items()
                if value is not None and name not in self.more_arguments
            }
        )
        self.given_arguments = dict(kwargs)
        # Checked before scrapy-spider-metadata does, because these messages say what to do.
        parsed = arguments.parse(given, _publishers)
        super().__init__(*args, **kwargs)
        self._closing_tasks: set[asyncio.Task[None]] = set()
        # By the order of their articles, the responses and failures that wait for others, and the
        # functions that will read them.
        self._held: dict[int, tuple[Response | TwistedFailure, Callable[[], Iterator[Any]]]] = {}
        self._link_requests_seen: bool | None = None
        by_host = LIVE in parsed.sources
        scope = Scope(
            parsed.publishers, parsed.hosts, by_host=by_host, everything=parsed.everything
        )
        self.run = Run(
            given=given,
            arguments=parsed,
            frontier=_frontier(parsed, scope),
            scope=scope,
            outages=Outages(0),
            began=unique_time(),
            close=self._close,
            pages_held=self._release_all,
        )
        self._fallback = Fallback(self.run, self.request_page)

    @classmethod
    def update_settings(cls, settings: BaseSettings) -> None:
        defaults.apply(settings)
        super().update_settings(settings)
        take_role(settings)

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """Make the spider, open its sources and, with a job, begin a run of it.

        Raises CrawlerError if a source cannot be read, another process holds the job, or its ledger
        cannot be opened.
        """
        if folder := crawler.settings.get("PUBLISHERS"):
            kwargs["_publishers"] = str(folder)
        spider = super().from_crawler(crawler, *args, **kwargs)
        run, settings = spider.run, crawler.settings
        seconds_of(settings, "READ_TIMEOUT")
        most_bytes(settings)
        tls_ca_file(settings)
        run.sources = open_sources(run.arguments, crawler)
        if run.is_offline:
            defaults.leave_out_network(settings)
        run.outages = Outages(settings.getint("SITE_DOWN_AFTER"))
        role, place = role_of(settings), place_of(settings)
        if run.arguments.render and role != "writer":
            run.renderer = prepare(run.arguments.render, settings)
        if role != "writer":
            check_parts(original_settings(settings), run)
        if role == "worker":
            # A crawl that works alone needs none of what workers share.
            from crawler.workers.joining import join

            join(crawler, run, place)
        elif place:
            spider._continue_job(place, settings)
        return spider

    def _continue_job(self, place: Place, settings: BaseSettings) -> None:
        """Begin a run of the crawl whose ledger is at a place."""
        # A run without a ledger needs no database, which is slow to import.
        from crawler.crawl.ledger.job import Job
        from crawler.crawl.ledger.recheck import Intervals

        run = self.run
        intervals = Intervals(
            seconds_setting(settings, "RECHECK_MIN"), seconds_setting(settings, "RECHECK_MAX")
        )
        # Ids belong to a publisher, even if it is the default one.
        has_ids = any(seed.id for seed in run.arguments.seeds)
        is_stated = run.publishers.is_stated or has_ids
        run.job = Job(place, run.publisher.name, checks_site=is_stated)
        succession = None
        if role_of(settings) == "writer":
            from crawler.workers.joining import SuccessionOfWorkers

            succession = SuccessionOfWorkers(settings["WORKERS_FIRST_RUN"])
            run.has_workers = True
        same_arguments = run.job.begin(
            run.began,
            {name: run.given[name] for name in _DECIDING_ARGUMENTS if name in run.given},
            run.arguments.recheck,
            run.arguments.limit,
            intervals,
            seconds_setting(settings, "LEDGER_SYNC_INTERVAL"),
            run.fail,
            run.asked,
            succession=succession,
        )
        assert run.job.run is not None
        run.began = run.job.run.began
        run.frontier = _frontier(run.arguments, run.scope, run.job.pages)
        run.frontier.go_on_after(run.job.fetched)
        run.has_new_arguments = not same_arguments
        if not same_arguments:
            run.frontier.reconsider(self._added_roles(run.job.earlier_arguments))
            run.job.note_reconsidered()

    def _added_roles(self, earlier_arguments: Mapping[str, str]) -> list[ArticleRole]:
        """Return the roles of links that this run follows, and the runs before did not."""
        if self.run.arguments.everything:
            return []
        before = arguments.roles_of(earlier_arguments)
        return [role for role in self.run.arguments.roles if role not in before]

    def _close(self, reason: str) -> None:
        engine = self.crawler.engine
        if engine is not None and engine.spider is not None:
            task = asyncio.ensure_future(engine.close_spider_async(reason=reason))
            self._closing_tasks.add(task)

    def start_with(self, articles: Iterable[str | Found]) -> Iterator[Request]:
        """Give articles to the frontier, and yield the requests for those to fetch.

        They are given by their ids or URLs, or as a source found them.
        """
        for article_id in self._seed(articles):
            yield self.request(self.run.frontier.known[article_id])

    def _seed(self, articles: Iterable[str | Found]) -> list[str]:
        """Give articles to the frontier; return the ids of those to fetch."""
        self.run.started = True
        found = [self._found(one) if isinstance(one, str) else one for one in articles]
        urls = {one.id: one.url for one in found if one.url is not None}
        to_fetch = self.run.frontier.seed((one.id for one in found), urls)
        if not self.run.arguments.everything:
            for url in filter(None, urls.values()):
                self._learn_template(url, SEED_DEPTH)
        return to_fetch

    def start_with_lists(self, urls: Mapping[str, str]) -> Iterator[Request]:
        """Give lists of articles, by their ids, to the frontier, and yield their requests."""
        self.run.started = True
        for list_id in self.run.frontier.seed_lists(urls):
            yield self.request(self.run.frontier.known[list_id])

    def _found(self, text: str) -> Found:
        article_id = self.run.publishers.id_in(text)
        return Found(article_id or text, text if "://" in text else None)

    def _learn_template(self, url: str, depth: int) -> None:
        if named := self.run.scope.template_of(url):
            self.run.frontier.learn_template(*named, depth)

    def request(self, state: ArticleState) -> Request:
        """Return the request for an article that the frontier hands out."""
        return self._request(state, Visit(article_id=state.id))

    def request_page(self, state: ArticleState, turn: int) -> Request:
        """Return a request for an article that the frontier has handed out, to a source."""
        return self._request(state, Visit(article_id=state.id, turn=turn, state=state))

    def _request(self, state: ArticleState, visit: Visit, url: str | None = None) -> Request:
        visit.url = state.url
        url = url or self.run.scope.url_of(state)
        if url is None:
            # A saved page without an address, known only by the name of its file.
            visit.has_address = False
            url = f"file:///{quote(state.id)}"
        headers = conditions(state, visit.turn, self.run)
        meta: dict[str, Any] = {PURPOSE: visit}
        if state.is_list and 0 < self.settings.getint("DOWNLOAD_MAXSIZE") < MOST_BYTES:
            meta["download_maxsize"] = MOST_BYTES
        if headers:
            meta["handle_httpstatus_list"] = [_NOT_MODIFIED, _PRECONDITION_FAILED]
        request = Request(
            url,
            callback=self.parse,
            errback=self.fail,
            headers=headers,
            # The frontier hands out each id only once.
            dont_filter=True,
            meta=meta,
        )
        visit.made_url = request.url
        return request

    def parse(self, response: Response, **_: Any) -> Iterator[Any]:
        """Read an article's page: yield requests for its links, then the parsed page.

        @saved_page tests/site/1752038.html
        @returns requests 1
        @returns items 1 1
        @scrapes id headline related
        """
        visit = visit_of(response.request)
        if visit is None or visit.state is None:
            visit = self._adopt(response, visit)
        state = visit.state
        assert state is not None
        if visit.results is not None:
            yield from visit.results
            return
        if visit.fetched_at is None:
            visit.fetched_at = datetime.now(UTC)
            visit.evidence = self._evidence(response, visit)
        try:
            self.run.outages.record_answer(self.run.outage_name(visit))
            if response.status == _PRECONDITION_FAILED:
                # The server does not understand the condition, so request the page without it.
                state.recheck = state.recheck._replace(validators=NO_VALIDATORS)
                again = self.request_page(state, visit.turn)
                visit_in(again).lease = visit.lease
                yield again
                return
            if unavailable := self._reason_against(response, visit, state):
                yield from self._give_up(response, visit, unavailable)
                return
        except Exception as error:
            yield from self._fail_internally(response, visit, error)
            return
        if self.run.courier is not None:
            self.run.courier.bring(visit, response)
            return
        yield from self._in_order(response, visit, lambda: self._read(response, visit, state))

    def _in_order(
        self,
        result: Response | TwistedFailure,
        visit: Visit,
        read: Callable[[], Iterator[Any]],
    ) -> Iterator[Any]:
        """Read a page, or end it, once the pages of its publisher before it have been read.

        Then read those that waited for it, and have Scrapy's scraper call again for them, so that
        each page's items belong to its own response in signals and spider middlewares.
        """
        state, frontier, engine = visit.state, self.run.frontier, self.crawler.engine
        assert state is not None
        if not frontier.is_next(state) and not is_closing(engine):
            self._held[state.order] = result, read
            return
        results = list(read())
        while (order := frontier.next_unread(state.lane.publisher)) in self._held:
            held_result, read_held = self._held.pop(order)
            request = _request_of(held_result)
            assert request is not None and engine is not None
            visit_in(request).results = list(read_held())
            # The scraper may still be finishing its first call for the request itself.
            scraped = engine.scraper.enqueue_scrape(held_result, request.copy())
            # The engine asks by itself only after the first call.
            scraped.addBoth(lambda _: ask_scheduler(engine))
        if engine is not None:
            # The frontier may have more articles now. The engine asks by itself if it gets requests
            # for them, and once the items of the page have been processed.
            ask_scheduler(engine)
        yield from results

    def _shows_links(self) -> bool:
        """Return whether somebody may see or change the requests for the links of pages."""
        if not self.run.started:
            return True
        if self._link_requests_seen is None:
            # Once the crawl reads pages, everything is connected that will be.
            self._link_requests_seen = may_see_link_requests(self.crawler)
        return self._link_requests_seen

    def _release_all(self) -> Iterator[tuple[Any, Response | TwistedFailure]]:
        """Read the pages that still wait when the run was stopped; yield their items."""
        for order in sorted(self._held):
            result, read = self._held.pop(order)
            for item in read():
                if not isinstance(item, Request):
                    yield item, result

    def _reason_against(
        self, response: Response, visit: Visit, state: ArticleState
    ) -> Unavailable | None:
        """Return why a response does not provide an article; None if it does."""
        publisher = self.run.scope.publisher_of(state)
        elsewhere = (
            None
            if visit.is_saved or state.is_list
            else led_elsewhere(response.request, response.url, visit.article_id, publisher)
        )
        if response.status == _NOT_MODIFIED:
            # A 304 says nothing about the article if the request was redirected to another page.
            return Unavailable(*elsewhere, response.status) if elsewhere else None
        if response.status not in WITH_PAGE:
            return Unavailable(*explain_status(response.status), response.status)
        if state.is_list:
            visit.extracted = self._extract(response, visit)
            if visit.extracted.listed is not None:
                return None
        if other := not_html(response):
            return Unavailable("not_html", other, response.status)
        if elsewhere:
            return Unavailable(*elsewhere, response.status)
        visit.extracted = self._extract(response, visit)
        if isinstance(visit.extracted.result, Refusal):
            refusal = visit.extracted.result
            return Unavailable(refusal.reason, refusal.detail, response.status)
        return None

    def _extract(self, response: Response, visit: Visit) -> Extracted:
        extracted = visit.extracted
        if isinstance(extracted, Exception):
            raise extracted
        if extracted is None:
            # The middlewares of this project have not run, as in ``scrapy check``.
            task = page_task(response, visit, self.run)
            extracted = extract_page(task, self.run.publishers)
        return extracted

    def _read(self, response: Response, visit: Visit, state: ArticleState) -> Iterator[Any]:
        try:
            yield from self._results(response, visit, state)
        except Exception as error:
            yield from self._fail_internally(response, visit, error)
        finally:
            # Whatever happened, the next depth must not wait forever for this page.
            self.run.frontier.finish(state)

    def _results(self, response: Response, visit: Visit, state: ArticleState) -> Iterator[Any]:
        if state.state == "merged":
            # A page before this one turned out to be the same article.
            self._count_duplicate(state)
            return
        if response.status == _NOT_MODIFIED:
            self._note_unchanged(visit, state)
            return
        extracted, visit.extracted = visit.extracted, None
        assert isinstance(extracted, Extracted)
        if state.is_list:
            if extracted.listed is not None:
                found = choose(extracted.listed, response, self.run)
                yield from self._list_results(found, response, visit, state)
                return
            if not self.run.frontier.become_article(state):
                return
            if state.url:
                self._learn_template(state.url, SEED_DEPTH)
        is_live = visit.origin is None and same_server(response.url, requested_url(response))
        state.new_validators = validators_of(response) if is_live else NO_VALIDATORS
        answer = self._answer(response, visit)
        yield from self._article(state, answer, extracted, visit.evidence, response)

    def _article(
        self,
        state: ArticleState,
        answer: page_facts.Answer,
        extracted: Extracted,
        evidence: Evidence,
        response: Response | None = None,
    ) -> Iterator[Any]:
        """Yield requests for the links of a page that is an article, then the page.

        A page that was read without a request has no ``response``.
        """
        record = extracted.result
        assert not isinstance(record, Refusal)
        fetch = self._identify(state, answer, record)
        if fetch is None:
            self._count_duplicate(state)
            return
        frontier, follows = self.run.frontier, not self.run.arguments.everything
        # Only a ledger keeps links.
        keeps_links = self.run.job is not None
        follows_more = follows and frontier.roles != ("related",)
        edges = self._edges(state, record) if keeps_links or follows_more else ()
        if follows:
            assert response is not None
            added = self._follow(state, extracted, record, edges)
            yield from self._requests(added, response)
        if keeps_links:
            is_whole = record.links is not None
            frontier.note_links(state, edges, fetch.fetched_at, evidence, is_whole=is_whole)
        yield self._item(fetch, extracted, record)

    def _edges(self, state: ArticleState, record: PageRecord) -> tuple[Edge, ...]:
        """Return the links of a page."""
        if record.links is None:
            # The text of a page may have a leaked list.
            return edges_of_items(state.id, map(self._with_own_id, record.related or ()))
        return edges_of(state.id, map(self._with_own_id, record.links))

    def _follow(
        self,
        state: ArticleState,
        extracted: Extracted,
        record: PageRecord,
        edges: tuple[Edge, ...],
    ) -> list[str]:
        """Give the frontier the links of a page in the roles to follow; return the ids to fetch."""
        frontier, has_links = self.run.frontier, False
        to_fetch: list[str] = []
        for role in frontier.roles:
            if role == "related":
                items = list(map(self._with_own_id, record.related or ()))
                have_urls = extracted.has_related_urls
            else:
                items = [as_item(edge) for edge in edges if edge.role == role]
                have_urls = True
            has_links |= bool(items)
            to_fetch += frontier.add_links(state.id, items, have_urls=have_urls, role=role)
        if has_links:
            self.crawler.stats.inc_value("articles/with_links")
        return to_fetch

    def _requests(self, article_ids: Iterable[str], response: Response) -> Iterator[Request]:
        """Yield requests for articles that a page led to, if somebody may see or change them.

        The scheduler makes the others when the frontier hands out their articles. Scrapy's referrer
        middleware changes requests if the page sends a Referrer-Policy, whatever the settings say.
        """
        if self._shows_links() or b"Referrer-Policy" in response.headers:
            for article_id in article_ids:
                yield self.request(self.run.frontier.known[article_id])

    def _evidence(self, response: Response, visit: Visit) -> Evidence:
        """Return the record of an archive that holds the page of a response, if any does."""
        archive = self.run.archive
        if visit.origin:
            return evidence_of(visit.origin)
        page = archive.last_page(response.url) if archive else None
        return Evidence(*page) if page else NO_EVIDENCE

    def _list_results(
        self, found: Chosen, response: Response, visit: Visit, state: ArticleState
    ) -> Iterator[Request | Failure]:
        """Yield requests for the articles and the lists of a list; its failure if it is none."""
        frontier, stats = self.run.frontier, self.crawler.stats
        frontier.prune(state, found.pruned)
        to_fetch = frontier.add_links(state.id, found.items)
        to_fetch += frontier.seed_lists(found.lists, state)
        yield from self._requests(to_fetch, response)
        stats.inc_value("lists/articles", len(found.items))
        for reason, count in found.left_out.items():
            stats.inc_value(f"lists/left_out/{reason}", count)
        if found.items or found.fault is None:
            self.logger.info("%s: %s", state.id, found.summary)
        if found.fault is None:
            stats.inc_value(f"lists/{found.kind}")
            is_live = visit.origin is None and found.kind != INDEX
            state.new_validators = validators_of(response) if is_live else NO_VALIDATORS
            frontier.end_list(state)
            return
        attempt = Attempt(visit.source, "no_list", found.fault, response.status, 1)
        state.outcome = "failure"
        stats.inc_value("lists/failed")
        yield self._fallback.failure(state, (attempt,), attempt)

    def _fail_internally(
        self, response: Response, visit: Visit, error: Exception
    ) -> Iterator[Failure]:
        """Yield the failure of a page that could not be read because of a bug."""
        state = visit.state
        assert state is not None
        self.logger.exception(
            "%s: internal error while reading %s", state.id, response.url, exc_info=error
        )
        detail = f"{type(error).__name__}: {error}"
        if self.run.courier is not None:
            fault = Unavailable("internal_error", detail, response.status)
            self.run.courier.report(visit, fault, response.request)
            return
        attempt = Attempt(visit.source, "internal_error", detail, response.status, 1)
        yield from self._in_order(response, visit, lambda: self._end(state, (attempt,)))

    def _identify(
        self, state: ArticleState, answer: page_facts.Answer, record: PageRecord
    ) -> Fetch | None:
        """Settle under which id an article is known; return the facts of its fetch.

        None if the page is a duplicate: another address of an article that was read before.
        """
        state.content = records.content_of(record.headline, record.body_sha256)
        claims = page_facts.claims(answer, state, record, self.run.scope)
        refused = self._settle(state, claims)
        if refused is None:
            return None
        state.outcome = "article"
        if not self.run.arguments.everything and state.url:
            self._learn_template(state.url, state.depth)
        note = page_facts.note_of(record.id) if record.id in refused else None
        ids = tuple(claim.id for claim in claims if claim.id not in refused)
        return page_facts.fetch(answer, state, record, self.run.scope, ids, note)

    def _settle(self, state: ArticleState, claims: list[Claim]) -> tuple[str, ...] | None:
        """Give the article of a page its id; return the ids refused, or None for a duplicate."""
        if self.run.duplicates is None:
            settled = self.run.frontier.settle(state, claims)
            return settled.refused if settled.kept is state else None
        settlement = self.run.duplicates.settle(claimant_of(state.id, claims, state.content))
        if settlement.duplicate_of is not None:
            self.run.frontier.drop_duplicate(state)
            return None
        self.run.frontier.settle_as(state, settlement.id)
        return settlement.refused

    def _answer(self, response: Response, visit: Visit) -> page_facts.Answer:
        rendered, candidates, state = visit.rendered, visit.candidates, visit.state
        assert state is not None
        return page_facts.Answer(
            url=response.url,
            requested_url=requested_url(response),
            status=response.status,
            source=visit.source,
            fetched_at=visit.fetched_at or datetime.now(UTC),
            origin=visit.origin,
            notes=tuple(visit.notes),
            has_own_capture=candidates.has_capture_of(self.run.scope.url_of(state))
            if candidates
            else visit.has_own_capture,
            rendered_by=rendered.renderer if rendered else None,
            unfinished=rendered.unfinished if rendered else None,
        )

    def _with_own_id(self, item: _Linking) -> _Linking:
        """Return a link or a related item with the id by which this crawl knows its article.

        A page's record knows nothing of the files of other publishers.
        """
        if item.internal or item.url is None:
            return item
        return replace(item, id=self.run.publishers.id_of(item.url) or item.id)

    def _count_duplicate(self, state: ArticleState) -> None:
        self.crawler.stats.inc_value("articles/duplicates")
        self.logger.debug("%s: a duplicate, the page of another address of an article", state.id)

    def _item(self, fetch: Fetch, extracted: Extracted, record: PageRecord) -> ParsedPage | Article:
        """Return the page as an item, and note for the pipelines how it was fetched.

        If nobody may see the page (``user_parts``), return its article.
        """
        page = extracted.page
        if page is None:
            return records.article(record, fetch)
        if page.id != fetch.id:
            page = replace(page, id=fetch.id)
            extracted = extracted._replace(page=page)
        self.run.extracted[fetch.id] = extracted
        self.run.fetches[fetch.id] = fetch
        return page

    def _adopt(self, response: Response, visit: Visit | None) -> Visit:
        """Treat a page that was fetched outside a crawl, as by ``scrapy parse``, as a seed."""
        publishers = self.run.publishers
        if visit is None:
            article_id = publishers.id_of(response.url) or Path(response.url).stem
            errand = errand_of(response.request)
            visit = Visit(article_id=article_id or "page", notes=errand.notes if errand else [])
        if visit.origin is None and response.url.startswith("file:"):
            file = file_uri_to_path(response.url)
            visit.origin = Origin(source="folder", where=file, file=file, status_assumed=True)
        urls = {} if response.url.startswith("file:") else {visit.article_id: response.url}
        self.run.frontier.seed([visit.article_id], urls)
        visit.state = self.run.frontier.take()
        return visit

    def _note_unchanged(self, visit: Visit, state: ArticleState) -> None:
        if state.is_list:
            self.run.frontier.end_list(state, is_unchanged=True)
            self.crawler.stats.inc_value("lists/unchanged")
            return
        memory = self.run.frontier.memory
        memory.note_links(state, None, visit.fetched_at or datetime.now(UTC), visit.evidence)
        memory.unchanged(state, "not_modified")
        self.run.frontier.forget(state.id)
        self.crawler.stats.inc_value("articles/unchanged")

    def fail(self, failure: TwistedFailure) -> Iterator[Failure | Request]:
        """Yield what ``Fallback`` decides about a page that could not be fetched, if anything."""
        error = failure.value
        visit = visit_of(_request_of(failure))
        assert visit is not None and visit.state is not None and error is not None
        state = visit.state
        if visit.results is not None:
            yield from visit.results
            return
        if isinstance(error, Stopped) and self.run.courier is not None:
            self.run.courier.give_back(visit.lease)
            return
        if isinstance(error, (Stopped, SameArticle)):
            # A page that was not requested remains to be crawled.
            yield from self._in_order(failure, visit, lambda: self._end(state, (), error))
            return
        if isinstance(error, NotSaved):
            unavailable = Unavailable("not_saved", str(error))
        else:
            reason, detail, status = explain(error)
            if reason == "internal_error":
                self.logger.error("%s: internal error", state.id, exc_info=error)
            unavailable = Unavailable(reason, detail, status, error)
        yield from self._give_up(failure, visit, unavailable)

    def _give_up(
        self, result: Response | TwistedFailure, visit: Visit, unavailable: Unavailable
    ) -> Iterator[Any]:
        """Yield the decision of ``Fallback``: the next request at once, a failure in its turn."""
        request, state = _request_of(result), visit.state
        assert state is not None
        if self.run.courier is not None:
            another = self._fallback.follow_captures(visit, unavailable, request)
            if isinstance(another, Request):
                yield another
            else:
                self.run.courier.report(visit, another, request)
            return
        next_step = self._fallback.follow(visit, unavailable, request)
        if isinstance(next_step, Request):
            yield next_step
        else:
            yield from self._in_order(result, visit, lambda: self._end(state, next_step))

    def _end(
        self, state: ArticleState, attempts: tuple[Attempt, ...], error: BaseException | None = None
    ) -> Iterator[Failure]:
        """Finish a page that provided no article; yield its failure, if it is one."""
        kept = None
        if isinstance(error, SameArticle) and state.state != "merged":
            kept = self.run.frontier.find(error.article_id)
        if kept is not None and kept is not state:
            self.run.frontier.merge(state, kept)
        try:
            if state.state == "merged":
                self._count_duplicate(state)
            elif attempts and (failure := self._fallback.end(state, attempts)):
                if state.is_list:
                    self.crawler.stats.inc_value("lists/failed")
                state.outcome = "failure"
                yield failure
        finally:
            self.run.frontier.finish(state)


def evidence_of(origin: Origin) -> Evidence:
    """Return the record of the archive that a page was read from, if it was one."""
    return Evidence(origin.record_id, origin.where) if origin.captured_at else NO_EVIDENCE


def _request_of(result: Response | TwistedFailure) -> Request | None:
    """Return the request that led to a result; Scrapy notes it in failures, too."""
    request: Request | None = result.request  # type: ignore[union-attr]
    return request


def _frontier(parsed: Arguments, scope: Scope, memory: Memory | None = None) -> Frontier:
    return Frontier(
        parsed.depth,
        parsed.limit,
        parsed.follows,
        memory,
        scope=scope,
        roles=parsed.roles,
        forgets=parsed.everything,
    )

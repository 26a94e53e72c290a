"""From one article to its neighbourhood: ids become requests, pages become readings, what they list is followed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

from scrapy import Request, Spider, signals
from scrapy.http import Response
from w3lib.url import file_uri_to_path

from crawler.crawl import arguments, frontier
from crawler.crawl import parser_pool as reading
from crawler.crawl.frontier import Frontier, Memory, Sighting, Validators
from crawler.crawl.outages import OF_THE_CONNECTION, OF_THE_SOURCE, Outages
from crawler.downloading.failures import explain, of_status
from crawler.errors import CrawlerError
from crawler.extraction.normalise import Fetch
from crawler.extraction.page import Page
from crawler.extraction.publishers import ARTICLE_ID, host_and_port, same_server
from crawler.items import ANSWERS, Failure, Reason, RelatedItem
from crawler.middlewares.parsing import reader_processes
from crawler.middlewares.rendering import Rendered, prepare
from crawler.scheduler import TAKEN
from crawler.sources import (
    CONDITIONS,
    NOTES,
    WITH_PAGE,
    NotSaved,
    Origin,
    Source,
    SourceUnavailable,
    Stopped,
    charset_of,
    led_elsewhere,
    not_html,
    seconds_of,
    seconds_setting,
)
from crawler.sources.candidates import CANDIDATES, Candidates, PassedOver, where_captured
from crawler.sources.chain import LIVE, all_articles, open_sources, source_name
from crawler.sources.folder import address_of, id_of_file

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings
    from twisted.python.failure import Failure as TwistedFailure

    from crawler.crawl.ledger.job import Job
    from crawler.warc.writer import Exchange, WarcWriter

_NOT_MODIFIED, _PRECONDITION_FAILED = 304, 412
SITE_DOWN = "site_down"
"""Why a run closes whose only source is down."""
# The arguments that decide which of the articles that lists name are fetched.
_DECIDING = ("source", "at", "base_url", "depth", "since", "until", "match")
# Of the articles of an archive so many are known at once.
_BATCH = 1000
# Pages that are on their way at once for each process that reads them.
_PAGES_A_READER = 4


@dataclass(frozen=True, slots=True)
class Reading:
    """A page that was had and read; the pipeline makes an article of it."""

    page: Page
    fetch: Fetch
    related: tuple[RelatedItem, ...] | None


@dataclass(frozen=True, slots=True)
class NotModified:
    """An article that was asked for again, and the server says that it is what it was."""

    id: str


class _Tried(NamedTuple):
    """What a source said of a page that it does not have."""

    source: str
    reason: Reason | Literal["not_saved"]
    detail: str
    status: int | None
    attempts: int


class ArticlesSpider(Spider):
    """Crawls the neighbourhood of one or more articles. See README.md for its arguments."""

    name = "articles"

    def __init__(self, *args: Any, **kwargs: str) -> None:
        """Check the arguments; CrawlerError if one is wrong."""
        super().__init__(*args, **kwargs)
        self.given = kwargs
        self.arguments = arguments.parse(kwargs)
        self.publisher = self.arguments.publisher
        self.allowed_domains = sorted(self.publisher.hosts)
        self.host_named_by_user = (
            host_and_port(self.arguments.base_url) if self.arguments.base_url else None
        )
        self.job: Job | None = None
        self.frontier = self._frontier()
        self.sources: list[Source | None] = []
        # Set by crawler.extensions.archiving.
        self.archive: WarcWriter | None = None
        self.record: Callable[[Exchange], None] | None = None
        self.record_rendered: Callable[[str, bytes], None] | None = None
        # The browser that renders pages, if any.
        self.renderer: str | None = None
        # Set by crawler.middlewares.rendering: why no page can be rendered any more.
        self.renderer_fault: str | None = None
        # By id: the URL to ask for, and what the request must carry.
        self.seeds: dict[str, tuple[str, dict[str, Any]]] = {}
        for seed in self.arguments.seeds:
            article_id, url, meta = self._identify(seed)
            self.seeds.setdefault(article_id, (url, meta))
        self.outages = Outages(0)
        self.outage: str | None = None
        """Why the run stopped early, if its only source is down."""
        self.started = False
        self.began = datetime.now(UTC)

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """Make the spider, open its sources and, with JOBDIR, begin a run of that job.

        CrawlerError if a source cannot be read, another process holds the job, or its ledger cannot be had.
        """
        spider = super().from_crawler(crawler, *args, **kwargs)
        seconds_of(crawler.settings, "READ_TIMEOUT")
        spider.sources = open_sources(spider.arguments, crawler)
        spider.outages = Outages(crawler.settings.getint("SITE_DOWN_AFTER"))
        if spider.arguments.render:
            spider.renderer = prepare(spider.arguments.render, crawler.settings)
        if spider.arguments.everything and (processes := reader_processes(crawler.settings)):
            for name in ("CONCURRENT_REQUESTS", "CONCURRENT_REQUESTS_PER_DOMAIN"):
                # Files are in no need of politeness, and the readers not of pauses.
                crawler.settings.set(name, processes * _PAGES_A_READER, priority="spider")
        if folder := crawler.settings.get("JOBDIR"):
            spider.go_on(Path(folder), crawler.settings)
        return spider

    def go_on(self, folder: Path, settings: BaseSettings) -> None:
        """Go on with the crawl that ``folder`` remembers."""
        # A run without a memory needs no database, which takes as long to import as a hundred pages to crawl.
        from crawler.crawl.ledger.job import Job
        from crawler.crawl.ledger.recheck import Intervals

        intervals = Intervals(
            seconds_setting(settings, "RECHECK_MIN"), seconds_setting(settings, "RECHECK_MAX")
        )
        self.job = Job(folder, self.publisher.name)
        told = {name: getattr(self, name) for name in _DECIDING if hasattr(self, name)}
        sync_seconds = seconds_setting(settings, "LEDGER_SYNC_INTERVAL")
        as_before = self.job.begin(
            self.began, told, self.arguments.recheck, self.arguments.limit, intervals, sync_seconds
        )
        self.frontier = self._frontier(self.job.pages)
        if not as_before:
            self.frontier.reconsider()
            self.job.reconsidered()

    def _frontier(self, memory: Memory | None = None) -> Frontier:
        everything = self.arguments.everything
        return Frontier(
            self.arguments.depth,
            self.arguments.limit,
            self.arguments.follows,
            memory,
            forgets=everything,
        )

    async def start(self) -> AsyncIterator[Any]:
        """Ask for the seeds. CrawlerError if there are none."""
        arguments.require_seed(self.arguments)
        self.started = True
        if self.arguments.everything:
            async for request in self._everything():
                yield request
            return
        for article_id in self.frontier.seed(self.seeds):
            yield self.request(self.frontier.known[article_id])

    async def _everything(self) -> AsyncIterator[Request]:
        """Ask for all articles that the sources hold, some at a time, for an archive may hold more than memory does."""
        articles = all_articles(self.sources)
        # Once the first is asked for they know all their addresses, which what earlier runs left may need; that is fetched first.
        articles = chain(list(islice(articles, 1)), articles)
        self.frontier.seed([])
        while some := list(islice(articles, self.frontier.room(_BATCH))):
            for article_id in self.frontier.seed(some):
                yield self.request(self.frontier.known[article_id])
            while self.frontier.queued:
                await self.crawler.signals.wait_for(signals.scheduler_empty)

    def request(self, sighting: Sighting, following: int | None = None) -> Request:
        """Make the request for an article of the frontier, or for one that had its turn, to a ``following`` source."""
        turn = following or 0
        url, meta = (
            self.seeds.get(sighting.id, (None, {})) if following is None else (None, {TAKEN: True})
        )
        if url is None and not ARTICLE_ID.fullmatch(sighting.id):
            # A saved page that an earlier run was given by its path: it has no address.
            meta = {**meta, "no_address": True}
        conditions = self._conditions(sighting, turn)
        if conditions:
            meta = {**meta, "handle_httpstatus_list": [_NOT_MODIFIED, _PRECONDITION_FAILED]}
        return Request(
            url or self.publisher.url_of(sighting.id),
            callback=self.parse,
            errback=self.fail,
            headers=conditions,
            # The frontier lets each id through once.
            dont_filter=True,
            meta={"article": sighting.id, "turn": turn, **meta},
        )

    def _conditions(self, sighting: Sighting, turn: int) -> dict[str, bytes]:
        """The headers that ask the live site for an article only if it is not what is stored of it (RFC 9110, 13.1)."""
        live = turn == 0 and self.sources[:1] in ([None], [])
        # That a page is what it was says nothing of what its scripts fetch.
        if (
            not live
            or self.arguments.render
            or self.arguments.recheck == "all"
            or not sighting.revision
            or sighting.refusal
        ):
            return {}
        if self.archive is not None:
            # That nothing has changed would say nothing of what is in the archive, or nothing true.
            before = self.archive.before(self.publisher.url_of(sighting.id))
            if before is None or (before.etag, before.last_modified) != sighting.validators:
                return {}
        named = zip(CONDITIONS, sighting.validators, strict=True)
        return {name: value.encode("latin-1") for name, value in named if value}

    def _identify(self, seed: arguments.Seed) -> tuple[str, str, dict[str, Any]]:
        """The id of a seed, the URL to ask for, and what the request must carry."""
        if seed.path is None:
            return seed.id, self.publisher.url_of(seed.id), {}
        try:
            article_id, told_by = id_of_file(seed.path, self.publisher)
        except OSError as error:
            raise CrawlerError(
                f"seed: got '{seed.path}', which cannot be read ({error.strerror})", exit_code=1
            ) from error
        known = ARTICLE_ID.fullmatch(article_id) is not None
        url = self.publisher.url_of(article_id) if known else seed.path.resolve().as_uri()
        return article_id, url, {"saved_page": seed.path, "id_where": told_by}

    def parse(self, response: Response, **_: Any) -> Iterator[Any]:
        """Read an article's page: requests for what it lists first, then the reading.

        @saved_page tests/site/1752038.html
        @returns requests 1
        @returns items 1 1
        @scrapes page fetch related
        """
        fetch = self._fetch(response)
        what: Any = None
        try:
            for what in self._answered(response, fetch):
                yield what
        except Exception as error:
            self.logger.exception(
                "%s: a fault of this program while reading %s", fetch.id, response.url
            )
            what = self.failure(
                fetch.id,
                "internal_error",
                f"{type(error).__name__}: {error}",
                response.status,
                fetch.source,
            )
            yield what
        finally:
            # Whatever happened, the next depth must not wait for this page for ever; but if another source is asked for it, it has to.
            if not isinstance(what, Request):
                self.frontier.settle(fetch.id)

    def _answered(self, response: Response, fetch: Fetch) -> Iterator[Any]:
        """What comes of an answer: requests for what it lists, and last its reading, or the request for the next source."""
        self.outages.answered(fetch.source)
        elsewhere = (
            None
            if fetch.file
            else led_elsewhere(response.request, response.url, fetch.id, self.publisher)
        )
        if response.status == _NOT_MODIFIED:
            # It says nothing of the article, if that was redirected to some other page that has not changed.
            yield (
                self._refused(fetch.id, *elsewhere, response.request, response.status)
                if elsewhere
                else NotModified(fetch.id)
            )
            return
        sighting = self.frontier.known[fetch.id]
        if response.status == _PRECONDITION_FAILED:
            # The server does not understand the condition: the article is asked for without one.
            sighting.validators = (None, None)
            yield self.request(sighting, _turn_of(response.request))
            return
        if response.status not in WITH_PAGE:
            yield self._refused(
                fetch.id, *of_status(response.status)[:2], response.request, response.status
            )
            return
        of_live = fetch.source == LIVE and same_server(
            response.url, self.publisher.url_of(sighting.id)
        )
        sighting.answered = _validators(response) if of_live else (None, None)
        if what := not_html(response):
            yield self._refused(fetch.id, "not_html", what, response.request, response.status)
            return
        if elsewhere:
            yield self._refused(fetch.id, *elsewhere, response.request, response.status)
            return
        address = address_of(response.url, fetch.file, fetch.id, self.publisher)
        read = response.request.meta.pop("read", None) if response.request else None
        if isinstance(read, Exception):
            raise read
        if read is None:
            # No middleware of this project ran, as in ``scrapy parse`` and ``scrapy check``.
            charset = charset_of(response)
            read = reading.read(response.body, self.publisher, fetch.id, address, charset)
        if refusal := read.refusal:
            yield self._refused(
                fetch.id, refusal.reason, refusal.detail, response.request, response.status
            )
            return
        if not self.arguments.everything:
            for article_id in self.frontier.list(fetch.id, read.related or ()):
                yield self.request(self.frontier.known[article_id])
        yield Reading(read.page, fetch, read.related)

    def _fetch(self, response: Response) -> Fetch:
        """How this page was had. A page that no crawl asked for (``scrapy parse``, ``check``, ``shell``) counts as a seed."""
        meta = response.request.meta if response.request else {}
        article_id = meta.get("article") or self._adopt(response)
        sighting = self.frontier.known[article_id]
        origin: Origin | None = meta.get("origin")
        if origin is None and response.url.startswith("file:"):
            saved = file_uri_to_path(response.url)
            origin = Origin(source="folder", where=saved, file=saved, status_assumed=True)
        digits = ARTICLE_ID.fullmatch(article_id) is not None
        saved_page = origin is not None and origin.file is not None
        rendered: Rendered | None = meta.get("rendered")
        return Fetch(
            id=article_id,
            url=response.url
            if digits and not saved_page
            else self.publisher.url_of(article_id)
            if digits
            else None,
            depth=sighting.depth,
            found_on=sighting.found_on,
            fetched_at=(origin and origin.captured_at) or datetime.now(UTC),
            source=origin.source if origin else LIVE,
            status=response.status,
            status_assumed=origin is not None and origin.status_assumed,
            id_where=origin.id_where if origin else "asked for",
            file=origin.file if origin else None,
            capture=origin.where if origin and origin.captured_at else None,
            rendered_by=rendered.by if rendered else None,
            unfinished=rendered.unfinished if rendered else None,
            fetched_at_note=origin.date_note if origin else None,
            notes=tuple(meta.get(NOTES, ())),
        )

    def _adopt(self, response: Response) -> str:
        article_id = self.publisher.id_of(response.url) or Path(response.url).stem or "page"
        self.frontier.seed([article_id])
        self.frontier.take()
        return article_id

    def fail(self, failure: TwistedFailure) -> Iterator[Failure | Request]:
        """Turn a page that could not be had into a failure, leave it a teaser where no source has a page for it, or ask the next source."""
        request: Request = failure.request  # type: ignore[attr-defined]
        article_id = request.meta["article"]
        error = failure.value
        assert error is not None
        what: Failure | Request | None = None
        try:
            if isinstance(error, Stopped):
                # It was not asked for, and is still to be.
                return
            if isinstance(error, NotSaved):
                what = self._refused(article_id, "not_saved", str(error), request, None)
            else:
                reason, detail, status = explain(error)
                if reason == "internal_error":
                    self.logger.error("%s: a fault of this program", article_id, exc_info=error)
                what = self._refused(article_id, reason, detail, request, status, error)
            if what is not None:
                yield what
        finally:
            if not isinstance(what, Request):
                self.frontier.settle(article_id)

    def _refused(
        self,
        article_id: str,
        reason: Reason | Literal["not_saved"],
        detail: str,
        request: Request | None,
        status: int | None,
        error: BaseException | None = None,
    ) -> Failure | Request | None:
        """Ask for the next capture of a page that is not to be had, or the next source.

        After the last one it is a failure. Of what several sources say, a fault counts more than
        an answer, and an answer more than that there is no such page: then there is no failure,
        and the article is left a teaser.
        """
        meta = request.meta if request else {}
        turn = _turn_of(request)
        if (origin := meta.get("origin")) and origin.status_assumed:
            status = None
        sighting = self.frontier.known[article_id]
        candidates: Candidates | None = meta.get(CANDIDATES)
        of_source = isinstance(error, SourceUnavailable) or reason in OF_THE_CONNECTION
        # An older capture must not take the place of what is stored for a fault that will pass.
        will_pass = sighting.revision > 0 and status is None and reason in OF_THE_SOURCE
        if candidates is not None and not (of_source or will_pass or reason == "internal_error"):
            failed = PassedOver(where_captured(origin), reason, detail, status)
            candidates.pass_over(failed, meta.get("redirect_times", 0))
            if candidates.more:
                return self._another_capture(article_id, turn, candidates, meta)
            _, reason, detail, status = candidates.failure()
        source = _source_of(meta, self.sources[turn] if self.sources else None)
        asked = not isinstance(error, SourceUnavailable) or error.asked
        attempts = meta.get("retry_times", 0) + 1 if asked else 0
        tried = [*meta.get("tried", ()), _Tried(source, reason, detail, status, attempts)]
        if asked:
            # A capture of an answer that says so is an answer of the archive.
            captured = origin is not None and status is not None
            self._note_outage(turn, "not_saved" if captured else reason, detail)
        # What is stored is newer than what an archive has, if only the site could not be asked this time.
        passing = sighting.revision > 0 and reason != "not_saved" and reason not in ANSWERS
        # A saved page that was given as a seed stood in the place of the first source.
        following = turn if "saved_page" in meta and len(self.sources) > 1 else turn + 1
        if following < len(self.sources) and reason != "internal_error" and not passing:
            self.logger.debug(
                "%s: %s (%s: %s), so the next source is asked", article_id, reason, source, detail
            )
            next_one = self.request(sighting, following)
            next_one.meta["tried"] = tried
            return next_one
        told = min(tried, key=lambda one: (one.reason == "not_saved", one.reason in ANSWERS))
        if len(tried) > 1:
            detail = "; ".join(f"{one.source}: {one.detail}" for one in tried)
        if told.reason == "not_saved":
            self.frontier.memory.leave(sighting, "not_saved", detail)
            return None
        attempts = sum(one.attempts for one in tried if one.reason != "not_saved")
        return self.failure(article_id, told.reason, detail, told.status, told.source, attempts)

    def _another_capture(
        self, article_id: str, turn: int, candidates: Candidates, meta: dict[str, Any]
    ) -> Request:
        """The request for an article's next capture in the archive whose turn it is."""
        passed = candidates.passed[-1]
        self.logger.debug("%s: %s, so another capture is tried", article_id, passed.detail)
        asked = self.request(self.frontier.known[article_id], turn)
        asked.meta.update({CANDIDATES: candidates, "tried": meta.get("tried", ())})
        return asked

    def _note_outage(self, turn: int, reason: Reason | Literal["not_saved"], detail: str) -> None:
        """Stop asking a source that is down; the run ends where all of its sources are."""
        opened = self.sources[turn] if self.sources else None
        source = source_name(opened)
        if opened is not None and opened.offline:
            return
        if reason == "not_saved":
            self.outages.answered(source)
            return
        if not self.outages.failed(source, reason):
            return
        most = self.settings.getint("SITE_DOWN_AFTER")
        fault = f"{source} is down: {most} pages in a row failed with {reason} ({detail})"
        names = map(source_name, self.sources)
        if not all(map(self.outages.reason, names)):
            self.logger.warning("%s; only the other sources are asked for the rest", fault)
            return
        self.outage = f"{fault}; the rest was not asked for (SITE_DOWN_AFTER)"
        self.logger.error("%s", self.outage)
        engine = self.crawler.engine
        self._stopping = asyncio.ensure_future(engine.close_spider_async(reason=SITE_DOWN))

    def failure(
        self,
        article_id: str,
        reason: Reason,
        detail: str,
        status: int | None,
        source: str,
        attempts: int = 1,
    ) -> Failure:
        """Make the record of an article that could not be had or read, and say so in the log."""
        sighting = self.frontier.known[article_id]
        # That an article is still gone is nothing new.
        level = logging.DEBUG if sighting.refusal == reason else logging.WARNING
        self.logger.log(level, "%s: %s (%s)", article_id, reason, detail)
        return Failure(
            **frontier.known(sighting, self.frontier.memory.listings(sighting), self.publisher),
            reason=reason,
            detail=detail,
            attempts=attempts,
            status=status if status and 100 <= status <= 999 else None,
            source=source,
            failed_at=datetime.now(UTC).isoformat(timespec="microseconds"),
        )


def _turn_of(request: Request | None) -> int:
    """Which of the run's sources a request is for."""
    turn: int = request.meta.get("turn", 0) if request else 0
    return turn


def _source_of(meta: dict[str, Any], source: Source | None) -> str:
    """What records call the source of an answer: what it says itself, else that whose turn it was."""
    origin: Origin | None = meta.get("origin")
    return origin.source if origin else source_name(source)


def _validators(response: Response) -> Validators:
    etag, last_modified = (response.headers.get(name) for name in (b"ETag", b"Last-Modified"))
    return etag.decode("latin-1") if etag else None, last_modified.decode(
        "latin-1"
    ) if last_modified else None

"""Extracts the articles of pages before the spider sees them, within a time limit."""

from __future__ import annotations

import asyncio
import os
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Self

from scrapy import signals
from scrapy.exceptions import NotConfigured

from crawler.crawl.answers import WITH_PAGE
from crawler.crawl.page_extraction import Task, TooSlowError
from crawler.crawl.page_parser import PageParser
from crawler.crawl.run import run_of
from crawler.engine import is_closing
from crawler.errors import CrawlerError
from crawler.extraction.article_urls import looks_like_article
from crawler.responses import charset_of, led_elsewhere, not_html, requested_url
from crawler.setting_values import seconds_of
from crawler.unavailable import PageRefused, Stopped
from crawler.user_parts import may_see_pages
from crawler.visits import visit_of

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy.settings import BaseSettings

    from crawler.crawl.page_extraction import Extracted
    from crawler.crawl.run import Run
    from crawler.visits import Visit

# While a worker extracts a page: the seconds between checks of whether the run was stopped, and how
# long the page may still take after that.
_STOP_CHECK_SECONDS, _GRACE_SECONDS = 0.25, 0.5
# This process cannot feed more workers while doing its other work.
_MOST_PROCESSES = 4


def reader_processes(settings: BaseSettings) -> int:
    """Return READER_PROCESSES; by default, the number of processors, at most 4, or 0 if it is 1.

    Whoever wants a shared crawl to read in more processes starts more workers, so by default these
    have none. Raises CrawlerError if the setting is not a whole number.
    """
    processors = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    setting = settings["READER_PROCESSES"]
    if setting is None:
        is_alone = processors == 1 or settings["WORKERS"]
        return 0 if is_alone else min(processors, _MOST_PROCESSES)
    if not str(setting).isdecimal():
        raise CrawlerError(
            f"READER_PROCESSES: got {setting!r}, takes a whole number of processes, 0 for none"
        )
    return int(setting)


def may_be_accepted(request: Request, response: Response, visit: Visit, run: Run) -> bool:
    """Return False if the spider will refuse the response without reading its page."""
    if visit.state and visit.state.is_list:
        return response.status in WITH_PAGE
    publisher = run.scope.publisher_of(visit.state) if visit.state else None
    if led_elsewhere(request, response.url, visit.article_id, publisher):
        return False
    return response.status in WITH_PAGE and not not_html(response)


def page_task(response: Response, visit: Visit, run: Run) -> Task:
    """Return the task of extracting the page that answered a visit."""
    url: str | None = response.url
    base = None
    if visit.is_saved and visit.origin:
        url = visit.origin.page_url or (run.scope.url_of(visit.state) if visit.state else None)
        base = visit.origin.base
    is_text = visit.origin is not None and visit.origin.is_text
    expects: Literal["article", "list", "either"] = "article"
    if visit.state and visit.state.is_list:
        urls = (response.url, requested_url(response))
        is_list = any(looks_like_article(one) is False for one in urls)
        expects = "list" if is_list else "either"
    return Task(response.body, visit.article_id, url, charset_of(response), base, is_text, expects)


class ParsingMiddleware:
    """Extracts each page, and leaves the result or the exception in its ``Visit``.

    It is the last middleware to process a response. A page that takes longer than READ_TIMEOUT is
    refused. Pages that another middleware has already extracted, such as RenderingMiddleware, are
    left alone.
    """

    def __init__(self, crawler: Crawler, run: Run, processes: int) -> None:
        self._crawler = crawler
        self._run = run
        timeout = seconds_of(crawler.settings, "READ_TIMEOUT")
        self._parser = PageParser(
            run.publishers,
            timeout,
            processes,
            crawler.stats.inc_value,
            all_in_workers=run.arguments.everything,
        )
        self._extracting: set[asyncio.Future[Extracted]] = set()
        self._watch: asyncio.Task[None] | None = None
        self._has_given_up = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        run = run_of(crawler.spider)
        if run is None:
            raise NotConfigured
        middleware = cls(crawler, run, reader_processes(crawler.settings))
        crawler.signals.connect(middleware._closed, signal=signals.spider_closed)
        return middleware

    async def process_response(self, request: Request, response: Response) -> Response:
        visit = visit_of(request)
        if visit is None or visit.extracted:
            return response
        if not may_be_accepted(request, response, visit, self._run):
            return response
        task = page_task(response, visit, self._run)
        try:
            visit.extracted = await self.extract(task)
        except (PageRefused, Stopped):
            raise
        except Exception as error:
            visit.extracted = error
        return response

    async def extract(self, task: Task) -> Extracted:
        """Extract a page.

        Raises PageRefused if that takes too long, Stopped if the run is stopped meanwhile.
        """
        task = task._replace(needs_page=self._needs_pages)
        try:
            return self._parser.extract_here(task) or await self._extract_in_worker(task)
        except TooSlowError as error:
            raise PageRefused("too_slow", str(error)) from None

    @cached_property
    def _needs_pages(self) -> bool:
        """Whether somebody may see the parsed pages, not only the records.

        Pages that the workers of a shared crawl read are for the writer's components, too.
        ``scrapy parse``, which starts no run, shows pages.
        """
        run = self._run
        is_shared = run.courier is not None or run.has_workers
        return is_shared or not run.started or may_see_pages(self._crawler)

    async def _extract_in_worker(self, task: Task) -> Extracted:
        extracting = asyncio.ensure_future(self._parser.extract(task))
        self._extracting.add(extracting)
        if self._watch is None or self._watch.done():
            self._watch = asyncio.ensure_future(self._end_with_the_run())
        try:
            return await extracting
        except asyncio.CancelledError:
            if not self._has_given_up:
                raise
            raise Stopped(
                f"{task.article_id}: the run was stopped while reading its page"
            ) from None
        finally:
            self._extracting.discard(extracting)

    async def _end_with_the_run(self) -> None:
        """Give up the pages that workers are extracting some time after the run was stopped."""
        while self._extracting:
            await asyncio.sleep(_STOP_CHECK_SECONDS)
            if is_closing(self._crawler.engine):
                await asyncio.sleep(_GRACE_SECONDS)
                self._has_given_up = True
                for extracting in self._extracting:
                    extracting.cancel()

    def _closed(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        self._parser.close()

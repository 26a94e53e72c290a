"""Has a browser render the article pages that the live site returns."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Self

from scrapy.exceptions import NotConfigured

from crawler.crawl.arguments import WHERE_NEEDED
from crawler.crawl.page_extraction import Task
from crawler.crawl.run import run_of
from crawler.errors import RendererError
from crawler.extraction.page.encoding import decode
from crawler.extraction.refusal import Refusal
from crawler.middlewares.parsing import ParsingMiddleware, may_be_accepted
from crawler.rendering import browser
from crawler.responses import charset_of
from crawler.unavailable import PageRefused, Stopped
from crawler.visits import visit_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from crawler.crawl.page_extraction import Extracted
    from crawler.crawl.run import Run
    from crawler.rendering import Renderer
    from crawler.visits import Rendered, Visit

logger = logging.getLogger(__name__)


class RenderingMiddleware:
    """Renders all pages, or with ``render=auto`` those that lack a body or a related list.

    It leaves the extracted page in the ``Visit``: the rendered one, unless that lacks something
    that the plain one has.
    """

    def __init__(self, crawler: Crawler, run: Run) -> None:
        assert run.renderer is not None
        self.crawler = crawler
        self._run = run
        self._only_where_needed = run.arguments.render == WHERE_NEEDED
        self._renderer: Renderer = browser(run.renderer).BrowserRenderer(crawler)
        self._is_down = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        run = run_of(crawler.spider)
        if run is None or run.renderer is None:
            raise NotConfigured
        return cls(crawler, run)

    async def process_response(self, request: Request, response: Response) -> Response:
        visit = visit_of(request)
        # A page with an origin comes from a folder or an archive, and is not rendered.
        if visit is None or visit.origin:
            return response
        is_list = visit.state is not None and visit.state.is_list
        if is_list or not may_be_accepted(request, response, visit, self._run):
            return response
        charset = charset_of(response)
        plain = await self._extract(response.body, visit, response.url, charset)
        if self._only_where_needed and not _may_need_scripts(plain):
            self._count("plain")
            return _answer_with(visit, response, plain, None)
        text = decode(response.body, charset).text
        try:
            rendered = await self._render(response.url, text, _policies(response))
            extracted = await self._extract(rendered.body, visit, response.url, "utf-8")
        except PageRefused as error:
            if _missing_parts(plain):
                raise
            logger.info(
                "%s: used as fetched, because it could not be rendered (%s)",
                visit.article_id,
                error,
            )
            self._count("failed")
            return _answer_with(visit, response, plain, None)
        self._count("rendered")
        if rendered.unfinished:
            logger.info("%s: used as it was, because %s", visit.article_id, rendered.unfinished)
            self._count("unfinished")
        if not _missing_parts(extracted) <= _missing_parts(plain):
            # Scripts may also remove content, or fail in an old browser.
            self._count("kept")
            return _answer_with(visit, response, plain, None)
        if self._run.archive_page:
            self._run.archive_page(response.url, rendered.body)
        return _answer_with(visit, response, extracted, rendered)

    def _count(self, outcome: str) -> None:
        self.crawler.stats.inc_value(f"rendering/{outcome}")

    async def _extract(self, body: bytes, visit: Visit, url: str, charset: str | None) -> Extracted:
        middleware = self.crawler.get_downloader_middleware(ParsingMiddleware)
        assert middleware is not None
        return await middleware.extract(Task(body, visit.article_id, url, charset))

    async def _render(self, url: str, html: str, policies: Sequence[str]) -> Rendered:
        try:
            if not self._is_down:
                return await self._renderer.render(url, html, policies)
        except RendererError as error:
            if not self._is_down:
                self._is_down = True
                logger.error("%s", error)
                self._run.stop("renderer_down", str(error))
        raise Stopped("no browser can render the page")


def _answer_with(
    visit: Visit, response: Response, extracted: Extracted, rendered: Rendered | None
) -> Response:
    visit.extracted, visit.rendered = extracted, rendered
    if rendered is None:
        return response
    headers = response.headers.copy()
    headers[b"Content-Type"] = b"text/html; charset=utf-8"
    return response.replace(body=rendered.body, headers=headers)


def _policies(response: Response) -> list[str]:
    # The variant Content-Security-Policy-Report-Only forbids nothing.
    values = response.headers.getlist(b"Content-Security-Policy")
    return [value.decode("latin-1") for value in values if value.strip()]


def _may_need_scripts(plain: Extracted) -> bool:
    """Return whether a plain page lacks what scripts may add.

    A page that was refused as another article does not.
    """
    if isinstance(plain.result, Refusal):
        return plain.result.reason == "not_an_article"
    return bool(_missing_parts(plain))


def _missing_parts(extracted: Extracted) -> frozenset[str]:
    record = extracted.result
    if isinstance(record, Refusal):
        return frozenset(("article", "body", "related"))
    return frozenset(name for name in ("body", "related") if getattr(record, name) is None)

"""Pages as their scripts leave them (``-a render=``): what the live site answers is given to a browser, and what that makes of it is read.

The page itself is fetched by Scrapy, as every other. So its status, headers and address are the real ones, and redirects, retries,
Retry-After, robots.txt, rules of hosts and the archive are what they are without a browser. The browser gets the page's text in the
place of an answer, runs its scripts, and fetches what they ask for. A script that leads to another page is not followed, as little
as a refresh by a meta tag.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from scrapy.exceptions import NotConfigured

from crawler.crawl.arguments import RENDERERS, WHERE_NEEDED, one_of
from crawler.errors import RendererError
from crawler.extraction.page.encoding import decode
from crawler.middlewares.parsing import ReadingMiddleware
from crawler.sources import (
    NAMED_BY_USER,
    WITH_PAGE,
    PageRefused,
    Stopped,
    charset_of,
    led_elsewhere,
    not_html,
    seconds_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy.settings import BaseSettings

    from crawler.crawl.parser_pool import Read

logger = logging.getLogger(__name__)

RENDERER_DOWN = "renderer_down"
"""Why a run closes whose browser is not to be had."""
ASKING = {
    NAMED_BY_USER: True,
    # Not the publisher's, whose delays do not count here.
    "download_slot": "rendering",
    "autothrottle_dont_adjust_delay": True,
    "dont_obey_robotstxt": True,
    "dont_redirect": True,
    "dont_retry": True,
}
"""The meta of a request to a browser."""
_WATCH = Path(__file__).with_name("watch.js")


@dataclass(frozen=True, slots=True)
class Rendered:
    """The HTML of a page as its scripts left it, in UTF-8. ``unfinished`` says why more might have come; None if it had come to rest."""

    by: str
    body: bytes
    unfinished: str | None = None


class Renderer(Protocol):
    """A browser that runs the scripts of pages. ``name`` is one of RENDERERS."""

    name: str

    async def render(self, url: str, html: str, policies: Sequence[str]) -> Rendered:
        """Return the page as its scripts leave it.

        PageRefused if this page cannot be rendered, RendererError if none can.

        ``policies`` are the Content-Security-Policy headers of the page.
        """
        ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a page is given, in seconds: until it has come to rest, ``quiet`` of which it must be so, or until ``timeout``."""

    timeout: float
    quiet: float

    @classmethod
    def of(cls, settings: BaseSettings) -> Self:
        """CrawlerError if RENDER_TIMEOUT or RENDER_QUIET is no time."""
        return cls(seconds_of(settings, "RENDER_TIMEOUT"), seconds_of(settings, "RENDER_QUIET"))

    def watch(self) -> str:
        """The script that tells when a page has come to rest."""
        return f"{_WATCH.read_text(encoding='utf-8')}({self.timeout * 1000:.0f}, {self.quiet * 1000:.0f});"

    def rendered(self, by: str, html: str, settled: bool, led_to: str | None) -> Rendered:
        """What a browser showed: whether it had come to rest then, and to which other page its scripts led."""
        unfinished = None if settled else f"it had not come to rest after {self.timeout:g} s"
        if led_to:
            unfinished = f"its scripts then led to {led_to}"
        # Scripts can make what is no text, such as half of a surrogate pair.
        body = html.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
        return Rendered(by, body, unfinished)


def prepare(render: str, settings: BaseSettings) -> str:
    """Have Scrapy load what a browser needs, before it loads anything; return which it is. CrawlerError if that cannot be.

    Of a browser that is not wanted nothing is imported.
    """
    Patience.of(settings)
    name = (
        one_of(RENDERERS, "RENDERER", str(settings["RENDERER"]))
        if render == WHERE_NEEDED
        else render
    )
    # Asked as fast as pages come: nothing of this reaches the publisher.
    add_to(settings, "DOWNLOAD_SLOTS", {"rendering": {"delay": 0, "jitter": 0, "concurrency": 16}})
    _module(name).prepare(settings)
    add_to(
        settings,
        "DOWNLOADER_MIDDLEWARES",
        {"crawler.middlewares.rendering.RenderingMiddleware": 20},
    )
    return name


def _module(name: str) -> Any:
    # What the other browser needs is not imported, and may not be installed.
    return import_module(f"crawler.sources.{name}")


def add_to(settings: BaseSettings, name: str, more: dict[str, Any]) -> None:
    """Add to a setting that is a dictionary, whoever set it."""
    settings.set(name, {**settings.getdict(name), **more}, priority="cmdline")


class RenderingMiddleware:
    """Has articles that the live site answered rendered: all of them, or with ``render=auto`` those that lack a body or a related list.

    What it leaves in ``read`` of the request's meta is the reading of what the browser showed, unless that lacks what the plain page has;
    ``rendered`` says how it was had.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        spider: Any = crawler.spider
        self._only_where_needed = spider.arguments.render == WHERE_NEEDED
        self._renderer: Renderer = _module(spider.renderer).BrowserRenderer(crawler)
        self._down = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        if getattr(getattr(crawler.spider, "arguments", None), "render", None) is None:
            raise NotConfigured
        return cls(crawler)

    async def process_response(self, request: Request, response: Response) -> Response:
        article_id, spider = request.meta.get("article"), self.crawler.spider
        # A page with an origin is not of the live site: it is what was kept.
        if (
            article_id is None
            or "origin" in request.meta
            or response.status not in WITH_PAGE
            or not_html(response)
        ):
            return response
        if led_elsewhere(request, response.url, article_id, spider.publisher):  # type: ignore[union-attr]
            # The spider will refuse it.
            return response
        plain = await self._read(response.body, article_id, response.url, charset_of(response))
        if self._only_where_needed and not _may_need_scripts(plain):
            self.crawler.stats.inc_value("rendering/plain")
            return self._with(request, response, plain, None)
        text = decode(response.body, charset_of(response)).text
        try:
            rendered = await self._render(response.url, text, _policies(response))
            read = await self._read(rendered.body, article_id, response.url, "utf-8")
        except PageRefused as error:
            if _lacks(plain):
                raise
            logger.info("%s: read as it came, for it could not be rendered (%s)", article_id, error)
            self.crawler.stats.inc_value("rendering/failed")
            return self._with(request, response, plain, None)
        self.crawler.stats.inc_value("rendering/rendered")
        if rendered.unfinished:
            logger.info("%s: read as it was, for %s", article_id, rendered.unfinished)
            self.crawler.stats.inc_value("rendering/unfinished")
        if not _lacks(read) <= _lacks(plain):
            # Scripts may also take away what was there, or break off in an old browser.
            self.crawler.stats.inc_value("rendering/kept")
            return self._with(request, response, plain, None)
        if spider.record_rendered is not None:  # type: ignore[union-attr]
            spider.record_rendered(response.url, rendered.body)  # type: ignore[union-attr]
        return self._with(request, response, read, rendered)

    async def _read(self, body: bytes, article_id: str, url: str, charset: str | None) -> Read:
        middleware = self.crawler.get_downloader_middleware(ReadingMiddleware)
        assert middleware is not None
        return await middleware.read(body, article_id, url, charset)

    def _with(
        self, request: Request, response: Response, read: Read, rendered: Rendered | None
    ) -> Response:
        request.meta.update(read=read, rendered=rendered)
        if rendered is None:
            return response
        headers = response.headers.copy()
        headers[b"Content-Type"] = b"text/html; charset=utf-8"
        return response.replace(body=rendered.body, headers=headers)

    async def _render(self, url: str, html: str, policies: Sequence[str]) -> Rendered:
        try:
            if not self._down:
                return await self._renderer.render(url, html, policies)
        except RendererError as error:
            if not self._down:
                self._down = True
                logger.error("%s", error)
                self.crawler.spider.renderer_fault = str(error)  # type: ignore[union-attr]
                self._stopping = asyncio.ensure_future(
                    self.crawler.engine.close_spider_async(reason=RENDERER_DOWN)
                )
        raise Stopped("there is no browser to render it with")


def _policies(response: Response) -> list[str]:
    # The variant Content-Security-Policy-Report-Only forbids nothing.
    values = response.headers.getlist(b"Content-Security-Policy")
    return [value.decode("latin-1") for value in values if value.strip()]


def _may_need_scripts(plain: Read) -> bool:
    """Whether a plain page lacks what its scripts might bring. One that says that it is another article does not."""
    if plain.refusal is not None:
        return plain.refusal.reason == "not_an_article"
    return bool(_lacks(plain))


def _lacks(read: Read) -> frozenset[str]:
    if read.refusal is not None:
        return frozenset(("article", "body", "related"))
    return frozenset(
        name
        for name, missing in (("body", not read.page.body), ("related", read.related is None))
        if missing
    )

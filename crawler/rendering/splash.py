"""Renders pages with Splash, through scrapy-splash.

The workarounds for current Scrapy can go when scrapy-splash supports it
(github.com/scrapy-plugins/scrapy-splash/issues/332); tests/test_rendering.py fails once they are no
longer needed.

Splash reports errors by status (splash.readthedocs.io, "HTTP API"): 400 for a bad script or
argument, 500 and 502 for its own faults, 504 for a timeout. Since splash.lua ends long before the
timeout, 504 means that all slots were taken.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
import scrapy.utils.url
from scrapy import Request
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)
from w3lib.http import basic_auth_header
from w3lib.url import canonicalize_url

from crawler.errors import RendererError
from crawler.rendering import Patience, add_to, request_meta
from crawler.setting_values import seconds_of, server_named
from crawler.unavailable import PageRefused
from crawler.visits import Rendered

# Scrapy 2.19 removed this function, which scrapy-splash imports from there.
if "canonicalize_url" not in vars(scrapy.utils.url):
    scrapy.utils.url.canonicalize_url = canonicalize_url  # type: ignore[attr-defined]
import scrapy_splash

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy.settings import BaseSettings

_OK = 200
_UNAUTHORIZED_STATUSES = frozenset((401, 403))
_BUSY_STATUSES = frozenset((429, 502, 503, 504))
_NO_SLOT_STATUSES = frozenset((429, 503, 504))
# Scrapy's timeout is longer than Splash's by this much, because Splash's own error says more.
_MARGIN_SECONDS = 5.0
_PING_SECONDS = 10.0
_LONGEST_MESSAGE = 300
# The start of a message (see _error_message) about a bad argument.
_BAD_OPTION = "Splash answers 400, BadOption:"
_CONNECTION_ERRORS: dict[type[Exception], str] = {
    DownloadConnectionRefusedError: "no connection could be made",
    CannotResolveHostError: "no such host",
    DownloadFailedError: "the connection was lost",
    ResponseDataLossError: "the connection was lost",
}
_SCRIPT = Path(__file__).with_name("splash.lua")


class SplashMiddleware(scrapy_splash.SplashMiddleware):  # type: ignore[misc]
    """scrapy-splash's middleware, whose methods take the spider that Scrapy no longer passes."""

    def process_request(self, request: Request) -> Request | None:
        return super().process_request(request, self.crawler.spider)  # type: ignore[no-any-return]

    def process_response(self, request: Request, response: Response) -> Response:
        return super().process_response(  # type: ignore[no-any-return]
            request, response, self.crawler.spider
        )


class BrowserRenderer:
    """Renders pages with the Splash at SPLASH_URL."""

    name = "splash"

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self._crawler = crawler
        self._url = settings["SPLASH_URL"].rstrip("/") + "/"
        self._patience = Patience.of(settings)
        self._watch = self._patience.watch()
        self._slot_timeout = seconds_of(settings, "SPLASH_SLOT_TIMEOUT")
        self._script = _SCRIPT.read_text(encoding="utf-8")
        self._tries = 1 + settings.getint("RETRY_TIMES")
        self._backoff = settings.getfloat("RETRY_BACKOFF")
        # False until the first ping succeeds, and after a fault.
        self._known_to_answer = False
        self._in_flight = 0

    async def render(self, url: str, html: str, policies: Sequence[str]) -> Rendered:
        """Render a page. Splash accepts no headers for it, so ``policies`` are ignored."""
        self._in_flight += 1
        try:
            return await self._render(url, html)
        finally:
            self._in_flight -= 1

    async def _render(self, url: str, html: str) -> Rendered:
        fault = ""
        for attempt in range(self._tries):
            await self._pause(attempt)
            if not self._known_to_answer:
                await self._ping()
            try:
                response = await self._crawler.engine.download_async(
                    self._render_request(url, html)
                )
            except DownloadTimeoutError as error:
                # A script that never ends blocks all of Splash. The next page's ping detects that.
                # If several pages are in flight, any of them may be to blame, so ping first.
                self._known_to_answer = False
                if self._in_flight > 1:
                    await self._ping()
                raise PageRefused(
                    "not_rendered",
                    "Splash did not respond; the page may have hung it",
                ) from error
            except DownloadCancelledError as error:
                raise PageRefused(
                    "not_rendered", f"the rendered page is too large ({error})"
                ) from error
            except tuple(_CONNECTION_ERRORS) as error:
                self._known_to_answer = False
                fault = f"Splash: {_describe(error)}"
                continue
            if response.status == _OK:
                return self._parse_result(response)
            fault = self._error_message(response)
            if fault.startswith(_BAD_OPTION):
                raise RendererError(f"{fault}; Splash rejects these settings")
            if response.status not in _BUSY_STATUSES:
                raise PageRefused("not_rendered", fault)
        if not self._known_to_answer:
            await self._ping()
        raise PageRefused("not_rendered", f"{fault} (attempts: {self._tries})")

    def _render_request(self, url: str, html: str) -> Request:
        seconds = self._patience.timeout + self._slot_timeout
        arguments = {
            "lua_source": self._script,
            "watch": self._watch,
            "html": html,
            "limit_ms": self._patience.timeout * 1000,
            "user_agent": self._crawler.settings["USER_AGENT"],
            "server": urlsplit(url).netloc.lower(),
            "timeout": seconds,
        }
        return scrapy_splash.SplashRequest(  # type: ignore[no-any-return]
            url,
            endpoint="execute",
            args=arguments,
            splash_url=self._url,
            slot_policy=scrapy_splash.SlotPolicy.SCRAPY_DEFAULT,
            dont_process_response=True,
            dont_send_headers=True,
            meta={**request_meta(), "download_timeout": seconds + _MARGIN_SECONDS},
        )

    def _parse_result(self, response: Response) -> Rendered:
        try:
            result = msgspec.json.decode(response.body, type=_Result)
        except msgspec.DecodeError as error:
            raise PageRefused(
                "not_rendered", f"unexpected response from {self._url} ({error})"
            ) from error
        return self._patience.rendered(self.name, result.html, result.settled, result.led_to)

    def _error_message(self, response: Response) -> str:
        """Return the error that a response from Splash reports."""
        if response.status in _NO_SLOT_STATUSES:
            return f"Splash had no free slot ({response.status})"
        try:
            error = msgspec.json.decode(response.body)
            detail = f"{error['type']}: {error['info']}"
        except (msgspec.DecodeError, KeyError, TypeError):
            detail = response.body[:_LONGEST_MESSAGE].decode("utf-8", "replace")
        return f"Splash answers {response.status}, {' '.join(detail.split())[:_LONGEST_MESSAGE]}"

    async def _ping(self) -> None:
        """Check that Splash responds. Raises RendererError if it does not."""
        fault = ""
        for attempt in range(self._tries):
            await self._pause(attempt)
            headers = {}
            user, password = (
                self._crawler.settings.get(name, "") for name in ("SPLASH_USER", "SPLASH_PASS")
            )
            if user or password:
                headers["Authorization"] = basic_auth_header(user, password)
            request = Request(
                f"{self._url}_ping",
                headers=headers,
                meta={**request_meta(), "download_timeout": _PING_SECONDS},
            )
            try:
                response = await self._crawler.engine.download_async(request)
            except DownloadTimeoutError:
                raise RendererError(
                    f"Splash at {self._url} did not respond within {_PING_SECONDS:g} s; restart it"
                ) from None
            except tuple(_CONNECTION_ERRORS) as error:
                fault = _describe(error)
                continue
            if response.status == _OK and b'"ok"' in response.body:
                self._known_to_answer = True
                return
            if response.status in _UNAUTHORIZED_STATUSES:
                raise RendererError(
                    f"Splash at {self._url} returned {response.status}; "
                    "give its user and password with -s SPLASH_USER=… and -s SPLASH_PASS=…"
                )
            fault = f"it returned {response.status}"
            if response.status not in _BUSY_STATUSES:
                raise RendererError(
                    f"the server at {self._url} is not Splash ({fault} for {request.url}); "
                    "name one with -s SPLASH_URL=URL"
                )
        raise RendererError(
            f"Splash at {self._url} cannot be reached ({fault}); "
            "start it, or name another with -s SPLASH_URL=URL"
        )

    async def _pause(self, attempt: int) -> None:
        if attempt:
            await asyncio.sleep(self._backoff * 2 ** (attempt - 1))


def _describe(error: Exception) -> str:
    """Describe a network error; Scrapy's own messages expose Twisted's internals."""
    return next(words for kind, words in _CONNECTION_ERRORS.items() if isinstance(error, kind))


class _Result(msgspec.Struct):
    """The result of splash.lua."""

    html: str
    settled: bool
    led_to: str | None = None


def prepare(settings: BaseSettings) -> None:
    """Set Scrapy up to use Splash.

    A user and password in SPLASH_URL become SPLASH_USER and SPLASH_PASS. Raises CrawlerError if
    SPLASH_URL is not a URL, or SPLASH_SLOT_TIMEOUT not a number of seconds above 0.
    """
    server = server_named("SPLASH_URL", settings["SPLASH_URL"], "http://127.0.0.1:8050")
    settings.set("SPLASH_URL", server.url, priority="cmdline")
    if server.authorization:
        settings.set("SPLASH_USER", server.user, priority="cmdline")
        settings.set("SPLASH_PASS", server.password, priority="cmdline")
    seconds_of(settings, "SPLASH_SLOT_TIMEOUT")
    # The position that scrapy-splash recommends. It also recommends decompressing responses before
    # that, which is not needed here, because the middleware does not read their bodies.
    add_to(settings, "DOWNLOADER_MIDDLEWARES", {"crawler.rendering.splash.SplashMiddleware": 725})

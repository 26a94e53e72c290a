"""Renders pages with Chromium, through scrapy-playwright (``pip install '.[playwright]'``).

Each page has its own browser context, so that cookies and storage of one page do not affect
another. A browser that is started here fetches everything through the gate
(crawler.rendering.gate). A remote browser (PLAYWRIGHT_CDP_URL, PLAYWRIGHT_CONNECT_URL) cannot use
the gate: its requests are checked before they are sent, which DNS rebinding or a redirect can
bypass.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import suppress
from functools import partial
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING, Any

from scrapy import Request
from scrapy.exceptions import DownloadFailedError

from crawler.crawl.run import run_of
from crawler.downloading.addresses import PrivateAddressError, publisher_named_by_user
from crawler.downloading.recording import RecordingDownloadHandler
from crawler.errors import CrawlerError, RendererError
from crawler.extraction.publishers import host_and_port
from crawler.rendering import Patience, add_to, request_meta
from crawler.rendering.gate import Gate, vetted
from crawler.rendering.upstream import Upstreams, proxies_of
from crawler.unavailable import PageRefused
from crawler.visits import Rendered

try:
    from playwright.async_api import Error as PlaywrightError
    from scrapy_playwright.handler import ScrapyPlaywrightDownloadHandler
    from scrapy_playwright.provider import PlaywrightBrowserProvider
except ImportError as error:
    raise CrawlerError(
        f"render: support for Chromium is not installed ({error}); pip install '.[playwright]'",
        exit_code=1,
    ) from error

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from playwright.async_api import Browser, Page, Route
    from playwright.async_api import Request as BrowserRequest
    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings
    from scrapy_playwright.handler import Config

    from crawler.downloading.addresses import HostAndPort

# Program names of an installed Chromium; without one, Playwright's own is used.
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_BLOCKED_TYPES = frozenset(("image", "media", "font"))
# Nothing may bypass the gate: no QUIC, no WebRTC over UDP, no DNS lookups by Chromium.
_GATE_ARGUMENTS = (
    "--disable-quic",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
_REMOTE_SETTINGS = ("PLAYWRIGHT_CDP_URL", "PLAYWRIGHT_CONNECT_URL")
_POLL_SECONDS = 0.1
# The time for a browser to start, and for a page to respond beyond RENDER_TIMEOUT.
_START_SECONDS = 30.0
_ANSWER_SECONDS = 10.0
_CLOSE_SECONDS = 5.0


class RenderingDownloadHandler(
    ScrapyPlaywrightDownloadHandler,  # type: ignore[misc]
    RecordingDownloadHandler,
):
    """scrapy-playwright's handler, which also records requests that bypass the browser."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        gate = Gate(_named_by_user(crawler), proxies_of(crawler.settings))
        self.browser_provider_cls = partial(ChromiumProvider, gate=gate)


class ChromiumProvider(PlaywrightBrowserProvider):  # type: ignore[misc]
    """Starts Chromium behind the gate. Raises RendererError with advice if that fails."""

    def __init__(self, config: Config, gate: Gate) -> None:
        super().__init__(config)
        self._gate = gate

    async def launch_browser(self) -> Browser:
        if not (self.config.cdp_url or self.config.connect_url):
            await self._gate.start()
            self._put_behind_the_gate(self.config.launch_options)
        try:
            return await super().launch_browser()  # type: ignore[no-any-return]
        except PlaywrightError as error:
            first_line = str(error).strip().partition("\n")[0]
            raise RendererError(
                f"Chromium could not be started ({first_line}); "
                "install it (apt-get install chromium, or playwright install chromium), "
                "or say in PLAYWRIGHT_LAUNCH_OPTIONS how to start it"
            ) from error

    def _put_behind_the_gate(self, options: dict[str, Any]) -> None:
        options["proxy"] = self._gate.proxy
        if self.config.browser_type_name == "chromium":
            # By default Chromium connects to this machine's own servers without the proxy.
            options["proxy"]["bypass"] = "<-loopback>"
            # On a relaunch, the options already contain them.
            arguments = [
                argument for argument in options.get("args", ()) if argument not in _GATE_ARGUMENTS
            ]
            options["args"] = [*arguments, *_GATE_ARGUMENTS]

    async def close(self) -> None:
        await super().close()
        await self._gate.close()


class BrowserRenderer:
    """Renders pages with a Chromium that scrapy-playwright starts or connects to."""

    name = "playwright"

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._patience = Patience.of(crawler.settings)
        self._watch = self._patience.watch()
        self._named_hosts = _named_by_user(crawler)
        self._is_remote = any(crawler.settings[name] for name in _REMOTE_SETTINGS)
        self._page_numbers = count(1)

    async def render(self, url: str, html: str, policies: Sequence[str]) -> Rendered:
        try:
            return await self._render_once(url, html, policies)
        except (PlaywrightError, DownloadFailedError):
            # A browser that has died is restarted once.
            pass
        try:
            return await self._render_once(url, html, policies)
        except (PlaywrightError, DownloadFailedError) as error:
            raise PageRefused(
                "not_rendered", f"Chromium: {str(error).strip().partition(chr(10))[0]}"
            ) from error

    async def _render_once(self, url: str, html: str, policies: Sequence[str]) -> Rendered:
        named_hosts = self._named_hosts if self._is_remote else None
        limit = asyncio.timeout(_START_SECONDS)
        visit = _Visit(html, policies, self._watch, named_hosts)

        async def prepare(page: Page, _: Request) -> None:
            await visit.prepare(page)
            # RuntimeError: the browser took too long to start, and the limit has expired.
            with suppress(RuntimeError):
                limit.reschedule(
                    asyncio.get_running_loop().time() + self._patience.timeout + _ANSWER_SECONDS
                )

        context = {"user_agent": self._crawler.settings["USER_AGENT"], "service_workers": "block"}
        request = Request(
            url,
            meta={
                **request_meta(),
                "playwright": True,
                "playwright_include_page": True,
                "playwright_context": f"page {next(self._page_numbers)}",
                "playwright_context_kwargs": context,
                "playwright_page_init_callback": prepare,
                # Wait for the start of the page only, since some pages never finish loading.
                "playwright_page_goto_kwargs": {"wait_until": "commit"},
            },
        )
        try:
            async with limit:
                # scrapy-playwright cannot encode a lone surrogate, but the page is loaded.
                with suppress(UnicodeEncodeError):
                    await self._crawler.engine.download_async(request)
                return await self._come_to_rest(visit, request.meta["playwright_page"])
        except TimeoutError as error:
            raise PageRefused(
                "not_rendered", "Chromium did not respond; the page may have hung it"
            ) from error
        finally:
            if page := request.meta.get("playwright_page"):
                with suppress(PlaywrightError, TimeoutError):
                    await asyncio.wait_for(page.context.close(), _CLOSE_SECONDS)

    async def _come_to_rest(self, visit: _Visit, page: Page) -> Rendered:
        if visit.fault:
            raise PlaywrightError(visit.fault)
        deadline = monotonic() + self._patience.timeout
        settled = False
        while not settled and monotonic() < deadline:
            await asyncio.sleep(_POLL_SECONDS)
            settled = (await page.evaluate("window.__neighbourhoodCrawler()"))["settled"]
        return self._patience.rendered(self.name, await page.content(), settled, visit.led_to)


class _Visit:
    """Serves the fetched page to the browser, and blocks forbidden requests.

    ``named_hosts`` are the hosts and ports that may be private; None if the browser uses the gate,
    which checks addresses itself.
    """

    def __init__(
        self,
        html: str,
        policies: Sequence[str],
        watch: str,
        named_hosts: Collection[HostAndPort] | None,
    ) -> None:
        self.led_to: str | None = None
        self.fault = "the page was not prepared"
        self._html = html
        self._is_served = False
        self._watch = watch
        self._named_hosts = named_hosts
        self._headers = {"Content-Type": "text/html; charset=utf-8"}
        if policies:
            # Every policy in the list is enforced (CSP 3, 2.2.2).
            self._headers["Content-Security-Policy"] = ", ".join(policies)

    async def prepare(self, page: Page) -> None:
        # scrapy-playwright prepares another page if the browser has died.
        self.led_to, self._is_served = None, False
        await page.add_init_script(self._watch)
        # Requests in the context outside this page come from windows that it opened.
        await page.context.route("**", lambda route: route.abort())
        await page.route("**", self._answer_while_open)
        self.fault = ""

    async def _answer_while_open(self, route: Route, request: BrowserRequest) -> None:
        # The page may have been closed in the meantime.
        with suppress(PlaywrightError):
            await self._answer(route, request)

    async def _answer(self, route: Route, request: BrowserRequest) -> None:
        if request.is_navigation_request() and not self._is_served:
            self._is_served = True
            await route.fulfill(status=200, headers=self._headers, body=self._html)
        elif request.is_navigation_request():
            if request.frame == request.frame.page.main_frame:
                self.led_to = request.url
            # After a 204, a browser stays on the current page.
            await route.fulfill(status=204)
        elif request.resource_type in _BLOCKED_TYPES or await self._is_private(request.url):
            await route.abort()
        else:
            await route.continue_()

    async def _is_private(self, url: str) -> bool:
        if self._named_hosts is None:
            return False
        try:
            await vetted(*host_and_port(url), self._named_hosts)
        except PrivateAddressError:
            return True
        except OSError:
            # The browser itself reports that there is no such host.
            pass
        return False


def _named_by_user(crawler: Crawler) -> frozenset[HostAndPort]:
    run = run_of(crawler.spider)
    return publisher_named_by_user(run.given, run.arguments.seed_urls) if run else frozenset()


def prepare(settings: BaseSettings) -> None:
    """Set Scrapy up to use Chromium: an installed one, or else Playwright's own.

    Raises CrawlerError for an unsupported proxy, or if Chromium's arguments name one.
    """
    Upstreams(proxies_of(settings))
    _check_arguments(settings.getdict("PLAYWRIGHT_LAUNCH_OPTIONS").get("args") or ())
    handler = "crawler.rendering.playwright.RenderingDownloadHandler"
    add_to(settings, "DOWNLOAD_HANDLERS", {"http": handler, "https": handler})
    settings.set(
        "PLAYWRIGHT_BROWSER_PROVIDER",
        "crawler.rendering.playwright.ChromiumProvider",
        priority="cmdline",
    )
    if any(
        settings.get(f"PLAYWRIGHT_{name}") for name in ("CDP_URL", "CONNECT_URL", "BROWSER_TYPE")
    ):
        # The user has chosen another browser.
        return
    launch_options = settings.getdict("PLAYWRIGHT_LAUNCH_OPTIONS")
    # Scripts run in Chromium's sandbox, which does not work for root.
    options: dict[str, Any] = {"chromium_sandbox": not hasattr(os, "geteuid") or os.geteuid() != 0}
    if "channel" not in launch_options and (
        program := next(filter(None, map(shutil.which, _PROGRAMS)), None)
    ):
        options["executable_path"] = program
    add_to(
        settings,
        "PLAYWRIGHT_LAUNCH_OPTIONS",
        {name: value for name, value in options.items() if name not in launch_options},
    )


def _check_arguments(arguments: Sequence[str]) -> None:
    """Raise CrawlerError if Chromium's arguments name a proxy, which would replace the gate."""
    for argument in arguments:
        if argument.startswith(("--proxy-", "--no-proxy-")):
            raise CrawlerError(
                f"PLAYWRIGHT_LAUNCH_OPTIONS: got {argument!r} in args; name a proxy with "
                '"proxy": {"server": "http://HOST:PORT"}'
            )

"""The live site: whom to ask, how often, and how patiently.

Scrapy's own middlewares obey robots.txt, throttle, time out and follow redirects. What they lack is here: hosts that
are not the publisher's are refused with the reason kept, so are private addresses, and a host that asks for patience
(Retry-After) is left alone for that long.
"""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.downloadermiddlewares.retry import RetryMiddleware

from crawler.scheduler import FrontierScheduler
from crawler.sites import host_and_port
from crawler.sources import NAMED_BY_USER, PageRefused

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from crawler.sites import Site


class PublisherOnlyMiddleware:
    """Refuses what is not the publisher's: other hosts, and names that lead to a private or loopback address.

    In the place of Scrapy's OffsiteMiddleware, which drops such a request without telling the spider where it led. A private
    address is asked only if it is the host and port of the ``base_url`` that the user gave.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._private = PrivateAddresses(crawler)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        spider = self.crawler.spider
        if not getattr(spider, "started", False):
            # scrapy parse, shell and check ask for what their user named.
            return
        site: Site = spider.site  # type: ignore[union-attr]
        if request.meta.get(NAMED_BY_USER):
            return
        refuse_other_hosts(request, site)
        if refusal := await self._private.refusal(request.url):
            raise PageRefused(refusal.reason, refusal.detail)


class RefusingRedirectMiddleware(RedirectMiddleware):
    """Scrapy's redirects; one to what is no address (``javascript:``, ``http://[x``) is the site's fault, not an error of ours."""

    def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        try:
            return super().process_response(request, response)
        except ValueError as error:
            location = (response.headers.get(b"Location") or b"").decode("latin-1")
            raise PageRefused(
                "http_3xx", f"redirected to {location!r}, which is no address"
            ) from error


def refuse_other_hosts(request: Request, site: Site) -> None:
    """PageRefused for a request that a redirect made, to a host that is not the publisher's."""
    if urlsplit(request.url).hostname not in site.hosts:
        raise PageRefused(
            "offsite_redirect", f"redirected to {request.url}, which is not the publisher's"
        )


class PrivateAddresses:
    """Tells which hosts are at private or loopback addresses; each is looked up once. The host and port of ``base_url`` count as public."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._refusals: dict[str, PageRefused | None] = {}

    async def refusal(self, url: str) -> PageRefused | None:
        """Why a URL is not to be asked for; None if it may be."""
        host = urlsplit(url).hostname or ""
        if host_and_port(url) == getattr(self._crawler.spider, "host_named_by_user", None):
            return None
        if host not in self._refusals:
            self._refusals[host] = await self._look_up(host)
        return self._refusals[host]

    async def _look_up(self, host: str) -> PageRefused | None:
        try:
            answers = await asyncio.get_running_loop().getaddrinfo(
                host, None, type=socket.SOCK_STREAM
            )
        except OSError:
            # The download will say that there is no such host.
            return None
        for *_, address in answers:
            if not ip_address(str(address[0]).partition("%")[0]).is_global:
                detail = f"{host} is at {address[0]}, a private address; name the host with base_url to crawl it"
                return PageRefused("private_address", detail)
        return None


class PatientRetryMiddleware(RetryMiddleware):
    """Scrapy's retries, with a pause before each during which nothing else is asked either.

    The pause is what the answer's Retry-After says, at most RETRY_AFTER_MAX seconds; without one it begins at RETRY_BACKOFF
    seconds and doubles with every try of the same page.
    """

    def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        if request.meta.get("dont_retry"):
            return response
        result = super().process_response(request, response)
        asked = retry_after(response) if response.status in (429, 503) else None
        if asked is not None:
            # Also when this page is given up: the others are asked of the same host.
            self._pause(min(asked, self.crawler.settings.getfloat("RETRY_AFTER_MAX")))
        elif result is not response:
            self._back_off(request)
        return result

    def process_exception(  # type: ignore[override]
        self, request: Request, exception: Exception
    ) -> Request | Response | None:
        result = super().process_exception(request, exception)
        if result is not None:
            self._back_off(request)
        return result

    def _back_off(self, request: Request) -> None:
        self._pause(
            self.crawler.settings.getfloat("RETRY_BACKOFF")
            * 2 ** request.meta.get("retry_times", 0)
        )

    def _pause(self, seconds: float) -> None:
        scheduler = self.crawler.engine.scheduler
        if isinstance(scheduler, FrontierScheduler) and seconds > 0:
            self.crawler.stats.inc_value("retry/paused_seconds", round(seconds))
            scheduler.pause(seconds)


def retry_after(response: Response) -> float | None:
    """Seconds that Retry-After asks for (RFC 9110, 10.2.3): a number of seconds or a date; None without a valid one."""
    value = (response.headers.get(b"Retry-After") or b"").decode("latin-1").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        at = parsedate_to_datetime(value)
        return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None

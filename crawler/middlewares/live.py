"""The live site: which requests are allowed, where redirects may lead, and how patiently to ask.

Scrapy's own middlewares throttle, time out and follow redirects. Added here: a host that is not the
publisher's is refused, with the reason kept; so is an address that is private; and a host that asks
for patience (Retry-After) is left alone for that long.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.downloadermiddlewares.retry import RetryMiddleware
from scrapy.exceptions import IgnoreRequest

from crawler.downloading.addresses import PrivateAddressError, is_private_literal, named_by_user
from crawler.extraction.publishers import host_and_port, same_server
from crawler.scheduler import FrontierScheduler
from crawler.sources import CONDITIONS, NAMED_BY_USER, OF_ROBOTS, PageRefused

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from crawler.extraction.publishers import Publisher


class PublisherOnlyMiddleware:
    """Refuses hosts that are not the publisher's, and addresses that are private by their look.

    Scrapy's OffsiteMiddleware would drop such a request without telling the spider where it led.
    The addresses of names are checked when they are connected to (connections.py), unless a proxy
    looks them up.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        given = getattr(crawler.spider, "given", {})
        self._named = named_by_user(given, crawler.settings)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        spider = self.crawler.spider
        if not getattr(spider, "started", False) or request.meta.get(NAMED_BY_USER):
            # scrapy parse, shell and check ask for what their user named.
            return
        if OF_ROBOTS not in request.meta:
            # RFC 9309, 2.3.1.2: redirects of robots.txt are followed wherever they lead.
            refuse_other_hosts(request, spider.publisher)  # type: ignore[union-attr]
        host = urlsplit(request.url).hostname or ""
        if is_private_literal(host) and host_and_port(request.url) not in self._named:
            raise PageRefused("private_address", str(PrivateAddressError(host, host)))


class RefusingRedirectMiddleware(RedirectMiddleware):
    """Scrapy's redirects, with a reason for each that cannot be followed.

    Another server is asked without the conditions of this one: its validators are its own.
    """

    def process_response(  # type: ignore[override]
        self, request: Request, response: Response
    ) -> Request | Response:
        try:
            result = super().process_response(request, response)
            if not isinstance(result, Request):
                return result
            if OF_ROBOTS in request.meta:
                request.meta[OF_ROBOTS].append(result.url)
            if not same_server(request.url, result.url):
                for name in CONDITIONS:
                    result.headers.pop(name, None)
            return result
        except ValueError as error:
            # "javascript:", "http://[x"
            location = (response.headers.get(b"Location") or b"").decode("latin-1")
            detail = f"redirected to {location!r}, which is no address"
            raise PageRefused("http_3xx", detail) from error
        except IgnoreRequest as error:
            hint = ""
            if b"Set-Cookie" in response.headers and not self._has_cookies:
                hint = "; the site sets a cookie with it: try -s COOKIES_ENABLED=1"
            detail = f"{error}, the last to {response.url}{hint}"
            raise PageRefused("redirect_loop", detail) from error

    @property
    def _has_cookies(self) -> bool:
        return self.crawler.settings.getbool("COOKIES_ENABLED")


def refuse_other_hosts(request: Request, publisher: Publisher) -> None:
    """PageRefused for a request that a redirect made, to a host that is not the publisher's."""
    if urlsplit(request.url).hostname not in publisher.hosts:
        raise PageRefused(
            "offsite_redirect", f"redirected to {request.url}, which is not the publisher's"
        )


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

"""Refuses hosts that are not the publisher's, and private addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from scrapy.exceptions import NotConfigured
from scrapy.utils.httpobj import urlparse_cached

from crawler.crawl.run import run_of
from crawler.downloading.addresses import PrivateAddressError, is_private_literal, named_by_user
from crawler.extraction.publishers import host_and_port
from crawler.unavailable import PageRefused
from crawler.visits import errand_of, visit_of

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler

    from crawler.crawl.run import Run
    from crawler.crawl.scope import Scope


class PublisherOnlyMiddleware:
    """Refuses offsite requests with a reason; Scrapy's OffsiteMiddleware drops them silently.

    It also refuses literal private addresses. The addresses that a host name resolves to are
    checked on connecting (downloading/connections.py), unless a proxy resolves the name.
    """

    def __init__(self, crawler: Crawler, run: Run) -> None:
        self._run = run
        self._named_hosts = named_by_user(run.given, crawler.settings, run.arguments.seed_urls)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        run = run_of(crawler.spider)
        if run is None:
            raise NotConfigured
        return cls(crawler, run)

    async def process_request(self, request: Request) -> None:
        errand = errand_of(request)
        if not self._run.started or (errand and errand.named_by_user):
            # In scrapy parse, shell and check, the user chooses what is requested.
            return
        if errand is None or errand.robots_redirects is None:
            # RFC 9309, 2.3.1.2: redirects of robots.txt are followed wherever they lead.
            refuse_other_hosts(request, self._run.scope)
        host = urlparse_cached(request).hostname or ""
        if is_private_literal(host) and host_and_port(request.url) not in self._named_hosts:
            raise PageRefused("private_address", str(PrivateAddressError(host, host)))


def refuse_other_hosts(request: Request, scope: Scope) -> None:
    """Raise PageRefused for a redirect to a host that is not the publisher's."""
    visit = visit_of(request)
    publisher = scope.publisher_of(visit.state) if visit and visit.state else scope.publishers.home
    if not scope.allows(request.url, publisher):
        raise PageRefused(
            "offsite_redirect", f"redirected to {request.url}, which is not the publisher's"
        )

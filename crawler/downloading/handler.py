"""Scrapy's HTTP handler with a lean client of our own.

It keeps Scrapy's settings, keys of ``meta``, signals and exceptions, and the TLS policy of Scrapy's
own handler, which also trusts the certificate authorities in TLS_CA_FILE.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from scrapy.core.downloader.contextfactory import _get_creator_context
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.exceptions import DownloadFailedError, DownloadTimeoutError, NotConfigured
from scrapy.utils.asyncio import is_asyncio_available
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer

from crawler.crawl.run import run_of
from crawler.downloading.addresses import named_by_user
from crawler.downloading.connections import Connection, ConnectionPool
from crawler.downloading.downloads import Download, Limits
from crawler.downloading.routes import request_bytes, route_of
from crawler.setting_values import tls_ca_file

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from crawler.downloading.routes import Route

# In seconds, if Scrapy's middleware for DOWNLOAD_TIMEOUT is disabled, as in Scrapy's own handler.
_DEFAULT_TIMEOUT = 10


class CarefulDownloadHandler(HTTP11DownloadHandler):
    """Downloads over vetted connections. ``connection`` returns a new one.

    A crawl connects to public addresses, and to the hosts and ports that the user named. Requests
    of other spiders, and of ``scrapy parse`` and ``shell``, are not restricted.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        if not is_asyncio_available():
            raise NotConfigured(f"{type(self).__name__} needs the asyncio reactor of Twisted")
        settings, spider = crawler.settings, crawler.spider
        self._run = run = run_of(spider)
        self._turns = run.courier.turns if run and run.courier else None
        given = run.given if run else {}
        seed_urls = run.arguments.seed_urls if run else ()
        self._named_hosts = named_by_user(given, settings, seed_urls)
        self._limits = Limits(
            # Scrapy deprecates these attributes of spiders, and still obeys them.
            getattr(spider, "download_maxsize", settings.getint("DOWNLOAD_MAXSIZE")),
            getattr(spider, "download_warnsize", settings.getint("DOWNLOAD_WARNSIZE")),
            settings.getbool("DOWNLOAD_FAIL_ON_DATALOSS"),
        )
        self._bind_address = settings.get("DOWNLOAD_BIND_ADDRESS")
        policy: Any = self._contextFactory
        if ca_file := tls_ca_file(settings):
            policy = _TrustingPolicy(policy, ca_file)
        self._connections = ConnectionPool(
            self.connection,
            settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN"),
            policy,
            self._vets,
            logs_tls=settings.getbool("DOWNLOADER_CLIENT_TLS_VERBOSE_LOGGING"),
        )

    def connection(self, route: Route) -> Connection:
        return Connection(route, self._connections, self._turns)

    async def download_request(self, request: Request) -> Response:
        if self._turns is not None:
            return await self._turns.within(request, self._download)
        return await self._download(request)

    async def _download(self, request: Request) -> Response:
        seconds = request.meta.get("download_timeout") or _DEFAULT_TIMEOUT
        try:
            async with asyncio.timeout(seconds):
                return await self._fetch(request, seconds)
        except TimeoutError as error:
            raise DownloadTimeoutError(
                f"Getting {request.url} took longer than {seconds} seconds."
            ) from error

    async def _fetch(self, request: Request, seconds: float) -> Response:
        route = route_of(request, self._bind_address)
        message = request_bytes(request, route)
        download = Download(request, self._crawler, self._limits)
        if kept := self._connections.take(route):
            try:
                return await kept.fetch(message, download)
            except DownloadFailedError:
                # The server may have closed the connection just before.
                if not download.may_be_repeated:
                    raise
        connection = await self._connections.connect(route, seconds)
        return await connection.fetch(message, download)

    def _vets(self, route: Route) -> bool:
        """Return whether a route may not lead to a private address."""
        # The user named the proxy, and the proxy resolves the names of other hosts.
        is_crawling = self._run is not None and self._run.started
        named = (route.server.host, route.server.port) in self._named_hosts
        return route.is_direct and is_crawling and not named

    async def close(self) -> None:
        await self._connections.close()


@implementer(IPolicyForHTTPS)
class _TrustingPolicy:
    """A TLS policy that also trusts the certificate authorities in a PEM file."""

    def __init__(self, policy: Any, ca_file: str) -> None:
        self._policy = policy
        self._ca_file = ca_file

    def creatorForNetloc(self, hostname: bytes, port: int) -> Any:
        creator = self._policy.creatorForNetloc(hostname, port)
        _get_creator_context(creator).load_verify_locations(self._ca_file)
        return creator

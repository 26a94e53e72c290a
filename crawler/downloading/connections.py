"""Scrapy's HTTP/1.1 handler with four rules that only the connection itself can enforce.

- No byte is sent to a private address that the user did not name, whatever a name server answers.
- The certificate authorities in TLS_CA_FILE are trusted besides the system's.
- The size of a response's head is limited.
- A response that ends with its connection is complete only if the server closed the connection
  properly (RFC 9112, 6.3 and 9.8).

None of this has a public API: see private_names.py.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scrapy.core.downloader.contextfactory import _get_creator_context
from scrapy.core.downloader.handlers import http11
from scrapy.core.downloader.handlers.http11 import (
    HTTP11DownloadHandler,
    _LenientHTTP11ClientFactory,
    _LenientHTTP11ClientProtocol,
    _LenientHTTPClientParser,
)
from scrapy.exceptions import DownloadConnectionRefusedError
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, ConnectionDone
from twisted.internet.interfaces import IHandshakeListener, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.web._newclient import BODY
from twisted.web.client import HTTPConnectionPool
from twisted.web.http import _DataLoss
from twisted.web.iweb import UNKNOWN_LENGTH, IPolicyForHTTPS
from zope.interface import implementer

from crawler.crawl.run import run_of
from crawler.downloading.addresses import PrivateAddressError, is_private, named_by_user
from crawler.setting_values import tls_ca_file
from crawler.unavailable import PageRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.internet.interfaces import IAddress
    from twisted.python.failure import Failure
    from twisted.web._newclient import Request as TwistedRequest
    from twisted.web.iweb import IResponse

    from crawler.workers.turns import Turns

# Twice the limits of browsers and curl; real sites stay within those.
_MOST_HEADER_LINES, _MOST_HEADER_BYTES = 1_000, 256 * 1024
_PROXY_SCHEME = b"http-proxy"
# Scheme, host, port and local address; a tunnel through a proxy adds the proxy's.
_DIRECT_KEY_LENGTH = 4
# Scrapy's warnings about a body that is cut off or too large.
_FAILURE_WARNINGS = ("Got data loss in", "larger than download max size")


class HeadersTooLargeError(Exception):
    """The head of a response has more lines or bytes than any real site sends."""


class CarefulDownloadHandler(HTTP11DownloadHandler):
    """Scrapy's HTTP/1.1 over vetted connections. ``protocol`` returns the protocol of each."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        run = run_of(crawler.spider)
        self._turns = run.courier.turns if run and run.courier else None
        logging.getLogger(http11.__name__).addFilter(_demote_failures)
        pool = _VettingPool(self._pool._reactor, crawler)
        pool.maxPersistentPerHost = self._pool.maxPersistentPerHost
        # Looked up late, because the __init__ of a subclass has not finished yet.
        pool._factory = partial(  # type: ignore[assignment]
            _Factory, lambda quiescent: self._watched(self.protocol(quiescent))
        )
        self._pool = pool
        if ca_file := tls_ca_file(crawler.settings):
            policy = _TrustingPolicy(self._contextFactory, ca_file)
            self._contextFactory = policy  # type: ignore[assignment]

    async def download_request(self, request: Request) -> Response:
        if self._turns is not None:
            return await self._turns.within(request, self._download)
        return await self._download(request)

    async def _download(self, request: Request) -> Response:
        try:
            return await super().download_request(request)
        except ConnectError as error:
            # Scrapy translates only some of Twisted's errors: not those of a host without a route,
            # or of a connection that is reset as soon as it is made.
            raise DownloadConnectionRefusedError(str(error)) from error

    def _watched(self, protocol: CarefulProtocol) -> CarefulProtocol:
        protocol.turns = self._turns
        return protocol

    def protocol(self, quiescent: Callable[[Any], None]) -> CarefulProtocol:
        return CarefulProtocol(quiescent)  # type: ignore[no-untyped-call]


def _demote_failures(record: logging.LogRecord) -> bool:
    """Make Scrapy's warning about a failed download a debug message.

    The crawl logs each failure once, with the id of its article.
    """
    if any(warning in record.getMessage() for warning in _FAILURE_WARNINGS):
        record.levelno, record.levelname = logging.DEBUG, logging.getLevelName(logging.DEBUG)
    return True


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


class _Factory(_LenientHTTP11ClientFactory):
    def __init__(
        self, make_protocol: Callable[[Callable[[Any], None]], CarefulProtocol], *args: Any
    ) -> None:
        super().__init__(*args)  # type: ignore[no-untyped-call]
        self._make_protocol = make_protocol

    def buildProtocol(self, addr: IAddress | None) -> CarefulProtocol:
        return self._make_protocol(self._quiescentCallback)


@implementer(IHandshakeListener)
class CarefulProtocol(_LenientHTTP11ClientProtocol):
    """One connection. It limits the head of each response and detects a connection reset.

    A worker of a shared job sends a request only during one of the ``turns`` of its host.
    """

    turns: Turns | None = None
    _is_encrypted = False
    _host_to_note: str | None = None

    def request(self, request: TwistedRequest) -> Deferred[IResponse]:
        if self.turns is None:
            return self._send(request)
        return Deferred.fromCoroutine(self._send_in_turn(request, self.turns))

    def _send(self, request: TwistedRequest) -> Deferred[IResponse]:
        response = super().request(request)
        if self._parser is not None:
            self._parser.__class__ = _BoundedParser
        return response

    async def _send_in_turn(self, request: TwistedRequest, turns: Turns) -> IResponse:
        url = urlsplit(request.absoluteURI.decode("ascii"))
        host = url.hostname or ""
        if not turns.is_current(host):
            await Deferred.fromFuture(asyncio.ensure_future(turns.take(host)))
        response = self._send(request)
        if url.scheme == "https" and not self._is_encrypted:
            self._host_to_note = host
        else:
            turns.note_written(host)
        return await response

    def handshakeCompleted(self) -> None:
        """Note that a request that waited for the connection to be encrypted is sent now."""
        self._is_encrypted = True
        if self.turns is not None and self._host_to_note is not None:
            self.turns.note_written(self._host_to_note)

    def dataReceived(self, data: bytes) -> None:
        was_receiving_body = self._receives_body
        super().dataReceived(data)  # type: ignore[no-untyped-call]
        # libuv stops polling a socket before it reports an error on it (uv__poll_io). If data was
        # unread when the connection was reset, that report ends in one more read, and the reset
        # goes unnoticed until the timeout. Registering the socket again makes uvloop poll it again.
        # At the start of the body, Twisted itself pauses and resumes.
        if self._parser is not None and self._receives_body == was_receiving_body:
            producer: Any = self.transport
            producer.pauseProducing()
            producer.resumeProducing()

    @property
    def _receives_body(self) -> bool:
        return self._parser is not None and self._parser.state == BODY

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        if self.ends_with_connection and not isinstance(reason.value, ConnectionDone):
            self._parser.bodyDecoder = _LostBody()  # type: ignore[union-attr]
        super().connectionLost(reason)  # type: ignore[no-untyped-call]

    @property
    def ends_with_connection(self) -> bool:
        """Whether a body is being received that ends only when the connection does."""
        parser: Any = self._parser
        if not self._receives_body or parser.response.length is not UNKNOWN_LENGTH:
            return False
        codings = parser.connHeaders.getRawHeaders(b"transfer-encoding", ())
        return b"chunked" not in b",".join(codings).lower()


class _BoundedParser(_LenientHTTPClientParser):
    _lines = _bytes = 0

    def lineReceived(self, line: bytes) -> None:
        self._lines += 1
        self._bytes += len(line)
        if self._lines > _MOST_HEADER_LINES or self._bytes > _MOST_HEADER_BYTES:
            raise HeadersTooLargeError(
                f"the headers have more than {_MOST_HEADER_LINES:,} lines "
                f"or {_MOST_HEADER_BYTES:,} bytes"
            )
        super().lineReceived(line)


class _LostBody:
    """A body decoder for Twisted that reports the body as incomplete."""

    def noMoreData(self) -> None:
        raise _DataLoss("the connection was lost before the server closed it")


class _VettingPool(HTTPConnectionPool):
    """Connects to public addresses, and to the hosts and ports that the user named.

    Requests of other spiders, and of ``scrapy parse`` and ``shell``, are not restricted.
    """

    def __init__(self, reactor: Any, crawler: Crawler) -> None:
        super().__init__(reactor, persistent=True)  # type: ignore[no-untyped-call]
        self._run = run_of(crawler.spider)
        given = self._run.given if self._run else {}
        seed_urls = self._run.arguments.seed_urls if self._run else ()
        self._named_hosts = named_by_user(given, crawler.settings, seed_urls)

    def getConnection(self, key: Any, endpoint: Any) -> Any:
        scheme, host, port, *_ = key
        # The user named the proxy, and the proxy resolves the names of other hosts.
        through_proxy = scheme == _PROXY_SCHEME or len(key) > _DIRECT_KEY_LENGTH
        if not through_proxy and self._vets(host.decode("ascii"), port):
            endpoint = _PublicEndpoint(endpoint, host.decode("ascii"))
        return super().getConnection(key, endpoint)

    def _vets(self, host: str, port: int) -> bool:
        is_crawling = self._run is not None and self._run.started
        return is_crawling and (host, port) not in self._named_hosts


@implementer(IStreamClientEndpoint)
class _PublicEndpoint:
    """An endpoint that avoids private addresses, and sends nothing to one that it reaches."""

    def __init__(self, endpoint: Any, host: str) -> None:
        self._endpoint = endpoint
        self._host = host

    def connect(self, protocolFactory: Any) -> Any:
        return Deferred.fromCoroutine(self._connect(protocolFactory))

    async def _connect(self, factory: Any) -> Any:
        await Deferred.fromFuture(asyncio.ensure_future(self._look_up()))
        # The name may resolve to another address a moment later.
        return await self._endpoint.connect(_PublicFactory(factory, self._host))

    async def _look_up(self) -> None:
        """Raise PageRefused if any address of the host is private, before connecting to it."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                self._host, None, type=socket.SOCK_STREAM
            )
        except OSError:
            # The attempt to connect will report that there is no such host.
            return
        for *_, address in found:
            _check(self._host, str(address[0]))


def _check(host: str, address: str) -> None:
    if is_private(address):
        raise PageRefused("private_address", str(PrivateAddressError(host, address)))


class _PublicFactory(Factory):
    noisy = False

    def __init__(self, factory: Any, host: str) -> None:
        self._factory = factory
        self._host = host

    def buildProtocol(self, addr: Any) -> Any:
        _check(self._host, addr.host)
        return self._factory.buildProtocol(addr)

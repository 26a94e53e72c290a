"""The connections of a crawl: HTTP/1.1 above Twisted's TCP and TLS, kept for further requests.

- No byte is sent to a private address that the user did not name, whatever a name server answers.
- A response that ends with its connection is complete only if the server closed the connection
  properly (RFC 9112, 6.3 and 9.8).
- A worker of a shared job sends a request only during one of the turns of its host.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scrapy.core.downloader.handlers.http11 import _TunnelingTCP4ClientEndpoint
from scrapy.exceptions import (
    DownloadConnectionRefusedError,
    DownloadFailedError,
    UnsupportedURLSchemeError,
)
from scrapy.utils._download_handlers import wrap_twisted_exceptions
from scrapy.utils.ssl import _log_ssl_conn_debug_info
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.error import ConnectError, ConnectionDone
from twisted.internet.interfaces import IHandshakeListener, ITCPTransport
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.ssl import Certificate
from zope.interface import implementer

from crawler.downloading.addresses import PrivateAddressError, is_private
from crawler.downloading.downloads import Download, Peer
from crawler.unavailable import PageRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy.http import Response
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IAddress
    from twisted.python.failure import Failure

    from crawler.downloading.routes import Route, Tunnel
    from crawler.workers.turns import Turns

    # How a response ended: with an error, or None if it is complete.
    Ending = asyncio.Future[BaseException | None]

# How long a connection without requests is kept, in seconds, as Twisted does.
_IDLE_SECONDS = 240
# How long to wait at the end of a crawl until servers have closed their connections, in seconds.
_CLOSING_SECONDS = 1


@implementer(IHandshakeListener)
class Connection(Protocol):
    """A connection along a ``route``, for one request at a time."""

    transport: Any

    def __init__(self, route: Route, pool: ConnectionPool, turns: Turns | None) -> None:
        self.route = route
        self.peer = Peer(None, None)
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pool = pool
        self._turns = turns
        self._is_encrypted = False
        self._host_to_note: str | None = None
        self._download: Download | None = None
        self._ending: Ending | None = None

    def connectionMade(self) -> None:
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)

    async def fetch(self, message: bytes, download: Download) -> Response:
        """Send the bytes of a request and return its response.

        Raises the exceptions of ``Download.response``.
        """
        if self._turns is None:
            ending = self._send(message, download)
        else:
            ending = await self._send_in_turn(message, download, self._turns)
        try:
            error = await ending
        except asyncio.CancelledError as cancelled:
            # The download takes too long, or the crawl is stopping.
            if self._download is download:
                self._end(cancelled)
            raise
        return download.response(self.peer, error)

    async def _send_in_turn(self, message: bytes, download: Download, turns: Turns) -> Ending:
        url = urlsplit(download.url)
        host = url.hostname or ""
        if not turns.is_current(host):
            try:
                await turns.take(host)
            except BaseException:
                self.abort()
                raise
        ending = self._send(message, download)
        if url.scheme == "https" and not self._is_encrypted:
            self._host_to_note = host
        else:
            turns.note_written(host)
        return ending

    def _send(self, message: bytes, download: Download) -> Ending:
        self._download = download
        self._ending = ending = asyncio.get_running_loop().create_future()
        if self.closed.done():
            self._end(ConnectionDone())
        else:
            self.transport.write(message)
        return ending

    def handshakeCompleted(self) -> None:
        """Note that a request that waited for the connection to be encrypted is sent now."""
        self._is_encrypted = True
        if self._pool.logs_tls:
            _log_ssl_conn_debug_info(self.route.server.host, self.transport.getHandle())
        if self._turns is not None and self._host_to_note is not None:
            self._turns.note_written(self._host_to_note)

    def dataReceived(self, data: bytes) -> None:
        download = self._download
        if download is None:
            # Nothing was asked for, so these bytes are no response to the next request.
            self._pool.discard(self)
            self.transport.loseConnection()
            return
        if self.peer.address is None:
            self.peer = _peer_of(self.transport)
        try:
            download.receive(data)
        except Exception as error:
            self._end(error)
            return
        if download.is_complete:
            self._end(None)
            return
        # libuv stops polling a socket before it reports an error on it (uv__poll_io). If data was
        # unread when the connection was reset, that report ends in one more read, and the reset
        # goes unnoticed until the timeout. Registering the socket again makes uvloop poll it again.
        self.transport.pauseProducing()
        self.transport.resumeProducing()

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        self.closed.set_result(None)
        self._pool.discard(self)
        if self._download is not None:
            in_order = isinstance(reason.value, ConnectionDone)
            is_whole = in_order and self._download.ends_with_connection
            self._end(None if is_whole else reason.value)

    def _end(self, error: BaseException | None) -> None:
        """End the current request, if there is one, with an error or a complete response."""
        download, ending = self._download, self._ending
        self._download = self._ending = None
        if error is not None:
            self.abort()
        elif download is not None and download.keeps_connection:
            self._pool.keep(self)
        else:
            self.transport.loseConnection()
        if download is not None and ending is not None:
            self.ended(download, error)
            if not ending.done():
                ending.set_result(error)

    def abort(self) -> None:
        """Close the connection at once."""
        if not self.closed.done():
            self.transport.abortConnection()

    def ended(self, download: Download, error: BaseException | None) -> None:
        """Do more when a response has ended, before its request hears of it."""


def _peer_of(transport: Any) -> Peer:
    certificate = None
    with suppress(AttributeError):
        certificate = Certificate(transport.getPeerCertificate())  # type: ignore[no-untyped-call]
    return Peer(ip_address(transport.getPeer().host), certificate)


class ConnectionPool:
    """Makes connections with ``make``, and keeps at most ``most_idle`` unused ones along a route.

    Only those along routes that are not ``vetted`` may lead to private addresses. If it
    ``logs_tls``, the protocol and the certificate of each are logged for debugging.
    """

    def __init__(
        self,
        make: Callable[[Route], Connection],
        most_idle: int,
        tls_policy: Any,
        vetted: Callable[[Route], bool],
        *,
        logs_tls: bool,
    ) -> None:
        self._make = make
        self._most_idle = most_idle
        self._tls_policy = tls_policy
        self._vetted = vetted
        self.logs_tls = logs_tls
        self._idle: dict[Route, dict[Connection, asyncio.TimerHandle]] = {}

    def take(self, route: Route) -> Connection | None:
        """Return the connection along a route that was used last, None if none is unused."""
        if not (idle := self._idle.get(route)):
            return None
        connection = next(reversed(idle))
        self.discard(connection)
        return connection

    async def connect(self, route: Route, seconds: float) -> Connection:
        """Return a new connection.

        Raises PageRefused if it would lead to a private address, UnsupportedURLSchemeError, or one
        of Scrapy's other exceptions if the server cannot be reached.
        """
        endpoint = self._endpoint(route, seconds)
        host = route.server.host if self._vetted(route) else None
        if host is not None:
            await _look_up(host)
        factory = _ConnectionFactory(partial(self._make, route), host)
        try:
            with wrap_twisted_exceptions():
                connected: Deferred[Connection] = endpoint.connect(factory)
                connecting = connected.asFuture(asyncio.get_running_loop())
                if route.tunnel is not None:
                    await _wait_for_answer(route.tunnel, connecting, factory.lost)
                return await connecting
        except ConnectError as error:
            # Scrapy translates only some of Twisted's errors: not those of a host without a route,
            # or of a connection that is reset as soon as it is made.
            raise DownloadConnectionRefusedError(str(error)) from error
        except BaseException:
            factory.abort()
            raise

    def _endpoint(self, route: Route, seconds: float) -> Any:
        from twisted.internet import reactor

        scheme, host, port = route.server
        if scheme not in ("http", "https"):
            raise UnsupportedURLSchemeError(f"Unsupported scheme: {scheme!r}")
        if route.tunnel is not None:
            return _TunnelingTCP4ClientEndpoint(
                reactor=reactor,
                host=host.encode("ascii"),  # type: ignore[arg-type]
                port=port,
                proxyConf=route.tunnel,
                contextFactory=self._tls_policy,
                timeout=seconds,
                bindAddress=route.bind_address,
            )
        endpoint: Any = HostnameEndpoint(
            reactor, host, port, timeout=seconds, bindAddress=route.bind_address
        )
        if scheme == "http":
            return endpoint
        return wrapClientTLS(
            self._tls_policy.creatorForNetloc(host.encode("ascii"), port), endpoint
        )

    def keep(self, connection: Connection) -> None:
        """Keep a connection for further requests, for a time."""
        idle = self._idle.setdefault(connection.route, {})
        loop = asyncio.get_running_loop()
        idle[connection] = loop.call_later(_IDLE_SECONDS, self._drop, connection)
        if len(idle) > self._most_idle:
            self._drop(next(iter(idle)))

    def _drop(self, connection: Connection) -> None:
        self.discard(connection)
        connection.transport.loseConnection()

    def discard(self, connection: Connection) -> None:
        """Give up a connection, if it is kept."""
        idle = self._idle.get(connection.route, {})
        if timer := idle.pop(connection, None):
            timer.cancel()
            if not idle:
                del self._idle[connection.route]

    async def close(self) -> None:
        """Close all kept connections, and keep no more."""
        self._most_idle = 0
        kept = [connection for idle in self._idle.values() for connection in idle]
        for connection in kept:
            self._drop(connection)
        if kept:
            await asyncio.wait([item.closed for item in kept], timeout=_CLOSING_SECONDS)


class _ConnectionFactory(Factory):
    """Makes the protocol of a connection, which must not lead to a private address of ``host``."""

    noisy = False

    def __init__(self, make: Callable[[], Connection], host: str | None) -> None:
        self._make = make
        self._host = host
        self._made: list[Connection] = []
        self.lost = asyncio.Event()
        """Set when a connection that was made has been closed."""

    def buildProtocol(self, addr: IAddress | None) -> Connection:
        if self._host is not None:
            # The name may resolve to another address than a moment before.
            _check(self._host, addr.host)  # type: ignore[union-attr]
        connection = self._make()
        connection.closed.add_done_callback(lambda _: self.lost.set())
        self._made.append(connection)
        return connection

    def abort(self) -> None:
        """Close the connections made, such as one to a proxy that opens no tunnel."""
        for connection in self._made:
            connection.abort()


async def _wait_for_answer(
    proxy: Tunnel, connecting: asyncio.Future[Connection], lost: asyncio.Event
) -> None:
    """Wait until a proxy has answered whether it opens a tunnel.

    Raises DownloadFailedError if it closes the connection instead, which Scrapy's endpoint would
    not notice.
    """
    closing = asyncio.ensure_future(lost.wait())
    try:
        await asyncio.wait((connecting, closing), return_when=asyncio.FIRST_COMPLETED)
    finally:
        closing.cancel()
        if not connecting.done():
            connecting.cancel()
    if connecting.cancelled():
        place = f"{proxy.host}:{proxy.port}"
        raise DownloadFailedError(f"the proxy {place} closed the connection and opened no tunnel")


async def _look_up(host: str) -> None:
    """Raise PageRefused if any address of the host is private, before connecting to it."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        # The attempt to connect will report that there is no such host.
        return
    for *_, address in found:
        _check(host, str(address[0]))


def _check(host: str, address: str) -> None:
    if is_private(address):
        raise PageRefused("private_address", str(PrivateAddressError(host, address)))

"""Records raw HTTP exchanges for the archive of a run.

Scrapy's response lacks the order and spelling of headers, the reason phrase and the transfer
coding. The bytes are therefore recorded in the protocol of each connection, and the exchange is
archived when its response has ended, before the spider sees it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.web._newclient import DONE

from crawler.crawl.run import run_of
from crawler.downloading.connections import CarefulDownloadHandler, CarefulProtocol
from crawler.warc.writer import Exchange

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy.crawler import Crawler
    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure
    from twisted.web._newclient import Request as TwistedRequest
    from twisted.web.iweb import IResponse


class RecordingDownloadHandler(CarefulDownloadHandler):
    """Passes all bytes sent and received to the archive of the run, if it has one."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        run = run_of(crawler.spider)
        self._record = run.archive_exchange if run else None

    def protocol(self, quiescent: Callable[[Any], None]) -> CarefulProtocol:
        if self._record is None:
            return super().protocol(quiescent)
        return _RecordingProtocol(self._record, quiescent)


class _RecordingTransport:
    """A transport that records the bytes written to it."""

    def __init__(self, transport: Any, note: Callable[[bytes], None]) -> None:
        self._transport = transport
        self._note = note

    def write(self, data: bytes) -> None:
        self._note(data)
        self._transport.write(data)

    def writeSequence(self, data: list[bytes]) -> None:
        self._note(b"".join(data))
        self._transport.writeSequence(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class _RecordingProtocol(CarefulProtocol):
    def __init__(self, record: Callable[[Exchange], None], *args: Any) -> None:
        super().__init__(*args)  # type: ignore[no-untyped-call]
        self._record = record
        self._sent: list[bytes] | None = None
        self._received: list[bytes] = []
        # A proxy's address is not the server's.
        self._through_proxy = False

    def makeConnection(self, transport: Any) -> None:
        recorder = _RecordingTransport(transport, self._note_sent)
        super().makeConnection(recorder)  # type: ignore[no-untyped-call]

    def _note_sent(self, data: bytes) -> None:
        if self._sent is None:
            self._through_proxy = True
        else:
            self._sent.append(data)

    def request(self, request: TwistedRequest) -> Deferred[IResponse]:
        self._sent, self._received = [], []
        self._url = request.absoluteURI.decode("ascii")
        self._requested_at = datetime.now(UTC)
        if not request.uri.startswith(b"/"):
            self._through_proxy = True
        return super().request(request)

    def dataReceived(self, data: bytes) -> None:
        self._received.append(data)
        super().dataReceived(data)

    def _disconnectParser(self, reason: Failure) -> None:
        """Record the exchange. Twisted calls this first when a response has ended in any way."""
        if self._parser is not None and self._received:
            exchange = Exchange(
                url=self._url,
                at=self._requested_at,
                request=b"".join(self._sent or ()),
                response=b"".join(self._received),
                address=self._address(),
                truncated=self._truncated(reason),
            )
            self._sent, self._received = None, []
            self._record(exchange)
        super()._disconnectParser(reason)  # type: ignore[no-untyped-call]

    def _truncated(self, reason: Failure) -> str | None:
        parser: Any = self._parser
        # At the end of a response Twisted passes the bare exception.
        error = getattr(reason, "value", reason)
        if not isinstance(error, (ConnectionDone, ConnectionLost)):
            # Aborted on this side: the response was too large, too slow or malformed.
            return "unspecified"
        is_whole = parser.state == DONE or (
            self.ends_with_connection and isinstance(error, ConnectionDone)
        )
        return None if is_whole else "disconnect"

    def _address(self) -> str | None:
        if self._through_proxy:
            return None
        try:
            peer: Any = self.transport
            return str(ip_address(peer.getPeer().host))
        except (AttributeError, ValueError):
            return None

"""Records raw HTTP exchanges for the archive of a run.

Scrapy's response lacks the order and spelling of headers, the reason phrase and the transfer
coding. The bytes are therefore recorded in each connection, and the exchange is archived when its
response has ended, before the spider sees it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from twisted.internet.error import ConnectionDone, ConnectionLost

from crawler.downloading.connections import Connection
from crawler.downloading.handler import CarefulDownloadHandler

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy.crawler import Crawler

    from crawler.downloading.connections import Ending
    from crawler.downloading.downloads import Download
    from crawler.downloading.routes import Route
    from crawler.warc.writer import Exchange


class RecordingDownloadHandler(CarefulDownloadHandler):
    """Passes all bytes sent and received to the archive of the run, if it has one."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._record = self._run.archive_exchange if self._run else None

    def connection(self, route: Route) -> Connection:
        if self._record is None:
            return super().connection(route)
        return _RecordingConnection(self._record, route, self._connections, self._turns)


class _RecordingConnection(Connection):
    def __init__(self, record: Callable[[Exchange], None], *args: Any) -> None:
        super().__init__(*args)
        self._record = record
        self._sent = b""
        self._received: list[bytes] = []
        self._requested_at = datetime.now(UTC)

    def _send(self, message: bytes, download: Download) -> Ending:
        self._sent, self._received = message, []
        self._requested_at = datetime.now(UTC)
        return super()._send(message, download)

    def dataReceived(self, data: bytes) -> None:
        self._received.append(data)
        super().dataReceived(data)

    def ended(self, download: Download, error: BaseException | None) -> None:
        if not self._received:
            return
        # Most runs have no archive.
        from crawler.warc.writer import Exchange

        received, self._received = b"".join(self._received), []
        # A proxy's address is not the server's.
        address = self.peer.address if self.route.is_direct else None
        self._record(
            Exchange(
                url=download.url,
                at=self._requested_at,
                request=self._sent,
                response=received,
                address=str(address) if address else None,
                truncated=_truncated(error),
            )
        )


def _truncated(error: BaseException | None) -> str | None:
    """Return why a response is incomplete (WARC 1.1, 5.13)."""
    if error is None:
        return None
    is_disconnected = isinstance(error, (ConnectionDone, ConnectionLost))
    # Otherwise it was aborted on this side: it was too large, too slow or malformed.
    return "disconnect" if is_disconnected else "unspecified"

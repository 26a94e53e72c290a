"""The download of one request: its response as it arrives, and the limits that Scrapy sets it.

``Download`` takes the bytes of the response from a connection, and makes a Scrapy response of them
or raises the exceptions that Scrapy's own HTTP handler raises.
"""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urldefrag

from scrapy import signals
from scrapy.exceptions import (
    DownloadCancelledError,
    DownloadFailedError,
    ResponseDataLossError,
    StopDownload,
)
from scrapy.http import Headers
from scrapy.utils._download_handlers import (
    check_stop_download,
    get_maxsize_msg,
    get_warnsize_msg,
    make_response,
)
from twisted.web.iweb import UNKNOWN_LENGTH

from crawler.downloading.response_parser import ResponseHead, ResponseParser

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.internet.ssl import Certificate

logger = logging.getLogger(__name__)

# Scrapy's responses lack the headers that only concern the connection. Content-Length, which they
# have, is the length that the body was received by.
_CONNECTION_HEADERS = frozenset(
    (
        *(b"connection", b"content-length", b"keep-alive", b"proxy-connection", b"te"),
        *(b"trailers", b"transfer-encoding", b"upgrade"),
    )
)
# RFC 9110, 9.2.2, without PUT: these may be sent again if no response came.
_IDEMPOTENT = frozenset(("DELETE", "GET", "HEAD", "OPTIONS", "TRACE"))


class Peer(NamedTuple):
    """The other end of a connection, which a proxy may be."""

    address: IPv4Address | IPv6Address | None
    certificate: Certificate | None


class Limits(NamedTuple):
    """Most bytes of a body, the bytes from which on to warn, and whether a cut body is an error.

    ``meta`` of a request overrides them. A limit of 0 is none.
    """

    maxsize: int
    warnsize: int
    fail_on_dataloss: bool

    def of(self, request: Request) -> Limits:
        """Return the limits of a request."""
        meta = request.meta
        return Limits(
            meta.get("download_maxsize", self.maxsize),
            meta.get("download_warnsize", self.warnsize),
            meta.get("download_fail_on_dataloss", self.fail_on_dataloss),
        )


class Download:
    """The response to a ``request`` as it arrives."""

    def __init__(self, request: Request, crawler: Crawler, limits: Limits) -> None:
        self.request = request
        self.url = urldefrag(request.url)[0]
        self.has_begun = False
        """Whether any byte of the response has come."""
        self._crawler = crawler
        self._limits = limits.of(request)
        self._started = monotonic()
        self._parser = ResponseParser(request.method)
        self._headers = Headers()
        self._body: list[bytes] = []
        self._size = 0
        self._has_warned = False

    @property
    def is_complete(self) -> bool:
        return self._parser.is_complete

    @property
    def keeps_connection(self) -> bool:
        """Whether another request may be sent on the connection of this complete response."""
        parser = self._parser
        is_whole = parser.is_complete and not parser.surplus
        return is_whole and parser.head is not None and parser.head.is_persistent

    @property
    def ends_with_connection(self) -> bool:
        """Whether the body ends only when the connection does."""
        return self._parser.ends_with_connection

    @property
    def may_be_repeated(self) -> bool:
        """Whether the request may be sent again after a failure."""
        request = self.request
        return not self.has_begun and request.method in _IDEMPOTENT and not request.body

    def receive(self, data: bytes) -> None:
        """Take the next bytes of the response.

        Raises what ends the download: an error of the parser, DownloadCancelledError if the body is
        too large, or StopDownload from a receiver of a signal.
        """
        self.has_begun = True
        for part in self._parser.feed(data):
            if isinstance(part, ResponseHead):
                self._receive_head(part)
            else:
                self._receive_body(part)

    def _receive_head(self, head: ResponseHead) -> None:
        self.request.meta["download_latency"] = monotonic() - self._started
        length = self._parser.length
        if length is not None:
            self._headers[b"Content-Length"] = str(length)
        self._headers.update(
            (name, value)
            for name, value in head.headers
            if name not in _CONNECTION_HEADERS
            # This is the length that the body would have.
            or (name == b"content-length" and self.request.method == "HEAD")
        )
        self._send(
            signals.headers_received,
            headers=self._headers,
            body_length=UNKNOWN_LENGTH if length is None else length,
        )
        if length is not None:
            self._check_size(length, expected=True)

    def _receive_body(self, data: bytes) -> None:
        self._body.append(data)
        self._size += len(data)
        self._send(signals.bytes_received, data=data)
        self._check_size(self._size, expected=False)

    def _send(self, signal: object, **arguments: Any) -> None:
        if stop := check_stop_download(signal, self._crawler, self.request, **arguments):
            raise stop

    def _check_size(self, size: int, *, expected: bool) -> None:
        most, warn_from, _ = self._limits
        if most and size > most:
            self._body.clear()
            raise DownloadCancelledError(
                get_maxsize_msg(size, most, self.request, expected=expected)
            )
        if warn_from and size > warn_from and not self._has_warned:
            self._has_warned = True
            logger.warning(get_warnsize_msg(size, warn_from, self.request, expected=expected))

    def response(self, peer: Peer, error: BaseException | None) -> Response:
        """Return the response. ``error`` ended it early; it is None if the response is complete.

        Raises DownloadFailedError, DownloadCancelledError, ResponseDataLossError or StopDownload.
        """
        head, flags = self._parser.head, []
        stop = error if isinstance(error, StopDownload) else None
        if isinstance(error, DownloadCancelledError):
            raise error
        if head is None:
            raise DownloadFailedError(str(error)) from error
        if error is not None and stop is None:
            if self._limits.fail_on_dataloss:
                raise ResponseDataLossError from error
            flags.append("dataloss")
        elif self.ends_with_connection and stop is None:
            flags.append("partial")
        return make_response(
            url=self.url,
            status=head.status,
            headers=self._headers,
            body=b"".join(self._body),
            flags=flags,
            certificate=peer.certificate,
            ip_address=peer.address,
            protocol=head.protocol,
            stop_download=stop,
        )

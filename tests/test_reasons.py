"""The published reason for each way in which a download fails."""

import pytest
from OpenSSL.SSL import Error as SSLError
from scrapy.core.downloader.handlers.http11 import TunnelError
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure
from twisted.web.client import ResponseFailed

from crawler.crawl.answers import explain_status
from crawler.downloading.failures import explain
from crawler.downloading.response_parser import HeadersTooLargeError
from crawler.unavailable import PageRefused

STATUSES = {
    200: ("http_2xx", "200 OK"),
    202: ("http_2xx", "202 Accepted"),
    205: ("http_2xx", "205 Reset Content"),
    206: ("cut_short", "206 Partial Content"),
    207: ("http_2xx", "207 Multi-Status"),
    300: ("http_3xx", "300 Multiple Choices"),
    399: ("http_3xx", "399 Unknown Status"),
    400: ("http_4xx", "400 Bad Request"),
    403: ("http_4xx", "403 Forbidden"),
    404: ("gone", "404 Not Found"),
    405: ("http_4xx", "405 Method Not Allowed"),
    409: ("http_4xx", "409 Conflict"),
    410: ("gone", "410 Gone"),
    411: ("http_4xx", "411 Length Required"),
    429: ("http_4xx", "429 Too Many Requests"),
    500: ("http_5xx", "500 Internal Server Error"),
    503: ("http_5xx", "503 Service Unavailable"),
    600: ("http_5xx", "600 Unknown Status"),
    199: ("http_5xx", "199 Unknown Status"),
}


@pytest.mark.parametrize("status", STATUSES)
def test_statuses(status: int) -> None:
    assert explain_status(status) == STATUSES[status]
    response = Response("http://h", status=status)
    assert explain(HttpError(response)) == (*STATUSES[status], status)


def caused_by(cause: BaseException, error: BaseException | None = None) -> BaseException:
    """Return an error caused by another."""
    error = error or DownloadFailedError("it failed")
    error.__cause__ = cause
    return error


TLS = SSLError([("SSL routines", "", "certificate verify failed")])
ERRORS: list[tuple[BaseException, str, str]] = [
    (PageRefused("robots", "forbidden"), "robots", "forbidden"),
    (
        IgnoreRequest("old news"),
        "ignored",
        "a downloader middleware refused the request: old news",
    ),
    (IgnoreRequest(), "ignored", "a downloader middleware refused the request: IgnoreRequest"),
    (HeadersTooLargeError("large"), "too_large", "large"),
    (caused_by(HeadersTooLargeError("large")), "too_large", "large"),
    (TLS, "tls", "[('SSL routines', '', 'certificate verify failed')]"),
    (caused_by(TLS), "tls", "[('SSL routines', '', 'certificate verify failed')]"),
    (CannotResolveHostError("no host"), "dns", "no host"),
    (DownloadConnectionRefusedError("no"), "refused", "no"),
    (DownloadTimeoutError(), "timeout", "DownloadTimeoutError"),
    (DownloadCancelledError("too\n  much"), "too_large", "too much"),
    (ResponseDataLossError("half"), "cut_short", "half"),
    (DownloadFailedError("lost"), "connection_lost", "lost"),
    (caused_by(ValueError("reset")), "connection_lost", "it failed"),
    (TunnelError("no tunnel"), "refused", "no tunnel"),
    (UnsupportedURLSchemeError("gopher"), "refused", "gopher"),
    (
        UnicodeError("label too long"),
        "dns",
        "label too long",
    ),
    (ValueError("bad hostname"), "dns", "bad hostname"),
    (ValueError("bad"), "internal_error", "ValueError: bad"),
    (KeyError("hostname"), "internal_error", "KeyError: 'hostname'"),
    (ZeroDivisionError(), "internal_error", "ZeroDivisionError: ZeroDivisionError"),
    (
        caused_by(ResponseFailed([Failure(ValueError("x")), Failure(TLS)])),
        "tls",
        "[('SSL routines', '', 'certificate verify failed')]",
    ),
    (
        caused_by(ResponseFailed([Failure(caused_by(DownloadTimeoutError("late"), KeyError()))])),
        "timeout",
        "late",
    ),
]


@pytest.mark.parametrize(("error", "reason", "detail"), ERRORS, ids=[repr(e) for e, *_ in ERRORS])
def test_errors(error: BaseException, reason: str, detail: str) -> None:
    assert explain(error) == (reason, detail, None)

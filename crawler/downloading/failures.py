"""Maps the error or status of a failed download to a published reason."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from scrapy.exceptions import IgnoreRequest
from scrapy.spidermiddlewares.httperror import HttpError

from crawler.crawl.answers import explain_status
from crawler.items import Reason
from crawler.unavailable import PageRefused


@cache
def _reasons() -> tuple[tuple[type[BaseException], Reason], ...]:
    """Return the reason for each type of error. Some are subclasses, so the first match counts."""
    # An offline crawl needs none of these, and TLS is slow to import.
    from OpenSSL.SSL import Error as SSLError
    from scrapy import exceptions
    from scrapy.core.downloader.handlers.http11 import TunnelError
    from twisted.internet.ssl import VerificationError

    from crawler.downloading.response_parser import HeadersTooLargeError

    return (
        (HeadersTooLargeError, "too_large"),
        (SSLError, "tls"),
        # The certificate was issued to another host.
        (VerificationError, "tls"),
        (exceptions.CannotResolveHostError, "dns"),
        (exceptions.DownloadConnectionRefusedError, "refused"),
        (exceptions.DownloadTimeoutError, "timeout"),
        (exceptions.DownloadCancelledError, "too_large"),
        (exceptions.ResponseDataLossError, "cut_short"),
        (exceptions.DownloadFailedError, "connection_lost"),
        # A proxy refuses a tunnel to the host.
        (TunnelError, "refused"),
        (exceptions.UnsupportedURLSchemeError, "refused"),
        # Twisted raises this for an invalid host name.
        (UnicodeError, "dns"),
    )


class Explanation(NamedTuple):
    """The reason why a page could not be fetched, with the HTTP status if there was a response."""

    reason: Reason
    detail: str
    status: int | None = None


def explain(error: BaseException) -> Explanation:
    """Return the reason for a failed download, or ``internal_error`` if there is no other."""
    if isinstance(error, PageRefused):
        return Explanation(error.reason, error.detail, error.status)
    if isinstance(error, HttpError):
        status = error.response.status
        return Explanation(*explain_status(status), status)
    if isinstance(error, IgnoreRequest):
        message = str(error) or type(error).__name__
        return Explanation("ignored", f"a downloader middleware refused the request: {message}")
    causes = list(_causes(error))
    for kind, reason in _reasons():
        if found := next((cause for cause in causes if isinstance(cause, kind)), None):
            return Explanation(reason, _detail_of(reason, found))
    if isinstance(error, ValueError) and "hostname" in str(error):
        return Explanation("dns", _detail(error))
    return Explanation("internal_error", f"{type(error).__name__}: {_detail(error)}")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes; Twisted's ResponseFailed has several."""
    from twisted.web.client import ResponseFailed

    yield error
    if isinstance(error, ResponseFailed):
        for failure in error.reasons:
            yield from _causes(failure.value)
    if error.__cause__ is not None:
        yield from _causes(error.__cause__)


def _detail_of(reason: Reason, error: BaseException) -> str:
    if reason == "cut_short" and not str(error):
        return "the body ended before it was complete"
    if reason == "connection_lost":
        # The text of the error itself shows the classes of its causes.
        reasons = getattr(error.__cause__, "reasons", ())
        return "; ".join(_detail(failure.value) for failure in reasons) or _detail(error)
    return _detail(error)


def _detail(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__

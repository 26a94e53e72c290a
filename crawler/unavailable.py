"""Why a source did not provide a page: as exceptions, and as a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from scrapy.exceptions import IgnoreRequest

if TYPE_CHECKING:
    from scrapy import Request

    from crawler.items import Reason


class PageRefused(IgnoreRequest):
    """A page cannot be provided, for one of the published reasons.

    ``status`` is that of the response, if there was one.
    """

    def __init__(self, reason: Reason, detail: str, status: int | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.status = status


class SourceUnavailable(PageRefused):
    """A source did not respond.

    ``asked`` is false if it was already known to be down, so that no request was sent.
    """

    def __init__(self, reason: Reason, detail: str, *, asked: bool = True) -> None:
        super().__init__(reason, detail)
        self.asked = asked


class NotSaved(IgnoreRequest):
    """A source has no page for an article."""


class SameArticle(IgnoreRequest):
    """A redirect led to an article that was requested before, under another address."""

    def __init__(self, article_id: str) -> None:
        super().__init__(f"redirected to an article that was requested before: {article_id}")
        self.article_id = article_id


class Stopped(IgnoreRequest):
    """The run is ending before a page was requested; the page remains to be crawled."""


class Unavailable(NamedTuple):
    """Why a page was not provided, with the HTTP status and the exception, if any."""

    reason: Reason | Literal["not_saved"]
    detail: str
    status: int | None = None
    error: BaseException | None = None


def nothing_captured(request: Request, archive: str) -> NotSaved | PageRefused:
    """Return the error for an archive without a capture, naming the target of a redirect."""
    if request.meta.get("redirect_times"):
        return PageRefused(
            "http_3xx", f"redirected to {request.url}, which has no capture in {archive}"
        )
    return NotSaved(f"no capture in {archive}")

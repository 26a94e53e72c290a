"""Judges the responses of Scrapy by their headers and first bytes; see ``crawl.answers``."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from crawler.crawl import answers

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response

    from crawler.extraction.publishers import Publisher
    from crawler.items import Reason

CONDITIONS = ("If-None-Match", "If-Modified-Since")
"""The headers of a conditional request (RFC 9110, 13.1), which carry the ETag and Last-Modified of
a known page (``articles.Validators``)."""


def content_type(response: Response) -> bytes:
    """Return the Content-Type of a response; empty if it declares none."""
    return response.headers.get(b"Content-Type") or b""


def not_html(response: Response) -> str | None:
    """Return a description of a response that is no text; None if it may be a page."""
    return answers.not_html(content_type(response), response.body)


def charset_of(response: Response) -> str | None:
    """Return the charset that a response's Content-Type declares, if any."""
    return answers.charset_of(content_type(response))


def led_elsewhere(
    request: Request | None, url: str, article_id: str, publisher: Publisher | None
) -> tuple[Reason, str] | None:
    """Return the failure if a redirect led away from the article."""
    if request is None or "redirect_urls" not in request.meta:
        return None
    return answers.led_elsewhere(url, article_id, publisher)


def requested_url(response: Response) -> str:
    """Return the URL that was requested, before any redirects."""
    redirects = response.request.meta.get("redirect_urls") if response.request else None
    return str(redirects[0]) if redirects else response.url


def retry_after(response: Response) -> float | None:
    """Return how many seconds to wait according to the Retry-After header of a response.

    The header is a number of seconds or a date. None if it is missing or invalid.
    """
    value = (response.headers.get(b"Retry-After") or b"").decode("latin-1").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        at = parsedate_to_datetime(value)
        return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None

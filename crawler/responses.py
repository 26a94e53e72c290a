"""Judges a response by its status, headers and first bytes, before its page is parsed."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawler.extraction.article_urls import looks_like_article

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response

    from crawler.extraction.publishers import Publisher
    from crawler.items import Reason

_TEXT_TYPES = (b"text/", b"application/xhtml", b"application/xml")
_BINARY_STARTS = (
    *(b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PK\x03\x04", b"\x1f\x8b"),
    *(b"RIFF", b"\x00\x00\x00", b"OggS", b"ID3", b"MZ", b"\x7fELF"),
)
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_START_BYTES = 512

WITH_PAGE = frozenset((200, 203))
"""The success statuses (RFC 9110, 15.3) whose responses carry a whole page."""
CONDITIONS = ("If-None-Match", "If-Modified-Since")
"""The headers of a conditional request (RFC 9110, 13.1), which carry the ETag and Last-Modified of
a known page (``articles.Validators``)."""


def is_text_type(response: Response) -> bool:
    """Return whether a response declares a text type, or none."""
    declared = (response.headers.get(b"Content-Type") or b"").strip().lower()
    return not declared or declared.startswith(_TEXT_TYPES)


def not_html(response: Response) -> str | None:
    """Return what a response holds instead of text, or None if it may be a page."""
    if not is_text_type(response):
        declared = (response.headers.get(b"Content-Type") or b"").decode("latin-1")
        return f"Content-Type {declared.strip().lower()}"
    start = response.body[:_START_BYTES]
    return f"it begins with {start[:8]!r}" if looks_binary(start) else None


def looks_binary(start: bytes) -> bool:
    """Return whether data is binary, judging by its first bytes."""
    start = start[:_START_BYTES]
    # UTF-16 text has a NUL for every Latin letter.
    mostly_nul = start.count(b"\0") > len(start) // 3 and not start.startswith(
        (*_UTF16_MARKS, b"<")
    )
    return mostly_nul or start.startswith(_BINARY_STARTS)


def charset_of(response: Response) -> str | None:
    """Return the charset that a response's Content-Type declares, if any."""
    declared = (response.headers.get(b"Content-Type") or b"").decode("latin-1").lower()
    _, _, charset = declared.partition("charset=")
    return charset.split(";")[0].strip(" \"'") or None


def led_elsewhere(
    request: Request | None, url: str, article_id: str, publisher: Publisher | None
) -> tuple[Reason, str] | None:
    """Return the failure if a redirect led away from the article."""
    if request is None or "redirect_urls" not in request.meta:
        return None
    if publisher is None or not publisher.has_own_ids:
        # Another address is another id of the article, unless it is that of a page of another kind.
        is_other = looks_like_article(url) is False
        return ("not_an_article", f"redirected to {url}") if is_other else None
    led_to = publisher.id_of(url)
    if led_to is None:
        if re.search(rf"(?<!\d){re.escape(article_id)}(?!\d)", urlsplit(url).path):
            # Another URL of the article, such as /story/1752038-bridge-reopens.
            return None
        return "not_an_article", f"redirected to {url}"
    return ("other_article", f"redirected to {url}") if led_to != article_id else None


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

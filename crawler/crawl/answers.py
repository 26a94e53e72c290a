"""Judges an HTTP response by its status, headers and first bytes, before its page is parsed."""

from __future__ import annotations

import http.client
import re
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from w3lib.url import safe_url_string

from crawler.extraction.article_urls import looks_like_article

if TYPE_CHECKING:
    from crawler.extraction.publishers import Publisher
    from crawler.items import Reason

_TEXT_TYPES = (b"text/", b"application/xhtml", b"application/xml")
_BINARY_STARTS = (
    *(b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PK\x03\x04", b"\x1f\x8b"),
    *(b"RIFF", b"\x00\x00\x00", b"OggS", b"ID3", b"MZ", b"\x7fELF"),
)
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_START_BYTES = 512
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_GONE = (404, 410)
_REASONS: dict[int, Reason] = {2: "http_2xx", 3: "http_3xx", 4: "http_4xx", 5: "http_5xx"}
_PARTIAL_CONTENT = 206

WITH_PAGE = frozenset((200, 203))
"""The success statuses (RFC 9110, 15.3) whose responses carry a whole page."""


def explain_status(status: int) -> tuple[Reason, str]:
    """Return the reason, and its detail, for a status whose response carries no page."""
    detail = f"{status} {http.client.responses.get(status, 'Unknown Status')}"
    if status == _PARTIAL_CONTENT:
        return "cut_short", detail
    return "gone" if status in _GONE else _REASONS.get(status // 100, "http_5xx"), detail


def is_text_type(content_type: bytes) -> bool:
    """Return whether a Content-Type, which may be empty, is that of a text, or none."""
    declared = content_type.strip().lower()
    return not declared or declared.startswith(_TEXT_TYPES)


def not_html(content_type: bytes, body: bytes) -> str | None:
    """Return a description of a response that is no text; None if it may be a page."""
    if not is_text_type(content_type):
        return f"Content-Type {content_type.decode('latin-1').strip().lower()}"
    start = body[:_START_BYTES]
    return f"it begins with {start[:8]!r}" if looks_binary(start) else None


def looks_binary(start: bytes) -> bool:
    """Return whether data is binary, judging by its first bytes."""
    start = start[:_START_BYTES]
    # UTF-16 text has a NUL for every Latin letter.
    mostly_nul = start.count(b"\0") > len(start) // 3 and not start.startswith(
        (*_UTF16_MARKS, b"<")
    )
    return mostly_nul or start.startswith(_BINARY_STARTS)


def charset_of(content_type: bytes) -> str | None:
    """Return the charset that a Content-Type declares, if any."""
    _, _, charset = content_type.decode("latin-1").lower().partition("charset=")
    return charset.split(";")[0].strip(" \"'") or None


def led_elsewhere(
    url: str, article_id: str, publisher: Publisher | None
) -> tuple[Reason, str] | None:
    """Return the failure if a redirect led away from the article, to ``url``."""
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


def redirect_target(url: str, status: int, location: bytes | None) -> str | None:
    """Return the URL that a response to a request for ``url`` redirects to; None if to none.

    It is that of Scrapy's RedirectMiddleware. Raises ValueError if it is not a valid URL.
    """
    if location is None or status not in _REDIRECTS:
        return None
    target = safe_url_string(location)
    if location.startswith(b"//"):
        target = f"{urlsplit(url).scheme}://{target.lstrip('/')}"
    target = urljoin(url, target)
    fragment = urlsplit(url).fragment
    if fragment and not urlsplit(target).fragment:
        target = urljoin(target, f"#{fragment}")
    target = safe_url_string(target)
    if "://" not in target and not target.startswith(("about:", "data:")):
        raise ValueError(f"no scheme in {target}")
    return target if urlsplit(target).scheme in ("http", "https") else None

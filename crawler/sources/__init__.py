"""The sources of pages, one module each, and the code that they share."""

import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.settings import BaseSettings

from crawler.credentials import Server, hide_userinfo_of, split_userinfo
from crawler.errors import CrawlerError
from crawler.extraction.publishers import Publisher
from crawler.items import Reason

_TEXT_TYPES = (b"text/", b"application/xhtml", b"application/xml")
_BINARY_STARTS = (
    *(b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PK\x03\x04", b"\x1f\x8b"),
    *(b"RIFF", b"\x00\x00\x00", b"OggS", b"ID3", b"MZ", b"\x7fELF"),
)
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_START_BYTES = 512
_UNLIMITED = 1 << 62


WITH_PAGE = frozenset((200, 203))
"""The success statuses (RFC 9110, 15.3) whose responses carry a whole page."""
CONDITIONS = ("If-None-Match", "If-Modified-Since")
"""The headers of a conditional request (RFC 9110, 13.1), which carry the ETag and Last-Modified of
a known page (``frontier.Validators``)."""


class PageRefused(IgnoreRequest):
    """A page cannot be provided, for one of the published reasons."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class SourceUnavailable(PageRefused):
    """A source did not respond. It was ``asked`` for the page, or already known to be down."""

    def __init__(self, reason: Reason, detail: str, *, asked: bool = True) -> None:
        super().__init__(reason, detail)
        self.asked = asked


class NotSaved(IgnoreRequest):
    """A source has no page for an article."""


class Stopped(IgnoreRequest):
    """The run is ending before a page was requested; the page remains to be crawled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The origin of a response that is not from the live site, kept in the request's ``Visit``.

    ``source`` is the source's name in records, and ``where`` the place in it. A saved page has a
    ``file`` and no date; an archived page was ``captured_at`` a known time. ``id_where`` names the
    place from which the article's id was taken.
    """

    source: str
    where: str
    file: str | None = None
    captured_at: datetime | None = None
    id_where: str = "asked for"
    status_assumed: bool = False
    date_note: str | None = None
    """The assumption behind ``captured_at``, if any."""
    verified: bool = False
    """Whether the payload has the recorded length, and the recorded digest if there is one."""


def led_elsewhere(
    request: Request | None, url: str, article_id: str, publisher: Publisher
) -> tuple[Reason, str] | None:
    """Return the failure if a redirect on the publisher's own hosts led away from the article."""
    if request is None or "redirect_urls" not in request.meta:
        return None
    led_to = publisher.id_of(url)
    if led_to is None:
        if re.search(rf"(?<!\d){re.escape(article_id)}(?!\d)", urlsplit(url).path):
            # Another URL of the article, such as /story/1752038-bridge-reopens.
            return None
        return "not_an_article", f"redirected to {url}"
    return ("other_article", f"redirected to {url}") if led_to != article_id else None


def nothing_captured(request: Request, archive: str) -> NotSaved | PageRefused:
    """Return the error for an archive without a capture, naming the target of a redirect."""
    if request.meta.get("redirect_times"):
        return PageRefused(
            "http_3xx", f"redirected to {request.url}, of which there is no capture in {archive}"
        )
    return NotSaved(f"no capture in {archive}")


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


def most_bytes(settings: BaseSettings) -> int:
    """Return the size limit of a page in bytes: DOWNLOAD_MAXSIZE, where 0 means no limit."""
    return settings.getint("DOWNLOAD_MAXSIZE") or _UNLIMITED


def seconds_setting(settings: BaseSettings, name: str) -> float:
    """Return a setting in seconds. Raises CrawlerError if it is not a number."""
    try:
        return settings.getfloat(name)
    except (TypeError, ValueError):
        raise CrawlerError(f"{name}: got {settings[name]!r}, takes seconds") from None


def seconds_of(settings: BaseSettings, name: str) -> float:
    """Return a setting in seconds. Raises CrawlerError if it is not above 0 and finite."""
    seconds = seconds_setting(settings, name)
    if not 0 < seconds < float("inf"):
        raise CrawlerError(f"{name}: got {settings[name]!r}, takes seconds, more than 0")
    return seconds


def server_named(setting: str, value: str | None, example: str) -> Server:
    """Return the server that a setting names, with the user and password from its URL.

    Raises CrawlerError, with the password hidden, if the value is not an HTTP URL.
    """
    try:
        server = split_userinfo(value or "")
        parts = urlsplit(server.url)
        is_server = (
            parts.scheme in ("http", "https")
            and parts.hostname
            and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        is_server = False
    if not value or not is_server:
        safe_value = value and hide_userinfo_of(value)
        raise CrawlerError(
            f"{setting}: got {safe_value!r}, takes the address of a server, such as {example}"
        )
    return server

"""Where pages come from: one file for each source, and what all of them have in common."""

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
"""Of the statuses that report success (RFC 9110, 15.3), those whose answer carries a whole page."""
CONDITIONS = ("If-None-Match", "If-Modified-Since")
"""The headers that ask for a page only if it has not these validators (RFC 9110, 13.1): its ETag
and its Last-Modified (``frontier.Validators``)."""


class PageRefused(IgnoreRequest):
    """A page is not to be had, for a reason of the published set."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class SourceUnavailable(PageRefused):
    """A source itself did not answer, whatever it may have. It was ``asked``, or known to be down."""

    def __init__(self, reason: Reason, detail: str, *, asked: bool = True) -> None:
        super().__init__(reason, detail)
        self.asked = asked


class NotSaved(IgnoreRequest):
    """A source has no page for an article."""


class Stopped(IgnoreRequest):
    """The run is to end, so that a page was not asked for after all; it is still to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where an answer comes from, if not from the live site; a source leaves it in the request's ``Visit``.

    ``source`` is what records call it, ``where`` the place in it. A saved page is in ``file``, had nobody knows
    when; an archived one was ``captured_at``. ``id_where`` says what told which article it is.
    """

    source: str
    where: str
    file: str | None = None
    captured_at: datetime | None = None
    id_where: str = "asked for"
    status_assumed: bool = False
    date_note: str | None = None
    """What is assumed in ``captured_at``."""
    verified: bool = False
    """Whether the bytes of the payload are those that were stored: as many, with the digest if any."""


def led_elsewhere(
    request: Request | None, url: str, article_id: str, publisher: Publisher
) -> tuple[Reason, str] | None:
    """Say where a redirect on the publisher's own hosts led, if not to the article."""
    if request is None or "redirect_urls" not in request.meta:
        return None
    led_to = publisher.id_of(url)
    if led_to is None:
        if re.search(rf"(?<!\d){re.escape(article_id)}(?!\d)", urlsplit(url).path):
            # Another address of the article, such as /story/1752038-bridge-reopens.
            return None
        return "not_an_article", f"redirected to {url}"
    return ("other_article", f"redirected to {url}") if led_to != article_id else None


def nothing_captured(request: Request, archive: str) -> NotSaved | PageRefused:
    """What an archive says that has no capture: of an article nothing, but of one that it knows to have been elsewhere where that was."""
    if request.meta.get("redirect_times"):
        return PageRefused(
            "http_3xx", f"redirected to {request.url}, of which there is no capture in {archive}"
        )
    return NotSaved(f"no capture in {archive}")


def is_text_type(response: Response) -> bool:
    """Whether an answer declares that it is text, or declares nothing."""
    declared = (response.headers.get(b"Content-Type") or b"").strip().lower()
    return not declared or declared.startswith(_TEXT_TYPES)


def not_html(response: Response) -> str | None:
    """Say what an answer is when it is no text; None if it may be a page."""
    if not is_text_type(response):
        declared = (response.headers.get(b"Content-Type") or b"").decode("latin-1")
        return f"Content-Type {declared.strip().lower()}"
    start = response.body[:_START_BYTES]
    return f"it begins with {start[:8]!r}" if looks_binary(start) else None


def looks_binary(start: bytes) -> bool:
    """Whether something that begins so is no text."""
    start = start[:_START_BYTES]
    # UTF-16 text has a NUL for every Latin letter.
    mostly_nul = start.count(b"\0") > len(start) // 3 and not start.startswith(
        (*_UTF16_MARKS, b"<")
    )
    return mostly_nul or start.startswith(_BINARY_STARTS)


def charset_of(response: Response) -> str | None:
    """The charset that an answer's Content-Type declares."""
    declared = (response.headers.get(b"Content-Type") or b"").decode("latin-1").lower()
    _, _, charset = declared.partition("charset=")
    return charset.split(";")[0].strip(" \"'") or None


def most_bytes(settings: BaseSettings) -> int:
    """How many bytes a page may have: DOWNLOAD_MAXSIZE, where 0 is no limit."""
    return settings.getint("DOWNLOAD_MAXSIZE") or _UNLIMITED


def seconds_setting(settings: BaseSettings, name: str) -> float:
    """A setting that is a time; CrawlerError if it is none."""
    try:
        return settings.getfloat(name)
    except (TypeError, ValueError):
        raise CrawlerError(f"{name}: got {settings[name]!r}, takes seconds") from None


def seconds_of(settings: BaseSettings, name: str) -> float:
    """A setting that is a time above 0, in seconds; CrawlerError if it is not."""
    seconds = seconds_setting(settings, name)
    if not 0 < seconds < float("inf"):
        raise CrawlerError(f"{name}: got {settings[name]!r}, takes seconds, more than 0")
    return seconds


def server_named(setting: str, value: str | None, example: str) -> Server:
    """The address of a server that a setting names, and the user and password in it.

    CrawlerError, without the password, if it is no address.
    """
    try:
        server = split_userinfo(value or "")
        parts = urlsplit(server.url)
        named = (
            parts.scheme in ("http", "https")
            and parts.hostname
            and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        named = False
    if not value or not named:
        got = value and hide_userinfo_of(value)
        raise CrawlerError(
            f"{setting}: got {got!r}, takes the address of a server, such as {example}"
        )
    return server

"""Captures of pages in an archive, their keys and timestamps, and their order of preference."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

from w3lib.url import canonicalize_url

_PORTS = {"http": 80, "https": 443}
_WWW = re.compile(r"^www[0-9]*\.")
REVISIT = "warc/revisit"
"""The media type of revisit records in indexes."""
CONVERSION = "warc/conversion"
"""The media type of browser-rendered pages in this crawler's indexes (WARC 1.1, 6.7)."""
TEXT_COPY = "warc/text"
"""The media type of copies of the text of pages in this crawler's indexes."""
COPIES = (REVISIT, CONVERSION, TEXT_COPY)
"""The media types of records that no revisit refers to."""
_TIMESTAMP = re.compile(r"[0-9]{14}")


@dataclass(frozen=True, slots=True)
class Capture:
    """One capture in an index. ``status`` is None if unknown, for example for a revisit.

    ``timestamp`` is UTC, 14 digits. ``file``, ``offset`` and ``length`` (bytes; 0 if unknown)
    locate it in a file; they have no meaning for an archive on the web. ``method`` is the method of
    its request; empty if that is GET or unknown.
    """

    url: str
    timestamp: str
    status: int | None = None
    media_type: str = ""
    digest: str = ""
    file: str = ""
    offset: int = 0
    length: int = 0
    record_id: str = ""
    concurrent_to: str = ""
    method: str = ""

    @property
    def at(self) -> datetime:
        return moment_of(self.timestamp)

    @property
    def is_page(self) -> bool:
        """Whether the index lists it as a page, not as a redirect or error."""
        return (
            self.status is None
            or 200 <= self.status < 300
            or (self.status == 304 and self.media_type == REVISIT)
        )

    @property
    def is_error(self) -> bool:
        """Whether the index lists it as neither a page nor a redirect."""
        return not self.is_page and not (self.status and 300 <= self.status < 400)


def web_url(text: str) -> str:
    """Convert a URL as written in archives to the usual form.

    Removes the angle brackets that wget adds, encodes spaces, and lower-cases the scheme.
    """
    url = text.strip()
    if url.startswith("<") and url.endswith(">"):
        url = url[1:-1]
    scheme, colon, rest = url.partition(":")
    return (scheme.lower() + colon + rest).replace(" ", "%20") if colon else url


@lru_cache(maxsize=1024)
def key_of(url: str) -> str | None:
    """Return the key of a URL, ignoring scheme, ``www.``, case and fragment; None if not a URL.

    Keys have the form of SURT, ``ir,alalam,en)/news/1752038``, so that an index is sorted by host.
    For indexes made by other tools, keys are recomputed from the URLs, because tools differ
    slightly in the keys they write. The surt package is not used: it opens a socket on import.
    """
    try:
        parts = urlsplit(canonicalize_url(url))
        port = "" if parts.port in (None, _PORTS.get(parts.scheme)) else f":{parts.port}"
    except ValueError:
        return None
    host = _WWW.sub("", (parts.hostname or "").rstrip("."))
    if not host:
        return None
    query = f"?{parts.query}" if parts.query else ""
    hosts = ",".join(reversed(host.split(".")))
    return f"{hosts}{port}){parts.path.rstrip('/')}{query}".lower().replace(" ", "%20")


def timestamp_of(moment: datetime) -> str:
    """Format a UTC datetime as an archive timestamp."""
    return f"{moment.year:04}{moment:%m%d%H%M%S}"


def moment_of(timestamp: str) -> datetime:
    """Return the moment of an archive timestamp of 14 digits, in UTC.

    Raises ValueError if there is no such moment.
    """
    # strptime would take as long as finding a capture.
    month, day, hour, minute, second = (
        int(timestamp[place : place + 2]) for place in range(4, 14, 2)
    )
    return datetime(int(timestamp[:4]), month, day, hour, minute, second, tzinfo=UTC)


def is_timestamp(text: str) -> bool:
    """Return whether a text is a valid archive timestamp of 14 digits."""
    if not _TIMESTAMP.fullmatch(text):
        return False
    try:
        moment_of(text)
    except ValueError:
        return False
    return True


def in_order(captures: Iterable[Capture], at: date | None) -> list[Capture]:
    """Sort the captures of one page, the preferred one first.

    Pages come before copies of their text, these before redirects, and redirects before errors.
    Within each kind, the newest comes first, or the nearest to ``at``; if ``at`` is a day, the
    captures of that day come first, newest first. A browser-rendered page comes before the response
    itself.
    """

    def rank(capture: Capture) -> tuple[int, timedelta]:
        if capture.is_page:
            kind = 1 if capture.media_type == TEXT_COPY else 0
        else:
            kind = 3 if capture.is_error else 2
        return kind, _distance(capture.at, at)

    newest_first = sorted(
        captures,
        key=lambda capture: (capture.timestamp, capture.media_type == CONVERSION),
        reverse=True,
    )
    return (
        sorted(newest_first, key=rank)
        if at
        else sorted(newest_first, key=lambda capture: rank(capture)[0])
    )


def candidates(captures: Iterable[Capture], at: date | None) -> list[Capture]:
    """Return the captures to try for a page, in order; of the errors, only the preferred one.

    Once all pages and redirects have failed, further errors add no information.
    """
    ordered = in_order(captures, at)
    errors = [capture for capture in ordered if capture.is_error]
    return ordered[: len(ordered) - len(errors)] + errors[:1]


class StoredAt(Protocol):
    """The file that stores a capture; ``address`` is its path or URL."""

    @property
    def address(self) -> str: ...


File = TypeVar("File", bound=StoredAt)


def ordered(found: Iterable[tuple[Capture, File]], at: date | None) -> list[tuple[Capture, File]]:
    """Return the captures to try for a page, each with its file, in order (``candidates``).

    Of captures of the same moment, the first in the first file comes first.
    """
    files = {id(capture): file for capture, file in found}
    by_place = sorted(found, key=lambda one: (one[1].address, one[0].file, one[0].offset))
    return [
        (capture, files[id(capture)])
        for capture in candidates((capture for capture, _ in by_place), at)
    ]


def wanted(
    found: Iterable[tuple[Capture, File]], urls: Iterable[str], at: date | None
) -> list[tuple[Capture, File]]:
    """Return the captures to try for an article, of all that may be its, in order.

    ``urls`` are the addresses of the article. Pages that were captured below one of them, with a
    query or a headline, come after the others.
    """
    keys = tuple(filter(None, map(key_of, urls)))
    plain: list[tuple[Capture, File]] = []
    others: list[tuple[Capture, File]] = []
    for one in {
        (file.address, capture.file, capture.offset): (capture, file) for capture, file in found
    }.values():
        key = key_of(one[0].url) or ""
        is_below = key not in keys and key.startswith(keys)
        (others if is_below or not one[0].is_page else plain).append(one)
    return [*ordered(plain, at), *ordered(others, at)]


def _distance(moment: datetime, at: date | None) -> timedelta:
    if at is None:
        return timedelta()
    if isinstance(at, datetime):
        return abs(moment - at)
    begin = datetime.combine(at, time.min, UTC)
    # Timestamps have a precision of one second, and the following midnight is another day.
    end = begin + timedelta(days=1, seconds=-1)
    return max(begin - moment, moment - end, timedelta())

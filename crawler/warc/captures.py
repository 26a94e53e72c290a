"""Captures: that an archive holds a page as it was at some time, and which of several is wanted."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from urllib.parse import urlsplit

from w3lib.url import canonicalize_url

_PORTS = {"http": 80, "https": 443}
_WWW = re.compile(r"^www[0-9]*\.")
REVISIT = "warc/revisit"
"""The media type that indexes give a revisit."""
CONVERSION = "warc/conversion"
"""The media type that ours give to what a browser made of a page (WARC 1.1, 6.7)."""
_TIMESTAMP = re.compile(r"[0-9]{14}")


@dataclass(frozen=True, slots=True)
class Capture:
    """One capture as an index has it. ``status`` is None where that is not known, as of a revisit.

    ``timestamp`` is UTC, 14 digits. ``file``, ``offset`` and ``length`` (bytes; 0 if unknown) say
    where it is in a file; in an archive that is asked over the web they mean nothing. ``method``
    is that of the request it answers, empty for GET or where that is not known.
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
        # What strptime would read, but that takes as long as finding the capture.
        month, day, hour, minute, second = (
            int(self.timestamp[place : place + 2]) for place in range(4, 14, 2)
        )
        return datetime(int(self.timestamp[:4]), month, day, hour, minute, second, tzinfo=UTC)

    @property
    def is_page(self) -> bool:
        """Whether it is a page as far as its index tells, and not a redirect or an error."""
        return (
            self.status is None
            or 200 <= self.status < 300
            or (self.status == 304 and self.media_type == REVISIT)
        )

    @property
    def is_error(self) -> bool:
        """Whether it is neither a page nor a redirect, as far as its index tells."""
        return not self.is_page and not (self.status and 300 <= self.status < 400)


def web_url(text: str) -> str:
    """An address as archives write it, in the form that the rest of the web uses.

    Without the angle brackets that wget sets around it, and with its scheme in lower case.
    """
    url = text.strip()
    if url.startswith("<") and url.endswith(">"):
        url = url[1:-1]
    scheme, colon, rest = url.partition(":")
    return (scheme.lower() + colon + rest).replace(" ", "%20") if colon else url


@lru_cache(maxsize=1024)
def key_of(url: str) -> str | None:
    """The key of a URL in an archive: without scheme, ``www.``, case and fragment; None if no URL.

    In the form of SURT, ``ir,alalam,en)/news/1752038``, so that an index is in the order of hosts.
    Indexes of others are read by their URLs: their keys differ a little from one another, and the
    package surt opens a socket when it is imported.
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
    """A moment (UTC) as archives write it."""
    return f"{moment.year:04}{moment:%m%d%H%M%S}"


def is_timestamp(text: str) -> bool:
    """Whether a text is a moment as archives write it, 14 digits."""
    if not _TIMESTAMP.fullmatch(text):
        return False
    try:
        datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return False
    return True


def in_order(captures: Iterable[Capture], at: date | None) -> list[Capture]:
    """Captures of one page, the wanted one first.

    Pages come before redirects, and these before errors; then the newest, or the nearest to
    ``at``. Nearest to a day are the captures of that day, newest first. The page as a browser
    showed it comes before the page itself.
    """

    def rank(capture: Capture) -> tuple[int, timedelta]:
        kind = 0 if capture.is_page else 2 if capture.is_error else 1
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
    """Captures that may answer for a page, in order; of errors only the most wanted one.

    After pages and redirects have all failed, one error says as much as many.
    """
    ordered = in_order(captures, at)
    errors = [capture for capture in ordered if capture.is_error]
    return ordered[: len(ordered) - len(errors)] + errors[:1]


def _distance(moment: datetime, at: date | None) -> timedelta:
    if at is None:
        return timedelta()
    if isinstance(at, datetime):
        return abs(moment - at)
    begin = datetime.combine(at, time.min, UTC)
    # Captures are told to the second: the midnight after it is of another day.
    end = begin + timedelta(days=1, seconds=-1)
    return max(begin - moment, moment - end, timedelta())

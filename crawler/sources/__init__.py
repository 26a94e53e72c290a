"""Where pages come from: one file for each source, and what all of them have in common."""

from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from crawler.items import Reason

_TEXT_TYPES = (b"text/", b"application/xhtml", b"application/xml")
_BINARY_STARTS = (
    *(b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PK\x03\x04", b"\x1f\x8b"),
    *(b"RIFF", b"\x00\x00\x00", b"OggS", b"ID3", b"MZ", b"\x7fELF"),
)
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class PageRefused(IgnoreRequest):
    """A page is not to be had, for a reason of the published set."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class NotSaved(IgnoreRequest):
    """A folder of saved pages has no page for an article."""


def not_html(response: Response) -> str | None:
    """Say what an answer is when it is no text; None if it may be a page."""
    declared = (response.headers.get(b"Content-Type") or b"").strip().lower()
    if declared and not declared.startswith(_TEXT_TYPES):
        return f"Content-Type {declared.decode('latin-1')}"
    start = response.body[:512]
    # UTF-16 text has a NUL for every Latin letter.
    mostly_nul = start.count(b"\0") > len(start) // 3 and not start.startswith((*_UTF16_MARKS, b"<"))
    return f"it begins with {start[:8]!r}" if mostly_nul or start.startswith(_BINARY_STARTS) else None

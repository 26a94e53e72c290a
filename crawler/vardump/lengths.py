"""Where a dumped string ends.

``string(N) "`` promises N bytes and a quote. Nothing inside is escaped, so a quote alone ends nothing. But a
page may have been converted after N was counted; then N still agrees with the content under that
conversion, and only with the right closing quote. So: N bytes if a quote stands there, else the first quote
that could close the string and whose content N describes under a known conversion, else the first quote that
could close it, with the disagreement said.
"""

import re
from typing import NamedTuple

EXACT = "its declared length in bytes"
RECODED = "its declared length in bytes of UTF-8, before the page was converted to another charset"
CHARACTERS = "its declared length in characters: it was counted in another charset than the page's"
LINE_ENDS_LOST = "its declared length with CRLF line ends, of which the page kept LF"
LINE_ENDS_ADDED = "its declared length with LF line ends, which the page made CRLF"
QUOTE = "a closing quote: its declared length disagrees"
NOT_FOUND = "the end of the text: no closing quote was found"

# The closing quote of a string inside an array stands before the next key or the closing brace.
_INNER_QUOTE = re.compile(rb'"(?=(?:[ \t\r\n]|<br ?/?>|&nbsp;|\xc2\xa0)+(?:\[(?:"|-?[0-9])|\})|\Z)')
# That of a string by itself stands at the end of a line, of an element or of the text.
_OUTER_QUOTE = re.compile(rb'"(?=[ \t]*(?:[\r\n<]|\Z))')
_MARKUP = re.compile(rb"</?(?:pre|p|div|td|tr|table|span|br|body|html|script|textarea)\b|-->")
# A conversion makes four bytes of one at the most (UTF-8's longest character).
_GROWTH = 4


class End(NamedTuple):
    """End of the content, and what told it (one of the constants above)."""

    position: int
    how: str

    @property
    def agrees(self) -> bool:
        """Whether the declared length and the content agree."""
        return self.how not in (QUOTE, NOT_FOUND)


def find_end(data: bytes, start: int, declared: int, encoding: str, *, inner: bool) -> End:
    """Find where the content that begins at ``start`` and is declared as ``declared`` bytes long ends."""
    quote = _INNER_QUOTE if inner else _OUTER_QUOTE
    exact = start + declared
    # Inside an array what follows must go on as an array does; a converted text can hit a quote by chance.
    if data[exact : exact + 1] == b'"' and (not inner or quote.match(data, exact)):
        return End(exact, EXACT)
    first = None
    told = _Lengths(encoding)
    seen = start
    for match in quote.finditer(data, start, min(len(data), start + _GROWTH * declared + 64)):
        told.add(data[seen : match.start()])
        seen = match.start()
        if how := told.agreement(declared):
            return End(seen, how)
        if first is None and _brackets_close(data, start, seen):
            first = seen
    if first is not None:
        return End(first, QUOTE)
    markup = _MARKUP.search(data, start)
    return End(markup.start() if markup else len(data), NOT_FOUND)


def _brackets_close(data: bytes, start: int, end: int) -> bool:
    """Whether a content that opens with a bracket ends with its partner; others may end anywhere."""
    partner = {b"[": b"]", b"{": b"}"}.get(data[start : start + 1])
    return partner is None or data[max(start, end - 64) : end].rstrip()[-1:] == partner


class _Lengths:
    """The lengths of a growing content under each known conversion."""

    def __init__(self, encoding: str) -> None:
        self.encoding = encoding
        self.bytes = self.characters = self.utf8 = self.lone_line_feeds = self.crlfs = 0

    def add(self, piece: bytes) -> None:
        text = piece.decode(self.encoding, "replace")
        crlfs = piece.count(b"\r\n")
        self.bytes += len(piece)
        self.characters += len(text)
        self.utf8 += len(text.encode("utf-8", "replace"))
        self.lone_line_feeds += piece.count(b"\n") - crlfs
        self.crlfs += crlfs

    def agreement(self, declared: int) -> str | None:
        added, lost = self.crlfs, self.lone_line_feeds
        lengths = {
            self.bytes: EXACT,
            self.utf8: RECODED,
            self.characters: CHARACTERS,
            self.bytes + lost: LINE_ENDS_LOST,
            self.bytes - added: LINE_ENDS_ADDED,
            self.utf8 + lost: RECODED,
            self.characters + lost: CHARACTERS,
            self.utf8 - added: RECODED,
            self.characters - added: CHARACTERS,
        }
        return lengths.get(declared)

"""Where a dumped string ends in a page.

``string(N) "`` promises N bytes and a quote. Nothing inside is escaped, so a quote alone ends nothing. But a
page may have been converted after N was counted; then N still agrees with the content under that
conversion, and only with the right closing quote. So: N bytes if a quote stands there, else the first quote
that could close the string and whose content N describes under a known conversion, else the first quote that
could close it, with the disagreement said.
"""

import re
from typing import NamedTuple

from crawler.vardump.escapes import BREAK
from crawler.vardump.work import Work

EXACT = "its declared length in bytes"
RECODED = "its declared length in bytes of UTF-8, before the page was converted to another charset"
CHARACTERS = "its declared length in characters: it was counted in another charset than the page's"
SPACES = "its declared length with the spaces that the page made no-break spaces"
LINE_ENDS_LOST = "its declared length with CRLF line ends, of which the page kept LF"
LINE_ENDS_ADDED = "its declared length with LF line ends, which the page made CRLF"
NULS_ESCAPED = "its declared length with NUL bytes, which Xdebug writes as four characters"
BYTES_LEFT_OUT = (
    "a closing quote: Xdebug's HTML left out some of the bytes that its declared length counts"
)
QUOTE = "a closing quote: its declared length disagrees"
NOT_FOUND = "the end of the text: no closing quote was found"
SHORTENED = "the mark of Xdebug that it was shortened: its declared length is the original's"

SPACE = rb"(?:[ \t\r\n]|" + BREAK + rb"|&nbsp;|\xc2\xa0)"
# What may stand after a string by itself: the end of its line or element, or another dump on the same line.
AFTER_STRING = (
    rb"(?:[ \t]|&nbsp;|\xc2\xa0)*+(?:[\r\n<]|\Z"
    rb"|(?<=[ \t;\xa0])(?:string|array|object|int|float|bool|enum|resource)\("
    rb"|(?<=[ \t;\xa0])NULL)"
)
_MARKUP = re.compile(rb"</?(?:pre|p|div|td|tr|table|span|br|body|html|script|textarea)\b|-->")
NO_BREAK_SPACE = b"\xc2\xa0"
# A conversion makes four bytes of one at the most (UTF-8's longest character).
_GROWTH = 4


class End(NamedTuple):
    """Where a content ends and what told it (one of the constants above); ``skip`` is what closes it, in bytes."""

    position: int
    how: str
    skip: int = 1

    @property
    def agrees(self) -> bool:
        """Whether the declared length and the content agree."""
        return self.how not in (QUOTE, NOT_FOUND)


class Quotes:
    """The quotes that can close a string: inside a container one before its next key or its end (``inner``), else one at the end
    of a line, an element or the text."""

    def __init__(self, inner: bytes) -> None:
        self.inner = re.compile(rb'"(?=' + SPACE + rb"+(?:" + inner + rb")|\Z)")
        # At the length that is declared, what follows may also be cut off.
        self.cut = re.compile(rb'"' + SPACE + rb'*+[^\s"<]{0,12}(?:\Z|</pre)')
        self.outer = re.compile(rb'"(?=' + AFTER_STRING + rb")")


def find_end(
    data: bytes,
    start: int,
    declared: int,
    encoding: str,
    quotes: Quotes,
    *,
    inner: bool,
    nuls_escaped: bool = False,
    work: Work,
) -> End:
    """Find where the content that begins at ``start`` and is declared as ``declared`` bytes long ends."""
    quote = quotes.inner if inner else quotes.outer
    exact = start + declared
    # What follows must go on as after a string; a converted text can hit a quote by chance.
    if data[exact : exact + 1] == b'"' and (
        quote.match(data, exact) or (inner and quotes.cut.match(data, exact))
    ):
        return End(exact, EXACT)
    first = None
    told = _Lengths(
        encoding,
        nuls_escaped,
        spaces_replaced=data[max(0, start - 3) : start - 1] == NO_BREAK_SPACE,
    )
    seen = start
    limit = min(len(data), start + _GROWTH * declared + 64)
    for match in quote.finditer(data, start, limit):
        # Counting the bytes in every way takes longer than passing over them.
        work.spend(5, 4 * (match.start() - seen))
        told.add(data[seen : match.start()])
        seen = match.start()
        if how := told.agreement(declared):
            return End(seen, how)
        if first is None and _brackets_close(data, start, seen):
            first = seen
    # Inside a container something must follow: a quote that is the very last byte rather stands where the text was cut.
    work.spend(1, max(0, limit - seen))
    if first is not None and not (inner and first + 1 == len(data) and first < exact):
        return End(first, QUOTE)
    end = end_of_text(data, start)
    work.spend(1, end - start)
    return End(end, NOT_FOUND, 0)


def end_of_text(data: bytes, start: int) -> int:
    """Where markup ends the text that begins at ``start``."""
    markup = _MARKUP.search(data, start)
    return markup.start() if markup else len(data)


def agreement(content: bytes, declared: int, encoding: str) -> str:
    """What makes ``declared`` the length of ``content`` in Xdebug's HTML: one of the constants above."""
    if len(content) == declared:
        return EXACT
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return BYTES_LEFT_OUT
    told = _Lengths(encoding)
    told.add(content)
    return told.agreement(declared) or QUOTE


def _brackets_close(data: bytes, start: int, end: int) -> bool:
    """Whether a content that opens with a bracket ends with its partner; others may end anywhere."""
    partner = {b"[": b"]", b"{": b"}"}.get(data[start : start + 1])
    return partner is None or data[max(start, end - 64) : end].rstrip()[-1:] == partner


class _Lengths:
    """The lengths of a growing content under each known conversion."""

    def __init__(
        self, encoding: str, nuls_escaped: bool = False, *, spaces_replaced: bool = False
    ) -> None:
        self.encoding = encoding
        self.nuls_escaped = nuls_escaped
        self.spaces_replaced = spaces_replaced
        self.bytes = self.characters = self.utf8 = self.lone_line_feeds = self.crlfs = self.nuls = (
            self.spaces
        ) = 0

    def add(self, piece: bytes) -> None:
        text = _decoded(piece, self.encoding)
        crlfs = piece.count(b"\r\n")
        self.bytes += len(piece)
        self.characters += len(text)
        self.utf8 += len(text.encode("utf-8", "replace"))
        self.lone_line_feeds += piece.count(b"\n") - crlfs
        self.crlfs += crlfs
        self.nuls += piece.count(rb"\000")
        self.spaces += piece.count(NO_BREAK_SPACE)

    def agreement(self, declared: int) -> str | None:
        added, lost = self.crlfs, self.lone_line_feeds
        if self.nuls_escaped and self.nuls and self.bytes - 3 * self.nuls == declared:
            return NULS_ESCAPED
        if self.spaces_replaced and self.spaces and self.bytes - self.spaces == declared:
            return SPACES
        lengths = (
            (self.bytes, EXACT),
            (self.utf8, RECODED),
            (self.characters, CHARACTERS),
            (self.bytes + lost, LINE_ENDS_LOST),
            (self.bytes - added, LINE_ENDS_ADDED),
            (self.utf8 + lost, RECODED),
            (self.characters + lost, CHARACTERS),
            (self.utf8 - added, RECODED),
            (self.characters - added, CHARACTERS),
        )
        return next((how for length, how in lengths if length == declared), None)


def _decoded(piece: bytes, encoding: str) -> str:
    """``piece`` as text; where it is not what the page says, most likely of one byte a character."""
    try:
        return piece.decode(encoding)
    except UnicodeDecodeError:
        return piece.decode("cp1252" if encoding == "utf-8" else encoding, "replace")

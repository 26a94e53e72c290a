"""Find the end of a dumped string in a page.

``string(N) "`` promises N bytes and a quote. Nothing inside is escaped, so a quote alone ends
nothing. But a page may have been converted after N was counted; then N still agrees with the
content under that conversion, and only with the right closing quote. So the string ends after N
bytes if there is a quote, else at the first possible closing quote for which N agrees under a known
conversion, else at the first possible closing quote, with the disagreement recorded.
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
STRAIGHT_QUOTES = "its declared length with straight quotes, which the page made curly"
REFERENCES = "its declared length with character references, which a browser resolved"
QUOTE = "a closing quote: its declared length disagrees"
NOT_FOUND = "the end of the text: no closing quote was found"
SHORTENED = "the mark of Xdebug that it was shortened: its declared length is the original's"

SPACE = rb"(?:[ \t\r\n]|" + BREAK + rb"|&nbsp;|\xc2\xa0)"
# The text allowed after a string outside containers: the end of its line or element, or another
# dump on the same line.
AFTER_STRING = (
    rb"(?:[ \t]|&nbsp;|\xc2\xa0)*+(?:[\r\n<]|\Z"
    rb"|(?<=[ \t;\xa0])(?:string|array|object|int|float|bool|enum|resource)\("
    rb"|(?<=[ \t;\xa0])NULL)"
)
_MARKUP = re.compile(rb"</?(?:pre|p|div|td|tr|table|span|br|body|html|script|textarea)\b|-->")
NO_BREAK_SPACE = b"\xc2\xa0"
# A conversion turns one byte into at most four (the longest character in UTF-8).
_GROWTH = 4


class End(NamedTuple):
    """The end of a string's content, and how it was found (one of the constants above).

    ``skip`` is the length of its closing mark in bytes.
    """

    position: int
    how: str
    skip: int = 1

    @property
    def agrees(self) -> bool:
        """Whether the declared length and the content agree."""
        return self.how not in (QUOTE, NOT_FOUND)


# The curly quotes that blogs and word processors put for straight ones, in UTF-8.
CURLY = rb"\xe2\x80(?:[\x98-\x9f]|\xb2|\xb3)"
_CURLY = re.compile(CURLY)
_STRAIGHT = {
    b"\xe2\x80" + last: straight
    for straight, lasts in ((b"'", b"\x98\x99\x9a\x9b\xb2"), (b'"', b"\x9c\x9d\x9e\x9f\xb3"))
    for last in (lasts[place : place + 1] for place in range(len(lasts)))
}


def straightened(content: bytes) -> bytes:
    """Return ``content`` with straight quotes instead of curly ones."""
    return _CURLY.sub(lambda found: _STRAIGHT[found.group()], content)


class Quotes:
    """The quotes that can close a string.

    Inside a container (``inner``), this is a quote before the next key or the container's end;
    elsewhere, a quote before the end of a line, an element or the text, or before another dump.
    ``quote`` is the pattern of a quote, and ``space`` that of white space.
    """

    def __init__(self, inner: bytes, quote: bytes = b'"', space: bytes = SPACE) -> None:
        self.inner = re.compile(quote + rb"(?=" + space + rb"+(?:" + inner + rb")|\Z)")
        # A quote at the declared length may also be followed by truncated text.
        self.cut = re.compile(quote + SPACE + rb'*+[^\s"<]{0,12}(?:\Z|</pre)')
        self.outer = re.compile(quote + rb"(?=" + AFTER_STRING + rb")")


def find_end(
    data: bytes,
    start: int,
    declared: int,
    encoding: str,
    quotes: Quotes,
    *,
    inner: bool,
    nuls_escaped: bool = False,
    copied: bool = False,
    work: Work,
) -> End:
    """Find the end of the content at ``start`` whose declared length is ``declared`` bytes.

    ``copied`` text may have been copied from a browser, or typed with curly quotes.
    """
    quote = quotes.inner if inner else quotes.outer
    exact = start + declared
    # In converted text there may be a quote at the declared length by chance, so the text after it
    # must also fit the end of a string.
    if found := quote.match(data, exact) or (inner and quotes.cut.match(data, exact)):
        return End(exact, EXACT, _length_of_quote(data, found.start()))
    first = None
    counts = _Lengths(
        encoding,
        nuls_escaped,
        spaces_replaced=data[max(0, start - 3) : start - 1] == NO_BREAK_SPACE,
    )
    is_curly = copied and data[max(0, start - 3) : start].startswith(b"\xe2\x80")
    seen = start
    limit = min(len(data), start + _GROWTH * declared + 64)
    for match in quote.finditer(data, start, limit):
        # Counting bytes under every conversion is slower than searching them.
        work.spend(5, 4 * (match.start() - seen))
        counts.add(data[seen : match.start()])
        seen = match.start()
        if is_curly and len(straightened(data[start:seen])) == declared:
            # The number of characters is often the same, so this comes first.
            return End(seen, STRAIGHT_QUOTES, len(match.group()))
        if how := counts.agreement(declared):
            return End(seen, how, len(match.group()))
        if first is None and _brackets_close(data, start, seen):
            first = seen
    # Inside a container, something must follow the string: a quote that is the very last byte
    # probably belongs to truncated content.
    work.spend(1, max(0, limit - seen))
    if first is not None and not (inner and first + 1 == len(data) and first < exact):
        how = (copied and _copied_agreement(data[start:first], declared)) or QUOTE
        return End(first, how, _length_of_quote(data, first))
    end = end_of_text(data, start)
    work.spend(1, end - start)
    return End(end, NOT_FOUND, 0)


def end_of_text(data: bytes, start: int) -> int:
    """Return the offset where markup ends the text that begins at ``start``."""
    markup = _MARKUP.search(data, start)
    return markup.start() if markup else len(data)


def _length_of_quote(data: bytes, position: int) -> int:
    return 3 if data.startswith(b"\xe2", position) else 1


def copied_agreement(content: bytes, declared: int, encoding: str) -> str:
    """Return how ``declared`` fits ``content`` copied from a browser, as a constant above."""
    counts = _Lengths(encoding)
    counts.add(content)
    return counts.agreement(declared) or _copied_agreement(content, declared) or QUOTE


def _copied_agreement(content: bytes, declared: int) -> str | None:
    """Return how ``declared`` fits ``content`` if someone copied it from a browser, or None."""
    if len(straightened(content)) == declared:
        return STRAIGHT_QUOTES
    ampersands = content.count(b"&")
    brackets = content.count(b"<") + content.count(b">")
    quotes = content.count(b'"')
    # WordPress writes &#038; and PHP's htmlspecialchars &amp;, &lt;, &gt; and, usually, &quot;.
    lengths = (5 * ampersands, 4 * ampersands + 3 * brackets)
    added = declared - len(content)
    return REFERENCES if added > 0 and added in (*lengths, lengths[1] + 5 * quotes) else None


def agreement(content: bytes, declared: int, encoding: str) -> str:
    """Return how ``declared`` fits ``content`` in Xdebug's HTML, as one of the constants above."""
    if len(content) == declared:
        return EXACT
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return BYTES_LEFT_OUT
    counts = _Lengths(encoding)
    counts.add(content)
    return counts.agreement(declared) or QUOTE


def _brackets_close(data: bytes, start: int, end: int) -> bool:
    """Return whether content that opens with a bracket ends with the matching one.

    Other content may end anywhere.
    """
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
    """Return ``piece`` as text.

    If it is not in the page's encoding, it most likely has one byte per character.
    """
    try:
        return piece.decode(encoding)
    except UnicodeDecodeError:
        return piece.decode("cp1252" if encoding == "utf-8" else encoding, "replace")

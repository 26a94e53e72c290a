"""Undo what is done to a dump when people paste it somewhere.

Forums, mail programs, editors and blogs put something before each line (``//``, ``>``, ``*``, a
line number), put each line into an element or a comment, and escape it once or twice. ``restore``
removes this from the text that follows the first brace, and maps offsets back to the page. The
result is read like any other text, so its counts and lengths show whether this was right.
"""

import bisect
import re
from collections.abc import Callable, Iterable

from crawler.vardump.escapes import ESCAPE, Unescaped, unescape
from crawler.vardump.work import Work

_INLINE = rb"</?(?:a|b|i|em|strong|span|font|code|tt|mark|u|small|label|tbody|thead|table|ol|ul)\b"
# An element that shows one line of the dump ends the line; its own line end in the page, if it has
# one, then counts for nothing.
_WRAPPING = re.compile(
    rb"(?P<line>(?:</(?:li|p|div|tr)\s*>|<br ?/?>|-->)[ \t]*(?:\r?\n)?)"
    rb"|<td\b[^<>]{0,500}>(?P<cell>)"
    rb"|(?:<!--|</?(?:li|p|div|tr|td|th)\b[^<>]{0,500}>|" + _INLINE + rb"[^<>]{0,500}>)",
    re.IGNORECASE,
)
# The text ends here at the latest.
_END = re.compile(rb"</(?:pre|textarea|script|body|html|article|main)\b", re.IGNORECASE)
_MARK = rb"//+|#+|\*+|;+|\||\+|--|>(?:[ \t]?>)*"
# A line that begins with a mark or a number before a key or the end of a container.
_MARKED_LINE = re.compile(
    rb"[ \t]*(?:(?P<mark>"
    + _MARK
    + rb")|(?P<number>[0-9]{1,6})(?:[ \t]{0,2}[.:|)])?)(?:[ \t]|\xc2\xa0)*"
    rb"(?=\[(?:[ub]?(?:\"|\xe2\x80)|-?[0-9])|\}|(?:'[^'\n]{1,300}'|[0-9]{1,10}) =>)"
)
_NUMBERED_LINE = re.compile(
    rb"[ \t]*(?P<number>[0-9]{1,6})(?:[ \t]{0,2}[.:|)])?(?:[ \t]|\xc2\xa0)?"
)


def restore(page: bytes, start: int, end: int, encoding: str, times: int, work: Work) -> Unescaped:
    """Return ``page[start:end]`` without the markup, escapes and line marks that were added.

    ``times`` is how often the text was escaped.
    """
    limit = _END.search(page, start, end)
    text = _unwrapped(page, start, limit.start() if limit else end, work)
    for _ in range(times):
        if not ESCAPE.search(text.data):
            break
        text = _then(text, unescape(text.data, 0, len(text.data), encoding, work))
    return _then(text, _unmarked(text.data, work))


def _unwrapped(page: bytes, start: int, end: int, work: Work) -> Unescaped:
    edits = (
        (
            found.start(),
            found.end(),
            b"\n" if found["line"] else b" " if found["cell"] is not None else b"",
        )
        for found in _WRAPPING.finditer(page, start, end)
    )
    return _edited(page, start, end, edits, work)


def _unmarked(data: bytes, work: Work) -> Unescaped:
    """Return ``data`` without the mark or number before each line, if its second line has one."""
    line = data.find(b"\n") + 1
    found = _MARKED_LINE.match(data, line) if line else None
    if found is None:
        return Unescaped(data, int)
    if found["mark"]:
        mark = re.compile(rb"[ \t]*" + re.escape(found["mark"]) + rb"(?:[ \t]|\xc2\xa0)?")
    else:
        mark = _NUMBERED_LINE
    number = None if found["number"] is None else int(found["number"])
    edits = []
    end = len(data)
    while line:
        found = mark.match(data, line)
        if found is None or (number is not None and int(found["number"]) != number):
            end = line
            break
        edits.append((line, found.end(), b""))
        number = None if number is None else number + 1
        line = data.find(b"\n", found.end()) + 1
    return _edited(data, 0, end, edits, work)


def _edited(
    data: bytes, start: int, end: int, edits: Iterable[tuple[int, int, bytes]], work: Work
) -> Unescaped:
    """Return ``data[start:end]`` with some parts replaced: their start, their end and the new."""
    parts: list[bytes] = []
    # The start in the result of each stretch that was kept, and its start in ``data``.
    starts, origins = [0], [start]
    length, done = 0, start
    for edit_start, edit_end, replacement in edits:
        parts += (data[done:edit_start], replacement)
        length += edit_start - done + len(replacement)
        done = edit_end
        starts.append(length)
        origins.append(done)
    parts.append(data[done:end])
    work.spend(4 * len(starts), end - start)

    def offset(position: int) -> int:
        # The end of a stretch belongs to it, and not to the one after the edit.
        nearest = max(0, bisect.bisect_left(starts, position) - 1)
        return origins[nearest] + position - starts[nearest]

    return Unescaped(b"".join(parts), offset)


def _then(first: Unescaped, second: Unescaped) -> Unescaped:
    outer: Callable[[int], int] = first.offset
    return Unescaped(second.data, lambda position: outer(second.offset(position)))

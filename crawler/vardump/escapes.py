"""Undo what a page did to a dump after PHP wrote it, and find the way back to the page's own offsets."""

import bisect
import html
import re
from collections.abc import Callable
from typing import NamedTuple

from crawler.vardump.work import UNLIMITED, Work

BREAK = rb"<[bB][rR] ?/?>"
# <br />: nl2br puts one before every line break; the line break itself stays.
ESCAPE = re.compile(
    rb"&(?:[a-zA-Z][a-zA-Z0-9]{1,31}|#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6});|" + BREAK + rb"(?=\r?\n)"
)


class Unescaped(NamedTuple):
    """Bytes with their character references resolved; ``offset`` leads from them back into the page."""

    data: bytes
    offset: Callable[[int], int]


def unescape(page: bytes, start: int, end: int, encoding: str, work: Work = UNLIMITED) -> Unescaped:
    """Resolve the character references in ``page[start:end]`` and drop the ``<br>`` that nl2br added."""
    parts: list[bytes] = []
    ends = [0]
    """Where each resolved reference ends in the result, beside where it ended in the page."""
    page_ends = [start]
    length = 0
    done = start
    for match in ESCAPE.finditer(page, start, end):
        reference = match.group()
        plain = b"" if reference[:1] == b"<" else _character(reference, encoding)
        parts += (page[done : match.start()], plain)
        length += match.start() - done + len(plain)
        done = match.end()
        ends.append(length)
        page_ends.append(done)
    parts.append(page[done:end])
    work.spend(4 * len(ends), end - start)

    def offset(position: int) -> int:
        nearest = bisect.bisect_right(ends, position) - 1
        return page_ends[nearest] + position - ends[nearest]

    return Unescaped(b"".join(parts), offset)


def _character(reference: bytes, encoding: str) -> bytes:
    text = reference.decode("ascii")
    character = html.unescape(text)
    # A reference that HTML does not know stays as it stands.
    return reference if character == text else character.encode(encoding, "xmlcharrefreplace")

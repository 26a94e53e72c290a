"""Undo a page's HTML escaping of a dump, and map offsets back to the page."""

import bisect
import html
import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from crawler.vardump.work import UNLIMITED, Work

BREAK = rb"<[bB][rR] ?/?>"
# nl2br inserts a <br /> before every line break, which it keeps.
ESCAPE = re.compile(
    rb"&(?:[a-zA-Z][a-zA-Z0-9]{1,31}|#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6});|" + BREAK + rb"(?=\r?\n)"
)


class Unescaped(NamedTuple):
    """Bytes with character references resolved; ``offset`` maps their offsets to the page."""

    data: bytes
    offset: Callable[[int], int]


def unescape(page: bytes, start: int, end: int, encoding: str, work: Work = UNLIMITED) -> Unescaped:
    """Resolve the character references in ``page[start:end]`` and drop nl2br's ``<br>``."""
    parts: list[bytes] = []
    ends = [0]
    """The end of each resolved reference in the result; ``page_ends`` has its end in the page."""
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


@lru_cache(maxsize=1_000)
def _character(reference: bytes, encoding: str) -> bytes:
    text = reference.decode("ascii")
    character = html.unescape(text)
    # A reference unknown to HTML is left unchanged.
    return reference if character == text else character.encode(encoding, "xmlcharrefreplace")

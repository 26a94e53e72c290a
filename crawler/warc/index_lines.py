"""Read the lines of a CDXJ index, compressed or not, one at a time."""

from __future__ import annotations

import gzip
import zlib
from contextlib import closing
from typing import IO, TYPE_CHECKING

from crawler.warc.stored_bytes import Address, Window, buffered, display_name, open_stored

if TYPE_CHECKING:
    from collections.abc import Iterator

# Longer than any real line; without a limit, one line could take all memory.
_LONGEST_LINE = 1 << 20


class LongLineError(Exception):
    """A line is too long for an index."""


INDEX_ERRORS = (OSError, EOFError, zlib.error, LongLineError)
"""Raised if an index is damaged or is not one."""


def stored_lines(address: Address) -> Iterator[bytes]:
    """Yield the lines of a stored index.

    Raises StorageError if it cannot be read, and one of ``INDEX_ERRORS`` if it is damaged.
    """
    stored = open_stored(address)
    with closing(stored), buffered(Window(stored)) as file:
        yield from lines_of(file, display_name(address).rpartition("/")[2])


def lines_of(file: IO[bytes], name: str) -> Iterator[bytes]:
    """Yield the lines of an index with this name, which tells whether it is compressed.

    Raises one of ``INDEX_ERRORS`` if it is damaged.
    """
    if not name.endswith(".gz"):
        yield from _bounded(file, name)
        return
    with closing(gzip.GzipFile(fileobj=file)) as lines:
        yield from _bounded(lines, name)


def _bounded(lines: IO[bytes] | gzip.GzipFile, name: str) -> Iterator[bytes]:
    while line := lines.readline(_LONGEST_LINE + 1):
        if len(line) > _LONGEST_LINE:
            raise LongLineError(f"{name} has a line of over {_LONGEST_LINE:,} bytes")
        yield line

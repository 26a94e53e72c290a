"""Records of archive files for tests, and where a reader finds each of them."""

import gzip
from pathlib import Path

from archives import NEWS, http, page, record

from crawler.warc.file import WarcFile
from crawler.warc.stored_bytes import open_stored

# Line ends at the end of a page would merge with those that follow a record.
ONE, TWO, THREE = (
    record(f"{NEWS}{n}", http(page(n).rstrip()), WARC_Record_ID=f"<urn:{n}>") for n in (1, 2, 3)
)
CONTENT_LENGTH = len(http(page(1).rstrip()))
LINE_ENDS = len(b"\r\n\r\n")
G1, G2, G3 = (gzip.compress(part, mtime=0) for part in (ONE, TWO, THREE))
NO_HEAD = "it does not begin with record headers"
ENDS_PLAIN = "the file ends within this record, or its length is wrong"
WRONG_LENGTH = "it declares"
# Offset, length, unpacked size, and the fault without its place.
Place = tuple[int, int, int, str]


def offsets_of(*parts: bytes) -> list[int]:
    """Return the offset of each of some consecutive parts, and the end of the last."""
    return [sum(map(len, parts[:number])) for number in range(len(parts) + 1)]


def with_length_off_by(data: bytes, count: int, stated_length: int = CONTENT_LENGTH) -> bytes:
    """Return a record whose Content-Length is too large by ``count``."""
    old = b"Content-Length: %d\r" % stated_length
    assert old in data
    return data.replace(old, b"Content-Length: %d\r" % (stated_length + count), 1)


def read_places(path: Path, start: int = 0, size: int | None = None) -> list[Place]:
    file = WarcFile(open_stored(path), str(path), start, size)
    try:
        places = []
        for offset, block in file.walk():
            fault = str(block.fault or "")
            prefix = f"{path}, offset {offset}: "
            # The libraries' own error messages are in brackets.
            message = fault.removeprefix(prefix).partition(" (Error")[0]
            places.append((offset, block.length, block.size, message))
        return places
    finally:
        file.close()


def whole(*parts: bytes, first: int = 0) -> list[Place]:
    """Return the places of consecutive records in a plain file, starting at byte ``first``."""
    return [
        (first + place, len(part), len(part) - LINE_ENDS, "")
        for place, part in zip(offsets_of(*parts), parts, strict=False)
    ]


def skippable(data: bytes, magic: bytes = b"\x50\x2a\x4d\x18") -> bytes:
    return magic + len(data).to_bytes(4, "little") + data

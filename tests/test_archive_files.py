"""Test the offset, length and fault of each record in intact and damaged archive files.

test_archive_compression.py has most of the files that are compressed.
"""

import gzip
from pathlib import Path

import pytest
from archive_places import (
    CONTENT_LENGTH,
    ENDS_PLAIN,
    G1,
    G2,
    LINE_ENDS,
    NO_HEAD,
    ONE,
    THREE,
    TWO,
    WRONG_LENGTH,
    Place,
    offsets_of,
    read_places,
    skippable,
    whole,
    with_length_off_by,
)
from archives import ARC_HEAD, NEWS, arc_record, http, page, record

from crawler.errors import ArchiveError
from crawler.warc.file import WarcFile, first_record_id
from crawler.warc.stored_bytes import open_stored

NO_HEADERS = "there are no record headers here"
NO_LENGTH = ONE.replace(b"\nContent-Length: %d\r" % CONTENT_LENGTH, b"\nX: y\r")
PLAIN: dict[str, tuple[bytes, list[Place]]] = {
    "nothing": (b"", []),
    "line ends only": (b"\r\n" * 40, []),
    "three": (ONE + TWO + THREE, whole(ONE, TWO, THREE)),
    "no line ends after the last": (
        ONE + TWO[:-LINE_ENDS],
        [*whole(ONE), (len(ONE), len(TWO) - LINE_ENDS, len(TWO) - LINE_ENDS, "")],
    ),
    "a byte short": (
        ONE + TWO[: -LINE_ENDS - 1],
        [*whole(ONE), (len(ONE), len(TWO) - LINE_ENDS - 1, len(TWO) - LINE_ENDS - 1, ENDS_PLAIN)],
    ),
    "a head that is cut": (ONE + TWO[:50], [*whole(ONE), (len(ONE), 50, 0, NO_HEADERS)]),
    "a word of its head": (ONE + b"WAR", [*whole(ONE), (len(ONE), 3, 0, NO_HEADERS)]),
    "junk first": (b"junk\n" + ONE, [(0, 5, 0, NO_HEADERS), *whole(ONE, first=5)]),
    "junk within a line": (b"junk" + ONE, [(0, 4 + len(ONE), 0, NO_HEADERS)]),
    "junk within a line, and another": (
        b"junk" + ONE + TWO,
        [(0, 4 + len(ONE), 0, NO_HEADERS), *whole(TWO, first=4 + len(ONE))],
    ),
    "junk last": (
        ONE + b"junk",
        [
            (
                0,
                len(ONE) + 4,
                len(ONE) - LINE_ENDS,
                f"{WRONG_LENGTH} {CONTENT_LENGTH} bytes but does not end there",
            )
        ],
    ),
    "a length too short": (
        with_length_off_by(ONE, -1) + TWO,
        [
            (
                0,
                len(ONE),
                len(ONE) - 5,
                f"{WRONG_LENGTH} {CONTENT_LENGTH - 1} bytes but does not end there",
            ),
            *whole(TWO, first=len(ONE)),
        ],
    ),
    "a length over the next": (
        with_length_off_by(ONE, 100) + TWO,
        [
            (
                0,
                len(ONE),
                len(ONE) + 96,
                f"{WRONG_LENGTH} {CONTENT_LENGTH + 100} bytes but does not end there",
            ),
            *whole(TWO, first=len(ONE)),
        ],
    ),
    "a length over the end": (
        ONE + with_length_off_by(TWO, 5),
        [*whole(ONE), (len(ONE), len(TWO), len(TWO), ENDS_PLAIN)],
    ),
    "no length": (
        NO_LENGTH + TWO,
        [(0, len(NO_LENGTH), 0, NO_HEADERS), *whole(TWO, first=len(NO_LENGTH))],
    ),
    "a length below zero": (
        ONE.replace(b"Content-Length: ", b"Content-Length: -") + TWO,
        [(0, len(ONE) + 1, 0, NO_HEADERS), *whole(TWO, first=len(ONE) + 1)],
    ),
}


@pytest.mark.parametrize("name", PLAIN)
def test_places_in_a_plain_file(tmp_path: Path, name: str) -> None:
    data, places = PLAIN[name]
    path = tmp_path / "a.warc"
    path.write_bytes(data)
    assert read_places(path) == places


@pytest.mark.parametrize("count", [1, 7, 8, 9, 23, 24, 25, 300])
def test_line_ends_before_a_record(tmp_path: Path, count: int) -> None:
    path = tmp_path / "a.warc"
    path.write_bytes(b"\n" * count + ONE + b"\r" * count + TWO + b"\n" * count)
    file = WarcFile(open_stored(path), "a.warc")
    found = [(offset, block.length, block.data, block.fault) for offset, block in file.walk()]
    file.close()
    first, second = count + len(ONE) + count, len(TWO) + count
    assert found == [(0, first, ONE[:-LINE_ENDS], None), (first, second, TWO[:-LINE_ENDS], None)]


@pytest.mark.parametrize("end", [2047, 2048, 2049, 65_535, 65_536, 65_537])
def test_long_headers(tmp_path: Path, end: int) -> None:
    """A record's headers may take 65,536 bytes, more than the program reads at once."""
    head = ONE.index(b"\r\n\r\n") + LINE_ENDS
    filled = ONE.replace(b"\r\n", b"\r\nX: " + b"x" * (end - head - len("\r\nX: ")) + b"\r\n", 1)
    assert filled.index(b"\r\n\r\n") + LINE_ENDS == end
    path = tmp_path / "a.warc"
    path.write_bytes(filled + TWO)
    (_, length, size, fault), *rest = read_places(path)
    fits = end <= 65_536
    assert (length, size, fault) == (
        (len(filled), len(filled) - LINE_ENDS, "") if fits else (len(filled), 0, NO_HEADERS)
    )
    assert rest == whole(TWO, first=len(filled))


@pytest.mark.parametrize(
    "count", [2, 2047, 2048, 2049, 4090, 4095, 4096, 4097, 6144, 10_240, 70_000, 2_200_000]
)
def test_the_next_record_is_found_at_any_distance(tmp_path: Path, count: int) -> None:
    path = tmp_path / "a.warc"
    path.write_bytes(b"\0" * (count - 1) + b"\n" + ONE)
    # Junk is scanned for headers in halves of a buffer, and each may be reported separately.
    *junk, last = read_places(path)
    assert [fault for *_, fault in junk] == [NO_HEADERS] * len(junk)
    assert sum(length for _, length, *_ in junk) == count
    assert last == whole(ONE, first=count)[0]
    packed = gzip.compress(ONE, mtime=0)
    path = tmp_path / "a.warc.gz"
    path.write_bytes(gzip.compress(TWO) + b"\0" * count + packed)
    _, (_, length, size, fault), last = read_places(path)
    assert (length, size) == (count, 0)
    assert fault.startswith("its compressed bytes are damaged")
    assert last == (len(path.read_bytes()) - len(packed), len(packed), len(ONE), "")


def arc(
    url: str,
    date: str = "20151023100000",
    content_length: object = CONTENT_LENGTH,
    version: int = 1,
) -> bytes:
    """Return an ARC record of version 1 or 2 with the given fields in its first line."""
    fields = [url, "127.0.0.1", date, "text/html"]
    more = ["200", "-", "-", "0", "a.arc"] if version == 2 else []
    content = http(page(1).rstrip())
    return " ".join([*fields, *more, str(content_length)]).encode() + b"\n" + content + b"\n"


ARC_WRONG_HEAD = arc_record("filedesc://a.arc", b"1 0 Test\nURL IP-address\n").replace(
    b" 24\n", b" 9\n"
)
# A record, and whether its first line is valid.
ARC_LINES: dict[str, tuple[bytes, bool]] = {
    "version 1": (arc("http://a.ir/1"), True),
    "version 2": (arc("http://a.ir/1", version=2), True),
    "a space in the URL": (arc("http://a.ir/1 2"), True),
    "two spaces in the URL, version 2": (arc("http://a.ir/1 2 3", version=2), True),
    "a date of 8 digits": (arc("http://a.ir/1", "20151023"), True),
    "a date of 7 digits": (arc("http://a.ir/1", "2015102"), False),
    "a date of 15 digits": (arc("http://a.ir/1", "201510231000000"), False),
    "no digits": (arc("http://a.ir/1", "2015-10-23"), False),
    "a length of 18 digits": (arc("http://a.ir/1", content_length=f"{CONTENT_LENGTH:018}"), True),
    "a length of 19 digits": (arc("http://a.ir/1", content_length=f"{CONTENT_LENGTH:019}"), False),
    "a length of other digits": (arc("http://a.ir/1", content_length="٤٠"), False),
    "no scheme": (arc("a.ir/1"), False),
    "a scheme of 21 letters": (arc("a" * 21 + "://a.ir/1"), True),
    "a scheme of 22 letters": (arc("a" * 22 + "://a.ir/1"), False),
    "a field too few": (arc("http://a.ir/1").replace(b" 127.0.0.1", b""), False),
}


@pytest.mark.parametrize("name", ARC_LINES)
def test_places_in_an_arc_file(tmp_path: Path, name: str) -> None:
    data, is_record = ARC_LINES[name]
    other = arc("http://a.ir/2")
    head, length = data.index(b"\n") + 1, len(data)
    path = tmp_path / "a.arc"
    for first, size in ((ARC_HEAD, len(ARC_HEAD) - 1), (ARC_WRONG_HEAD, len(ARC_WRONG_HEAD))):
        path.write_bytes(first + other + data + other)
        offsets = offsets_of(first, other, data, other)
        last = (offsets[3], len(other), len(other) - 1, "")
        if is_record:
            assert read_places(path) == [
                (0, len(first), size, ""),
                (offsets[1], len(other), len(other) - 1, ""),
                (offsets[2], length, head + CONTENT_LENGTH, ""),
                last,
            ]
            continue
        message = f"{WRONG_LENGTH} {CONTENT_LENGTH} bytes but does not end there"
        assert read_places(path) == [
            (0, len(first), size, ""),
            (offsets[1], len(other + data), len(other) - 1, message),
            last,
        ]
    path = tmp_path / "a.arc.gz"
    packed = [gzip.compress(part) for part in (ARC_HEAD, data, other)]
    path.write_bytes(b"".join(packed))
    offsets = offsets_of(*packed)
    assert read_places(path) == [
        (0, len(packed[0]), len(ARC_HEAD), ""),
        (offsets[1], len(packed[1]), length, "" if is_record else NO_HEAD),
        (offsets[2], len(packed[2]), len(other), ""),
    ]


MAX_SIZE = 5000


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_the_maximum_size_of_a_page(tmp_path: Path, packed: bool) -> None:
    for size, is_read in ((MAX_SIZE, True), (MAX_SIZE + 1, False), (MAX_SIZE + 70_000, False)):
        data = record(NEWS + "1", http(b"x" * size))
        path = tmp_path / f"{size}.warc"
        path.write_bytes(G2 + gzip.compress(data) if packed else TWO + data)
        offset = len(G2) if packed else len(TWO)
        file = WarcFile(open_stored(path), "file")
        try:
            if is_read:
                assert file.read(offset, MAX_SIZE).payload == b"x" * size
                assert file.read(0, MAX_SIZE).payload == page(2).rstrip()
                continue
            with pytest.raises(ArchiveError) as caught:
                file.read(offset, MAX_SIZE)
        finally:
            file.close()
        # Far over the limit, the reported size is that of the whole record.
        over = size if size == MAX_SIZE + 1 else len(data) - (0 if packed else LINE_ENDS)
        assert str(caught.value) == (
            f"file, offset {offset}: it has at least {over:,} bytes, "
            "more than DOWNLOAD_MAXSIZE (5,000)"
        )
        assert caught.value.reason == "too_large"


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_block_has_the_requested_number_of_bytes(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / "a.warc"
    path.write_bytes(G1 + G2 if packed else ONE + TWO)
    one, first = (ONE, G1) if packed else (ONE[:-LINE_ENDS], ONE)
    file = WarcFile(open_stored(path), "file")
    try:
        for most in (len(one) - 1, len(one), len(one) + 1, 1 << 20):
            block = file.block(0, most)
            assert (block.data, block.size, block.fault) == (one[:most], len(one), None)
            cut = packed and most < len(one)
            assert block.length == (0 if cut else len(first))
            assert file.block(0, most, find_end=True).length == len(first)
        for offset in (-1, file.size, file.size + 1):
            block = file.block(offset, 10)
            assert (block.data, block.length, block.size) == (b"", 0, 0)
            assert (
                str(block.fault) == f"file, offset {offset}: the file has only {file.size:,} bytes"
            )
            assert block.fault is not None and block.fault.reason == "cut_short"
        assert [place for place, _ in file.walk(len(first))] == [len(first)]
    finally:
        file.close()


def test_the_first_record_id(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    assert first_record_id(path) is None
    for data, record_id in (
        (G1 + G2, "<urn:1>"),
        (ONE, "<urn:1>"),
        (b"", None),
        (ONE.replace(b"-Record-", b"-Other-"), None),
        (ONE.replace(b"WARC-Record-ID", b"warc-record-id"), "<urn:1>"),
        (ONE.replace(b"<urn:1>", b"<urn:\xe9>"), "<urn:é>"),
        (skippable(b"x", b"\x5d\x2a\x4d\x18"), None),
    ):
        path.write_bytes(data)
        assert first_record_id(path) == record_id


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError) as caught:
        WarcFile(open_stored(tmp_path / "none.warc"), "name")
    assert str(caught.value) == f"{tmp_path}/none.warc cannot be read (No such file or directory)"

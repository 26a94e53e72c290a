"""Test the offset, length and fault of each record in intact and damaged archive files."""

import gzip
import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from archives import ARC_HEAD, NEWS, arc_record, http, page, record

from crawler.errors import ArchiveError
from crawler.warc.file import WarcFile, first_record_id

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# Line ends at the end of a page would merge with those that follow a record.
ONE, TWO, THREE = (
    record(f"{NEWS}{n}", http(page(n).rstrip()), WARC_Record_ID=f"<urn:{n}>") for n in (1, 2, 3)
)
CONTENT = len(http(page(1).rstrip()))
AFTER = len(b"\r\n\r\n")
# Bytes that compress to half their size, in one block.
NOISE = b"".join(hashlib.sha256(b"%d" % number).hexdigest().encode() for number in range(1000))
DICTIONARY = zstd.train_dict([page(number) for number in range(300)], 2000)

NO_HEADERS = "there are no headers of a record at this place"
NO_HEAD = "it does not begin with the headers of a record"
ENDS_PLAIN = "the file ends within this record, or its length is wrong"
ENDS = "the file ends within this record"
SAYS = "it says that it has"
TOGETHER = (
    "other records are compressed together with this one; "
    "'warcio recompress OLD NEW' makes a file of which they can be read"
)
# Offset, length, unpacked size, and the fault without its place.
Place = tuple[int, int, int, str]


def in_turn(*parts: bytes) -> list[int]:
    """Return the offset of each of some consecutive parts, and the end of the last."""
    return [sum(map(len, parts[:number])) for number in range(len(parts) + 1)]


def longer(data: bytes, count: int, said: int = CONTENT) -> bytes:
    """Return a record whose Content-Length is too large by ``count``."""
    old = b"Content-Length: %d\r" % said
    assert old in data
    return data.replace(old, b"Content-Length: %d\r" % (said + count), 1)


def walked(path: Path, start: int = 0, size: int | None = None) -> list[Place]:
    file = WarcFile(path, str(path), start, size)
    try:
        found = []
        for offset, block in file.walk():
            fault = str(block.fault or "")
            prefix = f"{path}, offset {offset}: "
            # The libraries' own error messages are in brackets.
            told = fault.removeprefix(prefix).partition(" (Error")[0]
            found.append((offset, block.length, block.size, told))
        return found
    finally:
        file.close()


def whole(*parts: bytes, first: int = 0) -> list[Place]:
    """Return the places of consecutive records in a plain file, starting at byte ``first``."""
    return [
        (first + place, len(part), len(part) - AFTER, "")
        for place, part in zip(in_turn(*parts), parts, strict=False)
    ]


NO_LENGTH = ONE.replace(b"\nContent-Length: %d\r" % CONTENT, b"\nX: y\r")
PLAIN: dict[str, tuple[bytes, list[Place]]] = {
    "nothing": (b"", []),
    "line ends only": (b"\r\n" * 40, []),
    "three": (ONE + TWO + THREE, whole(ONE, TWO, THREE)),
    "no line ends after the last": (
        ONE + TWO[:-AFTER],
        [*whole(ONE), (len(ONE), len(TWO) - AFTER, len(TWO) - AFTER, "")],
    ),
    "a byte short": (
        ONE + TWO[: -AFTER - 1],
        [*whole(ONE), (len(ONE), len(TWO) - AFTER - 1, len(TWO) - AFTER - 1, ENDS_PLAIN)],
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
        [(0, len(ONE) + 4, len(ONE) - AFTER, f"{SAYS} {CONTENT} bytes, and does not end there")],
    ),
    "a length too short": (
        longer(ONE, -1) + TWO,
        [
            (0, len(ONE), len(ONE) - 5, f"{SAYS} {CONTENT - 1} bytes, and does not end there"),
            *whole(TWO, first=len(ONE)),
        ],
    ),
    "a length over the next": (
        longer(ONE, 100) + TWO,
        [
            (0, len(ONE), len(ONE) + 96, f"{SAYS} {CONTENT + 100} bytes, and does not end there"),
            *whole(TWO, first=len(ONE)),
        ],
    ),
    "a length over the end": (
        ONE + longer(TWO, 5),
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
    assert walked(path) == places


@pytest.mark.parametrize("count", [1, 7, 8, 9, 23, 24, 25, 300])
def test_line_ends_before_a_record(tmp_path: Path, count: int) -> None:
    path = tmp_path / "a.warc"
    path.write_bytes(b"\n" * count + ONE + b"\r" * count + TWO + b"\n" * count)
    file = WarcFile(path, "a.warc")
    found = [(offset, block.length, block.data, block.fault) for offset, block in file.walk()]
    file.close()
    first, second = count + len(ONE) + count, len(TWO) + count
    assert found == [(0, first, ONE[:-AFTER], None), (first, second, TWO[:-AFTER], None)]


@pytest.mark.parametrize("end", [2047, 2048, 2049, 65_535, 65_536, 65_537])
def test_a_head_of_many_bytes(tmp_path: Path, end: int) -> None:
    """A record's headers may take 65,536 bytes, and a file is read in smaller parts."""
    head = ONE.index(b"\r\n\r\n") + AFTER
    filled = ONE.replace(b"\r\n", b"\r\nX: " + b"x" * (end - head - len("\r\nX: ")) + b"\r\n", 1)
    assert filled.index(b"\r\n\r\n") + AFTER == end
    path = tmp_path / "a.warc"
    path.write_bytes(filled + TWO)
    (_, length, size, fault), *rest = walked(path)
    fits = end <= 65_536
    assert (length, size, fault) == (
        (len(filled), len(filled) - AFTER, "") if fits else (len(filled), 0, NO_HEADERS)
    )
    assert rest == whole(TWO, first=len(filled))


@pytest.mark.parametrize(
    "count", [2, 2047, 2048, 2049, 4090, 4095, 4096, 4097, 6144, 10_240, 70_000, 2_200_000]
)
def test_the_next_record_is_found_however_far_it_is(tmp_path: Path, count: int) -> None:
    path = tmp_path / "a.warc"
    path.write_bytes(b"\0" * (count - 1) + b"\n" + ONE)
    # Junk is scanned for headers in halves of a buffer, and each may be reported separately.
    *junk, last = walked(path)
    assert [fault for *_, fault in junk] == [NO_HEADERS] * len(junk)
    assert sum(length for _, length, *_ in junk) == count
    assert last == whole(ONE, first=count)[0]
    packed = gzip.compress(ONE, mtime=0)
    path = tmp_path / "a.warc.gz"
    path.write_bytes(gzip.compress(TWO) + b"\0" * count + packed)
    _, (_, length, size, fault), last = walked(path)
    assert (length, size) == (count, 0)
    assert fault.startswith("its compressed bytes are damaged")
    assert last == (len(path.read_bytes()) - len(packed), len(packed), len(ONE), "")


def stored_member(size: int) -> bytes:
    """Return a record in a gzip member of this size in bytes."""
    body = bytes(byte or 1 for byte in bytearray(range(256))) * 80
    for count in range(size - 700, size):
        packed = gzip.compress(record(NEWS + "9", http(body[:count])), 0, mtime=0)
        if len(packed) == size:
            return packed
    raise AssertionError(size)


@pytest.mark.parametrize("size", [16_383, 16_384, 16_385, 16_391, 16_392])
def test_a_member_about_as_long_as_a_part_of_the_file(tmp_path: Path, size: int) -> None:
    first, second = stored_member(size), gzip.compress(TWO)
    path = tmp_path / "a.warc.gz"
    path.write_bytes(first + second)
    unpacked = len(gzip.decompress(first))
    expected = [(0, size, unpacked, ""), (size, len(second), len(TWO), "")]
    assert walked(path) == expected
    for left in (size - 1, size - 8, size - 9):
        path.write_bytes(first[:left])
        [(offset, length, _, fault)] = walked(path)
        assert (offset, length, fault) == (0, left, ENDS)


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
@pytest.mark.parametrize("over", range(-1, 6))
def test_a_record_about_as_long_as_what_is_unpacked_at_once(
    tmp_path: Path, pack: Callable[[bytes], bytes], over: int
) -> None:
    """Line ends split between two reads are not reported as extra bytes."""
    head = len(record(NEWS + "9", http(b""))) + len("1048576") - len(str(len(http(b""))))
    data = record(NEWS + "9", http(b"x" * ((1 << 20) - head + over)))
    assert len(data) == (1 << 20) + over
    path = tmp_path / "a.warc.gz"
    path.write_bytes(pack(data) + pack(TWO))
    first = len(pack(data))
    assert walked(path) == [(0, first, len(data), ""), (first, len(pack(TWO)), len(TWO), "")]
    path.write_bytes(pack(data[:-AFTER] + b"\r\n" * 9) + pack(TWO))
    assert [fault for *_, fault in walked(path)] == ["", ""]
    path.write_bytes(pack(data[:-AFTER] + b"\r\n\n..\n") + pack(TWO))
    said = f"{SAYS} {len(http(b'')) + (1 << 20) - head + over:,} bytes, and has 5 more"
    assert [fault for *_, fault in walked(path)] == [said, ""]


G1, G2, G3 = (gzip.compress(part, mtime=0) for part in (ONE, TWO, THREE))
DAMAGED = "its compressed bytes are damaged"


def members(*parts: bytes, first: int = 0) -> list[Place]:
    return [
        (first + place, len(part), len(gzip.decompress(part)), "")
        for place, part in zip(in_turn(*parts), parts, strict=False)
    ]


def packed_with(data: bytes) -> bytes:
    """Return the gzip member of a record, followed by another."""
    return gzip.compress(data, mtime=0) + G2


SHORT, LONG = packed_with(longer(ONE, 50)), packed_with(longer(ONE, -7))
NO_RECORD, TWO_IN_ONE = packed_with(b"no record"), gzip.compress(TWO + THREE, mtime=0)
GZIP: dict[str, tuple[bytes, list[Place]]] = {
    "three": (G1 + G2 + G3, members(G1, G2, G3)),
    "an empty member between": (
        G1 + gzip.compress(b"", mtime=0) + G2,
        [*members(G1), *members(G2, first=len(G1) + len(gzip.compress(b"")))],
    ),
    "no line ends": (
        packed_with(ONE[:-AFTER]),
        [
            (0, len(packed_with(ONE[:-AFTER])) - len(G2), len(ONE) - AFTER, ""),
            *members(G2, first=len(packed_with(ONE[:-AFTER])) - len(G2)),
        ],
    ),
    "cut": (G1 + G2[:-1], [*members(G1), (len(G1), len(G2) - 1, len(TWO), ENDS)]),
    "cut within the magic bytes": (G1 + G2[:2], [*members(G1), (len(G1), 2, 0, ENDS)]),
    "zeros last": (G1 + bytes(9), [*members(G1), (len(G1), 9, 0, DAMAGED)]),
    "junk between": (
        G1 + b"junk" + G2,
        [*members(G1), (len(G1), 4, 0, DAMAGED), *members(G2, first=len(G1) + 4)],
    ),
    "a wrong checksum": (
        G1[:-5] + bytes((G1[-5] ^ 1,)) + G1[-4:] + G2,
        [(0, len(G1), 0, DAMAGED), *members(G2, first=len(G1))],
    ),
    "a record that is too short": (
        SHORT,
        [
            (
                0,
                len(SHORT) - len(G2),
                len(ONE),
                f"{SAYS} {CONTENT + 50} bytes, and has {CONTENT + 4}",
            ),
            *members(G2, first=len(SHORT) - len(G2)),
        ],
    ),
    "a record that is too long": (
        LONG,
        [
            (0, len(LONG) - len(G2), len(ONE), f"{SAYS} {CONTENT - 7} bytes, and has 7 more"),
            *members(G2, first=len(LONG) - len(G2)),
        ],
    ),
    "no record": (
        NO_RECORD,
        [
            (0, len(NO_RECORD) - len(G2), len("no record"), NO_HEAD),
            *members(G2, first=len(NO_RECORD) - len(G2)),
        ],
    ),
    "two in one, after the first": (
        G1 + TWO_IN_ONE + G3,
        [
            *members(G1),
            (len(G1), len(TWO_IN_ONE), len(TWO + THREE), TOGETHER),
            *members(G3, first=len(G1 + TWO_IN_ONE)),
        ],
    ),
    "two in the first": (TWO_IN_ONE + G1, whole(TWO, THREE, ONE)),
    "all in one, with junk": (
        gzip.compress(TWO + THREE + b"junk\n" + ONE),
        [
            *whole(TWO),
            (
                len(TWO),
                len(THREE) + 5,
                len(THREE) - AFTER,
                f"{SAYS} {CONTENT} bytes, and does not end there",
            ),
            *whole(ONE, first=len(TWO + THREE) + 5),
        ],
    ),
    "the first bytes are no gzip": (
        b"\0\0" + G1 + G2,
        [(0, 2, 0, DAMAGED), *members(G1, G2, first=2)],
    ),
    "plain, whatever its name says": (ONE + TWO, whole(ONE, TWO)),
}


@pytest.mark.parametrize("name", GZIP)
def test_places_in_a_compressed_file(tmp_path: Path, name: str) -> None:
    data, places = GZIP[name]
    path = tmp_path / "a.warc.gz"
    path.write_bytes(data)
    if name in ("a wrong checksum", "zeros last"):
        # How many bytes a decoder returns before it notices the damage depends on its version.
        assert [(*place[:2], place[3]) for place in walked(path)] == [
            (*place[:2], place[3]) for place in places
        ]
    else:
        assert walked(path) == places
    # A file within another, such as a ZIP file, ends at its given size.
    around = tmp_path / "b.warc.gz"
    around.write_bytes(b"before" + data + b"after")
    inside = walked(around, 6, len(data))
    assert [place[:2] for place in inside] == [place[:2] for place in places]
    # A size beyond the end of the file is cut to it.
    around.write_bytes(b"before" + data)
    assert walked(around, 6, len(data) + 1) == walked(around, 6) == inside


@pytest.mark.parametrize("what", ["cut", "damaged"])
def test_a_file_that_is_compressed_as_a_whole_and_not_whole(tmp_path: Path, what: str) -> None:
    """Everything before the first byte that cannot be unpacked is read."""
    third = record(NEWS + "3", http(bytes(range(256)) * 160))
    packed = gzip.compress(ONE + TWO + third, 0)
    data = packed[:-99] if what == "cut" else packed[:-8] + b"\0\0\0\0" + packed[-4:]
    path = tmp_path / "a.warc.gz"
    path.write_bytes(data)
    file = WarcFile(path, "a file")
    *found, (end, last) = file.walk()
    file.close()
    assert [(offset, block.length) for offset, block in found[:2]] == [
        (0, len(ONE)),
        (len(ONE), len(TWO)),
    ]
    [(begin, cut)] = found[2:]
    assert (begin, begin + cut.length) == (len(ONE + TWO), end)
    assert str(cut.fault) == f"a file, offset {begin}: {ENDS_PLAIN}"
    assert (last.length, last.size, last.data) == (0, 0, b"")
    assert last.fault is not None
    assert (str(last.fault).partition(" (")[0], last.fault.reason) == (
        ("a file: it is cut off", "cut_short")
        if what == "cut"
        else (f"a file: {DAMAGED} before byte {len(data):,}", "unreadable")
    )


@pytest.mark.parametrize("open_", ["", ".open"])
def test_the_end_of_a_file_that_is_being_written(tmp_path: Path, open_: str) -> None:
    """Only the last record of such a file may be cut; damage to it is reported."""
    for ending, data, cut in ((".warc.gz", G1 + G2[:-9], 1), (".warc", ONE + TWO[:-9], 1)):
        path = tmp_path / f"a{ending}{open_}"
        path.write_bytes(data)
        assert len(walked(path)) == (1 if open_ else 1 + cut)
        path.write_bytes(data + b"\n" + data)
        assert [bool(fault) for *_, fault in walked(path)][:2] == [False, True]
    path = tmp_path / f"b.warc.gz{open_}"
    path.write_bytes(G1 + b"junk")
    assert [fault for *_, fault in walked(path)] == ["", DAMAGED]


def skippable(data: bytes, magic: bytes = b"\x50\x2a\x4d\x18") -> bytes:
    return magic + len(data).to_bytes(4, "little") + data


@pytest.mark.parametrize("shared", ["none", "plain", "compressed"])
def test_places_in_a_file_of_zstd(tmp_path: Path, shared: str) -> None:
    words = DICTIONARY if shared != "none" else None
    bare = DICTIONARY.dict_content
    held = zstd.compress(bare) if shared == "compressed" else bare
    begin = skippable(held, b"\x5d\x2a\x4d\x18") if shared != "none" else b""
    parts = [zstd.compress(part, zstd_dict=words) for part in (ONE, TWO)]
    path = tmp_path / "a.warc.zst"
    path.write_bytes(begin + parts[0] + skippable(b"x" * 300) + skippable(b"") + parts[1])
    second = len(begin + parts[0]) + 308 + 8
    assert walked(path) == [
        (len(begin), len(parts[0]), len(ONE), ""),
        (second, len(parts[1]), len(TWO), ""),
    ]
    file = WarcFile(path, "a.warc.zst")
    got = [file.read(place, 1 << 20).payload for place in (len(begin), second)]
    skipped = file.block(len(begin + parts[0]), 1 << 20)
    file.close()
    assert got == [page(1).rstrip(), page(2).rstrip()]
    assert (skipped.data, skipped.length, skipped.size, skipped.fault) == (b"", 308, 0, None)
    # After damage, a frame that yields no bytes until much of it is read.
    large = zstd.compress(record(NEWS + "3", http(NOISE)), zstd_dict=words)
    path.write_bytes(begin + parts[0] + b"junk" + large)
    *_, (offset, length, _, fault) = walked(path)
    assert (offset, length, fault) == (len(begin + parts[0]) + 4, len(large), "")
    # Both records in one frame.
    path.write_bytes(begin + zstd.compress(ONE + TWO, zstd_dict=words) + skippable(b"x"))
    assert walked(path) == whole(ONE, TWO)
    path.write_bytes(begin + parts[0] + parts[1][:-1])
    assert [fault for *_, fault in walked(path)] == ["", ENDS]
    # A skippable frame may be cut, as it holds no record.
    path.write_bytes(begin + parts[0] + skippable(b"x" * 300)[:-1])
    assert walked(path) == [(len(begin), len(parts[0]), len(ONE), "")]


@pytest.mark.parametrize("dictionary", ["cut", "damaged", "none"])
def test_a_dictionary_that_cannot_be_read(tmp_path: Path, dictionary: str) -> None:
    packed = zstd.compress(DICTIONARY.dict_content)
    held = {"cut": packed[:-1], "damaged": packed[:4] + b"\xff" * 99, "none": b"no dictionary"}
    path = tmp_path / "a.warc.zst"
    path.write_bytes(skippable(held[dictionary], b"\x5d\x2a\x4d\x18") + zstd.compress(ONE))
    with pytest.raises(ArchiveError) as caught:
        WarcFile(path, "named")
    assert str(caught.value).partition(" (")[0] == "named: its zstd dictionary cannot be read"


def arc(url: str, date: str = "20151023100000", said: object = CONTENT, version: int = 1) -> bytes:
    """Return an ARC record of version 1 or 2 with the given fields in its first line."""
    fields = [url, "127.0.0.1", date, "text/html"]
    more = ["200", "-", "-", "0", "a.arc"] if version == 2 else []
    content = http(page(1).rstrip())
    return " ".join([*fields, *more, str(said)]).encode() + b"\n" + content + b"\n"


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
    "a length of 18 digits": (arc("http://a.ir/1", said=f"{CONTENT:018}"), True),
    "a length of 19 digits": (arc("http://a.ir/1", said=f"{CONTENT:019}"), False),
    "a length of other digits": (arc("http://a.ir/1", said="٤٠"), False),
    "no scheme": (arc("a.ir/1"), False),
    "a scheme of 21 letters": (arc("a" * 21 + "://a.ir/1"), True),
    "a scheme of 22 letters": (arc("a" * 22 + "://a.ir/1"), False),
    "a field too few": (arc("http://a.ir/1").replace(b" 127.0.0.1", b""), False),
}


@pytest.mark.parametrize("name", ARC_LINES)
def test_places_in_a_file_of_arc(tmp_path: Path, name: str) -> None:
    data, is_record = ARC_LINES[name]
    other = arc("http://a.ir/2")
    head, length = data.index(b"\n") + 1, len(data)
    path = tmp_path / "a.arc"
    for first, size in ((ARC_HEAD, len(ARC_HEAD) - 1), (ARC_WRONG_HEAD, len(ARC_WRONG_HEAD))):
        path.write_bytes(first + other + data + other)
        begins = in_turn(first, other, data, other)
        last = (begins[3], len(other), len(other) - 1, "")
        if is_record:
            assert walked(path) == [
                (0, len(first), size, ""),
                (begins[1], len(other), len(other) - 1, ""),
                (begins[2], length, head + CONTENT, ""),
                last,
            ]
            continue
        told = f"{SAYS} {CONTENT} bytes, and does not end there"
        assert walked(path) == [
            (0, len(first), size, ""),
            (begins[1], len(other + data), len(other) - 1, told),
            last,
        ]
    path = tmp_path / "a.arc.gz"
    packed = [gzip.compress(part) for part in (ARC_HEAD, data, other)]
    path.write_bytes(b"".join(packed))
    offsets = in_turn(*packed)
    assert walked(path) == [
        (0, len(packed[0]), len(ARC_HEAD), ""),
        (offsets[1], len(packed[1]), length, "" if is_record else NO_HEAD),
        (offsets[2], len(packed[2]), len(other), ""),
    ]


MOST = 5000


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_page_has_a_size_at_most(tmp_path: Path, packed: bool) -> None:
    for size, is_read in ((MOST, True), (MOST + 1, False), (MOST + 70_000, False)):
        data = record(NEWS + "1", http(b"x" * size))
        path = tmp_path / f"{size}.warc"
        path.write_bytes(G2 + gzip.compress(data) if packed else TWO + data)
        offset = len(G2) if packed else len(TWO)
        file = WarcFile(path, "file")
        try:
            if is_read:
                assert file.read(offset, MOST).payload == b"x" * size
                assert file.read(0, MOST).payload == page(2).rstrip()
                continue
            with pytest.raises(ArchiveError) as caught:
                file.read(offset, MOST)
        finally:
            file.close()
        # Far over the limit, the reported size is that of the whole record.
        over = size if size == MOST + 1 else len(data) - (0 if packed else AFTER)
        assert str(caught.value) == (
            f"file, offset {offset}: it has {over:,} bytes or more, over DOWNLOAD_MAXSIZE (5,000)"
        )
        assert caught.value.reason == "too_large"


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_block_has_as_many_bytes_as_asked_for(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / "a.warc"
    path.write_bytes(G1 + G2 if packed else ONE + TWO)
    one, first = (ONE, G1) if packed else (ONE[:-AFTER], ONE)
    file = WarcFile(path, "file")
    try:
        for most in (len(one) - 1, len(one), len(one) + 1, 1 << 20):
            block = file.block(0, most)
            assert (block.data, block.size, block.fault) == (one[:most], len(one), None)
            cut = packed and most < len(one)
            assert block.length == (0 if cut else len(first))
            assert file.block(0, most, to_its_end=True).length == len(first)
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


def test_a_damaged_member_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    path.write_bytes(GZIP["a wrong checksum"][0])
    file = WarcFile(path, "file")
    data = file.block(0, 1 << 20).data
    file.close()
    assert data == ONE


def test_the_first_record_id(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    assert first_record_id(path) is None
    for data, told in (
        (G1 + G2, "<urn:1>"),
        (ONE, "<urn:1>"),
        (b"", None),
        (ONE.replace(b"-Record-", b"-Other-"), None),
        (ONE.replace(b"WARC-Record-ID", b"warc-record-id"), "<urn:1>"),
        (ONE.replace(b"<urn:1>", b"<urn:\xe9>"), "<urn:é>"),
        (skippable(b"x", b"\x5d\x2a\x4d\x18"), None),
    ):
        path.write_bytes(data)
        assert first_record_id(path) == told


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError) as caught:
        WarcFile(tmp_path / "none.warc", "name")
    assert str(caught.value) == f"{tmp_path}/none.warc cannot be read (No such file or directory)"

"""Test the offset, length and fault of each record in files compressed with gzip or zstd."""

import gzip
import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from archive_places import (
    CONTENT_LENGTH,
    ENDS_PLAIN,
    G1,
    G2,
    G3,
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
from archives import NEWS, http, page, record

from crawler.errors import ArchiveError
from crawler.warc.file import WarcFile
from crawler.warc.stored_bytes import open_stored

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# Bytes that compress to half their size, in one block.
NOISE = b"".join(hashlib.sha256(b"%d" % number).hexdigest().encode() for number in range(1000))
DICTIONARY = zstd.train_dict([page(number) for number in range(300)], 2000)
ENDS = "the file ends within this record"
TOGETHER = (
    "other records are compressed together with this one; "
    "'warcio recompress OLD NEW' makes a file whose records can be read one by one"
)
DAMAGED = "its compressed bytes are damaged"


def stored_member(size: int) -> bytes:
    """Return a record in a gzip member of this size in bytes."""
    body = bytes(byte or 1 for byte in bytearray(range(256))) * 80
    for count in range(size - 700, size):
        packed = gzip.compress(record(NEWS + "9", http(body[:count])), 0, mtime=0)
        if len(packed) == size:
            return packed
    raise AssertionError(size)


@pytest.mark.parametrize("size", [16_383, 16_384, 16_385, 16_391, 16_392])
def test_a_member_about_as_long_as_one_read(tmp_path: Path, size: int) -> None:
    first, second = stored_member(size), gzip.compress(TWO)
    path = tmp_path / "a.warc.gz"
    path.write_bytes(first + second)
    unpacked = len(gzip.decompress(first))
    expected = [(0, size, unpacked, ""), (size, len(second), len(TWO), "")]
    assert read_places(path) == expected
    for shorter in (size - 1, size - 8, size - 9):
        path.write_bytes(first[:shorter])
        [(offset, length, _, fault)] = read_places(path)
        assert (offset, length, fault) == (0, shorter, ENDS)


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
@pytest.mark.parametrize("over", range(-1, 6))
def test_a_record_about_as_long_as_one_unpacked_piece(
    tmp_path: Path, pack: Callable[[bytes], bytes], over: int
) -> None:
    """Line ends split between two reads are not reported as extra bytes."""
    head = len(record(NEWS + "9", http(b""))) + len("1048576") - len(str(len(http(b""))))
    data = record(NEWS + "9", http(b"x" * ((1 << 20) - head + over)))
    assert len(data) == (1 << 20) + over
    path = tmp_path / "a.warc.gz"
    path.write_bytes(pack(data) + pack(TWO))
    first = len(pack(data))
    assert read_places(path) == [(0, first, len(data), ""), (first, len(pack(TWO)), len(TWO), "")]
    path.write_bytes(pack(data[:-LINE_ENDS] + b"\r\n" * 9) + pack(TWO))
    assert [fault for *_, fault in read_places(path)] == ["", ""]
    path.write_bytes(pack(data[:-LINE_ENDS] + b"\r\n\n..\n") + pack(TWO))
    message = f"{WRONG_LENGTH} {len(http(b'')) + (1 << 20) - head + over:,} bytes but has 5 more"
    assert [fault for *_, fault in read_places(path)] == [message, ""]


def members(*parts: bytes, first: int = 0) -> list[Place]:
    return [
        (first + place, len(part), len(gzip.decompress(part)), "")
        for place, part in zip(offsets_of(*parts), parts, strict=False)
    ]


def packed_with(data: bytes) -> bytes:
    """Return the gzip member of a record, followed by another."""
    return gzip.compress(data, mtime=0) + G2


SHORT, LONG = packed_with(with_length_off_by(ONE, 50)), packed_with(with_length_off_by(ONE, -7))
NO_RECORD, TWO_IN_ONE = packed_with(b"no record"), gzip.compress(TWO + THREE, mtime=0)
GZIP: dict[str, tuple[bytes, list[Place]]] = {
    "three": (G1 + G2 + G3, members(G1, G2, G3)),
    "an empty member between": (
        G1 + gzip.compress(b"", mtime=0) + G2,
        [*members(G1), *members(G2, first=len(G1) + len(gzip.compress(b"")))],
    ),
    "no line ends": (
        packed_with(ONE[:-LINE_ENDS]),
        [
            (0, len(packed_with(ONE[:-LINE_ENDS])) - len(G2), len(ONE) - LINE_ENDS, ""),
            *members(G2, first=len(packed_with(ONE[:-LINE_ENDS])) - len(G2)),
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
                f"{WRONG_LENGTH} {CONTENT_LENGTH + 50} bytes but has {CONTENT_LENGTH + 4}",
            ),
            *members(G2, first=len(SHORT) - len(G2)),
        ],
    ),
    "a record that is too long": (
        LONG,
        [
            (
                0,
                len(LONG) - len(G2),
                len(ONE),
                f"{WRONG_LENGTH} {CONTENT_LENGTH - 7} bytes but has 7 more",
            ),
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
                len(THREE) - LINE_ENDS,
                f"{WRONG_LENGTH} {CONTENT_LENGTH} bytes but does not end there",
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
        assert [(*place[:2], place[3]) for place in read_places(path)] == [
            (*place[:2], place[3]) for place in places
        ]
    else:
        assert read_places(path) == places
    # A file within another, such as a ZIP file, ends at its given size.
    outer = tmp_path / "b.warc.gz"
    outer.write_bytes(b"before" + data + b"after")
    inner_places = read_places(outer, 6, len(data))
    assert [place[:2] for place in inner_places] == [place[:2] for place in places]
    # A size beyond the end of the file is cut to it.
    outer.write_bytes(b"before" + data)
    assert read_places(outer, 6, len(data) + 1) == read_places(outer, 6) == inner_places


@pytest.mark.parametrize("what", ["cut", "damaged"])
def test_an_incomplete_file_that_is_compressed_as_a_whole(tmp_path: Path, what: str) -> None:
    """Everything before the first byte that cannot be unpacked is read."""
    third = record(NEWS + "3", http(bytes(range(256)) * 160))
    packed = gzip.compress(ONE + TWO + third, 0)
    data = packed[:-99] if what == "cut" else packed[:-8] + b"\0\0\0\0" + packed[-4:]
    path = tmp_path / "a.warc.gz"
    path.write_bytes(data)
    file = WarcFile(open_stored(path), "a file")
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
        assert len(read_places(path)) == (1 if open_ else 1 + cut)
        path.write_bytes(data + b"\n" + data)
        assert [bool(fault) for *_, fault in read_places(path)][:2] == [False, True]
    path = tmp_path / f"b.warc.gz{open_}"
    path.write_bytes(G1 + b"junk")
    assert [fault for *_, fault in read_places(path)] == ["", DAMAGED]


@pytest.mark.parametrize("shared", ["none", "plain", "compressed"])
def test_places_in_a_zstd_file(tmp_path: Path, shared: str) -> None:
    words = DICTIONARY if shared != "none" else None
    bare = DICTIONARY.dict_content
    content = zstd.compress(bare) if shared == "compressed" else bare
    prefix = skippable(content, b"\x5d\x2a\x4d\x18") if shared != "none" else b""
    parts = [zstd.compress(part, zstd_dict=words) for part in (ONE, TWO)]
    path = tmp_path / "a.warc.zst"
    path.write_bytes(prefix + parts[0] + skippable(b"x" * 300) + skippable(b"") + parts[1])
    second = len(prefix + parts[0]) + 308 + 8
    assert read_places(path) == [
        (len(prefix), len(parts[0]), len(ONE), ""),
        (second, len(parts[1]), len(TWO), ""),
    ]
    file = WarcFile(open_stored(path), "a.warc.zst")
    payloads = [file.read(place, 1 << 20).payload for place in (len(prefix), second)]
    skipped = file.block(len(prefix + parts[0]), 1 << 20)
    file.close()
    assert payloads == [page(1).rstrip(), page(2).rstrip()]
    assert (skipped.data, skipped.length, skipped.size, skipped.fault) == (b"", 308, 0, None)
    # After damage, a frame that yields no bytes until much of it is read.
    large = zstd.compress(record(NEWS + "3", http(NOISE)), zstd_dict=words)
    path.write_bytes(prefix + parts[0] + b"junk" + large)
    *_, (offset, length, _, fault) = read_places(path)
    assert (offset, length, fault) == (len(prefix + parts[0]) + 4, len(large), "")
    # Both records in one frame.
    path.write_bytes(prefix + zstd.compress(ONE + TWO, zstd_dict=words) + skippable(b"x"))
    assert read_places(path) == whole(ONE, TWO)
    path.write_bytes(prefix + parts[0] + parts[1][:-1])
    assert [fault for *_, fault in read_places(path)] == ["", ENDS]
    # A skippable frame may be cut, as it holds no record.
    path.write_bytes(prefix + parts[0] + skippable(b"x" * 300)[:-1])
    assert read_places(path) == [(len(prefix), len(parts[0]), len(ONE), "")]


@pytest.mark.parametrize("dictionary", ["cut", "damaged", "none"])
def test_a_dictionary_that_cannot_be_read(tmp_path: Path, dictionary: str) -> None:
    packed = zstd.compress(DICTIONARY.dict_content)
    dictionaries = {
        "cut": packed[:-1],
        "damaged": packed[:4] + b"\xff" * 99,
        "none": b"no dictionary",
    }
    path = tmp_path / "a.warc.zst"
    path.write_bytes(skippable(dictionaries[dictionary], b"\x5d\x2a\x4d\x18") + zstd.compress(ONE))
    with pytest.raises(ArchiveError) as caught:
        WarcFile(open_stored(path), "named")
    assert str(caught.value).partition(" (")[0] == "named: its zstd dictionary cannot be read"


def test_a_damaged_member_is_read_as_far_as_possible(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    path.write_bytes(GZIP["a wrong checksum"][0])
    file = WarcFile(open_stored(path), "file")
    data = file.block(0, 1 << 20).data
    file.close()
    assert data == ONE

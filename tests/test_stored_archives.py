"""Test archives on S3 and on a web server: the same pages and messages, and few bytes read."""

import gzip
import json
import pickle
import sys
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from archive_indexes import line
from archive_places import skippable
from archives import ARC_HEAD, NEWS, Warc, arc_record, http, page, record
from hypothesis import given
from hypothesis import strategies as st
from stored_places import (
    Place,
    Read,
    bucket_of_a_test,  # noqa: F401
    place_of_a_test,  # noqa: F401
    web_server_of_a_test,  # noqa: F401
)

from crawler.errors import ArchiveError
from crawler.warc.archive import ArchiveFile
from crawler.warc.captures import Capture
from crawler.warc.record_reader import RecordReader
from crawler.warc.records import Record
from crawler.warc.stored_bytes import Address
from crawler.warc.stored_file import Location

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MOST = 1 << 20
RECORDS = [
    record(f"{NEWS}{n}", http(page(n).rstrip()), WARC_Record_ID=f"<urn:{n}>") for n in range(40)
]
WORDS = zstd.train_dict([page(number) for number in range(300)], 2000)
TEXTS = b"".join(
    b'{"url": "%s%d", "text": "The text of page %d", "timestamp": "2019-04-25T12:57:54Z"}\n'
    % (NEWS.encode(), n, n)
    for n in range(40)
)


def zipped(files: dict[str, bytes]) -> bytes:
    target = BytesIO()
    with zipfile.ZipFile(target, "w") as wacz:
        for name, data in files.items():
            wacz.writestr(name, data)
    return target.getvalue()


def packed(pack: Callable[[bytes], bytes], records: list[bytes] = RECORDS) -> bytes:
    return b"".join(map(pack, records))


FILES = {
    "plain.warc": packed(bytes),
    "a.warc.gz": packed(gzip.compress),
    "whole.warc.gz": gzip.compress(packed(bytes)),
    "a.warc.zst": packed(zstd.compress),
    "words.warc.zst": skippable(WORDS.dict_content, b"\x5d\x2a\x4d\x18")
    + packed(lambda data: zstd.compress(data, zstd_dict=WORDS)),
    "a.arc.gz": packed(
        gzip.compress, [ARC_HEAD, *(arc_record(f"{NEWS}{n}", http(page(n))) for n in range(40))]
    ),
    "a.wacz": zipped(
        {
            "archive/a.warc.gz": packed(gzip.compress, RECORDS[:20]),
            "archive/b.warc": packed(bytes, RECORDS[20:]),
        }
    ),
    "texts.jsonl": TEXTS,
    "texts.jsonl.gz": gzip.compress(TEXTS),
}
WHOLE = ("whole.warc.gz", "texts.jsonl.gz")


@contextmanager
def opened(address: Address) -> Iterator[ArchiveFile]:
    file = ArchiveFile(address, keeps_index=False)
    try:
        yield file
    finally:
        file.close()


@pytest.fixture(name="reader")
def record_reader() -> Iterator[RecordReader]:
    reader = RecordReader()
    yield reader
    reader.close()


Outcome = Record | str


def outcome(read: Callable[[], Record]) -> Outcome:
    try:
        return read()
    except ArchiveError as error:
        return f"{error.reason}: {error}"


def by_location(
    reader: RecordReader, file: ArchiveFile, capture: Capture, most: int = MOST
) -> Outcome:
    """Return a record as another process reads it, and check its place."""
    location: Location = pickle.loads(pickle.dumps(file.location(capture)))
    assert reader.place(location, capture.offset) == file.place(capture)
    return outcome(lambda: reader.read(location, capture.offset, capture.length, most))


def in_context(file: ArchiveFile, capture: Capture, most: int = MOST) -> Outcome:
    """Return a record as it is read if its length is unknown."""
    return outcome(lambda: file.files[capture.file].read(capture.offset, most))


@pytest.mark.parametrize("name", FILES)
def test_the_same_records_as_from_a_local_file(
    place: Place, tmp_path: Path, reader: RecordReader, name: str
) -> None:
    path, data = tmp_path / name, FILES[name]
    path.write_bytes(data)
    address = place.put(name, data)
    with opened(path) as local, opened(address) as remote:
        captures = list(local.index)
        assert [capture.url for capture in captures] == sorted(f"{NEWS}{n}" for n in range(40))
        assert list(remote.index) == captures
        assert (remote.source, remote.name) == (local.source, address)
        assert remote.index.faults == local.index.faults == ()
        for capture in captures:
            expected = in_context(local, capture)
            assert isinstance(expected, Record) and expected.url == capture.url
            assert by_location(reader, local, capture) == expected
        place.forget()
        for capture in captures:
            assert by_location(reader, remote, capture) == in_context(local, capture)
        reads = place.reads()
        size = len(data)
        if name in WHOLE:
            # It is unpacked once.
            assert sum(read.end - read.begin for read in reads) == size
            return
        files = 2 if name == "a.wacz" else 1
        expected_reads = []
        seen: set[Location] = set()
        for capture in captures:
            location = remote.location(capture)
            if location.dictionary and location not in seen:
                expected_reads.append(Read(name, 8, 8 + len(WORDS.dict_content)))
            seen.add(location)
            begin = location.start + capture.offset
            expected_reads.append(Read(name, begin, begin + capture.length))
        assert reads == expected_reads
        assert (len(seen), place.heads() <= files) == (files, True)


@pytest.mark.parametrize("name", ["a.warc.gz", "plain.warc", "a.warc.zst", "words.warc.zst"])
def test_a_walk_reads_each_byte_once_and_in_order(place: Place, name: str) -> None:
    records = [record(f"{NEWS}{n}", http(page(n, more=f" {n * n}" * 300))) for n in range(1000)]
    pack = {"gz": gzip.compress, "zst": zstd.compress}.get(name.rpartition(".")[2], bytes)
    data = packed(pack, records)
    if name.startswith("words"):
        data = skippable(WORDS.dict_content, b"\x5d\x2a\x4d\x18") + packed(
            lambda one: zstd.compress(one, zstd_dict=WORDS), records
        )
    address = place.put(name, data)
    place.forget()
    with opened(address) as file:
        assert file.index.captures == 1000
    reads = place.reads()
    ends = [0, *(read.end for read in reads)]
    assert [read.begin for read in reads] == ends[:-1]
    assert ends[-1] == len(data)
    assert len(reads) <= 5
    assert place.heads() <= 1


def test_few_requests_for_a_wacz(place: Place) -> None:
    members = [gzip.compress(one) for one in RECORDS]
    index, offset = "", 0
    for number, member in enumerate(members):
        index += line(number, offset, filename="a.warc.gz", length=str(len(member)))
        offset += len(member)
    noise = b"".join(members) + bytes(1 << 20)
    files = {
        "archive/a.warc.gz": b"".join(members),
        "other": noise,
        "indexes/i.cdxj": index.encode(),
    }
    address = place.put("a.wacz", zipped(files))
    place.forget()
    with opened(address) as file:
        assert file.index.captures == len(RECORDS)
    # The directory, a local header, the archive to recognise and check it, and the index.
    assert len(place.reads()) <= 8
    assert sum(read.end - read.begin for read in place.reads()) < 400_000


@pytest.mark.parametrize("suffix", [".cdxj", ".cdxj.gz"])
def test_an_index_beside(place: Place, suffix: str) -> None:
    filler = record("urn:filler", bytes(1 << 20), kind="metadata")
    data = RECORDS[0] + filler + RECORDS[1]
    lines = line(0, 0, length=str(len(RECORDS[0])), mime="text/x") + line(
        1, len(RECORDS[0] + filler), length=str(len(RECORDS[1]))
    )
    address = place.put("a.warc", data)
    pack = gzip.compress if suffix.endswith(".gz") else bytes
    place.put(f"a{suffix}", pack(lines.encode()))
    place.forget()
    with opened(address) as file:
        assert [capture.media_type for capture in file.index] == ["text/x", "text/html"]
        assert file.index.captures == 2
    # The beginning and the records that are checked are read, but not what is between them.
    assert sum(read.end - read.begin for read in place.reads()) < 300_000
    address = place.put("b.warc", data)
    index = place.put(f"b.warc{suffix}", pack(lines.encode()))
    with pytest.raises(ArchiveError) as caught:
        ArchiveFile(address)
    assert str(caught.value) == (
        f"the index {index} does not match its file: line 1 names 'a.warc', which is not there; "
        "recreate it, or delete it to have it recreated"
    )


DAMAGED = {
    "a.warc.gz": lambda data: data[:3000] + b"\xff" * 50 + data[3050:-20],
    "whole.warc.gz": lambda data: data[:-100],
    "plain.warc": lambda data: data[:5000] + b"\n" + data[5000:-20],
    "words.warc.zst": lambda data: data[:9000] + b"\xff" * 50 + data[9050:-20],
    "a.wacz": lambda data: data[:3000] + b"\xff" * 50 + data[3050:],
    "texts.jsonl.gz": lambda data: data[:-10],
    "a.arc.gz": lambda data: data[:3000] + b"\xff" * 50 + data[3050:-20],
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_reported_as_for_a_local_file(
    place: Place, tmp_path: Path, reader: RecordReader, name: str
) -> None:
    path, data = tmp_path / name, DAMAGED[name](FILES[name])
    path.write_bytes(data)
    address = place.put(name, data)

    def renamed(text: Outcome) -> Outcome:
        return text.replace(address, str(path)) if isinstance(text, str) else text

    with opened(path) as local, opened(address) as remote:
        assert list(map(renamed, remote.index.faults)) == list(local.index.faults) != []
        captures = list(local.index)
        assert list(remote.index) == captures
        for capture in captures:
            expected = in_context(local, capture)
            assert renamed(in_context(remote, capture)) == expected
            assert renamed(by_location(reader, remote, capture)) == expected


@pytest.mark.parametrize("name", ["none.warc", "empty.warc", "empty.wacz", "empty.jsonl"])
def test_files_without_contents(place: Place, tmp_path: Path, name: str) -> None:
    if not name.startswith("none"):
        (tmp_path / name).write_bytes(b"")
        place.put(name, b"")
    results = []
    for address in (str(tmp_path / name), place.address(name)):
        try:
            with opened(address) as file:
                results.append(f"{file.index.captures} {file.index.faults}")
        except ArchiveError as error:
            results.append(str(error).replace(address, "it").partition(" (")[0])
    assert results[0] == results[1]


PARTS = st.lists(st.sampled_from(range(6)), min_size=1, max_size=6)
CHANGES = st.lists(
    st.tuples(st.integers(0, 4000), st.integers(0, 60), st.binary(max_size=60)), max_size=3
)


MOSTS = st.sampled_from([MOST, 500, 0])


@given(st.sampled_from(["a.warc", "a.warc.gz", "a.warc.zst", "a.arc"]), PARTS, CHANGES, MOSTS)
def test_a_read_of_a_known_length_equals_one_in_context(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    parts: list[int],
    changes: list[tuple[int, int, bytes]],
    most: int,
) -> None:
    """However a file is damaged, its captures are read the same, by length or not."""
    pack = {"gz": gzip.compress, "zst": zstd.compress}.get(name.rpartition(".")[2], bytes)
    make = arc_record if name.endswith("arc") else record
    data = packed(pack, [make(f"{NEWS}{n}", http(page(n))) for n in parts])
    for offset, removed, added in changes:
        data = data[:offset] + added + data[offset + removed :]
    path = tmp_path_factory.mktemp("damaged") / name
    path.write_bytes(data)
    reader = RecordReader(most_open=1)
    with opened(path) as file:
        for capture in file.index:
            assert by_location(reader, file, capture, most) == in_context(file, capture, most)
    reader.close()


@pytest.mark.parametrize("name", ["plain.warc", "a.warc.gz", "a.warc.zst", "texts.jsonl"])
def test_wrong_lengths_do_not_change_what_is_read(
    tmp_path: Path, reader: RecordReader, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name])
    with opened(path) as file:
        for capture in list(file.index)[:3]:
            known = capture.length
            for length in (1, 7, known - 5, known + 5, 2 * known, 1 << 40):
                wrong = replace(capture, length=length)
                assert by_location(reader, file, wrong) == in_context(file, capture)


def test_a_reader_keeps_few_files_open(place: Place) -> None:
    addresses = [place.put(f"{n}.warc", RECORDS[n]) for n in range(4)]
    reader = RecordReader(most_open=2)
    places: list[tuple[Location, Capture]] = []
    for address in addresses:
        with opened(address) as file:
            places += [(file.location(capture), capture) for capture in file.index]

    def heads(*numbers: int) -> int:
        place.forget()
        for location, capture in [places[number] for number in numbers]:
            reader.read(location, capture.offset, capture.length, MOST)
        return place.heads()

    is_bucket = addresses[0].startswith("s3:")
    assert heads(0, 1, 0, 1) == 2 * is_bucket
    assert heads(2, 1, 2, 1) == is_bucket
    assert heads(0) == is_bucket
    reader.close()
    assert heads(0) == is_bucket
    reader.close()


def test_open_files_take_little_memory(tmp_path: Path) -> None:
    """Thousands of archives may be open, so what was read ahead is not kept."""
    long = "x" * (1 << 18)
    for number in range(16):
        records = [record(f"{NEWS}{n}", http(long.encode())) for n in range(8)]
        (tmp_path / f"{number}.warc").write_bytes(b"".join(records))
        text = json.dumps({"url": f"{NEWS}1", "text": long}) + "\n"
        (tmp_path / f"{number}.jsonl").write_text(text * 8, "utf-8")
    paths = list(tmp_path.iterdir())
    tracemalloc.start()
    try:
        files = [ArchiveFile(path, keeps_index=False) for path in paths]
        assert tracemalloc.get_traced_memory()[0] < 1 << 20
        for file in files:
            capture = next(iter(file.index))
            file.files[capture.file].read(capture.offset, MOST, capture.length)
        assert tracemalloc.get_traced_memory()[0] < 1 << 20
    finally:
        tracemalloc.stop()
    for file in files:
        file.close()


def test_the_index_of_a_remote_file_is_not_kept(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    path = Warc(tmp_path / "a.warc.gz").add(f"{NEWS}1", page(1)).path
    for address, keeps in ((place.put("a.warc.gz", path.read_bytes()), True), (path, False)):
        file = ArchiveFile(address, keeps_index=keeps)
        assert [capture.url for capture in file.index] == [f"{NEWS}1"]
        file.close()
    assert not (tmp_path / "cache").exists()
    assert list((tmp_path / "temporary").iterdir()) == []
    ArchiveFile(path).close()
    assert len(list((tmp_path / "cache").rglob("*.cdxj"))) == 1

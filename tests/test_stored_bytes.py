"""Test reading the bytes of files from disks, S3 and web servers, and listing them."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from object_store import ObjectStore
from stored_places import (
    Bucket,
    Fault,
    Place,
    Read,
    WebServer,
    bucket_of_a_test,  # noqa: F401
    place_of_a_test,  # noqa: F401
    web_server_of_a_test,  # noqa: F401
)

from crawler.errors import CrawlerError, StorageError
from crawler.warc.listing import list_addresses
from crawler.warc.stored_bytes import (
    StoredBytes,
    StoredStream,
    Window,
    display_name,
    exists,
    is_remote,
    open_stored,
)

DATA = bytes(number % 251 for number in range(1000))


@pytest.mark.parametrize("size", [None, len(DATA)])
def test_a_read_is_one_request_of_exactly_its_bytes(place: Place, size: int | None) -> None:
    address = place.put("folder/a b.warc", DATA)
    place.forget()
    stored = open_stored(address, size)
    assert (stored.size, stored.address, is_remote(address)) == (1000, address, True)
    wanted = [(0, 1), (0, 1000), (999, 1), (17, 400), (5, 12)]
    for offset, count in wanted:
        assert stored.read(offset, count) == DATA[offset : offset + count]
    name = "folder/a b.warc"
    assert place.reads() == [Read(name, offset, offset + count) for offset, count in wanted]
    assert place.heads() <= 1
    assert stored.modified is not None
    assert abs(stored.modified - datetime.now(UTC)).total_seconds() < 300
    stored.close()


def test_a_local_file(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"s3:\xff.warc")
    path.write_bytes(DATA)
    os.utime(path, (86400, 86400))
    for address in (path, str(path)):
        stored = open_stored(address)
        assert (stored.size, stored.read(10, 20), is_remote(address)) == (1000, DATA[10:30], False)
        assert stored.modified == datetime(1970, 1, 2, tzinfo=UTC)
        with path.open("r+b") as file:
            file.truncate(15)
        with pytest.raises(StorageError) as caught:
            stored.read(10, 20)
        assert str(caught.value) == (
            f"{tmp_path}/s3:\\xff.warc cannot be read (got 5 of 20 bytes at byte 10; "
            "it has changed since it was opened)"
        )
        stored.close()
        stored.close()
        path.write_bytes(DATA)
        os.utime(path, (86400, 86400))


def test_files_that_cannot_be_opened(place: Place, tmp_path: Path) -> None:
    place.put("a.warc", DATA)
    none = place.address("none.warc")
    reason = "404 Not Found" if none.startswith("http") else "it does not exist"
    with pytest.raises(StorageError) as caught:
        open_stored(none)
    assert str(caught.value) == f"{none} cannot be read ({reason})"
    assert not exists(none)
    assert exists(place.address("a.warc"))
    empty = open_stored(place.put("empty.warc", b""))
    assert (empty.size, Window(empty).read(0, 10)) == (0, b"")
    for local in ("", "none", "a\0b"):
        with pytest.raises(StorageError, match=" cannot be read "):
            open_stored(tmp_path / local / "x" if local == "none" else local)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("no ranges", "its server does not support range requests"),
        ("hangs up", "Connection broken: IncompleteRead"),
        ("short", "got 9 of 10 bytes at byte 5; it has changed since it was opened"),
        ("forbidden", "403 Forbidden"),
    ],
)
def test_web_servers_that_misbehave(web_server: WebServer, fault: Fault, why: str) -> None:
    address = web_server.put("a.warc", DATA)
    stored = open_stored(address)
    web_server.faults["a.warc"] = fault
    with pytest.raises(StorageError) as caught:
        stored.read(5, 10)
    message = str(caught.value)
    assert message.startswith(f"{address} cannot be read (") and why in message
    assert "\n" not in message
    web_server.faults["a.warc"] = "hangs up once"
    assert stored.read(5, 10) == DATA[5:15]


@pytest.mark.slow
def test_a_web_server_that_is_gone() -> None:
    address = "http://127.0.0.1:1/a.warc?signature=secret"
    with pytest.raises(StorageError) as caught:
        open_stored(address)
    assert str(caught.value).startswith("http://127.0.0.1:1/a.warc cannot be read (")
    assert "Connection refused" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_what_a_web_server_need_not_say(web_server: WebServer) -> None:
    """URLs that are signed for GET refuse HEAD; not all servers tell dates."""
    address = web_server.put("a.warc", DATA) + "?signature=secret"
    web_server.faults["a.warc"] = "no HEAD"
    assert open_stored(address).size == len(DATA)
    assert open_stored(web_server.put("a.warc", b"")).size == 0
    web_server.faults["a.warc"] = "undated"
    assert open_stored(address).modified is None
    web_server.faults["a.warc"] = "forbidden"
    with pytest.raises(StorageError) as caught:
        open_stored(address)
    plain = address.partition("?")[0]
    assert str(caught.value) == f"{plain} cannot be read (403 Forbidden)"


def test_objects_that_cannot_be_read(bucket: Bucket, object_store: ObjectStore) -> None:
    address = bucket.put("a.warc", DATA)
    stored = open_stored(address)
    object_store.refused["a.warc"] = 403
    with pytest.raises(StorageError) as caught:
        open_stored(address)
    assert str(caught.value).startswith(f"{address} cannot be read (")
    assert "ACCESS_DENIED" in str(caught.value)
    with pytest.raises(StorageError, match=f"^{address} cannot be read .*ACCESS_DENIED"):
        stored.read(0, 10)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("s3://key:secret@bucket/a.warc?scheme=http", "s3://bucket/a.warc"),
        ("s3://bucket/what?.warc", "s3://bucket/what?.warc"),
        ("https://me:word@host.example/a/b.warc?X-Sign=1&b=2", "https://host.example/a/b.warc"),
        ("a/b?c=d", "a/b?c=d"),
        (Path("s3://x/y"), "s3:/x/y"),
    ],
)
def test_names_for_display(address: str | Path, name: str) -> None:
    assert display_name(address) == name


@pytest.mark.parametrize("address", ["ftp://host.example/a.warc", "s4://bucket/a"])
def test_addresses_of_other_kinds(address: str) -> None:
    for function in (open_stored, exists, list_addresses):
        with pytest.raises(CrawlerError) as caught:
            function(address)
        assert str(caught.value).startswith(address.rpartition("/")[0] + ": it cannot be opened (")
        assert str(caught.value).endswith(
            "takes local paths, s3://, gs://, hdfs://, https:// and http://"
        )


@pytest.mark.parametrize(
    ("address", "project"),
    [("s3://missing/a.warc", "pyarrow"), ("https://missing.example/a.warc", "requests")],
)
def test_missing_packages(monkeypatch: pytest.MonkeyPatch, address: str, project: str) -> None:
    for module in ("pyarrow.fs", "requests"):
        monkeypatch.setitem(sys.modules, module, None)
    for function in (open_stored, list_addresses):
        with pytest.raises(CrawlerError) as caught:
            function(address)
        assert str(caught.value).endswith(f": needs {project}; run pip install '.[spark]'")
        assert caught.value.exit_code == 1


class Noting:
    """Bytes that note what is read of them."""

    def __init__(self, data: bytes, read_ahead: int) -> None:
        self.address, self.data, self.read_ahead = "noting", data, read_ahead
        self.size, self.modified = len(data), None
        self.reads: list[tuple[int, int]] = []

    def read(self, offset: int, count: int) -> bytes:
        assert count > 0 and offset >= 0 and offset + count <= self.size
        self.reads.append((offset, offset + count))
        return self.data[offset : offset + count]

    def close(self) -> None:
        pass


BYTES = os.urandom(1 << 20)
COUNTS = st.one_of(st.integers(0, 40), st.integers(0, 300_000), st.integers(0, 1 << 21))


@given(
    st.integers(0, 1 << 20),
    st.one_of(st.none(), COUNTS),
    st.lists(st.tuples(st.sampled_from(["read", "some", "fetch", "stream"]), COUNTS, COUNTS)),
)
def test_a_window_returns_the_same_bytes(
    start: int, size: int | None, steps: list[tuple[str, int, int]]
) -> None:
    noting: StoredBytes = Noting(BYTES, 1 << 18)
    window = Window(noting, start, size)
    part = BYTES[start:] if size is None else BYTES[start : start + size]
    assert window.size == len(part)
    for step, offset, count in steps:
        expected = part[offset : offset + count]
        if step == "read":
            assert window.read(offset, count) == expected
        elif step == "some":
            some = window.read_some(offset, count)
            assert expected.startswith(some) and bool(some) == bool(expected)
        elif step == "stream":
            stream = StoredStream(window)
            assert stream.seek(offset) == stream.tell() == offset
            assert stream.read(count) == expected
            assert stream.tell() == offset + len(expected)
        else:
            window.fetch(offset, count)


LOOKED_BACK = GAP = 1 << 16


@example([(1, 1), (GAP, 1)])
@given(st.lists(st.tuples(st.integers(-LOOKED_BACK, GAP), st.integers(1, 200_000))))
def test_a_walk_reads_each_byte_once(steps: list[tuple[int, int]]) -> None:
    """A walk looks back a little, and leaves small gaps."""
    noting = Noting(BYTES, 1 << 18)
    window, furthest = Window(noting), 0
    for step, count in steps:
        offset = max(0, furthest + step)
        assert window.read(offset, count) == BYTES[offset : offset + count]
        furthest = min(max(furthest, offset + count), len(BYTES))
    ends = [0, *(end for _, end in noting.reads)]
    assert [begin for begin, _ in noting.reads] == ends[:-1]


def test_few_requests_for_a_long_file() -> None:
    noting = Noting(bytes(64 << 20), 8 << 20)
    window = Window(noting)
    for offset in range(0, window.size, 4000):
        window.read(offset, 4000)
    assert len(noting.reads) <= 8 + 5
    assert sum(end - begin for begin, end in noting.reads) == window.size


FILES = ("a.warc.gz", "b.har", "c.txt", ".d.warc", "sub/e.WACZ", "t.jsonl", "sub2/x.txt")


def test_lists_are_those_of_a_local_folder(bucket: Bucket, tmp_path: Path) -> None:
    for name in FILES:
        path = tmp_path / "w" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(DATA)
        bucket.put(f"w/{name}", DATA)
    patterns = ("w", "w/", "w/*.jsonl", "w/*", "*/*/*.WACZ", "w/[ab].*", "w/?.warc.gz", "w/.*")
    counts = []
    for pattern in (*patterns, "w/a.warc.gz", "w/t.jsonl", "w/b.har", "none", "none/*"):
        local, remote = (
            list_addresses(f"{tmp_path}/{pattern}"),
            list_addresses(bucket.address(pattern)),
        )
        prefix = f"{tmp_path}/"
        assert [
            (bucket.address(one.address.removeprefix(prefix)), one.size) for one in local.files
        ] == [(one.address, one.size) for one in remote.files]
        assert remote.unread == [bucket.address(one.removeprefix(prefix)) for one in local.unread]
        counts.append((len(local.files), len(local.unread)))
        for one in remote.files:
            assert one.modified and one.modified.tzinfo == UTC
            assert open_stored(one.address, one.size).read(0, one.size) == DATA
    assert counts == [
        (2, 2), (2, 2), (1, 0), (1, 2), (1, 0), (1, 1), (1, 0), (1, 0), (1, 0), (1, 0), (0, 1),
        (0, 0), (0, 0),
    ]  # fmt: skip


def test_the_list_of_a_web_server(web_server: WebServer) -> None:
    address = web_server.put("a.warc", DATA) + "?b=c"
    [entry] = list_addresses(address).files
    assert (entry.address, entry.size, entry.modified is not None) == (address, 1000, True)
    assert list_addresses(web_server.put("a.har", DATA)) == ([], [web_server.address("a.har")])
    for name in ("", "folder/", "*.warc"):
        with pytest.raises(CrawlerError, match=r"web servers do not list their files"):
            list_addresses(web_server.address(name))

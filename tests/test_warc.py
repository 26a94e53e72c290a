"""Reading and writing WARC files, intact and damaged.

No input makes the library raise anything but ArchiveError.
"""

import base64
import gzip
import hashlib
import os
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path

import pytest
from archives import NEWS, Warc, offsets, page
from conftest import CACHE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.errors import ArchiveError
from crawler.warc.archive import Archive
from crawler.warc.archived import Archived
from crawler.warc.file import WarcFile
from crawler.warc.index import sorted_lines
from crawler.warc.records import unchunked
from crawler.warc.stored_bytes import open_stored
from crawler.warc.writer import Exchange, WarcWriter

MAX_BYTES = 1 << 20
QUICK = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", CACHE)


@pytest.fixture(scope="module", params=[".warc.gz", ".warc"])
def five_pages(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an archive of five pages."""
    warc = Warc(tmp_path_factory.mktemp("five") / f"five{request.param}")
    for number in range(1, 6):
        warc.add(f"{NEWS}{number}", page(number), date=f"2015-10-2{number}T00:00:00Z")
    return warc.path


def read_all(path: Path) -> tuple[dict[str, bytes], list[str], list[str]]:
    """Return an archive's bodies by id, its faults, and the errors of its unreadable pages."""
    archive = Archive(str(path), MAX_BYTES)
    bodies, failures = {}, []
    try:
        for number in range(1, 6):
            for capture, file in archive.captures(f"{NEWS}{number}"):
                try:
                    bodies[str(number)] = archive.read(capture, file).body
                except ArchiveError as error:
                    failures.append(str(error))
        return bodies, list(archive.faults), failures
    finally:
        archive.close()


def test_whole(five_pages: Path) -> None:
    bodies, faults, failures = read_all(five_pages)
    assert bodies == {str(number): page(number) for number in range(1, 6)}
    assert not faults and not failures


@pytest.mark.parametrize("end", [0, 10, 300, -1, -30])
def test_an_index_that_was_cut_is_rebuilt(
    five_pages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: int
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    whole = read_all(five_pages)
    [index] = (tmp_path / "neighbourhood-crawler" / "indexes").iterdir()
    data = index.read_bytes()
    index.write_bytes(data[:end])
    assert read_all(five_pages) == whole
    assert index.read_bytes() == data


def test_an_index_that_cannot_be_cached(
    five_pages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert len(read_all(five_pages)[0]) == 5


def test_a_revisit_refers_to_the_last_page_before_it(tmp_path: Path) -> None:
    url = NEWS + "1"
    warc = Warc(tmp_path / "a.warc").add(url, page(1, " first"), date="2020-01-01T00:00:00Z")
    warc.revisit(
        url,
        "sha1:" + "A" * 32,
        None,
        "2021-01-01T00:00:00Z",
        "304 Not Modified",
        "…/server-not-modified",
    )
    warc.add(url, page(1, " later"), date="2022-01-01T00:00:00Z")
    archive = Archive(str(warc.path), MAX_BYTES)
    [revisit] = [
        (capture, file)
        for capture, file in archive.captures(url)
        if capture.timestamp.startswith("2021")
    ]
    response = archive.read(*revisit)
    archive.close()
    assert (response.body, response.status, response.captured_at.year) == (
        page(1, " first"),
        200,
        2021,
    )


@QUICK
@given(data=st.data())
def test_cut_anywhere(five_pages: Path, data: st.DataObject, tmp_path: Path) -> None:
    """Complete records are read; a truncated one is reported, as a page or as an offset."""
    whole = five_pages.read_bytes()
    boundaries = offsets(five_pages)
    size = data.draw(st.integers(1, len(whole) - 1))
    cut = tmp_path / five_pages.name
    cut.write_bytes(whole[:size])
    # A record that lacks only its trailing empty lines is complete.
    complete = [number for number in range(1, 6) if boundaries[number] <= size]
    try:
        bodies, faults, _ = read_all(cut)
    except ArchiveError as error:
        assert not complete
        assert str(cut) in str(error)
        return
    assert set(map(str, complete)) <= set(bodies)
    assert all(body == page(number) for number, body in bodies.items())
    if size not in boundaries and len(bodies) == len(complete):
        assert faults, "no fault reports the missing record"


@QUICK
@given(data=st.data())
def test_bytes_changed_anywhere(five_pages: Path, data: st.DataObject, tmp_path: Path) -> None:
    """No altered page is ever read, and missing pages are reported."""
    whole = bytearray(five_pages.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(whole) - 1))
        whole[position] = data.draw(st.integers(0, 255))
    changed = tmp_path / five_pages.name
    changed.write_bytes(whole)
    try:
        bodies, faults, failures = read_all(changed)
    except ArchiveError:
        return
    for number, body in bodies.items():
        assert body == page(number) or five_pages.suffix == ".warc"
    # In an uncompressed file, a changed header byte cannot be detected; it may change the URL or
    # the type.
    if five_pages.suffix == ".gz" and len(bodies) < 5 and bytes(whole) != five_pages.read_bytes():
        assert faults or failures


@QUICK
@given(junk=st.binary(max_size=300), index=st.integers(0, 5))
def test_junk_between_records(five_pages: Path, junk: bytes, index: int, tmp_path: Path) -> None:
    whole, position = five_pages.read_bytes(), offsets(five_pages)[index]
    with_junk = tmp_path / five_pages.name
    with_junk.write_bytes(whole[:position] + b"\x00junk" + junk + b"\n" + whole[position:])
    bodies, faults, _ = read_all(with_junk)
    before = {str(number) for number in range(1, 6) if number != index}
    assert before <= set(bodies)
    assert faults
    if five_pages.suffix == ".gz":
        assert len(bodies) == 5


@QUICK
@given(st.binary(max_size=400))
def test_garbage(tmp_path: Path, data: bytes) -> None:
    for prefix in (
        b"",
        b"WARC/1.1\r\n",
        b"\x1f\x8b\x08\x00",
        gzip.compress(b"WARC/1.0\r\nContent-Length: 3\r\n\r\n"),
    ):
        path = tmp_path / "garbage.warc"
        path.write_bytes(prefix + data)
        file = WarcFile(open_stored(path), "garbage")
        try:
            # Line endings before the first record are neither a record nor a fault.
            covered = sum(max(block.length, 1) for _, block in file.walk())
            assert covered >= path.stat().st_size or not (prefix + data).strip(b"\r\n")
            for offset in (0, 1, len(data), 10**9, -1):
                with pytest.raises(ArchiveError):
                    file.read(offset, MAX_BYTES)
        finally:
            file.close()


@QUICK
@given(st.lists(st.binary(min_size=1, max_size=50), max_size=5), st.binary(max_size=10))
def test_chunks(parts: list[bytes], trailing: bytes) -> None:
    chunked = b"".join(b"%X;x=%d\r\n%b\r\n" % (len(part), len(part), part) for part in parts)
    assert unchunked(chunked + b"0\r\n\r\n" + trailing) == (b"".join(parts), True)
    for end in range(len(chunked)):
        payload, whole = unchunked(chunked[:end])
        assert not whole
        assert b"".join(parts).startswith(payload)


@QUICK
@given(
    st.lists(st.binary(max_size=5).map(lambda line: line.replace(b"\n", b"") + b"\n"), max_size=200)
)
def test_lines_are_sorted_by_parts(lines: list[bytes]) -> None:
    assert list(sorted_lines(lines, at_once=7)) == sorted(lines)


HTTP = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n",
        b"HTTP/1.0 404\n\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    ]
)


@QUICK
@given(
    st.lists(
        st.tuples(HTTP | st.binary(max_size=30), st.binary(max_size=200)), min_size=1, max_size=5
    ),
    st.booleans(),
)
def test_what_is_written_can_be_read(
    tmp_path: Path, responses: list[tuple[bytes, bytes]], compressed: bool
) -> None:
    """For any response, warcio finds no fault in the file; no existing file is touched."""
    from warcio.archiveiterator import ArchiveIterator

    writer = WarcWriter(
        tmp_path / ("out.warc.gz" if compressed else "out.warc"), {"software": "test"}
    )
    for number, (head, body) in enumerate(responses):
        request = b"GET /news/%d HTTP/1.1\r\nHost: x\r\n\r\n" % number
        writer.write(
            Exchange(f"{NEWS}{number}", datetime.now(UTC), request, head + body, "127.0.0.1")
        )
    writer.close()
    with writer.path.open("rb") as file:
        kinds = [
            record.rec_type
            for record in ArchiveIterator(file, check_digests="raise")
            if record.raw_stream.read() is not None
        ]
    # Bytes that are not an HTTP response are stored as a resource.
    assert kinds[0] == "warcinfo"
    assert set(kinds[1::2]) <= {"response", "resource"}
    assert kinds[2::2] == ["request"] * len(responses)
    file = WarcFile(open_stored(writer.path), str(writer.path))
    assert [block.fault for _, block in file.walk()] == [None] * len(kinds)
    file.close()


def test_the_headers_of_records(tmp_path: Path) -> None:
    """Check every header of an exchange, its revisit record and a truncated response."""
    from warcio.archiveiterator import ArchiveIterator

    def sha1(data: bytes) -> str:
        return "sha1:" + base64.b32encode(hashlib.sha1(data).digest()).decode()

    memory: dict[str, Archived] = {}
    writer = WarcWriter(
        tmp_path / "out.warc.gz",
        {"software": "test"},
        memory.get,
        lambda archived: memory.update({archived.url: archived}),
    )
    url, body = NEWS + "1", b"a page"
    head = b'HTTP/1.1 200 OK\r\nETag: "5"\r\nContent-Length: 6\r\n\r\n'
    request_bytes = b"GET /news/1 HTTP/1.1\r\nHost: x\r\n\r\n"
    east = timezone(timedelta(hours=3, minutes=30))
    moment = datetime(2015, 10, 23, 13, 26, 8, 90, tzinfo=east)
    writer.write(Exchange(url, moment, request_bytes, head + body, "127.0.0.1"))
    later = moment + timedelta(days=1)
    writer.write(Exchange(url, later, request_bytes, head + body))
    writer.write(Exchange(url, later, request_bytes, head + body, truncated="disconnect"))
    writer.close()
    assert (writer.exchanges, writer.revisits) == (3, 1)
    with writer.path.open("rb") as file:
        records = [
            (dict(record.rec_headers.headers), record.raw_stream.read())
            for record in ArchiveIterator(file, no_record_parse=True)
        ]
    data, boundaries = writer.path.read_bytes(), offsets(writer.path)
    # Each record is a gzip member of its own, with nothing between members.
    members = [gzip.decompress(data[begin:end]) for begin, end in pairwise(boundaries)]
    assert [member[:10] for member in members] == [b"WARC/1.1\r\n"] * 7
    ids = [headers.pop("WARC-Record-ID") for headers, _ in records]
    assert len(set(ids)) == 7
    (info, info_body), *rest = records
    assert (info["WARC-Type"], info["WARC-Filename"]) == ("warcinfo", "out.warc.gz")
    assert info_body == b"software: test\r\n"
    first, second = "2015-10-23T09:56:08.000090Z", "2015-10-24T09:56:08.000090Z"
    response_headers = {"Content-Type": "application/http; msgtype=response"}
    request_headers = {"WARC-Type": "request", "Content-Type": "application/http; msgtype=request"}
    expected = [
        (
            {
                **response_headers,
                "WARC-Type": "response",
                "WARC-Date": first,
                "WARC-IP-Address": "127.0.0.1",
                "WARC-Payload-Digest": sha1(body),
            },
            head + body,
        ),
        (
            {**request_headers, "WARC-Date": first, "WARC-Concurrent-To": ids[1]},
            request_bytes,
        ),
        (
            {
                **response_headers,
                "WARC-Type": "revisit",
                "WARC-Date": second,
                "WARC-Profile": "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest",
                "WARC-Refers-To": ids[1],
                "WARC-Refers-To-Target-URI": url,
                "WARC-Refers-To-Date": first,
                "WARC-Payload-Digest": sha1(body),
            },
            head,
        ),
        ({**request_headers, "WARC-Date": second, "WARC-Concurrent-To": ids[3]}, request_bytes),
        (
            {
                **response_headers,
                "WARC-Type": "response",
                "WARC-Date": second,
                "WARC-Truncated": "disconnect",
                "WARC-Payload-Digest": sha1(body),
            },
            head + body,
        ),
        ({**request_headers, "WARC-Date": second, "WARC-Concurrent-To": ids[5]}, request_bytes),
    ]
    for (headers, block), (expected_headers, content) in zip(rest, expected, strict=True):
        if expected_headers["WARC-Type"] == "request":
            expected_headers["WARC-Payload-Digest"] = sha1(b"")
        assert headers == {
            **expected_headers,
            "WARC-Target-URI": url,
            "WARC-Warcinfo-ID": ids[0],
            "WARC-Block-Digest": sha1(content),
            "Content-Length": str(len(content)),
        }
        assert block == content
    assert memory == {
        url: Archived(
            url, sha1(body), first, ids[1], str(writer.path.resolve()), ids[0], '"5"', None
        )
    }


def test_the_record_of_the_last_page(tmp_path: Path) -> None:
    """A page that was rendered is in a conversion record."""
    from warcio.archiveiterator import ArchiveIterator

    writer = WarcWriter(tmp_path / "out.warc.gz", {})
    for number in (1, 2):
        response = b"HTTP/1.1 200 OK\r\n\r\nplain"
        request = b"GET / HTTP/1.1\r\n\r\n"
        writer.write(Exchange(f"{NEWS}{number}", datetime.now(UTC), request, response))
    writer.write_conversion(f"{NEWS}2", b"rendered")
    writer.close()
    for url, kind in ((f"{NEWS}1", "response"), (f"{NEWS}2#top", "conversion")):
        page = writer.last_page(url)
        assert page is not None
        name, _, offset = page.place.rpartition(", offset ")
        with Path(name).open("rb") as file:
            file.seek(int(offset))
            record = next(iter(ArchiveIterator(file)))
        assert record.rec_type == kind
        assert record.rec_headers.get_header("WARC-Record-ID") == page.record_id
    assert writer.last_page(f"{NEWS}3") is None


def test_a_file_is_intact_after_a_failed_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = WarcWriter(tmp_path / "out.warc.gz", {})
    exchange = Exchange(
        NEWS + "1",
        datetime.now(UTC),
        b"GET / HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + os.urandom(50_000),
    )
    writer.write(exchange)
    size = writer.path.stat().st_size
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 1000, before[1]))
    try:
        for _ in range(2):
            with pytest.raises(ArchiveError, match="cannot be written"):
                writer.write(exchange)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    writer.close()
    assert writer.path.stat().st_size == size

"""Test indexes of archive files that are elsewhere: CDXJ, and Common Crawl's columnar index."""

import gzip
import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from archives import NEWS, http, page, record
from pyarrow import parquet
from stored_places import (
    Bucket,
    Place,
    Read,
    WebServer,
    bucket_of_a_test,  # noqa: F401
    place_of_a_test,  # noqa: F401
    web_server_of_a_test,  # noqa: F401
)

from crawler.errors import ArchiveError, CrawlerError
from crawler.warc.captures import Capture
from crawler.warc.foreign_index import ForeignIndex
from crawler.warc.listing import list_indexes
from crawler.warc.record_reader import RecordReader

MOST = 1 << 20
MOMENT = datetime(2019, 4, 25, 12, 57, 54)
DIGEST = "3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ"
MEMBERS = [
    gzip.compress(record(f"{NEWS}{n}", http(page(n)), date="2019-04-25T12:57:54Z"))
    for n in range(30)
]
WARC = "crawl-data/CC-NEWS/warc/CC-NEWS-1.warc.gz"
PLACES = [(sum(map(len, MEMBERS[:n])), len(member)) for n, member in enumerate(MEMBERS)]
CAPTURES = [
    Capture(
        url=f"{NEWS}{n}",
        timestamp="20190425125754",
        status=200,
        media_type="text/html",
        digest=DIGEST,
        file="CC-NEWS-1.warc.gz",
        offset=offset,
        length=length,
    )
    for n, (offset, length) in enumerate(PLACES)
]


def rows(**changes: Any) -> list[dict[str, Any]]:
    """Return rows as in the columnar index, with more columns than are read."""
    return [
        {
            "url_surtkey": f"ir,alalam,en)/news/{n}",
            "url": f"{NEWS}{n}",
            "url_host_name": "en.alalam.ir",
            "url_host_registered_domain": "alalam.ir",
            "fetch_time": MOMENT,
            "fetch_status": 200,
            "content_digest": DIGEST,
            "content_mime_type": "text/html",
            "content_mime_detected": "text/html",
            "warc_filename": WARC,
            "warc_record_offset": offset,
            "warc_record_length": length,
            **changes,
        }
        for n, (offset, length) in enumerate(PLACES)
    ]


SCHEMA = pa.schema(
    [
        ("url_surtkey", pa.string()),
        ("url", pa.string()),
        ("url_host_name", pa.string()),
        ("url_host_registered_domain", pa.string()),
        ("fetch_time", pa.timestamp("ms")),
        ("fetch_status", pa.int16()),
        ("content_digest", pa.string()),
        ("content_mime_type", pa.string()),
        ("content_mime_detected", pa.string()),
        ("warc_filename", pa.string()),
        ("warc_record_offset", pa.int32()),
        ("warc_record_length", pa.int32()),
    ]
)


def columnar(table: list[dict[str, Any]], rows_a_group: int = 1000, without: str = "") -> bytes:
    target = pa.BufferOutputStream()
    made = pa.Table.from_pylist(table, SCHEMA)
    made = made.drop_columns([without]) if without else made
    parquet.write_table(made, target, row_group_size=rows_a_group)
    return target.getvalue().to_pybytes()


def cdxj(**changes: object) -> bytes:
    lines = []
    for number, (offset, length) in enumerate(PLACES):
        fields = {
            "url": f"{NEWS}{number}",
            "mime": "text/html",
            "status": "200",
            "digest": DIGEST,
            "length": str(length),
            "offset": str(offset),
            "filename": WARC,
            **changes,
        }
        lines.append(f"ir,alalam,en)/news/{number} 20190425125754 {json.dumps(fields)}\n")
    return "".join(lines).encode()


INDEXES = {
    "a.cdxj": b"!meta {}\n\n" + cdxj(),
    "cdx-00000.gz": gzip.compress(cdxj()[:5000]) + gzip.compress(cdxj()[5000:]),
    "part-0.gz.parquet": columnar(rows()),
    "no-domain.parquet": columnar(rows(), without="url_host_registered_domain"),
}


@pytest.mark.parametrize("name", INDEXES)
def test_one_request_for_each_page_and_nothing_else(place: Place, name: str) -> None:
    archive = place.put(WARC, b"".join(MEMBERS))
    prefix = archive.removesuffix(WARC)
    index = ForeignIndex(place.put(f"cc-index/{name}", INDEXES[name]), prefix)
    found = list(index)
    assert [capture for capture, _ in found] == CAPTURES
    assert (index.faults, index.faulty) == ([], 0)
    assert {(location.address, location.coding) for _, location in found} == {(archive, "gzip")}
    place.forget()
    reader = RecordReader()
    for capture, location in found[::-1]:
        read = reader.read(location, capture.offset, capture.length, MOST)
        assert (read.url, read.payload) == (capture.url, page(int(capture.url[-2:].strip("/"))))
    reader.close()
    assert place.reads() == [Read(WARC, offset, offset + length) for offset, length in PLACES[::-1]]
    assert place.heads() == 1


@pytest.mark.parametrize("name", INDEXES)
def test_an_index_of_local_files(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(INDEXES[name])
    (tmp_path / WARC).parent.mkdir(parents=True)
    (tmp_path / WARC).write_bytes(b"".join(MEMBERS))
    reader = RecordReader()
    for capture, location in ForeignIndex(path, f"{tmp_path}/"):
        assert reader.read(location, capture.offset, capture.length, MOST).url == capture.url
        assert reader.place(location, 7) == f"{tmp_path}/{WARC}, offset 7"
    reader.close()


def hosts_in_rows() -> list[dict[str, Any]]:
    """Return many rows of few hosts, sorted by host as in the columnar index."""
    domains = ["a.example", "alalam.ir", "b.co.uk", "bc.co.uk", "z.example"]
    hosts = [f"{sub}{domain}" for domain in domains for sub in ("", "en.", "www.en.")]
    return [
        {
            **rows()[0],
            "url": f"https://{host}/{number}?{'x' * 50}{number * 7919 % 10007}",
            "url_host_registered_domain": ".".join(host.split(".")[-3 if "uk" in host else -2 :]),
            "content_digest": f"{number * 7919:032}",
        }
        for host in hosts
        for number in range(400)
    ]


@pytest.mark.parametrize(
    ("domains", "hosts"),
    [
        (["alalam.ir"], {"alalam.ir", "en.alalam.ir", "www.en.alalam.ir"}),
        (["EN.alalam.ir."], {"en.alalam.ir", "www.en.alalam.ir"}),
        (
            ["b.co.uk", "en.z.example"],
            {"b.co.uk", "en.b.co.uk", "www.en.b.co.uk", "en.z.example", "www.en.z.example"},
        ),
        (["none.example"], set()),
    ],
)
@pytest.mark.parametrize("without", ["", "url_host_registered_domain"])
def test_only_some_domains(
    bucket: Bucket, domains: list[str], hosts: set[str], without: str
) -> None:
    data = columnar(hosts_in_rows(), rows_a_group=1200, without=without)
    address = bucket.put("a.parquet", data)
    bucket.forget()
    found = list(ForeignIndex(address, "s3://x/", domains))
    assert {capture.url.split("/")[2] for capture, _ in found} == hosts
    assert len(found) == 400 * len(hosts)
    read = sum(one.end - one.begin for one in bucket.reads())
    groups = len({host.removeprefix("www.").removeprefix("en.") for host in hosts})
    if not without:
        # The magic bytes, the end of the file with its footer, and the rows of these domains.
        assert read - (4 + (1 << 16)) < len(data) * (groups / 5 + 0.05)
    lines = b"".join(
        b"x) 20190425125754 %s\n"
        % json.dumps({"url": f"http://{host}/", "offset": 0, "filename": "a.warc"}).encode()
        for host in ("alalam.ir", "en.alalam.ir", "xalalam.ir", "alalam.ir.example")
    )
    address = bucket.put("a.cdxj", lines)
    found = list(ForeignIndex(address, "s3://x/", ["alalam.ir"]))
    assert [capture.url for capture, _ in found] == ["http://alalam.ir/", "http://en.alalam.ir/"]


def test_only_the_needed_columns_are_read(bucket: Bucket) -> None:
    table = rows(content_mime_detected=None)
    for row in table:
        row["content_mime_detected"] = os.urandom(10_000).hex()
    data = columnar(table)
    address = bucket.put("a.parquet", data)
    bucket.forget()
    assert len(list(ForeignIndex(address))) == len(table)
    assert sum(one.end - one.begin for one in bucket.reads()) < 100_000 < len(data)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"url": "ftp://"}, "'ftp://' is not an address on the web"),
        ({"warc_filename": "a.txt"}, "'a.txt' is not a WARC or ARC file"),
        ({"warc_filename": None}, "it has no URL, time, file or offset"),
        ({"fetch_time": None}, "it has no URL, time, file or offset"),
        ({"warc_record_offset": None}, "it has no URL, time, file or offset"),
        ({"warc_record_offset": -1}, "its offset or length is negative"),
    ],
)
def test_rows_that_are_no_captures(tmp_path: Path, changes: dict[str, Any], why: str) -> None:
    path = tmp_path / "a.parquet"
    good = rows()
    path.write_bytes(columnar([good[0], *rows(**changes)[:25], good[1]]))
    index = ForeignIndex(path)
    assert [capture for capture, _ in index] == CAPTURES[:2]
    assert index.faults == [f"{path}, row {number}: {why}" for number in range(2, 22)]
    assert index.faulty == 25


def test_what_rows_need_not_have(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    bare = {"fetch_status": None, "content_mime_type": None, "content_digest": None}
    path.write_bytes(columnar(rows(**bare, warc_record_length=None)[:1]))
    [(capture, _)] = ForeignIndex(path)
    assert (capture.status, capture.media_type, capture.digest, capture.length) == (None, "", "", 0)


def test_times_of_rows(tmp_path: Path) -> None:
    """The index has been written with time stamps of several types, all in UTC."""
    path = tmp_path / "a.parquet"
    row = pa.Table.from_pylist(rows()[:1], SCHEMA)
    place = SCHEMA.get_field_index("fetch_time")
    for kind in (pa.timestamp("us"), pa.timestamp("ms", "UTC"), pa.timestamp("us", "Asia/Tehran")):
        parquet.write_table(row.set_column(place, "fetch_time", row["fetch_time"].cast(kind)), path)
        [(capture, _)] = ForeignIndex(path)
        assert capture.timestamp == "20190425125754"


def test_lines_that_are_no_captures(tmp_path: Path) -> None:
    path = tmp_path / "a.cdxj"
    good = cdxj().splitlines(keepends=True)
    bad = [b"x\n", cdxj(filename=5).splitlines(keepends=True)[0], b"a) 2019 {}\n", b"a) b {\n"]
    path.write_bytes(good[0] + b"".join(bad) + good[1])
    index = ForeignIndex(path)
    assert [capture for capture, _ in index] == CAPTURES[:2]
    assert [fault.partition(" (")[0] for fault in index.faults] == [
        f"{path}, line {number}: it is not CDXJ" for number in range(2, 6)
    ]
    assert index.faulty == 4


def test_indexes_that_cannot_be_read(place: Place) -> None:
    packed, table = gzip.compress(cdxj()), columnar(rows())
    damaged = {
        "cut.cdxj.gz": packed[:-9],
        "no-gzip.cdxj.gz": b"none" * 10,
        "long.cdxj": b"x" * (2 << 20),
        "cut.parquet": table[:-9],
        "zero.parquet": table[:200] + bytes(600) + table[800:],
    }
    for name, data in damaged.items():
        address = place.put(name, data)
        with pytest.raises(ArchiveError) as caught:
            list(ForeignIndex(address))
        assert str(caught.value).startswith(f"the index {address} cannot be read (")
        assert "\n" not in str(caught.value)
    address = place.put("other.parquet", columnar(rows(), without="warc_filename"))
    with pytest.raises(CrawlerError) as caught_error:
        list(ForeignIndex(address))
    assert str(caught_error.value) == (
        f"the index {address} has no column warc_filename; takes Parquet files of Common Crawl's "
        "columnar index"
    )
    none = place.address("none.cdxj")
    with pytest.raises(ArchiveError, match=f"^{none} cannot be read"):
        list(ForeignIndex(none))
    assert list(ForeignIndex(place.put("empty.cdxj", b""))) == []


def test_parquet_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(columnar(rows()))
    monkeypatch.setitem(sys.modules, "pyarrow.dataset", None)
    with pytest.raises(CrawlerError) as caught:
        list(ForeignIndex(path))
    assert str(caught.value) == f"{path}: needs pyarrow; run pip install '.[spark]'"


def test_lists_of_indexes(bucket: Bucket, web_server: WebServer, tmp_path: Path) -> None:
    names = ("a.cdxj", "b.cdxj.gz", "c.parquet", "cdx-00001.gz", "d.warc.gz", "sub/e.cdxj", "f.gz")
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
        bucket.put(f"i/{name}", b"x")
    expected = {
        "": ["a.cdxj", "b.cdxj.gz", "c.parquet", "cdx-00001.gz"],
        "*.gz": ["b.cdxj.gz", "cdx-00001.gz", "d.warc.gz", "f.gz"],
        "f.gz": ["f.gz"],
        "*/*": ["sub/e.cdxj"],
        "none": [],
    }
    for pattern, found in expected.items():
        local, remote = (
            list_indexes(f"{tmp_path}/{pattern}"),
            list_indexes(bucket.address(f"i/{pattern}")),
        )
        assert [one.address for one in local] == [f"{tmp_path}/{name}" for name in found]
        assert [one.address for one in remote] == [bucket.address(f"i/{name}") for name in found]
    address = web_server.put("f.gz", b"x")
    assert [(one.address, one.size) for one in list_indexes(address)] == [(address, 1)]

"""The indexes of archive files: those that the crawler caches, and those of other programs."""

import gzip
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from archive_indexes import (
    DATE,
    DIGEST,
    MOMENT,
    ONE,
    TWO,
    Open,
    archives_opened,  # noqa: F401
    cached_indexes,  # noqa: F401
    captures,
    line,
    page_record,
)
from archives import NEWS, http, page, record

from crawler.errors import ArchiveError
from crawler.warc.archive import Archive
from crawler.warc.captures import CONVERSION, REVISIT, Capture
from crawler.warc.index import distinct


def urls(archive: Archive) -> list[str]:
    return [capture.url for _, capture in archive.all_captures()]


def test_our_own_index_of_each_kind_of_record(tmp_path: Path, open_archive: Open) -> None:
    url = f"{NEWS}5"
    same = {"date": DATE, "WARC_Payload_Digest": DIGEST}
    gone, moved = http(b"x", "404 Not Found"), http(b"", "301 Moved", "Location: /")
    request = b"POST /news/5 HTTP/1.1\r\nHost: x\r\n\r\n"
    not_captures = [
        record("", b"software: x\r\n", kind="warcinfo"),
        record(url, b"x", kind="metadata"),
        record("dns:en.alalam.ir", b"x", kind="resource", Content_Type="text/dns"),
        record("urn:text:5", b"the bare text", kind="conversion", Content_Type="text/plain"),
        record("http://x:99999/", http(b"x")),
    ]
    html_type = {"media_type": "text/html"}
    rows: list[tuple[bytes, dict[str, Any]]] = [
        (
            record(url, http(page(5)), WARC_Record_ID="<urn:a>", **same),
            {"status": 200, "digest": DIGEST, "record_id": "<urn:a>", **html_type},
        ),
        (
            record(url, gone, WARC_Record_ID="<urn:b>", WARC_Concurrent_To="<urn:q>", **same),
            {
                **html_type,
                "status": 404,
                "digest": DIGEST,
                "record_id": "<urn:b>",
                "concurrent_to": "<urn:q>",
                "method": "POST",
            },
        ),
        (record(url, moved, WARC_Record_ID="< urn:c >"), {"status": 301, "record_id": "<urn:c>"}),
        (record(url, http(b"", "0 None"), WARC_Record_ID="<urn:d>"), {"record_id": "<urn:d>"}),
        (
            record(url, http(b"", "304 Not"), kind="revisit", WARC_Record_ID="<urn:e>", **same),
            {"digest": DIGEST, "media_type": REVISIT, "record_id": "<urn:e>"},
        ),
        (
            record(url, http(b"", "302 Found"), kind="revisit", WARC_Record_ID="<urn:f>"),
            {"status": 302, "media_type": REVISIT, "record_id": "<urn:f>"},
        ),
        (
            record(url, b"<p>", kind="resource", Content_Type="text/x; a=b", WARC_Record_ID="<u>"),
            {"media_type": "text/x", "record_id": "<u>"},
        ),
        (
            record(f"urn:rendered:{url}", b"<p>", kind="conversion", WARC_Record_ID="<urn:g>"),
            {"media_type": CONVERSION, "record_id": "<urn:g>"},
        ),
    ]
    request_record = record(url, request, "2016", kind="request", WARC_Record_ID="<urn:q>")
    data, expected = not_captures[0], []
    for number, (content, fields) in enumerate(rows):
        if fields.get("status") == 301:
            fields |= html_type
        if fields["record_id"] == "<urn:d>":
            fields |= html_type
        dated = content.replace(DATE.encode(), b"2015-10-23T10:00:0%dZ" % number)
        place = {"file": "a.warc", "offset": len(data), "length": len(dated)}
        expected.append(Capture(url, f"2015102310000{number}", **fields, **place))
        data += dated
    data += request_record + b"".join(not_captures[1:4])
    place = len(data)
    data += not_captures[4]
    path = tmp_path / "a.warc"
    path.write_bytes(data)
    for _ in range(2):
        archive = open_archive(path)
        assert captures(archive) == expected
        assert captures(archive, url) == expected
        assert captures(archive, NEWS + "55") == captures(archive, "no url") == []
        assert urls(archive) == [url] * len(rows)
        assert archive.faults == [
            f"{path}, offset {place}: its headers do not give the page's URL or date"
        ]


NO_KIND = "its record type is missing or unknown"
NO_PAGE_OR_DATE = "its headers do not give the page's URL or date"


@pytest.mark.parametrize("count", [1, 19, 20, 21, 22, 1021])
def test_only_twenty_faults_are_named(tmp_path: Path, open_archive: Open, count: int) -> None:
    path = tmp_path / "a.warc"
    bad = record(NEWS + "1", b"x", kind="responsf", WARC_Record_ID="<urn:x>")
    path.write_bytes(page_record(9) + bad * count)
    begin = len(page_record(9))
    messages = [
        f"{path}, offset {begin + number * len(bad)}: {NO_KIND}" for number in range(min(count, 20))
    ]
    more = [f"and {count - 20:,} more places"] if count > 20 else []
    for _ in range(2):
        archive = open_archive(path)
        assert archive.faults == messages + more
        assert [capture.url for capture in captures(archive)] == [NEWS + "9"]


def test_captures_are_ordered_and_of_one_url(tmp_path: Path, open_archive: Open) -> None:
    """The captures of a URL are ordered by time, and exclude those of longer URLs by default."""
    path = tmp_path / "a.warc"
    days = (3, 1, 2)
    numbers = [1, 10, 2, 100, 11, *range(200, 290)]
    path.write_bytes(
        b"".join(page_record(n, f"2015-10-0{day}T00:00:00Z") for n in numbers for day in days)
    )
    archive = open_archive(path)
    for number in numbers:
        found = [(c.url, c.timestamp[:8]) for c, _ in archive.captures(f"{NEWS}{number}")]
        assert found == [(f"{NEWS}{number}", f"2015100{day}") for day in (1, 2, 3)]
    longer = [c.url.removeprefix(NEWS) for c in captures(archive, NEWS + "1")]
    assert longer == ["1"] * 3 + ["10"] * 3 + ["100"] * 3 + ["11"] * 3
    assert len(captures(archive)) == 3 * len(numbers)
    assert not list(archive.captures(NEWS + "0")) + list(archive.captures(NEWS + "3"))
    assert sorted(distinct(capture.url for _, capture in archive.all_captures())) == list(
        distinct(urls(archive))
    )
    assert list(distinct(capture.url for _, capture in archive.all_captures())) == sorted(
        f"{NEWS}{number}" for number in numbers
    )


def test_a_cached_index_is_used_until_its_file_changes(
    tmp_path: Path, index_cache: Path, open_archive: Open
) -> None:
    path = tmp_path / "a.warc"

    def urls_and_new(at: Path) -> tuple[list[str], int]:
        before = (
            {file: file.stat().st_ino for file in index_cache.iterdir()}
            if index_cache.is_dir()
            else {}
        )
        urls = [capture.url.removeprefix(NEWS) for capture in captures(open_archive(at))]
        after = {file: file.stat().st_ino for file in index_cache.iterdir()}
        return urls, len(after.items() - before.items())

    path.write_bytes(page_record(1))
    os.utime(path, ns=(5, 5_000_000_000))
    assert urls_and_new(path) == (["1"], 1)
    assert urls_and_new(path) == (["1"], 0)
    # The pages can also be read through a link.
    link = tmp_path / "link.warc"
    link.symlink_to(path)
    archive = open_archive(link)
    [found] = archive.captures(NEWS + "1")
    assert archive.read(*found).where == f"{link}, offset 0"
    link.unlink()
    # Another page of the same size, a nanosecond later.
    path.write_bytes(page_record(2))
    os.utime(path, ns=(5, 5_000_000_001))
    assert urls_and_new(path) == (["2"], 1)
    # More bytes, with the same modification time.
    path.write_bytes(page_record(3) + page_record(4))
    os.utime(path, ns=(5, 5_000_000_001))
    assert urls_and_new(path) == (["3", "4"], 1)
    moved = path.rename(tmp_path / "b.warc")
    assert urls_and_new(moved) == (["3", "4"], 1)
    copied = tmp_path / "c.warc"
    shutil.copy2(moved, copied)
    assert urls_and_new(copied) == (["3", "4"], 1)
    moved.rename(path)
    assert urls_and_new(path) == (["3", "4"], 0)
    # A change to an index by another program is noticed as well.
    index = tmp_path / "a.cdxj"
    index.write_text(line(3, 0, url=NEWS + "9"), encoding="utf-8")
    with pytest.raises(ArchiveError):
        open_archive(path)
    index.write_text(line(3, 0) + line(4, len(page_record(3))), encoding="utf-8")
    os.utime(index, ns=(5, 5))
    assert urls_and_new(path) == (["3", "4"], 1)
    assert urls_and_new(path) == (["3", "4"], 0)
    index.write_text(line(4, len(page_record(3))), encoding="utf-8")
    assert urls_and_new(path) == (["4"], 1)
    index.unlink()
    assert urls_and_new(path) == (["3", "4"], 0)
    assert (
        len(list(index_cache.iterdir())) == len({file.name for file in index_cache.iterdir()}) == 8
    )
    assert {file.suffix for file in index_cache.iterdir()} == {".cdxj"}


SECOND = len(ONE)
DATA = ONE + TWO


def test_an_index_by_another_program(tmp_path: Path, open_archive: Open) -> None:
    path = tmp_path / "a.warc"
    path.write_bytes(DATA)
    both = line(1, 0), line(2, SECOND)
    one = Capture(NEWS + "1", MOMENT, 200, "text/html", DIGEST, "a.warc", 0, len(ONE))
    two = Capture(NEWS + "2", MOMENT, 200, "text/html", DIGEST, "a.warc", SECOND, len(TWO))

    def changed(capture: Capture, **more: Any) -> Capture:
        fields = {name: getattr(capture, name) for name in capture.__slots__}
        return Capture(**{**fields, **more})

    rows: dict[str, tuple[str, list[Capture]]] = {
        "both": (both[0] + both[1], [one, two]),
        "in any order": (both[1] + both[0], [one, two]),
        "only the last": (both[1], [two]),
        "heads and blank lines": (
            '!meta {"a": 1}\n CDX N b a m s k r V g\n\n  \n' + both[0] + "\r\n" + both[1],
            [one, two],
        ),
        "line ends of DOS": ((both[0] + both[1]).replace("\n", "\r\n"), [one, two]),
        "no line end": ((both[0] + both[1]).rstrip("\n"), [one, two]),
        "numbers": (
            line(1, 0, offset=0, length=len(ONE), status=200) + both[1],
            [one, two],
        ),
        "no status": (line(1, 0, status="-") + both[1], [changed(one, status=None), two]),
        "status 0": (line(1, 0, status="0") + both[1], [changed(one, status=None), two]),
        "little": (
            line(1, 0, status=None, mime=None, digest=None, length=None) + both[1],
            [changed(one, status=None, media_type="", digest="", length=0), two],
        ),
        "a path": (line(1, 0, filename="archive/a.warc") + both[1], [one, two]),
        "revisit": (
            line(1, 0, mime=REVISIT, status="304") + both[1],
            [changed(one, media_type=REVISIT, status=304), two],
        ),
        "method": (line(1, 0, method="post") + both[1], [changed(one, method="POST"), two]),
        "method GET": (line(1, 0, method="get") + both[1], [one, two]),
        "method in the key": (
            line(1, 0, "ir,alalam,en)/news/1?__wb_method=put&a=b") + both[1],
            [changed(one, method="PUT"), two],
        ),
        "capitals in the scheme": (
            line(1, 0, url="HTTP://en.alalam.ir/news/1") + both[1],
            [one, two],
        ),
    }
    index = tmp_path / "a.cdxj"
    for name, (text, expected) in rows.items():
        index.write_text(text, encoding="utf-8", newline="")
        archive = open_archive(path)
        assert captures(archive) == expected, name
        assert archive.faults == [], name


def test_an_index_by_another_program_that_is_wrong(tmp_path: Path, open_archive: Open) -> None:
    path, index = tmp_path / "a.warc", tmp_path / "a.warc.cdxj"
    path.write_bytes(DATA)
    size, both = len(DATA), line(1, 0) + line(2, SECOND)
    lead = f"points to byte {SECOND:,} and {{:,}} more, but {path} has {size:,}"
    not_there = f"line 1 says that {NEWS}2 is at byte 0 of {path}, but it is not"
    rows: dict[str, tuple[str, str | None]] = {
        "to the last byte": (both, None),
        "a byte over": (
            line(1, 0) + line(2, SECOND, length=len(TWO) + 1),
            "line 2 " + lead.format(len(TWO) + 1),
        ),
        "no JSON": (both + "ir)/ 20151023100000 x\n", "line 3 is not CDXJ (…)"),
        "two words": ("ir)/ 20151023100000\n" + both, "line 1 is not CDXJ (…)"),
        "no timestamp": (line(1, 0, moment="2015") + both, "line 1 is not CDXJ (…)"),
        "no moment": (line(1, 0, moment="20151323100000") + both, "line 1 is not CDXJ (…)"),
        "no offset": (line(1, 0, offset=None) + both, "line 1 is not CDXJ (…)"),
        "a list": ("ir)/ 20151023100000 []\n" + both, "line 1 is not CDXJ (…)"),
        "another file": (
            line(1, 0, filename="b.warc") + both,
            "line 1 names 'b.warc', which is not there",
        ),
        "another page": (line(2, 0) + both, not_there),
        "another page, not the first": (both + line(2, 0), None),
        "no record there": (
            line(1, 7) + both,
            f"line 1 says that {NEWS}1 is at byte 7 of {path}, but it is not",
        ),
        "less": (line(1, 0), f"{path} has a capture at byte {SECOND}, after the last one listed"),
        "nothing": ("", f"{path} has a capture at byte 0, after the last one listed"),
        # A sample of the lines is looked up: the first, and every 997th after it.
        "another page at line 997": (line(1, 0) * 996 + line(2, 0) + both, None),
        "another page at line 998": (
            line(1, 0) * 997 + line(2, 0) + both,
            not_there.replace("line 1 ", "line 998 "),
        ),
        "another page at line 999": (line(1, 0) * 998 + line(2, 0) + both, None),
    }
    for name, (text, fault) in rows.items():
        index.write_text(text, encoding="utf-8")
        if fault is None:
            open_archive(path)
            continue
        with pytest.raises(ArchiveError) as caught:
            open_archive(path)
        begin, _, end = (
            f"the index {index} does not match its file: {fault}; "
            "recreate it, or delete it to have it recreated"
        ).partition("…")
        message = str(caught.value)
        assert message.startswith(begin) and message.endswith(end), (name, message)
        assert end or message == begin, name
    # Records after the last capture need no line in an index if they are not captures.
    index.write_text(both, encoding="utf-8")
    path.write_bytes(DATA + record(NEWS + "2", b"x", kind="metadata"))
    assert len(captures(open_archive(path))) == 2
    for broken, why in (
        (b"\x1f\x8b\x08no gzip", ""),
        (gzip.compress(both.encode())[:-9], ""),
        (gzip.compress(b"x" * ((1 << 20) + 1)), "a.cdxj.gz has a line of over 1,048,576 bytes"),
    ):
        index.unlink(missing_ok=True)
        packed = tmp_path / "a.cdxj.gz"
        packed.write_bytes(broken)
        with pytest.raises(ArchiveError) as caught:
            open_archive(path)
        begin, end = (
            f"the index {packed} cannot be read ({why}",
            "); recreate it, or delete it to have it recreated",
        )
        assert str(caught.value).startswith(begin) and str(caught.value).endswith(end)
    packed.write_bytes(gzip.compress(both.encode() + b" " * ((1 << 20) - 1) + b"\n"))
    assert len(captures(open_archive(path))) == 2


@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz", "A.WARC", "a.warc.open"])
def test_which_index_beside_a_file_is_used(tmp_path: Path, open_archive: Open, name: str) -> None:
    path = tmp_path / name
    data = gzip.compress(ONE) if name.endswith(".gz") else ONE
    path.write_bytes(data)
    stem = name.partition(".")[0]
    # From the lowest priority to the highest.
    names = [f"{stem}.cdxj.gz", f"{stem}.cdxj", f"{name}.cdxj.gz", f"{name}.cdxj"]
    for moment, beside in enumerate(names):
        text = line(1, 0, moment=f"200{moment}0101000000", filename=name, length="1").encode()
        packed = gzip.compress(text) if beside.endswith(".gz") else text
        (tmp_path / beside).write_bytes(packed)
        [capture] = captures(open_archive(path))
        assert capture.timestamp == f"200{moment}0101000000", beside


def test_rendered_pages_are_found_without_another_programs_index(
    tmp_path: Path, open_archive: Open
) -> None:
    path = tmp_path / "a.warc"
    info = record("", b"software: x\r\nrendered-by: y\r\n", kind="warcinfo")
    rendered = record(
        f"urn:rendered:{NEWS}1", b"<p>shown", kind="conversion", Content_Type="text/html"
    )
    path.write_bytes(info + ONE + rendered)
    (tmp_path / "a.cdxj").write_text(line(1, len(info)), encoding="utf-8")
    assert [c.media_type for c in captures(open_archive(path))] == ["text/html", CONVERSION]


def request_record(method: str, date: str = DATE, **more: str) -> bytes:
    head = f"{method} /news/1 HTTP/1.1\r\n\r\n".encode()
    return record(NEWS + "1", head, date, "request", **more)


# The request record, further headers of the response, and the resulting method.
METHODS: dict[str, tuple[bytes, dict[str, str], str]] = {
    "the request names the answer": (
        request_record("PUT", "2016", WARC_Concurrent_To="<urn:1>"),
        {},
        "PUT",
    ),
    "the answer names the request": (
        request_record("PUT", "2016", WARC_Record_ID="<urn:q>"),
        {"WARC_Concurrent_To": "<urn:q>"},
        "PUT",
    ),
    "neither, in the same second": (request_record("post"), {}, "POST"),
    "neither, in another second": (request_record("POST", "2015-10-23T10:00:01Z"), {}, ""),
    "another method in the same second": (request_record("OPTIONS"), {}, ""),
    "the request names another answer": (
        request_record("POST", WARC_Concurrent_To="<urn:x>"),
        {},
        "",
    ),
    "GET": (request_record("GET", WARC_Concurrent_To="<urn:1>"), {}, ""),
    "no request of HTTP": (request_record("", WARC_Concurrent_To="<urn:1>"), {}, ""),
    "ids with blanks": (request_record("PUT", "2016", WARC_Concurrent_To="<urn: 1>"), {}, "PUT"),
}


@pytest.mark.parametrize("name", METHODS)
def test_the_request_method_of_a_response(tmp_path: Path, open_archive: Open, name: str) -> None:
    request, headers, method = METHODS[name]
    path = tmp_path / "a.warc"
    for data in (request + page_record(1, **headers), page_record(1, **headers) + request):
        path.write_bytes(data + page_record(2))
        archive = open_archive(path)
        for found in (captures(archive), [one for _, one in archive.all_captures()]):
            methods = [(capture.url[-1], capture.method) for capture in found]
            assert methods == [("1", method), ("2", "")]


def test_an_index_by_another_program_without_a_page(tmp_path: Path, open_archive: Open) -> None:
    path = tmp_path / "a.warc"
    path.write_bytes(record("dns:en.alalam.ir", b"x", kind="resource"))
    (tmp_path / "a.cdxj").write_text(line(1, 0, url="dns:en.alalam.ir", length="9"), "utf-8")
    with pytest.raises(ArchiveError, match="it contains no pages; takes"):
        open_archive(path)


def test_a_record_without_a_url(tmp_path: Path, open_archive: Open) -> None:
    """Such a record may be a page, unless it is a conversion to another media type."""
    path = tmp_path / "a.warc"
    lost = record("", http(b"x"))
    path.write_bytes(lost + record("", b"x", kind="conversion") + page_record(1))
    assert open_archive(path).faults == [f"{path}, offset 0: {NO_PAGE_OR_DATE}"]

"""Test the parsing of one archive record, and the exact errors for those that are refused."""

import base64
import hashlib
from datetime import UTC, datetime

import pytest
from archives import ARC_HEAD, NEWS, arc_record, http, record

from crawler.errors import ArchiveError
from crawler.warc.records import (
    Record,
    digest_key,
    digest_of,
    has_digest,
    kind_of,
    method_of,
    parse,
    parse_head,
    read_date,
    unchunked,
)

URL = NEWS + "1"
AT = datetime(2015, 10, 23, 10, tzinfo=UTC)
TEXT_HTML = (b"Content-Type", b"text/html; charset=utf-8")
HTML = b"<!doctype html><p>The bridge is open.</p>"


def digests(data: bytes) -> dict[str, bytes]:
    return {
        name: hashlib.new(name, data).digest()
        for name in ("md5", "sha1", "sha256", "sha384", "sha512")
    }


def read(data: bytes) -> Record | str:
    """Return the record, or the reason and message of its refusal."""
    try:
        return parse(data, "here")
    except ArchiveError as error:
        text = str(error)
        # The libraries' own error messages are not compared.
        message = text.partition(" (")[0] if "cannot be read" in text else text
        return f"{error.reason}: {message}"


def test_all_fields_of_a_record() -> None:
    data = record(
        "<HTTP://en.alalam.ir/a b>",
        http(b"abc", "203 Well", "X-A: 1", "x-a: 2"),
        "2015-10-23",
        "Response",
        WARC_Record_ID="<urn:a>",
        WARC_Concurrent_To="<urn:q>",
        WARC_Payload_Digest=digest_of(b"abc"),
        WARC_Profile="a profile",
        WARC_Refers_To="<urn:r>",
        WARC_Refers_To_Target_URI="<HTTP://en.alalam.ir/r>",
        WARC_Refers_To_Date="2014",
    )
    expected = Record(
        kind="response",
        url="http://en.alalam.ir/a%20b",
        date=datetime(2015, 10, 23, tzinfo=UTC),
        date_note=(
            "only 2015-10-23 is known of the date '2015-10-23'; the first moment of it is assumed"
        ),
        status=203,
        headers=(TEXT_HTML, (b"X-A", b"1"), (b"x-a", b"2")),
        payload=b"abc",
        digest=digest_of(b"abc"),
        profile="a profile",
        record_id="<urn:a>",
        concurrent_to="<urn:q>",
        refers_to=("http://en.alalam.ir/r", datetime(2014, 1, 1, tzinfo=UTC)),
        refers_to_id="<urn:r>",
    )
    assert read(data) == expected
    assert expected.media_type == "text/html"
    head = parse_head(data)
    assert head is not None
    assert (head.payload, head.headers, head.status) == (b"", expected.headers, 203)
    nothing = read(record(URL, b"x", kind="metadata", WARC_Record_ID=""))
    assert nothing == Record(
        kind="metadata", url=URL, date=AT, status=None, headers=(), payload=b"x"
    )
    assert isinstance(nothing, Record) and nothing.media_type == ""


PART = "the writer recorded only part of the page (WARC-Truncated: length)"
SEGMENT = "it is the first of several segments of a page; segmented records are not supported"
CHUNKED = "Transfer-Encoding: Chunked"
# A record, and its status and payload; or the reason and message of its refusal.
RECORDS: dict[str, tuple[bytes, tuple[int | None, bytes] | str]] = {
    "truncated": (record(URL, http(b"x"), WARC_Truncated="length"), f"cut_short: here: {PART}"),
    "a revisit that is truncated": (
        record(URL, http(b"x"), kind="revisit", WARC_Truncated="length"),
        (200, b""),
    ),
    "a segment": (record(URL, http(b"x"), WARC_Segment_Number="1"), f"cut_short: here: {SEGMENT}"),
    **{
        f"status {status}, truncated and short": (
            record(URL, http(b"x", f"{status} S", "Content-Length: 9"), WARC_Truncated="length"),
            f"cut_short: here: {PART}" if is_page else (status or None, b"x"),
        )
        for status, is_page in ((0, True), (199, False), (200, True), (299, True), (300, False))
    },
    **{
        f"status {status}, short": (
            record(URL, http(b"x", f"{status} S", "Content-Length: 1234")),
            "cut_short: here: the response declares 1,234 bytes but has 1"
            if is_page
            else (status, b"x"),
        )
        for status, is_page in ((199, False), (200, True), (299, True), (300, False), (404, False))
    },
    "as long as it says": (record(URL, http(b"x", "200 S", "Content-Length: 1")), (200, b"x")),
    "longer than it says": (record(URL, http(b"xy", "200 S", "Content-Length: 1")), (200, b"xy")),
    "two lengths": (
        record(URL, http(b"x", "200 S", "Content-Length: 2", "content-length: 1")),
        "cut_short: here: the response declares 2 bytes but has 1",
    ),
    "two lengths, the longer last": (
        record(URL, http(b"x", "200 S", "Content-Length: 1", "content-length: 2")),
        "cut_short: here: the response declares 2 bytes but has 1",
    ),
    "a length that is none": (record(URL, http(b"x", "200 S", "Content-Length: -9")), (200, b"x")),
    "a resource of any length": (
        record(URL, b"x", kind="resource", Content_Type="text/html"),
        (None, b"x"),
    ),
    "chunks": (
        record(URL, http(b"3\r\nabc\r\n0\r\n\r\n", "200 S", CHUNKED)),
        (200, b"abc"),
    ),
    "chunks, shorter than it says": (
        record(URL, http(b"3\r\nabc\r\n0\r\n\r\n", "200 S", CHUNKED, "Content-Length: 99")),
        (200, b"abc"),
    ),
    "chunks that are taken off": (record(URL, http(b"abc", "200 S", CHUNKED)), (200, b"abc")),
    "chunks that nothing tells": (
        record(URL, http(b"3\r\nabc\r\n0\r\n\r\n")),
        (200, b"3\r\nabc\r\n0\r\n\r\n"),
    ),
    "another transfer coding": (
        record(URL, http(b"3\r\nabc\r\n0\r\n\r\n", "200 S", "Transfer-Encoding: gzip")),
        (200, b"3\r\nabc\r\n0\r\n\r\n"),
    ),
    "chunks that end early": (
        record(URL, http(b"3\r\nabc\r\n", "200 S", CHUNKED)),
        "cut_short: here: its chunked body is incomplete or malformed",
    ),
    "neither an answer nor a page": (
        record(URL, b"\x00" * 30),
        f"unreadable: here: it is neither an HTTP response nor a page; it begins with "
        f"{bytes(20)!r}",
    ),
    "a page without an answer": (
        record(URL, b"\xef\xbb\xbf \n" + HTML),
        (None, b"\xef\xbb\xbf \n" + HTML),
    ),
    "line ends before the answer": (record(URL, b"\r\n\r\n" + http(b"x")), (200, b"x")),
    "small letters": (record(URL, http(b"x").replace(b"HTTP/", b"http/")), (200, b"x")),
    "no number of a version": (record(URL, http(b"x").replace(b"HTTP/1.1", b"HTTP")), (200, b"x")),
    **{
        f"status {status!r}": (
            record(URL, http(b"x", status)),
            "unreadable: here: its HTTP status cannot be read",
        )
        for status in ("20 OK", "2000 OK", "abc", "2٠0 OK")
    },
    "a status of zeros": (record(URL, http(b"x", "0000 OK")), (None, b"x")),
    "a head of HTTP of 65,535 bytes": (
        record(URL, http(b"x", "200 S", "X: " + "x" * (65_535 - len(http(b"", "200 S", "X: "))))),
        (200, b"x"),
    ),
    "a head of HTTP of 65,537 bytes": (
        record(URL, http(b"x", "200 S", "X: " + "x" * (65_537 - len(http(b"", "200 S", "X: "))))),
        "unreadable: here: its HTTP headers have over 65,536 bytes",
    ),
    "no date": (
        record(URL, http(b"x")).replace(b"WARC-Date", b"WARC-Data"),
        "unreadable: here: its headers cannot be read",
    ),
    "no record": (b"none", "unreadable: here: its headers cannot be read"),
    "ARC": (arc_record(URL, http(b"x")), (200, b"x")),
    "ARC without an answer": (arc_record(URL, HTML), (None, HTML)),
}


@pytest.mark.parametrize("name", RECORDS)
def test_the_status_and_payload_of_a_record(name: str) -> None:
    data, expected = RECORDS[name]
    result = read(data)
    assert (result if isinstance(result, str) else (result.status, result.payload)) == expected


STORED, UNCHUNKED = b"3\r\nabc\r\n0\r\n\r\n", b"abc"


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("name", ["WARC-Payload-Digest", "WARC-Block-Digest"])
def test_a_digest_in_any_form(name: str, chunked: bool) -> None:
    """A payload digest may include the chunks; a block digest is of the stored bytes."""
    content = http(STORED, "200 S", CHUNKED) if chunked else http(UNCHUNKED)
    right = [content] if "Block" in name else [UNCHUNKED, STORED] if chunked else [UNCHUNKED]
    wrong = [UNCHUNKED] if "Block" in name else [content, b"abd"]
    for data, is_right in (*((one, True) for one in right), *((one, False) for one in wrong)):
        for algorithm, digest in digests(data).items():
            base_32 = base64.b32encode(digest).decode()
            for declared in (
                f"{algorithm}:{base_32}",
                f"{algorithm}:{base_32.rstrip('=')}",
                f" {algorithm.upper()}:{base_32.lower()} ",
                f"{algorithm}:{digest.hex()}",
                f"{algorithm.replace('sha', 'sha-')}:{digest.hex().upper()}",
            ):
                result = read(record(URL, content, **{name: declared}))
                if is_right:
                    assert isinstance(result, Record), (declared, result)
                    assert result.payload == UNCHUNKED
                else:
                    assert result == (
                        "unreadable: here: its content does not match its digest "
                        f"({name} {declared.strip()})"
                    )
    for unknown in ("crc32:ABCD", "sha1:", "sha1:1890", "sha1", ""):
        assert isinstance(read(record(URL, content, **{name: unknown})), Record), unknown


def test_digest_keys() -> None:
    data = digests(b"abc")
    sha1 = base64.b32encode(data["sha1"]).decode()
    assert digest_of(b"abc") == f"sha1:{sha1}"
    rows: dict[str, str | None] = {
        f"sha1:{sha1}": f"sha1:{sha1}",
        f" SHA-1:{sha1.lower()}\n": f"sha1:{sha1}",
        sha1: f"sha1:{sha1}",
        data["sha1"].hex(): f"sha1:{sha1}",
        f"md5:{data['md5'].hex()}": f"md5:{base64.b32encode(data['md5']).decode().rstrip('=')}",
        f"sha256:{base64.b32encode(data['sha256']).decode()}": (
            f"sha256:{base64.b32encode(data['sha256']).decode().rstrip('=')}"
        ),
        "sha1:" + "g" * 40: None,
        "sha1:" + "0" * 32: None,
        "sha1:": None,
        "": None,
        "crc32:abcd": None,
        f"a:sha1:{sha1}": None,
    }
    for declared, key in rows.items():
        assert digest_key(declared) == key, declared
        assert has_digest(b"abc", declared), declared
        assert has_digest(b"abd", declared) == (key is None), declared


CHUNKS: dict[bytes, tuple[bytes, bool]] = {
    b"": (b"", False),
    b"0\r\n\r\n": (b"", True),
    b"0\n": (b"", True),
    b"000\r\n": (b"", True),
    b"3\r\nabc\r\n0\r\n": (b"abc", True),
    b"3\nabc\n0\n": (b"abc", True),
    b"3\r\nabc\n0\r\n": (b"abc", True),
    b"3\nabc\r0\n": (b"abc", True),
    b" \t03 \t\r\nabc\r\n0 \r\n": (b"abc", True),
    b'00000000000000000000a;x="y"\r\n0123456789\r\n0;z\r\n': (b"0123456789", True),
    b"A\r\n0123456789\r\n1\r\nx\r\n0\r\n": (b"0123456789x", True),
    b"3\r\nabcd\r\n0\r\n": (b"abc", False),
    b"4\r\nabc": (b"abc", False),
    b"3\r\nabc": (b"abc", False),
    b"3\r\nabc\r\n": (b"abc", False),
    b"3\r\nabc\r\nx\r\n": (b"abc", False),
    b"3x\r\nabc\r\n0\r\n": (b"", False),
    b"fffffffffffffff\r\nabc": (b"abc", False),
    b"ffffffffffffffff\r\nabc": (b"", False),
}


@pytest.mark.parametrize("stored", CHUNKS)
def test_chunked_coding_is_removed(stored: bytes) -> None:
    assert unchunked(stored) == CHUNKS[stored]


def test_the_media_type_and_url_of_each_kind() -> None:
    typed = {"kind": "resource", "Content_Type": "Text/X"}
    rows: dict[str, tuple[bytes, str, str]] = {
        "resource": (record(URL, b"x", **typed), "Text/X", URL),
        "a page that is declared": (
            record(URL, b"x", Content_Type="Text/HTML; a"),
            "Text/HTML",
            URL,
        ),
        "XHTML": (
            record(URL, b"x", Content_Type="application/xhtml+xml"),
            "application/xhtml+xml",
            URL,
        ),
        "a page by its bytes": (record(URL, b" <TITLE>"), "text/html", URL),
        "neither": (record(URL, b"title"), "", URL),
        "ours": (record(f"urn:rendered:{URL}", b"x", kind="conversion"), "application/http", URL),
        "of others": (record(URL, b"x", kind="conversion"), "application/http", ""),
        "response": (record(f"urn:rendered:{URL}", http(b"")), "text/html", f"urn:rendered:{URL}"),
    }
    for name, (data, media_type, url) in rows.items():
        result = parse_head(data)
        assert result is not None, name
        assert (result.media_type, result.url) == (media_type, url), name
    for start in (b"<!DOCTYPE", b"<html", b"<head", b"<body", b"<meta", b"<?xml", b"<!--"):
        result = parse_head(record(URL, start))
        assert result is not None and result.media_type == "text/html"
    for data in (b"", b"WARC/1.0\r\n\r\n", record(URL, b"", "some day")):
        assert parse_head(data) is None


KINDS: dict[str, tuple[bytes, bytes, str]] = {
    "response": (record(URL, b"x"), b"response", ""),
    "capitals": (record(URL, b"x", kind="ReSponse"), b"response", ""),
    "no kind, but in the page": (
        record(URL, b"\r\nWARC-Type: response\r\n").replace(b"WARC-Type", b"WARC-Tape", 1),
        b"",
        "",
    ),
    "POST": (record(URL, b"post / HTTP/1.1\r\n", kind="request"), b"request", "POST"),
    "line ends first": (record(URL, b"\r\nGET / HTTP/1.1\r\n", kind="request"), b"request", "GET"),
    "20 letters": (record(URL, b"A" * 20 + b" /", kind="request"), b"request", "A" * 20),
    "21 letters": (record(URL, b"A" * 21 + b" /", kind="request"), b"request", ""),
    "no request": (record(URL, b"12 /", kind="request"), b"request", ""),
    "ARC": (arc_record(URL, b"x"), b"response", ""),
    "the head of ARC": (ARC_HEAD, b"warcinfo", ""),
    "nothing": (b"", b"", ""),
    "something": (b"x", b"warcinfo", ""),
}


@pytest.mark.parametrize("name", KINDS)
def test_kinds_and_methods(name: str) -> None:
    data, kind, method = KINDS[name]
    assert (kind_of(data), method_of(data)) == (kind, method)


def moment(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


# A date as written, the resulting time, and the known part of the date if it is incomplete.
DATES: dict[str, tuple[datetime, str | None]] = {
    "2015": (moment(2015, 1, 1), "2015"),
    "2015-10": (moment(2015, 10, 1), "2015-10"),
    "201510": (moment(2015, 10, 1), "2015-10"),
    "20151023": (moment(2015, 10, 23), "2015-10-23"),
    "2015-10-23T13": (moment(2015, 10, 23, 13), "2015-10-23 13"),
    "2015-10-23T13:26Z": (moment(2015, 10, 23, 13, 26), "2015-10-23 13:26"),
    "2015-10-23T13:26:08Z": (moment(2015, 10, 23, 13, 26, 8), None),
    "2015-10-23t13:26:08z": (moment(2015, 10, 23, 13, 26, 8), None),
    "2015-10-23 13:26:08": (moment(2015, 10, 23, 13, 26, 8), None),
    "20151023132608": (moment(2015, 10, 23, 13, 26, 8), None),
    " 20151023132608 ": (moment(2015, 10, 23, 13, 26, 8), None),
    "2015-10-23T13:26:08.5Z": (moment(2015, 10, 23, 13, 26, 8, 500_000), None),
    "2015-10-23T13:26:08,000123Z": (moment(2015, 10, 23, 13, 26, 8, 123), None),
    "2015-10-23T13:26:08.123456789Z": (moment(2015, 10, 23, 13, 26, 8, 123_456), None),
    "2015-10-23T13:26:08+03:30": (moment(2015, 10, 23, 9, 56, 8), None),
    "2015-10-23T13:26:08-0330": (moment(2015, 10, 23, 16, 56, 8), None),
    "2015-10-23T13+03:30": (moment(2015, 10, 23, 9, 30), "2015-10-23 13"),
    "2015-10-23+03:30": (moment(2015, 10, 23), "2015-10-23"),
    "2015-10-23T13:26:60Z": (moment(2015, 10, 23, 13, 26), "2015-10-23 13:26"),
    "2015-10-23T24:00:00Z": (moment(2015, 10, 23), "2015-10-23"),
    "2015-02-29T01:02:03Z": (moment(2015, 2, 1), "2015-02"),
    "2015-13-01": (moment(2015, 1, 1), "2015"),
    "2015-10-294T05:21:46-0700": (moment(2015, 10, 1), "2015-10"),
    "2015-10-23T13:26:08+99:00": (moment(2015, 10, 23), "2015-10-23"),
}


@pytest.mark.parametrize("text", DATES)
def test_dates_as_they_are_written(text: str) -> None:
    at, precision = DATES[text]
    note = precision and (
        f"only {precision} is known of the date {text.strip()!r}; the first moment of it is assumed"
    )
    assert read_date(text) == (at, note)


@pytest.mark.parametrize("text", ["", "201", "x2015", "0000-01-01", "0001-01-01T00:00:00+01:00"])
def test_no_date(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        read_date(text)
    assert str(caught.value).startswith(f"{text!r}")

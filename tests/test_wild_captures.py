"""Several captures of a page, as found in the wild: which one is used as the article.

Each row of a table is a file with one article, unless stated otherwise.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from archives import Warc, http, page, record
from conftest import CACHE, Crawl
from server import NewsServer
from wild_archives import GOOD, ID, LATER, PAGE, URL, article, read

from crawler.warc.archive import Archive
from crawler.warc.records import digest_of

Open = Callable[[bytes], Archive]
BLOCKED = page(ID).split(b"<h1>")[0] + b"<h1>Just a moment</h1><p>Checking your browser</p>"
REVISIT = {"kind": "revisit", "WARC_Profile": "…/identical-payload-digest"}
WRONG_DIGEST, ABSENT_DIGEST = "sha1:" + "A" * 32, "sha1:" + "B" * 32
REFERS_TO_GOOD = {"WARC_Refers_To_Target_URI": URL, "WARC_Refers_To_Date": "2015-10-23T10:00:00Z"}
CANONICAL = b'<head><link rel="canonical" href="http://en.alalam.ir/news/5">'
# Records beside a good page of 2015-10-23, and part of the note about each.
NEWER: dict[str, tuple[bytes, str]] = {
    "block page": (record(URL, http(BLOCKED), LATER), "not an article"),
    "empty": (record(URL, http(b""), LATER), "not an article"),
    "202": (record(URL, http(PAGE, "202 Accepted"), LATER), "http 2xx (202"),
    "204": (record(URL, http(b"", "204 No Content"), LATER), "http 2xx (204"),
    "206": (record(URL, http(PAGE[:600], "206 Partial Content"), LATER), "cut short (206"),
    "picture": (record(URL, http(b"\xff\xd8\xff\xe0" + bytes(99)), LATER), "not html"),
    "another article": (
        record(URL, http(PAGE.replace(b"<head>", CANONICAL)), LATER),
        "other article",
    ),
    "revisit of other bytes": (
        record(
            URL, http(b""), LATER, **REVISIT, WARC_Payload_Digest=ABSENT_DIGEST, **REFERS_TO_GOOD
        ),
        "none of these files",
    ),
    "truncated": (record(URL, GOOD, LATER, WARC_Truncated="length"), "cut short"),
    "announced longer": (record(URL, http(PAGE, "200 OK", "Content-Length: 9999"), LATER), "9,999"),
    "wrong digest": (record(URL, GOOD, LATER, WARC_Payload_Digest=WRONG_DIGEST), "unreadable"),
    "revisit of nothing": (
        record(URL, http(b""), LATER, **REVISIT, WARC_Payload_Digest=ABSENT_DIGEST),
        "none of these files",
    ),
    "revisit of a 404": (
        record(URL, http(b"x", "404 Not Found"), "2015-10-24T00:00:00Z", WARC_Record_ID="<urn:x>")
        + record(URL, b"", LATER, **REVISIT, WARC_Refers_To="<urn:x>"),
        "gone",
    ),
    "no page at all": (record(URL, b"\x00\x01\x02", LATER), "neither"),
    "cut off": (record(URL, GOOD, LATER)[:-200], "ends within"),
}


def test_a_newer_bad_capture_hides_no_good_page(crawl: Crawl, tmp_path: Path) -> None:
    """Each row is in a file of its own, with an article of its own whose id has the same length."""
    folder = tmp_path / "warcs"
    folder.mkdir()
    ids = {name: str(2_000_000 + number) for number, name in enumerate(NEWER)}
    for name, (newer, _) in NEWER.items():
        data = (record(URL, GOOD) + newer).replace(ID.encode(), ids[name].encode())
        (folder / f"{ids[name]}.warc").write_bytes(data)
    for processes in (0, 1):
        run = read(crawl, folder, "all", settings={"READER_PROCESSES": processes})
        for name, (_, note) in NEWER.items():
            assert ids[name] in run.articles, (name, run.failures)
            found = run.articles[ids[name]]
            place = f"the capture of 2015-10-25 09:00:00 at {folder}/{ids[name]}.warc, offset "
            assumed = found["provenance"]["source"]["assumed"]
            assert f"passed over {place}" in assumed, name
            assert note in assumed, name
            assert found["fetched_at"].startswith("2015-10-23"), name


@pytest.mark.slow
def test_a_good_page_behind_many_bad_ones(crawl: Crawl, tmp_path: Path) -> None:
    path = tmp_path / "a.warc"
    newer = [newer for name, (newer, _) in NEWER.items() if name != "cut off"]
    path.write_bytes(record(URL, GOOD) + b"".join(newer))
    assumed = article(crawl, path)["provenance"]["source"]["assumed"]
    assert f"passed over {len(newer) - 3} more" in assumed


@pytest.mark.slow
def test_when_no_capture_is_the_article(crawl: Crawl, server: NewsServer, tmp_path: Path) -> None:
    """The failure is that of the preferred capture; the next source is used after all captures."""
    path = tmp_path / "a.warc"
    blocked = [record(URL, http(BLOCKED + b"%d" % day), f"2015-10-{day}") for day in (11, 12, 13)]
    path.write_bytes(b"".join(blocked) + record(URL, GOOD, LATER, WARC_Truncated="length"))
    failure = read(crawl, path).failures[ID]
    assert failure["reason"] == "cut_short"
    assert "WARC-Truncated" in failure["detail"]
    assert failure["detail"].endswith("3 other captures were tried and none is the article")
    other = Warc(tmp_path / "b.warc").add(URL, PAGE, date="2014-01-01T00:00:00Z").path
    assert read(crawl, f"{path},{other}").articles[ID]["fetched_at"].startswith("2014")
    many = [record(URL, http(BLOCKED + b"%d" % day), f"2014-10-{day}") for day in range(10, 31)]
    path.write_bytes(b"".join(many))
    assert "19 other captures" in read(crawl, path).failures[ID]["detail"]
    path.write_bytes(record(URL, GOOD, "2012") + b"".join(many))
    assert "no more are tried" in read(crawl, path).failures[ID]["detail"]
    # Captures with equal payloads are the same page, and count as one.
    same = record(URL, http(BLOCKED), "2014", WARC_Payload_Digest=digest_of(BLOCKED))
    path.write_bytes(record(URL, GOOD, "2012") + same * 30)
    assert read(crawl, path).articles[ID]["fetched_at"].startswith("2012")


def request_record(method: str, **headers: str) -> bytes:
    request = f"{method} /news/{ID} HTTP/1.1\r\nHost: en.alalam.ir\r\n\r\na=b".encode()
    return record(URL, request, LATER, kind="request", **headers)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["request names answer", "answer names request", "neither"])
def test_the_response_to_a_post(crawl: Crawl, tmp_path: Path, how: str) -> None:
    later = http(page(ID, " after the form"))
    response_headers, request_headers = {"WARC_Record_ID": "<urn:a>"}, {"WARC_Record_ID": "<urn:q>"}
    if how == "request names answer":
        request_headers["WARC_Concurrent_To"] = "<urn:a>"
    elif how == "answer names request":
        response_headers["WARC_Concurrent_To"] = "<urn:q>"
    path = tmp_path / "a.warc"
    for method in ("POST", "GET"):
        path.write_bytes(
            record(URL, GOOD)
            + record(URL, later, LATER, **response_headers)
            + request_record(method, **request_headers)
        )
        found = article(crawl, path)
        assert ("after the form" in found["body"]) == (method == "GET")
        assumed = found["provenance"]["source"]["assumed"] or ""
        assert ("it is the answer to a POST request" in assumed) == (method == "POST")


@pytest.mark.slow
def test_the_response_to_a_post_in_another_programs_index(crawl: Crawl, tmp_path: Path) -> None:
    path = tmp_path / "a.warc"
    first, later = record(URL, GOOD), record(URL, http(page(ID, " after the form")), LATER)
    path.write_bytes(first + later)
    for fields, key in (({"method": "POST"}, ""), ({}, "?__wb_method=POST&a=b")):
        entries = [
            ("20151023100000", "", {"offset": "0", "length": str(len(first))}),
            (
                "20151025090000",
                key,
                {"offset": str(len(first)), "length": str(len(later)), **fields},
            ),
        ]
        common = {"url": URL, "mime": "text/html", "status": "200", "filename": "a.warc"}
        lines = [
            f"ir,alalam,en)/news/{ID}{suffix} {moment} {json.dumps({**common, **entry})}\n"
            for moment, suffix, entry in entries
        ]
        (tmp_path / "a.cdxj").write_text("".join(lines), encoding="utf-8")
        assert article(crawl, path)["fetched_at"].startswith("2015-10-23")


DIGEST = digest_of(PAGE)
ORIGINAL = record(URL, GOOD, WARC_Payload_Digest=DIGEST, WARC_Record_ID="<urn:uuid:1>")
PRINT_VERSION = record(
    "http://en.alalam.ir/print/1", GOOD, WARC_Payload_Digest=DIGEST, WARC_Record_ID="<urn:uuid:2>"
)
REFERS_TO_URL = {"WARC_Refers_To_Target_URI": URL}
# The originals in the file, the headers of the revisit record, and whether these identify the
# original exactly.
REVISITS: dict[str, tuple[bytes, dict[str, str], bool]] = {
    "exact": (ORIGINAL, {**REFERS_TO_URL, "WARC_Refers_To_Date": "2015-10-23T10:00:00Z"}, True),
    "by id": (PRINT_VERSION, {"WARC_Refers_To": "<urn:uuid:2>"}, True),
    "by digest, another URL": (PRINT_VERSION, {}, False),
    "by digest in hexadecimal": (
        PRINT_VERSION.replace(
            DIGEST.encode(),
            b"sha1:" + hashlib.sha1(PAGE).hexdigest().encode(),
        ),
        {},
        False,
    ),
    "a second off": (
        ORIGINAL,
        {**REFERS_TO_URL, "WARC_Refers_To_Date": "2015-10-23T10:00:01Z"},
        False,
    ),
    "a time zone off": (
        ORIGINAL,
        {**REFERS_TO_URL, "WARC_Refers_To_Date": "2015-10-23T13:30:00Z"},
        False,
    ),
    "the URL is another": (
        PRINT_VERSION,
        {**REFERS_TO_URL, "WARC_Refers_To_Date": "2015-10-23T10:00:00Z"},
        False,
    ),
    "no digest in the original": (
        record(URL, GOOD),
        {**REFERS_TO_URL, "WARC_Refers_To_Date": "2015-10-23T10:00:09Z"},
        False,
    ),
    "a damaged copy": (
        PRINT_VERSION.replace(b"Friday", b"Monday") + ORIGINAL,
        {"WARC_Refers_To": "<urn:uuid:2>"},
        False,
    ),
}


@pytest.fixture
def open_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Return a function that opens an archive of one file with these bytes."""
    monkeypatch.setenv("XDG_CACHE_HOME", CACHE)
    opened: list[Archive] = []

    def open_(data: bytes) -> Archive:
        path = tmp_path / "opened.warc"
        path.write_bytes(data)
        opened.append(Archive(str(path), 1 << 20))
        return opened[-1]

    yield open_
    for archive in opened:
        archive.close()


@pytest.mark.parametrize("name", REVISITS)
def test_a_revisit_finds_its_original(open_archive: Open, name: str) -> None:
    originals, headers, is_exact = REVISITS[name]
    revisit = record(URL, http(b""), LATER, **REVISIT, WARC_Payload_Digest=DIGEST, **headers)
    archive = open_archive(originals + revisit)
    *_, found = archive.captures(URL)
    response = archive.read(*found)
    assert (response.body, response.captured_at.day) == (PAGE, 25)
    assert (response.notes == ()) == is_exact

"""Test crawls of archives that are damaged or no archives at all, and wrong arguments."""

import gzip
import json
import re
import zipfile
from pathlib import Path

import pytest
from archive_crawls import ARTICLE, URL
from archives import HEADERS, NEWS, Warc, offsets, page
from conftest import SITE, Crawl


def write_damaged(path: Path, what: str, article: object = ARTICLE) -> Path:
    """Damage the only record of a page; ``DAMAGE`` has the expected reason and detail."""
    warc = Warc(path / f"{article}.warc.gz")
    url, date = f"{NEWS}{article}", "2015-10-23T10:00:00Z"
    if what == "digest":
        warc.add(url, page(article), WARC_Payload_Digest="sha1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
    elif what == "bomb":
        warc.add(
            url,
            gzip.compress(b"<p>x</p>" * 10_000_000),
            headers=[*HEADERS, ("Content-Encoding", "gzip")],
        )
    elif what == "bomb as a record":
        warc.add(url, b"<p>x</p>" * 10_000_000)
    elif what == "cut chunks":
        warc.add(
            url, b"ffff\r\n" + page(article), headers=[*HEADERS, ("Transfer-Encoding", "chunked")]
        )
    elif what == "revisit of nothing":
        warc.revisit(url, "sha1:" + "A" * 32, (url, "2011-01-01T00:00:00Z"), date)
    elif what == "revisit of itself":
        warc.revisit(url, "sha1:" + "A" * 32, (url, date), date)
    elif what == "no status":
        warc.add(url, page(article), "abc Not a number")
    elif what == "shorter than announced":
        warc.add(url, page(article), headers=[*HEADERS, ("Content-Length", "99999")])
    elif what == "a segment":
        warc.add(url, page(article), WARC_Segment_Number="1")
    elif what == "led to what is not there":
        warc.add(url, b"", "301 Moved", [("Location", f"{url}/elsewhere")])
    elif what == "redirect loop":
        warc.add(url, b"", "302 Found", [("Location", url)])
    elif what == "redirect off site":
        warc.add(url, b"", "302 Found", [("Location", "http://parked.example/")]).add(
            "http://parked.example/", page(article)
        )
    elif what == "redirect to another article":
        warc.add(url, b"", "302 Found", [("Location", "/news/5")]).add(NEWS + "5", page(5))
    elif what == "error page":
        warc.add(url, b"<h1>Busy</h1>", "503 Service Unavailable")
    else:
        warc.add(url, page(article)).add(NEWS + "2", page(2))
        data, (begin, end, _) = warc.path.read_bytes(), offsets(warc.path)
        if what == "cut":
            warc.path.write_bytes(data[: end - 40])
        elif what == "flipped":
            # A byte of the checksum: the record is complete, but altered.
            warc.path.write_bytes(data[: end - 6] + bytes([data[end - 6] ^ 1]) + data[end - 5 :])
        elif what in ("longer", "shorter"):
            record = gzip.decompress(data[begin:end])
            length = re.search(rb"\r\nContent-Length: (\d+)\r\n\r\nHTTP", record)
            wrong = int(length[1]) + (30 if what == "longer" else -30)
            record = record[: length.start(1)] + b"%d" % wrong + record[length.end(1) :]
            warc.path.write_bytes(gzip.compress(record) + data[end:])
    return warc.path


DAMAGE = {
    "digest": ("unreadable", "WARC-Payload-Digest"),
    "bomb": ("too_large", "DOWNLOAD_MAXSIZE"),
    "bomb as a record": ("too_large", "DOWNLOAD_MAXSIZE"),
    "cut chunks": ("cut_short", "chunked body"),
    "revisit of nothing": ("unreadable", "2011-01-01"),
    "revisit of itself": ("unreadable", "none of these files"),
    "no status": ("unreadable", "HTTP status"),
    "shorter than announced": ("cut_short", "99,999"),
    "a segment": ("cut_short", "segments"),
    "led to what is not there": ("http_3xx", "/news/1700001/elsewhere"),
    "redirect loop": ("redirect_loop", "redirections"),
    "redirect off site": ("offsite_redirect", "parked.example"),
    "redirect to another article": ("other_article", "/news/5"),
    "error page": ("http_5xx", "503"),
    "cut": ("cut_short", "ends within this record"),
    "flipped": ("unreadable", "damaged"),
    "longer": ("cut_short", "it declares"),
    "shorter": ("unreadable", "it declares"),
}


@pytest.mark.slow_after(2)
@pytest.mark.parametrize("what", DAMAGE)
def test_a_page_that_is_damaged_is_a_failure(crawl: Crawl, tmp_path: Path, what: str) -> None:
    (tmp_path / "warcs").mkdir()
    run = crawl(seed=ARTICLE, depth=0, source=write_damaged(tmp_path / "warcs", what))
    reason, detail = DAMAGE[what]
    [failure] = run.failures.values()
    assert (failure["reason"], failure["source"]) == (reason, "warc")
    assert detail in failure["detail"]
    assert "Traceback" not in run.stderr
    # Each run reports the unreadable parts of its archive, even if it needs only one page.
    in_the_file = what in ("cut", "flipped", "longer", "shorter")
    assert ("could not be read, so pages may be missing: " in run.stdout) == in_the_file
    assert run.exit_code == (0 if reason == "gone" else 4)


# Damage to the headers of an otherwise intact record: the part removed, and its replacement.
INCOMPLETE_HEADERS = {
    "no date": (rb"WARC-Date: [^\r]*\r\n", b""),
    "no moment": (rb"WARC-Date: [^\r]*", b"WARC-Date: some day"),
    "a date beyond all dates": (rb"WARC-Date: [^\r]*", b"WARC-Date: 0001-01-01T00:00:00+01:00"),
    "no address": (rb"WARC-Target-URI: [^\r]*\r\n", b""),
    "an address that is none": (rb"WARC-Target-URI: [^\r]*", b"WARC-Target-URI: http://x:99999/"),
    "no type": (rb"WARC-Type: [^\r]*\r\n", b""),
    "an unknown type": (rb"WARC-Type: [^\r]*", b"WARC-Type: responsf"),
    "an unknown version": (rb"WARC/1..", b"WARC/7.1"),
}


def damage_headers(what: str, record: bytes) -> bytes:
    pattern, replacement = INCOMPLETE_HEADERS[what]
    return re.sub(pattern, replacement, record, count=1)


@pytest.mark.slow
@pytest.mark.parametrize("what", INCOMPLETE_HEADERS)
def test_a_record_with_incomplete_headers(crawl: Crawl, tmp_path: Path, what: str) -> None:
    warc = Warc(tmp_path / "a.warc").add(NEWS + "2", page(2))
    place = warc.path.stat().st_size
    warc.add(URL, page(ARTICLE))
    data = warc.path.read_bytes()
    warc.path.write_bytes(data[:place] + damage_headers(what, data[place:]))
    run = crawl(seed="all", source=warc.path)
    assert (set(run.articles), run.exit_code, "Traceback" in run.stderr) == ({"2"}, 3, False)
    assert f"pages may be missing: {warc.path}, offset {place}: " in run.stdout


def test_unreadable_parts_are_reported(crawl: Crawl, tmp_path: Path) -> None:
    """The other pages are read, but the run cannot know which ones are missing."""
    warc = Warc(tmp_path / "a.warc.gz")
    for number in range(1, 6):
        warc.add(f"{NEWS}{number}", page(number))
    data, places = warc.path.read_bytes(), offsets(warc.path)
    warc.path.write_bytes(
        data[: places[2]] + b"garbage, and then the rest of it" + data[places[2] + 20 :]
    )
    for _ in range(2):
        run = crawl(seed="all", source=warc.path)
        assert set(run.articles) == {"1", "2", "4", "5"}
        assert run.exit_code == 3
        assert f"pages may be missing: {warc.path}, offset {places[2]}: " in run.stdout


# Each of these ends the run before any request; ``SOURCE_ERRORS`` has the text of the error.
def wrong_source(folder: Path, what: str) -> Path:
    source = folder / "a.warc.gz"
    good = Warc(folder / "good.warc.gz").add(URL, page(ARTICLE)).add(NEWS + "2", page(2)).path
    index = folder / "good.cdxj"
    if what == "empty":
        source.write_bytes(b"")
    elif what == "html":
        source.write_bytes(b"<html><p>hello</p></html>")
    elif what == "no pages":
        Warc(source).add(
            "dns:example.com", b"", kind="resource", headers=(("Content-Type", "text/dns"),)
        )
    elif what == "wacz that is no zip":
        source = folder / "a.wacz"
        source.write_bytes(b"PK, but not really")
    elif what == "wacz without an archive":
        source = folder / "a.wacz"
        with zipfile.ZipFile(source, "w") as archive:
            archive.writestr("datapackage.json", "{}")
    elif what == "wacz that compresses":
        source = folder / "a.wacz"
        with zipfile.ZipFile(source, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(good, "archive/good.warc.gz")
    else:
        source = good
        entry = {
            "url": URL,
            "mime": "text/html",
            "status": "200",
            "offset": "0",
            "length": "400",
            "filename": "good.warc.gz",
        }
        entry |= {
            "index of a longer file": {"offset": "99999"},
            "index of another file": {"filename": "b.warc.gz"},
        }.get(what, {})
        entry |= {"index with another page": {"url": NEWS + "77"}}.get(what, {})
        line = f"ir,alalam,en)/news/{ARTICLE} 20151023100000 {json.dumps(entry)}\n"
        index.write_text(
            {"index that is none": "hello\n", "empty index": ""}.get(what, line), encoding="utf-8"
        )
    return source


SOURCE_ERRORS = {
    "empty": "it contains no pages",
    "html": "it contains no pages",
    "no pages": "it contains no pages",
    "wacz that is no zip": "it is not a WACZ",
    "wacz without an archive": "it contains no WARC file",
    "wacz that compresses": "unpack it first",
    "index of a longer file": "points to byte 99,999",
    "index of another file": "names 'b.warc.gz', which is not there",
    "index with another page": "but it is not",
    "index that is none": "line 1 is not CDXJ",
    "index that ends too early": "after the last one listed",
    "empty index": "after the last one listed",
}


@pytest.mark.slow
@pytest.mark.parametrize("what", SOURCE_ERRORS)
def test_a_source_that_cannot_be_read(crawl: Crawl, tmp_path: Path, what: str) -> None:
    (tmp_path / "warcs").mkdir()
    source = wrong_source(tmp_path / "warcs", what)
    run = crawl(seed=ARTICLE, source=source)
    assert (run.exit_code, len(run.stderr.splitlines()), run.records) == (1, 1, [])
    assert run.stderr.startswith("scrapy crawl: ")
    assert str(source.parent) in run.stderr
    assert SOURCE_ERRORS[what] in run.stderr


@pytest.mark.slow_after(2)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": "1", "source": "x" * 5000}, "which does not exist"),
        (
            {"seed": "all", "source": SITE, "settings": {"READER_PROCESSES": "some"}},
            "READER_PROCESSES: got 'some'",
        ),
        ({"seed": "1", "source": "nowhere/*.warc.gz"}, "matches no archive file"),
        ({"seed": "1", "source": "wayback,"}, "takes 'live', 'wayback'"),
        ({"seed": "1", "source": "live,live"}, "which names a source twice"),
        ({"seed": "1", "source": "live", "at": "2015-10-23"}, "at: only archives"),
        ({"seed": "1", "source": "wayback", "at": "yesterday"}, "takes a date"),
        ({"seed": "all"}, "but source is 'live'"),
        ({"seed": "all", "source": "wayback"}, "but source is 'wayback'"),
        ({"seed": "all", "source": SITE, "depth": "1"}, "depth: nothing is followed if all"),
        ({"seed": "1", "archive": "pages.zip"}, "takes the WARC file to write"),
        (
            {"seed": "1", "source": SITE, "archive": "pages.warc.gz"},
            "nothing is fetched from the web",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_wrong_arguments(crawl: Crawl, arguments: dict[str, object], message: str) -> None:
    run = crawl(**arguments)
    assert (run.exit_code, len(run.stderr.splitlines())) == (2, 1)
    assert message in run.stderr

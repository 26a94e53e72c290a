"""Test crawls of web archives and crawls that write one, from the command line.

Covers each row of README's "Where pages come from".
"""

import base64
import gzip
import hashlib
import json
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections import Counter
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path
from typing import Any

import brotli
import pytest
from archives import HEADERS, NEWS, Warc, offsets, page
from conftest import IMPATIENT, PATIENCE, SITE, Crawl, Replay, Run, command, environment, service
from server import NewsServer, answer
from test_crawl_saved import same_whatever_the_source
from warcio.archiveiterator import ArchiveIterator

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SEED = "1752038"
PATIENT_WITH_NOBODY = {**IMPATIENT, "WAYBACK_DELAY": 0, "WAYBACK_BACKOFF": 0.1}


def records_of(path: Path) -> list[tuple[Any, bytes]]:
    """Return the records of a WARC file with their stored content, checking the digests."""
    with path.open("rb") as file:
        return [
            (record, record.raw_stream.read())
            for record in ArchiveIterator(file, check_digests="raise")
        ]


def digest_of(payload: bytes) -> str:
    return "sha1:" + base64.b32encode(hashlib.sha1(payload).digest()).decode()


def dated(folder: Path, day_of: dict[str, int]) -> Path:
    """Copy a folder's archives, each dated to its own day and revisits referring to the first."""
    made = folder.with_name("dated")
    made.mkdir()
    first = min(day_of.values())
    for name, day in day_of.items():
        data, places = (folder / name).read_bytes(), offsets(folder / name)
        records = [gzip.decompress(data[begin:end]) for begin, end in pairwise(places)]
        for header, of_day in ((b"WARC-Date", day), (b"WARC-Refers-To-Date", first)):
            date = b"%b: 2015-10-%02dT10:00:00Z" % (header, of_day)
            records = [re.sub(rb"(?m)^%b: [^\r]+" % header, date, record) for record in records]
        (made / name).write_bytes(b"".join(map(gzip.compress, records)))
    return made


def wacz(warc: Path) -> Path:
    """Convert a WARC file to WACZ with Webrecorder's own program."""
    made = warc.with_name("pages.wacz")
    program = Path(sys.executable).parent / "wacz"
    subprocess.run([program, "create", "-o", made, "-f", warc], check=True, capture_output=True)
    return made


def test_the_same_records_from_every_source(
    crawl: Crawl, live: Crawl, server: NewsServer, pywb: Replay, tmp_path: Path
) -> None:
    server.misbehaviour["/news/1751832"] = lambda handler, before: compressed(
        handler, server.pages["/news/1751832"]
    )
    server.misbehaviour["/news/1751414"] = lambda handler, before: chunked(
        handler, server.pages["/news/1751414"]
    )
    server.misbehaviour["/news/1750384"] = lambda handler, before: answer(
        handler, 301, headers={"Location": "/news/1750384/a-headline"}
    )
    server.pages["/news/1750384/a-headline"] = page(1750384)
    warc = tmp_path / "pages.warc.gz"
    truth = live(seed=SEED, archive=warc)
    assert len(truth.articles) == 22
    assert f"archived: {warc} (" in truth.stdout
    saved = tmp_path / "saved" / "news"
    saved.mkdir(parents=True)
    for path, body in server.pages.items():
        (saved / path.split("/")[2]).with_suffix(".html").write_bytes(body)
    server.stop()
    collection = pywb(warc)
    runs = {
        "folder": crawl(seed=SEED, base_url=server.url, source=saved.parent),
        "warc": crawl(seed=SEED, base_url=server.url, source=warc),
        "wacz": crawl(seed=SEED, base_url=server.url, source=wacz(warc)),
        "wayback": crawl(
            seed=SEED,
            base_url=server.url,
            source="wayback",
            settings={**PATIENT_WITH_NOBODY, "WAYBACK_URL": collection},
            timeout=60,
        ),
    }
    expected = same_whatever_the_source(truth)
    for source, run in runs.items():
        got = same_whatever_the_source(run)
        if source == "folder":
            # A folder has no redirects, and reports pages that are gone as not saved.
            assert got.pop("1750384")["url"] == f"{server.url}/news/1750384"
            gone = set(truth.failures)
            assert {key: value for key, value in got.items() if key not in gone} == {
                key: value
                for key, value in expected.items()
                if key not in gone and key != "1750384"
            }
            continue
        assert got == expected, source
        assert {record["source"] for record in run.records if record["kind"] == "article"} == {
            source
        }
        assert run.exit_code == truth.exit_code == 0
    captured = {record["id"]: record["fetched_at"] for record in runs["warc"].articles.values()}
    for key, record in truth.articles.items():
        # A capture is dated by its request, which was sent before the page was read.
        assert captured[key] < record["fetched_at"]
    for source, run in runs.items():
        for record in run.articles.values():
            where = record["provenance"]["source"]["where"]
            if source == "wayback":
                assert re.fullmatch(
                    rf"{collection}/[0-9]{{14}}id_/{server.url}/news/{record['id']}(/a-headline)?",
                    where,
                )
                assert record["fetched_at"][:19] == captured[record["id"]][:19]
            elif source in ("warc", "wacz"):
                name, _, offset = where.rpartition(", offset ")
                assert (
                    name == str(warc)
                    if source == "warc"
                    else name == f"{warc.with_name('pages.wacz')}, archive/pages.warc.gz"
                )
                assert int(offset) in offsets(warc)
                assert record["fetched_at"] == captured[record["id"]]
                assert record["provenance"]["fetched_at"] == {
                    "where": "date of the capture",
                    "assumed": None,
                }


def compressed(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    # Not brotli: the WACZ is made with warcio, which cannot read it since brotli 1.2.
    answer(handler, 200, zstd.compress(body), {"Content-Encoding": "zstd"})


def chunked(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for start in range(0, len(body), 1000):
        part = body[start : start + 1000]
        handler.wfile.write(b"%x;note=some\r\n%b\r\n" % (len(part), part))
    handler.wfile.write(b"0\r\n\r\n")


RAW = (
    b"HTTP/1.1 200 All is well\r\nserver: x\r\nSet-Cookie: a=1\r\nCONTENT-type:text/html\r\n"
    b"Set-Cookie: b=2\r\nContent-Length: %d\r\n\r\n"
)


def test_an_exchange_is_written_as_it_came(live: Crawl, server: NewsServer, tmp_path: Path) -> None:
    body = gzip.compress(page(SEED))
    head = RAW.replace(b"server: x", b"server: x\r\nContent-Encoding: gzip") % len(body)
    server.misbehaviour[f"/news/{SEED}"] = lambda handler, before: raw(handler, head + body)
    warc = tmp_path / "pages.warc.gz"
    run = live(seed=SEED, depth=0, archive=warc)
    assert set(run.articles) == {SEED}
    subprocess.run([Path(sys.executable).parent / "warcio", "check", warc], check=True)
    info, *others = records_of(warc)
    assert info[0].rec_type == "warcinfo"
    for line in (
        b"software: neighbourhood-crawler/",
        b"format: WARC File Format 1.1",
        b"robots: obey",
        f"-a seed={SEED}".encode(),
    ):
        assert line in info[1]
    assert b"DOWNLOAD_DELAY=0" in info[1]
    by_url = {
        (record.rec_type, record.rec_headers.get_header("WARC-Target-URI")): (record, content)
        for record, content in others
    }
    url = f"{server.url}/news/{SEED}"
    response, content = by_url["response", url]
    assert content == body
    stored = gzip.decompress(warc.read_bytes())
    assert head + body in stored
    assert response.rec_headers.protocol == "WARC/1.1"
    assert response.rec_headers.get_header("WARC-IP-Address") == "127.0.0.1"
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", response.rec_headers.get_header("WARC-Date")
    )
    assert response.rec_headers.get_header("WARC-Payload-Digest").startswith("sha1:")
    request, _ = by_url["request", url]
    assert request.rec_headers.get_header("WARC-Concurrent-To") == response.rec_headers.get_header(
        "WARC-Record-ID"
    )
    assert request.http_headers.get_header("User-Agent") in server.user_agents
    assert ("response", f"{server.url}/robots.txt") in by_url


def raw(handler: BaseHTTPRequestHandler, answered: bytes) -> None:
    handler.wfile.write(answered)


def test_pywb_replays_an_archive_to_the_byte(
    live: Crawl, server: NewsServer, pywb: Replay, tmp_path: Path
) -> None:
    warc = tmp_path / "pages.warc.gz"
    server.misbehaviour["/news/1751832"] = lambda handler, before: compressed(
        handler, server.pages["/news/1751832"]
    )
    server.misbehaviour["/news/1751414"] = lambda handler, before: chunked(
        handler, server.pages["/news/1751414"]
    )
    live(seed=SEED, archive=warc)
    collection = pywb(warc)
    service("curl", shutil.which("curl"))
    replayed = 0
    for record, content in records_of(warc):
        if record.rec_type != "response":
            continue
        moment = re.sub(r"\D", "", record.rec_headers.get_header("WARC-Date"))[:14]
        url = f"{collection}/{moment}id_/{record.rec_headers.get_header('WARC-Target-URI')}"
        # A server that may use any coding sends the stored bytes.
        asked = subprocess.run(
            ["curl", "-s", "-H", "Accept-Encoding: gzip, br", url], capture_output=True, check=True
        )
        assert asked.stdout == content
        replayed += 1
    assert replayed > 20


def exchange_of(
    live: Crawl, server: NewsServer, warc: Path, answered: bytes, *, close: bool = True
) -> tuple[Run, Any, bytes]:
    """Archive a crawl of one page answered with these bytes; return the run and its response."""

    def misbehave(handler: BaseHTTPRequestHandler, before: int) -> None:
        handler.wfile.write(answered)
        handler.close_connection = close

    server.misbehaviour[f"/news/{SEED}"] = misbehave
    run = live(seed=SEED, depth=0, archive=warc, settings={"RETRY_TIMES": 0, "DOWNLOAD_TIMEOUT": 1})
    subprocess.run([Path(sys.executable).parent / "warcio", "check", warc], check=True)
    found = [
        (r, c)
        for r, c in records_of(warc)
        if r.rec_type == "response" and SEED in r.rec_headers.get_header("WARC-Target-URI")
    ]
    return run, *found[0]


def test_odd_answers_are_archived(live: Crawl, server: NewsServer, tmp_path: Path) -> None:
    body = page(SEED)
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </x.css>\r\n\r\n"
    run, record, content = exchange_of(
        live, server, tmp_path / "interim.warc.gz", interim + RAW % len(body) + body
    )
    assert (set(run.articles), content, record.http_headers.get_statuscode()) == (
        {SEED},
        body,
        "200",
    )
    until_closed = b"HTTP/1.0 200 OK\nContent-Type: text/html\n\n" + body
    run, record, content = exchange_of(live, server, tmp_path / "old.warc", until_closed)
    assert (set(run.articles), content, record.rec_headers.get_header("WARC-Truncated")) == (
        {SEED},
        body,
        None,
    )
    run, record, content = exchange_of(
        live, server, tmp_path / "cut.warc.gz", RAW % (len(body) + 9) + body
    )
    assert run.failures[SEED]["reason"] == "cut_short"
    assert (content, record.rec_headers.get_header("WARC-Truncated")) == (body, "disconnect")
    coded = RAW.replace(b"Content-Length: %d", b"Transfer-Encoding: chunked") + b"%x\r\n%b\r\n" % (
        len(body),
        body,
    )
    run, record, content = exchange_of(live, server, tmp_path / "cut chunks.warc.gz", coded)
    assert run.failures[SEED]["reason"] == "cut_short"
    assert (content, record.rec_headers.get_header("WARC-Truncated")) == (body, "disconnect")
    run, record, content = exchange_of(
        live, server, tmp_path / "whole chunks.warc.gz", coded + b"0\r\n\r\n", close=False
    )
    assert (set(run.articles), content, record.rec_headers.get_header("WARC-Truncated")) == (
        {SEED},
        body,
        None,
    )
    assert record.http_headers.get_header("X-Archive-Orig-Transfer-Encoding") == "chunked"
    assert record.http_headers.get_header("Transfer-Encoding") is None
    # Such a record is not a page, and is reported as truncated.
    again = live(seed=SEED, depth=0, source=tmp_path / "cut.warc.gz")
    assert again.failures[SEED]["reason"] == "cut_short"
    assert "WARC-Truncated: disconnect" in again.failures[SEED]["detail"]


def test_a_page_that_is_what_it_was_is_a_revisit(
    live: Crawl, crawl: Crawl, server: NewsServer, pywb: Replay, tmp_path: Path
) -> None:
    job = {"JOBDIR": "job", "RECHECK_MIN": 0, "RECHECK_MAX": 0.001}
    warc = tmp_path / "warcs" / "pages.warc.gz"
    first = live(seed=SEED, depth=0, settings=job, archive=warc)
    again = live(seed=SEED, depth=0, settings=job, archive=warc)
    server.has_validators = True
    live(seed=SEED, depth=0, settings={**job}, archive=warc, recheck="all")
    live(seed=SEED, depth=0, settings=job, archive=warc)
    assert server.not_modified == 1
    names = ["pages.warc.gz", "pages-2.warc.gz", "pages-3.warc.gz", "pages-4.warc.gz"]
    assert sorted(path.name for path in warc.parent.iterdir()) == sorted(names)
    assert "archived: " in again.stdout
    assert "2 of them as before" in again.stdout
    kinds = []
    for name in names:
        [record] = [
            r
            for r, _ in records_of(warc.with_name(name))
            if SEED in (r.rec_headers.get_header("WARC-Target-URI") or "")
        ][:1]
        kinds.append(
            (
                record.rec_type,
                (record.rec_headers.get_header("WARC-Profile") or "").rpartition("/")[2],
            )
        )
    same, not_modified = ("revisit", "identical-payload-digest"), ("revisit", "server-not-modified")
    assert kinds == [("response", ""), same, same, not_modified]
    truth = same_whatever_the_source(first)
    # Captures of the same second have no order.
    days = dated(warc.parent, {name: day for day, name in enumerate(names, 21)})
    read = crawl(seed=SEED, depth=0, base_url=server.url, source=days)
    # In a job the teasers are written at the end of the run.
    assert same_whatever_the_source(read)[SEED] == truth[SEED]
    assert "pages-4.warc.gz" in read.articles[SEED]["provenance"]["source"]["where"]
    alone = crawl(seed=SEED, depth=0, base_url=server.url, source=days / "pages-2.warc.gz")
    assert alone.failures[SEED]["reason"] == "unreadable"
    assert "that record is in none of these files" in alone.failures[SEED]["detail"]
    collection = pywb(*days.iterdir())
    replayed = crawl(
        seed=SEED,
        depth=0,
        base_url=server.url,
        source="wayback",
        settings={**PATIENT_WITH_NOBODY, "WAYBACK_URL": collection},
    )
    assert same_whatever_the_source(replayed)[SEED] == truth[SEED]
    # Without the file that they refer to, revisits would be useless.
    warc.unlink()
    live(seed=SEED, depth=0, settings=job, archive=warc, recheck="all")
    [record] = [
        r
        for r, _ in records_of(warc)
        if SEED in (r.rec_headers.get_header("WARC-Target-URI") or "")
    ][:1]
    assert record.rec_type == "response"


ARTICLE = "1700001"
URL = NEWS + ARTICLE


def one(crawl: Crawl, source: object, **more: object) -> dict[str, Any]:
    """Return the only record of a crawl of one article from archives."""
    run = crawl(seed=ARTICLE, depth=0, source=source, **more)
    [record] = run.records
    assert "Traceback" not in run.stderr
    return record


def test_which_of_several_captures(crawl: Crawl, tmp_path: Path) -> None:
    warc = Warc(tmp_path / "a.warc.gz")
    for day, more in (
        ("2014-03-01", " in 2014"),
        ("2015-10-22", " the day before"),
        ("2015-10-23", " on the day"),
        ("2016-01-01", " in 2016"),
    ):
        warc.add(URL, page(ARTICLE, more), date=f"{day}T23:59:59Z")
    # Newer, but not a page of the article.
    warc.add(URL, b"<h1>Gone</h1>", "404 Not Found", date="2019-01-01T00:00:00Z")
    warc.add(
        URL, b"", "302 Found", [("Location", "http://en.alalam.ir/")], date="2020-01-01T00:00:00Z"
    )
    for at, more in (
        (None, "in 2016"),
        ("2015-10-23", "on the day"),
        ("2015-10-20", "the day before"),
        ("1999-01-01", "in 2014"),
    ):
        record = one(crawl, warc.path, **({"at": at} if at else {}))
        assert f"said {more}" in record["body"]
    assert record["fetched_at"] == "2014-03-01T23:59:59.000000+00:00"


# How the page is archived: the URL, its additional headers, its bytes.
PAGES: dict[str, tuple[str, list[tuple[str, str]], bytes]] = {
    "https": (URL.replace("http:", "https:"), [], page(ARTICLE)),
    "www": (URL.replace("//", "//www."), [], page(ARTICLE)),
    "port and capitals": ("http://EN.Alalam.ir:80/news/1700001", [], page(ARTICLE)),
    "another host of the publisher": ("http://en.alalamtv.net/news/1700001", [], page(ARTICLE)),
    "headline and query in the address": (URL + "/bridge-reopens?from=rss", [], page(ARTICLE)),
    "gzip": (URL, [("Content-Encoding", "gzip")], gzip.compress(page(ARTICLE))),
    "brotli": (URL, [("Content-Encoding", "br")], brotli.compress(page(ARTICLE))),
    "zstd": (URL, [("Content-Encoding", "zstd")], zstd.compress(page(ARTICLE))),
    "chunked": (
        URL,
        [("Transfer-Encoding", "chunked")],
        b"5;x=y\r\n%b\r\n%x\r\n%b\r\n0\r\nTrailer: x\r\n\r\n"
        % (page(ARTICLE)[:5], len(page(ARTICLE)) - 5, page(ARTICLE)[5:]),
    ),
    "said to be chunked": (URL, [("Transfer-Encoding", "chunked")], page(ARTICLE)),
    "chunked gzip": (
        URL,
        [("Transfer-Encoding", "chunked"), ("Content-Encoding", "gzip")],
        b"%x\r\n%b\r\n0\r\n\r\n"
        % (len(gzip.compress(page(ARTICLE))), gzip.compress(page(ARTICLE))),
    ),
}


def test_a_page_however_it_was_archived(crawl: Crawl, tmp_path: Path) -> None:
    for number, (name, (url, headers, body)) in enumerate(PAGES.items()):
        for suffix in (".warc.gz", ".warc"):
            warc = Warc(tmp_path / f"{number}{suffix}").add(url, body, headers=[*HEADERS, *headers])
        record = one(crawl, warc.path if number % 2 else warc.path.with_suffix(".warc.gz"))
        assert record["kind"] == "article", name
        assert record["headline"] == f"Bridge number {ARTICLE} reopens"
        assert record["url"] == re.sub("EN.Alalam.ir:80", "EN.Alalam.ir:80", url)


def damaged(path: Path, what: str) -> Path:
    """Damage the only record of a page; ``DAMAGE`` has the expected reason and detail."""
    warc = Warc(path / "a.warc.gz")
    url, date = URL, "2015-10-23T10:00:00Z"
    if what == "digest":
        warc.add(url, page(ARTICLE), WARC_Payload_Digest="sha1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
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
            url, b"ffff\r\n" + page(ARTICLE), headers=[*HEADERS, ("Transfer-Encoding", "chunked")]
        )
    elif what == "revisit of nothing":
        warc.revisit(url, "sha1:" + "A" * 32, (url, "2011-01-01T00:00:00Z"), date)
    elif what == "revisit of itself":
        warc.revisit(url, "sha1:" + "A" * 32, (url, date), date)
    elif what == "no status":
        warc.add(url, page(ARTICLE), "abc Not a number")
    elif what == "shorter than announced":
        warc.add(url, page(ARTICLE), headers=[*HEADERS, ("Content-Length", "99999")])
    elif what == "a segment":
        warc.add(url, page(ARTICLE), WARC_Segment_Number="1")
    elif what == "led to what is not there":
        warc.add(url, b"", "301 Moved", [("Location", "/news/1700001/elsewhere")])
    elif what == "redirect loop":
        warc.add(url, b"", "302 Found", [("Location", url)])
    elif what == "redirect off site":
        warc.add(url, b"", "302 Found", [("Location", "http://parked.example/")]).add(
            "http://parked.example/", page(ARTICLE)
        )
    elif what == "redirect to another article":
        warc.add(url, b"", "302 Found", [("Location", "/news/5")]).add(NEWS + "5", page(5))
    elif what == "error page":
        warc.add(url, b"<h1>Busy</h1>", "503 Service Unavailable")
    else:
        warc.add(url, page(ARTICLE)).add(NEWS + "2", page(2))
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
    "cut chunks": ("cut_short", "chunks"),
    "revisit of nothing": ("unreadable", "2011-01-01"),
    "revisit of itself": ("unreadable", "none of these files"),
    "no status": ("unreadable", "no status"),
    "shorter than announced": ("cut_short", "99,999"),
    "a segment": ("cut_short", "segments"),
    "led to what is not there": ("http_3xx", "/news/1700001/elsewhere"),
    "redirect loop": ("redirect_loop", "redirections"),
    "redirect off site": ("offsite_redirect", "parked.example"),
    "redirect to another article": ("other_article", "/news/5"),
    "error page": ("http_5xx", "503"),
    "cut": ("cut_short", "ends within this record"),
    "flipped": ("unreadable", "damaged"),
    "longer": ("cut_short", "it says that it has"),
    "shorter": ("unreadable", "it says that it has"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_page_that_is_damaged_is_a_failure(crawl: Crawl, tmp_path: Path, what: str) -> None:
    (tmp_path / "warcs").mkdir()
    run = crawl(seed=ARTICLE, depth=0, source=damaged(tmp_path / "warcs", what))
    reason, detail = DAMAGE[what]
    [failure] = run.failures.values()
    assert (failure["reason"], failure["source"]) == (reason, "warc")
    assert detail in failure["detail"]
    assert "Traceback" not in run.stderr
    # Each run reports the unreadable parts of its archive, even if it needs only one page.
    in_the_file = what in ("cut", "flipped", "longer", "shorter")
    assert ("not readable, so pages may be missing: " in run.stdout) == in_the_file
    assert run.exit_code == (0 if reason == "gone" else 4)


# The headers of an intact record that says too little: the part removed, and its replacement.
UNTOLD = {
    "no date": (rb"WARC-Date: [^\r]*\r\n", b""),
    "no moment": (rb"WARC-Date: [^\r]*", b"WARC-Date: some day"),
    "a date beyond all dates": (rb"WARC-Date: [^\r]*", b"WARC-Date: 0001-01-01T00:00:00+01:00"),
    "no address": (rb"WARC-Target-URI: [^\r]*\r\n", b""),
    "an address that is none": (rb"WARC-Target-URI: [^\r]*", b"WARC-Target-URI: http://x:99999/"),
    "no type": (rb"WARC-Type: [^\r]*\r\n", b""),
    "an unknown type": (rb"WARC-Type: [^\r]*", b"WARC-Type: responsf"),
    "an unknown version": (rb"WARC/1.1", b"WARC/7.1"),
}


@pytest.mark.parametrize("what", UNTOLD)
def test_a_record_that_does_not_tell_what_it_is(crawl: Crawl, tmp_path: Path, what: str) -> None:
    warc = Warc(tmp_path / "a.warc").add(NEWS + "2", page(2))
    place = warc.path.stat().st_size
    warc.add(URL, page(ARTICLE))
    data = warc.path.read_bytes()
    pattern, instead = UNTOLD[what]
    warc.path.write_bytes(data[:place] + re.sub(pattern, instead, data[place:], count=1))
    run = crawl(seed="all", source=warc.path)
    assert (set(run.articles), run.exit_code, "Traceback" in run.stderr) == ({"2"}, 3, False)
    assert f"pages may be missing: {warc.path}, offset {place}: " in run.stdout


def test_what_cannot_be_read_is_told(crawl: Crawl, tmp_path: Path) -> None:
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


# Each of these ends the run before any request; ``WRONG`` has the text of the error.
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
        with zipfile.ZipFile(source, "w") as packed:
            packed.writestr("datapackage.json", "{}")
    elif what == "wacz that compresses":
        source = folder / "a.wacz"
        with zipfile.ZipFile(source, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.write(good, "archive/good.warc.gz")
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


WRONG = {
    "empty": "it holds no page",
    "html": "it holds no page",
    "no pages": "it holds no page",
    "wacz that is no zip": "it is no WACZ",
    "wacz without an archive": "there is no WARC file in it",
    "wacz that compresses": "unpack it first",
    "index of a longer file": "leads to byte 99,999",
    "index of another file": "names 'b.warc.gz', which is not there",
    "index with another page": "and it is not",
    "index that is none": "line 1 is no CDXJ",
    "index that ends too early": "after the last capture",
    "empty index": "after the last capture",
}


@pytest.mark.parametrize("what", WRONG)
def test_a_source_that_cannot_be_read(crawl: Crawl, tmp_path: Path, what: str) -> None:
    (tmp_path / "warcs").mkdir()
    source = wrong_source(tmp_path / "warcs", what)
    run = crawl(seed=ARTICLE, source=source)
    assert (run.exit_code, len(run.stderr.splitlines()), run.records) == (1, 1, [])
    assert run.stderr.startswith("scrapy crawl: ")
    assert str(source.parent) in run.stderr
    assert WRONG[what] in run.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"seed": "1", "source": "x" * 5000}, "which does not exist"),
        (
            {"seed": "all", "source": SITE, "settings": {"READER_PROCESSES": "some"}},
            "READER_PROCESSES: got 'some'",
        ),
        ({"seed": "1", "source": "nowhere/*.warc.gz"}, "matches no archive file"),
        ({"seed": "1", "source": "wayback,"}, "takes 'live', 'wayback'"),
        ({"seed": "1", "source": "live,live"}, "with one source twice"),
        ({"seed": "1", "at": "2015-10-23"}, "at: only archives"),
        ({"seed": "1", "source": "wayback", "at": "yesterday"}, "takes a date"),
        ({"seed": "all"}, "and source is 'live'"),
        ({"seed": "all", "source": "wayback"}, "and source is 'wayback'"),
        ({"seed": "all", "source": SITE, "depth": "1"}, "depth: with seed=all nothing is followed"),
        ({"seed": "1", "archive": "pages.zip"}, "takes the WARC file to write"),
        (
            {"seed": "1", "source": SITE, "archive": "pages.warc.gz"},
            "nothing is fetched from the web",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_wrong_arguments(crawl: Crawl, arguments: dict[str, object], said: str) -> None:
    run = crawl(**arguments)
    assert (run.exit_code, len(run.stderr.splitlines())) == (2, 1)
    assert said in run.stderr


def test_an_index_beside_the_file_is_used(crawl: Crawl, tmp_path: Path) -> None:
    """An index by cdxj-indexer of two captures, then one of only the last in the file."""
    warc = (
        Warc(tmp_path / "a.warc.gz")
        .add(URL, page(ARTICLE, " first"), date="2017-01-01T00:00:00Z")
        .add(URL, page(ARTICLE, " second"))
    )
    index = tmp_path / "a.warc.gz.cdxj"
    program = Path(sys.executable).parent / "cdxj-indexer"
    subprocess.run([program, warc.path, "-o", index, "-s"], check=True)
    assert "said first" in one(crawl, warc.path)["body"]
    index.write_text(index.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    assert "said second" in one(crawl, warc.path)["body"]
    index.unlink()
    assert "said first" in one(crawl, warc.path)["body"]


def test_a_folder_and_a_pattern_of_archives(crawl: Crawl, tmp_path: Path) -> None:
    folder = tmp_path / "warcs"
    folder.mkdir()
    Warc(folder / "a.warc.gz").add(URL, page(ARTICLE, " in a"))
    Warc(folder / "b.warc").add(URL, page(ARTICLE, " in b"), date="2015-12-01T00:00:00Z")
    for source, where in (
        (folder, "in b"),
        (folder / "*.warc.gz", "in a"),
        (f"{folder}/a.warc.gz,{folder}/b.warc", "in a"),
    ):
        assert f"said {where}" in one(crawl, source)["body"]
    assert set(crawl(seed="all", source=folder).articles) == {ARTICLE}


def test_everything_in_archives_and_folders(crawl: Crawl, tmp_path: Path) -> None:
    warc = Warc(tmp_path / "a.warc.gz")
    for number in (9, 10, 100, 101, 2):
        warc.add(
            f"{NEWS}{number}",
            page(
                number,
                links='<p><a href="/news/77">The headline of another article of the day</a></p>',
            ),
        )
    # One article at two addresses, one that is gone, a page that is not an article, and two
    # pages that are not articles of the publisher.
    warc.add(NEWS + "2/a-headline", page(2)).add(NEWS + "3", b"x", "404 Not Found").add(
        NEWS + "4", b"<h1>Not found</h1>"
    )
    warc.add("http://en.alalam.ir/", b"home").add("http://elsewhere.example/news/5", page(5))
    for processes in (0, 2):
        run = crawl(seed="all", source=warc.path, settings={"READER_PROCESSES": processes})
        assert list(run.articles) == sorted(run.articles) == ["10", "100", "101", "2", "9"]
        assert {key: record["reason"] for key, record in run.failures.items()} == {
            "3": "gone",
            "4": "not_an_article",
        }
        assert run.teasers == {}
        assert (run.exit_code, run.balance) == (
            3,
            "discovered 7 = articles 5 + teasers 0 + failures 2",
        )
    every = crawl(seed="all", source=f"{SITE},{warc.path}", settings={"READER_PROCESSES": 1})
    assert Counter(record["source"] for record in every.articles.values()) == {
        "folder": len(list(SITE.glob("*.html"))) + 1 - 1,
        "warc": 5,
    }
    odd = (
        Warc(tmp_path / "odd.warc.gz")
        .add("http://en.alalam.ir:8080/mobile/news/12", page(12))
        .add(NEWS + "13", page(13))
    )
    assert set(crawl(seed="all", source=odd.path).articles) == {"12", "13"}
    few = crawl(seed="all", source=warc.path, limit=2)
    assert (list(few.articles), few.exit_code) == (["10", "100"], 0)


def test_everything_with_a_memory(scrapy: Crawl, tmp_path: Path) -> None:
    """After a parser fix the same captures are read again; interrupted runs resume."""
    warc = Warc(tmp_path / "a.warc.gz")
    for number in range(1, 41):
        warc.add(f"{NEWS}{number}", page(number))
    line = ["crawl", "articles", "-a", "seed=all", "-a", f"source={warc.path}", "-s", "JOBDIR=job"]
    assert (
        scrapy(*line, "-a", "limit=10").balance
        == "discovered 10 = articles 10 + teasers 0 + failures 0 + pending 0"
    )
    killed = subprocess.run(
        command(*line),
        cwd=tmp_path,
        env={**environment(), "CRAWLER_KILL_AT": "before a commit:2"},
        check=False,
    )
    assert killed.returncode == -9
    assert (
        scrapy(*line).balance == "discovered 40 = articles 40 + teasers 0 + failures 0 + pending 0"
    )
    assert "nothing was due" in scrapy(*line).stdout
    again = scrapy(*line, "-a", "recheck=all")
    assert "40 unchanged" in again.stdout
    assert len(scrapy("export", "-s", "JOBDIR=job").stdout.splitlines()) == 40


def test_readers_that_die_cost_nothing(tmp_path: Path) -> None:
    warc = Warc(tmp_path / "a.warc.gz")
    for number in range(1, 1001):
        warc.add(f"{NEWS}{number}", page(number))
    line = command(
        "crawl",
        "articles",
        "-a",
        "seed=all",
        "-a",
        f"source={warc.path}",
        "-s",
        "READER_PROCESSES=2",
        "-O",
        "all.jsonl",
    )
    with subprocess.Popen(
        line,
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        readers: list[str] = []
        while len(readers) < 2 and run.poll() is None:
            found = subprocess.run(
                ["pgrep", "-P", str(run.pid), "-f", "crawler.crawl.parser_worker"],
                capture_output=True,
                text=True,
                check=False,
            )
            readers = found.stdout.split()
        subprocess.run(["kill", "-9", *readers], check=True)
        _, errors = run.communicate(timeout=PATIENCE)
    assert run.returncode == 0, errors
    assert "a process that read pages has ended" in errors
    assert len((tmp_path / "all.jsonl").read_text(encoding="utf-8").splitlines()) == 1000
    assert (
        subprocess.run(
            ["pgrep", "-f", f"crawler.crawl.parser_worker alalam.*{tmp_path}"], check=False
        ).returncode
        == 1
    )


def test_a_chain_of_sources(live: Crawl, server: NewsServer, tmp_path: Path) -> None:
    gone, soft, here, nowhere = "1751821", "1751832", SEED, "1750384"
    server.misbehaviour[f"/news/{gone}"] = lambda handler, before: answer(handler, 410)
    server.misbehaviour[f"/news/{soft}"] = lambda handler, before: answer(
        handler, 200, b"<h1>This domain is for sale</h1>"
    )
    warc = Warc(tmp_path / "a.warc.gz")
    for number in (gone, soft, here):
        warc.add(f"{server.url}/news/{number}", page(number, " in the archive"))
    run = live(seed=",".join((gone, soft, here, nowhere)), depth=0, source=f"live,{warc.path}")
    assert {key: record["source"] for key, record in run.articles.items()} == {
        gone: "warc",
        soft: "warc",
        here: "live",
    }
    assert "articles       3  2 warc, 1 live" in run.stdout
    failure = run.failures[nowhere]
    assert (failure["reason"], failure["source"], failure["status"]) == ("gone", "live", 404)
    assert failure["detail"] == f"live: 404 Not Found; warc: no capture in {warc.path}"
    server.stop()
    dead = live(
        seed=f"{gone},{nowhere}", depth=0, source=f"live,{warc.path}", settings={"RETRY_TIMES": 1}
    )
    assert dead.articles[gone]["source"] == "warc"
    # The unreachable site counts for more than the missing capture.
    assert (
        dead.failures[nowhere]["reason"],
        dead.failures[nowhere]["attempts"],
        dead.exit_code,
    ) == ("refused", 1, 3)
    first = live(seed=f"{gone},{nowhere}", depth=0, source=f"{warc.path},{SITE}")
    assert {key: record["source"] for key, record in first.articles.items()} == {gone: "warc"}
    assert first.teasers[nowhere]["why"] == "not_saved"


def test_a_chain_finds_the_same_neighbourhood(
    live: Crawl, server: NewsServer, tmp_path: Path
) -> None:
    """Half of the pages are archived, the rest only live; found_on and depth stay the same."""
    truth = live(seed=SEED)
    warc = Warc(tmp_path / "a.warc.gz")
    for path in sorted(server.pages)[::2]:
        warc.add(server.url + path, server.pages[path])
        server.misbehaviour[path] = lambda handler, before: answer(handler, 404)
    run = live(seed=SEED, source=f"{warc.path},live")
    got, expected = same_whatever_the_source(run), same_whatever_the_source(truth)
    for failure in truth.failures:
        assert (
            got[failure].pop("detail")
            == f"warc: no capture in {warc.path}; live: {expected[failure].pop('detail')}"
        )
    assert got == expected
    assert set(Counter(record["source"] for record in run.articles.values())) == {"warc", "live"}


def test_an_archive_on_the_web_that_is_busy(
    live: Crawl, server: NewsServer, tmp_path: Path
) -> None:
    """Imitates the Wayback Machine: JSON, headers, redirects to the time of a capture."""
    rows = [["urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length"]]
    rows += [
        ["x", "20151023100000", URL, "text/html", "200", "A", "1"],
        ["x", "20140101000000", URL, "text/html", "200", "B", "1"],
    ]
    asked: list[tuple[float, str]] = []

    def archive(handler: BaseHTTPRequestHandler, before: int) -> None:
        asked.append((time.monotonic(), handler.path))
        if len(asked) == 1:
            answer(handler, 429, headers={"Retry-After": "1"})
        elif len(asked) == 3:
            answer(handler, 503)
        elif handler.path.startswith(
            "/cdx/search/cdx?url=http%3A%2F%2Fen.alalam.ir%2Fnews%2F1700001&"
        ):
            answer(handler, 200, json.dumps(rows if ARTICLE in handler.path else []).encode())
        elif handler.path.startswith("/cdx"):
            answer(handler, 200, b"[]")
        elif handler.path == f"/web/20140101000000id_/{URL}":
            # The Wayback Machine redirects to the time of its capture.
            answer(handler, 302, headers={"Location": f"/web/20140101000007id_/{URL}"})
        else:
            answer(
                handler,
                200,
                page(ARTICLE),
                {
                    "Memento-Datetime": "Wed, 01 Jan 2014 00:00:07 GMT",
                    "X-Archive-Orig-Server": "IIS",
                },
            )

    server.answer_with = archive
    wayback = {
        "WAYBACK_URL": f"{server.url}/web",
        "WAYBACK_DELAY": 0.3,
        "WAYBACK_BACKOFF": 0.5,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 8,
    }
    run = live(
        seed=f"{ARTICLE},1700002",
        depth=0,
        base_url="http://en.alalam.ir",
        source="wayback",
        at="2014-01-01",
        settings=wayback,
    )
    record = run.articles[ARTICLE]
    assert (record["source"], record["fetched_at"]) == (
        "wayback",
        "2014-01-01T00:00:07.000000+00:00",
    )
    assert record["provenance"]["source"]["where"] == f"{server.url}/web/20140101000007id_/{URL}"
    assert run.teasers["1700002"]["why"] == "not_saved"
    assert "closest=20140101120000" in asked[0][1]
    pauses = [later - earlier for (earlier, _), (later, _) in pairwise(asked)]
    assert min(pauses) >= 0.29
    assert pauses[0] >= 1
    assert run.exit_code == 0
    del asked[:]
    server.answer_with = lambda handler, before: answer(handler, 503)
    dead = live(
        seed=ARTICLE,
        depth=0,
        base_url="http://en.alalam.ir",
        source="wayback",
        settings={**wayback, "RETRY_TIMES": 1},
    )
    assert dead.failures[ARTICLE]["reason"] == "http_5xx"
    assert "asked 2 times" in dead.failures[ARTICLE]["detail"]
    wrong = live(seed=1, source="wayback", settings={"WAYBACK_URL": "web.archive.org"})
    assert (wrong.exit_code, "WAYBACK_URL: got 'web.archive.org'" in wrong.stderr) == (2, True)


def test_a_warc_made_by_wget(crawl: Crawl, live: Crawl, server: NewsServer, tmp_path: Path) -> None:
    service("wget", shutil.which("wget"))
    server.misbehaviour["/news/1751414"] = lambda handler, before: chunked(
        handler, server.pages["/news/1751414"]
    )
    truth = same_whatever_the_source(live(seed=SEED, depth=1))
    urls = [server.url + path for path in server.pages]
    # wget captures one page twice, and writes the second capture as a revisit.
    line = [
        "wget",
        "--quiet",
        "--warc-file=by-wget",
        "--warc-cdx",
        "--delete-after",
        "--no-directories",
        *urls,
    ]
    subprocess.run(line, cwd=tmp_path, check=False)
    time.sleep(1)
    subprocess.run(
        [
            *line[:2],
            "--warc-file=later",
            "--warc-dedup=by-wget.cdx",
            "--delete-after",
            f"{server.url}/news/{SEED}",
        ],
        cwd=tmp_path,
        check=False,
    )
    assert b"revisit" in gzip.decompress((tmp_path / "later.warc.gz").read_bytes())
    server.stop()
    read = same_whatever_the_source(
        crawl(seed=SEED, depth=1, base_url=server.url, source=tmp_path / "*.warc.gz")
    )
    revisited = crawl(seed=SEED, depth=0, base_url=server.url, source=tmp_path / "*.warc.gz")
    [record] = revisited.articles.values()
    assert "later.warc.gz" in record["provenance"]["source"]["where"]
    gone = {key for key, record in truth.items() if record["kind"] == "failure"}
    assert {key: record for key, record in read.items() if key not in gone} == {
        k: r for k, r in truth.items() if k not in gone
    }


def test_an_offline_run_opens_no_socket(tmp_path: Path) -> None:
    service("strace", shutil.which("strace"))
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "2.html").write_bytes(page(2))
    warc = (
        Warc(tmp_path / "a.warc.gz")
        .add(URL, page(ARTICLE))
        .add(NEWS + "3", b"", "302 Found", [("Location", "/news/4")])
    )
    line = command(
        "crawl",
        "articles",
        "-a",
        f"seed={ARTICLE},2,3",
        "-a",
        f"source={warc.path},saved",
        "-O",
        "all.jsonl",
    )
    # Some Scrapy plugins probe for IPv6 when imported, which every command does.
    calls = [traced(words, tmp_path) for words in (command("list"), line)]
    assert len((tmp_path / "all.jsonl").read_text(encoding="utf-8").splitlines()) == 3
    assert calls[0].count("AF_INET") == calls[1].count("AF_INET")
    assert "connect(" not in calls[1]


def traced(line: list[str], folder: Path) -> str:
    """Return the system calls with which a command opens and connects sockets."""
    subprocess.run(
        ["strace", "-f", "-qq", "-e", "trace=socket,connect", "-o", "calls", *line],
        cwd=folder,
        env=environment(),
        check=False,
    )
    return (folder / "calls").read_text(encoding="utf-8")


def test_an_archive_that_cannot_be_written(live: Crawl, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24k", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    service("mount of a tmpfs, as root,", mounted.returncode == 0)
    try:
        run = live(seed=SEED, archive=disk / "pages.warc.gz", settings={"JOBDIR": "job"})
        assert run.exit_code == 1
        assert (
            f"the archive {disk}/pages.warc.gz cannot be written (No space left on device)"
            in run.stdout
        )
        assert "Traceback" not in run.stderr
        archived = {
            r.rec_headers.get_header("WARC-Target-URI").rpartition("/")[2]
            for r, _ in records_of(disk / "pages.warc.gz")[1:]
        }
        stored = {json.loads(line)["id"] for line in live_export(tmp_path).splitlines()}
        # All that is stored is archived, and the rest is still pending.
        assert stored <= archived
        subprocess.run(["mount", "-o", "remount,size=9m", str(disk)], check=True)
        assert (
            live(seed=SEED, archive=disk / "pages.warc.gz", settings={"JOBDIR": "job"}).exit_code
            == 0
        )
        assert len(live_export(tmp_path).splitlines()) == 21
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    (tmp_path / "file").write_text("x", encoding="utf-8")
    run = live(seed=SEED, archive="file/pages.warc.gz")
    assert (run.exit_code, len(run.stderr.splitlines()), "cannot be written" in run.stderr) == (
        1,
        1,
        True,
    )


def live_export(folder: Path) -> str:
    return subprocess.run(
        command("export", "-s", "JOBDIR=job"),
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_a_page_that_is_not_in_the_archive_is_fetched_whole(
    live: Crawl, crawl: Crawl, server: NewsServer, tmp_path: Path
) -> None:
    """Without it the server would answer 304 for a version that the archive does not have."""
    server.has_validators = True
    job = {"JOBDIR": "job", "RECHECK_MIN": 0, "RECHECK_MAX": 0.001}
    warc = tmp_path / "warcs" / "pages.warc.gz"
    server.pages[f"/news/{SEED}"] = page(SEED, " at first")
    live(seed=SEED, depth=0, settings=job, archive=warc)
    server.pages[f"/news/{SEED}"] = page(SEED, " later")
    live(seed=SEED, depth=0, settings=job)
    live(seed=SEED, depth=0, settings=job, archive=warc)
    assert server.not_modified == 0
    read = crawl(seed=SEED, depth=0, base_url=server.url, source=warc.parent)
    assert "said later" in read.articles[SEED]["body"]


def test_an_idle_run_writes_no_archive(live: Crawl, tmp_path: Path) -> None:
    warc = tmp_path / "warcs" / "pages.warc.gz"
    for _ in range(2):
        run = live(seed=SEED, depth=0, settings={"JOBDIR": "job"}, archive=warc)
        assert run.exit_code == 0
    assert [path.name for path in warc.parent.iterdir()] == ["pages.warc.gz"]


def test_everything_goes_on_where_it_was_limited(scrapy: Crawl, tmp_path: Path) -> None:
    warc = Warc(tmp_path / "a.warc.gz")
    for number in range(1, 8):
        warc.add(f"{NEWS}{number}", page(number))
    line = ["crawl", "articles", "-a", "seed=all", "-a", f"source={warc.path}", "-s", "JOBDIR=job"]
    scrapy(*line, "-a", "limit=3")
    again = scrapy(*line, "-a", "limit=3", "-a", "recheck=all")
    assert "3 unchanged" in again.stdout
    assert scrapy(*line).balance.startswith("discovered 7 = articles 7")


def test_an_archive_of_another_publisher(crawl: Crawl, tmp_path: Path) -> None:
    warc = Warc(tmp_path / "a.warc.gz").add("http://elsewhere.example/news/1", page(1))
    run = crawl(seed="all", source=warc.path)
    assert "holds none of en.alalam.ir" in run.stdout
    assert run.exit_code == 4


def test_a_job_keeps_what_it_has_when_the_site_is_busy(
    live: Crawl, server: NewsServer, tmp_path: Path
) -> None:
    warc = Warc(tmp_path / "old.warc.gz").add(f"{server.url}/news/{SEED}", page(SEED, " long ago"))
    job = {"JOBDIR": "job", "RECHECK_MIN": 0, "RECHECK_MAX": 0.001, "RETRY_TIMES": 0}
    server.pages[f"/news/{SEED}"] = page(SEED, " today")
    live(seed=SEED, depth=0, settings=job, source=f"live,{warc.path}")
    server.misbehaviour[f"/news/{SEED}"] = lambda handler, before: answer(handler, 503)
    run = live(seed=SEED, depth=0, settings=job, source=f"live,{warc.path}")
    assert run.failures[SEED]["reason"] == "http_5xx"
    server.misbehaviour[f"/news/{SEED}"] = lambda handler, before: answer(handler, 410)
    run = live(seed=SEED, depth=0, settings=job, source=f"live,{warc.path}")
    assert "said long ago" in run.articles[SEED]["body"]


def test_stopped_while_an_archive_on_the_web_is_waited_for(
    server: NewsServer, tmp_path: Path
) -> None:
    server.answer_with = lambda handler, before: answer(handler, 429, headers={"Retry-After": "60"})
    wayback = (
        "-a",
        "source=wayback",
        "-s",
        f"WAYBACK_URL={server.url}/web",
        "-s",
        "WAYBACK_DELAY=0",
    )
    line = command(
        "crawl", "articles", "-a", f"seed={ARTICLE},1700002", *wayback, "-s", "JOBDIR=job"
    )
    with subprocess.Popen(
        line,
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as run:
        while not server.asked and run.poll() is None:
            time.sleep(0.05)
        run.send_signal(signal.SIGINT)
        said, _ = run.communicate(timeout=PATIENCE)
    # Nothing was stored, and nothing is lost.
    assert run.returncode == 4, said
    assert "discovered 2 = articles 0 + teasers 0 + failures 0 + pending 2" in said

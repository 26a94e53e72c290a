"""Test crawls that write a web archive: what they write, and how others read it."""

import gzip
import json
import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from archive_crawls import IMPATIENT_WAYBACK, chunked, compressed, records_of
from archives import offsets, page
from conftest import SEED, Crawl, Replay, Run, command, environment, small_disk
from server import NewsServer
from services import require
from test_crawl_saved import same_whatever_the_source


def copy_dated(folder: Path, day_of: dict[str, int]) -> Path:
    """Copy a folder's archives, each dated to a day of its own; revisits refer to the first day."""
    target = folder.with_name("dated")
    target.mkdir()
    first = min(day_of.values())
    for name, day in day_of.items():
        data, places = (folder / name).read_bytes(), offsets(folder / name)
        records = [gzip.decompress(data[begin:end]) for begin, end in pairwise(places)]
        for header, of_day in ((b"WARC-Date", day), (b"WARC-Refers-To-Date", first)):
            date = b"%b: 2015-10-%02dT10:00:00Z" % (header, of_day)
            records = [re.sub(rb"(?m)^%b: [^\r]+" % header, date, record) for record in records]
        (target / name).write_bytes(b"".join(map(gzip.compress, records)))
    return target


RAW = (
    b"HTTP/1.1 200 All is well\r\nserver: x\r\nSet-Cookie: a=1\r\nCONTENT-type:text/html\r\n"
    b"Set-Cookie: b=2\r\nContent-Length: %d\r\n\r\n"
)


def test_an_exchange_is_archived_unaltered(live: Crawl, server: NewsServer, tmp_path: Path) -> None:
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
    warc_bytes = gzip.decompress(warc.read_bytes())
    assert head + body in warc_bytes
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


def raw(handler: BaseHTTPRequestHandler, response_bytes: bytes) -> None:
    handler.wfile.write(response_bytes)


def test_pywb_replays_an_archive_byte_for_byte(
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
    require("curl")
    replay_count = 0
    for record, content in records_of(warc):
        if record.rec_type != "response":
            continue
        moment = re.sub(r"\D", "", record.rec_headers.get_header("WARC-Date"))[:14]
        url = f"{collection}/{moment}id_/{record.rec_headers.get_header('WARC-Target-URI')}"
        # A server that may use any coding sends the stored bytes.
        download = subprocess.run(
            ["curl", "-s", "-H", "Accept-Encoding: gzip, br", url], capture_output=True, check=True
        )
        assert download.stdout == content
        replay_count += 1
    assert replay_count > 20


def exchange_of(
    live: Crawl, server: NewsServer, warc: Path, response_bytes: bytes, *, close: bool = True
) -> tuple[Run, Any, bytes]:
    """Archive a crawl of one page answered with these bytes; return the run and its response."""

    def misbehave(handler: BaseHTTPRequestHandler, before: int) -> None:
        handler.wfile.write(response_bytes)
        handler.close_connection = close

    server.misbehaviour[f"/news/{SEED}"] = misbehave
    run = live(seed=SEED, depth=0, archive=warc, settings={"RETRY_TIMES": 0, "DOWNLOAD_TIMEOUT": 1})
    subprocess.run([Path(sys.executable).parent / "warcio", "check", warc], check=True)
    responses = [
        (r, c)
        for r, c in records_of(warc)
        if r.rec_type == "response" and SEED in r.rec_headers.get_header("WARC-Target-URI")
    ]
    return run, *responses[0]


@pytest.mark.slow
def test_odd_responses_are_archived(live: Crawl, server: NewsServer, tmp_path: Path) -> None:
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
    chunked_response = RAW.replace(
        b"Content-Length: %d", b"Transfer-Encoding: chunked"
    ) + b"%x\r\n%b\r\n" % (
        len(body),
        body,
    )
    run, record, content = exchange_of(
        live, server, tmp_path / "cut chunks.warc.gz", chunked_response
    )
    assert run.failures[SEED]["reason"] == "cut_short"
    assert (content, record.rec_headers.get_header("WARC-Truncated")) == (body, "disconnect")
    run, record, content = exchange_of(
        live,
        server,
        tmp_path / "whole chunks.warc.gz",
        chunked_response + b"0\r\n\r\n",
        close=False,
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


@pytest.mark.slow
def test_an_unchanged_page_is_a_revisit_record(
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
    assert "2 of them unchanged" in again.stdout
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
    days = copy_dated(warc.parent, {name: day for day, name in enumerate(names, 21)})
    result = crawl(seed=SEED, depth=0, base_url=server.url, source=days)
    # In a job the teasers are written at the end of the run.
    assert same_whatever_the_source(result)[SEED] == truth[SEED]
    assert "pages-4.warc.gz" in result.articles[SEED]["provenance"]["source"]["where"]
    alone = crawl(seed=SEED, depth=0, base_url=server.url, source=days / "pages-2.warc.gz")
    assert alone.failures[SEED]["reason"] == "unreadable"
    assert "which is in none of these files" in alone.failures[SEED]["detail"]
    collection = pywb(*days.iterdir())
    replayed = crawl(
        seed=SEED,
        depth=0,
        base_url=server.url,
        source="wayback",
        settings={**IMPATIENT_WAYBACK, "WAYBACK_URL": collection},
    )
    assert same_whatever_the_source(replayed)[SEED] == truth[SEED]
    # Without the file that they refer to, revisit records would be useless.
    warc.unlink()
    live(seed=SEED, depth=0, settings=job, archive=warc, recheck="all")
    [record] = [
        r
        for r, _ in records_of(warc)
        if SEED in (r.rec_headers.get_header("WARC-Target-URI") or "")
    ][:1]
    assert record.rec_type == "response"


@pytest.mark.slow
def test_an_archive_that_cannot_be_written(live: Crawl, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "24k") as disk:
        run = live(seed=SEED, archive=disk / "pages.warc.gz", settings={"JOBDIR": "job"})
        assert run.exit_code == 1
        assert (
            f"the archive {disk}/pages.warc.gz cannot be written (No space left on device)"
            in run.stdout
        )
        assert "Traceback" not in run.stderr
        archived_ids = {
            r.rec_headers.get_header("WARC-Target-URI").rpartition("/")[2]
            for r, _ in records_of(disk / "pages.warc.gz")[1:]
        }
        stored_ids = {json.loads(line)["id"] for line in live_export(tmp_path).splitlines()}
        # Every stored article is archived, and the rest is still pending.
        assert stored_ids <= archived_ids
        subprocess.run(["mount", "-o", "remount,size=9m", str(disk)], check=True)
        assert (
            live(seed=SEED, archive=disk / "pages.warc.gz", settings={"JOBDIR": "job"}).exit_code
            == 0
        )
        assert len(live_export(tmp_path).splitlines()) == 21
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


@pytest.mark.slow
def test_a_page_that_is_not_archived_is_requested_unconditionally(
    live: Crawl, crawl: Crawl, server: NewsServer, tmp_path: Path
) -> None:
    """A conditional request would return 304 for a version that the archive does not have."""
    server.has_validators = True
    job = {"JOBDIR": "job", "RECHECK_MIN": 0, "RECHECK_MAX": 0.001}
    warc = tmp_path / "warcs" / "pages.warc.gz"
    server.pages[f"/news/{SEED}"] = page(SEED, " at first")
    live(seed=SEED, depth=0, settings=job, archive=warc)
    server.pages[f"/news/{SEED}"] = page(SEED, " later")
    live(seed=SEED, depth=0, settings=job)
    live(seed=SEED, depth=0, settings=job, archive=warc)
    assert server.not_modified == 0
    result = crawl(seed=SEED, depth=0, base_url=server.url, source=warc.parent)
    assert "said later" in result.articles[SEED]["body"]


@pytest.mark.slow
def test_an_idle_run_writes_no_archive(live: Crawl, tmp_path: Path) -> None:
    warc = tmp_path / "warcs" / "pages.warc.gz"
    for _ in range(2):
        run = live(seed=SEED, depth=0, settings={"JOBDIR": "job"}, archive=warc)
        assert run.exit_code == 0
    assert [path.name for path in warc.parent.iterdir()] == ["pages.warc.gz"]

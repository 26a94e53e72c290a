"""Test crawls of web archives: which page is read, however it was archived.

Every source of the same pages gives the same records.
"""

import gzip
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import brotli
import pytest
from archive_crawls import ARTICLE, IMPATIENT_WAYBACK, URL, chunked, compressed, wacz
from archives import HEADERS, NEWS, Warc, offsets, page
from conftest import SEED, Crawl, Replay, command, environment
from server import NewsServer, answer
from services import require
from test_crawl_saved import same_whatever_the_source

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


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
            settings={**IMPATIENT_WAYBACK, "WAYBACK_URL": collection},
            timeout=60,
        ),
    }
    expected = same_whatever_the_source(truth)
    for source, run in runs.items():
        actual = same_whatever_the_source(run)
        if source == "folder":
            # A folder has no redirects, and reports pages that are gone as not saved.
            assert actual.pop("1750384")["url"] == f"{server.url}/news/1750384"
            gone = set(truth.failures)
            assert {key: value for key, value in actual.items() if key not in gone} == {
                key: value
                for key, value in expected.items()
                if key not in gone and key != "1750384"
            }
            continue
        assert actual == expected, source
        assert {record["source"] for record in run.records if record["kind"] == "article"} == {
            source
        }
        assert run.exit_code == truth.exit_code == 0
    capture_dates = {
        record["id"]: record["fetched_at"] for record in runs["warc"].articles.values()
    }
    for key, record in truth.articles.items():
        # A capture is dated by its request, which was sent before the page was read.
        assert capture_dates[key] < record["fetched_at"]
    for source, run in runs.items():
        for record in run.articles.values():
            where = record["provenance"]["source"]["where"]
            if source == "wayback":
                assert re.fullmatch(
                    rf"{collection}/[0-9]{{14}}id_/{server.url}/news/{record['id']}(/a-headline)?",
                    where,
                )
                assert record["fetched_at"][:19] == capture_dates[record["id"]][:19]
            elif source in ("warc", "wacz"):
                name, _, offset = where.rpartition(", offset ")
                assert (
                    name == str(warc)
                    if source == "warc"
                    else name == f"{warc.with_name('pages.wacz')}, archive/pages.warc.gz"
                )
                assert int(offset) in offsets(warc)
                assert record["fetched_at"] == capture_dates[record["id"]]
                assert record["provenance"]["fetched_at"] == {
                    "where": "date of the capture",
                    "assumed": None,
                    "doubt": None,
                }


def only_record(crawl: Crawl, source: object, **more: object) -> dict[str, Any]:
    """Return the only record of a crawl of one article from archives."""
    run = crawl(seed=ARTICLE, depth=0, source=source, **more)
    [record] = run.records
    assert "Traceback" not in run.stderr
    return record


@pytest.mark.slow
def test_which_capture_is_chosen(crawl: Crawl, tmp_path: Path) -> None:
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
    for date, more in (
        (None, "in 2016"),
        ("2015-10-23", "on the day"),
        ("2015-10-20", "the day before"),
        ("1999-01-01", "in 2014"),
    ):
        record = only_record(crawl, warc.path, **({"at": date} if date else {}))
        assert f"said {more}" in record["body"]
    assert record["fetched_at"] == "2014-03-01T23:59:59.000000+00:00"


def forms(article: object) -> dict[str, tuple[str, list[tuple[str, str]], bytes]]:
    """Return ways to archive an article's page: its URL, additional headers and body."""
    url, body = f"{NEWS}{article}", page(article)
    packed = gzip.compress(body)
    return {
        "https": (url.replace("http:", "https:"), [], body),
        "www": (url.replace("//", "//www."), [], body),
        "port and capitals": (f"http://EN.Alalam.ir:80/news/{article}", [], body),
        "another host of the publisher": (f"http://en.alalamtv.net/news/{article}", [], body),
        "headline and query in the address": (f"{url}/bridge-reopens?from=rss", [], body),
        "gzip": (url, [("Content-Encoding", "gzip")], packed),
        "brotli": (url, [("Content-Encoding", "br")], brotli.compress(body)),
        "zstd": (url, [("Content-Encoding", "zstd")], zstd.compress(body)),
        "chunked": (
            url,
            [("Transfer-Encoding", "chunked")],
            b"5;x=y\r\n%b\r\n%x\r\n%b\r\n0\r\nTrailer: x\r\n\r\n"
            % (body[:5], len(body) - 5, body[5:]),
        ),
        "said to be chunked": (url, [("Transfer-Encoding", "chunked")], body),
        "chunked gzip": (
            url,
            [("Transfer-Encoding", "chunked"), ("Content-Encoding", "gzip")],
            b"%x\r\n%b\r\n0\r\n\r\n" % (len(packed), packed),
        ),
    }


@pytest.mark.slow
def test_pages_archived_in_every_form(crawl: Crawl, tmp_path: Path) -> None:
    for number, (name, (url, headers, body)) in enumerate(forms(ARTICLE).items()):
        for suffix in (".warc.gz", ".warc"):
            warc = Warc(tmp_path / f"{number}{suffix}").add(url, body, headers=[*HEADERS, *headers])
        record = only_record(crawl, warc.path if number % 2 else warc.path.with_suffix(".warc.gz"))
        assert record["kind"] == "article", name
        assert record["headline"] == f"Bridge number {ARTICLE} reopens"
        assert record["url"] == re.sub("EN.Alalam.ir:80", "EN.Alalam.ir:80", url)


@pytest.mark.slow
def test_an_index_beside_the_file_is_used(crawl: Crawl, tmp_path: Path) -> None:
    """First cdxj-indexer's index of both captures, then an index of only the second, then none."""
    warc = (
        Warc(tmp_path / "a.warc.gz")
        .add(URL, page(ARTICLE, " first"), date="2017-01-01T00:00:00Z")
        .add(URL, page(ARTICLE, " second"))
    )
    index = tmp_path / "a.warc.gz.cdxj"
    program = Path(sys.executable).parent / "cdxj-indexer"
    subprocess.run([program, warc.path, "-o", index, "-s"], check=True)
    assert "said first" in only_record(crawl, warc.path)["body"]
    index.write_text(index.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    assert "said second" in only_record(crawl, warc.path)["body"]
    index.unlink()
    assert "said first" in only_record(crawl, warc.path)["body"]


@pytest.mark.slow
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
        assert f"said {where}" in only_record(crawl, source)["body"]
    assert set(crawl(seed="all", source=folder).articles) == {ARTICLE}


def test_a_warc_made_by_wget(crawl: Crawl, live: Crawl, server: NewsServer, tmp_path: Path) -> None:
    require("wget")
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
    actual = same_whatever_the_source(
        crawl(seed=SEED, depth=1, base_url=server.url, source=tmp_path / "*.warc.gz")
    )
    revisited = crawl(seed=SEED, depth=0, base_url=server.url, source=tmp_path / "*.warc.gz")
    [record] = revisited.articles.values()
    assert "later.warc.gz" in record["provenance"]["source"]["where"]
    gone = {key for key, record in truth.items() if record["kind"] == "failure"}
    assert {key: record for key, record in actual.items() if key not in gone} == {
        k: r for k, r in truth.items() if k not in gone
    }


@pytest.mark.slow
def test_an_offline_run_opens_no_socket(tmp_path: Path) -> None:
    require("strace")
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
    calls = [socket_calls(words, tmp_path) for words in (command("list"), line)]
    assert len((tmp_path / "all.jsonl").read_text(encoding="utf-8").splitlines()) == 3
    assert calls[0].count("AF_INET") == calls[1].count("AF_INET")
    assert "connect(" not in calls[1]


def socket_calls(line: list[str], folder: Path) -> str:
    """Return the system calls with which a command opens and connects sockets."""
    subprocess.run(
        ["strace", "-f", "-qq", "-e", "trace=socket,connect", "-o", "calls", *line],
        cwd=folder,
        env=environment(),
        check=False,
    )
    return (folder / "calls").read_text(encoding="utf-8")


@pytest.mark.slow
def test_an_archive_of_another_publisher(crawl: Crawl, tmp_path: Path) -> None:
    warc = Warc(tmp_path / "a.warc.gz").add("http://elsewhere.example/news/1", page(1))
    run = crawl(seed="all", source=warc.path, site="alalam")
    assert "hold no article of en.alalam.ir" in run.stdout
    assert run.exit_code == 4

"""A page that takes too long to parse is one failure, and costs the run nothing else."""

import shutil
import signal
import subprocess
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import hostile_pages
import pytest
from archives import NEWS, Warc, page
from conftest import (
    PATIENCE,
    SITE,
    Crawl,
    Run,
    command,
    environment,
    has_processes_in,
    read_records,
    reader_pids,
    wait_until,
)
from server import NewsServer
from services import require
from test_crawl_live import always

# Parsing it takes half a minute.
SLOW = hostile_pages.page("paragraphs of one character", 6_000_000)
SLOW_ID = "1752038"
OTHERS = ("1751832", "1751414", "1750754")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of saved pages, one of them slow."""
    pages = tmp_path / "pages"
    pages.mkdir()
    for article_id in OTHERS:
        shutil.copy(SITE / f"{article_id}.html", pages)
    (pages / f"{SLOW_ID}.html").write_bytes(SLOW)
    return pages


def assert_only_one_is_too_slow(run: Run, limit: str) -> None:
    assert run.exit_code == 3
    assert set(run.failures) == {SLOW_ID}
    failure = run.failures[SLOW_ID]
    assert failure["reason"] == "too_slow"
    assert failure["detail"] == f"reading the page took longer than READ_TIMEOUT ({limit} s)"
    assert set(OTHERS) <= set(run.articles)


@pytest.mark.slow
@pytest.mark.parametrize("limit", ["0.3", "1.5"])
def test_saved(crawl: Crawl, folder: Path, limit: str) -> None:
    seeds = ",".join((SLOW_ID, *OTHERS))
    run = crawl(seed=seeds, source=folder, depth=0, settings={"READ_TIMEOUT": limit})
    assert_only_one_is_too_slow(run, limit)


@pytest.mark.slow
@pytest.mark.parametrize("processes", [0, 1, 2])
def test_all_of_a_source(crawl: Crawl, folder: Path, processes: int) -> None:
    settings = {"READ_TIMEOUT": 1.5, "READER_PROCESSES": processes}
    run = crawl(seed="all", source=folder, settings=settings)
    assert_only_one_is_too_slow(run, "1.5")


@pytest.mark.slow
@pytest.mark.parametrize("processes", [0, 2])
def test_all_of_an_archive(crawl: Crawl, tmp_path: Path, processes: int) -> None:
    """An older capture is tried in place of one that takes too long."""
    warc = Warc(tmp_path / "a.warc.gz")
    for number in (1, 2, 3):
        warc.add(f"{NEWS}{number}", page(number), date="2015-10-22T10:00:00Z")
    warc.add(f"{NEWS}2", SLOW, date="2015-10-23T10:00:00Z")
    warc.add(f"{NEWS}4", SLOW)
    settings = {"READ_TIMEOUT": 1.5, "READER_PROCESSES": processes}
    run = crawl(seed="all", source=warc.path, settings=settings)
    assert list(run.articles) == ["1", "2", "3"]
    assert run.articles["2"]["fetched_at"].startswith("2015-10-22")
    assert "too slow (reading the page took" in run.articles["2"]["provenance"]["source"]["assumed"]
    assert {key: failure["reason"] for key, failure in run.failures.items()} == {"4": "too_slow"}


def serve_slow(handler: BaseHTTPRequestHandler, _: int) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.send_header("Content-Length", str(len(SLOW)))
    handler.end_headers()
    handler.wfile.write(SLOW)


def test_live(live: Crawl, server: NewsServer) -> None:
    server.misbehaviour[f"/news/{SLOW_ID}"] = serve_slow
    run = live(seed=",".join((SLOW_ID, *OTHERS)), depth=0, settings={"READ_TIMEOUT": 1.5})
    assert_only_one_is_too_slow(run, "1.5")


@pytest.mark.slow
def test_a_redirect_to_another_address_of_the_article(live: Crawl, server: NewsServer) -> None:
    location = f"/story/{SLOW_ID}-slow"
    server.misbehaviour[f"/news/{SLOW_ID}"] = always(301, Location=location)
    server.misbehaviour[location] = serve_slow
    run = live(seed=",".join((SLOW_ID, *OTHERS)), depth=0, settings={"READ_TIMEOUT": 1.5})
    assert_only_one_is_too_slow(run, "1.5")


@pytest.mark.slow
def test_a_handler_of_the_users_own_is_left_alone(tmp_path: Path, folder: Path) -> None:
    """If SIGALRM already has a handler, pages are parsed in a worker process from the start."""
    words = ["scrapy", "crawl", "articles", "-a", f"seed={SLOW_ID}", "-a", f"source={folder}"]
    words += ["-s", "READ_TIMEOUT=1.5"]
    script = f"""
import signal
from scrapy.cmdline import execute

def handler(*_):
    raise SystemExit("the user's own")

signal.signal(signal.SIGALRM, handler)
try:
    execute({words!r})
finally:
    assert signal.getsignal(signal.SIGALRM) is handler
"""
    result = subprocess.run(
        [command()[0], "-c", script],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "too_slow" in result.stderr
    assert "AssertionError" not in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("seed=" + SLOW_ID,), ("seed=all",)])
def test_a_run_is_stopped_while_a_page_is_read(
    tmp_path: Path, folder: Path, arguments: tuple[str, ...]
) -> None:
    words = [word for argument in (*arguments, f"source={folder}") for word in ("-a", argument)]
    line = command("crawl", "articles", *words, "-s", "READ_TIMEOUT=600")
    with subprocess.Popen(
        line, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True
    ) as run:
        wait_until(lambda: reader_pids(run.pid))
        run.send_signal(signal.SIGTERM)
        _, errors = run.communicate(timeout=PATIENCE)
    assert "Traceback" not in errors
    wait_until(lambda: not has_processes_in(tmp_path))
    # The run did not wait for the page.
    teasers = read_records(tmp_path / "output" / "latest" / "teasers.jsonl")
    reasons = {record["id"]: record["why"] for record in teasers}
    assert reasons[SLOW_ID] == "interrupted"


@pytest.mark.slow
def test_no_process_is_started_for_quick_pages(tmp_path: Path) -> None:
    require("strace")
    line = ["strace", "-f", "-e", "trace=execve", "-o", str(tmp_path / "trace")]
    source = ["-a", f"seed={OTHERS[0]}", "-a", f"source={SITE}", "-a", "depth=0"]
    subprocess.run(
        [*line, *command("crawl", "articles", *source)],
        cwd=tmp_path,
        env=environment(),
        timeout=120,
        check=True,
        capture_output=True,
    )
    assert "crawler.crawl.parser_worker" not in (tmp_path / "trace").read_text(encoding="utf-8")

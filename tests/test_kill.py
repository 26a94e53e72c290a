"""Crawls that are interrupted and resumed end with the output of an undisturbed crawl.

They are killed, stopped, or starved of disk space. See kill.py.
"""

import random
import signal
import subprocess
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import kill
import pytest
from conftest import PATIENCE, clock, read_records, small_disk, wait_until
from server import NewsServer

from crawler.crash import POINTS

pytestmark = [pytest.mark.usefixtures("ledger")]

Records = dict[str, dict[str, Any]]
JOB = ("-s", "JOBDIR=job", "-o", "mine.jsonl")


@pytest.fixture(scope="module")
def large() -> Iterator[kill.Site]:
    """Serve 300 linked pages."""
    with kill.Site() as running:
        yield running


@pytest.fixture(scope="module")
def small() -> Iterator[kill.Site]:
    """Serve 60 linked pages."""
    with kill.Site(60) as running:
        yield running


@pytest.fixture(autouse=True)
def serve_unchanged(large: kill.Site, small: kill.Site) -> None:
    for site in (large, small):
        site.serve(kill.KINDS[0])


@pytest.fixture(scope="module")
def truth(large: kill.Site) -> Records:
    return large.truth()


REPLACE_POINTS = ("feed kept", "feed replaced")
"""Kill points reached only with ``-O``."""


@pytest.mark.slow_after(1)
@pytest.mark.parametrize(
    ("name", "option"),
    [(name, "-o") for name in POINTS if name not in REPLACE_POINTS]
    + [(name, "-O") for name in POINTS if "feed" in name and name != "feed parts joined"],
)
def test_killed_at_a_write_point(small: kill.Site, tmp_path: Path, name: str, option: str) -> None:
    words = kill.line(
        small.url, "-s", "JOBDIR=job", "-a", "archive=pages.warc.gz", option, "mine.jsonl"
    )
    if name == "feed parts joined":
        # Parts are joined only if the feed already has records.
        assert kill.run([*words, "-alimit=20"], tmp_path).returncode == 0
    assert kill.run(words, tmp_path, CRAWLER_KILL_AT=name).returncode == -signal.SIGKILL
    # The next run is killed during recovery, if it reaches the same point a second time.
    again = kill.run(words, tmp_path, CRAWLER_KILL_AT=f"{name}:2")
    assert again.returncode in (-signal.SIGKILL, 0)
    kill.check(tmp_path, small.truth(), kill.run(words, tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("kind", kill.KINDS, ids=lambda kind: kind.name)
def test_killed_at_random_moments(tmp_path: Path, kind: kill.Kind) -> None:
    seed = time.time()
    try:
        with kill.Site(150) as site:
            kill.crawl(site, tmp_path, kind, random.Random(seed))
    except AssertionError as error:
        raise AssertionError(f"seed {seed}: {error}") from error


@pytest.mark.slow
def test_a_feed_is_rewritten_byte_for_byte(large: kill.Site, tmp_path: Path) -> None:
    words = kill.line(large.url, *JOB)
    assert kill.run(words, tmp_path, CRAWLER_KILL_AT="feeds written").returncode == -signal.SIGKILL
    feeds = {path: path.read_bytes() for path in tmp_path.rglob("*.jsonl")}
    assert len(feeds) == 4
    for path in (tmp_path / "output").rglob("*.jsonl"):
        path.unlink()
    assert kill.run(words, tmp_path).returncode == 0
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.jsonl")} == feeds


def start(words: list[str], folder: Path, server: NewsServer, pages: int) -> kill.Crawling:
    """Start a crawl and wait until it has requested this many pages."""
    before = len(server.requested_ids)
    run = kill.start(words, folder)
    wait_until(
        lambda: len(server.requested_ids) >= before + pages or run.poll() is not None,
        lambda: kill.log_of(folder),
    )
    assert run.poll() is None, kill.log_of(folder)
    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    "signals",
    [[signal.SIGTERM], [signal.SIGINT], [signal.SIGINT, signal.SIGINT]],
    ids=["TERM", "INT", "INT twice"],
)
def test_stopped_by_a_signal(
    large: kill.Site, truth: Records, tmp_path: Path, signals: list[signal.Signals]
) -> None:
    words = kill.line(large.url, *JOB)
    for pages in (40, 90):
        run = start(words, tmp_path, large, pages)
        for number in signals:
            run.send_signal(number)
            time.sleep(0.05)
        assert run.wait(PATIENCE) == 3
        assert "nothing is lost: run the same command again" in kill.log_of(tmp_path)
    kill.check(tmp_path, truth, kill.run(words, tmp_path))


@pytest.mark.slow
def test_a_server_that_dies_midway(large: kill.Site, truth: Records, tmp_path: Path) -> None:
    def hang_up(handler: BaseHTTPRequestHandler, before: int) -> None:
        handler.close_connection = True
        handler.connection.close()

    words = kill.line(large.url, *JOB, "-s", "RETRY_TIMES=0", "-s", "RECHECK_MIN=0.1", at_once=1)
    run = start(words, tmp_path, large, 100)
    large.misbehaviour = dict.fromkeys(large.pages, hang_up)
    try:
        assert run.wait(PATIENCE) == 3
    finally:
        large.misbehaviour = {}
    time.sleep(0.5)
    last = kill.run(words, tmp_path)
    assert last.returncode == 0
    records = read_records(tmp_path / "mine.jsonl")
    assert {record.get("reason") for record in records} == {None, "gone", "connection_lost"}
    articles = [record for record in records if record["kind"] == "article"]
    assert kill.lasting(articles) == {
        key: record for key, record in truth.items() if record["kind"] == "article"
    }
    # A teaser was written with its list headlines at the end of the first run, and again after more
    # lists had been fetched.
    assert kill.lasting(list({record["id"]: record for record in records}.values())) == truth


@pytest.mark.slow
@pytest.mark.parametrize("ledger", ["sqlite"], indirect=True)
def test_a_disk_that_fills(large: kill.Site, truth: Records, tmp_path: Path) -> None:
    words = kill.line(large.url, "-s", "JOBDIR=disk/job", "-o", "mine.jsonl")
    with small_disk(tmp_path / "disk", "700k") as disk:
        for _ in range(2):
            run = kill.run(words, tmp_path)
            assert run.returncode == 1
            assert (
                "full; free disk space and run the same command again" in run.stdout
                or "No space left on device" in run.stdout
            )
            assert "Traceback" not in run.stdout
        subprocess.run(["mount", "-o", "remount,size=50m", str(disk)], check=True)
        kill.check(tmp_path, truth, kill.run(words, tmp_path))


# A database has a clock of its own.
@pytest.mark.slow
@pytest.mark.parametrize("ledger", ["sqlite"], indirect=True)
def test_a_clock_that_jumps_back(large: kill.Site, truth: Records, tmp_path: Path) -> None:
    words = kill.line(large.url, *JOB)
    # The clock is a year ahead for the first half of the crawl, then right again.
    assert (
        kill.run(words, tmp_path, CRAWLER_KILL_AT="after a commit:3", **clock("+400d")).returncode
        == -signal.SIGKILL
    )
    large.requests.clear()
    kill.check(tmp_path, truth, kill.run(words, tmp_path))
    # Pages due in a year are fetched at once: no interval is that long.
    assert set(large.requested_ids) == {
        article_id for article_id, record in truth.items() if record["kind"] != "teaser"
    }

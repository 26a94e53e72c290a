"""Pages of a live crawl are read in other processes when reading takes most of the time."""

import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from archives import NEWS, Warc, page
from conftest import (
    IMPATIENT,
    PATIENCE,
    Crawl,
    child_pids,
    command,
    environment,
    has_processes_in,
    read_records,
    reader_pids,
    wait_until,
)
from server import NewsServer

COUNT = 150
SEEDS = ",".join(map(str, range(1, COUNT + 1)))
SETTINGS = {**IMPATIENT, "CONCURRENT_REQUESTS_PER_DOMAIN": 8, "STATS_DUMP": True}
# Reading a page takes 20 ms on a fast machine, so some fifty pages start a process. On any machine,
# a page that takes more than a second would go to a process in any case.
LONG = b"<p>A sentence of the article, in a paragraph of its own." * 100


@pytest.fixture
def heavy(server: NewsServer) -> NewsServer:
    """Serve articles that take long to read."""
    for number in range(1, COUNT + 1):
        body = page(number).replace(b"</body>", LONG + b"</body>")
        server.pages[f"/news/{number}"] = body
    return server


def read_in_workers(log: str) -> int:
    found = re.search(r"'crawl/read_in_workers': (\d+)", log)
    return int(found[1]) if found else 0


@pytest.mark.slow
def test_the_records_are_the_same(live: Crawl, heavy: NewsServer) -> None:
    alone, *others = (
        live(seed=SEEDS, depth=0, settings={**SETTINGS, "READER_PROCESSES": processes})
        for processes in (0, 1, 3)
    )
    assert (alone.exit_code, len(alone.articles)) == (0, COUNT)
    assert read_in_workers(alone.stderr) == 0
    for run in others:
        assert read_in_workers(run.stderr) > 0
        assert run.articles.keys() == alone.articles.keys()
        for article_id, article in run.articles.items():
            assert article == {**alone.articles[article_id], "fetched_at": article["fetched_at"]}


def crawl_line(server: NewsServer, **settings: object) -> list[str]:
    return [
        *scrapy_line(**settings),
        *("-a", f"seed={SEEDS}", "-a", "depth=0", "-a", f"base_url={server.url}"),
    ]


def scrapy_line(**settings: object) -> list[str]:
    words = [
        word
        for name, value in {**SETTINGS, **settings}.items()
        for word in ("-s", f"{name}={value}")
    ]
    return command("crawl", "articles", *words, "-O", "all.jsonl")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pids", "what"),
    [(child_pids, signal.SIGKILL), (reader_pids, signal.SIGKILL), (reader_pids, signal.SIGSTOP)],
)
def test_a_reader_that_dies_or_hangs_costs_nothing(
    tmp_path: Path, heavy: NewsServer, pids: Callable[[int], list[str]], what: signal.Signals
) -> None:
    line = crawl_line(heavy, READER_PROCESSES=1, READ_TIMEOUT=5)
    with subprocess.Popen(
        line, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True
    ) as run:
        wait_until(lambda: pids(run.pid))
        for pid in pids(run.pid):
            os.kill(int(pid), what)
        _, log = run.communicate(timeout=PATIENCE)
    assert run.returncode == 0, log
    assert len(read_records(tmp_path / "all.jsonl")) == COUNT
    wait_until(lambda: not has_processes_in(tmp_path))


NO_PROCESSES = """
import os, sys

if "crawler.crawl.parser_worker" in sys.orig_argv:
    os._exit(1)
"""


@pytest.mark.slow
@pytest.mark.parametrize("source", ["live", "archive"])
def test_a_crawl_reads_pages_itself_if_no_process_starts(
    tmp_path: Path, heavy: NewsServer, source: str
) -> None:
    """For example, because there is not enough memory for them."""
    (tmp_path / "sitecustomize.py").write_text(NO_PROCESSES)
    line = crawl_line(heavy, READER_PROCESSES=2)
    if source == "archive":
        line = scrapy_line(READER_PROCESSES=2)
        warc = Warc(tmp_path / "all.warc.gz")
        for number in range(1, COUNT + 1):
            warc.add(f"{NEWS}{number}", page(number))
        line += ["-a", "seed=all", "-a", f"source={warc.path}"]
    run = subprocess.run(
        line,
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    records = read_records(tmp_path / "all.jsonl")
    assert [record["kind"] for record in records] == ["article"] * COUNT
    assert read_in_workers(run.stderr) == 0
    # It gives up after three, and may have started two at once.
    assert 3 <= run.stderr.count("a worker process that parsed pages has ended (exit code 1") <= 4

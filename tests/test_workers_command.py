"""``scrapy workers`` and the workers in ``scrapy status``."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import kill
import pytest
from conftest import PATIENCE, Crawl, command, environment, wait_until
from databases import Server

PAGES = 40
Start = Callable[..., "subprocess.Popen[str]"]
SLOWLY = ("-s", "DOWNLOAD_DELAY=1", "-s", "CONCURRENT_REQUESTS_PER_DOMAIN=2")


@pytest.fixture(scope="module")
def site() -> Iterator[kill.Site]:
    with kill.Site(PAGES) as running:
        running.serve(kill.KINDS[0])
        yield running


@pytest.fixture
def start(
    site: kill.Site,
    postgresql: Server,
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Start]:
    """Start two workers of the job "mine", and more words."""
    monkeypatch.setenv("LEDGER_URL", postgresql.url(database))
    started = []

    def start(*words: object) -> "subprocess.Popen[str]":
        line = ["workers", "-n", "2", *kill.line(site.url)[1:], "--job", "mine", *map(str, words)]
        with (tmp_path / "log").open("w") as log:
            process = subprocess.Popen(
                command(*line), cwd=tmp_path, env=environment(), stdout=log, stderr=log, text=True
            )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.wait(PATIENCE)


def log_of(folder: Path) -> str:
    return (folder / "log").read_text(encoding="utf-8")


def status_of(scrapy: Crawl) -> dict[str, object]:
    return json.loads(scrapy("status", "--job", "mine", "--json").stdout)


@pytest.mark.slow
def test_two_workers_and_their_status(start: Start, scrapy: Crawl, tmp_path: Path) -> None:
    process = start("-s", "DOWNLOAD_DELAY=5")
    wait_until(lambda: log_of(tmp_path).count("joined run 1 of mine") == 2, lambda: "")
    shown = scrapy("status", "--job", "mine").stdout
    assert re.search(r"workers of run 1 +state +pages +pages/s +leases\n", shown), shown
    assert len(re.findall(r"\n  process \d+ on .* working +\d+", shown)) == 2, shown
    assert shown.count(" (writer) ") == 1, shown
    process.terminate()
    process.wait(PATIENCE)
    assert start().wait(PATIENCE) == 0
    lines = log_of(tmp_path).splitlines()
    assert {line[:11] for line in lines} == {"worker 1 | ", "worker 2 | "}
    [total] = [line for line in lines if "discovered " in line]
    assert f"discovered {PAGES} =" in total
    endings = [line for line in lines if "ended the run and wrote its feeds" in line]
    assert len(endings) == 2
    workers = status_of(scrapy)["workers"]
    assert isinstance(workers, list)
    assert [worker["state"] for worker in workers] == ["left", "left"]
    assert [worker["leases"] for worker in workers] == [0, 0]


@pytest.mark.slow
def test_a_worker_that_dies(start: Start, scrapy: Crawl, tmp_path: Path) -> None:
    process = start(*SLOWLY, "-s", "WORKER_LEASE=1")
    wait_until(lambda: log_of(tmp_path).count("joined run 1 of mine") == 2, lambda: "")
    workers = status_of(scrapy)["workers"]
    assert isinstance(workers, list)
    died = next(worker["process"] for worker in workers if not worker["is_writer"])
    os.kill(int(died.split()[1]), signal.SIGKILL)
    assert process.wait(PATIENCE) == 0
    assert re.search(r"^worker \d was ended by SIGKILL; the others", log_of(tmp_path), re.MULTILINE)
    shown = scrapy("status", "--job", "mine").stdout
    assert re.search(rf"\n  {re.escape(died)} +dead since \d{{4}}-", shown), shown
    assert f"discovered {PAGES} =" in shown


@pytest.mark.slow
def test_a_signal_is_passed_on(start: Start, scrapy: Crawl, tmp_path: Path) -> None:
    process = start("-s", "DOWNLOAD_DELAY=5")
    wait_until(lambda: log_of(tmp_path).count("joined run 1 of mine") == 2, lambda: "")
    process.terminate()
    # 4 if it comes before the first article is stored.
    assert process.wait(PATIENCE) in (3, 4), log_of(tmp_path)
    workers = status_of(scrapy)["workers"]
    assert isinstance(workers, list)
    assert [worker["state"] for worker in workers] == ["left", "left"]


@pytest.mark.slow
@pytest.mark.parametrize("number", ["0", "-1", "two", "1.5"])
def test_a_wrong_number(scrapy: Crawl, number: str) -> None:
    run = scrapy("workers", f"-n{number}", "articles", "-a", "seed=1")
    assert run.exit_code == 2
    assert run.stderr == f"scrapy workers: -n: got {number!r}, takes a number\n"

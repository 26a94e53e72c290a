"""``scrapy report`` and ``-a report=FILE``: targets, arguments, pipelines, and runs that stop."""

import json
import shutil
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING

import forks
import pytest
from conftest import IMPATIENT, PATIENCE, SEED, SITE, Crawl, environment, small_disk, wait_until
from report_pages import open_everything, opened
from server import NewsServer, answer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CRAWL = ["crawl", "articles", "-a", f"seed={SEED}", "-a", f"source={SITE}", "-a", "depth=1"]
WITH_REPORT = [*CRAWL, "-a", "report=report.html"]
HTML = "takes the path of an HTML file to write, such as report.html"
TAKES = "a job (scrapy report --job FOLDER) or feeds (scrapy report output/latest)"
# Command lines in a folder with a job and a feed, and the exit code and the message of each.
WRONG_LINES: dict[str, tuple[list[str], int, str]] = {
    "nothing to report": (["report"], 2, f"scrapy report: job: missing; takes {TAKES}"),
    "a job and a feed": (
        ["report", "-s", "JOBDIR=job", "feed.jsonl"],
        2,
        f"scrapy report: feed: got 'feed.jsonl' and --job job; takes {TAKES}",
    ),
    "no such feed": (
        ["report", "none.jsonl"],
        2,
        "scrapy report: feed: none.jsonl cannot be read (No such file or directory); give another "
        "feed",
    ),
    "no such job": (
        ["report", "-s", "JOBDIR=none"],
        2,
        "scrapy report: job: none holds no ledger (ledger.sqlite); takes the folder of a job, "
        "such as --job output/jobs/NAME",
    ),
    "a feed as the output": (
        ["report", "feed.jsonl", "-o", "feed.jsonl"],
        2,
        f"scrapy report: output: got 'feed.jsonl'; {HTML}",
    ),
    "a feed with the name of a report": (
        ["report", "feed.html", "-o", "./feed.html"],
        2,
        "scrapy report: output: ./feed.html is one of the feeds; give another file",
    ),
    "the ledger as the output": (
        ["report", "-s", "JOBDIR=job", "-o", "job/ledger.sqlite"],
        2,
        f"scrapy report: output: got 'job/ledger.sqlite'; {HTML}",
    ),
    "standard output": (
        ["report", "feed.jsonl", "-o", "-"],
        2,
        f"scrapy report: output: got '-'; {HTML}",
    ),
    "a folder": (
        ["report", "feed.jsonl", "-o", "folder.html"],
        1,
        "scrapy report: folder.html cannot be written (Is a directory); give another file",
    ),
    "no such folder": (
        ["report", "feed.jsonl", "-o", "none/report.html"],
        1,
        "scrapy report: none/report.html cannot be written (No such file or directory); "
        "give another file",
    ),
    "a report without a name": (
        [*CRAWL, "-a", "report="],
        2,
        f"scrapy crawl: report: got ''; {HTML}",
    ),
    "a feed as the report": (
        [*CRAWL, "-a", "report=feed.jsonl"],
        2,
        f"scrapy crawl: report: got 'feed.jsonl'; {HTML}",
    ),
    "a folder as the report": (
        [*CRAWL, "-a", "report=folder.html"],
        1,
        "scrapy crawl: report: folder.html cannot be written (Is a directory); give another file "
        "with --report FILE, or make the folder writable",
    ),
    "a report below a file": (
        [*CRAWL, "-a", "report=feed.jsonl/report.html"],
        1,
        "scrapy crawl: report: feed.jsonl/report.html cannot be written (File exists); give "
        "another file with --report FILE, or make the folder writable",
    ),
}


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a job, and its feed under two names."""
    folder = tmp_path_factory.mktemp("crawled")
    words = [*CRAWL, "-s", "JOBDIR=job", "-o", "feed.jsonl"]
    run = forks.run(words, folder, environment(), PATIENCE)
    assert run.returncode == 0, run.stderr
    shutil.copy(folder / "feed.jsonl", folder / "feed.html")
    (folder / "folder.html").mkdir()
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("case", WRONG_LINES)
def test_wrong_lines(scrapy: Crawl, crawled: Path, case: str) -> None:
    line, exit_code, message = WRONG_LINES[case]
    names = {path.name for path in crawled.rglob("*.*") if "ledger" not in path.name}
    feed = (crawled / "feed.jsonl").read_bytes()
    run = scrapy(*line, cwd=crawled)
    assert (run.exit_code, run.stderr, run.stdout) == (exit_code, f"{message}\n", "")
    assert {path.name for path in crawled.rglob("*.*") if "ledger" not in path.name} == names
    assert (crawled / "feed.jsonl").read_bytes() == (crawled / "feed.html").read_bytes() == feed
    assert scrapy("status", "-s", "JOBDIR=job", cwd=crawled).exit_code == 0


def text_of(browser: "Browser", file: Path) -> str:
    with opened(browser, file) as page:
        open_everything(page)
        return page.locator("body").inner_text()


PIPELINE = """
from dataclasses import replace
from scrapy.exceptions import DropItem

class Changes:
    def process_item(self, item):
        if item.kind == "article" and item.id == "1751821":
            raise DropItem("not that one")
        return replace(item, headline_raw=f"Changed {item.id}")

class Others:
    def process_item(self, item):
        return {"id": item.id, "thing": object()}
"""
CHANGES, OTHERS = (f'ITEM_PIPELINES={{"mine.{name}": 300}}' for name in ("Changes", "Others"))
# The words of a crawl, and those of its report.
RUNS: dict[str, tuple[list[str], list[str]]] = {
    "without a job": ([], ["= 7 articles", "+ 17 teasers", "exit code 0: complete", "depth=1"]),
    "with a job": (["-s", "JOBDIR=job"], ["= 7 articles", "run 1, ", "Job\njob", "depth=1"]),
    "CSV feeds": (["-o", "feed.csv"], ["= 7 articles", "+ 17 teasers"]),
    "no feeds": (["-s", "FEEDS={}"], ["= 7 articles", "+ 17 teasers"]),
    "an item pipeline": (["-s", CHANGES], ["= 6 articles", f"Changed {SEED}"]),
    "an item pipeline and a job": (
        ["-s", CHANGES, "-s", "JOBDIR=job"], ["= 6 articles", "+ 1 dropped", f"Changed {SEED}"],
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("case", RUNS)
def test_the_report_of_a_run(browser: "Browser", scrapy: Crawl, tmp_path: Path, case: str) -> None:
    (tmp_path / "mine.py").write_text(PIPELINE, encoding="utf-8")
    words, expected = RUNS[case]
    run = scrapy(*CRAWL, "-a", "report=new/report.html", *words)
    assert "  report: new/report.html\n" in run.stdout
    assert "Traceback" not in run.stderr
    text = text_of(browser, tmp_path / "new" / "report.html")
    for words_of_report in expected:
        assert words_of_report in text
    assert "1751821: " not in text


@pytest.mark.slow
def test_an_item_pipeline_that_returns_no_records(scrapy: Crawl, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(PIPELINE, encoding="utf-8")
    run = scrapy(*CRAWL, "-a", "report=report.html", "-s", OTHERS)
    why = "the item pipelines returned no records"
    assert f"ERROR: report: {why}" in run.stderr and "Traceback" not in run.stderr
    assert (run.exit_code, f"report: {why}\n" in run.stdout) == (4, True)
    assert not (tmp_path / "report.html").exists()


SCRIPT = f"""
from scrapy.crawler import CrawlerProcess
from scrapy.utils.project import get_project_settings

from crawler.spiders.articles import ArticlesSpider

process = CrawlerProcess(get_project_settings())
crawler = process.create_crawler(ArticlesSpider)
process.crawl(crawler, seed="{SEED}", source="{SITE}", report="report.html")
process.start()
print(crawler.stats.get_value("report/written"))
"""


@pytest.mark.slow
def test_a_script(browser: "Browser", tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert run.stdout.endswith("report.html\n"), run.stderr
    text = text_of(browser, tmp_path / "report.html")
    assert "= 21 articles" in text and f"seed={SEED}" in text and "exit code 0: " in text


@pytest.mark.slow
def test_a_run_that_is_stopped(browser: "Browser", server: NewsServer, tmp_path: Path) -> None:
    stopped = threading.Event()

    def waits(handler: BaseHTTPRequestHandler, before: int) -> None:
        if len(server.requested_ids) >= 3:
            stopped.wait(PATIENCE)
        answer(handler, 200, server.pages[handler.path])

    server.misbehaviour.update(dict.fromkeys(server.pages, waits))
    line = ["crawl", "articles", "-a", f"seed={SEED}", "-a", f"base_url={server.url}"]
    line += [f"-s{name}={value}" for name, value in IMPATIENT.items()]
    run = forks.Fork(
        [*line, "-a", "report=report.html"], tmp_path, environment(), [tmp_path / "log"] * 2
    )
    wait_until(lambda: len(server.requested_ids) >= 3)
    run.send_signal(signal.SIGINT)
    stopped.set()
    assert run.wait(PATIENCE) == 3
    text = text_of(browser, tmp_path / "report.html")
    assert "the run was stopped first" in text and "exit code 3: " in text


FILLED = {"without a job": [], "with a job": ["-s", "JOBDIR=../job"]}


@pytest.mark.slow
@pytest.mark.parametrize("case", FILLED)
def test_a_disk_that_is_full_at_the_end(scrapy: Crawl, tmp_path: Path, case: str) -> None:
    """The report before stays, the crawl's results are complete, and the exit code says it."""
    with small_disk(tmp_path / "disk", "64k") as disk:
        (disk / "report.html").write_text("old", encoding="utf-8")
        run = scrapy(*CRAWL, "-a", "report=report.html", "-s", "FEEDS={}", *FILLED[case], cwd=disk)
        assert [path.name for path in disk.iterdir()] == ["report.html"]
        assert (disk / "report.html").read_text(encoding="utf-8") == "old"
    why = "report.html cannot be written (No space left on device); give another file"
    assert f"ERROR: report: {why}" in run.stderr
    assert f"report: {why}\n" in run.stdout
    assert run.balance.startswith("discovered 24 = articles 7 + teasers 17")
    assert (run.exit_code, "Traceback" in run.stderr) == (4, False)
    if case == "with a job":
        status = scrapy("status", "-s", "JOBDIR=job", "--json")
        assert json.loads(status.stdout)["runs"][0]["exit_code"] == 4

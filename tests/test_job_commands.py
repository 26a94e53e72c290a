"""Crawls with a job, and the commands that read its ledger: settings, arguments and output."""

import shlex
import subprocess
from pathlib import Path

import pytest
from conftest import Crawl, command, environment
from job_crawls import ALWAYS_DUE, LISTED_ID
from server import NewsServer


@pytest.mark.slow
def test_no_ledger(scrapy: Crawl, tmp_path: Path) -> None:
    for words in (("status",), ("why", "1"), ("export",)):
        run = scrapy(*words)
        assert (run.exit_code, "job: missing" in run.stderr) == (2, True)
        run = scrapy(*words, "-s", "JOBDIR=nowhere")
        assert (run.exit_code, "nowhere holds no ledger" in run.stderr) == (2, True)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"RECHECK_MIN": "nan"}, "RECHECK_MIN: got nan, takes seconds from 0 to"),
        ({"RECHECK_MAX": "inf"}, "RECHECK_MAX: got inf, takes seconds"),
        ({"RECHECK_MIN": -1}, "RECHECK_MIN: got -1"),
        ({"RECHECK_MAX": 60}, "RECHECK_MAX: got 60, which is less than RECHECK_MIN (3600)"),
        ({"RECHECK_MAX": "soon"}, "RECHECK_MAX: got 'soon', takes seconds"),
        ({"LEDGER_SYNC_INTERVAL": "x"}, "LEDGER_SYNC_INTERVAL: got 'x', takes seconds"),
    ],
)
def test_wrong_settings(job: Crawl, given: dict[str, object], message: str) -> None:
    run = job(settings=given)
    assert (run.exit_code, message in run.stderr) == (2, True)


@pytest.mark.usefixtures("ledger")
@pytest.mark.slow
def test_an_export_that_nobody_reads_to_the_end(job: Crawl, tmp_path: Path) -> None:
    job(depth=3)
    words = " ".join(map(shlex.quote, command("export", "-s", "JOBDIR=job")))
    result = subprocess.run(
        f"{words} | head -c 20",
        shell=True,
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.stdout, result.stderr) == ('{"kind":"article","s', "")


WRONG: dict[str, tuple[list[object], int, str]] = {
    "recheck without a memory": (
        ["crawl", "articles", "-a", "seed=1", "-a", "recheck=all"],
        2,
        "only a crawl with a ledger requests articles again",
    ),
    "an empty JOBDIR": (
        ["crawl", "articles", "-a", "seed=1", "-s", "JOBDIR="],
        2,
        "job: got ''",
    ),
    "a file as JOBDIR": (["status", "-s", "JOBDIR=scrapy.cfg"], 2, "is a file; takes a folder"),
    "-O for export": (
        ["export", "-s", "JOBDIR=job", "-O", "x.jsonl"],
        2,
        "no such option: -O; takes --job FOLDER | FEED...",
    ),
    "export over the ledger": (
        ["export", "-s", "JOBDIR=job", "-o", "job/ledger.sqlite"],
        2,
        "is the ledger itself",
    ),
    "why without an id": (["why", "-s", "JOBDIR=job"], 2, "an argument is missing"),
    "status of something": (["status", "1", "-s", "JOBDIR=job"], 2, "got '1'"),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments(job: Crawl, scrapy: Crawl, tmp_path: Path, case: str) -> None:
    job(depth=0)
    (tmp_path / "scrapy.cfg").write_text("", encoding="utf-8")
    words, exit_code, message = WRONG[case]
    run = scrapy(*words)
    assert (run.exit_code, message in run.stderr) == (exit_code, True)
    assert scrapy("status", "-s", "JOBDIR=job").exit_code == 0


@pytest.mark.usefixtures("ledger")
def test_why_of_a_teaser(job: Crawl, scrapy: Crawl) -> None:
    [(teaser, record)] = list(job(depth=0).teasers.items())[:1]
    assert scrapy("why", teaser, "-s", "JOBDIR=job").stdout.startswith(
        f"{teaser}  {record['headline_raw']}\n"
    )


@pytest.mark.usefixtures("ledger")
def test_a_run_prints_eleven_lines_or_fewer(job: Crawl, server: NewsServer) -> None:
    server.pages["/news/1750384"] = server.pages[f"/news/{LISTED_ID}"].replace(
        LISTED_ID.encode(), b"1750384"
    )
    for _ in range(2):
        run = job("-o", "mine.jsonl", settings=ALWAYS_DUE)
        assert run.exit_code == 0
        assert len((run.stdout + run.stderr).splitlines()) <= 11

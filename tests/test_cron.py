"""Test a crawl run by the real cron with README's line, against a site that changes."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import IMPATIENT, ROOT, clock, read_records
from server import NewsServer
from services import require

SEED = "1752038"
LISTED_ID = "1751821"
# The name and path of the project in README's lines.
PROJECT = "/home/newsroom/neighbourhood-crawler"
USER = "newsroom"


def readme_block(beginning: str) -> str:
    """Return the indented block of the README that begins with this text."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(
        rf"(?:^    {re.escape(beginning)}.*\n)(?:^    .*\n|^\n(?=    ))*", text, re.MULTILINE
    )
    assert block, f"the README has no block that begins with {beginning!r}"
    return re.sub(r"^    ", "", block.group(), flags=re.MULTILINE)


@pytest.fixture
def cron(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Yield a function that installs a file in /etc/cron.d.

    If no cron daemon is running, start one with its clock three seconds before the next minute.
    """
    require("cron")
    running = subprocess.run(["pgrep", "-x", "cron"], capture_output=True, check=False).stdout
    daemons: list[subprocess.Popen[bytes]] = []
    crontab = Path("/etc/cron.d/neighbourhood-crawler-test")

    def install(text: str) -> None:
        # Replaced in one step, because cron rereads a file only if its mtime differs in seconds.
        new = Path("/etc/neighbourhood-crawler-test.new")
        new.write_text(text, encoding="utf-8")
        # Cron ignores files that others may write.
        new.chmod(0o644)
        new.rename(crontab)
        stop()
        if not running:
            ahead = clock(f"{57 - time.time() % 60:+.0f}s")
            daemons.append(subprocess.Popen(["cron", "-f"], env={**os.environ, **ahead}))

    def stop() -> None:
        while daemons:
            daemons[-1].send_signal(signal.SIGTERM)
            daemons.pop().wait()

    try:
        yield install
    finally:
        crontab.unlink(missing_ok=True)
        stop()


def list_stories(server: NewsServer, newest: list[str], in_feed: list[str]) -> None:
    """Give the server a front page and a feed."""
    links = "".join(f'<h3><a href="/news/{story}">Story {story}</a></h3>' for story in newest)
    server.pages["/"] = f"<html><body>{links}<a href='/about'>About</a></body></html>".encode()
    items = "".join(f"<item><link>{server.url}/news/{story}</link></item>" for story in in_feed)
    feed = f'<?xml version="1.0"?><rss version="2.0"><channel>{items}</channel></rss>'
    server.pages["/feed.xml"] = feed.encode()


def test_the_crontab_lines_of_the_readme(
    cron: Callable[[str], None], server: NewsServer, tmp_path: Path
) -> None:
    """One follows the neighbourhood of an article, the other the front page and feed of a site."""
    lines = [readme_block("17 * * * *").strip(), readme_block("47 * * * *").strip()]
    assert not any("\n" in line for line in lines)
    project = tmp_path / "project"
    (project / "output").mkdir(parents=True)
    shutil.copy(ROOT / "scrapy.cfg", project)
    (project / "crawler").symlink_to(ROOT / "crawler")
    venv = project / ".venv" / "bin"
    venv.mkdir(parents=True)
    (venv / "scrapy").symlink_to(Path(sys.executable).parent / "scrapy")
    impatient = " ".join(
        f"-s {name}={value}"
        for name, value in {**IMPATIENT, "RECHECK_MIN": 0, "RECHECK_MAX": 1}.items()
    )
    # README's lines, but every minute, as root, and on the local server.
    text = "".join(
        re.sub(r"^\d+ \* \* \* \*", "* * * * * root", line).replace(PROJECT, str(project)) + "\n"
        for line in lines
    )
    for seeds, local in (
        (f"seed={SEED}", f"seed={SEED} -a depth=1 -a base_url={server.url} {impatient}"),
        (
            "seed=https://publisher.example/,https://publisher.example/feed.xml",
            f"seed={server.url}/,{server.url}/feed.xml -a depth=0 {impatient}",
        ),
    ):
        assert text.count(seeds) == 1
        text = text.replace(seeds, local)
    list_stories(server, ["1751832", LISTED_ID], [LISTED_ID, SEED])
    cron(text)

    job, log = project / "output" / "jobs" / "latakia", project / "output" / "latakia.log"
    logs = (log, project / "output" / "publisher.log")

    def runs_in(log: Path) -> int:
        return log.read_text(encoding="utf-8").count("discovered ") if log.exists() else 0

    def wait_for(runs: int) -> None:
        deadline = time.monotonic() + 60 * (runs + 1)
        while min(map(runs_in, logs)) < runs:
            assert time.monotonic() < deadline, (
                f"cron ran nothing: {log.read_text(encoding='utf-8') if log.exists() else 'no log'}"
            )
            time.sleep(0.2)

    wait_for(1)
    page = f"/news/{LISTED_ID}"
    server.pages[page] = server.pages[page].replace(b"Advancing in Aleppo", b"Advancing in Homs")
    server.pages["/news/1750384"] = server.pages["/news/1751832"].replace(b"1751832", b"1750384")
    list_stories(server, ["1745120", "1751832", LISTED_ID], [LISTED_ID, SEED, "1745233"])
    cron(text)
    wait_for(2)

    assert (job / "ledger.sqlite").exists()
    host = server.url.removeprefix("http://")
    by_site: dict[str, list[list[dict[str, Any]]]] = {"alalam": [], host: []}
    for feed in sorted((project / "output").rglob("articles.jsonl")):
        records = read_records(feed)
        by_site[records[0]["site"]].append(records)
    first, second = by_site[host]
    stories = ("1751832", LISTED_ID, SEED)
    assert {record["id"] for record in first} == {f"{host}/news/{story}" for story in stories}
    assert {(record["id"].rpartition("/")[2], record["revision"]) for record in second} == {
        ("1745120", 1),
        ("1745233", 1),
        (LISTED_ID, 2),
    }
    first, second = by_site["alalam"]
    assert len(first) == 7
    assert {(record["id"], record["revision"]) for record in second} == {
        (LISTED_ID, 2),
        ("1750384", 1),
    }
    text = log.read_text(encoding="utf-8")
    runs = re.split(r"(?<=pending \d)\n", text)
    # Twelve lines, and one for each warning, such as an article that is newly gone.
    assert all(len(run.splitlines()) <= 12 + run.count("WARNING") for run in runs)
    assert "WARNING: 1750384: gone (404 Not Found)" in runs[0]
    assert "WARNING" not in "".join(runs[1:])
    assert "1 new, 1 changed, 6 unchanged" in runs[1]

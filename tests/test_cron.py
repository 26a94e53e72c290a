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

import pytest
from conftest import IMPATIENT, ROOT, clock, read_records, require
from server import NewsServer

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
    daemon = shutil.which("cron")
    require("cron, as root,", daemon and os.access("/etc/cron.d", os.W_OK))
    assert daemon is not None
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
            daemons.append(subprocess.Popen([daemon, "-f"], env={**os.environ, **ahead}))

    def stop() -> None:
        while daemons:
            daemons[-1].send_signal(signal.SIGTERM)
            daemons.pop().wait()

    try:
        yield install
    finally:
        crontab.unlink(missing_ok=True)
        stop()


def test_the_crontab_line_of_the_readme(
    cron: Callable[[str], None], server: NewsServer, tmp_path: Path
) -> None:
    lines = readme_block("17 * * * *").splitlines()
    assert len(lines) == 1
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
    # README's line, but every minute, as root, and on the local server.
    line = lines[0].replace("17 * * * *", "* * * * * root", 1).replace(PROJECT, str(project))
    assert f"seed={SEED}" in line
    line = line.replace(
        f"seed={SEED}", f"seed={SEED} -a depth=1 -a base_url={server.url} {impatient}"
    )
    cron(line + "\n")

    job, log = project / "output" / "jobs" / "latakia", project / "output" / "latakia.log"

    def wait_for(runs: int) -> None:
        deadline = time.monotonic() + 60 * (runs + 1)
        while not log.exists() or log.read_text(encoding="utf-8").count("discovered ") < runs:
            assert time.monotonic() < deadline, (
                f"cron ran nothing: {log.read_text(encoding='utf-8') if log.exists() else 'no log'}"
            )
            time.sleep(0.2)

    wait_for(1)
    page = f"/news/{LISTED_ID}"
    server.pages[page] = server.pages[page].replace(b"Advancing in Aleppo", b"Advancing in Homs")
    server.pages["/news/1750384"] = server.pages["/news/1751832"].replace(b"1751832", b"1750384")
    cron(line + "\n")
    wait_for(2)

    assert (job / "ledger.sqlite").exists()
    feeds = sorted((project / "output").glob("articles-*.jsonl"))
    first, second = (read_records(feed) for feed in feeds)
    assert len(first) == 7
    assert {(record["id"], record["revision"]) for record in second} == {
        (LISTED_ID, 2),
        ("1750384", 1),
    }
    text = log.read_text(encoding="utf-8")
    runs = re.split(r"(?<=pending \d)\n", text)
    # Ten lines, and one for each warning, such as an article that is newly gone.
    assert all(len(run.splitlines()) <= 10 + run.count("WARNING") for run in runs)
    assert "WARNING: 1750384: gone (404 Not Found)" in runs[0]
    assert "WARNING" not in "".join(runs[1:])
    assert "1 new, 1 changed, 6 unchanged" in runs[1]

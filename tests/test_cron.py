"""Test the crontab lines of the documentation with the real cron, on a site that changes."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from conftest import clock, read_records
from doc_pages import READERS_FOLDER, page_paths, read_page
from doc_runner import sandbox
from doc_sites import publisher_pages, site_of, sites
from services import require

# The parts of a line: its times, the folder that it changes to, and its log.
_LINE = re.compile(r"(\S+ ){5}(?P<command>cd (?P<folder>\S+) && .* >> *(?P<log>\S+) 2>&1\b.*)")


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


def test_the_crontab_lines(cron: Callable[[str], None], tmp_path: Path) -> None:
    """Run the lines of all pages every minute, and let the newspaper publish one more story."""
    published = publisher_pages(newest=1)
    hosts = {**sites(), "publisher.example": site_of(published)}
    lines: list[str] = []
    logs: list[Path] = []
    with ExitStack() as stack:
        for number, page in enumerate(map(read_page, page_paths())):
            if not page.crontab:
                continue
            here = stack.enter_context(sandbox(page, tmp_path / str(number), hosts))
            for line in page.crontab:
                parts = _LINE.fullmatch(line.replace(READERS_FOLDER, "~"))
                assert parts, line
                lines.append(f"HOME={here.home}\n* * * * * root {parts['command']}\n")
                folder = Path(parts["folder"].replace("~", str(here.home)))
                folder.mkdir(parents=True, exist_ok=True)
                logs.append(folder / parts["log"])
        assert len(set(logs)) == len(lines) > 0
        cron("".join(lines))
        wait_for_runs(logs, 1)
        published.update(publisher_pages())
        cron("".join(lines))
        wait_for_runs(logs, 2)
    for log in logs:
        first, second = re.split(r"(?<=pending \d)\n", log.read_text(encoding="utf-8"))[:2]
        # Logs stay small: twelve lines, and one for each of the lists.
        assert max(len(run.splitlines()) for run in (first, second)) <= 14
        assert "exit code 0" in first
        assert "exit code 0" in second
        new = read_records(next((log.parent / "output").glob("2*/articles.jsonl")))
        assert {record["revision"] for record in new} == {1}
    assert "1 new" in second


def wait_for_runs(logs: list[Path], runs: int) -> None:
    """Wait until every log has the last line of this many runs."""

    def texts() -> list[str]:
        return [log.read_text(encoding="utf-8") if log.exists() else "no log" for log in logs]

    deadline = time.monotonic() + 60 * (runs + 1)
    while min(text.count("discovered ") for text in texts()) < runs:
        assert time.monotonic() < deadline, f"cron did not run everything: {texts()}"
        time.sleep(0.2)

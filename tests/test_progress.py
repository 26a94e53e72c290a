"""The progress that a run shows."""

import os
import pty
import re
import subprocess
from pathlib import Path

from conftest import Crawl, command, environment
from server import NewsServer


def test_one_live_line_on_a_terminal(server: NewsServer, tmp_path: Path) -> None:
    line = command(
        "crawl",
        "articles",
        "-a",
        "seed=1752038,99",
        "-a",
        f"base_url={server.url}",
        "-a",
        "limit=4",
        "-s",
        "DOWNLOAD_DELAY=0.3",
    )
    controller, terminal = pty.openpty()
    run = subprocess.Popen(
        line, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=terminal
    )
    os.close(terminal)
    displayed = b""
    try:
        while piece := os.read(controller, 65_536):
            displayed += piece
    except OSError:
        # The terminal closes when the run ends.
        pass
    os.close(controller)
    summary, _ = run.communicate()
    assert re.search(rb"\rfetched \d, queued \d, failed 1, \d+\.\d pages/s, depth 1", displayed)
    assert b"WARNING: 99: gone (404 Not Found)" in displayed
    # The line rewrites itself; only the warning ends with a newline.
    assert displayed.count(b"\n") == 1
    assert b"DEBUG" not in displayed
    assert summary.decode().splitlines()[-1].startswith("discovered ")


def test_plain_lines_elsewhere(live: Crawl, server: NewsServer) -> None:
    run = live(seed=1752038, settings={"PROGRESS_INTERVAL": 0.1, "DOWNLOAD_DELAY": 0.05})
    lines = [line for line in run.stderr.splitlines() if "fetched " in line]
    assert len(lines) > 3
    assert all(" INFO: fetched " in line and "pages/s, depth " in line for line in lines)
    assert "fetched 24, queued 0, failed 3" in lines[-1]
    assert "\r" not in run.stderr


def test_no_progress_elsewhere_by_default(live: Crawl) -> None:
    run = live(seed=1752038, depth=0)
    assert run.stderr == ""

"""A summary that cannot be printed changes no exit code and causes no traceback."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import SEED_TEXT, SITE, command, environment

SCRAPY = " ".join(f"'{word}'" for word in command())
CRAWL = f"{SCRAPY} crawl articles -a source='{SITE}' -a seed="
COMPLETE, EMPTY = f"{CRAWL}1752038", f"{CRAWL}404404"
JOB = f"{COMPLETE} -s JOBDIR=job >log 2>&1;"
# The command's own exit code goes to a file: a pipe's exit code is its reader's.
CODE = "echo $? >code"

CASES = {
    "a reader that reads nothing": (f"({COMPLETE}; {CODE}) | true", 0),
    "a reader of one line": (f"({COMPLETE} 2>&1; {CODE}) | head -1", 0),
    "a log that nobody reads": (f"({COMPLETE} -s LOG_LEVEL=DEBUG 2>&1; {CODE}) | true", 0),
    "nothing stored, and no reader": (f"({EMPTY} 2>&1; {CODE}) | true", 4),
    "closed": (f"{COMPLETE} >&-; {CODE}", 0),
    "all closed": (f"{EMPTY} >&- 2>&-; {CODE}", 4),
    "full": (f"{COMPLETE} >/dev/full; {CODE}", 0),
    "ASCII": (f"PYTHONIOENCODING=ascii {COMPLETE} >report; {CODE}", 0),
    "schema, one line": (f"({SCRAPY} schema; {CODE}) | head -1", 0),
    "schema, closed": (f"{SCRAPY} schema >&-; {CODE}", 0),
    "schema, full": (f"{SCRAPY} schema >/dev/full; {CODE}", 1),
    "vardump, one line": (f"({SCRAPY} vardump --tree '{SEED_TEXT}'; {CODE}) | head -1", 0),
    "vardump, full": (f"{SCRAPY} vardump --tree '{SEED_TEXT}' >/dev/full; {CODE}", 1),
    "status, no reader": (f"{JOB} ({SCRAPY} status -s JOBDIR=job; {CODE}) | true", 0),
    "status, colours": (f"{JOB} (FORCE_COLOR=1 {SCRAPY} status -s JOBDIR=job; {CODE}) | true", 0),
    "why, ASCII": (f"{JOB} PYTHONIOENCODING=ascii {SCRAPY} why 1752038 -s JOBDIR=job; {CODE}", 0),
    "export, one line": (f"{JOB} ({SCRAPY} export -s JOBDIR=job; {CODE}) | head -1", 0),
    "export, full": (f"{JOB} {SCRAPY} export -s JOBDIR=job >/dev/full; {CODE}", 1),
    "export, closed": (f"{JOB} {SCRAPY} export -s JOBDIR=job >&-; {CODE}", 1),
}


@pytest.mark.slow_after(1)
@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no /dev/full")
@pytest.mark.parametrize("case", CASES)
def test_output_that_cannot_be_written(tmp_path: Path, case: str) -> None:
    line, code = CASES[case]
    result = subprocess.run(
        ["bash", "-c", line],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert int((tmp_path / "code").read_text(encoding="utf-8")) == code
    assert "Traceback" not in result.stdout + result.stderr
    assert "Exception ignored" not in result.stderr
    if code == 1:
        assert "standard output" in result.stderr

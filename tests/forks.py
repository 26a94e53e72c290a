"""Run scrapy commands in forks of a process that has imported Scrapy and this project already.

Most of the time of a short crawl goes into imports. Tests of how a process starts, such as those
of cron or of the encoding of its output, start one of their own with ``conftest.command``.
"""

import functools
import multiprocessing
import os
import subprocess
import sys
import tempfile
from multiprocessing.forkserver import ensure_running
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PATHS = (TESTS.parent, TESTS)
"""Where a process that runs scrapy commands finds modules."""
FORKS = multiprocessing.get_context("forkserver")


@functools.cache
def start_server() -> None:
    """Start the process that is forked. It finds modules only where PYTHONPATH says."""
    FORKS.set_forkserver_preload(["preloaded"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, PATHS)))
        ensure_running()


def run(
    words: list[str], folder: Path, environment: dict[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run ``scrapy WORDS`` in a folder; the exit code is negative if a signal ended it.

    Raises subprocess.TimeoutExpired after ``timeout`` seconds.
    """
    start_server()
    with tempfile.TemporaryDirectory(prefix="output-of-tests-") as name:
        outputs = [Path(name, "stdout"), Path(name, "stderr")]
        process = FORKS.Process(target=scrapy, args=(words, folder, environment, outputs))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(
                words, timeout, *(path.read_bytes() for path in outputs)
            )
        stdout, stderr = (path.read_text(encoding="utf-8") for path in outputs)
        return subprocess.CompletedProcess(words, process.exitcode, stdout, stderr)


def scrapy(
    words: list[str], folder: Path, environment: dict[str, str], outputs: list[Path]
) -> None:
    """Become ``scrapy WORDS``, with files for its standard output and standard error."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    # PYTHONPATH names the folder in which a command starts.
    sys.path.insert(0, str(folder))
    sys.argv = ["scrapy", *words]
    for number, path in enumerate(outputs, 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)

    from scrapy.cmdline import execute

    execute()

"""Scrapy commands in forks of a process that has already imported Scrapy and this project.

Short crawls spend most of their time on imports. Tests of process startup, such as those of cron or
of the output encoding, start a process of their own with ``conftest.command``.
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
"""The module search path of processes that run scrapy commands."""
FORKS = multiprocessing.get_context("forkserver")


@functools.cache
def start_server() -> None:
    """Start the process to fork from. It finds modules only through PYTHONPATH."""
    FORKS.set_forkserver_preload(["preloaded"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, PATHS)))
        ensure_running()


class Fork:
    """A scrapy command in a process of its own, with an interface like subprocess.Popen."""

    def __init__(
        self, words: list[str], folder: Path, environment: dict[str, str], outputs: list[Path]
    ) -> None:
        """Start ``scrapy WORDS`` in a folder.

        Its stdout and stderr are appended to two files, which may be the same.
        """
        start_server()
        self.args = words
        self._process = FORKS.Process(target=scrapy, args=(words, folder, environment, outputs))
        self._process.start()

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        os.kill(self.pid or 0, number)

    def kill(self) -> None:
        self._process.kill()


def run(
    words: list[str], folder: Path, environment: dict[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run ``scrapy WORDS`` in a folder. The exit code is negative if a signal ended it.

    Raises subprocess.TimeoutExpired after ``timeout`` seconds.
    """
    with tempfile.TemporaryDirectory(prefix="output-of-tests-") as name:
        outputs = [Path(name, "stdout"), Path(name, "stderr")]
        process = Fork(words, folder, environment, outputs)
        try:
            exit_code = process.wait(timeout)
        except subprocess.TimeoutExpired as late:
            process.kill()
            process.wait()
            late.stdout, late.stderr = (path.read_bytes() for path in outputs)
            raise
        stdout, stderr = (path.read_text(encoding="utf-8") for path in outputs)
        return subprocess.CompletedProcess(words, exit_code, stdout, stderr)


def scrapy(
    words: list[str], folder: Path, environment: dict[str, str], outputs: list[Path]
) -> None:
    """Become ``scrapy WORDS``, with standard output and standard error going to files."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    # PYTHONPATH includes the working directory.
    sys.path.insert(0, str(folder))
    sys.argv = ["scrapy", *words]
    for number, path in enumerate(outputs, 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)

    from scrapy.cmdline import execute

    execute()

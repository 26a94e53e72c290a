"""The processes of the workers that extract pages (parser_worker.py).

A new Python takes 0.6 s of CPU to load what extracting pages takes. The process of a crawl has
loaded that already, so a process forked from it is ready at once, and shares most of its memory.
Forking is safe only while there is a single thread, so it is done before the crawl begins, and on
Linux alone. Otherwise, and when no spare process is left, a new Python is started.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import subprocess
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Protocol

from crawler.crawl import parser_worker

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMAND = (sys.executable, "-m", "crawler.crawl.parser_worker")
"""Starts a worker that is connected by its standard input and output."""


def environment() -> Mapping[str, str]:
    """Return the environment in which COMMAND finds what this process finds."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


class ParserProcess(Protocol):
    """The process of a worker, in a session of its own, so that no terminal interrupts it."""

    socket: socket.socket
    """The connection to it. If it is closed, the process ends."""

    def kill(self) -> None: ...

    def wait(self) -> int:
        """Wait for its end, and return its exit code, which is negative for a signal."""
        ...


_spare: list[_ForkedProcess] = []


def fork_ahead(count: int) -> None:
    """Fork so many spare processes, if this process can be forked safely."""
    if sys.platform != "linux" or len([*Path("/proc/self/task").iterdir()]) > 1:
        return
    with suppress(OSError):
        while len(_spare) < count:
            _spare.append(_ForkedProcess())


def release_spare() -> None:
    """End the processes that nobody took, since they keep memory that this one has changed."""
    while _spare:
        _spare.pop().end()


def obtain() -> ParserProcess:
    """Return a spare process, or a new one. Raises OSError if there is none, and none starts."""
    while _spare:
        process = _spare.pop(0)
        if process.is_running:
            return process
        process.end()
    return _StartedProcess()


class _StartedProcess:
    """A new Python."""

    def __init__(self) -> None:
        self.socket, workers_end = socket.socketpair()
        with workers_end:
            self._process = subprocess.Popen(
                COMMAND,
                stdin=workers_end.fileno(),
                stdout=workers_end.fileno(),
                env=environment(),
                start_new_session=True,
            )
        self.kill = self._process.kill
        self.wait = self._process.wait


class _ForkedProcess:
    """A copy of this process as it was when it was forked."""

    def __init__(self) -> None:
        self.socket, workers_end = socket.socketpair()
        with workers_end:
            self._pid = os.fork()
            if not self._pid:
                _become_worker(workers_end.fileno())
        self._code: int | None = None

    @property
    def is_running(self) -> bool:
        return self._poll(os.WNOHANG) is None

    def kill(self) -> None:
        if self.is_running:
            os.kill(self._pid, signal.SIGKILL)

    def wait(self) -> int:
        code = self._poll(0)
        assert code is not None
        return code

    def _poll(self, options: int) -> int | None:
        if self._code is None:
            pid, status = os.waitpid(self._pid, options)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code

    def end(self) -> None:
        self.socket.close()
        self.kill()
        self.wait()


def _become_worker(descriptor: int) -> NoReturn:
    """Do in a forked process what a new one would do that is connected to ``descriptor``."""
    try:
        os.setsid()
        for stream in (0, 1):
            os.dup2(descriptor, stream)
        # Whatever this process would keep open, the other one could not close.
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        sys.stderr = sys.__stderr__
        logging.getLogger().handlers.clear()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        # Looking for cycles in what is shared would copy it.
        gc.freeze()
        parser_worker.run()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)

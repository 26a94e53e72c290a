"""Extracts the article of a fetched page within a time limit.

Most pages are parsed in this process, which is cheapest. A page that is large, or that takes longer
than a second, goes to a worker process, which ends itself at the limit. No worker is started before
one is needed. A run that reads a whole archive spends all its time parsing, so it passes every page
to one of several workers. The records and their order are the same either way.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pickle
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from struct import Struct
from typing import TYPE_CHECKING

from crawler.crawl import time_limit
from crawler.crawl.page_extraction import LARGE_BYTES, TooSlowError, extract_page

if TYPE_CHECKING:
    from crawler.crawl.page_extraction import Extracted, Task
    from crawler.extraction.directory import Publishers

logger = logging.getLogger(__name__)

LENGTH = Struct(">I")
"""Precedes each message to and from a worker: its size in bytes."""
# Pages sent to each worker at once, so that it never waits for the next one.
_PAGES_AHEAD = 2
# Seconds for which a page may block this process.
_BLOCKING_SECONDS = 1.0
# A page whose worker ends, for example because memory is exhausted, is tried once more.
_MOST_TRIES = 2


class ParserError(Exception):
    """A worker failed to extract a page, because of a bug or because its process ended."""


class _LostError(Exception):
    """A worker ended before it started on a page."""


class _EndedError(Exception):
    """A worker ended while it was parsing a page."""


class PageParser:
    """Extracts pages, spending at most ``timeout`` seconds on each.

    With ``processes``, all pages go to that many workers. Without, only large and slow pages go to
    a worker, and there is only one.
    """

    def __init__(self, publishers: Publishers, timeout: float, processes: int = 0) -> None:
        self._publishers = publishers
        self._timeout = timeout
        self._all_in_workers = processes > 0
        self._pool = ParserPool(processes or 1, publishers, timeout)

    async def extract(self, task: Task) -> Extracted:
        """Extract a page; TooSlowError if that takes too long, ParserError if a worker fails."""
        small = len(task.body) <= LARGE_BYTES
        if small and not self._all_in_workers and time_limit.is_possible():
            try:
                return time_limit.within(
                    min(_BLOCKING_SECONDS, self._timeout),
                    lambda: extract_page(task, self._publishers),
                )
            except time_limit.TimeLimitReached:
                if self._timeout <= _BLOCKING_SECONDS:
                    raise TooSlowError(self._timeout) from None
        return await self._pool.extract(task)

    def close(self) -> None:
        """End the workers; pages that were sent to them are abandoned."""
        self._pool.close()


class ParserPool:
    """Workers, each started when all others are busy and replaced when it has ended.

    However this process ends, they end too, because their input is closed.
    """

    def __init__(self, most: int, publishers: Publishers, timeout: float) -> None:
        self._most = most
        self._publishers = publishers
        self._timeout = timeout
        self._workers: list[ParserWorker] = []
        self._room = asyncio.Semaphore(most * _PAGES_AHEAD)
        self._last_call: asyncio.Future[None] | None = None

    async def extract(self, task: Task) -> Extracted:
        """Extract a page; results come back in the order of the calls."""
        previous_call, self._last_call = self._last_call, asyncio.get_running_loop().create_future()
        this_call = self._last_call
        try:
            async with self._room:
                return await self._extract(task)
        finally:
            try:
                if previous_call is not None:
                    # Unlike awaiting the future, this does not cancel it if this page is abandoned.
                    await asyncio.wait((previous_call,))
            finally:
                this_call.set_result(None)

    async def _extract(self, task: Task) -> Extracted:
        tries = 0
        while True:
            worker = self._least_busy()
            worker.pending += 1
            try:
                return await worker.extract(task)
            except _LostError:
                self._remove(worker)
            except _EndedError as error:
                tries += 1
                self._remove(worker)
                if tries == _MOST_TRIES:
                    message = f"{tries} worker processes ended while parsing this page: {error}"
                    raise ParserError(message) from None
            finally:
                worker.pending -= 1

    def _least_busy(self) -> ParserWorker:
        worker = min(self._workers, key=lambda worker: worker.pending, default=None)
        if worker is None or (worker.pending and len(self._workers) < self._most):
            worker = ParserWorker(self._publishers, self._timeout)
            self._workers.append(worker)
        return worker

    def _remove(self, worker: ParserWorker) -> None:
        if worker in self._workers:
            self._workers.remove(worker)
            worker.close()
            if worker.fault:
                logger.warning("a worker process that parsed pages has ended (%s)", worker.fault)

    def close(self) -> None:
        for worker in self._workers:
            worker.close()
        self._workers.clear()


class ParserWorker:
    """One process that extracts pages in the order in which it receives them (parser_worker.py)."""

    def __init__(self, publishers: Publishers, timeout: float) -> None:
        self._timeout = timeout
        self._socket, worker_socket = socket.socketpair()
        command, environment = worker_command(publishers, timeout)
        with worker_socket:
            descriptor = worker_socket.fileno()
            self._process = subprocess.Popen(
                command,
                stdin=descriptor,
                stdout=descriptor,
                env=environment,
                start_new_session=True,
            )
        self.pending = 0
        """The number of pages that were sent to it and that it has not returned yet."""
        self.fault: str | None = None
        """Why it has ended, unless a page took too long."""
        self._waiting: deque[asyncio.Future[Extracted]] = deque()
        self._ended = False
        self._opening: asyncio.Task[None] | None = None

    async def extract(self, task: Task) -> Extracted:
        """Have a page extracted.

        Raises TooSlowError, ParserError, or _LostError or _EndedError if the worker has ended.
        """
        if self._opening is None:
            self._opening = asyncio.ensure_future(self._open())
        await asyncio.shield(self._opening)
        if self._ended:
            raise _LostError
        answer: asyncio.Future[Extracted] = asyncio.get_running_loop().create_future()
        self._waiting.append(answer)
        self._writer.writelines(packed(task))
        return await answer

    async def _open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(sock=self._socket)
        self._receiving = asyncio.ensure_future(self._receive())

    async def _receive(self) -> None:
        try:
            while True:
                (length,) = LENGTH.unpack(await self._reader.readexactly(LENGTH.size))
                answer = pickle.loads(await self._reader.readexactly(length))
                self._resolve(self._waiting.popleft(), answer)
        except Exception as error:
            # Whatever the error was, no page may wait for this worker any longer.
            self._end(error)

    def _resolve(self, waiting: asyncio.Future[Extracted], answer: Extracted | Exception) -> None:
        if waiting.done():
            # The run was stopped meanwhile.
            return
        if isinstance(answer, Exception):
            waiting.set_exception(answer)
        else:
            waiting.set_result(answer)

    def _end(self, error: Exception) -> None:
        """Fail all waiting pages; the first of them is the one that was being parsed."""
        self._ended = True
        self._process.kill()
        code = self._process.wait()
        first: Exception = TooSlowError(self._timeout)
        if code != -signal.SIGALRM:
            self.fault = f"exit code {code}; {error or type(error).__name__}"
            first = _EndedError(self.fault)
        while self._waiting:
            self._resolve(self._waiting.popleft(), first)
            first = _LostError()

    def close(self) -> None:
        # The worker holds nothing that this process does not hold too.
        self._process.kill()
        self._process.wait()
        if self._opening is not None and self._opening.done() and not self._opening.exception():
            self._receiving.cancel()
            self._writer.close()
        else:
            self._socket.close()


def worker_command(publishers: Publishers, timeout: float) -> tuple[list[str], dict[str, str]]:
    """Return the command line of a worker process (parser_worker.py), and its environment."""
    command = [sys.executable, "-m", "crawler.crawl.parser_worker"]
    command += [json.dumps(publishers.choice), str(timeout)]
    return command, {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def packed(message: object) -> Iterator[bytes]:
    """Yield a message as it is sent: its length, then the pickle."""
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    yield LENGTH.pack(len(data))
    yield data

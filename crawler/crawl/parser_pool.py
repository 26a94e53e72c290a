"""A pool of worker processes that extract pages or read archived articles (parser_worker.py)."""

from __future__ import annotations

import asyncio
import logging
import pickle
import signal
import socket
import subprocess
from collections import deque
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, cast

from crawler.crawl.page_extraction import TooSlowError
from crawler.crawl.parser_messages import (
    LENGTH,
    WORKER_COMMAND,
    Answer,
    ParserError,
    packed,
    worker_environment,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from crawler.crawl.archive_tasks import ArchivedArticle
    from crawler.crawl.page_extraction import Task
    from crawler.crawl.parser_messages import Setup

logger = logging.getLogger(__name__)

# Pages sent to each worker at once, so that it never waits for the next one.
_PAGES_AHEAD = 2
# A page whose worker ends, for example because memory is exhausted, is tried once more.
_MOST_TRIES = 2
# How much longer than READ_TIMEOUT a worker may take, which includes its start, before it counts as
# hung: SIGALRM does not end a process that is stopped, or that waits for a disk.
_HUNG_SECONDS = 20.0
# After so many workers that ended before they were ready, no more are started.
_MOST_FAILED_STARTS = 3


class NoWorkerError(Exception):
    """There is no worker, and none can be started."""


class _LostError(Exception):
    """A worker ended before it started on a page."""


class _EndedError(Exception):
    """A worker ended while it was parsing a page."""


class ParserPool:
    """Up to ``most`` workers; one that has ended is replaced.

    However this process ends, they end too, because their input is closed. If ``in_order``, results
    come back in the order of the calls.
    """

    def __init__(self, most: int, setup: Setup, *, in_order: bool) -> None:
        self._most = most
        self._setup = setup
        self._in_order = in_order
        self._workers: list[ParserWorker] = []
        self._failed_starts = 0
        self._room = asyncio.Semaphore(most * _PAGES_AHEAD)
        self._last_call: asyncio.Future[None] | None = None
        self.pending = 0
        """The number of tasks that were passed to ``run`` and are not done yet."""

    @property
    def is_ready(self) -> bool:
        """Whether a worker waits for pages, or is extracting them."""
        return any(worker.is_ready for worker in self._workers)

    @property
    def size(self) -> int:
        """The number of workers, ready or not."""
        return len(self._workers)

    def start(self, count: int) -> None:
        """Start workers ahead of the pages for them, until there are ``count``.

        Call it before each page, as it replaces workers that have ended. If they end before they
        are ready, or cannot be started, it gives up.
        """
        for worker in [worker for worker in self._workers if worker.has_ended]:
            self._remove(worker)
        with suppress(NoWorkerError):
            while len(self._workers) < min(count, self._most):
                self._add()

    async def run(self, task: Task | ArchivedArticle) -> Answer:
        """Return the answer of a worker to a task.

        Raises TooSlowError if it takes too long, ParserError if a worker fails, NoWorkerError.
        """
        self.pending += 1
        try:
            async with self._turn(), self._room:
                return await self._run(task)
        finally:
            self.pending -= 1

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Do something, and end when all calls before have ended, if results come in order."""
        if not self._in_order:
            yield
            return
        previous_call, self._last_call = self._last_call, asyncio.get_running_loop().create_future()
        this_call = self._last_call
        try:
            yield
        finally:
            try:
                if previous_call is not None:
                    # Unlike awaiting the future, this does not cancel it if this page is abandoned.
                    await asyncio.wait((previous_call,))
            finally:
                this_call.set_result(None)

    async def _run(self, task: Task | ArchivedArticle) -> Answer:
        tries = 0
        while True:
            worker = self._least_busy()
            worker.pending += 1
            try:
                return await worker.run(task)
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
        if not self._workers:
            self._add()
        return min(self._workers, key=lambda worker: (not worker.is_ready, worker.pending))

    def _add(self) -> None:
        if self._failed_starts >= _MOST_FAILED_STARTS:
            raise NoWorkerError
        try:
            self._workers.append(ParserWorker(self._setup))
        except OSError as error:
            self._failed_starts = _MOST_FAILED_STARTS
            logger.warning("no worker process could be started to parse pages (%s)", error)
            raise NoWorkerError from None

    def _remove(self, worker: ParserWorker) -> None:
        if worker in self._workers:
            self._workers.remove(worker)
            self._failed_starts += not worker.was_ready
            worker.close()
            if worker.fault:
                logger.warning("a worker process that parsed pages has ended (%s)", worker.fault)

    def close(self) -> None:
        for worker in self._workers:
            worker.close()
        self._workers.clear()


class ParserWorker:
    """One process that does tasks in the order in which it receives them (parser_worker.py)."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._socket, worker_socket = socket.socketpair()
        with worker_socket:
            descriptor = worker_socket.fileno()
            self._process = subprocess.Popen(
                WORKER_COMMAND,
                stdin=descriptor,
                stdout=descriptor,
                env=worker_environment(),
                start_new_session=True,
            )
        self.pending = 0
        """The number of tasks that were sent to it and that it has not answered yet."""
        self.was_ready = False
        self.has_ended = False
        self.fault: str | None = None
        """Why it has ended, unless a page took too long."""
        self._waiting: deque[asyncio.Future[Answer]] = deque()
        self._hung_at: asyncio.TimerHandle | None = None
        self._opening = asyncio.ensure_future(self._open())

    @property
    def is_ready(self) -> bool:
        return self.was_ready and not self.has_ended

    async def run(self, task: Task | ArchivedArticle) -> Answer:
        """Return the answer to a task.

        Raises TooSlowError, ParserError, or _LostError or _EndedError if the worker has ended.
        """
        await asyncio.shield(self._opening)
        if self.has_ended:
            raise _LostError
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append(answer)
        if len(self._waiting) == 1:
            self._expect_answer()
        self._transport.writelines(packed(task))
        return await answer

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_connection(
            lambda: _Messages(self._receive, self._end), sock=self._socket
        )
        self._transport.writelines(packed(self._setup))

    def _receive(self, message: bytes) -> None:
        if not message:
            self.was_ready = True
            return
        answer: Answer = pickle.loads(message)
        is_fault = isinstance(answer.result, ParserError)
        self._resolve(self._waiting.popleft(), answer.result if is_fault else answer)
        self._expect_answer()

    def _expect_answer(self) -> None:
        """Have the process killed if the answer for the first waiting page takes too long."""
        if self._hung_at is not None:
            self._hung_at.cancel()
        self._hung_at = None
        if self._waiting:
            loop, seconds = asyncio.get_running_loop(), self._setup.seconds + _HUNG_SECONDS
            self._hung_at = loop.call_later(seconds, self._process.kill)

    def _resolve(self, waiting: asyncio.Future[Answer], result: Answer | Exception) -> None:
        if waiting.done():
            # The run was stopped meanwhile.
            return
        if isinstance(result, Exception):
            waiting.set_exception(result)
        else:
            waiting.set_result(result)

    def _end(self, error: Exception | None) -> None:
        """Fail all waiting pages; the first is the one that was being parsed, if it was ready."""
        self.has_ended = True
        self._process.kill()
        code = self._process.wait()
        first: Exception = TooSlowError(self._setup.seconds)
        if code != -signal.SIGALRM:
            self.fault = f"exit code {code}"
            if error is not None:
                self.fault += f"; {type(error).__name__}: {error}"
            first = _EndedError(self.fault) if self.was_ready else _LostError()
        while self._waiting:
            self._resolve(self._waiting.popleft(), first)
            first = _LostError()
        self._expect_answer()

    def close(self) -> None:
        # The worker holds nothing that this process does not hold too.
        self._waiting.clear()
        self._expect_answer()
        self._process.kill()
        self._process.wait()
        if self._opening.done() and not self._opening.exception():
            self._transport.abort()
        else:
            self._socket.close()


class _Messages(asyncio.Protocol):
    """Takes the messages of a worker apart.

    ``ended`` is called once, when nothing more can come: with the reason, if it is not just the end
    of the connection.
    """

    def __init__(
        self, receive: Callable[[bytes], None], ended: Callable[[Exception | None], None]
    ) -> None:
        self._receive = receive
        self._ended = ended
        self._received = bytearray()
        self._fault: Exception | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        received = self._received
        received += data
        try:
            while len(received) >= LENGTH.size:
                end = LENGTH.size + LENGTH.unpack_from(received)[0]
                if len(received) < end:
                    break
                message = bytes(received[LENGTH.size : end])
                del received[:end]
                self._receive(message)
        except Exception as error:
            # Whatever the error was, no page may wait for this worker any longer.
            self._fault = error
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended(self._fault or exc)

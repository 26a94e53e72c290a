"""Reading a page that was fetched, for no longer than a limit.

A page is first read here, which costs least. One that takes longer than a second, or is large, is
read in a process beside this one, which ends itself at the limit; no process is started before one
is needed. A run that has nothing to wait for but its own reading, because it reads a whole archive,
hands each page to one of several processes: the records are the same, and so is their order.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct

from crawler.crawl import time_limit
from crawler.extraction import normalise, page
from crawler.extraction.normalise import Refusal
from crawler.extraction.page import Page
from crawler.extraction.publishers import Publisher
from crawler.items import RelatedItem

logger = logging.getLogger(__name__)

LENGTH = Struct(">I")
"""Before each message to and from a process that reads pages: its bytes."""
# So many pages wait for each process, so that it never waits for the next.
_AHEAD = 2
# Seconds that a page may hold up this process.
_GLANCE = 1.0
# Bytes; parsing more takes too long for a glance, and parsing cannot be interrupted.
_LARGE = 4 * 1024 * 1024
# A page that ends its process, as one that exhausts the memory does, is given one more.
_TRIES = 2


@dataclass(frozen=True, slots=True)
class Read:
    """What a page says, and what its list names; ``refusal`` says why it is not the article that was asked for, None if it is."""

    page: Page
    refusal: Refusal | None
    related: tuple[RelatedItem, ...] | None


class TooSlowError(Exception):
    """Reading a page took longer than its limit; the message names that."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"reading it took longer than READ_TIMEOUT, {seconds:g} s")


class ReadingError(Exception):
    """A page could not be read because of a fault of this program, in another process."""


class _LostError(Exception):
    """A process ended before it came to a page."""


class _EndedError(Exception):
    """A process ended while it read a page."""


def read(
    body: bytes, publisher: Publisher, article_id: str, address: str | None, charset: str | None
) -> Read:
    """Read the page that answered for an article; ``address`` is where its relative links start, ``charset`` what its header declares."""
    said = page.read(body, publisher, url=address, charset=charset)
    refusal = normalise.refusal(said, article_id, publisher)
    return Read(
        said, refusal, None if refusal else normalise.related_items(said.related, publisher)
    )


class PageReader:
    """Reads pages, none for longer than ``timeout`` seconds.

    All of them are read in ``processes`` beside this one, if there are any; else only those that
    take long are, in one process.
    """

    def __init__(self, publisher: Publisher, timeout: float, processes: int = 0) -> None:
        self._publisher = publisher
        self._timeout = timeout
        self._all_beside = processes > 0
        self._readers = _Readers(processes or 1, publisher, timeout)

    async def read(
        self, body: bytes, article_id: str, address: str | None, charset: str | None
    ) -> Read:
        """Read a page as ``read`` does; TooSlowError if that takes too long, ReadingError."""
        if not self._all_beside and len(body) <= _LARGE and time_limit.is_possible():
            try:
                return time_limit.within(
                    min(_GLANCE, self._timeout),
                    lambda: read(body, self._publisher, article_id, address, charset),
                )
            except time_limit.TimeLimitReached:
                if self._timeout <= _GLANCE:
                    raise TooSlowError(self._timeout) from None
        return await self._readers.read((body, article_id, address, charset))

    def close(self) -> None:
        """End the processes; what they read is given up."""
        self._readers.close()


_Asked = tuple[bytes, str, str | None, str | None]


class _Readers:
    """Processes that read pages, each started when all others are busy and replaced when it ended.

    They end when this process does, however it ends, for their input does then.
    """

    def __init__(self, most: int, publisher: Publisher, timeout: float) -> None:
        self._most = most
        self._publisher = publisher
        self._timeout = timeout
        self._readers: list[_Reader] = []
        self._free = asyncio.Semaphore(most * _AHEAD)
        self._last: asyncio.Future[None] | None = None

    async def read(self, asked: _Asked) -> Read:
        """Read a page; pages come back in the order in which they were asked for."""
        before, self._last = self._last, asyncio.get_running_loop().create_future()
        own = self._last
        try:
            async with self._free:
                return await self._read(asked)
        finally:
            try:
                if before is not None:
                    # Unlike awaiting it, this cancels nothing if this page is given up.
                    await asyncio.wait((before,))
            finally:
                own.set_result(None)

    async def _read(self, asked: _Asked) -> Read:
        tries = 0
        while True:
            reader = self._least_busy()
            reader.asked += 1
            try:
                return await reader.read(asked)
            except _LostError:
                self._remove(reader)
            except _EndedError as error:
                tries += 1
                self._remove(reader)
                if tries == _TRIES:
                    message = f"{tries} processes ended on this page: {error}"
                    raise ReadingError(message) from None
            finally:
                reader.asked -= 1

    def _least_busy(self) -> _Reader:
        reader = min(self._readers, key=lambda reader: reader.asked, default=None)
        if reader is None or (reader.asked and len(self._readers) < self._most):
            reader = _Reader(self._publisher, self._timeout)
            self._readers.append(reader)
        return reader

    def _remove(self, reader: _Reader) -> None:
        if reader in self._readers:
            self._readers.remove(reader)
            reader.close()
            if reader.fault:
                logger.warning("a process that read pages has ended (%s)", reader.fault)

    def close(self) -> None:
        for reader in self._readers:
            reader.close()
        self._readers.clear()


class _Reader:
    """One process that reads pages, in the order in which it is asked (crawler.crawl.parser_worker)."""

    def __init__(self, publisher: Publisher, timeout: float) -> None:
        self._timeout = timeout
        self._ours, theirs = socket.socketpair()
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        command = [
            sys.executable,
            "-m",
            "crawler.crawl.parser_worker",
            publisher.name,
            publisher.base_url,
            str(timeout),
        ]
        with theirs:
            end = theirs.fileno()
            self._process = subprocess.Popen(
                command, stdin=end, stdout=end, env=environment, start_new_session=True
            )
        self.asked = 0
        """So many pages wait for it, or are read by it."""
        self._waiting: deque[asyncio.Future[Read]] = deque()
        self._ended = False
        self.fault: str | None = None
        """Why it has ended, if not because a page took too long."""
        self._opened: asyncio.Task[None] | None = None

    async def read(self, asked: _Asked) -> Read:
        """Have a page read; TooSlowError, ReadingError, or an error of the process's end."""
        if self._opened is None:
            self._opened = asyncio.ensure_future(self._open())
        await asyncio.shield(self._opened)
        if self._ended:
            raise _LostError
        answer: asyncio.Future[Read] = asyncio.get_running_loop().create_future()
        self._waiting.append(answer)
        self._writer.writelines(packed(asked))
        return await answer

    async def _open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(sock=self._ours)
        self._answers = asyncio.ensure_future(self._receive())

    async def _receive(self) -> None:
        try:
            while True:
                (length,) = LENGTH.unpack(await self._reader.readexactly(LENGTH.size))
                answer = pickle.loads(await self._reader.readexactly(length))
                self._settle(self._waiting.popleft(), answer)
        except Exception as error:
            # Whatever it was, nobody is to wait for this process any more.
            self._end(error)

    def _settle(self, waiting: asyncio.Future[Read], answer: Read | Exception) -> None:
        if waiting.done():
            # The run was stopped meanwhile.
            return
        if isinstance(answer, Exception):
            waiting.set_exception(answer)
        else:
            waiting.set_result(answer)

    def _end(self, error: Exception) -> None:
        """Say so to all that wait: the first of them waited for the page that was being read."""
        self._ended = True
        self._process.kill()
        code = self._process.wait()
        first: Exception = TooSlowError(self._timeout)
        if code != -signal.SIGALRM:
            self.fault = f"exit code {code}; {error or type(error).__name__}"
            first = _EndedError(self.fault)
        while self._waiting:
            self._settle(self._waiting.popleft(), first)
            first = _LostError()

    def close(self) -> None:
        # It holds nothing that is not here too.
        self._process.kill()
        self._process.wait()
        if self._opened is not None and self._opened.done() and not self._opened.exception():
            self._answers.cancel()
            self._writer.close()
        else:
            self._ours.close()


def packed(message: object) -> Iterator[bytes]:
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    yield LENGTH.pack(len(data))
    yield data

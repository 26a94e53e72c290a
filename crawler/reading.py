"""Reading a page that was had: here, or in processes beside this one where a run has nothing to wait for but its own reading.

Reading takes most of the time of a crawl of saved pages and needs nothing but the page. So a run that reads a whole archive
hands each page to one of READER_PROCESSES; the records are the same, and so is their order.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct

from crawler import normalise, page
from crawler.items import RelatedItem
from crawler.normalise import Refusal
from crawler.page import Page
from crawler.sites import Site

logger = logging.getLogger(__name__)

LENGTH = Struct(">I")
"""Before each message to and from a process that reads pages: its bytes."""
# So many pages wait for each process, so that it never waits for the next.
_AHEAD = 2


@dataclass(frozen=True, slots=True)
class Read:
    """What a page says, and what its list names; ``refusal`` says why it is not the article that was asked for, None if it is."""

    page: Page
    refusal: Refusal | None
    related: tuple[RelatedItem, ...] | None


def read(
    body: bytes, site: Site, article_id: str, address: str | None, charset: str | None
) -> Read:
    """Read the page that answered for an article; ``address`` is where its relative links start, ``charset`` what its header declares."""
    said = page.read(body, site, url=address, charset=charset)
    refusal = normalise.refusal(said, article_id, site)
    return Read(said, refusal, None if refusal else normalise.related_items(said.related, site))


class Readers:
    """Processes that read pages. They end when this process does, however it ends, for their input does then."""

    def __init__(self, processes: int, site: Site) -> None:
        self._readers = [_Reader(site) for _ in range(processes)]
        self._free = asyncio.Semaphore(processes * _AHEAD)

    async def read(
        self, body: bytes, article_id: str, address: str | None, charset: str | None
    ) -> Read | None:
        """Have a page read; None if it cannot be, because a process has died or failed."""
        async with self._free:
            reader = min(self._readers, key=lambda reader: len(reader.waiting), default=None)
            if reader is None:
                return None
            try:
                return await reader.read((body, article_id, address, charset))
            except Exception as error:
                if reader in self._readers:
                    logger.warning(
                        "a process that read pages has ended (%s); the others go on",
                        error or type(error).__name__,
                    )
                    self._readers.remove(reader)
                    reader.close()
                return None

    def close(self) -> None:
        for reader in self._readers:
            reader.close()


class _Reader:
    def __init__(self, site: Site) -> None:
        self._ours, theirs = socket.socketpair()
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        command = [sys.executable, "-m", "crawler.reader", site.name, site.base_url]
        with theirs:
            end = theirs.fileno()
            self._process = subprocess.Popen(
                command, stdin=end, stdout=end, env=environment, start_new_session=True
            )
        self.waiting: deque[asyncio.Future[Read | None]] = deque()
        self._ended: Exception | None = None
        self._opened: asyncio.Task[None] | None = None

    async def read(self, asked: tuple[bytes, str, str | None, str | None]) -> Read | None:
        if self._opened is None:
            self._opened = asyncio.ensure_future(self._open())
        await asyncio.shield(self._opened)
        if self._ended is not None:
            raise self._ended
        answer: asyncio.Future[Read | None] = asyncio.get_running_loop().create_future()
        self.waiting.append(answer)
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
                self.waiting.popleft().set_result(answer)
        except Exception as error:
            # Whatever it was, nobody is to wait for this process any more.
            self._ended = error
            while self.waiting:
                self.waiting.popleft().set_exception(error)

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

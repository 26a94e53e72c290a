"""A process that reads pages for another one: see crawler.crawl.parser_pool.

python -m crawler.crawl.parser_worker SITE ROOT SECONDS

It is ended by SIGALRM when a page takes longer than SECONDS, whatever it does then, and also when
the process that started it is gone.
"""

import pickle
import signal
import sys
import traceback
from contextlib import suppress
from typing import BinaryIO

from crawler.crawl.parser_pool import LENGTH, Read, ReadingError, packed, read
from crawler.extraction import publishers as sites
from crawler.extraction.publishers import Publisher


def serve(publisher: Publisher, seconds: float, asked: BinaryIO, answers: BinaryIO) -> None:
    """Read pages as they are asked for, until nothing is asked any more."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGALRM,))
    while header := asked.read(LENGTH.size):
        message = pickle.loads(asked.read(LENGTH.unpack(header)[0]))
        signal.setitimer(signal.ITIMER_REAL, seconds)
        answer = list(packed(_answer(publisher, *message)))
        signal.setitimer(signal.ITIMER_REAL, 0)
        answers.writelines(answer)
        answers.flush()


def _answer(
    publisher: Publisher, body: bytes, article_id: str, address: str | None, charset: str | None
) -> Read | ReadingError:
    try:
        return read(body, publisher, article_id, address, charset)
    except Exception as error:
        fault = ReadingError(f"{type(error).__name__}: {error}")
        fault.add_note(traceback.format_exc())
        return fault


if __name__ == "__main__":
    publisher = sites.load(sys.argv[1])
    with suppress(BrokenPipeError, ConnectionResetError):
        serve(
            publisher if sys.argv[2] == publisher.base_url else publisher.at(sys.argv[2]),
            float(sys.argv[3]),
            sys.stdin.buffer,
            sys.stdout.buffer,
        )

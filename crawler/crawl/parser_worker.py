"""A worker process that extracts pages for another process (parser_pool.py).

    python -m crawler.crawl.parser_worker CHOICE SECONDS

CHOICE is a ``directory.Choice`` in JSON. SIGALRM ends the worker when a page takes longer than
SECONDS, whatever it is doing at that moment.
The worker also ends when the process that started it is gone.
"""

import json
import pickle
import signal
import sys
import time
import traceback
from contextlib import suppress
from typing import BinaryIO

from crawler.crawl.page_extraction import Extracted, Task, extract_page
from crawler.crawl.parser_messages import LENGTH, READY, Answer, ParserError, packed
from crawler.extraction.directory import Choice, Publishers

# Extracting it loads everything that is loaded on first use, such as the language model. That takes
# as long as many pages, and must not count against the time limit of the first one.
_WARM_UP = Task(
    b"<h1>A headline</h1><p>22 October 2015 17:01</p><p>A sentence of an article, in English.</p>",
    article_id="1",
    url=None,
    charset=None,
)


def serve(publishers: Publishers, seconds: float, tasks: BinaryIO, answers: BinaryIO) -> None:
    """Answer each task, until the input ends."""
    _result(_WARM_UP, publishers)
    answers.write(READY)
    answers.flush()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGALRM,))
    while header := tasks.read(LENGTH.size):
        task: Task = pickle.loads(tasks.read(LENGTH.unpack(header)[0]))
        signal.setitimer(signal.ITIMER_REAL, seconds)
        began = time.monotonic()
        result = _result(task, publishers)
        answer = list(packed(Answer(result, time.monotonic() - began)))
        signal.setitimer(signal.ITIMER_REAL, 0)
        answers.writelines(answer)
        answers.flush()


def _result(task: Task, publishers: Publishers) -> Extracted | ParserError:
    try:
        return extract_page(task, publishers)
    except Exception as error:
        fault = ParserError(f"{type(error).__name__}: {error}")
        fault.add_note(traceback.format_exc())
        return fault


if __name__ == "__main__":
    with suppress(BrokenPipeError, ConnectionResetError):
        serve(
            Publishers(Choice(*json.loads(sys.argv[1]))),
            float(sys.argv[2]),
            sys.stdin.buffer,
            sys.stdout.buffer,
        )

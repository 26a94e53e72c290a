"""A worker process that extracts pages for another process (parser_pool.py).

It can also read articles of an archive (archive_tasks.py). Its standard input and output are the
connection to that process; parser_messages.py describes the messages. SIGALRM ends the worker when
extracting a page takes too long, whatever it is doing at that moment.
It also ends when the other process is gone.
"""

import pickle
import signal
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from crawler.crawl.page_extraction import Extracted, Task, extract_page
from crawler.crawl.parser_messages import LENGTH, READY, Answer, ParserError, Setup, packed
from crawler.extraction.directory import Publishers

# Extracting it loads everything that is loaded on first use. That takes as long as many pages, and
# must not count against the time limit of the first one. As it is in the language that it declares,
# it does not load the language model: 5 MB, which a worker needs only for a page that is not.
_WARM_UP = Task(
    b"<html lang=en><h1>A headline</h1><p>22 October 2015 17:01</p><p>A text in the language that "
    b"it declares has the function words of that language, and is long enough to have several.</p>",
    article_id="1",
    url=None,
    charset=None,
)


NAME = "page-reader"
"""The name of the process in the output of ``ps`` and ``top`` on Linux."""


def run() -> None:
    """Serve the process at the other end of standard input and output, until it is gone."""
    with (
        suppress(BrokenPipeError, ConnectionResetError),
        open(0, "rb") as messages,
        open(1, "wb") as answers,
    ):
        _serve(messages, answers)


def _serve(messages: BinaryIO, answers: BinaryIO) -> None:
    setup: Setup | None = _next(messages)
    if setup is None:
        return
    with suppress(OSError):
        Path("/proc/self/comm").write_text(NAME, encoding="ascii")
    publishers = Publishers(setup.choice)
    do = _tasks(setup, publishers)
    extract_page(_WARM_UP, publishers)
    answers.write(READY)
    answers.flush()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGALRM,))
    while task := _next(messages):
        began = time.monotonic()
        try:
            result = do(task)
        except Exception as error:
            result = ParserError(f"{type(error).__name__}: {error}")
            result.add_note(traceback.format_exc())
        answers.writelines(packed(Answer(result, time.monotonic() - began)))
        answers.flush()


def _next(messages: BinaryIO) -> Any:
    """Return the next message; None at the end."""
    header = messages.read(LENGTH.size)
    return pickle.loads(messages.read(LENGTH.unpack(header)[0])) if header else None


def _tasks(setup: Setup, publishers: Publishers) -> Callable[[Any], Any]:
    """Return the function that does a task."""

    def extract(task: Task) -> Extracted:
        signal.setitimer(signal.ITIMER_REAL, setup.seconds)
        try:
            return extract_page(task, publishers)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    if setup.archive is None:
        return extract
    # Most crawls read no archive.
    from crawler.crawl.archive_tasks import TaskReader

    reader = TaskReader(setup, publishers, extract)
    return lambda task: extract(task) if isinstance(task, Task) else reader.read(task)


if __name__ == "__main__":
    run()

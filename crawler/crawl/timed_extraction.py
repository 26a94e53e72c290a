"""Extracts pages one after the other within a time limit, without an event loop."""

from __future__ import annotations

import pickle
import signal
import subprocess
from typing import TYPE_CHECKING

from crawler.crawl import time_limit
from crawler.crawl.page_extraction import LARGE_BYTES, TooSlowError, extract_page

if TYPE_CHECKING:
    from crawler.crawl.page_extraction import Extracted, Task
    from crawler.extraction.directory import Publishers


class TimedExtractor:
    """Extracts pages, spending at most ``timeout`` seconds on each.

    Large pages go to a process of their own, since they cannot be interrupted in this one.
    """

    def __init__(self, publishers: Publishers, timeout: float) -> None:
        self._publishers = publishers
        self._timeout = timeout

    async def __call__(self, task: Task) -> Extracted:
        """Extract a page, without waiting for an event loop.

        Raises TooSlowError if that takes too long.
        """
        if len(task.body) > LARGE_BYTES or not time_limit.is_possible():
            return self._in_a_process(task)
        try:
            return time_limit.within(self._timeout, lambda: extract_page(task, self._publishers))
        except time_limit.TimeLimitReached:
            raise TooSlowError(self._timeout) from None

    def _in_a_process(self, task: Task) -> Extracted:
        # Most archives have no page that needs it.
        from crawler.crawl.parser_messages import (
            LENGTH,
            READY,
            WORKER_COMMAND,
            Answer,
            ParserError,
            Setup,
            packed,
            worker_environment,
        )

        setup = Setup(self._publishers.choice, self._timeout)
        sent = b"".join((*packed(setup), *packed(task)))
        done = subprocess.run(
            WORKER_COMMAND, input=sent, capture_output=True, env=worker_environment()
        )
        if done.returncode == -signal.SIGALRM:
            raise TooSlowError(self._timeout)
        answer_starts = len(READY) + LENGTH.size
        if done.returncode or len(done.stdout) <= answer_starts:
            raise ParserError(f"exit code {done.returncode}")
        answer: Answer = pickle.loads(done.stdout[answer_starts:])
        if isinstance(answer.result, ParserError):
            raise answer.result
        extracted: Extracted = answer.result
        return extracted

"""The messages between a process and the workers that extract its pages (parser_worker.py)."""

from __future__ import annotations

import json
import os
import pickle
import sys
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.crawl.page_extraction import Extracted
    from crawler.extraction.directory import Publishers

LENGTH = Struct(">I")
"""Precedes each message to and from a worker: its size in bytes."""
READY = LENGTH.pack(0)
"""The first message of a worker, which has loaded everything that reading pages takes."""


class ParserError(Exception):
    """A worker failed to extract a page, because of a bug or because its process ended."""


class Answer(NamedTuple):
    """The answer to a task: its result, and for how many seconds the worker was busy with it."""

    result: Extracted | ParserError
    seconds: float


def packed(message: object) -> Iterator[bytes]:
    """Yield a message as it is sent: its length, then the pickle."""
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    yield LENGTH.pack(len(data))
    yield data


def worker_command(publishers: Publishers, timeout: float) -> tuple[list[str], dict[str, str]]:
    """Return the command line of a worker process (parser_worker.py), and its environment."""
    command = [sys.executable, "-m", "crawler.crawl.parser_worker"]
    command += [json.dumps(publishers.choice), str(timeout)]
    return command, {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

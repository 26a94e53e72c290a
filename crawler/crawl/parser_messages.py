"""The messages between a process and the workers that extract its pages (parser_worker.py)."""

from __future__ import annotations

import os
import pickle
import sys
from dataclasses import fields, is_dataclass
from functools import cache
from io import BytesIO
from operator import attrgetter
from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import MemberDescriptorType

    from crawler.crawl.archived_articles import ArchiveOptions
    from crawler.extraction.directory import Choice

LENGTH = Struct(">I")
"""Precedes each message to and from a worker: its size in bytes."""
READY = LENGTH.pack(0)
"""The first message of a worker, which has loaded everything that reading pages takes."""


WORKER_COMMAND = (sys.executable, "-m", "crawler.crawl.parser_worker")
"""Starts a worker. Its standard input and output are the connection to it."""


def worker_environment() -> dict[str, str]:
    """Return the environment in which a worker finds the modules that this process finds."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


class ParserError(Exception):
    """A worker failed to extract a page, because of a bug or because its process ended."""


class Setup(NamedTuple):
    """The first message to a worker: for which publishers, and how many seconds a page may take.

    With an ``archive``, its tasks may also be articles of that.
    """

    choice: Choice
    seconds: float
    archive: ArchiveOptions | None = None


class Answer(NamedTuple):
    """The answer to a task: its result, and for how many seconds the worker was busy with it.

    The result of a ``Task`` is ``Extracted``, that of an ``ArchivedArticle`` is what ``TaskReader``
    returns. If the worker fails, it is a ParserError.
    """

    result: Any
    seconds: float


def packed(message: object) -> Iterator[bytes]:
    """Yield a message as it is sent: its length, then the pickle."""
    buffer = BytesIO()
    _Pickler(buffer, pickle.HIGHEST_PROTOCOL).dump(message)
    data = buffer.getvalue()
    yield LENGTH.pack(len(data))
    yield data


class _Pickler(pickle.Pickler):
    """Pickles dataclasses with slots as their values, and tuples of them as rows of values.

    Python's own way looks up the fields of the class again for each object. A page has about 90,
    most of them in a few tuples.
    """

    def reducer_override(self, obj: Any) -> Any:
        kind: type = type(obj)
        if not (slots := _slots_of(kind)):
            return NotImplemented
        values: list[object] = []
        kinds_of_rows: dict[int, type] = {}
        for number, slot in enumerate(slots):
            value = slot.__get__(obj)
            if type(value) is tuple and (kind_of_row := _kind_in(value)):
                kinds_of_rows[number] = kind_of_row
                value = list(map(_values_of(kind_of_row), value))
            values.append(value)
        return _made, (kind, values, kinds_of_rows)


def _kind_in(values: tuple[object, ...]) -> type | None:
    """Return the dataclass with slots that all values are of, if there is one."""
    kinds = set(map(type, values))
    kind = kinds.pop() if len(kinds) == 1 else None
    # The values of a single slot would come without a row around them.
    return kind if kind is not None and len(_slots_of(kind)) > 1 else None


@cache
def _slots_of(kind: Any) -> tuple[MemberDescriptorType, ...]:
    """Return the slots of a dataclass in the order of its fields; none of anything else."""
    if kind.__dictoffset__ or not is_dataclass(kind):
        return ()
    return tuple(getattr(kind, field.name) for field in fields(kind))


@cache
def _values_of(kind: Any) -> Callable[[object], tuple[object, ...]]:
    """Return the function that returns the values of a dataclass with several slots."""
    return attrgetter(*(slot.__name__ for slot in _slots_of(kind)))


@cache
def _setters_of(kind: Any) -> tuple[Callable[[object, object], None], ...]:
    return tuple(slot.__set__ for slot in _slots_of(kind))


def _made(kind: Any, values: list[object], kinds_of_rows: dict[int, type]) -> object:
    """Return a dataclass with these values, some of them rows, even if it is frozen."""
    for number, kind_of_row in kinds_of_rows.items():
        rows: Any = values[number]
        values[number] = tuple([_filled(kind_of_row, row) for row in rows])
    return _filled(kind, values)


def _filled(kind: Any, values: Iterable[object]) -> object:
    made: object = object.__new__(kind)
    for put, value in zip(_setters_of(kind), values, strict=True):
        put(made, value)
    return made

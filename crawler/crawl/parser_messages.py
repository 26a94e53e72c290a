"""The messages between a process and the workers that extract its pages (parser_worker.py)."""

from __future__ import annotations

import pickle
from dataclasses import fields, is_dataclass
from functools import cache
from io import BytesIO
from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import MemberDescriptorType

    from crawler.crawl.page_extraction import Extracted
    from crawler.extraction.directory import Choice

LENGTH = Struct(">I")
"""Precedes each message to and from a worker: its size in bytes."""
READY = LENGTH.pack(0)
"""The first message of a worker, which has loaded everything that reading pages takes."""


class ParserError(Exception):
    """A worker failed to extract a page, because of a bug or because its process ended."""


class Setup(NamedTuple):
    """The first message to a worker: for which publishers, and how many seconds a page may take."""

    choice: Choice
    seconds: float


class Answer(NamedTuple):
    """The answer to a task: its result, and for how many seconds the worker was busy with it."""

    result: Extracted | ParserError
    seconds: float


def packed(message: object) -> Iterator[bytes]:
    """Yield a message as it is sent: its length, then the pickle."""
    buffer = BytesIO()
    _Pickler(buffer, pickle.HIGHEST_PROTOCOL).dump(message)
    data = buffer.getvalue()
    yield LENGTH.pack(len(data))
    yield data


class _Pickler(pickle.Pickler):
    """Pickles each dataclass with slots as its values, which are read twice as fast.

    Python's own way looks up the fields of the class again for each object. A page has about 90.
    """

    def reducer_override(self, obj: Any) -> Any:
        kind: Any = type(obj)
        if not (slots := _slots_of(kind)):
            return NotImplemented
        return _made, (kind, *(slot.__get__(obj) for slot in slots))


@cache
def _slots_of(kind: Any) -> tuple[MemberDescriptorType, ...]:
    """Return the slots of a dataclass in the order of its fields; none of anything else."""
    if kind.__dictoffset__ or not is_dataclass(kind):
        return ()
    return tuple(getattr(kind, field.name) for field in fields(kind))


@cache
def _setters_of(kind: Any) -> tuple[Callable[[object, object], None], ...]:
    return tuple(slot.__set__ for slot in _slots_of(kind))


def _made(kind: Any, *values: object) -> object:
    """Return a dataclass with these values, even if it is frozen."""
    made: object = object.__new__(kind)
    for put, value in zip(_setters_of(kind), values, strict=True):
        put(made, value)
    return made

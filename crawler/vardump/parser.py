"""Read text that consists only of dumps, exactly as PHP wrote them: ``parse`` and ``loads``.

Both raise VarDumpError for any other text.
"""

import re
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from crawler.vardump import fast
from crawler.vardump.errors import AmbiguousDumpWarning, VarDumpError
from crawler.vardump.formats import format_of
from crawler.vardump.layouts import PHP
from crawler.vardump.reader import EFFORT, Failure, Reader, has_other_reading
from crawler.vardump.render import render
from crawler.vardump.scan import scan
from crawler.vardump.values import Container, Value, has_names, plain, swallows_dumps

_SPACE = re.compile(rb"[ \t\r\n]*+")
# The end of an outermost container.
_CLOSING = re.compile(rb"^\}$", re.MULTILINE)
_AFTER = re.compile(rb"\n[ \t\r\n]*+|[ \t\r\n]*+\Z")
# The possible ends of a quoted key.
_KEY_ENDS = (b'"]=>\n', b'":protected]=>\n', b'":private]=>\n')
# One unit of effort pays for reading this many bytes again.
_REREAD = 100
# A broken text of up to this many bytes is scanned to find out whether a page changed it.
_LONGEST_EXPLAINED = 1_000_000


def loads(data: bytes | str) -> Any:
    """Return the one value dumped in ``data`` as plain Python (see ``plain``).

    Raises VarDumpError for anything else, including several values. If the text has several
    readings, returns the first and issues an AmbiguousDumpWarning. Python shows that warning only
    once per place in a program; ``parse`` marks every ambiguous value.
    """
    raw = _bytes(data)
    data = data if isinstance(data, str) else raw
    value = fast.read(raw)
    if value is not fast.NOT_PLAIN:
        return value
    nodes = _parse(raw, data)
    if len(nodes) != 1:
        message, expected = (
            ("another value follows the first", "the end of the text")
            if nodes
            else ("no value", "a value")
        )
        raise _error_at(raw, data, len(render(nodes[:1])), message, expected)
    node = nodes[0]
    if isinstance(node, Container) and node.ambiguous:
        warnings.warn(
            "this dump can be read in more than one way; parse() marks it as ambiguous",
            AmbiguousDumpWarning,
            stacklevel=2,
        )
    return plain(node)


def parse(data: bytes | str) -> tuple[Value, ...]:
    """Return the values of a text that contains only dumps and white space between them.

    Raises VarDumpError for any other text.
    """
    raw = _bytes(data)
    return _parse(raw, data if isinstance(data, str) else raw)


class _Placed(NamedTuple):
    start: int
    end: int
    value: Value
    others: Iterator[tuple[int, Value]]
    """Its further readings."""


def _parse(raw: bytes, data: bytes | str) -> tuple[Value, ...]:
    if not raw:
        return ()
    position = start = _match_end(_SPACE, raw)
    placed: list[_Placed] = []
    # Places from which no reading leads to the end of the text.
    dead_ends: set[int] = set()
    source = _Source(raw)
    readings = source.readings(start)
    while True:
        found = _next_reading(raw, readings, dead_ends)
        if found is not None:
            end, following, value = found
            placed.append(
                _Placed(
                    position, end, value, readings if isinstance(value, Container) else iter(())
                )
            )
            if following == len(raw):
                return _mark_ambiguous(raw, start, placed)
            position, readings = following, source.readings(following)
        elif placed:
            dead_ends.add(position)
            position, _, _, readings = placed.pop()
        else:
            raise _error(source, data)


class _Source:
    """The text, the first ``failure`` in reading it, and the ``effort`` left for going back."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.failure: Failure | None = None
        self.effort = EFFORT

    def readings(self, start: int) -> Iterator[tuple[int, Value]]:
        """Yield the readings of the value at ``start``: the one with the shortest keys comes first.

        The others are ordered by their end, the nearest first, so that a dump is read the same way
        whether or not another one follows.
        """
        reader = Reader(self.raw, PHP, effort=0)
        found = reader.readings(start)
        first = next(found, None)
        # A wrong length or a missing part may also mean that PHP did not write this text.
        doubtful = reader.failure is not None and not reader.failure.contradicts
        if first is not None:
            yield first[0], _marked_doubtful(first[1]) if doubtful else first[1]
            if not isinstance(first[1], Container):
                return
            next(found, None)
        else:
            self.failure = self.failure or reader.failure
        if not reader.exhausted:
            return
        for brace in _CLOSING.finditer(self.raw, start):
            if self.effort <= 0:
                return
            self.effort -= 1 + (brace.end() - start) // _REREAD
            last_effort = self.effort
            reader = Reader(self.raw, PHP, effort=last_effort, end=brace.end())
            is_known = first is not None and brace.end() == first[0]
            for end, value in reader.readings(start):
                self.effort, last_effort = (
                    self.effort - (last_effort - reader.effort),
                    reader.effort,
                )
                if end == brace.end() and not is_known:
                    yield end, _marked_doubtful(value) if doubtful else value
                is_known = is_known and end != brace.end()
            self.effort -= last_effort - reader.effort


def _marked_doubtful(value: Value) -> Value:
    """Return ``value``, marked if one of its keys may really be several dumps, the first broken."""
    return (
        replace(value, ambiguous=True)
        if isinstance(value, Container) and swallows_dumps(value)
        else value
    )


def _match_end(pattern: re.Pattern[bytes], raw: bytes, position: int = 0) -> int:
    match = pattern.match(raw, position)
    return match.end() if match else -1


def _next_reading(
    raw: bytes, readings: Iterator[tuple[int, Value]], dead_ends: set[int]
) -> tuple[int, int, Value] | None:
    """Return the next reading that ends at the end of a line or of the text.

    The result is its end, the start of the next value, and the value.
    """
    for end, value in readings:
        following = _match_end(_AFTER, raw, end)
        if following >= 0 and following not in dead_ends:
            return end, following, value
    return None


def _mark_ambiguous(raw: bytes, start: int, placed: list[_Placed]) -> tuple[Value, ...]:
    """Return the values with the white space around them, marked if they are ambiguous."""
    values: list[Value] = []
    last_mark = max(map(raw.rfind, _KEY_ENDS))
    doubtful = False
    for item, following in zip(placed, [*(one.start for one in placed[1:]), len(raw)], strict=True):
        value = item.value
        # A key could also extend into the following values, which would then not be values.
        doubtful = doubtful or (last_mark >= item.end and has_names(value))
        if isinstance(value, Container) and (
            doubtful or has_other_reading(raw, item.start, item.end, value, PHP)
        ):
            value = replace(value, ambiguous=True)
        before, after = raw[:start] if item.start == start else b"", raw[item.end : following]
        values.append(
            value if (before, after) == (b"", b"\n") else replace(value, before=before, after=after)
        )
    return tuple(values)


def _bytes(data: bytes | str) -> bytes:
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    if not isinstance(data, str):
        raise TypeError(f"a dump must be bytes or str, not {type(data).__name__}")
    try:
        return data.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise VarDumpError(
            "a lone surrogate is not a character",
            data,
            error.start,
            "the bytes of the dump, or a str of characters",
        ) from None


def _error(source: _Source, data: bytes | str) -> VarDumpError:
    raw, failure = source.raw, source.failure
    if other := format_of(raw):
        return _error_at(raw, data, 0, f"this is {other}", "the output of var_dump")
    if failure is None:
        # A value was read, but its line does not end there.
        position, _ = next(source.readings(_match_end(_SPACE, raw)))
        return _error_at(
            raw, data, position, "unexpected text after the value", "the end of the line"
        )
    message = failure.message
    if source.effort <= 0:
        message += "; its keys could end in too many places to try them all"
    elif change := _describe_page_change(raw):
        message += f" (this seems to be {change}; scan() reads it)"
    return _error_at(raw, data, failure.position, message, failure.expected)


def _error_at(
    raw: bytes, data: bytes | str, position: int, message: str, expected: str
) -> VarDumpError:
    if isinstance(data, str):
        position = len(raw[:position].decode("utf-8", "surrogateescape"))
    return VarDumpError(message, data, position, expected)


def _describe_page_change(raw: bytes) -> str | None:
    """Describe how a page changed ``raw``, if it is a single dump that was changed as a whole."""
    if len(raw) > _LONGEST_EXPLAINED:
        return None
    dumps = list(scan(raw))
    if (
        len(dumps) != 1
        or not dumps[0].complete
        or raw[: dumps[0].start].strip()
        or raw[dumps[0].end :].strip()
    ):
        return None
    return {
        "escaped": "a dump that was escaped for HTML",
        "xdebug": "a dump by Xdebug",
        "plain": "a dump whose white space or charset was changed",
    }[dumps[0].form]

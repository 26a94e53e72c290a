"""From a page's bytes to the values that were dumped in it.

A dump is read where it stands, without copying what follows and without recursion, so neither a long page
nor a deeply nested dump is a danger. A page may have escaped the dump (``htmlspecialchars``, ``nl2br``); it is
then read a second time with that undone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from crawler.vardump import lengths
from crawler.vardump.escapes import ESCAPE, unescape

Value = None | bool | int | float | str | dict[int | str, "Value"]
Form = Literal["plain", "escaped"]

_BLANK = rb"(?: |&nbsp;|\xc2\xa0)?"
_ARRAY = rb"array\((?P<array>[0-9]{1,18})\)" + _BLANK + rb"\{"
_OBJECT = rb"object\([^()\r\n]{1,200}\)#[0-9]+" + _BLANK + rb"\((?P<object>[0-9]{1,18})\)" + _BLANK + rb"\{"
_START = re.compile(rb"string\([0-9]+\)" + _BLANK + rb'(?:"|&quot;|&#0?34;)|' + _ARRAY + rb"|" + _OBJECT)
_VALUE = re.compile(
    rb"string\((?P<string>[0-9]{1,18})\)" + _BLANK + rb'"|' + _ARRAY + rb"|" + _OBJECT + rb"|int\((?P<int>-?[0-9]{1,20})\)"
    rb"|float\((?P<float>-?(?:[0-9][0-9.,]{0,400}(?:E[+-]?[0-9]{1,3})?|INF|NAN))\)"
    rb"|bool\((?P<bool>true|false)\)"
    rb"|(?P<uninitialized>uninitialized\([^()\r\n]{1,200}\))"
    rb"|(?P<null>NULL|\*RECURSION\*|enum\([^()\r\n]{1,200}\)"
    rb"|resource\([0-9]+\) of type \([^()\r\n]{1,200}\))"
)
_SPACE = rb"(?:[ \t\r\n]|<br ?/?>|&nbsp;|\xc2\xa0)*"
# Keys have no length: the first `"]=>` that can end one does. After `=>` may stand the `&` of a reference.
_KEY = re.compile(
    _SPACE
    + rb'\[(?:"(?P<name>.{0,4096}?)"(?::protected|:private|:"[^"\r\n]{1,200}":private)?|(?P<number>-?[0-9]{1,20}))\]=>'
    + _SPACE
    + rb"&?",
    re.DOTALL,
)
_CLOSE = re.compile(_SPACE + rb"\}")
_REST = re.compile(rb"[^\r\n<]*")
_TAG = re.compile(rb"<(?!br ?/?>)")


# A page with more broken dumps than this is made to be slow; scanning it ends there.
_MOST_BROKEN = 200
# Bytes from its start among which an escaped dump has its first escape.
_FIRST_ESCAPE = 2_000
# Bytes that an escaped dump is looked for in at first, and that must be left behind its end.
_FIRST_PART, _MARGIN = 8_192, 256


class Cut(dict[int | str, Value]):
    """An array or object whose end is missing: it holds what was whole."""


@dataclass(frozen=True, slots=True)
class Dump:
    """One dumped value of a page.

    ``start`` and ``end`` are offsets in the page. ``value`` is plain Python: arrays and objects are dicts in
    their own order, those that were cut off are ``Cut``. ``complete`` is false where the end is missing or a
    declared count or length disagrees with what is there. ``how`` says what told the ends of its strings.
    """

    start: int
    end: int
    value: Value
    complete: bool
    form: Form
    how: str


def scan(page: bytes, encoding: str = "utf-8") -> Iterator[Dump]:
    """Yield every dump of a string, array or object in ``page``, in order. Never raises on any bytes.

    ``encoding`` is the page's own, a text codec of Python's; bytes that it does not know become U+FFFD.
    A page with more than 200 broken dumps is scanned no further.
    """
    position = 0
    # The plain search is far faster than the expression on a page without a dump.
    if b"string(" not in page and b"array(" not in page and b"object(" not in page:
        return
    broken = 0
    while broken < _MOST_BROKEN and (match := _START.search(page, position)):
        dump = _read_at(page, match.start(), encoding)
        if dump is not None:
            yield dump
        if dump is None or not dump.complete:
            # Each may have cost a reading of all that follows.
            broken += 1
        position = max(dump.end if dump else 0, match.end())


def _read_at(page: bytes, start: int, encoding: str) -> Dump | None:
    read = _read(page, start, encoding)
    if read is not None and read.complete:
        return Dump(start, read.end, read.value, True, "plain", read.how)
    again = _read_escaped(page, start, encoding) if ESCAPE.search(page, start, start + _FIRST_ESCAPE) else None
    if again is not None and (read is None or again.complete or again.end > read.end):
        return again
    return read and Dump(start, read.end, read.value, False, "plain", read.how)


def _read_escaped(page: bytes, start: int, encoding: str) -> Dump | None:
    """Read the value at ``start`` with its escapes undone: in a part of the page that grows until the value ends well inside it."""
    tag = _TAG.search(page, start)
    limit = tag.start() if tag else len(page)
    size = _FIRST_PART
    while True:
        end = min(limit, start + size)
        plain = unescape(page, start, end, encoding)
        read = _read(plain.data, 0, encoding)
        if read is None:
            return None
        if end == limit or read.end < len(plain.data) - _MARGIN:
            return Dump(start, plain.offset(read.end), read.value, read.complete, "escaped", read.how)
        size *= 8


class _Read(NamedTuple):
    end: int
    value: Value
    complete: bool
    how: str


class _Open(NamedTuple):
    """An array or object that is being read: its key in what holds it, the declared count, what it has."""

    key: int | str
    declared: int
    entries: dict[int | str, Value]


def _read(data: bytes, position: int, encoding: str) -> _Read | None:
    """Read the value at ``position``; None where none stands there."""
    stack: list[_Open] = []
    complete = True
    how = lengths.EXACT
    key: int | str = 0
    value: Value
    while match := _VALUE.match(data, position):
        position = match.end()
        kind, text = match.lastgroup, match.group(match.lastgroup or 0)
        if kind in ("array", "object"):
            stack.append(_Open(key, int(text), {}))
        elif kind == "string":
            end = lengths.find_end(data, position, int(text), encoding, inner=bool(stack))
            value = data[position : end.position].decode(encoding, "replace")
            position = min(end.position + 1, len(data))
            if end.how != lengths.EXACT:
                how = end.how
            complete = complete and end.agrees
            if end.how == lengths.NOT_FOUND:
                return _Read(end.position, _cut(stack) if stack else value, False, how)
        else:
            value = _scalar(kind, text)
        if kind not in ("array", "object"):
            if not stack:
                return _Read(position, value, complete, how)
            if kind != "uninitialized":
                # PHP does not count it among the declared entries either.
                stack[-1].entries[key] = value
        while close := _CLOSE.match(data, position):
            position = close.end()
            closed = stack.pop()
            complete = complete and closed.declared == len(closed.entries)
            if not stack:
                return _Read(position, closed.entries, complete, how)
            stack[-1].entries[closed.key] = closed.entries
        entry = _KEY.match(data, position)
        if not entry:
            if len(stack) == 1 and not stack[0].entries:
                # "array(3) {" in prose: what opens with no entry is no dump.
                return None
            break
        number = entry["number"]
        key = int(number) if number else entry["name"].decode(encoding, "replace")
        position = entry.end()
    if not stack:
        return None
    # What is left of the value that was cut goes with it: to the end of its line or to the next tag.
    rest = _REST.match(data, position)
    return _Read(rest.end() if rest else position, _cut(stack), False, how)


def _scalar(kind: str | None, text: bytes) -> Value:
    if kind == "int":
        return int(text)
    if kind == "bool":
        return text == b"true"
    if kind == "float":
        # Before PHP 7.1 the locale's decimal comma was printed.
        return float(text.replace(b",", b".")) if text.count(b",") + text.count(b".") < 2 else text.decode()
    return None


def _cut(stack: list[_Open]) -> Cut:
    """Close what is open, innermost first, marking each as cut."""
    inner = Cut(stack[-1].entries)
    for held, holder in zip(reversed(stack), reversed(stack[:-1]), strict=False):
        holder.entries[held.key] = inner
        inner = Cut(holder.entries)
    return inner

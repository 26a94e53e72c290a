"""A fast path for the common case of ``loads``.

One regular expression per level matches a whole entry: key, indentation and value. This module
never raises and never guesses: anything that does not match or add up is left to the reader. If
every ``]=>`` at the end of a line ended a key, there is no other reading (see
``reader.has_other_reading``).
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from crawler.vardump.values import PhpObject

_Match = Callable[[bytes, int], re.Match[bytes] | None]

NOT_PLAIN: Final = object()
"""Returned by ``read`` if the reader must decide."""

_COUNT = rb"([1-9][0-9]{0,17}+|0)"
_VALUE = (
    rb"(?:string\("
    + _COUNT
    + rb"\) \"|int\((-?[0-9]{1,20}+)\)|array\("
    + _COUNT
    + rb"\) \{|(NULL|bool\(true\)|bool\(false\))"
    rb"|float\((-?(?:[0-9]{1,400}+(?:\.[0-9]{1,400}+)?+(?:E[+-]?[0-9]{1,4})?+|INF|NAN))\)"
    rb"|object\(([A-Za-z0-9_\\]{1,200})\)#" + _COUNT + rb" \(" + _COUNT + rb"\) \{)"
)
_NAME, _INDEX, _STRING, _INT, _ARRAY, _CONSTANT, _FLOAT, _CLASS, _ID, _OBJECT, _CLOSE = range(1, 12)
_CONSTANTS = {b"NULL": None, b"bool(true)": True, b"bool(false)": False}
_OUTERMOST = re.compile(rb"()()" + _VALUE).match
# Each level needs its own regular expression. Dumps deeper than this are rare, since indentation
# makes deep dumps long.
_DEEPEST = 100


@lru_cache(maxsize=2 * _DEEPEST)
def _entries(level: int, in_object: bool) -> tuple[_Match, _Match]:
    """Return two matchers for an entry at ``level``, or for the end of its container.

    The first applies after a token, the second after the content of a string.
    """
    indent = b"  " * level
    # A colon in a property's name may mark its visibility in PHP 5.
    quoted = (
        rb"\"([^\":]*+)\"(?::protected|:\"[A-Za-z0-9_\\]{1,200}\":private)?"
        if in_object
        else rb"\"([^\"]*+)\""
    )
    key = rb"\[(?:" + quoted + rb"|(-?[1-9][0-9]{0,19}+|0))\]=>\n"
    entry = indent + key + indent + _VALUE + rb"|" + indent[2:] + rb"(\})"
    return re.compile(rb"\n(?:" + entry + rb")").match, re.compile(
        rb"\"\n(?:" + entry + rb")"
    ).match


def read(data: bytes) -> Any:
    """Return the array or object dumped in ``data``, as ``loads`` does, or NOT_PLAIN."""
    head = _OUTERMOST(data)
    kind = head.lastindex if head else None
    if head is None or kind not in (_ARRAY, _OBJECT):
        return NOT_PLAIN
    names: dict[bytes, Any] = {}
    cached_key = names.get
    holders: list[tuple[Any, ...]] = []
    # The container being read: declared count; class and number, if it is an object; entries.
    count = keys = int(head[kind])
    shell = (head[_CLASS].decode(), int(head[_ID])) if kind == _OBJECT else None
    entries: Any = [] if shell is None else {}
    listing = shell is None
    level = 1
    after_token, after_string = _entries(level, not listing)
    match = after_token
    position = head.end()
    key: Any
    value: Any
    while entry := match(data, position):
        kind = entry.lastindex
        position = entry.end()
        match = after_token
        if kind == _CLOSE:
            if len(entries) != count:
                return NOT_PLAIN
            value = entries if shell is None else PhpObject(*shell, entries)
            if not holders:
                return value if _is_whole(data, position, keys) else NOT_PLAIN
            entries, listing, key, count, shell, after_token, after_string = holders.pop()
            match = after_token
            level -= 1
        else:
            name = entry[_NAME]
            if name is None:
                key = int(entry[_INDEX])
                if listing and key != len(entries):
                    entries, listing = dict(enumerate(entries)), False
            else:
                if listing:
                    entries, listing = dict(enumerate(entries)), False
                key = cached_key(name)
                if key is None:
                    try:
                        key = name.decode()
                    except UnicodeDecodeError:
                        key = name
                    names[name] = key
            if kind == _STRING:
                end = position + int(entry[_STRING])
                content = data[position:end]
                try:
                    value = content.decode()
                except UnicodeDecodeError:
                    value = content
                position = end
                match = after_string
            elif kind == _INT:
                value = int(entry[_INT])
            elif kind in (_ARRAY, _OBJECT):
                if level == _DEEPEST:
                    return NOT_PLAIN
                holders.append((entries, listing, key, count, shell, after_token, after_string))
                count = int(entry[kind])
                keys += count
                listing = kind == _ARRAY
                if listing:
                    shell, entries = None, []
                else:
                    shell, entries = (entry[_CLASS].decode(), int(entry[_ID])), {}
                level += 1
                after_token, after_string = _entries(level, not listing)
                match = after_token
                continue
            elif kind == _FLOAT:
                value = float(entry[_FLOAT])
            else:
                value = _CONSTANTS[entry[_CONSTANT]]
        if listing:
            entries.append(value)
        else:
            entries[key] = value
    return NOT_PLAIN


def _is_whole(data: bytes, end: int, keys: int) -> bool:
    """Return whether nothing follows ``end`` and no other key could have been read."""
    return not data[end:].strip(b" \t\r\n") and data.count(b"]=>\n") == keys

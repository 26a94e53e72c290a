"""The common case of ``loads``, fast.

One expression a level matches a whole entry: key, indentation and value. What it does not match, or what does not add up, is
left to the reader: this one never raises and never guesses. That every ``]=>`` at the end of a line ended a key is what says that
there is no other reading (see ``reader.has_other_reading``).
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from crawler.vardump.values import PhpObject

_Match = Callable[[bytes, int], re.Match[bytes] | None]

NOT_PLAIN: Final = object()
"""What ``read`` returns where the reader must decide."""

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
# Indentation makes deep dumps long; those deeper than this are rare, and each level costs an expression.
_DEEPEST = 100


@lru_cache(maxsize=2 * _DEEPEST)
def _entries(level: int, in_object: bool) -> tuple[_Match, _Match]:
    """Matchers of an entry, or of the end of what holds it, at ``level``: after a token, and after the content of a string."""
    indent = b"  " * level
    # A colon in a property's name may be a visibility of PHP 5.
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
    """Return the array or object that ``data`` is a dump of, as ``loads`` does, or NOT_PLAIN."""
    head = _OUTERMOST(data)
    kind = head.lastindex if head else None
    if head is None or kind not in (_ARRAY, _OBJECT):
        return NOT_PLAIN
    names: dict[bytes, Any] = {}
    known = names.get
    holders: list[tuple[Any, ...]] = []
    # What is being read: its declared count, its class and number if it is an object, its entries.
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
                key = known(name)
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
    """Whether nothing follows, and the keys that were read are all that could be."""
    return not data[end:].strip(b" \t\r\n") and data.count(b"]=>\n") == keys

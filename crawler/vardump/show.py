"""Present values as a readable tree or JSON, and errors as the line where a dump is broken."""

import base64
from collections.abc import Iterator
from typing import Any

from crawler.vardump.errors import VarDumpError
from crawler.vardump.lengths import EXACT
from crawler.vardump.render import head_of
from crawler.vardump.values import (
    Array,
    Container,
    Cut,
    Key,
    Object,
    PhpEnum,
    PhpObject,
    PhpRecursion,
    PhpResource,
    PhpUninitialized,
    PhpUnknown,
    String,
    Value,
    decoded,
    walk,
)

# Characters of a long line shown before and after the position of an error.
_CHARACTERS_BEFORE, _CHARACTERS_AFTER = 60, 40
_LONGEST_STRING = 200


def tree(value: Value, encoding: str = "utf-8") -> Iterator[str]:
    """Yield the lines of ``value`` as an indented tree, with everything its node keeps."""
    yield _line(value, encoding)
    for level, entry in walk(value):
        if entry is not None:
            yield (
                "  " * (level + 1) + f"{_key(entry.key, encoding)}: {_line(entry.value, encoding)}"
            )


def _key(key: Key, encoding: str) -> str:
    if key.kind == "index":
        return key.content.decode()
    name = _quoted(key.content, encoding)
    if key.kind in ("protected", "private"):
        name += f" {key.kind}" + (
            f" of {_printable(key.declaring_class)}" if key.declaring_class else ""
        )
    return name


def _line(value: Value, encoding: str) -> str:
    reference = "&" if value.reference else ""
    if isinstance(value, String):
        length = f"{value.declared} bytes"
        if value.declared != len(value.content):
            length += f" declared, {len(value.content)} here"
        if value.how != EXACT:
            length += f"; its end was found by {value.how}"
        return f"{reference}{_quoted(value.content, encoding)} ({length})"
    if not isinstance(value, Container):
        return _printable(decoded(head_of(value)))
    line = f"array of {value.declared}" if isinstance(value, Array) else ""
    if isinstance(value, Object):
        lazy = f"lazy {value.lazy} " if value.lazy else ""
        number = "" if value.id is None else f" #{value.id}"
        line = f"{lazy}{_printable(value.class_name)}{number}, object of {value.declared}"
    marks = [mark for mark, is_so in (("cut", value.cut), ("ambiguous", value.ambiguous)) if is_so]
    return reference + line + (f" ({', '.join(marks)})" if marks else "")


def _quoted(content: bytes, encoding: str) -> str:
    text = content.decode(encoding, "backslashreplace")
    if len(text) > _LONGEST_STRING:
        text = text[:_LONGEST_STRING] + "…"
    return f'"{_printable(text)}"'


def _printable(text: str) -> str:
    """Return ``text`` with unprintable characters escaped, to protect the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def jsonable(value: Any) -> Any:
    """Return a plain value (see ``plain``) in a form that JSON can represent.

    Arrays become lists or objects. Values unknown to JSON become objects with a distinctive key:
    ``{"class": …, "id": …, "properties": {…}}``, ``enum``, ``resource``, ``recursion``,
    ``uninitialized``, ``unknown``, ``base64`` for bytes that are not text, ``float`` for INF and
    NAN, ``{"cut": …}`` around a truncated value, and ``entries``, a list of key-value pairs, if two
    keys would be the same in JSON. Raises RecursionError if a value is nested deeper than Python's
    stack.
    """
    if isinstance(value, Cut):
        return {"cut": _uncut(value)}
    return _uncut(value)


def _uncut(value: Any) -> Any:
    match value:
        case PhpObject():
            return {
                "class": _printable(value.class_name),
                "id": value.id,
                "properties": _members(value.properties),
            }
        case PhpEnum():
            return {"enum": _printable(f"{value.class_name}::{value.case}")}
        case PhpResource():
            return {"resource": value.id, "type": _printable(value.type)}
        case PhpRecursion():
            return {"recursion": True}
        case PhpUninitialized():
            return {"uninitialized": _printable(value.type)}
        case PhpUnknown():
            return {"unknown": True}
        case bytes():
            return {"base64": base64.b64encode(value).decode()}
        case float() if value - value != 0:
            return {"float": "NAN" if value != value else "INF" if value > 0 else "-INF"}
        case str():
            return str(value)
        case list():
            return [jsonable(entry) for entry in value]
        case dict():
            return _members(value)
    return value


def _members(entries: dict[Any, Any]) -> dict[str, Any]:
    names = [
        key.decode("utf-8", "backslashreplace") if isinstance(key, bytes) else str(key)
        for key in entries
    ]
    values = map(jsonable, entries.values())
    if len(set(names)) < len(names):
        # 5 and "5" are different keys, but not in JSON.
        return {
            "entries": [list(pair) for pair in zip(map(jsonable, entries), values, strict=True)]
        }
    return dict(zip(names, values, strict=True))


def place(error: VarDumpError, encoding: str = "utf-8") -> str:
    """Return the line of the document with ``error``, and a caret below its position."""
    document = (
        error.document.encode("utf-8", "surrogateescape")
        if isinstance(error.document, str)
        else error.document
    )
    position = error.position
    if isinstance(error.document, str):
        position = len(error.document[:position].encode("utf-8", "surrogateescape"))
    start = document.rfind(b"\n", 0, position) + 1
    end = document.find(b"\n", position)
    before = _printable(
        document[max(start, position - 4 * _CHARACTERS_BEFORE) : position].decode(
            encoding, "replace"
        )
    )[-_CHARACTERS_BEFORE:]
    after = _printable(
        document[position : len(document) if end < 0 else end][: 4 * _CHARACTERS_AFTER].decode(
            encoding, "replace"
        )
    )[:_CHARACTERS_AFTER]
    return f"{before}{after}\n{' ' * len(before)}^"

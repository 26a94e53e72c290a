"""Read the JSON values in a page's scripts, from which its programs build the visible page.

Takes the root of a page's tree; yields each value with its place. A value is the text of a script
of a JSON type, a value that a program assigns or passes on (``window.STATE = {...}``,
``start({...})``, ``JSON.parse("...")``), or the stream of React Server Components
(``__next_f.push([1, "..."])``).
Object literals of JavaScript are read as well if their values are constants. Scripts that are
damaged or too long are left out, and nothing raises.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import unquote

from lxml.etree import _Element

from crawler.extraction.page import json_ld

# Characters. A shorter value holds no article, and a longer script is not read.
_SHORTEST, _LONGEST = 300, 4_000_000
_MOST_CHARACTERS = 8_000_000
# Longer programs are not repaired.
_LONGEST_REPAIR = 1_000_000
_PROGRAM = re.compile(r"|module|(?:text|application)/(?:x-)?(?:java|ecma)script[^/]*", re.I)
_JSON = re.compile(r"[\w.+/-]*json\b", re.I)
# An assignment or a call, and the beginning of a value of JSON after it.
_START = re.compile(r"(?:(?<![=!<>])=|\(|\breturn\b)\s{0,20}(?=\"|\{\s{0,20}\"|\[\s{0,20}[\"{\[])")
_ASSIGNED = re.compile(r"([\w$.]{1,60})(?:[\"']\])?\s{0,5}=\s{0,5}(?:[\w$.]{1,40}\(){0,2}$")
_BEFORE = 200
# The decoder's error counts the lines of the whole script.
_MOST_FAILURES = 500
# A string in which the opening of an object is escaped as in an address.
_QUOTED_OPENING = re.compile(r"%(?:7B|5B)", re.I)
_SCRIPT_NAME = re.compile(r"[\w.:-]{1,60}")
_DECODER = json.JSONDecoder(strict=False)
# The pieces of an object literal that JSON has not. A string or a comment without an end goes on to
# the end of the script, so that no character is looked at twice.
_PIECES = re.compile(
    r"""
    (?P<string> (?:"(?:[^"\\]|\\.)*+ | '(?:[^'\\]|\\.)*+ | `(?:[^`\\]|\\.)*+)(?:["'`]|\\?\Z) )
    | (?P<comment> /\*(?:[^*]|\*(?!/))*+(?:\*/|\Z) | //[^\n]*+ )
    | new\s{1,5}Date\(\s{0,5} (?P<date> "[^"\\]{0,60}" | [0-9]{1,15} ) \s{0,5}\)
    | (?P<key> (?<![\w$.]) [A-Za-z_$][\w$]*+ (?=\s{0,20}:) )
    | (?P<name> (?<![\w$.]) [A-Za-z_$][\w$.]*+ (?:\s{1,5}0)? (?=\s{0,20}[,}\]]) )
    | (?P<boolean> ![01] )
    | (?P<comma> ,(?=\s{0,50}[}\]]) )
    """,
    re.DOTALL | re.VERBOSE,
)
_CONSTANTS = frozenset(("true", "false", "null", "NaN", "Infinity"))
_ESCAPE_OR_QUOTE = re.compile(
    r'\\(?:(?P<json>["\\/bfnrt]|u[0-9a-fA-F]{4})|x(?P<hex>[0-9a-fA-F]{2})|(?P<other>.))|"',
    re.DOTALL,
)
_STREAMED = re.compile(r"__next_f\.push\(\[1,\s{0,5}(?=\")")
# A row of the stream: its number, and the number of bytes if it is a text.
_ROW = re.compile(rb"([0-9a-f]{1,8}):(?:T([0-9a-f]{1,8}),)?")


class ScriptValue(NamedTuple):
    """A JSON value, and the place where it stands, such as ``JSON in script#__NEXT_DATA__``."""

    value: Any
    where: str


def may_be_in(root: _Element) -> bool:
    """Return whether a page has a script that may hold an article; most short pages have none."""
    texts = (script.text or "" for script in root.iter("script"))
    return any(len(text) >= _SHORTEST or "__next_f" in text for text in texts)


def read(root: _Element, words: frozenset[str]) -> Iterator[ScriptValue]:
    """Yield the values in the scripts of a page that have one of the words.

    Without words, those in all scripts are yielded.
    """
    stream: list[str] = []
    left = _MOST_CHARACTERS
    for script in root.iter("script"):
        text = script.text
        if not text or len(text) > min(left, _LONGEST):
            continue
        kind = (script.get("type") or "").strip().lower()
        is_program = _PROGRAM.fullmatch(kind) is not None
        if is_program and "__next_f" in text:
            left -= len(text)
            stream += _strings_of_stream(text)
        elif len(text) >= _SHORTEST and (not words or any(word in text for word in words)):
            if is_program:
                left -= len(text)
                yield from _values_of_program(text)
            elif _JSON.fullmatch(kind) and "ld+json" not in kind:
                left -= len(text)
                name = _SCRIPT_NAME.fullmatch(script.get("id") or "")
                where = f"JSON in script#{name[0]}" if name else "JSON in a script"
                for value in json_ld.parse(text):
                    yield ScriptValue(_unflattened(value), where)
    if stream:
        yield ScriptValue(_rows("".join(stream)), "JSON in a React stream")


def embedded(text: str) -> Any:
    """Return the object or list that a string holds as JSON, or None."""
    if len(text) < _SHORTEST:
        return None
    if _QUOTED_OPENING.match(text):
        text = unquote(text)
    if text[0] not in "{[":
        return None
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        return None


def _values_of_program(text: str) -> list[ScriptValue]:
    found = _decoded(text)
    if not found and len(text) <= _LONGEST_REPAIR:
        found = _decoded(_PIECES.sub(_as_json, text))
    return found


def _decoded(text: str) -> list[ScriptValue]:
    """Return the objects, lists and strings of JSON that a program assigns or passes on."""
    found: list[ScriptValue] = []
    position = failures = 0
    while failures < _MOST_FAILURES and (start := _START.search(text, position)):
        try:
            value, position = _DECODER.raw_decode(text, start.end())
        except json.JSONDecodeError as error:
            # The text before the error is not read again, so that reading stays linear.
            position = max(error.pos, start.end() + 1)
            failures += 1
            continue
        except (ValueError, RecursionError):
            break
        if position - start.end() < _SHORTEST:
            continue
        if isinstance(value, str):
            value = embedded(value)
        if value is not None:
            found.append(ScriptValue(value, _place(text, start.end())))
    return found


def _place(text: str, position: int) -> str:
    assigned = _ASSIGNED.search(text[max(0, position - _BEFORE) : position])
    return f"JSON in {assigned[1].strip('.')}" if assigned else "JSON in a script"


def _as_json(piece: re.Match[str]) -> str:
    """Return a piece of an object literal as JSON; a name that is not a constant becomes null."""
    text = piece[0]
    kind = piece.lastgroup
    if kind == "string":
        return f'"{_ESCAPE_OR_QUOTE.sub(_escaped, text[1:-1])}"'
    if kind == "date":
        return piece["date"]
    if kind == "key":
        return f'"{text}"'
    if kind == "name" and text in _CONSTANTS:
        return text
    if kind == "boolean":
        return "true" if text == "!0" else "false"
    return "" if kind in ("comment", "comma") else "null"


def _escaped(match: re.Match[str]) -> str:
    if match["hex"]:
        return f"\\u00{match['hex']}"
    if match["other"]:
        # A line that goes on below.
        return "" if match["other"] == "\n" else match["other"]
    return match[0] if match["json"] else '\\"'


def _unflattened(value: Any) -> Any:
    """Return a value that Nuxt wrote as a flat list in which numbers stand for other entries.

    Other values are returned as they are. The first entry is the root; entries may hold each other.
    Marks such as ``["Reactive", 1]`` stand for the entry or the text that they name.
    """
    if not isinstance(value, list) or not any(isinstance(entry, str) for entry in value):
        return value
    if not _is_index(value[0], len(value)):
        return value
    entries: list[Any] = [
        {} if isinstance(entry, dict) else [] if isinstance(entry, list) else entry
        for entry in value
    ]

    def entry_at(index: Any) -> Any:
        if type(index) is not int or not 0 <= index < len(value):
            return None
        if not _is_mark(value[index]):
            return entries[index]
        target = value[index][1]
        is_place = type(target) is int and 0 <= target < len(value)
        return entries[target] if is_place else target if isinstance(target, str) else None

    for entry, filled in zip(value, entries, strict=True):
        if isinstance(entry, dict):
            filled.update((name, entry_at(index)) for name, index in entry.items())
        elif isinstance(entry, list) and not _is_mark(entry):
            filled.extend(map(entry_at, entry))
    return entry_at(0)


def _is_index(entry: Any, size: int) -> bool:
    """Return whether an entry of a list names only other entries of it."""
    names = entry[1:] if _is_mark(entry) else entry.values() if isinstance(entry, dict) else ()
    return len(names) > 0 and all(type(index) is int and index < size for index in names)


def _is_mark(entry: Any) -> bool:
    return isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str)


def _strings_of_stream(text: str) -> Iterator[str]:
    failures = 0
    for start in _STREAMED.finditer(text):
        try:
            value, _ = _DECODER.raw_decode(text, start.end())
        except (ValueError, RecursionError):
            failures += 1
            if failures == _MOST_FAILURES:
                break
            continue
        if isinstance(value, str):
            yield value


def _rows(stream: str) -> dict[str, Any]:
    """Return the rows of a React stream, each under the name by which others refer to it: "$1f".

    A row is a line of JSON, or a text of a stated length.
    """
    data = stream.encode("utf-8", "surrogatepass")
    rows: dict[str, Any] = {}
    position = 0
    while position < len(data):
        row = _ROW.match(data, position)
        start = row.end() if row else position
        if row and row[2]:
            position = start + int(row[2], 16)
        else:
            position = data.find(b"\n", start) + 1 or len(data)
        if row is None:
            continue
        text = data[start:position].decode("utf-8", "replace")
        name = f"${row[1].decode()}"
        if row[2]:
            rows[name] = text
        elif text[:1] in ("{", "[", '"'):
            with suppress(ValueError, RecursionError):
                rows[name] = _DECODER.decode(text)
    return rows

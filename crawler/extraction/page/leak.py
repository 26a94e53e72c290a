"""The related items in a dump that the publisher left in the page.

A dump lists related items when it holds a list of objects with the keys of the seed page's leak: ``id``, ``title``
and at least one of ``pic``, ``sort`` and ``contenttypeid``, either as PHP values or as JSON in a string. Of a list
that was cut, or whose JSON is broken, every whole item is kept and the list is said to be incomplete.
"""

import html
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from crawler import vardump
from crawler.extraction.page.text import collapse, without_surrogates

_MARKS_OF_AN_ITEM = frozenset({"pic", "sort", "contenttypeid"})
_DECODER = json.JSONDecoder(strict=False)
_LIST_START = re.compile(r"\[\s*(?=\{)")
_BETWEEN_ITEMS = re.compile(r"\s*(?:(?P<more>,)|(?P<end>\]))\s*")
# Hand-made JSON, as the seed's ", {" tells it is, leaves quotes inside titles unescaped. An item then ends at the
# first `"}` before another item or the end, a value at the first quote before another key or the end.
_ITEM_END = re.compile(r'"\s*\}(?=\s*(?:,\s*\{\s*"|\]))')
_UNESCAPED = re.compile(
    r'"(?P<key>\w{1,40})"\s*:\s*(?:"(?P<text>.*?)"(?=\s*,\s*"\w{1,40}"\s*:|\s*\}$)|(?P<bare>null|true|false|-?\d+))',
    re.DOTALL,
)
_AMBIGUOUS = (
    "the dump can be read in another way too, for its keys carry no length; this is the first"
)
_DEEPEST = 6
_LONGEST_ITEM = 16_384


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry of a related list, as the page gives it; what it does not give is None."""

    id: str | None
    title: str | None
    picture: str | None = None
    sort: str | None = None
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class Related:
    """A page's related list in its order. ``note`` says what had to be supposed to read it, if anything."""

    items: tuple[Listed, ...]
    complete: bool
    where: str
    note: str | None = None


def read(dumps: Iterable[vardump.Dump]) -> Related | None:
    """Return the related list of the first dump that has a complete one, else of the first that has any."""
    found = [related for dump in dumps if (related := _read_dump(dump)) is not None]
    filled = [related for related in found if related.items] or found
    return next((related for related in filled if related.complete), filled[0] if filled else None)


def _read_dump(dump: vardump.Dump) -> Related | None:
    note = None if dump.how == vardump.EXACT else f"a dumped string ends at {dump.how}"
    if dump.ambiguous and not isinstance(dump.node, vardump.String):
        note = f"{note}; {_AMBIGUOUS}" if note else _AMBIGUOUS
    if isinstance(dump.node, vardump.String):
        where = "var_dump of a JSON string"
        read = _read_json(dump.node.content.decode(dump.encoding, "replace"))
        if read is None:
            return None
        entries, complete, repaired = read
        if repaired:
            note = "quotes that its JSON left unescaped are part of a title" + (
                f"; {note}" if note else ""
            )
    else:
        where = "var_dump of an array"
        holder = _find_list(vardump.plain(dump.node, dump.encoding, replace=True))
        if holder is None:
            return None
        entries = [entry for entry in holder if not isinstance(entry, vardump.Cut)]
        complete = dump.complete
    if dump.form != "plain":
        where += {"escaped": ", entity-escaped", "xdebug": " by Xdebug"}[dump.form]
    return Related(tuple(_listed(_fields(entry)) for entry in entries), complete, where, note)


def _read_json(text: str) -> tuple[list[Any], bool, bool] | None:
    """Return the items, whether all of them are there, and whether unescaped quotes had to be supposed."""
    try:
        value, _ = _DECODER.raw_decode(text.lstrip())
    except (ValueError, RecursionError):
        return _read_broken_json(text)
    found = _find_list(value)
    return None if found is None else (found, True, False)


def _read_broken_json(text: str) -> tuple[list[Any], bool, bool] | None:
    entries: list[Any] = []
    repaired = False
    start = _LIST_START.search(text)
    position = start.end() if start else len(text)
    while position < len(text):
        try:
            # A slice: the decoder counts all lines before an error, and reads on to the end of a broken text.
            entry, length = _DECODER.raw_decode(text[position : position + _LONGEST_ITEM])
            position += length
        except (ValueError, RecursionError):
            end = _ITEM_END.search(text, position)
            if end is None:
                break
            entry = _repair(text[position : end.end()])
            if entry is None:
                break
            position = end.end()
            repaired = True
        entries.append(entry)
        between = _BETWEEN_ITEMS.match(text, position)
        if between is None:
            break
        if between["end"]:
            return (entries, True, repaired) if _are_items(entries) else None
        position = between.end()
    return (entries, False, repaired) if _are_items(entries) else None


def _repair(item: str) -> dict[str, str | None] | None:
    """Read one flat object whose texts may hold bare quotes; None if it has not the keys of an item."""
    fields = {
        m["key"]: m["text"] if m["bare"] is None else _bare(m["bare"])
        for m in _UNESCAPED.finditer(item)
    }
    return fields if _is_item(fields) else None


def _bare(text: str) -> str | None:
    return None if text == "null" else text


def _find_list(value: Any, depth: int = 0) -> list[Any] | None:
    """Find the list of items in a value, at its top or under its keys."""
    value = _fields(value)
    if depth > _DEEPEST or not isinstance(value, (list, dict)):
        return None
    if isinstance(value, list):
        entries = value
    else:
        entries = list(value.values()) if all(isinstance(key, int) for key in value) else []
    if (not value and depth == 0) or _are_items(entries):
        return entries
    if isinstance(value, dict) and value.get("related") in ([], {}):
        return []
    inner = value if isinstance(value, list) else list(value.values())
    return next(
        (found for part in inner if (found := _find_list(part, depth + 1)) is not None), None
    )


def _are_items(entries: list[Any]) -> bool:
    """Whether these are related items: all objects, most of them with the keys of one."""
    objects = [fields for entry in entries if isinstance(fields := _fields(entry), dict)]
    return (
        bool(entries)
        and len(objects) == len(entries)
        and 2 * sum(map(_is_item, objects)) > len(objects) - 1
    )


def _is_item(entry: dict[Any, Any]) -> bool:
    return "id" in entry and "title" in entry and not _MARKS_OF_AN_ITEM.isdisjoint(entry)


def _fields(value: Any) -> Any:
    """The properties of an object; any other value as it is."""
    return value.properties if isinstance(value, vardump.PhpObject) else value


def _listed(entry: dict[Any, Any]) -> Listed:
    return Listed(
        id=_text(entry.get("id")),
        title=_text(entry.get("title")),
        picture=_text(entry.get("pic")),
        sort=_text(entry.get("sort")),
        content_type=_text(entry.get("contenttypeid")),
    )


def _text(value: Any) -> str | None:
    """A dumped scalar as text; None for an empty or missing one and for what is no scalar."""
    if isinstance(value, str):
        # Most begin with a letter or a digit, and say something.
        if value[:1].isalnum() or collapse(html.unescape(value)):
            return without_surrogates(value)
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None

"""Read the related items from a PHP dump that the publisher left in the page.

A dump holds related items if it contains a list of objects with the keys of the seed page's leak:
``id``, ``title`` and at least one of ``pic``, ``sort`` and ``contenttypeid``, either as PHP values
or as JSON in a string. If the list is truncated or its JSON is broken, every item whose id is whole
is kept, with its whole fields, and the list is marked incomplete.
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
_KEYS_OF_AN_ITEM = _MARKS_OF_AN_ITEM | {"id", "title"}
_DECODER = json.JSONDecoder(strict=False)
_LIST_START = re.compile(r"\[\s*(?=\{)")
_BETWEEN_ITEMS = re.compile(r"\s*(?:(?P<more>,)|(?P<end>\]))\s*")
# Hand-made JSON (the seed page's has ", {" between items) leaves quotes in titles unescaped. An
# item then ends at the first `"}` before another item or the end, and a value at the first quote
# before another key or the end.
_ITEM_END = re.compile(r'"\s*\}(?=\s*(?:,\s*\{\s*"|\]|(?:,\s*\{?\s*)?\Z))')
_UNESCAPED = re.compile(
    r'"(?P<key>\w{1,40})"\s*:\s*'
    r'(?:"(?P<text>.*?)"(?=\s*,\s*"\w{1,40}"\s*:|\s*\}$)|(?P<bare>null|true|false|-?\d+))',
    re.DOTALL,
)
# The fields of an item that was cut: a value is whole if another key follows it, or if it has no
# space or quote and at most the beginning of another key follows it.
_WHOLE_FIELD = re.compile(
    r'"(?P<key>\w{1,40})"\s*:\s*(?:"(?P<text>.*?)"(?=\s*,\s*"\w{1,40}"\s*:)'
    r'|"(?P<token>[^\s"]*)"(?=\s*(?:,\s*(?:"\w{0,40})?)?\Z)'
    r"|(?P<bare>null|true|false|-?\d+)(?=\s*,))",
    re.DOTALL,
)
_CUT_FIELD = re.compile(r'[\s,]*"(?P<key>\w{0,40})(?P<whole>")?')
_AMBIGUOUS_NOTE = (
    "the dump can be read in another way too, for its keys carry no length; this is the first"
)
_DEEPEST = 6
_LONGEST_ITEM = 16_384


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry of a related list, as written in the page; missing values are None.

    Entries of a list of links have a ``url``, made absolute, and the id that it gives.
    """

    id: str | None
    title: str | None
    picture: str | None = None
    sort: str | None = None
    content_type: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Related:
    """A page's related list, in page order. ``note`` describes any assumption made to read it."""

    items: tuple[Listed, ...]
    complete: bool
    where: str
    note: str | None = None

    @property
    def has_urls(self) -> bool:
        """Whether it is a list of links, whose entries have URLs."""
        return bool(self.items) and self.items[0].url is not None


def read(dumps: Iterable[vardump.Dump]) -> Related | None:
    """Return the first complete related list among the dumps, else the first of any kind."""
    found = [related for dump in dumps if (related := _read_dump(dump)) is not None]
    filled = [related for related in found if related.items] or found
    return next((related for related in filled if related.complete), filled[0] if filled else None)


def _read_dump(dump: vardump.Dump) -> Related | None:
    note = None if dump.how == vardump.EXACT else f"a dumped string ends at {dump.how}"
    if dump.ambiguous and not isinstance(dump.node, vardump.String):
        note = f"{note}; {_AMBIGUOUS_NOTE}" if note else _AMBIGUOUS_NOTE
    if isinstance(dump.node, vardump.String):
        where = "var_dump of a JSON string"
        result = _read_json(dump.node.content.decode(dump.encoding, "replace"))
        if result is None:
            return None
        entries, complete, repaired = result
        if repaired:
            note = "quotes that its JSON left unescaped are part of a title" + (
                f"; {note}" if note else ""
            )
    else:
        where = "var_dump of an array"
        holder = _find_list(vardump.plain(dump.node, dump.encoding, replace=True))
        if holder is None:
            return None
        entries = [kept for entry in holder if (kept := _whole_part(entry)) is not None]
        complete = dump.complete
    if dump.form != "plain":
        where += {"escaped": ", entity-escaped", "xdebug": " by Xdebug"}[dump.form]
    return Related(tuple(_listed_entry(_fields(entry)) for entry in entries), complete, where, note)


def _read_json(text: str) -> tuple[list[Any], bool, bool] | None:
    """Return the items, whether the list is complete, and whether unescaped quotes were assumed."""
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
            # A slice, because the decoder counts every line before an error and reads a broken
            # text to its end.
            entry, length = _DECODER.raw_decode(text[position : position + _LONGEST_ITEM])
            position += length
        except (ValueError, RecursionError):
            end = _ITEM_END.search(text, position)
            if end is None:
                if cut := _cut_item(text[position : position + _LONGEST_ITEM]):
                    entries.append(cut)
                break
            entry = _repair(text[position : end.end()])
            if entry is None:
                break
            position = end.end()
            repaired = True
        entries.append(entry)
        separator = _BETWEEN_ITEMS.match(text, position)
        if separator is None:
            break
        if separator["end"]:
            return (entries, True, repaired) if _are_items(entries) else None
        position = separator.end()
    return (entries, False, repaired) if _are_items(entries) else None


def _repair(item: str) -> dict[str, str | None] | None:
    """Read one flat object whose strings may hold bare quotes; None if it lacks an item's keys."""
    fields = {
        m["key"]: m["text"] if m["bare"] is None else _bare_value(m["bare"])
        for m in _UNESCAPED.finditer(item)
    }
    return fields if _is_item(fields) else None


def _cut_item(text: str) -> vardump.CutDict | None:
    """Read the whole fields of an object that was cut; None if its id is not among them."""
    if not text.startswith("{"):
        return None
    fields: dict[str, str | None] = {}
    position = 1
    for found in _WHOLE_FIELD.finditer(text):
        if text[position : found.start()].strip(" \t\r\n,"):
            break
        if found["token"] is not None and found["key"] == "title":
            # A quote in a title may look like its end.
            break
        fields[found["key"]] = (
            _bare_value(found["bare"])
            if found["bare"]
            else _unescaped(found["text"] or found["token"])
        )
        position = found.end()
    cut = _CUT_FIELD.match(text, position)
    if cut and not any(
        name == cut["key"] or (not cut["whole"] and name.startswith(cut["key"]))
        for name in _KEYS_OF_AN_ITEM
    ):
        return None
    item = vardump.CutDict(fields)
    return item if _is_cut_item(item) else None


def _unescaped(text: str | None) -> str:
    """Return the text of a JSON string, or ``text`` itself if it is no valid one."""
    try:
        return str(json.loads(f'"{text or ""}"', strict=False))
    except ValueError:
        return text or ""


def _whole_part(entry: Any) -> Any:
    """Return ``entry``, of a cut one the whole fields, or None if its id is not among them."""
    if not isinstance(entry, vardump.Cut):
        return entry
    fields = _fields(entry)
    if not isinstance(fields, dict):
        return None
    whole = {key: value for key, value in fields.items() if not isinstance(value, vardump.Cut)}
    return whole if _text(whole.get("id")) else None


def _bare_value(text: str) -> str | None:
    return None if text == "null" else text


def _find_list(value: Any, depth: int = 0) -> list[Any] | None:
    """Find the list of items in a value, at the top level or nested."""
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
    """Return whether all entries are objects and at least half have the keys of an item."""
    if not entries or not all(isinstance(_fields(entry), dict) for entry in entries):
        return False
    items = sum(_is_item(_fields(entry)) or _is_cut_item(entry) for entry in entries)
    return 2 * items > len(entries) - 1


def _is_item(entry: dict[Any, Any]) -> bool:
    return "id" in entry and "title" in entry and not _MARKS_OF_AN_ITEM.isdisjoint(entry)


def _is_cut_item(entry: Any) -> bool:
    """Return whether ``entry`` was cut after its id and has only keys of an item."""
    if not isinstance(entry, vardump.Cut):
        return False
    fields = _fields(entry)
    return (
        isinstance(fields.get("id"), (str, int))
        and not isinstance(fields["id"], vardump.Cut)
        and _KEYS_OF_AN_ITEM.issuperset(fields)
    )


def _fields(value: Any) -> Any:
    """Return the properties of a PHP object, and any other value unchanged."""
    return value.properties if isinstance(value, vardump.PhpObject) else value


def _listed_entry(entry: dict[Any, Any]) -> Listed:
    return Listed(
        id=_text(entry.get("id")),
        title=_text(entry.get("title")),
        picture=_text(entry.get("pic")),
        sort=_text(entry.get("sort")),
        content_type=_text(entry.get("contenttypeid")),
    )


def _text(value: Any) -> str | None:
    """Return a dumped scalar as text; None if it is empty, missing or not a scalar."""
    if isinstance(value, str):
        # Most values begin with a letter or digit, so they cannot be blank.
        if value[:1].isalnum() or collapse(html.unescape(value)):
            return without_surrogates(value)
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None

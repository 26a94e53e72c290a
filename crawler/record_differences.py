"""The differences between two versions of a record, as lines for people."""

from __future__ import annotations

import json
from difflib import unified_diff
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


def differences(
    old: Mapping[str, Any], new: Mapping[str, Any], fields: Iterable[str] | None = None
) -> Iterator[str]:
    """Yield the lines of a diff of two records, field by field.

    Texts are compared by paragraph, lists by entry. ``fields`` are by default all of both records
    that differ.
    """
    if fields is None:
        fields = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    for field in fields:
        before, after = _lines(old.get(field)), _lines(new.get(field))
        if before == after:
            # They differ only in parts that _lines leaves out.
            before, after = ([_as_json(old.get(field))], [_as_json(new.get(field))])
        yield f"{field}:"
        for line in list(unified_diff(before, after, lineterm="", n=0))[2:]:
            if not line.startswith("@@"):
                yield f"  {line[0]} {line[1:]}"


def _lines(value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, str):
        return value.split("\n\n")
    if isinstance(value, list):
        return [_line(entry) for entry in value]
    return [_as_json(value)]


def _line(entry: Any) -> str:
    """Return an entry of a list: its text, or its values but those of minor fields."""
    if not isinstance(entry, dict):
        return entry if isinstance(entry, str) else _as_json(entry)
    names: Iterable[str] = entry
    if "position" in entry:
        names = ("position", "id", "kind", "headline_raw", "url")
    elif "paragraph" in entry:
        names = ("role", "paragraph", "id", "text")
    return " ".join(str(entry[name]) for name in names if entry.get(name) is not None)


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)

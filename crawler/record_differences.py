"""The differences between two versions of a record, as lines for people."""

from __future__ import annotations

import json
import re
from collections import Counter
from difflib import SequenceMatcher, unified_diff
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


# Scripts without spaces between words are compared character by character.
_IDEOGRAPH = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
_WORD = re.compile(rf"\s*(?:[{_IDEOGRAPH}]|[^\W{_IDEOGRAPH}]+|[^\w\s])|\s+")
_PARAGRAPH = re.compile(r".+?(?:\n\n|\Z)", re.DOTALL)
# Comparing two texts takes time in proportion to the product of their lengths; and if they repeat
# a few words all the time, to its power of 1.5, which would be minutes.
_MOST_COMPARISONS, _MOST_EQUAL = 4_000_000, 100_000


class Passage(NamedTuple):
    """A part of a text in two versions: in both, only in the old one, or only in the new one."""

    kind: Literal["kept", "removed", "added"]
    text: str


def word_differences(old: str, new: str) -> list[Passage]:
    """Return the passages of two versions of a text, compared word by word.

    Those that are kept and removed make up the old text, those kept and added the new one.
    Paragraphs are matched first. Parts that are too long for a comparison by word are removed and
    added whole.
    """
    changes = (
        change
        for before, after in _changes(_PARAGRAPH.findall(old), _PARAGRAPH.findall(new))
        for change in _word_changes(before, after)
    )
    return _passages(changes)


def value_differences(old: Any, new: Any) -> list[Passage]:
    """Return the passages of two values of a field: texts by word, others entry by entry."""
    if isinstance(old, str) and isinstance(new, str):
        return word_differences(old, new)
    before, after = ([f"{line}\n" for line in _lines(value)] for value in (old, new))
    return _passages(_changes(before, after))


def _changes(old: list[str], new: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the parts of two lists of texts, in order, each joined; equal ones are kept."""
    counts = Counter(new)
    equal_pairs = sum(counts[text] for text in old)
    if len(old) * len(new) > _MOST_COMPARISONS or equal_pairs > _MOST_EQUAL:
        yield "".join(old), "".join(new)
        return
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for _, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        yield "".join(old[old_start:old_end]), "".join(new[new_start:new_end])


def _word_changes(old: str, new: str) -> Iterator[tuple[str, str]]:
    """Yield the changes between two runs of paragraphs; as many of each are compared in pairs."""
    old_paragraphs, new_paragraphs = _PARAGRAPH.findall(old), _PARAGRAPH.findall(new)
    if len(old_paragraphs) != len(new_paragraphs):
        old_paragraphs, new_paragraphs = [old], [new]
    for before, after in zip(old_paragraphs, new_paragraphs, strict=True):
        if before == after:
            yield before, after
        else:
            yield from _changes(_WORD.findall(before), _WORD.findall(after))


def _passages(changes: Iterable[tuple[str, str]]) -> list[Passage]:
    """Return the passages that the old and new parts of two versions make."""
    passages: list[Passage] = []
    for old, new in changes:
        parts: tuple[Passage, ...] = (
            (Passage("kept", old),)
            if old == new
            else (Passage("removed", old), Passage("added", new))
        )
        for part in parts:
            if passages and passages[-1].kind == part.kind:
                passages[-1] = Passage(part.kind, passages[-1].text + part.text)
            elif part.text:
                passages.append(part)
    return passages


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
    if isinstance(value, (list, tuple)):
        return [_line(entry) for entry in value]
    return [_as_json(value)]


def _line(entry: Any) -> str:
    """Return an entry of a list: its text, or its values but those of minor fields."""
    if not isinstance(entry, dict):
        return entry if isinstance(entry, str) else _as_json(entry)
    names: Iterable[str] = entry
    if "position" in entry:
        # Without the position, which would make all entries differ below one that is new.
        names = ("id", "kind", "headline_raw", "url")
    elif "paragraph" in entry:
        names = ("role", "paragraph", "id", "text")
    return " ".join(str(entry[name]) for name in names if entry.get(name) is not None)


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)

"""Find the publication date: the declared one, else the date line nearest to the headline.

A page shows other dates too: today's date in its header, those of related items and comments, the
last update. A date is therefore judged by its position and by the words before it.
"""

import re
from dataclasses import dataclass
from itertools import chain, islice

from lxml.etree import _Element

from crawler.extraction.page import dates
from crawler.extraction.page.blocks import Block, Layout
from crawler.extraction.page.dates import Moment
from crawler.extraction.page.metadata import Metadata
from crawler.extraction.page.parts import Aside
from crawler.extraction.page.text import collapse

_UPDATED = re.compile(
    r"(?:updat|modif|edit|last\b|revis|تحديث|به\s?روز)[\w\s]*:?\s*(?:on|at)?\s*$", re.IGNORECASE
)
_PUBLISHED = re.compile(r"publi|posted|date|issued|on\b|نشر|تاریخ|التاريخ|انتشار", re.IGNORECASE)
# The number of blocks after and before the headline that are searched for the date line.
_BLOCKS_AFTER, _BLOCKS_BEFORE = 10, 4
_CLOCK_LENGTH = 20
_LONGEST_DATE, _MOST_DECLARED = 100, 20


@dataclass(frozen=True, slots=True)
class Dated:
    """A publication date: its text, the parsed moment (None if ambiguous) and its place."""

    raw: str
    moment: Moment | None
    where: str


@dataclass(frozen=True, slots=True)
class _CertainDate(Dated):
    moment: Moment


def find(
    layout: Layout, metadata: Metadata, anchor: Block | None, aside: Aside, language: str | None
) -> tuple[Dated | None, set[int]]:
    """Return the publication date, and the indexes of date lines, which are not body text."""
    anchor_index = anchor.index if anchor else 0
    body_starts = next(
        (
            b.index
            for b in layout.blocks
            if b.index > anchor_index and b.prose and len(b.text) > 100 and not aside(b)
        ),
        len(layout.blocks),
    )
    # A date here is the article's own: from just before the headline to the first paragraph.
    first, last = anchor_index - _BLOCKS_BEFORE, min(anchor_index + _BLOCKS_AFTER, body_starts)
    lines: list[tuple[int, _CertainDate]] = []
    date_blocks: set[int] = set()
    for block in layout.blocks:
        if len(block.text) > 400:
            continue
        is_near = first <= block.index <= last
        # Dates in other languages take a thousand times as long to parse, so they are only looked
        # for where the article's own date may be.
        if (found := _dates_in(block.text, language if is_near else "en")) is None:
            continue
        if is_near or not aside(block):
            date_blocks.add(block.index)
        for label, day in found:
            if label == "updated":
                continue
            dated = (
                _with_clock(day, layout.blocks[block.index + 1 : block.index + 3])
                if is_near
                else day
            )
            if anchor_index < block.index <= last:
                lines.append((0 if label == "published" else 1, dated))
            elif block.index == anchor_index:
                lines.append((1, dated))
            elif aside(block):
                continue
            elif (
                anchor
                and first <= block.index < anchor_index
                and (label == "published" or _are_close(block.element, anchor.element))
            ):
                lines.append((2, dated))
            elif label == "published":
                lines.append((3, dated))
    stamps = [
        s
        for s in layout.stamps
        if s.index >= first
        and (
            s.published
            or anchor_index <= s.index <= last
            or (anchor and first <= s.index <= anchor_index)
        )
    ]
    declared = [(d.value, d.where) for d in metadata.published]
    declared += [(s.value, s.where) for s in sorted(stamps, key=lambda s: not s.published)]
    values = (
        (collapse(value)[:_LONGEST_DATE], where) for value, where in declared[:_MOST_DECLARED]
    )
    choices = [
        _CertainDate(value, moment, where)
        for value, where in values
        if (moment := dates.find(value, language))
    ]
    choices += [dated for _, dated in sorted(lines, key=lambda entry: entry[0])]
    if not choices:
        heads = layout.blocks[anchor_index : last + 1]
        raw = next(
            (
                raw
                for b in heads
                if len(b.text) <= _LONGEST_DATE and (raw := dates.unreadable_date(b.text))
            ),
            None,
        )
        return (Dated(raw, None, "date line") if raw else None), date_blocks
    best = choices[0]
    if best.moment.clock is None:
        # Another date may give the time of that day.
        best = next(
            (c for c in choices if c.moment.clock and c.moment.day == best.moment.day), best
        )
    return best, date_blocks


def _with_clock(day: _CertainDate, following: list[Block]) -> _CertainDate:
    """Return a day with its time of day, if a separate element just after it gives one.

    The word "Time" may come between them.
    """
    if day.moment.clock is None:
        text = day.raw
        for block in following:
            text = f"{text} {block.text[:_CLOCK_LENGTH]}"
            moment = dates.find(text, "en")
            if moment and moment.clock and moment.day == day.moment.day:
                return _CertainDate(text[moment.start : moment.end], moment, day.where)
    return day


def _are_close(one: _Element, other: _Element) -> bool:
    """Return whether two elements share a parent or a table below ``<body>``."""
    near = _around(one, ("body", "html", "td", "tr"), 2)
    return any(e in near for e in _around(other, ("td", "tr"), 3))


def _around(element: _Element, excluded_tags: tuple[str, ...], most: int) -> list[_Element]:
    holders = chain((element,), element.iterancestors())
    return list(islice((e for e in holders if e.tag not in excluded_tags), most))


def _dates_in(text: str, language: str | None) -> list[tuple[str, _CertainDate]] | None:
    """Return the dates of a date line, or None if the text is prose or has none.

    Each date has a label: "published", "updated" or "".
    """
    found: list[tuple[str, _CertainDate]] = []
    rest = ""
    position = 0
    while moment := dates.find(text[position:], language):
        before = text[position : position + moment.start]
        label = (
            "updated"
            if _UPDATED.search(before)
            else "published"
            if _PUBLISHED.search(before)
            else ""
        )
        raw = text[position + moment.start : position + moment.end].strip()
        found.append((label, _CertainDate(raw, moment, "date line")))
        rest += before
        position += max(moment.end, 1)
    if not found:
        return None
    rest += text[position:]
    # A date line has little besides its date: labels, a name, a section. Prose is longer and forms
    # a sentence.
    letters = sum(c.isalpha() for c in rest)
    if found[0][0] == "published" and re.search(
        r"posted\s+(?:\w+\s+){0,3}on\W*$", text[: text.find(found[0][1].raw)]
    ):
        return found
    if letters > 90 or (
        letters > 25 and re.search(r"[a-z]{3,}[.!?]\s*$", rest) and " " in rest.strip()
    ):
        return None
    return found

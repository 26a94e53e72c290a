"""The time line of a report: how many articles each publisher published in each span of time."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MOST_BARS = 100


class Bar(NamedTuple):
    """The articles of one day, month or year.

    ``label`` is its ISO 8601 form, ``first`` and ``last`` are its days, and ``counts`` are the
    numbers of articles by the number of their publisher.
    """

    label: str
    first: date
    last: date
    counts: Counter[int]


class TimeLine(NamedTuple):
    """Bars without gaps between them, and the numbers of articles that they do not show.

    These have no date, or one that is much ``earlier`` than the others.
    """

    unit: str
    bars: list[Bar]
    undated: int
    earlier: int = 0

    @property
    def highest(self) -> int:
        """The number of articles of the highest bar."""
        return max((bar.counts.total() for bar in self.bars), default=0)


def time_line(published: Iterable[tuple[str | None, int]]) -> TimeLine:
    """Return the time line of articles, given the day (ISO 8601) and the publisher of each.

    Its unit is the day, or the month or the year if there would be too many bars.
    """
    counts: Counter[tuple[date, int]] = Counter()
    undated = 0
    for day, publisher in published:
        if day is None:
            undated += 1
        else:
            counts[date.fromisoformat(day), publisher] += 1
    if not counts:
        return TimeLine("day", [], undated)
    first, last = (end(counts)[0] for end in (min, max))
    unit = _unit(first, last)
    if unit == "year" and last.year - first.year >= _MOST_BARS:
        first = date(last.year - _MOST_BARS + 1, 1, 1)
    bars = [Bar(*span, Counter()) for span in _spans(first, last, unit)]
    by_label = {bar.label: bar for bar in bars}
    for (published_on, number), count in counts.items():
        if bar := by_label.get(_label(published_on, unit)):
            bar.counts[number] += count
    shown = sum(bar.counts.total() for bar in bars)
    return TimeLine(unit, bars, undated, counts.total() - shown)


def _unit(first: date, last: date) -> str:
    if (last - first).days < _MOST_BARS:
        return "day"
    months = (last.year - first.year) * 12 + last.month - first.month
    return "month" if months < _MOST_BARS else "year"


def _label(day: date, unit: str) -> str:
    return day.isoformat()[: {"day": 10, "month": 7, "year": 4}[unit]]


def _spans(first: date, last: date, unit: str) -> Iterator[tuple[str, date, date]]:
    """Yield the label and the first and last day of each unit from one day to another."""
    start = date.fromisoformat((_label(first, unit) + "-01-01")[:10])
    while start <= last:
        end = _next(start, unit)
        # There is no day after the last one of the calendar.
        yield _label(start, unit), start, date.max if end is None else end - timedelta(days=1)
        if end is None:
            return
        start = end


def _next(start: date, unit: str) -> date | None:
    try:
        if unit == "day":
            return start + timedelta(days=1)
        if unit == "month":
            return (start.replace(day=28) + timedelta(days=4)).replace(day=1)
        return start.replace(year=start.year + 1)
    except (ValueError, OverflowError):
        return None

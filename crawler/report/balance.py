"""The balance of a report: a sum whose parts can be opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crawler.report.contents import Contents, Group
    from crawler.report.job_history import JobHistory

_DETAILS = {
    "articles": "They were fetched and read.",
    "teasers": "They are known from links to them, and were not fetched.",
    "failures": "They were requested, and could not be fetched or read.",
    "pending": "They are to be fetched in the next run.",
    "dropped": "They were fetched, and an item pipeline dropped their records.",
}


class Part(NamedTuple):
    """A part of the sum: its name, its number, and its contents.

    ``counts`` are its numbers by reason or by source, ``target`` is the id of the section of the
    report that shows it, and ``pages`` are the ids and URLs of articles without a record.
    """

    name: str
    number: int
    meaning: str
    counts: Mapping[str, int] = {}
    target: str | None = None
    pages: list[tuple[str, str | None]] = []  # noqa: RUF012

    @property
    def title(self) -> str:
        """The name, in the singular if there is just one."""
        return self.name.removesuffix("s") if self.number == 1 else self.name


class Sum(NamedTuple):
    """The balance: the number of articles discovered, and the parts that add up to it.

    ``wrong`` names the articles whose state lacks evidence, each with the missing evidence.
    """

    discovered: int
    parts: list[Part]
    wrong: list[tuple[str, str]]

    @property
    def is_even(self) -> bool:
        return not self.wrong and self.discovered == sum(part.number for part in self.parts)


def balance_of(contents: Contents, history: JobHistory | None) -> Sum:
    """Return the balance of a job, or of the records of feeds."""
    balance = history.balance if history else None
    teasers, failures = _counts(contents.teasers), _counts(contents.failures)
    parts = [
        _part("articles", balance.articles if balance else None, contents.sources, "articles"),
        _part("teasers", balance.teasers if balance else None, teasers, "unfetched"),
        _part("failures", balance.failures if balance else None, failures, "unfetched"),
    ]
    if balance and history:
        for name, pages in (("pending", history.pending), ("dropped", history.dropped)):
            if count := getattr(balance, name):
                parts.append(Part(name, count, _DETAILS[name], pages=pages))
    discovered = balance.discovered if balance else sum(part.number for part in parts)
    return Sum(discovered, parts, balance.wrong if balance else [])


def _part(name: str, number: int | None, counts: Mapping[str, int], target: str) -> Part:
    """Return a part of which a section of the report shows the records that ``counts`` counts.

    ``number`` is that of the job's balance; None if there is none.
    """
    shown = sum(counts.values())
    if number is not None and number > shown:
        # It is not written yet, is damaged, or an item pipeline has replaced it.
        counts = {**counts, "without a record that can be shown": number - shown}
    number = shown if number is None else number
    return Part(name, number, _DETAILS[name], counts, target if shown else None)


def _counts(groups: list[Group]) -> dict[str, int]:
    return {group.because: group.count for group in groups}

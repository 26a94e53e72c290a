"""Gathers the contents of a report: the articles, the links, and the articles not fetched."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from heapq import nlargest
from typing import TYPE_CHECKING, NamedTuple

from crawler.crawl.edges import ROLES
from crawler.report.network import Link, Node, lay_out
from crawler.report.timeline import TimeLine, time_line
from crawler.report.wording import REASONS, WHYS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, Literal

    from crawler.export.corpus import Corpus
    from crawler.items import Article, Failure, Teaser
    from crawler.report.network import Network

MOST_SHOWN = 20_000
"""The most articles that a report shows, and the most that it shows of those not fetched."""
_UNKNOWN_PUBLISHER = "unknown publisher"


@dataclass(slots=True)
class Entry:
    """An article as the report lists it.

    ``row`` is the id of its row in the table; None if it was not fetched, or is left out. ``day``
    is the day of its publication (ISO 8601); None if it is not known.
    """

    id: str
    kind: Literal["article", "teaser", "failure"]
    headline: str | None
    url: str | None
    publisher: str
    depth: int
    published_at: str | None = None
    revision: int = 1
    aliases: tuple[str, ...] = ()
    listed_on: int = 0
    linked_from: int = 0
    row: str | None = None

    @property
    def published_in_utc(self) -> str | None:
        """The time of publication in UTC, if its offset is known, so that these texts sort."""
        if self.published_at is None or "T" not in self.published_at:
            return self.published_at
        try:
            published = datetime.fromisoformat(self.published_at)
            return (published.astimezone(UTC) if published.tzinfo else published).isoformat()[:19]
        except (ValueError, OverflowError):
            # It is in no calendar, or at the very end of it.
            return self.published_at

    @property
    def day(self) -> str | None:
        """The day of publication; None if there is no such day in the calendar."""
        try:
            return date.fromisoformat((self.published_at or "")[:10]).isoformat()
        except ValueError:
            return None


class Unfetched(NamedTuple):
    """An article that was not fetched; ``detail`` and ``at`` say what happened if it failed."""

    entry: Entry
    detail: str | None = None
    at: str | None = None


@dataclass(slots=True)
class Group:
    """The articles that were not fetched for the same reason.

    ``because`` is the reason in words. ``shown`` are the most linked ones of all.
    """

    code: str
    because: str
    all: list[Unfetched] = field(default_factory=list)
    shown: list[Unfetched] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.all)


@dataclass(slots=True)
class Contents:
    """The contents of a report that come from its corpus.

    ``publishers`` are the numbers of articles by publisher, the largest first; 0 if only links to
    its articles are known. This is also the order of their colours. ``fetched`` is the time of the
    first and the last fetch; None if there is no article.
    """

    entries: list[Entry]
    teasers: list[Group]
    failures: list[Group]
    publishers: Mapping[str, int]
    sources: Counter[str]
    languages: Counter[str]
    fetched: tuple[str, str] | None
    network: Network
    time_line: TimeLine

    @property
    def rows(self) -> list[Entry]:
        """The articles that the report shows, the seeds first."""
        return [entry for entry in self.entries if entry.row]

    @property
    def by_id(self) -> dict[str, Entry]:
        """All articles that are known, by their ids and their other ids."""
        unfetched = (one.entry for group in (*self.teasers, *self.failures) for one in group.all)
        aliases = {alias: entry for entry in self.entries for alias in entry.aliases}
        return aliases | {entry.id: entry for entry in (*unfetched, *self.entries)}

    @property
    def days(self) -> list[str]:
        """The days on which articles were published, in order."""
        return sorted({entry.day for entry in self.entries if entry.day})

    @property
    def seeds(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.depth == 0]

    @property
    def read_publishers(self) -> dict[str, int]:
        """The publishers of at least one article, which come first in ``publishers``."""
        return {name: count for name, count in self.publishers.items() if count}


def gather(corpus: Corpus) -> Contents:
    """Read a corpus, but for the texts of its records."""
    sources: Counter[str] = Counter()
    languages: Counter[str] = Counter()
    first, last = "", ""
    entries = []
    for article in corpus.articles():
        entry = _entry(article)
        entry.published_at = article.published_at
        entry.revision = article.revision
        entry.aliases = article.aliases
        entries.append(entry)
        sources[article.source] += 1
        languages[article.language or "unknown"] += 1
        first = min(first or article.fetched_at, article.fetched_at)
        last = max(last, article.fetched_at)
    entries.sort(key=lambda entry: entry.depth)
    teasers = _groups(((teaser, teaser.why, None, None) for teaser in corpus.teasers()), WHYS)
    failures = _groups(
        ((one, one.reason, one.detail, one.failed_at) for one in corpus.failures()), REASONS
    )
    unfetched = [one.entry for group in (*teasers, *failures) for one in group.all]
    known = [*entries, *unfetched]
    links = _count_links(corpus, known)
    for entry in unfetched:
        # Lists of articles, such as front pages, have no links of their own in the corpus.
        entry.linked_from = max(entry.linked_from, entry.listed_on)
    _choose(entries, teasers, failures)
    publishers = Counter(entry.publisher for entry in entries)
    for entry in unfetched:
        publishers.setdefault(entry.publisher, 0)
    ordered = dict(publishers.most_common())
    numbers = {name: number for number, name in enumerate(ordered)}
    return Contents(
        entries=entries,
        teasers=teasers,
        failures=failures,
        publishers=ordered,
        sources=sources,
        languages=languages,
        fetched=(first, last) if entries else None,
        network=lay_out(list(map(_node, known)), links, list(ordered)),
        time_line=time_line((entry.day, numbers[entry.publisher]) for entry in entries),
    )


def _entry(record: Article | Teaser | Failure) -> Entry:
    return Entry(
        id=record.id,
        kind=record.kind,
        headline=record.headline_raw,
        url=record.url,
        publisher=record.site or _UNKNOWN_PUBLISHER,
        depth=record.depth,
    )


def _groups(
    records: Iterator[tuple[Teaser | Failure, str, str | None, str | None]],
    meanings: Mapping[Any, str],
) -> list[Group]:
    """Return the records, each with its reason, detail and time, in groups: the largest first."""
    groups: dict[str, Group] = {}
    for record, code, detail, at in records:
        group = groups.setdefault(code, Group(code, meanings[code]))
        entry = _entry(record)
        entry.listed_on = len(record.listed_on)
        group.all.append(Unfetched(entry, detail, at))
    return sorted(groups.values(), key=lambda group: -group.count)


def _count_links(corpus: Corpus, known: list[Entry]) -> Iterator[Link]:
    """Count the other pages that link to each article; yield the links between articles.

    Links that their pages no longer have do not count.
    """
    numbers = {entry.id: number for number, entry in enumerate(known)}
    # Three numbers for each link: a list of tuples would take ten times the memory.
    links = array("I")
    source_id, counted = "", set[int]()
    for edge in corpus.edges():
        if edge.source != source_id:
            source_id, counted = edge.source, set()
        target = numbers.get(edge.target)
        if target is None or edge.source == edge.target:
            continue
        if edge.role not in ROLES or edge.removed_at is not None:
            continue
        if target not in counted:
            counted.add(target)
            known[target].linked_from += 1
        source = numbers.get(edge.source)
        if source is not None:
            links.extend((source, target, ROLES.index(edge.role)))
    return (
        Link(links[place], links[place + 1], ROLES[links[place + 2]])
        for place in range(0, len(links), 3)
    )


def _choose(entries: list[Entry], teasers: list[Group], failures: list[Group]) -> None:
    """Choose the articles to show, the seeds and the most linked ones, also of each group."""
    shown = entries
    if len(entries) > MOST_SHOWN:
        numbers = nlargest(
            MOST_SHOWN,
            range(len(entries)),
            key=lambda number: (entries[number].depth == 0, entries[number].linked_from),
        )
        shown = [entries[number] for number in sorted(numbers)]
    for number, entry in enumerate(shown, start=1):
        entry.row = f"a{number}"
    for group in (*failures, *teasers):
        group.shown = nlargest(MOST_SHOWN, group.all, key=lambda one: one.entry.linked_from)


def _node(entry: Entry) -> Node:
    return Node(
        id=entry.id,
        kind=entry.kind,
        headline=entry.headline,
        url=entry.url,
        publisher=entry.publisher,
        depth=entry.depth,
        day=entry.day,
        row=entry.row,
    )

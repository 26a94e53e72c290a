"""The links that the readings of a page showed, in one row for each page.

A row for each link would take most of the time of a commit. The rows are compressed, and the
checksum at the end of a zlib stream (RFC 1950) detects bit errors.

Captures are read in any order of their dates, so a reading counts as one of its time, not as the
latest: ``first_seen`` and ``last_seen`` of an edge are the first and the last reading that showed
the link, and ``removed_at`` is the first reading after these; it did not show the link.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from itertools import islice
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from isal import isal_zlib
from sqlalchemy import bindparam, select

from crawler.crawl.edges import Edge
from crawler.crawl.ledger.aliases import resolved
from crawler.crawl.ledger.schema import PAGE_LINKS
from crawler.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection

    from crawler.crawl.edges import Evidence

# How many rows are read at once.
_CHUNK = 100
_OF_PAGES = select(PAGE_LINKS).where(PAGE_LINKS.c.page_id.in_(bindparam("ids", expanding=True)))
_DECODER = msgspec.json.Decoder(tuple[list[str], list[Edge]])
_NO_NAMES: Mapping[str, str] = MappingProxyType({})
_POSITION = attrgetter("position")
_IN_PAGE_ORDER = attrgetter("position", "role", "target")


class Reading(NamedTuple):
    """A page that was read, and its links, one of each role to an article.

    ``links`` are None if the page has not changed since the reading before. ``seen_at``, ISO 8601
    in UTC, is when the page was fetched or captured. Unless the reading ``is_whole``, as that of a
    text copy, it says nothing of the links that it does not show.
    """

    page_id: str
    links: Sequence[Edge] | None
    seen_at: str
    evidence: Evidence
    is_whole: bool = True


class PageLinks:
    """The links of a page in all of its readings.

    ``names`` are the ids of the articles that aliases stand for: a link is stored with the id that
    its target had at that time.
    """

    def __init__(
        self,
        page_id: str,
        times: Sequence[str] = (),
        edges: Sequence[Edge] = (),
        names: Mapping[str, str] = _NO_NAMES,
    ) -> None:
        self.page_id = page_id
        self._times = list(times)
        """When the page was read as a whole, in order."""
        self._stored_targets = {edge.target for edge in edges}
        self._edges: dict[tuple[str, str], Edge] = {}
        self._join(edges, names)

    @property
    def edges(self) -> list[Edge]:
        """The edges from the page, in page order."""
        return sorted(self._edges.values(), key=_IN_PAGE_ORDER)

    @property
    def first_read_at(self) -> str | None:
        """The time of the first reading of the whole page."""
        return self._times[0] if self._times else None

    @property
    def new_targets(self) -> set[str]:
        """The targets that the ledger does not have under these ids."""
        return {target for _, target in self._edges} - self._stored_targets

    @property
    def row(self) -> tuple[Any, ...]:
        """The row of PAGE_LINKS."""
        edges = list(self._edges.values())
        changes = {edge.first_seen for edge in edges} | {edge.removed_at for edge in edges}
        changed_at = max(filter(None, changes), default=None)
        encoded = msgspec.json.encode((self._times, edges))
        return self.page_id, changed_at, isal_zlib.compress(encoded)

    def note(self, reading: Reading) -> None:
        _, links, seen_at, evidence, is_whole = reading
        if links is None:
            links = [edge for edge in self._edges.values() if edge.removed_at is None]
        is_first = not self._edges and not self._times
        life = seen_at, seen_at, None, evidence, evidence
        for link in links:
            edge, key = Edge._make((*link[:7], *life)), (link.role, link.target)
            stored = self._edges.get(key)
            self._edges[key] = edge if stored is None else _united(edge, stored)
        if is_whole:
            self._add_times([seen_at])
        if not is_first:
            self._find_removed()

    def take_over(self, other: PageLinks) -> None:
        """Add the readings of another page that turned out to be the same article."""
        self._join(other._edges.values(), {other.page_id: self.page_id})
        self._add_times(other._times)
        self._find_removed()

    def _join(self, edges: Iterable[Edge], names: Mapping[str, str]) -> None:
        """Add edges. If several are to the same article, the first one of a reading counts."""
        page_id, known = self.page_id, self._edges
        for edge in edges:
            target = names.get(edge.target, edge.target)
            if target == page_id:
                # Links between the ids of an article are no edges.
                continue
            if edge.source != page_id or edge.target != target:
                edge = edge._replace(source=page_id, target=target)
            key = edge.role, target
            if stored := known.get(key):
                first, second = sorted((edge, stored), key=_POSITION)
                edge = _united(first, second)
            known[key] = edge

    def _add_times(self, times: Iterable[str]) -> None:
        self._times = sorted({*self._times, *times})

    def _find_removed(self) -> None:
        for key, edge in self._edges.items():
            following = bisect_right(self._times, edge.last_seen or "")
            removed_at = self._times[following] if following < len(self._times) else None
            if removed_at != edge.removed_at:
                self._edges[key] = edge._replace(removed_at=removed_at)


def _united(edge: Edge, other: Edge) -> Edge:
    """Return an edge with the life of both, as the later of them has it, else the first."""
    first = min(other, edge, key=lambda one: one.first_seen or "")
    last = max(edge, other, key=lambda one: one.last_seen or "")
    return last._replace(first_seen=first.first_seen, first_evidence=first.first_evidence)


def load(
    connection: Connection, page_ids: Iterable[str], damaged: list[str] | None = None
) -> Iterator[PageLinks]:
    """Yield the links of those pages that were read, as ``unpacked`` does."""
    page_ids = iter(page_ids)
    while chunk := list(islice(page_ids, _CHUNK)):
        rows = connection.execute(_OF_PAGES, {"ids": chunk}).all()
        yield from unpacked(connection, rows, damaged)


def unpacked(
    connection: Connection, rows: Iterable[Any], damaged: list[str] | None = None
) -> Iterator[PageLinks]:
    """Yield the links of pages from rows of PAGE_LINKS.

    The ids of the pages whose rows are damaged are added to ``damaged``. Without it, such a row
    raises LedgerError.
    """
    rows = iter(rows)
    while chunk := list(islice(rows, _CHUNK)):
        found = [(row.page_id, *_DECODER.decode(links)) for row, links in _intact(chunk, damaged)]
        names = resolved(connection, (edge.target for *_, edges in found for edge in edges))
        for page_id, times, edges in found:
            yield PageLinks(page_id, times, edges, names)


def damage_in(rows: Iterable[Any]) -> list[str]:
    """Describe the damaged rows among rows of PAGE_LINKS."""
    damaged: list[str] = []
    for _ in _intact(rows, damaged):
        pass
    return list(map(damage_of, damaged))


def damage_of(page_id: str) -> str:
    """Describe the damaged row of a page."""
    return f"the links of {page_id} are damaged"


def _intact(rows: Iterable[Any], damaged: list[str] | None) -> Iterator[tuple[Any, bytes]]:
    """Yield rows with their JSON; see ``unpacked``."""
    for row in rows:
        try:
            links = zlib.decompress(row.links)
        except zlib.error:
            if damaged is None:
                raise LedgerError(
                    f"the ledger: {damage_of(row.page_id)}; restore it from a backup, or start "
                    "again with another job"
                ) from None
            damaged.append(row.page_id)
        else:
            yield row, links

"""The edges of the link graph in the ledger, and their life.

Each time that a page is read, its links are compared with those that the ledger has of it. Captures
are read in any order of their dates, so a reading counts as one of its time, not as the latest:
``first_seen`` and ``last_seen`` are the first and the last reading that showed a link, and
``removed_at`` is the first reading after these, which did not show it. The table READINGS has the
times of all.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from sqlalchemy import bindparam, delete, func, or_, select, update

from crawler.crawl.edges import Edge, Evidence
from crawler.crawl.ledger.database import Insert, Upsert, execute_many
from crawler.crawl.ledger.schema import LINKS, READINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection

# How many readings are written at once.
_CHUNK = 500
_PAGE_IDS: Any = bindparam("page_ids", expanding=True)
_OF_PAGES = select(LINKS).where(LINKS.c.page_id.in_(_PAGE_IDS))
_OF_ARTICLE = select(LINKS).where(
    or_(LINKS.c.page_id == bindparam("article"), LINKS.c.id == bindparam("article"))
)
_DELETE = delete(LINKS).where(
    or_(LINKS.c.page_id == bindparam("article"), LINKS.c.id == bindparam("article"))
)
_UPSERT = Upsert(LINKS)
_INSERT_READING = Insert(READINGS)
_READINGS = select(READINGS).where(READINGS.c.page_id.in_(_PAGE_IDS))
_DELETE_READINGS = delete(READINGS).where(READINGS.c.page_id == bindparam("article"))
_NEXT_READING = (
    select(func.min(READINGS.c.seen_at))
    .where(READINGS.c.page_id == LINKS.c.page_id, READINGS.c.seen_at > LINKS.c.last_seen)
    .scalar_subquery()
)
_UPDATE_REMOVED = (
    update(LINKS)
    .where(
        or_(LINKS.c.page_id == bindparam("article"), LINKS.c.id == bindparam("article")),
        LINKS.c.removed_at.is_distinct_from(_NEXT_READING),
    )
    .values(removed_at=_NEXT_READING)
)


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


class Renaming(NamedTuple):
    """An id that turned out to be another one of an article.

    It may be that of no known article, since links lead anywhere.
    """

    old: str
    new: str


def edge_of(row: Any) -> Edge:
    """Return the edge in a row of LINKS."""
    return Edge(
        source=row.page_id,
        target=row.id,
        role=row.role,
        position=row.position,
        url=row.url,
        text=row.text,
        internal=row.internal,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        removed_at=row.removed_at,
        first_evidence=Evidence(row.first_record, row.first_place),
        last_evidence=Evidence(row.last_record, row.last_place),
    )


def write(connection: Connection, changes: Iterable[Reading | Renaming]) -> None:
    """Write readings and renamings in the order in which they happened."""
    for kind, group in groupby(changes, type):
        if kind is Renaming:
            for renaming in group:
                _rename(connection, *cast("Renaming", renaming))
        else:
            readings = cast("Iterator[Reading]", group)
            while chunk := list(islice(readings, _CHUNK)):
                _note(connection, chunk)


def _note(connection: Connection, readings: Sequence[Reading]) -> None:
    """Store readings of pages, and update the lives of the pages' links."""
    pages: dict[str, _Page] = {reading.page_id: _Page() for reading in readings}
    page_ids = {"page_ids": list(pages)}
    stored = {_key(edge): edge for edge in map(edge_of, connection.execute(_OF_PAGES, page_ids))}
    for key, edge in stored.items():
        pages[edge.source].edges[key] = edge
    for row in connection.execute(_READINGS, page_ids):
        insort(pages[row.page_id].times, row.seen_at)
    for reading in readings:
        pages[reading.page_id].note(reading)
    edges = chain.from_iterable(page.edges.items() for page in pages.values())
    _write(connection, [edge for key, edge in edges if edge != stored.get(key)])
    times = [(reading.page_id, reading.seen_at) for reading in readings if reading.is_whole]
    if times:
        execute_many(connection, _INSERT_READING, times)


class _Page:
    """The edges of a page, of any time, and the times of its readings in order."""

    def __init__(self) -> None:
        self.edges: dict[tuple[str, str, str], Edge] = {}
        self.times: list[str] = []

    def note(self, reading: Reading) -> None:
        _, links, seen_at, evidence, is_whole = reading
        if links is None:
            links = [edge for edge in self.edges.values() if edge.removed_at is None]
        is_first = not self.edges and not self.times
        for link in links:
            shown = Edge(
                source=link.source,
                target=link.target,
                role=link.role,
                position=link.position,
                url=link.url,
                text=link.text,
                internal=link.internal,
                first_seen=seen_at,
                last_seen=seen_at,
                first_evidence=evidence,
                last_evidence=evidence,
            )
            key = _key(link)
            self.edges[key] = _united(shown, self.edges.get(key))
        if is_whole:
            insort(self.times, seen_at)
        if is_first:
            # No reading could have been without these links.
            return
        for key, edge in self.edges.items():
            later = self.times[bisect_right(self.times, edge.last_seen or "") :]
            self.edges[key] = edge._replace(removed_at=later[0] if later else None)


def _rename(connection: Connection, old: str, new: str) -> None:
    """Give the edges and readings of an id to the article that it stands for.

    That article may have edges of its own. Links between the two are no edges.
    """
    rows = connection.execute(_OF_ARTICLE, {"article": old}).all()
    times = [row.seen_at for row in connection.execute(_READINGS, {"page_ids": [old]})]
    if not rows and not times:
        return
    connection.execute(_DELETE, {"article": old})
    connection.execute(_DELETE_READINGS, {"article": old})
    stored = {
        _key(edge): edge for edge in map(edge_of, connection.execute(_OF_ARTICLE, {"article": new}))
    }
    renamed = [
        edge._replace(
            source=new if edge.source == old else edge.source,
            target=new if edge.target == old else edge.target,
        )
        for edge in map(edge_of, rows)
    ]
    edges = [edge for edge in renamed if edge.source != edge.target]
    _write(connection, (_united(edge, stored.get(_key(edge))) for edge in edges))
    if times:
        execute_many(connection, _INSERT_READING, [(new, time) for time in times])
    connection.execute(_UPDATE_REMOVED, {"article": new})


def _united(edge: Edge, stored: Edge | None) -> Edge:
    """Return an edge with the life of both, as the later of them has it."""
    if stored is None:
        return edge
    first = min(stored, edge, key=lambda one: one.first_seen or "")
    last = max(edge, stored, key=lambda one: one.last_seen or "")
    return last._replace(first_seen=first.first_seen, first_evidence=first.first_evidence)


def _write(connection: Connection, edges: Iterable[Edge]) -> None:
    rows = [
        (
            *(edge.source, edge.role, edge.target),
            *(edge.position, edge.url, edge.text, edge.internal),
            *(edge.first_seen, edge.last_seen, edge.removed_at),
            *(*edge.first_evidence, *edge.last_evidence),
        )
        for edge in edges
    ]
    if rows:
        # A commit touches more of the index by target than of the table.
        rows.sort(key=itemgetter(2))
        execute_many(connection, _UPSERT, rows)


def _key(edge: Edge) -> tuple[str, str, str]:
    return edge.source, edge.role, edge.target

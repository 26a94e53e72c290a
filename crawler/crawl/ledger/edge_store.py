"""Writes the edges of the link graph to the ledger.

Each time that a page is read, its links are compared with those that the ledger has of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, delete

from crawler.crawl.ledger.database import Insert, Upsert, execute_many
from crawler.crawl.ledger.page_links import PageLinks, Reading, load
from crawler.crawl.ledger.schema import LINKING_PAGES, PAGE_LINKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Set

    from sqlalchemy import Connection

_UPSERT = Upsert(PAGE_LINKS)
_DELETE = delete(PAGE_LINKS).where(PAGE_LINKS.c.page_id == bindparam("page"))
_INSERT_LINKING = Insert(LINKING_PAGES)


class Renaming(NamedTuple):
    """An id that turned out to be another one of an article.

    It may be that of no known article, since links lead anywhere.
    """

    old: str
    new: str


def write(
    connection: Connection,
    changes: Iterable[Reading | Renaming],
    listed: Set[tuple[str, str]],
) -> None:
    """Write readings and renamings in the order in which they happened.

    The aliases of the renamings are in the ledger already. ``listed`` are the ids and the page ids
    of LISTINGS that are written with them.
    """
    readings: dict[str, list[Reading]] = {}
    for change in changes:
        if isinstance(change, Reading):
            readings.setdefault(change.page_id, []).append(change)
        else:
            if not readings.keys().isdisjoint(change):
                _note(connection, readings, listed)
                readings = {}
            _rename(connection, *change)
    _note(connection, readings, listed)


def _note(
    connection: Connection,
    readings: Mapping[str, Sequence[Reading]],
    listed: Set[tuple[str, str]],
) -> None:
    """Write the readings of pages by their ids."""
    if not readings:
        return
    pages = {page_id: PageLinks(page_id) for page_id in readings}
    pages.update((page.page_id, page) for page in load(connection, readings))
    for page_id, page in pages.items():
        for reading in readings[page_id]:
            page.note(reading)
    linking = {(target, page.page_id) for page in pages.values() for target in page.new_targets}
    execute_many(connection, _UPSERT, [page.row for page in pages.values()])
    # In the order of the table, each page of it is read and written once.
    if rows := sorted(linking - listed):
        execute_many(connection, _INSERT_LINKING, rows)


def _rename(connection: Connection, old: str, new: str) -> None:
    """Give the links and readings of an id to the article that it stands for.

    That article may have links of its own.
    """
    renamed = next(load(connection, [old]), None)
    if renamed is None:
        return
    page = next(load(connection, [new]), None) or PageLinks(new)
    page.take_over(renamed)
    connection.execute(_DELETE, {"page": old})
    execute_many(connection, _UPSERT, [page.row])

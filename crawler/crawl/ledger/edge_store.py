"""Writes the edges of the link graph to the ledger.

Each time that a page is read, its links are compared with those that the ledger has of it.
"""

from __future__ import annotations

from itertools import groupby, islice
from typing import TYPE_CHECKING, NamedTuple, cast

from sqlalchemy import bindparam, delete

from crawler.crawl.ledger.database import Insert, Upsert, execute_many
from crawler.crawl.ledger.page_links import PageLinks, Reading, load
from crawler.crawl.ledger.schema import LINKING_PAGES, PAGE_LINKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence, Set

    from sqlalchemy import Connection

# How many readings are written at once.
_CHUNK = 500
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
    for kind, group in groupby(changes, type):
        if kind is Renaming:
            for renaming in group:
                _rename(connection, *cast("Renaming", renaming))
        else:
            readings = cast("Iterator[Reading]", group)
            while chunk := list(islice(readings, _CHUNK)):
                _note(connection, chunk, listed)


def _note(
    connection: Connection, readings: Sequence[Reading], listed: Set[tuple[str, str]]
) -> None:
    page_ids = list(dict.fromkeys(reading.page_id for reading in readings))
    pages = {page_id: PageLinks(page_id) for page_id in page_ids}
    pages.update((page.page_id, page) for page in load(connection, page_ids))
    before = {(target, page.page_id) for page in pages.values() for target in page.targets}
    for reading in readings:
        pages[reading.page_id].note(reading)
    after = {(target, page.page_id) for page in pages.values() for target in page.targets}
    execute_many(connection, _UPSERT, [page.row for page in pages.values()])
    # In the order of the table, each page of it is read and written once.
    if linking := sorted(after - before - listed):
        execute_many(connection, _INSERT_LINKING, linking)


def _rename(connection: Connection, old: str, new: str) -> None:
    """Give the links and readings of an id to the article that it stands for.

    That article may have links of its own.
    """
    pages = {page.page_id: page for page in load(connection, (old, new))}
    if old not in pages:
        return
    page = pages.get(new) or PageLinks(new)
    page.take_over(pages[old])
    connection.execute(_DELETE, {"page": old})
    execute_many(connection, _UPSERT, [page.row])

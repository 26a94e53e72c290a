"""The migrations of a ledger that an older version of this program wrote."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import Boolean, bindparam, column, select, table, text, union

from crawler.crawl.articles import LIST_DEPTH
from crawler.crawl.edges import Edge, Evidence
from crawler.crawl.ledger.database import Append, Database, execute_many
from crawler.crawl.ledger.page_links import PageLinks
from crawler.crawl.ledger.schema import LINKING_PAGES, LISTINGS, PAGE_LINKS

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

_Step = str | Callable[[Database, "Connection"], None]

_CHUNK = 500
_PAGE_IDS: Any = bindparam("ids", expanding=True)
# The tables of schema 7.
_LINKS: Any = table(
    "links",
    *map(column, ("page_id", "id", "role", "position", "url", "text")),
    column("internal", Boolean),
    *map(column, ("first_seen", "last_seen", "removed_at")),
    *map(column, ("first_record", "first_place", "last_record", "last_place")),
)
_READINGS: Any = table("readings", column("page_id"), column("seen_at"))


def migrate(database: Database, connection: Connection, version: int) -> None:
    """Migrate a ledger from a version to the next one."""
    for step in _MIGRATIONS[version]:
        if isinstance(step, str):
            connection.execute(text(step))
        else:
            step(database, connection)


def _create(new_table: Table) -> _Step:
    """Return the step that creates a table as it is now.

    A version that changes the table has to keep a copy of it here.
    """
    return lambda database, connection: database.create_table(connection, new_table)


def _pack_links(database: Database, connection: Connection) -> None:
    page_ids = union(select(_LINKS.c.page_id), select(_READINGS.c.page_id))
    waiting = iter(connection.execute(page_ids).scalars().all())
    while chunk := list(islice(waiting, _CHUNK)):
        edges: dict[str, list[Edge]] = {page_id: [] for page_id in chunk}
        times: dict[str, list[str]] = {page_id: [] for page_id in chunk}
        links = select(_LINKS).where(_LINKS.c.page_id.in_(_PAGE_IDS))
        for row in connection.execute(links, {"ids": chunk}):
            first, last = Evidence(*row[10:12]), Evidence(*row[12:14])
            edges[row.page_id].append(Edge._make((*row[:10], first, last)))
        readings = select(_READINGS).where(_READINGS.c.page_id.in_(_PAGE_IDS))
        for row in connection.execute(readings.order_by("seen_at"), {"ids": chunk}):
            times[row.page_id].append(row.seen_at)
        pages = (PageLinks(page_id, times[page_id], edges[page_id]) for page_id in chunk)
        execute_many(connection, Append(PAGE_LINKS), [page.row for page in pages])


_MIGRATIONS: dict[int, tuple[_Step, ...]] = {
    1: (
        *(
            f"ALTER TABLE pages ADD COLUMN {column} VARCHAR"
            for column in ("etag", "last_modified", "answer")
        ),
        "ALTER TABLE feeds ADD COLUMN size BIGINT",
        "DROP INDEX pages_queued",
        "CREATE INDEX pages_queued ON pages (queued, depth, lister, position, id)",
        "DROP INDEX records_id",
        "CREATE INDEX records_id ON records (id, kind, revision)",
    ),
    2: (
        "CREATE TABLE archived (url VARCHAR NOT NULL, "
        "digest VARCHAR NOT NULL, date VARCHAR NOT NULL, record_id VARCHAR NOT NULL, "
        "file VARCHAR NOT NULL, file_id VARCHAR NOT NULL, "
        "etag VARCHAR, last_modified VARCHAR, PRIMARY KEY (url))",
    ),
    3: (
        "ALTER TABLE pages ADD COLUMN url VARCHAR",
        "CREATE TABLE aliases (alias VARCHAR NOT NULL, id VARCHAR NOT NULL, PRIMARY KEY (alias))",
        "CREATE TABLE templates (publisher VARCHAR NOT NULL, template VARCHAR NOT NULL, "
        "depth INTEGER NOT NULL, PRIMARY KEY (publisher, template))",
    ),
    4: (
        "ALTER TABLE listings RENAME TO old_listings",
        _create(LISTINGS),
        "INSERT INTO listings (id, page_id, role, run, place, position, headline, item) "
        "SELECT id, page_id, 'related', run, place, position, headline, item FROM old_listings",
        "DROP TABLE old_listings",
        "CREATE TABLE links (page_id VARCHAR NOT NULL, role VARCHAR NOT NULL, "
        "id VARCHAR NOT NULL, position INTEGER NOT NULL, url VARCHAR, text VARCHAR, "
        "internal BOOLEAN, first_seen VARCHAR NOT NULL, last_seen VARCHAR NOT NULL, "
        "removed_at VARCHAR, first_record VARCHAR, first_place VARCHAR, last_record VARCHAR, "
        "last_place VARCHAR, PRIMARY KEY (page_id, role, id))",
        # Lists of articles have no edges.
        "INSERT INTO links (page_id, role, id, position, text, first_seen, last_seen) "
        "SELECT l.page_id, 'related', l.id, l.position, l.headline, r.began, r.began "
        "FROM listings l JOIN runs r ON r.run = l.run JOIN pages p ON p.id = l.page_id "
        f"WHERE p.depth <> {LIST_DEPTH}",
        "CREATE TABLE readings (page_id VARCHAR NOT NULL, seen_at VARCHAR NOT NULL, "
        "PRIMARY KEY (page_id, seen_at))",
        "INSERT INTO readings (page_id, seen_at) SELECT DISTINCT page_id, first_seen FROM links",
        # Of the pages that have not changed since, the other links are not known either.
        f"UPDATE pages SET etag = NULL, last_modified = NULL WHERE depth <> {LIST_DEPTH}",
    ),
    5: (
        "ALTER TABLE runs ADD COLUMN asked VARCHAR",
        "ALTER TABLE runs ADD COLUMN exit_code INTEGER",
    ),
    # The records that are stored from now on are compressed.
    6: (),
    7: (
        _create(PAGE_LINKS),
        _pack_links,
        _create(LINKING_PAGES),
        "INSERT INTO linking_pages (id, page_id) SELECT DISTINCT id, page_id FROM links "
        "WHERE NOT EXISTS (SELECT 1 FROM listings "
        "WHERE listings.id = links.id AND listings.page_id = links.page_id)",
        "DROP TABLE links",
        "DROP TABLE readings",
    ),
}
"""The steps from each version to the next. Their SQL is accepted by every database."""

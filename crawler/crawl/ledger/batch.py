"""The changes that a run's next commit writes to the ledger."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import bindparam, delete, exists, update

from crawler.crawl.ledger import edge_store
from crawler.crawl.ledger.database import Append, Upsert, execute_many
from crawler.crawl.ledger.edge_store import Renaming
from crawler.crawl.ledger.page_links import Reading
from crawler.crawl.ledger.schema import (
    ALIASES,
    ARCHIVED,
    FETCHES,
    JOB,
    LISTINGS,
    PAGES,
    RECORDS,
    TEMPLATES,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from crawler.crawl.articles import ArticleState
    from crawler.warc.archived import Archived

# A listing keeps the page's latest entry, and the run that first found it.
_UPSERT_LISTING = Upsert(LISTINGS, keep=("run",))
_UPSERT_PAGE = Upsert(PAGES, keep=("found_in_run",))
_INSERT_RECORD = Append(RECORDS)
_INSERT_FETCH = Append(FETCHES)
_UPSERT_ARCHIVED = Upsert(ARCHIVED)
_UPSERT_ALIAS = Upsert(ALIASES)
_UPSERT_TEMPLATE = Upsert(TEMPLATES)
_UPDATE_PLACES = update(JOB).values(places=bindparam("given"))


class RecordRow(NamedTuple):
    """A row of RECORDS."""

    record: int
    run: int
    id: str | None
    kind: str
    revision: int | None
    crc: int
    json: bytes


class Move(NamedTuple):
    """The move of everything stored under one id to another, which may be known already.

    In a merge, the row of the old id is deleted from PAGES.
    """

    old: str
    new: str
    is_merge: bool

    def write(self, connection: Connection) -> None:
        old, new = self.old, self.new
        if self.is_merge:
            connection.execute(delete(PAGES).where(PAGES.c.id == old))
        else:
            connection.execute(update(PAGES).where(PAGES.c.id == old).values(id=new))
        kept = LISTINGS.alias("kept")
        is_listed_twice = exists().where(
            kept.c.id == new,
            kept.c.page_id == LISTINGS.c.page_id,
            kept.c.role == LISTINGS.c.role,
        )
        connection.execute(delete(LISTINGS).where(LISTINGS.c.id == old, is_listed_twice))
        for table in (LISTINGS, FETCHES, RECORDS):
            connection.execute(update(table).where(table.c.id == old).values(id=new))


@dataclass(slots=True)
class Batch:
    """Rows to be written together, in the order in which they were added.

    ``places`` is the first ``fetch_index`` that no article has.
    """

    run: int
    places: int
    articles: dict[str, ArticleState] = field(default_factory=dict)
    listings: list[tuple[Any, ...]] = field(default_factory=list)
    fetches: list[tuple[Any, ...]] = field(default_factory=list)
    records: list[RecordRow] = field(default_factory=list)
    archived: dict[str, Archived] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    templates: dict[tuple[str, str], int] = field(default_factory=dict)
    edge_changes: list[Reading | Renaming] = field(default_factory=list)
    also: dict[Callable[[Connection, list[Any]], None], list[Any]] = field(default_factory=dict)
    """Rows that other parts of the program write in the same transaction, by their functions."""

    def __bool__(self) -> bool:
        rows = (self.articles, self.listings, self.fetches, self.records, self.archived)
        changes = (self.moves, self.aliases, self.templates, self.edge_changes, self.also)
        return any((*rows, *changes))

    def add(self, state: ArticleState) -> None:
        """Add an article that is new or has changed."""
        self.articles[state.id] = state
        if state.fetch_index is not None and state.fetch_index >= self.places:
            self.places = state.fetch_index + 1

    def move(self, state: ArticleState, old_id: str) -> None:
        """Move everything stored under an id to the article's new id."""
        self.articles.pop(old_id, None)
        self.add(state)
        self.moves.append(Move(old_id, state.id, is_merge=False))

    def merge(self, merged: ArticleState, kept: ArticleState) -> None:
        """Move everything stored of an article to the one that it is merged into."""
        self.articles.pop(merged.id, None)
        self.moves.append(Move(merged.id, kept.id, is_merge=True))

    def add_alias(self, alias: str, article_id: str) -> None:
        """Add another id of an article, to which the readings of a page with that id move."""
        self.aliases[alias] = article_id
        self.edge_changes.append(Renaming(alias, article_id))

    def write(self, connection: Connection) -> None:
        """Write all rows within a transaction."""
        templates = [(*key, depth) for key, depth in self.templates.items()]
        # Some of these rows have ids that were current when they were added.
        before_moves: tuple[tuple[Any, list[Any]], ...] = (
            # In the order of the table, each page of it is read and written once.
            (_UPSERT_LISTING, sorted(self.listings, key=itemgetter(0))),
            (_INSERT_RECORD, self.records),
            (_INSERT_FETCH, self.fetches),
            (_UPSERT_ALIAS, list(self.aliases.items())),
        )
        after_moves: tuple[tuple[Any, list[Any]], ...] = (
            (_UPSERT_TEMPLATE, templates),
            (_UPSERT_PAGE, [self._row(state) for state in self.articles.values()]),
            (_UPSERT_ARCHIVED, [tuple(archived) for archived in self.archived.values()]),
        )
        for statement, rows in before_moves:
            if rows:
                execute_many(connection, statement, rows)
        for move in self.moves:
            move.write(connection)
        listed = {(row[0], row[1]) for row in self.listings}
        edge_store.write(connection, self.edge_changes, listed)
        for statement, rows in after_moves:
            if rows:
                execute_many(connection, statement, rows)
        for write, also in self.also.items():
            write(connection, also)
        connection.execute(_UPDATE_PLACES, {"given": self.places})

    def _row(self, state: ArticleState) -> tuple[Any, ...]:
        recheck = state.recheck
        return (
            *(
                state.id,
                state.state,
                state.queued,
                *state.priority,
                state.found_on,
                self.run,
                state.fetch_index,
                state.emitted,
            ),
            *(
                recheck.revision,
                recheck.due_at,
                float(recheck.interval),
                recheck.failures,
                *recheck.validators,
                recheck.refusal,
                state.url,
            ),
        )

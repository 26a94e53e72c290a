"""The changes that a run's next commit writes to the ledger."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import bindparam, update

from crawler.crawl.ledger import database
from crawler.crawl.ledger.schema import ARCHIVED, FETCHES, JOB, LISTINGS, PAGES, RECORDS

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from crawler.crawl.frontier import ArticleState
    from crawler.warc.archived import Archived

# A listing keeps the page's latest entry, and the run that first found it.
_UPSERT_LISTING = database.upsert(LISTINGS, keep=("run",))
_UPSERT_PAGE = database.upsert(PAGES, keep=("found_in_run",))
_INSERT_RECORD = RECORDS.insert()
_INSERT_FETCH = FETCHES.insert()
_UPSERT_ARCHIVED = database.upsert(ARCHIVED)
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

    def __bool__(self) -> bool:
        return bool(self.articles or self.listings or self.fetches or self.records or self.archived)

    def add(self, state: ArticleState) -> None:
        """Add an article that is new or has changed."""
        self.articles[state.id] = state
        if state.fetch_index is not None and state.fetch_index >= self.places:
            self.places = state.fetch_index + 1

    def write(self, connection: Connection) -> None:
        """Write all rows within a transaction."""
        rows_by_statement: tuple[tuple[Any, list[Any]], ...] = (
            (_UPSERT_LISTING, self.listings),
            (_UPSERT_PAGE, [self._row(state) for state in self.articles.values()]),
            (_INSERT_RECORD, self.records),
            (_INSERT_FETCH, self.fetches),
            (_UPSERT_ARCHIVED, [tuple(archived) for archived in self.archived.values()]),
        )
        for statement, rows in rows_by_statement:
            if rows:
                database.execute_many(connection, statement, rows)
        connection.execute(_UPDATE_PLACES, {"given": self.places})

    def _row(self, state: ArticleState) -> tuple[Any, ...]:
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
                state.revision,
                state.due_at,
                state.interval,
                state.failures,
                *state.validators,
                state.refusal,
            ),
        )

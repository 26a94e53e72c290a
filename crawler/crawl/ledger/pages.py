"""The ledger's articles: the frontier's memory across runs, and the stored records of each article.

Changes are collected and committed together (``flush``), in the order in which they were made:
after a crash, the ledger holds everything up to some moment. An article's record, its revision and
its completion are committed together, after everything that the article lists.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, replace
from datetime import datetime
from itertools import groupby, islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec
from itemadapter import ItemAdapter
from sqlalchemy import bindparam, func, select, tuple_, update

from crawler.crash import point
from crawler.crawl.ledger import history
from crawler.crawl.ledger.batch import Batch, RecordRow
from crawler.crawl.ledger.rows import (
    as_listed,
    listing_of,
    readable_detail,
    state_of,
    utc_now,
    verified,
)
from crawler.crawl.ledger.schema import ARCHIVED, FETCHES, JOB, LISTINGS, PAGES, RECORDS, RUNS
from crawler.errors import CrawlerError, LedgerError
from crawler.items import (
    ANSWERS,
    NOT_COMPARED,
    Article,
    Failure,
    PageRecord,
    Record,
    RelatedItem,
    Teaser,
)
from crawler.warc.archived import Archived

if TYPE_CHECKING:
    from crawler.crawl.frontier import ArticleState, Listing, Priority, State
    from crawler.crawl.ledger.database import Database
    from crawler.crawl.ledger.recheck import Intervals

_CHUNK = 500
_FOUND = select(PAGES).where(PAGES.c.id.in_(bindparam("ids", expanding=True)))
_ORDER = (PAGES.c.depth, PAGES.c.lister, PAGES.c.position, PAGES.c.id)
_QUEUED = select(PAGES).where(PAGES.c.queued).order_by(*_ORDER).limit(_CHUNK)
_LATEST = select(RECORDS).where(
    RECORDS.c.id == bindparam("id"), RECORDS.c.kind == bindparam("kind")
)
_LATEST = _LATEST.order_by(RECORDS.c.record.desc()).limit(1)
_LISTERS = (
    select(LISTINGS)
    .where(LISTINGS.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(LISTINGS.c.place, LISTINGS.c.position)
)
# The kinds of record a teaser can have: item if an item pipeline replaced it.
_TEASER_KINDS = ("teaser", "item")
_TEASER_ROWS = (
    select(RECORDS)
    .where(RECORDS.c.id.in_(bindparam("ids", expanding=True)), RECORDS.c.kind.in_(_TEASER_KINDS))
    .order_by(RECORDS.c.record)
)
_LISTER = PAGES.alias("lister")
_LISTED = (
    *(LISTINGS.c.page_id, LISTINGS.c.headline, LISTINGS.c.item),
    LISTINGS.c.place.label("listed_place"),
    LISTINGS.c.position.label("listed_position"),
)

_ARCHIVED_AS = select(ARCHIVED).where(ARCHIVED.c.url == bindparam("url"))

_COMPARED = tuple(field.name for field in fields(PageRecord) if field.name not in NOT_COMPARED)
"""The fields whose change makes a new revision of an article."""


class Pages:
    """The articles of one job, for one run: the ``Memory`` of the run's frontier.

    The first read or write error is passed to ``on_failure`` and kept in ``failed``. From then on
    nothing is stored and reads return nothing: the run should end, and the ledger holds what was
    committed before.
    """

    def __init__(
        self,
        store: Database,
        run: int,
        began: datetime,
        intervals: Intervals,
        sync_seconds: float,
        on_failure: Callable[[CrawlerError], None] = lambda error: None,
    ) -> None:
        self.database = store
        self.run = run
        self.intervals = intervals
        self.sync_seconds = sync_seconds
        self._began = began.timestamp()
        self.failed: CrawlerError | None = None
        self._on_failure = on_failure
        self.before_commit: list[Callable[[], None]] = []
        """Called before each commit, since any of them may outlast a power cut. They make the files
        that the commit refers to durable.
        """
        with store.snapshot() as connection:
            self.first_place = connection.execute(select(JOB.c.places)).scalar_one()
            self.waiting = history.queued(connection)
            self._empty = connection.execute(select(PAGES.c.id).limit(1)).first() is None
            self._fetch = 1 + (connection.execute(select(func.max(FETCHES.c.fetch))).scalar() or 0)
            self._record = 1 + (
                connection.execute(select(func.max(RECORDS.c.record))).scalar() or 0
            )
        self._batch = Batch(run, self.first_place)
        self._teaser_rows: dict[tuple[str, str], Any] = {}
        self._after: tuple[int, int, int, str] | None = None
        self._level_ended = True
        self._synced = time.monotonic()
        self._unsynced = False

    def recall(self, article_ids: Iterable[str]) -> Iterator[ArticleState]:
        if self._empty:
            # The run itself has met every article there is.
            return
        article_ids = iter(article_ids)
        while some := list(islice(article_ids, _CHUNK)):
            yield from map(state_of, self._rows(_FOUND, {"ids": some}))

    def note(self, state: ArticleState, *, waits: bool = False) -> None:
        self._batch.add(state)

    def note_listing(
        self, state: ArticleState, page_id: str, place: int, item: RelatedItem, *, first: bool
    ) -> None:
        counts = state.listing
        whole = first or counts is None or counts.uploaded_at != item.uploaded_at
        self._batch.listings.append(
            (
                *(state.id, page_id, self.run, place, item.position),
                None if whole else item.headline_raw,
                msgspec.json.encode(item) if whole else None,
            )
        )

    def listings(self, state: ArticleState) -> list[Listing]:
        if self._batch.listings:
            self.flush()
        return list(map(listing_of, self._rows(_LISTERS, {"ids": [state.id]})))

    def next(self, *, deeper: bool) -> list[ArticleState]:
        if self._level_ended and not deeper:
            return []
        # The query reads the queue from the database.
        self.flush()
        query = _QUEUED
        if self._after is not None:
            query = query.where(tuple_(*_ORDER) > self._after)
            if not deeper:
                query = query.where(PAGES.c.depth == self._after[0])
        rows = self._rows(query)
        level = [row for row in rows if row.depth == rows[0].depth]
        self._level_ended = len(level) < _CHUNK
        if level:
            self._after = (level[-1].depth, level[-1].lister, level[-1].position, level[-1].id)
        return list(map(state_of, level))

    def unfetched(
        self, known: Iterable[ArticleState]
    ) -> Iterator[tuple[ArticleState, Sequence[Listing]]]:
        """Yield the teasers whose record is missing or outdated; none while anything remains to be
        fetched.
        """
        self.flush()
        if self._rows(_QUEUED.limit(1)):
            return
        query = (
            select(PAGES.c.id)
            .where(PAGES.c.state.in_(("depth", "pruned", "not_saved")), ~PAGES.c.told)
            .order_by(*_ORDER)
        )
        article_ids = iter([row.id for row in self._rows(query)])
        while some := list(islice(article_ids, _CHUNK)):
            yield from self._with_listings(some)

    def _with_listings(
        self, article_ids: list[str]
    ) -> Iterator[tuple[ArticleState, Sequence[Listing]]]:
        """Yield articles with their listings, in the order of the ids, and prefetch their records
        for ``store``.
        """
        values = {"ids": article_ids}
        found = {row.id: state_of(row) for row in self._rows(_FOUND, values)}
        listings: dict[str, list[Listing]] = {article_id: [] for article_id in article_ids}
        for row in self._rows(_LISTERS, values):
            listings[row.id].append(listing_of(row))
        self._teaser_rows = dict.fromkeys(
            (found_id, kind) for found_id in found for kind in _TEASER_KINDS
        )
        self._teaser_rows |= {(row.id, row.kind): row for row in self._rows(_TEASER_ROWS, values)}
        yield from ((found[name], listings[name]) for name in article_ids if name in found)

    def never_fetched(
        self,
    ) -> Iterator[tuple[ArticleState, list[tuple[Priority, str, RelatedItem]]]]:
        self.flush()
        listed_only = PAGES.c.state.in_(("pending", "depth", "pruned")) & PAGES.c.found_on.is_not(
            None
        )
        query = (
            select(PAGES, *_LISTED, _LISTER.c.depth.label("lister_depth"))
            .join(LISTINGS, LISTINGS.c.id == PAGES.c.id)
            .join(_LISTER, _LISTER.c.id == LISTINGS.c.page_id)
            .where(listed_only)
            .order_by(PAGES.c.id, LISTINGS.c.place, LISTINGS.c.position)
        )
        for _, rows in groupby(self._stream(query), key=attrgetter("id")):
            of_one = list(rows)
            if listings := list(as_listed(of_one)):
                yield state_of(of_one[0]), listings

    def _stream(self, query: Any) -> Iterator[Any]:
        if self.failed is None:
            try:
                with self.database.snapshot() as connection:
                    yield from connection.execute(query, execution_options={"yield_per": _CHUNK})
            except LedgerError as error:
                self.fail(error)

    def store(self, state: ArticleState | None, record: Any, read: Record | None) -> Any:
        if isinstance(read, Article) and state is not None:
            return self._store_article(state, record, read)
        kept = self._made(None if state is None else state.id, record)
        if state is None:
            self._batch.records.append(kept)
            return record
        if isinstance(read, Failure):
            known = state.refusal == read.reason
            self._fetch_row(state, read.reason, read.detail)
            self._done(state, "article" if state.revision else "failure", read.reason)
            if known:
                return None
        else:
            state.emitted = True
            self.note(state)
            if self._latest(state.id, kept.kind) == kept.json:
                return None
        self._batch.records.append(kept)
        return record

    def _store_article(self, state: ArticleState, record: Any, read: Article) -> Any:
        changed: tuple[str, ...] = ()
        if state.revision:
            latest = self._latest(state.id, "article")
            old = msgspec.json.decode(latest) if latest else {}
            new = msgspec.json.decode(
                msgspec.json.encode(record if isinstance(record, Article) else read)
            )
            changed = tuple(field for field in _COMPARED if old.get(field) != new[field])
            # A return is news to readers who saw the article reported as gone.
            if not changed and not state.refusal:
                state.validators = state.answered
                self.unchanged(state, "unchanged")
                return None
        if isinstance(record, Article):
            record = replace(record, revision=state.revision + 1, changed=changed)
        kept = self._made(state.id, record)
        state.revision = kept.revision or state.revision
        state.validators = state.answered
        outcome = "new" if state.revision in (0, 1) else "changed"
        self._fetch_row(
            state,
            outcome,
            ", ".join(changed) or (f"back after {state.refusal}" if state.refusal else None),
        )
        self._done(state, "article")
        self._batch.records.append(kept)
        return record

    def unchanged(self, state: ArticleState, outcome: str) -> None:
        self._fetch_row(state, outcome, None)
        self._done(state, state.state)

    def leave(self, state: ArticleState, becomes: State, detail: str | None = None) -> None:
        """Record that an article was requested and has no record: an item pipeline dropped it, or
        it was not saved.
        """
        state.emitted = state.emitted and state.state == becomes
        self._fetch_row(state, becomes, detail)
        self._done(state, "article" if state.revision else becomes)

    def archived(self, url: str) -> Archived | None:
        """Return where the last response of a URL that carried a page is archived; None if it is
        not.
        """
        if archived := self._batch.archived.get(url):
            return archived
        rows = self._rows(_ARCHIVED_AS, {"url": url})
        return Archived(*rows[0]) if rows else None

    def note_archived(self, archived: Archived) -> None:
        self._batch.archived[archived.url] = archived

    def _done(self, state: ArticleState, becomes: State, reason: str | None = None) -> None:
        state.state = becomes
        state.refusal = reason if reason in ANSWERS else None
        state.queued = False
        self.note(state)

    def _fetch_row(self, state: ArticleState, outcome: str, detail: str | None) -> None:
        self.intervals.plan(state, outcome, self._began, time.time())
        self._batch.fetches.append(
            (
                *(self._fetch, self.run, state.id, utc_now(), outcome),
                *(readable_detail(detail), state.revision or None),
            )
        )
        self._fetch += 1

    def _made(self, article_id: str | None, record: Any) -> RecordRow:
        """Return the row of a record; a record that JSON cannot hold raises before anything is
        stored.
        """
        known = isinstance(record, (Article, Teaser, Failure))
        text = msgspec.json.encode(record if known else ItemAdapter(record).asdict())
        kind = record.kind if known else "item"
        revision = record.revision if isinstance(record, Article) else None
        row = RecordRow(self._record, self.run, article_id, kind, revision, zlib.crc32(text), text)
        self._record += 1
        return row

    def _latest(self, article_id: str, kind: str) -> bytes | None:
        """Return the JSON of the latest record of a kind; ``_with_listings`` has prefetched
        teasers.
        """
        if (article_id, kind) in self._teaser_rows:
            row = self._teaser_rows[article_id, kind]
        else:
            row = next(iter(self._rows(_LATEST, {"id": article_id, "kind": kind})), None)
        if row is None:
            return None
        try:
            return verified(row, self.database.path)
        except LedgerError as error:
            self.fail(error)
            return None

    def _rows(self, query: Any, values: dict[str, Any] | None = None) -> Sequence[Any]:
        if self.failed is None:
            try:
                with self.database.snapshot() as connection:
                    return connection.execute(query, values).all()
            except LedgerError as error:
                self.fail(error)
        return ()

    def fail(self, error: CrawlerError) -> None:
        """Store nothing from now on, after a read or write error."""
        if self.failed is None:
            self.failed = error
            self._on_failure(error)

    def flush(self, *, durable: bool = False) -> None:
        """Commit the changes since the last flush, durably if the next one may come too late for
        ``sync_seconds``.
        """
        durable = durable or time.monotonic() - self._synced >= self.sync_seconds / 2
        if self.failed is not None or not (self._batch or (durable and self._unsynced)):
            return
        point("before a commit")
        try:
            for make_durable in self.before_commit:
                make_durable()
            with self.database.transaction(durable=durable) as connection:
                self._batch.write(connection)
                if durable:
                    connection.execute(
                        update(RUNS).where(RUNS.c.run == self.run).values(alive_at=utc_now())
                    )
                point("in a commit")
        except CrawlerError as error:
            self.fail(error)
            return
        except Exception as error:
            self.fail(
                LedgerError(
                    f"the ledger {self.database.path}: {type(error).__name__}: {error}; "
                    "a fault of this program, please report it"
                )
            )
            return
        point("after a commit")
        self._batch = Batch(self.run, self._batch.places)
        self._unsynced = not durable
        if durable:
            self._synced = time.monotonic()

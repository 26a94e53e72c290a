"""The articles in the ledger: the frontier's memory across runs."""

from __future__ import annotations

from functools import partial
from itertools import chain, groupby, islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import bindparam, func, select, tuple_

from crawler.crawl.articles import LISTED_ONLY, item_key
from crawler.crawl.edges import as_item
from crawler.crawl.ledger import history
from crawler.crawl.ledger.commits import CHUNK
from crawler.crawl.ledger.page_links import Reading
from crawler.crawl.ledger.record_store import RecordStore
from crawler.crawl.ledger.rows import leads_of, listing_of, state_of, utc_text
from crawler.crawl.ledger.schema import (
    ALIASES,
    ARCHIVED,
    LISTINGS,
    PAGE_LINKS,
    PAGES,
    TEMPLATES,
)
from crawler.crawl.templates import Templates
from crawler.warc.archived import Archived

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from crawler.crawl.articles import ArticleState, Content, Lead, Listing, State
    from crawler.crawl.edges import Edge, Evidence
    from crawler.crawl.ledger.commits import Commits
    from crawler.crawl.ledger.recheck import Intervals
    from crawler.errors import CrawlerError
    from crawler.items import ArticleRole, Record, RelatedItem

_PAGES_BY_ID = select(PAGES).where(PAGES.c.id.in_(bindparam("ids", expanding=True)))
_CRAWL_ORDER = (PAGES.c.depth, PAGES.c.lister, PAGES.c.position, PAGES.c.id)
_QUEUED_PAGES = select(PAGES).where(PAGES.c.queued).order_by(*_CRAWL_ORDER).limit(CHUNK)
_LISTINGS_BY_ID = (
    select(LISTINGS)
    .where(LISTINGS.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(LISTINGS.c.place, LISTINGS.c.position)
)
_LISTER = PAGES.alias("lister")
_LISTING_COLUMNS = (
    *(LISTINGS.c.page_id, LISTINGS.c.role, LISTINGS.c.headline, LISTINGS.c.item),
    LISTINGS.c.place.label("listed_place"),
    LISTINGS.c.position.label("listed_position"),
)

# How many pages' links are read at once.
_PAGES_OF_LINKS = 100
_READ_PAGES = (
    select(PAGES.c.id)
    .join(PAGE_LINKS, PAGE_LINKS.c.page_id == PAGES.c.id)
    .where(PAGES.c.place.is_not(None))
    .order_by(PAGES.c.depth, PAGES.c.place)
)
_ALIASES_BY_ID = select(ALIASES).where(ALIASES.c.alias.in_(bindparam("ids", expanding=True)))
_ARCHIVED_BY_URL = select(ARCHIVED).where(ARCHIVED.c.url == bindparam("url"))


class Pages:
    """The articles of one job, for one run: the ``Memory`` of the run's frontier.

    Changes are collected in ``commits`` and stored when those are flushed.
    """

    def __init__(self, commits: Commits, began: datetime, intervals: Intervals) -> None:
        self.commits = commits
        self._records = RecordStore(commits, began, intervals)
        self.first_place = commits.batch.places
        database = commits.database
        self.waiting = database.read(history.queued)
        self.remembers = False
        self._is_empty = not database.rows(select(PAGES.c.id).limit(1))
        self._has_aliases = bool(database.rows(select(ALIASES).limit(1)))
        stored_templates = database.rows(select(TEMPLATES))
        self.templates = Templates()
        for row in stored_templates:
            self.templates.learn(row.publisher, row.template, row.depth)
        self._last_order: tuple[int, int, int, str] | None = None
        self._level_ended = True

    @property
    def first_own_record(self) -> int:
        """The number of the first record that this process may store."""
        return self._records.first_own_record

    @property
    def before_commit(self) -> list[Callable[[], None]]:
        return self.commits.before_commit

    def fail(self, error: CrawlerError) -> None:
        self.commits.fail(error)

    def aliases(self, article_ids: Iterable[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        asked = iter(article_ids) if self._has_aliases else iter(())
        while chunk := list(islice(asked, CHUNK)):
            rows = self.commits.rows(_ALIASES_BY_ID, {"ids": chunk})
            # The article of an alias may have become an alias later.
            asked = chain([row.id for row in rows if row.id not in found], asked)
            found.update((row.alias, row.id) for row in rows)
        return found

    def note_alias(self, alias: str, article_id: str) -> None:
        self.commits.batch.add_alias(alias, article_id)

    def note_template(self, publisher: str, template: str, depth: int) -> None:
        self.commits.batch.templates[publisher, template] = depth

    def rename(self, state: ArticleState, old_id: str) -> None:
        self.commits.batch.move(state, old_id)

    def merge(self, merged: ArticleState, kept: ArticleState) -> None:
        self.commits.batch.merge(merged, kept)
        self.commits.on_outcome(merged)
        self._records.note_duplicate(merged, kept)

    def content_of(self, article_id: str) -> Content | None:
        return self._records.content_of(article_id)

    def recall(self, article_ids: Iterable[str]) -> Iterator[ArticleState]:
        if self.remembers:
            # Articles that this run has forgotten may wait for the next commit.
            self.commits.flush()
        elif self._is_empty:
            # The ledger was empty, so this run has met every article in it.
            return
        article_ids = iter(article_ids)
        while chunk := list(islice(article_ids, CHUNK)):
            yield from map(state_of, self.commits.rows(_PAGES_BY_ID, {"ids": chunk}))

    def note(self, state: ArticleState, *, waits: bool = False) -> None:
        self.commits.batch.add(state)

    def note_listing(
        self,
        state: ArticleState,
        page_id: str,
        place: int,
        item: RelatedItem,
        role: ArticleRole,
        *,
        first: bool,
    ) -> None:
        is_complete = (
            first
            # Links of other roles have no headline and say less.
            or role != "related"
            or state.listed_as is None
            or state.listed_as != item_key(item)
        )
        if first:
            state.listed_as = item_key(item)
        self.commits.batch.listings.append(
            (
                *(state.id, page_id, role, self.commits.run, place, item.position),
                None if is_complete else item.headline_raw,
                msgspec.json.encode(item) if is_complete else None,
            )
        )

    def note_links(
        self,
        page: ArticleState,
        links: Sequence[Edge] | None,
        seen_at: datetime,
        evidence: Evidence,
        *,
        is_whole: bool = True,
    ) -> None:
        reading = Reading(page.id, links, utc_text(seen_at), evidence, is_whole)
        self.commits.batch.edge_changes.append(reading)

    def unlisted(
        self, roles: Sequence[ArticleRole]
    ) -> Iterator[tuple[ArticleState, ArticleRole, Sequence[RelatedItem]]]:
        if not roles:
            return
        self.commits.flush()
        page_ids = iter([row.id for row in self.commits.rows(_READ_PAGES)])
        while chunk := list(islice(page_ids, _PAGES_OF_LINKS)):
            states = map(state_of, self.commits.rows(_PAGES_BY_ID, {"ids": chunk}))
            pages = {state.id: state for state in states}
            read_links = partial(history.unlisted, chunk, roles)
            unlisted: dict[str, list[Edge]] = self.commits.read(read_links, {})
            for page_id in chunk:
                for role in roles:
                    links = [edge for edge in unlisted.get(page_id, ()) if edge.role == role]
                    if links:
                        yield pages[page_id], role, self._items(page_id, role, links)

    def _items(self, page_id: str, role: ArticleRole, links: Sequence[Edge]) -> list[RelatedItem]:
        """Return the links of a page as items for the frontier.

        Related items are as the record of the page has them, which says more than their links.
        """
        items = self._records.related_of(page_id) if role == "related" else []
        return items or list(map(as_item, links))

    def listings(self, state: ArticleState) -> list[Listing]:
        if self.commits.batch.listings:
            self.commits.flush()
        return list(map(listing_of, self.commits.rows(_LISTINGS_BY_ID, {"ids": [state.id]})))

    def next(self, *, deeper: bool) -> list[ArticleState]:
        if self._level_ended and not deeper:
            return []
        # The queries read the queue from the database, a depth each: PostgreSQL would estimate by
        # the depth alone how many rows come after the last one, and read the whole table.
        self.commits.flush()
        rows: Sequence[Any] = ()
        if self._last_order is not None:
            depth, *rest = self._last_order
            is_later = tuple_(*_CRAWL_ORDER[1:]) > rest
            rows = self.commits.rows(_QUEUED_PAGES.where(PAGES.c.depth == depth, is_later))
        if deeper and not rows and (next_depth := self._next_depth()) is not None:
            rows = self.commits.rows(_QUEUED_PAGES.where(PAGES.c.depth == next_depth))
        self._level_ended = len(rows) < CHUNK
        if rows:
            self._last_order = (rows[-1].depth, rows[-1].lister, rows[-1].position, rows[-1].id)
        return list(map(state_of, rows))

    def _next_depth(self) -> int | None:
        query = select(func.min(PAGES.c.depth)).where(PAGES.c.queued)
        if self._last_order is not None:
            query = query.where(PAGES.c.depth > self._last_order[0])
        return next((depth for (depth,) in self.commits.rows(query)), None)

    def unfetched(
        self, known: Iterable[ArticleState]
    ) -> Iterator[tuple[ArticleState, Sequence[Listing]]]:
        """Yield the teasers whose record is missing or outdated.

        Yields none while anything remains to be fetched.
        """
        self.commits.flush()
        if self.commits.rows(_QUEUED_PAGES.limit(1)):
            return
        query = (
            select(PAGES.c.id)
            .where(PAGES.c.state.in_((*LISTED_ONLY, "not_saved")), ~PAGES.c.told)
            .order_by(*_CRAWL_ORDER)
        )
        article_ids = iter([row.id for row in self.commits.rows(query)])
        while chunk := list(islice(article_ids, CHUNK)):
            yield from self._with_listings(chunk)

    def _with_listings(
        self, article_ids: list[str]
    ) -> Iterator[tuple[ArticleState, Sequence[Listing]]]:
        """Yield articles with their listings, in the order of the ids.

        Prefetches their records for ``store``.
        """
        values = {"ids": article_ids}
        found = {row.id: state_of(row) for row in self.commits.rows(_PAGES_BY_ID, values)}
        listings: dict[str, list[Listing]] = {article_id: [] for article_id in article_ids}
        for row in self.commits.rows(_LISTINGS_BY_ID, values):
            listings[row.id].append(listing_of(row))
        self._records.prefetch_teasers(list(found))
        yield from ((found[name], listings[name]) for name in article_ids if name in found)

    def never_fetched(self) -> Iterator[tuple[ArticleState, list[Lead]]]:
        self.commits.flush()
        never_taken = PAGES.c.state.in_(("pending", *LISTED_ONLY))
        listed_only = never_taken & PAGES.c.found_on.is_not(None)
        query = (
            select(PAGES, *_LISTING_COLUMNS, _LISTER.c.depth.label("lister_depth"))
            .join(LISTINGS, LISTINGS.c.id == PAGES.c.id)
            .join(_LISTER, _LISTER.c.id == LISTINGS.c.page_id)
            .where(listed_only)
            .order_by(PAGES.c.id, LISTINGS.c.place, LISTINGS.c.position)
        )
        for _, rows in groupby(self.commits.stream(query), key=attrgetter("id")):
            article_rows = list(rows)
            if listings := list(leads_of(article_rows)):
                yield state_of(article_rows[0]), listings

    def store(self, state: ArticleState | None, record: Any, original: Record | None) -> Any:
        return self._records.store(state, record, original)

    def unchanged(self, state: ArticleState, outcome: str) -> None:
        self._records.unchanged(state, outcome)

    def leave(self, state: ArticleState, becomes: State, detail: str | None = None) -> None:
        self._records.leave(state, becomes, detail)

    def archived(self, url: str) -> Archived | None:
        """Return where the last response with a page from a URL is archived; None if it is not."""
        if archived := self.commits.batch.archived.get(url):
            return archived
        rows = self.commits.rows(_ARCHIVED_BY_URL, {"url": url})
        return Archived(*rows[0]) if rows else None

    def note_archived(self, archived: Archived) -> None:
        self.commits.batch.archived[archived.url] = archived

"""The storage of a crawl frontier: its interface, and the memory of a single run."""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from crawler.crawl.articles import DONE, ArticleState, Content, Lead, Listing, State
from crawler.crawl.templates import Templates
from crawler.items import Failure, RelatedItem, Teaser

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from crawler.crawl.edges import Edge, Evidence
    from crawler.items import ArticleRole, Record

_ITEM_FIELDS = tuple(field.name for field in fields(RelatedItem))
_item_values = attrgetter(*_ITEM_FIELDS)
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode


class Memory(Protocol):
    """The storage of a frontier.

    ``waiting`` is the number of articles queued at the start, ``first_place`` the first unused
    place.
    """

    waiting: int
    first_place: int
    templates: Templates
    remembers: bool
    """Whether the frontier forgets articles that are done, and recalls those of this run, too."""

    def aliases(self, article_ids: Iterable[str]) -> dict[str, str]:
        """Return the ids of articles by those of their other ids that are stored."""
        ...

    def note_alias(self, alias: str, article_id: str) -> None:
        """Store another id of an article."""
        ...

    def note_template(self, publisher: str, template: str, depth: int) -> None:
        """Store the template of an article's address (``Templates``)."""
        ...

    def rename(self, state: ArticleState, old_id: str) -> None:
        """Store that an article has a new id. Its listings move along."""
        ...

    def merge(self, merged: ArticleState, kept: ArticleState) -> None:
        """Store that two known articles are one; ``merged`` is no longer an article of its own."""
        ...

    def content_of(self, article_id: str) -> Content | None:
        """Return the content of an article that an earlier run stored."""
        ...

    def recall(self, article_ids: Iterable[str]) -> Iterable[ArticleState]:
        """Return the stored states of articles that are new to this run."""
        ...

    def note(self, state: ArticleState, *, waits: bool = False) -> None:
        """Store a new or changed article state; ``waits`` if it has just been queued."""
        ...

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
        """Store that a page lists an article; ``first`` if this is now the deciding list."""
        ...

    def note_links(
        self,
        page: ArticleState,
        links: Sequence[Edge] | None,
        seen_at: datetime,
        evidence: Evidence,
        *,
        is_whole: bool = True,
    ) -> None:
        """Store the links that a page had when it was fetched or captured.

        There is one of each role to an article. None means that the page has not changed since it
        was last read. Unless ``is_whole``, the page may have had other links, too.
        """
        ...

    def unlisted(
        self, roles: Sequence[ArticleRole]
    ) -> Iterable[tuple[ArticleState, ArticleRole, Sequence[RelatedItem]]]:
        """Return the links of pages that earlier runs read without following links of their roles.

        They are grouped by page and role.
        """
        ...

    def listings(self, state: ArticleState) -> list[Listing]:
        """Return an article's listings in crawl order."""
        ...

    def next(self, *, deeper: bool) -> Iterable[ArticleState]:
        """Return the next queued articles in crawl order.

        They are of the current depth, or of the next depth if ``deeper``.
        """
        ...

    def unfetched(
        self, known: Iterable[ArticleState]
    ) -> Iterable[tuple[ArticleState, Sequence[Listing]]]:
        """Return the articles that were not fetched and need a record of that, in crawl order.

        Each comes with its listings.
        """
        ...

    def never_fetched(self) -> Iterable[tuple[ArticleState, Iterable[Lead]]]:
        """Return the articles that were listed in earlier runs and never fetched.

        Each comes with its listings.
        """
        ...

    def store(self, state: ArticleState | None, record: Any, original: Record | None) -> Any:
        """Store the record of a taken article or of a teaser, and mark it as done.

        Returns the record, or None if it adds nothing new. ``original`` is the record before other
        item pipelines. Without a state, store a record that
        belongs to no article.
        """
        ...

    def unchanged(self, state: ArticleState, outcome: str) -> None:
        """Record that a taken article has nothing new."""
        ...

    def leave(self, state: ArticleState, becomes: State, detail: str | None = None) -> None:
        """Record that a taken article has no record.

        It was not saved, or an item pipeline dropped it.
        """
        ...


class InMemory:
    """The memory of a single run, discarded when the run ends.

    It packs listings, of which few are read again: each takes a quarter of the memory then.
    """

    def __init__(self) -> None:
        self.waiting = 0
        self.first_place = 0
        self.templates = Templates()
        self.remembers = False
        self._waiting: list[ArticleState] = []
        self._listings: dict[str, list[bytes]] = {}

    def recall(self, article_ids: Iterable[str]) -> Iterable[ArticleState]:
        return ()

    def aliases(self, article_ids: Iterable[str]) -> dict[str, str]:
        return {}

    def note_alias(self, alias: str, article_id: str) -> None:
        # The frontier knows it.
        pass

    def note_template(self, publisher: str, template: str, depth: int) -> None:
        # The frontier knows it.
        pass

    def rename(self, state: ArticleState, old_id: str) -> None:
        if old_id in self._listings:
            self._listings.setdefault(state.id, []).extend(self._listings.pop(old_id))

    def merge(self, merged: ArticleState, kept: ArticleState) -> None:
        listings = self._listings.pop(merged.id, [])
        if kept.state not in DONE:
            self._listings.setdefault(kept.id, []).extend(listings)

    def content_of(self, article_id: str) -> Content | None:
        return None

    def note(self, state: ArticleState, *, waits: bool = False) -> None:
        if waits:
            self._waiting.append(state)

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
        # The listings of an article that is done are not used.
        if state.state not in DONE:
            values = _item_values(item) if first else None
            headline = None if first else item.headline_raw
            packed = _pack((page_id, place, item.position, headline, values, role))
            # A list made with its only item takes less memory than one to which it is appended.
            if listings := self._listings.get(state.id):
                listings.append(packed)
            else:
                self._listings[state.id] = [packed]

    def note_links(
        self,
        page: ArticleState,
        links: Sequence[Edge] | None,
        seen_at: datetime,
        evidence: Evidence,
        *,
        is_whole: bool = True,
    ) -> None:
        # Edges are kept across runs only.
        pass

    def unlisted(
        self, roles: Sequence[ArticleRole]
    ) -> Iterable[tuple[ArticleState, ArticleRole, Sequence[RelatedItem]]]:
        return ()

    def listings(self, state: ArticleState) -> list[Listing]:
        return sorted(
            map(_listing_of, self._listings.get(state.id, ())),
            key=lambda listing: (listing.place, listing.position),
        )

    def next(self, *, deeper: bool) -> Iterable[ArticleState]:
        if not deeper:
            return ()
        found = [state for state in self._waiting if state.state != "merged"]
        depth = min((state.depth for state in found), default=0)
        # A list of articles may lead to another one, which comes before the articles.
        self._waiting = [state for state in found if state.depth > depth]
        level = (state for state in found if state.depth == depth)
        return sorted(level, key=attrgetter("priority"))

    def unfetched(
        self, known: Iterable[ArticleState]
    ) -> Iterable[tuple[ArticleState, Sequence[Listing]]]:
        states = [state for state in known if state.state not in DONE and not state.is_list]
        for state in sorted(states, key=attrgetter("priority")):
            yield state, self.listings(state)

    def never_fetched(self) -> Iterable[tuple[ArticleState, Iterable[Lead]]]:
        return ()

    def store(self, state: ArticleState | None, record: Any, original: Record | None) -> Any:
        if state is not None and not isinstance(original, Teaser):
            self.leave(state, "failure" if isinstance(original, Failure) else "article")
        return record

    def unchanged(self, state: ArticleState, outcome: str) -> None:
        self.leave(state, "article")

    def leave(self, state: ArticleState, becomes: State, detail: str | None = None) -> None:
        state.state = becomes
        state.queued = False
        if becomes in DONE:
            self._listings.pop(state.id, None)


def _listing_of(packed: bytes) -> Listing:
    page_id, place, position, headline, values, role = _unpack(packed)
    if values is None:
        return Listing(page_id, place, position, headline, role=role)
    item = RelatedItem(**dict(zip(_ITEM_FIELDS, values, strict=True)))
    return Listing(page_id, place, position, item.headline_raw, item, role)

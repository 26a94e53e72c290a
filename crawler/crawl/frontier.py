"""The crawl frontier: the articles that a run knows, how it found them, and which to fetch next.

The crawl is breadth-first, one depth at a time: the articles of the next depth wait until the last
page of the current depth has been read. A run therefore fetches the same articles in the same
order, found on the same pages, however long each response takes, and ``limit`` keeps the nearest
articles. A crawl that was killed resumes in the same order.

If several lists name an article, one of them decides: the first in crawl order whose item passes
``follow``, or the first of all while none passes. It sets the article's depth, ``found_on`` and
teaser fields. If a page lists an article twice, the first entry counts. These values therefore do
not depend on the order of the responses either.

The frontier makes the decisions; its ``Memory`` stores them: ``InMemory`` for a single run, the
ledger across runs.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter, itemgetter
from typing import Any, Literal, Protocol

from crawler.items import Failure, Record, RelatedItem, Teaser, Why

State = Literal["pending", "article", "failure", "dropped", "depth", "pruned", "not_saved"]
"""The state of a known article.

pending: not fetched yet; article: fetched successfully at least once; failure: requested, never
successfully; dropped: fetched, and dropped by an item pipeline; the others are the reasons why an
article is only a teaser.
"""

Validators = tuple[str | None, str | None]
Priority = tuple[int, int, int]
"""The crawl order: depth, place of the listing page among fetched pages, position in its list."""

READ_AGAIN = 0.0
"""``due_at`` of an article that has to be read again even if it has not changed.

The reason is that everything it lists is now nearer to the seeds.
"""

DONE = frozenset(("article", "failure", "dropped"))
_LISTED_ONLY = frozenset(("depth", "pruned"))


@dataclass(slots=True)
class ArticleState:
    """One known article.

    ``priority`` is its place in the crawl according to the deciding list (see the module
    docstring), ``listing`` its item in that list (None if it has to be looked up in the memory).
    ``queued`` means that it is to be fetched, or was fetched and its outcome is not recorded yet.
    ``fetch_index`` numbers the articles taken. ``emitted`` means that its record is up to date.

    The other fields are for rechecks: the number of stored revisions, when the next fetch is due
    (POSIX time), the interval between fetches (seconds), the number of failures in a row, and the
    ``validators`` (ETag and Last-Modified, RFC 9110, 8.8) of the response that the last revision
    was read from. ``new_validators`` are those of the current response until it is stored.
    ``refusal`` is the reason if the last response was a refusal (``items.ANSWERS``).
    """

    id: str
    state: State
    priority: Priority
    found_on: str | None
    listing: RelatedItem | None = None
    queued: bool = False
    fetch_index: int | None = None
    taken: bool = False
    emitted: bool = False
    revision: int = 0
    due_at: float | None = None
    interval: float = 0.0
    failures: int = 0
    validators: Validators = (None, None)
    new_validators: Validators = (None, None)
    refusal: str | None = None

    @property
    def depth(self) -> int:
        return self.priority[0]


@dataclass(frozen=True, slots=True)
class Listing:
    """An article's entry in a page's list.

    ``place`` is the page's place in the crawl, ``position`` and ``headline`` are those of the
    entry. ``item`` is the complete entry; None if the memory stored only its headline.
    """

    page_id: str
    place: int
    position: int
    headline: str | None
    item: RelatedItem | None = None


class Memory(Protocol):
    """The storage of a frontier.

    ``waiting`` is the number of articles queued at the start, ``first_place`` the first unused
    place.
    """

    waiting: int
    first_place: int

    def recall(self, article_ids: Iterable[str]) -> Iterable[ArticleState]:
        """Return the stored states of articles that are new to this run."""
        ...

    def note(self, state: ArticleState, *, waits: bool = False) -> None:
        """Store a new or changed article state; ``waits`` if it has just been queued."""
        ...

    def note_listing(
        self, state: ArticleState, page_id: str, place: int, item: RelatedItem, *, first: bool
    ) -> None:
        """Store that a page lists an article; ``first`` if this is now the deciding list."""
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

    def never_fetched(
        self,
    ) -> Iterable[tuple[ArticleState, Iterable[tuple[Priority, str, RelatedItem]]]]:
        """Return the articles that were listed in earlier runs and never fetched.

        Each comes with its listings: the article's place in the crawl by that list, the page's id
        and the item.
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
    """The memory of a single run, discarded when the run ends."""

    def __init__(self) -> None:
        self.waiting = 0
        self.first_place = 0
        self._waiting: list[ArticleState] = []
        self._listings: dict[str, list[Listing]] = {}

    def recall(self, article_ids: Iterable[str]) -> Iterable[ArticleState]:
        return ()

    def note(self, state: ArticleState, *, waits: bool = False) -> None:
        if waits:
            self._waiting.append(state)

    def note_listing(
        self, state: ArticleState, page_id: str, place: int, item: RelatedItem, *, first: bool
    ) -> None:
        # The listings of an article that is done are not used.
        if state.state not in DONE:
            listing = Listing(page_id, place, item.position, item.headline_raw)
            self._listings.setdefault(state.id, []).append(listing)

    def listings(self, state: ArticleState) -> list[Listing]:
        return sorted(
            self._listings.get(state.id, ()),
            key=lambda listing: (listing.place, listing.position),
        )

    def next(self, *, deeper: bool) -> Iterable[ArticleState]:
        if not deeper:
            return ()
        found = sorted(self._waiting, key=lambda state: state.priority)
        self._waiting = []
        return found

    def unfetched(
        self, known: Iterable[ArticleState]
    ) -> Iterable[tuple[ArticleState, Sequence[Listing]]]:
        states = [state for state in known if state.state not in DONE]
        for state in sorted(states, key=attrgetter("priority")):
            yield state, self.listings(state)

    def never_fetched(
        self,
    ) -> Iterable[tuple[ArticleState, Iterable[tuple[Priority, str, RelatedItem]]]]:
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


class Frontier:
    """The frontier of one run.

    ``depth`` is the number of hops to follow, ``limit`` the maximum number of fetches (0: no
    limit). ``follow`` returns whether a listed item is to be fetched at all. A run that only reads
    an archive ``forgets`` articles that are done, so that its memory use does not grow with the
    archive.
    """

    def __init__(
        self,
        depth: int,
        limit: int,
        follow: Callable[[RelatedItem], bool],
        memory: Memory | None = None,
        *,
        forgets: bool = False,
    ) -> None:
        self.depth = depth
        self.limit = limit
        self.follow = follow
        self.memory = memory or InMemory()
        self.known: dict[str, ArticleState] = {}
        """The articles that this run has met and not forgotten; the memory may know more."""
        self.taken = 0
        self._forgets = forgets
        self._forgotten_count = 0
        self._seed_count = 0
        self._next_place = self.memory.first_place
        self._waiting = self.memory.waiting
        self._level: deque[ArticleState] = deque()
        self._in_flight: set[str] = set()
        self._seeded = False

    def seed(self, article_ids: Iterable[str]) -> list[str]:
        """Add seeds after those added earlier; return the ids to fetch, in order."""
        article_ids = list(dict.fromkeys(article_ids))
        self._recall(article_ids)
        to_fetch = []
        # Seeds added in batches come after the articles that earlier runs left unfetched.
        place = self.memory.first_place if self._forgets else 0
        for position, article_id in enumerate(article_ids, start=self._seed_count):
            state = self.known.get(article_id)
            order = (0, place, position)
            if state is None:
                state = self.known[article_id] = ArticleState(article_id, "pending", order, None)
            elif state.found_on is None:
                continue
            else:
                # Known only from lists so far: everything it leads to is now nearer.
                state.priority, state.found_on, state.listing = order, None, None
                if state.state in DONE:
                    self._read_again(state)
                    continue
                state.state = "pending"
            if self._queue(state):
                to_fetch.append(article_id)
        self._seeded = True
        self._seed_count += len(article_ids)
        for article_id in article_ids:
            if not self.known[article_id].queued:
                self.forget(article_id)
        return to_fetch

    def add_links(self, page_id: str, items: Iterable[RelatedItem]) -> list[str]:
        """Record the related items of a page in flight; return the ids to fetch."""
        page = self.known[page_id]
        assert page.fetch_index is not None
        listed: dict[str, RelatedItem] = {}
        for item in items:
            if item.id is not None and item.id != page_id:
                listed.setdefault(item.id, item)
        self._recall(listed)
        return [article_id for article_id, item in listed.items() if self._list(page, item)]

    def _list(self, page: ArticleState, item: RelatedItem) -> bool:
        """Record one item of a page's list; return whether its article is now to be fetched."""
        assert item.id is not None and page.fetch_index is not None
        order = (page.depth + 1, page.fetch_index, item.position)
        follows = self.follow(item)
        state = self.known.get(item.id)
        nearer = improved = False
        if state is None:
            state = self.known[item.id] = ArticleState(item.id, "pruned", order, page.id, item)
        elif _counts_more(follows, order, state):
            nearer = order[0] < state.depth
            improved = nearer or state.revision == 0
            if improved:
                state.priority, state.found_on, state.listing = order, page.id, item
        first = state.found_on == page.id and state.priority == order
        self.memory.note_listing(state, page.id, page.fetch_index, item, first=first)
        if state.state in _LISTED_ONLY:
            return self._decide(state, follows)
        if nearer and state.revision and order[0] < self.depth:
            # It was too far from the seeds for everything it lists to be fetched, so it has to be
            # read again.
            self._read_again(state)
        elif improved:
            self.memory.note(state)
        return False

    def _decide(self, state: ArticleState, follows: bool) -> bool:
        """Decide on an article that another list names; return whether it is to be fetched."""
        state.emitted = False
        if follows:
            state.state = "depth" if state.depth > self.depth else "pending"
        if state.state == "pending":
            return self._queue(state)
        self.memory.note(state)
        return False

    def reconsider(self) -> None:
        """Decide again on the articles that were never fetched.

        This is needed if the depth or the filters differ from those of earlier runs.
        """
        for state, listings in self.memory.never_fetched():
            before = state.state, state.priority
            follows, (state.priority, state.found_on, state.listing) = self._deciding_listing(
                listings
            )
            state.state = (
                "pruned" if not follows else "depth" if state.depth > self.depth else "pending"
            )
            if (state.state, state.priority) == before:
                continue
            self.known[state.id] = state
            state.emitted = False
            if state.state == "pending":
                self._queue(state)
            else:
                self._waiting -= state.queued
                state.queued = False
                self.memory.note(state)

    def _deciding_listing(
        self, listings: Iterable[tuple[Priority, str, RelatedItem]]
    ) -> tuple[bool, tuple[Priority, str, RelatedItem]]:
        """Return whether any listing passes ``follow``, and the deciding listing."""
        listings = sorted(listings, key=itemgetter(0))
        followed = [listing for listing in listings if self.follow(listing[2])]
        return bool(followed), (followed or listings)[0]

    @property
    def queued(self) -> int:
        """The number of known articles waiting to be fetched in this run."""
        return min(self._waiting, self.limit - self.taken) if self.limit else self._waiting

    @property
    def discovered(self) -> int:
        """The number of articles that this run has met."""
        return len(self.known) + self._forgotten_count

    @property
    def at_depth(self) -> int:
        """The depth being fetched."""
        return max((self.known[article_id].depth for article_id in self._in_flight), default=0)

    @property
    def unrecorded(self) -> tuple[str, ...]:
        """The articles that were taken and have no recorded outcome."""
        return tuple(state.id for state in self.known.values() if state.taken and state.queued)

    @property
    def has_more(self) -> bool:
        """Whether an article remains to be taken, now or when this depth is done."""
        return self._seeded and self._waiting > 0 and not self._is_full

    def take(self) -> ArticleState | None:
        """Return the next article to fetch; None if there is none, or none yet."""
        if not self.has_more:
            return None
        if not self._level:
            deeper = not self._in_flight
            for found in self.memory.next(deeper=deeper):
                state = self.known.setdefault(found.id, found)
                if state.fetch_index is None:
                    state.fetch_index = self._next_place
                    self._next_place += 1
                    self.memory.note(state)
                self._level.append(state)
            if deeper and not self._level:
                # Nothing is left, whatever the count says: the run must end.
                self._waiting = 0
        if not self._level:
            return None
        state = self._level.popleft()
        state.taken = True
        self._in_flight.add(state.id)
        self._waiting -= 1
        self.taken += 1
        return state

    def forget(self, article_id: str) -> None:
        """Forget an article whose outcome is in the memory, if this run ``forgets``."""
        if self._forgets and article_id in self.known:
            del self.known[article_id]
            self._forgotten_count += 1

    def room(self, count: int) -> int:
        """Return how many of ``count`` more articles may be fetched."""
        return min(count, max(0, self.limit - self.taken - self._waiting)) if self.limit else count

    def done(self, article_id: str) -> None:
        """Mark an article's page as processed, with everything it lists known."""
        self._in_flight.discard(article_id)

    def unfetched(self) -> Iterator[tuple[ArticleState, Why, Sequence[Listing]]]:
        """Yield the known articles that were not fetched, in crawl order.

        Each comes with the reason and its listings.
        """
        for state, listings in self.memory.unfetched(self.known.values()):
            yield state, self._why(state), listings

    def _why(self, state: ArticleState) -> Why:
        if state.state in ("depth", "pruned", "not_saved"):
            return state.state
        return "interrupted" if state.taken or not self._is_full else "limit"

    def _recall(self, article_ids: Iterable[str]) -> None:
        unknown_ids = [article_id for article_id in article_ids if article_id not in self.known]
        for state in self.memory.recall(unknown_ids) if unknown_ids else ():
            self.known[state.id] = state

    def _read_again(self, state: ArticleState) -> None:
        state.validators, state.due_at = (None, None), READ_AGAIN
        self._queue(state)

    def _queue(self, state: ArticleState) -> bool:
        """Queue an article; return whether it was not queued already."""
        is_new = not state.queued
        if is_new:
            state.queued = True
            self._waiting += 1
        self.memory.note(state, waits=is_new)
        return is_new

    @property
    def _is_full(self) -> bool:
        return 0 < self.limit <= self.taken


def _counts_more(follows: bool, order: Priority, state: ArticleState) -> bool:
    """Return whether a list takes precedence over the one that set an article's place."""
    if state.found_on is None or state.taken:
        return False
    followed = state.state != "pruned"
    return follows if follows != followed else order < state.priority


def listed_item(
    item: RelatedItem | None, headline: str | None, whole: RelatedItem | None
) -> RelatedItem | None:
    """Return a list entry, of which only the headline may be stored.

    ``whole`` is the article's entry in another list, equal except for the headline.
    """
    if item is None and whole is not None and headline:
        return replace(whole, headline=headline, headline_raw=headline)
    return item or whole

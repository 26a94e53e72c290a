"""The crawl frontier: which articles a run knows, how it came to know them, and which it fetches
next.

Breadth first, one depth after the other: the articles of the next depth wait until the last one of
this depth has been read. So a run fetches the same articles, in the same order and found on the
same pages, however fast each answer comes, and ``limit`` keeps those that are nearest. A crawl that
was killed and goes on takes up the same order.

Of the lists that name an article one counts: the first, in the order of the crawl, that has it
followed, or the first of all while none does. It gives the article its depth, ``found_on`` and the
fields of its teaser. A page that lists an article twice lists it as it does first. So this, too, is
the same in whatever order the answers come.

The frontier decides; what it decided is kept by its ``Memory``: ``InMemory`` for one run, the
ledger for many.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter, itemgetter
from typing import Any, Literal, Protocol

from crawler.items import Failure, Record, RelatedItem, Teaser, Why

State = Literal["pending", "article", "failure", "dropped", "depth", "pruned", "not_saved"]
"""What is known of an article: pending: to be fetched for the first time; article: it was had, at
least once; failure: it was asked for and never had; dropped: it was had, and an item pipeline
dropped it; the others are teasers, and why.
"""

Validators = tuple[str | None, str | None]
Priority = tuple[int, int, int]
"""Depth, place of the listing page among those fetched, position in its list: the order of the
crawl.
"""

READ_AGAIN = 0.0
"""``due_at`` of an article that has to be read again whether it has changed or not: what it lists
is nearer than it was.
"""

DONE = frozenset(("article", "failure", "dropped"))
_LISTED_ONLY = frozenset(("depth", "pruned"))


@dataclass(slots=True)
class ArticleState:
    """One known article.

    ``priority`` is its place in the crawl, by the list that counts (see this module), ``listing`` what
    that list says of it (None where it has to be looked up in the memory). ``queued`` means that it
    is to be fetched, or was, and its outcome is not recorded yet. ``fetch_index`` counts the
    articles taken. ``emitted`` is whether a record of it is up to date.

    The rest is for asking again: how many revisions were stored, when the next fetch is due (POSIX
    time), the interval between fetches (seconds), how many failed in a row, and the ``validators``
    (ETag and Last-Modified, RFC 9110, 8.8) of the answer that the last revision was read from.
    Those of the present answer are ``answered`` until it is stored. ``refusal`` is the reason if
    the last answer was no (``items.ANSWERS``).
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
    answered: Validators = (None, None)
    refusal: str | None = None

    @property
    def depth(self) -> int:
        return self.priority[0]


@dataclass(frozen=True, slots=True)
class Listing:
    """That a page lists an article: the page, its place in the crawl, the position in its list, and
    the headline that it gives.

    ``item`` is all that the list says; None where it says what the list says that counts, but for
    the headline.
    """

    page_id: str
    place: int
    position: int
    headline: str | None
    item: RelatedItem | None = None


class Memory(Protocol):
    """Keeps what a frontier knows. ``waiting`` is how many are queued at the start, ``first_place``
    the first place not given yet.
    """

    waiting: int
    first_place: int

    def recall(self, article_ids: Iterable[str]) -> Iterable[ArticleState]:
        """Return what is known of articles that this run has not met yet."""
        ...

    def note(self, state: ArticleState, *, waits: bool = False) -> None:
        """Keep a sighting that is new or has changed; ``waits``: it has just been queued."""
        ...

    def note_listing(
        self, state: ArticleState, page_id: str, place: int, item: RelatedItem, *, first: bool
    ) -> None:
        """Keep that a page lists an article; ``first`` says that it is now the list that counts."""
        ...

    def listings(self, state: ArticleState) -> list[Listing]:
        """Return who lists an article, in the order of the crawl."""
        ...

    def next(self, *, deeper: bool) -> Iterable[ArticleState]:
        """Return the next queued ones in the order of the crawl: of the present depth, or of the
        next if ``deeper``.
        """
        ...

    def unfetched(
        self, known: Iterable[ArticleState]
    ) -> Iterable[tuple[ArticleState, Sequence[Listing]]]:
        """Return those that were not fetched and need a record of it, in the order of the crawl,
        with who lists them.
        """
        ...

    def never_fetched(
        self,
    ) -> Iterable[tuple[ArticleState, Iterable[tuple[Priority, str, RelatedItem]]]]:
        """Return those from earlier runs that lists named and no run has fetched.

        Each comes with the lists that name it: its place in the crawl by that list, the id of the
        page, and the item.
        """
        ...

    def store(self, state: ArticleState | None, record: Any, read: Record | None) -> Any:
        """Keep the record of an article that was taken, or of a teaser, and that it is done; return
        it, or None if it says nothing new.

        ``read`` is the record as it was before other item pipelines. Without a sighting, keep a
        record that is of no article.
        """
        ...

    def unchanged(self, state: ArticleState, outcome: str) -> None:
        """Keep that an article that was taken says nothing new."""
        ...

    def leave(self, state: ArticleState, becomes: State, detail: str | None = None) -> None:
        """Keep that an article that was taken has no record: it was not saved, or an item pipeline
        dropped it.
        """
        ...


class InMemory:
    """The memory of a run that is forgotten when it ends."""

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
        # Nobody asks who lists an article that was had.
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
        left = [state for state in known if state.state not in DONE]
        for state in sorted(left, key=attrgetter("priority")):
            yield state, self.listings(state)

    def never_fetched(
        self,
    ) -> Iterable[tuple[ArticleState, Iterable[tuple[Priority, str, RelatedItem]]]]:
        return ()

    def store(self, state: ArticleState | None, record: Any, read: Record | None) -> Any:
        if state is not None and not isinstance(read, Teaser):
            self.leave(state, "failure" if isinstance(read, Failure) else "article")
        return record

    def unchanged(self, state: ArticleState, outcome: str) -> None:
        self.leave(state, "article")

    def leave(self, state: ArticleState, becomes: State, detail: str | None = None) -> None:
        state.state = becomes
        state.queued = False
        if becomes in DONE:
            self._listings.pop(state.id, None)


class Frontier:
    """What one run knows. ``depth`` is how far to follow, ``limit`` how many to fetch at most (0:
    no limit).

    ``follow`` says of a listed item whether it is to be fetched at all. A run that only reads what
    an archive holds ``forgets`` what is done, and so does not grow with the archive.
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
        """What this run has met, and not forgotten; the memory may know more."""
        self.taken = 0
        self._forgets = forgets
        self._forgotten = 0
        self._seeds = 0
        self._places = self.memory.first_place
        self._waiting = self.memory.waiting
        self._level: deque[ArticleState] = deque()
        self._in_flight: set[str] = set()
        self._seeded = False

    def seed(self, article_ids: Iterable[str]) -> list[str]:
        """Add seeds after those that were added before; return those to be fetched, in order."""
        article_ids = list(dict.fromkeys(article_ids))
        self._recall(article_ids)
        wanted = []
        # Seeds that come bit by bit come after what earlier runs left to fetch.
        place = self.memory.first_place if self._forgets else 0
        for position, article_id in enumerate(article_ids, start=self._seeds):
            state = self.known.get(article_id)
            order = (0, place, position)
            if state is None:
                state = self.known[article_id] = ArticleState(article_id, "pending", order, None)
            elif state.found_on is None:
                continue
            else:
                # Known from lists until now: what it leads to is nearer than it was.
                state.priority, state.found_on, state.listing = order, None, None
                if state.state in DONE:
                    self._read_again(state)
                    continue
                state.state = "pending"
            if self._queue(state):
                wanted.append(article_id)
        self._seeded = True
        self._seeds += len(article_ids)
        for article_id in article_ids:
            if not self.known[article_id].queued:
                self.forget(article_id)
        return wanted

    def add_links(self, page_id: str, items: Iterable[RelatedItem]) -> list[str]:
        """Note the related items of a page that is in flight; return the ids to be fetched."""
        page = self.known[page_id]
        assert page.fetch_index is not None
        listed: dict[str, RelatedItem] = {}
        for item in items:
            if item.id is not None and item.id != page_id:
                listed.setdefault(item.id, item)
        self._recall(listed)
        return [article_id for article_id, item in listed.items() if self._list(page, item)]

    def _list(self, page: ArticleState, item: RelatedItem) -> bool:
        """Note one item of a page's list; return whether its article is now to be fetched."""
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
            # It was too far from the seeds for all that it lists to be fetched: it has to be read
            # again.
            self._read_again(state)
        elif improved:
            self.memory.note(state)
        return False

    def _decide(self, state: ArticleState, follows: bool) -> bool:
        """Decide about an article that one more list names; return whether it is to be fetched."""
        state.emitted = False
        if follows:
            state.state = "depth" if state.depth > self.depth else "pending"
        if state.state == "pending":
            return self._queue(state)
        self.memory.note(state)
        return False

    def reconsider(self) -> None:
        """Decide anew about what was never fetched: how far to follow, or what, is not what it was
        in earlier runs.
        """
        for state, listings in self.memory.never_fetched():
            before = state.state, state.priority
            follows, (state.priority, state.found_on, state.listing) = self._counting(listings)
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

    def _counting(
        self, listings: Iterable[tuple[Priority, str, RelatedItem]]
    ) -> tuple[bool, tuple[Priority, str, RelatedItem]]:
        """Return whether any of some lists has an article followed, and the one that counts."""
        listings = sorted(listings, key=itemgetter(0))
        followed = [listing for listing in listings if self.follow(listing[2])]
        return bool(followed), (followed or listings)[0]

    @property
    def queued(self) -> int:
        """How many known articles wait to be fetched in this run."""
        return min(self._waiting, self.limit - self.taken) if self.limit else self._waiting

    @property
    def discovered(self) -> int:
        """How many articles this run has met."""
        return len(self.known) + self._forgotten

    @property
    def at_depth(self) -> int:
        """The depth of what is being fetched."""
        return max((self.known[article_id].depth for article_id in self._in_flight), default=0)

    @property
    def unrecorded(self) -> tuple[str, ...]:
        """The articles that were taken, and of which nothing came."""
        return tuple(state.id for state in self.known.values() if state.taken and state.queued)

    @property
    def has_more(self) -> bool:
        """Whether any article is still to be taken, now or when this depth is done."""
        return self._seeded and self._waiting > 0 and not self._full

    def take(self) -> ArticleState | None:
        """Return the next article to fetch; None while there is none, or none yet."""
        if not self.has_more:
            return None
        if not self._level:
            deeper = not self._in_flight
            for found in self.memory.next(deeper=deeper):
                state = self.known.setdefault(found.id, found)
                if state.fetch_index is None:
                    state.fetch_index = self._places
                    self._places += 1
                    self.memory.note(state)
                self._level.append(state)
            if deeper and not self._level:
                # Nothing is left, whatever was counted: a run must end.
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
        """Note that what came of an article is in the memory."""
        if self._forgets and article_id in self.known:
            del self.known[article_id]
            self._forgotten += 1

    def room(self, count: int) -> int:
        """How many more of ``count`` articles may be fetched."""
        return min(count, max(0, self.limit - self.taken - self._waiting)) if self.limit else count

    def done(self, article_id: str) -> None:
        """Note that an article's page has been dealt with, and all that it lists is known."""
        self._in_flight.discard(article_id)

    def unfetched(self) -> Iterator[tuple[ArticleState, Why, Sequence[Listing]]]:
        """Yield what is known and was not fetched, in the order of the crawl, with the reason and
        who lists it.
        """
        for state, listings in self.memory.unfetched(self.known.values()):
            yield state, self._why(state), listings

    def _why(self, state: ArticleState) -> Why:
        if state.state in ("depth", "pruned", "not_saved"):
            return state.state
        return "interrupted" if state.taken or not self._full else "limit"

    def _recall(self, article_ids: Iterable[str]) -> None:
        unmet = [article_id for article_id in article_ids if article_id not in self.known]
        for state in self.memory.recall(unmet) if unmet else ():
            self.known[state.id] = state

    def _read_again(self, state: ArticleState) -> None:
        state.validators, state.due_at = (None, None), READ_AGAIN
        self._queue(state)

    def _queue(self, state: ArticleState) -> bool:
        """Have an article fetched; return whether it was not queued already."""
        new = not state.queued
        if new:
            state.queued = True
            self._waiting += 1
        self.memory.note(state, waits=new)
        return new

    @property
    def _full(self) -> bool:
        return 0 < self.limit <= self.taken


def _counts_more(follows: bool, order: Priority, state: ArticleState) -> bool:
    """Whether a list counts more than the one that an article's place in the crawl comes from."""
    if state.found_on is None or state.taken:
        return False
    followed = state.state != "pruned"
    return follows if follows != followed else order < state.priority


def listed_item(
    item: RelatedItem | None, headline: str | None, whole: RelatedItem | None
) -> RelatedItem | None:
    """Return the item of a list that is kept as its headline only; ``whole`` is that of another
    list, which says the same but for the headline.
    """
    if item is None and whole is not None and headline:
        return replace(whole, headline=headline, headline_raw=headline)
    return item or whole

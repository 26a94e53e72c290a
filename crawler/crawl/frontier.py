"""The crawl frontier: the articles that a run knows, how it found them, and which to fetch next.

The links that lead from page to page are the items of related lists, and links of other roles, such
as those in texts. To the frontier, each is an item of a list of its role.

The crawl is breadth-first, one depth at a time: the articles of the next depth wait until the last
page of the current depth has been read. A run therefore fetches the same articles in the same
order, found on the same pages, however long each response takes, and ``limit`` keeps the nearest
articles. A crawl that was killed resumes in the same order.

If several lists name an article, one of them decides: the first in crawl order whose item passes
``follow``, or the first of all while none passes. It sets the article's depth, ``found_on`` and
teaser fields. If a page lists an article twice in a role, the first entry counts. These values
therefore do not depend on the order of the responses either.

Articles on several hosts are handed out for all hosts at the same time, each host's in crawl order;
``Scope`` says which host an article is on. Within a publisher the spider also reads the responses
in crawl order (``is_next``), so that the first of several addresses of one article is kept
(``identities``).

The frontier makes the decisions; its ``Memory`` stores them: ``InMemory`` for a single run, the
ledger across runs.
"""

from __future__ import annotations

from collections import deque
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from crawler.crawl.articles import (
    DONE,
    EXCLUDED,
    LIST_DEPTH,
    LISTED_ONLY,
    NO_VALIDATORS,
    ONE_LANE,
    READ_AGAIN,
    ArticleState,
    Lane,
    Lead,
    Lister,
    Listing,
    Priority,
)
from crawler.crawl.identities import Claim, Identities, Settled
from crawler.crawl.memory import InMemory, Memory
from crawler.items import Why

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from crawler.crawl.edges import Edge, Evidence
    from crawler.crawl.templates import Templates
    from crawler.items import ArticleRole, Exclusion, RelatedItem


class Scope(Protocol):
    """Decides which listed articles are followed, by their addresses."""

    def reason_against(self, item: RelatedItem, known: Templates, depth: int) -> Exclusion | None:
        """Return why an item on a page at ``depth`` is not followed; None if it is."""
        ...

    def lane_of(self, state: ArticleState) -> Lane:
        """Return the host and the publisher of an article that is to be requested."""
        ...


class Rest(NamedTuple):
    """How many pages a run has left to read: exactly, or at most."""

    pages: int
    is_exact: bool


class Frontier:
    """The frontier of one run.

    ``depth`` is the number of hops to follow, ``limit`` the maximum number of fetches (0: no
    limit). ``follow`` and ``scope`` decide whether a listed item is to be fetched at all, and
    ``roles`` are those of the links to follow. A run that only reads an archive ``forgets``
    articles that are done, so that its memory use does not grow with the archive.
    """

    def __init__(
        self,
        depth: int,
        limit: int,
        follow: Callable[[RelatedItem], bool],
        memory: Memory | None = None,
        *,
        scope: Scope | None = None,
        roles: Sequence[ArticleRole] = ("related",),
        forgets: bool = False,
    ) -> None:
        self.depth = depth
        self.limit = limit
        self.follow = follow
        self.scope = scope
        self.roles = roles
        self.memory = memory or InMemory()
        self.known: dict[str, ArticleState] = {}
        """The articles that this run has met and not forgotten; the memory may know more."""
        self.identities = Identities(self.known, self.memory)
        self.taken = 0
        self._forgets = self.memory.remembers = forgets
        self._forgotten_count = 0
        self._lists: list[ArticleState] = []
        self._seed_count = 0
        self._next_place = self.memory.first_place
        self._waiting = self.memory.waiting
        self._level: dict[Lane, deque[ArticleState]] = {}
        # Equal lanes of many articles are one object.
        self._lanes: dict[Lane, Lane] = {}
        # The orders of this depth's articles by publisher, from the first whose page is unread.
        self._unread: dict[str, deque[int]] = {}
        self._read_early: set[int] = set()
        self._next_order = 0
        self._in_flight: dict[int, ArticleState] = {}
        self._level_ended = False
        # With a limit, only the nearest articles are loaded, whichever host answers first.
        self._loaded_count = 0
        self._skipped_count = 0
        self._seeded = False

    def go_on_after(self, count: int) -> None:
        """Count the articles that another process has taken in this run towards the limit."""
        self.taken += count
        self._loaded_count += count

    def seed(self, article_ids: Iterable[str], urls: Mapping[str, str] | None = None) -> list[str]:
        """Add seeds after those added earlier; return the ids to fetch, in order.

        ``urls`` are the addresses of those that were given one, "" for those without an address.
        """
        urls = urls or {}
        given_ids = list(dict.fromkeys(article_ids))
        self._recall(given_ids)
        article_ids = list(dict.fromkeys(map(self.identities.resolve, given_ids)))
        to_fetch = []
        # Seeds added in batches come after the articles that earlier runs left unfetched.
        lister = Lister(None, 0, self.memory.first_place if self._forgets else 0)
        for position, article_id in enumerate(article_ids, start=self._seed_count):
            state = self.known.get(article_id)
            if state is None:
                state = self.known[article_id] = ArticleState(
                    article_id, "pending", lister, position, url=urls.get(article_id)
                )
            elif state.found_on is None:
                continue
            else:
                # Known only from lists so far: everything it leads to is now nearer.
                state.lister, state.position, state.listed_as = lister, position, None
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

    def seed_lists(
        self, urls: Mapping[str, str], found_on: ArticleState | None = None
    ) -> list[str]:
        """Add lists of articles by their ids; return those to fetch, in order.

        They are asked in every run, before any article. ``found_on`` is the list that names them. A
        page that turned out to be an article (``become_article``) is one of the seeds.
        """
        self._recall(urls)
        to_fetch, articles = [], {}
        if found_on is None:
            lister = Lister(None, LIST_DEPTH, 0)
        else:
            lister = Lister(found_on.id, LIST_DEPTH, (found_on.fetch_index or 0) + 1)
        for position, (given_id, url) in enumerate(urls.items()):
            list_id = self.identities.resolve(given_id)
            state = self.known.get(list_id)
            if state is not None and state.state in (*LISTED_ONLY, "not_saved"):
                # It was known from lists only, as if it were an article.
                state.lister, state.position, state.listed_as = lister, position, None
                state.state = "pending"
            if state is not None and not state.is_list:
                articles[given_id] = url
                continue
            if state is None:
                state = ArticleState(list_id, "pending", lister, position, url=url)
                self.known[list_id] = state
            elif state.order >= 0:
                continue
            state.url = url
            self._lists.append(state)
            if self._queue(state):
                to_fetch.append(list_id)
        self._seeded = True
        return to_fetch if found_on else [*to_fetch, *self.seed(articles, articles)]

    def become_article(self, state: ArticleState) -> bool:
        """Make a seed that might have been a list an article like other seeds.

        Return whether the limit leaves room for it; otherwise it remains to be fetched.
        """
        state.lister = state.lister._replace(depth=0)
        has_room = not self._is_full
        if has_room:
            self._loaded_count += 1
            self.taken += 1
        else:
            state.taken = False
            self._waiting += 1
        self.memory.note(state)
        return has_room

    def prune(self, page: ArticleState, article_ids: Iterable[str]) -> None:
        """Leave out articles that a list led to in an earlier run and that were not fetched."""
        article_ids = list(article_ids)
        self._recall(article_ids)
        for article_id in article_ids:
            state = self.known.get(self.identities.resolve(article_id))
            if state and state.state == "pending" and state.found_on == page.id and not state.taken:
                self._waiting -= state.queued
                state.state, state.queued = "pruned", False
                self.memory.note(state)

    def add_links(
        self,
        page_id: str,
        items: Iterable[RelatedItem],
        *,
        have_urls: bool = True,
        role: ArticleRole = "related",
    ) -> list[str]:
        """Record the related items of a page in flight, or its other links of a role.

        Return the ids to fetch. Unless the items ``have_urls``, the page gives only ids, and their
        URLs follow from these.
        """
        return self._add(self.known[page_id], items, role, have_urls=have_urls)

    def _add(
        self,
        page: ArticleState,
        items: Iterable[RelatedItem],
        role: ArticleRole,
        *,
        have_urls: bool = True,
    ) -> list[str]:
        items = [item for item in items if item.id is not None]
        self._recall(item.id for item in items if item.id)
        listed: dict[str, RelatedItem] = {}
        for item in items:
            assert item.id is not None
            listed.setdefault(self.identities.resolve(item.id), item)
        listed.pop(page.id, None)
        assert page.fetch_index is not None
        lister = Lister(page.id, page.depth + 1, 0 if page.is_list else page.fetch_index)
        return [
            key
            for key, item in listed.items()
            if self._list(lister, key, item, role, item.url if have_urls else None)
        ]

    def note_links(
        self,
        page: ArticleState,
        links: Iterable[Edge],
        seen_at: datetime,
        evidence: Evidence,
        *,
        is_whole: bool = True,
    ) -> None:
        """Store the links of all roles that a page had when it was fetched or captured.

        Unless ``is_whole``, it may have had others.
        """
        links = list(links)
        # The difference from the keys of ``known`` would take as long as a pass over all of them.
        targets = dict.fromkeys(link.target for link in links)
        self.identities.recall([target for target in targets if target not in self.known])
        edges: dict[tuple[str, str], Edge] = {}
        for link in links:
            target = self.identities.resolve(link.target)
            if target != page.id:
                edge = link if target == link.target else link._replace(target=target)
                edges.setdefault((link.role, target), edge)
        self.memory.note_links(page, tuple(edges.values()), seen_at, evidence, is_whole=is_whole)

    def _list(
        self,
        lister: Lister,
        article_id: str,
        item: RelatedItem,
        role: ArticleRole,
        url: str | None,
    ) -> bool:
        """Record one item of a page's list; return whether its article is now to be fetched."""
        assert lister.page_id is not None
        order = (lister.depth, lister.place, item.position)
        state = self.known.get(article_id)
        # Most links of most pages change nothing about their articles, which are known by then.
        matters = state is None or state.state in LISTED_ONLY or order < state.priority
        reason = self._reason_against(item, role, lister.depth - 1) if matters else None
        follows = matters and reason is None
        nearer = improved = False
        if state is None:
            state = self.known[article_id] = ArticleState(
                article_id, reason or "pruned", lister, item.position, url=url
            )
        elif matters and _counts_more(follows, order, state):
            nearer = lister.depth < state.depth
            improved = nearer or state.revision == 0
            if improved:
                state.lister, state.position = lister, item.position
                if state.fetch_index is None:
                    state.url = url
                if state.state in EXCLUDED:
                    state.state = reason or state.state
        first = state.position == item.position and state.lister == lister
        self.memory.note_listing(state, lister.page_id, lister.place, item, role, first=first)
        if state.state in LISTED_ONLY:
            return self._decide(state, follows)
        if nearer and state.revision and lister.depth < self.depth:
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

    def _reason_against(self, item: RelatedItem, role: ArticleRole, depth: int) -> Exclusion | None:
        """Return why an item on a page at ``depth`` is not followed; None if it is."""
        if depth == LIST_DEPTH:
            # The spider adds only those entries of a list that are followed.
            return None
        if role not in self.roles:
            return "pruned"
        if self.scope and (reason := self.scope.reason_against(item, self.memory.templates, depth)):
            return reason
        return None if self.follow(item) else "pruned"

    def learn_template(self, publisher: str, template: str, depth: int) -> None:
        """Remember the shape of the address of an article at ``depth``."""
        if self.memory.templates.learn(publisher, template, depth):
            self.memory.note_template(publisher, template, depth)

    def reconsider(self, added_roles: Sequence[ArticleRole] = ()) -> None:
        """Decide again on the articles that were never fetched.

        This is needed if the depth, the roles or the filters differ from those of earlier runs.
        Links of ``added_roles``, which these did not follow, are followed from all pages that they
        read.
        """
        for page, role, items in self.memory.unlisted(added_roles):
            self._add(self.known.get(page.id, page), items, role)
        for state, listings in self.memory.never_fetched():
            before = state.state, state.priority
            reason, lead = self._deciding_lead(listings)
            depth, place, state.position = lead.priority
            state.lister = Lister(lead.page_id, depth, place)
            state.state = reason or ("depth" if state.depth > self.depth else "pending")
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

    def _deciding_lead(self, listings: Iterable[Lead]) -> tuple[Exclusion | None, Lead]:
        """Return why no listing is followed (None if one is), and the deciding listing."""
        leads = sorted(listings, key=attrgetter("priority"))
        reasons = [
            self._reason_against(lead.item, lead.role, lead.priority[0] - 1) for lead in leads
        ]
        deciding = reasons.index(None) if None in reasons else 0
        return reasons[deciding], leads[deciding]

    @property
    def queued(self) -> int:
        """The number of known articles waiting to be fetched in this run."""
        return min(self._waiting, self.limit - self.taken) if self.limit else self._waiting

    @property
    def discovered(self) -> int:
        """The number of articles that this run has met."""
        lists = sum(
            state.is_list and state.outcome != "failure" and state.state != "merged"
            for state in self._lists
        )
        return len(self.known) + self._forgotten_count - lists

    @property
    def rest(self) -> Rest | None:
        """How many pages are left to read in this run; None if those may add any number.

        It is known if no page can add others: all that are being read are at the last depth, or
        the queue fills the limit.
        """
        if not self._in_flight:
            return None
        count = len(self._in_flight) + self.queued
        is_full = 0 < self.limit <= self.taken + self._waiting
        if is_full or self._forgets or self._is_at_last_depth:
            return Rest(count, is_exact=True)
        if self.limit:
            return Rest(len(self._in_flight) + self.limit - self.taken, is_exact=False)
        return None

    @property
    def _is_at_last_depth(self) -> bool:
        states = self._in_flight.values()
        return all(state.depth >= self.depth and not state.is_list for state in states)

    def end_list(self, state: ArticleState, *, is_unchanged: bool = False) -> None:
        """Record that a list was read, or is unchanged. It is no article that was discovered."""
        if is_unchanged:
            self.memory.unchanged(state, "not_modified")
        else:
            self.memory.leave(state, "list")

    @property
    def unrecorded(self) -> tuple[str, ...]:
        """The articles that were taken and have no recorded outcome."""
        return tuple(state.id for state in self.known.values() if state.taken and state.queued)

    @property
    def has_more(self) -> bool:
        """Whether an article remains to be taken, now or when this depth is done."""
        return self._seeded and self._waiting > 0 and not self._is_full

    def take(self, may_take: Callable[[Lane], bool] = lambda lane: True) -> ArticleState | None:
        """Return the next article to fetch from a host that ``may_take`` one.

        None if there is none, or none yet.
        """
        if not self.has_more:
            return None
        lane = self._next_lane(may_take)
        if lane is None and not self._is_waiting_for_depth and self._load():
            lane = self._next_lane(may_take)
        if lane is None:
            return None
        state = self._level[lane].popleft()
        if not self._level[lane]:
            del self._level[lane]
        state.taken = True
        self._in_flight[state.order] = state
        self._waiting -= 1
        self.taken += not state.is_list
        return state

    @property
    def _is_waiting_for_depth(self) -> bool:
        """Whether nothing can be loaded before the articles handed out so far have been read."""
        return bool(self._level) and self._level_ended

    def _next_lane(self, may_take: Callable[[Lane], bool]) -> Lane | None:
        """Return the lane whose first article comes first, of those that may take one."""
        lanes = [lane for lane in self._level if may_take(lane)]
        return min(lanes, key=lambda lane: self._level[lane][0].order, default=None)

    def _load(self) -> bool:
        """Get further articles from the memory: of this depth, or of the next if it is done."""
        deeper = not self._in_flight and not self._level
        found = False
        # The memory may return articles that were handed out and are not stored yet.
        while not found and (recalled := list(self.memory.next(deeper=deeper))):
            for state in recalled:
                found |= self._enter(self.known.setdefault(state.id, state))
        self._level_ended = not found
        if deeper and not found:
            # Nothing is left, whatever the count says: the run must end.
            self._waiting = 0
        return found

    def _enter(self, state: ArticleState) -> bool:
        """Put an article in its host's queue; return whether it was not there before."""
        if state.order >= 0:
            return False
        if state.fetch_index is None:
            state.fetch_index = self._next_place
            self._next_place += 1
            self.memory.note(state)
        if self.limit and self._loaded_count >= self.limit and not state.is_list:
            return False
        self._loaded_count += not state.is_list
        lane = self.scope.lane_of(state) if self.scope else ONE_LANE
        state.lane = self._lanes.setdefault(lane, lane)
        state.order = self._next_order
        self._next_order += 1
        self._level.setdefault(state.lane, deque()).append(state)
        self._unread.setdefault(state.lane.publisher, deque()).append(state.order)
        return True

    def comes_before(self, other: ArticleState, state: ArticleState) -> bool:
        """Return whether an article is handed out before another, or was stored by earlier runs."""
        if other.outcome == "failure" or other.state == "failure":
            return False
        return other.state in DONE or 0 <= other.order < state.order

    def read_listings(self, state: ArticleState) -> list[Listing]:
        """Return the listings of an article whose pages were certainly read before its own."""
        listings = self.memory.listings(state)
        return [listing for listing in listings if self._was_read(listing, state)]

    def _was_read(self, listing: Listing, state: ArticleState) -> bool:
        """Return whether the page of a listing is certain to be read before an article's.

        This depends neither on the hosts, nor on whether the run was interrupted in between.
        """
        page = self.identities.find(listing.page_id)
        if page is None or page.depth < state.depth:
            return True
        if state.state == "pending" and listing.place >= (state.fetch_index or 0):
            return False
        lane = self.scope.lane_of(page) if self.scope else ONE_LANE
        return lane.publisher == state.lane.publisher

    @property
    def unread_count(self) -> int:
        """The number of articles that were handed out and whose pages have not been read."""
        return len(self._in_flight)

    def next_unread(self, publisher: str) -> int | None:
        """Return the order of the first article of a publisher whose page has not been read."""
        return self._unread[publisher][0] if publisher in self._unread else None

    def is_next(self, state: ArticleState) -> bool:
        """Return whether the pages of its publisher that come before a taken one have been read."""
        order = self.next_unread(state.lane.publisher)
        return order is None or order >= state.order

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
        if state := self.known.get(self.identities.resolve(article_id)):
            self.finish(state)

    def find(self, article_id: str) -> ArticleState | None:
        """Return an article that this run has met, by its id or another one."""
        return self.known.get(self.identities.resolve(article_id))

    def finish(self, state: ArticleState) -> None:
        """Mark a page as processed, or as that of an article that has been merged."""
        self._in_flight.pop(state.order, None)
        order = self.next_unread(state.lane.publisher)
        if order is None or state.order < order:
            return
        self._read_early.add(state.order)
        unread = self._unread[state.lane.publisher]
        while unread and unread[0] in self._read_early:
            self._read_early.remove(unread.popleft())
        if not unread:
            del self._unread[state.lane.publisher]

    def settle(self, state: ArticleState, claims: Sequence[Claim]) -> Settled:
        """Decide under which id the article of a page that was read is known."""
        settled = self.identities.settle(state, claims)
        for merged in settled.merged:
            self._leave_queue(merged)
        return settled

    def settle_as(self, state: ArticleState, article_id: str) -> None:
        """Give the article of a page that was read the id under which it is recorded."""
        self.identities.rename(state, article_id)

    def drop_duplicate(self, state: ArticleState) -> None:
        """Drop a page that was read: it is that of another article of the same archive."""
        state.state = "merged"
        del self.known[state.id]
        self._leave_queue(state)

    def merge(self, state: ArticleState, kept: ArticleState) -> None:
        """Merge an article that was requested into one that is known already."""
        self.identities.merge(state, kept)
        self._leave_queue(state)

    def _leave_queue(self, merged: ArticleState) -> None:
        """Take a merged article out of the queue."""
        if merged.queued and not merged.taken:
            self._waiting -= 1
            if merged.order >= 0:
                self._skipped_count += 1
                self._level[merged.lane].remove(merged)
                if not self._level[merged.lane]:
                    del self._level[merged.lane]
                self.finish(merged)
        merged.queued = False

    def unfetched(self) -> Iterator[tuple[ArticleState, Why, Sequence[Listing]]]:
        """Yield the known articles that were not fetched, in crawl order.

        Each comes with the reason and its listings.
        """
        for state, listings in self.memory.unfetched(self.known.values()):
            yield state, self._why(state), listings

    def _why(self, state: ArticleState) -> Why:
        if state.state in (*LISTED_ONLY, "not_saved"):
            return cast(Why, state.state)
        return "interrupted" if state.taken or not self._is_full else "limit"

    def _recall(self, article_ids: Iterable[str]) -> None:
        resolve, known = self.identities.resolve, self.known
        unknown_ids = [name for name in article_ids if resolve(name) not in known]
        if not unknown_ids:
            return
        self.identities.recall(unknown_ids)
        for state in self.memory.recall(dict.fromkeys(map(resolve, unknown_ids))):
            self.known[state.id] = state

    def _read_again(self, state: ArticleState) -> None:
        state.recheck = state.recheck._replace(validators=NO_VALIDATORS, due_at=READ_AGAIN)
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
        return 0 < self.limit <= self.taken + self._skipped_count


def _counts_more(follows: bool, order: Priority, state: ArticleState) -> bool:
    """Return whether a list takes precedence over the one that set an article's place."""
    if state.found_on is None or state.taken:
        return False
    followed = state.state not in EXCLUDED
    return follows if follows != followed else order < state.priority

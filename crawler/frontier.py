"""The crawl frontier: which articles a run knows, how it came to know them, and which it fetches next.

Breadth first, one depth after the other: the articles of the next depth wait until the last one of this depth has
been read. So a run fetches the same articles, in the same order and found on the same pages, however fast each
answer comes, and ``limit`` keeps those that are nearest.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from crawler.items import RelatedItem, Teaser, Why
from crawler.sites import ARTICLE_ID, Site

State = Literal["waiting", "in_flight", "settled", "depth", "pruned", "not_saved"]
Order = tuple[int, int, int]
"""Depth, place of the listing page among those fetched, position in its list: the order of the crawl."""


@dataclass(slots=True)
class Sighting:
    """One known article. ``order`` is its best place in the crawl, by the list that named it first."""

    id: str
    state: State
    order: Order
    found_on: str | None
    listing: RelatedItem | None
    listed_on: list[tuple[Order, str]] = field(default_factory=list)
    listed_as: set[str] = field(default_factory=set)

    @property
    def depth(self) -> int:
        return self.order[0]


class Frontier:
    """What one run knows. ``depth`` is how far to follow, ``limit`` how many to fetch at most (0: no limit).

    ``follow`` says of a listed item whether it is to be fetched at all.
    """

    def __init__(self, depth: int, limit: int, follow: Callable[[RelatedItem], bool]) -> None:
        self.depth = depth
        self.limit = limit
        self.follow = follow
        self.known: dict[str, Sighting] = {}
        self.taken = 0
        self._level: deque[str] = deque()
        self._next: list[str] = []
        self._in_flight: dict[str, int] = {}
        """Ids that were taken and are not settled, with their place among all that were taken."""

    def seed(self, article_ids: Iterable[str]) -> list[str]:
        """Add the seeds; return those that are new, in order."""
        new = [article_id for article_id in dict.fromkeys(article_ids) if article_id not in self.known]
        for place, article_id in enumerate(new):
            self.known[article_id] = Sighting(article_id, "waiting", (0, 0, place), None, None)
            self._next.append(article_id)
        return new

    def list(self, page_id: str, items: Iterable[RelatedItem]) -> list[str]:
        """Note the related items of a page that is in flight; return the ids that are now to be fetched."""
        page = self.known[page_id]
        place = self._in_flight[page_id]
        wanted: list[str] = []
        for item in items:
            if item.id is None or item.id == page_id:
                continue
            order = (page.depth + 1, place, item.position)
            sighting = self.known.get(item.id)
            if sighting is None:
                sighting = self.known[item.id] = Sighting(item.id, "pruned", order, page_id, item)
            elif sighting.state == "settled":
                continue
            elif sighting.found_on is not None and order < sighting.order:
                sighting.order, sighting.found_on, sighting.listing = order, page_id, item
            sighting.listed_on.append((order, page_id))
            if item.headline_raw:
                sighting.listed_as.add(item.headline_raw)
            if sighting.state in ("pruned", "depth") and self.follow(item):
                if order[0] > self.depth:
                    sighting.state = "depth"
                else:
                    sighting.state = "waiting"
                    self._next.append(item.id)
                    wanted.append(item.id)
        return wanted

    @property
    def queued(self) -> int:
        """How many known articles wait to be fetched."""
        waiting = len(self._level) + len(self._next)
        return min(waiting, self.limit - self.taken) if self.limit else waiting

    @property
    def at_depth(self) -> int:
        """The depth of what is being fetched."""
        return max((self.known[article_id].depth for article_id in self._in_flight), default=0)

    @property
    def has_more(self) -> bool:
        """Whether any article is still to be taken, now or when this depth is done."""
        return bool(self._level or self._next) and not self._full

    def take(self) -> str | None:
        """Return the id of the next article to fetch; None while there is none, or none yet."""
        if self._full:
            return None
        if not self._level and self._next and not self._in_flight:
            self._level = deque(sorted(self._next, key=lambda article_id: self.known[article_id].order))
            self._next = []
        if not self._level:
            return None
        article_id = self._level.popleft()
        self.known[article_id].state = "in_flight"
        self._in_flight[article_id] = self.taken
        self.taken += 1
        return article_id

    def settle(self, article_id: str, *, not_saved: bool = False) -> None:
        """Note that an article's page has been dealt with, and all that it lists is known."""
        if self._in_flight.pop(article_id, None) is not None:
            self.known[article_id].state = "not_saved" if not_saved else "settled"

    def unfetched(self) -> Iterator[tuple[Sighting, Why]]:
        """Yield what is known and was not fetched, in the order of the crawl, with the reason."""
        for sighting in sorted(self.known.values(), key=lambda s: s.order):
            if sighting.state in ("depth", "pruned", "not_saved"):
                yield sighting, sighting.state
            elif sighting.state == "waiting":
                yield sighting, "limit" if self._full else "interrupted"
            elif sighting.state == "in_flight":
                yield sighting, "interrupted"

    @property
    def _full(self) -> bool:
        return 0 < self.limit <= self.taken


def known(sighting: Sighting, site: Site) -> dict[str, Any]:
    """The fields that a teaser and a failure share: what the run knows of an article that it did not read."""
    listing = sighting.listing
    listed_on = [page_id for _, page_id in sorted(sighting.listed_on)]
    return {
        "site": site.name,
        "id": sighting.id,
        "url": site.url_of(sighting.id) if ARTICLE_ID.fullmatch(sighting.id) else None,
        "headline": listing.headline if listing else None,
        "headline_raw": listing.headline_raw if listing else None,
        "media_kind": listing.kind if listing else None,
        "picture_url": listing.picture_url if listing else None,
        "uploaded_at": listing.uploaded_at if listing else None,
        "content_type": listing.content_type if listing else None,
        "sort": listing.sort if listing else None,
        "listed_on": tuple(dict.fromkeys(listed_on)),
        "listed_as": tuple(sorted(sighting.listed_as)),
        "depth": sighting.depth,
        "found_on": sighting.found_on,
    }


def teaser(sighting: Sighting, why: Why, site: Site) -> Teaser:
    """Make the record of an article that is known only from lists."""
    return Teaser(**known(sighting, site), why=why)

"""Settles which pages of an archive are the same article, whatever the order of reading.

A page claims ids: that of its canonical URL, and that of the address that redirects led to. If the
archive has an article with a claimed id, the page is a duplicate of it, provided that the server
led there or that both have the same headline or the same text; otherwise the claim is refused,
since some pages declare a wrong canonical URL. If the archive has none, the page takes the id.
``crawl.identities`` does the same for a crawl, in which articles become known one by one.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Literal, NamedTuple

from crawler.crawl.articles import NO_CONTENT, Content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from crawler.crawl.identities import Claim


# Other addresses of an article are often next to it in the order of ids.
_MOST_RECENT = 10_000


class Claimant(NamedTuple):
    """An article of an archive, and the ids that its page claims besides its own."""

    id: str
    claims: tuple[Claim, ...]
    content: Content


class Settlement(NamedTuple):
    """The id under which a page is recorded, and the claims that were refused.

    A duplicate is not recorded: ``duplicate_of`` is then the id of the article that is recorded
    instead, that of its address or the one that it took.
    """

    id: str
    refused: tuple[str, ...] = ()
    duplicate_of: str | None = None


class _Step(NamedTuple):
    """The article that a page is the same as, or else the id that it takes."""

    same_as: Claimant | None
    id: str
    refused: tuple[str, ...]


def claimant_of(article_id: str, claims: Iterable[Claim], content: Content | None) -> Claimant:
    """Return an article as a claimant; its own id may be among the ``claims``."""
    others = tuple(claim for claim in claims if claim.id != article_id)
    return Claimant(article_id, others, content or NO_CONTENT)


Found = Claimant | Literal["failure"] | None


class Duplicates:
    """Settles the ids of articles, which have to come in the order of their ids.

    ``find`` returns the article of an id that the archive holds captures of: None if it holds none,
    "failure" if none of them is an article. Recent results are kept.
    """

    def __init__(self, find: Callable[[str], Found]) -> None:
        self._find = find
        self._recent: OrderedDict[str, Found] = OrderedDict()
        self._takers: dict[str, Claimant] = {}
        """By id, the first page that took it."""

    def settle(self, claimant: Claimant) -> Settlement:
        """Return under which id a page is recorded, if it is."""
        self._note(claimant.id, claimant)
        step = self._step(claimant)
        if step.same_as is not None:
            kept = self._kept(claimant)
            if kept.id != claimant.id:
                return Settlement(claimant.id, duplicate_of=kept.id)
            # Pages that name each other: this one is recorded, under its own id.
            return Settlement(claimant.id, step.refused)
        if step.id == claimant.id:
            return Settlement(claimant.id, step.refused)
        taker = self._takers.setdefault(step.id, claimant)
        if taker.id == claimant.id:
            return Settlement(step.id, step.refused)
        claim = next(claim for claim in claimant.claims if claim.id == step.id)
        if claim.is_certain or taker.content.is_same(claimant.content):
            return Settlement(claimant.id, duplicate_of=step.id)
        return Settlement(claimant.id, (*step.refused, step.id))

    def _step(self, claimant: Claimant) -> _Step:
        refused: list[str] = []
        for claim in claimant.claims:
            other = self._recall(claim.id)
            if other is None:
                return _Step(None, claim.id, tuple(refused))
            if isinstance(other, Claimant) and (
                claim.is_certain or other.content.is_same(claimant.content)
            ):
                return _Step(other, claimant.id, tuple(refused))
            refused.append(claim.id)
        return _Step(None, claimant.id, tuple(refused))

    def _recall(self, article_id: str) -> Found:
        if article_id not in self._recent:
            self._note(article_id, self._find(article_id))
        return self._recent[article_id]

    def _note(self, article_id: str, found: Found) -> None:
        self._recent[article_id] = found
        if len(self._recent) > _MOST_RECENT:
            self._recent.popitem(last=False)

    def _kept(self, claimant: Claimant) -> Claimant:
        """Return the article that a page is the same as, through others if need be.

        Of pages that name each other in a circle, it is the one with the first id.
        """
        passed: list[Claimant] = []
        current: Claimant | None = claimant
        while current is not None and current not in passed:
            passed.append(current)
            current = self._step(current).same_as
        if current is None:
            return passed[-1]
        return min(passed[passed.index(current) :])

"""Several addresses, one article: the ids under which a crawl knows its articles.

Until its page is read, an article is known by the id that the link to it gives. The page then
claims ids: that of its canonical URL, and that of its address after redirects. The first claim that
holds becomes the article's id, and the others are its aliases. If an article with that id is known
already, the two are one: the earlier in crawl order is kept. A canonical URL that names an article
with another headline and another text is not believed, because some pages declare a wrong one. If
that article has not been read yet, its headline in lists has to be the page's; otherwise the two
are compared when it is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from crawler.crawl.articles import checksum, deciding_item

if TYPE_CHECKING:
    from crawler.crawl.articles import ArticleState
    from crawler.crawl.memory import Memory


# Marks, among the aliases, an id that the page of another article claimed.
_CLAIM = "claimed: "


class Claim(NamedTuple):
    """An id that a page claims; ``is_certain`` if the server led there, not just the page."""

    id: str
    is_certain: bool


class Settled(NamedTuple):
    """The outcome of settling a page: its article, the articles merged, and the ids refused.

    ``kept`` differs from the page's own article if the page is a duplicate.
    """

    kept: ArticleState
    merged: tuple[ArticleState, ...] = ()
    refused: tuple[str, ...] = ()


def _is_read(state: ArticleState) -> bool:
    """Return whether the page of an article was read, in this run or an earlier one."""
    return state.outcome == "article" or state.state in ("article", "dropped")


class Identities:
    """The aliases of the articles in ``known``, which the frontier shares."""

    def __init__(self, known: dict[str, ArticleState], memory: Memory) -> None:
        self._known = known
        self._memory = memory
        self._aliases: dict[str, str] = {}

    def resolve(self, article_id: str) -> str:
        """Return the id of the article that an id stands for."""
        while (article := self._aliases.get(article_id)) is not None:
            article_id = article
        return article_id

    def recall(self, article_ids: Iterable[str]) -> None:
        """Look up ids that this run has not met among the aliases of earlier runs."""
        self._aliases.update(self._memory.aliases(article_ids))

    def find(self, article_id: str) -> ArticleState | None:
        """Return the article that an id stands for, from this run or an earlier one."""
        if self.resolve(article_id) not in self._known:
            self.recall([article_id])
        article_id = self.resolve(article_id)
        if article_id not in self._known:
            for state in self._memory.recall([article_id]):
                self._known[state.id] = state
        return self._known.get(article_id)

    def settle(self, state: ArticleState, claims: Sequence[Claim]) -> Settled:
        """Give the article of a page the first claimed id that holds.

        ``claims`` are in order of preference, and the last is the id that the page was requested
        by. An article of an earlier run keeps its id.
        """
        refused: list[str] = []
        merged: list[ArticleState] = []
        kept, settled = state, state.revision > 0
        for claim in claims:
            other = self.find(claim.id)
            if other is None:
                if settled:
                    self._add_alias(claim.id, kept.id)
                else:
                    self.rename(state, claim.id)
            elif other is not kept:
                if not self._is_same(kept, other, claim):
                    claimant = None if _is_read(other) else self._claimant(other.id, kept)
                    if claimant is None:
                        refused.append(claim.id)
                        if not _is_read(other):
                            # Whether it is another article will show when its page is read.
                            self._add_alias(_CLAIM + other.id, kept.id)
                        continue
                    other = claimant
                if _is_read(other):
                    self.merge(kept, other)
                    merged.append(kept)
                    kept = other
                else:
                    merged.append(other)
                    if settled:
                        self.merge(other, kept)
                    else:
                        self._replace(other, state)
            settled = True
        if claims and kept is state and (claimant := self._claimant(state.id, state)):
            self.merge(state, claimant)
            return Settled(claimant, (*merged, state), tuple(refused))
        return Settled(kept, tuple(merged), tuple(refused))

    def _claimant(self, article_id: str, state: ArticleState) -> ArticleState | None:
        """Return the article whose page claimed an id before, if ``state`` has the same content."""
        claim = _CLAIM + article_id
        if claim not in self._aliases:
            self.recall([claim])
        claimant = self.find(claim) if claim in self._aliases else None
        if claimant is None or claimant is state or not _is_read(claimant):
            return None
        return claimant if self._has_same_content(claimant, state) else None

    def merge(self, merged: ArticleState, kept: ArticleState) -> None:
        """Make one article an alias of another."""
        self._absorb(merged, kept)
        self._add_alias(merged.id, kept.id)

    def _replace(self, other: ArticleState, state: ArticleState) -> None:
        """Merge an article that was not read into one that was, which takes over its id."""
        self._absorb(other, state)
        self.rename(state, other.id)

    def _absorb(self, merged: ArticleState, kept: ArticleState) -> None:
        self._known.pop(merged.id, None)
        self._memory.merge(merged, kept)
        merged.state = "merged"

    def _is_same(self, state: ArticleState, other: ArticleState, claim: Claim) -> bool:
        """Return whether the page of ``state`` is the article that it claims to be."""
        if other.state == "failure" or other.outcome == "failure":
            # That article could not be read, and its failure is on record.
            return False
        if not _is_read(other):
            return claim.is_certain or self._is_listed_as(other, state)
        if state.revision and other.revision:
            # Both have records.
            return False
        if claim.is_certain:
            return True
        return self._has_same_content(other, state)

    def _has_same_content(self, other: ArticleState, state: ArticleState) -> bool:
        content = other.content or self._memory.content_of(other.id)
        return bool(content and state.content and content.is_same(state.content))

    def _is_listed_as(self, other: ArticleState, state: ArticleState) -> bool:
        """Return whether a list gives an unread article the headline of a page."""
        listings = self._memory.listings(other)
        headlines = {listing.headline for listing in listings}
        if item := deciding_item(other, listings):
            headlines.add(item.headline)
        own = state.content.headline if state.content else None
        return own is not None and own in map(checksum, filter(None, headlines))

    def rename(self, state: ArticleState, article_id: str) -> None:
        """Give an article another id; its old one becomes an alias."""
        old_id = state.id
        if old_id == article_id:
            return
        del self._known[old_id]
        state.id = article_id
        self._known[article_id] = state
        self._memory.rename(state, old_id)
        self._add_alias(old_id, article_id)

    def _add_alias(self, alias: str, article_id: str) -> None:
        if alias != article_id:
            self._aliases[alias] = article_id
            self._memory.note_alias(alias, article_id)

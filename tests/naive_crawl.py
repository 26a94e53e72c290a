"""A slow and simple crawl, the reference for the crawl frontier.

Before each fetch, the next article is determined from all lists. The frontier must give the same
results.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from jobs import PUBLISHER, related_item

from crawler.crawl.frontier import Priority as Priority
from crawler.items import RelatedItem, Teaser

# Pages by id. Each has the articles that it lists, and a word of the headline that it gives them.
Site = dict[str, list[tuple[str, str]]]


def lists_of(site: Site, page: str) -> list[RelatedItem]:
    return [
        related_item(other, position, words)
        for position, (other, word) in enumerate(site[page], start=1)
        for words in [f"a {word} on {page}"]
    ]


def is_unavailable(article_id: str) -> bool:
    return int(article_id) % 5 == 4


@dataclass
class Node:
    """An article: its place in the crawl, and the list that determines it."""

    id: str
    order: Priority
    found_on: str | None
    item: RelatedItem | None = None
    followed: bool = True
    fetch_index: int | None = None
    fetched: bool = False
    again: bool = False
    """Whether it must be read again, because the articles it lists are at a smaller depth now."""

    @property
    def available(self) -> bool:
        return self.fetched and not is_unavailable(self.id)


@dataclass
class NaiveCrawl:
    site: Site
    depth: int = 0
    words: tuple[str, ...] = ()
    nodes: dict[str, Node] = field(default_factory=dict)
    read_depths: dict[str, int] = field(default_factory=dict)
    """The pages read, with their depths at the time."""
    level: list[Node] = field(default_factory=list)
    emitted: dict[str, Teaser] = field(default_factory=dict)

    def begin(self, depth: int, words: tuple[str, ...]) -> None:
        """Begin a run that follows headlines with one of the words, up to a depth."""
        changed = (depth, words) != (self.depth, self.words)
        self.depth, self.words, self.level = depth, words, []
        if changed:
            self.read_depths = {page: self.nodes[page].order[0] for page in self.read_depths}
            for node in self.nodes.values():
                self._judge(node)

    def seed(self, seeds: list[str]) -> list[str]:
        """Add seeds; return those that are newly waiting."""
        added = []
        for position, seed in enumerate(seeds):
            node = self.nodes.get(seed)
            if node is None:
                self.nodes[seed] = Node(seed, (0, 0, position), None)
                added.append(seed)
            elif node.found_on is not None:
                if not node.fetched and not self._waits(node):
                    added.append(seed)
                node.order, node.found_on, node.item = (0, 0, position), None, None
                node.followed, node.again = True, node.fetched
        return added

    @property
    def waiting(self) -> list[Node]:
        """The articles to fetch, in order."""
        return sorted(
            filter(self._waits, self.nodes.values()), key=lambda node: (node.order, node.id)
        )

    def take(self) -> Node:
        if not self.level:
            waiting = self.waiting
            self.level = [node for node in waiting if node.order[0] == waiting[0].order[0]]
            for node in self.level:
                if node.fetch_index is None:
                    node.fetch_index = sum(
                        other.fetch_index is not None for other in self.nodes.values()
                    )
        return self.level.pop(0)

    def answer(self, page: Node) -> list[str]:
        """Note that a page was fetched; return the ids of newly waiting articles."""
        page.fetched, page.again = True, False
        if not page.available:
            return []
        before = {node.id for node in self.waiting}
        self.read_depths[page.id] = page.order[0]
        items: dict[str, RelatedItem] = {}
        for item in lists_of(self.site, page.id):
            if item.id != page.id:
                items.setdefault(item.id, item)
        for other, item in items.items():
            node = self.nodes.setdefault(other, Node(other, (99, 0, 0), page.id))
            self._judge(node)
            order = (page.order[0] + 1, page.fetch_index, item.position)
            nearer = order[0] < node.order[0] if node.available else order < node.order
            if node.fetched and node.found_on and nearer and self._follows(item):
                node.order, node.found_on, node.item = order, page.id, item
                node.again = node.again or (node.available and order[0] < self.depth)
        after = {node.id for node in self.waiting if not node.fetched} - before
        return [other for other in items if other in after]

    def teasers(self) -> list[Teaser]:
        """Return the teasers at the end of a crawl that are new or changed."""
        unfetched = [node for node in self.nodes.values() if not node.fetched]
        teasers = [
            self._teaser(node) for node in sorted(unfetched, key=lambda node: (node.order, node.id))
        ]
        new = [teaser for teaser in teasers if self.emitted.get(teaser.id) != teaser]
        self.emitted |= {teaser.id: teaser for teaser in new}
        return new

    def _waits(self, node: Node) -> bool:
        return node.again or (not node.fetched and node.followed and node.order[0] <= self.depth)

    def _follows(self, item: RelatedItem) -> bool:
        return any(word in item.headline for word in self.words)

    def _listings(self, article_id: str) -> Iterator[tuple[Priority, str, RelatedItem]]:
        for page, depth in self.read_depths.items():
            for item in lists_of(self.site, page):
                if item.id == article_id != page:
                    yield (depth + 1, self.nodes[page].fetch_index, item.position), page, item
                    break

    def _judge(self, node: Node) -> None:
        """Find the list that determines an article's place, unless it was fetched or is a seed."""
        if node.fetched or node.found_on is None:
            return
        listings = sorted(self._listings(node.id), key=lambda listing: listing[0])
        followed = [listing for listing in listings if self._follows(listing[2])]
        node.followed = bool(followed)
        node.order, node.found_on, node.item = (followed or listings)[0]

    def _teaser(self, node: Node) -> Teaser:
        listings = sorted(self._listings(node.id), key=lambda listing: listing[0][1:])
        return Teaser(
            site=PUBLISHER.name,
            id=node.id,
            url=PUBLISHER.url_of(node.id),
            headline=node.item and node.item.headline,
            headline_raw=node.item and node.item.headline_raw,
            media_kind=node.item and node.item.kind,
            picture_url=node.item and node.item.picture_url,
            uploaded_at=node.item and node.item.uploaded_at,
            content_type=node.item and node.item.content_type,
            sort=node.item and node.item.sort,
            listed_on=tuple(page for _, page, _ in listings),
            listed_as=tuple(sorted({item.headline for _, _, item in listings})),
            depth=node.order[0],
            found_on=node.found_on,
            why="limit" if self._waits(node) else "depth" if node.followed else "pruned",
        )

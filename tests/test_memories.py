"""A frontier with a ledger, killed at any moment, ends in the same state as one in memory."""

import random
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jobs import SCOPE, new_ledger

from crawler.crawl import records
from crawler.crawl.edges import ROLES, Edge, as_item
from crawler.crawl.frontier import Frontier
from crawler.crawl.ledger.commits import Commits
from crawler.crawl.ledger.pages import Pages
from crawler.crawl.ledger.recheck import Intervals
from crawler.crawl.memory import Memory
from crawler.extraction.publishers import load
from crawler.items import ArticleRole, RelatedItem

pytestmark = [pytest.mark.usefixtures("ledger")]

SITE = load("alalam")
INTERVALS = Intervals(3600, 7200)
RUN_START = datetime.now(UTC)
# An article, its headline in a list or the text of a link to it, and the role of the link.
ListedArticle = tuple[int, str, ArticleRole]
GRAPHS = st.integers(1, 12).flatmap(
    lambda n: st.lists(
        st.lists(
            st.tuples(
                st.integers(0, n - 1),
                st.sampled_from(["no", "yes", "yes, too"]),
                st.sampled_from([*ROLES, "related"]),
            ),
            max_size=7,
        ),
        min_size=n,
        max_size=n,
    )
)


def listed_item(
    article_id: int, headline: str, role: ArticleRole, page: str, position: int
) -> RelatedItem:
    """Return an item of a list, or one made of a link of another role."""
    if role != "related":
        return as_item(Edge(page, str(article_id), role, position, None, headline, None))
    return RelatedItem(
        position=position,
        id=str(article_id),
        url=None,
        headline=headline,
        headline_raw=headline,
        kind="image",
        picture_url=None,
        uploaded_at=f"2015-10-{10 + len(headline) + position % 2}T12:00:00+03:30",
        content_type=str(position),
        sort=None,
    )


class Crawl:
    """A crawl of a graph, which may be killed and continued from a ledger."""

    def __init__(
        self,
        graph: list[list[ListedArticle]],
        roles: tuple[ArticleRole, ...],
        depth: int,
        concurrency: int,
        seed: int,
    ) -> None:
        self.graph, self.roles, self.depth, self.concurrency = graph, roles, depth, concurrency
        self.random = random.Random(seed)
        self.found: dict[str, tuple[int, str | None]] = {}
        """The depth of each article read, and the page it was found on."""

    def run(self, memory: Memory | None, pages: int) -> Frontier:
        """Fetch at most this many pages; return the frontier in its state after them."""
        frontier = Frontier(
            self.depth,
            0,
            lambda item: "yes" in (item.headline_raw or ""),
            memory,
            roles=self.roles,
        )
        frontier.seed(["0"])
        in_progress: list[str] = []
        while (frontier.has_more or in_progress) and pages:
            while len(in_progress) < self.concurrency and (state := frontier.take()) is not None:
                in_progress.append(state.id)
            page = in_progress.pop(self.random.randrange(len(in_progress)))
            for role in self.roles:
                items = [
                    listed_item(*listed_article, page, position)
                    for position, listed_article in enumerate(self.graph[int(page)], start=1)
                    if listed_article[2] == role
                ]
                frontier.add_links(page, items, role=role)
            frontier.memory.leave(frontier.known[page], "dropped")
            frontier.done(page)
            self.found[page] = frontier.known[page].depth, frontier.known[page].found_on
            pages -= 1
        return frontier


def teasers(frontier: Frontier) -> dict[str, Any]:
    """Return the teasers at the end of a crawl."""
    return {
        state.id: records.teaser(state, why, listings, SCOPE)
        for state, why, listings in frontier.unfetched()
    }


@pytest.mark.slow
@settings(max_examples=60)
@given(
    GRAPHS,
    st.sampled_from([ROLES, ROLES, ("related",), ("text", "translation")]),
    st.integers(0, 4),
    st.integers(1, 5),
    st.integers(),
    st.lists(st.integers(1, 4)),
)
def test_a_ledger_and_a_memory_agree(
    graph: list[list[ListedArticle]],
    roles: tuple[ArticleRole, ...],
    depth: int,
    concurrency: int,
    seed: int,
    kills: list[int],
) -> None:
    undisturbed = Crawl(graph, roles, depth, 1, 0)
    expected = teasers(undisturbed.run(None, -1))
    assert teasers(Crawl(graph, roles, depth, concurrency, seed).run(None, -1)) == expected
    crawl = Crawl(graph, roles, depth, concurrency, seed)
    with tempfile.TemporaryDirectory() as folder:
        for number, pages in enumerate([*kills, -1], start=1):
            database = new_ledger(Path(folder))
            memory = Pages(Commits(database, number, 0), RUN_START, INTERVALS)
            frontier = crawl.run(memory, pages)
            if crawl.random.random() < 0.7 or pages < 0:
                memory.commits.flush()
            if pages < 0:
                assert memory.commits.failed is None
                assert teasers(frontier) == expected
            database.close()
    assert crawl.found == undisturbed.found

"""A frontier with a ledger, killed at any moment, ends in the same state as one that keeps
everything in memory.
"""

import random
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from jobs import opened

from crawler.crawl import records
from crawler.crawl.frontier import Frontier, Memory
from crawler.crawl.ledger.commits import Commits
from crawler.crawl.ledger.pages import Pages
from crawler.crawl.ledger.recheck import Intervals
from crawler.extraction.publishers import load
from crawler.items import RelatedItem

SITE = load("alalam")
INTERVALS = Intervals(3600, 7200)
BEGAN = datetime.now(UTC)
# An article, and its headline in a list.
Listed = tuple[int, str]
GRAPHS = st.integers(1, 12).flatmap(
    lambda n: st.lists(
        st.lists(
            st.tuples(st.integers(0, n - 1), st.sampled_from(["no", "yes", "yes, too"])), max_size=7
        ),
        min_size=n,
        max_size=n,
    )
)


def item(article_id: int, words: str, position: int) -> RelatedItem:
    return RelatedItem(
        position=position,
        id=str(article_id),
        url=None,
        headline=words,
        headline_raw=words,
        kind="image",
        picture_url=None,
        uploaded_at=f"2015-10-{10 + len(words) + position % 2}T12:00:00+03:30",
        content_type=str(position),
        sort=None,
    )


class Crawl:
    """A crawl of a graph, which may be killed and continued from a ledger."""

    def __init__(self, graph: list[list[Listed]], depth: int, at_once: int, seed: int) -> None:
        self.graph, self.depth, self.at_once = graph, depth, at_once
        self.chance = random.Random(seed)
        self.found: dict[str, tuple[int, str | None]] = {}
        """The depth of each article read, and the page it was found on."""

    def run(self, memory: Memory | None, pages: int) -> Frontier:
        """Fetch at most this many pages; return the frontier in its state after them."""
        crawled = Frontier(self.depth, 0, lambda listed: "yes" in (listed.headline or ""), memory)
        crawled.seed(["0"])
        flying: list[str] = []
        while (crawled.has_more or flying) and pages:
            while len(flying) < self.at_once and (sighting := crawled.take()) is not None:
                flying.append(sighting.id)
            page = flying.pop(self.chance.randrange(len(flying)))
            listed = enumerate(self.graph[int(page)], start=1)
            crawled.add_links(page, [item(*other, position) for position, other in listed])
            crawled.memory.leave(crawled.known[page], "dropped")
            crawled.done(page)
            self.found[page] = crawled.known[page].depth, crawled.known[page].found_on
            pages -= 1
        return crawled


def state(crawled: Frontier) -> dict[str, Any]:
    """Return the teasers at the end of a crawl."""
    return {
        sighting.id: records.teaser(sighting, why, listings, SITE)
        for sighting, why, listings in crawled.unfetched()
    }


@settings(deadline=None, max_examples=60)
@given(GRAPHS, st.integers(0, 4), st.integers(1, 5), st.integers(), st.lists(st.integers(1, 4)))
def test_a_ledger_and_a_memory_agree(
    graph: list[list[Listed]], depth: int, at_once: int, seed: int, kills: list[int]
) -> None:
    undisturbed = Crawl(graph, depth, 1, 0)
    expected = state(undisturbed.run(None, -1))
    assert state(Crawl(graph, depth, at_once, seed).run(None, -1)) == expected
    crawl = Crawl(graph, depth, at_once, seed)
    with tempfile.TemporaryDirectory() as name:
        for number, pages in enumerate([*kills, -1], start=1):
            database = opened(Path(name))
            memory = Pages(Commits(database, number, 0), BEGAN, INTERVALS)
            found = crawl.run(memory, pages)
            if crawl.chance.random() < 0.7 or pages < 0:
                memory.commits.flush()
            if pages < 0:
                assert memory.commits.failed is None
                assert state(found) == expected
            database.close()
    assert crawl.found == undisturbed.found

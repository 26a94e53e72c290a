"""The frontier: breadth first, and the same whatever the order of the answers."""

import random

from hypothesis import given
from hypothesis import strategies as st

from crawler.frontier import Frontier
from crawler.items import RelatedItem


def item(article_id: int, position: int) -> RelatedItem:
    return RelatedItem(
        position=position,
        id=str(article_id),
        url=None,
        headline=None,
        headline_raw=f"headline {article_id}",
        kind="image",
        picture_url=None,
        uploaded_at=None,
        content_type=None,
        sort=None,
    )


def crawl(
    graph: list[list[int]], depth: int, limit: int, at_once: int, chance: random.Random
) -> tuple[list[str], dict[str, object]]:
    """Crawl a graph with answers that come in any order; return the order of fetching and what is known of each."""
    frontier = Frontier(depth, limit, lambda related: int(related.id or 0) % 7 != 3)
    frontier.seed(["0"])
    taken: list[str] = []
    flying: list[str] = []
    while frontier.has_more or flying:
        while len(flying) < at_once and (sighting := frontier.take()) is not None:
            flying.append(sighting.id)
            taken.append(sighting.id)
        page = flying.pop(chance.randrange(len(flying)))
        frontier.list(page, [item(other, n) for n, other in enumerate(graph[int(page)], start=1)])
        frontier.settle(page)
        frontier.known[page].state = "article"
    why = {sighting.id: why for sighting, why, _ in frontier.unfetched()}
    known = {s.id: (s.depth, s.found_on, why.get(s.id)) for s in frontier.known.values()}
    return taken, known


GRAPHS = st.integers(1, 25).flatmap(
    lambda n: st.lists(
        st.lists(st.integers(0, n - 1), max_size=6, unique=True), min_size=n, max_size=n
    )
)


@given(GRAPHS, st.integers(0, 4), st.integers(0, 10), st.integers(1, 8), st.integers())
def test_the_order_of_answers_changes_nothing(
    graph: list[list[int]], depth: int, limit: int, at_once: int, seed: int
) -> None:
    one_by_one = crawl(graph, depth, limit, 1, random.Random(0))
    assert crawl(graph, depth, limit, at_once, random.Random(seed)) == one_by_one


@given(GRAPHS, st.integers(0, 4), st.integers(0, 10))
def test_breadth_first_and_everything_accounted_for(
    graph: list[list[int]], depth: int, limit: int
) -> None:
    taken, known = crawl(graph, depth, limit, 1, random.Random(0))
    depths = [known[article_id][0] for article_id in taken]
    assert depths == sorted(depths)
    assert len(taken) == len(set(taken))
    assert not limit or len(taken) <= limit
    fetched = {article_id for article_id, (_, _, why) in known.items() if why is None}
    assert fetched == set(taken)
    listed = {str(other) for page in taken for other in graph[int(page)]} | {"0"}
    assert set(known) == listed
    if not limit:
        reach = {"0"}
        edge = {"0"}
        for _ in range(depth):
            edge = {str(o) for page in edge for o in graph[int(page)] if o % 7 != 3} - reach
            reach |= edge
        assert set(taken) == reach

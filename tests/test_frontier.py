"""Test that the frontier is breadth first, and independent of the order of responses."""

import copy
import random
from contextlib import closing
from dataclasses import dataclass

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jobs import SCOPE, article, failure, folder_in_memory, place_in, related_item, running_job
from naive_crawl import NaiveCrawl, Site, is_unavailable, lists_of

from crawler.crawl import records
from crawler.crawl.articles import ArticleState
from crawler.crawl.frontier import Frontier, Rest
from crawler.crawl.ledger import history
from crawler.crawl.ledger.job import read
from crawler.crawl.ledger.pages import Pages
from crawler.items import Record, RelatedItem, Teaser

pytestmark = [pytest.mark.usefixtures("ledger")]


def crawl(
    graph: list[list[int]], depth: int, limit: int, at_once: int, chance: random.Random
) -> tuple[list[str], dict[str, object]]:
    """Crawl a graph with responses in any order; return the fetch order and the final states."""
    frontier = Frontier(depth, limit, lambda item: int(item.id or 0) % 7 != 3)
    frontier.seed(["0"])
    order: list[str] = []
    in_flight: list[str] = []
    while frontier.has_more or in_flight:
        while len(in_flight) < at_once and (state := frontier.take()) is not None:
            in_flight.append(state.id)
            order.append(state.id)
        page = in_flight.pop(chance.randrange(len(in_flight)))
        frontier.add_links(
            page, [related_item(str(other), n) for n, other in enumerate(graph[int(page)], start=1)]
        )
        frontier.done(page)
        frontier.known[page].state = "article"
    why = {state.id: why for state, why, _ in frontier.unfetched()}
    discovered = {s.id: (s.depth, s.found_on, why.get(s.id)) for s in frontier.known.values()}
    return order, discovered


GRAPHS = st.integers(1, 25).flatmap(
    lambda n: st.lists(
        st.lists(st.integers(0, n - 1), max_size=6, unique=True), min_size=n, max_size=n
    )
)


@given(GRAPHS, st.integers(0, 4), st.integers(0, 10), st.integers(1, 8), st.integers())
def test_the_order_of_responses_changes_nothing(
    graph: list[list[int]], depth: int, limit: int, at_once: int, seed: int
) -> None:
    one_by_one = crawl(graph, depth, limit, 1, random.Random(0))
    assert crawl(graph, depth, limit, at_once, random.Random(seed)) == one_by_one


@given(GRAPHS, st.integers(0, 4), st.integers(0, 10))
def test_breadth_first_and_everything_accounted_for(
    graph: list[list[int]], depth: int, limit: int
) -> None:
    order, discovered = crawl(graph, depth, limit, 1, random.Random(0))
    depths = [discovered[article_id][0] for article_id in order]
    assert depths == sorted(depths)
    assert len(order) == len(set(order))
    assert not limit or len(order) <= limit
    fetched = {article_id for article_id, (_, _, why) in discovered.items() if why is None}
    assert fetched == set(order)
    listed = {str(other) for page in order for other in graph[int(page)]} | {"0"}
    assert set(discovered) == listed
    if not limit:
        reach = {"0"}
        edge = {"0"}
        for _ in range(depth):
            edge = {str(o) for page in edge for o in graph[int(page)] if o % 7 != 3} - reach
            reach |= edge
        assert set(order) == reach


SITES: st.SearchStrategy[Site] = st.integers(1, 8).flatmap(
    lambda n: st.lists(
        st.lists(
            st.tuples(st.integers(0, n - 1).map(str), st.sampled_from(["ship", "train"])),
            max_size=5,
        ),
        min_size=n,
        max_size=n,
    ).map(lambda lists: {str(number): listed for number, listed in enumerate(lists)})
)


@dataclass
class Run:
    """The parameters of one run. It is killed after ``pages`` fetches, unless that is None."""

    depth: int
    limit: int
    words: tuple[str, ...]
    seeds: list[int]
    recheck: str = "due"
    pages: int | None = None
    commits: int = 1
    """The number of fetches between commits."""

    def follows(self, item: RelatedItem) -> bool:
        return any(word in (item.headline or "") for word in self.words)


RUNS = st.builds(
    Run,
    depth=st.integers(0, 4),
    limit=st.sampled_from([0, 0, 1, 2, 3, 5]),
    words=st.sampled_from([("ship",), ("ship", "train"), ("ship", "train")]),
    seeds=st.lists(st.integers(0, 7), min_size=1, max_size=2),
    recheck=st.sampled_from(["due", "none"]),
    pages=st.sampled_from([None, None, None, 0, 1, 2, 4]),
    commits=st.integers(1, 4),
)


def fetch(frontier: Frontier, state: ArticleState, site: Site) -> list[str]:
    """Record a page as a crawl does; return the ids to fetch because of it."""
    added: list[str] = []
    record: Record
    if is_unavailable(state.id):
        record = failure(state.id, "timeout")
    else:
        items = lists_of(site, state.id)
        added = frontier.add_links(state.id, items)
        record = article(state.id, related=tuple(items))
    frontier.memory.store(state, record, record)
    frontier.done(state.id)
    return added


def emit_teasers(frontier: Frontier) -> list[Teaser]:
    """Return the teasers that are new or changed at the end of a run."""
    teasers = [
        (state, records.teaser(state, why, listings, SCOPE))
        for state, why, listings in frontier.unfetched()
    ]
    return [teaser for state, teaser in teasers if frontier.memory.store(state, teaser, teaser)]


def follow(frontier: Frontier, naive: NaiveCrawl, run: Run) -> list[NaiveCrawl]:
    """Crawl in step with the naive crawl, comparing each page.

    Return the states of the naive crawl after each fetch.
    """
    seeds = [str(seed % len(naive.site)) for seed in run.seeds]
    assert frontier.seed(seeds) == naive.seed(list(dict.fromkeys(seeds)))
    after = [copy.deepcopy(naive)]
    rests: list[Rest | None] = []
    while run.pages is None or frontier.taken < run.pages:
        waiting = len(naive.waiting)
        full = run.limit > 0 and frontier.taken == run.limit
        assert frontier.queued == (
            min(waiting, run.limit - frontier.taken) if run.limit else waiting
        )
        assert frontier.has_more == (waiting > 0 and not full)
        assert frontier.room(3) == (
            min(3, max(0, run.limit - frontier.taken - waiting)) if run.limit else 3
        )
        state = frontier.take()
        if state is None:
            assert full or not waiting
            break
        node = naive.take()
        assert (state.id, state.priority, state.found_on) == (
            node.id,
            node.order,
            node.found_on,
        )
        rests.append(frontier.rest)
        assert fetch(frontier, state, naive.site) == naive.answer(node)
        assert frontier.rest is None
        after.append(copy.deepcopy(naive))
        if isinstance(frontier.memory, Pages) and frontier.taken % run.commits == 0:
            frontier.memory.commits.flush()
    if not frontier.has_more:
        for pages, rest in zip(range(len(rests), 0, -1), rests, strict=True):
            if rest is not None:
                assert rest.pages == pages if rest.is_exact else rest.pages >= pages
        assert run.limit == 0 or None not in rests
    return after


@given(SITES, RUNS)
def test_one_run_matches_a_naive_crawl(site: Site, run: Run) -> None:
    naive = NaiveCrawl(site)
    naive.begin(run.depth, run.words)
    run.pages = None
    frontier = Frontier(run.depth, run.limit, run.follows)
    follow(frontier, naive, run)
    assert frontier.discovered == len(naive.nodes)
    assert frontier.unrecorded == ()
    assert emit_teasers(frontier) == naive.teasers()


# Page 2 comes before page 1 in the crawl; as a seed, it lists 3 at the same depth as page 1 does.
AS_NEAR: Site = {"0": [("2", "ship")], "1": [("3", "ship")], "2": [("3", "ship")], "3": []}
BOTH = ("ship", "train")


# Page 3 lists 1 after page 0 did. The listing on page 3 counts once trains are not followed, and is
# recorded one run later.
RECORDED_LATER: Site = {
    "0": [("3", "ship"), ("1", "train")],
    "1": [],
    "2": [("1", "train")],
    "3": [("1", "ship")],
}


@pytest.mark.slow
@settings(max_examples=80)
@example(
    RECORDED_LATER,
    [Run(2, 5, BOTH, [0], pages=2, commits=2), *[Run(0, 2, ("ship",), [2, 0], "none")] * 2],
)
@example(AS_NEAR, [Run(1, 0, BOTH, [0]), Run(1, 0, BOTH, [1]), Run(1, 0, BOTH, [2])])
# The items listed by page 3 are too deep, wherever the page is found.
@example(AS_NEAR, [Run(2, 0, BOTH, [0]), Run(1, 0, BOTH, [2])])
@given(SITES, st.lists(RUNS, min_size=2, max_size=5))
def test_many_runs_of_a_job_match_a_naive_crawl(site: Site, runs: list[Run]) -> None:
    naive = NaiveCrawl(site)
    with folder_in_memory() as folder:
        for number, run in enumerate(runs, start=1):
            arguments = {"depth": str(run.depth), "words": " ".join(run.words)}
            with running_job(folder, arguments, run.recheck, run.limit) as job:
                assert job.run is not None and job.run.number == number
                assert job.pages is not None
                frontier = Frontier(run.depth, run.limit, run.follows, job.pages)
                if naive.nodes and (naive.depth, naive.words) != (run.depth, run.words):
                    frontier.reconsider()
                    job.note_reconsidered()
                naive.begin(run.depth, run.words)
                before = copy.deepcopy(naive)
                after = follow(frontier, naive, run)
                assert frontier.unrecorded == ()
                if run.pages is None:
                    if not naive.waiting:
                        assert emit_teasers(frontier) == naive.teasers()
                    assert list(frontier.unfetched()) == []
                    job.pages.commits.flush()
                    job.end(job.run, "finished")
                    assert job.outcomes(job.run).total() == len(after) - 1
                    with job.database.snapshot() as connection:
                        for node in naive.nodes.values():
                            page = history.page(connection, node.id)
                            order = page.depth, page.lister, page.position
                            assert (order, page.found_on, page.place, page.queued) == (
                                node.order,
                                node.found_on,
                                node.fetch_index,
                                node in naive.waiting,
                            )
            if run.pages is not None:
                # The ledger has the fetches up to the last commit, or later ones too.
                with (
                    closing(read(place_in(folder))) as database,
                    database.snapshot() as connection,
                ):
                    stored_count = history.outcomes(connection, number).total()
                fetch_count = len(after) - 1
                assert fetch_count - fetch_count % run.commits <= stored_count <= fetch_count
                naive = after[stored_count] if fetch_count else before

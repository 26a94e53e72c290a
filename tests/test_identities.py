"""Several addresses of one article: it is read once, whatever the order of the responses."""

import random
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jobs import LIVE, article, failure, folder_in_memory, place_in, related_item, running_job

from crawler.crawl import records
from crawler.crawl.articles import ArticleState, Content, Lane
from crawler.crawl.frontier import Frontier
from crawler.crawl.identities import Claim
from crawler.crawl.ledger import history
from crawler.crawl.ledger.job import read
from crawler.items import RelatedItem

pytestmark = [pytest.mark.usefixtures("ledger")]

HOSTS = ("www", "m", "sport")
# How a page at an address tells its article: by a redirect, by a canonical URL, or not at all.
REDIRECTS, CANONICAL, SILENT = "redirects", "canonical", "silent"


@dataclass(frozen=True)
class Address:
    """An address: the article that it leads to, and how that shows."""

    name: str
    article: int
    how: str
    host: str


@dataclass
class Web:
    """A publisher's articles, each at one or several addresses, and the addresses they list."""

    addresses: dict[str, Address]
    links: list[list[str]]

    def address_of(self, state: ArticleState) -> Address:
        """Return the address by which an article is requested."""
        return self.addresses[state.url.rpartition("/")[2] if state.url else state.id]

    def claims(self, address: Address) -> list[Claim]:
        main = Claim(f"a{address.article}", is_certain=address.how == REDIRECTS)
        own = Claim(address.name, is_certain=True)
        return [own] if address.how == SILENT or main.id == own.id else [main, own]


class OneLanePerHost:
    """A scope that follows everything."""

    def __init__(self, web: Web) -> None:
        self.web = web

    def reason_against(self, item: RelatedItem, *_: object) -> None:
        return None

    def lane_of(self, state: ArticleState) -> Lane:
        return Lane(self.web.address_of(state).host, "publisher")


@st.composite
def webs(draw: st.DrawFn) -> Web:
    addresses: dict[str, Address] = {}
    count = draw(st.integers(1, 7))
    for number in range(count):
        kinds = draw(st.lists(st.sampled_from([REDIRECTS, CANONICAL]), max_size=3))
        for position, how in enumerate([SILENT, *kinds]):
            name = f"a{number}" if not position else f"a{number}-{position}"
            host = draw(st.sampled_from(HOSTS))
            addresses[name] = Address(name, number, how, host)
    one_address = st.sampled_from(sorted(addresses))
    return Web(addresses, [draw(st.lists(one_address, max_size=6)) for _ in range(count)])


def crawl(
    web: Web, frontier: Frontier, seeds: list[str], at_once: int, chance: random.Random, pages: int
) -> dict[str, tuple[int, str | None, str]]:
    """Crawl like the spider; return the depth, finder and address of each article."""
    frontier.seed(seeds)
    in_flight: list[ArticleState] = []
    answered: list[ArticleState] = []
    busy: set[str] = set()
    found: dict[str, tuple[int, str | None, str]] = {}
    while pages and (frontier.has_more or in_flight or answered):
        pages -= 1
        while len(in_flight) < at_once:
            state = frontier.take(lambda lane: lane.host not in busy)
            if state is None:
                break
            busy.add(state.lane.host)
            in_flight.append(state)
        if in_flight:
            state = in_flight.pop(chance.randrange(len(in_flight)))
            busy.discard(state.lane.host)
            answered.append(state)
        while ready := [state for state in answered if frontier.is_next(state)]:
            answered.remove(ready[0])
            read_page(web, frontier, ready[0], found)
    return found


def read_page(
    web: Web, frontier: Frontier, state: ArticleState, found: dict[str, tuple[int, str | None, str]]
) -> None:
    if state.state != "merged":
        address = web.address_of(state)
        headline = f"About article {address.article}"
        state.content = records.content_of(headline, None)
        if frontier.settle(state, web.claims(address)).kept is state:
            state.outcome = "article"
            listed = (
                related_item(name, position)
                for position, name in enumerate(web.links[address.article], start=1)
            )
            frontier.add_links(state.id, [with_url(item) for item in listed])
            record = article(state.id, headline=headline)
            frontier.memory.store(state, record, record)
            assert state.id not in found
            found[state.id] = state.depth, state.found_on, address.name
    frontier.finish(state)


def with_url(item: RelatedItem) -> RelatedItem:
    return RelatedItem(
        **{**{f: getattr(item, f) for f in item.__slots__}, "url": f"http://web/{item.id}"}
    )


@contextmanager
def frontiers(web: Web, depth: int, ledger: bool) -> Iterator[Frontier]:
    scope = OneLanePerHost(web)
    if not ledger:
        yield Frontier(depth, 0, lambda item: True, scope=scope)
        return
    with folder_in_memory() as folder:
        with running_job(folder, LIVE) as job:
            assert job.pages is not None
            yield Frontier(depth, 0, lambda item: True, job.pages, scope=scope)
            job.pages.commits.flush()
            assert job.pages.commits.failed is None
        with closing(read(place_in(folder))) as database, database.snapshot() as connection:
            assert history.balance(connection).wrong == []


@pytest.mark.slow
@given(webs(), st.integers(0, 3), st.integers(1, 4), st.integers(), st.data())
def test_the_order_of_responses_changes_nothing(
    web: Web, depth: int, at_once: int, seed: int, data: st.DataObject
) -> None:
    seeds = data.draw(st.lists(st.sampled_from(sorted(web.addresses)), min_size=1, max_size=2))
    results = []
    for width, chance, ledger in ((1, 0, False), (at_once, seed, False), (at_once, seed, True)):
        with frontiers(web, depth, ledger) as frontier:
            found = crawl(web, frontier, seeds, width, random.Random(chance), 1000)
            discovered = frontier.discovered
            unfetched = [(s.id, s.depth, s.found_on) for s, _, _ in frontier.unfetched()]
        results.append((found, discovered, unfetched))
    assert results[0] == results[1] == results[2]


@given(webs(), st.integers(), st.randoms())
def test_aliases_in_any_order_give_the_same_articles(
    web: Web, seed: int, order: random.Random
) -> None:
    """With all addresses as seeds, each article is found once, whichever comes first."""
    seeds = sorted(web.addresses)
    mains = [f"a{number}" for number in range(len(web.links))]
    for _ in range(3):
        with frontiers(web, 0, ledger=False) as frontier:
            found = crawl(web, frontier, seeds, 3, random.Random(seed), 1000)
            states = [frontier.find(main) for main in mains]
            assert {state.id for state in states if state} == set(found)
            assert len(found) == frontier.discovered == len(mains)
            assert all(frontier.find(name) in states for name in seeds)
        order.shuffle(seeds)


@pytest.mark.slow
@settings(max_examples=60)
@given(webs(), st.integers(0, 3), st.integers(1, 12), st.integers())
def test_a_killed_crawl_ends_like_another(web: Web, depth: int, pages: int, seed: int) -> None:
    seeds = ["a0"]
    scope = OneLanePerHost(web)
    with frontiers(web, depth, ledger=False) as frontier:
        expected = crawl(web, frontier, seeds, 1, random.Random(0), 1000)
    with folder_in_memory() as folder:
        found: dict[str, tuple[int, str | None, str]] = {}
        for most in (pages, pages, 1000):
            with running_job(folder, LIVE, recheck="none") as job:
                assert job.pages is not None
                frontier = Frontier(depth, 0, lambda item: True, job.pages, scope=scope)
                found |= crawl(web, frontier, seeds, 3, random.Random(seed), most)
                job.pages.commits.flush()
        with closing(read(place_in(folder))) as database, database.snapshot() as connection:
            balance = history.balance(connection)
            assert balance.wrong == []
            for alias in web.addresses:
                article_id = history.resolve(connection, alias)
                assert article_id == alias or article_id in found or article_id not in expected
    assert found == expected
    assert balance.articles == len(expected)


def frontier_with(*ids: str) -> tuple[Frontier, list[ArticleState]]:
    frontier = Frontier(1, 0, lambda item: True)
    frontier.seed(ids)
    states = [frontier.take() for _ in ids]
    return frontier, [state for state in states if state]


def test_a_canonical_that_names_an_article_with_other_content_is_refused() -> None:
    frontier, (one, two) = frontier_with("one", "two")
    one.content, one.outcome = Content(1, 1), "article"
    two.content = Content(2, 2)
    settled = frontier.settle(two, [Claim("one", is_certain=False), Claim("two", is_certain=True)])
    assert (settled.kept, settled.refused, two.id) == (two, ("one",), "two")
    assert frontier.discovered == 2


@pytest.mark.parametrize("same", [Content(1, 9), Content(9, 1)])
def test_a_canonical_that_names_an_article_with_the_same_content(same: Content) -> None:
    frontier, (one, two) = frontier_with("one", "two")
    one.content, one.outcome = Content(1, 1), "article"
    two.content = same
    settled = frontier.settle(two, [Claim("one", is_certain=False), Claim("two", is_certain=True)])
    assert (settled.kept, two.state) == (one, "merged")
    assert frontier.discovered == 1
    assert frontier.find("two") is one


def test_a_canonical_that_names_an_article_that_is_not_read_yet() -> None:
    """Its headline in a list tells whether it is the same; otherwise its own page will."""
    for headline, same_list, same_page in (
        ("One", True, True),
        ("1", False, True),
        ("1", False, False),
    ):
        frontier = Frontier(1, 0, lambda item: True)
        frontier.seed(["lister"])
        lister = frontier.take()
        assert lister is not None
        frontier.add_links("lister", [related_item("two"), related_item("one", 2, headline)])
        frontier.finish(lister)
        two = frontier.take()
        assert two is not None and two.id == "two"
        two.content = records.content_of("One", None)
        claims = [Claim("one", is_certain=False), Claim("two", is_certain=True)]
        assert frontier.settle(two, claims).refused == (() if same_list else ("one",))
        two.outcome = "article"
        if same_list:
            assert (two.id, frontier.take()) == ("one", None)
            continue
        one = frontier.take()
        assert one is not None and one.id == "one"
        one.content = records.content_of("One" if same_page else "Another", None)
        kept = frontier.settle(one, [Claim("one", is_certain=True)]).kept
        assert kept is (two if same_page else one)
        assert frontier.find("one") is kept


def test_an_article_whose_new_id_sorts_later(tmp_path: Path) -> None:
    """It is not handed out twice, although its record is not stored when the next are looked up."""
    with running_job(tmp_path, LIVE) as job:
        assert job.pages is not None
        frontier = Frontier(1, 0, lambda item: True, job.pages)
        frontier.seed(["a"])
        state = frontier.take()
        assert state is not None
        state.content = Content(1, 1)
        frontier.settle(state, [Claim("z", is_certain=True), Claim("a", is_certain=True)])
        frontier.add_links("z", [related_item("b"), related_item("c", 2)])
        frontier.finish(state)
        taken = [frontier.take(), frontier.take(), frontier.take()]
        assert [one and one.id for one in taken] == ["b", "c", None]


def test_an_article_that_could_not_be_read_is_not_taken_for_another() -> None:
    frontier, (one, two) = frontier_with("one", "two")
    record = failure("one", "gone")
    frontier.memory.store(one, record, record)
    two.content = Content(2, 2)
    settled = frontier.settle(two, [Claim("one", is_certain=True), Claim("two", is_certain=True)])
    assert (settled.kept, settled.refused) == (two, ("one",))


def test_a_page_lists_another_address_of_itself() -> None:
    frontier, (one,) = frontier_with("one")
    one.content = Content(1, 1)
    frontier.settle(one, [Claim("main", is_certain=True), Claim("one", is_certain=True)])
    assert one.id == "main"
    assert frontier.add_links("main", [related_item("one"), related_item("other", 2)]) == ["other"]

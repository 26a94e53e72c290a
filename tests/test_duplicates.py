"""Test which pages of an archive are settled to be the same article."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.crawl.articles import Content
from crawler.crawl.duplicates import Claimant, Duplicates, Settlement
from crawler.crawl.identities import Claim

BRIDGE, FERRY = Content(1, 10), Content(2, 20)


def page(name: str, *claims: str, content: Content = BRIDGE) -> Claimant:
    """Return an article; a claim that ends in an exclamation mark is certain."""
    ids = tuple(Claim(claim.rstrip("!"), claim.endswith("!")) for claim in claims)
    return Claimant(name, ids, content)


def settled(*pages: Claimant, failed: str = "") -> dict[str, Settlement]:
    known = {one.id: one for one in pages}
    duplicates = Duplicates(lambda name: known.get(name) or ("failure" if name in failed else None))
    return {name: duplicates.settle(known[name]) for name in sorted(known)}


CASES = {
    "no claim": ([page("a")], {"a": Settlement("a")}),
    "a free id": ([page("a", "m")], {"a": Settlement("m")}),
    "an id of the same article": (
        [page("a", "m"), page("m")],
        {"a": Settlement("a", duplicate_of="m"), "m": Settlement("m")},
    ),
    "an id of another article": (
        [page("a", "m"), page("m", content=FERRY)],
        {"a": Settlement("a", ("m",)), "m": Settlement("m")},
    ),
    "an id of another article, to which the server led": (
        [page("a", "m!"), page("m", content=FERRY)],
        {"a": Settlement("a", duplicate_of="m"), "m": Settlement("m")},
    ),
    "a second claim": (
        [page("a", "m", "n"), page("m", content=FERRY)],
        {"a": Settlement("n", ("m",)), "m": Settlement("m")},
    ),
    "one free id of several pages": (
        [page("a", "m"), page("b", "m", content=FERRY), page("z", "m")],
        {
            "a": Settlement("m"),
            "b": Settlement("b", ("m",)),
            "z": Settlement("z", duplicate_of="m"),
        },
    ),
    "a chain": (
        [page("a", "b"), page("b", "c"), page("c")],
        {
            "a": Settlement("a", duplicate_of="c"),
            "b": Settlement("b", duplicate_of="c"),
            "c": Settlement("c"),
        },
    ),
    "a chain that ends in a free id": (
        [page("a", "b"), page("b", "m")],
        {"a": Settlement("a", duplicate_of="b"), "b": Settlement("m")},
    ),
    "pages that name each other": (
        [page("a", "b"), page("b", "a")],
        {"a": Settlement("a"), "b": Settlement("b", duplicate_of="a")},
    ),
    "a circle, and a page that leads into it": (
        [page("a", "d"), page("b", "c"), page("c", "d"), page("d", "b")],
        {
            "a": Settlement("a", duplicate_of="b"),
            "b": Settlement("b"),
            "c": Settlement("c", duplicate_of="b"),
            "d": Settlement("d", duplicate_of="b"),
        },
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_settlements(case: str) -> None:
    pages, expected = CASES[case]
    assert settled(*pages) == expected


def test_a_claimed_article_that_failed() -> None:
    assert settled(page("a", "m"), failed="m") == {"a": Settlement("a", ("m",))}


def claims_an_id(claim: Claim) -> bool:
    return claim.id != ""


NAMES = "abcdefgh"
PAGES = st.lists(
    st.builds(
        page,
        st.sampled_from(NAMES),
        st.sampled_from(["", *NAMES, "x", "y", "c!", "f!", "x!"]).map(str),
        content=st.sampled_from([BRIDGE, FERRY, Content(None, None)]),
    ).map(
        lambda one: one._replace(claims=tuple(c for c in one.claims if c.id not in ("", one.id)))
    ),
    unique_by=lambda one: one.id,
)


@given(PAGES)
def test_nothing_is_lost_and_nothing_is_twice(pages: list[Claimant]) -> None:
    found = settled(*pages)
    recorded = {name: one.id for name, one in found.items() if one.duplicate_of is None}
    assert len(set(recorded.values())) == len(recorded)
    for name, one in found.items():
        names = set(chain_of(name, found))
        # A duplicate leads to an article that is recorded, under its own id or another one.
        assert one.duplicate_of is None or names & {*recorded, *recorded.values()}


def chain_of(name: str, found: dict[str, Settlement]) -> Iterator[str]:
    while (of := found[name].duplicate_of) is not None:
        yield of
        if of not in found:
            return
        name = of

"""Crawls that follow links by their roles: related items, links in texts and translations."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, NamedTuple

import pytest
from conftest import Run, WebCrawl
from hosted import Site
from stories import TEXT, pages

HOST, OTHER_HOST = "www.news.example", "www.other.example"
ROLES = ("related", "text", "translation")
FOLLOWS = [",".join(roles) for size in (1, 2, 3) for roles in combinations(ROLES, size)]


class Story(NamedTuple):
    """The links of a story, by the names of the stories that they lead to."""

    related: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    translation: tuple[str, ...] = ()


# "both" is listed and cited by the seed, and "cited" is nearer by a text than by related items.
STORIES = {
    "seed": Story(("alpha", "both"), ("cited", "both", "seed"), ("auf-deutsch",)),
    "alpha": Story(("deep", "cited"), ("quoted", "elsewhere")),
    "both": Story(("alpha",), ("quoted", "gone")),
    "cited": Story(("seed", "quoted"), ("alpha",)),
    "auf-deutsch": Story(("deep",), (), ("seed", "elsewhere")),
    "deep": Story((), ("bottom",)),
    "quoted": Story(("bottom",)),
    "bottom": Story(),
    "elsewhere": Story(),
}


def url_of(name: str) -> str:
    """Return the address of a story. The days of those in May are of stories that are cited."""
    day = "2026/05/01" if name in ("cited", "quoted") else "2026/04/01"
    return f"https://{OTHER_HOST if name == 'elsewhere' else HOST}/{day}/the-story-of-{name}"


def id_of(name: str) -> str:
    return url_of(name).removeprefix("https://www.")


def text_of(role: str, name: str) -> str | None:
    """Return the text of a link. That of a translation is the language of the target."""
    return {"related": f"The headline of {name}", "text": f"the report on {name}"}.get(role, "de")


def page_of(name: str, story: Story) -> bytes:
    links = "".join(
        f"<p>The ministry confirmed in a long sentence what <a href='{url_of(other)}'>"
        f"{text_of('text', other)}</a> had already said about the city and its river last week.</p>"
        for other in story.text
    )
    alternates = "".join(
        f"<link rel='alternate' hreflang='de' href='{url_of(other)}'>"
        for other in story.translation
    )
    entries = "".join(
        f"<li><a href='{url_of(other)}'>{text_of('related', other)}</a></li>"
        for other in story.related
    )
    return (
        f"<html lang='en'><head>{alternates}</head><body><h1>The headline of {name}</h1>"
        f"<time datetime='2026-05-01T10:00:00Z'>1 May 2026</time>"
        f"<div>{TEXT.replace('river', name)}{links}</div>"
        f"<h2>Related articles</h2><ul>{entries}</ul></body></html>"
    ).encode()


def sites_of(stories: Mapping[str, Story]) -> dict[str, Site]:
    by_host: dict[str, dict[str, bytes | str]] = {HOST: {}, OTHER_HOST: {}}
    for name, story in stories.items():
        _, _, host, path = url_of(name).split("/", 3)
        by_host[host][f"/{path}"] = page_of(name, story)
    return {host: pages(by_path) for host, by_path in by_host.items()}


@dataclass
class NaiveCrawl:
    """A breadth-first crawl of STORIES in memory, one page at a time."""

    roles: tuple[str, ...]
    depth: int = 2
    limit: int = 0
    follows: Callable[[str, str], bool] = lambda role, name: True
    offsite: bool = True
    found: dict[str, tuple[str, int, str | None]] = field(default_factory=dict)
    """By name: article, failure or the reason of a teaser, the depth, and the page."""

    def run(self) -> "NaiveCrawl":
        level: list[str] = ["seed"]
        self.found["seed"] = "pending", 0, None
        fetched = 0
        while level:
            following: list[str] = []
            for name in level:
                if self.limit and fetched == self.limit:
                    self._is(name, "limit")
                    continue
                fetched += 1
                self._is(name, "article" if name in STORIES else "failure")
                following += self._read(name)
            level = following
        return self

    def _is(self, name: str, state: str) -> None:
        self.found[name] = state, *self.found[name][1:]

    def _read(self, page: str) -> list[str]:
        """Find the links of a page; return the articles to be fetched because of them."""
        depth = self.found[page][1] + 1
        added = []
        for role in self.roles:
            for name in getattr(STORIES.get(page, Story()), role):
                reason = self._reason_against(role, name)
                state = self.found.get(name, ("new", 0, None))[0]
                if state == "new" or (state in ("pruned", "offsite") and reason is None):
                    too_deep = "depth" if depth > self.depth else "pending"
                    self.found[name] = reason or too_deep, depth, page
                    if reason is None and depth <= self.depth:
                        added.append(name)
        return added

    def _reason_against(self, role: str, name: str) -> str | None:
        if name == "elsewhere" and self.offsite:
            return "offsite"
        return None if self.follows(role, name) else "pruned"


def is_in_may(role: str, name: str) -> bool:
    return "/05/" in url_of(name)


def is_report(role: str, name: str) -> bool:
    return "report on" in (text_of(role, name) or "")


# The arguments besides follow, and those of the naive crawl.
OPTIONS: dict[str, tuple[dict[str, object], dict[str, Any]]] = {
    "depth 0": ({"depth": 0}, {"depth": 0}),
    "depth 1": ({"depth": 1}, {"depth": 1}),
    "depth 3": ({"depth": 3}, {"depth": 3}),
    "limit": ({"limit": 4, "depth": 3}, {"limit": 4, "depth": 3}),
    "match": ({"match": "report on", "depth": 3}, {"follows": is_report, "depth": 3}),
    "since": ({"since": "2026-04-15", "depth": 3}, {"follows": is_in_may, "depth": 3}),
    "hosts": ({"hosts": "any"}, {"offsite": False}),
}
VOLATILE = ("fetched_at", "failed_at")


def lasting(run: Run) -> dict[str, dict[str, Any]]:
    """Return the records of a crawl by id, without what differs between two crawls."""
    return {
        record["id"]: {name: value for name, value in record.items() if name not in VOLATILE}
        for record in run.records
    }


def outcome_of(record: dict[str, Any]) -> tuple[str, int, str | None]:
    state = record["why"] if record["kind"] == "teaser" else record["kind"]
    return state, record["depth"], record["found_on"]


@pytest.mark.slow_after(2)
@pytest.mark.parametrize("follow", [*FOLLOWS, "all"])
@pytest.mark.parametrize("option", OPTIONS)
def test_a_crawl_follows_its_roles(web_crawl: WebCrawl, follow: str, option: str) -> None:
    given, naive = OPTIONS[option]
    roles = ROLES if follow == "all" else tuple(follow.split(","))
    expected = NaiveCrawl(roles, **naive).run().found
    arguments = {"seed": url_of("seed"), "follow": follow, **given}
    run, web = web_crawl(sites_of(STORIES), **arguments)
    found = {id_: outcome_of(record) for id_, record in lasting(run).items()}
    assert found == {
        id_of(name): (state, depth, page and id_of(page))
        for name, (state, depth, page) in expected.items()
    }
    fetched = {url_of(name) for name, one in expected.items() if one[0] in ("article", "failure")}
    requested = {url for url in web.requests if not url.endswith("/robots.txt")}
    assert requested == fetched
    if option != "limit":
        # Where a run stops at its limit, a job has articles left to fetch and no teasers.
        of_job, _ = web_crawl(sites_of(STORIES), {"JOBDIR": "job"}, **arguments)
        assert lasting(of_job) == lasting(run)


@pytest.mark.slow
def test_what_a_teaser_says_of_a_link_in_a_text(web_crawl: WebCrawl) -> None:
    run, _ = web_crawl(sites_of(STORIES), seed=url_of("seed"), follow="related,text", depth=0)
    teasers = run.teasers
    cited, both = teasers[id_of("cited")], teasers[id_of("both")]
    assert (cited["headline"], cited["headline_raw"]) == (None, "the report on cited")
    assert (cited["listed_as"], cited["url"]) == (["the report on cited"], url_of("cited"))
    # The page that lists it also cites it.
    assert both["headline"] == "The headline of both"
    assert both["listed_as"] == ["The headline of both", "the report on both"]
    assert both["listed_on"] == [id_of("seed")]


def known_of(teaser: dict[str, Any]) -> dict[str, Any]:
    """Return a teaser without what depends on which page was read in which run."""
    sets = {name: set(teaser[name]) for name in ("listed_on", "listed_as")}
    deciding = ("found_on", "headline", "headline_raw")
    return {name: value for name, value in teaser.items() if name not in deciding} | sets


# The roles and the depth of a job's runs.
WIDER: dict[str, list[tuple[str, int]]] = {
    "texts after related items": [("related", 3), ("related,text", 3)],
    "all after related items": [("related", 2), ("all", 2)],
    "all after texts": [("text", 3), ("all", 3)],
    "one role after another": [("translation", 1), ("related,translation", 1), ("all", 2)],
    "back to all": [("all", 1), ("related", 3), ("all", 3)],
}


@pytest.mark.slow
@pytest.mark.parametrize("case", WIDER)
def test_more_roles_in_a_later_run(web_crawl: WebCrawl, case: str) -> None:
    records: dict[str, dict[str, Any]] = {}
    requests = Counter[str]()
    depths: dict[str, set[int]] = {}
    for follow, depth in WIDER[case]:
        given = {"seed": url_of("seed"), "follow": follow, "depth": depth}
        run, web = web_crawl(sites_of(STORIES), {"JOBDIR": "job"}, recheck="none", **given)
        records |= lasting(run)
        requests += web.requests
        roles = ROLES if follow == "all" else tuple(follow.split(","))
        for name, (_, found_at, _) in NaiveCrawl(roles, depth).run().found.items():
            depths.setdefault(url_of(name), set()).add(found_at)
    whole, _ = web_crawl(sites_of(STORIES), **given)
    expected = lasting(whole)
    assert {id_: one["kind"] for id_, one in records.items()} == {
        id_: one["kind"] for id_, one in expected.items()
    }
    for id_, record in expected.items():
        if record["kind"] == "teaser":
            assert known_of(records[id_]) == known_of(record)
    assert run.balance == f"{whole.balance} + pending 0"
    # What is nearer now is read again, since its links are, too. Other pages are not.
    assert all(requests[url] <= len(found_at) for url, found_at in depths.items())


@pytest.mark.slow
def test_fewer_roles_in_a_later_run(web_crawl: WebCrawl) -> None:
    given = {"seed": url_of("seed"), "depth": 1, "recheck": "none"}
    first, _ = web_crawl(sites_of(STORIES), {"JOBDIR": "job"}, follow="all", **given)
    assert first.teasers[id_of("quoted")]["why"] == "depth"
    second, web = web_crawl(sites_of(STORIES), {"JOBDIR": "job"}, follow="related", **given)
    assert {id_: one["why"] for id_, one in second.teasers.items()} == {
        id_of("gone"): "pruned",
        id_of("elsewhere"): "pruned",
        # Another page lists it as related.
        id_of("quoted"): "depth",
    }
    assert not [url for url in web.requests if "story" in url]
    third, _ = web_crawl(sites_of(STORIES), {"JOBDIR": "job"}, follow="text", **given)
    assert {id_: one["why"] for id_, one in third.teasers.items()} == {
        id_of("deep"): "pruned",
        id_of("gone"): "depth",
        id_of("quoted"): "depth",
        id_of("elsewhere"): "offsite",
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("follow", "wanted"),
    [
        ("related", "list of related items was found on the pages; a publisher file can say where"),
        ("text", "link in a text was found on the pages\n"),
        ("all", "list of related items or link in a text or translation was found on the pages\n"),
    ],
)
def test_nothing_to_follow_in_these_roles(web_crawl: WebCrawl, follow: str, wanted: str) -> None:
    run, _ = web_crawl(sites_of(STORIES), seed=url_of("bottom"), follow=follow)
    assert f"nothing was followed: no {wanted}" in run.stdout
    other, _ = web_crawl(sites_of(STORIES), seed=url_of("deep"), follow=follow)
    assert ("nothing was followed" in other.stdout) == (follow == "related")

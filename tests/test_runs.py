"""Runs of one job: what is asked for again, when, and with which conditions."""

from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from conftest import SEED, SITE, Crawl, clock, read_records
from server import NewsServer, answer
from test_ledger import AT_ONCE, LISTED, page, serve

HOUR = 3600
CONDITIONS = ("If-None-Match", "If-Modified-Since")
YESTERDAY, TODAY = "Tue, 24 Nov 2015 10:00:00 GMT", "Wed, 25 Nov 2015 10:00:00 GMT"

# Validators that the server gives in one run after the other, and the conditions of each request.
VALIDATORS: dict[str, list[tuple[dict[str, str], dict[str, str]]]] = {
    "a date": [
        ({"Last-Modified": YESTERDAY}, {}),
        ({"Last-Modified": YESTERDAY}, {"If-Modified-Since": YESTERDAY}),
        ({"Last-Modified": TODAY}, {"If-Modified-Since": YESTERDAY}),
        ({"Last-Modified": TODAY}, {"If-Modified-Since": TODAY}),
    ],
    "both": [
        ({"ETag": 'W/"1"', "Last-Modified": YESTERDAY}, {}),
        (
            {"ETag": '"2"', "Last-Modified": TODAY},
            {"If-None-Match": 'W/"1"', "If-Modified-Since": YESTERDAY},
        ),
        ({"ETag": '"2"'}, {"If-None-Match": '"2"', "If-Modified-Since": TODAY}),
    ],
    "none any more": [
        ({"ETag": '"1"'}, {}),
        ({}, {"If-None-Match": '"1"'}),
        ({}, {}),
    ],
}


class Conditional:
    """Answers 304 to the conditions that its validators meet, and remembers those of requests."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.validators: dict[str, str] = {}
        self.asked: list[dict[str, str]] = []

    def __call__(self, handler: BaseHTTPRequestHandler, before: int) -> None:
        names = [name for name in CONDITIONS if name in handler.headers]
        self.asked.append({name: handler.headers[name] for name in names})
        given = [handler.headers[name] for name in names]
        if given and given == list(self.validators.values()):
            answer(handler, 304, headers=self.validators)
        else:
            answer(handler, 200, self.body, self.validators)


@pytest.mark.parametrize("case", VALIDATORS)
def test_conditions_are_the_validators_of_the_last_answer(
    job: Crawl, server: NewsServer, case: str
) -> None:
    """Also if the text was the same, and has no new revision."""
    site = server.misbehaviour[f"/news/{SEED}"] = Conditional(server.pages[f"/news/{SEED}"])
    for number, (site.validators, _) in enumerate(VALIDATORS[case]):
        run = job(depth=0, settings=AT_ONCE)
        assert (run.exit_code, len(run.articles)) == (0, 1 if number == 0 else 0)
    assert site.asked == [conditions for _, conditions in VALIDATORS[case]]


def test_what_must_be_read_again_is_asked_for_without_conditions(
    job: Crawl, server: NewsServer
) -> None:
    """An article is nearer than it was: what it lists is now within reach, and only its page tells."""
    first, second, third, fourth = range(1700001, 1700005)
    serve(server, {first: {second: "Two"}, second: {third: "Three"}, third: {fourth: "Four"}})
    server.pages[f"/news/{fourth}"] = page(fourth, {})
    server.has_validators = True
    assert "articles 3 + teasers 1" in job(seed=first, depth=2).balance
    again = job(seed=f"{first},{third}", depth=1)
    assert list(again.articles) == [str(fourth)]
    assert server.not_modified == 0
    # From now on it is an article like any other.
    job(seed=f"{first},{third}", depth=1, settings=AT_ONCE)
    assert server.not_modified == 4


def test_conditions_stay_with_the_server_that_gave_them(job: Crawl, server: NewsServer) -> None:
    with NewsServer(SITE) as other:
        elsewhere = other.misbehaviour[f"/news/{SEED}"] = Conditional(other.pages[f"/news/{SEED}"])
        here = server.misbehaviour[f"/news/{SEED}"] = Conditional(server.pages[f"/news/{SEED}"])
        here.validators = elsewhere.validators = {"ETag": '"1"', "Last-Modified": TODAY}
        job(depth=0, settings=AT_ONCE)
        job(depth=0, settings=AT_ONCE, base_url=other.url)
        job(depth=0, settings=AT_ONCE, base_url=server.url)
        assert (here.asked, elsewhere.asked) == ([{}, {}], [{}])


def test_failures_are_tried_again_with_backoff(
    job: Crawl, server: NewsServer, scrapy: Crawl
) -> None:
    settings = {"RECHECK_MIN": HOUR}
    page, forbidden = f"/news/{LISTED}", lambda handler, before: answer(handler, 403)
    server.misbehaviour[page] = forbidden

    def failures_after(minutes: int) -> int | None:
        """The failures in a row after a run at that time; None if the page was not asked for."""
        server.asked.clear()
        job(settings=settings, variables=clock(f"+{minutes}m"))
        if LISTED not in server.news_asked:
            return None
        said = scrapy("why", LISTED, "-s", "JOBDIR=job").stdout
        return int(said.partition(" failures in a row")[0].rpartition(" ")[2] or 0)

    first = job(settings=settings)
    assert (first.exit_code, first.failures[LISTED]["reason"]) == (3, "http_4xx")
    # An hour after the first failure, and two hours after the second.
    assert [failures_after(minutes) for minutes in (50, 62, 140)] == [None, 2, None]
    del server.misbehaviour[page]
    assert job(recheck="all", variables=clock("+200m")).articles[LISTED]["revision"] == 1
    server.misbehaviour[page] = forbidden
    assert failures_after(270) == 1


def test_the_file_of_runs_with_a_limit_holds_all_of_them(job: Crawl, tmp_path: Path) -> None:
    """Until nothing is left to fetch, ``-O`` goes on with the file of the run before."""
    whole = job(settings={"JOBDIR": "whole"}).articles
    feed = tmp_path / "mine.jsonl"
    had = []
    for _ in range(3):
        job("-O", feed, limit=3)
        had.append({r["id"] for r in read_records(feed) if r["kind"] == "article"})
    assert [len(articles) for articles in had] == [3, 5, 7]
    assert had[0] < had[1] < had[2] == set(whole)

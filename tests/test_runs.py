"""Runs of one job: rereading pages, retrying failures, and limits."""

from pathlib import Path

import pytest
from conftest import Crawl, clock, read_records
from job_crawls import ALWAYS_DUE, LISTED_ID, page, serve
from server import NewsServer, answer

HOUR = 3600


@pytest.mark.slow
def test_what_must_be_read_again_is_requested_unconditionally(
    job: Crawl, server: NewsServer
) -> None:
    """An article is nearer than before: related items that only its page lists are in reach."""
    first, second, third, fourth = range(1700001, 1700005)
    serve(server, {first: {second: "Two"}, second: {third: "Three"}, third: {fourth: "Four"}})
    server.pages[f"/news/{fourth}"] = page(fourth, {})
    server.has_validators = True
    assert "articles 3 + teasers 1" in job(seed=first, depth=2).balance
    rerun = job(seed=f"{first},{third}", depth=1)
    assert list(rerun.articles) == [str(fourth)]
    assert server.not_modified == 0
    # Afterwards it is requested like any other article.
    job(seed=f"{first},{third}", depth=1, settings=ALWAYS_DUE)
    assert server.not_modified == 4


@pytest.mark.slow
def test_failures_are_retried_with_backoff(job: Crawl, server: NewsServer, scrapy: Crawl) -> None:
    settings = {"RECHECK_MIN": HOUR}
    path, forbid = f"/news/{LISTED_ID}", lambda handler, before: answer(handler, 403)
    server.misbehaviour[path] = forbid

    def failures_after(minutes: int) -> int | None:
        """Return the consecutive failures after a run at that time; None without a request."""
        server.requests.clear()
        job(settings=settings, variables=clock(f"+{minutes}m"))
        if LISTED_ID not in server.requested_ids:
            return None
        output = scrapy("why", LISTED_ID, "-s", "JOBDIR=job").stdout
        return int(output.partition(" failures in a row")[0].rpartition(" ")[2] or 0)

    first = job(settings=settings)
    assert (first.exit_code, first.failures[LISTED_ID]["reason"]) == (3, "http_4xx")
    # An hour after the first failure, two hours after the second.
    assert [failures_after(minutes) for minutes in (50, 62, 140)] == [None, 2, None]
    del server.misbehaviour[path]
    assert job(recheck="all", variables=clock("+200m")).articles[LISTED_ID]["revision"] == 1
    server.misbehaviour[path] = forbid
    assert failures_after(270) == 1


@pytest.mark.slow
def test_the_file_of_limited_runs_holds_all_their_records(job: Crawl, tmp_path: Path) -> None:
    """While pages remain to be fetched, ``-O`` continues the previous run's file."""
    whole = job(settings={"JOBDIR": "whole"}).articles
    feed = tmp_path / "mine.jsonl"
    article_ids = []
    for _ in range(3):
        job("-O", feed, limit=3)
        article_ids.append({r["id"] for r in read_records(feed) if r["kind"] == "article"})
    assert [len(ids) for ids in article_ids] == [3, 5, 7]
    assert article_ids[0] < article_ids[1] < article_ids[2] == set(whole)

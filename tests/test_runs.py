"""Runs of one job: rereading pages, retrying failures, and limits."""

from pathlib import Path

from conftest import Crawl, clock, read_records
from job_crawls import AT_ONCE, LISTED, page, serve
from server import NewsServer, answer

HOUR = 3600


def test_what_must_be_read_again_is_asked_for_without_conditions(
    job: Crawl, server: NewsServer
) -> None:
    """An article is nearer than before: its related items are within reach, and only its page has
    them.
    """
    first, second, third, fourth = range(1700001, 1700005)
    serve(server, {first: {second: "Two"}, second: {third: "Three"}, third: {fourth: "Four"}})
    server.pages[f"/news/{fourth}"] = page(fourth, {})
    server.has_validators = True
    assert "articles 3 + teasers 1" in job(seed=first, depth=2).balance
    again = job(seed=f"{first},{third}", depth=1)
    assert list(again.articles) == [str(fourth)]
    assert server.not_modified == 0
    # Afterwards it is requested like any other article.
    job(seed=f"{first},{third}", depth=1, settings=AT_ONCE)
    assert server.not_modified == 4


def test_failures_are_tried_again_with_backoff(
    job: Crawl, server: NewsServer, scrapy: Crawl
) -> None:
    settings = {"RECHECK_MIN": HOUR}
    page, forbidden = f"/news/{LISTED}", lambda handler, before: answer(handler, 403)
    server.misbehaviour[page] = forbidden

    def failures_after(minutes: int) -> int | None:
        """Return the consecutive failures after a run at that time; None without a request."""
        server.asked.clear()
        job(settings=settings, variables=clock(f"+{minutes}m"))
        if LISTED not in server.news_asked:
            return None
        said = scrapy("why", LISTED, "-s", "JOBDIR=job").stdout
        return int(said.partition(" failures in a row")[0].rpartition(" ")[2] or 0)

    first = job(settings=settings)
    assert (first.exit_code, first.failures[LISTED]["reason"]) == (3, "http_4xx")
    # An hour after the first failure, two hours after the second.
    assert [failures_after(minutes) for minutes in (50, 62, 140)] == [None, 2, None]
    del server.misbehaviour[page]
    assert job(recheck="all", variables=clock("+200m")).articles[LISTED]["revision"] == 1
    server.misbehaviour[page] = forbidden
    assert failures_after(270) == 1


def test_the_file_of_runs_with_a_limit_holds_all_of_them(job: Crawl, tmp_path: Path) -> None:
    """While pages remain to be fetched, ``-O`` continues the previous run's file."""
    whole = job(settings={"JOBDIR": "whole"}).articles
    feed = tmp_path / "mine.jsonl"
    had = []
    for _ in range(3):
        job("-O", feed, limit=3)
        had.append({r["id"] for r in read_records(feed) if r["kind"] == "article"})
    assert [len(articles) for articles in had] == [3, 5, 7]
    assert had[0] < had[1] < had[2] == set(whole)

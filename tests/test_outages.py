"""Sites that are down, require a cookie, or refuse conditional requests."""

import json
import re
from collections import Counter
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from archives import Warc, page
from conftest import SITE, Crawl
from server import NewsServer, answer
from test_crawl_live import Misbehaviour, always, drop

from crawler.crawl.outages import Outages
from crawler.items import Reason

SEED = "1752038"
DOWN_AFTER_THREE = {"SITE_DOWN_AFTER": 3, "RETRY_TIMES": 0}


# The number of articles that the seed's page lists; one of them is not on the server.
LISTED_COUNT = 7


def fail_all_but_seed(server: NewsServer, misbehaviour: Misbehaviour) -> None:
    page = server.pages[f"/news/{SEED}"].decode()
    listed = {f"/news/{item}" for item in re.findall(r'"id":"(\d+)"', page)}
    assert len(listed) == LISTED_COUNT
    server.misbehaviour = dict.fromkeys(listed, misbehaviour)


DOWN: dict[str, tuple[Misbehaviour, str]] = {
    "closes": (drop, "connection_lost"),
    "errors": (always(503), "http_5xx"),
    "forbids": (always(403), "http_4xx"),
}


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("case", DOWN)
def test_a_site_that_goes_down(live: Crawl, server: NewsServer, case: str) -> None:
    misbehaviour, reason = DOWN[case]
    fail_all_but_seed(server, misbehaviour)
    run = live(seed=SEED, depth=1, settings=DOWN_AFTER_THREE)
    assert run.exit_code == 3
    assert {failure["reason"] for failure in run.failures.values()} == {reason}
    # One more may have been in progress; a page is requested again if its connection is dropped.
    assert len(run.failures) == len(set(server.requested_ids)) - 1 <= 4
    interrupted = [teaser for teaser in run.teasers.values() if teaser["why"] == "interrupted"]
    assert len(interrupted) == LISTED_COUNT - len(run.failures)
    message = f"live is down: 3 pages in a row failed with {reason}"
    assert run.stderr.count(message) == 1
    assert message in run.stdout


@pytest.mark.slow
def test_a_job_continues_when_the_site_is_back(live: Crawl, server: NewsServer) -> None:
    job_settings = {**DOWN_AFTER_THREE, "JOBDIR": "job", "RECHECK_MIN": 0}
    fail_all_but_seed(server, drop)
    run = live(seed=SEED, depth=1, settings=job_settings)
    assert run.exit_code == 3
    failures = len(run.failures)
    pending = LISTED_COUNT - failures
    assert f"articles 1 + teasers 0 + failures {failures} + pending {pending}" in run.balance
    assert failures <= 4
    server.misbehaviour = {}
    run = live(seed=SEED, depth=1, settings=job_settings)
    assert (run.exit_code, len(run.articles)) == (0, LISTED_COUNT - 1)


# The outcome of each page (None: success), and the number of pages after which the site is down.
STREAKS: dict[str, tuple[int, list[Reason | None], int | None]] = {
    "exactly as many": (3, ["dns"] * 3, 3),
    "one less": (3, ["dns"] * 2, None),
    "the first at once": (1, ["timeout"], 1),
    "never": (0, ["timeout"] * 50, None),
    "an answer between": (3, ["dns", "dns", None, "dns", "dns"], None),
    "as many after an answer": (3, ["dns", "dns", None, "dns", "dns", "dns"], 6),
    "another reason between": (3, ["dns", "dns", "tls", "dns", "dns"], None),
    "as many of another reason": (3, ["dns", "dns", "tls", "tls", "tls"], 5),
    "a page that is gone between": (2, ["http_5xx", "gone", "http_5xx"], None),
    "what says nothing of the site": (2, ["gone", "gone", "cut_short", "cut_short"], None),
    **{
        reason: (2, [reason, reason], 2)
        for reason in (
            *("timeout", "dns", "refused", "tls", "connection_lost"),
            *("http_4xx", "http_5xx", "robots_unavailable"),
        )
    },
}


@pytest.mark.parametrize("case", STREAKS)
def test_when_a_source_is_down(case: str) -> None:
    limit, outcomes, down_after = STREAKS[case]
    outages = Outages(limit)
    reported = []
    for number, reason in enumerate(outcomes, start=1):
        if reason is None:
            outages.record_answer("live")
        elif outages.record_failure("live", reason):
            reported.append(number)
    assert reported == ([down_after] if down_after else [])
    assert outages.reason("live") == (outcomes[-1] if down_after else None)


def test_each_source_is_down_separately_and_for_good() -> None:
    outages = Outages(2)
    went_down = [
        outages.record_failure(source, "dns") for source in ("live", "wayback", "live", "wayback")
    ]
    assert went_down == [False, False, True, True]
    outages.record_answer("live")
    # A source is reported as down only once.
    went_down = [outages.record_failure("live", "tls") for _ in range(3)]
    assert (went_down, outages.reason("live")) == ([False] * 3, "dns")


@pytest.mark.slow
@pytest.mark.parametrize(("failing", "down"), [(2, False), (3, True)])
def test_the_exact_number_of_failures_in_the_setting(
    live: Crawl, server: NewsServer, failing: int, down: bool
) -> None:
    """A success resets the count; the run stops once that many failures have occurred in a row."""
    ids = [str(number) for number in range(101, 102 + 2 * failing)]
    server.pages = {f"/news/{article_id}": page(article_id) for article_id in ids}
    failing_ids = [*ids[:2], *ids[3 : 3 + failing]]
    server.misbehaviour = {f"/news/{article_id}": always(503) for article_id in failing_ids}
    run = live(seed=",".join(ids), depth=0, settings=DOWN_AFTER_THREE)
    assert set(run.failures) == set(failing_ids)
    assert (run.exit_code, "live is down" in run.stdout) == (3, down)
    # One more may be in progress when the last of them fails.
    remaining = set(ids[3 + failing :])
    interrupted = {key for key, teaser in run.teasers.items() if teaser["why"] == "interrupted"}
    assert interrupted <= remaining and (
        len(interrupted) >= len(remaining) - 1 if down else not interrupted
    )


@pytest.mark.slow
def test_a_site_that_is_never_up(live: Crawl, server: NewsServer) -> None:
    server.stop()
    run = live(seed=",".join(str(number) for number in range(1, 31)), settings=DOWN_AFTER_THREE)
    assert run.exit_code == 4
    assert len(run.failures) <= 4
    assert len(run.failures) + len(run.teasers) == 30


@pytest.mark.slow
def test_failures_of_different_kinds_do_not_add_up(live: Crawl, server: NewsServer) -> None:
    paths = [path for path in server.pages if path != f"/news/{SEED}"]
    for number, path in enumerate(sorted(paths)):
        # Three failures of one kind never occur in a row.
        server.misbehaviour[path] = (drop, always(503), always(404))[number % 3]
    run = live(
        seed=",".join(path.removeprefix("/news/") for path in sorted(paths)),
        depth=0,
        settings=DOWN_AFTER_THREE,
    )
    assert len(run.failures) == len(paths)


@pytest.mark.slow
def test_the_limit_can_be_switched_off(live: Crawl, server: NewsServer) -> None:
    fail_all_but_seed(server, drop)
    run = live(seed=SEED, depth=1, settings={**DOWN_AFTER_THREE, "SITE_DOWN_AFTER": 0})
    assert len(run.failures) == LISTED_COUNT


@pytest.mark.slow
@pytest.mark.parametrize("robots", [False, True], ids=["pages", "robots.txt"])
def test_the_next_source_is_used(live: Crawl, server: NewsServer, robots: bool) -> None:
    if robots:
        server.misbehaviour["/robots.txt"] = always(500)
    else:
        server.misbehaviour = dict.fromkeys(server.pages, drop)
    run = live(seed=SEED, depth=1, source=f"live,{SITE}", settings=DOWN_AFTER_THREE)
    assert {article["source"] for article in run.articles.values()} == {"folder"}
    assert len(run.articles) == LISTED_COUNT
    assert len(set(server.requested_ids)) == (0 if robots else 3)
    assert run.stderr.count("the remaining pages are requested from the other sources only") == 1


@pytest.mark.slow
def test_a_conditional_request_that_is_refused(live: Crawl, server: NewsServer) -> None:
    job_settings = {"JOBDIR": "job", "RECHECK_MIN": 0, "RECHECK_MAX": 0}
    page = server.pages[f"/news/{SEED}"]
    conditions: list[str | None] = []

    def refuse(handler: BaseHTTPRequestHandler, before: int) -> None:
        conditions.append(handler.headers["If-None-Match"])
        status = 412 if conditions[-1] else 200
        answer(handler, status, b"" if conditions[-1] else page, {"ETag": '"1"'})

    server.misbehaviour[f"/news/{SEED}"] = refuse
    assert live(seed=SEED, depth=0, settings=job_settings).exit_code == 0
    run = live(seed=SEED, depth=0, settings=job_settings)
    assert (run.exit_code, conditions) == (0, [None, '"1"', None])
    assert "1 unchanged" in run.stdout


def wants_cookie(page: bytes) -> Misbehaviour:
    def redirect_to_itself(handler: BaseHTTPRequestHandler, before: int) -> None:
        if handler.headers["Cookie"] == "seen=1":
            answer(handler, 200, page)
        else:
            headers = {"Location": handler.path, "Set-Cookie": "seen=1; Path=/"}
            answer(handler, 302, b"", headers)

    return redirect_to_itself


@pytest.mark.slow
def test_cookies(live: Crawl, server: NewsServer) -> None:
    server.misbehaviour[f"/news/{SEED}"] = wants_cookie(server.pages[f"/news/{SEED}"])
    run = live(seed=SEED, depth=0)
    failure = run.failures[SEED]
    assert failure["reason"] == "redirect_loop"
    assert failure["detail"].endswith(
        "the site sets a cookie with the redirect: try -s COOKIES_ENABLED=1"
    )
    run = live(seed=SEED, depth=0, settings={"COOKIES_ENABLED": 1})
    assert (set(run.articles), run.exit_code) == ({SEED}, 0)


@pytest.mark.slow
def test_archived_errors_are_not_an_outage(crawl: Crawl, tmp_path: Path) -> None:
    warc = Warc(tmp_path / "a.warc.gz")
    ids = [str(number) for number in range(1, 9)]
    for article_id in ids:
        warc.add(f"http://en.alalam.ir/news/{article_id}", b"<h1>Forbidden</h1>", status="403 No")
    run = crawl(seed=",".join(ids), source=warc.path, settings=DOWN_AFTER_THREE)
    assert {failure["reason"] for failure in run.failures.values()} == {"http_4xx"}
    assert set(run.failures) == set(ids)


def saved_pages(folder: Path, ids: list[str]) -> Path:
    folder.mkdir()
    for article_id in ids:
        (folder / f"{article_id}.html").write_bytes(page(article_id))
    return folder


@pytest.mark.slow
def test_a_chain_continues_without_its_last_source(
    live: Crawl, server: NewsServer, tmp_path: Path
) -> None:
    server.stop()
    ids = [str(number) for number in range(101, 121)]
    folder = saved_pages(tmp_path / "pages", ids[::2])
    run = live(seed=",".join(ids), depth=0, source=f"{folder},live", settings=DOWN_AFTER_THREE)
    assert set(run.articles) == set(ids[::2])
    # The rest may be on the site, which was requested for only some of them. The next request may
    # have begun when the third one failed.
    assert 3 <= len(run.failures) <= 4
    assert {teaser["why"] for teaser in run.teasers.values()} == {"interrupted"}
    assert (len(run.teasers), run.exit_code) == (10 - len(run.failures), 3)


@pytest.mark.slow
def test_stored_articles_stay_due_when_the_site_is_down(
    live: Crawl, server: NewsServer, tmp_path: Path
) -> None:
    ids = [str(number) for number in range(101, 111)]
    server.pages = {f"/news/{article_id}": page(article_id) for article_id in ids}
    job_settings = {**DOWN_AFTER_THREE, "JOBDIR": "job", "RECHECK_MIN": 0, "RECHECK_MAX": 0}
    seeds = ",".join(ids)
    assert live(seed=seeds, depth=0, settings=job_settings).exit_code == 0
    server.misbehaviour = dict.fromkeys(server.pages, always(503))
    folder = saved_pages(tmp_path / "pages", ids)
    run = live(seed=seeds, depth=0, source=f"live,{folder}", settings=job_settings)
    # The saved pages are older than the stored articles.
    assert (run.articles, run.exit_code) == ({}, 4)
    assert len(run.failures) <= 4
    assert len(set(server.requested_ids)) == len(ids)
    assert server.requested_ids.count(ids[-1]) == 1
    server.misbehaviour = {}
    run = live(seed=seeds, depth=0, settings=job_settings)
    assert (run.exit_code, run.failures) == (0, {})


@pytest.mark.slow
def test_an_archive_that_responds_is_not_down(live: Crawl, server: NewsServer) -> None:
    def every_other(handler: BaseHTTPRequestHandler, before: int) -> None:
        number = int(re.search(r"(\d+)(?:&|$)", handler.path)[1])  # type: ignore[index]
        if number % 2:
            answer(handler, 503)
        elif handler.path.startswith("/cdx"):
            row = {"url": f"{server.url}/news/{number}", "timestamp": "20200101000000"}
            answer(handler, 200, json.dumps({**row, "status": "404"}).encode())
        else:
            answer(handler, 404, headers={"Memento-Datetime": "Wed, 01 Jan 2020 00:00:00 GMT"})

    server.answer_with = every_other
    settings = {
        **DOWN_AFTER_THREE,
        "WAYBACK_URL": server.url,
        "WAYBACK_DELAY": 0,
        "WAYBACK_BACKOFF": 0,
    }
    ids = [str(number) for number in range(101, 113)]
    run = live(seed=",".join(ids), depth=0, source="wayback", settings=settings)
    reasons = Counter(failure["reason"] for failure in run.failures.values())
    assert reasons == {"gone": 6, "http_5xx": 6}

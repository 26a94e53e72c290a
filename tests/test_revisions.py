"""What a later run of a job finds: articles that changed, disappeared or came back.

Also which pages it requests to find out.
"""

import json
import re
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from conftest import SEED, Crawl, read_records
from job_crawls import ALWAYS_DUE, LISTED_ID, killed_at
from server import NewsServer, answer
from test_crawl_saved import lasting

pytestmark = [pytest.mark.usefixtures("ledger")]


def edit(server: NewsServer, article_id: str, old: bytes, new: bytes) -> None:
    page = f"/news/{article_id}"
    assert old in server.pages[page]
    server.pages[page] = server.pages[page].replace(old, new)


@pytest.mark.slow
def test_the_first_run_is_as_without_a_job(job: Crawl, live: Crawl) -> None:
    with_job = job()
    assert with_job.exit_code == 0
    without_job = live(seed=SEED, depth=1)
    assert {r["id"]: lasting(r) for r in with_job.records} == {
        r["id"]: lasting(r) for r in without_job.records
    }
    assert with_job.balance == without_job.balance + " + pending 0"


@pytest.mark.slow
def test_nothing_new(job: Crawl, server: NewsServer, tmp_path: Path) -> None:
    job("-o", "mine.jsonl", "-a", "depth=1")
    feeds = {path: path.read_bytes() for path in tmp_path.rglob("*.jsonl")}
    server.requests.clear()
    for option in ("-o", "-O"):
        rerun = job(option, "mine.jsonl")
        assert (rerun.exit_code, rerun.records, server.requests) == (0, [], [])
        assert "nothing new: nothing was due" in rerun.stdout
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.jsonl")} == feeds


def test_a_changed_article_is_a_revision(
    job: Crawl, server: NewsServer, scrapy: Crawl, tmp_path: Path
) -> None:
    first = job(settings=ALWAYS_DUE)
    edit(server, LISTED_ID, b"Advancing in Aleppo", b"Advancing in Homs")
    second = job(settings=ALWAYS_DUE)
    assert second.exit_code == 0
    assert list(second.articles) == [LISTED_ID]
    changed = second.articles[LISTED_ID]
    assert (changed["revision"], changed["changed"]) == (2, ["headline", "headline_raw", "body"])
    assert changed["headline"].endswith("Homs")
    assert "1 changed, 6 unchanged, 1 gone or forbidden as before" in second.stdout

    exported = scrapy("export", "-s", "JOBDIR=job")
    latest = [json.loads(line) for line in exported.stdout.splitlines()]
    assert {record["id"]: record for record in latest} == {**first.articles, LISTED_ID: changed}
    whole = scrapy("export", "-s", "JOBDIR=job", "--revisions", "-o", "all.jsonl")
    assert "8 revisions in all.jsonl" in whole.stderr
    assert read_records(tmp_path / "all.jsonl") == [*first.articles.values(), changed]

    story = scrapy(
        "why",
        f"{server.url}/news/{LISTED_ID}".replace(server.url, "http://en.alalam.ir"),
        "-s",
        "JOBDIR=job",
    ).stdout
    assert re.search(rf"  1  position 1  {SEED}\n", story)
    assert re.search(r"  1  new +1\n", story)
    assert re.search(r"  2  changed +2  headline, headline_raw, body\n", story)
    assert (
        "    - Syrian Army Troops, Popular Forces Advancing in Aleppo\n"
        "    + Syrian Army Troops, Popular Forces Advancing in Homs\n" in story
    )


@pytest.mark.slow
def test_conditional_requests(job: Crawl, server: NewsServer, scrapy: Crawl) -> None:
    server.has_validators = True
    job(settings=ALWAYS_DUE)
    assert server.not_modified == 0
    edit(server, LISTED_ID, b"Advancing in Aleppo", b"Advancing in Homs")
    rerun = job(settings=ALWAYS_DUE)
    assert (list(rerun.articles), server.not_modified) == ([LISTED_ID], 6)
    # The stored validators are those of the new revision.
    assert job(settings=ALWAYS_DUE).records == []
    assert server.not_modified == 6 + 7
    assert "  3  not_modified" in scrapy("why", LISTED_ID, "-s", "JOBDIR=job").stdout
    # Reading everything anew means unconditional requests.
    assert job(recheck="all").records == []
    assert server.not_modified == 6 + 7


@pytest.mark.slow
def test_validators_of_a_page_that_was_not_stored(job: Crawl, server: NewsServer) -> None:
    """After a kill between response and record, the next run must not get a 304."""
    server.has_validators = True
    job(settings=ALWAYS_DUE, depth=0)
    edit(server, SEED, b"Operations Continue", b"Operations Go On")
    killed = job(settings=ALWAYS_DUE, depth=0, variables=killed_at("before a commit"))
    assert killed.exit_code == -9
    assert job(settings=ALWAYS_DUE, depth=0).articles[SEED]["changed"] == [
        "headline",
        "headline_raw",
        "body",
    ]


@pytest.mark.slow
def test_a_redirect_to_an_unchanged_page(job: Crawl, server: NewsServer) -> None:
    server.has_validators = True
    job(settings=ALWAYS_DUE)

    def home(handler: BaseHTTPRequestHandler, before: int) -> None:
        answer(handler, 304)

    server.misbehaviour["/"] = home
    server.misbehaviour[f"/news/{LISTED_ID}"] = lambda handler, before: answer(
        handler, 302, b"", {"Location": "/"}
    )
    run = job(settings=ALWAYS_DUE)
    assert (run.exit_code, run.failures[LISTED_ID]["reason"]) == (3, "not_an_article")


@pytest.mark.slow
def test_recheck(job: Crawl, server: NewsServer) -> None:
    def request_count(**arguments: object) -> int:
        server.requests.clear()
        settings = arguments.pop("settings", None)
        assert job(settings=settings, **arguments).exit_code == 0  # type: ignore[arg-type]
        return len(server.requested_ids)

    assert request_count() == 8
    assert request_count(recheck="due") == 0
    assert request_count(recheck="all") == 8
    assert request_count(settings=ALWAYS_DUE, recheck="all") == 8
    assert request_count(settings=ALWAYS_DUE, recheck="none") == 0
    assert request_count(settings=ALWAYS_DUE) == 8
    wrong = job(recheck="sometimes")
    assert (wrong.exit_code, wrong.stderr) == (
        2,
        "scrapy crawl: recheck: got 'sometimes', takes one of due, all, none\n",
    )


@pytest.mark.slow
def test_gone_and_back(job: Crawl, server: NewsServer) -> None:
    job(settings=ALWAYS_DUE)
    page = server.pages.pop(f"/news/{LISTED_ID}")
    gone = job(settings=ALWAYS_DUE)
    assert (gone.exit_code, gone.failures[LISTED_ID]["reason"], gone.articles) == (0, "gone", {})
    assert f"WARNING: {LISTED_ID}: gone" in gone.stderr
    # It remains an article of the job, and a repeated "gone" is not new.
    still_gone = job(settings=ALWAYS_DUE)
    assert (still_gone.exit_code, still_gone.records, still_gone.stderr) == (0, [], "")
    assert still_gone.balance == gone.balance
    server.pages[f"/news/{LISTED_ID}"] = page
    back = job(settings=ALWAYS_DUE).articles[LISTED_ID]
    assert (back["revision"], back["changed"]) == (2, [])
    assert job(settings=ALWAYS_DUE).records == []

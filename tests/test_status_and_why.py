"""The exact output of ``scrapy status`` and ``scrapy why`` for a job with known runs."""

import json
import re
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Crawl, command
from job_state import execute
from jobs import begin, place_in, related_item, run
from sqlalchemy import text
from terminals import run_on_terminal

from crawler.crawl.arguments import NAMES
from crawler.crawl.ledger.job import Job
from crawler.items import REASONS

pytestmark = [pytest.mark.usefixtures("ledger")]

DAY = 86_400
OUTCOMES_OF_RUN = ("new", "changed", "dropped", "not_saved")
OUTCOMES = {
    "1": "A",
    "2": "timeout",
    "3": "gone",
    "4": "dropped",
    "5": "not_saved",
    "6": "timeout",
}


@pytest.fixture
def due_times(tmp_path: Path) -> dict[str, str]:
    """Make a job of three runs in the folder ``job``; return each article's due time in words."""
    lists = {
        "1": [related_item("3", 1, "Three"), related_item("7", 2, "Seven")],
        "2": [related_item("7", 5)],
    }
    now = time.time()
    # Far enough from any limit that a few seconds do not change the output.
    days_until_due = {"1": 1.5 / 24, "2": -1, "3": 0.5, "4": 3, "5": 30, "6": 30 / 1440}
    with closing(Job(place_in(tmp_path / "job"), "alalam")) as job:
        run(job, OUTCOMES, {"1": lists["1"][:1]}, began=datetime(2026, 1, 1, tzinfo=UTC))
        later_outcomes = {**OUTCOMES, "1": "B"}
        run(
            job,
            later_outcomes,
            lists,
            depth=0,
            recheck="all",
            began=datetime(2026, 1, 2, tzinfo=UTC),
        )
        begin(job, began=datetime(2026, 1, 3, tzinfo=UTC), recheck="none")
        execute(
            job,
            "UPDATE runs SET ended = '2026-01-01T00:01:30+00:00' WHERE run = 1",
            "UPDATE runs SET ended = '2026-01-02T00:00:07+00:00', exit_code = 3 WHERE run = 2",
            """UPDATE runs SET asked = '{"seed": "1"}' WHERE run = 2""",
            "UPDATE runs SET alive_at = '2026-01-03T04:05:06+00:00' WHERE run = 3",
            "UPDATE fetches SET at = '2026-01-0' || run || 'T10:20:30.5+00:00'",
            *(
                f"UPDATE pages SET due_at = {now + days * DAY} WHERE id = '{article_id}'"
                for article_id, days in days_until_due.items()
            ),
        )
    return {
        article_id: f"{datetime.fromtimestamp(now + days * DAY, UTC):%Y-%m-%d %H:%M:%S} UTC"
        for article_id, days in days_until_due.items()
    }


def test_status(due_times: dict[str, str], scrapy: Crawl) -> None:
    run = scrapy("status", "-s", "JOBDIR=job")
    assert run.exit_code == 0
    first, *lines = run.stdout.splitlines()
    assert first.startswith(f"{place_in(Path('job')).name}: articles of alalam, ledger of 0.")
    assert lines == [
        "discovered 7 = articles 1 + teasers 2 + failures 3 + pending 0 + dropped 1",
        "due: 1 now, 2 within an hour, 4 within a day, 5 within a week; next " + due_times["2"],
        "last fetch failed: 2 timeout, 1 gone",
        "  run  began (UTC)          ended                                                 fetched",
        "    3  2026-01-03 00:00:00  aborted, last active 04:05:06, feeds not written yet  nothing",
        "    2  2026-01-02 00:00:00  finished after 7 s, exit code 3                       "
        "2 timeout, 1 changed, 1 dropped, 1 gone, 1 not_saved",
        "    1  2026-01-01 00:00:00  finished after 90 s                                   "
        "2 timeout, 1 dropped, 1 gone, 1 new, 1 not_saved",
    ]


LISTED = "  began (UTC)          run  place       page"
FETCHED = "  at (UTC)             run  outcome  revision  detail"
STORIES: dict[str, list[str]] = {
    "1": [
        "1  About 1",
        "  an article, 2 revisions stored; depth 0, a seed, first seen in run 1",
        "  due {due} (in 1.5 h), requested every 1 h",
        "listed by no page: a seed",
        "fetched:",
        FETCHED,
        "  2026-01-01 10:20:30    1  new             1",
        "  2026-01-02 10:20:30    2  changed         2  body",
        "revision 2 compared with 1:",
        "  body:",
        "    - A",
        "    + B",
    ],
    "2": [
        "2",
        "  requested, but never fetched; depth 0, a seed, first seen in run 1",
        "  due {due} (now), after 2 failures in a row",
        "listed by no page: a seed",
        "fetched:",
        FETCHED,
        "  2026-01-01 10:20:30    1  timeout            it is so",
        "  2026-01-02 10:20:30    2  timeout            it is so",
    ],
    "3": [
        "3  Three",
        "  requested, but never fetched; depth 1, found on 1, first seen in run 1",
        "  due {due} (in 12 h), requested every 2 h",
        "listed by 1:",
        LISTED,
        "  2026-01-01 00:00:00    1  position 1  1",
        "fetched:",
        FETCHED,
        "  2026-01-01 10:20:30    1  gone               it is so",
        "  2026-01-02 10:20:30    2  gone               it is so",
    ],
    "5": [
        "5",
        "  known from lists; no source has a page for it; depth 0, a seed, first seen in run 1",
        "  due {due} (in 30 d), requested every 2 h",
        "listed by no page: a seed",
        "fetched:",
        "  at (UTC)             run  outcome    revision  detail",
        "  2026-01-01 10:20:30    1  not_saved",
        "  2026-01-02 10:20:30    2  not_saved",
    ],
    "7": [
        "7  Seven",
        "  known from lists; farther from the seeds than depth allows; depth 1, found on 1, "
        "first seen in run 2",
        "  will not be fetched",
        "listed by 2:",
        LISTED,
        "  2026-01-02 00:00:00    2  position 2  1",
        "  2026-01-02 00:00:00    2  position 5  2",
        "never fetched",
    ],
}


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("article_id", STORIES)
def test_why(due_times: dict[str, str], scrapy: Crawl, article_id: str) -> None:
    run = scrapy("why", article_id, "-s", "JOBDIR=job")
    due = due_times.get(article_id, "")
    assert run.stdout.splitlines() == [line.format(due=due) for line in STORIES[article_id]]


def test_status_as_json(due_times: dict[str, str], scrapy: Crawl) -> None:
    run = scrapy("status", "-s", "JOBDIR=job", "--json")
    status = json.loads(run.stdout)
    assert (run.exit_code, run.stdout.count("\n")) == (0, 1)
    assert status.pop("ledger_bytes") > 0
    assert status.pop("next_due")[:19].replace("T", " ") == due_times["2"].removesuffix(" UTC")
    times = [[run.pop(key) for key in ("began", "ended", "alive_at")] for run in status["runs"]]
    assert times[0] == ["2026-01-03T00:00:00.000000+00:00", None, "2026-01-03T04:05:06+00:00"]
    assert times[1][:2] == ["2026-01-02T00:00:00.000000+00:00", "2026-01-02T00:00:07+00:00"]
    assert status == {
        "job": place_in(Path("job")).name,
        "site": "alalam",
        "balance": {
            "discovered": 7,
            "articles": 1,
            "teasers": 2,
            "failures": 3,
            "pending": 0,
            "dropped": 1,
            "balanced": True,
            "wrong": [],
        },
        "queued": 0,
        "due": {"now": 1, "within_hour": 2, "within_day": 4, "within_week": 5},
        "failing": {"timeout": 2, "gone": 1},
        "holder": None,
        "runs": [
            {"run": 3, "reason": None, "asked": None, "exit_code": None, "outcomes": {}},
            {
                "run": 2,
                "reason": "finished",
                "asked": {"seed": "1"},
                "exit_code": 3,
                "outcomes": {"timeout": 2, "changed": 1, "dropped": 1, "gone": 1, "not_saved": 1},
            },
            {
                "run": 1,
                "reason": "finished",
                "asked": None,
                "exit_code": None,
                "outcomes": {"timeout": 2, "dropped": 1, "gone": 1, "new": 1, "not_saved": 1},
            },
        ],
        "workers": [],
        "damage": [],
    }


@pytest.mark.slow
def test_status_of_a_damaged_ledger_as_json(due_times: dict[str, str], scrapy: Crawl) -> None:
    path = Path(scrapy("list").folder, "job", "ledger.sqlite")
    damage = text("UPDATE records SET crc = crc + 1 WHERE id = '1'")
    with closing(Job(place_in(path.parent), "alalam")) as job:
        job.database.store(lambda connection: connection.execute(damage))
    run = scrapy("status", "-s", "JOBDIR=job", "--json")
    status = json.loads(run.stdout)
    assert len(status["damage"]) == 2
    assert (run.exit_code, status["balance"]["balanced"]) == (1, True)


@pytest.mark.slow
def test_why_as_json(due_times: dict[str, str], scrapy: Crawl) -> None:
    run = scrapy("why", "3", "-s", "JOBDIR=job", "--json")
    assert (run.exit_code, run.stdout.count("\n")) == (0, 1)
    history = json.loads(run.stdout)
    assert history.pop("due_at")[:19].replace("T", " ") == due_times["3"].removesuffix(" UTC")
    assert history == {
        "id": "3",
        "kind": "article",
        "headline": "Three",
        "state": "failure",
        "depth": 1,
        "found_on": "1",
        "found_in_run": 1,
        "queued": False,
        "interval_seconds": 7200.0,
        "failures_in_a_row": 0,
        "listed_by": [
            {
                "page": "1",
                "role": "related",
                "position": 1,
                "headline": "Three",
                "run": 1,
                "began": "2026-01-01T00:00:00.000000+00:00",
            }
        ],
        "linked_from": [],
        "fetches": [
            {
                "at": f"2026-01-0{run}T10:20:30.5+00:00",
                "run": run,
                "outcome": "gone",
                "revision": None,
                "detail": "it is so",
            }
            for run in (1, 2)
        ],
        "revisions": [],
        "damage": [],
    }
    revisions = json.loads(scrapy("why", "1", "-s", "JOBDIR=job", "--json").stdout)["revisions"]
    assert revisions == [
        {"revision": 1, "run": 1, "changed": [], "differences": []},
        {
            "revision": 2,
            "run": 2,
            "changed": ["body"],
            "differences": ["body:", "  - A", "  + B"],
        },
    ]


@pytest.mark.slow
def test_errors_as_one_line(due_times: dict[str, str], scrapy: Crawl) -> None:
    for words in (["why", "404", "-s", "JOBDIR=job"], ["status", "-s", "JOBDIR=none"]):
        plain, run = scrapy(*words), scrapy(*words, "--json")
        assert (run.exit_code, run.stdout, run.stderr) == (plain.exit_code, "", plain.stderr)
        assert run.exit_code > 0 and run.stderr.count("\n") == 1


def keys_of(value: Any) -> set[str]:
    """Return the keys of an object and of all objects in it."""
    if isinstance(value, list):
        return set().union(*map(keys_of, value))
    if isinstance(value, dict):
        return set(value).union(*map(keys_of, value.values()))
    return set()


@pytest.mark.slow
def test_all_keys_are_documented(due_times: dict[str, str], scrapy: Crawl) -> None:
    """The keys of ``failing`` and ``outcomes`` are reasons and outcomes, which have no list.

    Those of ``asked`` are the names of arguments.
    """
    docs = (ROOT / "docs" / "reference" / "records.md").read_text(encoding="utf-8")
    section = docs.partition("\n## Jobs for programs\n")[2].partition("\n## ")[0]
    documented = set(re.findall(r"`(\w+)`", section))
    outputs = [scrapy("status", "-s", "JOBDIR=job", "--json")]
    outputs += [scrapy("why", article_id, "-s", "JOBDIR=job", "--json") for article_id in "137"]
    for output in outputs:
        assert (
            keys_of(json.loads(output.stdout)) - documented - {*REASONS, *OUTCOMES_OF_RUN, *NAMES}
            == set()
        )


STYLE = re.compile("\x1b\\[[\\d;]*m")


@pytest.mark.slow
@pytest.mark.parametrize("words", [["status"], ["why", "5"]], ids=["status", "why"])
def test_styles_on_a_terminal(due_times: dict[str, str], scrapy: Crawl, words: list[str]) -> None:
    plain = scrapy(*words, "-s", "JOBDIR=job")
    line = command(*words, "-s", "JOBDIR=job")
    wide, _ = run_on_terminal(line, plain.folder, 200)
    assert STYLE.search(wide)
    assert STYLE.sub("", wide).splitlines() == plain.stdout.splitlines()
    without_styles, _ = run_on_terminal(line, plain.folder, 200, NO_COLOR="1")
    assert without_styles.splitlines() == plain.stdout.splitlines()
    forced = scrapy(*words, "-s", "JOBDIR=job", FORCE_COLOR="1")
    assert STYLE.search(forced.stdout)
    assert STYLE.sub("", forced.stdout) == plain.stdout
    # Only a last cell is continued below itself; nothing is cut.
    narrow, _ = run_on_terminal(line, plain.folder, 90)
    assert STYLE.sub("", narrow).split() == plain.stdout.split()

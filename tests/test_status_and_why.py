"""The exact output of ``scrapy status`` and ``scrapy why`` for a job with known runs."""

import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import Crawl
from jobs import begin, related_item, run
from sqlalchemy import text

from crawler.crawl.ledger.job import Job

DAY = 86_400
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
    with closing(Job(tmp_path / "job", "alalam")) as job:
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
        with job.database.transaction() as connection:
            for statement in (
                "UPDATE runs SET ended = '2026-01-01T00:01:30+00:00' WHERE run = 1",
                "UPDATE runs SET ended = '2026-01-02T00:00:07+00:00' WHERE run = 2",
                "UPDATE runs SET alive_at = '2026-01-03T04:05:06+00:00' WHERE run = 3",
                "UPDATE fetches SET at = '2026-01-0' || run || 'T10:20:30.5+00:00'",
                *(
                    f"UPDATE pages SET due_at = {now + days * DAY} WHERE id = '{article_id}'"
                    for article_id, days in days_until_due.items()
                ),
            ):
                connection.execute(text(statement))
    return {
        article_id: f"{datetime.fromtimestamp(now + days * DAY, UTC):%Y-%m-%d %H:%M:%S} UTC"
        for article_id, days in days_until_due.items()
    }


def test_status(due_times: dict[str, str], scrapy: Crawl) -> None:
    run = scrapy("status", "-s", "JOBDIR=job")
    assert run.exit_code == 0
    first, *lines = run.stdout.splitlines()
    assert first.startswith("job: articles of alalam, ledger of 0.")
    assert lines == [
        "discovered 7 = articles 1 + teasers 2 + failures 3 + pending 0 + dropped 1",
        "due: 1 now, 2 within an hour, 4 within a day, 5 within a week; next " + due_times["2"],
        "last fetch failed: 2 timeout, 1 gone",
        "runs:",
        "     3  2026-01-03 00:00:00  aborted after 04:05:06, feeds not written yet: "
        "nothing fetched",
        "     2  2026-01-02 00:00:00  finished after 7 s: "
        "2 timeout, 1 changed, 1 dropped, 1 gone, 1 not_saved",
        "     1  2026-01-01 00:00:00  finished after 90 s: "
        "2 timeout, 1 dropped, 1 gone, 1 new, 1 not_saved",
    ]


STORIES: dict[str, list[str]] = {
    "1": [
        "1  About 1",
        "  an article, 2 revisions stored; depth 0, a seed, first seen in run 1",
        "  due {due} (in 1.5 h), requested every 1 h",
        "listed by no page: a seed",
        "fetched:",
        "  2026-01-01 10:20:30  run 1  new revision 1",
        "  2026-01-02 10:20:30  run 2  changed revision 2 (body)",
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
        "  2026-01-01 10:20:30  run 1  timeout (it is so)",
        "  2026-01-02 10:20:30  run 2  timeout (it is so)",
    ],
    "3": [
        "3  Three",
        "  requested, but never fetched; depth 1, found on 1, first seen in run 1",
        "  due {due} (in 12 h), requested every 2 h",
        "listed by 1:",
        "  2026-01-01 00:00:00  run 1  1, position 1",
        "fetched:",
        "  2026-01-01 10:20:30  run 1  gone (it is so)",
        "  2026-01-02 10:20:30  run 2  gone (it is so)",
    ],
    "5": [
        "5",
        "  known from lists; no source has a page for it; depth 0, a seed, first seen in run 1",
        "  due {due} (in 30 d), requested every 2 h",
        "listed by no page: a seed",
        "fetched:",
        "  2026-01-01 10:20:30  run 1  not_saved",
        "  2026-01-02 10:20:30  run 2  not_saved",
    ],
    "7": [
        "7  Seven",
        "  known from lists; farther from the seeds than depth allows; depth 1, found on 1, "
        "first seen in run 2",
        "  will not be fetched",
        "listed by 2:",
        "  2026-01-02 00:00:00  run 2  1, position 2",
        "  2026-01-02 00:00:00  run 2  2, position 5",
        "never fetched",
    ],
}


@pytest.mark.parametrize("article_id", STORIES)
def test_why(due_times: dict[str, str], scrapy: Crawl, article_id: str) -> None:
    run = scrapy("why", article_id, "-s", "JOBDIR=job")
    due = due_times.get(article_id, "")
    assert run.stdout.splitlines() == [line.format(due=due) for line in STORIES[article_id]]

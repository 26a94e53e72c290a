"""What a job keeps of an article between runs: state, revisions, validators and due time."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from job_state import execute, history_of, new_job, seed_and_take  # noqa: F401
from jobs import LIVE, article, begin, finish, frontier_of, record_outcome, related_item, run

from crawler.crawl.ledger import history
from crawler.crawl.ledger.job import Job
from crawler.crawl.ledger.queueing import queue
from crawler.crawl.ledger.recheck import Intervals
from crawler.items import Alternate, Article, Author

pytestmark = [pytest.mark.usefixtures("ledger")]

HOUR = 3600

# For each run: the outcome of the article; its state afterwards (state, revision, consecutive
# failures, last definite refusal); and the record written to the feeds (its kind and, for an
# article, the revision and the changed fields).
Story = list[tuple[str, tuple[str, int, int, str | None], tuple[Any, ...] | None]]
STORIES: dict[str, Story] = {
    "changes": [
        ("A", ("article", 1, 0, None), ("article", 1, ())),
        ("A", ("article", 1, 0, None), None),
        ("B", ("article", 2, 0, None), ("article", 2, ("body",))),
        ("A", ("article", 3, 0, None), ("article", 3, ("body",))),
        ("A", ("article", 3, 0, None), None),
    ],
    "not modified": [
        ("A", ("article", 1, 0, None), ("article", 1, ())),
        ("not_modified", ("article", 1, 0, None), None),
        ("B", ("article", 2, 0, None), ("article", 2, ("body",))),
    ],
    "gone and back": [
        ("A", ("article", 1, 0, None), ("article", 1, ())),
        ("gone", ("article", 1, 0, "gone"), ("failure",)),
        ("gone", ("article", 1, 0, "gone"), None),
        ("robots", ("article", 1, 0, "robots"), ("failure",)),
        ("A", ("article", 2, 0, None), ("article", 2, ())),
        ("A", ("article", 2, 0, None), None),
        ("gone", ("article", 2, 0, "gone"), ("failure",)),
    ],
    "failures count until one comes through": [
        ("timeout", ("failure", 0, 1, None), ("failure",)),
        ("timeout", ("failure", 0, 2, None), ("failure",)),
        ("A", ("article", 1, 0, None), ("article", 1, ())),
        ("http_5xx", ("article", 1, 1, None), ("failure",)),
        ("A", ("article", 1, 0, None), None),
        ("http_5xx", ("article", 1, 1, None), ("failure",)),
        ("not_modified", ("article", 1, 0, None), None),
        ("http_5xx", ("article", 1, 1, None), ("failure",)),
    ],
    "a fault between two definite noes": [
        ("gone", ("failure", 0, 0, "gone"), ("failure",)),
        ("timeout", ("failure", 0, 1, None), ("failure",)),
        ("gone", ("failure", 0, 0, "gone"), ("failure",)),
        ("gone", ("failure", 0, 0, "gone"), None),
    ],
    "dropped": [
        ("dropped", ("dropped", 0, 0, None), None),
        ("A", ("article", 1, 0, None), ("article", 1, ())),
        ("dropped", ("article", 1, 0, None), None),
        ("A", ("article", 1, 0, None), None),
    ],
    "not saved": [
        ("not_saved", ("not_saved", 0, 0, None), None),
        ("gone", ("failure", 0, 0, "gone"), ("failure",)),
        ("not_saved", ("not_saved", 0, 0, None), None),
        ("A", ("article", 1, 0, None), ("article", 1, ())),
        ("not_saved", ("article", 1, 0, None), None),
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize("case", STORIES)
def test_an_article_over_several_runs(job: Job, case: str) -> None:
    actual: Story = []
    for outcome, *_ in STORIES[case]:
        record = run(job, {"1": outcome}, recheck="all")["1"]
        row = history_of(job, "1")
        assert not row.queued
        state = (row.state, row.revision, row.failures, row.answer)
        feed = (
            (record.kind, record.revision, record.changed)
            if isinstance(record, Article)
            else record and (record.kind,)
        )
        actual.append((outcome, state, feed))
    assert actual == STORIES[case]
    assert job.balance().wrong == []


# A change in one of these fields makes a revision. Where and when an article was fetched is not
# part of its content.
CHANGES: dict[str, Any] = {
    **dict.fromkeys(("headline", "headline_raw", "body", "language", "credit"), "other"),
    **dict.fromkeys(("published_at", "published_raw"), "2026-02-02"),
    "media": (),
    "related": (related_item("2"),),
    "related_complete": True,
    **dict.fromkeys(("description", "section"), "other"),
    "tags": ("other",),
    "authors": (Author(name="Ada Lindqvist", url=None),),
    "accessible_for_free": True,
}
NO_CHANGES: dict[str, Any] = {
    "modified_at": "2026-02-02",
    "canonical_url": "http://en.alalam.ir/news/1/other",
    "alternates": (Alternate(kind="amp", url="http://en.alalam.ir/amp/1", language=None),),
    "url": "http://en.alalam.ir/news/1/other",
    "depth": 3,
    "found_on": "9",
    "status": 203,
    "fetched_at": "2026-05-05T00:00:00+00:00",
    "source": "wayback",
    "body_sha256": "0" * 64,
    "missing": ("credit",),
}


def test_which_changes_make_a_revision(job: Job) -> None:
    """There is one article for each field, and that field differs in the next run."""
    fields = {**CHANGES, **NO_CHANGES}
    run(job, dict.fromkeys(fields, "A"))
    begin(job, recheck="all")
    assert job.pages is not None
    frontier = frontier_of(job)
    frontier.seed(fields)
    actual = {}
    while (state := frontier.take()) is not None:
        now = {"body": "A", state.id: fields[state.id]}
        record = article(state.id, **{"headline": f"About {state.id}", **now})
        stored = job.pages.store(state, record, record)
        actual[state.id] = stored and (stored.revision, stored.changed)
    assert actual == {field: (2, (field,)) if field in CHANGES else None for field in fields}


@pytest.mark.slow
def test_validators_are_updated_even_if_the_text_is_unchanged(job: Job) -> None:
    """For each run: the response's text and validators, and the state after it."""
    answers: list[tuple[str, Any, Any]] = [
        ("A", ('"1"', None), ('"1"', None)),
        ("A", ('"2"', "Mon"), ('"2"', "Mon")),
        ("B", (None, "Tue"), (None, "Tue")),
        ("timeout", ('"3"', None), (None, "Tue")),
        ("dropped", ('"4"', None), (None, "Tue")),
        ("not_modified", (None, None), (None, "Tue")),
        ("B", (None, None), (None, None)),
        ("B", ('"5"', None), ('"5"', None)),
    ]
    actual = []
    for outcome, validators, _ in answers:
        begin(job, recheck="all")
        state = seed_and_take(job, "1")
        state.new_validators = validators
        record_outcome(job, state, outcome)
        finish(job)
        row = history_of(job, "1")
        actual.append((outcome, validators, (row.etag, row.last_modified)))
    assert actual == answers


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "forgets"),
    [("source", True), ("at", True), ("base_url", True), ("depth", False), ("match", False)],
)
def test_validators_of_another_server(job: Job, name: str, forgets: bool) -> None:
    begin(job)
    frontier = frontier_of(job)
    frontier.seed(["1", "2"])
    first, second = frontier.take(), frontier.take()
    assert first is not None and second is not None
    first.new_validators = ('"1"', "Mon")
    record_outcome(job, first, "A")
    record_outcome(job, second, "not_saved")
    finish(job)
    begin(job, arguments=LIVE)
    before = history_of(job, "1"), history_of(job, "2")
    assert (before[0].etag, before[0].last_modified, before[1].queued) == ('"1"', "Mon", False)
    finish(job)
    begin(job, arguments={**LIVE, name: "another"})
    after = history_of(job, "1"), history_of(job, "2")
    actual = after[0].etag, after[0].last_modified, after[1].queued
    assert actual == ((None, None, True) if forgets else ('"1"', "Mon", False))


@pytest.mark.slow
def test_an_hourly_article_is_due_an_hour_after_the_run_began(job: Job) -> None:
    """It does not matter when during the run the article was fetched."""
    began = datetime.now(UTC) - timedelta(minutes=20)
    run(job, {"1": "A", "2": "timeout"}, began=began, intervals=Intervals(HOUR, 10 * HOUR))
    for article_id in "12":
        due = history_of(job, article_id).due_at - began.timestamp()
        assert due == pytest.approx(0.95 * HOUR, abs=30)
    queued_counts = {}
    for seconds in (0.9 * HOUR, HOUR):
        now = began.timestamp() + seconds
        job.database.store(partial(queue, mode="due", now=now, longest=10 * HOUR, limit=0))
        with job.database.snapshot() as connection:
            queued_counts[seconds] = history.queued(connection)
    assert queued_counts == {0.9 * HOUR: 0, HOUR: 2}


def test_a_run_queues_what_is_due(job: Job) -> None:
    run(job, {"1": "A", "2": "A", "3": "A"})
    now = datetime.now(UTC).timestamp()
    # The last due time was stored under a wrong clock: no interval is that long.
    for article_id, due in (("1", now - 60), ("2", now + 60), ("3", now + 10 * HOUR + 60)):
        execute(job, f"UPDATE pages SET due_at = {due} WHERE id = '{article_id}'")
    begin(job)
    assert [bool(history_of(job, article_id).queued) for article_id in "123"] == [True, False, True]


def test_the_number_of_articles_due(job: Job) -> None:
    run(job, dict.fromkeys("abcde", "A"))
    now = 1_900_000_000
    hours = {"a": -1, "b": 0, "c": 1, "d": 24, "e": 25}
    for article_id, hour in hours.items():
        execute(job, f"UPDATE pages SET due_at = {now + hour * HOUR} WHERE id = '{article_id}'")
    with job.database.snapshot() as connection:
        assert history.due_within(connection, now, (0, 0.5, 1, 24, 168)) == [2, 2, 3, 4, 5]
    assert job.next_due() == "2030-03-17 16:46:40 UTC"
    # Queued pages are fetched in any case, so they are not counted.
    execute(job, "UPDATE pages SET queued = TRUE WHERE id < 'c'")
    with job.database.snapshot() as connection:
        assert history.due_within(connection, now, (0, 1)) == [0, 1]
    assert job.next_due() == "2030-03-17 18:46:40 UTC"
    execute(job, "UPDATE pages SET queued = TRUE")
    assert job.next_due() is None

"""A job without a crawl: the state its runs keep, pass on to later runs, and report."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jobs import LIVE, article, begin, failure, finish, frontier_of, listed, run, tell
from sqlalchemy import text

from crawler.crawl.frontier import ArticleState
from crawler.crawl.ledger import history
from crawler.crawl.ledger import job as jobs_module
from crawler.crawl.ledger.job import FILE_NAME, HELD, Job
from crawler.crawl.ledger.queueing import queue
from crawler.crawl.ledger.recheck import Intervals
from crawler.errors import CrawlerError, LedgerError
from crawler.items import Article

HOUR = 3600
NOTHING_LASTS = {"intervals": Intervals(0, 0)}
"""Arguments for a run after which everything is due again."""


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    job = Job(tmp_path / "job", "alalam")
    yield job
    job.close()


def known(job: Job, article_id: str) -> Any:
    with job.database.snapshot() as connection:
        return history.page(connection, article_id)


def taken(job: Job, article_id: str) -> ArticleState:
    """Return an article that was seeded and then taken from the frontier."""
    crawled = frontier_of(job)
    crawled.seed([article_id])
    sighting = crawled.take()
    assert sighting is not None
    return sighting


def execute(job: Job, *statements: str) -> None:
    with job.database.transaction() as connection:
        for statement in statements:
            connection.execute(text(statement))


# The outcome of an article in each run, and the article's state after it: state, revision,
# consecutive failures, last definite refusal; then the record written to the feeds: its kind and,
# for an article, the revision and the changed fields.
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


@pytest.mark.parametrize("case", STORIES)
def test_the_story_of_an_article(job: Job, case: str) -> None:
    told: Story = []
    for outcome, *_ in STORIES[case]:
        record = run(job, {"1": outcome}, recheck="all")["1"]
        row = known(job, "1")
        assert not row.queued
        state = (row.state, row.revision, row.failures, row.answer)
        feed = (
            (record.kind, record.revision, record.changed)
            if isinstance(record, Article)
            else record and (record.kind,)
        )
        told.append((outcome, state, feed))
    assert told == STORIES[case]
    assert job.balance().wrong == []


# A change in one of these fields makes a revision. Where and when an article was fetched is not
# part of its content.
CHANGES: dict[str, Any] = {
    **dict.fromkeys(("headline", "headline_raw", "body", "language", "credit"), "other"),
    **dict.fromkeys(("published_at", "published_raw"), "2026-02-02"),
    "media": (),
    "related": (listed("2"),),
    "related_complete": True,
}
NO_CHANGES: dict[str, Any] = {
    "url": "http://en.alalam.ir/news/1/other",
    "depth": 3,
    "found_on": "9",
    "status": 203,
    "fetched_at": "2026-05-05T00:00:00+00:00",
    "source": "wayback",
    "body_sha256": "0" * 64,
    "missing": ("credit",),
}


def test_what_makes_a_revision(job: Job) -> None:
    """One article for each field, which differs in the next run."""
    fields = {**CHANGES, **NO_CHANGES}
    run(job, dict.fromkeys(fields, "A"))
    begin(job, recheck="all")
    assert job.pages is not None
    crawled = frontier_of(job)
    crawled.seed(fields)
    found = {}
    while (sighting := crawled.take()) is not None:
        now = {"body": "A", sighting.id: fields[sighting.id]}
        record = article(sighting.id, **{"headline": f"About {sighting.id}", **now})
        stored = job.pages.store(sighting, record, record)
        found[sighting.id] = stored and (stored.revision, stored.changed)
    assert found == {field: (2, (field,)) if field in CHANGES else None for field in fields}


def test_a_new_validator_over_the_same_text_is_the_one_that_counts(job: Job) -> None:
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
    kept = []
    for outcome, answered, _ in answers:
        begin(job, recheck="all")
        sighting = taken(job, "1")
        sighting.answered = answered
        tell(job, sighting, outcome)
        finish(job)
        row = known(job, "1")
        kept.append((outcome, answered, (row.etag, row.last_modified)))
    assert kept == answers


@pytest.mark.parametrize(
    ("name", "forgets"),
    [("source", True), ("at", True), ("base_url", True), ("depth", False), ("match", False)],
)
def test_validators_of_another_server(job: Job, name: str, forgets: bool) -> None:
    begin(job)
    crawled = frontier_of(job)
    crawled.seed(["1", "2"])
    first, second = crawled.take(), crawled.take()
    assert first is not None and second is not None
    first.answered = ('"1"', "Mon")
    tell(job, first, "A")
    tell(job, second, "not_saved")
    finish(job)
    begin(job, arguments=LIVE)
    before = known(job, "1"), known(job, "2")
    assert (before[0].etag, before[0].last_modified, before[1].queued) == ('"1"', "Mon", False)
    finish(job)
    begin(job, arguments={**LIVE, name: "another"})
    after = known(job, "1"), known(job, "2")
    found = after[0].etag, after[0].last_modified, after[1].queued
    assert found == ((None, None, True) if forgets else ('"1"', "Mon", False))


def test_what_is_asked_every_hour_is_due_an_hour_after_the_run_began(job: Job) -> None:
    """No matter when the run fetched it."""
    began = datetime.now(UTC) - timedelta(minutes=20)
    run(job, {"1": "A", "2": "timeout"}, began=began, intervals=Intervals(HOUR, 10 * HOUR))
    for article_id in "12":
        due = known(job, article_id).due_at - began.timestamp()
        assert due == pytest.approx(0.95 * HOUR, abs=30)
    asked = {}
    for seconds in (0.9 * HOUR, HOUR):
        with job.database.transaction() as connection:
            queue(connection, "due", began.timestamp() + seconds, 10 * HOUR, 0)
            asked[seconds] = history.queued(connection)
    assert asked == {0.9 * HOUR: 0, HOUR: 2}


def test_a_run_asks_for_what_is_due_now(job: Job) -> None:
    run(job, {"1": "A", "2": "A", "3": "A"})
    now = datetime.now(UTC).timestamp()
    # The last due time was stored under a wrong clock: no interval is that long.
    for article_id, due in (("1", now - 60), ("2", now + 60), ("3", now + 10 * HOUR + 60)):
        execute(job, f"UPDATE pages SET due_at = {due} WHERE id = '{article_id}'")
    begin(job)
    assert [bool(known(job, article_id).queued) for article_id in "123"] == [True, False, True]


# Runs of one job: the limit of each run, how it ended, and the first run whose records its feed
# contains.
LIMITED: dict[str, list[tuple[int, str | None, int]]] = {
    "all at once": [(0, "finished", 1), (0, "finished", 2)],
    "a few at a time": [
        (2, "finished", 1),
        (2, "finished", 1),
        (2, "finished", 1),
        (2, "finished", 4),
    ],
    "stopped": [(0, "shutdown", 1), (0, "finished", 1), (0, "finished", 3)],
    "stopped with nothing left": [(0, "site_down", 1), (0, "site_down", 1)],
    "killed": [(2, None, 1), (0, "finished", 1), (0, None, 3), (0, "finished", 3)],
}


@pytest.mark.parametrize("case", LIMITED)
def test_a_run_that_leaves_something_to_fetch_is_not_the_last(job: Job, case: str) -> None:
    began_before = []
    for limit, reason, _ in LIMITED[case]:
        begin(job, limit=limit, arguments={})
        crawled = frontier_of(job, 1, limit)
        crawled.seed(list("12345"))
        while (sighting := crawled.take()) is not None:
            tell(job, sighting, "A")
            crawled.done(sighting.id)
        finish(job, reason)
        assert job.run is not None
        began_before.append((limit, reason, job.run.began_before))
    assert began_before == LIMITED[case]


def test_the_records_of_a_run_and_of_all_since_another(job: Job) -> None:
    runs = []
    for article_id in "123":
        run(job, {article_id: "A"})
        assert job.run is not None
        runs.append(job.run)
    assert [
        [[record.id for record in job.records_of(each, first)] for first in (None, 1, 2, 3)]
        for each in runs
    ] == [
        [["1"], ["1"], [], []],
        [["2"], ["1", "2"], ["2"], []],
        [["3"], ["1", "2", "3"], ["2", "3"], ["3"]],
    ]


# Whether a run stored an article, by the outcome of its only fetch.
HAS_ARTICLE = {"A": True, "timeout": False, "gone": False, "dropped": False, "not_saved": False}


@pytest.mark.parametrize("outcome", HAS_ARTICLE)
def test_whether_a_run_stored_an_article(job: Job, outcome: str) -> None:
    run(job, {"1": outcome})
    first = job.run
    run(job, {"2": "timeout"})
    second = job.run
    run(job, {"3": "gone"})
    third = job.run
    assert first is not None and second is not None and third is not None
    has = HAS_ARTICLE[outcome]
    found = [job.has_article(each, since) for each, since in ((first, 1), (second, 1), (third, 2))]
    assert found == [has, has, False]


def test_what_an_item_pipeline_made_of_records(job: Job) -> None:
    """An item counts as an article if it was made from one, or from no known record."""
    expected = {"article": True, "failure": False, "nothing": True}
    found = {}
    for what in expected:
        begin(job)
        assert job.pages is not None and job.run is not None
        sighting = taken(job, what)
        made = {"made of": what}
        if what == "nothing":
            assert job.pages.store(None, made, None) == made
            tell(job, sighting, "timeout")
            # The failure is the only other record, and is not an article.
        else:
            read = article(what) if what == "article" else None
            job.pages.store(sighting, made, read or failure(what, "timeout"))
        finish(job)
        found[what] = job.has_article(job.run, job.run.number)
        assert made in list(job.records_of(job.run))
    assert found == expected
    states = [known(job, what).state for what in ("article", "failure")]
    assert (states, job.balance().wrong) == (["article", "failure"], [])


def test_an_item_of_an_article_that_was_had_before(job: Job) -> None:
    """An item made from unchanged text is not new."""
    for first in (True, False):
        begin(job, recheck="all")
        assert job.pages is not None
        sighting = taken(job, "1")
        made = {"made of": 1}
        assert job.pages.store(sighting, made, article("1")) == made
        finish(job)
        assert known(job, "1").state == "article", first


def test_whether_the_arguments_are_as_before(job: Job) -> None:
    assert begin(job, arguments={"depth": "1"})
    finish(job)
    assert begin(job, arguments={"depth": "1"})
    finish(job)
    assert not begin(job, arguments={"depth": "2"})
    # The previous run was killed before it had reconsidered every page.
    assert not begin(job, arguments={"depth": "2"})
    job.reconsidered()
    assert begin(job, arguments={"depth": "2"})
    assert not begin(job, arguments={})


def test_runs_that_were_broken_off(job: Job) -> None:
    began = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3, 4)]
    sizes = [{"a.jsonl": 0, "b.csv": 17}, {}, {"c.jsonl": 5}, {}]
    for at, feeds in zip(began, sizes, strict=True):
        begin(job, began=at)
        job.name_feeds(feeds)
        assert job.run is not None
        if at == began[1]:
            finish(job)
    broken_off = job.broken_off()
    assert [(each.number, each.began) for each in broken_off] == [(1, began[0]), (3, began[2])]
    # Each includes everything that began after run 2.
    assert [each.began_before for each in broken_off] == [3, 3]
    assert [job.feeds_of(each) for each in broken_off] == [sizes[0], sizes[2]]
    job.end(broken_off[0], None)
    assert [each.number for each in job.broken_off()] == [3]


# The damage done to a sound ledger, and the errors that the balance then reports, if any.
WRONG: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "nothing": ("UPDATE pages SET told = 1", []),
    "no state": ("UPDATE pages SET state = 'x' WHERE id = 'a'", [("a", "no such state")]),
    "no record of an article": (
        "DELETE FROM records WHERE id = 'a'",
        [("a", "an article without a record")],
    ),
    "no revision": (
        "DELETE FROM records WHERE id = 'b' AND revision = 1",
        [("b", "a revision is missing")],
    ),
    "a revision too many": (
        "UPDATE pages SET revision = 1 WHERE id = 'b'",
        [("b", "a revision is missing")],
    ),
    "no record of a failure": (
        "DELETE FROM records WHERE id = 'f'",
        [("f", "a failure without a record")],
    ),
    "dropped, never fetched": (
        "DELETE FROM fetches WHERE id = 'd'",
        [("d", "it was never fetched")],
    ),
    "not saved, never fetched": (
        "DELETE FROM fetches WHERE id = 'n'",
        [("n", "it was never fetched")],
    ),
    "not queued": (
        "UPDATE pages SET queued = 0 WHERE id = 'p'",
        [("p", "pending, but not queued")],
    ),
    "nobody lists it": (
        "DELETE FROM listings WHERE id = 't'",
        [("t", "a teaser that no page lists")],
    ),
    "not known": ("DELETE FROM pages WHERE id = 't'", [("t", "listed, but not known")]),
    "an item in the place of a record": ("UPDATE records SET kind = 'item' WHERE id IN ('a', 'f')",
        [("a", "a revision is missing")]),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_balance_that_nothing_bears_out(job: Job, case: str) -> None:
    outcomes = {"a": "A", "b": "A", "f": "timeout", "d": "dropped", "n": "not_saved"}
    run(job, outcomes, {"a": [listed("t")]}, depth=0)
    run(job, {**outcomes, "b": "B"}, depth=0, recheck="all")
    begin(job)
    frontier_of(job).seed(["p"])
    assert job.pages is not None
    job.pages.flush()
    sound = "discovered 7 = articles 2 + teasers 2 + failures 1 + pending 1 + dropped 1"
    assert str(job.balance()) == sound
    statement, wrong = WRONG[case]
    execute(job, statement)
    balance = job.balance()
    assert (balance.wrong, balance.balanced) == (wrong, not wrong)
    if wrong:
        assert f"(the ledger does not balance: {wrong[0][0]} ({wrong[0][1]}); it is" in str(balance)


def test_a_balance_names_twenty(job: Job) -> None:
    names = [f"{number:02}" for number in range(23)]
    run(job, dict.fromkeys(names, "A"))
    execute(job, "DELETE FROM records")
    named = re.search(r"balance: (.*) and (\d+) more; it is damaged", str(job.balance()))
    assert named is not None
    assert named[1] == ", ".join(f"{name} (an article without a record)" for name in names[:20])
    assert named[2] == "3"


def test_what_a_ledger_can_be_asked(job: Job) -> None:
    lists = {"a": [listed("c", 1, "C of a"), listed("e", 2)], "b": [listed("c", 5, "C of b")]}
    outcomes = {"a": "A", "b": "timeout", "c": "gone", "e": "not_saved"}
    run(job, {"a": "A", "b": "B", "c": "gone", "e": "not_saved"}, lists)
    run(job, {**outcomes, "a": "A2", "b": "timeout", "c": "gone"}, recheck="all")
    run(job, {"a": "A2", "b": "timeout", "c": "C", "e": "dropped"}, recheck="all")
    with job.database.snapshot() as connection:
        found: dict[str, Any] = {
            "site": history.site(connection),
            "outcomes": [dict(history.outcomes(connection, number)) for number in (1, 2, 3, 4)],
            "failing": dict(history.failing(connection)),
            "fetches": [
                (row.run, row.outcome, row.detail, row.revision)
                for row in history.fetches(connection, "c")
            ],
            "listers": [
                (row.page_id, row.run, row.position) for row in history.listers(connection, "c")
            ],
            "revisions": [
                (number, record["revision"], record["body"])
                for number, record in history.revisions(connection, "a")
            ],
            "latest": list(history.corpus(connection, every_revision=False)),
            "all": list(history.corpus(connection, every_revision=True)),
            "nobody": (history.page(connection, "x"), history.fetches(connection, "x")),
            "runs": [each.number for each in history.runs(connection, 2)],
            "lost": history.damaged_records(connection),
        }
    for name in ("latest", "all"):
        decoded = map(msgspec.json.decode, found[name])
        found[name] = [(record["id"], record["revision"], record["body"]) for record in decoded]
    assert found == {
        "site": "alalam",
        "outcomes": [
            {"new": 2, "gone": 1, "not_saved": 1},
            {"changed": 1, "timeout": 1, "gone": 1, "not_saved": 1},
            {"unchanged": 1, "timeout": 1, "new": 1, "dropped": 1},
            {},
        ],
        "failing": {"timeout": 1},
        "fetches": [
            (1, "gone", "it is so", None),
            (2, "gone", "it is so", None),
            (3, "new", "back after gone", 1),
        ],
        "listers": [("a", 1, 1), ("b", 1, 5)],
        "revisions": [(1, 1, "A"), (2, 2, "A2")],
        "latest": [("b", 1, "B"), ("a", 2, "A2"), ("c", 1, "C")],
        "all": [("a", 1, "A"), ("b", 1, "B"), ("a", 2, "A2"), ("c", 1, "C")],
        "nobody": (None, []),
        "runs": [3, 2],
        "lost": [],
    }


def test_what_is_due_when(job: Job) -> None:
    run(job, dict.fromkeys("abcde", "A"))
    now = 1_900_000_000
    hours = {"a": -1, "b": 0, "c": 1, "d": 24, "e": 25}
    for article_id, hour in hours.items():
        execute(job, f"UPDATE pages SET due_at = {now + hour * HOUR} WHERE id = '{article_id}'")
    with job.database.snapshot() as connection:
        assert history.due_within(connection, now, (0, 0.5, 1, 24, 168)) == [2, 2, 3, 4, 5]
    assert job.next_due() == "2030-03-17 16:46:40 UTC"
    # Queued pages are fetched in any case, so they are not counted.
    execute(job, "UPDATE pages SET queued = 1 WHERE id < 'c'")
    with job.database.snapshot() as connection:
        assert history.due_within(connection, now, (0, 1)) == [0, 1]
    assert job.next_due() == "2030-03-17 18:46:40 UTC"
    execute(job, "UPDATE pages SET queued = 1")
    assert job.next_due() is None


def test_a_detail_that_no_database_could_hold(job: Job) -> None:
    begin(job)
    assert job.pages is not None
    crawled = frontier_of(job)
    details = {"1": "x" * 600, "2": "a\ud800b", "3": ""}
    crawled.seed(details)
    for detail in details.values():
        sighting = crawled.take()
        assert sighting is not None
        job.pages.leave(sighting, "dropped", detail)
    finish(job)
    with job.database.snapshot() as connection:
        kept = [history.fetches(connection, article_id)[0].detail for article_id in details]
    assert kept == ["x" * 500, "a\\ud800b", None]


def test_what_is_told_is_kept_when_it_is_flushed(job: Job) -> None:
    begin(job, sync_seconds=1000)
    assert job.pages is not None
    synced: list[str] = []
    job.pages.before_commit.append(lambda: synced.append("files"))
    sighting = taken(job, "1")
    tell(job, sighting, "A")

    def alive_at() -> str:
        with job.database.snapshot() as connection:
            return history.runs(connection, 1)[0].alive_at

    # Taking the article has stored it as queued; nothing else is stored before the flush.
    assert known(job, "1").queued
    synced.clear()
    before = alive_at()
    job.pages.flush()
    assert (known(job, "1").state, alive_at()) == ("article", before)
    # Any commit may survive a power cut, so the files it refers to must survive too.
    assert synced == ["files"]
    # There is nothing new to commit, but the last commit is not durable yet.
    job.pages.flush(durable=True)
    assert synced == ["files", "files"]
    assert alive_at() > before
    # Nothing at all to do.
    before = alive_at()
    job.pages.flush(durable=True)
    assert (synced, alive_at()) == (["files", "files"], before)


def test_a_commit_is_durable_in_time(job: Job) -> None:
    """With a sync interval of 0, each commit is durable and updates ``alive_at``."""
    begin(job, sync_seconds=0)
    assert job.pages is not None
    moments = []
    for number in (1, 2):
        frontier_of(job).seed([str(number)])
        job.pages.flush()
        with job.database.snapshot() as connection:
            moments.append(history.runs(connection, 1)[0].alive_at)
    assert moments[0] < moments[1]


def test_nothing_is_kept_after_a_failure(job: Job) -> None:
    told: list[CrawlerError] = []
    begin(job, on_failure=told.append)
    assert job.pages is not None
    crawled = frontier_of(job)
    crawled.seed(["1"])
    first, second = LedgerError("first"), LedgerError("second")
    job.pages.fail(first)
    job.pages.fail(second)
    job.pages.flush()
    assert (job.pages.failed, told) == (first, [first])
    assert known(job, "1") is None
    assert list(job.pages.recall(["1"])) == []
    assert crawled.take() is None
    with pytest.raises(LedgerError, match="first"):
        job.reconsidered()


def test_a_job_is_held_by_one_process(job: Job, tmp_path: Path) -> None:
    folder = tmp_path / "job"
    holder = jobs_module.holder(folder)
    assert holder is not None
    with pytest.raises(CrawlerError) as error:
        Job(folder, "alalam")
    assert error.value.exit_code == HELD
    assert str(error.value) == f"JOBDIR: {folder} is held by {holder}; run again when it has ended"
    # Reading a job does not lock it.
    jobs_module.read(folder).close()
    job.close()
    assert jobs_module.holder(folder) is None
    assert jobs_module.holder(tmp_path / "nowhere") is None
    # Nor does a job that could not be opened.
    with pytest.raises(CrawlerError, match="takes another folder for herald"):
        Job(folder, "herald")
    Job(folder, "alalam").close()


def test_places_go_on_from_run_to_run(job: Job) -> None:
    """A page's place sorts its related items after those of earlier pages."""
    places = []
    for article_id in "abc":
        run(job, {article_id: "A"})
        places.append(known(job, article_id).place)
        assert job.pages is not None
        assert job.pages.first_place == len(places) - 1
    assert places == [0, 1, 2]


def test_a_record_that_has_lost_a_bit(job: Job, tmp_path: Path) -> None:
    run(job, {"1": "A", "2": "A"})
    execute(job, "UPDATE records SET json = x'7b7d' WHERE id = '2'")
    words = "record 2, article 2, is not what was stored"
    with job.database.snapshot() as connection:
        assert history.damaged_records(connection) == [words]
    assert job.run is not None
    with pytest.raises(LedgerError) as error:
        list(job.records_of(job.run))
    advice = "restore the file from a backup, or start again with another JOBDIR"
    assert str(error.value) == f"the ledger {tmp_path / 'job' / FILE_NAME}: {words}; {advice}"

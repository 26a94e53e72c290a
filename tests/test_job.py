"""A job without a crawl: how its runs follow each other, and when changes become durable."""

import sqlite3  # noqa: TID251
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from job_state import history_of, new_job, seed_and_take  # noqa: F401
from jobs import article, begin, failure, finish, frontier_of, place_in, record_outcome, run
from sqlalchemy import select

from crawler.crawl.ledger import history
from crawler.crawl.ledger import job as jobs_module
from crawler.crawl.ledger.job import Job
from crawler.crawl.ledger.schema import PAGES, RUNS
from crawler.crawl.ledger.sqlite import SqliteDatabase
from crawler.errors import CrawlerError, LedgerError
from crawler.exit_codes import HELD

pytestmark = [pytest.mark.usefixtures("ledger")]

# For each run of a job: its limit, how it ended, and the first run whose records its feed contains.
LIMITED_RUNS: dict[str, list[tuple[int, str | None, int]]] = {
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


@pytest.mark.parametrize("case", LIMITED_RUNS)
def test_a_run_that_leaves_something_to_fetch_is_not_the_last(job: Job, case: str) -> None:
    first_runs = []
    for limit, reason, _ in LIMITED_RUNS[case]:
        begin(job, limit=limit, arguments={})
        frontier = frontier_of(job, 1, limit)
        frontier.seed(list("12345"))
        while (state := frontier.take()) is not None:
            record_outcome(job, state, "A")
            frontier.done(state.id)
        finish(job, reason)
        assert job.run is not None
        first_runs.append((limit, reason, job.run.first_run))
    assert first_runs == LIMITED_RUNS[case]


def test_the_records_of_a_run_and_of_all_runs_since_another(job: Job) -> None:
    runs = []
    for article_id in "123":
        run(job, {article_id: "A"})
        assert job.run is not None
        runs.append(job.run)
    firsts = (None, 1, 2, 3)
    assert [
        [[record.decoded().id for record in job.records_of(each, first)] for first in firsts]
        for each in runs
    ] == [
        [["1"], ["1"], [], []],
        [["2"], ["1", "2"], ["2"], []],
        [["3"], ["1", "2", "3"], ["2", "3"], ["3"]],
    ]
    # Another version of the program may have stored those of the runs before.
    assert [record.is_own for record in job.records_of(runs[2], 1)] == [False, False, True]


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
    actual = [job.has_article(each, since) for each, since in ((first, 1), (second, 1), (third, 2))]
    assert actual == [has, has, False]


def test_items_that_a_pipeline_made_from_records(job: Job) -> None:
    """An item counts as an article if it was made from one, or from no known record."""
    expected = {"article": True, "failure": False, "nothing": True}
    actual = {}
    for what in expected:
        begin(job)
        assert job.pages is not None and job.run is not None
        state = seed_and_take(job, what)
        item = {"made of": what}
        if what == "nothing":
            assert job.pages.store(None, item, None) == item
            record_outcome(job, state, "timeout")
            # The failure is the only other record, and is not an article.
        else:
            source_record = article(what) if what == "article" else None
            job.pages.store(state, item, source_record or failure(what, "timeout"))
        finish(job)
        actual[what] = job.has_article(job.run, job.run.number)
        assert item in [record.decoded() for record in job.records_of(job.run)]
    assert actual == expected
    states = [history_of(job, what).state for what in ("article", "failure")]
    assert (states, job.balance().wrong) == (["article", "failure"], [])


def test_an_item_of_an_article_that_was_stored_before(job: Job) -> None:
    """An item made from unchanged text is not new."""
    for first in (True, False):
        begin(job, recheck="all")
        assert job.pages is not None
        state = seed_and_take(job, "1")
        item = {"made of": 1}
        assert job.pages.store(state, item, article("1")) == item
        finish(job)
        assert history_of(job, "1").state == "article", first


def test_whether_the_arguments_are_unchanged(job: Job) -> None:
    assert begin(job, arguments={"depth": "1"})
    finish(job)
    assert begin(job, arguments={"depth": "1"})
    finish(job)
    assert not begin(job, arguments={"depth": "2"})
    # The previous run was killed before it had reconsidered every page.
    assert not begin(job, arguments={"depth": "2"})
    job.note_reconsidered()
    assert begin(job, arguments={"depth": "2"})
    assert not begin(job, arguments={})


def test_aborted_runs(job: Job) -> None:
    began = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3, 4)]
    sizes = [{"a.jsonl": 0, "b.csv": 17}, {}, {"c.jsonl": 5}, {}]
    for at, feeds in zip(began, sizes, strict=True):
        begin(job, began=at)
        job.name_feeds(feeds)
        assert job.run is not None
        if at == began[1]:
            finish(job)
    aborted = job.aborted_runs()
    assert [(each.number, each.began) for each in aborted] == [(1, began[0]), (3, began[2])]
    # Each includes everything that began after run 2.
    assert [each.first_run for each in aborted] == [3, 3]
    assert [job.feeds_of(each) for each in aborted] == [sizes[0], sizes[2]]
    job.end(aborted[0], None)
    assert [each.number for each in job.aborted_runs()] == [3]


def test_changes_are_stored_when_flushed(job: Job) -> None:
    begin(job, sync_seconds=1000)
    assert job.pages is not None
    synced: list[str] = []
    job.pages.commits.before_commit.append(lambda: synced.append("files"))
    state = seed_and_take(job, "1")
    record_outcome(job, state, "A")

    def alive_at() -> str:
        with job.database.snapshot() as connection:
            return history.runs(connection, 1)[0].alive_at

    # Taking the article has stored it as queued; nothing else is stored before the flush.
    assert history_of(job, "1").queued
    synced.clear()
    before = alive_at()
    job.pages.commits.flush()
    assert (history_of(job, "1").state, alive_at()) == ("article", before)
    # Any commit may survive a power cut, so the files it refers to must survive too.
    assert synced == ["files"]
    # There is nothing new to commit, but the last commit is not yet durable.
    job.pages.commits.flush(durable=True)
    assert synced == ["files", "files"]
    assert alive_at() > before
    # Now there is nothing at all to do.
    before = alive_at()
    job.pages.commits.flush(durable=True)
    assert (synced, alive_at()) == (["files", "files"], before)


def test_commits_are_durable_after_the_sync_interval(job: Job) -> None:
    """With a sync interval of 0, each commit is durable and updates ``alive_at``."""
    begin(job, sync_seconds=0)
    assert job.pages is not None
    moments = []
    for number in (1, 2):
        frontier_of(job).seed([str(number)])
        job.pages.commits.flush()
        with job.database.snapshot() as connection:
            moments.append(history.runs(connection, 1)[0].alive_at)
    assert moments[0] < moments[1]


def test_nothing_is_kept_after_a_failure(job: Job) -> None:
    failures: list[CrawlerError] = []
    begin(job, on_failure=failures.append)
    assert job.pages is not None
    frontier = frontier_of(job)
    frontier.seed(["1"])
    first, second = LedgerError("first"), LedgerError("second")
    job.pages.commits.fail(first)
    job.pages.commits.fail(second)
    job.pages.commits.flush()
    assert (job.pages.commits.failed, failures) == (first, [first])
    assert history_of(job, "1") is None
    assert list(job.pages.recall(["1"])) == []
    assert frontier.take() is None
    with pytest.raises(LedgerError, match="first"):
        job.note_reconsidered()


def test_a_commit_that_was_begun_comes_before_all_else(job: Job) -> None:
    """Reads see it, later commits follow it, and the end of the run waits for it."""
    begin(job, sync_seconds=1000)
    assert job.pages is not None and job.run is not None
    commits = job.pages.commits
    for article_id in "123456789":
        record_outcome(job, seed_and_take(job, article_id), "A")
        commits.begin_flush()
        assert history_of(job, article_id).state == "article"
    frontier_of(job).seed(["last"])
    commits.begin_flush()
    job.end(job.run, "finished")
    assert commits.failed is None
    with job.database.snapshot() as connection:
        [(_, is_finished)] = connection.execute(select(RUNS.c.run, RUNS.c.finished))
    assert (history_of(job, "last").queued, is_finished) == (True, False)


# With a server, a commit is over when begin_flush returns.
@pytest.mark.parametrize("ledger", ["sqlite"], indirect=True)
@pytest.mark.parametrize("finds_it", ["flush", "begin_flush", "rows", "balance", "end"])
def test_a_commit_that_fails_after_it_was_begun(job: Job, finds_it: str) -> None:
    """The next use of the ledger finds the error, and nothing is stored after lost changes."""
    failures: list[CrawlerError] = []
    begin(job, sync_seconds=1000, on_failure=failures.append)
    assert job.pages is not None and job.run is not None
    commits = job.pages.commits
    commits.flush()

    def refuse_commit(action: int, what: str | None, *more: object) -> int:
        is_commit = (action, what) == (sqlite3.SQLITE_TRANSACTION, "COMMIT")
        return sqlite3.SQLITE_DENY if is_commit else sqlite3.SQLITE_OK

    assert isinstance(job.database, SqliteDatabase)
    driver: Any = job.database.connection.connection.driver_connection
    driver.set_authorizer(refuse_commit)
    frontier_of(job).seed(["lost"])
    commits.begin_flush()
    assert failures == []
    frontier_of(job).seed(["after it"])
    if finds_it in ("balance", "end"):
        end = partial(job.end, job.run, "finished")
        with pytest.raises(LedgerError, match="not authorized"):
            {"balance": job.balance, "end": end}[finds_it]()
        assert failures == []
    elif finds_it == "rows":
        assert commits.rows(select(RUNS)) == ()
    else:
        getattr(commits, finds_it)()
    commits.flush()
    [error] = failures
    assert str(error).startswith(f"the ledger {job.database.name}: not authorized")
    job.close()
    database = jobs_module.read(job.place)
    assert [row.ended for row in database.rows(select(RUNS))] == [None]
    assert database.rows(select(PAGES)) == []
    database.close()


def test_a_job_is_held_by_one_process(job: Job, tmp_path: Path) -> None:
    folder = tmp_path / "job"
    holder = place_in(folder).holder()
    assert holder is not None
    with pytest.raises(CrawlerError) as error:
        Job(place_in(folder), "alalam")
    assert error.value.exit_code == HELD
    name = place_in(folder).name
    assert str(error.value) == f"job: {name} is held by {holder}; run again when it has ended"
    # Reading a job does not lock it.
    jobs_module.read(place_in(folder)).close()
    job.close()
    assert place_in(folder).holder() is None
    assert place_in(tmp_path / "nowhere").holder() is None
    # A job that could not be opened is not locked either.
    with pytest.raises(CrawlerError, match="takes another job for herald"):
        Job(place_in(folder), "herald")
    Job(place_in(folder), "alalam").close()


def test_places_continue_from_run_to_run(job: Job) -> None:
    """A page's place sorts its related items after those of earlier pages."""
    places = []
    for article_id in "abc":
        run(job, {article_id: "A"})
        places.append(history_of(job, article_id).place)
        assert job.pages is not None
        assert job.pages.first_place == len(places) - 1
    assert places == [0, 1, 2]

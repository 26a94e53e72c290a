"""What a job's ledger reports after its runs: the balance, and what was recorded."""

import re
from typing import Any

import msgspec
import pytest
from job_state import execute, new_job  # noqa: F401
from jobs import begin, finish, frontier_of, related_item, run
from sqlalchemy import update

from crawler.crawl.ledger import history
from crawler.crawl.ledger.job import Job
from crawler.crawl.ledger.schema import RECORDS
from crawler.errors import LedgerError

pytestmark = [pytest.mark.usefixtures("ledger")]

# The damage done to a sound ledger, and the errors that the balance then reports, if any.
WRONG: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "nothing": ("UPDATE pages SET told = TRUE", []),
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
        "UPDATE pages SET queued = FALSE WHERE id = 'p'",
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
def test_a_balance_that_does_not_match_the_records(job: Job, case: str) -> None:
    outcomes = {"a": "A", "b": "A", "f": "timeout", "d": "dropped", "n": "not_saved"}
    run(job, outcomes, {"a": [related_item("t")]}, depth=0)
    run(job, {**outcomes, "b": "B"}, depth=0, recheck="all")
    begin(job)
    frontier_of(job).seed(["p"])
    assert job.pages is not None
    job.pages.commits.flush()
    sound = "discovered 7 = articles 2 + teasers 2 + failures 1 + pending 1 + dropped 1"
    assert str(job.balance()) == sound
    statement, wrong = WRONG[case]
    execute(job, statement)
    balance = job.balance()
    assert (balance.wrong, balance.balanced) == (wrong, not wrong)
    if wrong:
        assert f"(the ledger does not balance: {wrong[0][0]} ({wrong[0][1]}); it is" in str(balance)


def test_a_balance_names_at_most_twenty_articles(job: Job) -> None:
    names = [f"{number:02}" for number in range(23)]
    run(job, dict.fromkeys(names, "A"))
    execute(job, "DELETE FROM records")
    match = re.search(r"balance: (.*) and (\d+) more; it is damaged", str(job.balance()))
    assert match is not None
    assert match[1] == ", ".join(f"{name} (an article without a record)" for name in names[:20])
    assert match[2] == "3"


def test_queries_of_a_ledger(job: Job) -> None:
    lists = {
        "a": [related_item("c", 1, "C of a"), related_item("e", 2)],
        "b": [related_item("c", 5, "C of b")],
    }
    outcomes = {"a": "A", "b": "timeout", "c": "gone", "e": "not_saved"}
    run(job, {"a": "A", "b": "B", "c": "gone", "e": "not_saved"}, lists)
    run(job, {**outcomes, "a": "A2", "b": "timeout", "c": "gone"}, recheck="all")
    run(job, {"a": "A2", "b": "timeout", "c": "C", "e": "dropped"}, recheck="all")
    with job.database.snapshot() as connection:
        actual: dict[str, Any] = {
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
                for number, record in history.revisions(connection, "a")[0]
            ],
            "latest": list(history.corpus(connection, every_revision=False)),
            "all": list(history.corpus(connection, every_revision=True)),
            "nobody": (history.page(connection, "x"), history.fetches(connection, "x")),
            "runs": [each.number for each in history.runs(connection, 2)],
            "lost": history.damaged_records(connection),
        }
    for name in ("latest", "all"):
        decoded = map(msgspec.json.decode, actual[name])
        actual[name] = [(record["id"], record["revision"], record["body"]) for record in decoded]
    assert actual == {
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


def test_a_detail_that_a_database_cannot_hold(job: Job) -> None:
    begin(job)
    assert job.pages is not None
    frontier = frontier_of(job)
    details = {"1": "x" * 600, "2": "a\ud800b", "3": ""}
    frontier.seed(details)
    for detail in details.values():
        state = frontier.take()
        assert state is not None
        job.pages.leave(state, "dropped", detail)
    finish(job)
    with job.database.snapshot() as connection:
        details_kept = [history.fetches(connection, article_id)[0].detail for article_id in details]
    assert details_kept == ["x" * 500, "a\\ud800b", None]


def test_a_record_that_was_altered(job: Job) -> None:
    run(job, {"1": "A", "2": "A"})
    execute(job, update(RECORDS).where(RECORDS.c.id == "2").values(json=b"{}"))
    words = "record 2 (article 2) does not match its checksum"
    with job.database.snapshot() as connection:
        assert history.damaged_records(connection) == [words]
    assert job.run is not None
    with pytest.raises(LedgerError) as error:
        list(job.records_of(job.run))
    advice = "restore it from a backup, or start again with another job"
    assert str(error.value) == f"the ledger {job.database.name}: {words}; {advice}"

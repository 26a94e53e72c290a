"""Rechecks: the interval after each fetch, the pages that a run queues, and their stored state."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jobs import new_ledger

from crawler.crawl.articles import NEVER_FETCHED, READ_AGAIN, Recheck
from crawler.crawl.ledger.database import Database
from crawler.crawl.ledger.queueing import forget_source, queue
from crawler.crawl.ledger.recheck import Intervals
from crawler.crawl.ledger.schema import PAGES
from crawler.errors import CrawlerError
from crawler.items import ANSWERS, REASONS

pytestmark = [pytest.mark.usefixtures("ledger")]

HOUR = 3600.0
# When the run began; any time long after the epoch will do.
RUN_START = 1_700_000_000.0

# The outcomes of consecutive fetches, with the hours between them, and the state after each: the
# interval in hours and the consecutive failures.
PLANS: dict[str, list[tuple[str, float, float, int]]] = {
    "new": [("new", 0.95, 1, 0)],
    "unchanged": [
        ("new", 0.95, 1, 0),
        ("unchanged", 1.9, 2, 0),
        ("not_modified", 3.8, 4, 0),
        ("dropped", 7.6, 8, 0),
        ("not_saved", 15.2, 16, 0),
        ("gone", 30.4, 32, 0),
        ("robots", 38, 40, 0),
        ("unchanged", 38, 40, 0),
    ],
    "changed": [
        ("new", 0.95, 1, 0),
        ("unchanged", 1.9, 2, 0),
        ("unchanged", 3.8, 4, 0),
        ("unchanged", 7.6, 8, 0),
        ("changed", 3.8, 4, 0),
        ("new", 1.9, 2, 0),
        ("changed", 0.95, 1, 0),
        ("changed", 0.95, 1, 0),
    ],
    "failures": [
        ("timeout", 0.95, 0, 1),
        ("http_5xx", 1.9, 0, 2),
        ("timeout", 3.8, 0, 3),
        ("timeout", 7.6, 0, 4),
        ("timeout", 15.2, 0, 5),
        ("timeout", 22.8, 0, 6),
        ("timeout", 22.8, 0, 7),
    ],
    "a success between failures": [
        ("new", 0.95, 1, 0),
        ("unchanged", 1.9, 2, 0),
        ("timeout", 0.95, 2, 1),
        ("dns", 1.9, 2, 2),
        ("unchanged", 3.8, 4, 0),
        ("timeout", 0.95, 4, 1),
        ("changed", 1.9, 2, 0),
        ("timeout", 0.95, 2, 1),
        ("gone", 3.8, 4, 0),
        ("timeout", 0.95, 4, 1),
    ],
}


@pytest.mark.parametrize("case", PLANS)
def test_plan(case: str) -> None:
    intervals = Intervals(HOUR, 40 * HOUR)
    recheck = NEVER_FETCHED
    planned = []
    for outcome, *_ in PLANS[case]:
        recheck = intervals.plan(recheck, outcome, began=RUN_START, now=RUN_START)
        assert recheck.due_at is not None
        wait = round((recheck.due_at - RUN_START) / HOUR, 6)
        planned.append((outcome, wait, recheck.interval / HOUR, recheck.failures))
    assert planned == PLANS[case]


@pytest.mark.parametrize("outcome", sorted(REASONS))
def test_plan_after_each_reason(outcome: str) -> None:
    """A definite refusal is rechecked as rarely as an unchanged article, a fault much sooner."""
    recheck = Recheck(interval=4 * HOUR, failures=1)
    recheck = Intervals(HOUR, 40 * HOUR).plan(recheck, outcome, began=RUN_START, now=RUN_START)
    due_in = None if recheck.due_at is None else round((recheck.due_at - RUN_START) / HOUR, 6)
    expected = (7.6, 8 * HOUR, 0) if outcome in ANSWERS else (1.9, 4 * HOUR, 2)
    assert (due_in, recheck.interval, recheck.failures) == expected


@pytest.mark.parametrize(
    ("minutes", "due"),
    {
        "at once": (0, 57),
        "after a third": (20, 57),
        "after a half": (30, 57),
        "later: the site is left alone for half the interval": (50, 77),
        "a clock that was put back": (-30, 27),
    }.values(),
)
def test_plan_in_a_run_that_takes_long(minutes: float, due: float) -> None:
    """A page that is rechecked every hour is due when the next hourly run begins.

    The arguments are the minutes from the beginning of this run to the fetch and to the due time.
    """
    for interval in (HOUR, 2 * HOUR, 10 * HOUR):
        recheck = NEVER_FETCHED
        scale = interval / 60
        now = RUN_START + minutes * scale
        recheck = Intervals(interval, interval).plan(recheck, "new", began=RUN_START, now=now)
        assert recheck.due_at == pytest.approx(RUN_START + due * scale)


def test_plan_with_a_longest_interval_below_the_longest_backoff() -> None:
    """After an outage, a site is not left alone for longer than any article is."""
    recheck = Recheck(failures=5000)
    recheck = Intervals(HOUR, 3 * HOUR).plan(recheck, "timeout", began=RUN_START, now=RUN_START)
    assert recheck.due_at == pytest.approx(RUN_START + 2.85 * HOUR)
    assert recheck.failures == 5001


OUTCOMES = st.lists(
    st.sampled_from(
        [
            "new",
            "changed",
            "unchanged",
            "not_modified",
            "gone",
            "robots",
            "dropped",
            "http_5xx",
            "timeout",
        ]
    )
)


@given(OUTCOMES, st.floats(1, 1000), st.floats(1, 1000))
def test_intervals_keep_their_bounds(outcomes: list[str], shortest: float, factor: float) -> None:
    intervals = Intervals(shortest, shortest * factor)
    recheck = NEVER_FETCHED
    for number, outcome in enumerate(outcomes):
        before = recheck.interval
        recheck = intervals.plan(recheck, outcome, began=0, now=number)
        assert recheck.due_at is not None
        assert number + 0.4 * shortest <= recheck.due_at <= number + intervals.longest
        if outcome in ("new", "changed"):
            assert recheck.interval == max(before / 2, shortest)
        elif outcome in ("http_5xx", "timeout"):
            assert (recheck.interval, recheck.failures > 0) == (before, True)
        else:
            assert recheck.interval == min(max(2 * before, shortest), intervals.longest)


KNOWN_STATES = ("article", "failure", "dropped", "not_saved")
LONGEST = 10.0
NOW = 100.0


@dataclass(frozen=True)
class Page:
    """The fields of an article that decide whether a run fetches it again."""

    state: str
    queued: bool
    due_at: float | None


# Exactly due at NOW, and as late as any interval allows, with values just around them.
DUE_TIMES = st.sampled_from(
    [READ_AGAIN, 1.0, 50.0, 99.5, NOW, 100.5, 109.5, NOW + LONGEST, 110.5, 900.0]
)
JOB_PAGES = st.lists(
    st.one_of(
        st.builds(Page, st.sampled_from(KNOWN_STATES), st.booleans(), DUE_TIMES),
        st.builds(Page, st.just("pending"), st.just(True), st.none()),
        st.builds(Page, st.sampled_from(["depth", "pruned"]), st.just(False), st.none()),
    ),
    max_size=12,
)


def queued_by_hand(pages: list[Page], mode: str, limit: int) -> set[int]:
    """Return the ids that ``queue`` should queue, by an independent definition."""
    queued = {number for number, page in enumerate(pages) if page.queued}
    known = [number for number, page in enumerate(pages) if page.state in KNOWN_STATES]
    due = {number: pages[number].due_at or 0.0 for number in known}
    if mode == "none":
        return queued - {number for number in known if due[number] != READ_AGAIN}
    if mode == "due":
        known = [n for n in known if due[n] <= NOW or due[n] - NOW > LONGEST]
    if limit:
        known.sort(key=lambda number: (due[number], number))
        del known[max(limit - len(queued), limit - limit // 2) :]
    return queued | set(known)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = new_ledger(tmp_path_factory.mktemp("job"))
    yield database
    database.close()


def rows(pages: list[Page], **columns: Any) -> list[dict[str, Any]]:
    return [
        {
            "id": f"{number:03}",
            "state": page.state,
            "queued": page.queued,
            "depth": 0,
            "lister": 0,
            "position": number,
            "found_in_run": 1,
            "told": False,
            "revision": 0,
            "due_at": page.due_at,
            "interval": 1.0,
            "failures": 0,
            **columns,
        }
        for number, page in enumerate(pages)
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JOB_PAGES, st.sampled_from(["due", "due", "all", "none"]), st.integers(0, 8))
def test_which_pages_a_run_queues(
    database: Database, pages: list[Page], mode: str, limit: int
) -> None:
    with database.connection.begin() as transaction:
        if pages:
            database.connection.execute(PAGES.insert(), rows(pages))
        queue(database.connection, mode, NOW, LONGEST, limit)
        found = database.connection.execute(PAGES.select().where(PAGES.c.queued))
        queued = {int(row.id) for row in found}
        transaction.rollback()
    assert queued == queued_by_hand(pages, mode, limit)


def test_what_is_forgotten_when_the_source_changes(database: Database) -> None:
    pages = [Page(state, False, 1.0) for state in (*KNOWN_STATES, "depth", "pruned")]
    validators = [("e", "l"), ("e", None), (None, "l"), (None, None), (None, None), (None, None)]
    with database.connection.begin() as transaction:
        for row, (etag, last_modified) in zip(rows(pages), validators, strict=True):
            values = {**row, "etag": etag, "last_modified": last_modified}
            database.connection.execute(PAGES.insert().values(values))
        forget_source(database.connection)
        found = database.connection.execute(PAGES.select().order_by(PAGES.c.id)).all()
        transaction.rollback()
    assert [(row.state, row.queued, row.etag, row.last_modified) for row in found] == [
        (page.state, page.state == "not_saved", None, None) for page in pages
    ]


BOUNDS: dict[str, tuple[float, float, str]] = {
    "none": (float("nan"), 1, "RECHECK_MIN: got nan, takes seconds from 0 to 3,162,240,000"),
    "too long": (1, float("inf"), "RECHECK_MAX: got inf, takes seconds from 0 to 3,162,240,000"),
    "a century and a second": (1, 3_162_240_001, "RECHECK_MAX: got 3.16224e+09, takes seconds"),
    "negative": (-1, 1, "RECHECK_MIN: got -1, takes seconds from 0 to"),
    "the wrong way round": (3600, 60, "RECHECK_MAX: got 60, which is less than RECHECK_MIN (3600)"),
}


@pytest.mark.parametrize("case", BOUNDS)
def test_wrong_bounds(case: str) -> None:
    shortest, longest, message = BOUNDS[case]
    with pytest.raises(CrawlerError) as error:
        Intervals(shortest, longest)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(("shortest", "longest"), [(0, 0), (5, 5), (0, 3_162_240_000)])
def test_the_widest_and_the_narrowest_bounds(shortest: float, longest: float) -> None:
    assert (Intervals(shortest, longest).shortest, Intervals(shortest, longest).longest) == (
        shortest,
        longest,
    )

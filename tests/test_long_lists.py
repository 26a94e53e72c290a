"""The number of SQL statements grows far more slowly than that of a page's related items."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jobs import SCOPE, place_in
from sqlalchemy import event

from crawler.crawl.frontier import Frontier
from crawler.crawl.ledger.job import Job
from crawler.crawl.ledger.recheck import Intervals
from crawler.crawl.records import teaser
from crawler.extraction.publishers import load
from crawler.items import RelatedItem

pytestmark = [pytest.mark.usefixtures("ledger")]

SITE = load("alalam")
ITEMS = 20_000
# The least number of articles looked up or stored per statement.
BATCH = 50


def related_item(position: int) -> RelatedItem:
    return RelatedItem(
        position=position,
        id=str(position),
        url=None,
        headline=f"Headline {position}",
        headline_raw=f"Headline {position}",
        kind=None,
        picture_url=None,
        uploaded_at=None,
        content_type=None,
        sort=None,
    )


def crawl(job: Job) -> int:
    """Run a crawl that lists ITEMS articles and follows none; return how many teasers it stored."""
    job.begin(datetime.now(UTC), {}, "all", 0, Intervals(0, 60), 60)
    assert job.pages is not None
    frontier = Frontier(0, 0, lambda item: True, job.pages)
    frontier.seed(["0"])
    assert frontier.take() is not None
    frontier.add_links("0", map(related_item, range(1, ITEMS + 1)))
    job.pages.leave(frontier.known["0"], "dropped")
    frontier.done("0")
    stored_records = (
        job.pages.store(state, record, record)
        for state, why, listings in frontier.unfetched()
        for record in [teaser(state, why, listings, SCOPE)]
    )
    stored_count = sum(record is not None for record in stored_records)
    job.pages.commits.flush()
    assert job.pages.commits.failed is None
    return stored_count


@pytest.mark.slow
@pytest.mark.parametrize("earlier_runs", [0, 1])
def test_the_number_of_statements(tmp_path: Path, earlier_runs: int) -> None:
    statements: list[str] = []
    with closing(Job(place_in(tmp_path / "job"), SITE.name)) as job:
        for _ in range(earlier_runs):
            assert crawl(job) == ITEMS
        event.listen(
            job.database.connection.engine,
            "before_cursor_execute",
            lambda connection, cursor, statement, *others: statements.append(statement),
        )
        # A later run has nothing new to store.
        assert crawl(job) == (0 if earlier_runs else ITEMS)
    assert 0 < len(statements) < ITEMS / BATCH

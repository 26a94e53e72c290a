"""A job in a folder of its own, for tests without a crawl, and a look at what it has stored."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jobs import frontier_of
from sqlalchemy import text

from crawler.crawl.frontier import ArticleState
from crawler.crawl.ledger import history
from crawler.crawl.ledger.job import Job


@pytest.fixture(name="job")
def new_job(tmp_path: Path) -> Iterator[Job]:
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

"""A job in a folder of its own, for tests without a crawl, and access to what it has stored."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jobs import frontier_of, place_in
from sqlalchemy import text

from crawler.crawl.articles import ArticleState
from crawler.crawl.ledger import history
from crawler.crawl.ledger.job import Job


@pytest.fixture(name="job")
def new_job(tmp_path: Path) -> Iterator[Job]:
    job = Job(place_in(tmp_path / "job"), "alalam")
    yield job
    job.close()


def history_of(job: Job, article_id: str) -> Any:
    with job.database.snapshot() as connection:
        return history.page(connection, article_id)


def seed_and_take(job: Job, article_id: str) -> ArticleState:
    """Return an article that was seeded and then taken from the frontier."""
    frontier = frontier_of(job)
    frontier.seed([article_id])
    state = frontier.take()
    assert state is not None
    return state


def execute(job: Job, *statements: Any) -> None:
    """Execute SQL statements, as text or as made with SQLAlchemy."""

    def run(connection: Any) -> None:
        for statement in statements:
            connection.execute(text(statement) if isinstance(statement, str) else statement)

    job.database.store(run)

"""The workers of a job, for people and programs that watch it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from crawler.workers import schema

if TYPE_CHECKING:
    from datetime import datetime

    from crawler.crawl.ledger.postgresql import PostgresDatabase


class WorkerStatus(NamedTuple):
    """A worker of the last run: its process, and what it has done.

    ``state`` is "working", "left" if it ended by itself, or "dead" if it stopped answering; others
    then take over its ``leases``. Of the workers of a run, one ``is_writer``, or was the last.
    """

    process: str
    run: int
    state: str
    is_writer: bool
    began: datetime
    alive_until: datetime
    delivered: int
    per_second: float
    leases: int


def workers(database: PostgresDatabase) -> list[WorkerStatus]:
    """Return the workers of the last run of a job, the first to join first."""
    if not database.run(schema.HAS_WORKERS):
        return []
    return [
        WorkerStatus(
            row.process,
            row.run,
            "working" if row.is_alive else "dead" if row.left_at is None else "left",
            row.is_writer,
            row.began,
            row.alive_until,
            row.delivered,
            round(row.delivered / max(float(row.seconds), 0.001), 1),
            row.leases,
        )
        for row in database.run(schema.STATUS)
    ]

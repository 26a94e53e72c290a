"""Queues the articles that a run is to request again, at the start of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, or_, select, update

from crawler.crawl.articles import LIST_DEPTH, READ_AGAIN
from crawler.crawl.ledger import history
from crawler.crawl.ledger.schema import PAGES

if TYPE_CHECKING:
    from sqlalchemy import Connection


def queue(connection: Connection, mode: str, now: float, longest: float, limit: int) -> None:
    """Queue the articles that are to be requested again at ``now`` (POSIX seconds).

    ``mode`` is one of ``arguments.RECHECKS``. An article due later than any interval allows was
    scheduled while the clock was wrong, and is queued too. If the run may fetch only ``limit``
    articles, those overdue the longest come first, and up to half of the limit is left to articles
    that are queued already, such as those never fetched.
    """
    was_requested = and_(
        PAGES.c.state.in_(("article", "failure", "dropped", "not_saved")),
        # Lists of articles are asked if they are seeds.
        PAGES.c.depth != LIST_DEPTH,
    )
    if mode == "none":
        # Unqueue all but those that have to be read again because they are nearer to the seeds.
        connection.execute(
            update(PAGES)
            .where(PAGES.c.queued, was_requested, PAGES.c.due_at != READ_AGAIN)
            .values(queued=False)
        )
        return
    condition = (
        was_requested
        if mode == "all"
        else and_(was_requested, or_(PAGES.c.due_at <= now, PAGES.c.due_at > now + longest))
    )
    if limit:
        room = limit - min(history.queued(connection), limit // 2)
        condition = PAGES.c.id.in_(
            select(PAGES.c.id).where(condition).order_by(PAGES.c.due_at, PAGES.c.id).limit(room)
        )
    connection.execute(update(PAGES).where(condition).values(queued=True))


def forget_source(connection: Connection) -> None:
    """Forget the facts that hold only for one source of pages.

    They are its server's validators, and which pages it lacks.
    """
    has_validators = PAGES.c.etag.is_not(None) | PAGES.c.last_modified.is_not(None)
    connection.execute(update(PAGES).where(has_validators).values(etag=None, last_modified=None))
    connection.execute(update(PAGES).where(PAGES.c.state == "not_saved").values(queued=True))

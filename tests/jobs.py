"""Jobs and their ledgers, driven as in a crawl but without running one."""

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields as fields_of
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scrapy.settings import Settings

from crawler.crawl.articles import ArticleState
from crawler.crawl.frontier import Frontier
from crawler.crawl.ledger.database import Database
from crawler.crawl.ledger.job import Job
from crawler.crawl.ledger.places import Place
from crawler.crawl.ledger.recheck import Intervals
from crawler.crawl.ledger.schema import JOB, VERSION
from crawler.crawl.scope import SAME, Scope
from crawler.extraction import publishers as sites
from crawler.extraction.directory import Publishers
from crawler.items import Article, Failure, PageRecord, RelatedItem
from crawler.job_settings import place_of

PUBLISHER = sites.load("alalam")
SITE = PUBLISHER.name
SCOPE = Scope(Publishers(), SAME, by_host=False)
LIVE = {"source": "live", "depth": "1"}


LINKS_OF_SCHEMA_7 = (
    """links (page_id VARCHAR NOT NULL, role VARCHAR NOT NULL, id VARCHAR NOT NULL,
        position INTEGER NOT NULL, url VARCHAR, text VARCHAR, internal BOOLEAN,
        first_seen VARCHAR NOT NULL, last_seen VARCHAR NOT NULL, removed_at VARCHAR,
        first_record VARCHAR, first_place VARCHAR, last_record VARCHAR, last_place VARCHAR)""",
    "readings (page_id VARCHAR NOT NULL, seen_at VARCHAR NOT NULL)",
)
"""The tables of links in ledgers before schema 8."""


def place_in(folder: Path) -> Place:
    """Return the place of the ledger of a job in a folder, or in the database of LEDGER_URL."""
    place = place_of(Settings({"JOBDIR": str(folder)}))
    assert place is not None
    return place


def new_ledger(folder: Path) -> Database:
    """Return a new ledger without runs."""

    def create(connection: Any) -> None:
        connection.execute(JOB.insert().values(version=VERSION, site=SITE, places=0))

    return place_in(folder).hold(create)


def article(article_id: str, body: str = "It was made up.", **fields: Any) -> Article:
    """Return an article record, as read from a page."""
    nothing: dict[str, Any] = dict.fromkeys(field.name for field in fields_of(PageRecord))
    defaults = {
        "kind": "article",
        "id": article_id,
        "site": SITE,
        "url": f"http://en.alalam.ir/news/{article_id}",
        "body": body,
        "headline": f"About {article_id}",
        "headline_raw": f"About {article_id}",
        "schema": 3,
        "depth": 0,
        "found_on": None,
        "source": "live",
        "fetched_at": "2026-01-01T00:00:00+00:00",
        "status": 200,
        "aliases": (),
        "links": (),
        "missing": (),
        "provenance": {},
    }
    return Article(**{**nothing, **defaults, **fields})


def failure(article_id: str, reason: Any) -> Failure:
    """Return the failure record of an article."""
    nothing: dict[str, Any] = dict.fromkeys(
        ("url", "headline", "headline_raw", "media_kind", "picture_url", "uploaded_at")
    )
    nothing |= dict.fromkeys(("content_type", "sort", "found_on", "status"))
    defaults: dict[str, Any] = {
        "site": SITE,
        "listed_on": (),
        "listed_as": (),
        "depth": 0,
        "attempts": 1,
        "detail": "it is so",
        "source": "live",
        "failed_at": "2026-01-01T00:00:00+00:00",
    }
    return Failure(id=article_id, reason=reason, **nothing, **defaults)


def related_item(article_id: str, position: int = 1, words: str | None = None) -> RelatedItem:
    """Return the related item with which a page lists an article."""
    nothing: dict[str, Any] = dict.fromkeys(
        ("kind", "picture_url", "uploaded_at", "content_type", "sort")
    )
    headline = words or f"About {article_id}"
    return RelatedItem(
        position=position,
        id=article_id,
        url=PUBLISHER.url_of(article_id),
        internal=True,
        headline=headline,
        headline_raw=headline,
        **nothing,
    )


def begin(job: Job, **given: Any) -> bool:
    """Begin a run with default arguments and recheck intervals of one to ten hours."""
    defaults = {
        "began": datetime.now(UTC),
        "arguments": LIVE,
        "recheck": "due",
        "limit": 0,
        "intervals": Intervals(3600, 36_000),
        "sync_seconds": 0,
    }
    return job.begin(**{**defaults, **given})


@contextmanager
def folder_in_memory() -> Iterator[Path]:
    """Yield a folder in memory, if the system has one, so that commits need not wait for a disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as name:
        yield Path(name)


@contextmanager
def running_job(
    folder: Path, arguments: Mapping[str, str], recheck: str = "due", limit: int = 0
) -> Iterator[Job]:
    """Yield a job with a run begun. Uncommitted changes are lost at the end, as in a kill."""
    job = Job(place_in(folder), SITE)
    try:
        begin(job, arguments=arguments, recheck=recheck, limit=limit)
        yield job
    finally:
        job.close()


def frontier_of(job: Job, depth: int = 1, limit: int = 0) -> Frontier:
    return Frontier(depth, limit, lambda item: True, job.pages)


def record_outcome(job: Job, state: ArticleState, outcome: Any) -> Any:
    """Record the outcome of an article; return the record that goes on to the feeds.

    The outcome is its text, ``not_modified``, ``dropped``, ``not_saved`` or a failure reason.
    """
    assert job.pages is not None
    if outcome == "not_modified":
        return job.pages.unchanged(state, outcome)
    if outcome in ("dropped", "not_saved"):
        return job.pages.leave(state, outcome, None)
    if outcome[0].islower():
        record: Any = failure(state.id, outcome)
    else:
        record = article(state.id, outcome)
    return job.pages.store(state, record, record)


def finish(job: Job, reason: str | None = "finished") -> None:
    """End the run in the same way as ``crawler.extensions.job_keeper``."""
    assert job.pages is not None and job.run is not None
    job.pages.commits.flush(durable=True)
    assert job.pages.commits.failed is None
    job.end(job.run, reason)


def run(
    job: Job,
    outcomes: dict[str, Any],
    lists: dict[str, Iterable[RelatedItem]] | None = None,
    *,
    depth: int = 1,
    **given: Any,
) -> dict[str, Any]:
    """Do one run. Its seeds are the articles in ``outcomes`` that no list includes.

    Return the result of each fetch by id, in the order of the fetches.
    """
    lists = lists or {}
    begin(job, **given)
    frontier = frontier_of(job, depth, given.get("limit", 0))
    listed_ids = {item.id for items in lists.values() for item in items}
    frontier.seed([article_id for article_id in outcomes if article_id not in listed_ids])
    results = {}
    while (state := frontier.take()) is not None:
        frontier.add_links(state.id, lists.get(state.id, ()))
        results[state.id] = record_outcome(job, state, outcomes[state.id])
        frontier.done(state.id)
    finish(job)
    return results

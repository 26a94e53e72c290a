"""Gathers the history of a job for its report: its runs, and the changes by the last one.

Feeds do not tell any of this.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from crawler.crawl.ledger import history
from crawler.exit_codes import in_words
from crawler.items import REASONS, PageRecord

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from sqlalchemy import Connection

    from crawler.crawl.edges import Edge
    from crawler.crawl.ledger.history import Balance, RunSummary

_MOST_RUNS = 100
_RECORD_FIELDS = frozenset(field.name for field in fields(PageRecord))


class Ran(NamedTuple):
    """A run: its arguments, when it ran, how it ended in words, and its fetches by outcome.

    ``number`` is None for a run without a ledger. ``asked`` is None if an older version of this
    program ran it.
    """

    number: int | None
    asked: Mapping[str, str] | None
    began: str
    seconds: float | None
    ending: str
    outcomes: Mapping[str, int]


class Change(NamedTuple):
    """An article that the last run found new or changed, or could not fetch."""

    id: str
    outcome: str
    detail: str | None
    fields: tuple[str, ...] = ()


class Changes(NamedTuple):
    """The changes by a run: of articles, and of the links of pages that were read before.

    ``failed_as_before`` is the number of articles that failed for the same reason as the last time.
    """

    run: int
    articles: list[Change]
    failed_as_before: int
    added: list[Edge]
    removed: list[Edge]

    @property
    def by_kind(self) -> dict[str, list[Change]]:
        """The articles that are new, changed, or failed, under these names."""
        kinds: dict[str, list[Change]] = {"new": [], "changed": [], "failed": []}
        for change in self.articles:
            kinds[change.outcome if change.outcome in kinds else "failed"].append(change)
        return kinds


class JobHistory(NamedTuple):
    """The history of a job. ``runs`` are the newest, newest first; ``changes`` are of the first.

    ``pending`` and ``dropped`` are the ids of articles that have no record, each with its URL if
    that is known.
    """

    site: str
    balance: Balance
    runs: list[Ran]
    changes: Changes | None
    pending: list[tuple[str, str | None]]
    dropped: list[tuple[str, str | None]]


def gather(connection: Connection) -> JobHistory:
    """Read the history of a job from a snapshot of its ledger."""
    runs = history.runs(connection, _MOST_RUNS)
    return JobHistory(
        site=history.site(connection),
        balance=history.balance(connection),
        runs=list(map(_ran, runs)),
        changes=_changes(connection, runs[0]) if len(runs) > 1 else None,
        pending=[(page.id, page.url) for page in history.unrecorded(connection, "pending")],
        dropped=[(page.id, page.url) for page in history.unrecorded(connection, "dropped")],
    )


def _ran(run: RunSummary) -> Ran:
    ended = run.ended if run.reason is not None else None
    seconds = None
    if ended is not None:
        seconds = (
            datetime.fromisoformat(ended) - datetime.fromisoformat(run.began)
        ).total_seconds()
    return Ran(run.number, run.asked, run.began, seconds, _ending(run), run.outcomes)


def _ending(run: RunSummary) -> str:
    if run.exit_code is not None:
        return in_words(run.exit_code)
    if run.reason is not None:
        return run.reason
    return (
        "not over yet, or it was killed"
        if run.ended is None
        else "it was killed, or could not write its feeds"
    )


def _changes(connection: Connection, run: RunSummary) -> Changes:
    articles = []
    failed_as_before = 0
    for fetch in history.fetches_of_run(connection, run.number):
        failed = _has_failed(connection, fetch)
        if failed and fetch.outcome == fetch.outcome_before:
            failed_as_before += 1
        elif failed or fetch.outcome in ("new", "changed"):
            fields = _fields(fetch)
            articles.append(Change(fetch.id, fetch.outcome, fetch.detail, fields))
    added, removed = history.changed_edges(connection, run.began)
    return Changes(run.number, articles, failed_as_before, added, removed)


def _has_failed(connection: Connection, fetch: Any) -> bool:
    """Return whether a fetch failed, or no source had an article that is stored."""
    return fetch.outcome in REASONS or (
        fetch.outcome == "not_saved" and _is_stored(connection, fetch.id)
    )


def _is_stored(connection: Connection, article_id: str) -> bool:
    page = history.page(connection, article_id)
    return page is not None and page.state == "article"


def _fields(fetch: Any) -> tuple[str, ...]:
    """Return the fields that a fetch found changed, which are its detail.

    The detail of an unchanged article that is back says so instead.
    """
    names = tuple((fetch.detail or "").split(", "))
    return names if fetch.outcome == "changed" and _RECORD_FIELDS.issuperset(names) else ()

"""``scrapy why``: the history of one article, from its job's ledger."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from crawler.crawl.articles import LIST_DEPTH
from crawler.errors import CrawlerError
from crawler.exit_codes import COULD_NOT_START
from crawler.offline_commands import LedgerCommand
from crawler.program import as_typed
from crawler.record_differences import differences
from crawler.terminal import describe_span, say_json, to_the_second
from crawler.terminal_tables import Line, Row, Table, show

if TYPE_CHECKING:
    from crawler.crawl.edges import Edge
    from crawler.crawl.ledger.database import Database
    from crawler.crawl.ledger.places import Place
    from crawler.terminal_tables import Part

# The text shows fewer than --json.
_MOST_LISTERS = 20
_LISTED_IN = {"text": "in the text", "translation": "as a translation"}
_STATES = {
    "pending": "to be fetched for the first time",
    "failure": "requested, but never fetched",
    "dropped": "fetched, but dropped by an item pipeline",
    "depth": "known from lists; farther from the seeds than depth allows",
    "pruned": "known from lists; left out by since, until, match or follow",
    "offsite": "known from lists; on a host that hosts leaves out",
    "address": "known from lists; its address does not look like an article's",
    "not_saved": "known from lists; no source has a page for it",
}


@dataclass
class History:
    """Everything that a ledger knows about an article.

    ``page``, ``listers`` and ``fetches`` are rows of the ledger. ``page`` is None for an article
    that is known only from links. ``lists`` are the ids of lists of articles. ``damage`` describes
    the revisions that cannot be read.
    """

    article_id: str
    page: Any
    edges: list[Edge]
    listers: list[Any]
    fetches: list[Any]
    revisions: list[tuple[int, dict[str, Any]]]
    damage: list[str]
    lists: frozenset[str]

    @property
    def headline(self) -> str | None:
        """The headline of the latest revision, or else of the first list that gives one."""
        if self.revisions:
            headline: str | None = self.revisions[-1][1]["headline"]
            return headline
        return next(filter(None, map(_listed_headline, self.listers)), None)

    @property
    def _is_list(self) -> bool:
        return self.page is not None and self.page.depth == LIST_DEPTH

    def as_json(self) -> dict[str, Any]:
        """Return the object that --json prints; docs/reference/records.md describes its keys."""
        page = self.page
        kind = "link" if page is None else "list" if self._is_list else "article"
        has_due_date = page is not None and page.due_at is not None and kind != "list"
        return {
            "id": self.article_id,
            "kind": kind,
            "headline": self.headline,
            "state": page and page.state,
            "depth": page.depth if kind == "article" else None,
            "found_on": page and page.found_on,
            "found_in_run": page and page.found_in_run,
            "queued": page is not None and bool(page.queued),
            "due_at": _due_at(page).isoformat() if has_due_date else None,
            "interval_seconds": page and page.interval,
            "failures_in_a_row": page and page.failures,
            "listed_by": [
                {
                    "page": row.page_id,
                    "role": row.role,
                    "position": None if row.page_id in self.lists else row.position,
                    "headline": _listed_headline(row),
                    "run": row.run,
                    "began": row.began,
                }
                for row in self.listers
            ],
            "linked_from": [
                {
                    "page": edge.source,
                    "role": edge.role,
                    "position": edge.position,
                    "url": edge.url,
                    "text": edge.text,
                    "first_seen": edge.first_seen,
                    "last_seen": edge.last_seen,
                    "removed_at": edge.removed_at,
                    "first_evidence": edge.first_evidence._asdict(),
                    "last_evidence": edge.last_evidence._asdict(),
                }
                for edge in self.edges
            ],
            "fetches": [
                {
                    "at": row.at,
                    "run": row.run,
                    "outcome": row.outcome,
                    "revision": row.revision,
                    "detail": row.detail,
                }
                for row in self.fetches
            ],
            "revisions": [
                {
                    "revision": record["revision"],
                    "run": run,
                    "changed": record["changed"],
                    "differences": list(differences(earlier, record, record["changed"])),
                }
                for (_, earlier), (run, record) in pairwise([(None, {}), *self.revisions])
            ],
            "damage": self.damage,
        }

    def parts(self) -> Iterator[Part]:
        if self.page is None:
            yield Line(self.article_id, "bold")
            yield Line("  not followed; known only from links")
            yield from self._links()
            return
        yield Line(f"{self.article_id}  {self.headline or ''}".rstrip(), "bold")
        yield Line("  " + _describe_state(self.page, len(self.revisions)))
        yield Line("  " + _describe_due_date(self.page))
        if not self._is_list:
            yield from self._listings()
        yield from self._links()
        yield from self._fetches()
        for line in self.damage:
            yield Line(f"cannot be read: {line}", "bold red")
        for (_, old), (_, new) in pairwise(self.revisions):
            yield Line(f"revision {new['revision']} compared with {old['revision']}:")
            for line in differences(old, new, new["changed"]):
                style = {"-": "red", "+": "green"}.get(line.lstrip()[:1], "")
                yield Line(f"  {line}", style)

    def _listings(self) -> Iterator[Part]:
        if not self.listers:
            yield Line("listed by no page: a seed")
            return
        yield Line(f"listed by {len(self.listers)}:")
        rows = []
        for row in self.listers[:_MOST_LISTERS]:
            # The positions in lists of articles are not counted from 1 (crawler.spiders.lists).
            place = "" if row.page_id in self.lists else f"position {row.position}"
            place = _LISTED_IN.get(row.role, place)
            rows.append(Row((to_the_second(row.began), str(row.run), place, row.page_id)))
        yield Table(rows, ("began (UTC)", "run", "place", "page"))
        yield from _more(self.listers)

    def _links(self) -> Iterator[Part]:
        """Yield the links to the article, and since when and until when each was seen."""
        if not self.edges:
            return
        yield Line(f"linked from {len(self.edges)}:")
        rows = []
        for edge in self.edges[:_MOST_LISTERS]:
            gone = to_the_second(edge.removed_at) if edge.removed_at else ""
            seen = to_the_second(edge.first_seen), to_the_second(edge.last_seen)
            notes = []
            for name, evidence in (("first", edge.first_evidence), ("last", edge.last_evidence)):
                if evidence.place and (name == "first" or evidence != edge.first_evidence):
                    record = f" {evidence.record_id}" if evidence.record_id else ""
                    notes.append(f"{name} seen in {evidence.place}{record}")
            rows.append(Row((*seen, gone, edge.role, edge.source), notes=notes))
        yield Table(rows, ("first seen (UTC)", "last seen", "gone by", "role", "page"))
        yield from _more(self.edges)

    def _fetches(self) -> Iterator[Part]:
        if not self.fetches:
            yield Line("never fetched")
            return
        yield Line("fetched:")
        rows = []
        for row in self.fetches:
            has_revision = row.outcome in ("new", "changed") and row.revision
            revision = str(row.revision) if has_revision else ""
            cells = (to_the_second(row.at), str(row.run), row.outcome, revision, row.detail or "")
            rows.append(Row(cells))
        yield Table(rows, ("at (UTC)", "run", "outcome", "revision", "detail"))


class Command(LedgerCommand):
    argument_count = 1
    prints_json = True

    def syntax(self) -> str:
        return "ID --job FOLDER [--json]"

    def short_desc(self) -> str:
        return (
            "Show an article's history in a job: who listed it and who links to it, each fetch, "
            "each change, and when it is due"
        )

    def read_ledger(
        self, place: Place, database: Database, args: list[str], opts: argparse.Namespace
    ) -> None:
        assert self.settings is not None
        found = _history(place.name, database, args[0], self.settings.get("PUBLISHERS"))
        if opts.json:
            say_json(found.as_json())
        else:
            show(found.parts())
        if found.damage:
            self.exitcode = COULD_NOT_START


def _history(job: str, database: Database, name: str, publisher_files: Any) -> History:
    """Return the history of the article that an id, an alias or a URL names.

    Raises CrawlerError if the job does not know it.
    """
    from crawler.crawl.ledger import history
    from crawler.extraction.directory import Publishers

    with database.snapshot() as connection:
        publishers = Publishers.of_job(history.site(connection), publisher_files)
        article_id = history.resolve(connection, publishers.id_in(name))
        page = history.page(connection, article_id)
        edges, damaged_links = history.edges_to(connection, article_id)
        if page is None and not edges:
            raise CrawlerError(
                f"{article_id}: unknown to the job {job}, as a seed or from a link; "
                f"{as_typed('status')} shows what the job knows"
            )
        revisions, damage = history.revisions(connection, article_id)
        return History(
            article_id,
            page,
            edges,
            history.listers(connection, article_id),
            history.fetches(connection, article_id),
            revisions,
            damage + damaged_links,
            history.lists(connection),
        )


def _more(found: list[Any]) -> Iterator[Part]:
    if len(found) > _MOST_LISTERS:
        yield Line(f"  and {len(found) - _MOST_LISTERS} more; --json has all of them")


def _listed_headline(row: Any) -> str | None:
    headline: str | None = row.headline or (row.item and json.loads(row.item)["headline_raw"])
    return headline


def _due_at(page: Any) -> datetime:
    return datetime.fromtimestamp(page.due_at, UTC)


def _describe_state(page: Any, revisions: int) -> str:
    origin = f"found on {page.found_on}" if page.found_on else "a seed"
    if page.depth == LIST_DEPTH:
        return f"a list of articles, {origin}, first seen in run {page.found_in_run}"
    description = (
        f"an article, {revisions} revision{'s' if revisions > 1 else ''} stored"
        if page.state == "article"
        else _STATES[page.state]
    )
    return f"{description}; depth {page.depth}, {origin}, first seen in run {page.found_in_run}"


def _describe_due_date(page: Any) -> str:
    if page.queued:
        return "to be fetched in the next run"
    if page.depth == LIST_DEPTH:
        return "asked again in every run with this seed"
    if page.due_at is None:
        return "will not be fetched"
    seconds = page.due_at - time.time()
    due_at = f"{to_the_second(_due_at(page))} UTC"
    note = (
        f", after {page.failures} failures in a row"
        if page.failures
        else f", requested every {describe_span(page.interval)}"
    )
    return f"due {due_at} ({'now' if seconds <= 0 else 'in ' + describe_span(seconds)}){note}"

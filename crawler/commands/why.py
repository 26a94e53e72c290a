"""``scrapy why``: the history of one article, from its job's ledger."""

from __future__ import annotations

import argparse
import json
import time
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawler.crawl.articles import LIST_DEPTH
from crawler.errors import CrawlerError
from crawler.job_command import LedgerCommand
from crawler.record_differences import differences
from crawler.terminal import describe_span, say

if TYPE_CHECKING:
    from crawler.crawl.edges import Edge
    from crawler.crawl.ledger.database import Database

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


class Command(LedgerCommand):
    argument_count = 1

    def syntax(self) -> str:
        return "ID -s JOBDIR=FOLDER"

    def short_desc(self) -> str:
        return (
            "Show an article's history in a job: who listed it and who links to it, each fetch, "
            "each change, and when it is due"
        )

    def run_on_ledger(
        self, folder: Path, database: Database, args: list[str], opts: argparse.Namespace
    ) -> None:
        from crawler.crawl.ledger import history
        from crawler.extraction.directory import Publishers

        assert self.settings is not None
        folder_of_publishers = self.settings.get("PUBLISHERS")
        with database.snapshot() as connection:
            publishers = Publishers.of_job(history.site(connection), folder_of_publishers)
            article_id = history.resolve(connection, publishers.id_in(args[0]))
            page = history.page(connection, article_id)
            edges = history.edges_to(connection, article_id)
            if page is None and not edges:
                raise CrawlerError(
                    f"{article_id}: unknown to the job in {folder}, as a seed or from a link; "
                    "scrapy status shows what the job knows"
                )
            revisions = history.revisions(connection, article_id)
            listers, fetches = (
                history.listers(connection, article_id),
                history.fetches(connection, article_id),
            )
            lists = history.lists(connection)
        if page is None:
            say(article_id)
            say("  not followed; known only from links")
            _say_links(edges)
            return
        listed_headlines = (
            row.headline or (row.item and json.loads(row.item)["headline_raw"]) for row in listers
        )
        headline = (
            revisions[-1][1]["headline"]
            if revisions
            else next(filter(None, listed_headlines), None)
        )
        say(f"{article_id}  {headline or ''}".rstrip())
        say("  " + _describe_state(page, len(revisions)))
        say("  " + _describe_due_date(page))
        if page.depth != LIST_DEPTH:
            say(f"listed by {len(listers)}:" if listers else "listed by no page: a seed")
        for row in listers[:_MOST_LISTERS]:
            # The positions in lists of articles are not counted from 1 (crawler.spiders.lists).
            place = f", position {row.position}" if row.page_id not in lists else ""
            if row.role in _LISTED_IN:
                place = f", {_LISTED_IN[row.role]}"
            say(f"  {_second(row.began)}  run {row.run}  {row.page_id}{place}")
        if len(listers) > _MOST_LISTERS:
            say(f"  and {len(listers) - _MOST_LISTERS} more")
        _say_links(edges)
        say("fetched:" if fetches else "never fetched")
        for row in fetches:
            revision_number = (
                f" revision {row.revision}"
                if row.outcome in ("new", "changed") and row.revision
                else ""
            )
            say(
                f"  {_second(row.at)}  run {row.run}  {row.outcome}{revision_number}"
                f"{f' ({row.detail})' if row.detail else ''}"
            )
        for (_, old), (_, new) in pairwise(revisions):
            say(f"revision {new['revision']} compared with {old['revision']}:")
            for line in differences(old, new, new["changed"]):
                say(f"  {line}")


def _say_links(edges: list[Edge]) -> None:
    """Show the links to an article, and since when and until when each was seen."""
    if edges:
        say(f"linked from {len(edges)}:")
    for edge in edges[:_MOST_LISTERS]:
        seen = dict.fromkeys((_second(edge.first_seen), _second(edge.last_seen)))
        gone = f", gone by {_second(edge.removed_at)}" if edge.removed_at else ""
        say(f"  {' to '.join(seen)}{gone}  {edge.role}  {edge.source}")
        for name, evidence in (("first", edge.first_evidence), ("last", edge.last_evidence)):
            if evidence.place and (name == "first" or evidence != edge.first_evidence):
                record = f" {evidence.record_id}" if evidence.record_id else ""
                say(f"    {name} seen in {evidence.place}{record}")
    if len(edges) > _MOST_LISTERS:
        say(f"  and {len(edges) - _MOST_LISTERS} more")


def _second(time: str | None) -> str:
    return time[:19].replace("T", " ") if time else "unknown"


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
    due_at = f"{datetime.fromtimestamp(page.due_at, UTC):%Y-%m-%d %H:%M:%S} UTC"
    note = (
        f", after {page.failures} failures in a row"
        if page.failures
        else f", requested every {describe_span(page.interval)}"
    )
    return f"due {due_at} ({'now' if seconds <= 0 else 'in ' + describe_span(seconds)}){note}"

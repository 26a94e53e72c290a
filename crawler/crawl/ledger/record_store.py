"""The stored records of each article, and their revisions.

An article's record, its revision and its completion are committed together, after everything that
the article lists.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import msgspec
from itemadapter import ItemAdapter
from sqlalchemy import bindparam, func, select

from crawler.crawl.ledger.batch import RecordRow
from crawler.crawl.ledger.record_json import packed, verified_json
from crawler.crawl.ledger.rows import readable_detail
from crawler.crawl.ledger.schema import FETCHES, RECORDS
from crawler.crawl.records import content_of
from crawler.errors import LedgerError
from crawler.items import (
    ANSWERS,
    NOT_COMPARED,
    Article,
    Failure,
    PageRecord,
    Record,
    RelatedItem,
    Teaser,
)

if TYPE_CHECKING:
    from datetime import datetime

    from crawler.crawl.articles import ArticleState, Content, State
    from crawler.crawl.ledger.commits import Commits
    from crawler.crawl.ledger.recheck import Intervals

_LATEST_RECORD = select(RECORDS).where(
    RECORDS.c.id == bindparam("id"), RECORDS.c.kind == bindparam("kind")
)
_LATEST_RECORD = _LATEST_RECORD.order_by(RECORDS.c.record.desc()).limit(1)
# The kinds of record a teaser can have: item if an item pipeline replaced it.
_TEASER_KINDS = ("teaser", "item")
_TEASER_ROWS = (
    select(RECORDS)
    .where(RECORDS.c.id.in_(bindparam("ids", expanding=True)), RECORDS.c.kind.in_(_TEASER_KINDS))
    .order_by(RECORDS.c.record)
)

_OWN_RECORDS = (Article, Teaser, Failure)
_COMPARED_FIELDS = tuple(
    field.name for field in fields(PageRecord) if field.name not in NOT_COMPARED
)
"""The fields whose change makes a new revision of an article."""


def _differ(old: dict[str, Any], new: dict[str, Any], field: str) -> bool:
    """Return whether two revisions differ in a field.

    The addresses of related items do not count, as mirrors change them. Of the links, only those in
    the text count, since the others have fields of their own. Fields that an older version of this
    program did not read do not count, nor do those that a copy of the text alone cannot have.
    """
    if field not in old:
        return False
    before, after = old[field], new[field]
    if field == "links":
        return None not in (before, after) and _in_text(before) != _in_text(after)
    if before and after and before != after:
        if field == "related":
            before, after = (
                [_without_address(item) for item in items] for items in (before, after)
            )
        elif field == "media":
            after = [{name: item[name] for name in before[0]} for item in after]
    return bool(before != after)


def _in_text(links: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return the targets and the texts of the links in paragraphs."""
    return [
        (link["id"], link["text"])
        for link in links
        if link["role"] == "text" and link["paragraph"] is not None
    ]


def _without_address(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in ("url", "internal")}


class RecordStore:
    """Stores the outcome of each page in a run's commits, and plans when it is due again."""

    def __init__(self, commits: Commits, began: datetime, intervals: Intervals) -> None:
        self._commits = commits
        self._began = began.timestamp()
        self._intervals = intervals
        self._teaser_rows: dict[tuple[str, str], Any] = {}
        last_fetch, last_record = (
            commits.database.rows(select(func.max(column)))[0][0] or 0
            for column in (FETCHES.c.fetch, RECORDS.c.record)
        )
        self._next_fetch = last_fetch + 1
        self.first_own_record = self._next_record = last_record + 1

    def prefetch_teasers(self, article_ids: list[str]) -> None:
        """Read the teasers of several articles at once, before they are passed to ``store``."""
        self._teaser_rows = dict.fromkeys(
            (article_id, kind) for article_id in article_ids for kind in _TEASER_KINDS
        )
        rows = self._commits.rows(_TEASER_ROWS, {"ids": article_ids})
        self._teaser_rows |= {(row.id, row.kind): row for row in rows}

    def store(self, state: ArticleState | None, record: Any, original: Record | None) -> Any:
        if isinstance(original, Article) and state is not None:
            return self._store_article(state, record, original)
        encoded = _encoded(record)
        if state is None:
            self._commits.batch.records.append(self._record_row(None, record, encoded))
            return record
        if isinstance(original, Failure):
            is_repeated = state.recheck.refusal == original.reason
            self._add_fetch(state, original.reason, original.detail)
            self._mark_done(state, "article" if state.revision else "failure", original.reason)
            if is_repeated:
                return None
        else:
            state.emitted = True
            self._commits.batch.add(state)
            if self._latest(state.id, _kind_of(record)) == encoded:
                return None
        self._commits.batch.records.append(self._record_row(state.id, record, encoded))
        return record

    def _store_article(self, state: ArticleState, record: Any, original: Article) -> Any:
        changed: tuple[str, ...] = ()
        if state.revision:
            old = self._latest_article(state.id)
            new = msgspec.json.decode(
                msgspec.json.encode(record if isinstance(record, Article) else original)
            )
            changed = tuple(field for field in _COMPARED_FIELDS if _differ(old, new, field))
            # Its return is news to readers who saw the article reported as gone or forbidden.
            if not changed and not state.recheck.refusal:
                _take_validators(state)
                self.unchanged(state, "unchanged")
                return None
        if isinstance(record, Article):
            record = replace(record, revision=state.revision + 1, changed=changed)
        row = self._record_row(state.id, record, _encoded(record))
        refusal = state.recheck.refusal
        revision = row.revision or state.revision
        state.recheck = state.recheck._replace(revision=revision, validators=state.new_validators)
        outcome = "new" if state.revision in (0, 1) else "changed"
        self._add_fetch(
            state,
            outcome,
            ", ".join(changed) or (f"back after {refusal}" if refusal else None),
        )
        self._mark_done(state, "article")
        self._commits.batch.records.append(row)
        return record

    def unchanged(self, state: ArticleState, outcome: str) -> None:
        self._add_fetch(state, outcome, None)
        self._mark_done(state, state.state)

    def leave(self, state: ArticleState, becomes: State, detail: str | None = None) -> None:
        """Record that an article was requested and has no record.

        It was not saved, or an item pipeline dropped it.
        """
        state.emitted = state.emitted and state.state == becomes
        if becomes == "list":
            _take_validators(state)
        self._add_fetch(state, becomes, detail)
        self._mark_done(state, "article" if state.revision else becomes)

    def note_duplicate(self, merged: ArticleState, kept: ArticleState) -> None:
        """Record that the page of another address of an article was fetched, if it was."""
        if merged.taken:
            detail = f"requested as {merged.url or merged.id}"
            self._commits.batch.fetches.append(
                (
                    *(self._next_fetch, self._commits.run, kept.id, self._now(), "duplicate"),
                    *(readable_detail(detail), None),
                )
            )
            self._next_fetch += 1

    def content_of(self, article_id: str) -> Content | None:
        """Return the content of the latest record of an article; None if it has none."""
        record = self._latest_article(article_id)
        return content_of(record["headline"], record["body_sha256"]) if record else None

    def related_of(self, article_id: str) -> list[RelatedItem]:
        """Return the related items in the latest record of an article; empty if it has none."""
        related = self._latest_article(article_id).get("related")
        return msgspec.convert(related or [], type=list[RelatedItem])

    def _latest_article(self, article_id: str) -> dict[str, Any]:
        latest = self._latest(article_id, "article")
        return msgspec.json.decode(latest) if latest else {}

    def _mark_done(self, state: ArticleState, becomes: State, reason: str | None = None) -> None:
        state.state = becomes
        state.recheck = state.recheck._replace(refusal=reason if reason in ANSWERS else None)
        state.queued = False
        self._commits.batch.add(state)
        self._commits.on_outcome(state)

    def _add_fetch(self, state: ArticleState, outcome: str, detail: str | None) -> None:
        # Lists are asked in every run.
        if outcome != "list" and not state.is_list:
            now = self._commits.database.now()
            state.recheck = self._intervals.plan(state.recheck, outcome, self._began, now)
        self._commits.batch.fetches.append(
            (
                *(self._next_fetch, self._commits.run, state.id, self._now(), outcome),
                *(readable_detail(detail), state.revision or None),
            )
        )
        self._next_fetch += 1

    def _now(self) -> str:
        return self._commits.database.now_text()

    def _record_row(self, article_id: str | None, record: Any, encoded: bytes) -> RecordRow:
        """Return the row of a record, given its JSON."""
        stored, checksum = packed(encoded)
        row = RecordRow(
            self._next_record,
            self._commits.run,
            article_id,
            _kind_of(record),
            record.revision if isinstance(record, Article) else None,
            checksum,
            stored,
        )
        self._next_record += 1
        return row

    def _latest(self, article_id: str, kind: str) -> bytes | None:
        """Return the JSON of the latest record of a kind; None if there is none."""
        if (article_id, kind) in self._teaser_rows:
            row = self._teaser_rows[article_id, kind]
        else:
            row = next(
                iter(self._commits.rows(_LATEST_RECORD, {"id": article_id, "kind": kind})), None
            )
        if row is None:
            return None
        try:
            return verified_json(row, self._commits.database.name)
        except LedgerError as error:
            self._commits.fail(error)
            return None


def _kind_of(record: Any) -> str:
    return record.kind if isinstance(record, _OWN_RECORDS) else "item"


def _encoded(record: Any) -> bytes:
    """Return the JSON of a record; raises an error if it cannot be represented."""
    is_own = isinstance(record, _OWN_RECORDS)
    return msgspec.json.encode(record if is_own else ItemAdapter(record).asdict())


def _take_validators(state: ArticleState) -> None:
    """Make the validators of the current response those of the stored revision."""
    state.recheck = state.recheck._replace(validators=state.new_validators)

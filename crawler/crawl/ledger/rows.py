"""Converts rows of the ledger to the frontier's objects."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from crawler.crawl.articles import (
    NEVER_FETCHED,
    ArticleState,
    Lead,
    Lister,
    Listing,
    Recheck,
    listed_item,
)
from crawler.items import RelatedItem

if TYPE_CHECKING:
    from collections.abc import Iterator

_DETAIL_CHARACTERS = 500


def utc_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def utc_now() -> str:
    return utc_text(datetime.now(UTC))


def readable_detail(detail: str | None) -> str | None:
    """Return a detail, shortened and escaped so that a database can store it."""
    return (
        detail[:_DETAIL_CHARACTERS].encode("utf-8", "backslashreplace").decode() if detail else None
    )


def state_of(row: Any) -> ArticleState:
    recheck = Recheck(
        revision=row.revision,
        due_at=row.due_at,
        interval=row.interval,
        failures=row.failures,
        validators=(row.etag, row.last_modified),
        refusal=row.answer,
    )
    return ArticleState(
        id=row.id,
        state=row.state,
        lister=Lister(row.found_on, row.depth, row.lister),
        position=row.position,
        queued=row.queued,
        fetch_index=row.place,
        emitted=row.told,
        recheck=NEVER_FETCHED if recheck == NEVER_FETCHED else recheck,
        url=row.url,
    )


def leads_of(rows: list[Any]) -> Iterator[Lead]:
    """Yield the listings of an article."""
    items = [_item(row) for row in rows]
    related = (item for row, item in zip(rows, items, strict=True) if row.role == "related")
    whole = next(filter(None, related), None)
    for row, stored_item in zip(rows, items, strict=True):
        if item := listed_item(stored_item, row.headline, whole):
            priority = (row.lister_depth + 1, row.listed_place, row.listed_position)
            yield Lead(priority, row.page_id, item, row.role)


def _item(row: Any) -> RelatedItem | None:
    return msgspec.json.decode(row.item, type=RelatedItem) if row.item else None


def listing_of(row: Any) -> Listing:
    item = _item(row)
    headline = item.headline_raw if item else row.headline
    return Listing(row.page_id, row.place, row.position, headline, item, row.role)

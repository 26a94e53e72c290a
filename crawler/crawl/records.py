"""Makes the records that a crawl stores, from page records and the facts of their fetches."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from crawler.crawl.articles import Content, checksum, deciding_item
from crawler.extraction.normalise import missing_of
from crawler.items import Article, Failure, PageRecord, Provenance, Teaser

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.crawl.articles import ArticleState, Listing
    from crawler.crawl.fetches import Fetch
    from crawler.crawl.scope import Scope
    from crawler.items import Reason, Why

_PAGE_FIELDS = tuple(field.name for field in fields(PageRecord))


def article(record: PageRecord, fetch: Fetch) -> Article:
    """Return the record of an article: the record of its page and the facts of its fetch."""
    values = {name: getattr(record, name) for name in _PAGE_FIELDS if name != "kind"}
    # The crawl may know better than the page which of the ids that it claims are its own.
    aliases = tuple(sorted({*(fetch.aliases or record.aliases)} - {fetch.id}))
    values.update(id=fetch.id, url=fetch.url, aliases=aliases)
    values["missing"] = missing_of(values)
    values["provenance"] = {**record.provenance, **_provenance(record, fetch)}
    return Article(
        **values,
        depth=fetch.depth,
        found_on=fetch.found_on,
        fetched_at=fetch.fetched_at.isoformat(timespec="microseconds"),
        source=fetch.source,
        status=fetch.status,
    )


def content_of(headline: str | None, body_sha256: str | None) -> Content:
    """Return the checksums that tell whether two records are of the same article."""
    return Content(
        checksum(headline) if headline else None, checksum(body_sha256) if body_sha256 else None
    )


def _provenance(record: PageRecord, fetch: Fetch) -> dict[str, Provenance]:
    provenance = {}
    if record.id != fetch.id or "id" not in record.provenance:
        provenance["id"] = Provenance(where=fetch.id_where, assumed=fetch.id_note)
    if fetch.url and (fetch.url_where or fetch.file):
        provenance["url"] = Provenance(
            where=fetch.url_where or "made from the id",
            assumed="that the page was saved from there" if fetch.file else None,
        )
    if fetch.file:
        provenance["fetched_at"] = Provenance(
            where="clock of this run", assumed="nothing of when the page was saved"
        )
    if fetch.capture:
        provenance["fetched_at"] = Provenance(
            where="date of the capture", assumed=fetch.fetched_at_note
        )
    if fetch.status_assumed:
        provenance["status"] = Provenance(
            where="capture" if fetch.capture else "saved page",
            assumed="that the page answered 200 when it was saved",
        )
    if fetch.file or fetch.capture or fetch.rendered_by or fetch.notes:
        provenance["source"] = _source(fetch)
    return provenance


def _source(fetch: Fetch) -> Provenance:
    notes = list(fetch.notes)
    where = fetch.capture or fetch.file or "the site's answer"
    if fetch.rendered_by:
        where = f"the page as {fetch.rendered_by} showed it"
        if fetch.unfinished:
            notes.append(f"that nothing more would come: {fetch.unfinished}")
    return Provenance(where=where, assumed="; ".join(notes) or None)


def teaser(state: ArticleState, why: Why, listings: Iterable[Listing], scope: Scope) -> Teaser:
    """Return the record of an article that is known only from related lists."""
    return Teaser(**_known_fields(state, listings, scope), why=why)


def failure(
    state: ArticleState,
    listings: Iterable[Listing],
    scope: Scope,
    *,
    reason: Reason,
    detail: str,
    attempts: int,
    status: int | None,
    source: str,
) -> Failure:
    """Return the record of an article that could not be fetched or read."""
    return Failure(
        **_known_fields(state, listings, scope),
        reason=reason,
        detail=detail,
        attempts=attempts,
        status=status if status and 100 <= status <= 999 else None,
        source=source,
        failed_at=datetime.now(UTC).isoformat(timespec="microseconds"),
    )


def _known_fields(state: ArticleState, listings: Iterable[Listing], scope: Scope) -> dict[str, Any]:
    """Return the fields that teasers and failures share."""
    listings = list(listings)
    publisher = scope.publisher_of(state)
    item = deciding_item(state, listings)
    return {
        "site": publisher.name if publisher else None,
        "id": state.id,
        "url": scope.url_of(state),
        "headline": item.headline if item else None,
        "headline_raw": item.headline_raw if item else None,
        "media_kind": item.kind if item else None,
        "picture_url": item.picture_url if item else None,
        "uploaded_at": item.uploaded_at if item else None,
        "content_type": item.content_type if item else None,
        "sort": item.sort if item else None,
        "listed_on": tuple(dict.fromkeys(listing.page_id for listing in listings)),
        "listed_as": tuple(sorted({listing.headline for listing in listings if listing.headline})),
        "depth": max(0, state.depth),
        "found_on": state.found_on,
    }

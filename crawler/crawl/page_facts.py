"""The facts of a page that a record keeps: the ids it claims, its address, how it was fetched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawler.crawl.fetches import Fetch
from crawler.crawl.identities import Claim
from crawler.extraction.addresses import article_address

if TYPE_CHECKING:
    from datetime import datetime

    from crawler.crawl.articles import ArticleState
    from crawler.crawl.fetches import Origin
    from crawler.crawl.scope import Scope
    from crawler.items import PageRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The page that answered a request for an article.

    ``url`` is its own, ``requested_url`` the one before redirects, ``source`` the name of the
    source in records. ``has_own_capture`` says whether one of the captures that were found for the
    article is of its own URL.
    """

    url: str
    requested_url: str
    status: int
    source: str
    fetched_at: datetime
    origin: Origin | None
    notes: tuple[str, ...]
    has_own_capture: bool
    rendered_by: str | None = None
    unfinished: str | None = None

    @property
    def is_saved(self) -> bool:
        """Whether a saved page answered."""
        return self.origin is not None and self.origin.file is not None


def claims(answer: Answer, state: ArticleState, record: PageRecord, scope: Scope) -> list[Claim]:
    """Return the ids that a page claims, the preferred one first."""
    publisher = scope.publisher_of(state)
    if record.id is None or (publisher and publisher.own_id(state.id)):
        return []
    # Programs that convert links make them lead to the path of the file.
    led_to = answer.origin.base if answer.origin and answer.is_saved else answer.url
    address = scope.publishers.id_of(led_to) if led_to else None
    ids = dict.fromkeys(filter(None, (record.id, address, state.id)))
    return [Claim(one, is_certain=one in (address, state.id)) for one in ids]


def fetch(
    answer: Answer,
    state: ArticleState,
    record: PageRecord,
    scope: Scope,
    ids: tuple[str, ...],
    id_note: str | None,
) -> Fetch:
    """Return the facts of a fetch; ``ids`` are those that the page claimed."""
    origin = answer.origin
    url, url_where = _address(answer, state, record, scope)
    if not ids and url and not answer.is_saved and answer.url != url:
        ids = _final_address(answer.url, state, url, scope)
    return Fetch(
        id=state.id,
        url=url,
        depth=state.depth,
        found_on=state.found_on,
        fetched_at=(origin and origin.captured_at) or answer.fetched_at,
        source=answer.source,
        status=answer.status,
        status_assumed=origin is not None and origin.status_assumed,
        id_where=origin.id_where if origin else "asked for",
        url_where=url_where,
        aliases=ids,
        id_note=id_note,
        file=origin.file if origin else None,
        capture=origin.where if origin and origin.captured_at else None,
        rendered_by=answer.rendered_by,
        unfinished=answer.unfinished,
        fetched_at_note=origin.date_note if origin else None,
        notes=answer.notes,
    )


def note_of(refused: str | None) -> str:
    """Return the note of an id on a page whose canonical URL is that of another article."""
    return f"that the canonical URL is wrong: it names {refused}, which is another article"


def _address(
    answer: Answer, state: ArticleState, record: PageRecord, scope: Scope
) -> tuple[str | None, str | None]:
    """Return the URL of an article, and where it comes from unless it was seen as a link.

    It is the one requested, before redirects, even if a source has the page of another address.
    """
    origin = answer.origin
    if origin and origin.file:
        return record.url, origin.url_where
    url, captured = scope.url_of(state), answer.requested_url
    if state.url:
        return url, None
    if origin and origin.captured_at and not (url and _is_elsewhere(captured, url, answer)):
        return captured, None
    return url or captured, "made from the id"


def _is_elsewhere(captured: str, url: str, answer: Answer) -> bool:
    """Return whether a page was captured at another path, and its article's URL was captured too.

    That URL then leads to the captured one.
    """
    return urlsplit(captured).path != urlsplit(url).path and answer.has_own_capture


def _final_address(led_to: str, state: ArticleState, url: str, scope: Scope) -> tuple[str, ...]:
    """Return the address that an article with an id of its own was read at, if it is another.

    The article keeps its id, wherever the publisher's redirects lead.
    """
    publisher = scope.publisher_of(state)
    address_of = publisher.address_of if publisher else article_address
    final = address_of(led_to)
    return (final,) if final and final != address_of(url) else ()

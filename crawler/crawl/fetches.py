"""How a page was fetched: the origin of its response, and the facts that its record keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The origin of a response that is not from the live site, kept in the request's ``Visit``.

    ``source`` is the source's name in records, and ``where`` the place in it. A saved page has a
    ``file`` and no date, and the ``page_url`` from which it was saved, if that is known, found at
    ``url_where``, and the ``base`` of its relative links, if that is another one. An archived page
    was ``captured_at`` a known time, and ``record_id`` is that of its WARC record, if known.
    ``id_where`` names the place from which the article's id was taken.
    """

    source: str
    where: str
    file: str | None = None
    page_url: str | None = None
    url_where: str | None = None
    base: str | None = None
    captured_at: datetime | None = None
    record_id: str | None = None
    id_where: str = "asked for"
    status_assumed: bool = False
    is_text: bool = False
    """Whether the response is the text of the page, not the page."""
    date_note: str | None = None
    """The assumption behind ``captured_at``, if any."""
    verified: bool = False
    """Whether the payload has the recorded length, and the recorded digest if there is one."""


def where_captured(origin: Origin | None) -> str:
    """Describe a capture in a message."""
    if origin is None or origin.captured_at is None:
        return "a capture"
    return f"the capture of {origin.captured_at:%Y-%m-%d %H:%M:%S} at {origin.where}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """How the page of an article was fetched.

    ``url`` is None for a saved page whose address is unknown. Times are UTC. A saved page is in
    ``file``; ``capture`` is the place in an archive of a page that was captured at ``fetched_at``.
    ``aliases`` are the ids of the addresses that led to the page. ``id_where`` and ``url_where``
    say where the id and the URL come from, unless the page or the crawl gave them; ``id_note`` what
    was assumed about the id.
    ``rendered_by`` is the browser that ran the scripts of a page, ``unfinished`` why it may not
    have shown everything. ``notes`` list what had to be assumed to read the response.
    """

    id: str
    url: str | None
    depth: int
    found_on: str | None
    fetched_at: datetime
    source: str
    status: int
    status_assumed: bool = False
    id_where: str = "asked for"
    id_note: str | None = None
    url_where: str | None = None
    aliases: tuple[str, ...] = ()
    file: str | None = None
    capture: str | None = None
    rendered_by: str | None = None
    unfinished: str | None = None
    fetched_at_note: str | None = None
    notes: tuple[str, ...] = ()

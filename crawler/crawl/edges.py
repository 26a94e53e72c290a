"""The edges of the link graph that a job keeps: who links to whom, in which role, since when."""

from collections.abc import Iterable
from typing import Any, NamedTuple, get_args

from crawler.items import ArticleRole, Link, LinkRole, RelatedItem

ROLES: tuple[ArticleRole, ...] = get_args(ArticleRole)
"""The roles of links that a crawl may follow, in canonical order."""
_ROLE_POSITIONS = 1_000_000


class Evidence(NamedTuple):
    """The archived page that shows a link: its WARC record, and the place of that record.

    ``record_id`` is the record's WARC-Record-ID, ``place`` its file, with the offset if that is
    known. Each is None if it is not known.
    """

    record_id: str | None = None
    place: str | None = None


NO_EVIDENCE = Evidence()


class Edge(NamedTuple):
    """A link from the page ``source`` to the page ``target``, both by their ids.

    ``position`` is its number among the page's links, counted from 1. The times, ISO 8601 in UTC,
    are those of the page's fetches or captures: the first and the last that showed the link, and
    the first after these that did not. Without a ledger they and the evidence are unknown.
    """

    source: str
    target: str
    role: LinkRole
    position: int
    url: str | None
    text: str | None
    internal: bool | None
    first_seen: str | None = None
    last_seen: str | None = None
    removed_at: str | None = None
    first_evidence: Evidence = NO_EVIDENCE
    last_evidence: Evidence = NO_EVIDENCE

    @property
    def values(self) -> tuple[Any, ...]:
        """All values in order, with those of the evidence one by one, as for a row of a table."""
        return (*self[:-2], *self.first_evidence, *self.last_evidence)


def edges_of(page_id: str, links: Iterable[Link]) -> tuple[Edge, ...]:
    """Return the edges of the links that a page shows, in page order."""
    return tuple(
        Edge(page_id, link.id, link.role, position, link.url, link.text, link.internal)
        for position, link in enumerate(links, start=1)
        if link.id is not None
    )


def edges_of_items(page_id: str, items: Iterable[RelatedItem]) -> tuple[Edge, ...]:
    """Return the edges of a related list alone, if the other links of its page are not known."""
    return tuple(
        Edge(page_id, item.id, "related", position, item.url, item.headline_raw, item.internal)
        for position, item in enumerate(items, start=1)
        if item.id is not None
    )


def as_item(edge: Edge) -> RelatedItem:
    """Return an edge as if it were an item of a related list, for the frontier to follow.

    Its position is in the range of its role: all links of a role come after those of the roles
    before it, whichever are followed. The text of a link is no headline that a page claims for the
    target.
    """
    return RelatedItem(
        position=ROLES.index(edge.role) * _ROLE_POSITIONS + edge.position,
        id=edge.target,
        url=edge.url,
        internal=edge.internal,
        headline=None,
        headline_raw=edge.text,
        kind=None,
        picture_url=None,
        uploaded_at=None,
        content_type=None,
        sort=None,
    )

"""The edges of the link graph that a job keeps: who links to whom, in which role, since when."""

from typing import NamedTuple

from crawler.items import LinkRole


class Evidence(NamedTuple):
    """The archived page that shows a link: its WARC record, and the place of that record.

    ``record_id`` is the record's WARC-Record-ID, ``place`` its file, with the offset if that is
    known. Each is None if it is not known.
    """

    record_id: str | None = None
    place: str | None = None


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
    first_evidence: Evidence = Evidence()
    last_evidence: Evidence = Evidence()

"""What is remembered of an answer that was archived, so that the next that is the same need only refer to it."""

from typing import NamedTuple

RENDERED_BY = "rendered-by"
"""The field of a warcinfo record that says what browser made the conversion records of its file."""

RENDERED_URN = "urn:rendered:"
"""Before the URL of a page in the target URI of such a record."""


class Archived(NamedTuple):
    """The last answer of a URL that carried a page: its payload's digest, the date and id of its record, and the file that this is in.

    ``file_id`` is the id of the file's warcinfo record: another file may have its name one day. ``etag`` and ``last_modified`` are
    the validators of the last answer with that payload (RFC 9110, 8.8): that a server has nothing newer says something of this record
    only if it was asked with these.
    """

    url: str
    digest: str
    date: str
    record_id: str
    file: str
    file_id: str
    etag: str | None
    last_modified: str | None

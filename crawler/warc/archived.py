"""Archived responses that the revisit record of a later, identical response can refer to."""

from typing import NamedTuple

RENDERED_BY = "rendered-by"
"""The warcinfo field that names the browser behind the conversion records of a file."""

RENDERED_URN = "urn:rendered:"
"""The prefix of the page's URL in the target URI of a conversion record."""


class Archived(NamedTuple):
    """The last response for a URL that contained a page.

    ``digest`` is that of its payload; ``date`` and ``record_id`` are those of its record in
    ``file``. ``file_id`` is the ID of that file's warcinfo record: another file may later take the
    same name. ``etag`` and ``last_modified`` are the validators of the last response with that
    payload (RFC 9110, 8.8): a 304 response means this record only if the request carried them.
    """

    url: str
    digest: str
    date: str
    record_id: str
    file: str
    file_id: str
    etag: str | None
    last_modified: str | None

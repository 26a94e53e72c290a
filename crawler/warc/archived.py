"""What is remembered of an answer that was archived, so that the next that is the same need only refer to it."""

from typing import NamedTuple


class Archived(NamedTuple):
    """The last answer of a URL that carried a page: its payload's digest, and the date, id and file of its record."""

    url: str
    digest: str
    date: str
    record_id: str
    file: str

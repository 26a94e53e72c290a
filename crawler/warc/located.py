"""Captures whose files are named by their locations, so that any process can read their records.

There is no index in which other captures could be looked up, such as those of a redirect's target.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from crawler.warc.captures import Capture
from crawler.warc.pages import Captures, Lookup
from crawler.warc.stored_file import Location, place_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.warc.record_reader import RecordReader
    from crawler.warc.records import Record


class StoredIn(NamedTuple):
    """The file that stores a capture; ``source`` is the kind of source in records."""

    location: Location
    source: str

    @property
    def address(self) -> str:
        return self.location.address


LocatedCapture = tuple[Capture, StoredIn]


class LookupNeededError(Exception):
    """The captures of some lookups have to be found in an index first."""

    def __init__(self, lookups: Iterable[Lookup]) -> None:
        super().__init__()
        self.lookups = tuple(dict.fromkeys(lookups))


class LocatedCaptures(Captures[StoredIn]):
    """Reads records of at most ``most_bytes``; raises LookupNeededError for other captures."""

    def __init__(self, reader: RecordReader, most_bytes: int) -> None:
        self._reader = reader
        self._most_bytes = most_bytes

    def find(self, *lookups: Lookup) -> list[LocatedCapture]:
        raise LookupNeededError(lookups)

    def record(self, capture: Capture, stored: StoredIn) -> Record:
        return self._reader.read(stored.location, capture.offset, capture.length, self._most_bytes)

    def place(self, capture: Capture, stored: StoredIn) -> str:
        return place_of(stored.location.name, capture.offset)

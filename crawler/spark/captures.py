"""The captures of all files as rows, and the lookups of captures in other files by joins."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from crawler.errors import StorageError
from crawler.warc.captures import COPIES, Capture, key_of
from crawler.warc.located import LocatedCapture, LocatedCaptures, LookupNeededError, StoredIn
from crawler.warc.pages import Lookup
from crawler.warc.records import digest_key
from crawler.warc.stored_file import Location
from crawler.warc.texts import TextFields

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crawler.warc.record_reader import RecordReader
    from crawler.warc.records import Record

_TEXT, _NUMBER = pa.string(), pa.int64()
SCHEMA = pa.schema(
    [
        pa.field("article", _TEXT),
        pa.field("url", _TEXT, nullable=False),
        pa.field("timestamp", _TEXT, nullable=False),
        pa.field("status", _NUMBER),
        pa.field("media_type", _TEXT),
        pa.field("digest", _TEXT),
        pa.field("file", _TEXT, nullable=False),
        pa.field("offset", _NUMBER, nullable=False),
        pa.field("length", _NUMBER, nullable=False),
        pa.field("record_id", _TEXT),
        pa.field("concurrent_to", _TEXT),
        pa.field("method", _TEXT),
        pa.field("source", _TEXT, nullable=False),
        pa.field("location", _TEXT, nullable=False),
    ]
)
"""The table ``captures``: the id of the article, if the address is an article's, the fields of
``Capture``, the kind of source in records, and the file as the JSON of a ``Location``."""
_CAPTURE_FIELDS = tuple(Capture.__dataclass_fields__)
# A redirect or a revisit record that is read again after a join need not be fetched again.
_MOST_KEPT_BYTES = 1 << 16


def to_columns(article: str | None, capture: Capture, stored: StoredIn) -> dict[str, Any]:
    """Return a capture as a row of the table."""
    values: dict[str, Any] = {name: getattr(capture, name) for name in _CAPTURE_FIELDS}
    location = msgspec.json.encode(stored.location).decode()
    return {"article": article, **values, "source": stored.source, "location": location}


def from_columns(values: dict[str, Any]) -> LocatedCapture:
    """Return a capture from a row of the table."""
    capture = Capture(**{name: values[name] for name in _CAPTURE_FIELDS})
    return capture, StoredIn(_location(values["location"]), values["source"])


@lru_cache(maxsize=1024)
def _location(encoded: str) -> Location:
    values = msgspec.json.decode(encoded)
    fields = tuple(TextFields(*names) for names in values.pop("text_fields"))
    return Location(**values, text_fields=fields)


def lookups_of(capture: Capture) -> Iterator[Lookup]:
    """Yield the lookups by which a capture is found."""
    if key := key_of(capture.url):
        yield Lookup("url", key)
    if capture.media_type not in COPIES:
        if digest := digest_key(capture.digest):
            yield Lookup("digest", digest)
        if capture.record_id:
            yield Lookup("record", capture.record_id)


class JoinedCaptures(LocatedCaptures):
    """The captures of one article, and those that were joined since.

    ``joined`` and ``kept`` can be pickled: the captures by lookup, and the redirects and revisit
    records that were read so far. ``unreachable`` says whether the storage failed to give a record,
    which thus may be read another time. Raises LookupNeededError if others have to be joined first.
    """

    def __init__(
        self,
        reader: RecordReader,
        most_bytes: int,
        joined: dict[Lookup, list[LocatedCapture]],
        kept: dict[tuple[StoredIn, int], Record],
    ) -> None:
        super().__init__(reader, most_bytes)
        self.joined = joined
        self.kept = kept
        self.unreachable = False

    def find(self, *lookups: Lookup) -> list[LocatedCapture]:
        self.prepare(*lookups)
        return [row for lookup in lookups for row in self.joined[lookup]]

    def prepare(self, *lookups: Lookup) -> None:
        if missing := [lookup for lookup in lookups if lookup not in self.joined]:
            raise LookupNeededError(missing)

    def record(self, capture: Capture, stored: StoredIn) -> Record:
        place = stored, capture.offset
        if place in self.kept:
            return self.kept[place]
        try:
            record = super().record(capture, stored)
        except StorageError:
            self.unreachable = True
            raise
        is_redirect = record.status is not None and 300 <= record.status < 400
        if (is_redirect or record.kind == "revisit") and len(record.payload) <= _MOST_KEPT_BYTES:
            self.kept[place] = record
        return record


def in_index_order(rows: Iterable[LocatedCapture]) -> list[LocatedCapture]:
    """Return captures in the order in which the indexes of an archive list them."""
    return sorted(rows, key=_place_in_index)


def _place_in_index(row: LocatedCapture) -> tuple[str, str, str, str, str]:
    capture, stored = row
    return stored.address, capture.timestamp, capture.url, str(capture.offset), capture.file

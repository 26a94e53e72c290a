"""The pages of captures: a revisit has the page of its original record, which may be elsewhere.

``Captures`` finds the captures of an archive and reads their records, wherever they are stored.
Raises ArchiveError if a page cannot be read completely.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Generic, Literal, NamedTuple, TypeVar

from crawler.errors import ArchiveError
from crawler.warc.captures import COPIES, Capture, key_of, timestamp_of
from crawler.warc.records import Record, digest_key, has_digest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

NOT_MODIFIED = "server-not-modified"
# The maximum number of records to try as the original of a revisit.
_MOST_ORIGINALS = 20
_ONLY_TEXT = "only the text of the page was kept"
# Writers may record the same moment in different time zones.
_SAME_MOMENT = timedelta(hours=15)

File = TypeVar("File")


@dataclass(frozen=True, slots=True)
class ArchivedPage:
    """An archived response for a URL, with its content coding.

    ``where`` is its location in the archive, ``record_id`` the ID of the record there, if it has
    one. ``is_text`` means that the body is the text of the page. ``date_note`` describes any
    assumption made in ``captured_at``, and ``notes`` describes those made in reading the page.
    """

    url: str
    status: int | None
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    captured_at: datetime
    where: str
    record_id: str | None = None
    is_text: bool = False
    date_note: str | None = None
    notes: tuple[str, ...] = ()


class Lookup(NamedTuple):
    """What captures are found by: the key of a URL, a payload digest (``digest_key``), or an ID.

    An ID is that of a WARC record. Revisits, conversions and texts are found by their URLs only.
    """

    kind: Literal["url", "digest", "record"]
    value: str


def _by_url(url: str) -> tuple[Lookup, ...]:
    """Return the lookup of the captures of a URL; none if it has no key."""
    key = key_of(url)
    return (Lookup("url", key),) if key else ()


class Captures(ABC, Generic[File]):
    """The captures of an archive; each comes with the file that stores it."""

    @abstractmethod
    def find(self, *lookups: Lookup) -> list[tuple[Capture, File]]:
        """Return the captures that are found by one of these, in the order of the lookups."""

    @abstractmethod
    def record(self, capture: Capture, file: File) -> Record:
        """Read the record of a capture."""

    @abstractmethod
    def place(self, capture: Capture, file: File) -> str:
        """Return the location of a capture, for display."""

    def captures(self, url: str) -> list[tuple[Capture, File]]:
        """Return the captures of a URL."""
        return self.find(*_by_url(url))

    def read(self, capture: Capture, file: File) -> ArchivedPage:
        """Read the page of a capture. Raises ArchiveError if it cannot be read completely."""
        record = self._checked_record(capture, file)
        where = self.place(capture, file)
        content: Record = record
        notes: tuple[str, ...] = ()
        if record.kind == "revisit":
            content, notes = self._original(record, where)
            if content.status is None or (
                record.status is not None and NOT_MODIFIED not in record.profile
            ):
                # Only the payload is identical; the status and headers are the revisit's own.
                content = replace(content, status=record.status, headers=record.headers)
        return ArchivedPage(
            url=record.url,
            status=content.status,
            headers=content.headers,
            body=content.payload,
            captured_at=record.date,
            where=where,
            record_id=record.record_id or None,
            is_text=record.is_text_copy,
            date_note=record.date_note,
            notes=(*notes, _ONLY_TEXT) if record.is_text_copy else notes,
        )

    def _checked_record(self, capture: Capture, file: File) -> Record:
        record = self.record(capture, file)
        if key_of(record.url) != key_of(capture.url):
            raise ArchiveError(
                f"{self.place(capture, file)}: the index says {capture.url} is here, "
                f"but it is {record.url or 'no page'}"
            )
        return record

    def _original(self, revisit: Record, where: str) -> tuple[Record, tuple[str, ...]]:
        """Return the original record of a revisit, and any assumptions made to find it."""
        fault: ArchiveError | None = None
        for is_named, capture, file in islice(self._originals(revisit), _MOST_ORIGINALS):
            try:
                record = self._checked_record(capture, file)
            except ArchiveError as error:
                fault = fault or error
                continue
            if record.kind == "revisit" or not _stands_for(revisit, record, is_named=is_named):
                continue
            if is_named:
                return record, ()
            note = f"that the record it refers to is the one at {self.place(capture, file)}"
            return record, (note,)
        url, date = revisit.refers_to
        when = f" of {date:%Y-%m-%d %H:%M:%S}" if date else ""
        reason = (
            f", which cannot be read: {fault}" if fault else ", which is in none of these files"
        )
        raise ArchiveError(
            f"{where}: a revisit of another record{when} ({url or revisit.url}){reason}"
        )

    def _originals(self, revisit: Record) -> Iterator[tuple[bool, Capture, File]]:
        """Return the possible originals of a revisit, the most probable first.

        First come the captures that it names, by URL and date or by record ID; then those with its
        digest; then the earlier captures of the URL. Within each group, captures made before the
        revisit come before later ones, and each of these is ordered by distance in time.
        """
        url, date = revisit.refers_to
        of_url = _by_url(url or revisit.url)
        record_id = revisit.refers_to_id
        of_id = (Lookup("record", record_id),) if record_id else ()
        digest = digest_key(revisit.digest or "")
        of_digest = (Lookup("digest", digest),) if digest else ()
        # Both at once, since the captures may be on other machines.
        self.prepare(*of_url, *of_id)
        timestamp = timestamp_of(date) if date else None
        same_url = [one for one in self.find(*of_url) if one[0].media_type not in COPIES]
        named = [one for one in same_url if one[0].timestamp == timestamp]
        named += self.find(*of_id)
        before = timestamp_of(revisit.date)
        earlier = [one for one in same_url if one[0].timestamp <= before and one[0].is_page]

        def distance(found: tuple[Capture, File]) -> tuple[bool, timedelta]:
            at = found[0].at
            return at > revisit.date, abs(at - (date or revisit.date))

        yield from ((True, *one) for one in sorted(named, key=distance))
        # Very many captures may share a digest, such as that of an empty page.
        yield from ((False, *one) for one in sorted(self.find(*of_digest), key=distance))
        yield from ((False, *one) for one in sorted(earlier, key=distance))

    def prepare(self, *lookups: Lookup) -> None:
        """Note that the captures of all of these will be needed next."""


def _stands_for(revisit: Record, record: Record, *, is_named: bool) -> bool:
    """Return whether a record has the payload that a revisit refers to."""
    if revisit.digest and NOT_MODIFIED not in revisit.profile:
        is_known = digest_key(revisit.digest) is not None
        same = has_digest(record.payload, revisit.digest) if is_known else is_named
        return same or record.digest == revisit.digest
    date = revisit.refers_to[1]
    return is_named or date is None or abs(record.date - date) <= _SAME_MOMENT

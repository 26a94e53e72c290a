"""Read texts of pages in JSON Lines, one object a line, as text collections publish them.

Each object has the address of a page and its text, and perhaps the time of its capture, in fields
whose names differ between collections: C4 has ``url``, ``text`` and ``timestamp``; OSCAR has
``content`` and, in ``warc_headers``, the rest. Returns captures, and each text as a ``Record``.
Lines that cannot be read are reported by their numbers.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from crawler.errors import ArchiveError, StorageError
from crawler.warc.captures import TEXT_COPY, Capture, key_of, timestamp_of, web_url
from crawler.warc.records import Record, read_date
from crawler.warc.stored_bytes import buffered
from crawler.warc.stored_file import READ_BYTES, Location, StoredFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.warc.stored_bytes import StoredBytes

_TEXT_HEADERS = ((b"Content-Type", b"text/plain; charset=utf-8"),)
_LONGEST_LINE = 1 << 28
_WEB_ADDRESS = re.compile(r"https?://[^\s\x00-\x1f]+")


class TextFields(NamedTuple):
    """The names of fields, with dots before those of nested objects. ``date`` may be missing."""

    url: str
    text: str
    date: str = "timestamp"


KNOWN_FIELDS = (
    TextFields("url", "text"),
    TextFields("warc_headers.warc-target-uri", "content", "warc_headers.warc-date"),
)
"""The fields of common collections: C4 and OSCAR."""


class _Text(NamedTuple):
    url: str
    text: str
    date: datetime
    date_note: str | None


class TextsFile(StoredFile):
    """A file of texts. A compressed one is unpacked to a temporary file for each run."""

    def __init__(
        self,
        stored: StoredBytes,
        name: str,
        fields: tuple[TextFields, ...],
        known: Location | None = None,
    ) -> None:
        """Recognise the compression, unless it is ``known``. Raises ArchiveError if it fails."""
        super().__init__(stored, name)
        self.fields = fields
        self.location = replace(self.location, text_fields=fields)
        if (not known or known.coding) and (compression := self._compression_at_start()):
            self._unpack(compression)

    def captures(self, name: str) -> Iterator[Capture | str]:
        """Yield the capture of each line, or what is wrong with it; ``name`` is the file's."""
        for number, (offset, line) in enumerate(self._lines(), start=1):
            if not line.strip():
                continue
            try:
                text = self._parse(line)
                if key_of(text.url) is None or not _WEB_ADDRESS.fullmatch(text.url):
                    raise ValueError(f"{text.url!r} is not an address on the web")
            except StorageError:
                raise
            except ValueError as error:
                yield f"{self.name}, line {number:,}: {error}"
                continue
            yield Capture(
                url=text.url,
                timestamp=timestamp_of(text.date),
                media_type=TEXT_COPY,
                file=name,
                offset=offset,
                length=len(line),
            )
        if self._fault_at_end:
            yield str(self._fault_at_end)

    def read(self, offset: int, most: int, length: int = 0) -> Record:
        """Read the text whose line begins at ``offset``, of at most ``most`` bytes.

        If the ``length`` of the line is known, and right, exactly these bytes are read.
        Raises ArchiveError if it is too large or cannot be read.
        """
        line, place = bytearray(), self.place(offset)
        if length <= most:
            self._window.fetch(offset, length)
        while b"\n" not in line[-READ_BYTES:]:
            piece = self._window.read_some(offset, READ_BYTES)
            if not piece:
                break
            line += piece
            offset += len(piece)
            if len(line) > most + READ_BYTES:
                raise ArchiveError(
                    f"{place}: it has at least {len(line):,} bytes, "
                    f"more than DOWNLOAD_MAXSIZE ({most:,})",
                    reason="too_large",
                )
        if length:
            self.free()
        try:
            text = self._parse(bytes(line.partition(b"\n")[0]))
        except StorageError:
            raise
        except ValueError as error:
            raise ArchiveError(f"{place}: {error}") from error
        return Record(
            kind="conversion",
            url=text.url,
            date=text.date,
            date_note=text.date_note,
            status=None,
            headers=_TEXT_HEADERS,
            payload=text.text.encode("utf-8", "surrogatepass"),
        )

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        offset = 0
        with buffered(self._window) as file:
            while line := file.readline(_LONGEST_LINE):
                yield offset, line
                offset += len(line)

    def _parse(self, line: bytes) -> _Text:
        """Return the text on a line. Raises ValueError if the line holds none."""
        try:
            value = msgspec.json.decode(line.removeprefix(b"\xef\xbb\xbf"))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ValueError(f"it is not a JSON object ({error})") from error
        for fields in self.fields:
            url, text = _find(value, fields.url), _find(value, fields.text)
            if isinstance(url, str) and isinstance(text, str):
                date, note = self._date(_find(value, fields.date))
                return _Text(web_url(url), text, date, note)
        names = " or ".join(f"{fields.url!r} and {fields.text!r}" for fields in self.fields)
        raise ValueError(f"it has no texts in its fields {names} (TEXT_FIELDS)")

    @cached_property
    def _written_at(self) -> datetime | None:
        modified = self._stored.modified
        return modified.replace(microsecond=0) if modified else None

    def _date(self, value: object) -> tuple[datetime, str | None]:
        """Return when a text was captured, by default when the file was written, with a note.

        Raises ValueError if neither is known.
        """
        if isinstance(value, str):
            try:
                return read_date(value)
            except ValueError:
                pass
        if self._written_at is None:
            raise ValueError("it has no date, and the server does not say when it was written")
        return self._written_at, f"the text has no date, so that of the file {self.name} is taken"


def _find(value: object, name: str) -> object:
    """Return the value of a field, which may be nested; None if there is none."""
    for part in name.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value

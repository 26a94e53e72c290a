"""A file of many records open for reading, whose compression may cover the whole file.

A file that is compressed as a whole cannot be read by offset, so it is decompressed to a temporary
file when it is opened. Raises ArchiveError if the file cannot be read.

A ``Location`` says where such a file is stored and how it is compressed, so that a record of it can
be read in another process without reading the beginning of the file again.
"""

from __future__ import annotations

import logging
import os
import tempfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from crawler.errors import ArchiveError, StorageError
from crawler.warc.compression import DECODER_ERRORS, Compression, Gzip, Zstd
from crawler.warc.stored_bytes import LocalBytes, Window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.warc.stored_bytes import StoredBytes
    from crawler.warc.texts import TextFields

logger = logging.getLogger(__name__)

PIECE_BYTES = 1 << 20
"""How many decompressed bytes are handled at a time."""
READ_BYTES = 16_384
"""How many compressed bytes are read at a time."""
FIRST_BYTES = 2048
"""How many bytes of a file are read to recognise its format."""
MOST_UNPACKED, MOST_RATIO = 1 << 30, 100
"""Data that decompresses to more bytes and to more times its size is considered an attack."""


@dataclass(frozen=True, slots=True)
class Location:
    """The place of a file of records, and all that is needed to read one of them by its offset.

    ``address`` is that of the archive file. ``start`` and ``size`` (bytes) locate the file of
    records in it; ``size`` is None for all up to the end. ``name`` is for messages, and its suffix
    tells the format. ``coding`` is the compression of each record, empty if there is none; a file
    with the coding ``whole`` is compressed as a whole, and offsets are those in its contents.
    ``dictionary`` is the size of a zstd dictionary at the start, in bytes; None if unknown.
    ``text_fields`` are those of texts in JSON Lines, and empty for other files.
    """

    address: str
    name: str
    start: int = 0
    size: int | None = None
    coding: Literal["", "gzip", "zstd", "whole"] = ""
    dictionary: int | None = 0
    text_fields: tuple[TextFields, ...] = ()


class StoredFile:
    """A file of records; ``start`` and ``size`` (bytes) locate it in a ZIP file."""

    def __init__(
        self, stored: StoredBytes, name: str, start: int = 0, size: int | None = None
    ) -> None:
        self.name = name
        self._stored = stored
        self._window = Window(stored, start, size)
        self._compression: Compression | None = None
        self._fault_at_end: ArchiveError | None = None
        self.location = Location(stored.address, name, start, self.size)

    @property
    def size(self) -> int:
        """The size of the file in bytes; if it was compressed as a whole, that of its contents."""
        return self._window.size

    def _compression_at_start(self) -> Compression | None:
        """Return the compression that the first bytes show."""
        begin = self._window.read(0, FIRST_BYTES)
        if Zstd.begins(begin):
            return self._zstd(Zstd.dictionary_size(begin))
        if begin.startswith(Gzip.magic):
            return self._gzip()
        return None

    def _compression_at(self, location: Location) -> Compression | None:
        """Return the compression of each record, reading nothing but its dictionary."""
        if location.coding == "zstd":
            size = location.dictionary
            if size is None:
                self._window.fetch(0, Zstd.dictionary_at)
                size = Zstd.dictionary_size(self._window.read(0, Zstd.dictionary_at))
            self._window.fetch(Zstd.dictionary_at, size)
            return self._zstd(size)
        return self._gzip() if location.coding == "gzip" else None

    def _gzip(self) -> Gzip:
        self.location = replace(self.location, coding="gzip")
        return Gzip()

    def _zstd(self, dictionary_bytes: int) -> Zstd:
        """Return the compression with the dictionary of this size at the start of the file."""
        self.location = replace(self.location, coding="zstd", dictionary=dictionary_bytes)
        dictionary = self._window.read(Zstd.dictionary_at, dictionary_bytes)
        try:
            return Zstd(dictionary)
        except ArchiveError as error:
            raise ArchiveError(f"{self.name}: {error}") from error

    def _unpack(self, compression: Compression, advice: str = "") -> None:
        """Replace the file with a decompressed temporary copy, up to any damage."""
        logger.info(
            "%s: it is compressed as a whole, so it is unpacked for this run%s", self.name, advice
        )
        try:
            with tempfile.TemporaryFile() as target:
                try:
                    for piece in self._unpacked(compression):
                        target.write(piece)
                except StorageError:
                    raise
                except ArchiveError as error:
                    self._fault_at_end = error
                target.flush()
                unpacked = LocalBytes(self.name, os.dup(target.fileno()))
        except OSError as error:
            raise StorageError(
                f"{self.name}: it is compressed as a whole and cannot be unpacked to "
                f"{tempfile.gettempdir()} ({error.strerror}); make room"
            ) from error
        self._window, self._compression = Window(unpacked), None
        self.location = replace(self.location, coding="whole")

    def _unpacked(self, compression: Compression) -> Iterator[bytes]:
        """Yield the contents of a compressed file. Raises ArchiveError at damage or truncation."""
        position, size = 0, 0
        while position < self.size:
            if skippable := compression.skippable_size(self._window.read(position, 8)):
                position += skippable
                continue
            decoder = compression.decoder()
            while not decoder.eof:
                chunk = self._window.read(position, READ_BYTES) if decoder.needs_input else b""
                position += len(chunk)
                if not chunk and decoder.needs_input:
                    raise ArchiveError(f"{self.name}: it is cut off", reason="cut_short")
                try:
                    piece = decoder.decompress(chunk, PIECE_BYTES)
                except DECODER_ERRORS as error:
                    raise ArchiveError(
                        f"{self.name}: its compressed bytes are damaged before byte {position:,} "
                        f"({error})"
                    ) from error
                size += len(piece)
                if size > max(MOST_UNPACKED, MOST_RATIO * position):
                    raise ArchiveError(f"{self.name}: it unpacks to over {size:,} bytes")
                yield piece
            position -= len(decoder.unused_data)

    def free(self) -> None:
        """Free the memory of the bytes that were read ahead."""
        self._window.clear()

    def close(self) -> None:
        self._stored.close()
        self._window.stored.close()

    def place(self, offset: int) -> str:
        """Return the location of a record, for display."""
        return place_of(self.name, offset)


def place_of(name: str, offset: int) -> str:
    """Return the location of a record in the file of this name, for display."""
    return f"{name}, offset {offset}"

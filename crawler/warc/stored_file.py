"""A file of many records open for reading, whose compression may cover the whole file.

A file that is compressed as a whole cannot be read by offset, so it is decompressed to a temporary
file when it is opened. Raises ArchiveError if the file cannot be read.
"""

from __future__ import annotations

import logging
import os
import tempfile
from typing import TYPE_CHECKING

from crawler.errors import ArchiveError
from crawler.warc.compression import DECODER_ERRORS, Compression, Gzip, Zstd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

logger = logging.getLogger(__name__)

PIECE_BYTES = 1 << 20
"""How many decompressed bytes are handled at a time."""
READ_BYTES = 16_384
"""How many compressed bytes are read at a time."""
FIRST_BYTES = 2048
"""How many bytes of a file are read to recognise its format."""
MOST_UNPACKED, MOST_RATIO = 1 << 30, 100
"""Data that decompresses to more bytes and to more times its size is considered an attack."""


class StoredFile:
    """A file of records; ``start`` and ``size`` (bytes) locate it in a ZIP file."""

    def __init__(self, path: Path, name: str, start: int = 0, size: int | None = None) -> None:
        """Open the file. Raises ArchiveError if it cannot be opened."""
        self.path = path
        self.name = name
        try:
            self._descriptor = os.open(path, os.O_RDONLY)
            whole = os.fstat(self._descriptor).st_size
        except OSError as error:
            raise ArchiveError(f"{path} cannot be read ({error.strerror})") from error
        self._start = start
        self.size = whole - start if size is None else min(size, whole - start)
        self._compression: Compression | None = None
        self._fault_at_end: ArchiveError | None = None

    def _compression_at_start(self) -> Compression | None:
        """Return the compression that the first bytes show."""
        begin = self._read_at(0, FIRST_BYTES)
        try:
            if Zstd.begins(begin):
                return Zstd(self._read_at(8, Zstd.dictionary_size(begin)))
        except ArchiveError as error:
            raise ArchiveError(f"{self.name}: {error}") from error
        return Gzip() if begin.startswith(Gzip.magic) else None

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
                except ArchiveError as error:
                    self._fault_at_end = error
                target.flush()
                compressed, self._descriptor = self._descriptor, os.dup(target.fileno())
                self._start, self.size, self._compression = 0, target.tell(), None
        except OSError as error:
            raise ArchiveError(
                f"{self.name}: it is compressed as a whole and cannot be unpacked to "
                f"{tempfile.gettempdir()} ({error.strerror}); make room"
            ) from error
        os.close(compressed)

    def _unpacked(self, compression: Compression) -> Iterator[bytes]:
        """Yield the contents of a compressed file. Raises ArchiveError at damage or truncation."""
        position, size = 0, 0
        while position < self.size:
            if skippable := compression.skippable_size(self._read_at(position, 8)):
                position += skippable
                continue
            decoder = compression.decoder()
            while not decoder.eof:
                chunk = self._read_at(position, READ_BYTES) if decoder.needs_input else b""
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

    def close(self) -> None:
        os.close(self._descriptor)

    def place(self, offset: int) -> str:
        """Return the location of a record, for display."""
        return f"{self.name}, offset {offset}"

    def _read_at(self, offset: int, count: int) -> bytes:
        count = min(count, self.size - offset)
        if count <= 0:
            return b""
        try:
            return os.pread(self._descriptor, count, self._start + offset)
        except OSError as error:
            raise ArchiveError(f"{self.name} cannot be read ({error.strerror})") from error

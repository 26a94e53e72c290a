"""Locate the records of one WARC or ARC file, and read each with a size limit.

Takes a file, uncompressed or compressed record by record, possibly inside a ZIP file (WACZ).
Returns ``Block`` objects, each with the bytes of one record. Truncated or damaged records have a
fault, and the walk continues with the next record found. Raises ArchiveError if the file cannot be
read.

The members of a compressed file are separated here, not by a WARC library: warcio and fastwarc
both read past the end of a member whose record has a wrong Content-Length, and both treat a
truncated file as complete.

The work is linear in the size of the file. After a damaged record, the next may begin at any byte,
so bytes are decompressed again, but only until damaged members have produced
``_MOST_DAMAGED_BYTES`` bytes. After that, the search skips past them. A member that decompresses to
over ``MOST_UNPACKED`` bytes and to a hundred times its size is considered an attack and abandoned.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from crawler.errors import ArchiveError
from crawler.warc.compression import DECODER_ERRORS, Compression
from crawler.warc.names import ARCHIVE_NAME
from crawler.warc.records import ARC, HEAD_BYTES, HEAD_END, LINE_ENDS, WARC, Record, parse
from crawler.warc.stored_bytes import Address, StoredBytes, open_stored
from crawler.warc.stored_file import (
    FIRST_BYTES,
    MOST_RATIO,
    MOST_UNPACKED,
    PIECE_BYTES,
    READ_BYTES,
    Location,
    StoredFile,
)

_RECORD_ID = re.compile(rb"^warc-record-id:[ \t]*(<[^>\r\n]+>)", re.IGNORECASE | re.MULTILINE)
_MOST_DAMAGED_BYTES = 1 << 26


@dataclass(frozen=True, slots=True)
class Block:
    """The first bytes of one record, at most as many as requested.

    ``length`` is its size in the file, including surrounding line ends; 0 if its end is unknown.
    ``size`` is its decompressed size, as far as it was read. ``searched`` is the number of bytes in
    the file that were read for a damaged record.
    """

    data: bytes
    length: int
    size: int
    fault: ArchiveError | None = None
    searched: int = 1


class WarcFile(StoredFile):
    """An archive file open for reading; ``start`` and ``size`` (bytes) locate it in a ZIP file."""

    def __init__(
        self,
        stored: StoredBytes,
        name: str,
        start: int = 0,
        size: int | None = None,
        known: Location | None = None,
    ) -> None:
        """Recognise the compression, unless it is ``known``. Raises ArchiveError if it fails."""
        super().__init__(stored, name, start, size)
        match = ARCHIVE_NAME.search(name)
        self._format = ARC if match and match["format"].lower() == "arc" else WARC
        self._may_be_cut = bool(match and match["open"])
        self._damaged_bytes = 0
        if known and known.coding != "whole":
            self._compression = self._compression_at(known)
            return
        self._compression = self._compression_of(match["compression"] if match else None)
        if self._compression and self._is_one_member(self._compression):
            self._unpack(
                self._compression,
                "; 'warcio recompress OLD NEW' makes a file whose records can be read one by one",
            )

    def _compression_of(self, suffix: str | None) -> Compression | None:
        if compression := self._compression_at_start():
            return compression
        # The first bytes may be damaged, so the suffix counts too.
        begin = self._window.read(0, FIRST_BYTES).lstrip(b"\r\n")
        is_gzip = suffix and suffix.lower() == ".gz" and not self._format.begins(begin)
        return self._gzip() if is_gzip else None

    def _is_one_member(self, compression: Compression) -> bool:
        """Return whether another record follows the first in the same member."""
        offset = compression.skippable_size(self._window.read(0, 8))
        data = self._member_block(compression, offset, HEAD_BYTES, find_end=False).data
        begin, length = self._format.head(data) or (len(data), 0)
        return self._format.begins(data[begin + length :].lstrip(LINE_ENDS))

    def read(self, offset: int, most: int, length: int = 0) -> Record:
        """Read the record at ``offset``, of at most ``most`` bytes, and check its digests.

        If its ``length`` in the file is known, and right, exactly these bytes are read.
        Raises ArchiveError if it is too large, truncated or damaged.
        """
        if length <= most + HEAD_BYTES:
            self._window.fetch(offset, length)
        else:
            length = 0
        block = self.block(offset, most + HEAD_BYTES, length)
        if length:
            self.free()
        if block.fault:
            raise block.fault
        size = block.size
        if size <= len(block.data):
            record = parse(block.data, self.place(offset))
            if len(record.payload) <= most:
                return record
            size = len(record.payload)
        raise ArchiveError(
            f"{self.place(offset)}: it has at least {size:,} bytes, "
            f"more than DOWNLOAD_MAXSIZE ({most:,})",
            reason="too_large",
        )

    def walk(self, offset: int = 0) -> Iterator[tuple[int, Block]]:
        """Yield the offset and first bytes of every record from ``offset`` on.

        Invalid records have a fault; members without data are skipped.
        """
        while offset < self.size:
            block = self.block(offset, HEAD_BYTES, find_end=True)
            if not block.length:
                block = replace(block, length=self._after_damage(offset, block) - offset)
            if (block.size or block.fault) and not self._is_being_written(offset, block):
                yield offset, block
            offset += block.length
        if self._fault_at_end:
            yield self.size, Block(b"", 0, 0, self._fault_at_end)

    def _is_being_written(self, offset: int, block: Block) -> bool:
        """Return whether a block is the incomplete last record of a file still being written."""
        cut = block.fault is not None and block.fault.reason == "cut_short"
        return self._may_be_cut and cut and offset + block.length >= self.size

    def block(self, offset: int, most: int, length: int = 0, *, find_end: bool = False) -> Block:
        """Read at most ``most`` bytes of a record; if ``find_end``, also find its end.

        ``length`` is its size in the file according to an index; 0 if unknown.
        """
        if not 0 <= offset < self.size:
            fault = ArchiveError(
                f"{self.place(offset)}: the file has only {self.size:,} bytes", reason="cut_short"
            )
            return Block(b"", 0, 0, fault)
        if self._compression is None:
            return self._plain_block(offset, most, length)
        if skippable := self._compression.skippable_size(self._window.read(offset, 8)):
            return Block(b"", min(skippable, self.size - offset), 0)
        return self._member_block(self._compression, offset, most, find_end=find_end)

    def _member_block(
        self, compression: Compression, offset: int, most: int, *, find_end: bool
    ) -> Block:
        decoder = compression.decoder()
        data, size, line_ends, position = bytearray(), 0, 0, offset
        why = None
        while not decoder.eof and why is None:
            chunk = self._window.read_some(position, READ_BYTES) if decoder.needs_input else b""
            if not chunk and decoder.needs_input:
                why = ArchiveError(
                    f"{self.place(offset)}: the file ends within this record", reason="cut_short"
                )
                break
            try:
                piece = decoder.decompress(chunk, PIECE_BYTES)
            except DECODER_ERRORS as error:
                why = ArchiveError(
                    f"{self.place(offset)}: its compressed bytes are damaged ({error})"
                )
                data = self._decodable_part(compression, offset, position, most)
                position += len(chunk)
                break
            position += len(chunk)
            if not size:
                piece = piece.lstrip(LINE_ENDS)
            size += len(piece)
            stripped = piece.rstrip(LINE_ENDS)
            line_ends = len(piece) - len(stripped) + (0 if stripped else line_ends)
            data += piece[: max(0, most - len(data))]
            if size > most and not find_end:
                return Block(bytes(data), 0, size)
            if size > max(MOST_UNPACKED, MOST_RATIO * (position - offset)):
                why = ArchiveError(f"{self.place(offset)}: it unpacks to over {size:,} bytes")
        if why is not None:
            return Block(bytes(data), 0, size, why, position - offset)
        length = position - len(decoder.unused_data) - offset
        fault = self._length_fault(bytes(data), size, line_ends, offset) if size else None
        return Block(bytes(data), length, size, fault)

    def _decodable_part(
        self, compression: Compression, offset: int, sound_end: int, most: int
    ) -> bytearray:
        """Return the first bytes of a member that is damaged soon after ``sound_end``.

        A decoder discards the output of a chunk that contains invalid bytes.
        """
        decoder, data = compression.decoder(), bytearray()
        with suppress(*DECODER_ERRORS, EOFError):
            for piece in self._pieces(offset, sound_end):
                data += decoder.decompress(piece, most - len(data))
                if len(data) >= most:
                    break
        return bytearray(data.lstrip(LINE_ENDS))

    def _pieces(self, offset: int, sound_end: int) -> Iterator[bytes]:
        """Yield the bytes of the file in large pieces up to ``sound_end``, then one by one."""
        for position in range(offset, sound_end, READ_BYTES):
            yield self._window.read(position, min(READ_BYTES, sound_end - position))
        for byte in self._window.read(sound_end, READ_BYTES):
            yield bytes((byte,))

    def _length_fault(
        self, data: bytes, size: int, line_ends: int, offset: int
    ) -> ArchiveError | None:
        head = self._format.head(data)
        if head is None:
            return ArchiveError(f"{self.place(offset)}: it does not begin with record headers")
        begin, length = head
        after = size - begin - length
        if after < 0:
            return ArchiveError(
                f"{self.place(offset)}: it declares {length:,} bytes but has {size - begin:,}",
                reason="cut_short",
            )
        if self._format.begins(data[begin + length :].lstrip(LINE_ENDS)):
            return ArchiveError(
                f"{self.place(offset)}: other records are compressed together with this one; "
                "'warcio recompress OLD NEW' makes a file whose records can be read one by one"
            )
        if after > line_ends:
            return ArchiveError(
                f"{self.place(offset)}: it declares {length:,} bytes "
                f"but has {after - line_ends:,} more"
            )
        return None

    def _plain_block(self, offset: int, most: int, indexed_length: int) -> Block:
        begin = self._after_line_ends(offset)
        if begin >= self.size:
            return Block(b"", self.size - offset, 0)
        data = self._window.read_some(begin, min(most, FIRST_BYTES))
        head = self._format.head(data)
        if head is None and self._format.begins(data):
            data = self._window.read(begin, min(most, HEAD_BYTES))
            head = self._format.head(data)
        if head is None:
            fault = ArchiveError(f"{self.place(begin)}: there are no record headers here")
            return Block(b"", 0, 0, fault, begin - offset + _useless_bytes(data))
        content, length = head
        end = begin + content + length
        if content + length > len(data) and most > len(data):
            data = self._window.read(begin, min(most, content + length))
        if end > self.size:
            fault = ArchiveError(
                f"{self.place(begin)}: the file ends within this record, or its length is wrong",
                reason="cut_short",
            )
            return Block(data, 0, self.size - begin, fault, begin - offset + 1)
        indexed_end = offset + indexed_length
        if indexed_end >= end and not self._window.read(end, indexed_end - end).strip(LINE_ENDS):
            # The index and the record agree on its end, so the next record need not be read.
            return Block(data[: content + length], indexed_length, content + length)
        following = self._after_line_ends(end)
        if following < self.size and not self._may_begin(following):
            fault = ArchiveError(
                f"{self.place(begin)}: it declares {length:,} bytes but does not end there"
            )
            return Block(data, 0, content + length, fault, begin - offset + 1)
        return Block(data[: content + length], following - offset, content + length)

    def _may_begin(self, offset: int) -> bool:
        """Return whether a record may begin here, in a file that is not compressed."""
        return self._format.begins(self._window.read(offset, FIRST_BYTES))

    def _after_line_ends(self, offset: int) -> int:
        count = 8
        while piece := self._window.read(offset, count):
            if rest := piece.lstrip(LINE_ENDS):
                return offset + len(piece) - len(rest)
            offset += len(piece)
            count = min(count * 2, PIECE_BYTES)
        return offset

    def _after_damage(self, offset: int, block: Block) -> int:
        """Return the offset at which the walk continues after a block with an unknown end."""
        self._damaged_bytes += block.size + block.searched
        if self._compression is None or self._damaged_bytes > _MOST_DAMAGED_BYTES:
            return self._next_record(offset + block.searched)
        return self._next_record(offset + 1)

    def _next_record(self, offset: int) -> int:
        """Return the offset of the next record from ``offset`` on, or the end of the file."""
        # The next record is usually near.
        count = 2 * FIRST_BYTES
        while offset < self.size:
            window = self._window.read(offset, count)
            for place in self._beginnings(window):
                if self._begins_record(offset + place):
                    return offset + place
            if offset + len(window) >= self.size:
                break
            # The beginning of a record may straddle two windows.
            offset += len(window) - FIRST_BYTES
            count = min(count * 2, PIECE_BYTES)
        return self.size

    def _beginnings(self, window: bytes) -> Iterator[int]:
        magic = self._compression and re.escape(self._compression.magic)
        for match in re.finditer(magic or self._format.start, window):
            yield match.start()

    def _begins_record(self, place: int) -> bool:
        if self._compression is None:
            return place == 0 or self._window.read(place - 1, 1) == b"\n"
        try:
            data = self._window.read(place, FIRST_BYTES)
            begin = self._compression.decoder().decompress(data, 256)
        except DECODER_ERRORS:
            return False
        # zstd outputs nothing until it has a complete block.
        return not begin or self._format.begins(begin.lstrip(LINE_ENDS))


def _useless_bytes(data: bytes) -> int:
    """Return the number of leading bytes of an invalid record in which no record can begin."""
    end = HEAD_END.search(data)
    if end and data.startswith(b"WARC/"):
        # A record that began before this empty line would have the same incomplete headers.
        return end.end()
    return HEAD_BYTES // 2 if len(data) == HEAD_BYTES and not end else 1


def first_record_id(path: Address) -> str | None:
    """Return the ID of the first record in a file; None if there is no such file or record."""
    try:
        file = WarcFile(open_stored(path), str(path))
    except ArchiveError:
        return None
    try:
        match = _RECORD_ID.search(file.block(0, HEAD_BYTES).data)
    except ArchiveError:
        return None
    finally:
        file.close()
    return match[1].decode("latin-1") if match else None

"""One WARC file: its records by their place, each read whole, bounded and checked.

In: a file, compressed record by record (``.warc.gz``) or not, also one that lies in a ZIP file as it is (WACZ). Out: ``Record``. What is
cut off, damaged, too large or not what its digests say raises ArchiveError, with the reason that a failure of the page has.

Members of a gzip file are told apart here and not by a reader of WARC: warcio and fastwarc both go on across the
boundary of a member whose record has a wrong Content-Length, and both take a file that is cut off for one that has ended.
What a member holds is parsed by warcio: it takes 20 µs a record, fastwarc 5, of the 1.5 ms of a page, but fastwarc loses
the body after HTTP headers that end in bare line feeds, and refuses chunk extensions (both measured, fastwarc 2.0.1).
"""

import base64
import hashlib
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from warcio.recordloader import ArcWarcRecord, ArcWarcRecordLoader
from warcio.statusandheaders import StatusAndHeaders

from crawler.errors import ArchiveError
from crawler.warc.archived import RENDERED_URN

_GZIP_MEMBER = b"\x1f\x8b\x08"
_MEMBER = re.compile(re.escape(_GZIP_MEMBER))
GZIP = 31
"""zlib's way to say "with a gzip header and checksum"."""
_READ_BYTES = 16_384
_PIECE_BYTES = 1 << 20
_FIRST_BYTES = 2048
HEAD_BYTES = 65_536
"""As much of a record as its headers and those of HTTP may take."""
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_CONTENT_LENGTH = re.compile(
    rb"^content-length:[ \t]*([0-9]{1,18})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE
)
_RECORD_ID = re.compile(rb"^warc-record-id:[ \t]*(<[^>\r\n]+>)", re.IGNORECASE | re.MULTILINE)
_TYPE = re.compile(rb"^warc-type:[ \t]*([a-z]+)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_START = re.compile(rb"(?:^|(?<=\n))WARC/[0-9]\.[0-9]{1,3}\r?\n[A-Za-z]")
# Some servers fill the size up with zeros or blanks.
_HEADER_OF_CHUNK = re.compile(rb"[ \t]*0*([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")
_DIGESTS = frozenset(("md5", "sha1", "sha256", "sha384", "sha512"))
_LOADER = ArcWarcRecordLoader(verify_http=False)


@dataclass(frozen=True, slots=True)
class Block:
    """The bytes of one record as they begin, at most as many as were asked for, and what is wrong with it (None: nothing).

    ``length`` is how many bytes of the file it takes, ``size`` how many it has when it is not compressed.
    """

    data: bytes
    length: int
    size: int
    fault: ArchiveError | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One record. ``url`` and ``date`` are what it says it holds; ``status`` and ``headers`` are those of HTTP, if it has any.

    ``payload`` is without its transfer coding, with its content coding. ``refers_to`` is the URL and date of the record that a revisit
    stands for, as far as it tells.
    """

    kind: str
    url: str
    date: datetime
    status: int | None
    headers: tuple[tuple[bytes, bytes], ...]
    payload: bytes
    digest: str | None = None
    profile: str = ""
    refers_to: tuple[str | None, datetime | None] = (None, None)

    @property
    def media_type(self) -> str:
        return next(
            (
                value.decode("latin-1").split(";")[0].strip()
                for name, value in self.headers
                if name.lower() == b"content-type"
            ),
            "",
        )


class WarcFile:
    """A WARC file open for reading. ``start`` and ``size`` are for one that lies in another file; in bytes."""

    def __init__(self, path: Path, name: str, start: int = 0, size: int | None = None) -> None:
        """ArchiveError if the file cannot be opened."""
        self.path = path
        self.name = name
        try:
            self._descriptor = os.open(path, os.O_RDONLY)
            whole = os.fstat(self._descriptor).st_size
        except OSError as error:
            raise ArchiveError(f"{path} cannot be read ({error.strerror})") from error
        self._start = start
        self.size = whole - start if size is None else min(size, whole - start)
        begin = self._at(0, len(b"WARC/"))
        # The first bytes may be what is damaged.
        self._compressed = begin.startswith(_GZIP_MEMBER) or (
            name.lower().endswith(".gz") and begin != b"WARC/"
        )

    def close(self) -> None:
        os.close(self._descriptor)

    def read(self, offset: int, most: int) -> Record:
        """Read the record at ``offset``, of at most so many bytes uncompressed, and check it against its digests."""
        block = self.block(offset, most + HEAD_BYTES)
        if block.fault:
            raise block.fault
        if block.size > len(block.data):
            raise ArchiveError(
                f"{self.place(offset)}: it has {block.size:,} bytes or more, over DOWNLOAD_MAXSIZE ({most:,})",
                reason="too_large",
            )
        record = _parsed(block.data, self.place(offset))
        if len(record.payload) > most:
            size = len(record.payload)
            raise ArchiveError(
                f"{self.place(offset)}: it has {size:,} bytes, over DOWNLOAD_MAXSIZE ({most:,})",
                reason="too_large",
            )
        return record

    def place(self, offset: int) -> str:
        """Where a record is, for people."""
        return f"{self.name}, offset {offset}"

    def walk(self, offset: int = 0) -> Iterator[tuple[int, Block]]:
        """Yield the place and the beginning of every record from ``offset`` on; what is no record has a fault."""
        while offset < self.size:
            block = self.block(offset, HEAD_BYTES, to_its_end=True)
            yield offset, block
            offset += block.length

    def block(self, offset: int, most: int, *, to_its_end: bool = False) -> Block:
        """Read at most so many bytes of a record, and go on to its end, wherever that is, if ``to_its_end``."""
        if not 0 <= offset < self.size:
            fault = ArchiveError(
                f"{self.place(offset)}: the file has only {self.size:,} bytes", reason="cut_short"
            )
            return Block(b"", 0, 0, fault)
        return (self._member if self._compressed else self._plain)(
            offset, most, to_its_end=to_its_end
        )

    def _member(self, offset: int, most: int, *, to_its_end: bool) -> Block:
        unzip = zlib.decompressobj(GZIP)
        data, size, position = bytearray(), 0, offset
        why = None
        while not unzip.eof:
            chunk = unzip.unconsumed_tail
            if not chunk:
                chunk = self._at(position, _READ_BYTES)
                position += len(chunk)
            if not chunk:
                why = ArchiveError(
                    f"{self.place(offset)}: the file ends within this record", reason="cut_short"
                )
                break
            try:
                piece = unzip.decompress(chunk, _PIECE_BYTES)
            except zlib.error as error:
                why = ArchiveError(
                    f"{self.place(offset)}: its compressed bytes are damaged ({error})"
                )
                data = self._as_far_as_it_goes(offset, most)
                break
            size += len(piece)
            data += piece[: max(0, most - len(data))]
            if size > most and not to_its_end:
                return Block(bytes(data), 0, size)
        if why is not None:
            return Block(bytes(data), self._next(offset + 1) - offset, size, why)
        return Block(
            bytes(data),
            position - len(unzip.unused_data) - offset,
            size,
            self._wrong_length(bytes(data), size, offset),
        )

    def _as_far_as_it_goes(self, offset: int, most: int) -> bytearray:
        """The beginning of a damaged member: zlib keeps to itself what came with the bytes that it does not like."""
        unzip, data = zlib.decompressobj(GZIP), bytearray()
        with suppress(zlib.error):
            for position in range(offset, offset + most):
                if len(data) >= most or not (byte := self._at(position, 1)):
                    break
                data += unzip.decompress(byte)
        return data

    def _wrong_length(self, data: bytes, size: int, offset: int) -> ArchiveError | None:
        head = _head(data)
        if head is None:
            return ArchiveError(
                f"{self.place(offset)}: it does not begin with the headers of a WARC record"
            )
        begin, length = head
        after = size - begin - length
        if after < 0:
            return ArchiveError(
                f"{self.place(offset)}: it says that it has {length:,} bytes, and has {size - begin:,}",
                reason="cut_short",
            )
        if data[begin + length :].lstrip(b"\r\n").startswith(b"WARC/"):
            raise ArchiveError(
                f"{self.name}: its records are not compressed one by one, so that none can be found again; "
                "'warcio recompress OLD NEW' makes a file of it that can be read"
            )
        if after > len(b"\r\n\r\n"):
            return ArchiveError(
                f"{self.place(offset)}: it says that it has {length:,} bytes, and has {after - 4:,} more"
            )
        return None

    def _plain(self, offset: int, most: int, *, to_its_end: bool) -> Block:
        data = self._at(offset, min(most, _FIRST_BYTES))
        head = _head(data)
        if head is None and data.startswith(b"WARC/"):
            data = self._at(offset, min(most, HEAD_BYTES))
            head = _head(data)
        if head is None:
            fault = ArchiveError(
                f"{self.place(offset)}: what stands there does not begin with the headers of a WARC record"
            )
            # Where no empty line is near, no other headers end either that begin in the first half of what was looked at.
            further = (
                HEAD_BYTES // 2 if len(data) == HEAD_BYTES and not _HEAD_END.search(data) else 1
            )
            return Block(b"", self._next(offset + further) - offset, 0, fault)
        begin, length = head
        end = offset + begin + length
        if begin + length > len(data) and most > len(data):
            data = self._at(offset, min(most, begin + length))
        if end > self.size:
            fault = ArchiveError(
                f"{self.place(offset)}: the file ends within this record, or its length is wrong",
                reason="cut_short",
            )
            return Block(data, self._next(offset + 1) - offset, self.size - offset, fault)
        after = self._at(end, len(b"\r\n\r\nWARC/"))
        # Two line ends; some writers leave them out.
        following = after.lstrip(b"\r\n")
        if following and not following.startswith(b"WARC/"[: len(following)]):
            fault = ArchiveError(
                f"{self.place(offset)}: it says that it has {length:,} bytes, and does not end there"
            )
            return Block(data, self._next(offset + 1) - offset, begin + length, fault)
        return Block(
            data[: begin + length], begin + length + len(after) - len(following), begin + length
        )

    def _next(self, offset: int) -> int:
        """Where the next record begins, from ``offset`` on; the end of the file if none does."""
        while offset < self.size:
            window = self._at(offset, _PIECE_BYTES)
            for match in (_MEMBER if self._compressed else _START).finditer(window):
                place = offset + match.start()
                if self._begins_record(place, match.start()):
                    return place
            if offset + len(window) >= self.size:
                break
            # A beginning may lie across the end of the window.
            offset += len(window) - _FIRST_BYTES
        return self.size

    def _begins_record(self, place: int, in_window: int) -> bool:
        if not self._compressed:
            return in_window > 0 or self._at(place - 1, 1) == b"\n"
        try:
            return zlib.decompressobj(GZIP).decompress(self._at(place, _FIRST_BYTES), 5) == b"WARC/"
        except zlib.error:
            return False

    def _at(self, offset: int, count: int) -> bytes:
        count = min(count, self.size - offset)
        if count <= 0:
            return b""
        try:
            return os.pread(self._descriptor, count, self._start + offset)
        except OSError as error:
            raise ArchiveError(f"{self.name} cannot be read ({error.strerror})") from error


def parse_head(block: Block) -> Record | None:
    """What the beginning of a record tells, without its payload and unchecked; None if it tells nothing of use."""
    try:
        return _parsed(block.data, "", whole=False)
    except ArchiveError:
        return None


def kind_of(block: Block) -> bytes:
    """The WARC-Type of a record, in lower case; empty if it does not tell."""
    end = _HEAD_END.search(block.data)
    match = _TYPE.search(block.data, 0, end.end() if end else len(block.data))
    return match[1].lower() if match else b""


def first_record_id(path: Path) -> str | None:
    """The id of the first record of a file; None if there is no such file, or it does not begin with a record."""
    try:
        file = WarcFile(path, str(path))
    except ArchiveError:
        return None
    try:
        match = _RECORD_ID.search(file.block(0, HEAD_BYTES).data)
    except ArchiveError:
        return None
    finally:
        file.close()
    return match[1].decode("latin-1") if match else None


def digest_of(payload: bytes) -> str:
    """A payload's digest as WARC files name it: SHA-1 in base 32."""
    return (
        "sha1:" + base64.b32encode(hashlib.sha1(payload, usedforsecurity=False).digest()).decode()
    )


def read_date(text: str) -> datetime:
    """Read a WARC-Date (W3C's profile of ISO 8601, UTC); ValueError if it is none."""
    moment = datetime.fromisoformat(text.strip())
    try:
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(str(error)) from error


def _head(data: bytes) -> tuple[int, int] | None:
    """Where the content of a record begins, and how long it says it is."""
    end = _HEAD_END.search(data)
    if not data.startswith(b"WARC/") or end is None:
        return None
    length = _CONTENT_LENGTH.search(data, 0, end.end())
    return (end.end(), int(length[1])) if length else None


def _parsed(data: bytes, place: str, *, whole: bool = True) -> Record:
    try:
        parsed = _LOADER.parse_record_stream(BytesIO(data), known_format="warc")
        date = read_date(parsed.rec_headers.get_header("WARC-Date") or "")
    except Exception as error:
        # Of headers that make no sense warcio raises whatever it comes upon.
        raise ArchiveError(
            f"{place}: its headers cannot be read ({type(error).__name__}: {error})"
        ) from error
    said = parsed.rec_headers.get_header
    url = said("WARC-Target-URI") or ""
    status: int | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()
    if parsed.http_headers is not None:
        status = _status(parsed.http_headers)
        headers = tuple(
            (name.encode("utf-8"), value.encode("utf-8"))
            for name, value in parsed.http_headers.headers
        )
    elif parsed.rec_type in ("resource", "conversion"):
        headers = ((b"Content-Type", (said("Content-Type") or "").encode("utf-8")),)
    to_url, to_date = said("WARC-Refers-To-Target-URI"), said("WARC-Refers-To-Date")
    try:
        refers_to = (to_url, read_date(to_date) if to_date else None)
    except ValueError:
        refers_to = (to_url, None)
    kind = (parsed.rec_type or "").lower()
    if kind == "conversion":
        # Those of others are of other kinds, such as the bare text of a page.
        url = url.removeprefix(RENDERED_URN) if url.startswith(RENDERED_URN) else ""
    return Record(
        kind=kind,
        url=url,
        date=date,
        status=status,
        headers=headers,
        payload=_payload(parsed, kind, status, headers, data, place) if whole else b"",
        digest=said("WARC-Payload-Digest"),
        profile=said("WARC-Profile") or "",
        refers_to=refers_to,
    )


def _payload(
    parsed: ArcWarcRecord,
    kind: str,
    status: int | None,
    headers: tuple[tuple[bytes, bytes], ...],
    data: bytes,
    place: str,
) -> bytes:
    """The payload of a record, without its transfer coding; ArchiveError if it is not all that was there, or not what was written."""
    said = parsed.rec_headers.get_header
    if kind == "revisit":
        # What it stands for is checked when that is read. wget gives it another's block digest, and says that it is truncated.
        return b""
    if truncated := said("WARC-Truncated"):
        raise ArchiveError(
            f"{place}: whoever wrote it had only a part of the page (WARC-Truncated: {truncated})",
            reason="cut_short",
        )
    if said("WARC-Segment-Number"):
        raise ArchiveError(
            f"{place}: it is the first of several segments of a page, which are not put together",
            reason="cut_short",
        )
    if kind == "response" and status is None:
        raise ArchiveError(f"{place}: its answer has no status that can be read")
    stored = parsed.raw_stream.read()
    payload = _without_chunks(stored, headers, place)
    announced = max(
        (
            int(value)
            for name, value in headers
            if name.lower() == b"content-length" and value.isdigit()
        ),
        default=0,
    )
    if kind == "response" and len(stored) < announced and payload is stored:
        raise ArchiveError(
            f"{place}: the answer said that it has {announced:,} bytes, and has {len(stored):,}",
            reason="cut_short",
        )
    begin, length = _head(data) or (0, 0)
    for name, candidates in (
        ("WARC-Block-Digest", (data[begin : begin + length],)),
        ("WARC-Payload-Digest", (stored, payload)),
    ):
        declared = said(name)
        if declared and not any(has_digest(candidate, declared) for candidate in candidates):
            raise ArchiveError(
                f"{place}: its bytes are not those that it was written with ({name} {declared})"
            )
    return payload


def _status(http: StatusAndHeaders) -> int | None:
    code = http.get_statuscode()
    return (
        int(code)
        if http.protocol.startswith("HTTP") and code.isascii() and code.isdigit() and len(code) == 3
        else None
    )


def _without_chunks(stored: bytes, headers: tuple[tuple[bytes, bytes], ...], place: str) -> bytes:
    """Take off the chunked transfer coding, if it is on: many writers of archives leave only its header."""
    if not any(
        name.lower() == b"transfer-encoding" and b"chunked" in value.lower()
        for name, value in headers
    ):
        return stored
    if not _HEADER_OF_CHUNK.match(stored):
        return stored
    payload, whole = unchunked(stored)
    if not whole:
        raise ArchiveError(f"{place}: its chunks end before the last one", reason="cut_short")
    return payload


def unchunked(stored: bytes) -> tuple[bytes, bool]:
    """Take off the chunked transfer coding (RFC 9112, 7.1). Return what was in it as far as it goes, and whether that is all."""
    payload, position = bytearray(), 0
    while header := _HEADER_OF_CHUNK.match(stored, position):
        length = int(header[1], 16)
        if length == 0:
            return bytes(payload), True
        payload += stored[header.end() : header.end() + length]
        position = header.end() + length
        if stored[position : position + 1] not in (b"\r", b"\n"):
            break
        position += 2 if stored.startswith(b"\r\n", position) else 1
    return bytes(payload), False


def has_digest(data: bytes, declared: str) -> bool:
    """Whether bytes have a digest such as ``sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ``, in base 32 or hexadecimal.

    Of one of an unknown kind nothing is known, and nothing said.
    """
    name, _, value = declared.strip().partition(":")
    name = name.lower().replace("-", "")
    if name not in _DIGESTS or not value:
        return True
    digest = hashlib.new(name, data, usedforsecurity=False).digest()
    return value.upper().rstrip("=") in (
        base64.b32encode(digest).decode().rstrip("="),
        digest.hex().upper(),
    )

"""Decode HTTP content codings (RFC 9110, section 8.4), completely or not at all.

Takes a body as received, without its transfer coding, and the codings named in its headers. Returns
the decoded bytes with notes on every assumption. Each stream must be complete and match its
checksum, if it has one; otherwise ``ContentCodingError`` is raised. Scrapy's decoders, like most,
return as much as they can of a damaged stream, which results in half an article.

Common header errors are tolerated and noted: bytes after a complete stream, plain text declared as
compressed, gzip declared as something else or not at all.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

import brotli

from crawler.errors import CrawlerError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ACCEPTED = ("gzip", "deflate", "br", "zstd")
"""The codings to request from servers."""

_GZIP_MAGIC = b"\x1f\x8b\x08"
# RFC 8878, section 3.1: a frame, and a skippable frame, whose first byte varies.
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE = tuple(bytes((0x50 + number, 0x2A, 0x4D, 0x18)) for number in range(16))
_ALIASES = {"x-gzip": "gzip", "brotli": "br", "": "identity", "none": "identity"}
# Registered with IANA, but not decoded by browsers, or only with a dictionary.
_UNSUPPORTED = frozenset(
    ("compress", "x-compress", "exi", "pack200-gzip", "dcb", "dcz", "aes128gcm")
)
_PIECE_BYTES = 1 << 16
_BROTLI_BYTES = 1 << 12
# The bytes checked to distinguish text from a stream, and the fewest that are conclusive.
_TEXT_SAMPLE, _CONCLUSIVE_BYTES = 1024, 64
# Compressed data has one within the first few dozen bytes; text has none.
_CONTROLS = bytes(set(range(0x20)) - set(b"\t\n\f\r\x1b"))
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_MAGIC_BYTES = 4
# The limit of curl.
_MOST_CODINGS = 5
# Real streams have a few hundred members at most: bgzip writes one per 64 KiB.
_MOST_MEMBERS = 10_000
_ZLIB_BITS, _BARE_BITS = 15, -15
GZIP = 31
"""The zlib window size that means "with a gzip header and checksum"."""

Reason = Literal["cut_short", "unreadable", "too_large"]


class ContentCodingError(CrawlerError):
    """A body cannot be decoded completely; ``reason`` is one of crawler.items.Reason."""

    def __init__(self, message: str, reason: Reason) -> None:
        super().__init__(message, exit_code=1)
        self.reason: Reason = reason


@dataclass(frozen=True, slots=True)
class Decoded:
    """A body without its content codings; ``notes`` lists the assumptions made."""

    body: bytes
    notes: tuple[str, ...] = ()


class Decoder(Protocol):
    """A decoder of one stream, like the standard library's decompressors (bz2, lzma, zstd)."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class ZlibDecoder:
    """zlib's decompressor as a ``Decoder``; ``window_bits`` selects the format, as in zlib."""

    def __init__(self, window_bits: int) -> None:
        self._zlib = zlib.decompressobj(window_bits)

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        return not self._zlib.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        return self._zlib.decompress(self._zlib.unconsumed_tail + data, max(max_length, 0))


class _Stream(NamedTuple):
    """A decoded stream and the number of bytes after it."""

    body: bytes
    rest: int


def decode(body: bytes, declared: Iterable[str], most: int, *, whole: bool) -> Decoded:
    """Decode a body to at most ``most`` bytes (0: no limit).

    ``declared`` holds the Content-Encoding values in order. ``whole`` means that the body is known
    to be complete, so that plain text under a false header can be trusted. Raises
    ContentCodingError if the body cannot be decoded completely.
    """
    notes: list[str] = []
    names = codings(declared)
    if len(names) > _MOST_CODINGS:
        raise ContentCodingError(f"it has {len(names):,} content codings", "unreadable")
    for coding in reversed(names):
        if not body:
            break
        body = _decode_one(body, coding, most, notes, whole=whole)
    if body.startswith(_GZIP_MAGIC):
        notes.append("the bytes are gzip, which no Content-Encoding says")
        body = _decoded_stream(body, "gzip", most, notes)
    return Decoded(body, tuple(notes))


def codings(declared: Iterable[str]) -> list[str]:
    """Return the codings named by the Content-Encoding values, in the order of application."""
    names = (name.strip().lower() for value in declared for name in value.split(","))
    return [name for name in (_ALIASES.get(name, name) for name in names) if name != "identity"]


def is_cut(body: bytes, declared: Iterable[str], most: int) -> bool:
    """Return whether a body ends before its content coding does."""
    try:
        decode(body, declared, most, whole=True)
    except ContentCodingError as error:
        return error.reason == "cut_short"
    return False


def _decode_one(body: bytes, coding: str, most: int, notes: list[str], *, whole: bool) -> bytes:
    if body.startswith(_GZIP_MAGIC) and coding != "gzip":
        notes.append(f"Content-Encoding says {coding}, and the bytes are gzip")
        return _decoded_stream(body, "gzip", most, notes)
    if coding in _UNSUPPORTED:
        raise ContentCodingError(f"Content-Encoding {coding} is not supported", "unreadable")
    if _is_text(body):
        if coding in _DECODERS and not whole:
            raise ContentCodingError(
                f"Content-Encoding says {coding}, but the bytes are plain text, and nothing shows "
                "whether they are complete",
                "unreadable",
            )
        notes.append(f"Content-Encoding says {coding}, and the bytes are plain text")
        return body
    if coding not in _DECODERS:
        raise ContentCodingError(f"Content-Encoding {coding!r} is unknown", "unreadable")
    return _decoded_stream(body, coding, most, notes)


def _decoded_stream(body: bytes, coding: str, most: int, notes: list[str]) -> bytes:
    decoded, rest = _DECODERS[coding](body, most)
    if rest:
        notes.append(f"{rest:,} bytes after the end of the {coding} stream were ignored")
    return decoded


def _is_text(body: bytes) -> bool:
    sample = body[:_TEXT_SAMPLE]
    if sample.startswith(_BYTE_ORDER_MARKS):
        return True
    is_conclusive = len(sample) >= _CONCLUSIVE_BYTES or sample.lstrip().startswith(b"<")
    return is_conclusive and sample.translate(None, _CONTROLS) == sample


def _gunzip(data: bytes, most: int) -> _Stream:
    """Decode RFC 1952: one or more members, each with its checksum and length."""
    return _members(data, "gzip", most, lambda: ZlibDecoder(GZIP), (_GZIP_MAGIC,))


def _unzstd(data: bytes, most: int) -> _Stream:
    """Decode RFC 8878: one or more frames, whose checksums the library verifies."""
    return _members(data, "zstd", most, zstd.ZstdDecompressor, (_ZSTD_MAGIC, *_ZSTD_SKIPPABLE))


def _undeflate(data: bytes, most: int) -> _Stream:
    """Decode zlib's format (RFC 1950), or the bare deflate (RFC 1951) that some servers send.

    See RFC 9110, section 8.4.1.2.
    """
    try:
        return _members(data, "deflate", most, lambda: ZlibDecoder(_ZLIB_BITS), ())
    except ContentCodingError as error:
        if error.reason != "unreadable":
            raise
        try:
            return _members(data, "deflate", most, lambda: ZlibDecoder(_BARE_BITS), ())
        except ContentCodingError as bare:
            has_zlib_header = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
            raise (error if has_zlib_header else bare) from None


def _members(
    data: bytes, coding: str, most: int, decoder: Callable[[], Decoder], magics: tuple[bytes, ...]
) -> _Stream:
    """Decode a stream and each following one that begins with one of ``magics``."""
    body = bytearray()
    position = 0
    for _ in range(_MOST_MEMBERS):
        position = _member(decoder(), data, position, coding, body, most)
        # Bytes that begin like a member are one, however early they are cut.
        head = data[position : position + _MAGIC_BYTES]
        if not any(_may_begin(head, magic) for magic in magics):
            return _Stream(bytes(body), len(data) - position)
    raise ContentCodingError(f"its {coding} stream has over {_MOST_MEMBERS:,} parts", "unreadable")


def _may_begin(head: bytes, magic: bytes) -> bool:
    """Return whether bytes may start a member; for zstd, one byte alone might be text."""
    shortest = 1 if magic == _GZIP_MAGIC else 2
    return len(head) >= shortest and magic.startswith(head[: len(magic)])


def _member(
    decoder: Decoder, data: bytes, position: int, coding: str, body: bytearray, most: int
) -> int:
    """Decode the stream at ``position``, append it to ``body`` and return its end.

    Works in small pieces, to detect a decompression bomb early.
    """
    while not decoder.eof:
        piece = data[position : position + _PIECE_BYTES] if decoder.needs_input else b""
        position += len(piece)
        try:
            decoded = decoder.decompress(piece, _PIECE_BYTES)
        except (zlib.error, zstd.ZstdError) as error:
            raise _damage_error(coding, error) from error
        body += decoded
        _check_size(len(body), most, coding)
        is_stuck = not piece and not decoded and decoder.needs_input and not decoder.eof
        # No output may just mean that the previous piece is used up, so read on if there is more.
        if is_stuck and position >= len(data):
            raise _cut_error(coding, len(data))
    return position - len(decoder.unused_data)


def _unbrotli(data: bytes, most: int) -> _Stream:
    """Decode RFC 7932: one stream, without a checksum.

    The library raises the same error for damage and for bytes after the end, so a piece that fails
    is decoded again byte by byte.
    """
    pieces = [data[at : at + _BROTLI_BYTES] for at in range(0, len(data), _BROTLI_BYTES)]
    try:
        return _feed_brotli(pieces, data, most)
    except _BrotliError as failure:
        single_bytes = [
            pieces[failure.number][at : at + 1] for at in range(len(pieces[failure.number]))
        ]
        pieces[failure.number :] = single_bytes
    try:
        return _feed_brotli(pieces, data, most)
    except _BrotliError as failure:
        raise _damage_error("br", failure) from failure


class _BrotliError(Exception):
    def __init__(self, number: int, error: brotli.error) -> None:
        super().__init__(str(error))
        self.number = number


def _feed_brotli(pieces: list[bytes], data: bytes, most: int) -> _Stream:
    unzip = brotli.Decompressor()
    body = bytearray()
    consumed = 0
    for number, piece in enumerate(pieces):
        consumed += len(piece)
        try:
            for decoded in _brotli_output(unzip, piece):
                body += decoded
                _check_size(len(body), most, "br")
        except brotli.error as error:
            raise _BrotliError(number, error) from error
        if unzip.is_finished():
            return _Stream(bytes(body), len(data) - consumed)
    raise _cut_error("br", len(data))


def _brotli_output(unzip: brotli.Decompressor, piece: bytes) -> Iterator[bytes]:
    """Yield the decoded output of a piece, in parts of about _PIECE_BYTES."""
    data = piece
    while not unzip.is_finished():
        decoded = unzip.process(data, output_buffer_limit=_PIECE_BYTES)
        yield decoded
        data = b""
        if not decoded and unzip.can_accept_more_data():
            return


def _check_size(size: int, most: int, coding: str) -> None:
    if most and size > most:
        raise ContentCodingError(
            f"its {coding} stream holds more than DOWNLOAD_MAXSIZE ({most:,} bytes)", "too_large"
        )


def _cut_error(coding: str, size: int) -> ContentCodingError:
    return ContentCodingError(
        f"its {coding} stream does not end within {size:,} bytes", "cut_short"
    )


def _damage_error(coding: str, error: Exception) -> ContentCodingError:
    return ContentCodingError(f"its {coding} stream is damaged ({error})", "unreadable")


_DECODERS: dict[str, Callable[[bytes, int], _Stream]] = {
    "gzip": _gunzip,
    "deflate": _undeflate,
    "br": _unbrotli,
    "zstd": _unzstd,
}

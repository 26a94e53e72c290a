"""Compression of archive files: each record is a separate gzip member or zstd frame.

``Gzip`` and ``Zstd`` return a ``Decoder`` for one member. A file that is compressed as a whole has
one member with many records, which cannot be read by offset.
"""

import sys
import zlib
from typing import ClassVar, Protocol

from crawler.errors import ArchiveError
from crawler.extraction.content_coding import GZIP, Decoder, ZlibDecoder

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

DECODER_ERRORS = (zlib.error, zstd.ZstdError)
_DICTIONARY = b"\x5d\x2a\x4d\x18"
_SKIPPABLE_HEADER = 8
_MOST_DICTIONARY_BYTES = 1 << 24


class Compression(Protocol):
    """A compression format. Each member begins with the bytes ``magic``."""

    magic: ClassVar[bytes]

    def decoder(self) -> Decoder: ...
    def skippable_size(self, header: bytes) -> int:
        """Return the length of a member without data, given its first 8 bytes; otherwise 0."""
        ...


class Gzip:
    """Gzip members (RFC 1952, 2.2)."""

    magic: ClassVar[bytes] = b"\x1f\x8b\x08"

    def decoder(self) -> Decoder:
        return ZlibDecoder(GZIP)

    def skippable_size(self, header: bytes) -> int:
        return 0


class Zstd:
    """Zstd frames (RFC 8878, 3.1.1), which may share a dictionary.

    The dictionary is at the start of the file, in a skippable frame, and may itself be compressed
    (iipc.github.io/warc-specifications/specifications/warc-zstd).
    """

    magic: ClassVar[bytes] = b"\x28\xb5\x2f\xfd"
    dictionary_at: ClassVar[int] = _SKIPPABLE_HEADER

    def __init__(self, dictionary: bytes) -> None:
        """Load the dictionary. Raises ArchiveError if it cannot be read."""
        try:
            if dictionary.startswith(self.magic):
                decompressor = zstd.ZstdDecompressor()
                dictionary = decompressor.decompress(dictionary, _MOST_DICTIONARY_BYTES)
                if not decompressor.eof:
                    raise ValueError("it is cut off or too large")
            self._dictionary = zstd.ZstdDict(dictionary) if dictionary else None
        except (zstd.ZstdError, ValueError) as error:
            raise ArchiveError(f"its zstd dictionary cannot be read ({error})") from error

    def decoder(self) -> Decoder:
        return zstd.ZstdDecompressor(self._dictionary)

    def skippable_size(self, header: bytes) -> int:
        return _skippable_size(header)

    @classmethod
    def begins(cls, header: bytes) -> bool:
        """Return whether a file that begins with these bytes is compressed with zstd."""
        return header.startswith(cls.magic) or _skippable_size(header) > 0

    @staticmethod
    def dictionary_size(header: bytes) -> int:
        """Return the size of the dictionary at ``dictionary_at``; 0 if there is none."""
        return _skippable_size(header) - _SKIPPABLE_HEADER if header.startswith(_DICTIONARY) else 0


def _skippable_size(header: bytes) -> int:
    """Return the length of a skippable frame (RFC 8878, 3.1.2) from its header; otherwise 0."""
    is_skippable = (
        len(header) >= _SKIPPABLE_HEADER and header[0] >> 4 == 5 and header[1:4] == b"*M\x18"
    )
    return _SKIPPABLE_HEADER + int.from_bytes(header[4:8], "little") if is_skippable else 0

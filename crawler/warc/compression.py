"""The compression of archive files: each record is a gzip member or a zstd frame of its own.

``Gzip`` and ``Zstd`` give a ``Decoder`` for one member. A file that is compressed as a whole has
one member with many records; it cannot be read by offset.
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
    """How the members of a file are compressed. ``magic`` is what each begins with."""

    magic: ClassVar[bytes]

    def decoder(self) -> Decoder: ...
    def skipped(self, header: bytes) -> int:
        """The length of what begins with ``header`` (8 bytes) if it holds no data, else 0."""
        ...


class Gzip:
    """Members of gzip (RFC 1952, 2.2)."""

    magic: ClassVar[bytes] = b"\x1f\x8b\x08"

    def decoder(self) -> Decoder:
        return ZlibDecoder(GZIP)

    def skipped(self, header: bytes) -> int:
        return 0


class Zstd:
    """Frames of zstd (RFC 8878, 3.1.1), which may share a dictionary.

    The dictionary comes first in the file, in a skippable frame of its own, and may itself be
    compressed (iipc.github.io/warc-specifications/specifications/warc-zstd).
    """

    magic: ClassVar[bytes] = b"\x28\xb5\x2f\xfd"

    def __init__(self, dictionary: bytes) -> None:
        """ArchiveError if the dictionary cannot be read."""
        try:
            if dictionary.startswith(self.magic):
                unpacking = zstd.ZstdDecompressor()
                dictionary = unpacking.decompress(dictionary, _MOST_DICTIONARY_BYTES)
                if not unpacking.eof:
                    raise ValueError("it is cut off, or too large")
            self._dictionary = zstd.ZstdDict(dictionary) if dictionary else None
        except (zstd.ZstdError, ValueError) as error:
            raise ArchiveError(f"its zstd dictionary cannot be read ({error})") from error

    def decoder(self) -> Decoder:
        return zstd.ZstdDecompressor(self._dictionary)

    def skipped(self, header: bytes) -> int:
        return _skippable(header)

    @classmethod
    def begins(cls, header: bytes) -> bool:
        """Whether a file that begins with these bytes is compressed with zstd."""
        return header.startswith(cls.magic) or _skippable(header) > 0

    @staticmethod
    def dictionary_size(header: bytes) -> int:
        """The bytes of the dictionary after the first 8 of a file; 0 if it has none."""
        return _skippable(header) - _SKIPPABLE_HEADER if header.startswith(_DICTIONARY) else 0


def _skippable(header: bytes) -> int:
    """The length of the skippable frame that begins so (RFC 8878, 3.1.2); 0 if none does."""
    is_one = len(header) >= _SKIPPABLE_HEADER and header[0] >> 4 == 5 and header[1:4] == b"*M\x18"
    return _SKIPPABLE_HEADER + int.from_bytes(header[4:8], "little") if is_one else 0

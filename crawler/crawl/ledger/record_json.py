"""The JSON of records as the ledger stores it: compressed, with a checksum.

The checksum is that of the stored bytes, because databases do not detect bit errors. The rows of
schemas before 7 are not compressed.
"""

from __future__ import annotations

from typing import Any
from zlib import crc32

from isal import isal_zlib

from crawler.errors import LedgerError


def packed(encoded: bytes) -> tuple[bytes, int]:
    """Return the JSON of a record as it is stored, and its checksum."""
    stored = isal_zlib.compress(encoded)
    return stored, crc32(stored)


def json_in(row: Any) -> bytes:
    """Return the JSON in an intact row of RECORDS."""
    stored = bytes(row.json)
    # A stream of zlib does not begin with a brace (RFC 1950, 2.2), as a JSON object does.
    return stored if stored.startswith(b"{") else isal_zlib.decompress(stored)


def verified_json(row: Any, ledger: str) -> bytes:
    """Return the JSON in a row of RECORDS; LedgerError if its checksum is wrong."""
    if lost := lost_bits(row):
        raise LedgerError(
            f"the ledger {ledger}: {lost}; restore it from a backup, or start again with another "
            "job"
        )
    return json_in(row)


def lost_bits(row: Any) -> str | None:
    """Describe a row of RECORDS whose checksum is wrong; None if it is intact."""
    return (
        f"record {row.record} ({row.kind} {row.id}) does not match its checksum"
        if crc32(row.json) != row.crc
        else None
    )

"""Sets of texts that every executor holds in little memory, sent to each once."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BYTES = 16


def digest(text: str) -> bytes:
    """Return the digest that stands for a text: 128 bits, so that no two are ever the same."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_BYTES).digest()


class IdSet:
    """A set of texts by their digests, of 16 bytes each."""

    def __init__(self, digests: Iterable[bytes]) -> None:
        self._sorted = b"".join(sorted(set(digests)))

    def __len__(self) -> int:
        return len(self._sorted) // _BYTES

    def __contains__(self, text: str) -> bool:
        sought = digest(text)
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            found = self._sorted[middle * _BYTES : (middle + 1) * _BYTES]
            if found == sought:
                return True
            low, high = (middle + 1, high) if found < sought else (low, middle)
        return False

    @property
    def digests(self) -> Iterator[bytes]:
        return (
            self._sorted[place : place + _BYTES] for place in range(0, len(self._sorted), _BYTES)
        )

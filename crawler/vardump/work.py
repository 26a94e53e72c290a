"""Limit the cost of reading one text.

A page can be built so that each of its bytes starts a dump that only the last byte proves broken.
The cost of reading is counted, so that such a page ends a scan instead of hanging the program.
"""

import math

# Bytes that a regular expression searches in the time of one step, about a microsecond.
_BYTES_A_STEP = 200


class TooMuchWorkError(Exception):
    """The text exceeded its work limit."""


class Work:
    """The remaining steps; spending more raises TooMuchWorkError."""

    def __init__(self, steps: float) -> None:
        self.remaining = steps

    def spend(self, steps: float, searched: int = 0) -> None:
        """Count ``steps`` and ``searched`` bytes; raise TooMuchWorkError over the limit."""
        self.remaining -= steps + searched / _BYTES_A_STEP
        if self.remaining < 0:
            raise TooMuchWorkError


UNLIMITED = Work(math.inf)

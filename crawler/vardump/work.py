"""How much the reading of one text may cost.

A page can be made so that each of its bytes is the start of a dump that only its last byte proves
broken. What reading spends is counted, so that such a page ends a scan instead of stopping a program.
"""

import math

# Bytes that an expression passes over in the time of one step, which is about a microsecond.
_BYTES_A_STEP = 200


class TooMuchWorkError(Exception):
    """All that a text may cost was spent."""


class Work:
    """The steps that are left; spending more than that raises TooMuchWorkError."""

    def __init__(self, steps: float) -> None:
        self.left = steps

    def spend(self, steps: float, passed: int = 0) -> None:
        """Count ``steps``, and ``passed`` bytes that were searched."""
        self.left -= steps + passed / _BYTES_A_STEP
        if self.left < 0:
            raise TooMuchWorkError


UNLIMITED = Work(math.inf)

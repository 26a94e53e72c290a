"""Text from a site, made safe to show.

A headline, an address or a header may hold escape sequences that move the cursor, hide what was
printed before, or reverse the direction of what follows. They are shown as Python writes them.
"""

from __future__ import annotations

import re
import sys
from typing import TextIO

# C0, DEL and C1; the direction marks, overrides and isolates of UAX #9; U+2028 and U+2029, which
# end a line; surrogates, which no terminal can show.
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_CONTROL_IN_LINES = re.compile(_CONTROL.pattern.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f"))


def escaped(text: str) -> str:
    """One line of text with its control characters escaped, line ends too."""
    return _CONTROL.sub(_escape, text)


def escaped_lines(text: str) -> str:
    """Text of several lines with all control characters escaped but tabs and line ends."""
    return _CONTROL_IN_LINES.sub(_escape, text)


def say(line: str = "", file: TextIO | None = None) -> None:
    """Print one line, escaped, to standard output or another stream."""
    print(escaped(line), file=file or sys.stdout)


def _escape(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode("ascii")

"""Output that is safe to display, and commands that survive a closed pipe.

A headline, an address or a header may contain escape sequences that move the cursor, hide earlier
output or reverse the direction of the following text. They are displayed as Python escapes.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from io import TextIOWrapper
from typing import Any, TextIO

from crawler.errors import CrawlerError

# C0, DEL and C1; the direction marks, overrides and isolates of UAX #9; U+2028 and U+2029, which
# end a line; surrogates, which no terminal can display.
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_CONTROL_IN_LINES = re.compile(_CONTROL.pattern.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f"))


def escaped(text: str) -> str:
    """Escape all control characters in one line of text, including line ends."""
    return _CONTROL.sub(_escape, text)


def escaped_lines(text: str) -> str:
    """Escape all control characters in a text of several lines, except tabs and line ends."""
    return _CONTROL_IN_LINES.sub(_escape, text)


def say(line: str = "", file: TextIO | None = None) -> None:
    """Print one line, escaped, to standard output or another stream."""
    print(escaped(line), file=file or sys.stdout)


def shows_styles(stream: TextIO) -> bool:
    """Return whether to show colours and other styles on a stream: on terminals that have them.

    NO_COLOR (no-color.org) turns them off, and FORCE_COLOR turns them on; empty values do not
    count.
    """
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or moves_cursor(stream)


def moves_cursor(stream: TextIO) -> bool:
    """Return whether a stream is a terminal that knows control sequences."""
    return stream.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")


def say_json(value: Any) -> None:
    """Print a value as JSON on one line in ASCII, which is safe on every terminal."""
    print(json.dumps(value).replace("\x7f", "\\u007f"))


def to_the_second(time: datetime | str | None) -> str:
    """Return a time, or one in ISO 8601, as date and clock; "unknown" for None."""
    text = time.isoformat() if isinstance(time, datetime) else time
    return text[:19].replace("T", " ") if text else "unknown"


def describe_span(seconds: float, digits: int = 3) -> str:
    """Return a length of time in its largest unit, with so many significant digits."""
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.{digits}g} {unit}"
    return f"{seconds:.{digits}g} s"


def replace_closed_streams() -> None:
    """Replace each stream that the shell closed (>&-), because Scrapy needs one."""
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


@contextmanager
def output() -> Iterator[None]:
    """Guard the output printed in this context.

    Characters missing from a stream's encoding are escaped. It is not an error if the reader closes
    the pipe. Raises CrawlerError if the output cannot be written for another reason. Nothing is
    left in the buffers, because flushing them would fail again when Python exits and would change
    the exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        yield
        _flush(sys.stdout)
    except BrokenPipeError:
        _abandon(sys.stdout)
    except OSError as error:
        _abandon(sys.stdout)
        message = f"standard output cannot be written ({error.strerror})"
        raise CrawlerError(message, exit_code=1) from error
    finally:
        try:
            _flush(sys.stderr)
        except OSError:
            _abandon(sys.stderr)


def _flush(stream: TextIO | None) -> None:
    if stream is not None:
        stream.flush()


def _abandon(stream: TextIO | None) -> None:
    """Send a stream's buffered and later output to the null device."""
    if stream is not None:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())


def _escape(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode("ascii")

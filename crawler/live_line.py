"""One line at the bottom of a terminal that is rewritten in place, below everything else.

The libraries for this do not leave the rest alone: rich hides the cursor, which a killed process
cannot show again, and wraps the lines of the log, whose paths and URLs then cannot be copied; tqdm
overwrites text without a line end.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
from contextlib import suppress
from itertools import accumulate
from typing import TYPE_CHECKING, Any, TextIO, cast

from crawler.terminal import escaped, moves_cursor, shows_styles

if TYPE_CHECKING:
    from collections.abc import Sequence

# ECMA-48: erase the line, and the DEC mode in which a terminal does not wrap lines. Terminals
# disagree about the width of some characters, and a wrapped line could not be rewritten.
_ERASE, _NO_WRAP, _WRAP = "\r\x1b[K", "\x1b[?7l", "\x1b[?7h"
_DIM, _NORMAL = "\x1b[2m", "\x1b[0m"
_GAP = "  "
# The width of a terminal that does not know its own.
_USUAL_WIDTH = 80
# The fewest columns that a detail is shown in, and the most characters of it that are measured:
# any number of combining characters fit into one column.
_LEAST_ROOM, _MOST_CHARACTERS = 10, 1_000


class LiveLine:
    """A live line, which stands in for standard error until it is closed.

    Whatever is written to standard error, by the log too, appears above the line.
    """

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal
        self._is_styled = shows_styles(terminal)
        self._line = ""
        # Whether the last text written ended within a line, which must not be erased.
        self._is_interrupted = False
        self._replace(terminal, self)
        atexit.register(self.close)

    def show(self, *facts: str, detail: str = "") -> None:
        """Show facts in ASCII and, as far as there is room, a detail, such as a headline."""
        text, detail = fitting(facts, detail, self._width - 1)
        if detail:
            text += _GAP + (f"{_DIM}{detail}{_NORMAL}" if self._is_styled else detail)
        if text != self._line:
            self._line = text
            if not self._is_interrupted:
                self._write(_ERASE + self._drawn)

    def write(self, text: str) -> int:
        """Write a text above the line."""
        if not text:
            return 0
        erase = _ERASE if self._line and not self._is_interrupted else ""
        self._is_interrupted = not text.endswith("\n")
        self._write(erase + text + ("" if self._is_interrupted else self._drawn))
        return len(text)

    def flush(self) -> None:
        self._terminal.flush()

    def close(self) -> None:
        """Erase the line, and put standard error back in its place."""
        self._replace(self, self._terminal)
        atexit.unregister(self.close)
        if self._line and not self._is_interrupted:
            self._write(_ERASE)
        self._line = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._terminal, name)

    @property
    def _width(self) -> int:
        # The terminal may have been closed.
        with suppress(OSError):
            return os.get_terminal_size(self._terminal.fileno()).columns or _USUAL_WIDTH
        return _USUAL_WIDTH

    @property
    def _drawn(self) -> str:
        return f"{_NO_WRAP}{self._line}{_WRAP}" if self._line else ""

    def _write(self, text: str) -> None:
        with suppress(OSError):
            self._terminal.write(text)
            self._terminal.flush()

    @staticmethod
    def _replace(old: Any, new: Any) -> None:
        """Put one stream in the place of another, also in the handlers of the log."""
        if sys.stderr is old:
            sys.stderr = cast(TextIO, new)
        for handler in logging.root.handlers:
            if isinstance(handler, logging.StreamHandler) and handler.stream is old:
                handler.setStream(new)


def open_live_line() -> LiveLine | None:
    """Open a live line on standard error.

    Returns None if that is no terminal that can rewrite a line, or if it has a live line already.
    """
    stream = sys.stderr
    if stream is None or isinstance(stream, LiveLine) or not moves_cursor(stream):
        return None
    return LiveLine(stream)


def close_live_line() -> None:
    """Close the live line on standard error, if there is one."""
    if isinstance(sys.stderr, LiveLine):
        sys.stderr.close()


def fitting(facts: Sequence[str], detail: str, width: int) -> tuple[str, str]:
    """Return as many facts, joined, and as much of a detail as fit into ``width`` columns.

    Control characters in the detail are escaped. It is left out if there is hardly any room.
    """
    joined = list(accumulate(facts, "{}, {}".format))
    text = next((text for text in reversed(joined) if len(text) <= width), joined[0][:width])
    room = width - len(text) - len(_GAP)
    if not detail or room < _LEAST_ROOM:
        return text, ""
    # Imported only once there is a detail, so that the first line is shown at once.
    from rich.text import Text

    shown = Text(escaped(detail[:_MOST_CHARACTERS]))
    shown.truncate(room, overflow="ellipsis")
    return text, shown.plain

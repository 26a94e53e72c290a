"""Lines and tables for people to read: plain text, with styles on a terminal.

The text is the same with and without styles. Plain text is never wrapped or cut, so that programs
can read it line by line. On a terminal, a long last cell of a row continues below itself. Control
characters are escaped, and nothing in a text is taken for markup.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from crawler.terminal import escaped, shows_styles

if TYPE_CHECKING:
    from rich.console import Console

_INDENT = _GAP = "  "
_NOTE_STYLE = "dim"
# The fewest columns that are left for the last cell of a row that is wrapped.
_LEAST_ROOM = 24


class Line(NamedTuple):
    """A line of text, with the style that a terminal shows it in: one of rich's, such as "red"."""

    text: str
    style: str = ""


class Row(NamedTuple):
    """A row of a table, with notes below it. Integers are shown with separators of thousands."""

    cells: Sequence[str | int]
    style: str = ""
    notes: Sequence[str] = ()


class Table(NamedTuple):
    """Rows of the same number of cells, below headings, if there are any.

    Columns of numbers are aligned right, except for the last column. Only the last cell of a row,
    and its notes, may be text from a site, because the others are padded as if every character took
    one column.
    """

    rows: Sequence[Row]
    headings: Sequence[str] = ()


Part = Line | Table


def show(parts: Iterable[Part], file: TextIO | None = None) -> None:
    """Print lines and tables to standard output or another stream."""
    stream = file or sys.stdout
    if shows_styles(stream):
        print(_styled(parts, wraps=stream.isatty()), end="", file=stream)
    else:
        for line in plain_lines(parts):
            print(line, file=stream)


def plain_lines(parts: Iterable[Part]) -> Iterator[str]:
    """Yield the lines as they are shown without styles."""
    for part in parts:
        if isinstance(part, Line):
            yield escaped(part.text)
        else:
            for start, last, _ in _aligned(part):
                yield (start + last).rstrip()


def _aligned(table: Table) -> Iterator[tuple[str, str, str]]:
    """Yield the padded cells of each row but the last one, the last one, and the row's style."""
    rows = [row._replace(cells=[_text(cell) for cell in row.cells]) for row in table.rows]
    is_number = [all(map(_is_number, column)) for column in _columns(rows)]
    if table.headings and rows:
        rows.insert(0, Row(table.headings, "bold"))
    widths = [max(map(len, column)) for column in _columns(rows)]
    for cells, style, notes in rows:
        start = _INDENT
        for cell, width, right in zip(cells[:-1], widths, is_number, strict=False):
            start += f"{cell:>{width}}{_GAP}" if right else f"{cell:<{width}}{_GAP}"
        yield start, str(cells[-1]), style
        for note in notes:
            yield 2 * _INDENT, escaped(note), _NOTE_STYLE


def _columns(rows: Iterable[Row]) -> Iterator[tuple[Any, ...]]:
    return zip(*(row.cells for row in rows), strict=True)


def _text(cell: str | int) -> str:
    return f"{cell:,}" if isinstance(cell, int) else escaped(cell)


def _is_number(text: str) -> bool:
    return not text or text.replace(",", "").isdigit()


def _styled(parts: Iterable[Part], *, wraps: bool) -> str:
    # Imported only for a terminal: programs have no use for it.
    from rich.console import Console
    from rich.text import Text

    # Printed to a buffer, because rich ends the process if the reader of a pipe has closed it.
    buffer = StringIO()
    console = Console(file=buffer, force_terminal=True)
    for part in parts:
        if isinstance(part, Line):
            # The terminal wraps a long line, so that a path in it can be copied as a whole.
            console.print(Text(escaped(part.text), part.style), soft_wrap=True)
        else:
            for start, last, style in _aligned(part):
                for line in _wrapped(console, start, last, wraps=wraps):
                    console.print(Text(line, style), soft_wrap=True)
    return buffer.getvalue()


def _wrapped(console: Console, start: str, last: str, *, wraps: bool) -> Iterator[str]:
    """Yield the lines of a row, whose last cell continues below itself if there is room."""
    from rich.text import Text

    room = console.width - len(start)
    if not wraps or room < _LEAST_ROOM:
        yield (start + last).rstrip()
        return
    for line in Text(last).wrap(console, room) or [Text()]:
        yield (start + line.plain).rstrip()
        start = " " * len(start)

"""Lines and tables, with and without styles."""

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.terminal_tables import Line, Part, Row, Table, plain_lines, show

CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
STYLE = re.compile("\x1b\\[[\\d;]*m")

PARTS: list[Part] = [
    Line("a line [red]of text[/red] :smile:", "bold"),
    Table(
        [
            Row(("one", 1, "x")),
            Row(("three", 1234, "y  z" * 50), "red", ["a note \x1b[2J", "another"]),
            Row(("", 0, "")),
        ],
        ("name", "n", "text"),
    ),
    Table([Row((5, "[b]日本語[/b]")), Row(("", "é"))]),
    Table([], ("no", "rows")),
    Line(""),
]
PLAIN = [
    "a line [red]of text[/red] :smile:",
    "  name       n  text",
    "  one        1  x",
    f"  three  1,234  {'y  z' * 50}",
    "    a note \\x1b[2J",
    "    another",
    "             0",
    "  5  [b]日本語[/b]",
    "     é",
    "",
]


def test_plain() -> None:
    assert list(plain_lines(PARTS)) == PLAIN


@pytest.mark.parametrize(
    "variables", [{}, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, {"TERM": "xterm"}]
)
def test_no_styles_elsewhere(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    file = io.StringIO()
    show(PARTS, file)
    assert file.getvalue().splitlines() == PLAIN


def styled(parts: list[Part]) -> str:
    file = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("NO_COLOR", raising=False)
        patch.setenv("FORCE_COLOR", "1")
        patch.setenv("TERM", "xterm-256color")
        show(parts, file)
    return file.getvalue()


def test_styles_change_no_text() -> None:
    assert "\x1b[1ma line" in styled(PARTS)
    assert STYLE.sub("", styled(PARTS)).splitlines() == PLAIN


@given(st.text(), st.text())
def test_no_text_leaves_its_line(text: str, note: str) -> None:
    parts: list[Part] = [Line(text), Table([Row((1, text), "red", [note])])]
    lines = list(plain_lines(parts))
    assert len(lines) == 3
    assert not any(CONTROL.search(line) for line in lines)
    assert STYLE.sub("", styled(parts)).split("\n")[:-1] == lines

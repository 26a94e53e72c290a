"""The pages of the documentation as programs: their commands, and the output that they show.

A page is README.md or a Markdown file in docs/. Its fenced blocks are run from top to bottom:

``console``
    Lines that begin with ``$ `` are commands of bash; a backslash continues one on the next line.
    The lines below a command are its output, standard error included. A line ``...`` stands for
    any number of lines. If there are no lines below a command, its output does not matter.
    A command must exit with 0, unless the page shows ``$ echo $?`` and the exit code next.
``pycon``
    Examples with ``>>> `` and the output below them.
``python``
    Statements without output.
any other, and ``python`` too, with ``title="FILE"``
    A file that the reader saves: it is written before the next command runs.

An HTML comment that begins with the word ``console`` holds commands that readers do not see, such
as one that makes the job that a reference page shows.

All commands of a page share one bash, and all its Python one interpreter, so variables and the
current folder last. They start in the reader's home, or in the reader's clone of this repository if
the page contains the comment ``<!-- run in a clone -->``. tests/test_cron.py runs ``crontab``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import unified_diff
from doctest import DocTestParser
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parent.parent
IN_A_CLONE = "<!-- run in a clone -->"
ELISION = "..."
PROMPT = "$ "
READERS_FOLDER = "/home/you"
# Words that begin the commands of this project's readers.
_COMMAND_LINE = re.compile(
    r"\s*(?:\$ .*|(?:sudo )?(?:[\w.~/-]*/)?(?:neighbourhood|scrapy|pip|python3?|git"
    r"|pytest|datasette|docker|podman|crontab|apt-get|mkdocs|sqlite3|jq|frictionless|systemctl)"
    r" +[-\w./'\"~@$].*)"
)
_HIDDEN_BLOCK = re.compile(r"<!-- console\n(.*\n)-->\s*", re.DOTALL)
_TITLE = re.compile(r'\btitle="([^"]+)"')
_TIME = r"\d{4}-\d\d-\d\d(?:[T ]\d\d[:-]?\d\d(?:[:-]?\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d[:-]?\d\d)?)?"
# Values that differ from run to run, by kind. A value matches any other of its kind.
_VARYING = {
    "time": _TIME,
    "clock": r"^\d\d:\d\d:\d\d(?= )",
    "rate": r"\d[\d.,]*(?= (?:pages|articles)/s\b)",
    "duration": r"\d[\d.]* (?:ms|s|min)\b",
    "size": r"\d[\d.,]* (?:[kMG]i?)?B\b",
    "uuid": r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
    "process": r"(?<=\bprocess )\d+(?: on \S+(?= since))?|(?<=\bprocess \[)\d+",
    # Which of several workers gets a page depends on the moment.
    "delivered": r"\d+ pages?(?= delivered)",
    "work": r"(?:(?<=\bworking)|(?<= UTC))(?: +[\d.,]+){3}$",
    # In a compressed file; libraries for compression differ.
    "offset": r"(?<=\boffset )\d+",
    "columns": r" {2,}",
}
_VARYING_VALUE = re.compile("|".join(f"(?P<{kind}>{form})" for kind, form in _VARYING.items()))
# How far a time that depends on that of the run may be from it: due dates are in the future.
_BEFORE, _AFTER = timedelta(days=2), timedelta(days=32)


@dataclass(frozen=True)
class Step:
    """Something that a page makes its reader do."""

    line: int
    """The number of its first line in the page, from 1."""
    text: str


@dataclass(frozen=True)
class Shown(Step):
    """A step with output."""

    output: tuple[str, ...]
    """The lines that the page shows, without the indentation of the block."""
    output_line: int
    """The number of the line of the page that ``output`` begins on, or would begin on."""
    indentation: str


class Command(Shown):
    """A command of bash."""


class Example(Shown):
    """A statement of Python."""


@dataclass(frozen=True)
class Saved(Step):
    """The text of a file that the reader saves."""

    name: str


@dataclass(frozen=True)
class Statements(Step):
    """Python without output."""


@dataclass(frozen=True)
class Page:
    path: Path
    steps: tuple[Step, ...]
    is_in_a_clone: bool
    crontab: tuple[str, ...]
    """The lines of its crontab blocks."""
    hidden: tuple[str, ...]
    """Commands in blocks that are not run, each as ``line: text``."""

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()


def page_paths() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def read_page(path: Path) -> Page:
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    steps: list[Step] = []
    crontab: list[str] = []
    hidden: list[str] = []
    for token in MarkdownIt().parse(text):
        if token.map is None:
            continue
        if token.type == "html_block" and (block := _HIDDEN_BLOCK.fullmatch(token.content)):
            steps += _commands(block[1].splitlines(), token.map[0] + 2, "")
        if token.type not in ("fence", "code_block"):
            continue
        info = token.info.split(maxsplit=1)[0] if token.info.strip() else ""
        first = token.map[0] + (2 if token.type == "fence" else 1)
        content = token.content.splitlines()
        fence = lines[token.map[0]]
        indentation = fence[: len(fence) - len(fence.lstrip())]
        if title := _TITLE.search(token.info):
            steps.append(Saved(first, token.content, title[1]))
        elif info == "console":
            steps += _commands(content, first, indentation)
        elif info == "pycon":
            steps += _examples(token.content, first, indentation)
        elif info == "python":
            steps.append(Statements(first, token.content))
        elif info == "crontab":
            crontab += content
        else:
            hidden += (
                f"{first + number}: {line.strip()}"
                for number, line in enumerate(content)
                if _COMMAND_LINE.fullmatch(line)
            )
    return Page(path, tuple(steps), IN_A_CLONE in text, tuple(crontab), tuple(hidden))


def _commands(lines: list[str], first: int, indentation: str) -> Iterator[Command]:
    """Return the commands of a block. Raises ValueError if it does not begin with one."""
    if not lines or not lines[0].startswith(PROMPT):
        raise ValueError(f"line {first}: a console block must begin with {PROMPT!r}")
    number = 0
    while number < len(lines):
        start = number
        while lines[number].endswith("\\") and number + 1 < len(lines):
            number += 1
        number += 1
        end = number
        while end < len(lines) and not lines[end].startswith(PROMPT):
            end += 1
        text = "\n".join(lines[start:number]).removeprefix(PROMPT)
        output = tuple(lines[number:end])
        yield Command(first + start, text, output, first + number, indentation)
        number = end


def _examples(text: str, first: int, indentation: str) -> Iterator[Example]:
    for example in DocTestParser().get_examples(text):
        output = tuple(example.want.splitlines())
        after = example.lineno + len(example.source.splitlines())
        yield Example(first + example.lineno, example.source, output, first + after, indentation)


class Comparison:
    """Compares the output of a run with that in a page.

    A value that differs from run to run, such as a duration, matches every other of its kind. A
    time does so only if it is near ``now``, when the run began: those of articles have to match.
    """

    def __init__(self, now: datetime, folder: Path) -> None:
        self._first, self._last = now - _BEFORE, now + _AFTER
        self._folder = str(folder)

    def for_readers(self, output: str) -> list[str]:
        """Return the lines of an output as a page shows them: with the reader's folder."""
        return [line.rstrip() for line in output.replace(self._folder, READERS_FOLDER).splitlines()]

    def difference(self, shown: tuple[str, ...], got: list[str]) -> str | None:
        """Return a diff from the output in the page to that of the run; None if they match."""
        if self._matches(shown, got):
            return None
        return "\n".join(unified_diff(shown, got, "in the page", "now", lineterm=""))

    def _matches(self, shown: tuple[str, ...], got: list[str]) -> bool:
        patterns = [self._pattern(line) for line in got]
        parts: list[list[str]] = [[]]
        for line in shown:
            if line == ELISION:
                parts.append([])
            else:
                parts[-1].append(line.rstrip())
        end = len(patterns) - len(parts[-1])
        if len(parts) == 1:
            return end == 0 and _fits(parts[0], patterns, 0)
        if not _fits(parts[0], patterns, 0) or not _fits(parts[-1], patterns, end):
            return False
        start = len(parts[0])
        for part in parts[1:-1]:
            while start <= end and not _fits(part, patterns, start):
                start += 1
            start += len(part)
        return start <= end

    def _pattern(self, line: str) -> re.Pattern[str]:
        """Return a pattern of the lines that say the same as this line of a run."""
        pieces, end = [], 0
        for value in _VARYING_VALUE.finditer(line):
            kind = str(value.lastgroup)
            if kind == "time" and not self._is_of_the_run(value[0]):
                continue
            pieces += [re.escape(line[end : value.start()]), f"(?:{_VARYING[kind]})"]
            end = value.end()
        return re.compile("".join(pieces) + re.escape(line[end:]))

    def _is_of_the_run(self, time: str) -> bool:
        try:
            day = datetime.fromisoformat(time[:10]).replace(tzinfo=UTC)
        except ValueError:
            return False
        return self._first <= day <= self._last


def _fits(lines: list[str], patterns: list[re.Pattern[str]], start: int) -> bool:
    """Whether these are the lines from ``start`` on."""
    found = patterns[start : start + len(lines)] if start >= 0 else []
    return len(found) == len(lines) and all(
        pattern.fullmatch(line) for pattern, line in zip(found, lines, strict=True)
    )

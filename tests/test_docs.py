"""Test that the commands of the documentation work, and that their output is the one shown."""

import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import ROOT
from doc_pages import Command, Comparison, Page, page_paths, read_page
from doc_runner import NOT_RUN, PortError, sandbox, uses_database
from services import require, skip

PAGES = {page.name: page for page in map(read_page, page_paths())}


RUN_BY_DEFAULT = ("README.md", "docs/tutorials/five-minutes.md")
"""The pages that a newcomer reads first."""


def services(page: Page) -> list[str]:
    """Return the services that a page uses and a machine may lack."""
    words = {word for step in page.steps if isinstance(step, Command) for word in step.text.split()}
    database = ["PostgreSQL"] if uses_database(page) else []
    spark = ["Spark"] if "spark-submit" in words else []
    return [*sorted(words & {"git", "jq", "sqlite3"}), *database, *spark]


# Some pages have twenty commands, each of which takes a second, or start Spark a few times.
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in RUN_BY_DEFAULT else [pytest.mark.slow])
        for name, page in PAGES.items()
        if page.steps
    ],
)
def test_the_commands_of_a_page(name: str, tmp_path: Path) -> None:
    page = PAGES[name]
    require(*services(page))
    try:
        with sandbox(page, tmp_path) as here:
            problems = [
                f"{name}:{result.step.line}: {result.step.text}\n{result.problem}"
                for result in here.run(page)
                if result.problem
            ]
    except PortError as error:
        skip(str(error))
    if problems:
        pytest.fail("\n\n".join(problems), pytrace=False)


@pytest.mark.parametrize("name", PAGES)
def test_no_command_is_hidden_from_this_test(name: str) -> None:
    """Commands belong into console blocks, which are run."""
    assert not PAGES[name].hidden


@pytest.mark.parametrize("entry", NOT_RUN, ids=lambda entry: entry.pattern)
def test_commands_that_are_not_run(entry: tuple[str, str, str]) -> None:
    """Each entry of the table is needed, and is tested elsewhere."""
    pattern, _, tested_by = entry
    commands = [
        step.text for page in PAGES.values() for step in page.steps if isinstance(step, Command)
    ]
    assert any(re.fullmatch(pattern, command) for command in commands)
    assert (ROOT / tested_by).exists()


BENCHMARKS = sorted(
    {
        step.text.replace("\\\n", " ")
        for page in PAGES.values()
        for step in page.steps
        if isinstance(step, Command) and step.text.startswith("python benchmarks/")
    }
)


@pytest.mark.parametrize("command", BENCHMARKS)
def test_benchmarks_have_the_options_that_are_shown(command: str) -> None:
    _, script, *words = shlex.split(command)
    line = [sys.executable, script, "--help"]
    shown = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [word for word in words if word.startswith("--") and word not in shown] == []


PAGE = """
<!-- console
$ cd folder-that-the-page-does-not-show || mkdir hidden
cd: folder-that-the-page-does-not-show: No such file or directory
-->

```text title="saved.txt"
one
two
```

```console
$ wc -l < saved.txt
2
$ wc -l < saved.txt
3
$ ls -d hidden
...
$ false
$ (exit 3)
$ echo $?
3
$ number=4; \\
    echo $number
4
$ python -c 'raise SystemExit("stopped")'
stopped
```

```pycon
>>> number = 5
>>> number
6
>>> number / 0
Traceback (most recent call last):
  ...
ZeroDivisionError: division by zero
```

```python
assert number == 5
assert number == 6
```

    pip install '.[test]' && pytest

```ini
ExecStart=/usr/bin/neighbourhood URL
```
"""


def test_problems_of_a_page_are_found(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text(PAGE, encoding="utf-8")
    page = read_page(path)
    with sandbox(page, tmp_path / "sandbox") as here:
        wrong = [result.step.text for result in here.run(page) if result.problem]
    assert wrong == [
        "cd folder-that-the-page-does-not-show || mkdir hidden",
        "wc -l < saved.txt",
        "false",
        "python -c 'raise SystemExit(\"stopped\")'",
        "number\n",
        "assert number == 5\nassert number == 6\n",
    ]
    assert [text.partition(": ")[2] for text in page.hidden] == ["pip install '.[test]' && pytest"]


NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("shown", "got", "matches"),
    [
        # Values of a run may differ, but only from others of their kind.
        ("21 fetched in 0.6 s, 34.6 pages/s", "21 fetched in 12 s, 1,034.0 pages/s", True),
        ("21 fetched in 0.6 s, 34.6 pages/s", "20 fetched in 0.6 s, 34.6 pages/s", False),
        ("next due: 2026-05-01 01:27:03 UTC", "next due: 2026-11-30 14:01:59 UTC", True),
        ("next due: tomorrow", "next due: 2026-11-30 14:01:59 UTC", False),
        ("ledger of 0.4 MB", "ledger of 380 kB", True),
        ("written: /home/you/a.jsonl", "written: /tmp/sandbox/a.jsonl", True),
        ("finished after 1 s  21 new", "finished after 10 s    21 new", True),
        # The time of an article is no time of the run.
        ("published 2026-05-01T18:05:00", "published 2026-05-02T18:05:00", False),
        ("pages 3", "pages 4", False),
        # Dots stand for lines, and for no part of a line.
        ("first\n...\nlast", "first\nsecond\nthird\nlast", True),
        ("first\n...\nlast", "first\nlast", True),
        ("first\n...\nlast", "first\nsecond\nlast\nmore", False),
        ("first\n...\nthird\n...", "first\nsecond\nthird", True),
        ("first\n...\nthird\n...", "first\nsecond\nfourth", False),
        ("...", "anything", True),
        ("first\n...\nfirst", "first", False),
        ("one", "one\ntwo", False),
    ],
)
def test_comparisons(shown: str, got: str, matches: bool) -> None:
    comparison = Comparison(NOW, Path("/tmp/sandbox"))
    difference = comparison.difference(tuple(shown.splitlines()), comparison.for_readers(got))
    assert (difference is None) is matches, difference

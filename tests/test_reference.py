"""The pages in docs/reference say what the code says."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import get_args

import pytest
from conftest import ROOT
from record_reference import FOLDER, PAGES, updated

from crawler import items
from crawler.crawl.stats import STATS_BY_TOPIC, is_known

STATS = [stat.name for stats in STATS_BY_TOPIC.values() for stat in stats]


@pytest.mark.parametrize("page", PAGES)
def test_generated_pages_are_up_to_date(page: str) -> None:
    text = (FOLDER / page).read_text(encoding="utf-8")
    assert text == updated(page), "run python tests/record_reference.py"


@pytest.mark.parametrize(
    ("meanings", "values"),
    [
        (items.ROLE_MEANINGS, items.LinkRole),
        (items.WHY_MEANINGS, items.Why),
        (items.REASON_MEANINGS, items.Reason),
    ],
)
def test_every_value_has_a_meaning(meanings: dict[str, str], values: object) -> None:
    assert tuple(meanings) == get_args(values)


def test_every_option_of_the_job_on_spark_is_described() -> None:
    line = [sys.executable, "crawler/spark/__init__.py", "--help"]
    shown = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    text = (FOLDER / "spark.md").read_text(encoding="utf-8")
    described = re.findall(r"^\| `(--[a-z-]+)", text, re.MULTILINE)
    assert {"--help", *described} == set(re.findall(r"^  .*(--[a-z-]+)", shown, re.MULTILINE))


def strings_of(tree: ast.AST) -> Iterator[str]:
    """Yield the strings of a module, and the beginnings of its f-strings, such as ``crawl/``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


MODULES = [
    set(strings_of(ast.parse(path.read_text(encoding="utf-8"))))
    for path in sorted((ROOT / "crawler").rglob("*.py"))
    if path.name != "stats.py"
]


@pytest.mark.parametrize("stat", STATS)
def test_every_stat_is_in_the_code(stat: str) -> None:
    """Crawls of the tests end if they set others (see known_stats)."""
    literal, _, _ = stat.partition("<")
    group, _, rest = literal.partition("/")
    assert any(literal in strings or {f"{group}/", rest} <= strings for strings in MODULES)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("failures/gone", True),
        ("robotstxt/response_status_count/200", True),
        ("articles/from/pages/2015.warc.gz", False),
        ("articles/newer", False),
        ("downloader/request_count", False),
    ],
)
def test_names_of_stats(name: str, known: bool) -> None:
    assert is_known(name) == known

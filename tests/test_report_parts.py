"""The parts of reports that need no browser: differences, the time line, words for codes."""

import re
from collections import Counter
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crawler import exit_codes
from crawler.items import Reason, Why
from crawler.record_differences import value_differences, word_differences
from crawler.report.timeline import time_line
from crawler.report.wording import REASONS, WHYS

WORDS = ["one ", "two ", "three", ".\n\n", "報道", "記者 ", "é\u0301", "\r"]
TEXTS = st.text() | st.lists(st.sampled_from(WORDS)).map("".join)


@given(TEXTS, TEXTS)
@example("", "x")
@example("x", "")
@example("\n\n\n\n", "\n\n")
@example("港で船が見つかった。", "港で大きな船が見つかった。")
@example("a " * 3000, "b " * 3000)
@example("a " * 2000, "a b " * 1000)  # without a limit, three minutes
def test_passages_make_up_both_texts(old: str, new: str) -> None:
    passages = word_differences(old, new)
    assert "".join(text for kind, text in passages if kind != "added") == old
    assert "".join(text for kind, text in passages if kind != "removed") == new
    assert all(text for _, text in passages)
    assert all(one.kind != other.kind for one, other in pairwise(passages))
    if old == new:
        assert [kind for kind, _ in passages] == ["kept"] * bool(old)


# Two values, and what differs between them: removed in [-…-], added in {+…+}.
DIFFERENCES = {
    "a word": ("The old ferry sails.", "The new ferry sails.", "The[- old-]{+ new+} ferry sails."),
    "a sentence": ("It sails.", "It sails. It returns.", "It sails.{+ It returns.+}"),
    "a full stop": ("It sails", "It sails.", "It sails{+.+}"),
    "a paragraph": ("One.\n\nTwo.", "One.\n\nNew.\n\nTwo.",
        "One.\n\n{+New.\n\n+}Two."),
    "Japanese": ("港で船が見つかった", "港で大きな船が見つかった", "港で{+大きな+}船が見つかった"),
    "nothing before": (None, "New", "{+New\n+}"),
    "a list": (["sea", "ferry"], ["sea", "storm"], "sea\n[-ferry\n-]{+storm\n+}"),
    "a tuple": (("sea",), ("sea", "storm"), "sea\n{+storm\n+}"),
    "a related item": (
        [{"position": 1, "id": "2"}], [{"position": 1, "id": "1"}, {"position": 2, "id": "2"}],
        "{+1\n+}2\n",
    ),
    "a number": (1, 2, "[-1\n-]{+2\n+}"),
}  # fmt: skip


@pytest.mark.parametrize("case", DIFFERENCES)
def test_differences(case: str) -> None:
    old, new, expected = DIFFERENCES[case]
    marks = {"kept": "{}", "removed": "[-{}-]", "added": "{{+{}+}}"}
    passages = value_differences(old, new)
    assert "".join(marks[kind].format(text) for kind, text in passages) == expected


DAYS = st.none() | st.dates().map(date.isoformat)
NEAR_DAYS = st.integers(0, 4000).map(lambda days: (date(2020, 1, 1) + timedelta(days)).isoformat())


@given(st.lists(st.tuples(DAYS | NEAR_DAYS, st.integers(0, 9))))
@example([("0001-01-01", 0), ("9999-12-31", 1)])
@example([("9999-12-31", 0)])
@example([("2024-02-29", 0), ("2024-05-31", 0), ("2024-12-31", 0)])
def test_the_time_line_loses_no_article(published: list[tuple[str | None, int]]) -> None:
    line = time_line(published)
    shown = sum((bar.counts for bar in line.bars), Counter())
    assert shown.total() + line.undated + line.earlier == len(published)
    assert line.undated == sum(day is None for day, _ in published)
    assert len(line.bars) <= 100
    assert line.highest == max((bar.counts.total() for bar in line.bars), default=0)
    for bar, following in pairwise(line.bars):
        assert bar.last + timedelta(days=1) == following.first
    for bar in line.bars:
        span = (str(bar.first), str(bar.last))
        of_bar = [number for day, number in published if day and span[0] <= day <= span[1]]
        assert bar.counts == Counter(of_bar)
        assert bar.label == str(bar.first)[: {"day": 10, "month": 7, "year": 4}[line.unit]]
    if line.bars:
        days = [day for day, _ in published if day]
        assert str(line.bars[-1].first) <= max(days) <= str(line.bars[-1].last)
        assert line.bars[0].counts.total() or line.earlier


def test_words_for_codes() -> None:
    assert list(WHYS) == list(get_args(Why))
    assert list(REASONS) == list(get_args(Reason))
    codes = [value for value in vars(exit_codes).values() if type(value) is int]
    assert sorted(exit_codes.MEANINGS) == sorted(codes)
    assert exit_codes.in_words(3).startswith("exit code 3: incomplete; ")


def test_every_colour_is_defined_for_both_schemes() -> None:
    folder = Path(exit_codes.__file__).parent / "report" / "static"
    for name in ("report.css", "graph.css"):
        text = (folder / name).read_text(encoding="utf-8")
        light, dark = text.split("@media screen and (prefers-color-scheme: dark)")
        colours = re.findall(r"(--[\w-]+): #", light)
        assert colours and colours == re.findall(r"(--[\w-]+): #", dark)

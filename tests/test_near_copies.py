"""Near copies: the texts that count as copies, in any script, and the ids that are reported."""

import random
import subprocess
import sys
from collections.abc import Callable, Mapping

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from jobs import article

from crawler.errors import CrawlerError
from crawler.export.near_copies import FEWEST_TOKENS, find, groups

LETTERS = "abcdefghijklmnopqrstuvwxyz"
HAN = "".join(map(chr, range(0x4E00, 0x5200)))
KANA = "".join(map(chr, range(0x3042, 0x3090)))
THAI = "".join(map(chr, range(0x0E01, 0x0E2F)))


def words(seed: str, count: int = 400) -> list[str]:
    """Return made-up words, others for each seed."""
    chosen = random.Random(seed)
    return ["".join(chosen.choices(LETTERS, k=chosen.randint(2, 9))) for _ in range(count)]


def copies_of(bodies: Mapping[str, str | None]) -> dict[str, tuple[str, ...]]:
    return dict(find(article(name, body=body) for name, body in bodies.items()))


def replaced(text: list[str], share: float) -> list[str]:
    chosen = random.Random("replaced")
    return [chosen.choice(LETTERS) if chosen.random() < share else word for word in text]


STORY, OTHER = words("story"), words("other")
COPIES: dict[str, list[str]] = {
    "the same": STORY,
    "a byline added": [*"By Ada Lindqvist Wire Service".split(), *STORY],
    "capital letters": [word.title() for word in STORY],
    "quotes and dashes": [f"“{word}”," if len(word) == 5 else f"{word} –" for word in STORY],
    "the last third cut": STORY[:270],
    "a third added": [*STORY, *OTHER[:130]],
    "quarters in another order": STORY[300:] + STORY[200:300] + STORY[100:200] + STORY[:100],
    "a tenth of the words replaced": replaced(STORY, 0.1),
}
NO_COPIES: dict[str, list[str]] = {
    "another story": OTHER,
    "half of each of two stories": STORY[:200] + OTHER[:200],
    "two paragraphs quoted": OTHER[:100] + STORY[:100] + OTHER[100:],
    "a short excerpt": STORY[:80],
    "half of the words replaced": replaced(STORY, 0.5),
    "the words in another order": sorted(STORY),
}


@pytest.mark.parametrize("kind", COPIES)
def test_copies_are_found(kind: str) -> None:
    found = copies_of({"a": " ".join(STORY), "b": " ".join(OTHER), "c": " ".join(COPIES[kind])})
    assert found == {"a": ("c",), "c": ("a",)}


@pytest.mark.parametrize("kind", NO_COPIES)
def test_other_texts_are_not(kind: str) -> None:
    assert copies_of({"a": " ".join(STORY), "c": " ".join(NO_COPIES[kind])}) == {}


@pytest.mark.parametrize("script", [HAN, HAN + KANA, THAI], ids=["zh", "ja", "th"])
def test_scripts_without_spaces(script: str) -> None:
    chosen = random.Random(script)
    story, other = ("".join(chosen.choices(script, k=600)) for _ in range(2))
    found = copies_of(
        {
            "a": story,
            "b": f"2026年5月1日、{story[:300]}。{story[300:]}",
            "c": other,
            "d": story[:300] + other[:300],
        }
    )
    assert found == {"a": ("b",), "b": ("a",)}


def test_short_texts_have_no_copies() -> None:
    short, long = " ".join(STORY[: FEWEST_TOKENS - 1]), " ".join(STORY[:FEWEST_TOKENS])
    assert copies_of({"a": short, "b": short, "c": None, "d": None}) == {}
    assert copies_of({"a": long, "b": long}) == {"a": ("b",), "b": ("a",)}


def test_boilerplate_makes_no_copies() -> None:
    boilerplate = words("boilerplate", 80)
    bodies = {str(n): " ".join((*words(f"story {n}", 120), *boilerplate)) for n in range(30)}
    assert copies_of(bodies) == {}


def test_copies_are_pairs_and_groups_are_transitive() -> None:
    """Of four quarters, each text shares three with the next one, and two with the one after."""
    quarters = [words(f"quarter {n}", 100) for n in range(6)]
    bodies = {
        name: " ".join(word for quarter in quarters[start : start + 4] for word in quarter)
        for start, name in enumerate("cab")
    }
    found = copies_of(bodies)
    assert found == {"c": ("a",), "a": ("b", "c"), "b": ("a",)}
    assert list(found) == ["c", "a", "b"]
    assert groups(found) == {"a": "a", "b": "a", "c": "a"}


def test_revisions_of_an_article_are_no_copies_of_it() -> None:
    body = " ".join(STORY)
    bodies = [article("a", body), article("a", f"{body} more"), article("b", body)]
    assert dict(find(bodies)) == {"a": ("b",), "b": ("a",)}


TOKENS = st.lists(st.sampled_from(words("vocabulary", 30)), min_size=FEWEST_TOKENS, max_size=90)


@given(
    texts=st.lists(TOKENS, min_size=2, max_size=6),
    change=st.sampled_from([str.upper, str.title, "«{}»".format]),
)
def test_the_relation_is_symmetric_and_reflexive(
    texts: list[list[str]], change: Callable[[str], str]
) -> None:
    bodies = {str(n): " ".join(text) for n, text in enumerate(texts)}
    bodies["same"] = " ".join(map(change, texts[0]))
    found = copies_of(bodies)
    assert "0" in found["same"]
    for name, others in found.items():
        assert name not in others and list(others) == sorted(others)
        assert all(name in found[other] for other in others)
    assert copies_of(dict(reversed(bodies.items()))) == found


@given(st.lists(st.text(), max_size=5))
def test_any_text_can_be_compared(bodies: list[str]) -> None:
    copies_of({str(n): body * 40 for n, body in enumerate(bodies)})


@pytest.mark.slow
def test_results_do_not_depend_on_hash_seeds() -> None:
    code = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from test_near_copies import *\n"
        "texts = {str(n): ' '.join(replaced(STORY, n / 25)) for n in range(12)}\n"
        "print(copies_of(texts))"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in "012"
    }
    assert len(printed) == 1


def test_without_rensa_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rensa", None)
    with pytest.raises(CrawlerError, match=r"pip install '\.\[near-copies\]'"):
        copies_of({})

"""The leaks in tests/leaks are read as their case files say.

A case is NAME.html or NAME.txt, and NAME.json with the related items in the page's dump. PHP's
var_dump wrote the dumps, which were then put into pages and damaged. ``also_accept`` lists other
answers that a reasonable reader could give. ``gaps.json`` is as in tests/pages.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from crawler.extraction import page
from crawler.extraction import publishers as sites

LEAKS = Path(__file__).parent / "leaks"
SITE = sites.load("alalam")
GAPS: dict[str, dict[str, str]] = json.loads((LEAKS / "gaps.json").read_text(encoding="utf-8"))
CASES = sorted(path.stem for path in LEAKS.glob("[0-9]*.json"))
KEYS = ("id", "title", "pic", "sort", "contenttypeid")


def is_accepted(
    items: list[dict[str, Any]] | None, complete: bool | None, truth: dict[str, Any]
) -> bool:
    if items == truth["related"] and complete == truth["complete"]:
        return True
    for other in truth.get("also_accept", []):
        if other.get("prefix"):
            expected = truth["related"] or []
            if (
                items is not None
                and len(items) >= other["min_items"]
                and items == expected[: len(items)]
                and complete == other["complete"]
            ):
                return True
        elif items == other["related"] and complete == other["complete"]:
            return True
    return False


def cases(field: str) -> list[Any]:
    return [
        pytest.param(
            case,
            marks=[pytest.mark.xfail(reason=gap, strict=True)]
            if (gap := GAPS.get(case, {}).get(field))
            else [],
            id=case,
        )
        for case in CASES
    ]


def parse_leak(case: str) -> tuple[page.ParsedPage, dict[str, Any]]:
    truth = json.loads((LEAKS / f"{case}.json").read_text(encoding="utf-8"))
    body = next(path for path in LEAKS.glob(f"{case}.*") if path.suffix != ".json").read_bytes()
    return page.parse(
        body, publisher=SITE, url=SITE.url_of("1"), charset=truth["http_charset"]
    ), truth


@pytest.mark.parametrize("case", cases("related"))
def test_related_items_of_a_leak(case: str) -> None:
    parsed, truth = parse_leak(case)
    related = parsed.related
    items = (
        None
        if related is None
        else [
            dict(zip(KEYS, (i.id, i.title, i.picture, i.sort, i.content_type), strict=True))
            for i in related.items
        ]
    )
    assert is_accepted(items, related.complete if related else None, truth), items


@pytest.mark.parametrize("case", cases("body"))
def test_the_leak_is_not_part_of_the_article(case: str) -> None:
    parsed, truth = parse_leak(case)
    assert parsed.headline is not None
    assert parsed.headline.value == truth["headline"]
    assert list(parsed.body) == truth["body"]

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
from crawler.extraction.related import related_items

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


SAVED = LEAKS / "saved"
SAVED_PAGES: dict[str, dict[str, Any]] = json.loads((SAVED / "expected.json").read_text("utf-8"))


@pytest.mark.parametrize("article_id", SAVED_PAGES)
def test_related_items_of_a_saved_text(article_id: str) -> None:
    truth = SAVED_PAGES[article_id]
    parsed = page.parse(
        (SAVED / f"{article_id}.txt").read_bytes(), publisher=SITE, url=SITE.url_of(article_id)
    )
    assert parsed.related is not None
    items = related_items(parsed, SITE) or ()
    assert (len(items), parsed.related.complete) == (truth["related"], truth["complete"])
    assert items[0].id == truth.get("first_id", items[0].id)
    assert [item.headline for item in items] == truth.get("titles", [i.headline for i in items])


def related_of(dump: str) -> list[tuple[str | None, ...]] | None:
    related = page.parse(f"A headline\n\n{dump}".encode(), publisher=SITE, is_text=True).related
    return related and [
        (item.id, item.title, item.picture, item.sort, item.content_type) for item in related.items
    ]


CUT = '[{"id":"7","sort":"9","contenttypeid":"21","pic":"/a.jpg","title":"Port "City", again"} ,'


@pytest.mark.parametrize(
    ("cut", "last"),
    [
        ('{"id":"8","sort":"10","contenttypeid":"5","pic":"/b.jpg","title":"Quay "and", "cr',
         ("8", None, "/b.jpg", "10", "5")),
        ('{"title":"Quay "and" crane","id":"8","pic":"/b.j',
         ("8", 'Quay "and" crane', None, None, None)),
        ('{"id":"8","sort":"10"', ("8", None, None, "10", None)),
        ('{"id":"8"', ("8", None, None, None, None)),
        ('{"id":8,"sort":10', ("8", None, None, None, None)),
        # Half an id is none, and other objects are no items.
        ('{"id":"8', None),
        ('{"id":8', None),
        ('{"id":"8","name":"Men', None),
        ("{", None),
        ("", None),
    ],
)  # fmt: skip
def test_the_last_item_of_a_cut_list(cut: str, last: tuple[str | None, ...] | None) -> None:
    first = ("7", 'Port "City", again', "/a.jpg", "9", "21")
    assert related_of(f'string(999) "{CUT}{cut}') == [first] + [last] * (last is not None)


def test_titles_with_quotes_at_both_ends() -> None:
    dump = (
        '[{"id":"7","pic":"/a.jpg","title":""Quay hope""} ,{"title":""","id":"8","pic":"/b.jpg"} ]'
    )
    assert related_of(f'string({len(dump)}) "{dump}"') == [
        ("7", '"Quay hope"', "/a.jpg", None, None),
        ("8", '"', "/b.jpg", None, None),
    ]


@pytest.mark.parametrize(
    ("cut", "items"),
    [
        ('["sort"]=>\n    string(2) "9', [("7", None, None, None, None)]),
        ('["pic"]=>\n    string(6) "/a.jpg"\n', [("7", None, "/a.jpg", None, None)]),
        ('["name"]=>\n    string(4) "Menu"\n', None),
    ],
)
def test_an_array_that_is_cut_in_its_first_item(
    cut: str, items: list[tuple[str | None, ...]] | None
) -> None:
    head = 'array(3) {\n  [0]=>\n  array(5) {\n    ["id"]=>\n    string(1) "7"\n    '
    assert related_of(head + cut) == items

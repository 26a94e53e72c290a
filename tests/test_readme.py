"""README.md: short, and true about the record that it shows."""

import json
import re
from pathlib import Path
from typing import Any

from conftest import ROOT, SITE, Crawl

README = ROOT / "README.md"
TUTORIALS = ROOT / "docs" / "tutorials"


def holds(record: Any, shown: Any) -> bool:
    """Return whether a record has all that is shown of it: some fields, the first of a list."""
    if isinstance(shown, dict):
        return all(name in record and holds(record[name], shown[name]) for name in shown)
    if isinstance(shown, list):
        return len(shown) <= len(record) and all(map(holds, record, shown))
    return bool(record == shown)


def test_the_record_is_one_of_the_sample_site(crawl: Crawl) -> None:
    block = re.search(r"```json\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert block
    shown = json.loads(block[1])
    run = crawl(seed=shown["id"], source=SITE, depth=0)
    assert holds(run.articles[shown["id"]], shown)
    assert not holds(run.articles[shown["id"]], {"headline": "another"})


def test_it_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) < 150


def test_each_tutorial_is_one_click_away() -> None:
    links = re.findall(r"\]\((docs/tutorials/[^)#]*)", README.read_text(encoding="utf-8"))
    pages = {page for page in TUTORIALS.glob("*.md") if page.name != "index.md"}
    assert len(pages) >= 5
    assert {ROOT / link for link in links} == pages


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub and MkDocs give the headings of a page."""
    titles = re.findall(r"^#+ (.*)", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles}


def test_its_links_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:)([^)]*)", README.read_text(encoding="utf-8"))
    for link in links:
        name, _, anchor = link.partition("#")
        assert Path(ROOT, name).exists(), link
        assert not anchor or anchor in anchors(ROOT / name), link

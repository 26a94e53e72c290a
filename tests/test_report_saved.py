"""The report of a crawl of tests/site: its numbers are those of the feeds and of the job."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import forks
import pytest
from conftest import PATIENCE, SEED, SITE, environment, read_records
from report_pages import open_everything, opened

from crawler.report.wording import WHYS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SOURCES = {"run": [], "job": ["-s", "JOBDIR=job"], "feeds": ["output/latest"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the feeds of a crawl, and its reports by the names of SOURCES."""
    folder = tmp_path_factory.mktemp("saved")
    lines = [["crawl", "articles", f"-aseed={SEED}", f"-asource={SITE}", "-sJOBDIR=job"]]
    lines[0] += ["-areport=run.html", "-o", "all.jsonl"]
    lines += [["report", *words, "-o", f"{name}.html"] for name, words in SOURCES.items() if words]
    for line in lines:
        run = forks.run(line, folder, environment(), PATIENCE)
        assert run.returncode == 0, run.stderr
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES)
def test_the_numbers(browser: "Browser", folder: Path, source: str) -> None:
    records = read_records(folder / "all.jsonl")
    articles = {one["id"]: one for one in records if one["kind"] == "article"}
    teasers = {one["id"]: one for one in records if one["kind"] == "teaser"}
    links = {
        (one["id"], link["id"], link["role"])
        for one in articles.values()
        for link in one["links"]
        if link["id"] in articles | teasers and link["id"] != one["id"]
        and link["role"] in ("related", "text", "translation")
    }  # fmt: skip
    with opened(browser, folder / f"{source}.html") as page:
        open_everything(page)
        assert page.locator(".lede").inner_text().startswith(f"{len(articles)} articles of alalam")
        terms = page.locator("#balance .term").all_inner_texts()
        assert [term.split("\n")[0] for term in terms] == [
            "30 discovered",
            "= 21 articles",
            "+ 9 teasers",
            "+ 0 failures",
        ]
        assert (len(articles), len(teasers)) == (21, 9)
        for row in page.locator("#table tbody").all():
            headline = row.locator(".headline").inner_text()
            [one] = [each for each in articles.values() if each["headline_raw"] == headline]
            cells = row.locator("td[data-label]").all_inner_texts()
            linked = len({link for link in links if link[1] == one["id"]})
            assert cells[1:] == [str(one["depth"]), str(linked), str(one["revision"])]
            assert cells[0][:10] == (one["published_at"] or "")[:10]
        groups = page.locator("#unfetched summary").all_inner_texts()
        whys = Counter(one["why"] for one in teasers.values())
        assert groups == [
            f"… {WHYS[why]}: {count} teaser, {why}"  # type: ignore[index]
            for why, count in whys.most_common()
        ]
        graph: dict[str, Any] = json.loads(page.locator("#graph-data").text_content() or "")
    assert set(graph["id"]) == {*articles, *teasers}
    assert Counter(graph["kind"]) == {"article": 21, "teaser": 9}
    drawn = {
        (graph["id"][pairs[at]], graph["id"][pairs[at + 1]], role)
        for role, pairs in graph["links"].items()
        for at in range(0, len(pairs), 2)
    }
    assert drawn == links


@pytest.mark.slow
@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_record(browser: "Browser", folder: Path, scripts: bool) -> None:
    """Each field that has a value stands beside the place where it was read."""
    [seed] = [one for one in read_records(folder / "all.jsonl") if one["id"] == SEED]
    with opened(browser, folder / "run.html", scripts=scripts) as page:
        if scripts:
            page.locator("#a1 .headline").click()
        fields = {
            field.locator("dt").inner_text(): field.locator("dd").all_inner_texts()
            for field in page.locator("#a1 .fields > div").all()
        }
        tools = page.locator("#a1 .tools a").first.get_attribute("href")
    assert tools == seed["url"]
    assert fields["Headline"] == [seed["headline"], seed["provenance"]["headline"]["where"]]
    text, where = fields["Text"]
    assert re.sub(r"\s+", " ", text) == re.sub(r"\s+", " ", seed["body"])
    assert where == seed["provenance"]["body"]["where"]
    related, _ = fields["Related items"]
    assert [line.split(" picture")[0].removesuffix(" video") for line in related.splitlines()] == [
        item["headline_raw"] for item in seed["related"]
    ]
    for name, place in seed["provenance"].items():
        if place["assumed"] and seed[name] not in (None, []):
            assert any(f"assumed: {place['assumed']}" in where for *_, where in fields.values())
    assert "modified_at" in seed["missing"] and "Modified" not in fields

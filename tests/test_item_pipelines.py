"""The user's own item pipelines in a crawl with a job."""

import json
from pathlib import Path

import pytest
from conftest import SEED, SITE, Crawl
from job_crawls import ALWAYS_DUE, LISTED_ID
from server import NewsServer

PIPELINE = """
from dataclasses import replace
from scrapy.exceptions import DropItem

class Mine:
    def process_item(self, item):
        if item.kind == "article" and item.id == "1751821":
            raise DropItem("not that one")
        return replace(item, credit="me") if item.kind == "article" else item
"""


def test_the_users_own_item_pipelines(
    job: Crawl, server: NewsServer, tmp_path: Path, scrapy: Crawl
) -> None:
    (tmp_path / "mine.py").write_text(PIPELINE, encoding="utf-8")
    settings = {"ITEM_PIPELINES": '{"mine.Mine": 300}'}
    run = job(settings=settings)
    assert run.exit_code == 3
    assert (
        run.balance
        == "discovered 24 = articles 6 + teasers 16 + failures 1 + pending 0 + dropped 1"
    )
    assert {record["credit"] for record in run.articles.values()} == {"me"}
    server.requests.clear()
    assert job(settings=settings).exit_code == 0
    assert server.requests == []
    assert (
        "fetched, but dropped by an item pipeline"
        in scrapy("why", LISTED_ID, "-s", "JOBDIR=job").stdout
    )


@pytest.mark.slow
def test_an_item_pipeline_that_returns_other_items(
    job: Crawl, server: NewsServer, tmp_path: Path
) -> None:
    text = (
        "class Mine:\n    def process_item(self, item):\n"
        "        return {'of': item.kind, 'headline': item.headline}\n"
    )
    (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    settings = {"ITEM_PIPELINES": '{"mine.Mine": 300}', **ALWAYS_DUE}
    for _ in range(2):
        server.requests.clear()
        run = job("-O", "mine.jsonl", settings=settings)
        assert run.exit_code == 0
        assert run.balance == "discovered 24 = articles 7 + teasers 16 + failures 1 + pending 0"
        # A teaser stays a teaser, whatever the pipeline makes of it.
        assert len(server.requested_ids) == 8
    lines = [
        json.loads(line)
        for line in (tmp_path / "mine.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert {
        "of": "article",
        "headline": "Syrian Army Troops, Popular Forces Advancing in Aleppo",
    } in lines


@pytest.mark.slow
def test_an_item_pipeline_that_returns_what_json_cannot_hold(scrapy: Crawl, tmp_path: Path) -> None:
    text = (
        "class Mine:\n    def process_item(self, item):\n"
        "        return {'id': item.id, 'x': object()} if item.id == '1751821' else item\n"
    )
    (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    line = [*("crawl", "articles", "-a", f"seed={SEED}", "-a", f"source={SITE}", "-a", "depth=1")]
    line += ["-s", "JOBDIR=job", "-s", 'ITEM_PIPELINES={"mine.Mine": 300}']
    run = scrapy(*line)
    assert (run.exit_code, run.balance) == (
        3,
        "discovered 24 = articles 6 + teasers 17 + failures 0 + pending 0 + dropped 1",
    )

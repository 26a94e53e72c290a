"""Test Scrapy's own commands on this project."""

import json
from pathlib import Path

import jsonschema_rs
import pytest
from conftest import ROOT, SITE, Crawl


def test_list(scrapy: Crawl) -> None:
    run = scrapy("list")
    assert (run.exit_code, run.stdout) == (0, "articles\n")


@pytest.mark.slow
def test_check_runs_offline(scrapy: Crawl) -> None:
    run = scrapy("check", cwd=ROOT)
    assert run.exit_code == 0, run.stderr
    assert "Ran 3 contracts" in run.stderr
    assert run.stderr.rstrip().endswith("OK")


def test_parse(scrapy: Crawl, tmp_path: Path) -> None:
    run = scrapy(
        "parse", "--spider=articles", "--pipelines", "--nocolour", (SITE / "1752038.html").as_uri()
    )
    assert run.exit_code == 0
    assert "'value': 'Syrian Army: Operations" in run.stdout
    assert "<GET http://en.alalam.ir/news/1751821>" in run.stdout
    assert not (tmp_path / "output").exists()


@pytest.mark.slow
def test_shell(scrapy: Crawl, tmp_path: Path) -> None:
    run = scrapy("shell", "--nolog", "-c", "response.css('h1::text').get()", SITE / "1752038.html")
    assert run.exit_code == 0
    assert "Syrian Army: Operations Continue Successfully" in run.stdout
    assert not (tmp_path / "output").exists()


def test_schema(scrapy: Crawl) -> None:
    every = json.loads(scrapy("schema").stdout)
    assert set(every) == {"article", "teaser", "failure"}
    for kind, schema in every.items():
        jsonschema_rs.meta.validate(schema)
        assert json.loads(scrapy("schema", kind).stdout) == schema
    unknown = scrapy("schema", "artikel")
    assert unknown.exit_code == 2
    assert "artikel" in unknown.stderr

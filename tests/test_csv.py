"""Test that CSV feeds are safe in a spreadsheet, and can be read back with csv and json."""

import csv
import io
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import IMPATIENT, SITE, Crawl, command, environment
from rendered import PLAIN, SEED
from server import NewsServer

from crawler.feeds.spreadsheet import SafeCsvExporter

NESTED = ("changed", "media", "related", "missing", "provenance")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def cell_of(value: Any) -> str:
    """Return the expected cell for a value of a record."""
    if value is None:
        return ""
    if isinstance(value, (bool, list, dict)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def test_articles_are_read_back_whole(crawl: Crawl, tmp_path: Path) -> None:
    articles = {"item_classes": ["crawler.items.Article"]}
    rest = {"item_classes": ["crawler.items.Teaser", "crawler.items.Failure"]}
    feeds = {
        str(tmp_path / "articles.csv"): {"format": "csv", **articles},
        "output/articles.jsonl": {"format": "jsonlines", **articles},
        "output/rest.jsonl": {"format": "jsonlines", **rest},
    }
    run = crawl(seed=SEED, source=SITE, settings={"FEEDS": json.dumps(feeds)})
    rows = {row["id"]: row for row in rows_of(tmp_path / "articles.csv")}
    assert set(rows) == set(run.articles)
    for article_id, record in run.articles.items():
        assert rows[article_id] == {name: cell_of(value) for name, value in record.items()}
        assert {name: json.loads(rows[article_id][name] or "null") for name in NESTED} == {
            name: record[name] for name in NESTED
        }


@pytest.mark.slow
@pytest.mark.parametrize("job", [False, True])
def test_formulas_of_a_site_are_escaped(
    live: Crawl, server: NewsServer, tmp_path: Path, job: bool
) -> None:
    formula = '=HYPERLINK("http://evil.example","Read on")'
    headline = PLAIN.partition("<h1>")[2].partition("</h1>")[0]
    server.pages[f"/news/{SEED}"] = PLAIN.replace(headline, formula).encode()
    settings: dict[str, object] = {"JOBDIR": tmp_path / "job"} if job else {}
    file = tmp_path / "all.csv"
    live("-O", file, seed=SEED, depth=0, settings=settings)
    row = next(row for row in rows_of(file) if row["id"] == SEED)
    assert row["headline"] == "'" + formula
    live("-O", file, seed=SEED, depth=0, settings={"CSV_ESCAPE_FORMULAS": 0})
    row = next(row for row in rows_of(file) if row["id"] == SEED)
    assert row["headline"] == formula


CELLS: list[tuple[Any, str]] = [
    ("=1+1", "'=1+1"),
    ("+1", "'+1"),
    ("-5", "'-5"),
    ("@SUM(A1)", "'@SUM(A1)"),
    ("\t=1", "'\t=1"),
    ("\r=1", "'\r=1"),
    ("\ttext", "'\ttext"),
    ("  =1", "'  =1"),
    ("＝1", "'＝1"),
    (b"=1", "'=1"),
    ("a=1", "a=1"),
    ("", ""),
    (None, ""),
    (-5, "-5"),
    (-0.5, "-0.5"),
    (True, "true"),
    (["=1", "b,c"], '["=1", "b,c"]'),
    ([], "[]"),
    ({"a": [1, None]}, '{"a": [1, null]}'),
    (("é",), '["é"]'),
]


@pytest.mark.parametrize(("value", "cell"), CELLS)
def test_cells(value: Any, cell: str) -> None:
    file = io.BytesIO()
    exporter = SafeCsvExporter(file)
    exporter.start_exporting()
    exporter.export_item({"=name": value})
    exporter.finish_exporting()
    rows = list(csv.reader(io.StringIO(file.getvalue().decode(), newline="")))
    assert rows == [["'=name"], [cell]]


SPIDER = """
import scrapy
from dataclasses import dataclass


@dataclass
class Part:
    name: str


class Thing(scrapy.Item):
    title = scrapy.Field()
    tags = scrapy.Field(serializer=lambda tags: "=" + "|".join(tags))
    parts = scrapy.Field()
    inner = scrapy.Field()


class Things(scrapy.Spider):
    name = "things"

    async def start(self):
        yield Thing(title="@t", tags=["a", "b"], parts=[Part("p")], inner=Thing(title="x"))
"""


@pytest.mark.slow
def test_items_of_other_spiders(tmp_path: Path) -> None:
    (tmp_path / "things.py").write_text(SPIDER, encoding="utf-8")
    line = [sys.executable, "-m", "scrapy", "runspider", "things.py", "-O", "things.csv"]
    subprocess.run(line, cwd=tmp_path, env=environment(), check=True, capture_output=True)
    assert rows_of(tmp_path / "things.csv") == [
        {
            "title": "'@t",
            "tags": "'=a|b",
            "parts": '[{"name": "p"}]',
            "inner": '{"title": "x"}',
        }
    ]


@pytest.mark.slow
def test_a_file_that_is_appended_to_has_one_header_row(crawl: Crawl, tmp_path: Path) -> None:
    for _ in range(2):
        assert crawl("-o", "all.csv", seed="1752038", source=SITE).exit_code == 0
    rows = rows_of(tmp_path / "all.csv")
    assert len(rows) == 60
    assert {row["kind"] for row in rows} == {"article", "teaser"}


@pytest.mark.slow
def test_a_file_with_other_columns_is_left_alone(crawl: Crawl, tmp_path: Path) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_text("name,price\r\nbread,3\r\n", encoding="utf-8")
    run = crawl("-o", mine, seed="1752038", source=SITE)
    assert mine.read_text(encoding="utf-8") == "name,price\nbread,3\n"
    assert "it has different columns; name another file" in run.stdout
    assert run.exit_code == 4
    [part] = tmp_path.glob("mine.csv.*.part")
    assert len(rows_of(part)) == 30


@pytest.mark.slow
@pytest.mark.parametrize("point", ["feed parts joined", "feed in its place"])
def test_a_killed_run_is_not_appended_twice(
    crawl: Crawl, server: NewsServer, tmp_path: Path, point: str
) -> None:
    words = ["-a", f"seed={SEED}", "-a", f"base_url={server.url}", "-o", "all.csv"]
    words += [part for name, value in IMPATIENT.items() for part in ("-s", f"{name}={value}")]
    words += ["-s", "JOBDIR=job", "-s", "FEEDS={}"]
    (tmp_path / "all.csv").write_text("kind,id\r\nteaser,1\r\n", encoding="utf-8", newline="")
    words += ["-s", "FEED_EXPORT_FIELDS=kind,id"]
    result = subprocess.run(
        command("crawl", "articles", *words),
        cwd=tmp_path,
        env={**environment(), "CRAWLER_KILL_AT": point},
        capture_output=True,
        check=False,
    )
    assert result.returncode == -signal.SIGKILL
    again = crawl(*words)
    assert again.exit_code == 0, again.stderr
    ids = [row["id"] for row in rows_of(tmp_path / "all.csv")]
    assert len(ids) == len(set(ids)) == 31

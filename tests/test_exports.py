"""Exports of a crawl of tests/site, read back with the tools that users open them with."""

import csv
import json
import shutil
import sqlite3
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import duckdb
import feedparser
import forks
import msgspec
import networkx
import pandas
import polars
import pytest
from conftest import PATIENCE, SEED, SITE, Crawl, environment, free_port, read_records
from pyld import jsonld
from test_json_ld_export import SCHEMA, without_network

from crawler.export.formats import FORMATS, Format

SOURCES = {"job": ["-s", "JOBDIR=job"], "feed": ["all.jsonl"]}
Rows = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a job and the feed of its only run."""
    folder = tmp_path_factory.mktemp("crawled")
    words = ["crawl", "articles", "-a", f"seed={SEED}", "-a", f"source={SITE}"]
    words += [*SOURCES["job"], "-o", "all.jsonl"]
    run = forks.run(words, folder, environment(), PATIENCE)
    assert run.returncode == 0, run.stderr
    return folder


def of_kind(folder: Path, kind: str) -> list[dict[str, Any]]:
    return [record for record in read_records(folder / "all.jsonl") if record["kind"] == kind]


def links_of(folder: Path) -> Rows:
    """Return source, target and role of the links that the articles' lists make."""
    return [
        (record["id"], item["id"], "related")
        for record in of_kind(folder, "article")
        for item in record["related"] or ()
    ]


def with_csv(path: Path, columns: list[str]) -> Rows:
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8", newline="") as file:
        return [tuple(row[name] for name in columns) for row in csv.DictReader(file)]


def with_pandas_csv(path: Path, columns: list[str]) -> Rows:
    frame = pandas.read_csv(path, dtype=str, keep_default_na=False)
    return list(frame[columns].itertuples(index=False, name=None))


def with_polars_csv(path: Path, columns: list[str]) -> Rows:
    frame = polars.read_csv(path, infer_schema=False)
    return frame.select(columns).rows()


def with_duckdb_csv(path: Path, columns: list[str]) -> Rows:
    # It guesses the dialect, and takes lines of at most 2 MB, unless told otherwise.
    options = """all_varchar=true, delim=',', quote='"', escape='"', max_line_size=100000000"""
    return duckdb.sql(
        f"SELECT {', '.join(columns)} FROM read_csv('{path}', header=true, {options})"
    ).fetchall()


def with_pandas_parquet(path: Path, columns: list[str]) -> Rows:
    return list(pandas.read_parquet(path)[columns].itertuples(index=False, name=None))


def with_polars_parquet(path: Path, columns: list[str]) -> Rows:
    return polars.read_parquet(path).select(columns).rows()


def with_duckdb_parquet(path: Path, columns: list[str]) -> Rows:
    return duckdb.sql(f"SELECT {', '.join(columns)} FROM '{path}'").fetchall()


READERS: dict[str, tuple[str, Callable[[Path, list[str]], Rows]]] = {
    "csv": ("csv", with_csv),
    "csv, pandas": ("csv", with_pandas_csv),
    "csv, polars": ("csv", with_polars_csv),
    "csv, DuckDB": ("csv", with_duckdb_csv),
    "parquet, pandas": ("parquet", with_pandas_parquet),
    "parquet, polars": ("parquet", with_polars_parquet),
    "parquet, DuckDB": ("parquet", with_duckdb_parquet),
}


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("reader", READERS)
def test_a_folder_of_tables(
    scrapy: Crawl, crawled: Path, tmp_path: Path, source: str, reader: str
) -> None:
    name, read = READERS[reader]
    output = f"{tmp_path}/tables/"
    run = scrapy("export", *SOURCES[source], "--format", name, "-o", output, cwd=crawled)
    assert run.exit_code == 0, run.stderr
    articles, links = of_kind(crawled, "article"), links_of(crawled)
    media = [(a["id"], m["url"]) for a in articles for m in a["media"] or ()]
    assert len(articles) == 21 and len(links) > 100 and len(media) > 10
    assert f"21 articles, {len(links)} links, {len(media)} media in " in run.stderr
    table = tmp_path / "tables"
    assert read(table / f"articles.{name}", ["id", "headline", "body"]) == [
        (a["id"], a["headline"], a["body"]) for a in articles
    ]
    # A job lists its links by page.
    assert sorted(read(table / f"links.{name}", ["Source", "Target", "Role"])) == sorted(links)
    assert read(table / f"media.{name}", ["article_id", "url"]) == media
    related = [value for (value,) in read(table / f"articles.{name}", ["related"])]
    counts = [len(json.loads(value) if name == "csv" else value) for value in related]
    assert counts == [len(a["related"]) for a in articles]


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("output", ["tables/", "x.csv", "x.parquet", "pq/"])
def test_frictionless(
    scrapy: Crawl, crawled: Path, tmp_path: Path, source: str, output: str
) -> None:
    chosen = ["--format", "parquet"] if output == "pq/" else []
    run = scrapy("export", *SOURCES[source], *chosen, "-o", f"{tmp_path}/{output}", cwd=crawled)
    assert run.exit_code == 0, run.stderr
    [descriptor] = tmp_path.rglob("*datapackage.json")
    described = json.loads(descriptor.read_text(encoding="utf-8"))
    for resource in described["resources"]:
        for column in resource["schema"]["fields"]:
            assert column["description"]
    assert validate(descriptor) == (0, "")
    # A table that differs from its description is noticed.
    fields = described["resources"][0]["schema"]["fields"]
    next(field for field in fields if field["name"] == "status")["constraints"]["maximum"] = 199
    descriptor.write_text(json.dumps(described), encoding="utf-8")
    code, found = validate(descriptor)
    assert (code, "constraint" in found.lower()) == (1, True)


def validate(descriptor: Path) -> tuple[int, str]:
    """Return the exit code of ``frictionless validate``, and its messages about errors."""
    run = subprocess.run(
        [sys.executable, "-m", "frictionless", "validate", descriptor.name, "--json"],
        cwd=descriptor.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    report = json.loads(run.stdout)
    errors = report["errors"] + [e for task in report["tasks"] for e in task["errors"]]
    return run.returncode, "\n".join(error["message"] for error in errors)


@pytest.mark.slow
@pytest.mark.parametrize("output", ["x.jsonl", "tables/", "x.sqlite"])
def test_records_of_a_job_that_cannot_be_read(
    scrapy: Crawl, crawled: Path, tmp_path: Path, output: str
) -> None:
    shutil.copytree(crawled / "job", tmp_path / "job")
    damaged, foreign, *_ = (record["id"] for record in of_kind(crawled, "article"))
    pipelines = msgspec.json.encode({"id": foreign, "kind": "article", "headline": ["a list"]})
    with closing(sqlite3.connect(tmp_path / "job" / "ledger.sqlite")) as ledger, ledger:
        ledger.execute("UPDATE records SET json = substr(json, 1, 300) WHERE id = ?", (damaged,))
        ledger.execute(
            "UPDATE records SET json = ?, crc = ? WHERE id = ?",
            (pipelines, zlib.crc32(pipelines), foreign),
        )
        # With aliases, the records are read to replace those in their links.
        ledger.execute("INSERT INTO aliases (alias, id) VALUES ('an alias', ?)", (damaged,))
    run = scrapy("export", "-s", "JOBDIR=job", "-o", output)
    assert run.exit_code == 1
    assert f"left out {damaged}: record 1 (article {damaged}) does not match" in run.stderr
    if output == "x.jsonl":
        # Whatever an item pipeline has stored is JSON.
        assert run.stderr.endswith("scrapy export: 1 record left out\n")
        return
    assert f"left out {foreign}: not a record: " in run.stderr
    assert "19 articles" in run.stderr
    if output == "tables/":
        assert validate(tmp_path / "tables" / "datapackage.json") == (0, "")
        return
    with closing(sqlite3.connect(tmp_path / output)) as database:
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []


def test_types_in_parquet(scrapy: Crawl, crawled: Path, tmp_path: Path) -> None:
    file = tmp_path / "x.parquet"
    assert scrapy("export", "all.jsonl", "-o", file, cwd=crawled).exit_code == 0
    types = polars.read_parquet_schema(file)
    assert types["id"] == types["published_at"] == polars.String
    assert types["depth"] == polars.Int64
    assert types["related_complete"] == polars.Boolean
    instant = polars.Datetime("us", "UTC")
    assert types["fetched_at"] == types["published_at_utc"] == instant
    assert types["aliases"] == polars.List(polars.String)
    assert isinstance(types["media"], polars.List)
    [(where,)] = duckdb.sql(
        f"SELECT provenance['headline'].where FROM '{file}' WHERE id = '{SEED}'"
    ).fetchall()
    assert where == "h1"
    [(earliest,)] = duckdb.sql(
        f"SELECT strftime(min(published_at_utc) AT TIME ZONE 'UTC', '%Y-%m') FROM '{file}'"
    ).fetchall()
    assert earliest.startswith("2015-")


@contextmanager
def datasette(database: Path) -> Iterator[Callable[..., Any]]:
    """Serve a database with its metadata; yields a function that gets a page of it."""
    port = free_port()
    line = [sys.executable, "-m", "datasette", database.name, "-p", str(port)]
    line += ["-m", f"{database.stem}.metadata.json"]
    with (database.parent / "log").open("wb") as log:
        server = subprocess.Popen(line, cwd=database.parent, stdout=log, stderr=log)

    def get(path: str, **query: str) -> Any:
        address = f"http://127.0.0.1:{port}{path}?{urlencode(query)}"
        with urlopen(address, timeout=PATIENCE) as answer:
            page = answer.read().decode()
        return json.loads(page) if path.endswith(".json") else page

    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                get("/-/versions.json")
                break
            except URLError:
                assert time.monotonic() < deadline and server.poll() is None
                time.sleep(0.05)
        yield get
    finally:
        server.terminate()
        server.wait()


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("source", SOURCES)
def test_datasette(scrapy: Crawl, crawled: Path, tmp_path: Path, source: str) -> None:
    file = tmp_path / "corpus.sqlite"
    run = scrapy("export", *SOURCES[source], "-o", file, cwd=crawled)
    assert run.exit_code == 0, run.stderr
    assert run.stderr == f"21 articles in {file}, described in {tmp_path}/corpus.metadata.json\n"
    articles = {record["id"]: record for record in of_kind(crawled, "article")}
    with datasette(file) as get:
        tables = {table["name"]: table for table in get("/corpus.json")["tables"]}
        counts = {name: table["count"] for name, table in tables.items() if not table["hidden"]}
        assert counts == {
            "articles": 21,
            "links": len(links_of(crawled)),
            "media": sum(len(record["media"] or ()) for record in articles.values()),
            "authors": sum(len(record["authors"] or ()) for record in articles.values()),
            "tags": sum(len(record["tags"] or ()) for record in articles.values()),
            "teasers": len(of_kind(crawled, "teaser")),
            "failures": len(of_kind(crawled, "failure")),
            "overview": 21,
        }
        for table, column in {"articles": "id", "overview": "article"}.items():
            found = get(f"/corpus/{table}.json", _search="aleppo", _shape="array", _size="max")
            assert {row[column] for row in found} == {
                article_id
                for article_id, record in articles.items()
                if "aleppo" in f"{record['headline']} {record['body']}".lower()
            }
            page = get(f"/corpus/{table}")
            assert 'type="search"' in page
            assert "The publisher: the name of its file" in page
        [row] = get(f"/corpus/articles/{SEED}.json", _shape="array")
        assert row["headline"] == articles[SEED]["headline"]
        # The overview leads to the articles, and an article to the links from it and to it.
        assert f'<a href="/corpus/articles/{SEED}">{row["headline"]}</a>' in get("/corpus/overview")
        assert f"/corpus/links?Source={SEED}" in (page := get(f"/corpus/articles/{SEED}"))
        assert f"/corpus/links?TargetArticle={SEED}" in page
        leads = get("/corpus/links.json", Source=SEED, _shape="array")
        assert len(leads) == len(articles[SEED]["related"])
        # A target that was stored is a link with its headline.
        assert f'<a href="/corpus/articles/{leads[0]["Target"]}">' in get("/corpus/links")
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []


Found = tuple[list[Any], dict[str, int]]
"""The ids of the articles in an export, or their addresses, and the numbers of other things."""


def in_json_lines(path: Path) -> Found:
    frame = pandas.read_json(path, lines=True, dtype=False)
    return list(frame["id"]), {"links": sum(map(len, frame["related"]))}


def in_csv(folder: Path) -> Found:
    assert validate(folder / "datapackage.json") == (0, "")
    read = {"dtype": str, "keep_default_na": False}
    articles, links = (pandas.read_csv(folder / f"{t}.csv", **read) for t in ("articles", "links"))
    assert set(links["Source"]) <= set(articles["id"])
    return list(articles["id"]), {"links": len(links)}


def in_parquet(folder: Path) -> Found:
    assert validate(folder / "datapackage.json") == (0, "")
    [(links,)] = duckdb.sql(f"SELECT count(*) FROM '{folder}/links.parquet'").fetchall()
    articles = polars.read_parquet(folder / "articles.parquet")
    assert list(pandas.read_parquet(folder / "articles.parquet")["id"]) == list(articles["id"])
    return list(articles["id"]), {"links": links}


def in_datasette(path: Path) -> Found:
    with datasette(path) as get:
        tables = {table["name"]: table["count"] for table in get(f"/{path.stem}.json")["tables"]}
        rows = get(f"/{path.stem}/articles.json", _shape="array", _size="max")
    others = {name: tables[name] for name in ("teasers", "failures", "links")}
    return [row["id"] for row in rows], others


def in_graph(graph: Any) -> Found:
    kinds = dict(graph.nodes(data="kind"))
    ids = {kind: [n for n in kinds if kinds[n] == kind] for kind in {*kinds.values(), "failure"}}
    others = {"teasers": len(ids.pop("teaser")), "failures": len(ids.pop("failure"))}
    assert ids.keys() == {"article"}
    return ids["article"], {**others, "links": graph.number_of_edges()}


def in_atom(path: Path) -> Found:
    feed = feedparser.parse(path)
    assert not feed.bozo
    return [entry.link for entry in feed.entries], {}


def in_json_ld(path: Path) -> Found:
    document = json.loads(path.read_text(encoding="utf-8"))
    articles = jsonld.expand(document, {"documentLoader": without_network})
    links = [
        link
        for article in articles
        for link in article[f"{SCHEMA}mainEntityOfPage"][0].get(f"{SCHEMA}relatedLink", ())
    ]
    ids = [article[f"{SCHEMA}identifier"][0]["@value"] for article in articles]
    return ids, {"links": len(links)}


IN_FORMAT: dict[str, Callable[[Path], Found]] = {
    "jsonl": in_json_lines,
    "csv": in_csv,
    "parquet": in_parquet,
    "sqlite": in_datasette,
    "gexf": lambda path: in_graph(networkx.read_gexf(path)),
    "graphml": lambda path: in_graph(networkx.read_graphml(path, force_multigraph=True)),
    "atom": in_atom,
    "jsonld": in_json_ld,
}


@pytest.mark.slow_after(2)
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("chosen", FORMATS, ids=lambda chosen: chosen.name)
def test_the_balance_in_every_format(
    scrapy: Crawl, crawled: Path, tmp_path: Path, source: str, chosen: Format
) -> None:
    target = f"{tmp_path}/{'tables/' if chosen.folder else f'corpus{chosen.endings[0]}'}"
    run = scrapy("export", *SOURCES[source], "--format", chosen.name, "-o", target, cwd=crawled)
    assert run.exit_code == 0, run.stderr
    found, others = IN_FORMAT[chosen.name](Path(target))
    articles = of_kind(crawled, "article")
    assert len(articles) == 21
    column = "url" if chosen.name == "atom" else "id"
    assert sorted(found) == sorted(article[column] for article in articles)
    balance = {"teasers": 9, "failures": 0, "links": 137}
    assert others == {name: balance[name] for name in others}


@pytest.mark.slow
def test_json_lines_stay_as_they_were(scrapy: Crawl, crawled: Path, tmp_path: Path) -> None:
    lines = (crawled / "all.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    stored = "".join(line for line in lines if line.startswith('{"kind":"article"'))
    for source in SOURCES.values():
        assert scrapy("export", *source, cwd=crawled).stdout == stored
        for words in ([], ["--format", "jsonl"]):
            file = tmp_path / "x.jl"
            assert scrapy("export", *source, *words, "-o", file, cwd=crawled).exit_code == 0
            assert file.read_text(encoding="utf-8") == stored


WRONG: dict[str, tuple[list[str], str]] = {
    "an unknown ending": (["all.jsonl", "-o", "x.xlsx"], "output: got 'x.xlsx', takes a file with"),
    "no ending": (["all.jsonl", "-o", "corpus"], "jsonl (.jsonl .jl), csv (.csv), parquet"),
    "an unknown format": (
        ["all.jsonl", "--format", "cvs"],
        "format: got 'cvs', takes one of jsonl",
    ),
    "a conflict": (
        ["all.jsonl", "--format", "csv", "-o", "x.parquet"],
        "format: got 'csv', but x.parquet has the ending of parquet",
    ),
    "Parquet on standard output": (
        ["all.jsonl", "--format", "parquet"],
        "standard output cannot take parquet; give a file, such as -o articles.parquet",
    ),
    "SQLite on a device": (
        ["all.jsonl", "--format", "sqlite", "-o", "/dev/null"],
        "/dev/null cannot take sqlite",
    ),
    "JSON Lines in a folder": (
        ["all.jsonl", "--format", "jsonl", "-o", "folder/"],
        "the folder folder/ takes csv or parquet; for jsonl, give a file",
    ),
    "revisions in a database": (
        ["all.jsonl", "--revisions", "-o", "x.sqlite"],
        "--revisions: sqlite holds the latest of each article; takes jsonl, csv, parquet",
    ),
    "neither a job nor a feed": (["-o", "x.csv"], "takes a job (scrapy export --job FOLDER)"),
    "a job and a feed": (
        ["all.jsonl", "-s", "JOBDIR=job"],
        "or feeds (scrapy export output/latest)",
    ),
    "a feed that is not there": (["none.jsonl"], "feed: none.jsonl cannot be read (No such file"),
    "a folder without feeds": (["job"], "the folder job has none of articles.jsonl"),
    "a feed that is not JSON Lines": (
        ["job/ledger.sqlite"],
        "job/ledger.sqlite has no record in JSON",
    ),
    "over a feed": (["all.jsonl", "-o", "all.jsonl"], "all.jsonl is one of the feeds"),
}


@pytest.mark.slow_after(2)
@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments(scrapy: Crawl, crawled: Path, case: str) -> None:
    words, message = WRONG[case]
    before = {path: path.stat().st_mtime_ns for path in crawled.rglob("*")}
    run = scrapy("export", *words, cwd=crawled)
    assert (run.exit_code, run.stdout) == (2, "")
    assert message in run.stderr
    assert run.stderr.startswith("scrapy export: ") and run.stderr.count("\n") == 1
    after = {path: path.stat().st_mtime_ns for path in crawled.rglob("*")}
    assert after.keys() == before.keys()


@pytest.mark.slow
def test_help_lists_the_formats(scrapy: Crawl) -> None:
    text = " ".join(scrapy("export", "--help").stdout.split())
    for name in ("jsonl", "csv", "parquet", "sqlite"):
        assert f"{name} (" in text

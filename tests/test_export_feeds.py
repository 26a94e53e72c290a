"""Exports of made-up feeds: which records count, texts that are hard to store, and bad input."""

import csv
import io
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pandas
import polars
import pyarrow.parquet
import pytest
from conftest import Crawl, Run, small_disk
from corpora import MemoryCorpus, edge, teaser, write_feed
from hypothesis import given, settings
from hypothesis import strategies as st
from jobs import article, failure, related_item
from test_exports import READERS, validate

from crawler.export.corpus import FeedCorpus
from crawler.export.csv_files import write_csv
from crawler.export.json_lines import write_jsonl
from crawler.export.parquet import write_parquet
from crawler.export.sqlite import write_sqlite
from crawler.feeds.spreadsheet import unescaped
from crawler.items import Alternate, Article, Author, Link, Media, Provenance

TABULAR = ("x.csv", "x.parquet", "x.sqlite", "tables/")


def exported(run: Run) -> list[dict[str, Any]]:
    assert run.exit_code == 0, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


def test_the_latest_revision_counts(scrapy: Crawl, tmp_path: Path) -> None:
    first = article("1", fetched_at="2026-01-03T00:00:00+00:00")
    second = replace(first, revision=2, fetched_at="2026-01-02T00:00:00+00:00")
    # The same instant as above, an hour later by its clock.
    other = article("2", fetched_at="2026-01-01T01:30:00+01:00")
    newer = replace(other, fetched_at="2026-01-01T00:45:00+00:00", headline="Newer")
    feeds = [
        write_feed(tmp_path / "a.jsonl", second, newer, first),
        write_feed(tmp_path / "b.jsonl", first, other, second),
    ]
    latest = exported(scrapy("export", *feeds))
    assert [(r["id"], r["revision"], r["headline"]) for r in latest] == [
        ("2", 1, "Newer"),
        ("1", 2, "About 1"),
    ]
    revisions = exported(scrapy("export", "--revisions", *feeds))
    assert sorted((r["id"], r["revision"], r["fetched_at"][:13]) for r in revisions) == [
        ("1", 1, "2026-01-03T00"),
        ("1", 2, "2026-01-02T00"),
        ("2", 1, "2026-01-01T00"),
        ("2", 1, "2026-01-01T01"),
    ]
    run = scrapy("export", "--revisions", *feeds, "-o", "tables/")
    assert "4 revisions, 0 links, 0 media in tables" in run.stderr
    assert validate(tmp_path / "tables" / "datapackage.json") == (0, "")


@pytest.mark.slow
def test_what_an_article_hides(scrapy: Crawl, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    write_feed(folder / "articles.jsonl", article("1", aliases=("one",)))
    write_feed(
        folder / "teasers.jsonl",
        *(teaser("1"), teaser("one"), teaser("2", why="limit"), teaser("2"), teaser("3")),
    )
    write_feed(folder / "failures.jsonl", failure("3", "gone"), failure("1", "timeout"))
    run = scrapy("export", folder, "-o", "x.sqlite")
    assert run.exit_code == 0, run.stderr
    with closing(sqlite3.connect(tmp_path / "x.sqlite")) as database:
        assert database.execute("SELECT id, why FROM teasers").fetchall() == [("2", "depth")]
        assert database.execute("SELECT id, reason FROM failures").fetchall() == [("3", "gone")]


@pytest.mark.slow
def test_aliases_are_resolved(scrapy: Crawl, tmp_path: Path) -> None:
    link = Link(
        role="text",
        url="https://publisher.example/?p=2",
        id="two",
        internal=True,
        text="More",
        paragraph=1,
        rel=(),
        where="body",
    )
    feed = write_feed(
        tmp_path / "a.jsonl",
        article("1", related=(related_item("two"),), links=(link,)),
        article("2", aliases=("two",)),
    )
    [first, _] = exported(scrapy("export", feed))
    assert [first["related"][0]["id"], first["links"][0]["id"]] == ["2", "2"]
    scrapy("export", feed, "-o", "tables/")
    assert READERS["csv"][1](tmp_path / "tables/links.csv", ["Target", "Role", "Text"]) == [
        ("2", "text", "More")
    ]


@pytest.mark.slow
def test_records_of_older_schemas(scrapy: Crawl, tmp_path: Path) -> None:
    old = msgspec.to_builtins(article("1", related=(related_item("2"),)))
    for name in ("links", "aliases", "authors", "revision"):
        del old[name]
    feed = write_feed(tmp_path / "a.jsonl", {**old, "schema": 2}, article("2"))
    assert [record["schema"] for record in exported(scrapy("export", feed))] == [2, 3]
    for output in ("x.csv", "tables/"):
        run = scrapy("export", feed, "-o", output)
        assert (run.exit_code, "left out" in run.stderr) == (0, False)
    columns = ["schema", "aliases", "links", "authors", "revision", "missing"]
    [row, _] = READERS["csv"][1](tmp_path / "x.csv", columns)
    assert row[:-1] == ("2", "[]", "", "", "1")
    assert {"links", "authors"} <= set(json.loads(row[-1]))
    assert READERS["csv"][1](tmp_path / "tables/links.csv", ["Source", "Target"]) == [("1", "2")]
    assert validate(tmp_path / "tables" / "datapackage.json") == (0, "")


@pytest.mark.slow
def test_a_field_of_an_item_pipeline(scrapy: Crawl, tmp_path: Path) -> None:
    record = {**json.loads(msgspec.json.encode(article("1"))), "mood": "calm"}
    feed = write_feed(tmp_path / "a.jsonl", record)
    assert exported(scrapy("export", feed)) == [record]
    table = scrapy("export", feed, "--format", "csv")
    assert (table.exit_code, "mood" in table.stdout) == (0, False)


@pytest.mark.slow
def test_lines_that_are_not_records(scrapy: Crawl, tmp_path: Path) -> None:
    feed = write_feed(
        tmp_path / "a.jsonl",
        article("1"),
        b"",
        b'{"kind":"article","schema":3}',
        b'{"kind":"recipe"}',
        b'["kind"]',
        msgspec.json.encode(article("2")).replace(b"About", b"\\ud800"),
        {**msgspec.to_builtins(article("3")), "fetched_at": "2026-02-31T00:00:00+00:00"},
        msgspec.json.encode(article("4"))[:-20],
        {**msgspec.to_builtins(article("5")), "revision": 10**30},
    )
    run = scrapy("export", feed, "-o", "x.csv")
    assert run.exit_code == 1
    assert [row[0] for row in READERS["csv"][1](tmp_path / "x.csv", ["id"])] == ["1"]
    for line in range(3, 10):
        assert f"scrapy export: left out a.jsonl:{line}: not " in run.stderr
    assert run.stderr.endswith("scrapy export: 7 records left out\n")


@pytest.mark.slow
def test_an_id_of_two_publishers(scrapy: Crawl, tmp_path: Path) -> None:
    feed = write_feed(tmp_path / "a.jsonl", article("1"), article("1", site="publisher.example"))
    run = scrapy("export", feed)
    assert [json.loads(line)["site"] for line in run.stdout.splitlines()] == ["alalam"]
    assert run.exit_code == 1
    assert "left out a.jsonl:2: alalam has another article with the id 1" in run.stderr
    assert run.stderr.endswith("scrapy export: 1 record left out\n")


@pytest.mark.slow
def test_a_publisher_that_gets_a_file(scrapy: Crawl, tmp_path: Path) -> None:
    story = article("publisher.example/2026/05/01/some-story", site="publisher.example")
    feed = write_feed(tmp_path / "a.jsonl", story, replace(story, site="courier", revision=2))
    [latest] = exported(scrapy("export", feed))
    assert (latest["site"], latest["revision"]) == ("courier", 2)


@pytest.mark.slow
@pytest.mark.parametrize("output", TABULAR)
def test_an_empty_corpus(scrapy: Crawl, tmp_path: Path, output: str) -> None:
    (tmp_path / "a.jsonl").touch()
    run = scrapy("export", "a.jsonl", "-o", output)
    assert run.exit_code == 0, run.stderr
    assert run.stderr.startswith("0 articles")
    if output != "x.sqlite":
        [descriptor] = tmp_path.rglob("*datapackage.json")
        assert validate(descriptor) == (0, "")


TEXTS = (
    "=1+1",
    "'=1+1",
    "''@x",
    "+1",
    "-5",
    "@SUM(A1)",
    "\ttab",
    "  =1",
    'a "quoted" text, with a comma',
    "a line\r\nanother\ranother\n",
    "nul \0 and \x01 and \x1b[31m and \x7f",
    "\ufeffmark and \ufffe",
    "\u2028 \u202e right to left",
    "🚢 العالم",
    "x" * 3_000_000,
)


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS)
def test_texts_that_are_hard_to_store(scrapy: Crawl, tmp_path: Path, reader: str) -> None:
    name, read = READERS[reader]
    articles = [
        article(f"00{number}", body=text, headline=text[:100], headline_raw=text[:100])
        for number, text in enumerate(TEXTS)
    ]
    feed = write_feed(tmp_path / "a.jsonl", *articles, article("=1", body=None))
    run = scrapy("export", feed, "-o", f"x.{name}", "-s", "CSV_ESCAPE_FORMULAS=1")
    assert run.exit_code == 0, run.stderr
    rows = read(tmp_path / f"x.{name}", ["id", "headline", "body"])
    plain = unescaped if name == "csv" else str
    assert [tuple(map(plain, row)) for row in rows[:-1]] == [
        (a.id, a.headline, a.body) for a in articles
    ]
    assert rows[-1][0] == ("'=1" if name == "csv" else "=1")


@pytest.mark.slow
def test_texts_in_a_database(scrapy: Crawl, tmp_path: Path) -> None:
    records = [article(f"00{number}", body=text) for number, text in enumerate(TEXTS)]
    feed = write_feed(tmp_path / "a.jsonl", *records)
    assert scrapy("export", feed, "-o", "x.db").exit_code == 0
    with closing(sqlite3.connect(tmp_path / "x.db")) as database:
        rows = database.execute("SELECT id, typeof(id), body FROM articles").fetchall()
        assert rows == [(record.id, "text", record.body) for record in records]
        search = "SELECT headline FROM articles_fts WHERE articles_fts MATCH ?"
        assert database.execute(search, ("العالم",)).fetchall() == [("About 0013",)]


def test_the_overview_counts_the_links_that_are_there(tmp_path: Path) -> None:
    removed = "2026-01-02T00:00:00+00:00"
    links = (edge("1", "2"), edge("1", "3"), edge("1", "2", "text", removed_at=removed))
    corpus = MemoryCorpus((article("1"), article("2")), links, has_lives=True)
    with (tmp_path / "x.sqlite").open("wb") as file:
        assert write_sqlite(corpus, file, None) == 2
    with closing(sqlite3.connect(tmp_path / "x.sqlite")) as database:
        query = "SELECT article, links_from, links_to FROM overview"
        assert database.execute(query).fetchall() == [("1", 2, 0), ("2", 0, 1)]


@pytest.mark.slow
def test_ids_stay_text_as_the_docs_read_them(scrapy: Crawl, tmp_path: Path) -> None:
    articles = [article("0017"), article("1e5", found_on="0017")]
    feed = write_feed(tmp_path / "a.jsonl", *articles)
    for name in ("x.jsonl", "x.csv"):
        assert scrapy("export", feed, "-o", name).exit_code == 0
    path = str(tmp_path / "x.csv")
    frames: list[Any] = [
        pandas.read_json(tmp_path / "x.jsonl", lines=True, dtype=False),
        pandas.read_csv(path, dtype=str, keep_default_na=False),
        polars.read_csv(path, infer_schema=False),
        duckdb.read_csv(path, all_varchar=True).df(),
    ]
    for frame in frames:
        assert [*frame["id"], frame["found_on"][1]] == ["0017", "1e5", "0017"]


@pytest.mark.slow
def test_formulas_are_kept_on_request(scrapy: Crawl, tmp_path: Path) -> None:
    feed = write_feed(tmp_path / "a.jsonl", article("1", headline="=1+1"))
    run = scrapy("export", feed, "--format", "csv", "-s", "CSV_ESCAPE_FORMULAS=0")
    [row] = csv.DictReader(io.StringIO(run.stdout, newline=""))
    assert row["headline"] == "=1+1"


@pytest.mark.slow
@pytest.mark.parametrize("output", ["x.jsonl", *TABULAR])
def test_a_disk_that_fills(scrapy: Crawl, tmp_path: Path, output: str) -> None:
    # Numbers that no compression makes much shorter.
    bodies = ("".join(str(hash((n, m))) for m in range(500)) for n in range(50))
    records = [article(str(number), body=body) for number, body in enumerate(bodies)]
    feed = tmp_path / write_feed(tmp_path / "a.jsonl", *records)
    with small_disk(tmp_path / "disk", "64k") as disk:
        before = disk / "tables" / "articles.csv" if output == "tables/" else disk / output
        before.parent.mkdir(exist_ok=True)
        before.write_text("before", encoding="utf-8")
        run = scrapy("export", feed, "-o", f"{disk}/{output}")
        assert run.exit_code == 1
        assert run.stderr.startswith(f"scrapy export: output: {disk}/{output} cannot be written (")
        assert "Traceback" not in run.stderr
        assert before.read_text(encoding="utf-8") == "before"
        assert [path for path in disk.rglob("*") if path.is_file()] == [before]


def test_near_copies(tmp_path: Path) -> None:
    write_feed(tmp_path / "a.jsonl", article("1"), article("2"), article("3"))
    copies = {"1": ("2",), "2": ("1",)}
    expected = [("1", ["2"]), ("2", ["1"]), ("3", [])]
    with FeedCorpus([str(tmp_path / "a.jsonl")]) as corpus:
        lines, table, typed = io.BytesIO(), io.BytesIO(), io.BytesIO()
        assert write_jsonl(corpus, lines, copies) == 3
        assert write_csv(corpus, table, copies) == 3
        assert write_parquet(corpus, typed, copies) == 3
        with (tmp_path / "x.sqlite").open("wb") as file:
            assert write_sqlite(corpus, file, copies) == 3
    records = map(json.loads, lines.getvalue().splitlines())
    assert [(record["id"], record["same_text_as"]) for record in records] == expected
    rows = csv.DictReader(io.StringIO(table.getvalue().decode(), newline=""))
    assert [(row["id"], json.loads(row["same_text_as"])) for row in rows] == expected
    frame = polars.read_parquet(typed.getvalue())
    assert frame.select("id", "same_text_as").rows() == expected
    with closing(sqlite3.connect(tmp_path / "x.sqlite")) as database:
        pairs = database.execute("SELECT * FROM same_text_as").fetchall()
        assert pairs == [("1", "2"), ("2", "1")]


INSTANTS = st.datetimes(datetime(1900, 1, 2), datetime(2100, 1, 1)).flatmap(
    lambda time: st.integers(-14 * 60, 14 * 60).map(
        lambda minutes: time.replace(tzinfo=timezone(timedelta(minutes=minutes))).isoformat()
    )
)
DATES = st.one_of(
    INSTANTS,
    st.dates().map(str),
    st.datetimes(datetime(1000, 1, 1)).map(datetime.isoformat),
)
# Lone surrogates cannot be in a record, as they cannot be in UTF-8.
TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
URLS = TEXT.map("https://publisher.example/".__add__)


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


def many(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(values, max_size=3).map(tuple)


ARTICLES = st.builds(
    Article,
    site=maybe(TEXT),
    id=TEXT,
    url=maybe(URLS),
    aliases=many(TEXT),
    headline=maybe(TEXT),
    headline_raw=maybe(TEXT),
    published_at=maybe(DATES),
    published_raw=maybe(TEXT),
    modified_at=maybe(DATES),
    authors=maybe(many(st.builds(Author, name=TEXT, url=maybe(URLS)))),
    description=maybe(TEXT),
    section=maybe(TEXT),
    tags=maybe(many(TEXT)),
    body=maybe(TEXT),
    language=maybe(TEXT),
    credit=maybe(TEXT),
    media=maybe(
        many(
            st.builds(
                Media,
                kind=st.sampled_from(("image", "video")),
                url=URLS,
                caption=maybe(TEXT),
                credit=maybe(TEXT),
            )
        )
    ),
    related=maybe(many(st.builds(related_item, TEXT, st.integers(1, 9), TEXT))),
    related_complete=maybe(st.booleans()),
    links=maybe(
        many(
            st.builds(
                Link,
                role=st.sampled_from(("related", "text", "tag")),
                url=maybe(URLS),
                id=maybe(TEXT),
                internal=maybe(st.booleans()),
                text=maybe(TEXT),
                paragraph=maybe(st.integers(1, 99)),
                rel=st.sampled_from(((), ("nofollow",), ("nofollow", "ugc"))),
                where=TEXT,
            )
        )
    ),
    canonical_url=maybe(URLS),
    alternates=maybe(many(st.builds(Alternate, kind=st.just("amp"), url=URLS, language=st.none()))),
    accessible_for_free=maybe(st.booleans()),
    body_sha256=maybe(st.just("0" * 64)),
    missing=many(TEXT),
    provenance=st.dictionaries(
        TEXT, st.builds(Provenance, where=TEXT, assumed=maybe(TEXT), doubt=maybe(TEXT)), max_size=3
    ),
    revision=st.integers(1, 99),
    changed=many(TEXT),
    depth=st.integers(0, 9),
    found_on=maybe(TEXT),
    fetched_at=INSTANTS,
    source=TEXT,
    status=st.integers(100, 599),
)


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("made") / "a.jsonl"


def exports_of(record: Article, feed: Path) -> tuple[Article, bytes, bytes]:
    """Return an article as an export has it, and its exports as CSV and as Parquet."""
    feed.write_bytes(msgspec.json.encode(record))
    with FeedCorpus([str(feed)]) as corpus:
        [stored] = corpus.articles()
        table, typed = io.BytesIO(), io.BytesIO()
        assert write_csv(corpus, table, None) == write_parquet(corpus, typed, None) == 1
    return stored, table.getvalue(), typed.getvalue()


@pytest.mark.slow
@settings(max_examples=150)
@given(record=ARTICLES)
def test_any_article_can_be_read_back(record: Article, feed: Path) -> None:
    stored, table, typed = exports_of(record, feed)
    expected = msgspec.to_builtins(stored)
    [cells] = csv.DictReader(io.StringIO(table.decode(), newline=""))
    assert {name: value_of(name, cell, expected[name]) for name, cell in cells.items()} == (
        json.loads(msgspec.json.encode(stored))
    )
    [row] = pyarrow.parquet.read_table(io.BytesIO(typed)).to_pylist()
    for name in ("published_at", "modified_at"):
        assert row.pop(f"{name}_utc") == instant_of(expected[name])
    row["provenance"] = dict(row["provenance"])
    assert row.pop("fetched_at") == datetime.fromisoformat(expected.pop("fetched_at"))
    assert row == json.loads(msgspec.json.encode(expected))


def value_of(name: str, cell: str, like: Any) -> Any:
    """Return the value of a cell of CSV, of the type that its column has."""
    if cell == "":
        return None
    return unescaped(cell) if isinstance(like, str) else json.loads(cell)


def instant_of(stated: str | None) -> datetime | None:
    time = datetime.fromisoformat(stated) if stated else None
    return time.astimezone(UTC) if time and time.tzinfo else None

"""The same articles live, as pages that real programs saved, in an archive, and as texts."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from archives import Warc
from conftest import CACHE, Crawl, WebCrawl
from hosted import HostedWeb, hosted
from saving import PROGRAMS, Save, httrack, wget_converted
from stories import page, pages

from crawler.extraction.addresses import article_address

HOST = "www.news.example"
ROOT = f"https://{HOST}"
STORIES = [f"/2026/05/0{day}/a-story-of-bridge-number-{day}" for day in range(1, 6)]
URLS = [ROOT + path for path in STORIES]
# What differs between the sources of a page, and what a form cannot hold
# (docs/how-to/saved-pages.md).
ALWAYS = {"fetched_at", "source", "provenance"}
ONLY_TEXT = ALWAYS | {"media", "related", "related_complete", "links", "missing", "aliases"}
ONLY_TEXT |= {"published_raw"}
# SingleFile adds a canonical link to pages without one.
ADDED = {"SingleFile": {"canonical_url", "missing"}}


def sites(*, declare: bool = False) -> dict[str, Any]:
    """Return a publisher whose pages may declare their canonical URLs."""
    by_path = {}
    for number, path in enumerate(STORIES):
        canonical = ROOT + path if declare else ""
        others = URLS[:number] + URLS[number + 1 :]
        by_path[path] = page(f"Bridge {number} opened", *others, canonical=canonical)
    return {HOST: pages(by_path)}


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostedWeb]:
    with hosted(sites(), tmp_path_factory.mktemp("web")) as web:
        yield web


def compared(records: dict[str, dict[str, Any]], but: set[str]) -> dict[str, Any]:
    return {
        article_id: {name: value for name, value in record.items() if name not in but}
        for article_id, record in records.items()
    }


@pytest.fixture
def live(web_crawl: WebCrawl) -> dict[str, dict[str, Any]]:
    run, _ = web_crawl(sites(), seed=",".join(URLS), depth=0, archive="pages.warc.gz")
    assert (run.exit_code, len(run.articles)) == (0, len(URLS))
    return run.articles


@pytest.mark.slow_after(2)
@pytest.mark.parametrize("program", PROGRAMS)
def test_pages_saved_by_a_program(
    live: dict[str, dict[str, Any]], web: HostedWeb, crawl: Crawl, tmp_path: Path, program: str
) -> None:
    # SingleFile starts a browser for each page, which takes seconds.
    urls = URLS[:1] if program == "SingleFile" else URLS
    PROGRAMS[program](web, urls, tmp_path / "saved")
    run = crawl(seed="all", source="saved")
    left_out = ALWAYS | ADDED.get(program, set())
    saved = {name: record for name, record in live.items() if record["url"] in urls}
    assert compared(run.articles, left_out) == compared(saved, left_out)
    assert (run.exit_code, run.failures) == (0, {})


@pytest.mark.parametrize(
    ("save", "ending"),
    [pytest.param(wget_converted, ".html", marks=pytest.mark.slow), (httrack, "")],
)
def test_files_with_links_to_each_other(
    live: dict[str, dict[str, Any]], crawl: Crawl, tmp_path: Path, save: Save, ending: str
) -> None:
    """These programs rename files and convert links, wget even those to the canonical URLs.

    HTTrack writes the address of each page into it, and wget does not.
    """
    (tmp_path / "web").mkdir(exist_ok=True)
    with hosted(sites(declare=True), tmp_path / "web") as web:
        save(web, URLS, tmp_path / "saved")
    run = crawl(seed=URLS[0], source="saved", depth=1)
    assert {record["url"] for record in run.articles.values()} == {url + ending for url in URLS}
    assert (run.exit_code, run.teasers) == (0, {})
    assert set(run.articles) == {article_address(url + ending) for url in URLS}
    by_headline = {record["headline"]: record for record in live.values()}
    for record in run.articles.values():
        same = ("site", "published_at", "body", "language", "media")
        assert all(record[name] == by_headline[record["headline"]][name] for name in same)


@pytest.mark.slow
def test_an_archive_of_the_live_crawl(
    live: dict[str, dict[str, Any]], crawl: Crawl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", CACHE)
    run = crawl(seed="all", source="pages.warc.gz")
    assert compared(run.articles, ALWAYS) == compared(live, ALWAYS)


def texts(live: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Return the text of each page as collections of texts have it: a line for each block."""
    return {
        record["url"]: f"{record['headline']}\n{record['published_at'][:10]}\n\n{record['body']}\n"
        for record in live.values()
    }


def write_wet(path: Path, by_url: dict[str, str]) -> None:
    wet = Warc(path)
    for url, text in by_url.items():
        wet.text(url, text)


def write_json_lines(path: Path, by_url: dict[str, str]) -> None:
    lines = (json.dumps({"url": url, "text": text}) + "\n" for url, text in by_url.items())
    path.write_text("".join(lines), encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "write"), [("copy.wet.gz", write_wet), ("copy.jsonl", write_json_lines)]
)
def test_texts(
    live: dict[str, dict[str, Any]], crawl: Crawl, tmp_path: Path, name: str, write: Any
) -> None:
    write(tmp_path / name, texts(live))
    run = crawl(seed="all", source=name)
    expected = compared(live, ONLY_TEXT)
    for record in expected.values():
        record["published_at"] = record["published_at"][:10]
    assert compared(run.articles, ONLY_TEXT) == expected
    for record in run.articles.values():
        assert record["provenance"]["source"]["assumed"] == "only the text of the page was kept"
        assert (record["media"], record["related"]) == (None, None)

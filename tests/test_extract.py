"""The public function ``extract`` is pure, and gives the same records as a crawl."""

import doctest
import json
import pickle
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from conftest import ROOT, SEED, SITE, Crawl
from jobs import PUBLISHER, article, folder_in_memory, frontier_of, running_job

import crawler
from crawler import PageRecord, Refusal, extract, normalise, parse
from crawler.extraction import api
from crawler.items import NOT_COMPARED, Author, Link, Media

PAGES = sorted(SITE.glob("*.html"))
# The fields that only a crawl can fill in.
CRAWL_FIELDS = {
    "kind",
    "revision",
    "changed",
    "depth",
    "found_on",
    "fetched_at",
    "source",
    "status",
}


def test_examples() -> None:
    assert doctest.testmod(api).failed == 0


def test_public_names() -> None:
    assert [getattr(crawler, name).__name__ for name in crawler.__all__] == crawler.__all__
    with pytest.raises(AttributeError, match="'crawler' has no attribute 'nothing'"):
        crawler.nothing  # noqa: B018


def test_the_same_as_a_crawl(crawl: Crawl) -> None:
    run = crawl(seed="all", source=SITE)
    assert len(run.articles) > 20
    for article_id, record in run.articles.items():
        path = SITE / f"{article_id}.html"
        if not path.exists():
            continue
        url = PUBLISHER.url_of(article_id)
        extracted = extract(path.read_bytes(), url=url, publisher=PUBLISHER)
        plain = json.loads(msgspec.json.encode(extracted))
        crawl_record = {name: value for name, value in record.items() if name not in CRAWL_FIELDS}
        crawl_record["provenance"] = {
            name: value
            for name, value in record["provenance"].items()
            if name not in ("id", "url", "fetched_at", "status", "source")
        }
        plain.pop("kind")
        assert plain == crawl_record


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
@pytest.mark.parametrize("publisher", [None, PUBLISHER], ids=["any", "alalam"])
def test_arguments_and_results_can_be_pickled(path: Path, publisher: Any) -> None:
    page = parse(path.read_bytes(), publisher=pickle.loads(pickle.dumps(publisher)))
    assert pickle.loads(pickle.dumps(page)) == page
    result = normalise(page, publisher)
    assert pickle.loads(pickle.dumps(result)) == result


def test_without_a_publisher_file_nothing_is_assumed() -> None:
    page = b"""<html lang="en"><h1>Bridge reopens + Video</h1><p>23 October 2015, 10:18</p>
    <p>The bridge over the Orontes was opened to traffic on Friday morning.</p>
    <p>It had been closed for two years, the governor of the city said.</p></html>"""
    record = extract(page, url="http://en.alalam.ir/news/17")
    assert isinstance(record, PageRecord)
    assert (record.site, record.id) == ("alalam.ir", "en.alalam.ir/news/17")
    assert record.url == "http://en.alalam.ir/news/17"
    assert record.headline == "Bridge reopens + Video"
    assert record.published_at == "2015-10-23T10:18:00"
    assert record.provenance["published_at"].assumed == "no zone stated"
    assert "related" in record.missing
    nowhere = extract(page)
    assert isinstance(nowhere, PageRecord)
    assert {"site", "id", "url"} <= set(nowhere.missing)
    with_publisher = extract(page, url="http://en.alalam.ir/news/17", publisher=PUBLISHER)
    assert isinstance(with_publisher, PageRecord)
    assert (with_publisher.site, with_publisher.id) == ("alalam", "17")
    assert with_publisher.headline == "Bridge reopens"
    assert with_publisher.published_at == "2015-10-23T10:18:00+03:30"


def test_a_refusal() -> None:
    assert extract(b"") == Refusal("not_an_article", "the page has no article text")


def test_the_dumps_of_a_page() -> None:
    page = parse((SITE / f"{SEED}.html").read_bytes())
    [dump] = page.dumps
    assert dump.startswith((b"array(", b"string("))
    assert page.related is not None and page.related.items


def test_normalise_reads_a_page_that_was_changed() -> None:
    page = parse((SITE / f"{SEED}.html").read_bytes(), publisher=PUBLISHER)
    record = normalise(replace(page, body=(*page.body, "One more sentence; Press TV reported.")))
    assert isinstance(record, PageRecord) and record.credit == "Press TV"


def test_importing_it_loads_no_framework() -> None:
    frameworks = ("scrapy", "twisted", "sqlalchemy", "asyncio")
    code = (
        "import sys; from crawler import extract; extract(b'<p>x'); "
        f"print([name for name in {frameworks} if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert (result.stdout, result.stderr) == ("[]\n", "")


COMPARED = [field.name for field in fields(PageRecord) if field.name not in NOT_COMPARED]
OTHER: dict[str, Any] = {
    "media": (Media(kind="image", url="http://a.example/b.jpg"),),
    "related": (),
    "related_complete": True,
    "links": (
        Link(
            role="text",
            url="http://a.example/b",
            id="a.example/b",
            internal=False,
            text="b",
            paragraph=1,
            rel=(),
            where="body",
        ),
    ),
    "authors": (Author(name="Ada Lindqvist", url=None),),
    "tags": ("olives",),
    "accessible_for_free": True,
    "published_at": "2015-10-23",
}


def test_which_fields_are_not_compared() -> None:
    """A new field is compared, or it is added here with a reason in items.py."""
    assert {
        *("kind", "schema", "site", "id", "url", "aliases"),
        *("modified_at", "canonical_url", "alternates", "body_sha256", "missing", "provenance"),
    } == NOT_COMPARED


@pytest.mark.parametrize("name", COMPARED)
def test_a_field_that_changes_makes_a_revision(name: str) -> None:
    with folder_in_memory() as folder, running_job(folder, {}) as job:
        frontier = frontier_of(job)
        frontier.seed(["1"])
        state = frontier.take()
        assert state is not None and job.pages is not None
        first = article("1")
        assert job.pages.store(state, first, first) == first
        job.pages.commits.flush()
        second = article("1", **{name: OTHER.get(name, "another")})
        stored = job.pages.store(state, second, second)
        assert (stored.revision, stored.changed) == (2, (name,))

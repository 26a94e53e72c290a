"""Whole archives are read without requests, unless a part of the user's would miss them."""

from pathlib import Path
from typing import Any

import pytest
from archive_cases import CASES, write_cases
from archives import NEWS, Warc, page
from conftest import Crawl, Run

MODULE = """
from pathlib import Path

from scrapy import signals
from scrapy.logformatter import LogFormatter

from crawler.extraction.page import ParsedPage
from crawler.scheduler import FrontierScheduler
from crawler.spiders.articles import ArticlesSpider


def note(what):
    with Path("seen.txt").open("a") as seen:
        print(what, file=seen)


class Downloading:
    def process_response(self, request, response):
        note(response.url)
        return response


class Spidering:
    async def process_spider_output(self, response, result):
        async for one in result:
            note(response.url)
            yield one


class Listener:
    @classmethod
    def from_crawler(cls, crawler):
        listener = cls()
        crawler.signals.connect(listener.heard, signal=cls.signal)
        return listener


class ResponseListener(Listener):
    signal = signals.response_received

    def heard(self, response):
        note(response.url)


class ItemListener(Listener):
    signal = signals.item_scraped

    def heard(self, item, response):
        note(response.url)


class AnyListener(Listener):
    signal = signals.item_scraped

    def heard(self, item, **more):
        note(more["response"].url)


class RecordListener(Listener):
    signal = signals.item_scraped

    def heard(self, item):
        note(item.url)


class Formatter(LogFormatter):
    def crawled(self, request, response, spider):
        note(response.url)


class Scheduler(FrontierScheduler):
    def next_request(self):
        request = super().next_request()
        if request is not None:
            note(request.url)
        return request


class RawPipeline:
    def process_item(self, item):
        note(item.url if isinstance(item, ParsedPage) else type(item))
        return item


class Own(ArticlesSpider):
    name = "own"

    def parse(self, response):
        note(response.url)
        yield from super().parse(response)
"""
NEEDS_REQUESTS: dict[str, dict[str, Any]] = {
    "downloader middleware": {"DOWNLOADER_MIDDLEWARES": {"mine.Downloading": 60}},
    "receiver of response_received": {"EXTENSIONS": {"mine.ResponseListener": 500}},
    "spider middleware": {"SPIDER_MIDDLEWARES": {"mine.Spidering": 60}},
    "receiver of an item's response": {"EXTENSIONS": {"mine.ItemListener": 500}},
    "receiver of any values": {"EXTENSIONS": {"mine.AnyListener": 500}},
    "log formatter": {"LOG_FORMATTER": "mine.Formatter"},
    "scheduler": {"SCHEDULER": "mine.Scheduler"},
}
NEEDS_NONE: dict[str, dict[str, Any]] = {
    "pipeline before ours": {"ITEM_PIPELINES": {"mine.RawPipeline": 50}},
    "receiver of an item": {"EXTENSIONS": {"mine.RecordListener": 500}},
}
BY_REQUESTS = {"DOWNLOADER_MIDDLEWARES": {"mine.Downloading": 60}}
PAGES = [f"{NEWS}{number}" for number in (1, 2, 3)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(MODULE, encoding="utf-8")
    return tmp_path


@pytest.fixture
def warc(folder: Path) -> Path:
    warc = Warc(folder / "a.warc.gz")
    for url in PAGES:
        warc.add(url, page(url.rpartition("/")[2]))
    return warc.path


def made_requests(run: Run) -> bool:
    return "'response_received_count'" in run.stderr


def comparable(run: Run) -> list[dict[str, Any]]:
    records = [{**record, "failed_at": None} for record in run.records]
    return sorted(records, key=lambda record: record["id"])


def order(run: Run) -> list[tuple[str, str]]:
    return [(record["kind"], record["id"]) for record in run.records]


@pytest.mark.slow_after(2)
@pytest.mark.parametrize("name", [*NEEDS_NONE, *NEEDS_REQUESTS])
def test_parts_of_a_user(crawl: Crawl, warc: Path, name: str) -> None:
    parts = {**NEEDS_NONE, **NEEDS_REQUESTS}[name]
    run = crawl(seed="all", source=warc, settings={**parts, "STATS_DUMP": 1})
    assert list(run.articles) == ["1", "2", "3"]
    assert made_requests(run) == (name in NEEDS_REQUESTS)
    assert (warc.parent / "seen.txt").read_text().split() == PAGES


@pytest.mark.slow
def test_a_spider_of_a_user(scrapy: Crawl, warc: Path) -> None:
    line = ["crawl", "own", "-a", "seed=all", "-a", f"source={warc}"]
    modules = "SPIDER_MODULES=crawler.spiders,mine"
    run = scrapy(*line, "-s", modules, "-s", "STATS_DUMP=1")
    assert run.exit_code == 0, run.stderr
    assert made_requests(run)
    assert (warc.parent / "seen.txt").read_text().split() == PAGES


@pytest.mark.slow
def test_more_articles_than_the_frontier_is_given_at_a_time(crawl: Crawl, folder: Path) -> None:
    warc = Warc(folder / "a.warc")
    for number in range(1, 1002):
        warc.add(f"{NEWS}{number}", page(number))
    run = crawl(seed="all", source=warc.path, settings={"READER_PROCESSES": 2})
    assert run.exit_code == 0
    assert list(run.articles) == sorted(str(number) for number in range(1, 1002))


@pytest.mark.slow
@pytest.mark.parametrize("job", [{}, {"JOBDIR": "job"}], ids=["no job", "job"])
def test_every_case(crawl: Crawl, folder: Path, job: dict[str, object]) -> None:
    archives = folder / "archives"
    write_cases(archives, CASES)

    def read(name: str, **settings: object) -> Run:
        own_job = {key: f"{value}-{name}" for key, value in job.items()}
        settings = {**own_job, **settings, "STATS_DUMP": 1}
        return crawl(seed="all", source=archives, settings=settings)

    by_requests = read("requests", **BY_REQUESTS)
    assert made_requests(by_requests)
    runs = [read(f"direct-{count}", READER_PROCESSES=count) for count in (0, 1, 2)]
    for run in runs:
        assert not made_requests(run)
        assert comparable(run) == comparable(by_requests)
        assert order(run) == order(runs[0])
        assert (run.exit_code, run.balance) == (by_requests.exit_code, by_requests.balance)

"""Components of the user's see parsed pages wherever Scrapy shows an item as it was scraped.

They also see the requests for the links of a page, wherever Scrapy shows those.
"""

from pathlib import Path
from typing import Any

import pytest
from archives import NEWS, Warc, page
from conftest import SITE, Crawl

MODULE = """
from pathlib import Path

from scrapy import signals
from scrapy.exceptions import DropItem
from scrapy.logformatter import LogFormatter

from crawler.item_processor import RecordProcessor
from crawler.pipelines import RecordPipeline
from crawler.spiders.articles import ArticlesSpider


def note(item):
    with Path("seen.txt").open("a") as seen:
        print(type(item).__name__, item.id, file=seen)


class Spidering:
    async def process_spider_output(self, response, result):
        async for one in result:
            note(one)
            yield one


class Dropping:
    def process_item(self, item):
        raise DropItem("dropped")


class Failing:
    def process_item(self, item):
        raise ValueError("failed")


class Listener:
    @classmethod
    def from_crawler(cls, crawler):
        listener = cls()
        crawler.signals.connect(note, signal=cls.signal)
        return listener


class DropListener(Listener):
    signal = signals.item_dropped


class ErrorListener(Listener):
    signal = signals.item_error


class Formatter(LogFormatter):
    def dropped(self, item, exception, response, spider):
        note(item)
        return super().dropped(item, exception, response, spider)


class Processor(RecordProcessor):
    async def process_item_async(self, item):
        note(item)
        return await super().process_item_async(item)


class Pipeline:
    def process_item(self, item):
        note(item)
        return item


class OwnRecords(RecordPipeline):
    def process_item(self, item):
        note(item)
        return super().process_item(item)


class Own(ArticlesSpider):
    name = "articles"

    def parse(self, response):
        for one in super().parse(response):
            note(one)
            yield one
"""
OURS = "crawler.pipelines.RecordPipeline"
PARTS: dict[str, dict[str, Any]] = {
    "spider middleware": {"SPIDER_MIDDLEWARES": {"mine.Spidering": 60}},
    "receiver of item_dropped": {
        "EXTENSIONS": {"mine.DropListener": 500},
        "ITEM_PIPELINES": {"mine.Dropping": 500},
    },
    "receiver of item_error": {
        "EXTENSIONS": {"mine.ErrorListener": 500},
        "ITEM_PIPELINES": {"mine.Failing": 500},
    },
    "log formatter": {
        "LOG_FORMATTER": "mine.Formatter",
        "ITEM_PIPELINES": {"mine.Dropping": 500},
    },
    "item processor": {"ITEM_PROCESSOR": "mine.Processor"},
    "pipeline before ours": {"ITEM_PIPELINES": {"mine.Pipeline": 50}},
    "pipeline in the place of ours": {"ITEM_PIPELINES": {OURS: None, "mine.OwnRecords": 100}},
    "spider": {"SPIDER_MODULES": "mine"},
}


@pytest.mark.slow_after(2)
@pytest.mark.parametrize("name", PARTS)
def test_a_part_of_a_user_sees_pages(crawl: Crawl, tmp_path: Path, name: str) -> None:
    (tmp_path / "mine.py").write_text(MODULE, encoding="utf-8")
    warc = Warc(tmp_path / "a.warc.gz")
    warc.add(f"{NEWS}1", page("1"))
    crawl(seed="1", depth=0, source=warc.path, settings=PARTS[name])
    assert (tmp_path / "seen.txt").read_text() == "ParsedPage 1\n"


LINKS_MODULE = """
from pathlib import Path

from scrapy import Request, signals

from crawler.scheduler import FrontierScheduler
from crawler.spiders.articles import ArticlesSpider


def note(request):
    with Path("seen.txt").open("a") as seen:
        print(request.meta["purpose"].article_id, file=seen)


class Spidering:
    async def process_spider_output(self, response, result):
        async for one in result:
            if isinstance(one, Request):
                note(one)
            yield one


class Listener:
    @classmethod
    def from_crawler(cls, crawler):
        listener = cls()
        crawler.signals.connect(note, signal=signals.request_scheduled)
        return listener


class Scheduler(FrontierScheduler):
    def enqueue_request(self, request):
        note(request)
        return super().enqueue_request(request)


class Own(ArticlesSpider):
    name = "articles"

    def parse(self, response):
        for one in super().parse(response):
            if isinstance(one, Request):
                note(one)
            yield one
"""
LINK_PARTS: dict[str, dict[str, Any]] = {
    "spider middleware": {"SPIDER_MIDDLEWARES": {"mine.Spidering": 60}},
    "receiver of request_scheduled": {"EXTENSIONS": {"mine.Listener": 500}},
    "scheduler": {"SCHEDULER": "mine.Scheduler"},
    "spider": {"SPIDER_MODULES": "mine"},
}
SEED = "1752038"


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("name", LINK_PARTS)
def test_a_part_of_a_user_sees_the_requests_for_links(
    crawl: Crawl, tmp_path: Path, name: str
) -> None:
    (tmp_path / "mine.py").write_text(LINKS_MODULE, encoding="utf-8")
    run = crawl(seed=SEED, depth=1, source=SITE, settings=LINK_PARTS[name])
    seen = set((tmp_path / "seen.txt").read_text().split())
    not_saved = {key for key, one in run.teasers.items() if one["why"] == "not_saved"}
    assert seen - {SEED} == {*run.articles, *not_saved} - {SEED}


def test_scrapy_s_depth_middleware_changes_the_requests_for_links(crawl: Crawl) -> None:
    depth = "scrapy.spidermiddlewares.depth.DepthMiddleware"
    settings = {"SPIDER_MIDDLEWARES": {depth: 900}, "STATS_DUMP": 1}
    run = crawl(seed=SEED, depth=1, source=SITE, settings=settings)
    assert "'request_depth_max': 1" in run.stderr

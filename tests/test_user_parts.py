"""Components of the user's see parsed pages wherever Scrapy shows an item as it was scraped."""

import json
from pathlib import Path
from typing import Any

import pytest
from archives import NEWS, Warc, page
from conftest import Crawl

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
    settings = {
        setting: json.dumps(value) if isinstance(value, dict) else value
        for setting, value in PARTS[name].items()
    }
    crawl(seed="1", depth=0, source=warc.path, settings=settings)
    assert (tmp_path / "seen.txt").read_text() == "ParsedPage 1\n"

"""A spider that calls trafilatura in its callback, as a peer for benchmarks/reading.py."""

from pathlib import Path
from typing import ClassVar

import scrapy
import trafilatura


class TrafilaturaSpider(scrapy.Spider):
    name = "trafilatura"
    custom_settings: ClassVar = {"CONCURRENT_REQUESTS_PER_DOMAIN": 16}

    def __init__(self, urls, **kwargs):
        super().__init__(**kwargs)
        self.start_urls = Path(urls).read_text(encoding="utf-8").split()

    def parse(self, response):
        document = trafilatura.bare_extraction(
            response.body, url=response.url, with_metadata=True, include_links=True
        )
        yield {
            "url": response.url,
            "headline": document and document.title,
            "published": document and document.date,
            "authors": document and document.author,
            "body": document and document.text,
        }

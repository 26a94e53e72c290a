"""A five-minute spider with Scrapy's defaults, as a peer for benchmarks/crawl.py."""

import json
import re

import scrapy


class ObviousSpider(scrapy.Spider):
    name = "obvious"

    def __init__(self, base_url, seed, **kwargs):
        super().__init__(**kwargs)
        self.base_url = base_url
        self.start_urls = [f"{base_url}/news/{seed}"]

    def parse(self, response):
        related = json.loads(re.search(r'string\(\d+\) "(\[.*?\])"', response.text, re.DOTALL)[1])
        yield {
            "url": response.url,
            "headline": response.css("h1::text").get(),
            "body": response.css("p::text").getall(),
            "related": related,
        }
        for item in related:
            yield scrapy.Request(f"{self.base_url}/news/{item['id']}")

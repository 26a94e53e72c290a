"""From one article to its related neighbourhood: a peer for benchmarks/interruption.py.

scrapy runspider related_spider.py -a seed=URL -s JOBDIR=FOLDER -o FILE.jsonl
"""

import scrapy


class RelatedSpider(scrapy.Spider):
    name = "related"

    async def start(self):
        yield scrapy.Request(self.seed)

    def parse(self, response):
        yield {
            "url": response.url,
            "headline": response.css("h1::text").get(),
            "published": response.css("time::attr(datetime)").get(),
            "body": response.css("article p::text").getall(),
        }
        yield from response.follow_all(css=".related a")

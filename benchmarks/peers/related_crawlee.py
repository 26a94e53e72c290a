"""From one article to its related neighbourhood: a peer for benchmarks/interruption.py.

CRAWLEE_PURGE_ON_START=0 CRAWLEE_STORAGE_DIR=FOLDER python related_crawlee.py URL
"""

import asyncio
import sys

from crawlee.crawlers import ParselCrawler, ParselCrawlingContext


async def main(seed: str) -> None:
    crawler = ParselCrawler()

    @crawler.router.default_handler
    async def handle(context: ParselCrawlingContext) -> None:
        page = context.selector
        await context.push_data(
            {
                "url": context.request.url,
                "headline": page.css("h1::text").get(),
                "published": page.css("time::attr(datetime)").get(),
                "body": page.css("article p::text").getall(),
            }
        )
        await context.enqueue_links(selector=".related a")

    await crawler.run([seed])


asyncio.run(main(sys.argv[1]))

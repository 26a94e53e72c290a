"""A bare crawlee crawler equivalent to the obvious spider, as a peer for benchmarks/crawl.py.

python bare_crawlee.py BASE_URL SEED OUT.jsonl
"""

import asyncio
import json
import logging
import re
import sys
from pathlib import Path

from crawlee import ConcurrencySettings, Request
from crawlee.crawlers import ParselCrawler, ParselCrawlingContext
from crawlee.storage_clients import MemoryStorageClient


async def main(base_url: str, seed: str, out: str) -> None:
    crawler = ParselCrawler(
        storage_client=MemoryStorageClient(),
        concurrency_settings=ConcurrencySettings(
            min_concurrency=16, max_concurrency=16, desired_concurrency=16
        ),
        configure_logging=False,
    )
    logging.disable(logging.INFO)
    with Path(out).open("w", encoding="utf-8") as lines:  # noqa: ASYNC230

        @crawler.router.default_handler
        async def handle(context: ParselCrawlingContext) -> None:
            page = context.selector
            text = (await context.http_response.read()).decode()
            related = json.loads(re.search(r'string\(\d+\) "(\[.*?\])"', text, re.DOTALL)[1])
            record = {
                "url": context.request.url,
                "headline": page.css("h1::text").get(),
                "body": page.css("p::text").getall(),
                "related": related,
            }
            lines.write(json.dumps(record, ensure_ascii=False) + "\n")
            await context.add_requests(
                [Request.from_url(f"{base_url}/news/{item['id']}") for item in related]
            )

        await crawler.run([f"{base_url}/news/{seed}"])


asyncio.run(main(*sys.argv[1:]))

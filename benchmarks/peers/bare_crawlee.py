"""A bare crawlee crawler equivalent to the obvious spider, as a peer for benchmarks/crawl.py.

python bare_crawlee.py BASE_URL SEED OUT.jsonl [matches]

With ``matches``, it only matches regular expressions, rather than parse pages.
"""

import asyncio
import json
import logging
import re
import sys
from pathlib import Path

from crawlee import ConcurrencySettings, Request
from crawlee.crawlers import (
    HttpCrawler,
    HttpCrawlingContext,
    ParselCrawler,
    ParselCrawlingContext,
)
from crawlee.storage_clients import MemoryStorageClient
from parsel import Selector


def parsed(page: Selector) -> dict[str, object]:
    return {"headline": page.css("h1::text").get(), "body": page.css("p::text").getall()}


def matched(text: str) -> dict[str, object]:
    return {
        "headline": re.search("<h1>(.*?)</h1>", text)[1],
        "body": re.findall("<p>(.*?)</p>", text),
    }


async def main(base_url: str, seed: str, out: str, way: str = "parses") -> None:
    crawler = (HttpCrawler if way == "matches" else ParselCrawler)(
        storage_client=MemoryStorageClient(),
        concurrency_settings=ConcurrencySettings(
            min_concurrency=16, max_concurrency=16, desired_concurrency=16
        ),
        configure_logging=False,
    )
    logging.disable(logging.INFO)
    with Path(out).open("w", encoding="utf-8") as lines:  # noqa: ASYNC230

        @crawler.router.default_handler
        async def handle(context: HttpCrawlingContext | ParselCrawlingContext) -> None:
            text = (await context.http_response.read()).decode()
            related = json.loads(re.search(r'string\(\d+\) "(\[.*?\])"', text, re.DOTALL)[1])
            record = {
                "url": context.request.url,
                **(matched(text) if way == "matches" else parsed(context.selector)),
                "related": related,
            }
            lines.write(json.dumps(record, ensure_ascii=False) + "\n")
            await context.add_requests(
                [Request.from_url(f"{base_url}/news/{item['id']}") for item in related]
            )

        await crawler.run([f"{base_url}/news/{seed}"])


asyncio.run(main(*sys.argv[1:]))

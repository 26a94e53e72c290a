"""A spider that makes the requests of a JSON file, and notes the outcome of each.

    scrapy runspider tests/download_spider.py -a cases=cases.json -a url=http://127.0.0.1:8000

``cases`` maps a path to arguments of its Request. The signal named by ``stop_at`` in ``meta`` stops
the download.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import StopDownload
from scrapy.http import Response
from twisted.python.failure import Failure

Item = dict[str, Any]


class DownloadSpider(Spider):
    name = "downloads"
    custom_settings = {  # noqa: RUF012
        "CONCURRENT_REQUESTS": 1,
        "COOKIES_ENABLED": False,
        "DOWNLOAD_DELAY": 0,
        "DOWNLOAD_DELAY_JITTER": 0,
        "HTTPERROR_ALLOW_ALL": True,
        "REDIRECT_ENABLED": False,
        "RETRY_ENABLED": False,
        "ROBOTSTXT_OBEY": False,
    }
    cases: str
    url: str
    requests: dict[str, dict[str, Any]]

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider.requests = json.loads(Path(spider.cases).read_text(encoding="utf-8"))
        crawler.signals.connect(spider.headers_received, signals.headers_received)
        crawler.signals.connect(spider.bytes_received, signals.bytes_received)
        return spider

    async def start(self) -> AsyncIterator[Request]:
        for number, (path, arguments) in enumerate(self.requests.items()):
            # robots.txt is obeyed in the project's settings, whatever custom_settings say.
            meta = {"path": path, "dont_obey_robotstxt": True, **arguments.pop("meta", {})}
            yield Request(
                self.url + path,
                meta=meta,
                priority=-number,
                dont_filter=True,
                callback=self.parse,
                errback=self.fail,
                **arguments,
            )

    def headers_received(self, headers: Any, body_length: Any, request: Request) -> None:
        request.meta["signalled"] = [str(body_length), 0]
        if request.meta.get("stop_at") == "head":
            raise StopDownload(fail=False)

    def bytes_received(self, data: bytes, request: Request) -> None:
        request.meta["signalled"][1] += len(data)
        if request.meta.get("stop_at") == "body":
            raise StopDownload(fail=request.meta.get("fail", True))

    def parse(self, response: Response) -> Item:
        headers = response.headers.to_unicode_dict()
        return {
            "path": response.meta["path"],
            "status": response.status,
            "headers": sorted(headers.items()),
            "body": response.body.decode("latin-1"),
            "flags": response.flags,
            "protocol": response.protocol,
            # Scrapy's handler leaves out the address if it stops at the head.
            "ip": str(response.ip_address) if response.body else None,
            "signalled": response.meta["signalled"],
            "has_latency": response.meta["download_latency"] > 0,
        }

    def fail(self, failure: Failure) -> Item:
        request = failure.request  # type: ignore[attr-defined]
        response = getattr(failure.value, "response", None)
        return {
            "path": request.meta["path"],
            "error": type(failure.value).__name__,
            "stopped": response and response.body.decode("latin-1"),
            "signalled": request.meta.get("signalled"),
        }

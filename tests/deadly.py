"""A downloader middleware that ends its process at one page, as exhausted memory would."""

import os
import signal

from scrapy import Request

PAGE = "1700001"


class Deadly:
    def process_request(self, request: Request) -> None:
        if request.url.endswith(f"/{PAGE}"):
            os.kill(os.getpid(), signal.SIGKILL)

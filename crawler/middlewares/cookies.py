"""Loads Scrapy's CookiesMiddleware only if a run enables cookies (``-s COOKIES_ENABLED=1``).

Merely importing it opens a socket, because tldextract imports requests, and the first cookie makes
tldextract fetch the public suffix list from the network. A crawl of files must do neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scrapy.exceptions import NotConfigured

from crawler.crawl.run import run_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class CookiesOnDemand:
    """A placeholder among the downloader middlewares that yields Scrapy's CookiesMiddleware."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Any:
        run = run_of(crawler.spider)
        if (run and run.is_offline) or not crawler.settings.getbool("COOKIES_ENABLED"):
            raise NotConfigured
        from scrapy.downloadermiddlewares import cookies
        from tldextract import TLDExtract

        # Use the list that ships with tldextract; Scrapy has no setting for this.
        cookies._split_domain = TLDExtract(suffix_list_urls=(), include_psl_private_domains=True)
        return cookies.CookiesMiddleware.from_crawler(crawler)

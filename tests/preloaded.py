"""Import everything that commands import, except browsers and the reactor.

Each process installs a reactor of its own. Scrapy's deprecation warnings are errors.
"""

import gc
import importlib
import pkgutil
import warnings

import known_stats  # noqa: F401
from scrapy.exceptions import ScrapyDeprecationWarning

warnings.simplefilter("error", ScrapyDeprecationWarning)

PACKAGES = (
    *("crawler", "scrapy.commands"),
    *("scrapy.downloadermiddlewares", "scrapy.spidermiddlewares"),
)
MODULES = (
    *("aiohttp.web", "fasttext"),
    *("isal.igzip_lib", "isal.isal_zlib", "protego"),
    *("scrapy.cmdline", "scrapy.contracts", "scrapy.crawler", "scrapy.core.engine"),
    *("scrapy.core.downloader.handlers.datauri", "scrapy.core.downloader.handlers.file"),
    *("scrapy.core.downloader.handlers.http11", "scrapy.extensions.closespider"),
    *("scrapy.extensions.corestats", "scrapy.extensions.feedexport", "scrapy.extensions.logcount"),
    *("scrapy.extensions.logstats", "scrapy.extensions.memdebug", "scrapy.extensions.memusage"),
    *("scrapy.extensions.spiderstate", "scrapy.extensions.telnet", "scrapy.extensions.throttle"),
    *("scrapy.logformatter", "scrapy.robotstxt", "scrapy.statscollectors", "scrapy_poet.commands"),
    *(
        "sqlalchemy.dialects.postgresql.psycopg",
        "sqlalchemy.dialects.sqlite",
        "twisted.conch.telnet",
        "uvloop",
    ),
)
BROWSERS = ("crawler.rendering.playwright", "crawler.rendering.splash")

for package in PACKAGES:
    path = importlib.import_module(package).__path__
    for module in pkgutil.walk_packages(path, f"{package}."):
        if module.name not in BROWSERS:
            importlib.import_module(module.name)
for name in MODULES:
    importlib.import_module(name)
# A fork need not look through all of that for garbage.
gc.freeze()

"""Writes the archive of a run (``-a archive=FILE.warc.gz``), and stops the run where it cannot be written."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self

import scrapy
from scrapy import signals
from scrapy.exceptions import NotConfigured

from crawler.credentials import hide_userinfo
from crawler.errors import ArchiveError
from crawler.extraction.publishers import host_and_port
from crawler.warc.archived import RENDERED_BY
from crawler.warc.writer import Exchange, WarcWriter

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings

    from crawler.crawl.ledger.pages import Pages

logger = logging.getLogger(__name__)

# What decides how a site was asked; none of them can hold a password.
_TOLD_SETTINGS = (
    *(
        "ROBOTSTXT_OBEY",
        "AUTOTHROTTLE_ENABLED",
        "DOWNLOAD_DELAY",
        "CONCURRENT_REQUESTS_PER_DOMAIN",
        "DOWNLOAD_TIMEOUT",
    ),
    *(
        "DOWNLOAD_MAXSIZE",
        "RETRY_TIMES",
        "RETRY_AFTER_MAX",
        "REDIRECT_MAX_TIMES",
        "COOKIES_ENABLED",
    ),
)


class Archiving:
    """Hands the exchanges of a run to a WARC file. Without the argument ``archive`` there is nothing to do."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        spider: Any = crawler.spider
        self._pages: Pages | None = spider.job.pages if spider.job else None
        about = _about(spider.given, crawler.settings)
        if spider.renderer:
            about[RENDERED_BY] = spider.renderer
        # What Splash is asked is nothing of the publisher's.
        self._splash = (
            host_and_port(crawler.settings["SPLASH_URL"]) if spider.renderer == "splash" else None
        )
        if self._pages is None:
            self._writer = WarcWriter(spider.arguments.archive, about)
        else:
            self._writer = WarcWriter(
                spider.arguments.archive, about, self._pages.archived, self._pages.note_archived
            )
            # What the ledger says was archived has to be.
            self._pages.before_commit = self._writer.sync
        spider.archive = self._writer
        spider.record = self._record
        spider.record_rendered = self._record_rendered

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """ArchiveError if the file cannot be written."""
        arguments = getattr(crawler.spider, "arguments", None)
        if arguments is None or arguments.archive is None:
            raise NotConfigured
        archiving = cls(crawler)
        crawler.signals.connect(archiving._engine_stopped, signal=signals.engine_stopped)
        return archiving

    def _record(self, exchange: Exchange) -> None:
        if host_and_port(exchange.url) != self._splash:
            self._write(self._writer.write, exchange)

    def _record_rendered(self, url: str, page: bytes) -> None:
        self._write(self._writer.write_conversion, url, page)

    def _write(self, write: Callable[..., None], *what: Any) -> None:
        if self._writer.failed is not None:
            return
        try:
            write(*what)
        except ArchiveError as error:
            if self._pages is not None:
                # What is not archived is to be fetched again.
                self._pages.fail(error)
                return
            logger.error("%s", error)
            if self.crawler.engine is not None and self.crawler.engine.spider is not None:
                self._stopping: Any = asyncio.ensure_future(
                    self.crawler.engine.close_spider_async(reason="archive_failed")
                )

    def _engine_stopped(self) -> None:
        try:
            self._writer.sync()
        except ArchiveError as error:
            logger.error("%s", error)
        self._writer.close()


def _about(given: Mapping[str, str], settings: BaseSettings) -> dict[str, str]:
    """The fields of the warcinfo record (WARC 1.1, 6.2, with names of Dublin Core and of Heritrix), and how the run was asked for."""
    told = {name: settings[name] for name in _TOLD_SETTINGS}
    return {
        "software": f"{settings['USER_AGENT'].partition(' ')[0]} Scrapy/{scrapy.__version__}",
        "format": "WARC File Format 1.1",
        "conformsTo": "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
        "http-header-user-agent": settings["USER_AGENT"],
        "robots": "obey" if settings.getbool("ROBOTSTXT_OBEY") else "ignore",
        "description": "scrapy crawl articles "
        + " ".join(f"-a {name}={hide_userinfo(value)}" for name, value in given.items()),
        "settings": " ".join(f"{name}={value}" for name, value in told.items()),
    }

"""Writes the WARC archive of a run (``-a archive=FILE.warc.gz``).

If the archive cannot be written, the run is stopped.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self

import scrapy
from scrapy import signals
from scrapy.exceptions import NotConfigured

from crawler.crawl.run import run_of
from crawler.credentials import hide_userinfo
from crawler.errors import ArchiveError
from crawler.extraction.publishers import host_and_port

if TYPE_CHECKING:
    from pathlib import Path

    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings

    from crawler.crawl.ledger.pages import Pages
    from crawler.crawl.run import Run
    from crawler.warc.writer import Exchange
    from crawler.workers.courier import Courier

logger = logging.getLogger(__name__)

# The settings that determine how a site was crawled; none can contain a password.
_RECORDED_SETTINGS = (
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
    """An extension that writes a run's HTTP exchanges to a WARC file, enabled by ``archive``."""

    def __init__(self, crawler: Crawler, run: Run, path: Path) -> None:
        # Imported only by runs that write an archive.
        from crawler.warc.archived import RENDERED_BY
        from crawler.warc.writer import WarcWriter

        self._run = run
        warcinfo = _warcinfo_fields(run.given, crawler.settings)
        if run.renderer:
            warcinfo[RENDERED_BY] = run.renderer
        # Requests to Splash are not requests to the publisher.
        self._splash = (
            host_and_port(crawler.settings["SPLASH_URL"]) if run.renderer == "splash" else None
        )
        self._keeper: Courier | Pages | None = run.courier or (run.job.pages if run.job else None)
        if self._keeper is None:
            self._writer = WarcWriter(path, warcinfo)
        else:
            self._writer = WarcWriter(
                path, warcinfo, self._keeper.archived, self._keeper.note_archived
            )
            # The ledger must not record a page as archived before it is on disk.
            self._keeper.before_commit.append(self._writer.sync)
        run.archive = self._writer
        run.archive_exchange = self._record
        run.archive_page = self._record_page

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Open the archive. Raises ArchiveError if it cannot be written."""
        run = run_of(crawler.spider)
        if run is None or run.arguments.archive is None:
            raise NotConfigured
        archiving = cls(crawler, run, run.arguments.archive)
        crawler.signals.connect(archiving._engine_stopped, signal=signals.engine_stopped)
        return archiving

    def _record(self, exchange: Exchange) -> None:
        if self._splash is None or host_and_port(exchange.url) != self._splash:
            self._write(self._writer.write, exchange)

    def _record_page(self, url: str, page: bytes) -> None:
        self._write(self._writer.write_conversion, url, page)

    def _write(self, write: Callable[..., None], *args: Any) -> None:
        if self._writer.failed is not None:
            return
        try:
            write(*args)
        except ArchiveError as error:
            if self._keeper is None:
                self._run.fail(error)
            else:
                # A page that is not archived has to be fetched again.
                self._keeper.fail(error)

    def _engine_stopped(self) -> None:
        try:
            self._writer.sync()
        except ArchiveError as error:
            logger.error("%s", error)
        self._writer.close()


def _warcinfo_fields(given: Mapping[str, str], settings: BaseSettings) -> dict[str, str]:
    """Return the fields of the warcinfo record: how the run was started, and with which settings.

    WARC 1.1, section 6.2; the field names are those of Dublin Core and Heritrix.
    """
    recorded_settings = {name: settings[name] for name in _RECORDED_SETTINGS}
    return {
        "software": f"{settings['USER_AGENT'].partition(' ')[0]} Scrapy/{scrapy.__version__}",
        "format": "WARC File Format 1.1",
        "conformsTo": (
            "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"
        ),
        "http-header-user-agent": settings["USER_AGENT"],
        "robots": "obey" if settings.getbool("ROBOTSTXT_OBEY") else "ignore",
        "description": "scrapy crawl articles "
        + " ".join(f"-a {name}={hide_userinfo(value)}" for name, value in given.items()),
        "settings": " ".join(f"{name}={value}" for name, value in recorded_settings.items()),
    }

"""Runs a crawl in the process of a command."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from crawler.errors import CrawlerError
from crawler.exit_codes import COULD_NOT_START

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy.crawler import Crawler, CrawlerProcessBase

# These loggers describe Scrapy's components, not the run.
_WORDY_LOGGERS = (
    "scrapy.middleware",
    "scrapy.utils.log",
    "scrapy.crawler",
    "scrapy.addons",
    "scrapy.core.engine",
    "asyncio",
    "py.warnings",
    "scrapy.extensions.feedexport",
    "scrapy-playwright",
)


def _is_warning(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING


def quieten_loggers() -> None:
    """Keep Scrapy from describing its components in the log."""
    for name in _WORDY_LOGGERS:
        logging.getLogger(name).addFilter(_is_warning)


class FirstLoop:
    """An event loop for Scrapy to find before it installs the one in ASYNCIO_EVENT_LOOP.

    Scrapy would make one itself and leave it open, about which Python would warn when it exits.
    Create it before the ``CrawlerProcess``, and close it afterwards.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)

    def close(self) -> None:
        """Close the loop, unless Scrapy uses it."""
        if asyncio.get_event_loop() is not self._loop:
            self._loop.close()


def run_crawl(process: CrawlerProcessBase, crawler: Crawler, arguments: Mapping[str, Any]) -> None:
    """Run a crawl to its end. Raises CrawlerError if it could not start."""
    run = process.crawl(crawler, **arguments)
    process.start()
    fault = (
        run.exception()
        if isinstance(run, asyncio.Task) and run.done() and not run.cancelled()
        else None
    )
    if isinstance(fault, CrawlerError):
        raise fault
    if fault is not None or process.bootstrap_failed:
        message = f"the run could not start: {type(fault).__name__}: {fault}"
        raise CrawlerError(message, COULD_NOT_START)

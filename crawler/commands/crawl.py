"""``scrapy crawl``, with arguments checked before it starts, a report at its end, and an exit code that tells what happened."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import sys
from pathlib import Path

from scrapy.commands import crawl
from scrapy.crawler import Crawler
from w3lib.url import file_uri_to_path

from crawler.crawl import arguments
from crawler.crawl.report import COULD_NOT_START
from crawler.errors import CrawlerError, did_you_mean
from crawler.extensions.reporting import Reporter
from crawler.extensions.safe_logs import make_logs_safe
from crawler.feeds.storage import check_writable
from crawler.settings_check import check_values, misspelt
from crawler.spiders.articles import ArticlesSpider
from crawler.terminal import replace_closed_streams, say

# They tell what Scrapy is made of, not what the run does.
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


class Command(crawl.Command):
    """Overrides Scrapy's command of the same name. Spiders other than ``articles`` run as Scrapy runs them."""

    def long_desc(self) -> str:
        return (
            f"{self.short_desc()}. `scrapy arguments` lists the arguments of the articles spider."
        )

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        replace_closed_streams()
        super().process_options(args, opts)
        assert self.settings is not None
        # Scrapy asks for this one before it sets that of ASYNCIO_EVENT_LOOP, and leaves it open; Python would complain of that at its end.
        self._first_loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._first_loop)
        if self.settings["LOG_LEVEL"] != "DEBUG":
            for name in _WORDY_LOGGERS:
                logging.getLogger(name).addFilter(_is_warning)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        assert self.crawler_process is not None and self.settings is not None
        make_logs_safe()
        if asyncio.get_event_loop() is not self._first_loop:
            self._first_loop.close()
        spiders = self.crawler_process.spider_loader.list()
        if len(args) == 1 and args[0] not in spiders:
            hint = did_you_mean(args[0], spiders)
            self._refuse(
                CrawlerError(f"spider: got {args[0]!r}, takes one of {', '.join(spiders)}{hint}")
            )
            return
        if len(args) != 1 or not issubclass(
            self.crawler_process.spider_loader.load(args[0]), ArticlesSpider
        ):
            super().run(args, opts)
            return
        for warning in misspelt(self.settings):
            say(f"scrapy crawl: {warning}", sys.stderr)
        try:
            check_values(self.settings)
            asked = arguments.parse(opts.spargs)
            arguments.require_seed(asked)
            self._check_job(opts.spargs)
            self._check_feeds()
            if asked.archive:
                _check_target("archive", asked.archive, "give another file with -a archive=FILE")
        except CrawlerError as error:
            self._refuse(error)
            return
        if self.settings["LOG_LEVEL"] != "DEBUG":
            # They make a record of every page and item, which no handler would show.
            for name in ("scrapy.core.engine", "scrapy.core.scraper"):
                logging.getLogger(name).setLevel(logging.INFO)
        # A crawl makes many small objects that die young; at Python's default it would look for cycles every 700 of them.
        gc.set_threshold(50_000, 20, 100)
        crawler = self.crawler_process.create_crawler(args[0])
        run = self.crawler_process.crawl(crawler, **opts.spargs)
        self.crawler_process.start()
        fault = (
            run.exception()
            if isinstance(run, asyncio.Task) and run.done() and not run.cancelled()
            else None
        )
        if isinstance(fault, CrawlerError):
            self._refuse(fault)
        elif fault is not None or self.crawler_process.bootstrap_failed:
            self._refuse(
                CrawlerError(
                    f"the run could not start: {type(fault).__name__}: {fault}", COULD_NOT_START
                )
            )
        else:
            self._report(crawler)

    def _refuse(self, error: CrawlerError) -> None:
        say(f"scrapy crawl: {error}", sys.stderr)
        self.exitcode = error.exit_code

    def _check_job(self, given: dict[str, str]) -> None:
        """CrawlerError if a memory is wanted, and it is not said where."""
        assert self.settings is not None
        folder = self.settings["JOBDIR"]
        if folder is not None and not str(folder).strip():
            raise CrawlerError("JOBDIR: got '', takes the folder of the job")
        if folder is None and "recheck" in given:
            raise CrawlerError(
                "recheck: only a crawl with a memory asks again; takes -s JOBDIR=FOLDER with it"
            )

    def _check_feeds(self) -> None:
        """CrawlerError if a feed file could not be written at the end: better to know before the first request."""
        assert self.settings is not None
        for uri in map(str, self.settings.getdict("FEEDS")):
            if ("://" in uri and not uri.startswith("file:")) or uri.startswith("stdout:"):
                continue
            target = Path(file_uri_to_path(uri) if uri.startswith("file:") else uri)
            if "%(" in str(target.parent):
                continue
            _check_target("feed", target, "give another file with -o")

    def _report(self, crawler: Crawler) -> None:
        reporter = crawler.get_extension(Reporter)
        if reporter is None or crawler.spider is None:
            self.exitcode = COULD_NOT_START
            return
        # Of a run that was broken off; otherwise the extension has printed it.
        self.exitcode = reporter.print()


def _check_target(what: str, target: Path, advice: str) -> None:
    try:
        check_writable(target)
    except OSError as error:
        message = f"{what}: {target} cannot be written ({error.strerror}); {advice}, or make its folder writable"
        raise CrawlerError(message, COULD_NOT_START) from error

"""``scrapy crawl``: arguments are checked first, and the exit code says how the run ended.

Modules that only a crawl needs are imported when it begins, so that a wrong argument is reported
at once.
"""

from __future__ import annotations

import argparse
import gc
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy import signals
from scrapy.commands import crawl

from crawler.crawl import arguments
from crawler.crawl_options import add_argument_options, add_job_option, option_strings
from crawler.crawl_process import FirstLoop, quieten_loggers, run_crawl
from crawler.errors import CrawlerError, did_you_mean
from crawler.files import check_writable
from crawler.live_line import close_live_line, open_live_line
from crawler.program import SPIDER, as_typed
from crawler.terminal import replace_closed_streams, say
from crawler.workers.roles import role_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.workers.membership import Membership

_MODULE = "crawler.spiders"
# These loggers make a log record for every page and item, which no handler would show.
_BUSY_LOGGERS = ("scrapy.core.engine", "scrapy.core.scraper")


class Command(crawl.Command):
    """Scrapy's command, which still runs spiders without a frontier as Scrapy does."""

    def long_desc(self) -> str:
        return (
            f"{self.short_desc()}. `scrapy arguments` lists the arguments of the articles spider."
        )

    def syntax(self) -> str:
        return "[options] SPIDER [SEED ...]"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        add_argument_options(parser, arguments.ARGUMENTS)
        super().add_options(parser)
        add_job_option(parser)

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        replace_closed_streams()
        super().process_options(args, opts)
        assert self.settings is not None
        self._is_checked = False
        if args[:1] == [SPIDER] and _MODULE in self.settings.getlist("SPIDER_MODULES"):
            # The checks and imports that follow take a second.
            if line := open_live_line():
                line.show("starting ...")
            try:
                _take_seeds(args, opts.spargs)
                self._check_arguments(opts.spargs)
                self._check_settings(opts.spargs)
                self._is_checked = True
            except CrawlerError as error:
                self._refuse(error)
                sys.exit(self.exitcode)
        self._first_loop = FirstLoop()
        if self.settings["LOG_LEVEL"] != "DEBUG":
            quieten_loggers()

    def _check_arguments(self, given: dict[str, str]) -> None:
        assert self.settings is not None
        parsed = arguments.parse(given, self.settings.get("PUBLISHERS"))
        arguments.require_seed(parsed)
        if parsed.archive:
            _check_target("archive", parsed.archive, "give another file with --archive FILE")
        if parsed.report:
            _check_target("report", parsed.report, "give another file with --report FILE")

    def _check_settings(self, given: dict[str, str]) -> None:
        """Raise CrawlerError if a setting is wrong, or a feed could not be written at the end."""
        from crawler.settings_check import check_values, misspelt

        assert self.settings is not None
        for warning in misspelt(self.settings):
            say(f"{as_typed('crawl')}: {warning}", sys.stderr)
        check_values(self.settings)
        if log_file := self.settings["LOG_FILE"]:
            _check_target("LOG_FILE", Path(log_file), "give another file with --logfile")
        self._check_job(given)
        self._check_feeds()

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        from crawler.extensions.safe_logs import make_logs_safe
        from crawler.spiders.frontier_spider import FrontierSpider

        assert self.crawler_process is not None
        make_logs_safe()
        self._first_loop.close()
        spiders = self.crawler_process.spider_loader.list()
        if len(args) == 1 and args[0] not in spiders:
            hint = did_you_mean(args[0], spiders)
            message = f"spider: got {args[0]!r}, takes one of {', '.join(spiders)}{hint}"
            self._refuse(CrawlerError(message))
        elif len(args) == 1 and issubclass(
            self.crawler_process.spider_loader.load(args[0]), FrontierSpider
        ):
            self._crawl(args[0], opts)
        else:
            super().run(args, opts)

    def _crawl(self, spider: str, opts: argparse.Namespace) -> None:
        assert self.crawler_process is not None and self.settings is not None
        if not self._is_checked:
            # Another spider may have arguments of its own, so only the settings are checked.
            try:
                self._check_settings(opts.spargs)
            except CrawlerError as error:
                self._refuse(error)
                return
        if self.settings["LOG_LEVEL"] != "DEBUG":
            for name in _BUSY_LOGGERS:
                logging.getLogger(name).setLevel(logging.INFO)
        # A crawl makes many short-lived small objects. By default, Python would look for reference
        # cycles whenever there are several hundred more of them.
        gc.set_threshold(50_000, 20, 100)
        try:
            crawler = self.crawler_process.create_crawler(spider)
            # The line that the command began with. Connected first, so that the run can open its
            # own.
            crawler.signals.connect(close_live_line, signal=signals.spider_opened)
            run_crawl(self.crawler_process, crawler, opts.spargs)
        except CrawlerError as error:
            self._refuse(error)
        else:
            self._summarise(crawler)
        # Otherwise, Python would look for reference cycles in everything that the crawl leaves
        # behind before it exits.
        gc.freeze()

    def _refuse(self, error: CrawlerError) -> None:
        close_live_line()
        say(f"{as_typed('crawl')}: {error}", sys.stderr)
        self.exitcode = error.exit_code

    def _check_job(self, given: dict[str, str]) -> None:
        """Raise CrawlerError if no job is named right, although ``recheck`` needs one."""
        from crawler.job_settings import place_of

        assert self.settings is not None
        folder = self.settings["JOBDIR"]
        if folder is not None and not str(folder).strip():
            raise CrawlerError("job: got '', takes the folder of the job")
        if place_of(self.settings) is None and "recheck" in given:
            raise CrawlerError(
                "recheck: only a crawl with a ledger requests articles again; add --job FOLDER"
            )

    def _check_feeds(self) -> None:
        from w3lib.url import file_uri_to_path

        from crawler.feeds.run_folder import outermost_named

        assert self.settings is not None
        for uri in map(str, self.settings.getdict("FEEDS")):
            if ("://" in uri and not uri.startswith("file:")) or uri.startswith("stdout:"):
                continue
            target = Path(file_uri_to_path(uri) if uri.startswith("file:") else uri)
            _check_target("feed", outermost_named(target), "give another file with -o")

    def _summarise(self, crawler: Crawler) -> None:
        from crawler.exit_codes import COULD_NOT_START
        from crawler.extensions.summarising import Summariser

        # It is still open if the run was aborted.
        close_live_line()
        if (membership := _membership_of(crawler)) is not None:
            self.exitcode = membership.exit_code
            return
        summariser = crawler.get_extension(Summariser)
        if summariser is None or crawler.spider is None:
            self.exitcode = COULD_NOT_START
            return
        # This prints only if the run was aborted; otherwise the extension has already printed.
        self.exitcode = summariser.print()


def _membership_of(crawler: Crawler) -> Membership | None:
    """Return how the process belonged to the workers of a job, if it did."""
    if crawler.spider is None or role_of(crawler.settings) is None:
        return None
    from crawler.workers.membership import Membership

    return crawler.get_extension(Membership)


def _take_seeds(args: list[str], given: dict[str, str]) -> None:
    """Move the seeds that follow the spider's name to its arguments.

    Raises CrawlerError if there is an unknown option among them, or if seeds are given twice.
    """
    seeds = args[1:]
    if options := [seed for seed in seeds if seed.startswith("-")]:
        known = [option_strings(name)[0] for name in arguments.NAMES]
        raise CrawlerError(f"no such option: {options[0]}{did_you_mean(options[0], known)}")
    if seeds and "seed" in given:
        raise CrawlerError(f"seed: got {given['seed']!r} and {seeds[0]!r}; give all in one place")
    if seeds:
        given["seed"] = arguments.joined(seeds)
        del args[1:]


def _check_target(name: str, target: Path, advice: str) -> None:
    try:
        check_writable(target)
    except OSError as error:
        # The name of a run's folder is not known yet.
        place = target.parent if "%(" in target.name else target
        message = f"{name}: {place} cannot be written ({error.strerror}); {advice}"
        raise CrawlerError(f"{message}, or make the folder writable", exit_code=1) from error

"""The base classes of the commands that request nothing."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

from crawler.crawl_options import add_job_option
from crawler.errors import CrawlerError
from crawler.program import as_typed
from crawler.terminal import output, say

if TYPE_CHECKING:
    from crawler.crawl.ledger.database import Database
    from crawler.crawl.ledger.places import Place


class OfflineCommand(ScrapyCommand):
    """A command that requests nothing.

    Subclasses implement ``act``; a CrawlerError raised there is printed as one line.
    """

    requires_project = True
    requires_crawler_process = False
    default_settings = {"LOG_ENABLED": False}  # noqa: RUF012

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        if options := [arg for arg in args if arg.startswith("-")]:
            raise UsageError(
                f"no such option: {options[0]}; takes {self.syntax()}", print_help=False
            )
        name = type(self).__module__.rpartition(".")[2]
        try:
            with output():
                self.act(args, opts)
        except CrawlerError as error:
            say(f"{as_typed(name)}: {error}", file=sys.stderr)
            self.exitcode = error.exit_code

    def act(self, args: list[str], opts: argparse.Namespace) -> None:
        raise NotImplementedError


class ReadingCommand(OfflineCommand):
    """A command that reads the results of crawls, such as a job."""

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        add_job_option(parser)


class LedgerCommand(ReadingCommand):
    """A command that reads the ledger of ``--job FOLDER``.

    Subclasses implement ``read_ledger``.
    """

    argument_count = 0
    """The number of positional arguments."""
    prints_json = False
    """Whether there is an option --json."""

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        if self.prints_json:
            parser.add_argument(
                "--json", action="store_true", help="print one JSON object, for programs"
            )

    def act(self, args: list[str], opts: argparse.Namespace) -> None:
        assert self.settings is not None
        if len(args) != self.argument_count:
            problem = f"got {' '.join(args)!r}" if args else "an argument is missing"
            raise UsageError(f"{problem}; takes {self.syntax()}", print_help=False)
        # Scrapy imports every command to run any one of them, and the database is slow to import.
        from crawler.crawl.ledger import job
        from crawler.job_settings import place_of

        place = place_of(self.settings)
        if place is None:
            raise CrawlerError(
                "job: missing; takes the folder of a job, such as --job output/jobs/NAME, or the "
                "name of one in the database of LEDGER_URL"
            )
        database = job.read(place)
        try:
            self.read_ledger(place, database, args, opts)
        finally:
            database.close()

    def read_ledger(
        self, place: Place, database: Database, args: list[str], opts: argparse.Namespace
    ) -> None:
        raise NotImplementedError

"""``scrapy report``: a job, or feeds, as one HTML file to look at."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

from crawler.errors import CrawlerError
from crawler.exit_codes import COULD_NOT_START
from crawler.files import check_is_html
from crawler.terminal import output, say

_DEFAULT = "report.html"


class Command(ScrapyCommand):
    requires_project = True
    requires_crawler_process = False
    default_settings = {"LOG_ENABLED": False}  # noqa: RUF012

    def syntax(self) -> str:
        return "-s JOBDIR=FOLDER | FEED... [-o FILE]"

    def short_desc(self) -> str:
        return "Write a job or feeds as one HTML file with a graph, a time line and a table"

    def long_desc(self) -> str:
        return (
            f"{self.short_desc()}. It needs no network and can be sent to others. A feed is a file "
            "of JSON Lines that a crawl has written, or the folder of a run."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "-o",
            "--output",
            metavar="FILE",
            default=_DEFAULT,
            help=f"the file to write or replace (default: {_DEFAULT})",
        )

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        if options := [arg for arg in args if arg.startswith("-")]:
            raise UsageError(
                f"no such option: {options[0]}; takes {self.syntax()}", print_help=False
            )
        try:
            with output():
                self._write(args, opts.output)
        except CrawlerError as error:
            say(f"scrapy report: {error}", file=sys.stderr)
            self.exitcode = error.exit_code

    def _write(self, feeds: list[str], target: str) -> None:
        from crawler.export.opening import opened
        from crawler.report.page import write_to_file

        assert self.settings is not None
        check_is_html("output", target)
        jobdir = self.settings.get("JOBDIR")
        with opened("report", jobdir, feeds, target) as corpus:
            say(write_to_file(corpus, Path(target), jobdir), sys.stderr)
            if corpus.left_out:
                # The report names them.
                self.exitcode = COULD_NOT_START

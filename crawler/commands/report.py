"""``scrapy report``: a job, or feeds, as one HTML file to look at."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from crawler.exit_codes import COULD_NOT_START
from crawler.files import check_is_html
from crawler.offline_commands import ReadingCommand
from crawler.terminal import say

_DEFAULT = "report.html"


class Command(ReadingCommand):
    def syntax(self) -> str:
        return "--job FOLDER | FEED... [-o FILE]"

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
            help="the file to write or replace "
            f"(default: {_DEFAULT}; example: -o output/report.html)",
        )

    def act(self, args: list[str], opts: argparse.Namespace) -> None:
        from crawler.export.opening import opened
        from crawler.report.page import write_to_file

        assert self.settings is not None
        check_is_html("output", opts.output)
        with opened("report", self.settings, args, opts.output) as corpus:
            say(write_to_file(corpus, Path(opts.output)), sys.stderr)
            if corpus.left_out:
                # The report names them.
                self.exitcode = COULD_NOT_START

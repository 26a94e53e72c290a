"""``scrapy demo``: crawls a sample site that is part of this package, and opens the report."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.commands import BaseRunSpiderCommand
from scrapy.exceptions import UsageError

from crawler.commands import crawl
from crawler.exit_codes import COMPLETE
from crawler.program import SPIDER, as_typed
from crawler.terminal import say

if TYPE_CHECKING:
    import argparse

_SITE = Path(__file__).parents[1] / "sample_site"
_SEED = "1752038"
_REPORT = Path("output", "demo.html")
# With none of these, there may be a browser for text terminals, which cannot show the report.
_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")


class Command(crawl.Command):
    def syntax(self) -> str:
        return "[--no-browser]"

    def short_desc(self) -> str:
        return "Crawl a small sample site without a network, and open the report"

    def long_desc(self) -> str:
        return (
            f"{self.short_desc()}. The sample site has 30 articles of 2015, of which 21 were saved "
            f"and 9 are only listed. The records are in output/latest, the report is {_REPORT}."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        BaseRunSpiderCommand.add_options(self, parser)
        parser.add_argument(
            "--no-browser", action="store_true", help="do not open the report in a web browser"
        )

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        if args:
            raise UsageError(f"got {args[0]!r}; takes {self.syntax()}", print_help=False)
        opts.spargs += [f"seed={_SEED}", f"source={_SITE}", f"report={_REPORT}"]
        args.insert(0, SPIDER)
        super().process_options(args, opts)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        super().run(args, opts)
        if self.exitcode != COMPLETE:
            return
        say()
        if not opts.no_browser and _has_screen() and webbrowser.open(_REPORT.resolve().as_uri()):
            say(f"{_REPORT} is open in your web browser.")
        else:
            say(f"Open {_REPORT} in a web browser.")
        crawl_command = as_typed("crawl articles")
        say(f"Now an article that you know: {crawl_command} URL --depth 1 --report {_REPORT}")


def _has_screen() -> bool:
    return sys.platform == "darwin" or any(map(os.environ.get, _SCREENS))

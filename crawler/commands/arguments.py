"""``scrapy arguments``: the arguments of the articles spider."""

from __future__ import annotations

import argparse
import textwrap

from scrapy.commands import ScrapyCommand

from crawler.crawl.arguments import ARGUMENTS
from crawler.terminal import output, say

_INDENT = " " * 12


class Command(ScrapyCommand):
    requires_project = True
    requires_crawler_process = False

    def short_desc(self) -> str:
        return "List the arguments of the articles spider"

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        with output():
            say("scrapy crawl articles -a NAME=VALUE ...")
            for argument in ARGUMENTS:
                described = argument.described(f"{argument.name}=")
                meaning = textwrap.wrap(described, 100 - len(_INDENT))
                say(f"  {argument.name:<10}{meaning[0]}")
                for line in meaning[1:]:
                    say(f"{_INDENT}{line}")

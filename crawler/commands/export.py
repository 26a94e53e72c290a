"""``scrapy export``: the articles of a job, or of feeds, in a format that other programs open."""

from __future__ import annotations

import argparse
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.errors import CrawlerError
from crawler.exit_codes import COULD_NOT_START
from crawler.offline_commands import ReadingCommand
from crawler.program import as_typed
from crawler.terminal import say

if TYPE_CHECKING:
    from crawler.export.corpus import Copies, Corpus
    from crawler.export.writing import Export

_MOST_NAMED = 20


class Command(ReadingCommand):
    def syntax(self) -> str:
        return (
            "--job FOLDER | FEED... [--format NAME] [--revisions] [--near-copies] [-o FILE|FOLDER/]"
        )

    def short_desc(self) -> str:
        return "Write a job or feeds as JSON Lines, tables, a database, a graph or a news feed"

    def long_desc(self) -> str:
        return (
            f"{self.short_desc()}. A feed is a file of JSON Lines that a crawl has written, or the "
            "folder of a run. docs/how-to/exports.md shows each format."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        from crawler.export.formats import FORMATS

        super().add_options(parser)
        # Scrapy takes a line that ends in a colon for a heading.
        meanings = ", ".join(f"{known.name} ({known.meaning})" for known in FORMATS)
        parser.add_argument(
            "--format",
            metavar="NAME",
            help=f"one of {meanings}; by default that of the ending of FILE, or else jsonl "
            "(example: --format csv)",
        )
        parser.add_argument(
            "--revisions", action="store_true", help="write all revisions of each article"
        )
        parser.add_argument(
            "--near-copies",
            action="store_true",
            help="add the ids of the articles with nearly the same text (same_text_as)",
        )
        parser.add_argument(
            "-o",
            "--output",
            metavar="FILE",
            help="the file to write or replace, or a folder "
            "(default: standard output; example: -o articles.parquet)",
        )

    def act(self, args: list[str], opts: argparse.Namespace) -> None:
        from crawler.export import formats
        from crawler.export.opening import opened
        from crawler.export.writing import Export

        assert self.settings is not None
        target = None if opts.output == "-" else opts.output
        chosen = formats.choose(opts.format, target)
        if opts.revisions and "every_revision" not in chosen.options:
            able = ", ".join(
                known.name for known in formats.FORMATS if "every_revision" in known.options
            )
            raise CrawlerError(
                f"--revisions: {chosen.name} holds the latest of each article; takes {able}"
            )
        with opened("export", self.settings, args, target) as corpus:
            export = Export(
                corpus=corpus,
                chosen=chosen,
                copies=_near_copies(corpus) if opts.near_copies else None,
                every_revision=opts.revisions,
                escape_formulas=self.settings.getbool("CSV_ESCAPE_FORMULAS", True),
            )
            _write(export, target)
            if corpus.left_out:
                self._name_left_out(corpus.left_out)

    def _name_left_out(self, left_out: dict[str, str]) -> None:
        for place, reason in islice(left_out.items(), _MOST_NAMED):
            say(f"{as_typed('export')}: left out {place}: {reason}", sys.stderr)
        records = "record" if len(left_out) == 1 else "records"
        say(f"{as_typed('export')}: {len(left_out):,} {records} left out", sys.stderr)
        self.exitcode = COULD_NOT_START


def _near_copies(corpus: Corpus) -> Copies:
    from crawler.export import near_copies

    return near_copies.find(corpus.articles())


def _write(export: Export, target: str | None) -> None:
    from crawler.export.formats import names_folder

    if target is None:
        if sys.stdout is None:
            raise CrawlerError("standard output is closed; give a file with -o", exit_code=1)
        export.to_stream(sys.stdout.buffer)
        return
    try:
        written = (
            export.to_folder(Path(target)) if names_folder(target) else export.to_file(Path(target))
        )
    except OSError as error:
        raise CrawlerError(
            f"output: {target} cannot be written ({error.strerror}); give another file",
            exit_code=1,
        ) from error
    say(written, sys.stderr)

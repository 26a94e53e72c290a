"""``scrapy publisher``: drafts a publisher file from a few articles, or checks one.

Modules that only a draft needs are imported when it begins.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError
from scrapy.settings import SETTINGS_PRIORITIES
from scrapy.utils.conf import arglist_to_dict

from crawler.crawl.arguments import ARGUMENTS
from crawler.crawl_options import add_argument_options
from crawler.crawl_process import FirstLoop, quieten_loggers
from crawler.errors import CrawlerError, did_you_mean
from crawler.exit_codes import COMPLETE, INCOMPLETE, NOTHING_STORED
from crawler.program import as_typed
from crawler.terminal import output, replace_closed_streams, say

if TYPE_CHECKING:
    from collections.abc import Iterable

_FOLDER = "publishers"
# The arguments of the crawl that a user may give.
_ARGUMENTS = ("source", "at", "archive", "render")
_DIFFERENT = 1


class Command(ScrapyCommand):
    requires_project = True

    def syntax(self) -> str:
        return "[options] URL [URL ...] | --check FILE [--update]"

    def short_desc(self) -> str:
        return "Draft a publisher file from two or three articles, or check one"

    def long_desc(self) -> str:
        return (
            "Read two or three articles of a publisher, show their records, and write a publisher "
            "file with comments, and beside it the pages with the records expected of them. "
            "--check reads these pages again and compares the records. docs/how-to/publishers.md "
            "explains publisher files."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        given = [argument for argument in ARGUMENTS if argument.name in _ARGUMENTS]
        add_argument_options(parser, given)
        super().add_options(parser)
        parser.add_argument(
            "-a",
            dest="spargs",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="set an argument of the crawl: source, at, archive or render (may be repeated; "
            "example: -a source=wayback)",
        )
        parser.add_argument(
            "-o",
            "--output",
            metavar="FILE",
            help="the publisher file to write (default: NAME.py in the folder PUBLISHERS, or in "
            f"./{_FOLDER}; example: -o publishers/courier.py)",
        )
        parser.add_argument(
            "--force", action="store_true", help="replace the file and the pages beside it"
        )
        parser.add_argument(
            "--check",
            metavar="FILE",
            help="compare a publisher file with its expected records "
            "(default: none; example: --check publishers/courier.py)",
        )
        parser.add_argument(
            "--update", action="store_true", help="with --check: record the new values"
        )

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        replace_closed_streams()
        super().process_options(args, opts)
        if options := [arg for arg in args if arg.startswith("-")]:
            raise UsageError(f"no such option: {options[0]}", print_help=False)
        if opts.update and opts.check is None:
            raise UsageError("--update takes --check FILE beside it", print_help=False)
        if args and opts.check is not None:
            raise UsageError("takes URLs or --check FILE, not both", print_help=False)
        self.requires_crawler_process = opts.check is None
        if opts.check is None:
            try:
                self._prepare(args, opts)
            except CrawlerError as error:
                self._refuse(error)
                sys.exit(self.exitcode)

    def _prepare(self, urls: list[str], opts: argparse.Namespace) -> None:
        """Check everything before the crawl. Raises CrawlerError if an argument is wrong."""
        from crawler.publisher_drafts import sampling
        from crawler.publisher_drafts.drafting import name_of
        from crawler.publisher_drafts.writing import check_target
        from crawler.settings_check import check_values, misspelt

        assert self.settings is not None
        self._given = _crawl_arguments(opts.spargs)
        sampling.check_urls(urls)
        for warning in misspelt(self.settings):
            say(f"{as_typed('publisher')}: {warning}", sys.stderr)
        check_values(self.settings)
        folder = self.settings.get("PUBLISHERS") or _FOLDER
        self._file = Path(opts.output or Path(folder, f"{name_of(urls[0])}.py"))
        check_target(self._file, force=opts.force)
        sampling.store_nothing(self.settings)
        if self.settings.getpriority("LOG_LEVEL") != SETTINGS_PRIORITIES["cmdline"]:
            # Failures are shown with their URLs.
            self.settings.set("LOG_LEVEL", "ERROR", priority="cmdline")
        self._first_loop = FirstLoop()
        if self.settings["LOG_LEVEL"] != "DEBUG":
            quieten_loggers()

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        try:
            with output():
                if opts.check is not None:
                    self.exitcode = self._check(Path(opts.check), update=opts.update)
                else:
                    self.exitcode = self._draft(list(dict.fromkeys(args)))
        except CrawlerError as error:
            self._refuse(error)

    def _draft(self, urls: list[str]) -> int:
        from crawler.extensions.safe_logs import make_logs_safe
        from crawler.publisher_drafts import display, sampling
        from crawler.publisher_drafts.writing import write_draft

        assert self.crawler_process is not None
        make_logs_safe()
        self._first_loop.close()
        samples = sampling.sample(self.crawler_process, urls, self._given)
        pages = [sample.page for sample in samples if sample.page]
        if not pages:
            _say_all(display.describe_samples(samples, None))
            say("nothing was written: none of the URLs gave an article")
            return NOTHING_STORED
        found = write_draft(self._file, pages)
        view = display.PageView(self._file, [page.url for page in pages])
        _say_all(display.describe_samples(samples, view))
        _say_all(display.describe_draft(found))
        _say_all(display.describe_files(self._file))
        return COMPLETE if len(pages) == len(samples) else INCOMPLETE

    def _check(self, file: Path, *, update: bool) -> int:
        from crawler.extraction.publisher_files import load_file
        from crawler.publisher_drafts import display, expected
        from crawler.publisher_drafts.writing import not_writable

        publisher = load_file(file)
        result = expected.check(file, publisher)
        _say_all(display.describe_check(result, file))
        if not update or not result.changes:
            if result.changes:
                say("if that is right, --update records the new values")
            return COMPLETE if result.passes else _DIFFERENT
        try:
            expected.update(file, publisher)
        except OSError as error:
            raise not_writable(error) from error
        say(f"updated: {expected.folder_of(file) / expected.FILE_NAME}")
        return _DIFFERENT if result.problems else COMPLETE

    def _refuse(self, error: CrawlerError) -> None:
        say(f"{as_typed('publisher')}: {error}", sys.stderr)
        self.exitcode = error.exit_code


def _crawl_arguments(texts: list[str]) -> dict[str, str]:
    """Return the arguments of the crawl. Raises CrawlerError if one is not for this command."""
    try:
        given: dict[str, str] = arglist_to_dict(texts)
    except ValueError:
        raise UsageError("Invalid -a value, use -a NAME=VALUE", print_help=False) from None
    for name, value in given.items():
        if name not in _ARGUMENTS:
            takes = f"but the command takes {', '.join(_ARGUMENTS)}{did_you_mean(name, _ARGUMENTS)}"
            raise CrawlerError(f"{name}: got {value!r}, {takes}")
    return given


def _say_all(lines: Iterable[str]) -> None:
    for line in lines:
        say(line)

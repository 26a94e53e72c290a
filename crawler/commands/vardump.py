"""``scrapy vardump``: the var_dump output in a file or page, as JSON or as a tree."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

from crawler.errors import CrawlerError
from crawler.program import as_typed
from crawler.terminal import output

if TYPE_CHECKING:
    from crawler import vardump

BROKEN = 1
_PRINT_R = re.compile(rb"(?<![^\n>])(?:Array|[A-Za-z_\\][\w\\]{0,200} Object)\r?\n *\(\r?\n")
_PREFORMATTED = re.compile(rb"<pre[^<>]*>", re.IGNORECASE)


class Command(ScrapyCommand):
    requires_project = True
    requires_crawler_process = False

    def syntax(self) -> str:
        return "[options] [FILE|-]"

    def short_desc(self) -> str:
        return "Print the PHP var_dump output in a file or page"

    def long_desc(self) -> str:
        return (
            "Print the first dump in a file, page or standard input as JSON, or all of them with "
            "--all. The exit code is 1 if there is no dump, or if a printed dump is broken or "
            "incomplete. For a broken dump, a message shows the place."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--all",
            action="store_true",
            help="print every dump, as JSON Lines with its position and how it was read",
        )
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help="print JSON (the default)")
        form.add_argument(
            "--tree",
            action="store_true",
            help="print a readable tree, with lengths, object numbers and references",
        )

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        if options := [arg for arg in args if arg.startswith("-") and arg != "-"]:
            raise UsageError(f"no such option: {options[0]}", print_help=False)
        if len(args) > 1:
            raise UsageError(f"takes one file, not {len(args)}", print_help=False)
        name = args[0] if args else "-"
        try:
            page = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        except OSError as error:
            raise UsageError(f"cannot read {name}: {error.strerror}", print_help=False) from None
        try:
            with output():
                self._show(page, name, opts)
        except CrawlerError as error:
            self._complain(f"{as_typed('vardump')}: {error}")

    def _show(self, page: bytes, name: str, opts: argparse.Namespace) -> None:
        from crawler import vardump
        from crawler.extraction.page.encoding import decode

        dumps = list(vardump.scan(page, decode(page, None).encoding))
        if not dumps:
            other = _format_of(page)
            self._complain(f"{name}: no dump found" + (f"; this is {other}" if other else ""))
        for dump in dumps if opts.all else dumps[:1]:
            self._print(dump, name, opts)
            self._check(dump, name)
        if len(dumps) > 1 and not opts.all:
            print(f"{name}: {len(dumps) - 1} more; --all prints them", file=sys.stderr)

    def _print(self, dump: vardump.Dump, name: str, opts: argparse.Namespace) -> None:
        from crawler.vardump import show

        if opts.tree:
            if opts.all:
                print(f"-- {dump.form}, bytes {dump.start} to {dump.end}")
            print("\n".join(show.tree(dump.node, dump.encoding)))
            return
        try:
            value = show.jsonable(dump.value)
            record = {
                "start": dump.start,
                "end": dump.end,
                "form": dump.form,
                "complete": dump.complete,
                "ambiguous": dump.ambiguous,
                "how": dump.how,
                "declared": dump.declared,
                "actual": dump.actual,
                "error": str(dump.error) if dump.error else None,
                "value": value,
            }
            print(
                json.dumps(record, ensure_ascii=False)
                if opts.all
                else json.dumps(value, ensure_ascii=False, indent=2)
            )
        except RecursionError:
            self._complain(
                f"{name}: the dump at byte {dump.start} is nested too deeply for JSON; "
                "--tree prints it"
            )

    def _check(self, dump: vardump.Dump, name: str) -> None:
        from crawler import vardump
        from crawler.vardump import show

        if dump.ambiguous:
            reason = (
                "the text after it does not fit the end of a string"
                if isinstance(dump.node, vardump.String)
                else "keys carry no length"
            )
            print(
                f"{name}: the dump at byte {dump.start} can be read in other ways too: {reason}",
                file=sys.stderr,
            )
        if dump.complete:
            return
        if dump.error is None:
            reason = (
                "some entries were left out"
                if dump.how == vardump.EXACT
                else f"a string ends at {dump.how}"
            )
            self._complain(f"{name}: the dump at byte {dump.start} is not complete: {reason}")
            return
        error = dump.error
        self._complain(
            f"{name}:{error.line}:{error.column}: {error.message}: expected {error.expected}\n"
            f"{show.place(error, dump.encoding)}"
        )

    def _complain(self, message: str) -> None:
        print(message, file=sys.stderr)
        self.exitcode = BROKEN


def _format_of(page: bytes) -> str | None:
    """Return the other PHP format that the page or a <pre> in it begins with, if any.

    The output of print_r may also begin on any line.
    """
    from crawler import vardump

    places = [0, *(tag.end() for tag in _PREFORMATTED.finditer(page))]
    places += [head.start() for head in _PRINT_R.finditer(page)]
    return next(
        (other for place in places if (other := vardump.format_of(page[place : place + 2_000]))),
        None,
    )

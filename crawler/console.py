"""The command ``neighbourhood``: the commands of this Scrapy project, from any folder.

``neighbourhood URL --depth 1`` runs ``scrapy crawl articles URL --depth 1``, and
``neighbourhood status --job FOLDER`` runs ``scrapy status --job FOLDER``.
"""

from __future__ import annotations

import argparse
import os
import sys
from cProfile import Profile
from importlib import import_module
from textwrap import fill
from typing import TYPE_CHECKING

import shtab
from scrapy.cmdline import ScrapyArgumentParser
from scrapy.exceptions import UsageError
from scrapy.settings import Settings

from crawler import program
from crawler.crawl.source_kinds import path_exists
from crawler.defaults import VERSION
from crawler.errors import CrawlerError, nearest
from crawler.terminal import output, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy.commands import ScrapyCommand

_CRAWL = "crawl"
COMMANDS = (
    "demo",
    "workers",
    "report",
    "export",
    "status",
    "why",
    "publisher",
    "serve",
    "vardump",
    "schema",
)
"""The commands besides the crawl, in the order in which the help lists them."""
_OF_THE_SPIDER = (_CRAWL, "workers")
_WIDTH = 96
# As shells report a process that SIGINT ended.
_INTERRUPTED = 130
# High enough for names that differ by a letter or two.
_LEAST_LIKENESS = 0.7
_SETTINGS_VARIABLE = "SCRAPY_SETTINGS_MODULE"
_DESCRIPTION = """\
Crawl the neighbourhood of a news article: read it, follow the related items that its
page lists, read those, and so on. A folder of saved pages, or an archive file, is read whole.
"""
_EXAMPLES = """\
examples:
  neighbourhood https://publisher.example/2026/05/01/some-story --report output/report.html
  neighbourhood https://publisher.example/ --depth 0 --job output/jobs/news
  neighbourhood 1752038 --at 2015-10-23
  neighbourhood 'captures/*.warc.gz' -o articles.jsonl
"""
# Defaults and examples of the options that Scrapy gives all commands.
_OF_SCRAPY = {
    "--logfile": "default: standard error; example: --logfile crawl.log",
    "--loglevel": "example: --loglevel DEBUG",
    "--profile": "default: none; example: --profile crawl.prof",
    "--pidfile": "default: none; example: --pidfile crawl.pid",
    "-s": "example: -s DOWNLOAD_DELAY=2",
    "-a": "example: -a depth=1",
    "-o": "default: folders in output; example: -o articles.jsonl",
    "-O": "default: folders in output; example: -O articles.jsonl",
}
_COMPLETED = {"FILE": shtab.FILE, "FOLDER": shtab.DIRECTORY}


def main() -> None:
    """Run the command that the words on the command line name, and exit with its code."""
    program.called_from_console()
    words = sys.argv[1:] or ["--help"]
    name = words.pop(0) if words[0] in (_CRAWL, *COMMANDS) else _CRAWL
    try:
        exit_code = _run(name, words)
    except CrawlerError as error:
        say(f"{program.CONSOLE}: {error}", sys.stderr)
        exit_code = error.exit_code
    except KeyboardInterrupt:
        # Before a crawl handles the signal itself.
        exit_code = _INTERRUPTED
    sys.exit(exit_code)


def _run(name: str, words: list[str]) -> int:
    """Run a command as Scrapy does, and return its exit code. Raises CrawlerError."""
    command = _command(name)
    parser = _parser(name, command)
    options, rest = parser.parse_known_args(words)
    if name == _CRAWL and options.print_completion is not None:
        with output():
            print(_completion(options.print_completion))
        return 0
    if name in _OF_THE_SPIDER:
        _check_are_targets(rest)
        rest.insert(0, program.SPIDER)
    assert command.settings is not None
    try:
        command.process_options(rest, options)
        if command.requires_crawler_process:
            # Commands without a crawl start faster without it.
            from scrapy.crawler import AsyncCrawlerProcess

            command.crawler_process = AsyncCrawlerProcess(command.settings)
        if options.profile:
            with Profile() as profile:
                command.run(rest, options)
            profile.dump_stats(options.profile)
        else:
            command.run(rest, options)
    except UsageError as error:
        parser.error(str(error))
    return command.exitcode


def _check_are_targets(words: list[str]) -> None:
    """Raise CrawlerError if a word was meant as a command."""
    for word in words:
        if not word.isalpha() or path_exists(word):
            continue
        if word in COMMANDS:
            raise CrawlerError(f"{word}: a command comes first: {program.CONSOLE} {word} ...")
        if word == "help":
            raise CrawlerError(
                f"no such command: help; {program.CONSOLE} --help lists the commands"
            )
        if near := nearest(word, COMMANDS, _LEAST_LIKENESS):
            raise CrawlerError(f"no such command: {word}; did you mean {near!r}?")


def _command(name: str) -> ScrapyCommand:
    """Return a command with the settings of this project, or those of the user's own module.

    Raises CrawlerError if that cannot be imported.
    """
    # Scrapy looks at this variable, too.
    module = os.environ.setdefault(_SETTINGS_VARIABLE, "crawler.settings")
    settings = Settings()
    try:
        settings.setmodule(module, priority="project")
    except ImportError as error:
        raise CrawlerError(
            f"{_SETTINGS_VARIABLE}: got {module!r}, which cannot be imported ({error}); "
            "takes a module in a folder that PYTHONPATH names"
        ) from error
    command: ScrapyCommand = import_module(f"crawler.commands.{name}").Command()
    settings.setdict(command.default_settings, priority="command")
    command.settings = settings
    return command


def _parser(name: str, command: ScrapyCommand) -> argparse.ArgumentParser:
    """Return the parser of a command's options, with its help."""
    if name != _CRAWL:
        parser = ScrapyArgumentParser(
            prog=f"{program.CONSOLE} {name}",
            usage=f"%(prog)s {command.syntax()}",
            description=command.long_desc(),
            conflict_handler="resolve",
        )
    else:
        parser = ScrapyArgumentParser(
            prog=program.CONSOLE,
            usage="%(prog)s URL|ID|FOLDER|ARCHIVE ... [options]\n       %(prog)s COMMAND ...",
            description=_DESCRIPTION,
            epilog="\n".join(_overview()),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            conflict_handler="resolve",
        )
        parser.add_argument(
            "--version",
            action="version",
            version=f"{program.CONSOLE} {VERSION}",
            help="print the version of this program and exit",
        )
        parser.add_argument(
            "--print-completion",
            metavar="SHELL",
            help="print a script that completes this command in a shell: "
            f"{', '.join(shtab.SUPPORTED_SHELLS)}",
        )
    _add_options(parser, command)
    return parser


def _overview() -> Iterator[str]:
    """Yield the lines of the help that list the commands and examples."""
    yield "commands (neighbourhood COMMAND --help explains one):"
    for name in COMMANDS:
        yield fill(
            _command(name).short_desc(),
            width=_WIDTH,
            initial_indent=f"  {name:<11}",
            subsequent_indent=" " * 13,
        )
    yield ""
    yield _EXAMPLES


def _add_options(parser: argparse.ArgumentParser, command: ScrapyCommand) -> None:
    """Add a command's options, and tell the defaults and examples of those that Scrapy adds."""
    command.add_options(parser)
    for action in parser._actions:
        for option in action.option_strings:
            if action.help and option in _OF_SCRAPY and "example:" not in action.help:
                action.help += f" ({_OF_SCRAPY[option]})"


def _completion(shell: str) -> str:
    """Return a script that completes the commands and options. Raises CrawlerError."""
    if shell not in shtab.SUPPORTED_SHELLS:
        raise CrawlerError(
            f"print-completion: got {shell!r}, takes one of {', '.join(shtab.SUPPORTED_SHELLS)}"
        )
    parser = argparse.ArgumentParser(program.CONSOLE, conflict_handler="resolve")
    subparsers = parser.add_subparsers()
    parsers = [(parser, _command(_CRAWL))]
    for name in COMMANDS:
        command = _command(name)
        of_command = subparsers.add_parser(
            name, help=command.short_desc(), conflict_handler="resolve"
        )
        parsers.append((of_command, command))
    for of_command, command in parsers:
        _add_options(of_command, command)
        of_command.add_argument("targets", nargs="*", metavar="FILE")
        for action in of_command._actions:
            if action.metavar in _COMPLETED:
                action.complete = _COMPLETED[action.metavar]  # type: ignore[attr-defined]
    return shtab.complete(parser, shell)

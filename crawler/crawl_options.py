"""The options of commands that stand for spider arguments and for the folder of a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from crawler.crawl.arguments import Argument

_METAVARS = {
    **dict.fromkeys(("at", "since", "until"), "DATE"),
    **dict.fromkeys(("depth", "limit"), "NUMBER"),
    **dict.fromkeys(("archive", "report"), "FILE"),
    "base_url": "URL",
    "match": "PATTERN",
}


def option_strings(name: str) -> tuple[str, ...]:
    """Return the options of a spider argument: ``--base-url`` and ``--base_url``."""
    return tuple(dict.fromkeys((f"--{name.replace('_', '-')}", f"--{name}")))


def add_argument_options(parser: argparse.ArgumentParser, arguments: Iterable[Argument]) -> None:
    """Add an option for each spider argument; ``--depth 1`` stands for ``-a depth=1``.

    The values are appended to ``spargs``, as those of Scrapy's option ``-a``.
    """
    group = parser.add_argument_group("Arguments of the articles spider")
    for argument in arguments:
        options = option_strings(argument.name)
        group.add_argument(
            *options,
            dest="spargs",
            action="append",
            default=[],
            type=f"{argument.name}={{}}".format,
            metavar=_METAVARS.get(argument.name, "VALUE"),
            help=argument.described(f"{options[0]} "),
        )


def add_job_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--job FOLDER``, which stands for ``-s JOBDIR=FOLDER``.

    The value is appended to ``set``, as those of Scrapy's option ``-s``.
    """
    parser.add_argument(
        "--job",
        dest="set",
        action="append",
        type="JOBDIR={}".format,
        metavar="FOLDER",
        help="the folder of a job, with its ledger; the same as -s JOBDIR=FOLDER "
        "(default: none; example: --job output/jobs/news)",
    )

"""The command line of the job, for ``spark-submit``."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.crawl.arguments import day_of, hosts_of
from crawler.crawl.scope import SAME
from crawler.errors import CrawlerError
from crawler.exit_codes import COMPLETE, COULD_NOT_START, INCOMPLETE
from crawler.extraction.publisher_files import is_path
from crawler.spark.options import Options, publishers_of
from crawler.terminal_tables import Line, Part, Row, Table, show
from crawler.warc.stored_bytes import is_remote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from crawler.spark.balance import Entry, Fate
    from crawler.spark.job import Report

_MOST_NAMED = 20
_SETTINGS = {
    "spark.ui.showConsoleProgress": "true",
    # What a task has to sort or group beyond that waits on disk.
    "spark.python.worker.memory": "150m",
    # A Python worker gives memory back that it does not need any more.
    "spark.executorEnv.ARROW_DEFAULT_MEMORY_POOL": "system",
    "spark.executorEnv.MALLOC_ARENA_MAX": "1",
    "spark.executorEnv.MALLOC_TRIM_THRESHOLD_": "131072",
}
_EXAMPLE = "spark-submit --master 'local[4]' crawler/spark/__init__.py warcs/ -o records/"


def main(words: Sequence[str] | None = None) -> int:
    """Run the job; return its exit code.

    It is 3 if a file could not be read at all, 2 for wrong arguments, 1 if the job could not end.
    """
    try:
        options = _options(words)
        publishers_of(options)
        report = _run(options)
    except CrawlerError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    _show(report, options)
    # The next run tries these files again.
    return INCOMPLETE if any(walked.unreadable for walked in report.files) else COMPLETE


def _run(options: Options) -> Report:
    try:
        # pyspark and pyarrow are extras.
        from pyspark import SparkConf, SparkContext
        from pyspark.errors import PySparkException

        from crawler.spark.job import Job
    except ImportError as error:
        raise CrawlerError(
            f"spark: needs {error.name}; run pip install '.[spark]'", exit_code=COULD_NOT_START
        ) from error
    settings = SparkConf()
    for name, value in _SETTINGS.items():
        settings.setIfMissing(name, value)
    if settings.get("spark.app.name") in (None, "__init__.py"):
        # By default, spark-submit takes the name of the file.
        settings.setAppName("neighbourhood-crawler")
    with SparkContext.getOrCreate(settings) as context:
        try:
            return Job(context, options, _progress).run()
        except (PySparkException, _java_error()) as error:
            raise CrawlerError(
                f"spark: a task failed too often: {_cause(error)}; the output is still that of the "
                "last run; mend this, and run the same command again",
                exit_code=COULD_NOT_START,
            ) from error


def _java_error() -> type[Exception]:
    from py4j.protocol import Py4JError  # type: ignore[import-untyped]

    kind: type[Exception] = Py4JError
    return kind


def _cause(error: Exception) -> str:
    """Return the line of an error of Spark's that says what failed, in Python if possible."""
    lines = [line.strip() for line in str(error).splitlines()]
    raised = [line for line in lines if line.partition(":")[0].endswith(("Error", "Exception"))]
    python = [line for line in raised if not line.startswith(("py4j.", "org.", "java."))]
    return (python or raised or lines)[0].removeprefix("crawler.errors.")


def _progress(step: str) -> None:
    line = f"{datetime.now().astimezone():%H:%M:%S} {step}"
    # The console progress bar of Spark is on this line.
    print(f"\r{line}\033[K" if sys.stderr.isatty() else line, file=sys.stderr, flush=True)


def _options(words: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(
        prog="crawler.spark",
        description="Read the articles of archive files on Apache Spark.",
        epilog=f"example: {_EXAMPLE}",
    )
    parser.add_argument(
        "input",
        nargs="*",
        help="archive files, folders or glob patterns: a path, s3://, gs://, hdfs:// or https://",
    )
    parser.add_argument(
        "--index",
        action="append",
        default=[],
        metavar="FILE",
        help="CDXJ or Parquet files to read instead of walking the archive files that they index",
    )
    parser.add_argument(
        "--prefix",
        metavar="FOLDER",
        default="",
        help="the folder that file names in an index are relative to, such as s3://commoncrawl/ "
        "(default: that of the index)",
    )
    parser.add_argument(
        "--domains", metavar="NAMES", default="", help="take only these domains from an index"
    )
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="FOLDER",
        help="the folder of the results; if it has some, only files that are new are read",
    )
    parser.add_argument(
        "--at", metavar="DATE", help="prefer the captures nearest to a day (example: 2015-10-23)"
    )
    parser.add_argument(
        "--site", metavar="NAME", help="read the articles of one publisher, by its file"
    )
    parser.add_argument("--publishers", metavar="FOLDER", help="a folder of publisher files")
    parser.add_argument(
        "--hosts", metavar="NAMES", default=SAME, help="hosts that redirects may lead to, or any"
    )
    parser.add_argument(
        "--read-timeout",
        metavar="SECONDS",
        type=float,
        default=Options.__dataclass_fields__["read_timeout"].default,
        help="how long reading a page may take (default: %(default)s)",
    )
    parser.add_argument(
        "--max-size",
        metavar="BYTES",
        type=int,
        default=Options.__dataclass_fields__["most_bytes"].default,
        help="the size of the largest page (default: %(default)s)",
    )
    given = parser.parse_args(words)
    if not given.input and not given.index:
        raise CrawlerError(f"input: missing; takes archive files, such as {_EXAMPLE}")
    if not given.read_timeout > 0:
        raise CrawlerError(f"--read-timeout: got {given.read_timeout:g}, takes seconds above 0")
    if given.max_size <= 0:
        raise CrawlerError(f"--max-size: got {given.max_size}, takes bytes above 0")
    return Options(
        inputs=tuple(map(_everywhere, given.input)),
        output=_everywhere(given.output),
        at=None if given.at is None else day_of("--at", given.at),
        site=_everywhere(given.site) if given.site and is_path(given.site) else given.site,
        publishers=given.publishers and _everywhere(given.publishers),
        indexes=tuple(map(_everywhere, given.index)),
        prefix=given.prefix and f"{_everywhere(given.prefix).rstrip('/')}/",
        domains=tuple(filter(None, map(str.strip, given.domains.split(",")))),
        hosts=hosts_of(given.hosts),
        read_timeout=given.read_timeout,
        most_bytes=given.max_size,
    )


def _everywhere(address: str) -> str:
    """Return an address that is the same on each machine, whatever its current folder."""
    return address if is_remote(address) else str(Path.cwd() / address)


def _show(report: Report, options: Options) -> None:
    """Print what became of the captures, by publisher, year and reason, and what was not read."""
    # It needs pyarrow, an extra, which is there once the job has run.
    from crawler.spark.balance import NAMES

    totals: Counter[str] = Counter()
    for fate, count in report.balance:
        totals[fate.name] += count
    captures, new = sum(walked.captures for walked in report.files), report.new_files
    parts = " + ".join(f"{totals[name]:,} {name}" for name in NAMES if totals[name])
    show(
        [
            Line(f"{options.output}: new files: {new:,}; addresses read: {report.read:,}"),
            Line(f"captures {captures:,} = {parts or 0}"),
            *_counts("publisher", report.balance, lambda fate: fate.publisher),
            *_counts("year", report.balance, lambda fate: fate.year),
            *_reasons(report.balance),
            *_faults(report),
        ]
    )


def _counts(title: str, balance: list[Entry], key: Callable[[Fate], str | None]) -> Iterator[Part]:
    """Yield a table of the records and failures by a key, the largest first."""
    records: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    for fate, count in balance:
        if fate.name in ("record", "failure"):
            name = key(fate) or "unknown"
            (records if fate.name == "record" else failures)[name] += count
    both = sorted({*records, *failures}, key=lambda name: (-records[name], name))
    if not both:
        return
    rows = [Row((records[name], failures[name], name)) for name in both[:_MOST_NAMED]]
    yield Table(rows, ("records", "failures", title))
    if len(both) > _MOST_NAMED:
        yield Line(f"and {len(both) - _MOST_NAMED:,} more in the table balance")


def _reasons(balance: list[Entry]) -> Iterator[Part]:
    counts: Counter[tuple[str, str]] = Counter()
    for fate, count in balance:
        if fate.reason is not None:
            counts[fate.name, fate.reason] += count
    if counts:
        rows = [Row((count, name, reason)) for (name, reason), count in counts.most_common()]
        yield Table(rows, ("captures", "fate", "reason"))


def _faults(report: Report) -> Iterator[Part]:
    """Yield what could not be read, by file."""
    lines = [walked.unreadable for walked in report.files if walked.unreadable]
    lines += [fault for walked in report.files for fault in walked.faults]
    lines += [f"{name}: it is not read" for name in report.unread]
    for line in lines[:_MOST_NAMED]:
        yield Line(f"could not be read: {line}", "yellow")
    if len(lines) > _MOST_NAMED:
        yield Line(f"and {len(lines) - _MOST_NAMED:,} more places in the table files")

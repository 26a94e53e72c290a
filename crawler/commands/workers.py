"""``scrapy workers``: several workers of one job on this machine."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from threading import Thread
from typing import IO, TYPE_CHECKING

from scrapy.settings import SETTINGS_PRIORITIES

from crawler.commands import crawl
from crawler.errors import CrawlerError
from crawler.exit_codes import COULD_NOT_START
from crawler.program import as_typed, is_console
from crawler.terminal import output, say
from crawler.workers.roles import JOIN

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType

_NUMBER = "-n"
_START_CONSOLE = "from crawler.console import main; main()"


class Command(crawl.Command):
    """Starts several processes of the same crawl, and shows the lines that each prints."""

    requires_crawler_process = False

    def syntax(self) -> str:
        target = "URL|ID ..." if is_console() else "SPIDER [SEED ...]"
        return f"[-n NUMBER] {target} [options]"

    def short_desc(self) -> str:
        return "Run a crawl with several workers, which share a job in a database (LEDGER_URL)"

    def long_desc(self) -> str:
        return (
            f"{self.short_desc()}. It starts `{as_typed('crawl')}` so many times with "
            f"WORKERS={JOIN}. More workers may join on other machines."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            _NUMBER,
            dest="number",
            metavar="NUMBER",
            default=str(os.cpu_count() or 1),
            help="the number of workers (default: the number of processors; example: -n 4)",
        )

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        if not (opts.number.isascii() and opts.number.isdigit() and int(opts.number)):
            say(f"{as_typed('workers')}: -n: got {opts.number!r}, takes a number", sys.stderr)
            sys.exit(2)
        assert self.settings is not None
        self.settings.set("WORKERS", JOIN, priority=SETTINGS_PRIORITIES["cmdline"])
        super().process_options(args, opts)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        try:
            with output():
                self.exitcode = _run(_command_line(sys.argv[1:]), int(opts.number))
        except CrawlerError as error:
            self._refuse(error)


def _command_line(words: list[str]) -> list[str]:
    """Return the command line of one worker, from the words of this command."""
    kept: list[str] = []
    is_number = False
    # Scrapy has taken the name of the command away.
    for word in words[1:] if is_console() else words:
        if is_number or word == _NUMBER:
            is_number = not is_number
        elif not (word.startswith(_NUMBER) and word.removeprefix(_NUMBER).isdigit()):
            kept.append(word)
    start = ["-c", _START_CONSOLE] if is_console() else ["-m", "scrapy"]
    return [sys.executable, *start, "crawl", *kept, "-s", f"WORKERS={JOIN}"]


def _run(line: list[str], number: int) -> int:
    """Run a number of workers to their end; return the exit code of the run."""
    workers = [
        subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(number)
    ]
    # Ctrl-C reaches the workers without help, since they are in the foreground, too.
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def pass_on(number: int, frame: FrameType | None) -> None:
        for worker in workers:
            worker.send_signal(number)

    signal.signal(signal.SIGTERM, pass_on)
    readers = [
        Thread(target=_show, args=(f"worker {place}", worker.stdout))
        for place, worker in enumerate(workers, start=1)
    ]
    for reader in readers:
        reader.start()
    for place, (worker, reader) in enumerate(zip(workers, readers, strict=True), start=1):
        worker.wait()
        reader.join()
        if worker.returncode < 0:
            name = signal.Signals(-worker.returncode).name
            say(f"worker {place} was ended by {name}; the others have done its work")
    codes = [worker.returncode for worker in workers if worker.returncode >= 0]
    return max(codes, default=COULD_NOT_START)


def _show(name: str, lines: Iterable[bytes] | IO[bytes] | None) -> None:
    """Print each line with the name of its worker."""
    for line in lines or ():
        say(f"{name} | {line.decode('utf-8', 'replace').rstrip()}")
        sys.stdout.flush()

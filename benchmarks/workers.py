"""Two workers of a job compared with one, and one with a crawl that nobody shares.

    pip install '.[test,postgres]'; apt-get install nginx-light postgresql
    python benchmarks/workers.py [--pages 600] [--pairs 3] [--times 1]

A site of news pages is generated (made_news.py) in a temporary folder and served by nginx on this
machine. A PostgreSQL server of this program's own runs beside it, with the settings of Debian,
where each commit is on disk before it is acknowledged. The crawls take turns, each with a new job:
in one process, on SQLite and on PostgreSQL; and with WORKERS=join, in one process and in two. With
``--times 3``, the pages are three times as large, and take three times as long to read.

Prints medians, and medians of the ratios of runs in the same round. The time of a run is from when
its first page was fetched until all its processes have ended. The site, the database and the
crawls share the processors, so that two workers can reach twice the rate of one only with more
than two. CPU seconds depend less on other load of the machine: those of the crawl's processes, and
those of the database.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from crawl import IMPOLITE, ROOT, serve
from made_news import FIRST_ID, make_site

sys.path.insert(0, str(ROOT / "tests"))

from databases import Server, running_server

DURABLE = {"fsync": "on", "full_page_writes": "on", "deadlock_timeout": "1s"}
"""Settings as Debian has them, which those of the tests are not."""
_ONE, _TWO, _SQLITE, _ALONE = "one worker", "two workers", "SQLite", "PostgreSQL"
_RATIOS = (
    (_TWO, _ONE, " (target: at least 1.5)"),
    (_ALONE, _SQLITE, " (target: at least 0.8)"),
    (_ONE, _ALONE, ""),
    (_TWO, _ALONE, ""),
    (_ONE, _SQLITE, ""),
    (_TWO, _SQLITE, ""),
)


class Run(NamedTuple):
    """A crawl: its time and its CPU seconds, without and of the database."""

    seconds: float
    cpu_seconds: float
    database_cpu_seconds: float


class Clock:
    """The CPU time of all processes of a PostgreSQL server."""

    def __init__(self, server: Server) -> None:
        with server.connect() as connection:
            [(backend,)] = connection.execute("SELECT pg_backend_pid()").fetchall()
            self._postmaster = _stat(backend)[1]

    def seconds(self) -> float:
        """Return the seconds until now. Those of a process that has ended are its parent's."""
        ticks = sum(_stat(self._postmaster)[11:15])
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                stat = _stat(int(folder.name))
            except OSError:
                continue
            if stat[1] == self._postmaster:
                ticks += stat[11] + stat[12]
        return ticks / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[int]:
    """Return the fields of /proc/PID/stat from the third on; its letter becomes a zero."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return [0, *map(int, fields[1:])]


def measure(commands: list[list[str]], out: Path, pages: int, clock: Clock, url: str | None) -> Run:
    """Run the processes of a crawl. Exit if one failed, or if a page was not fetched."""
    out.unlink(missing_ok=True)
    log = out.with_suffix(".log")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)} | ({"LEDGER_URL": url} if url else {})
    before, cpu_seconds, codes = clock.seconds(), 0.0, set()
    with log.open("wb") as errors:
        processes = [
            subprocess.Popen(command, cwd=ROOT, stdout=errors, stderr=errors, env=environment)
            for command in commands
        ]
        for process in processes:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            codes.add(process.returncode)
            cpu_seconds += usage.ru_utime + usage.ru_stime
    ended = time.time()
    records = map(json.loads, out.open(encoding="utf-8")) if out.exists() else ()
    fetched = [record["fetched_at"] for record in records if record["kind"] == "article"]
    if codes != {0} or len(fetched) != pages:
        sys.exit(
            f"{commands[0]} fetched {len(fetched)} of {pages} pages, exit {codes}:\n"
            f"{log.read_text()[-3000:]}"
        )
    began = datetime.fromisoformat(min(fetched)).timestamp()
    return Run(ended - began, cpu_seconds, clock.seconds() - before)


def _print(runs: dict[str, list[Run]], options: argparse.Namespace) -> None:
    print(
        f"{options.pages:,} pages, medians of {options.pairs} rounds, {os.cpu_count()} processors"
    )
    for name, measured in runs.items():
        rate = statistics.median(options.pages / run.seconds for run in measured)
        cpu, database_cpu = (
            statistics.median(seconds) * 1000 / options.pages
            for seconds in zip(*(run[1:] for run in measured), strict=True)
        )
        print(
            f"{name:<12} {rate:6.1f} pages/s, {cpu:5.1f} ms of CPU a page, "
            f"and {database_cpu:4.1f} of the database"
        )
    for name, peer, target in _RATIOS:
        ratio = statistics.median(
            other.seconds / own.seconds for own, other in zip(runs[name], runs[peer], strict=True)
        )
        print(f"pages/s, {name} / {peer}: {ratio:.2f}{target}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pages", type=int, default=600)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--times", type=int, default=1)
    options = parser.parse_args()
    if not shutil.which("nginx"):
        sys.exit("nginx is not installed; apt-get install nginx-light")
    with (
        tempfile.TemporaryDirectory(prefix="workers-benchmark-") as name,
        running_server(**DURABLE) as server,
        server.new_database() as database,
    ):
        folder, clock = Path(name), Clock(server)
        make_site(folder, options.pages, options.times)
        out = folder / "out.jsonl"
        with serve(folder) as site:
            spider = [f"{Path(sys.executable).parent}/scrapy", "crawl", "articles"]
            spider += ["-a", f"seed={FIRST_ID}", "-a", f"base_url={site}", "-a", "depth=1000"]
            spider += ["-O", str(out), *IMPOLITE]
            crawls: dict[str, tuple[int, tuple[str, ...]]] = {
                _SQLITE: (1, ()),
                _ALONE: (1, ()),
                _ONE: (1, ("-s", "WORKERS=join")),
                _TWO: (2, ("-s", "WORKERS=join")),
            }
            runs: dict[str, list[Run]] = {crawl: [] for crawl in crawls}
            for number in range(options.pairs):
                for crawl, (processes, arguments) in crawls.items():
                    job: dict[str, Any] = {"JOBDIR": folder / f"{crawl}-{number}"}
                    if crawl != _SQLITE:
                        job = {"JOB": f"{crawl}-{number}"}
                    [(setting, value)] = job.items()
                    command = [*spider, "-s", f"{setting}={value}", *arguments]
                    url = None if crawl == _SQLITE else server.url(database)
                    run = measure([command] * processes, out, options.pages, clock, url)
                    runs[crawl].append(run)
                    print(f"{crawl:<12} {run.seconds:6.2f} s", flush=True)
    _print(runs, options)


if __name__ == "__main__":
    main()

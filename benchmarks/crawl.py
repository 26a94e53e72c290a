"""Crawl speed and peak memory, compared with peers in the same run.

    pip install '.[bench,test]'; apt-get install --no-install-recommends nginx-light postgresql
    python benchmarks/crawl.py [--pages 5000] [--pairs 3]

A site of linked pages is generated in a temporary folder (each lists 18 others in a leak, as the
seed page does) and served by nginx on this machine. The crawlers take turns to fetch the whole
site, each run in a process of its own: this spider with everything on except politeness, without a
ledger, with one in SQLite (JOBDIR), and with one in a PostgreSQL server (LEDGER_URL) beside it;
an obvious 15-line Scrapy spider with Scrapy's defaults; and a bare crawlee crawler that parses the
pages, or only matches regular expressions. Prints medians, and medians of the ratios of runs in the
same round. CPU seconds, of a run and the processes that it started (not of the PostgreSQL server),
depend less on other load of the machine than pages per second. Memory is that of all these
processes; memory that they share counts once (PSS).
"""

import argparse
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from databases import running_server  # noqa: E402
from services import SERVICES, postgresql_program  # noqa: E402

PEERS = Path(__file__).parent / "peers"
FIRST_ID = 1_700_000
RELATED = 18
_SETTINGS = {
    "AUTOTHROTTLE_ENABLED": 0,
    "DOWNLOAD_DELAY": 0,
    "CONCURRENT_REQUESTS": 16,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
}
IMPOLITE = [part for key, value in _SETTINGS.items() for part in ("-s", f"{key}={value}")]
WORDS = (
    "the of army city water road bridge council number second morning officials report village "
    "river school people said near after"
).split()


def article(number: int, pages: int, chance: random.Random) -> bytes:
    """Return a page like those of 2015: 8 KB, nine paragraphs, 18 related items in a leak."""
    text = body(chance)
    # The next pages and some random ones, so that all pages are reachable in a few hops.
    others = [(number + step) % pages for step in range(1, 4)]
    others += [chance.randrange(pages) for _ in range(RELATED - len(others))]
    return page_listing(others, number, text)


def body(chance: random.Random) -> str:
    """Return nine made-up paragraphs."""
    return "".join(
        f"<p>{' '.join(chance.choices(WORDS, k=60)).capitalize()}.</p>\n" for _ in range(9)
    )


def page_listing(others: Iterable[int], number: int, text: str) -> bytes:
    """Return the page of an article, which lists others in a leak."""
    items = [
        {
            "id": str(FIRST_ID + other),
            "sort": str(3_431_000 + place),
            "contenttypeid": "21",
            "pic": f"/2015/10/23/alalam_{635811884533498601 + other * 10_000_000}_25f_4x3.jpg",
            "title": f"Headline of the Article {other}, “Quoted” and Long Enough to Be One",
        }
        for place, other in enumerate(others)
    ]
    leak = " ,".join(json.dumps(item, ensure_ascii=False, separators=(",", ":")) for item in items)
    leak = f"[{leak} ]"
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f"<title>Headline of the Article {number} - Al-Alam</title></head>\n"
        '<body><div class="menu"><a href="/">Home</a> <a href="/world">World</a></div>\n'
        f"<h1>Headline of the Article {number}, “Quoted” and Long Enough to Be One</h1>"
        "<span>Fri Oct 23, 2015 13:26:08</span>\n"
        f'<div class="text">{text}</div>\n'
        f'string({len(leak.encode())}) "{leak}"\n'
        '<div class="footer">All rights reserved</div></body></html>\n'
    ).encode()


def make_site(folder: Path, pages: int) -> None:
    """Generate a site of ``pages`` pages below ``folder``."""
    folder.chmod(0o755)
    news = folder / "site" / "news"
    news.mkdir(parents=True)
    chance = random.Random(1)
    for number in range(pages):
        (news / str(FIRST_ID + number)).write_bytes(article(number, pages, chance))


@contextmanager
def serve(folder: Path, rule: str = ""):
    """Serve the folder's pages at /news/<id> with nginx and yield the root URL.

    A ``rule`` of nginx may say otherwise where the pages are.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    conf = folder / "nginx.conf"
    conf.write_text(
        f"daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{ worker_connections 512; }}\n"
        "http { access_log off; default_type text/html; charset utf-8; "
        f"keepalive_requests 100000; client_body_temp_path {folder}/t;\n"
        f"proxy_temp_path {folder}/t; fastcgi_temp_path {folder}/t; "
        f"uwsgi_temp_path {folder}/t; scgi_temp_path {folder}/t;\n"
        f"server {{ listen 127.0.0.1:{port}; root {folder}/site; "
        f"location / {{ {rule} }} }} }}\n"
    )
    server = subprocess.Popen(["nginx", "-c", str(conf), "-e", f"{folder}/error.log"])
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        else:
            sys.exit(f"nginx does not respond: {(folder / 'error.log').read_text()}")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


@dataclass
class Run:
    """A run: its time, its CPU time, and its peak memory (PSS), with the processes it started."""

    seconds: float
    cpu_seconds: float
    megabytes: float


class Memory(threading.Thread):
    """Follows the memory of a process and those that it started, several times a second.

    It is the proportional set size: memory that several processes share counts once. Linux only.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._ended = threading.Event()
        self._peak = 0

    def run(self) -> None:
        while not self._ended.wait(0.2):
            self._peak = max(self._peak, _memory_of_family(self._pid))

    def peak_megabytes(self) -> float:
        self._ended.set()
        self.join()
        return self._peak / 1e6


def _memory_of_family(pid: int) -> int:
    """Return the bytes of a process and of its descendants; 0 for one that has ended."""
    folder = Path(f"/proc/{pid}")
    try:
        text = (folder / "smaps_rollup").read_text(encoding="ascii")
        files = [file.read_text(encoding="ascii") for file in folder.glob("task/*/children")]
    except OSError:
        return 0
    own = int(text.split("\nPss:")[1].split()[0]) * 1024
    return own + sum(_memory_of_family(int(child)) for file in files for child in file.split())


def measure(command: list[str], out: Path, pages: int, cwd: Path) -> Run:
    """Run a crawler as a process. Exit if it failed or did not fetch every page."""
    out.unlink(missing_ok=True)
    log = out.with_suffix(".log")
    started = time.perf_counter()
    with log.open("wb") as errors:
        process = subprocess.Popen(command, cwd=cwd, stdout=errors, stderr=errors)
        memory = Memory(process.pid)
        memory.start()
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    fetched = (
        sum(1 for line in out.open(encoding="utf-8") if '"teaser"' not in line[:40])
        if out.exists()
        else 0
    )
    # The obvious spider fetches its seed twice.
    if not pages <= fetched <= pages + 1 or process.returncode:
        sys.exit(
            f"{command[:3]} fetched {fetched} of {pages} pages, exit {process.returncode}:\n"
            f"{log.read_text()[-3000:]}"
        )
    return Run(seconds, usage.ru_utime + usage.ru_stime, memory.peak_megabytes())


def print_medians(runs: dict[str, list[Run]], pages: int) -> None:
    """Print the medians of runs, and of the ratios of those in the same round."""
    print(f"\n{pages:,} pages, medians of {len(runs['this spider'])} runs")
    for crawler, measured in runs.items():
        rate = statistics.median(pages / run.seconds for run in measured)
        print(
            f"{crawler:<16} {rate:8.0f} pages/s "
            f"{statistics.median(run.cpu_seconds for run in measured):6.1f} s CPU "
            f"{statistics.median(run.megabytes for run in measured):6.0f} MB"
        )
    mine = runs["this spider"]
    bars = (("obvious spider", 1.5), ("bare crawlee", 1.05), ("matching crawlee", 0.85))
    for crawler, bar in bars:
        ratio = statistics.median(
            peer.seconds / own.seconds for own, peer in zip(mine, runs[crawler], strict=True)
        )
        print(f"pages/s, this spider / {crawler}: {ratio:.2f} (target: at least {bar})")
        ratio = statistics.median(
            peer.cpu_seconds / own.cpu_seconds
            for own, peer in zip(mine, runs[crawler], strict=True)
        )
        print(f"CPU seconds, {crawler} / this spider: {ratio:.2f}")
    remembering = runs["with JOBDIR"]
    for crawler, bar in (("this spider", 0.92), ("obvious spider", 1.3)):
        ratio = statistics.median(
            peer.seconds / own.seconds for own, peer in zip(remembering, runs[crawler], strict=True)
        )
        print(
            f"pages/s, with JOBDIR / {crawler}{' without' if crawler == 'this spider' else ''}: "
            f"{ratio:.2f} (target: at least {bar})"
        )
    ratio = statistics.median(
        own.seconds / peer.seconds
        for own, peer in zip(remembering, runs["with LEDGER_URL"], strict=True)
    )
    print(f"pages/s, with LEDGER_URL / with JOBDIR: {ratio:.2f} (target: at least 0.8)")
    for crawler in ("this spider", "with JOBDIR"):
        ratio = statistics.median(
            own.megabytes / peer.megabytes
            for own, peer in zip(runs[crawler], runs["obvious spider"], strict=True)
        )
        print(f"peak memory, {crawler} / obvious spider: {ratio:.2f} (target: at most 1.5)")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pages", type=int, default=5000)
    parser.add_argument("--pairs", type=int, default=3)
    options = parser.parse_args()
    if not shutil.which("nginx"):
        sys.exit("nginx is not installed; apt-get install nginx-light")
    if not postgresql_program("initdb"):
        sys.exit(f"PostgreSQL is not installed; {SERVICES['PostgreSQL'].install}")
    bins = Path(sys.executable).parent
    with tempfile.TemporaryDirectory(prefix="crawl-benchmark-") as name:
        folder = Path(name)
        make_site(folder, options.pages)
        # As on a server in use.
        durable = {"fsync": "on", "full_page_writes": "on"}
        with serve(folder) as url, running_server(**durable) as postgresql:
            out = folder / "out.jsonl"
            ours = [
                f"{bins}/scrapy",
                "crawl",
                "articles",
                "-a",
                f"seed={FIRST_ID}",
                "-a",
                f"base_url={url}",
                "-a",
                "depth=1000",
                "-O",
                str(out),
            ]
            ours += IMPOLITE
            obvious = [
                f"{bins}/scrapy",
                "runspider",
                str(PEERS / "obvious_spider.py"),
                "-a",
                f"base_url={url}",
                "-a",
                f"seed={FIRST_ID}",
            ]
            obvious += ["-O", str(out), "-s", "LOG_LEVEL=INFO"]
            crawlee = [sys.executable, str(PEERS / "bare_crawlee.py"), url, str(FIRST_ID), str(out)]
            matching = [*crawlee, "matches"]
            job = folder / "job"
            remembering = [*ours, "-s", f"JOBDIR={job}"]
            crawlers = {
                "this spider": (ours, ROOT),
                "with JOBDIR": (remembering, ROOT),
                "with LEDGER_URL": (remembering, ROOT),
                "obvious spider": (obvious, folder),
                "bare crawlee": (crawlee, folder),
                "matching crawlee": (matching, folder),
            }
            runs: dict[str, list[Run]] = {crawler: [] for crawler in crawlers}
            for _ in range(options.pairs):
                for crawler, (command, cwd) in crawlers.items():
                    shutil.rmtree(job, ignore_errors=True)
                    with postgresql.new_database() as database:
                        if crawler == "with LEDGER_URL":
                            command = [*command, "-s", f"LEDGER_URL={postgresql.url(database)}"]
                        runs[crawler].append(measure(command, out, options.pages, cwd))
                    last = runs[crawler][-1]
                    print(
                        f"{crawler:<16} {last.seconds:6.2f} s {last.cpu_seconds:6.2f} s CPU "
                        f"{options.pages / last.seconds:8.0f} pages/s {last.megabytes:6.0f} MB",
                        flush=True,
                    )
    print_medians(runs, options.pages)


if __name__ == "__main__":
    main()

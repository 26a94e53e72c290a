"""Count the pages that crawls lose on a server that sometimes fails, and when they are stopped.

    pip install '.[bench]'
    python benchmarks/interruption.py [--runs 3] [--seed 1] [--crawlers scrapy,crawlee]

The task is that of this project: from one article to all articles that can be reached through
related items. A local site of 300 linked articles answers 30 of them with 503 once, 6 of them with
503 five times, which is more often than any of the crawlers asks in one run, and 15 only after a
second. The crawlers are this one with ``JOBDIR``, a Scrapy spider with ``JOBDIR`` and a feed
(peers/related_spider.py), and crawlee with its storage in files (peers/related_crawlee.py), all
without delays between requests. Each crawls the site three times:

- left alone;
- stopped by one Ctrl-C (SIGINT) after a random number of requests, then run again;
- killed with ``kill -9`` after as many requests, then run again.

Prints the median and the range of all runs of these numbers of articles: *stored*, at least once;
*failed*, which the server answered with 503 only; *named*, as failures in the output; *lost*,
neither stored nor failed; *twice*, stored more than once; *again*, whose page was sent whole more
than once. *torn* is the number of torn lines or files in the output, *seconds* the time that the
runs took, of which the slow answers are a part.
"""

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from crawl import IMPOLITE, PEERS, WORDS  # noqa: E402
from server import NewsServer, answer  # noqa: E402

PAGES = 300
RELATED = 6
# Every tenth article fails once, and so on. No two neighbours fail often, so that every article
# can be reached through another one.
FAILS_ONCE, FAILS_OFTEN, SLOW = 10, 50, 20
OFTEN = 5
SLOW_SECONDS = 1.0
# Requests after which a crawl is stopped; all crawlers need more than twice as many.
STOPPED_AFTER = (60, 250)
LONGEST_SECONDS = 120


@dataclass
class Outcome:
    """The result of a crawl, as numbers of articles."""

    stored: int
    failed: int
    named: int
    lost: int
    twice: int
    torn: int
    again: int
    seconds: float


class Site(NewsServer):
    """A server of linked articles that fails now and then, in the same way for every crawler."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__(Path("nowhere"))
        self.served: Counter[str] = Counter()
        """How often each page was sent whole."""
        self.articles = [_path(number) for number in range(PAGES)]
        for number, path in enumerate(self.articles):
            page = _article(number, chance)
            failures = 1 if number % FAILS_ONCE == 3 else OFTEN if number % FAILS_OFTEN == 7 else 0
            seconds = SLOW_SECONDS if number % SLOW == 11 else 0.0
            self.misbehaviour[path] = partial(self._send, page, failures, seconds)

    def _send(
        self,
        page: bytes,
        failures: int,
        seconds: float,
        handler: BaseHTTPRequestHandler,
        before: int,
    ) -> None:
        time.sleep(seconds)
        if before < failures:
            answer(handler, 503, b"<h1>Service unavailable</h1>")
        else:
            answer(handler, 200, page, {"Content-Type": "text/html; charset=utf-8"})
            self.served[handler.path] += 1


def _path(number: int) -> str:
    return f"/2026/05/{number % 28 + 1:02}/the-headline-of-the-article-{number}/"


def _article(number: int, chance: random.Random) -> bytes:
    """Return an article whose related items are the next ones and some random ones."""
    others = [(number + step) % PAGES for step in (1, 2)] + [
        chance.randrange(PAGES) for _ in range(RELATED - 2)
    ]
    related = "".join(
        f'<li><a href="{_path(other)}">The Headline of the Article {other}</a></li>'
        for other in others
    )
    body = "".join(
        f"<p>{' '.join(chance.choices(WORDS, k=60)).capitalize()}.</p>\n" for _ in range(9)
    )
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f"<title>The Headline of the Article {number}</title></head><body><article>"
        f"<h1>The Headline of the Article {number}</h1>"
        f'<time datetime="2026-05-{number % 28 + 1:02}T12:00:00Z">12:00</time>\n{body}</article>'
        f'<aside class="related"><h2>Related articles</h2><ul>{related}</ul></aside>'
        "</body></html>\n"
    ).encode()


@dataclass(frozen=True)
class Crawler:
    """How a crawler is run, from the seed and an empty folder, and how its output is read."""

    command: Callable[[str, Path], list[str]]
    output: Callable[[Path], Iterator[str]]
    environment: Callable[[Path], dict[str, str]] = lambda folder: {}


def _ours(seed: str, folder: Path) -> list[str]:
    scrapy = Path(sys.executable).parent / "scrapy"
    target = ["-a", f"seed={seed}", "-a", "depth=1000"]
    kept = ["-s", f"JOBDIR={folder}/job", "-s", "FEEDS={}", "-o", f"{folder}/out.jsonl"]
    return [str(scrapy), "crawl", "articles", *target, *kept, *IMPOLITE]


def _scrapy(seed: str, folder: Path) -> list[str]:
    scrapy = Path(sys.executable).parent / "scrapy"
    spider = [str(PEERS / "related_spider.py"), "-a", f"seed={seed}"]
    kept = ["-s", f"JOBDIR={folder}/job", "-o", f"{folder}/out.jsonl"]
    return [str(scrapy), "runspider", *spider, *kept, *IMPOLITE]


def _crawlee(seed: str, folder: Path) -> list[str]:
    return [sys.executable, str(PEERS / "related_crawlee.py"), seed]


def _lines(folder: Path) -> Iterator[str]:
    feed = folder / "out.jsonl"
    if feed.exists():
        yield from feed.read_text(encoding="utf-8", errors="replace").splitlines()


def _dataset(folder: Path) -> Iterator[str]:
    for file in sorted((folder / "storage" / "datasets" / "default").glob("[0-9]*.json")):
        yield file.read_text(encoding="utf-8", errors="replace")


CRAWLERS = {
    "this crawler": Crawler(_ours, _lines),
    "scrapy": Crawler(_scrapy, _lines),
    "crawlee": Crawler(
        _crawlee,
        _dataset,
        lambda folder: {
            "CRAWLEE_PURGE_ON_START": "0",
            "CRAWLEE_STORAGE_DIR": str(folder / "storage"),
        },
    ),
}
STOPS = {"left alone": None, "Ctrl-C": signal.SIGINT, "kill -9": signal.SIGKILL}


def crawl(crawler: Crawler, stop: signal.Signals | None, chance: random.Random) -> Outcome:
    """Crawl a new site, stopped by a signal if one is given, and count the results."""
    with (
        tempfile.TemporaryDirectory(prefix="interruption-") as name,
        Site(random.Random(chance.random())) as site,
    ):
        folder = Path(name)
        stopped_after = chance.randint(*STOPPED_AFTER)
        started = time.monotonic()
        if stop:
            _run(crawler, site, folder, partial(_stop_after, stopped_after, stop, site))
        _run(crawler, site, folder, lambda process: None)
        return _outcome(site, crawler.output(folder), time.monotonic() - started)


def _run(
    crawler: Crawler, site: Site, folder: Path, meddle: Callable[[subprocess.Popen[bytes]], None]
) -> None:
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            crawler.command(site.url + site.articles[0], folder),
            cwd=ROOT,
            env=os.environ | crawler.environment(folder),
            stdout=log,
            stderr=log,
        )
        try:
            meddle(process)
            process.wait(LONGEST_SECONDS)
        except subprocess.TimeoutExpired:
            print(f"did not end within {LONGEST_SECONDS} s, and is killed", file=sys.stderr)
        finally:
            process.kill()
            process.wait()


def _stop_after(
    count: int, stop: signal.Signals, site: Site, process: subprocess.Popen[bytes]
) -> None:
    while len(site.requests) < count and process.poll() is None:
        time.sleep(0.002)
    if process.poll() is not None:
        sys.exit("the crawl ended before it could be stopped")
    process.send_signal(stop)


def _outcome(site: Site, lines: Iterator[str], seconds: float) -> Outcome:
    stored: Counter[str] = Counter()
    named: set[str] = set()
    torn = 0
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            torn += 1
            continue
        path = "/" + record["url"].split("/", 3)[3]
        if record.get("kind") == "failure":
            named.add(path)
        elif record.get("kind", "article") == "article":
            stored[path] += 1
    requested = {path for _, path in site.requests}
    failed = requested & set(site.articles) - set(site.served)
    return Outcome(
        stored=len(stored),
        failed=len(failed),
        named=len(named & failed),
        lost=len(set(site.articles) - set(stored) - failed),
        twice=sum(count > 1 for count in stored.values()),
        torn=torn,
        again=sum(count > 1 for count in site.served.values()),
        seconds=round(seconds, 1),
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1, help="of the sites and of the stops")
    parser.add_argument("--crawlers", default=",".join(CRAWLERS), help="names, by commas")
    options = parser.parse_args()
    names = options.crawlers.split(",")
    if unknown := [name for name in names if name not in CRAWLERS]:
        parser.error(f"no crawler is called {unknown[0]!r}; there are {', '.join(CRAWLERS)}")
    outcomes: dict[tuple[str, str], list[Outcome]] = {}
    for run in range(options.runs):
        for stop in STOPS:
            for name in names:
                # All crawlers get the same site, and are stopped after as many requests.
                chance = random.Random(f"{options.seed} {run} {stop}")
                outcome = crawl(CRAWLERS[name], STOPS[stop], chance)
                outcomes.setdefault((stop, name), []).append(outcome)
                print(f"{stop:<10} {name:<12} {outcome}", flush=True)
    print(f"\n{PAGES} articles, median (range) of {options.runs} runs")
    for (stop, name), measured in outcomes.items():
        cells = []
        for field in fields(Outcome):
            values = [getattr(outcome, field.name) for outcome in measured]
            cells.append(
                f"{field.name} {statistics.median(values):g} ({min(values)}-{max(values)})"
            )
        print(f"{stop:<10} {name:<12} {'; '.join(cells)}")


if __name__ == "__main__":
    main()

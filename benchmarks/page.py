"""The cost of reading the test pages, compared with parsing them and with a general extractor.

    pip install '.[test]'
    python benchmarks/page.py [--rounds 20]

Every page is read and then parsed with parsel (selecting its h1 and paragraphs), and read and then
passed to trafilatura, again and again, in one process. Prints the median over all pages of each
page's median time, where the slowest tenth of the pages begins, and the median over all pages of
the median ratio of a page's pairs.

The worst case is a page of the slowest shape in tests/hostile_pages.py, of DOWNLOAD_MAXSIZE bytes
and read as in a crawl; the output says so if READ_TIMEOUT ended the reading.
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import trafilatura
from parsel import Selector

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import hostile_pages  # noqa: E402

from crawler import defaults  # noqa: E402
from crawler.crawl.page_extraction import Task, TooSlowError  # noqa: E402
from crawler.crawl.page_parser import PageParser  # noqa: E402
from crawler.extraction import page  # noqa: E402
from crawler.extraction import publishers as sites  # noqa: E402
from crawler.extraction.directory import Publishers  # noqa: E402

SITE = sites.load("alalam")
FOLDERS = ("tests/site", "tests/pages")
# The size in bytes of each page when searching for the slowest shape.
SAMPLE = 400_000


def parse(body: bytes) -> None:
    selector = Selector(body.decode("utf-8", "replace"))
    selector.css("h1::text").get()
    selector.css("p::text").getall()


def read(body: bytes) -> None:
    page.parse(body, publisher=SITE, url=SITE.url_of("1"))


def extract(body: bytes) -> None:
    trafilatura.extract(body.decode("utf-8", "replace"), fast=True, include_comments=False)


def milliseconds(work: Callable[[bytes], None], body: bytes) -> float:
    started = time.perf_counter()
    work(body)
    return (time.perf_counter() - started) * 1000


def slowest_shape() -> str:
    """Return the slowest shape at SAMPLE bytes; the time of every shape grows with its size."""
    return max(
        hostile_pages.SHAPES, key=lambda name: milliseconds(read, hostile_pages.page(name, SAMPLE))
    )


async def read_as_a_crawl(body: bytes) -> str:
    """Read a page within READ_TIMEOUT and return the time taken, as text."""
    reader = PageParser(Publishers(), defaults.SETTINGS["READ_TIMEOUT"])
    started = time.perf_counter()
    note = ""
    try:
        await reader.extract(Task(body, "1", SITE.url_of("1"), None))
    except TooSlowError:
        note = ", ended by READ_TIMEOUT"
    finally:
        reader.close()
    return f"{time.perf_counter() - started:.1f} s{note}"


def print_worst_case() -> None:
    name = slowest_shape()
    body = hostile_pages.page(name, defaults.SETTINGS["DOWNLOAD_MAXSIZE"])
    size = f"{len(body) / 2**20:.0f} MiB"
    print(f"worst case, {size} of {name}: {asyncio.run(read_as_a_crawl(body))}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    for folder in FOLDERS:
        bodies = [
            path.read_bytes()
            for path in sorted((ROOT / folder).iterdir())
            if path.suffix in (".html", ".txt")
        ]
        times: dict[Callable[[bytes], None], list[float]] = {read: [], parse: [], extract: []}
        ratios: dict[Callable[[bytes], None], list[float]] = {parse: [], extract: []}
        for body in bodies:
            read(body)
            for work, count in ((parse, rounds), (extract, min(rounds, 3))):
                pairs = [(milliseconds(read, body), milliseconds(work, body)) for _ in range(count)]
                ratios[work].append(statistics.median(own / peer for own, peer in pairs))
                times[work].append(statistics.median(peer for _, peer in pairs))
                if work is parse:
                    times[read].append(statistics.median(own for own, _ in pairs))
        print(
            f"{folder}: {len(bodies)} pages, "
            f"median size {statistics.median(map(len, bodies)) / 1000:.1f} kB"
        )
        for name, work in (
            ("this reader", read),
            ("parsel parse", parse),
            ("trafilatura", extract),
        ):
            sorted_times = sorted(times[work])
            print(
                f"  {name:<13} {statistics.median(sorted_times):6.2f} ms, "
                f"slowest tenth from {sorted_times[len(sorted_times) * 9 // 10]:6.2f} ms"
            )
        for name, work in (("parsel parse", parse), ("trafilatura", extract)):
            print(f"  this reader / {name}: {statistics.median(ratios[work]):.2f}")
    print_worst_case()


if __name__ == "__main__":
    main()

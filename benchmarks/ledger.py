"""A large ledger compared with a small one: start, memory, enqueueing and taking articles.

    python benchmarks/ledger.py [--known 1000000] [--few 10000] [--pairs 5]

Two ledgers are generated, one with a million known articles and one with ten thousand; half of the
articles are queued, the others fetched. The ledgers take turns, each measurement in a process of
its own: the time and peak memory until the first article can be taken; then the time to list the
related items of pages (18 each: a third new, the rest known) and to take articles, with commits as
in a crawl; and the time to compute the balance. Prints medians, and medians of the ratios of
adjacent runs.
"""

import argparse
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from crawler.crawl.articles import ArticleState, Lister, Recheck
from crawler.crawl.frontier import Frontier
from crawler.crawl.ledger import history
from crawler.crawl.ledger.job import Job
from crawler.crawl.ledger.places import FolderPlace
from crawler.crawl.ledger.recheck import Intervals
from crawler.crawl.ledger.schema import RECORDS
from crawler.items import RelatedItem

FIRST_ID = 10_000_000
RELATED = 18
NEW = 6
PAGES = 500
INTERVALS = Intervals(3600, 2_592_000)


def begin(folder: Path) -> Frontier:
    job = Job(FolderPlace(folder), "alalam")
    job.begin(datetime.now(UTC), {}, "due", 0, INTERVALS, 1.0)
    frontier = Frontier(1000, 0, lambda item: True, job.pages)
    frontier.seed([str(FIRST_ID)])
    return frontier


def make(folder: Path, known: int) -> None:
    """Make a ledger with ``known`` articles: half fetched and due in a month, half queued."""
    job = Job(FolderPlace(folder), "alalam")
    job.begin(datetime.now(UTC), {}, "due", 0, INTERVALS, 1.0)
    assert job.pages is not None and job.run is not None
    due_at = time.time() + 2_000_000
    for number in range(known):
        article = ArticleState(
            str(FIRST_ID + number),
            "pending",
            Lister(str(FIRST_ID), 2, number // RELATED),
            number % RELATED,
            queued=True,
        )
        if number % 2:
            article.state, article.queued, article.fetch_index = "article", False, number
            article.recheck = Recheck(revision=1, due_at=due_at)
        job.pages.note(article)
        if number % 20_000 == 0:
            job.pages.commits.flush()
    job.pages.commits.flush(durable=True)
    columns = {"run": 1, "kind": "article", "revision": 1, "crc": zlib.crc32(b"{}"), "json": b"{}"}
    rows = [
        {"record": number, "id": str(FIRST_ID + number), **columns} for number in range(1, known, 2)
    ]
    job.database.store(lambda connection: connection.execute(RECORDS.insert(), rows))
    job.end(job.run, "shutdown")
    job.close()


def peak_megabytes() -> float:
    """Return the peak memory of this process alone; getrusage includes its parent's."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def item(number: int, position: int) -> RelatedItem:
    return RelatedItem(
        position=position,
        id=str(number),
        url=f"http://en.alalam.ir/news/{number}",
        headline=f"Headline of the Article {number}, Quoted and Long Enough",
        headline_raw=f"Headline of the Article {number}, Quoted and Long Enough + Video",
        kind="video",
        picture_url=(
            f"http://media.alalam.ir/news/image/original/2015/10/23/alalam_{number}_25f_4x3.jpg"
        ),
        uploaded_at="2015-10-23T09:14:13.349860+03:30",
        content_type="21",
        sort=str(number),
    )


def work(folder: Path, known: int) -> None:
    """Start a run, then list and take articles; print the costs as JSON."""
    started = time.perf_counter()
    frontier = begin(folder)
    first = frontier.take()
    assert first is not None
    start_seconds = time.perf_counter() - started
    start_megabytes = peak_megabytes()
    # Without repeats; in a small ledger, every lookup would soon be of an article already seen.
    known_ids = iter(random.Random(known).sample(range(1, known), PAGES * (RELATED - NEW)))
    pages = [first]
    taking = listing = 0.0
    new = FIRST_ID + known
    commits = frontier.memory.commits  # type: ignore[attr-defined]
    for number in range(PAGES):
        ids = [new + number * NEW + step for step in range(NEW)] + [
            FIRST_ID + next(known_ids) for _ in range(RELATED - NEW)
        ]
        items = [item(article_id, position) for position, article_id in enumerate(ids, start=1)]
        began = time.perf_counter()
        frontier.add_links(pages[-1].id, items)
        if number % 50 == 49:
            commits.flush()
        listing += time.perf_counter() - began
        frontier.done(pages[-1].id)
        began = time.perf_counter()
        next_article = frontier.take()
        taking += time.perf_counter() - began
        assert next_article is not None
        pages.append(next_article)
    commits.flush()
    began = time.perf_counter()
    with commits.database.snapshot() as connection:
        balance = history.balance(connection)
    balancing = time.perf_counter() - began
    assert balance.balanced
    print(
        json.dumps(
            {
                "start, s": start_seconds,
                "memory at start, MB": start_megabytes,
                "listing 18 items, us": listing / PAGES * 1e6,
                "taking, us": taking / PAGES * 1e6,
                "balance at the end, s": balancing,
            }
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--known", type=int, default=1_000_000)
    parser.add_argument("--few", type=int, default=10_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--work", nargs=2, metavar=("FOLDER", "KNOWN"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(Path(options.work[0]), int(options.work[1]))
        return
    with tempfile.TemporaryDirectory(prefix="ledger-benchmark-") as name:
        folder = Path(name)
        sizes = (options.few, options.known)
        for known in sizes:
            make(folder / str(known), known)
        measured: dict[int, list[dict[str, float]]] = {known: [] for known in sizes}
        for _ in range(options.pairs):
            for known in sizes:
                shutil.copytree(folder / str(known), folder / "job")
                line = [sys.executable, __file__, "--work", str(folder / "job"), str(known)]
                measured[known].append(
                    json.loads(
                        subprocess.run(line, capture_output=True, text=True, check=True).stdout
                    )
                )
                shutil.rmtree(folder / "job")
    for known in sizes:
        print(
            f"{known:>9,} known: "
            + ", ".join(
                f"{measure} {statistics.median(run[measure] for run in measured[known]):.2f}"
                for measure in measured[known][0]
            )
        )
    print(f"{options.known:,} known articles compared with {options.few:,}:")
    for measure in ("listing 18 items, us", "taking, us"):
        ratios = [
            many[measure] / few[measure]
            for few, many in zip(*(measured[known] for known in sizes), strict=True)
        ]
        print(
            f"  {measure}: {statistics.median(ratios):.2f} times as long "
            "(target: at most 1.25, which is 20% less throughput)"
        )
    print("  targets: start, at most 3 s; memory at start, at most 300 MB")


if __name__ == "__main__":
    main()

"""Reading and writing a web archive, compared with crawling the same pages over local HTTP.

    pip install '.[bench]'; apt-get install nginx-light
    python benchmarks/archive.py [--pages 20000] [--pairs 3]

The site of benchmarks/crawl.py is crawled from nginx on this machine, with and without
``archive=``. Then every article in the resulting WARC file is read with ``seed=all``; the first
read also builds the index. It is compared with a plain loop that reads the same articles in one
process with the same code, and with a loop that only parses with fastwarc and lxml. The crawls over
HTTP read in one process, too (READER_PROCESSES=0).
The crawlers take turns, each run in a process of its own. Prints medians, and medians of the ratios
of runs in the same round.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from crawl import FIRST_ID, IMPOLITE, PEERS, ROOT, Run, make_site, measure, serve


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pages", type=int, default=20_000)
    parser.add_argument("--pairs", type=int, default=3)
    options = parser.parse_args()
    if not shutil.which("nginx"):
        sys.exit("nginx is not installed; apt-get install nginx-light")
    spider = [f"{Path(sys.executable).parent}/scrapy", "crawl", "articles"]
    with tempfile.TemporaryDirectory(prefix="archive-benchmark-") as name:
        folder = Path(name)
        os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
        make_site(folder, options.pages)
        warc, out, quarter = (
            folder / "pages.warc.gz",
            folder / "out.jsonl",
            folder / "quarter.warc.gz",
        )
        with serve(folder) as url:
            http = [
                *spider,
                "-a",
                f"seed={FIRST_ID}",
                "-a",
                f"base_url={url}",
                "-a",
                "depth=1000",
                "-O",
                str(out),
                "-s",
                "READER_PROCESSES=0",
                *IMPOLITE,
            ]
            offline = [*spider, "-a", "seed=all", "-a", f"base_url={url}", "-O", str(out), "-a"]
            plain_loop = [sys.executable, str(PEERS / "plain_loop.py"), str(warc), str(out), url]
            parser_only = [
                sys.executable,
                str(PEERS / "fastwarc_lxml.py"),
                str(warc),
                str(out),
            ]
            crawlers: dict[str, tuple[list[str], int]] = {
                "local HTTP": (http, options.pages),
                "HTTP, archiving": ([*http, "-a", f"archive={warc}"], options.pages),
                "seed=all, first": ([*offline, f"source={warc}"], options.pages),
                "seed=all": ([*offline, f"source={warc}"], options.pages),
                "seed=all, quarter": ([*offline, f"source={quarter}"], options.pages // 4),
                "plain loop": (plain_loop, options.pages),
                "fastwarc and lxml": (parser_only, options.pages),
            }
            runs: dict[str, list[Run]] = {crawler: [] for crawler in crawlers}
            for _ in range(options.pairs):
                shutil.rmtree(folder / "cache", ignore_errors=True)
                for crawler, (command, pages) in crawlers.items():
                    if crawler == "HTTP, archiving":
                        warc.unlink(missing_ok=True)
                    if crawler == "seed=all, quarter" and not quarter.exists():
                        take_quarter(spider, url, quarter, options.pages // 4, out)
                    runs[crawler].append(measure(command, out, pages, ROOT))
                    last = runs[crawler][-1]
                    print(
                        f"{crawler:<18} {last.seconds:6.2f} s "
                        f"{pages / last.seconds:8.0f} pages/s "
                        f"{last.cpu_seconds:6.1f} s of CPU {last.megabytes:6.0f} MB",
                        flush=True,
                    )
            size = warc.stat().st_size
    print(
        f"\n{options.pages:,} pages, {size / 1e6:.0f} MB of WARC, medians of {options.pairs} runs"
    )
    for crawler, (_, pages) in crawlers.items():
        rate = statistics.median(pages / run.seconds for run in runs[crawler])
        print(
            f"{crawler:<18} {rate:8.0f} pages/s "
            f"{statistics.median(run.megabytes for run in runs[crawler]):6.0f} MB"
        )

    def ratio(one: str, other: str) -> float:
        return statistics.median(
            b.seconds / a.seconds for a, b in zip(runs[one], runs[other], strict=True)
        )

    print(
        "pages/s, seed=all / local HTTP: "
        f"{ratio('seed=all', 'local HTTP'):.2f} (target: at least 3)"
    )
    print(
        "pages/s, seed=all / plain loop: "
        f"{ratio('seed=all', 'plain loop'):.2f} (target on two processors: at least 1.7)"
    )
    print(
        "pages/s, seed=all, building its index / local HTTP: "
        f"{ratio('seed=all, first', 'local HTTP'):.2f}"
    )
    print(f"pages/s, seed=all / fastwarc and lxml: {ratio('seed=all', 'fastwarc and lxml'):.3f}")
    print(
        "pages/s, archiving / not archiving: "
        f"{ratio('HTTP, archiving', 'local HTTP'):.2f} (target: at least 0.85)"
    )
    pairs = zip(runs["seed=all"], runs["seed=all, quarter"], strict=True)
    print(
        "peak memory, seed=all / seed=all, quarter: "
        f"{statistics.median(a.megabytes / b.megabytes for a, b in pairs):.2f} (no growth: 1)"
    )


def take_quarter(spider: list[str], url: str, quarter: Path, pages: int, out: Path) -> None:
    """Archive the first ``pages`` pages of the site."""
    words = [
        "-a",
        f"seed={FIRST_ID}",
        "-a",
        f"base_url={url}",
        "-a",
        "depth=1000",
        "-a",
        f"limit={pages}",
        "-a",
        f"archive={quarter}",
    ]
    measure([*spider, *words, "-O", str(out), *IMPOLITE], out, pages, ROOT)


if __name__ == "__main__":
    main()

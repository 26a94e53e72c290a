"""The cost of a crawl as it grows: memory per known article, CPU a page, and long lists.

    pip install '.[bench,test]'
    python benchmarks/size.py [--quick] [--plot docs/explanation/size.svg]

A frontier reads pages until it knows the next number of articles of SIZES: pages that each list
100 new articles, with commits every 50 pages. There, it reads 500 ordinary pages, which list 18
articles each, 6 of them new. The CPU seconds of the process for these give the CPU a page that
depends on the size of the crawl: neither Scrapy nor the reading of pages is in it, since each costs
the same at any size. The memory per known article is the anonymous memory of the process (Linux:
/proc/self/smaps_rollup) beyond that before the first page. All of it is measured without a ledger
and with one in SQLite, each in a process of its own.

Then the command crawls a single saved page, which lists 1 to 100,000 articles, and fetches none of
these. The CPU seconds are those of the command and its processes, start-up included.

Prints tables, and draws them as an SVG file.
"""

import argparse
import gc
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import matplotlib as mpl
from crawl import FIRST_ID as FIRST_NUMBER
from crawl import ROOT, body, page_listing
from ledger import FIRST_ID, NEW, RELATED, begin, item
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from crawler.crawl.edges import NO_EVIDENCE, edges_of_items
from crawler.crawl.frontier import Frontier

SIZES = (1_000, 10_000, 100_000, 1_000_000)
LINKS = (1, 10, 100, 1_000, 10_000, 100_000)
MODES = ("without a ledger", "with JOBDIR")
_MOST_QUICK_SIZE, _MOST_QUICK_LINKS = 100_000, 10_000
_GROWTH_LINKS, _ORDINARY_PAGES, _PAGES_A_COMMIT = 100, 500, 50


class Crawl:
    """A crawl of made-up pages by a frontier, without Scrapy."""

    def __init__(self, job: Path | None) -> None:
        if job is None:
            self.frontier = Frontier(1000, 0, lambda item: True)
            self.frontier.seed([str(FIRST_ID)])
        else:
            self.frontier = begin(job)
        self._newest = FIRST_ID
        self._pages = 0
        self._chance = random.Random(1)

    def read_page(self, links: int, new: int) -> None:
        """Read the next page, which lists some new articles and some known ones."""
        page = self.frontier.take()
        assert page is not None
        ids = [*range(self._newest + 1, self._newest + new + 1)]
        ids += [self._chance.randint(FIRST_ID, self._newest) for _ in range(links - new)]
        self._newest += new
        items = [item(number, position) for position, number in enumerate(ids, start=1)]
        self.frontier.add_links(page.id, items)
        edges = edges_of_items(page.id, items)
        self.frontier.note_links(page, edges, datetime.now(UTC), NO_EVIDENCE)
        self.frontier.memory.leave(page, "dropped")
        self.frontier.finish(page)
        self._pages += 1
        if self._pages % _PAGES_A_COMMIT == 0:
            self.commit()

    def commit(self) -> None:
        if commits := getattr(self.frontier.memory, "commits", None):
            commits.flush()
            assert commits.failed is None


def measure_growth(sizes: list[int], job: Path | None) -> Iterator[dict[str, float]]:
    """Yield, at each number of known articles, the CPU a page and the memory per article."""
    crawl = Crawl(job)
    before = _anonymous_bytes()
    for size in sizes:
        while crawl.frontier.discovered < size:
            crawl.read_page(_GROWTH_LINKS, _GROWTH_LINKS)
        crawl.commit()
        known = crawl.frontier.discovered
        memory = (_anonymous_bytes() - before) / known
        began = time.process_time()
        for _ in range(_ORDINARY_PAGES):
            crawl.read_page(RELATED, NEW)
        seconds = time.process_time() - began
        yield {"size": size, "bytes": memory, "ms": seconds / _ORDINARY_PAGES * 1e3}


def _anonymous_bytes() -> int:
    gc.collect()
    rollup = Path("/proc/self/smaps_rollup").read_text(encoding="ascii")
    return int(rollup.split("\nAnonymous:")[1].split()[0]) * 1024


def growth(sizes: list[int], mode: str, folder: Path) -> list[dict[str, float]]:
    """Measure in a process of its own."""
    job = [str(folder / "job")] if mode == "with JOBDIR" else []
    line = [sys.executable, __file__, "--grow", ",".join(map(str, sizes)), *job]
    found = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    return [json.loads(text) for text in found.splitlines()]


def cpu_of_list(links: int, mode: str, folder: Path) -> float:
    """Return the CPU seconds of a crawl of one page that lists so many articles."""
    folder.mkdir()
    page = page_listing(range(1, links + 1), 0, body(random.Random(1)))
    (folder / f"{FIRST_NUMBER}.html").write_bytes(page)
    line = [sys.executable, "-m", "scrapy", "crawl", "articles", "-O", str(folder / "out.jsonl")]
    line += ["-a", f"seed={FIRST_NUMBER}", "-a", f"source={folder}", "-a", "limit=1"]
    # A page with 100,000 links is larger than the usual limits allow.
    line += ["-s", "DOWNLOAD_MAXSIZE=0", "-s", "READ_TIMEOUT=600"]
    line += ["-s", f"JOBDIR={folder / 'job'}"] if mode == "with JOBDIR" else []
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(line, cwd=ROOT, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"the crawl of a page with {links} links failed:\n{(folder / 'log').read_text()}")
    return usage.ru_utime + usage.ru_stime


def draw(
    grown: dict[str, list[dict[str, float]]], listed: dict[str, dict[int, float]], path: Path
) -> None:
    """Draw the figures in grey and two colours that are readable on white and on black."""
    grey = "#808080"
    mpl.rcParams.update({"svg.hashsalt": "size", "svg.fonttype": "none", "font.size": 9})
    for name in ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"):
        mpl.rcParams[name] = grey
    figure = Figure(figsize=(9, 3), layout="constrained")
    memory, cpu, links = figure.subplots(1, 3)
    for mode, colour, mark in zip(MODES, ("#d9822b", "#3b8ed0"), "os", strict=True):
        style = {"color": colour, "marker": mark, "markersize": 4, "label": mode}
        sizes = [one["size"] for one in grown[mode]]
        memory.plot(sizes, [one["bytes"] for one in grown[mode]], **style)
        cpu.plot(sizes, [one["ms"] for one in grown[mode]], **style)
        links.plot(list(listed[mode]), list(listed[mode].values()), **style)
    _label(memory, "known articles", "memory per known article, bytes")
    _label(cpu, "known articles", "CPU a page for the frontier, ms")
    _label(links, "articles that a page lists", "CPU of its crawl, s")
    for axes in (memory, cpu, links):
        axes.set_ylim(bottom=0)
    memory.legend(frameon=False)
    figure.savefig(path, transparent=True, metadata={"Date": None, "Creator": None})


def _label(axes: Axes, across: str, up: str) -> None:
    axes.set_xscale("log")
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.grid(visible=True, color="#808080", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="leave out the largest sizes")
    parser.add_argument("--plot", type=Path, default=ROOT / "docs" / "explanation" / "size.svg")
    parser.add_argument("--grow", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.grow:
        sizes, *job = options.grow
        for found in measure_growth([*map(int, sizes.split(","))], Path(job[0]) if job else None):
            print(json.dumps(found), flush=True)
        return
    sizes = [size for size in SIZES if not options.quick or size <= _MOST_QUICK_SIZE]
    lengths = [links for links in LINKS if not options.quick or links <= _MOST_QUICK_LINKS]
    with tempfile.TemporaryDirectory(prefix="size-benchmark-") as name:
        folder = Path(name)
        grown = {mode: growth(sizes, mode, folder) for mode in MODES}
        print(f"{'known articles':>20} {'bytes an article':>18} {'ms of CPU a page':>18}")
        for mode in MODES:
            print(mode)
            for found in grown[mode]:
                print(f"{found['size']:20,} {found['bytes']:18,.0f} {found['ms']:18.2f}")
        listed: dict[str, dict[int, float]] = {mode: {} for mode in MODES}
        print(f"\n{'links on the page':>20} " + "".join(f"{mode + ', s':>22}" for mode in MODES))
        for links in lengths:
            for mode in MODES:
                place = folder / f"{links} {mode}"
                listed[mode][links] = cpu_of_list(links, mode, place)
            print(f"{links:20,} " + "".join(f"{listed[mode][links]:22.2f}" for mode in MODES))
    draw(grown, listed, options.plot)
    print(f"\ndrawn: {options.plot}")


if __name__ == "__main__":
    main()

"""How long a report takes: writing it, its first paint, and its frames while the graph moves.

    python benchmarks/report.py [--articles 5000] [--links 9] [--width 1400] [--height 900]

Makes the job of N articles with bodies of about 3,000 characters and L links each, most of them
within neighbourhoods, writes its report, and opens that in Chromium. The first paint is that of the
graph. Then the graph is dragged and zoomed with real mouse events for three seconds each. Prints
the medians, the 95th percentile of the intervals between frames, and how long writing takes beside
``scrapy export`` of the same job as JSON-LD.
"""

import argparse
import itertools
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from playwright.sync_api import sync_playwright
from saving import CHROMIUM

from benchmarks.made_corpus import make_job

if TYPE_CHECKING:
    from playwright.sync_api import Page

# Times are in milliseconds since the navigation began. The pixels of the graph are looked at until
# something is drawn there.
FIRST_PAINT = """
window.frames_seen = [];
(function look(now) {
  window.frames_seen.push(now);
  requestAnimationFrame(look);
  if (window.painted || !document.querySelector("#graph-canvas")?.width) return;
  const canvas = document.querySelector("#graph-canvas");
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  for (let at = 4; at < data.length; at += 4) {
    if (data[at] !== data[0] || data[at + 1] !== data[1]) {
      window.painted = performance.now();
      return;
    }
  }
})(0);
"""
SECONDS = 3


def seconds_of(*words: str, folder: str) -> float:
    """Return how long a command of Scrapy takes."""
    began = time.perf_counter()
    line = [sys.executable, "-m", "scrapy", *words, "-s", "JOBDIR=job"]
    subprocess.run(line, cwd=folder, capture_output=True, check=True)
    return time.perf_counter() - began


def frames(page: "Page", act: str) -> list[float]:
    """Drag or zoom for some seconds. Returns the intervals between frames, in milliseconds."""
    canvas = page.locator("#graph-canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.keyboard.down("Control")
    if act == "drag":
        page.mouse.down()
    page.evaluate("window.frames_seen.length = 0")
    ends = time.monotonic() + SECONDS
    step = 0
    while time.monotonic() < ends:
        step += 1
        if act == "drag":
            page.mouse.move(x + 9 * abs(step % 60 - 30) - 135, y + 5 * abs(step % 40 - 20) - 50)
        else:
            page.mouse.wheel(0, -60 if step % 60 < 30 else 60)
    seen = page.evaluate("window.frames_seen")
    page.mouse.up()
    page.keyboard.up("Control")
    return [after - before for before, after in itertools.pairwise(seen)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--articles", type=int, default=5_000)
    parser.add_argument("--links", type=int, default=9)
    parser.add_argument("--width", type=int, default=1_400)
    parser.add_argument("--height", type=int, default=900)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="report-benchmark-") as folder:
        make_job(Path(folder, "job"), options.articles, options.links)
        Path(folder, "scrapy.cfg").write_text(
            "[settings]\ndefault = crawler.settings\n", encoding="utf-8"
        )
        pairs = [
            (
                seconds_of("report", "-o", "report.html", folder=folder),
                seconds_of("export", "-o", "articles.jsonld", folder=folder),
            )
            for _ in range(options.repeats)
        ]
        print(
            f"writing: {median(mine for mine, _ in pairs):.1f} s, "
            f"{median(mine / peer for mine, peer in pairs):.1f} times as long as JSON-LD"
        )
        path = Path(folder, "report.html")
        print(f"size: {path.stat().st_size / 1e6:.1f} MB")
        watch(path, options)


def watch(path: Path, options: argparse.Namespace) -> None:
    """Open a report in Chromium, and print when it is painted and how it moves."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        paints, loads = [], []
        for _ in range(options.repeats):
            page = browser.new_page(viewport={"width": options.width, "height": options.height})
            page.add_init_script(FIRST_PAINT)
            page.goto(path.as_uri())
            page.wait_for_function("window.painted")
            paints.append(page.evaluate("window.painted") / 1000)
            loads.append(
                page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd") / 1000
            )
        print(f"first paint: {median(paints):.2f} s, with the table: {median(loads):.2f} s")
        for act in ("drag", "zoom"):
            intervals = frames(page, act)
            print(
                f"{act}: {1000 * len(intervals) / sum(intervals):.0f} frames/s; intervals: median "
                f"{median(intervals):.0f} ms, 95th percentile {quantiles(intervals, n=20)[-1]:.0f} "
                f"ms, longest {max(intervals):.0f} ms"
            )
        browser.close()


if __name__ == "__main__":
    main()

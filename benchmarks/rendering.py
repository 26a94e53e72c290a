"""Rendering pages with Splash and Chromium, compared with fetching them without rendering.

    pip install '.[bench,playwright]'; apt-get install nginx-light chromium
    python benchmarks/rendering.py --splash http://127.0.0.1:8050 [--pages 40] [--pairs 3]

Splash must already be running, with at least four slots (docs/how-to/rendering.md).
The site of benchmarks/crawl.py is crawled from nginx on this machine, rendering one page at a time
or four at once. Prints medians, and medians of the ratios of runs in the same round. Each page gets
half a second to settle (RENDER_QUIET), so rendering one at a time cannot exceed two pages a second.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from crawl import FIRST_ID, IMPOLITE, ROOT, Run, make_site, measure, serve

# Each page being rendered counts as two requests: the page itself and the browser's request.
_FOUR = ["-s", "CONCURRENT_REQUESTS=8", "-s", "CONCURRENT_REQUESTS_PER_DOMAIN=8"]
_ONE = ["-s", "CONCURRENT_REQUESTS=1", "-s", "CONCURRENT_REQUESTS_PER_DOMAIN=1"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--splash", required=True)
    parser.add_argument("--pages", type=int, default=40)
    parser.add_argument("--pairs", type=int, default=3)
    options = parser.parse_args()
    if not shutil.which("nginx"):
        sys.exit("nginx is not installed; apt-get install nginx-light")
    with tempfile.TemporaryDirectory(prefix="rendering-benchmark-") as name:
        folder, out = Path(name), Path(name) / "out.jsonl"
        make_site(folder, options.pages)
        with serve(folder) as url:
            spider = [
                f"{Path(sys.executable).parent}/scrapy",
                "crawl",
                "articles",
                "-a",
                f"seed={FIRST_ID}",
                "-a",
                f"base_url={url}",
            ]
            plain = [*spider, "-a", "depth=1000", "-O", str(out), *IMPOLITE]
            splash = [*plain, "-a", "render=splash", "-s", f"SPLASH_URL={options.splash}"]
            chromium = [*plain, "-a", "render=playwright"]
            crawlers = {
                "plain": [*plain, *_ONE],
                "auto, none needs it": [*plain, *_ONE, "-a", "render=auto"],
                "splash": [*splash, *_ONE],
                "splash, four at once": [*splash, *_FOUR],
                "chromium": [*chromium, *_ONE],
                "chromium, four at once": [*chromium, *_FOUR],
            }
            runs: dict[str, list[Run]] = {crawler: [] for crawler in crawlers}
            for _ in range(options.pairs):
                for crawler, command in crawlers.items():
                    runs[crawler].append(measure(command, out, options.pages, ROOT))
    print(
        f"{options.pages} pages, medians of {options.pairs} runs, {os.cpu_count()} processors; "
        "startup included"
    )
    for crawler, measured in runs.items():
        seconds = statistics.median(run.seconds for run in measured)
        ratio = statistics.median(
            plain.seconds / run.seconds for plain, run in zip(runs["plain"], measured, strict=True)
        )
        print(
            f"{crawler:<24} {seconds:6.2f} s {options.pages / seconds:6.2f} pages/s, "
            f"{ratio:.3f} of plain"
        )


if __name__ == "__main__":
    main()

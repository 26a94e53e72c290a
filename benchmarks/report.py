"""How long the graph of a report takes: its layout, its first paint, and frames while it moves.

    python benchmarks/report.py [--nodes 5000] [--links 40000] [--width 1400] [--height 900]

Makes a graph of N nodes in neighbourhoods of very different sizes, lays it out, and opens it in
Chromium, which draws it, and is then dragged and zoomed with real mouse events for three seconds
each. Prints the median and the 95th percentile of the intervals between frames.
"""

import argparse
import itertools
import random
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, get_args

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from graph_page import graph_page
from playwright.sync_api import sync_playwright
from saving import CHROMIUM

from crawler.items import ArticleRole
from crawler.report.network import Link, Node, lay_out

if TYPE_CHECKING:
    from playwright.sync_api import Page

# Times are in milliseconds since the navigation began. The pixel in the middle of the graph is
# looked at until something is drawn there.
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
WORDS = (
    "storm harbour council bridge ferry strike budget election museum river school hospital "
    "trial minister festival railway vaccine drought refinery archive airport tariff"
).split()


def made_network(count: int, link_count: int, publishers: int = 9) -> tuple[list[Node], list[Link]]:
    """Return nodes and links of neighbourhoods, most links within one, some to the next."""
    chance = random.Random(count)
    neighbourhoods = max(1, count // 60)
    home = [
        min(int(chance.paretovariate(0.9)) - 1, neighbourhoods - 1)
        if chance.random() < 0.6
        else chance.randrange(neighbourhoods)
        for _ in range(count)
    ]
    nodes = [_made_node(number, home[number], publishers, chance) for number in range(count)]
    members: dict[int, list[int]] = {}
    for number, place in enumerate(home):
        members.setdefault(place, []).append(number)
    links = []
    while len(links) < link_count and count > 1:
        source = chance.randrange(count)
        near = home[source]
        if chance.random() > 0.9:
            near = (near + 1) % neighbourhoods
        if chance.random() > 0.97:
            near = chance.randrange(neighbourhoods)
        if near in members:
            target = chance.choice(members[near])
            members[near].append(target)  # the linked are linked more
            links.append(Link(source, target, chance.choices(get_args(ArticleRole), [6, 3, 1])[0]))
    return nodes, links


def _made_node(number: int, home: int, publishers: int, chance: random.Random) -> Node:
    publisher = home if chance.random() < 0.8 else chance.randrange(publishers)
    words = " ".join(chance.sample(WORDS, 5))
    return Node(
        id=f"publisher.example/2026/{number}",
        kind=chance.choices(("article", "teaser", "failure"), (80, 17, 3))[0],
        headline=f"{words.capitalize()} {number}",
        url=f"https://publisher.example/2026/{number}/",
        publisher=f"publisher{publisher % publishers}.example",
        depth=min(int(chance.expovariate(0.6)), 6),
        day=f"2026-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
        row=f"row-{number}",
    )


def frames(page: "Page", act: str) -> list[float]:
    """Drag or zoom for some seconds. Returns the intervals between frames, in milliseconds."""
    box = page.locator("#graph-canvas").bounding_box()
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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=5_000)
    parser.add_argument("--links", type=int, default=40_000)
    parser.add_argument("--width", type=int, default=1_400)
    parser.add_argument("--height", type=int, default=900)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    nodes, links = made_network(arguments.nodes, arguments.links)
    layouts = []
    for _ in range(arguments.repeats):
        began = time.perf_counter()
        lay_out(nodes, links)
        layouts.append(time.perf_counter() - began)
    print(f"layout: {median(layouts):.2f} s")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder, "graph.html")
        path.write_bytes(graph_page(nodes, links))
        print(f"size: {path.stat().st_size / 1e6:.1f} MB")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        paints = []
        for _ in range(arguments.repeats):
            page = browser.new_page(viewport={"width": arguments.width, "height": arguments.height})
            page.add_init_script(FIRST_PAINT)
            page.goto(path.as_uri())
            page.wait_for_function("window.painted")
            paints.append(page.evaluate("window.painted"))
        print(f"first paint: {median(paints) / 1000:.2f} s")
        for act in ("drag", "zoom"):
            intervals = frames(page, act)
            print(
                f"{act}: {len(intervals)} frames, median {median(intervals):.0f} ms,"
                f" 95th percentile {quantiles(intervals, n=20)[-1]:.0f} ms,"
                f" longest {max(intervals):.0f} ms"
            )
        browser.close()


if __name__ == "__main__":
    main()

"""Draw docs/layers.svg, the layers of the code, from its imports: ``python tests/draw_layers.py``.

The rows are the layers that pyproject.toml declares. A box is a package, and an arrow means that
one package imports another. Arrows that follow from others are left out. Modules that are not in a
package are named on the right of their layer. ``tests/test_layers.py`` compares the file with what
this module draws.
"""

import tomllib
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import grimp
import networkx

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "docs" / "layers.svg"

BANDS = {
    "console": ("Commands", "what a user asks for:", "crawls, exports, reports"),
    "spiders": ("Rim", "the requests, responses", "and items of Scrapy"),
    "crawl": ("Crawl", "its state, in memory or", "in a ledger; no Scrapy"),
    "extraction": ("Pages and archives", "bytes to records; no", "database, no event loop"),
    "terminal_tables": ("Foundations", "files, terminals, errors"),
}
"""The name and the content of each band of layers, by the first name in its top layer."""

COLUMNS = {
    "commands": 0,
    "report": 1,
    "spark": 0,
    "export": 2,
    "publisher_drafts": 0,
    "spiders": 0,
    "workers": 0,
    "middlewares": 0,
    "extensions": 1,
    "feeds": 2,
    "rendering": 0,
    "sources": 1,
    "downloading": 0,
    "crawl": 1,
    "extraction": 0,
    "warc": 1,
    "vardump": 0,
}
"""The column of each package."""

# All lengths are in pixels.
_MARGIN, _PADDING, _GAP = 16, 10, 10
_BAND_TITLES, _COLUMN, _SINGLE_MODULES = 176, 152, 272
_GRAPH = _MARGIN + _PADDING + _BAND_TITLES
_WIDTH = _GRAPH + 3 * _COLUMN + _SINGLE_MODULES + _MARGIN
_ROW, _LINE = 40, 16
_BOX_WIDTH, _BOX_HEIGHT = 126, 26
_LONGEST_LINE = 36
# Arrows leave a box below its middle and reach the next above it, so that they do not meet there.
_OFF_MIDDLE, _CORNER = 5, 5
_LEGEND = (
    "arrow: imports; arrows that follow from others are left out · "
    "green: imports Scrapy or Twisted · right: modules without a package"
)
_STYLE = """
svg { font: 13px system-ui, sans-serif }
.page { fill: #fff } .band { fill: #f3f4f6 } text { fill: #1f2328 }
.title { font-weight: 600 } .content { fill: #59636e }
.box { fill: #fff; stroke: #6e7781 } .scrapy.box { fill: #ddf4e4; stroke: #2c8a4b }
.name { font: 12px ui-monospace, monospace } .box + .name { text-anchor: middle }
.arrow { fill: none; stroke: #6e7781; stroke-width: 1.3 } marker path { fill: #6e7781 }
@media (prefers-color-scheme: dark) {
  .page { fill: #0d1117 } .band { fill: #161b22 } text { fill: #e6edf3 }
  .content { fill: #9198a1 }
  .box { fill: #0d1117; stroke: #7d8590 } .scrapy.box { fill: #12301c; stroke: #3fb950 }
  .arrow { stroke: #8b949e } marker path { fill: #8b949e }
}"""


class Box(NamedTuple):
    """A package: its name, the middle of its box, and whether it imports Scrapy or Twisted."""

    name: str
    x: int
    y: int
    knows_scrapy: bool


def layers() -> list[list[str]]:
    """Return the names in each layer, topmost first, as import-linter's contract lists them."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    contract = next(one for one in config["contracts"] if one["type"] == "layers")
    return [[name.strip() for name in layer.split(":")] for layer in contract["layers"]]


def picture() -> str:
    """Return the picture as SVG. Raises ValueError if COLUMNS or BANDS lacks a name."""
    graph = grimp.build_graph(
        "crawler",
        include_external_packages=True,
        exclude_type_checking_imports=True,
        cache_dir=None,
    )
    parts: list[str] = []
    boxes: dict[str, Box] = {}
    y = _MARGIN
    for band in _bands():
        top = y
        y += _PADDING
        texts = _texts(_MARGIN + _PADDING, y, BANDS[band[0][0]], ("title", *["content"] * 2))
        lowest_text = y + len(texts) * _LINE
        for layer in band:
            packages = [name for name in layer if graph.find_children(f"crawler.{name}")]
            lines = _wrapped([name for name in layer if name not in packages])
            height = max(_ROW if packages else 0, len(lines) * _LINE + 4)
            for name in packages:
                boxes[name] = _box(graph, name, y + height // 2)
            first_line = y + (height - len(lines) * _LINE) // 2
            texts += _texts(_GRAPH + 3 * _COLUMN, first_line, lines, ["name"] * len(lines))
            y += height
        y = max(y, lowest_text) + _PADDING
        parts.append(
            f'<rect class="band" x="{_MARGIN}" y="{top}" width="{_WIDTH - 2 * _MARGIN}" '
            f'height="{y - top}" rx="6"/>'
        )
        parts += texts
        y += _GAP
    parts += [_arrow(boxes[one], boxes[other]) for one, other in _imports(graph, boxes)]
    parts += [_drawn(box) for box in boxes.values()]
    parts += _texts(_MARGIN + _PADDING, y, [_LEGEND], ["content"])
    height = y + _LINE + _MARGIN
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
            f'width="{_WIDTH}" height="{height}" role="img" aria-label="The layers of the code">',
            f"<style>{_STYLE}\n</style>",
            '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
            'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z"/></marker>',
            f'<rect class="page" width="{_WIDTH}" height="{height}"/>',
            *parts,
            "</svg>\n",
        ]
    )


def _bands() -> list[list[list[str]]]:
    """Return the layers of each band. Raises ValueError if BANDS does not fit them."""
    rows = layers()
    starts = [[row[0] for row in rows].index(name) for name in BANDS]
    if starts[0] != 0:
        raise ValueError(f"BANDS of tests/draw_layers.py lacks the top layer, {rows[0][0]}")
    return [rows[start:end] for start, end in pairwise([*starts, len(rows)])]


def _wrapped(names: list[str]) -> list[str]:
    """Return names in lines, all in their order."""
    lines: list[str] = []
    for name in names:
        if lines and len(lines[-1]) + 3 + len(name) <= _LONGEST_LINE:
            lines[-1] += f" · {name}"
        else:
            lines.append(name)
    return lines


def _texts(left: int, top: int, lines: Sequence[str], styles: Sequence[str]) -> list[str]:
    """Return lines of text from a top left corner, each with its style."""
    return [
        f'<text class="{style}" x="{left}" y="{top + number * _LINE + 12}">{escape(line)}</text>'
        for number, (line, style) in enumerate(zip(lines, styles, strict=False))
    ]


def _box(graph: grimp.ImportGraph, name: str, y: int) -> Box:
    if name not in COLUMNS:
        raise ValueError(f"COLUMNS of tests/draw_layers.py lacks the package {name}")
    x = _GRAPH + COLUMNS[name] * _COLUMN + _BOX_WIDTH // 2
    return Box(name, x, y, _knows_scrapy(graph, name))


def _knows_scrapy(graph: grimp.ImportGraph, name: str) -> bool:
    return any(
        graph.direct_import_exists(importer=f"crawler.{name}", imported=framework, as_packages=True)
        for framework in ("scrapy", "twisted")
    )


def _imports(graph: grimp.ImportGraph, names: dict[str, Box]) -> list[tuple[str, str]]:
    """Return the imports between packages, without those that follow from others."""
    imports = networkx.DiGraph(
        (one, other)
        for one in names
        for other in names
        if one != other
        and graph.direct_import_exists(
            importer=f"crawler.{one}", imported=f"crawler.{other}", as_packages=True
        )
    )
    return sorted(networkx.transitive_reduction(imports).edges)


def _arrow(one: Box, other: Box) -> str:
    if one.x == other.x:
        path = f"M{one.x} {one.y + _BOX_HEIGHT // 2}V{other.y - _BOX_HEIGHT // 2}"
    else:
        side = 1 if one.x < other.x else -1
        start, end = one.x + side * _BOX_WIDTH // 2, other.x - side * _BOX_WIDTH // 2
        if one.y == other.y:
            path = f"M{start} {one.y}H{end}"
        else:
            lane = start + side * (_COLUMN - _BOX_WIDTH) // 2
            top, bottom = one.y + _OFF_MIDDLE, other.y - _OFF_MIDDLE
            turn = side * _CORNER
            path = (
                f"M{start} {top}H{lane - turn}Q{lane} {top} {lane} {top + _CORNER}"
                f"V{bottom - _CORNER}Q{lane} {bottom} {lane + turn} {bottom}H{end}"
            )
    return f'<path class="arrow" d="{path}" marker-end="url(#head)"/>'


def _drawn(box: Box) -> str:
    style = "scrapy box" if box.knows_scrapy else "box"
    left, top = box.x - _BOX_WIDTH // 2, box.y - _BOX_HEIGHT // 2
    return (
        f'<rect class="{style}" x="{left}" y="{top}" width="{_BOX_WIDTH}" '
        f'height="{_BOX_HEIGHT}" rx="5"/><text class="name" x="{box.x}" y="{box.y + 4}">'
        f"{escape(box.name)}</text>"
    )


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")

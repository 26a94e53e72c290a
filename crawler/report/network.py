"""The graph of a report: its nodes, the links between them, and where each node is drawn."""

from __future__ import annotations

import math
import random
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from crawler.items import ArticleRole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import igraph

Kind = Literal["article", "teaser", "failure"]
Point = tuple[float, float]

# Beyond these, a browser with two cores takes seconds to redraw the graph.
MOST_NODES = 20_000
MOST_LINKS = 200_000
# The longer side of the picture. Two nodes are at least 1 apart, which the largest zoom makes
# visible.
EXTENT = 4_000
HEADLINE_LENGTH = 300
# Up to so many nodes, the layout of Kamada and Kawai, which spaces them evenly, is fast enough.
_MOST_SPACED_EVENLY = 300
# How strongly links within a community pull, compared to those between communities. Without the
# difference, 5,000 articles become one cloud.
_PULL_WITHIN, _PULL_BETWEEN = 4.0, 0.25
# The picture is made this much wider than high, as screens are; but a component is stretched by no
# more than _MOST_STRETCH.
_ASPECT = 1.6
_MOST_STRETCH = 1.35
# Free space around a component, where 1 is about the distance of two linked nodes; and the part of
# its longer side by which that grows.
_MARGIN, _MARGIN_GROWTH = 0.25, 0.02
_SEED = 21


class Node(NamedTuple):
    """An article, or a teaser or failure, in the graph.

    ``row`` is the id of its row in the report's table; None if it has none. ``day`` is the day of
    publication (``YYYY-MM-DD``); None if it is not known.
    """

    id: str
    kind: Kind
    headline: str | None
    url: str | None
    publisher: str | None
    depth: int
    day: str | None
    row: str | None


class Link(NamedTuple):
    """A link between two nodes, by their numbers in the list of nodes."""

    source: int
    target: int
    role: ArticleRole


class PlacedNode(NamedTuple):
    """A node that is drawn.

    ``x`` and ``y`` are from 0 to ``EXTENT``, and ``y`` grows downwards. ``in_links`` is the number
    of other nodes that link to it, drawn or not. ``publisher`` is an index of
    ``Network.publishers``.
    """

    node: Node
    x: int
    y: int
    in_links: int
    publisher: int


@dataclass(frozen=True)
class Network:
    """The graph with a place for every node that is drawn.

    ``nodes`` are ordered by their number of in-links, most first. ``links`` has pairs of indexes of
    ``nodes`` by role, each pair once. ``publishers`` has the number of drawn nodes by publisher, in
    the order of their colours; None stands for unknown publishers. ``left_out`` and
    ``links_left_out`` count those that are not drawn for want of space.
    """

    nodes: Sequence[PlacedNode]
    links: Mapping[ArticleRole, Sequence[tuple[int, int]]]
    publishers: Mapping[str | None, int]
    left_out: Mapping[Kind, int]
    links_left_out: int

    @property
    def depths(self) -> dict[int, int]:
        """The number of drawn nodes by depth, in the order of depth."""
        return dict(sorted(Counter(placed.node.depth for placed in self.nodes).items()))

    @property
    def kinds(self) -> dict[Kind, int]:
        """The number of drawn nodes by kind."""
        counts = Counter(placed.node.kind for placed in self.nodes)
        return {kind: counts[kind] for kind in get_args(Kind) if counts[kind]}

    @property
    def json(self) -> dict[str, Any]:
        """The graph for the viewer: one array per attribute of the nodes, and flat pairs."""
        nodes = self.nodes
        return {
            "x": [placed.x for placed in nodes],
            "y": [placed.y for placed in nodes],
            "in_links": [placed.in_links for placed in nodes],
            "publisher": [placed.publisher for placed in nodes],
            "id": [placed.node.id for placed in nodes],
            "kind": [placed.node.kind for placed in nodes],
            "headline": [_shortened(placed.node.headline) for placed in nodes],
            "url": [placed.node.url for placed in nodes],
            "depth": [placed.node.depth for placed in nodes],
            "day": [placed.node.day for placed in nodes],
            "row": [placed.node.row for placed in nodes],
            "publishers": list(self.publishers),
            "links": {
                role: [number for pair in pairs for number in pair]
                for role, pairs in self.links.items()
            },
        }


def lay_out(
    nodes: Sequence[Node], links: Iterable[Link], publishers: Sequence[str] = ()
) -> Network:
    """Give nodes their places.

    ``publishers`` come first in ``Network.publishers``; the others follow, those with most nodes
    first.
    Links from a node to itself are dropped, and repeated links count once. Of more than
    ``MOST_NODES`` nodes, articles and then those with the most in-links are drawn; of more than
    ``MOST_LINKS`` links, those whose role comes first in ``ArticleRole``, and of one role those
    between the nodes with the most in-links. The same input always gives the same picture.
    """
    distinct = {link for link in links if link.source != link.target}
    in_links = Counter(target for _, target in {(source, target) for source, target, _ in distinct})

    def weight(number: int) -> tuple[int, str]:
        return -in_links[number], nodes[number].id

    drawn = sorted(
        sorted(range(len(nodes)), key=lambda n: (nodes[n].kind != "article", weight(n)))[
            :MOST_NODES
        ],
        key=weight,
    )
    index = {number: place for place, number in enumerate(drawn)}
    roles = get_args(ArticleRole)
    between = sorted(
        (roles.index(role), index[source], index[target])
        for source, target, role in distinct
        if source in index and target in index
    )
    if len(between) > MOST_LINKS:
        between = sorted(sorted(between, key=lambda e: (e[0], e[1] + e[2], e))[:MOST_LINKS])
    pairs = {
        role: [(source, target) for number, source, target in between if roles[number] == role]
        for role in roles
    }
    places = _places(len(drawn), {(min(s, t), max(s, t)) for _, s, t in between})
    sizes: dict[str | None, int] = dict.fromkeys(publishers, 0)
    others = Counter(nodes[number].publisher for number in drawn)
    sizes |= dict(sorted(others.items(), key=lambda e: (-e[1], e[0] is None, e[0] or "")))
    publisher_index = {publisher: place for place, publisher in enumerate(sizes)}
    return Network(
        nodes=[
            PlacedNode(
                nodes[number], x, y, in_links[number], publisher_index[nodes[number].publisher]
            )
            for number, (x, y) in zip(drawn, places, strict=True)
        ],
        links={role: found for role, found in pairs.items() if found},
        publishers=sizes,
        left_out=Counter(node.kind for number, node in enumerate(nodes) if number not in index),
        links_left_out=len(distinct) - len(between),
    )


def _places(count: int, edges: set[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return distinct points of the picture, one for each node."""
    import igraph

    graph = igraph.Graph(count, sorted(edges))
    points: list[Point] = [(0.0, 0.0)] * count
    with _seeded():
        boxes = [_placed(graph, component) for component in graph.connected_components()]
    for (left, top), box in zip(_packed([box.size for box in boxes]), boxes, strict=True):
        for number, (x, y) in box.points.items():
            points[number] = (left + x, top + y)
    return _on_lattice(points)


class _Box(NamedTuple):
    """A component of the graph: its points by node, from (0, 0) to ``size``."""

    points: dict[int, Point]
    size: Point


def _placed(graph: igraph.Graph, component: Sequence[int]) -> _Box:
    """Lay out a component, its longer axis lying horizontally."""
    points: list[Point] = [(0.0, 0.0)]
    if len(component) > 1:
        points = _lying(_untangled(graph.induced_subgraph(component)))
    left, top, width, height = _extent(points)
    if width < height * _ASPECT:
        stretch = min(height * _ASPECT / width, _MOST_STRETCH) if width else 1
        points = [(x * stretch, y) for x, y in points]
        left, width = left * stretch, width * stretch
    margin = _MARGIN + _MARGIN_GROWTH * max(width, height)
    return _Box(
        {
            number: (x - left + margin, y - top + margin)
            for number, (x, y) in zip(component, points, strict=True)
        },
        (width + 2 * margin, height + 2 * margin),
    )


def _untangled(graph: igraph.Graph) -> Sequence[Sequence[float]]:
    """Return a point for each node of a connected graph."""
    points: Sequence[Sequence[float]]
    if graph.vcount() <= _MOST_SPACED_EVENLY:
        points = graph.layout_kamada_kawai().coords
    else:
        community = graph.community_multilevel().membership
        pulls = [
            _PULL_WITHIN if community[source] == community[target] else _PULL_BETWEEN
            for source, target in graph.get_edgelist()
        ]
        points = graph.layout_fruchterman_reingold(weights=pulls).coords
    return points


def _extent(points: Sequence[Point]) -> tuple[float, float, float, float]:
    """Return the left and the top of points, their width and their height."""
    (left, right), (top, bottom) = ((min(axis), max(axis)) for axis in zip(*points, strict=True))
    return left, top, right - left, bottom - top


def _lying(points: Sequence[Sequence[float]]) -> list[Point]:
    """Turn points so that their principal axis is horizontal."""
    middle_x, middle_y = (math.fsum(axis) / len(points) for axis in zip(*points, strict=True))
    centred = [(x - middle_x, y - middle_y) for x, y in points]
    spread = math.fsum(x * x - y * y for x, y in centred)
    angle = math.atan2(2 * math.fsum(x * y for x, y in centred), spread) / 2
    cos, sin = math.cos(angle), math.sin(angle)
    return [(x * cos + y * sin, y * cos - x * sin) for x, y in centred]


def _packed(sizes: Sequence[Point]) -> list[Point]:
    """Return the top left corners of boxes that lie in centred rows, and in a row in columns."""
    areas = [width * height for width, height in sizes]
    limit = max((width for width, _ in sizes), default=0.0)
    # Beside one large component, a few small ones would look lost: they are below it.
    if max(areas, default=0.0) < sum(areas) * 0.9:
        limit = max(limit, math.sqrt(sum(areas) * _ASPECT))
    corners: list[Point] = [(0.0, 0.0)] * len(sizes)
    row: list[int] = []
    row_top = row_bottom = column_left = column_right = top = 0.0

    def centre_row() -> None:
        for number in row:
            x, y = corners[number]
            corners[number] = (x + (limit - column_right) / 2, y)

    # The highest first: it sets the height of its row.
    for number in sorted(range(len(sizes)), key=lambda n: (-sizes[n][1], -sizes[n][0], n)):
        width, height = sizes[number]
        if top + height > row_bottom or column_left + width > limit:
            column_left, top = column_right, row_top
            if row_bottom == row_top or column_left + width > limit:
                centre_row()
                row.clear()
                column_left = column_right = 0.0
                row_top = top = row_bottom
                row_bottom += height
        row.append(number)
        corners[number] = (column_left, top)
        column_right = max(column_right, column_left + width)
        top += height
    centre_row()
    return corners


def _on_lattice(points: Sequence[Point]) -> list[tuple[int, int]]:
    """Scale points to ``EXTENT`` and round them to distinct integers."""
    if not points:
        return []
    left, top, width, height = _extent(points)
    scale = EXTENT / (max(width, height) or 1)
    taken: dict[tuple[int, int], None] = {}
    for x, y in points:
        wanted = round((x - left) * scale), round((y - top) * scale)
        taken[next(place for place in _around(*wanted) if place not in taken)] = None
    return list(taken)


def _around(x: int, y: int) -> Iterator[tuple[int, int]]:
    """Yield the places of the picture around one, nearest rings first."""
    for ring in range(EXTENT + 1):
        for across in range(-ring, ring + 1):
            for down in {-ring, ring} if abs(across) < ring else range(-ring, ring + 1):
                if 0 <= x + across <= EXTENT and 0 <= y + down <= EXTENT:
                    yield x + across, y + down


@contextmanager
def _seeded() -> Iterator[None]:
    """Make the random numbers of igraph the same every time. It has one generator for all."""
    import igraph

    igraph.set_random_number_generator(random.Random(_SEED))
    try:
        yield
    finally:
        igraph.set_random_number_generator(random)  # its default


def _shortened(headline: str | None) -> str | None:
    if headline is None or len(headline) <= HEADLINE_LENGTH:
        return headline
    return headline[: HEADLINE_LENGTH - 1] + "…"

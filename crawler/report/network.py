"""The graph of a report: its nodes, the links between them, and where each node is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from crawler.items import ArticleRole


class Node(NamedTuple):
    """An article, or a teaser or failure, in the graph.

    ``row`` is the id of its row in the report's table; None if it has none. ``day`` is the day of
    publication (``YYYY-MM-DD``); None if it is not known.
    """

    id: str
    kind: Literal["article", "teaser", "failure"]
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

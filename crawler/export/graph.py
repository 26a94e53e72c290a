"""Writes the link graph as GEXF, for Gephi, or as GraphML, for most other tools.

Nodes are the articles, teasers and failures, in this order, and all other pages that edges name,
of the kind ``page``. The edges are the links, one element each: a page may link to another one
several times and in several roles. Attributes without a value are left out.

Nodes and edges are first put in a temporary database, which counts the degrees, so that memory
does not grow with the graph.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from lxml import etree

from crawler.export import near_copies
from crawler.export.temporary import temporary_database
from crawler.extraction.page.text import without_controls
from crawler.items import Article

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import IO, Any

    from crawler.export.corpus import Copies, Corpus
    from crawler.export.temporary import Connection, Row
    from crawler.items import Failure, Teaser

# networkx reads no newer version before 3.6. Gephi reads all versions alike.
_GEXF = "http://www.gexf.net/1.2draft"
_GRAPHML = "http://graphml.graphdrawing.org/xmlns"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"

# The attributes, which are also columns, with their types in GEXF.
_NODE_ATTRIBUTES = {
    "kind": "string",
    "headline": "string",
    "url": "string",
    "published": "string",
    "publisher": "string",
    "language": "string",
    "depth": "integer",
    "in_degree": "integer",
    "out_degree": "integer",
    "copy_group": "string",
}
_EDGE_ATTRIBUTES = {
    "role": "string",
    "position": "integer",
    "url": "string",
    "text": "string",
    "internal": "boolean",
    "first_seen": "string",
    "last_seen": "string",
    "removed_at": "string",
    "first_record": "string",
    "first_place": "string",
    "last_record": "string",
    "last_place": "string",
}
_GRAPHML_TYPES = {"string": "string", "integer": "int", "boolean": "boolean"}

_TABLES = """
    CREATE TABLE nodes (id TEXT PRIMARY KEY, kind, headline, url, published, publisher, language,
                        depth, copy_group);
    CREATE TABLE edges (source, target, role, position, url, text, internal, first_seen, last_seen,
                        removed_at, first_record, first_place, last_record, last_place);
"""
_DEGREES = """
    INSERT OR IGNORE INTO nodes (id, kind, url) SELECT target, 'page', url FROM edges;
    INSERT OR IGNORE INTO nodes (id, kind) SELECT source, 'page' FROM edges;
    CREATE TABLE in_degrees AS SELECT target, count(*) AS degree FROM edges GROUP BY target;
    CREATE TABLE out_degrees AS SELECT source, count(*) AS degree FROM edges GROUP BY source;
    CREATE UNIQUE INDEX in_degree_of ON in_degrees (target);
    CREATE UNIQUE INDEX out_degree_of ON out_degrees (source);
"""
_NODES = """
    SELECT nodes.*, ifnull(in_degrees.degree, 0) AS in_degree,
           ifnull(out_degrees.degree, 0) AS out_degree
    FROM nodes LEFT JOIN in_degrees ON target = id LEFT JOIN out_degrees ON source = id
    ORDER BY nodes.rowid
"""
_EDGES = "SELECT rowid AS number, * FROM edges ORDER BY rowid"


def write_gexf(corpus: Corpus, file: IO[bytes], copies: Copies | None) -> int:
    """Write the graph as GEXF 1.2; return the number of articles.

    If edges have times, the graph is dynamic: an edge starts when it was first seen and ends when
    it was found removed. The format of the times is ``date``, the only one for texts that networkx
    knows; Gephi reads their time of day as well.

    ``kind`` of an edge repeats its role. The attribute is of GEXF 1.3; without it, Gephi merges the
    links from one page to another whatever their roles.
    """
    dynamic = {"mode": "dynamic", "timeformat": "date"} if corpus.has_lives else {"mode": "static"}
    with _staged(corpus, copies) as graph, etree.xmlfile(file, encoding="utf-8") as xml:
        xml.write_declaration()
        with (
            xml.element("gexf", {"version": "1.2"}, nsmap={None: _GEXF}),
            xml.element("graph", {"defaultedgetype": "directed", **dynamic}),
        ):
            for of, types in (("node", _NODE_ATTRIBUTES), ("edge", _EDGE_ATTRIBUTES)):
                with xml.element("attributes", {"class": of}):
                    for name, kind in types.items():
                        attribute = {"id": name, "title": name, "type": kind}
                        xml.write(etree.Element("attribute", attribute))
            with xml.element("nodes"):
                for node in graph.nodes():
                    names = {"id": node.id, "label": node.label}
                    xml.write(_gexf_element("node", names, node.values))
            with xml.element("edges"):
                for edge in graph.edges():
                    names = {"id": edge.id, "source": edge.source, "target": edge.target}
                    names["kind"] = edge.values["role"]
                    if first_seen := edge.values.get("first_seen"):
                        names["start"] = first_seen
                    if removed_at := edge.values.get("removed_at"):
                        names["end"] = removed_at
                    xml.write(_gexf_element("edge", names, edge.values))
        return graph.articles


def write_graphml(corpus: Corpus, file: IO[bytes], copies: Copies | None) -> int:
    """Write the graph as GraphML; return the number of articles."""
    schema = {f"{{{_XSI}}}schemaLocation": f"{_GRAPHML} {_GRAPHML}/1.0/graphml.xsd"}
    node_types = {"label": "string", **_NODE_ATTRIBUTES}
    with _staged(corpus, copies) as graph, etree.xmlfile(file, encoding="utf-8") as xml:
        xml.write_declaration()
        with xml.element("graphml", schema, nsmap={None: _GRAPHML, "xsi": _XSI}):
            for of, types in (("node", node_types), ("edge", _EDGE_ATTRIBUTES)):
                for name, kind in types.items():
                    key = {"id": f"{of}_{name}", "for": of, "attr.name": name}
                    key["attr.type"] = _GRAPHML_TYPES[kind]
                    xml.write(etree.Element("key", key))
            with xml.element("graph", {"id": "links", "edgedefault": "directed"}):
                for node in graph.nodes():
                    values = {"label": node.label, **node.values}
                    xml.write(_graphml_element("node", {"id": node.id}, values))
                for edge in graph.edges():
                    names = {"id": edge.id, "source": edge.source, "target": edge.target}
                    xml.write(_graphml_element("edge", names, edge.values))
        return graph.articles


def _gexf_element(tag: str, names: dict[str, str], values: Mapping[str, str]) -> etree._Element:
    element = etree.Element(tag, names)
    inside = etree.SubElement(element, "attvalues")
    for name, value in values.items():
        etree.SubElement(inside, "attvalue", {"for": name, "value": value})
    element.tail = "\n"
    return element


def _graphml_element(tag: str, names: dict[str, str], values: Mapping[str, str]) -> etree._Element:
    element = etree.Element(tag, names)
    for name, value in values.items():
        etree.SubElement(element, "data", {"key": f"{tag}_{name}"}).text = value
    element.tail = "\n"
    return element


class _Node(NamedTuple):
    id: str
    label: str
    values: dict[str, str]


class _GraphEdge(NamedTuple):
    id: str
    source: str
    target: str
    values: dict[str, str]


class _Graph:
    """The nodes and edges of a corpus in the temporary database."""

    def __init__(self, connection: Connection, corpus: Corpus, copies: Copies | None) -> None:
        self._connection = connection
        groups = near_copies.groups(copies or {})
        for records in (corpus.articles(), corpus.teasers(), corpus.failures()):
            connection.executemany(
                "INSERT OR IGNORE INTO nodes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (_cleaned(_node_values(record, groups)) for record in records),
            )
        connection.executemany(
            "INSERT INTO edges VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (_cleaned(edge.values) for edge in corpus.edges()),
        )
        connection.executescript(_DEGREES)

    @property
    def articles(self) -> int:
        counted = self._connection.execute("SELECT count(*) FROM nodes WHERE kind = 'article'")
        return int(counted.fetchone()[0])

    def nodes(self) -> Iterator[_Node]:
        for row in self._connection.execute(_NODES):
            values = _texts(row, _NODE_ATTRIBUTES)
            yield _Node(row["id"], row["headline"] or row["id"], values)

    def edges(self) -> Iterator[_GraphEdge]:
        for row in self._connection.execute(_EDGES):
            values = _texts(row, _EDGE_ATTRIBUTES)
            yield _GraphEdge(str(row["number"]), row["source"], row["target"], values)


@contextmanager
def _staged(corpus: Corpus, copies: Copies | None) -> Iterator[_Graph]:
    with temporary_database(_TABLES) as connection:
        yield _Graph(connection, corpus, copies)


def _node_values(record: Article | Teaser | Failure, groups: Mapping[str, str]) -> Iterable[Any]:
    return (
        record.id,
        record.kind,
        record.headline,
        record.url,
        record.published_at if isinstance(record, Article) else None,
        record.site,
        record.language if isinstance(record, Article) else None,
        record.depth,
        groups.get(record.id),
    )


def _cleaned(values: Iterable[Any]) -> tuple[Any, ...]:
    """Return values with texts that XML can hold."""
    return tuple(without_controls(value) if isinstance(value, str) else value for value in values)


def _texts(row: Row, types: Mapping[str, str]) -> dict[str, str]:
    """Return the values of a row that are not null, as the texts of their types in XML."""
    return {
        name: ("true" if row[name] else "false") if kind == "boolean" else str(row[name])
        for name, kind in types.items()
        if row[name] is not None
    }

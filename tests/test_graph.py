"""The link graph in GEXF and GraphML, read back with networkx."""

import errno
import io
import os
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import networkx as nx
import pytest
from corpora import HOSTILE, HOSTILE_IN_XML, MemoryCorpus, edge, teaser
from hypothesis import given
from hypothesis import strategies as st
from jobs import article, failure
from lxml import etree

from crawler.crawl.edges import Evidence
from crawler.errors import CrawlerError
from crawler.export.corpus import Copies
from crawler.export.graph import write_gexf, write_graphml
from crawler.extraction.page.text import without_controls

BRIDGE = article(
    "bridge",
    headline="Bridge reopens",
    url="https://publisher.example/bridge",
    published_at="2026-05-01T10:00:00+02:00",
    site="publisher.example",
    language="en",
)
FERRY = article("00017", headline=None, site=None, url=None, depth=1)
CORPUS = MemoryCorpus(
    (BRIDGE, FERRY, teaser("race", headline="Ferry race"), failure("lost", "gone")),
    (
        edge("bridge", "00017"),
        edge("bridge", "00017", "text", position=2, text="the ferry", internal=None),
        edge("bridge", "race", position=3),
        edge("00017", "bridge", "text", text=None),
        edge("00017", "publisher.example/tags/ships", "tag", position=2, internal=False),
    ),
)
LIVES = MemoryCorpus(
    (BRIDGE, FERRY),
    (
        edge(
            "bridge",
            "00017",
            first_seen="2026-05-01T08:00:00+00:00",
            last_seen="2026-05-02T08:00:00+00:00",
            removed_at="2026-05-03T08:00:00+00:00",
            first_evidence=Evidence("<urn:uuid:1>", "part-1.warc.gz@120"),
            last_evidence=Evidence("<urn:uuid:2>", None),
        ),
        edge(
            "00017",
            "bridge",
            first_seen="2026-05-02T08:00:00+00:00",
            last_seen="2026-05-03T08:00:00+00:00",
        ),
    ),
    has_lives=True,
)
FORMATS = pytest.mark.parametrize(
    ("write", "read"), [(write_gexf, nx.read_gexf), (write_graphml, nx.read_graphml)]
)
Write = Callable[..., int]
Read = Callable[[Any], Any]


def graph_of(write: Write, read: Read, corpus: MemoryCorpus, copies: Copies | None = None) -> Any:
    file = io.BytesIO()
    count = write(corpus, file, copies)
    assert count == len(list(corpus.articles()))
    file.seek(0)
    return read(file)


@FORMATS
def test_nodes_are_all_records_and_the_other_targets(write: Write, read: Read) -> None:
    graph = graph_of(write, read, CORPUS)
    assert {node: graph.nodes[node]["kind"] for node in graph} == {
        "bridge": "article",
        "00017": "article",
        "race": "teaser",
        "lost": "failure",
        "publisher.example/tags/ships": "page",
    }
    assert graph.nodes["bridge"] == {
        "label": "Bridge reopens",
        "kind": "article",
        "headline": "Bridge reopens",
        "url": "https://publisher.example/bridge",
        "published": "2026-05-01T10:00:00+02:00",
        "publisher": "publisher.example",
        "language": "en",
        "depth": 0,
        "in_degree": 1,
        "out_degree": 3,
    }
    assert graph.nodes["00017"] == {
        "label": "00017",
        "kind": "article",
        "depth": 1,
        "in_degree": 2,
        "out_degree": 2,
    }
    assert graph.nodes["publisher.example/tags/ships"]["url"].endswith("/tags/ships")


@FORMATS
def test_degrees_are_those_that_networkx_counts(write: Write, read: Read) -> None:
    graph = graph_of(write, read, CORPUS)
    assert dict(graph.in_degree()) == {n: graph.nodes[n]["in_degree"] for n in graph}
    assert dict(graph.out_degree()) == {n: graph.nodes[n]["out_degree"] for n in graph}


@FORMATS
def test_parallel_edges_keep_their_roles(write: Write, read: Read) -> None:
    graph = graph_of(write, read, CORPUS)
    assert graph.is_multigraph() and graph.is_directed()
    by_role = {data["role"]: data for data in graph["bridge"]["00017"].values()}
    assert by_role["related"]["text"] == "About 00017"
    assert by_role["related"]["internal"] is True
    assert by_role["text"]["position"] == 2
    assert "internal" not in by_role["text"]
    [tag] = graph["00017"]["publisher.example/tags/ships"].values()
    assert tag["internal"] is False


def test_gexf_of_a_job_is_dynamic() -> None:
    graph = graph_of(write_gexf, nx.read_gexf, LIVES)
    assert graph.graph["mode"] == "dynamic"
    removed, kept = graph.edges["bridge", "00017"], graph.edges["00017", "bridge"]
    assert (removed["start"], removed["end"]) == (
        "2026-05-01T08:00:00+00:00",
        "2026-05-03T08:00:00+00:00",
    )
    assert kept["start"] == "2026-05-02T08:00:00+00:00"
    assert "end" not in kept


@FORMATS
def test_edges_have_their_times_and_evidence(write: Write, read: Read) -> None:
    removed = graph_of(write, read, LIVES).edges["bridge", "00017"]
    assert removed["first_seen"] == "2026-05-01T08:00:00+00:00"
    assert removed["last_seen"] == "2026-05-02T08:00:00+00:00"
    assert removed["removed_at"] == "2026-05-03T08:00:00+00:00"
    assert removed["first_record"] == "<urn:uuid:1>"
    assert removed["first_place"] == "part-1.warc.gz@120"
    assert removed["last_record"] == "<urn:uuid:2>"
    assert "last_place" not in removed


def test_gexf_of_feeds_is_static() -> None:
    graph = graph_of(write_gexf, nx.read_gexf, CORPUS)
    assert graph.graph["mode"] == "static"
    assert not any("start" in data for _, _, data in graph.edges(data=True))


def test_gephi_gets_a_kind_for_each_role() -> None:
    file = io.BytesIO()
    write_gexf(CORPUS, file, None)
    edges = etree.fromstring(file.getvalue()).iterfind(".//{*}edge")
    kinds = [(edge.get("id"), edge.get("kind")) for edge in edges]
    assert kinds == list(zip("12345", ("related", "text", "related", "text", "tag"), strict=True))


@FORMATS
def test_copies_are_in_one_group(write: Write, read: Read) -> None:
    copies = {"bridge": ("00017",), "00017": ("bridge", "z"), "z": ("00017",)}
    corpus = MemoryCorpus((BRIDGE, FERRY, article("z"), article("alone")))
    nodes = graph_of(write, read, corpus, copies).nodes
    groups = {node: nodes[node].get("copy_group") for node in nodes}
    assert groups == {"bridge": "00017", "00017": "00017", "z": "00017", "alone": None}


@FORMATS
def test_hostile_texts_survive(write: Write, read: Read) -> None:
    corpus = MemoryCorpus(
        (replace(BRIDGE, headline=HOSTILE),), (edge("bridge", "x", text=HOSTILE),)
    )
    graph = graph_of(write, read, corpus)
    assert graph.nodes["bridge"]["headline"] == HOSTILE_IN_XML
    assert graph.nodes["bridge"]["label"] == HOSTILE_IN_XML
    assert graph.edges["bridge", "x"]["text"] == HOSTILE_IN_XML


@FORMATS
@given(article_id=st.text(min_size=1), text=st.text(min_size=1))
def test_any_text_survives(write: Write, read: Read, article_id: str, text: str) -> None:
    corpus = MemoryCorpus(
        (article(article_id, headline=text),), (edge(article_id, article_id, text=text),)
    )
    graph = graph_of(write, read, corpus)
    node = without_controls(article_id)
    assert list(graph) == [node]
    assert graph.nodes[node]["headline"] == without_controls(text)
    assert graph.edges[node, node]["text"] == without_controls(text)


@FORMATS
def test_an_empty_corpus_is_an_empty_graph(write: Write, read: Read) -> None:
    graph = graph_of(write, read, MemoryCorpus())
    assert len(graph) == 0


@FORMATS
def test_an_id_has_one_node(write: Write, read: Read) -> None:
    file = io.BytesIO()
    corpus = MemoryCorpus((BRIDGE, failure("bridge", "timeout"), teaser("bridge")))
    assert write(corpus, file, None) == 1
    file.seek(0)
    assert dict(read(file).nodes(data="kind")) == {"bridge": "article"}


class FullDisk(io.RawIOBase):
    def write(self, data: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@FORMATS
def test_an_error_of_the_file_is_passed_on(write: Write, read: Read) -> None:
    with pytest.raises(OSError, match="No space left on device"):
        write(CORPUS, FullDisk(), None)


def test_a_full_temporary_folder_is_an_error_with_advice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connect = sqlite3.connect

    def connect_small(name: str) -> sqlite3.Connection:
        connection = connect(name)
        connection.execute("PRAGMA max_page_count = 2")
        return connection

    monkeypatch.setattr(sqlite3, "connect", connect_small)
    with pytest.raises(CrawlerError, match=r"\(database or disk is full\); set SQLITE_TMPDIR"):
        write_gexf(CORPUS, io.BytesIO(), None)

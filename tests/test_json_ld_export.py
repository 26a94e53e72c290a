"""The articles as one document of JSON-LD."""

import io
import json
from typing import Any

from corpora import HOSTILE, MemoryCorpus
from hypothesis import given
from hypothesis import strategies as st
from jobs import article, related_item
from pyld import jsonld

from crawler.export.corpus import Copies
from crawler.export.json_ld import write_json_ld
from crawler.items import Article

SCHEMA = "https://schema.org/"


def document(*articles: Article, copies: Copies | None = None) -> Any:
    file = io.BytesIO()
    assert write_json_ld(MemoryCorpus(articles), file, copies) == len(articles)
    return json.loads(file.getvalue())


def without_network(url: str, options: Any) -> Any:
    """Return schema.org's context, shortened: its terms are in one vocabulary."""
    assert url == "https://schema.org"
    context = {"@vocab": SCHEMA, "url": {"@type": "@id"}, "relatedLink": {"@type": "@id"}}
    return {"contextUrl": None, "documentUrl": url, "document": {"@context": context}}


def test_the_document_is_a_graph_of_news_articles() -> None:
    bridge = article("bridge", headline="Bridge reopens", related=(related_item("17"),))
    found = document(bridge, article("ferry"))
    assert list(found) == ["@context", "@graph"]
    assert [node["identifier"] for node in found["@graph"]] == ["bridge", "ferry"]
    assert not any("@context" in node for node in found["@graph"])

    expanded = jsonld.expand(found, {"documentLoader": without_network})
    assert [node["@type"] for node in expanded] == [[f"{SCHEMA}NewsArticle"]] * 2
    assert expanded[0][f"{SCHEMA}headline"] == [{"@value": "Bridge reopens"}]
    assert expanded[0][f"{SCHEMA}url"] == [{"@id": bridge.url}]
    [page] = expanded[0][f"{SCHEMA}mainEntityOfPage"]
    assert page[f"{SCHEMA}relatedLink"] == [{"@id": "http://en.alalam.ir/news/17"}]


def test_copies_are_examples_of_one_work() -> None:
    copies = {"bridge": ("ferry", "wire"), "ferry": ("bridge",), "wire": ("bridge",)}
    bridge, alone = document(article("bridge"), article("alone"), copies=copies)["@graph"]
    examples = bridge["exampleOfWork"]["workExample"]
    assert [example["identifier"] for example in examples] == ["ferry", "wire"]
    assert "exampleOfWork" not in alone


def test_an_empty_corpus_is_an_empty_graph() -> None:
    assert document() == {"@context": "https://schema.org", "@graph": []}


def test_hostile_texts_survive() -> None:
    [node] = document(article("a", HOSTILE, headline=HOSTILE))["@graph"]
    assert node["headline"] == node["articleBody"] == HOSTILE


@given(article_id=st.text(min_size=1), text=st.text(min_size=1))
def test_any_text_survives(article_id: str, text: str) -> None:
    [node] = document(article(article_id, text, headline=text))["@graph"]
    assert (node["identifier"], node["headline"], node["articleBody"]) == (article_id, text, text)

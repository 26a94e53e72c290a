"""Writes the articles as one JSON-LD document: a graph of schema.org's NewsArticle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from crawler.record_mappings import news_article

if TYPE_CHECKING:
    from typing import IO

    from crawler.export.corpus import Copies, Corpus
    from crawler.items import Article

_CONTEXT = b"https://schema.org"


def write_json_ld(corpus: Corpus, file: IO[bytes], copies: Copies | None) -> int:
    """Write the articles, one a line; return their number.

    Near copies are examples of one work, which they name by ``exampleOfWork``.
    """
    count = 0
    file.write(b'{"@context": "' + _CONTEXT + b'", "@graph": [')
    for article in corpus.articles():
        file.write(b",\n" if count else b"\n")
        file.write(msgspec.json.encode(_node(article, copies or {})))
        count += 1
    file.write(b"\n]}\n")
    return count


def _node(article: Article, copies: Copies) -> dict[str, Any]:
    node = news_article(article)
    del node["@context"]
    if others := copies.get(article.id):
        node["exampleOfWork"] = {
            "@type": "CreativeWork",
            "workExample": [{"@type": "NewsArticle", "identifier": other} for other in others],
        }
    return node

"""Small corpora, in memory or as feeds, for tests of exports and reports."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from dataclasses import fields as fields_of
from pathlib import Path
from typing import Any

import msgspec

from crawler.crawl.edges import Edge
from crawler.items import Article, Failure, Known, Record, Teaser


@dataclass
class MemoryCorpus:
    """A corpus of given records, as ``crawler.export.corpus.Corpus`` describes."""

    records: tuple[Article | Teaser | Failure, ...] = ()
    links: tuple[Edge, ...] = ()
    has_lives: bool = False
    job: str | None = None
    left_out: dict[str, str] = field(default_factory=dict)

    def lines(self, *, every_revision: bool = False) -> Iterator[bytes]:
        return map(msgspec.json.encode, self.articles(every_revision=every_revision))

    def articles(self, *, every_revision: bool = False) -> Iterator[Article]:
        return (record for record in self.records if isinstance(record, Article))

    def revisions(self, article_id: str) -> Iterator[Article]:
        return (record for record in self.articles() if record.id == article_id)

    def archived(self, url: str) -> None:
        return None

    def teasers(self) -> Iterator[Teaser]:
        return (record for record in self.records if isinstance(record, Teaser))

    def failures(self) -> Iterator[Failure]:
        return (record for record in self.records if isinstance(record, Failure))

    def edges(self) -> Iterator[Edge]:
        return iter(self.links)


def teaser(article_id: str, **fields: Any) -> Teaser:
    """Return the teaser record of an article."""
    nothing: dict[str, Any] = dict.fromkeys(field.name for field in fields_of(Known))
    facts = {"kind": "teaser", "schema": 3, "depth": 2, "listed_on": (), "listed_as": ()}
    return Teaser(**{**nothing, **facts, "id": article_id, "why": "depth", **fields})


def edge(source: str, target: str, role: Any = "related", **fields: Any) -> Edge:
    """Return an edge to the page of an article."""
    facts: dict[str, Any] = {
        "position": 1,
        "url": f"https://publisher.example/{target}",
        "text": f"About {target}",
        "internal": True,
    }
    return Edge(source=source, target=target, role=role, **{**facts, **fields})


def write_feed(path: Path, *records: Record | dict[str, Any] | bytes) -> str:
    """Append records, or lines as they are, to a feed. Returns its name."""
    lines = (r if isinstance(r, bytes) else msgspec.json.encode(r) for r in records)
    with path.open("ab") as file:
        file.writelines(line + b"\n" for line in lines)
    return path.name


HOSTILE = "a\x00b\x1b ]]> <b> & \"quotes\" 'too' \u202eolleh\u202c עברית \U0001f680 \ufffe\nnext"
"""A text with characters that XML forbids or escapes, and as it must be read from XML."""
HOSTILE_IN_XML = "a b  ]]> <b> & \"quotes\" 'too' \u202eolleh\u202c עברית \U0001f680  \nnext"

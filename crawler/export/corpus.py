"""The records that an export reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from crawler.crawl.edges import Edge
from crawler.items import Article, Failure, Teaser

Copies = Mapping[str, tuple[str, ...]]
"""The ids of the near copies of an article, by its id."""


class Corpus(Protocol):
    """The records of a job or of feeds."""

    has_lives: bool
    """Whether edges have times (a job) or not (feeds)."""

    def lines(self, *, every_revision: bool = False) -> Iterator[bytes]: ...

    def articles(self, *, every_revision: bool = False) -> Iterator[Article]: ...

    def teasers(self) -> Iterator[Teaser]: ...

    def failures(self) -> Iterator[Failure]: ...

    def edges(self) -> Iterator[Edge]: ...

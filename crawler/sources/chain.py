"""Opens the sources of a run, which are tried in turn for each page until one provides it."""

from __future__ import annotations

from importlib import import_module
from itertools import chain
from typing import TYPE_CHECKING

from crawler.crawl.source_kinds import LIVE, kind_of
from crawler.errors import CrawlerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scrapy.crawler import Crawler

    from crawler.crawl.arguments import Arguments
    from crawler.crawl.run import Found, Source


def open_sources(arguments: Arguments, crawler: Crawler) -> list[Source | None]:
    """Open the sources of a run in order; None stands for the live site.

    Raises CrawlerError if one of them cannot be read.
    """
    return [_open(name, arguments, crawler) for name in arguments.sources]


def _open(name: str, arguments: Arguments, crawler: Crawler) -> Source | None:
    kind = kind_of(name)
    if kind is None:
        # It has been removed since the arguments were checked.
        raise CrawlerError(f"source: got {name!r}, which no longer exists")
    if kind.module is None:
        return None
    source: Source = import_module(kind.module).open_source(name, arguments, crawler)
    return source


def source_name(source: Source | None) -> str:
    """Return the name of a source in records."""
    return LIVE if source is None else source.name


def all_articles(sources: Sequence[Source | None]) -> Iterator[Found]:
    """Yield each article that the sources hold, once.

    Raises CrawlerError if one of them cannot list its articles.
    """
    from crawler.sources.listing import distinct_articles

    articles_by_source = [source.articles() for source in sources if source is not None]
    if len(articles_by_source) == 1:
        yield from articles_by_source[0]
    else:
        yield from distinct_articles(chain.from_iterable(articles_by_source))

"""Opens the sources of a run, which are tried in turn for each page until one provides it."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.sources import most_bytes
from crawler.warc.names import is_archive

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scrapy.crawler import Crawler

    from crawler.crawl.arguments import Arguments
    from crawler.crawl.run import Source

LIVE = "live"


def open_sources(arguments: Arguments, crawler: Crawler) -> list[Source | None]:
    """Open the sources of a run in order; None stands for the live site.

    Raises CrawlerError if one of them cannot be read.
    """
    return [_open(name, arguments, crawler) for name in arguments.sources]


def _open(name: str, arguments: Arguments, crawler: Crawler) -> Source | None:
    publisher, max_bytes = arguments.publisher, most_bytes(crawler.settings)
    if name == LIVE:
        return None
    # Each source is imported only if it is used.
    if name == "wayback":
        from crawler.sources.wayback import Wayback

        return Wayback(crawler, publisher, arguments.at)
    if is_archive(name):
        from crawler.sources.warc import ArchivedPages

        return ArchivedPages(name, publisher, arguments.at, max_bytes)
    from crawler.sources.folder import SavedPages

    return SavedPages(Path(name), publisher, max_bytes)


def source_name(source: Source | None) -> str:
    """Return the name of a source in records."""
    return LIVE if source is None else source.name


def all_articles(sources: Sequence[Source | None]) -> Iterator[str]:
    """Yield the id of each article that the sources hold, once.

    Raises CrawlerError if one of them cannot list its articles.
    """
    from crawler.warc.index import distinct

    held = [source.articles() for source in sources if source is not None]
    if len(held) == 1:
        yield from held[0]
    else:
        yield from distinct(chain.from_iterable(held))

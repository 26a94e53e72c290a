"""The sources of a run: one, or several that are asked for a page in turn until one has it."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from crawler.middlewares.live import refuse_other_hosts
from crawler.sources import NotSaved, Source, SourceUnavailable, Stopped, most_bytes
from crawler.sources.folder import SavedPages, saved_page
from crawler.sources.warc import ArchivedPages
from crawler.sources.wayback import Wayback
from crawler.warc.archive import is_archive
from crawler.warc.index import distinct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from crawler.crawl.arguments import Arguments

LIVE = "live"


def open_sources(arguments: Arguments, crawler: Crawler) -> list[Source | None]:
    """Open the sources of a run in their order, None for the live site; CrawlerError if one of them cannot be read."""
    max_bytes = most_bytes(crawler.settings)
    opened: list[Source | None] = []
    for name in arguments.sources:
        if name == LIVE:
            opened.append(None)
        elif name == "wayback":
            opened.append(Wayback(crawler, arguments.publisher, arguments.at))
        elif is_archive(name):
            opened.append(ArchivedPages(name, arguments.publisher, arguments.at, max_bytes))
        else:
            opened.append(SavedPages(Path(name), arguments.publisher, max_bytes))
    return opened


def source_name(source: Source | None) -> str:
    """What records call a source."""
    return LIVE if source is None else source.name


def all_articles(sources: list[Source | None]) -> Iterator[str]:
    """Yield the id of each article that sources hold, once; CrawlerError if one of them cannot tell."""
    held = [source.articles() for source in sources if source is not None]
    if len(held) == 1:
        yield from held[0]
    else:
        yield from distinct(chain.from_iterable(held))


class SourcesMiddleware:
    """Answers requests from the source whose turn it is (``turn`` in meta) before they reach the network.

    A request with ``saved_page`` in its meta is answered with that file whatever the source. A crawl without the live site and without the
    Wayback Machine opens no socket.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._max_bytes = most_bytes(crawler.settings)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_request(self, request: Request) -> Response | None:
        sources: list[Source | None] = getattr(self.crawler.spider, "sources", [None])
        if path := request.meta.get("saved_page"):
            for source in sources:
                if isinstance(source, SavedPages):
                    source.note_read(path)
            return saved_page(
                request, path, request.meta.get("id_where", "asked for"), self._max_bytes
            )
        if "article" not in request.meta:
            if all(source is not None and source.offline for source in sources):
                raise NotSaved("a crawl of saved pages asks for nothing else")
            return None
        source = sources[request.meta.get("turn", 0)]
        if request.meta.get("no_address") and not isinstance(source, SavedPages):
            raise NotSaved("known by the name of a saved page, which this run was not given")
        self._refuse_if_down(source, request, sources)
        if source is None:
            return None
        if request.meta.get("redirect_times"):
            refuse_other_hosts(request, self.crawler.spider.publisher)  # type: ignore[union-attr]
        answer: Response = await source.answer(request)
        return answer

    def _refuse_if_down(
        self, source: Source | None, request: Request, sources: list[Source | None]
    ) -> None:
        """Do not ask a source that is down: SourceUnavailable if there is a next one, else Stopped.

        Of an article that is stored something newer is known than the next source has.
        """
        spider: Any = self.crawler.spider
        name = source_name(source)
        reason = spider.outages.reason(name)
        if reason is None:
            return
        is_last = request.meta.get("turn", 0) + 1 == len(sources)
        if is_last or spider.frontier.known[request.meta["article"]].revision:
            raise Stopped(f"{name} is down")
        raise SourceUnavailable(reason, f"{name} is down, so it was not asked", asked=False)

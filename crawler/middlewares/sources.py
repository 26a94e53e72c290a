"""Answers requests for articles from the source whose turn it is, before they reach the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from scrapy.exceptions import NotConfigured

from crawler.crawl.run import run_of
from crawler.middlewares.offsite import refuse_other_hosts
from crawler.setting_values import most_bytes
from crawler.sources.folder import SavedPages
from crawler.sources.saved_files import describe, respond
from crawler.unavailable import NotSaved, SourceUnavailable, Stopped
from crawler.visits import PURPOSE, Visit, visit_of

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from crawler.crawl.run import Run


class SourcesMiddleware:
    """Gets pages from the source at ``Visit.turn``; Scrapy requests those of the live site.

    If there is a ``Visit.saved_page``, it is used whatever the source. A crawl whose sources are
    all offline opens no connection.
    """

    def __init__(self, crawler: Crawler, run: Run) -> None:
        self._run = run
        self._max_bytes = most_bytes(crawler.settings)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        run = run_of(crawler.spider)
        if run is None:
            raise NotConfigured
        return cls(crawler, run)

    async def process_request(self, request: Request) -> Response | None:
        visit = visit_of(request) or self._adopted(request)
        if visit is None:
            if self._run.is_offline:
                raise NotSaved("a crawl of saved pages makes no other requests")
            return None
        if visit.saved_page:
            return self._saved_page(request, visit)
        source = self._run.source_at(visit.turn)
        if not visit.has_address and not isinstance(source, SavedPages):
            raise NotSaved("known only by the name of a saved page, which this run was not given")
        refuse_if_down(self._run, visit)
        if source is None:
            return None
        if request.meta.get("redirect_times"):
            refuse_other_hosts(request, self._run.scope)
        answer: Response = await source.answer(request)
        return answer

    def _adopted(self, request: Request) -> Visit | None:
        """Return the purpose of a request by ``scrapy parse`` or ``scrapy shell``, if offline."""
        if self._run.started or not self._run.is_offline:
            return None
        article_id = self._run.publishers.id_of(request.url)
        if article_id is None:
            return None
        request.meta[PURPOSE] = visit = Visit(article_id=article_id)
        return visit

    def _saved_page(self, request: Request, visit: Visit) -> Response:
        assert visit.saved_page is not None
        for source in self._run.sources:
            if isinstance(source, SavedPages):
                source.note_read(visit.saved_page)
        file = describe(visit.saved_page, self._run.publishers)
        return respond(request, file, self._max_bytes)


def refuse_if_down(run: Run, visit: Visit) -> None:
    """Refuse a request to a source that is down.

    Raises SourceUnavailable, so that the next source is tried. Raises Stopped if there is none,
    or if the article is stored, since that record is newer than what the next source has.
    """
    name = run.outage_name(visit)
    reason = run.outages.reason(name)
    if reason is None:
        return
    is_last = visit.turn + 1 == len(run.sources)
    if is_last or (visit.state and visit.state.revision):
        raise Stopped(f"{name} is down")
    raise SourceUnavailable(reason, f"{name} is down, so no request was sent", asked=False)

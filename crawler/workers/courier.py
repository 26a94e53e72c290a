"""Delivers what a worker found out about its pages."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from scrapy.utils.asyncio import call_later

from crawler.errors import CrawlerError
from crawler.unavailable import SourceUnavailable
from crawler.workers.messages import (
    Delivery,
    Refused,
    answer_of,
    carried_meta,
    found_of,
    packed,
)
from crawler.workers.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from crawler.crawl.run import Run
    from crawler.unavailable import Unavailable
    from crawler.visits import Visit
    from crawler.warc.archived import Archived
    from crawler.workers.messages import Answer, Found
    from crawler.workers.team import Team

logger = logging.getLogger(__name__)

# Several pages that end at about the same time are delivered together.
_DELIVERY_SECONDS = 0.02
# The stats of a worker that are not those of the run, because the writer counts the same.
_OWN_STATS = (
    *("archive/", "elapsed_time_", "feedexport/", "items_per_", "log_count/", "memusage/"),
    *("response_received_count", "responses_per_", "scheduler/", "workers/"),
)


class Courier:
    """Delivers results, and gives pages back that could not be fetched.

    It stands for the ledger to the archive of a worker: ``archived`` and ``note_archived`` are
    those of ``Pages``, and ``before_commit`` is called before each delivery.
    """

    def __init__(self, crawler: Crawler, run: Run, team: Team) -> None:
        self._crawler = crawler
        self._run = run
        self.team = team
        self.before_commit: list[Callable[[], None]] = []
        self.turns = Turns(crawler, self)
        self.after_delivery: Callable[[], None] = lambda: None
        self.delivered = 0
        self._outbox: dict[int, bytes] = {}
        self._archived: dict[str, Archived] = {}
        self._reported: Counter[str] = Counter()

    def bring(self, visit: Visit, response: Response) -> None:
        """Deliver a response that may be the page of an article, or a list."""
        self._post(visit.lease, answer_of(response, response.request), self._found(visit))

    def report(self, visit: Visit, unavailable: Unavailable, request: Request | None) -> None:
        """Deliver the reason why there is no page."""
        error = unavailable.error
        of_source = isinstance(error, SourceUnavailable)
        refused = Refused(
            unavailable.reason,
            unavailable.detail,
            unavailable.status,
            asked=not isinstance(error, SourceUnavailable) or error.asked,
            of_source=of_source,
            meta=carried_meta(request),
        )
        visit.extracted = None
        self._post(visit.lease, refused, self._found(visit))

    def bring_plain(self, lease: int, result: Response | Unavailable) -> None:
        """Deliver the result of a request that is not for an article's page."""
        if isinstance(result, tuple):
            answer: Answer | Refused = Refused(*result[:3], asked=True, of_source=False, meta={})
        else:
            answer = answer_of(result, result.request)
        self._post(lease, answer, None)

    def give_back(self, lease: int) -> None:
        """Leave a page to other workers."""
        try:
            self.team.give_back(lease)
        except CrawlerError as error:
            self.fail(error)

    def pause(self, host: str, seconds: float) -> None:
        """Let no worker send a request to a host for some time."""
        try:
            self.team.pause(host, seconds)
        except CrawlerError as error:
            self.fail(error)

    def archived(self, url: str) -> Archived | None:
        return self._archived.get(url) or self.team.archived(url)

    def note_archived(self, archived: Archived) -> None:
        self._archived[archived.url] = archived

    def fail(self, error: CrawlerError) -> None:
        """End this worker; the others take over its pages."""
        self._run.fail(error)

    def _found(self, visit: Visit) -> Found:
        state, candidates = visit.state, visit.candidates
        url = self._run.scope.url_of(state) if state else None
        has_own_capture = candidates is not None and candidates.has_capture_of(url)
        return found_of(
            visit, visit.fetched_at or datetime.now(UTC), has_own_capture=has_own_capture
        )

    def _post(self, lease: int, result: Answer | Refused, found: Found | None) -> None:
        if not self._outbox:
            call_later(_DELIVERY_SECONDS, self.flush)
        self._outbox[lease] = packed(Delivery(result, found, self._new_counts()))

    def _new_counts(self) -> dict[str, int]:
        """Return how far the stats of this worker rose since they were last delivered."""
        stats = self._crawler.stats.get_stats()
        counts = Counter(
            {
                name: value
                for name, value in stats.items()
                if type(value) is int and not name.startswith(_OWN_STATS)
            }
        )
        new = counts - self._reported
        self._reported = counts
        return dict(new)

    def flush(self) -> None:
        """Deliver what is ready, once everything that it refers to is on disk."""
        outbox, self._outbox = self._outbox, {}
        if not outbox:
            return
        try:
            for make_durable in self.before_commit:
                make_durable()
            refused = self.team.deliver(outbox, self._archived.values())
        except CrawlerError as error:
            self.fail(error)
            return
        self._archived.clear()
        self.delivered += len(outbox) - refused
        if refused:
            self._crawler.stats.inc_value("workers/leases_lost", refused)
            logger.info("pages that other workers have taken over meanwhile: %d", refused)
        self.after_delivery()

"""The next step when a source does not provide an article's page.

First the archive's next capture is tried, then the next source. After the last one the article is
a failure, or, if no source has a page for it, a teaser. Of what several sources say, a fault counts
more than an answer (gone, robots), and an answer more than the lack of a page.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, NamedTuple

from crawler.crawl import records
from crawler.crawl.outages import OF_THE_CONNECTION, OF_THE_SOURCE
from crawler.items import ANSWERS
from crawler.sources import SourceUnavailable
from crawler.sources.candidates import PassedOver, where_captured
from crawler.sources.chain import source_name
from crawler.visits import Attempt, visit_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy import Request

    from crawler.crawl.run import Run
    from crawler.items import Failure, Reason
    from crawler.visits import Visit

logger = logging.getLogger(__name__)


class Unavailable(NamedTuple):
    """Why a page was not provided; ``status`` is that of HTTP, ``error`` the exception, if any."""

    reason: Reason | Literal["not_saved"]
    detail: str
    status: int | None = None
    error: BaseException | None = None


class Fallback:
    """Decides what follows from an unavailable page.

    ``request`` makes the request for an article from the source at a turn.
    """

    def __init__(self, run: Run, request: Callable[[str, int], Request]) -> None:
        self._run = run
        self._request = request

    def follow(
        self, visit: Visit, why: Unavailable, request: Request | None
    ) -> Failure | Request | None:
        """Return the next request for an article, or its failure; None leaves it a teaser."""
        reason, detail, status, error = why
        if visit.origin and visit.origin.status_assumed:
            status = None
        state = self._run.frontier.known[visit.article_id]
        retries, redirects = (
            request.meta.get(name, 0) if request else 0
            for name in ("retry_times", "redirect_times")
        )
        of_source = isinstance(error, SourceUnavailable) or reason in OF_THE_CONNECTION
        # A passing fault must not let an older capture take the place of what is stored.
        is_passing = state.revision > 0 and status is None and reason in OF_THE_SOURCE
        if visit.candidates and not (of_source or is_passing or reason == "internal_error"):
            failed = PassedOver(where_captured(visit.origin), reason, detail, status)
            visit.candidates.pass_over(failed, redirects)
            if visit.candidates.more:
                return self._another_capture(visit)
            _, reason, detail, status = visit.candidates.failure()
        was_asked = not isinstance(error, SourceUnavailable) or error.asked
        source = self._source_of(visit)
        count = retries + 1 if was_asked else 0
        attempts = (*visit.attempts, Attempt(source, reason, detail, status, count))
        if was_asked:
            # A capture of an error page is an answer of the archive.
            captured = visit.origin is not None and status is not None
            self._note_outage(visit.turn, "not_saved" if captured else reason, detail)
        # If only the site could not be asked this time, what is stored is newer than a capture.
        keeps_stored = state.revision > 0 and reason != "not_saved" and reason not in ANSWERS
        following = self._turn_after(visit)
        if following < len(self._run.sources) and reason != "internal_error" and not keeps_stored:
            logger.debug("%s: %s (%s: %s), next source", visit.article_id, reason, source, detail)
            return self._with_history(visit, following, attempts)
        return self._end(visit, attempts)

    def failure(self, article_id: str, attempts: tuple[Attempt, ...], attempt: Attempt) -> Failure:
        """Return the record of a failure, and log it."""
        state = self._run.frontier.known[article_id]
        assert attempt.reason != "not_saved"
        # That an article is still gone is not news.
        level = logging.DEBUG if state.refusal == attempt.reason else logging.WARNING
        detail = _detail(attempts, attempt)
        logger.log(level, "%s: %s (%s)", article_id, attempt.reason, detail)
        return records.failure(
            state,
            self._run.frontier.memory.listings(state),
            self._run.publisher,
            reason=attempt.reason,
            detail=detail,
            attempts=sum(one.requests for one in attempts if one.reason != "not_saved"),
            status=attempt.status,
            source=attempt.source,
            failed_at=datetime.now(UTC),
        )

    def _end(self, visit: Visit, attempts: tuple[Attempt, ...]) -> Failure | None:
        counting = min(attempts, key=lambda one: (one.reason == "not_saved", one.reason in ANSWERS))
        if counting.reason != "not_saved":
            return self.failure(visit.article_id, attempts, counting)
        state = self._run.frontier.known[visit.article_id]
        self._run.frontier.memory.leave(state, "not_saved", _detail(attempts, counting))
        return None

    def _another_capture(self, visit: Visit) -> Request:
        assert visit.candidates is not None
        passed = visit.candidates.passed[-1]
        logger.debug("%s: %s, next capture", visit.article_id, passed.detail)
        request = self._with_history(visit, visit.turn, visit.attempts)
        visit_in(request).candidates = visit.candidates
        return request

    def _with_history(self, visit: Visit, turn: int, attempts: tuple[Attempt, ...]) -> Request:
        request = self._request(visit.article_id, turn)
        visit_in(request).attempts = attempts
        return request

    def _turn_after(self, visit: Visit) -> int:
        # A saved page that was given as a seed stands in place of the first source.
        stands_in = visit.saved_page is not None and len(self._run.sources) > 1
        return visit.turn if stands_in else visit.turn + 1

    def _source_of(self, visit: Visit) -> str:
        if visit.origin:
            return visit.origin.source
        return source_name(self._run.sources[visit.turn] if self._run.sources else None)

    def _note_outage(self, turn: int, reason: Reason | Literal["not_saved"], detail: str) -> None:
        """Stop asking a source that is down, and end the run if all of its sources are."""
        opened = self._run.sources[turn] if self._run.sources else None
        source = source_name(opened)
        if opened is not None and opened.offline:
            return
        if reason == "not_saved":
            self._run.outages.answered(source)
            return
        if not self._run.outages.failed(source, reason):
            return
        fault = (
            f"{source} is down: {self._run.outages.most} pages in a row failed with {reason} "
            f"({detail})"
        )
        if not all(map(self._run.outages.reason, map(source_name, self._run.sources))):
            logger.warning("%s; only the other sources are asked for the rest", fault)
            return
        message = f"{fault}; the rest was not asked for (SITE_DOWN_AFTER)"
        logger.error("%s", message)
        self._run.stop("site_down", message)


def _detail(attempts: tuple[Attempt, ...], counting: Attempt) -> str:
    """Return the detail of the attempt that counts, or of all if there were several."""
    if len(attempts) == 1:
        return counting.detail
    return "; ".join(f"{one.source}: {one.detail}" for one in attempts)

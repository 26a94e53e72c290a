"""The next step when a source does not provide an article's page.

First the archive's next capture is tried, then the next source. After the last source, the article
is a failure, or, if no source has a page for it, a teaser. If the sources fail for different
reasons, a fault outranks a definitive answer (gone, robots), and that outranks the lack of a page.
If a job has stored the article, a fault ends the search, and the stored record is kept.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal

from crawler.crawl import records
from crawler.crawl.candidates import PassedOver
from crawler.crawl.fetches import where_captured
from crawler.crawl.outages import CONNECTION_FAILURES, SOURCE_FAILURES
from crawler.items import ANSWERS
from crawler.sources.chain import source_name
from crawler.unavailable import SourceUnavailable, Unavailable
from crawler.visits import Attempt, visit_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy import Request

    from crawler.crawl.articles import ArticleState
    from crawler.crawl.run import Run
    from crawler.items import Failure, Reason
    from crawler.visits import Visit

logger = logging.getLogger(__name__)


class Fallback:
    """Decides what to do about an unavailable page.

    ``request`` returns the request for an article at a turn, which is the index of a source.
    """

    def __init__(self, run: Run, request: Callable[[ArticleState, int], Request]) -> None:
        self._run = run
        self._request = request

    def follow(
        self, visit: Visit, unavailable: Unavailable, request: Request | None
    ) -> Request | tuple[Attempt, ...]:
        """Return the next request for an article, or all attempts if there is nothing left to try.

        The attempts are for ``end``.
        """
        another = self.follow_captures(visit, unavailable, request)
        if not isinstance(another, Unavailable):
            return another
        reason, detail, status, error = another
        state = visit.state
        assert state is not None
        retries = request.meta.get("retry_times", 0) if request else 0
        was_asked = not isinstance(error, SourceUnavailable) or error.asked
        source = self._source_of(visit)
        count = retries + 1 if was_asked else 0
        attempts = (*visit.attempts, Attempt(source, reason, detail, status, count))
        if was_asked:
            # Even a capture of an error page shows that the archive responds.
            captured = visit.origin is not None and status is not None
            self._note_outage(visit, "not_saved" if captured else reason, detail)
        # If the request merely failed this time, the stored record is newer than a capture.
        keeps_stored = state.revision > 0 and reason != "not_saved" and reason not in ANSWERS
        next_turn = self._turn_after(visit)
        if next_turn < len(self._run.sources) and reason != "internal_error" and not keeps_stored:
            logger.debug("%s: %s (%s: %s), next source", visit.article_id, reason, source, detail)
            return self._with_history(visit, next_turn, attempts)
        return attempts

    def follow_captures(
        self, visit: Visit, unavailable: Unavailable, request: Request | None
    ) -> Request | Unavailable:
        """Return the request for the next capture of an archive, or why none gave the article."""
        reason, detail, status, error = unavailable
        if visit.origin and visit.origin.status_assumed:
            status = None
        state = visit.state
        assert state is not None
        redirects = request.meta.get("redirect_times", 0) if request else 0
        of_source = isinstance(error, SourceUnavailable) or reason in CONNECTION_FAILURES
        # A temporary fault must not let an older capture replace the stored record.
        is_passing = state.revision > 0 and status is None and reason in SOURCE_FAILURES
        if visit.candidates and not (of_source or is_passing or reason == "internal_error"):
            passed_over = PassedOver(where_captured(visit.origin), reason, detail, status)
            visit.candidates.pass_over(passed_over, redirects)
            if visit.candidates.has_more:
                return self._another_capture(visit)
            _, reason, detail, status = visit.candidates.failure()
        return Unavailable(reason, detail, status, error)

    def failure(
        self, state: ArticleState, attempts: tuple[Attempt, ...], attempt: Attempt
    ) -> Failure:
        """Return the record of a failure, and log it, once.

        An internal error has been logged with its traceback, where it was caught.
        """
        assert attempt.reason != "not_saved"
        # That an article is still gone is not news, but without a list, articles may be missed.
        is_news = state.recheck.refusal != attempt.reason or state.is_list
        is_news = is_news and attempt.reason != "internal_error"
        level = logging.WARNING if is_news else logging.DEBUG
        detail = _detail(attempts, attempt)
        logger.log(level, "%s: %s (%s)", state.id, attempt.reason, detail)
        return records.failure(
            state,
            self._run.frontier.read_listings(state),
            self._run.scope,
            reason=attempt.reason,
            detail=detail,
            attempts=sum(one.requests for one in attempts if one.reason != "not_saved"),
            status=attempt.status,
            source=attempt.source,
        )

    def end(self, state: ArticleState, attempts: tuple[Attempt, ...]) -> Failure | None:
        """Return the failure of an article, or None to leave it a teaser."""
        deciding = min(attempts, key=lambda one: (one.reason == "not_saved", one.reason in ANSWERS))
        if deciding.reason == "not_saved" and state.is_list:
            # Without it, nobody knows which articles are missing.
            deciding = deciding._replace(reason="no_list")
            attempts = (deciding,)
        if deciding.reason != "not_saved":
            return self.failure(state, attempts, deciding)
        self._run.frontier.memory.leave(state, "not_saved", _detail(attempts, deciding))
        return None

    def _another_capture(self, visit: Visit) -> Request:
        assert visit.candidates is not None
        passed_over = visit.candidates.passed[-1]
        logger.debug("%s: %s, next capture", visit.article_id, passed_over.detail)
        request = self._with_history(visit, visit.turn, visit.attempts)
        visit_in(request).candidates = visit.candidates
        return request

    def _with_history(self, visit: Visit, turn: int, attempts: tuple[Attempt, ...]) -> Request:
        assert visit.state is not None
        request = self._request(visit.state, turn)
        again = visit_in(request)
        again.attempts, again.lease = attempts, visit.lease
        return request

    def _turn_after(self, visit: Visit) -> int:
        # A saved page that was given as a seed stands in place of the first source.
        stands_in = visit.saved_page is not None and len(self._run.sources) > 1
        return visit.turn if stands_in else visit.turn + 1

    def _source_of(self, visit: Visit) -> str:
        if visit.origin:
            return visit.origin.source
        return source_name(self._run.source_at(visit.turn))

    def _note_outage(
        self, visit: Visit, reason: Reason | Literal["not_saved"], detail: str
    ) -> None:
        """Stop using a source that is down, and end the run if all of its sources are down."""
        source = self._run.source_at(visit.turn)
        name = self._run.outage_name(visit)
        if source is not None and source.offline:
            return
        if reason == "not_saved":
            self._run.outages.record_answer(name)
            return
        is_newly_down = self._run.outages.record_failure(name, reason)
        others = [source_name(other) for other in self._run.sources if other is not source]
        has_others = not all(map(self._run.outages.reason, others))
        if self._run.outages.network_is_down and not has_others:
            count = self._run.outages.unanswered_count
            self._stop(f"no host answers: {count} pages in a row failed, the last with {reason}")
        elif is_newly_down:
            self._note_down(name, f"{reason} ({detail})", has_others=has_others)

    def _note_down(self, name: str, last_failure: str, *, has_others: bool) -> None:
        count = self._run.outages.threshold
        fault = f"{name} is down: {count} pages in a row failed with {last_failure}"
        if has_others:
            logger.warning(
                "%s; the remaining pages are requested from the other sources only", fault
            )
        elif self._run.outages.several_hosts:
            logger.error("%s; its remaining pages are not requested (SITE_DOWN_AFTER)", fault)
        else:
            self._stop(fault)

    def _stop(self, fault: str) -> None:
        if self._run.stopped is None:
            message = f"{fault}; the remaining pages were not requested (SITE_DOWN_AFTER)"
            logger.error("%s", message)
            self._run.stop("site_down", message)


def _detail(attempts: tuple[Attempt, ...], deciding: Attempt) -> str:
    """Return the detail of the attempt that counts, or of all if there were several."""
    if len(attempts) == 1:
        return deciding.detail
    return "; ".join(f"{one.source}: {one.detail}" for one in attempts)

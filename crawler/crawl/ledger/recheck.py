"""When an article is asked for again. Pure.

Each article has its own interval: halved when it had changed, doubled when it had not or was gone,
within the bounds. What failed for another reason is tried again after the shortest interval,
doubled with every failure in a row up to a day's worth of them, and the article's own interval
stays.

Intervals count from the beginning of the run and are a little shorter than they are called: what is
to be asked for every hour is due when cron starts the next run, an hour after it started this one.
"""

from dataclasses import dataclass

from crawler.crawl.frontier import ArticleState
from crawler.errors import CrawlerError
from crawler.items import ANSWERS

# Of the interval: how much earlier an article is due, and how much of it a run that takes long may
# have taken.
_EARLY, _TAKEN = 0.05, 0.5
# Shortest intervals: a site that was away for days is not left alone for weeks.
_LONGEST_BACKOFF = 24
_LONGEST = 100 * 366 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Intervals:
    """The bounds of an article's interval, in seconds."""

    shortest: float
    longest: float

    def __post_init__(self) -> None:
        """CrawlerError if the bounds are none."""
        for name, value in (("RECHECK_MIN", self.shortest), ("RECHECK_MAX", self.longest)):
            if not 0 <= value <= _LONGEST:
                raise CrawlerError(
                    f"{name}: got {value:g}, takes seconds from 0 to {_LONGEST:,} (a century)"
                )
        if self.shortest > self.longest:
            raise CrawlerError(
                f"RECHECK_MAX: got {self.longest:g}, which is less than RECHECK_MIN ({self.shortest:g})"
            )

    def plan(self, state: ArticleState, outcome: str, began: float, now: float) -> None:
        """Set when an article is due again.

        ``began`` and ``now`` are when the run began and the article was fetched (POSIX seconds),
        ``outcome`` is that of ``schema.FETCHES``.
        """
        if outcome in ("new", "changed"):
            state.interval = self._bounded(state.interval / 2)
        elif outcome in ("unchanged", "not_modified", "dropped", "not_saved") or outcome in ANSWERS:
            state.interval = self._bounded(state.interval * 2)
        else:
            wait = self._bounded(
                self.shortest * min(2.0 ** min(state.failures, 64), _LONGEST_BACKOFF)
            )
            state.failures += 1
            state.due_at = self._due(wait, began, now)
            return
        state.failures = 0
        state.due_at = self._due(state.interval, began, now)

    def _due(self, interval: float, began: float, now: float) -> float:
        since = min(max(0.0, now - began), _TAKEN * interval)
        return now - since + interval * (1 - _EARLY)

    def _bounded(self, seconds: float) -> float:
        return min(self.longest, max(self.shortest, seconds))

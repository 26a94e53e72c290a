"""When to request an article again. Does no I/O and reads no clock.

Each article has its own interval. Within the bounds, it is halved after a change, and doubled if
the article was unchanged, gone, forbidden, dropped or not saved. A fetch that failed for another
reason is retried after the shortest interval, which is doubled with every further failure in a row,
up to 24 times the shortest interval; the article's own interval is kept.

Intervals count from the start of the run and are slightly shorter than configured, so that an
hourly article is due when cron starts the next run, an hour after it started this one.
"""

from dataclasses import dataclass

from crawler.crawl.articles import Recheck
from crawler.errors import CrawlerError
from crawler.items import ANSWERS

# Fractions of the interval: how much earlier an article is due, and how much of it a long run may
# use up.
_EARLY_FRACTION, _MOST_RUN_FRACTION = 0.05, 0.5
# In shortest intervals: a site that was down for days is not left alone for weeks.
_LONGEST_BACKOFF = 24
_LONGEST_INTERVAL = 100 * 366 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Intervals:
    """The bounds of an article's interval, in seconds."""

    shortest: float
    longest: float

    def __post_init__(self) -> None:
        """Check the bounds; CrawlerError if they are invalid."""
        for name, value in (("RECHECK_MIN", self.shortest), ("RECHECK_MAX", self.longest)):
            if not 0 <= value <= _LONGEST_INTERVAL:
                raise CrawlerError(
                    f"{name}: got {value:g}, takes seconds from 0 to {_LONGEST_INTERVAL:,} "
                    "(a century)"
                )
        if self.shortest > self.longest:
            raise CrawlerError(
                f"RECHECK_MAX: got {self.longest:g}, "
                f"which is less than RECHECK_MIN ({self.shortest:g})"
            )

    def plan(self, recheck: Recheck, outcome: str, began: float, now: float) -> Recheck:
        """Return when an article is due again.

        ``began`` and ``now`` are the times when the run began and the article was fetched (POSIX
        seconds); ``outcome`` is that of ``schema.FETCHES``.
        """
        if outcome in ("new", "changed"):
            interval = self._within_bounds(recheck.interval / 2)
        elif outcome in ("unchanged", "not_modified", "dropped", "not_saved") or outcome in ANSWERS:
            interval = self._within_bounds(recheck.interval * 2)
        else:
            wait = self._within_bounds(
                self.shortest * min(2.0 ** min(recheck.failures, 64), _LONGEST_BACKOFF)
            )
            due_at = self._due(wait, began, now)
            return recheck._replace(failures=recheck.failures + 1, due_at=due_at)
        due_at = self._due(interval, began, now)
        return recheck._replace(interval=interval, failures=0, due_at=due_at)

    def _due(self, interval: float, began: float, now: float) -> float:
        since = min(max(0.0, now - began), _MOST_RUN_FRACTION * interval)
        return now - since + interval * (1 - _EARLY_FRACTION)

    def _within_bounds(self, seconds: float) -> float:
        return min(self.longest, max(self.shortest, seconds))

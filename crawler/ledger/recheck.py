"""When an article is asked for again. Pure.

Each article has its own interval: halved when it had changed, doubled when it had not or was gone, within the bounds. What
failed for another reason is tried again after the shortest interval, doubled with every failure in a row, and the article's
own interval stays.
"""

from dataclasses import dataclass

from crawler.errors import CrawlerError
from crawler.frontier import Sighting
from crawler.items import ANSWERS

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
                raise CrawlerError(f"{name}: got {value:g}, takes seconds from 0 to {_LONGEST:,} (a century)")
        if self.shortest > self.longest:
            raise CrawlerError(f"RECHECK_MAX: got {self.longest:g}, which is less than RECHECK_MIN ({self.shortest:g})")

    def plan(self, sighting: Sighting, outcome: str, now: float) -> None:
        """Set when an article is due again, after a fetch at ``now`` (POSIX seconds) with this outcome (``fetches.outcome``)."""
        if outcome in ("new", "changed"):
            sighting.interval = self._bounded(sighting.interval / 2)
        elif outcome in ("unchanged", "not_modified", "dropped", "not_saved") or outcome in ANSWERS:
            sighting.interval = self._bounded(sighting.interval * 2)
        else:
            wait = self._bounded(self.shortest * 2.0 ** min(sighting.failures, 64))
            sighting.failures += 1
            sighting.due_at = now + wait
            return
        sighting.failures = 0
        sighting.due_at = now + sighting.interval

    def _bounded(self, seconds: float) -> float:
        return min(self.longest, max(self.shortest, seconds))

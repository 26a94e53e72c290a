"""Notices that a source on the web is down, so that a run need not ask it for every page."""

from __future__ import annotations

from typing import NamedTuple

from crawler.items import Reason

OF_THE_SOURCE: frozenset[Reason] = frozenset(
    (
        *("timeout", "dns", "refused", "tls", "connection_lost"),
        *("http_4xx", "http_5xx", "robots_unavailable"),
    )
)
"""Failures without a page, any number of which may have the same cause."""
OF_THE_CONNECTION: frozenset[Reason] = frozenset(
    ("timeout", "dns", "refused", "tls", "connection_lost")
)
"""Those of them where no answer came."""


class _Streak(NamedTuple):
    reason: Reason
    length: int


class Outages:
    """Counts, for each source, the pages in a row that failed for one reason.

    A source is down after ``most`` of them (0: never), and stays so for the rest of the run.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._streaks: dict[str, _Streak] = {}
        self._down: dict[str, Reason] = {}

    def failed(self, source: str, reason: Reason) -> bool:
        """Note a failure; whether it is the one that shows that the source is down."""
        if reason not in OF_THE_SOURCE:
            self.answered(source)
            return False
        streak = self._streaks.get(source)
        length = streak.length + 1 if streak and streak.reason == reason else 1
        self._streaks[source] = _Streak(reason, length)
        if length != self._most or source in self._down:
            return False
        self._down[source] = reason
        return True

    def answered(self, source: str) -> None:
        """Note that a source had an answer for a page, whatever it was."""
        self._streaks.pop(source, None)

    def reason(self, source: str) -> Reason | None:
        """Why a source is down; None if it is not."""
        return self._down.get(source)

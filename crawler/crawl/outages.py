"""Detects web sources that are down, so that a run need not request every page from them."""

from __future__ import annotations

from typing import NamedTuple

from crawler.items import Reason

SOURCE_FAILURES: frozenset[Reason] = frozenset(
    (
        *("timeout", "dns", "refused", "tls", "connection_lost"),
        *("http_4xx", "http_5xx", "robots_unavailable"),
    )
)
"""Failures without a page, many of which may have one cause: the source is down."""
CONNECTION_FAILURES: frozenset[Reason] = frozenset(
    ("timeout", "dns", "refused", "tls", "connection_lost")
)
"""The ``SOURCE_FAILURES`` without a response."""


# With several hosts, the network is down after so many times the pages that mark one host as down.
# Of the many hosts that a crawl of old articles meets, some are gone for ever.
_NETWORK_FACTOR = 5


class _Streak(NamedTuple):
    reason: Reason
    length: int


class Outages:
    """Counts, for each source, the pages in a row that failed for the same reason.

    A source is down after ``threshold`` such pages (0: never), and remains so for the rest of the
    run. The network is down if no source answers for ``_NETWORK_FACTOR`` times as many pages.
    """

    def __init__(self, threshold: int) -> None:
        self.threshold = threshold
        self._streaks: dict[str, _Streak] = {}
        self._down: dict[str, Reason] = {}
        self._hosts: set[str] = set()
        self._unanswered_count = 0

    def name_of(self, source: str, host: str) -> str:
        """Return the name under which a source is counted.

        The hosts of the live site are counted apart once there are several.
        """
        if not host:
            return source
        self._hosts.add(host)
        return host if self.several_hosts else source

    @property
    def several_hosts(self) -> bool:
        """Whether pages of the live site were requested from several hosts."""
        return len(self._hosts) > 1

    def record_failure(self, source: str, reason: Reason) -> bool:
        """Record a failure; return whether it is the one that marks the source as down."""
        if reason not in SOURCE_FAILURES:
            self.record_answer(source)
            return False
        self._unanswered_count += 1
        if reason not in CONNECTION_FAILURES:
            self._unanswered_count = 0
        streak = self._streaks.get(source)
        length = streak.length + 1 if streak and streak.reason == reason else 1
        self._streaks[source] = _Streak(reason, length)
        if length != self.threshold or source in self._down:
            return False
        self._down[source] = reason
        return True

    def record_answer(self, source: str) -> None:
        """Record that a source answered a request for a page, with any response."""
        self._streaks.pop(source, None)
        self._unanswered_count = 0

    @property
    def unanswered_count(self) -> int:
        """The number of pages in a row for which no server answered, whatever the source."""
        return self._unanswered_count

    @property
    def network_is_down(self) -> bool:
        return 0 < self.threshold * _NETWORK_FACTOR <= self._unanswered_count

    def reason(self, source: str) -> Reason | None:
        """Return why a source is down; None if it is not."""
        return self._down.get(source)

"""The captures of an article in an archive, tried in turn.

Captures are given in order of preference. A source answers a request with the current capture. If
that does not yield an article, the spider passes it over and requests the article from the same
source again, until a capture is an article, none is left, or the source's limit is reached. If a
capture redirects, the captures of its target are tried before the article's next capture.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from crawler.warc.captures import key_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.items import Reason
    from crawler.warc.captures import Capture

    # The file that stores the capture is None for an archive on the web.
    Candidate = tuple[Capture, Any]

# Faults of the page itself, and so of every capture of the same bytes.
_CONTENT_FAULTS = frozenset(("not_an_article", "other_article", "not_html"))
_MOST_NAMED = 3


class PassedOver(NamedTuple):
    """A capture that did not yield an article, and the reason."""

    where: str
    reason: Reason | Literal["not_saved"]
    detail: str
    status: int | None


class Candidates:
    """The remaining captures of one article, and those passed over.

    ``levels[0]`` holds the captures of the article, in order of preference, and ``levels[n]`` those
    of the n-th redirect's target. ``addresses`` are URLs that have not been looked up yet.
    """

    def __init__(
        self, captures: Iterable[Candidate], most: int, addresses: Iterable[str] = ()
    ) -> None:
        """Allow ``most`` captures to be tried."""
        self.levels = [deque(captures)]
        self.addresses = deque(addresses)
        self.passed: list[PassedOver] = []
        self._most = most

    @property
    def has_more(self) -> bool:
        """Whether another capture may be tried."""
        has_captures = bool(self.levels[0] or self.addresses)
        return has_captures and len(self.passed) < self._most

    def beyond(self, redirects: int, captures: Iterable[Candidate]) -> Candidate | None:
        """Return the capture to try of the page reached after ``redirects`` redirects, or None."""
        if len(self.levels) <= redirects:
            found = deque(captures)
            if not found:
                return None
            self.levels.append(found)
        return self.levels[redirects][0]

    def has_capture_of(self, url: str | None) -> bool:
        """Return whether one of the captures of the article is of this URL."""
        return url is not None and any(
            key_of(capture.url) == key_of(url) for capture, _ in self.levels[0]
        )

    def pass_over(self, failed: PassedOver, redirects: int) -> None:
        """Give up the last capture tried, reached after ``redirects`` redirects.

        A redirect whose target has no captures left is given up as well.
        """
        # Targets reached through this capture are given up with it.
        del self.levels[redirects + 1 :]
        if self.levels[0] or not self.passed:
            self.passed.append(failed)
        while self.levels[-1]:
            candidate = self.levels[-1].popleft()
            if failed.reason in _CONTENT_FAULTS:
                digest = candidate[0].digest
                others = (one for one in self.levels[-1] if not digest or one[0].digest != digest)
                self.levels[-1] = deque(others)
            if self.levels[-1] or len(self.levels) == 1:
                break
            self.levels.pop()

    def failure(self) -> PassedOver:
        """Return the failure to report if no capture is an article: the first not ``not_saved``."""
        reported = min(self.passed, key=lambda failed: failed.reason == "not_saved")
        others = len(self.passed) - 1
        if not others:
            return reported
        limit = "; no more are tried" if others + 1 >= self._most else ""
        captures = "capture was" if others == 1 else "captures were"
        return reported._replace(
            detail=f"{reported.detail}; {others} other {captures} tried "
            f"and none is the article{limit}"
        )

    def notes(self) -> list[str]:
        """Return notes on the captures passed over, for the record of a later one."""
        notes = [
            f"passed over {failed.where}: {failed.reason.replace('_', ' ')} ({failed.detail})"
            for failed in self.passed[:_MOST_NAMED]
        ]
        if (more := len(self.passed) - _MOST_NAMED) > 0:
            notes.append(f"passed over {more} more")
        return notes

"""The captures of an archive that may answer for an article, tried in turn.

In: captures in the order in which they are wanted. A source answers a request with the current
one; the spider passes it over when no article comes of it, and asks the same source again, until
one is an article, none is left, or as many were tried as the source allows. Where a capture
redirects, the captures of the page it leads to are tried before the next of the article itself.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.items import Reason
    from crawler.sources import Origin
    from crawler.warc.archive import ArchiveFile
    from crawler.warc.captures import Capture

    Candidate = tuple[Capture, ArchiveFile | None]

# What is wrong with a page itself, and so with every capture of the same bytes.
_OF_THE_BYTES = frozenset(("not_an_article", "other_article", "not_html"))
_NAMED = 3


class PassedOver(NamedTuple):
    """A capture that no article came of, and why."""

    where: str
    reason: Reason | Literal["not_saved"]
    detail: str
    status: int | None


class Candidates:
    """The captures that may still answer for one article, and those passed over.

    ``levels[0]`` are the captures of the article, the wanted one first; ``levels[n]`` those of the
    page that the n-th redirect led to. ``addresses`` are URLs whose captures are not known yet.
    """

    def __init__(
        self, captures: Iterable[Candidate], most: int, addresses: Iterable[str] = ()
    ) -> None:
        """Have ``most`` captures tried."""
        self.levels = [deque(captures)]
        self.addresses = deque(addresses)
        self.passed: list[PassedOver] = []
        self._most = most

    @property
    def more(self) -> bool:
        """Whether another capture may be tried."""
        left = bool(self.levels[0] or self.addresses)
        return left and len(self.passed) < self._most

    def beyond(self, redirects: int, captures: Iterable[Candidate]) -> Candidate | None:
        """The capture to try of the page that so many redirects led to; None if there is none."""
        if len(self.levels) <= redirects:
            found = deque(captures)
            if not found:
                return None
            self.levels.append(found)
        return self.levels[redirects][0]

    def pass_over(self, failed: PassedOver, redirects: int) -> None:
        """Give up the capture that was tried last, and a redirect if nothing it led to is left.

        It is that of the page to which so many ``redirects`` had led.
        """
        # A redirect that cannot be had again leads nowhere.
        del self.levels[redirects + 1 :]
        if self.levels[0] or not self.passed:
            self.passed.append(failed)
        while self.levels[-1]:
            given_up = self.levels[-1].popleft()
            if failed.reason in _OF_THE_BYTES:
                digest = given_up[0].digest
                others = (one for one in self.levels[-1] if not digest or one[0].digest != digest)
                self.levels[-1] = deque(others)
            if self.levels[-1] or len(self.levels) == 1:
                break
            self.levels.pop()

    def failure(self) -> PassedOver:
        """What to say where no capture is an article: the fault of the most wanted one."""
        told = min(self.passed, key=lambda failed: failed.reason == "not_saved")
        others = len(self.passed) - 1
        if not others:
            return told
        limit = ", and no more are tried" if others + 1 >= self._most else ""
        captures = "capture was" if others == 1 else "captures were"
        return told._replace(
            detail=f"{told.detail}; {others} other {captures} tried and none is the article{limit}"
        )

    def notes(self) -> list[str]:
        """What to say of the captures passed over where a later one is the article."""
        said = [
            f"passed over {failed.where}: {failed.reason.replace('_', ' ')} ({failed.detail})"
            for failed in self.passed[:_NAMED]
        ]
        if (more := len(self.passed) - _NAMED) > 0:
            said.append(f"passed over {more} more")
        return said


def where_captured(origin: Origin | None) -> str:
    """A capture, for people."""
    if origin is None or origin.captured_at is None:
        return "a capture"
    return f"the capture of {origin.captured_at:%Y-%m-%d %H:%M:%S} at {origin.where}"

"""The error class of this project's own code, and the hint that its messages end with."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Literal

from crawler.credentials import hide_userinfo


class CrawlerError(ValueError):
    """Something given to the crawler is wrong; the message names it, what it got and what to do.

    ``exit_code`` is what ``scrapy crawl`` ends with: 2 for a wrong argument, 1 where the run cannot start.
    Passwords in URLs are not in the message.
    """

    def __init__(self, message: str, exit_code: int = 2) -> None:
        super().__init__(hide_userinfo(message))
        self.exit_code = exit_code


class LedgerError(CrawlerError):
    """The ledger of a job cannot be read or written; the message names its file and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=1)


class ArchiveError(CrawlerError):
    """A web archive, or one record in it, cannot be read or written; the message names the place and what is wrong with it.

    ``reason`` is what a failure of the page says (crawler.items.Reason).
    """

    def __init__(
        self, message: str, reason: Literal["unreadable", "cut_short", "too_large"] = "unreadable"
    ) -> None:
        super().__init__(message, exit_code=1)
        self.reason: Literal["unreadable", "cut_short", "too_large"] = reason


class RendererError(CrawlerError):
    """There is no browser to render pages with; the message names it and says what to do."""


def did_you_mean(got: str, known: Iterable[str]) -> str:
    """The end of a message about a name that is not known: the nearest that is, or nothing."""
    near = nearest(got, known)
    return f"; did you mean {near!r}?" if near else ""


def nearest(got: str, known: Iterable[str], likeness: float = 0.4) -> str | None:
    """The known name that is most like another; None if none is as like as ``likeness`` (0 to 1)."""
    return next(iter(get_close_matches(got, list(known), n=1, cutoff=likeness)), None)

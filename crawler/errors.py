"""The exceptions raised by this project's own code, and the hints that end their messages."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Literal

from crawler.credentials import hide_userinfo


class CrawlerError(ValueError):
    """The crawler got an invalid input; the message gives its name, its value and what to do.

    ``exit_code`` is the exit code of ``scrapy crawl``: 2 for a wrong argument, 1 if the run cannot
    start. The message hides passwords in URLs.
    """

    def __init__(self, message: str, exit_code: int = 2) -> None:
        super().__init__(hide_userinfo(message))
        self.exit_code = exit_code


class LedgerError(CrawlerError):
    """A job's ledger cannot be read or written; the message names its file and says what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=1)


class HoldLostError(LedgerError):
    """Another process has taken a job over; it crawls what this one had not committed."""


class ArchiveError(CrawlerError):
    """A web archive or one of its records cannot be read or written.

    The message gives the place and the defect. ``reason`` is the reason of the page's failure
    (crawler.items.Reason).
    """

    def __init__(
        self, message: str, reason: Literal["unreadable", "cut_short", "too_large"] = "unreadable"
    ) -> None:
        super().__init__(message, exit_code=1)
        self.reason: Literal["unreadable", "cut_short", "too_large"] = reason


class StorageError(ArchiveError):
    """The bytes of an archive file could not be got from where they are stored, or unpacked.

    This says nothing of its records: they may be read later, if the storage can be reached again.
    """


class RendererError(CrawlerError):
    """The browser cannot render any page; the message says why and what to do."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown name: the nearest known name, or nothing."""
    near = nearest(name, known)
    return f"; did you mean {near!r}?" if near else ""


def nearest(name: str, known: Iterable[str], likeness: float = 0.4) -> str | None:
    """Return the known name most similar to another; None if none is similar enough.

    ``likeness`` is the minimum similarity, from 0 to 1.
    """
    return next(iter(get_close_matches(name, list(known), n=1, cutoff=likeness)), None)

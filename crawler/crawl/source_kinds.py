"""The kinds of source that ``-a source=`` can name, one entry each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from crawler.warc.names import is_archive

if TYPE_CHECKING:
    from collections.abc import Callable


class SourceKind(NamedTuple):
    """How a source is named and opened.

    ``accepts`` describes, in messages, what can be given, and ``matches`` recognises it. ``module``
    has ``open_source(name, arguments, crawler)``, which returns a ``Source``, and is imported only
    when it is used. It is None for the live site, whose pages Scrapy's own downloader requests. A
    kind with ``captures`` holds pages as they were on a date.
    """

    accepts: str
    matches: Callable[[str], bool]
    module: str | None
    on_the_web: bool = False
    captures: bool = False


LIVE, WAYBACK = "live", "wayback"


def path_exists(path: str) -> bool:
    """Return whether a file or folder exists; False for text that cannot be a path."""
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


SOURCE_KINDS = (
    SourceKind("'live'", LIVE.__eq__, None, on_the_web=True),
    SourceKind("'wayback'", WAYBACK.__eq__, "crawler.sources.wayback", True, captures=True),
    SourceKind(
        "archive files (a file, a folder, or a pattern such as 'year/*.warc.gz')",
        is_archive,
        "crawler.sources.warc",
        captures=True,
    ),
    SourceKind("a folder or file of saved pages", path_exists, "crawler.sources.folder"),
)
"""In the order in which a name is matched against them."""


def kind_of(name: str) -> SourceKind | None:
    """Return the kind of source that a name stands for; None if it stands for none."""
    return next((kind for kind in SOURCE_KINDS if kind.matches(name)), None)

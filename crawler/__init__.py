"""From one news article to its whole neighbourhood.

``extract`` reads one page; ``scrapy crawl articles`` crawls. Names are imported when they are first
used, so that importing this package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crawler.extraction.api import (
        PageRecord,
        ParsedPage,
        Publisher,
        Refusal,
        article_address,
        extract,
        normalise,
        parse,
    )

__all__ = [
    "PageRecord",
    "ParsedPage",
    "Publisher",
    "Refusal",
    "article_address",
    "extract",
    "normalise",
    "parse",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("crawler.extraction.api"), name)

"""Publishers, one module each, whose ``PUBLISHER`` holds everything specific to its pages.

To add one, see CONTRIBUTING.md.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from urllib.parse import urljoin, urlsplit
from zoneinfo import ZoneInfo

from crawler.errors import CrawlerError, did_you_mean

_MOST_MARKS = 4
ARTICLE_ID = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Publisher:
    """The properties of one publisher.

    ``hosts`` may serve its pages; redirects elsewhere are refused. ``article_path`` is the path of
    an article with ``{id}`` for its id, and ``article_pattern`` matches the path of an article's
    URL, with the id as group 1. ``time_zone`` (IANA) is assumed if a page states none. ``names``
    are the publisher's names in page titles. ``picture_url`` has ``{path}`` for a picture's path,
    and ``uploaded`` reads the upload time, in the publisher's local time, from that path.
    ``headline_mark`` matches a mark to remove, such as "+ Video", at either end of a headline; if
    one of its named groups matches, the mark means video.
    """

    name: str
    base_url: str
    hosts: frozenset[str]
    article_path: str
    article_pattern: re.Pattern[str]
    time_zone: str
    names: tuple[str, ...]
    headline_mark: re.Pattern[str]
    picture_url: str | None = None
    uploaded: Callable[[str], datetime | None] | None = None

    @property
    def zone(self) -> ZoneInfo:
        return _zone(self.time_zone)

    def at(self, base_url: str) -> "Publisher":
        """Return this publisher as served from another root, such as a mirror or a test server."""
        return replace(
            self,
            base_url=base_url.rstrip("/"),
            hosts=frozenset({urlsplit(base_url).hostname or ""}),
        )

    def url_of(self, article_id: str) -> str:
        return self.base_url + self.article_path.format(id=article_id)

    def id_of(self, url: str, base: str | None = None) -> str | None:
        """Return the article id in a URL, absolute or relative to ``base``; None if it has none."""
        try:
            parts = urlsplit(urljoin(base or self.base_url + "/", url.strip()))
        except ValueError:
            return None
        if parts.scheme not in ("http", "https") or parts.hostname not in self.hosts:
            return None
        match = self.article_pattern.search(parts.path)
        return match[1] if match else None

    def clean_headline(self, raw: str) -> tuple[str, bool]:
        """Return the headline without its marks, and whether one of them means video."""
        headline, video = raw.strip(), False
        # A headline that is only a mark is kept.
        for _ in range(_MOST_MARKS):
            mark = self.headline_mark.search(headline)
            if mark is None or len(mark.group()) >= len(headline):
                break
            headline = headline[: mark.start()] + headline[mark.end() :]
            video = video or any(mark.groupdict().values())
        return headline, video


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def names() -> list[str]:
    """Return the names of all publishers, sorted."""
    return sorted(module.name for module in iter_modules(__path__))


def load(name: str) -> Publisher:
    """Return the publisher with this name. Raises CrawlerError if there is none."""
    if name not in names():
        raise CrawlerError(
            f"site: got {name!r}, takes one of {', '.join(names())}{did_you_mean(name, names())}"
        )
    publisher = import_module(f"{__name__}.{name}").PUBLISHER
    assert isinstance(publisher, Publisher)
    return publisher


def host_and_port(url: str) -> tuple[str, int]:
    """Return the host of a URL in lower case, and its port or the scheme's default."""
    parts = urlsplit(url)
    return (parts.hostname or "").lower(), parts.port or (443 if parts.scheme == "https" else 80)


def same_server(url: str, other: str) -> bool:
    """Return whether two URLs have the same host and explicit port, with or without TLS."""
    one, another = urlsplit(url), urlsplit(other)
    return (one.hostname, one.port) == (another.hostname, another.port)

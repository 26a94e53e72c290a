"""Publishers: whatever is specific to the pages of one publisher.

No file is needed for a publisher: ``Publisher`` has a default for every field. A publisher file,
such as ``alalam.py`` here, is a Python module whose ``PUBLISHER`` adds knowledge.
docs/how-to/publishers.md describes how to write one, and ``extraction.publisher_files`` finds them.
"""

import re
from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, lru_cache
from importlib import import_module
from pkgutil import iter_modules
from urllib.parse import urljoin, urlsplit
from zoneinfo import ZoneInfo

from crawler.errors import CrawlerError, did_you_mean
from crawler.extraction.addresses import article_address, ascii_host, domain_of
from crawler.extraction.article_urls import is_article_address

_MOST_MARKS = 4
_CACHED = 1024
_NOT_IN_IDS = re.compile(r"[/?#\s]")
NUMBER = re.compile(r"[0-9]{1,18}")
"""An article id that is a number."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Publisher:
    """The properties of one publisher.

    ``name`` is its name in records. Its pages are on ``hosts`` and their subdomains, at
    ``base_url`` by default; redirects to other hosts are refused.

    ``article_pattern`` is searched in the path of an address, or in its path and query if the
    pattern contains ``\\?``. It matches the addresses of articles, and its first group, if it has
    one, is the article's id. Without a group, or without a pattern, the normalised address is the
    id. ``not_article_pattern`` matches the addresses of other pages. ``article_path`` turns an id
    into an address: a path with ``{id}``. If ``ids_are_numbers``, leading zeros do not count.

    ``time_zone`` (IANA) is assumed if a page states none. ``names`` are the publisher's names in
    page titles. ``headline_mark`` matches a mark to remove, such as "+ Video", at either end of a
    headline; if one of its named groups matches, the mark means video. ``picture_url`` has
    ``{path}`` for a picture's path, and ``uploaded`` reads the upload time, in the publisher's
    local time, from that path. ``leaks`` says whether its pages may leak a PHP dump of their
    related items. ``related_selector`` (CSS) selects the elements that hold the related links.
    ``signature`` is found in the bytes of its pages only, and recognises a saved page that declares
    no address. ``default_source`` is used if a crawl is given no ``source``.

    ``mirror`` is the root URL of a server that is asked in place of the publisher's own.
    ``id_prefix`` sets its ids apart from those of another publisher in the same crawl.
    """

    name: str = ""
    base_url: str | None = None
    hosts: frozenset[str] = frozenset()
    article_path: str | None = None
    article_pattern: re.Pattern[str] | None = None
    not_article_pattern: re.Pattern[str] | None = None
    ids_are_numbers: bool = False
    time_zone: str | None = None
    names: tuple[str, ...] = ()
    headline_mark: re.Pattern[str] | None = None
    picture_url: str | None = None
    uploaded: Callable[[str], datetime | None] | None = None
    leaks: bool = True
    related_selector: str | None = None
    signature: re.Pattern[bytes] | None = None
    default_source: str = "live"
    mirror: str | None = None
    id_prefix: str = ""

    @property
    def zone(self) -> ZoneInfo | None:
        return _zone(self.time_zone) if self.time_zone else None

    @property
    def root(self) -> str:
        """The root URL of the publisher's own site."""
        return self.base_url or f"http://{min(self.hosts, key=len, default=self.name)}"

    @property
    def has_own_ids(self) -> bool:
        """Whether the publisher's articles have ids of its own, rather than their addresses."""
        return self.article_pattern is not None and self.article_pattern.groups > 0

    def at(self, base_url: str) -> "Publisher":
        """Return this publisher as served from another root, such as a mirror or a test server.

        Addresses on its own hosts and on the mirror's are the same articles.
        """
        return replace(self, mirror=base_url.rstrip("/"))

    def owns(self, url: str) -> bool:
        """Return whether a URL is on one of the publisher's hosts, or on its mirror."""
        try:
            parts = urlsplit(url)
            host = ascii_host(parts.hostname or "")
        except ValueError:
            return False
        if parts.scheme not in ("http", "https") or not host:
            return False
        if self.mirror and host == urlsplit(self.mirror).hostname:
            return True
        if any(host == own or host.endswith(f".{own}") for own in self.hosts):
            return True
        return not self.hosts and domain_of(url) == self.name

    def url_of(self, article_id: str) -> str | None:
        """Return the URL of an article by its id; None if the publisher has no rule for that."""
        if self.article_path is None or not article_id.startswith(self.id_prefix):
            return None
        path = self.article_path.format(id=article_id.removeprefix(self.id_prefix))
        return (self.mirror or self.root).rstrip("/") + path

    def own_id(self, article_id: str) -> str | None:
        """Return an id if it is one of the publisher's own, else None."""
        return article_id if self.id_from_text(article_id) == article_id else None

    def id_from_text(self, text: str) -> str | None:
        """Return the id that a text is, such as a seed or the name of a file; None if it is none.

        Only a publisher that can turn an id into a URL can tell.
        """
        return _id_from_text(self, text) if self.article_path else None

    def id_of(self, url: str, base: str | None = None) -> str | None:
        """Return the id of the article at a URL, absolute or relative to ``base``.

        None if the URL is not the publisher's, or if its file says that it is not an article's.
        """
        try:
            url = urljoin(base or self.root + "/", url.strip())
        except ValueError:
            return None
        if not self.owns(url):
            return None
        if self.article_pattern is None:
            return self.address_of(url)
        match = _search(self.article_pattern, url)
        if match is None:
            return None
        return self._id_in(match) if self.has_own_ids else self.address_of(url)

    def _id_in(self, match: re.Match[str]) -> str:
        own_id: str = match[1]
        if self.ids_are_numbers:
            own_id = own_id.lstrip("0") or "0"
        return self.id_prefix + own_id

    def address_of(self, url: str) -> str | None:
        """Return the normalised address of a page on the publisher's site, even if at a mirror."""
        return article_address(self._own_url(url))

    def may_be_article(self, url: str) -> bool:
        """Return whether the publisher's file does not say that a URL is another page's."""
        return not (self.not_article_pattern and _search(self.not_article_pattern, url))

    def is_article(self, url: str, templates: Container[str] = ()) -> bool:
        """Return whether a URL of this publisher leads to an article, judging by the URL alone.

        ``templates`` are those of the articles known so far (``article_urls.template_of``).
        """
        if not self.may_be_article(url):
            return False
        if self.article_pattern:
            return _search(self.article_pattern, url) is not None
        return is_article_address(url, templates)

    def url_to_request(self, url: str) -> str:
        """Return the URL to request for one of the publisher's: at its mirror, if it has one."""
        if self.mirror is None or self._is_mirrored(url) or not self.owns(url):
            return url
        return self.mirror + _rest_of(url)

    def _is_mirrored(self, url: str) -> bool:
        return self.mirror is not None and urlsplit(url).hostname == urlsplit(self.mirror).hostname

    def _own_url(self, url: str) -> str:
        """Return the publisher's own URL for one at its mirror."""
        if self.mirror is None or not self._is_mirrored(url):
            return url
        return self.root.rstrip("/") + _rest_of(url).removeprefix(urlsplit(self.mirror).path)

    def clean_headline(self, raw: str) -> tuple[str, bool]:
        """Return the headline without its marks, and whether one of them means video."""
        headline, video = raw.strip(), False
        # A headline that is only a mark is kept.
        for _ in range(_MOST_MARKS if self.headline_mark else 0):
            assert self.headline_mark is not None
            mark = self.headline_mark.search(headline)
            if mark is None or len(mark.group()) >= len(headline):
                break
            headline = headline[: mark.start()] + headline[mark.end() :]
            video = video or any(mark.groupdict().values())
        return headline, video


# Asked several times for each page and for each item of its lists.
@lru_cache(maxsize=_CACHED)
def _id_from_text(publisher: Publisher, text: str) -> str | None:
    pattern, path = publisher.article_pattern, publisher.article_path
    if pattern is None or path is None or _NOT_IN_IDS.search(text):
        return None
    text = text.removeprefix(publisher.id_prefix)
    match = _search(pattern, path.format(id=text))
    return publisher._id_in(match) if match and match[1] == text else None


def _search(pattern: re.Pattern[str], url: str) -> re.Match[str] | None:
    parts = urlsplit(url)
    if r"\?" in pattern.pattern and parts.query:
        return pattern.search(f"{parts.path}?{parts.query}")
    return pattern.search(parts.path)


def _rest_of(url: str) -> str:
    """Return the part of a URL after its host."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def publisher_at(url: str | None) -> Publisher | None:
    """Return the publisher of a URL's registrable domain, about which nothing else is known."""
    domain = domain_of(url) if url else None
    return _publisher_of(domain) if domain else None


@cache
def _publisher_of(domain: str) -> Publisher:
    return Publisher(name=domain)


def names() -> list[str]:
    """Return the names of the publisher files in this package, sorted."""
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

"""Finds the publisher of an address among those of one crawl."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple, Self
from urllib.parse import urljoin, urlsplit

from crawler.extraction import publisher_files
from crawler.extraction.addresses import article_address
from crawler.extraction.publishers import Publisher, publisher_at

DEFAULT_SITE = "alalam"
"""The publisher of bare ids if no ``site`` is given."""
_CACHED = 1024


class Choice(NamedTuple):
    """The publishers of a crawl, as the user chose them; ``Publishers`` finds the rest.

    ``site`` is the name or the path of a publisher file, ``home_url`` the first seed that is a URL,
    ``base_url`` the root of a mirror, ``folder`` one of publisher files.
    """

    site: str | None = None
    home_url: str | None = None
    base_url: str | None = None
    folder: str | None = None


_NO_CHOICE = Choice()


class Publishers:
    """The publishers of a crawl.

    ``home`` is the publisher whose own ids stand for themselves; the ids of other publisher files
    get the name of the file as a prefix, so that ids are unique within a crawl. ``is_stated`` says
    whether the user named it, by ``site`` or by a seed's URL.
    """

    def __init__(self, choice: Choice = _NO_CHOICE) -> None:
        """Load the files that are needed. Raises CrawlerError if one is faulty or not found."""
        self.choice = choice
        self._files = publisher_files.find(choice.folder)
        self.is_stated = choice.site is not None or choice.home_url is not None
        if choice.site is not None:
            home = publisher_files.load(choice.site, self._files)
        elif choice.home_url is not None:
            home = self._found(choice.home_url) or Publisher(name=choice.home_url)
        else:
            home = publisher_files.load(DEFAULT_SITE, self._files)
        if choice.base_url is not None:
            if choice.home_url and not home.base_url:
                home = replace(home, base_url=urljoin(choice.home_url, "/"))
            home = home.at(choice.base_url)
        self.home = home
        self._at = lru_cache(maxsize=_CACHED)(self._publisher_at)

    @classmethod
    def of_job(cls, site: str, folder: str | None = None) -> Self:
        """Return the publishers of a job whose home publisher has this name."""
        if site in publisher_files.find(folder):
            return cls(Choice(site=site, folder=folder))
        return cls(Choice(home_url=f"http://{site}", folder=folder))

    def of(self, url: str) -> Publisher | None:
        """Return the publisher of a URL; None if it is not on the web."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return None
        return self._at(parts.scheme, parts.netloc)

    def _publisher_at(self, scheme: str, server: str) -> Publisher | None:
        url = f"{scheme}://{server}"
        if self.home.owns(url):
            return self.home
        found = self._found(url)
        if found is None or found.name == self.home.name or not found.has_own_ids:
            return found
        return _prefixed(found)

    def _found(self, url: str) -> Publisher | None:
        for publisher in self._files.values():
            if publisher.owns(url):
                return publisher
        return publisher_at(url)

    def id_of(self, url: str) -> str | None:
        """Return the id of the article at a URL.

        None if it is not on the web, or if its publisher's file says that it is not an article's.
        """
        publisher = self.of(url)
        return publisher.id_of(url) if publisher else None

    def list_id(self, url: str) -> str:
        """Return the id of a list of articles, such as a front page or a feed, at a URL."""
        publisher = self.of(url)
        return (publisher.address_of(url) if publisher else article_address(url)) or url

    def id_in(self, text: str) -> str:
        """Return the id in a text that people may give: an id, an address, or a URL."""
        if "://" in text:
            return self.id_of(text) or article_address(text) or text
        return self.home.id_from_text(text) or text

    def recognise(self, body: bytes) -> Publisher | None:
        """Return the publisher whose ``signature`` is in the bytes of a page; None if none is."""
        candidates = (self.home, *map(_prefixed, self._files.values()))
        for publisher in candidates:
            if publisher.signature and publisher.signature.search(body):
                return publisher
        return None


@lru_cache(maxsize=_CACHED)
def _prefixed(publisher: Publisher) -> Publisher:
    return replace(publisher, id_prefix=f"{publisher.name}:")

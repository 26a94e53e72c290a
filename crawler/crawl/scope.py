"""Decides by their addresses which articles a run may request, and which it follows."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawler.crawl.articles import ONE_LANE, Lane
from crawler.extraction.addresses import ascii_host
from crawler.extraction.article_urls import template_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.crawl.articles import ArticleState
    from crawler.crawl.run import Found
    from crawler.crawl.templates import Templates
    from crawler.extraction.directory import Publishers
    from crawler.extraction.publishers import Publisher
    from crawler.items import Exclusion, Failure, RelatedItem

SAME, ANY = "same", "any"


class Scope:
    """The addresses that one run crawls.

    ``hosts`` is "same" for each article's own publisher, "any", or host names, whose subdomains
    count too. ``by_host`` says whether articles are requested from their own hosts, several at a
    time; the articles of other sources share one lane. ``everything`` says whether all articles of
    the sources are read, rather than those near the seeds.
    """

    def __init__(
        self,
        publishers: Publishers,
        hosts: Iterable[str] | str,
        *,
        by_host: bool,
        everything: bool = False,
    ) -> None:
        self.publishers = publishers
        self.everything = everything
        self.hosts = hosts
        self.by_host = by_host

    def publisher_of(self, state: ArticleState) -> Publisher | None:
        """Return the publisher of an article; None if it is not known."""
        if state.url:
            return self.publishers.of(state.url)
        home = self.publishers.home
        is_own = state.url is None and home.id_from_text(state.id) == state.id
        return home if is_own else None

    def url_of(self, state: ArticleState) -> str | None:
        """Return the URL to request for an article; None if it has no address."""
        publisher = self.publisher_of(state)
        if publisher is None:
            return None
        return publisher.url_to_request(state.url) if state.url else publisher.url_of(state.id)

    def allows(self, url: str, publisher: Publisher | None) -> bool:
        """Return whether a URL may be requested for an article of a publisher."""
        if publisher and publisher.owns(url):
            return True
        if self.hosts in (SAME, ANY):
            return self.hosts == ANY
        host = ascii_host(urlsplit(url).hostname or "")
        is_named = any(host == named or host.endswith(f".{named}") for named in self.hosts)
        # The seeds were named too.
        return is_named or (self.publishers.is_stated and self.publishers.home.owns(url))

    def includes(self, found: Found) -> bool:
        """Return whether an article that a source holds is to be read, if everything is.

        If the user named a publisher, only its articles are.
        """
        if not self.publishers.is_stated or self.hosts == ANY or not found.url:
            return True
        return self.allows(found.url, self.publishers.home)

    def reason_against(self, item: RelatedItem, known: Templates, depth: int) -> Exclusion | None:
        """Return why an item on a page at ``depth`` is not followed; None if it is."""
        if item.url is None:
            # The id of an unknown publisher, from a leak: nobody can tell its address.
            own = self.publishers.home.id_from_text(item.id or "") if item.internal else None
            return None if own else "address"
        if not self.follows_to(item.url, item.internal):
            return "offsite"
        publisher = self.publishers.of(item.url)
        if publisher is None:
            return "address"
        if item.id and not publisher.not_article_pattern and publisher.own_id(item.id):
            return None
        templates = known.before(publisher.name, depth)
        return None if publisher.is_article(item.url, templates) else "address"

    def follows_to(self, url: str, internal: bool | None) -> bool:
        """Return whether links to the host of a URL are followed."""
        if self.hosts != SAME:
            return self.allows(url, self.publishers.home)
        # Items that ledgers of older versions hold do not say whether they are internal.
        return self.publishers.home.owns(url) if internal is None else internal

    def presumed(self, state: ArticleState, failure: Failure) -> bool:
        """Return whether a failure is that of a page which only looked like an article.

        The user did not name it, its publisher's file says nothing of the addresses of articles,
        and its page is no article.
        """
        publisher = self.publisher_of(state)
        has_pattern = publisher is not None and publisher.article_pattern is not None
        is_named = state.found_on is None and not self.everything
        return failure.reason == "not_an_article" and not is_named and not has_pattern

    def template_of(self, url: str) -> tuple[str, str] | None:
        """Return the publisher's name and the template of an article's address, if they count."""
        publisher = self.publishers.of(url)
        if publisher is None or publisher.article_pattern:
            return None
        return publisher.name, template_of(url)

    def lane_of(self, state: ArticleState) -> Lane:
        """Return the host and the publisher of an article that is to be requested."""
        url = self.url_of(state) if self.by_host else None
        if url is None:
            return ONE_LANE
        publisher = self.publisher_of(state)
        return Lane(urlsplit(url).hostname or "", publisher.name if publisher else "")

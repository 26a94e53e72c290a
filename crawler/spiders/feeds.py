"""Finds the feeds and sitemaps of a site, which its page and its robots.txt name.

If they name none, the usual addresses are tried. If a site has none at all, the page itself is the
list of its articles.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from scrapy import Request

from crawler.crawl.answers import WITH_PAGE
from crawler.extraction.lists import MOST_BYTES, is_page, read_list, sitemaps_in_robots
from crawler.responses import charset_of
from crawler.visits import PURPOSE, Errand

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from crawler.crawl.arguments import Seed
    from crawler.crawl.run import Run

logger = logging.getLogger(__name__)

# Bytes of a page that are searched for feeds.
_MOST_READ = 500_000
_USUAL_PATHS = (
    *("/feed/", "/rss", "/rss.xml", "/feed.xml", "/atom.xml", "/feed.json", "/index.xml"),
    *("/news-sitemap.xml", "/sitemap_index.xml", "/sitemap.xml"),
)


async def find_feeds(site: Seed, run: Run, crawler: Crawler) -> dict[str, str]:
    """Return the lists of a site by their ids; its page if it has no feed and no sitemap."""
    assert site.url is not None
    page = await _download(site.url, run, crawler)
    found: list[str] = []
    if page is not None:
        if is_page(page.body):
            declared = read_list(page.body[:_MOST_READ], page.url, charset_of(page))
            found = [one.url for one in declared.lists]
        else:
            # The address is that of a feed itself.
            found = [site.url]
    robots = await _download(urljoin(site.url, "/robots.txt"), run, crawler)
    if robots is not None:
        found += sitemaps_in_robots(robots.body.decode("utf-8", "replace"), robots.url)
    if not found:
        found = [url async for url in _usual(site.url, run, crawler)]
    if not found:
        logger.warning("%s: no feed and no sitemap found, so the page itself is read", site.url)
        found = [site.url]
    else:
        logger.info("%s: found %s", site.url, ", ".join(found))
    lists: dict[str, str] = {}
    for url in found:
        lists.setdefault(run.publishers.list_id(url), url)
    return lists


async def _usual(site_url: str, run: Run, crawler: Crawler) -> AsyncIterator[str]:
    """Yield the usual addresses of feeds and sitemaps at which the site has one."""
    for path in _USUAL_PATHS:
        url = urljoin(site_url, path)
        response = await _download(url, run, crawler)
        if response is not None and not is_page(response.body):
            yield url


async def _download(url: str, run: Run, crawler: Crawler) -> Response | None:
    """Return the response to a request, with the site's rules for robots; None if it failed."""
    publisher = run.publishers.of(url)
    request = Request(
        publisher.url_to_request(url) if publisher else url,
        dont_filter=True,
        meta={
            PURPOSE: Errand(named_by_user=True),
            "handle_httpstatus_all": True,
            "download_maxsize": MOST_BYTES,
        },
    )
    assert crawler.engine is not None
    try:
        response: Response = await crawler.engine.download_async(request)
    except Exception as error:
        logger.info("%s: %s", url, error)
        return None
    return response if response.status in WITH_PAGE else None

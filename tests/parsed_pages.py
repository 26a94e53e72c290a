"""An empty parsed page for tests to fill in, and what is made of it."""

from dataclasses import replace
from datetime import UTC, datetime

from crawler.crawl import records
from crawler.crawl.fetches import Fetch
from crawler.extraction import publishers as sites
from crawler.extraction import related as related_list
from crawler.extraction.normalise import page_record
from crawler.extraction.page import ParsedPage, Related
from crawler.items import Article, RelatedItem

SITE = sites.load("alalam")
FETCH = Fetch(
    id="1752033",
    url="http://en.alalam.ir/news/1752033",
    depth=3,
    found_on="1752001",
    fetched_at=datetime(2015, 10, 24, 6, 7, 8, 90, tzinfo=UTC),
    source="live",
    status=203,
)
BARE = ParsedPage(
    headline=None,
    dated=None,
    body=(),
    body_where="text of p",
    language=None,
    canonical=None,
    related=None,
    media=None,
    base=None,
    title=None,
    asks_password=False,
    teasers=0,
    encoding="utf-8",
    encoding_where="valid UTF-8",
)


def article(page: ParsedPage, fetch: Fetch, _: object, publisher: sites.Publisher) -> Article:
    return records.article(page_record(page, publisher), fetch)


def related_items(
    related: Related | None, publisher: sites.Publisher
) -> tuple[RelatedItem, ...] | None:
    return related_list.related_items(replace(BARE, related=related), publisher)

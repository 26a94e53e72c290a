"""Lists the articles of sources that may hold more than fit in memory, and their addresses."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from crawler.crawl.run import FOLLOWS, UNKNOWN, Found
from crawler.warc.index import distinct

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def distinct_articles(articles: Iterable[Found]) -> Iterator[Found]:
    """Yield each article once, sorted by id, with the first of its URLs."""
    lines = distinct(one.line for one in articles)
    for article_id, same in groupby(lines, key=lambda line: line.partition("\t")[0]):
        yield Found(article_id, url_of(next(same).partition("\t")[2]))


def url_of(text: str) -> str | None:
    """Return the URL of an article from the end of its ``line``."""
    return None if text == FOLLOWS else "" if text == UNKNOWN else text

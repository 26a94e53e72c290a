"""Lists the articles of sources that may hold more than fit in memory, and their addresses."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from crawler.crawl.run import Found
from crawler.warc.index import distinct

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


# Stands for a URL that follows from the id, or that is not known. Neither is in any text.
_FOLLOWS, _UNKNOWN = "\x01", "\x02"


def distinct_articles(articles: Iterable[Found]) -> Iterator[Found]:
    """Yield each article once, sorted by id, with the first of its URLs."""
    lines = distinct(f"{one.id}\t{_text_of(one.url)}" for one in articles)
    for article_id, same in groupby(lines, key=lambda line: line.partition("\t")[0]):
        yield Found(article_id, _url_of(next(same).partition("\t")[2]))


def _text_of(url: str | None) -> str:
    return _FOLLOWS if url is None else url or _UNKNOWN


def _url_of(text: str) -> str | None:
    return None if text == _FOLLOWS else "" if text == _UNKNOWN else text

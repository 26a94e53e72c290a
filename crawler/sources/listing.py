"""Lists the articles of sources that may hold more than fit in memory, and their addresses."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawler.crawl.run import Found
from crawler.extraction.addresses import VARIANT_HOSTS
from crawler.warc.captures import key_of
from crawler.warc.index import distinct

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crawler.extraction.directory import Publishers

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


def addresses(
    article_id: str, url: str | None, publishers: Publishers, *, with_variants: bool = False
) -> list[str]:
    """Return the URLs under which archives may hold an article, one for each archive key.

    They are the URL to request, if it is known, and those that follow from the id; those of other
    hosts for the same pages, such as ``m.``, only ``with_variants``.
    """
    home = publishers.home
    publisher = publishers.of(url) if url else home
    urls = [url] if url else []
    if publisher and publisher.own_id(article_id) and (own_url := publisher.url_of(article_id)):
        parts = urlsplit(own_url)
        urls.append(own_url)
        urls += (parts._replace(netloc=host).geturl() for host in sorted(publisher.hosts))
    elif not home.own_id(article_id) and url:
        labels = [f"{name}." for name in VARIANT_HOSTS] if with_variants else []
        urls += (f"http://{label}{article_id}" for label in ("", *labels))
    return list({key_of(one): one for one in reversed(urls) if key_of(one)}.values())[::-1]

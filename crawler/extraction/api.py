"""From the bytes of a page to the record of its article.

``extract`` is ``parse`` (bytes to ``ParsedPage``, the page's raw values) followed by ``normalise``
(``ParsedPage`` to ``PageRecord``, or to the ``Refusal`` of a page that is not an article). All
three are pure functions: no I/O, no clock, no Scrapy. Their arguments and results can be pickled.
"""

from crawler.extraction.addresses import article_address
from crawler.extraction.normalise import normalise
from crawler.extraction.page import ParsedPage, parse
from crawler.extraction.publishers import Publisher
from crawler.extraction.refusal import Refusal
from crawler.items import PageRecord

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


def extract(
    body: bytes,
    *,
    url: str | None = None,
    charset: str | None = None,
    publisher: Publisher | None = None,
) -> PageRecord | Refusal:
    """Return the record of the article on a page, or why the page is not an article.

    ``url`` is the address of the page, ``charset`` the one that its HTTP header declares. The
    ``publisher`` is by default that of the URL's registrable domain, about which nothing is
    assumed, such as a time zone. Without a URL, ``site`` and ``id`` are null. A page that cannot be
    read gives a ``Refusal`` or null fields; no page raises an error.

        >>> page = b'''<html lang="en"><h1>Bridge reopens</h1><p>Homs, 23 October 2015</p>
        ... <p>The bridge over the Orontes was opened to traffic on Friday morning.</p>
        ... <p>It had been closed for two years, the governor of the city said.</p></html>'''
        >>> record = extract(page, url="https://publisher.example/2015/10/23/bridge")
        >>> record.headline, record.published_at, record.language
        ('Bridge reopens', '2015-10-23', 'en')
        >>> extract(b"<html><title>404 Not Found</title></html>").reason
        'not_an_article'
    """
    return normalise(parse(body, url=url, charset=charset, publisher=publisher), publisher)

"""Extracts the article of a page, given its bytes and the facts known about them.

Without Scrapy, I/O or an event loop; tasks and results can be pickled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from crawler.extraction.api import PageRecord, ParsedPage, Refusal
    from crawler.extraction.directory import Publishers
    from crawler.extraction.lists import ArticleList

LARGE_BYTES = 4 * 1024 * 1024
"""Parsing a larger page takes longer than a second, and lxml cannot be interrupted."""


class Task(NamedTuple):
    """A page to be extracted: the arguments of ``parse``, except the publisher.

    ``article_id`` is the id by which it was requested, its publisher's own or not. ``url`` is None
    for a saved page that declares no address. ``base`` is the base of relative links, if that is
    another URL. ``is_text`` means that the body is the text of a page, not the page. ``expects``
    says whether it is an article or, as its address tells, a list of articles. Unless it
    ``needs_page``, its record is enough.
    """

    body: bytes
    article_id: str
    url: str | None
    charset: str | None
    base: str | None = None
    is_text: bool = False
    expects: Literal["article", "list", "either"] = "article"
    needs_page: bool = True


class Extracted(NamedTuple):
    """A parsed page, and the result of ``normalise``; or the list of articles that was found.

    The page is None if the task did not need it, or if it is a list. ``has_related_urls`` means
    that its related list is one of links, whose entries have URLs.
    """

    page: ParsedPage | None
    result: PageRecord | Refusal
    listed: ArticleList | None = None
    has_related_urls: bool = False


class TooSlowError(Exception):
    """Extracting a page took longer than READ_TIMEOUT; the message gives that limit."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"reading the page took longer than READ_TIMEOUT ({seconds:g} s)")


def extract_page(task: Task, publishers: Publishers) -> Extracted:
    """Parse and normalise a page in this process."""
    # Imported with the first page, so that a run that fails before it does not load the parsers.
    from crawler.extraction.api import normalise, parse

    if task.expects != "article":
        return _extract_list(task, publishers)
    url = task.url
    publisher = publishers.of(url) if url else publishers.recognise(task.body)
    own_id = publisher.own_id(task.article_id) if publisher else None
    if url is None and publisher and own_id:
        url = publisher.url_of(own_id)
    page = parse(
        task.body,
        url=url,
        charset=task.charset,
        publisher=publisher,
        article_id=own_id,
        base=task.base if url else None,
        is_text=task.is_text,
    )
    return Extracted(
        page if task.needs_page else None,
        normalise(page, publisher),
        has_related_urls=page.related is not None and page.related.has_urls,
    )


def _extract_list(task: Task, publishers: Publishers) -> Extracted:
    """Read a list of articles, unless the page is an article or declares itself to be one."""
    from crawler.extraction.api import Refusal
    from crawler.extraction.lists import is_page, read_list
    from crawler.extraction.refusal import ARTICLE_KINDS

    if task.expects == "either" and is_page(task.body):
        extracted = extract_page(task._replace(expects="article", needs_page=True), publishers)
        page = extracted.page
        assert page is not None
        is_declared = not page.kinds.isdisjoint(ARTICLE_KINDS)
        if is_declared or not isinstance(extracted.result, Refusal):
            return extracted._replace(page=page if task.needs_page else None)
    listed = read_list(task.body, task.url or "", task.charset)
    return Extracted(None, Refusal("no_list", f"a {listed.kind} of articles"), listed)

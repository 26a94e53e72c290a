"""Finds facts for a publisher file in the pages of some articles of the publisher.

Takes the pages of two or three articles; a single one tells less. Pure: no I/O.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urldefrag, urljoin, urlsplit

from crawler.extraction.address_patterns import IdPattern, find_pattern, list_folders
from crawler.extraction.addresses import article_address, domain_of
from crawler.extraction.article_urls import is_article_address, looks_like_article, template_of
from crawler.extraction.page import metadata
from crawler.extraction.page.encoding import decode
from crawler.extraction.publishers import Publisher
from crawler.extraction.refusal import Refusal
from crawler.publisher_drafts.link_boxes import Box, LinkedPage, find_boxes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lxml.etree import _Element

    from crawler.extraction.page import ParsedPage
    from crawler.publisher_drafts.pages import Page

_NOT_IN_NAMES = re.compile(r"[^\w-]+")
# The least share of the links that look like articles' and have an id, and the least number of
# links that count.
_LEAST_MATCHED, _FEWEST_LINKS = 0.6, 5


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of a publisher's articles.

    ``templates`` are their shapes, one for each page, and ``pattern`` is their id's, if all of them
    or all but one have an id in common. ``doubt`` says why it may be wrong, or is None. ``matched``
    of the ``likely`` links, which look like articles', match it. ``lists`` are the folders of lists
    that match it, too, and ``list_example`` is a link to one. ``recognised`` says whether the
    built-in rules recognise the addresses without a pattern.
    """

    templates: tuple[str, ...]
    pattern: IdPattern | None
    doubt: str | None
    matched: int
    likely: int
    lists: tuple[str, ...]
    list_example: str | None
    recognised: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """The facts about a publisher that its pages tell.

    ``site_names`` are the names that the pages declare. ``pages`` is their number, and
    ``unzoned`` and ``undated`` count those that state a time without a zone, and no time.
    ``unlisted`` counts those without a related list; ``boxes`` may hold one. ``leaks`` says whether
    a page leaks a PHP dump.
    """

    name: str
    host: str
    root: str
    addresses: Addresses
    site_names: tuple[str, ...]
    pages: int
    unzoned: int
    undated: int
    unlisted: int
    boxes: tuple[Box, ...]
    leaks: bool


class _Read(NamedTuple):
    """A page that was read, its tree, and its links to pages of the same publisher."""

    page: Page
    parsed: ParsedPage
    root: _Element
    links: dict[_Element, str]


def name_of(url: str) -> str:
    """Return a name for the publisher of a URL: "dw" for https://www.dw.com/."""
    host = urlsplit(f"http://{domain_of(url)}").hostname or ""
    is_domain = not host.replace(".", "").isdigit() and ":" not in host
    name = host.partition(".")[0] if is_domain else host
    return _NOT_IN_NAMES.sub("-", name).strip("-")


def draft(pages: Sequence[Page], name: str) -> Draft:
    """Return the facts about the publisher of these pages."""
    first = urlsplit(pages[0].url)
    root = f"{first.scheme}://{first.netloc}"
    domain = urlsplit(f"http://{domain_of(pages[0].url)}").hostname or ""
    publisher = Publisher(name=name, hosts=frozenset({domain}), base_url=root)
    read = [_read(page, publisher) for page in pages]
    publisher, addresses = _doubted(read, publisher, _addresses(read))
    moments = [one.parsed.dated.moment if one.parsed.dated else None for one in read]
    timed = [moment for moment in moments if moment and moment.clock is not None]
    unlisted = [one for one in read if not _has_list(one, publisher)]
    return Draft(
        name=name,
        host=domain,
        root=root,
        addresses=addresses,
        site_names=tuple(dict.fromkeys(name for one in read for name in _site_names(one))),
        pages=len(pages),
        unzoned=sum(moment.zone is None for moment in timed),
        undated=len(pages) - len(timed),
        unlisted=len(unlisted),
        boxes=_boxes(unlisted, addresses.pattern) if unlisted else (),
        leaks=any(one.parsed.dumps for one in read),
    )


def _read(page: Page, publisher: Publisher) -> _Read:
    from parsel import Selector

    parsed = page.parse(publisher)
    text = decode(page.body, page.charset).text
    root: _Element = Selector(text=text, type="html").root
    return _Read(page, parsed, root, dict(_links(root, parsed.base or page.url, publisher)))


def _links(root: _Element, base: str, publisher: Publisher) -> Iterator[tuple[Any, str]]:
    for element in root.iter("a"):
        try:
            url, _ = urldefrag(urljoin(base, (element.get("href") or "").strip()))
        except ValueError:
            continue
        if publisher.owns(url):
            yield element, url


def _site_names(read: _Read) -> tuple[str, ...]:
    return metadata.read(read.root).site_names


def _addresses(read: Sequence[_Read]) -> Addresses:
    urls = [one.page.url for one in read]
    links = list(dict.fromkeys(link for one in read for link in one.links.values()))
    templates = tuple(map(template_of, urls))
    pattern, odd = _pattern(urls, links)
    likely = [link for link in links if looks_like_article(link)]
    missed = [link for link in likely if pattern and pattern.id_in(link) is None]
    given = {folder for url in urls for folder in urlsplit(url).path.split("/")}
    found = list_folders(pattern, links) if pattern else ()
    lists = tuple(folder for folder in found if folder not in given)
    of_lists = (link for link in links if set(lists).intersection(urlsplit(link).path.split("/")))
    return Addresses(
        templates=templates,
        pattern=pattern,
        doubt=_doubt(len(urls), odd, len(likely), missed) if pattern else None,
        matched=len(likely) - len(missed) if pattern else 0,
        likely=len(likely),
        lists=lists,
        list_example=next(of_lists, None),
        recognised=all(is_article_address(url, templates) for url in urls),
    )


def _pattern(urls: Sequence[str], links: Sequence[str]) -> tuple[IdPattern | None, str | None]:
    """Return the pattern of addresses, and the one that it does not match, if any."""
    pattern = find_pattern(urls, links)
    if pattern is None and len(urls) > 2:
        for odd in urls:
            others = [url for url in urls if url != odd]
            if pattern := find_pattern(others, links):
                return pattern, odd
    return pattern, None


def _doubt(count: int, odd: str | None, likely: int, missed: Sequence[str]) -> str | None:
    """Return why the pattern of some addresses may be wrong; None if it is safe."""
    if odd is not None:
        return f"it does not match {odd}"
    if count < 2:
        return "it was made from a single address"
    matched = likely - len(missed)
    if likely >= _FEWEST_LINKS and matched < _LEAST_MATCHED * likely:
        return (
            f"it matches only {matched} of the {likely} links on these pages that look like "
            f"articles', and not {missed[0]}"
        )
    return None


def _doubted(
    read: Sequence[_Read], publisher: Publisher, addresses: Addresses
) -> tuple[Publisher, Addresses]:
    """Return the publisher with the pattern, unless a page would not be an article with it."""
    if addresses.pattern is None or addresses.doubt is not None:
        return publisher, addresses
    with_pattern = replace(
        publisher,
        article_pattern=re.compile(addresses.pattern.pattern),
        article_path=addresses.pattern.path,
    )
    for one in read:
        result = one.page.read(with_pattern)
        if isinstance(result, Refusal):
            doubt = f"with it, {one.page.url} is refused as {result.reason} ({result.detail})"
            return publisher, replace(addresses, doubt=doubt)
    return with_pattern, addresses


def _has_list(read: _Read, publisher: Publisher) -> bool:
    related = read.page.parse(publisher).related
    return related is not None and len(related.items) > 0


def _boxes(read: Sequence[_Read], pattern: IdPattern | None) -> tuple[Box, ...]:
    return find_boxes([LinkedPage(one.root, _articles(one, pattern)) for one in read])


def _articles(read: _Read, pattern: IdPattern | None) -> Mapping[_Element, str]:
    """Return the links of a page to other articles, with their ids."""
    own = (pattern and pattern.id_in(read.page.url)) or article_address(read.page.url)
    found = {}
    for element, url in read.links.items():
        if pattern is None and not looks_like_article(url):
            continue
        article_id = pattern.id_in(url) if pattern else article_address(url)
        if article_id and article_id != own and looks_like_article(url) is not False:
            found[element] = article_id
    return found

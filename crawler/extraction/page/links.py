"""Read the related items from a page's links to other articles.

The links are under a related-news heading, inside an element named as related, or inside those that
the publisher's file selects. A link counts if its address may be an article's: whether it is
followed is decided later. Links to other publishers count if their address looks like an article's.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urldefrag, urljoin, urlsplit

from lxml.etree import _Element

from crawler.extraction.addresses import article_address
from crawler.extraction.article_urls import looks_like_article
from crawler.extraction.page.blocks import Block, Layout
from crawler.extraction.page.boxes import HEADINGS
from crawler.extraction.page.headings import LONGEST_HEADING, Part, part_headed_by
from crawler.extraction.page.leak import Listed, Related
from crawler.extraction.page.text import all_text, collapse, has_many_elements
from crawler.extraction.page.tree import following
from crawler.extraction.publishers import Publisher

# An absolute URL that urljoin, which is slow, would return unchanged.
_WHOLE_URL = re.compile(r"https?://[^\s/?#\\]+/(?:(?!/\.)[^\s?#;\\])*+\Z")
_OTHER_SCHEME = re.compile(r"(?:javascript|mailto|tel|data|whatsapp|sms):", re.IGNORECASE)
# The variants of a page's own path.
_ENDING = re.compile(r"(?:/(?:amp|print)|/index\.\w+)?/*$")
_LINKED_ENTRY = 0.9
_NOT_RELATED = (Part.COMMENTS, Part.TAGS, Part.OTHER)
_MOST_HEADINGS = 50
# Characters and elements. A link with more was never closed.
_LONGEST_TITLE, _MOST_IN_A_LINK = 10_000, 200


class Anchor(NamedTuple):
    """A link that may lead to an article: the article's id, its URL, and the element.

    The id of an article without an own id is its URL here, since normalising each link of a page
    would take longer than reading its article.
    """

    id: str
    url: str
    element: _Element


@dataclass(slots=True)
class _Links:
    """Links to articles, in page order. A picture and a headline may link to the same article."""

    where: str
    headed: bool
    anchors: list[Anchor] = field(default_factory=list)

    @property
    def ids(self) -> set[str]:
        return {anchor.id for anchor in self.anchors}


def read(
    root: _Element, layout: Layout, publisher: Publisher | None, url: str | None
) -> Related | None:
    """Return the list of related links, or None if the page has none.

    ``url`` is the base of relative links; without it, only absolute links are read.
    """
    if publisher and publisher.related_selector:
        return _selected(root, publisher, url)
    emphasised = [
        (element, part)
        for element in layout.emphasised
        if (part := part_headed_by(_words(element)))
    ]
    headings = _related_headings(layout, emphasised)
    if not headings and not layout.named_related:
        return None
    page = _Page(root, layout, headings, emphasised, publisher, url)
    groups = [_links_under(heading, page) for heading in headings[:_MOST_HEADINGS]]
    groups += [_links_inside(element, page) for element in layout.named_related]
    # A single link after an inline "Read also:" is not a list; under its own heading it is.
    groups = [group for group in groups if len(group.ids) > 1 or group.headed]
    best = max(
        groups,
        key=lambda group: (len(group.ids) > 1, group.where.startswith("links"), len(group.ids)),
        default=None,
    )
    if best is None or not best.anchors:
        return None
    return Related(tuple(_listed_entries(best, url)), True, best.where)


def _related_headings(layout: Layout, emphasised: list[tuple[_Element, Part]]) -> list[_Element]:
    """Return the elements that head a related list: blocks of their own, or emphasised words."""
    found = [
        b.box.element
        for b in layout.blocks
        if part_headed_by(b.text) is Part.RELATED and not _is_entry(b)
    ]
    found += [element for element, part in emphasised if part is Part.RELATED]
    return list(dict.fromkeys(found))


def _is_entry(block: Block) -> bool:
    """Return whether a block is an entry of a menu, such as "More like this"."""
    return block.tag == "li" and block.link_share > _LINKED_ENTRY


class _Page:
    """The headings and the links of a page that may hold its related list.

    ``order`` maps each element to its position, and ``ends`` are the positions of the headings that
    end a list.
    """

    def __init__(
        self,
        root: _Element,
        layout: Layout,
        related_headings: list[_Element],
        emphasised: list[tuple[_Element, Part]],
        publisher: Publisher | None,
        url: str | None,
    ) -> None:
        self._reader = _AnchorReader(publisher, url)
        self._anchors: dict[int, Anchor | None] = {}
        elements = list(root.iter())
        self.order = dict(zip(elements, range(len(elements)), strict=True))
        self._links = list(root.iter("a"))
        self._places = [self.order[link] for link in self._links]
        others = [
            b.box.element
            for b in layout.blocks
            if len(b.text) <= LONGEST_HEADING
            and (b.tag in HEADINGS or part_headed_by(b.text) in _NOT_RELATED)
        ]
        others += [element for element, part in emphasised if part in _NOT_RELATED]
        # The page's next heading ends a list; a heading inside an entry does not.
        ends = {self.order[e] for e in others if not (_has_link(e) or self._in_link(e))}
        ends.update(self.order[e] for e in related_headings)
        self.ends = sorted(ends)

    def _in_link(self, element: _Element) -> bool:
        place = self.order[element]
        last = bisect_left(self._places, place) - 1
        return last >= 0 and place < self.place(following(self._links[last]))

    def place(self, element: _Element | None) -> int:
        """Return an element's position in the page; None is the end of the page."""
        return len(self.order) if element is None else self.order[element]

    def anchors(self, start: int, end: int) -> Iterator[Anchor]:
        """Yield the links to articles between two positions.

        Most links of a page are in its menus, and reading one takes longer than finding it.
        """
        first = bisect_left(self._places, start)
        for index in range(first, bisect_left(self._places, end, first)):
            if index not in self._anchors:
                self._anchors[index] = self._reader.read(self._links[index])
            if anchor := self._anchors[index]:
                yield anchor


def _selected(root: _Element, publisher: Publisher, url: str | None) -> Related | None:
    """Return the links inside the elements that the publisher's file selects."""
    from cssselect import HTMLTranslator

    assert publisher.related_selector is not None
    reader = _AnchorReader(publisher, url)
    selected: Any = root.xpath(HTMLTranslator().css_to_xpath(publisher.related_selector))
    found = (a for element in selected for a in element.iter("a"))
    anchors = [anchor for a in dict.fromkeys(found) if (anchor := reader.read(a))]
    if not anchors:
        return None
    links = _Links(f"links in {publisher.related_selector}", True, anchors)
    return Related(tuple(_listed_entries(links, url)), True, links.where)


class _AnchorReader:
    """Reads the links of one page; its links to itself are left out.

    "Print" and "Back to top" link to the page itself.
    """

    def __init__(self, publisher: Publisher | None, url: str | None) -> None:
        self._publisher = publisher
        self._base = url or (f"{publisher.root}/" if publisher else None)
        self._own_id = publisher.id_of(url) if publisher and url else None
        self._own_path = _without_ending(urlsplit(url).path) if url else None
        self._has_own_ids = publisher is not None and publisher.has_own_ids

    def read(self, element: _Element) -> Anchor | None:
        """Return the link of an ``a`` element; None if it does not lead to another article."""
        href = (element.get("href") or "").strip()
        if not href or href[0] == "#" or _OTHER_SCHEME.match(href):
            return None
        try:
            url = href if _WHOLE_URL.match(href) else urldefrag(urljoin(self._base or "", href))[0]
            parts = urlsplit(url)
        except ValueError:
            return None
        if not parts.hostname or parts.scheme not in ("http", "https"):
            return None
        if self._publisher is None or not self._publisher.owns(url):
            # Without the page's own address, any link may be to its own publisher.
            verdict = looks_like_article(url)
            return Anchor(url, url, element) if verdict or not self._base else None
        if self._has_own_ids:
            own_id = self._publisher.id_of(url)
            return Anchor(own_id, url, element) if own_id and own_id != self._own_id else None
        if not self._may_be_article(url):
            return None
        if _without_ending(parts.path) == self._own_path and self._own_id == article_address(url):
            return None
        return Anchor(url, url, element)

    def _may_be_article(self, url: str) -> bool:
        assert self._publisher is not None
        if self._publisher.article_pattern or self._publisher.not_article_pattern:
            return self._publisher.is_article(url)
        return looks_like_article(url) is not False


def _has_link(element: _Element) -> bool:
    return next(element.iter("a"), None) is not None


def _without_ending(path: str) -> str:
    return _ENDING.sub("", path)


def _words(element: _Element) -> str:
    """Return the words of an element that may be a heading; "" if it has too many."""
    if has_many_elements(element, 4 * LONGEST_HEADING):
        return ""
    words = collapse(all_text(element, 4 * LONGEST_HEADING))
    return words if len(words) <= LONGEST_HEADING else ""


def _links_inside(element: _Element, page: _Page) -> _Links:
    """Return the links inside an element named as related."""
    anchors = page.anchors(page.order[element], page.place(following(element)))
    return _Links("list named as related", False, list(anchors))


def _links_under(heading: _Element, page: _Page) -> _Links:
    """Return the links below a heading, up to the next heading.

    Only the smallest element that contains the heading and the first link is searched.
    """
    links = _Links(
        f"links under {collapse(all_text(heading, LONGEST_HEADING))[:LONGEST_HEADING]!r}",
        heading.tag in HEADINGS,
    )
    place = page.order[heading]
    next_end = bisect_right(page.ends, place)
    last = page.ends[next_end] if next_end < len(page.ends) else len(page.order)
    first = next(page.anchors(place + 1, last), None)
    if first is None:
        return links
    path = [first.element, *first.element.iterancestors()]
    around_first = set(path)
    scope = next(e for e in (heading, *heading.iterancestors()) if e in around_first)
    branch = path[path.index(scope) - 1] if scope is not path[0] else scope
    end = min(_end_of_list(branch, page, last), last)
    links.anchors += page.anchors(page.order[first.element], end)
    return links


def _end_of_list(branch: _Element, page: _Page, last: int) -> int:
    """Return the position after the list that starts at ``branch``; ``last`` ends the search.

    Following siblings continue the list if they have the same tag; line breaks and pictures between
    them are skipped.
    """
    for sibling in branch.itersiblings():
        if page.order[sibling] >= last:
            break
        if not isinstance(sibling.tag, str) or sibling.tag in ("br", "hr", "img"):
            continue
        if sibling.tag != branch.tag and not {sibling.tag, branch.tag} <= {"dt", "dd"}:
            return page.order[sibling]
    parent = branch.getparent()
    return page.place(following(branch if parent is None else parent))


def _listed_entries(links: _Links, url: str | None) -> Iterator[Listed]:
    urls: dict[str, str] = {}
    texts: dict[str, str] = {}
    pictures: dict[str, str] = {}
    for article_id, article_url, element in links.anchors:
        if article_id is article_url:
            article_id = article_address(article_url) or article_url
        urls.setdefault(article_id, article_url)
        if has_many_elements(element, _MOST_IN_A_LINK):
            texts.setdefault(article_id, "")
            continue
        text = _title(element)
        if len(text) > len(texts.get(article_id, "")) and not (
            texts.get(article_id) and _is_prompt(text)
        ):
            texts[article_id] = text
        else:
            texts.setdefault(article_id, text)
        for image in element.iter("img"):
            if source := image.get("data-src") or image.get("src"):
                pictures.setdefault(article_id, _absolute(source, url))
    for article_id, text in texts.items():
        yield Listed(article_id, text or None, pictures.get(article_id), url=urls[article_id])


def _absolute(source: str, url: str | None) -> str:
    try:
        return urljoin(url or "", source.strip())
    except ValueError:
        return source


def _is_prompt(text: str) -> bool:
    return re.fullmatch(r"(?:read|see|more|continue|full).{0,20}", text, re.IGNORECASE) is not None


def _title(anchor: _Element) -> str:
    """Return a link's text: its heading, all its text, its title or an image's alt text."""
    heading = next((e for e in anchor.iter(*HEADINGS)), None)
    text = collapse(all_text(anchor if heading is None else heading, _LONGEST_TITLE))
    if text:
        return text
    images = [image.get("alt") for image in anchor.iter("img")]
    return collapse(anchor.get("title") or next((alt for alt in images if alt), ""))

"""Read the links of an article, each with its role on the page.

The links in the text are those of the blocks that the body was made of. Those of related items,
authors and translations are the links that their fields were read from, so a record's ``related``,
``authors`` and ``alternates`` agree with its ``links``. Never raises.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from lxml.etree import _Element

from crawler.extraction.page.anchors import (
    AnchorReader,
    address_of,
    text_of,
    without_announcement,
    word_count,
)
from crawler.extraction.page.article import Chosen
from crawler.extraction.page.blocks import Block, Layout
from crawler.extraction.page.bylines import Byline
from crawler.extraction.page.leak import Related
from crawler.extraction.page.metadata import Alternate
from crawler.extraction.page.parts import is_noise, look_of
from crawler.extraction.page.subjects import DECLARED_CRUMBS, SubjectLinks, path_of
from crawler.extraction.page.text import key
from crawler.items import LinkRelation, LinkRole

_RELATIONS: tuple[LinkRelation, ...] = ("nofollow", "sponsored", "ugc")
# Addresses at which a reader shares a page.
_SHARE = re.compile(
    r"//(?:[\w-]+\.)*(?:facebook\.com/(?:sharer|dialog|share)|(?:twitter|x)\.com/(?:intent|share)"
    r"|linkedin\.com/(?:share|cws)|pinterest\.[a-z.]+/pin/create|reddit\.com/submit"
    r"|wa\.me/\?|(?:api\.)?whatsapp\.com/send|t\.me/share|telegram\.me/share|addtoany\.com/"
    r"|addthis\.com/|getpocket\.com/(?:save|edit)|tumblr\.com/share|vk\.com/share)",
    re.IGNORECASE,
)
_NETWORKS = frozenset(
    "facebook instagram twitter x threads bluesky mastodon whatsapp telegram youtube tiktok"
    " linkedin pinterest snapchat flipboard android ios rss newsletter".split()
) | {"google news", "google play", "app store", "apple news", "rss 2.0"}
_PROFILE_PATH = re.compile(
    r"//[^/]+/@?[\w.-]*/?(?:[?#].*)?$|/(?:channel|company|user|c)/[^/]+/?$|/feed/?$|/rss/?$"
    r"|//(?:apps|itunes)\.apple\.com/|//play\.google\.com/|//news\.google\.com/",
    re.IGNORECASE,
)
# Link types, in the order in which one of several counts: WordPress writes rel="category tag".
_MARKS: dict[str, LinkRole] = {"author": "author", "category": "section", "tag": "tag"}
_LINE = "line between paragraphs"
# Blocks below the last paragraph, words of a link, and links of a line; more are a list.
_MOST_BELOW, _FEWEST_WORDS, _MOST_IN_A_LINE = 3, 3, 10
# Paragraphs of another reading in which those of the page are searched.
_MOST_SEARCHED = 100
# The link share of a line that is nothing but links.
_ALL_LINKED = 0.9
# Characters: the text of a link, and the path of a page that others' addresses have by chance.
_LONGEST_TEXT, _SHORTEST_PATH = 1_000, 12
# The places of links that only the page's head declares, and of those in a leaked dump.
_FIRST, _LAST = -1, 1 << 30


@dataclass(frozen=True, slots=True)
class PageLink:
    """A link as the page has it, with its role (``items.LinkRole``).

    ``url`` may be relative to the page's base. ``paragraph`` is the number of its paragraph in the
    body. A related link is the ``entry`` with that number of the related list, counted from 1, and
    may have an id only.
    """

    role: LinkRole
    url: str | None
    text: str | None
    where: str
    paragraph: int | None = None
    rel: tuple[LinkRelation, ...] = ()
    entry: int | None = None


class Reader:
    """Reads the links of one page, by role.

    Each ``a`` element has one role: the first that is added.
    """

    def __init__(
        self, root: _Element, layout: Layout, chosen: Chosen, url: str | None = None
    ) -> None:
        """``url`` is the page's address."""
        self._layout = layout
        self._chosen = chosen
        self._root = root
        self._own_path = path_of(url) or ""
        self._numbers = {link.element: number for number, link in enumerate(layout.links)}
        # By element, or by themselves if they have none.
        self._found: dict[_Element | PageLink, PageLink] = {}

    def found(self) -> tuple[PageLink, ...]:
        """Return the links in page order."""
        places: Mapping[Any, int] = self._numbers
        if any(place not in places and isinstance(place, _Element) for place in self._found):
            # Some are in menus, such as breadcrumbs, which the layout leaves out.
            places = {element: number for number, element in enumerate(self._root.iter("a"))}

        def place(one: tuple[_Element | PageLink, PageLink]) -> int:
            element, link = one
            return places.get(element, _LAST if link.role == "related" else _FIRST)

        return tuple(link for _, link in sorted(self._found.items(), key=place))

    def add_related(self, related: Related | None, listed: Sequence[_Element]) -> None:
        """Add the links of a related list; ``listed`` are their elements, none in a dump."""
        if related is None:
            return
        for position, item in enumerate(related.items, start=1):
            link = PageLink("related", item.url, item.title, related.where, entry=position)
            self._add(listed[position - 1] if listed else None, link)

    def add_authors(self, authors: Sequence[Byline]) -> None:
        """Add the links to the pages of authors."""
        shown: dict[str, _Element] = {}
        for element in self._numbers if any(author.url for author in authors) else ():
            shown.setdefault((element.get("href") or "").strip(), element)
        for author in authors:
            if author.url:
                url = author.url if author.url in shown else _path(author.url)
                link = PageLink("author", author.url, author.name, author.where)
                self._add(shown.get(url), link)

    def add_subjects(self, role: LinkRole, found: SubjectLinks) -> None:
        """Add the links to tags or sections."""
        for element, text in found.links:
            if url := address_of(element):
                self._add(element, PageLink(role, url, text, found.where))

    def add_crumbs(self, crumbs: Iterable[tuple[str, str | None]]) -> None:
        """Add the links to sections that the page declares, by their names and addresses."""
        for name, url in crumbs:
            if url:
                self._add(None, PageLink("section", url, name, DECLARED_CRUMBS))

    def add_translations(self, alternates: Iterable[Alternate]) -> None:
        """Add the links to translations that the page's head declares.

        The address of one language is often given again for all others (x-default).
        """
        languages: dict[str, str] = {}
        for alternate in alternates:
            if alternate.language:
                languages.setdefault(alternate.url, alternate.language)
        for url, language in languages.items():
            self._add(None, PageLink("translation", url, None, f"link element for {language}"))

    def add_texts(self, body: Sequence[str]) -> None:
        """Add the links in the paragraphs of the body."""
        for number, block in _blocks_of(body, self._layout.blocks, self._chosen):
            for link in self._layout.links[self._layout.first_link(block) : block.links]:
                text = text_of(link.element, _LONGEST_TEXT)
                url = address_of(link.element)
                if not url or not text or self._is_button(url, text):
                    continue
                role = _marked_role(link.element)
                found = PageLink(role or "text", url, text, "body", None if role else number)
                self._add(link.element, found)

    def add_lines(self, reader: AnchorReader) -> None:
        """Add the links to articles in lines that are no paragraphs and stand among them.

        Editors put "Read: Another story" and sources there. On the publisher's own hosts, where
        offers lead, an address has to be surely an article's.
        """
        blocks, own = self._layout.blocks, self._chosen.indexes
        if not own:
            return
        holders = {blocks[index].box.parent for index in own}
        looks = {look_of(blocks[index]) for index in own}
        tags = {look[0] for look in looks}
        paragraphs = frozenset(own)
        for block in blocks[own[0] : own[-1] + 1 + _MOST_BELOW]:
            is_alike = block.tag in tags and block.box.parent in holders
            if block.index in paragraphs or not (is_alike or look_of(block) in looks):
                continue
            first = self._layout.first_link(block)
            if block.links - first > _MOST_IN_A_LINE:
                continue
            is_cited = is_alike and not is_noise(block.text)
            for link in self._layout.links[first : block.links]:
                anchor = reader.read(link.element)
                if anchor is None or "sponsored" in _relations(link.element):
                    continue
                text = text_of(link.element, _LONGEST_TEXT)
                if self._is_button(anchor.url, text):
                    continue
                is_title = word_count(text) >= _FEWEST_WORDS or "." in text
                is_source = is_cited and not reader.is_own(anchor)
                is_named = is_title or (text != "" and block.link_share < _ALL_LINKED)
                if (is_source and is_named) or (anchor.is_sure and is_title):
                    text = without_announcement(text)
                    self._add(link.element, PageLink("text", anchor.url, text, _LINE))

    def add_single(self, single: Iterable[tuple[_Element, str]]) -> None:
        """Add the links that stand alone between paragraphs, each with its place."""
        for element, where in single:
            text = without_announcement(text_of(element, _LONGEST_TEXT))
            if url := address_of(element):
                self._add(element, PageLink("text", url, text or None, where))

    def _is_button(self, url: str, text: str) -> bool:
        """Return whether a link shares the page, or leads to a feed, an app or a profile.

        A link that shares a page has that page's address in its own. A profile's link has the name
        of the network as its text; a link to a post has more of a path.
        """
        _, _, query = url.partition("?")
        if len(self._own_path) >= _SHORTEST_PATH and self._own_path in unquote(query):
            return True
        if _SHARE.search(url):
            return True
        name = text.strip(" .,:;|").lower()
        return name in _NETWORKS and _PROFILE_PATH.search(url) is not None

    def _add(self, element: _Element | None, link: PageLink) -> None:
        if element is None:
            self._found.setdefault(link, link)
        elif element not in self._found:
            self._found[element] = replace(link, rel=_relations(element))


def _blocks_of(
    body: Sequence[str], blocks: Sequence[Block], chosen: Chosen
) -> Iterator[tuple[int, Block]]:
    """Yield the blocks of the paragraphs of a body, with the numbers of these from 1.

    The paragraphs may be another reading of the page's text than the chosen blocks, and a declared
    text may have several of them in one.
    """
    own: dict[str, list[Block]] = defaultdict(list)
    for index in chosen.indexes:
        own[blocks[index].text].append(blocks[index])
    others: list[tuple[int, str]] = []
    used: set[int] = set()
    for number, paragraph in enumerate(body, start=1):
        if same := own.get(paragraph):
            block = same.pop(0)
            used.add(block.index)
            yield number, block
        else:
            others.append((number, key(paragraph)))
    if not others:
        return
    by_key = {block.key: block for block in reversed(blocks) if block.prose}
    for number, text in others:
        if text in by_key:
            used.add(by_key[text].index)
            yield number, by_key[text]
    for index in chosen.indexes:
        block = blocks[index]
        if index not in used and block.prose:
            around = [n for n, text in others[:_MOST_SEARCHED] if block.key in text]
            if around:
                yield around[0], block


def _marked_role(element: _Element) -> LinkRole | None:
    """Return the role that the markup gives a link, as WordPress does; None if it gives none."""
    marks = (element.get("rel") or "").lower().split()
    return next((role for mark, role in _MARKS.items() if mark in marks), None)


def _path(url: str) -> str:
    """Return a URL without its scheme and host."""
    _, _, rest = url.partition("://")
    return f"/{rest.partition('/')[2]}" if rest else url


def _relations(element: _Element) -> tuple[LinkRelation, ...]:
    words = (element.get("rel") or "").lower().split()
    return tuple(relation for relation in _RELATIONS if relation in words)

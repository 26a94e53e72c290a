"""Read the links of an article, each with its role on the page.

The links in the text are those of the blocks that the body was made of. Those of related items,
authors and translations are the links that their fields were read from, so a record's ``related``,
``authors`` and ``alternates`` agree with its ``links``. Never raises.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lxml.etree import _Element

from crawler.extraction.page.article import Chosen
from crawler.extraction.page.blocks import Block, Layout
from crawler.extraction.page.bylines import Byline
from crawler.extraction.page.leak import Related
from crawler.extraction.page.metadata import Alternate
from crawler.extraction.page.text import all_text, clean
from crawler.items import LinkRelation, LinkRole

_NO_PAGE = re.compile(r"#|(?:javascript|mailto|tel|data|whatsapp|sms):", re.IGNORECASE)
_RELATIONS: tuple[LinkRelation, ...] = ("nofollow", "sponsored", "ugc")
_LONGEST_TEXT = 1_000
_DECLARED, _LEAKED = -1, 1 << 30
"""The places of links that only the page's head declares, and of those in a dump."""


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


def of_leak(related: Related | None) -> tuple[PageLink, ...]:
    """Return the links to the related items of a leaked list."""
    if related is None:
        return ()
    return tuple(
        PageLink("related", item.url, item.title, related.where, entry=position)
        for position, item in enumerate(related.items, start=1)
    )


class Reader:
    """Reads the links of one page."""

    def __init__(self, root: _Element, layout: Layout, base: str | None) -> None:
        self._layout = layout
        self._places = {element: place for place, element in enumerate(root.iter("a"))}

    def read(
        self,
        related: Related | None,
        listed: Sequence[_Element],
        body: Sequence[str],
        chosen: Chosen,
        authors: Iterable[Byline],
        alternates: Iterable[Alternate],
    ) -> tuple[PageLink, ...]:
        """Return the links of a page, in page order.

        ``listed`` are the links of the ``related`` items, none if they are in a leaked dump.
        """
        translations = (
            PageLink("translation", alternate.url, alternate.language, "link elements")
            for alternate in alternates
            if alternate.language
        )
        profiles = (
            PageLink("author", author.url, author.name, author.where)
            for author in authors
            if author.url
        )
        found = [(_DECLARED, link) for link in (*translations, *profiles)]
        found += self._texts(body, chosen)
        for position, link in enumerate(of_leak(related)):
            element = listed[position] if listed else None
            place = _LEAKED if element is None else self._places.get(element, _LEAKED)
            found.append((place, link))
        found.sort(key=lambda one: one[0])
        return tuple(link for _, link in found)

    def _texts(self, body: Sequence[str], chosen: Chosen) -> Iterator[tuple[int, PageLink]]:
        blocks = self._layout.blocks
        by_text: dict[str, list[Block]] = defaultdict(list)
        for index in chosen.indexes:
            by_text[blocks[index].text].append(blocks[index])
        for number, paragraph in enumerate(body, start=1):
            for block in by_text.get(paragraph, ())[:1]:
                start = blocks[block.index - 1].links if block.index else 0
                for link in self._layout.links[start : block.links]:
                    element = link.element
                    url = (element.get("href") or "").strip()
                    text = clean(all_text(element, _LONGEST_TEXT))
                    if url and text and not _NO_PAGE.match(url):
                        rel = _relations(element)
                        place = self._places[element]
                        yield place, PageLink("text", url, text, "text", number, rel)


def _relations(element: _Element) -> tuple[LinkRelation, ...]:
    words = (element.get("rel") or "").lower().split()
    return tuple(relation for relation in _RELATIONS if relation in words)

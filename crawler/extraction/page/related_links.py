"""Read the related items from a page's links to other articles.

These are the links under a heading such as "Related news", those after an inline "Read also:", and
those inside an element that is named as related: all that the page calls related, in page order. A
page without any may have a list that only its structure shows (see link_runs.py). The elements that
a publisher's file selects win over all of these.

A link counts if its address may be an article's: whether it is followed is decided later. Links to
other publishers count, too.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple

from lxml.etree import _Element

from crawler.extraction.page import link_runs
from crawler.extraction.page.anchors import Anchor, AnchorReader, listed_entries
from crawler.extraction.page.blocks import Block, Layout, Link, NamedBox
from crawler.extraction.page.boxes import HEADINGS, Box, Zone
from crawler.extraction.page.headings import (
    LONGEST_HEADING,
    Part,
    announcement,
    may_head,
    part_headed_by,
)
from crawler.extraction.page.leak import Listed, Related
from crawler.extraction.page.text import all_text, collapse, has_many_elements
from crawler.extraction.publishers import Publisher

_NAMED = "list named as related"
_MOST_HEADINGS = 50
# Blocks between a heading and the first link of its list.
_MOST_BEFORE_LIST = 6
# The number of links above it that are no articles', such as tags.
_FEWEST_OTHERS = 2
# The link shares of a block that is a link, and up to which one is a text with links.
_LINKED, _LINKED_TEXT = 0.9, 0.5
# Characters of a paragraph that is "Read also" and its links, and their least share of it.
_LONGEST_INLINE, _LEAST_LINKED = 600, 0.3
# Elements in a heading or a link whose words are read.
_MOST_AROUND_WORDS = 50
_ENTRY_TAGS = frozenset(("li", "article"))
_DEFINITIONS = frozenset(("dt", "dd"))
# The share of the article's prose that a list does not have.
_MOST_PROSE = 0.5
_MOST_DESCRIBED = 3


class Found(NamedTuple):
    """A page's list of related links, and the first link of each of its entries.

    ``related`` is None if the page has no list. ``single`` are the links that stand alone in the
    text after words such as "Read also:", each with its place: one is no list.
    """

    related: Related | None = None
    elements: tuple[_Element, ...] = ()
    single: tuple[tuple[_Element, str], ...] = ()


class _Heading(NamedTuple):
    """Words that head a part of the page; ``block`` is the index of the block below.

    ``links`` is the number of links before the list. ``level`` is 1 to 6 for ``h1`` to ``h6``, and
    0 for other words.
    """

    words: str
    box: Box
    block: int
    links: int
    level: int


class _List(NamedTuple):
    """The numbers of the links of a list, and its description."""

    where: str
    links: list[int]


def read(
    root: _Element,
    layout: Layout,
    publisher: Publisher | None,
    url: str | None,
    body: Sequence[int] = (),
) -> Found:
    """Return the list of related links of a page.

    ``url`` is the base of relative links; without it, only absolute links are read. ``body`` has
    the indexes of the article's blocks, which a list without a name or a heading stands beside.
    """
    reader = AnchorReader(publisher, url)
    if publisher and publisher.related_selector:
        return _selected(root, publisher.related_selector, reader, url)
    paragraphs = [block for index in body if (block := layout.blocks[index]).prose]
    page = _Page(layout, reader, paragraphs)
    wheres: list[str] = []
    numbers: set[int] = set()
    for where, links in page.lists():
        if where not in wheres and page.has_more(links, numbers):
            wheres.append(where)
        numbers.update(links)
    single = tuple(
        (anchor.element, each.where) for each in page.single for anchor in page.anchors(each.links)
    )
    if entries := listed_entries(page.anchors(sorted(numbers)), url):
        return _found(entries, "; ".join(wheres[:_MOST_DESCRIBED]), single)
    return _found(
        listed_entries(link_runs.find(layout, reader, paragraphs), url), link_runs.WHERE, single
    )


def _found(
    entries: list[tuple[Listed, _Element]],
    where: str,
    single: tuple[tuple[_Element, str], ...] = (),
) -> Found:
    if not entries:
        return Found(single=single)
    listed, elements = zip(*entries, strict=True)
    return Found(Related(listed, True, where), elements, single)


def _selected(root: _Element, selector: str, reader: AnchorReader, url: str | None) -> Found:
    """Return the links inside the elements that the publisher's file selects."""
    from cssselect import HTMLTranslator

    selected: Any = root.xpath(HTMLTranslator().css_to_xpath(selector))
    found = (a for element in selected for a in element.iter("a"))
    anchors = (anchor for a in dict.fromkeys(found) if (anchor := reader.read(a)))
    entries = listed_entries(anchors, url, keep_all=True)
    return _found(entries, f"links in {selector}")


class _Page:
    """The headings and the links of a page that may be those of its related lists."""

    def __init__(self, layout: Layout, reader: AnchorReader, paragraphs: list[Block]) -> None:
        self._layout = layout
        self._paragraphs = paragraphs
        self._blocks = layout.blocks
        self._reader = reader
        self._anchors: dict[int, Anchor | None] = {}
        self._related: list[_Heading] = []
        # The blocks that head other parts, and all that may end a list: level by index.
        self._others: set[int] = set()
        self._ends: dict[int, int] = {}
        self._announced: list[tuple[str, int, int]] = []
        self.single: list[_List] = []
        """The links in the text that are no list (``lists``)."""
        self._read_headings()

    def _read_headings(self) -> None:
        before = 0
        for block in self._blocks:
            if len(block.text) <= LONGEST_HEADING:
                self._read_heading(block)
            if block.links > before:
                if words := self._announcement(block, before):
                    self._announced.append((words, before, block.links))
                before = block.links
        for element, box, index, links in self._layout.emphasised:
            words = _words(element)
            part = part_headed_by(words) if words else None
            if part is Part.RELATED:
                # The words may be a block of their own.
                is_block = index < len(self._blocks) and self._blocks[index].text == words
                if not is_block:
                    self._related.append(_Heading(words, box, index, links, 0))
            elif part is not None:
                self._others.add(index)
                self._ends[index] = 0

    def _read_heading(self, block: Block) -> None:
        is_heading = block.tag in HEADINGS
        part = part_headed_by(block.text)
        if part is None and not is_heading:
            return
        level = int(block.tag[1]) if is_heading else 0
        if part is Part.RELATED and (is_heading or block.link_share < _LINKED_TEXT):
            self._ends[block.index] = level
            self._related.append(
                _Heading(block.text, block.box, block.index + 1, block.links, level)
            )
        elif block.link_share < _LINKED_TEXT:
            # A heading that is a link is an entry's.
            if part is not None:
                self._others.add(block.index)
                level = 0
            self._ends[block.index] = level

    def _announcement(self, block: Block, first: int) -> str:
        """Return the words before a block's first link that say it is related; "" if none do."""
        if block.size > _LONGEST_INLINE:
            return ""
        if words := announcement(block.text):
            return words
        if not _LEAST_LINKED < block.link_share < 1 or not may_head(block.text):
            return ""
        title = _words(self._layout.links[first].element, _LONGEST_INLINE)
        before, found, _ = block.text.partition(title) if title else ("", "", "")
        return before.strip() if found and part_headed_by(before) is Part.RELATED else ""

    def anchors(self, numbers: Iterable[int]) -> Iterator[Anchor]:
        """Yield the links to articles among those with these numbers.

        Most links of a page are in its menus, and reading one takes longer than finding it.
        """
        for number in numbers:
            if (anchor := self._anchor(number)) is not None:
                yield anchor

    def has_more(self, numbers: Iterable[int], known: set[int]) -> bool:
        """Return whether a list has links to articles that are not known."""
        return any(n not in known and self._anchor(n) is not None for n in numbers)

    def _anchor(self, number: int) -> Anchor | None:
        if number not in self._anchors:
            link = self._layout.links[number]
            anchor = self._reader.read(link.element)
            self._anchors[number] = anchor and anchor._replace(look=_look_of(link))
        return self._anchors[number]

    def lists(self) -> list[_List]:
        """Return the page's related lists.

        A single link in the text counts only if the page announces others there, too: one "Read
        also:" is no list.
        """
        lists = list(self._headed())
        others = [*self._inline(), *self._named()]
        single = [each for each in others if self._is_single(each.links)]
        lists += [each for each in others if each not in single]
        if len({anchor.id for each in single for anchor in self.anchors(each.links)}) > 1:
            lists += single
        else:
            self.single = single
        return lists

    def _is_single(self, links: list[int]) -> bool:
        """Return whether links are in the text and lead to one article."""
        index = bisect_right(self._block_links, links[0])
        is_in_text = any(b.index > index for b in self._paragraphs)
        return is_in_text and len({anchor.id for anchor in self.anchors(links)}) == 1

    def _headed(self) -> Iterator[_List]:
        """Yield the lists below headings."""
        for heading in self._related[:_MOST_HEADINGS]:
            if heading.level and (links := self._links_under(heading)):
                yield _List(f"links under {heading.words!r}", links)

    def _inline(self) -> Iterator[_List]:
        """Yield the links after words such as "Read also:", in the same paragraph or below."""
        for heading in self._related[:_MOST_HEADINGS]:
            if not heading.level and (links := self._links_under(heading)):
                yield _List(f"links under {heading.words!r}", links)
        for words, start, end in self._announced[:_MOST_HEADINGS]:
            yield _List(f"links under {words!r}", list(range(start, end)))

    def _named(self) -> Iterator[_List]:
        """Yield the lists inside boxes that are named as related."""
        for named in self._layout.named_related[:_MOST_HEADINGS]:
            if links := list(self._links_inside(named)):
                yield _List(_NAMED, links)

    def _links_under(self, heading: _Heading) -> list[int]:
        """Return the links below a heading, up to the next heading.

        Only the smallest box that contains the heading and the first link is searched. In it, boxes
        with the same tag continue the list.
        """
        found: list[int] = []
        others: list[int] = []
        scope = branch = None
        start = heading.links
        for block in islice(self._blocks, heading.block, None):
            if self._ends_list(block, heading, scope) or _is_other_zone(block, heading.box):
                break
            links = range(start, block.links)
            if scope is None:
                first = next((n for n in links if self._anchor(n)), None)
                if first is not None and not self._is_beside(first, others, heading.box):
                    holder = self._layout.links[first].box
                    scope = heading.box.common(holder)
                    # The link may be around the block.
                    branch = scope.branch_to(holder) or scope.branch_to(block.box)
                elif first or block.prose or block.index - heading.block >= _MOST_BEFORE_LIST:
                    return []
                else:
                    others += links
            elif scope.holds(block.box):
                follower = scope.branch_to(block.box)
                if follower is not branch and not _continues(follower, branch, block):
                    break
                branch = follower
            else:
                break
            if scope is not None:
                found += self._listed(block, start, block.links)
            start = block.links
        if scope is not None:
            found += self._pictured(start, scope, branch)
        return found

    def _listed(self, block: Block, start: int, end: int) -> Iterable[int]:
        """Return the links of a block of a list; a text has one only if that is its beginning."""
        if not block.prose or block.link_share > _LINKED_TEXT or start == end:
            return range(start, end)
        words = _words(self._layout.links[start].element, _LONGEST_INLINE)
        return range(start, start + 1) if words and block.text.startswith(words) else ()

    def _pictured(self, start: int, scope: Box, branch: Box | None) -> Iterator[int]:
        """Yield the links without words at the end of a list."""
        for number, link in enumerate(islice(self._layout.links, start, None), start):
            follower = scope.branch_to(link.box)
            is_inside = scope.holds(link.box) and (
                follower is branch or _are_alike(follower, branch)
            )
            if not is_inside or _words(link.element) or has_many_elements(link.element, 20):
                break
            yield number

    def _is_beside(self, first: int, others: list[int], box: Box) -> bool:
        """Return whether a link is outside the list that a heading's other links, as tags, form."""
        if len(others) < _FEWEST_OTHERS:
            return False
        other, mine = self._layout.links[others[0]].box, self._layout.links[first].box
        scope = box.common(other)
        return not scope.holds(mine) or scope.branch_to(other) is not scope.branch_to(mine)

    def _ends_list(self, block: Block, heading: _Heading, scope: Box | None) -> bool:
        """Return whether a block ends the list of a heading, as the next heading does."""
        level = self._ends.get(block.index)
        if level is None:
            return False
        if level and heading.level:
            return level <= heading.level
        if level == 0 or scope is None:
            return True
        branch = scope.branch_to(block.box)
        return branch is None or branch.tag not in _ENTRY_TAGS

    def _links_inside(self, named: NamedBox) -> Iterator[int]:
        """Yield the links in a box, without those under headings of other parts and in texts."""
        first = bisect_right(self._block_links, named.start)
        last = min(bisect_right(self._block_links, named.end - 1), len(self._blocks) - 1)
        if named.start == named.end or self._is_text(named.box):
            return
        is_related = True
        start = named.start
        if first > 0 and named.box.holds(self._blocks[first - 1].box):
            # The heading of the box stands above its first link.
            first = self._first_block_in(named.box, first - 1)
        for block in self._blocks[first : last + 1]:
            if block.index in self._ends and named.box.holds(block.box):
                is_related = block.index not in self._others
            end = min(block.links, named.end)
            if is_related:
                yield from self._listed(block, start, end)
            start = max(start, end)
        if is_related:
            yield from range(start, named.end)

    def _first_block_in(self, box: Box, index: int) -> int:
        while index > 0 and box.holds(self._blocks[index - 1].box):
            index -= 1
        return index

    def _is_text(self, box: Box) -> bool:
        """Return whether a box holds most of the article."""
        inside = sum(b.size for b in self._paragraphs if box.holds(b.box))
        return inside > _MOST_PROSE * sum(b.size for b in self._paragraphs)

    @cached_property
    def _block_links(self) -> list[int]:
        return [block.links for block in self._blocks]


def _look_of(link: Link) -> tuple[str, ...]:
    """Return the names and tags of a link, of its box and of the box around that."""
    box = link.box
    outer = box.parent or box
    return (link.element.get("class") or "", box.tag, box.name, outer.tag, outer.name)


def _continues(follower: Box | None, branch: Box | None, block: Block) -> bool:
    """Return whether a box beside the first entries of a list continues it."""
    if follower is None or branch is None:
        return block.link_share > _LINKED_TEXT
    return _are_alike(follower, branch)


def _are_alike(box: Box | None, other: Box | None) -> bool:
    if box is None or other is None:
        return False
    return box.tag == other.tag or {box.tag, other.tag} <= _DEFINITIONS


def _is_other_zone(block: Block, box: Box) -> bool:
    """Return whether a block is in a menu or a footer that does not hold a box."""
    return any(
        zone.tag in ("nav", "footer") and zone.zone is Zone.STRONG and not zone.holds(box)
        for zone in block.zones
    )


def _words(element: _Element, most: int = LONGEST_HEADING) -> str:
    """Return the words of an element; "" if it has more than so many characters."""
    if has_many_elements(element, _MOST_AROUND_WORDS):
        return ""
    words = collapse(all_text(element, 4 * most))
    return words if len(words) <= most else ""

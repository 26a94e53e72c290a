"""Split a parsed page into blocks: runs of text that a reader sees as one line or paragraph.

A ``<p>``, a table cell split by ``<br>`` and a ``<div>`` with bare text all become blocks in
document order, so the code that picks the headline, date line and body does not depend on the
markup.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from lxml import etree
from lxml.etree import _Element

from crawler.extraction.page import dates
from crawler.extraction.page.boxes import (
    HEADINGS,
    NEVER_ZONES,
    ZONE_ROLES,
    ZONE_TAGS,
    Box,
    Meaning,
    Zone,
    meaning_of,
)
from crawler.extraction.page.pictures import (
    IMAGE_TAGS,
    PICTURE_HOLDERS,
    Picture,
    may_be_background,
)
from crawler.extraction.page.text import (
    all_text,
    clean,
    collapse,
    ends_sentence,
    has_many_elements,
    key,
    visible_length,
)
from crawler.extraction.page.tree import Nearest, around

_INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite code del dfn em font i img ins kbd label mark nobr q s samp "
    "small span strike strong sub sup time tt u var wbr".split()
)
_NEVER_READ = (
    "script style noscript template svg math iframe object embed applet select button textarea "
    "input option canvas audio video map head title meta link figcaption dialog".split()
)
_BLOCK, _MENU, _TEXT, _LINK, _IMAGE, _BREAK, _RULE, _SKIPPED = range(8)
_KINDS = {
    **dict.fromkeys(_INLINE, _TEXT),
    **dict.fromkeys(_NEVER_READ, _SKIPPED),
    **dict.fromkeys(("nav", "footer", "menu"), _MENU),
    "a": _LINK,
    **dict.fromkeys(IMAGE_TAGS, _IMAGE),
    "br": _BREAK,
    "hr": _RULE,
}
# Elements of texts. A menu without any is not read; nor is a hidden part without one of articles.
_IN_TEXTS = ("p", "h1", "article", "time")
_IN_ARTICLES = ("h1", "article", "main")
_PAGE = ("html", "body")
_STAMPED = ("time", "abbr")
_EMPHASIS = ("strong", "b")
# Few elements have any of these attributes, and asking for each by its name takes longer.
_ATTRIBUTES = frozenset(("style", "hidden", "itemprop", "property", "role"))
# Characters: a paragraph has so many, or fewer if it is a sentence.
_LONG_PROSE, _SHORTEST_PROSE = 80, 30
# The link shares up to which any paragraph is prose, and up to which a long sentence is.
_LITTLE_LINKED, _MOSTLY_LINKED = 0.4, 0.9
_PARAGRAPHS = ("p", "blockquote", "li")
_FORM_TEXT = 400
"""Characters. A form with more text wraps the whole page, as ASP.NET's does."""
# A part with more elements is not an input form; a page does not have more such parts.
_FORM_ELEMENTS, _MOST_FORMS = 2_000, 1_000
_TEXT_INPUTS = frozenset(("text", "email", "password", "search", "tel"))
_FORM_HOLDERS = frozenset(("div", "form", "section", "td", "fieldset", "p", "body"))
# Nested zones, and texts of a menu. A page with more was built to be slow to parse.
_MOST_ZONES, _MOST_IN_A_MENU = 100, 5_000
_LONGEST_DATE_LINE = 80
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_HIDING = ("display:none", "display: none")
_SHOWING = re.compile(r"display\s*+:\s*+(?!none)", re.IGNORECASE)
_BEFORE_SELECTOR = "{};/"
_EVERY_SCREEN = ("all", "screen")
_LONGEST_SELECTOR = 1000
_CLASS_SELECTOR = re.compile(r"\.([\w-]{1,100})")
# A style sheet that hides more is not read further.
_MOST_HIDING_RULES = 200
_UPDATED = re.compile(r"modif|updat|edit", re.IGNORECASE)
_PUBLISHED = re.compile(
    r"publi|pubdate|posted|created|issued|(?:entry|post|article)-?date", re.IGNORECASE
)


class Block:
    """One run of text.

    ``box`` is the block-level element that directly contains the text, ``zones`` are the boxes
    around it whose names mark them as not the article, and ``link_share`` is the fraction of
    characters inside links. ``size`` is the number of characters, as Latin letters would take to
    say the same. ``prose`` says that it reads as a paragraph: long, or a sentence, and not mostly
    links. ``links`` counts the page's links up to the end of the block.
    """

    __slots__ = (
        "_key",
        "box",
        "index",
        "link_share",
        "links",
        "prose",
        "size",
        "tag",
        "text",
        "zones",
    )

    def __init__(
        self,
        index: int,
        text: str,
        box: Box,
        zones: tuple[Box, ...],
        linked_characters: int,
        links: int,
    ) -> None:
        self.index = index
        self.text = text
        self.box = box
        self.zones = zones
        self.tag = box.tag
        self.link_share = linked_characters / len(text)
        self.links = links
        self.size = len(text) if text.isascii() else visible_length(text)
        self.prose = self._is_prose()
        self._key: str | None = None

    @property
    def element(self) -> _Element:
        return self.box.element

    @property
    def sentence(self) -> bool:
        return ends_sentence(self.text)

    def _is_prose(self) -> bool:
        if self.size < _SHORTEST_PROSE or self.tag in HEADINGS:
            return False
        if self.link_share <= _LITTLE_LINKED:
            return self.size >= _LONG_PROSE or self.sentence
        return self.link_share < _MOSTLY_LINKED and self.size >= _LONG_PROSE and self.sentence

    @property
    def key(self) -> str:
        if self._key is None:
            self._key = key(self.text)
        return self._key


@dataclass(frozen=True, slots=True)
class Stamp:
    """A machine-readable date such as ``<time datetime>``, with the index of its block.

    ``published`` and ``modified`` say what the markup calls it.
    """

    value: str
    published: bool
    modified: bool
    index: int
    where: str


class Link(NamedTuple):
    """An ``a`` element with an address, and the smallest box around it."""

    element: _Element
    box: Box


class Emphasis(NamedTuple):
    """Bold words at the beginning of a line, in the smallest box around them.

    ``block`` is the index of the block that they begin, and ``links`` counts the page's links
    before the words, without one that they are part of.
    """

    element: _Element
    box: Box
    block: int
    links: int


class NamedBox(NamedTuple):
    """A box with a name of related items, and the numbers of its first link and of the next."""

    box: Box
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Layout:
    """A page as its reader sees it, in document order.

    ``links`` are those of the parts that are read. ``named_related`` are the outermost boxes whose
    names say that they hold related items.
    """

    blocks: list[Block]
    stamps: list[Stamp]
    pictures: list[Picture]
    links: list[Link]
    named_related: list[NamedBox]
    emphasised: list[Emphasis]

    def first_link(self, block: Block) -> int:
        """Return the number of the first link in a block, or of the next one if it has none."""
        return self.blocks[block.index - 1].links if block.index else 0


class _Line(NamedTuple):
    """The raw text of a line, its linked characters, and the page's links up to its end."""

    text: str
    linked: int
    links: int


def read(root: _Element) -> Layout:
    """Read the blocks of a parsed page."""
    return _Reader(root).read()


class _Reader:
    """Reads a page in one walk over its tree."""

    def __init__(self, root: _Element) -> None:
        self._root = root
        self._layout = Layout([], [], [], [], [], [])
        self._is_zone = _ZoneTest(root)
        self._box = Box(root, None, 0)
        self._count = 1  # of boxes
        self._zones: tuple[Box, ...] = ()
        self._links = 0  # open
        # The open box that is named so, and the number of links before it.
        self._related: tuple[Box, int] | None = None
        # The text since the last block-level tag: whole lines, and the pieces of the last line.
        self._lines: list[_Line] = []
        self._pieces: list[str] = []
        self._linked = 0

    def read(self) -> Layout:
        root = self._root
        skipped: _Element | None = None
        walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
        for event, element in walk:
            if event == "start":
                if not self._start(element):
                    skipped = element
                    walk.skip_subtree()
                continue
            if event == "end":
                if element is skipped:
                    skipped = None
                elif element is self._box.element:
                    self._close()
                elif element.tag == "a":
                    self._links -= element.get("href") is not None
            if (text := element.tail) and element is not root:
                self._add(text)
        if self._pieces or self._lines:
            self._flush()
        self._box.end = self._count - 1
        return self._layout

    def _start(self, element: _Element) -> bool:
        """Begin an element; return False if its contents are not read."""
        tag = element.tag
        kind = _KINDS.get(tag, _BLOCK)
        has_attributes = kind != _SKIPPED and not _ATTRIBUTES.isdisjoint(element.keys())
        if (
            kind == _SKIPPED
            or (kind == _MENU and element not in self._texts)
            or (has_attributes and self._is_hidden(element))
        ):
            self._skip(element)
            return False
        if kind == _BREAK:
            self._end_line()
            return True
        if kind == _RULE:
            if self._pieces or self._lines:
                self._flush()
            return True
        if kind in (_BLOCK, _MENU):
            if not self._open(element, element.get("role") if has_attributes else None):
                return False
            if has_attributes and may_be_background(element):
                self._add_pictures(element)
        elif kind == _LINK:
            if element.get("href") is not None:
                self._links += 1
                self._layout.links.append(Link(element, self._box))
        elif kind == _IMAGE:
            self._add_pictures(element)
        elif tag in _EMPHASIS and not self._pieces:
            layout = self._layout
            before = len(layout.links) - (self._links > 0)
            layout.emphasised.append(Emphasis(element, self._box, len(layout.blocks), before))
        if has_attributes or tag in _STAMPED:
            self._layout.stamps.extend(_stamps(element, len(self._layout.blocks)))
        if text := element.text:
            self._add(text)
        return True

    def _is_hidden(self, element: _Element) -> bool:
        # Some pages hide all of themselves until a script has run.
        return _has_hidden_mark(element) and not (element.tag in _PAGE or element in self._articles)

    @cached_property
    def _texts(self) -> set[_Element]:
        """The elements that are or contain parts of texts."""
        return around(self._root.iter(*_IN_TEXTS))

    @cached_property
    def _articles(self) -> set[_Element]:
        """The elements that are or contain articles."""
        return around(self._root.iter(*_IN_ARTICLES))

    def _add(self, text: str) -> None:
        if self._box.tag == "pre" and "\n" in text:
            *lines, text = text.split("\n")
            for line in lines:
                self._add(line)
                self._end_line()
        if self._links:
            self._linked += len(collapse(text))
            self._pieces.append(text)
        elif self._pieces or not text.isspace():
            self._pieces.append(text)

    def _end_line(self) -> None:
        self._lines.append(_Line("".join(self._pieces), self._linked, len(self._layout.links)))
        self._pieces.clear()
        self._linked = 0

    def _skip(self, element: _Element) -> None:
        if element.tag in PICTURE_HOLDERS:
            self._add_pictures(element)
        if element.tag not in _INLINE and (self._pieces or self._lines):
            self._flush()

    def _open(self, element: _Element, role: str | None) -> bool:
        """Open a box; return False if it is a menu, which becomes a single block."""
        if self._pieces or self._lines:
            self._flush()
        box = Box(element, self._box, self._count)
        # The tags of custom elements are names, too: <app-author>.
        meaning = meaning_of(f"{box.tag} {box.name}" if "-" in box.tag else box.name)
        self._count += 1
        is_menu = meaning.is_menu and len(self._zones) < _MOST_ZONES
        if is_menu and element not in self._texts and (text := _menu_text(element)) is not None:
            if text:
                box.zone = Zone.STRONG
                blocks = self._layout.blocks
                links = len(self._layout.links)
                blocks.append(Block(len(blocks), text, box, (*self._zones, box), len(text), links))
            return False
        self._box = box
        if meaning.is_related and self._related is None:
            self._related = box, len(self._layout.links)
        if len(self._zones) < _MOST_ZONES and self._is_zone(box, meaning, role):
            self._zones = (*self._zones, box)
        return True

    def _close(self) -> None:
        if self._pieces or self._lines:
            self._flush()
        box = self._box
        box.end = self._count - 1
        if self._zones and self._zones[-1] is box:
            self._zones = self._zones[:-1]
        if self._related is not None and self._related[0] is box:
            self._layout.named_related.append(NamedBox(*self._related, len(self._layout.links)))
            self._related = None
        if box.parent is not None:
            self._box = box.parent

    def _add_pictures(self, element: _Element) -> None:
        layout = self._layout
        layout.pictures.append(Picture(element, len(layout.blocks), self._zones))

    def _flush(self) -> None:
        """Make blocks of the text since the last block-level tag."""
        if not self._lines:
            self._add_block("".join(self._pieces), self._linked, len(self._layout.links))
            self._pieces.clear()
            self._linked = 0
            return
        self._end_line()
        lines, self._lines = self._lines, []
        tag = self._box.tag
        # A heading is one line, even if it contains <br>.
        is_heading = tag in HEADINGS
        for line in [_joined(lines)] if is_heading else _paragraphs(lines, tag in _PARAGRAPHS):
            self._add_block(*line)

    def _add_block(self, raw: str, linked: int, links: int) -> None:
        """Make a block of the raw text of a line, unless that is blank."""
        if text := clean(raw):
            blocks = self._layout.blocks
            linked = min(linked, len(text))
            blocks.append(Block(len(blocks), text, self._box, self._zones, linked, links))


def _menu_text(element: _Element) -> str | None:
    """Return the words of an element that is named as a menu; None if it has long texts or many."""
    words: list[str] = []
    for text in map(str, element.itertext()):
        if not text.isspace():
            if len(text) > _LONG_PROSE or len(words) == _MOST_IN_A_MENU:
                return None
            words.append(text)
    return clean(" ".join(words))


def _has_hidden_mark(element: _Element) -> bool:
    style = element.get("style")
    if style is not None and _HIDDEN.search(style) is not None:
        return True
    # React streams parts of a page in hidden elements, and a script moves them to their places.
    return element.get("hidden") is not None and not (element.get("id") or "").startswith("S:")


class _ZoneTest:
    """The test whether a box of a page is a zone; sets ``Box.zone``."""

    def __init__(self, root: _Element) -> None:
        self._root = root
        self._forms = _small_forms(root)
        self._hidden = _HiddenClasses(root)

    def __call__(self, box: Box, meaning: Meaning, role: str | None) -> bool:
        element = box.element
        may_be_named = box.tag not in NEVER_ZONES
        if box.tag in ZONE_TAGS or element in self._forms or (role in ZONE_ROLES and may_be_named):
            box.zone = Zone.STRONG
        elif meaning.zone and may_be_named:
            box.zone = meaning.zone
        elif self._hidden.has_any(element.get("class")):
            box.zone = Zone.WEAK
        elif meaning.is_caption and element not in self._pictured:
            # A container of a picture and its caption belongs to the article; the caption text does
            # not.
            box.zone = Zone.STRONG
        return box.zone != Zone.NONE

    @cached_property
    def _pictured(self) -> set[_Element]:
        """The elements that contain a picture."""
        return around(self._root.iter(*IMAGE_TAGS))


class _HiddenClasses:
    """The classes that a style sheet in the page hides on every screen and never shows."""

    def __init__(self, root: _Element) -> None:
        self._sheets = [
            text
            for style in root.iter("style")
            if (text := style.text) and (style.get("media") or "all") in _EVERY_SCREEN
        ]
        names = {name for sheet in self._sheets for name in _hidden_in(sheet)}
        self._hidden = dict.fromkeys(names, True)
        self._unsettled = names
        # Most boxes have the class attributes of others.
        self._known: dict[str, bool] = {}

    def has_any(self, names: str | None) -> bool:
        if not self._hidden or names is None:
            return False
        known = self._known.get(names)
        if known is None:
            known = self._known[names] = any(map(self._is_hidden, names.split()))
        return known

    def _is_hidden(self, name: str) -> bool:
        if name in self._unsettled:
            self._unsettled.discard(name)
            self._hidden[name] = not self._is_shown(name)
        return self._hidden.get(name, False)

    def _is_shown(self, name: str) -> bool:
        shown = re.compile(rf"\.{re.escape(name)}[\s,][^{{}}]{{0,200}}\{{|\.{re.escape(name)}\{{")
        for sheet in self._sheets:
            for rule in islice(shown.finditer(sheet), _MOST_HIDING_RULES):
                end = sheet.find("}", rule.end())
                if _SHOWING.search(sheet, rule.end(), end if end > 0 else len(sheet)):
                    return True
        return False


def _hidden_in(sheet: str) -> Iterator[str]:
    """Yield the classes that a rule outside media queries hides."""
    depth = position = 0
    for hiding in islice(_places_of(sheet, _HIDING), _MOST_HIDING_RULES):
        start = sheet.rfind("{", position, hiding)
        if start < 0:
            continue
        depth += sheet.count("{", position, start) - sheet.count("}", position, start)
        position = start
        if depth == 0:
            first = max(0, start - _LONGEST_SELECTOR)
            end_before = max(sheet.rfind(mark, first, start) for mark in _BEFORE_SELECTOR)
            for selector in sheet[max(first, end_before + 1) : start].split(","):
                if match := _CLASS_SELECTOR.fullmatch(selector.strip()):
                    yield match[1]


def _places_of(text: str, needles: Iterable[str]) -> Iterator[int]:
    """Yield the positions of the needles in order; faster than a regular expression."""
    found = {needle: text.find(needle) for needle in needles}
    while places := [place for place in found.values() if place >= 0]:
        first = min(places)
        yield first
        for needle, place in found.items():
            if place == first:
                found[needle] = text.find(needle, first + 1)


def _small_forms(root: _Element) -> set[_Element]:
    """Return the parts with an input form (newsletter, search, login), but not whole pages."""
    holder = Nearest(lambda element: element.tag in _FORM_HOLDERS)
    parts: dict[_Element, None] = {}
    for field in root.iter("input", "textarea"):
        if field.tag == "textarea" or field.get("type", "text") in _TEXT_INPUTS:
            part = holder(field.getparent())
            if part is not None:
                parts[part] = None
    return {part for part in islice(parts, _MOST_FORMS) if _is_small_form(part)}


def _is_small_form(part: _Element) -> bool:
    return (
        part.tag != "body"
        and not has_many_elements(part, _FORM_ELEMENTS)
        and len(all_text(part, _FORM_TEXT)) < _FORM_TEXT
    )


def _stamps(element: _Element, index: int) -> list[Stamp]:
    """Return the machine-readable date of an element.

    Reads ``<time datetime>``, microdata's ``itemprop=datePublished`` and hAtom's
    ``<abbr class=published title>``.
    """
    item = (element.get("itemprop") or element.get("property") or "").removeprefix("dc:")
    if element.tag not in ("time", "abbr") and not item.startswith("date"):
        return []
    hint = f"{item} {element.get('class') or ''}" + (
        " pubdate" if element.get("pubdate") is not None else ""
    )
    if element.tag == "time":
        value, where = element.get("datetime"), "time"
    elif item.startswith("date"):
        value, where = element.get("content") or element.get("datetime"), f"{item} in the markup"
    elif element.tag == "abbr" and "published" in hint:
        value, where = element.get("title"), "abbr.published"
    else:
        return []
    if not value:
        return []
    published = _PUBLISHED.search(hint) is not None
    modified = not published and _UPDATED.search(hint) is not None
    return [Stamp(value, published, modified, index, where)]


def _is_dated(line: str) -> bool:
    """Return whether a line of a run is a date line, which is never part of a paragraph."""
    return len(line) < _LONGEST_DATE_LINE and dates.find(collapse(line)) is not None


def _joined(lines: Iterable[_Line]) -> _Line:
    texts, linked, links = zip(*lines, strict=True)
    return _Line(" ".join(texts), sum(linked), links[-1])


def _paragraphs(lines: list[_Line], by_hand: bool) -> list[_Line]:
    """Join the lines of a run that are one paragraph.

    Two breaks always separate paragraphs. A single break does if the run has no double break,
    unless the run is one paragraph's own text (``by_hand``) and the previous line does not end a
    sentence: then the line was wrapped by hand.
    """
    filled = [bool(text) and not text.isspace() for text, _, _ in lines]
    first, last = filled.index(True) if True in filled else 0, len(filled)
    while last > first and not filled[last - 1]:
        last -= 1
    has_double_break = not all(filled[first:last])
    groups: list[list[_Line]] = []
    previous = ""
    for line, is_filled in zip(lines[first:last], filled[first:last], strict=True):
        text = line[0]
        if not is_filled:
            previous = ""
        elif (
            previous
            and not _is_dated(text)
            and (has_double_break or (by_hand and not ends_sentence(previous)))
        ):
            groups[-1].append(line)
            previous = text
        else:
            groups.append([line])
            previous = "" if _is_dated(text) else text
    return [_joined(group) for group in groups]

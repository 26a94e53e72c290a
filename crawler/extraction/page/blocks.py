"""Split a parsed page into blocks: runs of text that a reader sees as one line or paragraph.

A ``<p>``, a table cell split by ``<br>`` and a ``<div>`` with bare text all become blocks in
document order, so the code that picks the headline, date line and body does not depend on the
markup.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from lxml import etree
from lxml.etree import _Element

from crawler.extraction.page import dates
from crawler.extraction.page.text import (
    all_text,
    collapse,
    ends_sentence,
    has_many_elements,
    key,
    without_controls,
)
from crawler.extraction.page.tree import Nearest, Tree, around

HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite code del dfn em font i img ins kbd label mark nobr q s samp "
    "small span strike strong sub sup time tt u var wbr".split()
)
_SKIPPED = frozenset(
    "script style noscript template svg math iframe object embed applet select button textarea "
    "input option canvas audio video map head title meta link figcaption dialog".split()
)
_ZONE_TAGS = frozenset(("nav", "footer", "aside", "menu"))
_ZONE_ROLES = frozenset(("navigation", "complementary", "contentinfo", "banner", "search", "menu"))
# Class and id words that page templates use for parts other than the article. _ZONE matches
# anywhere in a class or id, _ZONE_WHOLE only a complete one.
_ZONE = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|navigation|navi|menu|topmenu|mainmenu|footer|foot|ftr|copyrights?|"
    r"sidebar|aside|related|relatednews|recommend\w*|"
    r"share|sharing|sharebar|sharethis|addthis|social|comments?|commentlist|respond|disqus|"
    r"breadcrumbs?|crumbs?|pathway|tags|taglist|tagbox|"
    r"keywords|promo|advert\w*|ads?|adv|adsense|adslot|banner|sponsor\w*|newsletter|subscribe|"
    r"subscription|most(?:read|viewed)|popular|trending|"
    r"latest(?:news)?|ticker|widget|cookies?|consent|gdpr|popup|modal|overlay|byline|authors?|"
    r"authorbox|paywall|"
    r"toolbar|pager|pagination|login|signin|poll|rating|teasers?|outbrain|taboola|sr-only|"
    r"screen-reader\w*|postmeta|postinfo|entry-meta|readmore|"
    r"read-more|read-also|readalso|seealso|see-also|morenews|more-news|font-?size|textsize|"
    r"disclaimer)(?:$|[\s_-])",
    re.IGNORECASE,
)
_ZONE_WHOLE = re.compile(
    r"(?:^|\s)(?:side|sidecol|most|more|also|hidden|skip|tools|archive|print|bio|credits?|legal|"
    r"search|breaking|tag|meta|rel|nl|left-?col|right-?col)(?:$|\s)",
    re.IGNORECASE,
)
_CAPTION = re.compile(r"caption", re.IGNORECASE)
_ICON_SIZE = 50
"""Pixels. An image with a shorter side is not a news picture."""
_FORM_TEXT = 400
"""Characters. A form with more text wraps the whole page, as ASP.NET's does."""
# A part with more elements is not an input form; a page does not have more such parts.
_FORM_ELEMENTS, _MOST_FORMS = 2_000, 1_000
_TEXT_INPUTS = frozenset(("text", "email", "password", "search", "tel"))
_FORM_HOLDERS = frozenset(("div", "form", "section", "td", "fieldset", "p", "body"))
# Nested zones. A page with more was built to be slow to parse.
_MOST_ZONES = 100
_LONGEST_DATE_LINE = 80
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
# A line break, and the start and end of link text: C0 controls, which are stripped from page text.
_BREAK, _LINK, _LINK_END = "\x01", "\x02", "\x03"
_LINKED = re.compile(f"{_LINK}([^{_LINK}{_LINK_END}]*){_LINK_END}")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_UPDATED = re.compile(r"modif|updat|edit", re.IGNORECASE)
_PUBLISHED = re.compile(
    r"publi|pubdate|posted|created|issued|(?:entry|post|article)-?date", re.IGNORECASE
)


class Block:
    """One run of text.

    ``element`` is the block-level element that directly contains the text, ``zones`` are the
    ancestors whose names mark them as not the article, and ``link_share`` is the fraction of
    characters inside links.
    """

    def __init__(
        self,
        index: int,
        text: str,
        element: _Element,
        zones: tuple[_Element, ...],
        linked_characters: int,
    ) -> None:
        self.index = index
        self.text = text
        self.element = element
        self.zones = zones
        self.tag = str(element.tag)
        self.link_share = linked_characters / len(text)

    @cached_property
    def sentence(self) -> bool:
        return ends_sentence(self.text)

    @cached_property
    def prose(self) -> bool:
        """Whether this reads as a paragraph: a longish sentence that is not mostly links."""
        if self.link_share > 0.4 or self.tag in HEADINGS:
            return False
        return len(self.text) >= 80 or (len(self.text) >= 30 and self.sentence)

    @cached_property
    def key(self) -> str:
        return key(self.text)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A machine-readable date such as ``<time datetime>``, with the index of its block."""

    value: str
    published: bool
    index: int
    where: str


@dataclass(frozen=True, slots=True)
class Picture:
    """An image or video: its URL as written, the index of its block and its enclosing zones."""

    url: str
    video: bool
    index: int
    zones: tuple[_Element, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """A page as its reader sees it, in document order. ``tree`` answers containment queries."""

    blocks: list[Block]
    tree: Tree
    stamps: list[Stamp]
    pictures: list[Picture]


def read(root: _Element) -> Layout:
    """Read the blocks of a parsed page."""
    blocks: list[Block] = []
    stamps: list[Stamp] = []
    pictures: list[Picture] = []
    buffer: list[str] = []
    holders: list[_Element] = [root]
    zones: tuple[_Element, ...] = ()
    links = 0

    def add(text: str | None) -> None:
        if text:
            text = without_controls(text)
            buffer.append(f"{_LINK}{text}{_LINK_END}" if links and not text.isspace() else text)

    def flush() -> None:
        if buffer:
            raw = "".join(buffer)
            buffer.clear()
            if not raw.isspace():
                holder = holders[-1]
                if holder.tag == "pre":
                    raw = raw.replace("\n", _BREAK)
                elif holder.tag in HEADINGS:
                    # A heading is one line, even if it contains <br>.
                    raw = raw.replace(_BREAK, " ")
                for text, linked_characters in _paragraphs(
                    raw, by_hand=holder.tag in ("p", "blockquote", "li")
                ):
                    blocks.append(Block(len(blocks), text, holder, zones, linked_characters))

    forms = _small_forms(root)
    pictured = _Pictured(root)
    walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    for event, element in walk:
        if event == "start":
            tag = element.tag
            if tag in _SKIPPED or _is_hidden(element):
                if tag in ("video", "audio"):
                    pictures += _videos(element, len(blocks), zones)
                if tag not in _INLINE:
                    flush()
                walk.skip_subtree()
            elif tag == "br":
                buffer.append(_BREAK)
            elif tag == "hr":
                flush()
            elif tag in _INLINE:
                links += tag == "a"
                if tag == "img":
                    pictures += _image(element, len(blocks), zones)
                stamps += _stamps(element, len(blocks))
                add(element.text)
            else:
                flush()
                holders.append(element)
                if len(zones) < _MOST_ZONES and (
                    element in forms or _is_named_as_zone(element, pictured)
                ):
                    zones = (*zones, element)
                stamps += _stamps(element, len(blocks))
                add(element.text)
            continue
        if event == "end" and (tag := element.tag) not in _SKIPPED and tag not in ("br", "hr"):
            if tag in _INLINE:
                links -= tag == "a" and not _is_hidden(element)
            elif holders[-1] is element:
                flush()
                holders.pop()
                if zones and zones[-1] is element:
                    zones = zones[:-1]
        if element is not root:
            add(element.tail)
    flush()
    return Layout(blocks, Tree(block.element for block in blocks), stamps, pictures)


def _is_hidden(element: _Element) -> bool:
    style = element.get("style")
    return element.get("hidden") is not None or (
        style is not None and _HIDDEN.search(style) is not None
    )


class _Pictured:
    """The elements of a page that contain a picture, collected on first use."""

    def __init__(self, root: _Element) -> None:
        self._root = root

    def __contains__(self, element: _Element) -> bool:
        return element in self._elements

    @cached_property
    def _elements(self) -> set[_Element]:
        return around(self._root.iter("img"))


def _is_named_as_zone(element: _Element, pictured: _Pictured) -> bool:
    if element.tag in ("html", "body"):
        return False
    if element.tag in _ZONE_TAGS or element.get("role") in _ZONE_ROLES:
        return True
    name = " ".join(filter(None, (element.get("class"), element.get("id"))))
    if not name:
        return False
    if _ZONE.search(_CAMEL.sub("-", name)) or _ZONE_WHOLE.search(name):
        return True
    # A container of a picture and its caption belongs to the article; the caption text does not.
    return _CAPTION.search(name) is not None and element not in pictured


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
    """Return the machine-readable publication date of an element.

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
    if not value or _UPDATED.search(hint):
        return []
    return [Stamp(value, bool(_PUBLISHED.search(hint)), index, where)]


def _image(element: _Element, index: int, zones: tuple[_Element, ...]) -> list[Picture]:
    # Lazy-loading pages keep the real URL in a data attribute.
    url = (
        element.get("data-src")
        or element.get("data-original")
        or element.get("data-lazy-src")
        or element.get("src")
    )
    sizes = [
        int(size)
        for name in ("width", "height")
        if (size := (element.get(name) or "").removesuffix("px")).isdecimal()
    ]
    if not url or any(size < _ICON_SIZE for size in sizes):
        return []
    return [Picture(url.strip(), False, index, zones)]


def _videos(element: _Element, index: int, zones: tuple[_Element, ...]) -> list[Picture]:
    if element.tag != "video":
        return []
    urls = [(element.get("poster"), False), (element.get("src"), True)]
    urls += [(source.get("src"), True) for source in element.iter("source")]
    return [Picture(url.strip(), video, index, zones) for url, video in urls if url and url.strip()]


def _is_dated(line: str) -> bool:
    """Return whether a line of a run is a date line, which is never part of a paragraph."""
    return len(line) < _LONGEST_DATE_LINE and dates.find(collapse(line)) is not None


def _paragraphs(raw: str, *, by_hand: bool) -> list[tuple[str, int]]:
    """Split a run at its line breaks; return each part with its number of linked characters.

    Two breaks always separate paragraphs. A single break does if the run has no double break,
    unless the run is one paragraph's own text (``by_hand``) and the previous line does not end a
    sentence: then the line was wrapped by hand.
    """
    if _BREAK not in raw:
        parts = [raw]
    else:
        lines = raw.strip(_BREAK + " \t\r\n").split(_BREAK)
        has_double_break = any(line.isspace() or not line for line in lines)
        groups: list[list[str]] = []
        previous = ""
        for line in lines:
            if line.isspace() or not line:
                previous = ""
            elif (
                previous
                and not _is_dated(line)
                and (
                    has_double_break
                    or (by_hand and not ends_sentence(_LINKED.sub(r"\1", previous)))
                )
            ):
                groups[-1].append(line)
                previous = line
            else:
                groups.append([line])
                previous = "" if _is_dated(line) else line
        parts = [" ".join(part) for part in groups]
    found = []
    for part in parts:
        text = collapse(_LINKED.sub(r"\1", part)) if _LINK in part else collapse(part)
        if text:
            linked_characters = (
                sum(len(collapse(link)) for link in _LINKED.findall(part)) if _LINK in part else 0
            )
            found.append((text, min(linked_characters, len(text))))
    return found

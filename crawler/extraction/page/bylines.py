"""Read the bylines that a page shows near its headline, above its text or below it.

A byline is recognised by its markup, or by words such as "By" and "Text:"; see author_names.py for
the names in it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from itertools import islice, pairwise
from urllib.parse import urlsplit

from lxml.etree import _Element

from crawler.extraction.page import dates
from crawler.extraction.page.article import Chosen
from crawler.extraction.page.author_names import (
    Outlets,
    certain_names,
    credits_others,
    fold,
    is_agency,
    is_label,
    is_surely_name,
    labelled_names,
    may_have_label,
    shown_names,
    signature_names,
)
from crawler.extraction.page.blocks import Block, Layout
from crawler.extraction.page.boxes import HEADINGS, Box, Zone
from crawler.extraction.page.headings import part_headed_by
from crawler.extraction.page.text import clean

MOST_AUTHORS = 30
"""A page that declares or shows more was built to be slow to read."""
PROFILE = re.compile(
    r"/(?:authors?|autor(?:en|es|i|ka|zy)?|auteurs?|autore|profiles?|profil|by|by-?lines?|staff|"
    r"writers?|journalists?|journalistes?|journalisten|reporters?|contributors?|columnists?|people|"
    r"personen?|penulis|yazar(?:lar)?|forfatter|skribent|redakteure?|redacteurs?|redaccion|firmas?|"
    r"avtor|av|team|bio|meet-the-team|die-redaktion|redaktion|users?|opinion/autor)/[^/?#]",
    re.IGNORECASE,
)
"""In the path of an author's page."""
# Blocks above the headline, below it and below the text where a byline may be.
_ABOVE, _BELOW, _AFTER = 4, 30, 12
_LONGEST_BYLINE = 300
_LONGEST_SIGNATURE, _LONGEST_TEXT = 80, 100_000
# Elements in a block, and boxes around it, whose names are read.
_MOST_INNER, _MOST_AROUND = 80, 4
_BYLINE_NAME = re.compile(
    r"by-?_?lines?|author|autor(?!i[sz])|auteur|autore|writer|verfasser|journalist|reporter|penulis"
    r"|redacteur|skribent|forfatt|firma(?![a-z])|signature|signatur(?![a-z])|yazar"
    r"|muhabir|kirjoittaja|contributor|creator|columnist|vcard|hcard|document_authors",
    re.IGNORECASE,
)
_NO_BYLINE_NAME = re.compile(
    r"comment|related|teaser|most|popular|trending|photo|foto|image|img|caption|picture|video|tweet"
    r"|recommend|quote|summary|card-list|next|promo|sidebar|widget__author|editor(?!ial)"
    r"|nav(?![a-z])|menu|footer(?!-)|copyright|poll|ad-|archive|latest|cr[eé]dit|cutline|epigraph"
    r"|legende?|pie-|reaction|reactie|reply|replies|review|member|visitor|user|forum|opinions",
    re.IGNORECASE,
)
# Parts of an author's markup that are not the name.
_NO_NAME = re.compile(
    r"date|time|title|job|role|bio|desc|about|position|location|place|social|follow|share|count|"
    r"email|e-mail|twitter|prefix|label|source|reading|comment|image|img|photo|avatar|separator",
    re.IGNORECASE,
)
# "Jane Doe | 3 May 2020"
_SIGNED_AND_DATED = re.compile(r"([^\d|·•,]{4,60}?)\s*[|·•,–-]\s*(?=\S{0,12}\s?\S{0,12}\s?\d)")
_DIGIT = re.compile(r"\d")
_AUTHOR_MARKS = frozenset(("author", "creator", "dc:creator"))
_NEVER_SIGNED = HEADINGS | {"li", "dt", "th", "label"}
_LARGE_HEADINGS = ("h1", "h2", "h3")
_AUTHOR_PAGE = re.compile(r"/(?:authors?|autor(?:en|es|i)?|auteurs?|autore)/", re.IGNORECASE)
_WEB = ("http://", "https://", "//", "/")


@dataclass(frozen=True, slots=True)
class Byline:
    """An author's name, the URL of the author's page as written, and where they were read."""

    name: str
    url: str | None
    where: str


def leads_somewhere(link: str) -> bool:
    """Return whether a link has a path, as the link of a person has."""
    link = link.strip()
    if not link.startswith(_WEB) or len(link) > 2_000:
        return False
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return len(parts.path.strip("/")) > 1 or bool(parts.query)


class ShownBylines:
    """The bylines that a page shows around its article.

    ``links`` are the authors that are linked anywhere there.
    """

    def __init__(self, layout: Layout, chosen: Chosen, outlets: Outlets) -> None:
        self._blocks = layout.blocks
        self._outlets = outlets
        self._headline = chosen.anchor
        self._first = _start_of_text(self._blocks, chosen.indexes)
        self._last = chosen.indexes[-1] if chosen.indexes else None
        self._headline_box, self._first_box = (
            -1 if index is None else self._blocks[index].box.start
            for index in (self._headline, self._first)
        )
        self._paragraphs = frozenset(chosen.indexes)
        self._texts = (chosen.headline.value if chosen.headline else "", *chosen.body)
        self.links: list[Byline] = []

    def below_headline(self) -> list[Byline]:
        """Return the authors named between the headline and the first paragraph."""
        return self._first_byline(self._indexes_below_headline())

    def elsewhere(self) -> list[Byline]:
        """Return the authors named just below the text or above the headline."""
        found = self._first_byline(self._indexes_below_text())
        if not found and self._headline is not None:
            above = range(max(0, self._headline - _ABOVE), self._headline)
            found = self._first_byline(above, is_above=True)
        return found

    def alone(self) -> list[Byline]:
        """Return the authors in a line above the text that is nothing but names.

        The line is a paragraph just above the first one, or the date is on it or beside it. It is a
        heading, a section or a place rather than a name if the text has one of its words in lower
        case, or has the name itself.
        """
        if self._headline is None:
            return []
        for index in self._indexes_below_headline():
            line = self._blocks[index]
            if (
                len(line.text) <= _LONGEST_SIGNATURE
                and not line.link_share
                and line.tag not in _NEVER_SIGNED
                and index not in self._paragraphs
                and (names := self._signed(index))
                and not self._are_in_text(names)
                and self._is_named(line) is not None
            ):
                return [Byline(name, None, "line above the text") for name in names]
        return []

    def _signed(self, index: int) -> list[str]:
        """Return the names that a line consists of, if a byline may stand in its place."""
        line = self._blocks[index]
        signed = _SIGNED_AND_DATED.match(line.text)
        names = signature_names(signed[1] if signed else line.text, self._outlets)
        if not names:
            return []
        if signed:
            return names if dates.find(line.text) else []
        beside = self._blocks[index + 1]
        is_above_text = index + 1 == min(self._paragraphs) and line.tag == beside.tag == "p"
        if is_above_text or (_DIGIT.search(beside.text) and dates.find(beside.text)):
            return names if line.box.parent is beside.box.parent else []
        return []

    def _are_in_text(self, names: list[str]) -> bool:
        text = "\n".join(self._texts)[:_LONGEST_TEXT]
        folded = text.casefold()
        words = {word.lower() for name in names for word in name.split()}
        return any(
            name.casefold() in folded for name in names if not is_agency(name)
        ) or not words.isdisjoint(text.split())

    def credits_otherwise(self, stated: list[Byline]) -> bool:
        """Return whether the lines around the text say that all stated authors are its editors."""
        keys = {fold(author.name) for author in stated}
        for index in (*self._indexes_below_headline(), *self._indexes_below_text()):
            text = self._blocks[index].text
            if len(text) <= _LONGEST_BYLINE and credits_others(text):
                keys.difference_update(
                    map(fold, shown_names(text.partition(":")[2], self._outlets))
                )
        return not keys

    def _indexes_below_headline(self) -> range:
        headline, first = self._headline, self._first
        if first is None:
            return range(0)
        start = headline + 1 if headline is not None else max(0, first - _ABOVE)
        return range(start, min(first, start + _BELOW))

    def _indexes_below_text(self) -> range:
        if self._last is None:
            return range(0)
        return range(self._last + 1, min(len(self._blocks), self._last + 1 + _AFTER))

    def _first_byline(self, indexes: Iterable[int], *, is_above: bool = False) -> list[Byline]:
        """Return the authors of the first byline, which may be several blocks.

        Pictures have their credits above the headline, so that a byline there needs a label.
        """
        found: dict[str, Byline] = {}
        last: Block | None = None
        follows_label = False
        for index in indexes:
            if index in self._paragraphs:
                continue
            block = self._blocks[index]
            if block.tag in HEADINGS and part_headed_by(block.text):
                break
            if last is not None and not _belongs(block, last):
                break
            if is_label(block.text):
                follows_label = True
                continue
            authors = self._authors_of(block, follows_label=follows_label, is_above=is_above)
            follows_label = False
            if authors:
                last = block
                for author in authors:
                    found.setdefault(fold(author.name), author)
        return list(found.values())[:MOST_AUTHORS]

    def _authors_of(
        self, block: Block, *, follows_label: bool, is_above: bool = False
    ) -> list[Byline]:
        text = block.text
        if len(text) > _LONGEST_BYLINE or (block.prose and block.size > _LONGEST_BYLINE // 2):
            return []
        is_named = self._is_named(block)
        if is_named is None or credits_others(text):
            return []
        is_named = is_named and not is_above
        if block.link_share:
            linked = self._linked(block, is_named=is_named or follows_label)
            if linked:
                self.links += linked
                return linked
        has_parts = len(block.element) > 0 and not self._holds_text(block.box)
        names = None
        if is_named or follows_label or may_have_label(text):
            if has_parts and block.box.end == block.box.start:
                text = _spaced(block.element) or text
            names = labelled_names(text, self._outlets)
        if follows_label or is_named:
            if names is None:
                names = self._marked(block) if has_parts else []
                names = names or certain_names(text, self._outlets)
        elif block.tag in _LARGE_HEADINGS:
            return []
        elif not names and has_parts and not is_above:
            names = self._marked(block)
        return [Byline(name, None, "byline") for name in names or ()]

    def _is_named(self, block: Block) -> bool | None:
        """Return whether a block's boxes are named as a byline; None if named as another part."""
        for zone in block.zones:
            if (
                zone.zone is Zone.STRONG
                and not self._holds_text(zone)
                and _sense_of(zone.name) is not _Sense.BYLINE
            ):
                return None
        is_named = False
        for box in islice(block.box.around(), _MOST_AROUND):
            if self._holds_text(box):
                break
            element = box.element
            sense = _sense_of(f"{box.tag} {box.name}" if "-" in box.tag else box.name)
            if box.tag == "figure" or sense is _Sense.OTHER:
                return None
            if sense is _Sense.BYLINE or (
                (item := element.get("itemprop") or element.get("rel"))
                and item.lower() in _AUTHOR_MARKS
            ):
                is_named = True
        return is_named

    def _holds_text(self, box: Box) -> bool:
        """Return whether a box is around the headline or the text, too."""
        start, end = box.start, box.end
        return start <= self._headline_box <= end or start <= self._first_box <= end

    def _linked(self, block: Block, *, is_named: bool) -> list[Byline]:
        """Return the authors whose pages a block links."""
        found: list[Byline] = []
        if self._holds_text(block.box):
            return found
        for link in islice(block.element.iter("a"), MOST_AUTHORS):
            href = (link.get("href") or "").strip()
            marks = f"{link.get('rel') or ''} {link.get('itemprop') or ''}".lower()
            is_author = "author" in marks or _sense_of(link.get("class") or "") is _Sense.BYLINE
            if is_author or (PROFILE.search(href) and (is_named or _is_surely_profile(href))):
                names = shown_names(_spaced(link), self._outlets)
                if not ("author" in marks or _is_surely_profile(href)):
                    names = [name for name in names if is_surely_name(name)]
                url = href if len(names) == 1 and leads_somewhere(href) else None
                found += (Byline(name, url, "byline") for name in names)
        return found

    def _marked(self, block: Block) -> list[str]:
        """Return the names in inline elements of a block that are marked as the author's."""
        for element in islice(block.element.iterdescendants(), _MOST_INNER):
            item = element.get("itemprop") or element.get("rel") or element.get("property") or ""
            name = element.get("class") or ""
            if item.lower() in _AUTHOR_MARKS or (
                name and _sense_of(name) is _Sense.BYLINE and _NO_NAME.search(name) is None
            ):
                names = certain_names(_spaced(element), self._outlets)
                if names:
                    return names
        return []


def _spaced(element: _Element) -> str:
    """Return an element's text with spaces between the texts of those in it; "" if it is long."""
    texts = list(islice(map(str, element.itertext()), _MOST_INNER))
    return clean(" ".join(texts)) if sum(map(len, texts)) <= 4 * _LONGEST_BYLINE else ""


class _Sense(Enum):
    """Whether the name of an element says that it is a byline, or that it is not one."""

    NONE = 0
    BYLINE = 1
    OTHER = 2


@lru_cache(maxsize=16_384)
def _sense_of(name: str) -> _Sense:
    if not name:
        return _Sense.NONE
    if _NO_BYLINE_NAME.search(name):
        return _Sense.OTHER
    return _Sense.BYLINE if _BYLINE_NAME.search(name) else _Sense.NONE


def _is_surely_profile(href: str) -> bool:
    return _AUTHOR_PAGE.search(href) is not None


def _belongs(block: Block, last: Block) -> bool:
    """Return whether a block may continue the byline that another block begins."""
    if block.index - last.index > 4:
        return False
    common = last.box.common(block.box)
    return any(_sense_of(box.name) is _Sense.BYLINE for box in islice(common.around(), 2)) or (
        block.box.parent is last.box.parent and block.box.name == last.box.name
    )


def _start_of_text(blocks: list[Block], paragraphs: tuple[int, ...]) -> int | None:
    """Return the index of the first paragraph that is not set apart as the standfirst is."""
    for one, other in islice(pairwise(paragraphs), 2):
        if blocks[one].box.parent is blocks[other].box.parent:
            return one
    if not paragraphs:
        return None
    return paragraphs[1] if len(paragraphs) > 2 else paragraphs[0]

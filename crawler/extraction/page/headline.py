"""Find the headline: the visible line that agrees with the page's metadata.

Declared headlines (JSON-LD, og:title, title) differ from each other, and an h1 may be the logo or
the section. A visible line that agrees with one of them is the best choice, followed by the h1, a
declared headline and another heading.
"""

import re
from collections.abc import Callable
from itertools import islice
from typing import Any

from lxml.etree import XPath, _Element

from crawler.extraction.page import dates
from crawler.extraction.page.blocks import Block
from crawler.extraction.page.boxes import HEADINGS
from crawler.extraction.page.headings import part_headed_by
from crawler.extraction.page.metadata import Declared, Metadata
from crawler.extraction.page.text import collapse, has_many_elements, key

_HEADLINE_CLASS = re.compile(r"title|head|hdln?\b|subject|titr", re.IGNORECASE)
_LABELLED = re.compile(r"\w+(?:\s\w+)?\s*:\s|https?:|www\.", re.IGNORECASE)
# Korean pages write a letter that looks like a bar.
_TITLE_SEPARATOR = re.compile(r"\s+[-|–—»«:•·/]+\s+|\s*(?:\|+|::+|»|«|｜|ㅣ)\s*")
# "Headline-Section" on Korean pages.
_KOREAN_SECTION = re.compile("(?<=\\S)-[\uac00-\ud7af]{2,6}$")
_KICKER_NAME = re.compile(
    r"(?:^|[\s_-])(?:kicker|over-?line|roof-?line|eyebrow|dachzeile|spitzmarke|top-?line|"
    r"pre-?(?:title|head)|super-?(?:title|head)|sub-?(?:title|head|line)|rubri(?:k|c|que)|label|"
    r"category|badge|antet|avant-?titre)(?:$|[\s_-])",
    re.IGNORECASE,
)
# Characters: the longest headline, and the shortest one that cannot be in a title by chance.
_LONGEST_HEADLINE, _SHORTEST_IN_TITLE = 300, 12
# The share of a title's longest part that a line must have in order to be the headline in it.
_LEAST_SHARE_OF_TITLE = 0.4
_LONGEST_TITLE = 1000
_COST_OF_OTHERS = 0.3
_SHORTEST_SHORTENED = 25
_LINKED_HEADINGS = frozenset(("h1", "h2", "h3"))
_WEIGHTS = {"h1": 1.5}
# Characters and words of a title without the part that is likely to be the publisher's name, and
# the words of that part.
_SHORTEST_STRIPPED, _FEWEST_STRIPPED, _MOST_IN_A_NAME = 20, 4, 6
_MOST_PARTS = 20
_SHOWN_TEXTS = XPath(
    ".//text()[not(ancestor::script or ancestor::style or ancestor::svg or ancestor::noscript)]"
)


def find(
    blocks: list[Block], metadata: Metadata, names: set[str]
) -> tuple[Declared | None, Block | None]:
    """Return the headline and its visible block, which is None if it is only declared."""
    titles = _Titles(metadata, names)
    short = [b for b in blocks if len(b.text) <= _LONGEST_HEADLINE]
    # Breadcrumbs and menus repeat the headline, and the logo's h1 agrees with the end of the title.
    agreeing = [b for b in short if (not b.zones or b.tag == "h1") and titles.has(b)] or [
        b for b in short if b.zones and titles.has(b)
    ]
    h1_blocks = [b for b in short if b.tag == "h1" and _may_be_headline(b, names)]
    last_prose = max((b.index for b in blocks if b.prose), default=-1)
    if agreeing:
        best = max(
            agreeing,
            key=lambda b: (
                b.key in titles.declared,
                b.key in titles.exact,
                b.index < last_prose,
                titles.likeness(b.key) * _WEIGHTS.get(b.tag, 1.2 if b.tag in HEADINGS else 1.0),
            ),
        )
        text = titles.spelling(best, blocks)
        if best.tag == "h1":
            return Declared(text, "h1"), best
        kind = best.tag if best.tag in HEADINGS else "line"
        return Declared(text, f"{kind} that agrees with the page's title"), best
    outside = [b for b in h1_blocks if not b.zones] or h1_blocks
    if outside and (longer := _longer_heading(outside[-1], blocks)):
        # The h1 is the section name.
        return Declared(longer.text, longer.tag), longer
    if outside:
        before = [b for b in outside if b.index < last_prose] or outside
        # The first h1 that is not the logo; later ones head other parts of the page.
        first = next((b for b in before if b.link_share < 0.9), before[-1])
        return Declared(titles.spelling(first, blocks), "h1"), first
    for d in metadata.headlines:
        if key(d.value) not in names:
            return Declared(_without_site(d.value, names), d.where), None
    candidates = [b for b in short if _may_be_headline(b, names)]
    if visible := _visible_headline(candidates, blocks):
        return visible
    if metadata.title and key(stripped := _without_site(metadata.title, names)) not in names:
        return Declared(_without_tagline(stripped), "title"), None
    return None, None


def _may_be_headline(block: Block, names: set[str]) -> bool:
    return len(block.key) > 3 and block.key not in names


class _Titles:
    """The headlines and the title that a page declares, as comparison keys.

    ``declared`` are the headlines, ``exact`` also the parts of the title, and ``whole`` is the
    title.
    """

    def __init__(self, metadata: Metadata, names: set[str]) -> None:
        title = (metadata.title or "")[:_LONGEST_TITLE]
        self._names = names
        # Of several spellings, the one in the title is the visible one.
        spellings = [d.value for d in reversed(metadata.headlines)]
        self._texts = {key(text): text for text in spellings}
        self._texts |= {key(text): text for text in spellings if text in title}
        self.declared = self._texts.keys() - names
        self.whole = key(title)
        parts = [key(part) for part in _TITLE_SEPARATOR.split(title)]
        self._longest_part = max((part for part in parts if part not in names), key=len, default="")
        self.exact = self.declared | ({self.whole, *parts} - names - {""})

    def has(self, block: Block) -> bool:
        """Return whether a block may be the headline, because it agrees with the titles."""
        if block.link_share >= 0.9:
            return block.tag in _LINKED_HEADINGS and len(block.key) > 3 and block.key in self.exact
        return _may_be_headline(block, self._names) and self.agree(block.key)

    def agree(self, line: str) -> bool:
        """Return whether a line is a large part of the title, or nearly a declared headline."""
        if line in self.declared:
            return True
        if (
            len(line) >= _SHORTEST_IN_TITLE
            and len(line) >= _LEAST_SHARE_OF_TITLE * len(self._longest_part)
            and line in self.whole
        ):
            return True
        return any(
            len(line) < 2 * len(d) + 20
            and len(d) < 2 * len(line) + 20
            and (d in line or (line in d and len(line) >= _LEAST_SHARE_OF_TITLE * len(d)))
            for d in self.declared
            if len(d) >= _SHORTEST_IN_TITLE
        ) or self._begins_with_title(line)

    def _begins_with_title(self, line: str) -> bool:
        """Return whether the title is a shortened form of a line."""
        shortest = len(self._longest_part)
        return shortest >= _SHORTEST_SHORTENED and line.startswith(self._longest_part)

    def likeness(self, line: str) -> float:
        """Return how many characters a line shares with the titles, less some for the others."""
        if line in self.whole:
            return len(line)
        if self._begins_with_title(line):
            return len(line)
        shared = max(
            (len(d) if d in line else len(line) if line in d else 0 for d in self.declared),
            default=0,
        )
        return shared - _COST_OF_OTHERS * (len(line) - shared)

    def spelling(self, block: Block, blocks: list[Block]) -> str:
        """Return the headline in a block, without the kicker that templates set beside it.

        The parts of a heading are joined without punctuation. If the page declares the whole
        heading, its spelling there is better; if it declares some of the parts, the others are a
        kicker or a subtitle.
        """
        if block.tag not in HEADINGS:
            return block.text
        parts = _parts(block, blocks)
        if len(parts) < 2:
            return block.text
        keys = [key(text) for text, _ in parts]
        if declared := self._texts.get("".join(keys)):
            return declared
        runs = [
            (start, end)
            for start in range(len(parts))
            for end in range(start + 1, len(parts) + 1)
            if "".join(keys[start:end]) in self.exact
        ]
        runs = [run for run in runs if "".join(keys[slice(*run)]) in self.declared] or runs
        if runs:
            start, end = max(runs, key=lambda run: len("".join(keys[slice(*run)])))
            return collapse(" ".join(text for text, _ in parts[start:end]))
        return collapse(" ".join(text for text, _ in _without_kickers(parts)))


def _without_kickers(parts: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the parts of a heading without those at its ends that are named as a kicker."""
    longest = max(parts, key=lambda part: len(part[0]))
    first, last = 0, len(parts)
    while parts[first] is not longest and _KICKER_NAME.search(parts[first][1]):
        first += 1
    while parts[last - 1] is not longest and _KICKER_NAME.search(parts[last - 1][1]):
        last -= 1
    return parts[first:last]


def _parts(block: Block, blocks: list[Block]) -> list[tuple[str, str]]:
    """Return the texts in a heading's elements, each with the element's class and id."""
    heading = block.box
    while heading.parent is not None and heading.parent.tag in HEADINGS:
        heading = heading.parent
    if heading is not block.box:
        inner = (b for b in blocks if heading.holds(b.box))
        return [(b.text, b.box.name) for b in islice(inner, _MOST_PARTS)]
    element = heading.element
    if has_many_elements(element, _MOST_PARTS):
        return []
    while len(element) == 1 and not collapse(element.text or "") and not _tail(element[0]):
        element = element[0]
    parts = [(collapse(element.text or ""), "")]
    for child in element:
        text = _visible(child) if isinstance(child.tag, str) else ""
        # A part that is not shown is not in the block; a box is a block of its own.
        if child.tag == "div" or key(text) in block.key:
            name = f"{child.get('class') or ''} {child.get('id') or ''}"
            parts.append((text, "kicker" if child.tag == "small" else name))
        parts.append((_tail(child), ""))
    return [(text, name) for text, name in parts if key(text)]


def _visible(element: _Element) -> str:
    texts: Any = _SHOWN_TEXTS(element)
    return collapse("".join(texts))


def _tail(element: _Element) -> str:
    return collapse(element.tail or "")


def _without_tagline(title: str) -> str:
    """Return a title without its last part if that may be the publisher's name or motto."""
    separators = list(_TITLE_SEPARATOR.finditer(title))
    if not separators:
        return title
    last = separators[-1]
    before, after = title[: last.start()], title[last.end() :]
    is_long = len(before) >= _SHORTEST_STRIPPED and len(before.split()) >= _FEWEST_STRIPPED
    return before if is_long and len(after.split()) <= _MOST_IN_A_NAME else title


def _longer_heading(first: Block, blocks: list[Block]) -> Block | None:
    """Return the first longer heading between an h1 of a word or two and the text."""
    if len(first.text) >= 20 or len(first.text.split()) > 2:
        return None
    for block in blocks[first.index + 1 :]:
        if block.prose:
            return None
        if (
            block.tag in HEADINGS
            and len(block.text.split()) > 3
            and block.link_share < 0.5
            and not block.zones
        ):
            return block
    return None


def _visible_headline(
    candidates: list[Block], blocks: list[Block]
) -> tuple[Declared, Block] | None:
    """Return the headline of a page without metadata.

    Tries its headings, elements named as titles, then other lines, just before prose.
    """
    for where, predicate in (
        ("heading", lambda b: b.tag in HEADINGS),
        (
            "element named as a title",
            lambda b: len(b.text) >= 15 and bool(_HEADLINE_CLASS.search(_names_around(b.element))),
        ),
        (
            "first line before the text",
            lambda b: (
                20 <= len(b.text) <= 250
                and not b.sentence
                and not _LABELLED.match(b.text)
                and not dates.find(b.text)
            ),
        ),
    ):
        test: Callable[[Block], bool] = predicate
        found = [
            b
            for b in candidates
            if not b.zones and b.link_share < 0.5 and part_headed_by(b.text) is None and test(b)
        ]
        before_prose = [
            b
            for b in found
            if any(p.prose and not p.zones for p in blocks[b.index + 1 : b.index + 12])
        ]
        if before_prose:
            first = before_prose[0]
            return Declared(first.text, first.tag if first.tag in HEADINGS else where), first
    return None


def _names_around(element: _Element) -> str:
    parent = element.getparent()
    elements = (
        (element, parent)
        if parent is not None and parent.tag not in ("body", "html")
        else (element,)
    )
    inner = islice(element.iterchildren("span", "font", "b", "strong"), 8)
    return " ".join(e.get("class") or e.get("id") or "" for e in (*elements, *inner))


def _without_site(title: str, names: set[str]) -> str:
    """Return a title without the publisher's name, or unchanged if no part is that name."""
    parts = _TITLE_SEPARATOR.split(title)
    other_parts = [part for part in parts if collapse(part) and key(part) not in names]
    if len(other_parts) == len(parts) or not other_parts:
        return title
    # "Headline - Section - Site": the longest part is the headline.
    other_parts = [_KOREAN_SECTION.sub("", part) for part in other_parts]
    return collapse(max(other_parts, key=len)) if len(other_parts) > 1 else collapse(other_parts[0])

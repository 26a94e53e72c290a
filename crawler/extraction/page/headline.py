"""Find the headline: the visible line that agrees with the page's metadata.

Declared headlines (JSON-LD, og:title, title) differ from each other, and an h1 may be the logo or
the section. A visible line that agrees with one of them is the best choice, followed by the h1, a
declared headline and another heading.
"""

import re
from collections.abc import Callable
from itertools import islice

from lxml.etree import _Element

from crawler.extraction.page import dates
from crawler.extraction.page.blocks import HEADINGS, Block
from crawler.extraction.page.metadata import Declared, Metadata
from crawler.extraction.page.parts import heads_other, heads_related
from crawler.extraction.page.text import collapse, key

_HEADLINE_CLASS = re.compile(r"title|head|hdln?\b|subject|titr", re.IGNORECASE)
_LABELLED = re.compile(r"\w+(?:\s\w+)?\s*:\s|https?:|www\.", re.IGNORECASE)
_TITLE_SEPARATOR = re.compile(r"\s+[-|–—»«:•·/]+\s+|\s*(?:\|+|::+|»|«)\s*")
# Characters: the longest headline, and the shortest one that cannot be in a title by chance.
_LONGEST_HEADLINE, _SHORTEST_IN_TITLE = 300, 12
_LONGEST_TITLE = 1000
_WEIGHTS = {"h1": 1.5}


def find(
    blocks: list[Block], metadata: Metadata, names: set[str]
) -> tuple[Declared | None, Block | None]:
    """Return the headline and its visible block, which is None if it is only declared."""
    declared = {key(d.value) for d in metadata.headlines} - names
    title = key((metadata.title or "")[:_LONGEST_TITLE])
    candidates = [
        b
        for b in blocks
        if len(b.text) <= _LONGEST_HEADLINE and len(b.key) > 3 and b.key not in names
    ]
    h1_blocks = [b for b in candidates if b.tag == "h1"]
    # Breadcrumbs and menus repeat the headline, and the logo's h1 agrees with the end of the title.
    agreeing = [b for b in candidates if b.link_share < 0.9 and _agrees(b.key, declared, title)]
    agreeing = [b for b in agreeing if not b.zones or b.tag == "h1"] or agreeing
    if agreeing:
        best = max(
            agreeing,
            key=lambda b: (
                b.key in declared,
                len(b.key) * _WEIGHTS.get(b.tag, 1.2 if b.tag in HEADINGS else 1.0),
            ),
        )
        if best.tag == "h1":
            return Declared(best.text, "h1"), best
        kind = best.tag if best.tag in HEADINGS else "line"
        return Declared(best.text, f"{kind} that agrees with the page's title"), best
    outside = [b for b in h1_blocks if not b.zones] or h1_blocks
    if outside and (longer := _longer_heading(outside[-1], blocks)):
        # The h1 is the section name.
        return Declared(longer.text, longer.tag), longer
    if outside:
        last_prose = max((b.index for b in blocks if b.prose), default=-1)
        before = [b for b in outside if b.index < last_prose] or outside
        return Declared(before[-1].text, "h1"), before[-1]
    for d in metadata.headlines:
        if key(d.value) not in names:
            return Declared(_without_site(d.value, names), d.where), None
    if visible := _visible_headline(candidates, blocks):
        return visible
    if metadata.title and key(stripped := _without_site(metadata.title, names)) not in names:
        return Declared(stripped, "title"), None
    return None, None


def _agrees(line: str, declared: set[str], title: str) -> bool:
    """Return whether a line is part of the title, or exactly or nearly a declared headline."""
    if line in declared or (len(line) >= _SHORTEST_IN_TITLE and line in title):
        return True
    return any(
        len(line) < 2 * len(d) + 20 and len(d) < 2 * len(line) + 20 and (d in line or line in d)
        for d in declared
        if len(d) >= _SHORTEST_IN_TITLE
    )


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
            if not b.zones
            and b.link_share < 0.5
            and not heads_related(b.text)
            and not heads_other(b.text)
            and test(b)
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
    return collapse(max(other_parts, key=len)) if len(other_parts) > 1 else collapse(other_parts[0])

"""Find the body: a large group of paragraphs after the headline that share a container.

Paragraphs around the group that the markup puts into their own containers are added. Parts that
parts.py recognises are left out.
"""

import re
from collections import defaultdict

from lxml.etree import _Element

from crawler.extraction.page.blocks import HEADINGS, Block, Layout
from crawler.extraction.page.parts import is_noise
from crawler.extraction.page.tree import Nearest

_READ_ALSO = re.compile(r"\W*(?:read|see|watch|more|related|also|اقرأ|بیشتر|شاهد)\b", re.IGNORECASE)
_NO_CONTAINERS = frozenset(("blockquote", "ul", "ol", "li"))
# The minimum share of the prose after the headline for a group to be clearly the article.
_CLEAR_SHARE = 0.5


def find(layout: Layout, anchor: Block | None, excluded: set[int]) -> tuple[list[Block], bool]:
    """Return the paragraphs of the body, and whether they are clearly the article's."""
    blocks, tree = layout.blocks, layout.tree
    anchor_index = anchor.index if anchor else -1
    usable = [b for b in blocks if b.index > anchor_index and b.index not in excluded]
    prose = [b for b in usable if b.prose and not _is_noise(b)]
    if not prose:
        prose = [
            b
            for b in usable
            if b.sentence
            and len(b.text) >= 15
            and b.link_share < 0.4
            and b.tag not in HEADINGS
            and not _is_noise(b)
        ]
    if not prose:
        return [], False
    counts: dict[_Element, int] = defaultdict(int)
    for b in blocks:
        counts[b.element] += 1
    groups: dict[_Element, list[Block]] = defaultdict(list)
    nearest_container = Nearest(lambda element: element.tag not in _NO_CONTAINERS)
    for b in prose:
        groups[_container(b, counts, nearest_container)].append(b)
    ancestors = [anchor.element, *anchor.element.iterancestors()] if anchor else []
    hops = {element: hop for hop, element in enumerate(ancestors)}

    def score(container: _Element) -> float:
        size = sum(len(b.text) for b in groups[container])
        hop = hops[tree.common(container, anchor.element)] if anchor else 0
        return size * 0.7**hop

    best = max(groups, key=score)
    inside = [b for b in usable if tree.holds(best, b.element)]
    first, last = groups[best][0].index, groups[best][-1].index
    chosen = {b.index for b in inside if first <= b.index <= last}
    # Add paragraphs of the same article that the markup puts into their own containers.
    parent = best.getparent()
    family = (
        [e for e in (parent, parent.getparent()) if e is not None] if parent is not None else []
    )
    for b in prose:
        if b.index < first or (
            b.index > last and b.tag != "td" and any(tree.holds(e, b.element) for e in family)
        ):
            near_ancestors = (e for e in ancestors[:6] if e is not b.element)
            if (
                b.index < first
                and ancestors
                and not any(tree.holds(e, b.element) for e in near_ancestors)
            ):
                continue
            chosen.add(b.index)
    furthest = max(chosen)
    for b in inside:
        if b.index > last and (b.sentence or b.tag == "li") and b.index <= furthest + 3:
            chosen.add(b.index)
            furthest = max(furthest, b.index)
    body = [b for b in usable if b.index in chosen and not _is_noise(b)]
    begin = next((place for place, b in enumerate(body) if b.prose or b.sentence), len(body))
    body = body[begin:]
    while body and not body[-1].prose and not body[-1].sentence and body[-1].tag != "li":
        body.pop()
    total = sum(len(b.text) for b in prose)
    clear = sum(len(b.text) for b in body if b.prose or len(prose) < 3) >= _CLEAR_SHARE * total
    return body, clear


def _container(block: Block, counts: dict[_Element, int], nearest_container: Nearest) -> _Element:
    """Return a paragraph's container: the element around it, or its own if that has several."""
    element = block.element
    if counts[element] > 1 or element.tag in ("td", "article", "section", "main", "body"):
        return element
    found = nearest_container(element.getparent())
    return element if found is None else found


def _is_noise(block: Block) -> bool:
    if block.link_share > 0.6 or (
        block.link_share > 0.35 and (not block.sentence or _READ_ALSO.match(block.text))
    ):
        return True
    return is_noise(block.text)

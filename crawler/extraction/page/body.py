"""Find the body: a large group of paragraphs after the headline that share a container.

Paragraphs around the group that the markup puts into their own containers are added. Parts that
parts.py recognises are left out.
"""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import islice

from crawler.extraction.page.blocks import Block, Layout
from crawler.extraction.page.boxes import HEADINGS, Box, Zone
from crawler.extraction.page.parts import Aside, is_noise

_READ_ALSO = re.compile(r"\W*(?:read|see|watch|more|related|also|اقرأ|بیشتر|شاهد)\b", re.IGNORECASE)
_NO_CONTAINERS = frozenset(("blockquote", "ul", "ol", "li"))
_LEAD_NAME = re.compile(
    r"teaser|intro|lead|summary|readmore|standfirst|sub-?(?:title|head)|dek\b|chapo|vorspann|desc|"
    r"excerpt|sommario|entradilla|bajada",
    re.IGNORECASE,
)
_MOST_BEFORE_BODY, _SHORTEST_STANDFIRST = 12, 60
_NEAR_HEADLINE = 6  # boxes around the headline
# Boxes without a class whose parents are compared.
_MOST_UNNAMED = 4
# A heading in the text, or a short paragraph, has few links and stands just above a paragraph that
# one of the nearest boxes around it holds, too.
_LINKED_SHORT, _HEADING_DISTANCE, _HEADING_LEVELS = 0.5, 3, 4
# Paragraphs that are mostly links are sentences of the text only if they are long.
_LINK_ONLY, _SHORTEST_LINKED_SENTENCE = 0.9, 60
# Characters. A shorter paragraph may be said twice.
_SHORTEST_REPEAT = 30
# Characters of the text between the headlines of two articles.
_SHORTEST_ARTICLE = 400


@dataclass(frozen=True, slots=True)
class Body:
    """The paragraphs of a body, and their share of the prose below the headline.

    ``share`` leaves out parts that are never the article's, such as comments; ``share_of_page``
    counts all prose of the page.
    """

    blocks: list[Block]
    share: float = 1.0
    share_of_page: float = 1.0


def find(layout: Layout, anchor: Block | None, excluded: set[int], aside: Aside) -> Body:
    """Find the paragraphs of the body."""
    found = _find(layout, anchor, excluded, aside)
    size = sum(b.size for b in found)
    every = [b for b in layout.blocks if b.prose]
    start = anchor.index if anchor else -1
    below = [
        b
        for b in every
        if b.index > start and (all(z.zone is Zone.WEAK or z in aside.void for z in b.zones))
    ]
    return Body(found, _share(size, below), _share(size, every))


def _share(size: int, prose: list[Block]) -> float:
    total = sum(b.size for b in prose)
    return size / total if total else 1.0


def _find(layout: Layout, anchor: Block | None, excluded: set[int], aside: Aside) -> list[Block]:
    blocks = layout.blocks
    anchor_index = anchor.index if anchor else -1
    usable = [
        b
        for b in blocks[anchor_index + 1 : _next_article(blocks, anchor)]
        if b.index not in excluded
    ]
    noise = {b.index for b in usable if _is_noise(b)}
    prose = [b for b in usable if b.prose and b.index not in noise]
    if not prose:
        prose = [
            b
            for b in usable
            if b.sentence
            and len(b.text) >= 15
            and b.link_share < 0.4
            and b.tag not in HEADINGS
            and b.index not in noise
        ]
    if not prose:
        return []
    counts = Counter(b.box for b in blocks)
    groups: dict[Box, list[Block]] = defaultdict(list)
    for b in prose:
        groups[_container(b, counts)].append(b)
    ancestors = list(anchor.box.around()) if anchor else []

    def score(container: Box) -> float:
        size = sum(b.size for b in groups[container])
        hop = len(ancestors) - 1 - container.common(anchor.box).depth if anchor else 0
        return size * 0.7**hop

    best = max(groups, key=score)
    inside = [b for b in usable if best.holds(b.box)]
    first, last = groups[best][0].index, groups[best][-1].index
    chosen = {b.index for b in inside if first <= b.index <= last}
    # Add paragraphs of the same article that the markup puts into their own containers.
    family = list(islice(best.around(), 1, 3))
    scope = best.common(anchor.box) if anchor else family[-1] if family else best
    near_headline = ancestors[:_NEAR_HEADLINE]
    for b in prose:
        if b.index in chosen:
            continue
        if b.index < first:
            is_near = not ancestors or any(a.holds(b.box) for a in near_headline if a is not b.box)
        else:
            is_near = b.tag != "td" and any(box.holds(b.box) for box in family)
        if is_near or (scope.holds(b.box) and _is_like(_container(b, counts), best)):
            chosen.add(b.index)
    furthest = max(chosen)
    for b in inside:
        if b.index > last and (b.sentence or b.tag == "li") and b.index <= furthest + 3:
            chosen.add(b.index)
            furthest = max(furthest, b.index)
    chosen -= noise
    if not chosen:
        return []
    chosen |= _short_ones(usable, chosen)
    body = [b for b in usable if b.index in chosen]
    begin = next((place for place, b in enumerate(body) if b.prose or b.sentence), len(body))
    if begin and body[begin - 1].tag in HEADINGS and body[begin - 1].index > first - 2:
        begin -= 1
    body = body[begin:]
    if anchor and body:
        body = [*_standfirst(blocks[anchor.index + 1 : body[0].index], excluded, aside), *body]
    while body and not body[-1].prose and not body[-1].sentence and body[-1].tag != "li":
        body.pop()
    return _without_repeats(body)


def _standfirst(between: list[Block], excluded: set[int], aside: Aside) -> list[Block]:
    """Return the paragraphs between the headline and the body that sum up the article.

    Templates name them as teasers, or set them as headings.
    """
    found = []
    for b in between[:_MOST_BEFORE_BODY]:
        if b.size < _SHORTEST_STANDFIRST or b.link_share > 0 or _is_noise(b):
            continue
        if not (b.sentence or b.tag in HEADINGS or _LEAD_NAME.search(b.box.name)):
            continue
        if b.index in excluded and (b.index in aside.headed or not _is_lead(b, aside)):
            continue
        found.append(b)
    return found


def _is_lead(block: Block, aside: Aside) -> bool:
    """Return whether a block's only zone is a teaser with nothing else in it."""
    zones = [zone for zone in block.zones if zone not in aside.void]
    return bool(zones) and all(
        zone.zone is Zone.WEAK and _LEAD_NAME.search(zone.name) is not None for zone in zones
    )


def _next_article(blocks: list[Block], anchor: Block | None) -> int:
    """Return the index of the headline of another article below this one's text.

    Pages that scroll on and on have several, each in an article element of its own.
    """
    if anchor is None or anchor.tag != "h1":
        return len(blocks)
    size = 0
    for b in blocks[anchor.index + 1 :]:
        if b.prose and not b.zones:
            size += b.size
        elif b.tag == "h1" and b.key != anchor.key and size > _SHORTEST_ARTICLE:
            own = next((box for box in b.box.around() if box.tag == "article"), None)
            if own is not None and not own.holds(anchor.box):
                return b.index
    return len(blocks)


def _container(block: Block, counts: Counter[Box]) -> Box:
    """Return a paragraph's container: the box around it, or its own if that has several."""
    box = block.box
    if counts[box] > 1 or box.tag in ("td", "article", "section", "main", "body"):
        return box
    while box.parent is not None:
        box = box.parent
        if box.tag not in _NO_CONTAINERS:
            return box
    return block.box


def _is_like(container: Box, best: Box) -> bool:
    """Return whether two containers look like parts of one text: the same tags and classes.

    If they have no class, the boxes around them must look alike, too.
    """
    one: Box | None = container
    other: Box | None = best
    for _ in range(_MOST_UNNAMED):
        if one is None or other is None or one.tag != other.tag:
            return False
        name = one.element.get("class")
        if name != other.element.get("class"):
            return False
        if name or one is other:
            return True
        one, other = one.parent, other.parent
    return True


def _short_ones(usable: list[Block], chosen: set[int]) -> set[int]:
    """Return the indexes of headings, short paragraphs and entries among the chosen paragraphs."""
    found = set()
    first = min(chosen)
    kinds = {_look_of(b) for b in usable if b.index in chosen}
    lists = {box for b in usable if b.index in chosen for box in islice(b.box.around(), 3)}
    follower: Block | None = None
    distance = 0  # in blocks to the follower
    for b in reversed(usable):
        distance += 1
        if b.index in chosen:
            follower, distance = b, 0
        elif follower is None or b.index < first or is_noise(b.text):
            continue
        elif b.tag == "li" and b.box.parent in lists:
            found.add(b.index)
        elif b.link_share < _LINKED_SHORT:
            is_heading = (
                b.tag in HEADINGS
                and distance <= _HEADING_DISTANCE
                and any(box.holds(follower.box) for box in islice(b.box.around(), _HEADING_LEVELS))
            )
            if is_heading or _look_of(b) in kinds:
                found.add(b.index)
    return found


def _look_of(block: Block) -> tuple[str, ...]:
    """Return the tags and names of a block's box and the one around it."""
    parent = block.box.parent
    around = (parent.tag, parent.name) if parent is not None else ()
    return block.tag, block.box.name, *around


def _without_repeats(body: list[Block]) -> list[Block]:
    """Return a body without second copies of a paragraph, such as those for other screens."""
    seen: set[str] = set()
    kept = []
    for b in body:
        if len(b.key) >= _SHORTEST_REPEAT:
            if b.key in seen:
                continue
            seen.add(b.key)
        kept.append(b)
    return kept


def _is_noise(block: Block) -> bool:
    if block.link_share > _LINK_ONLY:
        return True
    if block.link_share > 0.35 and (not block.sentence or _READ_ALSO.match(block.text)):
        return True
    if block.link_share > 0.6 and block.size < _SHORTEST_LINKED_SENTENCE:
        return True
    return is_noise(block.text)

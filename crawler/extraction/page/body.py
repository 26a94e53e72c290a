"""Find the body: a large group of paragraphs after the headline that share a container.

Paragraphs around the group that the markup puts into their own containers are added. Parts that
parts.py recognises are left out.
"""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import islice, takewhile

from crawler.extraction.page.blocks import Block, Layout
from crawler.extraction.page.boxes import HEADINGS, Box, Zone, is_named_as_text
from crawler.extraction.page.parts import Aside, is_noise, kind_of_name, look_of

_READ_ALSO = re.compile(
    r"\W*(?:read|see|watch|more(?!\s+than)|related|also|اقرأ|بیشتر|شاهد)\b", re.IGNORECASE
)
_NO_CONTAINERS = frozenset(("blockquote", "ul", "ol", "li"))
_WHOLE_ARTICLES = frozenset(("article", "main", "body"))
_CONTAINERS = frozenset(("td", "article", "section", "main", "body"))
# The factor of a group's score for each box between the headline and the box around both.
_LOSS_PER_HOP = 0.7
# A short sentence in a page without paragraphs: characters, and its link share.
_SHORTEST_SENTENCE, _LINKED_SENTENCE = 15, 0.4
_NEAR_END = 3  # blocks
# Of a list below the last paragraph: the number of lines, and their link share.
_FEWEST_LINES, _LINKED_LIST = 3, 0.7
_MOST_WRAPPERS = 4  # boxes around a single paragraph
_LEAD_NAME = re.compile(
    r"teaser|intro|lead|summary|readmore|standfirst|sub-?(?:title|head)|dek\b|chapo|vorspann|desc|"
    r"excerpt|sommario|entradilla|bajada",
    re.IGNORECASE,
)
# Blocks and characters; a list or a line named as a lead may be shorter.
_MOST_BEFORE_BODY, _SHORTEST_STANDFIRST, _SHORTEST_LEAD = 12, 60, 30
_NEAR_HEADLINE = 6  # boxes around the headline
# A page with more boxes around a headline was built to be slow to read.
_MOST_AROUND_HEADLINE = 50
# Boxes without a class whose parents are compared.
_MOST_UNNAMED = 4
# A heading in the text, or a short paragraph, has few links and stands just above a paragraph that
# one of the nearest boxes around it holds, too, or that has a wrapper like its own.
_LINKED_SHORT, _HEADING_DISTANCE, _HEADING_LEVELS = 0.5, 3, 6
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
    start = anchor.index + 1 if anchor else 0
    usable = [b for b in blocks[start : _next_article(blocks, anchor)] if b.index not in excluded]
    noise = {b.index for b in usable if _is_noise(b)}
    prose = _prose([b for b in usable if b.index not in noise])
    if not prose:
        return []
    group = _Group(prose, Counter(b.box for b in blocks), anchor)
    chosen = group.relatives(prose) | group.members(usable)
    chosen -= noise
    if not chosen:
        return []
    chosen |= _short_ones(usable, chosen)
    chosen -= _headings_of_others(blocks, chosen, noise)
    body = _trimmed([b for b in usable if b.index in chosen], group.first)
    if body:
        body += _list_below(usable, body[-1])
    if anchor and body:
        body = [*_standfirst(blocks[start : body[0].index], excluded, aside), *body]
    return _without_repeats(body)


def _prose(usable: list[Block]) -> list[Block]:
    """Return the paragraphs among blocks; if there are none, the short sentences."""
    return [b for b in usable if b.prose] or [
        b
        for b in usable
        if b.sentence
        and len(b.text) >= _SHORTEST_SENTENCE
        and b.link_share < _LINKED_SENTENCE
        and b.tag not in HEADINGS
    ]


class _Group:
    """The largest group of paragraphs in one container; a group near the headline counts more."""

    def __init__(self, prose: list[Block], counts: Counter[Box], anchor: Block | None) -> None:
        self._counts = counts
        self._ancestors = list(anchor.box.around()) if anchor else []
        self._prose_in = Counter(
            box for b in prose for box in islice(b.box.around(), 1, _MOST_WRAPPERS + 1)
        )
        groups: dict[Box, list[Block]] = defaultdict(list)
        for b in prose:
            groups[self._container(b)].append(b)

        def score(container: Box) -> float:
            size = sum(b.size for b in groups[container])
            if anchor is None:
                return size
            hops = len(self._ancestors) - 1 - container.common(anchor.box).depth
            return float(size * _LOSS_PER_HOP**hops)

        self._box = max(groups, key=score)
        # If each paragraph has a wrapper, other blocks in the container may be anything.
        self._is_wrapped = all(
            b.box.parent is not self._box and b.box is not self._box for b in groups[self._box]
        )
        self.first = groups[self._box][0].index
        self._last = groups[self._box][-1].index
        self._family = _family(self._box)
        self._scope = self._box.common(anchor.box) if anchor else self._family

    def relatives(self, prose: list[Block]) -> set[int]:
        """Return the indexes of paragraphs that the markup puts into their own containers."""
        # The outermost box holds all that the boxes in it hold.
        near_headline = next(reversed(self._ancestors[:_NEAR_HEADLINE]), None)
        found = set()
        for b in prose:
            if b.index < self.first:
                is_near = near_headline is None or (
                    near_headline is not b.box and near_headline.holds(b.box)
                )
            else:
                is_near = b.tag != "td" and self._family.holds(b.box)
            if is_near or (self._scope.holds(b.box) and self._continues_in(b)):
                found.add(b.index)
        return found

    def _continues_in(self, block: Block) -> bool:
        """Return whether a paragraph is in a container like this one, maybe as its only one."""
        return _is_like(self._container(block), self._box) or any(
            box.name and not box.holds(self._box) and _is_like(box, self._box)
            for box in islice(block.box.around(), 1, _MOST_WRAPPERS + 1)
        )

    def members(self, usable: list[Block]) -> set[int]:
        """Return the indexes of the blocks in the container that belong to the text.

        Below its last paragraph, these are short sentences and entries of lists.
        """
        inside = [b for b in usable if self._box.holds(b.box)]
        found = {
            b.index
            for b in inside
            if self.first <= b.index <= self._last and (b.prose or not self._is_wrapped)
        }
        furthest = max(found)
        for b in inside:
            is_end = b.index > self._last and (b.sentence or b.tag == "li")
            if is_end and b.index <= furthest + _NEAR_END:
                found.add(b.index)
                furthest = b.index
        return found

    def _container(self, block: Block) -> Box:
        """Return a paragraph's container: the box around it, or its own if that has several."""
        box = block.box
        if self._counts[box] > 1 or box.tag in _CONTAINERS:
            return box
        outer = [
            box
            for box in islice(box.around(), 1, 2 * _MOST_WRAPPERS)
            if box.tag not in _NO_CONTAINERS
        ]
        # A box around a single paragraph is a wrapper.
        wide = (box for box in outer[:_MOST_WRAPPERS] if self._prose_in[box] > 1)
        return next(wide, outer[0] if outer else box)


def _family(box: Box) -> Box:
    """Return the box one or two levels around a container that is still part of the article."""
    inner = box
    for outer in islice(box.around(), 1, 3):
        if inner.tag in _WHOLE_ARTICLES or outer.tag in ("body", "html") or is_named_as_text(inner):
            break
        inner = outer
    return inner


def _trimmed(body: list[Block], first: int) -> list[Block]:
    """Return a body from its first paragraph to its last.

    A heading just above the first paragraph of the group, which has index ``first``, stays.
    """
    begin = next((place for place, b in enumerate(body) if b.prose or b.sentence), len(body))
    if begin and body[begin - 1].tag in HEADINGS and body[begin - 1].index > first - 2:
        begin -= 1
    end = len(body)
    while end > begin and not (body[end - 1].prose or body[end - 1].sentence):
        if body[end - 1].tag == "li":
            break
        end -= 1
    return body[begin:end]


def _list_below(usable: list[Block], last: Block) -> list[Block]:
    """Return the lines of a list or a poem just below the last paragraph that look like it.

    The first has no links. Fewer lines are credits and offers, unless they are sentences.
    """
    look = look_of(last)

    def is_line(b: Block) -> bool:
        return (
            not b.prose
            and b.tag != "td"
            and b.link_share <= _LINK_ONLY
            and look_of(b) == look
            and not is_noise(b.text)
        )

    below = takewhile(is_line, (b for b in usable if b.index > last.index))
    lines = [b for place, b in enumerate(below, 1) if b.index == last.index + place]
    if not lines or lines[0].link_share > 0:
        return []
    linked = sum(b.link_share * b.size for b in lines)
    if len(lines) >= _FEWEST_LINES and linked < _LINKED_LIST * sum(b.size for b in lines):
        return lines
    return list(takewhile(_ends_text, lines))


def _ends_text(line: Block) -> bool:
    """Return whether a short line can end a text: a sentence that announces nothing."""
    return line.sentence and line.link_share == 0 and not line.text.endswith((":", "："))


def _standfirst(between: list[Block], excluded: set[int], aside: Aside) -> list[Block]:
    """Return the paragraphs between the headline and the body that sum up the article.

    Templates name them as teasers, or set them as headings or as lists.
    """
    found = []
    for b in between[:_MOST_BEFORE_BODY]:
        is_lead = b.tag == "li" or _LEAD_NAME.search(b.box.name) is not None
        shortest = _SHORTEST_LEAD if is_lead else _SHORTEST_STANDFIRST
        if b.size < shortest or b.link_share > 0 or _is_noise(b):
            continue
        if not (is_lead or b.sentence or b.tag in HEADINGS):
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

    Pages that scroll on and on have several, each in an element like the others.
    """
    if anchor is None or anchor.tag not in HEADINGS:
        return len(blocks)
    size = 0
    for b in blocks[anchor.index + 1 :]:
        if b.prose and not b.zones:
            size += b.size
        elif (
            b.tag == anchor.tag
            and b.key != anchor.key
            and size > _SHORTEST_ARTICLE
            and (_is_apart(b.box, anchor.box) or _are_siblings(anchor.box, b.box))
        ):
            return b.index
    return len(blocks)


def _is_apart(headline: Box, other: Box) -> bool:
    """Return whether a headline is in an article element that does not hold the other one."""
    near = islice(headline.around(), _MOST_AROUND_HEADLINE)
    own = next((box for box in near if box.tag == "article"), None)
    return own is not None and not own.holds(other)


def _are_siblings(one: Box, other: Box) -> bool:
    """Return whether two headlines stand in elements of the same kind, side by side."""
    common = one.common(other)
    ours, theirs = _below(one, common), _below(other, common)
    if ours is None or theirs is None or ours.tag != theirs.tag:
        return False
    name = ours.element.get("class")
    return ours.tag == "article" or (bool(name) and name == theirs.element.get("class"))


def _below(box: Box, outer: Box) -> Box | None:
    """Return the box just inside ``outer`` that holds ``box``; None if that is the box itself."""
    inner = None
    for holder in islice(box.around(), _MOST_AROUND_HEADLINE):
        if holder is outer:
            return inner if inner is not box else None
        inner = holder
    return None


def _is_like(container: Box, best: Box) -> bool:
    """Return whether two containers look like parts of one text: the same tags and classes.

    If both are named as the text, one may have further classes. If they have no class, or are alone
    in the boxes around them, these must look alike, too.
    """
    one: Box | None = container
    other: Box | None = best
    for _ in range(_MOST_UNNAMED):
        if one is None or other is None or one.tag != other.tag:
            return False
        if one is other:
            return True
        ours, theirs = kind_of_name(one), kind_of_name(other)
        if ours != theirs and not (
            (ours < theirs or theirs < ours) and is_named_as_text(one) and is_named_as_text(other)
        ):
            return False
        if ours and not (_is_alone(one) and _is_alone(other)):
            return True
        one, other = one.parent, other.parent
    return True


def _is_alone(box: Box) -> bool:
    """Return whether the box around a box holds no others."""
    parent = box.parent
    return parent is not None and box.start == parent.start + 1 and box.end == parent.end


def _short_ones(usable: list[Block], chosen: set[int]) -> set[int]:
    """Return the indexes of headings, short paragraphs and entries among the chosen paragraphs."""
    found = set()
    first = min(chosen)
    kinds = {look_of(b) for b in usable if b.index in chosen}
    lists = {box for b in usable if b.index in chosen for box in islice(b.box.around(), 3)}
    follower: Block | None = None
    distance = 0  # in blocks to the follower
    for b in reversed(usable):
        distance += 1
        if b.index in chosen:
            follower, distance = b, 0
        elif follower is None:
            continue
        elif b.index < first:
            break
        elif _is_short_one(b, follower, distance, kinds, lists) and not is_noise(b.text):
            found.add(b.index)
    return found


def _is_short_one(
    block: Block, follower: Block, distance: int, kinds: set[tuple[str, ...]], lists: set[Box]
) -> bool:
    entry = _entry(block)
    if entry is not None and entry.parent in lists:
        return True
    if block.link_share >= _LINKED_SHORT:
        return False
    if entry is not None and not lists.isdisjoint(islice(entry.around(), 1, 4)):
        return True
    look = look_of(block)
    if block.tag in HEADINGS and distance <= _HEADING_DISTANCE:
        near = islice(block.box.around(), _HEADING_LEVELS)
        if look[2:] == look_of(follower)[2:] or any(box.holds(follower.box) for box in near):
            return True
    return block.tag != "td" and look in kinds


def _headings_of_others(blocks: list[Block], chosen: set[int], noise: set[int]) -> set[int]:
    """Return the indexes of chosen headings of boxes that hold no other part of the text.

    These are the boxes of offers and links between the paragraphs.
    """
    found = set()
    follower: Block | None = None
    for index in sorted(chosen, reverse=True):
        b = blocks[index]
        if b.tag not in HEADINGS:
            follower = b
        elif follower is not None and index + 1 in noise:
            box = b.box.parent
            if box is not None and box.holds(blocks[index + 1].box) and not box.holds(follower.box):
                found.add(index)
    return found


def _entry(block: Block) -> Box | None:
    """Return the entry of a list that a block is, or is a paragraph of; None if it is in none."""
    box = block.box
    if box.tag == "li":
        return box
    return box.parent if box.parent is not None and box.parent.tag == "li" else None


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

"""Find a related list that only its structure shows: links to articles within the article.

A run is at least three entries that look alike and are nothing but links, whose addresses are
surely articles' and whose texts are headlines. It stands between the paragraphs of the article, or
beside or below them in their box. Runs elsewhere on the page are left out, since most of them are
the site's latest or most read articles.
"""

from typing import NamedTuple

from crawler.extraction.page.anchors import Anchor, AnchorReader, word_count
from crawler.extraction.page.blocks import Block, Layout
from crawler.extraction.page.boxes import HEADINGS, Zone, meaning_of
from crawler.extraction.page.headings import Part, part_headed_by
from crawler.extraction.page.text import visible_length

WHERE = "links that form a list in the article"
_FEWEST, _MOST = 3, 12
# Blocks between two entries, or between a heading and its list.
_MOST_BETWEEN = 3
# Blocks between the last paragraph and a list below it.
_NEAR_END = 12
# Of an entry: a label may stand before the link.
_LINKED = 0.6
# Of a headline.
_FEWEST_WORDS, _SHORTEST = 4, 20
_WHOLE_PAGES = frozenset(("html", "body"))


class _Entry(NamedTuple):
    block: Block
    anchor: Anchor


def find(layout: Layout, reader: AnchorReader, paragraphs: list[Block]) -> list[Anchor]:
    """Return the links of the runs in the article with these paragraphs, in page order."""
    blocks = layout.blocks
    if not paragraphs:
        return []
    first, last = paragraphs[0], paragraphs[-1]
    scope = first.box.common(last.box)
    start, end = first.index, last.index
    if scope.tag not in _WHOLE_PAGES:
        while start > 0 and scope.holds(blocks[start - 1].box):
            start -= 1
        most = min(len(blocks) - 1, end + _NEAR_END)
        while end < most and scope.holds(blocks[end + 1].box):
            end += 1
    found: list[Anchor] = []
    run: list[_Entry] = []
    for block in blocks[start : end + 1]:
        entry = _entry(block, layout, reader)
        if entry is None:
            if block.prose or (run and block.index - run[-1].block.index > _MOST_BETWEEN):
                found += _anchors_of(run, blocks)
                run = []
        elif run and not _are_alike(run[-1].block, block):
            found += _anchors_of(run, blocks)
            run = [entry]
        else:
            run.append(entry)
    return found + _anchors_of(run, blocks)


def _entry(block: Block, layout: Layout, reader: AnchorReader) -> _Entry | None:
    """Return the entry that a block is; None if it is not a headline that links to an article."""
    if block.link_share <= _LINKED or visible_length(block.text) < _SHORTEST:
        return None
    start = layout.first_link(block)
    if block.links == start or word_count(block.text) < _FEWEST_WORDS or _is_other(block):
        return None
    anchors = [reader.read(layout.links[n].element) for n in range(start, block.links)]
    urls = {anchor.url for anchor in anchors if anchor}
    anchor = anchors[-1]
    return _Entry(block, anchor) if anchor and anchor.is_sure and len(urls) == 1 else None


def _is_other(block: Block) -> bool:
    """Return whether a block is in a part that is not the article's, by its name or its tag."""
    return any(
        zone.zone is Zone.STRONG
        and (zone.tag in ("nav", "footer", "menu") or meaning_of(zone.name).zone is Zone.STRONG)
        for zone in block.zones
    )


def _are_alike(block: Block, other: Block) -> bool:
    """Return whether two entries have the same look and are in neighbouring boxes of one box."""
    if block.box.name != other.box.name or block.tag != other.tag:
        return False
    if block.box is other.box:
        return True
    holder = block.box.common(other.box)
    mine, its = holder.branch_to(block.box), holder.branch_to(other.box)
    return mine is not None and its is not None and (mine.tag, mine.name) == (its.tag, its.name)


def _anchors_of(run: list[_Entry], blocks: list[Block]) -> list[Anchor]:
    """Return the links of a run; none if it is too short or the list of another part."""
    if not _FEWEST <= len({entry.anchor.id for entry in run}) <= _MOST:
        return []
    first = run[0].block.index
    for block in reversed(blocks[max(0, first - _MOST_BETWEEN) : first]):
        if part_headed_by(block.text) not in (None, Part.RELATED):
            return []
        if block.prose or block.tag in HEADINGS:
            break
    return [entry.anchor for entry in run]

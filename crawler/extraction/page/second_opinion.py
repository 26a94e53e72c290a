"""Check a body that may be wrong against other readings of the page.

The other readings are the text that the page declares in JSON-LD or has in the data of its scripts
(see script_data.py), which costs little to compare, and that of trafilatura, the most accurate
general extractor measured, which takes as long as reading the page. It is therefore asked only if
the chosen paragraphs are a small part of the page's prose, or contradict the declared text. If the
readings differ, ``Opinion.doubt`` says so.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from crawler.extraction.page.article import Chosen
from crawler.extraction.page.blocks import Block
from crawler.extraction.page.metadata import Declared
from crawler.extraction.page.parts import is_noise
from crawler.extraction.page.text import collapse, key

# Letters and digits. A shorter paragraph may be in another text by chance, and a shorter declared
# text is a summary.
_SHORTEST_PARAGRAPH, _SHORTEST_DECLARED = 16, 150
# Readings agree if this share of each is in the other.
_AGREEING = 0.7
# A reading that holds this much more than another, and nearly all of it, is taken instead.
_LONGER = 1.4
# A declared text of twice the size that has little of the body is taken instead.
_TWICE, _SHARED = 2, 0.3
# A page with more was built to be slow; trafilatura would take minutes.
_MOST_BLOCKS = 10_000
# Paragraphs that are searched within the paragraphs of another reading, which may be joined.
_MOST_SEARCHED = 500
# A reading that is so much longer is taken even if it holds nothing of the other.
_MUCH_LONGER = 4
# The share of the page's prose below which the chosen paragraphs are doubtful.
_CLEAR_SHARE = 0.5
# Characters of a body. For a shorter one, the prose in places that are not the article's counts,
# too.
_SHORT_BODY = 1_200
_STRAY_SHARE, _LEAST_SHARE_OF_PAGE = 0.35, 0.2
# The share of the declared text that the blocks must have for it to be taken from them.
_COVERED = 0.8
# Letters and digits, and the share of them that the paragraphs of a brief item must have.
_LONGEST_BRIEF, _BRIEF_SHARE = 500, 0.25
# Letters and digits. A shorter declared text may be a summary that the body does not repeat.
_LONGEST_SUMMARY = 600


@dataclass(frozen=True, slots=True)
class Opinion:
    """The paragraphs of a body, where they are from, and why they may be wrong."""

    body: tuple[str, ...]
    where: str
    doubt: str | None = None


class _Reading:
    """A reading of the body, for comparison."""

    def __init__(self, paragraphs: Sequence[str], keys: Sequence[str] | None = None) -> None:
        self.paragraphs = tuple(paragraphs)
        self._keys = keys or [key(paragraph) for paragraph in self.paragraphs]
        self._set = set(self._keys)
        self._text = "\n".join(self._keys)
        self.size = sum(map(len, self._keys))

    def size_in(self, other: "_Reading") -> int:
        """Return how many characters are in paragraphs that the other reading has, too."""
        return sum(
            len(k)
            for index, k in enumerate(self._keys)
            if len(k) >= _SHORTEST_PARAGRAPH
            and (k in other._set or (index < _MOST_SEARCHED and k in other._text))
        )

    def agrees(self, other: "_Reading") -> bool:
        """Return whether each reading holds nearly all of the other."""
        common = max(self.size_in(other), other.size_in(self))
        return common >= _AGREEING * max(self.size, other.size)

    def extends(self, other: "_Reading") -> bool:
        """Return whether this reading holds nearly all of the other, and much more."""
        common = max(self.size_in(other), other.size_in(self))
        return self.size > _LONGER * other.size and common >= _AGREEING * other.size

    def has(self, block_key: str) -> bool:
        return len(block_key) >= _SHORTEST_PARAGRAPH and block_key in self._text


def needs_more(chosen: Chosen, declared: Declared | None) -> bool:
    """Return whether a body is so short or doubtful that the page may have it in a script.

    ``declared`` is the text in JSON-LD. If that is an article's, it is enough.
    """
    if declared and len(declared.value) >= _SHORT_BODY:
        return False
    size = sum(map(len, chosen.body))
    return size < _SHORT_BODY or _is_doubtful(chosen, size)


def settle(
    text: str, chosen: Chosen, blocks: Sequence[Block], declared: Declared | None
) -> Opinion:
    """Return the body of a page, whose source is ``text``, after its readings are compared."""
    ours = _Reading(chosen.body, chosen.keys)
    opinion = Opinion(chosen.body, chosen.where)
    contradicted = False
    if declared and len(declared.value) >= _SHORTEST_DECLARED:
        stated = _Reading(declared.value.split("\n"))
        common = ours.size_in(stated)
        if common >= _AGREEING * stated.size:
            return opinion
        if stated.size > _LONGER * ours.size and common >= _AGREEING * ours.size:
            return _as_declared(declared, stated, blocks)
        if stated.size > _TWICE * ours.size and common < _SHARED * ours.size:
            doubt = f"the page shows another text than {declared.where} has"
            return replace(_as_declared(declared, stated, blocks), doubt=doubt)
        contradicted = stated.size > _LONGEST_SUMMARY
    if not contradicted and not _is_doubtful(chosen, ours.size):
        return opinion
    if len(blocks) > _MOST_BLOCKS:
        return replace(opinion, doubt="the page is too large for a second opinion")
    found = _Reading(_extract(text, chosen))
    is_brief = ours.size >= _BRIEF_SHARE * found.size and found.size < _LONGEST_BRIEF
    agrees = ours.agrees(found)
    if contradicted and agrees:
        return replace(opinion, doubt="the page declares another text in JSON-LD")
    if agrees or (is_brief and not contradicted):
        # A brief has less text than the notes about the publisher below it.
        return opinion
    if found.extends(ours) or found.size > _MUCH_LONGER * ours.size:
        doubt = f"the page's structure gives {ours.size} letters of it, trafilatura {found.size}"
        where = "trafilatura, for the page's structure does not tell"
        return Opinion(found.paragraphs, where, doubt)
    if ours.extends(found) and not contradicted:
        # A general extractor leaves out more than it takes in.
        return opinion
    return replace(opinion, doubt="trafilatura finds another text in the page")


def _is_doubtful(chosen: Chosen, size: int) -> bool:
    if chosen.share < _CLEAR_SHARE or chosen.share_of_page < _LEAST_SHARE_OF_PAGE:
        return True
    return size < _SHORT_BODY and chosen.share_of_page < _STRAY_SHARE


def _as_declared(declared: Declared, stated: _Reading, blocks: Sequence[Block]) -> Opinion:
    """Return the declared text: from the page's own paragraphs if it has them."""
    seen: set[str] = set()
    paragraphs = []
    size = 0
    for block in blocks:
        if stated.has(block.key) and block.key not in seen:
            seen.add(block.key)
            paragraphs.append(block.text)
            size += len(block.key)
    if size >= _COVERED * stated.size:
        return Opinion(tuple(paragraphs), f"paragraphs of the page that {declared.where} has")
    lines = tuple(line for raw in stated.paragraphs if (line := collapse(raw)))
    return Opinion(lines, declared.where)


def _extract(text: str, chosen: Chosen) -> tuple[str, ...]:
    """Return the paragraphs found by trafilatura, if any, without the headline and date line."""
    # Imported only when needed, because the import costs more than parsing many pages.
    import trafilatura

    # trafilatura logs an error for every page without an article, an ordinary result here.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    found = trafilatura.extract(text, fast=True, include_comments=False, include_tables=True) or ""
    excluded = {
        chosen.headline.value if chosen.headline else "",
        chosen.dated.raw if chosen.dated else "",
    }
    return tuple(
        line
        for raw in found.splitlines()
        if (line := collapse(raw)) and line not in excluded and not is_noise(line)
    )

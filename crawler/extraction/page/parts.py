"""Recognise the parts of a page that are not its article.

Related lists, sidebars, comments, share bars and footers are recognised by their names in the
markup (see blocks.py) and by the wording of their headings.
"""

import re
from collections.abc import Iterable

from lxml.etree import _Element

from crawler.extraction.page.blocks import HEADINGS, Block, Layout
from crawler.extraction.page.tree import Tree, around

# Persian pages write yeh and kaf with Arabic or Persian letters.
_PERSIAN_LETTERS = str.maketrans("يك", "یک")
_RELATED_HEADING = re.compile(
    (
        r"(?:(?:more\s+)?related(?:\s+(?:news|stor(?:y|ies)|articles?|items?|posts?|topics?|"
        r"links?|content|reports?|coverage|reading|subjects?|pages?|"
        r"materials?))?|see\s+also|read\s+(?:more|also|next)|also\s+read|"
        r"more\s+(?:on\s+this(?:\s+(?:story|topic|subject))?|like\s+this|"
        r"about\s+this(?:\s+story)?|stories|news|articles)|you\s+(?:may|"
        r"might)\s+(?:also\s+)?(?:like|be\s+interested(?:\s+in)?)|"
        r"in\s+(?:the\s+)?same\s+(?:context|category|subject)|similar\s+(?:news|stories|articles|"
        r"posts)|linked\s+(?:news|stories)|from\s+the\s+same\s+file|"
        r"(?:ال)?(?:أخبار|اخبار|مواضيع|موضوعات|مقالات|مواد|تقارير|المواضيع|الأخبار)\s+"
        r"(?:ذات\s+صلة|ذات\s+الصلة|مرتبطة|متعلقة|مشابهة|المرتبطة|المتعلقة)|"
        r"ذات\s+صلة|[اإ]قرأ\s+(?:أيضاً|أيضا|ايضا|المزيد)|(?:اخبار|خبرهای|مطالب|"
        r"خبر(?:های)?)\s*(?:ی)?\s*مرتبط|بیشتر\s+بخوانید|مرتبط(?:\s+با\s+این\s+خبر)?|"
        r"articles?\s+(?:liés|connexes)|à\s+lire\s+aussi|ähnliche\s+artikel|mehr\s+zum\s+thema|"
        r"noticias\s+relacionadas|"
        r"похожие\s+(?:новости|материалы)|по\s+теме|ilgili\s+haberler)"
    ).translate(_PERSIAN_LETTERS),
    re.IGNORECASE,
)
_OTHER_HEADING = re.compile(
    r"(?:(?:the\s+)?(?:most|top)\s+(?:read|viewed|popular|commented|shared|visited|stories|news|"
    r"recent|watched|emailed)(?:\s+\w+)?|latest(?:\s+\w+){0,2}|"
    r"(?:breaking|recent|other|top|popular|featured|trending|hot|last|today'?s|"
    r"in\s+pictures)(?:\s+(?:news|now|stories|headlines|posts|topics|articles|videos?|photos?))|"
    r"trending|headlines|editor'?s?'?\s+(?:picks?|choice)|don'?t\s+miss|"
    r"(?:\d+\s+)?(?:reader\s+)?comments?(?:\s*\(?\d+\)?)?|(?:leave|post|add|write|send)\s+(?:a\s+|"
    r"your\s+)?(?:comment|reply|opinion)s?|your\s+(?:comment|name|opinion)s?|"
    r"follow\s+us(?:\s+\w+)*|tags?|keywords|topics?|newsletter|subscribe(?:\s+\w+)*|"
    r"sign\s+up(?:\s+\w+)*|"
    r"sponsored(?:\s+\w+)*|about\s+(?:us|the\s+author)|contact(?:\s+us)?|categories|archives?|"
    r"polls?|weather|"
    r"الأكثر\s+\w+|آخر\s+الأخبار|التعليقات|تعليقات|الأخبار|پربازدید\w*(?:\s+\w+)*|آخرین\s+اخبار|"
    r"نظرات|ارسال\s+نظر)",
    re.IGNORECASE,
)
_NOISE = re.compile(
    r"(?:share|print|e-?mail|video|photos?|gallery|enjoying\s+this\b.*|(?:sign\s+up|subscribe|"
    r"join\s+us|download\s+(?:our|the)\s+app)\b.*|this\s+entry\s+was\s+posted\b.*|tweet|like|save|"
    r"send|comments?|a[+-](?:\s*a[+-])*|advertis\w+|(?:font|text)\s+size.*|click\s+(?:here|"
    r"to)\b.*|"
    r"(?:read|see|watch|also\s+read)\s*(?:also|more|too)?\s*[:>»].*|related\s*(?:news|stor\w+|"
    r"articles?)?\s*:.*|tags?\s*:.*|keywords?\s*:.*|"
    r"(?:news|story|article|report)\s*(?:id|code|no\.?|number)\s*[:#]?.*|(?:share|"
    r"follow)\s+(?:this|us|on)\b.*|"
    r"(?:©|\(c\)|copyright\b).*|.*\ball\s+rights\s+reserved\b.*|views?\s*:?\s*[\d,]+|"
    r"[\d,]+\s+(?:views?|visits?|comments?|hits)|hits\s*:.*|\d+)",
    re.IGNORECASE,
)
_TRIM = " \t:.»«>|-–—•…"


class Aside:
    """A test for blocks outside the article, by the names of zones and by headings."""

    def __init__(self, layout: Layout, anchor: Block | None) -> None:
        blocks = layout.blocks
        # A wrapper of the whole page may be named "page-with-sidebar", so zones that contain the
        # headline do not count. Nor do those of the first paragraph if all prose is in zones.
        self.void = set(anchor.zones) if anchor else set()
        prose = [b for b in blocks if b.prose and (anchor is None or b.index > anchor.index)]
        if prose and all(self.inside(b.zones) for b in prose):
            self.void.update(prose[0].zones)
        self.headed = self._under_headings(blocks, layout.tree, anchor)

    def __call__(self, block: Block) -> bool:
        return block.index in self.headed or self.inside(block.zones)

    def inside(self, zones: Iterable[_Element]) -> bool:
        return any(zone not in self.void for zone in zones)

    @staticmethod
    def _under_headings(blocks: list[Block], tree: Tree, anchor: Block | None) -> set[int]:
        indexes: set[int] = set()
        anchor_index = anchor.index if anchor else -1
        text_before: set[_Element] = set()
        for block in blocks:
            if block.prose and block.index > anchor_index:
                around([block.element], text_before)
            if block is anchor or block.index in indexes or len(block.text) > 60:
                continue
            related = heads_related(block.text)
            if not (related or heads_other(block.text)) or not _stands_alone(block):
                continue
            scope = _scope(block, blocks, tree)
            if (
                anchor
                and block.index > anchor_index
                and not text_before
                and scope is not anchor.element
                and tree.holds(scope, anchor.element)
            ):
                # A word above the text, such as the section's name, does not start a part.
                continue
            indexes.add(block.index)
            for index in range(block.index + 1, len(blocks)):
                follower = blocks[index]
                if follower is anchor or not tree.holds(scope, follower.element):
                    break
                if related and scope in text_before and follower.prose and follower.link_share == 0:
                    # The list of links was inside the text, which continues here.
                    break
                indexes.add(follower.index)
        return indexes


def heads_related(words: str) -> bool:
    """Return whether these words head a list of related articles."""
    return _RELATED_HEADING.fullmatch(words.strip(_TRIM).translate(_PERSIAN_LETTERS)) is not None


def heads_other(words: str) -> bool:
    """Return whether these words head a part that is neither the article nor its related items."""
    return _OTHER_HEADING.fullmatch(words.strip(_TRIM)) is not None


def _stands_alone(block: Block) -> bool:
    """Return whether a block can be a heading, not a link in a sentence or a menu entry."""
    return block.tag in HEADINGS or block.link_share < 0.5 or block.tag not in ("li", "p")


def _scope(block: Block, blocks: list[Block], tree: Tree) -> _Element:
    """Return the smallest element that contains a heading and the block after it."""
    if block.index + 1 == len(blocks):
        return block.element
    return tree.common(block.element, blocks[block.index + 1].element)


def is_noise(text: str) -> bool:
    """Return whether the text is page furniture: share, print, tags, copyright."""
    return len(text) < 300 and _NOISE.fullmatch(text) is not None

"""The parts of a page that are not its article: related lists, sidebars, comments, share bars, footers.

They are told by their names in the markup (see blocks.py) and by the headings over them, in the words that news sites use.
"""

import re
from collections.abc import Iterable

from lxml.etree import _Element

from crawler.extraction.page.blocks import HEADINGS, Block, Layout
from crawler.extraction.page.tree import Tree, around

# Persian pages write yeh and kaf with either language's letters.
_PERSIAN_LETTERS = str.maketrans("يك", "یک")
_RELATED_HEADING = re.compile(
    (
        r"(?:(?:more\s+)?related(?:\s+(?:news|stor(?:y|ies)|articles?|items?|posts?|topics?|links?|content|reports?|coverage|reading|subjects?|pages?|"
        r"materials?))?|see\s+also|read\s+(?:more|also|next)|also\s+read|more\s+(?:on\s+this(?:\s+(?:story|topic|subject))?|like\s+this|"
        r"about\s+this(?:\s+story)?|stories|news|articles)|you\s+(?:may|might)\s+(?:also\s+)?(?:like|be\s+interested(?:\s+in)?)|"
        r"in\s+(?:the\s+)?same\s+(?:context|category|subject)|similar\s+(?:news|stories|articles|posts)|linked\s+(?:news|stories)|from\s+the\s+same\s+file|"
        r"(?:ال)?(?:أخبار|اخبار|مواضيع|موضوعات|مقالات|مواد|تقارير|المواضيع|الأخبار)\s+(?:ذات\s+صلة|ذات\s+الصلة|مرتبطة|متعلقة|مشابهة|المرتبطة|المتعلقة)|"
        r"ذات\s+صلة|[اإ]قرأ\s+(?:أيضاً|أيضا|ايضا|المزيد)|(?:اخبار|خبرهای|مطالب|خبر(?:های)?)\s*(?:ی)?\s*مرتبط|بیشتر\s+بخوانید|مرتبط(?:\s+با\s+این\s+خبر)?|"
        r"articles?\s+(?:liés|connexes)|à\s+lire\s+aussi|ähnliche\s+artikel|mehr\s+zum\s+thema|noticias\s+relacionadas|"
        r"похожие\s+(?:новости|материалы)|по\s+теме|ilgili\s+haberler)"
    ).translate(_PERSIAN_LETTERS),
    re.IGNORECASE,
)
_OTHER_HEADING = re.compile(
    r"(?:(?:the\s+)?(?:most|top)\s+(?:read|viewed|popular|commented|shared|visited|stories|news|recent|watched|emailed)(?:\s+\w+)?|latest(?:\s+\w+){0,2}|"
    r"(?:breaking|recent|other|top|popular|featured|trending|hot|last|today'?s|in\s+pictures)(?:\s+(?:news|now|stories|headlines|posts|topics|articles|videos?|photos?))|"
    r"trending|headlines|editor'?s?'?\s+(?:picks?|choice)|don'?t\s+miss|"
    r"(?:\d+\s+)?(?:reader\s+)?comments?(?:\s*\(?\d+\)?)?|(?:leave|post|add|write|send)\s+(?:a\s+|your\s+)?(?:comment|reply|opinion)s?|your\s+(?:comment|name|opinion)s?|"
    r"follow\s+us(?:\s+\w+)*|tags?|keywords|topics?|newsletter|subscribe(?:\s+\w+)*|sign\s+up(?:\s+\w+)*|"
    r"sponsored(?:\s+\w+)*|about\s+(?:us|the\s+author)|contact(?:\s+us)?|categories|archives?|polls?|weather|"
    r"الأكثر\s+\w+|آخر\s+الأخبار|التعليقات|تعليقات|الأخبار|پربازدید\w*(?:\s+\w+)*|آخرین\s+اخبار|نظرات|ارسال\s+نظر)",
    re.IGNORECASE,
)
_NOISE = re.compile(
    r"(?:share|print|e-?mail|video|photos?|gallery|enjoying\s+this\b.*|(?:sign\s+up|subscribe|join\s+us|download\s+(?:our|the)\s+app)\b.*|this\s+entry\s+was\s+posted\b.*|tweet|like|save|send|comments?|a[+-](?:\s*a[+-])*|advertis\w+|(?:font|text)\s+size.*|click\s+(?:here|to)\b.*|"
    r"(?:read|see|watch|also\s+read)\s*(?:also|more|too)?\s*[:>»].*|related\s*(?:news|stor\w+|articles?)?\s*:.*|tags?\s*:.*|keywords?\s*:.*|"
    r"(?:news|story|article|report)\s*(?:id|code|no\.?|number)\s*[:#]?.*|(?:share|follow)\s+(?:this|us|on)\b.*|"
    r"(?:©|\(c\)|copyright\b).*|.*\ball\s+rights\s+reserved\b.*|views?\s*:?\s*[\d,]+|[\d,]+\s+(?:views?|visits?|comments?|hits)|hits\s*:.*|\d+)",
    re.IGNORECASE,
)
_TRIM = " \t:.»«>|-–—•…"


class Aside:
    """Whether a block is something else than the article: in a part so named, or under a heading that says so."""

    def __init__(self, layout: Layout, anchor: Block | None) -> None:
        blocks = layout.blocks
        # A wrapper of everything may be named "page-with-sidebar": what holds the headline is no aside, nor is what
        # holds the first paragraph after it when nothing else on the page has any.
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
        under: set[int] = set()
        at = anchor.index if anchor else -1
        text_before: set[_Element] = set()
        for block in blocks:
            if block.prose and block.index > at:
                around([block.element], text_before)
            if block is anchor or block.index in under or len(block.text) > 60:
                continue
            related = heads_related(block.text)
            if not (related or heads_other(block.text)) or not _stands_alone(block):
                continue
            scope = _scope(block, blocks, tree)
            if (
                anchor
                and block.index > at
                and not text_before
                and scope is not anchor.element
                and tree.holds(scope, anchor.element)
            ):
                # A word above the text, such as the section's name, opens nothing.
                continue
            under.add(block.index)
            for index in range(block.index + 1, len(blocks)):
                follower = blocks[index]
                if follower is anchor or not tree.holds(scope, follower.element):
                    break
                if related and scope in text_before and follower.prose and follower.link_share == 0:
                    # A list of links inside the text: the text goes on after it.
                    break
                under.add(follower.index)
        return under


def heads_related(words: str) -> bool:
    """Whether these words head a list of related articles."""
    return _RELATED_HEADING.fullmatch(words.strip(_TRIM).translate(_PERSIAN_LETTERS)) is not None


def heads_other(words: str) -> bool:
    """Whether these words head a part of the page that is neither the article nor its related items."""
    return _OTHER_HEADING.fullmatch(words.strip(_TRIM)) is not None


def _stands_alone(block: Block) -> bool:
    """A heading is no link inside a sentence, nor a menu entry among others."""
    return block.tag in HEADINGS or block.link_share < 0.5 or block.tag not in ("li", "p")


def _scope(block: Block, blocks: list[Block], tree: Tree) -> _Element:
    """The smallest element around a heading that also holds the block after it."""
    if block.index + 1 == len(blocks):
        return block.element
    return tree.common(block.element, blocks[block.index + 1].element)


def is_noise(text: str) -> bool:
    """Whether these words are a page's furniture: share, print, tags, copyright."""
    return len(text) < 300 and _NOISE.fullmatch(text) is not None

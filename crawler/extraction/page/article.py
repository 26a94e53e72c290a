"""Choose the blocks of a page that form its article: headline, date line, body, pictures.

The rules are in headline.py, dateline.py and body.py, and in parts.py for blocks outside the
article. ``Chosen.share`` tells how much of the page's prose the chosen paragraphs are; see
second_opinion.py.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

from crawler.extraction.page import body, dateline, headline
from crawler.extraction.page.blocks import Block, Layout
from crawler.extraction.page.boxes import HEADINGS
from crawler.extraction.page.dateline import Dated
from crawler.extraction.page.metadata import Declared, Metadata
from crawler.extraction.page.parts import Aside, is_bare_caption, is_caption
from crawler.extraction.page.pictures import Picture, is_main
from crawler.extraction.page.text import key

# Blocks between a main picture and the headline below it: the section, a kicker, the authors.
_MOST_ABOVE_HEADLINE, _MOST_PICTURES_ABOVE = 4, 20
# Blocks of a summary between the headline and the text.
_MOST_SUMMARY = 4


@dataclass(frozen=True, slots=True)
class Chosen:
    """The article of a page.

    ``share`` and ``share_of_page`` are those of ``Body``. ``pictures`` are those from the headline
    to the end of the body, which begins at the block ``text_start``. ``teasers`` counts the links
    followed by their own paragraph, as on a home page. ``keys`` are the comparison keys of the
    paragraphs of ``body``. ``anchor`` and ``indexes`` are the indexes of the blocks of the headline
    and of the paragraphs.
    """

    headline: Declared | None
    dated: Dated | None
    modified: Dated | None
    body: tuple[str, ...]
    keys: tuple[str, ...]
    where: str
    share: float
    share_of_page: float
    pictures: tuple[Picture, ...]
    text_start: int
    teasers: int
    anchor: int | None
    indexes: tuple[int, ...]


def choose(
    layout: Layout,
    metadata: Metadata,
    site_names: Iterable[str],
    language: str | None,
    url: str | None = None,
) -> Chosen:
    """Choose the article among a page's blocks; ``url`` is its address."""
    names = {key(name) for name in (*site_names, *metadata.site_names)}
    blocks = layout.blocks
    declared, anchor = headline.find(blocks, metadata, names)
    aside = Aside(layout, anchor)
    dates = dateline.find(layout, metadata, anchor, aside, language, url)
    title = key(declared.value) if declared else ""
    beside_pictures = _BesidePictures(layout.pictures)
    excluded = {
        b.index
        for b in blocks[anchor.index + 1 if anchor else 0 :]
        if b.index in dates.lines
        or aside(b)
        or is_caption(b)
        or (is_bare_caption(b) and beside_pictures(b))
        or (len(b.text) < 2 * len(title) + 20 and b.key == title)
    }
    found = body.find(layout, anchor, excluded, aside)
    paragraphs = found.blocks
    pictures: list[Picture] = []
    if paragraphs:
        start = anchor.index if anchor else paragraphs[0].index
        end = _end_of_article(blocks, paragraphs, aside)
        above = _just_above(layout.pictures, anchor) if anchor else []
        pictures = [
            p
            for p in layout.pictures
            if (start <= p.index <= end or p in above) and not aside.inside(p.zones)
        ]
    return Chosen(
        headline=declared,
        dated=dates.published,
        modified=dates.modified,
        body=tuple(b.text for b in paragraphs),
        keys=tuple(b.key for b in paragraphs),
        where=_describe(paragraphs),
        share=found.share,
        share_of_page=found.share_of_page,
        pictures=tuple(pictures),
        text_start=_text_start(paragraphs),
        teasers=_teasers(blocks, aside),
        anchor=anchor.index if anchor else None,
        indexes=tuple(b.index for b in paragraphs),
    )


def _text_start(body: list[Block]) -> int:
    """Return the index of the first paragraph below a summary, which is a heading or a ``div``."""
    first = body[0].index if body else 0
    return next((b.index for b in body[:_MOST_SUMMARY] if b.tag == "p"), first)


class _BesidePictures:
    """A test whether a block stands just after a picture that is no decoration."""

    def __init__(self, pictures: Iterable[Picture]) -> None:
        self._pictures: dict[int, list[Picture]] = defaultdict(list)
        for picture in pictures:
            self._pictures[picture.index].append(picture)

    def __call__(self, block: Block) -> bool:
        return block.index in self._pictures and any(
            not source.is_video
            for picture in self._pictures[block.index]
            for source in picture.sources()
        )


def _just_above(pictures: list[Picture], headline: Block) -> list[Picture]:
    """Return the main pictures that are set above the headline in the same part of the page."""
    by_index = attrgetter("index")
    first = bisect_left(pictures, headline.index - _MOST_ABOVE_HEADLINE, key=by_index)
    near = pictures[first : bisect_left(pictures, headline.index, key=by_index)]
    if not near:
        return []
    around = {e for e in headline.element.iterancestors() if e.tag not in ("body", "html")}
    return [
        picture
        for picture in near[-_MOST_PICTURES_ABOVE:]
        if any(holder in around for holder in picture.element.iterancestors())
        and any(map(is_main, picture.sources()))
    ]


def _end_of_article(blocks: list[Block], body: list[Block], aside: Aside) -> int:
    """Return the highest index at which a picture still belongs to the article."""
    last = body[-1].index
    return next((b.index for b in blocks[last + 1 :] if aside(b)), min(len(blocks), last + 12))


def _teasers(blocks: list[Block], aside: Aside) -> int:
    link_blocks = [
        b for b in blocks[:-1] if b.link_share > 0.9 and len(b.text) > 15 and not aside(b)
    ]
    # A date may come between a link and its paragraph.
    return sum(
        any(follower.prose for follower in blocks[b.index + 1 : b.index + 3]) for b in link_blocks
    )


def _describe(body: list[Block]) -> str:
    tags = list(
        dict.fromkeys(
            "li" if b.tag in ("ul", "ol") else b.tag for b in body if b.tag not in HEADINGS
        )
    )
    return "text of " + ", ".join(tags[:3])

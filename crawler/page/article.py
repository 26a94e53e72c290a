"""Which blocks of a page are its article: headline, date line, body.

What decides, in short. The headline is the visible line that the page's declarations (JSON-LD, og:title, title)
agree on. The date is what is declared, else the date line nearest to the headline. The body is the first
large group of paragraphs after the headline that share one container, less what names or headings mark as
something else. Where that group is not clearly the page's text, ``Chosen.clear`` is false and the caller may ask a
general extractor.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lxml.etree import _Element

from crawler.page import dates
from crawler.page.blocks import HEADINGS, Block, Layout, Picture, collapse
from crawler.page.dates import Moment
from crawler.page.metadata import Declared, Metadata

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
_READ_ALSO = re.compile(r"\W*(?:read|see|watch|more|related|also|اقرأ|بیشتر|شاهد)\b", re.IGNORECASE)
_UPDATED = re.compile(r"(?:updat|modif|edit|last\b|revis|تحديث|به\s?روز)[\w\s]*:?\s*(?:on|at)?\s*$", re.IGNORECASE)
_PUBLISHED = re.compile(r"publi|posted|date|issued|on\b|نشر|تاریخ|التاريخ|انتشار", re.IGNORECASE)
_HEADLINE_CLASS = re.compile(r"title|head|hdln?\b|subject|titr", re.IGNORECASE)
_LABELLED = re.compile(r"\w+(?:\s\w+)?\s*:\s|https?:|www\.", re.IGNORECASE)
_TITLE_SEPARATOR = re.compile(r"\s+[-|–—»«:•·/]+\s+|\s*(?:\|+|::+|»|«)\s*")
_WORD = re.compile(r"\w+")

_TRIM = " \t:.»«>|-–—•…"
# Blocks after the headline (or before it) among which its date line is looked for.
_DATE_AFTER, _DATE_BEFORE = 10, 4
# The least of a page's prose after the headline that the chosen group must hold to be clearly the article.
_CLEAR_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Dated:
    """A publication date: the text that states it, what it says, and where it stood."""

    raw: str
    moment: Moment
    where: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """The article of a page. ``pictures`` are those that stand from the headline to the end of the body,
    ``teasers`` counts the links that have a paragraph of their own below them, as on a home page."""

    headline: Declared | None
    dated: Dated | None
    body: tuple[str, ...]
    where: str
    clear: bool
    pictures: tuple[Picture, ...]
    teasers: int


def choose(layout: Layout, metadata: Metadata, site_names: Iterable[str], language: str | None) -> Chosen:
    """Choose the article among a page's blocks."""
    names = {_key(name) for name in (*site_names, *metadata.site_names)}
    headline, anchor = _headline(layout.blocks, metadata, names)
    same = _Same(headline.value if headline else "")
    aside = _Aside(layout.blocks, anchor)
    dated, date_blocks = _date(layout, metadata, anchor, aside, language)
    excluded = {b.index for b in layout.blocks if aside(b) or same(b.text) or b.index in date_blocks}
    body, clear = _body(layout.blocks, anchor, excluded)
    pictures: list[Picture] = []
    if body:
        start = anchor.index if anchor else body[0].index
        end = _end_of_article(layout.blocks, body, aside)
        pictures = [p for p in layout.pictures if start <= p.index <= end and not aside.inside(p.zones)]
    return Chosen(headline, dated, tuple(b.text for b in body), _describe(body), clear, tuple(pictures), _teasers(layout.blocks, aside))


def _key(text: str) -> str:
    """A text by its letters and digits alone, for comparing headlines that typesetting made different."""
    return "".join(_WORD.findall(text.casefold()))


class _Same:
    """Whether a block only repeats the headline."""

    def __init__(self, headline: str) -> None:
        self.key = _key(headline)

    def __call__(self, text: str) -> bool:
        return bool(self.key) and len(text) < 400 and _key(text) == self.key


class _Aside:
    """Whether a block is something else than the article: in a part so named, or under a heading that says so."""

    def __init__(self, blocks: list[Block], anchor: Block | None) -> None:
        around = set(anchor.zones) if anchor else set()
        first = next((b for b in blocks if b.prose and (anchor is None or b.index > anchor.index) and not _own(b, around)), None)
        # A wrapper of everything may be named "page-with-sidebar": what holds the headline is no aside, nor is what
        # holds the first paragraph after it when nothing else on the page has any.
        self.void = around
        if first is None and (inside := next((b for b in blocks if b.prose and (anchor is None or b.index > anchor.index)), None)):
            self.void = around | set(inside.zones)
        self.headed = self._under_headings(blocks, anchor)

    def __call__(self, block: Block) -> bool:
        return block.index in self.headed or self.inside(block.zones)

    def inside(self, zones: Iterable[_Element]) -> bool:
        return any(zone not in self.void for zone in zones)

    @staticmethod
    def _under_headings(blocks: list[Block], anchor: Block | None) -> set[int]:
        under: set[int] = set()
        at = anchor.index if anchor else -1
        text_before: set[_Element] = set()
        for block in blocks:
            if block.prose and block.index > at:
                text_before.update((block.element, *block.element.iterancestors()))
            if block is anchor or block.index in under or len(block.text) > 60:
                continue
            related = heads_related(block.text)
            if not (related or heads_other(block.text)) or not _stands_alone(block):
                continue
            scope = _scope(block, blocks)
            if anchor and block.index > at and not text_before and scope in anchor.element.iterancestors():
                # A word above the text, such as the section's name, opens nothing.
                continue
            under.add(block.index)
            for follower in blocks[block.index + 1 :]:
                if follower is anchor or scope not in (follower.element, *follower.element.iterancestors()):
                    break
                if related and scope in text_before and follower.prose and follower.link_share == 0:
                    # A list of links inside the text: the text goes on after it.
                    break
                under.add(follower.index)
        return under


def _own(block: Block, around: set[_Element]) -> bool:
    return any(zone not in around for zone in block.zones)


def heads_related(words: str) -> bool:
    """Whether these words head a list of related articles."""
    return _RELATED_HEADING.fullmatch(words.strip(_TRIM).translate(_PERSIAN_LETTERS)) is not None


def heads_other(words: str) -> bool:
    """Whether these words head a part of the page that is neither the article nor its related items."""
    return _OTHER_HEADING.fullmatch(words.strip(_TRIM)) is not None


def _stands_alone(block: Block) -> bool:
    """A heading is no link inside a sentence, nor a menu entry among others."""
    return block.tag in HEADINGS or block.link_share < 0.5 or block.tag not in ("li", "p")


def _scope(block: Block, blocks: list[Block]) -> _Element:
    """The smallest element around a heading that also holds what comes after it."""
    if block.index + 1 < len(blocks):
        following = blocks[block.index + 1].element
        around = {following, *following.iterancestors()}
        for element in (block.element, *block.element.iterancestors()):
            if element in around:
                return element
    return block.element


def _headline(blocks: list[Block], metadata: Metadata, names: set[str]) -> tuple[Declared | None, Block | None]:
    """Choose the headline, and the block where a reader sees it (None where it is only declared)."""
    declared = {_key(d.value) for d in metadata.headlines} - names
    title = _key(metadata.title or "")
    candidates = [b for b in blocks if len(b.text) <= 400 and (k := _key(b.text)) and k not in names and len(k) > 3]
    firsts = [b for b in candidates if b.tag == "h1"]

    def agrees(block: Block) -> bool:
        key = _key(block.text)
        return (
            key in declared
            or (len(key) >= 12 and key in title)
            or any(len(d) >= 12 and (d in key or key in d) and len(key) < 2 * len(d) + 20 and len(d) < 2 * len(key) + 20 for d in declared)
        )

    agreeing = [b for b in candidates if b.link_share < 0.9 and agrees(b)]
    # A breadcrumb or a menu repeats the headline too; the logo's h1 agrees with the end of the title.
    agreeing = [b for b in agreeing if not b.zones or b.tag == "h1"] or agreeing

    def weight(block: Block) -> tuple[bool, float]:
        key = _key(block.text)
        return key in declared, len(key) * (1.5 if block.tag == "h1" else 1.2 if block.tag in HEADINGS else 1)

    if agreeing:
        best = max(agreeing, key=weight)
        if best.tag == "h1":
            return Declared(best.text, "h1"), best
        kind = best.tag if best.tag in HEADINGS else "line"
        return Declared(best.text, f"{kind} that agrees with the page's title"), best
    outside = [b for b in firsts if not b.zones] or firsts
    if outside and (longer := _longer_heading(outside[-1], blocks)):
        # The page's h1 is its section.
        return Declared(longer.text, longer.tag), longer
    if outside:
        before = [b for b in outside if any(p.prose for p in blocks[b.index + 1 :])] or outside
        return Declared(before[-1].text, "h1"), before[-1]
    for d in metadata.headlines:
        if _key(d.value) not in names:
            return Declared(_without_site(d.value, names), d.where), None
    if visible := _visible_headline(candidates, blocks):
        return visible
    if metadata.title and _key(stripped := _without_site(metadata.title, names)) not in names:
        return Declared(stripped, "title"), None
    return None, None


def _longer_heading(first: Block, blocks: list[Block]) -> Block | None:
    """Where the h1 is a word or two: the first heading after it that is a headline and has text below."""
    if len(first.text) >= 20 or len(first.text.split()) > 2:
        return None
    for block in blocks[first.index + 1 :]:
        if block.prose:
            return None
        if block.tag in HEADINGS and len(block.text.split()) > 3 and block.link_share < 0.5 and not block.zones:
            return block
    return None


def _visible_headline(candidates: list[Block], blocks: list[Block]) -> tuple[Declared, Block] | None:
    """A page that declares nothing: its first heading before prose, or what its template names a title."""
    for where, told in (
        ("heading", lambda b: b.tag in HEADINGS),
        ("element named as a title", lambda b: len(b.text) >= 15 and bool(_HEADLINE_CLASS.search(_names_around(b.element)))),
        (
            "first line before the text",
            lambda b: 20 <= len(b.text) <= 250 and not b.sentence and not _LABELLED.match(b.text) and not dates.find(b.text),
        ),
    ):
        test: Callable[[Block], bool] = told
        found = [
            b
            for b in candidates
            if not b.zones and b.link_share < 0.5 and not heads_related(b.text) and not heads_other(b.text) and test(b)
        ]
        before_prose = [b for b in found if any(p.prose and not p.zones for p in blocks[b.index + 1 : b.index + 12])]
        if before_prose:
            first = before_prose[0]
            return Declared(first.text, first.tag if first.tag in HEADINGS else where), first
    return None


def _names_around(element: _Element) -> str:
    parent = element.getparent()
    around = (element, parent) if parent is not None and parent.tag not in ("body", "html") else (element,)
    inner = element.iterchildren("span", "font", "b", "strong")
    return " ".join(e.get("class") or e.get("id") or "" for e in (*around, *inner))


def _without_site(title: str, names: set[str]) -> str:
    """A title without the publisher's name at either end; as it is where no part is that name."""
    parts = _TITLE_SEPARATOR.split(title)
    kept = [part for part in parts if part and _key(part) not in names]
    if len(kept) == len(parts) or not kept:
        return title
    # "Headline - Section - Site": the longest part is the headline.
    return collapse(max(kept, key=len)) if len(kept) > 1 else collapse(kept[0])


def _date(layout: Layout, metadata: Metadata, anchor: Block | None, aside: _Aside, language: str | None) -> tuple[Dated | None, set[int]]:
    """Choose the publication date; also the blocks that are date lines, which are no body."""
    at = anchor.index if anchor else 0
    body_starts = next(
        (b.index for b in layout.blocks if b.index > at and b.prose and len(b.text) > 100 and not aside(b)), len(layout.blocks)
    )
    lines: list[tuple[int, Dated]] = []
    date_blocks: set[int] = set()
    for block in layout.blocks:
        if len(block.text) > 400 or (found := _dates_in(block.text, language)) is None:
            continue
        near = at < block.index <= min(at + _DATE_AFTER, body_starts) or (anchor and at - _DATE_BEFORE <= block.index < at)
        if near or not aside(block):
            date_blocks.add(block.index)
        for label, dated in found:
            if label == "updated":
                continue
            if at < block.index <= min(at + _DATE_AFTER, body_starts):
                lines.append((0 if label == "published" else 1, dated))
            elif block.index == at:
                lines.append((1, dated))
            elif anchor and at - _DATE_BEFORE <= block.index < at and (label == "published" or _close(block.element, anchor.element)):
                lines.append((2, dated))
            elif label == "published" and not aside(block):
                lines.append((3, dated))
    stamps = [
        (0 if s.published else 1, s)
        for s in layout.stamps
        if s.published or at <= s.index <= min(at + _DATE_AFTER, body_starts) or (anchor and at - _DATE_BEFORE <= s.index <= at)
    ]
    stamps = [(rank, s) for rank, s in stamps if s.index >= at - _DATE_BEFORE]
    declared = [(d.value, d.where) for d in metadata.published]
    declared += [(s.value, s.where) for _, s in sorted(stamps, key=lambda entry: entry[0])]
    choices = [Dated(value, moment, where) for value, where in declared if (moment := dates.find(value, language))]
    choices += [dated for _, dated in sorted(lines, key=lambda entry: entry[0])]
    if not choices:
        return None, date_blocks
    best = choices[0]
    if best.moment.clock is None:
        # Another place may tell the time of the same day.
        best = next((c for c in choices if c.moment.clock and c.moment.day == best.moment.day), best)
    return best, date_blocks


def _close(one: _Element, other: _Element) -> bool:
    """Whether two elements share a parent or a grandparent below the page itself."""
    near = [e for e in (one, *one.iterancestors()) if e.tag not in ("body", "html")][:3]
    return any(e in near for e in [other, *other.iterancestors()][:3])


def _dates_in(text: str, language: str | None) -> list[tuple[str, Dated]] | None:
    """The dates of a date line, each with its label (published, updated or nothing); None if the text is prose."""
    found: list[tuple[str, Dated]] = []
    rest = ""
    position = 0
    while moment := dates.find(text[position:], language):
        before = text[position : position + moment.start]
        label = "updated" if _UPDATED.search(before) else "published" if _PUBLISHED.search(before) else ""
        raw = text[position + moment.start : position + moment.end].strip()
        found.append((label, Dated(raw, moment, "date line")))
        rest += before
        position += max(moment.end, 1)
    rest += text[position:]
    # A date line is little but its date: labels, a name, a section. Prose goes on for longer, and is a sentence.
    letters = sum(c.isalpha() for c in rest)
    if found and found[0][0] == "published" and re.search(r"posted\s+(?:\w+\s+){0,3}on\W*$", text[: text.find(found[0][1].raw)]):
        return found
    if not found or letters > 90 or (letters > 25 and re.search(r"[a-z]{3,}[.!?]\s*$", rest) and " " in rest.strip()):
        return None
    return found


def _body(blocks: list[Block], anchor: Block | None, excluded: set[int]) -> tuple[list[Block], bool]:
    """Choose the paragraphs; also whether they are clearly the article's."""
    at = anchor.index if anchor else -1
    usable = [b for b in blocks if b.index > at and b.index not in excluded]
    prose = [b for b in usable if b.prose and not _is_noise(b)]
    if not prose:
        prose = [
            b for b in usable if b.sentence and len(b.text) >= 15 and b.link_share < 0.4 and b.tag not in HEADINGS and not _is_noise(b)
        ]
    if not prose:
        return [], False
    counts: dict[_Element, int] = defaultdict(int)
    for b in blocks:
        counts[b.element] += 1
    groups: dict[_Element, list[Block]] = defaultdict(list)
    for b in prose:
        groups[_container(b, counts)].append(b)
    above = [anchor.element, *anchor.element.iterancestors()] if anchor else []
    hops = {element: hop for hop, element in enumerate(above)}

    def score(container: _Element) -> float:
        size = sum(len(b.text) for b in groups[container])
        hop = next((hops[e] for e in (container, *container.iterancestors()) if e in hops), len(hops))
        return size * 0.7**hop

    best = max(groups, key=score)
    inside = [b for b in usable if best in (b.element, *b.element.iterancestors())]
    first, last = groups[best][0].index, groups[best][-1].index
    chosen = {b.index for b in inside if first <= b.index <= last}
    # Around the group: paragraphs of the same article that the markup put into containers of their own.
    parent = best.getparent()
    family = set(best.iterancestors()) & ({parent, parent.getparent()} if parent is not None else set())
    for b in prose:
        if b.index < first or (b.index > last and family & {b.element, *b.element.iterancestors()} and b.tag != "td"):
            if b.index < first and above and not set(above[:6]) & set(b.element.iterancestors()):
                continue
            chosen.add(b.index)
    for b in inside:
        if b.index > last and (b.sentence or b.tag == "li") and b.index <= max(chosen) + 3:
            chosen.add(b.index)
    body = [b for b in usable if b.index in chosen and not _is_noise(b)]
    while body and not body[0].prose and not body[0].sentence:
        body.pop(0)
    while body and not body[-1].prose and not body[-1].sentence and body[-1].tag != "li":
        body.pop()
    total = sum(len(b.text) for b in prose)
    clear = sum(len(b.text) for b in body if b.prose or len(prose) < 3) >= _CLEAR_SHARE * total
    return body, clear


def _end_of_article(blocks: list[Block], body: list[Block], aside: _Aside) -> int:
    """The index of the first block after the body that is something else: pictures may go on until there."""
    last = body[-1].index
    return next((b.index for b in blocks[last + 1 :] if aside(b)), min(len(blocks), last + 12))


def _teasers(blocks: list[Block], aside: _Aside) -> int:
    linked = [b for b in blocks[:-1] if b.link_share > 0.9 and len(b.text) > 15 and not aside(b)]
    # A date may stand between a link and its paragraph.
    return sum(any(follower.prose for follower in blocks[b.index + 1 : b.index + 3]) for b in linked)


def _container(block: Block, counts: dict[_Element, int]) -> _Element:
    """What groups a paragraph with its fellows: the element around it, or its own if that holds several."""
    element = block.element
    if counts[element] > 1 or element.tag in ("td", "article", "section", "main", "body"):
        return element
    for parent in element.iterancestors():
        if parent.tag not in ("blockquote", "ul", "ol", "li"):
            return parent
    return element


def _is_noise(block: Block) -> bool:
    if block.link_share > 0.6 or (block.link_share > 0.35 and (not block.sentence or _READ_ALSO.match(block.text))):
        return True
    return is_noise(block.text)


def is_noise(text: str) -> bool:
    """Whether these words are a page's furniture: share, print, tags, copyright."""
    return len(text) < 300 and _NOISE.fullmatch(text) is not None


def _describe(body: list[Block]) -> str:
    tags = list(dict.fromkeys("li" if b.tag in ("ul", "ol") else b.tag for b in body if b.tag not in HEADINGS))
    return "text of " + ", ".join(tags[:3])

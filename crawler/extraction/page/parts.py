"""Recognise the parts of a page that are not its article.

Related lists, sidebars, comments, share bars and footers are recognised by their names in the
markup (see boxes.py) and by the wording of their headings.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice

from crawler.extraction.page.blocks import Block, Layout
from crawler.extraction.page.boxes import (
    HEADINGS,
    Box,
    Zone,
    is_named_as_text,
    meaning_of,
)
from crawler.extraction.page.headings import Part, announcement, part_headed_by

# Page furniture: offers to share, to print or to read more, counters, ornaments such as "* * *",
# and notes of copyright.
_NOISE = re.compile(
    r"(?:share|print|e-?mail|video|photos?|gallery|enjoying\s+this\b.*|(?:sign\s+up|subscribe|"
    r"join\s+us|download\s+(?:our|the)\s+app)\b(?:(?=\s+(?:for|to)\s+(?:our|"
    r"your|free|daily|weekly|this|continue|keep|read|unlock)\b)|"
    r"(?=.*\b(?:newsletters?|e-?mails?|inbox|app|alerts?|"
    r"notifications?|channel|whatsapp|telegram|updates|podcast)\b)).*|"
    r"this\s+entry\s+was\s+posted\b.*|tweet|like|save|"
    r"send|comments?|a[+-](?:\s*a[+-])*|"
    r"\W*(?:ad|advertis\w+|anzeige|reklama?|publicit[ée]|publicidad|pubblicità|advertentie|"
    r"annonse?|mainos|werbung)(?:[\W\d]+(?:scroll\s+to|continue\s+reading|"
    r"(?:story|article)\s+continues)\b.{0,40}|\W*)|article\s+content|"
    r"(?:by|von|par|por|di|door)\s+(?-i:(?:[A-ZÀ-Þ][\w.'’-]*(?:\s+|$)){2,4})|"
    r"(?:story|article)\s+continues\s+(?:below|after)\b.*|"
    r"listen\s+to\s+this\s+(?:article|story)\b.*|"
    r"(?:font|text)\s+size.*|click\s+(?:here|"
    r"to)\b.*|"
    r"(?:read|see|watch)\s*[:>»|].*|tags?\s*:.*|keywords?\s*:.*|"
    r"(?:news|story|article|report)\s*(?:id|code|no\.?|number)\s*[:#]?\s*[\w-]*\d.*|(?:share|"
    r"follow|share\s+or\s+comment)\s+(?:this|us|on)\b[^.!?]{0,60}|"
    r"(?:(?:©|\(c\))|copyright\s*(?:©|\(c\)|\d|by\b|:)).*|views?\s*:?\s*[\d,]+|"
    r"[\d,]+\s+(?:views?|visits?|comments?|hits)|hits\s*:.*|\d+|[\W_]{1,10}|"
    r"(?:特别声明|Notice)[:：].{0,40}(?:平台|content\s+above).*)",
    re.IGNORECASE,
)
# Offers that often stand between or below the paragraphs, with the same look.
_OFFER = re.compile(
    r"(?:get|receive|start)\b.*\byour\s+inbox\b.*|you\s+can\s+unsubscribe\b.*|"
    r".*\bsign\s+up\s+(?:here|now|today)\W*|"
    r"(?:to\s+)?(?:continue|keep)\s+reading\b.*\b(?:subscri|sign|log|regist)\w*\b.*|"
    r"this\s+(?:article|story|content)\s+is\b.*\bfor\s+(?:\w+\s+)?subscribers\b.*|"
    r".{0,40}(?:会員限定|有料会員|有料記事).{0,60}(?:です|ます|こちら)[。！]?|"
    r"(?:do\s+you\s+)?(?:have|got)\s+(?:a|any)\s+(?:news\s+)?(?:tips?|story|stories)\b[^?]*\?.*|"
    r"support\s+(?:our|independent)\s+journalism\b.*|"
    r"for\s+(?:the\s+latest|more)\b.*\b(?:newsletters?|sign\s+up|subscribe)\b.*|"
    r".*\b(?:may|might)\s+(?:earn|receive|get)\b.{0,30}\bcommissions?\b.*|"
    r".*\bréservée?\s+aux\s+abonnés\W*|"
    r"to\s+contact\s+the\s+(?:reporters?|editors?|authors?)\b.*|"
    r"(?:inscrivez-vous|abonnez-vous|recevez|suscríb\w+|apúntate|recibe|melden\s+sie\s+sich|"
    r"abonnieren\s+sie|iscriviti|ricevi|inscreva-se|assine|receba|cek|simak|ikuti|"
    r"dapatkan|gabung|zapisz\s+się|подпи\w+)\b.*"
    r"\b(?:newsletters?|lettre|boletín|канал\w*|telegram|whatsapp|google\s+news|e-?mail|"
    r"posteingang)\b.*|"
    r"(?:follow|puedes\s+seguir\w*|sigue|síguenos|suivez|folgen?|segui\w*|siga)\b.*"
    r"\b(?:on|en|sur|auf|su|no)\s+(?:twitter|facebook|instagram|linkedin|whatsapp|telegram)\b.*",
    re.IGNORECASE,
)
_WORDS_OF_OFFERS = tuple(
    "inbox unsubscribe sign newsletter tip stor journalism contact lettre boletín канал telegram "
    "whatsapp mail posteingang twitter facebook instagram linkedin reading subscribers commission "
    "abonnés google 会員 有料".split()
)
_RIGHTS = re.compile(
    r"\b(?:all\s+rights\s+reserved|alle\s+rechte\s+vorbehalten|tous\s+droits\s+réservés|"
    r"todos\s+los\s+"
    r"derechos\s+reservados|tutti\s+i\s+diritti\s+riservati|todos\s+os\s+direitos\s+reservados|"
    r"wszelkie\s+prawa\s+zastrzeżone)\b",
    re.IGNORECASE,
)
# Each such note has one of these parts of words; searching for them takes a tenth of the time.
_WORDS_OF_RIGHTS = ("reserv", "vorbehalten", "réserv", "riserv", "zastrze")
_WORDS_OF_CONSENT = tuple(
    "partner parten socios proveedores terze parceiros device tracker resurface consent extern "
    "einverstanden drittplattform klick hosted includes choices permission".split()
)
# The names of templates' buttons, and questions that only a consent dialogue asks.
_CONSENT = re.compile(
    r"\b(?:we\s+and\s+our\s+(?:\d+\s+)?partners|our\s+\d+\s+partners|wir\s+und\s+unsere\s+"
    r"(?:\d+\s+)?partner|nous\s+et\s+nos\s+(?:\d+\s+)?partenaires|nosotros\s+y\s+nuestros\s+"
    r"(?:\d+\s+)?(?:socios|proveedores)|noi\s+e\s+(?:i\s+nostri\s+)?(?:\d+\s+)?(?:partner|terze)|"
    r"wij\s+en\s+onze\s+(?:\d+\s+)?partners|nós\s+e\s+os\s+nossos\s+(?:\d+\s+)?parceiros|"
    r"my\s+i\s+nasi\s+(?:\d+\s+)?partnerzy|"
    r"store\s+and(?:/or)?\s+access\s+information\s+on\s+a(?:\s+device)?|"
    r"if\s+trackers\s+are\s+disabled|resurface\s+this\s+menu|withdraw\s+(?:your\s+)?consent|"
    r"an\s+dieser\s+stelle\s+(?:findest\s+du|finden\s+sie|befindet\s+sich)\b.{0,80}\bextern|"
    r"damit\s+einverstanden,?\s+dass\s+(?:mir|ihnen|dir)\s+(?:externe\s+)?inhalte|"
    r"personenbezogene\s+daten\s+(?:können\s+)?an\s+drittplattformen|"
    r"mit\s+einem\s+klick\s+anzeigen\s+lassen|this\s+(?:article|content)\s+(?:includes|is\s+hosted)"
    r"\b.{0,60}\b(?:provided\s+by|third\s+party)|your\s+choices\s+will\s+have\s+effect\s+within|"
    r"we\s+ask\s+for\s+your\s+permission\s+before\s+anything\s+is\s+loaded)",
    re.IGNORECASE,
)
_PHOTO_CREDIT = re.compile(
    r"(?:^|[(\[]|[.!?”\"]\s)(?:photo|foto|picture|image|bild|credit|photograph|fotografía|fotó|zdj|"
    r"фото)s?(?:\s+(?:credit|by|courtesy|de|di|von))?\s*[:©/]\s?[^.!?]{2,60}[)\]]?$|"
    r"\((?:ap|afp|reuters|epa|dpa|getty(?:\s+images)?)\s+(?:photo|image)[^)]{0,40}\)$|"
    r"^(?:©|\(c\))\s?[^.!?]{2,60}$",
    re.IGNORECASE,
)
_LONGEST_CAPTION, _LONGEST_BARE_CAPTION = 250, 120
_DIGIT = re.compile(r"\d")
_EDITORS_CODE = re.compile(
    r"(?=.*[\d/])(?:[A-Z]{1,4}(?:[/.-][A-Z]{1,4})*)?\s*(?:\d{1,4}(?:[/-]\d{1,4})*)?"
)
_EMPTY_LABEL = re.compile(r"\w++(?:\s\w++)?:|More\s?Images?", re.IGNORECASE)
_LONGEST_CODE, _LONGEST_LABEL, _SHORTEST_HEADLINE = 16, 40, 8
_LONGEST_NOISE, _LONGEST_CONSENT = 300, 600
# The share of the prose after the headline above which a zone is the text itself, and above which a
# box that the markup names as the text is.
_TEXT_SHARE, _NAMED_TEXT_SHARE = 0.5, 0.3
# The share above which a zone beside the text may be a part of it, and the number of paragraphs of
# so many characters and with so few links that it then has.
_PART_SHARE, _FEWEST_LONG, _LONG_PARAGRAPH, _LITTLE_LINKED = 0.15, 3, 100, 0.3
# Labels above the text. A page with more was built to be slow to read.
_MOST_LABELS = 100
# Spaces in a label that is not set as a heading.
_MOST_IN_A_LABEL = 3
# The link share of a paragraph of the text after an offer within it.
_LINKED = 0.4


class Aside:
    """A test for blocks outside the article, by the names of zones and by headings."""

    def __init__(self, layout: Layout, anchor: Block | None) -> None:
        blocks = layout.blocks
        self.void = _void_zones(blocks, anchor)
        self.headed = self._under_headings(blocks, anchor)

    def __call__(self, block: Block) -> bool:
        return block.index in self.headed or self.inside(block.zones)

    def inside(self, zones: Iterable[Box]) -> bool:
        return any(zone not in self.void for zone in zones)

    def _under_headings(self, blocks: list[Block], anchor: Block | None) -> set[int]:
        indexes: set[int] = set()
        anchor_index = anchor.index if anchor else -1
        text_before: set[Box] = set()
        labels = 0  # above the text
        looks_before: set[tuple[str, ...]] = set()
        for block in blocks:
            if block.index in indexes:
                continue
            if block.prose and block.index > anchor_index and not self.inside(block.zones):
                for box in block.box.around():
                    if box in text_before:
                        break
                    text_before.add(box)
                looks_before.add(look_of(block))
            if block is anchor or not _heads_part(block):
                continue
            scope = _scope(block, blocks)
            is_above = anchor is not None and block.index > anchor_index and not text_before
            labels += is_above
            if (
                anchor
                and is_above
                and labels <= _MOST_LABELS
                and scope is not anchor.box
                and (scope.holds(anchor.box) or self._holds_text(scope, blocks, block.index))
            ):
                # A word above the text, such as the section's name, does not start a part.
                continue
            indexes.add(block.index)
            part = part_headed_by(block.text)
            within_text = scope in text_before and part is not Part.COMMENTS
            for index in range(block.index + 1, len(blocks)):
                follower = blocks[index]
                if follower is anchor or not scope.holds(follower.box):
                    break
                if within_text and _continues(
                    follower, looks_before, after_links=part is Part.RELATED
                ):
                    # The list or the offer was inside the text; so is a heading below it.
                    if blocks[index - 1].tag in HEADINGS and index - 1 > block.index:
                        indexes.discard(index - 1)
                    break
                indexes.add(index)
        return indexes

    def _holds_text(self, scope: Box, blocks: list[Block], index: int) -> bool:
        """Return whether a box holds most of the prose below a block."""
        below = [b for b in blocks[index:] if b.prose and not self.inside(b.zones)]
        total = sum(b.size for b in below)
        return sum(b.size for b in below if scope.holds(b.box)) > _TEXT_SHARE * total


def _heads_part(block: Block) -> bool:
    """Return whether a block heads a part of the page that is not its article."""
    part = part_headed_by(block.text)
    if part is None:
        return False
    # "Subscribe now to read the whole story" is a part by itself.
    is_offer = block.tag not in HEADINGS and block.text.count(" ") >= _MOST_IN_A_LABEL
    return (part is Part.RELATED or not is_offer) and _stands_alone(block)


def _continues(block: Block, looks: set[tuple[str, ...]], *, after_links: bool) -> bool:
    """Return whether the text goes on with a block, below a list of links or another part.

    The block must look like paragraphs that the text had before. Below a list of links, paragraphs
    without links need not.
    """
    if after_links and block.link_share == 0 and block.prose:
        return True
    is_text = block.prose or (block.link_share == 0 and block.sentence)
    return is_text and block.link_share < _LINKED and look_of(block) in looks


def look_of(block: Block) -> tuple[str, ...]:
    """Return the tags and names of a block's box and the one around it."""
    parent = block.box.parent
    around = (parent.tag, parent.name) if parent is not None else ()
    return block.tag, block.box.name, *around


def _void_zones(blocks: list[Block], anchor: Block | None) -> set[Box]:
    """Return the zones that are part of the article in spite of their names."""
    # A wrapper of the whole page may be named "page-with-sidebar", so zones that contain the
    # headline do not count.
    void = set(anchor.zones) if anchor else set()
    prose = [b for b in blocks if b.prose and (anchor is None or b.index > anchor.index)]
    open_prose = [b for b in prose if all(z.zone is not Zone.STRONG or z in void for z in b.zones)]
    total = sum(b.size for b in open_prose)
    sizes: dict[tuple[str, frozenset[str]], int] = defaultdict(int)
    zones: dict[tuple[str, frozenset[str]], dict[Box, int]] = defaultdict(dict)
    for b in open_prose:
        seen = set()
        for zone in b.zones:
            if zone not in void:
                signature = (zone.tag, kind_of_name(zone))
                long = b.size >= _LONG_PARAGRAPH and b.link_share < _LITTLE_LINKED
                zones[signature][zone] = zones[signature].get(zone, 0) + long
                if signature not in seen:
                    seen.add(signature)
                    sizes[signature] += b.size
    text_boxes = {
        box for b in open_prose if void.issuperset(b.zones) for box in islice(b.box.around(), 3)
    }
    for signature, size in sizes.items():
        if size > _TEXT_SHARE * total:
            void.update(zones[signature])
        elif size > _PART_SHARE * total:
            # Beside paragraphs of the text, several long ones are its continuation.
            together = sum(zones[signature].values()) if signature[0] == "p" else 0
            void.update(
                zone
                for zone, count in zones[signature].items()
                if max(count, together) >= _FEWEST_LONG and zone.parent in text_boxes
            )
    void |= _zones_around_named_text(open_prose, total)
    if prose and all(any(z not in void for z in b.zones) for b in prose):
        void.update(prose[0].zones)
    return void


def kind_of_name(box: Box) -> frozenset[str]:
    """Return the classes of a box that are not made for it alone, as those with numbers are."""
    name = box.element.get("class") or box.name
    return frozenset(word for word in name.split() if not _DIGIT.search(word))


def _zones_around_named_text(prose: list[Block], total: int) -> set[Box]:
    """Return the zones around boxes that the markup names as the text of an article."""
    nearest: dict[Box, Box | None] = {}
    sizes: dict[Box, int] = defaultdict(int)
    zones: dict[Box, set[Box]] = defaultdict(set)
    for b in prose:
        if not b.zones:
            continue
        text = _named_text_around(b.box, nearest)
        if text is not None:
            sizes[text] += b.size
            zones[text].update(zone for zone in b.zones if zone is not text and zone.holds(text))
    return {
        zone
        for text, size in sizes.items()
        if size > _NAMED_TEXT_SHARE * total
        for zone in (*zones[text], text)
    }


def _named_text_around(box: Box, nearest: dict[Box, Box | None]) -> Box | None:
    path = []
    found: Box | None = None
    for outer in box.around():
        if outer in nearest:
            found = nearest[outer]
            break
        path.append(outer)
        if is_named_as_text(outer):
            found = outer
            break
    nearest.update(dict.fromkeys(path, found))
    return found


def _stands_alone(block: Block) -> bool:
    """Return whether a block can be a heading, not a link in a sentence or a menu entry."""
    return block.tag in HEADINGS or block.link_share < 0.5 or block.tag not in ("li", "p")


def _scope(block: Block, blocks: list[Block]) -> Box:
    """Return the smallest box that contains a heading and the block after it."""
    if block.index + 1 == len(blocks):
        return block.box
    return block.box.common(blocks[block.index + 1].box)


def is_noise(text: str) -> bool:
    """Return whether the text is page furniture: share, print, tags, copyright, consent."""
    words = text[:_LONGEST_CONSENT].lower()
    if len(text) < _LONGEST_NOISE:
        if _NOISE.fullmatch(text) is not None or announcement(text):
            return True
        if any(map(words.__contains__, _WORDS_OF_RIGHTS)) and _RIGHTS.search(text):
            return True
        if any(map(words.__contains__, _WORDS_OF_OFFERS)) and _OFFER.fullmatch(text):
            return True
    return any(map(words.__contains__, _WORDS_OF_CONSENT)) and (
        _CONSENT.search(text, 0, _LONGEST_CONSENT) is not None
    )


def is_caption(block: Block) -> bool:
    """Return whether a block is the caption of a picture, by its name or the credit at its end."""
    if meaning_of(block.box.name).is_caption:
        return True
    text = block.text
    may_credit = len(text) < _LONGEST_CAPTION and any(map(text.__contains__, ":©/()"))
    return may_credit and _PHOTO_CREDIT.search(text) is not None


def is_bare_caption(block: Block) -> bool:
    """Return whether a block just after a picture is its caption: a short line, no sentence."""
    return (
        block.tag not in HEADINGS
        and block.size < _LONGEST_BARE_CAPTION
        and not block.sentence
        and block.link_share == 0
    )


def without_furniture(lines: Sequence[str], headline: str, *, leaks: bool = False) -> list[str]:
    """Return the lines of a text without those at its end that an editing system adds.

    These are a label without a value ("Category:"), the headline once for each further picture
    ("MoreImage"), and, above these or above a leaked dump (``leaks``), an editor's code ("218-12",
    "S/SH 11").
    """
    kept = list(lines)
    has_codes = leaks
    while kept:
        line = kept[-1]
        is_code = len(line) <= _LONGEST_CODE and _EDITORS_CODE.fullmatch(line) is not None
        if line and not _is_furniture(line, headline) and not (has_codes and is_code):
            break
        has_codes = has_codes or line != ""
        kept.pop()
    return kept


def _is_furniture(line: str, headline: str) -> bool:
    if len(headline) >= _SHORTEST_HEADLINE and not line.replace(headline, "").strip():
        return True
    return len(line) <= _LONGEST_LABEL and _EMPTY_LABEL.fullmatch(line) is not None

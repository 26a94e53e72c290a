"""Read the caption and the credit of a picture.

A caption is the text of a ``<figcaption>`` or of an element that the markup names a caption, around
or just after the picture. ``alt`` and ``title`` are not captions: they describe the picture to
those who do not see it, or repeat the headline. A caption that could be that of several pictures is
not taken.

A credit names who made the picture or owns it. It stands in an element of its own, or at the end of
the caption behind a label, a sign or in brackets; the caption is then the text before it.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from lxml import etree
from lxml.etree import _Element

from crawler.extraction.page.boxes import meaning_of
from crawler.extraction.page.pictures import IMAGE_TAGS
from crawler.extraction.page.text import clean, has_many_elements
from crawler.extraction.page.tree import around, class_of

# A figure is so many elements up at most; another container is nearer, and has fewer elements.
_MOST_LEVELS, _MOST_LEVELS_WITHOUT_FIGURE, _MOST_ELEMENTS = 8, 5, 60
_MOST_IN_A_FIGURE = 400
_LONGEST_CAPTION, _LONGEST_CREDIT = 2_000, 120
_PAGE_PARTS = frozenset(("article", "main", "body", "html"))
_UNREAD = frozenset(
    "script style noscript template svg button input select textarea iframe video audio img "
    "amp-img picture object time".split()
)
_LINES = frozenset(
    "p div br li ul ol dl dt dd tr td h1 h2 h3 h4 h5 h6 section header footer".split()
)
_FOR_SCREEN_READERS = re.compile(r"sr-only|visually-?hidden|screen-reader", re.IGNORECASE)
_CREDIT_NAME = re.compile(
    r"credit|kredit|crédit|copyright|photograph(?:er|e)(?![a-z])|fotograf|bildquelle"
    r"|(?:photo|image|img|foto|bild|picture)s?[_-]*(?:author|auteur|autor|source|quelle|byline)",
    re.IGNORECASE,
)
# Names that beside a caption are those of the article's author, and within it of the picture's.
_INNER_CREDIT_NAME = re.compile(
    r"credit|kredit|crédit|copyright|photograph(?:er|e)(?![a-z])|fotograf|quelle|attribution|byline"
    r"|agency|agencia"
    r"|(?<![a-z])(?:source|sources|author|auteur|autor|autore|rights|agence)(?![a-z])",
    re.IGNORECASE,
)
_CREDIT_ITEMS = frozenset(("copyrightholder", "copyrightnotice", "credittext"))
_INNER_CREDIT_ITEMS = _CREDIT_ITEMS | {"creator", "author", "contributor"}
_CREDIT_TAGS = ("cite", "small")

# Words before a credit in the languages of news, in the order of their scripts.
_LABEL = (
    r"(?:(?:file|stock|courtesy|hand-?out|archiv|symbol|agentur|beispiel|titel|handout)[ -]?)?"
    r"(?:photos?|photographs?|pictures?|pics?|images?|fotos?|fotók?|bilder|bild|beeld|billede|"
    r"fotografía|fotografia|fotografie|photographie|imagen|imagem|immagine|kuva|zdjęcie|zdj\.|"
    r"fot\.|fotoğraf|görsel|gambar|ảnh|φωτογραφία|φωτό|φωτο|снимка|фотографии|фотография|фото|صورة|"
    r"الصورة|تصوير|عکس|تصویر|צילום|तस्वीर|फोटो|ছবি|ภาพ|图片|圖片|图|圖|攝影|摄影|照片|写真|사진)"
    r"(?:[ -]?(?:credits?|source|courtesy|provided|rights|crédits?|agence|nachweis|quelle|cortesía|"
    r"divulgação|来源|來源|提供|제공))?"
    r"|credits?|crédits?(?:[ -]photos?)?|créditos?|crediti|kredit|source|courtesy|fuente|fonte|"
    r"quelle|bildquelle|bron|källa|kilde|lähde|źródło|zdroj|forrás|kaynak|sursa|sumber|nguồn|πηγή|"
    r"источник|джерело|المصدر|مصدر|منبع|קרדיט|स्रोत|সূত্র|ที่มา|เครดิต|来源|來源|提供|출처|자료"
)
_BY = r"by|courtesy(?:\s+of)?|von|de|di|door|av|af|by courtesy of"
_AGENCY = (
    r"AFP|AP|Associated Press|Reuters|EPA(?:-EFE)?|dpa|Getty(?: Images)?|ANSA|EFE|TASS|Xinhua|"
    r"Bloomberg|PA(?: Wire| Media)?|Keystone(?:-SDA)?|Belga|ANP|NTB|TT|Ritzau(?: Scanpix)?|Scanpix|"
    r"PAP|ČTK|MTI|APA|Lusa|Agência Brasil|Kyodo|Jiji|Yonhap|AAP|PTI|ANI|Anadolu(?: Agency)?|IMAGO|"
    r"imago images|picture alliance|Shutterstock|Alamy|iStock|Unsplash|Pixabay|"
    r"Wikimedia(?: Commons)?|Sputnik|NurPhoto|ZUMA|SIPA|Abaca|Europa Press|"
    r"LaPresse|Lehtikuva|Antara|Bernama|"
    r"РИА Новости|ТАСС|Рейтер|УНИАН|Укринформ|رويترز|أ ف ب|ا ف ب|الأناضول|新华社|新華社|ロイター|"
    r"共同|時事|연합뉴스|뉴시스|뉴스1"
)
_AGENCIES = rf"(?:{_AGENCY})(?:\s?(?:/|via|,|\||-)\s?(?:{_AGENCY}))*"
# "Jane Doe/City Agency": up to four capitalised words.
_NAMES = (
    r"(?-i:[A-ZÀ-ÞА-Я][\w.'’-]{1,20}"
    r"(?:\s[A-ZÀ-ÞА-Я][\w.'’-]{0,20}|\s(?:von|van|de|da|di|del|der|la|el|al)(?=\s)){0,4})"
)
_TAIL = 200
"""Characters at the end of a caption that may hold its credit."""
_BRACKETED = re.compile(
    rf"[(\[（【［]\s*(?:"
    rf"(?:{_LABEL})\s*(?:[:：=＝/／|]|(?:{_BY})\s)\s*(?P<labelled>[^()\[\]（）【】［］]{{2,100}})|"
    rf"(?:©|ⓒ|\(c\)|copyright\b)\s*(?P<signed>[^()\[\]（）【】［］]{{2,100}})|"
    rf"(?P<agency>(?:{_AGENCIES})(?:\s+(?:photo|foto|file)s?)?"
    rf"(?:\s?/\s?[^()\[\]（）【】［］/]{{2,60}})?)|"
    rf"(?P<taken>[^()\[\]（）【】［］]{{2,60}})(?:摄|攝|撮影|提供)|"
    rf"(?P<named>{_NAMES}\s?/\s?{_NAMES})"
    rf")\s*[)\]）】］][.。]?$",
    re.IGNORECASE,
)
_LABELLED = re.compile(
    rf"(?<![^\W\d_])(?P<label>{_LABEL})\s?(?:[:：=＝]|\s\|\s|(?P<by>\s(?:{_BY})\s))\s*",
    re.IGNORECASE,
)
# Without a space, because these scripts have none between words.
_LABELLED_DENSE = re.compile(
    r"(?P<label>(?:写真|사진|图片来源|圖片來源|图|圖)(?:제공|提供)?)[:：=＝/／]\s*"
)
_SIGNED = re.compile(
    r"(?:©|ⓒ|[(（][cＣ][)）]"
    r"|(?:^|(?<=[.!?|–-]\s))copyright\s*(?:[:©]|by\s|(?=\d|(?-i:[A-Z]))))\s*",
    re.IGNORECASE,
)
# "Fot. Jan Kowalski", "ph. Mario Rossi"
_ABBREVIATED = re.compile(r"(?<!\w)(?:fot|zdj|ph)\.\s*", re.IGNORECASE)
_ENDING_AGENCY = re.compile(
    rf"(?:(?P<sentence>[.!?…”\"»。])\s*|\s[|–—/-]\s)(?P<agency>(?:{_NAMES}\s?/\s?)?(?:{_AGENCIES})"
    rf"(?:\s?(?:photo|pic|foto)s?)?(?:\s?/\s?[^/.]{{2,60}})?)$"
)
_TAKEN = re.compile(r"(?P<mark>[＝=])(?P<name>[^、＝=。]{2,20})(?:撮影|提供)$")
_CLOSING = (")", "]", "）", "】", "］")
_ONLY_AGENCY = re.compile(_AGENCIES)
_INNER_SENTENCE = re.compile(r"[^\W\d_]{3}[.!?]\s+\S|[。！？؟۔।]\s*\S")
_BEFORE_LABEL = " \t|–—•·/,;-(["
_SENTENCE_MARKS = ".!?…\"”’'»)]。！？」』）】|–—•·/؟۔।:;-"
# A full stop after these is not the end of a sentence: "AP Inc.", "J. D."
_ABBREVIATION = re.compile(r"(?:^|[ .])(?:inc|ltd|co|corp|llc|jr|sr|[^\W\d_])\.$", re.IGNORECASE)
# A label that stands alone at either end of a text.
_FIRST_LABEL = re.compile(
    rf"(?:(?:{_LABEL})\s*(?:[:：=＝,|/／]\s*|(?:{_BY})\s+)|(?:©|ⓒ|\(c\)\s?|copyright\b)\s*|by\s+)+",
    re.IGNORECASE,
)
_LAST_LABEL = re.compile(
    rf"(?:^|[\s(\[（|])(?:(?:{_LABEL})\s?(?:[:：=＝|]|\s(?:{_BY}))|©|ⓒ)\s*$", re.IGNORECASE
)
_WRAPPED = re.compile(r"[(\[（【]([^()\[\]（）【】]+)[)\]）】]")
_EDGES = " \t|–—•·/,;-:"


class Caption(NamedTuple):
    """The caption and the credit of a picture; None for one that the page does not give."""

    text: str | None = None
    credit: str | None = None


NOTHING = Caption()


def caption_of(element: _Element) -> Caption:
    """Return the caption and credit that the markup around an image or a video gives."""
    inner = element
    for level in range(_MOST_LEVELS):
        if (follower := _caption_after(inner)) is not None:
            return _read([follower], [])
        holder = inner.getparent()
        if holder is None or holder.tag in _PAGE_PARTS:
            break
        is_figure = holder.tag == "figure"
        if len(holder) == 1 and not is_figure:
            inner = holder
            continue
        if has_many_elements(holder, _MOST_IN_A_FIGURE if is_figure else _MOST_ELEMENTS):
            break
        if is_figure or (level < _MOST_LEVELS_WITHOUT_FIGURE and _has_one_picture(holder)):
            captions, credits_ = _named_in(holder, inner)
            found = _read(captions, credits_) if captions or credits_ else NOTHING
            if found != NOTHING or is_figure:
                return found
        inner = holder
    return NOTHING


def _caption_after(element: _Element) -> _Element | None:
    """Return the next element if it is named a caption and is not that of a picture in it."""
    follower = element.getnext()
    while follower is not None and (not isinstance(follower.tag, str) or follower.tag == "br"):
        follower = follower.getnext()
    if follower is None or follower.tag in _UNREAD or not _is_caption(follower):
        return None
    has_text_between = bool(element.tail and element.tail.strip())
    if has_text_between or has_many_elements(follower, _MOST_ELEMENTS) or _has_image(follower):
        return None
    return follower


def _has_image(element: _Element) -> bool:
    return next(element.iter(*IMAGE_TAGS), None) is not None


def _has_one_picture(holder: _Element) -> bool:
    shown = (e for e in holder.iter(*IMAGE_TAGS, "video") if not _is_unread(e, holder))
    return len(list(islice(shown, 2))) < 2


def _is_unread(element: _Element, holder: _Element) -> bool:
    """Return whether an image is the copy of another for browsers without scripts."""
    parent = element.getparent()
    return parent is not None and parent is not holder and parent.tag == "noscript"


def _named_in(holder: _Element, inner: _Element) -> tuple[list[_Element], list[_Element]]:
    """Return the outermost captions and the outermost credits outside them, beside ``inner``."""
    captions: list[_Element] = []
    credits_: list[_Element] = []
    pictured = around(holder.iter(*IMAGE_TAGS), {holder})
    walk = etree.iterwalk(holder, events=("start",))
    for _, element in walk:
        if element is holder:
            continue
        if element is inner or element.tag in _UNREAD:
            # A caption may be inside the link around an image.
            if element.tag in _UNREAD or element.tag in IMAGE_TAGS:
                walk.skip_subtree()
        elif element in pictured:
            continue
        elif _is_caption(element):
            captions.append(element)
            walk.skip_subtree()
        elif _is_credit(element):
            credits_.append(element)
            walk.skip_subtree()
    return captions, credits_


def _is_caption(element: _Element) -> bool:
    if element.tag == "figcaption" or element.get("itemprop") == "caption":
        return True
    name = class_of(element)
    return name != "" and meaning_of(name).is_caption


def _is_credit(element: _Element, *, in_caption: bool = False) -> bool:
    item = element.get("itemprop")
    items = _INNER_CREDIT_ITEMS if in_caption else _CREDIT_ITEMS
    if item is not None and item.lower() in items:
        return True
    if in_caption and element.tag in _CREDIT_TAGS:
        return True
    name = class_of(element)
    pattern = _INNER_CREDIT_NAME if in_caption else _CREDIT_NAME
    return name != "" and pattern.search(name) is not None


def _read(captions: list[_Element], credits_: list[_Element]) -> Caption:
    """Return the caption in the elements; that of elements with different texts is not known."""
    texts: dict[str, None] = {}
    found: dict[str, None] = {}
    for element in credits_:
        found[_text(element)] = None
    for element in captions:
        inner = list(_credits_in(element))
        text = _text(element, inner)
        is_credit = (
            _is_credit(element, in_caption=True) and not inner and not _is_bare_figcaption(element)
        )
        if is_credit and len(text) <= _LONGEST_CREDIT:
            found[text] = None
            continue
        found.update((_text(e), None) for e in inner)
        texts[text] = None
    texts.pop("", None)
    if len(texts) > 1:
        longest = max(texts, key=len)
        if any(text not in longest for text in texts):
            return NOTHING
        texts = {longest: None}
    names = [name for text in found if (name := credit_name(text))]
    return described(next(iter(texts), None), _joined(names))


def _is_bare_figcaption(element: _Element) -> bool:
    """Return whether an element is a ``<figcaption>`` that is named a caption, too."""
    return element.tag == "figcaption" and "caption" in class_of(element).lower().replace(
        "figcaption", ""
    )


def _credits_in(caption: _Element) -> Iterator[_Element]:
    """Yield the outermost elements of a caption that are a credit."""
    walk = etree.iterwalk(caption, events=("start",))
    for _, element in islice(walk, _MOST_IN_A_FIGURE):
        if element is caption:
            continue
        if element.tag in _UNREAD:
            walk.skip_subtree()
        elif _is_credit(element, in_caption=True):
            walk.skip_subtree()
            if 0 < len(_text(element)) <= _LONGEST_CREDIT:
                yield element


def _text(element: _Element, without: list[_Element] | None = None) -> str:
    """Return the text that a reader sees in an element, without that of other elements."""
    parts: list[str] = []
    size = 0
    walk = etree.iterwalk(element, events=("start", "end", "comment", "pi"))
    skipped: _Element | None = None
    for event, inner in walk:
        if event == "start":
            is_left_out = inner.tag in _UNREAD or (without is not None and inner in without)
            if is_left_out or _FOR_SCREEN_READERS.search(class_of(inner)):
                skipped = inner
                walk.skip_subtree()
                continue
            if inner.tag in _LINES:
                parts.append(" ")
            text = inner.text
        else:
            if event == "end":
                if inner is not skipped and inner.tag in _LINES:
                    parts.append(" ")
                skipped = None if inner is skipped else skipped
            text = inner.tail if inner is not element else None
        if text:
            parts.append(text)
            size += len(text)
            if size > _LONGEST_CAPTION:
                return ""
    return clean("".join(parts))


def described(text: str | None, credit: str | None) -> Caption:
    """Return a caption from its text and its credit, which may also be at the end of the text."""
    text = clean(text or "")
    if len(text) > _LONGEST_CAPTION:
        text = ""
    if credit:
        text = _without_end(_LAST_LABEL.sub("", text), credit).rstrip(_BEFORE_LABEL + "（")
        return Caption(text or None, credit)
    if not text:
        return NOTHING
    return split_credit(text)


def _without_end(text: str, credit: str) -> str:
    """Return a caption without the credit that a page also gives elsewhere."""
    if text == credit:
        return ""
    before, found = split_credit(text)
    return (before or "") if found == credit else text


def credit_name(text: str) -> str | None:
    """Return the name in a credit, without "Photo:", "©" and brackets; None if none is left."""
    text = clean(text[: _LONGEST_CREDIT * 2])
    if match := _WRAPPED.fullmatch(text):
        text = match[1].strip()
    if match := _FIRST_LABEL.match(text):
        text = text[match.end() :]
    text = text.strip(_EDGES)
    if text.endswith(".") and not _ABBREVIATION.search(text):
        text = text[:-1].rstrip()
    return text if 1 < len(text) <= _LONGEST_CREDIT and any(map(str.isalpha, text)) else None


def _joined(names: list[str]) -> str | None:
    """Join the names of a credit that are not parts of each other."""
    kept: list[str] = []
    for name in names[:5]:
        if not any(name in other for other in kept):
            kept = [other for other in kept if other not in name]
            kept.append(name)
    return " / ".join(kept) or None


def split_credit(text: str) -> Caption:
    """Split a caption from the credit at its end, if there surely is one.

    "The quay. Photo: Jane Doe/AP" is "The quay." by "Jane Doe/AP".
    """
    start = max(0, len(text) - _TAIL)
    for place, value in _credits_at_end(text, start):
        credit = credit_name(value)
        is_one = text.endswith(_CLOSING) or _INNER_SENTENCE.search(value) is None
        if credit is None or not is_one:
            continue
        before = text[:place].rstrip(_BEFORE_LABEL)
        return Caption(before or None, credit)
    return Caption(text)


def _credits_at_end(text: str, start: int) -> Iterator[tuple[int, str]]:
    """Yield where credits at the end of a caption may begin, and their values, surest first."""
    if match := _BRACKETED.search(text, start):
        value = next(group for group in match.groups() if group)
        yield match.start(), value
    for match in _LABELLED.finditer(text, start):
        before = text[: match.start()].rstrip()
        is_apart = not before or before[-1] in _SENTENCE_MARKS
        is_capital = match["label"][0].isupper() and not match["by"]
        if is_apart or is_capital or not match["label"][0].isascii():
            yield match.start(), text[match.end() :]
    for match in _LABELLED_DENSE.finditer(text, start):
        yield match.start(), text[match.end() :]
    for match in _ABBREVIATED.finditer(text, start):
        yield match.start(), text[match.end() :]
    if signs := list(_SIGNED.finditer(text, start)):
        yield signs[-1].start(), text[signs[-1].end() :]
    if match := _TAKEN.search(text, start):
        yield match.start(), match["name"]
    if match := _ENDING_AGENCY.search(text, start):
        end = match.end("sentence") if match["sentence"] else match.start()
        yield end, match["agency"]
    if _ONLY_AGENCY.fullmatch(text):
        yield 0, text

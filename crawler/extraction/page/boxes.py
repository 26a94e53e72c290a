"""The block-level elements of a page, and the names by which templates mark them.

``Box`` answers which boxes contain which others without walking up from each one: boxes may be
nested two thousand deep, and a page may have a million of them.
"""

import re
from collections.abc import Iterator
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from lxml.etree import _Element

from crawler.extraction.page.debug_output import is_output_class


class Zone(IntEnum):
    """How sure the name of a box is that it holds something other than the article.

    A ``WEAK`` name is a word that templates also give to the article's own container: "paywall",
    "widget", "sidebar-grid__content". Only the amount of text in the box decides.
    """

    NONE = 0
    WEAK = 1
    STRONG = 2


HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
# Characters. The meanings of names are kept.
_LONGEST_NAME = 1_000
# Ids of headings and paragraphs are made from their text or at random.
_TEXT_TAGS = HEADINGS | {"p"}


class Box:
    """A block-level element; the ``tag`` of a ``div`` in a heading is that of the heading.

    ``depth`` is the number of boxes around it. Boxes are numbered in page order; those inside are
    numbered from ``start`` to ``end``. ``name`` is the class and the id.
    """

    __slots__ = ("_jump", "depth", "element", "end", "name", "parent", "start", "tag", "zone")

    def __init__(self, element: _Element, parent: "Box | None", start: int) -> None:
        self.element = element
        self.tag: str = element.tag
        if self.tag == "div" and parent is not None and parent.tag in HEADINGS:
            self.tag = parent.tag
        name = element.get("class") or ""
        if self.tag not in _TEXT_TAGS and (identifier := element.get("id")):
            name = f"{name} {identifier}"
        self.name = name.strip()[:_LONGEST_NAME]
        self.zone = Zone.NONE
        self.parent = parent
        self.start = start
        self.end = start
        # A jump pointer over several levels keeps every path up short. See Myers, "An applicative
        # random-access stack" (1983). The root has none: a reference to itself would keep the whole
        # tree in memory until Python looks for reference cycles.
        self._jump: Box | None
        if parent is None:
            self.depth = 0
            self._jump = None
        else:
            self.depth = parent.depth + 1
            first = parent._jump or parent
            second = first._jump or first
            even = parent.depth - first.depth == first.depth - second.depth
            self._jump = second if even else parent

    def holds(self, other: "Box") -> bool:
        """Return whether another box is inside this one or is the same."""
        return self.start <= other.start <= self.end

    def common(self, other: "Box") -> "Box":
        """Return the smallest box that contains both."""
        box = self
        while not box.holds(other) and box.parent is not None and box._jump is not None:
            box = box.parent if box._jump.holds(other) else box._jump
        return box

    def branch_to(self, other: "Box") -> "Box | None":
        """Return the box directly inside this one that contains another; None if that is this."""
        if other.depth <= self.depth:
            return None
        box = other
        while box.depth > self.depth + 1 and box.parent is not None and box._jump is not None:
            box = box._jump if box._jump.depth > self.depth else box.parent
        return box

    def around(self) -> Iterator["Box"]:
        """Yield this box and those around it, from the inside."""
        box: Box | None = self
        while box is not None:
            yield box
            box = box.parent


ZONE_TAGS = frozenset(("nav", "footer", "aside", "menu"))
NEVER_ZONES = HEADINGS | {"html", "body"}
ZONE_ROLES = frozenset(("navigation", "complementary", "contentinfo", "banner", "search", "menu"))
# Words of classes and ids: whole words, beginnings of words, and several words in a row.
_STRONG = frozenset(
    "nav navbar navigation navi menu topmenu mainmenu footer foot ftr copyright copyrights aside "
    "related relatednews comment comments commentlist respond disqus breadcrumb breadcrumbs crumb "
    "crumbs pathway mostread mostviewed popular trending latest latestnews cookie cookies consent "
    "gdpr outbrain taboola visuallyhidden morenews pager pagination poll rating authorbox "
    "authorbio authorcard authorinfo tags taglist tagbox onetrust usercentrics".split()
)
_MENU = frozenset("nav navbar navigation navi menu topmenu mainmenu".split())
_STRONG_PHRASES = (
    "-recommend",
    "-sr-only-",
    "-screen-reader",
    "-visually-hidden-",
    "-more-news-",
    "-author-bio-",
    "-author-box-",
    "-author-card-",
    "-author-info-",
)
_WEAK = frozenset(
    "sidebar share sharing sharebar sharethis addthis social keywords promo ad ads adv adsense "
    "adslot banner newsletter subscribe subscription ticker widget popup modal overlay byline "
    "author authors paywall toolbar login signin teaser teasers postmeta postinfo readalso seealso "
    "fontsize textsize disclaimer pullquote pullquotes membership donate donation donations cta "
    "contributor contributors toc tweet writer reporter journalist authorline discussion signup "
    "mc4wp".split()
)
_WEAK_PHRASES = (
    "-advert",
    "-sponsor",
    "-newsletter",
    "-entry-meta-",
    "-read-also-",
    "-see-also-",
    "-font-size-",
    "-pull-quote-",
    "-pull-quotes-",
    "-embed-placeholder-",
    "-img-desc-",
    "-instagram-media-",
)
_BEGINNINGS = tuple(
    phrase[1:] for phrase in (*_STRONG_PHRASES, *_WEAK_PHRASES) if phrase.count("-") == 1
)
_PHRASE_STARTS = frozenset(
    phrase.split("-")[1] for phrase in (*_STRONG_PHRASES, *_WEAK_PHRASES) if phrase.count("-") > 1
)
# Words that mean something else within longer names.
_WEAK_WHOLE = frozenset(
    "side sidecol most more also hidden skip tools archive print bio credit credits legal search "
    "breaking tag meta rel nl leftcol rightcol left-col right-col".split()
)
# "has-sidebar", "non-paywall" and "comments-enabled" say something about the page, and Elementor
# calls each part of a text a widget.
_ABOUT_OTHERS = re.compile(
    r"\b(?:has|with|without|no|non|js)[_-]\w+"
    r"|\b[a-z]+[_-](?:enabled|disabled|open|opened|closed|on|off|fixed|active|visible)\b"
    r"|\belementor-widget\b",
    re.IGNORECASE,
)
# WordPress gives a post the names of its categories and tags as classes.
_TOPIC = re.compile(r"(?<!\S)(?:category|tag)-\S+")
_RELATED = re.compile(
    r"(?:^|[\s_-])related|related(?:$|[\s_-])"
    r"|(?:^|[\s_-])(?:(?:read|see)[_-]?also|(?:you[_-]?)?(?:might|may)[_-]?also[_-]?like"
    r"|(?:a[_-]?)?(?:lire|voir)[_-]?aussi|lees[_-]?ook|leggi[_-]?anche|lea[_-]?tambien"
    r"|leia[_-]?(?:mais|tambem)|te[_-]?puede[_-]?interesar|les[_-]?ogsaa?|las[_-]?ocksa"
    r"|(?:noticias?|notas?|contenidos?|articulos?|materias?)?[_-]?relacionad[ao]s?"
    r"|(?:articoli|notizie)?[_-]?correlat[ei]|(?:mehr[_-]?)?zum[_-]?thema|verwandte"
    r"|czytaj[_-]?(?:tez|takze|wiecej)|zobacz[_-]?takze|ilgili[_-]?haber(?:ler)?|baca[_-]?juga"
    r"|berita[_-]?terkait|tin[_-]?lien[_-]?quan)(?:$|[\s_-])",
    re.IGNORECASE,
)
# Each such name has one of these parts of words.
_RELATED_WORDS = tuple(
    "relat relac correl also aussi ook anche lea leia puede les las thema verwandte czytaj zobacz "
    "ilgili baca terkait lien".split()
)
_CAPTION = re.compile(
    r"caption|cutline|bildunterschrift|bildtext|didascalia|l[eé]gende?(?:$|[\s_-])"
    r"|pie-?(?:de-?)?foto|(?:photo|image|img|bild)[_-]?(?:credit|desc|copyright)"
)
# Each such name has one of these parts of words, which are found more quickly.
_CAPTION_WORDS = ("caption", "cutline", "bild", "didascal", "gend", "foto", "photo", "image", "img")
# Not within random ids such as "n1AuAd".
_CAMEL = re.compile(r"(?<=[a-z]{2})(?=[A-Z][a-z]{2})")
_TEXT_NAME = re.compile(
    r"(?:^|[\s_-])(?:(?:article|story|entry|post|news|page|single|node|main|artikel|nota|noticia|"
    r"articulo|articolo|content)s?[_-]{0,2}(?:body|text|texto|content|contenido|copy|detail|"
    r"inhalt)|"
    r"(?:body|text|content)[_-]{0,2}(?:article|story|copy|text|noticia)|articlebody|"
    r"cuerpo(?:[_-]\w+)?|field-name-body|rich-?text|wysiwyg|prose)(?:$|[\s_-])",
    re.IGNORECASE,
)
_CACHE_SIZE = 16_384


class Meaning(NamedTuple):
    """The meaning of a class and an id: a zone, related items, a caption, a menu."""

    zone: Zone = Zone.NONE
    is_related: bool = False
    is_caption: bool = False
    is_menu: bool = False


_NOTHING = Meaning()


@lru_cache(maxsize=_CACHE_SIZE)
def meaning_of(name: str) -> Meaning:
    """Return the meaning of a class and an id, or of one with the tag of a custom element."""
    lower = name.lower()
    may_relate = any(map(lower.__contains__, _RELATED_WORDS))
    is_related = may_relate and _RELATED.search(name) is not None
    is_caption = any(map(lower.__contains__, _CAPTION_WORDS)) and bool(_CAPTION.search(lower))
    zone = _zone_of_name(name)
    if not (zone or is_related or is_caption):
        return _NOTHING
    is_menu = zone is Zone.STRONG and not _MENU.isdisjoint(_words(lower))
    return Meaning(zone, is_related, is_caption, is_menu and not is_related)


def _zone_of_name(name: str) -> Zone:
    """Return how sure the words of a class and an id are."""
    if is_output_class(name):
        return Zone.STRONG
    text = _apart(name)
    if not _zone_of_words(text):
        return Zone.NONE
    if "type-" in name or "hentry" in name:
        text = _TOPIC.sub("", text)
    return _zone_of_words(_ABOUT_OTHERS.sub("", text))


def _zone_of_words(name: str) -> Zone:
    lower = name.lower()
    words = _words(lower)
    if not _STRONG.isdisjoint(words):
        return Zone.STRONG
    phrases = ""
    if not _PHRASE_STARTS.isdisjoint(words) or any(map(lower.__contains__, _BEGINNINGS)):
        phrases = f"-{'-'.join(words)}-"
        if any(map(phrases.__contains__, _STRONG_PHRASES)):
            return Zone.STRONG
    if not _WEAK.isdisjoint(words) or not _WEAK_WHOLE.isdisjoint(lower.split()):
        return Zone.WEAK
    return Zone.WEAK if phrases and any(map(phrases.__contains__, _WEAK_PHRASES)) else Zone.NONE


def _words(name: str) -> list[str]:
    return name.replace("_", "-").replace("-", " ").split()


def _apart(name: str) -> str:
    """Return a name with hyphens between words that capitals set apart."""
    return name if name.islower() else _CAMEL.sub("-", name)


@lru_cache(maxsize=_CACHE_SIZE)
def _is_text_name(name: str) -> bool:
    return _TEXT_NAME.search(_apart(name)) is not None


def is_named_as_text(box: Box) -> bool:
    """Return whether the markup says that a box holds the text of an article."""
    item = box.element.get("itemprop") or box.element.get("property")
    if item is not None and "articlebody" in item.lower():
        return True
    return box.name != "" and _is_text_name(box.name)

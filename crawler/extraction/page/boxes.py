"""The block-level elements of a page, and the names by which templates mark them.

``Box`` answers which boxes contain which others without walking up from each one: boxes may be
nested two thousand deep, and a page may have a million of them.
"""

import re
from collections.abc import Iterator
from enum import IntEnum
from functools import lru_cache

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
        self.name = name.strip()
        self.zone = Zone.NONE
        self.parent = parent
        self.start = start
        self.end = start
        # A jump pointer over several levels keeps every path up short. See Myers, "An applicative
        # random-access stack" (1983).
        if parent is None:
            self.depth = 0
            self._jump = self
        else:
            self.depth = parent.depth + 1
            first = parent._jump
            second = first._jump
            even = parent.depth - first.depth == first.depth - second.depth
            self._jump = second if even else parent

    def holds(self, other: "Box") -> bool:
        """Return whether another box is inside this one or is the same."""
        return self.start <= other.start <= self.end

    def common(self, other: "Box") -> "Box":
        """Return the smallest box that contains both."""
        box = self
        while not box.holds(other):
            parent = box.parent
            box = parent if box._jump.holds(other) and parent is not None else box._jump
        return box

    def around(self) -> Iterator["Box"]:
        """Yield this box and those around it, from the inside."""
        box: Box | None = self
        while box is not None:
            yield box
            box = box.parent


_ZONE_TAGS = frozenset(("nav", "footer", "aside", "menu"))
_NEVER_ZONES = HEADINGS | {"html", "body"}
_ZONE_ROLES = frozenset(("navigation", "complementary", "contentinfo", "banner", "search", "menu"))
# Words of classes and ids: whole words, beginnings of words, and several words in a row.
_STRONG = frozenset(
    "nav navbar navigation navi menu topmenu mainmenu footer foot ftr copyright copyrights aside "
    "related relatednews comment comments commentlist respond disqus breadcrumb breadcrumbs crumb "
    "crumbs pathway mostread mostviewed popular trending latest latestnews cookie cookies consent "
    "gdpr outbrain taboola visuallyhidden morenews pager pagination poll rating authorbox "
    "authorbio authorcard authorinfo tags taglist tagbox onetrust usercentrics".split()
)
_STRONG_BEGINNINGS = ("recommend",)
_STRONG_PHRASES = (
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
_WEAK_BEGINNINGS = ("advert", "sponsor", "newsletter")
_WEAK_PHRASES = (
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
_RELATED = re.compile(r"(?:^|[\s_-])related|related(?:$|[\s_-])", re.IGNORECASE)
_CAPTION = re.compile(
    r"caption|cutline|bildunterschrift|bildtext|didascalia|l[eé]gende?(?:$|[\s_-])|pie-?(?:de-?)?foto|"
    r"(?:photo|image|img|bild)[_-]?(?:credit|desc|copyright)",
    re.IGNORECASE,
)
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


@lru_cache(maxsize=_CACHE_SIZE)
def zone_of_name(name: str) -> Zone:
    """Return how sure the words of a class and an id are."""
    if is_output_class(name):
        return Zone.STRONG
    if "type-" in name or "hentry" in name:
        name = _TOPIC.sub("", name)
    text = _CAMEL.sub("-", name)
    if "-" in text or "_" in text:
        text = _ABOUT_OTHERS.sub("", text)
    words = text.lower().replace("_", "-").replace("-", " ").split()
    phrases = f"-{'-'.join(words)}-"
    if _says(words, phrases, _STRONG, _STRONG_BEGINNINGS, _STRONG_PHRASES):
        return Zone.STRONG
    if not _WEAK_WHOLE.isdisjoint(name.lower().split()):
        return Zone.WEAK
    is_weak = _says(words, phrases, _WEAK, _WEAK_BEGINNINGS, _WEAK_PHRASES)
    return Zone.WEAK if is_weak else Zone.NONE


def _says(
    words: list[str],
    phrases: str,
    known: frozenset[str],
    beginnings: tuple[str, ...],
    known_phrases: tuple[str, ...],
) -> bool:
    return (
        not known.isdisjoint(words)
        or any(word.startswith(beginnings) for word in words)
        or any(phrase in phrases for phrase in known_phrases)
    )


def zone_of(box: Box) -> Zone:
    """Return how sure a box's tag, role and name are that it is not the article."""
    if box.tag in _NEVER_ZONES:
        return Zone.NONE
    if box.tag in _ZONE_TAGS or box.element.get("role") in _ZONE_ROLES:
        return Zone.STRONG
    # Custom elements say in their tags what they are: <app-author>.
    name = f"{box.tag} {box.name}" if "-" in box.tag else box.name
    return zone_of_name(name) if name else Zone.NONE


@lru_cache(maxsize=_CACHE_SIZE)
def is_related_name(name: str) -> bool:
    """Return whether a class and an id say that an element holds related items."""
    return _RELATED.search(name) is not None


@lru_cache(maxsize=_CACHE_SIZE)
def is_caption_name(name: str) -> bool:
    return _CAPTION.search(name) is not None


@lru_cache(maxsize=_CACHE_SIZE)
def _is_text_name(name: str) -> bool:
    return _TEXT_NAME.search(_CAMEL.sub("-", name)) is not None


def is_named_as_text(box: Box) -> bool:
    """Return whether the markup says that a box holds the text of an article."""
    item = box.element.get("itemprop") or box.element.get("property")
    if item is not None and "articlebody" in item.lower():
        return True
    return box.name != "" and _is_text_name(box.name)

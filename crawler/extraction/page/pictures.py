"""Find the pictures and videos in a page, and read their sources.

The walk over a page only notes the elements (``Picture``). Their sources are read later, and only
of those within the article. Lazy-loading pages keep the real URL in a data attribute, in a
``srcset``, or in a ``noscript`` element, and sites with a choice of sizes in ``<source>`` elements.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple
from urllib.parse import urljoin

from lxml.etree import _Element

from crawler.extraction.addresses import domain_of
from crawler.extraction.page.boxes import Box
from crawler.extraction.page.picture_urls import IMAGE_FILE, is_decoration
from crawler.extraction.page.text import all_text, clean, has_many_elements
from crawler.extraction.page.tree import class_of

PICTURE_HOLDERS = frozenset(("video", "noscript", "button"))
"""Elements whose text is not read, but whose pictures are: a button may open a large copy."""
IMAGE_TAGS = ("img", "amp-img", "amp-anim")
_ICON_SIZE = 50
"""Pixels. An image with a shorter side is not a news picture."""
_FIGURE_LEVELS = 5
# A teaser has so few elements. Characters: its headline has at least so many.
_TEASER_LEVELS, _TEASER_ELEMENTS, _HEADLINE = 4, 40, 12
_MOST_LEVELS = 15
_MOST_CANDIDATES, _MOST_SOURCES = 50, 20
# Characters.
_LONGEST_SOURCE_SET, _LONGEST_URL = 20_000, 4_000
_MOST_ATTRIBUTES = 100
_SIZE = re.compile(r"\s*(\d{1,6})(?:\.\d*)?(?:px)?\s*")
_TINY_STYLE = re.compile(r"(?<![\w-])(?:width|height)\s*:\s*[01]px", re.IGNORECASE)
_BACKGROUND = re.compile(r"\burl\(\s*(?:[\"']|&quot;)?([^\"')\s]{1,4000})", re.IGNORECASE)
# The classes of images that are no news pictures.
_DECORATIVE = frozenset(
    "emoji wp-smiley smiley avatar icon logo pixel spacer tracking-pixel sprite".split()
)
# Where an element without an image has a picture as its background.
_PICTURED = re.compile(
    r"(?:^|[\s_-])(?:cover|hero|images?|img|photos?|picture|foto|bild|featured|thumbnail)"
    r"(?:$|[\s_-])",
    re.IGNORECASE,
)
_MAIN = re.compile(r"(?:^|[\s_-])(?:cover|hero|opener|lead|featured)(?:$|[\s_-])", re.IGNORECASE)
# Attributes with a small copy of the picture, or with a substitute if it cannot be loaded.
_LESSER = re.compile(
    r"low|thumb|small|placeholder|blur|tiny|preview|fallback|error|default|logo|avatar|icon|"
    r"title|caption|credit|link|share|pin|facebook|twitter",
)
_LARGEST = re.compile(r"full|orig|large|hi-?res|zoom|max|retina|gro(?:ss|ß)|big")
_LAZY = frozenset(("data-src", "data-original", "data-lazy-src", "data-lazy", "data-hi-res-src"))
_SPACE = " \t\n\r\f"
# An entry of a source set: a URL that ends at a comma and a space, or a URL and a descriptor.
_CANDIDATE = re.compile(
    r"[ \t\n\r\f,]*+(?:([^ \t\n\r\f]*[^ \t\n\r\f,]),++(?=[ \t\n\r\f]|\Z)"
    r"|([^ \t\n\r\f]++)([^,]*+),?)"
)


class Source(NamedTuple):
    """The URL of a picture or video as written, the element that shows it, and its kind.

    ``width`` is in pixels as declared in a ``srcset``; None if it is not.
    """

    url: str
    element: _Element
    is_video: bool = False
    width: int | None = None


class Picture:
    """An element that may show pictures or videos, the index of its block and its zones."""

    __slots__ = ("_sources", "element", "index", "zones")

    def __init__(self, element: _Element, index: int, zones: tuple[Box, ...]) -> None:
        self.element = element
        self.index = index
        self.zones = zones
        self._sources: list[Source] | None = None

    def sources(self) -> list[Source]:
        """Return the pictures and videos that the element shows, each at its largest."""
        if self._sources is None:
            self._sources = list(sources_of(self.element))
        return self._sources


def sources_of(element: _Element) -> Iterator[Source]:
    """Yield the sources of an image, a ``video``, a ``noscript`` or an element with a background.

    The largest declared source of an image goes first: that of a full-size copy, then the widest of
    its source sets, then the one that scripts load, then its ``src``. A source that only holds the
    place of another is passed over.
    """
    if element.tag == "video":
        found = [(element.get("poster"), False), (element.get("src"), True)]
        sources = islice(element.iter("source"), _MOST_CANDIDATES)
        found += [(source.get("src"), True) for source in sources]
        for url, is_video in found:
            if url and (url := url.strip()) and not url.startswith("data:"):
                yield Source(url, element, is_video)
    elif element.tag in IMAGE_TAGS:
        if source := _of_image(element):
            yield source
    elif element.tag in PICTURE_HOLDERS:
        for image in islice(element.iter(*IMAGE_TAGS), _MOST_CANDIDATES):
            if (source := _of_image(image)) and IMAGE_FILE.search(source.url):
                yield source
    elif source := _of_background(element):
        yield source


def is_main(source: Source) -> bool:
    """Return whether a picture at the top of an article is set as its main one, in a figure.

    A picture in a link to another page is not: it is a portrait of an author, or a teaser.
    """
    element = source.element
    if source.is_video or element.tag == "video":
        return False
    is_set_apart = _MAIN.search(class_of(element)) is not None
    for holder in islice(element.iterancestors(), _FIGURE_LEVELS):
        if holder.tag == "a" and _is_page(holder.get("href")):
            return False
        is_figure = holder.tag in ("figure", "picture")
        is_set_apart = is_set_apart or is_figure or _MAIN.search(class_of(holder)) is not None
    return is_set_apart


def is_teaser(source: Source, page_url: str | None) -> bool:
    """Return whether a picture stands beside a headline, both linked to another page of the site.

    A link to another site is a part of the text: it says where the picture or its subject is from.
    """
    holders = islice(source.element.iterancestors(), _MOST_LEVELS)
    link = next((holder for holder in holders if holder.tag == "a"), None)
    href = link.get("href") if link is not None else None
    if link is None or href is None or not _is_page(href) or _leads_away(href, page_url):
        return False
    if has_many_elements(link, _TEASER_ELEMENTS):
        return False
    if _has_words(link):
        return True
    for holder in islice(link.iterancestors(), _TEASER_LEVELS):
        if holder.tag in ("figure", "article", "main", "body"):
            continue
        if has_many_elements(holder, _TEASER_ELEMENTS):
            return False
        links = holder.iter("a")
        if any(other.get("href") == href and _has_words(other) for other in links):
            return True
    return False


def _leads_away(href: str, page_url: str | None) -> bool:
    """Return whether a link leads to another site or to the page itself."""
    try:
        target = urljoin(page_url or "", href[:_LONGEST_URL])
    except ValueError:
        return True
    if not page_url:
        return target.startswith(("http:", "https:"))
    return target.partition("#")[0] == page_url or domain_of(target) != domain_of(page_url)


def _has_words(link: _Element) -> bool:
    """Return whether a link has the text of a headline, beside the caption of a picture."""
    captions = "".join(all_text(caption) for caption in link.iter("figcaption"))
    return len(clean(all_text(link, _LONGEST_URL))) - len(clean(captions)) >= _HEADLINE


def _is_page(href: str | None) -> bool:
    """Return whether a link leads to another page: not to a file of a picture or a script."""
    if not href or href.startswith(("#", "javascript:")):
        return False
    return IMAGE_FILE.search(href[:_LONGEST_URL]) is None


def may_be_background(element: _Element) -> bool:
    """Return whether an element may show a picture as its background, by its style and name."""
    style = element.get("style")
    if style is None or "url(" not in style:
        return False
    return (
        element.tag == "figure"
        or element.get("role") == "img"
        or _PICTURED.search(class_of(element)) is not None
    )


def _of_background(element: _Element) -> Source | None:
    match = _BACKGROUND.search((element.get("style") or "")[:_LONGEST_SOURCE_SET])
    return Source(match[1], element) if match and IMAGE_FILE.search(match[1]) else None


def _of_image(element: _Element) -> Source | None:
    for name in ("width", "height"):
        size = _SIZE.fullmatch((element.get(name) or "")[:20])
        if size and int(size[1]) < _ICON_SIZE:
            return None
    if not _DECORATIVE.isdisjoint(class_of(element).lower().split()):
        return None
    style = element.get("style")
    if style is not None and _TINY_STYLE.search(style, 0, _LONGEST_URL):
        return None
    sets: list[str] = []
    full: list[str] = []
    lazy: list[str] = []
    for holder in _holders(element):
        _read_attributes(holder, sets, full, lazy)
    of_sets = [sized for text in sets if (sized := largest(text))]
    by_width = sorted(of_sets, key=lambda sized: -(sized.width or 0))
    candidates = [
        *map(Sized, full),
        *(sized for sized in by_width if sized.width),
        *map(Sized, lazy),
        Sized((element.get("src") or "").strip()),
        *(sized for sized in by_width if not sized.width),
    ]
    for url, width in candidates:
        if url and not url.startswith(("data:", "blob:", "about:")) and not is_decoration(url):
            return Source(url, element, width=width)
    return None


def _holders(element: _Element) -> list[_Element]:
    """Return an image, and the sources of the ``<picture>`` whose first image it is."""
    parent = element.getparent()
    # libxml2 nests unclosed <source> elements in each other, and the image in the last one.
    for _ in range(_MOST_SOURCES):
        if parent is None or parent.tag != "source":
            break
        parent = parent.getparent()
    if parent is None or parent.tag != "picture":
        return [element]
    sources: list[_Element] = []
    for part in islice(parent.iter("source", *IMAGE_TAGS), _MOST_SOURCES + 1):
        if part is element:
            return [element, *sources]
        if part.tag != "source":
            break
        sources.append(part)
    return [element]


def _read_attributes(holder: _Element, sets: list[str], full: list[str], lazy: list[str]) -> None:
    """Sort an element's attributes into source sets, largest copies and lazily loaded sources."""
    for name, value in islice(holder.items(), _MOST_ATTRIBUTES):
        name, value = str(name), str(value)
        if name == "srcset":
            sets.append(value)
        elif name.startswith("data-") and value and not _LESSER.search(name):
            if "srcset" in name:
                sets.append(value)
                continue
            text = value[: _LONGEST_URL + 1].strip()
            if not _is_url(text):
                if len(value) <= _LONGEST_SOURCE_SET and _is_source_set(value):
                    sets.append(value)
            elif IMAGE_FILE.search(text):
                (full if _LARGEST.search(name) else lazy).append(text)
            elif name in _LAZY:
                lazy.append(text)


def _is_url(text: str) -> bool:
    """Return whether a text is a URL or a path, and not a template of one or JSON."""
    return (
        0 < len(text) <= _LONGEST_URL
        and "{" not in text
        and "<" not in text
        and (text.startswith(("http://", "https://", "/", "./", "../")) or ":" not in text)
        and not any(map(text.__contains__, _SPACE))
    )


def _is_source_set(text: str) -> bool:
    """Return whether a text is a source set: it has several words, the first a picture's URL."""
    first = text.split(None, 1)[0] if text.strip() else ""
    return _is_url(first) and IMAGE_FILE.search(first) is not None and largest(text) is not None


class Sized(NamedTuple):
    """A URL, and the width in pixels if it is known."""

    url: str
    width: int | None = None


def largest(source_set: str) -> Sized | None:
    """Return the largest image of a ``srcset``: "/a.jpg 400w, /b.jpg 1200w".

    As HTML has it, a URL may have commas within, but not at its end; a descriptor ends at a comma.
    A width is in pixels; of "2x" none is known.
    """
    is_cut = len(source_set) > _LONGEST_SOURCE_SET
    # A search among commas at the end would take quadratic time.
    text = source_set[:_LONGEST_SOURCE_SET].strip(_SPACE + ",")
    best: Sized | None = None
    best_size = -1.0
    for match in islice(_CANDIDATE.finditer(text), _MOST_CANDIDATES):
        if is_cut and match.end() == len(text):
            break
        url = match[1] or match[2]
        size, width = _size_of(match[3] or "")
        if size > best_size and "{" not in url and not url.startswith("data:"):
            best, best_size = Sized(url, width), size
    return best


def _size_of(descriptor: str) -> tuple[float, int | None]:
    """Return the size that a descriptor states, and the width if it is one: "400w", "1.5x"."""
    for word in descriptor.split()[:3]:
        number, unit = word[:-1], word[-1]
        if unit in "wx" and number.replace(".", "", 1).isdecimal() and len(number) < 8:
            return float(number), int(float(number)) if unit == "w" else None
    return 0.0, None

"""Find the pictures and videos in a page, and tell them from decoration and tracking pixels.

Lazy-loading pages keep the real address in a data attribute, in a ``srcset``, or in a ``noscript``
element.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlsplit

from lxml.etree import _Element

from crawler.extraction.page.boxes import Box

PICTURE_HOLDERS = frozenset(("video", "noscript"))
"""Elements whose text is not read, but whose pictures are."""
_ICON_SIZE = 50
"""Pixels. An image with a shorter side is not a news picture."""
_SOURCES = ("data-src", "data-original", "data-lazy-src", "src")
_SOURCE_SETS = ("data-srcset", "srcset", "data-lazy-srcset")
_CANDIDATE = re.compile(r"(\S+?)(?:\s+(\d+(?:\.\d+)?)[wx])?(?:\s*,\s+|,?\s*$)")
_MOST_CANDIDATES, _LONGEST_SOURCE_SET = 50, 20_000
_IMAGE_FILE = re.compile(r"\.(?:jpe?g|png|gif|webp|avif|bmp)(?:$|[?#/])", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORD = re.compile(r"[a-z0-9]+")
# A word of a file name that is enough to mark a decoration.
_DECORATIONS = frozenset(
    "logo logos icon icons ico sprite sprites spacer blank avatar placeholder captcha 1x1".split()
)
# Words of file names of decorations, if there is no other: "share_facebook", but not
# "facebook-hearing".
_PLAIN_DECORATIONS = _DECORATIONS | frozenset(
    "pixel button buttons btn banner arrow arrows bullet loading loader share print printer "
    "facebook fb twitter x telegram whatsapp instagram youtube linkedin rss email mail social "
    "transparent dot line this bg background white black small big left right up down top".split()
)
_TRACKERS = re.compile(
    r"(?:^|\.)(?:scorecardresearch|quantserve|doubleclick|google-analytics|googletagmanager|"
    r"chartbeat|imrworldwide|ioam|ivwbox|xiti|mc\.yandex|counter\.yadro|top-fwz1\.mail|hit\.gemius|"
    r"adnxs|bat\.bing|px\.ads\.linkedin|analytics\.twitter|pixel\.\w+|cnzz|histats|statcounter)\.",
    re.IGNORECASE,
)
_TRACKER_PATH = re.compile(r"/(?:tr|pixel|beacon|collect|count(?:er)?|hit|track(?:ing)?)/?$", re.I)


@dataclass(frozen=True, slots=True)
class Picture:
    """An image or video: its URL as written, the index of its block and its enclosing zones."""

    url: str
    video: bool
    index: int
    zones: tuple[Box, ...]


def urls_in(element: _Element) -> Iterator[tuple[str, bool]]:
    """Yield the URLs of an ``img``, ``video`` or ``noscript``, and whether each is a video's."""
    if element.tag == "video":
        found = [(element.get("poster"), False), (element.get("src"), True)]
        found += [(source.get("src"), True) for source in element.iter("source")]
        yield from ((url.strip(), is_video) for url, is_video in found if url and url.strip())
    elif element.tag == "img":
        if source := _image_url(element):
            yield source, False
    else:
        for image in islice(element.iter("img"), _MOST_CANDIDATES):
            if (source := _image_url(image)) and _IMAGE_FILE.search(source):
                yield source, False


def _image_url(element: _Element) -> str | None:
    for name in ("width", "height"):
        size = (element.get(name) or "").removesuffix("px")
        if size.isdecimal() and int(size) < _ICON_SIZE:
            return None
    written = ((element.get(name) or "").strip() for name in _SOURCES)
    if url := next((url for url in written if url and not url.startswith("data:")), None):
        return url
    parent = element.getparent()
    holders = [element]
    if parent is not None and parent.tag == "picture":
        holders += islice(parent.iterchildren("source"), _MOST_CANDIDATES)
    sets = (holder.get(name) for holder in holders for name in _SOURCE_SETS)
    return next((largest for text in sets if text and (largest := _largest(text))), None)


def _largest(source_set: str) -> str | None:
    """Return the largest image of a ``srcset``: "/a.jpg 400w, /b.jpg 1200w"."""
    best, largest = None, -1.0
    text = source_set[:_LONGEST_SOURCE_SET].strip()
    for match in islice(_CANDIDATE.finditer(text), _MOST_CANDIDATES):
        size = float(match[2] or 0)
        if size > largest and not match[1].startswith("data:"):
            best, largest = match[1], size
    return best


def is_decoration(url: str) -> bool:
    """Return whether an address is that of a logo, an icon or a tracking pixel."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if _TRACKERS.search(parts.netloc) or (_TRACKER_PATH.search(parts.path) and parts.query):
        return True
    if parts.query and not _IMAGE_FILE.search(url) and "/" not in parts.path.strip("/"):
        # "https://b.scorecard.example/p?c1=2": no picture has such a short name.
        return len(parts.path.strip("/")) < 2
    name = _CAMEL.sub("-", parts.path.rstrip("/").rpartition("/")[2].rpartition(".")[0]).lower()
    words = {word if word == "1x1" else word.rstrip("0123456789") for word in _WORD.findall(name)}
    words.discard("")
    if not words:
        return False
    return not _DECORATIONS.isdisjoint(words) or _PLAIN_DECORATIONS.issuperset(words)

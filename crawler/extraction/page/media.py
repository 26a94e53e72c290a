"""List the pictures and videos of an article: those that its page declares and those shown in it.

Declared are the images of JSON-LD and of meta tags. The first medium is the article's main picture:
the one at the top of the text, or else the first that is declared. A picture in several sizes is
listed once if its URLs say that it is the same; then the widest is kept, and the first if a width
is unknown.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from lxml.etree import _Element

from crawler.extraction.page import json_ld
from crawler.extraction.page.captions import NOTHING, Caption, caption_of, credit_name, described
from crawler.extraction.page.metadata import Metadata
from crawler.extraction.page.picture_urls import IMAGE_FILE, identity, is_decoration
from crawler.extraction.page.pictures import Picture, is_main, is_teaser
from crawler.extraction.page.text import without_controls

_MOST_DECLARED, _MOST_DESCRIBED, _MOST_OF_OTHERS, _MOST_NAMES = 100, 500, 500, 10
_DEEPEST = 5
# Characters. Many references to one long text would take quadratic time.
_LONGEST_URL, _LONGEST_TEXT, _LONGEST_NAME = 50_000, 10_000, 1_000
# Pixels.
_ICON_SIZE, _DECLARED_WIDTH = 50, 1200
_OG_IMAGES = ("og:image", "og:image:url", "og:image:secure_url")
# These repeat the image that is declared otherwise, or are smaller.
_LESSER_IMAGES = ("twitter:image", "twitter:image:src", "thumbnail", "parsely-image-url")
_OG_VIDEOS = ("og:video", "og:video:url")


@dataclass(frozen=True, slots=True)
class Media:
    """An image or video of the article, with its URL as written in the page.

    ``caption`` and ``credit`` are those that the page gives beside it or in JSON-LD.
    """

    url: str
    video: bool
    caption: str | None = None
    credit: str | None = None


@dataclass(slots=True)
class _Found:
    """A medium before it is listed. ``element`` shows it in the page; None if it is declared."""

    url: str
    is_video: bool
    width: int | None = None
    caption: Caption = NOTHING
    element: _Element | None = None


def collect(
    root: _Element,
    declared: Metadata,
    pictures: Iterable[Picture],
    text_start: int,
    page_url: str | None,
) -> tuple[Media, ...]:
    """Return the media of an article; ``text_start`` is the index of its first paragraph."""
    site_words = _site_words(declared, page_url)
    others = islice(_images_of_others(declared), _MOST_OF_OTHERS)
    others_images = {identity(found.url) for found in others}

    def is_picture(found: _Found) -> bool:
        return (
            not found.url.startswith("data:")
            and not is_decoration(found.url, site_words)
            and (found.is_video or identity(found.url) not in others_images)
        )

    images = list(filter(is_picture, _declared_images(declared)))
    if not images:
        images = list(filter(is_picture, _lesser_images(root, declared)))
    images += [found for found in _declared_videos(declared) if is_picture(found)]
    own = {identity(found.url) for found in images}
    first: list[_Found] = []
    further: list[_Found] = []
    for picture in pictures:
        for source in picture.sources():
            found = _Found(source.url, source.is_video, source.width, element=source.element)
            if is_picture(found) and not (
                is_teaser(source, page_url) and identity(found.url) not in own
            ):
                is_first = not first and picture.index <= text_start and is_main(source)
                (first if is_first else further).append(found)
    return tuple(
        Media(found.url, found.is_video, found.caption.text, found.caption.credit)
        for found in _merged([*first, *images, *further])
    )


def _merged(media: list[_Found]) -> Iterable[_Found]:
    """Return the media with each picture once, at its widest, with the caption of any copy."""
    merged: dict[str, _Found] = {}
    described_elements = 0
    for found in media:
        if found.element is not None and described_elements < _MOST_DESCRIBED:
            described_elements += 1
            found.caption = caption_of(found.element)
        name = found.url if found.is_video else identity(found.url)
        kept = merged.setdefault(name, found)
        if kept is found:
            continue
        kept.caption = _completed(kept, found)
        if _width_of(found) > _width_of(kept):
            kept.url, kept.width = found.url, _width_of(found)
    return merged.values()


def _width_of(found: _Found) -> int:
    """Return a width, or that which social networks ask of declared images; 0 if not known."""
    return found.width or (_DECLARED_WIDTH if found.element is None else 0)


def _completed(kept: _Found, found: _Found) -> Caption:
    """Return the caption of two copies of a picture: the one beside it goes before JSON-LD's."""
    first, second = kept.caption, found.caption
    if kept.element is None and second.text:
        first, second = second, first
    return Caption(first.text or second.text, first.credit or second.credit)


def _site_words(declared: Metadata, page_url: str | None) -> str:
    """Return the names and the host of a page's site in lower case."""
    try:
        host = urlsplit(page_url or "").hostname or ""
    except ValueError:
        host = ""
    return " ".join((host, *declared.site_names)).lower()


def _declared_images(declared: Metadata) -> Iterator[_Found]:
    yield from _of_value(declared.article.get("image"), declared.by_id)
    metas = declared.metas
    urls = [url for name in _OG_IMAGES for url in metas.get(name, [])]
    widths = metas.get("og:image:width", [])
    is_alone = len(dict.fromkeys(urls)) == 1 and len(widths) == 1
    width = _width(widths[0]) if is_alone else None
    for url in islice(dict.fromkeys(urls), _MOST_DECLARED):
        if width is None or width >= _ICON_SIZE:
            yield _Found(url, False, width)


def _lesser_images(root: _Element, declared: Metadata) -> Iterator[_Found]:
    """Yield the images that matter only if no other is declared: they may be small copies."""
    for node in declared.nodes:
        if "webpage" in json_ld.types(node):
            yield from _of_value(node.get("primaryImageOfPage"), declared.by_id)
    for name in _LESSER_IMAGES:
        for url in declared.metas.get(name, [])[:_MOST_DECLARED]:
            yield _Found(url, False)
    for link in root.iter("link"):
        href = (link.get("href") or "").strip()
        if href and (link.get("rel") or "").strip().lower() == "image_src":
            yield _Found(href, False)
    yield from _of_value(declared.article.get("thumbnailUrl"), declared.by_id)


def _declared_videos(declared: Metadata) -> Iterator[_Found]:
    yield from _of_value(declared.article.get("video"), declared.by_id, is_video=True)
    for name in _OG_VIDEOS:
        for url in declared.metas.get(name, [])[:1]:
            yield _Found(url, True)


def _images_of_others(declared: Metadata) -> Iterator[_Found]:
    """Yield the images of the publisher, its site, and the authors: logos, cards, portraits."""
    nodes = [
        node
        for node in declared.nodes
        if json_ld.is_organisation(node) or "person" in json_ld.types(node)
    ]
    for name in ("publisher", "author", "creator"):
        value = declared.article.get(name)
        entries = value[:_MOST_NAMES] if isinstance(value, list) else [value]
        nodes += [entry for entry in entries if isinstance(entry, dict)]
    for node in nodes:
        yield from _of_value(node.get("logo"), declared.by_id)
        yield from _of_value(node.get("image"), declared.by_id)


def _of_value(
    value: Any, by_id: dict[str, json_ld.Node], *, is_video: bool = False
) -> Iterator[_Found]:
    """Yield the media of a JSON-LD value: a URL, an object, a reference, or a list of these."""
    pending = [(value, _DEEPEST)]
    count = 0
    while pending and count < _MOST_DECLARED:
        value, depth = pending.pop()
        if isinstance(value, list) and depth:
            pending += [(entry, depth - 1) for entry in reversed(value[:_MOST_DECLARED])]
        elif isinstance(value, str) and value.strip():
            count += 1
            yield _Found(without_controls(value.strip()), is_video)
        elif isinstance(value, dict) and depth and (found := _of_object(value, by_id, is_video)):
            count += 1
            yield found


def _of_object(node: json_ld.Node, by_id: dict[str, json_ld.Node], is_video: bool) -> _Found | None:
    reference = node.get("@id")
    if len(node) <= 2 and isinstance(reference, str) and reference in by_id:
        node = by_id[reference]
    for name in ("contentUrl", "url", "thumbnailUrl", "@id"):
        url = node.get(name)
        if isinstance(url, list):
            url = next((entry for entry in url if isinstance(entry, str)), None)
        if isinstance(url, dict):
            url = url.get("@id") or url.get("@value")
        if not isinstance(url, str) or len(url) > _LONGEST_URL:
            continue
        if (url := url.strip()) and (name != "@id" or _is_file(url)):
            caption = NOTHING if is_video else _caption(node, by_id)
            return _Found(without_controls(url), is_video, _width(node.get("width")), caption)
    return None


def _is_file(url: str) -> bool:
    return IMAGE_FILE.search(url) is not None and "#" not in url


def _caption(node: json_ld.Node, by_id: dict[str, json_ld.Node]) -> Caption:
    text = node.get("caption")
    names = (
        name
        for field in ("creditText", "copyrightHolder", "creator", "copyrightNotice", "author")
        if (name := _name(node.get(field), by_id))
    )
    readable = json_ld.readable(text[:_LONGEST_TEXT]) if isinstance(text, str) else None
    return described(readable, next(names, None))


def _name(value: Any, by_id: dict[str, json_ld.Node]) -> str | None:
    """Return the name in a credit of JSON-LD: a text, a person or organisation, or several."""
    names: list[str] = []
    for entry in value[:_MOST_NAMES] if isinstance(value, list) else [value]:
        if isinstance(entry, dict):
            reference = entry.get("@id")
            if "name" not in entry and isinstance(reference, str):
                entry = by_id.get(reference, entry)
            entry = entry.get("name")
        if isinstance(entry, str) and (
            name := credit_name(json_ld.readable(entry[:_LONGEST_NAME]))
        ):
            names.append(name)
    return ", ".join(dict.fromkeys(names)) or None


def _width(value: Any) -> int | None:
    """Return a width in pixels: 1200, "1200", "1200px" or a QuantitativeValue."""
    if isinstance(value, dict):
        value = value.get("value")
    if isinstance(value, str):
        text = value.strip().removesuffix("px").strip()
        value = int(text) if text.isdecimal() and len(text) < 6 else None
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 < value < 100_000 else None

"""Turns a page's related list into the ``RelatedItem`` values of its record."""

import html
import re
from functools import lru_cache
from typing import NamedTuple

from crawler.extraction.addresses import article_address
from crawler.extraction.page import ParsedPage
from crawler.extraction.page.text import collapse
from crawler.extraction.publishers import NUMBER, Publisher
from crawler.items import MediaKind, RelatedItem

VIDEO_FILE = re.compile(r"\.(?:mp4|m4v|webm|m3u8|flv|mov|avi|wmv|3gp|ogv)(?:$|[?#])", re.IGNORECASE)
# A longer text is not a headline; it is kept as it is, and not cached.
LONGEST_HEADLINE = 1000
_CACHE_SIZE = 16_384


def related_items(page: ParsedPage, publisher: Publisher | None) -> tuple[RelatedItem, ...] | None:
    """Return the items of a page's related list in its order; None if it has no list.

    An item of a leaked list has an id and no address; its URL follows from the id if the publisher
    has a rule for that.
    """
    if page.related is None:
        return None
    found = []
    for position, listed in enumerate(page.related.items, start=1):
        is_long = listed.title is not None and len(listed.title) > LONGEST_HEADLINE
        read_entry = _read if is_long else _read_once
        read = read_entry(listed.id, listed.title, listed.picture, listed.url, publisher)
        found.append(
            RelatedItem(
                position=position,
                id=read.id,
                url=read.url,
                internal=read.internal,
                headline=read.headline,
                headline_raw=listed.title,
                kind=read.kind,
                picture_url=read.picture_url,
                uploaded_at=read.uploaded_at,
                content_type=listed.content_type,
                sort=listed.sort,
            )
        )
    return tuple(found)


class _Read(NamedTuple):
    """The fields of a related item that follow from its entry in any list."""

    id: str | None
    url: str | None
    internal: bool | None
    headline: str | None
    kind: MediaKind | None
    picture_url: str | None
    uploaded_at: str | None


def _read(
    listed_id: str | None,
    title: str | None,
    picture: str | None,
    url: str | None,
    publisher: Publisher | None,
) -> _Read:
    headline, is_marked = title, False
    if title and len(title) <= LONGEST_HEADLINE:
        headline, is_marked = _headline(title, publisher)
        if headline == title:
            # One text instead of two: they take up most of an entry of the cache.
            headline = title
    picture_url, uploaded_at, is_video = (
        _picture(picture, publisher) if picture else (None, None, False)
    )
    return _Read(
        *_identity(listed_id, url, publisher),
        headline=headline,
        kind="video" if is_marked or is_video else "image" if picture else None,
        picture_url=picture_url,
        uploaded_at=uploaded_at,
    )


# The lists of neighbouring articles name the same articles again and again.
_read_once = lru_cache(maxsize=_CACHE_SIZE)(_read)


def _identity(
    listed_id: str | None, url: str | None, publisher: Publisher | None
) -> tuple[str | None, str | None, bool | None]:
    """Return the id and the URL of a listed article, and whether it is of the same publisher."""
    if url is not None:
        article_id, internal = target_of(url, publisher)
        return article_id, url, internal
    if listed_id is None or not NUMBER.fullmatch(listed_id):
        return None, None, None
    if publisher is None or publisher.article_path is None:
        return listed_id, None, None
    article_id = publisher.id_from_text(listed_id)
    return article_id, publisher.url_of(article_id) if article_id else None, True


def target_of(url: str, publisher: Publisher | None) -> tuple[str | None, bool | None]:
    """Return the id of a link's target, and whether it is of the page's publisher."""
    internal = publisher.owns(url) if publisher else None
    own = publisher.id_of(url) if publisher and internal else None
    return own or article_address(url), internal


def _headline(title: str, publisher: Publisher | None) -> tuple[str, bool]:
    text = collapse(html.unescape(title))
    return publisher.clean_headline(text) if publisher else (text, False)


def _picture(path: str, publisher: Publisher | None) -> tuple[str | None, str | None, bool]:
    """Return the URL of a listed picture, when it was uploaded, and whether it is a video."""
    url, uploaded_at = path, None
    if publisher:
        if publisher.picture_url and path.startswith("/"):
            url = publisher.picture_url.format(path=path)
        if publisher.uploaded and (uploaded := publisher.uploaded(path)):
            uploaded = uploaded.replace(tzinfo=publisher.zone)  # None: local time, without offset
            uploaded_at = uploaded.isoformat(timespec="microseconds")
    url = url.replace(" ", "%20")
    is_web = url.startswith(("http://", "https://"))
    return url if is_web else None, uploaded_at, VIDEO_FILE.search(url) is not None

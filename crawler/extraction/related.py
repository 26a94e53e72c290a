"""Turns a page's related list into the ``RelatedItem`` values of its record."""

import html
import re
from functools import lru_cache

from crawler.extraction.page import ParsedPage
from crawler.extraction.page.text import collapse
from crawler.extraction.publishers import ARTICLE_ID, Publisher
from crawler.items import RelatedItem

VIDEO_FILE = re.compile(r"\.(?:mp4|m4v|webm|m3u8|flv|mov|avi|wmv|3gp|ogv)(?:$|[?#])", re.IGNORECASE)
# A longer text is not a headline; it is kept as it is, and not cached.
LONGEST_HEADLINE = 1000
_CACHE_SIZE = 16_384


def related_items(page: ParsedPage, publisher: Publisher | None) -> tuple[RelatedItem, ...] | None:
    """Return the items of a page's related list in its order; None if it has no list.

    Without a publisher an item keeps the id that the page states, and has no URL.
    """
    if page.related is None:
        return None
    found = []
    for position, listed in enumerate(page.related.items, start=1):
        article_id = listed.id if listed.id and ARTICLE_ID.fullmatch(listed.id) else None
        headline, is_marked = listed.title, False
        if listed.title and len(listed.title) <= LONGEST_HEADLINE:
            headline, is_marked = _headline(listed.title, publisher)
        picture_url, uploaded_at, is_video = (
            _picture(listed.picture, publisher) if listed.picture else (None, None, False)
        )
        found.append(
            RelatedItem(
                position=position,
                id=article_id,
                url=publisher.url_of(article_id) if publisher and article_id else None,
                headline=headline,
                headline_raw=listed.title,
                kind="video" if is_marked or is_video else "image" if listed.picture else None,
                picture_url=picture_url,
                uploaded_at=uploaded_at,
                content_type=listed.content_type,
                sort=listed.sort,
            )
        )
    return tuple(found)


# The lists of neighbouring articles name the same articles again and again.
@lru_cache(maxsize=_CACHE_SIZE)
def _headline(title: str, publisher: Publisher | None) -> tuple[str, bool]:
    text = collapse(html.unescape(title))
    return publisher.clean_headline(text) if publisher else (text, False)


@lru_cache(maxsize=_CACHE_SIZE)
def _picture(path: str, publisher: Publisher | None) -> tuple[str | None, str | None, bool]:
    """Return the URL of a listed picture, when it was uploaded, and whether it is a video."""
    url, uploaded_at = path, None
    if publisher:
        if publisher.picture_url and path.startswith("/"):
            url = publisher.picture_url.format(path=path)
        if publisher.uploaded and (uploaded := publisher.uploaded(path)):
            uploaded = uploaded.replace(tzinfo=publisher.zone)
            uploaded_at = uploaded.isoformat(timespec="microseconds")
    url = url.replace(" ", "%20")
    is_web = url.startswith(("http://", "https://"))
    return url if is_web else None, uploaded_at, VIDEO_FILE.search(url) is not None

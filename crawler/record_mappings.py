"""An article's record in other vocabularies: schema.org, and Zyte's common items.

docs/reference/records.md has the table. Fields that are null are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crawler.items import ArticleRole, Author, Media, PageRecord

_ARTICLE_ROLES: tuple[ArticleRole, ...] = ("related", "text", "translation")
_TYPES = {"image": "ImageObject", "video": "VideoObject"}


def news_article(record: PageRecord) -> dict[str, Any]:
    """Return a record as JSON-LD: a ``NewsArticle`` of schema.org.

    Authors have no type, as pages do not always say whether they are people.
    """
    linked = [link.url for link in record.links or () if link.role in _ARTICLE_ROLES]
    related = [item.url for item in record.related or ()]
    page = record.canonical_url or record.url
    links = list(dict.fromkeys(filter(None, (*related, *linked))))
    return _filled(
        {
            "@context": "https://schema.org",
            "@type": "NewsArticle",
            "identifier": record.id,
            "url": record.url,
            "mainEntityOfPage": _filled({"@type": "WebPage", "@id": page, "relatedLink": links}),
            "headline": record.headline,
            "datePublished": record.published_at,
            "dateModified": record.modified_at,
            "author": [_author(author) for author in record.authors or ()],
            "description": record.description,
            "articleSection": record.section,
            "keywords": list(record.tags or ()),
            "articleBody": record.body,
            "inLanguage": record.language,
            "image": [
                _media_object(media) for media in record.media or () if media.kind == "image"
            ],
            "video": [
                _media_object(media) for media in record.media or () if media.kind == "video"
            ],
            "isAccessibleForFree": record.accessible_for_free,
            "creditText": record.credit,
            "workTranslation": [
                {"@type": "NewsArticle", "url": other.url, "inLanguage": other.language}
                for other in record.alternates or ()
                if other.language and other.language != "x-default"
            ],
        }
    )


def zyte_article(record: PageRecord) -> dict[str, Any]:
    """Return a record under the names of ``zyte_common_items.Article``, for its ``from_dict``.

    Raises ValueError if the record has no URL, which such an item must have.
    """
    if record.url is None:
        raise ValueError(f"the record {record.headline!r} has no URL")
    pictures = [{"url": media.url} for media in record.media or () if media.kind == "image"]
    return _filled(
        {
            "url": record.url,
            "canonicalUrl": record.canonical_url,
            "headline": record.headline,
            "datePublished": record.published_at,
            "datePublishedRaw": record.published_raw,
            "dateModified": record.modified_at,
            "authors": [_author(author) for author in record.authors or ()],
            "breadcrumbs": [{"name": record.section}] if record.section else None,
            "inLanguage": record.language,
            "mainImage": pictures[0] if pictures else None,
            "images": pictures,
            "videos": [{"url": media.url} for media in record.media or () if media.kind == "video"],
            "description": record.description,
            "articleBody": record.body,
        }
    )


def _author(author: Author) -> dict[str, Any]:
    return _filled({"name": author.name, "url": author.url})


def _media_object(media: Media) -> dict[str, Any]:
    return _filled(
        {
            "@type": _TYPES[media.kind],
            "contentUrl": media.url,
            "caption": media.caption,
            "creditText": media.credit,
        }
    )


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, [], {})}

"""Read who wrote an article.

Takes what a page declares (JSON-LD, meta tags) and what it shows (the byline near the headline or
below the text); returns a ``Byline`` for each author, in the page's order, or none. The rules for
names are in author_names.py. Never raises.

The sources, most trusted first:

1. JSON-LD ``author`` of the article's node, and ``creator`` if that names nobody but the outlet.
2. The byline that the page shows between its headline and its text.
3. JSON-LD ``author`` of the web page.
4. Meta tags: those of articles before ``author``, which is the site's own on many pages.
5. The byline that the page shows below the text or above the headline.
6. A line above the text that is nothing but a name, if the text has none of its words.

A shown byline that names all declared authors and more is taken instead of JSON-LD. Declared
authors are left out if the page shows them only as its editors or photographers.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from crawler.extraction.addresses import domain_of
from crawler.extraction.page import json_ld
from crawler.extraction.page.article import Chosen
from crawler.extraction.page.author_names import (
    Outlets,
    declared_names,
    fold,
    is_agency,
)
from crawler.extraction.page.blocks import Layout
from crawler.extraction.page.bylines import (
    MOST_AUTHORS,
    PROFILE,
    Byline,
    ShownBylines,
    leads_somewhere,
)
from crawler.extraction.page.metadata import Metadata

_METAS = (
    "article:author_name",
    "article:byline",
    "article:author",
    "og:article:author",
    "sailthru.author",
    "byl",
    "byline",
    "parsely-author",
    "cxenseparse:author",
    "cxenseparse:recs:articleauthor",
    "articleauthor",
    "article.author",
    "article_author",
    "author_name",
    "authors",
    "citation_author",
    "dc.creator",
    "dc.contributor.author",
    "dcterms.creator",
    "dcsext.author",
    "bt:author",
    "mediator_author",
    "og:author",
    "author",
)
_PUBLISHER_METAS = (
    "publisher",
    "dc.publisher",
    "dcterms.publisher",
    "og:site_name",
    "application-name",
    "apple-mobile-web-app-title",
    "twitter:app:name:iphone",
)
_PUBLISHER_KEYS = ("publisher", "sourceOrganization", "provider", "copyrightHolder", "isPartOf")
# A page that declares more was built to be slow to read.
_DEEPEST, _MOST_METAS, _MOST_OUTLETS, _MOST_PAGES = 4, 50, 10, 10


def read(
    layout: Layout, declared: Metadata, chosen: Chosen, names: Iterable[str], url: str | None
) -> tuple[Byline, ...]:
    """Return the authors of a page's article; ``names`` are those of its publisher's file."""
    outlets = Outlets((*names, *_outlet_names(declared)), domain_of(url) if url else None)
    stated = _of_json_ld(declared, outlets, url)
    shown = ShownBylines(layout, chosen, outlets)
    below = shown.below_headline()
    found = stated
    if stated and below:
        certain = [author for author in below if " " in author.name]
        if _has_more(certain, stated):
            found = certain
        elif not _share_one(below, stated) and shown.credits_otherwise(stated):
            found = below
    found = (
        found
        or below
        or _of_json_ld(declared, outlets, url, is_of_article=False)
        or _of_metas(declared, outlets)
        or shown.elsewhere()
        or shown.alone()
    )
    return tuple(_with_links(found, [*below, *shown.links], declared))


def _has_more(shown: list[Byline], stated: list[Byline]) -> bool:
    """Return whether a shown byline has all stated authors and more, not counting agencies."""
    keys = {fold(author.name) for author in shown if not is_agency(author.name)}
    return keys > {fold(author.name) for author in stated}


def _share_one(some: list[Byline], others: list[Byline]) -> bool:
    return not {fold(author.name) for author in some}.isdisjoint(fold(a.name) for a in others)


def _outlet_names(declared: Metadata) -> Iterator[str]:
    """Yield the names that a page gives its outlet."""
    yield from declared.site_names
    for meta in _PUBLISHER_METAS:
        yield from declared.metas.get(meta, ())[:2]
    ids = declared.by_id
    for key in _PUBLISHER_KEYS:
        for entity in islice(_entities(declared.article.get(key), ids), _MOST_OUTLETS):
            if (
                isinstance(entity, dict)
                and key == "copyrightHolder"
                and "person" in json_ld.types(entity)
            ):
                continue
            yield from json_ld.texts(entity.get("name") if isinstance(entity, dict) else entity)
            if isinstance(entity, dict):
                for name in ("alternateName", "legalName"):
                    yield from json_ld.texts(entity.get(name))
                parents = _entities(entity.get("parentOrganization"), ids)
                for parent in islice(parents, _MOST_OUTLETS):
                    yield from json_ld.texts(
                        parent.get("name") if isinstance(parent, dict) else parent
                    )
    for node in declared.nodes:
        if json_ld.is_organisation(node):
            yield from json_ld.texts(node.get("name"))


def _of_json_ld(
    declared: Metadata, outlets: Outlets, url: str | None, *, is_of_article: bool = True
) -> list[Byline]:
    ids = declared.by_id
    if is_of_article:
        described = [(declared.article, key, f"JSON-LD {key}") for key in ("author", "creator")]
    else:
        pages = (node for node in declared.nodes if json_ld.is_web_page(node))
        described = [
            (node, "author", "JSON-LD author of the web page")
            for node in islice(pages, _MOST_PAGES)
        ]
    for node, key, where in described:
        found: dict[str, Byline] = {}
        for entity in islice(_entities(node.get(key), ids), MOST_AUTHORS):
            texts, link = _names_of(entity), None
            if isinstance(entity, dict):
                link = _profile(entity, url)
            names = [name for text in texts for name in declared_names(text, outlets)]
            for name in names:
                author = Byline(name, link if len(names) == 1 else None, where)
                found.setdefault(fold(name), author)
        if found:
            return list(found.values())
    return []


def _entities(value: Any, ids: dict[str, json_ld.Node], depth: int = _DEEPEST) -> Iterator[Any]:
    """Yield the texts and nodes in a value, with nodes in place of references to them."""
    if isinstance(value, list):
        if depth:
            for entry in value:
                yield from _entities(entry, ids, depth - 1)
    elif isinstance(value, dict):
        if depth and isinstance(value.get("@list"), list):
            yield from _entities(value["@list"], ids, depth - 1)
            return
        reference = value.get("@id")
        known = ids.get(reference) if isinstance(reference, str) else None
        yield {**known, **value} if known is not None else value
    elif isinstance(value, str):
        known = ids.get(value)
        yield value if known is None else known


def _names_of(entity: Any) -> list[str]:
    if isinstance(entity, str):
        return json_ld.texts(entity)
    if not isinstance(entity, dict):
        return []
    name = entity.get("name") or entity.get("byline") or entity.get("@value")
    if not name:
        name = " ".join(
            part for key in ("givenName", "familyName") for part in json_ld.texts(entity.get(key))
        )
    return json_ld.texts(name)


def _profile(entity: json_ld.Node, url: str | None) -> str | None:
    """Return the URL of an author's page: a declared one, or one on the page's own site."""
    for key in ("url", "mainEntityOfPage", "sameAs", "@id"):
        values = entity.get(key)
        for value in islice(values, 10) if isinstance(values, list) else [values]:
            if isinstance(value, dict):
                value = value.get("@id")
            if not isinstance(value, str) or not leads_somewhere(value):
                continue
            link = value.strip()
            if key == "url" or ("#" not in link and PROFILE.search(link) and _is_own(link, url)):
                return link
    return None


def _is_own(link: str, url: str | None) -> bool:
    return link.startswith("/") or url is None or domain_of(link) == domain_of(url)


def _of_metas(declared: Metadata, outlets: Outlets) -> list[Byline]:
    for meta in _METAS:
        found: dict[str, Byline] = {}
        for content in declared.metas.get(meta, ())[:_MOST_METAS]:
            for name in declared_names(content, outlets):
                found.setdefault(fold(name), Byline(name, None, f"meta {meta}"))
        if found:
            return list(found.values())[:MOST_AUTHORS]
    return []


def _with_links(found: list[Byline], shown: list[Byline], declared: Metadata) -> Iterator[Byline]:
    """Yield authors with links to their pages from the byline or from article:author."""
    links = {fold(author.name): author.url for author in reversed(shown) if author.url}
    stated = declared.metas.get("article:author", ())[:_MOST_METAS]
    metas = [link for link in stated if leads_somewhere(link)]
    for author in found:
        key = fold(author.name)
        link = author.url or links.get(key)
        if link is None and key.isascii() and len(key) > 5:
            link = next((meta for meta in metas if key in fold(meta)), None)
        yield Byline(author.name, link, author.where)

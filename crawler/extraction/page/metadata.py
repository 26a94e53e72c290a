"""Read a page's declared metadata: JSON-LD, meta tags, title and language."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lxml.etree import _Element

from crawler.extraction.page.text import all_text, collapse, without_controls

_ARTICLE_TYPES = re.compile(
    r"(?:[a-z]*news)?article|reportage\w*|blogposting|report|liveblogposting|videoobject", re.I
)
_PUBLISHED = (
    "article:published_time",
    "og:article:published_time",
    "og:published_time",
    "datepublished",
    "dc.date.issued",
    "dcterms.issued",
    "dc.date",
    "dcterms.date",
    "dcterms.created",
    "dc.date.created",
    "pubdate",
    "publishdate",
    "publish-date",
    "publish_date",
    "publication_date",
    "article.published",
    "parsely-pub-date",
    "sailthru.date",
    "cxenseparse:recs:publishtime",
    "date",
)
# Old pages wrap scripts in a comment or CDATA section to hide them from older browsers.
_COMMENT = re.compile(r"^\s*(?:<!--|/\*\s*<!\[CDATA\[\s*\*/|//<!\[CDATA\[)|(?:-->|//\]\]>)\s*$")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?=[-_]|$)")


@dataclass(frozen=True, slots=True)
class Declared:
    """A value and the place that declares it, such as ``JSON-LD headline`` or ``meta og:title``."""

    value: str
    where: str


@dataclass(frozen=True, slots=True)
class Metadata:
    """The declarations of one page, most trusted first.

    ``kinds`` are the declared types of the page, in lower case: of JSON-LD and og:type.
    """

    headlines: tuple[Declared, ...]
    title: str | None
    published: tuple[Declared, ...]
    language: Declared | None
    url: Declared | None
    kinds: frozenset[str]
    images: tuple[str, ...]
    videos: tuple[str, ...]
    site_names: tuple[str, ...]


def read(root: _Element) -> Metadata:
    """Read the declarations of a parsed page."""
    metas = _metas(root)
    nodes = _json_ld_nodes(root)
    article = next(filter(_is_article, nodes), {})
    title = (
        next((collapse(without_controls(all_text(t))) for t in root.iter("title")), None) or None
    )
    # A VideoObject has a name and an upload date instead.
    name = "headline" if article.get("headline") else "name"
    headlines = [Declared(h, f"JSON-LD {name}") for h in _texts(article.get(name))]
    headlines += [
        Declared(metas[key], f"meta {key}")
        for key in ("og:title", "twitter:title", "dc.title")
        if key in metas
    ]
    date = "datePublished" if article.get("datePublished") else "uploadDate"
    published = [Declared(d, f"JSON-LD {date}") for d in _texts(article.get(date))]
    published += [Declared(metas[key], f"meta {key}") for key in _PUBLISHED if key in metas]
    canonical = [
        link.get("href") or ""
        for link in root.iter("link")
        if "canonical" in (link.get("rel") or "")
    ]
    url = (
        Declared(canonical[0], "link rel=canonical") if canonical and canonical[0].strip() else None
    )
    if url is None and "og:url" in metas:
        url = Declared(metas["og:url"], "meta og:url")
    return Metadata(
        headlines=tuple(headlines),
        title=title,
        published=tuple(published),
        language=_language(root, metas, article),
        url=url,
        kinds=_kinds(nodes, metas),
        images=tuple(
            dict.fromkeys(
                [*_urls(article.get("image")), *(metas[k] for k in ("og:image",) if k in metas)]
            )
        ),
        videos=tuple(
            dict.fromkeys(
                [
                    *_urls(article.get("video")),
                    *(metas[k] for k in ("og:video", "og:video:url") if k in metas),
                ]
            )
        ),
        site_names=tuple(metas[k] for k in ("og:site_name", "application-name") if k in metas),
    )


def _metas(root: _Element) -> dict[str, str]:
    """Return the first content of each meta property, name or itemprop, keyed in lower case."""
    found: dict[str, str] = {}
    for meta in root.iter("meta"):
        name = (
            meta.get("property")
            or meta.get("name")
            or meta.get("itemprop")
            or meta.get("http-equiv")
        )
        content = collapse(without_controls(meta.get("content") or ""))
        if name and content:
            found.setdefault(name.strip().lower(), content)
    return found


def _json_ld_nodes(root: _Element) -> list[dict[str, Any]]:
    """Return the top-level nodes of the page's JSON-LD."""
    nodes: list[dict[str, Any]] = []
    for script in root.iter("script"):
        if "ld+json" not in (script.get("type") or ""):
            continue
        try:
            data = json.loads(_COMMENT.sub("", script.text or ""), strict=False)
        except (ValueError, RecursionError):
            continue
        nodes.extend(_nodes(data))
    return nodes


def _is_article(node: dict[str, Any]) -> bool:
    return any(_ARTICLE_TYPES.fullmatch(kind) for kind in _types(node))


def _types(node: dict[str, Any]) -> list[str]:
    types = node.get("@type")
    return [
        kind for kind in (types if isinstance(types, list) else [types]) if isinstance(kind, str)
    ]


def _kinds(nodes: list[dict[str, Any]], metas: dict[str, str]) -> frozenset[str]:
    kinds = {kind for node in nodes for kind in _types(node)}
    kinds.update(metas[key] for key in ("og:type",) if key in metas)
    return frozenset(kind.lower().rpartition("/")[2] for kind in kinds)


def _nodes(data: Any) -> Iterator[dict[str, Any]]:
    """Yield the top-level nodes of a JSON-LD document; nested ones may be other articles."""
    for node in data if isinstance(data, list) else [data]:
        if isinstance(node, dict):
            yield node
            graph = node.get("@graph")
            yield from (
                inner
                for inner in (graph if isinstance(graph, list) else [])
                if isinstance(inner, dict)
            )
            main = node.get("mainEntity")
            if isinstance(main, dict):
                yield main


def _language(root: _Element, metas: dict[str, str], article: dict[str, Any]) -> Declared | None:
    tag = next(root.iter("html"), root)
    in_language = article.get("inLanguage")
    for value, where in (
        (
            tag.get("lang")
            or tag.get("{http://www.w3.org/XML/1998/namespace}lang")
            or tag.get("xml:lang"),
            "html lang",
        ),
        (in_language if isinstance(in_language, str) else None, "JSON-LD inLanguage"),
        (metas.get("content-language"), "meta content-language"),
        (metas.get("language"), "meta language"),
        (metas.get("dc.language"), "meta dc.language"),
        (metas.get("og:locale"), "meta og:locale"),
    ):
        if value and (match := _LANGUAGE.match(value.strip())):
            return Declared(match[0].lower(), where)
    return None


def _texts(value: Any) -> list[str]:
    return [text] if isinstance(value, str) and (text := collapse(without_controls(value))) else []


def _urls(value: Any) -> list[str]:
    """Return the URLs in an image or video value: a string, an object or a list of either."""
    found: list[str] = []
    for entry in value if isinstance(value, list) else [value]:
        if isinstance(entry, dict):
            entry = entry.get("contentUrl") or entry.get("url")
        if isinstance(entry, str) and entry.strip():
            found.append(without_controls(entry.strip()))
    return found

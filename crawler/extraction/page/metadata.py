"""Read a page's declared metadata: JSON-LD, meta tags, title and language."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from lxml.etree import _Element

from crawler.extraction.page import json_ld
from crawler.extraction.page.language_codes import language_code
from crawler.extraction.page.text import all_text, collapse, key

_PUBLISHED = (
    "article:published_time",
    "og:article:published_time",
    "og:published_time",
    "datepublished",
    "article:published",
    "article:published_date",
    "rnews:datepublished",
    "shareaholic:article_published_time",
    "dc.date.issued",
    "dcterms.issued",
    "dc.date.published",
    "prism.publicationdate",
    "citation_publication_date",
    "dc.date",
    "dcterms.date",
    "dcterms.created",
    "dc.date.created",
    "pubdate",
    "publishdate",
    "publish-date",
    "publish_date",
    "publication_date",
    "pub_date",
    "pub-date",
    "publicationdate",
    "publication-date",
    "published",
    "published_at",
    "published_date",
    "published-date",
    "published_time",
    "publish_time",
    "publishtime",
    "publishing_date",
    "publisheddate",
    "originalpublicationdate",
    "displaydate",
    "date_published",
    "article_date_original",
    "og:pubdate",
    "bt:pubdate",
    "ptime",
    "weibo:article:create_at",
    "weibo: article:create_at",
    "article.published",
    "article.created",
    "analyticsattributes.articledate",
    "iso-8601-publish-date",
    "vr:published_time",
    "dcsext.articlefirstpublished",
    "parsely-pub-date",
    "sailthru.date",
    "cxenseparse:recs:publishtime",
    "cxenseparse:publishtime",
    "rbpubdate",
    "pagedate",
    "doc_date",
    "date_created",
    "content_create_date",
    "sort_date",
    "news_date",
    "uploaddate",
    "mediator_published_time",
    "thepublishtime",
    "article:post_time",
    "twitter:publish-date",
    "date.release",
    "date",
)
_MODIFIED = (
    "article:modified_time",
    "og:article:modified_time",
    "datemodified",
    "date_modified",
    "article:modified",
    "shareaholic:article_modified_time",
    "dc.date.modified",
    "dcterms.modified",
    "date.modified",
    "date.updated",
    "last-modified",
    "lastmod",
    "og:updated_time",
)
_DESCRIPTIONS = (
    "og:description",
    "description",
    "twitter:description",
    "dc.description",
    "dcterms.description",
    "abstract",
)
# Characters. A longer description is the text itself.
_LONGEST_DESCRIPTION = 2_000
_CUT = ("...", "…")
_FREE = {"true": "true", "yes": "true", "1": "true", "false": "false", "no": "false", "0": "false"}
_CONTENT_TIERS = {"free": "true", "locked": "false"}
_MOST_ALTERNATES = 500
# Headings that are compared with the headline of JSON-LD.
_MOST_HEADINGS = 5

Metas = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Declared:
    """A value and the place that declares it, such as ``JSON-LD headline`` or ``meta og:title``."""

    value: str
    where: str


@dataclass(frozen=True, slots=True)
class Alternate:
    """Another version of the page: its URL as written, and its language tag (None: AMP)."""

    url: str
    language: str | None


@dataclass(frozen=True, slots=True)
class Metadata:
    """The declarations of one page, most trusted first.

    ``kinds`` are the declared types of the page, in lower case: of JSON-LD and og:type. ``body`` is
    the article's text in JSON-LD without markup, one paragraph a line. ``nodes`` are those of
    JSON-LD, ``by_id`` those with an id, and ``article`` is the one that describes the page's
    article, empty if none does. ``metas`` are the contents of the meta tags in page order, by their
    names in lower case. ``free`` is "true" or "false".
    """

    nodes: list[json_ld.Node]
    by_id: dict[str, json_ld.Node]
    article: json_ld.Node
    metas: Metas

    headlines: tuple[Declared, ...]
    title: str | None
    published: tuple[Declared, ...]
    language: Declared | None
    url: Declared | None
    kinds: frozenset[str]
    site_names: tuple[str, ...]
    body: Declared | None
    modified: tuple[Declared, ...]
    description: Declared | None
    free: Declared | None
    alternates: tuple[Alternate, ...]


def read(root: _Element, page_url: str | None = None) -> Metadata:
    """Read the declarations of a parsed page; ``page_url`` is its address, if known."""
    metas = _metas(root)
    nodes = json_ld.nodes(root)
    title = next((json_ld.readable(all_text(t)) for t in root.iter("title")), None) or None
    url = _url(root, metas)
    articles = [node for node in nodes if json_ld.is_article(node)]
    article = (
        json_ld.choose(
            articles,
            (page_url, url.value if url else None, _first(metas, "og:url")),
            _titles(root, metas, title),
        )
        if articles
        else {}
    )
    site_names = tuple(metas[k][0] for k in ("og:site_name", "application-name") if k in metas)
    # A VideoObject has a name and an upload date instead.
    title_name = "headline" if article.get("headline") else "name"
    headlines = [Declared(h, f"JSON-LD {title_name}") for h in _texts(article.get(title_name))]
    headlines += [
        Declared(metas[name][0], f"meta {name}")
        for name in ("og:title", "twitter:title", "dc.title")
        if name in metas
    ]
    return Metadata(
        nodes=nodes,
        by_id=json_ld.by_id(nodes),
        article=article,
        metas=metas,
        headlines=tuple(headlines),
        title=title,
        published=tuple(_published(article, nodes, metas)),
        language=_language(root, metas, article),
        url=url,
        kinds=_kinds(nodes, articles, article, metas),
        site_names=site_names,
        body=_body(article),
        modified=tuple(_modified(article, nodes, metas)),
        description=_description(article, nodes, metas, (title, *site_names)),
        free=_free(article, nodes, metas),
        alternates=tuple(islice(_alternates(root), _MOST_ALTERNATES)),
    )


def _url(root: _Element, metas: Metas) -> Declared | None:
    canonical = next(
        (link.get("href") for link in root.iter("link") if "canonical" in (link.get("rel") or "")),
        None,
    )
    if canonical and canonical.strip():
        return Declared(canonical, "link rel=canonical")
    return Declared(metas["og:url"][0], "meta og:url") if "og:url" in metas else None


def _titles(root: _Element, metas: Metas, title: str | None) -> list[str]:
    """Return the page's titles, with which the headline of its own JSON-LD agrees."""
    declared = [title or "", *(_first(metas, name) or "" for name in ("og:title", "twitter:title"))]
    visible = [collapse(all_text(h, 1000)) for h in islice(root.iter("h1"), _MOST_HEADINGS)]
    return declared + visible


def _body(article: json_ld.Node) -> Declared | None:
    value = article.get("articleBody")
    if isinstance(value, list):
        value = "\n".join(part for part in value if isinstance(part, str))
    text = json_ld.paragraphs(value) if isinstance(value, str) else ""
    return Declared(text, "JSON-LD articleBody") if text else None


def _published(article: json_ld.Node, nodes: list[json_ld.Node], metas: Metas) -> list[Declared]:
    """Return the declared dates of the page's own article, the most trusted first.

    A video's upload is the page's date only if the page declares no article, and a web page's comes
    after the meta tags.
    """
    found = [Declared(d, "JSON-LD datePublished") for d in _texts(article.get("datePublished"))]
    found += [Declared(metas[name][0], f"meta {name}") for name in _PUBLISHED if name in metas]
    found += [
        Declared(d, "JSON-LD datePublished of the web page")
        for node in nodes
        if json_ld.is_web_page(node)
        for d in _texts(node.get("datePublished"))
    ]
    # A video without an address is the page's.
    unplaced = [n for n in nodes if json_ld.is_video(n) and not json_ld.has_address(n)]
    videos = [article] if article else unplaced
    found += [
        Declared(d, "JSON-LD uploadDate") for n in videos for d in _texts(n.get("uploadDate"))
    ]
    return found


def _modified(article: json_ld.Node, nodes: list[json_ld.Node], metas: Metas) -> Iterator[Declared]:
    """Yield the declared dates of the article's last change, the most trusted first."""
    for value in _texts(article.get("dateModified")):
        yield Declared(value, "JSON-LD dateModified")
    for name in _MODIFIED:
        if name in metas:
            yield Declared(metas[name][0], f"meta {name}")
    for node in nodes:
        if json_ld.is_web_page(node):
            for value in _texts(node.get("dateModified")):
                yield Declared(value, "JSON-LD dateModified of the web page")


def _description(
    article: json_ld.Node, nodes: list[json_ld.Node], metas: Metas, titles: Iterable[str | None]
) -> Declared | None:
    """Return the page's summary of its article: the first that is whole, or else the longest.

    Titles, those of the page and its site (``titles``) too, and what the page says of its site are
    no summaries.
    """
    found = [Declared(d, "JSON-LD description") for d in _texts(article.get("description"))]
    found += [Declared(metas[name][0], f"meta {name}") for name in _DESCRIPTIONS if name in metas]
    others = {key(title or "") for title in (*titles, *_texts(article.get("headline")))}
    others.update(
        key(text)
        for node in nodes
        if json_ld.is_organisation(node)
        for name in ("description", "slogan")
        for text in _texts(node.get(name))
    )
    found = [
        declared
        for declared in found
        if len(declared.value) <= _LONGEST_DESCRIPTION and key(declared.value) not in others
    ]
    whole = [declared for declared in found if not declared.value.endswith(_CUT)]
    return next(iter(whole), None) or max(found, key=lambda d: len(d.value), default=None)


def _free(article: json_ld.Node, nodes: list[json_ld.Node], metas: Metas) -> Declared | None:
    """Return whether the page says that its text is free.

    If JSON-LD only says so of parts, the text is not free if one of them is not.
    """
    own = [article, *(node for node in nodes if json_ld.is_web_page(node))]
    of_article = [_flag(node) for node in own]
    of_parts = [_flag(part) for node in own for part in json_ld.objects(node.get("hasPart"))]
    for value in (*of_article, *(value for value in of_parts if value == "false")):
        if value:
            return Declared(value, "JSON-LD isAccessibleForFree")
    if value := _FREE.get(_last_word(_first(metas, "isaccessibleforfree"))):
        return Declared(value, "meta isAccessibleForFree")
    for name in ("article:content_tier", "og:article:content_tier"):
        if value := _CONTENT_TIERS.get(_last_word(_first(metas, name))):
            return Declared(value, f"meta {name}")
    return None


def _flag(node: json_ld.Node) -> str | None:
    return _FREE.get(_last_word(node.get("isAccessibleForFree")))


def _last_word(value: Any) -> str:
    """Return a flag in lower case, without the vocabulary of "http://schema.org/False"."""
    return str(value).rpartition("/")[2].strip().lower()


def _alternates(root: _Element) -> Iterator[Alternate]:
    for link in root.iter("link"):
        relations = (link.get("rel") or "").lower().split()
        url = (link.get("href") or "").strip()
        language = (link.get("hreflang") or "").strip()
        if not url:
            continue
        if "amphtml" in relations:
            yield Alternate(url, None)
        elif "alternate" in relations and language and not link.get("type"):
            yield Alternate(url, language)


def _first(metas: Metas, name: str) -> str | None:
    return metas[name][0] if name in metas else None


def _metas(root: _Element) -> Metas:
    """Return the contents of each meta property, name or itemprop, keyed in lower case."""
    found: dict[str, list[str]] = {}
    for meta in root.iter("meta"):
        name = (
            meta.get("property")
            or meta.get("name")
            or meta.get("itemprop")
            or meta.get("http-equiv")
        )
        content = json_ld.readable(meta.get("content") or "")
        if name and content:
            found.setdefault(name.strip().lower(), []).append(content)
    return found


def _kinds(
    nodes: list[json_ld.Node],
    articles: list[json_ld.Node],
    article: json_ld.Node,
    metas: Metas,
) -> frozenset[str]:
    """Return the types of the page, without those of articles that it only lists."""
    listed = articles if not article and len(articles) > 1 else []
    kinds = {kind for node in nodes if node not in listed for kind in json_ld.types(node)}
    if "og:type" in metas:
        kinds.add(metas["og:type"][0].lower().rpartition("/")[2])
    return frozenset(kinds)


def _language(root: _Element, metas: Metas, article: dict[str, Any]) -> Declared | None:
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
        (_first(metas, "content-language"), "meta content-language"),
        (_first(metas, "language"), "meta language"),
        (_first(metas, "dc.language"), "meta dc.language"),
        (_first(metas, "og:locale"), "meta og:locale"),
    ):
        if value and (code := language_code(value)):
            return Declared(code, where)
    return None


def _texts(value: Any) -> list[str]:
    return [text] if isinstance(value, str) and (text := json_ld.readable(value)) else []

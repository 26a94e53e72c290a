"""Read the section and the tags of an article."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from urllib.parse import urlsplit

from lxml.etree import _Element

from crawler.extraction.page import json_ld
from crawler.extraction.page.blocks import Block, Layout
from crawler.extraction.page.boxes import NEVER_ZONES, meaning_of
from crawler.extraction.page.headings import Part, part_headed_by
from crawler.extraction.page.metadata import Declared, Metadata
from crawler.extraction.page.text import all_text, clean, has_many_elements, key

_SECTIONS = (
    "article:section",
    "og:article:section",
    "http://ogp.me/ns/article#section",
    "articlesection",
    "parsely-section",
    "og:section",
    "section",
    "prism.section",
    "category",
)
_TAGS = (
    "article:tag",
    "og:article:tag",
    "http://ogp.me/ns/article#tag",
    "news_keywords",
    "parsely-tags",
    "keywords",
    "dc.subject",
)
# Their names are often those of addresses: "climate-change".
_SLUG_TAGS = ("sailthru.tags",)
HEADED = "links under a heading of tags"
_KEYWORDS = ("meta news_keywords", "meta keywords")
# The share of a page's keywords that occur in its article if they are its own.
_LEAST_OWN = 1 / 7
# Characters.
_LONGEST_SECTION, _LONGEST_TAG = 60, 80
_MOST_TAGS = 200
_NO_CRUMBS = frozenset(
    key(word)
    for word in (
        "article articles home homepage start startseite accueil inicio início portada principal"
        " index forside hjem hem etusivu strona_główna главная головна домой ana_sayfa anasayfa"
        " αρχική トップ 首页 首頁 홈 الرئيسية صفحه_اصلی ראשי होम beranda trang_chủ หน้าแรก front"
        " la_une à_la_une"
    ).split()
)
# Tags of machines: ids, host names, and names of files or classes.
_MACHINE_TAG = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{20,40}|\d+|[\w-]+(?:\.[\w-]+)+|\w+_\w+(?:_\w+)*",
    re.IGNORECASE,
)
# "Subject: World" and "topic/world", among "Day: Friday" and "Page Type: Article".
_LABELLED = re.compile(r"([\w -]{2,30}?) ?[:/] ?(?=\S)(?!//)(.+)")
_LABELS_OF_TAGS = re.compile(
    r"(?:.*\b)?(?:subjects?|topics?|tags?|keywords?|tokens?|person|people|organi[sz]ation|place|"
    r"location|country|event|entity|thema)",
    re.IGNORECASE,
)
_CODE = re.compile(r"[A-Z]{2,8}\d{0,3}")
_MANY_CODES = 5
_TAG_BOX = re.compile(
    r"(?:^|[\s_-])(?:tags?|keywords?|topics?)"
    r"(?:[_-]{0,2}(?:list|links?|items|wrap(?:per)?|container|box|block|section))?(?:$|\s)",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
# In headings such as "Related topics".
_TOPICS = re.compile(
    r"topics?|themen|themes?|thèmes|sujets|temas|assuntos|tópicos|onderwerpen|argomenti|темы|теми"
    r"|tematy|témata|ämnen|emner|aiheet|konular|θέματα|مواضيع|موضوعات|נושאים|topik|chủ đề|หัวข้อ"
    r"|主题|主題|トピック|주제",
    re.IGNORECASE,
)
_LISTS = ("ul", "ol", "div", "p", "section", "aside")
_MENUS = frozenset(("nav", "footer", "aside"))
_MOST_BOXES, _MOST_IN_A_BOX, _MOST_IN_A_LINK, _MOST_LINKS = 20, 400, 20, 30
_HIGHEST_LIST, _MOST_AROUND, _LONGEST_NAME = 6, 50, 1_000


def section(metadata: Metadata, site_names: Iterable[str], url: str | None) -> Declared | None:
    """Return the section of the site that a page at ``url`` declares for its article.

    The sources are JSON-LD, meta tags, and the breadcrumbs that JSON-LD lists.
    """
    ignored = {key(name) for name in (*site_names, *metadata.site_names, metadata.title or "")}
    ignored.update(key(headline.value) for headline in metadata.headlines)
    for candidate in _sections(metadata, url):
        text = candidate.value.strip(" -–|/>")
        is_name = len(text) <= _LONGEST_SECTION and "_" not in text and not text.isdecimal()
        if text and is_name and key(text) not in ignored:
            return Declared(text, candidate.where)
    return None


def _sections(metadata: Metadata, url: str | None) -> Iterator[Declared]:
    for text in json_ld.texts(metadata.article.get("articleSection")):
        yield Declared(text, "JSON-LD articleSection")
    for name in _SECTIONS:
        for text in metadata.metas.get(name, ()):
            yield Declared(text, f"meta {name}")
    for node in metadata.nodes:
        if "breadcrumblist" in json_ld.types(node):
            for text in _crumbs(node, _path(url)):
                yield Declared(text, "JSON-LD breadcrumbs")
            break


def _crumbs(breadcrumbs: json_ld.Node, own_path: str | None) -> Iterator[str]:
    """Yield the names of a page's breadcrumbs but the home page's and the page's own.

    The last one is the page's own unless its address has another path.
    """
    entries = json_ld.objects(breadcrumbs.get("itemListElement"))
    for position, entry in enumerate(entries, start=1):
        item = entry.get("item")
        node = item if isinstance(item, dict) else {"@id": item}
        address = node.get("@id") or node.get("url")
        path = _path(address) if isinstance(address, str) else None
        is_home = position == 1 and path == ""
        is_own = position == len(entries) and (not path or own_path in (None, path))
        if is_home or is_own or len(entries) == 1:
            continue
        names = json_ld.texts(entry.get("name") or node.get("name"))
        yield from (name for name in names if key(name) not in _NO_CRUMBS)


def _path(url: str | None) -> str | None:
    """Return the path of a URL without slashes around it; None if there is none."""
    try:
        return None if url is None else urlsplit(url).path.strip("/")
    except ValueError:
        return None


def tags(
    root: _Element, layout: Layout, metadata: Metadata, texts: Iterable[str], anchor: int | None
) -> tuple[Declared, ...]:
    """Return the tags of an article: those of the first source that has any.

    The sources are meta tags, JSON-LD, and the links of a list of tags on the page. ``anchor`` is
    the index of the headline's block. Keywords of a meta tag count only if some of them occur in
    the article, whose headline, description and paragraphs are ``texts``: some sites give the same
    keywords on every page.
    """
    known = {key(name) for name in metadata.site_names}
    article: str | None = None
    for where, names in _tag_sources(root, layout, metadata, anchor):
        kept: dict[str, str] = {}
        for name in _unlabelled(names[:_MOST_TAGS]):
            text = name.strip(" #,;")
            if 0 < len(text) <= _LONGEST_TAG and not _MACHINE_TAG.fullmatch(text):
                kept.setdefault(key(text), text)
        for name in (*known, ""):
            kept.pop(name, None)
        codes = sum(_CODE.fullmatch(text) is not None for text in kept.values())
        if not kept or (len(kept) >= _MANY_CODES and 2 * codes > len(kept)):
            continue
        if where in _KEYWORDS:
            article = key(" ".join(texts)) if article is None else article
            if sum(name in article for name in kept) < max(1, _LEAST_OWN * len(kept)):
                continue
        return tuple(Declared(text, where) for text in kept.values())
    return ()


def _tag_sources(
    root: _Element, layout: Layout, metadata: Metadata, anchor: int | None
) -> Iterator[tuple[str, list[str]]]:
    metas = metadata.metas
    yield from ((f"meta {name}", _parts(metas[name])) for name in _TAGS if name in metas)
    yield "JSON-LD keywords", _parts(json_ld.texts(metadata.article.get("keywords")))
    yield from ((f"meta {name}", _parts(metas[name])) for name in _SLUG_TAGS if name in metas)
    yield "JSON-LD mentions", json_ld.texts(metadata.article.get("mentions"))
    yield HEADED, _headed(layout, anchor)
    headline = None if anchor is None else layout.blocks[anchor].element
    yield "links in a list of tags", _listed(root, headline)


def _parts(texts: list[str]) -> list[str]:
    """Return the tags in several texts, or in one that separates them by commas or semicolons."""
    if len(texts) != 1:
        return texts
    text = texts[0]
    return re.split(";" if text.count(";") > text.count(",") else "[,，、،؛；]", text)


def _unlabelled(names: list[str]) -> list[str]:
    """Return the names that have the label of a tag, without it, if most names have a label.

    If none of the labels is one of tags, they are parts of names: "AC/DC", "Avengers: Endgame".
    """
    matches = [match for name in names if (match := _LABELLED.fullmatch(name))]
    tags = [match[2] for match in matches if _LABELS_OF_TAGS.fullmatch(match[1])]
    return tags if tags and 2 * len(matches) > len(names) else names


def _headed(layout: Layout, anchor: int | None) -> list[str]:
    """Return the texts of the links under a heading such as "Tags", or after it in its line."""
    headings = (
        block
        for block in layout.blocks
        if _is_label(block)
        and _is_of_article(block.element, is_above=anchor is not None and block.index < anchor)
    )
    for block in islice(headings, _MOST_BOXES):
        for box in islice(block.box.around(), _HIGHEST_LIST):
            if has_many_elements(box.element, _MOST_IN_A_BOX):
                break
            if texts := _texts_of(box.element.iter("a")):
                return texts
    return []


def _is_label(block: Block) -> bool:
    """Return whether a block heads a list of tags, or begins with words that do and a colon."""
    label, colon, rest = block.text.partition(":")
    return bool(block.link_share == 0 or (colon and rest.strip())) and _heads_tags(label)


def _heads_tags(words: str) -> bool:
    """Return whether words head a list of tags, such as "Tags" or "Related topics"."""
    part = part_headed_by(words)
    return part is Part.TAGS or (part is Part.RELATED and _TOPICS.search(words) is not None)


def _listed(root: _Element, headline: _Element | None) -> list[str]:
    """Return the texts of the links that are marked as tags, or are in a list named so."""
    marked: list[_Element] = []
    lists: list[_Element] = []
    is_above = headline is not None
    for element in root.iter("a" if headline is None else headline.tag, "a", *_LISTS):
        if element is headline:
            is_above = False
        elif element.tag == "a":
            if "tag" in (element.get("rel") or "").split():
                is_own = _is_of_article(element, is_above=is_above) and not _is_of_other(element)
                marked += [element] if is_own else []
        elif (
            (name := element.get("class") or element.get("id"))
            and _TAG_BOX.search(_CAMEL.sub("-", name[:_LONGEST_NAME]))
            and _is_of_article(element, is_above=is_above)
            and not _is_of_other(element)
        ):
            lists.append(element)
    if texts := _texts_of(marked):
        return texts
    for element in lists[:_MOST_BOXES]:
        is_small = not has_many_elements(element, _MOST_IN_A_BOX)
        if is_small and (texts := _texts_of(element.iter("a"))):
            return texts
    return []


def _is_of_article(element: _Element, *, is_above: bool) -> bool:
    """Return whether an element may have the article's tags, as all in an ``article`` may.

    Menus and the like outside one are the site's, and so are lists above the headline and ``main``.
    """
    tags = [outer.tag for outer in _around(element)]
    if "article" in tags:
        return True
    if "main" in tags:
        return _MENUS.isdisjoint(tags)
    return not is_above and "header" not in tags and _MENUS.isdisjoint(tags)


def _is_of_other(element: _Element) -> bool:
    """Return whether an element is in a list of other articles, whose tags it may have."""
    names = (
        f"{outer.get('class') or ''} {outer.get('id') or ''}".strip()[:_LONGEST_NAME]
        for outer in _around(element)
        if outer.tag not in NEVER_ZONES
    )
    return any(meaning_of(name).is_related for name in names if name)


def _around(element: _Element) -> Iterator[_Element]:
    return islice(element.iterancestors(), _MOST_AROUND)


def _texts_of(links: Iterable[_Element]) -> list[str]:
    """Return the texts of links; none if there are too many for the tags of one article."""
    found = list(islice(links, _MOST_LINKS + 1))
    if len(found) > _MOST_LINKS:
        return []
    texts = (
        clean(all_text(link, 2 * _LONGEST_TAG))
        for link in found
        if not has_many_elements(link, _MOST_IN_A_LINK)
    )
    return [text for text in texts if text and not _heads_tags(text)]

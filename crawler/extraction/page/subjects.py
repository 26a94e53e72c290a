"""Read the section and the tags of an article."""

import re
from collections.abc import Iterable, Iterator
from enum import Enum
from functools import lru_cache
from itertools import islice
from typing import NamedTuple
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
DECLARED_CRUMBS = "JSON-LD breadcrumbs"
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
# Each such name has one of these parts of words, which are found more quickly.
_WORDS_OF_TAGS = ("tag", "keyword", "topic")
_WORDS_OF_CRUMBS = ("crumb", "brotkr", "ariane", "miga", "briciole", "kruimel")
_CRUMB_BOX = re.compile(
    r"bread[-_ ]?crumb|crumbs?(?:$|[\s_-])|brotkr|[-_]?ariane|migas|briciole|kruimel",
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
_LISTS = ("ul", "ol", "div", "p", "section", "aside", "nav")
_MENUS = frozenset(("nav", "footer", "aside"))
_MOST_BOXES, _MOST_IN_A_BOX, _MOST_IN_A_LINK, _MOST_LINKS = 20, 400, 20, 30
_CACHED, _MOST_CRUMBS = 16_384, 8
# Links above the headline, and blocks below it, where the section is looked for.
_MOST_KICKERS, _MOST_BELOW_HEADLINE = 8, 6
_HIGHEST_LIST, _MOST_AROUND, _LONGEST_NAME = 6, 50, 1_000


class SubjectLinks(NamedTuple):
    """The links of a list of tags or sections, each with its text, and where they are."""

    where: str
    links: list[tuple[_Element, str]]


class Subjects:
    """The links of a page to the tags and the sections of its article.

    ``anchor`` is the index of the headline's block.
    """

    def __init__(self, root: _Element, layout: Layout, anchor: int | None) -> None:
        self._layout = layout
        self._anchor = anchor
        self._headline = None if anchor is None else layout.blocks[anchor].element
        self._tag_boxes: list[_Element] = []
        self._crumb_boxes: list[_Element] = []
        self._find_boxes(root)
        lists = (
            SubjectLinks(HEADED, _headed(layout, anchor)),
            SubjectLinks("links in a list of tags", self._marked(root) or self._listed()),
        )
        self.tags = [one for one in lists if one.links]

    def _find_boxes(self, root: _Element) -> None:
        """Find the boxes named as lists of tags, and those named as breadcrumbs."""
        headline = self._headline
        is_above = headline is not None
        # Most boxes of a page have the names of others.
        known: dict[tuple[str | None, ...], _Kind | None] = {}
        for element in root.iter(*_LISTS, *(() if headline is None else (headline.tag,))):
            if element is headline:
                is_above = False
            get = element.get
            names = get("class"), get("id"), get("aria-label"), get("itemtype")
            if names not in known:
                known[names] = _kind_of_names(names)
            kind = known[names]
            if kind is _Kind.CRUMBS:
                self._crumb_boxes.append(element)
            elif (
                kind is _Kind.TAGS
                and _is_of_article(element, is_above=is_above)
                and not _is_of_other(element)
            ):
                self._tag_boxes.append(element)

    def _marked(self, root: _Element) -> list[tuple[_Element, str]]:
        """Return the links that are marked as tags."""
        headline = self._headline
        is_above = headline is not None
        marked: list[_Element] = []
        for element in root.iter("a", *(() if headline is None else (headline.tag,))):
            if element is headline:
                is_above = False
            rel = element.get("rel")
            if (
                rel is not None
                and element.tag == "a"
                and "tag" in rel.split()
                and _is_of_article(element, is_above=is_above)
                and not _is_of_other(element)
            ):
                marked.append(element)
        return _with_texts(marked)

    def _listed(self) -> list[tuple[_Element, str]]:
        for element in self._tag_boxes[:_MOST_BOXES]:
            is_small = not has_many_elements(element, _MOST_IN_A_BOX)
            if is_small and (links := _with_texts(element.iter("a"))):
                return links
        return []

    def sections(self, named: Declared | None) -> SubjectLinks | None:
        """Return the links to an article's sections; None if there are none.

        They are the breadcrumbs, or else the link nearest to the headline whose text is the
        ``named`` section.
        """
        for element in self._crumb_boxes[:_MOST_BOXES]:
            links = _with_texts(element.iter("a"))
            crumbs = [one for one in links if key(one[1]) not in _NO_CRUMBS and _leads_on(one[0])]
            if 0 < len(crumbs) <= _MOST_CRUMBS and not any(
                crumbs[0] in one.links for one in self.tags
            ):
                return SubjectLinks("breadcrumbs", crumbs)
        if named is None or self._anchor is None:
            return None
        for element, text in self._beside_headline(self._anchor):
            if key(text) == key(named.value):
                return SubjectLinks("link to the section beside the headline", [(element, text)])
        return None

    def _beside_headline(self, anchor: int) -> Iterator[tuple[_Element, str]]:
        """Yield the links above the headline, from the nearest, and those below it."""
        blocks, links = self._layout.blocks, self._layout.links
        first = blocks[anchor].links
        last = blocks[min(anchor + _MOST_BELOW_HEADLINE, len(blocks) - 1)].links
        for number in (
            *range(first - 1, max(-1, first - 1 - _MOST_KICKERS), -1),
            *range(first, last),
        ):
            element = links[number].element
            if not has_many_elements(element, _MOST_IN_A_LINK):
                yield element, clean(all_text(element, 2 * _LONGEST_TAG))


class _Kind(Enum):
    TAGS = "tags"
    CRUMBS = "crumbs"


def _kind_of_names(names: Iterable[str | None]) -> _Kind | None:
    """Return the kind of a box by its names, in the order of their importance."""
    kinds = [_kind_of_name(name[:_LONGEST_NAME]) for name in names if name]
    if _Kind.CRUMBS in kinds:
        return _Kind.CRUMBS
    # The id of a list of the articles on a topic may be that of tags, too.
    return kinds[0] if kinds else None


@lru_cache(maxsize=_CACHED)
def _kind_of_name(name: str) -> _Kind | None:
    lower = name.lower()
    if any(map(lower.__contains__, _WORDS_OF_CRUMBS)) and _CRUMB_BOX.search(name):
        return _Kind.CRUMBS
    may_be_tags = any(map(lower.__contains__, _WORDS_OF_TAGS))
    return _Kind.TAGS if may_be_tags and _TAG_BOX.search(_CAMEL.sub("-", name)) else None


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
    for text, _ in declared_crumbs(metadata, url):
        yield Declared(text, DECLARED_CRUMBS)


def declared_crumbs(metadata: Metadata, url: str | None) -> Iterator[tuple[str, str | None]]:
    """Yield the names and the addresses of the breadcrumbs that a page at ``url`` declares.

    The home page's and the page's own are left out. The last one is the page's own unless its
    address has another path.
    """
    lists = (node for node in metadata.nodes if "breadcrumblist" in json_ld.types(node))
    own_path = path_of(url)
    entries = json_ld.objects(next(lists, {}).get("itemListElement"))
    for position, entry in enumerate(entries, start=1):
        item = entry.get("item")
        node = item if isinstance(item, dict) else {"@id": item}
        address = node.get("@id") or node.get("url")
        path = path_of(address) if isinstance(address, str) else None
        is_home = position == 1 and path == ""
        is_own = position == len(entries) and (not path or own_path in (None, path))
        if is_home or is_own or len(entries) == 1:
            continue
        names = json_ld.texts(entry.get("name") or node.get("name"))
        link = address if isinstance(address, str) else None
        yield from ((name, link) for name in names if key(name) not in _NO_CRUMBS)


def _leads_on(link: _Element) -> bool:
    """Return whether a link leads to another page than the home page."""
    return bool(path_of((link.get("href") or "").partition("#")[0]))


def path_of(url: str | None) -> str | None:
    """Return the path of a URL without slashes around it; None if there is none."""
    try:
        return None if url is None else urlsplit(url).path.strip("/")
    except ValueError:
        return None


def tags(
    metadata: Metadata, texts: Iterable[str], links: Iterable[SubjectLinks]
) -> tuple[Declared, ...]:
    """Return the tags of an article: those of the first source that has any.

    The sources are meta tags, JSON-LD, and the ``links`` of the lists of tags on the page. Keywords
    of a meta tag count only if some of them occur in the article, whose headline, description and
    paragraphs are ``texts``: some sites give the same keywords on every page.
    """
    known = {key(name) for name in metadata.site_names}
    article: str | None = None
    for where, names in _tag_sources(metadata, links):
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
    metadata: Metadata, links: Iterable[SubjectLinks]
) -> Iterator[tuple[str, list[str]]]:
    metas = metadata.metas
    yield from ((f"meta {name}", _parts(metas[name])) for name in _TAGS if name in metas)
    yield "JSON-LD keywords", _parts(json_ld.texts(metadata.article.get("keywords")))
    yield from ((f"meta {name}", _parts(metas[name])) for name in _SLUG_TAGS if name in metas)
    yield "JSON-LD mentions", json_ld.texts(metadata.article.get("mentions"))
    yield from ((one.where, [text for _, text in one.links]) for one in links)


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


def _headed(layout: Layout, anchor: int | None) -> list[tuple[_Element, str]]:
    """Return the links under a heading such as "Tags", or after it in its line."""
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
            if links := _with_texts(box.element.iter("a")):
                return links
    return []


def _is_label(block: Block) -> bool:
    """Return whether a block heads a list of tags, or begins with words that do and a colon."""
    label, colon, rest = block.text.partition(":")
    return bool(block.link_share == 0 or (colon and rest.strip())) and _heads_tags(label)


def _heads_tags(words: str) -> bool:
    """Return whether words head a list of tags, such as "Tags" or "Related topics"."""
    part = part_headed_by(words)
    return part is Part.TAGS or (part is Part.RELATED and _TOPICS.search(words) is not None)


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


def _with_texts(links: Iterable[_Element]) -> list[tuple[_Element, str]]:
    """Return links with their texts; none if there are too many for the tags of one article."""
    found = list(islice(links, _MOST_LINKS + 1))
    if len(found) > _MOST_LINKS:
        return []
    texts = (
        (link, clean(all_text(link, 2 * _LONGEST_TAG)))
        for link in found
        if not has_many_elements(link, _MOST_IN_A_LINK)
    )
    return [(link, text) for link, text in texts if text and not _heads_tags(text)]

"""Find a page's article in the data of its scripts.

Takes the root of a page's tree, its declarations and its address; returns a ``Story``, or None.
Programs build many pages from JSON in a script. Its names differ from one publisher to the next, so
the article is found by its structure: it is the object whose title agrees with the page's titles,
or whose URL, slug or id agrees with the page's address; or else, with a doubt, the object around
that one. The data often hold other articles too, even whole ones. script_text.py turns the object
into its text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import unquote, urljoin

from lxml.etree import _Element

from crawler.extraction.addresses import article_address
from crawler.extraction.page import blocks, dates, json_ld, script_values, tree
from crawler.extraction.page.metadata import Declared, Metadata
from crawler.extraction.page.parts import Aside, is_caption
from crawler.extraction.page.script_fields import (
    HEADLINES,
    LONGEST_NAME,
    OTHER_FIELDS,
    Node,
    is_heading,
    kind_of,
    titles_of,
    words_of,
)
from crawler.extraction.page.script_text import CERTAIN_TEXT, TextReader
from crawler.extraction.page.text import collapse, key, visible_length, without_surrogates

# These titles are made for other places.
_OTHER_TITLES = frozenset("seo meta social short og twitter web mobile sub section alt".split())
_ADDRESSES = frozenset("url uri link href path canonical permalink".split())
_IDS = frozenset(("id", "uuid", "guid"))
_ARTICLES = frozenset("article story post news item blog".split())
_KINDS_OF_LISTS = frozenset(
    "section category tag topic home homepage search listing author person login error".split()
)
_PUBLISHED = frozenset("published publish publication pub pubdate".split())
_NO_FIRST_DATES = frozenset(
    "last modified update updated created expire expiry end unpublish".split()
)

_TITLE_SEPARATOR = re.compile(r"\s+[-|–—»«:•·/]+\s+|\s*[|｜»«]\s*")
_ASCII_WORD = re.compile(r"[A-Za-z0-9]{5,}")
_EXTENSION = re.compile(r"\.[a-z]{2,5}$", re.I)
_TOKEN = re.compile(r"[^\s/?&=._,~-]{4,}")

# Characters, as ``visible_length`` counts them: of a title that no other article has, and of a
# text.
_CERTAIN_TITLE, _SHORTEST_TEXT = 20, 150
_LONGEST_TITLE = 300
_LEAST_SHARED = 0.5
# A shorter id may be the year in the address.
_SHORTEST_ID, _SHORTEST_SLUG = 5, 8
# Objects around that with the title which may hold the text.
_MOST_AROUND = 3
# A page with more was built to be slow to read.
_MOST_NODES, _MOST_FOUND = 50_000, 20


@dataclass(frozen=True, slots=True)
class Story:
    """A page's article in a script: its text, one paragraph a line, its headline and its date.

    ``doubt`` says why the text may be another article's; None if it surely is this one's.
    """

    body: Declared
    headline: Declared | None
    published: Declared | None
    doubt: str | None


def find(
    root: _Element, metadata: Metadata, headline: Declared | None, url: str | None
) -> Story | None:
    """Return the article of a page, if it is in the data of its scripts.

    ``headline`` is the one that the page shows or declares, and ``url`` is its address.
    """
    if not script_values.may_be_in(root):
        return None
    page = _Page(metadata, headline, url)
    if not page.titles and not page.addresses:
        return None
    best: tuple[tuple[bool, int], _Found, str] | None = None
    for value, where in script_values.read(root, page.words):
        found = _Search(page, value).best()
        if found and (best is None or found.rank > best[0]):
            best = found.rank, found, where
    return _story(best[1], best[2], page) if best else None


def _story(found: "_Found", where: str, page: "_Page") -> Story | None:
    paragraphs = _paragraphs(found.html)
    text = "\n".join(line for line in paragraphs if key(line) not in page.titles)
    if not text:
        return None
    title = page.title_in(found.around.node)
    published = page.published_in(found.around)
    is_certain = found.rank[0] or is_heading(found.around.node)
    return Story(
        Declared(text, where),
        Declared(title, where) if title else None,
        Declared(published, where) if published else None,
        None if is_certain else f"{where} has this text beside the article's title, not with it",
    )


def _paragraphs(html: str) -> list[str]:
    """Return the paragraphs in HTML, read by the same rules as those of a whole page."""
    page = f"<html><body>{without_surrogates(html)}</body></html>"
    layout = blocks.read(tree.parse(page))
    aside = Aside(layout, None)
    return [b.text for b in layout.blocks if not aside(b) and not is_caption(b)]


class _Page:
    """The titles of a page's article, as comparison keys, and its addresses."""

    def __init__(self, metadata: Metadata, headline: Declared | None, url: str | None) -> None:
        declared = [d.value for d in metadata.headlines]
        title = metadata.title or ""
        parts = [title, max(_TITLE_SEPARATOR.split(title[:_LONGEST_TITLE]), key=len)]
        texts = [*declared, *parts, *([headline.value] if headline else [])]
        names = {key(name) for name in metadata.site_names}
        self.titles = {k for text in texts if (k := key(text)) and k not in names}
        self.base = url or (metadata.url.value if metadata.url else "")
        urls = (url, _joined(self.base, metadata.url.value) if metadata.url else None)
        self.addresses = {place for u in urls if u and (place := _place(u))}
        paths = [unquote(place.partition("?")[0]) for place in self.addresses]
        self.ends = [path.rpartition("/")[2] for path in paths]
        segments = [_EXTENSION.sub("", segment) for path in paths for segment in path.split("/")]
        self.slug = key(max(segments, key=len, default=""))
        self.tokens = {token for place in self.addresses for token in _TOKEN.findall(place)}
        self.tokens.update(segments)
        # A script that has none of these words holds no text of the page. Words in another script
        # than Latin may be escaped in many ways.
        longest = {
            max(_ASCII_WORD.findall(text), key=len, default="")
            for text in (*filter(None, texts), *self.addresses)
        }
        ids = {token for token in self.tokens if any(map(str.isdigit, token))}
        self.words = frozenset() if "" in longest | ids else frozenset(longest | ids)

    def is_title(self, text: str) -> bool:
        """Return whether a text agrees with one of the page's titles."""
        if not 0 < len(text) <= _LONGEST_TITLE:
            return False
        own = key(json_ld.readable(text))
        if own in self.titles:
            return len(own) > 3
        return visible_length(own) >= _CERTAIN_TITLE and any(
            visible_length(title) >= _CERTAIN_TITLE
            and min(len(own), len(title)) >= _LEAST_SHARED * max(len(own), len(title))
            and (own in title or title in own)
            for title in self.titles
        )

    def title_in(self, node: Node) -> str | None:
        """Return the title of the page's article in an object: the one made for its readers."""
        found = [
            (not self.is_title(text), bool(words & _OTHER_TITLES), "headline" not in words, text)
            for words, text in titles_of(node)
            if words & HEADLINES
        ]
        return json_ld.readable(min(found)[-1]) or None if found else None

    def published_in(self, around: "_Around") -> str | None:
        """Return the date of the page's article: in its object, in one beside it or around it."""
        for outer in (around.node, *_around(around)):
            if date := _date_in(outer):
                return date
            for name, value in outer.items():
                if not isinstance(value, dict) or words_of(name) & OTHER_FIELDS - {"meta"}:
                    continue
                titles = [text for words, text in titles_of(value) if words & HEADLINES]
                is_own = not titles or any(map(self.is_title, titles))
                if is_own and (date := _date_in(value)):
                    return date
        return None

    def is_address(self, name: str, value: Any) -> bool:
        """Return whether a field names the page: its URL, its slug or its id."""
        words = words_of(name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or not 0 < len(value) <= 1000:
            return False
        if words & _ADDRESSES and "/" in value:
            ends = unquote(value) if "%" in value else value
            return (
                any(end in ends for end in self.ends)
                and _place(_joined(self.base, value)) in self.addresses
            )
        if "slug" in words:
            slug = key(value)
            return len(slug) >= _SHORTEST_SLUG and (
                slug == self.slug or (len(slug) > len(self.slug) / 2 and slug in self.slug)
            )
        is_id = words <= _IDS or (len(words) == 2 and words & _IDS and words & _ARTICLES)
        return bool(is_id) and len(value) >= _SHORTEST_ID and value in self.tokens


def _joined(base: str, url: str) -> str:
    try:
        return urljoin(base, url)
    except ValueError:
        return ""


def _place(url: str) -> str | None:
    """Return a URL's path and query for comparison; None if it is the home page's, or is none.

    Hosts differ between a site and its editors' system.
    """
    address = article_address(url) or ""
    return address.partition("/")[2] or None


class _Around(NamedTuple):
    """An object around another. ``is_list`` says that a list stands between them."""

    node: Node
    is_list: bool
    outer: "_Around | None"


def _around(around: _Around) -> Iterator[Node]:
    """Yield the objects around one, the nearest first.

    The others in a list are not the object's, unless it is a heading among the blocks of a text.
    """
    may_leave_list = is_heading(around.node)
    for _ in range(_MOST_AROUND):
        if around.outer is None or (around.is_list and not may_leave_list):
            break
        around = around.outer
        yield around.node


class _Found(NamedTuple):
    """An object that is the page's article, with those around it, and the article's text."""

    around: _Around
    html: str
    rank: tuple[bool, int]


class _Search:
    """Looks for a page's article in one value."""

    def __init__(self, page: _Page, value: Any) -> None:
        self._page = page
        self._root = value
        self._refs: dict[str, Any] = {}
        self._reader = TextReader(page.is_title, self._refs)

    def best(self) -> _Found | None:
        """Return the article with the longest text.

        One whose text is in the object with the title goes before one whose text is around it.
        """
        candidates = [found for around in self._own_objects() if (found := self._found(around))]
        return max(candidates, key=lambda found: found.rank, default=None)

    def _own_objects(self) -> list[_Around]:
        """Return the objects that are named like the page, each with those around it."""
        own: list[_Around] = []
        seen: set[int] = set()
        pending: list[tuple[str, Any, _Around | None, bool]] = [("", self._root, None, False)]
        for _ in range(_MOST_NODES):
            if not pending:
                break
            name, value, outer, is_list = pending.pop()
            if id(value) in seen:
                continue
            seen.add(id(value))
            if isinstance(value, list):
                pending.extend((name, v, outer, True) for v in value if isinstance(v, dict | list))
                continue
            if not isinstance(value, dict):
                continue
            around = _Around(value, is_list, outer)
            for field, entry in value.items():
                if isinstance(entry, str) and (data := script_values.embedded(entry)) is not None:
                    value[field] = entry = data
                if isinstance(entry, dict | list):
                    pending.append((field, entry, around, False))
                if field.startswith("$") or (":" in field and isinstance(entry, dict)):
                    self._refs[field] = entry
            if len(own) < _MOST_FOUND and self._is_own(name, value):
                own.append(around)
        return own

    def _is_own(self, name: str, node: Node) -> bool:
        """Return whether the title of an object is the page's, or its URL, slug or id is.

        ``name`` is that of the field that holds the object.
        """
        kind = kind_of(node)
        if (kind | words_of(name)) & _KINDS_OF_LISTS:
            return False
        if any(self._page.is_address(field, value) for field, value in node.items()):
            return True
        titles = [text for _, text in titles_of(node) if self._page.is_title(text)]
        if kind & HEADLINES and not titles:
            text = collapse(self._reader.line_of(node))
            titles = [text] if self._page.is_title(text) else []
        if any(visible_length(key(text)) >= _CERTAIN_TITLE for text in titles):
            return True
        return bool(titles) and (bool(kind & _ARTICLES) or _date_in(node) is not None)

    def _found(self, around: _Around) -> _Found | None:
        node = around.node
        text = self._reader.text_of(node)
        if text.size >= CERTAIN_TEXT:
            return _Found(around, text.html, (True, text.size))
        best = _Found(around, text.html, (False, text.size))
        for outer in _around(around):
            text = self._reader.text_of(outer)
            if text.size > best.rank[1]:
                best = _Found(around, text.html, (False, text.size))
            if text.size >= CERTAIN_TEXT:
                break
        return best if best.rank[1] >= _SHORTEST_TEXT else None


def _date_in(node: Node) -> str | None:
    """Return the date on which an object says that it was first published."""
    dated = [
        (moment.clock is None, rank, str(value))
        for name, value in node.items()
        if (rank := _rank_of_date(words_of(name))) and (moment := _moment(value))
    ]
    return min(dated)[-1] if dated else None


def _rank_of_date(words: frozenset[str]) -> int:
    """Return 0 if a name is not that of a publication date; the lower otherwise, the surer."""
    if words & _NO_FIRST_DATES:
        return 0
    if words & _PUBLISHED:
        return 1 if "first" in words else 3
    if words >= {"display", "date"}:
        return 2
    return 4 if words == {"date"} else 0


def _moment(value: Any) -> dates.Moment | None:
    """Return the date in a field: a text, or a number of seconds or milliseconds since 1970."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value)
    return dates.declared(text) if len(text) <= LONGEST_NAME else None

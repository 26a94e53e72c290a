"""Find a page's article in the data of its scripts.

Takes the root of a page's tree, its declarations and its address; returns a ``Story``, or None.
Programs build many pages from JSON in a script. Its names differ from one publisher to the next, so
that the article is found by its structure:

- It is the object whose title agrees with the page's titles, or whose URL, slug or id agrees with
  the page's address; or else, with a doubt, the object around that one. The data often hold other
  articles too, even whole ones: a long part with another title is left out, unless that is called
  a heading.
- Its text is the field that has the most prose: HTML, a list of paragraphs, or rich text, which
  is a tree of typed blocks such as ``{"type": "paragraph", "content": [{"text": "…"}]}``. Blocks of
  other types, such as pictures and offers, are left out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from typing import Any, NamedTuple
from urllib.parse import unquote, urljoin

from lxml.etree import _Element

from crawler.extraction.addresses import article_address
from crawler.extraction.page import blocks, dates, json_ld, script_values
from crawler.extraction.page.metadata import Declared, Metadata
from crawler.extraction.page.parts import Aside, is_caption
from crawler.extraction.page.text import (
    collapse,
    has_sentence,
    key,
    visible_length,
    without_surrogates,
)

Node = dict[str, Any]

# Words of the names of fields. Names such as "datePublished", "first_publish_date" and
# "articleBody" are split into words, in lower case and without a plural's s.
_TITLES = frozenset(("headline", "title", "hed", "name", "heading"))
_HEADLINES = frozenset(("headline", "title", "hed"))
# These titles are made for other places.
_OTHER_TITLES = frozenset("seo meta social short og twitter web mobile sub section alt".split())
_ADDRESSES = frozenset("url uri link href path canonical permalink".split())
_IDS = frozenset(("id", "uuid", "guid"))
_ARTICLES = frozenset("article story post news item blog".split())
_KINDS_OF_LISTS = frozenset(
    "section category tag topic home homepage search listing author person login error".split()
)
_KINDS = frozenset(
    "type _type nodeType node_type __typename kind blockType block_type tagName tag blockName"
    " component __component acf_fc_layout contentType".split()
)
# Parts of an article that are not its text, as types of blocks and as names of fields.
_OTHER_PARTS = frozenset(
    "image photo picture figure gallery slideshow media video audio podcast embed embedded iframe"
    " oembed tweet twitter instagram facebook youtube tiktok social related recirc recirculation"
    " recommend recommended recommendation promo promotion teaser advert advertisement ad"
    " newsletter signup subscribe subscription paywall caption credit author byline contributor bio"
    " comment reply poll quiz widget script style interstitial divider aside sidebar infobox"
    " factbox pullquote raw footer nav navigation menu breadcrumb tag category keyword popular"
    " trending latest previou prev next more sponsor sponsored".split()
)
_OTHER_FIELDS = _OTHER_PARTS | frozenset(
    "description summary excerpt abstract dek deck standfirst lead intro subtitle subheadline alt"
    " seo meta og legal copyright disclaimer term translation message locale label config setting"
    " analytic tracking query mark attribute attr prop listing cookie consent privacy".split()
)
_NO_TEXTS = frozenset("type typename id format lang language class count length level key".split())
_TEXTS = frozenset("text value content html body paragraph markup rendered copy item".split())
_HOLDERS = _TEXTS | frozenset(
    "children child node leave leaf model data block span element item fragment root".split()
)
_PARAGRAPHS = frozenset(
    "paragraph p heading header h1 h2 h3 h4 h5 h6 unstyled subhead line".split()
)
# Blocks that hold either the pieces of one paragraph or paragraphs.
_PARAGRAPHS_OR_BOXES = frozenset("listitem li quote blockquote".split())
_EXACT_PARAGRAPHS_OR_BOXES = (frozenset(("block",)), frozenset(("list", "item")))
_LINKS = frozenset(("link", "hyperlink", "a"))
# An object that has a title of its own and one of these is an article or a link to one.
_SIGNS = frozenset("url slug href uri permalink canonical published publish pubdate date".split())
_PUBLISHED = frozenset("published publish publication pub pubdate".split())
_NO_FIRST_DATES = frozenset(
    "last modified update updated created expire expiry end unpublish".split()
)

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_TITLE_SEPARATOR = re.compile(r"\s+[-|–—»«:•·/]+\s+|\s*[|｜»«]\s*")
_ASCII_WORD = re.compile(r"[A-Za-z0-9]{5,}")
_EXTENSION = re.compile(r"\.[a-z]{2,5}$", re.I)
_TOKEN = re.compile(r"[^\s/?&=._,~-]{4,}")
_ANY_TAG = re.compile(r"<[^<>]{1,2000}>")
_BLOCK_TAG = re.compile(r"<(?:p|div|br|li|ul|ol|h[1-6]|blockquote|section|table)\b", re.I)
_CODE = re.compile(r"[{}=;\\]")

# Characters, as ``visible_length`` counts them: of a title that no other article has, of a text in
# the object that has the title, and of any text.
_CERTAIN_TITLE, _CERTAIN_TEXT, _SHORTEST_TEXT = 20, 300, 150
_LONGEST_TITLE, _SHORTEST_PROSE = 300, 30
_LEAST_SHARED = 0.5
# A shorter id may be the year in the address.
_SHORTEST_ID, _SHORTEST_SLUG = 5, 8
_LONGEST_NAME, _LONGEST_LEAF, _LONGEST_TEXT = 60, 300_000, 500_000
_LARGEST_SHARE_OF_CODE = 0.02
# Objects around that with the title which may hold the text.
_MOST_AROUND = 3
_DEEPEST, _DEEPEST_HEADING = 60, 10
# A page with more was built to be slow to read.
_MOST_NODES, _MOST_READ, _MOST_FOUND, _MOST_ENTRIES = 50_000, 100_000, 20, 5_000


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
    is_certain = found.rank[0] or _is_heading(found.around.node)
    return Story(
        Declared(text, where),
        Declared(title, where) if title else None,
        Declared(published, where) if published else None,
        None if is_certain else f"{where} has this text beside the article's title, not with it",
    )


def _paragraphs(html: str) -> list[str]:
    """Return the paragraphs in HTML, without what the same rules leave out of a whole page."""
    from lxml.etree import HTMLParser
    from parsel.selector import create_root_node

    page = f"<html><body>{without_surrogates(html)}</body></html>"
    layout = blocks.read(create_root_node(page, HTMLParser))
    aside = Aside(layout, None)
    return [b.text for b in layout.blocks if not aside(b) and not is_caption(b)]


class _Page:
    """What is known of a page's article: its titles as comparison keys, and its addresses."""

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
            for words, text in _titles(node)
            if words & _HEADLINES
        ]
        return json_ld.readable(min(found)[-1]) or None if found else None

    def published_in(self, around: "_Around") -> str | None:
        """Return the date of the page's article: in its object, in one beside it or around it."""
        for outer in (around.node, *_around(around)):
            if date := _date_in(outer):
                return date
            for name, value in outer.items():
                if not isinstance(value, dict) or _words(name) & _OTHER_FIELDS - {"meta"}:
                    continue
                titles = [text for words, text in _titles(value) if words & _HEADLINES]
                is_own = not titles or any(map(self.is_title, titles))
                if is_own and (date := _date_in(value)):
                    return date
        return None

    def is_address(self, name: str, value: Any) -> bool:
        """Return whether a field names the page: its URL, its slug or its id."""
        words = _words(name)
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


@lru_cache(maxsize=4096)
def _words(name: str) -> frozenset[str]:
    """Return the words of a name, in lower case and without a plural's s."""
    return frozenset(_singular(word.lower()) for word in _WORD.findall(name[:_LONGEST_NAME]))


def _singular(word: str) -> str:
    if len(word) <= 3 or not word.endswith("s") or word.endswith("ss") or word == "news":
        return word
    return f"{word[:-3]}y" if word.endswith("ies") else word[:-1]


def _kind(node: Node) -> frozenset[str]:
    """Return the words of an object's type."""
    found: frozenset[str] = frozenset()
    for name in _KINDS.intersection(node):
        value = node[name]
        if isinstance(value, str) and len(value) <= _LONGEST_NAME:
            found |= _words(value)
    return found


def _is_heading(node: Node) -> bool:
    """Return whether an object is a block that holds the headline, among those of the text."""
    return bool(_kind(node) & _HEADLINES)


def _titles(node: Node) -> Iterator[tuple[frozenset[str], str]]:
    """Yield the titles of an object, each with the words of its name.

    A title may be an object itself, with one text for each language or use.
    """
    for name, value in node.items():
        words = _words(name)
        if not words & _TITLES:
            continue
        texts = value.items() if isinstance(value, dict) else ((name, value),)
        for inner, text in texts:
            if isinstance(text, str) and text and not _words(inner) & _NO_TEXTS:
                yield words, text


class _Around(NamedTuple):
    """An object around another. ``is_list`` says that a list stands between them."""

    node: Node
    is_list: bool
    outer: "_Around | None"


def _around(around: _Around) -> Iterator[Node]:
    """Yield the objects around one, the nearest first.

    The others in a list are not the object's, unless it is a heading among the blocks of a text.
    """
    may_leave_list = _is_heading(around.node)
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


class _Text(NamedTuple):
    """A part of a text as HTML, and the number of characters of its prose."""

    html: str = ""
    size: int = 0


class _Search:
    """Looks for a page's article in one value."""

    def __init__(self, page: _Page, value: Any) -> None:
        self.page = page
        self.root = value
        self.refs: dict[str, Any] = {}
        self.left = _MOST_READ
        self.leaves: dict[tuple[str, bool], _Text] = {}
        # The objects that hold what is being read; data may refer to themselves.
        self.open: set[int] = set()

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
        pending: list[tuple[str, Any, _Around | None, bool]] = [("", self.root, None, False)]
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
                    self.refs[field] = entry
            if len(own) < _MOST_FOUND and self._is_own(name, value):
                own.append(around)
        return own

    def _is_own(self, name: str, node: Node) -> bool:
        """Return whether the title of an object is the page's, or its URL, slug or id is.

        ``name`` is that of the field that holds the object.
        """
        kind = _kind(node)
        is_heading = bool(kind & _HEADLINES)
        if (kind | _words(name)) & _KINDS_OF_LISTS:
            return False
        if any(self.page.is_address(field, value) for field, value in node.items()):
            return True
        titles = [text for _, text in _titles(node) if self.page.is_title(text)]
        if is_heading and not titles:
            text = collapse(self._inline(node, _DEEPEST_HEADING))
            titles = [text] if self.page.is_title(text) else []
        if any(visible_length(key(text)) >= _CERTAIN_TITLE for text in titles):
            return True
        return bool(titles) and (bool(kind & _ARTICLES) or _date_in(node) is not None)

    def _found(self, around: _Around) -> _Found | None:
        node = around.node
        text = self._fields(node, _DEEPEST)
        if text.size >= _CERTAIN_TEXT:
            return _Found(around, text.html, (True, text.size))
        best = _Found(around, text.html, (False, text.size))
        for outer in _around(around):
            text = self._fields(outer, _DEEPEST)
            if text.size > best.rank[1]:
                best = _Found(around, text.html, (False, text.size))
            if text.size >= _CERTAIN_TEXT:
                break
        return best if best.rank[1] >= _SHORTEST_TEXT else None

    def _resolved(self, value: Any) -> Any:
        """Return the object to which a reference in a cache or in a stream refers."""
        if isinstance(value, dict):
            name = value.get("__ref") or (value.get("id") if value.get("type") == "id" else None)
            return self.refs.get(name, value) if isinstance(name, str) else value
        if isinstance(value, str) and value.startswith("$") and len(value) < _LONGEST_NAME:
            return self.refs.get(value, value)
        return value

    def _text(self, value: Any, words: frozenset[str], depth: int) -> _Text:
        """Return the text in the value of a field, whose name has these words."""
        self.left -= 1
        if depth == 0 or self.left < 0:
            return _Text()
        value = self._resolved(value)
        if isinstance(value, str):
            return self._leaf(value, bool(words & _TEXTS) and not words & _NO_TEXTS)
        if not isinstance(value, dict | list) or id(value) in self.open:
            return _Text()
        self.open.add(id(value))
        if isinstance(value, list):
            text = _joined_texts([self._text(v, words, depth - 1) for v in value[:_MOST_ENTRIES]])
        else:
            text = self._block(value, depth)
        self.open.discard(id(value))
        return text

    def _leaf(self, text: str, is_text: bool) -> _Text:
        """Return a string as HTML, if it is prose or its name says that it is text."""
        known = self.leaves.get((text, is_text))
        if known is None:
            known = self.leaves[text, is_text] = _leaf(text, is_text)
        return known

    def _block(self, node: Node, depth: int) -> _Text:
        kind = _kind(node)
        if kind & _OTHER_PARTS or (kind and kind <= _LINKS) or self._is_other(node):
            return _Text()
        if kind & _PARAGRAPHS or (
            _may_be_paragraph(kind) and not self._holds_paragraphs(node, _MOST_AROUND)
        ):
            return self._leaf(self._inline(node, depth), is_text=True)
        text = self._fields(node, depth)
        if text.size == 0:
            return text
        titles = list(_titles(node))
        if not titles or any(self.page.is_title(title) for _, title in titles):
            return text
        if text.size >= _CERTAIN_TEXT and not any("heading" in words for words, _ in titles):
            # This may be another article, and nothing says that it is a section of this one.
            return _Text()
        heading = self._leaf(titles[0][1], is_text=True)
        return _Text(heading.html + text.html, text.size)

    def _holds_paragraphs(self, value: Any, depth: int) -> bool:
        """Return whether an object holds paragraphs rather than the pieces of one."""
        for entry in value.values() if isinstance(value, dict) else value:
            if not isinstance(entry, dict | list):
                continue
            self.left -= 1
            if self.left < 0:
                return False
            kind = _kind(entry) if isinstance(entry, dict) else frozenset()
            if kind & _PARAGRAPHS or _may_be_paragraph(kind):
                return True
            if depth and self._holds_paragraphs(entry, depth - 1):
                return True
        return False

    def _fields(self, node: Node, depth: int) -> _Text:
        """Return the text of the field that has the most prose."""
        best = _Text()
        for name, value in node.items():
            words = _words(name)
            if not isinstance(value, str | list | dict) or words & _OTHER_FIELDS:
                continue
            text = self._text(value, words, depth - 1)
            if (text.size, len(text.html)) > (best.size, len(best.html)):
                best = text
        return best

    def _is_other(self, node: Node) -> bool:
        """Return whether an object is another article, or a link to one."""
        names = [words for name in node if (words := _words(name))]
        if not any(words & _HEADLINES for words in names):
            return False
        if not any(words & _SIGNS for words in names):
            return False
        return not any(self.page.is_title(text) for _, text in _titles(node))

    def _inline(self, value: Any, depth: int) -> str:
        """Return the text of one paragraph, joined from its pieces."""
        self.left -= 1
        if depth == 0 or self.left < 0:
            return ""
        value = self._resolved(value)
        if isinstance(value, str):
            return value
        if isinstance(value, list):
            pieces = [self._inline(entry, depth - 1) for entry in value[:_MOST_ENTRIES]]
            return _joined_pieces(pieces, _LONGEST_LEAF)
        if not isinstance(value, dict):
            return ""
        kind = _kind(value)
        if kind & _OTHER_PARTS:
            return ""
        if kind & frozenset(("br", "break", "linebreak")):
            return "<br>"
        holders = []
        for name, entry in value.items():
            words = _words(name)
            if not words & _HOLDERS or words & _NO_TEXTS:
                continue
            if isinstance(entry, dict | list):
                holders.append(entry)
            elif isinstance(entry, str) and entry and words & _TEXTS:
                return self._inline(entry, depth - 1)
        return self._inline(holders, depth)


def _joined_texts(parts: list[_Text]) -> _Text:
    html = _joined_pieces([part.html for part in parts], _LONGEST_TEXT)
    return _Text(html, sum(part.size for part in parts)) if html else _Text()


def _joined_pieces(pieces: list[str], longest: int) -> str:
    """Return the pieces as one text; empty if it is too long, as of data that repeat themselves."""
    return "".join(pieces) if sum(map(len, pieces)) <= longest else ""


def _may_be_paragraph(kind: frozenset[str]) -> bool:
    return bool(kind & _PARAGRAPHS_OR_BOXES) or kind in _EXACT_PARAGRAPHS_OR_BOXES


def _leaf(text: str, is_text: bool) -> _Text:
    if len(text) > _LONGEST_LEAF or (len(text) < _SHORTEST_PROSE and not is_text):
        return _Text()
    if "<" not in text and "&lt;" in text:
        text = unescape(text)
    plain = collapse(_ANY_TAG.sub(" ", text))
    size = visible_length(plain)
    is_prose = (
        size >= _SHORTEST_PROSE
        and has_sentence(plain)
        and len(_CODE.findall(plain)) <= _LARGEST_SHARE_OF_CODE * len(plain)
    )
    if not is_prose and not is_text:
        return _Text()
    if _BLOCK_TAG.search(text):
        html = f"<div>{text}</div>"
    else:
        html = "".join(f"<p>{line}</p>" for line in text.splitlines() if line.strip())
    return _Text(html, size if is_prose else 0)


def _date_in(node: Node) -> str | None:
    """Return the date on which an object says that it was first published."""
    dated = [
        (moment.clock is None, rank, str(value))
        for name, value in node.items()
        if (rank := _rank_of_date(_words(name))) and (moment := _moment(value))
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
    return dates.declared(text) if len(text) <= _LONGEST_NAME else None

"""Read a page's JSON-LD, however badly written, and choose the node that describes the page.

JSON that is valid is parsed as such. JSON that is not is repaired in one pass first: comments and
trailing commas dropped, missing values made null, quotes within strings and unknown escapes taken
literally. What cannot be repaired is left out.

A page may describe other articles too, such as those that it recommends, and the videos in it.
"""

import json
import re
from collections.abc import Iterable, Iterator
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

from lxml.etree import _Element

from crawler.extraction.page.text import clean, key

Node = dict[str, Any]

# Old pages hide a script from older browsers with these marks, and editors leave some there.
_BEFORE = re.compile(r"(?:[\s;\ufeff]++|<!--|//|/\*|\*/|<!\[CDATA\[)++")
_SPACE = " \t\r\n;\ufeff"
_AFTER = ("-->", "//", "/*", "*/", "]]>")
# The pieces of damaged JSON. A string ends at a quote that punctuation follows; other quotes are
# part of it.
_PIECES = re.compile(
    r"""
    (?P<string> "(?:[^"\\] | \\. | "(?!\s{0,50}(?:[:}\]\ufeff] | /[/*] | \Z
        | ,\s{0,50}(?:["{}\[\]\d,-] | /[/*] | (?:true|false|null)\b))))*+ "? )
    | (?P<comment> //[^\n]*+ | /\*(?:[^*]|\*(?!/))*+(?:\*/)? | <!-- | --> | <!\[CDATA\[ | \]\]> )
    | (?P<extra> [;\ufeff]++ | ,(?=[\s;]{0,50}[,}\]]) )
    | (?P<colon> :(?=\s{0,50}[,}]) )
    """,
    re.DOTALL | re.VERBOSE,
)
_ESCAPE_OR_QUOTE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|\\|"')
_ENTITY_QUOTES = re.compile(r"^[\s\[{]{1,50}&(?:quot|#34|#x22);", re.I)
_OPENING = re.compile(r"[{\[]")
_DECODER = json.JSONDecoder(strict=False)
# Characters. Anything longer is only parsed if it is valid.
_LONGEST_REPAIR = 1_000_000
_MOST_NODES = 500
_DEEPEST_LIST = 4
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_SCRIPT_TEXT = re.compile(r"<(?:script|style)\b[^<>]*>[^<>]{0,5000}|<!--[^<>]{0,1000}-->", re.I)
_LINE_TAG = re.compile(
    r"</?(?:p|div|br|li|ul|ol|h[1-6]|blockquote|section|figure|tr|table)\b[^<>]*>", re.I
)
_TAG = re.compile(
    r"</?(?:a|abbr|b|big|br|cite|code|del|div|em|figcaption|font|h[1-6]|i|iframe|img|ins|mark|p|q|s"
    r"|script|small|span|strong|style|sub|sup|td|th|tt|u|wbr)\b[^<>]*>",
    re.I,
)
_LONGEST_BODY = 500_000
_ARTICLE = re.compile(
    r"[a-z]*article|reportage\w*|report|(?:blog|liveblog|socialmedia|discussionforum)posting"
)
_VIDEO = "videoobject"
_WEB_PAGES = frozenset(("webpage", "itempage", "aboutpage"))
_ORGANISATIONS = frozenset(("organization", "newsmediaorganization", "corporation", "website"))
_MOST_TEXTS, _LONGEST_TEXT = 200, 2_000
_FEWEST_COMPARED = 8


def nodes(root: _Element) -> list[Node]:
    """Return the nodes of a page's JSON-LD that may describe the page, in document order."""
    found: list[Node] = []
    for script in root.iter("script"):
        if "ld+json" not in (script.get("type") or "").lower():
            continue
        for value in parse(script.text or ""):
            for node in _nodes(value, _DEEPEST_LIST):
                found.append(node)
                if len(found) == _MOST_NODES:
                    return found
    return found


def parse(text: str) -> list[Any]:
    """Return the JSON values in a script: one, several if they follow each other, or none."""
    text = _unwrapped(text)
    try:
        return [_DECODER.decode(text)]
    except (ValueError, RecursionError):
        pass
    if len(text) > _LONGEST_REPAIR:
        return []
    if _ENTITY_QUOTES.match(text):
        text = unescape(text)
    values: list[Any] = []
    text = _PIECES.sub(_repaired, text)
    position = 0
    while len(values) < _MOST_NODES and (start := _OPENING.search(text, position)):
        try:
            value, position = _DECODER.raw_decode(text, start.start())
        except (ValueError, RecursionError):
            break
        values.append(value)
    return values


def _unwrapped(text: str) -> str:
    before = _BEFORE.match(text)
    text = text[before.end() :] if before else text
    # A comment that hides a CDATA section ends in three of them.
    for _ in range(4):
        text = text.rstrip(_SPACE)
        for end in _AFTER:
            text = text.removesuffix(end)
    return text.rstrip(_SPACE)


def _repaired(piece: re.Match[str]) -> str:
    if piece.lastgroup == "string":
        inside = piece[0][1:]
        if inside.endswith('"') and not inside.endswith('\\"'):
            inside = inside[:-1]
        return f'"{_ESCAPE_OR_QUOTE.sub(_literal, inside)}"'
    return ": null" if piece.lastgroup == "colon" else ""


def _literal(match: re.Match[str]) -> str:
    """Escape a quote within a string; drop a backslash that escapes nothing, as JavaScript does."""
    return {'"': '\\"', "\\": ""}.get(match[0], match[0])


def _nodes(value: Any, depth: int) -> Iterator[Node]:
    """Yield the nodes that a value holds; nodes nested elsewhere may be of other articles."""
    if isinstance(value, list) and depth:
        for entry in value:
            yield from _nodes(entry, depth - 1)
    elif isinstance(value, dict):
        yield value
        if depth:
            yield from _nodes(value.get("@graph"), depth - 1)
            if isinstance(main := value.get("mainEntity"), dict):
                yield from _nodes(main, depth - 1)


def types(node: Node) -> frozenset[str]:
    """Return a node's types in lower case, without the vocabulary that they are from."""
    value = node.get("@type")
    return frozenset(
        re.split(r"[/#:]", kind)[-1].strip().lower()
        for kind in (value if isinstance(value, list) else [value])
        if isinstance(kind, str)
    )


def is_web_page(node: Node) -> bool:
    return not _WEB_PAGES.isdisjoint(types(node))


def is_organisation(node: Node) -> bool:
    """Return whether a node describes an outlet or its site."""
    return not _ORGANISATIONS.isdisjoint(types(node))


def texts(value: Any) -> list[str]:
    """Return the texts in a value: a text, an object with a name or value, or a list of these.

    Long texts are cut.
    """
    found = []
    for entry in value[:_MOST_TEXTS] if isinstance(value, list) else [value]:
        if isinstance(entry, dict):
            entry = entry.get("@value") or entry.get("name")
        if isinstance(entry, str) and (text := readable(entry[:_LONGEST_TEXT])):
            found.append(text)
    return found


def by_id(nodes: list[Node]) -> dict[str, Node]:
    """Return nodes by their ids; of several with one id, the first: others may only repeat it."""
    return {name: node for node in reversed(nodes) if isinstance(name := node.get("@id"), str)}


def objects(value: Any) -> list[Node]:
    """Return the objects in a value: itself, or those in a list."""
    entries = value if isinstance(value, list) else [value]
    return [entry for entry in entries if isinstance(entry, dict)]


def is_article(node: Node) -> bool:
    return any(_ARTICLE.fullmatch(kind) or kind == _VIDEO for kind in types(node))


def has_address(node: Node) -> bool:
    """Return whether a node says to which page it belongs."""
    return next(_urls_of(node), None) is not None


def is_video(node: Node) -> bool:
    return types(node) == {_VIDEO}


def choose(articles: list[Node], urls: Iterable[str | None], titles: Iterable[str]) -> Node:
    """Return the description of the page's article; empty if none of the nodes is surely it.

    ``articles`` are the nodes of articles and videos, ``urls`` the page's address and its declared
    ones, ``titles`` its declared titles. A node is the page's if its URL or its headline is. One
    article alone need not have either, unless it declares another URL. Articles go before videos,
    and attributes that the chosen node lacks are taken from others that are the page's.
    """
    addresses = [url for url in urls if url]
    base = addresses[0] if addresses else ""
    own_places = [place for url in addresses if (place := _place(url, base))]
    keys = [folded for title in titles if (folded := key(title))]
    videos = [node for node in articles if is_video(node)]
    texts = [node for node in articles if not is_video(node)]
    for candidates in (texts, videos):
        ranked = [(_rank(node, base, own_places, keys), node) for node in candidates]
        own = [node for rank, node in sorted(ranked, key=lambda entry: -entry[0]) if rank > 0]
        if own:
            return _merged(own)
    return texts[0] if len(texts) == 1 and not _declares_other(texts[0], base) else {}


def _rank(node: Node, base: str, own_places: list[str], keys: list[str]) -> int:
    """Return 0 for a node that is not known to be the page's; higher is surer."""
    is_own = any(_place(url, base) in own_places for url in _urls_of(node))
    headline = node.get("headline") or node.get("name")
    folded = key(readable(headline)) if isinstance(headline, str) else ""
    agrees = any(
        folded == title
        or (
            min(len(folded), len(title)) >= _FEWEST_COMPARED
            and (folded in title or title in folded)
        )
        for title in keys
        if folded
    )
    return 2 * is_own + agrees


def _merged(own: list[Node]) -> Node:
    merged = dict(own[0])
    for node in own[1:]:
        merged.update((name, value) for name, value in node.items() if _is_empty(merged.get(name)))
    return merged


def _is_empty(value: Any) -> bool:
    # False is a value: isAccessibleForFree.
    return value is not False and not value


def _urls_of(node: Node) -> Iterator[str]:
    page = node.get("mainEntityOfPage")
    if isinstance(page, dict):
        page = page.get("@id") or page.get("url")
    for value in (node.get("url"), node.get("@id"), page):
        if isinstance(value, str) and value:
            yield value


def _declares_other(node: Node, base: str) -> bool:
    """Return whether a node's own URL has a path, which is that of another page."""
    own = [node.get("url"), node.get("@id")]
    places = [_place(url, base) for url in own if isinstance(url, str) and url]
    return any(place and "/" in place for place in places)


def _place(url: str, base: str) -> str | None:
    """Return a URL's host, path and query, for comparison; None if it is not one."""
    try:
        parts = urlsplit(urljoin(base, url.strip()))
    except ValueError:
        return None
    if parts.scheme not in ("http", "https"):
        return None
    host = parts.netloc.lower()
    for prefix in ("www.", "m.", "amp."):
        host = host.removeprefix(prefix)
    query = f"?{parts.query}" if parts.query else ""
    return f"{host}{parts.path.rstrip('/')}{query}"


def readable(text: str) -> str:
    """Return declared text as it is meant: references decoded, even twice, and tags dropped."""
    if "&" in text:
        # Some pages encode their text twice.
        for _ in range(2):
            text = _ENTITY.sub(lambda match: unescape(match[0]), text)
    if "<" in text:
        text = _TAG.sub("", text)
    return clean(text)


def paragraphs(text: str) -> str:
    """Return a declared article body without markup, one paragraph a line."""
    text = text[:_LONGEST_BODY]
    if "&" in text:
        for _ in range(2):
            text = _ENTITY.sub(lambda match: unescape(match[0]), text)
    if "<" in text:
        text = _TAG.sub("", _LINE_TAG.sub("\n", _SCRIPT_TEXT.sub("", text)))
    lines = (clean(line) for line in text.splitlines())
    return "\n".join(line for line in lines if line)

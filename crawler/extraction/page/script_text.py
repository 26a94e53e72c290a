"""Turn the data of an article in a script into its text.

The text is that of the field with the most prose: HTML, a list of paragraphs, or rich text, which
is a tree of typed blocks such as ``{"type": "paragraph", "content": [{"text": "…"}]}``. Blocks of
other types, such as pictures and offers, are left out, and so are long parts with another title:
these may be other articles.
"""

import re
from collections.abc import Callable
from html import unescape
from typing import Any, NamedTuple

from crawler.extraction.page.script_fields import (
    HEADLINES,
    LONGEST_NAME,
    NO_TEXTS,
    OTHER_FIELDS,
    OTHER_PARTS,
    Node,
    kind_of,
    titles_of,
    words_of,
)
from crawler.extraction.page.text import collapse, has_sentence, visible_length

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
_ANY_TAG = re.compile(r"<[^<>]{1,2000}>")
_BLOCK_TAG = re.compile(r"<(?:p|div|br|li|ul|ol|h[1-6]|blockquote|section|table)\b", re.I)
_CODE = re.compile(r"[{}=;\\]")

# Characters, as ``visible_length`` counts them: of a text that may be a whole article, and of
# prose.
CERTAIN_TEXT, _SHORTEST_PROSE = 300, 30
_LONGEST_LEAF, _LONGEST_TEXT = 300_000, 500_000
_LARGEST_SHARE_OF_CODE = 0.02
_DEEPEST, _DEEPEST_LINE, _DEEPEST_PARAGRAPH = 60, 10, 3
# A page with more was built to be slow to read.
_MOST_READ, _MOST_ENTRIES = 100_000, 5_000


class Text(NamedTuple):
    """A part of a text as HTML, and the number of characters of its prose."""

    html: str = ""
    size: int = 0


class TextReader:
    """Reads the texts in one script's data.

    ``is_title`` says whether a text is a title of the page's article, and ``refs`` are the objects
    to which others refer, by their names.
    """

    def __init__(self, is_title: Callable[[str], bool], refs: dict[str, Any]) -> None:
        self._is_title = is_title
        self._refs = refs
        self._left = _MOST_READ
        self._leaves: dict[tuple[str, bool], Text] = {}
        # The objects being read, each inside the one before; data may refer to themselves.
        self._open: set[int] = set()

    def text_of(self, node: Node) -> Text:
        """Return the text of an object: that of the field that has the most prose."""
        return self._fields(node, _DEEPEST)

    def line_of(self, node: Node) -> str:
        """Return the text of an object that is one line, such as a heading."""
        return self._inline(node, _DEEPEST_LINE)

    def _resolved(self, value: Any) -> Any:
        """Return the object to which a reference in a cache or in a stream refers."""
        if isinstance(value, dict):
            name = value.get("__ref") or (value.get("id") if value.get("type") == "id" else None)
            return self._refs.get(name, value) if isinstance(name, str) else value
        if isinstance(value, str) and value.startswith("$") and len(value) < LONGEST_NAME:
            return self._refs.get(value, value)
        return value

    def _text(self, value: Any, words: frozenset[str], depth: int) -> Text:
        """Return the text in the value of a field, whose name has these words."""
        self._left -= 1
        if depth == 0 or self._left < 0:
            return Text()
        value = self._resolved(value)
        if isinstance(value, str):
            return self._leaf(value, bool(words & _TEXTS) and not words & NO_TEXTS)
        if not isinstance(value, dict | list) or id(value) in self._open:
            return Text()
        self._open.add(id(value))
        if isinstance(value, list):
            text = _joined_texts([self._text(v, words, depth - 1) for v in value[:_MOST_ENTRIES]])
        else:
            text = self._block(value, depth)
        self._open.discard(id(value))
        return text

    def _leaf(self, text: str, is_text: bool) -> Text:
        """Return a string as HTML, if it is prose or its name says that it is text."""
        known = self._leaves.get((text, is_text))
        if known is None:
            known = self._leaves[text, is_text] = _leaf(text, is_text)
        return known

    def _block(self, node: Node, depth: int) -> Text:
        kind = kind_of(node)
        if kind & OTHER_PARTS or (kind and kind <= _LINKS) or self._is_other(node):
            return Text()
        if kind & _PARAGRAPHS or (
            _may_be_paragraph(kind) and not self._holds_paragraphs(node, _DEEPEST_PARAGRAPH)
        ):
            return self._leaf(self._inline(node, depth), is_text=True)
        text = self._fields(node, depth)
        if text.size == 0:
            return text
        titles = list(titles_of(node))
        if not titles or any(self._is_title(title) for _, title in titles):
            return text
        if text.size >= CERTAIN_TEXT and not any("heading" in words for words, _ in titles):
            # This may be another article, and nothing says that it is a section of this one.
            return Text()
        heading = self._leaf(titles[0][1], is_text=True)
        return Text(heading.html + text.html, text.size)

    def _holds_paragraphs(self, value: Any, depth: int) -> bool:
        """Return whether an object holds paragraphs rather than the pieces of one."""
        for entry in value.values() if isinstance(value, dict) else value:
            if not isinstance(entry, dict | list):
                continue
            self._left -= 1
            if self._left < 0:
                return False
            kind = kind_of(entry) if isinstance(entry, dict) else frozenset()
            if kind & _PARAGRAPHS or _may_be_paragraph(kind):
                return True
            if depth and self._holds_paragraphs(entry, depth - 1):
                return True
        return False

    def _fields(self, node: Node, depth: int) -> Text:
        """Return the text of the field that has the most prose."""
        best = Text()
        for name, value in node.items():
            words = words_of(name)
            if not isinstance(value, str | list | dict) or words & OTHER_FIELDS:
                continue
            text = self._text(value, words, depth - 1)
            if (text.size, len(text.html)) > (best.size, len(best.html)):
                best = text
        return best

    def _is_other(self, node: Node) -> bool:
        """Return whether an object is another article, or a link to one."""
        names = [words for name in node if (words := words_of(name))]
        if not any(words & HEADLINES for words in names):
            return False
        if not any(words & _SIGNS for words in names):
            return False
        return not any(self._is_title(text) for _, text in titles_of(node))

    def _inline(self, value: Any, depth: int) -> str:
        """Return the text of one paragraph, joined from its pieces."""
        self._left -= 1
        if depth == 0 or self._left < 0:
            return ""
        value = self._resolved(value)
        if isinstance(value, str):
            return value
        if isinstance(value, list):
            pieces = [self._inline(entry, depth - 1) for entry in value[:_MOST_ENTRIES]]
            return _joined_pieces(pieces, _LONGEST_LEAF)
        if not isinstance(value, dict):
            return ""
        kind = kind_of(value)
        if kind & OTHER_PARTS:
            return ""
        if kind & frozenset(("br", "break", "linebreak")):
            return "<br>"
        holders = []
        for name, entry in value.items():
            words = words_of(name)
            if not words & _HOLDERS or words & NO_TEXTS:
                continue
            if isinstance(entry, dict | list):
                holders.append(entry)
            elif isinstance(entry, str) and entry and words & _TEXTS:
                return self._inline(entry, depth - 1)
        return self._inline(holders, depth)


def _joined_texts(parts: list[Text]) -> Text:
    html = _joined_pieces([part.html for part in parts], _LONGEST_TEXT)
    return Text(html, sum(part.size for part in parts)) if html else Text()


def _joined_pieces(pieces: list[str], longest: int) -> str:
    """Return the pieces as one text; empty if it is too long, as of data that repeat themselves."""
    return "".join(pieces) if sum(map(len, pieces)) <= longest else ""


def _may_be_paragraph(kind: frozenset[str]) -> bool:
    return bool(kind & _PARAGRAPHS_OR_BOXES) or kind in _EXACT_PARAGRAPHS_OR_BOXES


def _leaf(text: str, is_text: bool) -> Text:
    if len(text) > _LONGEST_LEAF or (len(text) < _SHORTEST_PROSE and not is_text):
        return Text()
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
        return Text()
    if _BLOCK_TAG.search(text):
        html = f"<div>{text}</div>"
    else:
        html = "".join(f"<p>{line}</p>" for line in text.splitlines() if line.strip())
    return Text(html, size if is_prose else 0)

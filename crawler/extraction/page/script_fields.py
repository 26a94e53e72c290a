"""Know the names of fields in a script's data: titles, types, and parts that are not text."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

Node = dict[str, Any]

# Words of the names of fields. Names such as "datePublished", "first_publish_date" and
# "articleBody" are split into words, in lower case and without a plural's s.
_TITLES = frozenset(("headline", "title", "hed", "name", "heading"))
HEADLINES = frozenset(("headline", "title", "hed"))
_KINDS = frozenset(
    "type _type nodeType node_type __typename kind blockType block_type tagName tag blockName"
    " component __component acf_fc_layout contentType".split()
)
# Parts of an article that are not its text, as types of blocks and as names of fields.
OTHER_PARTS = frozenset(
    "image photo picture figure gallery slideshow media video audio podcast embed embedded iframe"
    " oembed tweet twitter instagram facebook youtube tiktok social related recirc recirculation"
    " recommend recommended recommendation promo promotion teaser advert advertisement ad"
    " newsletter signup subscribe subscription paywall caption credit author byline contributor bio"
    " comment reply poll quiz widget script style interstitial divider aside sidebar infobox"
    " factbox pullquote raw footer nav navigation menu breadcrumb tag category keyword popular"
    " trending latest previou prev next more sponsor sponsored".split()
)
OTHER_FIELDS = OTHER_PARTS | frozenset(
    "description summary excerpt abstract dek deck standfirst lead intro subtitle subheadline alt"
    " seo meta og legal copyright disclaimer term translation message locale label config setting"
    " analytic tracking query mark attribute attr prop listing cookie consent privacy".split()
)
NO_TEXTS = frozenset("type typename id format lang language class count length level key".split())
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
# Characters. A longer name is data.
LONGEST_NAME = 60


@lru_cache(maxsize=4096)
def words_of(name: str) -> frozenset[str]:
    """Return the words of a name, in lower case and without a plural's s."""
    return frozenset(_singular(word.lower()) for word in _WORD.findall(name[:LONGEST_NAME]))


def _singular(word: str) -> str:
    if len(word) <= 3 or not word.endswith("s") or word.endswith("ss") or word == "news":
        return word
    return f"{word[:-3]}y" if word.endswith("ies") else word[:-1]


def kind_of(node: Node) -> frozenset[str]:
    """Return the words of an object's type."""
    found: frozenset[str] = frozenset()
    for name in _KINDS.intersection(node):
        value = node[name]
        if isinstance(value, str) and len(value) <= LONGEST_NAME:
            found |= words_of(value)
    return found


def is_heading(node: Node) -> bool:
    """Return whether an object is a block that holds the headline, among those of the text."""
    return bool(kind_of(node) & HEADLINES)


def titles_of(node: Node) -> Iterator[tuple[frozenset[str], str]]:
    """Yield the titles of an object, each with the words of its name.

    A title may be an object itself, with one text for each language or use.
    """
    for name, value in node.items():
        words = words_of(name)
        if not words & _TITLES:
            continue
        texts = value.items() if isinstance(value, dict) else ((name, value),)
        for inner, text in texts:
            if isinstance(text, str) and text and not words_of(inner) & NO_TEXTS:
                yield words, text

"""Finds near copies: articles under other ids that have the same text, such as wire stories.

A text is compared by its words, without case and punctuation, in sequences of three (shingles).
MinHash signatures of the shingles, compared by bands (LSH), give the candidates: pairs that
probably have many shingles in common. Each candidate is then checked exactly: at least
``LEAST_SHARED`` of the words of each text must be in shingles that the other one has. So no copy is
reported by chance, however large the corpus is.

The relation is of pairs and not transitive: if A and B share most of their words, and B and C, A
and C need not. ``groups`` returns the groups of articles that such pairs connect.

The numbers below were chosen with benchmarks/near_copies.py; docs/how-to/exports.md has its
results.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from array import array
from collections import defaultdict
from functools import lru_cache
from hashlib import sha256
from operator import eq
from typing import TYPE_CHECKING, NamedTuple

from crawler.errors import CrawlerError
from crawler.export.temporary import temporary_database

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crawler.export.corpus import Copies
    from crawler.export.temporary import Connection
    from crawler.items import Article

LEAST_SHARED = 0.6
"""The least share of the words of each of two near copies that are in common shingles.

A copy without the last third of the text still has two thirds of it. A text that is made of one
half each of two others shares only a half with both.
"""
FEWEST_TOKENS = 50
"""Words, or characters of scripts without spaces, that a text needs to be compared.

Captions, notices and teaser texts are alike without being copies.
"""
_WORDS_A_SHINGLE = 3
# A word of Chinese or Japanese has about two characters.
_CHARACTERS_A_SHINGLE = 6

# Two texts with a Jaccard similarity of .35 become candidates with a probability of .84, with one
# of .5 of .996, with one of .02, as of unrelated texts, of .0003.
_BANDS = 42
_ROWS = 3
# Any number will do, as long as it stays the same.
_SEED = 20
# Candidates whose signatures say less are not checked. Copies have a similarity above .25.
_LOWEST_ESTIMATE = 0.15
_TEXTS_IN_MEMORY = 100

_TABLES = """
    CREATE TABLE texts (number INTEGER PRIMARY KEY, tokens BLOB, tokens_a_shingle INTEGER);
    CREATE TABLE bands (hash INTEGER, text INTEGER);
"""
_CANDIDATES = """
    SELECT DISTINCT one.text, other.text
    FROM bands AS one JOIN bands AS other ON other.hash = one.hash AND other.text > one.text
    ORDER BY 1, 2
"""

# Scripts that put no spaces between words: Thai, Lao, Tibetan, Burmese, Khmer, Japanese, Chinese.
_UNSPACED = (
    "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")
_UNSPACED_CHARACTER = re.compile(f"[{_UNSPACED}]")


def find(articles: Iterable[Article]) -> Copies:
    """Return the ids of each article's near copies, sorted; articles without any are left out.

    The order is that of ``articles``; the result is the same in every run. Texts are kept in a
    temporary database, so that memory grows by about 2 kB an article. Raises CrawlerError if
    rensa is not installed or the disk is full.
    """
    ids: list[list[str]] = []
    numbers: dict[bytes, int] = {}
    with temporary_database(_TABLES) as connection:
        texts = _Texts(connection)
        for article in articles:
            text = _Text.of(article.body or "")
            if len(text.tokens) < FEWEST_TOKENS:
                continue
            number = numbers.setdefault(text.digest, len(ids))
            if number == len(ids):
                ids.append([])
                texts.add(number, text)
            ids[number].append(article.id)
        return _by_id(ids, texts.copies())


def groups(copies: Copies) -> dict[str, str]:
    """Return the group of each article that has copies: its least id.

    A group is all articles that are connected by pairs of copies.
    """
    group_of: dict[str, str] = {}
    for start in sorted(copies):
        reached = [start]
        while reached:
            article_id = reached.pop()
            if article_id not in group_of:
                group_of[article_id] = start
                reached += copies[article_id]
    return group_of


def _by_id(ids: list[list[str]], same_texts: Iterable[tuple[int, int]]) -> Copies:
    """Return the copies by id, given the ids of each text and the pairs of texts."""
    alike: dict[int, list[int]] = defaultdict(list)
    for number, other in same_texts:
        alike[number].append(other)
        alike[other].append(number)
    found: dict[str, set[str]] = {}
    for number, own in enumerate(ids):
        every = {article_id for text in (number, *alike[number]) for article_id in ids[text]}
        for article_id in own:
            found.setdefault(article_id, set()).update(every - {article_id})
    return {article_id: tuple(sorted(others)) for article_id, others in found.items() if others}


class _Text(NamedTuple):
    """A text as words, or as characters if most of them are of scripts without spaces."""

    tokens: list[str]
    tokens_a_shingle: int

    @classmethod
    def of(cls, text: str) -> _Text:
        text = unicodedata.normalize("NFKC", text).casefold()
        tokens = _TOKEN.findall(text)
        mostly_unspaced = 2 * len(_UNSPACED_CHARACTER.findall(text)) > len(tokens)
        return cls(tokens, _CHARACTERS_A_SHINGLE if mostly_unspaced else _WORDS_A_SHINGLE)

    @property
    def digest(self) -> bytes:
        return sha256(" ".join(self.tokens).encode()).digest()

    def shingles(self) -> Iterator[str]:
        starts = range(self.tokens_a_shingle)
        return map(" ".join, zip(*(self.tokens[start:] for start in starts), strict=False))


class _CheckedText:
    """A text's shingles, to be compared with others'."""

    def __init__(self, text: _Text) -> None:
        self._size = text.tokens_a_shingle
        self._tokens = len(text.tokens)
        self._shingles = list(text.shingles())
        self._distinct = frozenset(self._shingles)

    def is_copy_of(self, other: _CheckedText) -> bool:
        common = self._distinct & other._distinct
        return min(self._share(common), other._share(common)) >= LEAST_SHARED

    def _share(self, common: frozenset[str]) -> float:
        """Return the share of the text's tokens that are in common shingles."""
        shared = end = 0
        for start, shingle in enumerate(self._shingles):
            if shingle in common:
                shared += start + self._size - max(start, end)
                end = start + self._size
        return shared / self._tokens


class _Texts:
    """The distinct texts, in the temporary database, and their signatures."""

    def __init__(self, connection: Connection) -> None:
        try:
            from rensa import RMinHash
        except ImportError as error:
            raise CrawlerError(
                "finding near copies needs rensa; install it with pip install '.[near-copies]'",
                exit_code=1,
            ) from error
        self._new_signature = RMinHash
        self._signatures: list[array[int]] = []
        self._connection = connection
        self._read = lru_cache(_TEXTS_IN_MEMORY)(self._read_text)

    def add(self, number: int, text: _Text) -> None:
        """Add a text; ``number`` is that of the texts before it."""
        signature = self._new_signature(num_perm=_BANDS * _ROWS, seed=_SEED)
        signature.update(list(text.shingles()))
        values = array("I", signature.digest())
        self._signatures.append(values)
        stored = zlib.compress(" ".join(text.tokens).encode(), 1)
        row = (number, stored, text.tokens_a_shingle)
        self._connection.execute("INSERT INTO texts VALUES (?, ?, ?)", row)
        # Equal bands have equal hashes. Others that do only give a candidate more.
        rows = (
            (hash((start, *values[start : start + _ROWS])), number)
            for start in range(0, len(values), _ROWS)
        )
        self._connection.executemany("INSERT INTO bands VALUES (?, ?)", rows)

    def copies(self) -> Iterator[tuple[int, int]]:
        """Yield the pairs of texts that are copies, in the order of their numbers."""
        self._connection.execute("CREATE INDEX texts_of_band ON bands (hash, text)")
        for one, other in self._connection.execute(_CANDIDATES):
            equal = sum(map(eq, self._signatures[one], self._signatures[other]))
            if equal >= _LOWEST_ESTIMATE * _BANDS * _ROWS and self._read(one).is_copy_of(
                self._read(other)
            ):
                yield one, other

    def _read_text(self, number: int) -> _CheckedText:
        query = "SELECT tokens, tokens_a_shingle FROM texts WHERE number = ?"
        stored, tokens_a_shingle = self._connection.execute(query, (number,)).fetchone()
        tokens = zlib.decompress(stored).decode().split(" ")
        return _CheckedText(_Text(tokens, tokens_a_shingle))

"""Recognise the headings of parts of a page that are not its article, by their words.

A heading is compared with phrases, both in lower case and without accents, punctuation and digits.
In the tables below, a slash separates phrases, ``[a|b]`` are words of which one may stand there,
``(a|b)`` words of which one must, and ``+2`` at the end allows up to two further words.
"""

import re
import unicodedata
from collections.abc import Iterator
from enum import Enum, auto
from functools import lru_cache

LONGEST_HEADING = 60
"""Characters. A longer text does not head such a part."""


class Part(Enum):
    """The parts of a page that have headings of their own."""

    RELATED = auto()
    COMMENTS = auto()
    OTHER = auto()


_RELATED = """
[more] related [news|story|stories|article|articles|item|items|post|posts|topic|topics|link|links
    |content|report|reports|coverage|reading|subject|subjects|page|pages|material|materials] /
see also / read (more|also|next) / also read /
more on this [story|topic|subject] / more like this / more about this [story] /
more (stories|news|articles) /
you (may|might) [also] like / you (may|might) [also] be interested [in] /
in [the] same (context|category|subject) / similar (news|stories|articles|posts) /
linked (news|stories) / from the same file /
(أخبار|الأخبار|مواضيع|المواضيع|موضوعات|الموضوعات|مقالات|المقالات|مواد|المواد|تقارير|التقارير)
    (ذات صلة|ذات الصلة|مرتبطة|المرتبطة|متعلقة|المتعلقة|مشابهة) /
ذات صلة / اقرأ (أيضا|المزيد) /
(اخبار|مطالب|خبر|خبرهای|خبر های) [ی] مرتبط / مرتبط [با این خبر] / بیشتر بخوانید /
(article|articles) (liés|connexes) / à lire aussi / ähnliche artikel / mehr zum thema /
noticias relacionadas / похожие (новости|материалы) / по теме / ilgili haberler
"""
_COMMENTS = """
[top|reader|best|latest|recent] [top|reader|best|latest|recent|rated] (comment|comments|response
    |responses|kommentar|kommentare|commentaire|commentaires|comentario|comentarios|commenti
    |reacties|yorumlar|комментарии|تعليقات|التعليقات|نظرات) /
(leave|post|add|write|send) [a|your] (comment|comments|reply|opinion|opinions)
"""
_OTHER = """
[the] (most|top) (read|viewed|popular|commented|shared|visited|stories|news|recent|watched|emailed)
    +2 /
latest +2 /
(breaking|recent|other|top|popular|featured|trending|hot|last|todays|in pictures)
    (news|now|stories|headlines|posts|topics|articles|video|videos|photo|photos) /
recommended (video|videos|stories|articles|for you) / trending / headlines /
(editor|editors) (pick|picks|choice) / dont miss / your (comment|comments|name|opinion|opinions) /
follow us +9 / tag / tags / keywords / topic / topics / newsletter / subscribe +9 /
sign up +9 / sponsored +9 / about (us|the author) / contact [us] / categories /
archive / archives / poll / polls / weather /
الأكثر +1 / آخر الأخبار / الأخبار / آخرین اخبار / ارسال نظر /
(پربازدید|پربازدیدها|پربازدیدترین|پربازدیدترینها) +9
"""
_PIECE = re.compile(r"\[([^]]+)\]|\(([^)]+)\)|\+([0-9])|([^\s\[(+]+)")
_APOSTROPHES_AND_JOINERS = "'’‘ʼ\u200b\u200c\u200d\u00ad\ufeff"
# Persian pages write yeh and kaf with Arabic or Persian letters.
_PERSIAN_LETTERS = str.maketrans("يىك", "ییک")
# Menus repeat the same words on every page of a site.
_CACHE_SIZE = 16_384


class _Folding(dict[int, str | None]):
    """A table for ``str.translate`` that keeps letters only, in lower case."""

    def __missing__(self, code: int) -> str | None:
        character = chr(code)
        folded: str | None = character.casefold() if character.isalpha() else " "
        if character in _APOSTROPHES_AND_JOINERS or unicodedata.category(character)[0] == "M":
            folded = None
        self[code] = folded
        return folded


_FOLDING = _Folding()


def _words(text: str) -> list[str]:
    """Return the words of a heading, in lower case and without accents and digits."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.translate(_PERSIAN_LETTERS))
    return text.translate(_FOLDING).split()


def _phrases(table: str) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield the phrases of a table, each with the number of words that may follow."""
    for line in table.split("/"):
        phrases: list[tuple[str, ...]] = [()]
        more = 0
        for optional, required, number, word in _PIECE.findall(line):
            if number:
                more = int(number)
                continue
            choices = [
                tuple(_words(choice)) for choice in (optional or required or word).split("|")
            ]
            if optional:
                choices.append(())
            phrases = [(*phrase, *choice) for phrase in phrases for choice in choices]
        yield from ((phrase, more) for phrase in phrases)


# The first entry for a phrase counts.
_PARTS: dict[tuple[str, ...], tuple[Part, int]] = {}
for _part, _table in ((Part.RELATED, _RELATED), (Part.COMMENTS, _COMMENTS), (Part.OTHER, _OTHER)):
    for _phrase, _more in _phrases(_table):
        _PARTS.setdefault(_phrase, (_part, _more))
_FIRST_WORDS = frozenset(phrase[0] for phrase in _PARTS)
_MOST_WORDS = max(map(len, _PARTS))


def part_headed_by(text: str) -> Part | None:
    """Return the part of a page that a text heads; None if it is not the heading of one."""
    # The cache must not keep the paragraphs of a crawl.
    return _part_headed_by(text) if len(text) <= LONGEST_HEADING else None


@lru_cache(maxsize=_CACHE_SIZE)
def _part_headed_by(text: str) -> Part | None:
    words = _words(text)
    if not words or words[0] not in _FIRST_WORDS:
        return None
    for length in range(min(len(words), _MOST_WORDS), 0, -1):
        part, more = _PARTS.get(tuple(words[:length]), (None, 0))
        if part is not None and len(words) - length <= more:
            return part
    return None

"""Parse the plain text of a saved page.

The headline is the first line, a date line is near the top, and blank lines separate paragraphs. A
text whose first line cannot be a headline, such as a menu, has none.
"""

import re
from dataclasses import dataclass

from crawler.extraction.page import dates
from crawler.extraction.page.dateline import Dated
from crawler.extraction.page.metadata import Declared
from crawler.extraction.page.parts import without_furniture
from crawler.extraction.page.text import collapse, ends_sentence

# The number of non-empty lines that are searched for the date line.
_HEAD_LINES = 8
_SHORTEST_PARAGRAPH = 60
# Characters that a date line may have besides its date.
_MOST_BESIDE_DATE = 40
# The headline often stands twice at the top: as the page's title, and above the text.
_REPEATED_WITHIN = 5
# Characters besides its date of a line that is only a date.
_MOST_BESIDE = 12
_LONGEST_HEADLINE = 300
_LONGEST_SENTENCE = 160
_FEWEST_WORDS, _FEWEST_CHARACTERS = 3, 12
_WORD = re.compile(r"\w+")
_CASED = re.compile(r"[a-z]")
_MENU_SEPARATOR = re.compile(r"\s[|»›>•·/]\s")
# Words of the first entry of a menu.
_LONGEST_MENU_ENTRY = 2
# Lines of pages, programs, settings and notes that begin files of other kinds.
_NEVER_HEADLINE = re.compile(
    r"\w+://|www\.|#|//|/\*|\*|<|\||\{|;|--|%|@|>|=|[\w-]+:\s*\S*$|[\w.-]+\s*=\s*\S"
    r"|(?:skip|jump|go)\s+to\s+(?:the\s+)?(?:main|content|navigation)|toggle\s+navigation"
    r"|(?:zum|direkt\s+zum)\s+(?:haupt)?inhalt|aller\s+au\s+contenu|(?:saltar|ir)\s+al\s+contenido"
    r"|(?:ir|pular)\s+para\s+o\s+conte|vai\s+al\s+contenuto|naar\s+(?:de\s+)?inhoud"
    r"|(?:open|close|main|show|hide)\s+(?:main\s+)?(?:menu|navigation|search)\b"
    r"|(?:menu|search|home|login|log\s+in|sign\s+in|sign\s+up|register|subscribe|navigation)\b\W*$"
    r"|(?:we|this\s+(?:web)?site)\s+uses?\s+cookies|todo\b|notes?\b\W*$|copyright\b|all\s+rights",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Plain:
    headline: Declared | None
    dated: Dated | None
    body: tuple[str, ...]
    where: str


def read_plain(text: str, *, leaks: bool = False) -> Plain:
    """Read the text of a saved page without its dumps; ``leaks`` says whether it had any."""
    lines = [collapse(line) for line in text.splitlines()]
    top = next((index for index, line in enumerate(lines) if line), None)
    if top is None:
        return Plain(None, None, (), "text")
    first = lines[top]
    lines[top + 1 :] = without_furniture(lines[top + 1 :], first, leaks=leaks)
    filled = [index for index, line in enumerate(lines) if line]
    dated = None
    used = {index for index in filled if lines[index] == first}
    for index in filled[1:_HEAD_LINES]:
        moment = dates.find(lines[index])
        raw = (
            lines[index][moment.start : moment.end]
            if moment
            else dates.unreadable_date(lines[index])
        )
        # A date line has little besides its date.
        if raw and len(lines[index]) - len(raw) <= _MOST_BESIDE_DATE:
            dated = Dated(raw.strip(), moment, f"date line, line {index + 1}")
            used.add(index)
            break
    # If no blank lines separate the body, every line is a paragraph.
    body_lines = [index for index in filled if index not in used]
    has_blank_lines = (
        any(not lines[index] for index in range(body_lines[0], body_lines[-1]))
        if body_lines
        else False
    )
    groups: list[list[str]] = []
    last = -2
    for index in body_lines:
        if has_blank_lines and index == last + 1 and groups:
            groups[-1].append(lines[index])
        else:
            groups.append([lines[index]])
        last = index
    paragraphs = [" ".join(part) for part in groups]
    # Skip a byline or a date in an unknown format, which is not a sentence.
    begin = next(
        (
            place
            for place, p in enumerate(paragraphs)
            if len(p) >= _SHORTEST_PARAGRAPH or ends_sentence(p)
        ),
        len(paragraphs),
    )
    is_repeated = first in (lines[index] for index in filled[1:_REPEATED_WITHIN])
    is_sure = is_repeated or dated is not None
    headline = Declared(first, "first line") if _may_be_headline(first, is_sure=is_sure) else None
    return Plain(headline, dated, tuple(paragraphs[begin:]), "paragraphs of the text")


def _may_be_headline(line: str, *, is_sure: bool) -> bool:
    """Return whether the first line of a text may be a headline.

    If the text ``is_sure`` to be an article's, a single word may be one.
    """
    moment = dates.find(line)
    is_date = moment is not None and len(line) - (moment.end - moment.start) <= _MOST_BESIDE
    if is_date or len(line) > _LONGEST_HEADLINE or _NEVER_HEADLINE.match(line):
        return False
    entries = _MENU_SEPARATOR.split(line)
    if len(entries) > 2 and _count_words(entries[0]) <= _LONGEST_MENU_ENTRY:
        return False
    if is_sure:
        return _count_words(line) > 0
    if line.endswith(".") and len(line) > _LONGEST_SENTENCE:
        return False
    if line.islower() and _CASED.match(line):
        return False
    if line.isascii():
        return _count_words(line) >= _FEWEST_WORDS
    # Some languages do not separate words by spaces.
    return _count_words(line) >= _FEWEST_WORDS or len(line) >= _FEWEST_CHARACTERS


def _count_words(text: str) -> int:
    return len(_WORD.findall(text))

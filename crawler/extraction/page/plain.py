"""Parse the plain text of a saved page.

The headline is the first line, a date line is near the top, and blank lines separate paragraphs.
"""

from dataclasses import dataclass

from crawler.extraction.page import dates
from crawler.extraction.page.dateline import Dated
from crawler.extraction.page.metadata import Declared
from crawler.extraction.page.text import collapse, ends_sentence

# The number of non-empty lines that are searched for the date line.
_HEAD_LINES = 8
_SHORTEST_PARAGRAPH = 60
# Characters that a date line may have besides its date.
_MOST_BESIDE_DATE = 40


@dataclass(frozen=True, slots=True)
class Plain:
    headline: Declared | None
    dated: Dated | None
    body: tuple[str, ...]
    where: str


def read_plain(text: str) -> Plain:
    """Read the text of a saved page without its dumps."""
    lines = [collapse(line) for line in text.splitlines()]
    filled = [index for index, line in enumerate(lines) if line]
    if not filled:
        return Plain(None, None, (), "text")
    headline = lines[filled[0]]
    dated = None
    used = {index for index in filled if lines[index] == headline}
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
    return Plain(
        Declared(headline, "first line"), dated, tuple(paragraphs[begin:]), "paragraphs of the text"
    )

"""Read the links of a page that may lead to articles: their addresses, titles and pictures."""

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import islice
from typing import NamedTuple
from urllib.parse import urldefrag, urljoin, urlsplit

from lxml.etree import _Element

from crawler.extraction.addresses import article_address, escaped
from crawler.extraction.article_urls import looks_like_article
from crawler.extraction.page.boxes import HEADINGS
from crawler.extraction.page.headings import SEPARATORS, announcement, part_headed_by
from crawler.extraction.page.json_ld import readable
from crawler.extraction.page.leak import Listed
from crawler.extraction.page.pictures import sources_of
from crawler.extraction.page.text import (
    all_text,
    clean,
    collapse,
    has_many_elements,
    visible_length,
)
from crawler.extraction.publishers import Publisher

# An absolute URL that urljoin, which is slow, would return unchanged.
_WHOLE_URL = re.compile(r"https?://[^\s/?#\\]+/(?:(?!/\.)[^\s?#;\\])*+\Z")
_OTHER_SCHEME = re.compile(r"(?:javascript|mailto|tel|data|whatsapp|sms):", re.IGNORECASE)
# The variants of a page's own path.
_ENDING = re.compile(r"(?:/(?:amp|print)|/index\.\w+)?/*$")
_PROMPT = re.compile(
    r"(?:(?:read|see|more|continue|full|weiter|mehr|lire|leer|ver|leggi|lees|czytaj|читать)\b"
    r".{0,20}|weiterlesen|video|photos?|[\W\d_]*"
    r"|(?:artikel|article)?\s?(?:drucken|print|imprimer|imprimir|stampa|share|teilen)"
    r"|(?:artikel|article|link) (?:per|via|by|par) e-?mail.{0,15})",
    re.IGNORECASE,
)
_UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
# Characters of a script without spaces, as ``visible_length`` counts them, that say as much as a
# word.
_LETTERS_PER_WORD = 6
_SOCIAL_HOST = re.compile(
    r"(?:^|\.)(?:facebook|twitter|x|linkedin|pinterest|whatsapp|telegram|t|reddit|instagram|tumblr"
    r"|xing|vk|ok|threads|bsky|line|flipboard|getpocket)\.(?:com|me|ru|net|org|app|de)$"
)
_TITLE_NAME = re.compile(
    r"(?:^|[\s_-])(?:title|headline|titel|titre|titulo|titolo|tytul|nadpis|baslik)(?:$|[\s_-])",
    re.IGNORECASE,
)
# Of the words above or below a title.
_LABEL_NAME = re.compile(
    r"(?:^|[\s_-])(?:pre|sub|over|kicker|label|category|section)(?:$|[\s_-])", re.IGNORECASE
)
# Elements that put the texts of a link below each other.
_LINES = ("div", "p", "figure", "figcaption", "picture", "section", "time", "br")
# Characters and elements. A link with more was never closed.
_LONGEST_TITLE, _MOST_IN_A_LINK, _LONGEST_NAME = 10_000, 200, 1_000
# Where the title of a link's entry is looked for: levels around the link, and elements.
_ENTRY_LEVELS, _MOST_IN_AN_ENTRY = 4, 100
# Words of a headline. A link of fewer words is a section's or a person's unless its address is
# surely an article's; in a list that has such addresses, it needs more words.
_FEWEST_WORDS, _WORDS_AMONG_SURE = 3, 4
_MOST_IN_A_LABEL = 2  # words
# Characters; the second for a link that looks like those to articles.
_SHORTEST_HEADLINE, _SHORTEST_TITLE = 12, 4


class Anchor(NamedTuple):
    """A link that may lead to an article.

    ``look`` is how the page shows it: the names and the tags of the link and the boxes around it.
    ``id`` is the article's. It is the URL here if the publisher has no own ids, since normalising
    each link of a page would take longer than reading its article. ``is_sure`` says that the
    address is surely an article's.
    """

    id: str
    url: str
    element: _Element
    is_sure: bool
    look: tuple[str, ...] = ()


class AnchorReader:
    """Reads the links of one page; its links to itself are left out.

    "Print" and "Back to top" link to the page itself.
    """

    def __init__(self, publisher: Publisher | None, url: str | None) -> None:
        self._publisher = publisher
        self._url = url
        self._base = url or (f"{publisher.root}/" if publisher else None)
        self._has_own_ids = publisher is not None and publisher.has_own_ids

    @cached_property
    def _own_id(self) -> str | None:
        return self._publisher.id_of(self._url) if self._publisher and self._url else None

    @cached_property
    def _own_path(self) -> str | None:
        return _without_ending(urlsplit(self._url).path) if self._url else None

    def is_own(self, anchor: Anchor) -> bool:
        """Return whether a link leads to the publisher of the page."""
        return self._publisher is not None and self._publisher.owns(anchor.url)

    def read(self, element: _Element) -> Anchor | None:
        """Return the link of an ``a`` element; None if it does not lead to another article."""
        href = address_of(element)
        if href is None:
            return None
        try:
            url = href
            if not _WHOLE_URL.match(href):
                url = escaped(urldefrag(urljoin(self._base or "", href))[0])
            parts = urlsplit(url)
        except ValueError:
            return None
        if not parts.hostname or parts.scheme not in ("http", "https"):
            return None
        if self._publisher is None or not self._publisher.owns(url):
            verdict = looks_like_article(url)
            if verdict is False or _SOCIAL_HOST.search(parts.hostname):
                return None
            return Anchor(url, url, element, verdict is True)
        if self._has_own_ids:
            own_id = self._publisher.id_of(url)
            is_other = own_id and own_id != self._own_id
            return Anchor(own_id, url, element, True) if own_id and is_other else None
        if self._publisher.article_pattern or self._publisher.not_article_pattern:
            is_sure = self._publisher.is_article(url)
            if not is_sure:
                return None
        else:
            verdict = looks_like_article(url)
            if verdict is False:
                return None
            is_sure = verdict is True
        if _without_ending(parts.path) == self._own_path and self._own_id == article_address(url):
            return None
        return Anchor(url, url, element, is_sure)


def address_of(element: _Element) -> str | None:
    """Return the address of an ``a`` element as written; None if it leads to no other page."""
    href = (element.get("href") or "").strip()
    return href if href and href[0] != "#" and not _OTHER_SCHEME.match(href) else None


def _without_ending(path: str) -> str:
    return _ENDING.sub("", path)


def word_count(text: str) -> int:
    """Return the number of words of a text; scripts without spaces count by their characters."""
    count = len(text.split())
    if not text.isascii() and _UNSPACED.search(text):
        return max(count, visible_length(text) // _LETTERS_PER_WORD)
    return count


def listed_entries(
    anchors: Iterable[Anchor], base: str | None, *, keep_all: bool = False
) -> list[tuple[Listed, _Element]]:
    """Return the articles to which links lead, in their order, each with its first link.

    ``base`` is that of pictures.

    A picture, a headline and "Read more" may link to the same article. Links to sections, tags and
    authors are left out unless ``keep_all``.
    """
    entries: dict[str, _Entry] = {}
    for anchor in anchors:
        article_id = anchor.id
        if article_id is anchor.url:
            article_id = article_address(anchor.url) or anchor.url
        entry = entries.get(article_id)
        if entry is None:
            entry = entries[article_id] = _Entry(article_id, anchor.url)
        entry.add(anchor, base or "")
    found = list(entries.values())
    if not keep_all:
        fewest = _WORDS_AMONG_SURE if any(entry.is_sure for entry in found) else _FEWEST_WORDS
        sure = {entry for entry in found if entry.is_sure or entry.has_headline(fewest)}
        looks = {look for entry in sure for look in entry.looks}
        found = [entry for entry in found if entry in sure or entry.is_like(looks)]
    return [(entry.listed(), entry.first) for entry in found]


class _Entry:
    """An entry of a list, from the links to its article."""

    def __init__(self, article_id: str, url: str) -> None:
        self._id = article_id
        self._url = url
        self._title = ""
        self._is_written = False
        self._picture: str | None = None
        self._anchors: list[Anchor] = []
        self.is_sure = False

    def add(self, anchor: Anchor, base: str) -> None:
        self.is_sure = self.is_sure or anchor.is_sure
        element = anchor.element
        self._anchors.append(anchor)
        if has_many_elements(element, _MOST_IN_A_LINK):
            return
        text = _title(element)
        # The text of a picture is a title only if the entry has no words.
        is_written = bool(text)
        text = text or _alternative(element)
        if is_written > self._is_written or (
            is_written == self._is_written and _is_better(text, self._title)
        ):
            self._title, self._is_written = text, is_written
        if self._picture is None:
            for image in element.iter("img"):
                source = next(sources_of(image), None)
                if source is not None:
                    self._picture = _absolute(source.url, base)
                    break

    @property
    def first(self) -> _Element:
        return self._anchors[0].element

    @property
    def looks(self) -> set[tuple[str, ...]]:
        return {anchor.look for anchor in self._anchors}

    def has_headline(self, fewest_words: int) -> bool:
        title = self._title
        return (
            visible_length(title) >= _SHORTEST_HEADLINE
            and word_count(title) >= fewest_words
            and not _PROMPT.fullmatch(title)
        )

    def is_like(self, looks: set[tuple[str, ...]]) -> bool:
        """Return whether an entry has a title, and the page shows it as it shows others."""
        is_title = len(self._title) >= _SHORTEST_TITLE and not _PROMPT.fullmatch(self._title)
        return is_title and not looks.isdisjoint(self.looks)

    def listed(self) -> Listed:
        if self.is_sure and word_count(self._title) <= _MOST_IN_A_LABEL:
            # "News" above or "Read more" below the headline is the link.
            heading = _heading_around(self._anchors[0])
            if word_count(heading) > word_count(self._title):
                self._title = heading
        return Listed(self._id, self._title or None, self._picture, url=self._url)


def _is_better(text: str, known: str) -> bool:
    """Return whether a link's text is more of a title than the longest one known."""
    if not known or _PROMPT.fullmatch(known):
        return len(text) > 0 and (not known or not _PROMPT.fullmatch(text))
    return len(text) > len(known) and not _PROMPT.fullmatch(text)


def _heading_around(anchor: Anchor) -> str:
    """Return the heading of the entry that a link is in, which links to nothing else."""
    found: _Element | None = None
    for holder in islice(anchor.element.iterancestors(), _ENTRY_LEVELS):
        if holder.tag in ("body", "html") or has_many_elements(holder, _MOST_IN_AN_ENTRY):
            break
        hrefs = {link.get("href") for link in holder.iter("a")} - {None}
        headings = list(islice(holder.iter(*HEADINGS), 2))
        if len(headings) > 1:
            break
        if headings:
            found = headings[0]
            break
        if len(hrefs) > _ENTRY_LEVELS:
            break
    words = "" if found is None else collapse(all_text(found, _LONGEST_TITLE))
    return "" if part_headed_by(words) else words


def _absolute(source: str, url: str) -> str:
    try:
        return urljoin(url, source.strip())
    except ValueError:
        return source


def _title(anchor: _Element) -> str:
    """Return a link's text: its heading, all its text or its title.

    The words "Read also:" before a title are not part of it.
    """
    titles = (*anchor.iter(*HEADINGS), *_named_as_title(anchor))
    best = max((collapse(all_text(title, _LONGEST_TITLE)) for title in titles), key=len, default="")
    if word_count(best) > 1:
        return without_announcement(best)
    text = text_of(anchor)
    written = readable(anchor.get("title") or "")
    if _has_lines(anchor) and written and text != written and written in text:
        return written
    return without_announcement(text[:_LONGEST_TITLE]) if text else written


def text_of(link: _Element, most: int = _LONGEST_TITLE) -> str:
    """Return the text of a link, with spaces between its lines, as ``all_text`` reads it."""
    return clean(all_text(link, most, separator=" " if _has_lines(link) else ""))


def _has_lines(link: _Element) -> bool:
    return next(link.iter(*_LINES), None) is not None


def _alternative(anchor: _Element) -> str:
    """Return the alt text of a link's first picture that has one."""
    images = (image.get("alt") for image in anchor.iter("img"))
    return readable(next((alt for alt in images if alt), "")[:_LONGEST_TITLE])


def _named_as_title(anchor: _Element) -> Iterator[_Element]:
    for element in anchor.iterdescendants():
        name = element.get("class") if isinstance(element.tag, str) else None
        if (
            name
            and _TITLE_NAME.search(name[:_LONGEST_NAME])
            and not _LABEL_NAME.search(name[:_LONGEST_NAME])
        ):
            yield element


def without_announcement(text: str) -> str:
    """Return a title without words such as "Read also:" before it."""
    words = announcement(text)
    return text[len(words) :].lstrip(SEPARATORS) or text if words else text

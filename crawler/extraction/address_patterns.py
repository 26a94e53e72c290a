"""Finds the ids in the addresses of a publisher's articles, and a pattern for these addresses.

Takes the URLs of some articles of one publisher. An id is a number, a UUID, or letters and digits
mixed, which stands in the same place of each address: in the same segment of the path, counted from
the end, or in the same parameter of the query. The pattern is a regular expression whose first
group is the id, for ``Publisher.article_pattern``. Pure: no I/O, and no URL raises an error.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from crawler.extraction.addresses import article_address
from crawler.extraction.article_urls import looks_like_article

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# A number may follow letters, as in "artikel1234567".
_IDS = re.compile(
    rf"(?<![0-9a-z])(?P<uuid>{_UUID})(?![0-9a-z])"
    r"|(?<![0-9])(?P<number>[0-9]{4,})(?![0-9a-z])"
    r"|(?<![0-9a-z])(?P<mixed>(?=[0-9a-z]*[0-9][a-z])[0-9a-z]{8,})(?![0-9a-z])",
    re.IGNORECASE,
)
_DATE = re.compile(r"(?:19|20)[0-9]{2}(?:(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])?)?")
_EXTENSION = re.compile(r"\.[a-z]+[0-9]?(?:\.[a-z]+)?", re.IGNORECASE)
_LETTERS_BEFORE = re.compile(r"[a-z]{1,10}$", re.IGNORECASE)
_LONG_NAME = "a-name-that-only-an-article-has"
_KINDS = ("uuid", "number", "mixed")
# A shorter number amid other text is rarely an id.
_FEWEST_DIGITS_AMID = 6
# Ids are counted up, so those of older articles are shorter.
_FEWEST_DIGITS = 5
# The segment that stands for the query.
_QUERY = -1
# The share of ids that stand in two addresses of a page's links. A section's number stands in many.
_MOST_REPEATED = 0.2
# The share of links whose path has to be that of the given addresses, apart from the id.
_LEAST_SAME = 0.8


class Place(NamedTuple):
    """The place of an id in an address.

    ``segment`` counts from the end of the path, 0 for the last; in the query it is -1, and
    ``parameter`` is the name of the parameter. ``letters`` stand right before the id. ``starts``
    and ``ends`` say whether the segment has nothing else before and after them, apart from an
    extension.
    """

    kind: str
    segment: int
    parameter: str
    letters: str
    starts: bool
    ends: bool


@dataclass(frozen=True, slots=True)
class FoundId:
    """An id in an address.

    ``before`` and ``after`` are the rest of its segment, and ``path`` is the path with ``{id}`` in
    place of the id.
    """

    value: str
    before: str
    after: str
    path: str


@dataclass(frozen=True, slots=True)
class IdPattern:
    """The pattern of a publisher's article addresses, whose first group is the id.

    ``ids`` are those of the given addresses, in order. ``path`` is the path of any article, with
    ``{id}`` in place of the id; None if the id does not suffice to make the path.
    """

    pattern: str
    ids: tuple[str, ...]
    path: str | None

    def id_in(self, url: str) -> str | None:
        """Return the id in a URL; None if the pattern does not match."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return None
        text = f"{parts.path}?{parts.query}" if parts.query else parts.path
        match = re.search(self.pattern, text if self.is_in_query else parts.path)
        return match[1] if match else None

    @property
    def is_in_query(self) -> bool:
        return r"\?" in self.pattern

    def page_of(self, url: str) -> str:
        """Return the address of a URL's page, without a query that the pattern does not need."""
        address = article_address(url) or url
        # The query may say where a link stood: ?ico=most_popular.
        return address if self.is_in_query else address.partition("?")[0]


def find_pattern(urls: Sequence[str], links: Iterable[str] = ()) -> IdPattern | None:
    """Return the pattern of the addresses of articles; None if they have no id in common.

    ``links`` are other addresses of the publisher. They show whether an id belongs to a single
    article. The longest ids are preferred, because short ones may be those of sections.
    """
    by_place = [dict(_ids_in(url)) for url in urls]
    common = [place for place in by_place[0] if all(place in found for found in by_place)]
    candidates = [(place, [found[place] for found in by_place]) for place in common]
    links = list(dict.fromkeys(links))
    for place, found in sorted(candidates, key=_preference):
        pattern = IdPattern(_pattern(place, found), tuple(one.value for one in found), None)
        is_right = [pattern.id_in(url) for url in urls] == list(pattern.ids)
        is_single = len(set(pattern.ids)) == len(set(map(pattern.page_of, urls)))
        if is_right and is_single and not _is_repeated(pattern, links):
            return replace(pattern, path=_path(found, pattern, links))
    return None


def list_folders(pattern: IdPattern, links: Iterable[str]) -> tuple[str, ...]:
    """Return the names of folders that hold lists, whose addresses the pattern matches, too.

    ``links`` are addresses of the publisher. An example is "tag" in ``/tag/harbour-12345``.
    """
    lists = Counter[str]()
    of_articles: set[str] = set()
    for link in filter(pattern.id_in, links):
        folders = urlsplit(link).path.strip("/").split("/")[:-1]
        if looks_like_article(link) is False:
            lists.update(filter(_holds_lists, folders))
        else:
            of_articles.update(folders)
    return tuple(name for name, _ in lists.most_common() if name not in of_articles)


def _holds_lists(folder: str) -> bool:
    """Return whether the built-in rules reject the address of any page in a folder."""
    return looks_like_article(f"http://publisher.example/{folder}/{_LONG_NAME}") is False


def _ids_in(url: str) -> Iterator[tuple[Place, FoundId]]:
    """Yield the possible ids in a URL, with their places."""
    address = urlsplit(f"http://{article_address(url) or ''}")
    segments = address.path.strip("/").split("/")
    for position, text in enumerate(segments):
        ahead, behind = segments[:position], segments[position + 1 :]
        for match in _IDS.finditer(text):
            before, value, after = text[: match.start()], match[0], text[match.end() :]
            path = "/".join(("", *ahead, f"{before}{{id}}{after}", *behind))
            place = _place(match, len(behind), "", before, after)
            if place:
                yield place, FoundId(value, before, after, path)
    for name, text in parse_qsl(address.query):
        whole = _IDS.fullmatch(text)
        if whole and (place := _place(whole, _QUERY, name, "", "")):
            yield place, FoundId(text, f"/{segments[-1]}", "", "")


def _place(
    match: re.Match[str], segment: int, parameter: str, before: str, after: str
) -> Place | None:
    """Return the place of a match; None if it is a date, or too short to be an id."""
    kind = next(name for name in _KINDS if match[name])
    letters = _LETTERS_BEFORE.search(before)
    starts = before == (letters[0] if letters else "")
    ends = not after or _EXTENSION.fullmatch(after) is not None
    if kind == "number" and not letters:
        if _DATE.fullmatch(match[0]):
            return None
        if not starts and not ends and len(match[0]) < _FEWEST_DIGITS_AMID:
            return None
    return Place(kind, segment, parameter, letters[0] if letters else "", starts, ends)


def _preference(candidate: tuple[Place, list[FoundId]]) -> tuple[int, int, int]:
    place, found = candidate
    return _KINDS.index(place.kind), -min(len(one.value) for one in found), place.segment


def _is_repeated(pattern: IdPattern, links: Sequence[str]) -> bool:
    """Return whether too many of the ids in links stand in more than one address."""
    addresses: dict[str, set[str]] = {}
    for link in links:
        if (found := pattern.id_in(link)) is not None:
            addresses.setdefault(found, set()).add(pattern.page_of(link))
    repeated = sum(len(several) > 1 for several in addresses.values())
    return repeated > _MOST_REPEATED * len(addresses)


def _path(found: Sequence[FoundId], pattern: IdPattern, links: Sequence[str]) -> str | None:
    """Return the path of any article, if the given addresses and most links have the same one."""
    path = found[0].path
    # A brace in the path itself would be taken for another place.
    if len(found) < 2 or path.count("{") != 1 or any(one.path != path for one in found):
        return None
    ids = {link: article_id for link in links if (article_id := pattern.id_in(link))}
    same = sum(
        urlsplit(f"//{pattern.page_of(link)}").path == path.replace("{id}", article_id)
        for link, article_id in ids.items()
    )
    return path if same >= _LEAST_SAME * len(ids) else None


def _pattern(place: Place, found: Sequence[FoundId]) -> str:
    value = _value_pattern(place.kind, [one.value for one in found])
    if place.segment == _QUERY:
        script = _one_of([one.before for one in found]) or ""
        return rf"{script}\?(?:.*&)?{_escape(place.parameter)}=({value})(?![^&])"
    return f"{_before(place, found)}({value}){_after(place, found)}"


def _value_pattern(kind: str, values: Sequence[str]) -> str:
    shortest = min(map(len, values))
    if kind == "uuid":
        return _UUID
    if kind == "number":
        return f"[0-9]{{{min(_FEWEST_DIGITS, shortest)},}}"
    letters = "".join(values)
    small = "" if letters.isupper() else "a-z"
    capital = "" if letters.islower() else "A-Z"
    return f"[0-9{capital}{small}]{{{shortest},}}"


def _before(place: Place, found: Sequence[FoundId]) -> str:
    whole = _one_of([one.before for one in found])
    if whole is not None and (place.starts or len(found) > 1):
        return f"/{whole}"
    separators = {one.before.removesuffix(place.letters)[-1:] for one in found}
    return _any_of(separators) + place.letters


def _after(place: Place, found: Sequence[FoundId]) -> str:
    if not place.ends:
        return _any_of({one.after[0] for one in found})
    if place.segment:
        return "/"
    extension = _one_of([one.after for one in found])
    if extension is None:
        return "(?=[./]|$)"
    return f"{extension}$" if extension else "/?$"


def _one_of(texts: Sequence[str]) -> str | None:
    """Return a pattern of texts that are all the same; None if they differ."""
    return _escape(texts[0]) if len(set(texts)) == 1 else None


def _any_of(characters: Iterable[str]) -> str:
    # A hyphen between others would be a range.
    ordered = sorted(characters, key=lambda character: (character == "-", character))
    if len(ordered) == 1:
        return _escape(ordered[0])
    return "[{}]".format("".join(f"\\{one}" if one in r"\]^" else one for one in ordered))


def _escape(text: str) -> str:
    # A hyphen needs no escape outside of brackets.
    return re.escape(text).replace(r"\-", "-")

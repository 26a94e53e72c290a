"""Decides under which id an article is known, from its page and the page's address.

The id is the publisher's own, or else the normalised address: of the canonical URL that the page
declares if that can be believed, or of the page. A canonical URL is not believed if it names
another publisher's page, the home page, a section, or an article that resembles neither the page's
address nor its headline: some sites declare the same address on every page.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from crawler.extraction.addresses import absolute_url, article_address
from crawler.extraction.article_urls import looks_like_article
from crawler.extraction.page import Declared, ParsedPage
from crawler.extraction.publishers import Publisher
from crawler.items import Provenance

_WORD = re.compile(r"\w+")
# Identifies an article, unlike a year or a page number.
_NUMBER = re.compile(r"\d{5,}")
_DATE = re.compile(r"(?:19|20)\d\d[01]\d(?:[0-3]\d)?")
_ENDING = re.compile(r"\.[a-z]{2,5}$", re.IGNORECASE)
_FEWEST_WORDS = 3
_SHARED_WORDS = 0.8


class Identity(NamedTuple):
    """The id of an article, its other ids, and where the id was found."""

    id: str | None
    aliases: tuple[str, ...] = ()
    provenance: Provenance | None = None


def identify(page: ParsedPage, publisher: Publisher | None) -> Identity:
    """Return the identity of a page's article."""
    if page.id is not None:
        return Identity(page.id)
    address_of = publisher.address_of if publisher else article_address
    address = address_of(page.url) if page.url else None
    if address is None:
        return Identity(None)
    if page.canonical is None:
        return Identity(address, (), Provenance(where="the page's address"))
    canonical = absolute_url(page.canonical.value, page.base or page.url)
    canonical_address = address_of(canonical) if canonical else None
    is_of_file = page.base != page.url and page.base and canonical_address == address_of(page.base)
    if canonical_address == address or is_of_file:
        # wget and HTTrack convert even this link to one between the files that they save.
        return Identity(address, (), Provenance(where="the page's address"))
    doubt = (
        _doubt(canonical, canonical_address, address, page, publisher)
        if canonical and canonical_address
        else "no web page"
    )
    if canonical_address is None or doubt:
        assumed = f"that {page.canonical.where} is wrong: it names {doubt}"
        return Identity(address, (), Provenance(where="the page's address", assumed=assumed))
    return Identity(canonical_address, (address,), Provenance(where=page.canonical.where))


def _doubt(
    canonical: str,
    canonical_address: str,
    address: str,
    page: ParsedPage,
    publisher: Publisher | None,
) -> str | None:
    """Return why a declared canonical URL is not believed; None if it is."""
    if publisher is None or not publisher.owns(canonical):
        return "another publisher's page"
    if urlsplit(canonical).path.strip("/") == "" and not urlsplit(canonical).query:
        return "the home page"
    if looks_like_article(canonical) is False:
        return "a page that is no article"
    if _resembles(canonical_address, address):
        return None
    if page.headline and _matches_headline(canonical_address, page.headline):
        return None
    if not _has_name(address) and looks_like_article(canonical):
        # The page was requested by a short address, such as /?p=1234.
        return None
    return "an article that resembles neither the page's address nor its headline"


def _resembles(canonical: str, address: str) -> bool:
    """Return whether two addresses share a name, a number, or most words of their slugs."""
    name, own_name = _last_part(canonical), _last_part(address)
    if name and name == own_name:
        return True
    if _numbers(canonical) & _numbers(address):
        return True
    words, own_words = _words(name), _words(own_name)
    most = max(len(words), len(own_words))
    return most >= _FEWEST_WORDS and len(words & own_words) >= _SHARED_WORDS * most


def _has_name(address: str) -> bool:
    """Return whether an address has a name of several words."""
    return sum(word.isalpha() for word in _words(_last_part(address))) > 1


def _matches_headline(canonical: str, headline: Declared) -> bool:
    """Return whether most words of an address' slug are in a headline."""
    words = {word for word in _words(_last_part(canonical)) if not word.isdecimal()}
    return len(words) > 1 and len(words & _words(headline.value)) >= _SHARED_WORDS * len(words)


def _last_part(address: str) -> str:
    """Return the last part of a path, without its ending."""
    _, _, path = address.partition("?")[0].partition("/")
    return _ENDING.sub("", unquote(path.rpartition("/")[2]))


def _numbers(address: str) -> set[str]:
    _, _, path = address.partition("/")
    found = _NUMBER.findall(path)
    return {number for number in found if not _DATE.fullmatch(number)}


def _words(text: str) -> set[str]:
    plain = unicodedata.normalize("NFKD", text.casefold().replace("_", " "))
    return set(_WORD.findall("".join(c for c in plain if not unicodedata.combining(c))))

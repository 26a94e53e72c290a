"""Decides whether a page is the article that was requested.

Takes a ``ParsedPage`` and its publisher; returns a ``Refusal`` that gives the reason, or None.

A page that declares itself to be an article, with its date, is refused only if it has no text, or
if the little text that it has denies something. Any other page needs a text with a sentence, and
also states when it was published, lists related items, or has a headline and either a long text or
several sentences. It is refused if its address, its declared type or its layout is that of a list
of articles, if it asks for a password or denies something (not found, log in, maintenance) and has
little text, and if it declares the URL of another article.
"""

import re
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import urlsplit

from crawler.extraction.denials import denial, paywall, question
from crawler.extraction.page import ParsedPage
from crawler.extraction.page.text import ends_sentence, has_sentence, key, visible_length
from crawler.extraction.publishers import Publisher
from crawler.items import Reason

# Addresses of lists: a word for lists with at most a short name after it, a page's number, or a
# year and month. Addresses of articles have longer names.
_LIST_PATH = re.compile(
    r"/(?:tags?|categor(?:y|ies|ia|ias|ie)|kategorien?|rubri(?:k|ken|que|ques|ca|cas|ek)|"
    r"authors?|autor(?:en|es)?"
    r"|auteurs?|author-profile|topics?|themen?|temas?|thema|sections?|archives?|archiv|"
    r"keywords?|schlagwort(?:e)?"
    r"|sujets?|label|hashtag|contributors?|redakteure?)"
    r"(?:/[^/-]{1,40}(?:-[^/-]{1,40}){0,2}){0,2}/?$"
    r"|/page/\d{1,5}/?$|^/(?:\d{4})(?:/\d{1,2}){0,2}/?$",
    re.IGNORECASE,
)
_SEARCH_PATH = re.compile(
    r"/(?:search|suche|recherche|buscar|busca|buscador|cerca|ricerca|zoek(?:en)?|sok|haku|"
    r"szukaj|hledani|arama)"
    r"(?:/|\.\w{2,5}$|$)",
    re.IGNORECASE,
)
_SEARCH_QUERY = re.compile(
    r"(?:^|&)(?:s|q|query|search|keywords?|suche|text|k)=[^&]", re.IGNORECASE
)
_LOGIN_PATH = re.compile(
    r"/(?:(?:log|sign)[-_]?(?:in|up|on)|register|registration|anmelden|registrieren|connexion|"
    r"inscription|account"
    r"|accounts|wp-login|user/(?:login|register)|subscribe|auth)(?:/|\.\w{2,5}$|$)",
    re.IGNORECASE,
)
# Characters of body, as ``visible_length`` counts them; a page that denies something and has more
# text is an article about it.
_LONGEST_DENIAL = 800
# A page that declares itself to be an article, or that has a headline, is about the denial sooner.
_LONGEST_DENIAL_DECLARED = 300
# A shorter page with one sentence needs a date or related items.
_SHORTEST_UNDATED = 400
_SHORTEST_SENTENCE = 30
_FEWEST_TEASERS = 3
# Paragraphs for each teaser. An article has more, even if it stands among teasers.
_MOST_PARAGRAPHS_A_TEASER = 1.5
_LEAST_CERTAIN_LIST = 4
# Characters of the longest paragraph among alternating headlines and summaries.
_LONGEST_SUMMARY = 350
_FEWEST_ALTERNATIONS = 4
_SHORTEST_TITLE = 15
# Types of schema.org and the Open Graph protocol, in lower case.
_CERTAIN_KINDS = frozenset(
    "newsarticle analysisnewsarticle askpublicnewsarticle backgroundnewsarticle opinionnewsarticle"
    " reportagenewsarticle reviewnewsarticle blogposting liveblogposting socialmediaposting"
    " scholarlyarticle techarticle".split()
)
ARTICLE_KINDS = _CERTAIN_KINDS | frozenset("article report review videoobject news blog".split())
"""The declared types of pages that are articles, in lower case."""
_OTHER_KINDS = frozenset(
    "collectionpage itemlist searchresultspage profilepage aboutpage contactpage checkoutpage"
    " website profile person product".split()
)
# Types that articles declare too.
_GENERAL_KINDS = frozenset(("website", "person", "product", "itemlist"))
# Characters of body. A list page that declares its type may have an introduction.
_LONGEST_LIST = 1500
# Characters and sentences of an article that is served at the address of the home page.
_SHORTEST_AT_HOME = 500
# Letters. The name of a site is shorter than most headlines.
_SHORTEST_HEADLINE = 20


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a page is not an article: a published ``reason``, and a ``detail`` for people."""

    reason: Reason
    detail: str


def refuse(page: ParsedPage, publisher: Publisher | None) -> Refusal | None:
    """Return why a page is not the article with its ``id``; None if it is.

    Below, ``size`` is the length of its body, as ``visible_length`` counts it.
    """
    is_declared = _is_declared(page)
    size = sum(map(visible_length, page.body))
    return (
        _refuse_other_article(page, publisher)
        or (None if is_declared else _refuse_address(page, size))
        or (None if is_declared else _refuse_kind(page, size))
        or _refuse_denial(page, size, is_declared)
        or (None if is_declared else _refuse_list(page, size))
        or _refuse_text(page, size, is_declared)
    )


def _is_declared(page: ParsedPage) -> bool:
    """Return whether a page declares itself to be an article in a way that lists hardly do.

    Lists and other pages declare ``og:type`` article too, but no date with it.
    """
    return page.headline is not None and bool(
        page.kinds & _CERTAIN_KINDS or (page.kinds & ARTICLE_KINDS and _has_declared_date(page))
    )


def _has_declared_date(page: ParsedPage) -> bool:
    return page.dated is not None and page.dated.where.startswith(("JSON-LD", "meta "))


def _refuse_other_article(page: ParsedPage, publisher: Publisher | None) -> Refusal | None:
    if publisher is None or page.canonical is None or page.id is None:
        return None
    is_own = publisher.own_id(page.id) is not None
    declared = publisher.id_of(page.canonical.value) if is_own else None
    if not declared or declared == page.id:
        return None
    return Refusal(
        "other_article", f"{page.canonical.where} identifies the page as article {declared}"
    )


def _refuse_address(page: ParsedPage, size: int) -> Refusal | None:
    """Refuse a page at the address of a home page, a list or a form, unless it has an article."""
    try:
        parts = urlsplit(page.url or "")
    except ValueError:
        return None
    if not parts.netloc:
        return None
    if not parts.path.strip("/") and not parts.query:
        if page.kinds & ARTICLE_KINDS and page.teasers < _FEWEST_TEASERS:
            return None
        return (
            None
            if _has_article_at_home(page, size)
            else Refusal("not_an_article", "the address is that of a home page")
        )
    is_short = size < _LONGEST_LIST
    is_search = _SEARCH_QUERY.search(parts.query) is not None
    is_search = bool(_SEARCH_PATH.search(parts.path)) or (is_search and is_short)
    if is_search and (is_short or page.teasers >= _FEWEST_TEASERS):
        return Refusal("not_an_article", "the address is that of a search")
    if _LOGIN_PATH.search(parts.path) and is_short:
        return Refusal("not_an_article", "the address is that of a form")
    if _LIST_PATH.search(parts.path) and (is_short or page.teasers >= _FEWEST_TEASERS):
        return Refusal("not_an_article", "the address is that of a list")
    return None


def _has_article_at_home(page: ParsedPage, size: int) -> bool:
    """Return whether a page at a home page's address is titled like the text in it."""
    headline = key(page.headline.value) if page.headline else ""
    return (
        len(headline) > _SHORTEST_HEADLINE
        and headline in key(page.title or "")
        and page.teasers < _FEWEST_TEASERS
        and size >= _SHORTEST_AT_HOME
    )


def _refuse_kind(page: ParsedPage, size: int) -> Refusal | None:
    """Refuse a page that declares itself to be a list or a profile, and looks like one."""
    if page.kinds & ARTICLE_KINDS or _has_declared_date(page):
        return None
    declared = page.kinds & _OTHER_KINDS
    is_list = _looks_like_list(page, size, _FEWEST_TEASERS)
    if not is_list and size < _LONGEST_LIST:
        # Many articles are declared as a website too.
        is_list = bool(declared - _GENERAL_KINDS)
    if not declared or not is_list:
        return None
    return Refusal("not_an_article", f"the page declares its type as {min(declared)}")


def _looks_like_list(page: ParsedPage, size: int, fewest: int) -> bool:
    """Return whether a page has hardly more paragraphs than links that introduce them."""
    return page.teasers >= fewest and (
        len(page.body) <= _MOST_PARAGRAPHS_A_TEASER * page.teasers or size < _LONGEST_DENIAL
    )


def _refuse_denial(page: ParsedPage, size: int, is_declared: bool) -> Refusal | None:
    if size >= (_LONGEST_DENIAL_DECLARED if is_declared else _LONGEST_DENIAL):
        return None
    headline = page.headline.value if page.headline else ""
    texts = [headline, page.title or "", page.body[0] if page.body else ""]
    if page.asks_password and not is_declared and not _has_box_beside(page):
        return Refusal("not_an_article", "the page asks for a password")
    # The headline and the title of a declared article are its own words.
    for text in texts[2:] if is_declared else texts:
        if said := denial(text):
            return _says(said)
    for text in () if is_declared else texts[:2]:
        if said := question(text):
            return _says(said)
    if size < _LONGEST_DENIAL_DECLARED and (said := paywall(texts[2])):
        return _says(said)
    return None


def _says(words: str) -> Refusal:
    return Refusal("not_an_article", f"the page says {words!r}")


def _has_box_beside(page: ParsedPage) -> bool:
    """Return whether a page has an article beside its login box: a dated text of sentences."""
    return page.dated is not None and len(_sentences(page)) > 1


def _refuse_list(page: ParsedPage, size: int) -> Refusal | None:
    fewest = _FEWEST_TEASERS if size < _LONGEST_DENIAL else _LEAST_CERTAIN_LIST
    if _looks_like_list(page, size, fewest):
        return Refusal("not_an_article", f"the page is a list of {page.teasers} articles")
    if not page.kinds & ARTICLE_KINDS and not _has_declared_date(page) and _alternates(page.body):
        return Refusal("not_an_article", "the page's text alternates between titles and summaries")
    return None


def _alternates(body: tuple[str, ...]) -> bool:
    """Return whether nearly all paragraphs are a title and one short text below it."""
    if len(body) < 2 * _FEWEST_ALTERNATIONS or max(map(len, body)) > _LONGEST_SUMMARY:
        return False
    # A ticker has clock times between its entries.
    is_title = [
        visible_length(text) >= _SHORTEST_TITLE and not ends_sentence(text) for text in body
    ]
    pairs = sum(title and not below for title, below in pairwise(is_title))
    return pairs >= _FEWEST_ALTERNATIONS and pairs * 2 >= len(body) - 2


def _refuse_text(page: ParsedPage, size: int, is_declared: bool) -> Refusal | None:
    if not page.body:
        return Refusal("not_an_article", "the page has no article text")
    if page.is_text and page.headline is None:
        return Refusal("not_an_article", "the first line of the text is no headline")
    if is_declared:
        return None
    sentences = _sentences(page)
    if not sentences:
        return Refusal("not_an_article", "the page's text contains no complete sentence")
    if page.dated is not None or (page.related and page.related.items):
        return None
    if page.headline is None:
        return Refusal("not_an_article", "the page has no headline, no date and no related items")
    if page.kinds & ARTICLE_KINDS:
        return None
    if size < _SHORTEST_UNDATED and len(sentences) < 2:
        return Refusal("not_an_article", "the page has little text, no date and no related items")
    return None


def _sentences(page: ParsedPage) -> list[str]:
    """Return the paragraphs that have a complete sentence."""
    return [
        text
        for text in page.body
        if visible_length(text) >= _SHORTEST_SENTENCE and has_sentence(text)
    ]

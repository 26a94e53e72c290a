"""Pages that are refused because they are not articles, or not the requested ones."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from other_pages import ORIGIN, articles, denials, lists
from parsed_pages import BARE, SITE

from crawler.extraction import publishers as sites
from crawler.extraction.page import Dated, Declared, Listed, ParsedPage, Related, parse
from crawler.extraction.page.dates import Moment
from crawler.extraction.page.text import ends_sentence, has_sentence
from crawler.extraction.refusal import Refusal, refuse


def refusal(page: ParsedPage, article_id: str, publisher: sites.Publisher) -> Refusal | None:
    return refuse(replace(page, id=article_id), publisher)


def sentence(size: int) -> str:
    return "x" * (size - 1) + "."


LONG = sentence(800)
NEARLY_LONG = sentence(799)
DATED = Dated("2015", Moment(date(2015, 1, 1), None, None, 0, 4), "date line")
DECLARED_DATE = Dated("2015", DATED.moment, "meta article:published_time")
NEWS = {"kinds": frozenset(("newsarticle",))}
HEADLINE = Declared("Olives Ripen", "h1")
ANY_LIST = Related((Listed("1", "x"),), True, "a list")
NO_SENTENCE = "the page's text contains no complete sentence"
LITTLE_TEXT = "the page has little text, no date and no related items"
NO_CONTENT = "the page has no headline, no date and no related items"
PAGES: dict[str, tuple[dict[str, Any], str | None]] = {
    "password": ({"asks_password": True, "body": (NEARLY_LONG,)}, "the page asks for a password"),
    "password, two sentences": ({"asks_password": True, "body": (sentence(40),) * 2}, None),
    "password, two sentences, no date": (
        {"asks_password": True, "body": (sentence(40),) * 2, "dated": None},
        "the page asks for a password",
    ),
    "password, declared": ({"asks_password": True, "body": (sentence(40),), **NEWS}, None),
    "password, long": ({"asks_password": True, "body": (LONG,)}, None),
    "password, long in sum": ({"asks_password": True, "body": (sentence(400),) * 2}, None),
    "denial in the headline": (
        {"headline": Declared("Article Not Found", "h1")},
        "the page says 'Not Found'",
    ),
    "denial in the title": ({"title": "Access denied"}, "the page says 'Access denied'"),
    "denial in the first paragraph": (
        {"body": ("This story has been removed.", NEARLY_LONG[28:])},
        "the page says 'has been removed'",
    ),
    "denial in the second paragraph": (
        {"body": (sentence(40), "This story has been removed.")},
        None,
    ),
    "denial of a long page": ({"title": "Access denied", "body": (LONG,)}, None),
    "denial within 200 characters": (
        {"title": "x" * 190 + " forbidden"},
        "the page says 'forbidden'",
    ),
    "denial behind 200 characters": ({"title": "x" * 191 + " forbidden"}, None),
    "denial in the title after a harmless headline": (
        {"headline": HEADLINE, "title": "500 - Internal"},
        "the page says '500'",
    ),
    "number that denies nothing": ({"title": "404 Olive Trees"}, None),
    "teasers": ({"teasers": 3, "body": (NEARLY_LONG,)}, "the page is a list of 3 articles"),
    "teasers, declared": ({"teasers": 3, "body": (sentence(40),), **NEWS}, None),
    "teasers, declared with a date": (
        {"teasers": 3, "kinds": frozenset(("article",)), "dated": DECLARED_DATE},
        None,
    ),
    "teasers, declared without a date": (
        {"teasers": 3, "kinds": frozenset(("article",)), "body": (sentence(40),)},
        "the page is a list of 3 articles",
    ),
    "four teasers, six long paragraphs": (
        {"teasers": 4, "body": (LONG,) * 6},
        "the page is a list of 4 articles",
    ),
    "four teasers, seven long paragraphs": ({"teasers": 4, "body": (LONG,) * 7}, None),
    "denial, declared": ({"title": "Access denied", **NEWS}, None),
    "denial in a declared text": (
        {"body": ("This story has been removed.",), **NEWS},
        "the page says 'has been removed'",
    ),
    "denial in a declared text of some length": (
        {"body": ("This story has been removed.", sentence(272)), **NEWS},
        None,
    ),
    "titles and summaries": (
        {"body": ("x" * 15, sentence(350)) * 4},
        "the page's text alternates between titles and summaries",
    ),
    "titles and a long summary": ({"body": ("x" * 15, sentence(351)) * 4}, None),
    "clock times and entries": ({"body": ("x" * 14, sentence(350)) * 4}, None),
    "titles and few summaries": ({"body": ("x" * 15, sentence(350)) * 3}, None),
    "no sentence, declared": ({"body": ("x" * 50,), **NEWS}, None),
    "no body, declared": ({"body": (), **NEWS}, "the page has no article text"),
    "no date, declared": (
        {"dated": None, "body": (sentence(40),), "kinds": frozenset(("article",))},
        None,
    ),
    "two teasers": ({"teasers": 2}, None),
    "teasers, long": ({"teasers": 3, "body": (LONG,)}, None),
    "no body": ({"body": ()}, "the page has no article text"),
    "short sentence": ({"body": (sentence(29),)}, NO_SENTENCE),
    "shortest sentence": ({"body": (sentence(30),)}, None),
    "no sentence": ({"body": ("x" * 500,)}, NO_SENTENCE),
    "a sentence within": ({"body": ("x" * 50 + "aa. b" + "x" * 50,)}, None),
    "a Chinese sentence": ({"body": ("港" * 12 + "。",)}, None),
    "a short Chinese sentence": ({"body": ("港" * 11 + "。",)}, NO_SENTENCE),
    "Thai": ({"body": ("ก" * 80,)}, None),
    "short Thai": ({"body": ("ก" * 79,)}, NO_SENTENCE),
    "no date, little text": ({"dated": None, "body": (sentence(399),)}, LITTLE_TEXT),
    "no date, two sentences": ({"dated": None, "body": (sentence(30),) * 2}, None),
    "no date, enough text": ({"dated": None, "body": (sentence(400),)}, None),
    "no date, a list": ({"dated": None, "related": ANY_LIST, "headline": None}, None),
    "no date, an empty list": (
        {"dated": None, "related": Related((), True, "a list")},
        LITTLE_TEXT,
    ),
    "no headline, no date": ({"dated": None, "headline": None, "body": (LONG,) * 2}, NO_CONTENT),
    "no headline": ({"headline": None}, None),
    "ambiguous date": ({"dated": Dated("3/4", None, "date line")}, None),
}


@pytest.mark.parametrize("name", PAGES)
def test_refusal(name: str) -> None:
    changes, detail = PAGES[name]
    page = replace(
        BARE, **{"headline": HEADLINE, "dated": DATED, "body": (sentence(40),), **changes}
    )
    expected = Refusal("not_an_article", detail) if detail else None
    assert refusal(page, "17", SITE) == expected


OTHER_ARTICLE = Refusal("other_article", "meta og:url identifies the page as article 18")
ADDRESSES = [
    ("http://en.alalam.ir/news/18", "17", OTHER_ARTICLE),
    ("http://en.alalam.ir/news/18", "18", None),
    ("/news/18", "17", OTHER_ARTICLE),
    ("http://en.alalam.ir/", "17", None),
    ("http://elsewhere.example/news/18", "17", None),
    ("http://en.alalam.ir/news/18", "some page", None),
]


@pytest.mark.parametrize(("canonical_url", "article_id", "expected"), ADDRESSES)
def test_a_page_that_says_which_article_it_is(
    canonical_url: str, article_id: str, expected: Refusal | None
) -> None:
    canonical = Declared(canonical_url, "meta og:url")
    page = replace(BARE, headline=HEADLINE, dated=DATED, body=(LONG,), canonical=canonical)
    assert refusal(page, article_id, SITE) == expected


HOMES = [
    ({"teasers": 0}, "Olives Ripen in Spring and Autumn", True),
    ({"teasers": 3}, "Olives Ripen in Spring and Autumn", False),
    ({"body": (sentence(499),)}, "Olives Ripen in Spring and Autumn", False),
    ({"title": "The Sarn Courier"}, "Olives Ripen in Spring and Autumn", False),
    ({}, "The Sarn Courier", False),
    ({"kinds": frozenset(("article",))}, "The Sarn Courier", True),
    ({"kinds": frozenset(("article",)), "teasers": 3}, "The Sarn Courier", False),
]


@pytest.mark.parametrize(("changes", "headline", "is_article"), HOMES)
def test_an_article_at_the_address_of_a_home_page(
    changes: dict[str, Any], headline: str, is_article: bool
) -> None:
    page = replace(
        BARE,
        url="https://courier.example/",
        **{"headline": Declared(headline, "h1"), "title": headline, "body": (LONG,), **changes},
    )
    assert (refuse(page, None) is None) is is_article


ADDRESSES_OF_LISTS = (
    "/tag/harbour", "/tags/night-trains/", "/category/politics", "/kategorie/kultur",
    "/rubrique/monde", "/author/mara-irvane", "/autoren/mara-irvane/", "/topics/ferry",
    "/politics/page/3", "/2019/03/", "/2019/", "/search", "/search/?q=harbour", "/?s=harbour",
    "/suche?query=hafen", "/login", "/user/register", "/wp-login.php",
)  # fmt: skip
ADDRESSES_OF_ARTICLES = (
    "/category/politics/council-votes-against-a-second-bridge", "/?p=123", "/news.php?id=7",
    "/ideas/archive/2020/08/ferry-to-sarn-sails-again", "/2019/03/12/cranes-stop", "/a?page=2",
    "/topics-of-the-day-in-sarn", "/research/search-for-salt", "//", "/news/login-at-the-library",
)  # fmt: skip


@pytest.mark.parametrize("path", ADDRESSES_OF_LISTS + ADDRESSES_OF_ARTICLES)
def test_the_address_of_a_list_or_a_form(path: str) -> None:
    page = replace(
        BARE, url=f"https://courier.example{path}", headline=HEADLINE, dated=DATED, body=(LONG,)
    )
    assert (refuse(page, None) is not None) is (path in ADDRESSES_OF_LISTS or path == "//")
    assert refuse(replace(page, kinds=frozenset(("newsarticle",))), None) is None
    assert refuse(replace(page, url="https://[/"), None) is None


@pytest.mark.parametrize("name", [name for name, _, _ in lists()])
def test_lists_of_articles_are_refused(name: str) -> None:
    url, page = next((url, page) for other, url, page in lists() if other == name)
    refused = refuse(parse(page.encode(), url=url), None)
    assert refused is not None


def test_lists_of_articles_are_refused_without_their_address() -> None:
    url = f"{ORIGIN}/x/1234.html"
    passed = [
        name for name, _, page in lists() if refuse(parse(page.encode(), url=url), None) is None
    ]
    assert len(passed) <= 0.03 * len(list(lists()))


def test_pages_that_deny_or_ask_for_something_are_refused() -> None:
    passed = {
        name for name, url, page in denials() if refuse(parse(page.encode(), url=url), None) is None
    }
    assert passed == set()


@pytest.mark.parametrize("name", [name for name, _, _ in articles()])
def test_articles_that_look_like_other_pages_are_not_refused(name: str) -> None:
    url, page = next((url, page) for other, url, page in articles() if other == name)
    assert refuse(parse(page.encode(), url=url), None) is None


@pytest.mark.parametrize("end", [*".!?…:;。؟۔।॥։።။។༎།！？．｡」』", "。」", "！』", ".”", "।\u200d"])
def test_ends_of_sentences(end: str) -> None:
    assert ends_sentence("x" + end)
    assert has_sentence("x" + end)
    assert not ends_sentence(end + "x")

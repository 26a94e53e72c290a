"""Pages that are refused because they are not articles, or not the requested ones."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from parsed_pages import BARE, SITE

from crawler.extraction import publishers as sites
from crawler.extraction.page import Dated, Declared, Listed, ParsedPage, Related
from crawler.extraction.page.dates import Moment
from crawler.extraction.refusal import Refusal, refuse


def refusal(page: ParsedPage, article_id: str, publisher: sites.Publisher) -> Refusal | None:
    return refuse(replace(page, id=article_id), publisher)


def sentence(size: int) -> str:
    return "x" * (size - 1) + "."


LONG = sentence(800)
NEARLY_LONG = sentence(799)
DATED = Dated("2015", Moment(date(2015, 1, 1), None, None, 0, 4), "date line")
HEADLINE = Declared("Olives Ripen", "h1")
ANY_LIST = Related((Listed("1", "x"),), True, "a list")
NO_SENTENCE = "the page's text contains no complete sentence"
LITTLE_TEXT = "the page has little text, no date and no related items"
NO_CONTENT = "the page has no headline, no date and no related items"
PAGES: dict[str, tuple[dict[str, Any], str | None]] = {
    "password": ({"asks_password": True, "body": (NEARLY_LONG,)}, "the page asks for a password"),
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
    "two teasers": ({"teasers": 2}, None),
    "teasers, long": ({"teasers": 3, "body": (LONG,)}, None),
    "no body": ({"body": ()}, "the page has no article text"),
    "short sentence": ({"body": (sentence(29),)}, NO_SENTENCE),
    "shortest sentence": ({"body": (sentence(30),)}, None),
    "no sentence": ({"body": ("x" * 500,)}, NO_SENTENCE),
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

"""Test that redirects in archives lead where Scrapy would follow them."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy import Request, Spider
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.http import Response
from scrapy.utils.test import get_crawler

from crawler.crawl.answers import redirect_target

URL = "https://en.publisher.example/2026/05/a-story?page=2#text"
URLS = (URL, "http://publisher.example/story")
LOCATIONS = (
    "",
    "/other",
    "other.html",
    "?page=3",
    "#end",
    "//m.publisher.example/story",
    "///m.publisher.example/story",
    "http://publisher.example/über uns",
    "http://publisher.example/a b?q=ü#x",
    "javascript:void(0)",
    "mailto:someone@publisher.example",
    "http://[x",
    "https://user:word@publisher.example/",
    "HTTP://Publisher.Example/Story",
    "../../..",
    "http://publisher.example:80/",
    "http:story",
)


def followed(url: str, status: int, location: str | None) -> str | None:
    """Return where Scrapy's own middleware leads. Raises ValueError as it does."""
    middleware = RedirectMiddleware.from_crawler(CRAWLER)
    middleware._referer_spider_middleware = SimpleNamespace(  # type: ignore[assignment]
        get_processed_request=lambda request, response: request
    )
    request = Request(url)
    headers = {} if location is None else {"Location": location.encode()}
    result = middleware.process_response(request, Response(url, status, headers))
    return result.url if isinstance(result, Request) else None


CRAWLER = get_crawler(Spider)


def outcome(function: object, *arguments: object) -> object:
    try:
        return function(*arguments)  # type: ignore[operator]
    except ValueError:
        return ValueError


@pytest.mark.parametrize("location", LOCATIONS)
@pytest.mark.parametrize("status", [200, 300, 301, 302, 303, 304, 307, 308, 404])
@pytest.mark.parametrize("url", URLS)
def test_known_locations(url: str, status: int, location: str) -> None:
    expected = outcome(followed, url, status, location)
    assert outcome(redirect_target, url, status, location.encode()) == expected


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=40),
    st.sampled_from(URLS),
)
def test_any_location(location: str, url: str) -> None:
    expected = outcome(followed, url, 302, location)
    assert outcome(redirect_target, url, 302, location.encode()) == expected


def test_no_location() -> None:
    assert redirect_target(URL, 301, None) is None

"""Addresses of articles: their normalised form, their publishers, and canonical URLs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler import extract
from crawler.extraction.addresses import article_address, domain_of

# Each group of URLs has one normalised address.
SAME = {
    "publisher.example/2026/05/01/some-story": (
        "https://publisher.example/2026/05/01/some-story",
        "http://publisher.example/2026/05/01/some-story/",
        "https://www.publisher.example/2026/05/01/some-story",
        "https://WWW.Publisher.Example:443/2026/05/01/some-story#comments",
        "https://m.publisher.example/2026/05/01/some-story",
        "https://mobile.publisher.example/2026/05/01/some-story",
        "https://amp.publisher.example/2026/05/01/some-story",
        "http://publisher.example:8080/2026/05/01/some-story",
        "https://publisher.example/2026/05/01/some-story/index.html",
        "https://publisher.example/2026/05/01/some-story/index.php",
        "https://publisher.example/2026/05/01/some-story/amp/",
        "https://publisher.example/amp/2026/05/01/some-story",
        "https://publisher.example/2026/05/01/some-story/print",
        "https://publisher.example/2026/05/01/some-story.amp",
        "https://publisher.example/2026/05/01/some-story?amp=1",
        "https://publisher.example/2026/05/01/some-story?outputType=amp",
        "https://publisher.example/2026/05/01/some-story?print=true",
        "https://publisher.example/2026/05/01/some-story?utm_source=a&utm_medium=b",
        "https://publisher.example/2026/05/01/some-story?fbclid=IwAR1&gclid=x&mc_cid=1&mc_eid=2",
        "https://publisher.example/2026/05/01/some-story?at_medium=RSS&xtor=AL-1&ref=home",
        "https://publisher.example/2026/05/01/some%2Dstory",
        "https://publisher.example/2026/05/01/%73ome-story",
        "https://publisher.example/2026/05/./01/some-story",
        "https://publisher.example/2026/05/01/some-story;jsessionid=FD52.1_cid382",
        " https://publisher.example/2026/05/01/some-story\n",
        "publisher.example/2026/05/01/some-story",
    ),
    "publisher.example/story.php?id=17": (
        "https://publisher.example/story.php?id=17",
        "https://publisher.example/story.php?utm_source=x&id=17",
        "https://publisher.example/story.php?id=17&page=1",
    ),
    "publisher.example/story.php?a=2&id=17": (
        "https://publisher.example/story.php?id=17&a=2",
        "https://publisher.example/story.php?a=2&id=17",
    ),
    "publisher.example?p=17": ("http://publisher.example/?p=17", "http://publisher.example?p=17"),
    "publisher.example": ("https://www.publisher.example/", "https://publisher.example/index.html"),
    "publisher.example/story.html": ("https://publisher.example/story.amp.html",),
    "publisher.example/%D8%AE%D8%A8%D8%B1": (
        "https://publisher.example/%d8%ae%d8%a8%d8%b1",
        "https://publisher.example/خبر",
    ),
    "xn--bcher-kva.example/a": ("https://bücher.example/a", "http://xn--bcher-kva.example/a/"),
    "publisher.example/Some-Story": ("https://publisher.example/Some-Story",),
    "sport.publisher.example/a": ("https://www.sport.publisher.example/a",),
    "m.example/a": ("https://m.example/a",),
    "127.0.0.1:8000/a": ("http://127.0.0.1:8000/a/", "http://127.0.0.1:8000/a?utm_source=x"),
    "127.0.0.1/a": ("http://127.0.0.1:80/a",),
    "[::1]:8000/a": ("http://[::1]:8000/a",),
    "localhost:8000/a": ("http://localhost:8000/a",),
}
# Parameters that identify articles at some publishers.
IDENTIFYING = (
    "id",
    "p",
    "sid",
    "cid",
    "eid",
    "articleId",
    "news",
    "page=2&id",
    "m=17&id",
    "source",
)
NO_ADDRESS = ("", "mailto:a@b.example", "javascript:void(0)", "ftp://a.example/", "/a", "http://")
DOMAINS = {
    "https://www.publisher.example/a": "publisher.example",
    "https://news.bbc.co.uk/a": "bbc.co.uk",
    "https://thecity.blogspot.com/a": "thecity.blogspot.com",
    "https://someone.github.io/a": "someone.github.io",
    "https://bücher.example/a": "xn--bcher-kva.example",
    "http://127.0.0.1:8000/a": "127.0.0.1:8000",
    "http://127.0.0.1/a": "127.0.0.1",
    "http://[::1]:81/a": "[::1]:81",
    "http://localhost:8000/a": "localhost:8000",
    "ftp://publisher.example/a": None,
    "publisher.example/a": None,
    "": None,
}


@pytest.mark.parametrize(("address", "url"), [(a, url) for a, urls in SAME.items() for url in urls])
def test_variants_of_one_address(address: str, url: str) -> None:
    assert article_address(url) == address


@pytest.mark.parametrize("name", IDENTIFYING)
def test_parameters_that_may_identify_an_article(name: str) -> None:
    addresses = {
        article_address(f"https://publisher.example/story.php?{name}={value}") for value in "12"
    }
    assert len(addresses) == 2


@pytest.mark.parametrize("url", NO_ADDRESS)
def test_no_address_of_a_web_page(url: str) -> None:
    assert article_address(url) is None


@given(st.text() | st.from_regex(r"https?://[a-z.:0-9]{1,20}/[ -~]{0,40}", fullmatch=True))
def test_normalising_twice_changes_nothing(text: str) -> None:
    address = article_address(text)
    if address is not None:
        assert article_address(address) == address
        assert article_address(f"https://{address}") == address


@pytest.mark.parametrize("url", DOMAINS)
def test_the_registrable_domain(url: str) -> None:
    assert domain_of(url) == DOMAINS[url]


URL = "https://www.publisher.example/2026/05/01/bridge-opened-to-traffic-again"
SHORT_URL = "https://www.publisher.example/?p=1234"
# The URL of a page and the canonical URL that it declares: the id, and the doubt, if any.
CANONICALS: dict[str, tuple[str, str, str | None, str | None]] = {
    "its own": (URL, f"{URL}/?utm_source=x", None, None),
    "the same slug": (
        URL,
        "/news/bridge-opened-to-traffic-again",
        "publisher.example/news/bridge-opened-to-traffic-again",
        None,
    ),
    "the new headline": (
        URL,
        "/2026/05/01/bridge-reopens-after-two-years",
        "publisher.example/2026/05/01/bridge-reopens-after-two-years",
        None,
    ),
    "of a short address": (
        SHORT_URL,
        "/2026/05/01/some-other-name-of-it-1",
        "publisher.example/2026/05/01/some-other-name-of-it-1",
        None,
    ),
    "the same number": (
        "https://publisher.example/a-1234567.html",
        "/b-of-c/1234567",
        "publisher.example/b-of-c/1234567",
        None,
    ),
    "home page": (URL, "https://publisher.example/", None, "the home page"),
    "section": (URL, "/tag/bridges", None, "a page that is no article"),
    "another publisher": (
        URL,
        "https://agency.example/2026/bridge-opened-to-traffic-again",
        None,
        "another publisher's page",
    ),
    "another article": (
        URL,
        "/2026/05/01/council-sells-the-harbour-to-investors",
        None,
        "resembles neither",
    ),
    "no URL": (URL, "http://[x", None, "no web page"),
}
PAGE = """<html lang="en"><head><link rel="canonical" href="{}"></head><body>
<h1>Bridge reopens after two years</h1><p>1 May 2026 17:01</p>
<p>The bridge over the river was opened to traffic on Friday morning, the council said.</p>
<p>It had been closed for two years, the governor of the city said.</p></body></html>"""


@pytest.mark.parametrize("case", CANONICALS)
def test_canonical_urls_are_not_believed_blindly(case: str) -> None:
    url, canonical, expected, doubt = CANONICALS[case]
    record = extract(PAGE.format(canonical).encode(), url=url)
    address = article_address(url)
    assert record.id == (expected or address)
    assert record.url == url
    assert record.site == "publisher.example"
    assert record.aliases == (() if record.id == address else (address,))
    assumed = record.provenance["id"].assumed
    assert (doubt in assumed) if doubt else assumed is None


def test_local_time_without_a_known_zone() -> None:
    record = extract(PAGE.format(URL).encode(), url=URL)
    assert record.published_at == "2026-05-01T17:01:00"
    assert record.provenance["published_at"].assumed == "no zone stated"

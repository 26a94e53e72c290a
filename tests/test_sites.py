"""Each publisher file: the URLs of its articles, and the pages that are its own."""

from dataclasses import replace

import pytest

from crawler.errors import CrawlerError
from crawler.extraction import publishers as sites
from crawler.extraction.directory import Choice, Publishers

SITE = sites.load("alalam")
IDS = {
    "http://en.alalam.ir/news/1752033": "1752033",
    "https://en.alalam.ir/news/1752033": "1752033",
    "http://www.en.alalam.ir/news/17": "17",
    "http://en.alalamtv.net/news/17": "17",
    "http://www.en.alalamtv.net/news/17": "17",
    "http://EN.Alalam.IR:8080/news/17": "17",
    "  /news/17 ": "17",
    "\n/news/17": "17",
    "../news/17/a-headline.html?x=1#top": "17",
    "/news/" + "9" * 18: "9" * 18,
    "/news/" + "9" * 19: None,
    "/news/x17": None,
    "/?/news/17": None,
    "/#/news/17": None,
    "/photo/17": None,
    "http://alalam.ir/news/17": None,
    "http://elsewhere.example/news/17": None,
    "//elsewhere.example/news/17": None,
    "ftp://en.alalam.ir/news/17": None,
    "javascript:/news/17": None,
    "http://[en.alalam.ir/news/17": None,
    "": None,
}
MIRROR = SITE.at("http://Mirror.example:8080/web/")
PORTS = {
    "http://a.example/x": ("a.example", 80),
    "https://A.Example/x": ("a.example", 443),
    "http://a.example:8080": ("a.example", 8080),
    "https://[::1]:81/": ("::1", 81),
    "/x": ("", 80),
}


@pytest.mark.parametrize("url", IDS)
def test_id_in_a_url(url: str) -> None:
    assert SITE.id_of(url) == IDS[url]


def test_relative_urls_start_from_the_base_that_is_given() -> None:
    assert SITE.id_of("17", "http://en.alalam.ir/news/1") == "17"
    assert SITE.id_of("/news/17", "http://elsewhere.example/") is None
    assert SITE.id_of("http://en.alalam.ir/news/17", "http://elsewhere.example/") == "17"


def test_mirror() -> None:
    """A mirror serves the articles of the publisher's own hosts."""
    assert MIRROR.url_of("17") == "http://Mirror.example:8080/web/news/17"
    assert MIRROR.id_of("http://mirror.example/web/news/17") == "17"
    assert MIRROR.id_of("http://en.alalam.ir/news/17") == "17"
    own = "http://en.alalam.ir/news/17/slug?x=1"
    assert MIRROR.url_to_request(own) == "http://Mirror.example:8080/web/news/17/slug?x=1"
    assert MIRROR.url_to_request("http://elsewhere.example/a") == "http://elsewhere.example/a"
    restored = replace(MIRROR, mirror=None)
    assert {name: getattr(restored, name) for name in SITE.__slots__} == {
        name: getattr(SITE, name) for name in SITE.__slots__
    }


def test_mirror_of_a_publisher_without_a_file() -> None:
    choice = Choice(home_url="https://www.news.example/a", base_url="http://127.0.0.1:8000/copy")
    publishers = Publishers(choice)
    for url in ("http://127.0.0.1:8000/copy/a", "https://www.news.example/a"):
        assert publishers.id_of(url) == "news.example/a"
        assert publishers.home.url_to_request(url) == "http://127.0.0.1:8000/copy/a"


def test_publishers_of_one_crawl() -> None:
    """The ids of the home publisher stand for themselves; those of others have a prefix."""
    publishers = Publishers(Choice(home_url="https://www.news.example/a"))
    assert publishers.home.name == "news.example"
    assert publishers.id_of("http://en.alalam.ir/news/017/slug") == "alalam:17"
    assert publishers.id_of("http://fa.alalam.ir/news/17") == "fa.alalam.ir/news/17"
    assert publishers.id_of("ftp://news.example/a") is None
    assert Publishers().id_of("http://en.alalam.ir/news/017/slug") == "17"


IDS_IN_TEXT = {
    "17": "17",
    "0017": "17",
    "http://en.alalam.ir/news/17": "17",
    "http://en.alalam.ir/photo/17": "en.alalam.ir/photo/17",
    "https://news.example/a/?utm_source=x": "news.example/a",
    "news.example/a": "news.example/a",
    "page": "page",
}


@pytest.mark.parametrize("text", IDS_IN_TEXT)
def test_ids_in_text_that_people_give(text: str) -> None:
    assert Publishers().id_in(text) == IDS_IN_TEXT[text]


def test_names() -> None:
    assert sites.names() == ["alalam"]
    assert [sites.load(name).name for name in sites.names()] == sites.names()


def test_an_unknown_name() -> None:
    with pytest.raises(CrawlerError) as raised:
        sites.load("alalan")
    assert str(raised.value) == "site: got 'alalan', takes one of alalam; did you mean 'alalam'?"


@pytest.mark.parametrize("url", PORTS)
def test_host_and_port(url: str) -> None:
    assert sites.host_and_port(url) == PORTS[url]

"""The made-up publisher and its server match their description.

Crawls of it are tested elsewhere.
"""

import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import cache
from html import unescape
from http.client import HTTPConnection
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote, urldefrag, urljoin, urlsplit
from urllib.request import ProxyHandler, build_opener

import pytest
from hosted import Answer, HostedWeb, hosted
from made_addresses import ALIASES, SPELLINGS, TRACKING_NAME
from made_publisher import (
    LEAST_ARTICLES,
    WRONG_CANONICALS,
    MadeArticle,
    MadePublisher,
    MadeWeb,
    make_web,
)

COUNT = 200
REDIRECTS = (301, 302)
RELATIVE = ("root-relative", "scheme-relative", "relative")


@cache
def made(count: int) -> MadeWeb:
    return make_web(count)


@pytest.fixture
def web() -> MadeWeb:
    return made(COUNT)


def get(web: MadeWeb, address: str) -> tuple[str, Answer]:
    """Follow redirects from an address, without a network. Return the last address and answer."""
    for _ in range(5):
        parts = urlsplit(address)
        target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        answer = web.sites[parts.netloc](parts.scheme, target)
        if answer.status not in REDIRECTS:
            return address, answer
        address = urljoin(address, answer.headers["Location"])
    raise AssertionError(f"{address} redirects too often")


def hrefs(page: bytes) -> list[str]:
    """Return the addresses in the related box of a page, as they are written."""
    box = page.decode().partition("<h2>Related articles</h2>")[2]
    return [unescape(href) for href in re.findall('<li><a href="([^"]*)"', box)]


def headline(page: bytes) -> str:
    found = re.search("<h1[^>]*>(.*?)</h1>", page.decode())
    return unescape(found[1]) if found else ""


def canonical(page: bytes) -> str:
    found = re.search('<link rel="canonical" href="([^"]*)"', page.decode())
    return unescape(found[1]) if found else ""


def by_id(web: MadeWeb) -> dict[str, MadeArticle]:
    return {key: value for made in web.publishers for key, value in made.by_id.items()}


def plain_id(address: str) -> str:
    """Return the id of an address, by the rules in the docstring of MadeArticle.id."""
    parts = urlsplit(address)
    host = re.sub(r"^(www|m|amp)\.", "", parts.netloc)
    path = re.sub(r"/(index\.html)?$", "", quote(unquote(parts.path)))
    kept = [part for part in parts.query.split("&") if part and not is_tracking(part)]
    return host + path + ("?" + "&".join(kept) if kept else "")


def is_tracking(parameter: str) -> bool:
    return TRACKING_NAME.fullmatch(parameter.partition("=")[0]) is not None


def test_the_same_web_is_made_again() -> None:
    first, second = make_web(LEAST_ARTICLES), make_web(LEAST_ARTICLES)
    for before, after in zip(first.publishers, second.publishers, strict=True):
        assert list(before.by_address) == list(after.by_address)
        for article in before.articles:
            assert get(first, article.address) == get(second, article.address)


def test_too_few_articles() -> None:
    with pytest.raises(ValueError, match="got 29 articles, takes at least 30"):
        make_web(29)


@pytest.mark.parametrize("count", [LEAST_ARTICLES, COUNT, 2000])
def test_articles_are_distinct(count: int) -> None:
    articles = made(count).publisher.articles
    assert len(articles) == count
    for values in (
        {article.id for article in articles},
        {article.address for article in articles},
        {article.number for article in articles},
        {article.headline for article in articles},
        {article.text.paragraphs for article in articles},
    ):
        assert len(values) == count
    assert min(sum(map(len, article.text.paragraphs)) for article in articles) >= 600


@pytest.mark.parametrize(("count", "max_depth"), [(LEAST_ARTICLES, 2), (COUNT, 4), (2000, 5)])
def test_every_article_can_be_reached(count: int, max_depth: int) -> None:
    web = made(count)
    assert web.publisher.max_depth == max_depth
    for publisher in web.publishers:
        assert_depths(publisher)


def assert_depths(publisher: MadePublisher) -> None:
    """Assert that each article's depth is one more than that of its nearest parent."""
    nearest_parent = {publisher.seed.id: -1}
    for article in publisher.articles:
        for link in article.links:
            if link.article_id in publisher.by_id:
                depth = min(article.depth, nearest_parent.get(link.article_id, article.depth))
                nearest_parent[link.article_id] = depth
    assert nearest_parent == {article.id: article.depth - 1 for article in publisher.articles}


@pytest.mark.parametrize("count", [LEAST_ARTICLES, COUNT, 2000])
def test_related_boxes(count: int) -> None:
    web = made(count)
    for article in web.publisher.articles:
        assert 8 <= len(article.links) <= 12
        assert len({link.address for link in article.links}) == len(article.links)
        assert article.id not in [link.article_id for link in article.links]
        assert sum(link.article_id in web.publisher.by_id for link in article.links) >= 5


@pytest.mark.parametrize("page", ["", "/", "?utm_source=x", "?print=1", "m.", "amp."])
def test_each_link_leads_to_its_article(web: MadeWeb, page: str) -> None:
    """The links are the same on all pages of an article, or lead to other pages of their target."""
    publisher, articles = web.publisher, by_id(web)
    for article in publisher.articles[:100]:
        address = (
            article.address.replace("www.", page) if page.endswith(".") else article.address + page
        )
        base, answer = get(web, address)
        found = hrefs(answer.body)
        assert len(found) == len(article.links)
        for href, link in zip(found, article.links, strict=True):
            linked = quote(urljoin(base, href), safe="%:/?&=#")
            if not page:
                assert linked == link.address
            last, target = get(web, linked)
            assert target.status == 200
            if link.article_id is None:
                assert linked in publisher.no_articles
            elif link.article_id in publisher.by_id:
                assert headline(target.body) == articles[link.article_id].headline
                assert publisher.by_address[linked].id == link.article_id
            else:
                assert linked in publisher.external
                assert last == articles[link.article_id].address


def test_each_variant_leads_to_its_article(web: MadeWeb) -> None:
    kinds = set()
    for article in web.publisher.articles:
        for address, kind in article.variants.items():
            last, answer = get(web, address)
            assert headline(answer.body) == article.headline
            assert last == article.address or canonical(answer.body) == article.canonical
            # An alias is recognised by its redirect or its canonical link.
            assert (plain_id(address) == article.id) == (kind in SPELLINGS)
            if kind in ALIASES:
                assert article.address in (last, canonical(answer.body))
            kinds.add(kind)
    # All others stand for the main address.
    assert kinds == {*SPELLINGS, *ALIASES} - {"raw letters", *RELATIVE}


def test_every_kind_of_link_is_used(web: MadeWeb) -> None:
    kinds = {
        link.kind
        for article in web.publisher.articles
        for link in article.links
        if link.article_id in web.publisher.by_id
    }
    assert kinds == {*SPELLINGS, *ALIASES}


def test_some_articles_redirect_and_others_answer(web: MadeWeb) -> None:
    for article in web.publisher.articles:
        for host in ("www.publisher.example", "publisher.example"):
            answer = web.sites[host]("http", article.path)
            if article.redirects:
                assert (answer.status, answer.headers["Location"]) == (301, article.address)
            else:
                assert (answer.status, canonical(answer.body)) == (200, article.canonical)
    assert {article.redirects for article in web.publisher.articles} == {True, False}


@pytest.mark.parametrize("count", [LEAST_ARTICLES, COUNT])
def test_wrong_canonical_links(count: int) -> None:
    web = made(count)
    publisher = web.publisher
    groups: dict[str | None, list[MadeArticle]] = {}
    for article in publisher.articles:
        assert canonical(get(web, article.address)[1].body) == article.canonical
        groups.setdefault(article.wrong_canonical, []).append(article)
    assert all(article.canonical == article.address for article in groups.pop(None))
    assert set(groups) == set(WRONG_CANONICALS)
    assert {len(group) for group in groups.values()} == {3}
    declared = {kind: {article.canonical for article in group} for kind, group in groups.items()}
    assert declared["home page"] == {"https://www.publisher.example/"}
    for address in declared["section page"]:
        assert re.fullmatch("https://www.publisher.example/[a-z]+/", address)
        assert get(web, address)[1].status == 200
    for article in groups["other publisher"]:
        assert article.canonical == article.address.replace("publisher.", "other.")
        _, copy = get(web, article.canonical)
        assert headline(copy.body) == article.headline
        assert canonical(copy.body) == article.canonical
    (missing,) = declared["shared, missing"]
    assert get(web, missing)[1].status == 404
    (existing,) = declared["shared, existing"]
    assert publisher.by_address[existing].canonical == existing


def test_the_pages_that_are_no_articles(web: MadeWeb) -> None:
    publisher = web.publisher
    for address in publisher.no_articles:
        last, answer = get(web, address)
        assert (last, answer.status) == (address, 200)
        assert b'content="article"' not in answer.body
        assert address not in publisher.by_address
    overviews = [
        address for address in publisher.no_articles if len(urlsplit(address).path.split("-")) > 4
    ]
    assert len(overviews) >= 3
    for address in overviews:
        page = get(web, address)[1].body.decode()
        assert '<meta property="og:type" content="website">' in page
        assert '"@type": "CollectionPage"' in page
        assert page.count('<div class="teaser">') == 10


@pytest.mark.parametrize("host", ["www", "m", "amp"])
def test_pages_that_nothing_links_to(web: MadeWeb, host: str) -> None:
    site = web.sites[f"{host}.publisher.example"]
    for path in ("/", "/politics/", "/tag/harbour", "/author/ada-brindle"):
        assert site("https", path).body.count(b'<div class="teaser">') > 0
    assert site("https", "/robots.txt").body == b"User-agent: *\nDisallow:\n"
    for path in ("/nothing", "/politics/nothing-of-the-kind-1234567", "/story?id=1", "/story"):
        assert site("https", path).status == 404


def test_publication_times(web: MadeWeb) -> None:
    stated = [article.published.endswith("+02:00") for article in web.publisher.articles]
    assert stated.count(True) > 4 * stated.count(False) > 0
    for article in web.publisher.articles:
        assert f'published_time" content="{article.published}"' in page_of(web, article)


def page_of(web: MadeWeb, article: MadeArticle) -> str:
    return get(web, article.address)[1].body.decode()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[HostedWeb]:
    with hosted(made(LEAST_ARTICLES).sites, tmp_path) as hosts:
        yield hosts


def test_links_through_the_proxy(running: HostedWeb) -> None:
    """Sixteen clients at once see over HTTP and HTTPS the same as in memory."""
    web = made(LEAST_ARTICLES)
    addresses = {link.address for article in web.publisher.articles for link in article.links}
    addresses.update(article.address for article in web.publisher.articles)
    opener = running.opener()

    def fetch(address: str) -> tuple[str, bytes]:
        # To a proxy, urllib would send the fragment, too.
        with opener.open(without_fragment(address), timeout=60) as response:
            return response.url, response.read()

    with ThreadPoolExecutor(16) as pool:
        fetched = dict(zip(addresses, pool.map(fetch, addresses), strict=True))
    expected_requests: Counter[str] = Counter()
    for address, (last, body) in fetched.items():
        expected, answer = get(web, address)
        assert (without_fragment(last), body) == (without_fragment(expected), answer.body)
        expected_requests.update(requests_for(web, address))
    assert running.requests == expected_requests


def requests_for(web: MadeWeb, address: str) -> list[str]:
    """Return the addresses that are requested for one address: it, and where it redirects to."""
    last, _ = get(web, address)
    return [without_fragment(url) for url in dict.fromkeys((address, last))]


def without_fragment(address: str) -> str:
    return urldefrag(address).url


def test_requests_are_counted(running: HostedWeb) -> None:
    opener = running.opener()
    seed = made(LEAST_ARTICLES).publisher.seed.address
    for address in (seed, seed, seed + "?a=1", "http://m.publisher.example"):
        opener.open(address).close()
    assert running.requests == {
        seed: 2,
        seed + "?a=1": 1,
        "http://m.publisher.example/": 1,
        "https://www.publisher.example/": 1,
    }


def test_a_server_without_the_proxy(running: HostedWeb) -> None:
    connection = HTTPConnection("127.0.0.1", running.http_port)
    with closing(connection):
        for _ in range(2):
            connection.request("GET", "/robots.txt", headers={"Host": "m.publisher.example:81"})
            assert connection.getresponse().read() == b"User-agent: *\nDisallow:\n"
    assert running.requests == {"http://m.publisher.example:81/robots.txt": 2}


def test_the_certificates_are_trusted_by_no_system(running: HostedWeb) -> None:
    proxies = ProxyHandler({"https": running.proxy})
    with pytest.raises(URLError, match="CERTIFICATE_VERIFY_FAILED"):
        build_opener(proxies).open("https://www.publisher.example/")
    assert not running.requests


def test_a_missing_page(running: HostedWeb) -> None:
    with pytest.raises(HTTPError, match="404"):
        running.opener().open("https://www.publisher.example/nothing")


def test_an_unknown_host(running: HostedWeb) -> None:
    with pytest.raises(HTTPError, match="502"):
        running.opener().open("http://unknown.example/")
    with pytest.raises(URLError, match="502 No such host"):
        running.opener().open("https://unknown.example/")

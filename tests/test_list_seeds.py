"""Crawls that start from lists of articles: front pages, feeds and sitemaps."""

import gzip
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from conftest import CACHE, IMPATIENT, SEED, Crawl, Run, WebCrawl
from hosted import Answer, HostedWeb, Site
from server import NewsServer, answer
from stories import HTML, page

HOST = "www.news.example"
ROOT = f"https://{HOST}"
XML = {"Content-Type": "application/xml"}
FEED_TYPE = {"Content-Type": "application/rss+xml; charset=utf-8"}


def path_of(number: int) -> str:
    return f"/2026/05/{number:02}/story-number-{number}-of-the-town"


def id_of(number: int) -> str:
    return f"news.example{path_of(number)}"


class Newsroom:
    """A publisher whose front page and feed list the newest of its stories."""

    def __init__(self, newest: int) -> None:
        self.newest = newest
        self.changed: set[int] = set()
        self.more: dict[str, Answer] = {}

    @property
    def numbers(self) -> range:
        return range(self.newest, 0, -1)

    def front_page(self, numbers: range | None = None) -> bytes:
        links = "".join(
            f'<a href="{path_of(n)}"><img src="x.jpg"></a>'
            f'<h3><a href="{path_of(n)}">Story number {n}</a></h3>'
            for n in numbers or self.numbers[:4]
        )
        navigation = (
            '<nav><a href="/sport">Sport</a><a href="/about-us">About us</a></nav>'
            '<a href="mailto:a@b.c">Mail</a>'
        )
        feed = '<link rel="alternate" type="application/rss+xml" href="/feed.xml">'
        ad = '<a href="https://ads.example/2026/05/01/buy-this-thing-right-now">Buy</a>'
        return f"<html><head>{feed}</head><body>{navigation}{links}{ad}</body></html>".encode()

    def feed(self) -> bytes:
        items = "".join(
            f"<item><title>Story number {n}</title><link>{ROOT}{path_of(n)}?utm_source=rss</link>"
            f"<pubDate>{format_datetime(datetime(2026, 5, n, 10, tzinfo=UTC))}</pubDate></item>"
            for n in sorted(self.numbers[:6])
        )
        channel = f"<channel><link>{ROOT}/</link>{items}</channel>"
        return f'<?xml version="1.0"?><rss version="2.0">{channel}</rss>'.encode()

    def sitemap(self) -> bytes:
        urls = "".join(f"<url><loc>{ROOT}{path_of(n)}</loc></url>" for n in self.numbers)
        about = f"<url><loc>{ROOT}/about-us</loc></url>"
        return gzip.compress(f'<?xml version="1.0"?><urlset>{about}{urls}</urlset>'.encode())

    def sitemap_with_dates(self) -> bytes:
        urls = "".join(
            f"<url><loc>{ROOT}{path_of(n)}</loc><lastmod>2026-05-{n:02}</lastmod></url>"
            for n in self.numbers
        )
        return f'<?xml version="1.0"?><urlset>{urls}</urlset>'.encode()

    def story(self, number: int) -> bytes:
        again = " again" if number in self.changed else ""
        return page(f"Story number {number}{again}")

    def __call__(self, scheme: str, path: str) -> Answer:
        plain = path.partition("?")[0]
        if answer := self.more.get(plain):
            return answer
        if plain == "/robots.txt":
            text = f"User-agent: *\nDisallow:\nSitemap: {ROOT}/sitemap_index.xml\n"
            return Answer(200, {"Content-Type": "text/plain"}, text.encode())
        if plain == "/":
            return self.answer(HTML, self.front_page())
        if plain == "/feed.xml":
            return self.answer(FEED_TYPE, self.feed())
        if plain == "/sitemap_index.xml":
            index = f"<sitemapindex><sitemap><loc>{ROOT}/1.xml.gz</loc></sitemap></sitemapindex>"
            return Answer(200, XML, f'<?xml version="1.0"?>{index}'.encode())
        if plain == "/1.xml.gz":
            return Answer(200, {"Content-Type": "application/gzip"}, self.sitemap())
        for number in self.numbers:
            if plain == path_of(number):
                return self.answer(HTML, self.story(number))
        return Answer(404, HTML, b"<h1>Not found</h1>")

    @staticmethod
    def answer(headers: dict[str, str], body: bytes) -> Answer:
        return Answer(200, {**headers, "ETag": f'"{hash(body)}"'}, body)


def numbers_of(run: Run) -> list[int]:
    return [int(record["url"].split("-number-")[1].split("-")[0]) for record in run.records]


LISTS: dict[str, tuple[str, set[int], str]] = {
    "front page": ("/", {9, 8, 7, 6}, "news.example"),
    "feed": ("/feed.xml", {9, 8, 7, 6, 5, 4}, "news.example/feed.xml"),
    "sitemap": ("/1.xml.gz", set(range(1, 10)), "news.example/1.xml.gz"),
    "sitemap index": ("/sitemap_index.xml", set(range(1, 10)), "news.example/1.xml.gz"),
}


@pytest.mark.slow_after(2)
@pytest.mark.parametrize("case", LISTS)
def test_each_list(web_crawl: WebCrawl, case: str) -> None:
    path, numbers, found_on = LISTS[case]
    run, web = web_crawl({HOST: Newsroom(9)}, seed=ROOT + path, depth=0)
    assert (run.exit_code, set(run.articles)) == (0, {id_of(n) for n in numbers})
    assert {(r["depth"], r["found_on"]) for r in run.articles.values()} == {(0, found_on)}
    assert max(web.requests.values()) == 1
    if case != "sitemap index":
        # What is left out is counted, and nothing else is recorded.
        assert len(run.records) == len(numbers)
    if case == "front page":
        assert "1 of other hosts" in run.stdout
        assert "2 that do not look like articles" in run.stdout
        assert "1 without a web address" in run.stdout


@pytest.mark.slow
def test_the_feeds_of_a_site(web_crawl: WebCrawl) -> None:
    run, web = web_crawl({HOST: Newsroom(9)}, seed=f"feeds:{ROOT}", depth=0)
    assert (run.exit_code, set(run.articles)) == (0, {id_of(n) for n in range(1, 10)})
    assert web.requests[f"{ROOT}/feed.xml"] == web.requests[f"{ROOT}/1.xml.gz"] == 1
    assert f"found {ROOT}/feed.xml, {ROOT}/sitemap_index.xml" in run.stderr


@pytest.mark.slow
def test_the_usual_feeds_of_a_site_that_names_none(web_crawl: WebCrawl) -> None:
    newsroom = Newsroom(5)
    newsroom.more["/robots.txt"] = Answer(404, HTML, b"")
    newsroom.more["/"] = Answer(200, HTML, b"<html><p>Welcome</p></html>")
    newsroom.more["/rss.xml"] = Answer(200, FEED_TYPE, newsroom.feed())
    run, _ = web_crawl({HOST: newsroom}, seed=f"feeds:{ROOT}", depth=0)
    assert len(run.articles) == 5
    newsroom = Newsroom(5)
    newsroom.more |= {path: Answer(404, HTML, b"") for path in ("/robots.txt", "/feed.xml")}
    newsroom.more["/sitemap_index.xml"] = Answer(404, HTML, b"")
    newsroom.more["/"] = Answer(200, HTML, newsroom.front_page().replace(b"alternate", b"x"))
    run, _ = web_crawl({HOST: newsroom}, seed=f"feeds:{ROOT}", depth=0)
    assert len(run.articles) == 4
    assert "no feed and no sitemap found, so the page itself is read" in run.stderr


BAD: dict[str, tuple[Answer, str, str, int]] = {
    "gone": (Answer(404, HTML, b""), "gone", "404 Not Found", 0),
    "down": (Answer(503, HTML, b""), "http_5xx", "503", 0),
    "empty feed": (Answer(200, FEED_TYPE, b"<rss/>"), "no_list", "the feed is empty", 0),
    "empty page": (Answer(200, HTML, b"<html></html>"), "no_list", "the page has no links", 0),
    "no articles": (
        Answer(200, HTML, b"<html><a href='/sport'>Sport</a></html>"),
        "no_list",
        "the page lists no articles, only 1 that do not look like articles",
        0,
    ),
    "malformed": (
        Answer(200, XML, f"<urlset><url><loc>{ROOT}{path_of(1)}</loc></url><url".encode()),
        "no_list",
        "its XML is malformed",
        1,
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", BAD)
def test_a_list_that_cannot_be_read_is_a_failure(web_crawl: WebCrawl, case: str) -> None:
    """What it lists is read all the same, and so are the other lists."""
    answer, reason, detail, articles = BAD[case]
    newsroom = Newsroom(9)
    newsroom.more["/news"] = answer
    settings = {"RETRY_TIMES": 0}
    run, _ = web_crawl({HOST: newsroom}, settings, seed=f"{ROOT}/news", depth=0)
    (failure,) = run.failures.values()
    assert (failure["id"], failure["url"]) == ("news.example/news", f"{ROOT}/news")
    assert failure["reason"] == reason
    assert detail in failure["detail"]
    assert len(run.articles) == articles
    assert run.exit_code == (3 if articles else 4)
    run, _ = web_crawl({HOST: newsroom}, settings, seed=f"{ROOT}/news,{ROOT}/", depth=0)
    assert (run.exit_code, len(run.articles)) == (3, 4 + articles)
    assert "1 failed" in run.stdout


PRUNED: dict[str, tuple[dict[str, object], list[int]]] = {
    "limit keeps the newest": ({"limit": 2}, [9, 8]),
    "since": ({"since": "2026-05-08"}, [9, 8]),
    "until": ({"until": "2026-05-05"}, [5, 4]),
    "match": ({"match": "number (5|8)$"}, [8, 5]),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", PRUNED)
def test_entries_are_pruned_before_they_are_fetched(web_crawl: WebCrawl, case: str) -> None:
    arguments, numbers = PRUNED[case]
    run, web = web_crawl({HOST: Newsroom(9)}, seed=f"{ROOT}/,{ROOT}/feed.xml", depth=0, **arguments)
    fetched = [record for record in run.records if record["kind"] == "article"]
    run.records = fetched
    assert numbers_of(run) == numbers
    stories = [url for url in web.requests if "story" in url]
    assert len(stories) == len(numbers)


@pytest.mark.slow
def test_the_newest_of_a_page_and_of_the_sitemaps_in_an_index(web_crawl: WebCrawl) -> None:
    """No article is chosen before the last list has been read."""
    newsroom = Newsroom(9)
    dated = newsroom.sitemap_with_dates()
    newsroom.more["/1.xml.gz"] = Answer(200, XML, dated)
    newsroom.more["/old"] = Answer(200, HTML, newsroom.front_page(range(4, 0, -1)))
    seeds = f"{ROOT}/old,{ROOT}/sitemap_index.xml"
    run, _ = web_crawl({HOST: newsroom}, seed=seeds, depth=0, limit=3)
    assert set(run.articles) == {id_of(n) for n in (9, 8, 7)}


@pytest.mark.slow
def test_a_list_that_has_moved_to_the_home_page(web_crawl: WebCrawl) -> None:
    newsroom = Newsroom(9)
    newsroom.more["/news"] = Answer(301, {"Location": "/"}, b"")
    run, _ = web_crawl({HOST: newsroom}, seed=f"{ROOT}/news", depth=0)
    (failure,) = run.failures.values()
    assert failure["detail"] == f"redirected to {ROOT}/, the home page"
    assert run.exit_code == 3


@pytest.mark.slow
def test_a_list_that_stays_away_is_named_in_every_run(web_crawl: WebCrawl) -> None:
    newsroom = Newsroom(9)
    seeds = f"{ROOT}/,{ROOT}/news"
    for _ in range(3):
        run, _ = web_crawl({HOST: newsroom}, {"JOBDIR": "job"}, seed=seeds, depth=0, recheck="none")
        assert run.exit_code == 3
        assert "news.example/news: gone (404 Not Found)" in run.stderr
        assert "1 failed" in run.stdout


@pytest.mark.slow
def test_entries_without_titles_are_matched_by_their_addresses(web_crawl: WebCrawl) -> None:
    run, _ = web_crawl({HOST: Newsroom(9)}, seed=f"{ROOT}/1.xml.gz", depth=0, match="number 7 of")
    assert set(run.articles) == {id_of(7)}


@pytest.mark.slow
def test_a_section_that_an_article_links_becomes_a_seed(web_crawl: WebCrawl) -> None:
    """What was a teaser in one run is a list in the next."""
    newsroom = Newsroom(9)
    newsroom.more["/sport"] = Answer(200, HTML, newsroom.front_page())
    newsroom.more[path_of(9)] = Answer(200, HTML, page("Story", f"{ROOT}/sport"))
    settings = {"JOBDIR": "job"}
    run, _ = web_crawl({HOST: newsroom}, settings, seed=ROOT + path_of(9))
    assert run.teasers["news.example/sport"]["why"] == "address"
    run, _ = web_crawl({HOST: newsroom}, settings, seed=f"{ROOT}/sport", depth=0)
    assert (run.exit_code, set(run.articles)) == (0, {id_of(n) for n in (8, 7, 6)})
    assert "discovered 4 = articles 4 + teasers 0 + failures 0 + pending 0" in run.balance


@pytest.mark.slow
def test_new_arguments_apply_to_what_a_list_led_to_before(web_crawl: WebCrawl) -> None:
    newsroom, settings = Newsroom(9), {"JOBDIR": "job"}
    seed = f"{ROOT}/feed.xml"
    web_crawl({HOST: newsroom}, settings, seed=seed, depth=0, limit=1)
    run, _ = web_crawl({HOST: newsroom}, settings, seed=seed, depth=0, since="2026-05-08")
    assert set(run.articles) == {id_of(8)}
    assert {teaser["why"] for teaser in run.teasers.values()} == {"pruned"}
    assert "discovered 6 = articles 2 + teasers 4" in run.balance
    run, _ = web_crawl({HOST: newsroom}, settings, seed=seed, depth=0)
    assert set(run.articles) == {id_of(n) for n in (7, 6, 5, 4)}


@pytest.mark.slow
def test_sitemaps_of_a_month_and_robots_with_paths(web_crawl: WebCrawl) -> None:
    """The day in the address of a sitemap says nothing of the last one that it covers."""
    newsroom = Newsroom(9)
    index = f"<sitemapindex><sitemap><loc>{ROOT}/sitemap-2026-05-01.xml</loc></sitemap>"
    newsroom.more["/index.xml"] = Answer(200, XML, f"{index}</sitemapindex>".encode())
    newsroom.more["/sitemap-2026-05-01.xml"] = Answer(200, XML, newsroom.sitemap_with_dates())
    robots = b"User-agent: *\nDisallow:\nSitemap: /index.xml\n"
    newsroom.more["/robots.txt"] = Answer(200, {"Content-Type": "text/plain"}, robots)
    newsroom.more["/"] = Answer(200, HTML, b"<html></html>")
    run, _ = web_crawl({HOST: newsroom}, seed=f"feeds:{ROOT}", depth=0, since="2026-05-08")
    assert (run.exit_code, set(run.articles)) == (0, {id_of(9), id_of(8)})


@pytest.mark.slow
def test_limit_counts_pages_that_might_have_been_lists(web_crawl: WebCrawl) -> None:
    newsroom = Newsroom(3)
    for name in ("/bridge", "/market"):
        newsroom.more[name] = Answer(200, HTML, page(name))
    seeds = f"{ROOT}/bridge,{ROOT}/market"
    run, _ = web_crawl({HOST: newsroom}, seed=seeds, depth=0, limit=1)
    assert (set(run.articles), run.exit_code) == ({"news.example/bridge"}, 0)
    assert run.teasers["news.example/market"]["why"] == "limit"


@pytest.mark.slow
def test_lists_that_were_not_read_are_no_articles(web_crawl: WebCrawl) -> None:
    settings = {"CLOSESPIDER_PAGECOUNT": 1, "CONCURRENT_REQUESTS": 1}
    for job in ({}, {"JOBDIR": "job"}):
        seeds = f"{ROOT}/,{ROOT}/feed.xml,{ROOT}/1.xml.gz"
        run, _ = web_crawl({HOST: Newsroom(3)}, {**settings, **job}, seed=seeds, depth=0)
        assert not {record["id"] for record in run.records} & {
            *("news.example", "news.example/feed.xml", "news.example/1.xml.gz")
        }
        assert "this is a bug" not in run.stdout


@pytest.mark.slow
def test_a_page_that_may_be_a_list_and_is_an_article(web_crawl: WebCrawl) -> None:
    newsroom = Newsroom(3)
    newsroom.more["/bridge"] = Answer(200, HTML, page("Bridge", f"{ROOT}{path_of(1)}"))
    run, _ = web_crawl({HOST: newsroom}, seed=f"{ROOT}/bridge", depth=1)
    assert run.exit_code == 0
    assert {article_id: record["depth"] for article_id, record in run.articles.items()} == {
        "news.example/bridge": 0,
        id_of(1): 1,
    }
    assert run.articles["news.example/bridge"]["found_on"] is None


@pytest.mark.slow
def test_an_article_that_cannot_be_read_is_no_list(web_crawl: WebCrawl) -> None:
    """Its links are not followed in its place."""
    newsroom = Newsroom(9)
    declared = b'<head><meta property="og:type" content="article">'
    front_page = newsroom.front_page().replace(b"<head>", declared)
    newsroom.more["/bridge"] = Answer(200, HTML, front_page)
    run, _ = web_crawl({HOST: newsroom}, seed=f"{ROOT}/bridge", depth=1)
    assert (run.exit_code, run.articles) == (4, {})
    assert run.failures["news.example/bridge"]["reason"] == "not_an_article"


@pytest.mark.slow
def test_a_front_page_in_an_archive(
    web_crawl: WebCrawl, scrapy: Crawl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", CACHE)
    live, _ = web_crawl({HOST: Newsroom(9)}, seed=f"{ROOT}/", depth=0, archive="pages.warc.gz")
    archived, _ = web_crawl({}, seed=f"{ROOT}/", depth=0, source="pages.warc.gz")
    assert set(archived.articles) == set(live.articles)
    assert archived.exit_code == 0
    missing, _ = web_crawl({}, seed=f"{ROOT}/feed.xml", depth=0, source="pages.warc.gz")
    assert missing.exit_code == 4
    assert {failure["reason"] for failure in missing.failures.values()} == {"no_list"}


@pytest.mark.slow
def test_a_job_asks_its_lists_again(web_crawl: WebCrawl, tmp_path: Path) -> None:
    """Only new and changed articles are stored, none twice, and nothing is fetched in vain."""
    newsroom = Newsroom(9)
    settings = {"JOBDIR": "job", "RECHECK_MIN": 0, "RECHECK_MAX": 1}
    seeds = f"{ROOT}/,{ROOT}/feed.xml"

    def run_job(**arguments: Any) -> tuple[Run, HostedWeb]:
        run, web = web_crawl({HOST: newsroom}, settings, seed=seeds, depth=0, **arguments)
        assert run.exit_code == 0
        assert "teasers 0 + failures 0 + pending 0" in run.balance
        return run, web

    first, _ = run_job()
    assert len(first.records) == 6
    newsroom.newest = 11
    newsroom.changed = {8}
    second, web = run_job(recheck="all")
    assert {record["id"]: record["revision"] for record in second.records} == {
        id_of(11): 1,
        id_of(10): 1,
        id_of(8): 2,
    }
    third, web = run_job(recheck="none")
    assert third.records == []
    assert {url.removeprefix(ROOT) for url in web.requests} == {"/robots.txt", "/", "/feed.xml"}
    assert third.balance.startswith("discovered 8 = articles 8")


@pytest.mark.slow
def test_lists_are_asked_conditionally(crawl: Crawl, server: NewsServer) -> None:
    conditions: list[str | None] = []

    def respond(handler: BaseHTTPRequestHandler, _: int) -> None:
        conditions.append(handler.headers["If-None-Match"])
        status = 304 if conditions[-1] else 200
        answer(handler, status, b"" if status == 304 else feed, {"ETag": '"1"'})

    stories = "".join(
        f"<item><title>{title}</title><link>{server.url}/news/{number}</link></item>"
        for title, number in (("Story of the first", SEED), ("Another story", "1751821"))
    )
    feed = f'<?xml version="1.0"?><rss><channel>{stories}</channel></rss>'.encode()
    server.misbehaviour = {"/feed.xml": respond}
    settings = {**IMPATIENT, "JOBDIR": "job"}

    def run_job(**arguments: object) -> Run:
        seed = f"{server.url}/feed.xml"
        return crawl(seed=seed, depth=0, recheck="none", settings=settings, **arguments)

    assert len(run_job(match="of the first").articles) == 1
    # Other arguments may follow what the unchanged list was found to have.
    run = run_job()
    assert (run.exit_code, len(run.articles)) == (0, 1)
    assert "= articles 2 + " in run.balance
    run = run_job()
    assert (run.exit_code, run.articles) == (0, {})
    assert conditions == [None, None, '"1"']
    assert "nothing new: nothing to fetch with recheck=none" in run.stdout


@pytest.mark.slow
def test_a_job_that_was_stopped_continues(web_crawl: WebCrawl) -> None:
    """Two runs with a limit find the same articles as one without."""
    whole, _ = web_crawl({HOST: Newsroom(9)}, seed=f"{ROOT}/feed.xml", depth=0)
    found: dict[str, Any] = {}
    for limit in (2, 3, 0):
        run, _ = web_crawl(
            {HOST: Newsroom(9)},
            {"JOBDIR": "job"},
            seed=f"{ROOT}/feed.xml",
            depth=0,
            limit=limit,
            recheck="none",
        )
        found |= run.articles
    assert set(found) == set(whole.articles)
    assert {record["found_on"] for record in found.values()} == {"news.example/feed.xml"}


REFUSED = {
    "feeds:1752038": "takes feeds: and the URL of a page of a publisher",
    "feeds:": "takes feeds: and the URL",
    "ftp://www.news.example/": "is not the address of a web page",
    "feeds:https://www.news.example": "source is wayback; give the URLs of the feeds",
}


@pytest.mark.slow
@pytest.mark.parametrize("seed", REFUSED)
def test_seeds_that_are_refused(crawl: Crawl, seed: str) -> None:
    run = crawl(seed=seed, source="wayback" if seed.endswith(".example") else "live")
    assert run.exit_code == 2
    assert REFUSED[seed] in run.stderr


@pytest.mark.slow
def test_the_front_page_of_a_publisher_with_a_file(web_crawl: WebCrawl) -> None:
    """Its pattern says which links are articles."""
    links = "".join(f'<a href="/news/{n}">News {n}</a>' for n in (1752038, 1752039))
    front = f"<html>{links}<a href='/2026/05/01/not-an-article-of-this-site'>x</a></html>".encode()
    by_path = {"/": front, "/news/1752038": page("Bridge"), "/news/1752039": page("Market")}

    def site(scheme: str, path: str) -> Answer:
        return Answer(200 if path in by_path else 404, HTML, by_path.get(path, b""))

    sites: dict[str, Site] = {"en.alalam.ir": site}
    run, _ = web_crawl(sites, seed="http://en.alalam.ir/", depth=0, source="live")
    assert set(run.articles) == {"1752038", "1752039"}
    assert run.exit_code == 0

"""Crawls of publishers without a file: a made-up web, served by host through a forward proxy."""

import json
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from conftest import CACHE, IMPATIENT, Crawl, Run, WebCrawl
from hosted import Answer, HostedWeb, Site, hosted
from made_addresses import ALIASES
from made_publisher import MadePublisher, make_web
from stories import HTML, page, pages

from crawler.extraction.addresses import article_address


def check(run: Run, publisher: MadePublisher) -> None:
    """Check that a crawl found every article of a made-up publisher once, and nothing else."""
    truth, articles = publisher.by_id, run.articles
    assert set(articles) == set(truth)
    for article_id, record in articles.items():
        made = truth[article_id]
        assert record["site"] == publisher.hosts.domain
        assert record["headline"] == made.headline
        assert record["depth"] == made.depth
        addresses = {article_address(url) for url in (made.address, *made.variants)}
        assert article_address(record["url"]) in addresses
        doubted = "is wrong" in (record["provenance"]["id"]["assumed"] or "")
        assert doubted == (made.wrong_canonical is not None)
        for item in record["related"]:
            target = publisher.by_address.get(item["url"])
            known = {item["id"]}
            assert target is None or known <= {
                target.id,
                *articles[target.id]["aliases"],
                *duplicates_of(publisher, target.id),
            }
    assert {failure["reason"] for failure in run.failures.values()} == {"not_an_article"}
    # Links to sections and authors are not listed.
    assert {teaser["why"] for teaser in run.teasers.values()} == {"offsite"}


def duplicates_of(publisher: MadePublisher, article_id: str) -> set[str]:
    """Return the ids of the addresses that show their article only when they are fetched."""
    variants = publisher.by_id[article_id].variants
    ids = (article_address(url) for url, kind in variants.items() if kind in ALIASES)
    return {one for one in ids if one}


def check_requests(web: HostedWeb, publisher: MadePublisher) -> None:
    """Check that an article is requested again only for an address that does not show its id.

    Some addresses redirect to the main one.
    """
    spelled, aliases = Counter[str](), Counter[str]()
    for url, count in web.requests.items():
        if made := publisher.by_address.get(url):
            (aliases if made.variants[url] in ALIASES else spelled)[made.id] += count
    assert all(count <= 2 + aliases[article_id] for article_id, count in spelled.items())


@pytest.mark.slow
@pytest.mark.timeout(720)
def test_a_whole_made_up_publisher(web_crawl: WebCrawl) -> None:
    made = make_web(2000)
    publisher = made.publisher
    seed = publisher.seed.address
    # The last articles list old addresses, which show their articles only when they are fetched.
    run, web = web_crawl(made.sites, seed=seed, depth=publisher.max_depth + 1, timeout=600)
    assert run.exit_code == 0
    assert len(run.articles) == 2000
    check(run, publisher)
    check_requests(web, publisher)


def without_times(records: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    left_out = {"fetched_at", "failed_at", "source", "attempts", "detail", "status"}
    found = {}
    for record in records:
        plain = {name: value for name, value in record.items() if name not in left_out}
        plain["provenance"] = {
            name: value
            for name, value in (record.get("provenance") or {}).items()
            if name not in ("fetched_at", "source")
        }
        found[record["id"]] = plain
    return found


@pytest.mark.slow
def test_the_same_records_from_several_hosts_at_once_and_from_an_archive(
    web_crawl: WebCrawl, scrapy: Crawl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the number of requests at a time nor the source of the pages changes a record."""
    monkeypatch.setenv("XDG_CACHE_HOME", CACHE)
    made = make_web(60)
    publisher = made.publisher
    arguments = {"seed": publisher.seed.address, "depth": publisher.max_depth, "hosts": "any"}
    one_by_one, _ = web_crawl(
        made.sites, {"CONCURRENT_REQUESTS": 1}, archive="pages.warc.gz", **arguments
    )
    expected = without_times(one_by_one.records)
    assert {record["site"] for record in one_by_one.articles.values()} > {publisher.hosts.domain}
    many, _ = web_crawl(made.sites, {"CONCURRENT_REQUESTS_PER_DOMAIN": 4}, **arguments)
    assert without_times(many.records) == expected
    archived, _ = web_crawl({}, source="pages.warc.gz", **arguments)
    assert without_times(archived.records) == expected


@pytest.mark.slow
def test_a_job_continues_with_several_hosts(web_crawl: WebCrawl, tmp_path: Path) -> None:
    made = make_web(60)
    publisher = made.publisher
    arguments = {"seed": publisher.seed.address, "depth": publisher.max_depth}
    whole, _ = web_crawl(made.sites, **arguments)
    records: list[dict[str, Any]] = []
    for limit in (7, 20, 0):
        settings = {"JOBDIR": "job"}
        run, _ = web_crawl(made.sites, settings, limit=limit, recheck="none", **arguments)
        records += run.records
    found = {record["id"]: record for record in records if record["kind"] == "article"}
    assert set(found) == set(whole.articles)
    for article_id, record in found.items():
        expected = whole.articles[article_id]
        assert (record["depth"], record["url"]) == (expected["depth"], expected["url"])


A = "https://www.news.example"
STORY = "/2026/05/01/a-story-of-the-bridge"


@pytest.mark.slow
def test_two_seeds_that_redirect_to_one_article(web_crawl: WebCrawl) -> None:
    site = pages(
        {
            "/s/1": f"{A}{STORY}",
            "/s/2": f"{A}{STORY}?utm_source=short",
            STORY: page("Bridge", f"{A}{STORY}-2"),
            f"{STORY}-2": page("Second"),
        }
    )
    run, web = web_crawl({"www.news.example": site}, seed=f"{A}/s/1,{A}/s/2", depth=1)
    assert set(run.articles) == {f"news.example{STORY}", f"news.example{STORY}-2"}
    record = run.articles[f"news.example{STORY}"]
    assert (record["url"], record["aliases"]) == (f"{A}/s/1", ["news.example/s/1"])
    assert web.requests[f"{A}{STORY}"] == 1
    assert web.requests[f"{A}{STORY}?utm_source=short"] == 0
    assert run.exit_code == 0
    assert "duplicates  1  pages of other addresses of an article" in run.stdout


@pytest.mark.slow
def test_a_redirect_from_the_canonical_address(web_crawl: WebCrawl) -> None:
    """The canonical URL gives the id, even if the server leads away from it."""
    site = pages({STORY: f"{A}{STORY}-new", f"{STORY}-new": page("B", canonical=f"{A}{STORY}")})
    run, _ = web_crawl({"www.news.example": site}, seed=f"{A}{STORY}", depth=0)
    assert {key: record["aliases"] for key, record in run.articles.items()} == {
        f"news.example{STORY}": [f"news.example{STORY}-new"]
    }


def test_hosts(web_crawl: WebCrawl) -> None:
    links = (
        f"https://sport.news.example{STORY}",
        f"https://other.example{STORY}",
        f"https://third.example{STORY}",
    )
    sites = {"www.news.example": pages({STORY: page("Bridge", *links)})}
    sites |= {
        host: pages({STORY: page(host)})
        for host in ("sport.news.example", "other.example", "third.example")
    }
    found = {}
    for hosts in ("same", "any", "other.example"):
        run, _ = web_crawl(sites, seed=f"{A}{STORY}", depth=1, hosts=hosts)
        found[hosts] = {record["site"] for record in run.articles.values()}
        related = run.articles[f"news.example{STORY}"]["related"]
        assert [item["internal"] for item in related] == [True, False, False]
        assert {teaser["why"] for teaser in run.teasers.values()} <= {"offsite"}
        assert len(run.articles) + len(run.teasers) == 4
    assert found == {
        "same": {"news.example"},
        "any": {"news.example", "other.example", "third.example"},
        "other.example": {"news.example", "other.example"},
    }


@pytest.mark.slow
def test_a_slow_host_holds_up_no_other(web_crawl: WebCrawl) -> None:
    """Each host gets one request at a time."""
    finished: dict[str, float] = {}
    active: Counter[str] = Counter()
    most: Counter[str] = Counter()
    lock = threading.Lock()

    def host(name: str, seconds: float) -> Site:
        site = pages({f"{STORY}-{n}": page(f"{name} number {n}") for n in range(8)})

        def answer(scheme: str, path: str) -> Answer:
            with lock:
                active[name] += 1
                most[name] = max(most[name], active[name])
            time.sleep(seconds if path != "/robots.txt" else 0)
            with lock:
                active[name] -= 1
                finished[name] = time.monotonic()
            return site(scheme, path)

        return answer

    names = ("slow.news.example", "fast.news.example", "other.example")
    links = [f"https://{name}{STORY}-{n}" for n in range(8) for name in names]
    sites = {"www.news.example": pages({STORY: page("Bridge", *links)})}
    sites |= {name: host(name, 0.6 if name.startswith("slow") else 0.02) for name in names}
    run, _ = web_crawl(sites, seed=f"{A}{STORY}", depth=1, hosts="any")
    assert len(run.articles) == 25
    assert set(most.values()) == {1}
    for name in names[1:]:
        assert finished[name] < finished["slow.news.example"] - 1.5


@pytest.mark.slow
def test_one_host_is_down_and_the_others_are_not(web_crawl: WebCrawl) -> None:
    def down(scheme: str, path: str) -> Answer:
        return Answer(503, HTML, b"Down")

    links = [f"https://{name}.example{STORY}-{n}" for n in range(6) for name in ("down", "up")]
    sites = {
        "www.news.example": pages({STORY: page("Bridge", *links)}),
        "down.example": down,
        "up.example": pages({f"{STORY}-{n}": page(f"Number {n}") for n in range(6)}),
    }
    settings = {"SITE_DOWN_AFTER": 2, "RETRY_TIMES": 0}
    run, _ = web_crawl(sites, settings, seed=f"{A}{STORY}", depth=1, hosts="any")
    assert len(run.articles) == 7
    assert "down.example is down: 2 pages in a row failed" in run.stderr
    assert {failure["site"] for failure in run.failures.values()} == {"down.example"}
    assert {teaser["why"] for teaser in run.teasers.values()} <= {"interrupted"}
    assert len(run.failures) + len(run.teasers) == 6
    assert run.exit_code == 3


@pytest.mark.slow
def test_no_host_answers(web_crawl: WebCrawl) -> None:
    """Each host has fewer pages than mark a host as down."""
    links = [f"https://gone-{n}.example{STORY}" for n in range(20)]
    sites = {"www.news.example": pages({STORY: page("Bridge", *links)})}
    settings = {"SITE_DOWN_AFTER": 2, "RETRY_TIMES": 0, "CONCURRENT_REQUESTS": 2}
    run, _ = web_crawl(sites, settings, seed=f"{A}{STORY}", depth=1, hosts="any")
    assert run.exit_code == 3
    assert "stopped: no host answers: 10 pages in a row failed" in run.stdout
    # Another request may have been in progress.
    assert 10 <= len(run.failures) <= 12
    assert {teaser["why"] for teaser in run.teasers.values()} == {"interrupted"}
    assert len(run.articles) + len(run.failures) + len(run.teasers) == 21


WATCHING = """
import json

from scrapy import signals


class Watching:
    @classmethod
    def from_crawler(cls, crawler):
        extension = cls()
        crawler.signals.connect(extension.scraped, signal=signals.item_scraped)
        return extension

    def scraped(self, item, response):
        if response is not None:
            with open("scraped.jsonl", "a") as file:
                print(json.dumps([item.url, response.request.url]), file=file)
"""


@pytest.mark.slow
def test_signals_name_the_response_of_each_item(web_crawl: WebCrawl, tmp_path: Path) -> None:
    """Pages of a fast host wait for those of a slow one that come before them."""
    (tmp_path / "watching.py").write_text(WATCHING, encoding="utf-8")
    names = ("slow.news.example", "fast.news.example")
    links = [f"https://{name}{STORY}-{n}" for n in range(4) for name in names]

    def slowly(site: Site) -> Site:
        def answer(scheme: str, path: str) -> Answer:
            time.sleep(0.2)
            return site(scheme, path)

        return answer

    stories = {
        name: pages({f"{STORY}-{n}": page(f"{name} number {n}") for n in range(4)})
        for name in names
    }
    sites = {
        "www.news.example": pages({STORY: page("Bridge", *links)}),
        "slow.news.example": slowly(stories["slow.news.example"]),
        "fast.news.example": stories["fast.news.example"],
    }
    settings = {"EXTENSIONS": json.dumps({"watching.Watching": 500})}
    run, _ = web_crawl(sites, settings, seed=f"{A}{STORY}", depth=1)
    assert len(run.articles) == 9
    lines = (tmp_path / "scraped.jsonl").read_text(encoding="utf-8").splitlines()
    scraped = [json.loads(line) for line in lines]
    assert len(scraped) == 9
    assert all(item_url == request_url for item_url, request_url in scraped)


@pytest.mark.slow
def test_a_mirror_of_a_publisher_without_a_file(web_crawl: WebCrawl) -> None:
    """The publisher's own absolute links are followed at the mirror, and its URL is a seed."""
    mirror = pages(
        {
            f"/copy{STORY}": page("Bridge", f"{A}{STORY}-2", f"/copy{STORY}-3"),
            f"/copy{STORY}-2": page("Second"),
            f"/copy{STORY}-3": page("Third"),
        }
    )
    run, web = web_crawl(
        {"mirror.example": mirror},
        seed=f"{A}{STORY}",
        base_url="http://mirror.example/copy",
        depth=1,
    )
    ids = {f"news.example{STORY}{end}" for end in ("", "-2", "-3")}
    assert set(run.articles) == ids
    assert {record["site"] for record in run.articles.values()} == {"news.example"}
    assert run.articles[f"news.example{STORY}-2"]["url"] == f"http://mirror.example/copy{STORY}-2"
    assert not any("news.example" in url for url in web.requests)


@pytest.mark.slow
def test_templates_of_articles(web_crawl: WebCrawl) -> None:
    """Short names are followed if the seed's or a read article's address has the same shape."""
    links = ("/politics/bridge-opens-at-last-today", "/politics", "/a-b/c", "/tag/bridges")
    site = pages(
        {
            "/world/river-falls-to-new-low": page("River", *links),
            "/politics/bridge-opens-at-last-today": page("Bridge"),
        }
    )
    run, _ = web_crawl(
        {"www.news.example": site}, seed=f"{A}/world/river-falls-to-new-low", depth=1
    )
    assert set(run.articles) == {
        "news.example/world/river-falls-to-new-low",
        "news.example/politics/bridge-opens-at-last-today",
    }
    assert {teaser["why"] for teaser in run.teasers.values()} == {"address"}


@pytest.mark.slow
def test_a_seed_that_is_no_article(web_crawl: WebCrawl) -> None:
    entries = "".join(
        f"<h2><a href='/{n}'>Headline number {n}</a></h2><p>It is.</p>" for n in "123"
    )
    site = pages({"/": f"<html><h1>News</h1>{entries}</html>".encode()})
    run, _ = web_crawl({"www.news.example": site}, seed=f"{A}/")
    assert run.failures["news.example"]["reason"] == "no_list"
    assert run.exit_code == 4


@pytest.mark.slow
def test_nothing_to_follow_is_said(web_crawl: WebCrawl) -> None:
    run, _ = web_crawl({"www.news.example": pages({STORY: page("Bridge")})}, seed=f"{A}{STORY}")
    assert "nothing was followed: no list of related items was found" in run.stdout
    assert run.exit_code == 0


@pytest.mark.slow
def test_an_address_with_a_port(crawl: Crawl, tmp_path: Path) -> None:
    site = pages({STORY: page("Bridge", f"{STORY}-2"), f"{STORY}-2": page("Second")})
    with hosted({"127.0.0.1": site}, tmp_path) as web:
        root = f"http://127.0.0.1:{web.http_port}"
        run = crawl(seed=f"{root}{STORY}", settings=IMPATIENT)
    host = root.removeprefix("http://")
    assert set(run.articles) == {f"{host}{STORY}", f"{host}{STORY}-2"}
    assert {record["site"] for record in run.articles.values()} == {host}


@pytest.mark.slow
def test_an_alias_in_a_job(web_crawl: WebCrawl, scrapy: Crawl) -> None:
    """An alias is known to the commands, and exports have none in place of ids."""
    site = pages(
        {
            STORY: page("Bridge", f"{STORY}-old-name-1234567", f"{STORY}-4"),
            f"{STORY}-old-name-1234567": f"{A}{STORY}-new-name-1234567",
            f"{STORY}-new-name-1234567": page("Second"),
            f"{STORY}-4": page("Third"),
        }
    )
    run, _ = web_crawl({"www.news.example": site}, {"JOBDIR": "job"}, seed=f"{A}{STORY}", depth=1)
    new, old = (f"news.example{STORY}-{name}-name-1234567" for name in ("new", "old"))
    assert run.articles[new]["aliases"] == [old]
    assert run.articles[f"news.example{STORY}"]["related"][0]["id"] == old
    for text in (old, f"{A}{STORY}-old-name-1234567?utm_source=x", new):
        assert scrapy("why", text, "-s", "JOBDIR=job").stdout.startswith(f"{new}  Second")
    exported = [
        json.loads(line) for line in scrapy("export", "-s", "JOBDIR=job").stdout.splitlines()
    ]
    by_id = {record["id"]: record for record in exported}
    assert by_id[f"news.example{STORY}"]["related"][0]["id"] == new

"""robots.txt according to RFC 9309, fetched from a real server."""

import pytest
from archives import page
from conftest import Crawl
from server import NewsServer
from test_crawl_live import Misbehaviour, always, drop

SEED, FORBIDDEN = "1752038", "1751821"
RULES = f"User-agent: neighbourhood-crawler\nDisallow: /news/{FORBIDDEN}\n".encode()
# A comment line; 9,000 of them exceed the 500 KiB that are read.
FILLER = b"# " + b"x" * 60 + b"\n"

ANSWERS: dict[str, tuple[Misbehaviour, str | None]] = {
    "no such file": (always(404, b"<h1>Not found</h1>"), None),
    "not allowed": (always(403), None),
    "gone, with a false gzip header": (always(410, b"x" * 99, Content_Encoding="gzip"), None),
    "error": (always(500), "it returned 500"),
    "busy": (always(503), "it returned 503"),
    "too many requests": (always(429), "it returned 429"),
    "closes": (drop, "connection_lost"),
    "cut off": (always(200, b"User-agent", Content_Length="500"), "cut_short"),
    "gzip that is not": (always(200, b"\1\2\3\4", Content_Encoding="gzip"), "unreadable"),
    "redirected to itself": (always(301, Location="/robots.txt"), None),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", ANSWERS)
def test_responses_without_rules(live: Crawl, server: NewsServer, case: str) -> None:
    misbehaviour, fault = ANSWERS[case]
    server.misbehaviour["/robots.txt"] = misbehaviour
    run = live(seed=SEED, depth=0)
    if fault is None:
        assert (set(run.articles), run.exit_code) == ({SEED}, 0)
    else:
        failure = run.failures[SEED]
        assert (failure["reason"], run.exit_code) == ("robots_unavailable", 4)
        assert fault in failure["detail"]
        assert server.requested_ids == []
        assert "Traceback" not in run.stderr


@pytest.mark.slow
def test_an_unavailable_file_is_requested_again(live: Crawl, server: NewsServer) -> None:
    settings = {"JOBDIR": "job", "RECHECK_MIN": 0}
    server.misbehaviour["/robots.txt"] = always(500)
    assert live(seed=SEED, depth=0, settings=settings).exit_code == 4
    del server.misbehaviour["/robots.txt"]
    run = live(seed=SEED, depth=0, settings=settings)
    assert (set(run.articles), run.exit_code) == ({SEED}, 0)


@pytest.mark.slow
def test_rules_after_a_redirect_to_another_host(live: Crawl, server: NewsServer) -> None:
    with NewsServer(server.folder) as other:
        other.robots = RULES
        server.misbehaviour["/robots.txt"] = always(302, Location=f"{other.url}/robots.txt")
        # Both hosts are private, so the user must name them; the second is named as the archive's.
        run = live(seed=SEED, depth=1, settings={"WAYBACK_URL": other.url})
    assert run.failures[FORBIDDEN]["reason"] == "robots"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("robots", "forbidden"),
    [
        (FILLER * 7_000 + RULES, True),
        (FILLER * 9_000 + RULES, False),
        (RULES + FILLER * 9_000, True),
        # The line at the limit would be read as "Disallow: /" if it were not dropped.
        (b"User-agent: *\n# " + b"x" * (500 * 1024 - 29) + b"\nDisallow: /other\n", False),
    ],
    ids=["up to 500 KiB", "beyond", "at the beginning of more", "across"],
)
def test_large_files(live: Crawl, server: NewsServer, robots: bytes, forbidden: bool) -> None:
    server.robots = robots
    run = live(seed=SEED, depth=1)
    assert (FORBIDDEN in run.failures) == forbidden
    assert SEED in run.articles


@pytest.mark.slow
def test_the_size_limit_of_pages_does_not_apply(live: Crawl, server: NewsServer) -> None:
    server.robots = FILLER * 5_000 + RULES
    run = live(seed=SEED, depth=1, settings={"DOWNLOAD_MAXSIZE": 200_000})
    assert run.failures[FORBIDDEN]["reason"] == "robots"
    assert SEED in run.articles


@pytest.mark.slow
def test_a_redirect_of_robots_txt_to_a_host_that_does_not_exist(
    live: Crawl, server: NewsServer
) -> None:
    location = "http://no-such-host.invalid/robots.txt"
    server.misbehaviour["/robots.txt"] = always(302, Location="/rules.txt")
    server.misbehaviour["/rules.txt"] = always(302, Location=location)
    failure = live(seed=SEED, depth=0, settings={"RETRY_TIMES": 0}).failures[SEED]
    # The reason is not "dns", because the site itself was found.
    assert failure["reason"] == "robots_unavailable"
    assert "dns" in failure["detail"]


RULES_OF_GROUPS = b"""\
Disallow: /news/101
User-agent: other
Disallow: /

User-agent: *
Disallow: /news/102

# Two groups for this program are one, whatever their letters.
User-agent: Neighbourhood-Crawler
User-agent: third
Disallow: /news/103
Disallow: /news/11
Allow: /news/111
Disallow: /news/1112
Allow: /news/11123
Disallow: /news/*5$
Allow: /news/125

User-agent: neighbourhood-crawler
disallow: /NEWS/104
DISALLOW: /news/%31%30%36
Disallow: news/107
Disallow: /*/108
Disallow: /news/109/
Allow: /news/131
Disallow: /news/131
Disallow:
"""
ARTICLE_IDS = "101 102 103 104 105 106 107 108 109 111 112 1111 1112 11123 11124 125 131".split()
# The forbidden articles for each user agent.
FORBIDDEN_TO = {
    "neighbourhood-crawler": "103 105 106 108 112 1112 11124".split(),
    "other": ARTICLE_IDS,
    "nobody-else": ["102"],
}


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("agent", FORBIDDEN_TO)
def test_rules(live: Crawl, server: NewsServer, agent: str) -> None:
    """The longest matching rule of the program's own groups applies (RFC 9309, 2.2)."""
    server.robots = RULES_OF_GROUPS
    server.pages = {f"/news/{article_id}": page(article_id) for article_id in ARTICLE_IDS}
    settings = {} if agent == "neighbourhood-crawler" else {"ROBOTSTXT_USER_AGENT": agent}
    run = live(seed=",".join(ARTICLE_IDS), depth=0, settings=settings)
    forbidden = FORBIDDEN_TO[agent]
    refused = {key: (failure["reason"], failure["detail"]) for key, failure in run.failures.items()}
    assert refused == dict.fromkeys(forbidden, ("robots", "forbidden by robots.txt"))
    assert server.requested_ids == [key for key in ARTICLE_IDS if key not in forbidden]
    # Being forbidden is a definite answer, not a fault.
    assert run.exit_code == (4 if agent == "other" else 0)


@pytest.mark.slow
def test_no_rules_are_requested(live: Crawl, server: NewsServer) -> None:
    server.robots = b"User-agent: *\nDisallow: /\n"
    assert set(live(seed=SEED, depth=0, settings={"ROBOTSTXT_OBEY": 0}).articles) == {SEED}
    assert [path for _, path in server.requests] == [f"/news/{SEED}"]

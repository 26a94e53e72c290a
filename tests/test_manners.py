"""The load on a site: concurrency, delays, retries and redirects.

The server records the requests and their times.
"""

import re
import threading
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path

import pytest
from archives import page
from conftest import IMPATIENT, PATIENCE, SITE, Crawl
from scrapy.http import Response
from server import NewsServer, answer
from test_crawl_live import Misbehaviour, always

from crawler.responses import retry_after

SEED = "1752038"


def serve_articles(server: NewsServer, count: int) -> list[str]:
    """Make the server serve this many articles and nothing else."""
    ids = [str(number) for number in range(101, 101 + count)]
    server.pages = {f"/news/{article_id}": page(article_id) for article_id in ids}
    return ids


class Crowd:
    """Responds once ``expected`` requests are in progress; ``peak`` is the highest number seen."""

    def __init__(self, respond: Misbehaviour, expected: int) -> None:
        self.peak = 0
        self._in_progress = 0
        self._expected = expected
        self._respond = respond
        self._changed = threading.Condition()

    def __call__(self, handler: BaseHTTPRequestHandler, before: int) -> None:
        with self._changed:
            self._in_progress += 1
            self.peak = max(self.peak, self._in_progress)
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: self.peak >= self._expected, PATIENCE / 6):
                # The missing requests are not coming, and later ones need not wait for them.
                self._expected = 0
            # Long enough to notice a request too many; the exact time does not matter.
            self._changed.wait_for(lambda: self.peak > self._expected, 0.1)
            # With the response, a client may send the next request before this thread goes on.
            self._in_progress -= 1
        self._respond(handler, before)


def serving_pages(server: NewsServer) -> Misbehaviour:
    return lambda handler, before: answer(handler, 200, server.pages[handler.path])


CONCURRENCY = {
    "by default": ({}, 1),
    "one domain": ({"CONCURRENT_REQUESTS": 8, "CONCURRENT_REQUESTS_PER_DOMAIN": 3}, 3),
    "in all": ({"CONCURRENT_REQUESTS": 2, "CONCURRENT_REQUESTS_PER_DOMAIN": 8}, 2),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CONCURRENCY)
def test_the_number_of_concurrent_requests(live: Crawl, server: NewsServer, case: str) -> None:
    settings, limit = CONCURRENCY[case]
    ids = serve_articles(server, 6)
    crowd = Crowd(serving_pages(server), limit)
    server.misbehaviour = dict.fromkeys(server.pages, crowd)
    run = live(seed=",".join(ids), depth=0, settings=settings)
    assert (set(run.articles), run.exit_code) == (set(ids), 0)
    assert crowd.peak == limit
    assert sorted(server.requested_ids) == ids
    # Fetched once, however many pages wait for it.
    assert [path for _, path in server.requests].count("/robots.txt") == 1


def gaps(server: NewsServer, path: str = "/news/") -> list[float]:
    """Return the seconds between consecutive requests.

    The server records a request when its thread handles it, which is not always at once.
    """
    times = [at for at, request_path in server.requests if request_path.startswith(path)]
    return [later - earlier for earlier, later in pairwise(times)]


TOLERANCE = 0.12
# The rules of robots.txt, the settings, and the seconds between requests.
DELAYS: dict[str, tuple[str, dict[str, object], float]] = {
    "by default": ("", {"DOWNLOAD_DELAY": "0.5", "AUTOTHROTTLE_ENABLED": 1}, 0.25),
    "of robots.txt": ("Crawl-delay: 0.6", {"AUTOTHROTTLE_ENABLED": 1}, 0.6),
    # With jitter, half of the delays could be zero.
    "of robots.txt, without jitter": ("Crawl-delay: 0.4", {"DOWNLOAD_DELAY_JITTER": 20}, 0.4),
    "more than the limit": ("Crawl-delay: 3600", {"CRAWL_DELAY_MAX": "0.5"}, 0.5),
    "longer than of robots.txt": ("Crawl-delay: 0.1", {"DOWNLOAD_DELAY": "0.6"}, 0.6),
    "of robots.txt, at once": (
        "Crawl-delay: 0.5",
        {"CONCURRENT_REQUESTS": 4, "CONCURRENT_REQUESTS_PER_DOMAIN": 4},
        0.5,
    ),
    "for another program": ("Disallow:\n\nUser-agent: other\nCrawl-delay: 3600", {}, 0),
}


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("case", DELAYS)
def test_delays_between_requests(live: Crawl, server: NewsServer, case: str) -> None:
    rules, settings, seconds = DELAYS[case]
    server.robots = f"User-agent: *\n{rules}\n".encode()
    ids = serve_articles(server, 5 if "DOWNLOAD_DELAY_JITTER" in settings else 3)
    run = live(seed=",".join(ids), depth=0, settings=settings)
    assert (set(run.articles), run.exit_code) == (set(ids), 0)
    assert min(gaps(server)) >= seconds - TOLERANCE


def http_date_in(seconds: float) -> str:
    """Return a future date as a header has it: without fractions of a second."""
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


# A header's value, and the minimum and maximum number of seconds that it may stand for.
RETRY_AFTER: dict[str, tuple[Callable[[], str], tuple[float, float] | None]] = {
    "seconds": (lambda: "120", (120, 120)),
    "none at all": (lambda: "0", (0, 0)),
    "with spaces": (lambda: " 7 ", (7, 7)),
    "more digits than any time has": (lambda: "9" * 400, (999999999, 999999999)),
    "a date": (lambda: http_date_in(1000), (900, 1000)),
    "a date that is over": (lambda: http_date_in(-1000), (0, 0)),
    "a date of another zone": (
        lambda: format_datetime(datetime.now(UTC) + timedelta(hours=1)).replace("+0000", "+0030"),
        (1700, 1800),
    ),
    "a date of no zone": (lambda: http_date_in(1000).replace(" GMT", ""), (900, 1000)),
    "a negative number": (lambda: "-5", None),
    "a fraction": (lambda: "1.5", None),
    "digits of another script": (lambda: "١٢", None),
    "no time": (lambda: "Fri, 1 Jan 2100 00:00:00 +999999999999999", None),
    "words": (lambda: "soon", None),
    "nothing": (lambda: "", None),
}


@pytest.mark.parametrize("case", RETRY_AFTER)
def test_values_of_retry_after(case: str) -> None:
    value, bounds = RETRY_AFTER[case]
    headers = {"Retry-After": value().encode("utf-8")}
    seconds = retry_after(Response("http://h", status=503, headers=headers))
    if bounds is None:
        assert seconds is None
    else:
        assert seconds is not None
        assert bounds[0] <= seconds <= bounds[1]


def test_no_retry_after() -> None:
    assert retry_after(Response("http://h", status=503)) is None


# Longer than any pause in these tests.
LONG = 30
# The first response to a page, the settings, and the seconds without a request afterwards.
PAUSES: dict[str, tuple[Misbehaviour, dict[str, object], float]] = {
    "429": (always(429, Retry_After="1"), {}, 1),
    "503, above the ceiling": (
        always(503, Retry_After="86400"),
        {"RETRY_AFTER_MAX": "0.6"},
        0.6,
    ),
    "503, for ever": (
        lambda handler, before: answer(handler, 503, b"", {"Retry-After": http_date_in(90_000)}),
        {"RETRY_AFTER_MAX": "0.6"},
        0.6,
    ),
    "a page that is given up": (always(429, Retry_After="1"), {"RETRY_TIMES": 0}, 1),
    "an error": (always(500), {"RETRY_BACKOFF": "0.6"}, 0.6),
    "503 without a time": (always(503, Retry_After="soon"), {"RETRY_BACKOFF": "0.6"}, 0.6),
    "503, for no time": (always(503, Retry_After="0"), {"RETRY_BACKOFF": LONG}, 0),
    "500 has no such header": (always(500, Retry_After="90"), {"RETRY_BACKOFF": "0.6"}, 0.6),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", PAUSES)
def test_pauses_of_all_requests(live: Crawl, server: NewsServer, case: str) -> None:
    misbehaviour, settings, seconds = PAUSES[case]
    ids = serve_articles(server, 3)
    path = f"/news/{ids[0]}"
    serve_page = serving_pages(server)
    server.misbehaviour[path] = lambda handler, before: (serve_page if before else misbehaviour)(
        handler, before
    )
    run = live(seed=",".join(ids), depth=0, settings=settings)
    given_up = settings.get("RETRY_TIMES") == 0
    assert set(run.failures) == ({ids[0]} if given_up else set())
    assert sorted(server.requested_ids) == sorted(ids if given_up else [ids[0], *ids])
    assert seconds - TOLERANCE <= gaps(server)[0] < LONG


@pytest.mark.slow
def test_pauses_of_a_page_double(live: Crawl, server: NewsServer) -> None:
    [article_id] = serve_articles(server, 1)
    server.misbehaviour[f"/news/{article_id}"] = always(500)
    run = live(seed=article_id, settings={"RETRY_BACKOFF": "0.2", "RETRY_TIMES": 3})
    assert run.failures[article_id]["attempts"] == 4
    pauses = gaps(server)
    too_short = [
        pause
        for pause, minimum in zip(pauses, (0.2, 0.4, 0.8), strict=True)
        if pause < minimum - TOLERANCE
    ]
    assert too_short == []


@pytest.mark.slow
@pytest.mark.parametrize("shorter_first", [True, False])
def test_a_shorter_pause_does_not_cut_a_longer_one(
    live: Crawl, server: NewsServer, shorter_first: bool
) -> None:
    """Two pages are in progress; one response asks for a pause of a second, the other for less."""
    ids = serve_articles(server, 4)
    both_requested, first_answered = threading.Barrier(2), threading.Event()
    answer_times: list[float] = []

    def busy(longer: bool) -> Misbehaviour:
        serve_page = serving_pages(server)

        def respond(handler: BaseHTTPRequestHandler, before: int) -> None:
            if before:
                serve_page(handler, before)
                return
            both_requested.wait(PATIENCE)
            if longer == shorter_first:
                first_answered.wait(PATIENCE)
            if longer:
                answer_times.append(time.monotonic())
            answer(handler, 503, b"", {"Retry-After": "1"} if longer else {})
            first_answered.set()

        return respond

    for article_id, longer in zip(ids, (True, False), strict=False):
        server.misbehaviour[f"/news/{article_id}"] = busy(longer)
    settings = {
        "CONCURRENT_REQUESTS": 2,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 2,
        "RETRY_BACKOFF": "0.2",
    }
    run = live(seed=",".join(ids), depth=0, settings=settings)
    assert (set(run.articles), run.exit_code) == (set(ids), 0)
    third_time = [at for at, path in server.requests if path.startswith("/news/")][2]
    assert third_time - answer_times[0] >= 1


# How often a page that always has this status is requested with RETRY_TIMES=1.
REQUEST_COUNTS = {
    **dict.fromkeys((408, 429, 500, 502, 503, 504, 522, 524), 2),
    **dict.fromkeys((400, 401, 402, 403, 404, 405, 409, 410, 411, 418, 451), 1),
    **dict.fromkeys((201, 204, 300, 304, 305, 306, 501, 505, 507, 520, 599), 1),
}


def test_which_statuses_are_retried(live: Crawl, server: NewsServer) -> None:
    ids = {str(status): status for status in REQUEST_COUNTS}
    server.misbehaviour = {f"/news/{key}": always(status) for key, status in ids.items()}
    settings = {"RETRY_TIMES": 1, "SITE_DOWN_AFTER": 0}
    run = live(seed=",".join(ids), depth=0, settings=settings)
    assert Counter(server.requested_ids) == {
        key: REQUEST_COUNTS[status] for key, status in ids.items()
    }
    attempts = {key: failure["attempts"] for key, failure in run.failures.items()}
    assert attempts == {key: REQUEST_COUNTS[status] for key, status in ids.items()}


@pytest.mark.slow
@pytest.mark.parametrize(("settings", "attempts"), [({"RETRY_TIMES": 0}, 1), ({}, 3)])
def test_how_often_a_page_is_retried(
    live: Crawl, server: NewsServer, settings: dict[str, object], attempts: int
) -> None:
    """One page succeeds at the last attempt; the other would succeed at the next one."""
    for number in (attempts - 1, attempts):
        server.misbehaviour[f"/news/{101 + number}"] = lambda handler, before, failures=number: (
            answer(handler, 500) if before < failures else answer(handler, 200, page("x"))
        )
    ids = [str(101 + attempts - 1), str(101 + attempts)]
    run = live(seed=",".join(ids), depth=0, settings=settings)
    assert (set(run.articles), set(run.failures)) == ({ids[0]}, {ids[1]})
    assert Counter(server.requested_ids) == {ids[0]: attempts, ids[1]: attempts}


def hop(handler: BaseHTTPRequestHandler, before: int) -> None:
    """Redirect /news/101?hops=3 to ?hops=2, and so on; without hops, serve the page."""
    hops_left = int(re.search(r"hops=(\d+)", handler.path)[1])  # type: ignore[index]
    path = handler.path.partition("?")[0]
    answer(
        handler,
        302,
        headers={"Location": f"{path}?hops={hops_left - 1}" if hops_left > 1 else path},
    )


@pytest.mark.slow
def test_how_many_redirects_are_followed(live: Crawl, server: NewsServer) -> None:
    ids = serve_articles(server, 2)
    pages = dict(server.pages)

    def first_response(path: str, hops: int) -> Misbehaviour:
        def respond(handler: BaseHTTPRequestHandler, before: int) -> None:
            if before == 0 and hops > 1:
                answer(handler, 302, headers={"Location": f"{path}?hops={hops - 1}"})
            else:
                answer(handler, 200, pages[path])

        return respond

    for article_id, hops in zip(ids, (5, 6), strict=True):
        path = f"/news/{article_id}"
        server.misbehaviour[path] = first_response(path, hops)
        server.misbehaviour.update(
            {f"{path}?hops={hops_left}": hop for hops_left in range(1, hops)}
        )
    run = live(seed=",".join(ids), depth=0)
    assert set(run.articles) == {ids[0]}
    failure = run.failures[ids[1]]
    assert (failure["reason"], failure["status"]) == ("redirect_loop", None)
    # The site sets no cookie, so the detail does not suggest COOKIES_ENABLED.
    last = f"{server.url}/news/{ids[1]}?hops=1"
    assert failure["detail"] == f"max redirections reached, the last to {last}"
    request_counts = Counter(path.partition("?")[0] for _, path in server.requests)
    assert request_counts == {"/robots.txt": 1, f"/news/{ids[0]}": 6, f"/news/{ids[1]}": 6}


@pytest.mark.slow
def test_which_statuses_redirect(live: Crawl, server: NewsServer) -> None:
    statuses = (301, 302, 303, 307, 308)
    for status in (*statuses, 300, 304, 305):
        target = f"/news/{status}/the-headline"
        server.misbehaviour[f"/news/{status}"] = always(status, Location=target)
        server.pages[target] = page(status)
    run = live(seed=",".join(map(str, (*statuses, 300, 304, 305))), depth=0)
    aliases = {key: article["aliases"] for key, article in run.articles.items()}
    assert aliases == {
        str(status): [f"en.alalam.ir/news/{status}/the-headline"] for status in statuses
    }
    assert {failure["reason"] for failure in run.failures.values()} == {"http_3xx"}


@pytest.mark.slow
def test_what_is_sent_after_a_redirect(live: Crawl, server: NewsServer) -> None:
    """A redirect's cookie is sent with the next request, to no other host; no Referer is sent."""
    sent_headers: dict[str, dict[str, str]] = {}

    def note(host: str, then: Misbehaviour) -> Misbehaviour:
        def respond(handler: BaseHTTPRequestHandler, before: int) -> None:
            sent_headers[host + handler.path] = {
                name.lower(): value for name, value in handler.headers.items()
            }
            then(handler, before)

        return respond

    moved_path = f"/news/{SEED}/moved"
    with NewsServer(SITE) as other:
        other_url = other.url.replace("127.0.0.1", "localhost")
        server.misbehaviour = {
            "/robots.txt": note(
                "", always(302, Location=f"{other_url}/robots.txt", Set_Cookie="robots=1; Path=/")
            ),
            f"/news/{SEED}": note(
                "", always(302, Location=moved_path, Set_Cookie="seen=1; Path=/")
            ),
            moved_path: note("", always(200, server.pages[f"/news/{SEED}"])),
            "/news/1751821": note("", always(302, Location=f"{other_url}/news/1751821")),
        }
        other.misbehaviour["/robots.txt"] = note("other", always(200, b"User-agent: *\n"))
        # The user must name a private host, here as that of the archive.
        settings = {"COOKIES_ENABLED": 1, "WAYBACK_URL": other_url}
        run = live(seed=f"{SEED},1751821", depth=0, settings=settings)
        assert [path for _, path in other.requests] == ["/robots.txt"]
    assert (set(run.articles), run.failures["1751821"]["reason"]) == ({SEED}, "offsite_redirect")
    cookies = {path: headers.get("cookie") for path, headers in sent_headers.items()}
    assert cookies.pop("/news/1751821") in ("robots=1; seen=1", "seen=1; robots=1")
    assert cookies.pop(moved_path) in ("robots=1; seen=1", "seen=1; robots=1")
    assert cookies == {"/robots.txt": None, "other/robots.txt": None, f"/news/{SEED}": "robots=1"}
    assert not any("referer" in headers for headers in sent_headers.values())


def test_a_page_s_referrer_policy_holds_for_its_links(live: Crawl, server: NewsServer) -> None:
    """Scrapy lets it take precedence over REFERRER_POLICY."""
    referers: dict[str, str | None] = {}
    seed_path = f"/news/{SEED}"

    def respond(handler: BaseHTTPRequestHandler, before: int) -> None:
        referers[handler.path] = handler.headers.get("Referer")
        policy = {"Referrer-Policy": "unsafe-url"} if handler.path == seed_path else {}
        answer(handler, 200, server.pages[handler.path], policy)

    server.misbehaviour = dict.fromkeys(server.pages, respond)
    run = live(seed=SEED, depth=2)
    found_on = {f"/news/{key}": one["found_on"] for key, one in run.articles.items()}
    assert referers == {
        path: server.url + seed_path if page_id == SEED else None
        for path, page_id in found_on.items()
    }
    assert len(set(referers.values())) == 2


ARCHIVED_URL = f"http://en.alalam.ir/news/{SEED}"


@pytest.mark.slow
def test_requests_to_an_archive_are_sequential_and_slow(crawl: Crawl, server: NewsServer) -> None:
    """A pause begins after each response, and a password is sent only to its own server."""
    ids = ["101", "102", "103"]
    authorizations: list[tuple[str, str | None]] = []

    def replay(handler: BaseHTTPRequestHandler, before: int) -> None:
        authorizations.append(("replay", handler.headers["Authorization"]))
        memento = {"Memento-Datetime": "Fri, 23 Oct 2015 10:00:00 GMT"}
        answer(handler, 200, page(handler.path.rpartition("/")[2]), memento)

    def list_captures(handler: BaseHTTPRequestHandler, before: int) -> None:
        authorizations.append(("list", handler.headers["Authorization"]))
        [number] = re.findall(r"news%2F(\d+)&", handler.path)
        row = f'{{"url": "http://en.alalam.ir/news/{number}", "timestamp": "20151023100000"}}'
        answer(handler, 200, row.encode())

    with NewsServer(SITE) as cdx:
        crowd = Crowd(
            lambda handler, before: (list_captures if "/cdx" in handler.path else replay)(
                handler, before
            ),
            1,
        )
        server.answer_with = cdx.answer_with = crowd
        settings = {
            "WAYBACK_URL": server.url.replace("://", "://user:word@") + "/web",
            "WAYBACK_CDX_URL": cdx.url + "/cdx",
            "WAYBACK_DELAY": "0.2",
            "CONCURRENT_REQUESTS": 8,
            "CONCURRENT_REQUESTS_PER_DOMAIN": 8,
        }
        run = crawl(
            seed=",".join(ids), depth=0, source="wayback", settings={**IMPATIENT, **settings}
        )
        requests = sorted([*server.requests, *cdx.requests])
    assert (set(run.articles), run.exit_code, crowd.peak) == (set(ids), 0, 1)
    password = f"Basic {b64encode(b'user:word').decode()}"
    assert Counter(authorizations) == {("list", None): 3, ("replay", password): 3}
    # The server takes a tenth of a second to respond.
    waits = [later - earlier for (earlier, _), (later, _) in pairwise(requests)]
    assert min(waits) >= 0.2 + 0.1 - TOLERANCE


@pytest.mark.slow
def test_redirects_of_an_archive(crawl: Crawl, server: NewsServer, tmp_path: Path) -> None:
    """Redirects to another capture stay on the server that the user named."""
    memento = {"Memento-Datetime": "Fri, 23 Oct 2015 10:00:00 GMT"}

    with NewsServer(SITE) as other:

        def serve(handler: BaseHTTPRequestHandler, before: int) -> None:
            if "/cdx" in handler.path:
                row = f'{{"url": "{ARCHIVED_URL}", "timestamp": "20151025090000"}}'
                answer(handler, 200, row.encode())
            elif "20151025090000" in handler.path:
                location = f"{other.url}/web/20151023100000id_/{ARCHIVED_URL}"
                answer(handler, 302, headers={"Location": location})
            else:
                answer(handler, 200, page(SEED), memento)

        server.answer_with = serve
        settings = {
            "WAYBACK_URL": server.url.replace("://", "://user:word@") + "/web",
            "WAYBACK_CDX_URL": f"{server.url}/cdx",
            "WAYBACK_DELAY": 0,
        }
        run = crawl(seed=SEED, depth=0, source="wayback", settings={**IMPATIENT, **settings})
        assert other.requests == []
    where = run.articles[SEED]["provenance"]["source"]["where"]
    assert where == f"{server.url}/web/20151023100000id_/{ARCHIVED_URL}"

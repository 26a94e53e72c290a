"""Crawls of a real HTTP server that misbehaves on request."""

import gzip
import subprocess
import time
from collections.abc import Callable
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import IMPATIENT, Crawl, command, environment, service
from server import NewsServer, answer

Misbehaviour = Callable[[BaseHTTPRequestHandler, int], None]
VICTIM = "1751821"


def always(status: int, body: bytes = b"", **headers: str) -> Misbehaviour:
    return lambda handler, before: answer(
        handler, status, body, {k.replace("_", "-"): v for k, v in headers.items()}
    )


def hang(handler: BaseHTTPRequestHandler, before: int) -> None:
    time.sleep(3)
    handler.close_connection = True


def drop(handler: BaseHTTPRequestHandler, before: int) -> None:
    handler.close_connection = True
    handler.connection.close()


# What the server does with one page, and what must come of it: reason, part of the detail, attempts, exit code.
FAILING: dict[str, tuple[Misbehaviour, str, str, int, int]] = {
    "404": (always(404), "gone", "404", 1, 0),
    "410": (always(410), "gone", "410", 1, 0),
    "403": (always(403), "http_4xx", "403", 1, 3),
    "500 always": (always(500), "http_5xx", "500", 3, 3),
    "429 always": (always(429), "http_4xx", "429", 3, 3),
    "304 unasked": (always(304), "http_3xx", "304", 1, 3),
    "hangs": (hang, "timeout", "", 3, 3),
    "closes": (drop, "connection_lost", "", 3, 3),
    "cut body": (always(200, b"<h1>cut", Content_Length="5000"), "cut_short", "", 3, 3),
    "cut gzip": (
        always(200, gzip.compress(b"<p>x</p>" * 99)[:30], Content_Encoding="gzip"),
        "cut_short",
        "gzip stream does not end within 30 bytes",
        1,
        3,
    ),
    "redirect loop": (
        always(302, Location=f"/news/{VICTIM}"),
        "redirect_loop",
        "redirections",
        1,
        3,
    ),
    "redirect off site": (
        always(302, Location="http://example.com/news/1"),
        "offsite_redirect",
        "http://example.com/news/1",
        1,
        3,
    ),
    "redirect to loopback": (
        always(301, Location="http://localhost:9/news/1"),
        "offsite_redirect",
        "localhost",
        1,
        3,
    ),
    "redirect to another port": (
        always(301, Location="http://127.0.0.1:9/news/1"),
        "private_address",
        "127.0.0.1",
        1,
        3,
    ),
    "redirect to no address": (
        always(302, Location="javascript:void(0)"),
        "http_3xx",
        "javascript",
        1,
        3,
    ),
    "redirect to a broken address": (
        always(302, Location="http://[bad"),
        "http_3xx",
        "http://[bad",
        1,
        3,
    ),
    "gzip bomb": (
        always(200, gzip.compress(b"x" * 10_000_000), Content_Encoding="gzip"),
        "too_large",
        "DOWNLOAD_MAXSIZE",
        1,
        3,
    ),
    "203 with gzip that is cut": (
        always(203, gzip.compress(b"<p>x</p>" * 99)[:30], Content_Encoding="gzip"),
        "cut_short",
        "gzip stream does not end",
        1,
        3,
    ),
    "no brotli": (
        always(200, b"\0\1\2\3 no brotli at all", Content_Encoding="br"),
        "unreadable",
        "br stream is damaged",
        1,
        3,
    ),
    "no deflate": (
        always(200, b"\0\1\2\3 no deflate at all", Content_Encoding="deflate"),
        "unreadable",
        "deflate stream is damaged",
        1,
        3,
    ),
    "a coding that nobody has": (
        always(200, b"\1\2\3", Content_Encoding="rot13"),
        "unreadable",
        "rot13",
        1,
        3,
    ),
    "202": (always(202, b"<h1>Just a moment</h1>"), "http_2xx", "202", 1, 3),
    "204": (always(204), "http_2xx", "204", 1, 3),
    "206": (
        always(206, b"<h1>Part</h1>", Content_Range="bytes 0-12/500"),
        "cut_short",
        "206",
        1,
        3,
    ),
    "404 with a false gzip header": (
        always(404, b"<h1>Not found</h1>" * 9, Content_Encoding="gzip"),
        "gone",
        "404",
        1,
        0,
    ),
    "404 with gzip that is cut": (
        always(404, gzip.compress(b"<h1>Not found</h1>" * 9)[:-9], Content_Encoding="gzip"),
        "gone",
        "404",
        1,
        0,
    ),
    "endless headers": (
        always(200, b"<h1>x</h1>", **{f"X-{number}": "y" for number in range(1001)}),
        "too_large",
        "1,000 lines",
        3,
        3,
    ),
    "large headers": (
        always(200, b"<h1>x</h1>", **{f"X-{number}": "y" * 9_000 for number in range(30)}),
        "too_large",
        "262,144 bytes",
        3,
        3,
    ),
    "status of no kind": (always(999), "http_5xx", "999", 1, 3),
    "pdf": (
        always(200, b"%PDF-1.7", Content_Type="application/pdf"),
        "not_html",
        "application/pdf",
        1,
        3,
    ),
    "image said to be html": (
        always(200, b"\x89PNG\r\n\x1a\n" + b"\0" * 50),
        "not_html",
        "PNG",
        1,
        3,
    ),
    "soft 404": (
        always(200, b"<title>x</title><h1>Page not found</h1><p>It does not exist any more.</p>"),
        "not_an_article",
        "not found",
        1,
        3,
    ),
    "login page": (
        always(200, b"<h1>Members</h1><form><input type=password></form><p>Please enter.</p>"),
        "not_an_article",
        "password",
        1,
        3,
    ),
    "empty page": (always(200, b""), "not_an_article", "no text", 1, 3),
    "too large": (always(200, b"x" * 200_000), "too_large", "", 1, 3),
    "another article": (
        always(
            200,
            b'<link rel=canonical href="/news/5"><h1>Some headline</h1><p>Some text of an article, with a full stop.</p>',
        ),
        "other_article",
        "article 5",
        1,
        3,
    ),
}


@pytest.mark.parametrize("case", FAILING)
def test_a_page_that_cannot_be_had(live: Crawl, server: NewsServer, case: str) -> None:
    misbehaviour, reason, detail, attempts, exit_code = FAILING[case]
    server.misbehaviour[f"/news/{VICTIM}"] = misbehaviour
    run = live(
        seed=1752038,
        depth=1,
        match="Advancing in Aleppo",
        settings={"DOWNLOAD_TIMEOUT": 1, "DOWNLOAD_MAXSIZE": 100_000},
    )
    assert set(run.articles) == {"1752038"}
    failure = run.failures[VICTIM]
    assert (failure["reason"], failure["attempts"]) == (reason, attempts)
    assert detail in failure["detail"]
    assert failure["headline"] == "Syrian Army Troops, Popular Forces Advancing in Aleppo"
    assert failure["listed_on"] == ["1752038"]
    assert run.exit_code == exit_code
    assert f"{VICTIM}: {reason}" in run.stderr
    assert "Traceback" not in run.stderr


def test_500_then_200(live: Crawl, server: NewsServer) -> None:
    page = server.pages[f"/news/{VICTIM}"]
    server.misbehaviour[f"/news/{VICTIM}"] = lambda handler, before: (
        answer(handler, 200, page) if before else answer(handler, 500)
    )
    run = live(seed=VICTIM, depth=0)
    assert run.exit_code == 0
    assert set(run.articles) == {VICTIM}


@pytest.mark.parametrize(
    ("retry_after", "ceiling", "least", "most"),
    [("2", 600, 1.9, 4), ("86400", 1, 0.9, 3), ("date", 600, 1.0, 4)],
    ids=["seconds", "above the ceiling", "date"],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_pauses_the_host(
    live: Crawl,
    server: NewsServer,
    status: int,
    retry_after: str,
    ceiling: int,
    least: float,
    most: float,
) -> None:
    def busy(handler: BaseHTTPRequestHandler, before: int) -> None:
        if before:
            answer(handler, 200, server.pages[f"/news/{VICTIM}"])
        else:
            value = (
                formatdate(time.time() + 3, usegmt=True) if retry_after == "date" else retry_after
            )
            answer(handler, status, b"", {"Retry-After": value})

    server.misbehaviour[f"/news/{VICTIM}"] = busy
    run = live(seed=1752038, depth=1, settings={"RETRY_AFTER_MAX": ceiling})
    assert run.exit_code == 0
    assert VICTIM in run.articles
    times = [at for at, path in server.asked if path.startswith("/news/")]
    refused = next(at for at, path in server.asked if path == f"/news/{VICTIM}")
    # Nobody is asked anything until the pause is over.
    pause = min(at for at in times if at > refused) - refused
    assert least <= pause <= most


def test_a_retry_after_of_no_time(live: Crawl, server: NewsServer) -> None:
    def busy(handler: BaseHTTPRequestHandler, before: int) -> None:
        if before:
            answer(handler, 200, server.pages[f"/news/{VICTIM}"])
        else:
            answer(handler, 503, b"", {"Retry-After": "Fri, 1 Jan 2100 00:00:00 +999999999999999"})

    server.misbehaviour[f"/news/{VICTIM}"] = busy
    assert set(live(seed=VICTIM, depth=0).articles) == {VICTIM}


@pytest.mark.parametrize("host", ["127.0.0.1", "LOCALHOST", "localhost"])
def test_base_url_however_it_is_written(crawl: Crawl, server: NewsServer, host: str) -> None:
    url = (
        server.url.replace("127.0.0.1", host).replace(":", ":0", 2).replace("http:0", "http:") + "/"
    )
    run = crawl(seed=1752038, depth=0, base_url=url, settings=IMPATIENT)
    assert set(run.articles) == {"1752038"}


def test_robots_txt(live: Crawl, server: NewsServer) -> None:
    server.robots = f"User-agent: neighbourhood-crawler\nDisallow: /news/{VICTIM}\n".encode()
    run = live(seed=1752038, depth=1)
    assert run.failures[VICTIM]["reason"] == "robots"
    assert VICTIM not in server.news_asked
    # Forbidden is an answer, not a fault.
    assert run.exit_code == 0


def test_each_page_is_asked_for_once(live: Crawl, server: NewsServer) -> None:
    run = live(seed=1752038, depth=4)
    assert sorted(server.news_asked) == sorted(set(server.news_asked))
    assert set(server.news_asked) == set(run.articles) | set(run.failures)
    assert all("neighbourhood-crawler" in agent for agent in server.user_agents)


def test_one_request_at_a_time_and_slowly_by_default(crawl: Crawl, server: NewsServer) -> None:
    run = crawl(seed=1752038, limit=4, base_url=server.url)
    assert run.exit_code == 0
    times = [at for at, path in server.asked if path.startswith("/news/")]
    assert min(later - earlier for earlier, later in pairwise(times)) >= 0.2


def test_a_site_that_is_down(live: Crawl, server: NewsServer) -> None:
    server.stop()
    run = live(seed=1752038)
    assert run.exit_code == 4
    assert run.failures["1752038"]["reason"] == "refused"
    assert "Traceback" not in run.stderr


def test_private_addresses_are_refused(tmp_path: Path, server: NewsServer) -> None:
    """The publisher's own name leads to this machine, as whoever owns its DNS could make it."""
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 en.alalam.ir localhost\n", encoding="utf-8")
    namespace = [
        "unshare",
        "--mount",
        "sh",
        "-c",
        f'mount --bind {hosts} /etc/hosts && exec "$@"',
        "sh",
    ]
    service(
        "unshare --mount, as root,",
        subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode == 0,
    )
    line = command("crawl", "articles", "-a", "seed=1752038")
    run = subprocess.run(
        [*namespace, *line],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "1752038: private_address (en.alalam.ir is at 127.0.0.1" in run.stderr
    assert run.returncode == 4
    assert server.asked == []


def test_redirects_on_the_site_are_followed(live: Crawl, server: NewsServer) -> None:
    server.pages[f"/news/{VICTIM}/slug"] = server.pages[f"/news/{VICTIM}"]
    server.misbehaviour[f"/news/{VICTIM}"] = always(301, Location=f"/news/{VICTIM}/slug")
    run = live(seed=VICTIM, depth=0)
    assert run.articles[VICTIM]["url"].endswith(f"/news/{VICTIM}/slug")


def test_a_redirect_to_the_home_page_is_no_article(live: Crawl, server: NewsServer) -> None:
    server.pages["/"] = server.pages["/news/1751832"]
    server.misbehaviour[f"/news/{VICTIM}"] = always(302, Location="/")
    run = live(seed=VICTIM, depth=0)
    assert run.failures[VICTIM]["reason"] == "not_an_article"
    assert "redirect" in run.failures[VICTIM]["detail"]

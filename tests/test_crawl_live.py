"""Test crawls of a real HTTP server that misbehaves on request."""

import gzip
import subprocess
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from conftest import IMPATIENT, PATIENCE, Crawl, command, environment
from server import NewsServer, answer
from services import require

Misbehaviour = Callable[[BaseHTTPRequestHandler, int], None]
SEED, VICTIM = "1752038", "1751821"


def always(status: int, body: bytes = b"", **headers: str) -> Misbehaviour:
    return lambda handler, before: answer(
        handler, status, body, {k.replace("_", "-"): v for k, v in headers.items()}
    )


def hang(handler: BaseHTTPRequestHandler, before: int) -> None:
    # No test waits for this thread.
    time.sleep(PATIENCE)


def drop(handler: BaseHTTPRequestHandler, before: int) -> None:
    handler.close_connection = True
    handler.connection.close()


def redirect_to_itself(handler: BaseHTTPRequestHandler, before: int) -> None:
    answer(handler, 302, b"", {"Location": handler.path})


# The server's response to a page, and the expected reason, part of the detail, and attempts.
FAILING: dict[str, tuple[Misbehaviour, str, str, int]] = {
    "404": (always(404), "gone", "404", 1),
    "410": (always(410), "gone", "410", 1),
    "403": (always(403), "http_4xx", "403", 1),
    "500 always": (always(500), "http_5xx", "500", 3),
    "429 always": (always(429), "http_4xx", "429", 3),
    "304 unasked": (always(304), "http_3xx", "304", 1),
    "hangs": (hang, "timeout", "", 3),
    "closes": (drop, "connection_lost", "Connection was closed cleanly.", 3),
    "cut body": (
        always(200, b"<h1>cut", Content_Length="5000"),
        "cut_short",
        "the body ended before it was complete",
        3,
    ),
    "cut gzip": (
        always(200, gzip.compress(b"<p>x</p>" * 99)[:30], Content_Encoding="gzip"),
        "cut_short",
        "gzip stream does not end within 30 bytes",
        1,
    ),
    "redirect loop": (
        redirect_to_itself,
        "redirect_loop",
        "redirections",
        1,
    ),
    "redirect off site": (
        always(302, Location="http://example.com/news/1"),
        "offsite_redirect",
        "http://example.com/news/1",
        1,
    ),
    "redirect to loopback": (
        always(301, Location="http://localhost:9/news/1"),
        "offsite_redirect",
        "localhost",
        1,
    ),
    "redirect to another port": (
        always(301, Location="http://127.0.0.1:9/news/1"),
        "private_address",
        "127.0.0.1",
        1,
    ),
    "redirect to no address": (
        always(302, Location="javascript:void(0)"),
        "http_3xx",
        "javascript",
        1,
    ),
    "redirect to a broken address": (
        always(302, Location="http://[bad"),
        "http_3xx",
        "http://[bad",
        1,
    ),
    "gzip bomb": (
        always(200, gzip.compress(b"x" * 10_000_000), Content_Encoding="gzip"),
        "too_large",
        "DOWNLOAD_MAXSIZE",
        1,
    ),
    "203 with gzip that is cut": (
        always(203, gzip.compress(b"<p>x</p>" * 99)[:30], Content_Encoding="gzip"),
        "cut_short",
        "gzip stream does not end",
        1,
    ),
    "no brotli": (
        always(200, b"\0\1\2\3 no brotli at all", Content_Encoding="br"),
        "unreadable",
        "br stream is damaged",
        1,
    ),
    "no deflate": (
        always(200, b"\0\1\2\3 no deflate at all", Content_Encoding="deflate"),
        "unreadable",
        "deflate stream is damaged",
        1,
    ),
    "a coding that nobody has": (
        always(200, b"\1\2\3", Content_Encoding="rot13"),
        "unreadable",
        "rot13",
        1,
    ),
    "202": (always(202, b"<h1>Just a moment</h1>"), "http_2xx", "202", 1),
    "204": (always(204), "http_2xx", "204", 1),
    "206": (
        always(206, b"<h1>Part</h1>", Content_Range="bytes 0-12/500"),
        "cut_short",
        "206",
        1,
    ),
    "404 with a false gzip header": (
        always(404, b"<h1>Not found</h1>" * 9, Content_Encoding="gzip"),
        "gone",
        "404",
        1,
    ),
    "404 with gzip that is cut": (
        always(404, gzip.compress(b"<h1>Not found</h1>" * 9)[:-9], Content_Encoding="gzip"),
        "gone",
        "404",
        1,
    ),
    "endless headers": (
        always(200, b"<h1>x</h1>", **{f"X-{number}": "y" for number in range(1001)}),
        "too_large",
        "1,000 lines",
        3,
    ),
    "large headers": (
        always(200, b"<h1>x</h1>", **{f"X-{number}": "y" * 9_000 for number in range(30)}),
        "too_large",
        "262,144 bytes",
        3,
    ),
    "status of no kind": (always(999), "http_5xx", "999", 1),
    "pdf": (
        always(200, b"%PDF-1.7", Content_Type="application/pdf"),
        "not_html",
        "application/pdf",
        1,
    ),
    "image said to be html": (
        always(200, b"\x89PNG\r\n\x1a\n" + b"\0" * 50),
        "not_html",
        "PNG",
        1,
    ),
    "soft 404": (
        always(200, b"<title>x</title><h1>Page not found</h1><p>It does not exist any more.</p>"),
        "not_an_article",
        "not found",
        1,
    ),
    "login page": (
        always(200, b"<h1>Members</h1><form><input type=password></form><p>Please enter.</p>"),
        "not_an_article",
        "password",
        1,
    ),
    "empty page": (always(200, b""), "not_an_article", "no article text", 1),
    "too large": (always(200, b"x" * 200_000), "too_large", "", 1),
    "another article": (
        always(
            200,
            b'<link rel=canonical href="/news/5"><h1>Some headline</h1>'
            b"<p>Some text of an article, with a full stop.</p>",
        ),
        "other_article",
        "article 5",
        1,
    ),
}


@pytest.mark.slow_after(3)
@pytest.mark.parametrize("reason", sorted({reason for _, reason, *_ in FAILING.values()}))
def test_pages_that_cannot_be_fetched(live: Crawl, server: NewsServer, reason: str) -> None:
    """Each crawl fetches all pages that fail for one reason, and one page that does not fail."""
    cases = {
        str(number): name
        for number, (name, (_, why, *_)) in enumerate(FAILING.items(), start=101)
        if why == reason
    }
    server.misbehaviour = {f"/news/{number}": FAILING[name][0] for number, name in cases.items()}
    limits: dict[str, object] = {"DOWNLOAD_MAXSIZE": 100_000}
    if reason == "timeout":
        limits["DOWNLOAD_TIMEOUT"] = 0.7
    run = live(seed=",".join((SEED, *cases)), depth=0, settings=limits)
    assert set(run.articles) == {SEED}
    actual = {
        name: (run.failures[number]["reason"], run.failures[number]["attempts"])
        for number, name in cases.items()
    }
    assert actual == {name: (reason, FAILING[name][3]) for name in cases.values()}
    for number, name in cases.items():
        assert FAILING[name][2] in run.failures[number]["detail"], name
        assert f"{number}: {reason} (" in run.stderr
    assert len(run.stderr.splitlines()) == len(cases)
    assert run.exit_code == (0 if reason == "gone" else 3)
    assert "Traceback" not in run.stderr


@pytest.mark.slow
@pytest.mark.parametrize("job", [{}, {"JOBDIR": "job"}], ids=["alone", "job"])
@pytest.mark.parametrize("retries", [0, 1])
def test_each_failure_is_one_line_of_the_log(
    live: Crawl, server: NewsServer, job: dict[str, object], retries: int
) -> None:
    ids = {str(number): name for number, name in enumerate(FAILING, start=101) if name != "hangs"}
    server.misbehaviour = {f"/news/{number}": FAILING[name][0] for number, name in ids.items()}
    limits = {"DOWNLOAD_MAXSIZE": 100_000, "RETRY_TIMES": retries, "SITE_DOWN_AFTER": 0}
    run = live(seed=",".join(ids), depth=0, settings={**limits, **job})
    lines = [line.split(" ", 2)[2].partition(" (")[0] for line in run.stderr.splitlines()]
    assert lines == [f"WARNING: {number}: {FAILING[name][1]}" for number, name in ids.items()]


@pytest.mark.slow
def test_a_robots_txt_that_fails_is_one_line_for_each_page(live: Crawl, server: NewsServer) -> None:
    server.misbehaviour["/robots.txt"] = always(500)
    run = live(seed=f"{SEED},{VICTIM}", depth=0)
    lines = run.stderr.splitlines()
    assert len(lines) == 2
    assert all("robots_unavailable" in line and "returned 500" in line for line in lines)


BROKEN_MIDDLEWARE = """
class Broken:
    def process_request(self, request):
        raise KeyError("no such key")
"""


@pytest.mark.slow
def test_an_internal_error_is_logged_once(live: Crawl, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(BROKEN_MIDDLEWARE, encoding="utf-8")
    run = live(seed=SEED, settings={"DOWNLOADER_MIDDLEWARES": '{"mine.Broken": 60}'})
    assert run.failures[SEED]["reason"] == "internal_error"
    records = [line for line in run.stderr.splitlines() if not line.startswith((" ", "Traceback"))]
    assert [line.split(" ", 2)[2] for line in records] == [f"ERROR: {SEED}: internal error"]


@pytest.mark.slow
def test_header_lines_at_the_limit(live: Crawl, server: NewsServer) -> None:
    # The status line, four other headers and the empty line also count.
    many = {f"X-{number}": "y" for number in range(994)}
    server.misbehaviour = {
        f"/news/{SEED}": always(200, server.pages[f"/news/{SEED}"], **many),
        f"/news/{VICTIM}": always(200, server.pages[f"/news/{VICTIM}"], **many, One_more="y"),
    }
    run = live(seed=f"{SEED},{VICTIM}", depth=0)
    assert set(run.articles) == {SEED}
    assert run.failures[VICTIM]["reason"] == "too_large"


@pytest.mark.slow
def test_a_failure_says_what_the_lists_say(live: Crawl, server: NewsServer) -> None:
    server.misbehaviour[f"/news/{VICTIM}"] = always(403)
    failure = live(seed=SEED, depth=1, match="Advancing in Aleppo").failures[VICTIM]
    assert failure["headline"] == "Syrian Army Troops, Popular Forces Advancing in Aleppo"
    assert (failure["listed_on"], failure["status"]) == ([SEED], 403)


@pytest.mark.slow
@pytest.mark.parametrize("host", ["127.0.0.1", "LOCALHOST", "localhost"])
def test_base_url_in_every_spelling(crawl: Crawl, server: NewsServer, host: str) -> None:
    url = (
        server.url.replace("127.0.0.1", host).replace(":", ":0", 2).replace("http:0", "http:") + "/"
    )
    run = crawl(seed=1752038, depth=0, base_url=url, settings=IMPATIENT)
    assert set(run.articles) == {"1752038"}


def test_each_page_is_requested_once(live: Crawl, server: NewsServer) -> None:
    run = live(seed=1752038, depth=4)
    assert sorted(server.requested_ids) == sorted(set(server.requested_ids))
    assert set(server.requested_ids) == set(run.articles) | set(run.failures)
    assert all("neighbourhood-crawler" in agent for agent in server.user_agents)


def test_a_site_that_is_down(live: Crawl, server: NewsServer) -> None:
    server.stop()
    run = live(seed=1752038)
    assert run.exit_code == 4
    assert run.failures["1752038"]["reason"] == "refused"
    assert "Traceback" not in run.stderr


@pytest.mark.slow
def test_private_addresses_are_refused(tmp_path: Path, server: NewsServer) -> None:
    """The publisher's own name resolves to this machine, as the owner of its DNS could arrange."""
    require("mounts")
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
    line = command("crawl", "articles", "-a", "seed=1752038", "-a", "source=live")
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
    assert server.requests == []


@pytest.mark.slow
def test_redirects_on_the_site_are_followed(live: Crawl, server: NewsServer) -> None:
    server.pages[f"/news/{VICTIM}/slug"] = server.pages[f"/news/{VICTIM}"]
    server.misbehaviour[f"/news/{VICTIM}"] = always(301, Location=f"/news/{VICTIM}/slug")
    run = live(seed=VICTIM, depth=0)
    assert run.articles[VICTIM]["url"] == f"{server.url}/news/{VICTIM}"
    assert run.articles[VICTIM]["aliases"] == [f"en.alalam.ir/news/{VICTIM}/slug"]


@pytest.mark.slow
def test_a_redirect_to_the_home_page_is_not_an_article(live: Crawl, server: NewsServer) -> None:
    server.pages["/"] = server.pages["/news/1751832"]
    server.misbehaviour[f"/news/{VICTIM}"] = always(302, Location="/")
    run = live(seed=VICTIM, depth=0)
    assert run.failures[VICTIM]["reason"] == "not_an_article"
    assert "redirect" in run.failures[VICTIM]["detail"]

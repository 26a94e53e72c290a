"""A web archive with bad captures, or one that sends something other than captures.

The server responds as the Wayback Machine does: with a CDX list in JSON, and with captures that
have a Memento-Datetime. Each row of a table is the response for the newest capture; the capture
before it is good.
"""

import gzip
import json
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from typing import Any

import pytest
from archives import NEWS, page
from conftest import IMPATIENT, Crawl, Run
from server import NewsServer, answer

ID = "1752038"
URL = NEWS + ID
OLD, NEW = "20151023100000", "20151025090000"
MEMENTO = {
    OLD: {"Memento-Datetime": "Fri, 23 Oct 2015 10:00:00 GMT"},
    NEW: {"Memento-Datetime": "Sun, 25 Oct 2015 09:00:00 GMT"},
}
Answer = Callable[[BaseHTTPRequestHandler], None]


def response(
    status: int, body: bytes = b"", timestamp: str | None = None, **headers: str
) -> Answer:
    named_headers = {name.replace("_", "-"): value for name, value in headers.items()}
    memento = MEMENTO[timestamp] if timestamp else {}
    return lambda handler: answer(handler, status, body, {**memento, **named_headers})


GOOD = response(200, page(ID), OLD)
BLOCKED = b"<html><title>x</title><h1>Just a moment</h1><p>Checking your browser</p></html>"


class Archive:
    """Replays ``captures``, by URL and timestamp; ``requests`` are the requested paths."""

    def __init__(
        self, server: NewsServer, captures: Mapping[tuple[str, str], Answer], **status_fields: str
    ) -> None:
        self.requests: list[str] = []
        self.url = f"{server.url}/web"
        names = ["urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length"]

        def serve(handler: BaseHTTPRequestHandler, before: int) -> None:
            self.requests.append(handler.path)
            if handler.path.startswith("/cdx"):
                rows = [
                    [
                        "x",
                        timestamp,
                        url,
                        "text/html",
                        status_fields.get("status", "200"),
                        timestamp,
                        "1",
                    ]
                    for url, timestamp in captures
                    if url.rpartition("//")[2].replace("/", "%2F") + "&" in handler.path
                ]
                answer(handler, 200, json.dumps([names, *rows] if rows else []).encode())
                return
            timestamp, _, url = handler.path.removeprefix("/web/").partition("id_/")
            captures[url, timestamp](handler)

        server.answer_with = serve

    @property
    def replayed(self) -> list[str]:
        return [path for path in self.requests if path.startswith("/web/")]


def crawl_archive(crawl: Crawl, archive: Archive, **settings: object) -> Run:
    wayback = {
        "WAYBACK_URL": archive.url,
        "WAYBACK_DELAY": 0,
        "WAYBACK_BACKOFF": 0,
        "RETRY_TIMES": 1,
    }
    run = crawl(seed=ID, depth=0, source="wayback", settings={**IMPATIENT, **wayback, **settings})
    assert "Traceback" not in run.stderr
    return run


OTHER_PAGE = f'<{NEWS}5>; rel="original", <http://x/>; rel="timegate"'
# The response for the newest capture, and part of the note about it.
NEWEST: dict[str, tuple[Answer, str]] = {
    "replays 500": (response(500, b"x", NEW), "http 5xx (500"),
    "500 of its own": (response(500, b"<h1>Internal fault</h1>"), "Internal fault"),
    "503 of its own": (response(503), "returned 503"),
    "empty": (response(200, b"", NEW), "not an article"),
    "block page": (response(200, BLOCKED, NEW), "Just a moment"),
    "404 of its own": (response(404), "returned 404"),
    "a capture of a 404": (response(404, b"x", NEW), "gone"),
    "204": (response(204, b"", NEW), "http 2xx (204"),
    "206": (response(206, page(ID)[:600], NEW), "cut short (206"),
    "not modified": (response(304, b"", NEW), "a 304 capture"),
    "another page": (response(200, page(ID), NEW, Link=OTHER_PAGE), f"another page, {NEWS}5"),
    "refused": (response(403, b"<title>x</title><p>Blocked Site Error</p>"), "Blocked Site Error"),
    "robots": (
        response(403, b"<p>org.archive.wayback.exception.RobotAccessControlException: no</p>"),
        "RobotAccessControlException: no",
    ),
    "law": (
        response(451, b"<p>Unavailable\x1b[31m for\n legal reasons</p>"),
        r"Unavailable\x1b[31m for legal",
    ),
    "an exception with status 200": (
        response(200, b"<p>" + b"word " * 99 + b"AdministrativeAccessControlException: x</p>"),
        "AdministrativeAccessControlException: x",
    ),
    "said in a header": (
        response(403, b"x", X_Archive_Wayback_Runtime_Error="ResourceNotInArchive: none"),
        "ResourceNotInArchive: none",
    ),
}


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("name", NEWEST)
def test_the_newest_capture_hides_no_older_one(crawl: Crawl, server: NewsServer, name: str) -> None:
    newest, note = NEWEST[name]
    run = crawl_archive(crawl, Archive(server, {(URL, OLD): GOOD, (URL, NEW): newest}))
    found = run.articles[ID]
    assert found["fetched_at"].startswith("2015-10-23")
    assumed = found["provenance"]["source"]["assumed"]
    assert assumed.startswith("passed over the capture of 2015-10-25 09:00:00 at ")
    assert note in assumed
    assert run.exit_code == 0


@pytest.mark.slow
def test_the_reason_given_by_an_archive_is_passed_on(crawl: Crawl, server: NewsServer) -> None:
    run = crawl_archive(crawl, Archive(server, {(URL, NEW): NEWEST["refused"][0]}))
    assert run.failures[ID]["reason"] == "http_4xx"
    assert run.failures[ID]["detail"].endswith("returned 403: x Blocked Site Error")
    run = crawl_archive(crawl, Archive(server, {(URL, NEW): NEWEST["another page"][0]}))
    assert run.failures[ID]["reason"] == "unreadable"


@pytest.mark.slow
def test_only_a_few_captures_are_tried(crawl: Crawl, server: NewsServer) -> None:
    days = [f"201510{day}100000" for day in range(10, 30)]
    blocked = response(200, BLOCKED, NEW)
    archive = Archive(
        server, {(URL, OLD): GOOD, **dict.fromkeys([(URL, d) for d in days], blocked)}
    )
    failure = crawl_archive(crawl, archive).failures[ID]
    assert failure["reason"] == "not_an_article"
    assert "4 other captures were tried and none is the article" in failure["detail"]
    assert len(archive.replayed) == 5


@pytest.mark.slow
def test_requests_to_an_archive_that_is_down_end_soon(crawl: Crawl, server: NewsServer) -> None:
    days = [(URL, f"201510{day}100000") for day in range(10, 30)]
    archive = Archive(server, dict.fromkeys(days, response(503)))
    assert crawl_archive(crawl, archive, RETRY_TIMES=3).failures[ID]["reason"] == "http_5xx"
    # Four requests for the first capture, and one for each of the others.
    assert len(archive.replayed) == 4 + 4


@pytest.mark.slow
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_an_archived_error_is_not_a_busy_archive(
    crawl: Crawl, server: NewsServer, status: int
) -> None:
    """The archived error is requested once, although it has a Retry-After of its own."""
    error = response(status, b"busy", NEW, Retry_After="1")
    archive = Archive(server, {(URL, OLD): GOOD, (URL, NEW): error})
    found = crawl_archive(crawl, archive, RETRY_TIMES=3).articles[ID]
    assert found["fetched_at"].startswith("2015-10-23")
    assert archive.replayed == [f"/web/{NEW}id_/{URL}", f"/web/{OLD}id_/{URL}"]


# A busy archive's response, the settings, and the seconds before each retry.
BUSY: dict[str, tuple[Answer, dict[str, object], list[float]]] = {
    "429": (response(429), {"WAYBACK_BACKOFF": 0.2}, [0.2, 0.4]),
    "500": (response(500), {"WAYBACK_BACKOFF": 0.2}, [0.2, 0.4]),
    "503": (response(503), {"WAYBACK_BACKOFF": 0.2}, [0.2, 0.4, 0.8]),
    "asks for a second": (response(503, Retry_After="1"), {"WAYBACK_BACKOFF": 0}, [1, 1]),
    "asks for none": (response(503, Retry_After="0"), {"WAYBACK_BACKOFF": 90_000}, [0, 0]),
    "asks for too much": (response(429, Retry_After="90000"), {"RETRY_AFTER_MAX": 0.3}, [0.3, 0.3]),
    "longest backoff": (
        response(503),
        {"WAYBACK_BACKOFF": 0.2, "RETRY_AFTER_MAX": 0.3},
        [0.2, 0.3],
    ),
    "slow by itself": (response(503), {"WAYBACK_BACKOFF": 0.1, "WAYBACK_DELAY": 0.3}, [0.3, 0.3]),
}


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("case", BUSY)
def test_a_busy_archive_is_tried_again(crawl: Crawl, server: NewsServer, case: str) -> None:
    busy, settings, delays = BUSY[case]
    responses = [*(busy for _ in delays), GOOD]
    archive = Archive(server, {(URL, OLD): lambda handler: responses.pop(0)(handler)})
    assert set(crawl_archive(crawl, archive, RETRY_TIMES=len(delays), **settings).articles) == {ID}
    times = [at for at, path in server.requests if path.startswith("/web/")]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    # The server records a request when its thread handles it, which is not always at once.
    assert len(pauses) == len(delays)
    assert all(pause >= delay - 0.12 for pause, delay in zip(pauses, delays, strict=True)), pauses


@pytest.mark.slow
def test_a_busy_archive_is_given_up(crawl: Crawl, server: NewsServer) -> None:
    archive = Archive(server, {(URL, OLD): response(429, b"<h1>Too many</h1>")})
    failure = crawl_archive(crawl, archive, RETRY_TIMES=2).failures[ID]
    url = f"{archive.url}/{OLD}id_/{URL}"
    detail = f"127.0.0.1: attempt 3 returned 429 for {url}: Too many"
    assert (failure["reason"], failure["detail"]) == ("http_4xx", detail)
    assert len(archive.replayed) == 3


@pytest.mark.slow
def test_pages_of_every_address_come_before_errors(crawl: Crawl, server: NewsServer) -> None:
    elsewhere = f"http://en.alalamtv.net/news/{ID}"
    archive = Archive(server, {(elsewhere, OLD): GOOD, (URL, NEW): response(404, b"x", NEW)})
    found = crawl_archive(crawl, archive).articles[ID]
    assert found["url"] == elsewhere


@pytest.mark.slow
@pytest.mark.parametrize("coding", ["", None])
def test_gzip_bytes_without_a_content_encoding(
    crawl: Crawl, server: NewsServer, coding: str | None
) -> None:
    headers = {} if coding is None else {"Content_Encoding": coding}
    gzipped = response(200, gzip.compress(page(ID)), OLD, **headers)
    assert set(crawl_archive(crawl, Archive(server, {(URL, OLD): gzipped})).articles) == {ID}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Content_Type", "X_Archive_Orig_Content_Type"])
def test_the_charset_that_the_site_declared(crawl: Crawl, server: NewsServer, name: str) -> None:
    text = page(ID).decode().replace("<h1>", "<h1>Мост открыт. ", 1)
    headers = {"Content_Type": "", name: "text/html; charset=windows-1251"}
    capture = response(200, text.encode("windows-1251"), OLD, **headers)
    found = crawl_archive(crawl, Archive(server, {(URL, OLD): capture})).articles[ID]
    assert found["headline"].startswith("Мост открыт. ")


@pytest.mark.slow
def test_a_redirect_is_followed_to_a_good_capture(crawl: Crawl, server: NewsServer) -> None:
    """The captures of the redirect's target are tried too, before those of the article."""
    target = f"{URL}/bridge-reopens"
    redirect = response(302, b"", NEW, Location=f"/web/{NEW}id_/{target}")
    captures: dict[tuple[str, str], Any] = {
        (URL, NEW): redirect,
        (target, NEW): response(200, BLOCKED, NEW),
        (target, OLD): GOOD,
    }
    found = crawl_archive(crawl, Archive(server, captures, status="-")).articles[ID]
    assert (found["url"], found["fetched_at"][:10]) == (URL, "2015-10-23")
    assert found["aliases"] == [target.removeprefix("http://")]
    assert "Just a moment" in found["provenance"]["source"]["assumed"]


@pytest.mark.slow
def test_a_temporary_fault_makes_no_revision_of_an_older_capture(
    crawl: Crawl, server: NewsServer
) -> None:
    older = response(200, page(ID, " a year before"), OLD)
    captures = {(URL, OLD): older, (URL, NEW): response(200, page(ID), NEW)}
    archive = Archive(server, captures)
    job_settings = {"JOBDIR": "job", "RECHECK_MIN": 0, "RECHECK_MAX": 0}
    assert crawl_archive(crawl, archive, **job_settings).exit_code == 0
    captures[URL, NEW] = response(503)
    run = crawl_archive(crawl, archive, **job_settings)
    assert (run.articles, run.failures[ID]["reason"]) == ({}, "http_5xx")
    captures[URL, NEW] = response(200, page(ID), NEW)
    run = crawl_archive(crawl, archive, **job_settings)
    assert (run.articles, run.exit_code) == ({}, 0)
    assert "1 unchanged" in run.stdout


@pytest.mark.slow
def test_after_a_429_no_other_capture_is_requested(crawl: Crawl, server: NewsServer) -> None:
    archive = Archive(server, {(URL, OLD): GOOD, (URL, NEW): response(429)})
    run = crawl_archive(crawl, archive)
    assert (run.failures[ID]["reason"], run.exit_code) == ("http_4xx", 4)
    assert not any(OLD in path for path in archive.replayed)

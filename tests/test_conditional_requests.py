"""Test the conditional requests of a crawl with a ledger (RFC 9110, 13.1)."""

from collections import defaultdict
from http.server import BaseHTTPRequestHandler
from typing import NamedTuple

import pytest
from conftest import IMPATIENT, Crawl
from server import NewsServer, answer

pytestmark = [pytest.mark.usefixtures("ledger")]

ALWAYS_DUE = {**IMPATIENT, "JOBDIR": "job", "RECHECK_MIN": 0, "RECHECK_MAX": 0.001}
MONDAY, TUESDAY = "Mon, 05 Jan 2026 10:00:00 GMT", "Tue, 06 Jan 2026 10:00:00 GMT"


def page(text: str) -> bytes:
    """Return the page of an article, or a page without one if ``text`` is empty."""
    body = f"<p>{text} is what it says, in a sentence that is long enough to be one.</p>" * 3
    date = "<span>Fri Oct 23, 2015 13:26:08</span>"
    whole = f'<h1>A headline and no other</h1>{date}<div>{body}</div>string(2) "[]"'
    return f"<html>{whole if text else '<p>Nothing.</p>'}</html>".encode()


class Visit(NamedTuple):
    """The expected conditions of a request, and its response."""

    conditions: dict[str, str]
    status: int
    validators: dict[str, str]
    text: str = "one"


def etag(value: str) -> dict[str, str]:
    return {"ETag": value}


def modified(value: str) -> dict[str, str]:
    return {"Last-Modified": value}


def if_other(value: str) -> dict[str, str]:
    return {"If-None-Match": value}


def if_since(value: str) -> dict[str, str]:
    return {"If-Modified-Since": value}


# All visits to an article in four runs, and the resulting number of revisions.
VISITS: dict[str, tuple[list[Visit], int]] = {
    "no validators": ([Visit({}, 200, {})] * 4, 1),
    "Last-Modified alone": (
        [
            Visit({}, 200, modified(MONDAY)),
            Visit(if_since(MONDAY), 304, {}),
            Visit(if_since(MONDAY), 200, modified(TUESDAY), "two"),
            Visit(if_since(TUESDAY), 304, {}),
        ],
        2,
    ),
    "a time as the server writes it": (
        [
            Visit({}, 200, modified("Monday, 05-Jan-26 10:00:00 GMT")),
            *[Visit(if_since("Monday, 05-Jan-26 10:00:00 GMT"), 304, {})] * 3,
        ],
        1,
    ),
    "both": (
        [
            Visit({}, 200, etag('"1"') | modified(MONDAY)),
            Visit(if_other('"1"') | if_since(MONDAY), 304, {}),
            Visit(if_other('"1"') | if_since(MONDAY), 200, etag('W/"2"')),
            Visit(if_other('W/"2"'), 304, {}),
        ],
        1,
    ),
    "other than ASCII": ([Visit({}, 200, etag('"é"')), *[Visit(if_other('"é"'), 304, {})] * 3], 1),
    "another one over the same text": (
        [
            Visit({}, 200, etag('"1"')),
            Visit(if_other('"1"'), 200, etag('"2"')),
            Visit(if_other('"2"'), 200, modified(MONDAY)),
            Visit(if_since(MONDAY), 200, {}),
        ],
        1,
    ),
    "none over the same text": (
        [Visit({}, 200, etag('"1"')), Visit(if_other('"1"'), 200, {}), *[Visit({}, 200, {})] * 2],
        1,
    ),
    "gone and back": (
        [
            Visit({}, 200, etag('"1"')),
            Visit(if_other('"1"'), 404, etag('"gone"')),
            Visit({}, 200, etag('"1"')),
            Visit(if_other('"1"'), 304, {}),
        ],
        2,
    ),
    "a failure": (
        [
            Visit({}, 200, etag('"1"')),
            Visit(if_other('"1"'), 403, etag('"403"')),
            Visit(if_other('"1"'), 200, etag('"no article"'), ""),
            Visit(if_other('"1"'), 304, {}),
        ],
        1,
    ),
    "never an article": (
        [Visit({}, 403, etag('"1"')), Visit({}, 404, etag('"1"')), *[Visit({}, 403, {})] * 2],
        0,
    ),
    "a server that knows no conditions": (
        [
            Visit({}, 200, etag('"1"')),
            Visit(if_other('"1"'), 412, {}),
            Visit({}, 200, etag('"2"')),
            Visit(if_other('"2"'), 304, {}),
            Visit(if_other('"2"'), 304, {}),
        ],
        1,
    ),
}


HERE, ELSEWHERE = "http://en.alalam.ir", "http://en.alalamtv.net"
LONGER = f"{HERE}/news/1700001/the-story-of-a-bridge"
# The requests to the publisher's servers in four runs, their conditions and responses.
SERVERS: list[tuple[str, Visit]] = [
    (f"{HERE}/news/1700001", Visit({}, 200, etag('"here"') | modified(MONDAY))),
    (
        f"{HERE}/news/1700001",
        Visit(
            if_other('"here"') | if_since(MONDAY), 302, {"Location": f"{ELSEWHERE}/news/1700001"}
        ),
    ),
    (f"{ELSEWHERE}/news/1700001", Visit({}, 200, etag('"elsewhere"') | modified(MONDAY))),
    # Nor are the validators of the second server sent to the first.
    (f"{HERE}/news/1700001", Visit({}, 302, {"Location": LONGER})),
    (LONGER, Visit({}, 200, etag('"here again"'))),
    # Validators may be sent to another URL of the same server.
    (f"{HERE}/news/1700001", Visit(if_other('"here again"'), 302, {"Location": LONGER})),
    (LONGER, Visit(if_other('"here again"'), 304, {})),
]


@pytest.mark.slow
def test_a_redirect_to_another_server(
    crawl: Crawl, server: NewsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Validators are not sent to another server, because its version may well be older."""
    requests: list[tuple[str, dict[str, str]]] = []

    def respond(handler: BaseHTTPRequestHandler, before: int) -> None:
        if handler.path.endswith("/robots.txt"):
            answer(handler, 404)
            return
        _, status, headers, text = SERVERS[len(requests)][1]
        requests.append((handler.path, conditions(handler)))
        answer(handler, status, page(text) if status == 200 else b"", headers)

    # The test server acts as a proxy for both.
    monkeypatch.setenv("http_proxy", server.url)
    server.answer_with = respond
    for _ in range(4):
        assert crawl(seed="1700001", depth=0, settings=ALWAYS_DUE).exit_code == 0
    assert requests == [(url, visit.conditions) for url, visit in SERVERS]


@pytest.mark.slow
def conditions(handler: BaseHTTPRequestHandler) -> dict[str, str]:
    names = ("If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "If-Range")
    return {name: handler.headers[name] for name in names if name in handler.headers}


@pytest.mark.slow
def test_conditions(live: Crawl, scrapy: Crawl, server: NewsServer) -> None:
    requests: dict[str, list[dict[str, str]]] = defaultdict(list)
    ids = {case: str(1_700_001 + number) for number, case in enumerate(VISITS)}

    def serve(case: str) -> None:
        def respond(handler: BaseHTTPRequestHandler, before: int) -> None:
            requests[case].append(conditions(handler))
            _, status, validators, text = VISITS[case][0][before]
            answer(handler, status, page(text) if status == 200 else b"", validators)

        server.misbehaviour[f"/news/{ids[case]}"] = respond

    for case in VISITS:
        serve(case)
    for _ in range(4):
        live(seed=",".join(ids.values()), depth=0, settings=ALWAYS_DUE)
    assert requests == {
        case: [visit.conditions for visit in visits] for case, (visits, _) in VISITS.items()
    }
    exported = scrapy("export", "-s", "JOBDIR=job", "--revisions").stdout
    revisions = {case: exported.count(f'"id":"{ids[case]}"') for case in VISITS}
    assert revisions == {case: count for case, (_, count) in VISITS.items()}

"""Test crawls of an archive on the web that is busy, as the Wayback Machine often is."""

import json
import signal
import subprocess
import time
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path

import pytest
from archive_crawls import ARTICLE, URL
from archives import page
from conftest import PATIENCE, Crawl, command, environment
from hosted import hosted
from server import NewsServer, answer


@pytest.mark.slow
def test_an_archive_on_the_web_that_is_busy(
    live: Crawl, server: NewsServer, tmp_path: Path
) -> None:
    """The server imitates the Wayback Machine: JSON, headers, redirects to a capture's time."""
    rows = [["urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length"]]
    rows += [
        ["x", "20151023100000", URL, "text/html", "200", "A", "1"],
        ["x", "20140101000000", URL, "text/html", "200", "B", "1"],
    ]
    requests: list[tuple[float, str]] = []

    def respond(handler: BaseHTTPRequestHandler, before: int) -> None:
        requests.append((time.monotonic(), handler.path))
        if len(requests) == 1:
            answer(handler, 429, headers={"Retry-After": "1"})
        elif len(requests) == 3:
            answer(handler, 503)
        elif handler.path.startswith(
            "/cdx/search/cdx?url=http%3A%2F%2Fen.alalam.ir%2Fnews%2F1700001&"
        ):
            answer(handler, 200, json.dumps(rows if ARTICLE in handler.path else []).encode())
        elif handler.path.startswith("/cdx"):
            answer(handler, 200, b"[]")
        elif handler.path == f"/web/20140101000000id_/{URL}":
            # The Wayback Machine redirects to the time of its capture.
            answer(handler, 302, headers={"Location": f"/web/20140101000007id_/{URL}"})
        else:
            answer(
                handler,
                200,
                page(ARTICLE),
                {
                    "Memento-Datetime": "Wed, 01 Jan 2014 00:00:07 GMT",
                    "X-Archive-Orig-Server": "IIS",
                },
            )

    server.answer_with = respond
    wayback = {
        "WAYBACK_URL": f"{server.url}/web",
        "WAYBACK_DELAY": 0.3,
        "WAYBACK_BACKOFF": 0.5,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 8,
    }
    run = live(
        seed=f"{ARTICLE},1700002",
        depth=0,
        base_url="http://en.alalam.ir",
        source="wayback",
        at="2014-01-01",
        settings=wayback,
    )
    record = run.articles[ARTICLE]
    assert (record["source"], record["fetched_at"]) == (
        "wayback",
        "2014-01-01T00:00:07.000000+00:00",
    )
    assert record["provenance"]["source"]["where"] == f"{server.url}/web/20140101000007id_/{URL}"
    assert run.teasers["1700002"]["why"] == "not_saved"
    assert "closest=20140101120000" in requests[0][1]
    pauses = [later - earlier for (earlier, _), (later, _) in pairwise(requests)]
    assert min(pauses) >= 0.29
    assert pauses[0] >= 1
    assert run.exit_code == 0
    del requests[:]
    server.answer_with = lambda handler, before: answer(handler, 503)
    dead = live(
        seed=ARTICLE,
        depth=0,
        base_url="http://en.alalam.ir",
        source="wayback",
        settings={**wayback, "RETRY_TIMES": 1},
    )
    assert dead.failures[ARTICLE]["reason"] == "http_5xx"
    assert "attempt 2 returned" in dead.failures[ARTICLE]["detail"]
    wrong = live(seed=1, source="wayback", settings={"WAYBACK_URL": "web.archive.org"})
    assert (wrong.exit_code, "WAYBACK_URL: got 'web.archive.org'" in wrong.stderr) == (2, True)


@pytest.mark.slow
def test_stopped_while_waiting_for_an_archive_on_the_web(
    server: NewsServer, tmp_path: Path
) -> None:
    server.answer_with = lambda handler, before: answer(handler, 429, headers={"Retry-After": "60"})
    wayback = (
        "-a",
        "source=wayback",
        "-s",
        f"WAYBACK_URL={server.url}/web",
        "-s",
        "WAYBACK_DELAY=0",
    )
    line = command(
        "crawl", "articles", "-a", f"seed={ARTICLE},1700002", *wayback, "-s", "JOBDIR=job"
    )
    with subprocess.Popen(
        line,
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as run:
        while not server.requests and run.poll() is None:
            time.sleep(0.05)
        run.send_signal(signal.SIGINT)
        output, _ = run.communicate(timeout=PATIENCE)
    # Nothing was stored, and nothing is lost.
    assert run.returncode == 4, output
    assert "discovered 2 = articles 0 + teasers 0 + failures 0 + pending 2" in output


def test_the_first_command_that_anyone_types(
    scrapy: Crawl, server: NewsServer, tmp_path: Path
) -> None:
    """The site of 2015 is dead, and its publisher file names the Wayback Machine as well."""
    capture = [["timestamp", "original", "mimetype", "statuscode", "digest"]]
    capture += [["20151023100000", URL, "text/html", "200", "A"]]

    def respond(handler: BaseHTTPRequestHandler, before: int) -> None:
        if handler.path.startswith("/cdx"):
            answer(handler, 200, json.dumps(capture if ARTICLE in handler.path else []).encode())
        else:
            moment = {"Memento-Datetime": "Fri, 23 Oct 2015 10:00:00 GMT"}
            answer(handler, 200, page(ARTICLE), moment)

    server.answer_with = respond
    (tmp_path / "hosts").mkdir()
    settings = {"WAYBACK_URL": f"{server.url}/web", "WAYBACK_DELAY": 0, "RETRY_BACKOFF": 0}
    # The proxy answers for no host of the publisher.
    with hosted({}, tmp_path / "hosts") as web:
        run = scrapy(
            *("crawl", "articles", "-a", f"seed={ARTICLE}", "-o", "mine.jsonl"),
            *(f"-s{name}={value}" for name, value in settings.items()),
            **{**web.environment, "no_proxy": "127.0.0.1"},
        )
    assert run.exit_code == 0
    first = run.stderr.splitlines()[0]
    hosts = "en.alalam.ir, en.alalamtv.net"
    assert f"asking the live site ({hosts}), then {server.url}/web" in first
    record = json.loads((tmp_path / "mine.jsonl").read_text(encoding="utf-8"))
    assert (record["id"], record["site"], record["source"]) == (ARTICLE, "alalam", "wayback")

"""Several workers together burden a site no more than one would: measured at the server.

The server's operating system notes when each request arrives.
"""

import signal
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import IMPATIENT, PATIENCE
from databases import Server
from kill import log_of
from server import NewsServer, answer
from team_crawls import LEASE, Team, feeds_in, team_of
from test_crawl_live import always
from test_manners import Crowd, serve_articles, serving_pages

PAGES = 24


@pytest.fixture(autouse=True)
def serve(server: NewsServer) -> None:
    serve_articles(server, PAGES)


@contextmanager
def polite_team(
    server: NewsServer,
    folder: Path,
    postgresql: Server,
    database: str,
    settings: dict[str, object],
    seeds: list[str] | None = None,
) -> Iterator[Team]:
    """Start three workers that crawl all pages of a server."""
    ids = [path.removeprefix("/news/") for path in server.pages]
    words = ["crawl", "articles", f"-aseed={','.join(seeds or ids)}", "-adepth=0"]
    words += [f"-abase_url={server.url}"] if seeds is None else ["-ahosts=any"]
    # However slow a worker is, its pages should not be fetched again.
    defaults = {**IMPATIENT, "WORKER_LEASE": PATIENCE}
    words += [f"-s{name}={value}" for name, value in {**defaults, **settings}.items()]
    with team_of(3, words, folder, postgresql, database) as team:
        yield team


def all_crawled(team: Team, count: int = PAGES) -> None:
    """Wait for the end; check that each page has one article."""
    assert {worker.exit_code() for worker in team.workers if not worker.was_killed} == {0}
    records = team.records()
    assert len(records) == len({record["id"] for record in records}) == count, team.logs()
    assert {record["kind"] for record in records} == {"article"}


def gaps(server: NewsServer) -> list[float]:
    """Return the seconds between the arrivals of consecutive requests, robots.txt included."""
    times = sorted(at for at, _ in server.requests)
    return [later - earlier for earlier, later in pairwise(times)]


# The rules of robots.txt, the settings, the least seconds between two requests, and the most
# requests at a time.
DELAYS: dict[str, tuple[str, dict[str, object], float, int]] = {
    "of the settings": ("", {"DOWNLOAD_DELAY": 0.2}, 0.2, 1),
    "of robots.txt": ("Crawl-delay: 0.3", {}, 0.3, 1),
    "of robots.txt, with AutoThrottle": (
        "Crawl-delay: 0.3",
        {"AUTOTHROTTLE_ENABLED": 1, "DOWNLOAD_DELAY": 0.1},
        0.3,
        1,
    ),
    "of a slow page": ("", {"DOWNLOAD_DELAY": 0.01}, 0.01, 1),
    "two at a time": ("", {"DOWNLOAD_DELAY": 0.1, "CONCURRENT_REQUESTS_PER_DOMAIN": 2}, 0.1, 2),
    "no delay": ("", {}, 0, 1),
    "no delay, two at a time": ("", {"CONCURRENT_REQUESTS_PER_DOMAIN": 2}, 0, 2),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", DELAYS)
def test_one_host(
    server: NewsServer,
    postgresql: Server,
    database: str,
    tmp_path: Path,
    case: str,
) -> None:
    rules, settings, seconds, most = DELAYS[case]
    server.robots = f"User-agent: *\n{rules}\n".encode()
    crowd = Crowd(serving_pages(server), most)
    server.misbehaviour = dict.fromkeys(server.pages, crowd)
    with polite_team(server, tmp_path, postgresql, database, settings) as team:
        all_crawled(team)
    assert min(gaps(server)) >= seconds
    assert crowd.peak == most
    paths = Counter(path for _, path in server.requests)
    assert set(paths.values()) == {1}, paths


@pytest.mark.slow
def test_each_host_has_a_pace_of_its_own(
    server: NewsServer, postgresql: Server, database: str, tmp_path: Path
) -> None:
    port = server.url.rpartition(":")[2]
    hosts = {number: f"{name}:{port}" for number, name in enumerate(("127.0.0.1", "localhost"))}
    seeds = [f"http://{hosts[number % 2]}{path}" for number, path in enumerate(server.pages)]
    crowds = {host: Crowd(serving_pages(server), 1) for host in hosts.values()}

    def respond(handler: BaseHTTPRequestHandler, before: int) -> None:
        crowds[handler.headers["Host"]](handler, before)

    server.misbehaviour = dict.fromkeys(server.pages, respond)
    settings: dict[str, object] = {"DOWNLOAD_DELAY": 0.3}
    with polite_team(server, tmp_path, postgresql, database, settings, seeds) as team:
        all_crawled(team)
    assert {crowd.peak for crowd in crowds.values()} == {1}
    times = defaultdict(list)
    for at, path in server.requests:
        if path in server.pages:
            times[list(server.pages).index(path) % 2].append(at)
    for of_host in times.values():
        assert min(later - earlier for earlier, later in pairwise(sorted(of_host))) >= 0.3
    # One host after the other would take twice as long.
    assert sorted(server.requests)[-1][0] - sorted(server.requests)[0][0] < 0.3 * PAGES


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0, 0.1])
@pytest.mark.parametrize("at_once", [1, 3])
def test_retry_after_holds_back_all_workers(
    server: NewsServer,
    postgresql: Server,
    database: str,
    tmp_path: Path,
    delay: float,
    at_once: int,
) -> None:
    pause = 3
    answered: list[float] = []

    def later(handler: BaseHTTPRequestHandler, before: int) -> None:
        if before:
            serve_page(handler, before)
        else:
            answer(handler, 503, headers={"Retry-After": str(pause)})
            answered.append(time.monotonic())

    serve_page = serving_pages(server)
    busy = list(server.pages)[PAGES // 2]
    server.misbehaviour[busy] = later
    settings = {"DOWNLOAD_DELAY": delay, "CONCURRENT_REQUESTS_PER_DOMAIN": at_once}
    with polite_team(server, tmp_path, postgresql, database, settings) as team:
        all_crawled(team)
    [began] = answered
    # Requests that were on their way when the answer came cannot be held back.
    on_their_way = 0.15 if at_once > 1 else 0.0
    between = [
        (path, at - began)
        for at, path in server.requests
        if began + on_their_way < at < began + pause
    ]
    assert not between
    assert [path for _, path in server.requests].count(busy) == 2


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM])
def test_workers_that_vanish(
    server: NewsServer,
    postgresql: Server,
    database: str,
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    settings = {"DOWNLOAD_DELAY": 0.2, "WORKER_LEASE": LEASE}
    with polite_team(server, tmp_path, postgresql, database, settings) as team:
        for count in (4, 10):
            team.wait_until_delivered(count)
            worker = team.others()[0]
            if number == signal.SIGKILL:
                worker.kill()
            elif number == signal.SIGSTOP:
                worker.stop_for(3)
            else:
                worker.signal(number)
                worker.exit_code()
                worker.was_killed = True
        all_crawled(team)
    assert min(gaps(server)) >= 0.2


@pytest.mark.slow
def test_a_host_that_is_down_is_found_out_once(
    server: NewsServer, postgresql: Server, database: str, tmp_path: Path
) -> None:
    server.misbehaviour = dict.fromkeys(list(server.pages)[4:], always(503))
    settings = {"SITE_DOWN_AFTER": 5, "RETRY_TIMES": 0}
    with polite_team(server, tmp_path, postgresql, database, settings) as team:
        assert {worker.exit_code() for worker in team.workers} == {3}
        records = feeds_in(*(worker.folder for worker in team.workers))
        message = "live is down: 5 pages in a row failed with http_5xx"
        logs = "".join(log_of(worker.folder) for worker in team.workers)
    failures = [record for record in records if record["kind"] == "failure"]
    assert len(failures) == 5
    assert message in logs
    # One process orders some pages ahead, so that its workers need not wait for it.
    assert len(server.requested_ids) <= 4 + 5 + 4

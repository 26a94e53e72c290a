"""Browsers that are missing, die, hang or fail, and a Splash that requires a password.

Every test with the ``browser`` fixture runs twice: with a real Splash and with a real Chromium.
"""

import json
import subprocess
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from conftest import Crawl, free_port, splash
from rendered import (
    LATE,
    PLAIN,
    SEED,
    Render,
    each_browser,  # noqa: F401
    render_with_browser,  # noqa: F401
    scripted,
)
from server import NewsServer, answer
from services import require
from test_crawl_live import always


@pytest.mark.slow
def test_chromium_that_dies_is_restarted(live: Crawl, server: NewsServer) -> None:
    require("Chromium")

    def kill_it(handler: BaseHTTPRequestHandler, before: int) -> None:
        children = subprocess.run(
            ["pgrep", "-f", f"chromium.*{marker}"], capture_output=True, text=True, check=False
        ).stdout.split()
        subprocess.run(["kill", "-9", *children], check=False)
        killed.append(len(children))
        answer(handler, 200, b"")

    killed: list[int] = []
    marker = f"--lang=x-{free_port()}"
    server.pages[f"/news/{SEED}"] = PLAIN.replace(
        "</body>", "<script src=/die.js></script></body>"
    ).encode()
    server.misbehaviour["/die.js"] = lambda handler, before: (
        answer(handler, 200) if before else kill_it(handler, before)
    )
    run = live(
        seed=SEED,
        depth=1,
        render="playwright",
        settings={"PLAYWRIGHT_LAUNCH_OPTIONS": json.dumps({"args": [marker]})},
    )
    assert killed and killed[0] > 0
    assert len(run.articles) == 7
    assert run.exit_code == 0


def nowhere(browser: str) -> dict[str, object]:
    """Return settings for a browser that does not exist."""
    if browser == "splash":
        return {"SPLASH_URL": f"http://127.0.0.1:{free_port()}"}
    return {"PLAYWRIGHT_LAUNCH_OPTIONS": json.dumps({"executable_path": "/nonexistent/chromium"})}


@pytest.mark.slow
def test_a_run_without_its_browser_stops_and_loses_nothing(
    render: Render, browser: str, server: NewsServer, scrapy: Crawl, tmp_path: Path
) -> None:
    job = {"JOBDIR": tmp_path / "job"}
    run = render(seed=SEED, depth=1, settings={**job, **nowhere(browser)})
    assert run.exit_code == 4
    assert not run.records
    assert ("SPLASH_URL" if browser == "splash" else "install it") in run.stderr
    assert "stopped: " in run.stdout
    assert "Traceback" not in run.stderr
    assert server.requested_ids == [SEED]
    assert "pending 1" in scrapy("status", "-s", f"JOBDIR={job['JOBDIR']}").stdout
    resumed = render(seed=SEED, depth=1, settings=job)
    assert resumed.exit_code == 0
    assert len(resumed.articles) == 7
    forgetful = render(seed=f"{SEED},1751821", depth=0, settings=nowhere(browser))
    assert forgetful.exit_code == 4
    assert {record["why"] for record in forgetful.teasers.values()} == {"interrupted"}
    assert not forgetful.failures


@pytest.mark.slow
def test_a_page_that_hangs_its_browser(
    render: Render, browser: str, live: Crawl, server: NewsServer, scrapy: Crawl, tmp_path: Path
) -> None:
    server.pages[f"/news/{SEED}"] = scripted("while (true) {}")
    settings = {"RENDER_TIMEOUT": 1, "SPLASH_SLOT_TIMEOUT": 1, "JOBDIR": tmp_path / "job"}
    arguments = {"seed": f"{SEED},1751821", "depth": 0}
    if browser == "playwright":
        run = render(**arguments, settings=settings)
        assert set(run.articles) == {"1751821"}
        assert run.exit_code == 3
    else:
        # The page makes the whole of Splash hang, so this test starts its own.
        with splash() as (url, _):
            run = render(**arguments, settings={**settings, "SPLASH_URL": url})
        assert run.exit_code == 4
        assert "pending 1" in scrapy("status", "-s", f"JOBDIR={settings['JOBDIR']}").stdout
    assert run.failures[SEED]["reason"] == "not_rendered"
    assert "may have hung it" in run.failures[SEED]["detail"]


@pytest.mark.slow
def test_a_splash_that_dies_midway(
    live: Crawl, server: NewsServer, scrapy: Crawl, tmp_path: Path
) -> None:
    job = {"JOBDIR": tmp_path / "job"}
    with splash() as (url, kill):

        def dies(handler: BaseHTTPRequestHandler, before: int) -> None:
            kill()
            answer(handler, 200, server.pages["/news/1751832"])

        server.misbehaviour["/news/1751832"] = dies
        run = live(seed=SEED, depth=1, render="splash", settings={**job, "SPLASH_URL": url})
    assert run.exit_code == 4
    assert SEED in run.articles
    assert not run.failures
    with splash() as (url, _):
        resumed = live(seed=SEED, depth=1, render="splash", settings={**job, "SPLASH_URL": url})
    assert resumed.exit_code == 0
    assert len({**run.articles, **resumed.articles}) == 7
    assert not set(run.articles) & set(resumed.articles)


def test_a_splash_without_a_route_to_it_is_down(live: Crawl, server: NewsServer) -> None:
    """Scrapy passes on Twisted's error, as it does if a dying Splash resets a new connection."""
    server.pages[f"/news/{SEED}"] = LATE
    # The system refuses to connect to a multicast address.
    url = "http://224.0.0.1:8050/"
    run = live(seed=SEED, depth=0, render="splash", settings={"SPLASH_URL": url})
    assert run.exit_code == 4
    assert f"Splash at {url} cannot be reached (no connection could be made)" in run.stderr
    assert set(run.teasers) == {SEED}
    assert not run.failures


def answer_json(handler: BaseHTTPRequestHandler, code: int, /, **words: object) -> None:
    answer(handler, code, json.dumps(words).encode(), {"Content-Type": "application/json"})


def hang_up(handler: BaseHTTPRequestHandler, before: int) -> None:
    handler.close_connection = True


def ping_ok(handler: BaseHTTPRequestHandler, before: int) -> None:
    answer_json(handler, 200, status="ok")


# For each server at SPLASH_URL: its responses to a ping and to a rendering request, whether it
# counts as down or only the page fails, and part of the message.
LUA = {"type": "ScriptError", "info": {"type": "LUA_ERROR", "error": "attempt to call nil"}}
WRONG_SPLASHES: dict[str, tuple[Callable[..., None], Callable[..., None], str, str]] = {
    "no Splash at all": (always(404, b"<h1>Not here</h1>"), always(404), "down", "is not Splash"),
    "wants a password": (always(401), always(401), "down", "SPLASH_USER"),
    "a proxy without a Splash behind it": (always(502), always(502), "down", "cannot be reached"),
    "no free slot, by a proxy": (ping_ok, always(503), "page", "no free slot"),
    "no free slot, by Splash": (
        ping_ok,
        lambda h, n: answer_json(h, 504, type="GlobalTimeoutError"),
        "page",
        "no free slot",
    ),
    "an error of Lua": (ping_ok, lambda h, n: answer_json(h, 400, **LUA), "page", "LUA_ERROR"),
    "a fault of its own": (
        ping_ok,
        lambda h, n: answer_json(h, 500, type="InternalError", info="x"),
        "page",
        "InternalError",
    ),
    "hangs up": (ping_ok, hang_up, "page", "the connection was lost"),
    "says nothing of use": (ping_ok, always(200, b"[]"), "page", "unexpected response from"),
    "does not take such a time": (
        ping_ok,
        lambda h, n: answer_json(h, 400, type="BadOption", info="timeout is too long"),
        "down",
        "timeout is too long",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", WRONG_SPLASHES)
def test_errors_of_splash_are_not_errors_of_the_site(
    live: Crawl, server: NewsServer, tmp_path: Path, case: str
) -> None:
    ping, execute, whose, words = WRONG_SPLASHES[case]

    def answers(handler: BaseHTTPRequestHandler, before: int) -> None:
        handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        (ping if handler.path == "/_ping" else execute)(handler, before)

    server.pages[f"/news/{SEED}"] = LATE
    with NewsServer(tmp_path) as other:
        other.answer_with = answers
        run = live(seed=SEED, depth=0, render="splash", settings={"SPLASH_URL": other.url})
        tries = sum(path == "/execute" for _, path in other.requests)
    assert run.exit_code == 4
    assert "Traceback" not in run.stderr
    if whose == "down":
        assert words in run.stderr
        assert set(run.teasers) == {SEED}
        assert tries == (1 if "time" in case else 0)
    else:
        assert run.failures[SEED]["reason"] == "not_rendered"
        assert words in run.failures[SEED]["detail"]
        assert tries == (3 if "slot" in case or case == "hangs up" else 1)
    assert server.requested_ids == [SEED]


@pytest.mark.slow
def test_password_of_splash(live: Crawl, server: NewsServer, tmp_path: Path) -> None:
    authorized: set[str | None] = set()
    with NewsServer(tmp_path) as other:

        def answers(handler: BaseHTTPRequestHandler, before: int) -> None:
            handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
            authorized.add(handler.headers.get("Authorization"))
            answer_json(handler, 200, status="ok", html=PLAIN, settled=True)

        other.answer_with = answers
        run = live(
            seed=SEED,
            depth=0,
            render="splash",
            settings={"SPLASH_URL": other.url, "SPLASH_USER": "u", "SPLASH_PASS": "p"},
        )
    assert set(run.articles) == {SEED}
    assert authorized == {"Basic dTpw"}


@pytest.mark.slow
def test_chromium_that_is_not_installed(live: Crawl, server: NewsServer, tmp_path: Path) -> None:
    hidden = tmp_path / "scrapy_playwright"
    hidden.mkdir()
    (hidden / "__init__.py").write_text(
        "raise ImportError('scrapy_playwright is hidden')", encoding="utf-8"
    )
    # The run's folder comes first on sys.path, before installed packages.
    run = live(seed=SEED, render="playwright")
    assert run.exit_code == 1
    assert "pip install '.[playwright]'" in run.stderr
    assert server.requests == []

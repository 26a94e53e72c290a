"""Passwords in the user's own URLs are used, but neither shown nor stored."""

import json
import zlib
from base64 import b64encode
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from conftest import IMPATIENT, Crawl, Run, free_port
from forward_proxy import PASSWORD, USER, forward_proxy
from rendered import PLAIN, SEED
from server import NewsServer, answer
from test_ledger import ledger

from crawler.crawl.arguments import parse
from crawler.credentials import Server, hide_userinfo, hide_userinfo_of, split_userinfo
from crawler.errors import CrawlerError

BASIC = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
USERINFO = f"{USER}:{PASSWORD}@"


def with_userinfo(url: str) -> str:
    return url.replace("://", f"://{USERINFO}")


def assert_no_password(run: Run) -> None:
    """Assert that neither output nor files contain the password, plain or encoded."""
    files = [path for path in run.folder.rglob("*") if path.is_file() and path.name != "proxy.log"]
    assert any(path.suffix == ".jsonl" for path in files)
    outputs = [run.stdout.encode(), run.stderr.encode(), *(path.read_bytes() for path in files)]
    with ledger(run.folder) as connection:
        records = connection.execute("SELECT json FROM records").fetchall()
    assert records
    for text in (*outputs, *(zlib.decompress(stored) for (stored,) in records)):
        assert PASSWORD.encode() not in text
        assert BASIC.encode() not in text


def full_run_arguments(folder: Path, **more_settings: object) -> dict[str, object]:
    """Return arguments of a run that writes every kind of file, with more settings."""
    settings = {
        **IMPATIENT,
        "JOBDIR": folder / "job",
        "LOG_LEVEL": "DEBUG",
        "LOG_FILE": folder / "run.log",
        "WAYBACK_DELAY": 0,
        "WAYBACK_BACKOFF": 0,
        "STATS_DUMP": 1,
        **more_settings,
    }
    return {"settings": settings, "archive": folder / "pages.warc", "depth": 0, "seed": SEED}


def test_the_password_of_a_proxy(
    crawl: Crawl, server: NewsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with forward_proxy(tmp_path) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        run = crawl(**full_run_arguments(tmp_path), base_url=server.url)
        # The proxy logs each connection with its first request.
        assert proxy.requests
    assert set(run.articles) == {SEED}
    warc = (tmp_path / "pages.warc").read_bytes()
    assert b"GET %b/news/%b HTTP/1.1\r\n" % (server.url.encode(), SEED.encode()) in warc
    assert b"authorization" not in warc.lower()
    assert_no_password(run)


def archive_with_password(handler: BaseHTTPRequestHandler, before: int) -> None:
    """Serve a web archive of one page, which requires the password."""
    path = handler.path
    if handler.headers.get("Authorization") != f"Basic {BASIC}":
        answer(handler, 401)
    elif "/cdx?" in path:
        row = {"url": f"http://en.alalam.ir/news/{SEED}", "timestamp": "20151023120000"}
        answer(handler, 200, json.dumps({**row, "status": "200", "mime": "text/html"}).encode())
    else:
        memento = {"Memento-Datetime": "Fri, 23 Oct 2015 12:00:00 GMT"}
        answer(handler, 200, PLAIN.encode(), memento)


@pytest.mark.slow
def test_the_password_of_a_web_archive(crawl: Crawl, tmp_path: Path) -> None:
    with NewsServer(tmp_path / "nothing") as archive:
        archive.answer_with = archive_with_password
        replay = with_userinfo(archive.url) + "/pages"
        run = crawl(**full_run_arguments(tmp_path, WAYBACK_URL=replay), source="wayback")
    assert set(run.articles) == {SEED}
    where = run.articles[SEED]["provenance"]["source"]["where"]
    assert where.startswith(f"{archive.url}/pages/20151023120000id_/")
    assert b"/pages/20151023120000id_/" in (tmp_path / "pages.warc").read_bytes()
    assert_no_password(run)


@pytest.mark.slow
def test_the_password_of_splash(crawl: Crawl, server: NewsServer, tmp_path: Path) -> None:
    authorizations: set[str | None] = set()

    def respond(handler: BaseHTTPRequestHandler, before: int) -> None:
        handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        authorizations.add(handler.headers.get("Authorization"))
        body = json.dumps({"status": "ok", "html": PLAIN, "settled": True}).encode()
        answer(handler, 200, body, {"Content-Type": "application/json"})

    with NewsServer(tmp_path / "nothing") as splash:
        splash.answer_with = respond
        arguments = full_run_arguments(tmp_path, SPLASH_URL=with_userinfo(splash.url))
        run = crawl(**arguments, base_url=server.url, render="splash")
    assert set(run.articles) == {SEED}
    assert authorizations == {f"Basic {BASIC}"}
    assert_no_password(run)


NO_SERVER = f"http://{USERINFO}127.0.0.1:"
# Arguments, settings and part of the message; no server listens on {port}.
COMPLAINTS: dict[str, tuple[dict[str, str], dict[str, str], str]] = {
    "base_url": ({"base_url": NO_SERVER + "80"}, {}, "base_url: got 'http://***@127.0.0.1:80'"),
    "SPLASH_URL": ({"render": "splash"}, {"SPLASH_URL": f"{USERINFO}h"}, "SPLASH_URL: got '***@h'"),
    "no Splash": ({"render": "splash"}, {"SPLASH_URL": NO_SERVER + "{port}"}, "cannot be reached"),
    "WAYBACK_CDX_URL": (
        {"source": "wayback"},
        {"WAYBACK_CDX_URL": f"http://{USERINFO}h:x"},
        "WAYBACK_CDX_URL: got 'http://***@h:x'",
    ),
    "no archive": ({"source": "wayback"}, {"WAYBACK_URL": NO_SERVER + "{port}"}, "refused"),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", COMPLAINTS)
def test_messages_hide_passwords(crawl: Crawl, server: NewsServer, case: str) -> None:
    arguments, settings, message = COMPLAINTS[case]
    port = str(free_port())
    settings = {name: value.replace("{port}", port) for name, value in settings.items()}
    base_settings = {**IMPATIENT, "WAYBACK_DELAY": 0, "WAYBACK_BACKOFF": 0, "LOG_LEVEL": "DEBUG"}
    all_arguments = {"seed": SEED, "base_url": server.url, **arguments}
    run = crawl(**all_arguments, settings={**base_settings, **settings})
    assert run.exit_code != 0
    assert message in run.stderr
    assert PASSWORD not in run.stdout + run.stderr + json.dumps(run.records)


# Arguments that are refused before any request.
REFUSED = {
    "base_url without scheme": ({"base_url": f"{USERINFO}h"}, "base_url: got '***@h'"),
    "base_url of a wrong port": ({"base_url": NO_SERVER + "x"}, "'http://***@127.0.0.1:x'"),
    "a slash in the password": ({"base_url": f"http://u:/{USERINFO}h"}, "'http://***@h'"),
    "seed": ({"seed": f"http://{USERINFO}h/news/1"}, "seed: got 'http://***@h/news/1'"),
    "unknown name": ({"base": f"http://{USERINFO}h"}, "(value 'http://***@h')"),
    "source": ({"source": f"http://{USERINFO}h"}, "source: got 'http://***@h'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_hide_passwords(case: str) -> None:
    arguments, message = REFUSED[case]
    with pytest.raises(CrawlerError) as caught:
        parse(arguments)
    assert message in str(caught.value)
    assert PASSWORD not in str(caught.value)


# A text, and the text shown for it.
SHOWN_TEXTS = {
    "http://u:p@h/a": "http://***@h/a",
    "http://u@h": "http://***@h",
    "https://:p@h and ftp://u:p@h": "https://***@h and ftp://***@h",
    "<GET http://u:p@h/a@b>": "<GET http://***@h/a@b>",
    "http://u:p@q@h/": "http://***@h/",
    "http://h/a@b": "http://h/a@b",
    "http://h?a@b": "http://h?a@b",
    "http://h#a@b": "http://h#a@b",
    "mail me@h": "mail me@h",
    "'http://h' of me@h": "'http://h' of me@h",
    "http://h": "http://h",
    "": "",
}


@pytest.mark.parametrize("text", SHOWN_TEXTS)
def test_passwords_in_a_text(text: str) -> None:
    assert hide_userinfo(text) == SHOWN_TEXTS[text]


# A value given for a URL may be anything.
SHOWN_VALUES = {
    "http://u:p@h/a": "http://***@h/a",
    "HTTP://u:p@h": "HTTP://***@h",
    "u:p@h": "***@h",
    "http://u:/p?@#@h": "http://***@h",
    "http://u:p\n@h": "http://***@h",
    "h2+tls.x://u:p@h": "h2+tls.x://***@h",
    "http://h/a": "http://h/a",
    "h": "h",
}


@pytest.mark.parametrize("value", SHOWN_VALUES)
def test_passwords_in_a_value(value: str) -> None:
    assert hide_userinfo_of(value) == SHOWN_VALUES[value]


PARTS: dict[str, tuple[Server, bytes | None]] = {
    "http://h:1/a?b#c": (Server("http://h:1/a?b#c", "", ""), None),
    "http://u:p@h/": (Server("http://h/", "u", "p"), b"u:p"),
    "http://u@h": (Server("http://h", "u", ""), b"u:"),
    "http://:p@h": (Server("http://h", "", "p"), b":p"),
    "http://u:p:q@h": (Server("http://h", "u", "p:q"), b"u:p:q"),
    "http://u@v:p@h": (Server("http://h", "u@v", "p"), b"u@v:p"),
    "http://%C3%A9%40:%2F@[::1]:1": (Server("http://[::1]:1", "é@", "/"), "é@:/".encode()),
}


@pytest.mark.parametrize("url", PARTS)
def test_the_user_and_password_of_a_url(url: str) -> None:
    server, credentials = PARTS[url]
    assert split_userinfo(url) == server
    assert server.authorization == (credentials and b"Basic " + b64encode(credentials))


def test_an_invalid_url() -> None:
    with pytest.raises(ValueError, match="Invalid IPv6 URL"):
        split_userinfo("http://u:p@[h")

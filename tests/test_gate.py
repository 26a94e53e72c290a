"""Test the proxy between Chromium and the network, with curl and with a real Chromium."""

import asyncio
import json
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from conftest import Crawl, free_port
from forward_proxy import forward_proxy
from rendered import PLAIN, SEED
from scrapy.settings import Settings
from server import NewsServer, answer
from services import require
from test_crawl_live import always

from crawler.downloading.addresses import PrivateAddressError, is_private_literal
from crawler.errors import CrawlerError
from crawler.rendering.gate import Gate, Resolve, look_up, vetted
from crawler.rendering.upstream import Upstream, Upstreams, proxies_of


def curl(gate: Gate, *words: str) -> Awaitable[str]:
    """Fetch through a gate; return the body and the statuses of the response and of CONNECT."""
    proxy = gate.proxy
    own = proxy["server"].replace("://", f"://{proxy['username']}:{proxy['password']}@")
    line = ["curl", "-s", "-m", "20", "-x", own, "-w", " %{http_code} %{http_connect}", *words]

    def run() -> str:
        result = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
        return result.stdout

    return asyncio.to_thread(run)


def through(gate: Gate, ask: Callable[[Gate], Awaitable[str]]) -> str:
    async def run() -> str:
        await gate.start()
        try:
            return await ask(gate)
        finally:
            await gate.close()

    return asyncio.run(run())


def leads_to(*addresses: str) -> Resolve:
    """Return a resolver with one answer for every name."""

    async def resolve(host: str, port: int) -> list[str]:
        return list(addresses)

    return resolve


def nowhere(host: str, port: int) -> Awaitable[list[str]]:
    raise OSError("no such host")


PORT = "PORT"
REFUSED: dict[str, tuple[str, Resolve]] = {
    "loopback": (f"http://127.0.0.1:{PORT}/", look_up),
    "loopback by name": (f"http://localhost:{PORT}/", look_up),
    "as one number": (f"http://2130706433:{PORT}/", look_up),
    "IPv6": (f"http://[::1]:{PORT}/", look_up),
    "IPv4 in IPv6": (f"http://[::ffff:127.0.0.1]:{PORT}/", look_up),
    "IPv4 in deprecated IPv6": (f"http://[::127.0.0.1]:{PORT}/", look_up),
    "a public name": (f"http://news.example:{PORT}/", leads_to("127.0.0.1")),
    "a public name, all private": (f"http://news.example:{PORT}/", leads_to("10.0.0.1", "fd00::1")),
    "a cloud's own address": ("http://metadata.example/", leads_to("169.254.169.254")),
}


@pytest.mark.parametrize("case", REFUSED)
def test_private_addresses_are_refused(case: str, tmp_path: Path) -> None:
    url, resolve = REFUSED[case]
    with NewsServer(tmp_path) as secret:
        url = url.replace(PORT, secret.url.rpartition(":")[2])
        output = through(Gate((), resolve=resolve), lambda gate: curl(gate, url))
        assert output.strip().startswith("403")
        tunnel = through(Gate((), resolve=resolve), lambda gate: curl(gate, "-p", url))
        assert tunnel.strip() == "000 403"
        assert secret.requests == []


def test_a_named_server_is_reached_only_at_its_own_port(tmp_path: Path) -> None:
    with NewsServer(tmp_path) as named, NewsServer(tmp_path) as secret:
        port = int(named.url.rpartition(":")[2])
        gate = Gate({("news.example", port)}, resolve=leads_to("127.0.0.1"))
        named.pages["/page?x=1"] = b"the page"
        url = f"http://news.example:{port}/page?x=1"
        assert through(gate, lambda gate: curl(gate, url)) == "the page 200 000"
        assert through(gate, lambda gate: curl(gate, "-p", url)) == "the page 200 200"
        elsewhere = url.replace(str(port), secret.url.rpartition(":")[2])
        assert through(gate, lambda gate: curl(gate, elsewhere)) == " 403 000"
        assert secret.requests == []


def test_connections_go_to_the_vetted_address(tmp_path: Path) -> None:
    """A name that resolves differently each time is looked up once per connection."""
    answers = iter([["192.0.2.1"], ["127.0.0.1"], ["127.0.0.1"]])

    async def rebinding(host: str, port: int) -> list[str]:
        return next(answers)

    with NewsServer(tmp_path) as secret:
        url = secret.url.replace("127.0.0.1", "news.example")
        for _ in range(2):
            output = through(Gate((), resolve=rebinding), lambda gate: curl(gate, url))
            assert output.strip().startswith("403")
        assert secret.requests == []


FIRST, SECOND = "93.184.216.34", "2606:2800:220:1::1"
# The hosts that the user named, a name's addresses, and the addresses to which the gate connects.
VETTED: list[tuple[set[tuple[str, int]], list[str], list[str]]] = [
    (set(), [FIRST, SECOND], [FIRST, SECOND]),
    (set(), [FIRST, "127.0.0.1"], [FIRST]),
    (set(), ["127.0.0.1", FIRST], [FIRST]),
    (set(), ["::1", FIRST, "10.0.0.1", SECOND], [FIRST, SECOND]),
    ({("news.example", 80)}, ["127.0.0.1", FIRST], ["127.0.0.1", FIRST]),
    ({("news.example", 81), ("other.example", 80)}, ["127.0.0.1", FIRST], [FIRST]),
]


@pytest.mark.parametrize(("named", "addresses", "allowed"), VETTED)
def test_which_addresses_of_a_host_are_connected_to(
    named: set[tuple[str, int]], addresses: list[str], allowed: list[str]
) -> None:
    found = asyncio.run(vetted("news.example", 80, named, leads_to(*addresses)))
    assert found == allowed


def test_a_host_at_private_addresses_only() -> None:
    with pytest.raises(PrivateAddressError) as caught:
        asyncio.run(vetted("news.example", 80, (), leads_to("10.0.0.1", "::1")))
    message = (
        "news.example is at 10.0.0.1, a private address; name the host with base_url to crawl it"
    )
    assert str(caught.value) == message


def test_names_are_looked_up() -> None:
    assert asyncio.run(look_up("127.0.0.1", 80)) == ["127.0.0.1"]
    with pytest.raises(socket.gaierror):
        asyncio.run(look_up("no-such-host.invalid", 80))
    with pytest.raises(OSError, match="is not a valid host name"):
        asyncio.run(look_up("a" * 70 + ".example", 80))


def test_what_is_passed_on(tmp_path: Path) -> None:
    """Only the path, without the gate's own headers, goes to the first address that responds."""
    heads: list[tuple[str, dict[str, str]]] = []

    def note(handler: BaseHTTPRequestHandler, before: int) -> None:
        heads.append((handler.path, {name.lower(): v for name, v in handler.headers.items()}))
        answer(handler, 200, handler.rfile.read(int(handler.headers.get("Content-Length", 0))))

    with NewsServer(tmp_path) as server:
        server.answer_with = note
        port = int(server.url.rpartition(":")[2])
        gate = Gate({("news.example", port)}, resolve=leads_to("127.0.0.2", "127.0.0.1"))
        url = f"http://news.example:{port}"
        headers = ("TE: trailers", "Upgrade: h2c", "Connection: TE", "X-Own: 1", "Keep-Alive: 5")
        words = [word for header in headers for word in ("-H", header)]
        own = ("-A", "browser", *words, "-d", "sent")
        output = through(gate, lambda gate: curl(gate, *own, f"{url}/a/b?x=1#c"))
        assert output == "sent 200 000"
        chunked = ("-H", "Transfer-Encoding: chunked", "-d", "sent", url)
        assert through(gate, lambda gate: curl(gate, *chunked)) == " 501 000"
        assert through(gate, lambda gate: curl(gate, f"{url}?y")) == " 200 000"
    forwarded = {
        "host": f"news.example:{port}",
        "user-agent": "browser",
        "accept": "*/*",
        "x-own": "1",
        "content-length": "4",
        "content-type": "application/x-www-form-urlencoded",
        "connection": "close",
    }
    assert heads[0] == ("/a/b?x=1", forwarded)
    assert [path for path, _ in heads] == ["/a/b?x=1", "/?y"]


PASSWORD = "Proxy-Authorization: Basic dXNlcjpwQHc="
PROXIES = {"http": "http://user:p%40w@Proxy.example:3128", "https": "https://other.example"}
LEADS: list[tuple[dict[str, str], str, str, Upstream | None]] = [
    (PROXIES, "http", "a", Upstream("proxy.example", 3128, False, (PASSWORD,))),
    (PROXIES, "https", "a", Upstream("other.example", 443, True, ())),
    (PROXIES, "ftp", "a", None),
    ({**PROXIES, "no": "a,.b.example"}, "http", "a", None),
    ({**PROXIES, "no": "a,.b.example"}, "https", "c.b.example", None),
    ({**PROXIES, "no": "b"}, "https", "a", Upstream("other.example", 443, True, ())),
    ({**PROXIES, "no": "*"}, "http", "a", None),
    ({"http": "proxy.example:81"}, "http", "a", Upstream("proxy.example", 81, False, ())),
    ({"http": "proxy.example"}, "http", "a", Upstream("proxy.example", 80, False, ())),
    ({"http": "proxy.example"}, "https", "a", None),
    ({"socks": "socks5://h", "https": "http://h"}, "https", "a", Upstream("h", 80, False, ())),
    ({}, "http", "a", None),
]


@pytest.mark.parametrize(("proxies", "scheme", "host", "proxy"), LEADS)
def test_which_proxy_is_used_for_a_host(
    proxies: dict[str, str], scheme: str, host: str, proxy: Upstream | None
) -> None:
    assert Upstreams(proxies).for_host(scheme, host) == proxy


def test_where_proxies_are_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("http_proxy", "http://of.example:1")
    monkeypatch.setenv("no_proxy", "a,b")
    of_the_environment = {"http": "http://of.example:1", "no": "a,b"}
    assert proxies_of(Settings()) == of_the_environment
    assert proxies_of(Settings({"HTTPPROXY_ENABLED": False})) == {}
    for own, url in {
        "h:1": "http://h:1",
        "http://h:1": "http://h:1",
        "https://h": "https://h",
    }.items():
        options = {"PLAYWRIGHT_LAUNCH_OPTIONS": {"proxy": {"server": own, "bypass": "c"}}}
        assert proxies_of(Settings(options)) == {"http": url, "https": url, "no": "c"}
    proxy = {"server": "h", "username": "u@", "password": "p/"}
    options = {"PLAYWRIGHT_LAUNCH_OPTIONS": {"proxy": proxy}}
    url = "http://u%40:p%2F@h"
    assert proxies_of(Settings(options)) == {"http": url, "https": url, "no": ""}


def test_a_second_request_of_a_connection_goes_to_its_own_host(tmp_path: Path) -> None:
    with NewsServer(tmp_path) as first, NewsServer(tmp_path) as second:
        hosts = [("127.0.0.1", int(server.url.rpartition(":")[2])) for server in (first, second)]
        first.pages["/a"], second.pages["/b"] = b"first", b"second"
        first.misbehaviour["/early"] = early_hints
        output = through(
            Gate(hosts),
            lambda gate: curl(
                gate, first.url + "/a", second.url + "/b", "-d", "sent", first.url + "/early"
            ),
        )
        assert output == "first 200 000second 200 000late 200 000"
        assert [path for _, path in second.requests] == ["/b"]


def early_hints(handler: BaseHTTPRequestHandler, before: int) -> None:
    handler.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
    answer(handler, 200, b"late")


def test_errors(tmp_path: Path) -> None:
    with NewsServer(tmp_path) as server:
        port = int(server.url.rpartition(":")[2])
        server.misbehaviour["/cut"] = always(200, b"half", Content_Length="8")
        gate = Gate({("127.0.0.1", port), ("127.0.0.1", 1)})
        assert through(gate, lambda gate: curl(gate, "http://127.0.0.1:1/")).strip() == "502 000"
        gone = Gate((), resolve=nowhere)
        assert through(gone, lambda gate: curl(gate, "http://gone.example/")).strip() == "502 000"
        wrong = "http://gate:wrong@127.0.0.1:" + "{}"
        stranger = through(
            gate,
            lambda gate: curl(
                gate, "-x", wrong.format(gate.proxy["server"].rpartition(":")[2]), server.url
            ),
        )
        assert stranger.strip() == "407 000"
        assert server.requests == []
        raw = through(gate, lambda gate: send_raw(gate, b"GET / HTTP/1.1\r\n" * 9000))
        assert raw == ""
        assert through(gate, lambda gate: send_raw(gate, b"nonsense\r\n\r\n")).startswith(
            "HTTP/1.1 400"
        )


async def send_raw(gate: Gate, words: bytes) -> str:
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", int(gate.proxy["server"].rpartition(":")[2])
    )
    writer.write(words)
    try:
        return (await reader.read()).decode()
    except ConnectionError:
        return ""
    finally:
        writer.close()


def test_the_proxy_of_the_user(tmp_path: Path) -> None:
    with NewsServer(tmp_path) as server, forward_proxy(tmp_path) as proxy:
        server.pages["/a"] = b"page"
        port = int(server.url.rpartition(":")[2])
        proxies = {"http": proxy.url, "https": proxy.url, "no": "direct.example"}
        named = {("localhost", port), ("direct.example", port)}
        # The gate cannot resolve this name; the proxy can.
        gate = Gate(named, proxies, resolve=nowhere)
        url = f"http://localhost:{port}/a"
        assert through(gate, lambda gate: curl(gate, url)) == "page 200 000"
        assert through(gate, lambda gate: curl(gate, "-p", url)) == "page 200 200"
        assert len(proxy.requests) == 2
        for host in ("127.0.0.1", "2130706433", "[::1]"):
            private = url.replace("localhost", host)
            assert through(gate, lambda gate, target=private: curl(gate, target)) == " 403 000"
        direct = url.replace("localhost", "direct.example")
        gate = Gate(named, proxies, resolve=leads_to("127.0.0.1"))
        assert through(gate, lambda gate: curl(gate, direct)) == "page 200 000"
        stranger = Gate(named, {"http": proxy.url.replace("s3cret", "wrong")}, resolve=nowhere)
        assert through(stranger, lambda gate: curl(gate, url)) == " 502 000"
        assert len(proxy.requests) == 2


@pytest.mark.parametrize("url", ["socks5://user:s3cret@h:1", "user:s3cret@", "http://u:s3cret@h:x"])
def test_a_wrong_proxy_is_named_without_its_password(url: str) -> None:
    with pytest.raises(CrawlerError, match="takes http://HOST:PORT") as caught:
        Gate((), {"http": url})
    assert "s3cret" not in str(caught.value)


PRIVATE = "127.0.0.1 127.1 0177.0.0.1 0x7f.1 2130706433 127.0.0.1. [::1] [::ffff:7f00:1] localhost"
PUBLIC = "example.com 93.184.216.34 0135.0xb8.55330 [2606:2800:220:1::1] 1.example"


@pytest.mark.parametrize(
    ("host", "private"),
    [*((host, True) for host in PRIVATE.split()), *((host, False) for host in PUBLIC.split())],
)
def test_private_literals(host: str, private: bool) -> None:
    assert is_private_literal(host) == private


# How a page's scripts may try to reach a private server. SECRET is that server's root URL; HOP is a
# URL on the page's own server that redirects to it.
REACHES = {
    "fetch": "fetch('SECRET/fetch', {mode: 'no-cors'})",
    "redirect": "fetch('HOP', {mode: 'no-cors'})",
    "script": "document.write('<script src=HOP><' + '/script>')",
    "frame": "document.write('<iframe src=SECRET/frame></iframe><img src=SECRET/picture>')",
    "beacon": "navigator.sendBeacon('SECRET/beacon')",
    "socket": "new Worker(URL.createObjectURL(new Blob([\"new WebSocket('SOCKET')\"])))",
    "events": "new EventSource('HOP')",
    "calls": "new RTCPeerConnection({iceServers: [{urls: 'stun:STUN'}]}).createDataChannel('x');"
    "pc = new RTCPeerConnection({iceServers: [{urls: 'stun:STUN'}]}); pc.createDataChannel('x');"
    "pc.createOffer().then(offer => pc.setLocalDescription(offer))",
}


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("way", REACHES)
def test_scripts_in_chromium_reach_no_private_server(
    live: Crawl, server: NewsServer, tmp_path: Path, way: str
) -> None:
    require("Chromium")
    with (
        NewsServer(tmp_path) as secret,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
    ):
        datagrams.bind(("127.0.0.1", 0))
        datagrams.setblocking(False)
        address = secret.url.replace("127.0.0.1", "localhost")
        script = (
            REACHES[way]
            .replace("SECRET", address)
            .replace("HOP", "/hop")
            .replace("SOCKET", address.replace("http", "ws"))
            .replace("STUN", f"127.0.0.1:{datagrams.getsockname()[1]}")
        )
        server.misbehaviour["/hop"] = always(302, Location=f"{address}/hop")
        page = PLAIN.replace("</head>", f"<script>{script}; fetch('/ran')</script></head>")
        server.pages[f"/news/{SEED}"] = page.encode()
        # Chromium's own check, which covers one page's requests only, would mask the gate.
        options = {"args": ["--disable-features=LocalNetworkAccessChecks"]}
        settings = {"RENDER_QUIET": 1.5, "PLAYWRIGHT_LAUNCH_OPTIONS": json.dumps(options)}
        run = live(seed=SEED, depth=0, render="playwright", settings=settings)
        assert set(run.articles) == {SEED}
        assert secret.requests == []
        with pytest.raises(BlockingIOError):
            datagrams.recv(1)
    requested_paths = {path for _, path in server.requests}
    assert "/ran" in requested_paths
    assert ("/hop" in requested_paths) == ("HOP" in REACHES[way])


@pytest.mark.slow
def test_chromium_goes_through_the_proxy_of_the_user(
    live: Crawl, server: NewsServer, tmp_path: Path
) -> None:
    require("Chromium")
    page = PLAIN.replace("</head>", "<script src=/own.js></script></head>")
    server.pages[f"/news/{SEED}"] = page.encode()
    with forward_proxy(tmp_path) as proxy:
        own = {"server": f"127.0.0.1:{proxy.port}", "username": "user", "password": "s3cret-word"}
        settings = {"PLAYWRIGHT_LAUNCH_OPTIONS": json.dumps({"proxy": own}), "LOG_LEVEL": "DEBUG"}
        run = live(seed=SEED, depth=0, render="playwright", settings=settings)
        assert any("/own.js" in line for line in proxy.requests)
    assert set(run.articles) == {SEED}
    assert "s3cret-word" not in run.stdout + run.stderr
    wrong = {"args": ["--proxy-server=socks5://127.0.0.1:9"]}
    refused = live(
        seed=SEED,
        render="playwright",
        settings={"PLAYWRIGHT_LAUNCH_OPTIONS": json.dumps(wrong)},
    )
    assert refused.exit_code == 2
    assert "got '--proxy-server=socks5://127.0.0.1:9' in args; name a proxy with" in refused.stderr


@pytest.mark.slow
def test_an_external_browser_requests_nothing_private(
    live: Crawl, server: NewsServer, tmp_path: Path
) -> None:
    require("Chromium")
    port = free_port()
    line = ["chromium", "--headless", "--no-sandbox", "--disable-gpu"]
    line += [f"--remote-debugging-port={port}", f"--user-data-dir={tmp_path / 'chromium'}"]
    line += ["--disable-features=LocalNetworkAccessChecks"]
    with (
        NewsServer(tmp_path / "nothing") as secret,
        subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process,
    ):
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        script = REACHES["fetch"].replace("SECRET", secret.url.replace("127.0.0.1", "localhost"))
        page = PLAIN.replace("</head>", f"<script>{script}; fetch('/ran')</script></head>")
        server.pages[f"/news/{SEED}"] = page.encode()
        settings = {"PLAYWRIGHT_CDP_URL": f"http://127.0.0.1:{port}"}
        run = live(seed=SEED, depth=0, render="playwright", settings=settings)
        process.terminate()
        assert secret.requests == []
    assert set(run.articles) == {SEED}
    assert "/ran" in {path for _, path in server.requests}

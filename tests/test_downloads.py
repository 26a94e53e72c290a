"""Downloads give Scrapy the same responses, and servers the same requests, as Scrapy's handler.

The spider in download_spider.py makes the requests of all cases, with either handler. The server
answers them with the bytes of each case.
"""

import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import pytest
from conftest import ROOT, Crawl

SPIDER = ROOT / "tests" / "download_spider.py"
OUR_HANDLER = "crawler.downloading.recording.RecordingDownloadHandler"
SCRAPYS_HANDLER = "scrapy.core.downloader.handlers.http11.HTTP11DownloadHandler"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
HELLO = b"Content-Length: 5\r\n\r\nhello"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
# The server waits a moment between pieces, so that they arrive one by one.
PAUSE = 0.05


class Case(NamedTuple):
    """A response in pieces, after which the server keeps the connection or ``closes`` it.

    The server closes the connection without an answer to the first ``drops`` requests.
    """

    pieces: Sequence[bytes]
    closes: bool = False
    drops: int = 0
    request: dict[str, Any] = {}  # noqa: RUF012


def meta(**values: Any) -> dict[str, Any]:
    return {"meta": values}


CASES: dict[str, Case] = {
    "/": Case([OK + HELLO]),
    "/pieces": Case([OK[:20], OK[20:] + HELLO[:-3], HELLO[-3:]]),
    "/query?a=b;c&d": Case([OK + HELLO]),
    "/p;params?q#fragment": Case([OK + HELLO]),
    "/%C3%A9%20?%20": Case([OK + HELLO]),
    "/empty-query?": Case([OK + HELLO]),
    "/headers": Case(
        [OK + b"etag: 1\r\nSet-Cookie: a=b\r\nX-A: b\r\nset-cookie: c=d\r\n" + HELLO],
        request={
            "headers": {
                "x-b": ["1", "2"],
                "etag": "3",
                "DNT": "1",
                "Connection": "close",
                "X-Folded": "a\r\nb: c",
            }
        },
    ),
    "/host": Case([OK + HELLO], request={"headers": {"Host": "news.example"}}),
    "/connection-headers": Case([OK + b"Keep-Alive: a\r\nUpgrade: b\r\nTE: c\r\n" + HELLO]),
    "/post": Case([OK + HELLO], request={"method": "POST", "body": "sent"}),
    "/post-nothing": Case([OK + HELLO], request={"method": "POST"}),
    "/put-nothing": Case([OK + HELLO], request={"method": "PUT"}),
    "/get-with-body": Case([OK + HELLO], request={"body": "sent"}),
    "/head": Case([OK + HELLO[:-5]], request={"method": "HEAD"}),
    "/head-chunked": Case([CHUNKED], request={"method": "HEAD"}),
    "/204": Case([b"HTTP/1.1 204 No Content\r\n\r\n"]),
    "/304": Case([b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\nContent-Length: 9\r\n\r\n']),
    "/404": Case([b"HTTP/1.1 404 Not Found\r\n" + HELLO]),
    "/interim": Case([b"HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n", OK + HELLO]),
    "/chunks": Case([CHUNKED + b"2\r\nhe\r\n", b"3;a=b\r\nllo\r\n0\r\n", b"A: b\r\n\r\n"]),
    "/no-length": Case([OK + b"\r\nhe", b"llo"], closes=True),
    "/no-length-no-body": Case([OK + b"\r\n"], closes=True),
    "/closed": Case([OK + b"Connection: close\r\n" + HELLO], closes=True),
    "/1.0": Case([b"HTTP/1.0 200 OK\r\n" + HELLO], closes=True),
    "/bare-lf": Case([b"HTTP/1.1 200\nno colon\nA: b\n c\nContent-Length: 5, 5\n\nhello"]),
    "/cut": Case([OK + HELLO[:-1]], closes=True),
    "/cut-head": Case([OK], closes=True),
    "/cut-chunks": Case([CHUNKED + b"5\r\nhello\r\n"], closes=True),
    "/cut-allowed": Case(
        [OK + HELLO[:-1]], closes=True, request=meta(download_fail_on_dataloss=False)
    ),
    "/bad-chunks": Case([CHUNKED + b"5\r\nhello\r\nx\r\n"]),
    "/bad-chunks-allowed": Case(
        [CHUNKED + b"5\r\nhello\r\nx\r\n"], request=meta(download_fail_on_dataloss=False)
    ),
    "/nothing": Case([], closes=True, request={"method": "POST"}),
    "/garbage": Case([b"SSH-2.0-OpenSSH_9.2\r\n"]),
    "/bad-length": Case([OK + b"Content-Length: five\r\n\r\nhello"]),
    "/bad-coding": Case([OK + b"Transfer-Encoding: zip\r\n\r\nhello"]),
    "/hangs": Case([], request=meta(download_timeout=0.5)),
    "/body-hangs": Case([OK + HELLO[:-1]], request=meta(download_timeout=0.5)),
    "/large": Case([OK + HELLO], request=meta(download_maxsize=4)),
    "/just-not-large": Case([OK + HELLO], request=meta(download_maxsize=5)),
    "/large-chunks": Case(
        [CHUNKED + b"5\r\nhello\r\n", b"1\r\n!\r\n"], request=meta(download_maxsize=5)
    ),
    "/stopped-at-head": Case([OK + HELLO], request=meta(stop_at="head")),
    "/stopped-at-body": Case([OK + HELLO[:-1], b"o"], request=meta(stop_at="body", fail=False)),
    "/failed-at-body": Case([OK + HELLO[:-1], b"o"], request=meta(stop_at="body")),
    "/last": Case([OK + HELLO]),
}


class RawServer:
    """Answers with the bytes of the cases, and keeps the requests of each connection."""

    def __init__(self, cases: dict[str, Case]) -> None:
        self.connections: list[list[bytes]] = []
        self._cases = {path.partition("#")[0].removesuffix("?"): cases[path] for path in cases}
        self._counts: Counter[str] = Counter()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            requests: list[bytes] = []
            self.connections.append(requests)
            threading.Thread(target=self._answer, args=(connection, requests), daemon=True).start()

    def _answer(self, connection: socket.socket, requests: list[bytes]) -> None:
        # Some downloads end before their response does.
        with connection, suppress(ConnectionError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while request := self._read(connection):
                requests.append(request)
                path = request.split(b" ")[1].decode()
                case = self._cases[path]
                self._counts[path] += 1
                if self._counts[path] <= case.drops:
                    return
                for piece in case.pieces:
                    connection.sendall(piece)
                    threading.Event().wait(PAUSE if len(case.pieces) > 1 else 0)
                if case.closes:
                    return

    def _read(self, connection: socket.socket) -> bytes:
        """Return a request with its body, or nothing at the end of the connection."""
        data = b""
        while b"\r\n\r\n" not in data or (b"Content-Length: 4" in data and data[-4:] != b"sent"):
            received = connection.recv(65536)
            if not received:
                return b""
            data += received
        return data

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    @property
    def paths(self) -> list[list[str]]:
        """The paths that were requested on each connection, in order."""
        return [[request.split(b" ")[1].decode() for request in each] for each in self.connections]

    @property
    def requests(self) -> list[bytes]:
        """All requests, without the port of this server."""
        port = self.url.rpartition(":")[2].encode()
        return sorted(
            request.replace(port, b"PORT") for each in self.connections for request in each
        )


@contextmanager
def raw_server(cases: dict[str, Case]) -> Iterator[RawServer]:
    server = RawServer(cases)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()


def download(
    scrapy: Crawl, cases: dict[str, Case], handler: str = OUR_HANDLER, delay: float = 0
) -> tuple[dict[str, dict[str, Any]], RawServer]:
    """Return the outcome of each case, and the server that answered."""
    with raw_server(cases) as server:
        folder = scrapy("version").folder
        requests = {path: case.request for path, case in cases.items()}
        (folder / "cases.json").write_text(json.dumps(requests), encoding="utf-8")
        run = scrapy(
            *("runspider", SPIDER, "-a", "cases=cases.json", "-a", f"url={server.url}"),
            *(
                "-O",
                "items.json",
                "-s",
                f"DOWNLOAD_DELAY={delay}",
                "-s",
                f"DOWNLOAD_HANDLERS={json.dumps({'http': handler})}",
            ),
        )
    assert run.exit_code == 0, run.stderr
    items = json.loads((folder / "items.json").read_text(encoding="utf-8"))
    return {item.pop("path"): item for item in items}, server


@pytest.mark.slow
def test_the_same_as_scrapys_handler(scrapy: Crawl) -> None:
    ours, our_server = download(scrapy, CASES)
    scrapys, scrapys_server = download(scrapy, CASES, SCRAPYS_HANDLER)
    assert ours == scrapys
    assert set(ours) == set(CASES)
    assert our_server.requests == scrapys_server.requests


WHOLE = Case([OK + HELLO])
DROPPED = Case([OK + HELLO], drops=9, request={"method": "POST"})
# Each case, and whether its response leaves the connection for the next request.
KEEPING: dict[str, tuple[Case, bool]] = {
    "/first": (WHOLE, True),
    "/chunks": (CASES["/chunks"], True),
    "/empty": (Case([OK + b"Content-Length: 0\r\n\r\n"]), True),
    "/head": (CASES["/head"], True),
    "/closes": (Case([OK + b"Connection: Close\r\n" + HELLO]), False),
    "/1.0": (Case([b"HTTP/1.0 200 OK\r\n" + HELLO]), False),
    "/1.0-kept": (Case([b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + HELLO]), True),
    "/more-bytes": (Case([OK + HELLO + b"\r\n"]), False),
    "/closed-silently": (Case([OK + HELLO], closes=True), False),
    "/bad": (Case([OK + b"Content-Length: -\r\n\r\n"]), False),
    "/large": (CASES["/large"], False),
    "/stopped": (CASES["/stopped-at-head"], False),
    "/hangs": (CASES["/hangs"], False),
    "/last": (WHOLE, True),
}


@pytest.mark.slow
def test_connections_are_kept(scrapy: Crawl) -> None:
    items, server = download(scrapy, {path: case for path, (case, _) in KEEPING.items()})
    expected: list[list[str]] = [[]]
    for path, (_, is_kept) in KEEPING.items():
        expected[-1].append(path)
        if not is_kept:
            expected.append([])
    assert server.paths == expected
    assert "error" not in items["/last"]


@pytest.mark.slow
def test_a_response_that_nobody_asked_for(scrapy: Crawl) -> None:
    late = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"
    cases = {"/1": Case([OK + HELLO, late]), "/2": WHOLE}
    items, server = download(scrapy, cases, delay=1)
    assert server.paths == [["/1"], ["/2"]]
    assert [item["status"] for item in items.values()] == [200, 200]


@pytest.mark.slow
def test_a_request_is_repeated_once_if_a_kept_connection_was_closed(scrapy: Crawl) -> None:
    cases = {
        "/1": WHOLE,
        "/dropped-once": Case([OK + HELLO], drops=1),
        "/dropped-twice": Case([OK + HELLO], drops=2),
        "/on-a-new-connection": Case([OK + HELLO], drops=1),
        "/2": WHOLE,
        "/post": DROPPED,
    }
    items, server = download(scrapy, cases)
    assert server.paths == [
        ["/1", "/dropped-once"],
        ["/dropped-once", "/dropped-twice"],
        ["/dropped-twice"],
        ["/on-a-new-connection"],
        ["/2", "/post"],
    ]
    errors = {path for path, item in items.items() if item.get("error") == "DownloadFailedError"}
    assert errors == {"/dropped-twice", "/on-a-new-connection", "/post"}

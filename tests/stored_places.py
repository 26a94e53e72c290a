"""Places to store files for tests: a bucket of an S3 server, and a web server with range requests.

Both note what is read of them: the fixture ``place`` runs a test with either.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal, NamedTuple, Protocol
from urllib.parse import unquote, urlsplit

import pytest
from object_store import ObjectStore

Fault = Literal[
    "no ranges", "no HEAD", "hangs up", "hangs up once", "short", "forbidden", "undated"
]


class Read(NamedTuple):
    """A request for bytes of a file; ``end`` is the offset after the last."""

    name: str
    begin: int
    end: int


class Place(Protocol):
    def put(self, name: str, data: bytes) -> str:
        """Store a file and return its address."""
        ...

    def address(self, name: str) -> str: ...
    def forget(self) -> None:
        """Forget the requests so far."""
        ...

    def reads(self) -> list[Read]:
        """Return the requests that got bytes of files, in order."""
        ...

    def heads(self) -> int:
        """Return the number of requests for the size of a file."""
        ...


class Bucket:
    """A place in an object store."""

    def __init__(self, store: ObjectStore, folder: Path) -> None:
        self._store, self._folder = store, folder
        self.address = store.address

    def put(self, name: str, data: bytes) -> str:
        path = self._folder / Path(name).name
        path.write_bytes(data)
        return self._store.upload(path, name)

    def forget(self) -> None:
        self._store.requests.clear()

    def reads(self) -> list[Read]:
        reads = [one for one in self._store.reads() if one.status in (200, 206)]
        return [Read(one.key, one.first, one.first + one.sent) for one in reads]

    def heads(self) -> int:
        return sum(one.method == "HEAD" and one.status == 200 for one in self._store.requests)


class WebServer:
    """A running web server of the files in a folder. ``faults`` are by the names of files."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url, self._folder = url, folder
        self._reads: list[Read] = []
        self._heads = 0
        self.faults: dict[str, Fault] = {}

    def put(self, name: str, data: bytes) -> str:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return self.address(name)

    def address(self, name: str) -> str:
        return f"{self._url}/{name}"

    def forget(self) -> None:
        self._reads.clear()
        self._heads = 0

    def reads(self) -> list[Read]:
        return list(self._reads)

    def heads(self) -> int:
        return self._heads

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        name = unquote(urlsplit(handler.path).path).lstrip("/")
        fault = self.faults.get(name)
        file = self._folder / name
        if fault == "forbidden" or (fault == "no HEAD" and handler.command == "HEAD"):
            handler.send_error(403)
        elif not file.is_file():
            handler.send_error(404)
        else:
            self._send(handler, file, name, fault)

    def _send(
        self, handler: BaseHTTPRequestHandler, file: Path, name: str, fault: Fault | None
    ) -> None:
        data = file.read_bytes()
        asked = handler.headers.get("Range") if fault != "no ranges" else None
        begin, end = 0, len(data)
        if asked:
            begin, last = map(int, asked.removeprefix("bytes=").split("-"))
            end = min(end, last + 1)
        body = data[begin:end]
        if handler.command == "GET":
            self._reads.append(Read(name, begin, end))
        else:
            self._heads += 1
        handler.send_response((206 if body else 416) if asked else 200)
        if asked:
            handler.send_header("Content-Range", f"bytes {begin}-{end - 1}/{len(data)}")
        if fault != "undated":
            handler.send_header("Last-Modified", formatdate(file.stat().st_mtime, usegmt=True))
        if fault == "short":
            body = body[:-1]
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if handler.command == "GET":
            hangs_up = fault in ("hangs up", "hangs up once")
            handler.wfile.write(body[: len(body) // 2] if hangs_up else body)
            handler.close_connection = hangs_up
            if fault == "hangs up once":
                del self.faults[name]


@contextmanager
def running_web_server(folder: Path) -> Iterator[WebServer]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body are two writes; Nagle's algorithm would delay the second.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            server.answer(self)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    server = WebServer(f"http://127.0.0.1:{listening.server_port}", folder)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()


@pytest.fixture(name="web_server")
def web_server_of_a_test(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    with running_web_server(tmp_path_factory.mktemp("web")) as server:
        yield server


@pytest.fixture(name="bucket")
def bucket_of_a_test(
    object_store: ObjectStore,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Bucket:
    for name, value in object_store.environment.items():
        monkeypatch.setenv(name, value)
    return Bucket(object_store, tmp_path_factory.mktemp("bucket"))


@pytest.fixture(name="place", params=["bucket", "web_server"])
def place_of_a_test(request: pytest.FixtureRequest) -> Place:
    place: Place = request.getfixturevalue(request.param)
    return place

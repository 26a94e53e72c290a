"""A real HTTP server for tests: saved pages at /news/<id>, and any misbehaviour a test needs."""

import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

# Linux: notes when data arrived; the value is a struct timespec (linux/socket.h).
_SO_TIMESTAMPNS, _TIMESPEC = 35, struct.Struct("qq")


class NewsServer:
    """An HTTP server for a folder's pages that records the requests and when they arrived.

    ``misbehaviour`` maps a path to a function that responds in place of the page. It is called
    with the handler and the number of earlier requests for the path.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pages = {f"/news/{path.stem}": path.read_bytes() for path in folder.glob("*.html")}
        self.has_validators = False
        """Whether pages have an ETag and conditional requests may be answered with 304."""
        self.not_modified = 0
        self.robots = b"User-agent: *\nDisallow:\n"
        self.misbehaviour: dict[str, Callable[[BaseHTTPRequestHandler, int], None]] = {}
        self.answer_with: Callable[[BaseHTTPRequestHandler, int], None] | None = None
        """If set, responds to all requests."""
        self.requests: list[tuple[float, str]] = []
        self.user_agents: set[str] = set()
        self._counts: Counter[str] = Counter()
        # The system's notes are by its clock of the date.
        self._monotonic_less_date = time.monotonic() - time.time()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Headers and body are two writes; with Nagle's algorithm, the second would wait for
            # the first to be acknowledged.
            disable_nagle_algorithm = True

            def handle_one_request(handler) -> None:  # noqa: N805
                handler.arrived = self._arrival(handler.connection)
                super().handle_one_request()

            def do_GET(handler) -> None:  # noqa: N805
                self._answer(handler)

            def do_POST(handler) -> None:  # noqa: N805
                self._answer(handler)

            def log_message(handler, *_: object) -> None:  # noqa: N805
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                # Killed crawlers drop their connections.
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        if sys.platform == "linux":
            self._server.socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def requested_ids(self) -> list[str]:
        """The ids of the requested articles, in order, with repeats."""
        return [
            path.removeprefix("/news/") for _, path in self.requests if path.startswith("/news/")
        ]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop the server and free its port, so that connections are refused."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _arrival(self, connection: socket.socket) -> float:
        """Wait for a request; return the monotonic time when its first byte arrived.

        Linux notes it, so that it does not matter when this thread gets to run.
        """
        _, notes, *_ = connection.recvmsg(1, socket.CMSG_SPACE(_TIMESPEC.size), socket.MSG_PEEK)
        for _, kind, data in notes:
            if kind == _SO_TIMESTAMPNS:
                seconds, nanoseconds = _TIMESPEC.unpack(data)
                return self._monotonic_less_date + float(seconds) + nanoseconds / 1e9
        return time.monotonic()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path
        self.requests.append((handler.arrived, path))
        self.user_agents.add(handler.headers.get("User-Agent", ""))
        before = self._counts[path]
        self._counts[path] += 1
        if self.answer_with:
            self.answer_with(handler, before)
        elif path in self.misbehaviour:
            self.misbehaviour[path](handler, before)
        elif path == "/robots.txt":
            answer(handler, 200, self.robots, {"Content-Type": "text/plain"})
        elif path in self.pages and self.has_validators:
            etag = f'"{sha256(self.pages[path]).hexdigest()[:16]}"'
            unchanged = handler.headers.get("If-None-Match") == etag
            self.not_modified += unchanged
            answer(
                handler,
                304 if unchanged else 200,
                b"" if unchanged else self.pages[path],
                {"ETag": etag},
            )
        elif path in self.pages:
            answer(handler, 200, self.pages[path])
        else:
            answer(handler, 404, b"<h1>Not found</h1>")


def answer(
    handler: BaseHTTPRequestHandler,
    status: int,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
) -> None:
    """Send a response; ``headers`` may override Content-Type and Content-Length."""
    all_headers = {"Content-Type": "text/html", "Content-Length": str(len(body)), **(headers or {})}
    handler.send_response(status)
    for name, value in all_headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)
    if int(all_headers["Content-Length"]) > len(body):
        handler.close_connection = True

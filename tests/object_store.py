"""A server that speaks the protocol of Amazon S3 over HTTP, and notes the requests.

    with running_store() as store:
        store.upload(folder, "warcs")
        run_a_client(store.address("warcs"), env=store.environment)
        store.reads("warcs/a.warc.gz")

The objects are kept in memory by moto, whose application is served by a thread of this process.
Clients are other processes, or at least speak HTTP to it.
"""

import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote
from urllib.request import Request as HttpRequest
from urllib.request import urlopen
from wsgiref.types import StartResponse, WSGIEnvironment

if TYPE_CHECKING:
    from pyarrow.fs import S3FileSystem

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
_REGION = "us-east-1"


class Request(NamedTuple):
    """A request for an object, or for the list of them if ``key`` is empty.

    ``first`` and ``last`` are the bytes that it asks for, as in its Range header; ``last`` is None
    if it asks for all up to the end. ``sent`` is the number of bytes in the body of the answer.
    """

    method: str
    key: str
    first: int
    last: int | None
    status: int
    sent: int


class ObjectStore:
    """A bucket of the running server."""

    def __init__(self, url: str, bucket: str, requests: list[Request], refused: dict[str, int]):
        self.url = url
        self.bucket = bucket
        self.requests = requests
        """All requests since the list was last cleared."""
        self.refused = refused
        """Keys of objects that are listed but cannot be read, and the status of the answers."""
        self.environment = {**_KEYS, "AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": _REGION}
        self.environment["AWS_EC2_METADATA_DISABLED"] = "true"

    @cached_property
    def files(self) -> "S3FileSystem":
        """A client, whose requests are noted, too."""
        from pyarrow.fs import S3FileSystem

        access, secret = _KEYS.values()
        return S3FileSystem(
            access_key=access, secret_key=secret, region=_REGION, endpoint_override=self.url
        )

    def address(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"

    def upload(self, path: Path, key: str) -> str:
        """Store a file, or all files of a folder, under a key. Return its address."""
        files = (
            [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
        )
        for file in files:
            place = key if file == path else f"{key}/{file.relative_to(path).as_posix()}"
            _send("PUT", f"{self.url}/{self.bucket}/{quote(place)}", file.read_bytes())
        return self.address(key)

    def reads(self, prefix: str = "") -> list[Request]:
        """Return the requests that got bytes of an object whose key begins so."""
        return [
            request
            for request in self.requests
            if request.method == "GET" and request.key and request.key.startswith(prefix)
        ]


@contextmanager
def running_store() -> Iterator[Callable[[str], ObjectStore]]:
    """Run the server. Yields a function that makes a bucket of a name; all are deleted at the end.

    The noted requests and the refused keys are shared by all buckets.
    """
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Handler(WSGIRequestHandler):
        # Clients keep their connections, as with S3.
        protocol_version = "HTTP/1.1"

        def log_request(self, *_: object) -> None:
            pass

    requests: list[Request] = []
    refused: dict[str, int] = {}
    application = _noting(DomainDispatcherApplication(create_backend_app), requests, refused)
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Handler)
    # A client that is killed keeps its threads from ending.
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"

    def make(bucket: str) -> ObjectStore:
        _send("PUT", f"{url}/{bucket}")
        requests.clear()
        refused.clear()
        return ObjectStore(url, bucket, requests, refused)

    try:
        yield make
    finally:
        _send("POST", f"{url}/moto-api/reset")
        server.shutdown()
        thread.join()
        server.server_close()


def _noting(application: Any, requests: list[Request], refused: dict[str, int]) -> Any:
    """Return the application, which notes its requests and refuses those for some keys."""

    def noting(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        # WSGI decodes all paths as Latin-1 (PEP 3333).
        path = environ["PATH_INFO"].encode("latin-1").decode()
        _, _, key = path.lstrip("/").partition("/")
        wanted = _RANGE.fullmatch(environ.get("HTTP_RANGE", ""))
        first, last = (
            (int(wanted[1]), int(wanted[2]) if wanted[2] else None) if wanted else (0, None)
        )
        statuses: list[str] = []

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            statuses.append(status)
            return start_response(status, headers, *more)

        parts: list[bytes] = []
        if method in ("GET", "HEAD") and key in refused:
            status = f"{refused[key]} Refused"
            start(status, [("Content-Length", "0"), ("Content-Type", "application/xml")])
        else:
            parts = list(application(environ, start))
        sent = sum(map(len, parts)) if method != "HEAD" else 0
        # Noted before the client has the answer, and may ask for the notes.
        requests.append(Request(method, key, first, last, int(statuses[-1].split()[0]), sent))
        return parts

    return noting


def _send(method: str, url: str, body: bytes = b"") -> None:
    # Not the content type of forms, which urllib declares by itself.
    headers = {"Content-Type": "application/octet-stream"}
    with urlopen(HttpRequest(url, body, headers, method=method), timeout=60):
        pass

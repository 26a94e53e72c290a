"""Any number of hosts on this machine: an HTTP server and an HTTPS server behind a forward proxy.

    with hosted({"news.example": site}, tmp_path) as web:
        scrapy("crawl", …, f"-sTLS_CA_FILE={web.ca_file}", **web.environment)
        assert web.requests["https://news.example/1"] == 1

A site is a function that returns the answer for a scheme and a path. The proxy passes requests for
these hosts on to the servers, whether they come in absolute form or through a CONNECT tunnel, and
refuses requests for all others. No name is ever looked up.
"""

import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from pathlib import Path
from socketserver import BaseServer, StreamRequestHandler, ThreadingTCPServer
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import HTTPSHandler, OpenerDirector, ProxyHandler, build_opener

from certificates import Authority

_DEFAULT_PORTS = {"http": 80, "https": 443}
# How many connections may wait to be accepted.
_BACKLOG = 128
_BLOCK = 64 * 1024


class Answer(NamedTuple):
    """A response. Content-Length is added to its headers."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Site = Callable[[str, str], Answer]
"""Returns the answer for a scheme (http or https) and a path with its query."""


class HostedWeb:
    """The hosts that are being served, and a count of the requests to them."""

    def __init__(self, sites: Mapping[str, Site], ca_file: Path) -> None:
        self.sites = sites
        self.ca_file = ca_file
        """A PEM file of the authority that issued the certificates of the hosts."""
        self.requests: Counter[str] = Counter()
        """How often each URL was requested. Default ports are left out."""
        self.http_port = self.https_port = self.proxy_port = 0
        """The ports of the two servers and of the proxy, all of them on 127.0.0.1."""
        self._lock = threading.Lock()

    @property
    def proxy(self) -> str:
        """The URL of the proxy."""
        return f"http://127.0.0.1:{self.proxy_port}"

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables of a process that is to reach the hosts through the proxy."""
        return {"http_proxy": self.proxy, "https_proxy": self.proxy, "no_proxy": ""}

    def opener(self) -> OpenerDirector:
        """Return an opener of urllib that uses the proxy and trusts the certificates."""
        context = ssl.create_default_context(cafile=self.ca_file)
        proxies = ProxyHandler({"http": self.proxy, "https": self.proxy})
        return build_opener(proxies, HTTPSHandler(context=context))

    def answer(self, scheme: str, host: str, target: str) -> Answer:
        """Count a request and return its answer.

        ``host`` is the Host header, and ``target`` is a path or, from a proxy, a whole URL.
        """
        parts = urlsplit(f"{scheme}://{host}{target}" if target.startswith("/") else target)
        name = parts.hostname or ""
        path = parts._replace(scheme="", netloc="").geturl() or "/"
        is_default_port = parts.port in (None, _DEFAULT_PORTS[scheme])
        origin = f"{scheme}://{name if is_default_port else f'{name}:{parts.port}'}"
        with self._lock:
            self.requests[origin + path] += 1
        if name not in self.sites:
            return Answer(502, {"Content-Type": "text/plain"}, b"The proxy knows no such host.\n")
        return self.sites[name](scheme, path)


@contextmanager
def hosted(
    sites: Mapping[str, Site], folder: Path, certified_as: Mapping[str, str] | None = None
) -> Iterator[HostedWeb]:
    """Serve hosts until the context ends. Their certificates are written to ``folder``.

    A host in ``certified_as`` gets a certificate for the name given there instead of its own.
    """
    authority = Authority(folder)
    web = HostedWeb(sites, authority.certificate_file)
    names = {host: (certified_as or {}).get(host, host) for host in sites}
    context = _context({host: authority.server_context(name) for host, name in names.items()})
    http, https, proxy = _WebServer(web, "http"), _WebServer(web, "https", context), _Proxy(web)
    web.http_port, web.https_port = http.server_port, https.server_port
    web.proxy_port = proxy.server_address[1]
    with _running(http), _running(https), _running(proxy):
        yield web


def _context(contexts: Mapping[str, ssl.SSLContext]) -> ssl.SSLContext:
    """Return a context that presents the certificate of the host that a client asks for (SNI)."""

    def choose(
        connection: ssl.SSLSocket | ssl.SSLObject, host: str | None, _: ssl.SSLContext
    ) -> int | None:
        if host is None or host not in contexts:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = contexts[host]
        return None

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = choose
    return context


@contextmanager
def _running(server: BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _WebServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = _BACKLOG

    def __init__(self, web: HostedWeb, scheme: str, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _WebHandler)
        self.web = web
        self.scheme = scheme
        if context:
            # The thread of each connection does the handshake, so that a slow one delays no other.
            self.socket = context.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that hang up, as those do that reject the certificate."""


class _WebHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body are two writes; with Nagle's algorithm, the second would wait for the first
    # to be acknowledged.
    disable_nagle_algorithm = True
    server: _WebServer

    def do_GET(self) -> None:
        host = self.headers.get("Host", "")
        answer = self.server.web.answer(self.server.scheme, host, self.path)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_: object) -> None:
        pass


class _Proxy(ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = _BACKLOG

    def __init__(self, web: HostedWeb) -> None:
        super().__init__(("127.0.0.1", 0), _ProxyHandler)
        self.web = web

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that hang up."""


class _ProxyHandler(StreamRequestHandler):
    """One connection of a client: a tunnel, or any number of requests in absolute form.

    Both are passed on as they are, because an HTTP server has to accept requests in absolute form
    (RFC 9112, 3.2.2).
    """

    disable_nagle_algorithm = True
    server: _Proxy

    def handle(self) -> None:
        head = b""
        while line := self.rfile.readline(_BLOCK):
            head += line
            if line in (b"\r\n", b"\n"):
                break
        method, target, *_ = [*head.decode("latin-1").split(), "", ""]
        if method != "CONNECT":
            self._relay(self.server.web.http_port, head)
            return
        host, _, port = target.rpartition(":")
        if host in self.server.web.sites and port == str(_DEFAULT_PORTS["https"]):
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self._relay(self.server.web.https_port)
        else:
            self.wfile.write(b"HTTP/1.1 502 No such host\r\nContent-Length: 0\r\n\r\n")

    def _relay(self, port: int, already_read: bytes = b"") -> None:
        """Copy bytes between the client and a server until both have hung up."""
        with socket.create_connection(("127.0.0.1", port)) as server:
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server.sendall(already_read)
            with server.makefile("rb") as answers:
                back = threading.Thread(target=_copy, args=(answers, self.connection))
                back.start()
                _copy(self.rfile, server)
                back.join()


def _copy(source: BufferedIOBase, target: socket.socket) -> None:
    with suppress(OSError):
        while block := source.read1(_BLOCK):
            target.sendall(block)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)

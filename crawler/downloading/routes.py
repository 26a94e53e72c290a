"""The way from a request to its server, directly or through a proxy, and the bytes to send there.

Scrapy's HTTP handler sends the same bytes: names of headers have their usual case, and Host and
the length of the body are added.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urldefrag, urlsplit

from scrapy.utils._download_handlers import normalize_bind_address
from scrapy.utils.httpobj import urlparse_cached
from scrapy.utils.url import add_http_if_no_scheme
from twisted.internet.abstract import isIPv6Address
from twisted.web.http_headers import Headers

if TYPE_CHECKING:
    from scrapy import Request

BindAddress = tuple[str, int]

_DEFAULT_PORTS = {"http": 80, "https": 443}
# RFC 9112, 3: a token and a target without spaces and control characters.
_METHOD_AND_TARGET = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ [!-~]+")
_METHODS_WITH_BODY = frozenset(("POST", "PUT"))


class Origin(NamedTuple):
    """The server of a URL."""

    scheme: str
    host: str
    port: int


class Tunnel(NamedTuple):
    """A proxy that opens tunnels, and the Proxy-Authorization that it asks for."""

    host: str
    port: int
    authorization: bytes | None


class Route(NamedTuple):
    """Where a connection leads. Requests with equal routes may use the same one.

    The server ``is_proxy`` if it is asked for whole URLs. A ``tunnel`` leads to the server.
    """

    server: Origin
    bind_address: BindAddress | None = None
    is_proxy: bool = False
    tunnel: Tunnel | None = None

    @property
    def is_direct(self) -> bool:
        """Whether no proxy is between the crawl and the server of a request."""
        return not self.is_proxy and self.tunnel is None


def route_of(request: Request, bind_address: str | BindAddress | None) -> Route:
    """Return the route of a request, as its ``proxy`` and ``bindaddress`` in ``meta`` say.

    ``bind_address`` is the default. Raises NotImplementedError for a tunnel
    through a proxy that is itself reached over TLS.
    """
    local = normalize_bind_address(request.meta.get("bindaddress") or bind_address)
    url = urlparse_cached(request)
    proxy = request.meta.get("proxy")
    if not proxy:
        return Route(_origin(url.scheme, url.netloc), local)
    proxy_url = urlsplit(add_http_if_no_scheme(proxy))
    if url.scheme != "https":
        return Route(_origin(proxy_url.scheme, proxy_url.netloc), local, is_proxy=True)
    if proxy_url.scheme == "https":
        raise NotImplementedError("HTTPS proxies for HTTPS destinations are not supported")
    authorization = request.headers.get(b"Proxy-Authorization")
    tunnel = Tunnel(proxy_url.hostname or "", proxy_url.port or 80, authorization)
    return Route(_origin(url.scheme, url.netloc), local, tunnel=tunnel)


@lru_cache
def _origin(scheme: str, netloc: str) -> Origin:
    host, _, port = netloc.rpartition(":")
    if host and port.isdecimal():
        return Origin(scheme, host.strip("[]"), int(port))
    return Origin(scheme, netloc.removesuffix(":").strip("[]"), _DEFAULT_PORTS.get(scheme, 80))


def request_bytes(request: Request, route: Route) -> bytes:
    """Return the bytes that ask the server of a route for a request.

    Raises ValueError if the method or the target cannot be sent.
    """
    target = urldefrag(request.url)[0] if route.is_proxy else _origin_form(request)
    start = f"{request.method} {target}".encode("ascii")
    if not _METHOD_AND_TARGET.fullmatch(start):
        raise ValueError(f"a request cannot begin with {start!r}")
    lines = [start + b" HTTP/1.1"]
    if request.body or request.method in _METHODS_WITH_BODY:
        lines.append(b"Content-Length: %d" % len(request.body))
    headers = Headers(request.headers)
    if route.tunnel:
        headers.removeHeader(b"Proxy-Authorization")
    if not headers.getRawHeaders(b"Host"):
        headers.setRawHeaders(b"Host", [_host_header(request)])
    for name, values in headers.getAllRawHeaders():
        lines.extend(name + b": " + value for value in values)
    return b"\r\n".join([*lines, b"", request.body])


def _origin_form(request: Request) -> str:
    """Return the target of a request to its own server (RFC 9112, 3.2.1)."""
    url = urlparse_cached(request)
    params, query = url.params and f";{url.params}", url.query and f"?{url.query}"
    return (url.path or "/") + params + query


def _host_header(request: Request) -> bytes:
    url = urlparse_cached(request)
    scheme, host, port = _origin(url.scheme, url.netloc)
    if isIPv6Address(host):
        host = f"[{host}]"
    return (host if port == _DEFAULT_PORTS.get(scheme) else f"{host}:{port}").encode("ascii")

"""A forward proxy through which Chromium fetches everything.

A page's scripts may request any host, and a name may resolve to one address when it is checked and
to another when it is connected to. The gate therefore resolves every name itself and connects to an
address that it has checked. It refuses private addresses (403), unless the user named their host
and port.

It accepts CONNECT and requests in absolute form (RFC 9110, 9.3.6; RFC 9112, 3.2.2), one per
connection. If the user has a proxy, requests are forwarded to it. That proxy resolves the names,
so only literal private addresses are refused.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import socket
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from w3lib.http import basic_auth_header

from crawler.downloading.addresses import PrivateAddressError, is_private, is_private_literal
from crawler.extraction.publishers import host_and_port
from crawler.rendering.upstream import Upstream, Upstreams

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

    from crawler.downloading.addresses import HostAndPort

logger = logging.getLogger(__name__)

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Resolves a host and port to one or more IP addresses, or raises OSError."""

_MOST_CONNECTIONS = 512
_LONGEST_HEAD = 64 * 1024
_HEAD_SECONDS = 30.0
_CONNECT_SECONDS = 10.0
_IDLE_SECONDS = 120.0
_CHUNK_BYTES = 64 * 1024
_INTERIM, _SUCCESS = 1, 2
_STATUS_LINE = re.compile(r"HTTP/[0-9.]+ +([0-9]{3})\b")
# Headers for a single connection (RFC 9110, 7.6.1), or for the gate alone.
_HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "proxy-authorization", "proxy-connection", "te", "upgrade")
)


class _RefusedError(Exception):
    """A request is refused with ``status``."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True)
class _Head:
    """The first line of an HTTP message and its header lines, with their line endings."""

    first: str
    headers: list[str]

    def get(self, name: str) -> str | None:
        for line in self.headers:
            if _name(line) == name:
                return line.partition(":")[2].strip()
        return None

    def forwarded(self, first: str, *added: str) -> bytes:
        """Return the head to forward: a new first line, end-to-end headers, and ``added``."""
        end_to_end = [line for line in self.headers if _name(line) not in _HOP_BY_HOP]
        own_lines = [f"{line}\r\n" for line in (*added, "Connection: close")]
        return "".join((first, *end_to_end, *own_lines, "\r\n")).encode("latin-1")


async def look_up(host: str, port: int) -> list[str]:
    """Return the IP addresses of a host. Raises OSError if there are none."""
    loop = asyncio.get_running_loop()
    try:
        answers = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"{host!r} is not a valid host name") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in answers))


async def vetted(
    host: str, port: int, named_hosts: Collection[HostAndPort], resolve: Resolve = look_up
) -> list[str]:
    """Return the addresses of a host that may be connected to.

    These are all of them if the host and port are among ``named_hosts``, or else the public ones.
    Raises PrivateAddressError if there are only private ones, OSError if there are none at all.
    """
    addresses = await resolve(host, port)
    if (host, port) in named_hosts:
        return addresses
    public = [address for address in addresses if not is_private(address)]
    if not public:
        raise PrivateAddressError(host, addresses[0])
    return public


class Gate:
    """The proxy. It serves from ``start`` to ``close``, on a port that the system chooses."""

    def __init__(
        self,
        named_hosts: Collection[HostAndPort],
        proxies: Mapping[str, str] | None = None,
        resolve: Resolve = look_up,
    ) -> None:
        """``proxies`` are the user's (``proxies_of``). Raises CrawlerError for unsupported ones."""
        self._named_hosts = named_hosts
        self._upstreams = Upstreams(proxies or {})
        self._resolve = resolve
        self._password = secrets.token_urlsafe()
        self._authorization = basic_auth_header("gate", self._password).decode("ascii")
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Start listening, unless it is listening already."""
        if self._server is None:
            self._server = await asyncio.start_server(
                self._accept, "127.0.0.1", 0, limit=_LONGEST_HEAD
            )

    @property
    def proxy(self) -> dict[str, str]:
        """The proxy in Playwright's form. The password keeps out other users of this machine."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        return {
            "server": f"http://127.0.0.1:{port}",
            "username": "gate",
            "password": self._password,
        }

    async def close(self) -> None:
        """Stop listening, and abort open connections."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            await self._answer(reader, writer)
        except (OSError, EOFError, ValueError) as error:
            # Aborted rather than closed, so that a partial response does not look complete.
            logger.debug("the gate aborted a connection (%s: %s)", type(error).__name__, error)
            writer.transport.abort()
        finally:
            self._serving.discard(task)
            writer.close()

    async def _answer(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            if len(self._serving) > _MOST_CONNECTIONS:
                raise _RefusedError(HTTPStatus.SERVICE_UNAVAILABLE)
            await self._serve(reader, writer)
        except PrivateAddressError as error:
            logger.debug("refused a request from the browser: %s", error)
            writer.write(_own_answer(HTTPStatus.FORBIDDEN))
        except _RefusedError as refusal:
            writer.write(_own_answer(refusal.status))

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        async with asyncio.timeout(_HEAD_SECONDS):
            head = await _read_head(reader)
        method, target = _method_and_target(head)
        credentials = head.get("proxy-authorization") or ""
        if not secrets.compare_digest(
            credentials.encode("latin-1"), self._authorization.encode("ascii")
        ):
            raise _RefusedError(HTTPStatus.PROXY_AUTHENTICATION_REQUIRED)
        if method == "CONNECT":
            await self._tunnel(target, reader, writer)
        else:
            await self._forward(method, target, head, reader, writer)

    async def _tunnel(self, target: str, reader: StreamReader, writer: StreamWriter) -> None:
        host, port = _host_and_port(f"https://{target}")
        upstream = self._upstreams.for_host("https", host)
        server_reader, server_writer = await self._connect(host, port, upstream)
        try:
            if upstream is not None:
                lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
                server_writer.write(_head_of(*lines, *upstream.headers))
                if _status(await _read_head(server_reader)) // 100 != _SUCCESS:
                    raise _RefusedError(HTTPStatus.BAD_GATEWAY)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await _until_one_ends(_copy(reader, server_writer), _copy(server_reader, writer))
        finally:
            server_writer.close()

    async def _forward(
        self, method: str, target: str, head: _Head, reader: StreamReader, writer: StreamWriter
    ) -> None:
        parts = urlsplit(target)
        if parts.scheme != "http" or head.get("transfer-encoding"):
            raise _RefusedError(HTTPStatus.NOT_IMPLEMENTED)
        host, port = _host_and_port(target)
        upstream = self._upstreams.for_host("http", host)
        server_reader, server_writer = await self._connect(host, port, upstream)
        try:
            if upstream is None:
                target = urlunsplit(parts._replace(scheme="", netloc="")) or "/"
            added = upstream.headers if upstream else ()
            server_writer.write(head.forwarded(f"{method} {target} HTTP/1.1\r\n", *added))
            await _copy(reader, server_writer, int(head.get("content-length") or 0))
            answer = await _read_answer(server_reader)
            # "Connection: close" prevents a second request on this connection, which might be for
            # another host.
            writer.write(answer.forwarded(answer.first))
            await _until_one_ends(_copy(server_reader, writer), _wait_for_end(reader))
        finally:
            server_writer.close()

    async def _connect(
        self, host: str, port: int, upstream: Upstream | None
    ) -> tuple[StreamReader, StreamWriter]:
        """Connect to the user's proxy, or else to a vetted address of the host."""
        if upstream is not None:
            if is_private_literal(host) and (host, port) not in self._named_hosts:
                raise PrivateAddressError(host, host)
            return await _open(upstream.host, upstream.port, tls=upstream.tls)
        try:
            addresses = await vetted(host, port, self._named_hosts, self._resolve)
        except OSError as error:
            raise _RefusedError(HTTPStatus.BAD_GATEWAY) from error
        for address in addresses:
            with suppress(_RefusedError):
                return await _open(address, port)
        raise _RefusedError(HTTPStatus.BAD_GATEWAY)


async def _open(host: str, port: int, *, tls: bool = False) -> tuple[StreamReader, StreamWriter]:
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            return await asyncio.open_connection(host, port, limit=_LONGEST_HEAD, ssl=tls or None)
    except OSError as error:
        raise _RefusedError(HTTPStatus.BAD_GATEWAY) from error


async def _read_head(reader: StreamReader) -> _Head:
    """Read up to the empty line.

    Raises EOFError or ValueError if there is none within _LONGEST_HEAD.
    """
    lines: list[str] = []
    size = 0
    while (line := await reader.readline()) not in (b"\r\n", b"\n"):
        size += len(line)
        if not line:
            raise EOFError("a head was cut short")
        if size > _LONGEST_HEAD:
            raise ValueError(f"a head is larger than {_LONGEST_HEAD} bytes")
        lines.append(line.decode("latin-1"))
    return _Head(lines[0] if lines else "", lines[1:])


def _method_and_target(head: _Head) -> tuple[str, str]:
    try:
        method, target, _ = head.first.split()
    except ValueError:
        raise _RefusedError(HTTPStatus.BAD_REQUEST) from None
    return method, target


def _host_and_port(url: str) -> HostAndPort:
    try:
        host, port = host_and_port(url)
    except ValueError:
        host, port = "", 0
    if not host:
        raise _RefusedError(HTTPStatus.BAD_REQUEST)
    return host, port


def _name(line: str) -> str:
    return line.partition(":")[0].strip().lower()


async def _read_answer(reader: StreamReader) -> _Head:
    """Read the head of the final response, after any interim ones (1xx)."""
    while (status := _status(head := await _read_head(reader))) // 100 == _INTERIM:
        pass
    if status in (0, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED):
        raise _RefusedError(HTTPStatus.BAD_GATEWAY)
    return head


def _status(head: _Head) -> int:
    """Return the status code of a response, or 0 if it is not HTTP."""
    match = _STATUS_LINE.match(head.first)
    return int(match[1]) if match else 0


def _own_answer(status: HTTPStatus) -> bytes:
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", "Content-Length: 0", "Connection: close"]
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        lines.append('Proxy-Authenticate: Basic realm="gate"')
    return _head_of(*lines)


def _head_of(*lines: str) -> bytes:
    return "\r\n".join((*lines, "", "")).encode("latin-1")


async def _copy(source: StreamReader, sink: StreamWriter, length: int | None = None) -> None:
    """Copy ``length`` bytes, or until the source ends.

    Raises TimeoutError after _IDLE_SECONDS without progress.
    """
    while length is None or length > 0:
        async with asyncio.timeout(_IDLE_SECONDS):
            data = await source.read(_CHUNK_BYTES if length is None else min(_CHUNK_BYTES, length))
            if not data:
                return
            sink.write(data)
            await sink.drain()
        if length is not None:
            length -= len(data)


async def _wait_for_end(reader: StreamReader) -> None:
    """Wait until the browser closes the connection, and ignore anything more that it sends."""
    while await reader.read(_CHUNK_BYTES):
        pass


async def _until_one_ends(*copies: Coroutine[Any, Any, None]) -> None:
    tasks = [asyncio.ensure_future(copy) for copy in copies]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

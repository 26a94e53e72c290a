"""Serves saved pages over HTTP at the paths that they had on the publisher's server."""

from __future__ import annotations

import html
import re
import sys
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawler.extraction import saved_page
from crawler.terminal import say

if TYPE_CHECKING:
    from crawler.extraction.directory import Publishers
    from crawler.sources.folder import SavedPages

HOST = "127.0.0.1"
"""The address that a mirror listens on, which only this machine can reach."""
# RFC 9110, 5.6.2: a token. The charset of a saved page may be any text.
_TOKEN = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
_NOT_FOUND = "No page with this address was saved.\n"


class Mirror:
    """A mirror of the publishers whose saved pages are in a folder."""

    def __init__(self, pages: SavedPages, publishers: Publishers) -> None:
        self._pages = pages
        self._publishers = publishers
        self.articles: dict[str, str] = {}
        """The URL of each article that is served, by its id."""
        self.without_address = 0
        """The number of pages that are left out because their addresses are unknown."""
        home = publishers.home
        for article_id, url in pages.articles():
            if url := url or (home.url_of(article_id) if home.own_id(article_id) else None):
                self.articles[article_id] = url
            else:
                self.without_address += 1
        hosts = (urlsplit(url) for url in self.articles.values())
        self._roots = tuple(dict.fromkeys(f"{host.scheme}://{host.netloc}" for host in hosts))

    def page(self, path: str) -> tuple[HTTPStatus, str, bytes]:
        """Return the status, the content type and the body of the answer for a path and query."""
        if path == "/":
            return HTTPStatus.OK, "text/html; charset=utf-8", "".join(self._front_page()).encode()
        for root in self._roots:
            article_id = self._publishers.id_of(root + path)
            file = self._pages.file_of(article_id) if article_id else None
            if file:
                saved = saved_page.read(file.path.read_bytes())
                is_named = saved.charset and _TOKEN.fullmatch(saved.charset)
                charset = f"; charset={saved.charset}" if is_named else ""
                return HTTPStatus.OK, f"text/html{charset}", saved.html
        return HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", _NOT_FOUND.encode()

    def _front_page(self) -> Iterator[str]:
        yield "<!DOCTYPE html><html><title>Saved pages</title><h1>Saved pages</h1><ul>"
        for article_id, url in self.articles.items():
            file = self._pages.file_of(article_id)
            title = (file and file.title) or article_id
            parts = urlsplit(url)
            path = parts._replace(scheme="", netloc="", fragment="").geturl()
            yield f'<li><a href="{html.escape(path)}">{html.escape(title)}</a></li>\n'
        yield "</ul></html>"


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        # Browsers often close a connection before they have read all of an answer.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def server_of(mirror: Mirror, port: int) -> ThreadingHTTPServer:
    """Return a server of a mirror on this machine. Raises OSError if the port is not free."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer()

        def do_HEAD(self) -> None:
            self._answer()

        def _answer(self) -> None:
            try:
                status, content_type, body = mirror.page(self.path)
            except (OSError, saved_page.UnreadableError) as error:
                status, content_type = HTTPStatus.INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8"
                body = f"{error}\n".encode()
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            # A malformed request has no path, and the request line is empty if it is too long.
            say(f"{int(code)} {self.requestline}".rstrip())

        def log_error(self, format: str, *args: object) -> None:
            """Log nothing more: ``log_request`` has logged the status."""

    return _Server((HOST, port), Handler)

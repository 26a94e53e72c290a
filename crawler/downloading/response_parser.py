"""Parses the bytes of one HTTP/1 response (RFC 9112), as leniently as browsers do.

``ResponseParser`` takes the bytes as they arrive, in pieces of any size, and yields the head and
then pieces of the body without its transfer coding. Interim responses (1xx) are left out.

Lines may end with a bare LF, a header may continue on the next line, the reason phrase may be
missing, and lines that are no headers are skipped. A length or a transfer coding that is ambiguous
is an error, because the body might be wrong.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from twisted.web.http import _ChunkedTransferDecoder, _MalformedChunkedDataError

if TYPE_CHECKING:
    from collections.abc import Iterator

# Twice the limits of browsers and curl; real sites stay within those.
_MOST_HEADER_LINES, _MOST_HEADER_BYTES = 1_000, 256 * 1024
_HEAD_END = re.compile(rb"\n\r?\n")
_HEAD_END_LENGTH = 3
# RFC 9112, 5.2: a line that begins with a space or a tab continues the one before.
_CONTINUATION = re.compile(rb"\n(?=[ \t])")
_STATUS_LINE = re.compile(rb"([!-~]+/[0-9]+\.[0-9]+) +([0-9]{1,9})(?: .*)?$", re.MULTILINE)
# RFC 9112, 5: a token, a colon and a value. Some servers send spaces before the colon.
_HEADER = re.compile(rb"^([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:(.*)$", re.MULTILINE)
_LENGTH = re.compile(rb"[0-9]{1,18}")
# RFC 9110, 15: a response with one of these has no body.
_WITHOUT_BODY = frozenset((204, 304))
_INTERIM = 1
# How much of malformed bytes is shown in a message.
_LONGEST_QUOTE = 100


class HeadersTooLargeError(Exception):
    """The head of a response has more lines or bytes than any real site sends."""


class MalformedResponseError(Exception):
    """The bytes are no HTTP response, or it is unclear where its body ends."""


class ResponseHead(NamedTuple):
    """The status line and the headers of a response, in their order, with names in lower case."""

    protocol: str
    status: int
    headers: list[tuple[bytes, bytes]]

    def tokens(self, name: bytes) -> list[bytes]:
        """Return the comma-separated values of a header in lower case."""
        values = [value for header, value in self.headers if header == name]
        return [value.strip().lower() for value in b",".join(values).split(b",")] if values else []

    @property
    def is_persistent(self) -> bool:
        """Whether the server keeps the connection (RFC 9112, 9.3)."""
        options = self.tokens(b"connection")
        return b"close" not in options and (self.protocol == "HTTP/1.1" or b"keep-alive" in options)


class ResponseParser:
    """Parses the response to one request with a ``method``.

    ``length`` is that of the body, None if no header says it. ``surplus`` are bytes after the end
    of the response.
    """

    def __init__(self, method: str) -> None:
        self._method = method
        self.head: ResponseHead | None = None
        self.length: int | None = None
        self.is_complete = False
        self.surplus = b""
        self._buffer = bytearray()
        """The part of the head that has come."""
        self._lines = self._bytes = 0
        """The size of the heads that were read, of interim responses too."""
        self._missing = 0
        """How many bytes of a body of known length have not come yet."""
        self._decoder: _ChunkedTransferDecoder | None = None
        self._chunks: list[bytes] = []
        self._ends: list[bytes] = []
        """The bytes after the last chunk, once that has come."""

    @property
    def ends_with_connection(self) -> bool:
        """Whether the body ends only when the connection does (RFC 9112, 6.3)."""
        return self.head is not None and self.length is None and self._decoder is None

    def feed(self, data: bytes) -> Iterator[ResponseHead | bytes]:
        """Parse the next bytes of an incomplete response.

        Raises HeadersTooLargeError or MalformedResponseError, which also a body may cause.
        """
        if self.head is None:
            head = self._read_head(data)
            if head is None:
                return
            data = bytes(self._buffer)
            self._buffer.clear()
            self._begin_body(head)
            self.head = head
            yield head
        yield from self._read_body(data)

    def _read_head(self, data: bytes) -> ResponseHead | None:
        start = max(0, len(self._buffer) - _HEAD_END_LENGTH)
        self._buffer += data
        while end := _HEAD_END.search(self._buffer, start):
            self._lines += self._buffer.count(b"\n", 0, end.end())
            self._bytes += end.end()
            self._check_size(0)
            head = _parse_head(bytes(self._buffer[: end.start()]))
            del self._buffer[: end.end()]
            if head.status // 100 != _INTERIM:
                return head
            start = 0
        self._check_size(len(self._buffer))
        line, newline, _ = self._buffer.partition(b"\n")
        if newline:
            _match_status_line(bytes(line).replace(b"\r", b" "))
        return None

    def _check_size(self, more: int) -> None:
        if self._lines > _MOST_HEADER_LINES or self._bytes + more > _MOST_HEADER_BYTES:
            raise HeadersTooLargeError(
                f"the headers have more than {_MOST_HEADER_LINES:,} lines "
                f"or {_MOST_HEADER_BYTES:,} bytes"
            )

    def _begin_body(self, head: ResponseHead) -> None:
        """Find out how the body is framed (RFC 9112, 6.3)."""
        codings = {coding for coding in head.tokens(b"transfer-encoding") if coding != b"identity"}
        if self._method == "HEAD" or head.status in _WITHOUT_BODY:
            self.length = 0
        elif codings == {b"chunked"}:
            self._decoder = _ChunkedTransferDecoder(self._chunks.append, self._ends.append)
        elif codings:
            names = b", ".join(sorted(codings)).decode("latin-1")
            raise MalformedResponseError(f"the transfer coding {names} is unknown")
        else:
            self.length = _content_length(head)
        self._missing = self.length or 0

    def _read_body(self, data: bytes) -> Iterator[bytes]:
        if self._decoder is not None:
            yield from self._read_chunks(self._decoder, data)
        elif self.length is None:
            if data:
                yield data
        else:
            body, self.surplus = data[: self._missing], data[self._missing :]
            self._missing -= len(body)
            self.is_complete = self._missing == 0
            if body:
                yield body

    def _read_chunks(self, decoder: _ChunkedTransferDecoder, data: bytes) -> Iterator[bytes]:
        try:
            decoder.dataReceived(data)
        except _MalformedChunkedDataError as error:
            yield from self._chunks
            raise MalformedResponseError(str(error)) from error
        if self._ends:
            self.is_complete, self.surplus = True, self._ends[0]
        if self._chunks:
            body = b"".join(self._chunks)
            self._chunks.clear()
            yield body


def _parse_head(data: bytes) -> ResponseHead:
    # RFC 9112, 2.2: a bare CR is read as a space.
    lines = data.replace(b"\r\n", b"\n").replace(b"\r", b" ")
    lines = _CONTINUATION.sub(b"", lines)
    status_line = _match_status_line(lines)
    protocol, status = status_line.groups()
    headers = [
        (name.lower(), value.strip()) for name, value in _HEADER.findall(lines, status_line.end())
    ]
    return ResponseHead(protocol.decode("latin-1"), int(status), headers)


def _match_status_line(lines: bytes) -> re.Match[bytes]:
    if match := _STATUS_LINE.match(lines):
        return match
    line = lines[:_LONGEST_QUOTE].partition(b"\n")[0].strip()
    raise MalformedResponseError(f"the response begins with {line!r}, not with a status line")


def _content_length(head: ResponseHead) -> int | None:
    """Return the length of a body, which may be repeated (RFC 9110, 8.6), or None."""
    values = head.tokens(b"content-length")
    lengths = {int(value) if _LENGTH.fullmatch(value) else None for value in values}
    if len(lengths) > 1 or None in lengths:
        texts = b", ".join(values).decode("latin-1")
        raise MalformedResponseError(f"the Content-Length is {texts[:_LONGEST_QUOTE]!r}")
    return lengths.pop() if lengths else None

"""Responses as servers send them, well-formed or not, and split into pieces anywhere."""

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.downloading.response_parser import (
    HeadersTooLargeError,
    MalformedResponseError,
    ResponseHead,
    ResponseParser,
)

OK = b"HTTP/1.1 200 OK\r\n"
HELLO = b"Content-Length: 5\r\n\r\nhello"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


class Parsed(NamedTuple):
    """A response. The body is complete, or ends with the connection, or part of it is missing."""

    status: int
    body: bytes
    ending: str = "complete"
    surplus: bytes = b""
    persistent: bool = True
    headers: dict[bytes, bytes] | None = None
    protocol: str = "HTTP/1.1"


def parse(pieces: Iterable[bytes], method: str = "GET") -> Parsed:
    """Parse a response that comes in pieces; the headers are left out."""
    parser, body = ResponseParser(method), b""
    surplus = b""
    for piece in pieces:
        if parser.is_complete:
            surplus += piece
            continue
        for part in parser.feed(piece):
            if isinstance(part, ResponseHead):
                assert part is parser.head
            else:
                body += part
    ending = "with the connection" if parser.ends_with_connection else "missing"
    head = parser.head
    assert head is not None
    return Parsed(
        head.status,
        body,
        "complete" if parser.is_complete else ending,
        parser.surplus + surplus,
        head.is_persistent,
        dict(head.headers),
        head.protocol,
    )


WHOLE = Parsed(200, b"hello")
RESPONSES: dict[str, tuple[bytes, Parsed]] = {
    "a length": (OK + HELLO, WHOLE),
    "no reason phrase": (b"HTTP/1.1 200\r\n" + HELLO, WHOLE),
    "an empty reason phrase": (b"HTTP/1.1 200 \r\n" + HELLO, WHOLE),
    "an odd reason phrase": (b"HTTP/1.1 200 \xe9: a\r\n" + HELLO, WHOLE),
    "two spaces in the status line": (b"HTTP/1.1  200 OK\r\n" + HELLO, WHOLE),
    "bare LF": ((OK + HELLO).replace(b"\r", b""), WHOLE),
    "a bare LF at the end of the head": (OK + HELLO.replace(b"\r\n\r\n", b"\r\n\n"), WHOLE),
    "CR before CRLF": (
        OK + b"A: b\r\r\n" + HELLO,
        WHOLE._replace(headers={b"a": b"b", b"content-length": b"5"}),
    ),
    "a bare CR in a value": (
        OK + b"A: b\rc\r\n" + HELLO,
        WHOLE._replace(headers={b"a": b"b c", b"content-length": b"5"}),
    ),
    "a value on two lines": (
        OK + b"A: b;\r\n\tc\r\n" + HELLO,
        WHOLE._replace(headers={b"a": b"b;\tc", b"content-length": b"5"}),
    ),
    "lines that are no headers": (
        OK + b"no colon\r\n: no name\r\na b: no token\r\n\xe9: nor this\r\n" + HELLO,
        WHOLE._replace(headers={b"content-length": b"5"}),
    ),
    "a continuation of the status line": (OK + b" or not\r\n" + HELLO, WHOLE),
    "spaces around the colon": (OK + b"Content-Length \t:\t5 \r\n\r\nhello", WHOLE),
    "an empty value": (
        OK + b"A:\r\n" + HELLO,
        WHOLE._replace(headers={b"a": b"", b"content-length": b"5"}),
    ),
    "no body": (OK + b"Content-Length: 0\r\n\r\n", Parsed(200, b"")),
    "a length of 00": (OK + b"Content-Length: 00\r\n\r\n", Parsed(200, b"")),
    "a length twice": (OK + b"Content-Length: 5\r\n" + HELLO, WHOLE),
    "a length twice in a line": (OK + b"Content-Length: 5, 05\r\n\r\nhello", WHOLE),
    "a body that is cut": (OK + HELLO[:-1], Parsed(200, b"hell", "missing")),
    "bytes after the body": (OK + HELLO + b"\r\n", WHOLE._replace(surplus=b"\r\n")),
    "no length": (OK + b"\r\nhello", Parsed(200, b"hello", "with the connection")),
    "no length and no body": (OK + b"\r\n", Parsed(200, b"", "with the connection")),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", Parsed(204, b"")),
    "304 with a length": (b"HTTP/1.1 304 Not Modified\r\n" + HELLO[:-5], Parsed(304, b"")),
    "204 with a body": (b"HTTP/1.1 204 Really\r\n" + HELLO, Parsed(204, b"", surplus=b"hello")),
    "an interim response": (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + HELLO, WHOLE),
    "interim responses": (b"HTTP/1.1 103 Hints\r\nA: b\r\n\r\n" * 9 + OK + HELLO, WHOLE),
    "chunks": (CHUNKED + b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", WHOLE),
    "chunks with extensions": (CHUNKED + b"5;a=b\r\nhello\r\n0;c\r\n\r\n", WHOLE),
    "chunks with trailers": (CHUNKED + b"5\r\nhello\r\n0\r\nA: b\r\nC: d\r\n\r\n", WHOLE),
    "chunks and more": (
        CHUNKED + b"5\r\nhello\r\n0\r\n\r\nHTTP",
        WHOLE._replace(surplus=b"HTTP"),
    ),
    "chunks without the last": (CHUNKED + b"5\r\nhello\r\n", Parsed(200, b"hello", "missing")),
    "chunks and a length": (
        CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Length: 9\r\n\r\n") + b"5\r\nhello\r\n0\r\n\r\n",
        WHOLE,
    ),
    "chunks declared twice": (
        OK + b"Transfer-Encoding: Chunked\r\n" + CHUNKED[len(OK) :] + b"5\r\nhello\r\n0\r\n\r\n",
        WHOLE,
    ),
    "a coding that is none": (OK + b"Transfer-Encoding: identity\r\n" + HELLO, WHOLE),
    "HTTP/1.0": (
        b"HTTP/1.0 200 OK\r\n" + HELLO,
        WHOLE._replace(persistent=False, protocol="HTTP/1.0"),
    ),
    "HTTP/1.0 that is kept alive": (
        b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n" + HELLO,
        WHOLE._replace(protocol="HTTP/1.0"),
    ),
    "a connection that is closed": (
        OK + b"Connection: foo, Close\r\n" + HELLO,
        WHOLE._replace(persistent=False),
    ),
    "another protocol": (
        b"ICY/1.0 200 OK\r\n" + HELLO,
        WHOLE._replace(persistent=False, protocol="ICY/1.0"),
    ),
    "a status of four digits": (b"HTTP/1.1 1234 Odd\r\n" + HELLO, Parsed(1234, b"hello")),
}


@pytest.mark.parametrize("case", RESPONSES)
def test_responses(case: str) -> None:
    response, expected = RESPONSES[case]
    parsed = parse([response])
    assert parsed._replace(headers=expected.headers and parsed.headers) == expected
    assert parse(bytes([byte]) for byte in response) == parsed


@given(st.sampled_from(list(RESPONSES.values())), st.data())
def test_responses_in_pieces(case: tuple[bytes, Parsed], data: st.DataObject) -> None:
    response, _ = case
    places = data.draw(st.lists(st.integers(0, len(response)), max_size=9))
    cuts = [0, *sorted(places), len(response)]
    assert parse(response[a:b] for a, b in pairwise(cuts)) == parse([response])


def test_head() -> None:
    parsed = parse([OK + HELLO[:-5]], "HEAD")
    assert (parsed.ending, parsed.headers) == ("complete", {b"content-length": b"5"})
    assert parse([CHUNKED], "HEAD").ending == "complete"


# The bytes, and part of the message.
MALFORMED = {
    "no HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n", "begins with b'SSH-2.0-OpenSSH_9.2'"),
    "an empty line": (b"\r\n" + OK, "begins with b''"),
    "no status": (b"HTTP/1.1 OK\r\n\r\n", "begins with b'HTTP/1.1 OK'"),
    "no version": (b"HTTP 200 OK\r\n\r\n", "begins with b'HTTP 200 OK'"),
    "a length that is none": (OK + b"Content-Length: five\r\n\r\n", "Content-Length is 'five'"),
    "a negative length": (OK + b"Content-Length: -1\r\n\r\n", "Content-Length is '-1'"),
    "an empty length": (OK + b"Content-Length:\r\n\r\n", "Content-Length is ''"),
    "two lengths": (OK + b"Content-Length: 4\r\n" + HELLO, "Content-Length is '4, 5'"),
    "another coding": (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n", "chunked, gzip is unkn"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_responses(case: str) -> None:
    response, problem = MALFORMED[case]
    with pytest.raises(MalformedResponseError) as caught:
        list(ResponseParser("GET").feed(response))
    assert problem in str(caught.value)


@pytest.mark.parametrize("end", [b"x\r\n", b"-1\r\n", b"2\r\nhello", b"g" * 1025])
def test_malformed_chunks(end: bytes) -> None:
    parser = ResponseParser("GET")
    parts = parser.feed(CHUNKED + b"5\r\nhello\r\n" + end)
    assert isinstance(next(parts), ResponseHead)
    # Of the body, nothing that has come is lost.
    assert next(parts) == b"hello"
    with pytest.raises(MalformedResponseError, match=r"[Cc]hunk"):
        list(parts)
    assert not parser.is_complete


TOO_LARGE = {
    "lines": OK + b"A: b\r\n" * 1000,
    "a line": OK + b"A: " + b"b" * (1 << 18),
    "a line without an end": b"H" * (1 << 18) + b"H",
    "interim responses": b"HTTP/1.1 100 Continue\r\n\r\n" * 501,
}


@pytest.mark.parametrize("case", TOO_LARGE)
def test_heads_that_are_too_large(case: str) -> None:
    data = TOO_LARGE[case] + (b"\r\n" if case == "lines" else b"")
    for pieces in ([data], [data[:70_000], data[70_000:]]):
        parser = ResponseParser("GET")
        with pytest.raises(HeadersTooLargeError, match=r"1,000 lines or 262,144 bytes"):
            for piece in pieces:
                list(parser.feed(piece))


# The parts of responses.
WORDS = [
    *(
        b"\r\n",
        b"\n",
        b"\r",
        b"A: b",
        b" ",
        b":",
        b"\0",
        b"\xe9",
        b"5",
        b"0",
        b"hello",
        b"\r\n\r\n",
    ),
    *(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"Content-Length: 5\r\n"),
    *(b"Transfer-Encoding: chunked\r\n\r\n", b"5\r\nhello\r\n", b"0\r\n\r\n"),
]


def outcome(pieces: Iterable[bytes]) -> tuple[ResponseHead | None, bytes, object]:
    """Return the head and the body that come of any bytes, and how they end."""
    parser, body = ResponseParser("GET"), b""
    try:
        for piece in pieces:
            if parser.is_complete:
                break
            for part in parser.feed(piece):
                body += b"" if isinstance(part, ResponseHead) else part
    except MalformedResponseError:
        return parser.head, body, MalformedResponseError
    return parser.head, body, (parser.is_complete, parser.ends_with_connection)


@given(st.lists(st.sampled_from(WORDS)).map(b"".join))
def test_any_bytes_in_pieces(data: bytes) -> None:
    data = OK + data
    assert outcome(bytes([byte]) for byte in data) == outcome([data])

"""Content codings are decoded whole or refused: see crawler/content_coding.py."""

import gzip
import zlib
from collections.abc import Callable

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.content_coding import ContentCodingError, decode, is_cut, zstd

MOST = 1 << 20
PAGE = ("<!doctype html><html><body>" + "<p>The bridge reopens — slowly.</p>" * 400).encode()


def bare_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def checked_zstd(data: bytes) -> bytes:
    return zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1})


ENCODERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "two members": ("gzip", lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:])),
    "zlib": ("deflate", zlib.compress),
    "bare deflate": ("deflate", bare_deflate),
    "brotli": ("br", brotli.compress),
    "zstd": ("zstd", checked_zstd),
    "two frames": ("zstd", lambda data: zstd.compress(data[:9]) + zstd.compress(data[9:])),
}
CHECKED = ("gzip", "two members", "zlib", "zstd")


@pytest.fixture(params=ENCODERS)
def coded(request: pytest.FixtureRequest) -> tuple[str, bytes]:
    """A coding's name as headers give it, and PAGE in it."""
    name, encode = ENCODERS[request.param]
    return name, encode(PAGE)


def test_whole(coded: tuple[str, bytes]) -> None:
    name, body = coded
    for whole in (True, False):
        decoded = decode(body, [name.upper()], MOST, whole=whole)
        assert (decoded.body, decoded.notes) == (PAGE, ())


def test_every_cut_is_refused(coded: tuple[str, bytes]) -> None:
    name, body = coded
    first_member = len(gzip.compress(PAGE[:9])) if body.count(b"\x1f\x8b\x08") > 1 else None
    first_frame = len(zstd.compress(PAGE[:9])) if body.count(b"\x28\xb5\x2f\xfd") > 1 else None
    for length in range(1, len(body)):
        if length in (first_member, first_frame) or length - 1 == first_frame:
            # The first part is whole by itself, and nothing tells that more was meant: the first
            # byte of another frame may also be text.
            continue
        with pytest.raises(ContentCodingError) as caught:
            decode(body[:length], [name], MOST, whole=True)
        assert caught.value.reason == "cut_short", length
        assert is_cut(body[:length], [name], MOST), length
    assert not is_cut(body, [name], MOST)


@pytest.mark.parametrize("name", CHECKED)
def test_a_wrong_checksum_is_refused(name: str) -> None:
    coding, encode = ENCODERS[name]
    body = bytearray(encode(PAGE))
    # In the checksum of zlib and zstd, in that of gzip before its length.
    body[-1 if coding != "gzip" else -5] ^= 1
    with pytest.raises(ContentCodingError, match="damaged") as caught:
        decode(bytes(body), [coding], MOST, whole=True)
    assert caught.value.reason == "unreadable"


@pytest.mark.parametrize(
    "tail", [b"\0", b"(", b"P", b"\0" * 9000, b"<!-- served by 12 -->", b"\r\n"]
)
def test_bytes_after_the_stream_are_noted(coded: tuple[str, bytes], tail: bytes) -> None:
    name, body = coded
    decoded = decode(body + tail, [name], MOST, whole=True)
    assert decoded.body == PAGE
    assert decoded.notes == (
        f"{len(tail):,} bytes after the end of the {name.removeprefix('x-')} stream were ignored",
    )


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
def test_plain_text_under_a_false_header(name: str) -> None:
    decoded = decode(PAGE, [name], MOST, whole=True)
    assert decoded.body == PAGE
    assert decoded.notes == (f"Content-Encoding says {name}, and the bytes are plain text",)
    with pytest.raises(ContentCodingError, match="plain text") as caught:
        decode(PAGE, [name], MOST, whole=False)
    assert caught.value.reason == "unreadable"


HEADERS = [
    ([], PAGE, ()),
    (["identity"], PAGE, ()),
    ([""], PAGE, ()),
    ([" , identity"], PAGE, ()),
    (["utf-8"], PAGE, ("Content-Encoding says utf-8, and the bytes are plain text",)),
    (["gzip, br"], brotli.compress(gzip.compress(PAGE)), ()),
    (["gzip", "br"], brotli.compress(gzip.compress(PAGE)), ()),
    ([], gzip.compress(PAGE), ("the bytes are gzip, which no Content-Encoding says",)),
    (
        ["gzip"],
        gzip.compress(gzip.compress(PAGE)),
        ("the bytes are gzip, which no Content-Encoding says",),
    ),
    (["br"], gzip.compress(PAGE), ("Content-Encoding says br, and the bytes are gzip",)),
    (["utf-8"], gzip.compress(PAGE), ("Content-Encoding says utf-8, and the bytes are gzip",)),
]


@pytest.mark.parametrize(("declared", "body", "notes"), HEADERS)
def test_headers(declared: list[str], body: bytes, notes: tuple[str, ...]) -> None:
    decoded = decode(body, declared, MOST, whole=True)
    assert (decoded.body, decoded.notes) == (PAGE, notes)


@pytest.mark.parametrize("name", ["compress", "dcb", "rot13"])
def test_unknown_codings_are_refused(name: str) -> None:
    with pytest.raises(ContentCodingError, match=name) as caught:
        decode(b"\x1f\x9d\x90\0\1\2", [name], MOST, whole=True)
    assert caught.value.reason == "unreadable"


def test_no_more_than_five_codings() -> None:
    body = PAGE
    for _ in range(5):
        body = gzip.compress(body)
    assert decode(body, ["gzip, gzip, gzip", "gzip, gzip"], MOST, whole=True).body == PAGE
    with pytest.raises(ContentCodingError, match="6 content codings") as caught:
        decode(gzip.compress(body), ["gzip"] * 6, MOST, whole=True)
    assert caught.value.reason == "unreadable"


def test_a_bomb_is_refused(coded: tuple[str, bytes]) -> None:
    name, _ = coded
    encode = next(encode for coding, encode in ENCODERS.values() if coding == name)
    body = encode(b"\0" * (MOST + 1))
    with pytest.raises(ContentCodingError, match="DOWNLOAD_MAXSIZE") as caught:
        decode(body, [name], MOST, whole=True)
    assert caught.value.reason == "too_large"
    assert len(decode(encode(b"\0" * MOST), [name], MOST, whole=True).body) == MOST


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_a_bomb_behind_all_that_is_allowed(name: str) -> None:
    _, encode = ENCODERS[name]
    body = encode(b"x" * MOST) + encode(b"y" * 100 * MOST)
    with pytest.raises(ContentCodingError, match="DOWNLOAD_MAXSIZE"):
        decode(body, [name], MOST, whole=True)


@pytest.mark.parametrize(
    ("name", "part"), [("gzip", gzip.compress(b"")), ("zstd", b"\x50\x2a\x4d\x18\0\0\0\0")]
)
def test_millions_of_empty_parts(name: str, part: bytes) -> None:
    _, encode = ENCODERS[name]
    assert decode(encode(PAGE) + part * 9_000, [name], MOST, whole=True).body == PAGE
    # Were all that follows copied for each of them, this would take hours.
    with pytest.raises(ContentCodingError, match="has over 10,000 parts"):
        decode(encode(PAGE) + part * 1_000_000, [name], MOST, whole=True)


@given(st.binary(max_size=300), st.sampled_from(["gzip", "deflate", "br", "zstd", "utf-8"]))
def test_garbage_raises_nothing_else(body: bytes, name: str) -> None:
    try:
        decode(body, [name], MOST, whole=True)
    except ContentCodingError as error:
        assert error.reason in ("cut_short", "unreadable")


@given(st.binary(max_size=3000), st.sampled_from(sorted(ENCODERS)))
def test_round_trip(body: bytes, name: str) -> None:
    coding, encode = ENCODERS[name]
    if not body.startswith(b"\x1f\x8b\x08"):
        assert decode(encode(body), [coding], MOST, whole=True).body == body

"""Test that content codings are decoded completely or refused."""

import gzip
import hashlib
import zlib
from collections.abc import Callable

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.extraction.content_coding import (
    ACCEPTED,
    ContentCodingError,
    Decoded,
    codings,
    decode,
    is_cut,
    zstd,
)

MAX_SIZE = 1 << 20
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
    """Return a coding's name as in headers, and PAGE encoded with it."""
    name, encode = ENCODERS[request.param]
    return name, encode(PAGE)


def test_whole(coded: tuple[str, bytes]) -> None:
    name, body = coded
    for whole in (True, False):
        decoded = decode(body, [name.upper()], MAX_SIZE, whole=whole)
        assert (decoded.body, decoded.notes) == (PAGE, ())


def test_every_cut_is_refused(coded: tuple[str, bytes]) -> None:
    name, body = coded
    first_member = len(gzip.compress(PAGE[:9])) if body.count(b"\x1f\x8b\x08") > 1 else None
    first_frame = len(zstd.compress(PAGE[:9])) if body.count(b"\x28\xb5\x2f\xfd") > 1 else None
    for length in range(1, len(body)):
        if length in (first_member, first_frame) or length - 1 == first_frame:
            # The first part is complete by itself, and nothing shows that more should follow:
            # the first byte of another frame may also be text.
            continue
        with pytest.raises(ContentCodingError) as caught:
            decode(body[:length], [name], MAX_SIZE, whole=True)
        assert caught.value.reason == "cut_short", length
        assert is_cut(body[:length], [name], MAX_SIZE), length
    assert not is_cut(body, [name], MAX_SIZE)


@pytest.mark.parametrize("name", CHECKED)
def test_a_wrong_checksum_is_refused(name: str) -> None:
    coding, encode = ENCODERS[name]
    body = bytearray(encode(PAGE))
    # A byte of the checksum, which in gzip comes before the length.
    body[-1 if coding != "gzip" else -5] ^= 1
    with pytest.raises(ContentCodingError, match="damaged") as caught:
        decode(bytes(body), [coding], MAX_SIZE, whole=True)
    assert caught.value.reason == "unreadable"


@pytest.mark.parametrize(
    "tail", [b"\0", b"(", b"P", b"\0" * 9000, b"<!-- served by 12 -->", b"\r\n"]
)
def test_bytes_after_the_stream_are_noted(coded: tuple[str, bytes], tail: bytes) -> None:
    name, body = coded
    decoded = decode(body + tail, [name], MAX_SIZE, whole=True)
    assert decoded.body == PAGE
    assert decoded.notes == (
        f"{len(tail):,} bytes after the end of the {name.removeprefix('x-')} stream were ignored",
    )


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
def test_plain_text_under_a_false_header(name: str) -> None:
    decoded = decode(PAGE, [name], MAX_SIZE, whole=True)
    assert decoded.body == PAGE
    assert decoded.notes == (f"Content-Encoding says {name}, and the bytes are plain text",)
    with pytest.raises(ContentCodingError, match="plain text") as caught:
        decode(PAGE, [name], MAX_SIZE, whole=False)
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
    decoded = decode(body, declared, MAX_SIZE, whole=True)
    assert (decoded.body, decoded.notes) == (PAGE, notes)


@pytest.mark.parametrize("name", ["compress", "dcb", "rot13"])
def test_unknown_codings_are_refused(name: str) -> None:
    with pytest.raises(ContentCodingError, match=name) as caught:
        decode(b"\x1f\x9d\x90\0\1\2", [name], MAX_SIZE, whole=True)
    assert caught.value.reason == "unreadable"


def test_no_more_than_five_codings() -> None:
    body = PAGE
    for _ in range(5):
        body = gzip.compress(body)
    assert decode(body, ["gzip, gzip, gzip", "gzip, gzip"], MAX_SIZE, whole=True).body == PAGE
    with pytest.raises(ContentCodingError, match="6 content codings") as caught:
        decode(gzip.compress(body), ["gzip"] * 6, MAX_SIZE, whole=True)
    assert caught.value.reason == "unreadable"


def test_a_bomb_is_refused(coded: tuple[str, bytes]) -> None:
    name, _ = coded
    encode = next(encode for coding, encode in ENCODERS.values() if coding == name)
    body = encode(b"\0" * (MAX_SIZE + 1))
    with pytest.raises(ContentCodingError, match="DOWNLOAD_MAXSIZE") as caught:
        decode(body, [name], MAX_SIZE, whole=True)
    assert caught.value.reason == "too_large"
    assert len(decode(encode(b"\0" * MAX_SIZE), [name], MAX_SIZE, whole=True).body) == MAX_SIZE


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_a_bomb_after_as_much_as_is_allowed(name: str) -> None:
    _, encode = ENCODERS[name]
    body = encode(b"x" * MAX_SIZE) + encode(b"y" * 100 * MAX_SIZE)
    with pytest.raises(ContentCodingError, match="DOWNLOAD_MAXSIZE"):
        decode(body, [name], MAX_SIZE, whole=True)


@pytest.mark.parametrize(
    ("name", "part"),
    [("gzip", gzip.compress(b"")), ("zstd", b"\x50\x2a\x4d\x18\0\0\0\0")],
    # Otherwise the ids would include the time in the gzip member.
    ids=["gzip", "zstd"],
)
def test_millions_of_empty_parts(name: str, part: bytes) -> None:
    _, encode = ENCODERS[name]
    assert decode(encode(PAGE) + part * 9_000, [name], MAX_SIZE, whole=True).body == PAGE
    # Copying all remaining bytes for each of them would take hours.
    with pytest.raises(ContentCodingError, match="has over 10,000 parts"):
        decode(encode(PAGE) + part * 1_000_000, [name], MAX_SIZE, whole=True)


@given(st.binary(max_size=300), st.sampled_from(["gzip", "deflate", "br", "zstd", "utf-8"]))
def test_garbage_raises_nothing_else(body: bytes, name: str) -> None:
    try:
        decode(body, [name], MAX_SIZE, whole=True)
    except ContentCodingError as error:
        assert error.reason in ("cut_short", "unreadable")


@given(st.binary(max_size=3000), st.sampled_from(sorted(ENCODERS)))
def test_round_trip(body: bytes, name: str) -> None:
    coding, encode = ENCODERS[name]
    if not body.startswith(b"\x1f\x8b\x08"):
        assert decode(encode(body), [coding], MAX_SIZE, whole=True).body == body


def noise(size: int) -> bytes:
    """Return incompressible bytes, the same every time."""
    return b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(size // 32 + 1))[
        :size
    ]


@pytest.mark.parametrize("size", [4095, 4096, 4097, 65_535, 65_536, 65_537, 131_072, 200_000])
def test_streams_about_as_long_as_one_read(coded: tuple[str, bytes], size: int) -> None:
    name, _ = coded
    encode = next(encode for coding, encode in ENCODERS.values() if coding == name)
    for content in (noise(size), b"x" * size):
        body = encode(content)
        assert decode(body, [name], size, whole=True).body == content
        prefix = f"its {name.removeprefix('x-')} stream "
        with pytest.raises(ContentCodingError) as caught:
            decode(body, [name], size - 1, whole=True)
        assert str(caught.value) == f"{prefix}holds more than DOWNLOAD_MAXSIZE ({size - 1:,} bytes)"
        assert caught.value.reason == "too_large"
        with pytest.raises(ContentCodingError) as caught:
            decode(body[:-1], [name], 0, whole=True)
        assert str(caught.value) == f"{prefix}does not end within {len(body) - 1:,} bytes"
        assert caught.value.reason == "cut_short"
        assert decode(body + b"tail", [name], 0, whole=True).notes == (
            f"4 bytes after the end of the {name.removeprefix('x-')} stream were ignored",
        )


def parts(count: int, name: str) -> bytes:
    encode = ENCODERS[name][1]
    return encode(b"") * (count - 1) + encode(PAGE)


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_the_maximum_number_of_parts(name: str) -> None:
    assert decode(parts(10_000, name), [name], MAX_SIZE, whole=True).body == PAGE
    with pytest.raises(ContentCodingError) as caught:
        decode(parts(10_001, name), [name], MAX_SIZE, whole=True)
    assert str(caught.value) == f"its {name} stream has over 10,000 parts"
    assert caught.value.reason == "unreadable"


# Bytes that are not a Brotli stream, and whether they are taken for text.
TEXTS: dict[str, tuple[bytes, bool]] = {
    "64 bytes": (b"a" * 64, True),
    "63 bytes": (b"a" * 63, False),
    "little markup": (b" \n<p>", True),
    "all blanks that text has": (b"\t\n\f\r\x1b" + b"a" * 64, True),
    **{f"a control byte {byte:#04x}": (b"<p>" + bytes((byte,)), False) for byte in (0, 8, 11, 31)},
    "a control byte at 1023": (b"a" * 1023 + b"\x01", False),
    "a control byte at 1024": (b"a" * 1024 + b"\x01", True),
    "UTF-16": ("a".encode("utf-16-le").join((b"\xff\xfe", b"")), True),
    "UTF-16, big endian": (b"\xfe\xff\0a", True),
    "UTF-8": ("<é".encode(), True),
}


@pytest.mark.parametrize("name", TEXTS)
def test_which_bytes_are_taken_for_text(name: str) -> None:
    body, is_text = TEXTS[name]
    for coding, fault in (
        ("br", "its br stream "),
        ("unheard-of", "Content-Encoding 'unheard-of' is unknown"),
    ):
        if is_text:
            note = f"Content-Encoding says {coding}, and the bytes are plain text"
            assert decode(body, [coding], MAX_SIZE, whole=True) == Decoded(body, (note,))
            continue
        with pytest.raises(ContentCodingError) as caught:
            decode(body, [coding], MAX_SIZE, whole=True)
        assert str(caught.value).startswith(fault)
    if is_text:
        with pytest.raises(ContentCodingError) as caught:
            decode(body, ["br"], MAX_SIZE, whole=False)
        assert str(caught.value) == (
            "Content-Encoding says br, but the bytes are plain text, and nothing shows whether "
            "they are complete"
        )
        # With an unknown coding, nothing shows whether bytes are missing.
        assert decode(body, ["unheard-of"], MAX_SIZE, whole=False).body == body


@pytest.mark.parametrize(
    "name",
    ["compress", "x-compress", "exi", "pack200-gzip", "dcb", "dcz", "aes128gcm", "COMPRESS"],
)
def test_codings_that_are_not_supported(name: str) -> None:
    """They are refused even if the bytes look like text, but not if the bytes are gzip."""
    for body in (PAGE, b"\x1f\x9d\x90\0"):
        with pytest.raises(ContentCodingError) as caught:
            decode(body, [name], MAX_SIZE, whole=True)
        assert str(caught.value) == f"Content-Encoding {name.lower()} is not supported"
        assert caught.value.reason == "unreadable"
    assert decode(b"", [name], MAX_SIZE, whole=True) == Decoded(b"")
    assert decode(gzip.compress(PAGE), [name], MAX_SIZE, whole=True) == Decoded(
        PAGE, (f"Content-Encoding says {name.lower()}, and the bytes are gzip",)
    )


def test_the_names_of_codings() -> None:
    assert codings(["X-GZIP, brotli ,identity", "none", "", "a,,b"]) == ["gzip", "br", "a", "b"]
    assert codings([]) == []
    assert ACCEPTED == ("gzip", "deflate", "br", "zstd")
    assert not is_cut(b"", ["gzip"], MAX_SIZE)
    assert not is_cut(b"\0\1\2", ["gzip"], MAX_SIZE)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        # With a zlib header the error is zlib's own.
        (zlib.compress(PAGE)[:2] + b"\xff" * 9, "its deflate stream is damaged (Error -3 while "),
        (b"\x78\x9d" + b"\xff" * 9, "its deflate stream is damaged (Error -3 while "),
    ],
)
def test_a_damaged_deflate_stream(body: bytes, message: str) -> None:
    with pytest.raises(ContentCodingError) as caught:
        decode(body, ["deflate"], MAX_SIZE, whole=True)
    assert str(caught.value).startswith(message)
    assert caught.value.reason == "unreadable"


def test_deflate_with_and_without_its_header() -> None:
    """With a zlib header, the errors are zlib's; without one, they are those of bare deflate."""
    whole = zlib.compress(PAGE)
    wrong = whole[:-1] + bytes((whole[-1] ^ 1,))
    with pytest.raises(ContentCodingError, match="incorrect data check"):
        decode(wrong, ["deflate"], MAX_SIZE, whole=True)
    bare = bare_deflate(PAGE)
    with pytest.raises(ContentCodingError) as caught:
        decode(bare[:-3], ["deflate"], MAX_SIZE, whole=True)
    assert caught.value.reason == "cut_short"
    with pytest.raises(ContentCodingError) as caught:
        decode(bare, ["deflate"], 100, whole=True)
    assert caught.value.reason == "too_large"
    with pytest.raises(ContentCodingError, match=r"invalid (?!header)"):
        decode(b"\x07\x00\x01", ["deflate"], MAX_SIZE, whole=True)

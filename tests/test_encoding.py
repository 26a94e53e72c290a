"""Test the decoding of pages: the chosen encoding, and the evidence for it."""

import pytest

from crawler.extraction.page.encoding import Text, decode

RUSSIAN = "Садовники старого города договорились поливать липы по очереди до самой осени. " * 4


def meta(charset: str) -> bytes:
    return f'<meta charset="{charset}">'.encode()


CASES: dict[str, tuple[bytes, str | None, Text]] = {
    "nothing": (b"", None, Text("", "utf-8", "valid UTF-8")),
    "UTF-8, undeclared": ("é".encode(), None, Text("é", "utf-8", "valid UTF-8")),
    "UTF-8, declared": ("é".encode(), "UTF-8", Text("é", "utf-8", "HTTP header")),
    "BOM against the header": (
        b"\xef\xbb\xbf\xc3\xa9",
        "windows-1251",
        Text("é", "utf-8", "byte order mark"),
    ),
    "BOM against the meta element": (
        b"\xff\xfe" + '<meta charset="utf-8">é'.encode("utf-16-le"),
        None,
        Text('<meta charset="utf-8">é', "utf-16-le", "byte order mark"),
    ),
    "BOM of big-endian UTF-16, cut": (
        b"\xfe\xff\x00a\x00",
        None,
        Text("a\ufffd", "utf-16-be", "byte order mark"),
    ),
    "Latin-1 is windows-1252": (
        b"\x93\xe9\x94",
        "ISO-8859-1",
        Text("“é”", "cp1252", "HTTP header"),
    ),
    "meta element": (
        meta("windows-1256") + b"\xc7",
        None,
        Text('<meta charset="windows-1256">ا', "cp1256", "meta tag"),
    ),
    "header against meta element": (
        meta("windows-1251") + b"\xc7",
        "windows-1256",
        Text('<meta charset="windows-1251">ا', "cp1256", "HTTP header"),
    ),
    "header that cannot be": (
        meta("windows-1251") + b"\xc7",
        "utf-8",
        Text('<meta charset="windows-1251">З', "cp1251", "meta tag"),
    ),
    "multi-byte header over UTF-8": (
        "é".encode(),
        "shift_jis",
        Text("ﾃｩ", "cp932", "HTTP header"),
    ),
    "multi-byte meta element over UTF-8": (
        meta("euc-jp") + "é".encode(),
        None,
        Text('<meta charset="euc-jp">辿', "euc_jp", "meta tag"),
    ),
    "single-byte header, multi-byte meta element": (
        meta("shift_jis") + "é".encode(),
        "iso-8859-2",
        Text('<meta charset="shift_jis">é', "utf-8", "valid UTF-8"),
    ),
    "damaged, as the header says": (b"a\xff", "utf-8", Text("a\ufffd", "utf-8", "HTTP header")),
    "damaged, as the meta element says": (
        meta("utf-8") + b"\xff",
        None,
        Text('<meta charset="utf-8">\ufffd', "utf-8", "meta tag"),
    ),
    "damaged, and two declared": (
        meta("gbk") + b"\xff\x80",
        "utf-8",
        Text('<meta charset="gbk">\ufffd\ufffd', "utf-8", "HTTP header"),
    ),
    "word processor": (
        b"\x93It\x92s \x96 so\x94\x85\x99",
        None,
        Text("“It’s – so”…™", "cp1252", "its bytes"),
    ),
    "another encoding, undeclared": (
        RUSSIAN.encode("cp1251"),
        None,
        Text(RUSSIAN, "cp1251", "its bytes"),
    ),
    "damaged UTF-8, undeclared": (
        RUSSIAN.encode() + b"\xc3 ",
        None,
        Text(RUSSIAN + "\ufffd ", "utf-8", "its bytes"),
    ),
}
NOT_OF_PAGES = ("zip", "idna", "punycode", "unicode-escape", "rot13", "no-such-charset", "\x00", "")
SINGLE_BYTE = (
    "iso-8859-1",
    "iso-8859-5",
    "latin1",
    "windows-1251",
    "windows-1256",
    "ibm866",
    "koi8-r",
    "koi8-u",
    "us-ascii",
    "macintosh",
    "mac-cyrillic",
    "tis-620",
)


@pytest.mark.parametrize("name", CASES)
def test_decode(name: str) -> None:
    body, header, expected = CASES[name]
    assert decode(body, header) == expected


@pytest.mark.parametrize("label", NOT_OF_PAGES)
def test_encodings_that_no_page_can_have_are_ignored(label: str) -> None:
    body = meta("windows-1256") + b"\xc7"
    assert decode(body, label) == decode(body, None)
    assert decode(meta(label or "x") + "é".encode(), None).encoding == "utf-8"


@pytest.mark.parametrize("label", ["shift_jis", "gbk", "gb18030", "big5", "euc-jp", "euc-kr"])
def test_a_declared_multi_byte_charset_is_used(label: str) -> None:
    # These bytes are also valid UTF-8.
    body = "辿辿辿辿".encode("euc-jp")
    assert body.decode("utf-8")
    decoded = decode(body, label)
    assert (decoded.source, decoded.encoding == "utf-8") == ("HTTP header", False)


@pytest.mark.parametrize("label", SINGLE_BYTE)
def test_utf8_is_read_as_such_despite_a_declared_single_byte_charset(label: str) -> None:
    text = "“Señales” – 1 €"
    assert decode(text.encode(), label) == Text(text, "utf-8", "valid UTF-8")
    in_meta = meta(label) + text.encode()
    assert decode(in_meta, None) == Text(in_meta.decode(), "utf-8", "valid UTF-8")


@pytest.mark.parametrize(("whole", "is_utf8"), [(4, False), (5, True)])
def test_less_than_a_fifth_of_the_letters_may_be_damaged(whole: int, is_utf8: bool) -> None:
    body = b"The gardens of the town are closed. " * 3 + "é".encode() * whole + b" \xe9t"
    assert (decode(body, None).encoding == "utf-8") is is_utf8

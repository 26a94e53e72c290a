"""The encoding of a page: what is declared, where, and what its bytes say against it."""

import pytest

from crawler import page, sites

SITE = sites.load("alalam")
ARABIC = "الجيش يتقدم في المدينة"
FRENCH = "L’école où l’on rêvait – déjà"

# The headline, the codec of the bytes, the charset of the meta element, that of the HTTP header;
# then the codec that reads them and what told it.
CASES = {
    "latin-1 in the header over UTF-8": (FRENCH, "utf-8", None, "iso-8859-1", "utf-8", "valid UTF-8"),
    "latin-1 in the meta over UTF-8": (FRENCH, "utf-8", "iso-8859-1", None, "utf-8", "valid UTF-8"),
    "a latin-1 header and a meta of UTF-8 over UTF-8": (
        FRENCH, "utf-8", "utf-8", "iso-8859-1", "utf-8", "valid UTF-8",
    ),
    "nothing over windows-1256": (ARABIC * 4, "cp1256", None, None, "cp1256", "its bytes"),
    "windows-1252 over UTF-8": (FRENCH, "utf-8", "windows-1252", None, "utf-8", "valid UTF-8"),
    "windows-1256 over UTF-8": (ARABIC, "utf-8", None, "windows-1256", "utf-8", "valid UTF-8"),
    "nothing over UTF-8": (ARABIC, "utf-8", None, None, "utf-8", "valid UTF-8"),
    "windows-1252 in the header over a meta of UTF-8": (FRENCH, "cp1252", "utf-8", "windows-1252", "cp1252", "HTTP header"),
    "the header before the meta": (
        ARABIC, "cp1256", "windows-1252", "windows-1256", "cp1256", "HTTP header",
    ),
    "the meta where the header cannot be": (
        ARABIC, "cp1256", "windows-1256", "utf-8", "cp1256", "meta tag",
    ),
    "the meta where the header is no charset": (
        ARABIC, "cp1256", "windows-1256", "zip", "cp1256", "meta tag",
    ),
    "the meta alone": (ARABIC, "cp1256", "windows-1256", None, "cp1256", "meta tag"),
    "a word processor's punctuation": (
        "A “quoted” word – here", "cp1252", None, None, "cp1252", "its bytes",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_encoding(name: str) -> None:
    headline, codec, meta, header, encoding, told_by = CASES[name]
    declared = f'<meta charset="{meta}">' if meta else ""
    text = f"<html><head>{declared}</head><body><h1>{headline}</h1></body></html>"
    said = page.read(text.encode(codec), SITE, charset=header)
    assert said.headline is not None
    assert (said.headline.value, said.encoding, said.encoding_told_by) == (
        headline,
        encoding,
        told_by,
    )


@pytest.mark.parametrize("header", [None, "utf-8"])
def test_one_bad_byte_spoils_one_character(header: str | None) -> None:
    before, after = (
        f"<html><body><h1>{ARABIC * 4}".encode(),
        f"{ARABIC}</h1></body></html>".encode(),
    )
    said = page.read(before + b"\xff" + after, SITE, charset=header)
    assert said.headline is not None
    assert said.headline.value == f"{ARABIC * 4}\ufffd{ARABIC}"
    assert said.encoding == "utf-8"
    assert said.encoding_told_by == ("HTTP header" if header else "its bytes")


def test_a_byte_order_mark_is_stronger_than_a_header() -> None:
    text = f"\ufeff<html><body><h1>{FRENCH}</h1></body></html>"
    said = page.read(text.encode("utf-16-le"), SITE, charset="windows-1252")
    assert said.headline is not None
    assert (said.headline.value, said.encoding, said.encoding_told_by) == (
        FRENCH,
        "utf-16-le",
        "byte order mark",
    )

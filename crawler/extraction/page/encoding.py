"""Decode a page's bytes to text.

The order of precedence is HTML's (byte order mark, HTTP header, meta tag), with one exception for
the most common server error: valid UTF-8 is read as UTF-8 unless a multi-byte encoding is declared.
Text in a single-byte encoding is hardly ever valid UTF-8 by chance, unless it is plain ASCII.
"""

import codecs
import re
from typing import NamedTuple

from w3lib.encoding import html_body_declared_encoding, read_bom, resolve_encoding

# ASCII with the punctuation that word processors add: too little evidence for a detector.
_WORD_PROCESSOR = re.compile(rb"[\x00-\x7f\x80\x82\x84\x85\x91-\x97\x99\xa0\xa9\xab\xae\xb7\xbb]*")
# The Windows code pages for Chinese, Japanese and Korean use two bytes per character.
_SINGLE_BYTE = re.compile(
    r"cp(?!932|936|949|950)\d{3,4}|iso8859-\d+|koi8-[rut]|ascii|mac-.*|tis-620|latin.*"
)

_NON_PAGE_CODECS = frozenset(
    ("idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape")
)
# Bytes given to the detector.
_SAMPLE_BYTES = 65_536


class Text(NamedTuple):
    """A page's text, the Python codec that decoded it, and the source of that choice."""

    text: str
    encoding: str
    source: str


def _text_codec(label: str | None) -> str | None:
    """Return Python's name for an encoding label, or None if it is not an encoding of pages.

    Python also has codecs for other purposes, such as zlib and idna.
    """
    try:
        name = codecs.lookup(resolve_encoding(label or "") or "").name
        b"\xff".decode(name, "replace")
    except (LookupError, ValueError):
        return None
    return None if name in _NON_PAGE_CODECS else name


def decode(body: bytes, declared: str | None) -> Text:
    """Decode a page, replacing bad bytes with U+FFFD. ``declared`` is the HTTP header's charset."""
    bom_encoding, bom = read_bom(body)
    if bom_encoding and bom:
        return Text(
            body[len(bom) :].decode(bom_encoding, "replace"), bom_encoding, "byte order mark"
        )
    header = _text_codec(declared)
    meta = _text_codec(html_body_declared_encoding(body))
    declared_encoding = header or meta
    if declared_encoding is None or _SINGLE_BYTE.fullmatch(declared_encoding):
        try:
            return Text(body.decode("utf-8"), "utf-8", "valid UTF-8")
        except UnicodeError:
            pass
    for encoding, source in ((header, "HTTP header"), (meta, "meta tag")):
        if encoding is None:
            continue
        try:
            return Text(body.decode(encoding), encoding, source)
        except UnicodeError:
            continue
    if declared_encoding is not None:
        return Text(
            body.decode(declared_encoding, "replace"),
            declared_encoding,
            "HTTP header" if header else "meta tag",
        )
    if _WORD_PROCESSOR.fullmatch(body):
        return Text(body.decode("cp1252", "replace"), "cp1252", "its bytes")
    # Imported only for pages that declare no encoding.
    import charset_normalizer

    best = charset_normalizer.from_bytes(body[:_SAMPLE_BYTES]).best()
    # A few bad bytes in a UTF-8 page are damage, not another encoding.
    text = body.decode("utf-8", "replace")
    if best is None or text.count("\ufffd") * 5 < sum(not c.isascii() for c in text):
        return Text(text, "utf-8", "its bytes")
    encoding = codecs.lookup(best.encoding).name
    return Text(body.decode(encoding, "replace"), encoding, "its bytes")

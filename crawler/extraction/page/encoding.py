"""From a page's bytes to its text.

The order is HTML's own (byte order mark, HTTP header, meta tag), with one change that mends the commonest
fault of real servers: bytes that are valid UTF-8 and not plain ASCII are UTF-8, unless a multi-byte encoding
is declared; text in a single-byte encoding never happens to be so.
"""

import codecs
import re
from typing import NamedTuple

from w3lib.encoding import html_body_declared_encoding, read_bom, resolve_encoding

# Only the punctuation that word processors put into Latin text: too little for any detector.
_WORD_PROCESSOR = re.compile(rb"[\x00-\x7f\x80\x82\x84\x85\x91-\x97\x99\xa0\xa9\xab\xae\xb7\xbb]*")
# Of the code pages of Windows, those of Chinese, Japanese and Korean have two bytes a letter.
_SINGLE_BYTE = re.compile(
    r"cp(?!932|936|949|950)\d{3,4}|iso8859-\d+|koi8-[rut]|ascii|mac-.*|tis-620|latin.*"
)

_NOT_OF_PAGES = frozenset(("idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape"))
# Bytes that are enough to tell an encoding by.
_SAMPLE = 65_536


class Text(NamedTuple):
    """A page's text, the Python codec it was read with, and what told that codec."""

    text: str
    encoding: str
    told_by: str


def _text_codec(label: str | None) -> str | None:
    """Python's name of an encoding that a page can be in; None for none. Python has codecs for other things, such as zlib and idna."""
    try:
        name = codecs.lookup(resolve_encoding(label or "") or "").name
        b"\xff".decode(name, "replace")
    except (LookupError, ValueError):
        return None
    return None if name in _NOT_OF_PAGES else name


def decode(body: bytes, declared: str | None) -> Text:
    """Decode a page; ``declared`` is the charset of its HTTP header, if any. Bad bytes become U+FFFD."""
    bom_encoding, bom = read_bom(body)
    if bom_encoding and bom:
        return Text(
            body[len(bom) :].decode(bom_encoding, "replace"), bom_encoding, "byte order mark"
        )
    header = _text_codec(declared)
    meta = _text_codec(html_body_declared_encoding(body))
    stated = header or meta
    if stated is None or _SINGLE_BYTE.fullmatch(stated):
        try:
            return Text(body.decode("utf-8"), "utf-8", "valid UTF-8")
        except UnicodeError:
            pass
    for encoding, told_by in ((header, "HTTP header"), (meta, "meta tag")):
        if encoding is None:
            continue
        try:
            return Text(body.decode(encoding), encoding, told_by)
        except UnicodeError:
            continue
    if stated is not None:
        return Text(body.decode(stated, "replace"), stated, "HTTP header" if header else "meta tag")
    if _WORD_PROCESSOR.fullmatch(body):
        return Text(body.decode("cp1252", "replace"), "cp1252", "its bytes")
    # Imported only for a page that declares no encoding.
    import charset_normalizer

    best = charset_normalizer.from_bytes(body[:_SAMPLE]).best()
    # A few bad bytes in a page of UTF-8 are damage, not another encoding.
    text = body.decode("utf-8", "replace")
    if best is None or text.count("\ufffd") * 5 < sum(not c.isascii() for c in text):
        return Text(text, "utf-8", "its bytes")
    encoding = codecs.lookup(best.encoding).name
    return Text(body.decode(encoding, "replace"), encoding, "its bytes")

"""Decode a page's bytes to text.

The order of precedence is HTML's (byte order mark, HTTP header, meta tag), with exceptions for
common errors of servers:

- Valid UTF-8 is read as UTF-8 unless a multi-byte encoding is declared and the text is short. Text
  in another encoding is hardly ever valid UTF-8 by chance, unless it is plain ASCII.
- A few bad bytes in UTF-8 are damage, whatever is declared.
- A declared encoding that cannot be the page's is passed over: UTF-8 that most of the letters
  violate, and Western European text made of accented letters alone.
"""

import codecs
import re
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from w3lib.encoding import html_body_declared_encoding, read_bom, resolve_encoding, to_unicode

# ASCII with the punctuation that word processors add: too little evidence for a detector.
_WORD_PROCESSOR = re.compile(rb"[\x00-\x7f\x80\x82\x84\x85\x91-\x97\x99\xa0\xa9\xab\xae\xb7\xbb]*")
# The Windows code pages for Chinese, Japanese and Korean use two bytes per character.
_SINGLE_BYTE = re.compile(
    r"cp(?!932|936|949|950)\d{3,4}|iso8859-\d+|koi8-[rut]|ascii|mac-.*|tis-620|latin.*"
)
# Continuation bytes. Text in a multi-byte encoding that is this long is not valid UTF-8 by chance.
_LONG_UTF8 = 40
# A damaged UTF-8 page that declares another encoding has at least this many whole letters for each
# damaged one. One that declares nothing, or UTF-8, needs fewer.
_WHOLE_LETTERS = 10
_WHOLE_LETTERS_UNDECLARED = 4
# With fewer letters outside ASCII, a page that declares an encoding is believed.
_FEWEST_LETTERS = 10

_NON_PAGE_CODECS = frozenset(
    ("idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape")
)
_WIDE = ("utf-16", "utf-32")
# A declaration outside the bytes or the syntax that w3lib reads.
_LATE_META = re.compile(
    rb"<[Mm][Ee][Tt][Aa]\s[^<>]{0,300}?charset\s{0,9}[=:]\s{0,9}"
    rb"[\"'\x80-\xff]{0,4}\s{0,9}([\w-]{3,30})",
    re.IGNORECASE,
)
_HEAD_BYTES = 65_536
_CACHED = 256
# Spellings of labels that no standard knows: "windows1251", "win-1251", "utf8mb4", "ISO 8859-1".
_MISSPELT = (
    (re.compile(r"(?:x[-_ ]?)?(?:windows|win|cp|ms)[-_ ]{0,2}(\d{3,4})", re.I), r"cp\1"),
    (re.compile(r"iso[-_ ]{0,2}8859[-_ ]{0,2}(\d{1,2})(?:-?[ie])?", re.I), r"iso-8859-\1"),
    (re.compile(r"utf[-_ ]{0,2}8\W?|utf8mb[34]|utf-8-bom", re.I), "utf-8"),
)
# Bytes that start Japanese text in ISO-2022-JP, which consists of ASCII bytes only.
_JAPANESE_ESCAPES = (b"\x1b$B", b"\x1b$@")
_WESTERN = frozenset(("cp1252", "cp1254", "cp1250", "iso8859-1", "iso8859-15", "iso8859-2"))
# Different letters without any ASCII letter among them: words of another code page, since those of
# Western European languages have at most a few accented letters in a row.
_FOREIGN_WORD = re.compile(rb"(?!(.)\1{3})[\x80-\xff]{5}", re.DOTALL)
_FEWEST_FOREIGN_WORDS = 8
# The parts of a page that tell a detector something: text with bytes outside ASCII.
_TELLING = re.compile(rb"[^<>\x80-\xff]{0,100}[\x80-\xff][^<>]{0,1000}")
# Bytes given to the detector.
_SAMPLE_BYTES = 16_384
# Detectors confuse the code pages of languages in Latin script. The page's language decides, with
# the default encodings that the HTML standard gives for it.
_LATIN = frozenset(
    "cp1250 cp1252 cp1254 cp1257 cp1258 cp437 cp850 cp852 cp858 iso8859-1 iso8859-2 iso8859-3"
    " iso8859-4 iso8859-9 iso8859-10 iso8859-13 iso8859-14 iso8859-15 iso8859-16 mac-latin2"
    " mac-roman mac-turkish cp775 cp857 cp860 cp861 cp863 cp865 hp-roman8".split()
)
_LANGUAGE = re.compile(rb"<html\b[^<>]{0,500}?\slang\s?=\s?[\"']?([a-z]{2})", re.I)
_LATIN_DEFAULTS = {
    **dict.fromkeys(("bs", "cs", "hr", "hu", "pl", "ro", "sk", "sl", "sq"), "cp1250"),
    **dict.fromkeys(("az", "ku", "tr"), "cp1254"),
    **dict.fromkeys(("et", "lt", "lv"), "cp1257"),
    "vi": "cp1258",
}
# Bytes that are letters of Polish or Czech in windows-1250 and control characters in ISO 8859-2.
_ONLY_1250 = re.compile(rb"[\x8a\x8c\x8d\x8e\x8f\x9a\x9c\x9d\x9e\x9f]")
# Signs of windows-1252 within a word, where other code pages have letters.
_SIGN_IN_WORD = re.compile(rb"[a-z][\xa3\xa5\xaf\xb1\xb3\xb6\xb9\xbb\xbc\xbe\xbf][a-z]")


class Text(NamedTuple):
    """A page's text, the Python codec that decoded it, and the source of that choice."""

    text: str
    encoding: str
    source: str


def decode(body: bytes, declared: str | None) -> Text:
    """Decode a page, replacing bad bytes with U+FFFD. ``declared`` is the HTTP header's charset."""
    bom_encoding, bom = read_bom(body)
    if bom_encoding and bom:
        return Text(
            body[len(bom) :].decode(bom_encoding, "replace"), bom_encoding, "byte order mark"
        )
    text = _strict(body, "utf-8")
    is_plain = text is not None and b"\x1b" not in body
    if text is not None and is_plain and declared and _declared_codec(declared, body) == "utf-8":
        # Their meta tags make no difference.
        return Text(text, "utf-8", "HTTP header")
    labels = [(declared, "HTTP header"), (html_body_declared_encoding(body), "meta tag")]
    if text is None and not labels[1][0]:
        labels[1] = (_late_label(body), "meta tag")
    choices = [
        (encoding, source)
        for label, source in labels
        if label and (encoding := _declared_codec(label, body)) is not None
    ]
    return _not_utf8(body, choices) if text is None else _valid_utf8(body, text, choices)


def _declared_codec(label: str, body: bytes) -> str | None:
    """Return the codec of a declared label; None if it is unknown or cannot be the page's."""
    name = _text_codec(label)
    if name is None:
        for pattern, replacement in _MISSPELT:
            if match := pattern.fullmatch(label.strip(" \t\"'")):
                name = _text_codec(match.expand(replacement))
    # A page of ASCII markup is not in UTF-16, although a meta tag in it may say so.
    return None if name and name.startswith(_WIDE) and b"\0" not in body[:_HEAD_BYTES] else name


@lru_cache(maxsize=_CACHED)
def _text_codec(label: str) -> str | None:
    """Return Python's name for an encoding label, or None if it is not an encoding of pages.

    Python also has codecs for other purposes, such as zlib and idna.
    """
    try:
        name = codecs.lookup(resolve_encoding(label) or "").name
        b"\xff".decode(name, "replace")
    except (LookupError, ValueError):
        return None
    return None if name in _NON_PAGE_CODECS else name


def _late_label(body: bytes) -> str | None:
    """Return the label that the page declares too late or too badly for w3lib."""
    match = _LATE_META.search(body, 0, _HEAD_BYTES)
    return match[1].decode("ascii", "ignore") if match else None


def _valid_utf8(body: bytes, text: str, choices: list[tuple[str, str]]) -> Text:
    """Return the text of a page whose bytes are valid UTF-8."""
    if b"\x1b" in body and any(escape in body for escape in _JAPANESE_ESCAPES):
        with_escapes = _strict(body, "iso2022_jp_2")
        if with_escapes is not None:
            source = next((s for e, s in choices if e.startswith("iso2022")), "its bytes")
            return Text(with_escapes, "iso2022_jp", source)
    encoding, source = choices[0] if choices else ("utf-8", "valid UTF-8")
    if encoding == "utf-8":
        return Text(text, encoding, source)
    if _SINGLE_BYTE.fullmatch(encoding) or len(body) - len(text) >= _LONG_UTF8:
        return Text(text, "utf-8", "valid UTF-8")
    for encoding, source in choices:
        if (decoded := _strict(body, encoding)) is not None:
            return Text(decoded, encoding, source)
    return Text(text, "utf-8", "valid UTF-8")


def _not_utf8(body: bytes, choices: list[tuple[str, str]]) -> Text:
    """Return the text of a page whose bytes are not valid UTF-8 throughout."""
    damaged = body.decode("utf-8", "replace")
    bad = damaged.count("\ufffd")
    letters = _letters(damaged)
    whole = letters - bad
    says_utf8 = next((source for encoding, source in choices if encoding == "utf-8"), None)
    fewest = _WHOLE_LETTERS_UNDECLARED if says_utf8 or not choices else _WHOLE_LETTERS
    if whole > fewest * bad:
        return Text(damaged, "utf-8", says_utf8 or "its bytes")
    possible = [
        (encoding, source)
        for encoding, source in choices
        if encoding != "utf-8" and not (encoding in _WESTERN and _has_foreign_words(body, damaged))
    ]
    for encoding, source in possible:
        if (decoded := _strict(body, encoding)) is not None:
            return Text(decoded, encoding, source)
    if choices and letters < _FEWEST_LETTERS:
        encoding, source = choices[0]
        return Text(to_unicode(body, encoding), encoding, source)
    if _WORD_PROCESSOR.fullmatch(body):
        return Text(body.decode("cp1252", "replace"), "cp1252", "its bytes")
    for encoding, source in possible:
        decoded = to_unicode(body, encoding)
        if decoded.count("\ufffd") * _WHOLE_LETTERS_UNDECLARED < _letters(decoded):
            return Text(decoded, encoding, source)
    if detected := _detected(body):
        return Text(to_unicode(body, detected), detected, "its bytes")
    encoding, source = choices[0] if choices else ("utf-8", "its bytes")
    return Text(to_unicode(body, encoding), encoding, source)


def _letters(text: str) -> int:
    """Return the number of characters outside ASCII."""
    return len(text) - len(text.encode("ascii", "ignore"))


def _strict(body: bytes, encoding: str) -> str | None:
    try:
        return body.decode(encoding)
    except UnicodeError:
        return None


def _has_foreign_words(body: bytes, damaged: str) -> bool:
    if "\ufffd\ufffd\ufffd\ufffd" not in damaged:
        return False
    words = _FOREIGN_WORD.finditer(body)
    return next(islice(words, _FEWEST_FOREIGN_WORDS - 1, None), None) is not None


def _detected(body: bytes) -> str | None:
    """Return the encoding that the bytes look like; None if nothing fits."""
    # Imported only for pages whose declared encoding is missing or wrong.
    import charset_normalizer

    parts: list[bytes] = []
    size = 0
    for match in _TELLING.finditer(body):
        parts.append(match[0])
        size += len(match[0])
        if size > _SAMPLE_BYTES:
            break
    sample = b"\n".join(parts)
    best = charset_normalizer.from_bytes(sample).best()
    encoding = codecs.lookup(best.encoding).name if best else None
    return _latin(body, sample) or encoding if encoding in _LATIN else encoding


def _latin(body: bytes, sample: bytes) -> str | None:
    """Return the encoding of a text in Latin script; None if its language does not tell."""
    language = _LANGUAGE.search(body, 0, _HEAD_BYTES)
    encoding = _LATIN_DEFAULTS.get(language[1].decode().lower()) if language else None
    if encoding == "cp1250" and not _ONLY_1250.search(sample):
        return "iso8859-2"
    if encoding is None and (language or not _SIGN_IN_WORD.search(sample)):
        return "cp1252"
    return encoding

"""Text helpers: whitespace, comparison keys, sentence ends, and characters forbidden in records."""

import re
from itertools import islice

from lxml.etree import _Element

# Characters that HTML forbids in text, but that numeric references can still put into a tree.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_CONTROL_BYTES = bytes([*range(9), 11, 12, *range(14, 32)])
_INVISIBLE = re.compile("[\u200b\ufeff\u00ad]")
_NON_WORD = re.compile(r"[\W_]+")
_TYPOGRAPHIC_MARKS = "–—…„“”’‘«»"
_ASCII_NON_WORD = bytes(b for b in range(128) if not chr(b).isalnum())
# The ends of sentences in the scripts of news, and the marks that may follow: closing quotes and
# brackets. Armenian, Urdu, Ethiopic, Hindi, Burmese, Khmer, Tibetan, Chinese and Japanese have
# their own.
_SENTENCE_ENDS = frozenset(".!?…:;。؟۔।॥։።፧၊။។༎།！？．｡‼⁇⁈⁉」』")
_AFTER_SENTENCE = " \t\n\"'”’»›“‘)]）】》〉］\u200c\u200d"
# A sentence that ends within a text, behind a word rather than an abbreviation of one letter.
_INNER_END = re.compile(r"[^\W\d_]{2}[.!?…][\"'”’»)]?\s+[^\W\d_]|[؟۔।॥։።။។。！？]")
# Thai and Lao have no mark for the end of a sentence.
_UNMARKED_SCRIPTS = re.compile("[\u0e00-\u0eff]")
# Characters. A shorter text without an end mark may be a list of words.
_LONG = 80
# Chinese, Japanese and Korean characters. Each says as much as two or three letters.
_DENSE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")
_LETTERS_PER_DENSE_CHARACTER = 2.5
# The bytes that no character of these begins with in UTF-8.
_NEVER_DENSE = bytes(range(0xE3))


def without_controls(text: str) -> str:
    """Replace control characters with spaces and lone surrogates with U+FFFD."""
    if _UNWANTED.search(text) is None:
        return text
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub(" ", text))


def has_controls(page: bytes, text: str) -> bool:
    """Return whether a page in UTF-8, given as bytes and as text, has control characters.

    Faster than ``without_controls``.
    """
    is_clean = len(page.translate(None, _CONTROL_BYTES)) == len(page)
    return not is_clean or "\ufffe" in text or "\uffff" in text


def without_surrogates(text: str) -> str:
    """Replace lone surrogates, which JSON can escape but no encoding can write, with U+FFFD."""
    return text if text.isprintable() else _SURROGATES.sub("\ufffd", text)


def collapse(text: str) -> str:
    """Collapse each run of whitespace into one space and drop zero-width characters."""
    return " ".join(
        (text if text.isascii() or text.isprintable() else _INVISIBLE.sub("", text)).split()
    )


def clean(text: str) -> str:
    """Collapse white space and replace characters that records must not have.

    The same as ``collapse(without_controls(text))``, but faster.
    """
    collapsed = " ".join(text.split())
    return collapsed if collapsed.isprintable() else collapse(without_controls(text))


def key(text: str) -> str:
    """Return the case-folded letters and digits, to compare differently typeset headlines."""
    folded = text.casefold().encode("utf-8", "surrogatepass")
    # A regular expression alone would take three times as long.
    words = folded.translate(None, _ASCII_NON_WORD).decode("utf-8", "surrogatepass")
    if words.isascii() or words.isalnum():
        return words
    for mark in _TYPOGRAPHIC_MARKS:
        words = words.replace(mark, "")
    return words if words.isalnum() else _NON_WORD.sub("", words)


def ends_sentence(text: str) -> bool:
    return text.rstrip(_AFTER_SENTENCE)[-1:] in _SENTENCE_ENDS


def has_sentence(text: str) -> bool:
    """Return whether a text surely has a complete sentence: at its end, or within if it is long.

    A long text in Thai or Lao has one, because these do not mark where sentences end.
    """
    if ends_sentence(text):
        return True
    if visible_length(text) < _LONG:
        return False
    return _INNER_END.search(text) is not None or len(_UNMARKED_SCRIPTS.findall(text)) >= _LONG


def visible_length(text: str) -> int:
    """Return the length of a text in characters, as if it were in Latin script.

    A Chinese, Japanese or Korean character counts as two and a half. Use it wherever a number of
    characters decides whether a text is prose.
    """
    if text.isascii() or not text.encode("utf-8", "replace").translate(None, _NEVER_DENSE):
        return len(text)
    dense = len(_DENSE.findall(text))
    return len(text) + int(dense * (_LETTERS_PER_DENSE_CHARACTER - 1))


def has_many_elements(element: _Element, most: int) -> bool:
    """Return whether an element has at least ``most`` descendants; counting stops there."""
    return next(islice(element.iter(), most, None), None) is not None


def all_text(element: _Element, most: int = 1_000_000, separator: str = "") -> str:
    """Return the raw text inside an element; reading stops after ``most`` characters.

    The texts of the elements in it are joined by the ``separator``.
    """
    parts: list[str] = []
    size = 0
    for part in element.itertext():
        parts.append(str(part))
        size += len(part)
        if size > most or len(parts) > most:
            break
    return separator.join(parts)

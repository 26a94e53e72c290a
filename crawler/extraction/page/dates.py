"""Parse the dates that news sites print, in the languages of news.

Takes one line or attribute and returns a ``Moment``, or None. Nothing is guessed: a date whose day
and month could be swapped gives None, and a time whose zone has several meanings stays local.
Dates are found by their digits; months.py has the names of the months.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from crawler.extraction.page.months import CONTESTED, MONTHS, PERSIAN_MONTHS

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Languages that always write the day before the month. English does not, nor do the languages of
# former American territories; East Asia, Hungary and Lithuania write the year first.
_DAY_FIRST = frozenset(
    "af ar az be bg bn bs ca cs cy da de el es et eu fi fr ga gl he hi hr hy id is it ka kk ky lv "
    "mk mr ms nb nl nn no pl pt ro ru sk sl sq sr sv ta te th tr uk ur uz vi "
    "en-au en-gb en-ie en-in en-nz".split()
)
# Offsets in minutes of zone names that mean the same on every news site.
_ZONES = {
    **dict.fromkeys(("z", "utc", "gmt", "wet"), 0),
    **dict.fromkeys(("cet", "mez", "wat"), 60),
    **dict.fromkeys(("cest", "mesz", "eet", "cat", "sast"), 120),
    **dict.fromkeys(("eest", "msk", "мск", "eat", "trt", "tsi", "idt"), 180),
    "irst": 210,
    "irdt": 270,
    "pkt": 300,
    "npt": 345,
    **dict.fromkeys(("wib", "ict"), 420),
    **dict.fromkeys(("wita", "sgt", "hkt", "myt", "awst"), 480),
    **dict.fromkeys(("wit", "jst", "kst"), 540),
    "acst": 570,
    "aest": 600,
    "acdt": 630,
    "aedt": 660,
    "nzst": 720,
    "nzdt": 780,
    "ndt": -150,
    "nst": -210,
    "adt": -180,
    "art": -180,
    "brt": -180,
    "est": -300,
    "edt": -240,
    "cdt": -300,
    "mst": -420,
    "mdt": -360,
    "pst": -480,
    "pdt": -420,
    "akst": -540,
    "akdt": -480,
    "hst": -600,
}
# Zones that have several offsets in a year, and cities that stand for their zones.
_PLACES = {
    "et": "America/New_York",
    "ct": "America/Chicago",
    "mt": "America/Denver",
    "pt": "America/Los_Angeles",
    "eastern": "America/New_York",
    "central": "America/Chicago",
    "mountain": "America/Denver",
    "pacific": "America/Los_Angeles",
    "new york": "America/New_York",
    "washington": "America/New_York",
    "london": "Europe/London",
    "uk": "Europe/London",
    "paris": "Europe/Paris",
    "berlin": "Europe/Berlin",
    "brussels": "Europe/Brussels",
    "moscow": "Europe/Moscow",
    "kyiv": "Europe/Kyiv",
    "kiev": "Europe/Kyiv",
    "istanbul": "Europe/Istanbul",
    "cairo": "Africa/Cairo",
    "nairobi": "Africa/Nairobi",
    "lagos": "Africa/Lagos",
    "israel": "Asia/Jerusalem",
    "jerusalem": "Asia/Jerusalem",
    "makkah": "Asia/Riyadh",
    "mecca": "Asia/Riyadh",
    "riyadh": "Asia/Riyadh",
    "uae": "Asia/Dubai",
    "dubai": "Asia/Dubai",
    "abu dhabi": "Asia/Dubai",
    "tehran": "Asia/Tehran",
    "iran": "Asia/Tehran",
    "beijing": "Asia/Shanghai",
    "hong kong": "Asia/Hong_Kong",
    "singapore": "Asia/Singapore",
    "tokyo": "Asia/Tokyo",
    "japan": "Asia/Tokyo",
    "seoul": "Asia/Seoul",
    "korea": "Asia/Seoul",
    "jakarta": "Asia/Jakarta",
    "sydney": "Australia/Sydney",
    "melbourne": "Australia/Melbourne",
    "московскому": "Europe/Moscow",
    "киевскому": "Europe/Kyiv",
    "غرينتش": "Etc/GMT",
    "غرينيتش": "Etc/GMT",
    "جرينتش": "Etc/GMT",
    "مكة": "Asia/Riyadh",
    "مكة المكرمة": "Asia/Riyadh",
    "السعودية": "Asia/Riyadh",
    "القاهرة": "Africa/Cairo",
    "القدس": "Asia/Jerusalem",
    "بيروت": "Asia/Beirut",
    "بغداد": "Asia/Baghdad",
    "أبوظبي": "Asia/Dubai",
    "تهران": "Asia/Tehran",
}
# The offsets in minutes of names with several meanings, each with the countries where it is meant.
_AMBIGUOUS = {
    "ist": {330: "in", 120: "il", 60: "ie"},
    "cst": {-360: "us ca mx", 480: "cn tw", -300: "cu"},
    "bst": {60: "gb uk", 360: "bd"},
    "ast": {-240: "pr ca", 180: "sa kw iq bh qa"},
    "gst": {240: "ae om", -120: "gs"},
    "sst": {-660: "as", 480: "sg"},
}

_DIGIT = re.compile(r"\d")
# The zeros of the scripts whose digits news sites use; nine digits follow each.
_ZEROS = (
    "\u0660\u06f0\u0966\u09e6\u0a66\u0ae6\u0b66\u0be6\u0c66\u0ce6\u0d66\u0e50\u0ed0\u1040\u17e0"
    "\uff10"
)
# Digits as ASCII, and directional marks and no-break spaces as spaces. No length changes.
_PLAIN = {ord(zero) + n: str(n) for zero in _ZEROS for n in range(10)}
_PLAIN |= dict.fromkeys((0xA0, 0x200E, 0x200F, *range(0x202A, 0x202F), 0x202F, 0x61C), " ")
_PLAIN |= {ord("："): ":", ord("／"): "/", ord("．"): ".", ord("٫"): ":", ord("−"): "-"}

# No letter of a word. Vowel signs are letters here, although they are not for ``\w``.
_NO_LETTER = r"\s\d!-/:-@\[-`{-~«»،؛·•‐-‧"
_THAI = "[\u0e00-\u0e7f]{1,3}"
_NAME = (
    rf"(?<![^{_NO_LETTER}])(?P<month>(?:كانون|تشرين)\s\w{{4,7}}|{_THAI}\.{_THAI}|"
    rf"[^{_NO_LETTER}]{{2,20}}+)"
)
_WEEKDAY = (
    r"(?i:(?P<weekday>mon|tue|wed|thu|fri|sat|sun)"
    r"(?:s|rs?|nes|ur|urs)?(?:day)?\b\.?,?\s+(?:the\s+)?)?"
)
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|ST|ND|RD|TH|er|e|a|º|°|-?го|ης|η)?"
# The years of Iran (13xx, 14xx) and Thailand (25xx) are converted.
_YEAR = r"(?P<year>(?:19|20|25|13|14)\d\d)(?!\d)"
_OF = r"(?i:(?:of|de|del|di|den|da|the|ta['’]|d['’]|του|เดือน|ماه|ב)(?:\b|(?<=['’]))\s*)?"
_IN = r"(?i:(?:de|del|do|of|năm|พ\.ศ\.|ค\.ศ\.|سنة|عام|سال|г\.|р\.)\s*)?"
_BEFORE_NOON = "上午|午前|오전|早上|凌晨"
_AFTER_NOON = "下午|午後|오후|晚上"
_HALVES_AFTER = (
    r"[ap]\.?\s?m\b\.?|صباح\w*|مساء\w*|[صم](?!\w)\.?|ق\.?\s?ظ|ب\.?\s?ظ|[πμ]\.?\s?μ\.?(?!\w)"
)
_PLACE = "|".join(re.escape(name) for name in sorted(_PLACES, key=len, reverse=True))
_NAMED = "|".join(sorted((name for name in _ZONES if len(name) > 1), key=len, reverse=True))
_ZONE = (
    r"(?P<zone>z\b|(?:utc|gmt)?\s*[+–-]\s?\d{1,2}:?(?:\d\d)?\b|(?:utc|gmt)\b|"
    rf"(?-i:{_NAMED.upper()}|{'|'.join(_AMBIGUOUS).upper()}|ET|CT|MT|PT)\b|(?-i:мск)\b|"
    r"(?:eastern|central|mountain|pacific)\b(?:\s+(?:standard|daylight))?(?:\s+time\b)?|"
    rf"(?:{_PLACE})\s+(?:standard\s+|local\s+)?time\b|"
    rf"(?:بتوقيت|به\s+وقت|по)\s+(?:{_PLACE})(?:\s+времени)?)"
)
_CLOCK = (
    rf"(?:(?P<half_before>{_BEFORE_NOON}|{_AFTER_NOON})\s?)?"
    r"(?P<hour>[01]?\d|2[0-4])(?:"
    r"(?:[:.]|\s?h\s?|\s?[時时點点시]\s?)(?P<minute>[0-5]\d)(?:\s?[分분])?"
    r"(?:[:.](?P<second>[0-5]\d|60)(?:[.,](?P<fraction>\d{1,9}))?)?|"
    r"(?=\s?(?:[ap]\.?\s?m\b|h\b|uhr\b)))"
    rf"(?:\s*(?P<half>{_HALVES_AFTER}))?"
    r"(?:\s*(?:hrs?|hours|hs?|uhr|น)\b\.?)?"
    rf"(?:,?\s*(?:[(\[]\s*)?{_ZONE}[)\]]?)?"
)
# The words that stand between a day and its time of day.
_BETWEEN = (
    r"(?:[\s.,;:|/•·@(\[)\]–—-]|T(?=\d)|\([^()\d]{1,12}\)|[월화수목금토일]요일|"
    r"(?:at|on|time|um|ab|à|as|às|a\s+las?|a\s+les|alle|ore|ora|hora|kl|klo|kello|o|godz|om|den|"
    r"u|в|о|у|saat|pukul|jam|lúc|στις|الساعة|على\s+الساعة|ساعت|בשעה|เวลา)(?![^\W\d_])\.?:?){0,20}"
)
_FORMS = (
    # 2015-10-23, 2015/10/23, 2015. 10. 23
    (
        rf"{_YEAR}\s?(?P<mark>[-/.])\s?(?P<month_number>\d{{1,2}})\s?(?P=mark)\s?"
        r"(?P<day>\d{1,2})(?!\d)"
    ),
    # 2015年10月23日, 2015년 10월 23일
    (
        r"(?P<era>令和|平成|民國)?(?P<year>(?:19|20)\d\d|(?<=[和成國])\d{1,3})\s?[年년]\s?"
        r"(?P<month_number>\d{1,2})\s?[月월]\s?(?P<day>\d{1,2})(?:\s?[日일号號])?"
    ),
    # 23/10/2015, 23.10.2015, 10-23-2015
    (
        rf"{_WEEKDAY}(?P<first>\d{{1,2}})\s?(?P<mark>[-/.])\s?"
        rf"(?P<second_number>\d{{1,2}})\s?(?P=mark)\s?{_YEAR}"
    ),
    # 23 tháng 10 năm 2015
    rf"{_DAY}\s*[Tt]háng\s*(?P<month_number>\d{{1,2}})[\s,]*{_IN}{_YEAR}",
    # Fri Oct 23, 2015; October 23rd 2015
    rf"{_WEEKDAY}{_NAME}\.?\s*{_DAY}(?:\s*,\s*|\s+){_IN}{_YEAR}",
    # Friday, 23 October 2015; 23-Oct-2015; the 23rd of October, 2015; 23 de octubre de 2015
    rf"{_WEEKDAY}{_DAY}[\s./-]*{_OF}{_NAME}[\s,./-]*{_IN}{_YEAR}",
    # 2015. október 23.; 2015 m. spalio 23 d.
    rf"{_YEAR}\.?\s*(?:m\.\s*)?{_NAME}\s+{_DAY}(?!\d)",
)
_PATTERNS = (
    *(re.compile(rf"(?<![\d/.-]){form}") for form in _FORMS),
    # 20151023T132608
    re.compile(
        r"\b(?P<year>(?:19|20)\d\d)(?P<month_number>\d\d)(?P<day>\d\d)T(?P<hour>\d\d):?"
        rf"(?P<minute>\d\d):?(?P<second>\d\d)?(?P<fraction>)(?P<half>)(?P<half_before>)"
        rf"\s?(?i:{_ZONE})?"
    ),
    # ctime: Fri Oct 23 13:26:08 2015
    re.compile(rf"{_WEEKDAY}{_NAME}\s+{_DAY}\s+(?i:{_CLOCK})\s+{_YEAR}"),
)
# The patterns, each with the texts of which it needs one, if they are rare.
_SEARCHED = tuple(
    zip(_PATTERNS, ((), ("年", "년"), (), ("áng",), (), (), (), ("T",), (":",)), strict=True)
)
# 23.10.15: only dots, which are always day-first, and only years since news has been on the web.
_SHORT = re.compile(
    r"(?<![\d/.:-])(?P<day>[0-3]\d)\.\s?(?P<month_number>[01]\d)\.\s?"
    r"(?P<year>[0-3]\d|9[5-9])(?![\d/:-])(?!\.\d)"
)
# "Version 10.12.15"
_NUMBERED = re.compile(r"(?:version|release|android|chapter|kapitel|firmware|update)\s*\Z", re.I)
_CLOCK_AFTER = re.compile(rf"{_BETWEEN}{_CLOCK}", re.IGNORECASE)
_CLOCK_BEFORE = re.compile(rf"(?<![\d/.:-]){_CLOCK}{_BETWEEN}\Z", re.IGNORECASE)
_YEAR_ANYWHERE = re.compile(r"(?:19|20|25|13|14)\d\d|(?:令和|平成|民國)\d")
# Names of days before a date, which belong to it in its text as written.
_WEEKDAY_BEFORE = re.compile(
    r"(?:(?:يوم\s+)?(?:ال)?(?:[أا]حد|[إا]ثنين|ثلاثاء|[أا]ربعاء|خميس|جمعة|سبت)|"
    r"(?:یک|دو|سه|چهار|پنج)?\s?\u200c?شنبه|جمعه|"
    r"\b(?:mon|diens|donners|frei|sams|sonn)tag|\bmittwoch|\bsonnabend|\b(?:mo|di|mi|do|fr|sa|"
    r"so)\.|"
    r"\b(?:lun|mar|mercre|jeu|vendre|same)di|\bdimanche|\blunes|\bmartes|\bmi[ée]rcoles|\bjueves|"
    r"\bviernes|\bs[áa]bado|\bdomingo|\b(?:lune|marte|mercole|giove|vener)d[ìi]|\bsabato|"
    r"\bdomenica|\b(?:segunda|terça|quarta|quinta|sexta)(?:-feira)?|\bponedj?eljak|"
    r"\bпонедельник|\bвторник|\bсреда|\bчетверг|\bпятница|\bсуббота|\bвоскресенье)"
    r"[,،]?\s*(?:den\s+|le\s+|el\s+)?\Z",
    re.IGNORECASE,
)
_LONGEST_WEEKDAY = 24
_EPOCH = re.compile(r"\d{10}(?:\d{3})?")
_COMPACT = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d))?")
# Seconds: time stamps before 1990 and after 2038 are numbers of another kind.
_EPOCHS = range(631_152_000, 2_147_483_648)
_SHORTEST_INSTANT = len("2015-10-23T13:26")
_LARGEST_OFFSET = timedelta(hours=14)
# Characters. No date comes later in a line, and the limit bounds the regular expressions' input.
_LONGEST_TEXT = 400
_CACHED = 1024
# Characters from the start of a date to its year, and from a time of day to the date after it.
_TO_YEAR, _TO_DATE = 50, 50
_THAI_SCRIPT = re.compile("[\u0e00-\u0e7f]")
_FOLDED = re.compile("[\u0300-\u036f\u064b-\u065f.׳’']")
_LETTERS = str.maketrans("يك", "یک")
_PERSIAN_YEARS = range(1330, 1413)
"""The years of Iran's calendar in which news is dated. Later ones are Hijri years."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A date as stated in a page, optionally with a time of day and a zone.

    ``zone_name`` is the stated zone if its name has several meanings; ``zone`` is then None.
    """

    day: date
    clock: time | None
    zone: tzinfo | None
    start: int
    end: int
    """The span of the date in the parsed text is ``start`` to ``end``."""
    zone_name: str | None = None

    def isoformat(self, assumed: tzinfo | None) -> str:
        """Return ISO 8601, with an offset from the ``assumed`` zone if none is stated.

        Without either, local time has no offset. Only the date is returned if there is no time of
        day, or if the assumed zone kept local mean time, which an offset in minutes cannot express.
        """
        if self.clock is None:
            return self.day.isoformat()
        zone = self.zone or (None if self.zone_name else assumed)
        instant = datetime.combine(self.day, self.clock, zone)
        if instant.tzinfo is None:
            return instant.isoformat()
        offset = instant.utcoffset()
        return (
            self.day.isoformat() if offset is None or offset.seconds % 60 else instant.isoformat()
        )

    @property
    def offset(self) -> timedelta | None:
        """The stated offset from UTC, if any."""
        if self.clock is None or self.zone is None:
            return None
        return datetime.combine(self.day, self.clock, self.zone).utcoffset()


_FRENCH_CLOCK = re.compile(r"(-\d\d)T(\d\d)h(\d\d)\b")


def find(text: str, language: str | None = None, *, short_years: bool = False) -> Moment | None:
    """Return the first date in ``text``.

    The ``language`` (ISO 639-1, or a tag with a region) decides the order of a date such as
    10/11/2015 if the language has only one. With ``short_years``, 23.10.15 is a date.
    """
    plain = _plain(text)
    if plain is None:
        return None
    if found := _first(plain, language):
        return _moment(plain, found, language)
    match = _SHORT.search(plain) if short_years else None
    if match is None or _NUMBERED.search(plain, 0, match.start()):
        return None
    return _moment(plain, match, language)


def unreadable_date(text: str, language: str | None = None) -> str | None:
    """Return the date that ``find`` rejects as ambiguous or invalid; None if there is none."""
    plain = _plain(text)
    match = _first(plain, language) if plain else None
    if plain is None or match is None or _moment(plain, match, language) is not None:
        return None
    clock = _clock_before(plain, match.start()) or _CLOCK_AFTER.match(plain, match.end()) or match
    return text[min(match.start(), clock.start()) : max(match.end(), clock.end())].strip()


def declared(value: str, language: str | None = None) -> Moment | None:
    """Return the date in an attribute, which may also be a time stamp or run its digits together.

    Time stamps count seconds or milliseconds since 1970. That year's first day is no date: programs
    write it for 0.
    """
    value = value.strip()
    if _EPOCH.fullmatch(value) and int(value[:10]) in _EPOCHS:
        instant = datetime.fromtimestamp(int(value[:10]), UTC)
        return Moment(instant.date(), instant.time(), UTC, 0, len(value))
    if match := _COMPACT.fullmatch(value):
        day = _valid(int(match[1]), int(match[2]), int(match[3]))
        clock = None
        if match[4] and int(match[4]) < 24 and int(match[5]) < 60 and int(match[6]) < 60:
            clock = time(int(match[4]), int(match[5]), int(match[6]))
        return Moment(day, clock, None, 0, len(value)) if day else None
    # Some programs write the French "16h33" in a time stamp.
    moment = _iso(value) or find(_FRENCH_CLOCK.sub(r"\1 \2:\3", value), language)
    return None if moment and (moment.day.year, moment.day.month) == (1970, 1) else moment


def _iso(value: str) -> Moment | None:
    """Return a complete ISO 8601 date and time, which most pages declare, without searching."""
    if len(value) < _SHORTEST_INSTANT or value[4] != "-" or value[10] not in "T ":
        return None
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        return None
    offset = instant.utcoffset() or timedelta()
    if instant.year < 1900 or abs(offset) > _LARGEST_OFFSET or offset.seconds % 60:
        return None
    return Moment(instant.date(), instant.time(), instant.tzinfo, 0, len(value))


def settle(moment: Moment, offsets: set[timedelta], country: str | None) -> Moment:
    """Return the moment with the one meaning of its zone's name that its page allows.

    ``offsets`` are those that the page states for other times, and ``country`` (ISO 3166) is where
    the page says that it is from. If they leave several meanings, the moment is returned unchanged.
    """
    meanings = _AMBIGUOUS.get((moment.zone_name or "").lower())
    if meanings is None:
        return moment
    at_home = [m for m, countries in meanings.items() if country and country in countries.split()]
    stated = [m for m in meanings if timedelta(minutes=m) in offsets]
    possible = at_home or stated
    if len(possible) != 1:
        return moment
    return replace(moment, zone=timezone(timedelta(minutes=possible[0])), zone_name=None)


def fold(word: str) -> str:
    """Return a name in lower case without accents and points, as in months.py."""
    return _FOLDED.sub("", unicodedata.normalize("NFKD", word.lower())).translate(_LETTERS)


@cache
def _names() -> dict[str, int]:
    """Return the month of each name; those of Iran's calendar count from 101."""
    names = {
        name.replace("-", " "): number
        for number, line in enumerate(MONTHS, 1)
        for name in line.split()
    }
    names |= {
        name: 100 + number for number, line in enumerate(PERSIAN_MONTHS, 1) for name in line.split()
    }
    return names


@lru_cache(maxsize=_CACHED)
def _may_be_month(name: str, language: str | None) -> bool:
    """Return whether a word is the name of a month, in this language or another."""
    return bool(_month(name, language)) or fold(name) in CONTESTED


def _month(name: str, language: str | None) -> int | None:
    word = fold(name)
    if word in CONTESTED:
        return CONTESTED[word].get((language or "")[:2])
    # Hebrew writes "in" and a name as one word; CLDR has only some of these.
    return _names().get(word) or (_names().get(word[1:]) if word.startswith("ב") else None)


def _plain(text: str) -> str | None:
    """Return the start of a text with ASCII digits, or None if it has no digits."""
    text = text[:_LONGEST_TEXT]
    if not _DIGIT.search(text):
        return None
    return text if text.isascii() else text.translate(_PLAIN)


def _first(text: str, language: str | None) -> re.Match[str] | None:
    year = _YEAR_ANYWHERE.search(text)
    if year is None:
        return None
    start = max(0, year.start() - _TO_YEAR)
    found = (
        next(_dates(pattern, text, start, language), None)
        for pattern, needed in _SEARCHED
        if not needed or any(map(text.__contains__, needed))
    )
    matches = [match for match in found if match]
    return min(matches, key=lambda match: (match.start(), -match.end()), default=None)


def _dates(
    pattern: re.Pattern[str], text: str, start: int, language: str | None
) -> Iterator[re.Match[str]]:
    """Yield the matches of a pattern, without those whose word is no month's name."""
    has_month = "month" in pattern.groupindex
    for match in pattern.finditer(text, start):
        if not has_month or _may_be_month(match["month"], language):
            yield match


def _moment(text: str, match: re.Match[str], language: str | None) -> Moment | None:
    groups = match.groupdict()
    day = _day(text, groups, language)
    if day is None:
        return None
    start, end = match.span()
    if weekday := _WEEKDAY_BEFORE.search(text, max(0, start - _LONGEST_WEEKDAY), start):
        start = weekday.start()
    clock = (
        match if groups.get("hour") else _clock_before(text, start) or _CLOCK_AFTER.match(text, end)
    )
    if clock is None:
        return Moment(day, None, None, start, end)
    start, end = min(start, clock.start()), max(end, clock.end())
    hour, minute = int(clock["hour"]), int(clock["minute"] or 0)
    if half := clock["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half[0] in "pPمبμΜ" else 0)
    elif (half := clock["half_before"]) and hour <= 12:
        hour = hour % 12 + (12 if half in _AFTER_NOON else 0)
    if hour == 24 and minute == 0:
        hour, day = 0, day + timedelta(days=1)
    if hour > 23:
        return None
    fraction = int((clock["fraction"] or "0").ljust(6, "0")[:6])
    time_of_day = time(hour, minute, min(int(clock["second"] or 0), 59), fraction)
    zone = zone_name = None
    if clock["zone"]:
        zone = _zone(clock["zone"])
        if zone is None:
            if clock["zone"].lower() not in _AMBIGUOUS:
                return None
            zone_name = clock["zone"]
    return Moment(day, time_of_day, zone, start, end, zone_name)


def _clock_before(text: str, end: int) -> re.Match[str] | None:
    """Return the time of day that ends just before a date."""
    start = max(0, end - _TO_DATE)
    if not _DIGIT.search(text, start, end):
        return None
    return _CLOCK_BEFORE.search(text, start, end)


def _day(text: str, groups: dict[str, str | None], language: str | None) -> date | None:
    year = int(groups["year"] or 0)
    if year < 100 and not groups.get("era"):
        year += 1900 if year >= 95 else 2000
    if groups.get("era"):
        year += {"令和": 2018, "平成": 1988, "民國": 1911}[groups["era"] or ""]
    is_thai_year = 2500 <= year < 2600
    if is_thai_year:
        if (language or "")[:2] != "th" and not _THAI_SCRIPT.search(text):
            return None
        year -= 543
    if groups.get("first"):
        return _numeric_day(groups, year, "th" if is_thai_year else language)
    month = (
        _month(groups["month"] or "", language)
        if groups.get("month")
        else int(groups["month_number"] or 0)
    )
    day = int(groups["day"] or 0)
    if month is None:
        return None
    if year < 1900 or month > 100:
        return _persian_day(year, month % 100, day)
    return _valid(year, month, day)


def _numeric_day(groups: dict[str, str | None], year: int, language: str | None) -> date | None:
    """Return the day of a date such as 23/10/2015, or None if its order is ambiguous.

    A number above 12, equal numbers, the weekday, dots or the language decide between day and month
    first.
    """
    first, second = int(groups["first"] or 0), int(groups["second_number"] or 0)
    if year < 1900:
        return _persian_day(year, second, first)
    readings = {day for day in (_valid(year, second, first), _valid(year, first, second)) if day}
    if groups["weekday"]:
        weekday = _WEEKDAYS.index(groups["weekday"].lower())
        readings = {day for day in readings if day.weekday() == weekday}
    if len(readings) == 2:
        tag = (language or "").lower().replace("_", "-")
        # Only day-first countries write dates with dots.
        if groups["mark"] == "." or tag in _DAY_FIRST or tag.partition("-")[0] in _DAY_FIRST:
            return _valid(year, second, first)
    return readings.pop() if len(readings) == 1 else None


def _persian_day(year: int, month: int, day: int) -> date | None:
    """Return a day of Iran's solar calendar, whose leap years follow a cycle of 33 years."""
    if year not in _PERSIAN_YEARS or not 1 <= month <= 12:
        return None
    length = 31 if month <= 6 else 30 if month < 12 or _is_persian_leap(year) else 29
    if not 1 <= day <= length:
        return None
    leap_days = sum(_is_persian_leap(y) for y in range(_PERSIAN_YEARS.start, year))
    in_year = (month - 1) * 31 if month <= 7 else 186 + (month - 7) * 30
    return date(1951, 3, 21) + timedelta(
        days=(year - _PERSIAN_YEARS.start) * 365 + leap_days + in_year + day
    )


def _is_persian_leap(year: int) -> bool:
    return year % 33 in (1, 5, 9, 13, 17, 22, 26, 30)


def _valid(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _zone(text: str) -> tzinfo | None:
    words = re.sub(r"[()]", "", text.lower()).strip()
    name = re.sub(r"\s", "", words).replace("–", "-")
    if name in _ZONES:
        return timezone(timedelta(minutes=_ZONES[name]))
    place = re.sub(
        r"^(?:بتوقيت|به\s+وقت|по)\s+|\s+(?:standard|daylight|local|time|времени)\b", "", words
    )
    if place in _PLACES:
        return ZoneInfo(_PLACES[place])
    match = re.fullmatch(r"(?:utc|gmt)?([+-])(\d{1,2}):?(\d\d)?", name)
    if not match:
        return None
    minutes = int(match[2]) * 60 + int(match[3] or 0)
    if int(match[3] or 0) > 59:
        return None
    return (
        timezone(timedelta(minutes=-minutes if match[1] == "-" else minutes))
        if minutes <= 14 * 60
        else None
    )

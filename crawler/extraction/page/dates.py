"""Parse the dates that news sites print.

Takes one line or attribute and returns a ``Moment``, or None. Nothing is guessed: a date whose day
and month could be swapped, or a time with an ambiguous zone name, gives None. English and
numeric formats are parsed here, other languages by dateparser.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

# Offsets in minutes of zone names that mean the same on every English news site. BST, IST, CST,
# AST, GST and SST each have several meanings and are in _AMBIGUOUS.
_ZONES = {
    "z": 0,
    "utc": 0,
    "gmt": 0,
    "wet": 0,
    "cet": 60,
    "cest": 120,
    "eet": 120,
    "eest": 180,
    "msk": 180,
    "irst": 210,
    "irdt": 270,
    "est": -300,
    "edt": -240,
    "cdt": -300,
    "mst": -420,
    "mdt": -360,
    "pst": -480,
    "pdt": -420,
}
_AMBIGUOUS = "bst|ist|cst|ast|gst|sst"

_WEEKDAY = (
    r"(?:(?P<weekday>mon|tue|wed|thu|fri|sat|sun)"
    r"(?:s|rs?|nes|ur|urs)?(?:day)?\b\.?,?\s+(?:the\s+)?)?"
)
# Whole words only: "octobre" is left to dateparser, which also understands the words around it.
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_CLOCK = (
    r"(?P<hour>[01]?\d|2[0-4])[:.h](?P<minute>[0-5]\d)"
    r"(?:[:.](?P<second>[0-5]\d|60)(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?:\s*(?P<half>[ap]\.?\s?m\b\.?))?"
    r"(?:\s*(?:hrs?|hours)\b\.?)?"
    rf"(?:\s*(?:\(\s*)?(?P<zone>z\b|(?:utc|gmt)?\s*[+-−–]\s?\d{{1,2}}:?(?:\d\d)?\b|"
    rf"(?:{'|'.join(list(_ZONES)[1:])}|{_AMBIGUOUS})\b)\)?)?"
)
_BETWEEN = r"(?:[\s,;|/•·@T(–—-]|at\b|\bon\b|\btime\b:?)*"
_DATES = (
    # 2015-10-23, 2015/10/23, 2015.10.23
    rf"{_YEAR}[-/.](?P<month_number>\d{{1,2}})[-/.](?P<day>\d{{1,2}})(?!\d)",
    # Fri Oct 23, 2015; October 23rd 2015
    rf"{_WEEKDAY}{_MONTH}\s*{_DAY}(?:\s*,\s*|\s+){_YEAR}",
    # Friday, 23 October 2015; 23-Oct-2015; the 23rd of October, 2015
    rf"{_WEEKDAY}{_DAY}[\s.-]*(?:of\s+)?{_MONTH}[\s,.-]*{_YEAR}",
    # 23/10/2015, 23.10.2015, 10-23-2015
    (
        rf"{_WEEKDAY}(?P<first>\d{{1,2}})(?P<separator>[-/.])"
        rf"(?P<second_number>\d{{1,2}})(?P=separator){_YEAR}(?!\d)"
    ),
)
_PATTERNS = (
    *(
        re.compile(rf"(?<![\d/.-])(?:(?:{_CLOCK}){_BETWEEN})?{form}", re.IGNORECASE)
        for form in _DATES
    ),
    # ctime: Fri Oct 23 13:26:08 2015
    re.compile(rf"{_WEEKDAY}{_MONTH}\s+{_DAY}\s+{_CLOCK}\s+{_YEAR}", re.IGNORECASE),
)
_CLOCK_AFTER = re.compile(rf"{_BETWEEN}{_CLOCK}", re.IGNORECASE)
_CLOCK_ANYWHERE = re.compile(r"\d{1,2}\s?[:h.٫]\s?\d{2}")
_YEAR_ANYWHERE = re.compile(r"(?:19|20|١٩|٢٠|۱۹|۲۰)[\d٠-٩۰-۹]{2}")
# Characters. No date comes later in a line, and the limit bounds the regular expressions' input.
_LONGEST_TEXT = 400
_LETTER = re.compile(r"[^\W\d_]{2}")
_ARABIC = re.compile(r"[\u0600-\u06ff]")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")

# Levantine month names, mapped to the Egyptian ones that dateparser knows, and Greenwich in Arabic.
_ARABIC_NAMES = {
    "كانون الثاني": "يناير",
    "شباط": "فبراير",
    "آذار": "مارس",
    "نيسان": "أبريل",
    "أيار": "مايو",
    "حزيران": "يونيو",
    "تموز": "يوليو",
    "آب": "أغسطس",
    "أيلول": "سبتمبر",
    "تشرين الأول": "أكتوبر",
    "تشرين الثاني": "نوفمبر",
    "كانون الأول": "ديسمبر",
    "بتوقيت غرينتش": "GMT",
    "بتوقيت غرينيتش": "GMT",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """A date as stated in a page, optionally with a time of day and a zone."""

    day: date
    clock: time | None
    zone: tzinfo | None
    start: int
    end: int
    """The span of the date in the parsed text is ``start`` to ``end``."""

    def isoformat(self, assumed: tzinfo | None) -> str:
        """Return ISO 8601, with an offset from the ``assumed`` zone if none is stated.

        Without either, local time has no offset. Only the date is returned if there is no time of
        day, or if the assumed zone kept local mean time, which an offset in minutes cannot express.
        """
        if self.clock is None:
            return self.day.isoformat()
        instant = datetime.combine(self.day, self.clock, self.zone or assumed)
        if instant.tzinfo is None:
            return instant.isoformat()
        offset = instant.utcoffset()
        return (
            self.day.isoformat() if offset is None or offset.seconds % 60 else instant.isoformat()
        )


def find(text: str, language: str | None = None) -> Moment | None:
    """Return the first date in ``text``; ``language`` (ISO 639-1) enables non-English formats."""
    text = text[:_LONGEST_TEXT]
    if not _YEAR_ANYWHERE.search(text):
        return None
    matches = [match for pattern in _PATTERNS if (match := pattern.search(text))]
    if matches:
        return _moment(text, min(matches, key=lambda match: (match.start(), -match.end())))
    if language == "en" or len(text) > 100 or not _LETTER.search(text):
        return None
    return _in_other_language(text, [language] if language else _languages_of_script(text))


def unreadable_date(text: str) -> str | None:
    """Return the date that ``find`` rejects as ambiguous or invalid; None if there is none."""
    text = text[:_LONGEST_TEXT]
    match = next((match for pattern in _PATTERNS if (match := pattern.search(text))), None)
    if match is None or _moment(text, match) is not None:
        return None
    after = _CLOCK_AFTER.match(text, match.end())
    return text[match.start() : after.end() if after else match.end()].strip()


def _moment(text: str, match: re.Match[str]) -> Moment | None:
    groups = match.groupdict()
    end = match.end()
    day = _day(groups)
    clock = match if groups["hour"] else _CLOCK_AFTER.match(text, end)
    if clock is not match and clock is not None:
        end = clock.end()
    if day is None:
        return None
    if clock is None:
        return Moment(day, None, None, match.start(), end)
    hour, minute, second = int(clock["hour"]), int(clock["minute"]), int(clock["second"] or 0)
    if clock["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if clock["half"][0] in "pP" else 0)
    if hour == 24 and minute == 0:
        hour, day = 0, day + timedelta(days=1)
    zone = None
    if clock["zone"]:
        zone = _zone(clock["zone"])
        if zone is None:
            return None
    if hour > 23:
        return None
    fraction = int((clock["fraction"] or "0").ljust(6, "0")[:6])
    return Moment(day, time(hour, minute, min(second, 59), fraction), zone, match.start(), end)


def _day(groups: dict[str, str | None]) -> date | None:
    year = int(groups["year"] or 0)
    if groups.get("first"):
        return _numeric_day(groups, year)
    month = (
        _MONTHS.index((groups["month"] or "")[:3].lower()) + 1
        if groups.get("month")
        else int(groups["month_number"] or 0)
    )
    return _valid(year, month, int(groups["day"] or 0))


def _numeric_day(groups: dict[str, str | None], year: int) -> date | None:
    """Return the day of a date such as 23/10/2015, or None if its order is ambiguous.

    A number above 12, equal numbers, the weekday or dots decide between day and month first.
    """
    first, second = int(groups["first"] or 0), int(groups["second_number"] or 0)
    readings = {day for day in (_valid(year, second, first), _valid(year, first, second)) if day}
    if groups["weekday"]:
        weekday = _WEEKDAYS.index(groups["weekday"].lower())
        readings = {day for day in readings if day.weekday() == weekday}
    if len(readings) == 2 and groups["separator"] == ".":
        # Only day-first countries write dates with dots.
        return _valid(year, second, first)
    return readings.pop() if len(readings) == 1 else None


def _valid(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _zone(text: str) -> tzinfo | None:
    name = re.sub(r"[\s()]", "", text.lower()).replace("−", "-").replace("–", "-")
    if name in _ZONES:
        return timezone(timedelta(minutes=_ZONES[name]))
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


def _languages_of_script(text: str) -> list[str]:
    """Return the languages to try if the page declares none, by the script of the text."""
    if _ARABIC.search(text):
        return ["ar", "fa"]
    if _CYRILLIC.search(text):
        return ["ru", "uk"]
    return ["fr", "es", "de", "it", "pt", "tr"]


def _in_other_language(text: str, languages: list[str]) -> Moment | None:
    plain = text
    for name, replacement in _ARABIC_NAMES.items():
        plain = plain.replace(name, replacement)
    # Imported only for non-English dates, because it loads the rules of every language.
    import dateparser

    try:
        found = dateparser.parse(
            plain,
            languages=languages,
            settings={"REQUIRE_PARTS": ["day", "month", "year"], "PARSERS": ["absolute-time"]},
        )
    except ValueError:
        # dateparser does not know the language.
        return None
    if found is None:
        return None
    clock = found.time() if _CLOCK_ANYWHERE.search(text) else None
    return Moment(found.date(), clock, found.tzinfo, 0, len(text))

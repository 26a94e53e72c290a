"""Test parsing the dates that news sites print; dates are never guessed."""

from zoneinfo import ZoneInfo

import pytest

from crawler.extraction.page import dates

TEHRAN = ZoneInfo("Asia/Tehran")
PARSED = {
    "Fri Oct 23, 2015 13:26:08": "2015-10-23T13:26:08+03:30",
    "Friday, October 23, 2015 1:26 PM": "2015-10-23T13:26:00+03:30",
    "23 October 2015 - 13:26": "2015-10-23T13:26:00+03:30",
    "Oct 23, 2015 | 1:26 p.m. EDT": "2015-10-23T13:26:00-04:00",
    "the 23rd of October, 2015 at 13:26 (GMT+3)": "2015-10-23T13:26:00+03:00",
    "2015-10-23T13:26:08Z": "2015-10-23T13:26:08+00:00",
    "2015-10-23T13:26:08.123+0330": "2015-10-23T13:26:08.123000+03:30",
    "Published: 23/10/2015 13:26": "2015-10-23T13:26:00+03:30",
    "10/23/2015 1:26:08 PM": "2015-10-23T13:26:08+03:30",
    "10.11.2015 08.15 UTC": "2015-11-10T08:15:00+00:00",
    "Sunday 11/10/2015": "2015-10-11",
    "13:26 - 2015/10/23": "2015-10-23T13:26:00+03:30",
    "12:05 AM Oct 23,2015": "2015-10-23T00:05:00+03:30",
    "Fri Oct 23 13:26:08 2015": "2015-10-23T13:26:08+03:30",
    "Fri, 23 Oct 2015 09:56:08 GMT": "2015-10-23T09:56:08+00:00",
    "23 July 2015 13:26": "2015-07-23T13:26:00+04:30",
    "2015-10-23 24:00": "2015-10-24T00:00:00+03:30",
    "23 October 2015": "2015-10-23",
    "23 Oct 2015 13:26 +13:00": "2015-10-23T13:26:00+13:00",
    "23 Oct 2015 13:26 UTC+14": "2015-10-23T13:26:00+14:00",
    "23 Oct 2015 13:26 -0930": "2015-10-23T13:26:00-09:30",
    "23 Oct 2015 13:26 GMT−3:30": "2015-10-23T13:26:00-03:30",
    "23 Oct 2015 13:26 (IRST)": "2015-10-23T13:26:00+03:30",
    "31 December 2015 24:00": "2016-01-01T00:00:00+03:30",
    "2015-12-31T23:59:60Z": "2015-12-31T23:59:59+00:00",
    "2016-02-29 12:00:00.5": "2016-02-29T12:00:00.500000+03:30",
    "2016-02-29 12:00:00.1234567": "2016-02-29T12:00:00.123456+03:30",
    "1 Jan 2016 12:00 am": "2016-01-01T00:00:00+03:30",
    "1 Jan 2016 12:00 pm": "2016-01-01T12:00:00+03:30",
    "1 Jan 2016 11:59 p. m.": "2016-01-01T23:59:00+03:30",
    "1 Jan 1930 13:26": "1930-01-01",
    "05.06.2015": "2015-06-05",
    "5/5/2015": "2015-05-05",
    "12/13/2015": "2015-12-13",
    "13-12-2015": "2015-12-13",
    "22 March 2015 01:00": "2015-03-22T01:00:00+04:30",
    "21 March 2015 23:59": "2015-03-21T23:59:00+03:30",
    "21 September 2015 23:30": "2015-09-21T23:30:00+04:30",
    "22 September 2015 00:00": "2015-09-22T00:00:00+03:30",
    "2 May 2014 and 3 June 2015": "2014-05-02",
    "3/13/2014 before 2 May 2015": "2014-03-13",
}
OFFSETS = {
    "Z": "+00:00",
    "UTC": "+00:00",
    "GMT": "+00:00",
    "WET": "+00:00",
    "CET": "+01:00",
    "CEST": "+02:00",
    "EET": "+02:00",
    "EEST": "+03:00",
    "MSK": "+03:00",
    "IRST": "+03:30",
    "IRDT": "+04:30",
    "EST": "-05:00",
    "EDT": "-04:00",
    "CDT": "-05:00",
    "MST": "-07:00",
    "MDT": "-06:00",
    "PST": "-08:00",
    "PDT": "-07:00",
}
LEVANT = (
    "كانون الثاني",
    "شباط",
    "آذار",
    "نيسان",
    "أيار",
    "حزيران",
    "تموز",
    "آب",
    "أيلول",
    "تشرين الأول",
    "تشرين الثاني",
    "كانون الأول",
)
MONTHS = "January February March April May June July August September October November December"
IN_OTHER_LANGUAGES = {
    ("الجمعة 23 أكتوبر 2015 - 13:26", "ar"): "2015-10-23T13:26:00+03:30",
    ("23 تشرين الأول 2015 13:26", "ar"): "2015-10-23T13:26:00+03:30",
    ("۲۳ اکتبر ۲۰۱۵ ۱۳:۲۶", "fa"): "2015-10-23T13:26:00+03:30",
    ("vendredi 23 octobre 2015 à 13h26", None): "2015-10-23T13:26:00+03:30",
    ("Freitag, 23. Oktober 2015, 13:26 Uhr", "de"): "2015-10-23T13:26:00+03:30",
    ("23 октября 2015", "ru"): "2015-10-23",
}
NOT_GUESSED = (
    "10/11/2015 13:26",
    "23 Oct 2015 13:26 BST",
    "13:26 IST 23 Oct 2015",
    "2015-02-30",
    "October 2015",
    "1752038 2015",
    "20151023",
    "23 Oct 2015 13:26 PM",
    "23 Oct 2015 0:26 AM",
    "23 Oct 2015 24:01",
    "23 Oct 2015 13:26 +14:01",
    "23 Oct 2015 13:26 +03:60",
    "Monday 10/11/2015 and no Monday is either",
    "31 June 2015",
    "29 February 2015",
    "23/23/2015",
    "+03:30",
    "",
)


@pytest.mark.parametrize("text", PARSED)
def test_read(text: str) -> None:
    moment = dates.find(text, "en")
    assert moment is not None
    assert moment.isoformat(TEHRAN) == PARSED[text]


@pytest.mark.parametrize("name", OFFSETS)
def test_zone(name: str) -> None:
    moment = dates.find(f"23 Oct 2015 13:26 {name}", "en")
    assert moment is not None
    assert moment.isoformat(TEHRAN) == f"2015-10-23T13:26:00{OFFSETS[name]}"


@pytest.mark.parametrize("number", range(1, 13))
def test_month(number: int) -> None:
    expected = f"2015-{number:02}-28"
    name = MONTHS.split()[number - 1]
    for text, language in (
        (f"28 {name} 2015", "en"),
        (f"{name[:3]}. 28, 2015", None),
        (f"28 {LEVANT[number - 1]} 2015", "ar"),
    ):
        moment = dates.find(text, language)
        assert moment is not None
        assert moment.isoformat(TEHRAN) == expected, text


def test_position_in_the_text() -> None:
    moment = dates.find("Published: Fri Oct 23, 2015 13:26:08, by nobody", "en")
    assert moment is not None
    assert (moment.start, moment.end) == (11, 36)


UNREADABLE = {
    "By X, 10/11/2015 13:26 | Olives": "10/11/2015 13:26",
    "23 Oct 2015 13:26 BST, London": "23 Oct 2015 13:26 BST",
    "10/11/2015": "10/11/2015",
    "23 October 2015": None,
    "no date": None,
}


@pytest.mark.parametrize("text", UNREADABLE)
def test_an_ambiguous_date_is_returned_as_written(text: str) -> None:
    assert dates.unreadable_date(text) == UNREADABLE[text]


@pytest.mark.parametrize(("text", "language"), IN_OTHER_LANGUAGES)
def test_read_in_other_languages(text: str, language: str | None) -> None:
    moment = dates.find(text, language)
    assert moment is not None
    assert moment.isoformat(TEHRAN) == IN_OTHER_LANGUAGES[text, language]


@pytest.mark.parametrize("text", NOT_GUESSED)
def test_not_guessed(text: str) -> None:
    assert dates.find(text, "en") is None

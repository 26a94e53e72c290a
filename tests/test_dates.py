"""Test parsing the dates that news sites print; dates are never guessed."""

from datetime import timedelta
from time import process_time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    "ET": "-04:00",
    "PT": "-07:00",
    "Eastern": "-04:00",
    "Pacific Time": "-07:00",
    "JST": "+09:00",
    "AEDT": "+11:00",
    "WIB": "+07:00",
    "PKT": "+05:00",
    "Beijing time": "+08:00",
    "(Moscow time)": "+03:00",
    "London time": "+01:00",
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
    ("le 23 octobre 2015 à 13 h 26", "fr"): "2015-10-23T13:26:00+03:30",
    ("23 octobre 2015 à 13h", "fr"): "2015-10-23T13:00:00+03:30",
    ("23 de octubre de 2015 a las 13:26", "es"): "2015-10-23T13:26:00+03:30",
    ("23 d'octubre de 2015 a les 13:26h", "ca"): "2015-10-23T13:26:00+03:30",
    ("23 ottobre 2015 alle 13:26", "it"): "2015-10-23T13:26:00+03:30",
    ("23 de outubro de 2015 às 13h26", "pt"): "2015-10-23T13:26:00+03:30",
    ("23. oktober 2015 kl. 13.26", "da"): "2015-10-23T13:26:00+03:30",
    ("23.10.2015 klo 13.26", "fi"): "2015-10-23T13:26:00+03:30",
    ("Lübeck, 31. März 2003", None): "2003-03-31",
    ("2015. október 23. 13:26", "hu"): "2015-10-23T13:26:00+03:30",
    ("23.10.2015. 13:26", "hr"): "2015-10-23T13:26:00+03:30",
    ("23 października 2015, 13:26", "pl"): "2015-10-23T13:26:00+03:30",
    ("23 listopada 2015", "pl"): "2015-11-23",
    ("23 listopada 2015", "hr"): "2015-10-23",
    ("23.10.2015 в 13:26 мск", "ru"): "2015-10-23T13:26:00+03:00",
    ("23 жовтня 2015 о 13:26", "uk"): "2015-10-23T13:26:00+03:30",
    ("23 Οκτωβρίου 2015, 1:26 μ.μ.", "el"): "2015-10-23T13:26:00+03:30",
    ("23 Ekim 2015 Saat 13:26", "tr"): "2015-10-23T13:26:00+03:30",
    ("23/10/2015 الساعة 13:26 بتوقيت غرينتش", "ar"): "2015-10-23T13:26:00+00:00",
    ("23 أكتوبر 2015 - 01:26 م", "ar"): "2015-10-23T13:26:00+03:30",
    ("جمعه ۱ آبان ۱۳۹۴ ساعت ۱۳:۲۶", "fa"): "2015-10-23T13:26:00+03:30",
    ("۱۳۹۴/۰۸/۰۱ - ۱۳:۲۶", None): "2015-10-23T13:26:00+03:30",
    ("30 اسفند 1399", "fa"): "2021-03-20",
    ("23 באוקטובר 2015 בשעה 13:26", "he"): "2015-10-23T13:26:00+03:30",
    ("२३ अक्टूबर २०१५ 13:26", "hi"): "2015-10-23T13:26:00+03:30",
    ("২৩ অক্টোবর ২০১৫, ১৩:২৬", "bn"): "2015-10-23T13:26:00+03:30",
    ("23 ต.ค. 2558 เวลา 13:26 น.", "th"): "2015-10-23T13:26:00+03:30",
    ("๒๓ ตุลาคม ๒๕๕๘", None): "2015-10-23",
    ("23 tháng 10 năm 2015 lúc 13:26", "vi"): "2015-10-23T13:26:00+03:30",
    ("23 Oktober 2015 pukul 13.26 WIB", "id"): "2015-10-23T13:26:00+07:00",
    ("2015年10月23日(金) 13時26分", None): "2015-10-23T13:26:00+03:30",
    ("2015年10月23日 下午1:26", "zh"): "2015-10-23T13:26:00+03:30",
    ("2015년 10월 23일 오후 1:26", "ko"): "2015-10-23T13:26:00+03:30",
    ("平成27年10月23日", "ja"): "2015-10-23",
    ("10/11/2015 13:26", "fr"): "2015-11-10T13:26:00+03:30",
    ("10/11/2015", "en-GB"): "2015-11-10",
}
NOT_GUESSED = (
    "10/11/2015 13:26",
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
    "23 listopada 2015",
    "30 اسفند 1400",
    "1 محرم 1437",
    "21 October 2558",
    "7 people 2015",
    "23.10.15",
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
    "13:26, 10/11/2015": "13:26, 10/11/2015",
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


@pytest.mark.parametrize("name", ["BST", "IST", "CST"])
def test_a_zone_with_several_meanings_is_not_assumed_to_be_another(name: str) -> None:
    moment = dates.find(f"23 Oct 2015 13:26 {name}", "en")
    assert moment is not None
    assert (moment.zone, moment.zone_name) == (None, name)
    assert moment.isoformat(TEHRAN) == "2015-10-23T13:26:00"


@pytest.mark.parametrize(
    ("name", "offsets", "country", "expected"),
    [
        ("IST", set(), "in", "+05:30"),
        ("IST", set(), "il", "+02:00"),
        ("IST", {timedelta(hours=5, minutes=30)}, None, "+05:30"),
        ("CST", {timedelta(hours=8)}, None, "+08:00"),
        ("BST", set(), "uk", "+01:00"),
        ("BST", {timedelta(hours=1), timedelta(hours=6)}, None, ""),
        ("BST", set(), "fr", ""),
    ],
)
def test_the_page_may_tell_the_meaning_of_a_zone(
    name: str, offsets: set[timedelta], country: str | None, expected: str
) -> None:
    moment = dates.find(f"23 Oct 2015 13:26 {name}", "en")
    assert moment is not None
    settled = dates.settle(moment, offsets, country)
    assert settled.isoformat(None) == f"2015-10-23T13:26:00{expected}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("23.10.15", "2015-10-23"), ("23. 10. 98", "1998-10-23"), ("10.11.12.13", None)],
)
def test_a_year_of_two_digits_is_read_on_request(text: str, expected: str | None) -> None:
    moment = dates.find(text, "de", short_years=True)
    assert (moment.isoformat(None) if moment else None) == expected


DECLARED = {
    "1511806845000": "2017-11-27T18:20:45+00:00",
    "1511806845": "2017-11-27T18:20:45+00:00",
    "20171127": "2017-11-27",
    "20171127182045": "2017-11-27T18:20:45",
    "20171127T182045Z": "2017-11-27T18:20:45+00:00",
    "1970-01-01T00:00:00+00:00": None,
    "0": None,
    "123456789": None,
    "9999999999": None,
    "20171327": None,
}


@pytest.mark.parametrize("value", DECLARED)
def test_dates_in_attributes(value: str) -> None:
    moment = dates.declared(value)
    assert (moment.isoformat(None) if moment else None) == DECLARED[value]


@given(st.text(max_size=80), st.sampled_from([None, "en", "fr", "th", "fa"]))
def test_any_text_never_raises(text: str, language: str | None) -> None:
    for start in ("", "10.12.", "31 June ", "2015年"):
        dates.declared(start + text, language)
        dates.find(start + text, language, short_years=True)
        dates.unreadable_date(start + text)


@pytest.mark.parametrize("part", ["2015 ", "1 ", "12 March ", "a", "23.10.", "10:18 ", "( ", "at "])
def test_hostile_lines_are_read_in_bounded_time(part: str) -> None:
    started = process_time()
    dates.find(part * 1_000 + "2015")
    dates.find(f"23 Oct 2015 {part * 1_000}")
    assert process_time() - started < 0.2

"""The dates that news sites print; null where nothing but a guess would give one."""

from zoneinfo import ZoneInfo

import pytest

from crawler.page import dates

TEHRAN = ZoneInfo("Asia/Tehran")
READ = {
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
}
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
    "+03:30",
    "",
)


@pytest.mark.parametrize("text", READ)
def test_read(text: str) -> None:
    moment = dates.find(text, "en")
    assert moment is not None
    assert moment.isoformat(TEHRAN) == READ[text]


@pytest.mark.parametrize(("text", "language"), IN_OTHER_LANGUAGES)
def test_read_in_other_languages(text: str, language: str | None) -> None:
    moment = dates.find(text, language)
    assert moment is not None
    assert moment.isoformat(TEHRAN) == IN_OTHER_LANGUAGES[text, language]


@pytest.mark.parametrize("text", NOT_GUESSED)
def test_not_guessed(text: str) -> None:
    assert dates.find(text, "en") is None

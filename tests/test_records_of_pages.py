"""The whole record of a page, with what was assumed of each of its fields."""

import dataclasses
import json
from datetime import UTC, datetime

import msgspec
import pytest

from crawler import page, sites
from crawler.normalise import Fetch, article, related_items
from crawler.page import Listed, Related

SITE = sites.load("alalam")
FETCH = Fetch(
    id="7",
    url="http://en.alalam.ir/news/7",
    depth=2,
    found_on="6",
    fetched_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    source="live",
    status=200,
)


def test_a_page_that_says_nothing_misses_everything() -> None:
    said = page.read(b"<html><body></body></html>", SITE, url=FETCH.url)
    assert json.loads(msgspec.json.encode(article(said, FETCH, None, SITE))) == {
        "kind": "article",
        "schema": 2,
        "site": "alalam",
        "id": "7",
        "revision": 1,
        "changed": [],
        "url": "http://en.alalam.ir/news/7",
        "headline": None,
        "headline_raw": None,
        "published_at": None,
        "published_raw": None,
        "body": None,
        "language": None,
        "credit": None,
        "media": [],
        "related": None,
        "related_complete": None,
        "depth": 2,
        "found_on": "6",
        "fetched_at": "2026-01-02T03:04:05.000000+00:00",
        "source": "live",
        "status": 200,
        "body_sha256": None,
        "missing": [
            "headline",
            "headline_raw",
            "published_at",
            "published_raw",
            "body",
            "language",
            "credit",
            "related",
            "related_complete",
            "body_sha256",
        ],
        "provenance": {"id": {"where": "asked for", "assumed": None}},
    }


# Ticks count from year 1; the clock of Tehran was an hour ahead in the summer of 2015.
UPLOADED = {
    "/2015/10/23/alalam_635811884533498601_25f_4x3.jpg": "2015-10-23T09:14:13.349860+03:30",
    "/a_635714784000000000_b.jpg": "2015-07-03T00:00:00.000000+04:30",
    "/a_627667488000000000_b.jpg": "1990-01-01T00:00:00.000000+03:30",
    "/a_627667487999999999_b.jpg": None,
    "/a_662380416000000000_b.jpg": "2100-01-01T00:00:00.000000+03:30",
    "/a_662380416000000001_b.jpg": None,
    "/a_63581188453349860_b.jpg": None,
}


@pytest.mark.parametrize("picture", UPLOADED)
def test_a_whole_listing(picture: str) -> None:
    listed = Listed("8", "Army &amp; Allies + Photos", picture, sort="12", content_type="3")
    items = related_items(Related((Listed("9", None), listed), True, "a test"), SITE)
    assert items is not None
    assert msgspec.to_builtins(items[1]) == {
        "position": 2,
        "id": "8",
        "url": "http://en.alalam.ir/news/8",
        "headline": "Army & Allies",
        "headline_raw": "Army &amp; Allies + Photos",
        "kind": "image",
        "picture_url": f"http://media.alalam.ir/news/image/original{picture}",
        "uploaded_at": UPLOADED[picture],
        "content_type": "3",
        "sort": "12",
    }


DATES = {
    "Fri Oct 23, 2015 13:26:08": ("2015-10-23T13:26:08+03:30", "time zone Asia/Tehran: the page states none"),
    "Sun Mar 22, 2015 01:30": ("2015-03-22T01:30:00+04:30", "time zone Asia/Tehran: the page states none"),
    "Thu Dec 31, 2015 23:59:59 UTC": ("2015-12-31T23:59:59+00:00", None),
    "Fri Jan 1, 2016 00:30 +13:00": ("2016-01-01T00:30:00+13:00", None),
    "2015-12-31 24:00": ("2016-01-01T00:00:00+03:30", "time zone Asia/Tehran: the page states none"),
    "Fri Oct 23, 2015": ("2015-10-23", None),
}  # fmt: skip


@pytest.mark.parametrize("raw", DATES)
def test_what_is_assumed_of_a_date(raw: str) -> None:
    said = page.read(f"Headline\n{raw}\n\nIt was over by noon.\n".encode(), SITE)
    record = article(said, FETCH, None, SITE)
    told = record.provenance["published_at"]
    assert (record.published_at, told.assumed, record.published_raw) == (*DATES[raw], raw)


SOURCES = {
    "saved": (
        {"file": "7.html", "status_assumed": True},
        {
            "url": ("made from the id", "that the page was saved from there"),
            "fetched_at": ("clock of this run", "nothing of when the page was saved"),
            "status": ("saved page", "that the page answered 200 when it was saved"),
            "source": ("7.html", None),
        },
    ),
    "saved from nowhere": (
        {"file": "7.html", "url": None},
        {
            "fetched_at": ("clock of this run", "nothing of when the page was saved"),
            "source": ("7.html", None),
        },
    ),
    "captured": (
        {"capture": "a.warc:12", "status_assumed": True, "fetched_at_note": "noon"},
        {
            "status": ("capture", "that the page answered 200 when it was saved"),
            "source": ("a.warc:12", None),
            "fetched_at": ("date of the capture", "noon"),
        },
    ),
    "rendered": (
        {"rendered_by": "Chromium", "unfinished": "time is up", "notes": ("one", "two")},
        {
            "source": (
                "the page as Chromium showed it",
                "one; two; that nothing more would come: time is up",
            )
        },
    ),
    "noted": ({"notes": ("one",)}, {"source": ("the site's answer", "one")}),
}


@pytest.mark.parametrize("name", SOURCES)
def test_what_is_told_of_a_source(name: str) -> None:
    given, told = SOURCES[name]
    said = page.read(b"<html><body></body></html>", SITE)
    record = article(said, dataclasses.replace(FETCH, **given), None, SITE)
    assert {field: (p.where, p.assumed) for field, p in record.provenance.items()} == {
        "id": ("asked for", None),
        **told,
    }

"""The related items of a page: their headlines, pictures, ids and order."""

from dataclasses import replace

import msgspec
import pytest
from parsed_pages import BARE, FETCH, SITE, article, related_items

from crawler.extraction.page import Declared, Listed, Related
from crawler.extraction.page import parse as read_page

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
        "internal": True,
        "headline": "x",
        "headline_raw": "x",
        "kind": kind,
        "picture_url": url,
        "uploaded_at": uploaded_at,
        "content_type": "21",
        "sort": "3",
    }


@pytest.mark.parametrize(("size", "cleaned"), [(1000, True), (1001, False)])
def test_text_too_long_for_a_headline_is_kept_unchanged(size: int, cleaned: bool) -> None:
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


def test_the_kind_of_a_bare_link_is_unknown() -> None:
    [item] = related_items(Related((Listed("1", "x"),), True, "a test"), SITE) or ()
    assert (item.kind, item.picture_url, item.uploaded_at) == (None, None, None)


@pytest.mark.parametrize("listed_id", ["../../etc/passwd", "١٢٣", "12a", "-1", "1" * 19, "", None])
def test_an_id_is_digits(listed_id: str | None) -> None:
    [item] = related_items(Related((Listed(listed_id, "x"),), True, "a test"), SITE) or ()
    assert (item.id, item.url) == (None, None)


def test_the_longest_id_is_accepted() -> None:
    [item] = related_items(Related((Listed("9" * 18, "x"),), True, "a test"), SITE) or ()
    assert (item.id, item.url) == ("9" * 18, "http://en.alalam.ir/news/" + "9" * 18)


CUT_DUMP = """array(2) {
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
    related = read_page(PAGE.format(f"<pre>{CUT_DUMP}").encode(), publisher=SITE).related
    assert related is not None
    assert (related.items, related.complete) == ((Listed("7", "Olives"),), False)

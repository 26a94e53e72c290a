"""Captures of an archive: which URLs count as the same, and the order in which they are tried."""

from datetime import UTC, date, datetime

import pytest

from crawler.warc.captures import CONVERSION, REVISIT, Capture, candidates, in_order, key_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://en.alalam.ir/news/1", "https://www.EN.alalam.ir:443/news/1#top"),
        ("http://en.alalam.ir:80", "http://en.alalam.ir./"),
        ("http://x.ir/a?b=1&a=2", "http://www2.x.ir/a?a=2&b=1"),
        ("http://x.ir:8080/A", "http://x.ir:8080/a/"),
        ("http://x.ir/ä", "http://x.ir/%C3%A4"),
    ],
)
def test_urls_that_count_as_the_same(one: str, other: str) -> None:
    assert key_of(one) == key_of(other) is not None


def test_urls_that_differ() -> None:
    urls = [
        "http://x.ir/1",
        "http://x.ir/12",
        "http://x.ir:81/1",
        "http://y.x.ir/1",
        "http://x.ir/1?a=1",
        "http://x.ir/1/2",
    ]
    assert len({key_of(url) for url in urls}) == len(urls)
    assert [key_of(url) for url in ("", "x", "http://x:99999/", "http://[x/", "dns:x.ir")] == [
        None
    ] * 5


def test_order_of_captures() -> None:
    def capture(timestamp: str, status: int | None = 200) -> Capture:
        return Capture("http://x.ir/1", timestamp, status)

    old, day, new = capture("20140101000000"), capture("20151023235959"), capture("20151024000001")
    moved, revisit, gone = (
        capture("20200101000000", 301),
        capture("20160101000000", None),
        capture("20210101000000", 404),
    )
    every = [old, gone, day, moved, new, revisit]
    assert in_order(every, None) == [revisit, new, day, old, moved, gone]
    assert in_order(every, date(2015, 10, 23)) == [day, new, revisit, old, moved, gone]
    assert in_order(every, datetime(2014, 1, 1, tzinfo=UTC))[0] is old


DAYS = {
    "before": "20151022235959",
    "begin": "20151023000000",
    "noon": "20151023120000",
    "end": "20151023235959",
    "after": "20151024000000",
    "later": "20151025000000",
}


@pytest.mark.parametrize(
    ("at", "order"),
    [
        (None, "later after end noon begin before"),
        (date(2015, 10, 21), "before begin noon end after later"),
        (date(2015, 10, 22), "before begin noon end after later"),
        # Of equally near captures, here one second before and after the day, the newest comes
        # first.
        (date(2015, 10, 23), "end noon begin after before later"),
        (date(2015, 10, 24), "after later end noon begin before"),
        (date(2015, 10, 26), "later after end noon begin before"),
        (datetime(2015, 10, 23, 12, tzinfo=UTC), "noon end after begin before later"),
        (datetime(2015, 10, 23, 23, 59, 59, tzinfo=UTC), "end after noon begin before later"),
    ],
)
def test_order_of_captures_by_date(at: date | None, order: str) -> None:
    captures = {Capture("http://x.ir/1", day, 200): name for name, day in DAYS.items()}
    names = " ".join(captures[capture] for capture in in_order(captures, at))
    assert names == order


@pytest.mark.parametrize(
    ("status", "media_type", "kind"),
    [
        (None, "", "page"),
        (199, "", "error"),
        (200, "text/html", "page"),
        (299, "", "page"),
        (300, "", "redirect"),
        (301, REVISIT, "redirect"),
        (304, "text/html", "redirect"),
        (304, REVISIT, "page"),
        (399, "", "redirect"),
        (400, "", "error"),
        (404, REVISIT, "error"),
        (503, "text/html", "error"),
    ],
)
def test_kinds_of_captures(status: int | None, media_type: str, kind: str) -> None:
    capture = Capture("http://x.ir/1", "20151023000000", status, media_type)
    assert (capture.is_page, capture.is_error) == (kind == "page", kind == "error")


def test_only_one_error_is_tried() -> None:
    def capture(timestamp: str, status: int) -> Capture:
        return Capture("http://x.ir/1", timestamp, status)

    busy, gone = capture("20210101000000", 503), capture("20200101000000", 404)
    page, moved = capture("20140101000000", 200), capture("20190101000000", 302)
    every = [gone, moved, busy, page]
    assert candidates(every, None) == [page, moved, busy]
    assert candidates(every, date(2020, 1, 1)) == [page, moved, gone]
    assert candidates([page, moved], None) == [page, moved]
    assert candidates([gone, busy], None) == [busy]
    assert candidates([], None) == []


def test_a_rendered_page_comes_before_its_source() -> None:
    rendered, fetched = (
        Capture("http://x.ir/1", "20151023000000", 200, media_type)
        for media_type in (CONVERSION, "text/html")
    )
    newer = Capture("http://x.ir/1", "20151023000001", 200, "text/html")
    for every in ([rendered, fetched, newer], [newer, fetched, rendered]):
        assert in_order(every, None) == [newer, rendered, fetched]
        assert in_order(every, date(2015, 10, 23)) == [newer, rendered, fetched]

"""Test which captures of an article are tried, their order, and the notes on failed ones."""

import asyncio
import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from archives import NEWS, http, page, record
from conftest import CACHE
from scrapy import Request
from scrapy.http import Response

from crawler.crawl.archived_articles import addresses
from crawler.crawl.candidates import Candidates, PassedOver
from crawler.crawl.fetches import Origin, where_captured
from crawler.extraction.directory import Choice, Publishers
from crawler.extraction.publishers import load
from crawler.sources.page_files import is_archive_file, is_named_as_other, reason_against
from crawler.sources.warc import ArchivedPages
from crawler.unavailable import NotSaved, PageRefused
from crawler.visits import PURPOSE, Visit, visit_in
from crawler.warc.captures import Capture

SITE = load("alalam")
PUBLISHERS = Publishers()
MAX_SIZE = 1 << 20


def capture_of(name: str, digest: str = "") -> tuple[Capture, None]:
    return Capture(f"{NEWS}{name}", "20151023100000", 200, digest=digest), None


def passed_over(name: str, reason: Any = "http_5xx") -> PassedOver:
    return PassedOver(f"place {name}", reason, f"detail {name}", None)


def remaining(candidates: Candidates) -> list[str]:
    """Return the remaining captures of each page, joined into one word."""
    return ["".join(c.url.removeprefix(NEWS) for c, _ in level) for level in candidates.levels]


def test_captures_are_tried_one_after_the_other() -> None:
    candidates = Candidates(map(capture_of, "abc"), 20)
    assert (remaining(candidates), candidates.has_more, candidates.notes()) == (["abc"], True, [])
    for name, more, rest in (("a", True, "bc"), ("b", True, "c"), ("c", False, "")):
        assert candidates.has_more
        candidates.pass_over(passed_over(name), 0)
        assert (remaining(candidates), candidates.has_more) == ([rest], more)
    assert candidates.passed == [passed_over("a"), passed_over("b"), passed_over("c")]
    # No capture is left to drop, and the failures are already recorded.
    candidates.pass_over(passed_over("d"), 0)
    assert candidates.passed == [passed_over("a"), passed_over("b"), passed_over("c")]
    nothing = Candidates((), 20)
    assert not nothing.has_more
    nothing.pass_over(passed_over("x", "not_saved"), 0)
    assert (nothing.passed, remaining(nothing)) == ([passed_over("x", "not_saved")], [""])


@pytest.mark.parametrize(
    ("reason", "rest"),
    [
        ("not_an_article", "ce"),
        ("other_article", "ce"),
        ("not_html", "ce"),
        ("unreadable", "bcde"),
        ("http_5xx", "bcde"),
        ("not_saved", "bcde"),
    ],
)
def test_captures_of_the_same_bytes_are_one(reason: str, rest: str) -> None:
    captures = [
        capture_of("a", "x"),
        capture_of("b", "x"),
        capture_of("c", "y"),
        capture_of("d", "x"),
        capture_of("e"),
    ]
    candidates = Candidates(captures, 20)
    candidates.pass_over(passed_over("a", reason), 0)
    assert remaining(candidates) == [rest]
    redirected = Candidates(map(capture_of, "mn"), 20)
    redirected.beyond(1, captures)
    redirected.pass_over(passed_over("a", reason), 1)
    assert remaining(redirected) == ["mn", rest]
    unknown = Candidates([capture_of("a"), capture_of("b"), capture_of("c")], 20)
    unknown.pass_over(passed_over("a", reason), 0)
    assert remaining(unknown) == ["bc"]


def test_the_source_limits_how_many_are_tried() -> None:
    for most, count in ((1, 1), (3, 3), (20, 5)):
        candidates = Candidates(map(capture_of, "abcde"), most)
        for name in "abcde"[:count]:
            assert candidates.has_more
            candidates.pass_over(passed_over(name), 0)
        assert not candidates.has_more
    candidates = Candidates((), 2, ["http://x"])
    assert candidates.has_more
    candidates.addresses.popleft()
    assert not candidates.has_more


def test_where_a_redirect_leads() -> None:
    candidates = Candidates(map(capture_of, "ab"), 20)
    assert candidates.beyond(0, ()) == capture_of("a")
    assert candidates.beyond(1, ()) is None
    assert candidates.beyond(1, map(capture_of, "mn")) == capture_of("m")
    # Known captures are not looked up again.
    assert candidates.beyond(1, map(capture_of, "z")) == capture_of("m")
    assert candidates.beyond(2, map(capture_of, "xy")) == capture_of("x")
    assert remaining(candidates) == ["ab", "mn", "xy"]
    candidates.pass_over(passed_over("x"), 2)
    assert remaining(candidates) == ["ab", "mn", "y"]
    # The redirect is dropped with the last capture of its target.
    candidates.pass_over(passed_over("y"), 2)
    assert remaining(candidates) == ["ab", "n"]
    assert candidates.beyond(2, map(capture_of, "x")) == capture_of("x")
    # If the redirect itself cannot be read, its target is forgotten.
    candidates.pass_over(passed_over("n"), 1)
    assert remaining(candidates) == ["b"]
    assert candidates.beyond(1, map(capture_of, "o")) == capture_of("o")
    candidates.pass_over(passed_over("o"), 1)
    assert (remaining(candidates), candidates.has_more) == ([""], False)
    far = Candidates(map(capture_of, "ab"), 20)
    far.beyond(1, map(capture_of, "mn"))
    far.beyond(2, map(capture_of, "xy"))
    far.pass_over(passed_over("a"), 0)
    assert remaining(far) == ["b"]
    assert [failed.where for failed in candidates.passed] == [f"place {name}" for name in "xyno"]


def test_notes_on_captures_passed_over() -> None:
    all_notes = [f"passed over place {name}: http 5xx (detail {name})" for name in "abc"]
    candidates = Candidates(map(capture_of, "abcdef"), 5)
    template = "detail a; {} tried and none is the article"
    expected = [
        (all_notes[:1], "detail a"),
        (all_notes[:2], template.format("1 other capture was")),
        (all_notes, template.format("2 other captures were")),
        ([*all_notes, "passed over 1 more"], template.format("3 other captures were")),
        (
            [*all_notes, "passed over 2 more"],
            template.format("4 other captures were") + "; no more are tried",
        ),
    ]
    for name, (notes, detail) in zip("abcde", expected, strict=True):
        candidates.pass_over(passed_over(name), 0)
        assert candidates.notes() == notes
        assert candidates.failure() == passed_over("a")._replace(detail=detail)
    # A faulty page takes precedence over a missing one.
    candidates = Candidates(map(capture_of, "abc"), 20)
    for name, reason in (("a", "not_saved"), ("b", "cut_short"), ("c", "unreadable")):
        candidates.pass_over(passed_over(name, reason), 0)
    assert candidates.failure() == passed_over("b", "cut_short")._replace(
        detail="detail b; 2 other captures were tried and none is the article"
    )


def test_a_capture_as_people_read_it() -> None:
    at = datetime(2015, 10, 23, 10, 1, 2, tzinfo=UTC)
    origin = Origin(source="warc", where="a.warc, offset 0", captured_at=at)
    assert where_captured(origin) == "the capture of 2015-10-23 10:01:02 at a.warc, offset 0"
    assert where_captured(Origin(source="folder", where="x")) == "a capture"
    assert where_captured(None) == "a capture"


HTML, TEXT = b"<!DOCTYPE html><p>A bridge.", b"A bridge reopens."
OTHER_TEXT = "text in another format ({})"
# A file's name, its content, and the reason why it cannot be a page.
FILES: list[tuple[str, bytes, str | None]] = [
    *((name, HTML, None) for name in ("1.html", "1", "1.dat", "1.png", "README", "1.txt")),
    *((name, HTML, None) for name in ("1.js", "1.xml", "1.svg", "1.md")),
    *((f"1{end}", b"var a = '<html>';", f"{end} file") for end in (".js", ".mjs", ".css", ".vue")),
    *((f"1{end}", b"var a = '<html>';", f"{end} file") for end in (".json", ".jsonl", ".map")),
    *((f"1{end}", b"a <html>", f"{end} file") for end in (".xml", ".svg", ".rss", ".atom")),
    *((f"1{end}", b"a <html>", f"{end} file") for end in (".md", ".rst")),
    ("1.JS", b"a <html>", ".js file"),
    ("1.js?id=1.html", b"a <html>", ".js file"),
    *((name, b"a <html>", None) for name in ("1.html", "1.dat", "1")),
    ("1.dat", b"<p>A bridge.", None),
    ("1.dat", b" \n<p>A bridge.", None),
    ("1.js", b"<p>A bridge.", OTHER_TEXT.format(".js")),
    *((f"1{end}", TEXT, None) for end in (".txt", ".html", ".HTM", ".xhtml", ".shtml", ".asp")),
    *((f"1{end}", TEXT, None) for end in (".aspx", ".php", ".jsp", ".cms", ".php?id=5.png", "")),
    *((f"1{end}", TEXT, OTHER_TEXT.format(end)) for end in (".csv", ".js", ".yaml")),
    *((name, TEXT, "text about the folder") for name in ("README", "License", "licence-1")),
    *((name, TEXT, "text about the folder") for name in ("readme.txt", "Makefile", "NOTICE")),
    *((name, TEXT, "text about the folder") for name in ("AUTHORS", "COPYING.html", "Dockerfile")),
    *((name, TEXT, "text about the folder") for name in ("CHANGELOG", "CONTRIBUTING")),
    *((name, TEXT, None) for name in ("readmes", "my readme")),
    ("1.html", b"\x89PNG\r\n", None),
    ("1.png", b"\x89PNG\r\n", "binary data"),
    ("1", b"\x89PNG\r\n", "binary data"),
    *(
        ("1.html", start + tag, "XML in another format")
        for start in (b"", b"\xef\xbb\xbf", b'<?xml version="1.0"?>\n', b"<!-- a\n -->", b" ")
        for tag in (b"<svg>", b"<RSS a='b'>", b"<feed>", b"<urlset>", b"<sitemapindex>", b"<rdf:x>")
    ),
    ("1.html", b"<!doctype svg>\n<svg>", "XML in another format"),
    ("1.html", b"<?xml version='1.0'?><html>", None),
    ("1.csv", "a <html>".encode("utf-16"), None),
    ("1.csv", "a bridge".encode("utf-16"), OTHER_TEXT.format(".csv")),
    ("1.csv", b"x" * 4090 + b"<html>", None),
    ("1.csv", b"x" * 4091 + b"<html>", None),
    ("1.csv", b"x" * 4092 + b"<html>", OTHER_TEXT.format(".csv")),
    ("1.csv", b"a <htmlx>", OTHER_TEXT.format(".csv")),
]


def test_which_files_may_be_pages(tmp_path: Path) -> None:
    for name, data, against in FILES:
        path = tmp_path / name
        path.write_bytes(data)
        assert reason_against(path) == against, (name, data[:30])
        assert not is_archive_file(path), name
    for name, data, is_archive in (
        ("a.warc", b"", True),
        ("a.WARC.gz", b"", True),
        ("a.arc.zst", b"", True),
        ("a.warc.bz2.open", b"", True),
        ("a.wacz", b"", True),
        ("a.wacz.gz", b"", False),
        ("a.warc.txt", b"", False),
        ("a", b"WARC/1.0", True),
        ("a", b"filedesc://a", True),
        ("a", b" WARC/1.0", False),
        ("a", b"WARC", False),
    ):
        path = tmp_path / name
        path.write_bytes(data)
        assert is_archive_file(path) == is_archive, (name, data)
    for name, is_other in (
        ("style.css", True),
        ("picture.jpg", True),
        ("a.html", False),
        ("a.xhtml", False),
        ("a.txt", False),
        ("a", False),
        ("a.unheard-of", False),
    ):
        assert is_named_as_other(name) == is_other, name


def test_the_addresses_of_an_article() -> None:
    """There is one address per key: first the publisher's own, then the other hosts in order."""
    own = ["http://en.alalam.ir/news/5", "http://en.alalamtv.net/news/5"]
    assert addresses("5", None, PUBLISHERS) == own
    mirrored = Publishers(Choice(base_url="http://x.example"))
    assert addresses("5", None, mirrored) == ["http://x.example/news/5", *own]
    url = "https://www.publisher.example/a?utm_source=x"
    assert addresses("publisher.example/a", url, PUBLISHERS) == [url, "http://publisher.example/a"]
    variants = addresses("publisher.example/a", url, PUBLISHERS, with_variants=True)
    assert [urlsplit(one).hostname for one in variants[1:]] == [
        "publisher.example",
        "m.publisher.example",
        "amp.publisher.example",
        "mobile.publisher.example",
    ]


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("XDG_CACHE_HOME", CACHE)

    def open_(data: bytes, at: date | None = None) -> ArchivedPages:
        (tmp_path / "a.warc").write_bytes(data)
        return ArchivedPages(str(tmp_path), PUBLISHERS, at, MAX_SIZE)

    return open_


def answer_of(pages_: ArchivedPages, request: Request) -> Response | str:
    try:
        return asyncio.run(pages_.answer(request))
    except PageRefused as error:
        return f"{error.reason}: {error.detail}"
    except NotSaved as error:
        return f"not saved: {error}"


def request_for(article: str, **meta: Any) -> Request:
    return Request(SITE.url_of(article), meta={PURPOSE: Visit(article_id=article), **meta})


def candidates_of(request: Request) -> Candidates:
    candidates = visit_in(request).candidates
    assert candidates is not None
    return candidates


def days(*each: tuple[int, bytes], url: str = f"{NEWS}5") -> bytes:
    """Return a file of responses, each captured on its own day in October."""
    return b"".join(record(url, answer, f"2015-10-{day:02}T10:00:00Z") for day, answer in each)


def test_the_response_of_an_archive(tmp_path: Path, pages: Any) -> None:
    place = f"{tmp_path}/a.warc, offset "
    answer = http(page(5), "203 Well", "X-A: 1", "x-a: 2", "Content-Encoding:")
    first = record(f"{NEWS}5", answer, "2015-10-01T10:00:00.25Z", WARC_Record_ID="<urn:uuid:1>")
    source = pages(first + days((2, http(b"x", "404 Gone"))))
    assert (source.name, source.offline, source.faults) == ("warc", True, [])
    request = request_for("5")
    response = answer_of(source, request)
    assert isinstance(response, Response)
    assert (response.url, response.status, response.body) == (f"{NEWS}5", 203, page(5))
    assert response.headers.to_unicode_dict() == {
        "Content-Type": "text/html; charset=utf-8",
        "X-A": "1,2",
    }
    assert visit_in(request).origin == Origin(
        source="warc",
        where=f"{place}0",
        record_id="<urn:uuid:1>",
        captured_at=datetime(2015, 10, 1, 10, 0, 0, 250_000, tzinfo=UTC),
        verified=True,
    )
    assert request.meta["dont_retry"] is True
    assert visit_in(request).notes == []
    # The next request gets another capture, with a note on the one passed over.
    candidates = candidates_of(request)
    candidates.pass_over(PassedOver("a place", "not_html", "a picture", None), 0)
    response = answer_of(source, request)
    assert isinstance(response, Response) and response.status == 404
    assert visit_in(request).notes == ["passed over a place: not html (a picture)"]
    assert answer_of(source, request_for("6")) == f"not saved: no capture in {tmp_path}"
    # The origin of an unreadable capture is taken from the index.
    cut = days((3, http(page(5), "200 OK", "Content-Length: 9999")))
    request = request_for("5")
    assert answer_of(pages(cut), request) == (
        f"cut_short: {place}0: the response declares 9,999 bytes but has {len(page(5))}"
    )
    at = datetime(2015, 10, 3, 10, tzinfo=UTC)
    assert visit_in(request).origin == Origin(source="warc", where=f"{place}0", captured_at=at)
    assert "dont_retry" not in request.meta
    # A missing status is assumed to be 200, and an incomplete date is noted.
    request = request_for("5")
    third = record(f"{NEWS}5", http(page(5), "0 None"), "2015-10", WARC_Record_ID="<urn:uuid:3>")
    response = answer_of(pages(third), request)
    assert isinstance(response, Response) and response.status == 200
    assert visit_in(request).origin == Origin(
        source="warc",
        where=f"{place}0",
        record_id="<urn:uuid:3>",
        captured_at=datetime(2015, 10, 1, tzinfo=UTC),
        status_assumed=True,
        date_note=(
            "only 2015-10 is known of the date '2015-10'; the first moment of it is assumed"
        ),
        verified=True,
    )
    put_request = record(
        f"{NEWS}5", b"PUT / HTTP/1.1\r\n", kind="request", WARC_Concurrent_To="<u>"
    )
    put_response = record(f"{NEWS}5", http(page(5)), WARC_Record_ID="<u>")
    assert answer_of(pages(put_response + put_request), request_for("5")) == (
        f"not_an_article: {place}0: it is the answer to a PUT request"
    )


def test_which_capture_an_archive_returns(pages: Any) -> None:
    """Pages at the plain address come first, then redirects and longer addresses.

    Within each group, the newest comes first, or the one nearest to the requested date.
    """
    moved = http(b"", "301 Moved", "Location: /news/5/x")
    data = days((1, http(page(5, " one"))), (3, http(page(5, " three"))), (9, moved)) + days(
        (20, http(page(5, " query"))), url=f"{NEWS}5?a=b"
    )
    data += days((15, http(page(5, " mirror"))), url="http://www.en.alalamtv.net/news/5")
    data += days((25, http(page(5, " longer"))), url=f"{NEWS}55")
    bodies = {
        page(5, f" {word}"): word for word in ("one", "three", "query", "mirror", "longer")
    } | {b"": "moved"}
    for at, expected in (
        (None, "mirror three one query moved"),
        (date(2015, 10, 2), "three one mirror query moved"),
        (date(2015, 10, 1), "one three mirror query moved"),
        (date(2015, 10, 10), "mirror three one query moved"),
    ):
        source, request, order = pages(data, at), request_for("5"), []
        while (response := answer_of(source, request)) and isinstance(response, Response):
            order.append(bodies[response.body])
            failed = PassedOver("x", "http_5xx", "y", None)
            candidates_of(request).pass_over(failed, 0)
        assert " ".join(order) == expected, at
        assert response.startswith("not saved: no capture in ")
    # The source limits how many are tried.
    many = days(*((day, http(page(5))) for day in range(1, 23)))
    source, request = pages(many), request_for("5")
    answer_of(source, request)
    candidates = candidates_of(request)
    for _ in range(20):
        assert candidates.has_more
        candidates.pass_over(PassedOver("x", "http_5xx", "y", None), 0)
    assert not candidates.has_more
    assert len(candidates.levels[0]) == 2


def test_a_redirect_is_followed_at_its_time(tmp_path: Path, pages: Any) -> None:
    target_url = f"{NEWS}5/led"
    data = days((10, http(b"", "301 Moved"))) + days(
        (2, http(page(5, " old"))),
        (9, http(page(5, " near"))),
        (28, http(page(5, " new"))),
        url=target_url,
    )
    source, request = pages(data, date(2015, 10, 28)), request_for("5")
    # The plain address has no page; the longer one has.
    bodies = []
    while isinstance(response := answer_of(source, request), Response) and response.status == 200:
        bodies.append(response.body)
        candidates_of(request).pass_over(PassedOver("x", "http_5xx", "y", None), 0)
    assert bodies == [page(5, f" {word}") for word in ("new", "near", "old")]
    first = visit_in(request).origin
    redirected = Request(target_url, meta={**request.meta, "redirect_times": 1})
    bodies = []
    for _ in range(3):
        response = answer_of(source, redirected)
        assert isinstance(response, Response)
        bodies.append(response.body)
        visit_in(redirected).origin = first
        candidates_of(request).levels[1].popleft()
    assert bodies == [page(5, f" {word}") for word in ("near", "old", "new")]
    nowhere = Request(f"{NEWS}none", meta={**request_for("5").meta, **request.meta})
    nowhere.meta.update(redirect_times=2)
    assert answer_of(source, nowhere) == (
        f"http_3xx: redirected to {NEWS}none, which has no capture in {tmp_path}"
    )


def test_the_articles_of_an_archive(pages: Any) -> None:
    """Each is listed once, even if its address is not that of an article."""
    far = "http://en.alalam.ir/mobile/news/7"
    data = days((1, http(page(5))), (2, http(page(5))))
    data += days((1, http(page(5))), url="http://en.alalamtv.net/news/5?a=b")
    data += days((3, http(page(7))), url=far) + days((4, http(page(6))), url=f"{NEWS}6")
    data += days((5, http(page(8))), url="http://elsewhere.example/news/8")
    data += days((5, http(page(8))), url="http://en.alalam.ir/about")
    source = pages(data)
    assert answer_of(source, request_for("7")).__class__ is str
    assert list(source.articles()) == [
        ("5", None),
        ("6", None),
        ("7", None),
        ("elsewhere.example/news/8", "http://elsewhere.example/news/8"),
    ]
    response = answer_of(source, request_for("7"))
    assert isinstance(response, Response)
    assert (response.url, response.body) == (far, page(7))


@pytest.mark.parametrize("count", [0, 1, 5, 6, 1006])
def test_saved_pages_beside_an_archive(
    tmp_path: Path, pages: Any, caplog: pytest.LogCaptureFixture, count: int
) -> None:
    names = sorted(f"{number}.html" for number in range(count))
    for name in (*names, "list.txt", "style.css"):
        (tmp_path / name).write_bytes(b"a {}" if name[-1] != "l" else HTML)
    with caplog.at_level(logging.INFO, "crawler.sources.warc"):
        pages(days((1, http(page(5)))))
    more = f" and {count - 5:,} more" if count > 5 else ""
    warning = (
        f"{tmp_path}: saved pages beside the archives are not read: {', '.join(names[:5])}"
        f"{more}; move them to a folder of their own, and name that folder as a source"
    )
    assert [(entry.levelname, entry.getMessage()) for entry in caplog.records] == [
        ("INFO", f"{tmp_path}: {count + 2} files are not archives"),
        *([("WARNING", warning)] if count else []),
    ]

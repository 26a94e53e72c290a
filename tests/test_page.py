"""The pages in tests/pages are read as their case files say.

A case is NAME.html, and NAME.json with a careful reader's values and the whole record.
``gaps.json`` lists known differences, field by field, with the reason. A gap that closes fails the
test, so that the list stays accurate.
"""

import gc
import json
from datetime import UTC, datetime
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

import msgspec
import pytest
from conftest import VALIDATORS
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.crawl import records
from crawler.crawl.fetches import Fetch
from crawler.extraction import normalise, page
from crawler.extraction import publishers as sites
from crawler.extraction.refusal import Refusal, refuse

PAGES = Path(__file__).parent / "pages"
SITE = sites.load("alalam")
GAPS: dict[str, dict[str, str]] = json.loads((PAGES / "gaps.json").read_text(encoding="utf-8"))
CASES = sorted(path.stem for path in PAGES.glob("*.json") if path.stem != "gaps")
FIELDS = ("is_article", "headline", "published", "body", "related", "media")
NULLABLE = (
    "url",
    "headline",
    "headline_raw",
    "published_at",
    "published_raw",
    "modified_at",
    "authors",
    "description",
    "section",
    "tags",
    "body",
    "language",
    "credit",
    "media",
    "related",
    "related_complete",
    "links",
    "canonical_url",
    "alternates",
    "accessible_for_free",
    "body_sha256",
)
# The record's fields that depend on each of the reader's fields.
DEPENDENT_FIELDS = {
    "headline": ("headline", "headline_raw"),
    "published": ("published_at", "published_raw"),
    "body": ("body", "body_sha256", "credit"),
    "related": ("related", "related_complete"),
    "media": ("media",),
}
# Pieces of markup, addresses and scripts' data that have each broken some parser.
PIECES = (
    *(b"{", b"}", b"[", b"]", b'"', b"\\", b",", b":", b"$2", b"1e999", b"null", b"\\ud800"),
    *(
        b"</script>",
        b"<script>",
        b"</html><!-- x -->",
        b"<a href='//[x'>",
        b"http://[",
        b"%7B",
        b"/*",
    ),
    *(b"&#xD800;", b"9" * 4_400, b'"published":1e22,', b'"date":-99999999999999,', b'"id":true,'),
    *(b'"title":{"a":[]},', b'"type":"headline",', b'"__ref":"a:b",', b'"url":"//[",', b"T5,"),
)
FETCHED_AT = datetime(2015, 10, 24, 6, 7, 8, 90, tzinfo=UTC)


def page_of(case: str) -> Path:
    return next(path for path in PAGES.glob(f"{case}.*") if path.suffix != ".json")


def site_of(truth: dict[str, Any]) -> sites.Publisher:
    return sites.load(truth.get("site", "alalam"))


def truth_of(case: str) -> dict[str, Any]:
    truth: dict[str, Any] = json.loads((PAGES / f"{case}.json").read_text(encoding="utf-8"))
    return truth


@cache
def read(case: str) -> page.ParsedPage:
    truth = truth_of(case)
    site = site_of(truth)
    return page.parse(
        page_of(case).read_bytes(),
        url=site.url_of(truth["id"]),
        charset=truth["http_charset"],
        publisher=site,
    )


def instant(text: str | None) -> object:
    """Return a date for comparison: equal moments compare equal at any offset; dates stay text."""
    return datetime.fromisoformat(text) if text and "T" in text else text


def fetch_of(article_id: str, site: sites.Publisher) -> Fetch:
    return Fetch(
        id=article_id,
        url=site.url_of(article_id),
        depth=0,
        found_on=None,
        fetched_at=FETCHED_AT,
        source="live",
        status=200,
    )


def record_of(parsed: page.ParsedPage, truth: dict[str, Any]) -> dict[str, Any]:
    """Return the record that the crawl would write for a page, or its refusal."""
    site = site_of(truth)
    result = normalise.normalise(parsed, site)
    if isinstance(result, Refusal):
        return {"reason": result.reason, "detail": result.detail}
    record = records.article(result, fetch_of(truth["id"], site))
    plain: dict[str, Any] = json.loads(msgspec.json.encode(record))
    return plain


def expected_of_reader(truth: dict[str, Any]) -> dict[str, Any]:
    """Return the record of a page for which the reader gives only headline, date and body."""
    if not truth["is_article"]:
        return {}
    site = site_of(truth)
    return {
        "kind": "article",
        "schema": 3,
        "site": site.name,
        "id": truth["id"],
        "revision": 1,
        "changed": [],
        **dict.fromkeys(NULLABLE),
        "url": site.url_of(truth["id"]),
        "aliases": [],
        "headline": truth["headline"],
        "headline_raw": truth["headline"],
        "published_at": truth["published"],
        "body": "\n\n".join(truth["body"]) or None,
        "depth": 0,
        "found_on": None,
        "fetched_at": "2015-10-24T06:07:08.000090+00:00",
        "source": "live",
        "status": 200,
    }


def expected_record(truth: dict[str, Any]) -> dict[str, Any]:
    """Return the reader's record with the fields in ``record`` and those derived from others."""
    expected = {**expected_of_reader(truth), **truth.get("record", {})}
    if truth["is_article"]:
        body = expected["body"]
        expected["body_sha256"] = sha256(body.encode()).hexdigest() if body else None
        expected["missing"] = [name for name in NULLABLE if expected[name] is None]
    return expected


def without_gaps(record: dict[str, Any], gaps: dict[str, str]) -> dict[str, Any]:
    """Return a record without the fields that have known gaps."""
    left_out = {name for gap in gaps for name in DEPENDENT_FIELDS.get(gap, (gap,))}
    remaining = {name: value for name, value in record.items() if name not in left_out}
    if "provenance" in remaining:
        remaining["provenance"] = {
            name: source for name, source in remaining["provenance"].items() if name not in left_out
        }
    if "missing" in remaining:
        remaining["missing"] = [name for name in remaining["missing"] if name not in left_out]
    return remaining


def check(field: str, parsed: page.ParsedPage, truth: dict[str, Any]) -> None:
    if field == "is_article":
        assert (refuse(parsed, site_of(truth)) is None) is truth["is_article"]
    elif field == "headline":
        assert parsed.headline is not None
        assert parsed.headline.value in [truth["headline"], *truth["headline_alternatives"]]
    elif field == "published":
        zone = ZoneInfo(site_of(truth).time_zone)
        moment = parsed.dated.moment if parsed.dated else None
        assert instant(moment.isoformat(zone) if moment else None) == instant(truth["published"])
    elif field == "body":
        optional = truth["optional_body"]
        assert [p for p in parsed.body if p not in optional] == [
            p for p in truth["body"] if p not in optional
        ]
    elif field == "related":
        listed = (
            [[item.id, item.title] for item in parsed.related.items] if parsed.related else None
        )
        assert listed == truth["related"]
    elif field == "media":
        url = site_of(truth).url_of(truth["id"])
        shown = {urljoin(url, media.url) for media in parsed.media or ()}
        expected = {urljoin(url, media_url) for media_url in truth["media"]}
        assert {u.replace(" ", "%20") for u in shown} == {u.replace(" ", "%20") for u in expected}
    else:
        assert record_of(parsed, truth)[field] == expected_record(truth)[field]


def cases() -> list[Any]:
    params = []
    for case in CASES:
        is_article = truth_of(case)["is_article"]
        gaps = GAPS.get(case, {})
        for field in dict.fromkeys((*FIELDS, *gaps)) if is_article else FIELDS[:1]:
            gap = gaps.get(field)
            marks = [pytest.mark.xfail(reason=gap, strict=True)] if gap else []
            params.append(pytest.param(case, field, marks=marks, id=f"{case}-{field}"))
    return params


@pytest.mark.parametrize(("case", "field"), cases())
def test_page(case: str, field: str) -> None:
    check(field, read(case), truth_of(case))


@pytest.mark.parametrize("case", [case for case in CASES if "is_article" not in GAPS.get(case, {})])
def test_record(case: str) -> None:
    truth, gaps = truth_of(case), GAPS.get(case, {})
    record = without_gaps(record_of(read(case), truth), gaps)
    assert record == without_gaps(expected_record(truth), gaps)


def test_every_gap_belongs_to_a_case() -> None:
    assert set(GAPS) <= set(CASES)
    assert all(set(gaps) <= {*FIELDS, *NULLABLE} for gaps in GAPS.values())


@settings(max_examples=150)
@given(st.data())
def test_damaged_pages_never_raise_and_give_valid_records(data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(CASES))
    body = bytearray(page_of(case).read_bytes())
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(body)))
        piece = data.draw(st.one_of(st.binary(max_size=12), st.sampled_from(PIECES)))
        body[at : at + data.draw(st.integers(0, 40))] = piece
    body = body[: data.draw(st.integers(0, len(body)))]
    charset = data.draw(
        st.sampled_from([None, "utf-8", "windows-1256", "zip", "no-such-charset", "utf-16", "\x00"])
    )
    make_record(bytes(body), charset)


@settings(max_examples=150)
@given(st.binary(max_size=400))
def test_any_bytes_never_raise(body: bytes) -> None:
    make_record(body, None)
    make_record(b"<html><body><h1>x</h1>" + body, None)


@pytest.mark.parametrize(
    "url", [None, "http://[x/", "https://x.example", "mailto:x", "://", "\ud800"]
)
@pytest.mark.parametrize("case", ["s01_next_data", "s07_react_rows", "001_table_font_2005"])
def test_any_address_never_raises(case: str, url: str | None) -> None:
    parsed = page.parse(page_of(case).read_bytes(), url=url)
    assert normalise.normalise(parsed, None)


def make_record(body: bytes, charset: str | None) -> None:
    parsed = page.parse(body, url=SITE.url_of("1"), charset=charset, publisher=SITE)
    normalise.normalise(parsed, SITE)
    record = records.article(normalise.page_record(parsed, SITE), fetch_of("1", SITE))
    VALIDATORS["article"].validate(json.loads(msgspec.json.encode(record)))


def test_the_tree_of_a_page_does_not_wait_for_the_garbage_collector() -> None:
    """A run would otherwise keep the trees of hundreds of pages."""
    body = (PAGES / f"{CASES[0]}.html").read_bytes()
    parse = partial(page.parse, body, url="http://publisher.example/2015/10/23/story")
    parse()
    gc.collect()
    gc.disable()
    try:
        parse()
        assert gc.collect() == 0
    finally:
        gc.enable()

"""Pages are cases in files: tests/pages/NAME.html beside NAME.json, what a careful reader would say of it.

``gaps.json`` names what is known to be read otherwise, field by field, with the reason; a gap that closes fails the test, so that the
list stays true.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler import normalise, page, sites

PAGES = Path(__file__).parent / "pages"
SITE = sites.load("alalam")
GAPS: dict[str, dict[str, str]] = json.loads((PAGES / "gaps.json").read_text(encoding="utf-8"))
CASES = sorted(path.stem for path in PAGES.glob("*.json") if path.stem != "gaps")
FIELDS = ("is_article", "headline", "published", "body", "related", "media")


def page_of(case: str) -> Path:
    return next(path for path in PAGES.glob(f"{case}.*") if path.suffix != ".json")


def site_of(truth: dict[str, Any]) -> sites.Site:
    return sites.load(truth.get("site", "alalam"))


def read(case: str, truth: dict[str, Any]) -> page.Page:
    site = site_of(truth)
    return page.read(
        page_of(case).read_bytes(),
        site,
        url=site.url_of(truth["id"]),
        charset=truth["http_charset"],
    )


def instant(text: str | None) -> object:
    """A date for comparison: instants are equal whatever their offset, a bare date is not an instant."""
    return datetime.fromisoformat(text) if text and "T" in text else text


def check(field: str, said: page.Page, truth: dict[str, Any]) -> None:
    if field == "is_article":
        assert (normalise.refusal(said, truth["id"], site_of(truth)) is None) is truth["is_article"]
    elif field == "headline":
        assert said.headline is not None
        assert said.headline.value in [truth["headline"], *truth["headline_alternatives"]]
    elif field == "published":
        zone = ZoneInfo(site_of(truth).time_zone)
        moment = said.dated.moment if said.dated else None
        assert instant(moment.isoformat(zone) if moment else None) == instant(truth["published"])
    elif field == "body":
        optional = truth["optional_body"]
        assert [p for p in said.body if p not in optional] == [
            p for p in truth["body"] if p not in optional
        ]
    elif field == "related":
        got = [[item.id, item.title] for item in said.related.items] if said.related else None
        assert got == truth["related"]
    else:
        url = site_of(truth).url_of(truth["id"])
        assert {urljoin(url, media.url) for media in said.media or ()} == {
            urljoin(url, wanted) for wanted in truth["media"]
        }


def cases() -> list[Any]:
    found = []
    for case in CASES:
        is_article = json.loads((PAGES / f"{case}.json").read_text(encoding="utf-8"))["is_article"]
        for field in FIELDS if is_article else FIELDS[:1]:
            gap = GAPS.get(case, {}).get(field)
            marks = [pytest.mark.xfail(reason=gap, strict=True)] if gap else []
            found.append(pytest.param(case, field, marks=marks, id=f"{case}-{field}"))
    return found


@pytest.mark.parametrize(("case", "field"), cases())
def test_page(case: str, field: str) -> None:
    truth = json.loads((PAGES / f"{case}.json").read_text(encoding="utf-8"))
    check(field, read(case, truth), truth)


def test_every_gap_is_of_a_case() -> None:
    assert set(GAPS) <= set(CASES)
    assert all(set(gaps) <= set(FIELDS) for gaps in GAPS.values())


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_pages_never_raise_and_give_valid_records(data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(CASES))
    body = bytearray(page_of(case).read_bytes())
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=12))
    body = body[: data.draw(st.integers(0, len(body)))]
    charset = data.draw(
        st.sampled_from([None, "utf-8", "windows-1256", "zip", "no-such-charset", "utf-16", "\x00"])
    )
    make_record(bytes(body), charset)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_never_raise(body: bytes) -> None:
    make_record(body, None)
    make_record(b"<html><body><h1>x</h1>" + body, None)


def make_record(body: bytes, charset: str | None) -> None:
    import msgspec
    from conftest import VALIDATORS

    said = page.read(body, SITE, url=SITE.url_of("1"), charset=charset)
    normalise.refusal(said, "1", SITE)
    fetch = normalise.Fetch(
        id="1",
        url=SITE.url_of("1"),
        depth=0,
        found_on=None,
        fetched_at=datetime.now().astimezone(),
        source="live",
        status=200,
    )
    record = normalise.article(said, fetch, normalise.related_items(said.related, SITE), SITE)
    VALIDATORS["article"].validate(json.loads(msgspec.json.encode(record)))

"""Records in other vocabularies: schema.org and zyte-common-items."""

import json
import re
from dataclasses import fields, replace
from pathlib import Path

import pytest
from conftest import ROOT
from zyte_common_items import Article

from crawler.extraction.api import PageRecord, extract
from crawler.items import Alternate, Author, Link, Media, RelatedItem
from crawler.record_mappings import news_article, zyte_article

DOCS = Path(ROOT) / "docs" / "reference" / "records.md"
URL = "https://publisher.example/2026/04/30/night-buses-return/"
RECORD = PageRecord(
    site="publisher.example",
    id="publisher.example/2026/04/30/night-buses-return",
    url=URL,
    aliases=("publisher.example?p=51200417",),
    headline="Night buses return to the old town",
    headline_raw="Night buses return to the old town + Video",
    published_at="2026-04-30T18:05:00+02:00",
    published_raw="2026-04-30T18:05:00+02:00",
    modified_at="2026-05-01T09:00:00+02:00",
    authors=(
        Author(name="Ada Lindqvist", url="https://publisher.example/authors/ada/"),
        Author(name="Tomas Irvane", url=None),
    ),
    description="The council pays for a year of night buses.",
    section="Town",
    tags=("Buses", "Old town"),
    body="The night buses return on Friday.\n\nThe council pays for a year; Press TV reported.",
    language="en",
    credit="Press TV",
    media=(
        Media(
            kind="image",
            url="https://publisher.example/pictures/bus.jpg",
            caption="A bus at night.",
            credit="Ines Albar",
        ),
        Media(kind="video", url="https://publisher.example/videos/bus.mp4"),
    ),
    related=(
        RelatedItem(
            position=1,
            id="publisher.example/2026/05/01/some-story",
            url="https://publisher.example/2026/05/01/some-story/",
            internal=True,
            headline="Harbour bridge reopens",
            headline_raw="Harbour bridge reopens",
            kind=None,
            picture_url=None,
            uploaded_at=None,
            content_type=None,
            sort=None,
        ),
    ),
    related_complete=True,
    links=(
        Link(
            role="related",
            url="https://publisher.example/2026/05/01/some-story/",
            id="publisher.example/2026/05/01/some-story",
            internal=True,
            text="Harbour bridge reopens",
            paragraph=None,
            rel=(),
            where="related list",
        ),
        Link(
            role="text",
            url="https://other.example/2026/council-report/",
            id="other.example/2026/council-report",
            internal=False,
            text="a report",
            paragraph=2,
            rel=("nofollow",),
            where="text",
        ),
        Link(
            role="tag",
            url="https://publisher.example/tags/buses/",
            id="publisher.example/tags/buses",
            internal=True,
            text="Buses",
            paragraph=None,
            rel=(),
            where="tags",
        ),
    ),
    canonical_url=URL,
    alternates=(
        Alternate(kind="language", url=f"{URL}?lang=sv", language="sv"),
        Alternate(kind="amp", url=f"{URL}amp/", language=None),
    ),
    accessible_for_free=False,
    body_sha256="0" * 64,
    missing=(),
    provenance={},
)
MAPPING = (
    DOCS.read_text(encoding="utf-8").partition("## Other vocabularies")[2].partition("\n## ")[0]
)
NAME = re.compile(r"`([\w.]+)`")
ROWS = [line.split("|")[2:4] for line in MAPPING.splitlines() if line.startswith("| `")]


def test_the_table_names_what_the_functions_return() -> None:
    schema_org, zyte = (
        {name.partition(".")[0] for row in ROWS for name in NAME.findall(row[column])}
        for column in (0, 1)
    )
    assert {name for name in news_article(RECORD) if name[0] != "@"} == schema_org
    assert set(zyte_article(RECORD)) == zyte


def test_the_docs_name_every_field() -> None:
    assert {field.name for field in fields(PageRecord)} <= set(NAME.findall(MAPPING))


def test_zyte_knows_every_name() -> None:
    item = Article.from_dict(zyte_article(RECORD))
    assert item._unknown_fields_dict == {}
    assert item.headline == RECORD.headline
    assert [author.name for author in item.authors] == ["Ada Lindqvist", "Tomas Irvane"]
    assert item.mainImage.url == "https://publisher.example/pictures/bus.jpg"
    assert item.breadcrumbs[0].name == "Town"


def test_an_item_of_zyte_needs_a_url() -> None:
    with pytest.raises(ValueError, match="the record 'Night buses return to the old town' has no"):
        zyte_article(replace(RECORD, url=None))


def test_related_links_are_those_to_articles_once_each() -> None:
    assert news_article(RECORD)["mainEntityOfPage"]["relatedLink"] == [
        "https://publisher.example/2026/05/01/some-story/",
        "https://other.example/2026/council-report/",
    ]


def test_the_json_ld_of_a_record_is_read_as_that_record() -> None:
    script = json.dumps(news_article(RECORD))
    page = f"""<html lang="en"><title>{RECORD.headline}</title>
        <script type="application/ld+json">{script}</script><h1>{RECORD.headline}</h1>
        <p>The night buses return on Friday.</p>
        <p>The council pays for a year; Press TV reported.</p>"""
    read = extract(page.encode(), url=URL)
    assert isinstance(read, PageRecord)
    for field in (
        "headline",
        "published_at",
        "modified_at",
        "authors",
        "description",
        "section",
        "tags",
        "body",
        "language",
        "credit",
        "media",
        "accessible_for_free",
    ):
        assert getattr(read, field) == getattr(RECORD, field), field

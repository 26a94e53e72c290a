"""The Atom feed, read back with feedparser, and checked against the musts of RFC 4287."""

import io
from dataclasses import replace
from datetime import datetime
from typing import Any

import feedparser
from corpora import HOSTILE, HOSTILE_IN_XML, MemoryCorpus
from hypothesis import given
from hypothesis import strategies as st
from jobs import article
from lxml import etree

from crawler.export.atom import CHANGED, MOST_ENTRIES, write_atom
from crawler.export.corpus import Copies
from crawler.extraction.page.text import without_controls
from crawler.items import Article, Author

ATOM = "{http://www.w3.org/2005/Atom}"
BRIDGE = article(
    "bridge",
    "It was closed.\n\nIt is open.",
    headline="Bridge reopens",
    url="https://publisher.example/bridge",
    site="publisher.example",
    published_at="2026-05-01T10:00:00+02:00",
    authors=(
        Author(name="Ada Lindqvist", url="https://publisher.example/ada"),
        Author(name="Tomas Irvane", url=None),
    ),
    section="Town",
    tags=("Bridges", "Town", "Traffic"),
    language="en",
    fetched_at="2026-05-02T08:00:00.000000+00:00",
)
CHANGED_BRIDGE = replace(BRIDGE, revision=2, changed=("headline", "body"))


def written(*articles: Article, copies: Copies | None = None) -> bytes:
    file = io.BytesIO()
    count = write_atom(MemoryCorpus(articles), file, copies)
    assert count == min(len(articles), MOST_ENTRIES)
    assert_valid(file.getvalue())
    return file.getvalue()


def read(*articles: Article, copies: Copies | None = None) -> Any:
    feed = feedparser.parse(written(*articles, copies=copies))
    assert not feed.bozo
    return feed


def assert_valid(feed: bytes) -> None:
    """Check the musts of RFC 4287, 4.1, that concern the elements that we write."""
    root = etree.fromstring(feed)
    assert root.tag == f"{ATOM}feed"
    for element in (root, *root.iterfind(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{name}")) == 1
        for name in ("published", "summary", "content"):
            assert len(element.findall(f"{ATOM}{name}")) <= 1
    for entry in root.iterfind(f"{ATOM}entry"):
        assert entry.find(f"{ATOM}author") is not None
        alternates = entry.findall(f"{ATOM}link[@rel='alternate']")
        assert alternates or entry.find(f"{ATOM}content") is not None
    assert all(len(person.findall(f"{ATOM}name")) == 1 for person in root.iter(f"{ATOM}author"))
    assert all(category.get("term") is not None for category in root.iter(f"{ATOM}category"))
    for date in root.iter(f"{ATOM}updated", f"{ATOM}published"):
        assert date.text is not None and datetime.fromisoformat(date.text).tzinfo is not None
    ids = [element.text for element in root.iterfind(f"{ATOM}entry/{ATOM}id")]
    assert len(ids) == len(set(ids))


def test_an_entry_has_what_the_record_says() -> None:
    [entry] = read(BRIDGE).entries
    assert entry.title == "Bridge reopens"
    assert entry.link == "https://publisher.example/bridge"
    assert entry.published == "2026-05-01T10:00:00+02:00"
    assert entry.updated == "2026-05-02T08:00:00.000000+00:00"
    assert [author.name for author in entry.authors] == ["Ada Lindqvist", "Tomas Irvane"]
    assert entry.authors[0].href == "https://publisher.example/ada"
    assert [tag.term for tag in entry.tags] == ["Town", "Bridges", "Traffic"]
    assert entry.summary == "It was closed."


def test_the_description_is_the_summary() -> None:
    [entry] = read(replace(BRIDGE, description="After two years.")).entries
    assert entry.summary == "After two years."


def test_a_changed_article_says_what_has_changed() -> None:
    [entry] = read(CHANGED_BRIDGE).entries
    changed = [tag.term for tag in entry.tags if tag.scheme == CHANGED]
    assert changed == ["headline", "body"]
    assert entry.summary.endswith("Changed: headline, body.")


def test_ids_do_not_change() -> None:
    later = "2026-05-04T08:00:00+00:00"
    new = [article("new", site="publisher.example"), article("far", depth=1)]
    first, second = read(BRIDGE), read(*new, replace(CHANGED_BRIDGE, fetched_at=later))
    assert second.entries[0].id == first.entries[0].id
    assert second.feed.id == first.feed.id
    assert second.entries[0].updated == later
    assert second.entries[0].id != second.entries[1].id


def test_a_time_that_is_no_instant_is_left_out() -> None:
    in_no_calendar = "2026-02-31T10:00:00+02:00"
    for published in ("2026-05-01T10:00:00", "2026-05-01", in_no_calendar, None):
        [entry] = read(replace(BRIDGE, published_at=published)).entries
        assert "published" not in entry


def test_the_latest_articles_come_first_and_the_oldest_are_left_out() -> None:
    times = [f"2026-05-01T{n // 60:02}:{n % 60:02}:00+00:00" for n in range(MOST_ENTRIES + 10)]
    # The order is that of the instants, not of the texts.
    times[3] = "2026-05-01T23:00:00-08:00"
    feed = read(*(article(str(n), fetched_at=time) for n, time in enumerate(times)))
    titles = [entry.title for entry in feed.entries]
    assert titles[:2] == ["About 3", f"About {MOST_ENTRIES + 9}"]
    assert titles[-1] == "About 11"
    assert feed.feed.updated == times[3]


def test_copies_are_linked() -> None:
    wire = article("wire", url="https://other.example/wire", fetched_at="2026-01-01T00:00:00+00:00")
    copies = {"bridge": ("gone", "wire"), "wire": ("bridge",)}
    bridge, _ = read(BRIDGE, wire, copies=copies).entries
    related = [link.href for link in bridge.links if link.rel == "related"]
    assert related == ["https://other.example/wire"]


def test_a_record_without_an_address_has_its_text() -> None:
    [entry] = read(replace(BRIDGE, url=None, authors=None, site=None, headline=None)).entries
    assert entry.content[0].value == "It was closed.\n\nIt is open."
    assert entry.author == "unknown"
    assert entry.title == "bridge"


def test_addresses_are_iris() -> None:
    [entry] = read(replace(BRIDGE, url='https://publisher.example/a b?q="<ö>"')).entries
    assert entry.link == "https://publisher.example/a%20b?q=%22%3Cö%3E%22"


def test_an_empty_corpus_is_an_empty_feed() -> None:
    assert read().entries == []


def text_of(feed: bytes, tag: str) -> str | None:
    return etree.fromstring(feed).findtext(f"{ATOM}entry/{ATOM}{tag}")


def test_hostile_texts_survive() -> None:
    feed = written(replace(BRIDGE, headline=HOSTILE, description=HOSTILE, tags=(HOSTILE,)))
    assert text_of(feed, "title") == HOSTILE_IN_XML
    assert text_of(feed, "summary") == HOSTILE_IN_XML
    assert not feedparser.parse(feed).bozo


@given(text=st.text(min_size=1), url=st.text())
def test_any_text_survives(text: str, url: str) -> None:
    feed = written(
        replace(
            BRIDGE,
            headline=text,
            description=text,
            url=f"https://publisher.example/{url}",
            authors=(Author(name=text, url=None),),
            tags=(text,),
        )
    )
    assert text_of(feed, "title") == without_controls(text)
    assert text_of(feed, "summary") == without_controls(text)
    assert text_of(feed, f"author/{ATOM}name") == without_controls(text)
    assert not feedparser.parse(feed).bozo

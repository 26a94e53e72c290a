"""What a report says of records: who links to whom, under which id, and what has changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from corpora import MemoryCorpus, edge, write_feed
from jobs import article, related_item

from crawler.export.corpus import FeedCorpus
from crawler.items import Article, Link, Media
from crawler.report import contents, records
from crawler.report.page import write_report

FIRST, LATER = "2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00"


def link(article_id: str, role: Any = "text") -> Link:
    facts: dict[str, Any] = {"text": None, "paragraph": None, "internal": True, "rel": ()}
    return Link(role=role, id=article_id, url="https://one.example/", where="body", **facts)


@contextmanager
def rows_of(folder: Path, *articles: Article) -> Iterator[dict[str, records.Row]]:
    """Yield the rows of a feed by the ids of their articles."""
    with FeedCorpus([str(folder / write_feed(folder / "feed.jsonl", *articles))]) as corpus:
        found = contents.gather(corpus)
        yield {row.entry.id: row for row in records.rows(corpus, found.rows)}


# The edges to an article, and from how many pages it is linked.
EDGES = {
    "from two pages": ([edge("2", "1"), edge("3", "1")], 2),
    "in two roles": ([edge("2", "1"), edge("2", "1", "text")], 1),
    "from itself": ([edge("1", "1")], 0),
    "as a tag": ([edge("2", "1", "tag")], 0),
    "no longer": ([edge("2", "1", removed_at=LATER), edge("3", "1")], 1),
    "from a page without a record": ([edge("4", "1")], 1),
}


@pytest.mark.parametrize("case", EDGES)
def test_pages_that_link_to_an_article(case: str) -> None:
    edges, expected = EDGES[case]
    found = contents.gather(MemoryCorpus(tuple(map(article, "123")), tuple(edges)))
    assert found.by_id["1"].linked_from == expected


def test_other_ids_stand_for_their_article(tmp_path: Path) -> None:
    articles = [
        article("1", aliases=("old",)),
        article("2", links=(link("old"),), related=(related_item("old"),), found_on="old"),
    ]
    with rows_of(tmp_path, *articles) as rows:
        fields = {field.name: field.value for field in rows["2"].fields}
        assert fields["links"][0].id == fields["related"][0].id == "1"
        assert rows["1"].entry.linked_from == 1
    with FeedCorpus([str(tmp_path / "feed.jsonl")]) as corpus:
        found = contents.gather(corpus)
        assert found.by_id["old"] is found.by_id["1"]


# Articles that were fetched after one another, and the later revisions that are shown.
REVISIONS = {
    "of a job": (
        [{"revision": 1}, {"revision": 2, "body": "New.", "changed": ("body",)}],
        [(2, ["Text"])],
    ),
    "of a job, unchanged after it was gone": ([{"revision": 1}, {"revision": 2}], [(2, [])]),
    "of a job, but the second is lost": (
        [{"revision": 1}, {"revision": 3, "body": "New.", "tags": ("b",), "changed": ("tags",)}],
        [(3, ["Text", "Tags"])],
    ),
    "of runs without a ledger": ([{}, {"body": "New."}], [(None, ["Text"])]),
    "of runs without a ledger, unchanged": ([{}, {"source": "wayback", "found_on": "2"}], []),
}


@pytest.mark.parametrize("case", REVISIONS)
def test_revisions(tmp_path: Path, case: str) -> None:
    versions, expected = REVISIONS[case]
    articles = [
        article("1", **{"fetched_at": time, **fields})
        for time, fields in zip((FIRST, LATER), versions, strict=True)
    ]
    with rows_of(tmp_path, *articles) as rows:
        revisions = rows["1"].revisions
    shown = [(each.number, [name for name, _ in each.differences]) for each in revisions]
    assert [(number, sorted(names)) for number, names in shown] == [
        (number, sorted(names)) for number, names in expected
    ]


@pytest.mark.parametrize("url", ["http://[", "https://one.example/a?b/c#d/e", "https://"])
def test_addresses_that_are_no_valid_urls(url: str) -> None:
    media = (Media(kind="image", url=url),)
    records = (article("1", media=media, url=url), article("2", canonical_url=url))
    file = BytesIO()
    write_report(MemoryCorpus(records), file)
    assert f">{url.partition('?')[0].rpartition('/')[2] or url}</bdi>" in file.getvalue().decode()

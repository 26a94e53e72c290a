"""Corpora of any size, made up for benchmarks and tests: a feed, or the ledger of a job."""

import random
import zlib
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection

from crawler.crawl.articles import ArticleState, Lister, Recheck
from crawler.crawl.edges import NO_EVIDENCE, Edge
from crawler.crawl.ledger.job import Job
from crawler.crawl.ledger.places import FolderPlace
from crawler.crawl.ledger.recheck import Intervals
from crawler.crawl.ledger.schema import RECORDS

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = "the council ferry harbour said that would bridge of storm and a in report".split()
# The number of articles of a neighbourhood, and the part of its links that stay in it.
NEIGHBOURHOOD, STAYS = 80, 0.85


def record(number: int, count: int, link_count: int = 20) -> dict[str, Any]:
    """Return an article with links to other articles, half of them related items."""
    chance = random.Random(number)
    address = f"publisher.example/2026/01/{number}"
    sentences = (" ".join(chance.choices(WORDS, k=12)).capitalize() + "." for _ in range(40))
    headline = f"Headline {number}: {' '.join(chance.choices(WORDS, k=7))}"
    half = link_count // 2
    links = [
        {
            "role": "related" if place < half else "text",
            "url": f"https://publisher.example/2026/01/{target}/",
            "id": f"publisher.example/2026/01/{target}",
            "internal": True,
            "text": f"Headline {target}",
            "paragraph": None if place < half else place,
            "rel": [],
            "where": "main",
        }
        for place, target in enumerate(_targets(number, count, link_count, chance))
    ]
    related = [
        {
            "position": place,
            **{name: link[name] for name in ("id", "url", "internal")},
            "headline": link["text"],
            "headline_raw": link["text"],
            **dict.fromkeys(("kind", "picture_url", "uploaded_at", "content_type", "sort")),
        }
        for place, link in enumerate(links[:half], start=1)
    ]
    published = (BEGAN + timedelta(minutes=number)).isoformat()
    return {
        "kind": "article",
        "schema": 3,
        "site": "publisher.example",
        "id": address,
        "url": f"https://{address}/",
        "aliases": [f"publisher.example?p={number}"],
        "headline": headline,
        "headline_raw": headline,
        "published_at": published,
        "published_raw": published,
        "modified_at": None,
        "authors": [{"name": f"Ada {number % 500}", "url": None}],
        "description": headline,
        "section": f"Section {number % 20}",
        "tags": [f"Tag {chance.randrange(1000)}" for _ in range(4)],
        "body": "\n\n".join(sentences),
        "language": "en",
        "credit": None,
        "media": [
            {
                "kind": "image",
                "url": f"https://publisher.example/{number}.jpg",
                "caption": headline,
                "credit": None,
            }
        ],
        "related": related,
        "related_complete": True,
        "links": links,
        "canonical_url": f"https://{address}/",
        "alternates": None,
        "accessible_for_free": True,
        "body_sha256": "0" * 64,
        "missing": ["modified_at", "credit", "alternates"],
        "provenance": {
            name: {"where": f"JSON-LD {name}", "assumed": None, "doubt": None}
            for name in ("headline", "published_at", "body", "media", "authors", "section")
        },
        "revision": 1,
        "changed": [],
        "depth": min(3, number),
        "found_on": None,
        "fetched_at": published,
        "source": "live",
        "status": 200,
    }


def _targets(number: int, count: int, link_count: int, chance: random.Random) -> list[int]:
    """Return the articles that one links to: most are of its neighbourhood, some linked often."""
    start = number - number % NEIGHBOURHOOD
    size = min(NEIGHBOURHOOD, count - start)
    return [
        start + int(size * chance.random() ** 2)
        if chance.random() < STAYS
        else int(count * chance.random() ** 3)
        for _ in range(link_count)
    ]


def make_feed(file: Path, count: int, link_count: int = 20) -> None:
    """Write a feed of articles that were published one minute after the other."""
    with file.open("wb") as feed:
        for number in range(count):
            feed.write(msgspec.json.encode(record(number, count, link_count)) + b"\n")


def _edges(article: dict[str, Any]) -> list[Edge]:
    """Return the links of an article, at most one of each role to each page."""
    edges: dict[tuple[str, str], Edge] = {}
    for position, link in enumerate(article["links"], start=1):
        target, role = link["id"], link["role"]
        described = link["url"], link["text"], link["internal"]
        edges.setdefault((role, target), Edge(article["id"], target, role, position, *described))
    return list(edges.values())


def _insert(records: list[dict[str, Any]], connection: Connection) -> None:
    connection.execute(RECORDS.insert(), records)


def make_job(folder: Path, count: int, link_count: int = 20) -> None:
    """Make a job that stored the same articles."""
    job = Job(FolderPlace(folder), "publisher.example")
    job.begin(BEGAN, {}, "due", 0, Intervals(3600, 36_000), 1.0)
    assert job.pages is not None and job.run is not None
    for start in range(0, count, 1000):
        rows: list[dict[str, Any]] = []
        for number in range(start, min(count, start + 1000)):
            article = record(number, count, link_count)
            state = ArticleState(article["id"], "article", Lister(None, 1, 0), number)
            state.recheck, state.fetch_index = Recheck(revision=1), number
            job.pages.note(state)
            seen_at = datetime.fromisoformat(article["fetched_at"])
            job.pages.note_links(state, _edges(article), seen_at, NO_EVIDENCE)
            encoded = msgspec.json.encode(article)
            values = {"id": state.id, "kind": "article", "revision": 1, "json": encoded}
            rows.append({"record": number + 1, "run": 1, "crc": zlib.crc32(encoded), **values})
        job.pages.commits.flush(durable=True)
        job.database.store(partial(_insert, rows))
    job.end(job.run, "finished")
    job.close()

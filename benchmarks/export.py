"""The rate and the peak memory of each format of ``scrapy export``.

    python benchmarks/export.py [--articles 10000] [--job]

Makes a feed of N articles with bodies of about 3,000 characters and 20 links each, or with --job
the ledger of a job that stored them. Each export runs in a process of its own. Peers read the same
feed with ``json`` and write CSV with ``csv``, or use pandas. Prints articles per second (of the
processor's time), the peak memory, and the time as a multiple of the first peer's.
The memory of a job's exports includes the pages of the ledger that SQLite maps from the file, up to
256 MiB.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import msgspec

from crawler.crawl.articles import ArticleState
from crawler.crawl.ledger.job import Job
from crawler.crawl.ledger.recheck import Intervals
from crawler.crawl.ledger.schema import LINKS, RECORDS

EXPORT = "from scrapy.cmdline import execute; execute()"
CSV_PEER = """
import csv, json, sys
with open(sys.argv[1], encoding="utf-8") as feed, open("peer.csv", "w", newline="") as file:
    writer = None
    for line in feed:
        record = json.loads(line)
        if writer is None:
            writer = csv.DictWriter(file, record)
            writer.writeheader()
        writer.writerow({k: json.dumps(v) if isinstance(v, (list, dict)) else v
                         for k, v in record.items()})
"""
PANDAS = "import pandas, sys; pandas.read_json(sys.argv[1], lines=True, dtype=False)"
PEERS = {
    "peer: json and csv": CSV_PEER,
    "peer: pandas to CSV": f"{PANDAS}.to_csv('peer.csv')",
    "peer: pandas to Parquet": f"{PANDAS}.to_parquet('peer.parquet')",
}
OUTPUTS: dict[str, list[str]] = {
    "jsonl": ["-o", "x.jsonl"],
    "csv": ["-o", "x.csv"],
    "csv, folder": ["-o", "csv/"],
    "parquet": ["-o", "x.parquet"],
    "parquet, folder": ["--format", "parquet", "-o", "parquet/"],
    "sqlite": ["-o", "x.sqlite"],
    "gexf": ["-o", "x.gexf"],
    "graphml": ["-o", "x.graphml"],
    "atom": ["-o", "x.atom"],
    "jsonld": ["-o", "x.jsonld"],
}
# Prints the seconds and the peak memory in MiB of the Python code that follows.
MEASURE = """
import sys, time
from pathlib import Path
code, sys.argv = sys.argv[1], [sys.argv[0], *sys.argv[2:]]
began = time.process_time()
try:
    exec(code)
except SystemExit as end:
    assert not end.code, end.code
finally:
    status = Path("/proc/self/status").read_text()
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
    print(time.process_time() - began, peak)
"""
MOST_IN_PANDAS = 20_000
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = "the council ferry harbour said that would bridge of storm and a in report".split()


def record(number: int, count: int) -> dict[str, Any]:
    """Return an article with 20 links to other articles."""
    chance = random.Random(number)
    address = f"publisher.example/2026/01/{number}"
    sentences = (" ".join(chance.choices(WORDS, k=12)).capitalize() + "." for _ in range(40))
    headline = f"Headline {number}: {' '.join(chance.choices(WORDS, k=7))}"
    links = [
        {
            "role": "related" if place < 10 else "text",
            "url": f"https://publisher.example/2026/01/{target}/",
            "id": f"publisher.example/2026/01/{target}",
            "internal": True,
            "text": f"Headline {target}",
            "paragraph": None if place < 10 else place,
            "rel": [],
            "where": "main",
        }
        for place, target in enumerate(chance.choices(range(count), k=20))
    ]
    related = [
        {
            "position": place,
            **{name: link[name] for name in ("id", "url", "internal")},
            "headline": link["text"],
            "headline_raw": link["text"],
            **dict.fromkeys(("kind", "picture_url", "uploaded_at", "content_type", "sort")),
        }
        for place, link in enumerate(links[:10], start=1)
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
        "depth": 1,
        "found_on": None,
        "fetched_at": published,
        "source": "live",
        "status": 200,
    }


def make_feed(file: Path, count: int) -> None:
    with file.open("wb") as feed:
        for number in range(count):
            feed.write(msgspec.json.encode(record(number, count)) + b"\n")


def make_job(folder: Path, count: int) -> None:
    job = Job(folder, "publisher.example")
    job.begin(BEGAN, {}, "due", 0, Intervals(3600, 36_000), 1.0)
    assert job.pages is not None and job.run is not None
    for start in range(0, count, 1000):
        rows: list[dict[str, Any]] = []
        links: list[dict[str, Any]] = []
        for number in range(start, min(count, start + 1000)):
            article = record(number, count)
            state = ArticleState(article["id"], "article", (1, 0, number), None, queued=False)
            state.revision, state.fetch_index = 1, number
            job.pages.note(state)
            encoded = msgspec.json.encode(article)
            values = {"id": state.id, "kind": "article", "revision": 1, "json": encoded}
            rows.append({"record": number + 1, "run": 1, "crc": zlib.crc32(encoded), **values})
            links += (
                {
                    "page_id": state.id,
                    "position": position,
                    **{name: link[name] for name in ("role", "id", "url", "text", "internal")},
                    **dict.fromkeys(("first_seen", "last_seen"), article["fetched_at"]),
                }
                for position, link in enumerate(article["links"], start=1)
            )
        job.pages.commits.flush(durable=True)
        with job.database.transaction() as connection:
            connection.execute(RECORDS.insert(), rows)
            # A job keeps one link to the same page in each role.
            connection.execute(LINKS.insert().prefix_with("OR IGNORE"), links)
    job.end(job.run, "finished")
    job.close()


def measure(code: str, *words: str, folder: str) -> tuple[float, float]:
    """Return the seconds and the peak memory in MiB of Python code."""
    line = [sys.executable, "-c", MEASURE, code, *words]
    run = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=True)
    seconds, peak = run.stdout.split()
    return float(seconds), float(peak)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--articles", type=int, default=10_000)
    parser.add_argument("--job", action="store_true", help="export from a job")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="export-benchmark-") as folder:
        feed = Path(folder, "articles.jsonl")
        make_feed(feed, options.articles)
        print(f"{options.articles:,} articles, {feed.stat().st_size / 1e6:,.0f} MB of JSON Lines")
        source = [feed.name]
        if options.job:
            make_job(Path(folder, "job"), options.articles)
            source = ["-s", "JOBDIR=job"]
        Path(folder, "scrapy.cfg").write_text(
            "[settings]\ndefault = crawler.settings\n", encoding="utf-8"
        )
        cases = {name: (code, [feed.name]) for name, code in PEERS.items()}
        if options.articles > MOST_IN_PANDAS:
            # pandas holds all records in memory, a hundred thousand in ten gigabytes.
            cases = {name: case for name, case in cases.items() if "pandas" not in name}
        cases |= {name: (EXPORT, ["export", *source, *words]) for name, words in OUTPUTS.items()}
        first = None
        for name, (code, words) in cases.items():
            seconds, peak = measure(code, *words, folder=folder)
            first = first or seconds
            print(
                f"{name:<24} {options.articles / seconds:>8,.0f} articles/s {peak:>7,.0f} MiB "
                f"{seconds / first:>6.2f} times as long as json and csv",
                flush=True,
            )


if __name__ == "__main__":
    main()

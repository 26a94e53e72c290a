"""Reads each article of archive files in a plain loop, as the job on Spark does, without Spark.

    python benchmarks/peers/plain_loop.py ARCHIVES OUT.jsonl

Nothing is joined, as all captures are in one index, and pages that are the same article are not
settled.
"""

import sys
from collections import defaultdict
from typing import Any

import msgspec

from crawler.crawl.archived_articles import ArchiveReader, PageRead, article_of
from crawler.crawl.run import Found
from crawler.crawl.scope import SAME, Scope
from crawler.crawl.timed_extraction import TimedExtractor
from crawler.extraction.directory import Publishers
from crawler.warc.archive import Archive, ArchiveFile
from crawler.warc.names import archive_files

_MOST_BYTES, _READ_TIMEOUT, _MOST_REDIRECTS = 16 << 20, 10, 5


def main(source: str, out: str) -> None:
    publishers = Publishers()
    reader = ArchiveReader(
        Scope(publishers, SAME, by_host=False, everything=True),
        TimedExtractor(publishers, _READ_TIMEOUT),
        source,
        at=None,
        most_bytes=_MOST_BYTES,
        most_redirects=_MOST_REDIRECTS,
    )
    archive = Archive(source, _MOST_BYTES)
    captures: dict[str, list[tuple[Any, Any]]] = defaultdict(list)
    articles: dict[str, Found] = {}
    # Of several addresses, the first in alphabetical order counts, as in a crawl.
    for file in map(ArchiveFile, archive_files(source)):
        for capture in file.index:
            article_id = publishers.id_of(capture.url)
            if article_id is None:
                continue
            captures[article_id].append((capture, file))
            article = article_of(capture, publishers)
            if isinstance(article, Found):
                articles[article_id] = min(articles.get(article_id, article), article)
    with open(out, "wb") as lines:
        for article_id, article in articles.items():
            reading = reader.begin(article, captures[article_id])
            result = reader.read(reading, archive)
            record = result.article(article_id, ()) if isinstance(result, PageRead) else result
            lines.write(msgspec.json.encode(record) + b"\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

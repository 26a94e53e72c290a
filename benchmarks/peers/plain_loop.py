"""Reads each article of archive files in a plain loop, as the job on Spark does, without Spark.

    python benchmarks/peers/plain_loop.py ARCHIVES OUT.jsonl [BASE_URL]

Nothing is joined, as all captures are in one index, and pages that are the same article are not
settled.
"""

import sys
from collections import defaultdict
from typing import Any

import msgspec

from crawler.crawl.archived_articles import ArchiveOptions, ArchiveReader, PageRead, Reading
from crawler.crawl.scope import SAME
from crawler.crawl.timed_extraction import TimedExtractor
from crawler.extraction.directory import Choice, Publishers
from crawler.warc.archive import Archive, ArchiveFile
from crawler.warc.names import archive_files

_MOST_BYTES, _READ_TIMEOUT, _MOST_REDIRECTS = 16 << 20, 10, 5


def main(source: str, out: str, base_url: str | None = None) -> None:
    publishers = Publishers(Choice(base_url=base_url))
    options = ArchiveOptions(source, SAME, None, _MOST_BYTES, _MOST_REDIRECTS)
    reader = ArchiveReader(publishers, TimedExtractor(publishers, _READ_TIMEOUT), options)
    archive = Archive(source, _MOST_BYTES)
    captures: dict[str, list[tuple[Any, Any]]] = defaultdict(list)
    for file in map(ArchiveFile, archive_files(source)):
        for capture in file.index:
            article_id = publishers.id_of(capture.url)
            if article_id is not None:
                captures[article_id].append((capture, file))
    with open(out, "wb") as lines:
        for article_id, found in captures.items():
            reading = reader.begin(found)
            if not isinstance(reading, Reading):
                continue
            result = reader.read(reading, archive)
            record = result.article(article_id, ()) if isinstance(result, PageRead) else result
            lines.write(msgspec.json.encode(record) + b"\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""An index of the records in feeds: which of them count, and where they are.

It is a temporary SQLite database, so its size is limited by the disk and not by memory.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

import msgspec

from crawler.crawl.stored_records import read
from crawler.errors import CrawlerError
from crawler.export.temporary import temporary_database
from crawler.extraction.addresses import is_host_name
from crawler.items import Article

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RUN_FEEDS = ("articles.jsonl", "teasers.jsonl", "failures.jsonl")
"""The feeds in the folder of a run."""

_TABLES = """
CREATE TABLE records (
    place INTEGER PRIMARY KEY, kind TEXT, id TEXT, site TEXT, revision INTEGER, fetched_at REAL,
    feed INTEGER, line INTEGER, start INTEGER, length INTEGER
);
CREATE TABLE aliases (alias TEXT PRIMARY KEY, id TEXT) WITHOUT ROWID;
"""
_INSERT = "INSERT INTO records VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_BATCH = 1_000
# Without this index, each of the following queries would read all records for each record.
_INDEX = "CREATE INDEX records_id ON records (id, kind)"
# An id of a publisher's own may be in use by two publishers.
_OTHER_PUBLISHERS = """
SELECT other.place, other.feed, other.line, other.id, first.site
FROM records AS other JOIN records AS first ON first.place = (
    SELECT min(place) FROM records
    WHERE id = other.id AND kind = 'article' AND site IS NOT NULL
)
WHERE other.kind = 'article' AND other.site != first.site
"""
_LATEST = """
SELECT feed, start, length FROM (
    SELECT *, row_number() OVER (
        PARTITION BY id ORDER BY revision DESC, fetched_at DESC, place DESC
    ) AS age
    FROM records WHERE kind = 'article'
)
WHERE age = 1 ORDER BY place
"""
_REVISIONS = """
SELECT feed, start, length FROM records WHERE place IN (
    SELECT max(place) FROM records WHERE kind = 'article' GROUP BY id, revision, fetched_at
)
ORDER BY place
"""
_REVISIONS_OF = """
SELECT feed, start, length FROM records WHERE place IN (
    SELECT max(place) FROM records WHERE kind = 'article' AND id = :id GROUP BY revision, fetched_at
)
ORDER BY revision, fetched_at
"""
_UNREAD = """
SELECT feed, start, length FROM records WHERE place IN (
    SELECT max(place) FROM records AS unread
    WHERE kind = :kind
        AND NOT EXISTS (SELECT 1 FROM records WHERE id = unread.id AND kind IN {hiding})
        AND NOT EXISTS (SELECT 1 FROM aliases WHERE alias = unread.id)
    GROUP BY id
)
ORDER BY place
"""
_FAILURES = _UNREAD.format(hiding="('article')")
_TEASERS = _UNREAD.format(hiding="('article', 'failure')")
_ALIASES_AMONG = "SELECT alias, id FROM aliases WHERE alias IN (SELECT value FROM json_each(?))"


class FeedIndex:
    """The records in feeds, which stay open in its context.

    A line that is not a record is left out, and in ``left_out`` with its reason. Raises
    CrawlerError if a feed cannot be read, or holds lines but no record.
    """

    def __init__(self, feeds: Sequence[str]) -> None:
        self.left_out: dict[str, str] = {}
        self.has_aliases = False
        self.paths = [path for feed in feeds for path in _files_of(feed)]
        self._files: list[IO[bytes]] = []
        with ExitStack() as opened:
            self._database = opened.enter_context(temporary_database(_TABLES))
            for path in self.paths:
                self._files.append(opened.enter_context(_open(path)))
            self._fill()
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self._opened.__exit__(*error)

    def articles(self, *, every_revision: bool) -> Iterator[bytes]:
        return self._lines(_REVISIONS if every_revision else _LATEST)

    def revisions(self, article_id: str) -> Iterator[bytes]:
        return self._lines(_REVISIONS_OF, id=article_id)

    def teasers(self) -> Iterator[bytes]:
        return self._lines(_TEASERS, kind="teaser")

    def failures(self) -> Iterator[bytes]:
        return self._lines(_FAILURES, kind="failure")

    def stored_ids(self, ids: set[str]) -> dict[str, str]:
        """Return the aliases among some ids, with the ids of their articles."""
        among = msgspec.json.encode(ids).decode()
        return dict(self._database.execute(_ALIASES_AMONG, (among,)))

    def _lines(self, query: str, **values: str) -> Iterator[bytes]:
        for feed, start, length in self._database.execute(query, values):
            try:
                yield os.pread(self._files[feed].fileno(), length, start)
            except OSError as error:
                raise _unreadable(self.paths[feed], error) from error

    def _fill(self) -> None:
        for feed in range(len(self._files)):
            self._add(feed)
        self._database.execute(_INDEX)
        for place, feed, line, article_id, site in self._database.execute(
            _OTHER_PUBLISHERS
        ).fetchall():
            if _is_address(article_id):
                # The publisher has got another name, such as that of a new publisher file.
                continue
            self.left_out[f"{self.paths[feed]}:{line}"] = (
                f"{site} has another article with the id {article_id}; export each publisher's "
                "feeds on their own"
            )
            self._database.execute("DELETE FROM records WHERE place = ?", (place,))
        self._database.execute(
            "DELETE FROM aliases WHERE alias IN (SELECT id FROM records WHERE kind = 'article')"
        )
        self.has_aliases = bool(
            self._database.execute("SELECT EXISTS (SELECT 1 FROM aliases)").fetchone()[0]
        )

    def _add(self, feed: int) -> None:
        rows: list[tuple[Any, ...]] = []
        start, has_records = 0, False
        path = self.paths[feed]
        try:
            for number, line in enumerate(self._files[feed], start=1):
                content = line.strip()
                if content:
                    try:
                        rows.append(self._row(content, feed, number, start))
                        has_records = True
                    except msgspec.ValidationError as error:
                        self.left_out[f"{path}:{number}"] = f"not a record: {error}"
                    except msgspec.DecodeError as error:
                        self.left_out[f"{path}:{number}"] = f"not JSON: {error}"
                start += len(line)
                if len(rows) >= _BATCH:
                    self._database.executemany(_INSERT, rows)
                    rows.clear()
        except OSError as error:
            raise _unreadable(path, error) from error
        self._database.executemany(_INSERT, rows)
        if start and not has_records:
            raise CrawlerError(
                f"feed: {path} has no record in JSON Lines; takes the feeds that a crawl writes, "
                "such as articles.jsonl, uncompressed"
            )

    def _row(self, content: bytes, feed: int, number: int, start: int) -> tuple[Any, ...]:
        """Return the row of a record, and note the aliases of an article."""
        record = read(content)
        revision = fetched_at = None
        if isinstance(record, Article):
            revision = record.revision
            fetched_at = _seconds(record.fetched_at)
            self._database.executemany(
                "INSERT OR IGNORE INTO aliases VALUES (?, ?)",
                [(alias, record.id) for alias in record.aliases],
            )
        return (
            *(record.kind, record.id, record.site, revision, fetched_at),
            *(feed, number, start, len(content)),
        )


def _seconds(instant: str) -> float:
    """Return an instant in seconds. Raises msgspec.ValidationError if it is in no calendar."""
    try:
        return datetime.fromisoformat(instant).timestamp()
    except (ValueError, OverflowError) as error:
        raise msgspec.ValidationError(f"fetched_at: {error}") from error


def _is_address(article_id: str) -> bool:
    """Return whether an id is a normalised address, which begins with a host."""
    return is_host_name(article_id.replace("?", "/").partition("/")[0])


def _files_of(feed: str) -> list[Path]:
    """Return the files of a feed, or of a folder that holds the feeds of a run."""
    path = Path(feed)
    if not path.is_dir():
        return [path]
    found = [path / name for name in RUN_FEEDS if (path / name).is_file()]
    if not found:
        raise CrawlerError(
            f"feed: the folder {feed} has none of {', '.join(RUN_FEEDS)}; takes feeds, or the "
            "folder of a run, such as output/latest"
        )
    return found


def _open(path: Path) -> IO[bytes]:
    try:
        if path.exists() and not path.is_file():
            raise CrawlerError(f"feed: {path} is not a regular file; save it to one first")
        return path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> CrawlerError:
    return CrawlerError(f"feed: {path} cannot be read ({error.strerror}); give another feed")

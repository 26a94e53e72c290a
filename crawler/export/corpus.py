"""The articles of a job or of feeds, and the links between them, as the exports see them.

Both kinds of corpus are read from disk record by record, as often as an export needs, in memory
that does not grow with the number of articles.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, Self

import msgspec

from crawler.crawl.ledger import history
from crawler.crawl.stored_records import edges_of_article, read, with_resolved_ids
from crawler.export.feed_index import FeedIndex

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection

    from crawler.crawl.edges import Edge
    from crawler.items import Article, Failure, Teaser
    from crawler.warc.archived import Archived

Copies = Mapping[str, tuple[str, ...]]
"""The ids of the near copies of articles, by the article's id."""


class Corpus(Protocol):
    """The articles, teasers and failures of a crawl. Each method reads the corpus anew."""

    has_lives: bool
    """Whether edges have times."""

    job: str | None
    """The job in words, if it is the corpus of one."""

    left_out: dict[str, str]
    """The records that could not be read so far: their places or ids, and the reasons."""

    def lines(self, *, every_revision: bool = False) -> Iterator[bytes]:
        """Yield the latest revision of each article, or all revisions, as the JSON stored."""

    def articles(self, *, every_revision: bool = False) -> Iterator[Article]:
        """Yield the same as records. Fields that an older schema lacks are null."""

    def revisions(self, article_id: str) -> Iterator[Article]:
        """Yield the revisions of an article, oldest first."""

    def archived(self, url: str) -> Archived | None:
        """Return where the page of a URL is in the archive of a job; None if it is not known."""

    def teasers(self) -> Iterator[Teaser]:
        """Yield the latest teaser of each article that is neither stored nor a failure."""

    def failures(self) -> Iterator[Failure]:
        """Yield the latest failure of each article that is not stored."""

    def edges(self) -> Iterator[Edge]:
        """Yield the links between pages, by source, without those of articles left out so far."""


class JobCorpus:
    """The corpus of a job, read through a connection to its ledger.

    For a consistent corpus, the connection has to be a snapshot (``Database.snapshot``).
    """

    has_lives = True

    def __init__(self, connection: Connection, job: str) -> None:
        self.connection = connection
        self.job: str | None = job
        self.left_out: dict[str, str] = {}

    def lines(self, *, every_revision: bool = False) -> Iterator[bytes]:
        return history.corpus(self.connection, every_revision=every_revision, lost=self.left_out)

    def articles(self, *, every_revision: bool = False) -> Iterator[Article]:
        return self._read(self.lines(every_revision=every_revision))

    def revisions(self, article_id: str) -> Iterator[Article]:
        lines = history.corpus(
            self.connection, every_revision=True, lost=self.left_out, article_id=article_id
        )
        return self._read(lines)

    def archived(self, url: str) -> Archived | None:
        return history.archived(self.connection, url)

    def teasers(self) -> Iterator[Teaser]:
        return self._read(history.unread(self.connection, "teaser", self.left_out))

    def failures(self) -> Iterator[Failure]:
        return self._read(history.unread(self.connection, "failure", self.left_out))

    def edges(self) -> Iterator[Edge]:
        damaged: list[str] = []
        for edge in history.edges(self.connection, stored_only=True, damaged=damaged):
            # A link without its article would break the foreign keys of tables.
            if edge.source not in self.left_out:
                yield edge
        self.left_out.update((f"the links of {page_id}", "they are damaged") for page_id in damaged)

    def _read(self, lines: Iterator[bytes]) -> Iterator[Any]:
        for line in lines:
            try:
                yield read(line)
            except msgspec.ValidationError as error:
                # Such as one whose type an item pipeline has changed.
                self.left_out[msgspec.json.decode(line)["id"]] = f"not a record: {error}"


class FeedCorpus:
    """The corpus of JSON Lines feeds, and of folders that hold the feeds of a run.

    The latest revision of each article counts; if it is there several times, the one fetched last
    does. An article hides the teasers and failures with one of its ids, and a failure hides the
    teasers. Raises CrawlerError if a feed cannot be read, or is not JSON Lines.
    """

    has_lives = False
    job: str | None = None

    def __init__(self, feeds: Sequence[str]) -> None:
        self._index = FeedIndex(feeds)
        self.left_out = self._index.left_out
        self.paths = self._index.paths

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self._index.__exit__(*error)

    def lines(self, *, every_revision: bool = False) -> Iterator[bytes]:
        return self._resolved(self._index.articles(every_revision=every_revision))

    def articles(self, *, every_revision: bool = False) -> Iterator[Article]:
        return self._read(self.lines(every_revision=every_revision))

    def revisions(self, article_id: str) -> Iterator[Article]:
        return self._read(self._resolved(self._index.revisions(article_id)))

    def archived(self, url: str) -> Archived | None:
        return None

    def teasers(self) -> Iterator[Teaser]:
        return self._read(self._index.teasers())

    def failures(self) -> Iterator[Failure]:
        return self._read(self._index.failures())

    def edges(self) -> Iterator[Edge]:
        for article in self.articles():
            yield from edges_of_article(article)

    def _resolved(self, lines: Iterator[bytes]) -> Iterator[bytes]:
        if not self._index.has_aliases:
            return lines
        return (with_resolved_ids(line, self._index.stored_ids) for line in lines)

    def _read(self, lines: Iterator[bytes]) -> Iterator[Any]:
        # The index holds only lines that are records.
        return map(read, lines)

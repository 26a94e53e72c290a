"""Reads articles of an archive in a worker process (parser_worker.py), which has no index of it.

A worker leaves an article to the process of the crawl if its captures refer to others, as redirects
and revisit records do, if a record cannot be read, or if reading takes long. That process has the
index, the files open from the start of the run, and a time limit for each page.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from crawler.crawl.archived_articles import ArchiveReader, Reading, Refused, state_of
from crawler.errors import ArchiveError
from crawler.warc.located import LocatedCaptures, LookupNeededError
from crawler.warc.record_reader import RecordReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from crawler.crawl.archived_articles import PageFound
    from crawler.crawl.page_extraction import Extracted, Task
    from crawler.crawl.parser_messages import Setup
    from crawler.crawl.run import Found
    from crawler.extraction.directory import Publishers
    from crawler.warc.captures import Capture
    from crawler.warc.located import LocatedCapture, StoredIn
    from crawler.warc.pages import ArchivedPage


class ArchivedArticle(NamedTuple):
    """An article to be read from its captures.

    ``revision`` is the number of stored revisions. Unless it ``needs_page``, its record is enough.
    """

    article: Found
    revision: int
    captures: list[LocatedCapture]
    needs_page: bool


class TaskReader:
    """Reads articles in a worker; ``extract`` parses their pages."""

    def __init__(
        self, setup: Setup, publishers: Publishers, extract: Callable[[Task], Extracted]
    ) -> None:
        assert setup.archive is not None
        self._extract = extract
        self._reader = ArchiveReader(publishers, self._extracted, setup.archive)
        self._captures = _SoundCaptures(RecordReader(), setup.archive.most_bytes)
        self._seconds = setup.seconds
        self._needs_page = True

    def read(self, task: ArchivedArticle) -> PageFound | Refused | None:
        """Return the page of an article, or why it has none; None to leave it to the crawl."""
        reading = self._reader.begin(task.captures)
        if not isinstance(reading, Reading):
            return None
        self._needs_page = task.needs_page
        self._captures.read_until = time.monotonic() + self._seconds
        state = state_of(task.article, task.revision)
        try:
            found = self._reader.find_at_once(state, reading.candidates, self._captures)
        except (LookupNeededError, _LeaveError):
            return None
        # The process of the crawl logs errors of this program.
        is_bug = isinstance(found, Refused) and found.reason == "internal_error"
        return None if is_bug else found

    async def _extracted(self, task: Task) -> Extracted:
        return self._extract(task._replace(needs_page=self._needs_page))


class _LeaveError(Exception):
    """The article has to be left to the process of the crawl."""


class _SoundCaptures(LocatedCaptures):
    """Raises _LeaveError if a capture cannot be read, or comes after the time ``read_until``."""

    read_until = 0.0

    def read(self, capture: Capture, file: StoredIn) -> ArchivedPage:
        if time.monotonic() > self.read_until:
            raise _LeaveError
        try:
            return super().read(capture, file)
        except ArchiveError as error:
            raise _LeaveError from error

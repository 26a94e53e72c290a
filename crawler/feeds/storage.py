"""Feed storage that writes files completely or not at all.

A feed is written beside its target, synced, and renamed over it when the run closes. A run that is
killed or cannot write leaves the target unchanged, and so does a run with ``-O`` that stores no
article. The records that such a run wrote stay beside the target, in a file ending in ``.part``.

When an incomplete run replaces a complete file, that file is kept beside it, as ``.previous``,
until a complete run replaces the target. So if there is a ``.previous`` that is not the target
itself, the target is incomplete, and ``.previous`` is the last complete file. Each step preserves
this, so a run may be killed at any point.
"""

from __future__ import annotations

import asyncio
import errno
import io
import json
import logging
import os
import shutil
import tempfile
from itertools import count
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from scrapy.extensions.feedexport import FileFeedStorage
from w3lib.url import file_uri_to_path

from crawler.crash import point
from crawler.crawl.run import run_of
from crawler.crawl.summary import Outcome
from crawler.files import is_special, locked, make_folder, mode_for, sync_folder

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.crawler import Crawler
    from scrapy.statscollectors import StatsCollector


logger = logging.getLogger(__name__)
_BUFFER_BYTES = 1 << 16
# The maximum length of a torn last line that may have been cut off before appending a feed.
_LONGEST_TORN = 1 << 20
_LINE_FORMATS = ("jsonlines", "jsonl", "jl")


class _Part(io.FileIO):
    """A feed being written, whose first failed write stops the crawl.

    Pages that cannot be stored must not be fetched. Writing never raises, so that the run's other
    feeds still get their records; the exception is kept in ``error``.
    """

    def __init__(self, descriptor: int, path: str, crawler: Crawler) -> None:
        super().__init__(descriptor, "wb")
        self.path = path
        self.crawler = crawler
        self.error: OSError | None = None

    def write(self, data: Any) -> int:
        if self.error is None:
            try:
                return super().write(data)
            except OSError as error:
                self.fail(error)
        return len(data)

    def fail(self, error: OSError) -> None:
        self.error = error
        logger.error(
            "%s: %s; the run stops, and what was written stays in that file",
            self.path,
            error.strerror,
        )
        engine = self.crawler.engine
        if engine is not None and engine.spider is not None:
            # Not immediately, because a record is still passing through pipelines and other feeds.
            self._stopping = asyncio.ensure_future(
                engine.close_spider_async(reason="feed_write_failed")
            )


class WholeFileStorage(FileFeedStorage):
    """Feed storage for files, which changes each file atomically at the end of the run.

    ``-o`` appends to an existing file, ``-O`` replaces it. Devices, pipes and other special files
    are written as Scrapy does.
    """

    def __init__(
        self, uri: str, crawler: Crawler, *, feed_options: dict[str, Any] | None = None
    ) -> None:
        super().__init__(uri, feed_options=feed_options)
        self.crawler = crawler
        # A symlink is kept; its target is replaced.
        self.target = Path(os.path.realpath(self.path))
        self.overwrite = self.write_mode == "wb"
        options = feed_options or {}
        is_text = not options.get("postprocessing")
        self.is_lines = options.get("format") in _LINE_FORMATS and is_text
        self.has_header = (
            options.get("format") == "csv"
            and is_text
            and options.get("item_export_kwargs", {}).get("include_headers_line", True)
        )
        self.name: str | None = None
        """The name of the run, used for the part file if a later run may have to write it again."""
        self.append_offset: int | None = None
        """The offset in bytes from which a killed run may already have appended this feed."""
        self.has_article: bool | None = None
        """Whether the run's records, in this feed or another, include an article.

        None to decide by the stats of the current run.
        """
        self.aborted = False
        """Whether the run whose feed is being written was killed."""
        self.stored = False
        """Whether the feed is in its place, with everything that was written to it."""
        self._part: _Part | None = None

    @classmethod
    def from_crawler(
        cls, crawler: Crawler, uri: str, *, feed_options: dict[str, Any] | None = None
    ) -> Self:
        return cls(uri, crawler, feed_options=feed_options)

    def open(self, spider: Spider) -> IO[bytes]:
        run = run_of(spider)
        if self.name is None and run is not None and not run.started:
            # scrapy parse, check and shell run a spider without crawling and create no feeds.
            return io.BytesIO()
        if is_special(self.target):
            return super().open(spider)
        make_folder(self.target.parent)
        if self.name is None:
            descriptor, path = tempfile.mkstemp(
                prefix=self.target.name + ".", suffix=".part", dir=self.target.parent
            )
        else:
            path = str(_part_path(self.target, self.name))
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC)
        os.fchmod(descriptor, mode_for(self.target))
        self._part = _Part(descriptor, path, self.crawler)
        return io.BufferedWriter(self._part, _BUFFER_BYTES)

    def store(self, file: IO[bytes]) -> None:
        part = self._part
        if part is None:
            file.close()
            return
        stats = self.crawler.stats
        try:
            file.flush()
            if part.error is None:
                os.fsync(part.fileno())
            file.close()
            if part.error is not None:
                raise part.error
            point("feed part written")
            if self._must_keep_target():
                template = (
                    "{} is unchanged, because this run stored no article; its records are in {}"
                )
                logger.warning("%s", template.format(self.target, part.path))
                line = template.format(display_path(self.path), display_path(part.path))
                append(stats, "feeds/kept", line)
                return
            incomplete = self.aborted or Outcome(stats.get_stats()).is_incomplete
            self._put(part.path, complete=not incomplete)
        except OSError as error:
            message = f"{self.target}: {error.strerror}; what was written is in {part.path}"
            append(stats, "feeds/errors", message)
            raise
        self.stored = True
        append(stats, "feeds/written", display_path(self.path))

    def _must_keep_target(self) -> bool:
        """Return whether the target must not be replaced, because the run stored no article."""
        has_article = self.has_article
        if has_article is None:
            # Only the articles spider distinguishes articles from other items.
            is_crawl = run_of(self.crawler.spider) is not None
            has_article = not is_crawl or Outcome(self.crawler.stats.get_stats()).articles > 0
        return self.overwrite and not has_article and _has_content(self.target)

    def _put(self, part: str, *, complete: bool) -> None:
        """Replace the target with the part, or append the part to it.

        A lock on the folder excludes other runs that write there.
        """
        with locked(self.target.parent):
            if self.overwrite:
                self._replace_target(part, complete=complete)
            else:
                self._add_to_target(part)
            sync_folder(self.target.parent)
            point("feed in its place")

    def _add_to_target(self, part: str) -> None:
        if _has_content(self.target):
            header_size = self._header_size(part)
            if self.append_offset is not None and _holds(
                self.target, Path(part), header_size, self.append_offset
            ):
                Path(part).unlink()
                return
            self._prepend_target(part, header_size)
        self._set_previous_aside()
        Path(part).replace(self.target)

    def _set_previous_aside(self) -> None:
        """Add a number to the name of ``.previous``.

        After an append to the target, ``.previous`` no longer covers all of it, so the next
        incomplete run has to keep the target too.
        """
        previous = _previous_of(self.target)
        if previous.exists():
            numbered = (previous.with_name(f"{previous.name}.{number}") for number in count(1))
            free_name = next(name for name in numbered if not name.exists())
            previous.rename(free_name)
            sync_folder(previous.parent)
            logger.warning(
                "%s was renamed to %s, because %s was appended to", previous, free_name, self.target
            )

    def _replace_target(self, part: str, *, complete: bool) -> None:
        """Replace the target, but keep the last complete file.

        It may be the only copy of a site that has gone offline.
        """
        previous = _previous_of(self.target)
        if complete and previous.exists():
            # Until the target is replaced, this is the last complete file.
            _link(Path(part), previous)
        elif not complete and _has_content(self.target) and not previous.exists():
            _link(self.target, previous)
        point("feed kept")
        Path(part).replace(self.target)
        point("feed replaced")
        if complete:
            sync_folder(self.target.parent)
            previous.unlink(missing_ok=True)
        elif previous.exists():
            logger.warning(
                "%s was replaced by an incomplete run; the file from before the first such run "
                "is %s",
                self.target,
                previous,
            )

    def _prepend_target(self, part: str, skipped: int) -> None:
        """Prepend the target to the part, so that a single rename appends to the target.

        The first ``skipped`` bytes of the part are dropped.
        """
        joined = Path(part).with_suffix(".joined.part")
        with joined.open("wb") as whole:
            with self.target.open("rb") as source:
                shutil.copyfileobj(source, whole)
            if self.is_lines:
                self._mend_last_line(whole)
            with Path(part).open("rb") as source:
                source.seek(skipped)
                shutil.copyfileobj(source, whole)
            whole.flush()
            os.fchmod(whole.fileno(), mode_for(self.target))
            os.fsync(whole.fileno())
        joined.replace(part)
        point("feed parts joined")

    def _header_size(self, part: str) -> int:
        """Return the size in bytes of a CSV part's header, which the target already has.

        Raises OSError if the target has different columns.
        """
        if not self.has_header:
            return 0
        with self.target.open("rb") as target, Path(part).open("rb") as part_file:
            header = part_file.readline()
            if target.readline() != header:
                raise OSError(
                    errno.EINVAL,
                    "it has different columns; name another file, or choose the same columns with "
                    "FEED_EXPORT_FIELDS",
                )
        return len(header)

    def _mend_last_line(self, whole: IO[bytes]) -> None:
        """Terminate the last line of the file being appended to.

        A torn line, which would also corrupt the next record, is moved to a file of its own.
        """
        line = _last_line(self.target)
        if not line:
            return
        try:
            json.loads(line)
            whole.write(b"\n")
        except ValueError:
            whole.seek(-len(line), os.SEEK_CUR)
            whole.truncate()
            torn = self.target.with_name(self.target.name + ".torn")
            with torn.open("ab") as torn_file:
                torn_file.write(line + b"\n")
                torn_file.flush()
                os.fsync(torn_file.fileno())
            sync_folder(torn.parent)
            logger.warning("%s ended in a torn line, which is now in %s", self.target, torn)


def append(stats: StatsCollector, name: str, text: str) -> None:
    """Append a line to a list in the stats."""
    stats.set_value(name, [*stats.get_value(name, []), text])


def _previous_of(target: Path) -> Path:
    return target.with_name(target.name + ".previous")


def _part_path(target: Path, name: str) -> Path:
    return target.with_name(f"{target.name}.{name}.part")


def part_of(uri: str, name: str) -> Path:
    """Return the path of the part that the run with this name writes for a feed."""
    return _part_path(Path(os.path.realpath(path_of(uri))), name)


def path_of(uri: str) -> Path:
    return Path(file_uri_to_path(uri) if uri.startswith("file:") else uri)


def is_file_uri(uri: str) -> bool:
    return uri.startswith("file:") or "://" not in uri


def _link(file: Path, name: Path) -> None:
    """Hard-link a file to another name, replacing any file of that name."""
    new = name.with_name(name.name + ".part")
    new.unlink(missing_ok=True)
    new.hardlink_to(file)
    # Renaming between two links to the same file does nothing.
    if name.exists() and name.samefile(new):
        new.unlink()
    else:
        new.replace(name)
    sync_folder(name.parent)


def display_path(path: Path | str) -> str:
    """Return a path relative to the working directory if it is below it."""
    return os.path.relpath(path) if Path(path).is_relative_to(Path.cwd()) else str(path)


def _has_content(target: Path) -> bool:
    return target.exists() and target.stat().st_size > 0


def _last_line(target: Path) -> bytes:
    """Return the bytes after the last newline of a file."""
    line = b""
    with target.open("rb") as file:
        position = file.seek(0, os.SEEK_END)
        while position > 0 and b"\n" not in line:
            size = min(position, _BUFFER_BYTES)
            position = file.seek(position - size)
            line = file.read(size) + line
    return line[line.rfind(b"\n") + 1 :]


def size_of(uri: str) -> int:
    """Return the size in bytes of a feed's file, or 0 if there is none."""
    path = path_of(uri)
    return path.stat().st_size if path.is_file() else 0


def _holds(target: Path, part: Path, skipped: int, start: int) -> bool:
    """Return whether the target already contains the part, without its first ``skipped`` bytes.

    It has to be one block, which begins at or after ``start``, or before it by at most a torn line.
    """
    if part.stat().st_size <= skipped:
        return True
    with (
        target.open("rb") as whole,
        part.open("rb") as piece,
        mmap(whole.fileno(), 0, access=ACCESS_READ) as target_bytes,
        mmap(piece.fileno(), 0, access=ACCESS_READ) as part_bytes,
    ):
        content = part_bytes[skipped:] if skipped else part_bytes
        return target_bytes.find(content, max(0, start - _LONGEST_TORN)) >= 0

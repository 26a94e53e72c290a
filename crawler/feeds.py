"""Feed files that are whole or absent.

A feed is written beside its target, made durable and renamed over it when the run has closed. A run that is killed, cannot write, or stores
no article leaves the target as it was; what it had written stays beside it, in a file that ends in ``.part``. A run that is incomplete
keeps what it replaces.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import io
import logging
import os
import shutil
import tempfile
from pathlib import Path
from time import monotonic
from typing import IO, TYPE_CHECKING, Any, Self

import msgspec
from scrapy.exporters import JsonLinesItemExporter
from scrapy.extensions.feedexport import FeedExporter, FileFeedStorage

from crawler.items import Article, Failure, Teaser
from crawler.outcome import Outcome

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)
_BUFFER_BYTES = 1 << 16
_FLUSH_SECONDS = 1.0


class _Part(io.FileIO):
    """A feed being written. The first write that fails stops the crawl: what cannot be stored must not be fetched.

    It raises nothing, for the other feeds of the run are to get their records; ``error`` tells at the end.
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
        logger.error("%s: %s; the run stops here. What was written stays in that file", self.path, error.strerror)
        engine = self.crawler.engine
        if engine is not None and engine.spider is not None:
            # Not now: a record is on its way through the pipelines and the other feeds.
            self._stopping = asyncio.ensure_future(engine.close_spider_async(reason="feed_write_failed"))


class WholeFileStorage(FileFeedStorage):
    """Feed storage for files. ``-o`` adds to an existing file, ``-O`` replaces it, both in one step at the end of the run.

    What is no regular file, such as a device or a pipe, is written as Scrapy writes it.
    """

    def __init__(self, uri: str, crawler: Crawler, *, feed_options: dict[str, Any] | None = None) -> None:
        super().__init__(uri, feed_options=feed_options)
        self.crawler = crawler
        # A link stays a link; what it leads to is replaced.
        self.target = Path(os.path.realpath(self.path))
        self.overwrite = self.write_mode == "wb"
        self._part: _Part | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler, uri: str, *, feed_options: dict[str, Any] | None = None) -> Self:
        return cls(uri, crawler, feed_options=feed_options)

    def open(self, spider: Spider) -> IO[bytes]:
        if not getattr(spider, "started", True):
            # scrapy parse, check and shell run a spider without crawling: they leave no feeds.
            return io.BytesIO()
        if _is_special(self.target):
            return super().open(spider)
        self.target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, path = tempfile.mkstemp(prefix=self.target.name + ".", suffix=".part", dir=self.target.parent)
        os.fchmod(descriptor, _mode(self.target))
        self._part = _Part(descriptor, path, self.crawler)
        return io.BufferedWriter(self._part, _BUFFER_BYTES)

    def store(self, file: IO[bytes]) -> None:
        part = self._part
        if part is None:
            file.close()
            return
        outcome = self.crawler.get_extension(Outcome)
        try:
            file.flush()
            if part.error is None:
                os.fsync(part.fileno())
            file.close()
            if part.error is not None:
                raise part.error
            if self.overwrite and outcome and outcome.stored_nothing and _has_content(self.target):
                logger.warning("%s is left as it was: this run stored no article. Its records are in %s", self.target, part.path)
                return
            self._put(part.path, keep_previous=outcome is not None and outcome.incomplete)
        except OSError as error:
            if outcome:
                outcome.feed_errors.append(f"{self.target}: {error.strerror}; what was written is in {part.path}")
            raise
        if outcome:
            outcome.feeds.append(self.path)

    def _put(self, part: str, *, keep_previous: bool) -> None:
        """Put the part in the target's place, alone of all runs that write into this folder."""
        folder = os.open(self.target.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            if _has_content(self.target):
                if not self.overwrite:
                    self._prepend_target(part)
                elif keep_previous:
                    self._keep_previous()
            Path(part).replace(self.target)
            _sync(folder)
        finally:
            os.close(folder)

    def _keep_previous(self) -> None:
        """Keep what an incomplete run is about to replace: it may be all that there is of a site that has died since."""
        previous = self.target.with_name(self.target.name + ".previous")
        previous.unlink(missing_ok=True)
        previous.hardlink_to(self.target)
        logger.warning("%s is replaced by an incomplete run; what it held is in %s", self.target, previous)

    def _prepend_target(self, part: str) -> None:
        """Make of the part the target and the part, so that one rename adds to the target."""
        descriptor, joined = tempfile.mkstemp(prefix=self.target.name + ".", suffix=".part", dir=self.target.parent)
        with open(descriptor, "wb") as whole:
            for name in (self.target, Path(part)):
                with name.open("rb") as source:
                    shutil.copyfileobj(source, whole)
            whole.flush()
            os.fsync(whole.fileno())
            os.fchmod(whole.fileno(), _mode(self.target))
        Path(joined).replace(part)


class WatchedFeedExporter(FeedExporter):
    """Scrapy's feed exporter, whose errors no longer pass for success: each is told to the run's outcome."""

    def open_spider(self, spider: Spider) -> None:
        try:
            super().open_spider(spider)
        except Exception as error:
            self._tell(error)
            raise

    def item_scraped(self, item: Any, spider: Spider) -> None:
        try:
            super().item_scraped(item, spider)
        except Exception as error:
            self._tell(error)
            raise

    def _tell(self, error: Exception) -> None:
        outcome = self.crawler.get_extension(Outcome)
        words = f"a record could not be written to a feed ({type(error).__name__}: {error})"
        if outcome and words not in outcome.feed_errors:
            outcome.feed_errors.append(words)


def uri_params(params: dict[str, Any], spider: Spider) -> dict[str, Any]:
    """The time in the names of a run's feeds: one for all of them, and fine enough that no two runs share it."""
    began = getattr(spider, "began", None)
    return {**params, "time": began.isoformat().replace(":", "-")} if began else params


def check_writable(target: Path) -> None:
    """OSError if no file can be put at ``target``."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    if _is_special(target):
        return
    if target.exists():
        # What is added to is read first.
        target.open("rb").close()
    with tempfile.TemporaryFile(prefix=target.name + ".", dir=target.parent) as probe:
        probe.write(b"\n")
        probe.flush()


def _is_special(target: Path) -> bool:
    return target.exists() and not target.is_file()


def _has_content(target: Path) -> bool:
    return target.exists() and target.stat().st_size > 0


def _mode(target: Path) -> int:
    """The permissions of the target, or those of a new file."""
    if target.exists():
        return target.stat().st_mode & 0o777
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def _sync(folder: int) -> None:
    """Make a rename durable; a system that cannot sync a folder has it durable already or never."""
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise


class RecordLinesExporter(JsonLinesItemExporter):
    """JSON Lines of the project's own records, many times faster than Scrapy's; of anything else as Scrapy writes it.

    What a killed run leaves behind is whole up to the last second.
    """

    _flushed = 0.0

    def export_item(self, item: Any) -> None:
        if isinstance(item, (Article, Teaser, Failure)) and not self.fields_to_export and not self.indent:
            self.file.write(msgspec.json.encode(item) + b"\n")
            if monotonic() - self._flushed > _FLUSH_SECONDS:
                self.file.flush()
                self._flushed = monotonic()
        else:
            super().export_item(item)

"""Lists the captures of an archive file, or of an index, on an executor."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from crawler.errors import CrawlerError
from crawler.spark.captures import SCHEMA, to_columns
from crawler.spark.folders import Folder, unique_name
from crawler.spark.options import publishers_of
from crawler.warc.archive import ArchiveFile
from crawler.warc.foreign_index import ForeignIndex
from crawler.warc.located import StoredIn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.spark.options import Options
    from crawler.warc.captures import Capture


class InputFile(NamedTuple):
    """A file to read: its address, its size in bytes, and when it was modified (ISO 8601)."""

    address: str
    size: int
    modified: str | None
    is_index: bool


class Walked(NamedTuple):
    """The result of listing a file: the Parquet file with its captures, and what is not read.

    ``table`` is None if it has none. ``without_article`` captures are of no article, judging by
    their addresses. ``unreadable`` says why the file could not be read, or an index not to its
    end; a later run lists it again.
    """

    file: InputFile
    table: str | None
    captures: int
    without_article: int
    faults: tuple[str, ...]
    unreadable: str | None = None


def _read_index(options: Options, folder: str, file: InputFile) -> Walked:
    """List the captures in an index, whose archive files are not walked."""
    # By default, the archive files are beside the index.
    prefix = options.prefix or file.address[: file.address.rfind("/") + 1]
    index = ForeignIndex(file.address, prefix, options.domains)
    unreadable: str | None = None

    def rows() -> Iterator[tuple[Capture, StoredIn]]:
        nonlocal unreadable
        try:
            for capture, location in index:
                yield capture, StoredIn(location, "warc")
        except CrawlerError as error:
            unreadable = str(error)

    walked = _store(options, folder, file, rows())
    more = index.faulty - len(index.faults)
    faults = (*index.faults, *([f"and {more:,} more lines"] if more else []))
    return walked._replace(faults=faults, unreadable=unreadable)


def walk(options: Options, folder: str, file: InputFile) -> Walked:
    """List the captures of a file in a Parquet file of a folder in the output."""
    if file.is_index:
        return _read_index(options, folder, file)
    try:
        archive = ArchiveFile(file.address, size=file.size, keeps_index=False)
    except CrawlerError as error:
        return Walked(file, None, 0, 0, (), str(error))
    try:
        rows = (
            (capture, StoredIn(archive.location(capture), archive.source))
            for capture in archive.index
        )
        walked = _store(options, folder, file, rows)
        faults = (*archive.index.faults, *archive.unread)
    finally:
        archive.close()
    return walked._replace(faults=faults)


def _store(
    options: Options, folder: str, file: InputFile, rows: Iterator[tuple[Capture, StoredIn]]
) -> Walked:
    """Write the captures of a file to a Parquet file in a folder of the output."""
    publishers = publishers_of(options)
    without_article = 0
    with Folder(options.output).parquet(unique_name(folder), SCHEMA) as table:
        for capture, stored in rows:
            article_id = publishers.id_of(capture.url)
            without_article += article_id is None
            table.add(to_columns(article_id, capture, stored))
    return Walked(file, table.name if table.count else None, table.count, without_article, ())

"""The options of the job, as its tasks on the executors see them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from crawler.crawl.archived_articles import ArchiveOptions, ArchiveReader
from crawler.crawl.scope import SAME
from crawler.crawl.timed_extraction import TimedExtractor
from crawler.extraction.directory import Choice, Publishers

if TYPE_CHECKING:
    from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to read, and how; ``output`` is the address of a folder.

    ``indexes`` are read instead of the archive files that they index, which are in the folder
    ``prefix``; only captures of ``domains`` count, if there are any. ``at``, ``site``,
    ``publishers`` and ``hosts`` are those of a crawl.
    """

    inputs: tuple[str, ...]
    output: str
    at: date | None = None
    site: str | None = None
    publishers: str | None = None
    hosts: tuple[str, ...] | str = SAME
    indexes: tuple[str, ...] = ()
    prefix: str = ""
    domains: tuple[str, ...] = ()
    read_timeout: float = 10.0
    most_bytes: int = 16 << 20
    most_redirects: int = 5

    @property
    def name(self) -> str:
        """The name of the archive in messages."""
        return ",".join(self.inputs or self.indexes)


@cache
def publishers_of(options: Options) -> Publishers:
    return Publishers(Choice(site=options.site, folder=options.publishers))


@cache
def reader_of(options: Options) -> ArchiveReader:
    """Return the reader of a process, which reads one page after the other."""
    publishers = publishers_of(options)
    return ArchiveReader(
        publishers,
        TimedExtractor(publishers, options.read_timeout),
        ArchiveOptions(
            options.name, options.hosts, options.at, options.most_bytes, options.most_redirects
        ),
    )

"""Read an index of archive files that are elsewhere, so that the files need not be walked.

Takes a CDXJ index, also compressed with gzip, or a file of Common Crawl's columnar index (Parquet:
commoncrawl.org/columnar-index), local or remote. Yields captures with the locations of their files,
so that each page costs one read of exactly its record. Lines and rows that are no captures are
reported by their numbers. Raises ArchiveError if an index cannot be read.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from crawler.errors import ArchiveError, CrawlerError
from crawler.warc.captures import Capture, key_of, timestamp_of, web_url
from crawler.warc.index import LINE_ERRORS, capture_of_line
from crawler.warc.index_lines import INDEX_ERRORS, lines_of
from crawler.warc.names import ARCHIVE_NAME
from crawler.warc.stored_bytes import (
    ARROW_ERRORS,
    Address,
    StoredStream,
    Window,
    buffered,
    display_name,
    open_stored,
    package,
)
from crawler.warc.stored_file import Location

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crawler.warc.stored_bytes import StoredBytes

_PARQUET = b"PAR1"
_COLUMNS = (
    "url",
    "fetch_time",
    "fetch_status",
    "content_mime_type",
    "content_digest",
    "warc_filename",
    "warc_record_offset",
    "warc_record_length",
)
_DOMAIN_COLUMN = "url_host_registered_domain"
_ROWS_AT_ONCE = 1 << 14
# How many bytes of a column are read at a time.
_COLUMN_BYTES = 1 << 22
_NAMED_FAULTS = 20
_CODINGS: dict[str, Literal["", "gzip", "zstd"]] = {"": "", ".gz": "gzip", ".zst": "zstd"}


class ForeignIndex:
    """The captures in one index file.

    ``faults`` names the first lines or rows that are no captures, and ``faulty`` counts them all,
    as far as the index has been read.
    """

    def __init__(self, address: Address, prefix: str = "", domains: Iterable[str] = ()) -> None:
        """Take the index at an address.

        ``prefix`` comes before the names of archive files in the index, to make their addresses:
        ``s3://commoncrawl/`` or ``https://data.commoncrawl.org/`` for Common Crawl. If there are
        ``domains``, each a registrable domain or a host in one, only captures of their hosts and of
        hosts below them are listed.
        """
        self._address, self._prefix = address, prefix
        self._name = display_name(address)
        self._domains = tuple(domain.lower().strip(".") for domain in domains)
        self._locations: dict[str, Location] = {}
        self.faults: list[str] = []
        self.faulty = 0

    def __iter__(self) -> Iterator[tuple[Capture, Location]]:
        """Yield the captures and their locations, in the order of the index."""
        stored = open_stored(self._address)
        with closing(stored):
            is_parquet = stored.read(0, min(len(_PARQUET), stored.size)) == _PARQUET
            captures = self._in_rows(stored) if is_parquet else self._in_lines(stored)
            for place, capture in captures:
                if isinstance(capture, Capture) and not self._is_wanted(capture.url):
                    continue
                fault = capture if isinstance(capture, str) else _fault_of(capture)
                if isinstance(capture, Capture) and fault is None:
                    yield self._located(capture)
                    continue
                self.faulty += 1
                if len(self.faults) < _NAMED_FAULTS:
                    self.faults.append(f"{self._name}, {place}: {fault}")

    def _is_wanted(self, url: str) -> bool:
        if not self._domains:
            return True
        try:
            host = urlsplit(url).hostname or ""
        except ValueError:
            return False
        return any(host == domain or host.endswith(f".{domain}") for domain in self._domains)

    def _located(self, capture: Capture) -> tuple[Capture, Location]:
        location = self._locations.get(capture.file)
        if location is None:
            address = self._prefix + capture.file
            match = ARCHIVE_NAME.search(capture.file)
            coding = _CODINGS.get(((match and match["compression"]) or "").lower(), "")
            location = Location(address, display_name(address), coding=coding, dictionary=None)
            # An index is sorted by URL, so the files recur in any order, but they are not many.
            self._locations[capture.file] = location
        return replace(capture, file=capture.file.rpartition("/")[2]), location

    def _in_lines(self, stored: StoredBytes) -> Iterator[tuple[str, Capture | str]]:
        """Yield the number of each line of CDXJ, and its capture or what is wrong with it."""
        try:
            lines = lines_of(buffered(Window(stored)), self._name.rpartition("/")[2])
            for number, line in enumerate(lines, start=1):
                if not line.strip() or line.startswith((b"!", b" ")):
                    continue
                place = f"line {number:,}"
                try:
                    yield place, capture_of_line(line.rstrip(b"\r\n"))
                except LINE_ERRORS as error:
                    yield place, f"it is not CDXJ ({error})"
        except INDEX_ERRORS as error:
            raise ArchiveError(f"the index {self._name} cannot be read ({error})") from error

    def _in_rows(self, stored: StoredBytes) -> Iterator[tuple[str, Capture | str]]:
        """Yield the number of each row of Parquet, and its capture or what is wrong with it.

        If only some domains are wanted, rows of the others are left out as far as the statistics in
        the file tell, and the numbers are of the remaining rows.
        """
        dataset = package("pyarrow.dataset", "pyarrow", self._name)
        arrow = package("pyarrow", "pyarrow", self._name)
        number = 0
        try:
            form = dataset.ParquetFileFormat()
            part = form.make_fragment(arrow.PythonFile(StoredStream(stored), mode="r"))
            names = set(part.physical_schema.names)
            if missing := sorted(set(_COLUMNS) - names):
                raise CrawlerError(
                    f"the index {self._name} has no column {missing[0]}; takes Parquet files of "
                    "Common Crawl's columnar index",
                    exit_code=1,
                )
            batches = part.to_batches(
                columns=list(_COLUMNS),
                filter=self._row_filter(dataset) if _DOMAIN_COLUMN in names else None,
                batch_size=_ROWS_AT_ONCE,
                batch_readahead=1,
                fragment_readahead=1,
                fragment_scan_options=dataset.ParquetFragmentScanOptions(
                    use_buffered_stream=True, buffer_size=_COLUMN_BYTES, pre_buffer=False
                ),
                use_threads=False,
            )
            for batch in batches:
                for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    number += 1
                    yield f"row {number:,}", _capture_of_row(row)
        except ARROW_ERRORS as error:
            if isinstance(error, CrawlerError):
                raise
            raise ArchiveError(
                f"the index {self._name} cannot be read ({' '.join(str(error).split())})"
            ) from error

    def _row_filter(self, dataset: Any) -> Any:
        if not self._domains:
            return None
        # The registrable domain of a host in a domain is that domain or one of its parents.
        parents = {
            domain.split(".", count)[-1]
            for domain in self._domains
            for count in range(domain.count(".") + 1)
        }
        return dataset.field(_DOMAIN_COLUMN).isin(sorted(parents))


def _capture_of_row(row: tuple[Any, ...]) -> Capture | str:
    url, time, status, media_type, digest, file, offset, length = row
    if not url or time is None or not file or offset is None:
        return "it has no URL, time, file or offset"
    moment = time if time.tzinfo else time.replace(tzinfo=UTC)
    return Capture(
        url=web_url(url),
        timestamp=timestamp_of(moment.astimezone(UTC)),
        status=status or None,
        media_type=media_type or "",
        digest=digest or "",
        file=file,
        offset=offset,
        length=length or 0,
    )


def _fault_of(capture: Capture) -> str | None:
    """Return what is wrong with a capture in an index; None if it can be read."""
    if key_of(capture.url) is None:
        return f"{capture.url!r} is not an address on the web"
    if not ARCHIVE_NAME.search(capture.file):
        return f"{capture.file!r} is not a WARC or ARC file"
    if capture.offset < 0 or capture.length < 0:
        return "its offset or length is negative"
    return None

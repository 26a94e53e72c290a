"""Look up and read archived pages by URL in one or more WARC, ARC or WACZ files.

Takes a path, folder or glob pattern; returns captures and ``ArchivedPage`` objects. Raises
ArchiveError if a file or page cannot be read.
"""

from __future__ import annotations

import resource
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from crawler.errors import ArchiveError, StorageError
from crawler.warc.archived import RENDERED_BY
from crawler.warc.captures import Capture, key_of
from crawler.warc.file import WarcFile
from crawler.warc.index import Index, open_index
from crawler.warc.index_lines import INDEX_ERRORS, LongLineError, lines_of, stored_lines
from crawler.warc.names import (
    ARCHIVE_NAME,
    READABLE,
    archive_files,
    has_texts_name,
    is_unread,
    other_files,
)
from crawler.warc.pages import Captures, Lookup
from crawler.warc.records import HEAD_BYTES, Record
from crawler.warc.stored_bytes import (
    Address,
    StoredBytes,
    Window,
    buffered,
    display_name,
    exists,
    is_remote,
    open_stored,
    split_query,
)
from crawler.warc.stored_file import Location
from crawler.warc.texts import KNOWN_FIELDS, TextFields, TextsFile

_INDEX_SUFFIXES = (".cdxj", ".cdxj.gz", ".cdx", ".cdx.gz")
_LOCAL_HEADER_BYTES = 30
# Raised by zipfile if a file is damaged or uses an unsupported compression method.
_ZIP_ERRORS = (OSError, EOFError, RuntimeError, ValueError, zlib.error, zipfile.BadZipFile)
# A WACZ file may contain WACZ files, but only to this depth.
_MOST_NESTED = 2
_RENDERED = f"\r\n{RENDERED_BY}: ".encode()


class ArchiveFile:
    """One archive file with its index. ``source`` is its type in the output: warc, wacz or jsonl.

    ``name`` is its address for display. ``unread`` has a message for each file in a WACZ that is
    not read.
    """

    def __init__(
        self,
        address: Address,
        text_fields: tuple[TextFields, ...] = KNOWN_FIELDS,
        *,
        size: int | None = None,
        keeps_index: bool = True,
    ) -> None:
        """Open the file. Raises ArchiveError if it cannot be read or its index does not match.

        Its ``size`` need not be requested if it is known. The index of a remote file, and of any
        unless ``keeps_index``, is not kept for later runs.
        """
        self.address = str(address)
        self.name = display_name(address)
        self.files: dict[str, WarcFile | TextsFile] = {}
        self.unread: list[str] = []
        own_name = self.name.rpartition("/")[2]
        is_wacz = own_name.lower().endswith(".wacz")
        self.source = "wacz" if is_wacz else "jsonl" if has_texts_name(own_name) else "warc"
        lines: Callable[[], Iterator[bytes]] | None = None
        beside: Address | None = None
        self._stored = open_stored(address, size)
        try:
            if self.source == "wacz":
                lines = self._open_wacz()
            elif self.source == "jsonl":
                self.files[own_name] = TextsFile(self._stored, self.name, text_fields)
            else:
                self.files[own_name] = WarcFile(self._stored, self.name)
                beside = _index_beside(address)
                if beside:
                    lines = lambda: _lines_of(beside)  # noqa: E731
            if lines is not None and any(
                isinstance(file, WarcFile) and _RENDERED in file.block(0, HEAD_BYTES).data
                for file in self.files.values()
            ):
                # Other tools index only the responses, not the pages as rendered by a browser.
                lines = beside = None
            keeps_index = keeps_index and not is_remote(address)
            self.index: Index = open_index(
                address, self.files, beside, lines, keeps_index=keeps_index
            )
            # Thousands of archive files may be open.
            for file in self.files.values():
                file.free()
        except BaseException:
            self._close_files()
            raise

    def _open_wacz(self) -> Callable[[], Iterator[bytes]] | None:
        """Find the WARC files in a WACZ; return a reader for its index, if it has one."""
        try:
            with zipfile.ZipFile(buffered(Window(self._stored))) as wacz:
                entries = wacz.infolist()
                nested = self._open_entries(wacz, entries, 0, "", 0)
        except _ZIP_ERRORS as error:
            if isinstance(error, ArchiveError):
                raise
            raise ArchiveError(
                f"{self.name}: it is not a WACZ, or it is cut off ({error})"
            ) from error
        if not self.files:
            raise ArchiveError(
                f"{self.name}: it contains no WARC file (archive/*.warc.gz); takes a WACZ file"
            )
        indexes = [
            entry.filename
            for entry in entries
            if entry.filename.startswith("indexes/") and entry.filename.endswith(_INDEX_SUFFIXES)
        ]
        return self._lines_in(indexes) if indexes and not nested else None

    def _lines_in(self, indexes: list[str]) -> Callable[[], Iterator[bytes]]:
        """Return a reader of the lines of these indexes in a WACZ."""

        def lines() -> Iterator[bytes]:
            try:
                with zipfile.ZipFile(buffered(Window(self._stored))) as wacz:
                    for name in indexes:
                        with wacz.open(name) as file:
                            yield from lines_of(file, name)
            except (*_ZIP_ERRORS, LongLineError) as error:
                if isinstance(error, StorageError):
                    raise
                raise ArchiveError(f"the index in {self.name} cannot be read ({error})") from error

        return lines

    def _open_entries(
        self,
        wacz: zipfile.ZipFile,
        entries: list[zipfile.ZipInfo],
        start: int,
        within: str,
        depth: int,
    ) -> bool:
        """Open the WARC files in the WACZ at byte ``start``, and in any WACZ nested in it.

        ``within`` is the path to this WACZ if it is nested itself, else empty. Return whether other
        WACZ files are nested in this one.
        """
        nested = False
        for entry in entries:
            name = entry.filename
            is_wacz = name.lower().endswith(".wacz")
            is_warc = name.startswith("archive/") and ARCHIVE_NAME.search(name)
            if not is_wacz and not is_warc:
                if name.startswith("archive/") and is_unread(Path(name)):
                    self.unread.append(f"{self.name}, {within}{name}: it is not read; unpack it")
                continue
            if entry.compress_type != zipfile.ZIP_STORED:
                raise ArchiveError(
                    f"{self.name}: {within}{name} is compressed inside the WACZ, so its pages "
                    "cannot be located; unpack it first"
                )
            begin = start + _data_offset(self._stored, entry, start)
            if not is_wacz:
                self._add(within, name, begin, entry.file_size)
                continue
            nested = True
            if depth >= _MOST_NESTED:
                raise ArchiveError(
                    f"{self.name}: {within}{name} is nested too deeply; unpack it first"
                )
            with wacz.open(entry) as file, zipfile.ZipFile(file) as inner:
                self._open_entries(inner, inner.infolist(), begin, f"{within}{name}, ", depth + 1)
        return nested

    def _add(self, within: str, name: str, start: int, size: int) -> None:
        # Indexes refer to files by name; indexes in nested WACZ files are not used.
        key = f"{within}{name}".replace("/", ":") if within else Path(name).name
        if key in self.files:
            raise ArchiveError(
                f"{self.name}: it contains two files named {key}; unpack it and give both folders"
            )
        self.files[key] = WarcFile(self._stored, f"{self.name}, {within}{name}", start, size)

    def place(self, capture: Capture) -> str:
        """Return the location of a capture, for display."""
        return self.files[capture.file].place(capture.offset)

    def location(self, capture: Capture) -> Location:
        """Return the location of a capture's file, with which a ``RecordReader`` reads it."""
        return self.files[capture.file].location

    def close(self) -> None:
        self.index.close()
        self._close_files()

    def _close_files(self) -> None:
        self._stored.close()
        for file in self.files.values():
            file.close()


FoundCapture = tuple[Capture, ArchiveFile]


class Place(NamedTuple):
    """The place of a capture in the indexes of an archive.

    They are the number of its file, and the byte in that file's index at which its line begins.
    """

    file: int
    line: int


class Archive(Captures[ArchiveFile]):
    """All archive files of one source."""

    def __init__(
        self, path: str, most: int, text_fields: tuple[TextFields, ...] = KNOWN_FIELDS
    ) -> None:
        """Open the files; pages are limited to ``most`` bytes.

        ``text_fields`` are those to read of texts in JSON Lines.
        Raises ArchiveError if a file cannot be read or none contains a page.
        """
        self.path = path
        self._most_bytes = most
        self._unread_files, self.others = other_files(path)
        _allow_many_files()
        self._files = [ArchiveFile(file, text_fields) for file in archive_files(path)]
        if not self._files:
            raise ArchiveError(f"{path}: no archive file found; takes {READABLE}")
        if not any(file.index.captures for file in self._files):
            # One of several files may hold no page: wget writes such files.
            reason = f" ({self.faults[0]})" if self.faults else ""
            raise ArchiveError(
                f"{path}: it contains no pages{reason}; takes {READABLE} with captures of web pages"
            )

    @property
    def source(self) -> str:
        """The type of the source in the output: wacz, jsonl or warc."""
        kinds = {file.source for file in self._files}
        return kinds.pop() if len(kinds) == 1 else "warc"

    @property
    def faults(self) -> list[str]:
        """Messages about the files and records that were not read, so pages may be missing."""
        unread = [
            f"{file}: the archives in this folder are not read; give the folder as another source"
            if file.is_dir()
            else f"{file}: it is not read; takes {READABLE}"
            for file in self._unread_files
        ]
        faults = (fault for file in self._files for fault in (*file.index.faults, *file.unread))
        return [*faults, *unread]

    def find(self, *lookups: Lookup) -> list[FoundCapture]:
        found: list[FoundCapture] = []
        for lookup in lookups:
            found += ((one, file) for file in self._files for one in _in_index(file.index, lookup))
        return found

    def captures_below(self, url: str) -> list[FoundCapture]:
        """Return the captures of a URL, and of all URLs that start with it."""
        key = key_of(url)
        return [
            (capture, file)
            for file in (self._files if key else ())
            for capture in file.index.of(key or "", and_longer=True)
        ]

    def all_captures(self) -> Iterator[tuple[Place, Capture]]:
        """Yield all captures, each with its place, for ``at``."""
        for number, file in enumerate(self._files):
            for place, capture in file.index.places():
                yield Place(number, place), capture

    def at(self, place: Place) -> FoundCapture:
        """Return the capture at a place, with the file that stores it."""
        file = self._files[place.file]
        return file.index.at(place.line), file

    def record(self, capture: Capture, file: ArchiveFile) -> Record:
        return file.files[capture.file].read(capture.offset, self._most_bytes, capture.length)

    def place(self, capture: Capture, file: ArchiveFile) -> str:
        return file.place(capture)

    def close(self) -> None:
        for file in self._files:
            file.close()


def _in_index(index: Index, lookup: Lookup) -> Iterable[Capture]:
    if lookup.kind == "url":
        return index.of(lookup.value)
    return (
        index.of_digest(lookup.value) if lookup.kind == "digest" else index.of_record(lookup.value)
    )


def _allow_many_files() -> None:
    """Raise the limit on open files: each archive file and its index stay open."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _index_beside(address: Address) -> Address | None:
    """Return the address of the index beside an archive file, if there is one."""
    path, query = split_query(address)
    match = ARCHIVE_NAME.search(path)
    stem = path[: match.start()] if match else path
    names = (base + suffix for base in (path, stem) for suffix in (".cdxj", ".cdxj.gz"))
    return next((name + query for name in names if exists(name + query)), None)


def _lines_of(address: Address) -> Iterator[bytes]:
    try:
        yield from stored_lines(address)
    except INDEX_ERRORS as error:
        raise ArchiveError(
            f"the index {display_name(address)} cannot be read ({error}); recreate it, or delete "
            "it to have it recreated"
        ) from error


def _data_offset(stored: StoredBytes, entry: zipfile.ZipInfo, start: int) -> int:
    """Return the offset of a ZIP entry's data, after its local header (APPNOTE 4.3.7).

    The central directory does not contain the length of that header.
    """
    begin = start + entry.header_offset
    is_inside = 0 <= begin <= stored.size - _LOCAL_HEADER_BYTES
    header = stored.read(begin, _LOCAL_HEADER_BYTES) if is_inside else b""
    if not header.startswith(b"PK\x03\x04"):
        raise ArchiveError(
            f"{display_name(stored.address)}: {entry.filename} is not where the ZIP directory "
            "says; the file is damaged"
        )
    return (
        entry.header_offset
        + _LOCAL_HEADER_BYTES
        + int.from_bytes(header[26:28], "little")
        + int.from_bytes(header[28:30], "little")
    )

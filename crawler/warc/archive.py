"""An archive: one or more WARC or WACZ files, asked for the page that a URL had."""

from __future__ import annotations

import gzip
import resource
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from glob import glob
from pathlib import Path
from typing import IO

from crawler.errors import ArchiveError
from crawler.files import readable
from crawler.warc.archived import RENDERED_BY
from crawler.warc.captures import CONVERSION, REVISIT, Capture, key_of, timestamp_of
from crawler.warc.index import Index, open_index
from crawler.warc.records import HEAD_BYTES, Record, WarcFile, has_digest

WARC_SUFFIXES = (".warc", ".warc.gz")
_SUFFIXES = (*WARC_SUFFIXES, ".wacz")
_INDEX_SUFFIXES = (".cdxj", ".cdxj.gz", ".cdx", ".cdx.gz")
_LOCAL_HEADER_BYTES = 30
# What zipfile raises of a file that is damaged, or packed in a way that it does not know.
_ZIP_ERRORS = (OSError, EOFError, RuntimeError, ValueError, zlib.error, zipfile.BadZipFile)
_NOT_MODIFIED = "server-not-modified"
_RENDERED = f"\r\n{RENDERED_BY}: ".encode()


@dataclass(frozen=True, slots=True)
class ArchivedPage:
    """What an archive holds of a URL: the answer as it was, with its content coding, when it was captured, and where it lies."""

    url: str
    status: int | None
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    captured_at: datetime
    where: str


def is_archive(path: str) -> bool:
    """Whether a path, folder or glob pattern is of web archives, and not of saved pages."""
    return bool(archive_files(path))


def archive_files(path: str) -> list[Path]:
    """The archive files that a path, the folder that they lie in, or a glob pattern stands for, in order."""
    place = Path(path)
    try:
        if place.is_dir():
            found = list(place.iterdir())
        elif place.exists():
            found = [place]
        else:
            found = [Path(name) for name in glob(path)]  # noqa: PTH207
        return sorted(
            file for file in found if file.name.lower().endswith(_SUFFIXES) and file.is_file()
        )
    except (OSError, ValueError):
        # Whatever cannot be listed is no archive; who asks for it is told as of any other path.
        return []


class ArchiveFile:
    """One WARC or WACZ file with its index. ``source`` is what records call it: warc or wacz."""

    def __init__(self, path: Path) -> None:
        """ArchiveError if it cannot be read, or its index is of another file."""
        self.path = path
        self.files: dict[str, WarcFile] = {}
        self.source = "wacz" if path.name.lower().endswith(".wacz") else "warc"
        lines: Callable[[], Iterator[bytes]] | None = None
        if self.source == "wacz":
            lines = self._open_wacz()
            beside = None
        else:
            self.files[readable(path.name)] = WarcFile(path, readable(path))
            beside = _index_beside(path)
            if beside:
                lines = lambda: _lines_of(beside)  # noqa: E731
        if lines is not None and any(
            _RENDERED in file.block(0, HEAD_BYTES).data for file in self.files.values()
        ):
            # What others index is what was answered, and not what a browser made of it.
            lines = beside = None
        self.index: Index = open_index(path, self.files, beside, lines)

    def _open_wacz(self) -> Callable[[], Iterator[bytes]] | None:
        """Find the WARC files of a WACZ, and its own index, if it has one."""
        try:
            with zipfile.ZipFile(self.path) as packed:
                entries = packed.infolist()
        except _ZIP_ERRORS as error:
            raise ArchiveError(f"{self.path}: it is no WACZ, or it is cut off ({error})") from error
        for entry in entries:
            if not entry.filename.startswith("archive/") or not entry.filename.lower().endswith(
                WARC_SUFFIXES
            ):
                continue
            if entry.compress_type != zipfile.ZIP_STORED:
                raise ArchiveError(
                    f"{self.path}: {entry.filename} is compressed in it, so that no page of it can be found; unpack it first"
                )
            start = _begin_of(self.path, entry)
            name = Path(entry.filename).name
            if name in self.files:
                raise ArchiveError(
                    f"{self.path}: two files in it are named {name}; unpack it, and give the folders of both"
                )
            self.files[name] = WarcFile(
                self.path, f"{self.path}, {entry.filename}", start, entry.file_size
            )
        if not self.files:
            raise ArchiveError(
                f"{self.path}: there is no WARC file in it (archive/*.warc.gz); takes a WACZ file"
            )
        indexes = [
            entry.filename
            for entry in entries
            if entry.filename.startswith("indexes/") and entry.filename.endswith(_INDEX_SUFFIXES)
        ]
        return (lambda: _lines_in(self.path, indexes)) if indexes else None

    def place(self, capture: Capture) -> str:
        """Where a capture lies, for people."""
        return self.files[capture.file].place(capture.offset)

    def close(self) -> None:
        self.index.close()
        for file in self.files.values():
            file.close()


class Archive:
    """The archive files of one source, asked together."""

    def __init__(self, path: str, most: int) -> None:
        """Open them all; ``most`` is how many bytes a page may have. ArchiveError if one of them cannot be read."""
        self.path = path
        self._most = most
        _allow_many_files()
        self._files = [ArchiveFile(file) for file in archive_files(path)]
        if not self._files:
            raise ArchiveError(f"{path}: there is no archive file ({', '.join(_SUFFIXES)})")
        if not any(file.index.captures for file in self._files):
            # One of several may hold none: wget writes such files.
            why = f" ({self.faults[0]})" if self.faults else ""
            raise ArchiveError(
                f"{path}: it holds no page{why}; takes WARC or WACZ files with captures of web pages"
            )

    @property
    def source(self) -> str:
        """What records call it."""
        return "wacz" if all(file.source == "wacz" for file in self._files) else "warc"

    @property
    def faults(self) -> list[str]:
        """What of the files cannot be read: pages may be missing."""
        return [fault for file in self._files for fault in file.index.faults]

    def captures(
        self, url: str, *, and_longer: bool = False
    ) -> Iterator[tuple[Capture, ArchiveFile]]:
        """The captures of a URL, and of URLs that begin with it if ``and_longer``."""
        key = key_of(url)
        for file in self._files if key else ():
            for capture in file.index.of(key or "", and_longer=and_longer):
                yield capture, file

    def urls(self) -> Iterator[str]:
        """The URLs of all captures, some more than once."""
        for file in self._files:
            for capture in file.index:
                yield capture.url

    def read(self, capture: Capture, file: ArchiveFile) -> ArchivedPage:
        """Read the page of a capture; of a revisit, the one that it stands for. ArchiveError if it cannot be had whole."""
        record = self._record(capture, file)
        where = file.place(capture)
        content = record
        if record.kind == "revisit":
            content = self._original(record, where)
            if content.status is None or (
                record.status is not None and _NOT_MODIFIED not in record.profile
            ):
                # The answer was another, only what it carried was the same.
                content = Record(
                    "response",
                    content.url,
                    content.date,
                    record.status,
                    record.headers,
                    content.payload,
                )
        return ArchivedPage(
            record.url, content.status, content.headers, content.payload, record.date, where
        )

    def _record(self, capture: Capture, file: ArchiveFile) -> Record:
        warc = file.files[capture.file]
        record = warc.read(capture.offset, self._most)
        if key_of(record.url) != key_of(capture.url):
            raise ArchiveError(
                f"{file.place(capture)}: the index says that {capture.url} is there, and it is {record.url or 'no page'}"
            )
        return record

    def _original(self, revisit: Record, where: str) -> Record:
        """The record whose payload a revisit does not repeat."""
        url, date = revisit.refers_to
        url = url or revisit.url
        found = [
            (capture, file)
            for capture, file in self.captures(url)
            if capture.media_type not in (REVISIT, CONVERSION)
        ]
        if date:
            found = [
                (capture, file)
                for capture, file in found
                if capture.timestamp == timestamp_of(date)
            ]
        # Without a date it is the last one before; what comes later cannot have been meant.
        before = [
            (capture, file)
            for capture, file in found
            if capture.timestamp <= timestamp_of(revisit.date) and capture.is_page
        ]
        for capture, file in sorted(before, key=lambda one: one[0].timestamp, reverse=True):
            record = self._record(capture, file)
            same = (
                not revisit.digest
                or _NOT_MODIFIED in revisit.profile
                or record.digest == revisit.digest
            )
            if record.kind != "revisit" and (
                same or has_digest(record.payload, revisit.digest or "")
            ):
                return record
        when = f" of {date:%Y-%m-%d %H:%M:%S}" if date else ""
        raise ArchiveError(
            f"{where}: it only says that the page is what it was{when} ({url}), and that record is in none of these files"
        )

    def close(self) -> None:
        for file in self._files:
            file.close()


def _allow_many_files() -> None:
    """Each archive file is held open, and its index too; shells allow a process 1024 unless it asks for more."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _index_beside(path: Path) -> Path | None:
    name = path.name
    stem = next(
        name[: -len(suffix)] for suffix in reversed(WARC_SUFFIXES) if name.lower().endswith(suffix)
    )
    candidates = (
        path.with_name(known + suffix) for known in (name, stem) for suffix in (".cdxj", ".cdxj.gz")
    )
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _lines_of(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from _unpacked(file, path.name)
    except (OSError, EOFError, zlib.error) as error:
        raise ArchiveError(
            f"the index {path} cannot be read ({error}); make it anew, or delete it and one is made"
        ) from error


def _lines_in(path: Path, names: list[str]) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(path) as packed:
            for name in names:
                with packed.open(name) as file:
                    yield from _unpacked(file, name)
    except _ZIP_ERRORS as error:
        raise ArchiveError(f"the index in {path} cannot be read ({error})") from error


def _unpacked(file: IO[bytes], name: str) -> Iterator[bytes]:
    if not name.endswith(".gz"):
        yield from file
        return
    with closing(gzip.GzipFile(fileobj=file)) as lines:
        yield from lines


def _begin_of(path: Path, entry: zipfile.ZipInfo) -> int:
    """Where the bytes of a ZIP entry begin: after its local header, whose length the directory does not tell (APPNOTE 4.3.7)."""
    try:
        with path.open("rb") as file:
            file.seek(entry.header_offset)
            header = file.read(_LOCAL_HEADER_BYTES)
    except OSError:
        header = b""
    if len(header) < _LOCAL_HEADER_BYTES or not header.startswith(b"PK\x03\x04"):
        raise ArchiveError(
            f"{path}: {entry.filename} is not where its directory says; the file is damaged"
        )
    return (
        entry.header_offset
        + _LOCAL_HEADER_BYTES
        + int.from_bytes(header[26:28], "little")
        + int.from_bytes(header[28:30], "little")
    )

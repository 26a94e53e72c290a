"""List the archive files at an address: a path, folder or glob pattern, local or remote.

The same files count as in ``names.archive_files``, which lists local ones. Indexes of archives are
listed separately. Raises StorageError if an address cannot be listed, and CrawlerError if it is a
folder or a pattern on a web server, or its kind of address needs a package that is missing.
"""

from __future__ import annotations

import re
from contextlib import closing
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from crawler.errors import CrawlerError
from crawler.files import readable
from crawler.warc.names import (
    archive_files,
    files_at,
    has_archive_name,
    has_index_name,
    has_texts_name,
    has_unread_name,
    other_files,
)
from crawler.warc.stored_bytes import (
    ARROW_ERRORS,
    display_name,
    is_on_the_web,
    is_remote,
    open_stored,
    remote_place,
    unreadable,
)

if TYPE_CHECKING:
    from pyarrow.fs import FileInfo

    from crawler.warc.stored_bytes import RemotePlace

_WILDCARD = re.compile(r"[*?\[]")


class StoredEntry(NamedTuple):
    """A file, its size in bytes, and when it was last modified if that is known."""

    address: str
    size: int
    modified: datetime | None


class Listing(NamedTuple):
    """The archive files at an address, and the names of those that are not read, for display.

    ``unread`` has files in other formats and folders with archives.
    """

    files: list[StoredEntry]
    unread: list[str]


def list_addresses(address: str) -> Listing:
    """List the archive files at a path or URL, folder or glob pattern."""
    if not is_remote(address):
        files = [_local_entry(file) for file in archive_files(address)]
        return Listing(files, [readable(file) for file in other_files(address)[0]])
    if is_on_the_web(address):
        name, entry = display_name(address), _web_entry(address)
        is_read = has_archive_name(name) or has_texts_name(name)
        return Listing([entry], []) if is_read else Listing([], [name])
    place = remote_place(address)
    try:
        return _list_remote(place)
    except ARROW_ERRORS as error:
        raise unreadable(address, error) from error


def list_indexes(address: str) -> list[StoredEntry]:
    """List the indexes at a path or URL, folder or glob pattern: CDXJ or Parquet files.

    In a folder, those count that have the suffix .cdxj, .cdxj.gz or .parquet, or a name of Common
    Crawl's such as cdx-00000.gz.
    """
    if not is_remote(address):
        files = [file for file in files_at(address) if file.is_file()]
        is_any = not Path(address).is_dir()
        return [_local_entry(file) for file in files if is_any or has_index_name(file.name)]
    if is_on_the_web(address):
        return [_web_entry(address)]
    place = remote_place(address)
    try:
        entries, is_folder = _remote_entries(place)
    except ARROW_ERRORS as error:
        raise unreadable(address, error) from error
    return [
        _remote_entry(place, one)
        for one in entries
        if one.is_file and (not is_folder or has_index_name(one.base_name))
    ]


def _local_entry(file: Path) -> StoredEntry:
    status = file.stat()
    return StoredEntry(str(file), status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))


def _web_entry(address: str) -> StoredEntry:
    name = display_name(address)
    if name.endswith("/") or "*" in name:
        raise CrawlerError(f"{name}: web servers do not list their files; give the URL of each")
    with closing(open_stored(address)) as stored:
        return StoredEntry(address, stored.size, stored.modified)


def _remote_entry(place: RemotePlace, found: FileInfo) -> StoredEntry:
    return StoredEntry(place.address_of(found.path), found.size, found.mtime)


def _list_remote(place: RemotePlace) -> Listing:
    entries, is_folder = _remote_entries(place)
    files = [entry for entry in entries if entry.is_file]
    read = [entry for entry in files if has_archive_name(entry.base_name)]
    if not read and not is_folder:
        read = [entry for entry in files if has_texts_name(entry.base_name)]
    others = [entry for entry in entries if entry not in read]
    return Listing(
        [_remote_entry(place, entry) for entry in read],
        [display_name(place.address_of(one.path)) for one in others if _is_unread(place, one)],
    )


def _remote_entries(place: RemotePlace) -> tuple[list[FileInfo], bool]:
    """Return the files and folders at a place, in order, and whether it is a folder."""
    from pyarrow.fs import FileSelector, FileType

    found = place.system.get_file_info(place.path)
    is_folder = found.type == FileType.Directory
    if is_folder:
        entries = place.system.get_file_info(FileSelector(place.path))
    else:
        entries = [found] if found.is_file else _matching(place)
    return sorted(entries, key=lambda entry: entry.path), is_folder


def _is_unread(place: RemotePlace, entry: FileInfo) -> bool:
    """Return whether an entry is a folder of archives or has a format that is not read."""
    from pyarrow.fs import FileSelector

    if entry.is_file:
        return has_unread_name(entry.base_name)
    inside = place.system.get_file_info(FileSelector(entry.path))
    return any(one.is_file and has_archive_name(one.base_name) for one in inside)


def _matching(place: RemotePlace) -> list[FileInfo]:
    """Return the files and folders that match a glob pattern, as local ones would."""
    from pyarrow.fs import FileSelector

    parts = place.path.split("/")
    first = next((n for n, part in enumerate(parts) if _WILDCARD.search(part)), len(parts))
    folders, found = ["/".join(parts[:first])], []
    for part in parts[first:]:
        found = [
            entry
            for folder in folders
            for entry in place.system.get_file_info(FileSelector(folder, allow_not_found=True))
            if fnmatchcase(entry.base_name, part)
            and (part.startswith(".") or not entry.base_name.startswith("."))
        ]
        folders = [entry.path for entry in found if not entry.is_file]
    return found

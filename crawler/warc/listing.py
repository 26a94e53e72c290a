"""List the archive files at an address: a path, folder or glob pattern, local or remote.

The same files count as in ``names.archive_files``, which lists local ones.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from crawler.errors import CrawlerError
from crawler.files import readable
from crawler.warc.names import (
    archive_files,
    has_archive_name,
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
    """An archive file, its size in bytes, and when it was last modified if that is known."""

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
    """List a path, folder or glob pattern, or a URL of one.

    Raises StorageError if it cannot be listed, and CrawlerError if it is a folder or a pattern on a
    web server, or its kind of address needs a package that is missing.
    """
    if not is_remote(address):
        return _list_local(address)
    if is_on_the_web(address):
        return _list_web_file(address)
    place = remote_place(address)
    try:
        return _list_remote(place)
    except ARROW_ERRORS as error:
        if isinstance(error, CrawlerError):
            raise
        raise unreadable(address, error) from error


def _list_local(path: str) -> Listing:
    files = []
    for file in archive_files(path):
        status = file.stat()
        modified = datetime.fromtimestamp(status.st_mtime, UTC)
        files.append(StoredEntry(str(file), status.st_size, modified))
    return Listing(files, [readable(file) for file in other_files(path)[0]])


def _list_web_file(address: str) -> Listing:
    name = display_name(address)
    if name.endswith("/") or "*" in name:
        raise CrawlerError(f"{name}: web servers do not list their files; give the URL of each")
    stored = open_stored(address)
    entry = StoredEntry(address, stored.size, stored.modified)
    stored.close()
    is_read = has_archive_name(name) or has_texts_name(name)
    return Listing([entry], []) if is_read else Listing([], [name])


def _list_remote(place: RemotePlace) -> Listing:
    from pyarrow.fs import FileSelector, FileType

    found = place.system.get_file_info(place.path)
    is_folder = found.type == FileType.Directory
    if is_folder:
        entries = place.system.get_file_info(FileSelector(place.path))
    elif found.type == FileType.File:
        entries = [found]
    else:
        entries = _matching(place)
    entries.sort(key=lambda entry: entry.path)
    files = [entry for entry in entries if entry.is_file]
    read = [entry for entry in files if has_archive_name(entry.base_name)]
    if not read and not is_folder:
        read = [entry for entry in files if has_texts_name(entry.base_name)]
    others = [entry for entry in entries if entry not in read]
    return Listing(
        [StoredEntry(place.address_of(one.path), one.size, one.mtime) for one in read],
        [display_name(place.address_of(one.path)) for one in others if _is_unread(place, one)],
    )


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

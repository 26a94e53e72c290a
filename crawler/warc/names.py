"""Recognise and list web archives by their file names alone."""

import re
from glob import glob
from pathlib import Path

WARC_SUFFIXES = (".warc", ".warc.gz")
"""The suffixes of files that the crawler writes, and of those inside a WACZ."""
READABLE = (
    "WARC, WET or ARC files (.warc, .wet, .arc, also .gz, .zst and .open), WACZ files, "
    "and texts in JSON Lines (.jsonl, .ndjson, .json, also .gz and .zst)"
)
"""The archive files that can be read, for messages."""
ARCHIVE_NAME = re.compile(
    r"\.(?P<format>w?arc|wet)(?P<compression>\.gz|\.zst)?(?P<open>\.open)?$", re.IGNORECASE
)
"""The end of an archive file's name. Crawlers add ``.open`` while they write the file."""
_TEXTS_NAME = re.compile(r"\.(?:jsonl|ndjson|json)(?:\.gz|\.zst)?$", re.IGNORECASE)
# Files that are, or may contain, archives in an unsupported format.
_UNREAD_NAME = re.compile(
    r"\.(?:w?arc|wacz|har|webarchive|maff)(?:\.|$)"
    r"|\.(?:gz|zst|bz2|xz|lz4|lzma|br|7z|rar|zip|tar|tgz|open|part|tmp)$",
    re.IGNORECASE,
)
# Common Crawl names its indexes cdx-00000.gz.
_INDEX_NAME = re.compile(r"(?:\.cdxj(?:\.gz)?|^cdx-[0-9]+\.gz|\.parquet)$", re.IGNORECASE)
_ABOUT_ARCHIVES = re.compile(
    r"\.(?:cdxj?|idx|json|jsonl|ndjson|txt|md|log|csv|tsv|xml|html?|ya?ml|sig|asc|md5|sha[0-9]+)"
    r"(?:\.gz)?$",
    re.IGNORECASE,
)


def is_archive(path: str) -> bool:
    """Return whether a path, folder or glob pattern contains web archives, not saved pages."""
    return bool(archive_files(path))


def archive_files(path: str) -> list[Path]:
    """Return the archive files for a path, folder or glob pattern, in order.

    Texts in JSON Lines count if the path or the pattern names nothing else. In a folder, and beside
    archives, such files are often about others.
    """
    files = files_at(path)
    archives = [file for file in files if _is_readable(file)]
    if archives or is_folder(path):
        return archives
    return [file for file in files if has_texts_name(file.name) and file.is_file()]


def is_folder(path: str) -> bool:
    """Return whether a path is that of a folder; False for text that cannot be a path."""
    try:
        return Path(path).is_dir()
    except (OSError, ValueError):
        return False


def has_texts_name(name: str) -> bool:
    """Return whether a file holds texts in JSON Lines, judging by its name."""
    return _TEXTS_NAME.search(name) is not None


def other_files(path: str) -> tuple[list[Path], list[Path]]:
    """Return the paths in a folder or pattern, other than the readable archive files.

    The first list has the files and folders with archives that are not read, the second the files
    that are not archives.
    """
    read = set(archive_files(path))
    others = [file for file in files_at(path) if file not in read]
    unread = [file for file in others if is_unread(file)]
    return unread, [file for file in others if file.is_file() and file not in unread]


def files_at(path: str) -> list[Path]:
    """Return all that a path, folder or glob pattern names, in order, of whatever kind."""
    place = Path(path)
    try:
        if place.is_dir():
            return sorted(place.iterdir())
        return [place] if place.exists() else sorted(map(Path, glob(path)))  # noqa: PTH207
    except (OSError, ValueError):
        # A path that cannot be listed is not an archive; its error is raised elsewhere.
        return []


def _is_readable(file: Path) -> bool:
    return has_archive_name(file.name) and file.is_file()


def has_archive_name(name: str) -> bool:
    """Return whether a file is an archive that can be read, judging by its name."""
    return ARCHIVE_NAME.search(name) is not None or name.lower().endswith(".wacz")


def has_index_name(name: str) -> bool:
    """Return whether a file is an index that can be read, judging by its name."""
    return _INDEX_NAME.search(name) is not None


def is_unread(file: Path) -> bool:
    """Return whether a path is a folder of archives or has a format that is not read."""
    if file.is_dir():
        return is_archive(str(file))
    return has_unread_name(file.name)


def has_unread_name(name: str) -> bool:
    """Return whether a file has a format that is not read, judging by its name."""
    return _UNREAD_NAME.search(name) is not None and not _ABOUT_ARCHIVES.search(name)

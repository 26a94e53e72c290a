"""Which files are web archives, by their names alone."""

import re
from glob import glob
from pathlib import Path

WARC_SUFFIXES = (".warc", ".warc.gz")
"""The files that are written, and those that are in a WACZ."""
READABLE = "WARC or ARC files (.warc, .arc, also .gz, .zst and .open) and WACZ files"
"""The archive files that can be read, for people."""
ARCHIVE_NAME = re.compile(
    r"\.(?P<format>w?arc)(?P<compression>\.gz|\.zst)?(?P<open>\.open)?$", re.IGNORECASE
)
"""The end of an archive file's name. ``.open`` is added by crawlers while they write it."""
# The names of files that hold archives in a form that is not read, or may hold them.
_UNREAD = re.compile(
    r"\.(?:w?arc|wacz|har|mht(?:ml)?|webarchive|maff)(?:\.|$)"
    r"|\.(?:gz|zst|bz2|xz|lz4|lzma|br|7z|rar|zip|tar|tgz|open|part|tmp)$",
    re.IGNORECASE,
)
_ABOUT_ARCHIVES = re.compile(
    r"\.(?:cdxj?|idx|json|jsonl|ndjson|txt|md|log|csv|tsv|xml|html?|ya?ml|sig|asc|md5|sha[0-9]+)"
    r"(?:\.gz)?$",
    re.IGNORECASE,
)


def is_archive(path: str) -> bool:
    """Whether a path, folder or glob pattern is of web archives, and not of saved pages."""
    return bool(archive_files(path))


def archive_files(path: str) -> list[Path]:
    """The archive files of a path, a folder, or a glob pattern, in order."""
    return [file for file in _files(path) if _is_readable(file)]


def other_files(path: str) -> tuple[list[Path], list[Path]]:
    """Beside the archive files of a folder or pattern: what holds archives too, and is not read.

    Return these files and folders, and the files that are no archives.
    """
    others = [file for file in _files(path) if not _is_readable(file)]
    unread = [file for file in others if is_unread(file)]
    return unread, [file for file in others if file.is_file() and file not in unread]


def _files(path: str) -> list[Path]:
    place = Path(path)
    try:
        if place.is_dir():
            return sorted(place.iterdir())
        return [place] if place.exists() else sorted(map(Path, glob(path)))  # noqa: PTH207
    except (OSError, ValueError):
        # Nothing that cannot be listed is an archive; the error is that of any other path.
        return []


def _is_readable(file: Path) -> bool:
    named = ARCHIVE_NAME.search(file.name) or file.name.lower().endswith(".wacz")
    return bool(named) and file.is_file()


def is_unread(file: Path) -> bool:
    """Return whether a file or folder holds archives in a form that is not read."""
    if file.is_dir():
        return is_archive(str(file))
    return _UNREAD.search(file.name) is not None and not _ABOUT_ARCHIVES.search(file.name)

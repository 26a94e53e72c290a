"""Files that survive a power cut, and readable file names."""

import errno
import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from crawler.errors import CrawlerError


def readable(path: Path | str) -> str:
    """Return a path as text that any file can store; bytes that are not UTF-8 are escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def check_is_html(name: str, value: str) -> None:
    """Check that the value of an option or argument names an HTML file; CrawlerError if not.

    A report replaces its file, which thus cannot be a feed or a ledger by mistake.
    """
    if Path(value).suffix.lower() not in (".html", ".htm"):
        raise CrawlerError(
            f"{name}: got {value!r}; takes the path of an HTML file to write, such as report.html"
        )


def mode_for(target: Path) -> int:
    """Return the permissions for a file that will replace ``target``.

    They are those of ``target``, or of a new file if it does not exist.
    """
    if target.exists():
        return target.stat().st_mode & 0o777
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def make_folder(folder: Path) -> None:
    """Create a missing folder and its missing parents so that they survive a power cut."""
    if not folder.parent.exists():
        make_folder(folder.parent)
    if not folder.is_dir():
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make creations and renames in a folder durable.

    A system that cannot sync a folder either makes them durable by itself or never does.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


@contextmanager
def locked(folder: Path, *, waits: bool = True) -> Iterator[None]:
    """Hold a lock on a folder, so that other runs wait before they change it.

    Without ``waits``, BlockingIOError if another process holds it.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def whole_file(target: Path) -> Iterator[IO[bytes]]:
    """Yield a file that replaces ``target`` once it is written, and survives a power cut.

    If the context raises, ``target`` stays as it was. A symlink is kept; its target is replaced. A
    device or a pipe is written directly.
    """
    target = Path(os.path.realpath(target))
    if is_special(target):
        with target.open("wb") as device:
            yield device
        return
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            os.fchmod(file.fileno(), mode_for(target))
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
        sync_folder(target.parent)
    finally:
        part.unlink(missing_ok=True)


def check_writable(target: Path) -> None:
    """Check that a file can be written at ``target``; OSError if not."""
    make_folder(target.parent)
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    if is_special(target):
        return
    if target.exists():
        # A file that is appended to is read first.
        target.open("rb").close()
    with tempfile.TemporaryFile(prefix=target.name + ".", dir=target.parent) as probe:
        probe.write(b"\n")
        probe.flush()


def is_special(target: Path) -> bool:
    """Return whether a path is a device, a pipe or anything else that is not a regular file."""
    return target.exists() and not target.is_file()

"""What makes a file outlast a power cut, and its name readable."""

import errno
import os
import tempfile
from pathlib import Path


def readable(path: Path | str) -> str:
    """A path as text that any file can hold; bytes that are no UTF-8 are escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def mode_for(target: Path) -> int:
    """The permissions of a file that is to replace another: those of the target, or those of a new
    file.
    """
    if target.exists():
        return target.stat().st_mode & 0o777
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def make_folder(folder: Path) -> None:
    """Make a folder that is not there yet, and those that it is to lie in, to outlast a power cut."""
    if not folder.parent.exists():
        make_folder(folder.parent)
    if not folder.is_dir():
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make what was created or renamed in a folder durable; a system that cannot sync a folder has it durable already or never."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def check_writable(target: Path) -> None:
    """OSError if no file can be put at ``target``."""
    make_folder(target.parent)
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    if is_special(target):
        return
    if target.exists():
        # What is added to is read first.
        target.open("rb").close()
    with tempfile.TemporaryFile(prefix=target.name + ".", dir=target.parent) as probe:
        probe.write(b"\n")
        probe.flush()


def is_special(target: Path) -> bool:
    """Return whether a path is a device or a pipe, or another thing that is no file."""
    return target.exists() and not target.is_file()

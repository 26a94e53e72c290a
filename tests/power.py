"""Simulated power cuts: the possible states of a disk, from the system calls of a real run.

When a program is killed, the system still has everything it wrote; a power cut may lose everything
that was not synced. ``Machine`` runs scrapy commands under strace, and ``Disk`` follows their
calls: after a power cut, unsynced data (fsync of the file) and unsynced names (fsync of the folder:
new, renamed and removed files) are each independently present or not.

    python tests/power.py

is the process traced by strace: it runs a command for each line it reads.
"""

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import forks

UMASK = 0o022
CALLS = (
    *("openat", "write", "pwrite64", "lseek", "ftruncate", "fchmod", "fsync", "fdatasync"),
    # Not all of these exist on every architecture.
    *("?mkdir", "?mkdirat", "?rename", "?renameat", "?renameat2"),
    *("?link", "?linkat", "?symlink", "?symlinkat", "?unlink", "?unlinkat"),
)
_PATH_CALLS = ("open", "mkdir", "rename", "link", "symlink", "unlink")
# The most can be lost just before each of these calls.
CUTS = ("fsync", "fdatasync", "rename", "link", "unlink")
_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+)")
_BYTE = re.compile(r"\\x([0-9a-f]{2})")

State = dict[str, tuple[bytes, int]]
"""The content and permissions of each file, by its path in the folder.

Those of a symbolic link are its target and SYMLINK.
"""
SYMLINK = stat.S_IFLNK


class File:
    """A file; ``synced`` is the content and permissions that survive a power cut."""

    def __init__(self, content: bytes, mode: int) -> None:
        self._data = bytearray(content)
        self._content: bytes | None = content
        # The writes since the last sync, as offset and data; None truncates the file there.
        self._writes: list[tuple[int, bytes | None]] = []
        self.mode = mode
        self.synced = self.now

    @property
    def now(self) -> tuple[bytes, int]:
        if self._content is None:
            self._content = bytes(self._data)
        return self._content, self.mode

    @property
    def half(self) -> tuple[bytes, int]:
        """The file with the first half of the writes since the last sync."""
        file = File(*self.synced)
        for position, data in self._writes[: len(self._writes) // 2]:
            file.write(position, data)
        return file.now

    def write(self, position: int, data: bytes | None) -> None:
        self._writes.append((position, data))
        self._content = None
        self._data.extend(bytes(max(0, position - len(self._data))))
        if data is None:
            del self._data[position:]
        else:
            self._data[position : position + len(data)] = data

    @property
    def size(self) -> int:
        return len(self._data)

    def sync(self) -> None:
        self.synced = self.now
        self._writes = []


class Folder:
    """A folder; ``changes`` are the changes to its names that a power cut may lose."""

    def __init__(self) -> None:
        self.now: dict[str, File | Folder] = {}
        self.synced: dict[str, File | Folder] = {}
        self.changes: list[dict[str, File | Folder | None]] = []

    def change(self, **names: "File | Folder | None") -> None:
        """Add and remove (None) names in one atomic change."""
        self.changes.append(names)
        _apply(self.now, names)

    def sync(self) -> None:
        self.synced, self.changes = dict(self.now), []

    def everything(self) -> Iterator["File | Folder"]:
        """Yield the folder and all its contents, including files that a power cut may restore."""
        yield self
        seen = {id(node): node for names in (self.now, self.synced) for node in names.values()}
        seen |= {id(node): node for names in self.changes for node in names.values() if node}
        for node in seen.values():
            yield from node.everything() if isinstance(node, Folder) else (node,)


def _apply(names: "dict[str, File | Folder]", change: "dict[str, File | Folder | None]") -> None:
    for name, node in change.items():
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node


class Disk:
    """The state of a folder, with its initial contents taken as synced."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = Folder()
        self._positions: dict[tuple[int, int], int | None] = {}
        for path in sorted(folder.rglob("*")):
            holder, name = self._place(str(path))
            is_folder = path.is_dir() and not path.is_symlink()
            node = Folder() if is_folder else File(*read_file(path))
            holder.change(**{name: node})
            holder.sync()

    def _place(self, path: str) -> tuple[Folder, str]:
        """Return a file's folder and its name there. Raises ValueError if it is elsewhere."""
        relative = Path(os.path.normpath(self.folder / path)).relative_to(self.folder)
        folder = self.root
        for part in relative.parts[:-1]:
            inner = folder.now[part]
            assert isinstance(inner, Folder)
            folder = inner
        return folder, relative.name

    def _is_here(self, path: str) -> bool:
        return Path(os.path.normpath(self.folder / path)).is_relative_to(self.folder)

    def follow(self, name: str, args: list[str], result: int) -> None:
        """Apply a system call, if it succeeded and affects the folder."""
        place = args[1] if name == "symlink" else args[0]
        if result < 0 or place.endswith("(deleted)") or not self._is_here(path := _path(place)):
            return
        holder, own_name = self._place(path)
        node = holder.now.get(own_name) if own_name else self.root
        if name in ("rename", "link"):
            to, new_name = self._place(_path(args[1]))
            assert to is holder and isinstance(node, File), f"{name} of {path}"
            holder.change(**({own_name: None} if name == "rename" else {}), **{new_name: node})
        elif name == "symlink":
            holder.change(**{own_name: File(os.fsencode(_path(args[0])), SYMLINK)})
        elif name == "unlink":
            holder.change(**{own_name: None})
        elif name == "mkdir":
            holder.change(**{own_name: Folder()})
        elif name == "open":
            flags = args[1].split("|")
            if node is None:
                assert "O_CREAT" in flags, path
                node = File(b"", int(args[2], 8) & ~UMASK)
                holder.change(**{own_name: node})
            if isinstance(node, File):
                if "O_TRUNC" in flags:
                    node.write(0, None)
                self._positions[result, id(node)] = None if "O_APPEND" in flags else 0
        elif name in ("fsync", "fdatasync"):
            assert node is not None, path
            node.sync()
        elif isinstance(node, File):
            self._change(node, name, args, result)

    def _change(self, file: File, name: str, args: list[str], result: int) -> None:
        descriptor = int(args[0].partition("<")[0]), id(file)
        if name == "write":
            position = self._positions[descriptor]
            file.write(file.size if position is None else position, _bytes_of(args[1])[:result])
            if position is not None:
                self._positions[descriptor] = position + result
        elif name == "pwrite64":
            file.write(int(args[3]), _bytes_of(args[1])[:result])
        elif name == "lseek" and self._positions[descriptor] is not None:
            self._positions[descriptor] = result
        elif name == "ftruncate":
            file.write(int(args[1]), None)
        elif name == "fchmod":
            file.mode = int(args[1], 8)

    def now(self) -> State:
        """Return the files as they are without a power cut."""
        return dict(_files(self.root, lambda folder: folder.now, lambda file: file.now))

    def safe(self) -> State:
        """Return the files that are certain to survive a power cut."""
        return self._state((), ())

    def after_a_power_cut(self) -> list[State]:
        """Return possible states after a power cut.

        They have none of the unsynced changes, all of them, each one alone, and all files half
        written.
        """
        nodes = list({id(node): node for node in self.root.everything()}.values())
        changes = [change for node in nodes if isinstance(node, Folder) for change in node.changes]
        files = [node for node in nodes if isinstance(node, File) and node.now != node.synced]
        names = [[], changes, *([change] for change in changes)]
        states = [
            self._state(kept_changes, written) for kept_changes in names for written in ([], files)
        ]
        states += [self._state(changes, [file]) for file in files]
        return [*states, self._state(changes, files, half=True)]

    def _state(
        self, changes: Collection[Any], files: Collection[File], *, half: bool = False
    ) -> State:
        kept_changes, written = set(map(id, changes)), set(map(id, files))

        def names(folder: Folder) -> dict[str, File | Folder]:
            names_after = dict(folder.synced)
            for change in folder.changes:
                if id(change) in kept_changes:
                    _apply(names_after, change)
            return names_after

        def content(file: File) -> tuple[bytes, int]:
            if id(file) not in written:
                return file.synced
            return file.half if half else file.now

        return dict(_files(self.root, names, content))


def _files(
    folder: Folder,
    names: Callable[[Folder], dict[str, File | Folder]],
    content: Callable[[File], tuple[bytes, int]],
    before: str = "",
) -> Iterator[tuple[str, tuple[bytes, int]]]:
    for name, node in sorted(names(folder).items()):
        if isinstance(node, Folder):
            yield from _files(node, names, content, f"{before}{name}/")
        elif not name.endswith("-shm"):
            # SQLite's shared memory file is meaningless after a power cut.
            yield before + name, content(node)


def read_file(path: Path) -> tuple[bytes, int]:
    """Return a file or a symbolic link as it is in a state."""
    if path.is_symlink():
        return os.fsencode(path.readlink()), SYMLINK
    return path.read_bytes(), path.stat().st_mode & 0o777


def lay_out(state: State, folder: Path) -> None:
    for name, (content, mode) in state.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if mode == SYMLINK:
            path.symlink_to(os.fsdecode(content))
            continue
        path.write_bytes(content)
        path.chmod(mode)


class Machine:
    """Runs scrapy commands in a folder and derives the states that a power cut may leave."""

    def __init__(self, folder: Path, trace: Path, environment: dict[str, str]) -> None:
        self.disk = Disk(folder)
        self._trace = trace
        self._position = 0
        self._unfinished: dict[str, str] = {}
        line = ["strace", "-f", "--seccomp-bpf", "-qq", "-y", "-xx", "-s", str(1 << 24)]
        line += ["-o", str(trace), "-e", f"trace={','.join(CALLS)}", "-e", "signal=none"]
        self._process = subprocess.Popen(
            [*line, sys.executable, __file__],
            cwd=folder,
            env={**environment, "PYTHONPATH": os.pathsep.join(map(str, forks.PATHS))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            umask=UMASK,
        )

    def close(self) -> None:
        self._process.communicate()

    def start(self, *words: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(list(map(str, words))) + "\n")
        self._process.stdin.flush()

    def wait(self) -> int:
        """Wait for a command to end; return its exit code."""
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def power_cuts(self) -> Iterator[list[State]]:
        """Follow the system calls since the previous use of this method.

        Yield the states that a power cut may leave before each call in CUTS and at the end, the
        state with the least data first.
        """
        for name, args, result in self._calls():
            if name in CUTS:
                yield self.disk.after_a_power_cut()
            self.disk.follow(name, args, result)
        yield self.disk.after_a_power_cut()

    def _calls(self) -> Iterator[tuple[str, list[str], int]]:
        with self._trace.open(encoding="ascii") as trace:
            trace.seek(self._position)
            text = trace.read()
        whole = text[: text.rfind("\n") + 1]
        self._position += len(whole)
        for line in whole.splitlines():
            process, _, call = line.partition(" ")
            call = call.lstrip()
            if call.endswith(" <unfinished ...>"):
                self._unfinished[process] = call.removesuffix(" <unfinished ...>")
                continue
            if call.startswith("<... "):
                call = self._unfinished.pop(process) + call.partition(" resumed>")[2]
            if match := _CALL.match(call):
                args = [arg for arg in match[2].split(", ") if not arg.startswith("AT_FDCWD")]
                name = match[1].removesuffix("2").removesuffix("at")
                yield name if name in _PATH_CALLS else match[1], args, int(match[3])


def _bytes_of(text: str) -> bytes:
    return bytes.fromhex("".join(_BYTE.findall(text)))


def _path(arg: str) -> str:
    """Return a path given as an argument, or the path of an open file descriptor."""
    return os.fsdecode(_bytes_of(arg))


def main() -> None:
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            forks.scrapy(json.loads(line), Path.cwd(), dict(os.environ), [os.devnull, os.devnull])
            sys.exit()
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    import preloaded  # noqa: F401

    main()

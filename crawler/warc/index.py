"""The index of one archive file: sorted lines (CDXJ), looked up where they lie, so that memory does not grow with the archive.

In: the records of its WARC files, or an index that somebody made of them. Out: ``Index``, kept in the user's cache folder
under a name made of the file's path, size and time. What of the file cannot be read is kept in the index too: each run is to
tell it. An index that does not match its file raises ArchiveError.
"""

from __future__ import annotations

import logging
import mmap
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from hashlib import sha256
from heapq import merge
from itertools import groupby, islice
from pathlib import Path
from typing import IO, Any

import msgspec
from platformdirs import user_cache_path

from crawler.errors import ArchiveError
from crawler.warc.captures import CONVERSION, REVISIT, Capture, is_timestamp, key_of, timestamp_of
from crawler.warc.records import HEAD_BYTES, Record, WarcFile, kind_of, parse_head

logger = logging.getLogger(__name__)

_FORMAT = 3
_LINES_IN_MEMORY = 100_000
_META = b"!meta "
# After all lines, so that one that is not whole is known.
_END = b"~ %d captures\n"
_HELD = (b"response", b"revisit", b"resource", b"conversion")
_OTHERS = (b"warcinfo", b"request", b"metadata", b"continuation")
_WEB = ("http://", "https://")
_KINDS = {"revisit": REVISIT, "conversion": CONVERSION}
_NAMED_FAULTS = 20
# Of an index that somebody else made, each so many lines one is looked up in the file.
_CHECKED_EVERY = 997
_BIG_BYTES = 1 << 28


class Index:
    """The captures of one archive file. ``faults`` are its places that cannot be read, for people."""

    def __init__(self, path: Path) -> None:
        """OSError, ValueError or KeyError if it is no index, or not a whole one."""
        with path.open("rb") as lines:
            self._lines = mmap.mmap(lines.fileno(), 0, access=mmap.ACCESS_READ)
        try:
            self._begin = self._lines.find(b"\n") + 1
            meta = msgspec.json.decode(self._lines[len(_META) : self._begin])
            self.faults: tuple[str, ...] = tuple(meta["faults"])
            self.captures = meta["captures"]
            end = _END % self.captures
            self._end = len(self._lines) - len(end)
            if self._lines[self._end :] != end:
                raise ValueError("it is cut off")
        except BaseException:
            self._lines.close()
            raise

    def of(self, key: str, *, and_longer: bool = False) -> Iterator[Capture]:
        """The captures under a key, oldest first; those of keys that it begins too if ``and_longer``."""
        wanted = key.encode() + (b"" if and_longer else b" ")
        position = self._first(wanted)
        while position < self._end and self._lines[position : position + len(wanted)] == wanted:
            end = self._lines.find(b"\n", position)
            yield _capture(self._lines[position:end])
            position = end + 1

    def __iter__(self) -> Iterator[Capture]:
        position = self._begin
        while position < self._end:
            end = self._lines.find(b"\n", position)
            yield _capture(self._lines[position:end])
            position = end + 1

    def _first(self, wanted: bytes) -> int:
        """Where the first line begins that is not less than ``wanted``."""
        low, high = self._begin, self._end
        while low < high:
            middle = self._lines.rfind(b"\n", 0, (low + high) // 2) + 1
            middle = max(middle, low)
            end = self._lines.find(b"\n", middle)
            if self._lines[middle : min(end, middle + len(wanted))] < wanted:
                low = end + 1
            else:
                high = middle
        return low

    def close(self) -> None:
        self._lines.close()


def open_index(
    path: Path,
    files: Mapping[str, WarcFile],
    beside: Path | None,
    lines: Callable[[], Iterator[bytes]] | None,
) -> Index:
    """Open the index of an archive file with these WARC files in it; make it if this is the first time.

    ``lines`` gives those of an index that somebody made, ``beside`` is where it is, if it is a file of its own.
    """
    state = [
        (str(named.resolve()), stat.st_size, stat.st_mtime_ns)
        for named in (path, beside)
        if named
        for stat in (named.stat(),)
    ]
    name = sha256(repr((_FORMAT, state)).encode()).hexdigest()[:32] + ".cdxj"
    folder = user_cache_path("neighbourhood-crawler") / "indexes"
    try:
        return Index(folder / name)
    except (OSError, ValueError, KeyError):
        pass
    if lines is None and path.stat().st_size > _BIG_BYTES:
        logger.info("%s: making its index, which is kept in %s", path, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        made = _written(folder, path, files, beside, lines)
    except OSError as error:
        logger.warning(
            "%s: its index cannot be kept in %s (%s), so that the next run has to make it again",
            path,
            folder,
            error.strerror,
        )
        try:
            made = _written(Path(tempfile.gettempdir()), path, files, beside, lines)
        except OSError as another:
            raise ArchiveError(
                f"{path}: its index cannot be written to {tempfile.gettempdir()} ({another.strerror}); make room"
            ) from another
        index = Index(made)
        made.unlink()
        return index
    return Index(made.replace(folder / name))


def _written(
    folder: Path,
    path: Path,
    files: Mapping[str, WarcFile],
    beside: Path | None,
    lines: Callable[[], Iterator[bytes]] | None,
) -> Path:
    """Write an index under a name that nobody else has; OSError if it cannot be."""
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as target:
        try:
            _write(target, _imported(lines(), files, beside or path) if lines else _made(files))
        except BaseException:
            Path(target.name).unlink()
            raise
    return Path(target.name)


def distinct(texts: Iterable[str]) -> Iterator[str]:
    """Each of some texts once, in order; they may be more than memory holds."""
    for line, _ in groupby(sorted_lines(f"{text}\n".encode() for text in texts)):
        yield line.decode().rstrip("\n")


def sorted_lines(lines: Iterable[bytes], at_once: int = _LINES_IN_MEMORY) -> Iterator[bytes]:
    """Sort lines that may be more than memory holds, ``at_once`` of them in memory."""
    lines = iter(lines)
    first = sorted(islice(lines, at_once))
    with ExitStack() as stack:
        runs: list[IO[bytes]] = []
        while more := sorted(islice(lines, at_once)):
            run = stack.enter_context(tempfile.TemporaryFile())
            run.writelines(more)
            run.seek(0)
            runs.append(run)
        yield from merge(first, *runs)


def _write(target: IO[bytes], found: Iterable[Capture | str]) -> None:
    faults: list[str] = []
    count = more = 0

    def lines() -> Iterator[bytes]:
        nonlocal count, more
        for what in found:
            if not isinstance(what, str):
                count += 1
                yield _line(what)
            elif len(faults) < _NAMED_FAULTS:
                faults.append(what)
            else:
                more += 1

    ordered = sorted_lines(lines())
    # All faults are known only when the first line is.
    first = next(ordered, b"")
    told = [*faults, f"and {more:,} places more"] if more else faults
    target.write(_META + msgspec.json.encode({"captures": count, "faults": told}) + b"\n" + first)
    target.writelines(ordered)
    target.write(_END % count)


def _made(files: Mapping[str, WarcFile]) -> Iterator[Capture | str]:
    """The captures in WARC files, and what is wrong with them."""
    for name, file in files.items():
        for offset, block in file.walk():
            kind = kind_of(block)
            if block.fault:
                yield str(block.fault)
            elif kind not in _HELD and kind not in _OTHERS:
                yield f"{file.place(offset)}: it does not say what kind of record it is"
            if kind in _HELD:
                record = parse_head(block)
                if record is not None and (
                    capture := _capture_of(record, name, offset, block.length)
                ):
                    yield capture
                elif not block.fault and (record is None or record.url.lower().startswith(_WEB)):
                    yield f"{file.place(offset)}: its headers do not tell what page it is, or of when"


def _capture_of(record: Record, name: str, offset: int, length: int) -> Capture | None:
    if not record.url.lower().startswith(_WEB) or key_of(record.url) is None:
        return None
    return Capture(
        url=record.url,
        timestamp=timestamp_of(record.date),
        status=None if record.kind == "revisit" and record.status == 304 else record.status,
        media_type=_KINDS.get(record.kind, record.media_type),
        digest=record.digest or "",
        file=name,
        offset=offset,
        length=length,
    )


def _imported(
    lines: Iterator[bytes], files: Mapping[str, WarcFile], where: Path
) -> Iterator[Capture]:
    """The captures that somebody else's index tells of; ArchiveError if it is not of these files, as far as looks here and there tell."""

    def wrong(what: str) -> ArchiveError:
        return ArchiveError(
            f"the index {where} does not match its file: {what}; make it anew, or delete it and one is made"
        )

    last: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith((b"!", b" ")):
            continue
        try:
            capture = _capture(line.rstrip(b"\r\n"))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise wrong(f"line {number} is no CDXJ ({error})") from error
        file = files.get(capture.file)
        if file is None:
            raise wrong(f"line {number} names {capture.file!r}, which is not there")
        if capture.offset + capture.length > file.size:
            raise wrong(
                f"line {number} leads to byte {capture.offset:,} and {capture.length:,} more, {file.name} has {file.size:,}"
            )
        if number % _CHECKED_EVERY == 1:
            record = parse_head(file.block(capture.offset, HEAD_BYTES))
            if record is None or key_of(record.url) != key_of(capture.url):
                raise wrong(
                    f"line {number} says that {capture.url} is at byte {capture.offset:,} of {file.name}, and it is not"
                )
        last[capture.file] = max(capture.offset, last.get(capture.file, 0))
        if key_of(capture.url) is not None:
            yield capture
    for name, file in files.items():
        for offset, block in file.walk(last.get(name, 0)):
            record = (
                parse_head(block)
                if offset > last.get(name, -1) and kind_of(block) in _HELD
                else None
            )
            if record is not None and _capture_of(record, name, offset, block.length):
                raise wrong(
                    f"{file.name} goes on at byte {offset:,}, after the last capture that it tells of"
                )


def _line(capture: Capture) -> bytes:
    said = {
        "url": capture.url,
        "mime": capture.media_type,
        "status": str(capture.status or "-"),
        "digest": capture.digest,
        "length": str(capture.length),
        "offset": str(capture.offset),
        "filename": capture.file,
    }
    return (
        f"{key_of(capture.url)} {capture.timestamp} ".encode() + msgspec.json.encode(said) + b"\n"
    )


def _capture(line: bytes) -> Capture:
    """Read one line of CDXJ; ValueError, KeyError, TypeError, AttributeError or RecursionError if it is none."""
    _, timestamp, told = line.split(b" ", 2)
    said: dict[str, Any] = msgspec.json.decode(told)
    if not is_timestamp(moment := timestamp.decode()):
        raise ValueError(f"{moment!r} is no timestamp")
    status = str(said.get("status") or "")
    return Capture(
        url=said["url"] + "",
        timestamp=moment,
        status=int(status) if status.isdigit() else None,
        media_type=said.get("mime") or "",
        digest=said.get("digest") or "",
        file=Path(said["filename"]).name,
        offset=int(said["offset"]),
        length=int(said.get("length") or 0),
    )

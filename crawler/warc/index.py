"""Index one archive file in sorted lines (CDXJ), which are searched on disk.

Takes the records of the WARC files, or an existing index made by another tool. Returns an
``Index``, which is stored in the user's cache folder under a name derived from the file's path,
size and modification time. It also lists the places that cannot be read, so that every run reports
them. Memory use does not grow with the archive. Raises ArchiveError if an index does not match its
file.

Captures are listed by the key of their URL. Before them come shorter lines that begin with a space:
the captures by payload digest and by record ID, so that the original of a revisit can be found by
either, and the methods of requests other than GET.
"""

from __future__ import annotations

import logging
import mmap
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from hashlib import sha256
from heapq import merge
from itertools import groupby, islice
from pathlib import Path
from typing import IO, Any, NamedTuple

import msgspec
from platformdirs import user_cache_path

from crawler.errors import ArchiveError
from crawler.warc.captures import (
    CONVERSION,
    COPIES,
    REVISIT,
    TEXT_COPY,
    Capture,
    is_timestamp,
    key_of,
    timestamp_of,
    web_url,
)
from crawler.warc.file import WarcFile
from crawler.warc.records import (
    HEAD_BYTES,
    Record,
    digest_key,
    kind_of,
    method_of,
    parse_head,
)
from crawler.warc.stored_bytes import Address, display_name
from crawler.warc.texts import TextsFile

logger = logging.getLogger(__name__)

_FORMAT = 5
_LINES_IN_MEMORY = 100_000
_META = b"!meta "
# The last line, so that a truncated index is detected.
_END = b"~ %d captures\n"
_CAPTURE_KINDS = (b"response", b"revisit", b"resource", b"conversion")
_OTHER_KINDS = (b"warcinfo", b"request", b"metadata", b"continuation")
_WEB_SCHEMES = ("http://", "https://")
_MEDIA_TYPES = {"revisit": REVISIT, "conversion": CONVERSION}
_NAMED_FAULTS = 20
# In an index made by another tool, one line in this many is checked against the file.
_CHECKED_EVERY = 997
_BIG_BYTES = 1 << 28
LINE_ERRORS = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""Raised for a line that is not CDXJ."""
_STATUS = re.compile(r"[0-9]{1,3}")
_MOST_BYTES = 2**63 - 1
_WB_METHOD = re.compile(r"[?&]__wb_method=([a-z]+)", re.IGNORECASE)


class RequestMethod(NamedTuple):
    """The method of a request other than GET.

    ``response_id`` is how its response is found: by the record ID of either record, or by the
    response's timestamp and key.
    """

    response_id: str
    method: str


class Index:
    """The captures of one archive file. ``faults`` lists the places that cannot be read."""

    def __init__(self, path: Path) -> None:
        """Open an index. Raises OSError, ValueError or KeyError if it is invalid or truncated."""
        with path.open("rb") as lines:
            self._lines = mmap.mmap(lines.fileno(), 0, access=mmap.ACCESS_READ)
        try:
            self._begin = self._lines.find(b"\n") + 1
            meta = msgspec.json.decode(self._lines[len(_META) : self._begin])
            self.faults: tuple[str, ...] = tuple(meta["faults"])
            self.captures = meta["captures"]
            self._has_methods = meta["methods"] > 0
            end = _END % self.captures
            self._end = len(self._lines) - len(end)
            if self._lines[self._end :] != end:
                raise ValueError("it is cut off")
        except BaseException:
            self._lines.close()
            raise

    def of(self, key: str, *, and_longer: bool = False) -> Iterator[Capture]:
        """Yield the captures of a key, or of all keys with this prefix if ``and_longer``."""
        lines = self._lines_under(key.encode() + (b"" if and_longer else b" "))
        return map(self._with_method, lines)

    def of_digest(self, key: str) -> Iterator[Capture]:
        """Return the captures with this ``digest_key``, oldest first, without copies."""
        return map(capture_of_line, self._lines_under(f" {key} ".encode()))

    def of_record(self, record_id: str) -> Iterator[Capture]:
        """Return the captures with this record ID, without copies (revisits and conversions)."""
        return map(capture_of_line, self._lines_under(f" {record_id} ".encode()))

    def _with_method(self, line: bytes) -> Capture:
        """Parse a line, with the method of the request, which is in a line of its own."""
        capture = capture_of_line(line)
        return replace(capture, method=self._method(capture)) if self._has_methods else capture

    def _method(self, capture: Capture) -> str:
        """Return the method of a capture's request; empty if it is GET or unknown."""
        response_ids = (capture.record_id, capture.concurrent_to, _moment(capture))
        for response_id in filter(None, response_ids):
            for line in self._lines_under(f" for {response_id} ".encode()):
                return line.rpartition(b" ")[2].decode()
        return capture.method

    def _lines_under(self, prefix: bytes) -> Iterator[bytes]:
        """Yield the lines that start with these bytes."""
        position = self._first_offset(prefix)
        while position < self._end and self._lines[position : position + len(prefix)] == prefix:
            end = self._lines.find(b"\n", position)
            yield self._lines[position:end]
            position = end + 1

    def __iter__(self) -> Iterator[Capture]:
        return (capture for _, capture in self.places())

    def places(self) -> Iterator[tuple[int, Capture]]:
        """Yield all captures, each with its place in the index, for ``at``."""
        # Skip the lines that begin with a space; keys contain none.
        position = self._first_offset(b"!")
        while position < self._end:
            end = self._lines.find(b"\n", position)
            yield position, self._with_method(self._lines[position:end])
            position = end + 1

    def at(self, place: int) -> Capture:
        """Return the capture at a place in the index."""
        return self._with_method(self._lines[place : self._lines.find(b"\n", place)])

    def _first_offset(self, prefix: bytes) -> int:
        """Return the offset of the first line not less than ``prefix``."""
        low, high = self._begin, self._end
        while low < high:
            middle = self._lines.rfind(b"\n", 0, (low + high) // 2) + 1
            middle = max(middle, low)
            end = self._lines.find(b"\n", middle)
            if self._lines[middle : min(end, middle + len(prefix))] < prefix:
                low = end + 1
            else:
                high = middle
        return low

    def close(self) -> None:
        self._lines.close()


def open_index(
    address: Address,
    files: Mapping[str, WarcFile | TextsFile],
    beside: Address | None,
    lines: Callable[[], Iterator[bytes]] | None,
    *,
    keeps_index: bool = True,
) -> Index:
    """Open the index of an archive file that contains these files, creating it if necessary.

    ``lines`` returns the lines of an index made by another tool, and ``beside`` is the index file
    beside the archive; both may be None. The index is kept in the user's cache folder only if
    ``keeps_index``, which takes a local file.
    """
    if not keeps_index:
        return _unkept_index(address, files, beside, lines)
    path = Path(address)
    state = [
        # Captures are stored with the name of the file, which for a link is not its target's name.
        (str(file.resolve()), file.name, stat.st_size, stat.st_mtime_ns)
        for file in (Path(one) for one in (address, beside) if one)
        for stat in (file.stat(),)
    ]
    fields = [file.fields for file in files.values() if isinstance(file, TextsFile)]
    name = sha256(repr((_FORMAT, state, *fields)).encode()).hexdigest()[:32] + ".cdxj"
    folder = user_cache_path("neighbourhood-crawler") / "indexes"
    try:
        return Index(folder / name)
    except (OSError, ValueError, KeyError):
        pass
    if lines is None and path.stat().st_size > _BIG_BYTES:
        logger.info("%s: building its index, which is kept in %s", path, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        new_index = _write_index(folder, path, files, beside, lines)
    except OSError as error:
        logger.warning(
            "%s: its index cannot be kept in %s (%s), so the next run has to build it again",
            path,
            folder,
            error.strerror,
        )
        return _unkept_index(path, files, beside, lines)
    return Index(new_index.replace(folder / name))


def _unkept_index(
    address: Address,
    files: Mapping[str, WarcFile | TextsFile],
    beside: Address | None,
    lines: Callable[[], Iterator[bytes]] | None,
) -> Index:
    """Create an index in a temporary file, which is deleted when it is closed."""
    try:
        new_index = _write_index(Path(tempfile.gettempdir()), address, files, beside, lines)
    except OSError as error:
        raise ArchiveError(
            f"{display_name(address)}: its index cannot be written to {tempfile.gettempdir()} "
            f"({error.strerror}); make room"
        ) from error
    index = Index(new_index)
    new_index.unlink()
    return index


def _write_index(
    folder: Path,
    address: Address,
    files: Mapping[str, WarcFile | TextsFile],
    beside: Address | None,
    lines: Callable[[], Iterator[bytes]] | None,
) -> Path:
    """Write an index under a unique name. Raises OSError if it cannot be written."""
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as target:
        try:
            warcs = {name: file for name, file in files.items() if isinstance(file, WarcFile)}
            where = display_name(beside or address)
            found = _read_index(lines(), warcs, where) if lines else _read_files(files)
            _write(target, found)
            # An index left incomplete by a power cut would hide pages.
            target.flush()
            os.fsync(target.fileno())
        except BaseException:
            Path(target.name).unlink()
            raise
    return Path(target.name)


def distinct(texts: Iterable[str]) -> Iterator[str]:
    """Yield each distinct text once, sorted; the texts need not fit in memory."""
    for line, _ in groupby(sorted_lines(f"{text}\n".encode() for text in texts)):
        yield line.decode().rstrip("\n")


def sorted_lines(lines: Iterable[bytes], at_once: int = _LINES_IN_MEMORY) -> Iterator[bytes]:
    """Sort lines that need not fit in memory, holding ``at_once`` of them at a time."""
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


def _write(target: IO[bytes], found: Iterable[Capture | RequestMethod | str]) -> None:
    faults: list[str] = []
    count = more = methods = 0

    def lines() -> Iterator[bytes]:
        nonlocal count, more, methods
        for entry in found:
            if isinstance(entry, Capture):
                count += 1
                yield from _lines(entry)
            elif isinstance(entry, RequestMethod):
                methods += 1
                yield f" for {entry.response_id} {entry.method}\n".encode()
            elif len(faults) < _NAMED_FAULTS:
                faults.append(entry)
            else:
                more += 1

    ordered = sorted_lines(lines())
    # Requesting the first sorted line reads all input, so the faults are then complete.
    first = next(ordered, b"")
    listed_faults = [*faults, f"and {more:,} more places"] if more else faults
    meta = {"captures": count, "faults": listed_faults, "methods": methods}
    target.write(_META + msgspec.json.encode(meta) + b"\n" + first)
    target.writelines(ordered)
    target.write(_END % count)


def _read_files(
    files: Mapping[str, WarcFile | TextsFile],
) -> Iterator[Capture | RequestMethod | str]:
    """Yield the captures in WARC files, the request methods, and the faults."""
    for name, file in files.items():
        if isinstance(file, TextsFile):
            yield from file.captures(name)
            continue
        for offset, block in file.walk():
            kind = kind_of(block.data)
            record = (
                parse_head(block.data) if kind in _CAPTURE_KINDS or kind == b"request" else None
            )
            capture = (
                record
                and kind in _CAPTURE_KINDS
                and _capture_of(record, name, offset, block.length)
            )
            if block.fault:
                yield str(block.fault)
            elif kind not in _CAPTURE_KINDS and kind not in _OTHER_KINDS:
                yield f"{file.place(offset)}: its record type is missing or unknown"
            elif kind in _CAPTURE_KINDS and not capture and _may_be_a_page(record):
                yield f"{file.place(offset)}: its headers do not give the page's URL or date"
            if capture:
                yield capture
            elif record and kind == b"request":
                yield from _request_methods(record, method_of(block.data))


def _request_methods(request: Record, method: str) -> Iterator[RequestMethod]:
    """Yield the method of a request, unless it is GET, for each way to find its response.

    Either record may refer to the other (WARC-Concurrent-To), or neither.
    """
    if method in ("", "GET"):
        return
    key = key_of(request.url)
    # Browsers send OPTIONS before the request itself, in the same second.
    by_time = method == "POST" and not request.concurrent_to
    moment = f"{timestamp_of(request.date)}/{key}" if key and by_time else ""
    for response_id in (request.record_id, request.concurrent_to, moment):
        if response_id:
            yield RequestMethod(_without_spaces(response_id), method)


def _moment(capture: Capture) -> str:
    return f"{capture.timestamp}/{key_of(capture.url)}"


def _may_be_a_page(record: Record | None) -> bool:
    """Return whether a record that yields no capture may be a lost page."""
    if record is None:
        return True
    # Conversions made by other tools have no URL here.
    return _is_on_the_web(record) or (not record.url and record.kind != "conversion")


def _is_on_the_web(record: Record) -> bool:
    return record.url.startswith(_WEB_SCHEMES)


def _capture_of(record: Record, name: str, offset: int, length: int) -> Capture | None:
    if not _is_on_the_web(record) or key_of(record.url) is None:
        return None
    return Capture(
        url=record.url,
        timestamp=timestamp_of(record.date),
        status=None if record.kind == "revisit" and record.status == 304 else record.status,
        media_type=TEXT_COPY
        if record.is_text_copy
        else _MEDIA_TYPES.get(record.kind, record.media_type),
        digest=record.digest or "",
        file=name,
        offset=offset,
        length=length,
        record_id=_without_spaces(record.record_id),
        concurrent_to=_without_spaces(record.concurrent_to),
    )


def _without_spaces(text: str) -> str:
    """Return a record ID without whitespace, which separates the fields of a line."""
    return "".join(text.split())


def _read_index(
    lines: Iterator[bytes], files: Mapping[str, WarcFile], where: str
) -> Iterator[Capture]:
    """Yield the captures in an index made by another tool.

    Raises ArchiveError if a sample of its lines does not match these files.
    """

    def mismatch(problem: str) -> ArchiveError:
        return ArchiveError(
            f"the index {where} does not match its file: {problem}; "
            "recreate it, or delete it to have it recreated"
        )

    last: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith((b"!", b" ")):
            continue
        try:
            capture = capture_of_line(line.rstrip(b"\r\n"))
            capture = replace(capture, file=Path(capture.file).name)
        except LINE_ERRORS as error:
            raise mismatch(f"line {number} is not CDXJ ({error})") from error
        file = files.get(capture.file)
        if file is None:
            raise mismatch(f"line {number} names {capture.file!r}, which is not there")
        if capture.offset + capture.length > file.size:
            raise mismatch(
                f"line {number} points to byte {capture.offset:,} and {capture.length:,} more, "
                f"but {file.name} has {file.size:,}"
            )
        if number % _CHECKED_EVERY == 1:
            record = parse_head(file.block(capture.offset, HEAD_BYTES).data)
            if record is None or key_of(record.url) != key_of(capture.url):
                raise mismatch(
                    f"line {number} says that {capture.url} is at byte {capture.offset:,} of "
                    f"{file.name}, but it is not"
                )
        last[capture.file] = max(capture.offset, last.get(capture.file, 0))
        if key_of(capture.url) is not None:
            yield capture
    for name, file in files.items():
        for offset, block in file.walk(last.get(name, 0)):
            record = (
                parse_head(block.data)
                if offset > last.get(name, -1) and kind_of(block.data) in _CAPTURE_KINDS
                else None
            )
            if record is not None and _capture_of(record, name, offset, block.length):
                raise mismatch(
                    f"{file.name} has a capture at byte {offset:,}, after the last one listed"
                )


def _lines(capture: Capture) -> Iterator[bytes]:
    """Yield the lines of a capture: by URL, by payload digest, and by record ID."""
    place = {"url": capture.url, "offset": str(capture.offset), "filename": capture.file}
    fields = {
        **place,
        "mime": capture.media_type,
        "status": str(capture.status or "-"),
        "digest": capture.digest,
        "length": str(capture.length),
        "id": capture.record_id,
        "concurrent": capture.concurrent_to,
        "method": capture.method,
    }
    yield _line(
        key_of(capture.url) or "", capture, {key: fields[key] for key in fields if fields[key]}
    )
    if capture.media_type not in COPIES:
        for key in filter(None, (digest_key(capture.digest), capture.record_id)):
            yield _line(f" {key}", capture, place)


def _line(key: str, capture: Capture, fields: dict[str, str]) -> bytes:
    return f"{key} {capture.timestamp} ".encode() + msgspec.json.encode(fields) + b"\n"


def capture_of_line(line: bytes) -> Capture:
    """Parse one line of CDXJ. Raises one of ``LINE_ERRORS`` if it is invalid."""
    key, timestamp, encoded = line.lstrip(b" ").split(b" ", 2)
    fields: dict[str, Any] = msgspec.json.decode(encoded)
    if not is_timestamp(moment := timestamp.decode()):
        raise ValueError(f"{moment!r} is not a timestamp")
    status = str(fields.get("status") or "")
    return Capture(
        url=web_url(fields["url"]),
        timestamp=moment,
        status=int(status) or None if _STATUS.fullmatch(status) else None,
        media_type=_text(fields.get("mime") or ""),
        digest=_text(fields.get("digest") or ""),
        file=_text(fields["filename"]),
        offset=_bytes(fields["offset"]),
        length=_bytes(fields.get("length") or 0),
        record_id=_text(fields.get("id") or ""),
        concurrent_to=_text(fields.get("concurrent") or ""),
        method=_declared_method(fields.get("method") or "", key.decode()),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value


def _bytes(value: Any) -> int:
    """Return a number of bytes, as large as that in any file."""
    number = int(value)
    if number > _MOST_BYTES:
        raise ValueError(f"{number:,} bytes are more than a file can have")
    return number


def _declared_method(method: str, key: str) -> str:
    """Return the request method in an index by cdxj-indexer or pywb; empty if it is GET."""
    in_key = _WB_METHOD.search(key)
    declared = method or (in_key[1] if in_key else "")
    return "" if declared.upper() == "GET" else declared.upper()

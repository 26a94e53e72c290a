"""Read the bytes of files wherever they are stored: on a disk, in an object store, on a web server.

Takes an address: a local path, or a URL such as ``s3://bucket/key``, ``hdfs://host/path``,
``gs://bucket/key`` or ``https://host/path``. Every ``read`` is one positional read or one range
request of exactly those bytes. ``Window`` reads ahead, so that reading a file in sequence costs few
requests, and no byte is read twice.

Object stores and HDFS are read with pyarrow, web servers with requests; both are imported only if
they are needed. Raises StorageError, which names the file, if it cannot be read.
"""

from __future__ import annotations

import io
import os
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property, lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from crawler.errors import CrawlerError, StorageError
from crawler.files import readable

if TYPE_CHECKING:
    from types import ModuleType

    import requests
    from pyarrow.fs import FileSystem

Address = str | Path
"""The place of a file: a local path or a URL."""
_LOCAL_AHEAD, _REMOTE_AHEAD = 1 << 20, 1 << 23
_FIRST_BYTES = 1 << 16
"""How many bytes a window reads at first. Each read in sequence then reads four times as much."""
_GROWTH = 4
# How many bytes before its last read a window keeps.
_KEPT_BYTES = 1 << 16
# S3 keys and glob patterns may contain a question mark, so only "name=" begins a query.
_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]+)://(?P<server>[^/?#]*)(?P<path>.*?)(?P<query>\?[A-Za-z_-]+=.*)?",
    re.DOTALL,
)
_WEB_SCHEMES = ("http", "https")
_HTTP_SECONDS = (30, 120)
_TRIES, _FIRST_PAUSE = 4, 0.5
_BUSY = (429, 500, 502, 503, 504)
_OK, _PARTIAL, _UNSATISFIABLE = 200, 206, 416
_NO_HEAD = (403, 405, 501)
ARROW_ERRORS = (OSError, ValueError, NotImplementedError)
"""Raised by pyarrow; its own errors are subclasses of these."""


class StoredBytes(Protocol):
    """The bytes of one file. ``read_ahead`` is how many to read at a time in sequence."""

    address: str
    read_ahead: int

    @property
    def size(self) -> int:
        """The size of the file in bytes when it was opened."""
        ...

    @property
    def modified(self) -> datetime | None:
        """When the file was last modified; None if that is unknown."""
        ...

    def read(self, offset: int, count: int) -> bytes:
        """Return ``count`` bytes from ``offset`` on. Raises StorageError if there are fewer."""
        ...

    def close(self) -> None: ...


def is_remote(address: Address) -> bool:
    """Return whether an address is a URL, not a local path."""
    return isinstance(address, str) and _URL.fullmatch(address) is not None


def is_on_the_web(address: Address) -> bool:
    """Return whether an address is that of a file on a web server."""
    url = _URL.fullmatch(address) if isinstance(address, str) else None
    return url is not None and url["scheme"] in _WEB_SCHEMES


def display_name(address: Address) -> str:
    """Return an address for display: without passwords, and without the query of a URL."""
    url = _URL.fullmatch(address) if isinstance(address, str) else None
    if url is None:
        return readable(address)
    return f"{url['scheme']}://{url['server'].rpartition('@')[2]}{url['path']}"


def split_query(address: Address) -> tuple[str, str]:
    """Split the query off a URL, such as a signature; it is empty for a local path."""
    url = _URL.fullmatch(address) if isinstance(address, str) else None
    query = (url["query"] if url else None) or ""
    return str(address).removesuffix(query), query


def open_stored(address: Address, size: int | None = None) -> StoredBytes:
    """Open a file. A ``size`` that is known saves the request for it, where possible.

    Raises StorageError if it cannot be opened, CrawlerError if its kind of address needs a package
    that is missing.
    """
    if not is_remote(address):
        return LocalBytes(address, _descriptor(address))
    if is_on_the_web(address):
        return WebBytes(str(address), size)
    return ObjectBytes(str(address), size)


def exists(address: Address) -> bool:
    """Return whether a file is known to be at an address.

    Without permission to list a bucket, S3 answers for absent objects as for forbidden ones.
    """
    if not is_remote(address):
        return Path(address).is_file()
    if is_on_the_web(address):
        return bool(_request("HEAD", str(address)).ok)
    place = remote_place(str(address))
    try:
        return bool(place.system.get_file_info(place.path).is_file)
    except ARROW_ERRORS:
        return False


def _descriptor(path: Address) -> int:
    try:
        return os.open(path, os.O_RDONLY)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def unreadable(address: Address, error: Exception, done: str = "read") -> StorageError:
    """Return the error about a file that cannot be read, with the reason in one line.

    ``done`` is another participle if something else cannot be done with the file.
    """
    name = display_name(address)
    text = " ".join(str(error).split()).replace(str(address), name)
    reason = (isinstance(error, OSError) and error.strerror) or text
    return StorageError(f"{name} cannot be {done} ({reason})")


def _whole(address: Address, data: bytes, offset: int, count: int) -> bytes:
    """Return bytes that were read, if they are as many as were requested."""
    if len(data) == count:
        return data
    raise StorageError(
        f"{display_name(address)} cannot be read (got {len(data):,} of {count:,} bytes at byte "
        f"{offset:,}; it has changed since it was opened)"
    )


class LocalBytes:
    """A local file. It is closed with its descriptor, which may be that of a temporary file."""

    read_ahead = _LOCAL_AHEAD

    def __init__(self, address: Address, descriptor: int) -> None:
        self.address = str(address)
        self._descriptor = descriptor
        self.size = os.fstat(descriptor).st_size

    @property
    def modified(self) -> datetime | None:
        return datetime.fromtimestamp(os.fstat(self._descriptor).st_mtime, UTC)

    def read(self, offset: int, count: int) -> bytes:
        try:
            data = os.pread(self._descriptor, count, offset)
        except OSError as error:
            raise unreadable(self.address, error) from error
        return _whole(self.address, data, offset, count)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1


class ObjectBytes:
    """A file on a file system of pyarrow's: an object in S3 or Google Cloud Storage, or on HDFS."""

    read_ahead = _REMOTE_AHEAD

    def __init__(self, address: str, size: int | None = None) -> None:
        self.address = address
        self._place = remote_place(address)
        self.size = self._file.size() if size is None else size

    @cached_property
    def _file(self) -> Any:
        # For S3, this requests the size (HEAD).
        try:
            return self._place.system.open_input_file(self._place.path)
        except FileNotFoundError as error:
            raise StorageError(
                f"{display_name(self.address)} cannot be read (it does not exist)"
            ) from error
        except ARROW_ERRORS as error:
            raise unreadable(self.address, error) from error

    @property
    def modified(self) -> datetime | None:
        try:
            modified: datetime | None = self._place.system.get_file_info(self._place.path).mtime
        except ARROW_ERRORS as error:
            raise unreadable(self.address, error) from error
        return modified

    def read(self, offset: int, count: int) -> bytes:
        file = self._file
        try:
            data = file.read_at(count, offset)
        except ARROW_ERRORS as error:
            raise unreadable(self.address, error) from error
        return _whole(self.address, data, offset, count)

    def close(self) -> None:
        if "_file" in self.__dict__:
            self._file.close()


class RemotePlace(NamedTuple):
    """A path on a file system of pyarrow's, and the parts of its URL."""

    system: FileSystem
    path: str
    root: str
    server: str
    query: str

    def address_of(self, path: str) -> str:
        """Return the URL of another path on this file system."""
        return f"{self.server}/{path.removeprefix(self.root).lstrip('/')}{self.query}"


def remote_place(address: str) -> RemotePlace:
    """Return the place of a URL. Raises CrawlerError if its kind of file system is unknown."""
    url = _URL.fullmatch(address)
    if url is None:
        raise CrawlerError(f"{address!r} is not a URL")
    server, query = f"{url['scheme']}://{url['server']}", url["query"] or ""
    # The variables name the server of S3 and the user, among others.
    variables = tuple(one for one in os.environ.items() if one[0].startswith("AWS_"))
    system, root = _opened_system(server, query, variables, os.getpid())
    path = url["path"].strip("/")
    return RemotePlace(system, f"{root.rstrip('/')}/{path}" if path else root, root, server, query)


@lru_cache(maxsize=32)
def _opened_system(
    server: str, query: str, variables: tuple[tuple[str, str], ...], process: int
) -> tuple[FileSystem, str]:
    """Open a file system for this process; forked processes must not share its connections."""
    arrow = package("pyarrow.fs", "pyarrow", server)
    try:
        system, base = arrow.FileSystem.from_uri(f"{server}/{query}")
    except ARROW_ERRORS as error:
        raise CrawlerError(
            f"{display_name(server)}: it cannot be opened ({' '.join(str(error).split())}); takes "
            "local paths, s3://, gs://, hdfs://, https:// and http://",
            exit_code=1,
        ) from error
    return system, base


def package(module: str, project: str, address: str) -> ModuleType:
    """Import a module of an optional package to read a file. CrawlerError if it is missing."""
    try:
        return import_module(module)
    except ImportError as error:
        raise CrawlerError(
            f"{display_name(address)}: needs {project}; run pip install '.[spark]'", exit_code=1
        ) from error


class WebBytes:
    """A file on a web server that supports range requests (RFC 9110, 14)."""

    read_ahead = _REMOTE_AHEAD

    def __init__(self, address: str, size: int | None = None) -> None:
        self.address = address
        self.size = self._measured if size is None else size

    @cached_property
    def _head(self) -> requests.Response:
        return _request("HEAD", self.address)

    @property
    def _measured(self) -> int:
        """The size of the file. A URL that is signed for GET cannot be requested with HEAD."""
        head = self._head
        if head.status_code == _OK and "Content-Length" in head.headers:
            return int(head.headers["Content-Length"])
        if head.ok or head.status_code in _NO_HEAD:
            head = _request("GET", self.address, {"Range": "bytes=0-0"})
            total = head.headers.get("Content-Range", "").rpartition("/")[2]
            if head.status_code in (_PARTIAL, _UNSATISFIABLE) and total.isdecimal():
                return int(total)
        raise self._refused(head)

    @property
    def modified(self) -> datetime | None:
        try:
            return parsedate_to_datetime(self._head.headers["Last-Modified"]).astimezone(UTC)
        except (KeyError, ValueError):
            return None

    def read(self, offset: int, count: int) -> bytes:
        if not count:
            return b""
        headers = {"Range": f"bytes={offset}-{offset + count - 1}"}
        response = _request("GET", self.address, headers, expected=count)
        if response.status_code != _PARTIAL:
            raise self._refused(response)
        return _whole(self.address, response.content, offset, count)

    def _refused(self, response: requests.Response) -> StorageError:
        reason = (
            "its server does not support range requests"
            if response.ok
            else f"{response.status_code} {response.reason}"
        )
        return StorageError(f"{display_name(self.address)} cannot be read ({reason})")

    def close(self) -> None:
        pass


def _request(
    method: str, url: str, headers: dict[str, str] | None = None, expected: int = 1
) -> requests.Response:
    """Request a range of a file; the body is left unread if it is not that range.

    Raises StorageError if there is no answer.
    """
    library = package("requests", "requests", url)
    # Otherwise, a server may answer with bytes of a compressed form of the file.
    headers = {"Accept-Encoding": "identity", **(headers or {})}
    tries_left = _TRIES
    while True:
        tries_left -= 1
        try:
            response: requests.Response = _session(os.getpid()).request(
                method, url, headers=headers, timeout=_HTTP_SECONDS, stream=True
            )
            with response:
                is_range = response.status_code == _PARTIAL
                if is_range and int(response.headers.get("Content-Length", expected)) <= expected:
                    # Reads and keeps the body.
                    _ = response.content
                return response
        except library.exceptions.ChunkedEncodingError as error:
            # The session's own retries end with the headers.
            if not tries_left:
                raise unreadable(url, error) from error
        except (library.RequestException, ValueError) as error:
            # The reason alone does not contain the query, such as a signature.
            reason = getattr(error.args[0], "reason", None) if error.args else None
            raise unreadable(url, reason or error) from error


@lru_cache(maxsize=1)
def _session(process: int) -> requests.Session:
    """Return the connections of this process; forked processes must not share them."""
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3 import Retry

    retries = Retry(
        _TRIES, backoff_factor=_FIRST_PAUSE, status_forcelist=_BUSY, raise_on_status=False
    )
    session = requests.Session()
    for scheme in _WEB_SCHEMES:
        session.mount(f"{scheme}://", HTTPAdapter(max_retries=retries))
    return session


class Window:
    """A part of a file, read ahead in sequence. Offsets count from ``start``.

    ``size`` is that of the part in bytes. Reading in sequence, also with small gaps, reads every
    byte once; a jump begins again with a small read.
    """

    def __init__(self, stored: StoredBytes, start: int = 0, size: int | None = None) -> None:
        self.stored = stored
        rest = max(0, stored.size - start)
        self.start, self.size = start, rest if size is None else min(size, rest)
        self.clear()

    def read(self, offset: int, count: int) -> bytes:
        """Return ``count`` bytes from ``offset`` on, or as many as there are."""
        end = min(offset + count, self.size)
        if end <= offset:
            return b""
        if not self._begin <= offset <= end <= self._end:
            self._load(offset, end)
        return self._data[offset - self._begin : end - self._begin]

    def read_some(self, offset: int, count: int) -> bytes:
        """Do the same, but return no bytes beyond the ones that ``fetch`` fetched, if any."""
        if self._is_exact and self._begin <= offset < self._end:
            count = min(count, self._end - offset)
        return self.read(offset, count)

    def fetch(self, offset: int, count: int) -> None:
        """Read exactly these bytes, so that ``read`` can return them."""
        end = min(offset + count, self.size)
        if 0 <= offset < end:
            self._data = self.stored.read(self.start + offset, end - offset)
            self._begin, self._ahead, self._is_exact = offset, _FIRST_BYTES, True

    def clear(self) -> None:
        """Free the memory of the bytes that were read ahead; they are read again if needed."""
        self._data, self._begin, self._ahead, self._is_exact = b"", 0, _FIRST_BYTES, False

    @property
    def _end(self) -> int:
        return self._begin + len(self._data)

    def _load(self, offset: int, end: int) -> None:
        old_end = self._end
        if self._begin <= offset <= old_end + self._ahead:
            kept = min(offset, old_end - _KEPT_BYTES)
            tail = self._data[max(0, kept - self._begin) :]
            begin = old_end
        else:
            # The directory of a ZIP file is at its end, and it is read backwards.
            begin = max(0, min(offset, self.size - _FIRST_BYTES))
            tail, self._ahead = b"", _FIRST_BYTES
        last = min(max(end, begin + self._ahead), self.size)
        data = self.stored.read(self.start + begin, last - begin)
        self._data, self._begin = tail + data, begin - len(tail)
        self._ahead = min(self._ahead * _GROWTH, self.stored.read_ahead)
        self._is_exact = False


class StoredStream(io.RawIOBase):
    """A file as a binary stream that can be sought, for libraries that read such streams.

    Without a window, each read of the stream is one of the file.
    """

    def __init__(self, contents: Window | StoredBytes) -> None:
        super().__init__()
        self._contents, self._position = contents, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_CUR: self._position, io.SEEK_END: self._contents.size}.get(whence, 0)
        if base + offset < 0:
            raise OSError("negative seek position")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        count = min(len(buffer), self._contents.size - self._position)
        data = self._contents.read(self._position, count) if count > 0 else b""
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


def buffered(window: Window) -> io.BufferedReader:
    """Return the stream of a window, of which lines can be read fast."""
    return io.BufferedReader(StoredStream(window), _FIRST_BYTES)

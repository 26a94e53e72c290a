"""Reads and writes the Parquet files of a folder, wherever it is stored.

Spark's own writers need Hadoop's libraries for each kind of storage. These need pyarrow, which
reads the archives, too. A file is complete or absent, and has a name that no other attempt of the
same task has.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager, suppress
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.fs import FileSelector, FileType, LocalFileSystem

from crawler.errors import CrawlerError
from crawler.warc.stored_bytes import (
    ARROW_ERRORS,
    is_remote,
    remote_place,
    split_query,
    unreadable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from typing import IO, Any

    from pyarrow.fs import FileSystem

_GROUP_ROWS = 500
# Rows may hold whole articles.
_ROWS_AT_ONCE = 64
# Keeps the memory of a task low if records are large.
_GROUP_BYTES = 8 << 20
_LOCAL = LocalFileSystem()
_OBJECT_STORES = ("s3", "gcs")


class _Place(NamedTuple):
    system: FileSystem
    path: str


def _place(address: str) -> _Place:
    if not is_remote(address):
        return _Place(_LOCAL, address)
    place = remote_place(address)
    return _Place(place.system, place.path)


def _make_parent(system: FileSystem, path: str) -> None:
    """Make the folder of a file. Object stores have none: each would be an object of its own."""
    if system.type_name not in _OBJECT_STORES:
        system.create_dir(path.rpartition("/")[0])


@contextmanager
def _errors(address: str, done: str = "read") -> Iterator[None]:
    try:
        yield
    except CrawlerError:
        # It names what is wrong already.
        raise
    except ARROW_ERRORS as error:
        raise unreadable(address, error, done) from error


class _NoPandas(MetaPathFinder):
    """Finds that there is no pandas."""

    @classmethod
    def find_spec(cls, name: str, *_: object) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name, name=name)


def _spare_pandas() -> None:
    """Let pyarrow take pandas for missing in a process of executors.

    It would import pandas, if that is installed, with its first array. That takes 50 MB of each
    process, and nothing here needs it.
    """
    tasks = sys.modules.get("pyspark.taskcontext")
    is_executor = tasks is not None and tasks.TaskContext.get() is not None
    if is_executor and "pandas" not in sys.modules:
        sys.meta_path.insert(0, _NoPandas)
        try:
            pa.array([""])
        finally:
            sys.meta_path.remove(_NoPandas)


class Folder:
    """A folder at an address; every name in it is relative to that. Raises StorageError."""

    def __init__(self, address: str) -> None:
        self.address = address
        path, self._query = split_query(address)
        self._path = path.rstrip("/")

    def at(self, name: str) -> str:
        """Return the address of a file; the query of a URL, which names its server, stays last."""
        return f"{self._path}/{name}{self._query}"

    def exists(self, name: str) -> bool:
        with _errors(self.at(name)):
            system, path = _place(self.at(name))
            return bool(system.get_file_info(path).type != FileType.NotFound)

    def files(self, name: str) -> list[str]:
        """Return the files below a folder in this one, sorted; none if it does not exist."""
        with _errors(self.at(name)):
            system, path = _place(self.at(name))
            selector = FileSelector(path, allow_not_found=True, recursive=True)
            found = system.get_file_info(selector)
        return sorted(f"{name}{one.path.removeprefix(path)}" for one in found if one.is_file)

    def delete(self, name: str) -> None:
        """Delete a folder with all its files, or a file, if it exists."""
        with _errors(self.at(name), "deleted"):
            system, path = _place(self.at(name))
            kind = system.get_file_info(path).type
            if kind == FileType.Directory:
                system.delete_dir(path)
            elif kind == FileType.File:
                system.delete_file(path)

    def move(self, name: str, new_name: str) -> None:
        """Give a file another place. In an object store, it is copied."""
        with _errors(self.at(new_name), "written"):
            system, path = _place(self.at(name))
            new_path = _place(self.at(new_name)).path
            _make_parent(system, new_path)
            system.move(path, new_path)

    def read(self, name: str) -> bytes:
        with _errors(self.at(name)):
            system, path = _place(self.at(name))
            with system.open_input_stream(path) as file:
                data: bytes = file.read()
        return data

    def write(self, name: str, data: bytes) -> None:
        with self.writing(name) as file, _errors(self.at(name), "written"):
            file.write(data)

    @contextmanager
    def writing(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file for writing; it exists once the block has ended."""
        with _errors(self.at(name), "written"):
            system, path = _place(self.at(name))
            _make_parent(system, path)
            is_local = isinstance(system, LocalFileSystem)
            target = f"{path}.{uuid4().hex}.part" if is_local else path
            file = system.open_output_stream(target)
        try:
            yield file
        except BaseException:
            # The error in the block is the one to report, whatever else fails.
            with suppress(*ARROW_ERRORS):
                file.close()
            raise
        with _errors(self.at(name), "written"):
            file.close()
            if is_local:
                system.move(target, path)

    def rows(self, name: str, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
        """Yield the rows of a Parquet file, in memory that does not grow with the file."""
        with _errors(self.at(name)):
            system, path = _place(self.at(name))
            with system.open_input_file(path) as source:
                file = pq.ParquetFile(source)
                for batch in file.iter_batches(_ROWS_AT_ONCE, columns=columns and list(columns)):
                    yield from batch.to_pylist()

    def parquet(self, name: str, schema: pa.Schema) -> ParquetFile:
        """Return a Parquet file to write rows to; it exists only if there are any."""
        return ParquetFile(self, name, schema)


class ParquetFile:
    """A Parquet file that is being written; use it in a ``with`` block."""

    def __init__(self, folder: Folder, name: str, schema: pa.Schema) -> None:
        _spare_pandas()
        self.name = name
        self.count = 0
        self._folder = folder
        self._schema = schema
        self._rows: list[dict[str, Any]] = []
        self._bytes = 0
        self._opened = ExitStack()
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> ParquetFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: Any) -> None:
        if kind is not None:
            self._opened.__exit__(kind, *error)
            return
        with self._opened:
            if self._rows:
                self._write()
            if self._writer is not None:
                with self._errors():
                    self._writer.close()

    def add(self, row: dict[str, Any], size: int = 0) -> None:
        """Add a row; ``size`` is roughly that of its values in bytes."""
        self._rows.append(row)
        self._bytes += size
        if len(self._rows) >= _GROUP_ROWS or self._bytes >= _GROUP_BYTES:
            self._write()

    def _write(self) -> None:
        rows = pa.Table.from_pylist(self._rows, self._schema)
        if self._writer is None:
            file = self._opened.enter_context(self._folder.writing(self.name))
            with self._errors():
                self._writer = pq.ParquetWriter(file, self._schema, compression="zstd")
            self._opened.callback(self._abandon)
        with self._errors():
            self._writer.write_table(rows)
        self.count += len(self._rows)
        self._rows, self._bytes = [], 0

    def _abandon(self) -> None:
        """Close the writer if an error has left it open, or it would complain of it later."""
        with suppress(*ARROW_ERRORS):
            if self._writer is not None:
                self._writer.close()

    def _errors(self) -> AbstractContextManager[None]:
        return _errors(self._folder.at(self.name), "written")


def column(name: str, kind: pa.DataType, description: str, *, nullable: bool = False) -> pa.Field:
    """Return a column of a table in the output; its description is metadata of the file."""
    return pa.field(name, kind, nullable=nullable, metadata={"description": description})


def unique_name(folder: str) -> str:
    """Return a name for a Parquet file in a folder that no other attempt of a task chooses."""
    return f"{folder}/part-{uuid4().hex}.parquet"

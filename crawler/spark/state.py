"""The state of the output between two runs, and the commit that replaces one by the next.

A run writes everything below ``_next``. Its commit is a list of files to move to their places and
of files to delete, which is written first: if the run dies during the commit, the next one ends it.
``_SUCCESS`` is absent meanwhile. All names of files are unique, so that a step done twice does no
harm, and nothing is deleted before all that replaces it is in place. Of two runs at the same time,
the one that began first finds the other's ``_RUN`` before its commit, and gives up.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import msgspec
import pyarrow as pa

from crawler.errors import CrawlerError
from crawler.exit_codes import COULD_NOT_START
from crawler.spark.folders import Folder, column, unique_name
from crawler.spark.walking import InputFile, Walked
from crawler.warc.stored_bytes import display_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from crawler.spark.options import Options

_T = TypeVar("_T")
FORMAT = 1
_AT_ONCE = 32
_NEXT, _COMMIT, _RUN, _SUCCESS = "_next", "_next/_COMMIT", "_next/_RUN", "_SUCCESS"
_TEXT, _NUMBER = pa.string(), pa.int64()
FILES = pa.schema(
    [
        column("address", _TEXT, "The path or the URL of an archive file, or of an index."),
        column("size", _NUMBER, "Its size in bytes."),
        column("modified", _TEXT, "When it was last modified; null: not known.", nullable=True),
        column("is_index", pa.bool_(), "Whether it is an index, given with --index."),
        column("captures", _NUMBER, "How many captures it has."),
        column("without_article", _NUMBER, "How many of them have an address that no article has."),
        column("faults", pa.list_(_TEXT), "What could not be read in it."),
        column(
            "unreadable", _TEXT, "Why it could not be read at all; null: it was.", nullable=True
        ),
        column("table", _TEXT, "The file in _state with its captures; null: none.", nullable=True),
    ]
)
"""The table ``files``: the inputs of all runs."""


class State:
    """The output folder of a job. Raises CrawlerError if it cannot be used for these options."""

    def __init__(self, options: Options) -> None:
        self.folder = Folder(options.output)
        self._asked = {
            "format": FORMAT,
            "at": str(options.at or ""),
            "site": options.site or "",
            "domains": list(options.domains),
            "publishers": options.publishers or "",
            "hosts": options.hosts if isinstance(options.hosts, str) else list(options.hosts),
            # Files that were listed are not listed again, so their addresses remain.
            "prefix": options.prefix,
            # Nor are pages that were too large read again.
            "max-size": options.most_bytes,
        }
        self._run = uuid4().hex
        self.files: list[Walked] = []
        """The inputs of the runs before."""
        self.outcomes: list[str] = []
        self._recover()
        self.folder.write(_RUN, self._run.encode())

    def leave(self) -> None:
        """Leave the output as it is, if nothing in it has to be replaced."""
        self.folder.delete(_NEXT)

    def _recover(self) -> None:
        folder = self.folder
        if folder.exists(_COMMIT):
            self._commit(msgspec.json.decode(folder.read(_COMMIT)))
        folder.delete(_NEXT)
        if not folder.exists(_SUCCESS):
            if found := folder.files("records") or folder.files("_state"):
                raise CrawlerError(
                    f"output: {folder.at(found[0])} is not the output of a job that has ended; "
                    "give an empty folder"
                )
            return
        asked = msgspec.json.decode(folder.read(_SUCCESS))
        if asked != self._asked:
            differ = ", ".join(
                f"{name} {asked.get(name)!r}, now {value!r}"
                for name, value in self._asked.items()
                if asked.get(name) != value
            )
            raise CrawlerError(
                f"output: {display_name(folder.address)} was made with {differ}; give the same, or "
                "another folder"
            )
        for name in folder.files("files"):
            self.files += map(_walked, folder.rows(name))
        self.outcomes = folder.files("_state/outcomes")

    def write_files(self, files: Iterable[Walked]) -> str:
        """Write the table of all inputs; return its name."""
        with self.folder.parquet(unique_name(f"{_NEXT}/files"), FILES) as table:
            for walked in files:
                table.add(
                    {
                        **walked.file._asdict(),
                        "captures": walked.captures,
                        "without_article": walked.without_article,
                        "faults": list(walked.faults),
                        "unreadable": walked.unreadable,
                        "table": walked.table and walked.table.removeprefix(f"{_NEXT}/"),
                    }
                )
        return table.name

    def replace(self, written: Iterable[str], outdated: Iterable[str]) -> None:
        """Put the files of this run in their places, and delete those that they replace.

        Raises CrawlerError if another job has begun to write to this output.
        """
        if not self.folder.exists(_RUN) or self.folder.read(_RUN) != self._run.encode():
            raise CrawlerError(
                f"output: another job writes to {display_name(self.folder.address)}, too; wait for "
                "it, and run the same command again",
                exit_code=COULD_NOT_START,
            )
        moves = [(name, name.removeprefix(f"{_NEXT}/")) for name in written]
        commit = {"move": moves, "delete": list(outdated), "asked": self._asked}
        self.folder.write(_COMMIT, msgspec.json.encode(commit))
        self._commit(commit)
        self.folder.delete(_NEXT)

    def _commit(self, commit: dict[str, Any]) -> None:
        self.folder.delete(_SUCCESS)
        _each(self._move, commit["move"])
        _each(self.folder.delete, commit["delete"])
        self.folder.write(_SUCCESS, msgspec.json.encode(commit["asked"]))

    def _move(self, names: tuple[str, str]) -> None:
        name, new_name = names
        if self.folder.exists(name):
            self.folder.move(name, new_name)
        elif not self.folder.exists(new_name):
            raise CrawlerError(
                f"output: {display_name(self.folder.at(name))} is missing; something else has "
                "deleted it, so give another folder",
                exit_code=COULD_NOT_START,
            )


def _each(work: Callable[[_T], None], items: Iterable[_T]) -> None:
    """Do the same with each item, with many at once: an object store answers slowly."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for _ in pool.map(work, items):
            pass


def _walked(row: dict[str, Any]) -> Walked:
    file = InputFile(row["address"], row["size"], row["modified"], row["is_index"])
    faults = tuple(row["faults"])
    return Walked(
        file, row["table"], row["captures"], row["without_article"], faults, row["unreadable"]
    )

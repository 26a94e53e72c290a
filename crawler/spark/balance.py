"""The balance of all captures: each became a record, was superseded, left out or is a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import msgspec
import pyarrow as pa

from crawler.errors import CrawlerError
from crawler.exit_codes import UNBALANCED
from crawler.spark.folders import column, unique_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crawler.spark.folders import Folder

Name = Literal["record", "superseded", "duplicate", "failure", "left out"]
"""The fate of a capture: it is a record, or another capture of its article; that of a page
that is the same article as a record's, of an article that could not be read, or of no article."""
NAMES: tuple[Name, ...] = get_args(Name)
_TEXT = pa.string()
SCHEMA = pa.schema(
    [
        column(
            "publisher",
            _TEXT,
            "The publisher; null: it is not known, or the captures are of no article.",
            nullable=True,
        ),
        column(
            "year",
            _TEXT,
            'The year of publication, or "unknown"; null: there is no record that has one.',
            nullable=True,
        ),
        column("fate", _TEXT, "What became of the captures."),
        column(
            "reason",
            _TEXT,
            "The reason of failures, or why captures were left out; null: there is none.",
            nullable=True,
        ),
        column("captures", pa.int64(), "How many captures they are."),
    ]
)
"""The table ``balance``: what became of the captures of all files."""


class Fate(NamedTuple):
    """What became of captures; ``reason`` is that of a failure, or why they were left out."""

    publisher: str | None
    year: str | None
    name: Name
    reason: str | None = None


Entry = tuple[Fate, int]
"""What became of captures, and of how many."""


def fates_of(outcome: dict[str, Any]) -> Iterator[Entry]:
    """Yield what became of the captures of an article."""
    publisher = outcome["publisher"]
    year = outcome["month"] and outcome["month"].partition("-")[0]
    if outcome["kind"] == "left out":
        for reason, count in msgspec.json.decode(outcome["left_out"]).items():
            yield Fate(None, None, "left out", reason), count
        return
    if outcome["kind"] == "failure":
        yield Fate(publisher, year, "failure", outcome["reason"]), 1
    else:
        is_duplicate = outcome["duplicate_of"] is not None
        yield Fate(publisher, year, "duplicate" if is_duplicate else "record"), 1
    if outcome["captures"] > 1:
        yield Fate(publisher, year, "superseded"), outcome["captures"] - 1


def drawn_up(counts: Iterable[Entry], without_article: int, captures: int) -> list[Entry]:
    """Return the balance. Raises CrawlerError if its sum is not the number of captures."""
    entries = list(counts)
    if without_article:
        entries.append((Fate(None, None, "left out", _NO_ARTICLE), without_article))
    if (total := sum(count for _, count in entries)) != captures:
        raise CrawlerError(
            f"the balance has {total:,} captures, and the files {captures:,}; this is a bug in "
            "this program, please report it",
            exit_code=UNBALANCED,
        )
    return sorted(entries, key=lambda entry: [value or "" for value in entry[0]])


_NO_ARTICLE = "whose address is not an article's"


def write(folder: Folder, entries: Iterable[Entry]) -> Iterator[str]:
    """Write the balance as a table; yield its name, if there were any captures."""
    with folder.parquet(unique_name("_next/balance"), SCHEMA) as table:
        for (publisher, year, fate, reason), count in entries:
            table.add(
                {
                    "publisher": publisher,
                    "year": year,
                    "fate": fate,
                    "reason": reason,
                    "captures": count,
                }
            )
    if table.count:
        yield table.name

"""The formats of ``scrapy export``: their names, the endings of their files, and their writers."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.errors import CrawlerError
from crawler.export import (
    atom,
    csv_files,
    datapackage,
    graph,
    json_ld,
    json_lines,
    parquet,
    sqlite,
    tables,
)
from crawler.files import is_special

if TYPE_CHECKING:
    from crawler.export.corpus import Copies
    from crawler.export.tables import Table

Companion = tuple[str, bytes]
"""The name and the content of a file that describes an export beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFiles:
    """How a format writes tables, in a file each."""

    format: datapackage.TableFormat
    write: Callable[..., int]
    """``write(table, corpus, file, **options)`` writes one table, and returns how many rows."""
    with_instants: bool
    """Whether times are typed, so that those not known to be instants are text beside them."""

    def tables(self, copies: Copies | None, every_revision: bool) -> tuple[Table, ...]:
        articles = tables.articles(
            copies, every_revision=every_revision, with_instants=self.with_instants
        )
        return articles, tables.LINKS, tables.MEDIA

    def describe(self, files: dict[str, Table]) -> bytes:
        """Return the content of datapackage.json, for tables by the names of their files."""
        return datapackage.describe(files, self.format)

    def companion(self, target: Path, copies: Copies | None, every_revision: bool) -> Companion:
        articles, *_ = self.tables(copies, every_revision)
        return f"{target.stem}.datapackage.json", self.describe({target.name: articles})


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format of exports, in one file or, if it has ``folder``, in a folder of tables."""

    name: str
    endings: tuple[str, ...]
    meaning: str
    write: Callable[..., int]
    """``write(corpus, file, copies, **options)`` returns how many articles it has written."""
    options: frozenset[str] = frozenset()
    """The options that ``write`` takes."""
    is_text: bool = True
    """Whether it may go to standard output or a pipe."""
    folder: TableFiles | None = None
    companion: Callable[[Path, Copies | None, bool], Companion] | None = None
    """Returns the file to write beside an export of this name."""


def _sqlite_companion(target: Path, copies: Copies | None, _: bool) -> Companion:
    content = sqlite.metadata(target.stem, sqlite.database_tables(copies))
    return f"{target.stem}.metadata.json", content


_CSV = TableFiles(format="csv", write=csv_files.write_table, with_instants=False)
_PARQUET = TableFiles(format="parquet", write=parquet.write_table, with_instants=True)
FORMATS = (
    Format(
        name="jsonl",
        endings=(".jsonl", ".jl"),
        meaning="the records of the articles as JSON Lines",
        write=json_lines.write_jsonl,
        options=frozenset(("every_revision",)),
    ),
    Format(
        name="csv",
        endings=(".csv",),
        meaning="the articles as a table, or a folder with articles.csv, links.csv and media.csv",
        write=csv_files.write_csv,
        options=frozenset(("every_revision", "escape_formulas")),
        folder=_CSV,
        companion=_CSV.companion,
    ),
    Format(
        name="parquet",
        endings=(".parquet",),
        meaning="the same tables with typed columns",
        write=parquet.write_parquet,
        options=frozenset(("every_revision",)),
        is_text=False,
        folder=_PARQUET,
        companion=_PARQUET.companion,
    ),
    Format(
        name="sqlite",
        endings=(".sqlite", ".sqlite3", ".db"),
        meaning="a database with full-text search, for Datasette or SQL",
        write=sqlite.write_sqlite,
        is_text=False,
        companion=_sqlite_companion,
    ),
    Format(
        name="gexf",
        endings=(".gexf",),
        meaning="the link graph for Gephi, with its history if it is that of a job",
        write=graph.write_gexf,
    ),
    Format(
        name="graphml",
        endings=(".graphml",),
        meaning="the link graph for other programs",
        write=graph.write_graphml,
    ),
    Format(
        name="atom",
        endings=(".atom",),
        meaning="a feed of the newest and the changed articles",
        write=atom.write_atom,
    ),
    Format(
        name="jsonld",
        endings=(".jsonld",),
        meaning="the articles as NewsArticle of schema.org",
        write=json_ld.write_json_ld,
    ),
)
_BY_NAME = {known.name: known for known in FORMATS}
_BY_ENDING = {ending: known for known in FORMATS for ending in known.endings}
LISTED = ", ".join(f"{known.name} ({' '.join(known.endings)})" for known in FORMATS)


def choose(name: str | None, output: str | None) -> Format:
    """Return the format named by ``--format``, or else by the ending of ``-o``.

    Without either, and for devices, it is JSON Lines. Raises CrawlerError if the format is unknown,
    if both are given and differ, or if the format cannot be written there.
    """
    if name is not None and name not in _BY_NAME:
        raise CrawlerError(f"format: got {name!r}, takes one of {LISTED}")
    named = _BY_NAME[name] if name else None
    if output is None:
        return _streamable(named or _BY_NAME["jsonl"], "standard output")
    if names_folder(output):
        return _foldable(named or _BY_NAME["csv"], output)
    if is_special(Path(output)):
        return _streamable(named or _BY_NAME["jsonl"], output)
    ending = Path(output).suffix.lower()
    ended = _BY_ENDING.get(ending)
    if named is None and ended is None:
        raise CrawlerError(
            f"output: got {output!r}, takes a file with the ending of a format: {LISTED}; or name "
            "the format with --format"
        )
    if named is not None and ended is not None and named is not ended:
        raise CrawlerError(
            f"format: got {named.name!r}, but {output} has the ending of {ended.name}; leave out "
            "--format, or give another file"
        )
    chosen = named or ended
    assert chosen is not None
    return chosen


def names_folder(output: str) -> bool:
    """Return whether an output is a folder: it ends in a slash, or there is one."""
    return output.endswith(os.sep) or Path(output).is_dir()


def _streamable(chosen: Format, output: str) -> Format:
    if not chosen.is_text:
        raise CrawlerError(
            f"output: {output} cannot take {chosen.name}; give a file, such as "
            f"-o articles{chosen.endings[0]}"
        )
    return chosen


def _foldable(chosen: Format, output: str) -> Format:
    if chosen.folder is None:
        folders = " or ".join(known.name for known in FORMATS if known.folder)
        raise CrawlerError(
            f"output: the folder {output} takes {folders}; for {chosen.name}, give a file, such as "
            f"-o articles{chosen.endings[0]}"
        )
    return chosen

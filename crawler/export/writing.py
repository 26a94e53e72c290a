"""Writes an export to a stream, a file or a folder. Each file is written whole, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from crawler.files import is_special, make_folder, whole_file

if TYPE_CHECKING:
    from crawler.export.corpus import Copies, Corpus
    from crawler.export.formats import Format

_DESCRIPTOR = "datapackage.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """An export of a corpus in one format, which has to take the options given."""

    corpus: Corpus
    chosen: Format
    copies: Copies | None
    every_revision: bool
    escape_formulas: bool

    def to_stream(self, stream: IO[bytes]) -> int:
        """Write the articles. Returns their number."""
        options = self._options("every_revision", "escape_formulas")
        return self.chosen.write(self.corpus, stream, self.copies, **options)

    def to_file(self, target: Path) -> str:
        """Write a file, and its description beside it. Returns a line about both.

        Raises OSError if a file cannot be written.
        """
        with whole_file(target) as file:
            count = self.to_stream(file)
        written = f"{self._counted(count)} in {target}"
        if self.chosen.companion is None or is_special(target):
            return written
        name, content = self.chosen.companion(target, self.copies, self.every_revision)
        beside = target.with_name(name)
        with whole_file(beside) as file:
            file.write(content)
        return f"{written}, described in {beside}"

    def to_folder(self, folder: Path) -> str:
        """Write a file for each table, and then their description. Returns a line about them.

        Raises OSError if a file cannot be written.
        """
        tables = self.chosen.folder
        assert tables is not None
        make_folder(folder)
        files = {
            f"{table.name}{self.chosen.endings[0]}": table
            for table in tables.tables(self.copies, self.every_revision)
        }
        options = self._options("escape_formulas")
        counts: list[str] = []
        for name, table in files.items():
            with whole_file(folder / name) as file:
                count = tables.write(table, self.corpus, file, **options)
            counts.append(f"{count:,} {table.name}" if counts else self._counted(count))
        with whole_file(folder / _DESCRIPTOR) as file:
            file.write(tables.describe(files))
        return f"{', '.join(counts)} in {folder}, described in {folder / _DESCRIPTOR}"

    def _options(self, *names: str) -> dict[str, Any]:
        """Return those of the named options that the format takes."""
        return {name: getattr(self, name) for name in names if name in self.chosen.options}

    def _counted(self, count: int) -> str:
        return f"{count:,} {'revisions' if self.every_revision else 'articles'}"

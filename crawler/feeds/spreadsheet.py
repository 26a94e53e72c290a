"""CSV export that is safe to open in a spreadsheet and round-trips nested values.

Spreadsheets run cells that begin with certain characters as formulas. An apostrophe is put before
such text, as OWASP recommends ("CSV Injection"); numbers are left as they are. It is also put
before such text that begins with apostrophes, so that ``unescaped`` can tell the two apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from itemadapter import is_item
from scrapy.exporters import CsvItemExporter
from scrapy.utils.serialize import ScrapyJSONEncoder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scrapy.crawler import Crawler

# The characters listed by OWASP; the last four are fullwidth forms.
_FORMULA_STARTS = tuple("=+-@＝＋－＠")
_CONTROL_STARTS = ("\t", "\r", "\n")


class SafeCsvExporter(CsvItemExporter):
    """Scrapy's CSV exporter, with lists, objects and booleans as JSON.

    A field's own ``serializer`` still applies. With the setting CSV_ESCAPE_FORMULAS off, text is
    written unchanged.
    """

    def __init__(self, *args: Any, escape_formulas: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._json = ScrapyJSONEncoder(ensure_ascii=False)
        if escape_formulas:
            self.csv_writer = _EscapingWriter(self.csv_writer)  # type: ignore[assignment]

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        escape = crawler.settings.getbool("CSV_ESCAPE_FORMULAS", True)
        return cls(*args, **{"escape_formulas": escape, **kwargs})

    def serialize_field(self, field: Mapping[str, Any], name: str, value: Any) -> Any:
        if "serializer" in field:
            value = field["serializer"](value)
        return self._json.encode(value) if _needs_json(value) else value


class _EscapingWriter:
    """A CSV writer that escapes header rows too: the keys of a dict may come from a site."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def writerow(self, row: Iterable[Any]) -> None:
        self._writer.writerow(map(escaped, row))


def _needs_json(value: Any) -> bool:
    return isinstance(value, (bool, dict, list, tuple, set, frozenset)) or is_item(value)


def escaped(value: Any) -> Any:
    """Return a cell that no spreadsheet runs; values other than text are returned unchanged."""
    return f"'{value}" if isinstance(value, str) and _is_formula(value) else value


def unescaped(cell: str) -> str:
    """Return the text whose ``escaped`` form is ``cell``."""
    return cell[1:] if cell.startswith("'") and _is_formula(cell) else cell


def _is_formula(text: str) -> bool:
    text = text.lstrip("'")
    # Some programs strip leading spaces before checking for a formula.
    return text.startswith(_CONTROL_STARTS) or text.lstrip().startswith(_FORMULA_STARTS)

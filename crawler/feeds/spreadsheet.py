"""CSV that is safe to open in a spreadsheet and whose nested values can be read back.

A spreadsheet runs a cell that begins with one of a few characters as a formula, whoever wrote it.
Such cells begin with an apostrophe, as OWASP advises ("CSV Injection"); numbers stay numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from itemadapter import is_item
from scrapy.exporters import CsvItemExporter
from scrapy.utils.serialize import ScrapyJSONEncoder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scrapy.crawler import Crawler

# Those of OWASP, the last four in the double width of East Asian text.
_FORMULA_STARTS = tuple("=+-@＝＋－＠")
_CONTROL_STARTS = ("\t", "\r", "\n")


class SafeCsvExporter(CsvItemExporter):
    """Scrapy's CSV, with JSON in the cells of lists, objects, true and false.

    A field's own ``serializer`` still decides what is in its cells. With the setting
    CSV_ESCAPE_FORMULAS off, text is written as it is.
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
    """A csv writer, for the row of names too: those of a dictionary may come from a site."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def writerow(self, row: Iterable[Any]) -> None:
        self._writer.writerow(map(_escaped, row))


def _needs_json(value: Any) -> bool:
    return isinstance(value, (bool, dict, list, tuple, set, frozenset)) or is_item(value)


def _escaped(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    # Some programs drop spaces before they look for a formula.
    runs = value.startswith(_CONTROL_STARTS) or value.lstrip().startswith(_FORMULA_STARTS)
    return f"'{value}" if runs else value

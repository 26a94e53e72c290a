"""The page of an article, as it was fetched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawler.extraction.api import normalise, parse

if TYPE_CHECKING:
    from crawler.extraction.page import ParsedPage
    from crawler.extraction.publishers import Publisher
    from crawler.extraction.refusal import Refusal
    from crawler.items import PageRecord


@dataclass(frozen=True, slots=True)
class Page:
    """The bytes of a page, its address, and the charset in its HTTP header."""

    url: str
    body: bytes
    charset: str | None

    def parse(self, publisher: Publisher) -> ParsedPage:
        """Return the raw values of the page."""
        return parse(self.body, url=self.url, charset=self.charset, publisher=publisher)

    def read(self, publisher: Publisher) -> PageRecord | Refusal:
        """Return the record of the page's article, or why the page is not an article."""
        return normalise(self.parse(publisher), publisher)

"""Fall back to a general extractor for pages whose structure does not identify the article text.

trafilatura was the most accurate extractor measured, but takes 12 to 40 ms per page. It is only
imported when needed, because the import costs more than parsing many pages.
"""

import logging

from crawler.extraction.page.article import Chosen
from crawler.extraction.page.parts import is_noise
from crawler.extraction.page.text import collapse


def extract(text: str, chosen: Chosen) -> tuple[str, ...]:
    """Return the paragraphs found by trafilatura, if any, without the headline and date line."""
    import trafilatura

    # trafilatura logs an error for every page without an article, an ordinary result here.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    found = trafilatura.extract(text, fast=True, include_comments=False, include_tables=True) or ""
    excluded = {
        chosen.headline.value if chosen.headline else "",
        chosen.dated.raw if chosen.dated else "",
    }
    return tuple(
        line
        for raw in found.splitlines()
        if (line := collapse(raw)) and line not in excluded and not is_noise(line)
    )

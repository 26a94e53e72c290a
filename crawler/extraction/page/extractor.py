"""A general extractor, for pages whose own structure does not tell which text is the article's.

trafilatura is the most exact of those measured and takes 12 to 40 ms a page, so it is asked only then, and
imported only then: its import costs more than reading many pages.
"""

import logging

from crawler.extraction.page.article import Chosen
from crawler.extraction.page.parts import is_noise
from crawler.extraction.page.text import collapse


def extract(text: str, chosen: Chosen) -> tuple[str, ...]:
    """Return the paragraphs that trafilatura finds, less the headline and date line; () where it finds none."""
    import trafilatura

    # It logs as errors what is an ordinary answer here: that a page has no article.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    found = trafilatura.extract(text, fast=True, include_comments=False, include_tables=True) or ""
    known = {
        chosen.headline.value if chosen.headline else "",
        chosen.dated.raw if chosen.dated else "",
    }
    return tuple(
        line
        for raw in found.splitlines()
        if (line := collapse(raw)) and line not in known and not is_noise(line)
    )

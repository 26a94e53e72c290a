"""PHP's ``var_dump`` output, found in the raw bytes of a page and read back as Python values.

In: bytes, exactly as they came. An HTML parser or a text decoder must not have touched them, because a
dumped string says its length in bytes and escapes nothing. Out: ``scan`` yields a ``Dump`` for every dump
it finds and never raises; what was cut off is kept as far as it was whole, and said to be incomplete.

Knows nothing of news or of Scrapy.
"""

from crawler.vardump.lengths import EXACT
from crawler.vardump.reader import Cut, Dump, scan

__all__ = ["EXACT", "Cut", "Dump", "scan"]

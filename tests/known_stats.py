"""Importing this ends a crawl that sets a stat of ours which the reference does not describe.

Every crawl of the tests imports it, so the reference has all stats that they set.
"""

import os
import sys
from typing import Any

from scrapy.statscollectors import StatsCollector

from crawler.crawl.stats import is_known

# It adds up the counts of workers, which include Scrapy's own stats.
_ADDS_UP = "crawler.workers.desk"


def _refuse_unknown(method: Any) -> None:
    def set_known(collector: StatsCollector, key: str, *args: Any, **options: Any) -> None:
        setter = sys._getframe(1).f_globals["__name__"]
        is_ours = setter.startswith("crawler.") and setter != _ADDS_UP
        if is_ours and not is_known(key):
            print(f"{setter} sets {key!r}, which is not in crawler.crawl.stats", file=sys.stderr)
            # Scrapy would catch an exception.
            os._exit(99)
        method(collector, key, *args, **options)

    setattr(StatsCollector, method.__name__, set_known)


for method in (StatsCollector.set_value, StatsCollector.inc_value, StatsCollector.max_value):
    _refuse_unknown(method)

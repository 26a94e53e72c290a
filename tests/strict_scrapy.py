"""The scrapy command, with Scrapy's deprecation warnings, and unknown stats of ours, as errors."""

import os
import select
import time
import warnings

import known_stats  # noqa: F401
from scrapy.cmdline import execute
from scrapy.exceptions import ScrapyDeprecationWarning

if "FAKETIME" in os.environ:
    # libfaketime 0.9.10 changes the absolute time for which Python sleeps, on a clock that it was
    # told not to change.
    time.sleep = lambda seconds: select.select((), (), (), seconds)
warnings.simplefilter("error", ScrapyDeprecationWarning)
execute()

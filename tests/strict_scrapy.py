"""The scrapy command, with Scrapy's deprecation warnings, and unknown stats of ours, as errors."""

import warnings

import known_stats  # noqa: F401
from scrapy.cmdline import execute
from scrapy.exceptions import ScrapyDeprecationWarning

warnings.simplefilter("error", ScrapyDeprecationWarning)
execute()

"""The scrapy command, with Scrapy's deprecation warnings as errors."""

import warnings

from scrapy.cmdline import execute
from scrapy.exceptions import ScrapyDeprecationWarning

warnings.simplefilter("error", ScrapyDeprecationWarning)
execute()

"""The scrapy command, with every deprecation of Scrapy as an error."""

import warnings

from scrapy.cmdline import execute
from scrapy.exceptions import ScrapyDeprecationWarning

warnings.simplefilter("error", ScrapyDeprecationWarning)
execute()

"""The settings of this Scrapy project, which apply to all of its spiders.

The articles spider needs more settings, which it brings itself; they are in crawler/defaults.py.
"""

from sys import platform

from crawler import defaults

BOT_NAME = "neighbourhood-crawler"
SPIDER_MODULES = ["crawler.spiders"]
NEWSPIDER_MODULE = "crawler.spiders"
COMMANDS_MODULE = "crawler.commands"
SPIDER_CONTRACTS = {"crawler.spiders.contracts.SavedPageContract": 1}

USER_AGENT = defaults.SETTINGS["USER_AGENT"]
ROBOTSTXT_OBEY = True
ROBOTSTXT_USER_AGENT = defaults.SETTINGS["ROBOTSTXT_USER_AGENT"]
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False

ASYNCIO_EVENT_LOOP = None if platform == "win32" else "uvloop.Loop"

# Spreadsheet programs run some CSV cells as formulas, whichever spider wrote them.
FEED_EXPORTERS = defaults.COMPONENTS["FEED_EXPORTERS"]
CSV_ESCAPE_FORMULAS = defaults.SETTINGS["CSV_ESCAPE_FORMULAS"]
FEED_EXPORT_ENCODING = "utf-8"
FEEDS = {
    f"output/%(time)s/{name}.jsonl": {
        "format": "jsonlines",
        "store_empty": False,
        "item_classes": [f"crawler.items.{record}"],
    }
    for name, record in (("articles", "Article"), ("teasers", "Teaser"), ("failures", "Failure"))
}

LOG_LEVEL = "INFO"
LOG_FORMAT = "%(asctime)s %(levelname)s: %(message)s"
# The summary at the end says what matters; -s STATS_DUMP=1 adds Scrapy's stats.
STATS_DUMP = False
LOG_VERSIONS: list[str] = []

"""Every Scrapy setting of this project that differs from Scrapy's default, with its reason."""

from importlib.metadata import PackageNotFoundError, version
from sys import platform

from scrapy.settings import default_settings

try:
    _VERSION = version("neighbourhood-crawler")
except PackageNotFoundError:
    # Run from a checkout that is not installed.
    _VERSION = "dev"

BOT_NAME = "neighbourhood-crawler"
SPIDER_MODULES = ["crawler.spiders"]
NEWSPIDER_MODULE = "crawler.spiders"
COMMANDS_MODULE = "crawler.commands"

# Manners. A news site is one host: one request at a time, slower when it answers slowly, and it can see who asks.
USER_AGENT = f"neighbourhood-crawler/{_VERSION} (research and archiving of news; Scrapy)"
ROBOTSTXT_OBEY = True
# robots.txt rules are written for this name, not for the whole user agent.
ROBOTSTXT_USER_AGENT = "neighbourhood-crawler"
AUTOTHROTTLE_ENABLED = True
AUTOTHROTTLE_START_DELAY = 1.0
DOWNLOAD_DELAY = 0.5
CONCURRENT_REQUESTS = 1
CONCURRENT_REQUESTS_PER_DOMAIN = 1
DOWNLOAD_TIMEOUT = 60
# Seconds: the longest that a Retry-After is waited for, and the first pause before a retry without one.
RETRY_AFTER_MAX = 600.0
RETRY_BACKOFF = 0.5
# Seconds: the longest Crawl-delay of a robots.txt that is kept to.
CRAWL_DELAY_MAX = 60.0
# After how many pages in a row that fail in the same way a site counts as down; 0 for never.
SITE_DOWN_AFTER = 20
# The failure's own log line says it.
RETRY_GIVE_UP_LOG_LEVEL = "DEBUG"

# Web archives that are asked over the web: where captures are replayed, and where they are listed (None: where archives of that kind have
# it); seconds between requests, and to wait where one is busy and does not say for how long.
WAYBACK_URL = "https://web.archive.org/web"
WAYBACK_CDX_URL: str | None = None
WAYBACK_DELAY = 2.5
WAYBACK_BACKOFF = 60.0

# A browser for pages that need one (render): where Splash is; which of the two render=auto takes; seconds that a page is given to come to
# rest, and for which it must have been so.
SPLASH_URL = "http://127.0.0.1:8050"
RENDERER = "splash"
RENDER_TIMEOUT = 15.0
RENDER_QUIET = 0.5
# Seconds that a page may wait for a free slot of Splash, beside its own time.
SPLASH_SLOT_TIMEOUT = 30.0

# Safety.
DOWNLOAD_VERIFY_CERTIFICATES = True
DOWNLOAD_MAXSIZE = 16 * 1024 * 1024
DOWNLOAD_WARNSIZE = 0
REDIRECT_MAX_TIMES = 5
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False
# Articles need none, and the first cookie makes tldextract fetch a list from the network.
COOKIES_ENABLED = False
# A publisher's pages are on the web or in files.
DOWNLOAD_HANDLERS = {
    "ftp": None,
    "s3": None,
    # Scrapy's own, that for an archive of the run notes the bytes as they come.
    **dict.fromkeys(("http", "https"), "crawler.downloading.recording.RecordingDownloadHandler"),
}
# Which page led to which is nobody else's business.
REFERER_ENABLED = True
REFERRER_POLICY = "no-referrer"

# Each id is asked for once because the frontier knows it; a fingerprint of every request would only cost time.
DUPEFILTER_CLASS = "scrapy.dupefilters.BaseDupeFilter"
SCHEDULER = "crawler.scheduler.FrontierScheduler"
# The frontier keeps the depth.
SPIDER_MIDDLEWARES = {
    "scrapy.spidermiddlewares.depth.DepthMiddleware": None,
    # URLs are made from ids, and meta is never copied.
    "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": None,
    "scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware": None,
}
# Without cookies: switched off, Scrapy would still import what they need, which takes a tenth of a second and opens a socket to see
# whether it could; a crawl of files is to open none.
DOWNLOADER_MIDDLEWARES_BASE = {
    name: place
    for name, place in default_settings.DOWNLOADER_MIDDLEWARES_BASE.items()
    if "cookies" not in name
}
DOWNLOADER_MIDDLEWARES = {
    # Takes the failure of a robots.txt for permission; ours does not (RFC 9309).
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "crawler.middlewares.robots.RobotsMiddleware": 100,
    # In the place of Scrapy's, which it loads where cookies are wanted.
    "crawler.middlewares.cookies.CookiesOnDemand": 700,
    # The last to see an answer.
    "crawler.middlewares.parsing.ReadingMiddleware": 5,
    # Before robots.txt and throttling, which saved pages have no need of.
    "crawler.sources.chain.SourcesMiddleware": 10,
    # Drops a redirect off the site without telling where it led; PublisherOnlyMiddleware tells.
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
    "crawler.middlewares.live.PublisherOnlyMiddleware": 50,
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
    "crawler.middlewares.live.PatientRetryMiddleware": 550,
    "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": None,
    "crawler.middlewares.live.RefusingRedirectMiddleware": 600,
    # Scrapy's returns the half of a stream that is cut as if it were all.
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": None,
    "crawler.middlewares.content_coding.ContentCodingMiddleware": 590,
    # A page that only refreshes to another is no article, and is recorded as such.
    "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware": None,
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
}
ASYNCIO_EVENT_LOOP = None if platform == "win32" else "uvloop.Loop"
# It reads the source of every callback to warn of a mistake that mypy sees too.
WARN_ON_GENERATOR_RETURN_VALUE = False
# A page gives one item: a hundred workers for each response cost more than the page itself.
CONCURRENT_ITEMS = 1

# Seconds that reading a page may take: one that takes longer is a failure, too_slow.
READ_TIMEOUT = 10.0
# Processes that read pages beside this one in a run with seed=all; None for one less than processors, three at most; 0 for none.
READER_PROCESSES: int | None = None

# In the base, so that an ITEM_PIPELINES of the user's own adds to them: without these nothing is read, and nothing is ever done.
ITEM_PIPELINES_BASE = {
    "crawler.pipelines.RecordPipeline": 100,
    # After any of the user's own.
    "crawler.pipelines.MemoryPipeline": 1000,
}
# A crawl with a memory (JOBDIR). Seconds: the bounds of an article's interval between fetches, and the longest that what is committed may
# wait to be safe from a power cut.
RECHECK_MIN = 3600.0
RECHECK_MAX = 30 * 24 * 3600.0
LEDGER_SYNC_INTERVAL = 1.0
EXTENSIONS = {
    # Before all others that log what a site says.
    "crawler.extensions.safe_logs.SafeLogs": -10,
    "crawler.extensions.outcome.Outcome": 0,
    # The same, but what it cannot write counts.
    "scrapy.extensions.feedexport.FeedExporter": None,
    "crawler.feeds.exporter.WatchedFeedExporter": 0,
    "crawler.extensions.job_keeper.JobKeeper": 10,
    "crawler.extensions.archiving.Archiving": 20,
    # The ledger keeps what a crawl knows.
    "scrapy.extensions.spiderstate.SpiderState": None,
    # Off by the settings above too, but then still imported, with all that they need.
    "scrapy.extensions.telnet.TelnetConsole": None,
    "scrapy.extensions.remote_control.RemoteControl": None,
    # Outcome says more than "Crawled N pages".
    "scrapy.extensions.logstats.LogStats": None,
}
SPIDER_CONTRACTS = {"crawler.spiders.contracts.SavedPageContract": 1}

FEED_STORAGES = dict.fromkeys(("", "file"), "crawler.feeds.storage.WholeFileStorage")
# Whether text cells of CSV that a spreadsheet would run as a formula begin with an apostrophe.
CSV_ESCAPE_FORMULAS = True
FEED_EXPORTERS = {
    "csv": "crawler.feeds.spreadsheet.SafeCsvExporter",
    "jsonlines": "crawler.feeds.exporter.RecordLinesExporter",
    "jsonl": "crawler.feeds.exporter.RecordLinesExporter",
    "jl": "crawler.feeds.exporter.RecordLinesExporter",
}
FEED_URI_PARAMS = "crawler.feeds.exporter.uri_params"
FEED_EXPORT_ENCODING = "utf-8"
FEEDS = {
    f"output/{name}-%(time)s.jsonl": {
        "format": "jsonlines",
        "item_classes": [f"crawler.items.{record}"],
    }
    for name, record in (("articles", "Article"), ("teasers", "Teaser"), ("failures", "Failure"))
}

LOG_LEVEL = "INFO"
LOG_FORMAT = "%(asctime)s %(levelname)s: %(message)s"
# The report at the end says what matters; -s STATS_DUMP=1 adds Scrapy's.
STATS_DUMP = False
LOG_VERSIONS: list[str] = []
# Seconds between progress lines where there is no terminal; 0 for none: what cron runs is to be quiet.
PROGRESS_INTERVAL = 0.0

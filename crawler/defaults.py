"""The settings that the articles spider brings along, each with its reason.

The spider applies them itself (``apply``), so that they hold in any project, in scripts and with
``scrapy runspider``, and do not affect other spiders. They rank between Scrapy's defaults and the
user's settings: every setting of a project, a subclass or the command line takes precedence.
Components are added to Scrapy's ``*_BASE`` dictionaries, so that the user's own merge with them.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from scrapy.settings import SETTINGS_PRIORITIES

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

_NOT_SETTINGS = frozenset(("COMPONENTS", "SETTINGS_PRIORITIES", "TYPE_CHECKING"))
try:
    _VERSION = version("neighbourhood-crawler")
except PackageNotFoundError:
    # A checkout that is not installed.
    _VERSION = "dev"

# Politeness: send each host one request at a time, slow down when it responds slowly, and tell it
# who is asking.
USER_AGENT = f"neighbourhood-crawler/{_VERSION} (research and archiving of news; Scrapy)"
ROBOTSTXT_OBEY = True
# robots.txt rules are written for this name, not for the whole user agent.
ROBOTSTXT_USER_AGENT = "neighbourhood-crawler"
AUTOTHROTTLE_ENABLED = True
AUTOTHROTTLE_START_DELAY = 1.0
DOWNLOAD_DELAY = 0.5
CONCURRENT_REQUESTS = 16
CONCURRENT_REQUESTS_PER_DOMAIN = 1
DOWNLOAD_TIMEOUT = 60
# Seconds: the longest Retry-After to wait for, and the first pause before a retry without one.
RETRY_AFTER_MAX = 600.0
RETRY_BACKOFF = 0.5
# Seconds: the longest Crawl-delay in robots.txt to obey; longer ones are shortened to it.
CRAWL_DELAY_MAX = 60.0
# Pages in a row that fail for the same reason before a source counts as down; 0 means never.
SITE_DOWN_AFTER = 20
# The failure has its own log line.
RETRY_GIVE_UP_LOG_LEVEL = "DEBUG"

# Web archives on the web: the URL where captures are replayed, and the URL where they are listed
# (None to derive it from the former). Seconds: the time between requests, and the first wait for a
# busy archive that sends no Retry-After.
WAYBACK_URL = "https://web.archive.org/web"
WAYBACK_CDX_URL: str | None = None
WAYBACK_DELAY = 2.5
WAYBACK_BACKOFF = 60.0

# Browsers (render): the URL of Splash, and the browser that render=auto uses. Seconds: how long a
# page may take to come to rest, how long nothing must happen for it to be at rest, and how much
# longer it may wait for a free slot in Splash.
SPLASH_URL = "http://127.0.0.1:8050"
RENDERER = "splash"
RENDER_TIMEOUT = 15.0
RENDER_QUIET = 0.5
SPLASH_SLOT_TIMEOUT = 30.0

# Safety.
DOWNLOAD_VERIFY_CERTIFICATES = True
# A PEM file of certificate authorities to trust besides the system's, such as that of a company's
# proxy or of a test server; None for the system's alone.
TLS_CA_FILE: str | None = None
DOWNLOAD_MAXSIZE = 16 * 1024 * 1024
DOWNLOAD_WARNSIZE = 0
REDIRECT_MAX_TIMES = 5
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False
# Articles need no cookies, and the first one makes tldextract fetch a list from the network.
COOKIES_ENABLED = False
# Which page led to which is nobody else's business.
REFERER_ENABLED = True
REFERRER_POLICY = "no-referrer"

# The frontier knows which article was requested; a fingerprint of every request only costs time.
DUPEFILTER_CLASS = "scrapy.dupefilters.BaseDupeFilter"
SCHEDULER = "crawler.scheduler.FrontierScheduler"
ITEM_PROCESSOR = "crawler.item_processor.RecordProcessor"
# This check reads the source of every callback to warn of a mistake that mypy finds too.
WARN_ON_GENERATOR_RETURN_VALUE = False
# A page yields one item; Scrapy's hundred workers per response cost more than the page itself.
CONCURRENT_ITEMS = 1

# Seconds that reading a page may take; a page that takes longer is a failure, too_slow.
READ_TIMEOUT = 10.0
# The fields of texts in JSON Lines: of the address, the text and perhaps the date. Those of C4 and
# OSCAR are known.
TEXT_FIELDS = ""
# Worker processes that read pages in a run with seed=all. None means one less than the number of
# processors, at most three; 0 means none.
READER_PROCESSES: int | None = None

# A crawl with a ledger (JOBDIR). Seconds: the bounds of the interval between fetches of an article,
# and how long a commit may wait to be safe from a power cut.
RECHECK_MIN = 3600.0
RECHECK_MAX = 30 * 24 * 3600.0
LEDGER_SYNC_INTERVAL = 1.0

# Whether to put an apostrophe before CSV cells that a spreadsheet would run as a formula.
CSV_ESCAPE_FORMULAS = True
FEED_URI_PARAMS = "crawler.feeds.exporter.uri_params"
FEED_EXPORT_ENCODING = "utf-8"

# Whether to print the summary of a run.
SUMMARY_ENABLED = True
# Seconds between progress lines without a terminal; 0 means none, since cron jobs should be quiet.
PROGRESS_INTERVAL = 0.0

COMPONENTS: dict[str, dict[str, Any]] = {
    # A publisher's pages are on the web or in files.
    "DOWNLOAD_HANDLERS": {
        "ftp": None,
        "s3": None,
        # Scrapy's own handler, which also records the bytes for an archive.
        "http": "crawler.downloading.recording.RecordingDownloadHandler",
        "https": "crawler.downloading.recording.RecordingDownloadHandler",
    },
    "SPIDER_MIDDLEWARES": {
        # The frontier keeps track of the depth.
        "scrapy.spidermiddlewares.depth.DepthMiddleware": None,
        # URLs are made from ids, and the spider never copies meta.
        "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": None,
        "scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware": None,
    },
    "DOWNLOADER_MIDDLEWARES": {
        # The last to see a response.
        "crawler.middlewares.parsing.ParsingMiddleware": 5,
        # Before robots.txt and throttling, which saved pages do not need.
        "crawler.middlewares.sources.SourcesMiddleware": 10,
        # Scrapy's drops an offsite redirect without saying where it led.
        "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
        "crawler.middlewares.offsite.PublisherOnlyMiddleware": 50,
        # Scrapy's takes a failure to fetch robots.txt as permission, contrary to RFC 9309.
        "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
        "crawler.middlewares.robots.RobotsMiddleware": 100,
        "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
        "crawler.middlewares.retries.PatientRetryMiddleware": 550,
        # Scrapy's returns the decoded start of a truncated stream as if it were complete.
        "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": None,
        "crawler.middlewares.content_coding.ContentCodingMiddleware": 590,
        "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": None,
        "crawler.middlewares.redirects.RefusingRedirectMiddleware": 600,
        # Importing it opens a socket and takes a tenth of a second; ours loads it on demand.
        "scrapy.downloadermiddlewares.cookies.CookiesMiddleware": None,
        "crawler.middlewares.cookies.CookiesOnDemand": 700,
        # A page that only refreshes to another is not an article, and is recorded as such.
        "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware": None,
        "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
    },
    "ITEM_PIPELINES": {"crawler.pipelines.RecordPipeline": 100},
    "EXTENSIONS": {
        # Before all others, because they may log text from a site.
        "crawler.extensions.safe_logs.SafeLogs": -10,
        "crawler.extensions.summarising.Summariser": 0,
        "crawler.extensions.progress.Progress": 1,
        # Like Scrapy's, except that failing to write a record affects the exit code.
        "scrapy.extensions.feedexport.FeedExporter": None,
        "crawler.feeds.exporter.WatchedFeedExporter": 2,
        "crawler.extensions.job_keeper.JobKeeper": 10,
        "crawler.extensions.archiving.Archiving": 20,
        # After the others have ended, as it shows their results.
        "crawler.report.writer.ReportWriter": 30,
        # The ledger holds the state of a crawl.
        "scrapy.extensions.spiderstate.SpiderState": None,
        # The settings above disable these, but Scrapy would import them and all that they need.
        "scrapy.extensions.telnet.TelnetConsole": None,
        "scrapy.extensions.remote_control.RemoteControl": None,
        # Progress says more than "Crawled N pages".
        "scrapy.extensions.logstats.LogStats": None,
    },
    "FEED_STORAGES": dict.fromkeys(("", "file"), "crawler.feeds.storage.WholeFileStorage"),
    "FEED_EXPORTERS": {
        "csv": "crawler.feeds.spreadsheet.SafeCsvExporter",
        "jsonlines": "crawler.feeds.exporter.RecordLinesExporter",
        "jsonl": "crawler.feeds.exporter.RecordLinesExporter",
        "jl": "crawler.feeds.exporter.RecordLinesExporter",
    },
}
"""Added to the ``*_BASE`` setting of each name; None removes one of Scrapy's own."""


_SCRAPY_HANDLERS = "scrapy.core.downloader.handlers."


def leave_out_network(settings: BaseSettings) -> None:
    """Remove the web download handlers, Scrapy's and ours, since an offline crawl uses none.

    Importing them takes as long as reading a hundred pages. SourcesMiddleware keeps requests of an
    offline crawl from the network, whatever the handlers.
    """
    base = "DOWNLOAD_HANDLERS_BASE"
    without = dict.fromkeys(("http", "https"))
    settings.set(base, {**settings.getdict(base), **without}, priority="addon")
    # The retry middleware imports Scrapy's handlers, for exceptions that only they raise.
    retried = settings.getlist("RETRY_EXCEPTIONS")
    without_handlers = [name for name in retried if not str(name).startswith(_SCRAPY_HANDLERS)]
    settings.set("RETRY_EXCEPTIONS", without_handlers, priority="addon")


def apply(settings: BaseSettings) -> None:
    """Add these settings to those of a crawl, below the user's own and those of add-ons."""
    values = {name: value for name, value in globals().items() if _is_setting(name)}
    addon = SETTINGS_PRIORITIES["addon"]
    if (settings.getpriority("USER_AGENT") or 0) >= addon:
        # The crawl then has to obey the rules for the user's own agent name.
        del values["ROBOTSTXT_USER_AGENT"]
    for name, value in values.items():
        if (settings.getpriority(name) or 0) < addon:
            settings.set(name, value, priority="addon")
    for name, components in COMPONENTS.items():
        base = f"{name}_BASE"
        settings.set(base, {**settings.getdict(base), **components}, priority="addon")


def _is_setting(name: str) -> bool:
    return name.isupper() and name[0] != "_" and name not in _NOT_SETTINGS

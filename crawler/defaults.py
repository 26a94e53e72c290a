"""The settings that the articles spider brings along, each with its meaning.

The spider applies them itself (``apply``), so that they hold in any project, in scripts and with
``scrapy runspider``, and do not affect other spiders. They rank between Scrapy's defaults and the
user's settings: every setting of a project, a subclass or the command line takes precedence.
Components are added to Scrapy's ``*_BASE`` dictionaries, so that the user's own merge with them.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, NamedTuple

from scrapy.settings import SETTINGS_PRIORITIES

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings


class Setting(NamedTuple):
    """A setting of Scrapy, or of this program, in the words of the reference."""

    name: str
    default: Any
    """The value that the spider brings; None if it brings none."""
    meaning: str
    unit: str | None = None
    """The unit of a number, such as seconds."""


try:
    VERSION = version("neighbourhood-crawler")
except PackageNotFoundError:
    # A checkout that is not installed.
    VERSION = "dev"

SETTINGS_BY_TOPIC: dict[str, tuple[Setting, ...]] = {
    "The crawl": (
        Setting(
            "JOBDIR", None, "The folder of a job. With it, the crawl keeps a ledger across runs."
        ),
        Setting(
            "JOB",
            None,
            "The name of a job in the database of LEDGER_URL: a schema. The default is the last "
            "part of JOBDIR.",
        ),
        Setting("PUBLISHERS", None, "A folder of publisher files."),
        Setting("SUMMARY_ENABLED", True, "Whether to print the summary of a run."),
        # Cron jobs should be quiet.
        Setting(
            "PROGRESS_INTERVAL",
            0.0,
            "The time between progress lines if there is no terminal. 0 means none.",
            "seconds",
        ),
    ),
    "The ledger": (
        Setting(
            "LEDGER_URL",
            None,
            "The PostgreSQL database that keeps the ledgers of jobs: "
            "postgresql+psycopg://USER@HOST/DATABASE. It may also be an environment variable. The "
            "default is a file in JOBDIR.",
        ),
        Setting(
            "LEDGER_PATIENCE",
            60.0,
            "How long to wait for a database that does not answer, before the run ends.",
            "seconds",
        ),
        Setting(
            "RECHECK_MIN",
            3600.0,
            "The shortest interval between two fetches of an article. The default is an hour.",
            "seconds",
        ),
        Setting(
            "RECHECK_MAX",
            30 * 24 * 3600.0,
            "The longest interval between two fetches of an article. The default is 30 days.",
            "seconds",
        ),
        Setting(
            "LEDGER_SYNC_INTERVAL",
            1.0,
            "How long a commit to the ledger may wait until it is safe from a power cut. One to "
            "PostgreSQL does not wait.",
            "seconds",
        ),
    ),
    "Workers": (
        Setting(
            "WORKERS",
            None,
            "join, to share the crawl of a job in a database with other processes.",
        ),
        Setting(
            "WORKER_LEASE",
            30.0,
            "How long a worker may be silent before others take over the pages that it has.",
            "seconds",
        ),
    ),
    "Politeness": (
        Setting(
            "USER_AGENT",
            f"neighbourhood-crawler/{VERSION} (research and archiving of news; Scrapy)",
            "The User-Agent header of requests. It tells publishers who is asking.",
        ),
        Setting(
            "ROBOTSTXT_OBEY",
            True,
            "Whether to obey robots.txt.",
        ),
        # robots.txt rules are written for this name, not for the whole user agent.
        Setting(
            "ROBOTSTXT_USER_AGENT",
            "neighbourhood-crawler",
            "The name whose rules in robots.txt are obeyed. If you set USER_AGENT and not this "
            "setting, the name is that of your USER_AGENT.",
        ),
        Setting("AUTOTHROTTLE_ENABLED", True, "Whether to slow down with a host that is slow."),
        Setting(
            "AUTOTHROTTLE_START_DELAY",
            1.0,
            "The time between the first requests to a host, until its speed is known.",
            "seconds",
        ),
        Setting("DOWNLOAD_DELAY", 0.5, "The minimum time between requests to one host.", "seconds"),
        Setting(
            "CONCURRENT_REQUESTS",
            16,
            "The maximum number of requests at a time, to all hosts together.",
            "requests",
        ),
        Setting(
            "CONCURRENT_REQUESTS_PER_DOMAIN",
            1,
            "The maximum number of requests at a time to one host.",
            "requests",
        ),
        Setting(
            "DOWNLOAD_TIMEOUT",
            60,
            "How long a server may take to send a page.",
            "seconds",
        ),
        Setting(
            "CRAWL_DELAY_MAX",
            60.0,
            "The longest Crawl-delay in a robots.txt to obey. Longer ones are shortened to it.",
            "seconds",
        ),
        Setting("RETRY_AFTER_MAX", 600.0, "The longest Retry-After to wait for.", "seconds"),
        Setting(
            "RETRY_BACKOFF",
            0.5,
            "The first pause before a request is repeated, if the server sends no Retry-After. "
            "Each further pause is twice as long.",
            "seconds",
        ),
        Setting(
            "SITE_DOWN_AFTER",
            20,
            "The number of pages in a row that have to fail for the same reason before their "
            "source or host counts as down. 0 means never.",
            "pages",
        ),
    ),
    "Web archives": (
        Setting(
            "WAYBACK_URL",
            "https://web.archive.org/web",
            "The archive of source=wayback: the URL below which captures are replayed.",
        ),
        Setting(
            "WAYBACK_CDX_URL",
            None,
            "The URL at which the archive lists its captures. The default is derived from "
            "WAYBACK_URL: /cdx below it, or /cdx/search/cdx on its host if it ends in /web.",
        ),
        Setting(
            "WAYBACK_DELAY", 2.5, "The minimum time between requests to the archive.", "seconds"
        ),
        Setting(
            "WAYBACK_BACKOFF",
            60.0,
            "The first pause if the archive is busy and sends no Retry-After. Each further pause "
            "is twice as long.",
            "seconds",
        ),
    ),
    "Browsers": (
        Setting("RENDERER", "splash", "The browser of render=auto: splash or playwright."),
        Setting("RENDER_TIMEOUT", 15.0, "How long a page may take to settle.", "seconds"),
        Setting(
            "RENDER_QUIET",
            0.5,
            "How long nothing must change before a page counts as settled.",
            "seconds",
        ),
        Setting("SPLASH_URL", "http://127.0.0.1:8050", "The URL of the Splash server."),
        Setting("SPLASH_USER", None, "The user name for a Splash server that asks for one."),
        Setting("SPLASH_PASS", None, "The password for a Splash server that asks for one."),
        Setting(
            "SPLASH_SLOT_TIMEOUT",
            30.0,
            "How long a page may wait for a free slot of Splash. The sum of this and "
            "RENDER_TIMEOUT may be at most the maximum of the server (--max-timeout, 90).",
            "seconds",
        ),
        Setting(
            "PLAYWRIGHT_LAUNCH_OPTIONS",
            None,
            "How Chromium is started: a JSON object with options of Playwright's launch().",
        ),
    ),
    "Reading": (
        Setting(
            "READ_TIMEOUT",
            10.0,
            "How long reading a page may take. A page that takes longer is a failure, too_slow.",
            "seconds",
        ),
        Setting(
            "READER_PROCESSES",
            None,
            "The maximum number of processes that read pages, besides the crawl's own. They start "
            "when reading takes most of the time. The default is the number of processors, at most "
            "four; it is 0 if there is only one, and in a crawl that workers share.",
            "processes",
        ),
        Setting(
            "TEXT_FIELDS",
            "",
            "The fields of the address, the text and perhaps the date in JSON Lines of texts, "
            "separated by commas. Those of C4 and OSCAR are known.",
        ),
    ),
    "Safety": (
        Setting("DOWNLOAD_VERIFY_CERTIFICATES", True, "Whether to verify certificates."),
        Setting(
            "TLS_CA_FILE",
            None,
            "A PEM file of certificate authorities to trust besides the system's, such as that of "
            "a company's proxy.",
        ),
        Setting("DOWNLOAD_MAXSIZE", 16 * 1024 * 1024, "The size of the largest page.", "bytes"),
        Setting(
            "DOWNLOAD_WARNSIZE",
            0,
            "The size of pages above which Scrapy logs a warning. 0 means never.",
            "bytes",
        ),
        Setting("REDIRECT_MAX_TIMES", 5, "The maximum number of redirects in a row.", "redirects"),
        # The first cookie makes tldextract fetch a list from the network.
        Setting(
            "COOKIES_ENABLED",
            False,
            "Whether to keep cookies, for sites that redirect until they see one.",
        ),
        # Which page led to which is nobody else's business.
        Setting(
            "REFERER_ENABLED",
            True,
            "Whether Scrapy's referrer middleware is active, which applies REFERRER_POLICY.",
        ),
        Setting("REFERRER_POLICY", "no-referrer", "The policy for the Referer header: none."),
        Setting("TELNETCONSOLE_ENABLED", False, "Whether Scrapy opens its telnet console."),
        Setting("REMOTE_CONTROL_ENABLED", False, "Whether Scrapy can be controlled remotely."),
    ),
    "Feeds": (
        Setting(
            "CSV_ESCAPE_FORMULAS",
            True,
            "Whether to put an apostrophe before CSV cells that a spreadsheet would run as a "
            "formula.",
        ),
        Setting("FEED_EXPORT_ENCODING", "utf-8", "The encoding of feeds."),
        Setting(
            "FEED_URI_PARAMS",
            "crawler.feeds.exporter.uri_params",
            "The function that gives the values of placeholders in the names of feeds.",
        ),
    ),
    "Parts of the crawl": (
        # The frontier knows which article was requested; a fingerprint of every request only costs
        # time.
        Setting(
            "DUPEFILTER_CLASS",
            "scrapy.dupefilters.BaseDupeFilter",
            "The filter of duplicate requests: none, since the frontier knows what was requested.",
        ),
        Setting(
            "SCHEDULER",
            "crawler.scheduler.FrontierScheduler",
            "The scheduler, which hands out requests in the order of the frontier.",
        ),
        Setting(
            "ITEM_PROCESSOR",
            "crawler.item_processor.RecordProcessor",
            "The item processor, which stores each record before the next is counted.",
        ),
        Setting(
            "STATS_CLASS",
            "crawler.stats_collector.DirectStatsCollector",
            "The collector of the stats: Scrapy's, without a check that slows down each count.",
        ),
        # A page yields one item; Scrapy's hundred workers per response cost more than the page
        # itself.
        Setting("CONCURRENT_ITEMS", 1, "The maximum number of items of a page at a time.", "items"),
        # The failure has its own log line.
        Setting(
            "RETRY_GIVE_UP_LOG_LEVEL",
            "DEBUG",
            "The level of Scrapy's log line for a request that is not repeated any more.",
        ),
        # This check reads the source of every callback to warn of a mistake that mypy finds too.
        Setting(
            "WARN_ON_GENERATOR_RETURN_VALUE",
            False,
            "Whether Scrapy warns of generators that return a value.",
        ),
    ),
}
"""The spider's settings, and those without a default that it reads, by topic."""

SETTINGS = {
    setting.name: setting.default for settings in SETTINGS_BY_TOPIC.values() for setting in settings
}
"""The defaults of these settings by name."""

COMPONENTS: dict[str, dict[str, Any]] = {
    # A publisher's pages are on the web or in files.
    "DOWNLOAD_HANDLERS": {
        "ftp": None,
        "s3": None,
        # Downloads as Scrapy's own handler does, and also records the bytes for an archive.
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
    values = {name: value for name, value in SETTINGS.items() if value is not None}
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

"""Every private name of other libraries that this project uses, and why.

Each of them stands for a missing public API. tests/test_private_names.py checks that all of them
exist in the installed versions, and that no others are used.
"""

from typing import NamedTuple


class PrivateName(NamedTuple):
    """A private ``name`` of ``owner``, which is the path of a module or class.

    ``missing`` completes the sentence "There is no public way to …".
    """

    owner: str
    name: str
    missing: str


_HTTP11 = "scrapy.core.downloader.handlers.http11"
_HANDLERS = "scrapy.utils._download_handlers"

PRIVATE_NAMES = (
    PrivateName(
        "argparse.ArgumentParser",
        "_actions",
        "list the options that a command has added, to explain and complete them",
    ),
    PrivateName(_HTTP11, "_TunnelingTCP4ClientEndpoint", "connect through a tunnel of a proxy"),
    PrivateName(
        f"{_HTTP11}.HTTP11DownloadHandler",
        "_contextFactory",
        "use Scrapy's TLS settings (DOWNLOADER_CLIENTCONTEXTFACTORY is deprecated)",
    ),
    PrivateName(
        "scrapy.core.downloader.contextfactory",
        "_get_creator_context",
        "trust more authorities while keeping Scrapy's TLS settings",
    ),
    PrivateName("scrapy.utils.ssl", "_log_ssl_conn_debug_info", "log TLS connections as Scrapy"),
    # The names in this module are public, and the module is not.
    PrivateName(_HANDLERS, "check_stop_download", "let receivers of signals stop a download"),
    PrivateName(_HANDLERS, "get_maxsize_msg", "word messages as Scrapy's handlers do"),
    PrivateName(_HANDLERS, "get_warnsize_msg", "word messages as Scrapy's handlers do"),
    PrivateName(_HANDLERS, "make_response", "choose the class of a response as Scrapy does"),
    PrivateName(_HANDLERS, "normalize_bind_address", "read bindaddress as Scrapy does"),
    PrivateName(_HANDLERS, "wrap_twisted_exceptions", "raise Scrapy's exceptions for Twisted's"),
    PrivateName("twisted.web.http", "_ChunkedTransferDecoder", "decode a chunked body"),
    PrivateName("twisted.web.http", "_MalformedChunkedDataError", "catch its error"),
    PrivateName(
        "scrapy.core.engine.ExecutionEngine",
        "_slot",
        "ask whether the engine is closing, or make it ask the scheduler again now",
    ),
    PrivateName(
        "scrapy.core.scraper.Scraper",
        "_check_if_closing",
        "tell the scraper that an item without a response has passed the pipelines",
    ),
    PrivateName(
        "scrapy.extensions.feedexport.FeedExporter",
        "_load_filter",
        "write a feed that the settings do not name, such as one of a killed run",
    ),
    PrivateName(
        "scrapy.extensions.feedexport.FeedExporter",
        "_start_new_batch",
        "tell a feed storage which run its records belong to",
    ),
    PrivateName(
        "scrapy.downloadermiddlewares.cookies",
        "_split_domain",
        "keep tldextract from fetching its list from the network",
    ),
)

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
_NEWCLIENT = "twisted.web._newclient"
_BYTES = "see the bytes of an exchange, limit its head, or tell a reset from an orderly end"

PRIVATE_NAMES = (
    PrivateName(
        "argparse.ArgumentParser",
        "_actions",
        "list the options that a command has added, to explain and complete them",
    ),
    PrivateName(_HTTP11, "_LenientHTTP11ClientFactory", _BYTES),
    PrivateName(_HTTP11, "_LenientHTTP11ClientProtocol", _BYTES),
    PrivateName(_HTTP11, "_LenientHTTPClientParser", _BYTES),
    PrivateName(f"{_HTTP11}.HTTP11DownloadHandler", "_pool", "give the handler a connection pool"),
    PrivateName(
        f"{_HTTP11}.HTTP11DownloadHandler",
        "_contextFactory",
        "choose the authorities to trust (DOWNLOADER_CLIENTCONTEXTFACTORY is deprecated)",
    ),
    PrivateName(
        "scrapy.core.downloader.contextfactory",
        "_get_creator_context",
        "trust more authorities while keeping Scrapy's TLS settings",
    ),
    PrivateName("twisted.web.client.HTTPConnectionPool", "_factory", "choose the protocol class"),
    PrivateName("twisted.web.client.HTTPConnectionPool", "_reactor", "copy a pool"),
    PrivateName("twisted.web.client._HTTP11ClientFactory", "_quiescentCallback", _BYTES),
    PrivateName(_NEWCLIENT, "BODY", _BYTES),
    PrivateName(_NEWCLIENT, "DONE", _BYTES),
    PrivateName(f"{_NEWCLIENT}.HTTP11ClientProtocol", "_parser", _BYTES),
    PrivateName(f"{_NEWCLIENT}.HTTP11ClientProtocol", "_disconnectParser", _BYTES),
    PrivateName(f"{_NEWCLIENT}.HTTPParser", "bodyDecoder", _BYTES),
    PrivateName("twisted.web.http", "_DataLoss", "report that a body is incomplete"),
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

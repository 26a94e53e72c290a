"""Finds out which objects of a crawl the user's own components may see.

A crawl need not make those that no component may see.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from pydispatch.dispatcher import getAllReceivers, liveReceivers
from scrapy import signals
from scrapy.spidermiddlewares.httperror import HttpErrorMiddleware
from scrapy.spidermiddlewares.referer import NoReferrerPolicy, RefererMiddleware
from scrapy.spidermiddlewares.start import StartSpiderMiddleware
from scrapy.utils.conf import build_component_list
from scrapy.utils.misc import load_object

from crawler.pipelines import RecordPipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scrapy.crawler import Crawler

# They handle requests and responses, or log each of them.
_REQUEST_CLASSES = ("SCHEDULER", "DOWNLOADER", "LOG_FORMATTER")
_REQUEST_MIDDLEWARES = ("DOWNLOADER_MIDDLEWARES", "SPIDER_MIDDLEWARES")
# Scrapy's own component with these settings counts responses.
_PAGE_LIMITS = ("CLOSESPIDER_PAGECOUNT", "CLOSESPIDER_PAGECOUNT_NO_ITEM")
_REQUEST_SIGNALS = (
    signals.request_scheduled,
    signals.request_dropped,
    signals.request_reached_downloader,
    signals.request_left_downloader,
    signals.response_received,
    signals.response_downloaded,
    signals.headers_received,
    signals.bytes_received,
    signals.scheduler_empty,
)
_SCHEDULING_SIGNALS = (signals.request_scheduled, signals.request_dropped)
# They leave a request for a link as it is; the referrer middleware does under its default policy.
_NEUTRAL_MIDDLEWARES = (StartSpiderMiddleware, HttpErrorMiddleware, RefererMiddleware)
_ITEM_SIGNALS = (signals.item_scraped, signals.item_dropped, signals.item_error)
# They see items before the first pipeline, or those that a pipeline dropped or failed on as they
# were before it.
_PAGE_CLASSES = ("ITEM_PROCESSOR", "LOG_FORMATTER")
_PAGE_SIGNALS = (signals.item_dropped, signals.item_error)


def may_see_requests(crawler: Crawler) -> bool:
    """Return whether a component of the user's may see requests, responses or items' responses.

    The settings and the receivers of Scrapy's signals tell.
    """
    settings = crawler.settings
    if settings.getbool("HTTPCACHE_ENABLED") or any(map(settings.getint, _PAGE_LIMITS)):
        return True
    on_requests = _receivers(crawler, _REQUEST_SIGNALS)
    on_items = _receivers(crawler, _ITEM_SIGNALS)
    return (
        not all(map(_is_own, _configured(crawler, _REQUEST_CLASSES, _REQUEST_MIDDLEWARES)))
        or not all(_package_of(receiver) == "scrapy" for receiver in on_requests)
        or not all(_is_own(receiver) or not _takes_response(receiver) for receiver in on_items)
    )


def may_see_link_requests(crawler: Crawler) -> bool:
    """Return whether a component may see or change the requests that the spider yields for links.

    The settings, the class of the spider and the receivers of Scrapy's signals tell.
    """
    referrers = crawler.get_spider_middleware(RefererMiddleware)
    if referrers is not None and referrers.default_policy is not NoReferrerPolicy:
        return True
    middlewares = set(_configured(crawler, (), ("SPIDER_MIDDLEWARES",)))
    components = [type(crawler.spider), *_configured(crawler, ("SCHEDULER",), ())]
    return (
        not middlewares.issubset(_NEUTRAL_MIDDLEWARES)
        or not all(map(_is_own, components))
        or any(True for _ in _receivers(crawler, _SCHEDULING_SIGNALS))
    )


def may_see_pages(crawler: Crawler) -> bool:
    """Return whether a component of the user's may see the ``ParsedPage`` of an article.

    Most see its record only. The settings, the class of the spider and the receivers of Scrapy's
    signals tell.
    """
    pipelines = crawler.settings.get_component_priority_dict_with_base("ITEM_PIPELINES")
    if load_object(build_component_list(pipelines)[0]) is not RecordPipeline:
        return True
    components = [type(crawler.spider), *_receivers(crawler, _PAGE_SIGNALS)]
    components += _configured(crawler, _PAGE_CLASSES, ("SPIDER_MIDDLEWARES",))
    return not all(map(_is_own, components))


def _configured(
    crawler: Crawler, classes: tuple[str, ...], middlewares: tuple[str, ...]
) -> Iterator[Any]:
    """Yield the components that settings name."""
    settings = crawler.settings
    for name in classes:
        yield load_object(settings[name])
    for name in middlewares:
        named = settings.get_component_priority_dict_with_base(name)
        yield from map(load_object, build_component_list(named))


def _receivers(crawler: Crawler, names: tuple[object, ...]) -> Iterator[Callable[..., Any]]:
    """Yield the receivers of signals."""
    for signal in names:
        yield from liveReceivers(getAllReceivers(crawler.signals.sender, signal))


def _package_of(component: Any) -> str:
    return str(getattr(component, "__module__", "")).partition(".")[0]


def _is_own(component: Any) -> bool:
    return _package_of(component) in ("crawler", "scrapy")


def _takes_response(receiver: Callable[..., Any]) -> bool:
    parameters = inspect.signature(receiver).parameters.values()
    return any(one.name == "response" or one.kind is one.VAR_KEYWORD for one in parameters)

"""robots.txt as RFC 9309 has it, in the place of Scrapy's RobotsTxtMiddleware.

A server that answers with an error of its own, or not at all, forbids everything for now: its pages
fail with ``robots_unavailable``, or with the reason why there is no connection to it, and are tried
again by a later run. Scrapy takes that for permission.
"""

from __future__ import annotations

import asyncio
import logging
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple, Self

from scrapy import Request, signals
from scrapy.exceptions import NotConfigured
from scrapy.http.request import NO_CALLBACK
from scrapy.utils.httpobj import urlparse_cached
from scrapy.utils.misc import build_from_crawler, load_object

from crawler.downloading.failures import explain
from crawler.extraction.publishers import host_and_port
from crawler.sources import PageRefused, seconds_setting
from crawler.visits import PURPOSE, Errand

if TYPE_CHECKING:
    from scrapy.core.downloader import Slot
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy.robotstxt import RobotParser

    from crawler.items import Reason

logger = logging.getLogger(__name__)

# RFC 9309, 2.5: a parser has to read at least so much; the rest is ignored.
_READ_BYTES = 500 * 1024
# RFC 9309, 2.4: no longer than that is a copy of the rules used.
_KEPT_SECONDS = 24 * 3600
_TOO_MANY_REQUESTS = 429
# It is cut after it was read, so pages may be limited to less than it has.
_META = {"dont_obey_robotstxt": True, "download_maxsize": 16 * 1024 * 1024}
_PRIORITY = 1000
# Of the host itself, so that they hold for its pages as they are.
_OF_THE_HOST: frozenset[Reason] = frozenset(("dns", "refused", "tls", "private_address"))


class _Rules(NamedTuple):
    """What a site's robots.txt says: ``parser`` is None where there is none.

    ``reason`` and ``fault`` say why the file could not be fetched, so that nothing may be requested.
    """

    parser: RobotParser | None = None
    reason: Reason = "robots_unavailable"
    fault: str | None = None


class RobotsMiddleware:
    """Refuses requests that robots.txt forbids, and keeps to its Crawl-delay."""

    def __init__(self, crawler: Crawler) -> None:
        """CrawlerError if CRAWL_DELAY_MAX is no time."""
        settings = crawler.settings
        if not settings.getbool("ROBOTSTXT_OBEY"):
            raise NotConfigured
        self.crawler = crawler
        self._agent = settings["ROBOTSTXT_USER_AGENT"] or settings["USER_AGENT"]
        self._longest_delay = seconds_setting(settings, "CRAWL_DELAY_MAX")
        self._parser_class = load_object(settings["ROBOTSTXT_PARSER"])
        # By scheme, host and port: when the file was asked for, and what came of it.
        self._sites: dict[tuple[str, str], tuple[float, asyncio.Task[_Rules]]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """PageRefused if robots.txt forbids the request, or could not be fetched."""
        url = urlparse_cached(request)
        if request.meta.get("dont_obey_robotstxt") or url.scheme not in ("http", "https"):
            return
        rules = await asyncio.shield(self._rules_of(url.scheme, url.netloc))
        if rules.fault:
            raise PageRefused(rules.reason, rules.fault)
        if rules.parser is None:
            return
        if not rules.parser.allowed(request.url, self._agent):
            self._count("forbidden")
            raise PageRefused("robots", "forbidden by robots.txt")
        self._slow_down(request, rules.parser)

    def process_response(self, request: Request, response: Response) -> Response:
        # AutoThrottle may have gone below the delay.
        url = urlparse_cached(request)
        _, task = self._sites.get((url.scheme, url.netloc), (0.0, None))
        if task and task.done() and (parser := task.result().parser):
            self._slow_down(request, parser)
        return response

    def _rules_of(self, scheme: str, netloc: str) -> asyncio.Task[_Rules]:
        asked_at, task = self._sites.get((scheme, netloc), (float("-inf"), None))
        if task is None or monotonic() - asked_at > _KEPT_SECONDS:
            task = asyncio.ensure_future(self._fetch(f"{scheme}://{netloc}/robots.txt"))
            self._sites[scheme, netloc] = monotonic(), task
        return task

    async def _fetch(self, url: str) -> _Rules:
        self._count("request_count")
        led_to: list[str] = []
        meta = {**_META, PURPOSE: Errand(robots_redirects=led_to)}
        asked = Request(url, meta=meta, priority=_PRIORITY, callback=NO_CALLBACK)
        try:
            response = await self.crawler.engine.download_async(asked)
        except Exception as error:
            # A redirect loop is no outage (RFC 9309, 2.3.1.2).
            explained = explain(error)
            if explained.reason in ("redirect_loop", "http_3xx"):
                return _Rules()
            elsewhere = led_to and host_and_port(led_to[-1]) != host_and_port(url)
            if explained.reason in _OF_THE_HOST and not elsewhere:
                return _Rules(reason=explained.reason, fault=explained.detail)
            return self._unavailable(url, f"{explained.reason} ({explained.detail})")
        self._count("response_count")
        self._count(f"response_status_count/{response.status}")
        if response.status >= 500 or response.status == _TOO_MANY_REQUESTS:
            return self._unavailable(url, f"it answers {response.status}")
        if not 200 <= response.status < 300:
            return _Rules()
        parser = build_from_crawler(self._parser_class, self.crawler, _readable(response.body))
        await self.crawler.signals.send_catch_log_async(
            signals.robots_parsed, robotparser=parser, request=asked
        )
        return _Rules(parser)

    def _unavailable(self, url: str, why: str) -> _Rules:
        self._count("unavailable")
        fault = f"{url} cannot be fetched: {why}; until it can, nothing may be requested"
        logger.warning("%s", fault)
        return _Rules(fault=fault)

    def _slow_down(self, request: Request, parser: RobotParser) -> None:
        delay = parser.crawl_delay(self._agent)
        slot = self._slot(request)
        if not delay or slot is None:
            return
        delay = min(delay, self._longest_delay)
        if slot.delay < delay:
            slot.delay = delay
        # Jitter would make some of the delays shorter than the site asks for.
        slot.jitter = 0

    def _slot(self, request: Request) -> Slot | None:
        downloader = self.crawler.engine.downloader
        return downloader.slots.get(downloader.get_slot_key(request))

    def _count(self, what: str) -> None:
        self.crawler.stats.inc_value(f"robotstxt/{what}")


def _readable(body: bytes) -> bytes:
    """The part of a robots.txt that is read: whole lines only."""
    return body if len(body) <= _READ_BYTES else body[: body.rfind(b"\n", 0, _READ_BYTES) + 1]

"""Obeys robots.txt according to RFC 9309, in place of Scrapy's RobotsTxtMiddleware.

If a server fails to serve the file (5xx, 429 or no response), everything is disallowed for now: its
pages fail with ``robots_unavailable``, or with the reason for the failed connection, and are
retried by a later run. Scrapy would allow everything.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple, Self

from scrapy import Request, signals
from scrapy.exceptions import NotConfigured
from scrapy.http.request import NO_CALLBACK
from scrapy.utils.httpobj import urlparse_cached
from scrapy.utils.misc import build_from_crawler, load_object

from crawler.crawl.run import run_of
from crawler.downloading.failures import explain
from crawler.extraction.publishers import host_and_port
from crawler.setting_values import seconds_setting
from crawler.unavailable import PageRefused
from crawler.visits import PURPOSE, Errand

if TYPE_CHECKING:
    from scrapy.core.downloader import Slot
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy.robotstxt import RobotParser

    from crawler.items import Reason
    from crawler.workers.team import Team


# RFC 9309, 2.5: the minimum that a parser has to read; the rest is ignored.
_PARSED_BYTES = 500 * 1024
# RFC 9309, 2.4: the maximum age of a cached copy.
CACHE_SECONDS = 24 * 3600
_TOO_MANY_REQUESTS = 429
# Between two looks whether another worker has fetched the file.
_SHARED_POLL_SECONDS = 0.1
# The file is cut after it is read, so it may be larger than the limit for pages.
_META = {"dont_obey_robotstxt": True, "download_maxsize": 16 * 1024 * 1024}
_PRIORITY = 1000
# Faults of the host itself, which its pages share.
_HOST_FAULTS: frozenset[Reason] = frozenset(("dns", "refused", "tls", "private_address"))


class RobotsFile(NamedTuple):
    """A robots.txt; ``body`` is None if there is none.

    If the file could not be fetched, ``reason`` and ``fault`` say why, and nothing may be
    requested.
    """

    body: bytes | None = None
    reason: Reason = "robots_unavailable"
    fault: str | None = None


class _Rules(NamedTuple):
    """The rules of a ``RobotsFile``; ``parser`` is None if there are none."""

    parser: RobotParser | None = None
    reason: Reason = "robots_unavailable"
    fault: str | None = None


class RobotsMiddleware:
    """Refuses requests that robots.txt disallows, and obeys its Crawl-delay."""

    def __init__(self, crawler: Crawler) -> None:
        """Raises CrawlerError if CRAWL_DELAY_MAX is not a number of seconds."""
        settings = crawler.settings
        if not settings.getbool("ROBOTSTXT_OBEY"):
            raise NotConfigured
        self.crawler = crawler
        self._agent = settings["ROBOTSTXT_USER_AGENT"] or settings["USER_AGENT"]
        self._longest_delay = seconds_setting(settings, "CRAWL_DELAY_MAX")
        self._parser_class = load_object(settings["ROBOTSTXT_PARSER"])
        # By scheme and netloc: the time of the request for robots.txt, and its result.
        self._sites: dict[tuple[str, str], tuple[float, asyncio.Task[_Rules]]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Raise PageRefused if robots.txt disallows the request or could not be fetched."""
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
        # AutoThrottle may have lowered the delay.
        url = urlparse_cached(request)
        _, task = self._sites.get((url.scheme, url.netloc), (0.0, None))
        if task and task.done() and (parser := task.result().parser):
            self._slow_down(request, parser)
        return response

    def _rules_of(self, scheme: str, netloc: str) -> asyncio.Task[_Rules]:
        requested_at, task = self._sites.get((scheme, netloc), (float("-inf"), None))
        if task is None or monotonic() - requested_at > CACHE_SECONDS:
            task = asyncio.ensure_future(self._fetch(f"{scheme}://{netloc}/robots.txt"))
            self._sites[scheme, netloc] = monotonic(), task
        return task

    async def _fetch(self, url: str) -> _Rules:
        """Return the rules of a robots.txt, which one worker of a shared job requests for all."""
        run = run_of(self.crawler.spider)
        if run is None or run.courier is None:
            file = await self._request(url)
        else:
            file = await self._shared(url, run.courier.team)
        if file.body is None:
            return _Rules(reason=file.reason, fault=file.fault)
        parser = build_from_crawler(self._parser_class, self.crawler, _parsed_part(file.body))
        await self.crawler.signals.send_catch_log_async(
            signals.robots_parsed, robotparser=parser, request=Request(url)
        )
        return _Rules(parser)

    async def _shared(self, url: str, team: Team) -> RobotsFile:
        while (shared := team.robots(url)) is None:
            if team.claim_robots(url):
                file = await self._request(url)
                team.store_robots(url, file)
                return file
            await asyncio.sleep(_SHARED_POLL_SECONDS)
        return shared

    async def _request(self, url: str) -> RobotsFile:
        self._count("request_count")
        redirects: list[str] = []
        meta = {**_META, PURPOSE: Errand(robots_redirects=redirects)}
        request = Request(url, meta=meta, priority=_PRIORITY, callback=NO_CALLBACK)
        try:
            response = await self.crawler.engine.download_async(request)
        except Exception as error:
            # A redirect loop counts as a missing file, not an outage (RFC 9309, 2.3.1.2).
            explanation = explain(error)
            if explanation.reason in ("redirect_loop", "http_3xx"):
                return RobotsFile()
            elsewhere = redirects and host_and_port(redirects[-1]) != host_and_port(url)
            if explanation.reason in _HOST_FAULTS and not elsewhere:
                return RobotsFile(reason=explanation.reason, fault=explanation.detail)
            return self._unavailable(url, f"{explanation.reason} ({explanation.detail})")
        self._count("response_count")
        self._count(f"response_status_count/{response.status}")
        if response.status >= 500 or response.status == _TOO_MANY_REQUESTS:
            return self._unavailable(url, f"it returned {response.status}")
        return RobotsFile(response.body if 200 <= response.status < 300 else None)

    def _unavailable(self, url: str, detail: str) -> RobotsFile:
        self._count("unavailable")
        return RobotsFile(
            fault=f"{url} cannot be fetched: {detail}; nothing may be requested until it can"
        )

    def _slow_down(self, request: Request, parser: RobotParser) -> None:
        delay = parser.crawl_delay(self._agent)
        if not delay:
            return
        delay = min(delay, self._longest_delay)
        run = run_of(self.crawler.spider)
        if run is not None and run.courier is not None:
            run.courier.turns.keep_crawl_delay(urlparse_cached(request).hostname or "", delay)
        slot = self._slot(request)
        if slot is None:
            return
        if slot.delay < delay:
            slot.delay = delay
        # Jitter would make some delays shorter than the Crawl-delay.
        slot.jitter = 0

    def _slot(self, request: Request) -> Slot | None:
        downloader = self.crawler.engine.downloader
        return downloader.slots.get(downloader.get_slot_key(request))

    def _count(self, name: str) -> None:
        self.crawler.stats.inc_value(f"robotstxt/{name}")


def _parsed_part(body: bytes) -> bytes:
    """Return the part of a robots.txt to parse: the whole lines within the limit."""
    return body if len(body) <= _PARSED_BYTES else body[: body.rfind(b"\n", 0, _PARSED_BYTES) + 1]

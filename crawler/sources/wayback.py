"""Fetches pages from the Wayback Machine, or an archive with the same interface (pywb).

For each article, the CDX server is queried for the captures of each possible URL, until one has a
capture that is not an error. Then the original bytes of the preferred capture are fetched
(``<timestamp>id_/<url>``). If they do not yield an article, the next capture is tried, up to
``_MOST_TRIED`` in all, which takes about 15 seconds with the default WAYBACK_DELAY.

Requests are sent one at a time, WAYBACK_DELAY seconds apart. If the archive is busy (429, 500,
502, 503, 504, or no response), the request is retried RETRY_TIMES times, after the time in
Retry-After or else after WAYBACK_BACKOFF seconds, doubled each time. Requests for further captures
of a page are not retried. The Wayback Machine returns 429 to clients that request more than 24 to
60 lists of captures a minute. Clients that continue are locked out for hours
(github.com/edgi-govdata-archiving/wayback, #137 and #206).
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import deque
from datetime import UTC, datetime, time
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urljoin, urlsplit

import msgspec
from parsel import Selector
from scrapy import Request
from scrapy.exceptions import (
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)
from scrapy.http import Headers, Response

from crawler.crawl.archived_articles import addresses
from crawler.crawl.candidates import Candidates
from crawler.crawl.fetches import Origin
from crawler.engine import is_closing
from crawler.errors import CrawlerError
from crawler.extraction.publishers import host_and_port
from crawler.items import Reason
from crawler.responses import retry_after
from crawler.setting_values import server_named
from crawler.unavailable import NotSaved, PageRefused, SourceUnavailable, Stopped, nothing_captured
from crawler.visits import PURPOSE, Errand, errand_of, note, visit_of
from crawler.warc.captures import Capture, candidates, is_timestamp, key_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from scrapy.crawler import Crawler

    from crawler.crawl.arguments import Arguments
    from crawler.crawl.run import Found
    from crawler.extraction.directory import Publishers
    from crawler.visits import Visit

logger = logging.getLogger(__name__)

# The maximum number of captures to list for a page: the nearest to a date, or the newest.
_MOST_CAPTURES = 50
_MOST_TRIED = 5
_OK, _NOT_MODIFIED, _GONE = 200, 304, 404
_MOST_STEPS = 5
_NOON = time(12)
_STATUS_CLASS_REASONS: dict[int, Reason] = {4: "http_4xx", 5: "http_5xx"}
_TOO_MANY_REQUESTS = 429
_BUSY_STATUSES = frozenset((_TOO_MANY_REQUESTS, 500, 502, 503, 504))
_REPLAY_URL = re.compile(
    r"/(?P<timestamp>[0-9]{14})(?:[a-z]{2}_)?/(?P<url>https?:/{1,2}.*)", re.DOTALL
)
# The headers in the archive's response that belong to the page.
_PAGE_HEADERS = (b"Content-Type", b"Content-Encoding")
_ORIGINAL = b"X-Archive-Orig-"
_LINK = re.compile(r"<\s*([^>\s]+)\s*>([^<]*)")
_IS_ORIGINAL = re.compile(r";\s*rel\s*=\s*\"?(?:[^\",;]*\s)?original\b", re.IGNORECASE)
# Old versions of the Wayback Machine give the reason for an error in this header.
_FAULT_HEADER = b"X-Archive-Wayback-Runtime-Error"
_FAULT = re.compile(r"\b[\w.]*(?:Exception|Error)\b")
_TEXT_XPATH = "//text()[not(ancestor::script or ancestor::style)]"
_SEARCHED_BYTES = 100_000
_EXTRACT_LENGTH = 200
_STOP_CHECK_SECONDS = 0.5
_EXAMPLE = "https://web.archive.org/web"
_CONNECTION_ERRORS = (
    DownloadFailedError,
    DownloadTimeoutError,
    DownloadConnectionRefusedError,
    ResponseDataLossError,
)
# The CDX server and original bytes are meant for programs; robots.txt is for link followers.
_META = {
    "dont_redirect": True,
    "dont_retry": True,
    "dont_obey_robotstxt": True,
}


def open_source(name: str, arguments: Arguments, crawler: Crawler) -> Wayback:
    """Return the web archive that the settings name, as a source."""
    return Wayback(crawler, arguments.publishers, arguments.at)


class Wayback:
    """A source of captures from a web archive, queried over HTTP."""

    name = "wayback"
    offline = False

    def __init__(self, crawler: Crawler, publishers: Publishers, at: date | None) -> None:
        """Raises CrawlerError if WAYBACK_URL or WAYBACK_CDX_URL is not a URL."""
        settings = crawler.settings
        self.faults: list[str] = []
        self._crawler = crawler
        self._publishers = publishers
        self._at = at
        replay = server_named("WAYBACK_URL", settings["WAYBACK_URL"], _EXAMPLE)
        self._replay = replay.url.rstrip("/")
        cdx = server_named(
            "WAYBACK_CDX_URL", settings["WAYBACK_CDX_URL"] or _cdx_of(self._replay), _EXAMPLE
        )
        self._cdx = cdx.url
        # Keyed by host and port, so that passwords are sent to these servers alone.
        self._authorization = {
            host_and_port(server.url): server.authorization
            for server in (replay, cdx)
            if server.authorization
        }
        self._delay = settings.getfloat("WAYBACK_DELAY")
        self._tries = 1 + settings.getint("RETRY_TIMES")
        self._longest_wait = settings.getfloat("RETRY_AFTER_MAX")
        self._backoff = settings.getfloat("WAYBACK_BACKOFF")
        self._request_lock = asyncio.Lock()
        self._not_before = float("-inf")

    def articles(self) -> Iterator[Found]:
        raise CrawlerError(
            "seed: 'all' works only with files; for an archive on the web, give URLs or ids"
        )

    async def answer(self, request: Request) -> Response:
        # This class does its own retries.
        request.meta["dont_retry"] = True
        visit = visit_of(request)
        found = await self._candidate(request, visit) if visit else None
        if visit is None or found is None:
            raise nothing_captured(request, self._replay)
        return await self._page(found, request, visit)

    async def _candidate(self, request: Request, visit: Visit) -> Capture | None:
        """Return the capture to try for an article, or for the page that a redirect led to."""
        if visit.candidates is None:
            urls = addresses(visit.article_id, request.url, self._publishers)
            visit.candidates = Candidates((), _MOST_TRIED, urls)
        remaining = visit.candidates
        redirects = request.meta.get("redirect_times", 0)
        if redirects:
            at = visit.origin.captured_at if visit.origin else None
            is_known = len(remaining.levels) > redirects
            captures = () if is_known else candidates(await self._captures(request.url, at), at)
            found = remaining.beyond(redirects, [(capture, None) for capture in captures])
            return found and found[0]
        for text in remaining.notes():
            note(request, text)
        await self._look_up(remaining)
        return remaining.levels[0][0][0] if remaining.levels[0] else None

    async def _look_up(self, remaining: Candidates) -> None:
        """Look up further URLs until a capture that is not an error is known."""
        while remaining.addresses and all(capture.is_error for capture, _ in remaining.levels[0]):
            url = remaining.addresses.popleft()
            try:
                found = await self._captures(url, self._at)
            except Exception:
                # Do not keep querying an unresponsive archive for the same page.
                remaining.addresses.clear()
                raise
            known = [capture for capture, _ in remaining.levels[0]]
            ordered = candidates([*known, *found], self._at)
            remaining.levels[0] = deque((capture, None) for capture in ordered)

    async def _captures(self, url: str, at: date | None) -> list[Capture]:
        """Return the captures of a URL nearest to ``at``, or the newest, from the CDX server."""
        moment = (
            at
            if isinstance(at, datetime)
            else datetime.combine(at, _NOON)
            if at
            else datetime.now(UTC)
        )
        nearest = {
            "sort": "closest",
            "closest": f"{moment:%Y%m%d%H%M%S}",
            "limit": str(_MOST_CAPTURES),
        }
        query = {"url": url, "output": "json", **nearest}
        response = await self._get(f"{self._cdx}?{urlencode(query)}", self._tries)
        if response.status != _OK:
            raise PageRefused(
                _STATUS_CLASS_REASONS.get(response.status // 100, "unreadable"),
                f"{self._cdx} returned {response.status} for {url}{_extract(response)}",
            )
        try:
            found = [
                capture for row in _rows(response.body) if (capture := _capture(row)) is not None
            ]
            return [capture for capture in found if key_of(capture.url) == key_of(url)]
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise PageRefused(
                "unreadable", f"{self._cdx} did not return a list of captures for {url} ({error})"
            ) from error

    async def _page(self, capture: Capture, request: Request, visit: Visit) -> Response:
        """Return the original response of a capture.

        Raises NotSaved or PageRefused if the archive returns anything else.
        """
        tries = 1 if visit.candidates and visit.candidates.passed else self._tries
        where = f"{self._replay}/{capture.timestamp}id_/{capture.url}"
        visit.origin = Origin(source=self.name, where=where, captured_at=capture.at)
        for _ in range(_MOST_STEPS):
            answer = await self._get(where, tries)
            redirect = _REPLAY_URL.search(
                (answer.headers.get(b"Location") or b"").decode("latin-1")
            )
            # Archives redirect from the requested timestamp to that of an actual capture.
            if not (
                redirect
                and 300 <= answer.status < 400
                and key_of(redirect["url"]) == key_of(capture.url)
            ):
                break
            where = f"{self._replay}/{redirect['timestamp']}id_/{redirect['url']}"
        captured_at = _captured_at(answer)
        if captured_at is None:
            raise _own_answer_error(answer, where)
        if answer.status == _NOT_MODIFIED:
            # Another capture may hold the page.
            raise NotSaved(f"{where}: a 304 capture, which holds no page")
        original = _original_of(answer)
        if original and key_of(original) != key_of(capture.url):
            raise PageRefused(
                "unreadable",
                f"{where} returned a capture of another page, {_one_line(original)}",
            )
        visit.origin = Origin(source=self.name, where=where, captured_at=captured_at)
        # These notes come from removing the content coding of the archive's response.
        if errand := errand_of(answer.request):
            for text in errand.notes:
                note(request, text)
        headers = _page_headers(answer)
        if 300 <= answer.status < 400:
            headers[b"Location"] = (
                redirect["url"] if redirect else answer.headers.get(b"Location") or b""
            )
        return Response(
            capture.url, status=answer.status, headers=headers, body=answer.body, request=request
        )

    async def _get(self, url: str, tries: int) -> Response:
        """Return the archive's response, retrying while it is busy, up to ``tries`` attempts.

        Requests wait their turn. Raises PageRefused if the archive stays busy, or the exception
        that made the last attempt fail.
        """
        fault: Exception | None = None
        async with self._request_lock:
            for attempt in range(1, tries + 1):
                await self._wait(self._not_before - monotonic())
                password = self._authorization.get(host_and_port(url))
                headers = {b"Authorization": password} if password else {}
                meta = {**_META, PURPOSE: Errand(named_by_user=True)}
                request = Request(url, headers=headers, meta=meta)
                wait = self._backoff * 2 ** (attempt - 1)
                try:
                    response = await self._crawler.engine.download_async(request)
                except _CONNECTION_ERRORS as error:
                    fault = error
                else:
                    # An archived 503 is a capture, so the archive is not busy.
                    if response.status not in _BUSY_STATUSES or _captured_at(response):
                        return response
                    busy = f"attempt {attempt} returned {response.status} for {url}"
                    detail = f"{urlsplit(url).hostname}: {busy}{_extract(response)}"
                    # Archives also return 5xx for single captures that they cannot replay.
                    too_many = response.status == _TOO_MANY_REQUESTS
                    kind = SourceUnavailable if too_many else PageRefused
                    fault = kind(_STATUS_CLASS_REASONS[response.status // 100], detail)
                    wait = (
                        wait if (retry_seconds := retry_after(response)) is None else retry_seconds
                    )
                finally:
                    self._not_before = monotonic() + self._delay
                # This also delays the next page if this one is given up.
                wait = min(wait, self._longest_wait)
                self._not_before = max(self._not_before, monotonic() + wait)
                logger.info("%s; waiting %.0f s", fault, wait)
        assert fault is not None
        raise fault

    async def _wait(self, seconds: float) -> None:
        """Wait for a number of seconds. Raises Stopped if the run is ending."""
        deadline = monotonic() + seconds
        while (remaining := deadline - monotonic()) > 0:
            if is_closing(self._crawler.engine):
                raise Stopped(f"{self._replay}: the run was stopped while it waited its turn")
            await asyncio.sleep(min(remaining, _STOP_CHECK_SECONDS))


def _captured_at(response: Response) -> datetime | None:
    """Return the time of capture (RFC 7089), or None if the response is the archive's own."""
    try:
        return parsedate_to_datetime(
            (response.headers.get(b"Memento-Datetime") or b"").decode("latin-1")
        ).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _own_answer_error(answer: Response, where: str) -> NotSaved | PageRefused:
    """Return the error for a response that is the archive's own and not a capture."""
    message = f"{where} returned {answer.status}{_extract(answer)}"
    if answer.status == _GONE:
        # The CDX server listed a capture that the archive does not hold.
        return NotSaved(message)
    if answer.status == _OK:
        message = f"{where} returned no capture{_extract(answer)}"
    return PageRefused(_STATUS_CLASS_REASONS.get(answer.status // 100, "unreadable"), message)


def _extract(answer: Response) -> str:
    """Return an archive's own error text, such as "Blocked Site Error", to append to a message."""
    header = (answer.headers.get(_FAULT_HEADER) or b"").decode("latin-1")
    body = answer.body[:_SEARCHED_BYTES].decode("utf-8", "replace")
    text = _one_line(header) or _one_line(" ".join(Selector(text=body).xpath(_TEXT_XPATH).getall()))
    if len(text) > _EXTRACT_LENGTH and (fault := _FAULT.search(text)):
        text = text[fault.start() :]
    return f": {text[:_EXTRACT_LENGTH]}{'…' if len(text) > _EXTRACT_LENGTH else ''}" if text else ""


def _one_line(text: str) -> str:
    words = " ".join(text.split())
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in words)


def _original_of(answer: Response) -> str | None:
    """Return the original URL of a capture (RFC 7089, 2.2.1), or None if it is not given."""
    links = b", ".join(answer.headers.getlist(b"Link")).decode("latin-1")
    found = (url for url, parameters in _LINK.findall(links) if _IS_ORIGINAL.match(parameters))
    return next(found, None)


def _page_headers(answer: Response) -> Headers:
    """Return the page's headers that are needed to decode it, from the archive's response."""
    headers = Headers()
    for name in _PAGE_HEADERS:
        values = [value for value in answer.headers.getlist(name) if value.strip()]
        if not values and name == b"Content-Type":
            values = answer.headers.getlist(_ORIGINAL + name)
        headers.setlist(name, values)
    return headers


def _rows(body: bytes) -> Iterator[dict[str, str]]:
    """Yield the rows of a CDX server's JSON.

    It is a list of lists that starts with a row of names (the Wayback Machine), or one object per
    line (pywb).
    """
    text = body.strip()
    if text.startswith(b"["):
        rows = msgspec.json.decode(text)
        yield from (dict(zip(rows[0], row, strict=True)) for row in rows[1:])
    else:
        yield from (msgspec.json.decode(line) for line in text.splitlines() if line.strip())


def _capture(row: dict[str, str]) -> Capture | None:
    url, status = (
        row.get("original") or row.get("url") or "",
        row.get("statuscode") or row.get("status") or "",
    )
    if not is_timestamp(row.get("timestamp", "")) or key_of(url) is None:
        return None
    return Capture(
        url,
        row["timestamp"],
        int(status) if status.isdigit() else None,
        row.get("mimetype") or row.get("mime") or "",
        row.get("digest") or "",
    )


def _cdx_of(replay: str) -> str:
    """Return the CDX server's URL: below the Wayback Machine's root, or a pywb collection."""
    return urljoin(replay, "/cdx/search/cdx") if replay.endswith("/web") else replay + "/cdx"

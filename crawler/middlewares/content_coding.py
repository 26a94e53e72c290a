"""Decodes the content codings of responses from live sites, archives and the Wayback Machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from scrapy.exceptions import NotConfigured
from scrapy.http import TextResponse
from scrapy.responsetypes import responsetypes

from crawler.crawl.answers import WITH_PAGE, is_text_type
from crawler.extraction.content_coding import ACCEPTED, ContentCodingError, Decoded, decode
from crawler.responses import content_type
from crawler.unavailable import PageRefused
from crawler.visits import note, visit_of

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

_CODING = "Content-Encoding"
# Scrapy's flags for a response that ended with its connection, or before its Content-Length.
_DOUBTFUL_FLAGS = frozenset(("partial", "dataloss"))


class ContentCodingMiddleware:
    """Replaces Scrapy's HttpCompressionMiddleware, which accepts truncated streams.

    Raises PageRefused for a page that cannot be decoded completely. Other responses, such as a 404,
    get an empty body instead, since only their status is used.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._stats = crawler.stats
        self._max_bytes = crawler.settings.getint("DOWNLOAD_MAXSIZE")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        if not crawler.settings.getbool("COMPRESSION_ENABLED"):
            raise NotConfigured
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        request.headers.setdefault("Accept-Encoding", ", ".join(ACCEPTED).encode())

    def process_response(self, request: Request, response: Response) -> Response:
        declared = [value.decode("latin-1") for value in response.headers.getlist(_CODING)]
        if request.method == "HEAD" or not (declared or is_text_type(content_type(response))):
            return response
        most = request.meta.get("download_maxsize", self._max_bytes)
        try:
            decoded = decode(response.body, declared, most, whole=_is_whole(request, response))
        except ContentCodingError as error:
            if response.status in WITH_PAGE:
                raise PageRefused(error.reason, f"{_place(request, response)}: {error}") from error
            decoded = Decoded(b"")
        for text in decoded.notes:
            note(request, text)
        if decoded.body is response.body and not declared:
            return response
        self._count(decoded)
        return _with_body(response, decoded.body)

    def _count(self, decoded: Decoded) -> None:
        self._stats.inc_value("httpcompression/response_bytes", len(decoded.body))
        self._stats.inc_value("httpcompression/response_count")


def _is_whole(request: Request, response: Response) -> bool:
    """Return whether a response is known to be complete."""
    visit = visit_of(request)
    if visit and visit.origin:
        return visit.origin.verified
    return _DOUBTFUL_FLAGS.isdisjoint(response.flags)


def _place(request: Request, response: Response) -> str:
    visit = visit_of(request)
    return visit.origin.where if visit and visit.origin else response.url


def _with_body(response: Response, body: bytes) -> Response:
    headers = response.headers.copy()
    headers.pop(_CODING, None)
    kind = responsetypes.from_args(headers=headers, url=response.url, body=body)
    # The text encoding has to be detected again, from the decoded bytes.
    encoding = {"encoding": None} if issubclass(kind, TextResponse) else {}
    return response.replace(cls=kind, headers=headers, body=body, **encoding)

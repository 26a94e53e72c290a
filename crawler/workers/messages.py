"""What writer and workers send each other through the database: orders and deliveries.

Records and parsed pages are pickled, as between the processes of one machine. A database is less
trusted than those, so that nothing but the classes of plain data that belong to a page is loaded.
"""

from __future__ import annotations

import io
import pickle
import zlib
from dataclasses import is_dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from scrapy.http import Headers
from scrapy.responsetypes import responsetypes

from crawler.crawl.articles import ArticleState, Lister, Recheck
from crawler.crawl.edges import NO_EVIDENCE, Evidence
from crawler.errors import CrawlerError

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response

    from crawler.crawl.articles import Priority, State, Validators
    from crawler.crawl.fetches import Origin
    from crawler.crawl.page_extraction import Extracted
    from crawler.items import Reason
    from crawler.visits import Rendered, Visit

_DATA_MODULES = frozenset(
    (
        *("crawler.items", "crawler.visits", "crawler.workers.messages"),
        *("crawler.crawl.articles", "crawler.crawl.edges", "crawler.crawl.fetches"),
        "crawler.crawl.page_extraction",
    )
)
_DATA_CLASSES = frozenset(
    (
        ("builtins", "frozenset"),
        ("builtins", "set"),
        ("datetime", "date"),
        ("datetime", "datetime"),
        ("datetime", "time"),
        ("datetime", "timedelta"),
        ("datetime", "timezone"),
        ("zoneinfo", "ZoneInfo"),
        ("zoneinfo", "ZoneInfo._unpickle"),
        ("collections", "Counter"),
    )
)
_FASTEST = 1
_CARRIED_META = ("retry_times", "redirect_times", "redirect_urls", "redirect_reasons")
"""Keys of ``request.meta`` that Scrapy's middlewares set and the writer reads."""


class PlainRequest(NamedTuple):
    """A request that is not for an article's page, such as for the feeds of a site."""

    method: str
    url: str
    headers: dict[bytes, list[bytes]]
    body: bytes
    meta: dict[str, Any]
    named_by_user: bool


class PageRequest(NamedTuple):
    """An article as far as its request depends on it (``ArticleState``), and the source to ask."""

    article_id: str
    turn: int
    state: State
    priority: Priority
    url: str | None
    revision: int
    validators: Validators
    refusal: str | None
    has_new_arguments: bool

    def article(self) -> ArticleState:
        depth, place, position = self.priority
        recheck = Recheck(self.revision, validators=self.validators, refusal=self.refusal)
        return ArticleState(
            self.article_id,
            self.state,
            Lister(None, depth, place),
            position,
            recheck=recheck,
            url=self.url,
        )


class Answer(NamedTuple):
    """A response, decoded, with what the middlewares noted about its request."""

    url: str
    status: int
    headers: dict[bytes, list[bytes]]
    packed_body: bytes
    flags: tuple[str, ...]
    meta: dict[str, Any]

    def respond(self, request: Request) -> Response:
        """Return the response as one to the writer's request."""
        body, headers = zlib.decompress(self.packed_body), Headers(self.headers)
        response_class = responsetypes.from_args(headers=headers, url=self.url, body=body)
        return response_class(
            self.url,
            status=self.status,
            headers=headers,
            body=body,
            flags=list(self.flags),
            request=request,
        )


class Refused(NamedTuple):
    """Why a page was not provided (``fallback.Unavailable``); ``asked`` if a request was sent."""

    reason: Reason | Literal["not_saved"]
    detail: str
    status: int | None
    asked: bool
    of_source: bool
    meta: dict[str, Any]


class Found(NamedTuple):
    """What a worker found out about a page: the fields of ``Visit`` that it filled in."""

    fetched_at: datetime
    origin: Origin | None = None
    notes: tuple[str, ...] = ()
    extracted: Extracted | None = None
    fault: str | None = None
    rendered: Rendered | None = None
    evidence: Evidence = NO_EVIDENCE
    has_own_capture: bool = False


class Delivery(NamedTuple):
    """The result of an order, and how far it raised the stats of the run."""

    result: Answer | Refused
    found: Found | None
    stats: dict[str, int]


def answer_of(response: Response, request: Request | None) -> Answer:
    """Return a response as it is sent to the writer."""
    return Answer(
        response.url,
        response.status,
        {key: list(values) for key, values in response.headers.items()},
        zlib.compress(response.body, _FASTEST),
        tuple(response.flags),
        carried_meta(request),
    )


def carried_meta(request: Request | None) -> dict[str, Any]:
    """Return what the middlewares noted about a request and the writer needs to know."""
    if request is None:
        return {}
    return {name: request.meta[name] for name in _CARRIED_META if name in request.meta}


def found_of(visit: Visit, fetched_at: datetime, *, has_own_capture: bool) -> Found:
    """Return what a worker found out in a visit. The rendered page is the response already."""
    extracted, fault = visit.extracted, None
    if isinstance(extracted, Exception):
        extracted, fault = None, f"{type(extracted).__name__}: {extracted}"
    rendered = visit.rendered and replace(visit.rendered, body=b"")
    return Found(
        fetched_at=fetched_at.astimezone(UTC),
        origin=visit.origin,
        notes=tuple(visit.notes),
        extracted=extracted,
        fault=fault,
        rendered=rendered,
        evidence=visit.evidence,
        has_own_capture=has_own_capture,
    )


def packed(message: PageRequest | PlainRequest | Delivery) -> bytes:
    """Return a message as bytes."""
    return pickle.dumps(message, pickle.HIGHEST_PROTOCOL)


def unpacked(data: bytes) -> Any:
    """Return the message in bytes that ``packed`` made.

    Raises CrawlerError if they are damaged, or hold anything but plain data.
    """
    try:
        return _DataUnpickler(io.BytesIO(data)).load()
    except Exception as error:
        raise CrawlerError(
            f"a message in the database cannot be read ({type(error).__name__}: {error}); "
            "all workers need the same version of this program",
            exit_code=1,
        ) from error


class _DataUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _DATA_CLASSES:
            return super().find_class(module, name)
        if module in _DATA_MODULES or module.startswith("crawler.extraction."):
            found = super().find_class(module, name)
            # Anything else might do something when it is called with arguments of others' choice.
            if isinstance(found, type) and (is_dataclass(found) or issubclass(found, tuple)):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is not plain data")

"""The purpose of a request: the only object that this project puts in ``request.meta``.

Scrapy copies ``meta`` to retries and redirects, so they share the object.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from crawler.crawl.edges import NO_EVIDENCE, Evidence
from crawler.crawl.source_kinds import LIVE

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from scrapy import Request

    from crawler.crawl.articles import ArticleState
    from crawler.crawl.candidates import Candidates
    from crawler.crawl.fetches import Origin
    from crawler.crawl.page_extraction import Extracted
    from crawler.items import Reason

PURPOSE = "purpose"
"""The key in ``request.meta``; its value is a ``Visit`` or an ``Errand``."""


class Attempt(NamedTuple):
    """The reason why one source did not provide a page."""

    source: str
    reason: Reason | Literal["not_saved"]
    detail: str
    status: int | None
    requests: int
    """How many requests were made."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The HTML of a page as its scripts left it, in UTF-8.

    ``unfinished`` says why more might have come; None if the page had come to rest.
    """

    renderer: str
    body: bytes
    unfinished: str | None = None


@dataclass(slots=True, kw_only=True)
class Visit:
    """A request for the page of an article.

    ``article_id`` is the id by which the article was requested, ``url`` the address that the
    frontier had for it when the request was made, ``made_url`` that of the request, ``state`` the
    article once the frontier has handed it out, and ``turn`` the index of the source to use.
    ``saved_page`` is a file that provides the page, whatever the source. ``id_where`` says where
    the article's id comes from. ``has_address`` is false if the article is known only by the name
    of a file. ``attempts`` are those of earlier sources.

    The other fields are filled in when a response arrives: its ``origin``, unless it is from the
    live site; ``notes`` on what had to be assumed about it; the archive's ``candidates``; the
    ``extracted`` page, or the exception raised by extracting it; the ``rendered`` page; the
    ``evidence`` of it in an archive; and when it was fetched. ``has_own_capture`` says whether an
    archive has a capture of the article's own URL. A worker has the page by its ``lease``. If the
    page waited for others, ``results`` are what the spider has to yield for it since.
    """

    article_id: str
    url: str | None = None
    made_url: str | None = None
    turn: int = 0
    state: ArticleState | None = None
    saved_page: Path | None = None
    id_where: str = "asked for"
    has_address: bool = True
    attempts: tuple[Attempt, ...] = ()
    origin: Origin | None = None
    notes: list[str] = field(default_factory=list)
    candidates: Candidates | None = None
    extracted: Extracted | Exception | None = None
    rendered: Rendered | None = None
    evidence: Evidence = NO_EVIDENCE
    fetched_at: datetime | None = None
    has_own_capture: bool = False
    lease: int = 0
    results: list[Any] | None = None

    @property
    def source(self) -> str:
        """The name of the source that answered."""
        return self.origin.source if self.origin else LIVE

    @property
    def is_saved(self) -> bool:
        """Whether a saved page answered."""
        return self.origin is not None and self.origin.file is not None


@dataclass(slots=True, kw_only=True)
class Errand:
    """Any other request that this project makes.

    ``named_by_user`` is true if it goes to a server that the user named, such as a web archive or a
    browser, rather than to the publisher. If it is for robots.txt, ``robots_redirects`` are the
    URLs that it was redirected to.
    """

    named_by_user: bool = False
    robots_redirects: list[str] | None = None
    notes: list[str] = field(default_factory=list)


def visit_of(request: Request | None) -> Visit | None:
    """Return the visit that a request belongs to, if any."""
    purpose = request.meta.get(PURPOSE) if request else None
    return purpose if isinstance(purpose, Visit) else None


def errand_of(request: Request | None) -> Errand | None:
    """Return the errand that a request belongs to, if any."""
    purpose = request.meta.get(PURPOSE) if request else None
    return purpose if isinstance(purpose, Errand) else None


def note(request: Request, text: str) -> None:
    """Note what had to be assumed about the response to a request, for the record of its page."""
    purpose = request.meta.setdefault(PURPOSE, Errand())
    if text not in purpose.notes:
        purpose.notes.append(text)


def visit_in(request: Request) -> Visit:
    """Return the visit of a request that is known to have one."""
    visit = visit_of(request)
    assert visit is not None
    return visit

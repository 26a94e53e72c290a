"""The state that the parts of one run share.

A spider creates its ``Run`` once and completes it in ``from_crawler``. The scheduler, middlewares,
pipelines, extensions and feeds get it from the spider.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from crawler.crawl.source_kinds import LIVE
from crawler.credentials import hide_userinfo
from crawler.errors import CrawlerError, HoldLostError, LedgerError
from crawler.files import locked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from crawler.crawl.arguments import Arguments
    from crawler.crawl.duplicates import Duplicates
    from crawler.crawl.fetches import Fetch
    from crawler.crawl.frontier import Frontier
    from crawler.crawl.ledger.job import Job
    from crawler.crawl.outages import Outages
    from crawler.crawl.page_extraction import Extracted
    from crawler.crawl.scope import Scope
    from crawler.extraction.directory import Publishers
    from crawler.extraction.publishers import Publisher
    from crawler.items import Record
    from crawler.warc.writer import Exchange, WarcWriter
    from crawler.workers.courier import Courier
    from crawler.workers.desk import Desk

logger = logging.getLogger(__name__)

StopReason = Literal["site_down", "renderer_down", "ledger_failed", "archive_failed"]
"""Why a run stops itself; the ``finish_reason`` of its spider."""


# In seconds. Each process holds the lock for microseconds.
_LOCK_PATIENCE, _LOCK_POLL = 0.5, 0.001


def unique_time() -> datetime:
    """Return the current time (UTC), which no other process in this folder gets.

    The files and folders of a run are named after the microsecond when it began.
    """
    deadline = time.monotonic() + _LOCK_PATIENCE
    while time.monotonic() < deadline:
        try:
            # When the next process has the lock, the clock has moved on.
            with locked(Path.cwd(), waits=False):
                return datetime.now(UTC)
        except BlockingIOError:
            time.sleep(_LOCK_POLL)
        except OSError:
            # Some file systems have no locks.
            break
    # A program that runs the crawl, such as flock, may hold the lock all the time.
    return datetime.now(UTC)


class Source(Protocol):
    """Answers requests for articles in place of the live site.

    ``name`` is its name in records. An ``offline`` source opens no connection. ``faults`` describe
    the parts of it that cannot be read.
    """

    name: str
    offline: bool
    faults: list[str]

    async def answer(self, request: Any) -> Any:
        """Return the response to a request, with its content coding, and note its origin.

        Raises NotSaved or PageRefused if there is none.
        """
        ...

    def articles(self) -> Iterator[Found]:
        """Yield each article that the source holds, once.

        Raises CrawlerError if they cannot be listed.
        """
        ...


# Stands for a URL that follows from the id, or that is not known. Neither is in any text.
FOLLOWS, UNKNOWN = "\x01", "\x02"


class Found(NamedTuple):
    """An article in a source: its id and its URL.

    The URL is None if it follows from the id, and "" if there is none.
    """

    id: str
    url: str | None = None

    @property
    def line(self) -> str:
        """Both on one line. The lines of one article sort as its URLs do, after those without."""
        return f"{self.id}\t{FOLLOWS if self.url is None else self.url or UNKNOWN}"


class Stop(NamedTuple):
    """Why a run stopped itself: the reason for programs, and a message for people."""

    reason: StopReason
    message: str


@dataclass(kw_only=True)
class Run:
    """One run of a crawl.

    ``sources`` are tried in turn for a page; None stands for the live site. ``given`` are the
    arguments as text. ``close`` closes the spider with a reason. ``pages_held`` yields the items of
    pages that wait for those before them, each with its response. ``has_new_arguments`` means that
    other arguments decided in the job's last run what is followed. ``started`` is false while
    ``scrapy parse``, ``shell`` or ``check`` use the spider without crawling. ``archive_exchange``
    and ``archive_page`` write HTTP exchanges and rendered pages to the ``archive``. A worker of a
    shared job has a ``courier``, and its writer, which ``has_workers``, a ``desk``. A writer that
    ``hands_over`` leaves the rest of the run to another one. ``duplicates`` settles the ids of
    articles if all of an archive is read, and no ledger knows those of earlier runs. A run that
    ``reads_directly`` takes articles from the frontier without requests.
    """

    given: Mapping[str, str]
    arguments: Arguments
    frontier: Frontier
    scope: Scope
    outages: Outages
    began: datetime
    close: Callable[[str], None]
    sources: list[Source | None] = field(default_factory=list)
    job: Job | None = None
    courier: Courier | None = None
    desk: Desk | None = None
    has_workers: bool = False
    hands_over: bool = False
    duplicates: Duplicates | None = None
    reads_directly: bool = False
    archive: WarcWriter | None = None
    archive_exchange: Callable[[Exchange], None] | None = None
    archive_page: Callable[[str, bytes], None] | None = None
    renderer: str | None = None
    has_new_arguments: bool = False
    pages_held: Callable[[], Iterator[tuple[Any, Any]]] = lambda: iter(())
    started: bool = False
    stopped: Stop | None = None
    extracted: dict[str, Extracted] = field(default_factory=dict)
    """By article id, the extracted page whose item is on its way through the pipelines."""
    fetches: dict[str, Fetch] = field(default_factory=dict)
    """By article id, how that page was fetched."""
    records: dict[str, Record] = field(default_factory=dict)
    """By article id, the record of that item before the user's own pipelines change it."""

    @property
    def asked(self) -> dict[str, str]:
        """The arguments that were given, and the sources in force, without passwords."""
        asked = {**self.given, "source": ",".join(self.arguments.sources)}
        return {name: hide_userinfo(value) for name, value in asked.items()}

    @property
    def publisher(self) -> Publisher:
        """The publisher whose own ids stand for themselves."""
        return self.arguments.publisher

    @property
    def publishers(self) -> Publishers:
        return self.arguments.publishers

    def source_at(self, turn: int) -> Source | None:
        """Return the source at a turn; None for the live site."""
        return self.sources[turn] if self.sources else None

    def outage_name(self, visit: Any) -> str:
        """Return the name under which failures of the source of a visit are counted."""
        source = self.source_at(visit.turn)
        if source is not None or visit.state is None:
            return source.name if source else LIVE
        return self.outages.name_of(LIVE, visit.state.lane.host)

    def is_live(self, turn: int) -> bool:
        """Return whether the live site is asked at a turn."""
        return self.source_at(turn) is None

    @property
    def is_offline(self) -> bool:
        """Whether the run opens no connection."""
        return bool(self.sources) and all(
            source is not None and source.offline for source in self.sources
        )

    def item_done(self, article_id: str | None) -> None:
        """Discard everything kept for an item during its way through the pipelines."""
        if article_id is not None:
            self.extracted.pop(article_id, None)
            self.fetches.pop(article_id, None)
            self.records.pop(article_id, None)

    def fail(self, error: CrawlerError) -> None:
        """End the run because its ledger or its archive cannot be written."""
        if isinstance(error, HoldLostError) and self.has_workers:
            logger.warning("%s; this process goes on as a worker", error)
            self.hands_over = True
        else:
            logger.error("%s", error)
        is_ledger = isinstance(error, LedgerError)
        self.stop("ledger_failed" if is_ledger else "archive_failed", str(error))

    def stop(self, reason: StopReason, message: str) -> None:
        """End the run early; only the first call counts."""
        if self.stopped is None:
            self.stopped = Stop(reason, message)
            self.close(reason)


def run_of(spider: object) -> Run | None:
    """Return the run of a spider; None for one that is not built on this project's frontier."""
    run = getattr(spider, "run", None)
    return run if isinstance(run, Run) else None

"""Serves pages from web archive files, and from files with copies of their text.

The newest of several captures is used, or the nearest to ``at``. If it does not yield an article,
the next is tried, up to ``MOST_TRIED`` in all. A redirect is followed within the archive, to the
capture nearest to its own date. Raises NotSaved or PageRefused if there is no usable capture.
"""

from __future__ import annotations

import logging
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from scrapy.http import Response

from crawler.crawl.archived_articles import (
    MOST_TRIED,
    ArchiveOptions,
    ArchiveReader,
    PageRead,
    Reading,
    addresses,
    addresses_by_id,
    article_of,
    read_capture,
)
from crawler.crawl.candidates import Candidates
from crawler.crawl.duplicates import Duplicates, claimant_of
from crawler.crawl.run import Found
from crawler.crawl.timed_extraction import TimedExtractor
from crawler.errors import CrawlerError
from crawler.extraction.refusal import Refusal
from crawler.setting_values import most_bytes, seconds_of
from crawler.sources.listing import url_of
from crawler.sources.page_files import reason_against
from crawler.unavailable import PageRefused, nothing_captured
from crawler.visits import note, visit_of
from crawler.warc.archive import Archive, Place
from crawler.warc.captures import key_of, ordered, wanted
from crawler.warc.index import distinct
from crawler.warc.located import StoredIn
from crawler.warc.texts import KNOWN_FIELDS, TextFields

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings

    from crawler.crawl.archived_articles import PageFound, Refused
    from crawler.crawl.arguments import Arguments
    from crawler.crawl.articles import ArticleState
    from crawler.crawl.duplicates import Claimant
    from crawler.crawl.run import Run
    from crawler.extraction.directory import Publishers
    from crawler.items import Failure
    from crawler.visits import Visit
    from crawler.warc.archive import ArchiveFile
    from crawler.warc.captures import Capture
    from crawler.warc.located import LocatedCapture
    from crawler.warc.pages import ArchivedPage

    FoundCapture = tuple[Capture, ArchiveFile]

logger = logging.getLogger(__name__)

_OK = 200
_MOST_NAMED = 5
# Stands for the URL of a capture that is not the page of its article; it sorts after all URLs.
_NO_PAGE = "\U0010ffff"


def open_source(name: str, arguments: Arguments, crawler: Crawler) -> ArchivedPages:
    """Open archive files as a source. Raises CrawlerError if one of them cannot be read."""
    settings = crawler.settings
    publishers, at, fields = arguments.publishers, arguments.at, _text_fields(settings)
    return ArchivedPages(name, publishers, at, most_bytes(settings), fields)


def _text_fields(settings: BaseSettings) -> tuple[TextFields, ...]:
    """Return TEXT_FIELDS: the fields of texts in JSON Lines, by default those of C4 and OSCAR.

    Raises CrawlerError if it does not name two or three fields.
    """
    value = settings["TEXT_FIELDS"]
    if not value:
        return KNOWN_FIELDS
    names = [name.strip() for name in str(value).split(",")]
    if not 2 <= len(names) <= 3 or not all(names):
        raise CrawlerError(
            f"TEXT_FIELDS: got {str(value)!r}; takes the fields of the address, the text and "
            "perhaps the date, such as url,text,timestamp; nested ones have dots: meta.url,content"
        )
    return (TextFields(*names),)


class ArchivedPages:
    """A source of captures from archive files: the newest, or the nearest to ``at``."""

    offline = True

    def __init__(
        self,
        path: str,
        publishers: Publishers,
        at: date | None,
        max_bytes: int,
        text_fields: tuple[TextFields, ...] = KNOWN_FIELDS,
    ) -> None:
        """Open the files. Raises CrawlerError if one of them cannot be read."""
        self._archive = Archive(path, max_bytes, text_fields)
        self._publishers = publishers
        self._at = at
        self.name = self._archive.source
        self.path = path
        self._extra_urls: dict[str, list[str]] = {}
        self.faults = self._archive.faults
        self._warn_of_pages_beside()

    def _warn_of_pages_beside(self) -> None:
        """Warn that files beside the archives that may be saved pages are not read."""
        others = self._archive.others
        if others:
            logger.info("%s: %d files are not archives", self.path, len(others))
        # URL lists and notes end in .txt too.
        other_than_text = [file for file in others if file.suffix.lower() != ".txt"]
        pages = [file.name for file in other_than_text if reason_against(file) is None]
        if pages:
            more = f" and {len(pages) - _MOST_NAMED:,} more" if len(pages) > _MOST_NAMED else ""
            logger.warning(
                "%s: saved pages beside the archives are not read: %s; move them to a folder "
                "of their own, and name that folder as a source",
                self.path,
                ", ".join(pages[:_MOST_NAMED]) + more,
            )

    async def answer(self, request: Request) -> Response:
        visit = visit_of(request)
        found = self._candidate(request, visit) if visit else None
        if visit is None or found is None:
            raise nothing_captured(request, self.path)
        capture, file = found
        visit.origin, page = read_capture(self._archive, capture, file)
        if isinstance(page, Refusal):
            raise PageRefused(page.reason, page.detail)
        # A retry would read the same capture.
        request.meta["dont_retry"] = True
        for text in page.notes:
            note(request, text)
        return _response(page, request)

    def _candidate(self, request: Request, visit: Visit) -> FoundCapture | None:
        """Return the capture to try for an article, or for the page that a redirect led to."""
        if visit.candidates is None:
            captures = self._captures_of(visit.article_id, request.url)
            visit.candidates = Candidates(captures, MOST_TRIED)
        remaining = visit.candidates
        redirects = request.meta.get("redirect_times", 0)
        if not redirects:
            for text in remaining.notes():
                note(request, text)
            found = remaining.levels[0][0] if remaining.levels[0] else None
        else:
            redirected_at = visit.origin.captured_at if visit.origin else None
            captures = self._archive.captures(request.url)
            found = remaining.beyond(redirects, ordered(captures, redirected_at))
        return found

    def _captures_of(self, article_id: str, url: str) -> list[FoundCapture]:
        urls = addresses(article_id, url, self._publishers, with_variants=True)
        return wanted(self._found(article_id, url), urls, self._at)

    def _found(self, article_id: str, url: str) -> Iterator[FoundCapture]:
        """Yield the captures of an article, some perhaps twice."""
        urls = addresses(article_id, url, self._publishers, with_variants=True)
        ids = {article_id, self._publishers.id_of(url)}
        for place in (*urls, *self._extra_urls.get(article_id, ())):
            for capture, file in self._archive.captures_below(place):
                if self._publishers.id_of(capture.url) in ids:
                    yield capture, file

    async def find(
        self, state: ArticleState, places: Iterable[Place], reader: ArchiveReader
    ) -> PageFound | Refused | None:
        """Read an article whose captures are at these places; None if none is to be read.

        Without places, they are looked up.
        """
        found = [self._archive.at(place) for place in places]
        reading = reader.begin(found or self._found(state.id, reader.url_of(state)))
        if not isinstance(reading, Reading):
            return None
        return await reader.find(state, reading.candidates, self._archive)

    def located(self, places: Iterable[Place]) -> list[LocatedCapture] | None:
        """Return the captures at places, so that another process can read them.

        None if it would have to unpack their files again.
        """
        located = []
        for place in places:
            capture, file = self._archive.at(place)
            location = file.location(capture)
            if location.coding == "whole":
                return None
            located.append((capture, StoredIn(location, file.source)))
        return located or None

    def read(self, article_id: str, reader: ArchiveReader) -> PageRead | Failure | None:
        """Read the article of an address, if the archive has captures of it."""
        reading = reader.begin(self._found(article_id, f"http://{article_id}"))
        return reader.read(reading, self._archive) if isinstance(reading, Reading) else None

    def articles(self) -> Iterator[Found]:
        return (found for found, _ in self.articles_with_places())

    def articles_with_places(self) -> Iterator[tuple[Found, list[Place]]]:
        """Yield each article, sorted by id, with the places of all captures that have its id."""
        for article_id, lines in groupby(distinct(self._lines()), key=_id_in):
            fields = [line.partition("\t")[2].rsplit("\t", 2) for line in lines]
            url = fields[0][0]
            if url != _NO_PAGE:
                places = sorted(Place(int(file), int(line)) for _, file, line in fields)
                yield Found(article_id, url_of(url)), places

    def _lines(self) -> Iterator[str]:
        """Yield a line for each capture with the id of an article; those of its pages sort first.

        It has the ``line`` of the article, and the place of the capture.
        """
        left_out = Counter[str]()
        for place, capture in self._archive.all_captures():
            found = article_of(capture, self._publishers)
            if isinstance(found, str):
                left_out[found] += 1
                article_id = self._publishers.id_of(capture.url)
                if article_id is not None:
                    yield f"{article_id}\t{_NO_PAGE}\t{place.file}\t{place.line}"
                continue
            urls = addresses_by_id(found.id, found.url, self._publishers, with_variants=True)
            key = key_of(capture.url) or ""
            if not any(key.startswith(one) for one in filter(None, map(key_of, urls))):
                # A URL below /mobile, for example, is found only by listing every URL.
                self._extra_urls.setdefault(found.id, []).append(capture.url)
            yield f"{found.line}\t{place.file}\t{place.line}"
        for why, count in left_out.items():
            logger.info("%s: left out %d captures %s", self.path, count, why)


def options_of(run: Run, settings: BaseSettings) -> ArchiveOptions:
    """Return how the archives of a run are read."""
    return ArchiveOptions(
        ",".join(run.arguments.sources),
        run.arguments.hosts,
        run.arguments.at,
        most_bytes(settings),
        settings.getint("REDIRECT_MAX_TIMES"),
    )


def duplicates_in(run: Run, settings: BaseSettings) -> Duplicates | None:
    """Return the settlement of ids in a run that reads archives whole; None for other sources."""
    archives = [source for source in run.sources if isinstance(source, ArchivedPages)]
    if len(archives) < len(run.sources):
        return None
    timeout = seconds_of(settings, "READ_TIMEOUT")
    extract = TimedExtractor(run.publishers, timeout)
    reader = ArchiveReader(run.publishers, extract, options_of(run, settings))

    def find(article_id: str) -> Claimant | Literal["failure"] | None:
        for archive in archives:
            read = archive.read(article_id, reader)
            if isinstance(read, PageRead):
                return claimant_of(article_id, read.claims, read.content)
            if read is not None:
                return "failure"
        return None

    return Duplicates(find)


def _id_in(line: str) -> str:
    return line.partition("\t")[0]


def _response(page: ArchivedPage, request: Request) -> Response:
    headers: dict[bytes, list[bytes]] = {}
    for name, value in page.headers:
        # Some writers remove the header's value but leave its name.
        if value or name.lower() != b"content-encoding":
            headers.setdefault(name.title(), []).append(value)
    status = page.status or _OK
    return Response(page.url, status=status, headers=headers, body=page.body, request=request)

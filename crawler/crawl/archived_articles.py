"""Reads articles from the captures of an archive.

The captures of an article are tried in order, until one yields the article; a redirect is followed
within the archive, to the capture nearest to its own date. Without Scrapy, an event loop or I/O of
its own: only the function that extracts pages may wait for something. A ``Reading`` holds the state
of one article and can be pickled. If ``Captures`` raises an exception, because captures have to be
looked up elsewhere first, the reading can go on later.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from w3lib.url import safe_url_string

from crawler.crawl import page_facts, records
from crawler.crawl.answers import (
    WITH_PAGE,
    charset_of,
    explain_status,
    is_text_type,
    led_elsewhere,
    not_html,
    redirect_target,
)
from crawler.crawl.articles import ArticleState, Content, Lister, Recheck
from crawler.crawl.candidates import Candidates, PassedOver
from crawler.crawl.fetches import Fetch, Origin, where_captured
from crawler.crawl.outages import CONNECTION_FAILURES, SOURCE_FAILURES
from crawler.crawl.page_extraction import Task, TooSlowError
from crawler.crawl.run import Found
from crawler.crawl.scope import Scope
from crawler.errors import ArchiveError
from crawler.extraction.addresses import VARIANT_HOSTS
from crawler.extraction.article_urls import looks_like_article
from crawler.extraction.content_coding import ContentCodingError, Decoded, decode
from crawler.extraction.refusal import Refusal
from crawler.warc.captures import CONVERSION, REVISIT, TEXT_COPY, key_of, ordered, wanted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
    from datetime import date

    from crawler.crawl.identities import Claim
    from crawler.crawl.page_extraction import Extracted
    from crawler.extraction.directory import Publishers
    from crawler.items import Article, Failure, PageRecord, Reason
    from crawler.warc.captures import Capture
    from crawler.warc.pages import ArchivedPage, Captures

MOST_TRIED = 20
"""Reading a page takes about 80 ms, so an article with only bad captures costs up to 2 s."""
_OK = 200
# Some indexes tell no type.
_PAGE_TYPES = frozenset(
    (
        *("", "-", "unk", "text/html", "application/xhtml+xml", "text/plain"),
        *(CONVERSION, REVISIT, TEXT_COPY),
    )
)

_T = TypeVar("_T")
LeftOut = Literal["whose address is not an article's", "that are not pages"]


def article_of(capture: Capture, publishers: Publishers) -> Found | LeftOut:
    """Return the article that a capture may be of, or why it is of none."""
    publisher = publishers.of(capture.url)
    article_id = publisher.id_of(capture.url) if publisher else None
    if article_id is None or publisher is None:
        return "whose address is not an article's"
    if publisher.has_own_ids:
        return Found(article_id, None if publishers.home.own_id(article_id) else capture.url)
    if not _may_be_page(capture):
        return "that are not pages"
    if looks_like_article(capture.url) is False:
        return "whose address is not an article's"
    return Found(article_id, capture.url)


def _may_be_page(capture: Capture) -> bool:
    """Return whether a capture may be a page, as far as the index tells."""
    media_type = capture.media_type.partition(";")[0].strip().lower()
    return capture.is_page and not capture.method and media_type in _PAGE_TYPES


def addresses(
    article_id: str, url: str | None, publishers: Publishers, *, with_variants: bool = False
) -> list[str]:
    """Return the URLs under which archives may hold an article, one for each archive key.

    They are the URL to request, if it is known, and those that follow from the id
    (``addresses_by_id``).
    """
    urls = [url] if url else []
    urls += addresses_by_id(article_id, url, publishers, with_variants=with_variants)
    return list({key_of(one): one for one in reversed(urls) if key_of(one)}.values())[::-1]


def addresses_by_id(
    article_id: str, url: str | None, publishers: Publishers, *, with_variants: bool = False
) -> list[str]:
    """Return the URLs of an article that follow from its id.

    Those of other hosts for the same pages, such as ``m.``, are included only ``with_variants``.
    ``url`` is one of its URLs, if any is known.
    """
    home = publishers.home
    publisher = publishers.of(url) if url else home
    if publisher and publisher.own_id(article_id) and (own_url := publisher.url_of(article_id)):
        scheme, _, rest = own_url.partition("://")
        path = rest.partition("/")[2]
        return [own_url, *(f"{scheme}://{host}/{path}" for host in sorted(publisher.hosts))]
    if home.own_id(article_id) or not url:
        return []
    labels = [f"{name}." for name in VARIANT_HOSTS] if with_variants else []
    return [f"http://{label}{article_id}" for label in ("", *labels)]


def read_capture(
    captures: Captures[Any], capture: Capture, file: Any
) -> tuple[Origin, ArchivedPage | Refusal]:
    """Read a capture; return its origin, and its page or why it cannot be used."""
    place = captures.place(capture, file)
    origin = Origin(source=file.source, where=place, captured_at=capture.at)
    if capture.method:
        detail = f"{place}: it is the answer to a {capture.method} request"
        return origin, Refusal("not_an_article", detail)
    try:
        page = captures.read(capture, file)
    except ArchiveError as error:
        return origin, Refusal(error.reason, str(error))
    origin = Origin(
        source=file.source,
        where=page.where,
        record_id=page.record_id,
        captured_at=page.captured_at,
        status_assumed=page.status is None,
        is_text=page.is_text,
        date_note=page.date_note,
        # The archive refuses a record with a wrong length or digest.
        verified=True,
    )
    return origin, page


class PageRead(NamedTuple):
    """A page that is an article: its record, how it was fetched, and the ids that it claims.

    ``claims`` are in order of preference, and the last is the article's own id; there are none if
    ids are the publisher's own. ``content`` tells whether another page is the same article.
    """

    record: PageRecord
    fetch: Fetch
    claims: tuple[Claim, ...]
    content: Content

    def article(self, article_id: str, refused: tuple[str, ...]) -> Article:
        """Return its record under the id that was settled, given the claims that were refused."""
        fetch = replace(self.fetch, id=article_id)
        if self.claims:
            ids = tuple(claim.id for claim in self.claims if claim.id not in refused)
            fetch = replace(fetch, aliases=ids)
        if self.record.id in refused:
            fetch = replace(fetch, id_note=page_facts.note_of(self.record.id))
        return records.article(self.record, fetch)


@dataclass(slots=True)
class Reading:
    """The state of reading one article: its remaining captures."""

    article: Found
    candidates: Candidates


class PageFound(NamedTuple):
    """The page of an article in an archive, and how it was answered."""

    answer: page_facts.Answer
    extracted: Extracted


class Refused(NamedTuple):
    """Why a capture did not yield the article; ``redirects`` led from the article's URL to it."""

    reason: Reason
    detail: str
    status: int | None
    redirects: int
    origin: Origin


@dataclass(slots=True)
class _Visit:
    """One try: the URLs requested, the origin of the last capture, and notes for the record."""

    urls: list[str]
    notes: list[str]
    origin: Origin | None = None

    def refused(self, reason: Reason, detail: str, status: int | None = None) -> Refused:
        assert self.origin is not None
        status = None if self.origin.status_assumed else status
        return Refused(reason, detail, status, len(self.urls) - 1, self.origin)


class ArchiveOptions(NamedTuple):
    """How to read an archive, whose name in messages is ``name``.

    ``hosts`` are those of a ``Scope``. ``at`` chooses among captures, ``most_bytes`` limits a page
    without its content coding (0: no limit), ``most_redirects`` the redirects in a row.
    """

    name: str
    hosts: tuple[str, ...] | str
    at: date | None
    most_bytes: int
    most_redirects: int


class ArchiveReader:
    """Reads articles from an archive.

    ``extract`` parses a page; it raises TooSlowError if that takes too long.
    """

    def __init__(
        self,
        publishers: Publishers,
        extract: Callable[[Task], Awaitable[Extracted]],
        options: ArchiveOptions,
    ) -> None:
        self.scope = Scope(publishers, options.hosts, by_host=False, everything=True)
        self._extract = extract
        self._name = options.name
        self._at = options.at
        self._most_bytes = options.most_bytes
        self._most_redirects = options.most_redirects

    def begin(self, found: Iterable[tuple[Capture, Any]]) -> Reading | Counter[str]:
        """Begin to read an article from its captures, each with the file that stores it.

        If they are of no article, or of none that is to be read, returns why they are left out,
        with the number of captures for each reason. Of several addresses of the article, the first
        in alphabetical order counts. Of redirects and errors at other addresses with the same id,
        only those are tried that are below an address of the article or of one of its pages: a
        crawl finds no others.
        """
        found, publishers = list(found), self.scope.publishers
        seen = [article_of(capture, publishers) for capture, _ in found]
        articles = [one for one in seen if isinstance(one, Found)]
        if not articles:
            return Counter(one for one in seen if isinstance(one, str))
        article = min(articles, key=lambda one: one.line.encode("utf-8", "surrogatepass"))
        if not self.scope.includes(article):
            return Counter({"that are not of the publisher": len(found)})
        if len(found) == 1:
            return Reading(article, Candidates(ordered(found, self._at), MOST_TRIED))
        urls = addresses(article.id, self.url_of(state_of(article)), publishers, with_variants=True)
        pages = [
            capture.url
            for (capture, _), one in zip(found, seen, strict=True)
            if isinstance(one, Found)
        ]
        keys = tuple(filter(None, map(key_of, (*urls, *pages))))
        near = [one for one in found if (key_of(one[0].url) or "").startswith(keys)]
        return Reading(article, Candidates(wanted(near, urls, self._at), MOST_TRIED))

    def read(self, reading: Reading, captures: Captures[Any]) -> PageRead | Failure:
        """Return the page of an article, or the failure if no capture yields it.

        ``extract`` must not wait for anything.
        """
        state = state_of(reading.article)
        found = self.find_at_once(state, reading.candidates, captures)
        if isinstance(found, PageFound):
            try:
                return self._page_read(found, state)
            except Exception as error:
                found = _internal_error(error, found.answer)
        return records.failure(
            state,
            (),
            self.scope,
            reason=found.reason,
            detail=found.detail,
            attempts=1,
            status=found.status,
            source=found.origin.source,
        )

    def find_at_once(
        self, state: ArticleState, candidates: Candidates, captures: Captures[Any]
    ) -> PageFound | Refused:
        """Do the same as ``find``, if ``extract`` does not wait for anything."""
        return _result_of(self.find(state, candidates, captures))

    async def find(
        self, state: ArticleState, candidates: Candidates, captures: Captures[Any]
    ) -> PageFound | Refused:
        """Return the page of an article, or why none of the captures to try yields it."""
        while True:
            result = await self._try(state, candidates, captures)
            if isinstance(result, PageFound):
                return result
            reason, detail, status, redirects, origin = result
            # A temporary fault must not let an older capture replace the stored record.
            is_passing = state.revision > 0 and status is None and reason in SOURCE_FAILURES
            if is_passing or reason == "internal_error" or reason in CONNECTION_FAILURES:
                return result
            passed_over = PassedOver(where_captured(origin), reason, detail, status)
            candidates.pass_over(passed_over, redirects)
            if not candidates.has_more:
                failed = candidates.failure()
                assert failed.reason != "not_saved"
                return Refused(failed.reason, failed.detail, failed.status, redirects, origin)

    def url_of(self, state: ArticleState) -> str:
        """Return the URL to look up for an article, as Scrapy would request it."""
        return safe_url_string(self.scope.url_of(state) or "")

    async def _try(
        self, state: ArticleState, candidates: Candidates, captures: Captures[Any]
    ) -> PageFound | Refused:
        """Read the current capture of an article, and the captures that it redirects to."""
        visit = _Visit([self.url_of(state)], candidates.notes())
        while True:
            page = self._page(visit, state, candidates, captures)
            if isinstance(page, Refused):
                return page
            target = self._redirect(visit, page)
            if target is None:
                return await self._read_page(visit, page, state, candidates)
            if isinstance(target, Refused):
                return target
            visit.urls.append(target)
            publisher = self.scope.publisher_of(state)
            if not self.scope.allows(target, publisher):
                detail = f"redirected to {target}, which is not the publisher's"
                return visit.refused("offsite_redirect", detail)

    def _page(
        self,
        visit: _Visit,
        state: ArticleState,
        candidates: Candidates,
        captures: Captures[Any],
    ) -> ArchivedPage | Refused:
        """Read the next capture of a visit."""
        redirects, url = len(visit.urls) - 1, visit.urls[-1]
        if not redirects:
            capture, file = candidates.levels[0][0]
        elif found := candidates.beyond(redirects, _nearest(captures, url, visit.origin)):
            capture, file = found
        else:
            detail = f"redirected to {url}, which has no capture in {self._name}"
            return visit.refused("http_3xx", detail)
        visit.origin, page = read_capture(captures, capture, file)
        if isinstance(page, Refusal):
            return visit.refused(page.reason, page.detail)
        _add(visit.notes, page.notes)
        return page

    def _redirect(self, visit: _Visit, page: ArchivedPage) -> str | Refused | None:
        """Return the URL that a page redirects to, if it does; or why that cannot be followed."""
        status, location = page.status or _OK, _header(page, b"location")
        try:
            target = redirect_target(visit.urls[-1], status, location)
        except ValueError:
            text = (location or b"").decode("latin-1")
            detail = f"redirected to {text!r}, which is not a valid URL"
            return visit.refused("http_3xx", detail)
        if target is not None and len(visit.urls) > self._most_redirects:
            detail = f"max redirections reached, the last to {page.url}"
            return visit.refused("redirect_loop", detail)
        return target

    async def _read_page(
        self, visit: _Visit, page: ArchivedPage, state: ArticleState, candidates: Candidates
    ) -> PageFound | Refused:
        """Return the article on a page, or why there is none."""
        status = page.status or _OK
        content_type = _header(page, b"content-type") or b""
        try:
            body = self._decoded(visit, page, status, content_type)
        except ContentCodingError as error:
            assert visit.origin is not None
            return visit.refused(error.reason, f"{visit.origin.where}: {error}")
        if status not in WITH_PAGE:
            return visit.refused(*explain_status(status), status)
        if other := not_html(content_type, body):
            return visit.refused("not_html", other, status)
        is_redirected = len(visit.urls) > 1
        publisher = self.scope.publisher_of(state)
        if is_redirected and (elsewhere := led_elsewhere(page.url, state.id, publisher)):
            return visit.refused(*elsewhere, status)
        charset = charset_of(content_type)
        task = Task(body, state.id, page.url, charset, is_text=page.is_text)
        try:
            extracted = await self._extract(task)
        except TooSlowError as error:
            return visit.refused("too_slow", str(error))
        except Exception as error:
            return visit.refused("internal_error", f"{type(error).__name__}: {error}", status)
        if isinstance(extracted.result, Refusal):
            return visit.refused(extracted.result.reason, extracted.result.detail, status)
        return PageFound(self._answer(visit, page, state, candidates), extracted)

    def _decoded(
        self, visit: _Visit, page: ArchivedPage, status: int, content_type: bytes
    ) -> bytes:
        """Return the body of a page without its content coding; only a page's counts."""
        # Some writers remove the header's value but leave its name.
        values = [value for name, value in page.headers if name.lower() == b"content-encoding"]
        declared = [value.decode("latin-1") for value in values if value]
        if not declared and not is_text_type(content_type):
            return page.body
        try:
            decoded = decode(page.body, declared, self._most_bytes, whole=True)
        except ContentCodingError:
            if status in WITH_PAGE:
                raise
            decoded = Decoded(b"")
        _add(visit.notes, decoded.notes)
        return decoded.body

    def _answer(
        self, visit: _Visit, page: ArchivedPage, state: ArticleState, candidates: Candidates
    ) -> page_facts.Answer:
        origin = visit.origin
        assert origin is not None
        return page_facts.Answer(
            url=page.url,
            requested_url=visit.urls[0] if len(visit.urls) > 1 else page.url,
            status=page.status or _OK,
            source=origin.source,
            fetched_at=page.captured_at,
            origin=origin,
            notes=tuple(visit.notes),
            has_own_capture=candidates.has_capture_of(self.scope.url_of(state)),
        )

    def _page_read(self, found: PageFound, state: ArticleState) -> PageRead:
        answer, record = found.answer, found.extracted.result
        assert not isinstance(record, Refusal)
        claims = tuple(page_facts.claims(answer, state, record, self.scope))
        ids = tuple(claim.id for claim in claims)
        fetch = page_facts.fetch(answer, state, record, self.scope, ids, None)
        content = records.content_of(record.headline, record.body_sha256)
        return PageRead(record, fetch, claims, content)


def _result_of(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Return the result of a coroutine that does not wait for anything."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: _T = end.value
        return result
    finally:
        coroutine.close()
    raise RuntimeError("a page was not extracted at once")


def _internal_error(error: Exception, answer: page_facts.Answer) -> Refused:
    assert answer.origin is not None
    status = None if answer.origin.status_assumed else answer.status
    detail = f"{type(error).__name__}: {error}"
    return Refused("internal_error", detail, status, 0, answer.origin)


def _nearest(
    captures: Captures[Any], url: str, redirect: Origin | None
) -> Iterator[tuple[Capture, Any]]:
    """Yield the captures of a URL, those nearest to the redirect that led there first."""
    yield from ordered(captures.captures(url), redirect.captured_at if redirect else None)


def state_of(article: Found, revision: int = 0) -> ArticleState:
    """Return an article that is to be read, with the number of its stored revisions."""
    recheck = Recheck(revision=revision)
    return ArticleState(
        article.id, "pending", Lister(None, 0, 0), 0, recheck=recheck, url=article.url
    )


def _header(page: ArchivedPage, name: bytes) -> bytes | None:
    """Return the last value of a header of a page; None if it has none."""
    values = [value for other, value in page.headers if other.lower() == name]
    return values[-1] if values else None


def _add(notes: list[str], more: Iterable[str]) -> None:
    notes += [text for text in dict.fromkeys(more) if text not in notes]

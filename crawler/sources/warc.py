"""Web archives in files, WARC or WACZ, as the source of a crawl. A redirect in the archive is followed in it, at about its own time."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scrapy.http import Response

from crawler.errors import ArchiveError
from crawler.sources import Origin, PageRefused, nothing_captured
from crawler.warc.archive import Archive
from crawler.warc.captures import in_order, key_of
from crawler.warc.index import distinct

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from scrapy import Request

    from crawler.sites import Site
    from crawler.warc.archive import ArchiveFile
    from crawler.warc.captures import Capture

_OK = 200


class ArchivedPages:
    """The pages of archive files. Of several captures of a page it gives the newest, or the nearest to ``at``."""

    offline = True

    def __init__(self, path: str, site: Site, at: date | None, max_bytes: int) -> None:
        """Open the files; CrawlerError if one of them cannot be read."""
        self._archive = Archive(path, max_bytes)
        self._site = site
        self._at = at
        self.name = self._archive.source
        self._elsewhere: dict[str, list[str]] = {}
        self.faults = self._archive.faults

    async def answer(self, request: Request) -> Response:
        found = self._captures(request)
        if found is None:
            raise nothing_captured(request, self._archive.path)
        capture, file = found
        request.meta["origin"] = Origin(
            source=file.source, where=file.place(capture), captured_at=capture.at
        )
        try:
            page = self._archive.read(capture, file)
        except ArchiveError as error:
            raise PageRefused(error.reason, str(error)) from error
        assumed = page.status is None
        request.meta["origin"] = Origin(
            source=file.source,
            where=page.where,
            captured_at=page.captured_at,
            status_assumed=assumed,
        )
        # What was captured stays as it is.
        request.meta["dont_retry"] = True
        headers: dict[bytes, list[bytes]] = {}
        for name, value in page.headers:
            headers.setdefault(name.title(), []).append(value)
        return Response(
            page.url, status=page.status or _OK, headers=headers, body=page.body, request=request
        )

    def _captures(self, request: Request) -> tuple[Capture, ArchiveFile] | None:
        """The wanted capture of what is asked for: an article, or the page that a redirect led to."""
        if request.meta.get("redirect_times"):
            led_here_from: Origin = request.meta["origin"]
            found = list(self._archive.captures(request.url))
            return self._wanted(found, led_here_from.captured_at)
        article_id = request.meta["article"]
        urls = [*addresses(article_id, self._site), *self._elsewhere.get(article_id, ())]
        found = [
            (capture, file)
            for url in urls
            for capture, file in self._archive.captures(url, and_longer=True)
            if self._site.id_of(capture.url) == article_id
        ]
        # An address with a query, or the headline in it, counts where the plain one has no page.
        keys = {key_of(url) for url in urls}
        plain = [(capture, file) for capture, file in found if key_of(capture.url) in keys]
        return self._wanted(
            plain if any(capture.is_page for capture, _ in plain) else found, self._at
        )

    @staticmethod
    def _wanted(
        found: list[tuple[Capture, ArchiveFile]], at: date | None
    ) -> tuple[Capture, ArchiveFile] | None:
        ordered = in_order((capture for capture, _ in found), at)
        return (
            next(((capture, file) for capture, file in found if capture is ordered[0]), None)
            if ordered
            else None
        )

    def articles(self) -> Iterator[str]:
        return distinct(self._ids())

    def _ids(self) -> Iterator[str]:
        for url in self._archive.urls():
            if article_id := self._site.id_of(url):
                key = key_of(url) or ""
                if not any(
                    key.startswith(key_of(address) or key)
                    for address in addresses(article_id, self._site)
                ):
                    # Such as below /mobile: it is found only by those who look at every address.
                    self._elsewhere.setdefault(article_id, []).append(url)
                yield article_id


def addresses(article_id: str, site: Site) -> list[str]:
    """The URLs that an article had on each of the publisher's hosts, one for each key under which archives know it."""
    url = site.url_of(article_id)
    parts = urlsplit(url)
    urls = [url] + [
        parts._replace(netloc=host).geturl()
        for host in sorted(site.hosts)
        if host != parts.hostname
    ]
    return list({key_of(url): url for url in reversed(urls)}.values())[::-1]

"""Serves saved pages from a folder or a single file in place of the publisher.

The article id of a file is taken from its path (``1752038.html``, ``news/1752038.htm``,
``en.alalam.ir/news/1752038/index.html`` as wget saves it), or else from the URL that the page
declares (the browser's "saved from" comment, ``rel=canonical``, ``og:url``). Failing both, the file
name serves as the id. A page saved from a web archive declares the archive's URL; the original URL
inside it is used.

Every file is counted once: as read, as not reached by this crawl, or as left out for one of the
reasons in ``LEFT_OUT``.
"""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.http import TextResponse

from crawler.crawl.fetches import Origin
from crawler.errors import CrawlerError
from crawler.extraction.publishers import ARTICLE_ID, Publisher
from crawler.files import readable
from crawler.setting_values import most_bytes
from crawler.sources.page_files import is_archive_file, is_named_as_other, reason_against
from crawler.unavailable import NotSaved, PageRefused
from crawler.visits import visit_of
from crawler.warc.names import READABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from crawler.crawl.arguments import Arguments

logger = logging.getLogger(__name__)

LEFT_OUT = {
    "duplicates": "whose article is also in another file",
    "not pages": "that are not pages",
    "web archives": "that are web archives; name each as a separate source",
    "hidden": "that are hidden",
    "links": "that are links to a folder, to a file outside the folder or to nothing",
    "unreadable": "that cannot be read",
}
"""Why files are left out: the label in the report, and the wording in the log."""
_MOST_NAMED = 5
# The URL of a capture in a web archive: the timestamp, an optional replay flag, the original URL.
_CAPTURE_URL = re.compile(r"/\d{4,14}(?:[a-z]{2}_)?/(https?:/{1,2}.+)$", re.IGNORECASE)
_DECLARED_URL = re.compile(
    rb"saved from url=\(\d+\)(\S+)"
    rb"|<link[^>]{1,200}?rel=[\"']?canonical[\"']?[^>]{1,200}?href=[\"']([^\"'>]{1,500})"
    rb"|<meta[^>]{1,200}?property=[\"']?og:url[\"']?[^>]{1,200}?content=[\"']([^\"'>]{1,500})",
    re.IGNORECASE,
)
_HEAD_BYTES = 65_536


def id_of_file(path: Path, publisher: Publisher, root: Path | None = None) -> tuple[str, str]:
    """Return the article id of a saved page, and where that was found.

    Raises OSError if the file cannot be read.
    """
    relative = path.relative_to(root) if root else Path(path.name)
    if match := publisher.article_pattern.search("/" + relative.as_posix()):
        return match[1], "file's path"
    if ARTICLE_ID.fullmatch(path.stem):
        return path.stem, "file's name"
    for url in _declared_urls(path):
        if article_id := publisher.id_of(url):
            return article_id, "URL that the saved page declares"
    return readable(path.stem), "file's name: the page does not tell its id"


def _declared_urls(path: Path) -> Iterator[str]:
    """Yield the URLs that a page declares as its own; for captures, the original URLs in them."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    for declared in _DECLARED_URL.finditer(head):
        url = next(filter(None, declared.groups()), b"").decode("utf-8", "replace")
        capture = _CAPTURE_URL.search(url)
        # Servers and mirrors collapse "//".
        yield re.sub(r"^(https?):/(?!/)", r"\1://", capture[1]) if capture else url


def address_of_file(path: Path, publisher: Publisher) -> str | None:
    """Return the base URL for a saved page's relative links if its path mirrors the publisher's.

    None for other paths. wget -k makes the links of ``news/1752038/index.html`` relative to that
    file, not to the article's URL.
    """
    place = "/" + path.as_posix().lstrip("/")
    matches = list(publisher.article_pattern.finditer(place))
    return publisher.base_url + place[matches[-1].start() :] if matches else None


def address_of(url: str, file: str | None, article_id: str, publisher: Publisher) -> str | None:
    """Return the base URL for the links of a page fetched from ``url`` or saved in ``file``.

    None if the page's URL is unknown.
    """
    has_url = ARTICLE_ID.fullmatch(article_id) is not None
    if file is None:
        return url if has_url else None
    return address_of_file(Path(file), publisher) or (
        publisher.url_of(article_id) if has_url else None
    )


def open_source(name: str, arguments: Arguments, crawler: Crawler) -> SavedPages:
    """Open saved pages as a source. Raises CrawlerError if there are none."""
    return SavedPages(Path(name), arguments.publisher, most_bytes(crawler.settings))


class SavedPages:
    """A source of saved pages by article id: those in a folder and its subfolders, or one file."""

    name = "folder"
    offline = True

    def __init__(self, root: Path, publisher: Publisher, max_bytes: int) -> None:
        """Index ``root``. Raises CrawlerError if it cannot be listed or holds no page."""
        self.root = root
        self.faults: list[str] = []
        self._publisher = publisher
        self._max_bytes = max_bytes
        self._paths: dict[str, Path] = {}
        self._id_where: dict[str, str] = {}
        self._left_out_counts = dict.fromkeys(LEFT_OUT, 0)
        self._left_out_names: dict[str, list[str]] = {label: [] for label in LEFT_OUT}
        self._read_ids: set[str] = set()
        if root.is_file():
            self._add_file_alone()
        else:
            self._walk()
        self._log_left_out()
        if not self._paths:
            raise CrawlerError(
                f"source: got {str(root)!r}, which holds no saved page "
                "(a file such as 1752038.html or page.txt)"
            )

    def _add_file_alone(self) -> None:
        """Index a file that the user named; it counts as a page, whatever it looks like."""
        try:
            if is_archive_file(self.root):
                raise CrawlerError(
                    f"source: got {str(self.root)!r}, a web archive in an unsupported format; "
                    f"takes {READABLE}, or saved pages"
                )
            self._add_page(self.root)
        except OSError as error:
            self._leave_out_unreadable(error)

    def _walk(self) -> None:
        top = self.root.resolve()
        for folder, folders, files in os.walk(self.root, onerror=self._leave_out_unreadable):
            folders.sort()
            # os.walk lists links to folders, but does not follow them.
            links = [name for name in folders if Path(folder, name).is_symlink()]
            for name in sorted([*files, *links]):
                try:
                    self._add(Path(folder, name), top)
                except OSError as error:
                    self._leave_out_unreadable(error)

    def _add(self, path: Path, top: Path) -> None:
        relative = path.relative_to(self.root)
        if any(part.startswith(".") for part in relative.parts):
            self._leave_out("hidden", str(relative), named=False)
        elif path.is_symlink() and not (path.is_file() and path.resolve().is_relative_to(top)):
            self._leave_out("links", str(relative))
        elif not path.is_file():
            self._leave_out("not pages", f"{relative} (a device or a pipe)")
        elif is_archive_file(path):
            self._leave_out("web archives", str(relative))
        elif reason := reason_against(path):
            self._leave_out(
                "not pages", f"{relative} ({reason})", named=not is_named_as_other(path.name)
            )
        else:
            self._add_page(path)

    def _add_page(self, path: Path) -> None:
        root = None if path == self.root else self.root
        article_id, id_where = id_of_file(path, self._publisher, root)
        if (first := self._paths.setdefault(article_id, path)) == path:
            self._id_where[article_id] = id_where
        else:
            self._leave_out("duplicates", f"{path} ({article_id}, like {first})")

    def _leave_out(self, label: str, name: str, *, named: bool = True) -> None:
        """Count a file that is left out, and list it in the log if ``named``."""
        self._left_out_counts[label] += 1
        if named:
            self._left_out_names[label].append(readable(name))

    def _log_left_out(self) -> None:
        for label, names in self._left_out_names.items():
            if names:
                more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
                name_list = ", ".join(names[:_MOST_NAMED]) + more
                logger.warning("%s: left out files %s: %s", self.root, LEFT_OUT[label], name_list)

    def _leave_out_unreadable(self, error: OSError) -> None:
        self._leave_out("unreadable", f"{error.filename} ({error.strerror})")
        self.faults.append(f"{error.filename}: {error.strerror}")

    def tally(self, others: Iterable[SavedPages] = ()) -> dict[str, int]:
        """Return the number of files read, not reached, and left out by reason; each counts once.

        A file here whose article was read from one of the ``others`` is a duplicate.
        """
        unread = self._paths.keys() - self._read_ids
        duplicates = unread & set[str]().union(*(other._read_ids for other in others))
        left_out = {**self._left_out_counts}
        left_out["duplicates"] += len(duplicates)
        return {
            "read": len(self._read_ids),
            "not reached": len(unread) - len(duplicates),
            **left_out,
        }

    async def answer(self, request: Request) -> Response:
        visit = visit_of(request)
        path = self._paths.get(visit.article_id) if visit else None
        if visit is None or path is None:
            raise NotSaved(f"no saved page in {self.root}")
        self._read_ids.add(visit.article_id)
        return saved_page(request, path, self._id_where[visit.article_id], self._max_bytes)

    def note_read(self, path: Path) -> None:
        """Count a page of this folder that was read without a request to this source."""
        for article_id, own_path in self._paths.items():
            if own_path.resolve() == path.resolve():
                self._read_ids.add(article_id)

    def articles(self) -> Iterator[str]:
        yield from self._paths


def saved_page(request: Request, path: Path, id_where: str, max_bytes: int) -> Response:
    """Return a saved page as the response to a request.

    Raises PageRefused if the file cannot be read or is larger than ``max_bytes``.
    """
    if visit := visit_of(request):
        visit.origin = Origin(
            source="folder",
            where=readable(path),
            file=readable(path),
            id_where=id_where,
            status_assumed=True,
        )
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise PageRefused(
                "too_large",
                f"{path} has {size:,} bytes, more than DOWNLOAD_MAXSIZE ({max_bytes:,})",
            )
        return TextResponse(request.url, body=path.read_bytes(), request=request)
    except OSError as error:
        raise PageRefused("unreadable", f"{path}: {error.strerror}") from error

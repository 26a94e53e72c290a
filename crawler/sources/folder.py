"""Serves saved pages from a folder or a single file in place of the publisher.

The article of a file is found by the URL that the page declares (the browser's "saved from"
comment, ``rel=canonical``, ``og:url``), or by the file's path if its publisher has ids of its own
(``1752038.html``, ``news/1752038.htm``, ``en.alalam.ir/news/1752038/index.html`` as wget saves it).
Failing both, the file name serves as the id, and the page has no address. A page saved from a web
archive declares the archive's URL; the original URL inside it is used.

Every file is counted once: as read, as not reached by this crawl, or as left out for one of the
reasons in ``LEFT_OUT``.
"""

from __future__ import annotations

import html
import logging
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scrapy.http import TextResponse

from crawler.crawl.fetches import Origin
from crawler.crawl.run import Found
from crawler.errors import CrawlerError
from crawler.extraction.article_urls import looks_like_article
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
    from crawler.extraction.directory import Publishers
    from crawler.extraction.publishers import Publisher

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
_DECLARED = "URL that the saved page declares"
# The URL of a capture in a web archive: the timestamp, an optional replay flag, the original URL.
_CAPTURE_URL = re.compile(r"/\d{4,14}(?:[a-z]{2}_)?/(https?:/{1,2}.+)$", re.IGNORECASE)
_DECLARED_URL = re.compile(
    rb"saved from url=\(\d+\)(\S+)"
    rb"|<link[^>]{1,200}?rel=[\"']?canonical[\"']?[^>]{1,200}?href=[\"']([^\"'>]{1,500})"
    rb"|<meta[^>]{1,200}?property=[\"']?og:url[\"']?[^>]{1,200}?content=[\"']([^\"'>]{1,500})",
    re.IGNORECASE,
)
_DECLARED_MARKS = (b"saved from url", b"canonical", b"og:url")
_HEAD_BYTES = 65_536
_INDEX_NAMES = ("index", "default")


class SavedFile(NamedTuple):
    """A saved page: its file, its article's id and where that was found.

    ``url`` is the address that the page was saved from, with ``url_where``; "" if it is unknown,
    and None if it follows from the id. ``base`` is the base of the page's relative links, if that
    is another one.
    """

    path: Path
    id: str
    id_where: str
    url: str | None
    url_where: str | None = None
    base: str | None = None


def describe(path: Path, publishers: Publishers, root: Path | None = None) -> SavedFile:
    """Find out which article a saved page is.

    A page that declares the address of a publisher without ids of its own has that address. For the
    others the path decides first, so that a page in the wrong file is noticed when it is read.
    Raises OSError if the file cannot be read.
    """
    relative = path.relative_to(root) if root else Path(path.name)
    declared = next((url for url in _declared_urls(path) if _may_be_own(url, publishers)), None)
    publisher = publishers.of(declared) if declared else None
    if declared and publisher and not publisher.has_own_ids:
        article_id = publisher.id_of(declared)
        if article_id:
            return SavedFile(path, article_id, _DECLARED, declared, _DECLARED)
    home = publisher if publisher and publisher.has_own_ids else publishers.home
    url = None if publisher or publishers.is_stated else ""
    if home.article_pattern and (match := home.article_pattern.search(f"/{relative.as_posix()}")):
        article_id = home.id_from_text(match[1]) if home.has_own_ids else None
        if article_id:
            if any(home.owns(f"http://{part}/") for part in relative.parts[:-1]):
                url = None
            return SavedFile(path, article_id, "file's path", url, base=_base_of_file(path, home))
    if article_id := home.id_from_text(path.stem):
        return SavedFile(path, article_id, "file's name", url)
    if declared and publisher and (article_id := publisher.id_of(declared)):
        return SavedFile(path, article_id, _DECLARED, declared, _DECLARED)
    name = path.stem
    if name.lower() in _INDEX_NAMES and relative.parent.name:
        # Tools such as wget save each page as the index of a folder.
        name = relative.parent.as_posix()
    return SavedFile(path, readable(name), "file's name: the page does not tell its id", "")


def _may_be_own(url: str, publishers: Publishers) -> bool:
    """Return whether a declared URL can be the address of an article."""
    return publishers.id_of(url) is not None and looks_like_article(url) is not False


def _declared_urls(path: Path) -> Iterator[str]:
    """Yield the URLs that a page declares as its own; for captures, the original URLs in them."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    lower_case = head.lower()
    if not any(mark in lower_case for mark in _DECLARED_MARKS):
        # Much faster than the pattern.
        return
    for declared in _DECLARED_URL.finditer(head):
        text = next(filter(None, declared.groups()), b"").decode("utf-8", "replace")
        url = html.unescape(text)
        capture = _CAPTURE_URL.search(url)
        # Servers and mirrors collapse "//".
        yield re.sub(r"^(https?):/(?!/)", r"\1://", capture[1]) if capture else url


def _base_of_file(path: Path, publisher: Publisher) -> str | None:
    """Return the base URL for a saved page's relative links if its path mirrors the publisher's.

    None for other paths. wget -k makes the links of ``news/1752038/index.html`` relative to that
    file, not to the article's URL.
    """
    assert publisher.article_pattern is not None
    place = "/" + path.as_posix().lstrip("/")
    matches = list(publisher.article_pattern.finditer(place))
    return publisher.root + place[matches[-1].start() :] if matches else None


def open_source(name: str, arguments: Arguments, crawler: Crawler) -> SavedPages:
    """Open saved pages as a source. Raises CrawlerError if there are none."""
    return SavedPages(Path(name), arguments.publishers, most_bytes(crawler.settings))


class SavedPages:
    """A source of saved pages by article id: those in a folder and its subfolders, or one file."""

    name = "folder"
    offline = True

    def __init__(self, root: Path, publishers: Publishers, max_bytes: int) -> None:
        """Index ``root``. Raises CrawlerError if it cannot be listed or holds no page."""
        self.root = root
        self.faults: list[str] = []
        self._publishers = publishers
        self._max_bytes = max_bytes
        self._files: dict[str, SavedFile] = {}
        self._left_out_counts = dict.fromkeys(LEFT_OUT, 0)
        self._left_out_names: dict[str, list[str]] = {label: [] for label in LEFT_OUT}
        self._read_ids: set[str] = set()
        if root.is_file():
            self._add_file_alone()
        else:
            self._walk()
        self._log_left_out()
        if not self._files:
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
        file = describe(path, self._publishers, root)
        if (first := self._files.setdefault(file.id, file)) is not file:
            self._leave_out("duplicates", f"{path} ({file.id}, like {first.path})")

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
        unread = self._files.keys() - self._read_ids
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
        file = self._files.get(visit.article_id) if visit else None
        if visit is None or file is None:
            raise NotSaved(f"no saved page in {self.root}")
        self._read_ids.add(visit.article_id)
        return saved_page(request, file, self._max_bytes)

    def note_read(self, path: Path) -> None:
        """Count a page of this folder that was read without a request to this source."""
        for article_id, file in self._files.items():
            if file.path.resolve() == path.resolve():
                self._read_ids.add(article_id)

    def articles(self) -> Iterator[Found]:
        for file in self._files.values():
            yield Found(file.id, file.url)


def saved_page(request: Request, file: SavedFile, max_bytes: int) -> Response:
    """Return a saved page as the response to a request.

    Raises PageRefused if the file cannot be read or is larger than ``max_bytes``.
    """
    path = file.path
    if visit := visit_of(request):
        visit.origin = Origin(
            source="folder",
            where=readable(path),
            file=readable(path),
            page_url=file.url or None,
            base=file.base,
            id_where=file.id_where,
            url_where=file.url_where,
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

"""Serves saved pages from a folder or a single file in place of the publisher.

Every file is counted once: as read, as not reached by this crawl, or as left out for one of the
reasons in ``LEFT_OUT``. ``saved_files`` finds out which article each page is.
"""

from __future__ import annotations

import filecmp
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.crawl.run import Found
from crawler.errors import CrawlerError
from crawler.extraction.addresses import article_address
from crawler.extraction.saved_page import is_same_title
from crawler.files import readable
from crawler.setting_values import most_bytes
from crawler.sources.page_files import is_archive_file, is_named_as_other, reason_against
from crawler.sources.saved_files import BY_NAME, SavedFile, describe, respond, whole_page_of
from crawler.unavailable import NotSaved
from crawler.visits import visit_of
from crawler.warc.names import READABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from crawler.crawl.arguments import Arguments
    from crawler.extraction.directory import Publishers

logger = logging.getLogger(__name__)

LEFT_OUT = {
    "duplicates": "whose article is also in another file",
    "not pages": "that are not pages",
    "web archives": "that are web archives; name each as a separate source",
    "hidden": "that are hidden",
    "links": "that are links to a folder, to a file outside the folder or to nothing",
    "unreadable": "that cannot be read",
}
"""Why files are left out: the label in the summary, and the wording in the log."""
_MOST_NAMED = 5


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
        # By the addresses that their paths are, the ids of files that other evidence identifies.
        self._ids_by_path: dict[str, str] = {}
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
        elif whole := whole_page_of(relative, self.root):
            self._leave_out("not pages", f"{relative} (a part of {whole})", named=False)
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
        other = self._files.get(file.id)
        if other and file.declares_like(other) and not is_same_title(file.title, other.title):
            # Some publishers declare one address on many pages.
            file = describe(path, self._publishers, root, trusts_page=False)
            other = self._files.get(file.id)
        if other and file.id_where == BY_NAME and not filecmp.cmp(path, other.path, shallow=False):
            # Files of the same name in several folders are different pages.
            file = file._replace(id=readable(path.relative_to(self.root).as_posix()))
            other = self._files.get(file.id)
        if other and not file.comes_before(other):
            file, other = other, file
        self._files[file.id] = file
        if file.base and (address := article_address(file.base)):
            # wget -E appends ".html" to the names of pages that do not have it.
            for name in (address, address.removesuffix(".html")):
                self._ids_by_path.setdefault(name, file.id)
        if other:
            self._leave_out("duplicates", f"{other.path} ({file.id}, like {file.path})")

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

    def file_of(self, article_id: str) -> SavedFile | None:
        """Return the file of an article, by its id or by the address that its path is."""
        file = self._files.get(article_id)
        return file or self._files.get(self._ids_by_path.get(article_id, ""))

    async def answer(self, request: Request) -> Response:
        visit = visit_of(request)
        file = self.file_of(visit.article_id) if visit else None
        if file is None:
            raise NotSaved(f"no saved page in {self.root}")
        self._read_ids.add(file.id)
        return respond(request, file, self._max_bytes)

    def note_read(self, path: Path) -> None:
        """Count a page of this folder that was read without a request to this source."""
        for article_id, file in self._files.items():
            if file.path.resolve() == path.resolve():
                self._read_ids.add(article_id)

    def articles(self) -> Iterator[Found]:
        for file in self._files.values():
            yield Found(file.id, file.url)

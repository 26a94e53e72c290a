"""Saved pages: a folder, or one file, that answers in the place of the publisher.

Which article a file is, is told by its path (``1752038.html``, ``news/1752038.htm``, ``en.alalam.ir/news/1752038/index.html`` as
wget saves it), else by what the page declares (the browser's "saved from" comment, ``rel=canonical``, ``og:url``), else it
is known only by its file's name.
"""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.http import TextResponse

from crawler.errors import CrawlerError
from crawler.files import readable
from crawler.sites import ARTICLE_ID, Site
from crawler.sources import NotSaved, Origin, PageRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy import Request
    from scrapy.http import Response

logger = logging.getLogger(__name__)

_PAGE_SUFFIXES = frozenset(("", ".html", ".htm", ".xhtml", ".shtml", ".txt", ".asp", ".aspx"))
_DECLARED_URL = re.compile(
    rb"saved from url=\(\d+\)(\S+)"
    rb"|<link[^>]{1,200}?rel=[\"']?canonical[\"']?[^>]{1,200}?href=[\"']([^\"'>]{1,500})"
    rb"|<meta[^>]{1,200}?property=[\"']?og:url[\"']?[^>]{1,200}?content=[\"']([^\"'>]{1,500})",
    re.IGNORECASE,
)
_HEAD_BYTES = 65_536


def id_of_file(path: Path, site: Site, root: Path | None = None) -> tuple[str, str]:
    """Return the id of a saved page and what told it. OSError if the file cannot be read."""
    relative = path.relative_to(root) if root else Path(path.name)
    if match := site.article_pattern.search("/" + relative.as_posix()):
        return match[1], "file's path"
    if ARTICLE_ID.fullmatch(path.stem):
        return path.stem, "file's name"
    with path.open("rb") as file:
        declared = _DECLARED_URL.search(file.read(_HEAD_BYTES))
    url = next((group for group in declared.groups() if group), b"") if declared else b""
    if article_id := site.id_of(url.decode("utf-8", "replace")) if url else None:
        return article_id, "URL that the saved page declares"
    return readable(path.stem), "file's name: the page does not tell its id"


def address_of_file(path: Path, site: Site) -> str | None:
    """The address that a saved page's relative links start from, where its path keeps the publisher's; None elsewhere.

    wget -k makes the links of ``news/1752038/index.html`` relative to that file, not to the article's URL.
    """
    place = "/" + path.as_posix().lstrip("/")
    matches = list(site.article_pattern.finditer(place))
    return site.base_url + place[matches[-1].start() :] if matches else None


def address_of(url: str, file: str | None, article_id: str, site: Site) -> str | None:
    """Where the relative links of the page that answered at ``url``, or was saved in ``file``, start; None if nobody knows its address."""
    known = ARTICLE_ID.fullmatch(article_id) is not None
    if file is None:
        return url if known else None
    return address_of_file(Path(file), site) or (site.url_of(article_id) if known else None)


class SavedPages:
    """The pages below one folder, or one file, by article id; the source of a crawl."""

    name = "folder"
    offline = True

    def __init__(self, root: Path, site: Site, max_bytes: int) -> None:
        """Index ``root``; CrawlerError if it cannot be listed or holds no page."""
        self.root = root
        self.faults: list[str] = []
        self._max_bytes = max_bytes
        self._paths: dict[str, Path] = {}
        self._told_by: dict[str, str] = {}
        top = (root if root.is_dir() else root.parent).resolve()
        unreadable: list[OSError] = []
        for path in [root] if root.is_file() else self._walk(root, unreadable):
            # Nothing outside the folder is a page of it, whatever its links say.
            if not path.resolve().is_relative_to(top):
                logger.warning("%s leads out of the folder of saved pages; it is left out", path)
                continue
            try:
                article_id, told_by = id_of_file(path, site, root if root.is_dir() else None)
            except OSError as error:
                unreadable.append(error)
                continue
            if (first := self._paths.setdefault(article_id, path)) != path:
                logger.warning(
                    "%s and %s are both article %s; the first is read", first, path, article_id
                )
            self._told_by.setdefault(article_id, told_by)
        for fault in unreadable:
            logger.warning("%s: %s; it is left out", fault.filename, fault.strerror)
            self.faults.append(f"{fault.filename}: {fault.strerror}")
        if not self._paths:
            raise CrawlerError(
                f"source: got {str(root)!r}, which holds no saved page (a file such as 1752038.html or page.txt)"
            )

    @staticmethod
    def _walk(root: Path, unreadable: list[OSError]) -> list[Path]:
        found = []
        for folder, folders, files in os.walk(root, onerror=unreadable.append):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(files):
                path = Path(folder, name)
                if (
                    not name.startswith(".")
                    and path.suffix.lower() in _PAGE_SUFFIXES
                    and path.is_file()
                    and name.lower() != "readme.txt"
                ):
                    found.append(path)
        return found

    async def answer(self, request: Request) -> Response:
        article_id = request.meta["article"]
        path = self._paths.get(article_id)
        if path is None:
            raise NotSaved(f"no saved page in {self.root}")
        return saved_page(request, path, self._told_by[article_id], self._max_bytes)

    def articles(self) -> Iterator[str]:
        yield from self._paths


def saved_page(request: Request, path: Path, told_by: str, max_bytes: int) -> Response:
    """Answer a request with a saved page; PageRefused if it cannot be read or is larger than ``max_bytes``."""
    request.meta["origin"] = Origin(
        source="folder",
        where=readable(path),
        file=readable(path),
        id_where=told_by,
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

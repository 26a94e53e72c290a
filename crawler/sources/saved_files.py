"""Finds out which article each saved page is, and reads the page of one.

In this order, a page has the address that the program that saved it wrote, the one that it declares
(``rel=canonical``, ``og:url``), or its path, if that is an address as wget and HTTrack name files
(``publisher.example/story/index.html``). Otherwise a publisher file may know the id in the path
(``1752038.html``, ``news/1752038.htm``), and the last resort is the name of the file, which gives
the page an id and no address. A page saved from a web archive has the original address.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from scrapy.http import TextResponse

from crawler.crawl.fetches import Origin
from crawler.extraction import saved_page
from crawler.extraction.addresses import is_host_name
from crawler.files import readable
from crawler.unavailable import PageRefused
from crawler.visits import visit_of

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response

    from crawler.extraction.directory import Publishers
    from crawler.extraction.publishers import Publisher

BY_NAME = "file's name: the page does not tell its id"
"""Where the id of a page comes from that nothing else identifies."""
_PATH = "file's path"
_INDEX_NAMES = ("index", "default")
# The end of the name of a folder with the parts of a page.
_PARTS = "_files"
# Of a file, to identify it.
_MOST_BYTES = 64 * 1024 * 1024
# Files that were copied together differ by less.
_SAME_TIME_SECONDS = 60


class SavedFile(NamedTuple):
    """A saved page: its file, its article's id and where that was found.

    ``url`` is the address that the page was saved from, with ``url_where``; "" if it is unknown,
    and None if it follows from the id. ``base`` is the base of the page's relative links, if that
    is another one. ``title`` is that of the page, ``saved_at`` the time (POSIX) when it was saved,
    and ``size`` its length in bytes.
    """

    path: Path
    id: str
    id_where: str
    url: str | None
    url_where: str | None = None
    base: str | None = None
    title: str | None = None
    saved_at: float = 0.0
    size: int = 0

    def declares_like(self, other: SavedFile) -> bool:
        """Return whether both files are identified by what their pages declare."""
        return self.id_where == other.id_where == saved_page.DECLARED

    def comes_before(self, other: SavedFile) -> bool:
        """Return whether this file is to be read, of two of one article.

        It is the one that was saved later, else the longer one.
        """
        if abs(self.saved_at - other.saved_at) > _SAME_TIME_SECONDS:
            return self.saved_at > other.saved_at
        return self.size > other.size


class _Identity(NamedTuple):
    """The first fields of a ``SavedFile``."""

    id: str
    id_where: str
    url: str | None
    url_where: str | None = None
    base: str | None = None


def describe(
    path: Path, publishers: Publishers, root: Path | None = None, *, trusts_page: bool = True
) -> SavedFile:
    """Find out which article a saved page is.

    Its address is the one that the program that saved it wrote, else the one that the page
    declares (unless ``trusts_page`` is false), else its path below ``root``, if that is an address.
    Failing these, a publisher file may know the id in the path, and the name of the file is the
    last resort. Raises OSError if the file cannot be read.
    """
    relative = Path(root.resolve().name) / path.relative_to(root) if root else Path(path.name)
    with path.open("rb") as file:
        data = file.read(_MOST_BYTES)
    try:
        page = saved_page.read(data)
    except saved_page.UnreadableError:
        # It is reported when the page is read.
        page = saved_page.Saved(b"")
    address = saved_page.address_of_path(relative)
    identity = _identified(page.url, saved_page.WRITTEN, publishers) if page.url else None
    if identity is None and trusts_page:
        identity = _declared(page.html, address, publishers)
    by_rule = _by_rule(path, relative, publishers)
    if identity is None:
        identity = _from_path(relative, address, by_rule, publishers)
    elif by_rule and by_rule.id == identity.id:
        # The publisher file turns the id into the address to request, perhaps at a mirror.
        identity = by_rule
    return SavedFile(
        path,
        *identity._replace(base=identity.base or address),
        title=saved_page.title_of(page.html),
        saved_at=page.at.timestamp() if page.at else path.stat().st_mtime,
        size=len(page.html),
    )


def _identified(url: str, where: str, publishers: Publishers) -> _Identity | None:
    """Return the identity of a page by its address; None if that is not an article's."""
    article_id = publishers.id_of(url)
    return _Identity(article_id, where, url, where) if article_id else None


def _declared(page: bytes, from_path: str | None, publishers: Publishers) -> _Identity | None:
    """Return the identity of a page by the address that it declares.

    If its path is the address of another publisher, the page is a copy of the declared one.
    """
    publisher = publishers.of(from_path) if from_path else None
    for url in saved_page.declared_urls(page):
        is_copy = publisher is not None and not publisher.owns(url)
        identity = None if is_copy else _identified(url, saved_page.DECLARED, publishers)
        if identity:
            return identity
    return None


def _from_path(
    relative: Path, address: str | None, by_rule: _Identity | None, publishers: Publishers
) -> _Identity:
    """Return the identity of a page by the path of its file, which may be an ``address``."""
    if address is None or (by_rule and publishers.home.owns(address)):
        return by_rule or _by_name(relative)
    is_of_server = not is_host_name(urlsplit(address).hostname or "")
    # A test server may have served the publisher's pages.
    return (by_rule if is_of_server else None) or (
        _identified(address, _PATH, publishers) or by_rule or _by_name(relative)
    )


def _by_rule(path: Path, relative: Path, publishers: Publishers) -> _Identity | None:
    """Return the identity of a page by the rule of the publisher file for ids in paths."""
    home = publishers.home
    url = None if publishers.is_stated else ""
    if home.article_pattern and (match := home.article_pattern.search(f"/{relative.as_posix()}")):
        article_id = home.id_from_text(match[1]) if home.has_own_ids else None
        if article_id:
            if any(home.owns(f"http://{part}/") for part in relative.parts[:-1]):
                url = None
            return _Identity(article_id, _PATH, url, base=_base_of_file(path, home))
    article_id = home.id_from_text(path.stem)
    return _Identity(article_id, "file's name", url) if article_id else None


def _by_name(relative: Path) -> _Identity:
    name = relative.stem
    if name.lower() in _INDEX_NAMES and len(relative.parts) > 2:
        # Tools such as wget save each page as the index of a folder.
        name = Path(*relative.parts[1:-1]).as_posix()
    return _Identity(readable(name), BY_NAME, "")


def _base_of_file(path: Path, publisher: Publisher) -> str | None:
    """Return the base URL for a saved page's relative links if its path mirrors the publisher's.

    None for other paths. wget -k makes the links of ``news/1752038/index.html`` relative to that
    file, not to the article's URL.
    """
    assert publisher.article_pattern is not None
    place = "/" + path.as_posix().lstrip("/")
    matches = list(publisher.article_pattern.finditer(place))
    return publisher.root + place[matches[-1].start() :] if matches else None


def whole_page_of(relative: Path, root: Path) -> str | None:
    """Return the name of the page that a file is a part of, as browsers save a page with its parts.

    The parts of ``Story.html`` are in ``Story_files``.
    """
    for folder in relative.parents:
        if folder.name.endswith(_PARTS):
            for ending in (".html", ".htm"):
                whole = folder.with_name(folder.name.removesuffix(_PARTS) + ending)
                if (root / whole).is_file():
                    return str(whole)
    return None


def respond(request: Request, file: SavedFile, max_bytes: int) -> Response:
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
        page = saved_page.read(path.read_bytes())
    except OSError as error:
        raise PageRefused("unreadable", f"{path}: {error.strerror}") from error
    except saved_page.UnreadableError as error:
        raise PageRefused("unreadable", f"{path}: {error}") from error
    headers = {"Content-Type": f"text/html; charset={page.charset}"} if page.charset else None
    return TextResponse(request.url, body=page.html, headers=headers, request=request)

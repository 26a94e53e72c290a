"""Reads from a saved page how it was saved: in which form, from which address, and when.

Takes the bytes of a file; returns the page's HTML and what the program that saved it wrote about
it. The formats are plain files, as wget, HTTrack, SingleFile and browsers write them, and MHTML
(RFC 2557). Pure: no I/O.
"""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import CloseBoundaryNotFoundDefect
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from w3lib.url import safe_url_string

from crawler.extraction.addresses import domain_of, is_host_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message
    from pathlib import PurePath

WRITTEN = "address that the program that saved the page wrote"
DECLARED = "URL that the saved page declares"
_HEAD_BYTES = 4096
_HEADER_LINE = re.compile(rb"[A-Za-z][A-Za-z0-9-]{1,40}:[ \t]")
_MHTML_TYPES = (b"multipart/related", b"text/html", b"application/xhtml+xml")
_PAGE_TYPES = ("text/html", "application/xhtml+xml")
# Browsers ("saved from url=(0027)https://…"), SingleFile and HTTrack write a comment at the top.
_SAVED_FROM = re.compile(rb"<!--\s*saved from url=\(\d+\)(\S+)", re.IGNORECASE)
_SINGLE_FILE = re.compile(
    rb"<!--\s*Page saved with SingleFile\s+url:\s*(\S+)(?:\s+saved date:\s*([^\r\n]+))?"
)
_HTTRACK = re.compile(
    rb"<!-- Mirrored from (\S+) by HTTrack Website Copier/[^,]{1,60},\s*([^\r\n]{1,60}?) -->"
)
_MARKS = (b"saved from url", b"saved with singlefile", b"by httrack")
_COMMENT_BYTES = 65_536
# "Fri May 01 2026 10:00:00 GMT+0200 (Central European Summer Time)", as JavaScript writes dates.
_JAVASCRIPT_DATE = re.compile(
    r"\w{3} (\w{3}) (\d{1,2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT([+-]\d{4})"
)
# The URL of a capture in a web archive: the timestamp, an optional replay flag, the original URL.
_CAPTURE_URL = re.compile(r"/\d{4,14}(?:[a-z]{2}_)?/(https?:/{1,2}.+)$", re.IGNORECASE)
_MOST_DECLARATIONS = 100
_LONGEST_TAG = 2000
_ATTRIBUTE = re.compile(rb"([a-zA-Z:-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_LONGEST_TITLE = 2000
_INDEX_NAMES = frozenset(("index.html", "index.htm", "default.html", "default.htm"))
# A host without a domain, and its port: "127.0.0.1:8000", or "127.0.0.1_8000" for HTTrack.
_NUMERIC_HOST = re.compile(r"(\d{1,3}(?:\.\d{1,3}){3}|localhost)(?:[:+_](\d{1,5}))?")
_WORD = re.compile(r"\w+")
_FEWEST_SHARED = 0.5


class UnreadableError(ValueError):
    """A file is MHTML that holds no whole page; the message says why."""


class Saved(NamedTuple):
    """A saved page.

    ``url`` is the address that the program that saved it wrote, if any, and ``at`` the time.
    ``charset`` is that of the HTML, if the file tells it outside of the HTML.
    """

    html: bytes
    url: str | None = None
    at: datetime | None = None
    charset: str | None = None


def is_mhtml(start: bytes) -> bool:
    """Return whether a file that begins with these bytes is MHTML."""
    if not _HEADER_LINE.match(start):
        return False
    head = start[:_HEAD_BYTES].lower()
    is_mime = head.startswith(b"mime-version:") or b"\nmime-version:" in head
    return is_mime and any(media_type in head for media_type in _MHTML_TYPES)


def read(data: bytes) -> Saved:
    """Read a saved page. Raises UnreadableError if it is MHTML without a whole page."""
    if is_mhtml(data):
        try:
            return _read_mhtml(data)
        except (LookupError, RecursionError) as error:
            raise UnreadableError(f"it is MHTML that cannot be read ({error})") from error
    top = data[:_COMMENT_BYTES]
    marks = top.lower()
    if not any(mark in marks for mark in _MARKS):
        # Much faster than the patterns.
        return Saved(data)
    if found := _SAVED_FROM.search(top):
        return Saved(data, _web_address(found[1]))
    if found := _SINGLE_FILE.search(top):
        return Saved(data, _web_address(found[1]), _time(found[2]))
    if found := _HTTRACK.search(top):
        # It leaves out the scheme.
        scheme = b"http://" if _NUMERIC_HOST.match(found[1].decode("latin-1")) else b"https://"
        return Saved(data, _web_address(scheme + found[1]), _time(found[2]))
    return Saved(data)


def _read_mhtml(data: bytes) -> Saved:
    message = message_from_bytes(data)
    parts = [part for part in message.walk() if not part.is_multipart()]
    pages = [part for part in parts if part.get_content_type() in _PAGE_TYPES]
    if not pages:
        raise UnreadableError("it is MHTML without a page")
    root = _root(message, pages)
    is_cut = any(isinstance(defect, CloseBoundaryNotFoundDefect) for defect in message.defects)
    if is_cut and root is parts[-1]:
        raise UnreadableError("it is MHTML that is cut off within the page")
    content = root.get_payload(decode=True)
    headers = (
        message["Snapshot-Content-Location"],
        root["Content-Location"],
        message["Content-Location"],
    )
    urls = (_web_address(str(header).encode()) for header in headers if header)
    date = str(message["Date"]).encode() if message["Date"] else None
    return Saved(
        content if isinstance(content, bytes) else b"",
        next(filter(None, urls), None),
        _time(date),
        root.get_content_charset(),
    )


def _root(message: Message, pages: list[Message]) -> Message:
    """Return the part that the others belong to: that named by ``start``, or else the first."""
    start = message.get_param("start")
    return next((page for page in pages if start and page["Content-ID"] == start), pages[0])


def _time(text: bytes | None) -> datetime | None:
    if text is None:
        return None
    date = text.decode("latin-1").strip()
    try:
        if found := _JAVASCRIPT_DATE.match(date):
            month, day, year, hour, minute, second, zone = found.groups()
            date = f"{day} {month} {year} {hour}:{minute}:{second} {zone}"
        moment = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _web_address(raw: bytes) -> str | None:
    """Return an address on the web as text; None if it is none, such as that of a file.

    For captures in a web archive it is the original address.
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    url = html.unescape(text).strip()
    if capture := _CAPTURE_URL.search(url):
        # Servers and mirrors collapse "//".
        url = re.sub(r"^(https?):/(?!/)", r"\1://", capture[1])
    try:
        return safe_url_string(url) if domain_of(url) else None
    except ValueError:
        return None


def declared_urls(page: bytes) -> Iterator[str]:
    """Yield the addresses that a page declares as its own: canonical URLs, then ``og:url``.

    If these are of different publishers, the page is a copy of an article of the canonical one, and
    ``og:url`` is its own address. That of a home page is left out, because many publishers declare
    it on every page.
    """
    found: dict[str, list[str]] = {"canonical": [], "og:url": []}
    lower_case = page.lower()
    for mark in (b"canonical", b"og:url"):
        position = -1
        for _ in range(_MOST_DECLARATIONS):
            if (position := lower_case.find(mark, position + 1)) < 0:
                break
            if declaration := _declaration(page, position):
                name, url = declaration
                found[name].append(url)
    canonical, own = (list(filter(_is_below_home, urls)) for urls in found.values())
    is_copy = canonical and own and domain_of(canonical[0]) != domain_of(own[0])
    yield from (*own, *canonical) if is_copy else (*canonical, *own)


def _is_below_home(url: str) -> bool:
    parts = urlsplit(url)
    return bool(parts.path.strip("/") or parts.query)


def _declaration(page: bytes, position: int) -> tuple[str, str] | None:
    """Return the kind and the URL of the declaration whose tag is around a position."""
    begin = page.rfind(b"<", max(0, position - _LONGEST_TAG), position)
    end = page.find(b">", position, position + _LONGEST_TAG)
    if begin < 0 or end < 0:
        return None
    tag = page[begin + 1 : end]
    values = {
        name.lower(): double or single or bare
        for name, double, single, bare in _ATTRIBUTE.findall(tag)
    }
    kind = tag[:5].lower()
    if kind.startswith(b"link") and b"canonical" in values.get(b"rel", b"").lower().split():
        url = _web_address(values.get(b"href", b""))
        return ("canonical", url) if url else None
    names = (values.get(b"property", b"").lower(), values.get(b"name", b"").lower())
    if kind.startswith(b"meta") and b"og:url" in names:
        url = _web_address(values.get(b"content", b""))
        return ("og:url", url) if url else None
    return None


def address_of_path(path: PurePath) -> str | None:
    """Return the address that a file's path is, as wget and HTTrack name files; None if it is none.

    It begins with a folder that has the name of a host: ``publisher.example/story/index.html``.
    The path does not tell the scheme; https is assumed, or http for a host without a domain.
    """
    for place, part in enumerate(path.parts[:-1]):
        host = _NUMERIC_HOST.fullmatch(part)
        if not host and not is_host_name(part):
            continue
        *folders, name = path.parts[place + 1 :]
        if name.lower() in _INDEX_NAMES:
            name = ""
        elif "?" in name:
            # wget -E appends it to the names of pages that do not have it.
            name = name.removesuffix(".html")
        root = f"http://{host[1]}:{host[2] or 80}" if host else f"https://{part}"
        address = "/".join((root, *folders, name))
        # Bytes that are not UTF-8, as in the names of older sites, are percent-encoded.
        return safe_url_string(address.encode(errors="surrogateescape"))
    return None


def title_of(page: bytes) -> str | None:
    """Return the title of a page, as far as the bytes tell."""
    start = page.lower().find(b"<title")
    begin = page.find(b">", start) + 1
    if start < 0 or not begin:
        return None
    title = page[begin : begin + _LONGEST_TITLE].partition(b"<")[0]
    return " ".join(html.unescape(title.decode("utf-8", "replace")).split()) or None


def is_same_title(title: str | None, other: str | None) -> bool:
    """Return whether two pages may be versions of one article, judging by their titles.

    Words that both have at the end, such as the publisher's name, say nothing.
    """
    words, others = (_WORD.findall((text or "").casefold()) for text in (title, other))
    while words and others and words[-1] == others[-1]:
        words.pop()
        others.pop()
    if not words or not others:
        return True
    shared = len(set(words) & set(others))
    return shared >= _FEWEST_SHARED * min(len(set(words)), len(set(others)))

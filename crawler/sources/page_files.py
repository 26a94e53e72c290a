"""Decides whether a file may be a saved page, by its content and, if that is unclear, its suffix.

A whole HTML document is a page, whatever its suffix. A file that begins with other HTML markup is a
page unless it has the suffix of another text format (``.js``, ``.md``). Plain text is a page only
if it has a suffix used for saved pages or none, since programs, styles and data are text too. A
text about the folder, such as README, is not a page. Binary data with a suffix used for saved pages
counts as an unreadable page, so that it is reported as a failure. Whether a page holds an article
is not decided here.
"""

import mimetypes
import re
from pathlib import Path

from w3lib.encoding import read_bom

from crawler.crawl.answers import looks_binary
from crawler.extraction.saved_page import is_mhtml

_HEAD_BYTES = 4096
_DOCUMENT = re.compile(r"<!doctype\s+html|<html\b", re.IGNORECASE)
# XML other than XHTML: feeds, drawings, sitemaps.
_OTHER_XML = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*|<!--.*?-->\s*|<!doctype[^>]*>\s*)*"
    r"<(?:svg|rss|feed|urlset|sitemapindex|rdf:)",
    re.IGNORECASE | re.DOTALL,
)
_PAGE_ENDINGS = frozenset(
    (".txt", ".html", ".htm", ".xhtml", ".shtml", ".asp", ".aspx", ".php", ".jsp", ".cms")
)
_PAGE_TYPES = frozenset(("text/html", "text/plain", "application/xhtml+xml"))
# Text that may begin with an HTML tag or comment without being HTML.
_OTHER_ENDINGS = frozenset(
    (
        ".js",
        ".mjs",
        ".css",
        ".json",
        ".jsonl",
        ".map",
        ".xml",
        ".svg",
        ".rss",
        ".atom",
        ".md",
        ".rst",
        ".vue",
    )
)
_ABOUT_THE_FOLDER = re.compile(
    r"(?:readme|licen[cs]e|copying|notice|authors|changelog|contributing|makefile|dockerfile)\b",
    re.IGNORECASE,
)
# HTTrack adds a page of its own that lists what it has mirrored.
_HTTRACK_INDEX = b"Mirror and index made by HTTrack"
_ARCHIVE_NAME = re.compile(
    r"\.(?:(?:w?arc|wet)(?:\.gz|\.zst|\.bz2)?(?:\.open)?|wacz)$", re.IGNORECASE
)
_ARCHIVE_STARTS = (b"WARC/", b"filedesc://")


def is_archive_file(path: Path) -> bool:
    """Return whether a file is a web archive (WARC, WACZ, ARC), by its name or first bytes.

    Raises OSError if it cannot be read.
    """
    if _ARCHIVE_NAME.search(path.name):
        return True
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES).startswith(_ARCHIVE_STARTS)


def reason_against(path: Path) -> str | None:
    """Return why a file is not a saved page, or None if it may be one.

    Raises OSError if it cannot be read.
    """
    # A page may be saved under its URL: "story.php?id=5".
    ending = Path(path.name.partition("?")[0]).suffix.lower()
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if path.name.startswith("hts-") or path.parent.name == "hts-cache" or _HTTRACK_INDEX in head:
        return "HTTrack's own"
    if is_mhtml(head):
        return None
    if looks_binary(head):
        return None if ending in _PAGE_ENDINGS else "binary data"
    encoding, mark = read_bom(head)
    text = head[len(mark or b"") :].decode(encoding or "latin-1", "replace").lstrip()
    if _OTHER_XML.match(text):
        return "XML in another format"
    if _DOCUMENT.search(text):
        return None if text.startswith("<") or ending not in _OTHER_ENDINGS else f"{ending} file"
    if text.startswith("<") and ending not in _OTHER_ENDINGS:
        return None
    if ending and ending not in _PAGE_ENDINGS:
        return f"text in another format ({ending})"
    return "text about the folder" if _ABOUT_THE_FOLDER.match(path.name) else None


def is_named_as_other(name: str) -> bool:
    """Return whether a file is not a page, judging by its name: "style.css", "picture.jpg"."""
    kind, _ = mimetypes.guess_type(name)
    return kind is not None and kind not in _PAGE_TYPES

"""Whether a file may be a saved page: its content decides, and its ending only where the content
leaves it open.

A file that begins with markup of HTML is a page, whatever its ending. Plain text is a page where
its ending is one that pages are saved with: programs, styles and data are text, too. Binary data
with such an ending is a page that cannot be read, and a failure says so. What is said here of a
file says nothing of whether it holds an article.
"""

import mimetypes
import re
from pathlib import Path

from w3lib.encoding import read_bom

from crawler.sources import looks_binary

_HEAD_BYTES = 4096
_DOCUMENT = re.compile(r"<!doctype\s+html|<html\b", re.IGNORECASE)
# XML that is no XHTML: feeds, drawings, site maps.
_OTHER_XML = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*|<!--.*?-->\s*|<!doctype[^>]*>\s*)*"
    r"<(?:svg|rss|feed|urlset|sitemapindex|rdf:)",
    re.IGNORECASE | re.DOTALL,
)
_PAGE_ENDINGS = frozenset(
    (".txt", ".html", ".htm", ".xhtml", ".shtml", ".asp", ".aspx", ".php", ".jsp", ".cms")
)
_PAGE_TYPES = frozenset(("text/html", "text/plain", "application/xhtml+xml"))
# Text that may begin with a tag or a comment of HTML and is none.
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
_ARCHIVE_NAME = re.compile(r"\.(?:w?arc(?:\.gz|\.zst|\.bz2)?(?:\.open)?|wacz)$", re.IGNORECASE)
_ARCHIVE_STARTS = (b"WARC/", b"filedesc://")


def is_archive_file(path: Path) -> bool:
    """Whether a file is a web archive (WARC, WACZ, ARC), by its name or its first bytes. OSError if
    it cannot be read.
    """
    if _ARCHIVE_NAME.search(path.name):
        return True
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES).startswith(_ARCHIVE_STARTS)


def reason_against(path: Path) -> str | None:
    """Say why a file is no saved page; None if it may be one. OSError if it cannot be read."""
    # A page may be saved under the address that it had: "story.php?id=5".
    ending = Path(path.name.partition("?")[0]).suffix.lower()
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if looks_binary(head):
        return None if ending in _PAGE_ENDINGS else "binary data"
    encoding, mark = read_bom(head)
    text = head[len(mark or b"") :].decode(encoding or "latin-1", "replace").lstrip()
    if _OTHER_XML.match(text):
        return "XML of another kind"
    if _DOCUMENT.search(text):
        return None if text.startswith("<") or ending not in _OTHER_ENDINGS else f"{ending} file"
    if text.startswith("<") and ending not in _OTHER_ENDINGS:
        return None
    if ending and ending not in _PAGE_ENDINGS:
        return f"text of another kind ({ending})"
    return "text about the folder" if _ABOUT_THE_FOLDER.match(path.name) else None


def is_named_as_other(name: str) -> bool:
    """Whether the name of a file says that it is no page: "style.css", "picture.jpg"."""
    kind, _ = mimetypes.guess_type(name)
    return kind is not None and kind not in _PAGE_TYPES

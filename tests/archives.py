"""WARC files with arbitrary contents for tests, written with warcio, as other programs would."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

PAGE = (
    '<!DOCTYPE html><html lang="en"><head>'
    "<title>Bridge number {id} reopens - Al-Alam</title></head><body>\n"
    "<h1>Bridge number {id} reopens</h1>\n"
    "<span>Fri Oct 23, 2015 13:26:08</span>"
    "<p>The bridge in the north of the city was opened again on Friday, officials said{more}.</p>\n"
    "<p>It had been closed for repairs since the second week of March.</p>{links}</body></html>\n"
)
NEWS = "http://en.alalam.ir/news/"
HEADERS = (("Content-Type", "text/html; charset=utf-8"),)


def page(article_id: object, more: str = "", links: str = "") -> bytes:
    return PAGE.format(id=article_id, more=more, links=links).encode()


class Warc:
    """A WARC file to add records to: ``Warc(path).add(url, body, …)``."""

    def __init__(self, path: Path, version: str = "1.1") -> None:
        self.path = path
        self._buffer = io.BytesIO()
        self.writer = WARCWriter(self._buffer, gzip=path.name.endswith(".gz"), warc_version=version)
        path.write_bytes(b"")

    def add(
        self,
        url: str,
        body: bytes = b"",
        status: str = "200 OK",
        headers: Sequence[tuple[str, str]] = HEADERS,
        date: str = "2015-10-23T10:00:00Z",
        kind: str = "response",
        **more: str,
    ) -> "Warc":
        http = (
            None
            if kind == "resource"
            else StatusAndHeaders(status, list(headers), protocol="HTTP/1.1")
        )
        warc_headers: dict[str, Any] = {
            "WARC-Date": date,
            **{name.replace("_", "-"): value for name, value in more.items()},
        }
        content_type = headers[0][1] if kind == "resource" else ""
        record = self.writer.create_warc_record(
            url,
            kind,
            io.BytesIO(body),
            len(body),
            http_headers=http,
            warc_headers_dict=warc_headers,
            warc_content_type=content_type,
        )
        return self._write(record)

    def text(self, url: str, text: str, date: str = "2015-10-23T10:00:00Z") -> "Warc":
        """Add the text of a page, as in Common Crawl's WET files."""
        payload = text.encode()
        record = self.writer.create_warc_record(
            url,
            "conversion",
            io.BytesIO(payload),
            len(payload),
            warc_headers_dict={"WARC-Date": date},
            warc_content_type="text/plain",
        )
        return self._write(record)

    def revisit(
        self,
        url: str,
        digest: str,
        of: tuple[str, str] | None,
        date: str,
        status: str = "200 OK",
        profile: str = "",
    ) -> "Warc":
        """Add a revisit record of the capture with the URL and date in ``of``.

        If ``of`` is None, the record refers to the capture only by its digest.
        """
        http = StatusAndHeaders(status, list(HEADERS), protocol="HTTP/1.1")
        record = self.writer.create_revisit_record(
            url,
            digest,
            *(of or (url, date)),
            http_headers=http,
            warc_headers_dict={"WARC-Date": date},
        )
        if of is None:
            record.rec_headers.remove_header("WARC-Refers-To-Target-URI")
            record.rec_headers.remove_header("WARC-Refers-To-Date")
        if profile:
            record.rec_headers.replace_header("WARC-Profile", profile)
        return self._write(record)

    def _write(self, record: object) -> "Warc":
        self.writer.write_record(record)
        with self.path.open("ab") as out:
            out.write(self._buffer.getvalue())
        self._buffer.seek(0)
        self._buffer.truncate()
        return self


def record(
    url: str,
    content: bytes,
    date: str = "2015-10-23T10:00:00Z",
    kind: str = "response",
    line_end: bytes = b"\r\n",
    after: bytes = b"\r\n\r\n",
    **more: str,
) -> bytes:
    """Return a WARC record as an unusual program might write it, without correcting anything."""
    fields = {
        "WARC-Type": kind,
        "WARC-Target-URI": url,
        "WARC-Date": date,
        "WARC-Record-ID": f"<urn:uuid:{uuid4()}>",
        "Content-Type": "application/http; msgtype=response",
        **{name.replace("_", "-"): value for name, value in more.items()},
        "Content-Length": str(len(content)),
    }
    lines = [b"WARC/1.0", *(f"{name}: {value}".encode() for name, value in fields.items()), b""]
    return b"".join(line + line_end for line in lines) + content + after


def http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """Return an HTTP response."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: text/html; charset=utf-8", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def arc_record(url: str, content: bytes, date: str = "20151023100000") -> bytes:
    """Return an ARC 1 record."""
    return f"{url} 127.0.0.1 {date} text/html {len(content)}\n".encode() + content + b"\n"


ARC_HEAD = arc_record(
    "filedesc://a.arc", b"1 0 Test\nURL IP-address Archive-date Content-type Archive-length\n"
)


def offsets(path: Path) -> list[int]:
    """Return the offsets of a file's records, and of its end."""
    with path.open("rb") as file:
        records = ArchiveIterator(file)
        found = [records.get_record_offset() for _ in records]
    return [*found, path.stat().st_size]

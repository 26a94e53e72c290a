"""Write every exchange of a run to a WARC 1.1 file, as it came over the wire.

Takes ``Exchange`` objects, the bytes sent and received. Each record is compressed separately, so
that all complete records can be read if the process dies while writing. HTTP headers are written
verbatim, which warcio does not do. Credentials, interim (1xx) responses and bytes beyond the
declared Content-Length are left out, and chunked bodies are joined, with their Transfer-Encoding
header renamed. Raises ArchiveError if the file cannot be written.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urldefrag
from uuid import uuid4

from isal import isal_zlib

from crawler.crash import point
from crawler.errors import ArchiveError
from crawler.extraction.content_coding import GZIP, is_cut
from crawler.files import make_folder, sync_folder
from crawler.warc.archived import RENDERED_URN, Archived
from crawler.warc.file import first_record_id
from crawler.warc.records import digest_of, unchunked

_PROFILES = "http://netpreserve.org/warc/1.1/revisit/"
_SAME_PAYLOAD, _NOT_MODIFIED = (
    _PROFILES + "identical-payload-digest",
    _PROFILES + "server-not-modified",
)
_SUFFIX = re.compile(r"\.warc(?:\.gz)?$", re.IGNORECASE)
_STATUS_LINE = re.compile(rb"HTTP/[0-9.]+ +([0-9]{3})")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(
    rb"^content-length[ \t]*:[ \t]*([0-9]{1,18})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE
)
# The Content-Type of each kind of record (WARC 1.1, 5.6 and 6).
_MEDIA_TYPES = {
    "warcinfo": "application/warc-fields",
    "request": "application/http; msgtype=request",
    "response": "application/http; msgtype=response",
    "revisit": "application/http; msgtype=response",
    # The bytes of a response without an HTTP head.
    "resource": "application/octet-stream",
    # A page as a browser showed it.
    "conversion": "text/html; charset=utf-8",
}
_WITHOUT_PAYLOAD = frozenset((204, 304))
_DIGEST_OF_NOTHING = digest_of(b"")
_CHUNKED = re.compile(
    rb"^transfer-encoding(?=[ \t]*:[^\r\n]*chunked)", re.IGNORECASE | re.MULTILINE
)
_CODING = re.compile(rb"^content-encoding[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
# Longer streams are not checked to the end.
_MOST_DECODED = 1 << 26
# Credentials for a proxy or a web archive (RFC 9110, 11.6.2 and 11.7.2) are not archived.
_CREDENTIALS = re.compile(rb"\r\n(?:proxy-)?authorization[ \t]*:[^\r\n]*", re.IGNORECASE)
# The number of responses remembered for pages that are still being rendered.
_MOST_ANSWERS = 100
# ISA-L's levels are 0 to 3. Level 3 takes two to four times as long for 0.2 to 0.9% fewer bytes.
_COMPRESSION_LEVEL = 2


@dataclass(frozen=True, slots=True)
class Exchange:
    """The bytes of one request and its response, with the time the request was sent.

    ``address`` is the server's IP address, if known. ``truncated`` is the reason why the response
    is incomplete (WARC 1.1, 5.13), None if it is complete.
    """

    url: str
    at: datetime
    request: bytes
    response: bytes
    address: str | None = None
    truncated: str | None = None


class Written(NamedTuple):
    """A record in a file: its WARC-Record-ID, and its place as ``WarcFile.place`` describes it."""

    record_id: str
    place: str


class _Answer(NamedTuple):
    """A response: its date, its record's ID, and the record of its page."""

    date: str
    record_id: str
    page: Written


class WarcWriter:
    """A new WARC file being written. ``exchanges`` and ``revisits`` count what it contains.

    ``recall`` and ``keep`` give access to a store of archived responses by URL; a page that has not
    changed since is written as a revisit record.
    """

    def __init__(
        self,
        path: Path,
        warcinfo: Mapping[str, str],
        recall: Callable[[str], Archived | None] = lambda url: None,
        keep: Callable[[Archived], None] | None = None,
    ) -> None:
        """Write to ``path``, with a number added to its name if that file exists.

        ``warcinfo`` holds the fields of the warcinfo record. The first write creates the file.
        """
        self.path, self._descriptor = path, -1
        self._warcinfo = {name: _in_one_line(value) for name, value in warcinfo.items()}
        self.exchanges = self.revisits = 0
        self.failed: ArchiveError | None = None
        self._recall, self._keep = recall, keep
        self._files: dict[str, str | None] = {}
        # The latest responses, by URL.
        self._answers: dict[str, _Answer] = {}
        self._compressed = self.path.name.lower().endswith(".gz")
        self._size = self._synced = 0
        self._info_id = self._place = ""

    def write(self, exchange: Exchange) -> None:
        """Append an exchange.

        Raises ArchiveError if it cannot be written; the file then ends with the previous exchange.
        """
        if self.failed is not None:
            raise self.failed
        if self._descriptor < 0:
            self._begin()
        head, payload, status = _split_response(exchange.response) or (b"", exchange.response, 0)
        date = _date(exchange.at)
        digest = digest_of(payload)
        fields = {
            "WARC-Date": date,
            "WARC-Record-ID": _new_id(),
            "WARC-Warcinfo-ID": self._info_id,
        }
        if exchange.address:
            fields["WARC-IP-Address"] = exchange.address
        truncated = exchange.truncated or ("unspecified" if _is_cut(head, payload) else None)
        if truncated:
            fields["WARC-Truncated"] = truncated
        earlier = None if truncated else self.archived(exchange.url)
        profile = None
        if earlier and status == 304 and not payload:
            profile, digest = _NOT_MODIFIED, earlier.digest
        elif earlier and payload and earlier.digest == digest:
            profile, payload = _SAME_PAYLOAD, b""
        # Readers cannot parse a response record without an HTTP head.
        kind = "response" if head else "resource"
        if earlier and profile:
            kind = "revisit"
            fields |= {"WARC-Profile": profile, "WARC-Refers-To": earlier.record_id}
            fields |= {
                "WARC-Refers-To-Target-URI": earlier.url,
                "WARC-Refers-To-Date": earlier.date,
            }
        fields["WARC-Payload-Digest"] = digest
        answer = self._packed(kind, exchange.url, fields, head + payload)
        request_head, _, request_body = exchange.request.partition(b"\r\n\r\n")
        request_head = _CREDENTIALS.sub(b"", request_head)
        request_fields = {
            "WARC-Date": date,
            "WARC-Concurrent-To": fields["WARC-Record-ID"],
            "WARC-Warcinfo-ID": self._info_id,
            "WARC-Payload-Digest": digest_of(request_body) if request_body else _DIGEST_OF_NOTHING,
            "WARC-Record-ID": _new_id(),
        }
        request = self._packed(
            "request",
            exchange.url,
            request_fields,
            request_head + b"\r\n\r\n" + request_body,
        )
        offset = self._size
        self._put(answer + request)
        point("exchange archived")
        self._answers.pop(exchange.url, None)
        record_id = fields["WARC-Record-ID"]
        self._answers[exchange.url] = _Answer(date, record_id, self._written(record_id, offset))
        if len(self._answers) > _MOST_ANSWERS:
            del self._answers[next(iter(self._answers))]
        self.exchanges += 1
        self.revisits += kind == "revisit"
        if self._keep is not None:
            if earlier and profile == _SAME_PAYLOAD:
                etag, last_modified = _validators(head)
                self._keep(earlier._replace(etag=etag, last_modified=last_modified))
            if kind == "response" and status == 200 and payload and not truncated:
                self._keep(
                    Archived(
                        exchange.url,
                        digest,
                        date,
                        fields["WARC-Record-ID"],
                        self._place,
                        self._info_id,
                        *_validators(head),
                    )
                )

    def write_conversion(self, url: str, page: bytes) -> None:
        """Append a browser-rendered page, HTML in UTF-8, as a conversion (WARC 1.1, 6.7).

        It refers to the latest response for the URL. The URL has a prefix, because replay tools
        would otherwise serve the record as that response. Raises ArchiveError if it cannot be
        written.
        """
        if self.failed is not None:
            raise self.failed
        if self._descriptor < 0:
            self._begin()
        answer = self._answers.get(url)
        date = answer.date if answer else _date(datetime.now(UTC))
        fields = {
            "WARC-Date": date,
            "WARC-Record-ID": _new_id(),
            "WARC-Warcinfo-ID": self._info_id,
        }
        if answer:
            fields["WARC-Refers-To"] = answer.record_id
        fields["WARC-Payload-Digest"] = digest_of(page)
        offset = self._size
        self._put(self._packed("conversion", RENDERED_URN + url, fields, page))
        if answer:
            conversion = self._written(fields["WARC-Record-ID"], offset)
            self._answers[url] = answer._replace(page=conversion)

    def last_page(self, url: str) -> Written | None:
        """Return the record of the latest page from a URL, as a browser showed it if one did.

        It is a revisit record if the page was the same as in an earlier run. None if the URL is not
        among the latest.
        """
        answer = self._answers.get(urldefrag(url).url)
        return answer.page if answer else None

    def _written(self, record_id: str, offset: int) -> Written:
        return Written(record_id, f"{self._place}, offset {offset}")

    def _begin(self) -> None:
        try:
            self.path, self._descriptor = _create_file(self.path)
        except ArchiveError as error:
            self.failed = error
            raise
        self._place = _in_one_line(str(self.path.resolve()))
        self._info_id = _new_id()
        fields = {
            "WARC-Record-ID": self._info_id,
            "WARC-Filename": _in_one_line(self.path.name),
            "WARC-Date": _date(datetime.now(UTC)),
        }
        lines = (f"{name}: {value}\r\n" for name, value in self._warcinfo.items() if value)
        self._put(self._packed("warcinfo", None, fields, "".join(lines).encode()))
        self.sync()
        sync_folder(self.path.parent)

    def sync(self) -> None:
        """Flush the file to disk, to survive a power cut. Raises ArchiveError on failure."""
        if self._synced == self._size:
            return
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise self._fail(error) from error
        self._synced = self._size

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def archived(self, url: str) -> Archived | None:
        """Return the archived response for a URL, if its file still exists; None if not."""
        archived = self._recall(url)
        if archived is None:
            return None
        if archived.file not in self._files:
            self._files[archived.file] = first_record_id(Path(archived.file))
        return archived if self._files[archived.file] == archived.file_id else None

    def _packed(self, kind: str, url: str | None, fields: Mapping[str, str], block: bytes) -> bytes:
        """Return a record (WARC 1.1, section 4) with these named fields, as the file holds it."""
        target = {"WARC-Target-URI": url} if url else {}
        named_fields = {
            "WARC-Type": kind,
            **target,
            **fields,
            "WARC-Block-Digest": digest_of(block),
            "Content-Type": _MEDIA_TYPES[kind],
            "Content-Length": len(block),
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in named_fields.items())
        plain = b"".join((b"WARC/1.1\r\n", head.encode(), b"\r\n", block, b"\r\n\r\n"))
        return isal_zlib.compress(plain, _COMPRESSION_LEVEL, GZIP) if self._compressed else plain

    def _put(self, data: bytes) -> None:
        remaining = memoryview(data)
        try:
            while remaining:
                remaining = remaining[os.write(self._descriptor, remaining) :]
        except OSError as error:
            # Remove the incomplete record, so that the file stays valid.
            os.ftruncate(self._descriptor, self._size)
            raise self._fail(error) from error
        self._size += len(data)

    def _fail(self, error: OSError) -> ArchiveError:
        self.failed = ArchiveError(
            f"the archive {self.path} cannot be written ({error.strerror}); "
            "fix this and run the same command again"
        )
        return self.failed


def _is_cut(head: bytes, payload: bytes) -> bool:
    """Return whether a response has no head or a truncated compressed body."""
    if not head:
        return True
    declared = [value.decode("latin-1") for value in _CODING.findall(head)]
    return bool(payload and declared) and is_cut(payload, declared, _MOST_DECODED)


def _validators(head: bytes) -> tuple[str | None, str | None]:
    etag, last_modified = (
        re.search(rb"^%b[ \t]*:[ \t]*([^\0\r\n]+)[\r\n]" % name, head, re.I | re.M)
        for name in (b"etag", b"last-modified")
    )
    return etag and etag[1].strip().decode("latin-1"), last_modified and last_modified[
        1
    ].strip().decode("latin-1")


def _new_id() -> str:
    return f"<urn:uuid:{uuid4()}>"


def _date(moment: datetime) -> str:
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def _in_one_line(text: str) -> str:
    return " ".join(text.encode("utf-8", "backslashreplace").decode().split())


def _create_file(path: Path) -> tuple[Path, int]:
    """Create a file with this name, or with the first free number added if that exists."""
    suffix = _SUFFIX.search(path.name)
    end = suffix.start() if suffix else len(path.name)
    for number in count(1):
        numbered = (
            path if number == 1 else path.with_name(f"{path.name[:end]}-{number}{path.name[end:]}")
        )
        try:
            make_folder(numbered.parent)
            return numbered, os.open(
                numbered, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o666
            )
        except FileExistsError:
            if not numbered.exists():
                raise ArchiveError(
                    f"archive: {numbered.parent} is not a folder; give another file"
                ) from None
        except OSError as error:
            raise ArchiveError(
                f"archive: {numbered} cannot be written ({error.strerror}); "
                "give another file, or make its folder writable"
            ) from error
    raise AssertionError


def _split_response(received: bytes) -> tuple[bytes, bytes, int] | None:
    """Return the head, the payload without transfer coding, and the status; None if not HTTP.

    Interim responses (1xx) are left out, as are any bytes beyond the declared Content-Length.
    """
    position = 0
    while status_line := _STATUS_LINE.match(received, position):
        status, start = int(status_line[1]), position
        head_end = _HEAD_END.search(received, status_line.end())
        position = head_end.end() if head_end else len(received)
        if 100 <= status < 200:
            continue
        head, payload = received[start:position], received[position:]
        if status in _WITHOUT_PAYLOAD:
            return head, b"", status
        if _CHUNKED.search(head):
            # Malformed chunks are kept as they came.
            decoded, _ = unchunked(payload)
            if decoded or not payload.lstrip(b"0 \t").strip(b"\r\n"):
                # The payload is no longer chunked; archive readers know this header prefix.
                return _CHUNKED.sub(b"X-Archive-Orig-Transfer-Encoding", head), decoded, status
        elif length := _LENGTH.search(head):
            payload = payload[: int(length[1])]
        return head, payload, status
    return None

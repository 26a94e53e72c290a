"""Parse and check one archive record, WARC (ISO 28500, 1.0 and 1.1) or ARC.

Takes the bytes of a record and returns a ``Record``. Raises ArchiveError, with the reason for the
page's failure, if the bytes cannot be parsed, do not match their digests or are fewer than
declared.

Many writers deviate from the standard. The following are accepted: dates of lower precision or
with a day that does not exist (``2008-10-294T05:21:46-0700`` in ClueWeb09), for which a note
describes the assumption; responses with status 0 (Browsertrix) or without HTTP headers; URLs in
``<…>`` (wget) or with ``HTTP://`` in capitals; lines that end in CR CR LF; redirects and errors
that declare a body but have none (ArchiveWeb.page).

warcio parses the headers. It takes 20 µs per record and fastwarc 5, out of 1.5 ms per page, but
fastwarc loses the body after HTTP headers that end in bare line feeds, and rejects chunk
extensions (both measured, fastwarc 2.0.1).
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from typing import NamedTuple

from warcio.statusandheaders import StatusAndHeaders, StatusAndHeadersParser

from crawler.errors import ArchiveError
from crawler.warc.archived import RENDERED_URN
from crawler.warc.captures import web_url

HEAD_BYTES = 65_536
"""The maximum size in bytes of a record's WARC headers, and of its HTTP headers."""
LINE_ENDS = b"\r\n"
HEAD_END = re.compile(rb"\n\r*\n")
"""The empty line that ends the headers."""
_CONTENT_LENGTH = re.compile(
    rb"^content-length:[ \t]*([0-9]{1,18})[ \t]*\r*$", re.IGNORECASE | re.MULTILINE
)
_TYPE = re.compile(rb"^warc-type:[ \t]*([a-z]+)[ \t]*\r*$", re.IGNORECASE | re.MULTILINE)
_METHOD = re.compile(rb"[\r\n]*([A-Za-z]{1,20}) ")
_HTTP_LINE = re.compile(rb"[\r\n]*HTTP[/ ]", re.IGNORECASE)
_ZEROS = re.compile(r"0*")
_PAGE_START = re.compile(
    rb"(?:\xef\xbb\xbf)?\s{0,1000}<(?:!doctype|html|head|body|title|meta|\?xml|!--)", re.IGNORECASE
)
_PAGE_KINDS = ("response", "resource", "conversion")
_PAGE_TYPES = ("text/html", "application/xhtml")
_TEXT_TYPE = "text/plain"
# Some servers pad the chunk size with zeros or spaces.
_CHUNK_HEADER = re.compile(rb"[ \t]*0*([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")
_DIGESTS = {"md5": 16, "sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}
# The W3C profile of ISO 8601, or the 14 digits of ARC; either may be incomplete.
_DATE = re.compile(
    r"(?P<year>[0-9]{4})(?:-?(?P<month>[0-9]{2})(?:-?(?P<day>[0-9]{2})(?:[Tt ]?(?P<hour>[0-9]{2})"
    r"(?::?(?P<minute>[0-9]{2})(?::?(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]+))?)?)?)?)?)?"
    r"[Tt ]?(?P<zone>[Zz]|[+-][0-9]{2}:?[0-9]{2})?"
)
_DATE_PARTS = ("year", "month", "day", "hour", "minute", "second")
_WARC_HEADERS = StatusAndHeadersParser(["WARC/1.1", "WARC/1.0", "WARC/0.18", "WARC/0.17"])
_HTTP_HEADERS = StatusAndHeadersParser([], verify=False)

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record. ``status`` and ``headers`` are those of its HTTP head, if it has one.

    ``payload`` keeps its content coding but not its transfer coding.
    ``date_note`` describes any assumption made in ``date``.
    ``refers_to`` is the URL and date of a revisit's original record, and ``refers_to_id`` is its
    record ID, if given.
    """

    kind: str
    url: str
    date: datetime
    status: int | None
    headers: Headers
    payload: bytes
    date_note: str | None = None
    digest: str | None = None
    profile: str = ""
    record_id: str = ""
    concurrent_to: str = ""
    refers_to: tuple[str | None, datetime | None] = (None, None)
    refers_to_id: str = ""

    @property
    def is_text_copy(self) -> bool:
        """Whether it holds the text of a page, as in Common Crawl's WET files."""
        return self.kind == "conversion" and self.media_type == _TEXT_TYPE

    @property
    def media_type(self) -> str:
        return next(
            (
                value.decode("latin-1").split(";")[0].strip()
                for name, value in self.headers
                if name.lower() == b"content-type"
            ),
            "",
        )


class Format(NamedTuple):
    """A record format.

    ``begins`` checks whether bytes start a record. ``head`` returns the offset and length of a
    record's content, or None if it is not a record. ``start`` finds a record in a plain file.
    """

    begins: Callable[[bytes], bool]
    head: Callable[[bytes], tuple[int, int] | None]
    start: re.Pattern[bytes]


def _begins_warc(data: bytes) -> bool:
    # A truncated file may end within these bytes.
    return bool(data) and data[:5] == b"WARC/"[: len(data)]


def _head_of_warc(data: bytes) -> tuple[int, int] | None:
    end = HEAD_END.search(data)
    if not data.startswith(b"WARC/") or end is None:
        return None
    length = _CONTENT_LENGTH.search(data, 0, end.end())
    return (end.end(), int(length[1])) if length else None


def _begins_arc(data: bytes) -> bool:
    line, newline, _ = data[:HEAD_BYTES].partition(b"\n")
    if newline:
        return _arc_fields(line) is not None
    return re.match(rb"[A-Za-z][A-Za-z0-9+.-]{0,20}(?::|\Z)", data) is not None


def _head_of_arc(data: bytes) -> tuple[int, int] | None:
    line, newline, _ = data[:HEAD_BYTES].partition(b"\n")
    fields = _arc_fields(line) if newline else None
    if fields is None:
        return None
    begin, length = len(line) + 1, int(fields[-1])
    rest = data[begin + length :].lstrip(LINE_ENDS)
    if line.startswith(b"filedesc:") and rest and not _begins_arc(rest):
        # Some writers declare a wrong length for the version block.
        following = ARC.start.search(data, begin)
        length = following.start() - begin if following else length
    return begin, length


def _arc_fields(line: bytes) -> tuple[str, str, str] | None:
    """Return the URL, date and length in an ARC 1 or 2 header line; None if it is not one."""
    words = line.rstrip().decode("utf-8", "replace").split(" ")
    # Version 1 has five fields and version 2 ten; the URL may contain spaces.
    for fields, date in ((10, -8), (5, -3)):
        if len(words) >= fields and words[date].isdecimal() and 8 <= len(words[date]) <= 14:
            url = " ".join(words[: 1 - fields])
            has_scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]{0,20}:", url)
            length = words[-1]
            if has_scheme and length.isdecimal() and length.isascii() and len(length) < 19:
                return url, words[date], length
    return None


WARC = Format(
    _begins_warc,
    _head_of_warc,
    re.compile(rb"(?:^|(?<=\n))WARC/[0-9]\.[0-9]{1,3}\r*\n[A-Za-z]"),
)
ARC = Format(
    _begins_arc,
    _head_of_arc,
    re.compile(
        rb"(?:^|(?<=\n))[A-Za-z][A-Za-z0-9+.-]{0,20}:[^ \n]{1,1000} [^ \n]{1,60} [0-9]{8,14} "
        rb"(?:[^ \n]{0,150} ){1,6}[0-9]{1,18}\r?\n"
    ),
)


class _RawRecord(NamedTuple):
    """The headers of a record and its unparsed content."""

    header: Callable[[str], str | None]
    content: bytes


def parse(data: bytes, place: str, *, whole: bool = True) -> Record:
    """Parse and check the bytes of a record; unless ``whole``, parse only its headers.

    ``place`` is the location used in messages. Raises ArchiveError if the record cannot be read.
    """
    try:
        raw = (_split_warc if data.startswith(b"WARC/") else _split_arc)(data)
        date, date_note = read_date(raw.header("WARC-Date") or "")
    except Exception as error:
        # Malformed headers raise all kinds of exceptions in warcio.
        raise ArchiveError(
            f"{place}: its headers cannot be read ({type(error).__name__}: {error})"
        ) from error
    kind = (raw.header("WARC-Type") or "").lower()
    http, payload = _http(raw, kind, place)
    status = _status(http) if http else None
    headers = _headers(raw, kind, http, payload)
    if whole:
        _check_whole(raw, kind, status, place)
        if kind == "response":
            _check_answer(http, headers, payload, place)
        payload = _payload(raw, kind, status, headers, payload, place)
    return Record(
        kind=kind,
        url=_url(raw, kind),
        date=date,
        date_note=date_note,
        status=status or None,
        headers=headers,
        payload=payload if whole else b"",
        digest=raw.header("WARC-Payload-Digest"),
        profile=raw.header("WARC-Profile") or "",
        record_id=raw.header("WARC-Record-ID") or "",
        concurrent_to=raw.header("WARC-Concurrent-To") or "",
        refers_to=_refers_to(raw),
        refers_to_id=raw.header("WARC-Refers-To") or "",
    )


def parse_head(data: bytes) -> Record | None:
    """Parse the beginning of a record, without its payload; None if it cannot be parsed."""
    try:
        return parse(data, "", whole=False)
    except ArchiveError:
        return None


def kind_of(data: bytes) -> bytes:
    """Return the WARC-Type of a record in lower case; empty if it has none."""
    if not data.startswith(b"WARC/"):
        is_page = _head_of_arc(data) and not data.startswith(b"filedesc:")
        return b"response" if is_page else b"warcinfo" if data else b""
    end = HEAD_END.search(data)
    match = _TYPE.search(data, 0, end.end() if end else len(data))
    return match[1].lower() if match else b""


def method_of(data: bytes) -> str:
    """Return the HTTP method in a request record; empty if there is none."""
    head = _head_of_warc(data)
    match = _METHOD.match(data, head[0]) if head else None
    return match[1].decode("ascii").upper() if match else ""


def _split_warc(data: bytes) -> _RawRecord:
    begin, length = _head_of_warc(data) or (len(data), 0)
    headers = _WARC_HEADERS.parse(BytesIO(data[:begin]))
    return _RawRecord(headers.get_header, data[begin : begin + length])


def _split_arc(data: bytes) -> _RawRecord:
    begin, length = _head_of_arc(data) or (len(data), 0)
    fields = _arc_fields(data[: max(begin - 1, 0)])
    if fields is None:
        raise ValueError("they are not an ARC header line")
    url, date, _ = fields
    kind = "warcinfo" if url.startswith("filedesc:") else "response"
    headers = {"WARC-Target-URI": url, "WARC-Date": date, "WARC-Type": kind}
    return _RawRecord(headers.get, data[begin : begin + length])


def _url(raw: _RawRecord, kind: str) -> str:
    text = raw.header("WARC-Target-URI") or ""
    if kind == "conversion":
        if text.startswith(RENDERED_URN):
            return text.removeprefix(RENDERED_URN)
        if not (raw.header("Content-Type") or "").lower().startswith(_TEXT_TYPE):
            # Other tools write other kinds of conversions, such as pictures of pages.
            return ""
    return web_url(text)


def _refers_to(raw: _RawRecord) -> tuple[str | None, datetime | None]:
    url, date = raw.header("WARC-Refers-To-Target-URI"), raw.header("WARC-Refers-To-Date")
    try:
        return url and web_url(url), read_date(date)[0] if date else None
    except ValueError:
        return url, None


def _http(raw: _RawRecord, kind: str, place: str) -> tuple[StatusAndHeaders | None, bytes]:
    """Return the HTTP headers in a record (None if it has none) and the payload after them."""
    if kind not in ("response", "revisit") or not _HTTP_LINE.match(raw.content):
        return None, raw.content
    content = raw.content.lstrip(LINE_ENDS)
    stream = BytesIO(content[:HEAD_BYTES])
    try:
        http = _HTTP_HEADERS.parse(stream)
    except Exception as error:
        raise ArchiveError(
            f"{place}: its HTTP headers cannot be read ({type(error).__name__}: {error})"
        ) from error
    if stream.tell() == HEAD_BYTES < len(content):
        raise ArchiveError(f"{place}: its HTTP headers have over {HEAD_BYTES:,} bytes")
    return http, content[stream.tell() :]


def _headers(raw: _RawRecord, kind: str, http: StatusAndHeaders | None, payload: bytes) -> Headers:
    if http is not None:
        return tuple((name.encode(), value.encode()) for name, value in http.headers)
    declared = raw.header("Content-Type") or ""
    if kind in ("resource", "conversion") or declared.lower().startswith(_PAGE_TYPES):
        return ((b"Content-Type", declared.encode()),)
    return ((b"Content-Type", b"text/html"),) if _PAGE_START.match(payload) else ()


def _check_whole(raw: _RawRecord, kind: str, status: int | None, place: str) -> None:
    # wget marks revisits as truncated. For redirects and errors, the head is enough.
    if kind == "revisit" or not _is_page(status):
        return
    if truncated := raw.header("WARC-Truncated"):
        raise ArchiveError(
            f"{place}: the writer recorded only part of the page (WARC-Truncated: {truncated})",
            reason="cut_short",
        )
    if raw.header("WARC-Segment-Number"):
        raise ArchiveError(
            f"{place}: it is the first of several segments of a page; "
            "segmented records are not supported",
            reason="cut_short",
        )


def _check_answer(
    http: StatusAndHeaders | None, headers: Headers, payload: bytes, place: str
) -> None:
    if http is None and not headers:
        raise ArchiveError(
            f"{place}: it is neither an HTTP response nor a page; it begins with {payload[:20]!r}"
        )
    if http is not None and _status(http) is None:
        raise ArchiveError(f"{place}: its HTTP status cannot be read")


def _payload(
    raw: _RawRecord, kind: str, status: int | None, headers: Headers, stored: bytes, place: str
) -> bytes:
    """Return the payload of a record without its transfer coding.

    Raises ArchiveError if it is incomplete or does not match its digests.
    """
    if kind == "revisit":
        # The original is checked when read. wget gives revisits another record's block digest.
        return b""
    if kind not in _PAGE_KINDS:
        return stored
    payload = _without_chunks(stored, headers, place)
    declared_length = max(
        (
            int(value)
            for name, value in headers
            if name.lower() == b"content-length" and value.isdigit()
        ),
        default=0,
    )
    is_short = kind == "response" and len(stored) < declared_length and payload is stored
    if is_short and _is_page(status):
        raise ArchiveError(
            f"{place}: the response declares {declared_length:,} bytes but has {len(stored):,}",
            reason="cut_short",
        )
    for name, candidates in (
        ("WARC-Block-Digest", (raw.content,)),
        ("WARC-Payload-Digest", (stored, payload)),
    ):
        declared = raw.header(name)
        if not declared or digest_key(declared) is None:
            continue
        if not any(has_digest(candidate, declared) for candidate in candidates):
            raise ArchiveError(
                f"{place}: its content does not match its digest ({name} {declared})"
            )
    return payload


def _is_page(status: int | None) -> bool:
    return not status or 200 <= status < 300


def _status(http: StatusAndHeaders) -> int | None:
    """Return the status of a response, 0 if its writer did not know it; None if invalid."""
    code = http.get_statuscode()
    if not http.protocol.upper().startswith("HTTP"):
        return None
    if _ZEROS.fullmatch(code):
        return 0
    return int(code) if code.isascii() and code.isdigit() and len(code) == 3 else None


def _without_chunks(stored: bytes, headers: Headers, place: str) -> bytes:
    """Remove the chunked transfer coding, if present: many writers keep only its header."""
    if not any(
        name.lower() == b"transfer-encoding" and b"chunked" in value.lower()
        for name, value in headers
    ):
        return stored
    if not _CHUNK_HEADER.match(stored):
        return stored
    payload, whole = unchunked(stored)
    if not whole:
        raise ArchiveError(
            f"{place}: its chunked body is incomplete or malformed", reason="cut_short"
        )
    return payload


def unchunked(stored: bytes) -> tuple[bytes, bool]:
    """Remove the chunked transfer coding (RFC 9112, 7.1).

    Return the decoded bytes, up to any error, and whether they are complete.
    """
    payload, position = bytearray(), 0
    while header := _CHUNK_HEADER.match(stored, position):
        length = int(header[1], 16)
        if length == 0:
            return bytes(payload), True
        payload += stored[header.end() : header.end() + length]
        position = header.end() + length
        if stored[position : position + 1] not in (b"\r", b"\n"):
            break
        position += 2 if stored.startswith(b"\r\n", position) else 1
    return bytes(payload), False


def digest_of(payload: bytes) -> str:
    """Return the digest of a payload as written in WARC files: SHA-1 in base 32."""
    return (
        "sha1:" + base64.b32encode(hashlib.sha1(payload, usedforsecurity=False).digest()).decode()
    )


def digest_key(declared: str) -> str | None:
    """Normalise a digest so that it can be compared: ``sha1:3I42H3S6…``.

    Indexes omit the algorithm, and some writers use hexadecimal digits. Return None if the
    algorithm is unknown.
    """
    name, _, value = declared.strip().rpartition(":")
    name = name.lower().replace("-", "") or "sha1"
    value = value.upper().rstrip("=")
    size = _DIGESTS.get(name)
    if size is None or not value:
        return None
    try:
        if len(value) == 2 * size:
            value = base64.b32encode(bytes.fromhex(value)).decode().rstrip("=")
        base64.b32decode(value + "=" * (-len(value) % 8))
    except (ValueError, binascii.Error):
        return None
    return f"{name}:{value}"


def has_digest(data: bytes, declared: str) -> bool:
    """Return whether bytes have a digest such as ``sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ``.

    A digest with an unknown algorithm is assumed to be correct.
    """
    key = digest_key(declared)
    if key is None:
        return True
    name, _, value = key.partition(":")
    digest = hashlib.new(name, data, usedforsecurity=False).digest()
    return value == base64.b32encode(digest).decode().rstrip("=")


def read_date(text: str) -> tuple[datetime, str | None]:
    """Parse a date (W3C profile of ISO 8601, UTC); return it with a note of any assumption.

    WARC 1.1 (5.4) allows dates without a time, a day or a month. An invalid part, such as the day
    294, and everything after it are ignored. Raises ValueError if not even the year is valid.
    """
    match = _DATE.match(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a date")
    parts = {name: int(match[name]) for name in _DATE_PARTS if match[name]}
    if text.strip()[match.end() : match.end() + 1].isdigit():
        parts.popitem()
    if len(parts) == len(_DATE_PARTS) and match["fraction"]:
        parts["microsecond"] = int(match["fraction"][:6].ljust(6, "0"))
    for count in range(len(parts), 0, -1):
        valid_parts = dict(list(parts.items())[:count])
        try:
            moment = datetime(**{"month": 1, "day": 1, **valid_parts}, tzinfo=UTC)
            zone = _zone(match["zone"]) if "hour" in valid_parts else UTC
        except ValueError:
            continue
        try:
            moment = moment.replace(tzinfo=zone).astimezone(UTC)
        except OverflowError as error:
            raise ValueError(f"{text!r}: {error}") from error
        return moment, None if "second" in valid_parts else _assumption(text, valid_parts)
    raise ValueError(f"{text!r} is not a date")


def _assumption(text: str, parts: dict[str, int]) -> str:
    day = "-".join(f"{value:02}" for value in list(parts.values())[:3])
    time = ":".join(f"{value:02}" for value in list(parts.values())[3:])
    known = f"{day} {time}".rstrip()
    return f"only {known} is known of the date {text.strip()!r}; the first moment of it is assumed"


def _zone(text: str | None) -> timezone:
    if not text or text in "Zz":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-offset if text[0] == "-" else offset)

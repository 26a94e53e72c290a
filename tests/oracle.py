"""Compare the records that this project reads in archive files with those of warcio and fastwarc.

python tests/oracle.py FOLDER_OR_FILE…

Records of pages are compared by type, URL, status, and the digest of the payload without transfer
coding; other records only by type and URL. It is a difference if both libraries read a record that
this project does not, if only this project reads a record, or if the order is another. Known
differences, with their reasons, are in oracle_differences.json by file name and record. Exits with
1 if there are others.
"""

import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from fastwarc.warc import ArchiveIterator as FastIterator
from fastwarc.warc import WarcRecordType
from warcio.archiveiterator import ArchiveIterator

from crawler.errors import ArchiveError
from crawler.warc.captures import web_url
from crawler.warc.file import WarcFile
from crawler.warc.records import unchunked
from crawler.warc.stored_bytes import open_stored

DIFFERENCES = Path(__file__).with_name("oracle_differences.json")
_NAME = re.compile(r"\.w?arc(?:\.(?:gz|zst|open|wat|wet))*$")
_PAGES = ("response", "resource")
_MAX_SIZE = 1 << 30


class RecordSummary(NamedTuple):
    """A record as read by one of the programs."""

    kind: str
    url: str
    status: int | None = None
    digest: str = ""

    def __str__(self) -> str:
        return " ".join(str(part) for part in self if part)


class Difference(NamedTuple):
    file: str
    what: str
    record: str

    def __str__(self) -> str:
        return f"{self.file}: {self.what}: {self.record}"


def by_warcio(path: Path) -> Iterator[RecordSummary]:
    with path.open("rb") as file:
        for record in ArchiveIterator(file, arc2warc=True):
            headers = record.http_headers
            status = headers.get_statuscode() if headers else ""
            chunked = (headers.get_header("Transfer-Encoding") or "") if headers else ""
            url = record.rec_headers.get_header("WARC-Target-URI")
            yield _summary(record.rec_type, url, status, chunked, record.raw_stream.read())


def by_fastwarc(path: Path) -> Iterator[RecordSummary]:
    with path.open("rb") as file:
        for record in FastIterator(file, record_types=WarcRecordType.any_type, parse_http=True):
            headers = record.http_headers
            status = str(headers.status_code or "") if headers else ""
            chunked = (headers.get("Transfer-Encoding") or "") if headers else ""
            url = record.headers.get("WARC-Target-URI")
            kind = record.headers.get("WARC-Type") or ""
            yield _summary(kind, url, status, chunked, record.reader.read())


def by_us(path: Path) -> Iterator[RecordSummary]:
    file = WarcFile(open_stored(path), path.name)
    try:
        for offset, block in file.walk():
            with suppress(ArchiveError):
                if block.fault:
                    continue
                record = file.read(offset, _MAX_SIZE)
                status = str(record.status or "")
                yield _summary(record.kind, record.url, status, "", record.payload)
    finally:
        file.close()


def _summary(kind: str, url: str | None, status: str, chunked: str, data: bytes) -> RecordSummary:
    kind, url = kind.lower(), web_url(url or "")
    status_code = int(status) or None if status.isdecimal() else None
    if kind not in _PAGES:
        kind = "warcinfo" if kind == "arc_header" else kind
        return RecordSummary(kind, "" if kind in ("warcinfo", "conversion") else url)
    if "chunked" in chunked.lower():
        decoded, whole = unchunked(data)
        data = decoded if whole else data
    return RecordSummary(
        kind, url, status_code, hashlib.sha1(data, usedforsecurity=False).hexdigest()
    )


def compare(path: Path) -> list[Difference]:
    """Return the differences in a file. Prints any error that stops one of the libraries."""
    found: list[Difference] = []
    theirs: list[list[RecordSummary]] = []
    # fastwarc does not read ARC.
    is_arc = ".arc" in path.name
    for name, read in (("warcio", by_warcio), ("fastwarc", by_warcio if is_arc else by_fastwarc)):
        records: list[RecordSummary] = []
        try:
            records.extend(read(path))
        except Exception as error:
            records = _as_far_as_it_goes(read, path)
            print(f"{path}: {name} stops after {len(records)} records ({error})".splitlines()[0])
        theirs.append(records)
    ours = list(by_us(path))
    both = Counter(theirs[0]) & Counter(theirs[1])
    either = Counter(theirs[0]) | Counter(theirs[1])
    found += _differences(path, "both others read", both - Counter(ours))
    found += _differences(path, "only we read", Counter(ours) - either)
    if not found and [record for record in theirs[1] if record in both] != [
        record for record in ours if record in both
    ]:
        found.append(Difference(path.name, "another order", ""))
    return found


def _as_far_as_it_goes(
    read: Callable[[Path], Iterator[RecordSummary]], path: Path
) -> list[RecordSummary]:
    records: list[RecordSummary] = []
    with suppress(Exception):
        for summary in read(path):
            records.append(summary)  # noqa: PERF402
    return records


def _differences(path: Path, what: str, records: Counter[RecordSummary]) -> list[Difference]:
    return [Difference(path.name, what, str(summary)) for summary in records.elements()]


def files(places: list[str]) -> list[Path]:
    """Return the archive files in folders, recursively; those inside a WACZ are left out."""
    found: list[Path] = []
    for place in map(Path, places):
        found += place.rglob("*") if place.is_dir() else [place]
    return sorted(path for path in found if path.is_file() and _NAME.search(path.name))


def main(places: list[str]) -> int:
    known = json.loads(DIFFERENCES.read_text(encoding="utf-8"))
    unknown = records = 0
    for path in files(places):
        records += len(list(by_us(path)))
        for difference in compare(path):
            reason = known.get(difference.file, {}).get(f"{difference.what}: {difference.record}")
            reason = reason or known.get(difference.file, {}).get("*")
            unknown += reason is None
            print(f"{difference} [{reason or 'unknown'}]")
    print(
        f"{len(files(places))} files, {records} records read by this project, "
        f"{unknown} unknown differences"
    )
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

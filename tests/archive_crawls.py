"""Helpers of the tests that crawl web archives or write one."""

import subprocess
import sys
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from archives import NEWS
from conftest import IMPATIENT
from server import answer
from warcio.archiveiterator import ArchiveIterator

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ARTICLE = "1700001"
URL = NEWS + ARTICLE
IMPATIENT_WAYBACK = {**IMPATIENT, "WAYBACK_DELAY": 0, "WAYBACK_BACKOFF": 0.1}


def records_of(path: Path) -> list[tuple[Any, bytes]]:
    """Return the records of a WARC file with their stored content, checking the digests."""
    with path.open("rb") as file:
        return [
            (record, record.raw_stream.read())
            for record in ArchiveIterator(file, check_digests="raise")
        ]


def wacz(warc: Path) -> Path:
    """Convert a WARC file to WACZ with Webrecorder's own program."""
    target = warc.with_name("pages.wacz")
    program = Path(sys.executable).parent / "wacz"
    subprocess.run([program, "create", "-o", target, "-f", warc], check=True, capture_output=True)
    return target


def compressed(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    # Not Brotli: the WACZ file is made with warcio, which cannot decode it since brotli 1.2.
    answer(handler, 200, zstd.compress(body), {"Content-Encoding": "zstd"})


def chunked(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for start in range(0, len(body), 1000):
        part = body[start : start + 1000]
        handler.wfile.write(b"%x;note=some\r\n%b\r\n" % (len(part), part))
    handler.wfile.write(b"0\r\n\r\n")

"""Read every response in a WARC file with fastwarc and parse it with lxml.

This is the minimum cost of reading an archive.
"""

import sys

import lxml.html
from fastwarc.warc import ArchiveIterator, WarcRecordType

with open(sys.argv[1], "rb") as file, open(sys.argv[2], "w", encoding="utf-8") as out:
    for record in ArchiveIterator(file, record_types=WarcRecordType.response):
        body = record.reader.read()
        if body.startswith(b"<!DOCTYPE html>"):
            out.write(f"{len(lxml.html.document_fromstring(body))}\n")

"""Reads every response of a WARC file with fastwarc and parses it with lxml: the least that reading an archive can cost."""

import sys

import lxml.html
from fastwarc.warc import ArchiveIterator, WarcRecordType

with open(sys.argv[1], "rb") as file, open(sys.argv[2], "w", encoding="utf-8") as out:
    for record in ArchiveIterator(file, record_types=WarcRecordType.response):
        body = record.reader.read()
        if body.startswith(b"<!DOCTYPE html>"):
            out.write(f"{len(lxml.html.document_fromstring(body))}\n")

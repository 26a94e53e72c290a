"""Fixtures and helpers for tests of archives with an index."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from archives import NEWS, http, page, record

from crawler.warc.archive import Archive
from crawler.warc.captures import Capture

MAX_SIZE = 1 << 20
DATE, MOMENT = "2015-10-23T10:00:00Z", "20151023100000"
DIGEST = "sha1:" + "A" * 32


@pytest.fixture(autouse=True, name="index_cache")
def cached_indexes(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Return an empty folder for cached indexes."""
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    return cache / "neighbourhood-crawler" / "indexes"


Open = Callable[[object], Archive]


@pytest.fixture(name="open_archive")
def archives_opened() -> Iterator[Open]:
    archives: list[Archive] = []

    def open_(path: object) -> Archive:
        archives.append(Archive(str(path), MAX_SIZE))
        return archives[-1]

    yield open_
    for archive in archives:
        archive.close()


def captures(archive: Archive, url: str = NEWS) -> list[Capture]:
    return [capture for capture, _ in archive.captures_below(url)]


def page_record(number: int, date: str = DATE, **more: str) -> bytes:
    more = {"WARC_Record_ID": f"<urn:{number}>", **more}
    return record(f"{NEWS}{number}", http(page(number)), date, **more)


def line(number: int, place: int, key: str = "", moment: str = MOMENT, **more: object) -> str:
    """Return a CDXJ line for a page."""
    fields = {
        "url": f"{NEWS}{number}",
        "mime": "text/html",
        "status": "200",
        "digest": DIGEST,
        "length": str(len(page_record(number))),
        "offset": str(place),
        "filename": "a.warc",
        **more,
    }
    text = json.dumps({name: value for name, value in fields.items() if value is not None})
    return f"{key or f'ir,alalam,en)/news/{number}'} {moment} {text}\n"


ONE, TWO, THREE = map(page_record, (1, 2, 3))

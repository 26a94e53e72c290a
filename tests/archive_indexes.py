"""Archives with an index: fixtures and helpers of the tests about them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from archives import NEWS, http, page, record

from crawler.warc.archive import Archive
from crawler.warc.captures import Capture

MOST = 1 << 20
DATE, MOMENT = "2015-10-23T10:00:00Z", "20151023100000"
DIGEST = "sha1:" + "A" * 32


@pytest.fixture(autouse=True, name="kept")
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
    opened: list[Archive] = []

    def open_(path: object) -> Archive:
        opened.append(Archive(str(path), MOST))
        return opened[-1]

    yield open_
    for archive in opened:
        archive.close()


def captures(archive: Archive, url: str = NEWS) -> list[Capture]:
    return [capture for capture, _ in archive.captures(url, and_longer=True)]


def answered(number: int, date: str = DATE, **more: str) -> bytes:
    more = {"WARC_Record_ID": f"<urn:{number}>", **more}
    return record(f"{NEWS}{number}", http(page(number)), date, **more)


def line(number: int, place: int, key: str = "", moment: str = MOMENT, **more: object) -> str:
    """Return a CDXJ line for a page."""
    said = {
        "url": f"{NEWS}{number}",
        "mime": "text/html",
        "status": "200",
        "digest": DIGEST,
        "length": str(len(answered(number))),
        "offset": str(place),
        "filename": "a.warc",
        **more,
    }
    told = json.dumps({name: value for name, value in said.items() if value is not None})
    return f"{key or f'ir,alalam,en)/news/{number}'} {moment} {told}\n"


ONE, TWO, THREE = map(answered, (1, 2, 3))

"""WACZ files: the archives and indexes in them, nested ones, and unreadable ones."""

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from archive_indexes import (
    ONE,
    THREE,
    TWO,
    Open,
    archives_opened,  # noqa: F401
    cached_indexes,  # noqa: F401
    captures,
    line,
)
from archives import NEWS, page

from crawler.errors import ArchiveError


def wacz(path: Path, files: dict[str, bytes], compressed: str = "") -> Path:
    with zipfile.ZipFile(path, "w") as zip_file:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED if name == compressed else zipfile.ZIP_STORED
            # An extra field, which some programs write before the data.
            entry.extra = b"\xfe\xca\x04\x00more"
            zip_file.writestr(entry, data)
    return path


def test_the_contents_of_a_wacz(tmp_path: Path, open_archive: Open) -> None:
    path = tmp_path / "A.WACZ"
    members = [gzip.compress(part) for part in (ONE, TWO)]
    files = {
        "archive/a.warc.gz": b"".join(members),
        "archive/sub/b.warc": THREE,
        "archive/c.warc.xz": b"x",
        "archive/d.cdx": b"x",
        "pages/pages.jsonl": b"{}",
        "pages/e.warc.gz": b"".join(members),
        "indexes/other.txt": b"no index",
    }
    unread = [f"{path}, archive/c.warc.xz: it is not read; unpack it"]
    places = [("a.warc.gz", 0), ("a.warc.gz", len(members[0])), ("b.warc", 0)]
    archive = open_archive(wacz(path, files))
    assert [(c.file, c.offset) for c in captures(archive)] == places
    assert (archive.faults, archive.source) == (unread, "wacz")
    found = list(archive.captures_below(NEWS))
    assert [file.place(capture) for capture, file in found] == [
        f"{path}, archive/{'sub/b.warc' if name == 'b.warc' else name}, offset {offset}"
        for name, offset in places
    ]
    assert [archive.read(*one).body for one in found] == [page(number) for number in (1, 2, 3)]
    # All of the file's own indexes are used, even if they are compressed in it.
    first = line(
        2, len(members[0]), filename="a.warc.gz", length=len(members[1]), moment="20010101000000"
    )
    second = line(3, 0, filename="b.warc", moment="20020101000000")
    indexes = {"indexes/1.cdx.gz": gzip.compress(first.encode()), "indexes/2.cdxj": second.encode()}
    archive = open_archive(wacz(path, {**files, **indexes}, "indexes/2.cdxj"))
    assert [(c.url[-1], c.timestamp[:4]) for c in captures(archive)] == [
        ("2", "2001"),
        ("3", "2002"),
    ]
    broken = {"indexes/1.cdx.gz": gzip.compress(first.encode())[:-3]}
    with pytest.raises(ArchiveError, match=f"^the index in {path} cannot be read "):
        open_archive(wacz(path, {**files, **broken}))
    wrong = {"indexes/1.cdxj": line(2, 0, filename="a.warc.gz", length="1").encode()}
    with pytest.raises(ArchiveError) as caught:
        open_archive(wacz(path, {**files, **wrong}))
    assert str(caught.value) == (
        f"the index {path} does not match its file: line 1 says that {NEWS}2 is at byte 0 of "
        f"{path}, archive/a.warc.gz, but it is not; recreate it, or delete it to have it recreated"
    )


def inside(path: Path, files: dict[str, bytes]) -> bytes:
    return wacz(path, files).read_bytes()


def test_waczs_in_a_wacz(tmp_path: Path, open_archive: Open) -> None:
    """WACZ files may be nested two levels deep; an outer index does not cover the inner files."""
    path, part = tmp_path / "all.wacz", tmp_path / "part"
    innermost = inside(part, {"archive/a.warc": THREE})
    deep = inside(part, {"archive/a.warc": TWO, "deep.wacz": innermost})
    files = {"archive/a.warc": ONE, "in.wacz": deep, "indexes/i.cdxj": b"no index"}
    archive = open_archive(wacz(path, files))
    found = list(archive.captures_below(NEWS))
    assert [(capture.file, file.place(capture)) for capture, file in found] == [
        ("a.warc", f"{path}, archive/a.warc, offset 0"),
        ("in.wacz, archive:a.warc", f"{path}, in.wacz, archive/a.warc, offset 0"),
        (
            "in.wacz, deep.wacz, archive:a.warc",
            f"{path}, in.wacz, deep.wacz, archive/a.warc, offset 0",
        ),
    ]
    assert [archive.read(*one).body for one in found] == [page(number) for number in (1, 2, 3)]
    deeper = inside(part, {"in.wacz": inside(part, {"deep.wacz": deep})})
    with pytest.raises(ArchiveError) as caught:
        open_archive(wacz(path, {"archive/a.warc": ONE, "out.wacz": deeper}))
    assert str(caught.value) == (
        f"{path}: out.wacz, in.wacz, deep.wacz is nested too deeply; unpack it first"
    )
    unread = inside(part, {"archive/a.warc": TWO, "archive/b.har": b"x"})
    archive = open_archive(wacz(path, {"in.wacz": unread}))
    assert archive.faults == [f"{path}, in.wacz, archive/b.har: it is not read; unpack it"]


def test_a_wacz_that_cannot_be_read(tmp_path: Path, open_archive: Open) -> None:
    path = tmp_path / "a.wacz"
    good = {"archive/a.warc": ONE}
    wacz(path, good)
    data = path.read_bytes()
    no_wacz = f"{path}: it is not a WACZ, or it is cut off ("
    rows: dict[str, tuple[Callable[[], object], str]] = {
        "no ZIP": (lambda: path.write_bytes(b"PK"), no_wacz),
        "cut": (lambda: path.write_bytes(data[:-9]), no_wacz),
        "no archive": (
            lambda: wacz(path, {"datapackage.json": b"{}", "a.warc": ONE}),
            f"{path}: it contains no WARC file (archive/*.warc.gz); takes a WACZ file",
        ),
        "compressed": (
            lambda: wacz(path, good, "archive/a.warc"),
            f"{path}: archive/a.warc is compressed inside the WACZ, so its pages cannot be "
            "located; unpack it first",
        ),
        "two of a name": (
            lambda: wacz(path, {**good, "archive/b/a.warc": TWO}),
            f"{path}: it contains two files named a.warc; unpack it and give both folders",
        ),
        "not where it is said": (
            lambda: path.write_bytes(b"XX" + data[2:]),
            f"{path}: archive/a.warc is not where the ZIP directory says; the file is damaged",
        ),
    }
    for name, (make, fault) in rows.items():
        make()
        with pytest.raises(ArchiveError) as caught:
            open_archive(path)
        message = str(caught.value)
        assert message.startswith(fault) if fault.endswith("(") else message == fault, name

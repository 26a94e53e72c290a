"""Test the pages read from an archive: files of a folder, revisits, and checks of a record."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from archive_indexes import (
    Open,
    archives_opened,  # noqa: F401
)
from archive_revisits import DATE, LATER, SAME, UNCHANGED, original, refers_to, revisits
from archives import NEWS, http, page, record
from conftest import CACHE

from crawler.errors import ArchiveError
from crawler.warc.names import READABLE, archive_files, is_archive, other_files
from crawler.warc.records import digest_of

URL = NEWS + "1"
BODY = page(1)


@pytest.fixture(autouse=True)
def shared_index_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", CACHE)


NAMES = {
    "archives": (
        *("a.warc", "b.warc.gz", "c.WARC.GZ", "d.arc", "e.arc.gz", "f.warc.zst", "g.warc.open"),
        *("h.warc.gz.open", "i.wacz", ".hidden.warc", "j.warc.warc"),
    ),
    "unread": (
        *("k.warc.bz2", "l.arc.xz", "m.har", "n.har.gz", "q.webarchive"),
        *("r.maff", "s.tar", "t.tgz", "u.zip", "v.7z", "w.gz", "x.warc.gz.part", "y.warc.tmp"),
        *("z.rar", "za.lz4", "zb.br", "zc.lzma", "zd.zst", "ze.wacz.1", "zf.open"),
    ),
    "others": (
        *("0.cdx", "0.cdxj", "0.cdxj.gz", "0.idx", "0.json", "0.jsonl.gz", "0.txt.gz", "0.xml.gz"),
        *("1.warc.md5", "1.warc.sha256", "1.warc.gz.asc", "1.warc.csv", "1.html", "README"),
        *(
            "o.mhtml",
            "p.mht",
            "swarc",
            "warc",
            "2.warcs",
            "2.har2",
            "2.warc.gz.log",
            "2.wacz.sig",
            "2.yml",
            "2.yaml",
        ),
    ),
}


def test_the_files_of_a_folder(tmp_path: Path, open_archive: Open) -> None:
    folder = tmp_path / "all"
    folder.mkdir()
    for names in NAMES.values():
        for name in names:
            (folder / name).write_bytes(b"")
    (folder / "more").mkdir()
    (folder / "more" / "a.warc").write_bytes(b"")
    (folder / "empty").mkdir()
    (folder / "b.warc").mkdir()
    archives = sorted(folder / name for name in NAMES["archives"])
    unread = sorted([folder / "more", *(folder / name for name in NAMES["unread"])])
    assert archive_files(str(folder)) == archives
    assert other_files(str(folder)) == (unread, sorted(folder / name for name in NAMES["others"]))
    assert is_archive(str(folder))
    for path, expected in (
        (folder / "a.warc", [folder / "a.warc"]),
        (folder / "*.gz", [folder / "b.warc.gz", folder / "e.arc.gz"]),
        (folder / "[ad].*arc", [folder / "a.warc", folder / "d.arc"]),
        (folder / "*" / "*.warc", [folder / "more" / "a.warc"]),
        (folder / "1.html", []),
        (folder / "empty", []),
        (folder / "none*", []),
        (folder / "none", []),
        ("a\0b", []),
    ):
        assert archive_files(str(path)) == expected
        assert is_archive(str(path)) == bool(expected)
    (folder / "a.warc").write_bytes(record(URL, http(BODY)))
    for path in folder.glob("*.*"):
        if path.name not in ("a.warc", "b.warc") and path.name in NAMES["archives"]:
            path.unlink()
    archive = open_archive(folder)
    takes = f"takes {READABLE}"
    assert archive.faults == [
        f"{file}: the archives in this folder are not read; give the folder as another source"
        if file.name == "more"
        else f"{file}: it is not read; {takes}"
        for file in unread
    ]
    assert (archive.source, archive.others) == ("warc", other_files(str(folder))[1])


def test_archives_without_a_page(tmp_path: Path, open_archive: Open) -> None:
    """One of several files may hold no page."""
    takes = f"takes {READABLE}"
    path = tmp_path / "a.warc"
    path.write_bytes(b"")
    fault = f"{path}, offset 0: there are no record headers here"
    for data, why in ((b"", ""), (b"junk", f" ({fault})")):
        path.write_bytes(data)
        with pytest.raises(ArchiveError) as caught:
            open_archive(path)
        assert str(caught.value) == (
            f"{path}: it contains no pages{why}; {takes} with captures of web pages"
        )
    with pytest.raises(ArchiveError) as caught:
        open_archive(tmp_path / "none")
    assert str(caught.value) == f"{tmp_path}/none: no archive file found; {takes}"
    (tmp_path / "b.warc").write_bytes(record(URL, http(BODY)))
    archive = open_archive(tmp_path)
    assert archive.faults == [fault]
    assert [capture.file for capture, _ in archive.captures(URL)] == ["b.warc"]


@pytest.mark.parametrize("apart", [False, True], ids=["one file", "two files"])
def test_the_original_of_a_revisit(tmp_path: Path, open_archive: Open, apart: bool) -> None:
    for number, (name, (originals, headers, expected)) in enumerate(revisits().items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        revisit = record(URL, b"", LATER, WARC_Record_ID="<urn:revisit>", **headers)
        if apart:
            (folder / "a.warc").write_bytes(revisit)
            (folder / "b.warc").write_bytes(b"".join(originals))
            first, place = f"{folder}/b.warc, offset 0", f"{folder}/a.warc, offset 0"
        else:
            (folder / "a.warc").write_bytes(b"".join(originals) + revisit)
            first = f"{folder}/a.warc, offset 0"
            place = f"{folder}/a.warc, offset {sum(map(len, originals))}"
        archive = open_archive(folder)
        [found] = [
            (capture, file)
            for capture, file in archive.captures(URL)
            if capture.record_id == "<urn:revisit>"
        ]
        assert found[1].place(found[0]) == place
        if isinstance(expected, str):
            with pytest.raises(ArchiveError) as caught:
                archive.read(*found)
            message = "a revisit of another record"
            assert str(caught.value) == (
                f"{place}: {message}{expected.removeprefix('none').format(first=first)}"
            ), name
            continue
        id_, is_assumed = expected
        result = archive.read(*found)
        [chosen] = [one for one in originals if b"<urn:1:%d>" % id_ in one]
        assert result.body == chosen.partition(b"\r\n\r\n")[2].partition(b"\r\n\r\n")[2][:-4], name
        assert (result.url, result.where, result.date_note) == (URL, place, None), name
        assert result.captured_at == datetime(2015, 10, 25, 9, tzinfo=UTC), name
        begin = sum(len(one) for one in originals[: originals.index(chosen)])
        at = f"{folder}/{'b' if apart else 'a'}.warc, offset {begin}"
        note = (f"that the record it refers to is the one at {at}",) if is_assumed else ()
        assert result.notes == note, name


def test_the_status_and_headers_of_a_revisit(tmp_path: Path, open_archive: Open) -> None:
    """The revisit's own status and headers are used, if it has any and they are not a 304's."""
    path = tmp_path / "a.warc"
    of_original = {"WARC_Payload_Digest": digest_of(BODY), **refers_to(DATE, URL)}
    own = (b"HTTP/1.1 404 Gone\r\nX-Own: 1\r\n\r\n", 404, b"X-Own")
    rows = {
        "its own": (own[0], SAME, "200 OK", 404, b"X-Own"),
        "none of its own": (b"", SAME, "200 OK", 200, b"X-Number"),
        "not modified": (own[0], UNCHANGED, "200 OK", 200, b"X-Number"),
        "the original has none": (own[0], UNCHANGED, "0 None", 404, b"X-Own"),
    }
    for name, (content, headers, status, expected_status, header) in rows.items():
        data = original(status=status)
        path.write_bytes(data + record(URL, content, LATER, **headers, **of_original))
        archive = open_archive(path)
        *_, found = archive.captures(URL)
        result = archive.read(*found)
        assert (result.body, result.status) == (BODY, expected_status), name
        assert header in dict(result.headers), name


def test_a_record_that_does_not_match_the_index(tmp_path: Path, open_archive: Open) -> None:
    path = tmp_path / "a.warc"
    path.write_bytes(original())
    archive = open_archive(path)
    [(capture, file)] = archive.captures(URL)
    for url in (NEWS + "2", f"dns:{'x' * (len(URL) - 4)}"):
        path.write_bytes(original(url=url))
        with pytest.raises(ArchiveError) as caught:
            archive.read(capture, file)
        assert str(caught.value) == (
            f"{path}, offset 0: the index says {URL} is here, but it is {url}"
        )

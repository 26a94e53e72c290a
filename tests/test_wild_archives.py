"""Archive files as found in the wild: the page is read, however the file was written.

Each row of a table is a file with one article, unless stated otherwise.
"""

import gzip
import random
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from archives import ARC_HEAD, NEWS, Warc, arc_record, http, page, record
from conftest import Crawl
from wild_archives import GOOD, ID, URL, article, read

from crawler.warc.file import WarcFile
from crawler.warc.records import digest_of, read_date
from crawler.warc.stored_bytes import Window, open_stored

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

EMPTY_DIGEST = digest_of(b"")
GZIPPED = gzip.compress(record(URL, GOOD))
OTHER_ID = "5"
OTHER = record(NEWS + OTHER_ID, http(page(OTHER_ID)))
Write = Callable[[str, bytes], bytes]


def gzipped(*records: bytes) -> bytes:
    return b"".join(map(gzip.compress, records))


# The file's extension, and a function that writes a URL and its response.
FILES: dict[str, tuple[str, Write]] = {
    "status 0": (".warc", lambda url, good: record(url, good.replace(b"200 OK", b"0 OK"))),
    "status 000": (".warc", lambda url, good: record(url, good.replace(b"200 OK", b"000 "))),
    "no status": (".warc", lambda url, good: record(url, good.replace(b" 200 OK", b""))),
    "no HTTP head": (".warc", lambda url, good: record(url, body(good), Content_Type="text/html")),
    "no HTTP head, said to have one": (".warc", lambda url, good: record(url, body(good))),
    "a coding that is off, and no digest": (
        ".warc",
        lambda url, good: record(
            url, good.replace(b"\r\n\r\n", b"\r\nContent-Encoding: br\r\n\r\n", 1)
        ),
    ),
    "a coding that is off, and a right digest": (
        ".warc",
        lambda url, good: record(
            url,
            good.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n", 1),
            WARC_Payload_Digest=digest_of(body(good)),
        ),
    ),
    "capitals": (".warc", lambda url, good: record(url.replace("http:", "HTTP:"), good)),
    "angle brackets": (".warc", lambda url, good: record(f"<{url}>", good)),
    "CR CR LF": (".warc", lambda url, good: record(url, good, line_end=b"\r\r\n")),
    "CR CR LF in HTTP": (
        ".warc",
        lambda url, good: record(url, good.replace(b"\r\n", b"\r\r\n", 3)),
    ),
    "LF": (".warc", lambda url, good: record(url, good, line_end=b"\n")),
    "many line ends": (".warc", lambda url, good: record(url, good, after=b"\r\n" * 9) + OTHER),
    "no line ends": (".warc", lambda url, good: record(url, good, after=b"") + OTHER),
    "one line end": (".warc", lambda url, good: record(url, good, after=b"\n") + OTHER),
    "many line ends, gzip": (
        ".warc.gz",
        lambda url, good: gzipped(record(url, good, after=b"\r\n" * 9), OTHER),
    ),
    "no line ends, gzip": (".warc.gz", lambda url, good: gzipped(record(url, good, after=b""))),
    "a blank first line": (".warc", lambda url, good: b"\r\n" + record(url, good)),
    "many blank lines first": (".warc", lambda url, good: b"\r\n" * 5000 + record(url, good)),
    "a blank first line, gzip": (
        ".warc.gz",
        lambda url, good: gzipped(b"\r\n" + record(url, good), OTHER),
    ),
    "an empty member first": (".warc.gz", lambda url, good: gzipped(b"", record(url, good))),
    "an empty member last": (".warc.gz", lambda url, good: gzipped(record(url, good), b"")),
    "a member of line ends": (
        ".warc.gz",
        lambda url, good: gzipped(OTHER, b"\r\n\r\n", record(url, good)),
    ),
    "one member": (".warc.gz", lambda url, good: gzipped(OTHER + record(url, good))),
    "zstd": (
        ".warc.zst",
        lambda url, good: zstd.compress(OTHER) + zstd.compress(record(url, good)),
    ),
    "zstd of the whole": (".warc.zst", lambda url, good: zstd.compress(OTHER + record(url, good))),
    "ARC": (".arc", lambda url, good: ARC_HEAD + arc_record(url, good)),
    "ARC, gzip": (".arc.gz", lambda url, good: gzipped(ARC_HEAD, arc_record(url, good))),
    "ARC, gzip of the whole": (
        ".arc.gz",
        lambda url, good: gzipped(ARC_HEAD + arc_record(url, good)),
    ),
    "being written": (".warc.gz.open", lambda url, good: gzipped(record(url, good), OTHER)[:-99]),
    "being written, plain": (".warc.open", lambda url, good: record(url, good) + OTHER[:-99]),
}


def body(response: bytes) -> bytes:
    return response.partition(b"\r\n\r\n")[2]


def test_files_written_in_every_way(crawl: Crawl, tmp_path: Path) -> None:
    """All files are in one folder, each with an article of its own."""
    folder = tmp_path / "warcs"
    folder.mkdir()
    for number, (suffix, write) in enumerate(FILES.values(), start=1000):
        data = write(f"{NEWS}{number}", http(page(number)))
        (folder / f"{number}{suffix}").write_bytes(data)
    run = read(crawl, folder, "all")
    for number, name in enumerate(FILES, start=1000):
        assert str(number) in run.articles, (name, run.stdout)
        found = run.articles[str(number)]
        assert (found["status"], found["url"]) == (200, f"{NEWS}{number}"), name
        assert found["fetched_at"] == "2015-10-23T10:00:00.000000+00:00", name
        assert found["provenance"]["fetched_at"]["assumed"] is None, name
        assumed = name.startswith(("status", "no status", "no HTTP head"))
        assert ("status" in found["provenance"]) == assumed, name
    assert (run.exit_code, set(run.articles) - {OTHER_ID}) == (
        0,
        {str(number) for number in range(1000, 1000 + len(FILES))},
    )


@pytest.mark.slow
def test_zstd_with_a_dictionary(crawl: Crawl, tmp_path: Path) -> None:
    """The dictionary is in a skippable frame at the beginning, compressed or not."""
    samples = [record(f"{NEWS}{number}", http(page(number))) for number in range(200)]
    dictionary = zstd.train_dict(samples, 2000)
    content = dictionary.dict_content
    for number, stored_dictionary in enumerate((content, zstd.compress(content))):
        path = tmp_path / f"{number}.warc.zst"
        frame = (
            b"\x5d\x2a\x4d\x18" + len(stored_dictionary).to_bytes(4, "little") + stored_dictionary
        )
        path.write_bytes(frame + zstd.compress(record(URL, GOOD), zstd_dict=dictionary))
        article(crawl, path)


@pytest.mark.parametrize(
    ("text", "moment", "is_assumed"),
    [
        ("2015", "2015-01-01T00:00:00+00:00", True),
        ("2015-10", "2015-10-01T00:00:00+00:00", True),
        ("2015-10-23", "2015-10-23T00:00:00+00:00", True),
        ("2015-10-23T10:05Z", "2015-10-23T10:05:00+00:00", True),
        ("2015-10-23T10:05:06Z", "2015-10-23T10:05:06+00:00", False),
        ("2015-10-23T10:05:06.123456789Z", "2015-10-23T10:05:06.123456+00:00", False),
        ("2015-10-23T10:05:06.5+03:30", "2015-10-23T06:35:06.500000+00:00", False),
        ("20151023100506", "2015-10-23T10:05:06+00:00", False),
        ("2008-10-294T05:21:46-0700", "2008-10-01T00:00:00+00:00", True),
        ("2015-10-23T25:00:00Z", "2015-10-23T00:00:00+00:00", True),
        ("2015-02-30T10:00:00Z", "2015-02-01T00:00:00+00:00", True),
    ],
)
def test_dates(text: str, moment: str, is_assumed: bool) -> None:
    date, note = read_date(text)
    assert (date.isoformat(), note is not None) == (moment, is_assumed)


@pytest.mark.parametrize("text", ["", "some day", "15-10-23", "0001-01-01T00:00:00+01:00"])
def test_invalid_dates(text: str) -> None:
    with pytest.raises(ValueError, match="date"):
        read_date(text)


@pytest.mark.slow
def test_a_date_of_lower_precision(crawl: Crawl, tmp_path: Path) -> None:
    path = tmp_path / "a.warc"
    path.write_bytes(record(URL, GOOD, date="2015-10"))
    found = article(crawl, path)
    assert found["fetched_at"] == "2015-10-01T00:00:00.000000+00:00"
    assert "only 2015-10 is known" in found["provenance"]["fetched_at"]["assumed"]


@pytest.mark.slow
def test_only_the_head_of_a_redirect_counts(crawl: Crawl, tmp_path: Path) -> None:
    """A redirect that declares a body and has none leads to a URL that no pattern matches."""
    target = f"https://en.alalam.ir/story/{ID}-bridge"
    redirect = http(b"", "301 Moved Permanently", "Content-Length: 244", f"Location: {target}")
    path = tmp_path / "a.warc"
    path.write_bytes(record(URL, redirect, WARC_Payload_Digest=EMPTY_DIGEST) + record(target, GOOD))
    assert article(crawl, path)["url"] == URL
    assert article(crawl, path)["aliases"] == [target.removeprefix("https://")]
    path.write_bytes(record(URL, http(b"", "404 Not Found", "Content-Length: 244")))
    assert read(crawl, path).failures[ID]["reason"] == "gone"
    path.write_bytes(record(URL, http(b"", "200 OK", "Content-Length: 244")))
    assert read(crawl, path).failures[ID]["reason"] == "cut_short"


def write_wacz(path: Path, files: dict[str, bytes]) -> bytes:
    with zipfile.ZipFile(path, "w") as wacz:
        for name, data in files.items():
            wacz.writestr(name, data)
    return path.read_bytes()


@pytest.mark.slow
def test_a_wacz_of_waczs(crawl: Crawl, tmp_path: Path) -> None:
    inner = {
        f"{number}.wacz": write_wacz(
            tmp_path / "inner.wacz",
            {"archive/data.warc.gz": gzip.compress(record(f"{NEWS}{number}", http(page(number))))},
        )
        for number in (1, 2)
    }
    path = tmp_path / "outer" / "all.wacz"
    path.parent.mkdir()
    write_wacz(path, {"datapackage.json": b"{}", **inner})
    for _ in range(2):
        run = read(crawl, path, "all")
        assert (set(run.articles), run.exit_code) == ({"1", "2"}, 0)
    where = run.articles["2"]["provenance"]["source"]["where"]
    assert where == f"{path}, 2.wacz, archive/data.warc.gz, offset 0"


@pytest.mark.slow
def test_files_that_are_not_read_are_named(crawl: Crawl, tmp_path: Path) -> None:
    folder = tmp_path / "warcs"
    (folder / "more").mkdir(parents=True)
    for name in ("a.warc.gz", "more/b.warc.gz"):
        (folder / name).write_bytes(GZIPPED)
    unread = ["c.warc.bz2", "d.warc.gz.part", "e.arc.xz", "f.har", "g.tar"]
    for name in (*unread, "README", "a.cdxj", "a.cdxj.gz", "list.txt", "datapackage.json"):
        (folder / name).write_bytes(b"x")
    (folder / "a.cdxj").unlink()
    (folder / "a.cdxj.gz").unlink()
    run = read(crawl, folder, "all")
    assert (set(run.articles), run.exit_code) == ({ID}, 3)
    report_lines = [line for line in run.stdout.splitlines() if "pages may be missing" in line]
    assert len(report_lines) == len(unread) + 1
    for name in (*unread, "more"):
        assert any(f"{folder / name}: " in line for line in report_lines), name
    assert f"{folder}: 3 files are not archives" in run.stderr
    path = tmp_path / "a.wacz"
    write_wacz(
        path, {"archive/a.warc.gz": GZIPPED, "archive/b.warc.xz": b"x", "pages/p.jsonl": b""}
    )
    run = read(crawl, path, "all")
    assert (set(run.articles), run.exit_code) == ({ID}, 3)
    assert f"{path}, archive/b.warc.xz: it is not read" in run.stdout
    # A pattern reports only the files that it matches.
    assert read(crawl, folder / "*.warc.gz", "all").exit_code == 0


@pytest.mark.slow
def test_an_index_that_is_one_endless_line(crawl: Crawl, tmp_path: Path) -> None:
    path = tmp_path / "a.warc"
    path.write_bytes(record(URL, GOOD))
    index = tmp_path / "a.cdxj.gz"
    index.write_bytes(gzip.compress(b"x" * (64 << 20), 1))
    run = read(crawl, path)
    assert (run.exit_code, len(run.stderr.splitlines())) == (1, 1)
    assert f"the index {index} cannot be read" in run.stderr
    assert "line of over 1,048,576 bytes" in run.stderr


def stored_block(data: bytes) -> bytes:
    """Return a deflate block that holds bytes uncompressed (RFC 1951, 3.2.4)."""
    length = len(data)
    return b"\x00" + length.to_bytes(2, "little") + (length ^ 0xFFFF).to_bytes(2, "little") + data


def overlapping(count: int) -> bytes:
    """Return gzip members that each extend through all later ones, and are damaged at the end."""
    begin = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    return begin + (stored_block(b"WARC/1.0\r\n") + stored_block(begin)) * count + b"\x07"


def test_the_work_on_a_damaged_file_is_linear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work is counted in bytes read: a file twice as long takes little more than twice as many."""
    monkeypatch.setattr("crawler.warc.file._MOST_DAMAGED_BYTES", 1 << 18)
    counts = []
    read = Window.read
    for count in (2000, 4000, 8000):
        path = tmp_path / f"{count}.warc.gz"
        path.write_bytes(overlapping(count))
        file = WarcFile(open_stored(path), str(path))
        bytes_read = 0

        def counting_read(window: Window, offset: int, count: int) -> bytes:
            nonlocal bytes_read
            data = read(window, offset, count)
            bytes_read += len(data)
            return data

        monkeypatch.setattr(Window, "read", counting_read)
        blocks = [block for _, block in file.walk()]
        assert all(block.fault for block in blocks)
        counts.append(bytes_read)
        file.close()
    assert counts[2] - counts[1] < 3 * (counts[1] - counts[0])


def test_a_member_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.warc.file.MOST_UNPACKED", 1 << 22)
    bomb = zlib.compressobj(wbits=31)
    packed_bomb = bomb.compress(record(URL, http(b"x" * (1 << 24)))) + bomb.flush()
    # A long member that barely compresses is not a bomb.
    large_member = gzip.compress(record(URL, http(random.Random(5).randbytes(5 << 20))))
    path = tmp_path / "a.warc.gz"
    path.write_bytes(packed_bomb + large_member + GZIPPED)
    file = WarcFile(open_stored(path), str(path))
    found = [(offset, str(block.fault or "")) for offset, block in file.walk()]
    file.close()
    assert [offset for offset, _ in found] == [
        0,
        len(packed_bomb),
        len(packed_bomb) + len(large_member),
    ]
    assert "unpacks to over" in found[0][1]
    assert [fault for _, fault in found[1:]] == ["", ""]


@pytest.mark.slow
def test_saved_pages_beside_archives_are_named(crawl: Crawl, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    Warc(folder / "a.warc.gz").add(f"{NEWS}9", page(9))
    for number in range(1, 8):
        (folder / f"{number}.html").write_bytes(page(number))
    (folder / "notes.md").write_text("Captured by hand.", encoding="utf-8")
    run = crawl(seed="9", depth=0, source=folder)
    assert set(run.articles) == {"9"}
    names = "1.html, 2.html, 3.html, 4.html, 5.html and 2 more"
    assert f"saved pages beside the archives are not read: {names};" in run.stderr
    assert "notes" not in run.stderr

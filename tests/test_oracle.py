"""Files by wget, warcio and this crawler are read alike by warcio, fastwarc and this library."""

import gzip
import subprocess
import sys
from pathlib import Path

import oracle
import pytest
from archives import HEADERS, NEWS, Warc, page
from conftest import Crawl
from server import NewsServer
from services import require

from crawler.warc.file import WarcFile


def test_a_file_by_warcio(tmp_path: Path) -> None:
    warc = Warc(tmp_path / "plain.warc")
    gzip_headers = [*HEADERS, ("Content-Encoding", "gzip")]
    warc.add(NEWS + "1", page(1)).add(NEWS + "2", gzip.compress(page(2)), headers=gzip_headers)
    warc.add(NEWS + "3", b"", "301 Moved", [("Location", NEWS + "1")])
    warc.add(NEWS + "4", page(4), kind="resource")
    warc.revisit(NEWS + "1", "sha1:" + "A" * 32, (NEWS + "1", "2015-10-23T10:00:00Z"), "2016-01-01")
    program = Path(sys.executable).parent / "warcio"
    recompressed = tmp_path / "packed.warc.gz"
    subprocess.run(
        [program, "recompress", warc.path, recompressed], check=True, capture_output=True
    )
    for path in (warc.path, recompressed):
        assert len(list(oracle.by_us(path))) == 5
        assert oracle.compare(path) == []


def test_a_file_by_wget(server: NewsServer, tmp_path: Path) -> None:
    require("wget")
    urls = [server.url + path for path in sorted(server.pages)]
    line = ["wget", "--quiet", "--warc-file=by-wget", "--delete-after", "--no-directories", *urls]
    subprocess.run(line, cwd=tmp_path, check=False)
    path = tmp_path / "by-wget.warc.gz"
    assert len(list(oracle.by_us(path))) > 2 * len(urls)
    assert oracle.compare(path) == []


def test_a_file_by_this_crawler(live: Crawl, server: NewsServer, tmp_path: Path) -> None:
    path = tmp_path / "ours.warc.gz"
    live(seed="1752038", archive=path)
    assert len(list(oracle.by_us(path))) > len(server.pages)
    assert oracle.compare(path) == []


def test_it_finds_a_record_that_we_do_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warc = Warc(tmp_path / "a.warc").add(NEWS + "1", page(1)).add(NEWS + "2", page(2))
    walk = WarcFile.walk
    monkeypatch.setattr(WarcFile, "walk", lambda file: list(walk(file))[1:])
    assert str(oracle.compare(warc.path)[0]).startswith(
        "a.warc: both others read: response http://en.alalam.ir/news/1 200"
    )

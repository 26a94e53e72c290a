"""Test that every file in a folder of saved pages is counted once, and omissions are named."""

import gzip
import os
import re
import shutil
from pathlib import Path

import pytest
from conftest import SITE, Crawl

from crawler.extraction.directory import Publishers
from crawler.extraction.saved_page import WRITTEN
from crawler.sources.folder import LEFT_OUT, SavedPages

SEED = "1752038"
PAGE = (SITE / f"{SEED}.html").read_bytes()
# What a page declares counts more than the name of its file.
UNDECLARED = re.sub(rb"<(?:link|meta)[^>]*(?:canonical|og:url)[^>]*>", b"", PAGE)
TEXT = next(SITE.glob("*.txt")).read_bytes()
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
WAYBACK = "https://web.archive.org/web"


def declaring(url: str) -> bytes:
    """Return a page with no other evidence of its address than the URL that it declares."""
    return b"<!-- saved from url=(0073)%s -->\n" % url.encode() + PAGE


# Each file's content, and its category in the count.
FILES: dict[str, tuple[bytes, str]] = {
    f"{SEED}.html": (PAGE, "read"),
    "1001.cms": (UNDECLARED, "read"),
    "1002.php": (UNDECLARED, "read"),
    "1003": (UNDECLARED, "read"),
    "1004.php?page=2": (UNDECLARED, "read"),
    "1010.html": (PAGE, "duplicates"),
    "1005.html.1": (b"<html><h1>No more than a headline</h1></html>", "read"),
    "1006.txt": (TEXT, "read"),
    "1007.htm": ("\ufeff<html><h1>Kurz</h1>".encode("utf-16-le"), "read"),
    "1008.php": (b"<br />\n<b>Notice</b>: Undefined index<br />" + UNDECLARED, "read"),
    "1009.html": (b"", "read"),
    f"copy/{SEED}.html": (PAGE, "duplicates"),
    "picture.png": (PNG, "not pages"),
    "picture.html": (PNG, "read"),
    "picture": (PNG, "not pages"),
    "style.css": (b"body { color: red }", "not pages"),
    "old.js": (b"<!--\ndocument.write('<p>An article.</p>')\n-->", "not pages"),
    "write.js": (b"document.write('<!doctype html><html>')", "not pages"),
    "data.json": (b'{"html": "<html>"}', "not pages"),
    "drawing.svg": (b'<?xml version="1.0"?><!-- x --><svg xmlns="x"></svg>', "not pages"),
    "news.rss": (b'<?xml version="1.0"?>\n<rss><channel/></rss>', "not pages"),
    "README": (TEXT, "not pages"),
    "readme.txt": (TEXT, "not pages"),
    "notes.md": (TEXT, "not pages"),
    ".htaccess": (b"Deny from all", "hidden"),
    ".git/page.html": (PAGE, "hidden"),
    "sub/old.arc": (b"filedesc://old.arc 0.0.0.0 20010101000000 text/plain 76\n", "web archives"),
    "sub/pages.warc.gz": (gzip.compress(b"WARC/1.1\r\n"), "web archives"),
    "capture.dat": (b"WARC/1.1\r\nWARC-Type: warcinfo\r\n", "web archives"),
}
MESSAGES = {
    "duplicates": "whose article is also in another file: ",
    "not pages": "that are not pages: ",
    "links": "that are links to a folder, to a file outside the folder or to nothing: ",
    "web archives": "that are web archives; name each as a separate source: ",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    for name, (content, _) in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "page.html").write_bytes(PAGE)
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    (folder / "link.html").symlink_to(tmp_path / "elsewhere" / "page.html")
    (folder / "broken.html").symlink_to("nowhere")
    os.mkfifo(folder / "pipe.html")
    return folder


def files_line(**counts: int) -> str:
    parts = (f"{label.replace('_', ' ')} {count}" for label, count in counts.items() if count)
    return f"  files: {sum(counts.values())} = {' + '.join(parts)}"


def omitted_counts() -> dict[str, int]:
    labels = [label for _, label in FILES.values()]
    return {
        "duplicates": labels.count("duplicates"),
        "not_pages": labels.count("not pages") + 1,
        "web_archives": labels.count("web archives"),
        "hidden": labels.count("hidden"),
        "links": 3,
    }


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("memory", [{}, {"JOBDIR": "job"}], ids=["", "JOBDIR"])
def test_every_file_is_counted(crawl: Crawl, folder: Path, memory: dict[str, object]) -> None:
    run = crawl(seed="all", source=folder, settings=memory)
    read_files = [name for name, (_, label) in FILES.items() if label == "read"]
    assert files_line(read=len(read_files), **omitted_counts()) in run.stdout.splitlines()
    assert len(run.articles) + len(run.failures) == len(read_files)
    for label, words in MESSAGES.items():
        assert f"left out files {words}" in run.stderr, label
    # Expected omissions are only counted.
    assert "picture (binary data)" in run.stderr
    assert "style.css" not in run.stderr
    if memory:
        again = crawl(seed="all", source=folder, settings=memory)
        assert (
            files_line(not_reached=len(read_files), **omitted_counts()) in again.stdout.splitlines()
        )


@pytest.mark.slow
def test_the_rest_is_not_reached(crawl: Crawl, tmp_path: Path) -> None:
    shutil.copytree(SITE, tmp_path / "site")
    run = crawl(seed=SEED, source="site", depth=0)
    total = sum(path.is_file() for path in (tmp_path / "site").rglob("*"))
    assert f"files: {total} = read 1 + not reached " in run.stdout


@pytest.mark.slow
def test_a_file_that_is_the_seed_is_read(crawl: Crawl, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_bytes(declaring(f"http://en.alalam.ir/news/{SEED}"))
    run = crawl(seed="page.html", source="page.html", depth=0)
    assert "  files: 1 = read 1" in run.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.parametrize(
    "url",
    [
        f"{WAYBACK}/20151023100000/http://en.alalam.ir/news/{SEED}",
        f"{WAYBACK}/20151023100000id_/https://en.alalam.ir/news/{SEED}/the-slug",
        f"{WAYBACK}/2015/http:/en.alalam.ir/news/{SEED}",
        f"https://archive.example.org/wayback/20151023100000mp_/http://en.alalam.ir/news/{SEED}",
        f"http://localhost:8080/coll/20151023100000/http://en.alalam.ir/news/{SEED}",
    ],
)
def test_a_page_that_was_saved_from_a_web_archive(crawl: Crawl, tmp_path: Path, url: str) -> None:
    (tmp_path / "Bridge reopens.html").write_bytes(declaring(url))
    run = crawl(seed="Bridge reopens.html", source="Bridge reopens.html", depth=0)
    scheme, original = re.search(r"(https?):/{1,2}([^:]*)$", url).groups()
    assert run.articles[SEED]["url"] == f"{scheme}://{original}"
    assert run.articles[SEED]["provenance"]["id"]["where"] == WRITTEN


@pytest.mark.slow
@pytest.mark.parametrize("name", ["c.arc.bz2", "c.dat"])
def test_a_web_archive_is_not_a_saved_page(crawl: Crawl, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"filedesc://c.arc 0.0.0.0 20010101000000 text/plain 76\n")
    run = crawl(seed=SEED, source=name)
    assert run.exit_code == 2
    assert f"{name}', a web archive in an unsupported format" in run.stderr


@pytest.mark.slow
def test_no_size_limit(crawl: Crawl, tmp_path: Path) -> None:
    (tmp_path / f"{SEED}.html").write_bytes(PAGE)
    run = crawl(seed=SEED, source=f"{SEED}.html", depth=0, settings={"DOWNLOAD_MAXSIZE": 0})
    assert set(run.articles) == {SEED}


@pytest.mark.slow
def test_an_article_in_two_folders(crawl: Crawl, tmp_path: Path) -> None:
    for name, ids in {"one": [SEED], "two": [SEED, "1001"]}.items():
        (tmp_path / name).mkdir()
        for article_id in ids:
            (tmp_path / name / f"{article_id}.html").write_bytes(UNDECLARED)
    run = crawl(seed="all", source="one,two")
    assert "  files in one: 1 = read 1" in run.stdout.splitlines()
    assert "  files in two: 2 = read 1 + duplicates 1" in run.stdout.splitlines()


def test_names_of_files(tmp_path: Path) -> None:
    """Hidden files and folders are not pages, whatever else is in their names."""
    names = [
        "1700001.html",
        "two words/1700002.html",
        "أخبار/1700003.html",
        "خبر قصير.html",
        "a.b/1700004.html",
        ".1700005.html",
        ".hidden/1700006.html",
        "news/.hidden/deep/1700007.html",
    ]
    root = tmp_path / ".saved"
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("<!DOCTYPE html><html><body>A page</body></html>", encoding="utf-8")
    saved = SavedPages(root, Publishers(), 1 << 20)
    assert {found.id for found in saved.articles()} == {
        "1700001",
        "1700002",
        "1700003",
        "1700004",
        "خبر قصير",
    }
    expected = {**dict.fromkeys(LEFT_OUT, 0), "read": 0, "not reached": 5, "hidden": 3}
    assert saved.tally() == expected

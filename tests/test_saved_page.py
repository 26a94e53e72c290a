"""How saved pages are identified: by their savers' marks, their declarations and their paths."""

import os
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path

import pytest
from conftest import Crawl
from hypothesis import given
from hypothesis import strategies as st
from stories import page

from crawler.extraction import saved_page
from crawler.extraction.saved_page import (
    address_of_path,
    declared_urls,
    is_mhtml,
    is_same_title,
    read,
)

URL = "https://www.news.example/2026/05/01/a-story"
SINGLE_FILE = """<!DOCTYPE html> <html><!--
 Page saved with SingleFile
 url: {url}
 saved date: Fri May 01 2026 12:00:00 GMT+0200 (Central European Summer Time)
--><meta charset=utf-8>"""
HTTRACK = (
    "<html>\n<!-- Mirrored from {url} by HTTrack Website Copier/3.x [XR&CO'2014], "
    "Fri, 01 May 2026 10:00:00 GMT -->\n"
)
# What a program writes at the top of a page, the address and the time that it says.
MARKS: dict[str, tuple[str, str | None, str | None]] = {
    "Chrome": (f"<!-- saved from url=(0043){URL} -->", URL, None),
    "IE": (f"<!DOCTYPE html><html>\n<!-- saved from url=(0043){URL} -->", URL, None),
    "SingleFile": (SINGLE_FILE.format(url=URL), URL, "2026-05-01T12:00:00+02:00"),
    "SingleFile, no date": (f"<!--\n Page saved with SingleFile \n url: {URL} \n-->", URL, None),
    "HTTrack": (
        HTTRACK.format(url="www.news.example/2026/05/01/a-story"),
        URL,
        "2026-05-01T10:00:00+00:00",
    ),
    "HTTrack of a test server": (
        HTTRACK.format(url="127.0.0.1:8000/a"),
        "http://127.0.0.1:8000/a",
        "2026-05-01T10:00:00+00:00",
    ),
    "a web archive": (
        f"<!-- saved from url=(0080)https://web.archive.org/web/20260501100000/{URL} -->",
        URL,
        None,
    ),
    "a file": ("<!-- saved from url=(0016)file:///tmp/x.html -->", None, None),
    "the Internet": ("<!-- saved from url=(0014)about:internet -->", None, None),
    "entities": (f"<!-- saved from url=(0047){URL}?a=1&amp;b=2 -->", f"{URL}?a=1&b=2", None),
    "a port that is none": ("<!-- saved from url=(0027)https://p.example:x/a -->", None, None),
    "none": ("<html>", None, None),
}


@pytest.mark.parametrize("case", MARKS)
def test_the_address_that_a_program_wrote(case: str) -> None:
    mark, url, at = MARKS[case]
    saved = read(mark.encode() + page("Bridge"))
    assert (saved.url, saved.at and saved.at.isoformat()) == (url, at)


DECLARATIONS: dict[str, tuple[str, list[str]]] = {
    "canonical": (f'<link rel="canonical" href="{URL}">', [URL]),
    "href first": (f"<link href='{URL}' rel='canonical'/>", [URL]),
    "no quotes, capitals": (f"<LINK REL=Canonical HREF={URL}>", [URL]),
    "another attribute": (f'<link data-x="1" rel="canonical" id=c\n href="{URL}" />', [URL]),
    "several rels": (f'<link rel="shortlink canonical" href="{URL}">', [URL]),
    "og:url": (f'<meta content="{URL}" property="og:url">', [URL]),
    "og:url as a name": (f'<meta name="og:url" content="{URL}">', [URL]),
    "both": (
        f'<meta property="og:url" content="{URL}?b"><link rel="canonical" href="{URL}">',
        [URL, f"{URL}?b"],
    ),
    "a copy": (
        f'<link rel="canonical" href="https://other.example/1/a"><meta property="og:url" '
        f'content="{URL}">',
        [URL, "https://other.example/1/a"],
    ),
    "the home page": ('<link rel="canonical" href="https://www.news.example/">', []),
    "relative": ('<link rel="canonical" href="/2026/05/01/a-story">', []),
    "far below": ("x" * 200_000 + f'<link rel="canonical" href="{URL}">', [URL]),
    "in the text": (f"<p>The canonical {URL}</p>", []),
    "another rel": (f'<link rel="alternate" title="canonical" href="{URL}">', []),
    "entities": (f'<link rel="canonical" href="{URL}?a=1&amp;b=2">', [f"{URL}?a=1&b=2"]),
    "Latin-1": ('<link rel="canonical" href="https://n.example/größe/x">', ["/gr%C3%B6%C3%9Fe/x"]),
}


@pytest.mark.parametrize("case", DECLARATIONS)
def test_the_addresses_that_a_page_declares(case: str) -> None:
    html, urls = DECLARATIONS[case]
    found = list(declared_urls(html.encode("latin-1" if case == "Latin-1" else "utf-8")))
    assert [url.removeprefix("https://n.example") for url in found] == urls


PATHS: dict[str, str | None] = {
    # A name that is not UTF-8.
    "news.example/2026/\udce9t\udce9.html": "https://news.example/2026/%E9t%E9.html",
    "www.news.example/2026/05/01/a-story/index.html": f"{URL}/",
    "www.news.example/2026/05/01/a-story": URL,
    "saved/www.news.example/2026/05/01/a-story": URL,
    "www.news.example/story.php?id=5": "https://www.news.example/story.php?id=5",
    "www.news.example/story.php?id=5.html": "https://www.news.example/story.php?id=5",
    "127.0.0.1:8000/a/b.html": "http://127.0.0.1:8000/a/b.html",
    "127.0.0.1_8000/a": "http://127.0.0.1:8000/a",
    "news.co.uk/a": "https://news.co.uk/a",
    "www.news.example": None,
    "jquery.min.js/story.html": None,
    "2026.05/story.html": None,
    "co.uk/story.html": None,
    "story.html": None,
}


@pytest.mark.parametrize("path", PATHS)
def test_paths_that_are_addresses(path: str) -> None:
    assert address_of_path(Path(path)) == PATHS[path]


TITLES = [
    ("Bridge opens - News", "Bridge opens - News", True),
    ("Bridge opens - News", "Bridge opens (updated) - News", True),
    ("Bridge opens to traffic - News", "Bridge opens after two years - News", True),
    ("Bridge opens - News", "Market falls again - News", False),
    ("Bridge opens | News of the Town", "Storm | News of the Town", False),
    (None, "Bridge opens", True),
]


@pytest.mark.parametrize(("title", "other", "same"), TITLES)
def test_titles_of_one_article(title: str | None, other: str, same: bool) -> None:
    assert is_same_title(title, other) is same


def mhtml(html: bytes, url: str = URL, *, coding: str = "base64", charset: str = "utf-8") -> bytes:
    message = EmailMessage()
    message["Snapshot-Content-Location"] = url
    message["Date"] = "Fri, 01 May 2026 10:00:00 -0000"
    message.set_content(html, "text", "html", cte=coding)
    message.set_param("charset", charset)
    message.make_related()
    message.add_related(b"\x89PNG", "image", "png", headers=["Content-Location: https://x/y.png"])
    return bytes(message)


def test_mhtml() -> None:
    html = page("Bridge").replace(b"river", "Größe".encode("latin-1"))
    data = mhtml(html, coding="quoted-printable", charset="iso-8859-1")
    saved = read(data)
    assert is_mhtml(data)
    assert (saved.html.strip(), saved.url, saved.charset) == (html, URL, "iso-8859-1")
    assert saved.at is not None


@pytest.mark.slow_after(1)
@pytest.mark.parametrize(
    ("data", "why"),
    [
        (mhtml(page("Bridge"))[:600], "cut off within the page"),
        (mhtml(page("Bridge")).replace(b"text/html", b"text/calendar"), "without a page"),
        (
            b"MIME-Version: 1.0\nContent-Type: multipart/related\n\n"
            + b"Content-Type: message/rfc822\n\n" * 5_000,
            "MHTML",
        ),
    ],
)
def test_mhtml_that_cannot_be_read(crawl: Crawl, tmp_path: Path, data: bytes, why: str) -> None:
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "story.mht").write_bytes(data)
    run = crawl(seed="all", source="saved")
    (failure,) = run.failures.values()
    assert failure["reason"] == "unreadable"
    assert why in failure["detail"]
    assert "  files: 1 = read 1" in run.stdout.splitlines()


@given(st.binary(max_size=300), st.sampled_from([*MARKS, "MHTML"]))
def test_no_bytes_raise_another_error(data: bytes, case: str) -> None:
    start = mhtml(page("Bridge"))[:600] if case == "MHTML" else MARKS[case][0].encode()
    for text in (data, start + data, data + start):
        with suppress(saved_page.UnreadableError):
            list(declared_urls(read(text).html))


def declaring(headline: str, url: str = URL) -> bytes:
    title = f"<title>{headline} - News</title>".encode()
    return page(headline, canonical=url).replace(b"<head>", b"<head>" + title)


@pytest.mark.slow
def test_of_two_files_the_later_or_the_longer_is_read(crawl: Crawl, tmp_path: Path) -> None:
    """Files that were copied together have almost the same time."""
    folder = tmp_path / "saved"
    folder.mkdir()
    short = declaring("Bridge opens")
    long = short.replace(b"</body>", b"<p>The mayor cut the ribbon on Friday.</p></body>")
    other_url = URL + "-2"
    other = declaring("Bridge opens", other_url)
    files = {
        "a short.html": (short, 1000),
        "b long.html": (long, 1030),
        "c new.html": (other, 90_000),
        "d old.html": (other.replace(b"</body>", b"<p>Longer, but older.</p></body>"), 1000),
    }
    for name, (data, at) in files.items():
        (folder / name).write_bytes(data)
        os.utime(folder / name, (at, at))
    run = crawl(seed="all", source="saved")
    assert "  files: 4 = read 2 + duplicates 2" in run.stdout.splitlines()
    read_files = {
        record["url"]: Path(record["provenance"]["source"]["where"]).name
        for record in run.articles.values()
    }
    assert read_files == {URL: "b long.html", other_url: "c new.html"}
    assert "a short.html (news.example/2026/05/01/a-story, like " in run.stderr


@pytest.mark.slow
def test_an_address_that_many_pages_declare(crawl: Crawl, tmp_path: Path) -> None:
    """Articles with other titles are not lost as duplicates."""
    folder = tmp_path / "saved"
    folder.mkdir()
    headlines = ("Bridge opens to traffic", "Market falls again", "Storm hits the coast")
    for number, headline in enumerate(headlines):
        (folder / f"{number}.html").write_bytes(declaring(headline))
    run = crawl(seed="all", source="saved")
    assert "  files: 3 = read 3" in run.stdout.splitlines()
    assert {record["headline"] for record in run.articles.values()} == set(headlines)
    assert [record["url"] for record in run.articles.values()].count(URL) == 1


@pytest.mark.slow
def test_files_with_the_same_name(crawl: Crawl, tmp_path: Path) -> None:
    """Pages that tell no address have their files' names, and those of two folders differ."""
    for folder, headline in (("one", "Bridge opens"), ("two", "Market falls"), ("three", None)):
        path = tmp_path / "saved" / folder / "story.html"
        path.parent.mkdir(parents=True)
        path.write_bytes(page(headline or "Bridge opens"))
    run = crawl(seed="all", source="saved")
    assert "  files: 3 = read 2 + duplicates 1" in run.stdout.splitlines()
    assert {record["headline"] for record in run.articles.values()} == {
        "Bridge opens",
        "Market falls",
    }
    assert {(record["url"], record["site"]) for record in run.articles.values()} == {(None, None)}


@pytest.mark.slow
def test_the_parts_of_a_page_are_not_pages(crawl: Crawl, tmp_path: Path) -> None:
    """Browsers save frames, scripts and pictures in a folder beside the page."""
    parts = tmp_path / "saved" / "Bridge opens_files"
    parts.mkdir(parents=True)
    mark = f"<!-- saved from url=(0043){URL} -->\n".encode()
    (parts.parent / "Bridge opens.html").write_bytes(mark + page("Bridge opens"))
    frame = b"<!-- saved from url=(0031)https://ads.example/2026/05/01/buy -->\n"
    (parts / "saved_resource.html").write_bytes(frame + page("Buy this"))
    (parts / "style.css").write_bytes(b"p {}")
    run = crawl(seed="all", source="saved")
    assert {record["url"] for record in run.articles.values()} == {URL}
    assert "  files: 3 = read 1 + not pages 2" in run.stdout.splitlines()


@pytest.mark.slow
def test_a_copy_on_another_publisher(crawl: Crawl, tmp_path: Path) -> None:
    """A page that names another publisher's article is not that publisher's."""
    path = tmp_path / "saved" / "copy.example" / "2026" / "05" / "01" / "a-story-of-the-bridge"
    path.parent.mkdir(parents=True)
    path.write_bytes(declaring("Bridge opens"))
    run = crawl(seed="all", source="saved")
    (record,) = run.articles.values()
    assert record["site"] == "copy.example"
    assert record["url"] == "https://copy.example/2026/05/01/a-story-of-the-bridge"

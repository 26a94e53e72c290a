"""Copies of the text of pages: WET files, and JSON Lines as collections of texts have them."""

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from archives import Warc
from conftest import CACHE, Crawl
from stories import page

from crawler import extract
from crawler.extraction.api import PageRecord, normalise, parse

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ROOT = "https://www.news.example/2026/05/01"
BODY = (
    "The bridge over the river was opened to traffic on Friday morning, the council said.\n\n"
    "It had been closed for two years, the governor of the city told reporters.\n"
)


def text(headline: str) -> str:
    return f"{headline}\n1 May 2026\n\n{BODY}"


def url_of(number: int) -> str:
    return f"{ROOT}/a-story-of-bridge-number-{number}"


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", CACHE)


def lines(*values: object) -> bytes:
    return "".join(json.dumps(value) + "\n" for value in values).encode()


C4 = [
    {"url": url_of(n), "text": text(f"Bridge {n} opens"), "timestamp": f"2026-05-0{n}T10:00:00Z"}
    for n in (1, 2, 3)
]
OSCAR = [
    {
        "content": one["text"],
        "warc_headers": {"warc-target-uri": one["url"], "warc-date": one["timestamp"]},
    }
    for one in C4
]
NESTED = [{"meta": {"address": one["url"]}, "body": one["text"]} for one in C4]
FORMS: dict[str, tuple[str, bytes, dict[str, object]]] = {
    "C4": ("c4-train.json.gz", gzip.compress(lines(*C4)), {}),
    "OSCAR": ("en.jsonl.zst", zstd.compress(lines(*OSCAR)), {}),
    "plain": ("news.jsonl", lines(*C4), {}),
    "several gzip members": (
        "news.ndjson.gz",
        b"".join(gzip.compress(lines(one)) for one in C4),
        {},
    ),
    "other fields": ("news.jsonl", lines(*NESTED), {"TEXT_FIELDS": "meta.address,body"}),
    "byte order mark": ("news.jsonl", b"\xef\xbb\xbf" + lines(*C4), {}),
    "empty lines": ("news.jsonl", lines(*C4).replace(b"\n", b"\n\n"), {}),
}


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("form", FORMS)
def test_forms(crawl: Crawl, tmp_path: Path, form: str) -> None:
    name, data, settings = FORMS[form]
    (tmp_path / name).write_bytes(data)
    for _ in range(2):  # the second time with the index that was kept
        run = crawl(seed="all", source=name, settings=settings)
        assert run.exit_code == 0, run.stderr
        assert {record["url"]: record["headline"] for record in run.articles.values()} == {
            one["url"]: f"Bridge {n} opens" for n, one in enumerate(C4, start=1)
        }
    one = run.articles["news.example/2026/05/01/a-story-of-bridge-number-2"]
    assert (one["source"], one["site"], one["media"]) == ("jsonl", "news.example", None)
    if form != "other fields":
        assert one["fetched_at"] == "2026-05-02T10:00:00.000000+00:00"
    else:
        assert "the text has no date" in one["provenance"]["fetched_at"]["assumed"]
    assert one["body"].count("\n\n") == 1
    assert one["provenance"]["source"]["assumed"] == "only the text of the page was kept"


@pytest.mark.slow
def test_one_article_of_a_pattern_in_a_chain(crawl: Crawl, tmp_path: Path) -> None:
    """The page itself is preferred to its text, wherever it is."""
    (tmp_path / "a.jsonl").write_bytes(lines(C4[0]))
    (tmp_path / "b.jsonl").write_bytes(lines(C4[1]))
    Warc(tmp_path / "pages.warc.gz").add(
        url_of(2), page("Bridge 2 opens", url_of(1)), date="2026-01-01"
    )
    Warc(tmp_path / "all.wet.gz").text(url_of(2), text("Bridge 2 opens"), "2026-05-02T10:00:00Z")
    run = crawl(seed=f"{url_of(1)},{url_of(2)}", source="*.jsonl,pages.warc.gz", depth=0)
    assert [record["source"] for record in run.articles.values()] == ["jsonl", "jsonl"]
    run = crawl(seed=url_of(2), source="*.gz", depth=0)
    (record,) = run.articles.values()
    assert (record["source"], record["related"] is not None) == ("warc", True)


@pytest.mark.slow
def test_the_capture_nearest_to_a_date(crawl: Crawl, tmp_path: Path) -> None:
    copies = [{**C4[0], "timestamp": f"20{year}-05-01T10:00:00Z"} for year in (20, 23, 26)]
    (tmp_path / "news.jsonl").write_bytes(lines(*copies))
    wet = Warc(tmp_path / "news.wet.gz")
    for copy in copies:
        wet.text(copy["url"], copy["text"], copy["timestamp"])
    for source in ("news.jsonl", "news.wet.gz"):
        run = crawl(seed=url_of(1), source=source, depth=0, at="2022-12-01")
        (record,) = run.articles.values()
        assert record["fetched_at"].startswith("2023-05-01")


FAULTS: dict[str, tuple[bytes, str]] = {
    "no JSON": (b"{'url': 1}\n", "line 4: it is not a JSON object"),
    "no text": (lines({"url": url_of(9)}), "line 4: it has no texts in its fields 'url' and"),
    "no address": (lines({"url": "x", "text": "y"}), "line 4: 'x' is not an address on the web"),
    "too deep": (b"[" * 100_000 + b"\n", "line 4: it is not a JSON object"),
    "a space in the address": (
        lines({"url": "https://x.example/a\nb", "text": "y"}),
        "line 4: 'https://x.example/a\\nb' is not an address on the web",
    ),
    "a list": (b"[1, 2]\n", "line 4: it has no texts"),
    "no UTF-8": (b'{"url": "\xff"}\n', "line 4: it is not a JSON object"),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_lines_that_cannot_be_read_are_named(crawl: Crawl, tmp_path: Path, fault: str) -> None:
    """Whatever can be read is read, and the run is incomplete."""
    data, message = FAULTS[fault]
    (tmp_path / "news.jsonl").write_bytes(lines(*C4) + data)
    run = crawl(seed="all", source="news.jsonl")
    assert (run.exit_code, len(run.articles)) == (3, 3)
    assert f"could not be read, so pages may be missing: news.jsonl, {message}" in run.stdout


@pytest.mark.slow
def test_a_file_that_is_cut_off(crawl: Crawl, tmp_path: Path) -> None:
    many = [{**C4[0], "url": url_of(n), "text": text(f"Bridge {n * 7919}")} for n in range(200)]
    (tmp_path / "news.jsonl.gz").write_bytes(gzip.compress(lines(*many))[:-300])
    run = crawl(seed="all", source="news.jsonl.gz")
    assert run.exit_code == 3
    assert 0 < len(run.articles) < 200
    assert "news.jsonl.gz: it is cut off" in run.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "data", "settings", "message"),
    [
        ("x.jsonl", b"", {}, "x.jsonl: it contains no pages"),
        ("x.json", b'{\n "a": 1\n}', {}, "x.json: it contains no pages (x.json, line 1: it is not"),
        ("x.jsonl", b"", {"TEXT_FIELDS": "url"}, "TEXT_FIELDS: got 'url'; takes the fields of"),
        ("x.jsonl", b"", {"TEXT_FIELDS": "a,b,c,d"}, "TEXT_FIELDS: got 'a,b,c,d'; takes"),
    ],
)
def test_files_without_texts_and_wrong_fields(
    crawl: Crawl, tmp_path: Path, name: str, data: bytes, settings: dict[str, object], message: str
) -> None:
    (tmp_path / name).write_bytes(data)
    run = crawl(seed="all", source=name, settings=settings)
    assert run.exit_code != 0
    assert message in run.stderr


@pytest.mark.slow
def test_json_lines_in_a_folder_of_saved_pages_are_not_texts(crawl: Crawl, tmp_path: Path) -> None:
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "data.jsonl").write_bytes(lines(*C4))
    (tmp_path / "saved" / "story.html").write_bytes(page("Bridge opens"))
    run = crawl(seed="all", source="saved")
    assert "  files: 2 = read 1 + not pages 1" in run.stdout.splitlines()


HEADLINES = [
    "Harbour Council Keeps Northern Piers Closed after Storm",
    "“We Will Rebuild,” Mayor Says",
    "4 killed in storm",
    "Tempête : les quais restent fermés",
    "习近平会见外国政府首脑并发表重要讲话",
    "Опубликованы новые данные о шторме",
    "BREAKING: Harbour closed after storm",
    "Storm closes harbour | News | Example Times",
]
NO_HEADLINES = [
    "Skip to main content",
    "Home | News | Sport | Weather | Contact",
    "Menu",
    "https://www.news.example/2026/05/01/a-story",
    "User-agent: *",
    "# Notes about the harbour",
    "#!/bin/sh",
    "import os",
    "We use cookies to improve your visit",
    "x = 1",
    "1 May 2026",
    "Fri May 1, 2026 10:00:00",
    "todo list for the next week",
    "* the first point of many",
    "The harbour council said on Sunday that the two northern piers would stay closed until the "
    "storm damage had been examined by divers from the capital, and by engineers of the port.",
    "word " * 80,
]


@pytest.mark.parametrize("line", [*HEADLINES, *NO_HEADLINES])
def test_first_lines_of_texts(line: str) -> None:
    """A text whose first line is no headline is refused, not guessed."""
    result = extract(f"{line}\n\n{BODY}".encode())
    if line in HEADLINES:
        assert isinstance(result, PageRecord)
        assert (result.headline, result.media) == (line, None)
    else:
        assert not isinstance(result, PageRecord)
        assert result.reason == "not_an_article"
        assert result.detail == "the first line of the text is no headline"


def test_a_single_word_is_a_headline_if_the_text_is_an_articles() -> None:
    for sure in (f"Storm\nStorm\n\n{BODY}", f"Storm\n1 May 2026\n\n{BODY}"):
        assert extract(sure.encode()).headline == "Storm"


@pytest.mark.slow
def test_a_text_about_html_stays_a_text(crawl: Crawl, tmp_path: Path) -> None:
    about = {**C4[0], "text": text("How to write HTML by hand") + "\nUse <p> and <br> sparingly.\n"}
    (tmp_path / "news.jsonl").write_bytes(lines(about))
    run = crawl(seed="all", source="news.jsonl")
    (record,) = run.articles.values()
    assert record["body"].endswith("Use <p> and <br> sparingly.")
    body: Any = about["text"].encode()
    result = normalise(parse(body, is_text=True))
    assert isinstance(result, PageRecord)
    assert result.body == record["body"]

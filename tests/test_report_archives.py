"""Robust links of reports: where an archived version of a page is known, and nowhere else."""

import json
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from archive_crawls import ARTICLE, IMPATIENT_WAYBACK, URL, records_of
from archives import Warc, page
from conftest import Crawl
from report_pages import opened
from server import NewsServer, answer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FILE = "report.html"
ATTRIBUTES = """
(link) => Object.fromEntries(
  link.getAttributeNames()
    .filter((name) => name === "href" || name.startsWith("data-"))
    .map((name) => [name, link.getAttribute(name)]))
"""


def links_of(browser: "Browser", file: Path) -> tuple[list[dict[str, str]], str]:
    """Return the attributes of the links above a record, and the text there."""
    with opened(browser, file) as tab:
        assert tab.locator("#table tbody").count() == 1
        tab.locator("#a1 .headline").click()
        tools = tab.locator("#a1 .tools")
        return [link.evaluate(ATTRIBUTES) for link in tools.locator("a").all()], tools.inner_text()


@pytest.mark.slow
def test_the_wayback_machine(
    browser: "Browser", live: Crawl, server: NewsServer, tmp_path: Path
) -> None:
    rows = [["urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length"]]
    rows += [["x", "20140101000000", URL, "text/html", "200", "B", "1"]]

    def respond(handler: BaseHTTPRequestHandler, before: int) -> None:
        if handler.path.startswith("/cdx"):
            answer(handler, 200, json.dumps(rows if ARTICLE in handler.path else []).encode())
        else:
            dated = {"Memento-Datetime": "Wed, 01 Jan 2014 00:00:07 GMT"}
            answer(handler, 200, page(ARTICLE), dated)

    server.answer_with = respond
    settings = {**IMPATIENT_WAYBACK, "WAYBACK_URL": f"{server.url}/web"}
    run = live(
        seed=ARTICLE,
        depth=0,
        source="wayback",
        base_url="http://en.alalam.ir",
        report=FILE,
        settings=settings,
    )
    assert run.exit_code == 0, run.stderr
    links, text = links_of(browser, tmp_path / FILE)
    replay = f"{server.url}/web/20140101000000/{URL}"
    robust = {
        "data-originalurl": URL,
        "data-versionurl": replay,
        "data-versiondate": "2014-01-01T00:00:07.000000+00:00",
    }
    assert links == [{"href": URL, **robust}, {"href": replay}]
    assert "archived 2014-01-01 00:00 UTC in" in text


@pytest.mark.slow
def test_an_archive_file(browser: "Browser", crawl: Crawl, tmp_path: Path) -> None:
    Warc(tmp_path / "a.warc.gz").add(URL, page(ARTICLE))
    run = crawl(seed=ARTICLE, depth=0, source=tmp_path / "a.warc.gz", report=FILE)
    assert run.exit_code == 0, run.stderr
    links, text = links_of(browser, tmp_path / FILE)
    robust = {"data-originalurl": URL, "data-versiondate": "2015-10-23T10:00:00.000000+00:00"}
    assert links == [{"href": URL, **robust}]
    assert "archived 2015-10-23 10:00 UTC in" in text and "a.warc.gz, offset" in text


@pytest.mark.slow
def test_the_archive_of_a_job(
    browser: "Browser", live: Crawl, server: NewsServer, tmp_path: Path
) -> None:
    server.pages[f"/news/{ARTICLE}"] = page(ARTICLE)
    run = live(
        seed=ARTICLE,
        depth=0,
        archive="pages.warc.gz",
        report=FILE,
        settings={"JOBDIR": "job"},
    )
    assert run.exit_code == 0, run.stderr
    [response] = [
        record.rec_headers
        for record, _ in records_of(tmp_path / "pages.warc.gz")
        if record.rec_type == "response" and record.rec_headers["WARC-Target-URI"].endswith(ARTICLE)
    ]
    links, text = links_of(browser, tmp_path / FILE)
    url = f"{server.url}/news/{ARTICLE}"
    assert links == [
        {
            "href": url,
            "data-originalurl": url,
            "data-versionurl": response["WARC-Record-ID"].strip("<>"),
            "data-versiondate": response["WARC-Date"],
        }
    ]
    assert "pages.warc.gz" in text


@pytest.mark.slow
def test_a_live_page(browser: "Browser", live: Crawl, server: NewsServer, tmp_path: Path) -> None:
    server.pages[f"/news/{ARTICLE}"] = page(ARTICLE)
    assert live(seed=ARTICLE, depth=0, report=FILE).exit_code == 0
    links, text = links_of(browser, tmp_path / FILE)
    assert links == [{"href": f"{server.url}/news/{ARTICLE}"}]
    assert "archived" not in text

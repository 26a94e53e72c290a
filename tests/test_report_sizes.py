"""Reports of many articles: what they show, what they leave out, and how to see it."""

from pathlib import Path
from typing import TYPE_CHECKING

import forks
import msgspec
import pytest
from conftest import PATIENCE, environment
from corpora import teaser, write_feed
from jobs import article
from report_pages import opened

from benchmarks.made_corpus import make_job
from crawler.report.contents import MOST_SHOWN

pytestmark = [pytest.mark.slow]

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def test_a_job_of_5000_articles(browser: "Browser", tmp_path: Path) -> None:
    make_job(tmp_path / "job", 5000, link_count=8)
    run = forks.run(["report", "-s", "JOBDIR=job"], tmp_path, environment(), PATIENCE)
    assert (run.returncode, run.stderr) == (0, "5,000 articles in report.html\n")
    with opened(browser, tmp_path / "report.html") as page:
        places = page.locator("#page-places")
        assert places.inner_text() == "1 to 100 of 5,000"
        for _ in range(3):
            page.locator("#page-after").click()
        assert places.inner_text() == "301 to 400 of 5,000"
        page.locator("#filter-text").fill("4321")
        page.get_by_text("1 of 5,000 articles").wait_for()
        page.locator("#table tbody:visible .headline").click()
        assert "Headline 4321" in page.locator("#table tbody:visible .record").inner_text()
        # The filters hide this row, and it is not on the first page without them.
        page.evaluate("location.hash = '#a250'")
        page.locator("#a250 .record").wait_for()
        page.wait_for_timeout(200)
        assert page.locator("#a250 .record").is_visible()
        assert places.inner_text() == "201 to 300 of 5,000"
        page.get_by_role("button", name="Linked from").click()
        counts = page.locator("#table tbody:visible td[data-label='Linked from']")
        numbers = list(map(int, counts.all_inner_texts()))
        assert len(numbers) == 100 and numbers == sorted(numbers, reverse=True)


def test_more_articles_than_a_report_shows(browser: "Browser", tmp_path: Path) -> None:
    """The seeds are shown, whatever links to them, and the printed commands show the rest."""
    count = MOST_SHOWN + 1
    first = msgspec.json.encode(article("n0", depth=1))
    lines = (first.replace(b'"n0"', b'"n%d"' % number) for number in range(count - 1))
    write_feed(tmp_path / "feed.jsonl", *lines, article("seed", headline_raw="The seed"))
    unfetched = (teaser(f"t{number}") for number in range(count))
    write_feed(tmp_path / "feed.jsonl", *unfetched)
    run = forks.run(["report", "feed.jsonl"], tmp_path, environment(), PATIENCE)
    assert (run.returncode, run.stderr) == (0, "20,001 articles in report.html\n")
    with opened(browser, tmp_path / "report.html") as page:
        assert page.locator("#balance .total").inner_text() == "40,002 discovered"
        assert page.locator("#page-places").inner_text() == "1 to 100 of 20,000"
        assert page.locator("#a1 .headline").inner_text() == "The seed"
        left_out = page.locator("#articles .left-out")
        assert "20,000 in all. It leaves out 1." in left_out.inner_text().replace("\n", " ")
        export, datasette = left_out.locator("pre").inner_text().splitlines()
        page.locator("#teaser-depth summary").click()
        words = "This file leaves out 1 further article with fewer links."
        assert words in page.locator("#teaser-depth").inner_text()
    assert datasette == "datasette articles.db"
    words_of_export = export.replace("FEED…", "feed.jsonl").split()
    run = forks.run(words_of_export[1:], tmp_path, environment(), PATIENCE)
    assert run.returncode == 0 and "20,001 articles" in run.stderr

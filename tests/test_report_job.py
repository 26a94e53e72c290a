"""The report of a job: its runs, what the last one changed, and revisions word by word."""

from pathlib import Path
from typing import TYPE_CHECKING

import forks
import pytest
from conftest import IMPATIENT, PATIENCE, ROOT, Crawl, environment
from job_crawls import ALWAYS_DUE, killed_at, page, serve
from job_state import execute, new_job  # noqa: F401
from jobs import run as run_job
from report_pages import open_everything, opened
from server import NewsServer
from sqlalchemy import update
from test_ledger import ledger

from crawler.crawl.ledger.job import Job
from crawler.crawl.ledger.schema import RECORDS
from crawler.exit_codes import in_words

if TYPE_CHECKING:
    from playwright.sync_api import Browser

DROPPING = """
from scrapy.exceptions import DropItem

class Mine:
    def process_item(self, item):
        if item.kind == "article" and item.id == "1700005":
            raise DropItem("not that one")
        return item
"""
SEED, CHANGED, GONE, NEW, DROPPED = range(1700001, 1700006)
PAGES = {
    SEED: {CHANGED: "Two", GONE: "Three", DROPPED: "Five"},
    CHANGED: {SEED: "One", GONE: "Three"},
    GONE: {},
    DROPPED: {},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a job of three runs, the first of which was killed, and its report.

    In the last run, an article was changed, one was gone and one was new.
    """
    folder = tmp_path_factory.mktemp("job")
    (folder / "mine.py").write_text(DROPPING, encoding="utf-8")
    settings = {**IMPATIENT, **ALWAYS_DUE, "JOBDIR": "job", "ITEM_PIPELINES": '{"mine.Mine": 300}'}

    def crawl(*words: str, **variables: str) -> int:
        line = [f"-s{name}={value}" for name, value in settings.items()]
        line += [f"-abase_url={server.url}", f"-aseed={SEED}", *words]
        return forks.run(
            ["crawl", "articles", *line], folder, {**environment(), **variables}, PATIENCE
        ).returncode

    with NewsServer(folder) as server:
        serve(server, PAGES)
        assert crawl(**killed_at("after a commit")) == -9
        assert crawl() == 3
        serve(server, {**PAGES, SEED: {CHANGED: "Two", GONE: "Three", NEW: "Four"}, NEW: {}})
        server.pages[f"/news/{CHANGED}"] = page(CHANGED, {SEED: "One"}).replace(
            b"that is long enough", b"which is quite long enough"
        )
        del server.pages[f"/news/{GONE}"]
        assert crawl("-amatch=.", "-areport=report.html") == 3
    return folder


@pytest.fixture(scope="module")
def texts(browser: "Browser", folder: Path) -> dict[str, str]:
    """The texts of the sections of the report, with everything open."""
    with opened(browser, folder / "report.html") as page:
        open_everything(page)
        sections = page.locator("section").all()
        return {str(each.get_attribute("id")): each.inner_text() for each in sections}


@pytest.mark.slow
def test_what_was_asked(texts: dict[str, str]) -> None:
    asked = texts["asked"]
    for argument in (f"seed={SEED}", "match=.", "report=report.html"):
        assert argument in asked
    assert "Last run\nrun 3, 20" in asked
    assert f"Ended with\n{in_words(3)}" in asked
    runs = [line.split("\t") for line in asked.splitlines() if line.count("\t") == 4]
    assert [run[0] for run in runs] == ["Run", "3", "2", "1"]
    killed = "it was killed, or could not write its feeds"
    assert [run[3] for run in runs[1:]] == [in_words(3), in_words(3), killed]
    assert runs[1][4] == "2 changed, 1 dropped, 1 gone, 1 new"


@pytest.mark.slow
def test_the_balance(scrapy: Crawl, folder: Path, texts: dict[str, str]) -> None:
    status = scrapy("status", "-s", "JOBDIR=job", cwd=folder).stdout
    [balance] = [line for line in status.splitlines() if line.startswith("discovered")]
    for part in balance.replace("discovered ", "articles ").split(" + ")[1:]:
        name, number = part.split()
        if number != "0":
            assert f"{number} {name}" in texts["balance"]
    assert "1 dropped" in texts["balance"] and str(DROPPED) in texts["balance"]


@pytest.mark.slow
def test_what_changed(texts: dict[str, str]) -> None:
    lines = [line for line in texts["changes"].splitlines() if line.strip()]
    names = {number: f"Headline of {number} and no other" for number in PAGES | {NEW: {}}}
    assert lines == [
        "What changed since the run before",
        "New articles: 1",
        names[NEW],
        "Changed articles: 2",
        f"{names[SEED]} Related items",
        f"{names[CHANGED]} Text, Related items",
        "Could not be fetched: 1",
        f"{names[GONE]} gone: 404 Not Found",
        "Links added: 1",
        f"{names[SEED]} related → {names[NEW]}",
        "Links removed: 2",
        f"{names[SEED]} related → Five",
        f"{names[CHANGED]} related → {names[GONE]}",
    ]


@pytest.mark.slow
def test_only_the_dropped_article_is_missing(texts: dict[str, str]) -> None:
    assert "There are no teasers and no failures." in texts["unfetched"]


PASSAGES = """
(text) => [...text.childNodes].map((each) => [each.nodeName, each.textContent])
"""


@pytest.mark.slow
def test_the_differences_of_revisions(browser: "Browser", folder: Path) -> None:
    with opened(browser, folder / "report.html") as page:
        row = page.locator("tbody").filter(has_text=str(CHANGED))
        row.locator(".headline").click()
        revision = row.locator(".revision")
        assert revision.count() == 1
        assert revision.locator("h3").all_inner_texts() == ["Text", "Related items"]
        text, related = revision.locator(".text").all()
        assert text.evaluate(PASSAGES) == [
            ["#text", f"It is what the page {CHANGED} says, in a sentence"],
            ["DEL", " that"],
            ["INS", " which"],
            ["#text", " is"],
            ["INS", " quite"],
            ["#text", " long enough to be one."],
        ]
        kept, removed = related.evaluate(PASSAGES)
        assert kept[0] == "#text" and str(SEED) in kept[1]
        assert removed[0] == "DEL" and str(GONE) in removed[1]


@pytest.mark.slow
@pytest.mark.parametrize("schema", [1, 5])
def test_a_job_of_an_older_version(
    browser: "Browser", scrapy: Crawl, tmp_path: Path, schema: int
) -> None:
    """It does not know what its runs were asked. Its last run was killed."""
    (tmp_path / "job").mkdir()
    with ledger(tmp_path) as connection:
        dump = (ROOT / "tests" / "ledgers" / f"schema-{schema}.sql").read_text(encoding="utf-8")
        connection.executescript(dump.replace("FOLDER", str(tmp_path)))
    run = scrapy("report", "-s", "JOBDIR=job")
    assert (run.exit_code, run.stderr) == (0, "5 articles in report.html\n")
    with opened(browser, tmp_path / "report.html") as page:
        open_everything(page)
        asked = page.locator("#asked").inner_text()
        assert "Arguments\nnot recorded by the version that ran" in asked
        assert "Ended with\nnot over yet, or it was killed" in asked
        balance = page.locator("#balance").inner_text()
        assert "23 discovered" in balance and "+ 3 pending" in balance
        assert page.locator("#balance .term").last.locator("li").count() == 3


@pytest.mark.usefixtures("ledger")
@pytest.mark.slow
def test_failures_as_before_are_no_changes(
    browser: "Browser", scrapy: Crawl, job: Job, tmp_path: Path
) -> None:
    run_job(job, {"1": "A", "2": "timeout", "3": "timeout"}, recheck="all")
    run_job(job, {"1": "A", "2": "timeout", "3": "gone"}, recheck="all")
    assert scrapy("report", "-s", "JOBDIR=job").exit_code == 0
    with opened(browser, tmp_path / "report.html") as page:
        changes = page.locator("#changes")
        assert changes.locator("summary").all_inner_texts() == ["Could not be fetched: 1"]
        assert changes.locator("li").inner_text().startswith("3 gone")
        assert "1 article could not be fetched for the same reason" in changes.inner_text()


@pytest.mark.usefixtures("ledger")
@pytest.mark.slow
def test_damaged_records(browser: "Browser", scrapy: Crawl, job: Job, tmp_path: Path) -> None:
    run_job(job, dict.fromkeys("1234", "A"))
    execute(
        job,
        update(RECORDS).where(RECORDS.c.id == "2").values(json=b"{}"),
        "DELETE FROM records WHERE id = '3'",
    )
    run = scrapy("report", "-s", "JOBDIR=job")
    assert (run.exit_code, run.stderr) == (1, "2 articles in report.html\n")
    with opened(browser, tmp_path / "report.html") as page:
        open_everything(page)
        balance = page.locator("#balance").inner_text()
        assert "4 discovered" in balance and "\u2260 4 articles" in balance
        assert "3: an article without a record" in balance
        assert "1 record could not be read" in balance
        assert "does not match its checksum" in balance
        assert "2 without a record that can be shown" in balance


@pytest.mark.usefixtures("ledger")
@pytest.mark.slow
def test_damaged_revisions(browser: "Browser", scrapy: Crawl, job: Job, tmp_path: Path) -> None:
    """They are named in the record, and their articles are among the changed ones."""
    for body in "ABC":
        run_job(job, {"1": body, "2": body}, recheck="all")
    for article_id, revision in (("1", 2), ("2", 3)):
        row = (RECORDS.c.id == article_id) & (RECORDS.c.revision == revision)
        execute(job, update(RECORDS).where(row).values(json=b"{}"))
    assert scrapy("report", "-s", "JOBDIR=job").exit_code == 1
    with opened(browser, tmp_path / "report.html") as page:
        open_everything(page)
        assert "Changed articles: 2\nAbout 1 Text\n2 Text" in page.locator("#changes").inner_text()
        [row] = page.locator("#table tbody").all()
        text = row.inner_text()
        assert "An earlier revision cannot be read: record 3 (article 1) does not match" in text
        [revision] = row.locator(".revision").all()
        assert revision.locator("summary").inner_text().startswith("Revision 3, fetched")
        assert revision.locator("del").inner_text() == "A"
    why = scrapy("why", "2", "-s", "JOBDIR=job")
    assert why.exit_code == 1 and "Traceback" not in why.stderr
    assert "cannot be read: record 6 (article 2) does not match its checksum" in why.stdout

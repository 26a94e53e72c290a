"""What a crawl imports: nothing of what it does not use, since imports are slow or missing."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import SEED, SITE, environment

from crawler.crawl.page_extraction import Task
from crawler.crawl.parser_messages import Setup, packed
from crawler.extraction.directory import Choice

SCRIPT = """
import sys
from scrapy.crawler import CrawlerProcess
from crawler.spiders.articles import ArticlesSpider

process = CrawlerProcess({words})
process.crawl(ArticlesSpider, seed="{seed}", source="{site}", depth="0")
process.start()
names = (
    "sqlalchemy",
    "psycopg",
    "sqlalchemy.dialects.postgresql",
    "crawler.workers.team",
    "warcio",
)
print(*(name for name in names if name in sys.modules))
"""


@pytest.mark.parametrize(("settings", "imported"), [({}, ""), ({"JOBDIR": "job"}, "sqlalchemy")])
def test_a_crawl_without_a_database_server_or_an_archive(
    settings: dict[str, str], imported: str, tmp_path: Path
) -> None:
    words = {"SUMMARY_ENABLED": False, "SPIDER_MODULES": ["crawler.spiders"], **settings}
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(words=words, seed=SEED, site=SITE)],
        cwd=tmp_path,
        env={**environment(), "LEDGER_URL": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.strip() == imported


READER = """
import sys
from crawler.crawl.parser_worker import run

run()
names = ("asyncio", "scrapy", "sqlalchemy", "twisted", "warcio", "fasttext")
print(*(name for name in names if name in sys.modules), file=sys.stderr)
"""
ENGLISH = "The text of the article is in English, as it was said by the people of the city. " * 3


@pytest.mark.parametrize(("language", "imported"), [("en", ""), ("de", "fasttext")])
def test_a_process_that_reads_pages(language: str, imported: str) -> None:
    """The detector of languages is only for pages that declare a wrong one, or none."""
    page = f"<html lang={language}><h1>A headline</h1><p>22 October 2015 17:01</p><p>{ENGLISH}"
    task = Task(page.encode(), article_id="1", url="https://a.example/1", charset=None)
    messages = (*packed(Setup(Choice(), 30.0)), *packed(task))
    result = subprocess.run(
        [sys.executable, "-c", READER],
        env=environment(),
        input=b"".join(messages),
        capture_output=True,
        check=True,
    )
    assert result.stderr.decode().strip() == imported

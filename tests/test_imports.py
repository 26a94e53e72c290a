"""What a crawl imports: nothing of what it does not use, since imports are slow or missing."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import SEED, SITE, environment

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

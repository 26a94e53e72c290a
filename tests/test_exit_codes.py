"""Test the exit codes of a crawl, and the errors for wrong settings and names."""

import json
from pathlib import Path

import pytest
from conftest import IMPATIENT, SITE, Crawl
from server import NewsServer
from test_crawl_live import always

from crawler.exit_codes import MEANINGS

SEED, OTHER = "1752038", "1751821"


def test_a_seed_that_is_gone(live: Crawl, server: NewsServer) -> None:
    run = live(seed="404404")
    assert (run.failures["404404"]["reason"], run.exit_code) == ("gone", 4)
    assert "no article was stored" in run.stdout


@pytest.mark.slow
def test_a_seed_that_robots_txt_forbids(live: Crawl, server: NewsServer) -> None:
    server.robots = b"User-agent: *\nDisallow: /\n"
    run = live(seed=SEED)
    assert (run.failures[SEED]["reason"], run.exit_code) == ("robots", 4)


@pytest.mark.slow
def test_a_seed_that_was_never_saved(crawl: Crawl) -> None:
    run = crawl(seed="404404", source=SITE)
    assert (run.teasers["404404"]["why"], run.exit_code) == ("not_saved", 4)


@pytest.mark.slow
def test_an_article_that_is_gone_inside_a_crawl(live: Crawl, server: NewsServer) -> None:
    server.misbehaviour[f"/news/{OTHER}"] = always(404)
    run = live(seed=SEED, depth=1)
    assert (run.failures[OTHER]["reason"], run.exit_code) == ("gone", 0)


@pytest.mark.slow
def test_a_seed_that_stays_gone_in_a_job(live: Crawl, server: NewsServer) -> None:
    job = {"JOBDIR": "job", "RECHECK_MIN": 0, "RECHECK_MAX": 0}
    for _ in range(2):
        assert live(seed="404404", settings=job).exit_code == 4
    # Nothing is fetched in a run without any due article.
    assert live(seed="404404", settings=job, recheck="none").exit_code == 0


@pytest.mark.slow
def test_a_seed_that_is_gone_from_a_job_with_articles(live: Crawl, server: NewsServer) -> None:
    job = {"JOBDIR": "job", "RECHECK_MIN": 0, "RECHECK_MAX": 0}
    assert live(seed=SEED, depth=0, settings=job).exit_code == 0
    server.misbehaviour[f"/news/{SEED}"] = always(410)
    run = live(seed=SEED, depth=0, settings=job)
    assert (run.failures[SEED]["reason"], run.exit_code) == ("gone", 0)


HOSTS = {
    "unknown": ("http://no-such-host.invalid", "dns"),
    "a label that is too long": (f"http://{'a' * 70}.example", "dns"),
    "nobody listens": ("http://127.0.0.1:9", "refused"),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", HOSTS)
def test_hosts_that_do_not_respond(crawl: Crawl, case: str) -> None:
    base_url, reason = HOSTS[case]
    run = crawl(seed=SEED, base_url=base_url, settings={**IMPATIENT, "RETRY_TIMES": 0})
    assert (run.failures[SEED]["reason"], run.exit_code) == (reason, 4)
    assert "internal error" not in run.stderr
    assert "Traceback" not in run.stderr


MIDDLEWARE = """
from scrapy.exceptions import IgnoreRequest

class NoOldNews:
    def process_request(self, request):
        if request.url.endswith("{id}"):
            raise IgnoreRequest("old news")
"""


@pytest.mark.slow
def test_a_users_middleware_that_ignores_a_request(live: Crawl, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MIDDLEWARE.format(id=OTHER), encoding="utf-8")
    middlewares = {"mine.NoOldNews": 60}
    run = live(seed=SEED, depth=1, settings={"DOWNLOADER_MIDDLEWARES": json.dumps(middlewares)})
    failure = run.failures[OTHER]
    assert failure["reason"] == "ignored"
    assert failure["detail"] == "a downloader middleware refused the request: old news"
    assert run.exit_code == 3
    assert "Traceback" not in run.stderr


SETTINGS = {
    "RETRY_TIMES=1.5": "RETRY_TIMES: got '1.5', takes a whole number",
    "READ_TIMEOUT=0": "READ_TIMEOUT: got '0', takes seconds, more than 0",
}


@pytest.mark.slow
@pytest.mark.parametrize("given", SETTINGS)
def test_settings_of_the_wrong_type(scrapy: Crawl, given: str) -> None:
    run = scrapy("crawl", "articles", "-a", f"seed={SEED}", "-s", given)
    assert (run.exit_code, run.stderr) == (2, f"scrapy crawl: {SETTINGS[given]}\n")


def test_an_unknown_setting(crawl: Crawl) -> None:
    run = crawl(seed=SEED, depth=0, source=SITE, settings={"DOWNLOAD_DELY": 1})
    message = "DOWNLOAD_DELY: no such setting, so it has no effect; did you mean"
    assert (run.exit_code, run.stderr) == (0, f"scrapy crawl: {message} DOWNLOAD_DELAY?\n")


def test_the_summary_says_what_the_exit_code_means(live: Crawl, server: NewsServer) -> None:
    server.misbehaviour[f"/news/{OTHER}"] = always(500)
    for run in (live(seed=SEED, depth=0), live(seed=SEED, depth=1), live(seed="404404")):
        *_, words, balance = run.stdout.splitlines()
        assert words == f"  exit code {run.exit_code}: {MEANINGS[run.exit_code]}"
        assert balance == run.balance

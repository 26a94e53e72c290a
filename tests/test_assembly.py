"""Settings that remove one of our components end a crawl with one line, before any request."""

from pathlib import Path

import pytest
from conftest import SEED, SITE, Crawl
from server import NewsServer

HTTP11 = "scrapy.core.downloader.handlers.http11.HTTP11DownloadHandler"
NONE = "got nothing suitable"
TAKEN_OUT: dict[str, tuple[dict[str, object], dict[str, object], str]] = {
    "scheduler": (
        {},
        {"SCHEDULER": "scrapy.core.scheduler.Scheduler"},
        "SCHEDULER: got scrapy.core.scheduler.Scheduler, takes crawler.scheduler.FrontierScheduler",
    ),
    "item processor": (
        {},
        {"ITEM_PROCESSOR": "scrapy.pipelines.ItemPipelineManager"},
        "ITEM_PROCESSOR: got scrapy.pipelines.ItemPipelineManager, takes crawler.item_processor",
    ),
    "pipeline": (
        {},
        {"ITEM_PIPELINES": {"crawler.pipelines.RecordPipeline": None}},
        f"ITEM_PIPELINES: {NONE}, takes crawler.pipelines.RecordPipeline",
    ),
    "sources": (
        {},
        {"DOWNLOADER_MIDDLEWARES": {"crawler.middlewares.sources.SourcesMiddleware": None}},
        f"DOWNLOADER_MIDDLEWARES: {NONE}, takes crawler.middlewares.sources.SourcesMiddleware",
    ),
    "ledger": (
        {},
        {"EXTENSIONS": {"crawler.extensions.job_keeper.JobKeeper": None}, "JOBDIR": "job"},
        f"EXTENSIONS: {NONE}, takes crawler.extensions.job_keeper.JobKeeper",
    ),
    "archive": (
        {"archive": "a.warc.gz"},
        {"EXTENSIONS": {"crawler.extensions.archiving.Archiving": None}},
        f"EXTENSIONS: {NONE}, takes crawler.extensions.archiving.Archiving",
    ),
    "recorder": (
        {"archive": "a.warc.gz"},
        {"DOWNLOAD_HANDLERS": {"http": HTTP11}},
        f"DOWNLOAD_HANDLERS: got {HTTP11}, takes "
        "crawler.downloading.recording.RecordingDownloadHandler",
    ),
    "stats": (
        {},
        {"STATS_CLASS": "scrapy.statscollectors.DummyStatsCollector"},
        "STATS_CLASS: got scrapy.statscollectors.DummyStatsCollector, takes a collector that keeps",
    ),
}


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("name", TAKEN_OUT)
def test_a_component_that_is_removed(live: Crawl, server: NewsServer, name: str) -> None:
    arguments, settings, message = TAKEN_OUT[name]
    run = live(seed=SEED, depth=0, settings=settings, **arguments)
    assert run.exit_code == 2, run.stderr
    [line] = run.stderr.splitlines()
    assert line.startswith(f"scrapy crawl: {message}")
    assert server.requests == []


@pytest.mark.slow
def test_an_add_on_may_not_remove_one_either(
    live: Crawl, server: NewsServer, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(
        "class AddOn:\n"
        "    def update_settings(self, settings):\n"
        "        handler = 'scrapy.core.downloader.handlers.http11.HTTP11DownloadHandler'\n"
        "        settings.set('DOWNLOAD_HANDLERS', {'http': handler}, 'cmdline')\n",
        encoding="utf-8",
    )
    settings = {"ADDONS": '{"mine.AddOn": 1}'}
    run = live(seed=SEED, depth=0, archive="a.warc.gz", settings=settings)
    assert run.exit_code == 2, run.stderr
    assert "scrapy crawl: DOWNLOAD_HANDLERS: got scrapy" in run.stderr
    assert server.requests == []


@pytest.mark.slow
def test_the_summary_can_be_turned_off(crawl: Crawl) -> None:
    line = {"seed": SEED, "source": SITE, "depth": 0}
    settings: dict[str, object] = {"SUMMARY_ENABLED": 0, "FEEDS": "{}"}
    run = crawl(settings=settings, **line)
    assert (run.exit_code, run.stdout) == (0, "")

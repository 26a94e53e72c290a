"""Scrapy users' own components work with ours: each row is one, in a crawl of 30 records."""

import csv
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from xml.etree import ElementTree

import pytest
from conftest import IMPATIENT, PATIENCE, SEED, SITE, Crawl, Run, environment, free_port
from databases import Server
from server import NewsServer

RECORDS = 30
"""Articles, teasers and failures of the crawl of tests/site with two hops."""
ARTICLES = 21

MODULE = '''
import json
from dataclasses import replace

import scrapy
from itemadapter import ItemAdapter
from scrapy.exceptions import IgnoreRequest
from spidermon import Monitor, MonitorSuite
from web_poet import WebPage

from crawler.items import Article
from crawler.spiders.articles import ArticlesSpider


class Headers:
    """A downloader middleware."""

    def process_request(self, request):
        request.headers["X-Mine"] = "1"

    def process_response(self, request, response):
        self.crawler.stats.inc_value("mine/responses")
        return response

    @classmethod
    def from_crawler(cls, crawler):
        middleware = cls()
        middleware.crawler = crawler
        return middleware


class Flaky:
    """A downloader middleware whose first request fails."""

    has_failed = False

    def process_request(self, request):
        if not self.has_failed:
            self.has_failed = True
            raise OSError("not yet")


class WithStats:
    @classmethod
    def from_crawler(cls, crawler):
        middleware = cls()
        middleware.crawler = crawler
        return middleware


class Counting(WithStats):
    """A spider middleware."""

    async def process_spider_output_async(self, response, result):
        async for one in result:
            self.crawler.stats.inc_value("mine/output")
            yield one

    def process_spider_output(self, response, result):
        for one in result:
            self.crawler.stats.inc_value("mine/output")
            yield one


class Changing(WithStats):
    """A spider middleware that changes requests, and a downloader middleware that counts these."""

    count = 0

    async def process_spider_output_async(self, response, result):
        async for one in result:
            yield self.change(one)

    def process_spider_output(self, response, result):
        yield from map(self.change, result)

    def change(self, one):
        self.count += 1
        if isinstance(one, scrapy.Request) and self.count % 2:
            return one.replace(flags=["mine"])
        if isinstance(one, scrapy.Request):
            one.meta["mine"] = True
        return one

    def process_request(self, request):
        if request.flags or "mine" in request.meta:
            self.crawler.stats.inc_value("mine/changed")


class Extension:
    @classmethod
    def from_crawler(cls, crawler):
        extension = cls()
        crawler.signals.connect(extension.closed, signal=scrapy.signals.spider_closed)
        return extension

    def closed(self, spider, reason):
        with open("mine.txt", "w") as file:
            file.write(reason)


class FilePipeline:
    """The pipeline of Scrapy's documentation that writes a file."""

    def open_spider(self):
        self.file = open("mine.jsonl", "w")

    def process_item(self, item):
        self.file.write(json.dumps(ItemAdapter(item).asdict()) + "\\n")
        return item

    def close_spider(self):
        self.file.close()


class DictPipeline:
    def process_item(self, item):
        return {"mine": ItemAdapter(item)["id"]}


class RawPipeline:
    """Comes before ours, and sees the raw values of a page."""

    def process_item(self, item):
        return item if not hasattr(item, "body_size") else replace(item, title="Mine")


class Delayed(ArticlesSpider):
    name = "delayed"
    custom_settings = {
        "DOWNLOADER_MIDDLEWARES": {"mine.Headers": 60},
        "EXTENSIONS": {"mine.Extension": 500},
        "ITEM_PIPELINES": {"mine.FilePipeline": 500},
        "DOWNLOAD_DELAY": 0.01,
    }


class Injected(ArticlesSpider):
    name = "injected"

    def parse(self, response, page: WebPage):
        self.crawler.stats.inc_value("mine/injected")
        assert page.response.url
        yield from super().parse(response)


class Articles(Monitor):
    def test_articles(self):
        self.assertEqual(self.data.stats["articles/new"], 21)
        self.assertEqual(self.data.stats["teasers/depth"], 6)


class Suite(MonitorSuite):
    monitors = [Articles]


class Plain(scrapy.Spider):
    """Has nothing to do with ours; ends only if its duplicates are filtered."""

    name = "plain"
    handle_httpstatus_list = [404]

    async def start(self):
        for number in range(30):
            yield scrapy.Request(f"{self.root}/plain/{number}")

    def parse(self, response):
        yield {"url": response.url}
        for number in range(30):
            yield response.follow(f"/plain/{number}")
'''
SCRIPT = f'''
from scrapy.crawler import CrawlerProcess
from scrapy.utils.project import get_project_settings

from crawler.spiders.articles import ArticlesSpider

process = CrawlerProcess(get_project_settings())
crawlers = [process.create_crawler(ArticlesSpider) for _ in range(2)]
for crawler in crawlers:
    process.crawl(crawler, seed="{SEED}", source="{SITE}")
process.start()
for crawler in crawlers:
    print("exit code", crawler.stats.get_value("crawl/exit_code"))
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(MODULE, encoding="utf-8")
    return tmp_path


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def run_scrapy(*words: object, cwd: Path, in_project: bool = True) -> Run:
    """Run Scrapy in a process of its own, in this project or, if not ``in_project``, in none."""
    variables = environment()
    if not in_project:
        del variables["SCRAPY_SETTINGS_MODULE"]
    result = subprocess.run(
        [sys.executable, "-m", "scrapy", *map(str, words)],
        cwd=cwd,
        env=variables,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return Run(result.returncode, result.stdout, result.stderr, cwd)


SETTINGS: dict[str, dict[str, object]] = {
    "downloader middleware": {"DOWNLOADER_MIDDLEWARES": {"mine.Headers": 60}},
    "flaky downloader middleware": {
        "DOWNLOADER_MIDDLEWARES": {"mine.Flaky": 5},
        "RETRY_BACKOFF": 0,
    },
    "spider middleware": {"SPIDER_MIDDLEWARES": {"mine.Counting": 60}},
    "extension": {"EXTENSIONS": {"mine.Extension": 500}},
    "pipeline that writes a file": {"ITEM_PIPELINES": {"mine.FilePipeline": 500}},
    "pipeline that returns dicts": {"ITEM_PIPELINES": {"mine.DictPipeline": 500}},
    "pipeline before ours": {"ITEM_PIPELINES": {"mine.RawPipeline": 50}},
    "download handler": {"DOWNLOAD_HANDLERS": {"data": None}},
    "feed exporter": {"FEED_EXPORTERS": {"mine": "scrapy.exporters.JsonLinesItemExporter"}},
    "spidermon": {
        "SPIDERMON_ENABLED": 1,
        "EXTENSIONS": {"spidermon.contrib.scrapy.extensions.Spidermon": 500},
        "SPIDERMON_SPIDER_CLOSE_MONITORS": "mine.Suite",
    },
}


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("name", SETTINGS)
def test_settings_of_a_user(scrapy: Crawl, folder: Path, name: str) -> None:
    check_settings(scrapy, folder, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
def test_settings_of_a_user_with_workers(
    scrapy: Crawl, folder: Path, postgresql: Server, database: str, name: str
) -> None:
    """Requests and responses pass through the worker, and items through the writer."""
    shared = (
        "-s",
        f"LEDGER_URL={postgresql.url(database)}",
        "-s",
        "JOB=mine",
        "-s",
        "WORKERS=join",
    )
    check_settings(scrapy, folder, name, *shared)


def check_settings(scrapy: Crawl, folder: Path, name: str, *more: str) -> None:
    line = ["crawl", "articles", "-a", f"seed={SEED}", "-a", f"source={SITE}", "-O", "all.jsonl"]
    line += more
    for setting, value in SETTINGS[name].items():
        text = json.dumps(value) if isinstance(value, dict) else value
        line += ["-s", f"{setting}={text}"]
    # Spidermon uses a method that Scrapy has deprecated.
    run_with = scrapy if name != "spidermon" else run_scrapy
    run = run_with(*line, "-s", "STATS_DUMP=1", cwd=folder)
    assert run.exit_code == 0, run.stderr
    total = f"discovered {RECORDS} = articles {ARTICLES} + teasers 9 + failures 0"
    assert total in run.stdout
    assert len(read_lines(folder / "all.jsonl")) == RECORDS
    if name == "downloader middleware":
        # No request reached the network, whatever other middlewares there are.
        assert "'downloader/request_count'" not in run.stderr
        assert f"'mine/responses': {ARTICLES}" in run.stderr
    elif name == "flaky downloader middleware":
        assert "'retry/count': 1" in run.stderr
    elif name == "spider middleware":
        assert "'mine/output': " in run.stderr
    elif name == "extension":
        assert (folder / "mine.txt").read_text() == "finished"
    elif name == "pipeline that writes a file":
        assert len(read_lines(folder / "mine.jsonl")) == RECORDS
    elif name == "pipeline that returns dicts":
        assert all(set(record) == {"mine"} for record in read_lines(folder / "all.jsonl"))
    elif name == "spidermon":
        assert "Articles/test_articles... OK" in run.stderr


@pytest.mark.slow
def test_requests_that_a_spider_middleware_changed(scrapy: Crawl, folder: Path) -> None:
    line = ["crawl", "articles", "-a", f"seed={SEED}", "-a", f"source={SITE}", "-a", "depth=2"]
    line += [
        *("-s", 'SPIDER_MIDDLEWARES={"mine.Changing": 60}'),
        *("-s", 'DOWNLOADER_MIDDLEWARES={"mine.Changing": 5}'),
    ]
    run = scrapy(*line, "-s", "STATS_DUMP=1", cwd=folder)
    assert run.exit_code == 0, run.stderr
    # Three pages were requested and not saved. No page lists the seed.
    assert f"'mine/changed': {ARTICLES + 3 - 1}," in run.stderr


FEEDS: dict[str, dict[str, Any]] = {
    "csv": {"format": "csv"},
    "xml": {"format": "xml"},
    "jsonlines": {"format": "jsonlines"},
    "classes": {"format": "jsonlines", "item_classes": ["crawler.items.Article"]},
    "fields": {"format": "jsonlines", "fields": ["kind", "id", "depth"]},
}


@pytest.mark.slow
def test_feeds_of_a_user(scrapy: Crawl, folder: Path) -> None:
    feeds = {f"{name}.out": options for name, options in FEEDS.items()}
    line = ["crawl", "articles", "-a", f"seed={SEED}", "-a", f"source={SITE}"]
    run = scrapy(*line, "-s", f"FEEDS={json.dumps(feeds)}")
    assert run.exit_code == 0, run.stderr
    with (folder / "csv.out").open(newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == RECORDS
    assert len(ElementTree.parse(folder / "xml.out").getroot()) == RECORDS
    assert len(read_lines(folder / "jsonlines.out")) == RECORDS
    assert len(read_lines(folder / "classes.out")) == ARTICLES
    fields = read_lines(folder / "fields.out")
    assert len(fields) == RECORDS
    assert all(list(record) == ["kind", "id", "depth"] for record in fields)


@pytest.mark.slow
def test_http_cache(live: Crawl, server: NewsServer, folder: Path) -> None:
    settings = {"HTTPCACHE_ENABLED": 1, "HTTPCACHE_DIR": folder / "cache"}
    for is_first in (True, False):
        before = len(server.requests)
        run = live(seed=SEED, settings=settings)
        assert (run.exit_code, len(run.records)) == (0, RECORDS), run.stderr
        assert (len(server.requests) > before) is is_first


@pytest.mark.slow
@pytest.mark.parametrize("name", ["delayed", "injected"])
def test_a_subclass(scrapy: Crawl, folder: Path, name: str) -> None:
    line = ["crawl", name, "-a", f"seed={SEED}", "-a", f"source={SITE}", "-O", "all.jsonl"]
    line += ["-s", "SPIDER_MODULES=mine", "-s", "STATS_DUMP=1"]
    if name == "injected":
        line += ["-s", 'ADDONS={"scrapy_poet.Addon": 300}']
    run = scrapy(*line)
    assert run.exit_code == 0, run.stderr
    assert len(read_lines(folder / "all.jsonl")) == RECORDS
    assert "'downloader/request_count'" not in run.stderr
    if name == "delayed":
        assert len(read_lines(folder / "mine.jsonl")) == RECORDS
        assert (folder / "mine.txt").read_text() == "finished"
    else:
        assert f"'mine/injected': {ARTICLES}" in run.stderr


def test_a_plain_spider(scrapy: Crawl, server: NewsServer, folder: Path) -> None:
    line = ["crawl", "plain", "-a", f"root={server.url}", "-s", "SPIDER_MODULES=mine"]
    run = scrapy(*line, "-O", "all.jsonl")
    assert run.exit_code == 0, run.stderr
    assert len(read_lines(folder / "all.jsonl")) == RECORDS


@pytest.mark.slow
def test_runspider_in_another_project(folder: Path) -> None:
    (folder / "mine.py").write_text(
        "from crawler.spiders.articles import ArticlesSpider\n\n\n"
        "class Mine(ArticlesSpider):\n    name = 'mine'\n",
        encoding="utf-8",
    )
    line = ["-a", f"seed={SEED}", "-a", f"source={SITE}", "-O", "all.jsonl"]
    run = run_scrapy("runspider", "mine.py", *line, cwd=folder, in_project=False)
    assert run.exit_code == 0, run.stderr
    assert len(read_lines(folder / "all.jsonl")) == RECORDS
    assert run.balance.startswith(f"discovered {RECORDS} =")


@pytest.mark.slow
def test_two_crawls_of_a_script(folder: Path) -> None:
    (folder / "script.py").write_text(SCRIPT, encoding="utf-8")
    result = subprocess.run(
        [sys.executable, "script.py"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.count(f"discovered {RECORDS} =") == 2
    assert result.stdout.splitlines().count("exit code 0") == 2
    feeds = [read_lines(path) for path in (folder / "output").rglob("*.jsonl")]
    assert sum(map(len, feeds)) == 2 * RECORDS


@pytest.fixture
def scrapyd(folder: Path) -> Iterator[str]:
    """Put an egg of this project into the folder; yield the URL of a running Scrapyd."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    (folder / "scrapyd.conf").write_text(
        f"[scrapyd]\nbind_address=127.0.0.1\nhttp_port={port}\npoll_interval=0.2\n"
    )
    with zipfile.ZipFile(folder / "project.egg", "w") as egg:
        egg.writestr("EGG-INFO/entry_points.txt", "[scrapy]\nsettings = crawler.settings\n")
        egg.writestr("EGG-INFO/PKG-INFO", "Metadata-Version: 1.0\nName: mine\nVersion: 1.0\n")
        egg.writestr("EGG-INFO/zip-safe", "\n")
    log = (folder / "scrapyd.log").open("w")
    variables = {
        name: value for name, value in environment().items() if name != "SCRAPY_SETTINGS_MODULE"
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "scrapyd", "--nodaemon", "--pidfile="],
        cwd=folder,
        env=variables,
        stdout=log,
        stderr=log,
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while not is_up(f"{url}/daemonstatus.json"):
            assert time.monotonic() < deadline, (folder / "scrapyd.log").read_text()
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()
        log.close()


def get(url: str, **query: str) -> Any:
    with urlopen(f"{url}?{urlencode(query)}", timeout=PATIENCE) as response:
        return json.load(response)


def is_up(url: str) -> bool:
    try:
        return get(url)["status"] == "ok"
    except OSError:
        return False


def post(url: str, **fields: str | bytes) -> Any:
    boundary = "boundary"
    body = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
        + (value if isinstance(value, bytes) else value.encode())
        + b"\r\n"
        for name, value in fields.items()
    )
    request = Request(
        url,
        body + f"--{boundary}--\r\n".encode(),
        {"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )
    with urlopen(request, timeout=PATIENCE) as response:
        return json.load(response)


def test_scrapyd(scrapyd: str, folder: Path) -> None:
    egg = (folder / "project.egg").read_bytes()
    added = post(f"{scrapyd}/addversion.json", project="mine", version="1", egg=egg)
    assert added["status"] == "ok" and added["spiders"] == 1, added
    arguments = {"seed": SEED, "source": str(SITE)}
    job = post(f"{scrapyd}/schedule.json", project="mine", spider="articles", **arguments)["jobid"]
    deadline = time.monotonic() + PATIENCE
    while not get(f"{scrapyd}/listjobs.json", project="mine")["finished"]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    with urlopen(f"{scrapyd}/logs/mine/articles/{job}.log", timeout=PATIENCE) as response:
        log = response.read().decode()
    assert f"INFO: discovered {RECORDS} =" in log, log
    feeds = [read_lines(path) for path in (folder / "output").rglob("*.jsonl")]
    assert sum(map(len, feeds)) == RECORDS


@pytest.mark.slow
def test_several_spiders_of_scrapyd_on_one_job(
    scrapyd: str, folder: Path, postgresql: Server, database: str
) -> None:
    egg = (folder / "project.egg").read_bytes()
    post(f"{scrapyd}/addversion.json", project="mine", version="1", egg=egg)
    fields = [("project", "mine"), ("spider", "articles"), ("seed", SEED), ("source", str(SITE))]
    settings = {"LEDGER_URL": postgresql.url(database), "JOB": "mine", "WORKERS": "join"}
    fields += [("setting", f"{name}={value}") for name, value in settings.items()]
    jobs = []
    for _ in range(3):
        with urlopen(f"{scrapyd}/schedule.json", urlencode(fields).encode()) as response:
            jobs.append(json.load(response)["jobid"])
    deadline = time.monotonic() + PATIENCE
    while len(get(f"{scrapyd}/listjobs.json", project="mine")["finished"]) < len(jobs):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    logs = []
    for job in jobs:
        with urlopen(f"{scrapyd}/logs/mine/articles/{job}.log", timeout=PATIENCE) as response:
            logs.append(response.read().decode())
    assert sum(f"INFO: discovered {RECORDS} =" in log for log in logs) == 1, logs
    assert all("ended the run and wrote its feeds; exit code 0" in log for log in logs), logs
    feeds = [read_lines(path) for path in (folder / "output").rglob("*.jsonl")]
    assert sum(map(len, feeds)) == RECORDS


SECTION_SPIDER = '''
from scrapy import Request

from crawler.spiders.frontier_spider import FrontierSpider


class SectionSpider(FrontierSpider):
    """Starts from the articles that a section page links to."""

    name = "section"
    more_arguments = ("section",)

    async def start(self):
        self.run.started = True
        yield Request(self.section, self.parse_section)

    def parse_section(self, response):
        links = response.css("a::attr(href)").getall()
        yield from self.start_with(filter(None, map(self.run.publisher.id_of, links)))
'''


@pytest.mark.slow
def test_a_second_spider_on_the_frontier(scrapy: Crawl, server: NewsServer, tmp_path: Path) -> None:
    """It has the order, the limits, the ledger and the report of the first."""
    (tmp_path / "mine.py").write_text(SECTION_SPIDER, encoding="utf-8")
    server.pages["/section"] = f'<a href="/news/{SEED}">A</a> <a href="/about">B</a>'.encode()
    line = ["crawl", "section", "-a", f"section={server.url}/section", "-s", "SPIDER_MODULES=mine"]
    line += ["-a", f"base_url={server.url}", "-s", "JOBDIR=job", "-O", "all.jsonl"]
    for name, value in IMPATIENT.items():
        line += ["-s", f"{name}={value}"]
    run = scrapy(*line)
    assert run.exit_code == 0, run.stderr
    assert run.balance.startswith(f"discovered {RECORDS} = articles {ARTICLES} + teasers 6")
    assert len(read_lines(tmp_path / "all.jsonl")) == RECORDS
    assert "nothing new: nothing was due" in scrapy(*line).stdout

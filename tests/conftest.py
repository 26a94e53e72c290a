"""Fixtures and helpers shared by the tests.

They run crawls from the command line, as users do, against a real HTTP server that misbehaves on
request.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import forks
import hypothesis
import jsonschema_rs
import pytest
import services
from databases import CuttingProxy, Server, running_server
from file_lines import FileLines
from hosted import HostedWeb, Site, hosted
from object_store import ObjectStore, running_store
from server import NewsServer
from services import CHROMIUM, PYWB, SPLASH, faketime_library, require

from crawler.crawl.parser_worker import NAME
from crawler.items import RECORDS, json_schema

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parent.parent
SITE = ROOT / "tests" / "site"
SEED_TEXT = SITE / "000_5e28026613171c33.txt"
VALIDATORS = {kind: jsonschema_rs.Draft202012Validator(json_schema(kind)) for kind in RECORDS}
SEED = "1752038"
IMPATIENT = {"AUTOTHROTTLE_ENABLED": 0, "DOWNLOAD_DELAY": 0, "RETRY_BACKOFF": 0}

# The starts of the command-line words that name a job.
JOB_OPTIONS = ("JOB=", "-sJOB=", "JOBDIR=", "-sJOBDIR=", "--job")
# How many seconds a test waits for something before it fails.
PATIENCE = 120


@dataclass
class Run:
    """A finished run of a command."""

    exit_code: int
    stdout: str
    stderr: str
    folder: Path
    records: list[dict[str, Any]] = field(default_factory=list)

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the records of one kind by article id. Raises AssertionError if an id has two."""
        found = [record for record in self.records if record["kind"] == kind]
        by_id = {record["id"]: record for record in found}
        assert len(by_id) == len(found)
        return by_id

    @property
    def articles(self) -> dict[str, dict[str, Any]]:
        return self.of("article")

    @property
    def teasers(self) -> dict[str, dict[str, Any]]:
        return self.of("teaser")

    @property
    def failures(self) -> dict[str, dict[str, Any]]:
        return self.of("failure")

    @property
    def balance(self) -> str:
        """The last line of the summary, from stdout or stderr."""
        return next(
            line
            for out in (self.stdout, self.stderr)
            for line in out.splitlines()
            if line.startswith("discovered ")
        )


def read_records(path: Path) -> list[dict[str, Any]]:
    """Read a JSON Lines file and validate every record against the published schema."""
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for record in records:
        VALIDATORS[record["kind"]].validate(record)
    return records


# Keeps the archive indexes that tests create apart from the user's.
CACHE = tempfile.mkdtemp(prefix="cache-of-tests-")


def environment() -> dict[str, str]:
    return {
        **os.environ,
        "XDG_CACHE_HOME": CACHE,
        "SCRAPY_SETTINGS_MODULE": "crawler.settings",
        "PYTHONPATH": f"{ROOT}{os.pathsep}.",
    }


def command(*args: object) -> list[str]:
    """Return a scrapy command line that turns Scrapy's deprecation warnings into errors."""
    return [sys.executable, str(ROOT / "tests" / "strict_scrapy.py"), *map(str, args)]


# Times on a busy machine say nothing about a program.
hypothesis.settings.register_profile("unhurried", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("unhurried")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    if config.option.dist != "no" and config.get_verbosity() == 0:
        config.pluginmanager.register(FileLines(config))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the cases of a test as slow that come after the number of ``slow_after``."""
    cases: Counter[str] = Counter()
    for item in items:
        if marker := item.get_closest_marker("slow_after"):
            test = item.nodeid.partition("[")[0]
            cases[test] += 1
            if cases[test] > marker.args[0]:
                item.add_marker(pytest.mark.slow)


def pytest_report_header() -> list[str]:
    return services.report()


Crawl = Callable[..., Run]


@pytest.fixture
def scrapy(tmp_path: Path) -> Crawl:
    """Run a scrapy command in an empty folder: ``scrapy("list")``.

    Keyword arguments are added to the environment.
    """

    def run(
        *args: object, timeout: float = PATIENCE, cwd: Path = tmp_path, **variables: str
    ) -> Run:
        if not any(str(arg).startswith(JOB_OPTIONS) for arg in args):
            # A database is only for crawls with a job.
            variables = {"LEDGER_URL": "", **variables}
        if "LD_PRELOAD" in variables:
            result = subprocess.run(
                command(*args),
                cwd=cwd,
                env={**environment(), **variables},
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
        else:
            words = [str(arg) for arg in args]
            result = forks.run(words, cwd, {**environment(), **variables}, timeout)
        return Run(result.returncode, result.stdout, result.stderr, cwd)

    return run


@pytest.fixture
def crawl(scrapy: Crawl, tmp_path: Path) -> Crawl:
    """Run ``scrapy crawl articles``, with spider arguments by name and settings as a dict.

    Settings that are dicts are given as JSON. Positional arguments are added to the command line.
    The records are those of the run's three default feeds; their number must match the run's
    summary.
    """

    def run(
        *words: object,
        settings: dict[str, object] | None = None,
        timeout: float = 120,
        **arguments: object,
    ) -> Run:
        line: list[object] = ["crawl", "articles"]
        for name, value in arguments.items():
            line += ["-a", f"{name}={value}"]
        for name, value in (settings or {}).items():
            text = json.dumps(value) if isinstance(value, dict) else value
            line += ["-s", f"{name}={text}"]
        output = tmp_path / "output"
        shutil.rmtree(output, ignore_errors=True)
        result = scrapy(*line, *words, timeout=timeout)
        for feed in sorted(output.rglob("*.jsonl")):
            result.records += read_records(feed)
        # With a job, the summary covers all its runs.
        if result.records and "JOBDIR" not in (settings or {}):
            kinds = [len(result.of(kind)) for kind in ("article", "teaser", "failure")]
            assert (
                result.balance
                == "discovered {} = articles {} + teasers {} + failures {}".format(
                    sum(kinds), *kinds
                )
            )
        return result

    return run


@pytest.fixture
def server() -> Iterator[NewsServer]:
    """A real HTTP server with the pages of tests/site at /news/<id>."""
    with NewsServer(SITE) as running:
        yield running


@pytest.fixture
def live(crawl: Crawl, server: NewsServer) -> Crawl:
    """Crawl the local server, without politeness, which would slow the tests down."""

    def run(*words: object, settings: dict[str, object] | None = None, **arguments: object) -> Run:
        return crawl(
            *words,
            settings={**IMPATIENT, **(settings or {})},
            **{"base_url": server.url, **arguments},
        )

    return run


@pytest.fixture
def job(scrapy: Crawl, server: NewsServer, tmp_path: Path) -> Crawl:
    """Crawl with a job in the folder ``job``.

    Takes spider arguments by name, settings and environment variables as dicts. The records are
    those written by this run.
    """

    def run(
        *words: object,
        settings: dict[str, object] | None = None,
        variables: dict[str, str] | None = None,
        **arguments: object,
    ) -> Run:
        spider_arguments = {"seed": SEED, "base_url": server.url, "depth": 1, **arguments}
        line = [
            *(f"-a{name}={value}" for name, value in spider_arguments.items() if value is not None),
            *(
                f"-s{name}={value}"
                for name, value in {**IMPATIENT, "JOBDIR": "job", **(settings or {})}.items()
            ),
        ]
        before = set((tmp_path / "output").rglob("*"))
        result = scrapy("crawl", "articles", *line, *words, **(variables or {}))
        for feed in sorted(set((tmp_path / "output").rglob("*.jsonl")) - before):
            result.records += read_records(feed)
        assert "Traceback" not in result.stderr
        return result

    return run


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server shared by all tests. A test that restarts it may."""
    require("PostgreSQL")
    with running_server() as running:
        yield running


@pytest.fixture
def database(postgresql: Server) -> Iterator[str]:
    """The name of an empty database in PostgreSQL."""
    with postgresql.new_database() as name:
        yield name


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def ledger(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the ledgers of a test's jobs in SQLite, then in PostgreSQL, in an empty database."""
    if request.param == "postgresql":
        server, name = (request.getfixturevalue(one) for one in ("postgresql", "database"))
        monkeypatch.setenv("LEDGER_URL", server.url(name))


@pytest.fixture
def proxy(postgresql: Server) -> Iterator[CuttingProxy]:
    """A proxy before PostgreSQL."""
    with CuttingProxy(postgresql.port) as running:
        yield running


@pytest.fixture(scope="session")
def object_stores() -> Iterator[Callable[[str], ObjectStore]]:
    """A server that speaks the protocol of S3, shared by all tests."""
    with running_store() as make:
        yield make


@pytest.fixture
def object_store(object_stores: Callable[[str], ObjectStore], tmp_path: Path) -> ObjectStore:
    """An empty bucket on that server."""
    return object_stores(f"bucket-{tmp_path.name.replace('_', '-').lower()[-40:]}")


def clock(offset: str) -> dict[str, str]:
    """Return environment variables that shift a process's clock with faketime: ``clock("-30d")``.

    Monotonic clocks, as used for delays, are not affected.
    """
    require("faketime")
    return {
        "LD_PRELOAD": str(faketime_library()),
        "FAKETIME": offset,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def wait_until(
    condition: Callable[[], object], state: Callable[[], object] = str, seconds: float = PATIENCE
) -> None:
    """Wait until a condition holds. Raises AssertionError with ``state()`` on timeout."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, (
            f"the condition did not hold within {seconds} s: {state()}"
        )
        time.sleep(0.02)


def reader_pids(pid: int) -> list[str]:
    """Return the ids of the processes that read pages for a run."""
    return child_pids(pid, "-x", NAME)


def child_pids(pid: int, *words: str) -> list[str]:
    """Return the ids of the child processes that pgrep finds."""
    result = subprocess.run(
        ["pgrep", "-P", str(pid), *words], capture_output=True, text=True, check=False
    )
    return result.stdout.split()


def has_processes_in(folder: Path) -> bool:
    """Return whether a process has this working directory."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink() == folder:
                return True
    return False


WebCrawl = Callable[..., tuple[Run, HostedWeb]]


@pytest.fixture
def web_crawl(scrapy: Crawl, tmp_path: Path) -> Iterator[WebCrawl]:
    """Crawl hosts: ``web_crawl(sites, seed=…)`` returns the run and the hosts."""

    def run(
        sites: dict[str, Site],
        settings: dict[str, object] | None = None,
        timeout: float = PATIENCE,
        **arguments: object,
    ) -> tuple[Run, HostedWeb]:
        folder = tmp_path / "web"
        folder.mkdir(exist_ok=True)
        with hosted(sites, folder) as web:
            given = {**IMPATIENT, "TLS_CA_FILE": web.ca_file, **(settings or {})}
            line = [f"-a{name}={value}" for name, value in arguments.items()]
            line += [f"-s{name}={value}" for name, value in given.items()]
            before = set((tmp_path / "output").rglob("*.jsonl"))
            result = scrapy("crawl", "articles", *line, timeout=timeout, **web.environment)
        for feed in sorted(set((tmp_path / "output").rglob("*.jsonl")) - before):
            result.records += read_records(feed)
        assert "Traceback" not in result.stderr
        return result, web

    yield run


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """Mount a file system of this size, such as "64k", in a new folder."""
    require("mounts")
    folder.mkdir()
    line = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    subprocess.run(line, check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def splash(*options: str) -> Iterator[tuple[str, Callable[[], None]]]:
    """Run a real Splash and yield its URL and a function that kills it.

    The environment variable SPLASH names the ``bin`` folder of the environment it is installed in.
    """
    require("Splash")
    url = f"http://127.0.0.1:{free_port()}"
    line = [
        SPLASH / "python",
        ROOT / "tests" / "services" / "splash_server.py",
        "--ip",
        "127.0.0.1",
        "--port",
        url.rpartition(":")[2],
        *options,
    ]
    with tempfile.TemporaryFile() as log, subprocess.Popen(line, stdout=log, stderr=log) as process:
        try:
            for _ in range(300):
                with suppress(OSError), urlopen(f"{url}/_ping", timeout=5):
                    break
                time.sleep(0.1)
            else:
                log.seek(0)
                raise AssertionError(log.read().decode())
            yield url, process.kill
        finally:
            process.kill()


@pytest.fixture(scope="session")
def splash_url() -> Iterator[str]:
    """The URL of a Splash shared by all tests."""
    with splash("--slots", "4") as (url, _):
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Debian's Chromium, shared by the tests of a module.

    While it runs, its thread counts as one with a running asyncio loop, in which other tests could
    not use asyncio.run.
    """
    from playwright.sync_api import sync_playwright

    require("Chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


Replay = Callable[..., str]


@pytest.fixture
def pywb(tmp_path: Path) -> Iterator[Replay]:
    """Serve WARC files with a real pywb: ``pywb(path, …)`` returns the collection's URL.

    The environment variable PYWB names the ``bin`` folder of the environment it is installed in.
    """
    require("pywb")
    started: list[subprocess.Popen[bytes]] = []

    def serve(*warcs: Path) -> str:
        folder = tmp_path / "pywb"
        folder.mkdir()
        port = free_port()
        with (folder / "log").open("wb") as log:
            for words in (["init", "pages"], ["add", "pages", *map(str, warcs)]):
                subprocess.run(
                    [PYWB / "wb-manager", *words],
                    cwd=folder,
                    stdout=log,
                    stderr=log,
                    check=True,
                )
            line = [PYWB / "wayback", "--bind", "127.0.0.1", "--port", str(port)]
            started.append(subprocess.Popen(line, cwd=folder, stdout=log, stderr=log))
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return f"http://127.0.0.1:{port}/pages"
            time.sleep(0.1)
        raise AssertionError((folder / "log").read_text(encoding="utf-8"))

    yield serve
    for process in started:
        process.terminate()
        process.wait()

"""What the tests share: a crawl run as a user runs it, and a real HTTP server that misbehaves on request."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import forks
import jsonschema
import pytest
from server import NewsServer

from crawler.items import RECORDS, json_schema

ROOT = Path(__file__).parent.parent
SITE = ROOT / "tests" / "site"
SEED_TEXT = SITE / "000_5e28026613171c33.txt"
VALIDATORS = {kind: jsonschema.Draft202012Validator(json_schema(kind)) for kind in RECORDS}
IMPATIENT = {"AUTOTHROTTLE_ENABLED": 0, "DOWNLOAD_DELAY": 0, "RETRY_BACKOFF": 0}

# Seconds after which something that a test waits for is taken not to come.
PATIENCE = 120


@dataclass
class Run:
    """One finished run of the command line."""

    exit_code: int
    stdout: str
    stderr: str
    folder: Path
    records: list[dict[str, Any]] = field(default_factory=list)

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """The records of one kind by article id; each id has at most one record."""
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
        """The last line of the report, wherever it was printed."""
        return next(
            line
            for out in (self.stdout, self.stderr)
            for line in out.splitlines()
            if line.startswith("discovered ")
        )


def read_records(path: Path) -> list[dict[str, Any]]:
    """Read a JSON Lines file; every record is validated against the published schema."""
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for record in records:
        VALIDATORS[record["kind"]].validate(record)
    return records


# The indexes of archives that tests make are nobody else's.
CACHE = tempfile.mkdtemp(prefix="cache-of-tests-")


def environment() -> dict[str, str]:
    return {
        **os.environ,
        "XDG_CACHE_HOME": CACHE,
        "SCRAPY_SETTINGS_MODULE": "crawler.settings",
        "PYTHONPATH": f"{ROOT}{os.pathsep}.",
    }


def command(*args: object) -> list[str]:
    """A scrapy command line with deprecations of Scrapy as errors."""
    return [sys.executable, str(ROOT / "tests" / "strict_scrapy.py"), *map(str, args)]


Crawl = Callable[..., Run]


@pytest.fixture
def scrapy(tmp_path: Path) -> Crawl:
    """Run a scrapy command in an empty folder: ``scrapy("list")``. Further environment variables
    are given by name.
    """

    def run(
        *args: object, timeout: float = PATIENCE, cwd: Path = tmp_path, **variables: str
    ) -> Run:
        words = [str(arg) for arg in args]
        given = {**environment(), **variables}
        if "LD_PRELOAD" in variables:
            # Only a process that begins preloads anything.
            done = subprocess.run(
                command(*words), cwd=cwd, env=given, timeout=timeout, capture_output=True, text=True
            )
        else:
            done = forks.run(words, cwd, given, timeout)
        return Run(done.returncode, done.stdout, done.stderr, cwd)

    return run


Clock = Callable[[str], dict[str, str]]


@pytest.fixture
def clock() -> Clock:
    """The environment of a process whose clock is off: ``clock("-30d")``."""
    found = list(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    service("faketime", found)
    return lambda offset: {
        "LD_PRELOAD": str(found[0]),
        "FAKETIME": offset,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


@pytest.fixture
def crawl(scrapy: Crawl, tmp_path: Path) -> Crawl:
    """Run ``scrapy crawl articles``: arguments by name, settings as a dict, further words of the command line.

    The records are those of the run's own three feeds; what they hold must balance with what the run says.
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
            line += ["-s", f"{name}={value}"]
        output = tmp_path / "output"
        shutil.rmtree(output, ignore_errors=True)
        done = scrapy(*line, *words, timeout=timeout)
        for feed in sorted(output.glob("*.jsonl")):
            done.records += read_records(feed)
        # With a job, the sum is of all its runs.
        if done.records and "JOBDIR" not in (settings or {}):
            kinds = [len(done.of(kind)) for kind in ("article", "teaser", "failure")]
            assert done.balance == "discovered {} = articles {} + teasers {} + failures {}".format(
                sum(kinds), *kinds
            )
        return done

    return run


@pytest.fixture
def server() -> Iterator[NewsServer]:
    """A real HTTP server with the pages of tests/site at /news/<id>."""
    with NewsServer(SITE) as running:
        yield running


@pytest.fixture
def live(crawl: Crawl, server: NewsServer) -> Crawl:
    """Crawl the local server without its politeness slowing the tests down."""

    def run(*words: object, settings: dict[str, object] | None = None, **arguments: object) -> Run:
        return crawl(
            *words,
            settings={**IMPATIENT, **(settings or {})},
            **{"base_url": server.url, **arguments},
        )

    return run


def wait_until(condition: Callable[[], object], state: Callable[[], object] = str) -> None:
    """Wait until a condition holds; AssertionError with ``state()`` if it does not in PATIENCE seconds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"nothing came of it in {PATIENCE} s: {state()}"
        time.sleep(0.005)


def service(name: str, found: object) -> None:
    """Skip a test whose service is missing; in CI that is a failure."""
    if not found:
        message = f"{name} is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def splash(*options: str) -> Iterator[tuple[str, Callable[[], None]]]:
    """Run a real Splash; return its URL, and what kills it. SPLASH names the folder of the programs of the environment that it is in."""
    python = Path(os.environ.get("SPLASH", ROOT / ".ci" / "splash" / "bin")) / "python"
    service("Splash (in an environment of its own, named by SPLASH)", python.exists())
    url = f"http://127.0.0.1:{free_port()}"
    line = [
        python,
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
    """The URL of a Splash that the tests share."""
    with splash("--slots", "4") as (url, _):
        yield url


Replay = Callable[..., str]


@pytest.fixture
def pywb(tmp_path: Path) -> Iterator[Replay]:
    """Serve WARC files with a real pywb: ``pywb(path, …)`` returns the URL of its collection. PYWB names the folder of its programs."""
    programs = Path(os.environ.get("PYWB", ROOT / ".ci" / "pywb" / "bin"))
    service("pywb (in an environment of its own, named by PYWB)", (programs / "wayback").exists())
    started: list[subprocess.Popen[bytes]] = []

    def serve(*warcs: Path) -> str:
        folder = tmp_path / "pywb"
        folder.mkdir()
        port = free_port()
        with (folder / "log").open("wb") as log:
            for words in (["init", "pages"], ["add", "pages", *map(str, warcs)]):
                subprocess.run(
                    [programs / "wb-manager", *words],
                    cwd=folder,
                    stdout=log,
                    stderr=log,
                    check=True,
                )
            line = [programs / "wayback", "--bind", "127.0.0.1", "--port", str(port)]
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

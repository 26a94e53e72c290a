"""Jobs whose ledger is in PostgreSQL."""

import json
import random
import re
import shutil
import socket
import string
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import kill
import pytest
from conftest import PATIENCE, Crawl, Run, WebCrawl, wait_until
from databases import CuttingProxy, Server
from hosted import Answer
from stories import HTML, TEXT

TIME = re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)?")
HOST = "news.example"
# Orders of a locale and of bytes differ for these.
PATHS = (
    "b-story-1",
    "B-story-2",
    "a-story-3",
    "A-story-4",
    "a_story-5",
    "ä-story-6",
    "خبر-7",
    "_-8",
)
NASTY = "before \0 after \udcff \x1b[31m 'quoted' \\0 %00 &#0; \u202e"


def outputs(run: Run, scrapy: Crawl, **settings: object) -> dict[str, str]:
    """Return all that a crawl and the commands that read its ledger wrote, by name.

    Times are left out.
    """
    assert run.exit_code in (0, 3), run.stderr
    given = [f"-s{name}={value}" for name, value in settings.items()]
    found = {"records": "\n".join(map(json.dumps, run.records))}
    tables = run.folder / "tables"
    commands: dict[str, tuple[object, ...]] = {
        "export": ("export", "--revisions"),
        "tables": ("export", "-o", f"{tables}/"),
        "graph": ("export", "-o", run.folder / "graph.gexf"),
        "report": ("report", "-o", run.folder / "report.html"),
        "status": ("status", "--json"),
    }
    for name, words in commands.items():
        done = scrapy(*words, *given)
        assert done.exit_code == 0, done.stderr
        found[name] = done.stdout
    status = json.loads(found["status"])
    # These differ between databases.
    found["status"] = json.dumps({**status, "job": None, "ledger_bytes": None})
    for file in sorted([*tables.iterdir(), run.folder / "graph.gexf"]):
        found[file.name] = file.read_text(encoding="utf-8")
    shutil.rmtree(tables)
    return {name: TIME.sub("", text) for name, text in found.items()}


def nasty_site(scheme: str, path: str) -> Answer:
    """Answer with a page of related items and links whose texts and addresses are nasty."""
    chance = random.Random(1)
    long = ["".join(chance.choices(string.ascii_letters, k=10_000)) for _ in range(8)]
    others = [*PATHS, f"story-{long[0]}", f"story-9?q={long[1]}"]
    related = "".join(
        f'<li><a href="/2026/05/01/{other}">The headline of {number} {NASTY}</a></li>'
        for number, other in enumerate(others)
    )
    links = "".join(
        f'<p>It is known what the council of the city said <a href="{address}">on {NASTY}</a></p>'
        for address in (
            f"/2026/05/01/{long[2]}",
            f"https://{HOST}/2026/05/02/{long[3]}",
            f"/2026/05/01/{PATHS[1]}?\0={NASTY}",
        )
    )
    if path.startswith("/robots.txt"):
        return Answer(404, {}, b"")
    head = (
        f'<link rel="canonical" href="https://{HOST}/2026/05/03/{long[4]}">' if "B-" in path else ""
    )
    head += f'<meta name="keywords" content="one {NASTY}, two {long[5]}">'
    page = (
        f'<html lang="en"><head>{head}</head><body><h1>Headline of {path[:20]} {NASTY}</h1>'
        f"<time datetime='2026-05-01T10:00:00Z'>1 May</time>{TEXT}{links}{path[:90]}"
        f"<h2>Related articles</h2><ul>{related}</ul></body></html>"
    )
    headers = {**HTML, "ETag": f'"{NASTY.split()[0]}\0{long[6]}"', "Last-Modified": "x\0y"}
    return Answer(200, headers, page.encode("utf-8", "surrogateescape"))


def test_the_same_output_as_with_sqlite(
    web_crawl: WebCrawl, scrapy: Crawl, postgresql: Server, database: str, tmp_path: Path
) -> None:
    found = []
    in_database = {"JOB": 'The "Job" of May', "LEDGER_URL": postgresql.url(database)}
    for settings in ({"JOBDIR": "job"}, in_database):
        settings["CONCURRENT_REQUESTS"] = "1"
        run, _ = web_crawl(
            {HOST: nasty_site},
            settings,
            seed=f"https://{HOST}/2026/05/01/seed-story-0",
            depth=1,
            follow="all",
        )
        found.append(outputs(run, scrapy, **settings))
    expected, actual = found
    assert expected.keys() == actual.keys()
    assert {name for name in expected if expected[name] != actual[name]} == set()


@pytest.fixture(scope="module")
def site() -> Iterator[kill.Site]:
    """Serve 60 linked pages."""
    with kill.Site(60) as running:
        running.serve(kill.KINDS[0])
        yield running


class Crawling:
    """A crawl of all pages of a site, in the background, and its log."""

    def __init__(self, site: kill.Site, folder: Path, url: str, **settings: object) -> None:
        given = [f"-s{name}={value}" for name, value in {"JOBDIR": "job", **settings}.items()]
        words = kill.line(site.url, *given, "-o", "mine.jsonl", at_once=4)
        site.requests.clear()
        self._site = site
        self._folder = folder
        self._process = kill.start(words, folder, LEDGER_URL=url)

    def wait_for(self, pages: int = 0, message: str = "") -> None:
        """Wait until so many pages were requested, and until the log has a message."""
        wait_until(
            lambda: (
                (len(self._site.requested_ids) >= pages and message in self.log)
                or self._process.poll() is not None
            ),
            lambda: self.log,
        )
        assert self._process.poll() is None, self.log

    def exit_code(self) -> int:
        return self._process.wait(PATIENCE)

    def kill(self) -> None:
        self._process.kill()

    @property
    def pid(self) -> int | None:
        return self._process.pid

    @property
    def log(self) -> str:
        log = self._folder / "log"
        return log.read_text(encoding="utf-8") if log.exists() else ""

    def check(self) -> None:
        """Check that the crawl ends with the records of an uninterrupted one."""
        end = kill.wait_for_end(self._process, self._folder)
        kill.check(self._folder, self._site.truth(), end)
        assert "Traceback" not in self.log


def is_commit() -> Callable[[bytes], bool]:
    """Return a function that tells whether a message to the server is a COMMIT.

    The driver sends a statement's text until it has prepared the statement, and then its name.
    """
    names: set[bytes] = set()

    def is_one(data: bytes) -> bool:
        names.update(re.findall(rb"(_pg3_\d+\0)COMMIT\0", data))
        return b"COMMIT\0" in data or any(name in data for name in names)

    return is_one


def before_commits() -> Callable[[bytes, bool], bool]:
    is_one = is_commit()
    return lambda data, from_server: not from_server and is_one(data)


CUTS: dict[str, Callable[[bytes, bool], bool]] = {
    "before a commit": before_commits(),
    "after a commit": lambda data, from_server: from_server and b"COMMIT\0" in data,
    "in a commit": lambda data, from_server: from_server and b"INSERT 0 " in data,
    "in a read": lambda data, from_server: from_server and b"SELECT " in data,
}
"""When to cut connections, as functions of a piece of data, and whether it is from the server."""


@pytest.mark.slow_after(2)
@pytest.mark.parametrize("when", CUTS)
def test_connections_that_are_cut(
    site: kill.Site,
    postgresql: Server,
    database: str,
    proxy: CuttingProxy,
    tmp_path: Path,
    when: str,
) -> None:
    is_moment = CUTS[when]
    moments = cuts = 0

    def cut(data: bytes, from_server: bool) -> None:
        nonlocal moments, cuts
        if is_moment(data, from_server):
            moments += 1
            if moments % 4 == 0 and cuts < 12:
                cuts += 1
                proxy.cut()

    proxy.watch = cut
    crawling = Crawling(site, tmp_path, postgresql.url(database, port=proxy.port))
    crawling.check()
    assert cuts >= 3
    assert "the database answers again" in crawling.log


def test_a_server_that_crashes_and_starts_again(
    site: kill.Site, postgresql: Server, database: str, tmp_path: Path
) -> None:
    crawling = Crawling(site, tmp_path, postgresql.url(database))
    for pages in (10, 25, 45):
        crawling.wait_for(pages)
        postgresql.control("restart", "-m", "immediate")
    crawling.check()
    assert "the database answers again" in crawling.log


def test_a_server_that_is_away_at_the_start(
    site: kill.Site, postgresql: Server, database: str, proxy: CuttingProxy, tmp_path: Path
) -> None:
    proxy.is_open.clear()
    crawling = Crawling(site, tmp_path, postgresql.url(database, port=proxy.port))
    crawling.wait_for(message="waiting for the database for up to 60 s")
    proxy.is_open.set()
    crawling.check()


def test_a_server_that_stays_away(
    site: kill.Site, postgresql: Server, database: str, proxy: CuttingProxy, tmp_path: Path
) -> None:
    url = postgresql.url(database, port=proxy.port)
    crawling = Crawling(site, tmp_path, url, LEDGER_PATIENCE=1)
    crawling.wait_for(pages=20)
    proxy.is_open.clear()
    proxy.cut()
    assert crawling.exit_code() == 1
    for words in (f"the ledger job in postgresql://127.0.0.1:{proxy.port}/{database}: ", ADVICE):
        assert words in crawling.log
    assert "damaged" not in crawling.log
    assert "Traceback" not in crawling.log
    proxy.is_open.set()
    Crawling(site, tmp_path, url).check()


ADVICE = "everything stored so far is safe: run the same command again to continue"


def test_a_second_run_at_once(
    site: kill.Site,
    postgresql: Server,
    database: str,
    job: Crawl,
    scrapy: Crawl,
    tmp_path: Path,
) -> None:
    is_over = threading.Event()
    site.misbehaviour = {path: lambda handler, before: is_over.wait() for path in site.pages}
    url, folder = postgresql.url(database), tmp_path / "first"
    folder.mkdir()
    for _ in range(2):
        first = Crawling(site, folder, url)
        first.wait_for(pages=1)
        given = {"JOBDIR": None, "JOB": "job", "LEDGER_URL": url}
        second = job(settings=given)
        assert second.exit_code == 75
        assert re.fullmatch(
            rf"scrapy crawl: job: job in postgresql://127\.0\.0\.1:\d+/{database} is held by "
            rf"process {first.pid} on {re.escape(socket.gethostname())} since [-\d]+ [:\d]+ UTC; "
            r"run again when it has ended\n",
            second.stderr,
        )
        status = scrapy("status", "-sJOB=job", f"-sLEDGER_URL={url}").stdout
        assert f"running: process {first.pid} on" in status
        assert job(settings={**given, "JOB": "other"}).exit_code == 0
        first.kill()
    site.misbehaviour = {}
    is_over.set()
    # A dead process's lock blocks no other.
    Crawling(site, folder, url).check()

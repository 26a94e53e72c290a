"""Jobs whose ledger is in PostgreSQL."""

import gzip
import json
import os
import random
import re
import shutil
import socket
import string
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import kill
import pytest
from conftest import PATIENCE, ROOT, Crawl, Run, WebCrawl, command, environment, wait_until
from databases import PROTECTED, CuttingProxy, Server
from hosted import Answer
from jobs import LINKS_OF_SCHEMA_7, new_ledger, place_in
from stories import HTML, TEXT

from crawler.crawl.ledger.places import Place

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
    "after a commit": lambda data, from_server: from_server and b"COMMIT\0" in data,
    "before a commit": before_commits(),
    "in a commit": lambda data, from_server: from_server and b"INSERT 0 " in data,
    "in a read": lambda data, from_server: from_server and b"SELECT " in data,
}
"""When to cut connections, as functions of a piece of data, and whether it is from the server."""


@pytest.mark.slow_after(1)
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


@pytest.mark.slow
def test_a_server_that_is_away_at_the_start(
    site: kill.Site, postgresql: Server, database: str, proxy: CuttingProxy, tmp_path: Path
) -> None:
    proxy.is_open.clear()
    crawling = Crawling(site, tmp_path, postgresql.url(database, port=proxy.port))
    crawling.wait_for(message="waiting for the database for up to 60 s")
    proxy.is_open.set()
    crawling.check()


@pytest.mark.slow
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


@pytest.mark.slow
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
            rf"process {first.pid} on {re.escape(socket.gethostname())} since \S+ \S+ UTC; "
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


SECRET = "pä:s/s@w?o#r%d"


@pytest.fixture
def protected_url(postgresql: Server, database: str, proxy: CuttingProxy) -> Iterator[str]:
    """The URL of a database, with a role that has a schema, ``job``, and a password in the URL."""
    with postgresql.new_role(PROTECTED, SECRET) as role:
        postgresql.execute(f"CREATE SCHEMA job AUTHORIZATION {role}", database=database)
        role_and_password = f"{role}:{quote(SECRET, safe='')}"
        yield postgresql.url(database, role=role_and_password, port=proxy.port)
        postgresql.execute("DROP SCHEMA job CASCADE", database=database)


@pytest.mark.slow
def test_the_password_is_shown_nowhere(
    protected_url: str,
    proxy: CuttingProxy,
    job: Crawl,
    scrapy: Crawl,
    tmp_path: Path,
) -> None:
    def assert_hidden(run: Run, exit_code: int) -> None:
        assert run.exit_code == exit_code, run.stderr
        for text in (run.stdout, run.stderr):
            assert SECRET not in text and quote(SECRET, safe="") not in text

    given = {"LEDGER_URL": protected_url, "LOG_LEVEL": "DEBUG", "LEDGER_PATIENCE": 0}
    arguments = {"archive": "pages.warc.gz", "settings": {**given, "REPORT": "report.html"}}
    assert_hidden(job("-o", "all.jsonl", **arguments), 0)
    options = [f"-s{name}={value}" for name, value in {**given, "JOBDIR": "job"}.items()]
    for words in (
        ("status", "--json"),
        ("why", "1752038"),
        ("export", "-o", "tables/"),
        ("report", "-o", "job.html"),
        ("settings", "--get", "LEDGER_URL"),
    ):
        run = scrapy(*words, *options)
        if words[0] != "settings":
            assert_hidden(run, 0)
    encoded = quote(SECRET, safe="")
    wrong = protected_url.replace(encoded, f"{encoded}{encoded}")
    unknown = protected_url.replace("127.0.0.1", "nowhere.invalid")
    unreadable = protected_url.replace(f":{proxy.port}", ":port")
    for url, message in (
        (wrong, "password authentication failed"),
        (unknown, "nowhere.invalid"),
        (unreadable, "LEDGER_URL: got a URL that cannot be read"),
    ):
        run = job(settings={**given, "LEDGER_URL": url})
        assert message in run.stderr
        assert_hidden(run, 2 if url == unreadable else 1)
    proxy.watch = lambda data, from_server: proxy.cut() if b"INSERT 0 " in data else None
    assert_hidden(job(settings=given, recheck="all"), 1)
    for file in tmp_path.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            if file.suffix == ".gz":
                content = gzip.decompress(content)
            assert SECRET.encode() not in content and encoded.encode() not in content, file


@pytest.mark.slow
def test_a_password_in_a_file(protected_url: str, job: Crawl, tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    file.write_text(f"*:*:*:{PROTECTED}:{SECRET.replace(':', chr(92) + ':')}\n", encoding="utf-8")
    file.chmod(0o600)
    url = protected_url.replace(f":{quote(SECRET, safe='')}", "")
    variables = {"LEDGER_URL": url, "PGPASSFILE": str(file)}
    assert job(variables=variables).exit_code == 0
    assert not (tmp_path / "job" / "ledger.sqlite").exists()
    # PostgreSQL's library ignores a file that others may read.
    file.chmod(0o644)
    refused = job(variables=variables)
    assert refused.exit_code == 1
    assert "no password supplied; check the names in LEDGER_URL, and the password" in refused.stderr
    assert "waiting for the database" not in refused.stderr


@pytest.mark.slow
def test_jobs_do_not_see_each_other(
    job: Crawl, scrapy: Crawl, postgresql: Server, database: str
) -> None:
    url = postgresql.url(database)
    first, second = ({"LEDGER_URL": url, "JOBDIR": None, "JOB": name} for name in ("Ä b", 'c"d'))
    records = lasting(job(settings=first))
    assert lasting(job(settings=second)) == records
    assert lasting(job(settings={**first, "RECHECK_MIN": 0})) == []
    for number, settings in ((2, first), (1, second)):
        words = [f"-s{name}={value}" for name, value in settings.items() if value is not None]
        status = json.loads(scrapy("status", "--json", *words).stdout)
        assert len(status["runs"]) == number
        assert status["balance"]["discovered"] == len(records)


def lasting(run: Run) -> list[dict[str, Any]]:
    """Return the records of a crawl that succeeded, in order, without times."""
    assert run.exit_code == 0, run.stderr
    return sorted(kill.lasting(run.records).values(), key=lambda record: record["id"])


@pytest.mark.slow
def test_a_role_with_rights_on_one_schema(
    job: Crawl, scrapy: Crawl, postgresql: Server, database: str
) -> None:
    postgresql.execute(
        f"REVOKE ALL ON DATABASE {database} FROM PUBLIC", "REVOKE ALL ON SCHEMA public FROM PUBLIC"
    )
    with postgresql.new_role("narrow") as role, postgresql.new_role("reader") as reader:
        given = {"LEDGER_URL": postgresql.url(database, role=role), "JOBDIR": None, "JOB": "j"}
        postgresql.execute(f"GRANT CONNECT ON DATABASE {database} TO {role}, {reader}")
        refused = job(settings=given)
        assert refused.exit_code == 1
        assert "permission denied" in refused.stderr
        assert "run CREATE SCHEMA job AUTHORIZATION role" in refused.stderr
        postgresql.execute(f"CREATE SCHEMA j AUTHORIZATION {role}", database=database)
        assert job(settings=given).exit_code == 0
        assert job(settings={**given, "RECHECK_MIN": 0}).exit_code == 0
        postgresql.execute(
            f"GRANT USAGE ON SCHEMA j TO {reader}",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA j TO {reader}",
            database=database,
        )
        words = [f"-sLEDGER_URL={postgresql.url(database, role=reader)}", "-sJOB=j"]
        for command in ("status", "export"):
            assert scrapy(command, *words).exit_code == 0
        refused = job(settings={**given, "LEDGER_URL": postgresql.url(database, role=reader)})
        assert (refused.exit_code, "permission denied" in refused.stderr) == (1, True)
        postgresql.execute("DROP SCHEMA j CASCADE", f"DROP OWNED BY {reader}", database=database)
        postgresql.execute(f"REVOKE ALL ON DATABASE {database} FROM {role}, {reader}")


LONG_NAME = "takes a name of at most 63 bytes"
WRONG: dict[str, tuple[dict[str, str], int, str]] = {
    "another database": (
        {"LEDGER_URL": "mysql://me:secret@host/jobs"},
        2,
        "LEDGER_URL: got a URL of 'mysql', takes postgresql+psycopg://HOST/DATABASE, with USER@",
    ),
    "no URL": ({"LEDGER_URL": "secret"}, 2, "LEDGER_URL: got a value that is no URL, takes"),
    "no port": (
        {"LEDGER_URL": "postgresql://me:secret@host:x/jobs"},
        2,
        "LEDGER_URL: got a URL that cannot be read, takes",
    ),
    "no job": ({"JOB": ""}, 2, "job: missing; a database holds many jobs"),
    "no database": ({"LEDGER_URL": "", "JOB": "job"}, 2, "and LEDGER_URL is missing"),
    "a name of PostgreSQL's": ({"JOB": "pg_job"}, 2, LONG_NAME),
    "a schema of PostgreSQL's": ({"JOB": "information_schema"}, 2, LONG_NAME),
    "a long name": ({"JOB": "ä" * 32}, 2, LONG_NAME),
    "a name of two lines": ({"JOB": "a\nb"}, 2, "job: got 'a\\nb', takes a name"),
    "patience": ({"LEDGER_PATIENCE": "much"}, 2, "LEDGER_PATIENCE: got 'much', takes seconds"),
    "an unknown database": (
        {"LEDGER_URL": "postgresql://crawler@127.0.0.1:{port}/nothing"},
        1,
        'database "nothing" does not exist',
    ),
    "an unknown role": (
        {"LEDGER_URL": "postgresql://nobody@127.0.0.1:{port}/{database}"},
        1,
        'role "nobody" does not exist',
    ),
    "nobody listens": (
        {"LEDGER_URL": "postgresql://crawler@127.0.0.1:1/x", "LEDGER_PATIENCE": "0.1"},
        1,
        "check that the database is running and that LEDGER_URL leads to it",
    ),
}


@pytest.mark.slow_after(2)
@pytest.mark.parametrize("case", WRONG)
def test_wrong_settings(scrapy: Crawl, postgresql: Server, database: str, case: str) -> None:
    given, exit_code, message = WRONG[case]
    settings = {"LEDGER_URL": postgresql.url(database), "JOB": "job", **given}
    settings["LEDGER_URL"] = settings["LEDGER_URL"].format(port=postgresql.port, database=database)
    words = [f"-s{name}={value}" for name, value in settings.items()]
    for line in (("crawl", "articles", "-aseed=1"), ("status",)):
        run = scrapy(*line, *words)
        assert (run.exit_code, run.stdout) == (exit_code, "")
        assert message in run.stderr
        assert run.stderr.count("\n") == 1 or "waiting for the database" in run.stderr
        assert "secret" not in run.stderr


@pytest.mark.slow
def test_the_driver_is_missing(tmp_path: Path) -> None:
    (tmp_path / "psycopg.py").write_text("raise ModuleNotFoundError(name='psycopg')")
    words = command("status", "-s", "JOB=job", "-s", "LEDGER_URL=postgresql://host/jobs")
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    run = subprocess.run(
        words,
        cwd=tmp_path,
        env={**environment(), "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert run.stderr.endswith("is missing; install it with pip install '.[postgres]'\n")


@pytest.mark.slow
def test_a_ledger_of_another_schema(
    job: Crawl, scrapy: Crawl, postgresql: Server, database: str
) -> None:
    given = {"LEDGER_URL": postgresql.url(database)}
    status = ["status", "--json", "-sJOB=job", f"-sLEDGER_URL={given['LEDGER_URL']}"]
    assert job(settings=given).exit_code == 0
    expected = json.loads(scrapy(*status).stdout)
    postgresql.execute(
        "ALTER TABLE job.runs DROP COLUMN asked, DROP COLUMN exit_code",
        "DROP TABLE job.page_links, job.linking_pages",
        *(f"CREATE TABLE job.{table}" for table in LINKS_OF_SCHEMA_7),
        "UPDATE job.job SET version = 5",
        database=database,
    )
    expected["runs"][0] |= {"asked": None, "exit_code": None}
    migrated = json.loads(scrapy(*status).stdout)
    assert migrated.pop("ledger_bytes") < expected.pop("ledger_bytes")
    assert migrated == expected
    postgresql.execute("UPDATE job.job SET version = 99", database=database)
    run = scrapy(*status)
    assert run.exit_code == 1
    assert "was written by a newer version of this program (schema 99" in run.stderr


@pytest.fixture
def place(postgresql: Server, database: str, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The place of a ledger, in whose database a table has two numbers."""
    monkeypatch.setenv("LEDGER_URL", postgresql.url(database))
    statement = "CREATE TABLE public.numbers AS SELECT * FROM (VALUES ('a', 0), ('b', 0)) n (id, n)"
    postgresql.execute(statement, database=database)
    return place_in(Path("job"))


def increment(name: str) -> bytes:
    return f"UPDATE public.numbers SET n = n + 1 WHERE id = '{name}'".encode()


def numbers(postgresql: Server, database: str) -> list[Any]:
    with postgresql.connect(database) as connection:
        return connection.execute("SELECT n FROM public.numbers ORDER BY id").fetchall()


def test_a_deadlock(place: Place, postgresql: Server, database: str) -> None:
    tries = 0
    with closing(new_ledger(Path("job"))) as ledger, postgresql.connect(database) as other:
        # The ledger's own session is the one that finds the deadlock, and ends.
        other.execute("SET deadlock_timeout TO '1min'")
        other.execute("BEGIN")
        other.execute(increment("b"))
        rest = threading.Thread(target=lambda: (other.execute(increment("a")), other.commit()))

        def write(connection: Any) -> str:
            nonlocal tries
            tries += 1
            connection.exec_driver_sql(increment("a").decode())
            if tries == 1:
                rest.start()
            connection.exec_driver_sql(increment("b").decode())
            return f"try {tries}"

        assert ledger.store(write) == "try 2"
        rest.join()
    assert numbers(postgresql, database) == [(2,), (2,)]


def test_a_serialization_failure(place: Place, postgresql: Server, database: str) -> None:
    tries = 0
    isolation = f"ALTER DATABASE {database} SET default_transaction_isolation TO 'repeatable read'"
    postgresql.execute(isolation)

    def write(connection: Any) -> str:
        nonlocal tries
        tries += 1
        connection.exec_driver_sql("SELECT * FROM public.numbers").all()
        if tries < 3:
            postgresql.execute(increment("a").decode(), database=database)
        connection.exec_driver_sql(increment("a").decode())
        return f"try {tries}"

    with closing(new_ledger(Path("job"))) as ledger:
        assert ledger.store(write) == "try 3"
    assert numbers(postgresql, database) == [(3,), (0,)]

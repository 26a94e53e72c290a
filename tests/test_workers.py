"""Several workers on one job: they leave what one process leaves, whatever happens to them."""

import json
import random
import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import deadly
import kill
import kill_workers
import pytest
from conftest import IMPATIENT, SEED_TEXT, SITE, Crawl, clock, small_disk, wait_until
from databases import Server
from hosted import Site, hosted
from ledger_contents import contents, differences
from made_publisher import make_web
from server import NewsServer, answer
from team_crawls import JOB, LEASE, Team, Truth, feeds_in, team_of, truth_of
from test_crawl_live import drop, hang, redirect_to_itself
from test_list_seeds import HOST as NEWSROOM_HOST
from test_list_seeds import ROOT, Newsroom
from warcio.archiveiterator import ArchiveIterator

from crawler.crawl.ledger import history
from crawler.crawl.ledger.job import read


@pytest.fixture(scope="module")
def site() -> Iterator[kill.Site]:
    """Serve 100 linked pages."""
    with kill.Site(100) as running:
        running.serve(kill.KINDS[0])
        yield running


@pytest.fixture(autouse=True)
def forget_requests(site: kill.Site) -> None:
    site.requests.clear()


@pytest.fixture(scope="module")
def truth(site: kill.Site, tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return truth_of(kill.line(site.url), tmp_path_factory.mktemp("truth") / "one")


# The server counts with a delay.
VACUUMED = """
    SELECT relname FROM pg_stat_user_tables
    WHERE schemaname = current_schema AND vacuum_count > 0 ORDER BY relname
"""


def test_three_workers(
    site: kill.Site, truth: Truth, postgresql: Server, database: str, tmp_path: Path
) -> None:
    with team_of(3, kill.line(site.url), tmp_path, postgresql, database) as team:
        team.wait_until_delivered(20)
        team.writer().kill()
        team.check(truth)
        wait_until(lambda: team.rows(VACUUMED) == [("deliveries",), ("leases",)], team.logs)


# Crawls of each kind. All of them lose their writer midway.


@dataclass
class Kind:
    """A crawl: the sites that are hosted, or a function that prepares a server, and the words."""

    words: list[str]
    sites: dict[str, Site] = field(default_factory=dict)
    prepare: Callable[[NewsServer], list[str]] | None = None
    after: int = 5
    """How many pages the workers deliver before the writer is killed."""


def words_of(settings: dict[str, object] | None = None, **arguments: object) -> list[str]:
    given = {**IMPATIENT, "CONCURRENT_REQUESTS_PER_DOMAIN": 8, **(settings or {})}
    return [
        *("crawl", "articles"),
        *(f"-a{name}={value}" for name, value in arguments.items()),
        *(f"-s{name}={value}" for name, value in given.items()),
    ]


def many_failures(server: NewsServer) -> list[str]:
    """Let pages fail in all ways, some of them only at the first request of each crawl."""

    def recovers(handler: BaseHTTPRequestHandler, before: int) -> None:
        if before % 2:
            answer(handler, 200, server.pages[handler.path])
        else:
            answer(handler, 503, headers={"Retry-After": "1"})

    def is_down(handler: BaseHTTPRequestHandler, before: int) -> None:
        answer(handler, 503)

    def is_no_article(handler: BaseHTTPRequestHandler, before: int) -> None:
        answer(handler, 200, b"<html><body><h1>Log in</h1><form></form></body></html>")

    def moves(handler: BaseHTTPRequestHandler, before: int) -> None:
        answer(handler, 302, headers={"Location": list(server.pages)[1]})

    misbehaviours = (recovers, is_down, is_no_article, hang, drop, redirect_to_itself, moves)
    paths = random.Random(1).sample(list(server.pages)[1:], 4 * len(misbehaviours))
    server.misbehaviour = {
        path: misbehaviours[number % len(misbehaviours)] for number, path in enumerate(paths)
    }
    return []


def in_the_wayback_machine(server: NewsServer) -> list[str]:
    """Answer for an archive on the web, which has several captures of some pages."""

    def respond(handler: BaseHTTPRequestHandler, before: int) -> None:
        found = re.search(r"news(?:/|%2F)(\d+)", handler.path)
        path = f"/news/{found[1]}" if found else ""
        if handler.path.startswith("/cdx"):
            head = ["timestamp", "original", "mimetype", "statuscode", "digest"]
            captures = [
                [f"2015102{day}100000", f"http://en.alalam.ir{path}", "text/html", "200", str(day)]
                for day in range(1 + path.endswith("3"))
            ]
            answer(handler, 200, json.dumps([head, *captures] if path in pages else []).encode())
        elif path.endswith("3") and "20151021" in handler.path:
            answer(handler, 200, b"<h1>Captured while it was broken</h1>")
        else:
            moment = {"Memento-Datetime": "Fri, 23 Oct 2015 10:00:00 GMT"}
            answer(handler, 200, pages[path], moment)

    pages = server.pages
    server.answer_with = respond
    return [f"-sWAYBACK_URL={server.url}/web", "-sWAYBACK_DELAY=0"]


WEB = make_web(40)
SEED = WEB.publisher.seed.address
NEWSROOM = {NEWSROOM_HOST: Newsroom(28)}
SLOWLY: dict[str, object] = {"DOWNLOAD_DELAY": 0.5, "CONCURRENT_REQUESTS_PER_DOMAIN": 1}
OF_SERVER = {"seed": kill.FIRST_ID, "follow": "all", "depth": 1000, "match": kill.MATCH}
KINDS = {
    "limit": Kind(words_of(**{**OF_SERVER, "limit": 41}), prepare=lambda server: []),
    "depth": Kind(words_of(**{**OF_SERVER, "depth": 3}), prepare=lambda server: []),
    "failures": Kind(
        words_of({"DOWNLOAD_TIMEOUT": 5, "RETRY_TIMES": 1, "SITE_DOWN_AFTER": 0}, **OF_SERVER),
        prepare=many_failures,
    ),
    "wayback": Kind(
        words_of(source="wayback", **{**OF_SERVER, "depth": 4}), prepare=in_the_wayback_machine
    ),
    "aliases and redirects": Kind(words_of(seed=SEED, depth=30, follow="all"), WEB.sites),
    "several publishers": Kind(words_of(seed=SEED, depth=30, hosts="any"), WEB.sites),
    "front page": Kind(words_of(SLOWLY, seed=f"{ROOT}/"), NEWSROOM, after=1),
    "feeds and a day": Kind(
        words_of(SLOWLY, seed=f"feeds:{ROOT}/", since="2026-05-20"), NEWSROOM, after=2
    ),
    "sitemap": Kind(
        words_of(SLOWLY, seed=f"{ROOT}/sitemap_index.xml", until="2026-05-20"), NEWSROOM
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", KINDS)
def test_each_kind_of_crawl(postgresql: Server, database: str, tmp_path: Path, case: str) -> None:
    kind = KINDS[case]
    words, variables = kind.words, {}
    with ExitStack() as stack:
        if kind.prepare is not None:
            server = stack.enter_context(kill.Site(70))
            server.serve(kill.KINDS[0])
            words = [*words, *kind.prepare(server)]
            words += [] if "-asource=wayback" in words else [f"-abase_url={server.url}"]
        else:
            (tmp_path / "web").mkdir()
            web = stack.enter_context(hosted(kind.sites, tmp_path / "web"))
            words, variables = [*words, f"-sTLS_CA_FILE={web.ca_file}"], web.environment
        truth = truth_of(words, tmp_path / "one", **variables)
        assert len(truth.records) >= 4
        team = stack.enter_context(team_of(3, words, tmp_path, postgresql, database, **variables))
        team.wait_until_delivered(kind.after)
        team.writer().kill()
        team.start()
        team.check(truth)


@pytest.mark.slow
@pytest.mark.parametrize("kind", kill.KINDS[1:3], ids=lambda kind: kind.name)
def test_saved_pages(postgresql: Server, database: str, tmp_path: Path, kind: kill.Kind) -> None:
    with kill.Site(60) as site:
        words = kill.line(site.url, *site.source(kind))
        site.serve(kind)
        truth = truth_of(words, tmp_path / "one")
        sources = {one["source"] for one in truth.records.values() if one["kind"] == "article"}
        assert len(sources) == len(kind.sources)
        with team_of(3, words, tmp_path, postgresql, database) as team:
            team.wait_until_delivered(10)
            team.writer().kill()
            team.check(truth)


# What may happen to a worker, or to the writer.

Blow = Callable[[Team, str], object]


def chosen(team: Team, which: str) -> kill_workers.Worker:
    return team.writer() if which == "writer" else team.others()[0]


def kill_one(team: Team, which: str) -> None:
    chosen(team, which).kill()


def stop_one(team: Team, which: str) -> None:
    chosen(team, which).stop_for(LEASE + 1)


def silence_one(team: Team, which: str) -> None:
    chosen(team, which).fall_silent_for(LEASE + 1)


def cut_one(team: Team, which: str) -> None:
    chosen(team, which).proxy.cut()


def restart(team: Team, which: str) -> None:
    team.server.control("restart", "-m", "immediate")


def kill_all(team: Team, which: str) -> None:
    for worker in team.alive:
        worker.kill()
    for _ in range(3):
        team.start()


BLOWS: dict[str, Blow] = {
    "killed": kill_one,
    "stopped": stop_one,
    "silent": silence_one,
    "cut off": cut_one,
}


@pytest.mark.slow
@pytest.mark.parametrize("which", ["writer", "worker"])
@pytest.mark.parametrize("case", BLOWS)
def test_a_blow(
    site: kill.Site,
    truth: Truth,
    postgresql: Server,
    database: str,
    tmp_path: Path,
    case: str,
    which: str,
) -> None:
    with team_of(3, kill.line(site.url), tmp_path, postgresql, database) as team:
        for count in (15, 50):
            team.wait_until_delivered(count)
            BLOWS[case](team, which)
        team.check(truth)


@pytest.mark.slow
@pytest.mark.parametrize("blow", [restart, kill_all])
def test_a_blow_to_all(
    site: kill.Site,
    truth: Truth,
    postgresql: Server,
    database: str,
    tmp_path: Path,
    blow: Blow,
) -> None:
    with team_of(3, kill.line(site.url), tmp_path, postgresql, database) as team:
        for count in (15, 50):
            team.wait_until_delivered(count)
            blow(team, "")
        team.check(truth)


ENDS_RUN = re.compile(rb".*UPDATE runs SET [^\0]*\bended=", re.DOTALL)


@pytest.mark.slow
@pytest.mark.parametrize("is_committed", [True, False])
def test_a_writer_that_is_cut_off_at_the_end_of_the_run(
    site: kill.Site,
    truth: Truth,
    postgresql: Server,
    database: str,
    tmp_path: Path,
    is_committed: bool,
) -> None:
    is_ending, is_cut = threading.Event(), threading.Event()

    def watch(data: bytes, from_server: bool) -> None:
        if ENDS_RUN.match(data):
            is_ending.set()
        if not is_ending.is_set() or is_cut.is_set():
            return
        if not is_committed or (from_server and team.rows("SELECT 1 FROM runs WHERE ended > ''")):
            is_cut.set()
            proxy.is_open.clear()
            proxy.cut()

    with team_of(3, kill.line(site.url), tmp_path, postgresql, database) as team:
        team.wait_until_delivered(15)
        writer = team.writer()
        proxy = writer.proxy
        proxy.watch = watch
        wait_until(is_cut.is_set, team.logs)
        if is_committed:
            # As another process would, before it sees that the run is over.
            team.rows("UPDATE hold SET holders = holders + 1 RETURNING holders")
        else:
            wait_until(lambda: team.writer() is not writer, team.logs)
        proxy.is_open.set()
        if is_committed:
            team.check(truth)
            return
        # The feeds are written again, by the process that ends the run.
        assert {worker.exit_code() for worker in team.workers} == {truth.exit_code}, team.logs()
        assert not differences(contents(team.place), truth.ledger)
        written = [feeds_in(worker.folder) for worker in team.workers]
        written = [records for records in written if records]
        assert len(written) == 2
        assert all(kill.lasting(records) == truth.records for records in written)


@pytest.mark.slow
def test_wrong_clocks(
    site: kill.Site, truth: Truth, postgresql: Server, database: str, tmp_path: Path
) -> None:
    with team_of(0, kill.line(site.url), tmp_path, postgresql, database) as team:
        for offset in ("+7m", "-11m", "+1m"):
            team.start(**clock(offset))
        for count in (15, 50):
            team.wait_until_delivered(count)
            team.writer().kill()
        team.check(truth)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_disturbances(
    site: kill.Site, truth: Truth, postgresql: Server, tmp_path: Path, seed: int
) -> None:
    """See kill_workers.py, which does this for many more pages and seeds."""
    kill_workers.disturbed_crawl(site, truth, tmp_path, postgresql, random.Random(seed))


# The archives of several workers.


def records_in(file: Path) -> dict[str, tuple[int, str, str, str | None]]:
    """Return the place, type, URL and original of each record of a WARC file, by its id."""
    found = {}
    with file.open("rb") as stream:
        archive = ArchiveIterator(stream, check_digests="raise")
        for record in archive:
            headers = record.rec_headers
            found[headers.get_header("WARC-Record-ID")] = (
                archive.get_record_offset(),
                record.rec_type,
                headers.get_header("WARC-Target-URI"),
                headers.get_header("WARC-Refers-To"),
            )
            record.content_stream().read()
    return found


def crawl_to_archives(
    site: kill.Site, folder: Path, postgresql: Server, database: str, *words: str
) -> tuple[Team, dict[str, dict[str, tuple[int, str, str, str | None]]]]:
    """Crawl with three workers; return the records of the archive of each by its name."""
    line = kill.line(site.url, *words, at_once=3)
    with team_of(0, line, folder, postgresql, database) as team:
        for number in range(3):
            team.start("-a", f"archive={folder.name}-{number}.warc.gz")
        assert {worker.exit_code() for worker in team.workers} == {0}, team.logs()
        files = (next(worker.folder.glob("*.warc.gz")) for worker in team.workers)
        return team, {file.name: records_in(file) for file in files}


@pytest.mark.slow
def test_archives(site: kill.Site, postgresql: Server, database: str, tmp_path: Path) -> None:
    team, archives = crawl_to_archives(site, tmp_path / "first", postgresql, database)
    urls = {one["id"]: one["url"] for one in team.records() if one["kind"] == "article"}
    responses = [
        (record_id, record[2])
        for records in archives.values()
        for record_id, record in records.items()
        if record[1] == "response"
    ]
    # On a busy machine, a worker may lose a page, which another one then archives, too.
    assert set(urls.values()) <= {url for _, url in responses}
    assert all(len(records) > 3 for records in archives.values())
    with closing(read(team.place)) as ledger, ledger.snapshot() as connection:
        edges = list(history.edges(connection))
    assert edges
    for edge in edges:
        record_id, place = edge.first_evidence
        file, _, offset = (place or "").rpartition(", offset ")
        found_at, kind, url, _ = archives[Path(file).name][record_id or ""]
        assert (found_at, kind, url) == (int(offset), "response", urls[edge.source])

    team, again = crawl_to_archives(
        site, tmp_path / "second", postgresql, database, "-arecheck=all"
    )
    assert team.records() == []
    file_of = {record_id: name for name, records in archives.items() for record_id in records}
    revisits = 0
    others = 0
    for name, records in again.items():
        for _, kind, url, original in records.values():
            assert kind != "response" or url not in urls.values()
            if kind == "revisit" and url in urls.values():
                revisits += 1
                first = file_of[original or ""]
                assert archives[first][original or ""][2] == url
                others += first[-9:] != name[-9:]
    assert revisits >= len(urls)
    assert others


@pytest.mark.slow
def test_a_worker_that_cannot_archive_leaves(
    site: kill.Site, truth: Truth, postgresql: Server, database: str, tmp_path: Path
) -> None:
    words = kill.line(site.url)
    with (
        small_disk(tmp_path / "disk", "16k") as disk,
        team_of(2, words, tmp_path, postgresql, database) as team,
    ):
        full = team.start("-a", f"archive={disk / 'pages.warc.gz'}")
        assert full.exit_code() == 1
        assert "No space left on device" in full.log or "full" in full.log
        assert "Traceback" not in full.log
        team.forget(full)
        team.check(truth)


# Workers that do not fit together, and workers that leave.


@pytest.fixture
def waiting(site: kill.Site) -> Iterator[None]:
    """Let no page be answered during a test."""
    is_over = threading.Event()
    site.misbehaviour = {path: lambda handler, before: is_over.wait() for path in site.pages}
    yield
    is_over.set()
    site.misbehaviour = {}


@pytest.mark.slow
@pytest.mark.usefixtures("waiting")
def test_other_arguments(
    site: kill.Site, postgresql: Server, database: str, tmp_path: Path
) -> None:
    with team_of(1, kill.line(site.url), tmp_path, postgresql, database) as team:
        wait_until(lambda: "joined run 1" in team.workers[0].log, team.logs)
        other = team.start("-adepth=7")
        assert other.exit_code() == 2
        for depth in ("1000", "7"):
            assert f'"depth": "{depth}"' in other.log
        assert "is being crawled with other arguments" in other.log
        assert team.workers[0].is_alive


@pytest.mark.slow
@pytest.mark.usefixtures("waiting")
def test_a_job_that_a_single_process_holds(
    site: kill.Site, postgresql: Server, database: str, tmp_path: Path
) -> None:
    words = kill.line(site.url)
    with team_of(0, words, tmp_path, postgresql, database) as team:
        alone = team.start("-sWORKERS=")
        wait_until(lambda: team.place.holder() is not None, team.logs)
        joining = team.start()
        assert joining.exit_code() == 75
        assert f"is held by process {alone.pid} on" in joining.log
        assert "which shares it with nobody" in joining.log
        alone.kill()
        # And the other way round.
        first = team.start()
        wait_until(lambda: "joined run" in first.log, team.logs)
        late = team.start("-sWORKERS=")
        assert late.exit_code() == 75
        assert f"is held by process {first.pid} on" in late.log


WRONG: dict[str, tuple[list[str], str]] = {
    "value": (["-sWORKERS=nonsense"], "WORKERS: got 'nonsense', takes join"),
    "everything": (
        ["-aseed=all", "-asource=tests/site"],
        "WORKERS: got seed=all, takes seeds to start from",
    ),
    "saved page": (["-aseed={page}"], "WORKERS: got the saved page {page} as a seed"),
    "lease": (["-sWORKER_LEASE=soon"], "WORKER_LEASE: got 'soon'"),
    "no database": (["-sLEDGER_URL=", "-sJOB="], "WORKERS: several processes share a job only"),
}


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("case", WRONG)
def test_wrong_settings(
    scrapy: Crawl, postgresql: Server, database: str, tmp_path: Path, case: str
) -> None:
    words, message = WRONG[case]
    (tmp_path / "tests").symlink_to(SITE.parent)
    saved = str(SEED_TEXT)
    run = scrapy(
        *("crawl", "articles", "-aseed=1", "-sWORKERS=join", "-sJOB=wrong"),
        *(word.format(page=saved) for word in words),
        LEDGER_URL="" if case == "no database" else postgresql.url(database),
    )
    assert run.exit_code == 2, run.stderr
    assert message.format(page=saved) in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("which", ["writer", "worker"])
def test_a_worker_that_is_asked_to_leave(
    site: kill.Site,
    truth: Truth,
    postgresql: Server,
    database: str,
    tmp_path: Path,
    which: str,
    number: signal.Signals,
) -> None:
    with team_of(3, kill.line(site.url), tmp_path, postgresql, database) as team:
        team.wait_until_delivered(15)
        leaving = chosen(team, which)
        leaving.signal(number)
        assert leaving.exit_code() == 3, leaving.log
        # Its pages are free at once, and so is the place of the writer.
        [(left, pages)] = team.rows(
            "SELECT left_at IS NOT NULL, (SELECT count(*) FROM leases l WHERE l.worker = w.worker "
            "AND NOT EXISTS (SELECT FROM deliveries d WHERE d.lease = l.lease)) "
            f"FROM workers w WHERE process LIKE 'process {leaving.pid} on %'"
        )
        assert (left, pages) == (True, 0)
        assert not list(leaving.folder.rglob("*.jsonl"))
        team.forget(leaving)
        team.check(truth)


@pytest.mark.slow
def test_a_worker_that_joins_while_the_writer_leaves(
    site: kill.Site, truth: Truth, postgresql: Server, database: str, tmp_path: Path
) -> None:
    with team_of(1, kill.line(site.url), tmp_path, postgresql, database) as team:
        team.wait_until_delivered(5)
        leaving, late = team.writer(), team.start()
        late.proxy.speaks.clear()
        wait_until(lambda: late.proxy.connections, team.logs)
        leaving.signal(signal.SIGINT)
        wait_until(lambda: team.rows("SELECT 1 FROM workers WHERE is_leaving"), team.logs)
        late.proxy.speaks.set()
        assert leaving.exit_code() == 3, leaving.log
        team.forget(leaving)
        team.check(truth)
        assert team.rows("SELECT count(*) FROM runs") == [(1,)]


@pytest.mark.slow
def test_the_last_worker_that_is_asked_to_leave(
    site: kill.Site, truth: Truth, postgresql: Server, database: str, tmp_path: Path
) -> None:
    with team_of(2, kill.line(site.url), tmp_path, postgresql, database) as team:
        team.wait_until_delivered(15)
        for worker in (*team.others(), team.writer()):
            worker.signal(signal.SIGTERM)
            assert worker.exit_code() == 3
        assert "nothing is lost: run the same command again" in team.logs()
        # The last one has written the feeds of what there was.
        assert len(team.records()) >= 15
        [(ended,)] = team.rows("SELECT ended IS NOT NULL FROM runs")
        assert ended
        first = {record["id"] for record in team.records() if record["kind"] == "article"}
        for worker in list(team.workers):
            team.forget(worker)
        team.start()
        assert team.workers[-1].exit_code() == 0
        last = {record["id"] for record in team.records() if record["kind"] == "article"}
        everything = {key for key, one in truth.records.items() if one["kind"] == "article"}
        assert (first | last, first & last) == (everything, set())


@pytest.mark.slow
def test_a_database_that_stays_away(
    site: kill.Site, truth: Truth, postgresql: Server, database: str, tmp_path: Path
) -> None:
    words = kill.line(site.url, "-s", "LEDGER_PATIENCE=1")
    with team_of(3, words, tmp_path, postgresql, database) as team:
        team.wait_until_delivered(15)
        for worker in team.workers:
            worker.proxy.is_open.clear()
            worker.proxy.cut()
        assert {worker.exit_code() for worker in team.workers} == {1}
        assert "Traceback" not in team.logs()
        for worker in list(team.workers):
            assert "run the same command again to continue" in worker.log
            assert not list(worker.folder.rglob("*.jsonl"))
            team.forget(worker)
        team.start()
        team.start()
        assert {worker.exit_code() for worker in team.workers} == {0}
        assert not differences(contents(team.place), truth.ledger)


REFUSING = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'no more orders'; END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON leases EXECUTE FUNCTION refuse()
"""


@pytest.mark.slow
def test_a_database_that_refuses_orders(
    site: kill.Site, truth: Truth, postgresql: Server, database: str, tmp_path: Path
) -> None:
    def change(statements: str) -> None:
        with postgresql.connect(database) as connection:
            connection.execute(f"SET search_path TO {JOB}; {statements}".encode())

    def exit_code(folder: str, *words: str) -> int:
        words = (*kill.line(site.url), *words)
        with team_of(1, list(words), tmp_path / folder, postgresql, database) as team:
            [worker] = team.workers
            code = worker.exit_code()
            assert "Traceback" not in worker.log
            assert ("no more orders" in worker.log) == (code == 1)
        return code

    assert exit_code("seed", "-a", "depth=0") == truth.exit_code
    change(REFUSING)
    assert exit_code("refused") == 1
    change("DROP TRIGGER refuse ON leases")
    assert exit_code("all") == truth.exit_code


@pytest.mark.slow
def test_a_page_that_ends_every_worker(
    site: kill.Site, postgresql: Server, database: str, tmp_path: Path
) -> None:
    """It is given up, so that the crawl of all others ends."""
    middleware = 'DOWNLOADER_MIDDLEWARES={"deadly.Deadly": 60}'
    words = kill.line(site.url, "-s", middleware, at_once=1)
    codes: list[int] = []
    with team_of(0, words, tmp_path, postgresql, database) as team:
        while not codes or codes[-1] < 0:
            assert len(codes) < 20, team.logs()[-3000:]
            codes.append(team.start().exit_code())
        assert codes[-1] == 3, team.logs()[-3000:]
        records = {record["id"]: record for record in team.records()}
    assert len(codes) > 10
    assert records[deadly.PAGE]["reason"] == "internal_error"
    assert "workers ended, or stopped answering" in records[deadly.PAGE]["detail"]

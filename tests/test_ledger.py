"""The file that holds a job's ledger: damaged, locked, moved, read-only or foreign.

A foreign ledger is that of another site, or was written by another version of the program.
"""

import json
import re
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest
from conftest import (
    IMPATIENT,
    ROOT,
    SEED,
    SITE,
    Crawl,
    command,
    environment,
    read_records,
    small_disk,
    wait_until,
)
from job_crawls import ALWAYS_DUE, LISTED_ID
from jobs import place_in
from server import NewsServer
from services import require

from crawler.crawl.edges import Edge
from crawler.crawl.ledger import history
from crawler.crawl.ledger.job import read


@contextmanager
def database(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database, and commit what was changed."""
    with closing(sqlite3.connect(path)) as connection, connection:
        yield connection


def ledger(folder: Path) -> AbstractContextManager[sqlite3.Connection]:
    """Open the ledger itself, to damage it or to read data that no command prints."""
    return database(folder / "job" / "ledger.sqlite")


def test_a_second_run_at_once(
    job: Crawl, server: NewsServer, scrapy: Crawl, tmp_path: Path
) -> None:
    killed = threading.Event()
    server.misbehaviour[f"/news/{SEED}"] = lambda handler, before: killed.wait()
    line = command(
        "crawl",
        "articles",
        "-a",
        f"seed={SEED}",
        "-a",
        f"base_url={server.url}",
        "-s",
        "JOBDIR=job",
        "-s",
        "DOWNLOAD_DELAY=0",
    )
    first = subprocess.Popen(
        line, cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_until(lambda: server.requested_ids == [SEED])
    second = job()
    assert second.exit_code == 75
    assert re.fullmatch(
        rf"scrapy crawl: job: job is held by process {first.pid} on \S+ since \S+; "
        r"run again when it has ended\n",
        second.stderr,
    )
    assert f"running: process {first.pid} on" in scrapy("status", "-s", "JOBDIR=job").stdout
    assert scrapy("why", SEED, "-s", "JOBDIR=job").exit_code == 0
    # Another job is not affected.
    server.misbehaviour.clear()
    assert job(settings={"JOBDIR": "other"}).exit_code == 0
    assert first.poll() is None
    first.kill()
    first.wait()
    killed.set()
    # A dead process's lock blocks no other.
    assert job().exit_code == 0


def make_another_database(path: Path) -> None:
    path.unlink()
    with database(path) as connection:
        connection.execute("CREATE TABLE anything (column_ INTEGER)")


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda path: path.write_bytes(b""), "it is empty"),
    "text": (
        lambda path: path.write_bytes(b"not a database at all, whatever its name says" * 99),
        "file is not a database",
    ),
    "cut in half": (
        lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
        "malformed",
    ),
    "overwritten in the middle": (
        lambda path: path.write_bytes(
            path.read_bytes()[:8192] + b"\x55" * 90_000 + path.read_bytes()[98_192:]
        ),
        "",
    ),
    "another database": (make_another_database, "no such table"),
    "a folder": (lambda path: path.unlink() or path.mkdir(), "it is no file"),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", DAMAGE)
def test_a_damaged_ledger(job: Crawl, scrapy: Crawl, tmp_path: Path, case: str) -> None:
    job(depth=2)
    path = tmp_path / "job" / "ledger.sqlite"
    damage, message = DAMAGE[case]
    damage(path)
    damaged = path.read_bytes() if path.is_file() else b""
    status = scrapy("status", "-s", "JOBDIR=job")
    assert status.exit_code == 1
    assert message in status.stdout + status.stderr
    assert "ledger.sqlite" in status.stdout + status.stderr
    run = job(recheck="all")
    assert run.exit_code == 1
    assert message in run.stderr
    assert "ledger" in run.stderr
    if message:
        # If the damage was detected at once, nothing was written.
        assert (path.read_bytes() if path.is_file() else b"") == damaged
    for subcommand in ("export", "why"):
        result = scrapy(subcommand, *([SEED] if subcommand == "why" else []), "-s", "JOBDIR=job")
        assert "Traceback" not in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "damage", "asked"),
    [
        (
            "SELECT json FROM records WHERE id = ?",
            f"(article {SEED}) does not match its checksum",
            SEED,
        ),
        (
            "SELECT links FROM page_links WHERE page_id = ?",
            f"the links of {SEED} are damaged",
            LISTED_ID,
        ),
    ],
    ids=["record", "links"],
)
def test_a_flipped_bit(
    job: Crawl, scrapy: Crawl, tmp_path: Path, query: str, damage: str, asked: str
) -> None:
    job()
    with ledger(tmp_path) as connection:
        [(stored,)] = connection.execute(query, (SEED,))
    path = tmp_path / "job" / "ledger.sqlite"
    before, part, after = path.read_bytes().partition(stored[:100])
    assert part and part not in after
    path.write_bytes(before + part[:-1] + bytes([part[-1] ^ 1]) + after)
    for words in (["status"], ["why", asked]):
        run = scrapy(*words, "-s", "JOBDIR=job")
        assert (run.exit_code, damage in run.stdout) == (1, True)
    # Whatever is intact is exported.
    export = scrapy("export", "-s", "JOBDIR=job", "-o", "graph.graphml")
    assert (export.exit_code, "left out" in export.stderr, SEED in export.stderr) == (1, True, True)
    assert (tmp_path / "graph.graphml").exists()
    again = job(recheck="all")
    assert again.exit_code == 1
    assert f"{damage}; restore it from a backup" in again.stderr


@pytest.mark.slow
def test_a_ledger_that_does_not_balance(job: Crawl, scrapy: Crawl, tmp_path: Path) -> None:
    job()
    with ledger(tmp_path) as connection:
        connection.execute("DELETE FROM records WHERE id = ?", (LISTED_ID,))
    with ledger(tmp_path) as connection:
        connection.execute("DELETE FROM pages WHERE id = '1745120'")
    run = job()
    assert run.exit_code == 5
    assert (
        f"1745120 (listed, but not known), {LISTED_ID} (an article without a record);" in run.stdout
    )
    assert scrapy("status", "-s", "JOBDIR=job").exit_code == 5


@pytest.mark.slow
def test_a_folder_that_cannot_be_written(job: Crawl, scrapy: Crawl, tmp_path: Path) -> None:
    assert job().exit_code == 0
    folder = str(tmp_path / "job")
    require("mounts")
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
    try:
        run = job()
        assert (run.exit_code, run.stdout) == (1, "")
        assert re.search(r"job cannot be written \(Read-only file system\)", run.stderr)
        # Its records can still be read.
        assert scrapy("status", "-s", "JOBDIR=job").exit_code == 0
        assert len(scrapy("export", "-s", "JOBDIR=job").stdout.splitlines()) == 7
    finally:
        subprocess.run(["umount", folder], check=True)
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    run = job(settings={"JOBDIR": "file"})
    assert (run.exit_code, run.stderr) == (
        2,
        "scrapy crawl: job: file is a file; takes a folder\n",
    )


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("schema", [1, 2, 3, 4, 5, 6, 7])
def test_a_ledger_of_an_older_schema(scrapy: Crawl, tmp_path: Path, schema: int) -> None:
    """The program of that time created the ledger: one run ended, and one was killed."""
    (tmp_path / "job").mkdir()
    shutil.copytree(SITE, tmp_path / "site")
    with ledger(tmp_path) as connection:
        dump = (ROOT / "tests" / "ledgers" / f"schema-{schema}.sql").read_text(encoding="utf-8")
        connection.executescript(dump.replace("FOLDER", str(tmp_path)))
    status = scrapy("status", "-s", "JOBDIR=job")
    assert status.exit_code == 0
    assert "discovered 23 = articles 5 + teasers 15 + failures 0 + pending 3" in status.stdout
    assert "aborted, last active" in status.stdout
    run = scrapy(
        "crawl",
        "articles",
        "-a",
        f"seed={SEED}",
        "-a",
        "source=site",
        "-a",
        "depth=1",
        "-s",
        "JOBDIR=job",
        "-o",
        "mine.jsonl",
    )
    # Before schema 6, the feeds of the killed run had other names than those of this run.
    unwritten = 0 if schema >= 6 else 3
    assert run.exit_code == (3 if unwritten else 0)
    assert run.stdout.count("run 2 should have written") == unwritten
    assert "continued from run 2, which was aborted; it had stored 2 new" in run.stdout
    # The killed run's records come first, once each, in their original schema.
    lines = (tmp_path / "mine.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["kind"] for line in lines[:2]] == ["article", "article"]
    assert len(lines) == len({json.loads(line)["id"] for line in lines})
    assert run.balance.endswith("+ pending 0")
    assert len(scrapy("export", "-s", "JOBDIR=job").stdout.splitlines()) == 7
    # Reading the same pages again changes no article.
    again = scrapy(
        *("crawl", "articles", "-a", f"seed={SEED}", "-a", "source=site", "-a", "depth=1"),
        *("-a", "recheck=all", "-s", "JOBDIR=job"),
    )
    assert "7 unchanged" in again.stdout
    assert again.exit_code == 0


def test_what_an_older_ledger_knows_of_edges(tmp_path: Path) -> None:
    (tmp_path / "job").mkdir()
    with ledger(tmp_path) as connection:
        dump = (ROOT / "tests" / "ledgers" / "schema-4.sql").read_text(encoding="utf-8")
        connection.executescript(dump)
        began = dict(connection.execute("SELECT run, began FROM runs").fetchall())
        listings = connection.execute(
            "SELECT page_id, id, run, position, headline FROM listings"
        ).fetchall()
    with (
        closing(read(place_in(tmp_path / "job"))) as database,
        database.snapshot() as connection,
    ):
        edges = list(history.edges(connection))
    assert set(edges) == {
        Edge(page, target, "related", position, None, headline, None, began[run], began[run])
        for page, target, run, position, headline in listings
    }


@pytest.mark.slow
def test_pages_of_an_older_ledger_are_read_in_full(
    job: Crawl, server: NewsServer, tmp_path: Path
) -> None:
    """Their links of other roles are read then, even if they have not changed since."""
    server.has_validators = True
    given = {"seed": SEED, "depth": 0, "settings": ALWAYS_DUE}
    assert job(**given).exit_code == job(**given).exit_code == 0
    assert server.not_modified == 1
    with ledger(tmp_path) as connection:
        connection.executescript(
            "UPDATE job SET version = 4; DROP TABLE page_links; DROP TABLE linking_pages;"
            "ALTER TABLE runs DROP COLUMN asked; ALTER TABLE runs DROP COLUMN exit_code;"
            "ALTER TABLE listings RENAME TO with_roles; CREATE TABLE listings AS"
            " SELECT id, page_id, run, place, position, headline, item FROM with_roles;"
            "DROP TABLE with_roles"
        )
    again = job(**given)
    assert (again.exit_code, server.not_modified) == (0, 1)
    assert "1 unchanged" in again.stdout


@pytest.mark.slow
def test_a_ledger_of_a_later_schema(job: Crawl, scrapy: Crawl, tmp_path: Path) -> None:
    job()
    with ledger(tmp_path) as connection:
        connection.execute("UPDATE job SET version = 99")
    for run in (job(), scrapy("status", "-s", "JOBDIR=job")):
        assert (
            run.exit_code,
            "was written by a newer version of this program (schema 99" in run.stderr,
        ) == (1, True)


@pytest.mark.slow
@pytest.mark.parametrize("absolute", [False, True], ids=["relative", "absolute"])
def test_a_job_whose_folder_was_moved(
    live: Crawl, server: NewsServer, scrapy: Crawl, tmp_path: Path, absolute: bool
) -> None:
    def command_line(folder: Path, depth: int) -> list[object]:
        paths = ("job", "mine.jsonl", "a.warc.gz")
        job, feed, archive = (folder / path if absolute else path for path in paths)
        arguments = {"seed": SEED, "base_url": server.url, "depth": depth, "archive": archive}
        settings = {**IMPATIENT, "JOBDIR": job}
        return [
            *("crawl", "articles", "-o", feed),
            *(word for name, value in arguments.items() for word in ("-a", f"{name}={value}")),
            *(word for name, value in settings.items() for word in ("-s", f"{name}={value}")),
        ]

    truth = live(seed=SEED, depth=1)
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    killed = scrapy(*command_line(old, 0), cwd=old, CRAWLER_KILL_AT="feed part written")
    assert killed.exit_code == -9
    old.rename(new)
    server.requests.clear()
    run = scrapy(*command_line(new, 1), cwd=new)
    assert run.exit_code == 3
    assert set(server.requested_ids) == (truth.articles.keys() | truth.failures.keys()) - {SEED}
    assert run.balance == truth.balance + " + pending 0"
    # The killed run's feed is not written, because this run was not told to write that file.
    assert f"not written: run 1 should have written '{old / 'mine.jsonl'}'" in run.stdout
    assert not old.exists()
    feed_ids = {record["id"] for record in read_records(new / "mine.jsonl")}
    assert feed_ids == {record["id"] for record in truth.records} - {SEED}
    job_folder = new / "job" if absolute else "job"
    export = scrapy("export", "-s", f"JOBDIR={job_folder}", cwd=new)
    exported = [json.loads(line) for line in export.stdout.splitlines()]
    assert sorted(record["id"] for record in exported) == sorted(truth.articles)


@pytest.mark.slow
def test_a_ledger_of_another_site(job: Crawl, tmp_path: Path) -> None:
    job()
    with ledger(tmp_path) as connection:
        connection.execute("UPDATE job SET site = 'herald'")
    run = job()
    assert (run.exit_code, run.stderr) == (
        2,
        "scrapy crawl: job: job holds a crawl of herald; takes another job for alalam\n",
    )


@pytest.mark.slow
def test_a_record_that_is_damaged(job: Crawl, tmp_path: Path) -> None:
    job(depth=1, limit=2)
    with ledger(tmp_path) as connection:
        connection.execute("UPDATE records SET json = x'7b' WHERE id = ?", (SEED,))
    run = job("-O", "mine.jsonl", depth=1)
    assert run.exit_code == 1
    assert f"(article {SEED}) does not match its checksum" in run.stdout
    assert not (tmp_path / "mine.jsonl").exists()


@pytest.mark.slow
@pytest.mark.parametrize("table", ["records", "listings", "feeds", "pages"])
def test_a_table_that_is_damaged(job: Crawl, tmp_path: Path, table: str) -> None:
    job(depth=1)
    (tmp_path / "mine.jsonl").write_text("good", encoding="utf-8")
    with ledger(tmp_path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [(root,)] = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)
        )
    with (tmp_path / "job" / "ledger.sqlite").open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xee" * 4096)
    run = job("-O", "mine.jsonl", depth=2)
    assert run.exit_code == 1
    assert "malformed" in run.stdout + run.stderr
    assert (tmp_path / "mine.jsonl").read_text(encoding="utf-8") == "good"


@pytest.mark.slow
def test_a_disk_that_is_full_while_the_ledger_is_made(
    server: NewsServer, scrapy: Crawl, tmp_path: Path
) -> None:
    line = [
        "crawl",
        "articles",
        "-a",
        f"seed={SEED}",
        "-a",
        f"source={SITE}",
        "-a",
        "depth=0",
        "-s",
        "JOBDIR=disk/job",
    ]
    with small_disk(tmp_path / "disk", "8k") as disk:
        for kib in (8, 40, 72, 104, 112, 120):
            subprocess.run(["mount", "-o", f"remount,size={kib}k", str(disk)], check=True)
            run = scrapy(*line)
            assert run.exit_code in (0, 1)
            assert "Traceback" not in run.stderr
        subprocess.run(["mount", "-o", "remount,size=50m", str(disk)], check=True)
        assert (
            scrapy(*line).balance
            == "discovered 8 = articles 1 + teasers 7 + failures 0 + pending 0"
        )
